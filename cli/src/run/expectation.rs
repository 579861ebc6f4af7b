//! Whether a test is meant to panic, as its source says it.

use std::fs;

use relapse_capture::roots::Roots;
use relapse_capture::tracer::Expectation;
use relapse_generator::should_panic::{ShouldPanic, should_panic};
use relapse_snapshot::Frame;

/// A larger source file is not read for this.
const LARGEST_SOURCE: u64 = 16 << 20;

/// Reads the function of a test at the place where it is declared.
pub(crate) fn from_source(roots: &Roots) -> impl FnMut(&Frame) -> Expectation + use<> {
    let root = roots.workspace.clone();
    move |test| {
        let answer = || {
            let declared = test.declared.as_ref()?;
            let path = root.as_ref()?.join(&declared.file);
            if fs::metadata(&path).ok()?.len() > LARGEST_SOURCE {
                return None;
            }
            should_panic(&fs::read_to_string(path).ok()?, declared.line)
        };
        match answer() {
            Some(ShouldPanic::Yes(expected)) => Expectation::Panic(expected),
            Some(ShouldPanic::No) => Expectation::NoPanic,
            None => Expectation::Unknown,
        }
    }
}
