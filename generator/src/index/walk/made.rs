//! Items that the crate's own macros make: definitions as the walk meets them, and their uses expanded where that can be
//! done. A use before its definition (`#[macro_export]` reaches everywhere) waits for the end of the walk.

use std::collections::HashMap;
use std::rc::Rc;

use proc_macro2::Span;
use syn::Item;
use syn::visit_mut::{self, VisitMut};

use super::{Spot, Walk};
use crate::index::cfg::Holds;
use crate::index::expand::{Definition, kinds};
use crate::index::items::Import;
use crate::index::macros::parse_items;

/// More uses of a crate are not expanded: macros that call themselves end here, too.
const MAX_USES: usize = 20_000;
/// Uses within uses are expanded this deep.
const MAX_DEPTH: usize = 128;

/// A macro; `None` for one that is not understood, which hides an earlier one of its name all the same.
type Known = Option<Rc<Definition>>;

/// The macros of a crate.
#[derive(Default)]
pub(super) struct Macros {
    /// Those that a bare name means at this point of the walk.
    scope: HashMap<String, Known>,
    /// What the names meant before, the last change last.
    before: Vec<(String, Option<Known>)>,
    /// All so far, for uses by a path.
    everywhere: HashMap<String, Vec<Known>>,
    /// The walk has seen all of the crate.
    complete: bool,
    uses: usize,
    waiting: Vec<Waiting>,
}

/// A use whose macro may still come.
struct Waiting {
    used: syn::ItemMacro,
    spot: Spot,
    /// It has been taken for one of which nothing is known.
    is_opaque: bool,
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

    fn define(&mut self, name: String, definition: Option<Definition>) {
        let definition = definition.map(Rc::new);
        self.everywhere.entry(name.clone()).or_default().push(definition.clone());
        let before = self.scope.insert(name.clone(), definition);
        self.before.push((name, before));
    }

    /// What the path of a use means. `brings`: whether a `use` may give that name to another macro.
    fn find(&self, path: &syn::Path, brings: &dyn Fn(&str) -> bool) -> Known {
        let name = path.segments.last()?.ident.to_string();
        let first = path.segments.first()?.ident.to_string();
        let own = ["crate", "self", "super"].contains(&first.as_str());
        if path.segments.len() == 1
            && let Some(known) = self.scope.get(&name)
        {
            return known.clone();
        }
        // Which of several an import or `#[macro_export]` makes known there is not looked into.
        match self.everywhere.get(&name).map(Vec::as_slice) {
            Some([only]) if (own || path.segments.len() == 1) && !brings(&name) => only.clone(),
            _ => None,
        }
    }

    /// Whether the rest of the crate may tell that a use means another macro than is known now.
    fn is_open(&self, path: &syn::Path) -> bool {
        let Some(name) = path.segments.last().map(|last| last.ident.to_string()) else { return false };
        let in_scope = path.segments.len() == 1 && self.scope.contains_key(&name);
        !self.complete && !in_scope && self.everywhere.contains_key(&name)
    }

    /// The file that a token of an expansion comes from, if it is that of a macro.
    pub(super) fn file_of(&self, span: Span) -> Option<u32> {
        let mut known = self.everywhere.values().flatten().flatten();
        known.find(|definition| definition.holds(span)).map(|definition| definition.file)
    }
}

impl Walk<'_> {
    /// Keeps a `macro_rules!`, and its rules where all are understood.
    pub(super) fn define_macro(&mut self, name: &syn::Ident, text: &proc_macro2::TokenStream, spot: &Spot) {
        // Of two under opposite conditions one is meant.
        if spot.cfg.holds(&self.root.facts) == Holds::No {
            return;
        }
        self.macros.define(name.to_string(), Definition::read(text, spot.file));
    }

    /// Whether a `use` of the crate, as far as it was read, gives that name to a macro of another name or crate.
    fn brings(&self, name: &str) -> bool {
        let own = |import: &Import| {
            let of_crate = |first: &String| ["crate", "self", "super"].contains(&first.as_str());
            import.path.len() == 1 && !import.extern_crate || import.path.first().is_some_and(of_crate)
        };
        let mut imports = self.source.modules.iter().flat_map(|module| &module.imports);
        imports.any(|import| {
            import.name.as_deref() == Some(name)
                && !(own(import) && import.path.last().is_some_and(|last| last == name))
        })
    }

    /// What a use of one of the crate's macros becomes.
    fn expanded(&mut self, used: &syn::Macro, spot: &Spot) -> Option<proc_macro2::TokenStream> {
        let definition = self.macros.find(&used.path, &|name| self.brings(name))?;
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
        let Ok(mut items) = syn::parse::Parser::parse2(parse_items, text) else { return false };
        for item in &mut items {
            Ungrouped.visit_item_mut(item);
        }
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
        let mut items = syn::parse::Parser::parse2(parse_list::<syn::ImplItem>, text).ok()?;
        for item in &mut items {
            Ungrouped.visit_impl_item_mut(item);
        }
        Some(items)
    }

    /// The items that a use within a trait makes.
    pub(super) fn made_in_trait(&mut self, used: &syn::Macro, spot: &Spot) -> Option<Vec<syn::TraitItem>> {
        let text = self.expanded(used, spot)?;
        let mut items = syn::parse::Parser::parse2(parse_list::<syn::TraitItem>, text).ok()?;
        for item in &mut items {
            Ungrouped.visit_trait_item_mut(item);
        }
        Some(items)
    }

    /// Keeps a use whose macro may still come.
    pub(super) fn waits(&mut self, used: &syn::ItemMacro, spot: &Spot, is_opaque: bool) {
        if self.macros.waiting.len() < MAX_USES && spot.nested_in.is_none() {
            let (used, spot) = (used.clone(), spot.clone());
            self.macros.waiting.push(Waiting { used, spot, is_opaque });
        }
    }

    /// Whether a use waits for the end of the walk, which tells what it means.
    pub(super) fn is_put_off(&mut self, used: &syn::ItemMacro, spot: &Spot) -> bool {
        let room = self.macros.waiting.len() < MAX_USES && spot.nested_in.is_none();
        let open = room && self.macros.is_open(&used.mac.path);
        if open {
            self.waits(used, spot, false);
        }
        open
    }

    /// Expands the uses that stood where their macro was not in scope.
    pub(super) fn made_at_last(&mut self) {
        self.macros.complete = true;
        for Waiting { used, spot, is_opaque } in std::mem::take(&mut self.macros.waiting) {
            if is_opaque {
                self.made_items(&used, &spot);
            } else {
                self.macro_item(&used, &spot);
            }
        }
        self.macros.waiting.clear();
    }
}

/// Types as they would be written: one that a macro has handed on as a whole is the same type. Behind `as` it stays
/// together.
struct Ungrouped;

impl VisitMut for Ungrouped {
    // Uses among items may be expanded in turn, and are matched by what they were handed; others are read as they are.
    fn visit_item_macro_mut(&mut self, _: &mut syn::ItemMacro) {}

    fn visit_impl_item_macro_mut(&mut self, _: &mut syn::ImplItemMacro) {}

    fn visit_trait_item_macro_mut(&mut self, _: &mut syn::TraitItemMacro) {}

    fn visit_macro_mut(&mut self, used: &mut syn::Macro) {
        used.tokens = kinds::cleared(std::mem::take(&mut used.tokens));
    }

    fn visit_type_mut(&mut self, ty: &mut syn::Type) {
        while let syn::Type::Group(group) = ty {
            *ty = (*group.elem).clone();
        }
        visit_mut::visit_type_mut(self, ty);
    }

    fn visit_expr_cast_mut(&mut self, cast: &mut syn::ExprCast) {
        self.visit_expr_mut(&mut cast.expr);
    }
}

fn parse_list<T: syn::parse::Parse>(input: syn::parse::ParseStream<'_>) -> syn::Result<Vec<T>> {
    let mut items = Vec::new();
    while !input.is_empty() {
        items.push(input.parse()?);
    }
    Ok(items)
}
