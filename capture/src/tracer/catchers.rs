//! Who would catch a panic, by the functions on its stack. Pure.

use relapse_snapshot::{Catcher, Frame, FrameKind};

/// Crates whose `catch_unwind` keeps a pool's worker alive.
const POOLS: [&str; 6] = ["rayon", "rayon_core", "threadpool", "scoped_threadpool", "workerpool", "blocking"];
/// Crates whose `catch_unwind` keeps an executor alive.
const RUNTIMES: [&str; 7] =
    ["tokio", "async_std", "async_executor", "async_task", "smol", "actix_rt", "futures_executor"];

/// How [`doctest_function`]'s name begins.
const DOCTEST_MAIN: &str = "_doctest_main_";

/// The crate that a function's path begins with: `tokio` in `<tokio::task::X as core::future::Future>::poll`.
fn crate_of(function: &str) -> &str {
    let start = function.trim_start_matches(['<', '&', '(', '[', '*']).trim_start_matches("impl ");
    let start = start.trim_start_matches("mut ").trim_start_matches("dyn ");
    start.split([':', '<', ' ', '>', ',']).next().unwrap_or_default()
}

fn is_catch(function: &str) -> bool {
    let std_panic = function.starts_with("std::panic::") || function.starts_with("std::panicking::");
    std_panic && (has_segment(function, "catch_unwind") || has_segment(function, "try"))
}

/// Whether a path has this segment: `std::panicking::try`, `std::panicking::catch_unwind::do_call::<…>`.
fn has_segment(function: &str, name: &str) -> bool {
    function.split("::").any(|segment| segment.split('<').next() == Some(name))
}

fn is_std(function: &str) -> bool {
    matches!(crate_of(function), "std" | "core" | "alloc" | "test" | "__rustc" | "__rust_try" | "proc_macro")
}

/// Everyone who would catch a panic on this stack, innermost first. What `std` itself catches around `main` does
/// not count: nobody goes on after that.
pub(crate) fn caught_by(frames: &[Frame]) -> Vec<Catcher> {
    let mut catchers: Vec<Catcher> = Vec::new();
    for (at, frame) in frames.iter().enumerate() {
        // `catch_unwind` is several frames deep (`do_call`, `__rust_try`, `try`, `catch_unwind`): the outermost
        // of them counts, the one that another function called.
        if !is_catch(&frame.function) || frames.get(at + 1).is_some_and(|next| is_catch(&next.function)) {
            continue;
        }
        let caller = frames[at + 1..].iter().find(|next| !next.function.starts_with("__rust_try"));
        let catcher = catcher(caller.map_or("", |frame| &frame.function));
        if let Some(catcher) = catcher
            && catchers.last() != Some(&catcher)
        {
            catchers.push(catcher);
        }
    }
    catchers
}

fn catcher(caller: &str) -> Option<Catcher> {
    let known = crate_of(caller);
    if caller.starts_with("std::rt::") || caller == "main" {
        return None;
    }
    if known == "test" {
        return Some(Catcher::TestHarness);
    }
    if POOLS.contains(&known) {
        return Some(Catcher::ThreadPool);
    }
    if RUNTIMES.contains(&known) {
        return Some(Catcher::AsyncRuntime);
    }
    if caller.starts_with("std::thread::") {
        return Some(Catcher::Thread);
    }
    // A method of std like `FutureExt::catch_unwind` is its crate's; std's own callers are not the user's.
    (!is_std(caller) || known == "futures_util").then_some(Catcher::CatchUnwind)
}

/// The function that rustdoc makes of a documentation test which is a program of its own. It is named by file and
/// line: `rust_out::main::_doctest_main_src_lib_rs_13_0`.
pub(crate) fn doctest_function(frames: &[Frame]) -> Option<&Frame> {
    let is_main = |name: &str| name.starts_with(DOCTEST_MAIN) && !name.contains("::");
    frames.iter().find(|frame| frame.function.strip_prefix("rust_out::main::").is_some_and(is_main))
}

/// The test function on a stack: the outermost function within libtest's call of it.
pub(crate) fn test_function(frames: &[Frame]) -> Option<&Frame> {
    let harness =
        frames.iter().position(|frame| frame.function.starts_with("test::__rust_begin_short_backtrace"))?;
    frames[..harness].iter().rev().find(|frame| {
        let bare = frame.name.split('<').next().unwrap_or_default();
        frame.kind != FrameKind::Std && !bare.starts_with('{') && !is_std(&frame.function)
    })
}
