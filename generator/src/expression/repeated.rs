//! Lists of one value many times over: `vec![Cell::new(" "); 30]`. In: the elements as read. Out: whether clones of the first
//! are all of them. Never writes.

use relapse_snapshot::{Data, TypeKind, TypeShape, Value};

use super::crate_rules::has_built_in_rule;
use super::type_name::definition;
use super::writer::Writer;

/// Fewer elements are written one by one.
const MIN_CLONES: usize = 4;

impl Writer<'_> {
    /// Whether the elements of a `Vec` are clones of the first one: plain data, equal, of a type that derives `Clone`. What is
    /// behind a pointer or in a cell has an identity, or a state, of its own.
    pub(super) fn are_clones(&self, items: &[Value]) -> bool {
        let [first, rest @ ..] = items else { return false };
        let of_struct = || {
            let shape = self.types.get(first.ty)?;
            matches!(shape.kind, TypeKind::Struct { .. } | TypeKind::Enum { .. })
                .then(|| definition(&shape.name))?
        };
        items.len() >= MIN_CLONES
            && rest.iter().all(|item| item.ty == first.ty && item.data == first.data)
            && of_struct().is_some_and(|path| self.names.derives_clone(&path))
            && self.clones_alike(first)
    }

    /// Whether a derived `Clone` makes the same of a value: the types of its parts derive it, too, or are those of std, or
    /// of well-known crates for which there is a rule.
    fn clones_alike(&self, value: &Value) -> bool {
        let mut open = vec![(value, true)];
        while let Some((value, is_asked)) = open.pop() {
            if !is_plain(value) {
                return false;
            }
            let within = match self.types.get(value.ty) {
                Some(TypeShape { name, kind: TypeKind::Struct { .. } | TypeKind::Enum { .. }, .. })
                    if is_asked =>
                {
                    let Some(path) = definition(name) else { return false };
                    let is_known = has_built_in_rule(&path);
                    if !is_known && !is_of_std(&path) && !self.names.derives_clone(&path) {
                        return false;
                    }
                    // What a macro keeps flags in has no name.
                    !is_known && !self.names.is_made_by(&path, "bitflags")
                }
                _ => is_asked,
            };
            open.extend(value.children().into_iter().map(|child| (child, within)));
        }
        true
    }
}

fn is_of_std(path: &str) -> bool {
    ["core::", "alloc::", "std::"].iter().any(|root| path.starts_with(root))
}

/// Whether a value by itself has neither an identity nor a state of its own.
fn is_plain(value: &Value) -> bool {
    match &value.data {
        // A reference, or a number that a crate keeps in a pointer's place.
        Data::Pointer { to, .. } => {
            let is_empty = |to: &Value| matches!(&to.data, Data::Tuple(items) if items.is_empty());
            to.as_deref().is_none_or(is_empty)
        }
        Data::Cell { .. } | Data::Elsewhere { .. } | Data::Missing(_) => false,
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use proc_macro2::TokenStream;
    use relapse_snapshot::{Field, StdType, Trust, TypeShape, TypeTable};

    use super::*;
    use crate::expression::at_home::tests::Home;
    use crate::expression::{Literals, Scope, argument_with};
    use crate::names::{Names, Unnameable};

    /// These types derive `Clone`.
    struct Clones(&'static [&'static str]);

    impl Names for Clones {
        fn path(&self, definition: &str) -> Result<TokenStream, Unnameable> {
            Home.path(definition)
        }

        fn literal(&self, definition: &str) -> Result<(), Unnameable> {
            Home.literal(definition)
        }

        fn type_tokens(&self, full_name: &str) -> Result<TokenStream, Unnameable> {
            Home.type_tokens(full_name)
        }

        fn derives_clone(&self, definition: &str) -> bool {
            self.0.contains(&definition)
        }
    }

    fn written(count: usize, last: &str, derive: &'static [&'static str]) -> String {
        let mut types = TypeTable::default();
        let mut ty = |name: &str, kind| types.intern(TypeShape { name: name.to_owned(), size: None, kind });
        let text = ty("alloc::string::String", TypeKind::Std { std: StdType::String, params: Vec::new() });
        let sign = ty("k::Sign", TypeKind::Struct { fields: Vec::new(), tuple: true, params: Vec::new() });
        let mark = ty("k::Mark", TypeKind::Struct { fields: Vec::new(), tuple: true, params: Vec::new() });
        let list = ty("alloc::vec::Vec<k::Sign>", TypeKind::Std { std: StdType::Vec, params: vec![sign] });
        let value = |ty, data| Value { ty, trust: Trust::Entry, data };
        let one = |of: &str| {
            let text = value(text, Data::Text { text: of.to_owned(), len: of.len() as u64 });
            let mark = value(mark, Data::Struct(vec![Field { name: "0".to_owned(), value: text }]));
            value(sign, Data::Struct(vec![Field { name: "0".to_owned(), value: mark }]))
        };
        let mut items: Vec<Value> = (1..count).map(|_| one("+")).collect();
        items.push(one(last));
        let list = value(list, Data::Sequence { len: items.len() as u64, items });
        let names = Clones(derive);
        let mut scope = Scope::new("test");
        let written = argument_with("signs", &list, &types, &names, &mut scope, Literals::Inferred).unwrap();
        written.lets.iter().map(ToString::to_string).collect::<String>().replace(' ', "")
    }

    #[test]
    fn equal_elements_that_can_be_cloned_are_written_once() {
        let both: &[&str] = &["k::Sign", "k::Mark"];
        assert_eq!(written(4, "+", both), "letsigns=vec![Sign(Mark(String::from(\"+\")));4];");
        // The last ones have a `Clone` that is written by hand: the element's, and that of a part of it.
        for text in [
            written(4, "-", both),
            written(3, "+", both),
            written(4, "+", &["k::Mark"]),
            written(4, "+", &["k::Sign"]),
        ] {
            assert!(text.starts_with("letsigns=vec![Sign(Mark(String::from(\"+\"))),"), "{text}");
        }
    }
}
