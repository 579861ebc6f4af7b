//! What a sandboxed command tried. In: a deed and what it was done to. Out: words for the user.

use std::fmt;
use std::path::PathBuf;

/// Something that a sandboxed command tried, of which nothing or something came.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Access {
    /// What.
    pub deed: Deed,
    /// What to, where that is a file.
    pub path: Option<PathBuf>,
    /// Whether the sandbox kept it from it.
    pub forbidden: bool,
}

/// A kind of access.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Deed {
    /// Opened a file for reading.
    Read,
    /// Looked for a file that is not there.
    Missed,
    /// Changed the content of a file, or made one.
    Write,
    /// Removed a file or folder, or gave it another name.
    Remove,
    /// Changed a file's rights, owner, times or attributes.
    Attributes,
    /// Used a socket.
    Network,
    /// Sent a signal to a process that it did not start.
    Signal,
    /// Changed the limits or the priority of a process that it did not start.
    Process,
    /// Asked for something that concerns the whole machine.
    System,
    /// Had more processes at once than it may have.
    Processes,
}

impl Access {
    /// The option of `gen` that permits it, where there is one.
    pub fn option(&self) -> Option<String> {
        match (self.deed, &self.path) {
            (Deed::Write | Deed::Attributes, Some(path)) if path.exists() => {
                Some(format!("--allow-write {}", path.display()))
            }
            (Deed::Write | Deed::Remove | Deed::Attributes, Some(path)) => {
                let there = path.ancestors().skip(1).find(|folder| folder.is_dir())?;
                Some(format!("--allow-write {}", there.display()))
            }
            (Deed::Network, _) => Some("--allow-net".to_owned()),
            _ => None,
        }
    }
}

/// `wanted to write to /a/b`.
impl fmt::Display for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = match self.deed {
            Deed::Read | Deed::Missed => "wanted to read",
            Deed::Write => "wanted to write to",
            Deed::Remove => "wanted to remove or rename",
            Deed::Attributes => "wanted to change the attributes of",
            Deed::Network => return f.write_str("wanted to use the network"),
            Deed::Signal => return f.write_str("wanted to send a signal to another process"),
            Deed::Process => return f.write_str("wanted to change the limits of another process"),
            Deed::System => return f.write_str("wanted to change a setting of the machine"),
            Deed::Processes => {
                return write!(f, "wanted more than {} processes at once", super::PROCESSES);
            }
        };
        match &self.path {
            Some(path) => write!(f, "{words} {}", path.display()),
            None => write!(f, "{words} a file"),
        }
    }
}
