//! Values by their type's own constructor: which one is told by the names at the place. In: the fields as read. Out: a
//! call of it. Never chooses by itself.

use proc_macro2::TokenStream;
use quote::quote;
use relapse_snapshot::{Data, Field, TypeId, Value};

use super::Unwritable;
use super::writer::{Place, Writer};
use crate::names::{Constructed, Seen};

impl Writer<'_> {
    /// The constructor of the type at `path` for a value with these fields.
    pub(super) fn own_constructor(&self, path: &str, fields: &[Field]) -> Option<Constructed> {
        let seen: Vec<Seen<'_>> = fields.iter().map(|field| seen(&field.name, &field.value)).collect();
        self.names.own_constructor(path, &seen)
    }

    /// `Binomial::new(0.5, 3).unwrap()`.
    pub(super) fn constructed(
        &mut self,
        own: &Constructed,
        fields: &[Field],
        params: &[TypeId],
        place: Place,
    ) -> Result<TokenStream, Unwritable> {
        let place = Place { coerces: false, ..place.within_call() };
        let mut arguments = Vec::with_capacity(own.arguments.len());
        for field in own.arguments.iter().filter_map(|index| fields.get(*index)) {
            if own.typed {
                let place = Place { typed: true, ..place };
                arguments.push(self.part(&format!(".{}", field.name), &field.value, place)?);
                continue;
            }
            arguments.extend(self.fields(std::slice::from_ref(field), params, place)?);
        }
        let (call, unwrap) = (&own.call, own.unwrapped.then(|| quote!(.unwrap())));
        Ok(quote!(#call(#(#arguments),*) #unwrap))
    }
}

/// What the choice of a constructor asks of a field.
pub(super) fn seen<'v>(name: &'v str, value: &'v Value) -> Seen<'v> {
    let number = match &value.data {
        Data::Int(number) => Some(*number),
        Data::Uint(number) => i128::try_from(*number).ok(),
        Data::Bool(flag) => Some(i128::from(*flag)),
        _ => None,
    };
    let blank = match &value.data {
        Data::Sequence { len, .. }
        | Data::Map { len, .. }
        | Data::Text { len, .. }
        | Data::Bytes { len, .. } => *len == 0,
        Data::Variant { name, fields } => name == "None" && fields.is_empty(),
        Data::Struct(fields) => fields.is_empty(),
        Data::Tuple(items) => items.is_empty(),
        _ => false,
    };
    Seen { name, blank, number }
}
