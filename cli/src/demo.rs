//! `cargo relapse demo`: the whole story on a bundled program, in a temporary folder. Each command is really run,
//! and what it gives is checked against the program, the store and the files; nothing is played back.

mod abridged;
mod sample;
mod shell;
mod story;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use relapse_capture::temporary::Folder;
use relapse_replay::{Header, find};
use relapse_snapshot::display::line as value_line;
use relapse_snapshot::{CauseKind, Snapshot, Trust};
use serde::Serialize;

use crate::arguments;
use crate::console::{Console, Style};
use crate::edits;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::workspace::Workspace;
use shell::{Ran, Shell};
use story::{Status, Step, Story, Verified, rounded};

/// Lines that are shown of a short output, of a crash as `show` prints it, of one that matters as a whole.
const SHORT: usize = 16;
const CRASH: usize = 24;
const WHOLE: usize = 200;

/// What `demo --json` prints.
#[derive(Serialize)]
struct Account<'a> {
    /// Whether every step that could be had here gave what it should.
    verified: bool,
    summary: &'a str,
    seconds: f64,
    /// The sample's folder, where it is kept.
    folder: Option<&'a Path>,
    steps: &'a [Step],
}

/// The generated test.
struct Regression {
    file: PathBuf,
    test: String,
    /// The command that runs it alone.
    command: String,
}

pub(crate) fn demo(args: &arguments::Demo, console: &mut Console) -> Result<ExitCode, Failure> {
    let started = Instant::now();
    // What is to be kept must not be swept.
    let temporary = Folder::create(if args.keep { "kept-demo" } else { "demo" })
        .map_err(|error| Failure::cannot_write("failed to make a temporary folder").because(&error))?;
    // Cargo and debug info name a folder without symlinks.
    let root = temporary.path().canonicalize().unwrap_or_else(|_| temporary.path().to_owned()).join("orders");
    sample::write(&root)?;
    console.result(format_args!(
        "A small program prints what each customer ordered. One line of it is wrong.\n\
         It stands in {}; long output is shortened here.",
        root.display()
    ));
    let mut story = Story::new(console, Shell::new(&root)?);
    let told = tell(&mut story, &root);
    let steps = story.steps;
    let kept = if args.keep { Some(temporary.keep().join("orders")) } else { None };
    let seconds = rounded(started);
    let summary = match &told {
        Ok(()) => summary(&steps, seconds),
        Err(failure) => failure.message.clone(),
    };
    if told.is_ok() {
        console.result("");
        if let Some(folder) = &kept {
            console.result(format_args!("kept: {}", folder.display()));
        }
        console.result(console.paint(Style::Bold, &summary));
    }
    if console.is_json() {
        let verified = told.is_ok();
        let account =
            Account { verified, summary: &summary, seconds, folder: kept.as_deref(), steps: &steps };
        console.object(&account)?;
    }
    told.map(|()| ExitCode::Done)
}

/// The story.
fn tell(story: &mut Story<'_>, root: &Path) -> Result<(), Failure> {
    let snapshot =
        story.step("crash", "The program panics; relapse watches and keeps a snapshot", |story| {
            crash(story, root)
        })?;
    story.step("look", "The snapshot has the arguments of every function on the stack", |story| {
        look(story, &snapshot)
    })?;
    let regression = story
        .step("generate", "relapse writes a test of it, and proves it", |story| generate(story, root))?;
    story.step("fails", "The test fails with that panic while the bug is there", |story| {
        Ok(((), fails(story, &regression, &snapshot)?))
    })?;
    story.step("fix", "The bug is fixed, by hand", |story| {
        let diff = sample::fix(root)?;
        edits::show_diff(diff.trim_end(), story.console);
        Ok(((), Verified::Yes(format!("{} is changed, the test is not", sample::FILE))))
    })?;
    story.step("passes", "The same test passes", |story| {
        passes(story, &regression)?;
        Ok(((), Verified::Yes("the test passes since the fix".to_owned())))
    })?;
    story.step("outcome", "What the call returns now is accepted, and locked", |story| {
        Ok(((), outcome(story, root, &regression)?))
    })
}

fn crash(story: &mut Story<'_>, root: &Path) -> Result<(Snapshot, Verified), Failure> {
    let ran = story.run("cargo relapse run -- cargo run -- orders.txt", SHORT)?;
    let store = Workspace { root: root.to_owned(), is_cargo: true }.store();
    let kept = store.list()?.snapshots;
    if kept.is_empty() && !root.join("target/debug/orders").is_file() {
        let mut failure = Failure::missing("the sample program was not built").advise(
            "make `cargo run` work for a new program here first (`cargo relapse doctor` may say why)",
        );
        failure.causes.extend(ran.output.lines().map(str::to_owned));
        return Err(failure);
    }
    ran.expect(kept.len() == 1, &format!("{} snapshots were kept of one crash", kept.len()))?;
    // A panic of the main thread ends a program so, and `run` ends as the program does.
    ran.expect_status(101)?;
    let snapshot = store.get("latest")?;
    let (file, line) = (sample::FILE, sample::line());
    let cause = &snapshot.cause;
    let is_it = cause.kind == CauseKind::Panic && cause.message.contains(sample::MESSAGE);
    ran.expect(is_it, &format!("the snapshot is of another crash: {}", cause.message))?;
    let is_there = snapshot.location.as_ref().is_some_and(|place| place.file == file && place.line == line);
    ran.expect(is_there, &format!("the snapshot does not place the panic at {file}:{line}"))?;
    let found =
        format!("one snapshot, of the panic at {file}:{line}; the program ended as it does alone (101)");
    Ok((snapshot, Verified::Yes(found)))
}

fn look(story: &mut Story<'_>, snapshot: &Snapshot) -> Result<((), Verified), Failure> {
    let ran = story.run("cargo relapse show latest", CRASH)?;
    ran.expect_status(0)?;
    let frame = snapshot.innermost_workspace_frame();
    let function = frame.map_or("nothing", |frame| frame.function.as_str());
    ran.expect(function == sample::FUNCTION, &format!("the innermost function is {function}"))?;
    let arguments = frame.map(|frame| frame.arguments.as_slice()).unwrap_or_default();
    let names: Vec<&str> = arguments.iter().map(|argument| argument.name.as_str()).collect();
    ran.expect(names == sample::ARGUMENTS, &format!("its arguments are {names:?}"))?;
    let trusted = arguments.iter().all(|a| matches!(a.value.worst_trust(), Trust::Entry | Trust::AtCrash));
    ran.expect(trusted, "a value of it is not to be trusted")?;
    let text = arguments.first().map(|a| value_line(&a.value, &snapshot.types, WHOLE)).unwrap_or_default();
    ran.expect(text.contains(sample::TEXT), &format!("its first argument is {text}"))?;
    let found = format!("`{function}` was called with {}", names.join(" and "));
    Ok(((), Verified::Yes(found)))
}

fn generate(story: &mut Story<'_>, root: &Path) -> Result<(Regression, Verified), Failure> {
    let ran = story.run("cargo relapse gen latest", WHOLE)?;
    ran.expect_status(0)?;
    let workspace = Workspace { root: root.to_owned(), is_cargo: true };
    let found = find(&workspace.metadata()?)
        .map_err(|error| Failure::internal("failed to look for the generated test").because(&error))?;
    ran.expect(found.len() == 1, &format!("{} tests were written", found.len()))?;
    let Some(found) = found.into_iter().next() else {
        return Err(Failure::internal("no test was written"));
    };
    let header = Header::read(&found.text)
        .map_err(|error| Failure::internal("failed to read the generated test's header").because(&error))?;
    let words = ["cargo", "test", "-p", header.package.as_str()];
    let words = words.into_iter().chain(header.cargo_args.iter().map(String::as_str));
    let words = words.chain([header.test.as_str(), "--", "--exact"]).collect::<Vec<_>>();
    let regression = Regression { file: found.file, command: words.join(" "), test: header.test };
    let verified = format!("{} is in place", regression.file.display());
    Ok((regression, Verified::Yes(verified)))
}

fn fails(story: &mut Story<'_>, regression: &Regression, snapshot: &Snapshot) -> Result<Verified, Failure> {
    let ran = story.run(&regression.command, SHORT)?;
    ran.expect_status(101)?;
    let place = format!("{}:{}", sample::FILE, sample::line());
    expect_one_test(&ran, regression, "FAILED")?;
    ran.expect(
        ran.output.contains(&format!("panicked at {place}")),
        &format!("it did not panic at {place}"),
    )?;
    let message = &snapshot.cause.message;
    ran.expect(ran.output.contains(message.as_str()), &format!("its panic does not say {message:?}"))?;
    Ok(Verified::Yes(format!("the test fails with the same message at {place}")))
}

fn passes(story: &mut Story<'_>, regression: &Regression) -> Result<(), Failure> {
    let ran = story.run(&regression.command, SHORT)?;
    ran.expect_status(0)?;
    expect_one_test(&ran, regression, "ok")
}

/// A filter that finds no test passes too: the test must really have run.
fn expect_one_test(ran: &Ran, regression: &Regression, result: &str) -> Result<(), Failure> {
    let line = format!("test {} ... {result}", regression.test);
    ran.expect(ran.output.lines().any(|found| found == line), &format!("there is no line `{line}`"))
}

fn outcome(story: &mut Story<'_>, root: &Path, regression: &Regression) -> Result<Verified, Failure> {
    let before = read(&root.join(&regression.file))?;
    let ran = story.run("cargo relapse review --accept", WHOLE)?;
    if ran.status == Some(i32::from(ExitCode::Missing.number())) {
        let untouched = read(&root.join(&regression.file))? == before;
        ran.expect(untouched, "the test was changed although nothing could be accepted")?;
        return Ok(Verified::Skipped("the crate insta is not to be had here (no network?)".to_owned()));
    }
    ran.expect_status(0)?;
    let after = read(&root.join(&regression.file))?;
    ran.expect(after.contains("insta::assert_"), "the test asserts nothing")?;
    let folder = root.join(&regression.file).with_file_name("snapshots");
    let accepted = fs::read_dir(&folder).map_or(0, |entries| {
        entries.filter_map(Result::ok).filter(|e| e.path().extension().is_some_and(|x| x == "snap")).count()
    });
    ran.expect(accepted == 1, &format!("{accepted} outcomes stand in {}", folder.display()))?;
    passes(story, regression)?;
    Ok(Verified::Yes("the outcome stands beside the test, and the test asserts it".to_owned()))
}

fn read(path: &Path) -> Result<String, Failure> {
    fs::read_to_string(path)
        .map_err(|error| Failure::bad_input(format!("failed to read {}", path.display())).because(&error))
}

/// What was verified, in a line.
fn summary(steps: &[Step], seconds: f64) -> String {
    let outcome = match steps.last().map(|step| step.status) {
        Some(Status::Done) => ", and its outcome is locked",
        _ => "; the outcome was skipped: insta is not to be had here",
    };
    let done = steps.iter().filter(|step| step.status == Status::Done).count();
    format!(
        "demo: {done} of {} steps verified in {seconds:.0} s: the panic was captured, the generated test failed \
         with it before the fix and passes since{outcome}",
        steps.len()
    )
}
