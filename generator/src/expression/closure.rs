//! Closures: the text that their source has, behind variables for what they have captured. In: the captures as they were
//! read. Never: a closure that is not in the source.

use std::collections::HashMap;

use proc_macro2::{Group, Ident, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use relapse_snapshot::{ClosureText, Data, Field, FieldShape, StdType, TypeId, TypeKind, Value};

use super::Unwritable;
use super::writer::{Place, Writer, variable_of};
use crate::names::{Callbacks, CapturedPlace};

/// References to references to a closure that are passed with it.
const DEEPEST: usize = 8;

impl Writer<'_> {
    /// A closure, or references to one, as it stands between the brackets of the call, where its parameters' types are known;
    /// `None` for everything else.
    pub(super) fn closure_argument(
        &mut self,
        value: &Value,
        typed: bool,
    ) -> Result<Option<TokenStream>, Unwritable> {
        let (mut inner, mut references) = (value, TokenStream::new());
        for _ in 0..DEEPEST {
            match (self.types.get(inner.ty).map(|shape| &shape.kind), &inner.data) {
                (Some(TypeKind::Reference { mutable, .. }), Data::Pointer { to: Some(to), .. }) => {
                    references.extend(if *mutable { quote!(&mut) } else { quote!(&) });
                    inner = to;
                }
                _ => break,
            }
        }
        if self.is_closure(inner.ty) {
            let closure = self.closure(inner, Place { extended: false, ..Place::binding(typed) }, false)?;
            return Ok(Some(quote!(#references #closure)));
        }
        Ok(None)
    }

    /// Whether a type is that of a closure, not of a function item.
    pub(super) fn is_closure(&self, ty: TypeId) -> bool {
        self.types.get(ty).is_some_and(|shape| {
            let path = shape.name.split('<').next().unwrap_or_default();
            let last = path.rsplit("::").next().unwrap_or_default();
            matches!(shape.kind, TypeKind::Closure { .. }) && last.starts_with("{closure_env#")
        })
    }

    /// `|x| x + base`, after a `let` for each of what it has captured. `annotated`: nothing around it tells the types of its
    /// parameters.
    pub(super) fn closure(
        &mut self,
        value: &Value,
        place: Place,
        annotated: bool,
    ) -> Result<TokenStream, Unwritable> {
        let callbacks = self.names.callbacks();
        let (first, second) = match callbacks {
            Callbacks::AsWritten => return self.closure_as_written(value, place, annotated),
            Callbacks::WhereRefused => (None, self.mark()),
            Callbacks::StandIns => (self.mark(), None),
        };
        let refused = self.refuse("a callback");
        self.callback(value, (place, annotated), first, refused)
            .or_else(|_| self.closure_as_written(value, place, annotated))
            .or_else(|refused| self.callback(value, (place, annotated), second, refused))
    }

    fn closure_as_written(
        &mut self,
        value: &Value,
        place: Place,
        annotated: bool,
    ) -> Result<TokenStream, Unwritable> {
        let shape = self.shape(value.ty)?;
        let TypeKind::Closure { captures, written } = &shape.kind else { return Err(self.mismatch(shape)) };
        let Some(text) = written else {
            let name = &shape.name;
            return Err(
                self.refuse(format!("a closure ({name}): its debug info does not say where it is written"))
            );
        };
        let fields: &[Field] = match &value.data {
            Data::Struct(fields) if fields.len() == captures.len() => fields,
            Data::Missing(_) if captures.is_empty() => &[],
            Data::Missing(reason) => return Err(self.refuse(format!("could not be read: {reason}"))),
            _ => return Err(self.mismatch(shape)),
        };
        let fits = |(field, shape): (&Field, &FieldShape)| field.name == shape.name;
        if !fields.iter().zip(captures).all(fits) {
            return Err(self.mismatch(shape));
        }
        let names: Vec<&str> = captures.iter().map(|field| field.name.as_str()).collect();
        let rebuilt = self.names.closure(&shape.name, text, &names);
        let mut rebuilt = rebuilt.map_err(|unnameable| self.refuse(unnameable.0))?;
        let mut variables = HashMap::new();
        for (captured, field) in rebuilt.captures.iter().zip(fields) {
            let variable = self.captured(captured, field, place.typed)?;
            if captured.in_format && variable != captured.variable.as_str() {
                return Err(self.refuse(format!(
                    "a closure that names `{}` in a format string, which is taken here",
                    captured.variable
                )));
            }
            variables.insert(captured.placeholder.to_string(), variable);
        }
        if annotated {
            self.annotate(&mut rebuilt.closure, text);
        }
        let tokens = put(rebuilt.closure.to_token_stream(), &variables);
        Ok(if place.operand { quote!((#tokens)) } else { tokens })
    }

    /// The variable for one captured place.
    fn captured(
        &mut self,
        captured: &CapturedPlace,
        field: &Field,
        typed: bool,
    ) -> Result<Ident, Unwritable> {
        let step = format!(".{}", captured.variable);
        let mut value = &field.value;
        let mut mutable = captured.changed;
        let name = match captured.variable.as_str() {
            "self" => variable_of(self.types, value.ty),
            name => name.to_owned(),
        };
        let shape = self.shape(value.ty)?;
        let borrowed = match (&value.data, &shape.kind) {
            (Data::Pointer { address, .. }, TypeKind::Reference { to, mutable: false })
                if captured.by_reference && *address != 0 =>
            {
                Some((*address, *to, self.was_reference(captured, *to, false)))
            }
            _ => None,
        };
        if let Some(known) = borrowed.and_then(|key| self.scope.borrowed.get(&key)) {
            return Ok(known.clone());
        }
        if captured.by_reference
            && let TypeKind::Reference { to, mutable: exclusive } = shape.kind
            && let Data::Pointer { to: Some(inner), .. } = &value.data
            && self.is_sized(to)
            && !self.was_reference(captured, to, exclusive)
        {
            (value, mutable) = (inner, exclusive);
        }
        let variable =
            self.hoist_as(&name, mutable, typed, |writer, place| writer.part(&step, value, place))?;
        if let Some(key) = borrowed {
            self.scope.borrowed.insert(key, variable.clone());
        }
        Ok(variable)
    }

    /// Whether the variable was a reference itself. rustc captures what it points to, under the same name.
    fn was_reference(&self, captured: &CapturedPlace, to: TypeId, exclusive: bool) -> bool {
        captured.dereferenced && !self.is_pointer_type(to)
            // The value itself would have been moved into the closure.
            || captured.handed_on && (exclusive || !self.is_copy(to))
    }

    /// Whether a `*` before a value of the type calls its `Deref`: then the variable is the value itself.
    fn is_pointer_type(&self, ty: TypeId) -> bool {
        match self.types.get(ty).map(|shape| &shape.kind) {
            Some(TypeKind::Std { std, .. }) => matches!(std, StdType::Rc | StdType::Arc),
            Some(TypeKind::Reference { .. }) => true,
            Some(TypeKind::Struct { .. }) => {
                let name = self.types.name(ty);
                ["core::cell::Ref", "std::sync::", "core::pin::Pin"]
                    .iter()
                    .any(|known| name.starts_with(known))
            }
            _ => false,
        }
    }

    /// Gives the parameters their types, where debug info has them and they can be named.
    pub(super) fn annotate(&self, closure: &mut syn::ExprClosure, text: &ClosureText) {
        if closure.inputs.len() != text.parameters.len() {
            return;
        }
        for (input, parameter) in closure.inputs.iter_mut().zip(&text.parameters) {
            if matches!(input, syn::Pat::Type(_)) {
                continue;
            }
            let Some(tokens) = self.type_tokens(parameter.ty) else { continue };
            if let Ok(ty) = syn::parse2::<syn::Type>(tokens) {
                *input = syn::Pat::Type(syn::PatType {
                    attrs: Vec::new(),
                    pat: Box::new(input.clone()),
                    colon_token: <syn::Token![:]>::default(),
                    ty: Box::new(ty),
                });
            }
        }
    }
}

/// Puts variables in the places of placeholders, within macros too.
fn put(tokens: TokenStream, variables: &HashMap<String, Ident>) -> TokenStream {
    let one = |tree| match tree {
        TokenTree::Ident(ident) => {
            TokenTree::Ident(variables.get(&ident.to_string()).cloned().unwrap_or(ident))
        }
        TokenTree::Group(group) => {
            let mut inner = Group::new(group.delimiter(), put(group.stream(), variables));
            inner.set_span(group.span());
            TokenTree::Group(inner)
        }
        other => other,
    };
    tokens.into_iter().map(one).collect()
}
