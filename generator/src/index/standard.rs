//! Public paths of std's types and traits. DWARF names them by the module that declares them, which is often
//! private (`core::num::nonzero::NonZero`); this table is the way back. Several lines for one type are several
//! rustc versions: std moves things between its crates.

/// (declaring module, public module, names). Where the two modules are the same, the second one is `std`'s.
const TABLE: &[(&str, &str, &[&str])] = &[
    ("alloc::borrow", "std::borrow", &["Cow", "ToOwned"]),
    ("alloc::boxed", "std::boxed", &["Box"]),
    ("alloc::collections::binary_heap", "std::collections", &["BinaryHeap"]),
    (
        "alloc::collections::binary_heap",
        "std::collections::binary_heap",
        &["Drain", "IntoIter", "Iter", "PeekMut"],
    ),
    ("alloc::collections::btree::map", "std::collections", &["BTreeMap"]),
    (
        "alloc::collections::btree::map",
        "std::collections::btree_map",
        &[
            "IntoIter",
            "IntoKeys",
            "IntoValues",
            "Iter",
            "IterMut",
            "Keys",
            "Range",
            "RangeMut",
            "Values",
            "ValuesMut",
        ],
    ),
    (
        "alloc::collections::btree::map::entry",
        "std::collections::btree_map",
        &["Entry", "OccupiedEntry", "VacantEntry"],
    ),
    ("alloc::collections::btree::set", "std::collections", &["BTreeSet"]),
    (
        "alloc::collections::btree::set",
        "std::collections::btree_set",
        &["Difference", "Intersection", "IntoIter", "Iter", "Range", "SymmetricDifference", "Union"],
    ),
    ("alloc::collections::linked_list", "std::collections", &["LinkedList"]),
    ("alloc::collections::linked_list", "std::collections::linked_list", &["IntoIter", "Iter", "IterMut"]),
    ("alloc::collections::vec_deque", "std::collections", &["VecDeque"]),
    ("alloc::collections::vec_deque::drain", "std::collections::vec_deque", &["Drain"]),
    ("alloc::collections::vec_deque::into_iter", "std::collections::vec_deque", &["IntoIter"]),
    ("alloc::collections::vec_deque::iter", "std::collections::vec_deque", &["Iter"]),
    ("alloc::collections::vec_deque::iter_mut", "std::collections::vec_deque", &["IterMut"]),
    ("alloc::collections", "std::collections", &["TryReserveError"]),
    ("alloc::ffi::c_str", "std::ffi", &["CString", "FromVecWithNulError", "IntoStringError", "NulError"]),
    ("alloc::rc", "std::rc", &["Rc", "Weak"]),
    ("alloc::string", "std::string", &["Drain", "FromUtf16Error", "FromUtf8Error", "String", "ToString"]),
    ("alloc::sync", "std::sync", &["Arc", "Weak"]),
    ("alloc::vec", "std::vec", &["Vec"]),
    ("alloc::vec::drain", "std::vec", &["Drain"]),
    ("alloc::vec::into_iter", "std::vec", &["IntoIter"]),
    ("alloc::vec::splice", "std::vec", &["Splice"]),
    ("core::alloc::layout", "std::alloc", &["Layout", "LayoutError"]),
    ("core::alloc::global", "std::alloc", &["GlobalAlloc"]),
    ("std::alloc", "std::alloc", &["System"]),
    ("core::any", "std::any", &["Any", "TypeId"]),
    ("core::array", "std::array", &["TryFromSliceError"]),
    ("core::array::iter", "std::array", &["IntoIter"]),
    ("core::ascii", "std::ascii", &["EscapeDefault"]),
    ("core::borrow", "std::borrow", &["Borrow", "BorrowMut"]),
    (
        "core::cell",
        "std::cell",
        &["BorrowError", "BorrowMutError", "Cell", "Ref", "RefCell", "RefMut", "UnsafeCell"],
    ),
    ("core::cell::lazy", "std::cell", &["LazyCell"]),
    ("core::cell::once", "std::cell", &["OnceCell"]),
    ("core::char", "std::char", &["EscapeDefault", "EscapeUnicode", "ToLowercase", "ToUppercase"]),
    ("core::char", "std::char", &["EscapeDebug", "TryFromCharError"]),
    ("core::char::convert", "std::char", &["CharTryFromError", "ParseCharError"]),
    ("core::char::decode", "std::char", &["DecodeUtf16", "DecodeUtf16Error"]),
    ("core::clone", "std::clone", &["Clone"]),
    ("core::cmp", "std::cmp", &["Eq", "Ord", "Ordering", "PartialEq", "PartialOrd", "Reverse"]),
    (
        "core::convert",
        "std::convert",
        &["AsMut", "AsRef", "From", "Infallible", "Into", "TryFrom", "TryInto"],
    ),
    ("core::default", "std::default", &["Default"]),
    ("core::error", "std::error", &["Error"]),
    ("std::error", "std::error", &["Error"]),
    ("core::ffi", "std::ffi", &["c_void"]),
    ("core::ffi::c_str", "std::ffi", &["CStr", "FromBytesUntilNulError", "FromBytesWithNulError"]),
    ("std::ffi::c_str", "std::ffi", &["CStr", "CString"]),
    ("std::ffi::os_str", "std::ffi", &["OsStr", "OsString"]),
    ("std::os::unix::ffi::os_str", "std::os::unix::ffi", &["OsStrExt", "OsStringExt"]),
    ("core::ptr", "std::ptr", &["null", "null_mut"]),
    (
        "core::fmt",
        "std::fmt",
        &[
            "Alignment",
            "Arguments",
            "Binary",
            "Debug",
            "Display",
            "Error",
            "Formatter",
            "LowerExp",
            "LowerHex",
            "Octal",
            "Pointer",
            "UpperExp",
            "UpperHex",
            "Write",
        ],
    ),
    ("core::fmt::rt", "std::fmt", &["Alignment"]),
    ("core::fmt::builders", "std::fmt", &["DebugList", "DebugMap", "DebugSet", "DebugStruct", "DebugTuple"]),
    ("core::future::future", "std::future", &["Future"]),
    ("core::future::into_future", "std::future", &["IntoFuture"]),
    ("core::future::pending", "std::future", &["Pending"]),
    ("core::future::poll_fn", "std::future", &["PollFn"]),
    ("core::future::ready", "std::future", &["Ready"]),
    ("core::hash", "std::hash", &["BuildHasher", "BuildHasherDefault", "Hash", "Hasher"]),
    ("core::hash::sip", "std::hash", &["SipHasher"]),
    // `std::hash::{DefaultHasher, RandomState}` are there from 1.76 only; these from the start.
    ("std::hash::random", "std::collections::hash_map", &["DefaultHasher", "RandomState"]),
    ("std::collections::hash::map", "std::collections::hash_map", &["DefaultHasher", "RandomState"]),
    ("core::iter::adapters::chain", "std::iter", &["Chain"]),
    ("core::iter::adapters::cloned", "std::iter", &["Cloned"]),
    ("core::iter::adapters::copied", "std::iter", &["Copied"]),
    ("core::iter::adapters::cycle", "std::iter", &["Cycle"]),
    ("core::iter::adapters::enumerate", "std::iter", &["Enumerate"]),
    ("core::iter::adapters::filter", "std::iter", &["Filter"]),
    ("core::iter::adapters::filter_map", "std::iter", &["FilterMap"]),
    ("core::iter::adapters::flatten", "std::iter", &["FlatMap", "Flatten"]),
    ("core::iter::adapters::fuse", "std::iter", &["Fuse"]),
    ("core::iter::adapters::inspect", "std::iter", &["Inspect"]),
    ("core::iter::adapters::map", "std::iter", &["Map"]),
    ("core::iter::adapters::map_while", "std::iter", &["MapWhile"]),
    ("core::iter::adapters::peekable", "std::iter", &["Peekable"]),
    ("core::iter::adapters::rev", "std::iter", &["Rev"]),
    ("core::iter::adapters::scan", "std::iter", &["Scan"]),
    ("core::iter::adapters::skip", "std::iter", &["Skip"]),
    ("core::iter::adapters::skip_while", "std::iter", &["SkipWhile"]),
    ("core::iter::adapters::step_by", "std::iter", &["StepBy"]),
    ("core::iter::adapters::take", "std::iter", &["Take"]),
    ("core::iter::adapters::take_while", "std::iter", &["TakeWhile"]),
    ("core::iter::adapters::zip", "std::iter", &["Zip"]),
    ("core::iter::sources::empty", "std::iter", &["Empty"]),
    ("core::iter::sources::from_fn", "std::iter", &["FromFn"]),
    ("core::iter::sources::once", "std::iter", &["Once"]),
    ("core::iter::sources::once_with", "std::iter", &["OnceWith"]),
    ("core::iter::sources::repeat", "std::iter", &["Repeat"]),
    ("core::iter::sources::repeat_n", "std::iter", &["RepeatN"]),
    ("core::iter::sources::repeat_with", "std::iter", &["RepeatWith"]),
    ("core::iter::sources::successors", "std::iter", &["Successors"]),
    ("core::iter::traits::accum", "std::iter", &["Product", "Sum"]),
    ("core::iter::traits::collect", "std::iter", &["Extend", "FromIterator", "IntoIterator"]),
    ("core::iter::traits::double_ended", "std::iter", &["DoubleEndedIterator"]),
    ("core::iter::traits::exact_size", "std::iter", &["ExactSizeIterator"]),
    ("core::iter::traits::iterator", "std::iter", &["Iterator"]),
    ("core::iter::traits::marker", "std::iter", &["FusedIterator"]),
    (
        "core::marker",
        "std::marker",
        &["Copy", "PhantomData", "PhantomPinned", "Send", "Sized", "Sync", "Unpin"],
    ),
    ("core::mem", "std::mem", &["Discriminant"]),
    ("core::mem::manually_drop", "std::mem", &["ManuallyDrop"]),
    ("core::mem::maybe_uninit", "std::mem", &["MaybeUninit"]),
    ("core::net::ip_addr", "std::net", &["IpAddr", "Ipv4Addr", "Ipv6Addr"]),
    ("core::net::parser", "std::net", &["AddrParseError"]),
    ("core::net::socket_addr", "std::net", &["SocketAddr", "SocketAddrV4", "SocketAddrV6"]),
    ("std::net::ip_addr", "std::net", &["IpAddr", "Ipv4Addr", "Ipv6Addr"]),
    ("std::net::socket_addr", "std::net", &["SocketAddr", "SocketAddrV4", "SocketAddrV6"]),
    ("std::net", "std::net", &["Shutdown", "ToSocketAddrs"]),
    ("std::net::tcp", "std::net", &["Incoming", "TcpListener", "TcpStream"]),
    ("std::net::udp", "std::net", &["UdpSocket"]),
    ("core::num", "std::num", &["FpCategory"]),
    ("core::num::dec2flt", "std::num", &["ParseFloatError"]),
    ("core::num::imp::dec2flt", "std::num", &["ParseFloatError"]),
    ("core::num::error", "std::num", &["IntErrorKind", "ParseIntError", "TryFromIntError"]),
    (
        "core::num::nonzero",
        "std::num",
        &[
            "NonZero",
            "NonZeroI8",
            "NonZeroI16",
            "NonZeroI32",
            "NonZeroI64",
            "NonZeroI128",
            "NonZeroIsize",
            "NonZeroU8",
            "NonZeroU16",
            "NonZeroU32",
            "NonZeroU64",
            "NonZeroU128",
            "NonZeroUsize",
        ],
    ),
    ("core::num::saturating", "std::num", &["Saturating"]),
    ("core::num::wrapping", "std::num", &["Wrapping"]),
    (
        "core::ops::arith",
        "std::ops",
        &[
            "Add",
            "AddAssign",
            "Div",
            "DivAssign",
            "Mul",
            "MulAssign",
            "Neg",
            "Rem",
            "RemAssign",
            "Sub",
            "SubAssign",
        ],
    ),
    (
        "core::ops::bit",
        "std::ops",
        &[
            "BitAnd",
            "BitAndAssign",
            "BitOr",
            "BitOrAssign",
            "BitXor",
            "BitXorAssign",
            "Not",
            "Shl",
            "ShlAssign",
            "Shr",
            "ShrAssign",
        ],
    ),
    ("core::ops::control_flow", "std::ops", &["ControlFlow"]),
    ("core::ops::deref", "std::ops", &["Deref", "DerefMut"]),
    ("core::ops::drop", "std::ops", &["Drop"]),
    ("core::ops::function", "std::ops", &["Fn", "FnMut", "FnOnce"]),
    ("core::ops::index", "std::ops", &["Index", "IndexMut"]),
    (
        "core::ops::range",
        "std::ops",
        &[
            "Bound",
            "Range",
            "RangeBounds",
            "RangeFrom",
            "RangeFull",
            "RangeInclusive",
            "RangeTo",
            "RangeToInclusive",
        ],
    ),
    ("core::option", "std::option", &["IntoIter", "Iter", "IterMut", "Option"]),
    ("core::panic::location", "std::panic", &["Location"]),
    ("core::panic::unwind_safe", "std::panic", &["AssertUnwindSafe", "RefUnwindSafe", "UnwindSafe"]),
    ("core::pin", "std::pin", &["Pin", "pin"]),
    ("core::ptr::non_null", "std::ptr", &["NonNull"]),
    ("core::result", "std::result", &["IntoIter", "Iter", "IterMut", "Result"]),
    ("core::slice::index", "std::slice", &["SliceIndex"]),
    (
        "core::slice::iter",
        "std::slice",
        &["Chunks", "ChunksExact", "ChunksMut", "Iter", "IterMut", "RChunks", "Split", "SplitN", "Windows"],
    ),
    ("core::str::error", "std::str", &["ParseBoolError", "Utf8Error"]),
    (
        "core::str::iter",
        "std::str",
        &[
            "Bytes",
            "CharIndices",
            "Chars",
            "Lines",
            "Split",
            "SplitAsciiWhitespace",
            "SplitN",
            "SplitWhitespace",
        ],
    ),
    ("core::str::traits", "std::str", &["FromStr"]),
    (
        "core::sync::atomic",
        "std::sync::atomic",
        &[
            "AtomicBool",
            "AtomicI8",
            "AtomicI16",
            "AtomicI32",
            "AtomicI64",
            "AtomicIsize",
            "AtomicPtr",
            "AtomicU8",
            "AtomicU16",
            "AtomicU32",
            "AtomicU64",
            "AtomicUsize",
            "Ordering",
        ],
    ),
    ("core::task::poll", "std::task", &["Poll"]),
    ("core::task::wake", "std::task", &["Context", "RawWaker", "RawWakerVTable", "Waker"]),
    ("core::time", "std::time", &["Duration", "TryFromFloatSecsError"]),
    ("std::collections::hash::map", "std::collections", &["HashMap"]),
    (
        "std::collections::hash::map",
        "std::collections::hash_map",
        &[
            "Drain",
            "Entry",
            "IntoIter",
            "IntoKeys",
            "IntoValues",
            "Iter",
            "IterMut",
            "Keys",
            "OccupiedEntry",
            "VacantEntry",
            "Values",
            "ValuesMut",
        ],
    ),
    ("std::collections::hash::set", "std::collections", &["HashSet"]),
    ("std::collections::hash::set", "std::collections::hash_set", &["Drain", "IntoIter", "Iter"]),
    ("std::env", "std::env", &["Args", "ArgsOs", "JoinPathsError", "VarError", "Vars", "VarsOs"]),
    (
        "std::fs",
        "std::fs",
        &[
            "DirBuilder",
            "DirEntry",
            "File",
            "FileTimes",
            "FileType",
            "Metadata",
            "OpenOptions",
            "Permissions",
        ],
    ),
    ("std::fs", "std::fs", &["ReadDir"]),
    (
        "std::io",
        "std::io",
        &[
            "BufRead",
            "Bytes",
            "Chain",
            "IoSlice",
            "IoSliceMut",
            "Lines",
            "Read",
            "Seek",
            "SeekFrom",
            "Split",
            "Take",
        ],
    ),
    ("std::io", "std::io", &["Write"]),
    ("std::io::util", "std::io", &["empty", "repeat", "sink"]),
    ("std::io::stdio", "std::io", &["stderr", "stdin", "stdout"]),
    ("core::io", "std::io", &["SeekFrom"]),
    ("std::io::buffered::bufreader", "std::io", &["BufReader"]),
    ("std::io::buffered::bufwriter", "std::io", &["BufWriter"]),
    ("std::io::buffered::linewriter", "std::io", &["LineWriter"]),
    ("std::io::cursor", "std::io", &["Cursor"]),
    ("core::io::cursor", "std::io", &["Cursor"]),
    ("std::io::error", "std::io", &["Error", "ErrorKind", "Result"]),
    ("core::io::error", "std::io", &["ErrorKind"]),
    ("std::io::stdio", "std::io", &["Stderr", "StderrLock", "Stdin", "StdinLock", "Stdout", "StdoutLock"]),
    ("std::io::util", "std::io", &["Empty", "Repeat", "Sink"]),
    ("core::io::util", "std::io", &["Empty", "Repeat", "Sink"]),
    ("std::os::fd::owned", "std::os::fd", &["BorrowedFd", "OwnedFd"]),
    ("std::os::fd::raw", "std::os::fd", &["AsRawFd", "FromRawFd", "IntoRawFd", "RawFd"]),
    ("std::os::unix::net::datagram", "std::os::unix::net", &["UnixDatagram"]),
    ("std::os::unix::net::listener", "std::os::unix::net", &["UnixListener"]),
    ("std::os::unix::net::stream", "std::os::unix::net", &["UnixStream"]),
    (
        "std::path",
        "std::path",
        &[
            "Ancestors",
            "Component",
            "Components",
            "Display",
            "Path",
            "PathBuf",
            "Prefix",
            "PrefixComponent",
            "StripPrefixError",
        ],
    ),
    (
        "std::process",
        "std::process",
        &[
            "Child",
            "ChildStderr",
            "ChildStdin",
            "ChildStdout",
            "Command",
            "ExitCode",
            "ExitStatus",
            "Output",
            "Stdio",
        ],
    ),
    ("std::sync::barrier", "std::sync", &["Barrier", "BarrierWaitResult"]),
    ("std::sync::lazy_lock", "std::sync", &["LazyLock"]),
    ("std::sync::mpsc", "std::sync::mpsc", &["Receiver", "RecvError", "SendError", "Sender", "SyncSender"]),
    ("std::sync::mpsc", "std::sync::mpsc", &["RecvTimeoutError", "TryRecvError", "TrySendError"]),
    ("std::sync::once", "std::sync", &["Once", "OnceState"]),
    ("std::sync::poison::once", "std::sync", &["Once", "OnceState"]),
    ("std::sync::once_lock", "std::sync", &["OnceLock"]),
    ("std::sync::condvar", "std::sync", &["Condvar", "WaitTimeoutResult"]),
    ("std::sync::poison::condvar", "std::sync", &["Condvar", "WaitTimeoutResult"]),
    ("std::sync::mutex", "std::sync", &["Mutex", "MutexGuard"]),
    ("std::sync::poison::mutex", "std::sync", &["Mutex", "MutexGuard"]),
    ("std::sync::rwlock", "std::sync", &["RwLock", "RwLockReadGuard", "RwLockWriteGuard"]),
    ("std::sync::poison::rwlock", "std::sync", &["RwLock", "RwLockReadGuard", "RwLockWriteGuard"]),
    ("std::sync::poison", "std::sync", &["PoisonError", "TryLockError"]),
    ("std::thread", "std::thread", &["Builder", "JoinHandle", "Thread", "ThreadId"]),
    ("std::thread::builder", "std::thread", &["Builder"]),
    ("std::thread::id", "std::thread", &["ThreadId"]),
    ("std::thread::join_handle", "std::thread", &["JoinHandle"]),
    ("std::thread::thread", "std::thread", &["Thread"]),
    ("std::thread::local", "std::thread", &["AccessError", "LocalKey"]),
    ("std::time", "std::time", &["Instant", "SystemTime", "SystemTimeError"]),
];

/// Second public paths of the same things.
const ALIASES: &[(&str, &str)] = &[
    ("std::collections::hash_map::HashMap", "std::collections::HashMap"),
    ("std::collections::hash_set::HashSet", "std::collections::HashSet"),
    ("std::collections::btree_map::BTreeMap", "std::collections::BTreeMap"),
    ("std::collections::btree_set::BTreeSet", "std::collections::BTreeSet"),
    ("std::collections::vec_deque::VecDeque", "std::collections::VecDeque"),
    ("std::collections::binary_heap::BinaryHeap", "std::collections::BinaryHeap"),
    ("std::collections::linked_list::LinkedList", "std::collections::LinkedList"),
    ("std::collections::Bound", "std::ops::Bound"),
    ("std::hash::DefaultHasher", "std::collections::hash_map::DefaultHasher"),
    ("std::hash::RandomState", "std::collections::hash_map::RandomState"),
    ("std::ascii::AsciiExt", "std::ascii::AsciiExt"),
    ("std::os::unix::io::AsRawFd", "std::os::fd::AsRawFd"),
    ("std::os::unix::io::OwnedFd", "std::os::fd::OwnedFd"),
    ("std::os::unix::io::RawFd", "std::os::fd::RawFd"),
    ("std::os::raw::c_void", "std::ffi::c_void"),
];

/// The prelude's types and traits, and its variants and functions, of all editions.
const PRELUDE: &[(&str, &str)] = &[
    ("AsMut", "std::convert::AsMut"),
    ("AsRef", "std::convert::AsRef"),
    ("Box", "std::boxed::Box"),
    ("Clone", "std::clone::Clone"),
    ("Copy", "std::marker::Copy"),
    ("Default", "std::default::Default"),
    ("DoubleEndedIterator", "std::iter::DoubleEndedIterator"),
    ("Drop", "std::ops::Drop"),
    ("Eq", "std::cmp::Eq"),
    ("Err", "std::result::Result::Err"),
    ("ExactSizeIterator", "std::iter::ExactSizeIterator"),
    ("Extend", "std::iter::Extend"),
    ("Fn", "std::ops::Fn"),
    ("FnMut", "std::ops::FnMut"),
    ("FnOnce", "std::ops::FnOnce"),
    ("From", "std::convert::From"),
    ("Into", "std::convert::Into"),
    ("IntoIterator", "std::iter::IntoIterator"),
    ("Iterator", "std::iter::Iterator"),
    ("None", "std::option::Option::None"),
    ("Ok", "std::result::Result::Ok"),
    ("Option", "std::option::Option"),
    ("Ord", "std::cmp::Ord"),
    ("PartialEq", "std::cmp::PartialEq"),
    ("PartialOrd", "std::cmp::PartialOrd"),
    ("Result", "std::result::Result"),
    ("Send", "std::marker::Send"),
    ("Sized", "std::marker::Sized"),
    ("Some", "std::option::Option::Some"),
    ("String", "std::string::String"),
    ("Sync", "std::marker::Sync"),
    ("ToOwned", "std::borrow::ToOwned"),
    ("ToString", "std::string::ToString"),
    ("Unpin", "std::marker::Unpin"),
    ("Vec", "std::vec::Vec"),
    ("drop", "std::mem::drop"),
];

/// Traits that the preludes of editions 2021 and later add.
const PRELUDE_2021: &[&str] = &["std::convert::TryFrom", "std::convert::TryInto", "std::iter::FromIterator"];

/// Types whose fields are public, so that a literal of them can be written; enums and unit structs too.
const OPEN: &[&str] = &[
    "std::borrow::Cow",
    "std::cmp::Ordering",
    "std::cmp::Reverse",
    "std::collections::btree_map::Entry",
    "std::collections::hash_map::Entry",
    "std::fmt::Alignment",
    "std::fmt::Error",
    "std::io::ErrorKind",
    "std::io::SeekFrom",
    "std::marker::PhantomData",
    "std::marker::PhantomPinned",
    "std::net::IpAddr",
    "std::net::Shutdown",
    "std::net::SocketAddr",
    "std::num::FpCategory",
    "std::num::Saturating",
    "std::num::Wrapping",
    "std::ops::Bound",
    "std::ops::ControlFlow",
    "std::ops::Range",
    "std::ops::RangeFrom",
    "std::ops::RangeFull",
    "std::ops::RangeTo",
    "std::ops::RangeToInclusive",
    "std::option::Option",
    "std::panic::AssertUnwindSafe",
    "std::path::Component",
    "std::path::Prefix",
    "std::result::Result",
    "std::alloc::System",
    "std::sync::TryLockError",
    "std::sync::atomic::Ordering",
    "std::sync::mpsc::RecvError",
    "std::sync::mpsc::RecvTimeoutError",
    "std::sync::mpsc::SendError",
    "std::sync::mpsc::TryRecvError",
    "std::sync::mpsc::TrySendError",
    "std::task::Poll",
    "std::env::VarError",
];

/// Whether a crate of that name is one of std's, and the name that its public paths begin with here.
pub(super) fn crate_root(name: &str) -> Option<&'static str> {
    match name {
        "std" | "core" | "alloc" => Some("std"),
        "proc_macro" => Some("proc_macro"),
        "test" => Some("test"),
        _ => None,
    }
}

/// The public path of what std defines at `definition`.
pub(super) fn public(definition: &str) -> Option<String> {
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
