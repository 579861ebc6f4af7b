//! The project's own rustfmt, on text. Only text that was clean before is formatted after an edit, so that a
//! diff never holds more than the edit. Rim: starts rustfmt, with bounded time; does without where it fails.

use std::collections::HashMap;
use std::ffi::OsString;
use std::io::{Read as _, Write as _};
use std::num::NonZero;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use super::PlaceError;
use crate::edit::{EditSet, FileEdit, Owner, Tree};

/// How long rustfmt may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// What rustfmt made of a text, by its settings, the edition and the text. Candidates are placed several times over (to
/// learn their names, to build them, to show them), and starting rustfmt takes longer than all the rest of that.
static KNOWN: Mutex<Option<HashMap<Given, Option<String>>>> = Mutex::new(None);
/// More texts than this are not kept, nor longer ones.
const MOST_KNOWN: usize = 256;
const LONGEST_KNOWN: usize = 1 << 20;

type Given = (Option<Settings>, u16, String);

/// What a file of settings says: a copy of the project has a copy of it.
type Settings = Vec<u8>;

/// `text` as rustfmt leaves it with the settings that hold in `folder`; `None` where rustfmt is missing, finds no
/// Rust, is told to skip it, or does not come to an end.
pub(crate) fn formatted(text: &str, folder: &Path, edition: u16) -> Option<String> {
    // A test's folder may not exist yet; its settings come from the nearest one that does.
    let folder = folder.ancestors().find(|folder| folder.is_dir())?;
    if text.len() > LONGEST_KNOWN {
        return by_rustfmt(text, folder, edition);
    }
    let given = (settings(folder), edition, text.to_owned());
    let known = || KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(made) = known().get_or_insert_default().get(&given) {
        return made.clone();
    }
    let made = by_rustfmt(text, folder, edition);
    let mut known = known();
    let known = known.get_or_insert_default();
    if known.len() >= MOST_KNOWN {
        known.clear();
    }
    if let Some(made) = &made {
        // What rustfmt has made it leaves as it is.
        known.entry((given.0.clone(), edition, made.clone())).or_insert_with(|| Some(made.clone()));
    }
    known.insert(given, made.clone());
    made
}

/// The settings that rustfmt finds for a folder, in it or above.
fn settings(folder: &Path) -> Option<Settings> {
    let names = [".rustfmt.toml", "rustfmt.toml"];
    folder.ancestors().find_map(|folder| names.iter().find_map(|name| std::fs::read(folder.join(name)).ok()))
}

fn by_rustfmt(text: &str, folder: &Path, edition: u16) -> Option<String> {
    let mut command = Command::new(rustfmt());
    command.args(["--edition", &edition.to_string()]).current_dir(folder);
    let out = filtered(command, text.to_owned())?;
    (!out.is_empty()).then_some(out)
}

/// The rustfmt that was asked for, or the one beside the cargo that started us: the toolchain's own, without rustup's
/// look for it.
fn rustfmt() -> OsString {
    let beside_cargo = || {
        let rustfmt = Path::new(&std::env::var_os("CARGO")?).with_file_name("rustfmt");
        rustfmt.is_file().then(|| rustfmt.into_os_string())
    };
    std::env::var_os("RUSTFMT").or_else(beside_cargo).unwrap_or_else(|| "rustfmt".into())
}

/// What a program makes of a text, where it succeeds in time.
fn filtered(mut command: Command, input: String) -> Option<String> {
    let deadline = Instant::now() + PATIENCE;
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().ok()?;
    let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
    let (send, receive) = mpsc::channel();
    // Both ends at once: rustfmt reads all of its input before it writes, yet nothing here depends on that.
    // The threads are not joined: whoever holds the pipes after the program's end must not hold us.
    thread::spawn(move || stdin.map(|mut stdin| stdin.write_all(input.as_bytes())));
    thread::spawn(move || {
        let mut text = String::new();
        let read = stdout.map(|mut stdout| stdout.read_to_string(&mut text));
        let _ = send.send(read.is_some_and(|read| read.is_ok()).then_some(text));
    });
    let out = receive.recv_timeout(PATIENCE).ok().flatten();
    let succeeded = ended_well(&mut child, deadline);
    out.filter(|_| succeeded)
}

/// Waits for the child until the deadline, then kills it; leaves no child behind.
fn ended_well(child: &mut Child, deadline: Instant) -> bool {
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return status.success(),
            Ok(None) if Instant::now() < deadline => thread::sleep(Duration::from_millis(1)),
            _ => break,
        }
    }
    let _ = child.kill();
    let _ = child.wait();
    false
}

/// `after` formatted, where `before` was as rustfmt leaves it; else `after` as it is.
pub(crate) fn kept_clean(before: &str, after: String, folder: &Path, edition: u16) -> String {
    match formatted(&after, folder, edition) {
        // Where rustfmt has nothing to change, what was there before need not be looked at.
        Some(made) if made != after && formatted(before, folder, edition).as_deref() == Some(before) => made,
        _ => after,
    }
}

/// The edits of a tree, its source files formatted: each starts rustfmt, so several at once.
pub(crate) fn finished(tree: Tree) -> Result<EditSet, PlaceError> {
    let sources: Vec<(&FileEdit, Owner, u16)> = tree
        .sources()
        .iter()
        .filter_map(|(path, (owner, edition))| Some((tree.edits().get(path)?, *owner, *edition)))
        .collect();
    let text_of = |(edit, owner, edition): &(&FileEdit, Owner, u16)| -> Option<FileEdit> {
        let after = edit.text()?;
        let folder = tree.root().join(edit.path.parent().unwrap_or(Path::new("")));
        let before = edit.before.as_deref().and_then(|bytes| std::str::from_utf8(bytes).ok());
        let made = match (owner, before) {
            (Owner::User, Some(before)) => kept_clean(before, after.to_owned(), &folder, *edition),
            _ => formatted(after, &folder, *edition)?,
        };
        Some(FileEdit { path: edit.path.clone(), before: edit.after.clone(), after: Some(made.into_bytes()) })
    };
    let mut made = EditSet::default();
    let at_once = thread::available_parallelism().map_or(1, NonZero::get);
    for some in sources.chunks(at_once) {
        let some: Vec<Option<FileEdit>> = thread::scope(|scope| {
            let work: Vec<_> = some.iter().map(|source| scope.spawn(|| text_of(source))).collect();
            work.into_iter().map(|work| work.join().unwrap_or(None)).collect()
        });
        for edit in some.into_iter().flatten() {
            made.add(edit)?;
        }
    }
    let mut edits = tree.into_edits();
    edits.merge(made)?;
    Ok(edits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_clean_text_is_formatted() {
        let folder = tempfile::tempdir().unwrap();
        let after = "fn a() {}\nfn  b() {}\n";
        assert_eq!(kept_clean("fn a() {}\n", after.into(), folder.path(), 2021), "fn a() {}\nfn b() {}\n");
        assert_eq!(kept_clean("fn  a() {}\n", after.into(), folder.path(), 2021), after);
        assert_eq!(formatted("fn a( {", folder.path(), 2021), None);
    }

    #[test]
    fn the_settings_are_those_of_the_folder() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("rustfmt.toml"), "hard_tabs = true\n").unwrap();
        let text = formatted("fn a() {\n    b();\n}\n", &folder.path().join("not/there"), 2015).unwrap();
        assert_eq!(text, "fn a() {\n\tb();\n}\n");
    }
    #[test]
    fn a_program_that_does_not_end_is_not_waited_for_and_not_left() {
        let mut sleeper = Command::new("sleep").arg("60").spawn().unwrap();
        assert!(!ended_well(&mut sleeper, Instant::now()));
        assert!(!Path::new(&format!("/proc/{}", sleeper.id())).exists());
        let mut failing = Command::new("sh");
        failing.args(["-c", "cat; exit 1"]);
        assert_eq!(filtered(failing, "text".to_owned()), None);
    }
}
