//! Which names stand over secrets. A name is split into whole parts (`userPassword`, `user_password`,
//! `User-Password`); a bare `key` or `token` is none: parsers and maps live on them.

/// One part is enough.
const PARTS: [&str; 15] = [
    "password",
    "passwords",
    "passwd",
    "passphrase",
    "passphrases",
    "secret",
    "secrets",
    "credential",
    "credentials",
    "authorization",
    "cookie",
    "cookies",
    "apikey",
    "privatekey",
    "accesstoken",
];

/// Parts in a row.
const ROWS: [[&str; 2]; 20] = [
    ["api", "key"],
    ["private", "key"],
    ["signing", "key"],
    ["encryption", "key"],
    ["master", "key"],
    ["access", "key"],
    ["access", "token"],
    ["auth", "token"],
    ["auth", "key"],
    ["refresh", "token"],
    ["session", "token"],
    ["bearer", "token"],
    ["api", "token"],
    ["id", "token"],
    ["csrf", "token"],
    ["xsrf", "token"],
    ["oauth", "token"],
    ["security", "token"],
    ["registry", "token"],
    ["deploy", "token"],
];

/// The longest text that can be a name.
const NAME_MAX: usize = 64;

/// Whether what stands under this name is a secret, by the list above or by `extra` rows of parts.
pub(super) fn is_secret(name: &str, extra: &[Vec<String>]) -> bool {
    let parts = parts(name);
    let has = |row: &[&str]| {
        parts.windows(row.len()).any(|window| window.iter().zip(row).all(|(part, word)| is_word(part, word)))
    };
    parts.iter().any(|part| PARTS.contains(&part.as_str()))
        || ROWS.iter().any(|row| has(row))
        || extra.iter().any(|row| parts.windows(row.len()).any(|window| window == row))
}

/// A part, or its plural.
fn is_word(part: &str, word: &str) -> bool {
    part.strip_prefix(word).is_some_and(|rest| rest.is_empty() || rest == "s")
}

/// Whether a text could be a name at all: a map's key may be any sentence.
pub(super) fn is_name(text: &str) -> bool {
    (1..=NAME_MAX).contains(&text.len())
        && text.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | ':' | '/'))
}

/// The parts of a name, in lower case: split at everything but letters and digits, before a capital that
/// follows a small letter, before the last of several capitals (`DBPassword`), and around digits.
pub(super) fn parts(name: &str) -> Vec<String> {
    let mut parts: Vec<String> = Vec::new();
    let mut part = String::new();
    let chars: Vec<char> = name.chars().take(4 * NAME_MAX).collect();
    for (at, &c) in chars.iter().enumerate() {
        let before = at.checked_sub(1).map_or('_', |i| chars[i]);
        let next = chars.get(at + 1).copied().unwrap_or('_');
        let starts = (c.is_uppercase() && (before.is_lowercase() || next.is_lowercase()))
            || c.is_numeric() != before.is_numeric();
        if (starts || !c.is_alphanumeric()) && !part.is_empty() {
            parts.push(std::mem::take(&mut part));
        }
        if c.is_alphanumeric() {
            part.extend(c.to_lowercase());
        }
    }
    if !part.is_empty() {
        parts.push(part);
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_secrets_are_known() {
        for name in [
            "password",
            "Password",
            "PASSWORD",
            "user_password",
            "userPassword",
            "user-password",
            "DBPassword",
            "password2",
            "old_passwd",
            "passphrase",
            "secret",
            "client_secret",
            "secrets",
            "credentials",
            "Authorization",
            "Proxy-Authorization",
            "cookie",
            "Set-Cookie",
            "api_key",
            "apiKey",
            "APIKey",
            "X-Api-Key",
            "api_keys",
            "apikey",
            "private_key",
            "access_token",
            "auth_token",
            "refreshToken",
            "db.password",
            "r#password",
        ] {
            assert!(is_secret(name, &[]), "{name}");
        }
    }

    #[test]
    fn other_names_are_left_alone() {
        for name in [
            "key",
            "token",
            "tokens",
            "next_token",
            "keys",
            "public_key",
            "secretary",
            "passwordless",
            "compass",
            "word",
            "author",
            "authority",
            "authorize",
            "cook",
            "cookies_jar_x".trim_start_matches("cookies_"),
            "key_api",
            "api",
            "",
            "_",
            "1",
            "credo",
            "ключ",
        ] {
            assert!(!is_secret(name, &[]), "{name}");
        }
    }

    #[test]
    fn added_names_hold_by_whole_parts() {
        let extra = vec![parts("sessionPin")];
        assert!(is_secret("my_session_pin", &extra));
        assert!(!is_secret("session_pinned", &extra));
    }

    #[test]
    fn a_sentence_is_no_name() {
        assert!(is_name("Set-Cookie"));
        assert!(!is_name("the secret of it"));
        assert!(!is_name(""));
        assert!(!is_name(&"a".repeat(65)));
    }
}
