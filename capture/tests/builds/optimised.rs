//! What optimisation leaves: whatever is shown is right, and what is not there says so.

use relapse_capture::tracer::Ending;

use super::fixture::Build;

/// All frames are right, and of the seven arguments at least so many are read.
fn at_least(right: usize, options: &[&str]) {
    let seen = Build::with(options).see();
    let count = seen.right_or_missing();
    assert!(count.right >= right, "{options:?}: {count:?}");
    assert_eq!(count.right + count.missing, 7);
    if count.missing > 0 {
        seen.says(&["built with optimisation", "`opt-level = 0`"]);
    }
}

#[test]
fn opt_level_0_is_read_whole() {
    Build::with(&["-Copt-level=0"]).see().is_whole();
}

#[test]
fn opt_level_1_is_right_or_missing() {
    at_least(3, &["-Copt-level=1"]);
}

#[test]
fn opt_level_2_is_right_or_missing() {
    at_least(3, &["-Copt-level=2"]);
}

#[test]
fn opt_level_3_is_right_or_missing() {
    at_least(3, &["-Copt-level=3"]);
}

#[test]
fn opt_level_s_is_right_or_missing() {
    at_least(3, &["-Copt-level=s"]);
}

#[test]
fn opt_level_z_is_right_or_missing() {
    at_least(3, &["-Copt-level=z"]);
}

#[test]
fn thin_link_time_optimisation_is_right_or_missing() {
    at_least(3, &["-O", "-Clto=thin"]);
}

#[test]
fn fat_link_time_optimisation_is_right_or_missing() {
    at_least(3, &["-O", "-Clto=fat"]);
}

#[test]
fn fat_link_time_optimisation_of_dwarf_5_is_right_or_missing() {
    at_least(3, &["-O", "-Clto=fat", "-Cdwarf-version=5"]);
}

#[test]
fn one_codegen_unit_is_read_whole() {
    Build::with(&["-Ccodegen-units=1"]).see().is_whole();
}

#[test]
fn sixteen_codegen_units_are_read_whole() {
    Build::with(&["-Ccodegen-units=16"]).see().is_whole();
}

#[test]
fn one_codegen_unit_of_an_optimised_program_is_right_or_missing() {
    at_least(3, &["-O", "-Ccodegen-units=1"]);
}

#[test]
fn sixteen_codegen_units_of_an_optimised_program_are_right_or_missing() {
    at_least(3, &["-O", "-Ccodegen-units=16"]);
}

#[test]
fn frame_pointers_make_no_difference() {
    for opt in ["-Copt-level=0", "-Copt-level=2"] {
        let counts = ["yes", "no"].map(|choice| {
            let choice = format!("-Cforce-frame-pointers={choice}");
            Build::with(&[opt, &choice]).see().right_or_missing()
        });
        assert_eq!(counts[0], counts[1], "{opt}");
    }
}

#[test]
fn abort_on_panic_is_read_whole() {
    let seen = Build::with(&["-Cpanic=abort"]).see();
    seen.is_whole();
    assert_eq!(seen.ending, Some(Ending::Signaled(libc::SIGABRT)));
}

#[test]
fn abort_on_panic_of_an_optimised_program_is_right_or_missing() {
    at_least(3, &["-Cpanic=abort", "-O", "-Clto=fat", "-Ccodegen-units=1"]);
}
