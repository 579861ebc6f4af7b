//! Constructors of std types that are plain structs in DWARF, but whose fields nobody may write: a table from
//! definition to rule. In: the decoded fields. Out: a call of a public constructor. To add a type, add a line.

pub(super) mod c_text;
pub(super) mod channels;
mod collection_iterators;
mod errors;
mod guards;
mod iterators;
mod moments;
mod of;
mod parts;
mod readers;
mod set_once;
mod single_items;
mod taken;
mod threads;
mod tree_iterators;
mod uninit;

use proc_macro2::TokenStream;
use quote::quote;
use relapse_snapshot::{Data, TypeKind, TypeShape};

use super::Unwritable;
use super::lints::{Lint, is_reversed};
use super::seen_through::{core_of, number};
use super::sequence::MAX_LITERAL_BYTES;
use super::type_name::arguments;
use super::writer::{Place, Writer};
use crate::hostile::literal;

pub(crate) use collection_iterators::{go_over_tables, have_chance_order};
pub(super) use of::Of;
use of::{Rule, Written};

/// The rule for a definition, where there is one.
pub(super) fn rule(definition: &str) -> Option<Rule> {
    Some(match definition {
        "core::ops::range::Range" => range,
        "core::ops::range::RangeFrom" => range_from,
        "core::ops::range::RangeTo" => range_to,
        "core::ops::range::RangeToInclusive" => range_to_inclusive,
        "core::ops::range::RangeInclusive" => range_inclusive,
        "core::ops::range::RangeFull" => range_full,
        "core::num::wrapping::Wrapping"
        | "core::num::saturating::Saturating"
        | "core::cmp::Reverse"
        | "core::panic::unwind_safe::AssertUnwindSafe" => tuple_struct,
        "core::mem::manually_drop::ManuallyDrop" => wrapper,
        "core::mem::maybe_uninit::MaybeUninit" => uninit::maybe,
        "core::marker::PhantomData"
        | "core::marker::PhantomPinned"
        | "core::fmt::Error"
        | "alloc::alloc::Global" => unit,
        "std::hash::random::RandomState" | "std::collections::hash::map::RandomState" => random_state,
        "core::net::ip_addr::Ipv4Addr" | "std::net::ip_addr::Ipv4Addr" => ipv4,
        "core::net::ip_addr::Ipv6Addr" | "std::net::ip_addr::Ipv6Addr" => ipv6,
        "core::net::socket_addr::SocketAddrV4" | "std::net::socket_addr::SocketAddrV4" => socket_v4,
        "core::net::socket_addr::SocketAddrV6" | "std::net::socket_addr::SocketAddrV6" => socket_v6,
        "std::time::SystemTime" => system_time,
        "std::io::cursor::Cursor" => cursor,
        "alloc::collections::binary_heap::BinaryHeap" => binary_heap,
        "alloc::ffi::c_str::CString" => c_string,
        "core::pin::Pin" => pin,
        _ if definition.starts_with("core::sync::atomic::Atomic") => atomic,
        _ => {
            return readers::rule(definition)
                .or_else(|| iterators::rule(definition))
                .or_else(|| errors::rule(definition))
                .or_else(|| set_once::rule(definition))
                .or_else(|| moments::rule(definition))
                .or_else(|| single_items::rule(definition))
                .or_else(|| tree_iterators::rule(definition))
                .or_else(|| parts::rule(definition))
                .or_else(|| channels::rule(definition))
                .or_else(|| collection_iterators::rule(definition))
                .or_else(|| guards::rule(definition))
                .or_else(|| threads::rule(definition));
        }
    })
}

fn bracketed(tokens: TokenStream, place: Place) -> TokenStream {
    if place.operand { quote!((#tokens)) } else { tokens }
}

fn range(writer: &mut Writer<'_>, of: Of<'_>) -> Written {
    let start = of.operand(writer, "start")?;
    let end = of.untyped().operand(writer, "end")?;
    let is_reversed = is_reversed(of.field(writer, "start")?, of.field(writer, "end")?);
    writer.lints.allow(Lint::ReversedEmptyRanges, is_reversed);
    Ok(bracketed(quote!(#start..#end), of.place))
}

fn range_from(writer: &mut Writer<'_>, of: Of<'_>) -> Written {
    let start = of.operand(writer, "start")?;
    Ok(bracketed(quote!(#start..), of.place))
}

fn range_to(writer: &mut Writer<'_>, of: Of<'_>) -> Written {
    let end = of.operand(writer, "end")?;
    Ok(bracketed(quote!(..#end), of.place))
}

fn range_to_inclusive(writer: &mut Writer<'_>, of: Of<'_>) -> Written {
    let end = of.operand(writer, "end")?;
    Ok(bracketed(quote!(..=#end), of.place))
}

fn range_inclusive(writer: &mut Writer<'_>, of: Of<'_>) -> Written {
    if matches!(of.field(writer, "exhausted")?.data, Data::Bool(true)) {
        return exhausted(writer, of);
    }
    let start = of.operand(writer, "start")?;
    let end = of.untyped().operand(writer, "end")?;
    let is_reversed = is_reversed(of.field(writer, "start")?, of.field(writer, "end")?);
    writer.lints.allow(Lint::ReversedEmptyRanges, is_reversed);
    Ok(bracketed(quote!(#start..=#end), of.place))
}

/// One that was iterated to its end has come to its last item from both sides, and taken it.
fn exhausted(writer: &mut Writer<'_>, of: Of<'_>) -> Written {
    let (start, end) = (of.field(writer, "start")?, of.field(writer, "end")?);
    if start.data != end.data {
        return Err(writer.refuse("a `..=` range that was iterated to its end, and says another one"));
    }
    let start = of.operand(writer, "start")?;
    let end = of.untyped().operand(writer, "end")?;
    let range = writer.scope.variable("range");
    Ok(quote!({ let mut #range = #start..=#end; #range.next(); #range }))
}

#[expect(clippy::unnecessary_wraps, reason = "a rule of the table")]
fn range_full(_: &mut Writer<'_>, of: Of<'_>) -> Written {
    Ok(bracketed(quote!(..), of.place))
}

fn tuple_struct(writer: &mut Writer<'_>, of: Of<'_>) -> Written {
    let (name, inner) = (writer.name_of(of.shape)?, of.part(writer, "0")?);
    Ok(quote!(#name(#inner)))
}

fn wrapper(writer: &mut Writer<'_>, of: Of<'_>) -> Written {
    let name = writer.name_of(of.shape)?;
    let Data::Struct(fields) = &of.value.data else { return Err(writer.mismatch(of.shape)) };
    let [only] = fields.as_slice() else { return Err(writer.mismatch(of.shape)) };
    // Newer releases have one more layer, whose type is not that of the parameter.
    let inner = match (&only.value.data, shape_params(of.shape).first()) {
        (Data::Struct(inner), Some(param))
            if inner.len() == 1 && writer.types.name(only.value.ty) != *param =>
        {
            &inner[0].value
        }
        _ => &only.value,
    };
    let inner = writer.value(inner, of.place.within_call())?;
    Ok(quote!(#name::new(#inner)))
}

fn shape_params(shape: &TypeShape) -> Vec<&str> {
    arguments(&shape.name)
}

fn unit(writer: &mut Writer<'_>, of: Of<'_>) -> Written {
    writer.name_of(of.shape)
}

fn random_state(writer: &mut Writer<'_>, of: Of<'_>) -> Written {
    let name = writer.name_of(of.shape)?;
    writer.suspect = true;
    Ok(quote!(#name::new()))
}

fn octets(writer: &Writer<'_>, of: Of<'_>) -> Result<Vec<u8>, Unwritable> {
    match &core_of(of.value).data {
        Data::Bytes { bytes, .. } => Ok(bytes.clone()),
        Data::Sequence { items, .. } if items.len() <= 16 => items
            .iter()
            .map(|item| number(item).and_then(|n| u8::try_from(n).ok()))
            .collect::<Option<Vec<u8>>>()
            .ok_or_else(|| writer.mismatch(of.shape)),
        _ => Err(writer.mismatch(of.shape)),
    }
}

fn ipv4(writer: &mut Writer<'_>, of: Of<'_>) -> Written {
    let name = writer.name_of(of.shape)?;
    let octets: [u8; 4] = octets(writer, of)?.try_into().map_err(|_| writer.mismatch(of.shape))?;
    Ok(match octets {
        [127, 0, 0, 1] => quote!(#name::LOCALHOST),
        [0, 0, 0, 0] => quote!(#name::UNSPECIFIED),
        octets => {
            let octets = octets.map(|octet| literal::byte_number(octet, false, None));
            quote!(#name::new(#(#octets),*))
        }
    })
}

fn ipv6(writer: &mut Writer<'_>, of: Of<'_>) -> Written {
    let name = writer.name_of(of.shape)?;
    let octets: [u8; 16] = octets(writer, of)?.try_into().map_err(|_| writer.mismatch(of.shape))?;
    let address = std::net::Ipv6Addr::from(octets);
    Ok(if address.is_loopback() {
        quote!(#name::LOCALHOST)
    } else if address.is_unspecified() {
        quote!(#name::UNSPECIFIED)
    } else {
        let segments = address.segments().map(|segment| {
            let source = if segment < 10 { segment.to_string() } else { format!("{segment:#x}") };
            source.parse::<TokenStream>().unwrap_or_default()
        });
        quote!(#name::new(#(#segments),*))
    })
}

fn socket_v4(writer: &mut Writer<'_>, of: Of<'_>) -> Written {
    let name = writer.name_of(of.shape)?;
    let ip = of.operand(writer, "ip")?;
    let port = of.untyped().operand(writer, "port")?;
    Ok(quote!(#name::new(#ip, #port)))
}

fn socket_v6(writer: &mut Writer<'_>, of: Of<'_>) -> Written {
    let name = writer.name_of(of.shape)?;
    let ip = of.operand(writer, "ip")?;
    let port = of.untyped().operand(writer, "port")?;
    let flow = of.untyped().operand(writer, "flowinfo")?;
    let scope = of.untyped().operand(writer, "scope_id")?;
    Ok(quote!(#name::new(#ip, #port, #flow, #scope)))
}

fn system_time(writer: &mut Writer<'_>, of: Of<'_>) -> Written {
    let Data::Struct(fields) = &core_of(of.value).data else { return Err(writer.mismatch(of.shape)) };
    let [secs, nanos] = fields.as_slice() else { return Err(writer.mismatch(of.shape)) };
    let parts = (number(&secs.value), number(&nanos.value).and_then(|n| u32::try_from(n).ok()));
    let (Some(secs), Some(nanos)) = parts else { return Err(writer.mismatch(of.shape)) };
    if nanos >= 1_000_000_000 || i64::try_from(secs).is_err() {
        return Err(writer.mismatch(of.shape));
    }
    let name = writer.name_of(of.shape)?;
    if (secs, nanos) == (0, 0) {
        return Ok(quote!(#name::UNIX_EPOCH));
    }
    let total = secs * 1_000_000_000 + i128::from(nanos);
    let distance = total.unsigned_abs();
    let duration = writer.name("core::time::Duration")?;
    let (secs, nanos) = ((distance / 1_000_000_000) as u64, (distance % 1_000_000_000) as u32);
    let duration = writer.duration_of(&duration, secs, nanos)?;
    Ok(bracketed(
        if total < 0 { quote!(#name::UNIX_EPOCH - #duration) } else { quote!(#name::UNIX_EPOCH + #duration) },
        of.place,
    ))
}

fn cursor(writer: &mut Writer<'_>, of: Of<'_>) -> Written {
    let (name, position) = (writer.name_of(of.shape)?, of.number(writer, "pos")?);
    let inner = of.part(writer, "inner")?;
    if position == 0 {
        return Ok(quote!(#name::new(#inner)));
    }
    let position = of.count(writer, position, "u64")?;
    let cursor = writer.scope.variable("cursor");
    Ok(quote!({ let mut #cursor = #name::new(#inner); #cursor.set_position(#position); #cursor }))
}

fn binary_heap(writer: &mut Writer<'_>, of: Of<'_>) -> Written {
    let name = writer.name_of(of.shape)?;
    let data = of.field(writer, "data")?;
    let data_shape = writer.shape(data.ty)?;
    let empty = matches!(&data.data, Data::Sequence { len: 0, .. } | Data::Bytes { len: 0, .. });
    if empty {
        let turbofish = match &of.shape.kind {
            TypeKind::Struct { params, .. } if of.place.typed => {
                params.first().and_then(|of| writer.turbofish(&[*of]))
            }
            _ => None,
        };
        return Ok(quote!(#name #turbofish::new()));
    }
    let items = writer.vector(data, data_shape, None, of.place)?;
    Ok(quote!(#name::from(#items)))
}

fn c_string(writer: &mut Writer<'_>, of: Of<'_>) -> Written {
    let name = writer.name_of(of.shape)?;
    let inner = match &core_of(of.value).data {
        Data::Pointer { to: Some(inner), .. } => &inner.data,
        data => data,
    };
    let Data::Bytes { bytes, len } = inner else { return Err(writer.mismatch(of.shape)) };
    writer.whole(bytes.len(), *len, "bytes")?;
    let text = bytes
        .strip_suffix(&[0])
        .filter(|text| !text.contains(&0))
        .ok_or_else(|| writer.mismatch(of.shape))?;
    let text = match std::str::from_utf8(text) {
        Ok(text) if text.len() <= MAX_LITERAL_BYTES => literal::string(text),
        Err(_) if text.len() <= MAX_LITERAL_BYTES => literal::byte_string(text),
        _ => writer.bytes(text, text.len() as u64, of.place.typed)?.vector(),
    };
    Ok(quote!(#name::new(#text).unwrap()))
}

/// `Box::pin(x)`, `std::pin::pin!(x)`, `Pin::new(&x)`.
fn pin(writer: &mut Writer<'_>, of: Of<'_>) -> Written {
    let Data::Struct(fields) = &of.value.data else { return Err(writer.mismatch(of.shape)) };
    let [only] = fields.as_slice() else { return Err(writer.mismatch(of.shape)) };
    let pointer = &only.value;
    let pointer_shape = writer.shape(pointer.ty)?;
    match &pointer_shape.kind {
        TypeKind::Reference { to, mutable: true } if writer.is_sized(*to) => {
            let pointee = writer.pointee(pointer, *to)?;
            let inner = writer.value(&pointee, of.place.within_call())?;
            let pin = writer.name("core::pin::pin")?;
            let pinned = quote!(#pin!(#inner));
            if of.place.extended {
                return Ok(pinned);
            }
            let variable = writer.hoist(false, *to, of.place.typed, |_, _| Ok(pinned))?;
            Ok(quote!(#variable))
        }
        TypeKind::Std { .. } => {
            let owner = writer.name_of(pointer_shape)?;
            let Data::Pointer { to: Some(inner), .. } = &pointer.data else {
                return Err(writer.refuse("what it points to was not read"));
            };
            if !writer.is_sized(inner.ty) {
                return Err(writer.refuse(format!("{} pins what has no size", of.shape.name)));
            }
            let inner = writer.value(inner, of.place.within_call())?;
            Ok(quote!(#owner::pin(#inner)))
        }
        _ => {
            let name = writer.name_of(of.shape)?;
            let pointer = writer.value(pointer, of.place.within_call())?;
            Ok(quote!(#name::new(#pointer)))
        }
    }
}

/// `AtomicUsize` and, in newer releases, `Atomic<usize>` of which it is an alias.
fn atomic(writer: &mut Writer<'_>, of: Of<'_>) -> Written {
    if let Some(written) = writer.atomic_pointer(of.value, of.place) {
        return written;
    }
    let primitive = match shape_params(of.shape).first() {
        Some(param) => (*param).to_owned(),
        None => of.shape.name.trim_start_matches("core::sync::atomic::Atomic").to_lowercase(),
    };
    let inner = match (&core_of(of.value).data, primitive.as_str()) {
        (Data::Bool(flag), "bool") => quote!(#flag),
        (Data::Uint(raw), "bool") => {
            let flag = *raw != 0;
            quote!(#flag)
        }
        (Data::Int(number), ty) => literal::integer(number.unsigned_abs(), *number < 0, ty, false)
            .ok_or_else(|| writer.mismatch(of.shape))?,
        (Data::Uint(number), ty) => {
            literal::integer(*number, false, ty, false).ok_or_else(|| writer.mismatch(of.shape))?
        }
        _ => return Err(writer.refuse(format!("{}: nothing says what it points to", of.shape.name))),
    };
    let (first, rest) = primitive.split_at_checked(1).ok_or_else(|| writer.mismatch(of.shape))?;
    let name = writer.name(&format!("core::sync::atomic::Atomic{}{rest}", first.to_uppercase()))?;
    Ok(quote!(#name::new(#inner)))
}
