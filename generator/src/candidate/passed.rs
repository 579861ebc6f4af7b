//! Arguments that are functions. In: a frame, its callers' text, what was read. Out: how a call names the function.

use proc_macro2::TokenStream;
use relapse_snapshot::{Data, Frame, FrameKind, TypeKind, TypeTable, Value};
use syn::{FnArg, Type};

use super::Callable;
use super::join::crate_name;
use crate::expression::{Unwritable, WrittenArgument};
use crate::index::{Caller, NamesAt};
use crate::names::Unnameable;

/// Functions that hand on what they were given: more in a row are not looked at.
const MOST_CALLERS: usize = 16;

/// A function that is passed as an argument.
#[derive(Debug, Clone)]
pub(super) struct Passed {
    /// The parameter's type is that of a pointer.
    is_pointer: bool,
    /// The argument is a pointer, which tells the function too.
    was_read: bool,
    /// What was read may be another parameter's: it is not to be believed.
    is_doubtful: bool,
    /// How its caller names it, or why that cannot be had.
    path: Result<TokenStream, Unnameable>,
}

impl Passed {
    /// Whether that is a function whose caller names it, and no pointer.
    pub(super) fn names_item(&self) -> bool {
        !self.is_pointer && self.path.is_ok()
    }
}

impl Callable<'_> {
    /// For each argument, the function that it is by its caller's text.
    pub(super) fn arguments_by_name(&self, types: &TypeTable, names: &NamesAt<'_>) -> Vec<Option<Passed>> {
        (0..self.frame.arguments.len()).map(|argument| self.passed_by_name(argument, types, names)).collect()
    }

    /// The function that an argument is, by its caller's text; `None` for an argument that is no function.
    fn passed_by_name(&self, argument: usize, types: &TypeTable, names: &NamesAt<'_>) -> Option<Passed> {
        let value = &self.frame.arguments.get(argument)?.value;
        let shape = types.get(value.ty)?;
        // One that a symbol names as a generic argument.
        let is_item = shape.name.starts_with("{fn ");
        if shape.kind != TypeKind::FunctionPointer && !is_item {
            return None;
        }
        let declared = match self.function.signature.inputs.get(argument)? {
            FnArg::Typed(declared) => Some(&*declared.ty),
            FnArg::Receiver(receiver) if matches!(receiver.kind, syn::ReceiverKind::Value) => {
                self.function.self_type()
            }
            FnArg::Receiver(_) => return None,
        };
        // A parameter that is declared to be a pointer has the same entry in debug info as a generic that is a function.
        let is_doubtful = is_item && !declared.is_none_or(|declared| self.function.is_generic(declared));
        if is_item && !is_doubtful {
            return None;
        }
        let is_pointer = matches!(declared, Some(Type::FnPtr(_)));
        let was_read = is_pointer && matches!(&value.data, Data::Pointer { to: Some(_), .. });
        let path = names.passed_function(self.function, argument, &callers(self.further, types));
        Some(Passed { is_pointer, was_read, is_doubtful, path })
    }
}

/// The frames further out, as far as they are of the workspace, which wrote the calls.
fn callers<'a>(further: &'a [Frame], types: &'a TypeTable) -> Vec<Caller<'a>> {
    let own = further.iter().take(MOST_CALLERS).take_while(|frame| frame.kind == FrameKind::Workspace);
    own.map_while(|frame| {
        let generics = frame.generics.iter().map(|g| (g.name.as_str(), types.name(g.ty)));
        let krate = crate_name(&frame.function);
        Some(Caller { at: frame.location.as_ref()?, krate, generics: generics.collect() })
    })
    .collect()
}

/// Writes an argument. What was read of a pointer tells which function it is; a function item is kept nowhere, so only its
/// caller's text tells.
pub(super) fn written(
    name: &str,
    passed: Option<Passed>,
    value: &Value,
    by_value: impl FnOnce() -> Result<WrittenArgument, Unwritable>,
) -> Result<WrittenArgument, Unwritable> {
    let passed = match passed {
        Some(Passed { is_doubtful: true, path: Err(reason), .. }) => {
            return Err(Unwritable { path: name.to_owned(), reason: reason.0 });
        }
        Some(Passed { was_read: false, path: Ok(path), .. }) => {
            return Ok(WrittenArgument::inline(path, value));
        }
        passed => passed,
    };
    by_value().or_else(|refused| match passed.map(|passed| passed.path) {
        Some(Ok(path)) => Ok(WrittenArgument::inline(path, value)),
        Some(Err(reason)) => Err(Unwritable { reason: reason.0, ..refused }),
        None => Err(refused),
    })
}
