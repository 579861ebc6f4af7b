//! A regression test as data, before it becomes files.

use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::executor::Executor;
use crate::index::Copied;

/// The module that holds a target, and so the parent of its regressions.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ModulePlace {
    /// The package's name.
    pub package: String,
    /// The package's folder, relative to the workspace root (`..` where it is outside).
    pub package_folder: PathBuf,
    /// The source file of the module, relative to the package's folder: `src/a/b.rs`.
    pub file: PathBuf,
    /// Names of the inline modules within that file, outermost first; empty for the file's own module.
    pub inline: Vec<String>,
    /// The module's path within its crate: `["a", "b"]`; empty for the crate root.
    pub module_path: Vec<String>,
    /// The crate's edition: 2015, 2018, 2021, 2024.
    pub edition: u16,
    /// Whether the crate is `#![no_std]` (also by `cfg_attr` under test).
    pub no_std: bool,
}

/// The facts of the four-line header. Every text is hostile until it is written through the comment writer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// `fill`.
    pub function: String,
    /// The panic's message, or the signal.
    pub message: String,
    /// `src/lib.rs:634`.
    pub place: String,
    /// The innermost workspace function, where it is not the target: `WrapIterImpl::impl_next`.
    pub within: Option<String>,
    /// `2026-11-23`.
    pub date: String,
    /// The command that crashed.
    pub command: String,
    /// `rustc 1.95.0 debug`.
    pub build: String,
    /// `str/char-boundary`, where triage knows one.
    pub class: Option<String>,
    /// The command that runs the test.
    pub run_it: String,
    /// The snapshot's id (its first 8 digits are written).
    pub snapshot: String,
    /// `crate::fill`.
    pub target: String,
    /// Further remarks, one line each (a redacted value, an unstable crash).
    pub remarks: Vec<String>,
}

/// Data too long for a literal, beside the test: `NAME/page.txt`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SideFile {
    /// File name within the regression's folder of data.
    pub name: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// A function through which tests of other modules build a type whose fields they cannot see. It depends on the
/// type alone, so that several regressions share it; but where they cannot name the types of these fields either, it
/// gives one value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConstructorFile {
    /// The type's module.
    pub module: ModulePlace,
    /// The type's name in that module.
    pub type_name: String,
    /// The function's name where it gives one value, and so belongs to what calls it: `relapse_5d41c0de`.
    pub value: Option<String>,
    /// Lines beyond `use super::super::*;`.
    pub uses: Vec<String>,
    /// The `impl` block, as Rust source made from tokens.
    pub body: String,
}

impl ConstructorFile {
    /// `crate::time_unit::Years`, `crate::time_unit::Years::relapse_5d41c0de`.
    pub fn target(&self) -> String {
        let path = self.module.module_path.iter().map(String::as_str);
        let own = [self.type_name.as_str()].into_iter().chain(self.value.as_deref());
        let parts: Vec<&str> = ["crate"].into_iter().chain(path).chain(own).collect();
        parts.join("::")
    }
}

/// What a test gives its call beside arguments: then the call runs in a process of its own.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Given {
    /// Variables of the environment, with their values.
    pub variables: Vec<(String, String)>,
    /// The working folder, relative to the package's folder, where it is another one.
    pub folder: Option<PathBuf>,
}

/// What std makes a thread's stack by, where its builder does not say (std, `thread`, "Stack size"); libtest's does not.
pub const STACK_VARIABLE: &str = "RUST_MIN_STACK";

impl Given {
    /// Whether the size of the stack is among it.
    pub fn sets_stack(&self) -> bool {
        self.variables.iter().any(|(name, _)| name == STACK_VARIABLE)
    }

    /// Whether it is nothing.
    pub fn is_empty(&self) -> bool {
        self.variables.is_empty() && self.folder.is_none()
    }
}

/// A test, ready to be rendered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Regression {
    /// Name of the file, module and test function: `fill_char_boundary`.
    pub name: String,
    /// Where it stands.
    pub module: ModulePlace,
    /// Its header.
    pub header: Header,
    /// `use` lines beyond `use super::super::*;`, as tokens in text form made by prettyplease.
    pub uses: Vec<String>,
    /// The statements of the test's body, as Rust source made from tokens.
    pub body: String,
    /// Lines that [`render`](crate::render::render) would import with and that the compiler called unused.
    pub left_out: Vec<String>,
    /// Whether the call kills its process (signal, abort, stack overflow): the body then runs in a child.
    pub dies: bool,
    /// Whether the call panics and the process ends with that: in a destructor while another panic unwinds, or where
    /// nothing may unwind. The body then runs in a child, too.
    pub panic_ends_process: bool,
    /// Whether the call writes to standard output by a handle, so that nobody finds the line any more in which `cargo test`
    /// says that the test failed. The body then runs in a child, whose output is kept.
    pub speaks_over: bool,
    /// What runs the call to its end, where it is that of an async function, or one that runs within a runtime.
    pub executor: Option<Executor>,
    /// How long the call may run, where it is a hang that was captured: the test ends it then, and fails. It runs in
    /// a child, which can be ended.
    pub time_limit: Option<Duration>,
    /// What the call is given beside its arguments.
    pub given: Given,
    /// `#[should_panic(expected = …)]`: marked open.
    pub should_panic: Option<String>,
    /// Long data.
    pub side_files: Vec<SideFile>,
    /// The constructors that the body calls.
    pub constructors: Vec<ConstructorFile>,
    /// Types of a program that it holds a copy of.
    pub copied: Option<Copied>,
}

impl Regression {
    /// The attribute that runs the test where it is an async function itself: `#[tokio::test]`.
    pub fn async_attribute(&self) -> Option<&'static str> {
        self.executor.filter(|_| !self.in_child()).and_then(Executor::attribute)
    }

    /// Whether the body calls a `block_on` of the same file.
    pub fn blocks(&self) -> bool {
        self.executor == Some(Executor::Own)
    }

    /// Whether the call ends the process that it runs in.
    pub fn ends_process(&self) -> bool {
        self.dies || self.panic_ends_process
    }

    /// Whether the body runs in a child, through an `in_child` of the same file.
    pub fn in_child(&self) -> bool {
        self.ends_process() || self.speaks_over || self.time_limit.is_some() || !self.given.is_empty()
    }
}
