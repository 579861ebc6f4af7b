//! Cells and locks that are set once, what threads wait at, and locks that a panic has poisoned.

use proc_macro2::TokenStream;
use quote::quote;
use relapse_snapshot::{Data, StdType, TypeKind, TypeShape, Value};

use super::super::Unwritable;
use super::super::seen_through::{core_of, field};
use super::super::writer::{Place, Writer};
use super::of::{Of, Rule, Written};

/// The rule for a definition, where there is one.
pub(super) fn rule(definition: &str) -> Option<Rule> {
    Some(match definition {
        "core::cell::once::OnceCell" => once_cell,
        "std::sync::once_lock::OnceLock" => |w, of| match field(of.value, "value").map(|value| &value.data) {
            Some(Data::Cell { inner, .. }) => set(w, of, Some(inner)),
            Some(_) => Err(w.mismatch(of.shape)),
            None => set(w, of, None),
        },
        "core::cell::lazy::LazyCell" => lazy_cell,
        "std::sync::lazy_lock::LazyLock" => lazy_lock,
        "std::sync::poison::once::Once" | "std::sync::once::Once" => once,
        "std::sync::poison::condvar::Condvar" | "std::sync::condvar::Condvar" => |w, of| {
            let name = w.name_of(of.shape)?;
            Ok(quote!(#name::new()))
        },
        "std::sync::barrier::Barrier" => barrier,
        _ => return None,
    })
}

/// `OnceCell::from(3)` or `OnceCell::new()`.
fn set(writer: &mut Writer<'_>, of: Of<'_>, inner: Option<&Value>) -> Written {
    let name = writer.name_of(of.shape)?;
    if let Some(inner) = inner {
        let inner = writer.value(inner, of.place.within_call())?;
        return Ok(quote!(#name::from(#inner)));
    }
    let params = match &of.shape.kind {
        TypeKind::Struct { params, .. } if of.place.typed => params.as_slice(),
        _ => &[],
    };
    let turbofish = writer.turbofish(params);
    Ok(quote!(#name #turbofish::new()))
}

/// `OnceCell { inner: UnsafeCell<Option<T>> }`.
fn once_cell(writer: &mut Writer<'_>, of: Of<'_>) -> Written {
    match &core_of(of.value).data {
        Data::Variant { name, fields } if name == "Some" => set(writer, of, fields.first().map(|f| &f.value)),
        Data::Variant { .. } => set(writer, of, None),
        _ => Err(writer.mismatch(of.shape)),
    }
}

/// `LazyCell { state: UnsafeCell<State> }`, whose state is `Uninit(F)`, `Init(T)` or `Poisoned`.
fn lazy_cell(writer: &mut Writer<'_>, of: Of<'_>) -> Written {
    let Data::Variant { name, fields } = &core_of(of.value).data else {
        return Err(writer.mismatch(of.shape));
    };
    match (name.as_str(), fields.as_slice()) {
        ("Init", [only]) => forced(writer, of, &only.value),
        ("Uninit", [only]) => lazy(writer, of, &only.value),
        _ => Err(writer.refuse("a lazy value whose function panicked")),
    }
}

fn lazy_lock(writer: &mut Writer<'_>, of: Of<'_>) -> Written {
    let inside = |name: &str| match &field(of.value, name)?.data {
        Data::Cell { inner, .. } => Some(&**inner),
        _ => None,
    };
    match (inside("value"), inside("init")) {
        (Some(value), _) => forced(writer, of, value),
        (_, Some(init)) => lazy(writer, of, init),
        _ => Err(writer.mismatch(of.shape)),
    }
}

/// One whose function has not run yet.
fn lazy(writer: &mut Writer<'_>, of: Of<'_>, init: &Value) -> Written {
    let name = writer.name_of(of.shape)?;
    let init = writer.part(".init", init, of.place.within_call())?;
    Ok(quote!(#name::new(#init)))
}

/// One whose function has run: any function that gives the same is as good, and runs here.
fn forced(writer: &mut Writer<'_>, of: Of<'_>, value: &Value) -> Written {
    let TypeKind::Struct { params, .. } = &of.shape.kind else { return Err(writer.mismatch(of.shape)) };
    let init = params.get(1).and_then(|init| writer.types.get(*init)).map(|init| &init.kind);
    if !matches!(init, Some(TypeKind::FunctionPointer | TypeKind::RawPointer { .. })) {
        return Err(writer.refuse("a lazy value whose function has a type of its own"));
    }
    let name = writer.name_of(of.shape)?;
    let turbofish = params.first().filter(|_| of.place.typed).and_then(|ty| writer.type_tokens(*ty));
    let turbofish = turbofish.map(|ty| quote!(::<#ty>));
    let value = writer.part(".value", value, of.place.within_call())?;
    let lazy = writer.scope.variable("lazy");
    Ok(quote!({ let #lazy = #name #turbofish::new(|| #value); #name::force(&#lazy); #lazy }))
}

fn once(writer: &mut Writer<'_>, of: Of<'_>) -> Written {
    let name = writer.name_of(of.shape)?;
    if field(of.value, "new").is_some() {
        return Ok(quote!(#name::new()));
    }
    if field(of.value, "done").is_none() {
        return Err(writer.refuse("a Once whose function panicked"));
    }
    let once = writer.scope.variable("once");
    Ok(quote!({ let #once = #name::new(); #once.call_once(|| ()); #once }))
}

/// `Barrier { lock: Mutex<BarrierState { count, .. }>, cvar, num_threads }`: those that wait are other threads.
fn barrier(writer: &mut Writer<'_>, of: Of<'_>) -> Written {
    let waiting = match &of.field(writer, "lock")?.data {
        Data::Cell { inner, .. } => field(inner, "count").and_then(super::number),
        _ => None,
    };
    match waiting {
        Some(0) => {}
        Some(_) => return Err(writer.refuse("a barrier that threads wait at")),
        None => return Err(writer.mismatch(of.shape)),
    }
    let threads = of.count(writer, of.number(writer, "num_threads")?, "usize")?;
    let name = writer.name_of(of.shape)?;
    Ok(quote!(#name::new(#threads)))
}

impl Writer<'_> {
    /// A lock that a panic has poisoned: one does so here, too, without a word.
    pub(in super::super) fn poisoned(
        &mut self,
        std: StdType,
        inner: &Value,
        shape: &TypeShape,
        place: Place,
    ) -> Result<TokenStream, Unwritable> {
        let name = self.name_of(shape)?;
        let inner = self.value(inner, place.within_call())?;
        let method = if std == StdType::RwLock { quote!(write) } else { quote!(lock) };
        let catch = self.name("std::panic::catch_unwind")?;
        let safe = self.name("core::panic::unwind_safe::AssertUnwindSafe")?;
        let resume = self.name("std::panic::resume_unwind")?;
        let (lock, guard) = (self.scope.variable("lock"), self.scope.variable("_guard"));
        Ok(quote!({
            let #lock = #name::new(#inner);
            let _ = #catch(#safe(|| {
                let #guard = #lock.#method();
                #resume(Box::new(()));
            }));
            #lock
        }))
    }
}
