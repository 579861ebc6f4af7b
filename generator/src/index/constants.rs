//! What the constants among a function's generic parameters were, which debug info tells nowhere but in the names of types
//! that are made of them. In: the types that the function gives back and takes, as the source and as the debug info have
//! them.

use std::collections::BTreeSet;

use syn::{Expr, FnArg, GenericArgument, PathArguments, ReceiverKind, ReturnType, Type};

use super::{FunctionItem, TypeName};

/// Types within types are looked into so far.
const MAX_DEPTH: u32 = 16;

impl FunctionItem {
    /// The constants among its generic parameters, its impl's included, by name, as far as its result and what it takes
    /// tell them. `result`: the full name of that type; `arguments`: those of what it takes, its receiver included.
    pub fn constants_of(&self, result: Option<&str>, arguments: &[&str]) -> Vec<(String, String)> {
        let declared = self.owner_generics().into_iter().chain([&self.signature.generics]);
        let wanted: BTreeSet<String> =
            declared.flat_map(|generics| generics.const_params()).map(|own| own.ident.to_string()).collect();
        if wanted.is_empty() {
            return Vec::new();
        }
        let mut finder = Finder { wanted, own: self.self_type(), found: Vec::new() };
        if let (ReturnType::Type(_, ty), Some(name)) =
            (&self.signature.output, result.and_then(TypeName::parse))
        {
            finder.compare(ty, &name, MAX_DEPTH);
        }
        let inputs = &self.signature.inputs;
        // Where one of them was not read, nobody knows which is which.
        if inputs.len() == arguments.len() {
            for (input, name) in inputs.iter().zip(arguments) {
                if let Some(name) = TypeName::parse(name) {
                    finder.input(input, &name);
                }
            }
        }
        finder.found
    }
}

struct Finder<'f> {
    wanted: BTreeSet<String>,
    /// What `Self` is.
    own: Option<&'f Type>,
    found: Vec<(String, String)>,
}

impl Finder<'_> {
    /// What a function takes.
    fn input(&mut self, input: &FnArg, name: &TypeName) {
        let receiver = match input {
            FnArg::Typed(typed) => return self.compare(&typed.ty, name, MAX_DEPTH),
            FnArg::Receiver(receiver) => receiver,
        };
        match (&receiver.kind, name, self.own) {
            (ReceiverKind::Typed(_, ty), ..) => self.compare(ty, name, MAX_DEPTH),
            (ReceiverKind::Reference(..), TypeName::Reference { to, .. }, Some(own)) => {
                self.compare(own, to, MAX_DEPTH);
            }
            (ReceiverKind::Value, _, Some(own)) => self.compare(own, name, MAX_DEPTH),
            _ => {}
        }
    }

    fn compare(&mut self, ty: &Type, name: &TypeName, depth: u32) {
        let Some(depth) = depth.checked_sub(1) else { return };
        match (ty, name) {
            (Type::Paren(inner), name) => self.compare(&inner.elem, name, depth),
            (Type::Group(inner), name) => self.compare(&inner.elem, name, depth),
            (Type::Reference(reference), TypeName::Reference { to, .. }) => {
                self.compare(&reference.elem, to, depth);
            }
            (Type::Slice(slice), TypeName::Slice(of)) => self.compare(&slice.elem, of, depth),
            (Type::Array(array), TypeName::Array(of, length)) => {
                self.constant(&array.len, &length.to_string());
                self.compare(&array.elem, of, depth);
            }
            (Type::Tuple(items), TypeName::Tuple(names)) => {
                for (item, name) in items.elems.iter().zip(names) {
                    self.compare(item, name, depth);
                }
            }
            // A constant that is handed on looks like a type.
            (Type::Path(path), TypeName::Const(text)) => {
                if let Some(name) = path.path.get_ident() {
                    self.add(&name.to_string(), text);
                }
            }
            (Type::Path(path), name) if path.path.is_ident("Self") => {
                if let Some(own) = self.own {
                    self.compare(own, name, depth);
                }
            }
            (Type::Path(written), TypeName::Path { path, arguments, .. }) => {
                let Some(last) = written.path.segments.last() else { return };
                let PathArguments::AngleBracketed(list) = &last.arguments else { return };
                // What goes by another name there is an alias, whose arguments may be others.
                if path.rsplit("::").next() != Some(last.ident.to_string().as_str()) {
                    return;
                }
                let written = list.args.iter().filter(|own| !matches!(own, GenericArgument::Lifetime(_)));
                for (own, name) in written.zip(arguments) {
                    match (own, name) {
                        (GenericArgument::Type(ty), name) => self.compare(ty, name, depth),
                        (GenericArgument::Const(own), TypeName::Const(text)) => self.constant(own, text),
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }

    /// `N` or `{ N }`.
    fn constant(&mut self, written: &Expr, value: &str) {
        match written {
            Expr::Path(path) => {
                if let Some(name) = path.path.get_ident() {
                    self.add(&name.to_string(), value);
                }
            }
            Expr::Block(block) => {
                if let [syn::Stmt::Expr(inner @ Expr::Path(_), None)] = block.block.stmts.as_slice() {
                    self.constant(inner, value);
                }
            }
            _ => {}
        }
    }

    fn add(&mut self, name: &str, value: &str) {
        if self.wanted.remove(name) {
            self.found.push((name.to_owned(), value.to_owned()));
        }
    }
}
