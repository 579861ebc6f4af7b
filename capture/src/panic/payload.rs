//! The message inside a panic's payload object, in every form that std has given it since rustc 1.75.
//!
//! The vtable tells the object's size; the function that called the panic entry tells whether it is one of std's
//! own payloads or a user's value. Its drop and take functions are not looked at: linkers fold equal ones.

use super::{Era, MESSAGE_LIMIT, PanicCall};
use crate::memory::Memory;

/// The capacity that stands for `None` in an `Option<String>`, from rustc 1.80.
const NO_STRING: u64 = 1 << 63;
/// No object lies below this address.
const LOWEST_ADDRESS: u64 = 0x1000;

/// Who made the payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// `begin_panic_handler`: `panic!` and everything in `core`.
    Core,
    /// `begin_panic`: a value given to `panic_any`, or a literal in editions before 2021; its type where it is
    /// known, as DWARF has it (`&str`, `alloc::string::String`).
    Value(Option<String>),
    /// Not known; the payload's shape decides.
    Unknown,
}

/// What was found in a payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Payload {
    /// The message.
    Text(String),
    /// A value that is neither `&str` nor `String`.
    Other,
    /// A message with arguments that nobody has formatted (a panic inside a panic hook).
    Unformatted,
    /// Memory that cannot be read, or a shape that is not known.
    Unreadable,
}

impl Payload {
    /// The message as the default hook prints it; empty where there is none.
    pub fn message(&self) -> &str {
        match self {
            Payload::Text(text) => text,
            Payload::Other => "Box<dyn Any>",
            Payload::Unformatted | Payload::Unreadable => "",
        }
    }

    /// Reads the payload of a call. It is complete once a hook was asked, at the latest in `rust_panic`.
    pub fn read(call: &PanicCall, origin: &Origin, memory: &dyn Memory) -> Payload {
        // A vtable begins with drop, size, align.
        let Ok(size) = memory.read_u64(call.vtable.wrapping_add(8)) else { return Payload::Unreadable };
        let words = |count: usize| -> Option<Vec<u64>> {
            (0..count as u64).map(|i| memory.read_u64(call.payload.wrapping_add(i * 8)).ok()).collect()
        };
        match (origin, size) {
            (Origin::Value(Some(ty)), _) if ty == "&str" => {
                words(2).and_then(|w| text(w[0], w[1], memory)).map_or(Payload::Unreadable, Payload::Text)
            }
            (Origin::Value(Some(ty)), _) if ty == "alloc::string::String" => {
                words(3).and_then(|w| string(&w, call.era, memory)).map_or(Payload::Unreadable, Payload::Text)
            }
            (Origin::Value(Some(_)), _) => Payload::Other,
            (Origin::Value(None) | Origin::Unknown, 24) => {
                words(3).and_then(|w| string(&w, call.era, memory)).map_or(Payload::Other, Payload::Text)
            }
            (_, 16) => words(2).map_or(Payload::Unreadable, |w| {
                text(w[0], w[1], memory).map_or_else(
                    || if *origin == Origin::Core { Payload::Unreadable } else { Payload::Other },
                    Payload::Text,
                )
            }),
            (Origin::Core | Origin::Unknown, 32) => {
                words(4).and_then(|w| formatted(&w, call.era, memory)).unwrap_or(Payload::Unreadable)
            }
            (Origin::Core, _) => Payload::Unreadable,
            (Origin::Value(None) | Origin::Unknown, _) => Payload::Other,
        }
    }
}

/// `FormatStringPayload`: an `Option<String>` and a reference to the arguments of the format, in the order of
/// the era; the other order is tried where the first does not fit, since the change lies between releases.
fn formatted(words: &[u64], era: Era, memory: &dyn Memory) -> Option<Payload> {
    let new = || {
        let (string_words, inner) = (&words[..3], words[3]);
        pointer_reads(inner, memory)?;
        if string_words[0] == NO_STRING {
            return Some(Payload::Unformatted);
        }
        ordered(string_words[0], string_words[1], string_words[2], memory).map(Payload::Text)
    };
    let old = || {
        let (inner, string_words) = (words[0], &words[1..]);
        pointer_reads(inner, memory)?;
        if string_words[0] == 0 || string_words[0] == NO_STRING {
            return Some(Payload::Unformatted);
        }
        string(string_words, era, memory).map(Payload::Text)
    };
    if era == Era::Rust175 { old().or_else(new) } else { new().or_else(old) }
}

fn pointer_reads(address: u64, memory: &dyn Memory) -> Option<()> {
    (address >= LOWEST_ADDRESS && address.is_multiple_of(8)).then_some(())?;
    memory.read_u64(address).ok().map(drop)
}

/// A `String` by its three words.
fn string(words: &[u64], era: Era, memory: &dyn Memory) -> Option<String> {
    let new = || ordered(words[0], words[1], words[2], memory);
    let old = || ordered(words[1], words[0], words[2], memory);
    if era == Era::Rust175 { old().or_else(new) } else { new().or_else(old) }
}

fn ordered(capacity: u64, pointer: u64, len: u64, memory: &dyn Memory) -> Option<String> {
    (len <= capacity && capacity < NO_STRING).then_some(())?;
    text(pointer, len, memory)
}

/// A `&str`, cut at [`MESSAGE_LIMIT`].
fn text(pointer: u64, len: u64, memory: &dyn Memory) -> Option<String> {
    // An address of the upper half is the kernel's; a length of that size is no length.
    (pointer != 0 && pointer < 1 << 47 && len < 1 << 47).then_some(())?;
    if len == 0 {
        return Some(String::new());
    }
    (pointer >= LOWEST_ADDRESS).then_some(())?;
    let bytes = memory.read_vec(pointer, len.min(MESSAGE_LIMIT) as usize).ok()?;
    match String::from_utf8(bytes) {
        Ok(text) => Some(text),
        // Cut within a character: the valid part is the message's beginning.
        Err(error) if len > MESSAGE_LIMIT => {
            let valid = error.utf8_error().valid_up_to();
            let mut bytes = error.into_bytes();
            bytes.truncate(valid);
            String::from_utf8(bytes).ok()
        }
        Err(_) => None,
    }
}
