//! The stable identity of a crash: cause kind, normalised message, innermost workspace functions.
//! No addresses, hashes, lines, folders or data of one run take part in it.

mod message;

pub use message::normalise_message;

use crate::crash::{Cause, CauseKind, Frame, FrameKind, Location};

/// How many of the innermost functions take part.
const FRAMES: usize = 3;

/// The fingerprint of a crash: 16 lower-case hexadecimal digits.
///
/// Hashed are the cause's kind (and signal), the message as [`normalise_message`] leaves it, and the names of
/// the innermost three workspace functions (recursion counts once; without workspace frames those of
/// dependencies, then any but std's; without any the panic's file). Where the innermost of them stands at no line, an
/// optimiser has merged code of several panics, and their functions are on no stack: then the panic's place is hashed. The hash is FNV-1a of 128 bits, folded.
pub fn fingerprint(cause: &Cause, location: Option<&Location>, frames: &[Frame]) -> String {
    let mut hash = Fnv::new();
    hash.part(cause.kind.name());
    hash.part(cause.signal.as_deref().unwrap_or_default());
    // The limit that a hang overran is the user's choice, not part of the bug.
    let message = if cause.kind == CauseKind::Timeout { "" } else { &cause.message };
    hash.part(&normalise_message(message));
    let functions = innermost(frames);
    if functions.is_empty() {
        hash.part(location.map_or("", |place| place.file.rsplit('/').next().unwrap_or_default()));
    }
    for function in functions {
        hash.part(&function);
    }
    // What a signal stops may stand at an instruction of no line. A panic has its place from the source.
    if let Some(place) = location.filter(|_| cause.kind == CauseKind::Panic && is_merged(frames)) {
        hash.part(&format!("{}:{}", place.file.rsplit('/').next().unwrap_or_default(), place.line));
    }
    let hash = hash.0;
    format!("{:016x}", (hash >> 64) as u64 ^ hash as u64)
}

/// Whether the innermost workspace function's debug info names no line of it: the code is that of several.
fn is_merged(frames: &[Frame]) -> bool {
    let innermost = frames.iter().find(|frame| frame.kind == FrameKind::Workspace);
    innermost.is_some_and(|frame| frame.location.is_none() && frame.declared.is_some())
}

/// The names of the innermost functions of the first kind of code that has any.
fn innermost(frames: &[Frame]) -> Vec<String> {
    for kind in [FrameKind::Workspace, FrameKind::Dependency, FrameKind::Unknown] {
        let mut names: Vec<String> = frames.iter().filter(|f| f.kind == kind).map(function).collect();
        // A recursion's depth belongs to the input, not to the bug.
        names.dedup();
        names.truncate(FRAMES);
        if !names.is_empty() {
            return names;
        }
    }
    Vec::new()
}

/// A frame's function. The body of an async one is a closure to the compiler, by whose name crashes were known before
/// frames told it from others.
fn function(frame: &Frame) -> String {
    let path = normalise_function(&frame.function);
    if frame.is_async { path + "::{closure}" } else { path }
}

/// A function's path without what changes from build to build: the legacy hash (`::h0123456789abcdef`), crate
/// disambiguators (`core[9a7d3f1c2b]`), numbers and places of closures and the like (`{closure#3}`,
/// `{{closure}}`, `{closure@src/lib.rs:3:5}`, all to `{closure}`).
fn normalise_function(path: &str) -> String {
    let path = strip_hash(path);
    let mut out = String::with_capacity(path.len());
    let mut rest = path;
    while let Some(c) = rest.chars().next() {
        if c == '{' {
            let inner = rest.trim_start_matches('{');
            let name_len = inner.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(inner.len());
            let close = inner.find('}').map_or(inner.len(), |at| at + 1);
            if name_len > 0 && name_len < close {
                out.push('{');
                out.push_str(&inner[..name_len]);
                out.push('}');
                rest = inner[close..].trim_start_matches('}');
                continue;
            }
        }
        if c == '['
            && out.ends_with(|c: char| c.is_alphanumeric() || c == '_')
            && let Some(close) = rest.find(']')
            && close > 1
            && rest[1..close].bytes().all(|b| b.is_ascii_hexdigit())
        {
            rest = &rest[close + 1..];
            continue;
        }
        out.push(c);
        rest = &rest[c.len_utf8()..];
    }
    out
}

fn strip_hash(path: &str) -> &str {
    match path.rsplit_once("::h") {
        Some((before, hash)) if hash.len() == 16 && hash.bytes().all(|b| b.is_ascii_hexdigit()) => before,
        _ => path,
    }
}

/// FNV-1a, 128 bits (`http://www.isthe.com/chongo/tech/comp/fnv/`): written out, because std's hashers may
/// change from release to release.
struct Fnv(u128);

impl Fnv {
    fn new() -> Fnv {
        Fnv(0x6c62_272e_07bb_0142_62b8_2175_6295_c58d)
    }

    fn bytes(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = (self.0 ^ u128::from(byte)).wrapping_mul(0x0000_0000_0100_0000_0000_0000_0000_013b);
        }
    }

    /// A text and its end, so that `a` + `bc` is not `ab` + `c` (0xff is in no UTF-8 text).
    fn part(&mut self, text: &str) {
        self.bytes(text.as_bytes());
        self.bytes(&[0xff]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hash_agrees_with_the_published_vectors() {
        let of = |text: &str| {
            let mut hash = Fnv::new();
            hash.bytes(text.as_bytes());
            format!("{:032x}", hash.0)
        };
        assert_eq!(of(""), "6c62272e07bb014262b821756295c58d");
        assert_eq!(of("a"), "d228cb696f1a8caf78912b704e4a8964");
        assert_eq!(of("foobar"), "343e1662793c64bf6f0d3597ba446f18");
    }

    #[test]
    fn a_hang_is_the_same_whatever_its_limit_was() {
        let of = |milliseconds| {
            fingerprint(&Cause::timeout(std::time::Duration::from_millis(milliseconds)), None, &[])
        };
        assert_eq!(of(500), of(30_000));
    }

    #[test]
    fn the_body_of_an_async_function_is_known_by_its_former_name() {
        let frame =
            |function: &str, is_async| Frame { function: function.into(), is_async, ..Frame::default() };
        let former = function(&frame("demo::fetch::{{closure}}", false));
        assert_eq!(function(&frame("demo::fetch", true)), former);
        assert_ne!(function(&frame("demo::fetch", false)), former);
    }

    #[test]
    fn panics_whose_code_was_merged_are_told_apart_by_their_places() {
        let at = |line| Location { file: "src/lib.rs".into(), line, column: 1 };
        let cause = Cause { kind: CauseKind::Panic, message: "gone".into(), signal: None };
        let main = |location| Frame {
            function: "demo::main".into(),
            kind: FrameKind::Workspace,
            declared: Some(at(1)),
            location,
            ..Frame::default()
        };
        let of = |line, frame| fingerprint(&cause, Some(&at(line)), &[frame]);
        assert_ne!(of(5, main(None)), of(9, main(None)));
        assert_eq!(of(5, main(None)), of(5, main(None)));
        assert_eq!(of(5, main(Some(at(5)))), of(9, main(Some(at(9)))));
        let hang = Cause::timeout(std::time::Duration::from_secs(1));
        let of = |line| fingerprint(&hang, Some(&at(line)), &[main(None)]);
        assert_eq!(of(5), of(9));
    }

    #[test]
    fn build_marks_of_functions_are_dropped() {
        for (path, expected) in [
            ("demo::parse::h0123456789abcdef", "demo::parse"),
            ("demo::handle", "demo::handle"),
            ("demo::hfaceless0123456789", "demo::hfaceless0123456789"),
            (
                "demo[1b2c3d4e]::parse::<core[9a7d3f1c2b]::option::Option<u8>>",
                "demo::parse::<core::option::Option<u8>>",
            ),
            ("<[u8; 16] as demo::Read>::read", "<[u8; 16] as demo::Read>::read"),
            ("<[u8] as demo::Read>::read", "<[u8] as demo::Read>::read"),
            ("demo::run::{closure#12}::{closure#0}", "demo::run::{closure}::{closure}"),
            ("demo::run::{{closure}}", "demo::run::{closure}"),
            ("demo::map<{closure@src/main.rs:10:5: 10:8}>", "demo::map<{closure}>"),
            ("demo::leaf::{async_fn#0}", "demo::leaf::{async_fn}"),
            ("demo::{impl#3}::go", "demo::{impl}::go"),
            ("demo::odd{", "demo::odd{"),
            ("demo::odd{}", "demo::odd{}"),
            ("demo::ü[ü", "demo::ü[ü"),
            ("", ""),
        ] {
            assert_eq!(normalise_function(path), expected, "{path}");
        }
    }
}
