//! What each fuzz target does with its bytes. The targets in `fuzz_targets/` and the tests, which replay the
//! committed corpora without a fuzzer, call these same functions. A body panics where something is found.

pub mod memory;
mod names;
mod snapshot;

pub mod cargo_config;
pub mod image;
pub mod panic;
pub mod redaction;
pub mod settings;
pub mod snapshot_file;
pub mod snapshot_json;
pub mod source;
pub mod values;

/// A target's body.
pub type Body = fn(&[u8]);

/// Every target by its name, which is that of its folder of inputs, too.
pub const TARGETS: &[(&str, Body)] = &[
    ("cargo_config", cargo_config::body),
    ("image", image::body),
    ("panic", panic::body),
    ("redaction", redaction::body),
    ("settings", settings::body),
    ("snapshot_file", snapshot_file::body),
    ("snapshot_json", snapshot_json::body),
    ("source", source::body),
    ("values", values::body),
];

/// The entry of one target: for libFuzzer, or, built without it, a program that runs the files that it is given.
#[macro_export]
macro_rules! target {
    ($name:ident) => {
        #[cfg(feature = "libfuzzer")]
        libfuzzer_sys::fuzz_target!(|data: &[u8]| relapse_fuzz::$name::body(data));

        #[cfg(not(feature = "libfuzzer"))]
        fn main() -> std::io::Result<()> {
            relapse_fuzz::replay(relapse_fuzz::$name::body)
        }
    };
}

/// Runs a body on each file of the command line.
pub fn replay(body: Body) -> std::io::Result<()> {
    for file in std::env::args_os().skip(1) {
        body(&std::fs::read(file)?);
    }
    Ok(())
}

/// Runs what recurses along its input as the program does: with a stack that is large enough.
fn on_large_stack(work: impl FnOnce() + Send) {
    const STACK: usize = 512 << 20;
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, work);
        if let Err(panic) = thread.expect("a thread can be started").join() {
            std::panic::resume_unwind(panic);
        }
    });
}
