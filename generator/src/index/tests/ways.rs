//! What the functions of a type make of its fields, as another crate sees them.

use super::*;
use crate::names::Names;
use crate::ways::{Made, Through};

const CHART: &str = r#"
#[derive(Clone, Copy)]
pub enum Side { Left, Right }
pub struct Point { x: i32, y: i32 }
fn point(x: i32, y: i32) -> Point { Point { x, y } }
#[derive(Default)]
pub struct Group { label: Option<String>, bars: Vec<u8> }
impl Group {
    pub fn label(mut self, label: String) -> Self { self.label = Some(label); self }
    pub fn bars(self, bars: &[u8]) -> Self { Self { bars: bars.to_vec(), ..self } }
}
pub struct Chart { title: String, groups: Vec<Group>, side: Side, at: Point, ratio: f32, log: bool, width: u16 }
impl Default for Chart {
    fn default() -> Self { Self::titled("chart") }
}
impl Chart {
    pub fn titled(title: &str) -> Self {
        #[cfg(debug_assertions)]
        let log = std::env::var("LOG").is_ok();
        #[cfg(not(debug_assertions))]
        let log = false;
        Self { title: title.to_owned(), groups: Vec::new(), side: Side::Left, at: point(0, -1), ratio: 0.5, log, width: 1 << 4 }
    }
    fn private(title: String) -> Self { Self::titled(&title) }
    #[doc(hidden)]
    pub fn hidden(mut self, width: u16) -> Self { self.width = width; self }
    pub fn width<W: Into<u16>>(mut self, width: W) -> Self { self.width = width.into(); self }
    pub fn ratio(mut self, ratio: f32, _unit: u8) -> Self { self.ratio = ratio; self }
    pub fn wide(mut self) -> Self { self.width = 9; self }
    pub fn wider(mut self, by: u16) -> Self { self.width = self.width + by; self }
    pub fn group(mut self, group: impl Into<Group>) -> Self {
        let group: Group = group.into();
        if !group.bars.is_empty() { self.groups.push(group); }
        self
    }
}
"#;

fn fixture() -> Fixture {
    fixture_of(CHART)
}

fn fixture_of(lib: &str) -> Fixture {
    Fixture::with_user(&[("demo/src/lib.rs", lib)])
}

#[test]
fn constructors_setters_and_defaults_are_followed() {
    let fixture = fixture();
    let krate = fixture.krate("user", TargetKind::Library);
    let names = NamesAt::new(&fixture.index, ModuleId { krate, module: 0 });
    let chart = names.ways("demo::Chart").unwrap();
    let begins: Vec<String> = chart.begins.iter().map(|begin| begin.function.to_string()).collect();
    assert_eq!(begins, ["default", "titled"]);
    let Made::Fields(made) = &chart.begins[1].makes else { panic!("{:?}", chart.begins[1]) };
    let at = Made::Fields([("x".to_owned(), Made::Number(0)), ("y".to_owned(), Made::Number(-1))].into());
    let expected = [
        ("title", Made::Argument(0, Through::Text)),
        ("groups", Made::Blank),
        ("side", Made::Variant("Left".to_owned())),
        ("at", at),
        ("ratio", Made::Float(0.5)),
        ("log", Made::Unknown),
        ("width", Made::Number(16)),
    ];
    for (name, wanted) in expected {
        assert_eq!(made[name], wanted, "{name}");
    }
    let Made::Fields(made) = &chart.begins[0].makes else { panic!("{:?}", chart.begins[0]) };
    assert_eq!(made["title"], Made::Text("chart".to_owned()));
    let steps =
        chart.steps.iter().map(|step| (step.method.to_string(), step.field.as_str(), step.makes.clone()));
    assert_eq!(
        steps.collect::<Vec<_>>(),
        [
            ("width".to_owned(), "width", Made::Argument(0, Through::Open)),
            ("group".to_owned(), "groups", Made::Argument(0, Through::Open)),
        ]
    );
    assert_eq!(chart.steps[1].unless_empty, Some(vec!["bars".to_owned()]));
    let group = names.ways("demo::Group").unwrap();
    assert_eq!(group.begins[0].makes, Made::Default);
    let made: Vec<Made> = group.steps.iter().map(|step| step.makes.clone()).collect();
    let label = Made::Some(Box::new(Made::Argument(0, Through::Itself)));
    assert_eq!(made, [label, Made::Argument(0, Through::Slice)]);
}

#[test]
fn what_a_constructor_puts_into_cells_is_told() {
    let fixture = fixture_of(
        "use std::cell::{Cell, RefCell};
        use std::ptr;
        use std::sync::Mutex;
        use std::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};
        pub struct Event {
            list: AtomicPtr<u8>, none: AtomicPtr<u8>, last: *const u8, waiting: AtomicUsize, name: Mutex<String>,
            seen: Cell<bool>, log: RefCell<Vec<u8>>, now: usize,
        }
        impl Event {
            pub const fn new(name: String) -> Event {
                Event {
                    list: AtomicPtr::new(ptr::null_mut()), none: AtomicPtr::default(), last: std::ptr::null(),
                    waiting: AtomicUsize::new(0), name: Mutex::new(name), seen: Cell::default(),
                    log: RefCell::new(Vec::new()), now: AtomicUsize::new(0).load(Ordering::Relaxed),
                }
            }
        }",
    );
    let krate = fixture.krate("user", TargetKind::Library);
    let names = NamesAt::new(&fixture.index, ModuleId { krate, module: 0 });
    let event = names.ways("demo::Event").unwrap();
    let Made::Fields(made) = &event.begins[0].makes else { panic!("{:?}", event.begins[0]) };
    let cell = |inner| Made::Cell(Box::new(inner));
    let expected = [
        ("list", cell(Made::Null)),
        ("none", cell(Made::Null)),
        ("last", Made::Null),
        ("waiting", cell(Made::Number(0))),
        ("name", cell(Made::Argument(0, Through::Itself))),
        ("seen", cell(Made::Default)),
        ("log", cell(Made::Blank)),
        ("now", Made::Unknown),
    ];
    for (name, wanted) in expected {
        assert_eq!(made[name], wanted, "{name}");
    }
}

#[test]
fn a_type_of_the_crate_itself_has_other_ways() {
    let fixture = fixture();
    let krate = fixture.krate("demo", TargetKind::Library);
    let names = NamesAt::new(&fixture.index, ModuleId { krate, module: 0 });
    assert!(names.ways("demo::Chart").is_none());
}

#[test]
fn what_doubles_with_each_line_is_given_up() {
    // Plain bodies are short, and call each other.
    let double = "let b = P(a, a); let c = P(b, b); let d = P(c, c); let e = P(d, d);";
    let has_ways = |function: &str| {
        let fixture = fixture_of(&format!(
            "pub struct P(u8, u8);
            fn five(a: P) -> P {{ {double} P(e, e) }}
            fn nine(a: P) -> P {{ let a = five(a); {double} e }}
            fn eighteen(a: P) -> P {{ let a = nine(a); let a = nine(a); a }}
            pub struct Chart {{ at: P }}
            impl Chart {{ pub fn new(at: P) -> Self {{ let at = {function}(at); Self {{ at }} }} }}"
        ));
        let krate = fixture.krate("user", TargetKind::Library);
        let names = NamesAt::new(&fixture.index, ModuleId { krate, module: 0 });
        names.ways("demo::Chart").is_some()
    };
    assert!(has_ways("nine") && !has_ways("eighteen"));
}
