//! Snapshot files: JSON in zstd with a checksum. Written whole or not at all; read with bounds on size and
//! nesting, because a file may come from anyone.
//!
//! serde's derived code recurses once a level. Values are cut to [`MAX_DEPTH`] before they are written, text
//! nested deeper than that is refused before it is parsed, and both run on a thread whose stack is large enough.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use serde::{Deserialize, de::DeserializeOwned};

use super::TEMPORARY;
use crate::crash::{FORMAT, Snapshot};
use crate::depth::MAX_DEPTH;
use crate::error::SnapshotError;

/// The most that a snapshot may hold, in bytes of JSON. A small file that unpacks to more is refused.
pub const SIZE_MAX: u64 = 256 << 20;

/// A map's value takes five levels of JSON: value, data, map, entries, entry. The rest is for the frame around.
const NESTING_MAX: usize = 5 * MAX_DEPTH + 64;

/// Enough for `NESTING_MAX` levels of serde's derived code without optimisation, with reserve.
const STACK: usize = 128 << 20;

/// A snapshot as JSON text.
pub fn to_json(snapshot: &Snapshot) -> serde_json::Result<Vec<u8>> {
    on_large_stack(|| serde_json::to_vec(snapshot)).unwrap_or_else(|error| Err(serde_json::Error::io(error)))
}

/// A snapshot from JSON text; `path` is for the error.
pub fn from_json(json: &[u8], path: &Path) -> Result<Snapshot, SnapshotError> {
    parse(json, path)
}

/// Parses a file's JSON and checks the version that it says it has.
pub(super) fn parse<T: DeserializeOwned + Send>(json: &[u8], path: &Path) -> Result<T, SnapshotError> {
    #[derive(Deserialize)]
    struct Head {
        format: u32,
    }
    if nesting(json) > NESTING_MAX {
        return Err(SnapshotError::damaged(path, "it is nested too deeply"));
    }
    // Skipping what a struct does not ask for takes no recursion.
    let head: Head =
        serde_json::from_slice(json).map_err(|error| SnapshotError::damaged(path, error.to_string()))?;
    match head.format {
        1..=FORMAT => {}
        0 => return Err(SnapshotError::damaged(path, "it has no format number")),
        format => return Err(SnapshotError::Newer { path: path.to_owned(), format, known: FORMAT }),
    }
    let parsed = on_large_stack(|| {
        let mut from = serde_json::Deserializer::from_slice(json);
        from.disable_recursion_limit();
        let parsed = T::deserialize(&mut from)?;
        from.end()?;
        Ok(parsed)
    });
    parsed
        .map_err(|source| SnapshotError::read("start a thread to read", path, source))?
        .map_err(|error: serde_json::Error| SnapshotError::damaged(path, error.to_string()))
}

/// How deeply arrays and objects are nested.
fn nesting(json: &[u8]) -> usize {
    let (mut depth, mut deepest, mut in_text, mut escaped) = (0usize, 0, false, false);
    for &byte in json {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_text => escaped = true,
            b'"' => in_text = !in_text,
            b'[' | b'{' if !in_text => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b']' | b'}' if !in_text => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

fn on_large_stack<T: Send>(work: impl FnOnce() -> T + Send) -> io::Result<T> {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, work)?;
        thread.join().map_err(|panic| {
            let message = panic.downcast_ref::<String>().cloned();
            io::Error::other(message.unwrap_or_else(|| "the thread ended early".to_owned()))
        })
    })
}

/// Reads a snapshot file.
pub(super) fn read(path: &Path) -> Result<Snapshot, SnapshotError> {
    parse(&unpacked(path)?, path)
}

/// The JSON of a snapshot file, up to [`SIZE_MAX`].
pub(super) fn unpacked(path: &Path) -> Result<Vec<u8>, SnapshotError> {
    let io_error = |source| SnapshotError::read("read", path, source);
    let too_large = || SnapshotError::TooLarge { path: path.to_owned(), limit_mib: SIZE_MAX >> 20 };
    let metadata = fs::metadata(path).map_err(io_error)?;
    if !metadata.is_file() {
        return Err(SnapshotError::damaged(path, "it is not a file"));
    }
    if metadata.len() > SIZE_MAX {
        return Err(too_large());
    }
    let mut packed = Vec::new();
    let file = File::open(path).map_err(io_error)?;
    file.take(SIZE_MAX).read_to_end(&mut packed).map_err(io_error)?;
    unpack(&packed).map_err(|error| SnapshotError::damaged(path, error.to_string()))?.ok_or_else(too_large)
}

/// `None` where it is more than [`SIZE_MAX`]. Memory grows with what comes out, never with what a header claims.
fn unpack(packed: &[u8]) -> io::Result<Option<Vec<u8>>> {
    let mut json = Vec::new();
    zstd::Decoder::with_buffer(packed)?.take(SIZE_MAX + 1).read_to_end(&mut json)?;
    Ok((json.len() as u64 <= SIZE_MAX).then_some(json))
}

fn pack(json: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = zstd::Encoder::new(Vec::new(), 3)?;
    encoder.include_checksum(true)?;
    encoder.write_all(json)?;
    encoder.finish()
}

/// Writes a snapshot to a file that is not there yet; `false` where it is.
pub(super) fn write_new(path: &Path, snapshot: &Snapshot) -> Result<bool, SnapshotError> {
    let json = to_json(snapshot)
        .map_err(|error| SnapshotError::write("serialise the snapshot for", path, error.into()))?;
    if json.len() as u64 > SIZE_MAX {
        return Err(SnapshotError::TooLarge { path: path.to_owned(), limit_mib: SIZE_MAX >> 20 });
    }
    let packed = pack(&json).map_err(|source| SnapshotError::write("compress", path, source))?;
    let temporary = written(path, &packed)?;
    // What its name leads to is whole, whenever the machine stops. That the name itself is on disk is not waited for:
    // the program that crashed stands still meanwhile.
    temporary.as_file().sync_all().map_err(|source| SnapshotError::write("write", path, source))?;
    match temporary.persist_noclobber(path) {
        Ok(_) => Ok(true),
        Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(SnapshotError::write("write", path, error.error)),
    }
}

/// Writes a file whole, over the one that is there. Not waited for: these are accounts of a run, of which a damaged
/// one counts as none.
pub(super) fn write_whole(path: &Path, content: &[u8]) -> Result<(), SnapshotError> {
    let temporary = written(path, content)?;
    temporary.persist(path).map_err(|error| SnapshotError::write("write", path, error.error))?;
    Ok(())
}

/// As [`write_whole`], but what is there after the machine stopped is whole: for what nobody could tell from a cut one.
pub(super) fn write_lasting(path: &Path, content: &[u8]) -> Result<(), SnapshotError> {
    let write_error = |source| SnapshotError::write("write", path, source);
    let temporary = written(path, content)?;
    temporary.as_file().sync_all().map_err(write_error)?;
    temporary.persist(path).map_err(|error| write_error(error.error))?;
    Ok(())
}

/// A temporary file beside `path`, private, with its content.
fn written(path: &Path, content: &[u8]) -> Result<tempfile::NamedTempFile, SnapshotError> {
    let write_error = |source| SnapshotError::write("write", path, source);
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut temporary = tempfile::Builder::new()
        .prefix(TEMPORARY)
        .permissions(fs::Permissions::from_mode(0o600))
        .tempfile_in(folder)
        .map_err(write_error)?;
    temporary.write_all(content).map_err(write_error)?;
    Ok(temporary)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nesting_counts_brackets_outside_of_texts() {
        assert_eq!(nesting(br#"{"a[[\"[":[[1],{}]}"#), 3);
        assert_eq!(nesting(b"]]]["), 1);
    }

    #[test]
    fn a_bomb_is_refused_without_its_memory() {
        let packed = pack(&vec![b' '; (SIZE_MAX + 1) as usize]).unwrap();
        assert!(packed.len() < 1 << 20);
        assert!(unpack(&packed).unwrap().is_none());
    }

    #[test]
    fn text_nested_too_deeply_is_refused() {
        let json = format!("{{\"format\":1,\"x\":{}", "[".repeat(1 << 20));
        let error = from_json(json.as_bytes(), Path::new("x")).unwrap_err();
        assert!(error.to_string().contains("nested too deeply"), "{error}");
    }
}
