//! [`Names`] at a module: the shortest way to spell a definition there, and whether literals of it can be
//! written. The test stands in `M::regressions::NAME` and has `use super::super::*;`.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::rc::Rc;

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;

use crate::expression::CrateRules;
use crate::hostile::identifier;
use crate::names::{
    Asked, Constructed, Defaults, Deserialized, History, Names, RebuiltClosure, Seen, Unnameable,
    WrittenDefault,
};
use crate::regression::ConstructorFile;
use crate::ways::Ways;

use super::at_home::AtHome;
use super::dwarf_name::TypeName;
use super::ids::{CrateId, ItemId, ModuleId, Visibility};
use super::items::{FieldList, ItemKind, Shape};
use super::makers::{KnownMakers, Recorded};
use super::reach::{Reach, Search};
use super::resolve::{Def, Space, root};
use super::{SourceIndex, standard};

/// A path as it is spelled at a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Spelled {
    /// `::a::b`.
    pub(super) absolute: bool,
    pub(super) segments: Vec<String>,
}

/// The constructors that were named at a place, each with the call as it is spelled there.
type Named = BTreeMap<ItemId, (TokenStream, ConstructorFile)>;

/// The names at one module of a crate that is compiled with its tests.
pub struct NamesAt<'i> {
    pub(super) reach: Reach<'i>,
    pub(super) module: ModuleId,
    known: RefCell<HashMap<(Def, Space), Result<Spelled, Unnameable>>>,
    /// What was asked for by its path: a value may hold thousands of one type.
    located: RefCell<HashMap<String, Result<Def, Unnameable>>>,
    pub(super) constructors: RefCell<Named>,
    /// Items of a program that the test holds a copy of.
    pub(super) copied: RefCell<BTreeSet<ItemId>>,
    pub(super) at_home: RefCell<AtHome>,
    pub(super) ways: RefCell<HashMap<ItemId, Option<Rc<Ways>>>>,
    /// The calls that made values.
    pub(super) made: Recorded<'i>,
    pub(super) known_makers: KnownMakers,
}

impl<'i> NamesAt<'i> {
    /// The names that a test placed in `module` has.
    pub fn new(index: &'i SourceIndex, module: ModuleId) -> NamesAt<'i> {
        NamesAt {
            reach: Reach::new(index, Some(module.krate)),
            module,
            known: RefCell::default(),
            located: RefCell::default(),
            constructors: RefCell::default(),
            copied: RefCell::default(),
            at_home: RefCell::new(AtHome::wanted()),
            ways: RefCell::default(),
            made: Recorded::default(),
            known_makers: KnownMakers::default(),
        }
    }

    pub(super) fn index(&self) -> &'i SourceIndex {
        self.reach.resolver.index
    }

    pub(super) fn definition(&self, definition: &str) -> Result<Def, Unnameable> {
        if let Some(known) = self.located.borrow().get(definition) {
            return known.clone();
        }
        let found = self.locate(definition);
        self.located.borrow_mut().insert(definition.to_owned(), found.clone());
        found
    }

    fn locate(&self, definition: &str) -> Result<Def, Unnameable> {
        let first = definition.split("::").next().unwrap_or_default();
        if standard::crate_root(first).is_some() {
            return standard::public(definition).map(Def::Std).ok_or_else(|| {
                Unnameable(format!("no public path of std leads to `{definition}`, as far as known"))
            });
        }
        let found = self.reach.resolver.locate(definition, self.module.krate);
        // What a program gave to its library.
        if matches!(found, Err(_) | Ok(Def::Made(..)))
            && let Some(id) = self.in_program(definition)
        {
            self.copied.borrow_mut().insert(id);
            return Ok(Def::Item(id));
        }
        found
    }

    /// What is meant by a bare name here, all meanings.
    pub(super) fn in_scope(&self, name: &str, space: Space) -> Vec<Def> {
        self.reach
            .resolver
            .bindings(self.module, name, space)
            .into_iter()
            .map(|binding| binding.def)
            .collect()
    }

    /// Whether a crate has a macro of its own by that name.
    pub(super) fn defines_macro(&self, at: ModuleId, name: &str) -> bool {
        self.index().defines_macro(at.krate, name)
    }

    /// Whether a bare name means nothing here, so that a test may import something of that name.
    pub fn is_free(&self, name: &str) -> bool {
        let spaces = [Space::Types, Space::Values];
        standard::prelude(name).is_none()
            && spaces.into_iter().all(|space| self.in_scope(name, space).is_empty())
    }

    fn means_only(&self, name: &str, space: Space, def: &Def) -> bool {
        let found = self.in_scope(name, space);
        !found.is_empty() && found.iter().all(|own| self.reach.resolver.are_one(own, def))
    }

    /// The shortest spelling of a definition.
    pub(super) fn spell(&self, def: &Def, space: Space) -> Result<Spelled, Unnameable> {
        let key = (def.clone(), space);
        if let Some(known) = self.known.borrow().get(&key) {
            return known.clone();
        }
        let spelled = match def {
            Def::Item(id) if self.is_copied(*id) => {
                Ok(Spelled { absolute: false, segments: vec![self.index().item(*id).name.clone()] })
            }
            Def::Std(path) => Ok(self.spell_std(path, space)),
            Def::Variant(item, name) => self.spell(&Def::Item(*item), Space::Types).map(|mut spelled| {
                spelled.segments.push(name.clone());
                spelled
            }),
            Def::Module(id) if id.module == 0 => self.spell_root(id.krate),
            _ => self.spell_item(def, space),
        };
        self.known.borrow_mut().insert(key, spelled.clone());
        spelled
    }

    fn spell_root(&self, krate: CrateId) -> Result<Spelled, Unnameable> {
        if krate == self.module.krate {
            return Ok(Spelled { absolute: false, segments: vec!["crate".to_owned()] });
        }
        let own = self.crates().into_iter().find(|(_, known)| *known == krate);
        own.map(|(name, _)| self.through_crate(&name, krate, &[])).ok_or_else(|| self.no_dependency(krate))
    }

    fn spell_std(&self, path: &str, space: Space) -> Spelled {
        let def = Def::Std(path.to_owned());
        let bare = |name: &str| Spelled { absolute: false, segments: vec![name.to_owned()] };
        let edition = self.index().target(self.module.krate).edition;
        for name in self.reach.names_of(&def, &[self.module.krate]) {
            let meanings = self.in_scope(&name, space);
            let by_prelude =
                meanings.is_empty() && standard::in_prelude(path, edition) && path.ends_with(&name);
            if by_prelude || self.means_only(&name, space, &def) {
                return bare(&name);
            }
        }
        if let Some((parent, name)) = path.rsplit_once("::")
            && let Some((_, last)) = parent.rsplit_once("::")
            && self.means_only(last, Space::Types, &Def::Std(parent.to_owned()))
        {
            return Spelled { absolute: false, segments: vec![last.to_owned(), name.to_owned()] };
        }
        let segments: Vec<String> = path.split("::").map(str::to_owned).collect();
        let first = segments.first().map_or("std", String::as_str);
        let shadowed =
            self.in_scope(first, Space::Types).iter().any(|def| *def != Def::Std(first.to_owned()));
        Spelled { absolute: shadowed, segments }
    }

    /// The crates that code here can name, with their names: the package's own library and its dependencies.
    fn crates(&self) -> Vec<(String, CrateId)> {
        let (index, own) = (self.index(), self.module.krate);
        let package = index.package(own);
        let library = package.library.filter(|&library| library != own);
        let mut crates: Vec<(String, CrateId)> =
            library.map(|library| (index.target(library).crate_name.clone(), library)).into_iter().collect();
        for (name, dependency) in &package.dependencies {
            if let Some(library) = index.packages().get(*dependency).and_then(|package| package.library) {
                crates.push((name.clone(), library));
            }
        }
        crates
    }

    fn through_crate(&self, name: &str, krate: CrateId, path: &[String]) -> Spelled {
        let shadowed = self.in_scope(name, Space::Types).iter().any(|def| *def != Def::Module(root(krate)));
        Spelled {
            absolute: shadowed,
            segments: [name.to_owned()].into_iter().chain(path.iter().cloned()).collect(),
        }
    }

    fn spell_item(&self, def: &Def, space: Space) -> Result<Spelled, Unnameable> {
        let own = self.module.krate;
        let Some(home) = self.reach.home(def) else {
            return Err(Unnameable("a thing without a module".to_owned()));
        };
        let wanted = home.krate;
        let names = self.reach.names_of(def, &[own, wanted]);
        let search = Search { start: self.module, viewer: Some(self.module), wanted, hidden: true };
        let near = self.reach.find(def, &names, space, search);
        if let Some(path) = near.as_ref().filter(|path| path.len() == 1) {
            return Ok(Spelled { absolute: false, segments: path.clone() });
        }
        let mut far: Option<Spelled> = None;
        if wanted == own {
            let search = Search { start: root(own), ..search };
            far = self.reach.find(def, &names, space, search).map(|path| {
                let segments = ["crate".to_owned()].into_iter().chain(path).collect();
                Spelled { absolute: false, segments }
            });
        } else {
            for hidden in [false, true] {
                far = far.or_else(|| self.through_crates(def, &names, space, wanted, hidden));
            }
        }
        let near = near.map(|segments| Spelled { absolute: false, segments });
        // Where both are as long, the way from the crate says more: `crate::Kind`, not `super_kind::Kind`.
        match (near, far) {
            (Some(near), Some(far)) if near.segments.len() < far.segments.len() => Ok(near),
            (_, Some(far)) => Ok(far),
            (Some(near), None) => Ok(near),
            (None, None) => Err(self.obstacle(def, home)),
        }
    }

    fn through_crates(
        &self,
        def: &Def,
        names: &[String],
        space: Space,
        wanted: CrateId,
        hidden: bool,
    ) -> Option<Spelled> {
        let mut best: Option<(bool, Spelled)> = None;
        for (name, krate) in self.crates() {
            if !self.reach.resolver.depends_on(krate, wanted) {
                continue;
            }
            let search = Search { start: root(krate), viewer: None, wanted, hidden };
            let Some(path) = self.reach.find(def, names, space, search) else { continue };
            let spelled = self.through_crate(&name, krate, &path);
            let direct = krate == wanted;
            let better = best.as_ref().is_none_or(|(known_direct, known)| {
                (spelled.segments.len(), !direct) < (known.segments.len(), !known_direct)
            });
            if better {
                best = Some((direct, spelled));
            }
        }
        best.map(|(_, spelled)| spelled)
    }

    fn no_dependency(&self, krate: CrateId) -> Unnameable {
        let own = &self.index().package(self.module.krate).name;
        let name = &self.index().target(krate).crate_name;
        let package = self.index().package(krate);
        // A package of the workspace may depend on this one.
        let advice = if package.local {
            String::new()
        } else {
            format!(
                ": `cargo add --dev -p {own} {}@{}` makes it one of its tests",
                package.name, package.version
            )
        };
        Unnameable(format!("crate `{name}` is not a dependency of package `{own}`{advice}"))
    }

    /// Why nothing leads to a definition.
    fn obstacle(&self, def: &Def, home: ModuleId) -> Unnameable {
        let index = self.index();
        let full = self.full_path(def, home);
        let source = index.source(home.krate);
        if home.krate != self.module.krate {
            if !self.crates().iter().any(|(_, krate)| self.reach.resolver.depends_on(*krate, home.krate)) {
                return self.no_dependency(home.krate);
            }
            let name = &index.target(home.krate).crate_name;
            return Unnameable(format!("`{full}` cannot be reached from outside crate `{name}`"));
        }
        let describe = |module: u32| {
            let path = source.modules.get(module as usize).map(|m| m.path.join("::")).unwrap_or_default();
            if path.is_empty() { "the crate's root".to_owned() } else { format!("`crate::{path}`") }
        };
        let hidden = |visibility: Visibility| match visibility {
            Visibility::Within(module) if !source.is_within(self.module.module, module) => {
                Some(describe(module))
            }
            _ => None,
        };
        let own = match def {
            Def::Item(id) => Some(index.item(*id).visibility),
            Def::Function(id) => Some(index.function(*id).visibility),
            Def::Module(id) => Some(index.module(*id).visibility),
            _ => None,
        };
        if let Some(place) = own.and_then(hidden) {
            return Unnameable(format!("`{full}` is private to {place}"));
        }
        let mut at = Some(home.module);
        while let Some(module) = at.and_then(|module| source.modules.get(module as usize)) {
            if let Some(place) = hidden(module.visibility) {
                let path = module.path.join("::");
                return Unnameable(format!("`{full}` is in module `{path}`, which is private to {place}"));
            }
            at = module.parent;
        }
        Unnameable(format!("no name leads to `{full}` from here: it is not part of this build, or ambiguous"))
    }

    fn full_path(&self, def: &Def, home: ModuleId) -> String {
        let mut path = self.index().module(home).path.clone();
        path.extend(self.reach.names_of(def, &[]));
        path.join("::")
    }

    /// Whether all fields can be written from here.
    fn fields_open(&self, fields: &FieldList, of: ItemId, name: &str) -> Result<(), Unnameable> {
        let item = self.index().item(of);
        if self.is_copied(of) {
            return Ok(());
        }
        for field in &fields.fields {
            if !self.reach.resolver.is_built(&field.cfg, of.krate) {
                continue;
            }
            if !self.reach.resolver.visible(field.visibility, of.krate, Some(self.module)) {
                return Err(Unnameable(format!("field `{}` of `{name}` is private", field.name)));
            }
        }
        if item.attributes.non_exhaustive
            && of.krate != self.module.krate
            && !matches!(item.kind, ItemKind::Enum(_))
        {
            return Err(Unnameable(format!("`{name}` is `#[non_exhaustive]`, of another crate")));
        }
        Ok(())
    }

    fn variants_open(&self, of: ItemId, definition: &str, wanted: Option<&str>) -> Result<(), Unnameable> {
        let item = self.index().item(of);
        let ItemKind::Enum(variants) = &item.kind else { return Ok(()) };
        let foreign = of.krate != self.module.krate && !self.is_copied(of);
        for variant in variants.iter().filter(|variant| wanted.is_none_or(|name| variant.name == name)) {
            if foreign && variant.non_exhaustive {
                let name = &variant.name;
                return Err(Unnameable(format!(
                    "`{definition}::{name}` is `#[non_exhaustive]`, of another crate"
                )));
            }
        }
        Ok(())
    }

    fn literal_of(&self, definition: &str, variant: Option<&str>) -> Result<(), Unnameable> {
        match self.definition(definition)? {
            Def::Std(path) if standard::is_open(&path) => Ok(()),
            Def::Std(path) => Err(Unnameable(format!("the fields of `{path}` are private"))),
            Def::Item(id) => match &self.index().item(id).kind {
                ItemKind::Struct(fields) | ItemKind::Union(fields) => {
                    self.fields_open(fields, id, definition)
                }
                ItemKind::Enum(_) => self.variants_open(id, definition, variant),
                ItemKind::Alias(_) | ItemKind::Trait(_) | ItemKind::Const | ItemKind::Static { .. } => {
                    Err(Unnameable(format!("`{definition}` is no struct or enum")))
                }
            },
            // What a macro made is not in the source: within its own crate the compiler tells whether the fields
            // may be written, and drops the candidate where they may not.
            Def::Made(module, _) => {
                let reason =
                    || Unnameable(format!("`{definition}` is made by a macro; its fields may be private"));
                if module.krate == self.module.krate || variant.is_some() { Ok(()) } else { Err(reason()) }
            }
            Def::Variant(..) | Def::Module(_) | Def::Function(_) => {
                Err(Unnameable(format!("`{definition}` is no type")))
            }
        }
    }

    /// A type from its name.
    pub(super) fn type_of(&self, name: &TypeName) -> Result<TokenStream, Unnameable> {
        Ok(match name {
            TypeName::Path { path, arguments, bindings } => self.path_type(path, arguments, bindings)?,
            TypeName::Reference { mutable, to } => {
                let (mutable, to) = (mutable.then(|| quote!(mut)), self.pointee(to)?);
                quote!(&#mutable #to)
            }
            TypeName::Pointer { mutable, to } => {
                let kind = if *mutable { quote!(mut) } else { quote!(const) };
                let to = self.pointee(to)?;
                quote!(*#kind #to)
            }
            TypeName::Slice(of) => {
                let of = self.type_of(of)?;
                quote!([#of])
            }
            TypeName::Array(of, length) => {
                let (of, length) = (self.type_of(of)?, proc_macro2::Literal::u64_unsuffixed(*length));
                quote!([#of; #length])
            }
            TypeName::Tuple(items) => tuple(&self.types(items)?),
            TypeName::Dyn(bounds) => {
                let mut bounds = self.types(bounds)?;
                // In edition 2015 `dyn ::std::x` is a path that begins with a module `dyn`.
                if let Some(first) = bounds.first_mut().filter(|first| first.to_string().starts_with("::")) {
                    *first = quote!((#first));
                }
                quote!(dyn #(#bounds)+*)
            }
            TypeName::Function { is_unsafe, abi, parameters, result } => {
                let is_unsafe = is_unsafe.then(|| quote!(unsafe));
                let abi = abi.as_ref().map(|abi| quote!(extern #abi));
                let parameters = self.types(parameters)?;
                let result = result.as_ref().map(|result| self.type_of(result)).transpose()?;
                let result = result.map(|result| quote!(-> #result));
                quote!(#is_unsafe #abi fn(#(#parameters),*) #result)
            }
            TypeName::Never => quote!(!),
            TypeName::Const(text) => constant(text)?,
        })
    }

    fn types(&self, names: &[TypeName]) -> Result<Vec<TokenStream>, Unnameable> {
        names.iter().map(|name| self.type_of(name)).collect()
    }

    /// Behind `&` and `*`, `dyn A + B` needs parentheses.
    fn pointee(&self, name: &TypeName) -> Result<TokenStream, Unnameable> {
        let tokens = self.type_of(name)?;
        let wrapped = matches!(name, TypeName::Dyn(bounds) if bounds.len() > 1);
        Ok(if wrapped { quote!((#tokens)) } else { tokens })
    }

    fn path_type(
        &self,
        path: &str,
        arguments: &[TypeName],
        bindings: &[(String, TypeName)],
    ) -> Result<TokenStream, Unnameable> {
        if is_primitive(path) {
            return tokens(&Spelled { absolute: false, segments: vec![path.to_owned()] });
        }
        if let ("core::num::nonzero::NonZero", [TypeName::Path { path: number, .. }]) = (path, arguments) {
            // The names of before 1.79 are right in every version.
            let mut name = number.clone();
            name.get_mut(..1).map(str::make_ascii_uppercase);
            return self.path(&format!("core::num::nonzero::NonZero{name}"));
        }
        let base = self.path(path)?;
        let result = bindings.iter().find(|(name, _)| name == "Output");
        if let ([TypeName::Tuple(parameters)], true) =
            (arguments, path.starts_with("core::ops::function::Fn"))
        {
            let parameters = self.types(parameters)?;
            let result =
                result.map(|(_, ty)| self.type_of(ty)).transpose()?.filter(|ty| ty.to_string() != "()");
            let result = result.map(|ty| quote!(-> #ty));
            return Ok(quote!(#base(#(#parameters),*) #result));
        }
        let standard = path.split("::").next().is_some_and(|first| standard::crate_root(first).is_some());
        let mut shown: Vec<TokenStream> = Vec::new();
        for (at, argument) in arguments.iter().enumerate() {
            if is_default(argument, standard) {
                continue;
            }
            match self.type_of(argument) {
                Ok(tokens) => shown.push(tokens),
                Err(_) if bindings.is_empty() && self.are_defaults(path, arguments, at) => break,
                Err(unnameable) => return Err(unnameable),
            }
        }
        for (name, ty) in bindings {
            let (name, ty) = (ident(name)?, self.type_of(ty)?);
            shown.push(quote!(#name = #ty));
        }
        Ok(if shown.is_empty() { base } else { quote!(#base<#(#shown),*>) })
    }
}

impl Names for NamesAt<'_> {
    fn path(&self, definition: &str) -> Result<TokenStream, Unnameable> {
        let def = self.definition(definition)?;
        let space = if matches!(def, Def::Function(_)) { Space::Values } else { Space::Types };
        tokens(&self.spell(&def, space)?)
    }

    fn tuple_constructor(&self, definition: &str) -> Result<TokenStream, Unnameable> {
        let def = self.definition(definition)?;
        let is_struct =
            matches!(def, Def::Item(id) if matches!(self.index().item(id).kind, ItemKind::Struct(_)));
        // Where nothing is known to lead to it, the name of the type is as good: the compiler tells.
        let spelled = if is_struct { self.spell(&def, Space::Values).ok() } else { None };
        spelled.map_or_else(|| self.path(definition), |spelled| tokens(&spelled))
    }

    fn literal(&self, definition: &str) -> Result<(), Unnameable> {
        self.literal_of(definition, None)
    }

    fn knows_calls(&self) -> bool {
        !self.made.calls.is_empty()
    }

    fn made(&self, definition: &str, asked: &Asked<'_>) -> Option<Result<History<'_>, Unnameable>> {
        self.history_of(definition, asked)
    }

    fn made_first(&self) -> bool {
        self.made.first
    }

    fn made_with_fields(&self) -> bool {
        self.made.with_fields()
    }

    fn is_braced(&self, definition: &str, variant: Option<&str>) -> bool {
        let Ok(Def::Item(id)) = self.definition(definition) else { return false };
        let fields = match (&self.index().item(id).kind, variant) {
            (ItemKind::Struct(fields), None) => Some(fields),
            (ItemKind::Enum(variants), Some(name)) => {
                variants.iter().find(|variant| variant.name == name).map(|variant| &variant.fields)
            }
            _ => None,
        };
        fields.is_some_and(|fields| fields.shape != Shape::Unit)
    }

    fn test_fields(&self, definition: &str, fields: &[&str]) -> Vec<(Ident, TokenStream)> {
        let Ok(Def::Item(id)) = self.definition(definition) else { return Vec::new() };
        self.test_fields_of(id, fields)
    }

    fn variant(&self, definition: &str, variant: &str) -> Result<(), Unnameable> {
        self.literal_of(definition, Some(variant))
    }

    fn is_copy(&self, definition: &str) -> bool {
        self.implements(definition, "Copy")
    }

    fn derives_clone(&self, definition: &str) -> bool {
        let Ok(Def::Item(id)) = self.definition(definition) else {
            return self.is_derived_in(definition, "bitflags", "Clone");
        };
        self.index().item(id).attributes.derives.iter().any(|derived| derived == "Clone")
    }

    fn deserialized(&self, definition: &str) -> Option<Deserialized> {
        self.deserialized_form(definition)
    }

    fn defaults(&self, definition: &str) -> Defaults {
        self.defaults_of(definition)
    }

    fn written_default(&self, definition: &str) -> Option<WrittenDefault> {
        self.written_default_of(definition)
    }

    fn own_constructor(&self, definition: &str, fields: &[Seen<'_>]) -> Option<Constructed> {
        self.own_constructor_of(definition, fields)
    }

    fn ways(&self, definition: &str) -> Option<Rc<Ways>> {
        self.ways_of(definition)
    }

    fn constructor(&self, definition: &str, fields: &[&str]) -> Result<TokenStream, Unnameable> {
        self.constructor_of(definition, fields)
    }

    fn given_at_home(
        &self,
        full_name: &str,
        write: &mut dyn FnMut(&dyn Names) -> Result<TokenStream, Unnameable>,
    ) -> Option<Result<TokenStream, Unnameable>> {
        self.given_at_home(full_name, write)
    }

    fn closure(
        &self,
        name: &str,
        text: &relapse_snapshot::ClosureText,
        captures: &[&str],
    ) -> Result<RebuiltClosure, Unnameable> {
        self.closure_of(name, text, captures)
    }

    fn has_function(&self, definition: &str, function: &str) -> bool {
        self.has_function_of(definition, function)
    }

    fn rules(&self) -> Option<&CrateRules> {
        Some(self.index().rules())
    }

    fn version(&self, definition: &str) -> Option<String> {
        let Ok(Def::Item(id)) = self.definition(definition) else { return None };
        Some(self.index().package(id.krate).version.clone())
    }

    fn oldest_rust(&self) -> Option<u16> {
        self.index().package(self.module.krate).oldest_rust
    }

    fn is_made_by(&self, definition: &str, macro_name: &str) -> bool {
        self.is_of_macro(definition, macro_name)
    }

    fn type_tokens(&self, full_name: &str) -> Result<TokenStream, Unnameable> {
        let shown: String = full_name.chars().take(200).collect();
        let name = TypeName::parse(full_name)
            .ok_or_else(|| Unnameable(format!("`{shown}` has no name in source")))?;
        self.type_of(&name)
    }

    fn means_prelude(&self, name: &str) -> bool {
        let own = [Space::Values, Space::Types].into_iter().flat_map(|space| self.in_scope(name, space));
        let expected = standard::prelude(name).map(Def::Std);
        own.into_iter().all(|def| Some(&def) == expected.as_ref())
    }
}

pub(super) fn is_primitive(name: &str) -> bool {
    ["u8", "u16", "u32", "u64", "u128", "usize", "i8", "i16", "i32", "i64", "i128", "isize"].contains(&name)
        || ["bool", "char", "str", "f32", "f64", "f16", "f128"].contains(&name)
}

/// Arguments that nobody writes: the global allocator everywhere (it has no stable name), std's hasher in std's
/// own maps and sets.
fn is_default(argument: &TypeName, standard: bool) -> bool {
    let TypeName::Path { path, .. } = argument else { return false };
    let hasher = ["std::hash::random::RandomState", "std::collections::hash::map::RandomState"];
    path == "alloc::alloc::Global" || standard && hasher.contains(&path.as_str())
}

fn constant(text: &str) -> Result<TokenStream, Unnameable> {
    let refused = || Unnameable("a const argument without a spelling".to_owned());
    let literal: syn::Lit = syn::parse_str(text.trim_start_matches('-')).map_err(|_| refused())?;
    Ok(if text.starts_with('-') { quote!(-#literal) } else { quote!(#literal) })
}

pub(super) fn tuple(items: &[TokenStream]) -> TokenStream {
    match items {
        [one] => quote!((#one,)),
        items => quote!((#(#items),*)),
    }
}

/// An identifier, raw where the word is a keyword; anything else is refused.
pub(super) fn ident(name: &str) -> Result<Ident, Unnameable> {
    if matches!(name, "crate" | "self" | "super" | "Self") {
        return Ok(Ident::new(name, Span::call_site()));
    }
    identifier(name).ok_or_else(|| Unnameable(format!("`{}` is no identifier", name.escape_debug())))
}

/// The tokens of a spelled path.
pub(super) fn tokens(spelled: &Spelled) -> Result<TokenStream, Unnameable> {
    let segments: Vec<Ident> =
        spelled.segments.iter().map(|segment| ident(segment)).collect::<Result<_, _>>()?;
    let absolute = spelled.absolute.then(|| quote!(::));
    Ok(quote!(#absolute #(#segments)::*))
}
