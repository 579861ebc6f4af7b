//! The first and the second run of a program by themselves, without `gen` around them: what a second run costs is
//! measured by this (`ci/bench`).
//!
//! `second_run first FOLDER PROGRAM ARGUMENT…` keeps the crash in FOLDER, which counts as the program's workspace;
//! `second_run again FOLDER [NAME:LINE]…` runs the last command that was kept there once more and says what was read. Each
//! NAME is a function that makes values, declared at that line of the file in which the program crashed.

use std::env;
use std::error::Error;
use std::ffi::OsString;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use relapse_capture::entries::{Maker, Rerun, RerunOptions, rerun};
use relapse_capture::limits::Limits;
use relapse_capture::roots::{PackageRoot, Roots};
use relapse_capture::run::{RunOptions, run};
use relapse_capture::tracer::Expectation;
use relapse_snapshot::{FrameKind, Location, Rules, Snapshot, Store};

fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<OsString> = env::args_os().skip(1).collect();
    let text = match &words[..] {
        [verb, folder, command @ ..] if verb == "first" && !command.is_empty() => {
            first(Path::new(folder), command)?
        }
        [verb, folder, makers @ ..] if verb == "again" => again(Path::new(folder), makers)?,
        _ => {
            return Err(
                "usage: second_run first FOLDER PROGRAM ARGUMENT… | second_run again FOLDER [NAME:LINE]…"
                    .into(),
            );
        }
    };
    writeln!(io::stdout(), "{text}")?;
    Ok(())
}

fn roots(folder: &Path) -> Roots {
    let package = PackageRoot { name: "measured".to_owned(), folder: folder.to_owned() };
    Roots { workspace: Some(folder.to_owned()), packages: vec![package] }
}

fn store(folder: &Path) -> Store {
    Store::at(folder.join(".relapse"))
}

fn first(folder: &Path, command: &[OsString]) -> Result<String, Box<dyn Error>> {
    let options = RunOptions {
        words: command.to_vec(),
        folder: folder.to_owned(),
        roots: roots(folder),
        store: store(folder),
        limits: Limits::default(),
        debug_info: false,
        program: own_path()?,
        rerun: true,
        timeout: None,
        watch: None,
        cargo_variables: Vec::new(),
    };
    let report = run(&options, &mut |_| Expectation::Unknown)?;
    let crash = report.kept.last().ok_or("the program did not crash")?;
    Ok(crash.id.clone())
}

fn again(folder: &Path, makers: &[OsString]) -> Result<String, Box<dyn Error>> {
    let store = store(folder);
    let snapshot = store.get("latest")?;
    let options = RerunOptions {
        makers: makers.iter().map(|maker| self::maker(maker, &snapshot)).collect::<Result<_, _>>()?,
        patient: false,
        command: store.command_of(&snapshot.id)?.ok_or("its command was not kept")?,
        piped: None,
        roots: roots(folder),
        program: own_path()?,
        rules: Rules::default(),
        limits: Limits::default(),
        debug_info: false,
        target_folder: None,
    };
    match rerun(&snapshot, &options, &mut |_| Expectation::Unknown)? {
        Rerun::Same { notes, .. } => Ok(notes.join("\n")),
        Rerun::Other { reason, .. } => Err(reason.into()),
    }
}

/// The function of `NAME:LINE`; what it gives is read as well.
fn maker(word: &OsString, snapshot: &Snapshot) -> Result<Maker, Box<dyn Error>> {
    let word = word.to_str().ok_or("a function's name is text")?;
    let (name, line) = word.split_once(':').ok_or("a function that makes values is NAME:LINE")?;
    let own = snapshot.frames().iter().find(|frame| frame.kind == FrameKind::Workspace);
    let place = own.and_then(|frame| frame.declared.clone()).ok_or("the crash is in no known file")?;
    let declared = Location { line: line.parse()?, ..place };
    Ok(Maker { function: name.to_owned(), declared, gives: true })
}

fn own_path() -> io::Result<PathBuf> {
    env::current_exe()
}
