//! What the crate's own macros make: where it is, and which of several functions of one text a frame is.

use super::*;
use crate::names::Names;

const MACROS: &str = r#"macro_rules! record {
    ($(#[$meta:meta])* $vis:vis $name:ident { $($field:ident: $ty:ty),* $(,)? }) => {
        $(#[$meta])*
        $vis struct $name { $($field: $ty),* }
        impl $name {
            $vis fn get(&self) -> &Self { self }
        }
    };
}
macro_rules! inner { () => { pub struct Inner; } }
#[cfg(windows)]
macro_rules! platform { ($name:ident) => { pub struct Windows; } }
#[cfg(not(windows))]
macro_rules! platform { ($name:ident) => { pub struct $name; } }
"#;

const LIB: &str = r#"
early! { Early }
#[macro_use]
mod macros;
mod shapes {
    record! {
        /// A point.
        #[derive(Clone, Copy)]
        pub Point { x: u8, y: Vec<u8> }
    }
    record!(pub(crate) Empty {});
    platform!(Unix);
    mod local { macro_rules! inner { () => { struct Local; } } inner!(); }
    inner!();
}
mod numbers {
    pub trait Double { fn double(self) -> Self; fn twice(self) -> Self where Self: Sized { self } }
    macro_rules! double { ($($t:ty),*) => { $(impl Double for $t { fn double(self) -> $t { self + self } })* } }
    double!(u8, i64);
    pub struct Reader;
    macro_rules! number { ($name:ident -> $t:ty) => { pub fn $name(&self, text: &str) -> $t { text.parse().unwrap() } } }
    impl Reader { number!(read_u8 -> u8); number! { read_i8 -> i8 } }
    macro_rules! count { (@one $x:ident) => { pub fn $x() {} }; ($($x:ident)*) => { $(count!(@one $x);)* } }
    count!(a b);
    other::macros::count!(c);
}
mod handed {
    macro_rules! outer { ($t:ty) => { inner_of!($t); impl Holder { fn held(x: $t) {} } } }
    macro_rules! inner_of { (u8) => { pub struct Wrong; }; ($($x:tt)*) => { pub struct Holder { pub of: $($x)* } } }
    outer!(u8);
}
mod shadows {
    macro_rules! shape { () => { pub struct First; } }
    macro_rules! shape { ($x:novel) => {}; () => { pub struct Second; } }
    shape!();
    mod one { macro_rules! twice { () => { pub struct OfOne; } } }
    mod two { macro_rules! twice { () => { pub struct OfTwo; } } }
    twice!();
    mod three { macro_rules! foreign { () => { pub struct OfThree; } } }
    foreign!();
    use other::foreign;
    crate::exported!();
    mod four { #[macro_export] macro_rules! exported { () => { pub struct Exported; } } }
    exported!();
    use crate::exported;
}
#[macro_export]
macro_rules! early { ($name:ident) => { pub enum $name { A, B } } }
macro_rules! endless { ($($x:tt)*) => { endless!($($x)* a); } }
endless!();
"#;

fn fixture() -> Fixture {
    let manifest = "[package]\nname = \"demo\"\nversion = \"0.1.0\"\nedition = \"2021\"\n";
    Fixture::new(&[("Cargo.toml", manifest), ("src/lib.rs", LIB), ("src/macros.rs", MACROS)])
}

#[test]
fn items_of_macros_are_known() {
    let fixture = fixture();
    let mut found: Vec<String> = Vec::new();
    for item in &fixture.lib().items {
        let module = &fixture.index.module(item.module).path;
        found.push([module.join("::"), item.name.clone()].join("::"));
    }
    for wanted in
        ["::Early", "shapes::Point", "shapes::Empty", "shapes::Unix", "shapes::Inner", "shapes::local::Local"]
    {
        assert!(found.iter().any(|name| name == wanted), "{wanted}: {found:?}");
    }
    // What another definition hides, is of several, or may be of another crate.
    for wrong in [
        "shapes::Windows",
        "handed::Wrong",
        "shadows::First",
        "shadows::OfOne",
        "shadows::OfTwo",
        "shadows::OfThree",
    ] {
        assert!(!found.iter().any(|name| name == wrong), "{wrong}: {found:?}");
    }
    assert_eq!(found.iter().filter(|name| *name == "shadows::Exported").count(), 2, "{found:?}");
    let names = NamesAt::new(&fixture.index, fixture.module("shapes"));
    assert!(names.literal("demo::shapes::Point").is_ok());
    assert!(names.is_copy("demo::shapes::Point"));
    let holder = fixture.lib().items.iter().find(|item| item.name == "Holder").unwrap();
    assert!(format!("{:?}", holder.kind).contains("Path"), "{:?}", holder.kind);
    assert!(!format!("{:?}", holder.kind).contains("Type::Group"), "{:?}", holder.kind);
    let names = NamesAt::new(&fixture.index, fixture.module("numbers"));
    let private = names.literal("demo::shapes::Point").unwrap_err().0;
    assert_eq!(private, "field `x` of `demo::shapes::Point` is private");
}

#[test]
fn functions_of_macros_stand_in_the_text_of_the_macro() {
    let fixture = fixture();
    let names: Vec<&str> = fixture.lib().functions.iter().map(|function| function.name.as_str()).collect();
    for wanted in ["get", "double", "read_u8", "read_i8", "a", "b", "twice"] {
        assert!(names.contains(&wanted), "{wanted}: {names:?}");
    }
    // A macro of another crate may have the name of an own one.
    assert!(!names.contains(&"c"), "{names:?}");
    // rustc: the line of the `fn` in the macro, or of what stands before it.
    let found = fixture.index.function_at("src/macros.rs", 6, "get", "demo");
    assert_eq!(found.len(), 2, "{found:?}");
    let line = LIB.lines().position(|line| line.contains("macro_rules! double")).unwrap() as u32 + 1;
    assert_eq!(fixture.index.function_at("src/lib.rs", line, "double", "demo").len(), 2);
}

#[test]
fn a_test_for_what_stands_in_a_macros_module_stands_around_the_macro() {
    let lib = "pub mod variants {
    macro_rules! variant { ($name:ident) => { pub mod $name { pub mod deep { pub fn verify() {} } } } }
    variant!(portable);
    pub mod written {}
}";
    let fixture = Fixture::library(lib, &[]);
    let home = |path: &str| fixture.index.outside_of_macros(fixture.module(path));
    assert_eq!(home("variants::portable::deep"), fixture.module("variants"));
    assert_eq!(home("variants::written"), fixture.module("variants::written"));
    let deep = fixture.lib().functions.iter().find(|function| function.name == "verify").unwrap();
    assert_eq!(deep.module, fixture.module("variants::portable::deep"));
}
