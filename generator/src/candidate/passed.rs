//! Arguments that are functions. In: a frame, its caller's text, what was read. Out: how the call names the function.

use proc_macro2::TokenStream;
use relapse_snapshot::{Data, TypeKind, TypeTable, Value};
use syn::FnArg;

use super::Callable;
use super::join::crate_name;
use crate::expression::{Unwritable, WrittenArgument};
use crate::index::NamesAt;
use crate::names::Unnameable;

/// A function that is passed as an argument.
pub(super) struct Passed {
    /// The argument is a pointer, which tells the function too.
    was_read: bool,
    /// How its caller names it, or why that cannot be had.
    path: Result<TokenStream, Unnameable>,
}

impl Callable<'_> {
    /// The function that an argument is, by its caller's text; `None` for an argument that is no function.
    pub(super) fn passed_by_name(
        &self,
        argument: usize,
        types: &TypeTable,
        names: &NamesAt<'_>,
    ) -> Option<Passed> {
        let value = &self.frame.arguments.get(argument)?.value;
        if types.get(value.ty)?.kind != TypeKind::FunctionPointer {
            return None;
        }
        let FnArg::Typed(declared) = self.function.signature.inputs.iter().nth(argument)? else {
            return None;
        };
        let is_pointer = matches!(&*declared.ty, syn::Type::FnPtr(_));
        let was_read = is_pointer && matches!(&value.data, Data::Pointer { to: Some(_), .. });
        let caller = self.caller?;
        let (at, krate) = (caller.location.as_ref()?, crate_name(&caller.function));
        Some(Passed { was_read, path: names.passed_function(self.function, argument, at, krate) })
    }
}

/// Writes an argument. What was read of a pointer tells which function it is; a function item is kept nowhere, so only its
/// caller's text tells.
pub(super) fn written(
    passed: Option<Passed>,
    value: &Value,
    by_value: impl FnOnce() -> Result<WrittenArgument, Unwritable>,
) -> Result<WrittenArgument, Unwritable> {
    let passed = match passed {
        Some(Passed { was_read: false, path: Ok(path) }) => return Ok(WrittenArgument::inline(path, value)),
        passed => passed,
    };
    by_value().or_else(|refused| match passed.map(|passed| passed.path) {
        Some(Ok(path)) => Ok(WrittenArgument::inline(path, value)),
        Some(Err(reason)) => Err(Unwritable { reason: reason.0, ..refused }),
        None => Err(refused),
    })
}
