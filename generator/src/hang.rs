//! How long a test of a hang waits before it says so. In: the limit that the captured program overran; out: that of the
//! test, and the limits of the runs that prove it.

use std::time::Duration;

use crate::verify::Limits;

/// A call that was repaired must not overrun its time on a machine that is busy, and nobody waits for longer than the
/// other one for a test to fail.
const BOUNDS: [Duration; 2] = [Duration::from_secs(5), LONGEST];
/// No test waits longer than this for its call to end.
pub const LONGEST: Duration = Duration::from_secs(60);
/// A run that the tracer could not end by then is ended without its stack.
const LAST: Duration = Duration::from_secs(10);

/// How long a test's call may run: whole seconds.
pub(crate) fn limit(overrun: Duration) -> Duration {
    let limit = overrun.clamp(BOUNDS[0], BOUNDS[1]);
    Duration::from_secs(limit.as_secs() + u64::from(limit.subsec_nanos() > 0))
}

/// The limits of a run that is to show the hang.
pub(crate) fn limits(limits: &Limits, limit: Duration) -> Limits {
    let cpu_seconds = limits.cpu_seconds.map(|seconds| seconds.max((limit + LAST).as_secs()));
    let timeout = limits.timeout.max(limit + LAST);
    Limits { hang: Some(limit), timeout, cpu_seconds, ..limits.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limit_is_that_of_the_run_within_bounds() {
        let of = |milliseconds| limit(Duration::from_millis(milliseconds)).as_secs();
        assert_eq!([of(1), of(5_000), of(7_200), of(30_000), of(600_000)], [5, 5, 8, 30, 60]);
    }

    #[test]
    fn runs_have_the_time_to_overrun_it() {
        let narrow = Limits { timeout: Duration::from_secs(2), cpu_seconds: Some(3), ..Limits::default() };
        let wide = limits(&narrow, Duration::from_secs(5));
        assert_eq!(
            (wide.timeout.as_secs(), wide.cpu_seconds, wide.hang),
            (15, Some(15), Some(Duration::from_secs(5)))
        );
    }
}
