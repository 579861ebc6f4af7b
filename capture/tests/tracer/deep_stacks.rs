//! Deep stacks: what a recursion over a large value costs, and where a stack that overflows has its arguments. The
//! fault is mostly met in a prologue, before they are stored.

use relapse_snapshot::{CauseKind, Data, Frame, Trust, Value, store};

use crate::fixture::{Marked, Told, follow, program};

/// Arguments that are the same in each call, so that those of every frame are known.
fn source(padding: usize) -> String {
    format!(
        "use std::hint::black_box; \
         #[inline(never)] fn eat(a: u64, b: u64, c: u64, d: u64, e: u64, text: &str) -> u64 {{ \
         let padding = [black_box(a) as u8; {padding}]; black_box(&padding); \
         let deeper = eat(a, b, c, d, e, text); black_box(&padding); deeper + text.len() as u64 }} \
         fn main() {{ black_box(eat(11, 12, 13, 14, 15, \"sixteen\")); }}"
    )
}

/// `None`: missing, and says why.
fn number_or_text(value: &Value) -> Option<String> {
    match &value.data {
        Data::Uint(number) => Some(number.to_string()),
        Data::Text { text, .. } => Some(text.clone()),
        Data::Pointer { to: Some(to), .. } => number_or_text(to),
        Data::Missing(reason) => {
            assert_eq!((value.trust, reason.is_empty()), (Trust::Unreadable, false), "{value:?}");
            None
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn arguments_of_a_call_that_overflows_the_stack_are_right_or_missing() {
    const EXPECTED: [(&str, &str); 6] =
        [("a", "11"), ("b", "12"), ("c", "13"), ("d", "14"), ("e", "15"), ("text", "sixteen")];
    for padding in [0, 8, 24, 56, 100, 1000, 4000, 9000, 20_000] {
        let (command, mark) = Marked::command(&[], &program(&source(padding), &[]));
        let mut told = Told::default();
        follow(&command, &mut told).unwrap();
        assert_eq!(mark.left(), Vec::<String>::new());
        let snapshot = &told.crashes[0].snapshot;
        assert_eq!(snapshot.cause.kind, CauseKind::StackOverflow);
        let mut calls = snapshot.threads[0].frames.iter().filter(|frame| frame.name == "eat");
        let innermost = calls.next().unwrap();
        let seen = |frame: &Frame| {
            let arguments = frame.arguments.iter();
            arguments.map(|a| (a.name.clone(), number_or_text(&a.value))).collect::<Vec<_>>()
        };
        let expected = EXPECTED.map(|(name, value)| (name.to_owned(), Some(value.to_owned())));
        for ((name, value), (expected_name, expected)) in seen(innermost).into_iter().zip(&expected) {
            assert_eq!(&name, expected_name);
            assert!(value.is_none() || value == *expected, "{padding}: {name}: {value:?}");
        }
        for caller in calls {
            assert_eq!(seen(caller), expected, "{padding}");
        }
    }
}

/// Length of a byte slice in the process, and what was read of it.
fn bytes(value: &Value) -> (u64, usize) {
    match &value.data {
        Data::Pointer { to: Some(to), .. } => bytes(to),
        Data::Bytes { bytes, len } => (*len, bytes.len()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn recursion_over_a_large_buffer_keeps_it_for_both_ends_and_fits_into_a_snapshot() {
    const LEN: usize = 1 << 20;
    let source = "fn parse(input: &[u8], at: usize) -> usize { if at == 600 { panic!(\"at {at}\") } \
                  parse(input, at + 1) + 1 } fn main() { parse(&vec![7; 1 << 20], 0); }";
    let (command, mark) = Marked::command(&[], &program(source, &[]));
    let mut told = Told::default();
    follow(&command, &mut told).unwrap();
    assert_eq!(mark.left(), Vec::<String>::new());
    let snapshot = &told.crashes[0].snapshot;
    let calls = snapshot.threads[0].frames.iter().filter(|frame| frame.name == "parse");
    let calls: Vec<&Frame> = calls.collect();
    assert!(calls.len() > 400, "{}", calls.len());
    let read: Vec<usize> = calls
        .iter()
        .map(|call| {
            let (value, (len, read)) = (&call.arguments[0].value, bytes(&call.arguments[0].value));
            assert_eq!(len, LEN as u64);
            let cut = value.worst_trust() == Trust::Truncated;
            assert_eq!(cut, read < LEN, "{read}");
            read
        })
        .collect();
    assert_eq!([read[0], read[read.len() - 1]], [LEN, LEN]);
    assert_eq!(read.iter().sum::<usize>(), 32 * LEN);
    // On disk a byte takes two; one of a text, which this could have been, takes up to six.
    assert!(6 * read.iter().sum::<usize>() < store::SIZE_MAX as usize);
}
