//! What the program's source says of its crash, and how what was seen compares with it.

use std::fs;
use std::path::Path;

use relapse_capture::tracer::Crash;
use relapse_snapshot::{CauseKind, Data, Frame, Trust, Value};

use super::fixture::Seen;

/// The crash's message.
pub(crate) const MESSAGE: &str = "index out of bounds: the len is 4 but the index is 16";

/// The functions of the stack, innermost first.
const FUNCTIONS: [&str; 3] = ["pick", "serve", "run"];

/// A value as the source gives it.
pub(crate) enum Is {
    Text(&'static str),
    Number(u128),
    List(&'static [u128]),
    Order,
}

/// Name, type and value of each argument of a function.
fn arguments(function: &str) -> &'static [(&'static str, &'static str, Is)] {
    const STOCK: Is = Is::List(&[3, 5, 8, 13]);
    match function {
        "pick" => &[
            ("name", "&str", Is::Text("ada")),
            ("stock", "&[u16]", STOCK),
            ("order", "&orders::Order", Is::Order),
            ("at", "usize", Is::Number(7)),
        ],
        "serve" => &[
            ("name", "alloc::string::String", Is::Text("ada")),
            ("stock", "&[u16]", STOCK),
            ("order", "&orders::Order", Is::Order),
        ],
        _ => &[],
    }
}

/// The line on which a function of the stack stands.
fn line(function: &str) -> u32 {
    line_in("orders", function)
}

/// The line of a program on which a function of it stands.
pub(crate) fn line_in(program: &str, function: &str) -> u32 {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/programs/{program}.rs"));
    let source = fs::read_to_string(source).unwrap();
    let mark = format!("// {function} stands here");
    source.lines().position(|line| line.contains(&mark)).unwrap() as u32 + 1
}

/// Values that were read and are right, and those that are missing and say why.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Count {
    pub(crate) right: usize,
    pub(crate) missing: usize,
}

impl Seen {
    /// The one crash: the right panic at the right place.
    pub(crate) fn crash(&self) -> &Crash {
        assert_eq!(self.crashes.len(), 1, "{:#?} {:?}", self.crashes, self.notes);
        let crash = &self.crashes[0];
        assert_eq!(crash.snapshot.cause.kind, CauseKind::Panic);
        assert_eq!(crash.snapshot.cause.message, MESSAGE);
        let location = crash.snapshot.location.as_ref().expect("a place");
        assert_eq!((location.file.as_str(), location.line), ("src/orders.rs", line("pick")));
        crash
    }

    /// The frames of the program's three functions, with the right names.
    pub(crate) fn frames(&self) -> Vec<&Frame> {
        let frames = &self.crash().snapshot.threads[0].frames;
        let ours = |frame: &&Frame| FUNCTIONS.contains(&frame.function.rsplit("::").next().unwrap());
        let ours: Vec<&Frame> = frames.iter().filter(ours).collect();
        let names: Vec<&str> = ours.iter().map(|frame| frame.function.as_str()).collect();
        assert_eq!(names, FUNCTIONS.map(|name| format!("orders::{name}")), "{frames:#?}");
        ours
    }

    /// These frames, with the right files and lines.
    pub(crate) fn placed_frames(&self) -> Vec<&Frame> {
        let frames = self.frames();
        for (frame, function) in frames.iter().zip(FUNCTIONS) {
            let at = frame.location.as_ref().unwrap_or_else(|| panic!("{function} has no place"));
            assert_eq!((at.file.as_str(), at.line), ("src/orders.rs", line(function)), "{function}");
        }
        frames
    }

    /// Frames and values are all there and right, and nothing is left to say.
    pub(crate) fn is_whole(&self) {
        let count = self.right_or_missing();
        assert_eq!(count, Count { right: 7, missing: 0 }, "{:#?}", self.placed_frames());
        assert_eq!(self.all_notes(), Vec::<String>::new());
    }

    /// Every frame is right; every argument is right, or says that it is not there.
    pub(crate) fn right_or_missing(&self) -> Count {
        let types = &self.crash().snapshot.types;
        let mut count = Count::default();
        for (frame, function) in self.placed_frames().into_iter().zip(FUNCTIONS) {
            let expected = arguments(function);
            if frame.arguments.is_empty() && !expected.is_empty() {
                let reason = frame.arguments_missing.as_deref().unwrap_or_default();
                assert!(!reason.is_empty(), "{function} does not say why it has no arguments");
                count.missing += expected.len();
                continue;
            }
            let seen: Vec<_> =
                frame.arguments.iter().map(|a| (a.name.as_str(), types.name(a.value.ty))).collect();
            let wanted: Vec<_> = expected.iter().map(|(name, ty, _)| (*name, *ty)).collect();
            assert_eq!(seen, wanted, "{function}");
            for (argument, (name, _, is)) in frame.arguments.iter().zip(expected) {
                let right = is_right(&argument.value, is);
                let right = right.unwrap_or_else(|wrong| panic!("{function}: {name} is wrong: {wrong}"));
                count.right += usize::from(right);
                count.missing += usize::from(!right);
            }
        }
        count
    }

    /// What the user is told, of the run and of the crash.
    pub(crate) fn all_notes(&self) -> Vec<String> {
        let of_crashes = self.crashes.iter().flat_map(|crash| crash.snapshot.notes.clone());
        self.notes.iter().cloned().chain(of_crashes).collect()
    }

    /// The program's frames have no arguments, and each that should have says so in these words; a note does, too.
    pub(crate) fn lacks_arguments(&self, words: &[&str]) {
        for frame in self.frames() {
            assert!(frame.arguments.is_empty(), "{frame:?}");
            let reason = frame.arguments_missing.as_deref().unwrap_or_default();
            assert!(words.iter().all(|word| reason.contains(word)), "{reason}");
        }
        self.says(words);
    }

    /// One of the notes has all these words.
    pub(crate) fn says(&self, words: &[&str]) {
        let notes = self.all_notes();
        assert!(notes.iter().any(|note| words.iter().all(|word| note.contains(word))), "{notes:?}");
    }
}

/// Whether a value is the right one; `false`: it, or a part of it, is missing and says why, and the rest is right.
pub(crate) fn is_right(value: &Value, is: &Is) -> Result<bool, String> {
    let wrong = || Err(format!("{value:?}"));
    let all = |parts: Vec<Result<bool, String>>| {
        parts.into_iter().try_fold(true, |whole, part| Ok::<_, String>(whole & part?))
    };
    match (&value.data, is) {
        (Data::Missing(reason), _) => {
            let said = matches!(value.trust, Trust::OptimizedOut | Trust::Unreadable) && !reason.is_empty();
            if said { Ok(false) } else { wrong() }
        }
        (Data::Pointer { to: Some(to), .. }, _) => is_right(to, is),
        (Data::Text { text, .. }, Is::Text(wanted)) if text == wanted => Ok(true),
        (Data::Uint(number), Is::Number(wanted)) if number == wanted => Ok(true),
        (Data::Sequence { items, len }, Is::List(wanted)) if *len == wanted.len() as u64 => {
            let items = items.iter().zip(*wanted);
            all(items.map(|(item, wanted)| is_right(item, &Is::Number(*wanted))).collect())
        }
        (Data::Struct(fields), Is::Order) => {
            let wanted =
                [("id", Is::Number(77)), ("lines", Is::List(&[9, 10, 11])), ("note", Is::Text("rush"))];
            if fields.iter().map(|f| f.name.as_str()).ne(wanted.iter().map(|(name, _)| *name)) {
                return wrong();
            }
            all(fields.iter().zip(&wanted).map(|(f, (_, is))| is_right(&f.value, is)).collect())
        }
        // A value of doubtful trust may be another one: that is what the trust says.
        _ if value.trust != Trust::AtCrash && value.trust != Trust::Entry => Ok(false),
        _ => wrong(),
    }
}
