//! Sets of flags as the `bitflags` crate's macro makes them: a whole kind of types, told by its shape and not by
//! name. Version 2 wraps an `InternalBitFlags`, version 1 has the one field `bits`.

use proc_macro2::{Ident, TokenStream};
use quote::quote;
use relapse_snapshot::{Data, Field, TypeKind, TypeShape, Value};

use crate::expression::Unwritable;
use crate::expression::type_name::definition;
use crate::expression::writer::{Place, Writer};
use crate::hostile::{identifier, literal};

/// More flags than these say no more than their bits.
const MOST_NAMED: usize = 8;

impl Writer<'_> {
    /// `Flags::READ | Flags::RUN`, `Flags::from_bits_retain(0x3)`, `Flags::empty()`; `None` where the value is no set of flags.
    pub(super) fn flags(
        &self,
        value: &Value,
        shape: &TypeShape,
        path: &str,
        place: Place,
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
            Ok(bits) => match named(bits, &self.names.flags(path)) {
                Some(flags) => {
                    return with_name(&|name| {
                        let all = quote!(#(#name::#flags)|*);
                        if place.operand && flags.len() > 1 { quote!((#all)) } else { all }
                    });
                }
                None => literal::hexadecimal(bits, 1),
            },
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

/// The flags that have these bits together: one alone, else those of a single bit.
fn named(bits: u128, flags: &[(String, u128)]) -> Option<Vec<Ident>> {
    if let Some((name, _)) = flags.iter().find(|(_, own)| *own == bits) {
        return Some(vec![identifier(name)?]);
    }
    let (mut left, mut found) = (bits, Vec::new());
    for (name, own) in flags {
        if own.is_power_of_two() && left & own != 0 && found.len() < MOST_NAMED {
            left &= !own;
            found.push(identifier(name)?);
        }
    }
    (left == 0).then_some(found)
}

fn number(value: &Value) -> Option<i128> {
    match value.data {
        Data::Int(number) => Some(number),
        Data::Uint(number) => i128::try_from(number).ok(),
        _ => None,
    }
}
