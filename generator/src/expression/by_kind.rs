//! Which rule writes a value: the one place that knows all of them.

use proc_macro2::TokenStream;
use quote::quote;
use relapse_snapshot::{Data, TypeKind, Value};

use super::type_name::definition;
use super::writer::{Place, Writer};
use super::{Unwritable, crate_rules, std_rules};
use crate::hostile::literal;

impl Writer<'_> {
    /// Writes a value by the rule for its definition, or by what kind of type it has.
    pub(super) fn by_kind(&mut self, value: &Value, place: Place) -> Result<TokenStream, Unwritable> {
        if let Some(stand_in) = self.stand_ins.of(value.ty) {
            return self.stand_in(value, stand_in, place);
        }
        if let Data::Elsewhere { address } = value.data {
            return self.elsewhere(value.ty, address, place);
        }
        let shape = self.shape(value.ty)?;
        if let Data::Missing(reason) = &value.data
            && !matches!(
                shape.kind,
                TypeKind::FunctionPointer | TypeKind::Closure { .. } | TypeKind::Dyn | TypeKind::Union
            )
        {
            return Err(self.refuse(format!("could not be read: {reason}")));
        }
        let path = definition(&shape.name);
        if let Some(rule) = path.as_deref().and_then(std_rules::rule) {
            return rule(self, std_rules::Of { value, shape, place });
        }
        if let Some(path) = path.as_deref().filter(|_| crate_rules::is_candidate(&shape.kind, &value.data))
            && let Some(built) = self.by_crate_rule(value, shape, path, place)
        {
            return built;
        }
        match (&shape.kind, &value.data) {
            (TypeKind::Bool, Data::Bool(value)) => Ok(quote!(#value)),
            (TypeKind::Char, Data::Char(c)) => Ok(literal::char(*c)),
            (TypeKind::Integer { signed, bits }, data) => self.integer(shape, *signed, *bits, data, place),
            (TypeKind::Float { bits }, Data::Float(raw)) => self.float(shape, *bits, *raw, place),
            (TypeKind::Tuple(_), Data::Tuple(items)) => self.tuple(items, place),
            (TypeKind::Array { .. }, data) => self.array(shape, data, place),
            (TypeKind::Struct { params, tuple, .. }, Data::Struct(fields)) => {
                self.structure(shape, path, fields, *tuple, params, place)
            }
            (TypeKind::Enum { variants, params }, Data::Variant { name, fields }) => {
                self.variant(shape, path, (variants, params), name, fields, place)
            }
            (TypeKind::Reference { to, mutable }, _) => self.reference(value, *to, *mutable, place),
            (TypeKind::Std { std, params }, _) => self.std(*std, params, value, shape, place),
            (TypeKind::RawPointer { mutable, .. }, Data::Pointer { address: 0, .. }) => {
                let name = if *mutable { "core::ptr::null_mut" } else { "core::ptr::null" };
                let function = self.name(name)?;
                Ok(quote!(#function()))
            }
            (TypeKind::Closure { captures }, _) if captures.is_empty() => self.function_item(shape, path),
            (kind, _) => Err(self.unwritable_kind(shape, kind)),
        }
    }
}
