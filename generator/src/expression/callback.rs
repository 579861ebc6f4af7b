//! Stand-ins for callbacks of the program: a closure whose text names what only the program has gives nothing in the test, or
//! what is nothing of its kind. Only where it is asked for, since nothing better reproduces the crash, and where debug
//! info tells what it gives. What such a test shows is for its runs to tell.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use relapse_snapshot::{StdType, TypeId, TypeKind, Value};

use super::Unwritable;
use super::type_name::definition;
use super::writer::{Place, Saved, Writer};

/// More parameters are not written.
const MOST_PARAMETERS: usize = 16;

impl<'a> Writer<'a> {
    /// `|_, _| {}` for a closure that was refused.
    pub(super) fn callback(
        &mut self,
        value: &Value,
        (place, annotated): (Place, bool),
        mark: Option<Saved<'a>>,
        refused: Unwritable,
    ) -> Result<TokenStream, Unwritable> {
        let shape = self.shape(value.ty)?;
        let TypeKind::Closure { written: Some(text), .. } = &shape.kind else { return Err(refused) };
        let nothing = text.gives.and_then(|gives| self.nothing_of(gives));
        let (Some(mark), Some(nothing), true) = (mark, nothing, text.parameters.len() <= MOST_PARAMETERS)
        else {
            return Err(refused);
        };
        let places = text.parameters.iter().map(|_| quote!(_));
        let Ok(mut closure) = syn::parse2::<syn::ExprClosure>(quote!(|#(#places),*| #nothing)) else {
            return Err(refused);
        };
        self.restore(mark);
        if annotated {
            self.annotate(&mut closure, text);
        }
        self.suspect = true;
        let tokens = closure.to_token_stream();
        Ok(if place.operand { quote!((#tokens)) } else { tokens })
    }

    /// What is nothing of a type that says what that is.
    fn nothing_of(&self, ty: TypeId) -> Option<TokenStream> {
        let shape = self.types.get(ty)?;
        match &shape.kind {
            TypeKind::Tuple(items) if items.is_empty() => Some(quote!({})),
            TypeKind::Bool => Some(quote!(false)),
            TypeKind::Integer { .. } => Some(quote!(0)),
            TypeKind::Float { .. } => Some(quote!(0.0)),
            TypeKind::Std { std: StdType::String, .. } => Some(quote!(String::new())),
            TypeKind::Std { std: StdType::Vec, .. } => Some(quote!(Vec::new())),
            TypeKind::Enum { params, .. } => match (&*definition(&shape.name)?, params.as_slice()) {
                ("core::option::Option", _) if self.names.means_prelude("None") => Some(quote!(None)),
                ("core::result::Result", [given, _]) if self.names.means_prelude("Ok") => {
                    let is_unit =
                        matches!(&self.types.get(*given)?.kind, TypeKind::Tuple(items) if items.is_empty());
                    is_unit.then(|| quote!(Ok(())))
                }
                _ => None,
            },
            _ => None,
        }
    }
}
