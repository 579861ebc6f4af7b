//! The text of a `relapse.toml`: settings, or what is wrong and where.

#[path = "../../cli/src/settings/document.rs"]
mod document;

use document::{Document, position};

/// Parses a text; what is wrong has a place in the text.
pub fn body(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    match Document::parse(text) {
        Ok(document) => {
            assert!((1..=1_000_000).contains(&document.limits.depth));
            let _ = document.rules.redact_text("password = hunter2, corp_1234 Bearer abcdefgh");
        }
        Err(wrong) => {
            assert!(!wrong.reason.is_empty());
            if let Some(at) = wrong.at {
                let (line, column) = position(text, at.start);
                assert!(line <= text.matches('\n').count() + 1 && column <= text.len() + 1);
            }
        }
    }
}
