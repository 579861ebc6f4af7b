//! Frames as candidates: which function a frame is, whether a test can call it, and what its arguments are
//! written as. In: a snapshot and the source index. Out: candidates, and the reason of every rejection.

mod behind_dyn;
mod call;
mod caller;
mod facts;
mod format_spec;
mod given_to_makers;
mod home;
mod idiom;
mod join;
mod passed;
mod twins;

use std::collections::BTreeMap;
use std::ops::Range;

use relapse_snapshot::{Argument, Endless, Frame, FrameKind, Snapshot, Trust};

use crate::index::{FunctionItem, ModuleId, Owner, PublicApi, Recorded, SourceIndex, binds_mut};
use crate::target::Facts;

pub use call::{Call, Style, Uncallable};
use caller::{Caller, given_by_program};
use facts::{asserts_on_arguments, facts, passes_on};
use join::join;

/// A workspace frame of the crashing thread and the function that it is.
#[derive(Debug, Clone)]
pub struct Callable<'a> {
    /// The frame.
    pub frame: &'a Frame,
    /// Workspace frames between it and the innermost one.
    pub depth: usize,
    /// The function.
    pub function: &'a FunctionItem,
    /// The module in which its test stands: its own, or that of a test target outside of its library.
    pub home: ModuleId,
    /// The modules of the functions further out: what they gave it, they could name.
    callers: Vec<ModuleId>,
    /// What the choice of the target goes by.
    pub facts: Facts,
    /// The frames further out, of the workspace and not, the nearest first: the first one called it.
    pub further: &'a [Frame],
    /// The calls by which values may be made that cannot be built of their fields.
    pub(crate) made: Recorded<'a>,
}

/// A frame that no test can be written for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejection {
    /// The function's path.
    pub function: String,
    /// Its depth: see [`Callable::depth`].
    pub depth: usize,
    /// Why, in words for the user.
    pub reason: String,
    /// No test could ever call it, whatever the user does: a closure, a call within a recursion.
    pub inherent: bool,
}

/// Joins every workspace frame of the crashing thread to its function.
pub fn callables<'a>(snapshot: &'a Snapshot, index: &'a SourceIndex) -> (Vec<Callable<'a>>, Vec<Rejection>) {
    let workspace: Vec<&Frame> =
        snapshot.frames().iter().filter(|frame| frame.kind == FrameKind::Workspace).collect();
    let (mut callables, mut rejected) = (Vec::new(), Vec::new());
    let api = PublicApi::new(index);
    let mut blames_caller = false;
    let calls = calls_by_function(&workspace);
    let endless = Endless::of(snapshot).map(|endless| endless.calls);
    for (depth, &frame) in workspace.iter().enumerate() {
        let joined = join(frame, index);
        blames_caller = match depth.checked_sub(1) {
            None => joined.as_ref().is_ok_and(|function| asserts_on_arguments(snapshot, frame, function)),
            Some(inner) => {
                blames_caller
                    && passes_on(frame, workspace[inner], joined.as_ref().ok().map(|joined| &joined.forwards))
            }
        };
        let not_tried = not_tried(depth, &calls[frame.function.as_str()], endless.as_ref());
        let (reason, inherent) = match (joined, not_tried) {
            (Ok(function), None) => {
                let facts = facts(snapshot, frame, depth, function, index, &api);
                let within = endless.as_ref().filter(|calls| calls.contains(&depth));
                let recursion = within.map(|calls| calls.start);
                let caller = Caller::of(function.id.krate, workspace.get(depth + 1).copied(), index);
                let facts = Facts {
                    asserts_on_arguments: blames_caller,
                    recursion,
                    called_from_outside: caller != Caller::Own && function.is_written_pub(),
                    given_by_program: caller == Caller::Program,
                    ..facts
                };
                let (home, callers) = (index.outside_of_macros(function.module), Vec::new());
                let further = further(snapshot, frame);
                callables.push(Callable {
                    frame,
                    depth,
                    function,
                    home,
                    callers,
                    facts,
                    further,
                    made: Recorded::default(),
                });
                continue;
            }
            (Ok(_), Some(reason)) => (reason.to_owned(), true),
            // What debug info lacks can be had.
            (Err(reason), _) => (reason, frame.declared.is_some() && frame.arguments_missing.is_none()),
        };
        rejected.push(Rejection { function: frame.function.clone(), depth, reason, inherent });
    }
    let known = |depth: usize| callables.iter().find(|callable: &&Callable<'_>| callable.depth == depth);
    let given = given_by_program(&workspace, &|depth| {
        known(depth).map(|callable| (callable.facts.given_by_program, &callable.function.forwards))
    });
    for callable in &mut callables {
        callable.facts.given_by_program = given[callable.depth];
    }
    let modules: Vec<ModuleId> = callables.iter().map(|callable| callable.home).collect();
    for (at, callable) in callables.iter_mut().enumerate() {
        callable.callers = modules[at + 1..].to_vec();
        callable.callers.dedup();
    }
    (callables, rejected)
}

/// The frames behind one.
fn further<'a>(snapshot: &'a Snapshot, frame: &Frame) -> &'a [Frame] {
    let frames = snapshot.frames();
    let at = frames.iter().position(|other| std::ptr::eq(other, frame));
    at.and_then(|at| frames.get(at + 1..)).unwrap_or_default()
}

/// Calls of one function at either end of a recursion that become candidates.
const RECURSION_ENDS: usize = 4;

/// The depths of each function's calls, innermost first.
fn calls_by_function<'f>(workspace: &[&'f Frame]) -> BTreeMap<&'f str, Vec<usize>> {
    let mut calls: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (depth, frame) in workspace.iter().enumerate() {
        calls.entry(&frame.function).or_default().push(depth);
    }
    calls
}

/// Outermost calls of a function in a recursion that overflowed the stack that become candidates. How it was begun is the
/// input; its first call may have other arguments than those that it makes itself.
const ENDLESS_ENDS: usize = 2;

/// Why a call within a recursion is no candidate, if it is none. `calls`: all of the same function, innermost first.
fn not_tried(depth: usize, calls: &[usize], endless: Option<&Range<usize>>) -> Option<&'static str> {
    if let Some(endless) = endless.filter(|endless| endless.contains(&depth)) {
        let further_out = calls.iter().filter(|call| (depth + 1..endless.end).contains(call)).count();
        return (further_out >= ENDLESS_ENDS)
            .then_some("one of many calls of a recursion without an end: its outermost ones are tried");
    }
    let at = calls.iter().position(|call| *call == depth).unwrap_or_default();
    (at >= RECURSION_ENDS && at + RECURSION_ENDS < calls.len())
        .then_some("one of many calls of a recursion: its innermost and outermost ones are tried")
}

impl<'a> Callable<'a> {
    /// The arguments, each with whether its binding is `mut`: then the function may have given it another value.
    pub(crate) fn arguments(&self) -> impl Iterator<Item = (&Argument, bool)> {
        self.frame.arguments.iter().zip(self.function.signature.inputs.iter().map(binds_mut))
    }

    /// The worst trust of the arguments.
    pub fn trust(&self) -> Trust {
        self.frame.trust()
    }

    /// The same function with the calls by which its values may be made.
    pub(crate) fn with_made(mut self, made: Recorded<'a>) -> Self {
        self.made = made;
        self
    }

    /// The rejection of this function.
    pub fn rejection(&self, reason: String) -> Rejection {
        Rejection { function: self.frame.function.clone(), depth: self.depth, reason, inherent: false }
    }

    /// The same function, called from outside of its library; `None` where that cannot be.
    pub fn from_outside(&self, index: &SourceIndex) -> Option<Self> {
        let home = index.outside(self.function.id.krate).filter(|_| self.facts.public)?;
        Some(Self { home, ..self.clone() })
    }

    /// Whether its test stands outside of its crate.
    pub fn is_outside(&self) -> bool {
        self.home.krate != self.function.id.krate
    }

    /// The function's path as a reader would name it: `crate::fill`, `crate::book::Book::price`; from outside
    /// `textwrap::fill`.
    pub fn target_path(&self, index: &SourceIndex) -> String {
        let krate = if self.is_outside() {
            index.target(self.function.id.krate).crate_name.clone()
        } else {
            "crate".to_owned()
        };
        let mut parts = vec![krate];
        parts.extend(index.module(self.function.module).path.iter().cloned());
        match &self.function.owner {
            Owner::Module => {}
            Owner::Inherent { self_type, .. } | Owner::TraitImpl { self_type, .. } => {
                if let syn::Type::Path(path) = &**self_type
                    && let Some(last) = path.path.segments.last()
                {
                    parts.push(last.ident.to_string());
                }
            }
            Owner::Trait { name, .. } => parts.push(name.clone()),
        }
        parts.push(self.function.name.clone());
        parts.join("::")
    }
}
