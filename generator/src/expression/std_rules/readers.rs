//! Readers and sinks of std that have a public constructor.

use quote::quote;

use super::super::writer::Writer;
use super::of::{Of, Rule, Written};

/// The rule for a definition, where there is one.
pub(super) fn rule(definition: &str) -> Option<Rule> {
    Some(match definition {
        "std::io::stdio::Stdout" => |w, _| handle(w, "stdout", false),
        "std::io::stdio::StdoutLock" => |w, _| handle(w, "stdout", true),
        "std::io::stdio::Stderr" => |w, _| handle(w, "stderr", false),
        "std::io::stdio::StderrLock" => |w, _| handle(w, "stderr", true),
        "std::io::stdio::Stdin" | "std::io::stdio::StdinLock" => |w, _| {
            Err(w.refuse("standard input, where the function takes nothing else (of a generic reader its bytes would do)"))
        },
        "std::io::util::Empty" => |w, _| function(w, "std::io::util::empty"),
        "std::io::util::Sink" => |w, _| function(w, "std::io::util::sink"),
        "std::io::util::Repeat" => |w, of| {
            let (name, byte) = (w.name("std::io::util::repeat")?, of.part(w, "byte")?);
            Ok(quote!(#name(#byte)))
        },
        "std::io::Split" => |w, of| {
            let (inner, mark) = (of.part(w, "buf")?, of.untyped().part(w, "delim")?);
            let read = w.name("std::io::BufRead")?;
            Ok(quote!(#read::split(#inner, #mark)))
        },
        "std::io::Take" | "std::io::util::Take" => take,
        "std::io::Chain" | "std::io::util::Chain" => chain,
        "std::io::Bytes" => |w, of| adapter(w, of, "inner", "Read", "bytes"),
        "std::io::Lines" => |w, of| adapter(w, of, "buf", "BufRead", "lines"),
        "std::io::buffered::bufwriter::BufWriter" => buf_writer,
        "std::io::buffered::linewriter::LineWriter" => line_writer,
        _ => return None,
    })
}

fn function(writer: &Writer<'_>, path: &str) -> Written {
    let name = writer.name(path)?;
    Ok(quote!(#name()))
}

/// A process has one of each, so that a test's own is as good.
fn handle(writer: &Writer<'_>, name: &str, locked: bool) -> Written {
    let handle = function(writer, &format!("std::io::stdio::{name}"))?;
    Ok(if locked { quote!(#handle.lock()) } else { handle })
}

/// `Read::bytes(x)`: by the trait's path, which need not be in scope.
fn adapter(writer: &mut Writer<'_>, of: Of<'_>, part: &str, implemented: &str, method: &str) -> Written {
    let inner = of.part(writer, part)?;
    let implemented = writer.name(&format!("std::io::{implemented}"))?;
    let method = proc_macro2::Ident::new(method, proc_macro2::Span::call_site());
    Ok(quote!(#implemented::#method(#inner)))
}

fn take(writer: &mut Writer<'_>, of: Of<'_>) -> Written {
    let limit = of.count(writer, of.number(writer, "limit")?, "u64")?;
    let (inner, read) = (of.part(writer, "inner")?, writer.name("std::io::Read")?);
    Ok(quote!(#read::take(#inner, #limit)))
}

/// A first reader that is at its end gives nothing more, so it need not be known that it was left.
fn chain(writer: &mut Writer<'_>, of: Of<'_>) -> Written {
    let (first, second) = (of.part(writer, "first")?, of.part(writer, "second")?);
    let read = writer.name("std::io::Read")?;
    Ok(quote!(#read::chain(#first, #second)))
}

/// What waits in the buffer was written already, as far as the function can see.
fn buf_writer(writer: &mut Writer<'_>, of: Of<'_>) -> Written {
    let (name, inner) = (writer.name_of(of.shape)?, of.part(writer, "inner")?);
    Ok(quote!(#name::new(#inner)))
}

/// `LineWriter { inner: BufWriter { inner, .. } }`.
fn line_writer(writer: &mut Writer<'_>, of: Of<'_>) -> Written {
    let buffered = of.field(writer, "inner")?;
    buf_writer(writer, Of { value: buffered, ..of })
}
