//! Crashes of functions that do more than compute: they delete, write, read files, look at the environment, at statics,
//! at the clock. From the run to the test, or to the reason why there is none.

#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "a test may fail so, and says what it skips")]

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use relapse_capture::sandbox::landlock_version;
use seccompiler::{BpfProgram, SeccompAction, SeccompFilter, TargetArch};
use serde_json::Value;

#[path = "fixture/project.rs"]
mod project;
use project::Project;

const LIB: &str = r#"
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::{env, fs};

static LIMIT: AtomicUsize = AtomicUsize::new(9);
const SIZES: [usize; 3] = [10, 20, 30];

/// Empties a folder; gives the size for its number of files.
pub fn clean(folder: &Path) -> usize {
    let files = fs::read_dir(folder).unwrap().count();
    fs::remove_dir_all(folder).unwrap();
    SIZES[files]
}

/// Empties a folder once for each name.
pub fn wipe_for(mut names: Vec<String>, folder: &Path) -> usize {
    match names.pop() {
        Some(_) => wipe(folder),
        None => 0,
    }
}

fn wipe(folder: &Path) -> usize {
    fs::remove_dir_all(folder).unwrap();
    panic!("wiped")
}

/// Notes a size.
pub fn note(file: &Path, number: usize) -> usize {
    fs::write(file, number.to_string()).unwrap();
    SIZES[number]
}

/// Empties a folder, be it there or not; gives a size.
pub fn sweep(folder: &Path, number: usize) -> usize {
    let _ = fs::remove_dir_all(folder);
    SIZES[number]
}

/// Keeps a size.
pub fn keep(file: &Path, size: &str) {
    fs::write(file, size).unwrap();
}

/// Keeps a size by its number.
pub fn keep_nth(file: &Path, number: usize) {
    let size = SIZES[number];
    keep(file, &size.to_string());
}

/// A size by what the user has set.
pub fn preferred(number: usize) -> usize {
    let more = env::var("DEMO_MORE").ok().and_then(|text| text.parse().ok()).unwrap_or(0);
    SIZES[number + more]
}

/// The size that a file names.
pub fn size_in(path: &str) -> usize {
    let text = fs::read_to_string(path).unwrap();
    SIZES[text.trim().parse::<usize>().unwrap()]
}

/// A size by the length of a file, for a text.
pub fn size_of_both(text: &str, path: &str) -> usize {
    let read = fs::read_to_string(path).unwrap();
    assert_eq!(text.len(), 2000);
    SIZES[read.len()]
}

macro_rules! size {
    ($number:expr) => {{
        let number = $number;
        SIZES[number]
    }};
}

/// A size until the end of time.
pub fn until(number: usize) -> usize {
    assert!(std::time::SystemTime::now() > std::time::UNIX_EPOCH);
    size!(number)
}

fn limit() -> usize {
    LIMIT.load(Ordering::Relaxed)
}

/// A size, where the program and its limit ask for it.
pub fn helped(number: usize) -> usize {
    if env::args().any(|word| word == "helped") && limit() == 1 { size!(number) } else { 0 }
}

pub fn set_limit(limit: usize) {
    LIMIT.store(limit, Ordering::Relaxed);
}

/// A size within the limit.
pub fn limited(number: usize) -> usize {
    assert!(SIZES[number] < LIMIT.load(Ordering::Relaxed) * 10, "above the limit");
    SIZES[number]
}

/// A size that goes with the time.
pub fn at_this_time(number: usize) -> usize {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    SIZES[number + usize::from(now.subsec_nanos() / 1000 % 50 == 0)]
}
"#;

const MAIN: &str = r#"
use std::path::Path;

extern "C" {
    fn setfsuid(id: u32) -> i32;
}

fn main() {
    let words: Vec<String> = std::env::args().collect();
    let number = words.get(3).map_or(0, |text| text.parse().unwrap());
    match words[1].as_str() {
        "clean" => demo::clean(Path::new(&words[2])),
        "wipe" => demo::wipe_for(vec!["a".to_owned()], Path::new(&words[2])),
        "note" => demo::note(Path::new(&words[2]), number),
        "sweep" => demo::sweep(Path::new(&words[2]), number),
        "keep" => {
            // Also where this is root, who may write to any file.
            unsafe { setfsuid(65534) };
            demo::keep_nth(Path::new(&words[2]), number);
            0
        }
        "preferred" => demo::preferred(number),
        "size-in" => demo::size_in(&words[2]),
        "size-of-both" => demo::size_of_both(&"ab".repeat(1000), &words[2]),
        "until" => demo::until(number),
        "helped" => {
            demo::set_limit(1);
            demo::helped(number)
        }
        "limited" => {
            demo::set_limit(1);
            demo::limited(number)
        }
        _ => loop {
            demo::at_this_time(number);
        },
    };
}
"#;

fn demo() -> Project {
    Project::package(&[("src/lib.rs", LIB), ("src/main.rs", MAIN)])
}

fn crash(project: &Project, words: &[&str], variables: &[(&str, &str)]) {
    let mut command = project.command(&["run", "--", "cargo", "run", "-q", "--"]);
    let output = command.args(words).envs(variables.iter().copied()).output().unwrap();
    assert_eq!(output.status.code(), Some(101), "{}", String::from_utf8_lossy(&output.stderr));
}

/// What `gen` says of the latest crash.
fn generated(project: &Project, words: &[&str]) -> Value {
    let output = project.command(&["gen", "--latest", "--no-rerun", "--json"]).args(words).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    serde_json::from_str(text.lines().next().unwrap_or_else(|| {
        panic!("no line: {}", String::from_utf8_lossy(&output.stderr));
    }))
    .unwrap()
}

fn test_of(project: &Project, line: &Value) -> String {
    assert_eq!(line["status"], "verified", "{line:#}");
    fs::read_to_string(project.path().join(line["file"].as_str().unwrap())).unwrap()
}

/// The reason why a function is no target.
fn reason(line: &Value, function: &str) -> String {
    assert_eq!(line["status"], "unverified", "{line:#}");
    let rejected = line["rejected"].as_array().unwrap();
    let own = rejected.iter().find(|rejected| rejected["function"] == function);
    own.unwrap_or_else(|| panic!("{line:#}"))["reason"].as_str().unwrap().to_owned()
}

/// Each file below a folder with its content.
fn tree(folder: &Path) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        found.insert(path.display().to_string(), fs::read_to_string(&path).unwrap_or_default());
    }
    found
}

#[test]
fn what_a_function_would_destroy_is_there_afterwards() {
    if landlock_version().is_none() {
        eprintln!("skipped: this kernel has no Landlock");
        return;
    }
    let project = demo();
    let folder = tempfile::tempdir().unwrap();
    let precious = folder.path().join("precious");
    let fill = || {
        fs::create_dir_all(&precious).unwrap();
        (0..5).for_each(|number| fs::write(precious.join(number.to_string()), "data").unwrap());
        tree(&precious)
    };
    fill();
    let path = precious.to_str().unwrap();
    crash(&project, &["clean", path], &[]);
    let before = fill();
    let line = generated(&project, &[]);
    assert_eq!(tree(&precious), before);
    let said = reason(&line, "demo::clean");
    assert!(said.contains(&format!("the call wanted to remove or rename {path}/")), "{said}");
    assert!(
        said.contains(&format!("which the sandbox forbids (`--allow-write {path}` allows it)")),
        "{said}"
    );
    assert!(line["reason"].as_str().unwrap().contains("which the sandbox forbids"), "{line:#}");

    let file = folder.path().join("notes.txt");
    crash(&project, &["note", file.to_str().unwrap(), "3"], &[]);
    fs::write(&file, "before").unwrap();
    let said = reason(&generated(&project, &[]), "demo::note");
    assert!(said.contains(&format!("the call wanted to write to {}", file.display())), "{said}");
    assert_eq!(fs::read_to_string(&file).unwrap(), "before");
    // Nor is the command run again, which would write to it: what was forbidden says nothing of the values.
    let shown = project.command(&["gen", "--latest"]).output().unwrap();
    let shown = String::from_utf8_lossy(&[shown.stdout, shown.stderr].concat()).into_owned();
    assert!(shown.contains("which the sandbox forbids") && !shown.contains("command again"), "{shown}");
    assert_eq!(fs::read_to_string(&file).unwrap(), "before");
    let line = generated(&project, &["--allow-write", file.to_str().unwrap()]);
    assert_eq!((&line["status"], &line["function"]), (&"verified".into(), &"demo::note".into()), "{line:#}");
    assert_eq!(fs::read_to_string(&file).unwrap(), "3");
    assert_eq!(project.left(), Vec::<std::path::PathBuf>::new());
}

#[test]
fn a_command_that_would_do_what_the_sandbox_forbade_is_not_run_again_unasked() {
    if landlock_version().is_none() {
        eprintln!("skipped: this kernel has no Landlock");
        return;
    }
    let project = demo();
    let folder = tempfile::tempdir().unwrap();
    let precious = folder.path().join("precious");
    let path = precious.to_str().unwrap();
    let fill = || {
        fs::create_dir_all(&precious).unwrap();
        fs::write(precious.join("a"), "data").unwrap();
    };
    let said = |words: &[&str]| {
        let shown = project.command(&["gen", "--latest"]).args(words).output().unwrap();
        String::from_utf8_lossy(&[shown.stdout, shown.stderr].concat()).into_owned()
    };
    fill();
    crash(&project, &["wipe", path], &[]);
    fill();
    // The function that forbids nothing itself was given a name, and has none by now.
    let first = said(&[]);
    assert!(first.contains("but it would do what the sandbox forbade: --rerun allows it"), "{first}");
    assert!(!first.contains("running the command again"), "{first}");
    assert_eq!(fs::read_to_string(precious.join("a")).unwrap(), "data");
    let allowed = said(&["--allow-write", folder.path().to_str().unwrap()]);
    assert!(allowed.contains("but it would do once more what was allowed: --rerun allows it"), "{allowed}");
    assert!(allowed.contains("what one run is allowed to change, the next one finds changed"), "{allowed}");
    fill();
    let asked = said(&["--rerun"]);
    assert!(asked.contains("running the command again") && !precious.exists(), "{asked}");
}

#[test]
fn a_test_that_would_do_what_the_sandbox_forbids_is_not_put_in_place() {
    if landlock_version().is_none() {
        eprintln!("skipped: this kernel has no Landlock");
        return;
    }
    let project = demo();
    let folder = tempfile::tempdir().unwrap();
    let precious = folder.path().join("precious");
    let path = precious.to_str().unwrap();
    crash(&project, &["sweep", path, "3"], &[]);
    fs::create_dir_all(&precious).unwrap();
    fs::write(precious.join("a"), "data").unwrap();
    let line = generated(&project, &[]);
    // The function itself does not mind that it may not, and shows its crash.
    let said = reason(&line, "demo::sweep");
    assert!(said.starts_with("the crash came back, but the call wanted to remove or rename "), "{said}");
    assert!(said.contains(&format!("`--allow-write {path}` allows it")), "{said}");
    assert!(said.ends_with("a test of it would do so each time that it runs"), "{said}");
    assert_eq!(line["reason"], format!("demo::sweep: {said}"));
    assert!(project.command_of("cargo", &["test", "-q"]).status().unwrap().success());
    assert_eq!(fs::read_to_string(precious.join("a")).unwrap(), "data");
    let line = generated(&project, &["--allow-write", folder.path().to_str().unwrap()]);
    assert_eq!((&line["status"], &line["function"]), (&"verified".into(), &"demo::sweep".into()), "{line:#}");
}

#[test]
fn a_file_that_may_be_written_by_now_is_not_taken_for_the_crash() {
    if landlock_version().is_none() {
        eprintln!("skipped: this kernel has no Landlock");
        return;
    }
    let project = demo();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("size.txt");
    fs::write(&file, "before").unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o444)).unwrap();
    crash(&project, &["keep", file.to_str().unwrap(), "1"], &[]);
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    // What the sandbox says is what the system said then.
    let said = reason(&generated(&project, &[]), "demo::keep");
    let wanted = format!("the crash came back, but the call wanted to write to {}", file.display());
    assert!(said.starts_with(&wanted), "{said}");
    assert_eq!(fs::read_to_string(&file).unwrap(), "before");
    let said = reason(&generated(&project, &["--allow-write", file.to_str().unwrap()]), "demo::keep");
    assert_eq!(said, "the test passed");
}

#[test]
fn without_landlock_gen_and_review_say_so_and_go_on() {
    use std::os::unix::process::CommandExt as _;
    let project = demo();
    crash(&project, &["preferred", "-", "3"], &[]);
    // A kernel without it: the calls that make its rules are not there.
    let absent = [(libc::SYS_landlock_create_ruleset, Vec::new())].into_iter().collect();
    let (allow, errno) = (SeccompAction::Allow, SeccompAction::Errno(libc::ENOSYS as u32));
    let filter = SeccompFilter::new(absent, allow, errno, TargetArch::x86_64).unwrap();
    let filter = BpfProgram::try_from(filter).unwrap();
    let account = |words: &[&str]| -> Value {
        let (mut command, filter) = (project.command(words), filter.clone());
        // SAFETY: one system call between fork and exec.
        unsafe {
            command.pre_exec(move || seccompiler::apply_filter(&filter).map_err(std::io::Error::other))
        };
        let output = command.output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(said.contains("this kernel has no Landlock"), "{said}");
        let text = String::from_utf8(output.stdout).unwrap();
        serde_json::from_str(text.lines().next().unwrap()).unwrap()
    };
    let line = account(&["gen", "--latest", "--no-rerun", "--json"]);
    assert_eq!(line["status"], "verified", "{line:#}");
    assert_eq!(account(&["review", "--json"])["status"], "open");
}

#[test]
fn a_variable_of_the_crashed_program_is_set_for_the_call_alone() {
    let project = demo();
    crash(&project, &["preferred", "-", "1"], &[("DEMO_MORE", "2"), ("UNRELATED", "x")]);
    // Also where the variable is set while the test is made: elsewhere it is not.
    let mut command = project.command(&["gen", "--latest", "--json"]);
    let output = command.env("DEMO_MORE", "2").output().unwrap();
    let line: Value =
        serde_json::from_str(String::from_utf8_lossy(&output.stdout).lines().next().unwrap()).unwrap();
    let test = test_of(&project, &line);
    assert!(test.contains(".env(\"DEMO_MORE\", \"2\")") && !test.contains("UNRELATED"), "{test}");
    let outcome = project.command_of("cargo", &["test", "-q"]).output().unwrap();
    let said = String::from_utf8_lossy(&outcome.stdout).into_owned();
    assert!(said.contains("1 failed") && said.contains("the len is 3 but the index is 3"), "{said}");
    project.write(
        "src/lib.rs",
        fs::read_to_string(project.path().join("src/lib.rs"))
            .unwrap()
            .replace("number + more", "(number + more).min(2)"),
    );
    assert!(project.command_of("cargo", &["test", "-q"]).status().unwrap().success());
}

#[test]
fn a_file_that_an_argument_names_is_brought_along() {
    let project = demo();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a size.txt");
    fs::write(&file, "7\n").unwrap();
    crash(&project, &["size-in", file.to_str().unwrap()], &[]);
    let line = generated(&project, &[]);
    fs::remove_file(&file).unwrap();
    let test = test_of(&project, &line);
    assert_eq!(line["function"], "demo::size_in");
    let (_, body) = test.split_once("#[test]").unwrap();
    assert!(!body.contains(folder.path().to_str().unwrap()), "{test}");
    assert!(test.contains("/regressions/lib/size_in_index_out_of_bounds/a_size.txt\""), "{test}");
    let name = line["file"].as_str().unwrap().strip_suffix(".rs").unwrap();
    assert_eq!(fs::read_to_string(project.path().join(name).join("a_size.txt")).unwrap(), "7\n");
    let outcome = project.command_of("cargo", &["test", "-q"]).output().unwrap();
    let said = String::from_utf8_lossy(&outcome.stdout).into_owned();
    assert!(said.contains("1 failed") && said.contains("the len is 3 but the index is 7"), "{said}");
}

#[test]
fn a_static_or_the_clock_is_given_as_the_reason() {
    let project = demo();
    crash(&project, &["limited", "-", "1"], &[]);
    let said = reason(&generated(&project, &[]), "demo::limited");
    assert!(said.ends_with("; limited reads the static LIMIT, which a test does not set"), "{said}");
    assert!(!said.contains("SIZES"), "{said}");
    // A number is what it was: to run the command again would tell nothing.
    let shown = project.command(&["gen", "--latest"]).output().unwrap();
    let shown = String::from_utf8_lossy(&shown.stderr).into_owned();
    assert!(!shown.contains("second run") && !shown.contains("command again"), "{shown}");

    crash(&project, &["time", "-", "2"], &[]);
    let line = generated(&project, &[]);
    // That all of three runs meet a fiftieth of the time by chance does not happen.
    let said = reason(&line, "demo::at_this_time");
    assert!(said.ends_with("; at_this_time reads the clock"), "{said}");
    let counted = line["reason"].as_str().unwrap();
    let reproduced = (0..=10).find(|k| counted.contains(&format!("in {k} of "))).unwrap();
    assert_eq!(said.contains("comes and goes"), reproduced > 0, "{counted}");
}

#[test]
fn the_working_folder_of_the_crash_is_the_calls() {
    let project = Project::package(&[
        ("inner/src/lib.rs", LIB),
        ("inner/src/main.rs", MAIN),
        ("inner/Cargo.toml", "[package]\nname = \"demo\"\nversion = \"0.1.0\"\nedition = \"2021\"\n"),
        ("Cargo.toml", "[workspace]\nmembers = [\"inner\"]\nresolver = \"2\"\n"),
        ("data/size.txt", "9"),
    ]);
    crash(&project, &["size-in", "data/size.txt"], &[]);
    let test = test_of(&project, &generated(&project, &[]));
    assert!(test.contains(".current_dir(concat!(env!(\"CARGO_MANIFEST_DIR\"), \"/..\"))"), "{test}");
    assert!(test.contains("\"data/size.txt\""), "{test}");
    let outcome = project.command_of("cargo", &["test", "-q"]).output().unwrap();
    let said = String::from_utf8_lossy(&outcome.stdout).into_owned();
    assert!(said.contains("the len is 3 but the index is 9"), "{said}");
}

#[test]
fn a_file_does_not_take_the_place_of_a_value_or_of_the_test_itself() {
    let project = demo();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("text.txt");
    fs::write(&file, "9 bytes.\n").unwrap();
    crash(&project, &["size-of-both", file.to_str().unwrap(), "3"], &[]);
    let line = generated(&project, &[]);
    assert_eq!(line["function"], "demo::size_of_both", "{line:#}");
    let test = test_of(&project, &line);
    assert!(test.contains("/2_text.txt\""), "{test}");
    let data = project.path().join(line["file"].as_str().unwrap().strip_suffix(".rs").unwrap());
    assert_eq!(fs::read_to_string(data.join("2_text.txt")).unwrap(), "9 bytes.\n");
    assert_eq!(fs::read_to_string(data.join("text.txt")).unwrap(), "ab".repeat(1000));

    let file = folder.path().join("mod.rs");
    fs::write(&file, "7\n").unwrap();
    crash(&project, &["size-in", file.to_str().unwrap()], &[]);
    let line = generated(&project, &[]);
    assert!(test_of(&project, &line).contains("/mod.rs.txt\""), "{line:#}");
    let outcome = project.command_of("cargo", &["test", "-q"]).output().unwrap();
    let said = String::from_utf8_lossy(&outcome.stdout).into_owned();
    assert!(said.contains("2 failed") && said.contains("the index is 9"), "{said}");
}

#[test]
fn a_file_beside_the_workspace_is_brought_along_by_its_relative_name() {
    let project = Project::package(&[
        ("w/src/lib.rs", LIB),
        ("w/src/main.rs", MAIN),
        (
            "w/Cargo.toml",
            "[package]\nname = \"demo\"\nversion = \"0.1.0\"\nedition = \"2021\"\n[workspace]\n",
        ),
        ("data/in.dat", "7\n"),
    ]);
    fs::remove_file(project.path().join("Cargo.toml")).unwrap();
    let in_w = |words: &[&str]| {
        let mut command = project.command(words);
        let output = command.current_dir(project.path().join("w")).output().unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    in_w(&["run", "--", "cargo", "run", "-q", "--", "size-in", "../data/in.dat"]);
    let line: Value = serde_json::from_str(&in_w(&["gen", "--no-rerun", "--json"])).unwrap();
    assert_eq!(line["status"], "verified", "{line:#}");
    let test = fs::read_to_string(project.path().join("w").join(line["file"].as_str().unwrap())).unwrap();
    let (_, body) = test.split_once("#[test]").unwrap();
    assert!(body.contains("/in.dat\"") && !body.contains("../data"), "{test}");

    // One that cannot be brought along is the reason.
    fs::write(project.path().join("data/in.dat"), "password: hunter2\n").unwrap();
    in_w(&["run", "--", "cargo", "run", "-q", "--", "size-in", "../data/in.dat"]);
    let line: Value = serde_json::from_str(&in_w(&["gen", "--no-rerun", "--json"])).unwrap();
    let said = reason(&line, "demo::size_in");
    assert!(said.contains("/data/in.dat, which is not in the copy of the workspace"), "{said}");
}

#[test]
fn what_is_another_thing_in_each_run_stands_in_the_header_of_the_test() {
    let project = demo();
    crash(&project, &["until", "-", "3"], &[]);
    let test = test_of(&project, &generated(&project, &[]));
    assert!(test.contains("\n// until reads the clock\n"), "{test}");
}

#[test]
fn what_a_test_does_not_have_is_named_through_a_macro_and_a_helper() {
    let project = demo();
    crash(&project, &["helped", "-", "3"], &[]);
    let said = reason(&generated(&project, &[]), "demo::helped");
    assert!(said.contains("; helped reads the program's arguments, which a test does not have"), "{said}");
    assert!(said.ends_with("; limit reads the static LIMIT, which a test does not set"), "{said}");
}

#[test]
fn a_file_that_git_ignores_is_said_to_be_missing_elsewhere() {
    let project = demo();
    if !project.command_of("git", &["init", "-q"]).status().is_ok_and(|status| status.success()) {
        eprintln!("skipped: there is no git");
        return;
    }
    project.write(".gitignore", "ignored/\ntarget/\n");
    project.write("ignored/in.txt", "7\n");
    crash(&project, &["size-in", "ignored/in.txt"], &[]);
    let test = test_of(&project, &generated(&project, &[]));
    assert!(
        test.contains("// it reads ignored/in.txt, which git ignores: a fresh clone lacks it\n"),
        "{test}"
    );
}
