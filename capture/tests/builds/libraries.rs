//! Programs that are not one file, and programs of another C library.

use std::process::Command;

use super::fixture::{Build, Seen, skip};

/// The program as a library of its own, with its own copy of std, loaded at run time.
fn loaded(options: &[&str]) -> Seen {
    let build = Build::new();
    build.rustc("orders", &[options, &["--crate-type=cdylib"]].concat());
    build.rustc("orders_loader", &[]);
    let words = [build.folder().join("orders_loader"), build.folder().join("liborders.so")];
    build.see_command(&words, &[])
}

#[test]
fn library_that_is_loaded_at_run_time_is_read_whole() {
    loaded(&[]).is_whole();
}

#[test]
fn optimised_library_that_is_loaded_at_run_time_is_right_or_missing() {
    let count = loaded(&["-O"]).right_or_missing();
    assert!(count.right >= 3, "{count:?}");
}

#[test]
fn library_with_packed_debug_info_is_read_whole() {
    loaded(&["-Csplit-debuginfo=packed"]).is_whole();
}

#[test]
fn stripped_library_leaves_the_message_and_says_so() {
    let seen = loaded(&["-Cstrip=symbols"]);
    seen.crash();
    seen.says(&["stripped of its symbols", "`strip = false` and `debug = true`"]);
}

#[test]
fn std_as_a_shared_library_is_read_whole() {
    let build = Build::with(&["-Cprefer-dynamic"]);
    let folder = Command::new("rustc").args(["--print", "target-libdir"]).output().unwrap();
    let folder = String::from_utf8(folder.stdout).unwrap();
    let library_path = [("LD_LIBRARY_PATH", std::path::Path::new(folder.trim()))];
    build.see_command(&[build.program()], &library_path).is_whole();
}

#[test]
fn static_musl_program_is_read_whole() {
    let target = "x86_64-unknown-linux-musl";
    let folder = Command::new("rustc").args(["--print", "target-libdir", "--target", target]).output();
    let folder = folder.ok().and_then(|output| String::from_utf8(output.stdout).ok()).unwrap_or_default();
    if !std::path::Path::new(folder.trim()).is_dir() {
        return skip(&format!("the target {target} is not here (rustup target add {target})"));
    }
    Build::with(&["--target", target]).see().is_whole();
}
