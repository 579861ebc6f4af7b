//! Joining frames to functions.

use super::*;

const LIB: &str = r#"
mod inner {
    pub struct P<T>(T);

    impl<T: Clone> P<T> {
        /// Doc.
        ///
        /// # Panics
        ///
        /// On a bad day.
        #[inline]
        pub(crate) async unsafe fn go(&self) {
            let add = |x: u8| {
                x + 1
            };
            fn local() {}
            add(1);
        }
    }

    impl<T> std::fmt::Debug for P<T> {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { f.write_str("P") }
    }
    impl<T> std::fmt::Display for P<T> {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { f.write_str("P") }
    }
}
const _: () = { impl Clone for Q { fn clone(&self) -> Q { Q } } };
struct Q;
trait T { fn needed(&self); fn given(&self) { self.needed() } }
#[track_caller]
pub fn check(index: usize, list: &[u8]) -> u8 {
    assert!(index < list.len(), "too far: {index}");
    let half = index / 2;
    assert_eq!(
        half,
        3
    );
    if list.is_empty() {
        panic!("empty");
    }
    list.iter().copied().max().unwrap()
}
bitflags! {
    struct F: u8 {
        fn hidden() {}
    }
}
"#;

fn line_of(text: &str) -> u32 {
    LIB.lines().position(|line| line.contains(text)).unwrap() as u32 + 1
}

#[test]
fn a_method_is_found_by_its_head_and_closures_by_their_lines() {
    let fixture = Fixture::library(LIB, &[]);
    let found = fixture.index.function_at("src/lib.rs", line_of("async unsafe"), "go<u8>", "demo");
    let [go] = found[..] else { panic!("one function") };
    assert!(go.is_async() && go.is_unsafe());
    assert_eq!(go.attributes.panics_docs.as_deref(), Some("On a bad day."));
    assert_eq!(go.first_line, line_of("/// Doc."));
    assert!(matches!(&go.owner, Owner::Inherent { generics, .. } if generics.params.len() == 1));
    assert_eq!(go.visibility, Visibility::Within(0));
    let around = fixture.index.enclosing("src/lib.rs", line_of("x + 1"), "demo");
    assert_eq!(around.iter().map(|f| f.name.as_str()).collect::<Vec<_>>(), ["go"]);
    let local = fixture.index.enclosing("src/lib.rs", line_of("fn local"), "demo");
    assert_eq!(local[0].nested_in.as_deref(), Some("go"));
    assert!(fixture.index.function_at("src/lib.rs", 1, "go", "other").is_empty());
}

#[test]
fn functions_of_one_name_are_told_apart_by_line() {
    let fixture = Fixture::library(LIB, &[]);
    let display = line_of("std::fmt::Display") + 1;
    let found = fixture.index.function_at("src/lib.rs", display, "fmt", "demo");
    let [fmt] = found[..] else { panic!("one function") };
    assert!(matches!(&fmt.owner, Owner::TraitImpl { trait_path, .. }
        if trait_path.segments.last().unwrap().ident == "Display"));
    assert_eq!(fixture.index.function_at("./src/../src/lib.rs", 1, "clone", "").len(), 1);
    let given = fixture.index.function_at("src/lib.rs", line_of("trait T"), "given", "demo");
    assert!(matches!(&given[0].owner, Owner::Trait { name, .. } if name == "T"));
}

#[test]
fn asserts_on_arguments_are_told_from_asserts_on_results() {
    let fixture = Fixture::library(LIB, &[]);
    let check = fixture.index.function_at("src/lib.rs", line_of("pub fn check"), "check", "demo")[0];
    assert!(check.attributes.track_caller);
    assert!(check.asserts_on_arguments_at(line_of("too far")));
    assert!(!check.asserts_on_arguments_at(line_of("assert_eq!")));
    assert!(check.asserts_on_arguments_at(line_of("panic!(\"empty\")")));
    assert_eq!(check.assert_at(line_of(".unwrap()")).unwrap().name, "unwrap");
}

#[test]
fn a_function_in_a_macro_that_is_not_understood_is_named_by_the_macro() {
    let fixture = Fixture::library(LIB, &[]);
    let line = line_of("fn hidden");
    assert!(fixture.index.function_at("src/lib.rs", line, "hidden", "demo").is_empty());
    let found = fixture.index.macro_at("src/lib.rs", line, "demo").unwrap();
    assert_eq!((found.name.as_str(), found.definition), ("bitflags", false));
}

#[test]
fn a_file_of_library_and_program_is_joined_by_the_crate() {
    let fixture = Fixture::library(
        "pub mod shared;",
        &[
            ("src/main.rs", "mod shared; fn main() { shared::f() }"),
            ("src/shared.rs", "pub fn f() {}"),
            ("src/bin/tool.rs", "#[path = \"../shared.rs\"] mod shared; fn main() {}"),
        ],
    );
    let kinds = |crate_name: &str| -> Vec<TargetKind> {
        let found = fixture.index.function_at("src/shared.rs", 1, "f", crate_name);
        found.iter().map(|f| fixture.index.target(f.id.krate).kind).collect()
    };
    assert_eq!(kinds("demo"), [TargetKind::Library, TargetKind::Binary]);
    assert_eq!(kinds("tool"), [TargetKind::Binary]);
    assert!(fixture.path().join("src/main.rs").is_file());
}

#[test]
fn what_a_function_calls_in_its_crate_is_found_where_one_function_has_the_name() {
    let lib = "mod a { pub fn level() -> u8 { 1 } pub fn new() {} }\nmod b { pub fn new() {} }\nstruct S;\n\
               impl S { fn size(&self) -> u8 { 2 } fn all(&self) -> u8 { a::new(); b::new(); self.size() + a::level() } }";
    let fixture = Fixture::library(lib, &[]);
    let all = fixture.index.function_at("src/lib.rs", 4, "all", "demo")[0];
    let called: Vec<&str> = fixture.index.called(all).iter().map(|function| function.name.as_str()).collect();
    assert_eq!(called, ["level", "size"]);
}
