//! What debug info says, and in which version; and what is damaged of it.

use std::fs;

use object::{Object, ObjectSection};

use super::fixture::{Build, here, skip};

#[test]
fn dwarf_4_is_read_whole() {
    Build::with(&["-Cdwarf-version=4"]).see().is_whole();
}

#[test]
fn dwarf_5_is_read_whole() {
    Build::with(&["-Cdwarf-version=5"]).see().is_whole();
}

#[test]
fn limited_debug_info_lacks_arguments_and_says_so() {
    let seen = Build::with(&["-Cdebuginfo=1"]).see();
    seen.placed_frames();
    seen.lacks_arguments(&["compiled with line tables only", "`debug = true`"]);
}

#[test]
fn line_tables_only_lack_arguments_and_say_so() {
    let seen = Build::with(&["-Cdebuginfo=line-tables-only"]).see();
    seen.placed_frames();
    seen.lacks_arguments(&["compiled with line tables only", "`debug = true`"]);
}

#[test]
fn line_directives_only_lack_lines_and_arguments_and_say_so() {
    let seen = Build::with(&["-Cdebuginfo=line-directives-only"]).see();
    assert!(seen.frames().iter().all(|frame| frame.location.is_none()), "{:#?}", seen.frames());
    seen.lacks_arguments(&["so no arguments", "`debug = true`"]);
}

#[test]
fn no_debug_info_leaves_the_names_and_says_so() {
    let seen = Build::with(&["-Cdebuginfo=0"]).see();
    seen.lacks_arguments(&["compiled without debug info", "`debug = true`"]);
}

#[test]
fn sections_that_the_linker_compressed_with_zlib_are_read_whole() {
    Build::with(&["-Clink-arg=-Wl,--compress-debug-sections=zlib"]).see().is_whole();
}

#[test]
fn sections_that_the_linker_compressed_with_zstd_are_read_whole() {
    let build = Build::new();
    let zstd = "-Clink-arg=-Wl,--compress-debug-sections=zstd";
    // Not every linker can: the first of these that does.
    let linkers: [&[&str]; 3] = [
        &[zstd],
        &[zstd, "-Clinker-features=-lld"],
        &[zstd, "-Clinker-features=-lld", "-Clink-arg=-fuse-ld=mold"],
    ];
    if linkers.iter().any(|options| build.try_rustc(options)) {
        build.see().is_whole();
    } else {
        skip("no linker here compresses with zstd (package mold)");
    }
}

#[test]
fn sections_that_objcopy_compressed_with_zlib_are_read_whole() {
    compressed_by_objcopy("zlib");
}

#[test]
fn sections_that_objcopy_compressed_with_zstd_are_read_whole() {
    compressed_by_objcopy("zstd");
}

#[test]
fn sections_that_were_compressed_in_the_old_gnu_form_are_read_whole() {
    compressed_by_objcopy("zlib-gnu");
}

fn compressed_by_objcopy(how: &str) {
    if here(&[("objcopy", "binutils")]) {
        let build = Build::with(&[]);
        if build.try_run("objcopy", &[&format!("--compress-debug-sections={how}"), "orders"]) {
            build.see().is_whole();
        } else {
            skip(&format!("this objcopy does not know {how} (binutils 2.40)"));
        }
    }
}

#[test]
fn damaged_index_of_addresses_is_read_whole() {
    let build = Build::with(&[]);
    // The version of its first header.
    change(&build, ".debug_aranges", 4, &[0xff]);
    build.see().is_whole();
}

#[test]
fn damaged_unit_lacks_arguments_and_says_so() {
    let build = Build::with(&[]);
    // The version of the first unit.
    change(&build, ".debug_info", 4, &[0xff]);
    build.see().lacks_arguments(&["its debug info is damaged", "build it again"]);
}

#[test]
fn damaged_compressed_section_lacks_arguments_and_says_so() {
    let build = Build::with(&["-Clink-arg=-Wl,--compress-debug-sections=zlib"]);
    // zlib's own header. A change further on may decompress to something of the right size.
    change(&build, ".debug_info", 24, &[0xff; 2]);
    build.see().lacks_arguments(&["its section .debug_info cannot be read", "build it again"]);
}

#[test]
fn section_that_would_become_huge_is_not_read_and_says_so() {
    let build = Build::with(&["-Clink-arg=-Wl,--compress-debug-sections=zlib"]);
    // The size that its header claims.
    change(&build, ".debug_info", 8, &(3_u64 << 30).to_le_bytes());
    build.see().lacks_arguments(&["its section .debug_info cannot be read", "3221225472 bytes"]);
}

/// Overwrites a part of a section of the program.
fn change(build: &Build, section: &str, at: usize, new: &[u8]) {
    let mut bytes = fs::read(build.program()).unwrap();
    let file = object::File::parse(&*bytes).unwrap();
    let start = file.section_by_name(section).unwrap().file_range().unwrap().0 as usize + at;
    bytes[start..start + new.len()].copy_from_slice(new);
    fs::write(build.program(), bytes).unwrap();
}
