//! Values of types that only their own module can name: a function of the nearest type that can be named gives them. It
//! stands in a private child of that type's module and holds one value, so it belongs to one test. In: a type, and how
//! its value is written there. Out: that function's file, and its call. Never writes.

use std::cell::Cell;
use std::rc::Rc;

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;
use syn::visit_mut::{self, VisitMut};

use crate::names::{Names, Unnameable};
use crate::regression::ConstructorFile;
use crate::render::std_for;

use super::construct::FUNCTION_STEM;
use super::ids::{ItemId, ModuleId, Visibility, plain};
use super::items::ItemKind;
use super::naming::NamesAt;
use super::resolve::{Def, Space};

/// Values of one test that are tried to be written at home: each try may have tries within it.
const MAX_TRIES: u32 = 64;
/// Functions of one test: a value of more such parts is given as a whole.
const MAX_GIVEN: usize = 4;

/// The values that are given by functions at one place.
#[derive(Default)]
pub(super) struct AtHome {
    /// None: they are not wanted.
    tries: Option<Rc<Cell<u32>>>,
    given: Vec<Given>,
}

struct Given {
    call: TokenStream,
    file: ConstructorFile,
    /// What its own body calls.
    within: Vec<ConstructorFile>,
}

impl AtHome {
    /// Values may be given by functions.
    pub(super) fn wanted() -> AtHome {
        AtHome { tries: Some(Rc::new(Cell::new(MAX_TRIES))), given: Vec::new() }
    }

    /// Takes one of the tries that are left.
    fn next_try(&self) -> Option<Rc<Cell<u32>>> {
        let tries = self.tries.as_ref().filter(|_| self.given.len() < MAX_GIVEN)?;
        let left = tries.get().checked_sub(1)?;
        tries.set(left);
        Some(Rc::clone(tries))
    }
}

impl<'i> NamesAt<'i> {
    /// The names at a module for a test that has no function elsewhere to give a value.
    pub fn alone(index: &'i super::SourceIndex, module: ModuleId) -> NamesAt<'i> {
        let names = NamesAt::new(index, module);
        names.at_home.replace(AtHome::default());
        names
    }

    /// The module of a type, by its full name, of this crate that only other modules than this can name.
    pub fn home_of_private(&self, full_name: &str) -> Option<ModuleId> {
        let path = crate::expression::definition(full_name)?;
        let Def::Item(id) = self.definition(&path).ok()? else { return None };
        let home = self.home_elsewhere(id)?;
        (!self.can_speak_of(id) || self.path(&path).is_err()).then_some(home)
    }

    /// Whether the type with that full name is one of a crate's source that nothing leads to from here.
    pub fn is_unknown(&self, full_name: &str) -> bool {
        let Some(path) = crate::expression::definition(full_name) else { return false };
        let first = path.split("::").next().unwrap_or_default();
        path.contains("::") && super::standard::crate_root(first).is_none() && self.path(&path).is_err()
    }

    /// The module of an item of this crate, where more can be named than here.
    fn home_elsewhere(&self, id: ItemId) -> Option<ModuleId> {
        let item = self.index().item(id);
        let is_type = matches!(item.kind, ItemKind::Struct(_) | ItemKind::Enum(_) | ItemKind::Union(_));
        let home = item.module;
        let has_room = !self.index().module(home).in_macro;
        let source = self.index().source(id.krate);
        let elsewhere = id.krate == self.module.krate && !source.is_within(self.module.module, home.module);
        (is_type && has_room && elsewhere).then_some(home)
    }

    /// Whether an expression here may have the type, whatever its name: it is not private to another module (the
    /// compiler: "type `T` is private").
    pub(super) fn can_speak_of(&self, id: ItemId) -> bool {
        match self.index().item(id).visibility {
            Visibility::Public => true,
            Visibility::Within(module) => {
                id.krate == self.module.krate
                    && self.index().source(id.krate).is_within(self.module.module, module)
            }
        }
    }

    /// The call of a function that gives a value of the type with that full name; `write` writes the value with the
    /// names of the type's own module. Nothing where it can be named there no better than here.
    pub(super) fn given_at_home(
        &self,
        full_name: &str,
        write: &mut dyn FnMut(&dyn Names) -> Result<TokenStream, Unnameable>,
    ) -> Option<Result<TokenStream, Unnameable>> {
        let definition = crate::expression::definition(full_name)?;
        let Def::Item(id) = self.definition(&definition).ok()? else { return None };
        let home = self.home_elsewhere(id).filter(|_| self.can_speak_of(id))?;
        let path = self.path(&definition).ok()?;
        let tries = self.at_home.borrow().next_try()?;
        let there = NamesAt::new(self.index(), home).with_made(self.made);
        there.at_home.replace(AtHome { tries: Some(tries), given: Vec::new() });
        Some(write(&there).and_then(|body| self.give(&there, id, &path, full_name, &body)))
    }

    fn give(
        &self,
        there: &NamesAt<'_>,
        id: ItemId,
        path: &TokenStream,
        full_name: &str,
        body: &TokenStream,
    ) -> Result<TokenStream, Unnameable> {
        let of = there.type_tokens(full_name)?;
        let mut of: syn::Type =
            syn::parse2(of).map_err(|_| Unnameable(format!("`{full_name}` has no name in source")))?;
        AnyLifetime { names: there }.visit_type_mut(&mut of);
        let open = there.copies_in(&of, body)?;
        let generics = (!open.is_empty()).then(|| quote!(<#(#open),*>));
        // By what it gives: two tests may share it, and no two functions have one name.
        let function = format!("{FUNCTION_STEM}{:08x}", digest(&quote!(#of #body).to_string()));
        let function = Ident::new(&function, Span::call_site());
        let (body, uses) = self.imported(there, body);
        let tokens = quote! { impl #generics #of { pub(crate) fn #function() -> Self { #body } } };
        let refused = |_| Unnameable(format!("a value of `{full_name}` cannot be written as source"));
        let text = prettyplease::unparse(&syn::parse2::<syn::File>(tokens).map_err(refused)?);
        let item = self.index().item(id);
        let file = ConstructorFile {
            module: self.index().place(item.module),
            type_name: item.name.clone(),
            value: Some(function.to_string()),
            uses,
            body: text,
        };
        let call = quote!(#path::#function);
        let within = there.constructors(&body);
        self.at_home.borrow_mut().given.push(Given { call: call.clone(), file, within });
        Ok(quote!(#call()))
    }

    /// The body of a function at home with the lines that make it shorter, or that it needs where there is no std.
    fn imported(&self, there: &NamesAt<'_>, body: &TokenStream) -> (TokenStream, Vec<String>) {
        let edition = self.index().target(there.module.krate).edition;
        let may =
            |path: &str, name: &str| (edition > 2015 || path.starts_with("crate::")) && there.is_free(name);
        let (body, mut uses) = crate::expression::import_repeated(body.clone(), &may);
        if self.index().source(there.module.krate).no_std {
            let spaces = [Space::Types, Space::Values];
            let known = |name: &str| spaces.iter().any(|space| !there.in_scope(name, *space).is_empty());
            uses.extend(std_for(&body, edition, &known));
        }
        (body, uses)
    }

    /// The functions that this code calls for values, and what those call.
    pub(super) fn given(&self, code: &str) -> Vec<ConstructorFile> {
        let at_home = self.at_home.borrow();
        let called = at_home.given.iter().filter(|given| code.contains(&given.call.to_string()));
        called.flat_map(|given| [&given.file].into_iter().chain(&given.within)).cloned().collect()
    }
}

/// FNV-1a, folded to 32 bits: the same in every version of the tool.
fn digest(text: &str) -> u32 {
    let start = 0xcbf2_9ce4_8422_2325_u64;
    let hash = text.bytes().fold(start, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    ((hash >> 32) ^ (hash & 0xffff_ffff)) as u32
}

/// Writes `'_` where a type of the source has a lifetime: debug info has none, and the head of an `impl` wants it.
struct AnyLifetime<'n, 'i> {
    names: &'n NamesAt<'i>,
}

impl AnyLifetime<'_, '_> {
    /// How many lifetimes the type at a path, as it is spelled there, takes.
    fn lifetimes(&self, path: &syn::Path) -> usize {
        let names: Vec<String> = path.segments.iter().map(|segment| plain(&segment.ident)).collect();
        let absolute = path.leading_colon.is_some();
        let resolver = &self.names.reach.resolver;
        let defs = resolver.path(self.names.module, &names, absolute, false, Space::Types);
        match defs.first() {
            Some(Def::Item(id)) => self.names.index().item(*id).generics.lifetimes().count(),
            Some(Def::Std(path)) if path == "std::borrow::Cow" => 1,
            _ => 0,
        }
    }
}

impl VisitMut for AnyLifetime<'_, '_> {
    fn visit_type_path_mut(&mut self, ty: &mut syn::TypePath) {
        let lifetimes = self.lifetimes(&ty.path);
        if lifetimes > 0
            && let Some(last) = ty.path.segments.last_mut()
        {
            let any = || syn::GenericArgument::Lifetime(syn::Lifetime::new("'_", Span::call_site()));
            let mut arguments: Vec<syn::GenericArgument> = (0..lifetimes).map(|_| any()).collect();
            if let syn::PathArguments::AngleBracketed(present) = &last.arguments {
                arguments.extend(present.args.iter().cloned());
            }
            last.arguments = syn::PathArguments::AngleBracketed(syn::parse_quote!(<#(#arguments),*>));
        }
        visit_mut::visit_type_path_mut(self, ty);
    }
}
