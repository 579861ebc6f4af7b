//! Any text: what is taken out of it as secret, what remains for a terminal and for a fingerprint.

use relapse_snapshot::display::{shell_words, short_function, short_type, terminal_safe};
use relapse_snapshot::{Rules, normalise_message};

/// How long a text is made: where the input says so, so long that time by the square of it shows as a timeout.
const LONG: usize = 4 << 10;
const LONGEST: usize = 256 << 10;
const LONGEST_MARK: &[u8] = b"*";

/// Redacts a text, and the same text many times in a row.
pub fn body(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let rules = Rules::default().with_name("pin").with_name("session_key").with_pattern("corp_*");
    let once = rules.redact_text(&text);
    assert_eq!(rules.redact_text(&once), once, "a second time changes something");
    let safe = terminal_safe(&text);
    assert!(safe.chars().all(|c| c == '\n' || !c.is_control()));
    assert!(!short_type(&text).contains('\u{1b}') && !short_function(&text).contains('\u{1b}'));
    let _ = shell_words(&[text.to_string()]);
    let _ = normalise_message(&text);
    if !text.is_empty() {
        let len = if data.starts_with(LONGEST_MARK) { LONGEST } else { LONG };
        let long = text.repeat(len / text.len() + 1);
        let _ = (rules.redact_text(&long), terminal_safe(&long), short_type(&long), normalise_message(&long));
    }
}
