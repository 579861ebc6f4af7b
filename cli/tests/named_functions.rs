//! Functions that are called on a function, which its caller or that one's caller names, and sinks that take formatted text:
//! from the run to a test.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "fixture/project.rs"]
mod project;

const LIB: &str = r#"
pub mod parse {
    pub struct Stream<'a>(pub &'a str);

    pub trait Parse: Sized {
        fn parse(from: &Stream) -> Self;
    }

    pub trait Parser: Sized {
        type Output;

        fn parse_part(self, text: &str, length: usize) -> Self::Output;

        fn parse_str(self, text: &str) -> Self::Output {
            self.parse_part(text, 5)
        }
    }

    impl<F, T> Parser for F
    where
        F: FnOnce(&Stream) -> T,
    {
        type Output = T;

        fn parse_part(self, text: &str, length: usize) -> T {
            self(&Stream(&text[..length]))
        }
    }
}

pub mod words {
    use crate::parse::{Parse, Stream};

    #[derive(Debug)]
    pub struct Word(pub String);

    impl Parse for Word {
        fn parse(from: &Stream) -> Word {
            Word(from.0.to_owned())
        }
    }
}

/// The first letters of a text.
pub fn parse_str<T: parse::Parse>(text: &str) -> T {
    parse::Parser::parse_str(T::parse, text)
}

mod letters {
    use std::fmt;

    pub(crate) fn letter<W: fmt::Write>(out: &mut W, text: &str, at: usize) -> fmt::Result {
        write!(out, "{}", text.chars().nth(at).unwrap())
    }
}

impl std::fmt::Display for words::Word {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        letters::letter(f, &self.0, 3)
    }
}
"#;

const MAIN: &str = r#"
use demo::words::Word;

fn main() {
    match std::env::args().nth(1).unwrap().as_str() {
        "parse" => println!("{:?}", demo::parse_str::<Word>("word")),
        _ => println!("{}", Word("abc".to_owned())),
    }
}
"#;

/// The test of one function of the stack.
fn generated(mode: &str, frame: &str) -> String {
    let project = project::Project::package(&[("src/lib.rs", LIB), ("src/main.rs", MAIN)]);
    project.crash(&["cargo", "run", "-q", "--", mode]);
    let (account, test, _) = project.generate(&["--no-shrink", "--frame", frame]);
    assert_eq!(account["status"], "verified", "{account}");
    test
}

#[test]
fn a_function_that_is_called_on_is_named_through_all_who_hand_it_on() {
    let test = generated("parse", "0");
    assert!(test.contains(" Parser::parse_part(crate::words::Word::parse, text, length);"), "{test}");
    let test = generated("parse", "1");
    assert!(test.contains("Parser::parse_str(crate::words::Word::parse, text);"), "{test}");
}

#[test]
fn what_takes_formatted_text_is_a_string() {
    let test = generated("format", "0");
    assert!(test.contains("let mut out = String::new();"), "{test}");
}
