//! Closures by where they are written, spelled for another place.

use relapse_snapshot::{ClosureText, Location};

use super::*;
use crate::names::{Names, RebuiltClosure};

const LIB: &str = r#"pub mod shapes {
    pub struct Line(pub u32);
    pub enum Kind { Small, Large(u32) }
    pub fn twice(x: u32) -> u32 { x * 2 }
    pub fn apply(f: impl Fn(u32) -> u32) -> u32 { f(1) }
    pub const MOST: u32 = 9;
    fn own(x: u32) -> u32 { x }
    pub fn users() { apply(|x| own(x)); }
}
pub mod a {
    use crate::shapes::{self, twice, Kind, Line as Row};
    macro_rules! vec { ($($x:tt)*) => { 0 } }
    struct S { base: u32, both: (u32, u32) }
    impl S {
        fn run(&mut self, p: &u32, word: String) {
            apply(|x| x + self.base + self.both.1);
            apply(|x| { self.base += x; self.base });
            apply(|x| x + *p);
            apply(move |x| format!("{word:>x$} {}", word.len()).len() as u32);
            apply(|self_| Self::of(self_));
            apply(|x| held(p, x));
        }
        fn of(x: u32) -> u32 { x }
    }
    fn f<T: Default + Into<u32>>(base: u32) {
        use crate::shapes::MOST;
        fn local(x: u32) -> u32 { x }
        apply(|x| twice(x) + shapes::twice(x) + MOST + u32::MAX + base);
        apply(|x| match Kind::Large(x) { Kind::Large(y) if y > base => y, Kind::Small | Kind::Large(_) => 0 });
        apply(|base| base + 1);
        apply(|x| local(x));
        apply(|x| x + T::default().into());
        apply(|x| x + vec![base]);
        apply(|x| x + odd!(base));
        apply(|x| unknown(x));
        apply(|x| Row(x).0 + Vec::<u32>::from_iter([x]).len() as u32);
        apply(|x| { let base = base + x; if let Some(base) = Some(base) { base } else { 0 } });
        (apply(|x| x + 1), apply(|x| x + 2));
        let (fun, base) = (twice, 1);
        apply(twice); apply(shapes::twice); apply(local); apply(fun); apply(|x| twice(x)); apply(|x| x + base); apply(twice(1));
    }
    use crate::shapes::apply;
    pub trait Least { fn least() -> u32; }
    pub trait Gauge: Least { fn scale() -> u32; fn most() -> u32 { 9 } }
    pub struct Meter;
    impl Meter { pub fn scale() -> u32 { 1 } pub fn least() -> u32 { 0 } }
    impl Gauge for Meter { fn scale() -> u32 { 2 } }
    impl Gauge for u16 { fn scale() -> u32 { 3 } }
    fn measure<G>() where G: Gauge {
        apply(|x| x + G::scale());
        apply(|x| x + G::most());
        apply(|x| x + G::least());
    }
    fn held(p: &u32, x: u32) -> u32 { *p + x }
}
pub mod b {}
"#;

const BIN: &str = "fn mine(x: u32) -> u32 { x }
fn main() {
    demo::shapes::apply(|x| demo::shapes::twice(x));
    demo::shapes::apply(|x| mine(x));
}
";

fn fixture() -> Fixture {
    Fixture::library(LIB, &[("src/main.rs", BIN)])
}

/// The closure of that path, which begins at the line of that text, at a module.
fn rebuilt(
    fixture: &Fixture,
    module: &str,
    (name, line_of): (&str, &str),
    captures: &[&str],
) -> Result<RebuiltClosure, String> {
    let (file, text) = if BIN.contains(line_of) { ("src/main.rs", BIN) } else { ("src/lib.rs", LIB) };
    let line = 1 + text.lines().position(|line| line.contains(line_of)).unwrap() as u32;
    let at = Location { file: file.to_owned(), line, column: 0 };
    let names = NamesAt::new(&fixture.index, fixture.module(module));
    let text = ClosureText { at, parameters: Vec::new(), gives: None };
    names.closure(name, &text, captures).map_err(|unnameable| unnameable.0)
}

/// Its text, with `$0`, `$1` … for what it has captured.
fn shown(
    fixture: &Fixture,
    module: &str,
    closure: (&str, &str),
    captures: &[&str],
) -> Result<String, String> {
    let rebuilt = rebuilt(fixture, module, closure, captures)?;
    let closure = &rebuilt.closure;
    Ok(compact(&quote::quote!(#closure)))
}

/// Tokens without the blanks that nobody needs.
fn compact(tokens: &proc_macro2::TokenStream) -> String {
    let text: Vec<char> = tokens.to_string().chars().collect();
    let is_word =
        |at: Option<usize>| at.and_then(|at| text.get(at)).is_some_and(|c| c.is_alphanumeric() || *c == '_');
    let kept = text
        .iter()
        .enumerate()
        .filter(|(at, c)| !c.is_whitespace() || is_word(at.checked_sub(1)) && is_word(at.checked_add(1)));
    kept.map(|(_, c)| *c).collect::<String>().replace("__relapse_captured_", "$")
}

#[test]
fn a_closure_stays_as_it_is_where_its_names_mean_the_same() {
    let fixture = fixture();
    let closure = ("demo::a::f::{closure_env#0}<u8>", "twice(x) + shapes");
    // What the function imports has to be spelled anew everywhere.
    assert_eq!(
        shown(&fixture, "a", closure, &["_ref__base"]).unwrap(),
        "|x|twice(x)+shapes::twice(x)+shapes::MOST+u32::MAX+$0"
    );
}

#[test]
fn paths_are_spelled_for_the_place_of_the_test() {
    let fixture = fixture();
    let at_b = |closure, captures: &[&str]| shown(&fixture, "b", closure, captures).unwrap();
    assert_eq!(
        at_b(("demo::a::f::{closure_env#0}<u8>", "twice(x) + shapes"), &["_ref__base"]),
        "|x|crate::shapes::twice(x)+crate::shapes::twice(x)+crate::shapes::MOST+u32::MAX+$0"
    );
    assert_eq!(
        at_b(("demo::a::f::{closure_env#1}<u8>", "match Kind"), &["_ref__base"]),
        "|x|match crate::shapes::Kind::Large(x){crate::shapes::Kind::Large(y)if y>$0=>y,\
         crate::shapes::Kind::Small|crate::shapes::Kind::Large(_)=>0}"
    );
    assert_eq!(
        at_b(("demo::a::f::{closure_env#8}<u8>", "Row(x)"), &[]),
        "|x|crate::shapes::Line(x).0+Vec::<u32>::from_iter([x]).len()as u32"
    );
    assert_eq!(
        at_b(("demo::main::{closure_env#0}", "demo::shapes::twice"), &[]),
        "|x|crate::shapes::twice(x)"
    );
}

#[test]
fn generic_parameters_and_self_are_what_they_were() {
    let fixture = fixture();
    let at_a = |name: &str, line: &str| shown(&fixture, "a", (name, line), &[]).unwrap();
    let closure = |of: &'static str| ["demo::a::f::{closure_env#4}<", of, ">"].concat();
    assert_eq!(at_a(&closure("u8"), "T::default"), "|x|x+u8::default().into()");
    let of = closure("alloc::vec::Vec<demo::shapes::Line, alloc::alloc::Global>");
    assert_eq!(at_a(&of, "T::default"), "|x|x+<Vec<Row>>::default().into()");
    assert_eq!(at_a("demo::a::{impl#0}::run::{closure_env#4}", "Self::of"), "|self_|S::of(self_)");
}

#[test]
fn a_bounds_function_is_not_the_types_own() {
    let fixture = fixture();
    let at_a = |name: &str, line: &str| shown(&fixture, "a", (name, line), &[]);
    // `Meter::scale` is its own.
    let of_bound = at_a("demo::a::measure::{closure_env#0}<demo::a::Meter>", "G::scale()").unwrap();
    assert_eq!(of_bound, "|x|x+<Meter as Gauge>::scale()");
    let other = at_a("demo::a::measure::{closure_env#1}<demo::a::Meter>", "G::most()").unwrap();
    assert_eq!(other, "|x|x+Meter::most()");
    // What functions `u16` has is not known.
    let of_std = at_a("demo::a::measure::{closure_env#0}<u16>", "G::scale()").unwrap();
    assert_eq!(of_std, "|x|x+<u16 as Gauge>::scale()");
    // Nor whether the trait has a function of that name, or one that it needs.
    let refused = at_a("demo::a::measure::{closure_env#2}<demo::a::Meter>", "G::least()").unwrap_err();
    assert!(refused.contains("calls `G::least` of a bound"), "{refused}");
}

#[test]
fn what_a_closure_binds_hides_what_it_could_capture() {
    let fixture = fixture();
    let at_a = |closure, captures: &[&str]| shown(&fixture, "a", closure, captures).unwrap();
    assert_eq!(at_a(("demo::a::f::{closure_env#2}<u8>", "|base|"), &[]), "|base|base+1");
    let closure = ("demo::a::f::{closure_env#9}<u8>", "let base");
    assert_eq!(
        at_a(closure, &["_ref__base"]),
        "|x|{let base=$0+x;if let Some(base)=Some(base){base}else{0}}"
    );
    // Its variable must not be called so, either.
    let rebuilt = rebuilt(&fixture, "a", closure, &["_ref__base"]).unwrap();
    assert_eq!(rebuilt.captures[0].variable, "base_captured");
}

#[test]
fn captured_places_become_variables() {
    let fixture = fixture();
    let of = |number: u32, line: &str, captures: &[&str]| {
        let name = format!("demo::a::{{impl#0}}::run::{{closure_env#{number}}}");
        let rebuilt = rebuilt(&fixture, "a", (&name, line), captures).unwrap();
        let closure = &rebuilt.closure;
        (compact(&quote::quote!(#closure)), rebuilt.captures)
    };
    let (text, captures) = of(0, "self.both.1", &["_ref__self__base", "_ref__self__both__1"]);
    assert_eq!(text, "|x|x+$0+$1");
    assert_eq!([&*captures[0].variable, &*captures[1].variable], ["base", "both_1"]);
    let (text, captures) = of(1, "self.base += x", &["self__base"]);
    assert_eq!(text, "|x|{$0+=x;$0}");
    assert!(captures[0].changed && !captures[0].by_reference);
    let (text, captures) = of(2, "*p", &["_ref__p"]);
    assert_eq!(text, "|x|x+*$0");
    assert!(captures[0].dereferenced && captures[0].by_reference && !captures[0].changed);
    let (text, captures) = of(3, "format!", &["word"]);
    assert_eq!(text, "move|x|format!(\"{word:>x$}{}\",$0.len()).len()as u32");
    assert!(captures[0].in_format && !captures[0].dereferenced && !captures[0].changed);
    let (_, captures) = of(5, "held(p, x)", &["_ref__p"]);
    assert!(captures[0].handed_on, "what was borrowed of it was a reference before");
}

#[test]
fn what_means_nothing_elsewhere_is_refused_with_its_name() {
    let fixture = fixture();
    for (closure, captures, reason) in [
        (
            ("demo::a::f::{closure_env#3}<u8>", "local(x))"),
            &[][..],
            "names `local`, declared within the function",
        ),
        (
            ("demo::a::f::{closure_env#4}", "T::default"),
            &[],
            "names `T`, a generic parameter of the function",
        ),
        (("demo::a::f::{closure_env#5}<u8>", "vec![base]"), &["_ref__base"], "calls the macro `vec`"),
        (("demo::a::f::{closure_env#6}<u8>", "odd!"), &["_ref__base"], "calls the macro `odd`"),
        (
            ("demo::a::f::{closure_env#7}<u8>", "unknown"),
            &[],
            "names `unknown`, which is not known to be anything",
        ),
        (("demo::a::{impl#0}::run::{closure_env#4}", "Self::of"), &[], "`a::S` is private to `crate::a`"),
        (
            ("demo::shapes::users::{closure_env#0}", "own(x))"),
            &[],
            "`shapes::own` is private to `crate::shapes`",
        ),
        (
            ("demo::main::{closure_env#1}", "mine(x));"),
            &[],
            "names `mine`, which belongs to the program `demo`",
        ),
        (
            ("demo::a::f::{closure_env#2}<u8>", "|base|"),
            &["_ref__x"],
            "has captured `x`, which its text does not use",
        ),
        (("demo::a::f::{closure_env#2}<u8>", "fn local"), &[], "is not found at src/lib.rs:"),
        (("other::a::f::{closure_env#2}<u8>", "|base|"), &[], "where no function of the workspace is found"),
    ] {
        let refused = shown(&fixture, "b", closure, captures).unwrap_err();
        assert!(refused.contains(reason), "{refused}");
    }
}

#[test]
fn two_closures_of_one_line_are_told_apart_unless_a_macro_may_hold_others() {
    let fixture = fixture();
    // `odd!(…)` in the function may have closures of its own: nobody knows which number is whose.
    let closure = ("demo::a::f::{closure_env#10}<u8>", "x + 1), apply");
    let refused = shown(&fixture, "a", closure, &[]).unwrap_err();
    assert!(refused.contains("is not found at"), "{refused}");
}

#[test]
fn a_function_is_passed_by_the_name_that_its_caller_gives() {
    let fixture = fixture();
    let line = 1 + LIB.lines().position(|line| line.contains("apply(twice);")).unwrap();
    let text = LIB.lines().nth(line - 1).unwrap();
    let apply = fixture.lib().functions.iter().find(|f| f.name == "apply").unwrap();
    let passed = |call: &str, module: &str| {
        let column = 1 + text.find(call).unwrap() as u32;
        let at = Location { file: "src/lib.rs".into(), line: line as u32, column };
        let names = NamesAt::new(&fixture.index, fixture.module(module));
        let caller = Caller { at: &at, krate: "demo", generics: Vec::new() };
        let path = names.passed_function(apply, 0, &[caller]).map_err(|unnameable| unnameable.0);
        path.map(|path| compact(&path))
    };
    assert_eq!(passed("apply(twice)", "a").unwrap(), "twice");
    assert_eq!(passed("apply(twice)", "b").unwrap(), "crate::shapes::twice");
    assert_eq!(passed("apply(shapes::twice)", "b").unwrap(), "crate::shapes::twice");
    assert_eq!(passed("apply(|x| twice(x))", "b").unwrap(), "|x|crate::shapes::twice(x)");
    for (call, reason) in [
        ("apply(local)", "declared within the function"),
        ("apply(fun)", "passes the variable `fun`"),
        ("apply(|x| x + base)", "names `base`, which is not known to be anything"),
        ("apply(twice(1))", "does not pass it by a name"),
        ("; apply(shapes", "is not the only one on its line"),
    ] {
        let refused = passed(call, "a").unwrap_err();
        assert!(refused.contains(reason), "{refused}");
    }
}
