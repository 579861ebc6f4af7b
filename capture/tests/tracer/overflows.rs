//! A stack that overflows: the fault is mostly met in a prologue, before the arguments are stored.

use relapse_snapshot::{CauseKind, Data, Trust, Value};

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
        let seen = |frame: &relapse_snapshot::Frame| {
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
