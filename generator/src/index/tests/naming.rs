//! What definitions are called at a place.

use super::*;
use crate::names::{Names, Unnameable};

/// Paths as people write them.
pub(crate) fn plain(tokens: &proc_macro2::TokenStream) -> String {
    let mut text = tokens.to_string();
    for (from, to) in [
        (" :: ", "::"),
        (":: ", "::"),
        (" ::", "::"),
        (" < ", "<"),
        ("< ", "<"),
        (" <", "<"),
        (" >", ">"),
        (" ,", ","),
        ("& ", "&"),
        (" ;", ";"),
        ("* ", "*"),
        ("(& ", "(&"),
        (" (", "("),
    ] {
        text = text.replace(from, to);
    }
    text
}

fn path_at(fixture: &Fixture, module: &str, definition: &str) -> Result<String, String> {
    let names = NamesAt::new(&fixture.index, fixture.module(module));
    names.path(definition).map(|tokens| plain(&tokens)).map_err(|Unnameable(reason)| reason)
}

fn type_at(fixture: &Fixture, module: &str, name: &str) -> Result<String, String> {
    let names = NamesAt::new(&fixture.index, fixture.module(module));
    names.type_tokens(name).map(|tokens| plain(&tokens)).map_err(|Unnameable(reason)| reason)
}

const LIB: &str = r#"
pub mod a {
    mod inner {
        pub struct Shown;
        pub(in crate::a) struct Half { pub x: u8 }
        struct Own;
        pub mod deep { pub struct Deepest; }
    }
    pub use self::inner::Shown;
    pub use self::inner::deep::Deepest as Renamed;
    pub struct Point { pub x: u8, y: u8 }
    pub struct Result;
    pub enum Kind { One, Two(u8) }
    #[cfg(windows)] pub struct Switched(u8);
    #[cfg(not(windows))] pub struct Switched { pub fine: u8 }
    pub mod child {
        use super::Point;
        use std::collections::HashMap as Map;
        use std::fmt;
        use crate::b;
        use super::Kind::*;
    }
}
pub(crate) mod b {
    pub struct Far;
    pub mod c { pub(super) struct Near; pub struct Open; }
    pub use crate::a::*;
    made! { Made }
}
mod prelude { pub use crate::b::c::Open; pub use crate::a::Point as Dot; }
mod user { use crate::prelude::*; }
mod one { pub struct Twice; }
mod two { pub struct Twice; }
mod both { use crate::one::*; use crate::two::*; }
fn f() { struct Local; }
"#;

#[test]
fn own_items_have_the_shortest_visible_path() {
    let fixture = Fixture::library(LIB, &[]);
    let at = |module: &str, definition: &str| path_at(&fixture, module, definition);
    assert_eq!(at("a", "demo::a::Point").unwrap(), "Point");
    assert_eq!(at("a::child", "demo::a::Point").unwrap(), "Point");
    assert_eq!(at("", "demo::a::Point").unwrap(), "a::Point");
    assert_eq!(at("two", "demo::a::Point").unwrap(), "crate::a::Point");
    assert_eq!(at("", "demo::a::inner::Shown").unwrap(), "a::Shown");
    assert_eq!(at("two", "demo::a::inner::deep::Deepest").unwrap(), "crate::a::Renamed");
    assert_eq!(at("a::child", "demo::b::Far").unwrap(), "b::Far");
    assert_eq!(at("user", "demo::b::c::Open").unwrap(), "Open");
    assert_eq!(at("user", "demo::a::Point").unwrap(), "Dot");
    assert_eq!(at("b", "demo::a::Kind").unwrap(), "Kind");
    assert_eq!(at("b", "demo::b::c::Near").unwrap(), "c::Near");
    assert_eq!(at("b", "demo::b::Made").unwrap(), "Made");
    assert_eq!(at("two", "demo::b::Made").unwrap(), "crate::b::Made");
    // Two globs bring the same name: it is an error to use it.
    assert_eq!(at("both", "demo::one::Twice").unwrap(), "crate::one::Twice");
    assert_eq!(at("a", "demo::f").unwrap(), "crate::f");
}

#[test]
fn what_cannot_be_named_says_why() {
    let fixture = Fixture::library(LIB, &[]);
    let at = |module: &str, definition: &str| path_at(&fixture, module, definition).unwrap_err();
    assert_eq!(at("", "demo::a::inner::Own"), "`a::inner::Own` is private to `crate::a::inner`");
    assert_eq!(at("two", "demo::a::inner::Half"), "`a::inner::Half` is private to `crate::a`");
    assert_eq!(at("a", "demo::b::c::Near"), "`b::c::Near` is private to `crate::b`");
    assert_eq!(at("a", "demo::f::Local"), "`demo::f::Local` is declared within the function `f`");
    assert!(at("a", "demo::f::{closure_env#0}").ends_with("is a closure and has no name"));
    assert_eq!(at("a", "elsewhere::T"), "the source of crate `elsewhere` is not known");
    assert!(at("a", "core::fmt::rt::Argument").contains("no public path of std"));
    assert!(path_at(&fixture, "a", "demo::a::x y").is_err());
    assert!(path_at(&fixture, "a", "demo::a::\"; evil()").is_err());
    assert!(path_at(&fixture, "a", "").is_err());
}

#[test]
fn arguments_that_cannot_be_named_are_left_out_where_they_are_the_defaults() {
    let lib = "mod imp {
                   struct Hidden; struct Other; struct Of<T>(T); type Alias = Of<Hidden>;
                   pub struct Map<K, A = Hidden, B = u8>(K, A, B);
                   pub struct Deep<A = Alias>(A);
               }
               pub use imp::{Map, Deep};
               mod user {}";
    let fixture = Fixture::library(lib, &[]);
    let at = |name: &str| type_at(&fixture, "user", name);
    assert_eq!(at("demo::imp::Map<u8, demo::imp::Hidden, u8>").as_deref(), Ok("crate::Map<u8>"));
    assert_eq!(at("demo::imp::Deep<demo::imp::Of<demo::imp::Hidden>>").as_deref(), Ok("crate::Deep"));
    for other in [
        "demo::imp::Map<u8, demo::imp::Other, u8>",
        "demo::imp::Map<u8, demo::imp::Hidden, u16>",
        "demo::imp::Map<demo::imp::Hidden, demo::imp::Hidden, u8>",
        "demo::imp::Deep<demo::imp::Of<demo::imp::Other>>",
    ] {
        assert!(at(other).is_err(), "{other}");
    }
}

#[test]
fn std_is_named_by_prelude_import_or_public_path() {
    let fixture = Fixture::library(LIB, &[]);
    let at = |module: &str, definition: &str| path_at(&fixture, module, definition).unwrap();
    assert_eq!(at("b", "alloc::vec::Vec"), "Vec");
    assert_eq!(at("two", "core::result::Result"), "Result");
    // `a` has a `Result` of its own.
    assert_eq!(at("a", "core::result::Result"), "std::result::Result");
    assert_eq!(at("a", "std::collections::hash::map::HashMap"), "std::collections::HashMap");
    assert_eq!(at("a::child", "std::collections::hash::map::HashMap"), "Map");
    assert_eq!(at("a::child", "core::fmt::Error"), "fmt::Error");
    assert_eq!(at("a", "core::time::Duration"), "std::time::Duration");
    let names = NamesAt::new(&fixture.index, fixture.module("a"));
    assert!(names.means_prelude("Some"));
}

#[test]
fn types_are_spelled_without_what_nobody_writes() {
    let fixture = Fixture::library(LIB, &[]);
    let at = |name: &str| type_at(&fixture, "a", name).unwrap();
    assert_eq!(at("alloc::vec::Vec<u8, alloc::alloc::Global>"), "Vec<u8>");
    assert_eq!(
        at("std::collections::hash::map::HashMap<alloc::string::String, demo::a::Point, \
            std::hash::random::RandomState, alloc::alloc::Global>"),
        "std::collections::HashMap<String, Point>"
    );
    assert_eq!(at("&mut [(u8)]"), "&mut [(u8,)]");
    assert_eq!(at("&(dyn core::fmt::Debug + core::marker::Send)"), "&(dyn std::fmt::Debug + Send)");
    assert_eq!(
        at("alloc::boxed::Box<dyn core::fmt::Debug, alloc::alloc::Global>"),
        "Box<dyn std::fmt::Debug>"
    );
    assert_eq!(at("&dyn core::ops::function::Fn<(u8, &str), Output=bool>"), "&dyn Fn(u8, &str) -> bool");
    assert_eq!(at("core::num::nonzero::NonZero<u32>"), "std::num::NonZeroU32");
    assert_eq!(at("[u8; 4]"), "[u8; 4]");
    assert_eq!(at("*const u8"), "*const u8");
    assert_eq!(at("fn(u8) -> u16"), "fn(u8) -> u16");
    assert!(type_at(&fixture, "a", "demo::f::{closure_env#0}").unwrap_err().contains("no name in source"));
    assert!(type_at(&fixture, "two", "alloc::vec::Vec<demo::a::inner::Own>").is_err());
}

#[test]
fn literals_need_every_field_in_sight() {
    let fixture = Fixture::library(LIB, &[]);
    let literal = |module: &str, definition: &str| {
        NamesAt::new(&fixture.index, fixture.module(module))
            .literal(definition)
            .map_err(|Unnameable(why)| why)
    };
    assert_eq!(literal("a::child", "demo::a::Point"), Ok(()));
    assert_eq!(literal("b", "demo::a::Point"), Err("field `y` of `demo::a::Point` is private".to_owned()));
    assert_eq!(literal("b", "demo::a::Kind"), Ok(()));
    assert_eq!(literal("b", "demo::a::Switched"), Ok(()));
    assert_eq!(literal("b", "core::ops::range::Range"), Ok(()));
    assert!(literal("b", "core::ops::range::RangeInclusive").is_err());
    assert_eq!(literal("b", "demo::b::Made"), Ok(()));
    assert_eq!(literal("a", "demo::b::Made"), Ok(()), "the compiler will tell");
}

fn workspace() -> Fixture {
    Fixture::new(&[
        (
            "Cargo.toml",
            "[workspace]\nmembers = [\"app\", \"core-lib\", \"facade\", \"hidden\"]\nresolver = \"2\"\n",
        ),
        (
            "app/Cargo.toml",
            "[package]\nname = \"app\"\nversion = \"0.1.0\"\nedition = \"2021\"\n[dependencies]\n\
             renamed = { path = \"../core-lib\", package = \"core-lib\" }\nfacade = { path = \"../facade\" }\n",
        ),
        ("app/src/lib.rs", "pub mod used { use facade::Deep; } pub mod bare {} mod facade {}"),
        ("app/src/main.rs", "mod local; fn main() {}"),
        ("app/src/local.rs", "pub struct OfProgram;"),
        ("app/tests/t.rs", "mod helper { }"),
        ("core-lib/Cargo.toml", "[package]\nname = \"core-lib\"\nversion = \"0.1.0\"\nedition = \"2021\"\n"),
        (
            "core-lib/src/lib.rs",
            "mod imp { pub struct Date { pub y: u8, m: u8 } #[non_exhaustive] pub struct Grows { pub a: u8 } \
             #[non_exhaustive] pub enum E { A, #[non_exhaustive] B { x: u8 } } pub struct Never; }\n\
             pub mod date { pub use crate::imp::Date; } pub use imp::{Grows, E};",
        ),
        (
            "facade/Cargo.toml",
            "[package]\nname = \"facade\"\nversion = \"0.1.0\"\nedition = \"2021\"\n[dependencies]\n\
             hidden = { path = \"../hidden\" }\n",
        ),
        ("facade/src/lib.rs", "pub use hidden::api::*; pub use hidden as inner;"),
        ("hidden/Cargo.toml", "[package]\nname = \"hidden\"\nversion = \"0.1.0\"\nedition = \"2021\"\n"),
        ("hidden/src/lib.rs", "pub mod api { pub struct Deep; } pub mod other { pub struct Rare; }"),
    ])
}

#[test]
fn other_crates_are_named_through_their_public_paths() {
    let fixture = workspace();
    let library = fixture.krate("app", TargetKind::Library);
    let module = |path: &[&str]| {
        fixture.index.source(library).modules.iter().find(|module| module.path == path).unwrap().id
    };
    let at = |path: &[&str], definition: &str| {
        let names = NamesAt::new(&fixture.index, module(path));
        names.path(definition).map(|tokens| plain(&tokens)).map_err(|Unnameable(reason)| reason)
    };
    assert_eq!(at(&["bare"], "core_lib::imp::Date").unwrap(), "renamed::date::Date");
    assert_eq!(at(&["bare"], "hidden::api::Deep").unwrap(), "facade::Deep");
    assert_eq!(at(&["used"], "hidden::api::Deep").unwrap(), "Deep");
    assert_eq!(at(&["bare"], "hidden::other::Rare").unwrap(), "facade::inner::other::Rare");
    // A module of that name hides the crate.
    assert_eq!(at(&[], "hidden::api::Deep").unwrap(), "::facade::Deep");
    assert_eq!(
        at(&["bare"], "core_lib::imp::Never").unwrap_err(),
        "`imp::Never` cannot be reached from outside crate `core_lib`"
    );
    let names = NamesAt::new(&fixture.index, module(&["bare"]));
    let why = |definition: &str| names.literal(definition).unwrap_err().0;
    assert_eq!(why("core_lib::imp::Date"), "field `m` of `core_lib::imp::Date` is private");
    assert_eq!(
        why("core_lib::imp::Grows"),
        "`core_lib::imp::Grows` is `#[non_exhaustive]`, of another crate"
    );
    assert!(names.variant("core_lib::imp::E", "A").is_ok());
    assert!(names.variant("core_lib::imp::E", "B").is_err());
}

#[test]
fn programs_and_tests_name_their_library() {
    let fixture = workspace();
    let test = fixture.krate("t", TargetKind::Test);
    let names = NamesAt::new(&fixture.index, ModuleId { krate: test, module: 0 });
    assert_eq!(plain(&names.path("core_lib::imp::Date").unwrap()), "renamed::date::Date");
    let program = fixture.krate("app", TargetKind::Binary);
    let names = NamesAt::new(&fixture.index, ModuleId { krate: program, module: 0 });
    assert_eq!(plain(&names.path("app::local::OfProgram").unwrap()), "local::OfProgram");
    let facade = fixture.krate("facade", TargetKind::Library);
    let names = NamesAt::new(&fixture.index, ModuleId { krate: facade, module: 0 });
    assert_eq!(
        names.path("core_lib::imp::Date").unwrap_err().0,
        "crate `core_lib` is not a dependency of package `facade`"
    );
}

#[test]
fn a_crate_that_is_no_dependency_can_be_made_one() {
    if registry_crate("memchr").is_none() {
        println!("skipped: `memchr` is not in cargo's registry folder");
        return;
    }
    let package = |name: &str, needs: &str| {
        format!(
            "[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2021\"\n[dependencies]\n{needs}\n"
        )
    };
    let fixture = Fixture::new(&[
        ("Cargo.toml", "[workspace]\nmembers = [\"app\", \"bare\"]\nresolver = \"2\"\n"),
        ("app/Cargo.toml", &package("app", "memchr = \"2\"")),
        ("app/src/lib.rs", ""),
        ("bare/Cargo.toml", &package("bare", "")),
        ("bare/src/lib.rs", ""),
    ]);
    let bare = fixture.krate("bare", TargetKind::Library);
    let names = NamesAt::new(&fixture.index, ModuleId { krate: bare, module: 0 });
    let refused = names.path("memchr::memmem::Finder").unwrap_err().0;
    let (start, end) = (
        "crate `memchr` is not a dependency of package `bare`: `cargo add --dev -p bare memchr@2.",
        "` makes it one of its tests",
    );
    assert!(refused.starts_with(start) && refused.ends_with(end), "{refused}");
}

#[test]
fn a_program_names_the_types_of_its_library_of_the_same_name() {
    let fixture =
        Fixture::library("pub struct Conf { pub a: u32 }", &[("src/main.rs", "struct Own;\nfn main() {}")]);
    let program = fixture.krate("demo", TargetKind::Binary);
    let names = NamesAt::new(&fixture.index, ModuleId { krate: program, module: 0 });
    assert_eq!(plain(&names.path("demo::Conf").unwrap()), "demo::Conf");
    assert_eq!(plain(&names.path("demo::Own").unwrap()), "Own");
    assert!(names.literal("demo::Conf").is_ok());
    assert!(names.path("demo::Nowhere").is_ok(), "a macro made it");
}

#[test]
fn public_paths_follow_reexports_and_stop_at_hidden_ones() {
    let lib = "mod imp { pub struct A; pub struct B; impl A { pub fn go(&self) {} fn own(&self) {} } \
               impl B { pub fn go(&self) {} } impl std::fmt::Debug for A { \
               fn fmt(&self, _: &mut std::fmt::Formatter) -> std::fmt::Result { Ok(()) } } \
               pub fn free() {} pub fn kept() {} trait T { fn t(&self) {} } impl T for A { fn t(&self) {} } }\n\
               pub use imp::{A, free}; #[doc(hidden)] pub mod __private { pub use crate::imp::B; }\n\
               #[cfg(test)] pub mod tests { pub fn helper() {} }";
    let fixture = Fixture::library(lib, &[("src/main.rs", "pub fn main() {}")]);
    let api = PublicApi::new(&fixture.index);
    let public: Vec<(String, bool)> = fixture
        .lib()
        .functions
        .iter()
        .map(|function| (function.name.clone(), api.is_public_api(function)))
        .collect();
    let expected = [
        ("go", true),
        ("own", false),
        ("go", false),
        ("fmt", true),
        ("free", true),
        ("kept", false),
        ("t", false),
        ("t", false),
        ("helper", false),
    ];
    assert_eq!(public, expected.map(|(name, is)| (name.to_owned(), is)));
    let program = fixture.index.source(fixture.krate("demo", TargetKind::Binary));
    assert!(!api.is_public_api(&program.functions[0]));
}

#[test]
fn many_globs_of_other_crates_are_looked_through_once_each() {
    const CRATES: usize = 14;
    let name = |number: usize| format!("d{number}");
    let mut files = vec![(
        "Cargo.toml".to_owned(),
        "[package]\nname = \"demo\"\nversion = \"0.1.0\"\nedition = \"2021\"\n[dependencies]\n".to_owned(),
    )];
    let mut globs = String::new();
    for number in 0..CRATES {
        let name = name(number);
        files[0].1 += &format!("{name} = {{ path = \"{name}\" }}\n");
        globs += &format!("use {name}::prelude::*;\n");
        let manifest = format!("[package]\nname = \"{name}\"\nversion = \"0.1.0\"\n");
        files.push((format!("{name}/Cargo.toml"), manifest));
        let prelude = format!("pub mod prelude {{ pub struct In{number}; }}\n");
        files.push((format!("{name}/src/lib.rs"), prelude));
    }
    files.push(("src/lib.rs".to_owned(), format!("{globs}pub struct Own;\nmod inner {{ use super::*; }}\n")));
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    let fixture = Fixture::new(&files);
    // By way of all the others, each would take a look-up for each order of them.
    for module in ["", "inner"] {
        assert_eq!(path_at(&fixture, module, "demo::Own").unwrap(), "Own");
        assert_eq!(path_at(&fixture, module, "d13::prelude::In13").unwrap(), "In13");
        assert_eq!(path_at(&fixture, module, "alloc::string::String").unwrap(), "String");
    }
}

#[test]
fn an_import_of_its_own_crates_name_ends() {
    let manifest = "[package]\nname = \"demo\"\nversion = \"0.1.0\"\nedition = \"2021\"\n[dependencies]\n\
                    quote = { path = \"quote\" }\n";
    let lib = "use quote::quote;\nmod local { pub fn local() {} pub struct Own; }\nuse local::local;\n\
               mod inner { use super::*; use quote::Tokens; use Tokens as tokens; }\n\
               mod circle { use a::b; use b::a; }";
    let fixture = Fixture::new(&[
        ("Cargo.toml", manifest),
        ("src/lib.rs", lib),
        ("quote/Cargo.toml", "[package]\nname = \"quote\"\nversion = \"0.1.0\"\n"),
        ("quote/src/lib.rs", "pub struct Tokens; pub fn quote() {}"),
    ]);
    for (module, definition, spelled) in [
        ("", "quote::quote", "quote"),
        ("", "quote::Tokens", "quote::Tokens"),
        ("", "demo::local::local", "local"),
        ("", "demo::local::Own", "local::Own"),
        ("inner", "quote::quote", "quote"),
        ("inner", "quote::Tokens", "Tokens"),
    ] {
        assert_eq!(path_at(&fixture, module, definition).unwrap(), spelled, "{definition} in `{module}`");
    }
    for name in ["a", "b"] {
        let names = NamesAt::new(&fixture.index, fixture.module("circle"));
        assert!(names.is_free(name), "neither leads anywhere");
    }
}

#[test]
fn a_tuple_structs_constructor_is_named_where_it_can_be_seen() {
    let lib = "mod imp { pub struct Index<T = u32>(T); pub struct Open(pub u8);\n\
               pub mod stable { use crate::shown::{Index, Open}; pub struct Slot(Index, Open); } }\n\
               pub mod shown { pub use crate::imp::{Index, Open}; }";
    let fixture = Fixture::library(lib, &[]);
    let constructor = |name: &str| {
        let names = NamesAt::new(&fixture.index, fixture.module("imp::stable"));
        names.tuple_constructor(name).map(|tokens| plain(&tokens)).unwrap()
    };
    // What `crate::shown` imports of it is the type alone.
    assert_eq!(path_at(&fixture, "imp::stable", "demo::imp::Index").unwrap(), "Index");
    assert_eq!(constructor("demo::imp::Index"), "crate::imp::Index");
    assert_eq!(constructor("demo::imp::Open"), "Open");
    assert_eq!(constructor("demo::imp::stable::Slot"), "Slot");
}

#[test]
fn of_items_that_no_build_has_together_one_name_means_each() {
    // What a build script tells the compiler is not known here.
    let lib = "mod set { #[cfg(has_std)] pub struct Set<T, S = u8>(T, S); #[cfg(not(has_std))] pub struct Set<T, S>(T, S); }\n\
               pub use set::Set;\n\
               #[cfg(has_std)] pub fn make() {}\n#[cfg(not(has_std))] pub fn make() {}\n\
               pub mod two { pub mod a { pub struct Both; } pub mod b { pub struct Both; }\n\
               pub mod user { #[cfg(x)] use super::a::Both; #[cfg(not(x))] use super::b::Both; } }";
    let fixture = Fixture::library(lib, &[]);
    assert_eq!(path_at(&fixture, "", "demo::set::Set").unwrap(), "Set");
    assert_eq!(path_at(&fixture, "set", "demo::set::Set").unwrap(), "Set");
    assert_eq!(path_at(&fixture, "", "demo::make").unwrap(), "make");
    // Two items of two modules may be different things.
    assert_eq!(path_at(&fixture, "two::user", "demo::two::a::Both").unwrap(), "crate::two::a::Both");
}
