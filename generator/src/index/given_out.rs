//! Types that code outside of a crate cannot name, and has values of nevertheless: behind a public alias, or given by a
//! public function (`pub type Twice<I> = imp::Twice<I, ById>`, `pub fn twice() -> imp::Twice`). In: a type of a library.
//! Out: whether one of these gives it out.

use super::ModuleId;
use super::ids::ItemId;
use super::items::ItemKind;
use super::reach::PublicApi;
use super::resolve::Def;

/// Wrappers around a result that are looked into: `io::Result<Option<Box<T>>>`.
const MOST_WRAPPERS: usize = 6;

impl PublicApi<'_> {
    /// Whether code outside of the crate has values of a type that it cannot name. Of types that give each other out, none
    /// is unless something else does.
    pub(super) fn is_given_out(&self, id: ItemId) -> bool {
        if let Some(known) = self.given_out.borrow().get(&id) {
            return *known;
        }
        self.given_out.borrow_mut().insert(id, false);
        let is = self.by_alias(id) || self.by_function(id);
        self.given_out.borrow_mut().insert(id, is);
        is
    }

    fn by_alias(&self, id: ItemId) -> bool {
        let items = &self.index().source(id.krate).items;
        items.iter().any(|item| {
            let ItemKind::Alias(of) = &item.kind else { return false };
            self.leads_to(of, item.module, id) && self.is_reachable(&Def::Item(item.id))
        })
    }

    fn by_function(&self, id: ItemId) -> bool {
        let functions = &self.index().source(id.krate).functions;
        functions.iter().any(|function| {
            let syn::ReturnType::Type(_, result) = &function.signature.output else { return false };
            self.leads_to(result, function.module, id) && self.is_public_api(function)
        })
    }

    /// Whether a type, as it stands in a module, is that item, or what may hold one of it.
    fn leads_to(&self, ty: &syn::Type, module: ModuleId, id: ItemId) -> bool {
        let name = &self.index().item(id).name;
        let mut ty = ty;
        for _ in 0..MOST_WRAPPERS {
            let path = match ty {
                syn::Type::Reference(inner) => {
                    ty = &inner.elem;
                    continue;
                }
                syn::Type::Path(path) => &path.path,
                _ => return false,
            };
            let Some(last) = path.segments.last() else { return false };
            if last.ident == name && self.reach.resolver.written(module, path).contains(&Def::Item(id)) {
                return true;
            }
            let syn::PathArguments::AngleBracketed(arguments) = &last.arguments else { return false };
            let inner = arguments.args.iter().find_map(|argument| match argument {
                syn::GenericArgument::Type(inner) => Some(inner),
                _ => None,
            });
            match inner {
                Some(inner) if is_wrapper(&last.ident.to_string()) => ty = inner,
                _ => return false,
            }
        }
        false
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
}
