//! Readers and iterators that are partly used up: what is left is read, and nothing of it is taken away.

use relapse_capture::limits::Limits;
use relapse_snapshot::{Data, Trust, Value};

use crate::debug::debug;
use crate::zoo_process::Zoo;
use crate::{fields, read_all, survives_hostile_memory, target};

fn half_read(options: &[&str]) -> Zoo {
    Zoo::start_program("half_read.rs", options)
}

fn bytes(value: &Value) -> &[u8] {
    match &value.data {
        Data::Bytes { bytes, .. } => bytes,
        data => panic!("no bytes: {data:?}"),
    }
}

fn uint(value: &Value) -> u128 {
    match value.data {
        Data::Uint(number) => number,
        ref data => panic!("no number: {data:?}"),
    }
}

/// Content, start and position.
fn file(value: &Value) -> (&[u8], u128, u128) {
    let [content, start, position] = fields(value) else { panic!("no file: {value:?}") };
    assert_eq!((content.name.as_str(), start.name.as_str()), ("content", "start"));
    (bytes(&content.value), uint(&start.value), uint(&position.value))
}

#[test]
fn a_file_is_read_with_its_offset() {
    for options in [&["-g"][..], &["-g", "-O"]] {
        let zoo = half_read(options);
        // Twice, as reading must not move anything.
        for _ in 0..2 {
            let (_, values) = read_all(&zoo, &["z_file", "z_fresh"]);
            assert_eq!(file(&values[0]), (&b"0123456789"[..], 0, 4));
            assert_eq!(file(&values[1]), (&b"fresh"[..], 0, 0));
            assert_eq!(values[0].worst_trust(), Trust::AtCrash);
        }
    }
}

#[test]
fn of_a_large_file_only_the_rest_is_read() {
    let zoo = half_read(&["-g"]);
    let (_, values) = read_all(&zoo, &["z_large"]);
    let end = 3_u128 << 20;
    assert!(end > u128::from(Limits::default().bytes));
    assert_eq!(file(&values[0]), (&[7; 5][..], end - 5, end - 5));
    assert_eq!(values[0].worst_trust(), Trust::AtCrash);
}

#[test]
fn a_buffered_reader_is_its_buffer_and_what_is_below() {
    for options in [&["-g"][..], &["-g", "-O"]] {
        let zoo = half_read(options);
        let (_, values) = read_all(&zoo, &["z_buffered", "z_lines", "z_taken"]);
        let [buffer, inner, capacity] = fields(&values[0]) else { panic!() };
        assert_eq!(uint(&capacity.value), 8);
        assert_eq!((bytes(&buffer.value), file(&inner.value)), (&b"defgh"[..], (&b"abcdefghijkl"[..], 0, 8)));
        let [buffer, inner, _] = fields(&values[1]) else { panic!() };
        assert_eq!((bytes(&buffer.value), bytes(target(&inner.value).unwrap())), (&b"two\n"[..], &b""[..]));
        let taken = |name: &str| &fields(&values[2]).iter().find(|field| field.name == name).unwrap().value;
        assert_eq!((file(taken("inner")).2, uint(taken("limit"))), (2, 4));
    }
}

#[test]
fn standard_input_that_is_a_pipe_says_so() {
    let zoo = half_read(&["-g"]);
    let (types, values) = read_all(&zoo, &["z_stdin"]);
    let text = debug(&types, &values[0]);
    assert!(text.contains("descriptor 0 is a pipe: what was left to read is not known"), "{text}");
}

#[test]
fn iterators_hold_what_is_left() {
    for options in [&["-g"][..], &["-g", "-O"]] {
        let zoo = half_read(options);
        let expected = [
            ("z_cursor", "Cursor { inner: [48, 49, 50, 51], pos: 1 }"),
            ("z_slice", "[51]"),
            ("z_chars", "Chars { iter: [195, 177, 98] }"),
            (
                "z_char_indices",
                "CharIndices { front_offset: 1, iter: Chars { iter: [195, 177, 98] }, before: \"a\" }",
            ),
            ("z_bytes", "Bytes(Copied { it: [98, 99] })"),
            ("z_iter", "[2, 3]"),
            ("z_unit_iter", "[(), ()]"),
            ("z_iter_mut", "[\"b\"]"),
            ("z_into_iter", "[\"y\", \"z\"]"),
            ("z_unit_into_iter", "[(), ()]"),
            ("z_peeked", "Peekable { iter: [2, 3], peeked: Some(Some(1)) }"),
            ("z_peekable", "Peekable { iter: Chars { iter: [120, 121] }, peeked: None }"),
            ("z_list", "[\"first\", \"second\"]"),
            ("z_empty_list", "[]"),
        ];
        let (types, values) = read_all(&zoo, &expected.map(|(name, _)| name));
        for ((name, text), value) in expected.iter().zip(&values) {
            assert_eq!(debug(&types, value), *text, "{name} {options:?}");
            assert_eq!(value.worst_trust(), Trust::AtCrash, "{name}");
        }
        let (_, values) = read_all(&zoo, &["z_long_list"]);
        assert!(matches!(&values[0].data, Data::Sequence { items, len: 20_000 } if items.len() == 4096));
        assert_eq!(values[0].trust, Trust::Truncated);
    }
}

#[test]
fn hostile_readers_neither_panic_nor_hang() {
    survives_hostile_memory(&half_read(&["-g"]), 2_000);
}
