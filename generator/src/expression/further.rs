//! Calls on a part of a value to which a method of it gave access: `doc.section_mut("a").set(1);`. In: the method's call and
//! what was called on what it gave. Out: statements.

use proc_macro2::TokenStream;
use quote::quote;

use super::Unwritable;
use super::type_name::snake_case;
use super::writer::{Place, Writer};
use crate::names::{Further, MadeCall, ReceivedBy, Wrapped};

impl Writer<'_> {
    /// The statements of a call with those on what it gave.
    pub(super) fn with_further(
        &mut self,
        call: &TokenStream,
        made: &MadeCall<'_>,
        place: Place,
    ) -> Result<Vec<TokenStream>, Unwritable> {
        let Some(further) = &made.further else {
            let lint = self.lint();
            let unused = made.must_use.then(|| quote!(let _ =));
            return Ok(vec![quote!(#lint #unused #call;)]);
        };
        match further.calls.as_slice() {
            [only] if is_chain(further, only) => {
                let call = self.call_on_part(call, only, place)?;
                self.with_further(&call, only, place)
            }
            _ => self.several(call, further, place),
        }
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
        let mutable = needs_mut(further).then(|| quote!(mut));
        let wrapping = match further.wrapped {
            Wrapped::No | Wrapped::Within => {
                statements.insert(0, quote!(#lint let #mutable #variable = #call;));
                // What a view does as it is dropped, it did before the next call.
                return Ok(if further.by_reference { statements } else { vec![quote!({ #(#statements)* })] });
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

/// Whether the only call on a part can be written behind the one that gave it. What has a variable of its own must not borrow
/// of a view that is gone at the end of that statement.
fn is_chain(further: &Further<'_>, only: &MadeCall<'_>) -> bool {
    let borrows = !further.by_reference && only.receiver != ReceivedBy::Value;
    matches!(further.wrapped, Wrapped::No) && !(borrows && ends_in_variable(only))
}

/// Whether what the last call of a chain gives has a variable to the end of the block.
fn ends_in_variable(made: &MadeCall<'_>) -> bool {
    let mut made = made;
    while let Some(further) = &made.further {
        match (further.wrapped, further.calls.as_slice()) {
            (Wrapped::No, [only]) => made = only,
            (wrapped, _) => return matches!(wrapped, Wrapped::No),
        }
    }
    false
}

/// Whether a part's variable has to be `mut`: it is a view by value that one of the calls changes where it lies.
fn needs_mut(further: &Further<'_>) -> bool {
    !further.by_reference && further.calls.iter().any(|made| made.receiver == ReceivedBy::Exclusive)
}
