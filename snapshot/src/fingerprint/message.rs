//! Panic messages without the data of one run. In: a message of a crashed process (hostile, any length).
//! Out: the same message with `#` for numbers, `` `_` ``, `"_"`, `'_'` for quoted data, `<path>`, `<url>`.

/// How much of a message is looked at, in bytes.
const INPUT_MAX: usize = 16 << 10;
/// How much is kept, in bytes and lines.
const OUTPUT_MAX: usize = 2 << 10;
const LINES_MAX: usize = 16;

/// Words in backticks that std's own messages have: code, not data.
const CODE: [&str; 12] = [
    "left == right",
    "left != right",
    "left matches right",
    "Option::unwrap()",
    "Option::expect()",
    "Result::unwrap()",
    "Result::expect()",
    "Result::unwrap_err()",
    "None",
    "Some",
    "Ok",
    "Err",
];

/// A message up to what one run puts into it, so that two runs of the same bug compare equal.
///
/// Replaced are numbers of all forms (negative, hexadecimal, floats with exponent or unit, UUIDs, hex words),
/// data in backticks, double and single quotes (code words of std's own messages stay), paths, URLs, the
/// operands of a failed `assert_eq!`, and what the `str` slicing errors quote. Lists of the same thing become
/// one. Lines are kept, up to 16 of them and 2 KiB.
pub fn normalise_message(message: &str) -> String {
    let mut end = message.len().min(INPUT_MAX);
    while !message.is_char_boundary(end) {
        end -= 1;
    }
    let text = without_quoted_slice(without_operands(&message[..end]));
    let mut scan = Scan { text: &text, at: 0, out: String::new(), cut: end < message.len() };
    while scan.at < scan.text.len() && scan.out.len() < OUTPUT_MAX {
        scan.step();
    }
    let lines: Vec<&str> = scan.out.lines().map(str::trim_end).take(LINES_MAX).collect();
    let mut out = lines.join("\n");
    let mut end = out.len().min(OUTPUT_MAX);
    while !out.is_char_boundary(end) {
        end -= 1;
    }
    out.truncate(end);
    out
}

/// `assertion … failed` is followed by two lines with the operands' `Debug`, which may have any form. In the header of
/// a test all is one line.
fn without_operands(message: &str) -> std::borrow::Cow<'_, str> {
    match message.find("\n  left: ").or_else(|| message.find(" left: ")) {
        Some(at) if message.starts_with("assertion `left ") => {
            format!("{}\n  left: _\n right: _", &message[..at]).into()
        }
        _ => message.into(),
    }
}

/// `core::str::slice_error_fail` prints the whole string between backticks, unescaped: backticks and line ends
/// in it are data, so everything from there on is.
fn without_quoted_slice(message: std::borrow::Cow<'_, str>) -> std::borrow::Cow<'_, str> {
    let is_slice_error = ["byte index ", "start byte index ", "end byte index ", "begin <= end ("]
        .iter()
        .any(|start| message.starts_with(start));
    match message.find(" of `") {
        Some(at) if is_slice_error => format!("{} of `_`", &message[..at]).into(),
        _ => message,
    }
}

struct Scan<'a> {
    text: &'a str,
    at: usize,
    out: String,
    /// Whether the text was cut at the input's limit.
    cut: bool,
}

impl Scan<'_> {
    /// Takes one character, word, number or quotation.
    fn step(&mut self) {
        let rest = &self.text[self.at..];
        let Some(c) = rest.chars().next() else { return };
        let before = self.text[..self.at].chars().next_back();
        let at_word = before.is_none_or(|c| !is_word(c));
        match c {
            '`' | '"' | '\'' if c != '\'' || at_word => {
                if let Some(len) = self.quoted(rest, c) {
                    // Not at a character's border where the input was cut.
                    let content = rest.get(1..len - 1).unwrap_or_default();
                    let shown = if c == '`' && CODE.contains(&content) { content } else { "_" };
                    return self.put(len, &format!("{c}{shown}{c}"));
                }
            }
            '/' | '.' | '~' if at_word => {
                if let Some(len) = absolute_path(rest) {
                    return self.put(len, "<path>");
                }
            }
            '-' if at_word && starts_number(&rest[1..]) => {
                let len = number(&rest[1..]) + 1;
                return self.put(len, "#");
            }
            '0'..='9' if at_word => {
                let len = uuid(rest).unwrap_or_else(|| number(rest));
                return self.put(len, "#");
            }
            c if is_word(c) && at_word => return self.word(rest),
            _ => {}
        }
        self.out.push(c);
        self.at += c.len_utf8();
    }

    /// Replaces `len` bytes; the second and later of a list (`#, #`) are dropped.
    fn put(&mut self, len: usize, what: &str) {
        self.at += len;
        if let Some(list) = self.out.strip_suffix(", ")
            && list.ends_with(what)
            && (what == "#" || what.contains('_'))
        {
            self.out.truncate(list.len());
            return;
        }
        self.out.push_str(what);
    }

    /// The length of a quotation, its quotes included; `None` where it is not one.
    fn quoted(&self, rest: &str, quote: char) -> Option<usize> {
        let mut escaped = false;
        for (at, c) in rest.char_indices().skip(1) {
            if escaped {
                escaped = false;
            } else if c == '\\' && quote != '`' {
                escaped = true;
            } else if c == quote {
                // `don't … can't` is no quotation: a closing apostrophe ends a word.
                let next = rest[at + 1..].chars().next();
                if quote != '\'' || next.is_none_or(|c| !is_word(c)) {
                    return Some(at + 1);
                }
            } else if c == '\n' && quote == '\'' {
                return None;
            }
        }
        // Cut within a quotation: all of the rest belonged to it.
        (self.cut && quote != '\'').then_some(rest.len())
    }

    /// A word: kept, but for paths, URLs, UUIDs and the numbers in it.
    fn word(&mut self, rest: &str) {
        if let Some(len) = url(rest) {
            return self.put(len, "<url>");
        }
        if let Some(len) = relative_path(rest) {
            return self.put(len, "<path>");
        }
        if let Some(len) = uuid(rest) {
            return self.put(len, "#");
        }
        let len = rest.find(|c: char| !is_word(c)).unwrap_or(rest.len());
        let word = &rest[..len];
        let has_digit = word.bytes().any(|b| b.is_ascii_digit());
        if matches!(word, "NaN" | "inf") {
            if word == "inf" && self.out.ends_with('-') {
                self.out.pop();
            }
            self.put(len, "#");
        } else if !has_digit || is_type_word(word) {
            self.at += len;
            self.out.push_str(word);
        } else if len >= 4 && word.bytes().all(|b| b.is_ascii_hexdigit()) {
            self.put(len, "#");
        } else {
            self.at += len;
            let mut in_digits = false;
            for c in word.chars() {
                let digit = c.is_ascii_digit();
                if !digit {
                    self.out.push(c);
                } else if !in_digits {
                    self.out.push('#');
                }
                in_digits = digit;
            }
        }
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// `u8`, `f64`, `utf16`: names of types and encodings, whose number is not data.
fn is_type_word(word: &str) -> bool {
    let digits = word.trim_start_matches(|c: char| c.is_ascii_alphabetic());
    let letters = &word[..word.len() - digits.len()];
    matches!(letters.to_ascii_lowercase().as_str(), "u" | "i" | "f" | "utf" | "x" | "base" | "sha" | "md")
        && matches!(
            digits,
            "1" | "5" | "8" | "16" | "32" | "58" | "64" | "86" | "128" | "256" | "512" | "86_64"
        )
}

fn starts_number(rest: &str) -> bool {
    rest.starts_with(|c: char| c.is_ascii_digit())
}

/// The length of a number that begins here: digits, point, exponent, prefix, unit (`0x7f`, `1_000`, `-1.5e-7`,
/// `3.2ms`, `5u8`).
fn number(rest: &str) -> usize {
    let word = |from: usize| rest[from..].find(|c: char| !is_word(c)).map_or(rest.len(), |len| from + len);
    let mut end = word(0);
    if rest[end..].starts_with('.') && starts_number(&rest[end + 1..]) {
        end = word(end + 1);
    }
    let exponent = rest[..end].ends_with(['e', 'E']) && !rest.starts_with("0x");
    if exponent && rest[end..].starts_with(['-', '+']) && starts_number(&rest[end + 1..]) {
        end = word(end + 1);
    }
    end
}

/// `550e8400-e29b-41d4-a716-446655440000`.
fn uuid(rest: &str) -> Option<usize> {
    let bytes = rest.as_bytes().get(..36)?;
    let fits = bytes.iter().enumerate().all(|(at, b)| match at {
        8 | 13 | 18 | 23 => *b == b'-',
        _ => b.is_ascii_hexdigit(),
    });
    (fits && !rest[36..].starts_with(is_word)).then_some(36)
}

fn path_len(rest: &str) -> usize {
    rest.find(|c: char| c.is_whitespace() || "\"'`<>|,;:()[]{}".contains(c)).unwrap_or(rest.len())
}

/// `/a/b`, `./a`, `../a`, `~/a`; not `/` alone.
fn absolute_path(rest: &str) -> Option<usize> {
    let after = rest.trim_start_matches('.');
    let after = if after.len() == rest.len() { rest.strip_prefix('~').unwrap_or(rest) } else { after };
    if rest.len() - after.len() > 2 || !after.strip_prefix('/')?.starts_with(|c: char| is_word(c) || c == '.')
    {
        return None;
    }
    Some(path_len(rest))
}

/// `C:\a` and `src/a.rs`; words with a slash (`input/output`) are none.
fn relative_path(rest: &str) -> Option<usize> {
    let bytes = rest.as_bytes();
    if bytes.len() > 3 && bytes[0].is_ascii_alphabetic() && bytes[1] == b':' && bytes[2] == b'\\' {
        return Some(2 + path_len(&rest[2..]));
    }
    let len = path_len(rest);
    let path = rest[..len].trim_end_matches('.');
    let (folder, file) = path.rsplit_once('/')?;
    let (stem, ending) = file.rsplit_once('.')?;
    let is_ending = (1..=5).contains(&ending.len()) && ending.bytes().all(|b| b.is_ascii_alphanumeric());
    (!folder.is_empty() && !stem.is_empty() && is_ending).then_some(path.len())
}

fn url(rest: &str) -> Option<usize> {
    let scheme = rest.as_bytes().windows(3).take(12).position(|three| three == b"://")?;
    if !rest[..scheme].bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b)) {
        return None;
    }
    let end = rest.find(|c: char| c.is_whitespace() || "\"'`<>".contains(c)).unwrap_or(rest.len());
    let url = rest[..end].trim_end_matches([')', ']', '}', ',', '.', ';', ':']);
    (url.len() > scheme + 3).then_some(url.len())
}

#[cfg(test)]
mod tests {
    use super::normalise_message;

    #[test]
    fn data_of_a_run_is_replaced() {
        for (message, expected) in [
            (
                "index out of bounds: the len is 3 but the index is 17",
                "index out of bounds: the len is # but the index is #",
            ),
            ("attempt to subtract with overflow", "attempt to subtract with overflow"),
            ("value -5 is not in 0..=4", "value # is not in #..=#"),
            ("got 1.5e-7, 0xdead_beef, 1_000, 3.2ms, -inf and NaN", "got # and #"),
            ("range 96..99, 5u8", "range #..#"),
            ("called `Option::unwrap()` on a `None` value", "called `Option::unwrap()` on a `None` value"),
            (
                "called `Result::unwrap()` on an `Err` value: Os { code: 2, kind: NotFound, message: \"No such file\" }",
                "called `Result::unwrap()` on an `Err` value: Os { code: #, kind: NotFound, message: \"_\" }",
            ),
            (
                "start byte index 97 is not a char boundary; it is inside '–' (bytes 96..99) of `a`b\n1`",
                "start byte index # is not a char boundary; it is inside '_' (bytes #..#) of `_`",
            ),
            ("byte index 300 is out of bounds of `aaa`[...]", "byte index # is out of bounds of `_`"),
            (
                "assertion `left == right` failed: sizes\n  left: Foo { a: None }\n right: Foo { a: Some(\"x\") }",
                "assertion `left == right` failed: sizes\n  left: _\n right: _",
            ),
            (
                "assertion `left == right` failed: sizes left: Foo { a: None } right: Foo { a: Some(1",
                "assertion `left == right` failed: sizes\n  left: _\n right: _",
            ),
            ("unknown key \"a \\\" b\" in 'c'", "unknown key \"_\" in '_'"),
            ("can't open, don't know", "can't open, don't know"),
            ("it's at /home/me/x.toml:12:5, see ./a/b", "it's at <path>:#:#, see <path>"),
            ("in src/a.rs and input/output", "in <path> and input/output"),
            ("C:\\Users\\me\\x failed", "C:\\Users\\me\\x failed"),
            ("GET https://a.b/c?d=1 failed", "GET <url> failed"),
            ("task 550e8400-e29b-41d4-a716-446655440000 lost", "task # lost"),
            ("object c0ffee12 at 0x7ffd0001", "object # at #"),
            ("node12 as u8, utf8, x86_64", "node# as u8, utf8, x86_64"),
            ("list [1, 2, 3], [\"a\", \"b\"]", "list [#], [\"_\"]"),
            ("", ""),
            ("`", "`"),
            ("\"", "\""),
            ("-", "-"),
            ("a\n\nb 1\n", "a\n\nb #"),
            ("é7é 'é'", "é#é '_'"),
        ] {
            let got = normalise_message(message);
            if message.starts_with("C:") {
                assert_eq!(got, "<path> failed");
            } else {
                assert_eq!(got, expected, "{message}");
            }
        }
    }

    #[test]
    fn different_bugs_stay_different() {
        let same = |a, b| normalise_message(a) == normalise_message(b);
        assert!(!same(
            "called `Option::unwrap()` on a `None` value",
            "called `Result::unwrap()` on an `Err` value: 1"
        ));
        assert!(!same("attempt to add with overflow", "attempt to subtract with overflow"));
        assert!(!same("assertion `left == right` failed", "assertion `left != right` failed"));
        assert!(!same("invalid u8", "invalid u16"));
        assert!(same(
            "end byte index 5 is out of bounds of `ab`",
            "end byte index 99 is out of bounds of `ü\n`x`"
        ));
    }

    #[test]
    fn a_huge_message_is_bounded() {
        assert!(normalise_message(&"a b ".repeat(1 << 20)).len() <= 2 << 10);
        assert!(normalise_message(&"x\n".repeat(1 << 20)).lines().count() <= 16);
        let long = format!("bad text `{}` at 3", "é".repeat(1 << 20));
        assert_eq!(normalise_message(&long), "bad text `_`");
        assert!(normalise_message(&"é".repeat(1 << 20)).len() <= 2 << 10);
        // The limits fall within a character.
        assert!(normalise_message(&format!("x{}", "é".repeat(1 << 20))).len() <= 2 << 10);
    }
}
