//! Readers and sinks of std that have a public constructor.

use proc_macro2::TokenStream;
use quote::quote;
use relapse_snapshot::{Data, TypeShape, Value};

use super::super::Unwritable;
use super::super::writer::{Place, Writer};
use super::{Rule, field, number};
use crate::hostile::literal;

/// The rule for a definition, where there is one.
pub(super) fn rule(definition: &str) -> Option<Rule> {
    Some(match definition {
        "std::io::stdio::Stdout" => |w, _, _, _| handle(w, "stdout", false),
        "std::io::stdio::StdoutLock" => |w, _, _, _| handle(w, "stdout", true),
        "std::io::stdio::Stderr" => |w, _, _, _| handle(w, "stderr", false),
        "std::io::stdio::StderrLock" => |w, _, _, _| handle(w, "stderr", true),
        "std::io::stdio::Stdin" | "std::io::stdio::StdinLock" => |w, _, _, _| {
            Err(w.refuse("standard input, where the function takes nothing else (of a generic reader its bytes would do)"))
        },
        "std::io::util::Empty" | "core::io::util::Empty" => |w, _, _, _| function(w, "std::io::util::empty"),
        "std::io::util::Sink" | "core::io::util::Sink" => |w, _, _, _| function(w, "std::io::util::sink"),
        "std::io::Take" | "std::io::util::Take" => take,
        "std::io::Chain" | "std::io::util::Chain" => chain,
        "std::io::Bytes" => {
            |w, value, shape, place| adapter(w, "Read", "bytes", ("inner", value), shape, place)
        }
        "std::io::Lines" => {
            |w, value, shape, place| adapter(w, "BufRead", "lines", ("buf", value), shape, place)
        }
        "std::io::buffered::bufwriter::BufWriter" => buf_writer,
        "std::io::buffered::linewriter::LineWriter" => line_writer,
        _ => return None,
    })
}

fn function(writer: &Writer<'_>, path: &str) -> Result<TokenStream, Unwritable> {
    let name = writer.name(path)?;
    Ok(quote!(#name()))
}

/// A process has one of each, so that a test's own is as good.
fn handle(writer: &Writer<'_>, name: &str, locked: bool) -> Result<TokenStream, Unwritable> {
    let handle = function(writer, &format!("std::io::stdio::{name}"))?;
    Ok(if locked { quote!(#handle.lock()) } else { handle })
}

/// `Read::bytes(x)`: by the trait's path, which need not be in scope.
fn adapter(
    writer: &mut Writer<'_>,
    of: &str,
    method: &str,
    (part, value): (&str, &Value),
    shape: &TypeShape,
    place: Place,
) -> Result<TokenStream, Unwritable> {
    let inner = field(writer, value, part, shape)?;
    let inner = writer.part(&format!(".{part}"), inner, place.within_call())?;
    let of = writer.name(&format!("std::io::{of}"))?;
    let method = proc_macro2::Ident::new(method, proc_macro2::Span::call_site());
    Ok(quote!(#of::#method(#inner)))
}

fn take(
    writer: &mut Writer<'_>,
    value: &Value,
    shape: &TypeShape,
    place: Place,
) -> Result<TokenStream, Unwritable> {
    let limit = number(field(writer, value, "limit", shape)?).and_then(|n| u128::try_from(n).ok());
    let limit = limit.and_then(|limit| literal::integer(limit, false, "u64", false));
    let limit = limit.ok_or_else(|| writer.mismatch(shape))?;
    let inner = field(writer, value, "inner", shape)?;
    let inner = writer.part(".inner", inner, place.within_call())?;
    let read = writer.name("std::io::Read")?;
    Ok(quote!(#read::take(#inner, #limit)))
}

/// A first reader that is at its end gives nothing more, so it need not be known that it was left.
fn chain(
    writer: &mut Writer<'_>,
    value: &Value,
    shape: &TypeShape,
    place: Place,
) -> Result<TokenStream, Unwritable> {
    let (first, second) = (field(writer, value, "first", shape)?, field(writer, value, "second", shape)?);
    let first = writer.part(".first", first, place.within_call())?;
    let second = writer.part(".second", second, place.within_call())?;
    let read = writer.name("std::io::Read")?;
    Ok(quote!(#read::chain(#first, #second)))
}

/// What waits in the buffer was written already, as far as the function can see.
fn buf_writer(
    writer: &mut Writer<'_>,
    value: &Value,
    shape: &TypeShape,
    place: Place,
) -> Result<TokenStream, Unwritable> {
    let name = writer.name_of(shape)?;
    let inner = field(writer, value, "inner", shape)?;
    let inner = writer.part(".inner", inner, place.within_call())?;
    Ok(quote!(#name::new(#inner)))
}

/// `LineWriter { inner: BufWriter { inner, .. } }`.
fn line_writer(
    writer: &mut Writer<'_>,
    value: &Value,
    shape: &TypeShape,
    place: Place,
) -> Result<TokenStream, Unwritable> {
    let buffered = field(writer, value, "inner", shape)?;
    if !matches!(buffered.data, Data::Struct(_)) {
        return Err(writer.mismatch(shape));
    }
    buf_writer(writer, buffered, shape, place)
}
