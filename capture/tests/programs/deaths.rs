//! A shop whose crash is a fault, a stack that overflows, or a panic in an inlined call: its argument tells which.

use std::hint::black_box;

#[inline(never)]
fn weigh(name: &str, count: u32, scale: *const u32) -> u32 {
    let step = unsafe { scale.read_volatile() }; // weigh stands here
    black_box(name.len() as u32) + count / step
}

#[inline(never)]
fn pile(name: &str, count: u32) -> u32 {
    if black_box(count) == 0 {
        return 0;
    }
    let higher = black_box(pile(name, count)); // pile stands here
    higher + count + name.len() as u32
}

#[inline(always)]
fn share(name: &str, count: u32, among: u32) -> u32 {
    let part = count / among; // share stands here
    black_box(name.len() as u32) + part
}

#[inline(never)]
fn split(name: &str, count: u32) -> u32 {
    let part = share(name, count, black_box(0)); // split stands here
    part + black_box(count) + name.len() as u32
}

fn main() {
    let (name, count) = (black_box("ada"), black_box(7));
    let got = match std::env::args().nth(1).as_deref() {
        Some("fault") => weigh(name, count, black_box(16 as *const u32)),
        Some("overflow") => pile(name, count),
        _ => split(name, count),
    };
    println!("{got}");
}
