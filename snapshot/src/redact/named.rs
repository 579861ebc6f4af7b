//! Secrets that a text gives a name: as `Debug`, JSON, YAML, XML, query strings, headers of HTTP, variables of a shell and
//! `.netrc` write them. In: bytes of any kind, and which names are secret. Out: ranges to be masked. One pass; what is
//! looked at ahead of it is passed over then, or short.

use std::ops::Range;

/// The longest name.
const NAME_MAX: usize = 64;
/// The longest tag of an element after its name.
const TAG_MAX: usize = 256;
/// As much of an entry of `.netrc` is looked at before its password.
const ENTRY_MAX: usize = 256;
/// What stands around a value is looked through so deep: `Some(Secret(["…"]))`.
const OPENERS_MAX: usize = 8;
/// Bare words that are no secret under any name.
const NO_SECRETS: [&[u8]; 4] = [b"null", b"none", b"true", b"false"];

/// The values that stand under secret names in a text.
pub(super) fn named(text: &[u8], is_secret: impl Fn(&str) -> bool) -> Vec<Range<usize>> {
    let (mut ranges, mut at) = (Vec::new(), 0);
    while at < text.len() {
        let name = at..end_of(text, at, |b| !is_name(b));
        if name.is_empty() {
            at += 1;
            continue;
        }
        at = name.end;
        // `Password("…")` is a name, too.
        let is_newtype = text[name.start].is_ascii_uppercase() && text.get(at) == Some(&b'(');
        let sign = sign_after(text, at);
        let bare = element(text, &name).or_else(|| of_netrc(text, &name));
        if (is_newtype || sign.is_some() || bare.is_some())
            && name.len() <= NAME_MAX
            && std::str::from_utf8(&text[name.clone()]).is_ok_and(&is_secret)
        {
            let end = match (bare, sign) {
                (Some(value), _) => {
                    ranges.push(value.clone());
                    Some(value.end)
                }
                (None, Some(sign)) => values(text, name, sign, &mut ranges),
                (None, None) => literals(text, at, true, &mut ranges),
            };
            at = end.unwrap_or(at);
        }
    }
    ranges.retain(|range| !range.is_empty());
    ranges
}

fn is_name(b: u8) -> bool {
    b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-')
}

fn is_quote(b: u8) -> bool {
    matches!(b, b'"' | b'\'')
}

/// Where the first byte stands from `at` on that fits, or the text's end.
fn end_of(text: &[u8], at: usize, fits: impl Fn(u8) -> bool) -> usize {
    text[at..].iter().position(|b| fits(*b)).map_or(text.len(), |len| at + len)
}

fn past_blanks(text: &[u8], at: usize) -> usize {
    end_of(text, at, |b| b != b' ')
}

fn past_white(text: &[u8], at: usize) -> usize {
    end_of(text, at, |b| !b.is_ascii_whitespace())
}

/// The text of an element of XML: `<password>hunter2</password>`, with attributes, and a prefix before its name. One that
/// is not closed is none: `Vec<Password>` is code.
fn element(text: &[u8], name: &Range<usize>) -> Option<Range<usize>> {
    let before = &text[name.start.saturating_sub(NAME_MAX)..name.start];
    let prefix = before.strip_suffix(b":");
    let prefix =
        prefix.map(|before| &before[..before.iter().rposition(|b| !is_name(*b)).map_or(0, |i| i + 1)]);
    prefix.unwrap_or(before).strip_suffix(b"<")?;
    let tag = &text[name.end..text.len().min(name.end + TAG_MAX)];
    let has_attributes = tag.first().is_some_and(u8::is_ascii_whitespace);
    let open = tag.iter().position(|b| matches!(b, b'<' | b'>')).filter(|end| tag[*end] == b'>')?;
    if open > 0 && !has_attributes || tag[..open].ends_with(b"/") {
        return None;
    }
    let from = name.end + open + 1;
    let end = end_of(text, from, |b| b == b'<');
    text[end..].starts_with(b"</").then_some(from..end)
}

/// The word after `password` in an entry of `.netrc`: `machine example.com login me password hunter2`.
fn of_netrc(text: &[u8], name: &Range<usize>) -> Option<Range<usize>> {
    if &text[name.clone()] != b"password" || !text.get(name.end).is_some_and(u8::is_ascii_whitespace) {
        return None;
    }
    let before = &text[name.start.saturating_sub(ENTRY_MAX)..name.start];
    before.last().filter(|last| last.is_ascii_whitespace())?;
    let mut words = before.split(u8::is_ascii_whitespace).rev().filter(|word| !word.is_empty());
    loop {
        match (words.next()?, words.next()) {
            (b"default", _) | (_, Some(b"machine")) => break,
            (_, Some(b"login" | b"account")) => {}
            _ => return None,
        }
    }
    let from = past_white(text, name.end);
    Some(from..end_of(text, from, |b| b.is_ascii_whitespace()))
}

/// Where the `:` or `=` stands that a name has after it, and after its quote: `"password":`, `\"password\":`.
fn sign_after(text: &[u8], name_end: usize) -> Option<usize> {
    let quote = end_of(text, name_end, |b| b != b'\\');
    let is_closed = text.get(quote).is_some_and(|b| is_quote(*b));
    let sign = past_blanks(text, if is_closed { quote + 1 } else { name_end });
    let is_sign = matches!(text.get(sign)?, b':' | b'=');
    (is_sign && !matches!(text.get(sign + 1), Some(b'=' | b':' | b'>'))).then_some(sign)
}

/// Adds what stands behind a name's sign; returns where the last of it ends. `None`: it is no value.
fn values(text: &[u8], name: Range<usize>, sign: usize, ranges: &mut Vec<Range<usize>>) -> Option<usize> {
    let from = past_blanks(text, sign + 1);
    if text[sign] == b'=' {
        return literals(text, from, false, ranges).or_else(|| {
            let word = assigned(text, sign, from)?;
            ranges.push(word.clone());
            Some(word.end)
        });
    }
    literals(text, from, false, ranges)
        .or_else(|| of_line(text, name, sign, ranges))
        .or_else(|| literals(text, from, true, ranges))
}

/// `"…"`, `b"…"`, `Some("…")`, `["…", "…"]`, `\"…\"`, where `numbers` says so also `1234` and `Pin(1234)`.
fn literals(text: &[u8], from: usize, numbers: bool, ranges: &mut Vec<Range<usize>>) -> Option<usize> {
    let (mut at, mut depth, mut end) = (from, 0usize, None);
    loop {
        for _ in 0..OPENERS_MAX {
            let Some((inner, is_bracket)) = opened(text, at) else { break };
            depth += usize::from(is_bracket);
            at = inner;
        }
        let (value, next) = match quoted(text, at) {
            Some(found) => found,
            None if numbers && text.get(at).is_some_and(u8::is_ascii_digit) => {
                let value = at..word_end(text, at);
                (value.clone(), value.end)
            }
            None => return end,
        };
        end = Some(value.end);
        ranges.push(value);
        at = past_white(text, next);
        while depth > 0 && matches!(text.get(at), Some(b')' | b']')) {
            depth -= 1;
            at = past_white(text, at + 1);
        }
        if depth == 0 {
            return end;
        }
        at = past_white(text, at + usize::from(text.get(at) == Some(&b',')));
    }
}

/// What stands before a value: `&`, `b` before its quote, `[`, `(`, `Some(`. Where it ends, and whether it is closed
/// after the value. A name that begins small before a bracket calls a function, which `Debug` does not print.
fn opened(text: &[u8], at: usize) -> Option<(usize, bool)> {
    match *text.get(at)? {
        // `&'a str` is a type.
        b'&' if text.get(at + 1) != Some(&b'\'') => Some((at + 1, false)),
        b'b' if quoted_at(text, at + 1).is_some() => Some((at + 1, false)),
        b'[' | b'(' => Some((past_white(text, at + 1), true)),
        b'A'..=b'Z' => {
            let near = &text[..text.len().min(at + NAME_MAX)];
            let end = end_of(near, at, |b| !b.is_ascii_alphanumeric() && !matches!(b, b'_' | b':'));
            (text.get(end) == Some(&b'(')).then(|| (past_white(text, end + 1), true))
        }
        _ => None,
    }
}

/// The quote that begins at `at`, with as many backslashes before it as it is escaped.
fn quoted_at(text: &[u8], at: usize) -> Option<usize> {
    let quote = end_of(text, at, |b| b != b'\\');
    text.get(quote).is_some_and(|b| is_quote(*b)).then_some(quote)
}

/// What a quote encloses, and where its end mark ends. A text that was escaped once as a whole has `\"` for its
/// quotes and `\\\"` for one within them: of so many backslashes, what is left after those of whole escapes counts.
fn quoted(text: &[u8], at: usize) -> Option<(Range<usize>, usize)> {
    let quote = quoted_at(text, at)?;
    let (level, from) = (quote - at, quote + 1);
    let mut slashes = 0;
    for (i, b) in text.iter().enumerate().skip(from) {
        if *b == text[quote] && (slashes < level || slashes % (2 * (level + 1)) == level) {
            return Some((from..i - slashes.min(level), i + 1));
        }
        slashes = if *b == b'\\' { slashes + 1 } else { 0 };
    }
    Some((from..text.len(), text.len()))
}

fn word_end(text: &[u8], at: usize) -> usize {
    end_of(text, at, |b| b.is_ascii_whitespace() || b",;&)}]".contains(&b))
}

/// The word after a `=`. `password = read_password()` is code.
fn assigned(text: &[u8], sign: usize, from: usize) -> Option<Range<usize>> {
    let end = word_end(text, from);
    let called = end_of(&text[..end], from, |b| !is_name(b) && !matches!(b, b'.' | b':'));
    if from > sign + 1
        && text[from..called].first().is_some_and(u8::is_ascii_lowercase)
        && text.get(called) == Some(&b'(')
    {
        return None;
    }
    // `"password=x"`: the quote was there before the name.
    let len = text[from..end].iter().rposition(|b| !is_quote(*b) && *b != b'\\').map_or(0, |i| i + 1);
    (len > 0).then_some(from..from + len)
}

/// `password: hunter2`, `X-Api-Key: abc`, `Cookie: a=b; c=d`, `Authorization: Basic abc`: the name is the first of its
/// line, or of what a quote begins, and the value the last. `password: too short` is prose.
fn of_line(text: &[u8], name: Range<usize>, sign: usize, ranges: &mut Vec<Range<usize>>) -> Option<usize> {
    let in_quotes = name.start.checked_sub(1).is_some_and(|at| is_quote(text[at]));
    if text[name.end..sign].iter().any(|b| *b != b' ') || !in_quotes && !is_first(&text[..name.start]) {
        return None;
    }
    let from = past_blanks(text, sign + 1);
    let ends = |b: u8| matches!(b, b'\r' | b'\n') || in_quotes && (is_quote(b) || b == b'\\');
    let line = text[from..end_of(text, from, ends)].trim_ascii_end();
    let name = &text[name];
    let is = |names: [&[u8]; 2]| names.iter().any(|other| name.eq_ignore_ascii_case(other));
    let before = ranges.len();
    if is([b"authorization", b"proxy-authorization"]) {
        let scheme = line.iter().position(|b| *b == b' ').map_or(0, |len| past_blanks(line, len));
        ranges.push(from + scheme..from + line.len());
    } else if is([b"cookie", b"set-cookie"]) && line.contains(&b'=') {
        let mut start = from;
        // What follows the first pair of `Set-Cookie` says where it holds.
        let pairs = if is([b"cookie", b""]) { usize::MAX } else { 1 };
        for pair in line.split(|b| *b == b';').take(pairs) {
            let value = pair.iter().position(|b| *b == b'=').map_or(pair.len(), |len| len + 1);
            ranges.push(start + value..start + pair.len());
            start += pair.len() + 1;
        }
    } else if from > sign + 1 || name.contains(&b'-') {
        ranges.extend(only_word(line).map(|len| from..from + len));
    }
    (ranges.len() > before).then_some(from + line.len())
}

/// Whether nothing but an indent, or the mark of a list, stands before it on its line.
fn is_first(before: &[u8]) -> bool {
    let indent = |text: &[u8]| text.iter().rposition(|b| !matches!(b, b' ' | b'\t')).map_or(0, |i| i + 1);
    let begins = |text: &[u8]| text.last().is_none_or(|b| *b == b'\n');
    let before = &before[..indent(before)];
    begins(before) || before.strip_suffix(b"-").is_some_and(|before| begins(&before[..indent(before)]))
}

/// The length of the word that is all of a line but for a comment. One that ends in a sign of code or of YAML's
/// structure is none.
fn only_word(line: &[u8]) -> Option<usize> {
    let len = end_of(line, 0, |b| b.is_ascii_whitespace());
    let rest = line[len..].trim_ascii_start();
    let word = &line[..len];
    let is_value = word.iter().any(u8::is_ascii_alphanumeric)
        && !word.last().is_some_and(|b| b",;{([|>".contains(b))
        && !NO_SECRETS.iter().any(|other| word.eq_ignore_ascii_case(other));
    (is_value && (rest.is_empty() || rest.starts_with(b"#"))).then_some(len)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::redact::{Rules, names};

    fn of(text: &str) -> Vec<&str> {
        let is_secret = |name: &str| names::is_secret(name, &[]);
        named(text.as_bytes(), is_secret).into_iter().map(|range| &text[range]).collect()
    }

    fn nothing_in(texts: &[&str]) {
        for text in texts {
            assert_eq!(of(text), Vec::<&str>::new(), "{text}");
        }
    }

    #[test]
    fn named_secrets_of_a_message_are_found() {
        assert_eq!(of("Login { user: \"bob\", password: \"hun\\\"ter\" }"), ["hun\\\"ter"]);
        assert_eq!(of("password: Some(\"x y\"), b"), ["x y"]);
        assert_eq!(of("{\"password\": \"x\"}"), ["x"]);
        assert_eq!(of("a=1&password=x+y&b=2"), ["x+y"]);
        assert_eq!(of("password: 1234 }"), ["1234"]);
        assert_eq!(of("password: \"open"), ["open"]);
        nothing_in(&[
            "invalid password: too short",
            "invalid password: empty",
            "password: too short",
            "password == x",
            "password::new",
            "password",
            "password:",
            "password =>",
        ]);
    }

    #[test]
    fn a_secret_is_found_in_a_text_that_was_escaped() {
        assert_eq!(of(r#""{\"password\":\"x\",\"user\":\"y\"}""#), ["x"]);
        assert_eq!(of(r#"\"password\": \"a\\\"b\\\\\", \"c\": \"d\""#), [r#"a\\\"b\\\\"#]);
        assert_eq!(of(r#"\\\"password\\\":\\\"x\\\",\\\"a\\\":\\\"b\\\""#), ["x"]);
        assert_eq!(of(r#"error: "password=\"x y\" z""#), ["x y"]);
        // The outer text ends first.
        assert_eq!(of(r#""{\"password\":\"x", "y""#), ["x"]);
    }

    #[test]
    fn the_text_of_an_element_is_its_value() {
        assert_eq!(of("<db><user>me</user><password>hunter2abcd</password></db>"), ["hunter2abcd"]);
        assert_eq!(of("<c:password  type=\"plain\">\nx y</c:password>"), ["\nx y"]);
        assert_eq!(of("<secret>a</secret><secret>b</secret>"), ["a", "b"]);
        nothing_in(&[
            "<password/>",
            "<password></password>",
            "<password><hash>x</hash></password>",
            "let a: Vec<Password> = b; c: Vec<u8>",
            "if x <password > y",
        ]);
    }

    #[test]
    fn a_password_of_netrc_is_found() {
        assert_eq!(of("machine example.com login me password hunter2abcd\n"), ["hunter2abcd"]);
        assert_eq!(of("default\n  login me\n  password p:w\nmachine a password b"), ["p:w", "b"]);
        nothing_in(&["login with password authentication", "machine password", "the password hunter2"]);
    }

    #[test]
    fn a_secret_is_found_within_newtypes_and_lists() {
        assert_eq!(of("password: Secret(\"x\"), user: \"y\""), ["x"]);
        assert_eq!(of("Password: Some(auth::Secret(&\"x\")), y: (\"z\")"), ["x"]);
        assert_eq!(of("api_keys: [\"x\", \"y\"], users: [\"z\"]"), ["x", "y"]);
        assert_eq!(of("secrets: [Secret(\"x\"), Secret(b\"y\")], users: [\"z\"]"), ["x", "y"]);
        assert_eq!(of("password: Some(\n    \"x\",\n),\nuser: \"y\""), ["x"]);
        assert_eq!(of("{ password: Pin(1234), n: 5 }"), ["1234"]);
        assert_eq!(of("{ secret: [104, 105], n: 5 }"), ["104", "105"]);
        assert_eq!(of("'password': 'x'"), ["x"]);
        nothing_in(&["{ password: None }", "{ password: get(\"name\") }", "secrets: []", "{ secrets: [x] }"]);
    }

    #[test]
    fn a_newtype_of_a_secret_name_is_named_by_itself() {
        let masked = |text: &str| Rules::default().redact_text(text);
        assert_eq!(masked("left: Password(\"hunter2\")"), "left: Password(\"xxxxxx0\")");
        assert_eq!(
            masked("left: Password([104, 105]), b: (\"c\")"),
            "left: Password([000, 000]), b: (\"c\")"
        );
        nothing_in(&["get_password(\"name\")", "Password(x)", "Password()"]);
    }

    #[test]
    fn the_only_word_under_a_name_at_the_beginning_of_a_line_is_its_value() {
        assert_eq!(of("db:\n  user: me\n  password: hunter2\r\n  port: 1\n"), ["hunter2"]);
        assert_eq!(of("- password: pass:word # of the test\n- user: me"), ["pass:word"]);
        assert_eq!(of("secret: p#1"), ["p#1"]);
        nothing_in(&[
            "password: |\n  x",
            "password: >-",
            "password: null\n\"password\": null\n",
            "password: ~",
            "secret: true",
            "password: [",
            "password:x",
            "user:\n  password:\n    name: x",
            "the password: hunter2",
        ]);
    }

    #[test]
    fn code_is_left_alone() {
        nothing_in(&[
            "struct Login {\n    password: String,\n    secret: &'a str,\n}",
            "let password = read_password()?;",
            "let password = self.config.get(\"db\");",
            "interface Login {\n  password: string;\n}",
            "fn new(password: String) -> Self",
            "match secret { Secret::A => 1 }",
        ]);
    }

    #[test]
    fn headers_are_found_by_their_names() {
        assert_eq!(of("a\r\nauthorization: Basic dXNlcjpwYXNz\r\nb"), ["dXNlcjpwYXNz"]);
        assert_eq!(of("X-Api-Key: abc"), ["abc"]);
        assert_eq!(of("GET /\nX-Api-Key:abc\nHost: x"), ["abc"]);
        assert_eq!(of("Cookie: sid=abc; theme=dark\r\nHost: x"), ["abc", "dark"]);
        assert_eq!(of("Set-Cookie: sid=abc; Path=/"), ["abc"]);
        assert_eq!(of("curl -H 'X-Api-Key: abc' -H \"Cookie: a=b; c=d\" u"), ["abc", "b", "d"]);
        assert_eq!(of("\"curl -H \\\"X-Api-Key: abc\\\" x\""), ["abc"]);
        nothing_in(&["Authorization:", "authorization: \n", "cookie: not found", "Cookie:"]);
    }

    #[test]
    fn a_quote_that_encloses_name_and_value_is_no_part_of_it() {
        assert_eq!(of("{\"dsn\":\"host=db password=hunter2\"}"), ["hunter2"]);
        assert_eq!(of("export 'PASSWORD=x'"), ["x"]);
    }

    #[test]
    fn hostile_texts_take_linear_time() {
        for part in [
            "password: A(",
            "password: Password:password(",
            "password:[",
            "password:\"",
            "password=",
            "\"password: '",
            "password\\",
            "password: ",
            "password: \n",
            "password \"",
            "password: [\"a\",",
            "Password(",
            "Cookie: a;",
            "-",
            "<password>",
            "<password ",
            "<password>x<",
            "machine a login password ",
            "login a password ",
        ] {
            let text = part.repeat((1 << 19) / part.len());
            let start = std::time::Instant::now();
            named(text.as_bytes(), |name| names::is_secret(name, &[]));
            assert!(start.elapsed().as_secs() < 5, "{part}");
        }
    }
}
