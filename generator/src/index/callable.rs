//! How a function is called from a module: its path, its type's and trait's names, generics made concrete.

use std::collections::HashMap;

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, quote};
use syn::{GenericArgument, GenericParam, Generics, PathArguments, Type};

use crate::names::{Names, Unnameable};

use super::ids::{ItemId, ModuleId, Visibility, plain};
use super::items::ItemKind;
use super::naming::{NamesAt, ident, is_primitive, tokens, tuple};
use super::resolve::{Def, Space};
use super::{FunctionItem, Owner};

/// How a function is called from a place.
#[derive(Debug, Clone)]
pub struct CallPath {
    /// What goes before the parentheses: `fill`, `Book::price`, `<Row as Display>::fmt`. Receivers are then the
    /// first argument. Generics that inference finds are left out.
    pub path: TokenStream,
    /// The same with every type argument written that is known, where there are any: `parse::<u8>`,
    /// `Table::<u8>::new`.
    pub full: Option<TokenStream>,
    /// `receiver.NAME(…)` calls the same function: it takes `self`, and is inherent or of a trait in scope.
    pub method: Option<Ident>,
    /// Of an implementation of one of std's traits: for such there may be another way to call it.
    pub of_std: Option<OfStd>,
    /// The bare name, where `path` is one: a local variable of that name would shadow it.
    single: Option<Ident>,
}

/// An implementation of one of std's traits.
#[derive(Debug, Clone)]
pub struct OfStd {
    /// The trait's public path: `std::ops::Add`.
    pub trait_path: String,
    /// The type, where all of it is known.
    pub self_type: Option<TokenStream>,
}

impl CallPath {
    /// A path of this call beside local variables: a bare name that one of them shadows becomes `self::name`.
    pub fn beside(&self, path: &TokenStream, is_local: impl Fn(&str) -> bool) -> TokenStream {
        match &self.single {
            Some(name) if is_local(&plain(name)) => quote!(self::#path),
            _ => path.clone(),
        }
    }
}

/// Names of generic parameters with what stands for them.
type Concrete = HashMap<String, Option<TokenStream>>;

/// A type of the source as it is spelled here.
struct Lowered {
    /// Without arguments; for a type that is no path, the whole of it.
    base: TokenStream,
    /// The arguments of a path.
    arguments: Vec<TokenStream>,
    is_path: bool,
    /// Whether an argument is left to inference.
    inferred: bool,
}

impl Lowered {
    fn whole(tokens: TokenStream) -> Lowered {
        Lowered { base: tokens, arguments: Vec::new(), is_path: false, inferred: false }
    }

    fn as_type(&self) -> TokenStream {
        let (base, arguments) = (&self.base, &self.arguments);
        if arguments.is_empty() { base.clone() } else { quote!(#base<#(#arguments),*>) }
    }

    /// Before `::name` in an expression.
    fn as_prefix(&self, with_arguments: bool) -> TokenStream {
        let (base, arguments) = (&self.base, &self.arguments);
        match (self.is_path, arguments.is_empty() || !with_arguments) {
            (true, true) => base.clone(),
            (true, false) => quote!(#base::<#(#arguments),*>),
            (false, _) => quote!(<#base>),
        }
    }
}

impl NamesAt<'_> {
    /// How to call a function from here. `generics`: the crash's concrete types of its generic parameters, its
    /// impl's included and `Self` of a trait's own methods, by full name in DWARF.
    pub fn callable(
        &self,
        function: &FunctionItem,
        generics: &[(&str, &str)],
    ) -> Result<CallPath, Unnameable> {
        if let (Some(outer), false) = (&function.nested_in, function.is_method()) {
            return Err(Unnameable(format!("`{}` is declared within `{outer}`", function.name)));
        }
        let concrete = self.concrete(function, generics);
        let name = ident(&function.name)?;
        let turbofish = turbofish(&function.signature.generics, &concrete);
        match &function.owner {
            Owner::Module => {
                let spelled = self.spell(&Def::Function(function.id), Space::Values)?;
                let path = tokens(&spelled)?;
                let full = turbofish.map(|arguments| quote!(#path::#arguments));
                let single = (spelled.segments.len() == 1).then_some(name);
                Ok(CallPath { path, full, method: None, of_std: None, single })
            }
            Owner::Inherent { self_type, .. } => {
                self.visible_method(function, self_type)?;
                let ty = self.lower(self_type, function.module, &concrete, 0)?;
                // Nothing but the type's arguments tells a constructor which type to make.
                let told = !ty.inferred && !ty.arguments.is_empty();
                let prefix = ty.as_prefix(told && function.signature.receiver().is_none());
                let path = quote!(#prefix::#name);
                let full = full_path_of(&ty.as_prefix(!ty.inferred), &name, turbofish.as_ref(), told);
                let by_dot = function.signature.receiver().is_some()
                    && !self.is_hidden_behind_dot(function, self_type);
                let method = by_dot.then_some(name);
                Ok(CallPath { path, full, method, of_std: None, single: None })
            }
            Owner::TraitImpl { self_type, trait_path, .. } => {
                let ty = self.lower(self_type, function.module, &concrete, 0)?;
                let (trait_tokens, def) = self.lower_trait(trait_path, function.module, &concrete)?;
                let self_type_tokens = ty.as_type();
                let takes_self = function.signature.receiver().is_some();
                let is_plain = || trait_tokens.to_string().chars().all(|c| c != '<');
                // The receiver alone tells the type.
                let by_receiver = takes_self && self_type_tokens.to_string() == "_" && is_plain();
                let whole = if by_receiver {
                    quote!(#trait_tokens::#name)
                } else {
                    quote!(<#self_type_tokens as #trait_tokens>::#name)
                };
                // Where nothing else of that name is nearer, people leave the trait out.
                let near = self.trait_in_scope(def.as_ref()) && !self.has_inherent(function, self_type);
                let short = near && !takes_self && ty.is_path && !ty.inferred;
                let prefix = ty.as_prefix(true);
                let path = if short { quote!(#prefix::#name) } else { whole.clone() };
                let full = match turbofish {
                    Some(arguments) => Some(quote!(#whole::#arguments)),
                    None => near.then_some(whole),
                };
                let of_std = match def {
                    Some(Def::Std(trait_path)) => {
                        Some(OfStd { trait_path, self_type: (!ty.inferred).then_some(self_type_tokens) })
                    }
                    _ => None,
                };
                let by_dot = takes_self && near && !self.is_hidden_behind_dot(function, self_type);
                let method = by_dot.then_some(name);
                Ok(CallPath { path, full, method, of_std, single: None })
            }
            Owner::Trait { name: trait_name, .. } => {
                self.trait_default(function, trait_name, &concrete, turbofish)
            }
        }
    }

    fn trait_default(
        &self,
        function: &FunctionItem,
        trait_name: &str,
        concrete: &Concrete,
        turbofish: Option<TokenStream>,
    ) -> Result<CallPath, Unnameable> {
        let name = ident(&function.name)?;
        let bindings = self.reach.resolver.bindings(function.module, trait_name, Space::Types);
        let def = bindings.into_iter().map(|binding| binding.def).next();
        let Some(def) = def else {
            return Err(Unnameable(format!("trait `{trait_name}` was not found in the source")));
        };
        let trait_tokens = tokens(&self.spell(&def, Space::Types)?)?;
        let takes_self = function.signature.receiver().is_some();
        let path = match concrete.get("Self").cloned().flatten() {
            Some(ty) => {
                let parameters = function.owner_generics().map(|generics| arguments(generics, concrete));
                let arguments = parameters.unwrap_or_default();
                let arguments = (!arguments.is_empty()).then(|| quote!(<#(#arguments),*>));
                quote!(<#ty as #trait_tokens #arguments>::#name)
            }
            None if takes_self => quote!(#trait_tokens::#name),
            None => {
                return Err(Unnameable(format!("`Self` of `{trait_name}::{}` is not known", function.name)));
            }
        };
        let method = (takes_self && self.trait_in_scope(Some(&def))).then_some(name);
        let full = match turbofish {
            Some(arguments) => Some(quote!(#path::#arguments)),
            None => method.is_some().then(|| path.clone()),
        };
        Ok(CallPath { path, full, method, of_std: None, single: None })
    }

    fn visible_method(&self, function: &FunctionItem, self_type: &Type) -> Result<(), Unnameable> {
        let krate = function.id.krate;
        if self.reach.resolver.visible(function.visibility, krate, Some(self.module)) {
            return Ok(());
        }
        let place = match function.visibility {
            Visibility::Within(module) => self.index().module(ModuleId { krate, module }).path.join("::"),
            Visibility::Public => String::new(),
        };
        let ty = self_type.to_token_stream().to_string().replace(' ', "");
        Err(Unnameable(format!("`{ty}::{}` is private to `crate::{place}`", function.name)))
    }

    /// Every generic parameter around a function, with the type that the crash had for it.
    fn concrete(&self, function: &FunctionItem, generics: &[(&str, &str)]) -> Concrete {
        let known = |name: &str| {
            let (_, full_name) = generics.iter().find(|(known, _)| *known == name)?;
            self.type_tokens(full_name).ok()
        };
        let mut concrete = Concrete::new();
        for generics in function.owner_generics().into_iter().chain([&function.signature.generics]) {
            for parameter in &generics.params {
                let name = match parameter {
                    GenericParam::Type(parameter) => parameter.ident.to_string(),
                    GenericParam::Const(parameter) => parameter.ident.to_string(),
                    GenericParam::Lifetime(_) => continue,
                };
                concrete.insert(name.clone(), known(&name));
            }
        }
        match function.self_type() {
            Some(ty) => {
                let own = self.lower(ty, function.module, &concrete, 0).ok();
                concrete.insert("Self".to_owned(), own.map(|ty| ty.as_type()));
            }
            None if function.is_method() => {
                concrete.insert("Self".to_owned(), known("Self"));
            }
            None => {}
        }
        concrete
    }

    /// A type as written in module `at`, as it is spelled here. What is not known is left to inference: `_`.
    fn lower(&self, ty: &Type, at: ModuleId, concrete: &Concrete, depth: u32) -> Result<Lowered, Unnameable> {
        let shown = || ty.to_token_stream().to_string();
        if depth > 32 {
            return Err(Unnameable("a type too deep to be spelled".to_owned()));
        }
        let inner = |ty: &Type| self.lower(ty, at, concrete, depth + 1);
        Ok(match ty {
            Type::Path(path) if path.qself.is_none() => {
                return self.lower_path(&path.path, at, concrete, depth);
            }
            Type::Paren(paren) => return inner(&paren.elem),
            Type::Group(group) => return inner(&group.elem),
            Type::Reference(reference) => {
                let (mutable, to) = (&reference.mutability, inner(&reference.elem)?.as_type());
                Lowered::whole(quote!(&#mutable #to))
            }
            Type::Slice(slice) => {
                let of = inner(&slice.elem)?.as_type();
                Lowered::whole(quote!([#of]))
            }
            Type::Array(array) => {
                let (of, length) = (inner(&array.elem)?.as_type(), self.length(&array.len, at, concrete)?);
                Lowered::whole(quote!([#of; #length]))
            }
            Type::Tuple(items) => {
                let items: Vec<TokenStream> = items
                    .elems
                    .iter()
                    .map(|item| Ok(inner(item)?.as_type()))
                    .collect::<Result<_, Unnameable>>()?;
                Lowered::whole(tuple(&items))
            }
            Type::TraitObject(object) => {
                let mut bounds = Vec::new();
                for bound in &object.bounds {
                    if let syn::TypeParamBound::Trait(bound) = bound {
                        bounds.push(self.lower_trait(&bound.path, at, concrete)?.0);
                    }
                }
                Lowered::whole(quote!(dyn #(#bounds)+*))
            }
            Type::Never(_) => Lowered::whole(quote!(!)),
            // Whatever it is, within its own module it can be spelled as it is written there.
            other if at == self.module => Lowered::whole(other.to_token_stream()),
            _ => return Err(Unnameable(format!("type `{}` cannot be spelled from here", shown()))),
        })
    }

    fn length(
        &self,
        length: &syn::Expr,
        at: ModuleId,
        concrete: &Concrete,
    ) -> Result<TokenStream, Unnameable> {
        let text = length.to_token_stream().to_string();
        match concrete.get(&text) {
            Some(Some(known)) => Ok(known.clone()),
            Some(None) => Err(Unnameable(format!("the array length `{text}` of the crash is not known"))),
            None if at == self.module || matches!(length, syn::Expr::Lit(_)) => Ok(length.to_token_stream()),
            None => Err(Unnameable(format!("the array length `{text}` cannot be spelled from here"))),
        }
    }

    fn lower_path(
        &self,
        path: &syn::Path,
        at: ModuleId,
        concrete: &Concrete,
        depth: u32,
    ) -> Result<Lowered, Unnameable> {
        let names: Vec<String> = path.segments.iter().map(|segment| plain(&segment.ident)).collect();
        let first = names.first().map_or("", String::as_str);
        if let Some(known) = concrete.get(first) {
            let known = if names.len() == 1 { known.clone() } else { None };
            let inferred = known.is_none();
            return Ok(Lowered { inferred, ..Lowered::whole(known.unwrap_or_else(|| quote!(_))) });
        }
        let defs = self.reach.resolver.path(at, &names, path.leading_colon.is_some(), false, Space::Types);
        let base = match defs.first() {
            Some(def) => tokens(&self.spell(def, Space::Types)?)?,
            None if names.len() == 1 && is_primitive(first) => path.to_token_stream(),
            None if at == self.module => {
                // Made by a macro, so unknown here, but the module itself knows it.
                let names: Vec<&Ident> = path.segments.iter().map(|segment| &segment.ident).collect();
                let absolute = &path.leading_colon;
                quote!(#absolute #(#names)::*)
            }
            None => {
                let module = self.index().module(at).path.join("::");
                let name = names.join("::");
                return Err(Unnameable(format!("`{name}` of `crate::{module}` was not found in the source")));
            }
        };
        let mut lowered = Lowered { base, arguments: Vec::new(), is_path: true, inferred: false };
        if let Some(PathArguments::AngleBracketed(list)) =
            path.segments.last().map(|segment| &segment.arguments)
        {
            for argument in &list.args {
                match argument {
                    GenericArgument::Type(ty) => {
                        let ty = self.lower(ty, at, concrete, depth + 1)?;
                        lowered.inferred |= ty.inferred;
                        lowered.arguments.push(ty.as_type());
                    }
                    GenericArgument::Const(value) => {
                        lowered.arguments.push(self.length(value, at, concrete)?);
                    }
                    GenericArgument::AssocType(bound) => {
                        let (name, ty) = (&bound.ident, self.lower(&bound.ty, at, concrete, depth + 1)?);
                        lowered.inferred |= ty.inferred;
                        let ty = ty.as_type();
                        lowered.arguments.push(quote!(#name = #ty));
                    }
                    _ => {}
                }
            }
        }
        if defs.is_empty() && lowered.arguments.is_empty() && is_primitive(first) {
            // `<str>::f` and `str::f` are both right; the latter is what people write.
            lowered.is_path = true;
        }
        Ok(lowered)
    }

    fn lower_trait(
        &self,
        path: &syn::Path,
        at: ModuleId,
        concrete: &Concrete,
    ) -> Result<(TokenStream, Option<Def>), Unnameable> {
        let names: Vec<String> = path.segments.iter().map(|segment| plain(&segment.ident)).collect();
        let def = self
            .reach
            .resolver
            .path(at, &names, path.leading_colon.is_some(), false, Space::Types)
            .into_iter()
            .next();
        if let Some(PathArguments::Parenthesized(_)) = path.segments.last().map(|segment| &segment.arguments)
        {
            return if at == self.module {
                Ok((path.to_token_stream(), def))
            } else {
                Err(Unnameable(format!("`{}` cannot be spelled from here", path.to_token_stream())))
            };
        }
        Ok((self.lower_path(path, at, concrete, 0)?.as_type(), def))
    }

    /// Whether a trait's methods can be called with a dot here.
    pub(super) fn trait_in_scope(&self, def: Option<&Def>) -> bool {
        let Some(def) = def else { return false };
        let edition = self.index().target(self.module.krate).edition;
        if matches!(def, Def::Std(path) if super::standard::in_prelude(path, edition)) {
            return true;
        }
        let crates = [self.module.krate];
        let names = self.reach.names_of(def, &crates);
        if names.iter().any(|name| self.in_scope(name, Space::Types).contains(def)) {
            return true;
        }
        // `use fmt::Write as _;`
        let data = self.index().module(self.module);
        data.imports.iter().filter(|import| import.name.as_deref() == Some("_")).any(|import| {
            import.path.last().is_some_and(|last| names.contains(last))
                && self.reach.resolver.is_built(&import.cfg, self.module.krate)
                && self.reach.resolver.import(self.module, import, Space::Types).contains(def)
        })
    }

    /// Whether the type has a method of that name that a dot would rather call.
    fn has_inherent(&self, function: &FunctionItem, self_type: &Type) -> bool {
        let own = last_name(self_type);
        let functions = &self.index().source(function.id.krate).functions;
        let by_method = functions.iter().any(|other| {
            other.name == function.name
                && matches!(&other.owner, Owner::Inherent { self_type, .. } if last_name(self_type) == own)
        });
        by_method || matches!(self_type, Type::Reference(_))
    }

    /// Whether an item of the index is known to implement a trait of that last name, by a derive or an `impl` block.
    pub fn implements(&self, definition: &str, trait_name: &str) -> bool {
        let Ok(Def::Item(id)) = self.definition(definition) else { return false };
        self.item_implements(id, trait_name)
    }

    /// The same of an item.
    pub(super) fn item_implements(&self, id: ItemId, trait_name: &str) -> bool {
        let item = self.index().item(id);
        if matches!(item.kind, ItemKind::Trait(_)) {
            return false;
        }
        let written = || {
            self.index().source(id.krate).impls.iter().any(|block| {
                let of_trait = block.trait_path.as_ref().and_then(|path| path.segments.last());
                !block.negative
                    && of_trait.is_some_and(|last| last.ident == trait_name)
                    && last_name(&block.self_type).as_deref() == Some(item.name.as_str())
                    && self.reach.resolver.is_built(&block.cfg, id.krate)
            })
        };
        item.attributes.derives.iter().any(|derived| derived == trait_name) || written()
    }
}

fn last_name(ty: &Type) -> Option<String> {
    match ty {
        Type::Path(path) => Some(path.path.segments.last()?.ident.to_string()),
        Type::Paren(inner) => last_name(&inner.elem),
        Type::Group(inner) => last_name(&inner.elem),
        _ => None,
    }
}

/// The arguments for a parameter list, lifetimes left out; unknown ones are left to inference.
fn arguments(generics: &Generics, concrete: &Concrete) -> Vec<TokenStream> {
    let names = generics.params.iter().filter_map(|parameter| match parameter {
        GenericParam::Type(parameter) => Some(parameter.ident.to_string()),
        GenericParam::Const(parameter) => Some(parameter.ident.to_string()),
        GenericParam::Lifetime(_) => None,
    });
    names.map(|name| concrete.get(&name).cloned().flatten().unwrap_or_else(|| quote!(_))).collect()
}

/// `<u8, _>` for a function's own parameters, where any is known; other types are left to inference. An unknown
/// constant can be left to it since rustc 1.89 only.
fn turbofish(generics: &Generics, concrete: &Concrete) -> Option<TokenStream> {
    let arguments = arguments(generics, concrete);
    let known = arguments.iter().any(|argument| argument.to_string() != "_");
    let is_known = |name: &Ident| concrete.get(&name.to_string()).is_some_and(Option::is_some);
    let constants = generics.const_params().all(|parameter| is_known(&parameter.ident));
    (known && constants).then(|| quote!(<#(#arguments),*>))
}

fn full_path_of(
    prefix: &TokenStream,
    name: &Ident,
    turbofish: Option<&TokenStream>,
    told: bool,
) -> Option<TokenStream> {
    match turbofish {
        Some(arguments) => Some(quote!(#prefix::#name::#arguments)),
        None => told.then(|| quote!(#prefix::#name)),
    }
}
