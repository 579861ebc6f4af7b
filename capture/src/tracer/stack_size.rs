//! How large a thread's stack may grow. In: what the kernel tells of the process. Out: bytes, where that is known.

use std::ops::Range;

use super::live::{maps, read_at_once};
use super::ptrace::Pid;

/// A thread that runs out of stack is this far below it at most: a function touches its frame page by page.
const BELOW: u64 = 1 << 20;
const PAGE: u64 = 4096;
/// What a C library keeps of a thread from its thread pointer on: `struct pthread` of glibc has some 2,300 bytes.
const BLOCK: u64 = 0x900;

/// The size of a thread's stack, in bytes; `None`: it has no limit, or is none of its own.
///
/// That of the main thread grows up to the limit of the process (`RLIMIT_STACK`); any other is one mapping, which the C
/// library makes as large as it was asked to, and guards by pages of another protection.
pub(super) fn of(process: Pid, tid: Pid, registers: &libc::user_regs_struct) -> Option<u64> {
    if tid == process {
        let limits = read_at_once(&format!("/proc/{process}/limits"))?;
        return limit(&String::from_utf8_lossy(&limits));
    }
    mapped(&maps(process), registers.rsp, registers.fs_base)
}

/// The soft limit in a text of `/proc/PID/limits`.
fn limit(limits: &str) -> Option<u64> {
    let line = limits.lines().find_map(|line| line.strip_prefix("Max stack size"))?;
    line.split_whitespace().next()?.parse().ok()
}

/// The size of the writable mapping that an address is in, or just below. Where the kernel has merged it with one above, it
/// ends behind the thread's own block (`thread_pointer`), which the C library puts at its upper end.
fn mapped(maps: &str, address: u64, thread_pointer: u64) -> Option<u64> {
    let range = |line: &str| -> Option<Range<u64>> {
        let (range, rest) = line.split_once(' ')?;
        let (start, end) = range.split_once('-')?;
        let hex = |text| u64::from_str_radix(text, 16).ok();
        rest.starts_with("rw").then_some(hex(start)?..hex(end)?)
    };
    let above = maps.lines().filter_map(range).find(|range| range.end > address)?;
    let mut end = above.end;
    if thread_pointer > address && above.contains(&thread_pointer) {
        end = end.min(thread_pointer.saturating_add(BLOCK).next_multiple_of(PAGE));
    }
    (above.start <= address.saturating_add(BELOW)).then_some(end - above.start)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stack_is_the_mapping_around_its_pointer_or_above_its_guard() {
        let maps = "7f00f000-7f010000 ---p 00000000 00:00 0 \n7f010000-7f210000 rw-p 00000000 00:00 0 \n\
                    7f300000-7f301000 rw-p 00000000 00:00 0 \n";
        let thread = 0x7f20_f6c0;
        assert_eq!(mapped(maps, 0x7f01_0010, thread), Some(2 << 20));
        assert_eq!(mapped(maps, 0x7f00_fff0, thread), Some(2 << 20));
        assert_eq!(mapped(maps, 0x7f40_0000, thread), None);
        assert_eq!(mapped(maps, 0x1000, thread), None);
        let merged = "7f010000-7f610000 rw-p 00000000 00:00 0 \n";
        assert_eq!(mapped(merged, 0x7f01_0010, thread), Some(2 << 20));
        assert_eq!(mapped(merged, 0x7f01_0010, 0), Some(6 << 20), "where no thread pointer tells");
    }

    #[test]
    fn the_main_threads_stack_grows_up_to_its_limit() {
        let head = "Limit                     Soft Limit           Hard Limit           Units     \n";
        let of = |soft: &str| limit(&format!("{head}Max stack size            {soft}   unlimited   bytes\n"));
        assert_eq!(of("8388608"), Some(8 << 20));
        assert_eq!(of("unlimited"), None);
    }

    #[test]
    fn threads_have_the_stacks_that_they_asked_for() {
        let own = |size: usize| {
            let thread = std::thread::Builder::new().stack_size(size).spawn(|| {
                let here = 0_u8;
                mapped(&maps(std::process::id() as Pid), &raw const here as u64, 0)
            });
            thread.unwrap().join().unwrap()
        };
        for size in [64 << 10, 300 << 10, 5 << 20] {
            // One that ended before may have left its larger stack for the next.
            assert!(own(size).is_some_and(|found| found >= size as u64), "{size}");
        }
    }
}
