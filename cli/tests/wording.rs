//! How generated tests are worded, and what is said where there is none: whole programs, from run to test.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use serde_json::Value;

#[path = "fixture/project.rs"]
mod project;

/// Crashes a program and generates: the account, and the test's text.
fn generated(lib: &str, main: &str) -> (Value, String) {
    let project = project::Project::package(&[("src/lib.rs", lib), ("src/main.rs", main)]);
    project.crash(&["cargo", "run", "-q"]);
    let (account, test, _) = project.generate(&[]);
    (account, test)
}

#[test]
fn a_type_that_no_argument_tells_stands_in_the_call_alone() {
    let lib = "pub fn parse<T: std::str::FromStr>(text: &str, width: u64) -> T {\n    \
               text.get(..width as usize).and_then(|text| text.parse().ok()).unwrap()\n}\n";
    let (account, test) = generated(lib, "fn main() {\n    demo::parse::<u16>(\"12\", 7);\n}\n");
    assert_eq!(account["status"], "verified", "{account:#}");
    assert!(test.contains("parse::<u16>(text, width)") && test.contains("let width = 7;"), "{test}");
}

#[test]
fn a_type_that_an_empty_argument_does_not_tell_stands_at_its_variable() {
    let lib = "pub fn pick<T: Copy + Default>(items: &[T], width: u64, at: usize) -> T {\n    \
               let first = items.first().copied().unwrap_or_default();\n    \
               [first].get(at + width as usize).copied().unwrap()\n}\n";
    let (account, test) = generated(lib, "fn main() {\n    demo::pick::<u16>(&[], 5, 7);\n}\n");
    assert_eq!(account["status"], "verified", "{account:#}");
    assert!(test.contains("let items: &[u16] = &[];") && test.contains("pick(items, width, at);"), "{test}");
    assert!(test.contains("let width = 5;") && test.contains("let at = 7;"), "{test}");
}

#[test]
fn a_number_whose_type_decides_a_bound_says_it_by_its_variable() {
    let lib = "pub fn total(from: impl Into<u64>, width: u64) -> u64 {\n    \
               let sum: u64 = from.into() + width;\n    [1, 2][sum as usize]\n}\n";
    let (account, test) = generated(lib, "fn main() {\n    demo::total(5_u32, 7);\n}\n");
    assert_eq!(account["status"], "verified", "{account:#}");
    assert!(test.contains("let from: u32 = 5;") && test.contains("let width = 7;"), "{test}");
}

#[test]
fn a_long_path_that_a_test_repeats_is_imported() {
    let lib = "pub mod shop {\n    pub mod goods {\n        #[derive(Debug)]\n        pub enum Kind {\n            Tea,\n            \
               Cup { handles: u8 },\n        }\n    }\n}\n\npub mod till {\n    \
               pub fn price(goods: &[crate::shop::goods::Kind]) -> u32 {\n        [1, 2][goods.len()]\n    }\n}\n";
    let main = "use demo::shop::goods::Kind;\n\nfn main() {\n    \
                demo::till::price(&[Kind::Tea, Kind::Cup { handles: 2 }, Kind::Tea]);\n}\n";
    let (account, test) = generated(lib, main);
    assert_eq!(account["status"], "verified", "{account:#}");
    assert!(test.contains("\nuse crate::shop::goods::Kind;\n"), "{test}");
    assert!(test.contains("[Kind::Tea, Kind::Cup { handles: 2 }, Kind::Tea]"), "{test}");
}

#[test]
fn where_main_alone_can_be_called_the_reason_is_that_of_a_function() {
    let lib = "";
    let main = "struct Steps(Box<dyn Fn(usize) -> usize>);\n\nfn apply(steps: &Steps, of: &[u32]) -> u32 {\n    \
                let at = steps.0(of.len());\n    [1].iter().map(|n| n + of[at]).sum()\n}\n\nfn main() {\n    \
                fn more(n: usize) -> usize { n + 1 }\n    \
                if !std::env::args().next().unwrap().contains(\"deps\") {\n        \
                apply(&Steps(Box::new(|n| more(n))), &[1, 2]);\n    }\n}\n";
    let (account, _) = generated(lib, main);
    assert_eq!(account["status"], "unverified", "{account:#}");
    let reason = account["reason"].as_str().unwrap();
    assert!(reason.starts_with("demo::apply: ") && reason.contains("demo::main alone"), "{account:#}");
}

#[test]
fn names_that_mean_something_else_in_the_tests_place_are_said_so_that_they_do_not() {
    let lib = r#"pub mod levels {
    pub enum Level { None, Some }
    use Level::*;
    pub enum Message { Quit {}, Halt(), Go }
    pub struct Marker();
    pub struct Bare {}
    pub fn above(level: &Level, cap: Option<u8>, messages: &[Message], _: &Marker, _: &Bare) -> usize {
        let from = match level { None => 0, Some => 1 };
        [1, 2][from + messages.len() + cap.map_or(0, usize::from)]
    }
}
mod r#type {
    pub struct Token { pub at: usize }
    pub(crate) fn token(token: Token) -> u8 { [1, 2][token.at] }
}
pub fn typed(at: usize) -> u8 { r#type::token(r#type::Token { at }) }
pub struct Order { pub id: u32 }
pub fn order(orders: &Vec<&Order>, at: usize) -> u32 { orders[at].id }
"#;
    let main = r#"use demo::{levels::*, Order};
fn main() {
    let crash = |f: fn()| drop(std::panic::catch_unwind(f));
    let messages = || [Message::Quit {}, Message::Halt(), Message::Go];
    crash(|| drop(demo::order(&vec![&Order { id: 1 }], 7)));
    crash(|| drop(demo::typed(9)));
    let all = std::panic::catch_unwind(|| above(&Level::Some, None, &messages(), &Marker(), &Bare {}));
    drop(all);
}
"#;
    let project = project::Project::package(&[("src/lib.rs", lib), ("src/main.rs", main)]);
    project.command(&["run", "--", "cargo", "run", "-q"]).output().unwrap();
    let accounts = project.generate_all();
    assert_eq!(accounts.all.len(), 3);
    let test = accounts.test_of("demo::levels::above");
    assert!(test.contains("let cap = Option::None;") && test.contains("= Marker {};"), "{test}");
    assert!(test.contains("Message::Quit {}, Message::Halt {}, Message::Go"), "{test}");
    let test = accounts.test_of("demo::order");
    assert!(
        test.contains("let order = Order { id: 1 };") && test.contains("self::order(&orders, at)"),
        "{test}"
    );
    let account = accounts.all.iter().find(|account| account["function"] == "demo::typed").unwrap();
    let inner = account["alternatives"].to_string();
    // libtest's path of a test in `r#type` has the mark, too: without it, no test would run.
    assert!(inner.contains("demo::type::token"), "{account:#}");
}

#[test]
fn a_file_that_cannot_be_parsed_is_named_with_the_place() {
    let lib = "pub fn at(index: usize) -> u8 {\n    [1, 2][index]\n}\n";
    let main = "fn main() {\n    demo::at(7);\n}\n";
    let project = project::Project::package(&[("src/lib.rs", lib), ("src/main.rs", main)]);
    project.command(&["run", "--", "cargo", "run", "-q"]).output().unwrap();
    project.write("src/lib.rs", format!("{lib}\nfn half( {{\n"));
    let output = project.command(&["gen"]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("failed to read src/lib.rs: failed to parse, line 5"), "{said}");
}
