//! What a module declares: functions, impl blocks, traits, types, and macros whose text reads as items.

use std::rc::Rc;

use syn::visit::{self, Visit};
use syn::{Fields, ImplItem as SynImplItem, Item, TraitItem};

use super::{Spot, Walk};
use crate::index::asks::traits_of;
use crate::index::attributes::Attributes;
use crate::index::builds::builds;
use crate::index::forwards::forwards;
use crate::index::function::{FunctionItem, Owner, asserts, head_line};
use crate::index::ids::{FunctionId, ItemId, ModuleId, Visibility, plain};
use crate::index::interior::changes_when_shared;
use crate::index::items::{
    EntryTarget, FieldItem, FieldList, ImplItem, ItemKind, OpaqueMacro, Shape, TypeItem, VariantItem,
};
use crate::index::macros::{self, MacroText};
use crate::index::never_returns::returns;
use crate::index::plain::plain as plain_body;
use crate::index::shown_derives::shown_derives;
use crate::index::shown_flags::shown_flags;
use crate::index::surroundings::{Surroundings, surroundings};

/// How a function is introduced.
pub(super) struct Head<'a> {
    pub(super) attrs: &'a [syn::Attribute],
    pub(super) attributes: Attributes,
    pub(super) head: u32,
    pub(super) visibility: Visibility,
    pub(super) owner: Owner,
}

/// How a type item is introduced.
struct Declared<'a> {
    ident: &'a syn::Ident,
    vis: &'a syn::Visibility,
    generics: syn::Generics,
    attrs: &'a [syn::Attribute],
    kind: ItemKind,
}

impl Walk<'_> {
    pub(super) fn function(
        &mut self,
        signature: &syn::Signature,
        block: &syn::Block,
        head: Head<'_>,
        spot: &Spot,
    ) {
        let name = plain(&signature.ident);
        let id = FunctionId { krate: self.root.id, function: self.source.functions.len() as u32 };
        let cfg = spot.cfg.clone().and(head.attributes.cfg.clone());
        if matches!(head.owner, Owner::Module) {
            let target = EntryTarget::Function(id.function);
            self.enter(spot, &name, target, head.visibility, (cfg.clone(), head.attributes.hidden));
        }
        let attributes_start = head.attrs.iter().map(|a| a.pound_token.span.start().line as u32).min();
        let braces = block.brace_token.span;
        let Surroundings { reads, calls } = surroundings(block);
        self.source.functions.push(FunctionItem {
            id,
            package: self.root.package.to_owned(),
            crate_name: self.root.crate_name.to_owned(),
            file: self.file_name(self.file_of_function(signature, spot)),
            first_line: attributes_start.unwrap_or(head.head).min(head.head),
            head_line: head.head,
            name_line: signature.fn_token.span.start().line as u32,
            body_lines: (braces.open().start().line as u32, braces.close().end().line as u32),
            module: ModuleId { krate: self.root.id, module: spot.module },
            visibility: head.visibility,
            builds: match &head.owner {
                Owner::Inherent { self_type, .. } => builds(self_type, signature, block).map(Box::new),
                Owner::TraitImpl { self_type, trait_path, .. } if is_from(trait_path) => {
                    builds(self_type, signature, block).map(Box::new)
                }
                _ => None,
            },
            plain: plain_body(signature, block).map(Box::new),
            owner: head.owner,
            signature: signature.clone(),
            attributes: head.attributes,
            cfg,
            nested_in: spot.nested_in.clone(),
            asserts: asserts(signature, block),
            returns: returns(signature, block),
            reads,
            calls,
            forwards: forwards(signature, block),
            name: name.clone(),
        });
        let inner = Spot { nested_in: Some(name), depth: spot.depth + 1, ..spot.clone() };
        self.nested(&inner, |finder| finder.visit_block(block));
    }

    /// The file that the debug info names: of what a macro makes, that of the macro where its text has the `fn`.
    fn file_of_function(&self, signature: &syn::Signature, spot: &Spot) -> u32 {
        let made = (spot.expansions > 0).then(|| self.macros.file_of(signature.fn_token.span)).flatten();
        made.unwrap_or(spot.file)
    }

    /// Items that stand in bodies and initialisers.
    fn nested(&mut self, spot: &Spot, find: impl FnOnce(&mut NestedItems)) {
        let mut finder = NestedItems(Vec::new());
        find(&mut finder);
        if !finder.0.is_empty() {
            self.items(&finder.0, spot);
        }
    }

    pub(super) fn implementation(&mut self, block: &syn::ItemImpl, spot: &Spot) {
        let attributes = self.attributes(&block.attrs);
        let cfg = spot.cfg.clone().and(attributes.cfg.clone());
        let trait_path = block.trait_.as_ref().map(|(path, _)| path.clone());
        self.source.impls.push(ImplItem {
            module: ModuleId { krate: self.root.id, module: spot.module },
            self_type: (*block.self_ty).clone(),
            trait_path: trait_path.clone(),
            negative: block.modifiers.polarity.is_some(),
            generics: block.generics.clone(),
            cfg: cfg.clone(),
        });
        let spot = Spot { cfg, ..spot.clone() };
        // Of the methods of one block each has them: a block of a large library has hundreds.
        let (self_type, generics) = (Rc::new((*block.self_ty).clone()), Rc::new(block.generics.clone()));
        let owner = match trait_path {
            Some(path) => {
                let types = block.items.iter().filter_map(|item| match item {
                    SynImplItem::Type(item) => Some((plain(&item.ident), item.ty.clone())),
                    _ => None,
                });
                Owner::TraitImpl {
                    self_type,
                    trait_path: Rc::new(path),
                    types: Rc::new(types.collect()),
                    generics,
                }
            }
            None => Owner::Inherent { self_type, generics },
        };
        self.impl_items(&owner, &block.items, attributes.hidden, &spot);
    }

    fn impl_items(&mut self, owner: &Owner, items: &[SynImplItem], hidden: bool, spot: &Spot) {
        for item in items {
            match item {
                SynImplItem::Fn(function) => {
                    let visibility = match owner {
                        Owner::TraitImpl { .. } => Visibility::Public,
                        _ => self.visibility(&function.vis, spot),
                    };
                    let mut own = self.attributes(&function.attrs);
                    own.hidden |= hidden;
                    let head = head_line(&function.vis, &function.modifiers, &function.sig);
                    let owner = owner.clone();
                    let head = Head { attrs: &function.attrs, attributes: own, head, visibility, owner };
                    self.function(&function.sig, &function.block, head, spot);
                }
                SynImplItem::Const(constant) => {
                    self.nested(spot, |finder| finder.visit_expr(&constant.expr));
                }
                SynImplItem::Macro(invocation) => match self.made_in_impl(&invocation.mac, spot) {
                    Some(made) => {
                        let within = Self::within_macro(spot);
                        self.impl_items(owner, &made, hidden, &within);
                    }
                    None => self.opaque(&invocation.mac, None, spot),
                },
                _ => {}
            }
        }
    }

    pub(super) fn trait_item(&mut self, item: &syn::ItemTrait, spot: &Spot) {
        let attributes = self.attributes(&item.attrs);
        let cfg = spot.cfg.clone().and(attributes.cfg.clone());
        let name = plain(&item.ident);
        let declared = Declared {
            ident: &item.ident,
            vis: &item.vis,
            generics: item.generics.clone(),
            attrs: &item.attrs,
            kind: ItemKind::Trait(traits_of(&item.supertraits)),
        };
        self.add_item(declared, spot);
        let owner = Owner::Trait { name, generics: Rc::new(item.generics.clone()) };
        self.trait_items(&owner, &item.items, &Spot { cfg, ..spot.clone() });
    }

    fn trait_items(&mut self, owner: &Owner, items: &[TraitItem], inner: &Spot) {
        for part in items {
            let function = match part {
                TraitItem::Fn(function) => function,
                TraitItem::Macro(invocation) => {
                    if let Some(made) = self.made_in_trait(&invocation.mac, inner) {
                        self.trait_items(owner, &made, &Self::within_macro(inner));
                    }
                    continue;
                }
                _ => continue,
            };
            let Some(block) = &function.default else { continue };
            let owner = owner.clone();
            let head = head_line(&syn::Visibility::Inherited, &function.modifiers, &function.sig);
            let own = self.attributes(&function.attrs);
            let visibility = Visibility::Public;
            let head = Head { attrs: &function.attrs, attributes: own, head, visibility, owner };
            self.function(&function.sig, block, head, inner);
        }
    }

    fn add_item(&mut self, declared: Declared<'_>, spot: &Spot) {
        let attributes = self.attributes(declared.attrs);
        let name = plain(declared.ident);
        let visibility = self.visibility(declared.vis, spot);
        let id = ItemId { krate: self.root.id, item: self.source.items.len() as u32 };
        let cfg = spot.cfg.clone().and(attributes.cfg.clone());
        self.enter(spot, &name, EntryTarget::Item(id.item), visibility, (cfg.clone(), attributes.hidden));
        if spot.nested_in.is_some() {
            return;
        }
        let line = declared.ident.span().start().line as u32;
        let first_line = declared.attrs.iter().map(|a| a.pound_token.span.start().line as u32).min();
        self.source.items.push(TypeItem {
            id,
            name,
            module: ModuleId { krate: self.root.id, module: spot.module },
            kind: declared.kind,
            visibility,
            generics: declared.generics,
            attributes,
            cfg,
            file: spot.file,
            first_line: first_line.unwrap_or(line).min(line),
            line,
        });
    }

    pub(super) fn type_item(&mut self, item: &Item, spot: &Spot) {
        let (ident, vis, generics, attrs, kind) = match item {
            Item::Struct(i) => (
                &i.ident,
                &i.vis,
                i.generics.clone(),
                &i.attrs,
                ItemKind::Struct(self.fields(&i.fields, false, spot)),
            ),
            Item::Union(i) => {
                let fields = self.fields(&Fields::Named(i.fields.clone()), false, spot);
                (&i.ident, &i.vis, i.generics.clone(), &i.attrs, ItemKind::Union(fields))
            }
            Item::Enum(i) => {
                let variants = i.variants.iter().map(|variant| {
                    let attributes = self.attributes(&variant.attrs);
                    VariantItem {
                        name: plain(&variant.ident),
                        fields: self.fields(&variant.fields, true, spot),
                        non_exhaustive: attributes.non_exhaustive,
                        serde: attributes.serde,
                        cfg: attributes.cfg,
                    }
                });
                (&i.ident, &i.vis, i.generics.clone(), &i.attrs, ItemKind::Enum(variants.collect()))
            }
            Item::Type(i) => (&i.ident, &i.vis, i.generics.clone(), &i.attrs, ItemKind::Alias(i.ty.clone())),
            Item::TraitAlias(i) => {
                (&i.ident, &i.vis, i.generics.clone(), &i.attrs, ItemKind::Trait(traits_of(&i.bounds)))
            }
            Item::Const(i) => {
                // `const _: () = { impl … };` is how derives and people keep impls out of the module's names.
                self.nested(&spot.within(&i.ident), |finder| finder.visit_expr(&i.expr));
                if i.ident == "_" {
                    return;
                }
                (&i.ident, &i.vis, i.generics.clone(), &i.attrs, ItemKind::Const)
            }
            Item::Static(i) => {
                self.nested(&spot.within(&i.ident), |finder| finder.visit_expr(&i.expr));
                let kind =
                    if is_fixed(i) { ItemKind::Const } else { ItemKind::Static { state: is_state(i) } };
                (&i.ident, &i.vis, syn::Generics::default(), &i.attrs, kind)
            }
            _ => return,
        };
        let has_parameters = !generics.params.is_empty();
        self.add_item(Declared { ident, vis, generics, attrs, kind }, spot);
        if !has_parameters {
            self.derived_default(ident, attrs, spot);
        }
    }

    fn fields(&self, fields: &Fields, of_variant: bool, spot: &Spot) -> FieldList {
        let shape = match fields {
            Fields::Named(_) => Shape::Named,
            Fields::Unnamed(_) => Shape::Tuple,
            Fields::Unit => Shape::Unit,
        };
        let fields = fields.iter().enumerate().map(|(index, field)| {
            let attributes = self.attributes(&field.attrs);
            FieldItem {
                name: field.ident.as_ref().map_or_else(|| index.to_string(), plain),
                visibility: if of_variant { Visibility::Public } else { self.visibility(&field.vis, spot) },
                ty: field.ty.clone(),
                cfg: attributes.cfg,
                default: attributes.default,
                serde: attributes.serde,
            }
        });
        FieldList { shape, fields: fields.collect() }
    }

    pub(super) fn macro_item(&mut self, item: &syn::ItemMacro, spot: &Spot) {
        let attributes = self.attributes(&item.attrs);
        let spot = &Spot { cfg: spot.cfg.clone().and(attributes.cfg), ..spot.clone() };
        if let Some(defined) = &item.ident {
            if let Some(cfg) = macros::wrapper(&item.mac.tokens) {
                self.wrappers.insert(defined.to_string(), cfg);
            }
            self.define_macro(defined, &item.mac.tokens, spot);
            self.opaque(&item.mac, Some(defined), spot);
            return;
        }
        let Some(name) = item.mac.path.segments.last().map(|segment| segment.ident.to_string()) else {
            return;
        };
        if name == "include" {
            self.include(&item.mac, spot);
            return;
        }
        let wrapper = self.wrappers.get(&name).cloned();
        if self.is_put_off(item, spot) || self.made_items(item, spot) {
            return;
        }
        match macros::read(&name, &item.mac.tokens) {
            MacroText::Items(parts) => {
                for (cfg, items) in parts {
                    let cfg = spot.cfg.clone().and(cfg).and(wrapper.clone().unwrap_or_default());
                    let inner = Spot { cfg, in_macro: true, depth: spot.depth + 1, ..spot.clone() };
                    self.items(&items, &inner);
                }
                // A macro that is given items may well add some of its own.
                if wrapper.is_none()
                    && name != "cfg_if"
                    && let Some(module) = self.module_mut(spot)
                {
                    module.opaque = true;
                }
            }
            MacroText::Opaque => {
                self.opaque(&item.mac, None, spot);
                self.waits(item, spot, true);
            }
        }
    }

    pub(super) fn opaque(&mut self, invocation: &syn::Macro, defined: Option<&syn::Ident>, spot: &Spot) {
        if defined.is_none()
            && let Some(module) = self.module_mut(spot)
        {
            module.opaque = true;
        }
        let Some(last) = invocation.path.segments.last() else { return };
        self.source.opaque_macros.push(OpaqueMacro {
            name: defined.unwrap_or(&last.ident).to_string(),
            definition: defined.is_some(),
            file: spot.file,
            lines: (
                last.ident.span().start().line as u32,
                invocation.delimiter.span().close().end().line as u32,
            ),
            derives: if defined.is_some() { Vec::new() } else { shown_derives(&invocation.tokens) },
            flags: if last.ident == "bitflags" { shown_flags(&invocation.tokens) } else { Vec::new() },
        });
    }
}

/// Whether a static can change: it is `mut`, or of a type that can be changed behind a shared reference.
fn is_state(item: &syn::ItemStatic) -> bool {
    matches!(item.mutability, syn::StaticMutability::Mut(_)) || changes_when_shared(&item.ty)
}

/// Whether a static is the same in every program, and nothing but a constant with an address: texts, numbers, tables of them.
fn is_fixed(item: &syn::ItemStatic) -> bool {
    fn is_plain(ty: &syn::Type) -> bool {
        match ty {
            syn::Type::Reference(to) => to.mutability.is_none() && is_plain(&to.elem),
            syn::Type::Array(of) => is_plain(&of.elem),
            syn::Type::Slice(of) => is_plain(&of.elem),
            syn::Type::Tuple(tuple) => tuple.elems.iter().all(is_plain),
            syn::Type::Path(path) => PLAIN.iter().any(|name| path.path.is_ident(name)),
            _ => false,
        }
    }
    matches!(item.mutability, syn::StaticMutability::None) && is_plain(&item.ty)
}

/// Types of the language that hold nothing but themselves.
const PLAIN: [&str; 17] = [
    "str", "bool", "char", "u8", "u16", "u32", "u64", "u128", "usize", "i8", "i16", "i32", "i64", "i128",
    "isize", "f32", "f64",
];

/// Collects items in bodies, not those within these items.
struct NestedItems(Vec<Item>);

impl<'ast> Visit<'ast> for NestedItems {
    fn visit_item(&mut self, item: &'ast Item) {
        self.0.push(item.clone());
    }

    fn visit_stmt_macro(&mut self, statement: &'ast syn::StmtMacro) {
        // `cfg_if! { … }` and the like in a body: only those that declare functions are worth a look.
        if !macros::declares_function(&statement.mac.tokens) {
            return;
        }
        if let Some(last) = statement.mac.path.segments.last()
            && let MacroText::Items(parts) = macros::read(&last.ident.to_string(), &statement.mac.tokens)
        {
            self.0.extend(parts.into_iter().flat_map(|(_, items)| items));
        }
    }

    fn visit_expr(&mut self, expression: &'ast syn::Expr) {
        visit::visit_expr(self, expression);
    }
}

/// `impl From<u8> for Level`: a conversion, which may do no more than to store what it is given.
fn is_from(trait_path: &syn::Path) -> bool {
    trait_path.segments.last().is_some_and(|last| last.ident == "From")
}
