//! Dates of the proleptic Gregorian calendar, as the crates that keep a year and a day of it mean them.

/// Month and day of the month from the day of the year (from 1 on).
pub(super) fn date(year: i128, day_of_year: i128) -> Option<(u8, u8)> {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let lengths = [31, if leap { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let mut left = u16::try_from(day_of_year).ok().filter(|day| *day > 0)?;
    for (month, length) in (1..).zip(lengths) {
        if left <= length {
            return Some((month, u8::try_from(left).ok()?));
        }
        left -= length;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_of_the_year_are_dates() {
        assert_eq!(date(2021, 87), Some((3, 28)));
        assert_eq!(date(2024, 60), Some((2, 29)));
        assert_eq!(date(1900, 60), Some((3, 1)));
        assert_eq!(date(-4, 366), Some((12, 31)));
        assert_eq!(date(2023, 366), None);
        assert_eq!(date(2023, 0), None);
        assert_eq!(date(2023, i128::MAX), None);
    }
}
