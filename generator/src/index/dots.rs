//! Methods that a dot would not call: `scanner.skip(9)` of a type that is an `Iterator` is `Iterator::skip`, although the type
//! has its own `skip(&mut self, count)`. Candidates that take the value itself come before those that borrow it (the Rust
//! reference, "Method-call expressions"). In: a method. Out: whether its path has to be written.

use syn::{ReceiverKind, Type};

use super::FunctionItem;
use super::naming::NamesAt;

/// Traits of the prelude with those of their methods that take the value itself.
const BY_VALUE: [(&str, &[&str]); 4] = [
    (
        "Iterator",
        &[
            "chain",
            "cloned",
            "cmp",
            "collect",
            "copied",
            "count",
            "cycle",
            "enumerate",
            "eq",
            "filter",
            "filter_map",
            "flat_map",
            "flatten",
            "fold",
            "for_each",
            "fuse",
            "ge",
            "gt",
            "inspect",
            "into_iter",
            "is_sorted",
            "is_sorted_by",
            "is_sorted_by_key",
            "last",
            "le",
            "lt",
            "map",
            "map_while",
            "max",
            "max_by",
            "max_by_key",
            "min",
            "min_by",
            "min_by_key",
            "ne",
            "partial_cmp",
            "partition",
            "peekable",
            "product",
            "reduce",
            "rev",
            "scan",
            "skip",
            "skip_while",
            "step_by",
            "sum",
            "take",
            "take_while",
            "unzip",
            "zip",
        ],
    ),
    ("Ord", &["clamp", "max", "min"]),
    ("DoubleEndedIterator", &["rev", "rfold"]),
    ("IntoIterator", &["into_iter"]),
];

impl NamesAt<'_> {
    /// Whether a dot behind a value of the type calls a method of the prelude in place of the type's own.
    pub(super) fn is_hidden_behind_dot(&self, function: &FunctionItem, self_type: &Type) -> bool {
        let by_reference =
            function.signature.receiver().is_some_and(|own| matches!(own.kind, ReceiverKind::Reference(..)));
        if !by_reference {
            return false;
        }
        let mut named =
            BY_VALUE.iter().filter(|(_, methods)| methods.contains(&function.name.as_str())).peekable();
        if named.peek().is_none() {
            return false;
        }
        let Some(id) = self.item_of(function, self_type) else { return false };
        named.any(|(of, _)| self.item_implements(id, of))
    }
}
