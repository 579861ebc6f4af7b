//! The text of one source file: where a module in it ends, what it already declares, and how the declaration of
//! its regressions is put in and taken out. Works on text and spans; knows nothing of files.

use std::ops::Range;

use syn::ext::IdentExt as _;
use syn::spanned::Spanned as _;
use syn::{Expr, Item, ItemMod, Lit, Meta, UseTree};

use crate::tolerant::{self, BOM, start_of_code};

/// The names that the declaration may have, best first.
pub const NAMES: [&str; 2] = ["regressions", "relapse_regressions"];

/// A declaration of ours that is in a module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Declared {
    /// `regressions`, or the second of [`NAMES`].
    pub name: String,
    /// What it loads.
    pub loads: Loads,
    /// Its bytes in the text, from its first attribute to its last token.
    range: Range<usize>,
}

/// What a declaration loads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Loads {
    /// `#[path = "…"]`, relative to the source file's folder.
    Path(String),
    /// `include!`, relative to the package's folder.
    Package(String),
}

/// Why a module cannot be found in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SourceError {
    /// The text is no Rust that syn knows.
    Syntax(String),
    /// There is no such inline module.
    NoModule,
}

/// A parsed source file.
pub struct Source<'a> {
    text: &'a str,
    items: Vec<Item>,
    /// Where the parsed part begins: after a byte order mark and a shebang line.
    start: usize,
}

/// One module of a source file.
pub struct Module<'a> {
    text: &'a str,
    items: &'a [Item],
    start: usize,
    /// The closing brace of an inline module; `None` for the file's own.
    brace: Option<usize>,
}

impl<'a> Source<'a> {
    /// Parses a file's text.
    pub fn parse(text: &'a str) -> Result<Self, SourceError> {
        let start = start_of_code(text);
        // Not `parse_file`: it leaves out a second mark or `#!` line, and all places would be off by it. The lexer
        // does so with a mark, which is no Rust.
        if text[start..].starts_with(BOM) {
            return Err(SourceError::Syntax("a second byte order mark".to_owned()));
        }
        let read = tolerant::parse(&text[start..]).map_err(|error| SourceError::Syntax(error.to_string()))?;
        Ok(Self { text, items: read.file.items, start })
    }

    /// The paths of all inline modules; the first, empty one is the file's own.
    pub fn inline_modules(&self) -> Vec<Vec<String>> {
        fn visit(items: &[Item], path: &[String], out: &mut Vec<Vec<String>>) {
            for item in items {
                let Item::Mod(ItemMod { ident, content: Some((_, items)), .. }) = item else { continue };
                let mut path = path.to_vec();
                path.push(ident.unraw().to_string());
                visit(items, &path, out);
                out.push(path);
            }
        }
        let mut out = vec![Vec::new()];
        visit(&self.items, &[], &mut out);
        out
    }

    /// The declarations of ours in the file, those in inline modules included: the line on which each begins (from 1) and
    /// how many lines it has.
    pub fn own_lines(&self) -> Vec<(u32, u32)> {
        let line_of = |byte: usize| self.text[..byte].matches('\n').count() + 1;
        let mut found = Vec::new();
        for inline in self.inline_modules() {
            let Ok(module) = self.module(&inline, None) else { continue };
            for declared in module.all_declared() {
                let (first, last) = (line_of(declared.range.start), line_of(declared.range.end));
                found.push((first as u32, (last - first + 1) as u32));
            }
        }
        found
    }

    /// The inline module of this path; the file's own where the path is empty. Of several modules of one name
    /// (each under its own `cfg`) the one that holds a function or struct named `hint` is taken, else the first.
    pub fn module(&'a self, inline: &[String], hint: Option<&str>) -> Result<Module<'a>, SourceError> {
        let mut module = Module { text: self.text, items: &self.items, start: self.start, brace: None };
        for name in inline {
            let same_name: Vec<&ItemMod> = module
                .items
                .iter()
                .filter_map(|item| match item {
                    Item::Mod(item) if item.ident.unraw() == name.as_str() && item.content.is_some() => {
                        Some(item)
                    }
                    _ => None,
                })
                .collect();
            let item = same_name
                .iter()
                .find(|item| hint.is_some_and(|hint| names_item(item, hint)))
                .or(same_name.first())
                .ok_or(SourceError::NoModule)?;
            let (brace, items) = item.content.as_ref().ok_or(SourceError::NoModule)?;
            module.items = items;
            module.brace = Some(self.start + brace.span.close().byte_range().start);
        }
        Ok(module)
    }
}

impl Module<'_> {
    /// Its items.
    pub fn items(&self) -> &[Item] {
        self.items
    }

    /// The declarations of regressions that are there: one, or two where a merge or a move brought another.
    pub fn all_declared(&self) -> Vec<Declared> {
        let mut found = Vec::new();
        for item in self.items {
            let Item::Mod(item) = item else { continue };
            let name = item.ident.to_string();
            if let Some(loads) = NAMES.contains(&name.as_str()).then(|| loads(item)).flatten() {
                let range = item.span().byte_range();
                found.push(Declared { name, loads, range: self.start + range.start..self.start + range.end });
            }
        }
        found
    }

    /// The first of [`NAMES`] that no item of the module has.
    pub fn free_name(&self) -> Option<&'static str> {
        NAMES.into_iter().find(|name| !self.items.iter().any(|item| takes(item, name)))
    }

    /// The text with a declaration at the module's end. Its lines come without indentation.
    pub fn insert(&self, declaration: &[String]) -> String {
        let newline = newline_of(self.text);
        let Some(brace) = self.brace else { return append(self.text, declaration, newline) };
        let line_start = self.text[..brace].rfind('\n').map_or(0, |at| at + 1);
        let outer: String = leading_blanks(&self.text[line_start..]).to_owned();
        let unit = self.indent_unit(&outer);
        let head = self.text[..brace].trim_end_matches([' ', '\t']);
        let mut out = head.to_owned();
        if !head.ends_with('\n') {
            out.push_str(newline);
        }
        if !head.trim_end().ends_with('{') {
            out.push_str(newline);
        }
        for line in declaration {
            out.push_str(&outer);
            out.push_str(&unit);
            // Further levels come as four blanks each.
            let depth = leading_blanks(line).len() / 4;
            out.push_str(&unit.repeat(depth));
            out.push_str(line.trim_start());
            out.push_str(newline);
        }
        out.push_str(&outer);
        out.push_str(&self.text[brace..]);
        out
    }

    /// The text without a declaration and the blank line before it.
    pub fn remove(&self, declared: &Declared) -> String {
        let Range { start, end } = declared.range;
        let (before, after) = (&self.text[..start], &self.text[end..]);
        let line_start = before.trim_end_matches([' ', '\t']);
        if !(line_start.is_empty() || line_start.ends_with('\n')) {
            // Something else stands on its line: take out no more than the declaration.
            return format!("{}{after}", before.trim_end_matches([' ', '\t']));
        }
        // The declaration's own lines end as it was put in; the text's may end in several ways.
        let own = &self.text[start..end];
        let newline = newline_of(if own.contains('\n') { own } else { self.text });
        let head = line_start
            .strip_suffix(newline)
            .and_then(|head| (head.ends_with('\n') || head.is_empty()).then_some(head))
            .unwrap_or(line_start);
        let rest = after.trim_start_matches([' ', '\t']);
        match rest.strip_prefix(newline) {
            Some(rest) => format!("{head}{rest}"),
            // It ended the file without a newline, as the file did before.
            None if rest.is_empty() => head.strip_suffix(newline).unwrap_or(head).to_owned(),
            None => format!("{head}{after}"),
        }
    }

    /// How deep this module's items stand below the line of its brace.
    fn indent_unit(&self, outer: &str) -> String {
        let first = self.items.iter().find_map(|item| {
            let start = self.start + item.span().byte_range().start;
            let line = self.text[..start].rfind('\n').map_or(0, |at| at + 1);
            let blanks = &self.text[line..start];
            blanks.trim().is_empty().then(|| blanks.strip_prefix(outer).unwrap_or_default().to_owned())
        });
        let default = if outer.contains('\t') { "\t" } else { "    " };
        first.filter(|unit| !unit.is_empty()).unwrap_or_else(|| default.to_owned())
    }
}

/// The declaration appended to a text that cannot be parsed (newer syntax): the file's own module ends where
/// the file ends.
pub fn append(text: &str, declaration: &[String], newline: &str) -> String {
    let mut out = text.to_owned();
    let ends_open = !text.is_empty() && !text.ends_with('\n');
    if ends_open {
        out.push_str(newline);
    }
    if !text.trim_start_matches(BOM).is_empty() {
        out.push_str(newline);
    }
    out.push_str(&declaration.join(newline));
    // A file without a newline at its end stays one, so that taking the declaration out leaves no trace.
    if !ends_open {
        out.push_str(newline);
    }
    out
}

/// The line ending of a text.
pub fn newline_of(text: &str) -> &'static str {
    match text.find('\n') {
        Some(at) if text[..at].ends_with('\r') => "\r\n",
        _ => "\n",
    }
}

fn leading_blanks(line: &str) -> &str {
    &line[..line.len() - line.trim_start_matches([' ', '\t']).len()]
}

fn names_item(item: &ItemMod, name: &str) -> bool {
    struct Finder<'a>(&'a str, bool);
    impl<'ast> syn::visit::Visit<'ast> for Finder<'_> {
        fn visit_signature(&mut self, signature: &'ast syn::Signature) {
            self.1 |= signature.ident == self.0;
        }

        fn visit_item_struct(&mut self, item: &'ast syn::ItemStruct) {
            self.1 |= item.ident == self.0;
        }
    }
    let mut finder = Finder(name, false);
    syn::visit::visit_item_mod(&mut finder, item);
    finder.1
}

/// What our declaration loads; `None` for a module that is not ours.
fn loads(item: &ItemMod) -> Option<Loads> {
    let Some((_, items)) = &item.content else {
        return item.attrs.iter().find_map(|attr| match &attr.meta {
            Meta::NameValue(pair) if pair.path.is_ident("path") => {
                let path = string(&pair.value)?;
                let ours = path.ends_with("/mod.rs") && path.split('/').any(|part| part == "regressions");
                ours.then_some(Loads::Path(path))
            }
            _ => None,
        });
    };
    let [Item::Macro(call)] = items.as_slice() else { return None };
    if !call.mac.path.is_ident("include") {
        return None;
    }
    let concat: syn::Macro = call.mac.parse_body().ok()?;
    let parts =
        concat.parse_body_with(syn::punctuated::Punctuated::<Expr, syn::Token![,]>::parse_terminated).ok()?;
    let path = string(parts.last()?)?;
    let path = path.strip_prefix('/')?;
    (path.starts_with("regressions/") && path.ends_with("/mod.rs")).then(|| Loads::Package(path.to_owned()))
}

fn string(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Lit(lit) => match &lit.lit {
            Lit::Str(text) => Some(text.value()),
            _ => None,
        },
        _ => None,
    }
}

/// Whether an item takes this name among types and modules.
fn takes(item: &Item, name: &str) -> bool {
    match item {
        Item::Mod(item) => item.ident == name,
        Item::Enum(item) => item.ident == name,
        Item::Struct(item) => item.ident == name,
        Item::Trait(item) => item.ident == name,
        Item::Type(item) => item.ident == name,
        Item::Union(item) => item.ident == name,
        Item::ExternCrate(item) => item.rename.as_ref().map_or(&item.ident, |(_, rename)| rename) == name,
        Item::Use(item) => imports(&item.tree, name),
        _ => false,
    }
}

fn imports(tree: &UseTree, name: &str) -> bool {
    match tree {
        UseTree::Path(path) => imports(&path.tree, name),
        UseTree::Name(item) => item.ident == name,
        UseTree::Rename(item) => item.rename == name,
        UseTree::Group(group) => group.items.iter().any(|tree| imports(tree, name)),
        UseTree::Glob(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn declaration() -> Vec<String> {
        ["#[cfg(test)]", "#[path = \"../regressions/lib/mod.rs\"]", "mod regressions;"]
            .map(str::to_owned)
            .to_vec()
    }

    fn inline_declaration() -> Vec<String> {
        [
            "#[cfg(test)]",
            "mod regressions {",
            "    include!(concat!(env!(\"CARGO_MANIFEST_DIR\"), \"/regressions/lib/inner/mod.rs\"));",
            "}",
        ]
        .map(str::to_owned)
        .to_vec()
    }

    fn inserted(text: &str, inline: &[&str]) -> String {
        let inline: Vec<_> = inline.iter().map(|&name| name.to_owned()).collect();
        let source = Source::parse(text).unwrap();
        let lines = if inline.is_empty() { declaration() } else { inline_declaration() };
        source.module(&inline, None).unwrap().insert(&lines)
    }

    fn removed(text: &str, inline: &[&str]) -> String {
        let inline: Vec<_> = inline.iter().map(|&name| name.to_owned()).collect();
        let source = Source::parse(text).unwrap();
        let module = source.module(&inline, None).unwrap();
        module.remove(&module.all_declared()[0])
    }

    #[test]
    fn a_declaration_comes_and_goes_without_a_trace() {
        for text in [
            "fn a() {}\n",
            "fn a() {}",
            "",
            "fn a() {}\r\nfn b() {}\r\n",
            "fn a() {}\r\nfn b() {}",
            "fn a() {}\n\n\n",
            "fn a() {}\n// the end",
            "fn a() {}\n/* the end */\n",
            "#![cfg(test)]\nfn a() {}\n",
            "#!/usr/bin/env run-cargo-script\nfn a() {}\n",
            "#! [allow(dead_code)]\nfn a() {}\n",
            "\u{feff}fn a() {}\n",
            "\u{feff}#!/bin/sh\nfn a() {}\n",
            "macro_rules! m { () => {} }\nm!();\n",
            "fn a() {}\n#[cfg(test)]\nmod tests {\n}\n",
        ] {
            let with = inserted(text, &[]);
            let ending = if text.is_empty() || text.ends_with('\n') {
                "mod regressions;\n"
            } else {
                "mod regressions;"
            };
            assert!(with.replace("\r\n", "\n").ends_with(ending), "{with:?}");
            assert_eq!(with.matches("\r\n").count() > 0, text.contains("\r\n"), "{with:?}");
            assert!(!text.contains("\r\n") || !with.replace("\r\n", "").contains('\n'), "{with:?}");
            assert_eq!(removed(&with, &[]), text, "{with:?}");
        }
    }

    #[test]
    fn a_carriage_return_at_the_very_end_comes_back() {
        for text in ["\r", "fn a() {}\r", "fn a() {}\nfn b() {}\r", "fn a() {}\r\nfn b() {}\nfn c() {}\r"] {
            assert_eq!(removed(&inserted(text, &[]), &[]), text, "{text:?}");
        }
    }

    #[test]
    fn a_second_mark_or_shebang_is_no_rust() {
        for text in ["\u{feff}\u{feff}\n", "\u{feff}\u{feff}#!/bin/sh\nfn a() {}\n", "#!/bin/sh\n#!/bin/sh\n"]
        {
            assert!(matches!(Source::parse(text), Err(SourceError::Syntax(_))), "{text:?}");
        }
    }

    #[test]
    fn a_declaration_follows_a_blank_line() {
        assert_eq!(
            inserted("fn a() {}\n", &[]),
            "fn a() {}\n\n#[cfg(test)]\n#[path = \"../regressions/lib/mod.rs\"]\nmod regressions;\n"
        );
    }

    #[test]
    fn an_inline_module_gets_its_declaration_within_its_braces() {
        let text = "mod inner {\n    fn a() {}\n}\n\nfn b() {}\n";
        let with = inserted(text, &["inner"]);
        assert_eq!(
            with,
            "mod inner {\n    fn a() {}\n\n    #[cfg(test)]\n    mod regressions {\n        \
             include!(concat!(env!(\"CARGO_MANIFEST_DIR\"), \"/regressions/lib/inner/mod.rs\"));\n    }\n}\n\n\
             fn b() {}\n"
        );
        assert_eq!(removed(&with, &["inner"]), text);
    }

    #[test]
    fn inline_modules_of_every_shape_stay_valid() {
        for text in [
            "mod inner {}\n",
            "mod inner { fn a() {} }\n",
            "mod inner {\n\tfn a() {}\n}\n",
            "\u{feff}mod inner {\r\n  // ü\r\n  fn a() {}\r\n  // end\r\n}\r\n",
            "#!/bin/sh\n// ö\nmod inner {\n    //! Inner.\n}\n",
        ] {
            let with = inserted(text, &["inner"]);
            let source = Source::parse(&with).unwrap();
            let module = source.module(&["inner".to_owned()], None).unwrap();
            assert_eq!(
                module.all_declared()[0].loads,
                Loads::Package("regressions/lib/inner/mod.rs".into()),
                "{with}"
            );
            Source::parse(&removed(&with, &["inner"])).unwrap();
        }
        assert!(inserted("mod inner {\n\tfn a() {}\n}\n", &["inner"]).contains("\n\t\tinclude!"));
    }

    #[test]
    fn nested_inline_modules_are_indented_with_their_braces() {
        let with = inserted("mod a {\n    mod b {\n        fn f() {}\n    }\n}\n", &["a", "b"]);
        assert!(
            with.contains("\n        #[cfg(test)]\n        mod regressions {\n            include!"),
            "{with}"
        );
        assert!(with.ends_with("\n        }\n    }\n}\n"), "{with}");
    }

    #[test]
    fn of_two_modules_of_one_name_the_one_with_the_function_is_taken() {
        let text = "#[cfg(unix)]\nmod a {\n    fn f() {}\n}\n#[cfg(windows)]\nmod a {\n    fn g() {}\n}\n";
        let source = Source::parse(text).unwrap();
        let with = source.module(&["a".to_owned()], Some("g")).unwrap().insert(&inline_declaration());
        assert!(with.starts_with("#[cfg(unix)]\nmod a {\n    fn f() {}\n}\n#[cfg(windows)]"), "{with}");
    }

    #[test]
    fn a_module_of_the_users_own_takes_the_name() {
        for text in
            ["mod regressions {}", "mod regressions;", "use a::regressions;", "use a::{b as regressions, c};"]
        {
            let source = Source::parse(text).unwrap();
            let module = source.module(&[], None).unwrap();
            assert_eq!(module.all_declared(), []);
            assert_eq!(module.free_name(), Some("relapse_regressions"));
        }
        let text = "mod regressions;\n#[path = \"../regressions/a/mod.rs\"]\nmod relapse_regressions;\n";
        let source = Source::parse(text).unwrap();
        assert_eq!(source.module(&[], None).unwrap().all_declared()[0].name, "relapse_regressions");
    }
}
