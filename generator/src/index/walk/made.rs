//! Items that the crate's own macros make: definitions as the walk meets them, and their uses expanded where that can be
//! done. A use before its definition (`#[macro_export]` reaches everywhere) waits for the end of the walk.

use std::collections::HashMap;
use std::rc::Rc;

use proc_macro2::Span;
use syn::Item;

use super::{Spot, Walk};
use crate::index::cfg::Holds;
use crate::index::expand::Definition;
use crate::index::macros::parse_items;

/// More uses of a crate are not expanded: macros that call themselves end here, too.
const MAX_USES: usize = 20_000;
/// Uses within uses are expanded this deep.
const MAX_DEPTH: usize = 128;

/// The macros of a crate.
#[derive(Default)]
pub(super) struct Macros {
    /// Those that a bare name means at this point of the walk.
    scope: HashMap<String, Rc<Definition>>,
    /// What the names meant before, the last change last.
    before: Vec<(String, Option<Rc<Definition>>)>,
    /// All so far, for uses by a path.
    everywhere: HashMap<String, Rc<Definition>>,
    uses: usize,
    waiting: Vec<(syn::ItemMacro, Spot)>,
}

impl Macros {
    /// A point to which the scope can be set back.
    pub(super) fn scope_begins(&self) -> usize {
        self.before.len()
    }

    /// Forgets what was defined since then: a module has ended that is not `#[macro_use]`.
    pub(super) fn scope_ends(&mut self, begun: usize) {
        while self.before.len() > begun {
            match self.before.pop() {
                Some((name, Some(definition))) => drop(self.scope.insert(name, definition)),
                Some((name, None)) => drop(self.scope.remove(&name)),
                None => {}
            }
        }
    }

    fn define(&mut self, name: String, definition: Definition) {
        let definition = Rc::new(definition);
        self.everywhere.insert(name.clone(), Rc::clone(&definition));
        let before = self.scope.insert(name.clone(), definition);
        self.before.push((name, before));
    }

    /// What the path of a use means.
    fn find(&self, path: &syn::Path) -> Option<Rc<Definition>> {
        let name = path.segments.last()?.ident.to_string();
        let first = path.segments.first()?.ident.to_string();
        let own = ["crate", "self", "super"].contains(&first.as_str());
        let found = match path.segments.len() {
            1 => self.scope.get(&name).or_else(|| self.everywhere.get(&name)),
            _ if own => self.everywhere.get(&name),
            _ => None,
        };
        found.cloned()
    }

    /// The file that a token of an expansion comes from, if it is that of a macro.
    pub(super) fn file_of(&self, span: Span) -> Option<u32> {
        self.everywhere.values().find(|definition| definition.holds(span)).map(|definition| definition.file)
    }
}

impl Walk<'_> {
    /// Keeps a `macro_rules!` whose rules are all understood.
    pub(super) fn define_macro(&mut self, name: &syn::Ident, text: &proc_macro2::TokenStream, spot: &Spot) {
        // Of two under opposite conditions one is meant.
        if spot.cfg.holds(&self.root.facts) == Holds::No {
            return;
        }
        if let Some(definition) = Definition::read(text, spot.file) {
            self.macros.define(name.to_string(), definition);
        }
    }

    /// What a use of one of the crate's macros becomes.
    fn expanded(&mut self, used: &syn::Macro, spot: &Spot) -> Option<proc_macro2::TokenStream> {
        let definition = self.macros.find(&used.path)?;
        let uses = self.macros.uses;
        if uses >= MAX_USES || spot.expansions >= MAX_DEPTH {
            return None;
        }
        self.macros.uses += 1;
        definition.expand(&used.tokens)
    }

    /// Where the text of an expansion is read.
    pub(super) fn within_macro(spot: &Spot) -> Spot {
        let (expansions, depth) = (spot.expansions + 1, spot.depth);
        Spot { in_macro: true, expansions, depth, ..spot.clone() }
    }

    /// Reads the items that a use in a module makes; `false` where nothing is known of them.
    pub(super) fn made_items(&mut self, used: &syn::ItemMacro, spot: &Spot) -> bool {
        let Some(text) = self.expanded(&used.mac, spot) else { return false };
        let Ok(items) = syn::parse::Parser::parse2(parse_items, text) else { return false };
        self.items(&items, &Self::within_macro(spot));
        // syn's word for what it did not understand.
        if items.iter().any(|item| matches!(item, Item::Verbatim(_)))
            && let Some(module) = self.module_mut(spot)
        {
            module.opaque = true;
        }
        true
    }

    /// The items that a use within an `impl` makes.
    pub(super) fn made_in_impl(&mut self, used: &syn::Macro, spot: &Spot) -> Option<Vec<syn::ImplItem>> {
        let text = self.expanded(used, spot)?;
        syn::parse::Parser::parse2(parse_list::<syn::ImplItem>, text).ok()
    }

    /// The items that a use within a trait makes.
    pub(super) fn made_in_trait(&mut self, used: &syn::Macro, spot: &Spot) -> Option<Vec<syn::TraitItem>> {
        let text = self.expanded(used, spot)?;
        syn::parse::Parser::parse2(parse_list::<syn::TraitItem>, text).ok()
    }

    /// Keeps a use whose macro may still come.
    pub(super) fn waits(&mut self, used: &syn::ItemMacro, spot: &Spot) {
        if self.macros.waiting.len() < MAX_USES && spot.nested_in.is_none() {
            self.macros.waiting.push((used.clone(), spot.clone()));
        }
    }

    /// Expands the uses that stood before their macro's definition.
    pub(super) fn made_at_last(&mut self) {
        for (used, spot) in std::mem::take(&mut self.macros.waiting) {
            self.made_items(&used, &spot);
        }
        self.macros.waiting.clear();
    }
}

fn parse_list<T: syn::parse::Parse>(input: syn::parse::ParseStream<'_>) -> syn::Result<Vec<T>> {
    let mut items = Vec::new();
    while !input.is_empty() {
        items.push(input.parse()?);
    }
    Ok(items)
}
