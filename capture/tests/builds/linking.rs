//! Linkers, and what they make of the program's addresses.

use std::fs;

use super::fixture::{Build, here, skip};

/// The one that rustc would take is left out: the compiler driver chooses.
const OTHER_LINKER: &str = "-Clinker-features=-lld";

#[test]
fn position_independent_program_is_read_whole() {
    Build::with(&["-Crelocation-model=pie"]).see().is_whole();
}

#[test]
fn position_dependent_program_is_read_whole() {
    Build::with(&["-Crelocation-model=static"]).see().is_whole();
}

#[test]
fn static_position_independent_program_is_read_whole() {
    Build::with(&["-Ctarget-feature=+crt-static"]).see().is_whole();
}

#[test]
fn static_position_dependent_program_is_read_whole() {
    Build::with(&["-Ctarget-feature=+crt-static", "-Crelocation-model=static"]).see().is_whole();
}

#[test]
fn program_linked_by_rust_lld_is_read_whole() {
    let build = Build::with(&[]);
    let program = fs::read(build.program()).unwrap();
    if program.windows(11).any(|window| window == b"Linker: LLD") {
        build.see().is_whole();
    } else {
        skip("this rustc links with another linker (rustc 1.90 or newer)");
    }
}

#[test]
fn program_linked_by_gnu_ld_is_read_whole() {
    linked_by(("ld.bfd", "binutils"), &["-Clink-arg=-fuse-ld=bfd"]);
}

#[test]
fn program_linked_by_gold_is_read_whole() {
    linked_by(("ld.gold", "binutils"), &["-Clink-arg=-fuse-ld=gold"]);
}

#[test]
fn program_linked_by_lld_is_read_whole() {
    linked_by(("ld.lld", "lld"), &["-Clink-arg=-fuse-ld=lld"]);
}

#[test]
fn program_linked_by_mold_is_read_whole() {
    linked_by(("mold", "mold"), &["-Clink-arg=-fuse-ld=mold"]);
}

#[test]
fn program_linked_by_clang_is_read_whole() {
    linked_by(("clang", "clang"), &["-Clinker=clang"]);
}

fn linked_by(needed: (&str, &str), options: &[&str]) {
    if !here(&[needed]) {
        return;
    }
    let build = Build::new();
    if build.try_rustc(&[options, &[OTHER_LINKER]].concat()) {
        build.see().is_whole();
    } else {
        skip(&format!("this rustc or C compiler does not link with {} (rustc 1.90, gcc 12.1)", needed.0));
    }
}
