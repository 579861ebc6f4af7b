//! Split debug info: `.dwo` files, and `.dwp` packages of them.

use std::fs;

use super::fixture::{Build, here};

const PACKED: &str = "-Csplit-debuginfo=packed";
const UNPACKED: &str = "-Csplit-debuginfo=unpacked";

/// Proof that the case tests what it says: the program itself has no types.
fn split(options: &[&str]) -> Build {
    let build = Build::with(options);
    let found = [build.files(".dwo"), build.files(".dwp")].concat();
    assert!(!found.is_empty(), "nothing was split off");
    build
}

#[test]
fn packed_debug_info_of_dwarf_4_is_read_whole() {
    split(&[PACKED, "-Cdwarf-version=4"]).see().is_whole();
}

#[test]
fn packed_debug_info_of_dwarf_5_is_read_whole() {
    split(&[PACKED, "-Cdwarf-version=5"]).see().is_whole();
}

#[test]
fn unpacked_debug_info_of_dwarf_4_is_read_whole() {
    split(&[UNPACKED, "-Cdwarf-version=4"]).see().is_whole();
}

#[test]
fn unpacked_debug_info_of_dwarf_5_is_read_whole() {
    split(&[UNPACKED, "-Cdwarf-version=5"]).see().is_whole();
}

#[test]
fn split_debug_info_in_many_units_is_read_whole() {
    split(&[UNPACKED, "-Ccodegen-units=16"]).see().is_whole();
    split(&[PACKED, "-Ccodegen-units=16"]).see().is_whole();
}

#[test]
fn split_debug_info_with_compressed_sections_is_read_whole() {
    if !here(&[("objcopy", "binutils")]) {
        return;
    }
    let build = split(&[PACKED, "-Clink-arg=-Wl,--compress-debug-sections=zlib"]);
    build.run("objcopy", &["--compress-debug-sections=zlib", "orders.dwp"]);
    build.see().is_whole();
}

#[test]
fn split_debug_info_of_an_optimised_program_is_right_or_missing() {
    for dwarf in ["-Cdwarf-version=4", "-Cdwarf-version=5"] {
        let whole = Build::with(&["-O", dwarf]).see().right_or_missing();
        assert_eq!(split(&[UNPACKED, "-O", dwarf]).see().right_or_missing(), whole);
        assert_eq!(split(&[PACKED, "-O", dwarf]).see().right_or_missing(), whole);
    }
}

#[test]
fn split_debug_info_of_link_time_optimisation_is_right_or_missing() {
    let whole = Build::with(&["-O", "-Clto=fat"]).see().right_or_missing();
    assert_eq!(split(&[UNPACKED, "-O", "-Clto=fat"]).see().right_or_missing(), whole);
    assert_eq!(split(&[PACKED, "-O", "-Clto=fat"]).see().right_or_missing(), whole);
}

#[test]
fn package_that_gnu_dwp_made_is_read_whole() {
    if here(&[("dwp", "binutils")]) {
        let build = split(&[UNPACKED, "-Cdwarf-version=4"]);
        build.run("dwp", &["-e", "orders", "-o", "orders.dwp"]);
        remove_dwo(&build);
        build.see().is_whole();
    }
}

#[test]
fn package_that_llvm_dwp_made_is_read_whole() {
    if here(&[("llvm-dwp", "llvm")]) {
        let build = split(&[UNPACKED, "-Cdwarf-version=5"]);
        build.run("llvm-dwp", &["-e", "orders", "-o", "orders.dwp"]);
        remove_dwo(&build);
        build.see().is_whole();
    }
}

#[test]
fn dwo_files_beside_a_program_that_was_moved_are_read_whole() {
    let build = split(&[UNPACKED]);
    for name in build.files(".dwo").iter().map(String::as_str).chain(["orders"]) {
        build.rename(name, &format!("moved/{name}"));
    }
    build.see_command(&[build.folder().join("moved/orders")], &[]).is_whole();
}

#[test]
fn missing_dwo_files_leave_the_lines_and_are_named() {
    let build = split(&[UNPACKED]);
    let names = build.files(".dwo");
    remove_dwo(&build);
    let seen = build.see();
    seen.placed_frames();
    seen.lacks_arguments(&["split off", &names[0], "is not there", "`split-debuginfo = \"off\"`"]);
}

#[test]
fn dwo_file_of_another_build_is_refused() {
    let build = split(&[UNPACKED]);
    let other = split(&[UNPACKED, "-Copt-level=1"]);
    for name in build.files(".dwo") {
        let others = other.files(".dwo");
        fs::copy(other.folder().join(&others[0]), build.folder().join(name)).unwrap();
    }
    let seen = build.see();
    seen.placed_frames();
    seen.lacks_arguments(&["split off", "is of another build", "`split-debuginfo = \"off\"`"]);
}

#[test]
fn package_of_another_build_is_refused() {
    let build = split(&[PACKED]);
    let other = split(&[PACKED, "-Copt-level=1"]);
    fs::copy(other.folder().join("orders.dwp"), build.folder().join("orders.dwp")).unwrap();
    let seen = build.see();
    seen.placed_frames();
    seen.lacks_arguments(&["split off", ".dwp", "of another build"]);
}

#[test]
fn damaged_package_is_survived() {
    let build = split(&[PACKED]);
    let path = build.folder().join("orders.dwp");
    let whole = fs::read(&path).unwrap();
    for step in [7, 31, 97] {
        let mut bytes = whole.clone();
        bytes.iter_mut().skip(64).step_by(step).for_each(|byte| *byte = byte.wrapping_add(13));
        fs::write(&path, &bytes).unwrap();
        build.see().crash();
    }
    fs::write(&path, &whole[..whole.len() / 2]).unwrap();
    build.see().crash();
}

fn remove_dwo(build: &Build) {
    for name in build.files(".dwo") {
        fs::remove_file(build.folder().join(name)).unwrap();
    }
}
