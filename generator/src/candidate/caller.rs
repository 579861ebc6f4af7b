//! Who called a library's function: its own crate, another library, or a program. In: the workspace's frame further out. Out:
//! what that says of the function that was called.

use std::collections::BTreeSet;

use relapse_snapshot::Frame;

use super::facts::passes_on;
use super::join::{crate_name, join};
use crate::index::{CrateId, SourceIndex};

/// What calls a function of a library.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Caller {
    /// A function of the same crate, or nobody knows which one.
    Own,
    /// Another library.
    Library,
    /// What is no library: a program, an example, a test.
    Program,
}

impl Caller {
    /// What called a function of the crate `own`, where that is a library.
    pub(super) fn of(own: CrateId, caller: Option<&Frame>, index: &SourceIndex) -> Caller {
        let Some(caller) = caller.filter(|_| index.target(own).kind.is_library()) else { return Caller::Own };
        // Two crates of a package may go by one name (`src/lib.rs` and `src/main.rs`): the source tells which it is.
        if let Ok(function) = join(caller, index) {
            let krate = function.id.krate;
            return match index.target(krate).kind.is_library() {
                _ if krate == own => Caller::Own,
                true => Caller::Library,
                false => Caller::Program,
            };
        }
        // A closure: its path says no more than the name.
        if speaks_of(&index.target(own).crate_name, &caller.function) {
            return Caller::Own;
        }
        let name = crate_name(&caller.function);
        let named = || index.targets().map(|(_, target)| target).filter(|target| target.crate_name == name);
        let is_program = named().next().is_some() && named().all(|target| !target.kind.is_library());
        if is_program { Caller::Program } else { Caller::Library }
    }
}

/// For each frame of the workspace, innermost first, whether what it was given is what a program gave: the program called it,
/// or a function of which that holds handed its own arguments on to it. `known`: of a function whether the program called it,
/// and the names of those that it hands its arguments on to.
pub(super) fn given_by_program<'f>(
    workspace: &[&Frame],
    known: &dyn Fn(usize) -> Option<(bool, &'f BTreeSet<String>)>,
) -> Vec<bool> {
    let mut given = vec![false; workspace.len()];
    for depth in (0..workspace.len()).rev() {
        let is_called = known(depth).is_some_and(|(is_called, _)| is_called);
        let outer = workspace.get(depth + 1).filter(|_| given[depth + 1]);
        let is_handed_on = outer.is_some_and(|outer| {
            let forwards = known(depth + 1).map(|(_, forwards)| forwards);
            passes_on(outer, workspace[depth], forwards)
        });
        given[depth] = is_called || is_handed_on;
    }
    given
}

/// Whether a function's path begins with the name of a crate. `<geo_types::Line as geo::Area>::area` is of either.
fn speaks_of(own: &str, path: &str) -> bool {
    let is_own = |path: &str| path.strip_prefix(own).is_some_and(|rest| rest.starts_with("::"));
    match path.strip_prefix('<') {
        Some(implementation) => implementation.split([' ', '<', '&', '(', ',']).any(is_own),
        None => is_own(path),
    }
}

#[cfg(test)]
mod tests {
    use relapse_snapshot::{Argument, Data, Location, Trust, TypeId, Value};

    use super::*;
    use crate::index::TargetKind;
    use crate::index::tests::Fixture;

    fn frame(function: &str, file: &str, line: u32) -> Frame {
        let name = function.rsplit("::").next().unwrap_or_default().to_owned();
        let declared = Some(Location { file: file.to_owned(), line, column: 0 });
        Frame { function: function.to_owned(), name, declared, ..Frame::default() }
    }

    #[test]
    fn a_caller_is_of_the_crate_that_its_path_speaks_of() {
        let own = |path: &str| speaks_of("geo", path);
        assert!(!own("driver::Track::thin") && !own("driver::Column::lines::{{closure}}"));
        assert!(!own("geometry::area") && !own("<driver::Row as core::fmt::Display>::fmt"));
        assert!(own("geo::area") && own("<geo_types::Line<T> as geo::Area<T>>::area"));
        assert!(own("<&geo::Line as core::fmt::Display>::fmt"));
    }

    #[test]
    fn what_is_handed_on_is_still_what_the_program_gave() {
        let of = |function: &str, number: u128| Frame {
            arguments: vec![Argument {
                name: "n".to_owned(),
                value: Value { ty: TypeId(0), trust: Trust::AtCrash, data: Data::Uint(number) },
            }],
            ..frame(function, "src/lib.rs", 1)
        };
        let (inner, other) = (of("demo::inner", 7), of("demo::other", 8));
        let (outer, program) = (of("demo::outer", 7), of("driver::main", 1));
        let forwards = BTreeSet::new();
        let known = |depth: usize| (depth < 2).then_some((depth == 1, &forwards));
        assert_eq!(given_by_program(&[&inner, &outer, &program], &known), [true, true, false]);
        assert_eq!(given_by_program(&[&other, &outer, &program], &known), [false, true, false]);
    }

    #[test]
    fn a_program_of_its_librarys_name_is_another_crate() {
        let fixture = Fixture::library("pub fn area() {}\n", &[("src/main.rs", "fn main() {}\n")]);
        let own = fixture.krate("demo", TargetKind::Library);
        let called = |caller: &Frame| Caller::of(own, Some(caller), &fixture.index);
        assert_eq!(called(&frame("demo::main", "src/main.rs", 1)), Caller::Program);
        assert_eq!(called(&frame("demo::area", "src/lib.rs", 1)), Caller::Own);
        assert_eq!(called(&frame("demo::main::{{closure}}", "src/main.rs", 1)), Caller::Own, "not known");
        assert_eq!(Caller::of(own, None, &fixture.index), Caller::Own);
        let program = fixture.krate("demo", TargetKind::Binary);
        assert_eq!(
            Caller::of(program, Some(&frame("demo::area", "src/lib.rs", 1)), &fixture.index),
            Caller::Own,
            "a program has no outside"
        );
    }

    #[test]
    fn a_library_that_calls_another_one_is_no_program() {
        let fixture = Fixture::with_user(&[
            ("demo/src/lib.rs", "pub fn area() {}\n"),
            ("user/src/lib.rs", "pub fn use_it() { demo::area() }\n"),
            ("user/src/bin/driver.rs", "fn main() { demo::area() }\n"),
        ]);
        let own = fixture.krate("demo", TargetKind::Library);
        let called = |caller: &Frame| Caller::of(own, Some(caller), &fixture.index);
        assert_eq!(called(&frame("user::use_it", "user/src/lib.rs", 1)), Caller::Library);
        assert_eq!(called(&frame("user::use_it::{{closure}}", "user/src/lib.rs", 1)), Caller::Library);
        assert_eq!(called(&frame("driver::main", "user/src/bin/driver.rs", 1)), Caller::Program);
        assert_eq!(called(&frame("driver::main::{{closure}}", "user/src/bin/driver.rs", 1)), Caller::Program);
        assert_eq!(called(&frame("other::main::{{closure}}", "other.rs", 1)), Caller::Library, "not known");
    }
}
