//! The comment that begins each test file: what crashed, where it was captured, how to run it, and, on its last
//! line, what `sync` needs to find the module again. That line is written and read here.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use super::crash_line::crash_line;
use super::run_command::RunCommand;
use crate::hostile::comment::{cut, one_line};
use crate::regression::{ConstructorFile, Regression};

/// Lines are cut to this many columns, with the `// ` before them.
pub(super) const WIDTH: usize = 110;
/// The version of the wiring line that is written here.
const VERSION: &str = "1";

/// The header's last line: `relapse 1: snapshot 7c1e09b2, target crate::fill, module src/lib.rs`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wiring {
    /// The first digits of the snapshot's id.
    pub snapshot: String,
    /// Path of the function that is called.
    pub target: String,
    /// The module's file, relative to the package's folder.
    pub file: PathBuf,
    /// Names of the inline modules within it, outermost first.
    pub inline: Vec<String>,
}

impl Wiring {
    /// Finds the line in a test's text.
    pub fn read(text: &str) -> Option<Self> {
        let (version, rest) = Self::versioned(text)?;
        let line = rest.strip_prefix("snapshot ").filter(|_| version == VERSION)?;
        let (snapshot, rest) = line.split_once(", target ")?;
        let (target, module) = rest.rsplit_once(", module ")?;
        Self::with_module(snapshot.to_owned(), target, module)
    }

    /// The version of the line in a test's text, where it has one: newer tools may write another.
    pub fn version(text: &str) -> Option<&str> {
        Self::versioned(text).map(|(version, _)| version)
    }

    fn versioned(text: &str) -> Option<(&str, &str)> {
        let is_number = |(version, _): &(&str, &str)| version.bytes().all(|byte| byte.is_ascii_digit());
        comment(text).find_map(|line| line.strip_prefix("relapse ")?.split_once(": ").filter(is_number))
    }

    /// Finds the line of a constructor, `relapse constructor 1: crate::a::Years, module src/a.rs`; its target is the
    /// type. Tests have none, so that nothing takes one for the other.
    pub fn read_constructor(text: &str) -> Option<Self> {
        let line = text.lines().map_while(|line| line.strip_prefix("// ")).find_map(|line| {
            line.strip_prefix("relapse constructor ")?.strip_prefix(VERSION)?.strip_prefix(": ")
        })?;
        let (target, module) = line.rsplit_once(", module ")?;
        Self::with_module(String::new(), target, module)
    }

    /// The line of a test or a constructor.
    pub(crate) fn read_any(text: &str) -> Option<Self> {
        Self::read(text).or_else(|| Self::read_constructor(text))
    }

    fn with_module(snapshot: String, target: &str, module: &str) -> Option<Self> {
        let mut parts = module.trim_end().split("::");
        let file = unescape_path(parts.next()?)?;
        let inline = parts.map(str::to_owned).collect();
        Some(Self { snapshot, target: target.to_owned(), file, inline })
    }

    fn write(&self) -> String {
        let mut line = format!("relapse {VERSION}: snapshot {}, target {}", self.snapshot, self.target);
        let _ = write!(line, ", module {}", module_text(&self.file, &self.inline));
        line
    }
}

/// The line by which [`Wiring::read_constructor`] knows a constructor.
pub(super) fn constructor_line(constructor: &ConstructorFile) -> String {
    let module = module_text(&constructor.module.file, &constructor.module.inline);
    format!("relapse constructor {VERSION}: {}, module {module}", one_line(&constructor.target()))
}

/// The comment lines at the top of a file, without their `// `.
pub(super) fn comment(text: &str) -> impl Iterator<Item = &str> {
    let lines = text.lines().take_while(|line| line.starts_with("//") || line.trim().is_empty());
    lines.filter_map(|line| line.strip_prefix("// "))
}

/// `src/lib.rs::tests::inner`, with the few characters escaped that would not be read back.
pub(crate) fn module_text(file: &Path, inline: &[String]) -> String {
    let mut text = escape_path(file);
    for name in inline {
        text.push_str("::");
        text.push_str(&one_line(name));
    }
    text
}

/// The header's lines, without their `// `.
pub(super) fn lines(regression: &Regression) -> Vec<String> {
    let header = &regression.header;
    let mut lines = vec![crash_line(regression)];

    let class = header.class.as_deref().map(|class| format!("; class {}", one_line(class)));
    let start = format!("captured {} from `", one_line(&header.date));
    let end = format!("`, {}{}", one_line(&header.build), class.unwrap_or_default());
    let room = (WIDTH - 3).saturating_sub(start.chars().count() + end.chars().count());
    lines.push(format!("{start}{}{end}", cut(&one_line(&header.command), room.max(8))));

    lines.extend(header.remarks.iter().map(|remark| cut(&one_line(remark), WIDTH - 3)));
    lines.push(RunCommand::line(&one_line(&header.run_it)));
    let wiring = Wiring {
        snapshot: one_line(&header.snapshot).chars().take(8).collect(),
        target: one_line(&header.target),
        file: regression.module.file.clone(),
        inline: regression.module.inline.clone(),
    };
    lines.push(wiring.write());
    lines
}

/// A path with `/` and with `%XX` for what the line's own grammar needs or what is not visible.
fn escape_path(path: &Path) -> String {
    let mut out = String::new();
    for part in path.components() {
        if !out.is_empty() {
            out.push('/');
        }
        for chunk in part.as_os_str().as_encoded_bytes().utf8_chunks() {
            for char in chunk.valid().chars() {
                let plain = char.is_alphanumeric() || "._-+@ ()=[]{}~#&!$'".contains(char);
                if plain {
                    out.push(char);
                } else {
                    escape_bytes(&mut out, char.encode_utf8(&mut [0; 4]).as_bytes());
                }
            }
            escape_bytes(&mut out, chunk.invalid());
        }
    }
    out
}

fn escape_bytes(out: &mut String, bytes: &[u8]) {
    for byte in bytes {
        let _ = write!(out, "%{byte:02x}");
    }
}

fn unescape_path(text: &str) -> Option<PathBuf> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        rest = after;
        if first == b'%' {
            let digits = std::str::from_utf8(rest.get(..2)?).ok()?;
            bytes.push(u8::from_str_radix(digits, 16).ok()?);
            rest = &rest[2..];
        } else {
            bytes.push(first);
        }
    }
    use std::os::unix::ffi::OsStringExt as _;
    (!bytes.is_empty()).then(|| PathBuf::from(std::ffi::OsString::from_vec(bytes)))
}

#[cfg(test)]
mod tests {
    use std::os::unix::ffi::OsStringExt as _;

    use super::*;

    fn wiring(file: impl Into<PathBuf>, inline: &[&str]) -> Wiring {
        Wiring {
            snapshot: "7c1e09b2".into(),
            target: "crate::fill".into(),
            file: file.into(),
            inline: inline.iter().map(|&name| name.to_owned()).collect(),
        }
    }

    #[test]
    fn the_wiring_line_is_read_as_it_was_written() {
        let plain = wiring("src/lib.rs", &["tests", "inner"]);
        assert_eq!(
            plain.write(),
            "relapse 1: snapshot 7c1e09b2, target crate::fill, module src/lib.rs::tests::inner"
        );
        let odd = std::ffi::OsString::from_vec(b"src/a, module b::c\n%\xff \xc3\xa9.rs".to_vec());
        for wiring in [plain, wiring("../x y/a.rs", &[]), wiring(odd, &["r"])] {
            let text = format!("// `fill` panics\n// {}\n\nuse x;", wiring.write());
            assert_eq!(text.lines().count(), 4);
            assert_eq!(Wiring::read(&text), Some(wiring));
        }
    }

    #[test]
    fn only_the_comment_at_the_top_is_read() {
        assert_eq!(Wiring::read("use x;\n// relapse 1: snapshot 1, target a, module b.rs"), None);
        assert_eq!(Wiring::read("// relapse 2: snapshot 1, target a, module b.rs"), None);
        assert_eq!(Wiring::read("// relapse 1: snapshot 1, target a, module %f"), None);
    }
}
