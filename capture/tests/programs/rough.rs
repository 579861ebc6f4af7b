// Stacks that are hard to unwind: a signal's, a jump to nowhere, code without unwind tables.
use std::hint::black_box;

unsafe extern "C" {
    fn raise(signal: i32) -> i32;
    fn signal(number: i32, handler: extern "C" fn(i32)) -> usize;
    fn bare(callback: extern "C" fn(u64) -> u64, argument: u64) -> u64;
}

// Keeps a frame pointer, and has no entry in the unwind tables.
std::arch::global_asm!(
    ".globl bare", "bare:", "push rbp", "mov rbp, rsp", "mov rax, rdi", "mov rdi, rsi", "call rax", "pop rbp",
    "ret"
);

extern "C" fn handler(number: i32) {
    black_box(number);
    unsafe {
        raise(19);
    }
}

#[inline(never)]
fn faulty(number: u64, place: *const u64) -> u64 {
    let read = unsafe { place.read_volatile() };
    black_box(number) + read
}

#[inline(never)]
fn jump(number: u64, place: usize) -> u64 {
    let function: extern "C" fn(u64) -> u64 = unsafe { std::mem::transmute(black_box(place)) };
    function(number) + black_box(1)
}

extern "C" fn called_back(argument: u64) -> u64 {
    unsafe { raise(19) };
    black_box(argument)
}

#[inline(never)]
fn around(number: u64) -> u64 {
    let got = unsafe { bare(called_back, number + 1) };
    black_box(got) + number
}

#[inline(never)]
fn plain(number: u64) -> u64 {
    called_back(number) + black_box(number)
}

fn main() {
    unsafe {
        signal(11, handler);
    }
    let mode = std::env::args().nth(1).unwrap();
    match mode.as_str() {
        "signal" => {
            let got = faulty(77, black_box(std::ptr::null()));
            black_box(got);
        }
        "null" => {
            // As an address of no function, because a null function pointer is not a value of that type.
            let got = jump(78, black_box(16));
            black_box(got);
        }
        "bare" => {
            black_box(around(79));
        }
        "stale" => {
            black_box(unsafe { stale(called_back, plain as fn(u64) -> u64 as usize + 4) });
        }
        _ => {
            black_box(plain(80));
        }
    }
}

unsafe extern "C" {
    fn stale(callback: extern "C" fn(u64) -> u64, word: usize) -> u64;
}

// No entry either, and its frame pointer leads to a word that is no return address, though it points into code.
std::arch::global_asm!(
    ".globl stale", "stale:", "push rbp", "push rsi", "push rbp", "mov rbp, rsp", "call rdi", "pop rbp", "pop rsi",
    "pop rbp", "ret"
);
