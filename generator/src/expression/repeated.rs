//! Lists of one value many times over: `vec![Cell::new(" "); 30]`. In: the elements as read. Out: whether clones of the first
//! are all of them. Never writes.

use relapse_snapshot::{Data, TypeKind, Value};

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
            && is_plain(first)
    }
}

fn is_plain(value: &Value) -> bool {
    let mut open = vec![value];
    while let Some(value) = open.pop() {
        match &value.data {
            // A reference, or a number that a crate keeps in a pointer's place.
            Data::Pointer { to, .. } => {
                let is_empty = |to: &Value| matches!(&to.data, Data::Tuple(items) if items.is_empty());
                if !to.as_deref().is_none_or(is_empty) {
                    return false;
                }
            }
            Data::Cell { .. } | Data::Elsewhere { .. } | Data::Missing(_) => return false,
            _ => open.extend(value.children()),
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use proc_macro2::TokenStream;
    use relapse_snapshot::{Field, StdType, Trust, TypeShape, TypeTable};

    use super::*;
    use crate::expression::{Literals, Scope, argument_with};
    use crate::names::{Names, Unnameable};

    struct Clones(bool);

    impl Names for Clones {
        fn path(&self, definition: &str) -> Result<TokenStream, Unnameable> {
            definition.rsplit("::").next().unwrap().parse().map_err(|_| Unnameable(String::new()))
        }

        fn literal(&self, _: &str) -> Result<(), Unnameable> {
            Ok(())
        }

        fn type_tokens(&self, full_name: &str) -> Result<TokenStream, Unnameable> {
            full_name.parse().map_err(|_| Unnameable(String::new()))
        }

        fn derives_clone(&self, definition: &str) -> bool {
            self.0 && definition == "k::Sign"
        }
    }

    fn written(count: usize, last: &str, derives: bool) -> String {
        let mut types = TypeTable::default();
        let mut ty = |name: &str, kind| types.intern(TypeShape { name: name.to_owned(), size: None, kind });
        let text = ty("alloc::string::String", TypeKind::Std { std: StdType::String, params: Vec::new() });
        let sign = ty("k::Sign", TypeKind::Struct { fields: Vec::new(), tuple: true, params: Vec::new() });
        let list = ty("alloc::vec::Vec<k::Sign>", TypeKind::Std { std: StdType::Vec, params: vec![sign] });
        let value = |ty, data| Value { ty, trust: Trust::Entry, data };
        let one = |of: &str| {
            let text = value(text, Data::Text { text: of.to_owned(), len: of.len() as u64 });
            value(sign, Data::Struct(vec![Field { name: "0".to_owned(), value: text }]))
        };
        let mut items: Vec<Value> = (1..count).map(|_| one("+")).collect();
        items.push(one(last));
        let list = value(list, Data::Sequence { len: items.len() as u64, items });
        let names = Clones(derives);
        let mut scope = Scope::new("test");
        let written = argument_with("signs", &list, &types, &names, &mut scope, Literals::Inferred).unwrap();
        written.lets.iter().map(ToString::to_string).collect::<String>().replace(' ', "")
    }

    #[test]
    fn equal_elements_that_can_be_cloned_are_written_once() {
        assert_eq!(written(4, "+", true), "letsigns=vec![Sign(String::from(\"+\"));4];");
        for text in [written(4, "-", true), written(3, "+", true), written(4, "+", false)] {
            assert!(text.starts_with("letsigns=vec![Sign(String::from(\"+\")),"), "{text}");
        }
    }
}
