//! How a test builds a type whose fields it cannot see: through an associated function that stands in a private
//! child module of the type's own module. In: the type's item. Out: that function's source, which depends on the
//! type alone, so that tests can share it. Never writes.

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;
use syn::visit::{self, Visit};
use syn::visit_mut::{self, VisitMut};

use crate::expression::snake_case;
use crate::hostile::identifier;
use crate::names::{Names, Unnameable};
use crate::regression::ConstructorFile;

use super::cfg::Holds;
use super::ids::{ItemId, Visibility, plain};
use super::items::{FieldItem, ItemKind, Shape, TypeItem};
use super::naming::NamesAt;
use super::resolve::{Def, Resolver, Space};
use super::test_fields::{self, Builds};

/// The function's name: no type has one of this name by itself.
pub(crate) const FUNCTION: &str = "relapse_new";
/// What the names of functions that give one value begin with: `relapse_5d41c0de`.
pub(crate) const FUNCTION_STEM: &str = "relapse_";

/// clippy's default for `too_many_arguments`.
const MAX_ARGUMENTS: usize = 7;
/// clippy's default for `type_complexity`.
const MAX_COMPLEXITY: u64 = 250;
/// Aliases of aliases are followed this far.
const MAX_ALIASES: usize = 8;

/// Pointers of std: what they point to may be unsized, they themselves are not.
const POINTERS: [&str; 9] =
    ["Box", "Rc", "Arc", "Weak", "PhantomData", "NonNull", "AtomicPtr", "Option", "Vec"];

impl NamesAt<'_> {
    /// `Years::relapse_new` for a type of the crate under test that can be named here while its fields cannot be
    /// seen; `fields` are those that were read.
    pub(super) fn constructor_of(
        &self,
        definition: &str,
        fields: &[&str],
    ) -> Result<TokenStream, Unnameable> {
        let sealed = || {
            let reason = self.literal(definition).err();
            reason.unwrap_or_else(|| Unnameable(format!("`{definition}` has no constructor")))
        };
        let Def::Item(id) = self.definition(definition)? else { return Err(sealed()) };
        if id.krate != self.module.krate {
            return Err(sealed());
        }
        // A value may hold thousands of one type.
        if let Some((call, _)) = self.constructors.borrow().get(&id) {
            return Ok(call.clone());
        }
        let path = self.path(definition)?;
        self.may_pass_fields(id, definition)?;
        let file = file(&self.reach.resolver, id, definition, fields)?;
        let function = Ident::new(FUNCTION, Span::call_site());
        let call = quote!(#path::#function);
        self.constructors.borrow_mut().insert(id, (call.clone(), file));
        Ok(call)
    }

    /// Fails where a field's type is private to another module: no expression here may have it, not even an empty list.
    fn may_pass_fields(&self, id: ItemId, definition: &str) -> Result<(), Unnameable> {
        let item = self.index().item(id);
        let ItemKind::Struct(list) = &item.kind else { return Ok(()) };
        for field in &list.fields {
            for found in types_of(&self.reach.resolver, item, &field.ty) {
                if !self.can_speak_of(found) {
                    let (name, private) = (&field.name, &self.index().item(found).name);
                    let reason = format!(
                        "field `{name}` of `{definition}` has the type `{private}` in it, which is private to its module"
                    );
                    return Err(Unnameable(reason));
                }
            }
        }
        Ok(())
    }

    /// The constructors that this code calls.
    pub fn constructors(&self, code: &TokenStream) -> Vec<ConstructorFile> {
        let code = code.to_string();
        let named = self.constructors.borrow();
        let called = named.values().filter(|(call, _)| code.contains(&call.to_string()));
        let mut files: Vec<ConstructorFile> = called.map(|(_, file)| file.clone()).collect();
        for file in self.given(&code) {
            if !files.contains(&file) {
                files.push(file);
            }
        }
        files
    }
}

/// The constructor of a struct.
fn file(
    resolver: &Resolver<'_>,
    id: ItemId,
    definition: &str,
    read: &[&str],
) -> Result<ConstructorFile, Unnameable> {
    let refused = |reason: &str| Unnameable(format!("`{definition}` has private fields, and {reason}"));
    let index = resolver.index;
    let item = index.item(id);
    let ItemKind::Struct(list) = &item.kind else { return Err(refused("it is no struct")) };
    if index.module(item.module).in_macro {
        return Err(refused("its module stands within a macro"));
    }
    let facts = index.facts(id.krate, Some(id.krate));
    let builds = Builds::of(index, id);
    let mut fields = Vec::new();
    for field in &list.fields {
        if builds.only_tests_have(field) && !read.contains(&field.name.as_str()) {
            continue;
        }
        match field.cfg.holds(&facts) {
            Holds::Yes => fields.push(field),
            Holds::No => {}
            Holds::Maybe => return Err(refused(&format!("a cfg may leave out its field `{}`", field.name))),
        }
    }
    // The source may have moved on since the crash; the call passes what was read, in that order.
    if !fields.iter().map(|field| field.name.as_str()).eq(read.iter().copied()) {
        return Err(refused("the source has other fields than were read"));
    }
    let of_tests = test_fields::of_item(&builds, item, read)
        .ok_or_else(|| refused("what its fields of test builds are given is not known"))?;
    let body = implementation(resolver, item, list.shape, (&fields, &of_tests))
        .ok_or_else(|| refused("its source cannot be written anew"))?;
    Ok(ConstructorFile {
        module: index.place(item.module),
        type_name: item.name.clone(),
        value: None,
        uses: Vec::new(),
        body,
    })
}

/// `impl Years { pub(crate) fn relapse_new(ordinals: Option<OrdinalSet>) -> Self { Self { ordinals } } }`.
fn implementation(
    resolver: &Resolver<'_>,
    item: &TypeItem,
    shape: Shape,
    (fields, of_tests): (&[&FieldItem], &[(Ident, TokenStream)]),
) -> Option<String> {
    let name = identifier(&item.name)?;
    let function = Ident::new(FUNCTION, Span::call_site());
    let parameters = parameters(shape, fields)?;
    let mut types: Vec<syn::Type> = fields.iter().map(|field| field.ty.clone()).collect();
    let mut generics = item.generics.clone();
    size(&mut generics, types.last());
    for ty in &mut types {
        OneDown.visit_type_mut(ty);
    }
    OneDown.visit_generics_mut(&mut generics);
    let (of, arguments, wheres) = generics.split_for_impl();
    let value = match shape {
        Shape::Unit => quote!(Self),
        Shape::Tuple => quote!(Self(#(#parameters),*)),
        Shape::Named => {
            let of_tests = of_tests.iter().map(|(field, value)| quote!(#field: #value));
            let all = parameters.iter().map(|parameter| quote!(#parameter)).chain(of_tests);
            quote!(Self { #(#all),* })
        }
    };
    let allowed = allowed(resolver, item, &parameters, fields);
    let tokens = quote! {
        impl #of #name #arguments #wheres {
            #allowed
            pub(crate) fn #function(#(#parameters: #types),*) -> Self {
                #value
            }
        }
    };
    Some(prettyplease::unparse(&syn::parse2::<syn::File>(tokens).ok()?))
}

/// The fields' names; in a tuple those of their types.
fn parameters(shape: Shape, fields: &[&FieldItem]) -> Option<Vec<Ident>> {
    if shape != Shape::Tuple {
        return fields.iter().map(|field| identifier(&field.name)).collect();
    }
    let mut taken: Vec<String> = Vec::new();
    let mut named = |field: &&FieldItem| {
        let stem = type_stem(&field.ty).unwrap_or_else(|| "value".to_owned());
        let mut name = stem.clone();
        let mut number = 2;
        while taken.contains(&name) {
            name = format!("{stem}_{number}");
            number += 1;
        }
        taken.push(name.clone());
        identifier(&name)
    };
    fields.iter().map(&mut named).collect()
}

/// `ordinal_set` for `crate::OrdinalSet`; nothing for what has no name that says much (`u8`, `T`, `Vec<u8>`).
fn type_stem(ty: &syn::Type) -> Option<String> {
    let syn::Type::Path(path) = ty else { return None };
    let last = path.path.segments.last()?;
    let name = last.ident.to_string();
    let std = ["Vec", "Option", "Box", "Rc", "Arc", "Cow", "String", "Self"];
    let says_much = name.len() > 1 && name.starts_with(char::is_uppercase) && !std.contains(&name.as_str());
    says_much.then(|| snake_case(&name)).filter(|stem| identifier(stem).is_some())
}

/// The lints that the function would be told off by, where the type is not.
fn allowed(
    resolver: &Resolver<'_>,
    item: &TypeItem,
    parameters: &[Ident],
    fields: &[&FieldItem],
) -> Option<TokenStream> {
    let mut lints = Vec::new();
    if parameters.len() > MAX_ARGUMENTS {
        lints.push(quote!(clippy::too_many_arguments));
    }
    if fields.iter().any(|field| complexity(&field.ty) > MAX_COMPLEXITY) {
        lints.push(quote!(clippy::type_complexity));
    }
    if parameters.iter().any(|name| name.to_string().contains(char::is_uppercase)) {
        lints.push(quote!(non_snake_case));
    }
    if fields.iter().any(|field| speaks_of_private(resolver, item, &field.ty)) {
        lints.push(quote!(private_interfaces));
    }
    (!lints.is_empty()).then(|| quote!(#[allow(#(#lints),*)]))
}

/// Whether a field's type is, or has within it, one that fewer modules can see than the function.
fn speaks_of_private(resolver: &Resolver<'_>, item: &TypeItem, ty: &syn::Type) -> bool {
    let source = resolver.index.source(item.id.krate);
    let own = source.narrower(item.visibility, Visibility::Within(0));
    let is_narrower = |id: ItemId| source.narrower(resolver.index.item(id).visibility, own) != own;
    types_of(resolver, item, ty).into_iter().any(is_narrower)
}

/// The types of its own crate that are a field's type, or within it, aliases followed.
fn types_of(resolver: &Resolver<'_>, item: &TypeItem, ty: &syn::Type) -> Vec<ItemId> {
    let mut types = Vec::new();
    let mut open: Vec<(syn::Type, usize)> = vec![(ty.clone(), 0)];
    while let Some((ty, depth)) = open.pop() {
        for path in paths(&ty) {
            let names: Vec<String> = path.segments.iter().map(|s| plain(&s.ident)).collect();
            let absolute = path.leading_colon.is_some();
            for def in resolver.path(item.module, &names, absolute, false, Space::Types) {
                let Def::Item(id) = def else { continue };
                if id.krate != item.id.krate {
                    continue;
                }
                match &resolver.index.item(id).kind {
                    ItemKind::Alias(of) if depth < MAX_ALIASES => open.push(((**of).clone(), depth + 1)),
                    _ => types.push(id),
                }
            }
        }
    }
    types
}

/// The paths of a type, those within it included.
fn paths(ty: &syn::Type) -> Vec<syn::Path> {
    struct Paths(Vec<syn::Path>);
    impl<'ast> Visit<'ast> for Paths {
        fn visit_path(&mut self, path: &'ast syn::Path) {
            self.0.push(path.clone());
            visit::visit_path(self, path);
        }
    }
    let mut paths = Paths(Vec::new());
    paths.visit_type(ty);
    paths.0
}

/// What clippy's `type_complexity` makes of a type (clippy_lints/src/types/type_complexity.rs).
fn complexity(ty: &syn::Type) -> u64 {
    struct Score {
        score: u64,
        nest: u64,
    }
    impl<'ast> Visit<'ast> for Score {
        fn visit_type(&mut self, ty: &'ast syn::Type) {
            let (add, deeper) = match ty {
                syn::Type::Ptr(_) | syn::Type::Reference(_) => (self.nest, 0),
                syn::Type::Path(_) | syn::Type::Slice(_) | syn::Type::Tuple(_) | syn::Type::Array(_) => {
                    (10 * self.nest, 1)
                }
                syn::Type::FnPtr(_) | syn::Type::TraitObject(_) => (50 * self.nest, 1),
                _ => (0, 0),
            };
            self.score += add;
            self.nest += deeper;
            visit::visit_type(self, ty);
            self.nest -= deeper;
        }
    }
    let mut score = Score { score: 0, nest: 1 };
    score.visit_type(ty);
    score.score
}

/// Takes `?Sized` off the parameters that the last field holds by value: an argument must be sized.
fn size(generics: &mut syn::Generics, last: Option<&syn::Type>) {
    let Some(last) = last else { return };
    let held = |ident: &Ident| holds_by_value(last, ident);
    for parameter in generics.type_params_mut() {
        if held(&parameter.ident) {
            parameter.bounds = sized(&parameter.bounds);
            if parameter.bounds.is_empty() {
                parameter.colon_token = None;
            }
        }
    }
    let Some(wheres) = &mut generics.where_clause else { return };
    for predicate in &mut wheres.predicates {
        if let syn::WherePredicate::Type(predicate) = predicate
            && let syn::Type::Path(path) = &predicate.bounded_ty
            && path.path.get_ident().is_some_and(held)
        {
            predicate.bounds = sized(&predicate.bounds);
        }
    }
}

type Bounds = syn::punctuated::Punctuated<syn::TypeParamBound, syn::Token![+]>;

fn sized(bounds: &Bounds) -> Bounds {
    let relaxed = |bound: &syn::TypeParamBound| quote!(#bound).to_string().starts_with('?');
    bounds.iter().filter(|bound| !relaxed(bound)).cloned().collect()
}

/// Whether a value of the type has one of the parameter's within, not behind a pointer.
fn holds_by_value(ty: &syn::Type, parameter: &Ident) -> bool {
    match ty {
        syn::Type::Path(path) => {
            if path.path.is_ident(parameter) {
                return true;
            }
            let Some(last) = path.path.segments.last() else { return false };
            if POINTERS.contains(&last.ident.to_string().as_str()) {
                return false;
            }
            let syn::PathArguments::AngleBracketed(arguments) = &last.arguments else { return false };
            arguments.args.iter().any(|argument| match argument {
                syn::GenericArgument::Type(ty) => holds_by_value(ty, parameter),
                _ => false,
            })
        }
        syn::Type::Tuple(items) => items.elems.iter().any(|ty| holds_by_value(ty, parameter)),
        syn::Type::Paren(inner) => holds_by_value(&inner.elem, parameter),
        syn::Type::Group(inner) => holds_by_value(&inner.elem, parameter),
        _ => false,
    }
}

/// Turns paths as they are written in a module into what they are in `regressions::relapse_new_…` below it.
/// Names need nothing: the file imports all of the module's.
struct OneDown;

impl OneDown {
    /// How many segments were added.
    fn path(&mut self, path: &mut syn::Path) -> usize {
        visit_mut::visit_path_mut(self, path);
        let first = path.segments.first().map(|segment| plain(&segment.ident)).unwrap_or_default();
        let own = usize::from(first == "self" && path.segments.len() > 1);
        if path.leading_colon.is_some() || own == 0 && first != "super" {
            return 0;
        }
        let up = || syn::PathSegment::from(Ident::new("super", Span::call_site()));
        let rest = path.segments.iter().skip(own).cloned();
        let segments: Vec<syn::PathSegment> = [up(), up()].into_iter().chain(rest).collect();
        path.segments = segments.into_iter().collect();
        2 - own
    }

    fn qualified(&mut self, qself: &mut Option<syn::QSelf>, path: &mut syn::Path) {
        let added = self.path(path);
        if let Some(qself) = qself {
            self.visit_type_mut(&mut qself.ty);
            if qself.position > 0 {
                qself.position += added;
            }
        }
    }
}

impl VisitMut for OneDown {
    fn visit_path_mut(&mut self, path: &mut syn::Path) {
        self.path(path);
    }

    fn visit_type_path_mut(&mut self, ty: &mut syn::TypePath) {
        self.qualified(&mut ty.qself, &mut ty.path);
    }

    fn visit_expr_path_mut(&mut self, expr: &mut syn::ExprPath) {
        self.qualified(&mut expr.qself, &mut expr.path);
    }
}
