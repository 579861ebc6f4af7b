//! Every input that is kept goes through its target: what was found once is not found again. Needs no fuzzer.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use relapse_fuzz::{Body, TARGETS};

/// As the fuzzer's own limit. A target takes milliseconds where nothing is wrong.
const LONGEST: Duration = Duration::from_secs(10);

fn package() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The files of a folder; none where it is not there.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    files.sort();
    files
}

fn replay(name: &str, body: Body) {
    let corpus = files(&package().join("corpus").join(name));
    assert!(!corpus.is_empty(), "no input is kept of {name}");
    for file in corpus.into_iter().chain(files(&package().join("findings").join(name))) {
        // The last line names the input that panics.
        println!("{}", file.display());
        let bytes = fs::read(&file).expect("the input can be read");
        let begin = Instant::now();
        body(&bytes);
        assert!(begin.elapsed() < LONGEST, "{} took {:?}", file.display(), begin.elapsed());
    }
}

macro_rules! replayed {
    ($($name:ident)*) => {
        $(
            #[test]
            fn $name() {
                replay(stringify!($name), relapse_fuzz::$name::body);
            }
        )*

        const REPLAYED: &[&str] = &[$(stringify!($name)),*];
    };
}

replayed!(cargo_config image panic redaction settings snapshot_file snapshot_json source values);

#[test]
fn every_target_is_replayed() {
    let targets: Vec<&str> = TARGETS.iter().map(|(name, _)| *name).collect();
    assert_eq!(targets, REPLAYED);
    let programs: BTreeSet<String> = files(&package().join("fuzz_targets"))
        .iter()
        .map(|file| file.file_stem().unwrap_or_default().to_string_lossy().into_owned())
        .collect();
    assert_eq!(programs, targets.iter().map(|name| (*name).to_owned()).collect());
    for folder in ["corpus", "findings", "dictionaries"] {
        for file in files(&package().join(folder)) {
            let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            assert!(targets.contains(&name.as_str()), "{} belongs to no target", file.display());
        }
    }
}

#[test]
fn corpora_are_small() {
    const MOST: u64 = 300 << 10;
    let folders = ["corpus", "findings"].map(|folder| files(&package().join(folder)));
    let inputs = folders.into_iter().flatten().flat_map(|folder| files(&folder));
    let total: u64 = inputs.map(|file| fs::metadata(file).map_or(0, |metadata| metadata.len())).sum();
    assert!(total <= MOST, "{total} bytes");
}
