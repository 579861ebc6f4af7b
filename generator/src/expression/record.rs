//! Structs and the variants of enums: by a literal where their fields can be seen, else by a constructor, or as what is
//! left of a default. In: the fields as read. Out: an expression.

use proc_macro2::TokenStream;
use quote::quote;
use relapse_snapshot::{Field, TypeId, TypeKind, TypeShape, VariantShape};

use super::Unwritable;
use super::defaults::Mostly;
use super::writer::{MAX_TYPES, OPTION, Place, RESULT, Writer, is_just};
use crate::hostile::identifier;

impl Writer<'_> {
    pub(super) fn structure(
        &mut self,
        shape: &TypeShape,
        path: Option<String>,
        fields: &[Field],
        tuple: bool,
        params: &[TypeId],
        place: Place,
    ) -> Result<TokenStream, Unwritable> {
        let path = self.path_of(shape, path)?;
        let generic = !params.is_empty();
        let typed = place.typed && generic;
        if self.names.literal(&path).is_err() {
            if let Some(own) = self.own_constructor(&path, fields) {
                return self.constructed(&own, fields, params, Place { typed, ..place });
            }
            // Where a parameter cannot be written, a constructor may do with the fields.
            let mark = self.save();
            let failed = match self.by_ways(&path, fields, params, Place { typed, ..place }) {
                Ok(Some(chain)) => return Ok(chain),
                Ok(None) => None,
                Err(unwritable) => {
                    self.restore(mark);
                    Some(unwritable)
                }
            };
            let names: Vec<&str> = fields.iter().map(|field| field.name.as_str()).collect();
            let constructor = self.names.constructor(&path, &names);
            if constructor.is_err()
                && let Some(read) = self.deserialized(shape, &path, fields, place.typed)
            {
                return Ok(read);
            }
            let constructor =
                constructor.map_err(|unnameable| failed.unwrap_or_else(|| self.refuse(unnameable.0)))?;
            let place = Place { coerces: !generic, typed, ..place.within_call() };
            let fields = self.fields(fields, params, place)?;
            return Ok(quote!(#constructor(#(#fields),*)));
        }
        let name = if tuple { self.tuple_constructor(&path)? } else { self.name(&path)? };
        if fields.is_empty() && !tuple && self.names.is_braced(&path, None) {
            return Ok(quote!(#name {}));
        }
        if !tuple && !generic {
            match self.mostly_default(&path, fields) {
                Mostly::Written => {}
                Mostly::Default => return Ok(quote!(#name::default())),
                Mostly::Others(others) => {
                    // No copies: what waits to be set, or has another name, is known by where it stands.
                    let fields: Vec<&Field> = others.iter().map(|at| &fields[*at]).collect();
                    return self.braced(&name, &fields, params, place, Some(Self::rest_of(&name)));
                }
            }
        }
        let place = Place { typed, ..place };
        let read: Vec<&str> = fields.iter().map(|field| field.name.as_str()).collect();
        let of_tests = if tuple { Vec::new() } else { self.names.test_fields(&path, &read) };
        if !of_tests.is_empty() {
            let more = of_tests.iter().map(|(field, value)| quote!(#field: #value));
            let fields: Vec<&Field> = fields.iter().collect();
            return self.braced(&name, &fields, params, place, Some(quote!(#(#more),*)));
        }
        self.fields_of(&name, fields, tuple, params, place)
    }

    fn path_of(&self, shape: &TypeShape, path: Option<String>) -> Result<String, Unwritable> {
        let path = path.ok_or_else(|| self.refuse(format!("{} has no path", shape.name)))?;
        if path.contains('{') {
            return Err(self.refuse(format!(
                "{} is declared inside a function, where a test cannot name it",
                shape.name
            )));
        }
        Ok(path)
    }

    /// Only a field whose type speaks of a generic argument tells what that is, and so has to say its type.
    pub(super) fn fields<'v>(
        &mut self,
        fields: impl IntoIterator<Item = &'v Field>,
        params: &[TypeId],
        place: Place,
    ) -> Result<Vec<TokenStream>, Unwritable> {
        let mut written = Vec::new();
        for field in fields {
            let typed = place.typed && params.iter().any(|param| self.speaks_of(field.value.ty, *param));
            written.push(self.part(&format!(".{}", field.name), &field.value, Place { typed, ..place })?);
        }
        Ok(written)
    }

    /// Whether a type is `param` or is made of it, as far as shapes tell: a struct's own arguments, not its fields.
    fn speaks_of(&self, ty: TypeId, param: TypeId) -> bool {
        let (mut open, mut seen) = (vec![ty], Vec::new());
        while let Some(id) = open.pop() {
            if id == param {
                return true;
            }
            if seen.contains(&id) || seen.len() > MAX_TYPES {
                continue;
            }
            seen.push(id);
            match self.types.get(id).map(|shape| &shape.kind) {
                Some(TypeKind::Tuple(items) | TypeKind::Std { params: items, .. }) => open.extend(items),
                Some(TypeKind::Struct { params: items, .. } | TypeKind::Enum { params: items, .. }) => {
                    open.extend(items);
                }
                Some(TypeKind::Array { of: to, .. } | TypeKind::Slice(to)) => open.push(*to),
                Some(TypeKind::Reference { to, .. } | TypeKind::RawPointer { to, .. }) => open.push(*to),
                _ => {}
            }
        }
        false
    }

    /// `P(1)`, `P { x: 1 }` or `P`.
    fn fields_of(
        &mut self,
        name: &TokenStream,
        fields: &[Field],
        tuple: bool,
        params: &[TypeId],
        place: Place,
    ) -> Result<TokenStream, Unwritable> {
        let generic = !params.is_empty();
        if tuple {
            let place = Place { coerces: !generic, ..place.within_call() };
            let fields = self.fields(fields, params, place)?;
            return Ok(quote!(#name(#(#fields),*)));
        }
        if fields.is_empty() {
            return Ok(name.clone());
        }
        self.braced(name, &fields.iter().collect::<Vec<_>>(), params, place, None)
    }

    /// `P { x: 1 }`, with what stands after the fields.
    fn braced(
        &mut self,
        name: &TokenStream,
        fields: &[&Field],
        params: &[TypeId],
        place: Place,
        rest: Option<TokenStream>,
    ) -> Result<TokenStream, Unwritable> {
        let place = Place { coerces: params.is_empty(), operand: false, ..place };
        let values = self.fields(fields.iter().copied(), params, place)?;
        let idents = fields
            .iter()
            .map(|field| {
                identifier(&field.name)
                    .ok_or_else(|| self.refuse(format!("a field without a name in {name}")))
            })
            .collect::<Result<Vec<_>, _>>()?;
        // A variable that has the field's name is the field.
        let fields = idents.iter().zip(&values).map(|(field, value)| {
            if is_just(value, field) { quote!(#field) } else { quote!(#field: #value) }
        });
        Ok(match rest {
            None => quote!(#name { #(#fields),* }),
            Some(rest) => quote!(#name { #(#fields,)* #rest }),
        })
    }

    pub(super) fn variant(
        &mut self,
        shape: &TypeShape,
        path: Option<String>,
        (variants, params): (&[VariantShape], &[TypeId]),
        variant: &str,
        fields: &[Field],
        place: Place,
    ) -> Result<TokenStream, Unwritable> {
        let path = self.path_of(shape, path)?;
        let of_std = path == OPTION || path == RESULT;
        if !of_std {
            self.names.variant(&path, variant).map_err(|unnameable| self.refuse(unnameable.0))?;
        }
        let known = variants
            .iter()
            .find(|v| v.name == variant)
            .ok_or_else(|| self.refuse(format!("no variant {variant} in {}", shape.name)))?;
        let ident = identifier(variant).ok_or_else(|| self.mismatch(shape))?;
        // What the fields do not say must stand in the path: `None::<u8>`, `Ok::<u8, String>(5)`.
        let spelled = place.typed && !params.is_empty() && !(path == OPTION && variant == "Some");
        let turbofish = if spelled { self.turbofish(params) } else { None };
        let name = if of_std && self.names.means_prelude(variant) {
            quote!(#ident #turbofish)
        } else {
            let name = self.name(&path)?;
            quote!(#name #turbofish::#ident)
        };
        if fields.is_empty() && self.names.is_braced(&path, Some(variant)) {
            return Ok(quote!(#name {}));
        }
        let generic = !params.is_empty();
        let place = Place { typed: place.typed && generic, ..place };
        let tuple = known.tuple || fields.first().is_some_and(|field| field.name == "0");
        self.fields_of(&name, fields, tuple, params, place)
    }
}
