//! Observes a test under the tracer: panics behind any hook, deaths with their stacks.

use relapse_capture::observe::observe;
use relapse_capture::roots::Roots;
use relapse_capture::sandbox::Permissions;
use relapse_capture::tracer::{Command, TraceError};

use super::{HookReader, Observation, ObserveError, Observer, TestRun};

/// Traces each run; where ptrace is not permitted, reads what the test prints.
#[derive(Debug, Clone, Default)]
pub struct Traced {
    /// The folders of the code that is run.
    pub roots: Roots,
    /// What a test may do; `None`: it is not confined.
    pub sandbox: Option<Permissions>,
}

impl Observer for Traced {
    fn observe(&self, run: &TestRun) -> Result<Observation, ObserveError> {
        let mut traced = run.clone();
        // The hook's own stack costs a second and tells nothing that the tracer does not see.
        traced.set("RUST_BACKTRACE", "0");
        let sandbox = super::sandbox(self.sandbox.as_ref(), &mut traced.environment)?;
        let words = std::iter::once(run.executable.clone().into_os_string());
        let command = Command {
            words: words.chain(run.arguments().into_iter().map(Into::into)).collect(),
            environment: traced.environment,
            folder: Some(run.folder.clone()),
        };
        match observe(&command, &self.roots, &run.limits, sandbox) {
            Err(TraceError::Trace { .. }) => HookReader { sandbox: self.sandbox.clone() }.observe(run),
            seen => Ok(seen?),
        }
    }

    fn keeps_apart(&self) -> bool {
        super::keeps_apart(self.sandbox.as_ref())
    }
}
