//! Types that code outside of a crate cannot name, and has values of nevertheless: behind a public alias, or given by a
//! public function (`pub type Twice<I> = imp::Twice<I, ById>`, `pub fn twice() -> imp::Twice`). In: a type of a library.
//! Out: whether one of these gives it out.

use std::collections::{HashMap, HashSet};

use super::ids::{CrateId, ItemId};
use super::items::ItemKind;
use super::reach::PublicApi;
use super::resolve::Def;
use super::{FunctionItem, ModuleId, Owner};

/// Wrappers around a result that are looked into: `io::Result<Option<Box<T>>>`.
const MOST_WRAPPERS: usize = 6;
/// A type has at most so many parts that are looked at: `(A, B)`.
const MOST_PARTS: usize = 64;

impl PublicApi<'_> {
    /// Whether code outside of the crate has values of a type that it cannot name. Of types that give each other out, none
    /// is unless something else does.
    pub(super) fn is_given_out(&self, id: ItemId) -> bool {
        if let Some(known) = self.given_out.borrow().get(&id.krate) {
            return known.contains(&id);
        }
        self.find_given_out(id.krate);
        self.given_out.borrow().get(&id.krate).is_some_and(|known| known.contains(&id))
    }

    /// Finds all such types of a crate that have no name outside of it. A type that is given out has public methods, which give out more: whether a function
    /// is public is asked again once the type is known that it belongs to, whatever their order in the source.
    fn find_given_out(&self, krate: CrateId) {
        // What is asked on the way is answered by what is known so far.
        self.given_out.borrow_mut().insert(krate, HashSet::new());
        let source = self.index().source(krate);
        let mut named: HashMap<ItemId, bool> = HashMap::new();
        let mut hidden = |mut types: Vec<ItemId>| {
            let mut is_named =
                |id: ItemId| *named.entry(id).or_insert_with(|| self.is_reachable(&Def::Item(id)));
            types.retain(|id| !is_named(*id));
            types
        };
        let mut open: Vec<ItemId> = Vec::new();
        for item in &source.items {
            let ItemKind::Alias(of) = &item.kind else { continue };
            let gives = hidden(self.leads_to(of, item.module, krate));
            if !gives.is_empty() && self.is_reachable(&Def::Item(item.id)) {
                open.extend(gives);
            }
        }
        // Functions that are not public as far as is known, by the types that they belong to.
        let mut waiting: HashMap<ItemId, Vec<(&FunctionItem, Vec<ItemId>)>> = HashMap::new();
        for function in &source.functions {
            let syn::ReturnType::Type(_, result) = &function.signature.output else { continue };
            let gives = hidden(self.leads_to(result, function.module, krate));
            if gives.is_empty() {
                continue;
            }
            if self.is_public_api(function) {
                open.extend(gives);
                continue;
            }
            for owner in self.owners(function, krate) {
                waiting.entry(owner).or_default().push((function, gives.clone()));
            }
        }
        while let Some(id) = open.pop() {
            let is_new = self.given_out.borrow_mut().entry(krate).or_default().insert(id);
            if !is_new {
                continue;
            }
            for (function, gives) in waiting.remove(&id).unwrap_or_default() {
                if self.is_public_api(function) {
                    open.extend(gives);
                }
            }
        }
    }

    /// The types of the crate that a method belongs to.
    fn owners(&self, function: &FunctionItem, krate: CrateId) -> Vec<ItemId> {
        let (Owner::Inherent { self_type, .. } | Owner::TraitImpl { self_type, .. }) = &function.owner else {
            return Vec::new();
        };
        let (mut open, mut found) = (vec![&**self_type], Vec::new());
        for _ in 0..MOST_PARTS {
            match open.pop() {
                Some(syn::Type::Path(path)) => found.extend(self.types(&path.path, function.module, krate)),
                Some(syn::Type::Reference(inner)) => open.push(&inner.elem),
                Some(syn::Type::Paren(inner)) => open.push(&inner.elem),
                Some(syn::Type::Group(inner)) => open.push(&inner.elem),
                Some(syn::Type::Slice(inner)) => open.push(&inner.elem),
                Some(syn::Type::Array(inner)) => open.push(&inner.elem),
                Some(syn::Type::Ptr(inner)) => open.push(&inner.elem),
                Some(syn::Type::Tuple(inner)) => open.extend(&inner.elems),
                Some(_) => {}
                None => break,
            }
        }
        found
    }

    /// The types of the crate that a path means in a module.
    fn types(&self, path: &syn::Path, module: ModuleId, krate: CrateId) -> Vec<ItemId> {
        let own = |def| match def {
            Def::Item(id) if id.krate == krate => Some(id),
            _ => None,
        };
        self.reach.resolver.written(module, path).into_iter().filter_map(own).collect()
    }

    /// The types of the crate that a type, as it stands in a module, is or may hold one of.
    fn leads_to(&self, ty: &syn::Type, module: ModuleId, krate: CrateId) -> Vec<ItemId> {
        let (mut ty, mut found) = (ty, Vec::new());
        for _ in 0..MOST_WRAPPERS {
            let path = match ty {
                syn::Type::Reference(inner) => {
                    ty = &inner.elem;
                    continue;
                }
                syn::Type::Path(path) => &path.path,
                _ => break,
            };
            found.extend(self.types(path, module, krate));
            let Some(last) = path.segments.last() else { break };
            let syn::PathArguments::AngleBracketed(arguments) = &last.arguments else { break };
            let inner = arguments.args.iter().find_map(|argument| match argument {
                syn::GenericArgument::Type(inner) => Some(inner),
                _ => None,
            });
            match inner {
                Some(inner) if is_wrapper(&last.ident.to_string()) => ty = inner,
                _ => break,
            }
        }
        found
    }
}

/// Whether whoever has such a value gets at what is in it.
fn is_wrapper(name: &str) -> bool {
    ["Option", "Box", "Rc", "Arc", "Pin"].contains(&name) || name.ends_with("Result")
}

#[cfg(test)]
mod tests {
    use super::super::tests::Fixture;
    use super::*;

    #[test]
    fn methods_of_types_behind_aliases_and_results_are_public() {
        let lib = "mod imp { pub struct Twice<I> { i: I } impl<I> Iterator for Twice<I> { type Item = u8; \
                   fn next(&mut self) -> Option<u8> { None } } \
                   pub struct Cut; impl Cut { pub fn at(&self) -> Option<Inner> { None } fn own(&self) {} } \
                   pub struct Inner; impl Inner { pub fn deep(&self) {} } \
                   pub struct Kept; impl Kept { pub fn kept(&self) -> Kept { Kept } } \
                   pub(crate) fn hidden() -> Kept { Kept } }\n\
                   pub type Twice<I> = imp::Twice<I>;\n\
                   pub fn cut() -> std::io::Result<imp::Cut> { Ok(imp::Cut) }\n";
        let fixture = Fixture::library(lib, &[]);
        let api = PublicApi::new(&fixture.index);
        let public: Vec<(&str, bool)> = fixture
            .lib()
            .functions
            .iter()
            .map(|function| (function.name.as_str(), api.is_public_api(function)))
            .collect();
        let expected = [
            ("next", true),
            ("at", true),
            ("own", false),
            ("deep", true),
            ("kept", false),
            ("hidden", false),
            ("cut", true),
        ];
        assert_eq!(public, expected);
    }
    fn public(lib: &str) -> Vec<(String, bool)> {
        let fixture = Fixture::library(lib, &[]);
        let api = PublicApi::new(&fixture.index);
        let functions = &fixture.lib().functions;
        let mut known: Vec<(String, bool)> =
            functions.iter().map(|function| (function.name.clone(), api.is_public_api(function))).collect();
        known.sort();
        known
    }

    #[test]
    fn the_order_of_the_source_makes_no_difference() {
        // Each of the two types gives the other one out.
        let parse = "pub fn parse() -> imp::Tree { imp::Tree }\n";
        let imp = "mod imp { pub struct Node; impl Node { pub fn tree(&self) -> Tree { Tree } pub fn walk() {} } \
                   pub struct Tree; impl Tree { pub fn root(&self) -> Node { Node } pub fn deep(&self) {} } }\n";
        let all = ["deep", "parse", "root", "tree", "walk"].map(|name| (name.to_owned(), true));
        assert_eq!(public(&format!("{imp}{parse}")), all);
        assert_eq!(public(&format!("{parse}{imp}")), all);
        let none = ["deep", "root", "tree", "walk"].map(|name| (name.to_owned(), false));
        assert_eq!(public(imp), none);
    }

    #[test]
    fn a_long_chain_of_types_takes_no_stack() {
        let length = 3000;
        let mut lib = String::from("pub fn first() -> imp::T0 { imp::T0 }\nmod imp {");
        for at in 0..length {
            let next = at + 1;
            lib +=
                &format!("pub struct T{at}; impl T{at} {{ pub fn f{at}(&self) -> T{next} {{ T{next} }} }}\n");
        }
        lib += &format!("pub struct T{length}; impl T{length} {{ pub fn last(&self) {{}} }} }}");
        assert!(public(&lib).iter().all(|(_, is)| *is));
    }
}
