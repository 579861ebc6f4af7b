//! Sets of flags as the `bitflags` crate's macro makes them: a whole kind of types, told by its shape and not by
//! name. Version 2 wraps an `InternalBitFlags`, version 1 has the one field `bits`.

use proc_macro2::TokenStream;
use quote::quote;
use relapse_snapshot::{Data, Field, TypeKind, TypeShape, Value};

use crate::expression::Unwritable;
use crate::expression::type_name::definition;
use crate::expression::writer::Writer;
use crate::hostile::literal;

impl Writer<'_> {
    /// `Flags::from_bits_retain(0x3)`, `Flags::empty()`; `None` where the value is no set of flags.
    pub(super) fn flags(
        &self,
        value: &Value,
        shape: &TypeShape,
        path: &str,
    ) -> Option<Result<TokenStream, Unwritable>> {
        let (Data::Struct(fields), TypeKind::Struct { .. }) = (&value.data, &shape.kind) else { return None };
        let [only] = fields.as_slice() else { return None };
        let name = self.names.path(path);
        let with_name = |write: &dyn Fn(TokenStream) -> TokenStream| {
            Some(name.clone().map(write).map_err(|unnameable| self.refuse(unnameable.0)))
        };
        let (number, retain) = match self.internal_bits(only) {
            Some(number) => (number, true),
            None if only.name == "bits" && self.names.is_made_by(path, "bitflags") => {
                (number(&only.value)?, false)
            }
            None => return None,
        };
        let bits = match u128::try_from(number) {
            Ok(0) => return with_name(&|name| quote!(#name::empty())),
            Ok(bits) => literal::hexadecimal(bits, 1),
            Err(_) => literal::integer(number.unsigned_abs(), true, "i128", false)?,
        };
        // Version 1 has no safe constructor that keeps unknown bits: unwrapping tells of them.
        with_name(&|name| {
            if retain {
                quote!(#name::from_bits_retain(#bits))
            } else {
                quote!(#name::from_bits(#bits).unwrap())
            }
        })
    }

    /// The number in version 2's inner type.
    fn internal_bits(&self, only: &Field) -> Option<i128> {
        let inner = definition(self.types.name(only.value.ty))?;
        let Data::Struct(fields) = &only.value.data else { return None };
        let ([bits], true) = (fields.as_slice(), only.name == "0" && inner.ends_with("::InternalBitFlags"))
        else {
            return None;
        };
        number(&bits.value)
    }
}

fn number(value: &Value) -> Option<i128> {
    match value.data {
        Data::Int(number) => Some(number),
        Data::Uint(number) => i128::try_from(number).ok(),
        _ => None,
    }
}
