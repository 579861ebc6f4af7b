//! A program's types of which a test holds a copy, where a function in another module gives a value for that test. In: the
//! value's type, and how it is written there. Out: the parameters that stand for those types there, or why that will not do.

use proc_macro2::{Ident, Span, TokenStream};
use quote::ToTokens;

use crate::index::naming::NamesAt;
use crate::index::resolve::Space;
use crate::names::Unnameable;

use super::Mentions;

impl NamesAt<'_> {
    /// The types in a type that a test has copies of, which its functions elsewhere cannot name: they are parameters of the
    /// `impl` there, and the test's call tells what they are. A value of one cannot be made there.
    pub(in crate::index) fn copies_in(
        &self,
        of: &syn::Type,
        body: &TokenStream,
    ) -> Result<Vec<Ident>, Unnameable> {
        let (spoken, made) = (Mentions::idents(&of.to_token_stream()), Mentions::idents(body));
        let mut open = Vec::new();
        for id in self.copied.borrow().iter() {
            let name = &self.index().item(*id).name;
            let is_else = !self.in_scope(name, Space::Types).is_empty();
            if made.contains(name) || is_else && spoken.contains(name) {
                let program = &self.index().target(id.krate).crate_name;
                return Err(Unnameable(format!(
                    "`{name}` belongs to the program `{program}`, and the module that can write this value has no copy of it"
                )));
            }
            if spoken.contains(name) {
                open.push(Ident::new(name, Span::call_site()));
            }
        }
        Ok(open)
    }
}
