//! A crash of a function that reads from anything: from the run to a test that holds the bytes.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::fs;

#[path = "fixture/project.rs"]
mod project;

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

/// Runs the program on a file, takes the file away, and generates; the test's text.
fn generated(mode: &str, input: &[u8]) -> (serde_json::Value, String) {
    let project = project::Project::package(&[("src/lib.rs", LIB), ("src/main.rs", MAIN)]);
    project.write("input.dat", input);
    project.command(&["run", "--", "cargo", "run", "-q", "--", mode, "input.dat"]).output().unwrap();
    fs::remove_file(project.path().join("input.dat")).unwrap();
    let (line, test, said) = project.generate(&[]);
    assert!(!test.is_empty(), "{line:#} {said}");
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

/// A program's own reader, which the library has no name for.
const OWN_READER: &str = r#"
use std::io::{self, BufRead, Read};

/// Gives a byte at a time.
struct Slow {
    bytes: Vec<u8>,
    at: usize,
}

impl Read for Slow {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.fill_buf()?;
        let count = left.len().min(buffer.len());
        buffer[..count].copy_from_slice(&left[..count]);
        self.consume(count);
        Ok(count)
    }
}

impl BufRead for Slow {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        Ok(&self.bytes[self.at..self.bytes.len().min(self.at + 1)])
    }

    fn consume(&mut self, count: usize) {
        self.at += count;
    }
}

fn main() {
    let mut reader = Slow { bytes: vec![0, 1, 9, 2], at: 0 };
    reader.read_exact(&mut [0; 2]).unwrap();
    println!("{:?}", demo::parse(reader));
}
"#;

#[test]
fn a_reader_of_the_program_is_copied_into_the_test() {
    let project = project::Project::package(&[("src/lib.rs", LIB), ("src/main.rs", OWN_READER)]);
    project.command(&["run", "--", "cargo", "run", "-q"]).output().unwrap();
    let (line, test, said) = project.generate(&[]);
    assert_eq!(
        (&line["function"], &line["status"]),
        (&"demo::parse".into(), &"verified".into()),
        "{line:#} {said}"
    );
    assert!(
        test.contains("let reader = Slow {\n        bytes: vec![0, 1, 9, 2],\n        at: 2,\n    };"),
        "{test}"
    );
    assert!(
        test.contains("// `Slow`: as in src/main.rs, which a library cannot use.\n/// Gives a byte"),
        "{test}"
    );
    assert!(test.contains("impl Read for Slow {") && test.contains("impl BufRead for Slow {"), "{test}");
}
