//! Functions that no source shows: what `#[derive(Default)]` adds to a type. A program that begins with `Table::default()`
//! was seen to call it. In: a struct or an enum. Out: the function, where debug info declares it: at the trait's name in
//! the attribute.

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::quote_spanned;
use syn::{Attribute, Meta};

use super::declared::Head;
use super::{Spot, Walk};
use crate::index::attributes::Attributes;
use crate::index::function::Owner;
use crate::index::ids::Visibility;

/// The trait.
const NAME: &str = "Default";

impl Walk<'_> {
    /// The derived `Default::default` of a type without generic parameters. `attributes`: what `attrs` say.
    pub(super) fn derived_default(&mut self, ident: &syn::Ident, attrs: &[Attribute], spot: &Spot) {
        // What a macro made has the places of the macro's text.
        let Some(at) = derive_of(attrs).filter(|_| spot.expansions == 0) else { return };
        let attributes = self.attributes(attrs);
        if attributes.foreign_derives.iter().any(|derived| derived == NAME) {
            return;
        }
        let name = syn::Ident::new(NAME, at);
        let (Ok(function), Ok(self_type), Ok(trait_path)) = (
            syn::parse2::<syn::ItemFn>(quote_spanned!(at=> fn default() -> Self { #name::default() })),
            syn::parse2::<syn::Type>(quote_spanned!(at=> #ident)),
            syn::parse2::<syn::Path>(quote_spanned!(at=> #name)),
        ) else {
            return;
        };
        let generics = syn::Generics::default();
        let owner = Owner::TraitImpl {
            self_type: self_type.into(),
            trait_path: trait_path.into(),
            generics: generics.into(),
        };
        let cfg = spot.cfg.clone().and(attributes.cfg.clone());
        let own = Attributes { hidden: attributes.hidden, ..Attributes::default() };
        let line = at.start().line as u32;
        let head = Head { attrs: &[], attributes: own, head: line, visibility: Visibility::Public, owner };
        self.function(&function.sig, &function.block, head, &Spot { cfg, ..spot.clone() });
        if let Some(made) = self.source.functions.last_mut() {
            // The body stands for one that nobody wrote: nothing of a value follows from it.
            made.plain = None;
            made.forwards.clear();
        }
    }
}

/// Where attributes derive the trait.
fn derive_of(attrs: &[Attribute]) -> Option<Span> {
    let lists = attrs.iter().filter_map(|attribute| match &attribute.meta {
        Meta::List(list) if list.path.is_ident("derive") => Some(list.tokens.clone()),
        _ => None,
    });
    lists.into_iter().find_map(last_named)
}

fn last_named(derives: TokenStream) -> Option<Span> {
    derives.into_iter().find_map(|token| match token {
        TokenTree::Ident(ident) if ident == NAME => Some(ident.span()),
        _ => None,
    })
}
