//! Whether a test that hangs hangs as the captured program did. A thread that runs may be anywhere within its loop; one that
//! waits stands where it waited.

use relapse_snapshot::{CauseKind, Frame, FrameKind};

use super::{Ending, Known, Observation, Sameness};

/// Parts of the names of the functions by which a thread gives the processor away.
const WAITS: [&str; 4] = ["futex", "lock_contended", "::park", "syscall"];

/// The functions that must be on the stack again: the outermost of these frames; where the thread waits, the one that
/// does, and what it called for that.
pub(super) fn functions(frames: &[Frame]) -> Vec<Known> {
    let is_own = |frame: &Frame| matches!(frame.kind, FrameKind::Workspace | FrameKind::Dependency);
    let target = frames.iter().rev().find(|frame| is_own(frame));
    let own = frames.iter().position(is_own).unwrap_or(0);
    let waits = frames[..own].iter().any(|frame| WAITS.iter().any(|part| frame.function.contains(part)));
    let inner = if waits { &frames[own - 1..=own] } else { &[] };
    let mut functions: Vec<Known> = target.into_iter().chain(inner).map(Known::of).collect();
    functions.dedup();
    functions
}

/// Compares a run with the hang that has these functions.
pub(super) fn compare(functions: &[Known], seen: &Observation) -> Sameness {
    let Some(death) = seen.deaths.iter().find(|death| death.kind == CauseKind::Timeout) else {
        return match &seen.ending {
            // Without ptrace no more is known.
            Ending::TimedOut => Sameness::Same,
            _ => Sameness::Different(format!("{}, before its time was over", super::ended_as(seen))),
        };
    };
    match functions.iter().find(|known| !super::is_on(known, &death.functions)) {
        Some(missing) if !death.functions.is_empty() => {
            Sameness::Different(format!("still running, but not within {}", missing.function))
        }
        _ => Sameness::Same,
    }
}

#[cfg(test)]
mod tests {
    use relapse_capture::observe::ObservedDeath;

    use super::*;

    fn stack(frames: &[(&str, FrameKind)]) -> Vec<Frame> {
        let frame = |(function, kind): &(&str, FrameKind)| Frame {
            function: (*function).to_owned(),
            kind: *kind,
            ..Frame::default()
        };
        frames.iter().map(frame).collect()
    }

    fn hangs(functions: &[&str]) -> Observation {
        let functions = functions.iter().map(|function| (*function).to_owned()).collect();
        Observation {
            panics: Vec::new(),
            deaths: vec![ObservedDeath { kind: CauseKind::Timeout, signal: String::new(), functions }],
            ending: Ending::Signaled("SIGKILL".to_owned()),
            stdout: Vec::new(),
            stderr: Vec::new(),
            accesses: Vec::new(),
        }
    }

    #[test]
    fn a_loop_may_be_anywhere_within_the_target() {
        let frames = stack(&[
            ("core::num::add", FrameKind::Std),
            ("demo::step", FrameKind::Workspace),
            ("demo::spin", FrameKind::Workspace),
        ]);
        let wanted = functions(&frames);
        assert_eq!(compare(&wanted, &hangs(&["demo::other", "demo::spin"])), Sameness::Same);
        let other = compare(&wanted, &hangs(&["demo::step"]));
        assert_eq!(other, Sameness::Different("still running, but not within demo::spin".to_owned()));
    }

    #[test]
    fn a_thread_that_waits_does_so_where_it_did() {
        let frames = stack(&[
            ("std::sys::futex_wait", FrameKind::Std),
            ("std::sync::Mutex<T>::lock", FrameKind::Std),
            ("demo::both", FrameKind::Workspace),
        ]);
        let wanted = functions(&frames);
        assert_eq!(
            compare(&wanted, &hangs(&["x", "std::sync::Mutex<T>::lock", "demo::both"])),
            Sameness::Same
        );
        let barrier = compare(&wanted, &hangs(&["std::sync::Barrier::wait", "demo::both"]));
        assert!(matches!(barrier, Sameness::Different(reason) if reason.contains("Mutex")));
    }

    #[test]
    fn a_function_that_was_inlined_hangs_by_its_bare_name() {
        let wanted = functions(&stack(&[("demo::spin", FrameKind::Workspace)]));
        assert_eq!(compare(&wanted, &hangs(&["spin", "demo::tests::spin_hangs"])), Sameness::Same);
        assert_ne!(compare(&wanted, &hangs(&["span", "demo::tests::spin_hangs"])), Sameness::Same);
    }

    #[test]
    fn a_test_that_ends_does_not_hang() {
        let ended = Observation { deaths: Vec::new(), ending: Ending::Exited(101), ..hangs(&[]) };
        assert!(matches!(compare(&[], &ended), Sameness::Different(_)));
    }
}
