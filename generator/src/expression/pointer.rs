//! References, `Box`, `Rc`, `Arc`: what they point to, and where that must live. A reference under a call
//! would outlive its temporary, so its target gets a `let` of its own, unless rustc makes it a constant.

use proc_macro2::TokenStream;
use quote::quote;
use relapse_snapshot::{Data, StdType, TypeId, TypeKind, TypeShape, Value};

use super::Unwritable;
use super::std_rules::c_text;
use super::writer::{OPTION, Place, Writer};

impl Writer<'_> {
    /// `&T` or `&mut T` within a value, or `&[T]`, `&str`, `&Path` anywhere.
    pub(super) fn reference(
        &mut self,
        value: &Value,
        to: TypeId,
        mutable: bool,
        place: Place,
    ) -> Result<TokenStream, Unwritable> {
        if let Some(sink) = self.dyn_sink(to).filter(|_| mutable) {
            let owner = self.hoist(true, to, place.typed, |_, _| Ok(sink))?;
            return Ok(quote!(&mut #owner));
        }
        if let Some(known) = self.known_thing(value) {
            return Ok(known);
        }
        let pointee = self.pointee(value, to)?;
        let inner = &*pointee;
        let shape = self.shape(to)?;
        if !mutable && let Some(part) = self.part_of_text(value, inner, place)? {
            return Ok(part);
        }
        match &shape.kind {
            TypeKind::Str if !mutable => self.text(inner),
            _ if shape.name == c_text::DEFINITION && !mutable => self.c_text(inner, shape),
            TypeKind::Slice(_) if !mutable => self.slice(inner, to, place),
            TypeKind::Std { std: StdType::Path | StdType::OsStr, .. } if !mutable => {
                self.path_like(inner, shape)
            }
            TypeKind::Str
            | TypeKind::Slice(_)
            | TypeKind::Std { std: StdType::Path | StdType::OsStr, .. } => {
                let owner = self.hoist(true, to, place.typed, |w, place| w.owner_of_unsized(inner, place))?;
                Ok(match &shape.kind {
                    TypeKind::Slice(_) if !place.coerces => quote!(&mut #owner[..]),
                    TypeKind::Slice(_) => quote!(&mut #owner),
                    _ => quote!(&mut *#owner),
                })
            }
            _ => self.reference_to_sized(value, inner, mutable, place),
        }
    }

    fn reference_to_sized(
        &mut self,
        reference: &Value,
        inner: &Value,
        mutable: bool,
        place: Place,
    ) -> Result<TokenStream, Unwritable> {
        let is_one = self.is_one_thing(reference);
        let constant = !mutable && !is_one && self.is_constant(inner, 0);
        if is_one || !place.extended && !constant {
            let owner = self.hoist(mutable, inner.ty, place.typed, |w, place| w.value(inner, place))?;
            self.remember_thing(reference, &owner);
            return Ok(if mutable { quote!(&mut #owner) } else { quote!(&#owner) });
        }
        let place = Place { coerces: false, operand: true, ..place };
        let operand = self.value(inner, place)?;
        Ok(if mutable { quote!(&mut #operand) } else { quote!(&#operand) })
    }

    /// `&[1, 2]`, `b"…"`, or with `[..]` behind it where the place does not make a slice of an array.
    fn slice(&mut self, inner: &Value, slice: TypeId, place: Place) -> Result<TokenStream, Unwritable> {
        let constant = match &inner.data {
            Data::Sequence { items, .. } => items.iter().all(|item| self.is_constant(item, 0)),
            _ => true,
        };
        let array = match &inner.data {
            Data::Bytes { bytes, len } => self.bytes(bytes, *len, place.typed)?.reference(),
            Data::Sequence { items, len } => {
                self.whole(items.len(), *len, "elements")?;
                if let Some(references) = self.references(items, place)? {
                    let owner = self.hoist(false, slice, false, |_, _| Ok(references))?;
                    return Ok(if place.coerces { quote!(&#owner) } else { quote!(&#owner[..]) });
                }
                if items.is_empty() && place.typed {
                    return Ok(match self.type_tokens(slice) {
                        Some(slice) => quote!(<&#slice>::default()),
                        None => quote!(&[]),
                    });
                }
                let large =
                    !constant && items.first().is_some_and(|item| self.is_large(items.len(), &[item.ty]));
                let write = |writer: &mut Self, place: Place| {
                    let list =
                        writer.list(items, if large { place.within_call() } else { place.element() })?;
                    Ok(if large { quote!(vec! #list) } else { list })
                };
                if constant || place.extended {
                    let list = write(self, place)?;
                    quote!(&#list)
                } else {
                    let owner = self.hoist(false, slice, place.typed, write)?;
                    quote!(&#owner)
                }
            }
            _ => return Err(self.mismatch(self.shape(slice)?)),
        };
        Ok(match (place.coerces, starts_with_reference(&array)) {
            (true, _) => array,
            (false, true) => quote!(#array[..]),
            (false, false) => quote!(&#array[..]),
        })
    }

    /// What a `&mut [T]`, `&mut str` borrows from.
    pub(super) fn owner_of_unsized(
        &mut self,
        inner: &Value,
        place: Place,
    ) -> Result<TokenStream, Unwritable> {
        let shape = self.shape(inner.ty)?;
        match (&shape.kind, &inner.data) {
            (TypeKind::Slice(_), Data::Bytes { bytes, len }) => {
                Ok(self.bytes(bytes, *len, place.typed)?.array())
            }
            (TypeKind::Slice(_), Data::Sequence { items, len }) => {
                self.whole(items.len(), *len, "elements")?;
                self.list(items, place.element())
            }
            (TypeKind::Str, _) => {
                let text = self.text(inner)?;
                let string = self.name("alloc::string::String")?;
                Ok(quote!(#string::from(#text)))
            }
            (TypeKind::Std { std: StdType::Path, .. }, _) => {
                let path = self.path_like(inner, shape)?;
                Ok(quote!(#path.to_path_buf()))
            }
            (TypeKind::Std { std: StdType::OsStr, .. }, _) => {
                let text = self.path_like(inner, shape)?;
                Ok(quote!(#text.to_os_string()))
            }
            (kind, _) => Err(self.refuse(match kind {
                TypeKind::Dyn => {
                    format!("a trait object ({}), whose concrete type was not read", shape.name)
                }
                _ => format!("a reference to {}", shape.name),
            })),
        }
    }

    /// Whether `&value` lives for ever: rustc promotes what is constant and has nothing to drop.
    pub(super) fn is_constant(&self, value: &Value, depth: usize) -> bool {
        let Some(shape) = self.types.get(value.ty) else { return false };
        if depth > 16 {
            return false;
        }
        let deeper = |v: &Value| self.is_constant(v, depth + 1);
        match (&shape.kind, &value.data) {
            (TypeKind::Bool | TypeKind::Char | TypeKind::Integer { .. }, _) => true,
            (TypeKind::Float { bits }, Data::Float(raw)) => {
                // `from_bits` is a call.
                !(if *bits == 32 {
                    f32::from_bits(*raw as u32).is_nan()
                } else {
                    f64::from_bits(*raw).is_nan()
                })
            }
            (TypeKind::Tuple(_), Data::Tuple(items)) => items.iter().all(deeper),
            (TypeKind::Array { .. }, Data::Sequence { items, .. }) => items.iter().all(deeper),
            (TypeKind::Array { .. }, Data::Bytes { .. }) => true,
            (TypeKind::Enum { .. }, Data::Variant { fields, .. }) => {
                super::definition(&shape.name).as_deref() == Some(OPTION)
                    && fields.iter().all(|field| deeper(&field.value))
            }
            (TypeKind::Reference { to, mutable: false }, data) => {
                match (self.types.get(*to).map(|shape| &shape.kind), data) {
                    (Some(TypeKind::Str), _) => !self.is_part_of_text(value),
                    (Some(TypeKind::Slice(_)), _) => false,
                    (_, Data::Pointer { to: Some(inner), .. }) => {
                        !self.is_one_thing(value) && self.is_sized(*to) && deeper(inner)
                    }
                    _ => false,
                }
            }
            _ => false,
        }
    }

    /// `Box`, `Rc`, `Arc`, by the path of their own definition.
    pub(super) fn owner(
        &mut self,
        std: StdType,
        to: Option<TypeId>,
        value: &Value,
        shape: &TypeShape,
        place: Place,
    ) -> Result<TokenStream, Unwritable> {
        let owner = self.name_of(shape)?;
        let address = match &value.data {
            Data::Pointer { address, .. } => *address,
            _ => 0,
        };
        if std != StdType::Box && self.scope.shared.contains_key(&address) {
            return self.shared_owner(std, to, value, &owner, place);
        }
        self.new_owner(std, to, value, &owner, place)
    }

    pub(super) fn new_owner(
        &mut self,
        std: StdType,
        to: Option<TypeId>,
        value: &Value,
        owner: &TokenStream,
        place: Place,
    ) -> Result<TokenStream, Unwritable> {
        if let Some(sink) = to.and_then(|to| self.dyn_sink(to)).filter(|_| std == StdType::Box) {
            return Ok(quote!(#owner::new(#sink)));
        }
        let Data::Pointer { to: Some(inner), .. } = &value.data else {
            return Err(self.refuse("what it points to was not read"));
        };
        let to = to.unwrap_or(inner.ty);
        let pointee = self.shape(inner.ty)?;
        let place = place.within_call();
        let turbofish = if place.typed { self.turbofish(&[to]) } else { None };
        match &pointee.kind {
            TypeKind::Str => {
                let text = self.text(inner)?;
                Ok(quote!(#owner #turbofish::from(#text)))
            }
            TypeKind::Slice(_) => {
                let items = self.vector(inner, pointee, None, place)?;
                Ok(if std == StdType::Box {
                    quote!(#items.into_boxed_slice())
                } else {
                    quote!(#owner #turbofish::from(#items))
                })
            }
            TypeKind::Std { std: StdType::Path | StdType::OsStr, .. } => {
                let path = self.path_like(inner, pointee)?;
                Ok(quote!(#owner #turbofish::from(#path)))
            }
            _ => {
                if std == StdType::Arc {
                    self.allow_arc_of_one_thread(to);
                }
                let inner = self.value(inner, place)?;
                Ok(quote!(#owner::new(#inner)))
            }
        }
    }
}

pub(super) fn starts_with_reference(tokens: &TokenStream) -> bool {
    matches!(
        tokens.clone().into_iter().next(),
        Some(proc_macro2::TokenTree::Punct(punct)) if punct.as_char() == '&'
    )
}
