//! Values that their fields do not tell how to build: a second run sees the calls that made them, and the test makes these
//! calls again.
#![allow(clippy::unwrap_used, reason = "a test may fail so")]

#[path = "fixture/project.rs"]
mod project;

use project::Project;

/// What a union holds nobody can tell, so nothing here can be built of its fields.
const LIB: &str = r#"
#[derive(Clone, Copy)]
union Bits {
    whole: u32,
    half: (u16, bool),
}

/// Made by a function that may refuse.
pub struct Meter {
    bits: Bits,
}

impl Meter {
    pub fn parse(text: &str) -> Result<Meter, String> {
        match text.parse() {
            Ok(whole) => Ok(Meter { bits: Bits { whole } }),
            Err(_) => Err(format!("no number: {text}")),
        }
    }

    pub fn read(&self) -> u32 {
        let limit = [5u32, 6, 7];
        limit[unsafe { self.bits.whole } as usize]
    }
}

/// Made of nothing, and changed by its methods.
#[derive(Default)]
pub struct Pile<T> {
    bits: Option<Bits>,
    items: Vec<T>,
}

impl<T: PartialEq> Pile<T> {
    pub fn new() -> Pile<T> {
        Pile { bits: Some(Bits { half: (0, false) }), items: Vec::new() }
    }

    pub fn put(&mut self, item: T) -> &mut Self {
        self.make_room(1);
        self.items.push(item);
        self
    }

    pub fn make_room(&mut self, count: usize) {
        self.items.reserve(count);
    }

    pub fn at(&self, index: usize) -> &T {
        let _ = self.bits;
        &self.items[index]
    }

    pub fn take(&mut self, index: usize) -> T {
        self.items.remove(index)
    }
}

/// Changes what it was given before it crashes.
pub fn spill(mut pile: Pile<u64>) -> u64 {
    pile.take(0);
    pile.take(0)
}

/// Holds what was moved there.
pub struct Shelf {
    pub pile: Pile<u64>,
}

impl Shelf {
    pub fn top(&self) -> u64 {
        *self.pile.at(7)
    }
}

/// Changes behind a shared reference.
pub struct Register {
    bits: Bits,
    inner: Inner,
}

struct Inner(std::cell::RefCell<Vec<u32>>);

impl Register {
    pub fn new() -> Register {
        Register { bits: Bits { whole: 0 }, inner: Inner(Default::default()) }
    }

    pub fn note(&self, number: u32) {
        self.inner.0.borrow_mut().push(number);
    }

    pub fn note_all(&self, numbers: &[u32]) {
        self.inner.0.borrow_mut().extend(numbers);
    }

    pub fn noted(&self, at: usize) -> u32 {
        let _ = self.bits;
        self.inner.0.borrow()[at]
    }
}

/// Lends what it holds, of which only std knows what is done with it.
pub struct Index {
    bits: Bits,
    lists: std::collections::BTreeMap<String, Vec<u32>>,
    limit: u64,
}

impl Index {
    pub fn new() -> Index {
        Index { bits: Bits { whole: 0 }, lists: Default::default(), limit: 1 }
    }

    pub fn insert(&mut self, name: &str, number: u32) {
        self.lists.entry(name.to_string()).or_default().push(number);
    }

    pub fn list_mut(&mut self, name: &str) -> Option<&mut Vec<u32>> {
        self.lists.get_mut(name)
    }

    pub fn limit_mut(&mut self) -> &mut u64 {
        &mut self.limit
    }

    pub fn lists(&self) -> &std::collections::BTreeMap<String, Vec<u32>> {
        let _ = self.bits;
        &self.lists
    }

    pub fn limit(&self) -> u64 {
        self.limit
    }
}

/// Has parts that are changed by themselves.
pub struct Doc {
    bits: Bits,
    sections: Vec<Section>,
}

pub struct Section {
    name: String,
    lines: Vec<u32>,
}

/// A view of a section that may not be there.
pub struct Slot<'d> {
    doc: &'d mut Doc,
    name: String,
}

/// A view that changes the document as it is dropped.
pub struct Edit<'d> {
    doc: &'d mut Doc,
    section: usize,
    lines: Vec<u32>,
}

impl Edit<'_> {
    pub fn line(&mut self, line: u32) {
        self.lines.push(line);
    }

    pub fn section_mut(&mut self) -> &mut Section {
        &mut self.doc.sections[self.section]
    }
}

impl Drop for Edit<'_> {
    fn drop(&mut self) {
        self.doc.sections[self.section].lines.append(&mut self.lines);
    }
}

/// A view that its only call uses up.
pub struct Spot<'d> {
    section: &'d mut Section,
}

impl Spot<'_> {
    pub fn fill(self, line: u32) {
        self.section.lines.push(line);
    }
}

impl Doc {
    pub fn new() -> Doc {
        Doc { bits: Bits { whole: 0 }, sections: Vec::new() }
    }

    pub fn slot(&mut self, name: &str) -> Slot<'_> {
        Slot { doc: self, name: name.to_owned() }
    }

    pub fn section_mut(&mut self, name: &str) -> Option<&mut Section> {
        self.sections.iter_mut().find(|section| section.name == name)
    }

    pub fn edit(&mut self, section: usize) -> Edit<'_> {
        Edit { doc: self, section, lines: Vec::new() }
    }

    pub fn spot(&mut self, section: usize) -> Option<Spot<'_>> {
        self.sections.get_mut(section).map(|section| Spot { section })
    }

    pub fn last_mut(&mut self) -> &mut Section {
        self.sections.last_mut().unwrap()
    }

    pub fn line(&self, section: usize, line: usize) -> u32 {
        let _ = self.bits;
        self.sections[section].lines[line]
    }
}

impl Section {
    pub fn named(name: &str) -> Section {
        Section { name: name.to_owned(), lines: Vec::new() }
    }

    pub fn push(&mut self, line: u32) -> &mut Self {
        self.lines.push(line);
        self
    }
}

impl<'d> Slot<'d> {
    pub fn or_make(self) -> &'d mut Section {
        self.doc.sections.push(Section { name: self.name, lines: Vec::new() });
        self.doc.last_mut()
    }
}

/// Made by a builder.
pub struct Plan {
    bits: Bits,
    steps: Vec<u8>,
}

pub struct PlanBuilder {
    bits: Bits,
    steps: Vec<u8>,
}

impl PlanBuilder {
    pub fn of(whole: u32) -> PlanBuilder {
        PlanBuilder { bits: Bits { whole }, steps: Vec::new() }
    }

    pub fn step(mut self, length: u8) -> PlanBuilder {
        self.steps.push(length);
        self
    }

    pub fn build(self) -> Plan {
        Plan { bits: self.bits, steps: self.steps }
    }
}

impl Plan {
    pub fn length(&self, step: usize) -> u8 {
        let _ = self.bits;
        self.steps[step]
    }
}

/// What makes it is called too often for each call to be read at first.
pub struct Tick {
    bits: Bits,
}

impl Tick {
    pub fn at(whole: u32) -> Tick {
        Tick { bits: Bits { whole } }
    }

    pub fn check(&self) -> u32 {
        [1u32][unsafe { self.bits.whole } as usize / 5000]
    }
}
"#;

const MAIN: &str = r#"
use demo::{Meter, Pile, PlanBuilder, Tick};

struct Panel {
    meters: Vec<Meter>,
}

fn last_of_each(index: &demo::Index) -> u32 {
    let mut sum = 0;
    for list in index.lists().values() {
        sum += list[index.limit() as usize - 1];
    }
    sum
}

fn panel(texts: &[&str]) -> Panel {
    Panel { meters: texts.iter().filter_map(|text| Meter::parse(text).ok()).collect() }
}

fn main() {
    let shown = match std::env::args().nth(1).as_deref() {
        Some("meter") => panel(&["1", "x", "9"]).meters.iter().map(Meter::read).sum(),
        Some("pile") => {
            let mut other = Pile::new();
            other.put(String::from("other"));
            let mut pile = Pile::new();
            for name in ["a", "b"] {
                pile.put(name.to_string()).put(name.to_string());
            }
            pile.put(String::from("c"));
            other.put(String::from("more"));
            pile.take(1);
            pile.at(7).len() as u32
        }
        Some("take") => {
            let mut pile = Pile::new();
            pile.put(1u64);
            pile.take(0);
            pile.take(0) as u32
        }
        Some("spill") => {
            let mut pile = Pile::new();
            pile.put(1u64);
            demo::spill(pile) as u32
        }
        Some("shelf") => {
            let mut pile = Pile::new();
            pile.put(1u64).put(2);
            let mut shelf = Box::new(demo::Shelf { pile });
            shelf.pile.put(3);
            shelf.top() as u32
        }
        Some("register") => {
            let register = demo::Register::new();
            register.note(5);
            register.note(6);
            register.note_all(&[7, 8]);
            register.noted(0) + register.noted(4)
        }
        Some("index") => {
            let mut index = demo::Index::new();
            index.insert("a", 1);
            index.insert("b", 2);
            index.insert("b", 3);
            *index.limit_mut() = 2;
            index.list_mut("a").unwrap().push(7);
            index.list_mut("b").unwrap().retain(|number| *number > 2);
            index.list_mut("b").unwrap().retain(|number| *number > 3);
            last_of_each(&index)
        }
        Some("doc") => {
            let mut doc = demo::Doc::new();
            doc.slot("a").or_make().push(1);
            doc.slot("b").or_make();
            // It is no part of the document.
            demo::Section::named("c").push(9);
            let section = doc.section_mut("a").unwrap();
            section.push(2);
            section.push(3);
            doc.last_mut().push(4);
            doc.line(0, 2) + doc.line(1, 1)
        }
        Some("edit") => {
            let mut doc = demo::Doc::new();
            doc.slot("a").or_make();
            let mut edit = doc.edit(0);
            edit.line(1);
            edit.line(2);
            drop(edit);
            doc.edit(0).line(3);
            let mut edit = doc.edit(0);
            let section = edit.section_mut();
            section.push(4);
            section.push(5);
            drop(edit);
            if let Some(spot) = doc.spot(0) {
                spot.fill(6);
            }
            doc.line(0, 5) + doc.line(0, 6)
        }
        Some("long") => {
            let mut doc = demo::Doc::new();
            doc.slot("a").or_make();
            let section = doc.last_mut();
            for line in 0..199 {
                section.push(line);
            }
            doc.line(0, 199)
        }
        Some("plan") => u32::from(PlanBuilder::of(3).step(4).step(5).build().length(2)),
        _ => (0..5001).map(|whole| Tick::at(whole).check()).sum(),
    };
    println!("{shown}");
}
"#;

fn generated(word: &str, options: &[&str]) -> (serde_json::Value, String, String) {
    let project = Project::package(&[("src/lib.rs", LIB), ("src/main.rs", MAIN)]);
    project.crash(&["cargo", "run", "-q", "--", word]);
    project.generate(&[&["--no-shrink"], options].concat())
}

/// The test of the innermost function.
fn test_of(word: &str) -> String {
    let (account, test, said) = generated(word, &["--frame", "0"]);
    assert_eq!(account["status"], "verified", "{account:#}\n{said}");
    assert!(said.contains("running the command again"), "{said}");
    test
}

#[test]
fn what_a_function_made_of_its_arguments_is_made_by_it() {
    let test = test_of("meter");
    let expected =
        "    let Ok(meter) = Meter::parse(\"9\") else {\n        return;\n    };\n    meter.read();\n";
    assert!(test.contains(expected), "{test}");
    assert!(test.contains("// made by the calls that made it in the crashed program\n"), "{test}");
}

#[test]
fn what_methods_changed_is_changed_again_but_for_their_own_calls_and_other_values() {
    let test = test_of("pile");
    let expected = "    let mut pile: Pile<String> = Pile::new();\n\
                    \x20   for _ in 0..2 {\n        pile.put(String::from(\"a\"));\n    }\n\
                    \x20   for _ in 0..2 {\n        pile.put(String::from(\"b\"));\n    }\n\
                    \x20   pile.put(String::from(\"c\"));\n    pile.take(1);\n";
    assert!(test.contains(expected), "{test}");
}

#[test]
fn the_call_that_crashed_is_not_made_before() {
    let test = test_of("take");
    let expected = "    let mut pile: Pile<u64> = Pile::new();\n    pile.put(1);\n    pile.take(0);\n";
    assert!(test.contains(expected), "{test}");
    assert_eq!(test.matches(".take(").count(), 2, "{test}");
}

#[test]
fn what_a_function_did_to_its_argument_is_not_done_before() {
    let (account, test, said) = generated("spill", &["--frame", "1"]);
    assert_eq!(account["status"], "verified", "{account:#}\n{said}");
    let expected = "    let mut pile = Pile::new();\n    pile.put(1);\n    spill(pile);\n";
    assert!(test.contains(expected), "{test}");
}

#[test]
fn what_was_moved_after_it_was_changed_is_changed_before() {
    let (account, test, said) = generated("shelf", &["--frame", "1"]);
    assert_eq!(account["status"], "verified", "{account:#}\n{said}");
    let expected = "    let mut pile = Pile::new();\n    pile.put(1);\n    pile.put(2);\n    pile.put(3);\n";
    assert!(test.contains(expected), "{test}");
    assert!(test.contains("Shelf { pile }"), "{test}");
}

#[test]
fn what_was_changed_behind_a_shared_reference_is_changed_again() {
    let test = test_of("register");
    let expected = "    let register = Register::new();\n    register.note(5);\n    register.note(6);\n    \
                    register.note_all(&[7, 8]);\n";
    assert!(test.contains(expected), "{test}");
}

#[test]
fn what_std_did_to_a_part_that_was_lent_is_put_into_it() {
    let test = test_of("index");
    let expected = "    let mut index = demo::Index::new();
    index.insert(\"a\", 1);
    index.insert(\"b\", 2);
    index.insert(\"b\", 3);
    *index.limit_mut() = 2;
    if let Some(part) = index.list_mut(\"a\") {
        *part = vec![1, 7];
    }
    if let Some(part) = index.list_mut(\"b\") {
        *part = Vec::new();
    }
    last_of_each(&index);
";
    assert!(test.contains(expected), "{test}");
}

#[test]
fn what_was_changed_through_a_part_is_changed_again() {
    let test = test_of("doc");
    let expected = "    let mut doc = Doc::new();\n\
                    \x20   doc.slot(\"a\").or_make().push(1);\n\
                    \x20   doc.slot(\"b\").or_make();\n\
                    \x20   if let Some(section) = doc.section_mut(\"a\") {\n\
                    \x20       section.push(2);\n        section.push(3);\n    }\n\
                    \x20   doc.last_mut().push(4);\n";
    assert!(test.contains(expected), "{test}");
}

#[test]
fn a_view_is_dropped_before_the_next_call() {
    let test = test_of("edit");
    let expected = "    doc.slot(\"a\").or_make();\n\
                    \x20   {\n        let mut edit = doc.edit(0);\n\
                    \x20       edit.line(1);\n        edit.line(2);\n    }\n\
                    \x20   doc.edit(0).line(3);\n\
                    \x20   {\n        let mut edit_2 = doc.edit(0);\n\
                    \x20       let section = edit_2.section_mut();\n\
                    \x20       section.push(4);\n        section.push(5);\n    }\n\
                    \x20   if let Some(spot) = doc.spot(0) {\n        spot.fill(6);\n    }\n";
    assert!(test.contains(expected), "{test}");
}

#[test]
fn calls_on_parts_count_among_those_that_are_made_again() {
    let (account, test, _) = generated("long", &["--frame", "0"]);
    assert_ne!(account["status"], "verified", "{account:#}\n{test}");
    assert!(!test.contains(".push("), "{test}");
}

#[test]
fn what_a_builder_built_is_built_again() {
    let test = test_of("plan");
    assert!(test.contains("PlanBuilder::of(3).step(4).step(5).build();\n"), "{test}");
}

#[test]
fn what_is_made_often_is_seen_by_a_patient_run() {
    let test = test_of("tick");
    assert!(test.contains("    let tick = Tick::at(5000);\n    tick.check();\n"), "{test}");
}

const SHEET: &str = "\
pub struct Style { bold: bool, width: u32, fill: char }
pub struct Cell { name: String, style: Style, notes: Vec<String> }
#[derive(Default)]
pub struct Sheet { cells: Vec<Cell>, total: u32 }
impl Sheet {
    pub fn new() -> Sheet { Sheet::default() }
    pub fn add(&mut self, name: &str, width: u32) -> &mut Sheet {
        let style = Style { bold: width > 4, width, fill: '.' };
        self.cells.push(Cell { name: name.to_owned(), style, notes: vec![format!(\"{name}!\")] });
        self.total += width;
        self
    }
    pub fn narrowest(&self) -> u32 {
        self.cells.iter().map(|cell| 60 / (cell.style.width - 2)).max().unwrap_or(0)
    }
}
";

const SHEETS: &str = "\
fn main() {
    let mut sheet = demo::Sheet::new();
    for (at, name) in [\"a\", \"b\", \"c\", \"d\", \"e\"].iter().enumerate() {
        sheet.add(name, 6 - at as u32);
    }
    println!(\"{}\", sheet.narrowest());
}
";

#[test]
fn a_test_that_would_be_long_has_the_calls_in_place_of_what_they_made() {
    let project = Project::package(&[("src/lib.rs", SHEET), ("src/main.rs", SHEETS)]);
    project.crash(&["cargo", "run", "-q"]);
    let (account, test, said) = project.generate(&[]);
    assert_eq!(account["status"], "verified", "{account:#}\n{said}");
    assert!(said.contains("the test of narrowest is long"), "{said}");
    assert!(test.contains("let mut sheet = Sheet::new();\n    sheet.add(\"a\", 6);\n"), "{test}");
    assert!(test.contains("    sheet.add(\"e\", 2);\n    sheet.narrowest();\n"), "{test}");
    // Without the calls it is what they made.
    project.command(&["rm", "--regression", "narrowest_divide_by_zero"]).output().unwrap();
    let (account, test, said) = project.generate(&["--no-rerun"]);
    assert_eq!(account["status"], "verified", "{account:#}\n{said}");
    assert!(test.contains("cells: vec!["), "{test}");
}

#[test]
fn nothing_is_made_anew_where_no_second_run_may_be() {
    let (account, _, _) = generated("meter", &["--frame", "0", "--no-rerun"]);
    assert_ne!(account["status"], "verified", "{account:#}");
}
