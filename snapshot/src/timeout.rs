//! The cause of a hang: a program was still running when its time was over. In: the limit; out: a cause, from whose
//! message the limit can be had again.

use std::time::Duration;

use crate::crash::{Cause, CauseKind};

const BEFORE: &str = "still running after ";
const AFTER: &str = " s";

impl Cause {
    /// The cause of a program that ran longer than this.
    pub fn timeout(limit: Duration) -> Cause {
        let message = format!("{BEFORE}{}{AFTER}", limit.as_secs_f64());
        Cause { kind: CauseKind::Timeout, message, signal: None }
    }

    /// The limit that a program overran; `None`: it ended in another way.
    pub fn time_limit(&self) -> Option<Duration> {
        let seconds = self.message.strip_prefix(BEFORE)?.strip_suffix(AFTER)?.parse().ok()?;
        Duration::try_from_secs_f64(seconds).ok().filter(|_| self.kind == CauseKind::Timeout)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limit_is_told_in_seconds_and_found_again() {
        for (limit, message) in [
            (Duration::from_secs(30), "still running after 30 s"),
            (Duration::from_millis(500), "still running after 0.5 s"),
        ] {
            let cause = Cause::timeout(limit);
            assert_eq!((cause.message.as_str(), cause.time_limit()), (message, Some(limit)));
        }
        let named = Cause { kind: CauseKind::Panic, ..Cause::timeout(Duration::from_secs(1)) };
        assert_eq!(named.time_limit(), None);
        for message in
            ["still running after -1 s", "still running after NaN s", "still running after 1e300 s", ""]
        {
            let cause = Cause { message: message.to_owned(), ..Cause::timeout(Duration::ZERO) };
            assert_eq!(cause.time_limit(), None, "{message}");
        }
    }
}
