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
    if here(&[("ld.bfd", "binutils")]) {
        Build::with(&[OTHER_LINKER, "-Clink-arg=-fuse-ld=bfd"]).see().is_whole();
    }
}

#[test]
fn program_linked_by_gold_is_read_whole() {
    if here(&[("ld.gold", "binutils")]) {
        Build::with(&[OTHER_LINKER, "-Clink-arg=-fuse-ld=gold"]).see().is_whole();
    }
}

#[test]
fn program_linked_by_lld_is_read_whole() {
    if here(&[("ld.lld", "lld")]) {
        Build::with(&[OTHER_LINKER, "-Clink-arg=-fuse-ld=lld"]).see().is_whole();
    }
}

#[test]
fn program_linked_by_mold_is_read_whole() {
    if here(&[("mold", "mold")]) {
        Build::with(&[OTHER_LINKER, "-Clink-arg=-fuse-ld=mold"]).see().is_whole();
    }
}

#[test]
fn program_linked_by_clang_is_read_whole() {
    if here(&[("clang", "clang")]) {
        Build::with(&["-Clinker=clang", OTHER_LINKER]).see().is_whole();
    }
}
