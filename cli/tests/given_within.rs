//! Values that a call gave within others: behind `Ok` and `Some`, in a variant, a tuple, a list. A second run sees what was
//! given, and the test takes the value out of the same place.
#![allow(clippy::unwrap_used, reason = "a test may fail so")]

#[path = "fixture/project.rs"]
mod project;

use project::Project;

/// What a raw pointer leads to nobody can tell, so no body can be built of its fields.
const LIB: &str = r#"
/// What a message holds.
pub struct Body {
    text: *const str,
}

impl Body {
    fn of(text: &str) -> Body {
        Body { text: Box::leak(text.to_owned().into_boxed_str()) }
    }

    pub fn byte(&self, at: usize) -> u8 {
        unsafe { (&*self.text).as_bytes()[at] }
    }
}

pub enum Message {
    Begin,
    Row(Body),
    Named { id: u32, body: Body },
    Note(String),
}

impl Message {
    /// Takes the first message off.
    pub fn parse(buf: &mut Vec<u8>) -> std::io::Result<Option<Message>> {
        let Some(end) = buf.iter().position(|byte| *byte == b';') else { return Ok(None) };
        let text = String::from_utf8(buf.drain(..=end).collect()).unwrap();
        let own = &text[1..end];
        Ok(Some(match &text[..1] {
            "B" => Message::Begin,
            "R" => Message::Row(Body::of(own)),
            "N" => Message::Named { id: 7, body: Body::of(own) },
            _ => Message::Note(own.to_owned()),
        }))
    }
}

pub struct Lexer<'t> {
    rest: &'t str,
}

impl<'t> Lexer<'t> {
    pub fn new(text: &'t str) -> Lexer<'t> {
        Lexer { rest: text }
    }
}

impl Iterator for Lexer<'_> {
    type Item = (Body, usize, u64);

    fn next(&mut self) -> Option<Self::Item> {
        let (word, rest) = self.rest.split_once(' ')?;
        self.rest = rest;
        Some((Body::of(word), word.len(), 1))
    }
}

/// Holds a body, and may refuse it.
pub struct Row {
    body: Body,
    columns: usize,
}

impl Row {
    pub fn new(columns: usize, body: Body) -> Result<Row, String> {
        if columns > 9 { Err("too many".to_owned()) } else { Ok(Row { body, columns }) }
    }

    /// Of a text, `3 abc`.
    pub fn read(text: &str) -> Result<Row, String> {
        let (columns, text) = text.split_once(' ').ok_or("no text")?;
        let columns = columns.parse().map_err(|_| "no number")?;
        Ok(Row { body: Body { text: Box::leak(text.to_owned().into_boxed_str()) }, columns })
    }

    pub fn last(&self) -> u8 {
        self.body.byte(self.columns)
    }
}

/// All of a text at once.
pub fn split(text: &str) -> (u64, Vec<Box<Message>>) {
    let messages = text.split(' ').map(|word| Box::new(Message::Row(Body::of(word))));
    (1, messages.collect())
}
"#;

const MAIN: &str = r#"
use demo::{Lexer, Message};

fn main() {
    let mut bodies = Vec::new();
    match std::env::args().nth(1).as_deref() {
        Some("row") => {
            let mut bytes = b"B;Rab;Nabcd;Nab;Xhello;".to_vec();
            while let Some(message) = Message::parse(&mut bytes).unwrap() {
                match message {
                    Message::Row(body) | Message::Named { body, .. } => bodies.push(body),
                    _ => {}
                }
            }
        }
        Some("whole") => {
            let mut bytes = b"B;Rabcde;".to_vec();
            while let Some(message) = Message::parse(&mut bytes).unwrap() {
                if let Message::Row(body) = message {
                    println!("{}", demo::Row::new(5, body).unwrap().last());
                }
            }
        }
        Some("read") => println!("{}", demo::Row::read("5 abcde").unwrap().last()),
        Some("word") => bodies.extend(Lexer::new("abc defg hi klmnop ").map(|(body, ..)| body)),
        _ => {
            let (_, messages) = demo::split("abc defg hi klmnop");
            for message in messages {
                if let Message::Row(body) = *message {
                    bodies.push(body);
                }
            }
        }
    }
    println!("{}", bodies[1].byte(4));
}
"#;

fn test_of(word: &str, frame: &str) -> String {
    let project = Project::package(&[("src/lib.rs", LIB), ("src/main.rs", MAIN)]);
    project.crash(&["cargo", "run", "-q", "--", word]);
    let (account, test, said) = project.generate(&["--no-shrink", "--frame", frame]);
    assert_eq!(account["status"], "verified", "{account:#}\n{said}");
    assert!(said.contains("running the command again"), "{said}");
    test
}

#[test]
fn what_a_variant_holds_is_taken_out_of_the_message_that_held_it() {
    let test = test_of("row", "0");
    let expected = "    let mut buf = b\"Nabcd;Nab;Xhello;\".to_vec();\n\
                    \x20   let Ok(Some(Message::Named { body, .. })) = Message::parse(&mut buf) else {\n\
                    \x20       return;\n    };\n";
    assert!(test.contains(expected), "{test}");
    assert!(test.contains("// made by the calls that made it in the crashed program\n"), "{test}");
}

#[test]
fn what_an_iterator_gave_is_given_after_what_came_before() {
    let test = test_of("word", "0");
    let expected = "    let mut lexer = Lexer::new(\"abc defg hi klmnop \");\n    lexer.next();\n\
                    \x20   let Some((body, _, _)) = lexer.next() else {\n        return;\n    };\n";
    assert!(test.contains(expected), "{test}");
}

#[test]
fn what_a_list_holds_is_taken_out_by_its_place() {
    let test = test_of("list", "0");
    let expected = "    let (_, items) = split(\"abc defg hi klmnop\");\n\
                    \x20   let Some(item) = items.into_iter().nth(1) else {\n        return;\n    };\n\
                    \x20   let Message::Row(body) = *item else {\n        return;\n    };\n";
    assert!(test.contains(expected), "{test}");
}

#[test]
fn what_holds_it_is_made_by_the_call_that_may_refuse_it() {
    let test = test_of("whole", "1");
    // The message's own body was made by one call, which says it shorter.
    let expected = "    let Ok(row) = Row::new(5, Body::of(\"abcde\")) else {\n        return;\n    };\n    row.last();\n";
    assert!(test.contains(expected), "{test}");
}

#[test]
fn what_a_call_gave_is_not_taken_apart_to_be_put_together() {
    let test = test_of("read", "1");
    let expected =
        "    let Ok(row) = Row::read(\"5 abcde\") else {\n        return;\n    };\n    row.last();\n";
    assert!(test.contains(expected), "{test}");
}
