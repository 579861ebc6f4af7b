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

impl NamesAt<'_> {
    /// The traits that a function's head speaks of, with those that they build on: what is a `dyn Report` must be an `Error`
    /// where `trait Report: Error`.
    pub(super) fn bounds_of(&self, function: &FunctionItem) -> BTreeSet<String> {
        let mut spoken = Spoken::default();
        spoken.visit_signature(&function.signature);
        if let Some(generics) = function.owner_generics() {
            spoken.visit_generics(generics);
        }
        let mut bounds = BTreeSet::from(["Drop".to_owned()]);
        bounds.extend(spoken.0.iter().filter_map(last_name));
        bounds.extend(self.supertraits(function.module, &spoken.0).iter().filter_map(last_name));
        for (name, needed) in NEED {
            if bounds.contains(name) {
                bounds.extend(needed.iter().map(|&needed| needed.to_owned()));
            }
        }
        bounds
    }
}

/// The paths of the traits that a piece of source names as bounds.
#[derive(Default)]
struct Spoken(Vec<Path>);

impl<'ast> Visit<'ast> for Spoken {
    fn visit_trait_bound(&mut self, bound: &'ast syn::TraitBound) {
        self.0.push(bound.path.clone());
        syn::visit::visit_trait_bound(self, bound);
    }
}

fn last_name(path: &Path) -> Option<String> {
    path.segments.last().map(|last| last.ident.to_string())
}
