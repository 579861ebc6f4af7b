//! A regression as the text of its file, through the templates. Every text of the snapshot goes through the
//! comment writer or arrives as tokens; nothing of it is template code.

mod crash_line;
mod header;
mod imports;
mod run_command;
mod rust_flags;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use proc_macro2::Literal;
use tera::{Context, Tera};

use crate::hostile::comment::one_line;
use crate::hostile::literal::lines_within_literals;
use crate::index::Copied;
use crate::regression::{ConstructorFile, Regression};

pub use crash_line::CrashLine;
pub use header::Wiring;
pub(crate) use header::module_text;
pub use imports::leave_out_lines;
pub(crate) use imports::{PARENT, std_for};
pub use run_command::{RunCommand, RunCommandError};
pub(crate) use rust_flags::deciding;

/// Why a file could not be rendered.
#[derive(Debug, thiserror::Error)]
pub enum RenderError {
    /// A template of the project's own folder cannot be read.
    #[error("failed to read template {}: {source}", path.display())]
    Template {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// A template is wrong or asks for a value that does not exist.
    #[error("failed to render {name}: {reason}")]
    Tera {
        /// The template's file name.
        name: String,
        /// What Tera says.
        reason: String,
    },
    /// A regression's name is no Rust identifier, or its body is no Rust.
    #[error("failed to render regression {name:?}: {reason}")]
    Invalid {
        /// The regression's name.
        name: String,
        /// What is wrong.
        reason: String,
    },
}

/// The templates, embedded or overridden.
#[derive(Debug)]
pub struct Templates {
    tera: Tera,
}

impl Templates {
    /// The embedded templates.
    ///
    /// # Panics
    /// Never: the templates are constants that the tests render.
    pub fn embedded() -> Self {
        let mut tera = Tera::default();
        // No autoescape: what is rendered is Rust, not HTML.
        tera.autoescape_on(Vec::<&str>::new());
        tera.add_raw_templates(relapse_templates::TEMPLATES.iter().copied())
            .expect("the embedded templates are valid, each test renders them");
        Self { tera }
    }

    /// The embedded templates, each replaced where `folder` has a file of the same name.
    pub fn with_overrides(folder: &Path) -> Result<Self, RenderError> {
        let mut templates = Self::embedded();
        for (name, _) in relapse_templates::TEMPLATES {
            let path = folder.join(name);
            match fs::read_to_string(&path) {
                Ok(text) => {
                    templates.tera.add_raw_template(name, &text).map_err(|error| tera(name, &error))?;
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(source) => return Err(RenderError::Template { path, source }),
            }
        }
        Ok(templates)
    }

    fn render(&self, name: &str, context: &Context) -> Result<String, RenderError> {
        let text = self.tera.render(name, context).map_err(|error| tera(name, &error))?;
        Ok(squeeze(&text))
    }

    /// An overridden template may be anything: what is no Rust file must not reach the user's tree.
    fn render_rust(&self, name: &str, context: &Context) -> Result<String, RenderError> {
        let text = self.render(name, context)?;
        syn::parse_file(&text)
            .map_err(|error| RenderError::Tera { name: name.to_owned(), reason: error.to_string() })?;
        Ok(text)
    }

    /// The comment that begins a `mod.rs`.
    pub(crate) fn mod_head(&self, module: &str) -> Result<String, RenderError> {
        let mut context = Context::new();
        context.insert("module", &one_line(module));
        self.render_rust("mod.rs.tera", &context)
    }
}

fn tera(name: &str, error: &tera::Error) -> RenderError {
    let source = std::error::Error::source(error).map(|source| format!(": {source}")).unwrap_or_default();
    RenderError::Tera { name: name.to_owned(), reason: format!("{error}{source}") }
}

/// The text of a regression's file. It is formatted as far as that goes without rustfmt.
pub fn render(regression: &Regression, templates: &Templates) -> Result<String, RenderError> {
    let invalid = |reason: String| RenderError::Invalid { name: regression.name.clone(), reason };
    syn::parse_str::<syn::Ident>(&regression.name).map_err(|_| invalid("not an identifier".to_owned()))?;
    syn::parse_str::<Body>(&regression.body).map_err(|error| invalid(error.to_string()))?;
    let mut context = Context::new();
    context.insert("header", &header::lines(regression));
    context.insert("imports", &imports::lines(regression));
    context.insert("name", &regression.name);
    context.insert("body", &body(regression));
    context.insert("in_child", &regression.in_child());
    context.insert("stack", &regression.given.sets_stack());
    context.insert("ends_process", &regression.ends_process());
    context.insert("speaks_over", &(regression.speaks_over && regression.given.is_empty()));
    let attribute = regression.async_attribute();
    context.insert("is_async", &attribute.is_some());
    context.insert("async_attribute", &attribute);
    context.insert("block_on", &regression.blocks());
    context.insert("seconds", &regression.time_limit.map(|limit| limit.as_secs()));
    let literal = |text: &str| Literal::string(text).to_string();
    let variables = regression.given.variables.iter();
    context.insert("variables", &variables.map(|(n, v)| [literal(n), literal(v)]).collect::<Vec<_>>());
    let folder = regression.given.folder.as_ref().map(|folder| literal(&format!("/{}", folder.display())));
    context.insert("folder", &folder);
    let expected = regression.should_panic.as_deref();
    context.insert("copied", &regression.copied.as_ref().map(copied));
    context.insert("should_panic", &expected.map(|text| Literal::string(text).to_string()));
    templates.render_rust("regression.rs.tera", &context)
}

/// The text of a constructor's file: a function of the type, and of nothing that a test has.
pub fn render_constructor(
    constructor: &ConstructorFile,
    templates: &Templates,
) -> Result<String, RenderError> {
    let mut context = Context::new();
    let name = one_line(&constructor.type_name);
    let about = match constructor.value {
        None => {
            format!("Builds `{name}` from its fields, for the regressions of modules that cannot see them.")
        }
        Some(_) => {
            format!("A `{name}` of a regression elsewhere: only this module can name the types within it.")
        }
    };
    context.insert("about", &about);
    context.insert("wiring", &header::constructor_line(constructor));
    context.insert("imports", &imports::lines_of(constructor));
    context.insert("body", constructor.body.trim_end());
    templates.render_rust("constructor.rs.tera", &context)
}

/// Types of a program, below a line that says where they are from.
fn copied(copied: &Copied) -> String {
    let (names, from) = (copied.names.join("`, `"), one_line(&copied.file.display().to_string()));
    format!("// `{names}`: as in {from}, which a library cannot use.\n{}", copied.text.trim_end())
}

/// Statements, which must not close the function they are put in.
struct Body;

impl syn::parse::Parse for Body {
    fn parse(input: syn::parse::ParseStream<'_>) -> syn::Result<Self> {
        syn::Block::parse_within(input).map(|_| Self)
    }
}

/// The test's statements; those of a call that needs a process of its own run in a child.
fn body(regression: &Regression) -> String {
    let body = indented(&regression.body);
    if regression.in_child() {
        indented(&format!("in_child(\"{}\", || {{\n{body}\n}});", regression.name))
    } else {
        body
    }
}

/// The body four columns in. Lines within a literal stay as they are.
fn indented(body: &str) -> String {
    let inside = lines_within_literals(body);
    let mut out = String::new();
    for (at, line) in body.trim_end().lines().enumerate() {
        if at > 0 {
            out.push('\n');
        }
        if !line.trim().is_empty() && !inside.contains(&(at + 1)) {
            out.push_str("    ");
        }
        out.push_str(line);
    }
    out
}

/// At most one blank line in a row outside the code's own lines, none at either end, one newline at the end.
fn squeeze(text: &str) -> String {
    let body = lines_within_literals(text);
    let mut out = String::with_capacity(text.len());
    let mut blank = true;
    for (at, line) in text.lines().enumerate() {
        let within = body.contains(&(at + 1));
        if within || !line.trim().is_empty() {
            out.push_str(line);
            out.push('\n');
            blank = false;
        } else if !blank {
            out.push('\n');
            blank = true;
        }
    }
    while out.ends_with("\n\n") {
        out.pop();
    }
    out
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::executor::Executor;
    use crate::regression::{Header, ModulePlace};

    /// The example of the design: `fill` of textwrap.
    pub(crate) fn example() -> Regression {
        Regression {
            name: "fill_char_boundary".into(),
            module: ModulePlace {
                package: "textwrap".into(),
                package_folder: "".into(),
                file: "src/lib.rs".into(),
                inline: Vec::new(),
                module_path: Vec::new(),
                edition: 2021,
                no_std: false,
            },
            header: Header {
                function: "fill".into(),
                message: "start byte index 97 is not a char boundary; it is inside '–'".into(),
                place: "src/lib.rs:634".into(),
                within: Some("WrapIterImpl::impl_next".into()),
                date: "2026-11-23".into(),
                command: "cargo run -- post.txt 86".into(),
                build: "rustc 1.95.0 debug".into(),
                class: Some("str/char-boundary".into()),
                run_it: "cargo test -p textwrap --lib regressions::fill_char_boundary::fill_char_boundary -- --exact"
                    .into(),
                snapshot: "7c1e09b2a0ff0102".into(),
                target: "crate::fill".into(),
                remarks: Vec::new(),
            },
            uses: Vec::new(),
            body: "let s = \"osts: – https://…\";\nlet width = 9;\nfill(s, width);\n".into(),
            left_out: Vec::new(),
            dies: false,
            panic_ends_process: false,
        speaks_over: false,
            executor: None,
            time_limit: None,
            given: crate::regression::Given::default(),
            should_panic: None,
            copied: None,
            side_files: Vec::new(),
            constructors: Vec::new(),
        }
    }

    fn text(regression: &Regression) -> String {
        render(regression, &Templates::embedded()).unwrap()
    }

    #[test]
    fn a_test_reads_as_a_colleague_would_write_it() {
        assert_eq!(
            text(&example()),
            r#"// `fill` panics: start byte index 97 is not a char boundary; it is inside '–' (src/lib.rs:634, in WrapIterImpl::impl_next)
// captured 2026-11-23 from `cargo run -- post.txt 86`, rustc 1.95.0 debug; class str/char-boundary
// run it: cargo test -p textwrap --lib regressions::fill_char_boundary::fill_char_boundary -- --exact
// relapse 1: snapshot 7c1e09b2, target crate::fill, module src/lib.rs

use super::super::*;

#[test]
fn fill_char_boundary() {
    let s = "osts: – https://…";
    let width = 9;
    fill(s, width);
}
"#
        );
    }

    #[test]
    fn an_open_bug_should_panic_with_its_message() {
        let mut regression = example();
        regression.should_panic = Some("quote \" and \u{202e}bidi".into());
        assert!(
            text(&regression).contains("#[should_panic(expected = \"quote \\\" and \\u{202e}bidi\")]\nfn")
        );
    }

    #[test]
    fn a_call_that_kills_its_process_brings_its_child() {
        let mut regression = example();
        regression.dies = true;
        regression.body = "fill(\"\", 0);".into();
        let text = text(&regression);
        assert!(text.starts_with("// `fill` dies: "), "{text}");
        assert!(text.contains(
            "    in_child(\"fill_char_boundary\", || {\n        fill(\"\", 0);\n    });\n}\n\n///"
        ));
        assert!(text.ends_with("output.status);\n}\n"), "{text}");
    }

    #[test]
    fn an_async_call_is_run_to_its_end() {
        let mut regression = example();
        regression.executor = Some(Executor::Tokio);
        regression.body = "fill(s).await;".into();
        assert!(
            text(&regression)
                .contains("#[tokio::test]\nasync fn fill_char_boundary() {\n    fill(s).await;\n}\n")
        );
        regression.dies = true;
        assert!(text(&regression).contains("\n#[test]\nfn fill_char_boundary() {\n    in_child("));
        regression.dies = false;
        regression.executor = Some(Executor::Own);
        regression.body = "block_on(fill(s));".into();
        let own = text(&regression);
        assert!(
            own.contains("#[test]\nfn fill_char_boundary() {\n    block_on(fill(s));\n}\n\n///"),
            "{own}"
        );
        assert_eq!(own.matches("fn block_on<").count(), 1, "{own}");
    }

    #[test]
    fn a_call_that_hangs_is_ended_with_its_child() {
        let mut regression = example();
        regression.time_limit = Some(std::time::Duration::from_secs(30));
        regression.given.variables = vec![("MODE".into(), "x".into())];
        regression.body = "fill(\"\", 0);".into();
        let text = text(&regression);
        assert!(text.starts_with("// `fill` hangs: "), "{text}");
        assert!(text.contains(
            "    in_child(\"fill_char_boundary\", || {\n        fill(\"\", 0);\n    });\n}\n\n///"
        ));
        assert!(
            text.contains("from_secs(30);\n") && text.contains("        .env(\"MODE\", \"x\")\n"),
            "{text}"
        );
        assert!(text.ends_with("    assert!(status.success(), \"{status}\");\n}\n"), "{text}");
    }

    #[test]
    fn what_a_call_is_given_stands_in_its_child() {
        let mut regression = example();
        regression.given.variables = vec![("MODE".into(), "a \"b\"\u{202e}\n".into())];
        regression.given.folder = Some("../data".into());
        let text = text(&regression);
        assert!(text.starts_with("// `fill` panics: "), "{text}");
        assert!(text.contains("    in_child(\"fill_char_boundary\", || {\n        let s ="), "{text}");
        assert!(text.contains(".env(\"MODE\", \"a \\\"b\\\"\\u{202e}\\n\")\n"), "{text}");
        assert!(
            text.contains(".current_dir(concat!(env!(\"CARGO_MANIFEST_DIR\"), \"/../data\"))\n"),
            "{text}"
        );
    }

    #[test]
    fn lines_within_a_literal_are_neither_indented_nor_dropped() {
        let mut regression = example();
        regression.body = "let s = r\"a\n\n\n  b\";\nfill(s, 1);".into();
        assert!(text(&regression).contains("    let s = r\"a\n\n\n  b\";\n    fill(s, 1);\n}"));
    }

    #[test]
    fn imports_that_the_compiler_called_unused_are_left_out() {
        let mut regression = example();
        let before = text(&regression);
        let line = before.lines().position(|line| line == "use super::super::*;").unwrap() + 1;
        assert!(leave_out_lines(&mut regression, &before, &[line]));
        assert!(!text(&regression).contains("use "));
        assert!(!leave_out_lines(&mut regression, &before, &[1, 10, 999]));
    }

    #[test]
    fn no_std_crates_get_std_for_what_the_body_uses() {
        let mut regression = example();
        regression.module.no_std = true;
        regression.body = "let s = String::from(\"a\");\nlet v = vec![1];\nfill(&s, v);".into();
        let imports = "extern crate std;\n\nuse super::super::*;\nuse std::string::String;\nuse std::vec;\n";
        assert!(text(&regression).contains(imports), "{}", text(&regression));
        regression.module.edition = 2015;
        assert!(text(&regression).contains("use self::std::string::String;\nuse self::std::vec;\n"));
        regression.body = "fill(1);".into();
        assert!(!text(&regression).contains("std"));
    }

    #[test]
    fn hostile_text_stays_in_its_comment() {
        let mut regression = example();
        regression.header.message =
            "a\nfn evil() {}\r\u{2028}\u{202e}*/ \u{1b}[2J {{ name }} {% raw %}".into();
        regression.header.command = "x`\n#![allow(all)]".into();
        regression.header.remarks = vec!["one\ntwo".into()];
        regression.header.target = "crate::a\nuse evil;, module /etc/passwd".into();
        let text = text(&regression);
        assert!(text.lines().take(5).all(|line| line.starts_with("// ")), "{text}");
        assert_eq!(text.lines().nth(5), Some(""));
        assert_eq!(syn::parse_file(&text).unwrap().items.len(), 2);
        assert_eq!(Wiring::read(&text).unwrap().file, Path::new("src/lib.rs"));
    }

    #[test]
    fn a_body_that_closes_its_function_is_refused() {
        let mut regression = example();
        regression.body = "fill(1); } fn evil() {".into();
        assert!(matches!(render(&regression, &Templates::embedded()), Err(RenderError::Invalid { .. })));
        regression = example();
        regression.name = "a() {} fn b".into();
        assert!(render(&regression, &Templates::embedded()).is_err());
    }

    #[test]
    fn a_long_message_is_cut_and_a_long_command_that_runs_the_test_is_not() {
        let mut regression = example();
        regression.header.message = "x – ".repeat(1000);
        regression.header.command = "y".repeat(1000);
        regression.header.run_it = "z".repeat(300);
        let text = text(&regression);
        let widths: Vec<usize> = text.lines().take(4).map(|line| line.chars().count()).collect();
        assert!(widths[0] <= 135 && widths[1] <= 110 && widths[2] == 311, "{widths:?}");
        assert!(text.contains("… (src/lib.rs:634"), "{text}");
    }

    #[test]
    fn a_project_overrides_a_template_by_its_name() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("regression.rs.tera"), "// ours\nfn {{ name }}() {}\n").unwrap();
        let templates = Templates::with_overrides(folder.path()).unwrap();
        assert_eq!(render(&example(), &templates).unwrap(), "// ours\nfn fill_char_boundary() {}\n");
        fs::write(folder.path().join("regression.rs.tera"), "fn {{ nmae }}").unwrap();
        let templates = Templates::with_overrides(folder.path()).unwrap();
        let error = render(&example(), &templates).unwrap_err().to_string();
        assert!(error.contains("nmae"), "{error}");
    }

    #[test]
    fn a_list_that_is_no_rust_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("mod.rs.tera"), "no comment of {{ module }}\n").unwrap();
        let templates = Templates::with_overrides(folder.path()).unwrap();
        let error = templates.mod_head("src/lib.rs").unwrap_err().to_string();
        assert!(error.contains("mod.rs.tera"), "{error}");
        assert!(Templates::embedded().mod_head("src/lib.rs").is_ok());
    }
}
