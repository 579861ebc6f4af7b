//! What looks like a secret within a text: PEM private keys, JWTs, bearer tokens and tokens of known forms,
//! passwords in URLs. In: bytes of any kind. Out: ranges to be masked. One pass, no recursion.

use std::ops::Range;

/// Beginnings of well-known tokens, and the least length of the whole.
const KNOWN: [(&str, usize); 14] = [
    ("ghp_", 36),
    ("gho_", 36),
    ("ghu_", 36),
    ("ghs_", 36),
    ("ghr_", 36),
    ("github_pat_", 36),
    ("glpat-", 26),
    ("xoxb-", 20),
    ("xoxp-", 20),
    ("xoxa-", 20),
    ("AKIA", 20),
    ("sk-ant-", 24),
    ("sk_live_", 24),
    ("npm_", 40),
];

/// Ranges sorted and joined where they meet.
pub(super) fn merged(mut ranges: Vec<Range<usize>>) -> Vec<Range<usize>> {
    ranges.sort_by_key(|range| (range.start, range.end));
    let mut out: Vec<Range<usize>> = Vec::new();
    for range in ranges.into_iter().filter(|range| !range.is_empty()) {
        match out.last_mut() {
            Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
            _ => out.push(range),
        }
    }
    out
}

/// The secrets of a text by their form, `patterns` (with `*`) included. Sorted, none overlaps.
pub(super) fn secrets(text: &[u8], patterns: &[String]) -> Vec<Range<usize>> {
    let mut ranges = Vec::new();
    pem_keys(text, &mut ranges);
    passwords_in_urls(text, &mut ranges);
    let mut after_bearer = false;
    let mut at = 0;
    while at < text.len() {
        if !is_token(text[at]) {
            after_bearer &= matches!(text[at], b' ' | b'\t');
            at += 1;
            continue;
        }
        let end = text[at..].iter().position(|b| !is_token(*b)).map_or(text.len(), |len| at + len);
        let word = &text[at..end];
        if after_bearer && looks_random(word) {
            ranges.push(at..end);
        }
        after_bearer = word.eq_ignore_ascii_case(b"bearer");
        jwts(text, at..end, &mut ranges);
        known_tokens(word, at, &mut ranges);
        if patterns.iter().any(|pattern| fits(pattern.as_bytes(), word)) {
            ranges.push(at..end);
        }
        at = end;
    }
    merged(ranges)
}

/// The characters of tokens (RFC 6750's b64token and the like).
fn is_token(b: u8) -> bool {
    b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~' | b'+' | b'/' | b'=')
}

/// Whether the word after `Bearer` is a token and not prose: long, or with more than small letters.
fn looks_random(word: &[u8]) -> bool {
    let plain = |b: &u8| b.is_ascii_lowercase() || matches!(b, b'.' | b'-');
    word.len() >= 24 || (word.len() >= 8 && !word[1..].iter().all(plain))
}

/// `-----BEGIN … PRIVATE KEY-----` to the end mark or the end of the text; the lines that mark it stay.
fn pem_keys(text: &[u8], ranges: &mut Vec<Range<usize>>) {
    const BEGIN: &[u8] = b"-----BEGIN ";
    let mut at = 0;
    while let Some(begin) = find(&text[at..], BEGIN).map(|i| at + i + BEGIN.len()) {
        at = begin;
        let label = &text[begin..text.len().min(begin + 64)];
        let Some(label_end) = find(label, b"-----") else { continue };
        if find(&label[..label_end], b"PRIVATE KEY").is_some() {
            let body = begin + label_end + 5;
            let end = find(&text[body..], b"-----END ").map_or(text.len(), |i| body + i);
            ranges.push(body..end);
            at = end;
        }
    }
}

/// `scheme://user:PASSWORD@host`, and `scheme://TOKEN@host` where the user is a long token.
fn passwords_in_urls(text: &[u8], ranges: &mut Vec<Range<usize>>) {
    let mut at = 0;
    while let Some(start) = find(&text[at..], b"://").map(|i| at + i + 3) {
        at = start;
        let ends = |b: &u8| b.is_ascii_whitespace() || b"/?#\"'<>`\\".contains(b);
        let end = text[start..].iter().position(ends).map_or(text.len(), |len| start + len);
        let Some(host) = text[start..end].iter().rposition(|b| *b == b'@').map(|i| start + i) else {
            continue;
        };
        match text[start..host].iter().position(|b| *b == b':') {
            Some(colon) => ranges.push(start + colon + 1..host),
            None if host - start >= 20 => ranges.push(start..host),
            None => {}
        }
        at = host;
    }
}

/// Three runs of base64url with points between, the first beginning as `{"` does: `eyJ…`.
fn jwts(text: &[u8], word: Range<usize>, ranges: &mut Vec<Range<usize>>) {
    let is_part = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
    let part = |from: usize| {
        text[from..word.end].iter().position(|b| !is_part(b)).map_or(word.end, |len| from + len)
    };
    let mut at = word.start;
    while let Some(start) = find(&text[at..word.end], b"eyJ").map(|i| at + i) {
        at = start + 3;
        if start > word.start && text[start - 1].is_ascii_alphanumeric() {
            continue;
        }
        let header = part(start);
        if header - start < 10 || text.get(header) != Some(&b'.') || header >= word.end {
            continue;
        }
        let payload = part(header + 1);
        if payload - header < 5 || text.get(payload) != Some(&b'.') || payload >= word.end {
            continue;
        }
        // The signature; an encrypted token (JWE) has two parts more.
        let mut end = part(payload + 1);
        while text.get(end) == Some(&b'.') && end + 1 < word.end && is_part(&text[end + 1]) {
            end = part(end + 1);
        }
        ranges.push(start..end);
        at = end;
    }
}

fn known_tokens(word: &[u8], offset: usize, ranges: &mut Vec<Range<usize>>) {
    let is_part = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
    for (prefix, least) in KNOWN {
        let mut from = 0;
        while let Some(at) = find(&word[from..], prefix.as_bytes()).map(|i| from + i) {
            from = at + prefix.len();
            if at > 0 && word[at - 1].is_ascii_alphanumeric() {
                continue;
            }
            let len = word[at..].iter().position(|b| !is_part(b)).unwrap_or(word.len() - at);
            if len >= least {
                ranges.push(offset + at..offset + at + len);
                from = at + len;
            }
        }
    }
}

/// Whether a word fits a pattern with `*`, without backtracking beyond the last `*`.
fn fits(pattern: &[u8], word: &[u8]) -> bool {
    let (mut p, mut w, mut star) = (0, 0, None);
    while w < word.len() {
        if p < pattern.len() && pattern[p] == b'*' {
            star = Some((p, w));
            p += 1;
        } else if p < pattern.len() && pattern[p] == word[w] {
            (p, w) = (p + 1, w + 1);
        } else if let Some((star_p, star_w)) = star {
            star = Some((star_p, star_w + 1));
            (p, w) = (star_p + 1, star_w + 1);
        } else {
            return false;
        }
    }
    pattern[p..].iter().all(|b| *b == b'*')
}

fn find(text: &[u8], what: &[u8]) -> Option<usize> {
    // The first byte by itself is quick to find.
    let mut at = 0;
    while let Some(first) = text[at..].iter().position(|b| *b == what[0]) {
        at += first;
        if text[at..].starts_with(what) {
            return Some(at);
        }
        at += 1;
    }
    None
}

#[cfg(test)]
#[expect(clippy::single_range_in_vec_init, reason = "lists of ranges")]
mod tests {
    use super::*;

    fn shown(text: &str) -> Vec<&str> {
        secrets(text.as_bytes(), &[]).into_iter().map(|range| &text[range]).collect()
    }

    const JWT: &str = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U";

    #[test]
    fn secrets_are_found_by_their_form() {
        assert_eq!(shown(JWT), [JWT]);
        assert_eq!(shown(&format!("token={JWT}; x")), [JWT]);
        assert_eq!(shown("Authorization: Bearer abcDEF123456"), ["abcDEF123456"]);
        assert_eq!(shown("x bearer  0123456789abcdef."), ["0123456789abcdef."]);
        assert_eq!(shown("postgres://me:hunter2@db/x?y=@"), ["hunter2"]);
        assert_eq!(shown("https://me:p:a@ss@h"), ["p:a@ss"]);
        assert_eq!(shown("https://0123456789abcdef0123@github.com/x"), ["0123456789abcdef0123"]);
        assert_eq!(
            shown("-----BEGIN RSA PRIVATE KEY-----\nMIIE\nabc=\n-----END RSA PRIVATE KEY-----\n"),
            ["\nMIIE\nabc=\n"]
        );
        assert_eq!(shown("{\"k\":\"-----BEGIN PRIVATE KEY-----\\nMIIE\\nab"), ["\\nMIIE\\nab"]);
        let github = format!("ghp_{}", "a1B2".repeat(9));
        assert_eq!(shown(&format!("use {github}, please")), [github.as_str()]);
        assert_eq!(shown(&format!("ghp_token={github}")), [github.as_str()]);
    }

    #[test]
    fn prose_and_data_are_left_alone() {
        for text in [
            "the bearer of this letter",
            "Bearer authentication failed",
            "bearer token",
            "eyJ",
            "eyJhbGciOiJIUzI1NiJ9",
            "a.b.c",
            "eyJhbGciOiJIUzI1NiJ9.x",
            "http://host:80/a@b",
            "http://host/x:y@z",
            "user@host",
            "://",
            "://@",
            "://:@",
            "-----BEGIN CERTIFICATE-----\nMIIE\n-----END CERTIFICATE-----",
            "-----BEGIN PUBLIC KEY-----\nMIIE\n",
            "-----BEGIN ",
            "ghp_short",
            "keyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIx.x",
        ] {
            assert_eq!(shown(text), Vec::<&str>::new(), "{text}");
        }
    }

    #[test]
    fn added_patterns_fit_whole_words() {
        let of = |text: &str| secrets(text.as_bytes(), &["corp_*".into(), "*-id".into()]);
        assert_eq!(of("a corp_12ab b"), [2..11]);
        assert_eq!(of("my-id"), [0..5]);
        assert!(of("xcorp_12").is_empty());
    }

    #[test]
    fn hostile_texts_take_linear_time() {
        for part in [
            "eyJ",
            "://",
            "-----BEGIN ",
            "bearer ",
            "eyJaaaaaaaaaa.",
            "-----BEGIN PRIVATE KEY-----",
            "\\",
            "anpm_",
        ] {
            let text = part.repeat((1 << 20) / part.len());
            let start = std::time::Instant::now();
            secrets(text.as_bytes(), &["*a*b*".into()]);
            assert!(start.elapsed().as_secs() < 5, "{part}");
        }
    }
}
