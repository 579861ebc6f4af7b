//! The built program over a store that the library wrote: what it prints, its JSON, its exit status.
#![allow(clippy::unwrap_used, reason = "a test may fail so")]

#[path = "fixture/project.rs"]
mod project;

use std::fs;
use std::os::fd::AsRawFd;
use std::path::Path;
use std::process::{Command, Output};

use relapse_snapshot::{
    Argument, Build, Catcher, Cause, CauseKind, Data, Field, FieldShape, Frame, FrameKind, Location, Program,
    Snapshot, Store, Thread, Trust, TypeId, TypeKind, TypeShape, TypeTable, Value,
};
use serde_json::Value as Json;

/// A package with a store.
struct Project(project::Project);

impl Project {
    fn new() -> Project {
        let source =
            "pub fn price(side: u8) -> u32 {\n    let book = vec![1, 2, 3];\n    book[side as usize]\n}\n";
        let project = project::Project::package(&[("src/lib.rs", source)]);
        project.write("Cargo.toml", "[package]\nname = \"demo\"\nversion = \"0.1.0\"\nedition = \"2024\"\n");
        Project(project)
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn store(&self) -> Store {
        Store::open(self.path().join(".relapse")).unwrap()
    }

    /// Cargo finds the workspace, and cannot read it.
    fn lose_a_member(&self) {
        let path = self.path().join("Cargo.toml");
        let manifest = fs::read_to_string(&path).unwrap();
        fs::write(path, manifest + "[workspace]\nmembers = [\"gone\"]\n").unwrap();
    }

    fn run(&self, words: &[&str]) -> Output {
        self.0.command(words).env_remove("COLUMNS").env_remove("NO_COLOR").output().unwrap()
    }

    /// stdout, then stderr, without what differs from run to run.
    fn shown(&self, words: &[&str]) -> String {
        let output = self.run(words);
        let text = format!(
            "status {}\n--- stdout\n{}--- stderr\n{}",
            output.status.code().unwrap(),
            String::from_utf8(output.stdout).unwrap(),
            String::from_utf8(output.stderr).unwrap(),
        );
        let mut text = text.replace(self.path().canonicalize().unwrap().to_str().unwrap(), "[root]");
        for (number, summary) in self.store().list().unwrap().snapshots.iter().enumerate() {
            text = text.replace(&summary.id, &format!("[id {number}]"));
            text = text.replace(&summary.id[..8], &format!("[id8 {number}]"));
        }
        text
    }
}

fn run_in(folder: &Path, words: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_cargo-relapse"))
        .args(words)
        .current_dir(folder)
        .env_remove("COLUMNS")
        .env_remove("NO_COLOR")
        .output()
        .unwrap()
}

fn status(output: &Output) -> i32 {
    output.status.code().unwrap()
}

fn json_lines(output: &Output) -> Vec<Json> {
    let text = std::str::from_utf8(&output.stdout).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn value(ty: TypeId, trust: Trust, data: Data) -> Value {
    Value { ty, trust, data }
}

#[expect(clippy::unnecessary_wraps, reason = "as the fields have it")]
fn place(file: &str, line: u32) -> Option<Location> {
    Some(Location { file: file.into(), line, column: 5 })
}

fn frame(function: &str, kind: FrameKind, location: Option<Location>, arguments: Vec<Argument>) -> Frame {
    Frame {
        function: function.into(),
        name: function.rsplit("::").next().unwrap().into(),
        kind,
        package: match kind {
            FrameKind::Workspace => Some("demo".into()),
            FrameKind::Dependency => Some("itertools".into()),
            _ => None,
        },
        location,
        declared: None,
        inlined: kind == FrameKind::Dependency,
        is_async: false,
        generics: vec![],
        result: None,
        arguments,
        arguments_missing: None,
        made_before: None,
        gave: None,
    }
}

fn crash(message: &str) -> Snapshot {
    let mut types = TypeTable::default();
    let mut add = |name: &str, kind| types.intern(TypeShape { name: name.into(), size: None, kind });
    let byte = add("u8", TypeKind::Integer { signed: false, bits: 8 });
    let text = add("&str", TypeKind::Opaque);
    let list = add("alloc::vec::Vec<demo::Row, alloc::alloc::Global>", TypeKind::Opaque);
    let field = FieldShape { name: "qty".into(), ty: byte };
    let row = add("demo::Row", TypeKind::Struct { fields: vec![field], tuple: false, params: vec![] });
    let rows = (0..30).map(|n| {
        let qty = Field { name: "qty".into(), value: value(byte, Trust::AtCrash, Data::Uint(n)) };
        let password = Field {
            name: "password".into(),
            value: value(text, Trust::AtCrash, Data::Text { text: "hunter2".into(), len: 7 }),
        };
        value(row, Trust::AtCrash, Data::Struct(vec![qty, password]))
    });
    let rows = Data::Sequence { items: rows.collect(), len: 1000 };
    let hostile = "a\u{1b}[31m\u{202e}b\n";
    let arguments = vec![
        Argument { name: "side".into(), value: value(byte, Trust::Entry, Data::Uint(7)) },
        Argument { name: "rows".into(), value: value(list, Trust::AtCrash, rows) },
        Argument {
            name: "name".into(),
            value: value(
                text,
                Trust::Suspect,
                Data::Text { text: hostile.into(), len: hostile.len() as u64 },
            ),
        },
        Argument { name: "gone".into(), value: Value::missing(byte, Trust::OptimizedOut, "optimized out") },
    ];
    let mut main = frame("demo::main", FrameKind::Workspace, place("src/main.rs", 2), vec![]);
    main.arguments_missing = Some("built without debug info; set debug = 2".into());
    let std = |name: &str| frame(name, FrameKind::Std, place("library/core/src/panicking.rs", 80), vec![]);
    let dependency = place("itertools-0.13.0/src/lib.rs", 9);
    let frames = vec![
        std("core::panicking::panic_fmt"),
        std("core::panicking::panic_bounds_check"),
        frame("demo::price", FrameKind::Workspace, place("src/lib.rs", 3), arguments),
        frame("itertools::map::<u8>", FrameKind::Dependency, dependency, vec![]),
        main,
        std("std::rt::lang_start"),
    ];
    let worker = vec![
        std("std::thread::park"),
        frame("demo::work", FrameKind::Workspace, place("src/work.rs", 8), vec![]),
    ];
    Snapshot {
        format: 1,
        id: String::new(),
        time: "2026-11-23T09:41:08Z".into(),
        clock: None,
        cause: Cause { kind: CauseKind::Panic, message: message.into(), signal: None },
        location: place("src/lib.rs", 3),
        caught_by: vec![Catcher::TestHarness, Catcher::Thread],
        threads: vec![
            Thread { tid: 10, name: Some("main".into()), spawned_by: None, stack_size: None, frames },
            Thread { tid: 11, name: None, spawned_by: None, stack_size: None, frames: worker },
        ],
        made: Vec::new(),
        types,
        program: Program {
            name: "demo".into(),
            rustc: Some("rustc version 1.95.0 (59807616e 2026-04-14)".into()),
            command: ["cargo", "run", "--", "in put.txt", "--password=hunter2"].map(str::to_owned).to_vec(),
            arguments: vec!["in put.txt".into(), "--password=hunter2".into()],
            build: Some(Build {
                profile: "dev".into(),
                features: vec!["fast".into()],
                no_default_features: true,
                ..Build::default()
            }),
            ..Program::default()
        },
        fingerprint: String::new(),
        count: 1,
        notes: vec!["std has no parameter entries".into()],
    }
}

#[test]
fn help_of_every_verb_is_as_it_was_accepted() {
    let project = Project::new();
    insta::assert_snapshot!("help", project.shown(&["--help"]));
    let text = String::from_utf8(project.run(&["--help"]).stdout).unwrap();
    let verbs =
        text.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    let verbs: Vec<&str> = verbs.filter_map(|line| line.strip_prefix("  ")?.split(' ').next()).collect();
    assert!(verbs.len() > 12, "{verbs:?}");
    for verb in verbs.into_iter().filter(|verb| !verb.is_empty() && *verb != "help") {
        insta::assert_snapshot!(format!("help_{verb}"), project.shown(&[verb, "--help"]));
    }
}

#[test]
fn the_three_ways_to_start_it_are_the_same() {
    let project = Project::new();
    let plain = project.run(&["list"]);
    let by_cargo = project.run(&["relapse", "list"]);
    assert_eq!((status(&plain), &plain.stderr), (0, &by_cargo.stderr));
    assert_eq!(status(&project.run(&["relapse", "relapse", "list"])), 64);
    let version = project.run(&["relapse", "--version"]);
    assert_eq!(status(&version), 0);
    assert!(String::from_utf8(version.stdout).unwrap().starts_with("cargo-relapse "));
}

#[test]
fn wrong_usage_ends_with_64_and_says_so_on_stderr() {
    let project = Project::new();
    for words in [&[][..], &["lists"], &["list", "--wrong"], &["show", "a", "b"], &["rm"]] {
        let output = project.run(words);
        assert_eq!(status(&output), 64, "{words:?}");
        assert!(output.stdout.is_empty() && !output.stderr.is_empty(), "{words:?}");
    }
}

#[test]
fn an_empty_store_is_listed_and_not_created() {
    let project = Project::new();
    let output = project.run(&["list"]);
    assert_eq!(status(&output), 0);
    assert!(output.stdout.is_empty());
    assert!(String::from_utf8(output.stderr).unwrap().contains("cargo relapse run"));
    assert!(!project.path().join(".relapse").exists());
}

#[test]
fn list_shows_a_table() {
    let project = Project::new();
    let long = format!("called `Option::unwrap()` on a `None` value {}\nsecond line", "x".repeat(200));
    for message in ["index out of bounds: the len is 3 but the index is 7", long.as_str()] {
        project.store().put(crash(message)).unwrap();
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    insta::assert_snapshot!("list", project.shown(&["list"]));
}

#[test]
fn list_json_has_the_fields_of_the_contract() {
    let project = Project::new();
    let kept = project.store().put(crash("boom 7")).unwrap();
    let output = project.run(&["list", "--json"]);
    assert_eq!(status(&output), 0);
    let lines = json_lines(&output);
    let expected = serde_json::json!({
        "id": kept.id,
        "time": "2026-11-23T09:41:08Z",
        "cause": { "kind": "panic", "message": "boom 7", "signal": null },
        "location": { "file": "src/lib.rs", "line": 3, "column": 5 },
        "function": "demo::price",
        "package": "demo",
        "fingerprint": kept.fingerprint,
        "count": 1,
        "command": "cargo run -- 'in put.txt' --password=xxxxxx0",
    });
    assert_eq!(lines, [expected]);
}

#[test]
fn a_damaged_file_is_reported_and_skipped() {
    let project = Project::new();
    project.store().put(crash("boom")).unwrap();
    fs::write(project.store().path("0123456789abcdef"), "garbage").unwrap();
    insta::assert_snapshot!(
        "damaged",
        project
            .shown(&["list", "--json"])
            .lines()
            .skip_while(|l| !l.starts_with("--- stderr"))
            .collect::<Vec<_>>()
            .join("\n")
    );
    let output = project.run(&["show", "0123"]);
    assert_eq!(status(&output), 65);
}

#[test]
fn show_prints_the_crash() {
    let project = Project::new();
    project.store().put(crash("index out of bounds: the len is 3 but the index is 7")).unwrap();
    insta::assert_snapshot!("show", project.shown(&["show", "latest"]));
    insta::assert_snapshot!("show_all_frames", project.shown(&["show", "--all-frames"]));
    let output = project.run(&["show", "latest", "--json"]);
    let lines = json_lines(&output);
    assert_eq!(lines.len(), 1);
    assert_eq!(lines[0]["threads"][0]["frames"][2]["arguments"][0]["name"], "side");
}

#[test]
fn show_cuts_a_long_message_and_json_has_all_of_it() {
    let project = Project::new();
    project.store().put(crash(&"x".repeat(1 << 20))).unwrap();
    let output = project.run(&["show", "latest"]);
    assert!(output.stdout.len() < 1 << 14, "{}", output.stdout.len());
    assert!(project.run(&["show", "latest", "--json"]).stdout.len() > 1 << 20);
}

#[test]
fn nothing_hostile_reaches_the_terminal() {
    let project = Project::new();
    let evil = "\u{1b}]0;title\u{7}\u{202e}\u{9b}2J\r";
    let mut snapshot = crash(evil);
    snapshot.location = place(evil, 1);
    snapshot.notes = vec![evil.into()];
    snapshot.program.command = vec![evil.into()];
    snapshot.program.name = evil.into();
    snapshot.time = evil.into();
    for thread in &mut snapshot.threads {
        thread.name = Some(evil.into());
        for frame in &mut thread.frames {
            frame.function = evil.into();
            frame.package = Some(evil.into());
            frame.location = place(evil, 1);
            frame.arguments_missing = Some(evil.into());
            for argument in &mut frame.arguments {
                argument.name = evil.into();
            }
        }
    }
    project.store().put(snapshot).unwrap();
    for words in [&["list"][..], &["show"], &["show", "--all-frames"]] {
        let output = project.run(words);
        assert_eq!(status(&output), 0);
        for text in [output.stdout, output.stderr] {
            let text = String::from_utf8(text).unwrap();
            assert!(text.chars().all(|c| c == '\n' || !(c.is_control() || c == '\u{202e}')), "{text:?}");
        }
    }
}

#[test]
fn unknown_and_ambiguous_names_are_bad_input() {
    let project = Project::new();
    assert_eq!(status(&project.run(&["show"])), 65);
    let ids: Vec<String> = (0..20).map(|_| project.store().put(crash("boom")).unwrap().id).collect();
    let unknown = project.run(&["show", "nosuch"]);
    assert_eq!(status(&unknown), 65);
    assert!(String::from_utf8(unknown.stderr).unwrap().contains("cargo relapse list"));
    // 20 names have 16 first digits.
    let twice = ids.iter().find(|id| ids.iter().filter(|other| other[..1] == id[..1]).count() > 1).unwrap();
    let ambiguous = project.run(&["rm", &ids[0], &twice[..1]]);
    assert_eq!(status(&ambiguous), 65);
    assert_eq!(project.store().list().unwrap().snapshots.len(), 20, "a wrong name removes nothing");
}

#[test]
fn rm_removes_what_is_named() {
    let project = Project::new();
    let first = project.store().put(crash("boom 1")).unwrap();
    let second = project.store().put(crash("boom 2")).unwrap();
    let output = project.run(&["rm", "--json", &first.id, &first.id[..12]]);
    assert_eq!(status(&output), 0);
    assert_eq!(json_lines(&output), [serde_json::json!({ "removed": first.id })]);
    assert_eq!(status(&project.run(&["rm", "latest"])), 0);
    assert!(!project.store().path(&second.id).exists());
}

#[test]
fn clean_removes_scratch_and_leftovers_only() {
    let project = Project::new();
    let kept = project.store().put(crash("boom")).unwrap();
    let folder = project.path().join(".relapse");
    fs::create_dir_all(folder.join("scratch/target/debug")).unwrap();
    fs::write(folder.join("snapshots/.tmp-abc"), "half").unwrap();
    insta::assert_snapshot!("clean", project.shown(&["clean"]));
    assert!(!folder.join("scratch").exists());
    assert!(project.store().path(&kept.id).exists());
    insta::assert_snapshot!("clean_again", project.shown(&["clean"]));
}

#[test]
fn clean_leaves_alone_what_a_living_process_works_in() {
    let project = Project::new();
    let slot = project.path().join(".relapse/scratch/3");
    fs::create_dir_all(slot.join("tree")).unwrap();
    let lock = fs::File::create(slot.join("lock")).unwrap();
    // SAFETY: flock takes an open descriptor and touches no memory.
    assert_eq!(unsafe { libc::flock(lock.as_raw_fd(), libc::LOCK_EX) }, 0);
    let busy = project.run(&["clean", "--json"]);
    assert_eq!(
        (status(&busy), json_lines(&busy)),
        (0, vec![serde_json::json!({"busy": ".relapse/scratch/3"})])
    );
    assert!(String::from_utf8(busy.stderr).unwrap().contains(".relapse/scratch/3 was left alone"));
    assert!(slot.join("tree").exists());
    drop(lock);
    let free = project.run(&["clean", "--json"]);
    assert_eq!(json_lines(&free), [serde_json::json!({"removed": ".relapse/scratch/3"})]);
}

#[test]
fn the_store_stands_at_the_workspace_root() {
    let project = Project::new();
    let member = project.path().join("deep/member/src");
    fs::create_dir_all(&member).unwrap();
    fs::write(member.join("lib.rs"), "").unwrap();
    let manifest = "[package]\nname = \"member\"\nversion = \"0.1.0\"\nedition = \"2024\"\n";
    fs::write(project.path().join("deep/member/Cargo.toml"), manifest).unwrap();
    let root = fs::read_to_string(project.path().join("Cargo.toml")).unwrap();
    fs::write(project.path().join("Cargo.toml"), root + "[workspace]\nmembers = [\"deep/member\"]\n")
        .unwrap();
    project.store().put(crash("boom")).unwrap();
    assert_eq!(json_lines(&run_in(&member, &["list", "--json"])).len(), 1);
}

#[test]
fn a_folder_without_manifest_has_a_store_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    Store::open(folder.path().join(".relapse")).unwrap().put(crash("boom")).unwrap();
    assert_eq!(json_lines(&run_in(folder.path(), &["list", "--json"])).len(), 1);
}

#[test]
fn a_broken_manifest_is_bad_input_and_says_what_cargo_says() {
    let project = Project::new();
    fs::write(project.path().join("Cargo.toml"), "[package\n").unwrap();
    let output = project.run(&["list"]);
    assert_eq!(status(&output), 65);
    assert!(String::from_utf8(output.stderr).unwrap().contains("locate-project"));
}

#[test]
fn what_is_wrong_with_a_workspace_is_told_alike_by_the_verbs_that_need_one() {
    let project = Project::new();
    project.store().put(crash("boom")).unwrap();
    project.lose_a_member();
    for words in [&["gen"][..], &["sync"], &["review"], &["replay"]] {
        let output = project.run(words);
        let text = String::from_utf8(output.stderr.clone()).unwrap();
        assert_eq!(status(&output), 65, "{words:?}: {text}");
        assert!(text.contains("next:") && text.contains("workspace member"), "{words:?}: {text}");
        assert_eq!(text.matches("failed to read the workspace").count(), 1, "{words:?}: {text}");
    }
    let folder = tempfile::tempdir().unwrap();
    Store::open(folder.path().join(".relapse")).unwrap().put(crash("boom")).unwrap();
    for words in [&["gen"][..], &["sync"], &["review"], &["replay"]] {
        let output = run_in(folder.path(), words);
        let text = String::from_utf8(output.stderr.clone()).unwrap();
        assert_eq!(status(&output), 65, "{words:?}: {text}");
        assert!(text.contains("failed to find a cargo workspace here"), "{words:?}: {text}");
    }
    let shown = run_in(folder.path(), &["show"]);
    assert!(!String::from_utf8(shown.stderr).unwrap().contains("cargo relapse gen"));
}

#[test]
fn a_report_of_an_earlier_replay_stays_until_there_is_a_new_one() {
    let project = Project::new();
    let report = project.path().join("report.xml");
    fs::write(&report, "earlier").unwrap();
    let words = ["replay", "--junit", "report.xml"];
    let manifest = fs::read_to_string(project.path().join("Cargo.toml")).unwrap();
    project.lose_a_member();
    assert_eq!(status(&project.run(&words)), 65);
    assert_eq!(fs::read_to_string(&report).unwrap(), "earlier");
    fs::write(project.path().join("Cargo.toml"), manifest).unwrap();
    assert_eq!(status(&project.run(&words)), 0);
    assert!(fs::read_to_string(&report).unwrap().contains("<testsuites"));
    let names = fs::read_dir(project.path()).unwrap().map(|entry| entry.unwrap().file_name());
    assert!(!names.into_iter().any(|name| name.to_string_lossy().starts_with(".relapse-")));
    assert_eq!(status(&project.run(&["replay", "--junit", "no/such/folder.xml"])), 73);
}

#[test]
fn a_result_that_cannot_be_written_is_told_whatever_the_status_is() {
    let project = Project::new();
    let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_cargo-relapse"));
    command.arg("doctor").current_dir(project.path()).env("PATH", project.path()).env_remove("CARGO");
    let output = command.stdout(full).output().unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(69), "{text}");
    assert!(text.contains("failed to write to stdout"), "{text}");
}

#[test]
fn a_closed_pipe_is_no_failure_and_a_full_disk_is() {
    let project = Project::new();
    project.store().put(crash("boom")).unwrap();
    let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_cargo-relapse"));
    let output = command.arg("list").current_dir(project.path()).stdout(full).output().unwrap();
    assert_eq!(status(&output), 73);
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut command = Command::new(env!("CARGO_BIN_EXE_cargo-relapse"));
    let output = command.arg("list").current_dir(project.path()).stdout(writer).output().unwrap();
    assert_eq!(status(&output), 0);
}

#[test]
fn a_crash_within_std_is_listed_by_the_line_that_called_it() {
    let project = Project::new();
    let within = |file: &str| Snapshot { location: place(file, 812), ..crash("already borrowed") };
    project.store().put(within("library/core/src/cell.rs")).unwrap();
    // A folder of the workspace's own may have that name, too.
    let mut own = within("library/a.rs");
    own.threads[0].frames[2].location = place("library/a.rs", 812);
    project.store().put(own).unwrap();
    let shown = project.shown(&["list"]);
    assert!(shown.contains("src/lib.rs:3 ") && shown.contains("library/a.rs:812 "), "{shown}");
    assert!(!shown.contains("cell.rs"), "{shown}");
    // The place as the panic has it is for programs.
    let lines = json_lines(&project.run(&["list", "--json"]));
    assert_eq!(lines[0]["location"]["file"], "library/core/src/cell.rs");
}
