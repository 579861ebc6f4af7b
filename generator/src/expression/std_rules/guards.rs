//! Guards of cells and locks: `cell.borrow_mut()`, `lock.lock().unwrap()`, of a cell or lock that holds what the guard lends.

use proc_macro2::{Ident, Span};
use quote::quote;
use relapse_snapshot::{Data, Value};

use super::super::type_name::definition;
use super::super::writer::{Place, Writer};
use super::of::{Of, Rule, Written};

/// The rule for a definition, where there is one.
pub(super) fn rule(definition: &str) -> Option<Rule> {
    Some(match definition {
        "core::cell::Ref" => |w, of| {
            let cell = holder(w, of, "value", "core::cell::RefCell", "cell")?;
            Ok(quote!(#cell.borrow()))
        },
        "core::cell::RefMut" => |w, of| {
            let cell = holder(w, of, "value", "core::cell::RefCell", "cell")?;
            Ok(quote!(#cell.borrow_mut()))
        },
        "std::sync::poison::mutex::MutexGuard" | "std::sync::mutex::MutexGuard" => {
            |w, of| locked(w, of, "lock")
        }
        "std::sync::poison::rwlock::RwLockWriteGuard" | "std::sync::rwlock::RwLockWriteGuard" => {
            |w, of| locked(w, of, "write")
        }
        // It keeps where the value is, and not the lock.
        "std::sync::poison::rwlock::RwLockReadGuard" | "std::sync::rwlock::RwLockReadGuard" => |w, of| {
            let path = definition_of(of).replace("RwLockReadGuard", "RwLock");
            let lock = holder(w, of, "data", &path, "lock")?;
            Ok(quote!(#lock.read().unwrap()))
        },
        _ => return None,
    })
}

fn definition_of(of: Of<'_>) -> String {
    definition(&of.shape.name).unwrap_or_default()
}

/// The variable of a new cell or lock with what the guard's pointer leads to.
fn holder(
    writer: &mut Writer<'_>,
    of: Of<'_>,
    field: &str,
    path: &str,
    wanted: &str,
) -> Result<Ident, super::Unwritable> {
    let lent = lent(writer, of, field)?;
    if !writer.is_sized(lent.ty) || !lends(writer, of, lent) {
        let name = &of.shape.name;
        return Err(writer.refuse(format!("a guard of a part of what its cell or lock holds ({name})")));
    }
    let path = writer.name(path)?;
    let write = |writer: &mut Writer<'_>, place: Place| {
        let inner = writer.value(lent, place.within_call())?;
        Ok(quote!(#path::new(#inner)))
    };
    writer.hoist_as(wanted, false, of.place.typed, write)
}

/// Whether a guard is of the value's own type, and not of a trait object.
fn lends(writer: &Writer<'_>, of: Of<'_>, lent: &Value) -> bool {
    super::shape_params(of.shape).iter().any(|param| *param == writer.types.name(lent.ty))
}

/// A guard that keeps its lock: of one like that.
fn locked(writer: &mut Writer<'_>, of: Of<'_>, method: &str) -> Written {
    let lock = lent(writer, of, "lock")?;
    if matches!(lock.data, Data::Cell { poisoned: true, .. }) {
        return Err(writer.refuse(format!("a guard of a poisoned lock ({})", of.shape.name)));
    }
    let lock = writer.hoist_as("lock", false, of.place.typed, |writer, place| writer.value(lock, place))?;
    let method = Ident::new(method, Span::call_site());
    Ok(quote!(#lock.#method().unwrap()))
}

/// What a pointer within the guard leads to.
fn lent<'v>(writer: &Writer<'_>, of: Of<'v>, field: &str) -> Result<&'v Value, super::Unwritable> {
    match &of.field(writer, field)?.data {
        Data::Pointer { to: Some(to), .. } => Ok(to),
        _ => Err(writer.refuse(format!("what a {} lends was not read", of.shape.name))),
    }
}
