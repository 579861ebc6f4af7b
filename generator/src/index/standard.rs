//! Public paths of std's types and traits. DWARF names them by the module that declares them, which is often
//! private (`core::num::nonzero::NonZero`); this table is the way back. Several lines for one type are several
//! rustc versions: std moves things between its crates.

mod table;

use table::{ALIASES, OPEN, PRELUDE, PRELUDE_2021, TABLE};

/// Whether a crate of that name is one of std's, and the name that its public paths begin with here.
pub(super) fn crate_root(name: &str) -> Option<&'static str> {
    match name {
        "std" | "core" | "alloc" => Some("std"),
        "proc_macro" => Some("proc_macro"),
        "test" => Some("test"),
        _ => None,
    }
}

/// Where std defines something, by its path before std moved it to another one of its crates: `std::io` goes to `core` and
/// `alloc` piece by piece, its modules as they are.
pub(crate) fn settled(definition: &str) -> String {
    let moved = ["core::io::", "alloc::io::"].into_iter().find_map(|from| definition.strip_prefix(from));
    moved.map_or_else(|| definition.to_owned(), |rest| format!("std::io::{rest}"))
}

/// The public path of what std defines at `definition`.
pub(super) fn public(definition: &str) -> Option<String> {
    let definition = settled(definition);
    let (module, name) = definition.rsplit_once("::")?;
    let (_, public, _) = TABLE.iter().find(|(at, _, names)| *at == module && names.contains(&name))?;
    Some(format!("{public}::{name}"))
}

/// Whether std is known to have something at a public path.
pub(super) fn is_public(path: &str) -> bool {
    let Some((module, name)) = path.rsplit_once("::") else { return false };
    TABLE.iter().any(|(_, public, names)| *public == module && names.contains(&name))
        || ALIASES.iter().any(|(alias, _)| *alias == path)
}

/// Whether a public path is that of a module, which is neither a function nor a constant: what std has at its top is that,
/// but for its macros.
pub(super) fn is_module(path: &str) -> bool {
    let top = path.split_once("::").filter(|(root, _)| *root == "std").map(|(_, name)| name);
    top.is_some_and(|name| !name.contains("::")) || TABLE.iter().any(|(_, public, _)| *public == path)
}

/// One spelling for all public paths of a thing: `core` and `alloc` become `std`.
pub(super) fn canonical(path: &str) -> String {
    let path = match path.split_once("::") {
        Some(("core" | "alloc", rest)) => format!("std::{rest}"),
        _ => path.to_owned(),
    };
    ALIASES.iter().find(|(alias, _)| *alias == path).map_or(path, |(_, known)| (*known).to_owned())
}

/// What a bare name means by the prelude.
pub(super) fn prelude(name: &str) -> Option<String> {
    PRELUDE.iter().find(|(known, _)| *known == name).map(|(_, path)| (*path).to_owned())
}

/// Whether a public path's thing has its bare name from the prelude of an edition.
pub(super) fn in_prelude(path: &str, edition: u16) -> bool {
    PRELUDE.iter().any(|(_, known)| *known == path) || edition >= 2021 && PRELUDE_2021.contains(&path)
}

/// Whether a literal of the type at a public path can be written outside std.
pub(super) fn is_open(path: &str) -> bool {
    OPEN.contains(&path)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The definition path that rustc itself gives a type.
    fn defined<T: ?Sized>() -> String {
        std::any::type_name::<T>().split('<').next().unwrap_or_default().to_owned()
    }

    macro_rules! check {
        ($($public:path as $ty:ty),* $(,)?) => {
            $(
                let path = stringify!($public).replace(' ', "");
                assert_eq!(public(&defined::<$ty>()).as_deref(), Some(path.as_str()));
            )*
        };
    }

    #[test]
    fn the_table_agrees_with_the_compiler() {
        check!(
            std::borrow::Cow as std::borrow::Cow<'static, str>,
            std::boxed::Box as Box<u8>,
            std::cell::Cell as std::cell::Cell<u8>,
            std::cell::OnceCell as std::cell::OnceCell<u8>,
            std::cell::RefCell as std::cell::RefCell<u8>,
            std::cmp::Ordering as std::cmp::Ordering,
            std::cmp::Reverse as std::cmp::Reverse<u8>,
            std::collections::BTreeMap as std::collections::BTreeMap<u8, u8>,
            std::collections::BTreeSet as std::collections::BTreeSet<u8>,
            std::collections::BinaryHeap as std::collections::BinaryHeap<u8>,
            std::collections::HashMap as std::collections::HashMap<u8, u8>,
            std::collections::HashSet as std::collections::HashSet<u8>,
            std::collections::LinkedList as std::collections::LinkedList<u8>,
            std::collections::VecDeque as std::collections::VecDeque<u8>,
            std::collections::btree_map::Entry as std::collections::btree_map::Entry<'static, u8, u8>,
            std::collections::btree_map::Range as std::collections::btree_map::Range<'static, u8, u8>,
            std::collections::hash_map::RandomState as std::collections::hash_map::RandomState,
            std::ffi::CStr as std::ffi::CStr,
            std::ffi::CString as std::ffi::CString,
            std::ffi::OsStr as std::ffi::OsStr,
            std::ffi::OsString as std::ffi::OsString,
            std::fmt::Formatter as std::fmt::Formatter<'static>,
            std::hash::BuildHasherDefault as std::hash::BuildHasherDefault<u8>,
            std::io::BufReader as std::io::BufReader<u8>,
            std::io::Cursor as std::io::Cursor<u8>,
            std::io::Error as std::io::Error,
            std::io::ErrorKind as std::io::ErrorKind,
            std::io::SeekFrom as std::io::SeekFrom,
            std::io::Empty as std::io::Empty,
            std::iter::Peekable as std::iter::Peekable<std::vec::IntoIter<u8>>,
            std::iter::Enumerate as std::iter::Enumerate<u8>,
            std::iter::Rev as std::iter::Rev<u8>,
            std::marker::PhantomData as std::marker::PhantomData<u8>,
            std::mem::ManuallyDrop as std::mem::ManuallyDrop<u8>,
            std::mem::MaybeUninit as std::mem::MaybeUninit<u8>,
            std::net::IpAddr as std::net::IpAddr,
            std::net::SocketAddrV6 as std::net::SocketAddrV6,
            std::num::NonZero as std::num::NonZeroU32,
            std::num::ParseFloatError as std::num::ParseFloatError,
            std::num::ParseIntError as std::num::ParseIntError,
            std::num::Wrapping as std::num::Wrapping<u8>,
            std::num::Saturating as std::num::Saturating<u8>,
            std::ops::Bound as std::ops::Bound<u8>,
            std::ops::ControlFlow as std::ops::ControlFlow<u8>,
            std::ops::Range as std::ops::Range<u8>,
            std::ops::RangeInclusive as std::ops::RangeInclusive<u8>,
            std::option::Option as Option<u8>,
            std::path::Component as std::path::Component<'static>,
            std::path::Path as std::path::Path,
            std::path::PathBuf as std::path::PathBuf,
            std::pin::Pin as std::pin::Pin<Box<u8>>,
            std::process::ExitStatus as std::process::ExitStatus,
            std::ptr::NonNull as std::ptr::NonNull<u8>,
            std::rc::Rc as std::rc::Rc<u8>,
            std::rc::Weak as std::rc::Weak<u8>,
            std::result::Result as Result<u8, u8>,
            std::slice::Iter as std::slice::Iter<'static, u8>,
            std::slice::ChunksExact as std::slice::ChunksExact<'static, u8>,
            std::str::CharIndices as std::str::CharIndices<'static>,
            std::str::Chars as std::str::Chars<'static>,
            std::str::Utf8Error as std::str::Utf8Error,
            std::string::FromUtf8Error as std::string::FromUtf8Error,
            std::string::String as String,
            std::sync::Arc as std::sync::Arc<u8>,
            std::sync::Mutex as std::sync::Mutex<u8>,
            std::sync::Once as std::sync::Once,
            std::sync::OnceLock as std::sync::OnceLock<u8>,
            std::sync::PoisonError as std::sync::PoisonError<u8>,
            std::sync::RwLock as std::sync::RwLock<u8>,
            std::sync::mpsc::Sender as std::sync::mpsc::Sender<u8>,
            std::task::Poll as std::task::Poll<u8>,
            std::thread::JoinHandle as std::thread::JoinHandle<u8>,
            std::thread::ThreadId as std::thread::ThreadId,
            std::time::Duration as std::time::Duration,
            std::time::Instant as std::time::Instant,
            std::time::SystemTime as std::time::SystemTime,
            std::vec::IntoIter as std::vec::IntoIter<u8>,
            std::vec::Vec as Vec<u8>,
        );
        assert_eq!(public("alloc::vec::Secret"), None);
    }

    #[test]
    fn what_std_has_moved_keeps_its_name() {
        for (definition, path) in [
            ("core::io::cursor::Cursor", "std::io::Cursor"),
            ("core::io::util::Take", "std::io::Take"),
            ("alloc::io::util::Chain", "std::io::Chain"),
            ("core::io::SeekFrom", "std::io::SeekFrom"),
            ("alloc::io::error::Error", "std::io::Error"),
        ] {
            assert_eq!(public(definition).as_deref(), Some(path));
        }
        assert_eq!(public("core::iox::Take"), None);
    }

    #[test]
    fn each_public_path_exists() {
        // Every line of the table as a `use`, compiled by rustc itself.
        let folder = tempfile::tempdir().unwrap();
        let mut text = "#![allow(unused_imports, deprecated)]\n".to_owned();
        for (index, (_, module, names)) in TABLE.iter().enumerate() {
            let names: Vec<&&str> = names.iter().collect();
            text += &format!("mod m{index} {{ use {module}::{{");
            for name in names {
                text += &format!("{name},");
            }
            text += "}; }\n";
        }
        for path in OPEN.iter().chain(PRELUDE.iter().map(|(_, path)| path)) {
            text += &format!("const _: () = {{ use {path}; }};\n");
        }
        let file = folder.path().join("paths.rs");
        std::fs::write(&file, text).unwrap();
        let done = std::process::Command::new(std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()))
            .args(["--crate-type=lib", "--edition=2021", "--emit=metadata", "-o"])
            .args([folder.path().join("paths.rmeta"), file])
            .output()
            .unwrap();
        let complaint = String::from_utf8_lossy(&done.stderr).into_owned();
        assert!(done.status.success(), "{complaint}");
    }
}
