//! Errors of std: by the call that fails so, for nothing else makes one.

use proc_macro2::TokenStream;
use quote::quote;
use relapse_snapshot::{Data, Value};

use super::super::dynamic::text_of_error;
use super::super::seen_through::{core_of, field, number};
use super::super::writer::Writer;
use super::of::{Of, Rule, Written};
use crate::hostile::{identifier, literal};

/// Good bytes that are written out to fail behind them.
const MOST: usize = 64;

/// Written by its path: before edition 2021 a module does not have it by itself.
const TRY_FROM: &str = "core::convert::TryFrom";

const STRING: &str = "alloc::string::String";

/// The rule for a definition, where there is one.
pub(super) fn rule(definition: &str) -> Option<Rule> {
    Some(match definition {
        "core::num::error::ParseIntError" => parse_int_error,
        "core::num::error::TryFromIntError" => |w, _| {
            let try_from = w.name(TRY_FROM)?;
            Ok(quote!(<u8 as #try_from<u32>>::try_from(256_u32).unwrap_err()))
        },
        "core::num::dec2flt::ParseFloatError"
        | "core::num::imp::dec2flt::ParseFloatError"
        | "core::num::float_parse::ParseFloatError" => {
            |w, of| by_kind(w, of, &[("Empty", "\"\".parse::<f64>()"), ("Invalid", "\"x\".parse::<f64>()")])
        }
        "core::str::error::ParseBoolError" => |_, _| Ok(quote!("x".parse::<bool>().unwrap_err())),
        "core::char::convert::ParseCharError" => |w, of| {
            let calls = [("EmptyString", "\"\".parse::<char>()"), ("TooManyChars", "\"xy\".parse::<char>()")];
            by_kind(w, of, &calls)
        },
        "core::char::convert::CharTryFromError" => |w, _| {
            let try_from = w.name(TRY_FROM)?;
            Ok(quote!(<char as #try_from<u32>>::try_from(0xd800_u32).unwrap_err()))
        },
        "core::str::error::Utf8Error" => utf8_error,
        "alloc::string::FromUtf8Error" => from_utf8_error,
        "alloc::string::FromUtf16Error" => |w, _| {
            let string = w.name(STRING)?;
            Ok(quote!(#string::from_utf16(&[0xd800]).unwrap_err()))
        },
        "core::array::TryFromSliceError" => |w, _| {
            let try_from = w.name(TRY_FROM)?;
            Ok(quote!(<[u8; 1] as #try_from<&[u8]>>::try_from(&[][..]).unwrap_err()))
        },
        "core::net::parser::AddrParseError" | "std::net::parser::AddrParseError" => addr_parse_error,
        "core::alloc::layout::LayoutError" => |w, _| {
            let layout = w.name("core::alloc::layout::Layout")?;
            Ok(quote!(#layout::from_size_align(1, 3).unwrap_err()))
        },
        "alloc::ffi::c_str::NulError" => nul_error,
        "core::ffi::c_str::FromBytesWithNulError" => from_bytes_with_nul_error,
        "core::num::error::IntErrorKind" => |w, of| {
            let Data::Variant { name, .. } = &of.value.data else { return Err(w.mismatch(of.shape)) };
            let variant = identifier(name).ok_or_else(|| w.mismatch(of.shape))?;
            let name = w.name_of(of.shape)?;
            Ok(quote!(#name::#variant))
        },
        "core::cell::BorrowError" | "core::cell::BorrowMutError" => |w, of| {
            let cell = w.name("core::cell::RefCell")?;
            let asked =
                if of.shape.name.ends_with("MutError") { quote!(try_borrow_mut) } else { quote!(try_borrow) };
            let (variable, held) = (w.scope.variable("cell"), w.scope.variable("_held"));
            let cell = w.hoist_as(&variable.to_string(), false, false, |_, _| Ok(quote!(#cell::new(()))))?;
            w.lets.push(quote!(let #held = #cell.borrow_mut();));
            Ok(quote!(#cell.#asked().unwrap_err()))
        },
        "std::time::SystemTimeError" => |w, of| {
            let name = w.name("std::time::SystemTime")?;
            let distance = of.operand(w, "0")?;
            Ok(quote!(#name::UNIX_EPOCH.duration_since(#name::UNIX_EPOCH + #distance).unwrap_err()))
        },
        "std::sync::mpsc::SendError" => |w, of| {
            let (name, inner) = (w.name_of(of.shape)?, of.part(w, "0")?);
            Ok(quote!(#name(#inner)))
        },
        "std::io::error::Error" => io_error,
        _ => return None,
    })
}

fn parse_int_error(writer: &mut Writer<'_>, of: Of<'_>) -> Written {
    let calls = [
        ("Empty", "\"\".parse::<u8>()"),
        ("InvalidDigit", "\"x\".parse::<u8>()"),
        ("PosOverflow", "\"256\".parse::<u8>()"),
        ("NegOverflow", "\"-129\".parse::<i8>()"),
    ];
    if matches!(&core_of(of.value).data, Data::Variant { name, .. } if name == "Zero") {
        let number = writer.name("core::num::nonzero::NonZeroU8")?;
        return Ok(quote!("0".parse::<#number>().unwrap_err()));
    }
    by_kind(writer, of, &calls)
}

/// The call, of these, that fails with the kind that was read.
fn by_kind(writer: &Writer<'_>, of: Of<'_>, calls: &[(&str, &str)]) -> Written {
    let Data::Variant { name, .. } = &core_of(of.value).data else { return Err(writer.mismatch(of.shape)) };
    let call =
        calls.iter().find(|(kind, _)| kind == name).and_then(|(_, call)| call.parse::<TokenStream>().ok());
    let call = call.ok_or_else(|| writer.mismatch(of.shape))?;
    Ok(quote!(#call.unwrap_err()))
}

/// Bytes that fail so: as many good ones as there were, then bad ones of that length, or a character that is cut off.
fn utf8_error(writer: &mut Writer<'_>, of: Of<'_>) -> Written {
    let good = of.number(writer, "valid_up_to")?;
    let good = usize::try_from(good).ok().filter(|good| *good <= MOST);
    let good = good.ok_or_else(|| writer.refuse("an error far within a text, which is not at hand"))?;
    let bad: &[u8] = match &of.field(writer, "error_len")?.data {
        Data::Variant { name, .. } if name == "None" => b"\xf0",
        Data::Variant { fields, .. } => match fields.first().and_then(|field| number(&field.value)) {
            Some(1) => b"\xff",
            Some(2) => b"\xe2\x82(",
            Some(3) => b"\xf0\x9f\xa6(",
            _ => return Err(writer.mismatch(of.shape)),
        },
        _ => return Err(writer.mismatch(of.shape)),
    };
    let bytes = [vec![b'a'; good], bad.to_vec()].concat();
    let (bytes, function) = (literal::byte_string(&bytes), writer.name("core::str::converts::from_utf8")?);
    Ok(quote!(#function(#bytes).unwrap_err()))
}

/// `FromUtf8Error { bytes, error }`.
fn from_utf8_error(writer: &mut Writer<'_>, of: Of<'_>) -> Written {
    let (string, bytes) = (writer.name(STRING)?, of.part(writer, "bytes")?);
    Ok(quote!(#string::from_utf8(#bytes).unwrap_err()))
}

/// `AddrParseError(AddrKind)`.
fn addr_parse_error(writer: &mut Writer<'_>, of: Of<'_>) -> Written {
    let Data::Variant { name, .. } = &core_of(of.value).data else { return Err(writer.mismatch(of.shape)) };
    let parsed = match name.as_str() {
        "Ip" => "ip_addr::IpAddr",
        "Ipv4" => "ip_addr::Ipv4Addr",
        "Ipv6" => "ip_addr::Ipv6Addr",
        "Socket" => "socket_addr::SocketAddr",
        "SocketV4" => "socket_addr::SocketAddrV4",
        "SocketV6" => "socket_addr::SocketAddrV6",
        _ => return Err(writer.mismatch(of.shape)),
    };
    let parsed = writer.name(&format!("core::net::{parsed}"))?;
    Ok(quote!("x".parse::<#parsed>().unwrap_err()))
}

/// An enum, whose variants are not public in every release.
fn from_bytes_with_nul_error(writer: &mut Writer<'_>, of: Of<'_>) -> Written {
    let Data::Variant { name, fields } = &core_of(of.value).data else {
        return Err(writer.mismatch(of.shape));
    };
    let bytes = match (name.as_str(), fields.first().and_then(|field| number(&field.value))) {
        ("NotNulTerminated", _) => b"a".to_vec(),
        ("InteriorNul", Some(at)) => {
            let before = usize::try_from(at).ok().filter(|at| *at <= MOST);
            let before =
                before.ok_or_else(|| writer.refuse("an error far within a text, which is not at hand"))?;
            [vec![b'a'; before], b"\0a\0".to_vec()].concat()
        }
        _ => return Err(writer.mismatch(of.shape)),
    };
    let (name, bytes) = (writer.name("core::ffi::c_str::CStr")?, literal::byte_string(&bytes));
    Ok(quote!(#name::from_bytes_with_nul(#bytes).unwrap_err()))
}

/// `NulError(usize, Vec<u8>)`.
fn nul_error(writer: &mut Writer<'_>, of: Of<'_>) -> Written {
    let (name, bytes) = (writer.name("alloc::ffi::c_str::CString")?, of.part(writer, "1")?);
    Ok(quote!(#name::new(#bytes).unwrap_err()))
}

/// As `capture` reads it: a struct whose one field says what it is made of.
fn io_error(writer: &mut Writer<'_>, of: Of<'_>) -> Written {
    let name = writer.name_of(of.shape)?;
    if let Some(code) = field(of.value, "os") {
        let code = writer.value(code, of.place.within_call())?;
        return Ok(quote!(#name::from_raw_os_error(#code)));
    }
    let kind = field(of.value, "kind").ok_or_else(|| writer.mismatch(of.shape))?;
    let kind = error_kind(writer, of, kind)?;
    match (field(of.value, "message"), field(of.value, "error")) {
        // Nobody else can make one of std's own messages.
        (Some(message), _) => {
            writer.suspect = true;
            let message = writer.part(".message", message, of.place.within_call())?;
            Ok(quote!(#name::new(#kind, #message)))
        }
        (_, Some(error)) => {
            let inner = if let Data::Pointer { to: Some(to), .. } = &error.data { Some(&**to) } else { None };
            if let Some(text) = inner.and_then(|inner| text_of_error(writer.types, inner)) {
                let text = writer.text(text)?;
                return Ok(quote!(#name::new(#kind, #text)));
            }
            let error = writer.part(".error", error, of.place.within_call())?;
            Ok(quote!(#name::new(#kind, #error)))
        }
        _ => Ok(quote!(#name::from(#kind))),
    }
}

fn error_kind(writer: &mut Writer<'_>, of: Of<'_>, kind: &Value) -> Written {
    let Data::Variant { name, .. } = &kind.data else { return Err(writer.mismatch(of.shape)) };
    let variant = identifier(name).ok_or_else(|| writer.mismatch(of.shape))?;
    let kind = writer.name("std::io::error::ErrorKind")?;
    Ok(quote!(#kind::#variant))
}

#[cfg(test)]
mod tests {
    use relapse_snapshot::{Field, Trust, TypeKind, TypeShape, TypeTable};

    use super::*;
    use crate::expression::{Literals, Scope, argument_with};
    use crate::names::{Names, Unnameable};

    /// A place where only `here` is not spelled with its whole path.
    struct Place(&'static str);

    impl Names for Place {
        fn path(&self, definition: &str) -> Result<TokenStream, Unnameable> {
            let last = definition.rsplit("::").next().unwrap();
            let spelled = if last == self.0 { last.to_owned() } else { format!("std::{definition}") };
            Ok(spelled.parse().unwrap())
        }

        fn literal(&self, definition: &str) -> Result<(), Unnameable> {
            Err(Unnameable(format!("`{definition}` has private fields")))
        }

        fn type_tokens(&self, full_name: &str) -> Result<TokenStream, Unnameable> {
            Ok(full_name.parse().unwrap())
        }
    }

    fn written(definition: &str, place: &Place) -> String {
        let mut types = TypeTable::default();
        let kind = TypeKind::Struct { fields: Vec::new(), tuple: false, params: Vec::new() };
        let ty = types.intern(TypeShape { name: definition.to_owned(), size: None, kind });
        let value = Value { ty, trust: Trust::Entry, data: Data::Struct(Vec::new()) };
        let mut scope = Scope::new("test");
        let written = argument_with("error", &value, &types, place, &mut scope, Literals::Inferred).unwrap();
        let (lets, argument) = (written.lets, written.pass);
        quote!(#(#lets)* #argument).to_string()
    }

    #[test]
    fn what_a_module_may_not_have_is_named() {
        for (definition, bare) in [
            ("core::num::error::TryFromIntError", "TryFrom"),
            ("core::char::convert::CharTryFromError", "TryFrom"),
            ("core::array::TryFromSliceError", "TryFrom"),
            ("alloc::string::FromUtf16Error", "String"),
        ] {
            let whole = written(definition, &Place(""));
            assert!(whole.contains(&format!(":: {bare}")), "{whole}");
            let here = written(definition, &Place(bare));
            assert!(here.contains(bare) && !here.contains(&format!(":: {bare}")), "{here}");
        }
    }

    #[test]
    fn only_stds_own_error_is_a_text() {
        let mut types = TypeTable::default();
        let mut made = |name: &str| {
            let kind = TypeKind::Struct { fields: Vec::new(), tuple: true, params: Vec::new() };
            let ty = types.intern(TypeShape { name: name.to_owned(), size: None, kind });
            let text = Data::Text { text: "no".to_owned(), len: 2 };
            let only = Field { name: "0".to_owned(), value: Value { ty, trust: Trust::Entry, data: text } };
            Value { ty, trust: Trust::Entry, data: Data::Struct(vec![only]) }
        };
        let (std, own) = (made("alloc::boxed::convert::{impl#9}::from::StringError"), made("a::StringError"));
        assert!(text_of_error(&types, &std).is_some());
        assert!(text_of_error(&types, &own).is_none());
    }
}
