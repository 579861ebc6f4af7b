//! Panic calls and payloads of every rustc since 1.75, from bytes laid out as those versions lay them out
//! (library/std/src/panicking.rs of the release named in each test).

#![allow(clippy::unwrap_used, reason = "a test may fail so")]

use relapse_capture::memory::{Memory, Unreadable};
use relapse_capture::panic::{Era, Origin, PanicCall, PanicLocation, Payload, minor_version};

/// Pieces of memory by address.
#[derive(Default)]
struct Recorded(Vec<(u64, Vec<u8>)>);

impl Memory for Recorded {
    fn read(&self, address: u64, buffer: &mut [u8]) -> Result<(), Unreadable> {
        let found = self.0.iter().find_map(|(start, bytes)| {
            let at = usize::try_from(address.checked_sub(*start)?).ok()?;
            bytes.get(at..at.checked_add(buffer.len())?)
        });
        let found = found.ok_or(Unreadable { address, len: buffer.len() })?;
        buffer.copy_from_slice(found);
        Ok(())
    }
}

const FILE: u64 = 0x5555_0000_0000;
const LOCATION: u64 = 0x5555_0000_1000;
const VTABLE: u64 = 0x5555_0000_2000;
const PAYLOAD: u64 = 0x7fff_0000_0000;
const ARGUMENTS: u64 = 0x7fff_0000_1000;
const TEXT: u64 = 0x5555_7777_0000;
const NONE: u64 = 1 << 63;

fn words(words: &[u64]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

/// A process stopped at the entry with this payload: `size` is what the vtable says.
fn recorded(size: u64, payload: &[u64]) -> Recorded {
    let mut location = words(&[FILE, 11]);
    location.extend([7_u32.to_le_bytes(), 5_u32.to_le_bytes()].concat());
    Recorded(vec![
        (FILE, b"src/main.rs\0".to_vec()),
        (LOCATION, location),
        (VTABLE, words(&[0, size, 8, 0, 0, 0])),
        (PAYLOAD, words(payload)),
        (ARGUMENTS, words(&[1, 2, 3, 4, 5, 6])),
        (TEXT, "größer als 5".as_bytes().to_vec()),
    ])
}

const TEXT_LEN: u64 = 14;

fn place() -> PanicLocation {
    PanicLocation { file: "src/main.rs".to_owned(), line: 7, column: 5 }
}

/// The entry's arguments from 1.81 on: payload, vtable, location, `can_unwind`, `force_no_backtrace`.
const NEW_CALL: [u64; 5] = [PAYLOAD, VTABLE, LOCATION, 1, 0];
/// Up to 1.80: payload, vtable, `Option<&Arguments>`, location, `can_unwind`.
const OLD_CALL: [u64; 5] = [PAYLOAD, VTABLE, ARGUMENTS, LOCATION, 1];

fn message(minor: u16, call: [u64; 5], origin: &Origin, memory: &Recorded) -> Payload {
    let call = PanicCall::read(Some(minor), call, memory).unwrap();
    assert_eq!(call.location, place());
    assert!(call.can_unwind);
    Payload::read(&call, origin, memory)
}

fn text() -> Payload {
    Payload::Text("größer als 5".to_owned())
}

#[test]
fn formatted_message_of_1_95_is_capacity_pointer_length_arguments() {
    let memory = recorded(32, &[16, TEXT, TEXT_LEN, ARGUMENTS]);
    assert_eq!(message(95, NEW_CALL, &Origin::Core, &memory), text());
    let unfilled = recorded(32, &[NONE, 0, 0, ARGUMENTS]);
    assert_eq!(message(95, NEW_CALL, &Origin::Core, &unfilled), Payload::Unformatted);
}

#[test]
fn formatted_message_of_1_80_comes_with_the_old_arguments() {
    let memory = recorded(32, &[16, TEXT, TEXT_LEN, ARGUMENTS]);
    assert_eq!(message(80, OLD_CALL, &Origin::Core, &memory), text());
}

#[test]
fn formatted_message_of_1_75_is_arguments_pointer_capacity_length() {
    let memory = recorded(32, &[ARGUMENTS, TEXT, 16, TEXT_LEN]);
    assert_eq!(message(75, OLD_CALL, &Origin::Core, &memory), text());
    let unfilled = recorded(32, &[ARGUMENTS, 0, 0, 0]);
    assert_eq!(message(75, OLD_CALL, &Origin::Core, &unfilled), Payload::Unformatted);
}

#[test]
fn versions_between_are_told_by_the_shape() {
    // 1.76 to 1.79 changed `String` before `FormatStringPayload` changed its order.
    let memory = recorded(32, &[ARGUMENTS, 16, TEXT, TEXT_LEN]);
    assert_eq!(message(78, OLD_CALL, &Origin::Core, &memory), text());
    let memory = recorded(32, &[16, TEXT, TEXT_LEN, ARGUMENTS]);
    assert_eq!(message(79, OLD_CALL, &Origin::Core, &memory), text());
}

#[test]
fn literal_is_pointer_and_length_in_all_versions() {
    let memory = recorded(16, &[TEXT, TEXT_LEN]);
    for (minor, call) in [(75, OLD_CALL), (80, OLD_CALL), (81, NEW_CALL), (95, NEW_CALL)] {
        assert_eq!(message(minor, call, &Origin::Core, &memory), text());
        assert_eq!(message(minor, call, &Origin::Value(Some("&str".to_owned())), &memory), text());
    }
}

#[test]
fn string_value_has_the_order_of_its_version() {
    let owned = Origin::Value(Some("alloc::string::String".to_owned()));
    assert_eq!(message(75, OLD_CALL, &owned, &recorded(24, &[TEXT, 16, TEXT_LEN])), text());
    assert_eq!(message(95, NEW_CALL, &owned, &recorded(24, &[16, TEXT, TEXT_LEN])), text());
}

#[test]
fn other_values_have_no_message() {
    let other = Origin::Value(Some("(u64, u64)".to_owned()));
    let payload = message(95, NEW_CALL, &other, &recorded(16, &[TEXT, TEXT_LEN]));
    assert_eq!((payload.message(), payload.clone()), ("Box<dyn Any>", Payload::Other));
    assert_eq!(message(95, NEW_CALL, &Origin::Value(None), &recorded(8, &[5])), Payload::Other);
    assert_eq!(message(95, NEW_CALL, &Origin::Value(None), &recorded(16, &[1, 2])), Payload::Other);
}

#[test]
fn call_without_a_version_is_told_by_where_the_location_is() {
    let memory = recorded(16, &[TEXT, TEXT_LEN]);
    assert_eq!(PanicCall::read(None, NEW_CALL, &memory).unwrap().era, Era::Rust181);
    assert_eq!(PanicCall::read(None, OLD_CALL, &memory).unwrap().era, Era::Rust180);
    // `message` is `None` for a value.
    let value = [PAYLOAD, VTABLE, 0, LOCATION, 0];
    let call = PanicCall::read(Some(75), value, &memory).unwrap();
    assert_eq!((call.can_unwind, call.location), (false, place()));
}

#[test]
fn damaged_memory_gives_no_message_and_no_panic() {
    for size in [0, 8, 16, 24, 32, u64::MAX] {
        for payload in [[u64::MAX; 4], [0; 4], [TEXT, u64::MAX, TEXT, NONE], [1, 2, 3, 4]] {
            let memory = recorded(size, &payload);
            for origin in [Origin::Core, Origin::Unknown, Origin::Value(None)] {
                for minor in [75, 80, 95] {
                    let call = if minor < 81 { OLD_CALL } else { NEW_CALL };
                    let read = message(minor, call, &origin, &memory);
                    assert!(!matches!(read, Payload::Text(text) if !text.is_empty()));
                }
            }
        }
    }
    assert_eq!(PanicCall::read(Some(95), [u64::MAX; 5], &recorded(16, &[])), None);
}

#[test]
fn minor_version_is_read_from_a_producer() {
    assert_eq!(minor_version("clang LLVM (rustc version 1.95.0 (59807616e 2026-04-14))"), Some(95));
    assert_eq!(minor_version("rustc version 1.75.0-nightly"), Some(75));
    assert_eq!(minor_version("GCC: (Debian 12.2.0) 12.2.0"), None);
}
