//! A crash of a function that reads from anything: from the run to a test that holds the bytes.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

const MANIFEST: &str = "[package]\nname = \"demo\"\nversion = \"0.1.0\"\nedition = \"2021\"\n[workspace]\n";

const LIB: &str = r#"
use std::io::{self, BufRead, Write};

/// The size that the first byte stands for.
pub fn parse<R: BufRead>(mut reader: R) -> io::Result<u8> {
    let sizes: [u8; 4] = [1, 2, 4, 8];
    let size = sizes[usize::from(reader.fill_buf()?[0])];
    reader.consume(1);
    Ok(size)
}

/// Lines of a text, one at a time.
pub struct Records<R> {
    reader: R,
    line: usize,
}

impl<R: BufRead> Records<R> {
    pub fn new(reader: R) -> Records<R> {
        Records { reader, line: 0 }
    }

    /// Writes the next line's fields.
    pub fn copy_next<W: Write>(&mut self, out: &mut W) -> io::Result<()> {
        let text = self.reader.fill_buf()?;
        let line = text.split(|b| *b == b'\n').next().unwrap_or_default();
        let comma = line.iter().position(|b| *b == b',').unwrap();
        let used = line.len() + 1;
        out.write_all(&line[..comma])?;
        self.reader.consume(used);
        self.line += 1;
        Ok(())
    }
}
"#;

const MAIN: &str = r#"
use std::fs::File;
use std::io::{BufReader, Read};

fn main() {
    let path = std::env::args().nth(2).unwrap();
    let mut reader = BufReader::new(File::open(path).unwrap());
    match std::env::args().nth(1).unwrap().as_str() {
        "parse" => {
            reader.read_exact(&mut [0; 4]).unwrap();
            println!("{:?}", demo::parse(reader));
        }
        _ => {
            let mut records = demo::Records::new(reader);
            while records.copy_next(&mut std::io::stdout()).is_ok() {}
        }
    }
}
"#;

fn relapse(folder: &Path, words: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cargo-relapse"));
    command.args(words).current_dir(folder).env_remove("CARGO_TARGET_DIR").env_remove("RUSTFLAGS");
    command.stdin(Stdio::null()).output().unwrap()
}

/// Runs the program on a file, takes the file away, and generates; the test's text.
fn generated(mode: &str, input: &[u8]) -> (serde_json::Value, String) {
    let folder = tempfile::tempdir().unwrap();
    let write = |path: &str, text: &[u8]| {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    write("Cargo.toml", MANIFEST.as_bytes());
    write("src/lib.rs", LIB.as_bytes());
    write("src/main.rs", MAIN.as_bytes());
    write("input.dat", input);
    relapse(folder.path(), &["run", "--", "cargo", "run", "-q", "--", mode, "input.dat"]);
    fs::remove_file(folder.path().join("input.dat")).unwrap();
    let output = relapse(folder.path(), &["gen", "--json"]);
    let text = String::from_utf8(output.stdout).unwrap();
    let line: serde_json::Value = serde_json::from_str(text.lines().next().unwrap_or("null")).unwrap();
    let file = line["file"].as_str().unwrap_or_else(|| panic!("{line:#}"));
    let test =
        fs::read_to_string(folder.path().join(file)).unwrap_or_else(|error| panic!("{error}: {line:#}"));
    (line, test)
}

#[test]
fn what_was_left_in_a_file_becomes_bytes() {
    let (line, test) = generated("records", b"one,1\ntwo,2\nthree\nfour,4\n");
    assert_eq!((&line["status"], &line["frame"]), (&"verified".into(), &0.into()), "{line:#}");
    assert!(test.contains("reader: &b\"three\\nfour,4\\n\"[..]"), "{test}");
    assert!(test.contains("line: 2"), "{test}");
    assert!(test.contains("let mut out = Vec::<u8>::new();"), "{test}");
    assert!(test.contains("records.copy_next(&mut out)"), "{test}");
}

#[test]
fn a_reader_that_is_passed_on_becomes_bytes() {
    let (line, test) = generated("parse", b"0123\x09rest of it");
    assert_eq!(line["function"], "demo::parse", "{line:#}");
    assert_eq!(line["status"], "verified", "{line:#}");
    assert!(test.contains("let reader: &[u8] = b\"\\trest of it\";"), "{test}");
    assert!(test.contains("parse(reader)"), "{test}");
}
