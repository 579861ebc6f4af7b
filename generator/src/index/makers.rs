//! Functions that make values of a type. Where a type's fields do not tell how to build it, a call of one of them does: a
//! second run sees what they were given. In: a type, and the calls that were seen. Out: the functions, and the call that
//! a test makes in their place.

use relapse_snapshot::{Frame, Location};
use syn::{GenericArgument, PathArguments, ReturnType, Safety, Type};

use crate::names::{MadeCall, Unnameable};

use super::ids::{ItemId, plain};
use super::items::ItemKind;
use super::naming::NamesAt;
use super::resolve::{Def, Space};
use super::{FunctionItem, SourceIndex};

/// The calls of one run that made values, oldest first.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Made<'a> {
    /// What was seen.
    pub(crate) calls: &'a [Frame],
    /// Which of the calls that may have made a value is taken, the last one first.
    pub(crate) turn: usize,
}

impl<'i> NamesAt<'i> {
    /// The names for a test whose values may be made as these calls made them.
    pub(crate) fn with_made(mut self, made: Made<'i>) -> NamesAt<'i> {
        self.made = made;
        self
    }

    /// The functions by which a test here could make a value of the struct or enum at `definition`.
    pub(crate) fn makers(&self, definition: &str) -> Vec<&'i FunctionItem> {
        match self.definition(definition) {
            Ok(Def::Item(id)) => self.makers_of(id),
            _ => Vec::new(),
        }
    }

    fn makers_of(&self, id: ItemId) -> Vec<&'i FunctionItem> {
        if !matches!(self.index().item(id).kind, ItemKind::Struct(_) | ItemKind::Enum(_)) {
            return Vec::new();
        }
        let functions = self.index().source(id.krate).functions.iter();
        functions.filter(|function| self.makes(function, id).is_some()).collect()
    }

    /// The functions that could make what a function takes.
    pub(crate) fn makers_of_arguments(&self, function: &FunctionItem) -> Vec<&'i FunctionItem> {
        let mut found = Vec::new();
        for input in &function.signature.inputs {
            let syn::FnArg::Typed(typed) = input else { continue };
            let ty = match &*typed.ty {
                Type::Reference(to) => &to.elem,
                ty => ty,
            };
            let Type::Path(path) = ty else { continue };
            let names: Vec<String> = path.path.segments.iter().map(|segment| plain(&segment.ident)).collect();
            let absolute = path.path.leading_colon.is_some();
            let defs = self.reach.resolver.path(function.module, &names, absolute, false, Space::Types);
            for def in defs {
                if let Def::Item(id) = def {
                    found.extend(self.makers_of(id));
                }
            }
        }
        found
    }

    /// Whether a function makes a value of the type of what it is given, and could be called here; then whether that is
    /// wrapped in a `Result` or an `Option`.
    fn makes(&self, function: &FunctionItem, id: ItemId) -> Option<bool> {
        let signature = &function.signature;
        let is_plain = signature.receiver().is_none()
            && signature.asyncness.is_none()
            && signature.variadic.is_none()
            && !matches!(signature.safety, Safety::Unsafe(_))
            && function.nested_in.is_none()
            && !function.attributes.hidden;
        let resolver = &self.reach.resolver;
        let can_be_called = is_plain
            && resolver.is_built(&function.cfg, id.krate)
            && resolver.visible(function.visibility, id.krate, Some(self.module));
        let ReturnType::Type(_, result) = signature.output.clone() else { return None };
        if !can_be_called {
            return None;
        }
        if self.is_type(function, &result, id) {
            return Some(false);
        }
        let Type::Path(path) = &*result else { return None };
        let last = path.path.segments.last()?;
        let PathArguments::AngleBracketed(arguments) = &last.arguments else { return None };
        let Some(GenericArgument::Type(first)) = arguments.args.first() else { return None };
        let wraps = last.ident == "Option" || last.ident.to_string().ends_with("Result");
        (wraps && self.is_type(function, first, id)).then_some(true)
    }

    /// Whether a type in a function's signature is that one.
    fn is_type(&self, function: &FunctionItem, ty: &Type, id: ItemId) -> bool {
        let Type::Path(path) = ty else { return false };
        if path.qself.is_some() {
            return false;
        }
        if path.path.is_ident("Self") {
            let own = function.self_type();
            return own.is_some_and(|own| !is_self(own) && self.is_type(function, own, id));
        }
        let names: Vec<String> = path.path.segments.iter().map(|segment| plain(&segment.ident)).collect();
        let absolute = path.path.leading_colon.is_some();
        let found = self.reach.resolver.path(function.module, &names, absolute, false, Space::Types);
        found.contains(&Def::Item(id))
    }

    /// The call that made a value of the type at `definition`, as far as the order of the calls tells.
    pub(super) fn made_of(&self, definition: &str) -> Option<Result<MadeCall<'_>, Unnameable>> {
        if self.made.calls.is_empty() {
            return None;
        }
        let Def::Item(id) = self.definition(definition).ok()? else { return None };
        let makers = self.makers(definition);
        let places: Vec<Location> = makers.iter().map(|maker| self.index().declared(maker)).collect();
        let seen = self.made.calls.iter().rev().filter_map(|call| {
            let at = places.iter().position(|place| is_at(call, place))?;
            (makers[at].signature.inputs.len() == call.arguments.len()).then_some((makers[at], call))
        });
        let (maker, call) = seen.into_iter().nth(self.made.turn)?;
        let path = match self.callable(maker, &[]) {
            Ok(path) => path,
            Err(unnameable) => return Some(Err(unnameable)),
        };
        let generics = &maker.signature.generics;
        let is_open = |input: &syn::FnArg| matches!(input, syn::FnArg::Typed(typed) if has_impl(&typed.ty));
        Some(Ok(MadeCall {
            call: path.path,
            unwrapped: self.makes(maker, id) == Some(true),
            typed: generics.type_params().next().is_some() || maker.signature.inputs.iter().any(is_open),
            arguments: &call.arguments,
        }))
    }
}

fn is_self(ty: &Type) -> bool {
    matches!(ty, Type::Path(path) if path.path.is_ident("Self"))
}

fn has_impl(ty: &Type) -> bool {
    match ty {
        Type::ImplTrait(_) => true,
        Type::Reference(to) => has_impl(&to.elem),
        _ => false,
    }
}

fn is_at(call: &Frame, place: &Location) -> bool {
    call.declared.as_ref().is_some_and(|at| (&at.file, at.line) == (&place.file, place.line))
}

impl SourceIndex {
    /// Where a function is declared, as snapshots have it.
    pub(crate) fn declared(&self, function: &FunctionItem) -> Location {
        let package = self.package(function.id.krate);
        let file = if package.local {
            function.file.clone()
        } else {
            let within = self.workspace_root().join(&function.file);
            let within = crate::paths::normalized(&within);
            let within = within.strip_prefix(&package.folder).unwrap_or(&within).display().to_string();
            format!("{}-{}/{within}", package.name, package.version)
        };
        Location { file, line: function.head_line, column: 0 }
    }
}
