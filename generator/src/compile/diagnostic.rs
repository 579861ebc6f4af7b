//! What the compiler says, and about which file of the workspace.

use std::path::{Path, PathBuf};

use cargo_metadata::diagnostic::{Diagnostic as Message, DiagnosticLevel, DiagnosticSpan};

use super::BuildPlace;
use crate::scratch::relative_within;

/// "mismatched types".
const MISMATCHED: &str = "E0308";
/// A macro that expands in a macro that … : more steps than this tell nothing new.
const MAX_EXPANSIONS: usize = 64;

/// An error or a warning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// The file, relative to the workspace root; `None` where it lies elsewhere or no file is meant.
    pub file: Option<PathBuf>,
    /// The line of its primary span, from 1; 0 where it has none.
    pub line: u32,
    /// The source text under its primary span, where that is on one line.
    pub words: String,
    /// `E0308`, or a lint's name.
    pub code: Option<String>,
    /// The first line of the message.
    pub message: String,
    /// What stands under its primary span: what was expected, and what was found.
    pub label: String,
    /// All of it as the compiler prints it, without colour.
    pub rendered: String,
    /// The files of its primary spans and of the macro calls that they come from, relative to the root.
    pub primary_files: Vec<PathBuf>,
    /// The files of all other spans.
    pub other_files: Vec<PathBuf>,
}

/// How much a diagnostic matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Weight {
    Error,
    Warning,
}

impl Diagnostic {
    /// Reads a message of rustc; `None` for notes.
    pub(super) fn read(message: &Message, place: &BuildPlace) -> Option<(Weight, Self)> {
        let weight = match message.level {
            DiagnosticLevel::Error | DiagnosticLevel::Ice => Weight::Error,
            DiagnosticLevel::Warning => Weight::Warning,
            _ => return None,
        };
        let primary = message.spans.iter().find(|span| span.is_primary);
        let files = |is_primary: bool| {
            let spans = message.spans.iter().filter(move |span| span.is_primary == is_primary);
            spans.flat_map(|span| files_of(span, place)).collect::<Vec<_>>()
        };
        let mut other_files = files(false);
        let children = message.children.iter().flat_map(|child| &child.spans);
        other_files.extend(children.flat_map(|span| files_of(span, place)));
        let diagnostic = Self {
            file: primary.and_then(|span| file_of(span, place)),
            line: primary.map_or(0, |span| u32::try_from(span.line_start).unwrap_or(0)),
            words: primary.map(words_of).unwrap_or_default(),
            code: message.code.as_ref().map(|code| code.code.clone()),
            message: message.message.lines().next().unwrap_or_default().to_owned(),
            label: primary.and_then(|span| first_line(span.label.as_deref()?)).unwrap_or_default().to_owned(),
            rendered: message.rendered.clone().unwrap_or_else(|| message.message.clone()),
            primary_files: files(true),
            other_files,
        };
        Some((weight, diagnostic))
    }

    /// What it says in one line. "mismatched types" alone does not tell which.
    pub fn summary(&self) -> String {
        let says_all = self.label.is_empty() || self.code.as_deref() != Some(MISMATCHED);
        if says_all { self.message.clone() } else { format!("{}: {}", self.message, self.label) }
    }

    /// A diagnostic about nothing in particular.
    pub(crate) fn bare(message: String) -> Self {
        Self {
            file: None,
            line: 0,
            words: String::new(),
            code: None,
            rendered: message.clone(),
            message,
            label: String::new(),
            primary_files: Vec::new(),
            other_files: Vec::new(),
        }
    }

    /// Whether it is about some place; rustc's closing "aborting due to …" is not.
    pub(super) fn has_place(&self, message: &Message) -> bool {
        self.line > 0 || !message.spans.is_empty()
    }
}

fn first_line(text: &str) -> Option<&str> {
    text.lines().next()
}

/// The part of a line that a span marks; columns count characters, from 1.
fn words_of(span: &DiagnosticSpan) -> String {
    let [line] = span.text.as_slice() else { return String::new() };
    let width = line.highlight_end.saturating_sub(line.highlight_start);
    line.text.chars().skip(line.highlight_start.saturating_sub(1)).take(width).collect()
}

fn file_of(span: &DiagnosticSpan, place: &BuildPlace) -> Option<PathBuf> {
    relative_within(&place.tree, &place.root, &place.root.join(Path::new(&span.file_name)))
}

/// The file of a span, then those of the macro calls around it.
fn files_of(span: &DiagnosticSpan, place: &BuildPlace) -> Vec<PathBuf> {
    let outwards = std::iter::successors(Some(span), |span| span.expansion.as_ref().map(|e| &e.span));
    outwards.take(MAX_EXPANSIONS).filter_map(|span| file_of(span, place)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mismatched_types_are_told() {
        let label = "expected `u8`, found `u16`".to_owned();
        let code = |code: &str| Some(code.to_owned());
        let of = |text: &str| Diagnostic { label: label.clone(), ..Diagnostic::bare(text.to_owned()) };
        let mismatched = Diagnostic { code: code("E0308"), ..of("mismatched types") };
        assert_eq!(mismatched.summary(), "mismatched types: expected `u8`, found `u16`");
        let other = Diagnostic { code: code("E0425"), ..of("cannot find value `x` in this scope") };
        assert_eq!(other.summary(), "cannot find value `x` in this scope");
    }
}
