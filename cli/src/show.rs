//! `cargo relapse show`: one crash as a developer wants to see it.

mod frames;
mod source;

use relapse_snapshot::display::{shell_words, terminal_safe};
use relapse_snapshot::{Build, Catcher, Snapshot, Thread, Variable, store};

use crate::arguments;
use crate::console::{Console, Style};
use crate::edits;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::list::{one_line, start_of};
use crate::workspace::Workspace;
use source::Sources;

/// Most characters of a message; `--json` has all of it.
const MESSAGE_MAX: usize = 4 << 10;

pub(crate) fn show(args: &arguments::Show, console: &mut Console) -> Result<ExitCode, Failure> {
    let workspace = Workspace::find()?;
    edits::recover_if_possible(&workspace, console);
    let snapshot = workspace.store().get(&args.id)?;
    if console.is_json() {
        let json = store::to_json(&snapshot)
            .map_err(|error| Failure::internal("failed to write the snapshot as JSON").because(&error))?;
        console.json_line(&json);
        return Ok(ExitCode::Done);
    }
    header(&snapshot, console);
    let mut sources = Sources::new(&workspace.root);
    frames::frames(&snapshot, args.all_frames, &mut sources, console);
    other_threads(&snapshot.threads, console);
    for note in &snapshot.notes {
        console.result(format_args!("{} {}", console.paint(Style::Yellow, "note:"), terminal_safe(note)));
    }
    let id = snapshot.id.get(..8).unwrap_or(&snapshot.id);
    if workspace.is_cargo {
        console.say(format_args!("next: `cargo relapse gen {id}` makes a test of it"));
    }
    Ok(ExitCode::Done)
}

fn header(snapshot: &Snapshot, console: &mut Console) {
    let cause = &snapshot.cause;
    let kind = match &cause.signal {
        Some(signal) => format!("{} ({})", cause.kind.name(), one_line(signal)),
        None => cause.kind.name().to_owned(),
    };
    let message = start_of(&terminal_safe(&cause.message), MESSAGE_MAX);
    console.result(format_args!("{} {message}", console.paint(Style::Red, &format!("{kind}:"))));
    if let Some(place) = &snapshot.location {
        let place = one_line(&format!("{}:{}:{}", place.file, place.line, place.column));
        console.result(format_args!("  at {}", console.paint(Style::Cyan, &place)));
    }
    let program = &snapshot.program;
    let seen = if snapshot.count > 1 {
        format!(", seen {} times in that run", snapshot.count)
    } else {
        String::new()
    };
    let rows = [
        ("snapshot", format!("{}, {}{seen}", snapshot.id, snapshot.time)),
        ("thread", snapshot.threads.first().map(thread_and_spawner).unwrap_or_default()),
        ("caught by", caught_by(&snapshot.caught_by)),
        ("command", shell_words(&program.command)),
        ("program", shell_words(&[std::slice::from_ref(&program.name), &program.arguments[..]].concat())),
        ("environment", environment(&program.environment)),
        ("built", built(program.rustc.as_deref(), program.build.as_ref())),
        ("fingerprint", snapshot.fingerprint.clone()),
    ];
    for (name, value) in rows.iter().filter(|(_, value)| !value.is_empty()) {
        let value = start_of(&one_line(value), 400);
        console.result(format_args!("  {} {value}", console.paint(Style::Dim, &format!("{name:11}"))));
    }
    console.result("");
}

fn environment(variables: &[Variable]) -> String {
    let words: Vec<String> = variables.iter().map(|v| format!("{}={}", v.name, v.value)).collect();
    shell_words(&words)
}

fn caught_by(catchers: &[Catcher]) -> String {
    let words = catchers.iter().map(|catcher| match catcher {
        Catcher::TestHarness => "the test harness",
        Catcher::CatchUnwind => "catch_unwind",
        Catcher::ThreadPool => "a thread pool",
        Catcher::AsyncRuntime => "an async runtime",
        Catcher::Thread => "the end of its thread",
    });
    words.collect::<Vec<_>>().join(", then ")
}

fn built(rustc: Option<&str>, build: Option<&Build>) -> String {
    let mut parts: Vec<String> = rustc.map(str::to_owned).into_iter().collect();
    if let Some(build) = build {
        parts.push(format!("profile {}", build.profile));
        parts.extend(build.target.as_ref().map(|target| format!("target {target}")));
        parts.extend(build.all_features.then(|| "all features".to_owned()));
        parts.extend(build.no_default_features.then(|| "no default features".to_owned()));
        if !build.features.is_empty() {
            parts.push(format!("features {}", build.features.join(" ")));
        }
        parts.extend(build.rustflags.as_ref().map(|flags| format!("RUSTFLAGS {flags}")));
    }
    parts.join(", ")
}

fn thread_name(thread: &Thread) -> String {
    name_or_number(thread.name.as_deref(), thread.tid)
}

fn name_or_number(name: Option<&str>, tid: u32) -> String {
    name.map_or_else(|| tid.to_string(), |name| format!("`{}`", one_line(name)))
}

fn thread_and_spawner(thread: &Thread) -> String {
    let name = thread_name(thread);
    match &thread.spawned_by {
        Some(by) => format!("{name}, spawned by {}", name_or_number(by.name.as_deref(), by.tid)),
        None => name,
    }
}

/// Each of the others on one line: where it is in the workspace's code, or where it is at all.
fn other_threads(threads: &[Thread], console: &mut Console) {
    use relapse_snapshot::FrameKind;
    let others = threads.get(1..).unwrap_or_default();
    if others.is_empty() {
        return;
    }
    console.result(console.paint(Style::Bold, "other threads"));
    for thread in others {
        let own = thread.frames.iter().find(|frame| frame.kind == FrameKind::Workspace);
        let at = own.or(thread.frames.first()).map_or_else(
            || "no frames".to_owned(),
            |frame| match &frame.location {
                Some(place) => format!("{} at {}:{}", frame.function, place.file, place.line),
                None => frame.function.clone(),
            },
        );
        let line = one_line(&format!("{} in {at}", thread_name(thread)));
        console.result(format_args!("  {}", start_of(&line, console.columns().saturating_sub(2))));
    }
    console.result("");
}

#[cfg(test)]
mod tests {
    use relapse_snapshot::Spawner;

    use super::*;

    #[test]
    fn a_thread_is_shown_with_the_one_that_spawned_it() {
        let spawned_by = |name: Option<&str>| {
            let by = Spawner { tid: 7, name: name.map(str::to_owned) };
            Thread {
                tid: 8,
                name: Some("worker".to_owned()),
                spawned_by: Some(by),
                stack_size: None,
                frames: Vec::new(),
            }
        };
        assert_eq!(thread_and_spawner(&spawned_by(Some("main"))), "`worker`, spawned by `main`");
        assert_eq!(thread_and_spawner(&spawned_by(None)), "`worker`, spawned by 7");
        let alone = Thread { spawned_by: None, ..spawned_by(None) };
        assert_eq!(thread_and_spawner(&alone), "`worker`");
    }
}
