//! The verdicts as a JUnit report: one suite a package, one case a regression.

use std::collections::BTreeMap;
use std::io::Write;
use std::time::Duration;

use quick_junit::{NonSuccessKind, Report, SerializeError, TestCase, TestCaseStatus, TestSuite};

use crate::verdict::{Replayed, Verdict};

/// Writes the report. Where it goes is the caller's to know, also for an error.
pub fn write(replayed: &[Replayed], to: &mut dyn Write) -> Result<(), SerializeError> {
    let mut suites: BTreeMap<&str, TestSuite> = BTreeMap::new();
    for one in replayed {
        let suite = suites.entry(&one.package).or_insert_with(|| TestSuite::new(one.package.as_str()));
        suite.add_test_case(case(one));
    }
    let mut report = Report::new("relapse");
    report.add_test_suites(suites.into_values());
    report.serialize(to)
}

fn case(one: &Replayed) -> TestCase {
    let kind = match one.verdict {
        Verdict::Fixed | Verdict::Known => None,
        Verdict::Open | Verdict::Changed | Verdict::OutcomeChanged => Some(NonSuccessKind::Failure),
        Verdict::Invalid | Verdict::Timeout => Some(NonSuccessKind::Error),
    };
    let mut status = kind.map_or_else(TestCaseStatus::success, TestCaseStatus::non_success);
    if kind.is_some() {
        status.set_type(one.verdict.word());
        status.set_message(one.reason.as_deref().unwrap_or(one.verdict.word()));
    }
    let file = one.file.to_string_lossy();
    let name = if one.test.is_empty() { file.as_ref() } else { one.test.as_str() };
    let mut case = TestCase::new(name, status);
    case.set_classname(file.as_ref());
    case.set_time(Duration::try_from_secs_f64(one.seconds).unwrap_or_default());
    case.add_property(("verdict", one.verdict.word()));
    if kind.is_some() && !one.stderr.is_empty() {
        case.set_system_err(one.stderr.as_str());
    }
    case
}
