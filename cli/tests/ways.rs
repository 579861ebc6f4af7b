//! Values whose fields are private to a library of which only the outside can be tested, since its own unit tests do not
//! build: by the library's constructors and setters, where their source tells what they give.
#![allow(clippy::unwrap_used, reason = "a test may fail so")]

#[path = "fixture/project.rs"]
mod project;

use project::Project;

const LIB: &str = r#"
use std::cell::Cell;
use std::ptr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};

#[derive(Debug, Clone, Copy)]
pub enum Side {
    Left,
    Right,
}

#[derive(Debug, Default, Clone)]
pub struct Bars {
    label: Option<String>,
    values: Vec<u32>,
}

impl Bars {
    pub fn label(mut self, label: String) -> Self {
        self.label = Some(label);
        self
    }

    pub fn values(self, values: &[u32]) -> Self {
        Self { values: values.to_vec(), ..self }
    }
}

#[derive(Debug, Clone)]
struct Square {
    sign: String,
    bold: bool,
}

#[derive(Debug, Clone)]
pub struct Mark {
    sign: String,
    bold: bool,
}

impl Mark {
    pub fn new(sign: &str) -> Self {
        Mark { sign: sign.to_owned(), bold: false }
    }
}

#[derive(Debug)]
pub struct Chart {
    title: String,
    bars: Vec<Bars>,
    marks: Vec<Mark>,
    side: Side,
    width: u16,
}

impl Default for Chart {
    fn default() -> Self {
        Self { title: String::new(), bars: Vec::new(), marks: Vec::new(), side: Side::Left, width: 8 }
    }
}

impl Chart {
    pub fn titled(title: &str) -> Self {
        Self { title: title.to_string(), ..Self::default() }
    }

    pub fn side(mut self, side: Side) -> Self {
        self.side = side;
        self
    }

    pub fn bars(mut self, bars: impl Into<Bars>) -> Self {
        let bars: Bars = bars.into();
        if !bars.values.is_empty() {
            self.bars.push(bars);
        }
        self
    }

    pub fn marks(mut self, marks: Vec<Mark>) -> Self {
        self.marks = marks;
        self
    }

    pub fn draw(&self) -> u32 {
        let own = Square { sign: self.title.clone(), bold: true };
        let signs = self.marks.iter().filter(|mark| !mark.bold && mark.sign == "+").count();
        let labels = self.bars.iter().filter(|bars| bars.label.is_some()).count();
        let sum: u32 = self.bars.iter().flat_map(|bars| &bars.values).sum();
        let right = u32::from(matches!(self.side, Side::Right));
        let held = own.sign == "Load" && own.bold && signs == 6 && labels == 1 && right == 1;
        sum - u32::from(self.width) * u32::from(held) - 100
    }
}

#[derive(Debug)]
pub struct Meter {
    limit: u32,
    samples: Vec<u32>,
    unit: String,
}

impl Meter {
    pub fn new(unit: String) -> Self {
        Meter { unit, limit: 10, samples: Vec::new() }
    }

    pub fn add(&mut self, sample: u32) {
        self.samples.push(sample);
    }

    pub fn set_limit(&mut self, limit: u32) -> &mut Self {
        self.limit = limit;
        self
    }

    pub fn left(&self) -> u32 {
        self.limit - self.samples.iter().sum::<u32>() - self.unit.len() as u32
    }
}

/// Begins with cells and a lock that nobody has, and keeps to itself what is in them.
#[derive(Debug)]
pub struct Gate {
    first: AtomicPtr<u8>,
    waiting: AtomicUsize,
    names: Mutex<Vec<String>>,
    limit: Cell<u32>,
}

impl Gate {
    pub const fn new(limit: u32) -> Gate {
        Gate {
            first: AtomicPtr::new(ptr::null_mut()),
            waiting: AtomicUsize::new(0),
            names: Mutex::new(Vec::new()),
            limit: Cell::new(limit),
        }
    }

    pub fn wait(&self) {
        self.waiting.fetch_add(1, Ordering::Relaxed);
    }

    pub fn left(&self) -> u32 {
        let names = self.names.lock().map_or(1, |names| names.len() as u32);
        self.limit.get() - names - u32::from(self.first.load(Ordering::Relaxed).is_null()) - 5
    }
}

#[derive(Debug)]
pub struct Log {
    lines: u32,
    loud: bool,
}

impl Log {
    pub fn new() -> Self {
        Log { lines: 1, loud: std::env::var("LOUD").is_ok() }
    }

    pub fn left(&self) -> u32 {
        self.lines - 2 - u32::from(self.loud)
    }
}

#[cfg(test)]
mod tests {
    use lost_helper::Names;
}
"#;

const MAIN: &str = r#"
use demo::{Bars, Chart, Gate, Log, Mark, Meter, Side};

fn main() {
    let left = match std::env::args().nth(1).as_deref() {
        Some("chart") => {
            let bars = Bars::default().values(&[1, 2]).label("first".to_owned());
            let chart = Chart::titled("Load").side(Side::Right).bars(bars).bars(Bars::default().values(&[7]));
            chart.marks(vec![Mark::new("+"); 6]).draw()
        }
        Some("meter") => {
            let mut meter = Meter::new("ms".to_owned());
            meter.set_limit(12);
            meter.add(9);
            meter.add(4);
            meter.left()
        }
        Some("gate") => Gate::new(4).left(),
        Some("waited") => {
            let gate = Gate::new(4);
            gate.wait();
            gate.left()
        }
        _ => Log::new().left(),
    };
    println!("{left}");
}
"#;

fn crashed(word: &str) -> Project {
    let project = Project::package(&[("src/lib.rs", LIB), ("src/main.rs", MAIN)]);
    project.crash(&["cargo", "run", "-q", "--", word]);
    project
}

fn generated(word: &str) -> String {
    let (account, test, said) = crashed(word).generate(&["--frame", "0", "--no-shrink", "--no-rerun"]);
    assert_eq!(account["status"], "verified", "{account:#}\n{said}");
    assert_eq!(account["cargo_args"], serde_json::json!(["--test", "regressions"]));
    test
}

#[test]
fn a_chain_of_the_librarys_own_methods_gives_the_value() {
    let test = generated("chart");
    let chart = "    let chart = demo::Chart::titled(\"Load\")
        .bars(
            demo::Bars::default()
                .label(String::from(\"first\"))
                .values(&[1, 2]),
        )
        .bars(demo::Bars::default().values(&[7]))
        .marks(vec![demo::Mark::new(\"+\"); 6])
        .side(demo::Side::Right);
    chart.draw();
";
    assert!(test.contains(chart), "{test}");
}

#[test]
fn setters_that_take_a_place_are_called_one_by_one() {
    let test = generated("meter");
    let meter = "    let mut meter = demo::Meter::new(String::from(\"ms\"));
    meter.set_limit(12);
    meter.add(9);
    meter.add(4);
    meter.left();
";
    assert!(test.contains(meter), "{test}");
}

#[test]
fn what_a_constructor_puts_into_cells_and_locks_is_seen_in_them() {
    let test = generated("gate");
    let gate = "    let gate = demo::Gate::new(4);
    gate.left();
";
    assert!(test.contains(gate), "{test}");
}

fn assert_private(word: &str, field: &str) {
    let (account, _, said) = crashed(word).generate(&["--frame", "0", "--no-shrink", "--no-rerun"]);
    assert_eq!(account["status"], "unverified", "{account:#}\n{said}");
    let reason = account["rejected"][0]["reason"].as_str().unwrap();
    assert!(reason.contains(&format!("field {field} is private")), "{reason}");
}

#[test]
fn what_a_constructor_takes_from_its_surroundings_is_not_known() {
    assert_private("log", "`lines` of `demo::Log`");
}

#[test]
fn what_has_changed_in_a_cell_since_it_was_begun_is_not_begun_so() {
    assert_private("waited", "`first` of `demo::Gate`");
}

#[test]
fn a_program_whose_tests_do_not_build_says_which_crates_they_lack() {
    let main = "fn half(all: u32) -> u32 {\n    all / 2 - 9\n}\n\nfn main() {\n    println!(\"{}\", half(4));\n}\n\n\
                #[cfg(test)]\nmod tests {\n    use lost_helper::Names;\n}\n";
    let project = Project::package(&[("src/main.rs", main)]);
    project.crash(&["cargo", "run", "-q"]);
    let (account, _, said) = project.generate(&["--no-rerun"]);
    assert_eq!(account["status"], "failed", "{account:#}\n{said}");
    let reason = account["rejected"][0]["reason"].as_str().unwrap();
    let advice = "failed to build the workspace's own code: its tests use crates that its Cargo.toml does not name: \
                  `cargo add --dev -p demo lost_helper`\n";
    assert!(reason.starts_with(advice), "{reason}");
}
