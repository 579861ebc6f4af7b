//! A value out of what a call gave: `let Ok(Some(Message::Row(body))) = Message::parse(&mut bytes) else { return; };`. In:
//! the call, and the steps that the run has shown. Out: statements, and the value's variable. Where a step cannot be made
//! any more, the crash is gone, too.

use proc_macro2::{Ident, Literal, TokenStream};
use quote::quote;

use super::Unwritable;
use super::writer::Writer;
use crate::hostile::identifier;
use crate::names::Taken;

/// More places in a tuple or a variant are not written.
const MOST_PLACES: usize = 64;

impl Writer<'_> {
    /// Binds a variable to the part of what a call gives.
    pub(super) fn taken(
        &mut self,
        call: TokenStream,
        steps: &[Taken],
        (variable, mutable): (&Ident, bool),
    ) -> Result<(), Unwritable> {
        let mutable = mutable.then(|| quote!(mut));
        let mut from = call;
        let mut steps = steps;
        // No pattern leads through a `Vec` or a `Box`.
        while let Some(at) = steps.iter().position(|step| matches!(step, Taken::Item(_) | Taken::Boxed)) {
            let (before, after) = steps.split_at(at);
            if !before.is_empty() {
                let name = self.scope.variable(if after[0] == Taken::Boxed { "boxed" } else { "items" });
                self.bind(&from, before, &quote!(#name))?;
                from = quote!(#name);
            }
            match after[0] {
                Taken::Item(nth) => {
                    let nth = Literal::usize_unsuffixed(nth);
                    let name = self.scope.variable("item");
                    let otherwise = self.otherwise();
                    self.lets.push(quote!(let Some(#name) = #from.into_iter().nth(#nth) #otherwise;));
                    from = quote!(#name);
                }
                _ => from = quote!(*#from),
            }
            steps = &after[1..];
        }
        self.bind(&from, steps, &quote!(#mutable #variable))
    }

    fn bind(&mut self, from: &TokenStream, steps: &[Taken], to: &TokenStream) -> Result<(), Unwritable> {
        let mut pattern = to.clone();
        for step in steps.iter().rev() {
            pattern = self.pattern(step, &pattern)?;
        }
        let refutable = steps.iter().any(|step| matches!(step, Taken::Field { refutable: true, .. }));
        let otherwise = refutable.then(|| self.otherwise());
        let lint = self.lint();
        self.lets.push(quote!(#lint let #pattern = #from #otherwise;));
        Ok(())
    }

    fn otherwise(&self) -> TokenStream {
        if self.gives_value { quote!(else { unreachable!() }) } else { quote!(else { return; }) }
    }

    fn pattern(&self, step: &Taken, inner: &TokenStream) -> Result<TokenStream, Unwritable> {
        let places = |at: usize, of: usize| {
            let place = |index| if index == at { inner.clone() } else { quote!(_) };
            (0..of).map(place).collect::<Vec<_>>()
        };
        match step {
            Taken::Element { at, of } if *of <= MOST_PLACES => {
                let places = places(*at, *of);
                Ok(if let [only] = places.as_slice() { quote!((#only,)) } else { quote!((#(#places),*)) })
            }
            Taken::Field { definition, variant, field, tuple, .. } => {
                let path = self.names.path(definition).map_err(|unnameable| self.refuse(unnameable.0))?;
                let path = match variant.as_deref() {
                    None => path,
                    Some(name @ ("Some" | "Ok" | "Err"))
                        if definition.starts_with("core::") && self.names.means_prelude(name) =>
                    {
                        let name = identifier(name);
                        quote!(#name)
                    }
                    Some(name) => {
                        let Some(name) = identifier(name) else {
                            return Err(self.refuse("a variant's name is none"));
                        };
                        quote!(#path::#name)
                    }
                };
                if let Some(of) = tuple {
                    let at = field.parse::<usize>().ok().filter(|at| at < of && *of <= MOST_PLACES);
                    let at = at.ok_or_else(|| self.refuse("a field's number is none"))?;
                    let places = places(at, *of);
                    return Ok(quote!(#path(#(#places),*)));
                }
                let field = identifier(field).ok_or_else(|| self.refuse("a field's name is none"))?;
                // rustc warns of a field that is named twice.
                let is_named_so = [field.to_string(), format!("mut {field}")].contains(&inner.to_string());
                Ok(if is_named_so {
                    quote!(#path { #inner, .. })
                } else {
                    quote!(#path { #field: #inner, .. })
                })
            }
            Taken::Element { .. } | Taken::Item(_) | Taken::Boxed => {
                Err(self.refuse("what holds it cannot be taken apart"))
            }
        }
    }
}
