//! `Self` and the generic parameters of the function around a closure: what they are is in the name of the closure's type. In: a
//! path that begins with one. Out: the type in its place.

use std::collections::BTreeMap;

use syn::visit_mut::VisitMut;
use syn::{Expr, Type};

use crate::index::dwarf_name::TypeName;
use crate::index::ids::{ModuleId, plain};
use crate::index::naming::tokens;
use crate::index::resolve::{Def, Space};
use crate::index::{FunctionItem, Owner};

use super::body::Body;

/// What stands for the parameters of the function that a closure is in.
#[derive(Debug, Default)]
pub(super) struct Concrete {
    /// By the parameter's name, the type as debug info has it.
    types: BTreeMap<String, TypeName>,
    /// By the parameter's name, the traits that it must implement.
    bounds: BTreeMap<String, Vec<syn::Path>>,
    /// The type of the impl around the function.
    self_type: Option<Type>,
}

impl Concrete {
    /// Those of a function, whose closure's type has that name: `demo::f::{closure_env#0}<u8>`. The parameters of the impl
    /// come first, then the function's own; what has no name comes last.
    pub(super) fn of(function: &FunctionItem, closure: &str) -> Concrete {
        // Its first parameter is `Self`, which has no generics of its own to be told apart by.
        if matches!(function.owner, Owner::Trait { .. }) {
            return Concrete::default();
        }
        let mut concrete = Concrete::around(function);
        let generics = function.owner_generics().into_iter().chain([&function.signature.generics]);
        let names = generics.flat_map(|generics| &generics.params).filter_map(|parameter| match parameter {
            syn::GenericParam::Type(parameter) => Some(plain(&parameter.ident)),
            syn::GenericParam::Const(parameter) => Some(plain(&parameter.ident)),
            syn::GenericParam::Lifetime(_) => None,
        });
        let names: Vec<String> = names.collect();
        let Some(TypeName::Path { arguments, .. }) = closure_arguments(closure) else { return concrete };
        if arguments.len() >= names.len() {
            concrete.types = names.into_iter().zip(arguments).collect();
        }
        concrete
    }

    /// Those of a function whose parameters, its impl's or trait's included, are known by name.
    pub(super) fn given(function: &FunctionItem, generics: &[(&str, &str)]) -> Concrete {
        let known = generics.iter().filter_map(|(name, ty)| Some(((*name).to_owned(), TypeName::parse(ty)?)));
        Concrete { types: known.collect(), ..Concrete::around(function) }
    }

    /// What a function's source says of them.
    fn around(function: &FunctionItem) -> Concrete {
        let mut concrete = Concrete { self_type: function.self_type().cloned(), ..Concrete::default() };
        let generics = function.owner_generics().into_iter().chain([&function.signature.generics]);
        generics.for_each(|generics| concrete.add_bounds(generics));
        concrete
    }

    fn add_bounds(&mut self, generics: &syn::Generics) {
        for parameter in generics.type_params() {
            self.add(plain(&parameter.ident), &parameter.bounds);
        }
        for predicate in generics.where_clause.iter().flat_map(|clause| &clause.predicates) {
            if let syn::WherePredicate::Type(predicate) = predicate
                && let Type::Path(path) = &predicate.bounded_ty
                && let Some(name) = path.path.get_ident().filter(|_| path.qself.is_none())
            {
                self.add(plain(name), &predicate.bounds);
            }
        }
    }

    fn add(&mut self, name: String, bounds: &Bounds) {
        let traits = bounds.iter().filter_map(|bound| match bound {
            syn::TypeParamBound::Trait(of) => Some(of.path.clone()),
            _ => None,
        });
        self.bounds.entry(name).or_default().extend(traits);
    }
}

type Bounds = syn::punctuated::Punctuated<syn::TypeParamBound, syn::Token![+]>;

/// The arguments behind a closure's name, as those of a type that has a name.
fn closure_arguments(closure: &str) -> Option<TypeName> {
    let list = &closure[closure.find('<')?..];
    TypeName::parse(&format!("closure::of{list}"))
}

impl Body<'_> {
    /// The type that a path of one name stands for, if it is a parameter's or `Self`.
    pub(super) fn concrete_type(&mut self, path: &syn::TypePath) -> Option<Type> {
        let name = path.qself.is_none().then(|| path.path.get_ident().map(plain)).flatten()?;
        self.concrete(&name)
    }

    fn concrete(&mut self, name: &str) -> Option<Type> {
        if name == "Self"
            && let Some(mut own) = self.concrete.self_type.clone()
        {
            self.visit_type_mut(&mut own);
            return Some(own);
        }
        let ty = self.concrete.types.get(name)?;
        let tokens = self.names.type_of(ty).ok()?;
        syn::parse2(tokens).ok()
    }

    /// `T::default`, `Self::new`: the path with the type itself before the rest of it.
    pub(super) fn concrete_value(&mut self, path: &syn::ExprPath) -> Option<Expr> {
        let mut segments = path.path.segments.iter();
        let first = plain(&segments.next()?.ident);
        let rest: Vec<&syn::PathSegment> = segments.collect();
        if path.qself.is_some() || rest.is_empty() {
            return None;
        }
        let called = rest.first().map(|segment| plain(&segment.ident)).unwrap_or_default();
        let mut rest: syn::Path = syn::parse_quote!(#(#rest)::*);
        let ty = self.concrete(&first)?;
        self.arguments(&mut rest);
        let by_itself_another = self.may_be_another(&first, &called);
        let of_trait = self.trait_that_has(&first, &called);
        if let Some(of) = of_trait.filter(|of| by_itself_another || !self.names.trait_in_scope(Some(of)))
            && let Some(path) =
                self.names.spell(&of, Space::Types).ok().and_then(|spelled| tokens(&spelled).ok())
        {
            return Some(syn::parse_quote!(<#ty as #path>::#rest));
        }
        if by_itself_another {
            self.fail(format!(
                "calls `{first}::{called}` of a bound, and the type itself may have a function of that name"
            ));
        }
        let is_plain = |path: &syn::TypePath| {
            path.qself.is_none() && path.path.segments.iter().all(|segment| segment.arguments.is_none())
        };
        Some(match &ty {
            Type::Path(ty) if is_plain(ty) => syn::parse_quote!(#ty::#rest),
            ty => syn::parse_quote!(<#ty>::#rest),
        })
    }

    /// The one trait among a parameter's bounds, without arguments of its own, that is seen to have a function of that name:
    /// another one may have it from a trait that it needs.
    fn trait_that_has(&self, parameter: &str, called: &str) -> Option<Def> {
        let resolver = &self.names.reach.resolver;
        let leads_to = |path: &syn::Path, at: ModuleId| {
            let names: Vec<String> = path.segments.iter().map(|segment| plain(&segment.ident)).collect();
            let found = resolver.path(at, &names, path.leading_colon.is_some(), false, Space::Types);
            if let [only] = found.as_slice() { Some(only.clone()) } else { None }
        };
        let has_it = |of: &Def| {
            let Def::Item(id) = of else { return false };
            let item = self.names.index().item(*id);
            let functions = self.names.index().source(id.krate).functions.iter();
            functions.filter(|function| function.name == called).any(|function| match &function.owner {
                Owner::Trait { name, .. } => function.module == item.module && *name == item.name,
                Owner::TraitImpl { trait_path, .. } => {
                    leads_to(trait_path, function.module).as_ref() == Some(of)
                }
                Owner::Inherent { .. } | Owner::Module => false,
            })
        };
        let is_plain = |path: &&syn::Path| path.segments.iter().all(|segment| segment.arguments.is_none());
        let bounds = self.concrete.bounds.get(parameter)?.iter().filter(is_plain);
        let mut found = bounds.filter_map(|bound| leads_to(bound, self.from)).filter(has_it);
        let only = found.next()?;
        found.all(|other| other == only).then_some(only)
    }

    /// Whether behind the type itself a name may mean another function than behind the parameter: there it is that of a
    /// trait, and here one of the type's own would win.
    fn may_be_another(&self, parameter: &str, called: &str) -> bool {
        let Some(ty) = self.concrete.types.get(parameter) else { return false };
        let path = match ty {
            TypeName::Path { path, .. } => path,
            TypeName::Reference { .. } | TypeName::Tuple(_) => return false,
            _ => "",
        };
        if let Ok(Def::Item(id)) = self.names.definition(path) {
            let name = &self.names.index().item(id).name;
            return self.names.index().source(id.krate).functions.iter().any(|function| {
                let of_type = |own: &Type| match own {
                    Type::Path(own) => own.path.segments.last().is_some_and(|last| last.ident == name),
                    _ => false,
                };
                function.name == called
                    && matches!(&function.owner, Owner::Inherent { self_type, .. } if of_type(self_type))
            });
        }
        // The functions of std's types are not known here. They have none that a trait of std has, too.
        let of_std = |bound: &syn::Path| {
            let names: Vec<String> = bound.segments.iter().map(|segment| plain(&segment.ident)).collect();
            let absolute = bound.leading_colon.is_some();
            let found = self.names.reach.resolver.path(self.from, &names, absolute, false, Space::Types);
            !found.is_empty() && found.iter().all(|def| matches!(def, Def::Std(_)))
        };
        !self.concrete.bounds.get(parameter).into_iter().flatten().all(of_std)
    }

    /// `Self` at the head of a literal or a pattern is the name of its type.
    pub(super) fn name_self(&self, path: &mut syn::Path) {
        let is_self =
            path.leading_colon.is_none() && path.segments.first().is_some_and(|first| first.ident == "Self");
        let Some(Type::Path(own)) = self.concrete.self_type.as_ref().filter(|_| is_self) else { return };
        if own.qself.is_some() {
            return;
        }
        let mut named = own.path.clone();
        named.segments.iter_mut().for_each(|segment| segment.arguments = syn::PathArguments::None);
        named.segments.extend(path.segments.iter().skip(1).cloned());
        *path = named;
    }
}
