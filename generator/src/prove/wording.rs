//! How a test is worded after what the compiler said of it: more types, other imports, a result that is dropped. In: a
//! draft and a diagnostic. Out: whether another wording was found. Never builds.

use std::collections::BTreeMap;

use super::{Bench, Draft};
use crate::compile::{Compiled, Diagnostic};
use crate::expression::{Extent, StandIns};
use crate::index::NamesAt;

/// Rewords what the compiler complained of; whether anything changed.
pub(super) fn reword(
    drafts: &mut [Draft<'_>],
    errors: &BTreeMap<usize, Diagnostic>,
    compiled: Option<&Compiled>,
    bench: &Bench<'_>,
) -> bool {
    let mut changed = false;
    for (&index, error) in errors {
        changed |= drafts[index].learn_from_error(error, bench);
    }
    for warning in compiled.iter().flat_map(|compiled| &compiled.warnings) {
        let about = drafts.iter_mut().find(|draft| warning.primary_files.contains(&draft.file));
        if let Some(draft) = about {
            changed |= draft.learn_from_lint(warning, bench);
        }
    }
    changed
}

impl Draft<'_> {
    /// Changes the wording after an error of the compiler; `false` where no other wording is known.
    fn learn_from_error(&mut self, error: &Diagnostic, bench: &Bench<'_>) -> bool {
        // E0282, E0283, E0284, E0790: a type cannot be inferred. E0308, E0277: a bare literal took another type
        // than the value had.
        let inference = ["E0282", "E0283", "E0284", "E0790", "E0689", "E0308", "E0277"];
        // Another method of that name is nearer, or the trait is not in scope after all.
        let other_method = ["E0034", "E0599", "E0061", "E0624"];
        let code = error.code.as_deref().unwrap_or_default();
        // E0277, E0599: a bound that the function's head does not show, such as `Seek`.
        if ["E0277", "E0599"].contains(&code)
            && !self.style.seekable
            && self.stand_ins(Extent::default(), bench).has_bytes()
        {
            self.style.seekable = true;
            return self.rewrite(bench);
        }
        // E0277: two traits have the name `Write`.
        if code == "E0277"
            && !self.style.formats
            && self.has_sink(bench)
            && error.message.contains("fmt::Write")
        {
            self.style.formats = true;
            return self.rewrite(bench);
        }
        if other_method.contains(&code) && self.names_in_full(bench) {
            return true;
        }
        // E0599: a method of a number whose type nothing says.
        let is_bare = || ["{integer}", "{float}"].iter().any(|bare| error.message.contains(bare));
        if (inference.contains(&code) || code == "E0599" && is_bare()) && !self.style.explicit {
            return self.say_more(error, bench);
        }
        if self.learn_from_lint(error, bench) {
            return true;
        }
        if !self.style.long_paths && self.regression.uses.iter().any(|line| *line == self.line_of(error)) {
            self.style.long_paths = true;
            return self.rewrite(bench);
        }
        // A type that cannot be written in full, such as a private one.
        if self.style.annotated != 0 && !self.style.explicit {
            self.style.explicit = true;
            return self.rewrite(bench);
        }
        false
    }

    /// Whether a sink may stand in for what is written to.
    fn has_sink(&self, bench: &Bench<'_>) -> bool {
        let widest = Extent { all_sinks: true, ..Extent::default() };
        self.stand_ins(widest, bench).has_sink()
    }

    fn stand_ins(&self, extent: Extent, bench: &Bench<'_>) -> StandIns {
        let names = NamesAt::new(bench.index, self.callable.home);
        self.callable.stand_ins(extent, &bench.snapshot.types, &names)
    }

    /// Says more of the types: of the argument that the error is about, then in the call's path, then everywhere.
    fn say_more(&mut self, error: &Diagnostic, bench: &Bench<'_>) -> bool {
        let margin = if self.regression.in_child() { 8 } else { 4 };
        if let Some(argument) = argument_of(error, &self.text, margin, &self.variables)
            && self.style.annotate(argument)
        {
            return self.rewrite(bench);
        }
        if self.names_in_full(bench) {
            return true;
        }
        self.style.explicit = true;
        self.rewrite(bench)
    }

    /// Calls the function by its whole path; `false` where that changes nothing.
    fn names_in_full(&mut self, bench: &Bench<'_>) -> bool {
        if self.style.full_path {
            return false;
        }
        self.style.full_path = true;
        let before = self.regression.body.clone();
        self.rewrite(bench) && self.regression.body != before
    }

    /// The line that a diagnostic is about.
    fn line_of(&self, about: &Diagnostic) -> &str {
        self.text.lines().nth((about.line as usize).saturating_sub(1)).map_or("", str::trim)
    }

    /// Changes the wording after a lint, be it a warning or denied by the crate.
    fn learn_from_lint(&mut self, lint: &Diagnostic, bench: &Bench<'_>) -> bool {
        match lint.code.as_deref() {
            Some("unused_must_use") if !self.style.drop_result => {
                self.style.drop_result = true;
                self.rewrite(bench)
            }
            Some("dead_code") if self.regression.copied.is_some() && !self.style.allows_unused => {
                self.style.allows_unused = true;
                self.rewrite(bench)
            }
            Some("unused_imports") => {
                let line = self.line_of(lint).to_owned();
                if !line.starts_with("use ") || self.left_out.contains(&line) {
                    return false;
                }
                self.left_out.push(line);
                self.rewrite(bench)
            }
            _ => false,
        }
    }
}

/// The argument that an error is about: the one in whose statements it is, or that its words name. `margin`: how far the
/// test's own statements are indented in `text`; `variables`: that of each argument.
fn argument_of(error: &Diagnostic, text: &str, margin: usize, variables: &[Option<String>]) -> Option<usize> {
    let of_name = |name: &str| variables.iter().position(|own| own.as_deref() == Some(name));
    let words = error.words.trim_start_matches('&');
    if let Some(argument) = of_name(words.strip_prefix("mut ").unwrap_or(words)) {
        return Some(argument);
    }
    let lines: Vec<&str> = text.lines().collect();
    let begins = |line: &&&str| line.len() - line.trim_start().len() == margin && line.len() > margin;
    let (before, from) = lines.split_at_checked(error.line as usize)?;
    let own = before.iter().rev().find(begins)?;
    let variable = |line: &&str| {
        let rest = line.trim_start().strip_prefix("let ")?;
        let rest = rest.strip_prefix("mut ").unwrap_or(rest);
        let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_' && c != '#').unwrap_or(rest.len());
        of_name(&rest[..end])
    };
    if !own.trim_start().starts_with("let ") {
        return None;
    }
    // What stands before an argument's own statement is a part of it.
    variable(own).or_else(|| from.iter().filter(begins).find_map(variable))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEST: &str = "\
#[test]
fn nth_index_out_of_bounds() {
    let items = [
        1,
        2,
    ];
    let list = &items;
    let mut n = 3;
    nth(list, &mut n);
}
";

    fn about(line: u32, words: &str) -> Option<usize> {
        let error = Diagnostic { line, words: words.to_owned(), ..Diagnostic::bare(String::new()) };
        argument_of(&error, TEST, 4, &[Some("list".to_owned()), None, Some("n".to_owned())])
    }

    #[test]
    fn an_error_is_about_the_argument_that_it_names() {
        assert_eq!(about(9, "&mut n"), Some(2));
        assert_eq!(about(9, "list"), Some(0));
    }

    #[test]
    fn an_error_within_a_statement_is_about_the_argument_that_it_is_for() {
        assert_eq!(about(8, "3"), Some(2));
        // A statement before the argument's own one is a part of it, however many lines it has.
        assert_eq!(about(4, "1"), Some(0));
        assert_eq!(about(9, "nth"), None);
        assert_eq!(about(99, ""), None);
    }
}
