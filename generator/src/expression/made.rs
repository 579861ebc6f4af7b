//! Values that their fields do not tell how to build: they are made by the call that made them in the crashed program, with
//! what that was given. In: a value that was refused, the names at the place, which know the calls. Out: an expression.

use proc_macro2::TokenStream;
use quote::quote;
use relapse_snapshot::{Argument, Data, TypeId, TypeKind, Value};

use super::Unwritable;
use super::type_name::definition;
use super::writer::{Place, Saved, Writer};
use crate::names::MadeCall;

impl<'a> Writer<'a> {
    /// The writer before a value that may have to be made anew.
    pub(super) fn mark_for_made(&self, ty: TypeId) -> Option<Saved<'a>> {
        let kind = self.types.get(ty).map(|shape| &shape.kind);
        let is_made = matches!(kind, Some(TypeKind::Struct { .. } | TypeKind::Enum { .. }));
        (is_made && self.names.knows_calls()).then(|| self.mark()).flatten()
    }

    /// A value that was refused here, by the call that made it.
    pub(super) fn made_anew(
        &mut self,
        ty: TypeId,
        mark: Option<Saved<'a>>,
        place: Place,
        refused: Unwritable,
    ) -> Result<TokenStream, Unwritable> {
        let names = self.names;
        let (Some(mark), Some(path)) = (mark, definition(self.types.name(ty))) else { return Err(refused) };
        let Some(Ok(made)) = names.made(&path) else { return Err(refused) };
        self.restore(mark);
        let written = self.call_of(&made, place).map_err(|_| refused)?;
        self.suspect = true;
        Ok(written)
    }

    fn call_of(&mut self, made: &MadeCall<'_>, place: Place) -> Result<TokenStream, Unwritable> {
        let place = Place { typed: made.typed, ..place.within_call() };
        let mut arguments = Vec::with_capacity(made.arguments.len());
        for argument in made.arguments {
            arguments.push(self.named(&argument.name, |writer| writer.given(argument, place))?);
        }
        let (call, unwrap) = (&made.call, made.unwrapped.then(|| quote!(.unwrap())));
        Ok(quote!(#call(#(#arguments),*) #unwrap))
    }

    /// What the call is given. What it made may hold on to what it was lent, so that has a variable.
    fn given(&mut self, argument: &Argument, place: Place) -> Result<TokenStream, Unwritable> {
        let value = &argument.value;
        let shape = self.shape(value.ty)?;
        let lent = match (&shape.kind, &value.data) {
            (TypeKind::Reference { to, mutable }, _) if self.is_sized(*to) => {
                Some((self.pointee(value, *to)?, *mutable))
            }
            _ => None,
        };
        let Some((pointee, mutable)) = lent else { return self.value(value, place) };
        let pointee: &Value = &pointee;
        if matches!(pointee.data, Data::Uint(_) | Data::Int(_) | Data::Bool(_) | Data::Char(_)) && !mutable {
            return self.value(value, place);
        }
        let variable = self
            .hoist_as(&argument.name, mutable, place.typed, |writer, place| writer.value(pointee, place))?;
        Ok(if mutable { quote!(&mut #variable) } else { quote!(&#variable) })
    }
}
