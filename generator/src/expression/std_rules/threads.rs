//! What belongs to a task or a thread of the process that crashed: a test has others in their place, so that the value is
//! suspect.

use proc_macro2::TokenStream;
use quote::quote;
use relapse_snapshot::Data;

use super::super::seen_through::field;
use super::super::writer::Writer;
use super::of::{Of, Rule, Written};

/// The release of Rust 1 since which there is a waker that does nothing.
const HAS_NOOP: u16 = 85;

/// The rule for a definition, where there is one.
pub(super) fn rule(definition: &str) -> Option<Rule> {
    Some(match definition {
        "core::task::wake::Context" => |w, of| {
            let (name, waker) = (w.name_of(of.shape)?, borrowed_waker(w)?);
            Ok(quote!(#name::from_waker(#waker)))
        },
        "core::task::wake::Waker" => |w, _| {
            if has_noop(w) {
                let waker = borrowed_waker(w)?;
                return Ok(quote!(#waker.clone()));
            }
            waker(w)
        },
        "std::thread::id::ThreadId" | "std::thread::ThreadId" => |w, _| {
            let current = current_thread(w)?;
            Ok(quote!(#current.id()))
        },
        "std::thread::thread::Thread" | "std::thread::Thread" => |w, _| current_thread(w),
        "core::mem::Discriminant" => discriminant,
        "core::any::TypeId" => |w, _| Err(w.refuse("a TypeId: nothing says of which type the hash is")),
        _ => return None,
    })
}

/// Whatever is built for releases from before that, as the package says, cannot name it.
fn has_noop(writer: &Writer<'_>) -> bool {
    writer.names.oldest_rust().is_none_or(|minor| minor >= HAS_NOOP)
}

/// What wakes the task is the runtime's own: one that wakes nothing stands in for it.
fn borrowed_waker(writer: &mut Writer<'_>) -> Written {
    if has_noop(writer) {
        writer.suspect = true;
        let name = writer.name("core::task::wake::Waker")?;
        return Ok(quote!(#name::noop()));
    }
    let made = writer.hoist_as("waker", false, false, |writer, _| waker(writer))?;
    Ok(quote!(&#made))
}

/// A waker that does nothing, of a type that is the test's own.
fn waker(writer: &mut Writer<'_>) -> Written {
    writer.suspect = true;
    let name = writer.name("core::task::wake::Waker")?;
    let wake = writer.name("alloc::task::Wake")?;
    let owner = writer.name("alloc::sync::Arc")?;
    Ok(quote!({
        struct Asleep;
        impl #wake for Asleep {
            fn wake(self: #owner<Self>) {}
        }
        #name::from(#owner::new(Asleep))
    }))
}

fn current_thread(writer: &mut Writer<'_>) -> Written {
    writer.suspect = true;
    let current: TokenStream = writer.name("std::thread::current")?;
    Ok(quote!(#current()))
}

/// Of a variant without fields, which needs no value in it.
fn discriminant(writer: &mut Writer<'_>, of: Of<'_>) -> Written {
    let variant = field(of.value, "of").ok_or_else(|| writer.mismatch(of.shape))?;
    let Data::Variant { name, .. } = &variant.data else { return Err(writer.mismatch(of.shape)) };
    if has_fields(writer, variant.ty, name) {
        return Err(writer
            .refuse(format!("the discriminant of `{name}`, which has fields: only a value of it has one")));
    }
    let call = writer.name("core::mem::discriminant")?;
    let variant = writer.part(".of", variant, of.place.within_call())?;
    Ok(quote!(#call(&#variant)))
}

fn has_fields(writer: &Writer<'_>, ty: relapse_snapshot::TypeId, name: &str) -> bool {
    match writer.types.get(ty).map(|shape| &shape.kind) {
        Some(relapse_snapshot::TypeKind::Enum { variants, .. }) => {
            variants.iter().any(|variant| variant.name == name && !variant.fields.is_empty())
        }
        _ => true,
    }
}
