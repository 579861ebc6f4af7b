//! From a crate's root file to its [`CrateSource`]: follows `mod`, `#[path]`, `include!` and macros whose text
//! reads as items. Reads source files; what cannot be read becomes a recorded problem.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use syn::visit::{self, Visit};
use syn::{Fields, ImplItem as SynImplItem, Item, TraitItem, UseTree};

use super::attributes::Attributes;
use super::cfg::{Cfg, CfgFacts, Holds};
use super::function::{FunctionItem, Owner, asserts, head_line};
use super::items::{
    CrateId, CrateSource, Entry, EntryTarget, FieldItem, FieldList, FunctionId, ImplItem, Import, ItemId,
    ItemKind, Module, ModuleId, OpaqueMacro, Problem, Reached, Shape, TypeItem, VariantItem, Visibility,
};
use super::macros::{self, MacroText};
use super::packages::{normalized, relative};

/// Limits that no crate of people comes near; a hostile or cyclic tree ends there.
const MAX_FILES: usize = 20_000;
const MAX_DEPTH: usize = 96;
const MAX_FILE_BYTES: u64 = 32 << 20;

/// What a crate is called and where it begins.
pub(super) struct Root<'a> {
    pub(super) id: CrateId,
    pub(super) package: &'a str,
    pub(super) crate_name: &'a str,
    pub(super) file: &'a Path,
    pub(super) workspace_root: &'a Path,
    pub(super) package_folder: &'a Path,
    pub(super) facts: CfgFacts,
}

/// Reads a crate's source.
pub(super) fn read(root: &Root<'_>) -> CrateSource {
    let mut walk = Walk {
        root,
        source: CrateSource {
            id: root.id,
            files: Vec::new(),
            modules: Vec::new(),
            items: Vec::new(),
            functions: Vec::new(),
            impls: Vec::new(),
            opaque_macros: Vec::new(),
            problems: Vec::new(),
            no_std: false,
        },
        open_files: Vec::new(),
        wrappers: HashMap::new(),
        files_read: 0,
    };
    walk.crate_root();
    walk.source
}

struct Walk<'a> {
    root: &'a Root<'a>,
    source: CrateSource,
    /// Files on the way from the root to here, against cycles.
    open_files: Vec<PathBuf>,
    /// `macro_rules!` that pass items through, with the condition that they put before each.
    wrappers: HashMap<String, Cfg>,
    files_read: usize,
}

/// Where the walk stands.
#[derive(Clone)]
struct Spot {
    module: u32,
    /// Index of the file whose text is read.
    file: u32,
    /// Its folder.
    file_folder: PathBuf,
    /// Where `mod x;` looks.
    module_folder: PathBuf,
    /// Within an inline module.
    inline: bool,
    /// The condition of macros around.
    cfg: Cfg,
    /// The macro around.
    in_macro: Option<String>,
    /// The function around.
    nested_in: Option<String>,
    depth: usize,
}

impl Walk<'_> {
    fn crate_root(&mut self) {
        let file = normalized(self.root.file);
        let Some(parsed) = self.parse(&file) else {
            // A crate that cannot be read still has a root, so that every look-up has a place to start.
            self.source.files.push(relative(self.root.workspace_root, &file));
            self.add_module(
                None,
                String::new(),
                Visibility::Public,
                &Attributes::default(),
                Reached::Root,
                0,
                None,
            );
            return;
        };
        let attributes = Attributes::read(&parsed.attrs, &self.root.facts);
        self.source.no_std = attributes.no_std;
        let index = self.file_index(&file);
        let module =
            self.add_module(None, String::new(), Visibility::Public, &attributes, Reached::Root, index, None);
        let folder = file.parent().unwrap_or(Path::new("")).to_path_buf();
        let spot = Spot {
            module,
            file: index,
            file_folder: folder.clone(),
            module_folder: folder,
            inline: false,
            cfg: Cfg::Always,
            in_macro: None,
            nested_in: None,
            depth: 0,
        };
        self.open_files.push(file);
        self.items(&parsed.items, &spot);
        self.open_files.pop();
    }

    fn problem(&mut self, file: &Path, reason: impl Into<String>) {
        if self.source.problems.len() < 1000 {
            let file = relative(self.root.workspace_root, file);
            self.source.problems.push(Problem { file, reason: reason.into() });
        }
    }

    fn parse(&mut self, file: &Path) -> Option<syn::File> {
        self.files_read += 1;
        if self.files_read > MAX_FILES {
            self.problem(file, "not read: the crate has too many files");
            return None;
        }
        match std::fs::metadata(file) {
            Ok(facts) if facts.len() > MAX_FILE_BYTES || !facts.is_file() => {
                self.problem(file, "not read: too large, or not a file");
                return None;
            }
            _ => {}
        }
        let text = match std::fs::read_to_string(file) {
            Ok(text) => text,
            Err(error) => {
                self.problem(file, format!("failed to read: {error}"));
                return None;
            }
        };
        match syn::parse_file(&text) {
            Ok(parsed) => Some(parsed),
            Err(error) => {
                self.problem(file, format!("failed to parse, line {}: {error}", error.span().start().line));
                None
            }
        }
    }

    fn file_index(&mut self, file: &Path) -> u32 {
        let path = relative(self.root.workspace_root, file);
        let known = self.source.files.iter().position(|known| *known == path);
        let index = known.unwrap_or_else(|| {
            self.source.files.push(path);
            self.source.files.len() - 1
        });
        index as u32
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "one line for each fact of a module; there is no second use"
    )]
    fn add_module(
        &mut self,
        parent: Option<&Spot>,
        name: String,
        visibility: Visibility,
        attributes: &Attributes,
        reached: Reached,
        file: u32,
        line: Option<u32>,
    ) -> u32 {
        let index = self.source.modules.len() as u32;
        let around = parent.and_then(|spot| self.source.modules.get_mut(spot.module as usize));
        let (mut path, mut inline, mut in_macro) = (Vec::new(), Vec::new(), false);
        if let Some(around) = around {
            around.children.push(index);
            path.clone_from(&around.path);
            path.push(name.clone());
            if reached == Reached::Inline {
                inline.clone_from(&around.inline);
                inline.push(name.clone());
                in_macro = around.in_macro || parent.is_some_and(|spot| spot.in_macro.is_some());
            }
        }
        let cfg = parent.map_or(Cfg::Always, |spot| spot.cfg.clone()).and(attributes.cfg.clone());
        self.source.modules.push(Module {
            id: ModuleId { krate: self.root.id, module: index },
            name,
            parent: parent.map(|spot| spot.module),
            path,
            visibility,
            cfg,
            file,
            inline,
            reached,
            in_macro,
            hidden: attributes.hidden,
            opaque: false,
            line: line.unwrap_or(0),
            entries: HashMap::new(),
            imports: Vec::new(),
            children: Vec::new(),
        });
        index
    }

    fn module_mut(&mut self, spot: &Spot) -> Option<&mut Module> {
        self.source.modules.get_mut(spot.module as usize)
    }

    fn enter(
        &mut self,
        spot: &Spot,
        name: &str,
        target: EntryTarget,
        visibility: Visibility,
        facts: (Cfg, bool),
    ) {
        // What a function's body declares is in no module's scope.
        if spot.nested_in.is_none()
            && let Some(module) = self.module_mut(spot)
        {
            let entry = Entry { target, visibility, cfg: facts.0, hidden: facts.1 };
            module.entries.entry(name.to_owned()).or_default().push(entry);
        }
    }

    /// What a `pub(…)` in the module of `spot` means.
    fn visibility(&self, visibility: &syn::Visibility, spot: &Spot) -> Visibility {
        let restricted = match visibility {
            syn::Visibility::Public(_) => return Visibility::Public,
            syn::Visibility::Inherited => return Visibility::Within(spot.module),
            syn::Visibility::Restricted(restricted) => restricted,
        };
        let mut at = spot.module;
        let parent =
            |module: u32| self.source.modules.get(module as usize).and_then(|m| m.parent).unwrap_or(0);
        for (index, segment) in restricted.path.segments.iter().enumerate() {
            match segment.ident.to_string().as_str() {
                "self" => {}
                "crate" => at = 0,
                "super" => at = parent(at),
                name => {
                    // `pub(in a::b)` without `crate` is the 2015 form: from the root.
                    let from = if index == 0 { 0 } else { at };
                    let child = self.source.modules.iter().find(|m| m.parent == Some(from) && m.name == name);
                    at = child.map_or(from, |m| m.id.module);
                }
            }
        }
        Visibility::Within(at)
    }

    fn items(&mut self, items: &[Item], spot: &Spot) {
        if spot.depth > MAX_DEPTH {
            return;
        }
        for item in items {
            self.item(item, spot);
        }
    }

    fn item(&mut self, item: &Item, spot: &Spot) {
        match item {
            Item::Mod(module) => self.module(module, spot),
            Item::Use(import) => {
                let attributes = self.attributes(&import.attrs);
                let start = Import {
                    path: Vec::new(),
                    absolute: import.leading_colon.is_some(),
                    extern_crate: false,
                    types_only: false,
                    name: None,
                    visibility: self.visibility(&import.vis, spot),
                    cfg: spot.cfg.clone().and(attributes.cfg),
                    hidden: attributes.hidden,
                };
                if spot.nested_in.is_none() {
                    let mut leaves = Vec::new();
                    flatten(&import.tree, start, &mut leaves, 0);
                    if let Some(module) = self.module_mut(spot) {
                        module.imports.extend(leaves);
                    }
                }
            }
            Item::ExternCrate(import) => {
                let attributes = self.attributes(&import.attrs);
                let name = import.rename.as_ref().map_or(&import.ident, |(_, rename)| rename).to_string();
                let visibility = self.visibility(&import.vis, spot);
                let cfg = spot.cfg.clone().and(attributes.cfg);
                if let Some(module) = self.module_mut(spot) {
                    module.imports.push(Import {
                        path: vec![plain(&import.ident)],
                        absolute: true,
                        extern_crate: true,
                        types_only: true,
                        name: Some(name),
                        visibility,
                        cfg,
                        hidden: attributes.hidden,
                    });
                }
            }
            Item::Fn(function) => {
                let head = head_line(&function.vis, &function.modifiers, &function.sig);
                let visibility = self.visibility(&function.vis, spot);
                let attributes = self.attributes(&function.attrs);
                let head =
                    Head { attrs: &function.attrs, attributes, head, visibility, owner: Owner::Module };
                self.function(&function.sig, &function.block, head, spot);
            }
            Item::Impl(block) => self.implementation(block, spot),
            Item::Trait(item) => self.trait_item(item, spot),
            Item::Macro(invocation) => self.macro_item(invocation, spot),
            other => self.type_item(other, spot),
        }
    }

    fn attributes(&self, attributes: &[syn::Attribute]) -> Attributes {
        Attributes::read(attributes, &self.root.facts)
    }

    fn module(&mut self, item: &syn::ItemMod, spot: &Spot) {
        if spot.nested_in.is_some() {
            return;
        }
        let attributes = self.attributes(&item.attrs);
        let name = plain(&item.ident);
        let line = item.ident.span().start().line as u32;
        let visibility = self.visibility(&item.vis, spot);
        let base = if spot.inline { &spot.module_folder } else { &spot.file_folder };
        if let Some((_, items)) = &item.content {
            let folder = match attributes.paths.first() {
                Some((_, path)) => base.join(path),
                None => spot.module_folder.join(&name),
            };
            let module = self.add_module(
                Some(spot),
                name.clone(),
                visibility,
                &attributes,
                Reached::Inline,
                spot.file,
                Some(line),
            );
            let cfg = self.module_cfg(module);
            self.enter(spot, &name, EntryTarget::Module(module), visibility, (cfg, attributes.hidden));
            let inner = Spot {
                module,
                module_folder: folder,
                inline: true,
                cfg: Cfg::Always,
                depth: spot.depth + 1,
                ..spot.clone()
            };
            self.items(items, &inner);
            return;
        }
        for found in self.module_files(&name, &attributes, spot) {
            self.module_file(found, &name, (visibility, line), &attributes, spot);
        }
    }

    fn module_cfg(&self, module: u32) -> Cfg {
        self.source.modules.get(module as usize).map_or(Cfg::Always, |m| m.cfg.clone())
    }

    /// The files that `mod name;` may mean: those of `#[path]`s that exist, and the usual place.
    fn module_files(&mut self, name: &str, attributes: &Attributes, spot: &Spot) -> Vec<ModuleFile> {
        let base = if spot.inline { &spot.module_folder } else { &spot.file_folder };
        let (mut found, mut otherwise) = (Vec::new(), Cfg::Always);
        for (condition, path) in &attributes.paths {
            let file = normalized(&base.join(path));
            if file.is_file() {
                let cfg = otherwise.clone().and(condition.clone());
                found.push(ModuleFile { file, reached: Reached::PathAttribute, cfg });
            }
            if *condition == Cfg::Always {
                return found;
            }
            otherwise = otherwise.and(condition.clone().negated());
        }
        let usual =
            [spot.module_folder.join(format!("{name}.rs")), spot.module_folder.join(name).join("mod.rs")];
        if let Some(file) = usual.iter().find(|file| file.is_file()) {
            found.push(ModuleFile { file: normalized(file), reached: Reached::File, cfg: otherwise });
        } else if found.is_empty() {
            let cfg = spot.cfg.clone().and(attributes.cfg.clone());
            if cfg.holds(&self.root.facts) != Holds::No {
                self.problem(&usual[0], format!("module `{name}` has no file"));
            }
        }
        found
    }

    fn module_file(
        &mut self,
        found: ModuleFile,
        name: &str,
        (visibility, line): (Visibility, u32),
        attributes: &Attributes,
        spot: &Spot,
    ) {
        if self.open_files.contains(&found.file) || self.open_files.len() > MAX_DEPTH {
            self.problem(&found.file, format!("module `{name}` leads back to a file around it"));
            return;
        }
        let Some(parsed) = self.parse(&found.file) else { return };
        let inner_attributes = self.attributes(&parsed.attrs);
        let mut attributes = attributes.clone();
        attributes.hidden |= inner_attributes.hidden;
        attributes.cfg = attributes.cfg.and(found.cfg).and(inner_attributes.cfg);
        let file = self.file_index(&found.file);
        let module = self.add_module(
            Some(spot),
            name.to_owned(),
            visibility,
            &attributes,
            found.reached,
            file,
            Some(line),
        );
        let cfg = self.module_cfg(module);
        self.enter(spot, name, EntryTarget::Module(module), visibility, (cfg, attributes.hidden));
        let folder = found.file.parent().unwrap_or(Path::new("")).to_path_buf();
        let owns_folder = found.reached == Reached::PathAttribute
            || found.file.file_name().is_some_and(|file_name| file_name == "mod.rs");
        let inner = Spot {
            module,
            file,
            module_folder: if owns_folder { folder.clone() } else { folder.join(name) },
            file_folder: folder,
            inline: false,
            cfg: Cfg::Always,
            in_macro: None,
            nested_in: None,
            depth: spot.depth + 1,
        };
        self.open_files.push(found.file);
        self.items(&parsed.items, &inner);
        self.open_files.pop();
    }

    fn function(&mut self, signature: &syn::Signature, block: &syn::Block, head: Head<'_>, spot: &Spot) {
        let name = plain(&signature.ident);
        let id = FunctionId { krate: self.root.id, function: self.source.functions.len() as u32 };
        let cfg = spot.cfg.clone().and(head.attributes.cfg.clone());
        if matches!(head.owner, Owner::Module) {
            let target = EntryTarget::Function(id.function);
            self.enter(spot, &name, target, head.visibility, (cfg.clone(), head.attributes.hidden));
        }
        let attributes_start = head.attrs.iter().map(|a| a.pound_token.span.start().line as u32).min();
        let braces = block.brace_token.span;
        self.source.functions.push(FunctionItem {
            id,
            package: self.root.package.to_owned(),
            crate_name: self.root.crate_name.to_owned(),
            file: self.file_name(spot.file),
            first_line: attributes_start.unwrap_or(head.head).min(head.head),
            head_line: head.head,
            name_line: signature.fn_token.span.start().line as u32,
            body_lines: (braces.open().start().line as u32, braces.close().end().line as u32),
            module: ModuleId { krate: self.root.id, module: spot.module },
            visibility: head.visibility,
            owner: head.owner,
            signature: signature.clone(),
            attributes: head.attributes,
            cfg,
            nested_in: spot.nested_in.clone(),
            in_macro: spot.in_macro.clone(),
            asserts: asserts(signature, block),
            name: name.clone(),
        });
        let inner = Spot { nested_in: Some(name), depth: spot.depth + 1, ..spot.clone() };
        self.nested(&inner, |finder| finder.visit_block(block));
    }

    fn file_name(&self, file: u32) -> String {
        self.source.files.get(file as usize).map_or_else(String::new, |f| f.to_string_lossy().into_owned())
    }

    /// Items that stand in bodies and initialisers.
    fn nested(&mut self, spot: &Spot, find: impl FnOnce(&mut NestedItems)) {
        let mut finder = NestedItems(Vec::new());
        find(&mut finder);
        if !finder.0.is_empty() {
            self.items(&finder.0, spot);
        }
    }

    fn implementation(&mut self, block: &syn::ItemImpl, spot: &Spot) {
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
        for item in &block.items {
            match item {
                SynImplItem::Fn(function) => {
                    let (self_type, generics) = (block.self_ty.clone(), Box::new(block.generics.clone()));
                    let owner = match trait_path.clone() {
                        Some(path) => Owner::TraitImpl { self_type, trait_path: Box::new(path), generics },
                        None => Owner::Inherent { self_type, generics },
                    };
                    let visibility = match &owner {
                        Owner::TraitImpl { .. } => Visibility::Public,
                        _ => self.visibility(&function.vis, &spot),
                    };
                    let mut own = self.attributes(&function.attrs);
                    own.hidden |= attributes.hidden;
                    let head = head_line(&function.vis, &function.modifiers, &function.sig);
                    let head = Head { attrs: &function.attrs, attributes: own, head, visibility, owner };
                    self.function(&function.sig, &function.block, head, &spot);
                }
                SynImplItem::Const(constant) => {
                    self.nested(&spot, |finder| finder.visit_expr(&constant.expr))
                }
                SynImplItem::Macro(invocation) => self.opaque(&invocation.mac, None, &spot),
                _ => {}
            }
        }
    }

    fn trait_item(&mut self, item: &syn::ItemTrait, spot: &Spot) {
        let attributes = self.attributes(&item.attrs);
        let cfg = spot.cfg.clone().and(attributes.cfg.clone());
        let functions = item.items.iter().filter_map(|item| match item {
            TraitItem::Fn(function) => Some(function),
            _ => None,
        });
        let methods = functions.clone().map(|f| f.sig.ident.to_string()).collect();
        let name = plain(&item.ident);
        let declared = Declared {
            ident: &item.ident,
            vis: &item.vis,
            generics: item.generics.clone(),
            attrs: &item.attrs,
            kind: ItemKind::Trait(methods),
        };
        self.add_item(declared, spot);
        let inner = Spot { cfg, ..spot.clone() };
        for function in functions {
            let Some(block) = &function.default else { continue };
            let owner = Owner::Trait { name: name.clone(), generics: Box::new(item.generics.clone()) };
            let head = head_line(&syn::Visibility::Inherited, &function.modifiers, &function.sig);
            let own = self.attributes(&function.attrs);
            let visibility = Visibility::Public;
            let head = Head { attrs: &function.attrs, attributes: own, head, visibility, owner };
            self.function(&function.sig, block, head, &inner);
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

    fn type_item(&mut self, item: &Item, spot: &Spot) {
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
                        cfg: attributes.cfg,
                    }
                });
                (&i.ident, &i.vis, i.generics.clone(), &i.attrs, ItemKind::Enum(variants.collect()))
            }
            Item::Type(i) => (&i.ident, &i.vis, i.generics.clone(), &i.attrs, ItemKind::Alias(i.ty.clone())),
            Item::TraitAlias(i) => {
                (&i.ident, &i.vis, i.generics.clone(), &i.attrs, ItemKind::Trait(Vec::new()))
            }
            Item::Const(i) => {
                // `const _: () = { impl … };` is how derives and people keep impls out of the module's names.
                self.nested(&self.unnamed(&i.ident, spot), |finder| finder.visit_expr(&i.expr));
                if i.ident == "_" {
                    return;
                }
                (&i.ident, &i.vis, i.generics.clone(), &i.attrs, ItemKind::Const)
            }
            Item::Static(i) => {
                self.nested(&self.unnamed(&i.ident, spot), |finder| finder.visit_expr(&i.expr));
                (&i.ident, &i.vis, syn::Generics::default(), &i.attrs, ItemKind::Static)
            }
            _ => return,
        };
        self.add_item(Declared { ident, vis, generics, attrs, kind }, spot);
    }

    fn unnamed(&self, ident: &syn::Ident, spot: &Spot) -> Spot {
        Spot { nested_in: Some(ident.to_string()), depth: spot.depth + 1, ..spot.clone() }
    }

    fn fields(&self, fields: &Fields, of_variant: bool, spot: &Spot) -> FieldList {
        let shape = match fields {
            Fields::Named(_) => Shape::Named,
            Fields::Unnamed(_) => Shape::Tuple,
            Fields::Unit => Shape::Unit,
        };
        let fields = fields.iter().enumerate().map(|(index, field)| FieldItem {
            name: field.ident.as_ref().map_or_else(|| index.to_string(), plain),
            visibility: if of_variant { Visibility::Public } else { self.visibility(&field.vis, spot) },
            ty: field.ty.clone(),
            cfg: self.attributes(&field.attrs).cfg,
        });
        FieldList { shape, fields: fields.collect() }
    }

    fn macro_item(&mut self, item: &syn::ItemMacro, spot: &Spot) {
        let attributes = self.attributes(&item.attrs);
        let spot = &Spot { cfg: spot.cfg.clone().and(attributes.cfg), ..spot.clone() };
        if let Some(defined) = &item.ident {
            if let Some(cfg) = macros::wrapper(&item.mac.tokens) {
                self.wrappers.insert(defined.to_string(), cfg);
            }
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
        match macros::read(&name, &item.mac.tokens) {
            MacroText::Items(parts) => {
                for (cfg, items) in parts {
                    let cfg = spot.cfg.clone().and(cfg).and(wrapper.clone().unwrap_or_default());
                    let inner =
                        Spot { cfg, in_macro: Some(name.clone()), depth: spot.depth + 1, ..spot.clone() };
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
            MacroText::Opaque => self.opaque(&item.mac, None, spot),
        }
    }

    fn opaque(&mut self, invocation: &syn::Macro, defined: Option<&syn::Ident>, spot: &Spot) {
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
            functions: macros::function_names(&invocation.tokens),
        });
    }

    fn include(&mut self, invocation: &syn::Macro, spot: &Spot) {
        let Some(path) = macros::included_path(&invocation.tokens, self.root.package_folder) else {
            self.opaque(invocation, None, spot);
            return;
        };
        let file = normalized(&spot.file_folder.join(path));
        if self.open_files.contains(&file) || self.open_files.len() > MAX_DEPTH {
            self.problem(&file, "includes itself");
            return;
        }
        let Some(parsed) = self.parse(&file) else { return };
        let folder = file.parent().unwrap_or(Path::new("")).to_path_buf();
        let inner = Spot {
            file: self.file_index(&file),
            file_folder: folder.clone(),
            module_folder: folder,
            inline: false,
            depth: spot.depth + 1,
            ..spot.clone()
        };
        self.open_files.push(file);
        self.items(&parsed.items, &inner);
        self.open_files.pop();
    }
}

struct ModuleFile {
    file: PathBuf,
    reached: Reached,
    cfg: Cfg,
}

/// How a function is introduced.
struct Head<'a> {
    attrs: &'a [syn::Attribute],
    attributes: Attributes,
    head: u32,
    visibility: Visibility,
    owner: Owner,
}

/// How a type item is introduced.
struct Declared<'a> {
    ident: &'a syn::Ident,
    vis: &'a syn::Visibility,
    generics: syn::Generics,
    attrs: &'a [syn::Attribute],
    kind: ItemKind,
}

/// An identifier without `r#`: as DWARF and file names have it.
fn plain(ident: &syn::Ident) -> String {
    let text = ident.to_string();
    text.strip_prefix("r#").map_or_else(|| text.clone(), str::to_owned)
}

/// Collects items in bodies, not those within these items.
struct NestedItems(Vec<Item>);

impl<'ast> Visit<'ast> for NestedItems {
    fn visit_item(&mut self, item: &'ast Item) {
        self.0.push(item.clone());
    }

    fn visit_stmt_macro(&mut self, statement: &'ast syn::StmtMacro) {
        // `cfg_if! { … }` and the like in a body: only those that declare functions are worth a look.
        if macros::function_names(&statement.mac.tokens).is_empty() {
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

/// The leaves of a `use` tree.
fn flatten(tree: &UseTree, mut so_far: Import, leaves: &mut Vec<Import>, depth: usize) {
    if depth > MAX_DEPTH {
        return;
    }
    match tree {
        UseTree::Path(path) => {
            so_far.path.push(plain(&path.ident));
            flatten(&path.tree, so_far, leaves, depth + 1);
        }
        UseTree::Group(group) => {
            for tree in &group.items {
                flatten(tree, so_far.clone(), leaves, depth + 1);
            }
        }
        UseTree::Glob(_) => leaves.push(so_far),
        UseTree::Name(name) => leaf(so_far, &name.ident, None, leaves),
        UseTree::Rename(rename) => leaf(so_far, &rename.ident, Some(&rename.rename), leaves),
    }
}

fn leaf(mut import: Import, ident: &syn::Ident, rename: Option<&syn::Ident>, leaves: &mut Vec<Import>) {
    let name = plain(ident);
    if name == "self" && !import.path.is_empty() {
        import.types_only = true;
    } else {
        import.path.push(name);
    }
    let own = rename.map_or_else(|| import.path.last().cloned(), |rename| Some(plain(rename)));
    import.name = own;
    leaves.push(import);
}
