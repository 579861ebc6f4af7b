//! A place where everything can be named as debug info names it, as far as that is Rust at all.

use proc_macro2::TokenStream;
use quote::ToTokens;
use relapse_generator::hostile::identifier;
use relapse_generator::names::{Constructed, Names, Seen, Unnameable};

/// Names everything.
pub(crate) struct Everything {
    /// Whether struct literals may be written; else constructors are called.
    pub(crate) literals: bool,
}

impl Names for Everything {
    fn path(&self, definition: &str) -> Result<TokenStream, Unnameable> {
        let no = || Unnameable("no path".to_owned());
        let mut path = TokenStream::new();
        for segment in definition.split("::") {
            let ident = identifier(segment).ok_or_else(no)?;
            path.extend(quote::quote!(::#ident));
        }
        Ok(path)
    }

    fn literal(&self, _definition: &str) -> Result<(), Unnameable> {
        if self.literals { Ok(()) } else { Err(Unnameable("private".to_owned())) }
    }

    fn own_constructor(&self, definition: &str, fields: &[Seen<'_>]) -> Option<Constructed> {
        let path = self.path(definition).ok()?;
        let arguments = (0..fields.len()).collect();
        Some(Constructed {
            call: quote::quote!(#path::new),
            arguments,
            unwrapped: fields.len() > 2,
            typed: fields.len() % 2 == 1,
        })
    }

    fn constructor(&self, definition: &str, _fields: &[&str]) -> Result<TokenStream, Unnameable> {
        let path = self.path(definition)?;
        Ok(quote::quote!(#path::relapse_new))
    }

    fn type_tokens(&self, full_name: &str) -> Result<TokenStream, Unnameable> {
        // syn recurses along types; the program's own reader of names refuses what is so deep.
        if full_name.len() > 200 {
            return Err(Unnameable("long".to_owned()));
        }
        let ty = syn::parse_str::<syn::Type>(full_name).map_err(|error| Unnameable(error.to_string()))?;
        Ok(ty.into_token_stream())
    }
}
