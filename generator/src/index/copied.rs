//! Types of a program that a test of its library holds a copy of: a program's own reader, iterator or shape that it gave a
//! generic function of the library, which cannot name it. Only where their source is small and speaks of nothing but std and
//! what the test can name. In: the types that a call speaks of. Out: their source as it stands there, and the imports it needs.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fs;
use std::ops::Range;
use std::path::PathBuf;

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::spanned::Spanned;
use syn::visit::Visit;
use syn::{ImplItem, Item, ItemImpl, Type};

use crate::names::Unnameable;

use super::ids::{ItemId, ModuleId, plain};
use super::naming::NamesAt;
use super::resolve::{Def, Space, root};
use super::{FunctionItem, OUTSIDE_NAME, TargetKind};

mod bounds;
mod elsewhere;
mod mentions;
mod prelude;

use mentions::Mentions;

/// A longer copy is no small type any more.
const MOST_LINES: usize = 40;

/// Derives of std, whose code needs nothing else.
const DERIVES: [&str; 9] =
    ["Debug", "Clone", "Copy", "PartialEq", "Eq", "PartialOrd", "Ord", "Hash", "Default"];

/// The copy of a program's types in a test.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Copied {
    /// The types' names.
    pub names: Vec<String>,
    /// The file that they are from, relative to the workspace root.
    pub file: PathBuf,
    /// Their source.
    pub text: String,
    /// The same where the compiler is told that not all of it is used.
    pub allowing: String,
    /// The `use` lines that it needs beside the parent's names.
    pub uses: Vec<String>,
}

impl NamesAt<'_> {
    /// The item of a program that a path in debug info leads to, where the test is one of a library, be it from outside.
    pub(super) fn in_program(&self, definition: &str) -> Option<ItemId> {
        let own = self.index().target(self.module.krate);
        let is_outside = own.kind == TargetKind::Test && own.name == OUTSIDE_NAME;
        if !own.kind.is_library() && !is_outside {
            return None;
        }
        let segments: Vec<&str> = definition.split("::").collect();
        let [krate, modules @ .., name] = segments.as_slice() else { return None };
        let programs = self.index().targets().filter(|(id, target)| {
            self.index().package(*id).local && !target.kind.is_library() && target.crate_name == *krate
        });
        let mut found = programs.flat_map(|(id, _)| {
            let source = self.index().source(id);
            let in_module = |module: ModuleId| source.modules[module.module as usize].path == *modules;
            source
                .items
                .iter()
                .filter(move |item| item.name == *name && in_module(item.module))
                .map(|item| item.id)
        });
        // Two programs may have a type of that name each, and nothing tells which of them crashed.
        found.next().filter(|_| found.next().is_none())
    }

    /// Whether a test here holds a copy of that item.
    pub(super) fn is_copied(&self, id: ItemId) -> bool {
        self.copied.borrow().contains(&id)
    }

    /// The copy of the types of a program that this code speaks of; none where it speaks of none. `function`: what is
    /// called, whose bounds tell what the types must implement.
    pub fn copied(&self, code: &TokenStream, function: &FunctionItem) -> Result<Option<Copied>, Unnameable> {
        let mentioned = Mentions::idents(code);
        let wanted: Vec<ItemId> = self.copied.borrow().iter().copied().collect();
        let wanted: Vec<ItemId> =
            wanted.into_iter().filter(|id| mentioned.contains(&self.index().item(*id).name)).collect();
        let Some(first) = wanted.first() else { return Ok(None) };
        let module = self.index().item(*first).module;
        let name = &self.index().item(*first).name;
        let refused = |reason: String| {
            let program = &self.index().target(module.krate).crate_name;
            let reason = format!(
                "`{name}` belongs to the program `{program}`, and a copy of it will not do: {reason}"
            );
            Unnameable(reason)
        };
        if wanted.iter().any(|id| self.index().item(*id).module != module) {
            return Err(refused("it takes types of several modules".to_owned()));
        }
        let copy_with = |bounds: BTreeSet<String>| {
            let mut copy = Copy::read(self, module)?;
            copy.bounds = bounds;
            copy.names.extend(wanted.iter().map(|id| self.index().item(*id).name.clone()));
            copy.take_all().map(|()| copy)
        };
        let own = self.bounds_of(function);
        let further = self.met_by_impls(own.clone());
        let copy = match copy_with(further.clone()) {
            Err(_) if further != own => copy_with(own),
            copy => copy,
        };
        let copy = copy.map_err(refused)?;
        let text = copy.text(false).map_err(refused)?;
        if text.lines().count() > MOST_LINES {
            return Err(refused(format!("with all that it needs it has more than {MOST_LINES} lines")));
        }
        let names = wanted.iter().map(|id| self.index().item(*id).name.clone()).collect();
        let allowing = copy.text(true).map_err(refused)?;
        Ok(Some(Copied { names, file: copy.file, text, allowing, uses: copy.uses.into_iter().collect() }))
    }
}

/// A copy in the making.
struct Copy<'n, 'i> {
    names_at: &'n NamesAt<'i>,
    /// The module that it is from.
    module: ModuleId,
    file: PathBuf,
    source: String,
    items: Vec<Item>,
    bounds: BTreeSet<String>,
    /// Names of the prelude that are another type's in the library, with what they stand for.
    hidden: BTreeMap<String, &'static str>,
    /// Items that are to be taken, by name.
    names: VecDeque<String>,
    taken: BTreeSet<String>,
    /// Names of functions and constants that the copy calls.
    called: BTreeSet<String>,
    /// The parts of the source, by where they begin.
    parts: BTreeMap<usize, Part>,
    uses: BTreeSet<String>,
}

/// A part of the source.
enum Part {
    Item(Range<usize>),
    /// An implementation of a trait.
    Block(Range<usize>),
    /// An `impl` block, up to its brace, and some of what stands in it.
    Some(Range<usize>, BTreeMap<usize, Range<usize>>),
}

impl<'n, 'i> Copy<'n, 'i> {
    fn read(names_at: &'n NamesAt<'i>, module: ModuleId) -> Result<Self, String> {
        let index = names_at.index();
        let data = index.module(module);
        if !data.inline.is_empty() {
            return Err("it stands in an inline module".to_owned());
        }
        let file = index.source(module.krate).files.get(data.file as usize).cloned().unwrap_or_default();
        let unread = |_| "its source cannot be read".to_owned();
        let source = fs::read_to_string(index.workspace_root().join(&file)).map_err(unread)?;
        let parsed = syn::parse_file(&source).map_err(|_| "its source cannot be read".to_owned())?;
        // Spans count from behind such a mark.
        if source.starts_with('\u{feff}') || parsed.shebang.is_some() {
            return Err("its source begins with a mark".to_owned());
        }
        Ok(Copy {
            names_at,
            module,
            file,
            source,
            items: parsed.items,
            bounds: BTreeSet::new(),
            hidden: BTreeMap::new(),
            names: VecDeque::new(),
            taken: BTreeSet::new(),
            called: BTreeSet::new(),
            parts: BTreeMap::new(),
            uses: BTreeSet::new(),
        })
    }

    /// Takes what the names stand for, what that needs, and so on.
    fn take_all(&mut self) -> Result<(), String> {
        loop {
            let before = (self.taken.len(), self.part_count());
            while let Some(name) = self.names.pop_front() {
                self.take(&name)?;
            }
            self.take_called()?;
            if self.names.is_empty() && before == (self.taken.len(), self.part_count()) {
                return Ok(());
            }
        }
    }

    fn part_count(&self) -> usize {
        self.parts.values().map(|part| if let Part::Some(_, items) = part { items.len() } else { 1 }).sum()
    }

    /// Takes an item and the implementations of it that are wanted.
    fn take(&mut self, name: &str) -> Result<(), String> {
        if !self.taken.insert(name.to_owned()) {
            return Ok(());
        }
        // What debug info names and the source does not show may have been taken for a macro's work.
        let here = self.names_at.in_scope(name, Space::Types);
        if here.iter().any(|def| !matches!(def, Def::Made(..))) {
            return Err(format!("`{name}` means something else in the library"));
        }
        let is_meant = |item: &&Item| declared(item).is_some_and(|declared| declared == name);
        let found = self.items.iter().find(is_meant).cloned();
        let item = found.ok_or_else(|| format!("it needs `{name}`, which is not in the same module"))?;
        if let Some(derived) = derives(&item).into_iter().find(|derived| !DERIVES.contains(&derived.as_str()))
        {
            return Err(format!("it derives `{derived}`"));
        }
        self.scan(&|mentions| mentions.visit_item(&item))?;
        let range = item.span().byte_range();
        self.parts.insert(range.start, Part::Item(range));
        for block in self.blocks_of(name) {
            let Some((path, _)) = &block.trait_ else { continue };
            let last = path.segments.last().map(|last| last.ident.to_string()).unwrap_or_default();
            if self.bounds.contains(&last) {
                self.scan(&|mentions| mentions.visit_item_impl(&block))?;
                let range = block.span().byte_range();
                self.parts.insert(range.start, Part::Block(range));
            }
        }
        Ok(())
    }

    /// Takes of the inherent blocks what the copy calls.
    fn take_called(&mut self) -> Result<(), String> {
        for name in self.taken.clone() {
            for block in self.blocks_of(&name).into_iter().filter(|block| block.trait_.is_none()) {
                for item in &block.items {
                    let own = match item {
                        ImplItem::Fn(function) => function.sig.ident.to_string(),
                        ImplItem::Const(constant) => constant.ident.to_string(),
                        _ => continue,
                    };
                    let (all, range) = (block.span().byte_range(), item.span().byte_range());
                    let head = all.start..block.brace_token.span.open().byte_range().end;
                    let part =
                        self.parts.entry(all.start).or_insert_with(|| Part::Some(head, BTreeMap::new()));
                    let Part::Some(_, items) = part else { continue };
                    if self.called.contains(&own) && items.insert(range.start, range).is_none() {
                        self.scan(&|mentions| {
                            mentions.generics_of(&block.generics);
                            mentions.visit_impl_item(item);
                        })?;
                    }
                }
            }
        }
        Ok(())
    }

    fn blocks_of(&self, name: &str) -> Vec<ItemImpl> {
        let of_name = |block: &ItemImpl| match &*block.self_ty {
            Type::Path(path) => path.path.segments.last().is_some_and(|last| last.ident == name),
            _ => false,
        };
        let blocks = self
            .items
            .iter()
            .filter_map(|item| if let Item::Impl(block) = item { Some(block) } else { None });
        blocks.filter(|block| of_name(block)).cloned().collect()
    }

    /// Looks at what a part of the source speaks of.
    fn scan(&mut self, visit: &dyn Fn(&mut Mentions)) -> Result<(), String> {
        let mut mentions = Mentions::default();
        visit(&mut mentions);
        if let Some(unknown) = mentions.unknown_macro {
            return Err(format!("it uses the macro `{unknown}`"));
        }
        if let Some(own) = mentions.macros.iter().find(|name| self.names_at.defines_macro(self.module, name))
        {
            return Err(format!("it uses the macro `{own}`"));
        }
        // There `crate` is the program, and in the copy the library.
        if let Some(first) = mentions.foreign_use {
            return Err(format!("it has a `use` of `{first}` within a body"));
        }
        self.called.extend(mentions.called);
        for (first, alone) in mentions.first_names {
            if !mentions.generics.contains(&first) {
                self.meet(&first, alone)?;
            }
        }
        Ok(())
    }

    /// Makes sure that a name means in the test what it means in the program. `alone`: it is no beginning of a path.
    fn meet(&mut self, name: &str, alone: bool) -> Result<(), String> {
        if ["crate", "super", "self"].contains(&name) {
            let reason = || Err(format!("it speaks of `{name}::…`"));
            return if alone { Ok(()) } else { reason() };
        }
        let resolver = &self.names_at.reach.resolver;
        let mut meanings: Vec<Def> = Vec::new();
        for space in [Space::Types, Space::Values] {
            for binding in resolver.bindings(self.module, name, space) {
                if !meanings.contains(&binding.def) {
                    meanings.push(binding.def);
                }
            }
        }
        if meanings.is_empty() {
            return self.meet_outside(name, alone);
        }
        let own = self.names_at.module.krate;
        for def in meanings {
            let of_program = match &def {
                Def::Item(id) | Def::Variant(id, _) => id.krate == self.module.krate,
                Def::Function(id) => id.krate == self.module.krate,
                Def::Module(id) | Def::Made(id, _) => id.krate == self.module.krate && id.krate != own,
                Def::Std(_) => false,
            };
            match &def {
                Def::Item(_) | Def::Function(_) if of_program => self.names.push_back(name.to_owned()),
                _ if of_program => return Err(format!("it needs `{name}` of the program")),
                _ => self.import(name, &def)?,
            }
        }
        Ok(())
    }

    /// A name that the program's module does not have: a variable's, one of the prelude, or a crate's.
    fn meet_outside(&mut self, name: &str, alone: bool) -> Result<(), String> {
        let names_at = self.names_at;
        let own = names_at.module.krate;
        let is_type = name.starts_with(char::is_uppercase);
        // `String::new()` of a library that has a `String`, too.
        if is_type && !names_at.in_scope(name, Space::Types).is_empty() {
            if let Some(path) = prelude::path_of(name) {
                self.hidden.insert(name.to_owned(), path);
                return Ok(());
            }
            return Err(format!("`{name}` means something else in the library"));
        }
        if alone {
            return Ok(());
        }
        match names_at.reach.resolver.extern_crate(self.module.krate, name) {
            Some(Def::Module(module)) if module == root(own) => {
                self.uses.insert(format!("use crate as {name};"));
                Ok(())
            }
            Some(def @ Def::Module(_))
                if names_at.reach.resolver.extern_crate(own, name).as_ref() != Some(&def) =>
            {
                Err(format!("it needs the crate `{name}`"))
            }
            _ => Ok(()),
        }
    }

    /// Imports what the test's module does not have by that name.
    fn import(&mut self, name: &str, def: &Def) -> Result<(), String> {
        let spaces = [Space::Types, Space::Values];
        let here: Vec<Def> = spaces.iter().flat_map(|space| self.names_at.in_scope(name, *space)).collect();
        if here.contains(def) {
            return Ok(());
        }
        if !here.is_empty() {
            return Err(format!("`{name}` means something else in the library"));
        }
        let space = if matches!(def, Def::Function(_)) { Space::Values } else { Space::Types };
        let spelled = self.names_at.spell(def, space).map_err(|unnameable| unnameable.0)?;
        let path = spelled.segments.join("::");
        if spelled.segments == [name] {
            return Ok(());
        }
        let renamed = spelled.segments.last().is_some_and(|last| last != name);
        let renamed = if renamed { format!(" as {name}") } else { String::new() };
        let start = if spelled.absolute { "::" } else { "" };
        self.uses.insert(format!("use {start}{path}{renamed};"));
        Ok(())
    }

    /// The parts in the order of the source.
    fn text(&self, allows_unused: bool) -> Result<String, String> {
        let slice = |range: &Range<usize>| self.source.get(range.clone()).unwrap_or_default();
        let parts = self.parts.values().filter_map(|part| match part {
            Part::Item(range) if allows_unused => Some(format!("#[allow(dead_code)]\n{}", slice(range))),
            Part::Item(range) | Part::Block(range) => Some(slice(range).to_owned()),
            Part::Some(_, items) if items.is_empty() => None,
            Part::Some(head, items) => {
                let items: Vec<String> = items.values().map(|item| format!("    {}", slice(item))).collect();
                Some(format!("{}\n{}\n}}", slice(head), items.join("\n\n")))
            }
        });
        let text = parts.collect::<Vec<_>>().join("\n\n");
        prelude::spelled_out(&text, &self.hidden).ok_or_else(|| {
            let names = self.hidden.keys().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
            format!("{names} within a macro means something else in the library")
        })
    }
}

/// The name that an item declares, of those that can be copied.
fn declared(item: &Item) -> Option<String> {
    Some(plain(match item {
        Item::Struct(item) => &item.ident,
        Item::Enum(item) => &item.ident,
        Item::Const(item) => &item.ident,
        Item::Type(item) => &item.ident,
        Item::Fn(item) => &item.sig.ident,
        _ => return None,
    }))
}

/// What an item derives.
fn derives(item: &Item) -> Vec<String> {
    let attributes = match item {
        Item::Struct(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        _ => return Vec::new(),
    };
    let lists = attributes.iter().filter(|attribute| attribute.path().is_ident("derive"));
    let tokens =
        lists.filter_map(|list| list.meta.require_list().ok()).map(|list| list.tokens.to_token_stream());
    tokens.flat_map(|tokens| Mentions::idents(&tokens)).collect()
}
