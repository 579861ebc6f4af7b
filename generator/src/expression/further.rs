//! Calls on a part of a value to which a method of it gave access: `doc.section_mut("a").set(1);`. In: the method's call and
//! what was called on what it gave. Out: statements.

use proc_macro2::TokenStream;
use quote::quote;

use super::Unwritable;
use super::type_name::snake_case;
use super::writer::{Place, Writer};
use crate::names::{Further, MadeCall, Wrapped};

impl Writer<'_> {
    /// The statements of a call with those on what it gave.
    pub(super) fn with_further(
        &mut self,
        call: &TokenStream,
        made: &MadeCall<'_>,
        place: Place,
    ) -> Result<Vec<TokenStream>, Unwritable> {
        let lint = self.lint();
        let Some(further) = &made.further else {
            let unused = made.must_use.then(|| quote!(let _ =));
            return Ok(vec![quote!(#lint #unused #call;)]);
        };
        if let (Wrapped::No, [only]) = (further.wrapped, further.calls.as_slice()) {
            let call = self.call_on_part(call, only, place)?;
            return self.with_further(&call, only, place);
        }
        self.several(call, further, place)
    }

    /// The part has a variable.
    fn several(
        &mut self,
        call: &TokenStream,
        further: &Further<'_>,
        place: Place,
    ) -> Result<Vec<TokenStream>, Unwritable> {
        let lint = self.lint();
        let variable = self.scope.variable(&snake_case(&further.type_name));
        let mut statements = Vec::new();
        for made in &further.calls {
            let call = self.call_on_part(&quote!(#variable), made, place)?;
            statements.extend(self.with_further(&call, made, place)?);
        }
        let mutable = (!further.by_reference).then(|| quote!(mut));
        let wrapping = match further.wrapped {
            Wrapped::No => {
                statements.insert(0, quote!(#lint let #mutable #variable = #call;));
                return Ok(statements);
            }
            Wrapped::Option => quote!(Some),
            Wrapped::Result => quote!(Ok),
            Wrapped::Error => quote!(Err),
        };
        Ok(vec![quote!(#lint if let #wrapping(#mutable #variable) = #call { #(#statements)* })])
    }

    /// A method of a part; one of a trait that is not in scope would have to say how it takes it.
    fn call_on_part(
        &mut self,
        part: &TokenStream,
        made: &MadeCall<'_>,
        place: Place,
    ) -> Result<TokenStream, Unwritable> {
        if made.method.is_none() {
            return Err(self.refuse("a method of a part of it has no short name here"));
        }
        self.call_on(Some(part), made, place)
    }
}
