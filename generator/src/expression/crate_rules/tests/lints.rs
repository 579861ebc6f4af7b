//! What stands in a test as it was in the crashed program, although clippy would have it otherwise.

use super::*;

impl Sheet {
    fn range(&mut self, start: u128, end: u128) -> Value {
        let fields = vec![("start", self.uint(8, start)), ("end", self.uint(8, end))];
        self.structure("core::ops::range::Range<u8>", fields)
    }

    fn skip(&mut self, n: u128) -> Value {
        let fields = vec![("iter", self.range(1, 3)), ("n", self.uint(64, n))];
        self.structure("core::iter::adapters::skip::Skip<core::ops::range::Range<u8>>", fields)
    }

    fn splitn(&mut self, count: u128) -> Value {
        let comma = self.value("char", TypeKind::Char, Data::Char(','));
        let matcher = vec![("haystack", self.text("a,b")), ("needle", comma)];
        let matcher = self.structure("core::str::pattern::CharSearcher", matcher);
        let finished = self.value("bool", TypeKind::Bool, Data::Bool(false));
        let (start, end) = (self.uint(64, 0), self.uint(64, 3));
        let iter = vec![("start", start), ("end", end), ("matcher", matcher), ("finished", finished)];
        let iter = self.structure("core::str::iter::SplitInternal<char>", iter);
        let internal = vec![("iter", iter), ("count", self.uint(64, count))];
        let internal = self.structure("core::str::iter::SplitNInternal<char>", internal);
        self.structure("core::str::iter::SplitN<char>", vec![("0", internal)])
    }

    fn arc(&mut self, of: &str) -> Value {
        let number = self.uint(8, 1);
        let cell = self.structure(of, vec![("value", number)]);
        let kind = TypeKind::Std { std: relapse_snapshot::StdType::Arc, params: vec![cell.ty] };
        let data = Data::Pointer { address: 8, to: Some(Box::new(cell)) };
        self.value(&format!("alloc::sync::Arc<{of}, alloc::alloc::Global>"), kind, data)
    }

    fn statement(&self, value: &Value) -> String {
        let names = Outside { open: true, ..Outside::default() };
        let mut scope = Scope::new("test");
        let written = argument_with("x", value, &self.0, &names, &mut scope, Literals::Inferred).unwrap();
        written.lets.last().unwrap().to_string().replace(' ', "")
    }
}

#[test]
fn what_clippy_would_have_otherwise_is_allowed() {
    let mut s = Sheet::default();
    let cases = [
        (s.skip(0), "#[allow(clippy::iter_skip_zero)]letx=(1..3).skip(0);"),
        (s.splitn(1), "#[allow(clippy::suspicious_splitn)]letx=\"a,b\".splitn(1,',');"),
        (s.range(3, 1), "#[allow(clippy::reversed_empty_ranges)]letx=3..1;"),
    ];
    for (value, expected) in cases {
        assert_eq!(s.statement(&value), expected);
    }
    let range = s.range(3, 1);
    let list = s.list(vec![range], 1);
    assert_eq!(
        s.statement(&list),
        "#[allow(clippy::reversed_empty_ranges,clippy::single_range_in_vec_init)]letx=vec![3..1];"
    );
    let arc = s.arc("core::cell::Cell<u8>");
    let written = s.statement(&arc);
    assert!(written.starts_with("#[allow(clippy::arc_with_non_send_sync)]letx=Arc::new("), "{written}");
}

#[test]
fn what_it_is_content_with_is_not() {
    let mut s = Sheet::default();
    let (one, other) = (s.range(1, 3), s.range(3, 7));
    let arcs = [s.arc("demo::Plain"), s.arc("core::cell::UnsafeCell<u8>")];
    let values = [s.skip(1), s.splitn(2), s.range(1, 1), s.list(vec![one, other], 2)];
    for value in values.into_iter().chain(arcs) {
        let written = s.statement(&value);
        assert!(!written.contains("allow"), "{written}");
    }
}
