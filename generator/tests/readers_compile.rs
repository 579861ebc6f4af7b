//! Iterators by what is left of them, and stand-ins for readers and sinks: compiled by rustc, and they give what
//! the originals would have given.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[allow(dead_code, reason = "other tests use the rest of it")]
#[path = "expressions_compile/sheet.rs"]
mod sheet;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::process::Command;

use relapse_generator::expression::{
    Asks, Extent, Literals, Open, Scope, StandIn, StandIns, argument_of_any_type, body, format, in_chunks,
};
use relapse_snapshot::{Data, StdType, Trust, TypeId, TypeKind, Value};
use sheet::{PublicNames, Sheet};

/// Functions that take what was written, each with a call and what it must give.
#[derive(Default)]
struct Program {
    source: String,
    calls: String,
}

impl Program {
    /// Writes `value` for `fn takes{head} {{ {gives} }}` and expects that it gives `shown`.
    fn case(&mut self, s: &Sheet, value: &Value, open: &[Open], [head, gives, shown]: [&str; 3]) -> String {
        let index = self.calls.lines().count();
        let kept = in_chunks([value].into_iter(), &s.types);
        let stand_ins = StandIns::keeping(&kept, open, Extent::default(), &s.types);
        let mut scope = Scope::new("case");
        let literals = Literals::Inferred;
        let written =
            argument_of_any_type("input", value, &s.types, &PublicNames, &mut scope, literals, &stand_ins)
                .unwrap_or_else(|error| panic!("{head}: {error}"));
        let (callee, pass) = (quote::format_ident!("takes_{index}"), &written.pass);
        let call = quote::quote!(assert_eq!(format!("{:?}", #callee(#pass)), #shown));
        let text = format(&body(&[written], &call, false));
        writeln!(self.source, "fn takes_{index}{head} {{\n    {gives}\n}}\nfn case_{index}() {{\n{text}}}")
            .unwrap();
        writeln!(self.calls, "    case_{index}();").unwrap();
        text
    }

    fn run(&self) {
        let folder = tempfile::tempdir().unwrap();
        let (file, program) = (folder.path().join("cases.rs"), folder.path().join("cases"));
        let source = format!(
            "use std::io::{{BufRead, Read, Seek, Write}};\n{SUBJECT}{}\nfn main() {{\n{}}}\n",
            self.source, self.calls
        );
        std::fs::write(&file, &source).unwrap();
        let built = Command::new(std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()))
            .args(["--edition", "2021", "-D", "warnings", "-A", "unused_imports", "-o"])
            .args([&program, &file])
            .output()
            .unwrap();
        assert!(built.status.success(), "{}\n{source}", String::from_utf8_lossy(&built.stderr));
        let ran = Command::new(&program).output().unwrap();
        assert!(ran.status.success(), "{}\n{source}", String::from_utf8_lossy(&ran.stderr));
    }
}

const SUBJECT: &str = r#"
#[allow(dead_code)]
mod subject {
    pub struct Decoder<R> {
        pub reader: R,
        pub line: u32,
    }
    pub struct Lines<R> {
        pub reader: std::io::BufReader<R>,
        pub last: Option<R>,
    }
}

#[allow(dead_code)]
fn rest(mut reader: impl Read) -> String {
    let mut text = String::new();
    reader.read_to_string(&mut text).unwrap();
    text
}
"#;

fn open(ty: TypeId, bounds: &[&str]) -> Open {
    let bounds = bounds.iter().map(|bound| (*bound).to_owned()).collect::<BTreeSet<_>>();
    Open { ty, asks: Asks { bounds, ..Asks::default() } }
}

#[test]
fn iterators_give_what_was_left() {
    let mut s = Sheet::default();
    let mut program = Program::default();
    let mut case = |s: &Sheet, value: &Value, ty: &str, shown: &str| {
        let head = format!("(input: {ty}) -> Vec<String>");
        let gives = "input.map(|item| format!(\"{item:?}\")).collect()";
        program.case(s, value, &[], [&head, gives, shown]);
    };
    let items = vec![s.uint("u32", 1), s.uint("u32", 2)];
    let value = s.iterator(StdType::SliceIter, "core::slice::iter::Iter", items, "u32");
    case(&s, &value, "std::slice::Iter<'_, u32>", "[\"1\", \"2\"]");
    let items = vec![s.string("a")];
    let value = s.iterator(StdType::SliceIter, "core::slice::iter::IterMut", items, "String");
    case(&s, &value, "std::slice::IterMut<'_, String>", "[\"\\\"a\\\"\"]");
    let items = vec![s.string("a"), s.string("b")];
    let value = s.iterator(StdType::VecIntoIter, "alloc::vec::into_iter::IntoIter", items, "String");
    case(&s, &value, "std::vec::IntoIter<String>", "[\"\\\"a\\\"\", \"\\\"b\\\"\"]");
    let value = s.iterator(StdType::VecIntoIter, "alloc::vec::into_iter::IntoIter", vec![], "u8");
    case(&s, &value, "std::vec::IntoIter<u8>", "[]");
    let value = s.chars("ñb");
    case(&s, &value, "std::str::Chars<'_>", "[\"'ñ'\", \"'b'\"]");
    let (chars, none) = (s.chars("b"), s.none("core::option::Option<char>"));
    let fields = vec![("iter", chars), ("peeked", none)];
    let value = s.structure(
        "core::iter::adapters::peekable::Peekable<core::str::iter::Chars>",
        false,
        vec![],
        fields,
    );
    case(&s, &value, "std::iter::Peekable<std::str::Chars<'_>>", "[\"'b'\"]");
    let (chars, item) = (s.chars("b"), s.char('ñ'));
    let peeked = s.some(item);
    let fields = vec![("iter", chars), ("peeked", s.some(peeked))];
    let name = "core::iter::adapters::peekable::Peekable<core::str::iter::Chars>";
    let mut value = s.structure("again", false, vec![], fields);
    value.ty = s.types.find(name).unwrap();
    case(&s, &value, "std::iter::Peekable<std::str::Chars<'_>>", "[\"'ñ'\", \"'b'\"]");
    let (chars, count) = (s.chars("xy"), s.uint("usize", 0));
    let fields = vec![("iter", chars), ("count", count)];
    let inner = s.structure(
        "core::iter::adapters::enumerate::Enumerate<core::str::iter::Chars>",
        false,
        vec![],
        fields,
    );
    let fields = vec![("iter", inner), ("n", s.uint("usize", 1))];
    let value = s.structure("core::iter::adapters::skip::Skip<E>", false, vec![], fields);
    case(&s, &value, "std::iter::Skip<std::iter::Enumerate<std::str::Chars<'_>>>", "[\"(1, 'y')\"]");
    let items = vec![s.uint("u8", 1), s.uint("u8", 2)];
    let list = s.collection(StdType::LinkedList, "alloc::collections::linked_list::LinkedList", items, "u8");
    program.case(
        &s,
        &list,
        &[],
        ["(input: std::collections::LinkedList<u8>) -> Vec<u8>", "input.into_iter().collect()", "[1, 2]"],
    );
    program.run();
}

#[test]
fn bytes_stand_in_for_a_reader_of_any_type() {
    let mut s = Sheet::default();
    let mut program = Program::default();
    let file = s.file(b"0123456789", 4);
    let ty = file.ty;
    let text = program.case(
        &s,
        &file,
        &[open(ty, &["Read"])],
        ["<R: Read>(input: R) -> String", "rest(input)", "\"456789\""],
    );
    assert_eq!(text.lines().next(), Some("let input: &[u8] = b\"456789\";"));
    // To where a seeking reader can go back, the whole is there.
    let text = program.case(
        &s,
        &file,
        &[open(ty, &["Read", "Seek"])],
        [
            "<R: Read + Seek>(mut input: R) -> (u64, String)",
            "(input.stream_position().unwrap(), { input.rewind().unwrap(); rest(input) })",
            "(4, \"0123456789\")",
        ],
    );
    assert!(text.contains("Cursor::new(b\"0123456789\")"), "{text}");
    // A reference to it, and a reader that has read ahead.
    let reader = s.buf_reader(b"23", file.clone());
    let by_reference = s.reference(reader.clone(), true);
    let text = program.case(
        &s,
        &by_reference,
        &[open(reader.ty, &["BufRead"])],
        ["<R: BufRead>(input: &mut R) -> String", "rest(input)", "\"23456789\""],
    );
    assert!(text.starts_with("let mut input: &[u8] = b\"23456789\";"), "{text}");
    let text = program.case(
        &s,
        &by_reference,
        &[open(by_reference.ty, &["Read"])],
        ["<R: Read>(input: R) -> String", "rest(input)", "\"23456789\""],
    );
    assert!(text.starts_with("let mut input: &[u8] = b\"23456789\";"), "{text}");
    // The buffer is spelled, only its source is of any type.
    program.case(
        &s,
        &reader,
        &[open(ty, &["Read"])],
        ["<R: Read>(input: std::io::BufReader<R>) -> String", "rest(input)", "\"23456789\""],
    );
    // A file that is read by a shared reference.
    let shared = s.reference(file.clone(), false);
    program.case(
        &s,
        &shared,
        &[open(shared.ty, &["Read"])],
        ["<R: Read>(input: R) -> String", "rest(input)", "\"456789\""],
    );
    program.run();
}

/// What a parser keeps between two pieces depends on where one ends.
#[test]
fn a_reader_that_has_its_bytes_in_pieces_stays_one() {
    let mut s = Sheet::default();
    let mut program = Program::default();
    let file = s.file(b"0123456789", 2);
    let pieces = "std::iter::from_fn(|| { let piece = input.fill_buf().unwrap().len(); \
                  input.consume(piece); (piece > 0).then_some(piece) }).collect()";
    let head = "<R: BufRead>(mut input: R) -> Vec<usize>";
    let mut case = |s: &Sheet, value: &Value, bounds: &[&str], shown: &str| {
        program.case(s, value, &[open(value.ty, bounds)], [head, pieces, shown])
    };
    let small = s.buf_reader_of(3, b"", file.clone());
    let text = case(&s, &small, &["BufRead"], "[3, 3, 2]");
    assert!(text.contains("BufReader::with_capacity(3, &b\"23456789\"[..])"), "{text}");
    // One that takes all at once is read as bytes are.
    let large = s.buf_reader_of(8, b"", file);
    let text = case(&s, &large, &["BufRead"], "[8]");
    assert_eq!(text.lines().next(), Some("let input: &[u8] = b\"23456789\";"));
    let long = s.file(&[7; 9000], 0);
    let usual = s.buf_reader_of(8192, b"", long);
    let text = case(&s, &usual, &["Read", "BufRead"], "[8192, 808]");
    assert!(text.contains("BufReader::new("), "{text}");
    program.run();
}

#[test]
fn bytes_stand_in_within_a_literal() {
    let mut s = Sheet::default();
    let mut program = Program::default();
    let (file, line) = (s.file(b"abc", 1), s.uint("u32", 7));
    let ty = file.ty;
    let decoder = s.structure(
        "subject::Decoder<std::fs::File>",
        false,
        vec![ty],
        vec![("reader", file.clone()), ("line", line)],
    );
    let receiver = s.reference(decoder, true);
    let text = program.case(
        &s,
        &receiver,
        &[open(ty, &["Read"])],
        ["<R: Read>(input: &mut subject::Decoder<R>) -> String", "rest(&mut input.reader)", "\"bc\""],
    );
    assert!(text.contains("reader: &b\"bc\"[..],"), "{text}");
    let (reader, last) = (s.buf_reader(b"", file), s.none("std::fs::File"));
    let lines = s.structure(
        "subject::Lines<std::fs::File>",
        false,
        vec![ty],
        vec![("reader", reader), ("last", last)],
    );
    program.case(
        &s,
        &lines,
        &[open(ty, &["Read"])],
        ["<R: Read>(input: subject::Lines<R>) -> String", "rest(input.reader)", "\"bc\""],
    );
    program.run();
}

#[test]
fn a_cursor_with_nothing_in_it_stands_in_for_a_connection() {
    let mut s = Sheet::default();
    let mut program = Program::default();
    let handle = s.int("i32", 5);
    let stream = s.structure("std::net::tcp::TcpStream", false, vec![], vec![("inner", handle)]);
    let (ty, line) = (stream.ty, s.uint("u32", 7));
    let both = open(ty, &["Read", "Write"]);
    let text = program.case(
        &s,
        &stream,
        std::slice::from_ref(&both),
        [
            "<S: Read + Write>(mut input: S) -> (usize, usize)",
            "(input.write(b\"hello\").unwrap(), input.read(&mut [0; 4]).unwrap())",
            "(5, 0)",
        ],
    );
    assert!(text.starts_with("let input = std::io::Cursor::new(Vec::<u8>::new());"), "{text}");
    let decoder = s.structure(
        "subject::Decoder<std::net::tcp::TcpStream>",
        false,
        vec![ty],
        vec![("reader", stream.clone()), ("line", line)],
    );
    program.case(
        &s,
        &decoder,
        &[open(decoder.ty, &["Line"])],
        ["<R: Read>(input: subject::Decoder<R>) -> String", "rest(input.reader)", "\"\""],
    );
    // What a reader has taken of it already is known.
    let last = s.none("std::net::tcp::TcpStream");
    let reader = s.buf_reader(b"rest", stream);
    for bounds in [&["BufRead"][..], &["BufRead", "Write"]] {
        let open = open(reader.ty, bounds);
        program.case(
            &s,
            &reader,
            std::slice::from_ref(&open),
            ["<R: BufRead>(input: R) -> String", "rest(input)", "\"rest\""],
        );
        assert_eq!(StandIns::new(&[open], Extent::default(), &s.types).trust(&reader), Trust::Suspect);
    }
    let lines = s.structure(
        "subject::Lines<std::net::tcp::TcpStream>",
        false,
        vec![ty],
        vec![("reader", reader), ("last", last)],
    );
    program.case(
        &s,
        &lines,
        &[open(ty, &["Read"])],
        ["<R: Read>(input: subject::Lines<R>) -> String", "rest(input.reader)", "\"rest\""],
    );
    program.run();
    let stand_ins = StandIns::new(&[both], Extent::default(), &s.types);
    assert_eq!(stand_ins.trust(&decoder), Trust::Suspect, "nobody knows what would have come");
    assert_eq!(StandIns::new(&[], Extent::default(), &s.types).of(ty), None, "nothing else is taken there");
    let known = relapse_generator::expression::Implementors { bytes: true, ..Default::default() };
    let asks = Asks { implementors: Some(known), ..Asks::default() };
    assert_eq!(StandIns::new(&[Open { ty, asks }], Extent::default(), &s.types).of(ty), None);
}

#[test]
fn a_vector_stands_in_for_a_sink() {
    let mut s = Sheet::default();
    let mut program = Program::default();
    let mut stdout = s.structure("std::io::stdio::Stdout", false, vec![], vec![]);
    stdout.trust = Trust::Unreadable;
    stdout.data = Data::Missing("whatever".to_owned());
    let by_reference = s.reference(stdout.clone(), true);
    program.case(
        &s,
        &by_reference,
        &[open(stdout.ty, &["Write"])],
        ["<W: Write>(input: &mut W) -> bool", "input.write_all(b\"x\").is_ok()", "true"],
    );
    let stand_ins = StandIns::new(&[open(stdout.ty, &["Write"])], Extent::default(), &s.types);
    assert_eq!(stand_ins.trust(&by_reference), Trust::AtCrash, "what a sink held does not matter");
    let file = s.file(b"log", 3);
    program.case(
        &s,
        &file,
        &[open(file.ty, &["Write"])],
        ["<W: Write>(mut input: W) -> bool", "input.write_all(b\"x\").is_ok()", "true"],
    );
    program.case(
        &s,
        &file,
        &[open(file.ty, &["Read", "Write", "Seek"])],
        [
            "<F: Read + Write + Seek>(mut input: F) -> String",
            "input.write_all(b\"x\").unwrap(); input.rewind().unwrap(); rest(input)",
            "\"logx\"",
        ],
    );
    program.run();
}

#[test]
fn a_trait_object_that_only_writes_gets_a_vector() {
    let mut s = Sheet::default();
    let mut program = Program::default();
    let object = |s: &mut Sheet, name: &str| {
        let to = s.ty(name, TypeKind::Dyn);
        let ty = s.ty(&format!("&mut {name}"), TypeKind::Reference { to, mutable: true });
        Value { ty, trust: Trust::AtCrash, data: Data::Pointer { address: 8, to: None } }
    };
    let writer = object(&mut s, "dyn std::io::Write");
    let head = ["(input: &mut dyn Write) -> bool", "input.write_all(b\"x\").is_ok()", "true"];
    program.case(&s, &writer, &[], head);
    let to = s.types.find("dyn std::io::Write").unwrap();
    let boxed =
        s.ty("alloc::boxed::Box<dyn std::io::Write>", TypeKind::Std { std: StdType::Box, params: vec![to] });
    let boxed = Value { ty: boxed, ..writer.clone() };
    let head = ["(mut input: Box<dyn Write>) -> bool", "input.write_all(b\"x\").is_ok()", "true"];
    program.case(&s, &boxed, &[], head);
    let text = object(&mut s, "dyn core::fmt::Write");
    let head = ["(input: &mut dyn std::fmt::Write) -> bool", "input.write_str(\"x\").is_ok()", "true"];
    program.case(&s, &text, &[], head);
    program.run();
}

#[test]
fn a_sink_of_the_program_is_replaced_where_all_are() {
    let mut s = Sheet::default();
    let counter = s.structure("driver::Counter", false, vec![], vec![]);
    let open = |bounds: &[&str]| [open(counter.ty, bounds)];
    let all = Extent { all_sinks: true, ..Extent::default() };
    let of = |bounds: &[&str], extent| StandIns::new(&open(bounds), extent, &s.types).of(counter.ty);
    assert_eq!(of(&["Write", "Send"], all), Some(StandIn::Sink));
    assert_eq!(of(&["Write"], Extent::default()), None);
    assert_eq!(of(&["Write", "Count"], all), None);
}

#[test]
fn a_file_where_nothing_else_is_taken_is_refused() {
    let mut s = Sheet::default();
    let file = s.file(b"abc", 1);
    let refusal = |value: &Value, open: &[Open]| {
        let stand_ins = StandIns::new(open, Extent::default(), &s.types);
        let (literals, mut scope) = (Literals::Inferred, Scope::new("x"));
        argument_of_any_type("input", value, &s.types, &PublicNames, &mut scope, literals, &stand_ins)
            .unwrap_err()
            .to_string()
    };
    assert!(refusal(&file, &[]).starts_with("`input`: an open file, where the function takes nothing else"));
    let mut cut = file.clone();
    if let Data::Struct(fields) = &mut cut.data
        && let Data::Bytes { len, .. } = &mut fields[0].value.data
    {
        *len = 99;
    }
    assert!(refusal(&cut, &[open(file.ty, &["Read"])]).contains("longer than what was read: 3 of 99 bytes"));
}
