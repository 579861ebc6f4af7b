//! Files behind traits of a crate: what stands in for them is what the trait is implemented for.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "fixture/project.rs"]
mod project;

const LIB: &str = r#"
use std::io::{self, BufReader, Cursor, Read, Seek, Write};

/// Whatever can do both.
pub trait Duplex: Read + Write + Seek {}
impl<T: Read + Write + Seek> Duplex for T {}

pub fn duplex(mut line: Box<dyn Duplex>) -> u8 {
    let mut all = Vec::new();
    line.read_to_end(&mut all).unwrap();
    line.write_all(b"x").unwrap();
    all[100]
}

/// For files, and for bytes that somebody owns.
pub trait Source {
    fn fetch(&mut self, into: &mut [u8]) -> io::Result<usize>;
}

impl Source for std::fs::File {
    fn fetch(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.read(into)
    }
}

impl Source for Cursor<Vec<u8>> {
    fn fetch(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.read(into)
    }
}

pub fn owned(source: &mut dyn Source) -> u8 {
    let mut into = [0; 16];
    into[16 + source.fetch(&mut into).unwrap()]
}

mod inner {
    use std::io::{Cursor, Read};

    /// For files, and for a cursor over a slice.
    pub trait Piece: Read {}
    impl Piece for std::fs::File {}
    impl<'a> Piece for Cursor<&'a [u8]> {}
}

pub fn sliced(mut piece: Box<dyn inner::Piece>) -> u8 {
    let mut all = Vec::new();
    piece.read_to_end(&mut all).unwrap();
    all[100]
}

/// For files, and for bytes.
pub trait Feed {
    fn feed(&mut self, into: &mut [u8]) -> io::Result<usize>;
}

impl Feed for std::fs::File {
    fn feed(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.read(into)
    }
}

impl Feed for &[u8] {
    fn feed(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.read(into)
    }
}

pub fn fed<F: Feed>(mut feed: F) -> u8 {
    let mut into = [0; 16];
    into[16 + feed.feed(&mut into).unwrap()]
}

/// For what is buffered.
pub trait Layer {
    fn first(&mut self) -> u8;
}

impl<R: Read> Layer for BufReader<R> {
    fn first(&mut self) -> u8 {
        let mut one = [0];
        self.read_exact(&mut one).unwrap();
        one[0]
    }
}

pub fn layered(layer: &mut dyn Layer) -> u8 {
    [1, 2][usize::from(layer.first())]
}

#[derive(Clone, Copy)]
union Bits {
    whole: u32,
    half: (u16, bool),
}

/// A reader around another one; what it keeps does not tell how it was made.
pub struct Counted<R> {
    bits: Bits,
    inner: R,
}

impl<R: Read> Counted<R> {
    pub fn new(inner: R) -> Counted<R> {
        Counted { bits: Bits { whole: 0 }, inner }
    }
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let _ = self.bits;
        self.inner.read(into)
    }
}

pub fn counted(mut reader: Box<dyn Read>) -> u8 {
    let mut all = Vec::new();
    reader.read_to_end(&mut all).unwrap();
    all[100]
}

/// Made of what a reader gives; its fields do not tell how.
pub struct Table {
    bits: Bits,
    rows: Vec<u8>,
}

impl Table {
    pub fn from_reader<R: Read>(mut reader: R) -> io::Result<Table> {
        let mut rows = Vec::new();
        reader.read_to_end(&mut rows)?;
        Ok(Table { bits: Bits { whole: 1 }, rows })
    }

    pub fn row(&self, at: usize) -> u8 {
        let _ = self.bits;
        self.rows[at]
    }
}
"#;

const MAIN: &str = r#"
use std::fs::{File, OpenOptions};
use std::io::BufReader;

use demo::*;

fn main() {
    let file = || File::open("input.dat").unwrap();
    let shown = match std::env::args().nth(1).unwrap().as_str() {
        "duplex" => duplex(Box::new(OpenOptions::new().read(true).write(true).open("both.dat").unwrap())),
        "owned" => owned(&mut file()),
        "sliced" => sliced(Box::new(file())),
        "fed" => fed(file()),
        "layered" => layered(&mut BufReader::new(file())),
        "counted" => counted(Box::new(Counted::new(file()))),
        _ => Table::from_reader(file()).unwrap().row(70),
    };
    println!("{shown}");
}
"#;

#[test]
fn what_stands_in_for_a_file_is_what_its_trait_is_implemented_for() {
    let project = project::Project::package(&[("src/lib.rs", LIB), ("src/main.rs", MAIN)]);
    project.write("input.dat", b"one\ntwo\n");
    project.write("both.dat", b"both\n");
    for (word, expected) in [
        ("duplex", "    let line = Box::new(Cursor::new(b\"both\\nx\".to_vec()));\n"),
        ("owned", "    let mut source = Cursor::new(b\"one\\ntwo\\n\".to_vec());\n"),
        ("sliced", "    let piece = Box::new(Cursor::new(&b\"one\\ntwo\\n\"[..]));\n"),
        ("fed", "    let feed: &[u8] = b\"one\\ntwo\\n\";\n"),
        ("layered", "    let mut layer = BufReader::new(Cursor::new(b\"one\\ntwo\\n\"));\n"),
        ("counted", "    let reader = Box::new(Counted::new(Cursor::new(b\"one\\ntwo\\n\")));\n"),
        ("table", "    let Ok(table) = Table::from_reader(&b\"one\\ntwo\\n\"[..]) else {\n"),
    ] {
        project.crash(&["cargo", "run", "-q", "--", word]);
        let (account, test, said) = project.generate(&["--frame", "0"]);
        assert_eq!(account["status"], "verified", "{account:#}\n{said}");
        assert!(test.contains(expected), "{test}");
    }
}
