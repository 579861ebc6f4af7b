//! What runs the call of an async function to its end in a test, or that of a function which the crashed program ran
//! within tokio's runtime. In: a package's dependencies, a stack. Out: the way, and the call written for it.

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;
use relapse_snapshot::{Frame, FrameKind, Snapshot};

use crate::candidate::Callable;
use crate::expression::mentions;
use crate::index::{Package, SourceIndex};

/// What runs an async call to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Executor {
    /// tokio's runtime, by `#[tokio::test]`; in a child, which is no test of its own, by a runtime made there.
    Tokio,
    /// A `block_on` in the test's own file, made of std alone.
    Own,
    /// A runtime of tokio such as the crashed program's, within which everything of the test is: what asks for "the"
    /// runtime (timers, sockets, `tokio::spawn`) panics elsewhere.
    Runtime(Runtime),
}

/// A runtime of tokio such as the crashed program had around a function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Runtime {
    /// How the test names tokio: as a crate, or, within tokio itself, as `crate`.
    named: Named,
    /// Whether the build has `#[tokio::test]`.
    macros: bool,
    /// Whether it has several threads, as `block_in_place` wants it.
    multi_thread: bool,
    /// Whether it has a `LocalSet`, as `spawn_local` wants it.
    local: bool,
    /// Whether the function ran on a thread that may block: there it is within the runtime, but no task of it.
    blocking: bool,
}

/// How a test names tokio.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Named {
    Tokio,
    Itself,
}

/// What tokio must have for it.
const FEATURES: [&str; 2] = ["macros", "rt"];

impl Executor {
    /// The executor of a package's tests: tokio, where its code can name it as such and its build has what
    /// `#[tokio::test]` needs.
    pub(crate) fn of<'p>(package: &Package, at: impl Fn(usize) -> Option<&'p Package>) -> Executor {
        let named = package.dependencies.iter().find(|(name, _)| name == "tokio");
        let tokio = named.and_then(|(_, index)| at(*index)).filter(|found| found.name == "tokio");
        let has_all =
            |tokio: &Package| FEATURES.iter().all(|&feature| tokio.features.iter().any(|own| own == feature));
        if tokio.is_some_and(has_all) { Executor::Tokio } else { Executor::Own }
    }

    /// The call of an async function with what waits for its end.
    pub(crate) fn waits_for(self, call: &TokenStream, in_child: bool) -> TokenStream {
        match (self, in_child) {
            (Executor::Own, _) => quote!(block_on(#call)),
            (Executor::Tokio, false) | (Executor::Runtime(_), _) => quote!(#call.await),
            (Executor::Tokio, true) => quote! {
                tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(#call)
            },
        }
    }

    /// The attribute of a test that is an async function itself, where this makes it one.
    pub(crate) fn attribute(self) -> Option<&'static str> {
        match self {
            Executor::Tokio => Some("#[tokio::test]"),
            Executor::Own => None,
            Executor::Runtime(runtime) if !runtime.macros || runtime.blocking => None,
            Executor::Runtime(runtime) if runtime.multi_thread => {
                Some("#[tokio::test(flavor = \"multi_thread\")]")
            }
            Executor::Runtime(_) => Some("#[tokio::test]"),
        }
    }
}

impl Runtime {
    /// The runtime that a test is to be in next, where the program ran the function in one and its tests can have such a one;
    /// `before`: the one that it was in.
    pub(crate) fn next(
        before: Option<Runtime>,
        callable: &Callable<'_>,
        snapshot: &Snapshot,
        index: &SourceIndex,
    ) -> Option<Runtime> {
        let around = Runtime::around(callable, snapshot, index)?;
        match before {
            None => Some(Runtime { local: false, ..around }),
            Some(before) => (around.local && !before.local).then_some(around),
        }
    }

    /// The runtime around a function, as the crashed thread's stack shows it; `None` for what ran in none.
    fn around(callable: &Callable<'_>, snapshot: &Snapshot, index: &SourceIndex) -> Option<Runtime> {
        let frames = snapshot.frames();
        let at = frames.iter().position(|frame| frame == callable.frame)?;
        let outer = frames.get(at + 1..)?;
        outer.iter().find(|frame| is_of_runtime(frame))?;
        let package = index.package(callable.home.krate);
        let is_itself = |package: &Package| package.name == "tokio" && package.version.starts_with("1.");
        let (named, tokio) = if is_itself(package) {
            (if callable.is_outside() { Named::Tokio } else { Named::Itself }, package)
        } else {
            let (_, found) = package.dependencies.iter().find(|(name, _)| name == "tokio")?;
            (Named::Tokio, index.packages().get(*found).filter(|found| is_itself(found))?)
        };
        let has = |feature: &str| tokio.features.contains(feature);
        let runs_in =
            |part: &str| outer.iter().any(|frame| is_of_runtime(frame) && frame.function.contains(part));
        has("rt").then(|| Runtime {
            named,
            macros: has("macros") && named == Named::Tokio,
            multi_thread: has("rt-multi-thread") && runs_in("::multi_thread"),
            local: outer.iter().any(|frame| frame.function.contains("tokio::task::local::")),
            blocking: !callable.frame.is_async
                && outer.iter().any(|frame| frame.function.contains("tokio::runtime::blocking::")),
        })
    }

    /// What stands before everything else in the body, and the call within the runtime. `within`: the other tokens of
    /// the body, whose names are taken; `by_attribute`: whether the test is an async function.
    pub(crate) fn holds(
        self,
        call: &TokenStream,
        within: &[TokenStream],
        by_attribute: bool,
    ) -> (TokenStream, TokenStream) {
        let tokio = match self.named {
            Named::Tokio => quote!(tokio),
            Named::Itself => quote!(crate),
        };
        if by_attribute {
            let local = quote!(#tokio::task::LocalSet::new().run_until(async { #call }).await);
            return (TokenStream::new(), if self.local { local } else { call.clone() });
        }
        let taken = |name: &&str| !within.iter().chain([call]).any(|tokens| mentions(tokens, name));
        let name =
            ["runtime", "tokio_runtime", "runtime_of_test"].into_iter().find(taken).unwrap_or("own_runtime");
        let runtime = Ident::new(name, Span::call_site());
        let builder = Ident::new(
            if self.multi_thread { "new_multi_thread" } else { "new_current_thread" },
            Span::call_site(),
        );
        let before = quote! {
            let #runtime = #tokio::runtime::Builder::#builder().enable_all().build().unwrap();
            let _context = #runtime.enter();
        };
        let call = if self.blocking {
            call.clone()
        } else if self.local {
            quote!(#tokio::task::LocalSet::new().block_on(&#runtime, async { #call }))
        } else {
            quote!(#runtime.block_on(async { #call }))
        };
        (before, call)
    }
}

/// Whether a frame is one of tokio's that runs tasks or blocks on a future (tokio 1, `tokio::runtime`).
fn is_of_runtime(frame: &Frame) -> bool {
    let is_tokio = || frame.package.as_deref().is_none_or(|package| package.starts_with("tokio"));
    matches!(frame.kind, FrameKind::Workspace | FrameKind::Dependency)
        && frame.function.trim_start_matches('<').starts_with("tokio::runtime::")
        && !frame.function.contains("::blocking::pool::")
        && is_tokio()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(name: &str, dependencies: Vec<(String, usize)>, features: &[&str]) -> Package {
        Package {
            name: name.to_owned(),
            oldest_rust: None,
            version: "1.0.0".to_owned(),
            folder: "/a".into(),
            relative_folder: "".into(),
            local: true,
            crates: Vec::new(),
            library: None,
            dependencies,
            features: features.iter().map(ToString::to_string).collect(),
            features_known: true,
        }
    }

    #[test]
    fn tokio_runs_the_call_where_the_build_has_its_macros_and_runtime() {
        for (dependency, name, features, expected) in [
            ("tokio", "tokio", &["macros", "rt", "time"][..], Executor::Tokio),
            ("tokio", "tokio", &["rt", "rt-multi-thread"], Executor::Own),
            ("tokio", "tokio", &["macros", "sync"], Executor::Own),
            ("runtime", "tokio", &["macros", "rt"], Executor::Own),
            ("tokio", "other", &["macros", "rt"], Executor::Own),
        ] {
            let found = package(name, Vec::new(), features);
            let own = package("demo", vec![(dependency.to_owned(), 0)], &[]);
            let at = |index: usize| (index == 0).then_some(&found);
            assert_eq!(Executor::of(&own, at), expected, "{dependency} {name} {features:?}");
        }
        assert_eq!(Executor::of(&package("demo", Vec::new(), &[]), |_| None), Executor::Own);
    }

    #[test]
    fn a_call_is_written_for_what_runs_it() {
        let call = quote!(fetch(name, at));
        let text = |executor: Executor, in_child| executor.waits_for(&call, in_child).to_string();
        assert_eq!(text(Executor::Tokio, false), quote!(fetch(name, at).await).to_string());
        assert_eq!(text(Executor::Own, true), quote!(block_on(fetch(name, at))).to_string());
        assert!(text(Executor::Tokio, true).ends_with(&quote!(.block_on(fetch(name, at))).to_string()));
    }
}
