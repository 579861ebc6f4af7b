//! Separate debug files: the other half of a program that was stripped with `objcopy --only-keep-debug` and the
//! like. In: what a program says of its debug file, and folders. Out: the file that is proved to be of the same
//! build, and which ones were refused. Never takes a file that may be another build's.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStringExt;
use std::path::{Component, Path, PathBuf};

use object::read::elf::ElfFile64;
use object::{LittleEndian, Object};

use super::file;

/// Where distributions keep debug files.
const SYSTEM_FOLDER: &str = "/usr/lib/debug";
/// Further folders of that kind, separated by colons.
const FOLDERS_VARIABLE: &str = "RELAPSE_DEBUG_PATH";

/// Folders that mirror the file system, and have `.build-id/` in them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DebugFolders(pub Vec<PathBuf>);

impl Default for DebugFolders {
    /// Those of `RELAPSE_DEBUG_PATH`, then the system's.
    fn default() -> DebugFolders {
        DebugFolders::of(&std::env::var_os(FOLDERS_VARIABLE).unwrap_or_default())
    }
}

impl DebugFolders {
    /// Those of a list, then the system's. A relative one would depend on the working folder.
    fn of(list: &OsStr) -> DebugFolders {
        let own = std::env::split_paths(list).filter(|folder| folder.is_absolute());
        DebugFolders(own.chain([PathBuf::from(SYSTEM_FOLDER)]).collect())
    }
}

/// What a program says of its debug file.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Wanted {
    build_id: Option<Vec<u8>>,
    /// `.gnu_debuglink`: the file's bare name, and the CRC-32 of its content.
    link: Option<(OsString, u32)>,
}

/// What was found.
#[derive(Default)]
pub(crate) struct Found {
    /// The debug file's bytes.
    pub(crate) file: Option<Vec<u8>>,
    /// Where it is.
    pub(crate) path: PathBuf,
    /// Its name, where the program names one and it is nowhere.
    pub(crate) missing: Option<String>,
    /// Files that have its name and are not of the same build, with the reason.
    pub(crate) refused: Vec<String>,
}

impl Wanted {
    /// What the sections of a program say.
    pub(crate) fn by<'data>(object: &impl Object<'data>) -> Wanted {
        // A build id is 20 bytes; its first names a folder.
        let build_id = object.build_id().ok().flatten().filter(|id| (2..=64).contains(&id.len()));
        let link = object.gnu_debuglink().ok().flatten();
        let link = link.map(|(name, crc)| (OsString::from_vec(name.to_vec()), crc));
        Wanted { build_id: build_id.map(<[u8]>::to_vec), link: link.filter(|(name, _)| is_bare(name)) }
    }

    /// Where the file may be, in the order that gdb has.
    fn candidates(&self, program: &Path, folders: &DebugFolders) -> Vec<PathBuf> {
        let mut all = Vec::new();
        if let Some(id) = &self.build_id {
            let name = format!(".build-id/{}/{}.debug", hexadecimal(&id[..1]), hexadecimal(&id[1..]));
            all.extend(folders.0.iter().map(|folder| folder.join(&name)));
        }
        let program = program.canonicalize().unwrap_or_else(|_| program.to_owned());
        if let (Some((name, _)), Some(own)) = (&self.link, program.parent()) {
            all.extend([own.join(name), own.join(".debug").join(name)]);
            let below = own.strip_prefix("/").unwrap_or(own);
            all.extend(folders.0.iter().map(|folder| folder.join(below).join(name)));
        }
        // A link to its own name is no debug file.
        all.retain(|path| *path != program);
        all
    }

    /// Whether a file is of the same build; if not, why.
    fn check(&self, bytes: &[u8]) -> Result<(), String> {
        let object = ElfFile64::<LittleEndian>::parse(bytes)
            .map_err(|error| format!("it is no 64-bit ELF file: {error}"))?;
        if let (Some(own), Some(other)) = (&self.build_id, object.build_id().ok().flatten()) {
            let (own, other) = (hexadecimal(own), hexadecimal(other));
            return if own == other {
                Ok(())
            } else {
                Err(format!("its build id is {other}, the program's {own}"))
            };
        }
        match &self.link {
            Some((_, wanted)) => {
                let crc = crc32fast::hash(bytes);
                if crc == *wanted {
                    Ok(())
                } else {
                    Err(format!("its checksum is {crc:08x}, the program wants {wanted:08x}"))
                }
            }
            None => Err("it has no build id".to_owned()),
        }
    }
}

/// Whether a name leads nowhere else than its folder.
fn is_bare(name: &OsStr) -> bool {
    let mut parts = Path::new(name).components();
    matches!((parts.next(), parts.next()), (Some(Component::Normal(_)), None))
}

/// Looks for the debug file of a program.
pub(crate) fn find(program: &Path, wanted: &Wanted, folders: &DebugFolders) -> Found {
    let mut found = Found::default();
    for path in wanted.candidates(program, folders) {
        let Some(bytes) = file::open(&path) else { continue };
        match bytes.and_then(|bytes| wanted.check(&bytes).map(|()| bytes)) {
            Ok(bytes) => {
                (found.file, found.path) = (Some(bytes), path);
                return found;
            }
            Err(reason) => {
                let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
                found.refused.push(format!("the debug file {name} is not used: {reason}"));
            }
        }
    }
    let named = wanted.link.as_ref().map(|(name, _)| name.to_string_lossy().into_owned());
    found.missing = named.filter(|_| found.refused.is_empty());
    found
}

/// Looks for the supplementary file that a file shares parts of its debug info with (`.gnu_debugaltlink`, DWARF 5,
/// section 7.3.6): `dwz -m` makes it.
pub(super) fn supplementary(object: &file::Elf, file: &Path, folders: &DebugFolders) -> Found {
    let mut found = Found::default();
    let Some((name, id)) = object.gnu_debugaltlink().ok().flatten() else { return found };
    let wanted = Wanted { build_id: Some(id.to_vec()).filter(|id| id.len() >= 2), link: None };
    let name = PathBuf::from(OsString::from_vec(name.to_vec()));
    let file = file.canonicalize().unwrap_or_else(|_| file.to_owned());
    let named = file.parent().map(|folder| folder.join(&name));
    let bare = name.file_name().unwrap_or_default().to_string_lossy().into_owned();
    for path in named.into_iter().chain(wanted.candidates(&file, folders)) {
        let Some(bytes) = file::open(&path) else { continue };
        match bytes.and_then(|bytes| wanted.check(&bytes).map(|()| bytes)) {
            Ok(bytes) => {
                found.file = Some(bytes);
                return found;
            }
            Err(reason) => found.refused.push(format!("the debug file {bare} is not used: {reason}")),
        }
    }
    if found.refused.is_empty() {
        found.refused.push(format!(
            "parts of its debug info are in {bare}, which is not there: put it where it was, or below a folder of \
             RELAPSE_DEBUG_PATH by its build id"
        ));
    }
    found
}

/// Bytes as lower-case hexadecimal digits.
pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    let digit = |nibble: u8| char::from_digit(u32::from(nibble), 16).unwrap_or('0');
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_debug_folders_come_before_that_of_the_system() {
        let folders = DebugFolders::of("/a/debug:relative::/b".as_ref());
        assert_eq!(folders.0, ["/a/debug", "/b", "/usr/lib/debug"].map(PathBuf::from));
        assert_eq!(DebugFolders::of("".as_ref()).0, [PathBuf::from("/usr/lib/debug")]);
    }

    #[test]
    fn a_link_that_leads_elsewhere_is_none() {
        for (name, expected) in [("p.debug", true), ("../p.debug", false), ("/etc/p", false), ("", false)] {
            assert_eq!(is_bare(name.as_ref()), expected, "{name}");
        }
    }

    #[test]
    fn debug_files_are_looked_for_where_gdb_looks() {
        let wanted = Wanted { build_id: Some(vec![0xab, 1, 2]), link: Some(("p.debug".into(), 7)) };
        let folders = DebugFolders(vec!["/usr/lib/debug".into()]);
        let paths = wanted.candidates(Path::new("/nonexistent/bin/p"), &folders);
        let expected = [
            "/usr/lib/debug/.build-id/ab/0102.debug",
            "/nonexistent/bin/p.debug",
            "/nonexistent/bin/.debug/p.debug",
            "/usr/lib/debug/nonexistent/bin/p.debug",
        ];
        assert_eq!(paths, expected.map(PathBuf::from));
    }
}
