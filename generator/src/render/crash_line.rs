//! The first line of a test's header, for people: what crashed, how, and where. It is written here, and read back by
//! `replay` where the snapshot is not at hand.

use super::header::{WIDTH, comment};
use crate::hostile::comment::{cut, one_line, uncut};
use crate::regression::Regression;

/// A message is never cut below this, however long the rest of its line is.
const SHORTEST_MESSAGE: usize = 64;

/// `` `fill` panics: MESSAGE (src/lib.rs:634, in WrapIterImpl::impl_next) ``.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CrashLine {
    /// The function that the test calls.
    pub function: String,
    /// Whether the call kills its process: the test runs it in a child.
    pub dies: bool,
    /// Whether the call does not end: the test ends it after a time, in a child.
    pub hangs: bool,
    /// The message, on one line, as far as it is whole.
    pub message: String,
    /// Whether `message` is only how it starts.
    pub cut: bool,
    /// The file of the crash, seen from the target's package where it lies in there.
    pub file: String,
    /// Its line.
    pub line: Option<u32>,
    /// The innermost workspace function, where it is not the one that is called.
    pub within: Option<String>,
}

impl CrashLine {
    /// Finds the line in a test's text.
    pub fn read(text: &str) -> Option<Self> {
        let line = comment(text).next()?;
        // A message may hold the other word: the first one is the header's.
        let (verb, at) = ["panics", "dies", "hangs"]
            .into_iter()
            .filter_map(|verb| Some((verb, line.find(&between(verb))?)))
            .min_by_key(|(_, at)| *at)?;
        let function = line[..at].strip_prefix('`')?;
        let rest = line[at + between(verb).len()..].trim_end().strip_suffix(')')?;
        let (message, place) = rest.rsplit_once(" (")?;
        let (place, within) = place.split_once(", in ").map_or((place, None), |(place, f)| (place, Some(f)));
        let (file, line) = match place.rsplit_once(':') {
            Some((file, line)) if line.parse::<u32>().is_ok() => (file, line.parse().ok()),
            _ => (place, None),
        };
        let start = uncut(message);
        Some(Self {
            function: function.to_owned(),
            dies: verb == "dies",
            hangs: verb == "hangs",
            message: start.unwrap_or(message).to_owned(),
            cut: start.is_some(),
            file: file.to_owned(),
            line,
            within: within.map(str::to_owned),
        })
    }
}

/// What stands between the function's name and the message.
fn between(verb: &str) -> String {
    format!("` {verb}: ")
}

/// The line, without its `// `.
pub(super) fn crash_line(regression: &Regression) -> String {
    let header = &regression.header;
    let verb = match regression.time_limit {
        Some(_) => "hangs",
        None if regression.dies => "dies",
        None => "panics",
    };
    let start = format!("`{}{}", one_line(&header.function), between(verb));
    let end = match &header.within {
        Some(within) => format!(" ({}, in {})", one_line(&header.place), one_line(within)),
        None => format!(" ({})", one_line(&header.place)),
    };
    let room = (WIDTH - 3).saturating_sub(start.chars().count() + end.chars().count());
    format!("{start}{}{end}", cut(&one_line(&header.message), room.max(SHORTEST_MESSAGE)))
}

#[cfg(test)]
mod tests {
    use super::super::tests::example;
    use super::*;

    fn read_back(regression: &Regression) -> CrashLine {
        CrashLine::read(&format!("// {}\n// captured\n", crash_line(regression))).unwrap()
    }

    #[test]
    fn the_first_line_is_read_as_it_was_written() {
        let mut regression = example();
        let expected = CrashLine {
            function: "fill".into(),
            dies: false,
            hangs: false,
            message: regression.header.message.clone(),
            cut: false,
            file: "src/lib.rs".into(),
            line: Some(634),
            within: Some("WrapIterImpl::impl_next".into()),
        };
        assert_eq!(read_back(&regression), expected);
        regression.dies = true;
        regression.header.message = "` panics: (x) (src/a.rs:1)".into();
        regression.header.within = None;
        let read = read_back(&regression);
        assert!(read.dies && read.within.is_none(), "{read:?}");
        assert_eq!(read.message, regression.header.message);
        regression.time_limit = Some(std::time::Duration::from_secs(5));
        assert!(read_back(&regression).hangs && !read_back(&regression).dies);
        regression.header.place = "no panic".into();
        assert_eq!((read_back(&regression).file.as_str(), read_back(&regression).line), ("no panic", None));
    }

    #[test]
    fn a_message_that_was_cut_is_read_as_far_as_it_is_whole() {
        let mut regression = example();
        regression.header.message =
            "Parse { at: 7, found: \"a text of some length, with blanks, and then some more of it\" }".into();
        let read = read_back(&regression);
        assert_eq!((read.message.as_str(), read.cut), ("Parse { at: 7, found: ", true));
        regression.header.message = "[(\"a\", 1), ".repeat(20);
        let read = read_back(&regression);
        assert!(read.cut && read.message.len() > 40, "{read:?}");
        assert!(regression.header.message.starts_with(&read.message), "{read:?}");
        assert_eq!(read.within.as_deref(), Some("WrapIterImpl::impl_next"));
    }
}
