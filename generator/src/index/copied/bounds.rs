//! What a function that is called asks of the types that its test holds copies of. In: the function. Out: the traits whose
//! implementations the copy needs, by their last names.

use std::collections::BTreeSet;

use syn::Path;
use syn::visit::Visit;

use crate::index::FunctionItem;
use crate::index::naming::NamesAt;

/// Traits of std with those that must be there, too.
const NEED: [(&str, &[&str]); 10] = [
    ("Ord", &["PartialOrd", "PartialEq", "Eq"]),
    ("PartialOrd", &["PartialEq"]),
    ("Eq", &["PartialEq"]),
    ("Copy", &["Clone"]),
    ("Error", &["Debug", "Display"]),
    ("BufRead", &["Read"]),
    ("ToString", &["Display"]),
    ("IntoIterator", &["Iterator"]),
    ("DoubleEndedIterator", &["Iterator"]),
    ("DerefMut", &["Deref"]),
];

/// Bounds of implementations of the traits of bounds are followed this far.
const MOST_BOUNDS: usize = 4;

impl NamesAt<'_> {
    /// The traits that a function's head speaks of, with those that they build on: what is a `dyn Report` must be an `Error`
    /// where `trait Report: Error`.
    pub(super) fn bounds_of(&self, function: &FunctionItem) -> BTreeSet<String> {
        let mut spoken = Bounds::default();
        spoken.visit_signature(&function.signature);
        if let Some(generics) = function.owner_generics() {
            spoken.visit_generics(generics);
        }
        let supertraits = self.supertraits(function.module, &spoken.0);
        spoken.0.extend(supertraits);
        let mut bounds = BTreeSet::from(["Drop".to_owned()]);
        bounds.extend(spoken.with_needed());
        bounds
    }

    /// The traits, with those that the library's own implementations of them ask for in turn: what writes to
    /// `W: Sink` may be given a library's `Writer<P>`, which is one where `P: Write`.
    pub(super) fn met_by_impls(&self, mut bounds: BTreeSet<String>) -> BTreeSet<String> {
        let impls = &self.index().source(self.module.krate).impls;
        for _ in 0..MOST_BOUNDS {
            let before = bounds.len();
            for implementation in impls {
                let last = implementation.trait_path.as_ref().and_then(|path| path.segments.last());
                if last.is_some_and(|last| bounds.contains(&last.ident.to_string())) {
                    let mut further = Bounds::default();
                    further.visit_generics(&implementation.generics);
                    bounds.extend(further.with_needed());
                }
            }
            if bounds.len() == before {
                break;
            }
        }
        bounds
    }
}

/// The paths of the traits that a piece of source names as bounds.
#[derive(Default)]
struct Bounds(Vec<Path>);

impl<'ast> Visit<'ast> for Bounds {
    fn visit_trait_bound(&mut self, bound: &'ast syn::TraitBound) {
        self.0.push(bound.path.clone());
        syn::visit::visit_trait_bound(self, bound);
    }
}

impl Bounds {
    /// Their last names, with those of the traits that they need.
    fn with_needed(self) -> BTreeSet<String> {
        let last = |path: &Path| path.segments.last().map(|last| last.ident.to_string());
        let mut names: BTreeSet<String> = self.0.iter().filter_map(last).collect();
        for (name, needed) in NEED {
            if names.contains(name) {
                names.extend(needed.iter().map(|&needed| needed.to_owned()));
            }
        }
        names
    }
}
