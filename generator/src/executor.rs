//! What runs the call of an async function to its end in a test. In: a package's dependencies. Out: the way, and
//! the call written for it.

use proc_macro2::TokenStream;
use quote::quote;

use crate::index::Package;

/// What runs an async call to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Executor {
    /// tokio's runtime, by `#[tokio::test]`; in a child, which is no test of its own, by a runtime made there.
    Tokio,
    /// A `block_on` in the test's own file, made of std alone.
    Own,
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

    /// The call with what waits for its end.
    pub(crate) fn waits_for(self, call: &TokenStream, in_child: bool) -> TokenStream {
        match (self, in_child) {
            (Executor::Own, _) => quote!(block_on(#call)),
            (Executor::Tokio, false) => quote!(#call.await),
            (Executor::Tokio, true) => quote! {
                tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(#call)
            },
        }
    }
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
