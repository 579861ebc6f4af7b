//! `MaybeUninit` of numbers: a buffer, of which another field says how much is in use. The rest may be anything, so it is what
//! lay there.

use quote::quote;
use relapse_snapshot::{Data, TypeKind, Value};

use super::super::seen_through::field;
use super::super::type_name::definition;
use super::super::writer::{Place, Writer};
use super::of::{Of, Written};

/// `MaybeUninit::new(7)`.
pub(super) fn maybe(writer: &mut Writer<'_>, of: Of<'_>) -> Written {
    let name = writer.name_of(of.shape)?;
    let held = of.part(writer, "value")?;
    Ok(quote!(#name::new(#held)))
}

impl Writer<'_> {
    /// An array of them: `[1, 2].map(MaybeUninit::new)`. `None`: it is another list, or too large for the stack.
    pub(in super::super) fn list_of_uninit(&mut self, items: &[Value], place: Place) -> Option<Written> {
        let first = items.first().filter(|_| items.len() > 1)?;
        let shape = self.types.get(first.ty).filter(|shape| shape.kind == TypeKind::Union)?;
        let path = definition(&shape.name)?;
        if path != "core::mem::maybe_uninit::MaybeUninit" || self.is_large(items.len(), &[first.ty]) {
            return None;
        }
        let held: Vec<Value> =
            items.iter().map(|item| field(item, "value").cloned()).collect::<Option<_>>()?;
        Some(self.mapped(&path, &held, place))
    }

    fn mapped(&mut self, path: &str, held: &[Value], place: Place) -> Written {
        let is_byte = |value: &Value| {
            matches!(self.types.get(value.ty)?.kind, TypeKind::Integer { signed: false, bits: 8 })
                .then_some(())?;
            match value.data {
                Data::Uint(number) => u8::try_from(number).ok(),
                _ => None,
            }
        };
        let bytes: Option<Vec<u8>> = held.iter().map(is_byte).collect();
        let name = self.name(path)?;
        let numbers = match bytes {
            Some(bytes) => {
                let len = bytes.len() as u64;
                let array = self.bytes(&bytes, len, place.typed)?.array();
                // `*b"…"`
                if array.to_string().starts_with('*') { quote!((#array)) } else { array }
            }
            None => self.list(held, place)?,
        };
        Ok(quote!(#numbers.map(#name::new)))
    }
}

#[cfg(test)]
mod tests {
    use relapse_snapshot::{Field, Trust, TypeId, TypeShape, TypeTable};

    use super::*;
    use crate::expression::at_home::tests::Home;
    use crate::expression::{Literals, Scope, argument_with};

    fn written(bits: u16, items: &[u128]) -> String {
        let mut types = TypeTable::default();
        let mut ty =
            |name: &str, kind| types.intern(TypeShape { name: name.to_owned(), size: Some(1), kind });
        let number = ty(&format!("u{bits}"), TypeKind::Integer { signed: false, bits });
        let one = ty("core::mem::maybe_uninit::MaybeUninit<u8>", TypeKind::Union);
        let array = TypeKind::Array { of: one, len: items.len() as u64 };
        let array = ty("[core::mem::maybe_uninit::MaybeUninit<u8>; 3]", array);
        let value = |ty: TypeId, data| Value { ty, trust: Trust::Entry, data };
        let items: Vec<Value> = items
            .iter()
            .map(|item| {
                let held = value(number, Data::Uint(*item));
                value(one, Data::Struct(vec![Field { name: "value".to_owned(), value: held }]))
            })
            .collect();
        let buffer = value(array, Data::Sequence { len: items.len() as u64, items });
        let mut scope = Scope::new("test");
        let written =
            argument_with("buffer", &buffer, &types, &Home, &mut scope, Literals::Inferred).unwrap();
        written.lets.iter().map(ToString::to_string).collect::<String>().replace(' ', "")
    }

    #[test]
    fn a_buffer_of_numbers_is_written_as_numbers() {
        let text = written(8, b"abc".map(u128::from).as_ref());
        assert_eq!(text, "letbuffer=(*b\"abc\").map(MaybeUninit::new);");
        let text = written(8, &[0, 200, 7]);
        assert!(text.starts_with("letbuffer=[") && text.ends_with("].map(MaybeUninit::new);"), "{text}");
        assert_eq!(written(16, &[1, 2, 700]), "letbuffer=[1,2,700].map(MaybeUninit::new);");
        assert_eq!(written(8, &[7]), "letbuffer=[MaybeUninit::new(7)];");
    }
}
