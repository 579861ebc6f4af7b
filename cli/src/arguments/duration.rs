//! Durations as people write them: `30s`, `500ms`, `2m`, `90`.

use std::time::Duration;

/// A duration above zero; the error says what is asked for.
pub(super) fn parse(text: &str) -> Result<Duration, String> {
    let asked =
        || "a number above 0 with `ms`, `s`, `m` or `h`, such as `30s`; seconds where it is bare".to_owned();
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let number: u64 = number.parse().map_err(|_| asked())?;
    let duration = match unit {
        "ms" => Some(Duration::from_millis(number)),
        "s" | "" => Some(Duration::from_secs(number)),
        "m" => number.checked_mul(60).map(Duration::from_secs),
        "h" => number.checked_mul(3600).map(Duration::from_secs),
        _ => None,
    };
    duration.filter(|duration| !duration.is_zero()).ok_or_else(asked)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_people_write_them() {
        for (text, milliseconds) in
            [("30s", 30_000), ("500ms", 500), ("2m", 120_000), ("1h", 3_600_000), ("7", 7_000)]
        {
            assert_eq!(parse(text), Ok(Duration::from_millis(milliseconds)), "{text}");
        }
        for text in
            ["", "s", "0", "0ms", "-1", "1.5s", "1 s", "3d", "99999999999999999999", "18446744073709551615m"]
        {
            assert!(parse(text).is_err_and(|error| error.contains("such as `30s`")), "{text}");
        }
    }
}
