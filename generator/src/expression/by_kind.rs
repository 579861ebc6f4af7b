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
        if let Some(key) = relapse_snapshot::graph::place(value) {
            return self.elsewhere(key, place);
        }
        match self.as_dynamic(value, place).or_else(|| self.as_function(value, place)) {
            Some(written) => written,
            None => self.by_rule_or_made(value, place),
        }
    }

    /// The same, as its data says.
    pub(super) fn by_rule(&mut self, value: &Value, place: Place) -> Result<TokenStream, Unwritable> {
        let shape = self.shape(value.ty)?;
        if let Data::Missing(reason) = &value.data
            && !matches!(shape.kind, TypeKind::FunctionPointer | TypeKind::Closure { .. })
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
        if let TypeKind::Reference { to, mutable: false } = &shape.kind
            && !self.is_sized(*to)
            && let Some(built) = self.by_reference_rule(value, self.shape(*to)?, place)
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
                let mark = self.mark();
                let written = self.structure(shape, path, fields, *tuple, params, place);
                written.or_else(|refused| self.at_home(value, shape, mark, refused))
            }
            (TypeKind::Enum { variants, params }, Data::Variant { name, fields }) => {
                let mark = self.mark();
                let written = self.variant(shape, path, (variants, params), name, fields, place);
                written.or_else(|refused| self.at_home(value, shape, mark, refused))
            }
            // Its one field stands for all of them.
            (TypeKind::Union, Data::Struct(fields)) if fields.len() == 1 => {
                self.structure(shape, path, fields, false, &[], place)
            }
            (TypeKind::Reference { to, mutable }, _) => self.reference(value, *to, *mutable, place),
            (TypeKind::Std { std, params }, _) => self.std(*std, params, value, shape, place),
            (TypeKind::RawPointer { to, mutable }, Data::Pointer { .. }) => {
                self.raw_pointer(value, *to, *mutable, place)
            }
            (TypeKind::Closure { .. }, _) if self.is_closure(value.ty) => self.closure(value, place, true),
            (TypeKind::Closure { captures, .. }, _) if captures.is_empty() => {
                self.function_item(shape, path, value.ty)
            }
            (kind, _) => Err(self.unwritable_kind(shape, kind)),
        }
    }
}
