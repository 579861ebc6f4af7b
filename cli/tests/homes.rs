//! Where a test stands whose values have types that its function's own module cannot name.
#![allow(clippy::unwrap_used, reason = "a test may fail so")]

#[path = "fixture/project.rs"]
mod project;

use project::Project;

const MANIFEST: &str = "[package]\nname = \"demo\"\nversion = \"0.1.0\"\nedition = \"2021\"\n\
                        [workspace]\nmembers = [\"counter\"]\n\
                        [dependencies]\ncounter = { path = \"counter\" }\n";

const COUNTER: &str = "\
pub fn count<T: std::fmt::Debug>(value: &T) -> usize {
    let shown = format!(\"{value:?}\");
    [0][shown.len()]
}
";

const LIB: &str = "\
pub mod store {
    #[derive(Debug)]
    enum Mark {
        Plain,
        Wide(u8),
    }

    #[derive(Debug)]
    pub struct Store {
        marks: Vec<Mark>,
    }

    impl Store {
        pub fn read(text: &str) -> Store {
            Store { marks: text.bytes().map(|b| if b == b'-' { Mark::Plain } else { Mark::Wide(b) }).collect() }
        }
    }
}

pub mod user {
    use crate::store::Store;

    pub struct User {
        store: Store,
    }

    impl User {
        pub fn new(store: Store) -> User {
            User { store }
        }

        pub fn run(&self) -> usize {
            self.step()
        }

        fn step(&self) -> usize {
            [0][format!(\"{:?}\", self.store).len()]
        }
    }

    #[derive(Debug)]
    struct Own {
        byte: u8,
    }

    pub fn hand(byte: u8) -> usize {
        counter::count(&Own { byte })
    }

    pub fn open(store: &Store) -> usize {
        [0][format!(\"{store:?}\").len()]
    }
}
";

const MAIN: &str = "\
fn main() {
    let store = demo::store::Store::read(\"-a\");
    let got = match std::env::args().nth(1).as_deref() {
        Some(\"open\") => demo::user::open(&store),
        Some(\"step\") => demo::user::User::new(store).run(),
        _ => demo::user::hand(1),
    };
    println!(\"{got}\");
}
";

fn generated(word: &str) -> String {
    let project = Project::package(&[
        ("src/lib.rs", LIB),
        ("src/main.rs", MAIN),
        ("counter/Cargo.toml", "[package]\nname = \"counter\"\nversion = \"0.1.0\"\nedition = \"2021\"\n"),
        ("counter/src/lib.rs", COUNTER),
    ]);
    project.write("Cargo.toml", MANIFEST);
    project.crash(&["cargo", "run", "-q", "--", word]);
    let (account, test, said) = project.generate(&["--frame", "0", "--no-shrink", "--no-rerun"]);
    assert_eq!(account["status"], "verified", "{account:#}\n{said}");
    test
}

#[test]
fn a_test_stands_with_the_private_type_of_its_value() {
    let test = generated("open");
    assert!(test.contains("module src/lib.rs::store\n"), "{test}");
    assert!(test.contains("// it stands in a module that can name the types of its values\n"), "{test}");
    assert!(test.contains("marks: vec![Mark::Plain, Mark::Wide(97)]"), "{test}");
    assert!(test.contains("    crate::user::open(&store);\n"), "{test}");
}

#[test]
fn a_function_gives_the_value_where_the_test_cannot_stand_with_its_type() {
    let test = generated("step");
    assert!(test.contains("module src/lib.rs::user\n"), "{test}");
    assert!(test.contains("Store::relapse_"), "{test}");
    assert!(test.contains("    user.step();\n"), "{test}");
}

#[test]
fn a_test_stands_in_the_crate_that_knows_the_type() {
    let test = generated("hand");
    assert!(test.contains("target counter::count, module src/lib.rs::user\n"), "{test}");
    assert!(test.contains("let value = Own { byte: 1 };\n    counter::count(&value);\n"), "{test}");
}

const SIZED: &str = "\
#[cfg(not(test))]
pub const SIZE: usize = 16;
#[cfg(test)]
pub const SIZE: usize = 4;

pub struct Buffer {
    pub bytes: [u8; SIZE],
    pub used: usize,
}

impl Buffer {
    pub fn last(&self) -> u8 {
        self.bytes[self.used - 1]
    }
}
";

#[test]
fn a_test_stands_outside_of_a_crate_that_is_another_one_within_its_tests() {
    let main = "fn main() { println!(\"{}\", demo::Buffer { bytes: [1; demo::SIZE], used: 0 }.last()); }\n";
    let project = Project::package(&[("src/lib.rs", SIZED), ("src/main.rs", main)]);
    project.crash(&["cargo", "run", "-q"]);
    let (account, test, said) = project.generate(&[]);
    assert_eq!(account["status"], "verified", "{account:#}\n{said}");
    assert!(test.contains("target demo::Buffer::last, module tests/regressions.rs\n"), "{test}");
    assert!(test.contains("demo::Buffer {"), "{test}");
}

const CUTTER: &str = "\
#[cfg(not(test))]
const SIZE: usize = 16;
#[cfg(test)]
const SIZE: usize = 4;

pub trait Way {
    fn cuts(&self, byte: u8) -> bool;
}

pub struct Every(u8);

impl Every {
    pub fn new(of: u8) -> Every {
        Every(of)
    }
}

impl Way for Every {
    fn cuts(&self, byte: u8) -> bool {
        byte % self.0 == 0
    }
}

pub struct Cutter<R, W> {
    source: R,
    way: W,
    bytes: [u8; SIZE],
}

impl<R: std::io::Read, W: Way> Cutter<R, W> {
    pub fn new(source: R, way: W) -> Self {
        Cutter { source, way, bytes: [0; SIZE] }
    }

    pub fn cut(&mut self) -> usize {
        let read = self.source.read(&mut self.bytes).unwrap();
        let at = self.bytes[..read].iter().position(|byte| self.way.cuts(*byte)).unwrap();
        self.bytes[at..].len() / (at - 5)
    }
}
";

const CUTS: &str = "\
use std::io::Read;

struct Ones {
    left: usize,
}

impl Read for Ones {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        into.fill(1);
        into[5] = 9;
        self.left -= 1;
        Ok(into.len())
    }
}

fn main() {
    let mut cutter = demo::Cutter::new(Ones { left: 7 }, demo::Every::new(9));
    println!(\"{}\", cutter.cut());
}
";

#[test]
fn a_test_outside_of_a_crate_has_a_copy_of_the_programs_own_type_and_what_it_is_made_with() {
    let project = Project::package(&[("src/lib.rs", CUTTER), ("src/main.rs", CUTS)]);
    project.crash(&["cargo", "run", "-q"]);
    let (account, test, said) = project.generate(&[]);
    assert_eq!(account["status"], "verified", "{account:#}\n{said}");
    assert!(test.contains("target demo::Cutter::cut, module tests/regressions.rs\n"), "{test}");
    assert!(test.contains("demo::Cutter::new(Ones { left: 7 }, demo::Every::new(9))"), "{test}");
    assert!(test.contains("impl Read for Ones {"), "{test}");
}
