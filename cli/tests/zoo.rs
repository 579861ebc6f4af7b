//! The zoo of values: functions of known values, of which each crashes, goes through the whole chain, and has a test that
//! prints the same `Debug` text as the crash did. An area of it is a file of `fixture/zoo/` and a line of the table below;
//! each is a package of its own, so that what one needs costs the others nothing.
//!
//! `docs/values.md` is written from it: `RELAPSE_WRITE_DOCS=1 cargo test -p cargo-relapse --test zoo` writes it anew, with
//! `-- --ignored` its last section, that of other crates.
//!
//! `RELAPSE_ZOO_TOOLCHAIN=nightly` builds the zoo with another toolchain of rustup's: what std looks like there.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test may fail so, and says what it skips")]

#[path = "zoo/area.rs"]
mod area;
#[path = "zoo/page.rs"]
mod page;
#[path = "fixture/project.rs"]
mod project;
#[path = "zoo/signature.rs"]
mod signature;

use area::Area;

/// Makes the table and a test of each area.
macro_rules! areas {
    ($($name:ident, $edition:literal, $dependencies:literal;)*) => {
        static AREAS: [Area; [$(stringify!($name)),*].len()] = [$(Area::new(
            stringify!($name),
            $edition,
            $dependencies,
            include_str!(concat!("fixture/zoo/", stringify!($name), ".rs")),
        )),*];

        $(#[test]
        fn $name() {
            AREAS.iter().find(|area| area.name == stringify!($name)).unwrap().check();
        })*
    };
}

// The file's name, its edition, and lines of `[dependencies]`, which must be in relapse's own Cargo.lock.
areas! {
    numbers, "2021", "";
    text, "2021", "";
    containers, "2021", "";
    cells, "2021", "";
    operations, "2021", "";
    time_and_net, "2021", "";
    errors, "2021", "";
    iterators, "2021", "";
    collection_iterators, "2021", "";
    text_iterators, "2021", "";
    files, "2021", "";
    calls, "2021", "";
    closures, "2021", "";
    edition_2018, "2018", "";
    edition_2024, "2024", "";
    workspace_types, "2021", "";
    dyn_values, "2021", "";
    graphs, "2021", "";
    channels, "2021", "";
}

/// Types of the crates that everybody uses. It has a lock file of its own. These crates are not at hand everywhere, and take
/// minutes to build: `.ci/run` asks for it after the other tests.
static FOREIGN: Area = Area::new(
    "foreign",
    "2021",
    include_str!("fixture/zoo/foreign.toml"),
    include_str!("fixture/zoo/foreign.rs"),
)
.locked(include_str!("fixture/zoo/foreign.lock"));

#[test]
#[ignore = "builds thirty crates in the scratch copy, too: cargo test -p cargo-relapse --test zoo -- --ignored"]
fn foreign() {
    FOREIGN.check();
    page::check_last(&FOREIGN);
}

/// The same of crates that many use, though not everybody. They are on no page.
static FOREIGN_MORE: Area = Area::new(
    "foreign_more",
    "2021",
    include_str!("fixture/zoo/foreign_more.toml"),
    include_str!("fixture/zoo/foreign_more.rs"),
)
.locked(include_str!("fixture/zoo/foreign_more.lock"));

#[test]
#[ignore = "builds twenty crates in the scratch copy, too: cargo test -p cargo-relapse --test zoo -- --ignored"]
fn foreign_more() {
    FOREIGN_MORE.check();
}

#[test]
fn page_of_values_is_current() {
    page::check(&AREAS, &FOREIGN);
}
