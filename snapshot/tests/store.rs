//! The store on disk: what is written is read back, many writers at once, damage is reported and skipped.

#![allow(clippy::unwrap_used, reason = "a test may fail so")]

#[path = "support/snapshots.rs"]
mod support;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use proptest::prelude::*;
use relapse_snapshot::depth::MAX_DEPTH;
use relapse_snapshot::store::{KeptCommand, KeptInput, SIZE_MAX, new_name};
use relapse_snapshot::*;
use support::{snapshot, text, value};

fn store() -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path().join(".relapse")).unwrap();
    (folder, store)
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn what_is_written_is_read_back() {
    let (_folder, store) = store();
    let numbers = vec![
        ("max", value(Data::Uint(u128::MAX))),
        ("min", value(Data::Int(i128::MIN))),
        ("nan", value(Data::Float(f64::NAN.to_bits() | 1))),
        ("bytes", value(Data::Bytes { bytes: (0..=255).collect(), len: 1000 })),
        ("text", text("a\u{0}\u{1b}\"\\ü\u{10ffff}")),
    ];
    let kept = store.put(snapshot("boom", numbers)).unwrap();
    assert_eq!(kept.id.len(), 16);
    assert_eq!(kept.fingerprint.len(), 16);
    assert!(kept.time.ends_with('Z') && kept.time.len() == 20, "{}", kept.time);
    assert_eq!(store.get(&kept.id).unwrap(), kept);
    assert_eq!(store.get("latest").unwrap(), kept);
    assert_eq!(store.get(&kept.id[..4].to_uppercase()).unwrap(), kept);
    assert!(kept.types.find("u8").is_some());
    assert_eq!(store.get(&kept.id).unwrap().types.find("u8"), kept.types.find("u8"));
}

fn command(words: &[&str]) -> KeptCommand {
    let words = words.iter().map(|&word| word.to_owned()).collect();
    KeptCommand::new(words, "/work".into(), KeptInput::Empty, false, 3)
}

#[test]
fn command_of_a_run_is_found_by_its_snapshots_and_goes_with_the_last_one() {
    let (_folder, store) = store();
    let kept = match store.put_or_count(snapshot("boom", vec![]), "run-1", 3).unwrap() {
        Kept::New(kept) | Kept::Uncounted(kept, _) => kept.id,
        Kept::Counted { .. } => unreachable!(),
    };
    let other = store.put(snapshot("other", vec![])).unwrap().id;
    let command = command(&["cargo", "run", "--", "a b"]);
    assert!(store.keep_command("run-1", &command).unwrap());
    assert_eq!(store.command_of(&kept).unwrap(), Some(command));
    assert_eq!(store.command_of(&other).unwrap(), None);
    let file = store.folder().join("runs/run-1.command");
    assert_eq!(mode(&file), 0o600);
    assert!(store.list().unwrap().damaged.is_empty());
    assert!(store.sweep().unwrap().is_empty());
    store.remove(&kept).unwrap();
    assert!(!file.exists());
}

#[test]
fn piped_input_is_private_and_goes_with_the_last_snapshot_of_its_run() {
    let (_folder, store) = store();
    let keep = || match store.put_or_count(snapshot("boom", vec![]), "run-1", 3).unwrap() {
        Kept::New(kept) | Kept::Uncounted(kept, _) => kept.id,
        Kept::Counted { .. } => unreachable!(),
    };
    let kept = [keep(), keep()];
    assert_eq!(store.input_of(&kept[0]).unwrap(), None);
    assert!(store.keep_input("run-1", b"7\xff\n").unwrap());
    assert!(store.sweep().unwrap().is_empty());
    store.remove(&kept[0]).unwrap();
    assert_eq!(store.input_of(&kept[1]).unwrap().as_deref(), Some(&b"7\xff\n"[..]));
    let file = store.folder().join("runs/run-1.input");
    assert_eq!(mode(&file), 0o600);
    store.remove(&kept[1]).unwrap();
    assert!(!file.exists());
    assert!(store.keep_input("run-2", b"of a run without a snapshot").unwrap());
    assert!(store.sweep().unwrap().contains(&store.folder().join("runs/run-2.input")));
}

#[test]
fn piped_input_with_a_secret_is_not_kept() {
    let (_folder, store) = store();
    assert!(!store.keep_input("run-1", b"user=me\npassword=hunter2\n").unwrap());
    assert!(!store.folder().join("runs/run-1.input").exists());
}

#[test]
fn command_with_a_secret_is_not_kept() {
    let (_folder, store) = store();
    for words in
        [&["prog", "--password", "hunter2"][..], &["prog", "api_key=abcdef"], &["prog", "-x", "--secret=x1"]]
    {
        assert!(!store.keep_command("run-1", &command(words)).unwrap(), "{words:?}");
    }
    assert!(fs::read_dir(store.folder().join("runs")).unwrap().next().is_none());
    assert!(store.keep_command("../run", &command(&["prog"])).is_err());
}

#[test]
fn files_are_private_and_ignored_by_git() {
    let (_folder, store) = store();
    let kept = store.put(snapshot("boom", vec![])).unwrap();
    assert_eq!(mode(&store.path(&kept.id)), 0o600);
    assert_eq!(mode(store.folder()), 0o700);
    assert_eq!(mode(&store.folder().join("snapshots")), 0o700);
    assert!(fs::read_to_string(store.folder().join(".gitignore")).unwrap().ends_with("\n*\n"));
}

#[test]
fn a_store_that_is_not_there_is_empty_and_stays_so() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::at(folder.path().join(".relapse"));
    assert!(store.list().unwrap().snapshots.is_empty());
    assert!(matches!(store.get("latest"), Err(SnapshotError::Empty { .. })));
    assert!(matches!(store.get("ab"), Err(SnapshotError::NotFound { .. })));
    assert!(store.sweep().unwrap().is_empty());
    assert!(!store.folder().exists());
}

#[test]
fn snapshots_are_listed_oldest_first() {
    let (_folder, store) = store();
    let ids: Vec<String> =
        (0..5).map(|n| store.put(snapshot(&format!("boom {n}"), vec![])).unwrap().id).collect();
    let mut old = snapshot("older", vec![]);
    old.time = "2001-01-01T00:00:00Z".into();
    let old = store.put(old).unwrap().id;
    let listed: Vec<String> = store.list().unwrap().snapshots.into_iter().map(|s| s.id).collect();
    assert_eq!(listed, [vec![old], ids].concat());
    let latest = store.list().unwrap().snapshots.pop().unwrap();
    assert_eq!(latest.function.as_deref(), Some("demo::parse"));
    assert_eq!(latest.package.as_deref(), Some("demo"));
    assert_eq!(latest.command.len(), 4);
}

#[test]
fn prefixes_must_be_unique() {
    let (_folder, store) = store();
    let ids: Vec<String> = (0..40).map(|_| store.put(snapshot("boom", vec![])).unwrap().id).collect();
    for id in &ids {
        assert_eq!(&store.resolve(id).unwrap(), id);
    }
    // 40 names have 16 first digits.
    let ambiguous = ids.iter().find_map(|id| store.resolve(&id[..1]).err()).unwrap();
    let SnapshotError::Ambiguous { candidates, .. } = &ambiguous else { panic!("{ambiguous}") };
    assert!(candidates.len() >= 2);
    assert!(ambiguous.to_string().contains(&candidates[1]));
    for name in ["", "x", "../..", "zz/..", "*"] {
        let error = store.resolve(name).unwrap_err();
        assert!(matches!(error, SnapshotError::NotFound { .. } | SnapshotError::Ambiguous { .. }), "{error}");
    }
}

#[test]
fn damaged_files_are_reported_and_skipped() {
    let (_folder, store) = store();
    let good = store.put(snapshot("boom", vec![])).unwrap();
    let folder = store.folder().join("snapshots");
    let whole = fs::read(store.path(&good.id)).unwrap();
    let mut flipped = whole.clone();
    let middle = flipped.len() / 2;
    flipped[middle] ^= 0x55;
    let bad: Vec<(&str, Vec<u8>)> = vec![
        ("0000000000000001", vec![]),
        ("0000000000000002", b"garbage".to_vec()),
        ("0000000000000003", flipped),
        ("0000000000000004", whole.clone()),
        ("0000000000000005", zstd::encode_all(&b"{}"[..], 3).unwrap()),
        ("0000000000000006", zstd::encode_all(&b"{\"format\":0}"[..], 3).unwrap()),
        ("0000000000000007", zstd::encode_all("[".repeat(1 << 22).as_bytes(), 3).unwrap()),
    ];
    for (name, content) in &bad {
        fs::write(folder.join(format!("{name}.json.zst")), content).unwrap();
    }
    fs::create_dir(folder.join("0000000000000008.json.zst")).unwrap();
    fs::write(folder.join("notes.txt"), "not ours").unwrap();
    let listing = store.list().unwrap();
    assert_eq!(listing.snapshots.len(), 1);
    assert_eq!(listing.damaged.len(), bad.len() + 1);
    for (path, error) in &listing.damaged {
        let shown = error.to_string();
        assert!(shown.contains(path.to_str().unwrap()), "{shown}");
        assert!(matches!(error, SnapshotError::Damaged { .. }), "{shown}");
    }
    assert!(store.get("0000000000000003").is_err());
    assert_eq!(store.remove("0000000000000003").unwrap(), "0000000000000003");
    assert_eq!(store.get("latest").unwrap(), good);
}

#[test]
fn a_newer_format_is_named() {
    let (_folder, store) = store();
    store.put(snapshot("boom", vec![])).unwrap();
    let json = br#"{"format":7,"id":{"new":"form"},"future":[1]}"#;
    fs::write(store.path("00000000000000aa"), zstd::encode_all(&json[..], 3).unwrap()).unwrap();
    let error = store.get("00000000000000aa").unwrap_err();
    assert!(matches!(error, SnapshotError::Newer { format: 7, known: 1, .. }), "{error}");
    assert!(error.to_string().contains("update cargo-relapse"), "{error}");
    assert_eq!(store.list().unwrap().damaged.len(), 1);
}

#[test]
fn a_truncated_file_is_damaged_at_every_length() {
    let (_folder, store) = store();
    let kept = store.put(snapshot("boom", vec![("text", text(&"abc ".repeat(50)))])).unwrap();
    let path = store.path(&kept.id);
    let whole = fs::read(&path).unwrap();
    for len in (0..whole.len()).step_by(7).chain([whole.len() - 1]) {
        fs::write(&path, &whole[..len]).unwrap();
        assert!(matches!(store.get(&kept.id), Err(SnapshotError::Damaged { .. })), "{len}");
        assert_eq!(store.list().unwrap().damaged.len(), 1, "{len}");
    }
}

#[test]
fn a_bomb_is_refused() {
    let (_folder, store) = store();
    let mut encoder = zstd::Encoder::new(Vec::new(), 3).unwrap();
    let block = vec![b' '; 1 << 20];
    for _ in 0..257 {
        std::io::Write::write_all(&mut encoder, &block).unwrap();
    }
    fs::write(store.path("00000000000000bb"), encoder.finish().unwrap()).unwrap();
    assert!(matches!(store.get("00000000000000bb"), Err(SnapshotError::TooLarge { .. })));
}

#[test]
fn values_of_any_depth_are_written_cut_and_read_back() {
    let (_folder, store) = store();
    // Maps nest most deeply in JSON.
    let mut deep = value(Data::Bool(true));
    for _ in 0..MAX_DEPTH * 2 {
        deep = value(Data::Map { entries: vec![(value(Data::Uint(1)), deep)], len: 1 });
    }
    let kept = store.put(snapshot("boom", vec![("deep", deep)])).unwrap();
    let read = store.get(&kept.id).unwrap();
    assert_eq!(read, kept);
    assert_eq!(store.list().unwrap().snapshots.len(), 1);
    let argument = &read.frames()[1].arguments[0].value;
    assert_eq!(argument.worst_trust(), Trust::Truncated);
    assert_eq!(argument.clone().nodes(), 2 * MAX_DEPTH as u64 - 1);
}

#[test]
fn the_same_crash_is_kept_three_times_a_run_and_counted() {
    let (_folder, store) = store();
    let mut kept = vec![];
    for n in 0..5 {
        match store.put_or_count(snapshot(&format!("boom {n}"), vec![]), "run-1", 3).unwrap() {
            Kept::Uncounted(_, reason) => panic!("{reason}"),
            Kept::New(snapshot) => {
                assert_eq!(snapshot.count, n + 1);
                kept.push(snapshot);
            }
            Kept::Counted { id, count } => {
                assert_eq!(id, kept[0].id);
                assert_eq!(count, n + 1);
            }
        }
    }
    assert_eq!(kept.len(), 3);
    assert_eq!(store.count(&kept[0].fingerprint, "run-1", 95).unwrap(), Some(100));
    assert_eq!(store.count("another", "run-1", 1).unwrap(), None);
    assert!(store.list().unwrap().snapshots.iter().all(|summary| summary.count == 100));
    assert_eq!(store.get(&kept[1].id).unwrap().count, 100);
    let another = store.put_or_count(snapshot("bang", vec![]), "run-1", 3).unwrap();
    assert!(matches!(another, Kept::New(_)));
    let next_run = store.put_or_count(snapshot("boom 1", vec![]), "run-2", 3).unwrap();
    assert!(matches!(next_run, Kept::New(_)));
    for name in ["", "a/b", "..", "a b", &"x".repeat(65)] {
        let error = store.put_or_count(snapshot("boom", vec![]), name, 3).unwrap_err();
        assert!(matches!(error, SnapshotError::BadRun { .. }));
    }
}

#[test]
fn a_damaged_record_of_a_run_loses_counts_only() {
    let (_folder, store) = store();
    store.put_or_count(snapshot("boom", vec![]), "run", 3).unwrap();
    fs::write(store.folder().join("runs/run.json"), "{").unwrap();
    let listing = store.list().unwrap();
    assert_eq!((listing.snapshots.len(), listing.damaged.len()), (1, 1));
    store.put_or_count(snapshot("boom", vec![]), "run", 3).unwrap();
    assert_eq!(store.list().unwrap().snapshots.len(), 2);
}

#[test]
fn a_snapshot_whose_run_cannot_be_noted_is_kept_all_the_same() {
    let (_folder, store) = store();
    store.put(snapshot("first", vec![])).unwrap();
    // The record's place is taken: it cannot be read, nor replaced.
    fs::create_dir_all(store.folder().join("runs/run.json/x")).unwrap();
    let kept = store.put_or_count(snapshot("boom", vec![]), "run", 3).unwrap();
    let Kept::Uncounted(kept, reason) = kept else { panic!("{kept:?}") };
    assert!(reason.contains("run.json"), "{reason}");
    assert_eq!(store.get(&kept.id).unwrap().cause.message, "boom");
}

#[test]
fn a_snapshot_whose_run_cannot_be_locked_is_kept_all_the_same() {
    let (_folder, store) = store();
    fs::create_dir(store.folder().join("runs/run.lock")).unwrap();
    let kept = store.put_or_count(snapshot("boom", vec![]), "run", 3).unwrap();
    let Kept::Uncounted(kept, reason) = kept else { panic!("{kept:?}") };
    assert!(reason.contains("run.lock"), "{reason}");
    assert_eq!(store.get(&kept.id).unwrap().cause.message, "boom");
}

#[test]
fn a_record_that_a_newer_version_wrote_is_not_swept() {
    let (_folder, store) = store();
    let [newer, damaged] = ["newer", "damaged"].map(|run| store.folder().join(format!("runs/{run}.json")));
    fs::write(&newer, "{\"format\":99,\"fingerprints\":{}}").unwrap();
    fs::write(&damaged, "{").unwrap();
    assert_eq!(store.sweep().unwrap(), [damaged]);
    assert!(newer.exists());
}

#[test]
fn a_file_among_the_records_that_is_none_of_them_is_left_alone() {
    let (_folder, store) = store();
    let Kept::New(kept) = store.put_or_count(snapshot("boom", vec![]), "run", 3).unwrap() else { panic!() };
    let notes = store.folder().join("runs/my notes.json");
    fs::write(&notes, "{}").unwrap();
    store.remove(&kept.id).unwrap();
    store.sweep().unwrap();
    assert!(notes.exists() && store.list().unwrap().damaged.is_empty());
    fs::create_dir(store.folder().join("runs/folder.json")).unwrap();
    let damaged = store.list().unwrap().damaged;
    assert!(damaged[0].1.to_string().contains("it is not a file"), "{}", damaged[0].1);
    assert!(store.sweep().unwrap().is_empty());
}

#[test]
fn an_ignore_file_that_was_cut_is_written_anew() {
    let (_folder, store) = store();
    let ignore = store.folder().join(".gitignore");
    let whole = fs::read(&ignore).unwrap();
    for cut in [&whole[..0], &whole[..9], &whole[..whole.len() - 2], &vec![0; whole.len()]] {
        fs::write(&ignore, cut).unwrap();
        store.put(snapshot("boom", vec![])).unwrap();
        assert_eq!(fs::read(&ignore).unwrap(), whole);
    }
    fs::write(&ignore, "lock\n").unwrap();
    store.put(snapshot("boom", vec![])).unwrap();
    assert_eq!(fs::read(&ignore).unwrap(), b"lock\n", "the user's own");
}

#[test]
fn long_texts_are_cut_in_a_list_and_whole_in_a_snapshot() {
    let (_folder, store) = store();
    let mut long = snapshot(&"é".repeat(1 << 20), vec![]);
    long.program.command = vec!["x".repeat(50); 1 << 10];
    let kept = store.put(long).unwrap();
    let summary = store.list().unwrap().snapshots.remove(0);
    assert_eq!(summary.cause.message, format!("{}…", "é".repeat(2048)));
    assert_eq!(summary.command.len(), 82);
    assert_eq!(summary.command[81], "…");
    assert_eq!(store.get(&kept.id).unwrap(), kept);
}

#[test]
fn leftovers_are_ignored_and_swept() {
    let (_folder, store) = store();
    let Kept::New(kept) = store.put_or_count(snapshot("boom", vec![]), "run", 3).unwrap() else { panic!() };
    let leftover = store.folder().join("snapshots/.tmp-x1y2");
    fs::write(&leftover, "half a snapsh").unwrap();
    let listing = store.list().unwrap();
    assert_eq!((listing.snapshots.len(), listing.damaged.len()), (1, 0));
    assert_eq!(store.sweep().unwrap(), std::slice::from_ref(&leftover));
    assert!(!leftover.exists());
    store.remove(&kept.id).unwrap();
    let swept = store.sweep().unwrap();
    assert_eq!(swept.len(), 2, "the record and the lock of a run without snapshots: {swept:?}");
}

#[test]
fn threads_may_write_at_once() {
    let (_folder, store) = store();
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..10 {
                    store.put_or_count(snapshot("boom", vec![]), "run", 3).unwrap();
                    store.sweep().unwrap();
                    store.list().unwrap();
                }
            });
        }
    });
    let listing = store.list().unwrap();
    assert_eq!((listing.snapshots.len(), listing.damaged.len()), (3, 0));
    assert!(listing.snapshots.iter().all(|summary| summary.count == 80));
}

/// Started as a process of its own by the test below.
#[test]
fn processes_may_write_at_once() {
    const FOLDER: &str = "RELAPSE_TEST_STORE";
    if let Some(folder) = std::env::var_os(FOLDER) {
        let store = Store::open(folder).unwrap();
        for _ in 0..10 {
            store.put_or_count(snapshot("boom", vec![]), "run", 3).unwrap();
        }
        store.put(snapshot("bang", vec![])).unwrap();
        return;
    }
    let (_folder, store) = store();
    let start = || {
        Command::new(std::env::current_exe().unwrap())
            .args(["processes_may_write_at_once", "--exact"])
            .env(FOLDER, store.folder())
            .stdout(std::process::Stdio::null())
            .spawn()
            .unwrap()
    };
    let children: Vec<_> = (0..4).map(|_| start()).collect();
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    let listing = store.list().unwrap();
    assert_eq!((listing.snapshots.len(), listing.damaged.len()), (3 + 4, 0));
    assert_eq!(listing.snapshots.iter().map(|summary| summary.count).max(), Some(40));
    assert!(store.sweep().unwrap().is_empty());
}

#[test]
fn names_differ_from_call_to_call() {
    let names: std::collections::HashSet<String> = (0..1000).map(|_| new_name()).collect();
    assert_eq!(names.len(), 1000);
}

fn any_value() -> impl Strategy<Value = Value> {
    let trust = prop_oneof![Just(Trust::Entry), Just(Trust::Suspect), Just(Trust::Unreadable)];
    let leaf = prop_oneof![
        any::<bool>().prop_map(Data::Bool),
        any::<char>().prop_map(Data::Char),
        any::<i128>().prop_map(Data::Int),
        any::<u128>().prop_map(Data::Uint),
        any::<u64>().prop_map(Data::Float),
        (any::<String>(), any::<u64>()).prop_map(|(text, len)| Data::Text { text, len }),
        (any::<Vec<u8>>(), any::<u64>()).prop_map(|(bytes, len)| Data::Bytes { bytes, len }),
        (any::<u64>(), any::<u32>()).prop_map(|(secs, nanos)| Data::Duration { secs, nanos }),
        any::<String>().prop_map(Data::Missing),
        any::<u64>().prop_map(|address| Data::Pointer { address, to: None }),
        (any::<u64>(), any::<Option<u64>>()).prop_map(|(address, len)| Data::Elsewhere { address, len }),
    ];
    let leaf = (leaf, trust.clone(), any::<u32>()).prop_map(|(data, trust, ty)| Value {
        ty: TypeId(ty),
        trust,
        data,
    });
    leaf.prop_recursive(6, 64, 4, move |inner| {
        let field = (any::<String>(), inner.clone()).prop_map(|(name, value)| Field { name, value });
        let fields = prop::collection::vec(field, 0..4);
        let data = prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Data::Tuple),
            fields.clone().prop_map(Data::Struct),
            (any::<String>(), fields).prop_map(|(name, fields)| Data::Variant { name, fields }),
            (any::<u64>(), inner.clone())
                .prop_map(|(address, to)| Data::Pointer { address, to: Some(Box::new(to)) }),
            (prop::collection::vec(inner.clone(), 0..4), any::<u64>())
                .prop_map(|(items, len)| Data::Sequence { items, len }),
            (prop::collection::vec((inner.clone(), inner.clone()), 0..3), any::<u64>())
                .prop_map(|(entries, len)| Data::Map { entries, len }),
            (inner.clone(), prop::collection::vec((any::<u64>(), inner.clone()), 0..3)).prop_map(
                |(root, parts)| Data::Graph {
                    root: Box::new(root),
                    parts: parts.into_iter().map(|(address, value)| Part { address, value }).collect(),
                }
            ),
            (inner, any::<i64>(), any::<bool>()).prop_map(|(inner, state, poisoned)| Data::Cell {
                inner: Box::new(inner),
                state,
                poisoned
            }),
        ];
        (data, trust.clone()).prop_map(|(data, trust)| Value { ty: TypeId(1), trust, data })
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn any_value_survives_the_disk(value in any_value(), message: String, width in 0usize..200) {
        let (_folder, store) = store();
        let store = store.with_rules(Rules::off());
        let kept = store.put(snapshot(&message, vec![("value", value.clone())])).unwrap();
        prop_assert_eq!(&store.get(&kept.id).unwrap(), &kept);
        prop_assert_eq!(&kept.frames()[1].arguments[0].value, &value);
        let shown = display::pretty(&value, &kept.types, width);
        prop_assert!(shown.chars().all(|c| c == '\n' || !c.is_control()), "{}", shown);
    }

    #[test]
    fn redacting_twice_is_redacting_once(value in any_value(), message: String) {
        let mut snapshot = snapshot(&message, vec![("password", value.clone()), ("other", value)]);
        redact(&mut snapshot, &Rules::default());
        let once = snapshot.clone();
        prop_assert_eq!(redact(&mut snapshot, &Rules::default()), 0);
        prop_assert_eq!(snapshot, once);
    }
}

#[test]
fn crash_whose_values_are_too_large_is_kept_without_them() {
    let (_folder, store) = store();
    // What replacing secrets in it takes is no matter of this.
    let store = store.with_rules(Rules::off());
    // On disk each of these takes six bytes.
    let large = "\u{1}".repeat(SIZE_MAX as usize / 6);
    let kept = store.put(snapshot("boom", vec![("large", text(&large)), ("small", text("a"))])).unwrap();
    assert_eq!(store.get("latest").unwrap(), kept);
    let frame = &kept.threads[0].frames[1];
    assert_eq!(frame.arguments, []);
    let reason = frame.arguments_missing.as_deref().unwrap();
    assert!(
        reason.contains("larger than the 256 MiB") && reason.contains("`[limits]` in relapse.toml"),
        "{reason}"
    );
    assert_eq!(kept.notes.last().map(String::as_str), Some(reason));
}
