//! Debug info in a file of its own, which the program names by build id or by debug link.

use std::fs;

use super::expected::MESSAGE;
use super::fixture::{Build, here};

const BINUTILS: &[(&str, &str)] = &[("objcopy", "binutils"), ("readelf", "binutils")];
const BUILD_ID: &str = "-Clink-arg=-Wl,--build-id=sha1";
const NO_BUILD_ID: &str = "-Clink-arg=-Wl,--build-id=none";

/// The program, stripped of all symbols, with a debug link to `orders.debug`.
fn linked(options: &[&str]) -> Build {
    let build = Build::with(options);
    build.split_off_debug_file("orders");
    build.run("objcopy", &["--add-gnu-debuglink=orders.debug", "orders"]);
    build
}

#[test]
fn debug_file_by_build_id_is_read_whole() {
    if !here(BINUTILS) {
        return;
    }
    let mut build = Build::with(&[BUILD_ID]);
    let id = build.build_id();
    build.split_off_debug_file("orders");
    build.debug_folder("debug");
    build.rename("orders.debug", &format!("debug/.build-id/{}/{}.debug", &id[..2], &id[2..]));
    build.see().is_whole();
}

#[test]
fn debug_file_by_link_in_the_same_folder_is_read_whole() {
    if here(BINUTILS) {
        linked(&[BUILD_ID]).see().is_whole();
    }
}

#[test]
fn debug_file_by_link_in_the_folder_for_such_is_read_whole() {
    if here(BINUTILS) {
        let build = linked(&[NO_BUILD_ID]);
        build.rename("orders.debug", ".debug/orders.debug");
        build.see().is_whole();
    }
}

#[test]
fn debug_file_by_link_below_a_debug_folder_is_read_whole() {
    if !here(BINUTILS) {
        return;
    }
    let mut build = linked(&[NO_BUILD_ID]);
    let debug = build.debug_folder("debug");
    let own = build.folder().canonicalize().unwrap();
    let mirrored = debug.join(own.strip_prefix("/").unwrap());
    fs::create_dir_all(&mirrored).unwrap();
    fs::rename(own.join("orders.debug"), mirrored.join("orders.debug")).unwrap();
    build.see().is_whole();
}

#[test]
fn compressed_debug_file_is_read_whole() {
    if here(BINUTILS) {
        let build = Build::with(&[]);
        build.split_off_debug_file("orders");
        build.run("objcopy", &["--compress-debug-sections=zlib", "orders.debug"]);
        build.run("objcopy", &["--add-gnu-debuglink=orders.debug", "orders"]);
        build.see().is_whole();
    }
}

#[test]
fn debug_file_of_a_program_with_split_debug_info_is_read_whole() {
    if here(BINUTILS) {
        linked(&["-Csplit-debuginfo=packed"]).see().is_whole();
    }
}

#[test]
fn debug_file_of_a_library_that_is_loaded_at_run_time_is_read_whole() {
    if here(BINUTILS) {
        let build = Build::new();
        build.rustc("orders", &["--crate-type=cdylib"]);
        build.rustc("orders_loader", &[]);
        build.split_off_debug_file("liborders.so");
        build.run("objcopy", &["--add-gnu-debuglink=orders.debug", "liborders.so"]);
        let words = [build.folder().join("orders_loader"), build.folder().join("liborders.so")];
        build.see_command(&words, &[]).is_whole();
    }
}

#[test]
fn debug_file_of_another_build_id_is_refused() {
    if !here(BINUTILS) {
        return;
    }
    let build = linked(&[BUILD_ID]);
    let other = linked(&[BUILD_ID, "-Copt-level=1"]);
    fs::copy(other.folder().join("orders.debug"), build.folder().join("orders.debug")).unwrap();
    let seen = build.see();
    seen.says(&["the debug file orders.debug is not used", &build.build_id(), &other.build_id()]);
    assert_eq!(seen.crash().snapshot.cause.message, MESSAGE);
}

#[test]
fn debug_file_of_another_checksum_is_refused() {
    if !here(BINUTILS) {
        return;
    }
    let build = linked(&[NO_BUILD_ID]);
    let mut bytes = fs::read(build.folder().join("orders.debug")).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(build.folder().join("orders.debug"), bytes).unwrap();
    let seen = build.see();
    seen.says(&["the debug file orders.debug is not used", "checksum"]);
}

#[test]
fn debug_file_that_is_nowhere_is_named() {
    if !here(BINUTILS) {
        return;
    }
    let build = Build::with(&[]);
    build.run("objcopy", &["--only-keep-debug", "orders", "orders.debug"]);
    build.run("objcopy", &["--strip-debug", "--add-gnu-debuglink=orders.debug", "orders"]);
    fs::remove_file(build.folder().join("orders.debug")).unwrap();
    let seen = build.see();
    seen.lacks_arguments(&["orders.debug, which is not there", "RELAPSE_DEBUG_PATH"]);
}

/// The program and a copy of it that share what is alike in their debug info.
fn shared() -> Option<Build> {
    here(&[("dwz", "dwz")]).then(|| {
        let build = Build::with(&[]);
        fs::copy(build.program(), build.folder().join("copy")).unwrap();
        build.run("dwz", &["-m", "common.debug", "orders", "copy"]);
        build
    })
}

#[test]
fn supplementary_file_is_read_whole() {
    if let Some(build) = shared() {
        build.see().is_whole();
    }
}

#[test]
fn supplementary_file_by_build_id_is_read_whole() {
    let Some(mut build) = shared() else { return };
    build.run("objcopy", &["--dump-section", ".note.gnu.build-id=id", "common.debug"]);
    let id = fs::read(build.folder().join("id")).unwrap();
    let id = id[16..].iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"));
    build.debug_folder("debug");
    build.rename("common.debug", &format!("debug/.build-id/{}/{}.debug", &id[..2], &id[2..]));
    build.see().is_whole();
}

#[test]
fn supplementary_file_that_is_nowhere_is_named() {
    let Some(build) = shared() else { return };
    fs::remove_file(build.folder().join("common.debug")).unwrap();
    let seen = build.see();
    seen.crash();
    seen.says(&["parts of its debug info are in common.debug, which is not there", "RELAPSE_DEBUG_PATH"]);
}

#[test]
fn debug_info_that_dwz_compressed_in_place_is_read_whole() {
    if here(&[("dwz", "dwz")]) {
        let build = Build::with(&[]);
        build.run("dwz", &["orders"]);
        build.see().is_whole();
    }
}

#[test]
fn supplementary_file_of_another_build_is_refused() {
    if !here(BINUTILS) {
        return;
    }
    // dwz is not needed to name such a file.
    let build = Build::with(&[BUILD_ID]);
    fs::copy(build.program(), build.folder().join("common.debug")).unwrap();
    fs::write(build.folder().join("link"), [&b"common.debug\0"[..], &[0xab; 20]].concat()).unwrap();
    build.run("objcopy", &["--add-section", ".gnu_debugaltlink=link", "orders"]);
    let seen = build.see();
    seen.crash();
    seen.says(&["the debug file common.debug is not used: its build id is"]);
    let notes = &seen.crash().snapshot.notes;
    assert!(notes.iter().all(|note| !note.contains("which is not there")), "{notes:?}");
}
