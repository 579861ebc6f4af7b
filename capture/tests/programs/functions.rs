// Functions and pointers to them, as arguments and in what is set once.
use std::sync::LazyLock;

unsafe extern "C" {
    fn raise(signal: i32) -> i32;
}

fn double(x: u32) -> u32 {
    x * 2
}
fn triple(x: u32) -> u32 {
    x * 3
}
struct Scaled<T>(T);
impl<T: Into<u64> + Copy> Scaled<T> {
    fn get(x: T) -> u64 {
        x.into()
    }
}
fn free<T: Into<u64>>(x: T) -> u64 {
    x.into() + 1
}

fn made() -> String {
    std::hint::black_box("made").to_owned()
}
static OF_ITEM: LazyLock<String, fn() -> String> = LazyLock::new(made);

#[inline(never)]
fn both<F: Fn(u32) -> u32, G: Fn(u32) -> u32>(f: F, g: G) -> u32 {
    unsafe { raise(19) };
    f(1) + g(2)
}

#[inline(never)]
fn beside<F: Fn(u32) -> u32>(f: F, pointer: fn(u32) -> u32) -> u32 {
    let answer = both(double, triple);
    answer + f(1) + std::hint::black_box(pointer)(2)
}

#[inline(never)]
fn pick<F: Fn(u32) -> u32, T: Default, const N: u32>(f: F, rest: &(T, fn(u8) -> u64, fn(u8) -> u64)) -> u32 {
    let answer = same(&double, &double) + f(N);
    std::hint::black_box(rest);
    answer
}

#[inline(never)]
fn same<F: Fn(u32) -> u32, G: Fn(u32) -> u32>(f: &F, g: &G) -> u32 {
    f(1) + beside(double, std::hint::black_box(triple)) + g(1)
}

#[inline(never)]
fn pointers(pointer: &LazyLock<String, fn() -> String>) -> u32 {
    let answer = twins(double, double);
    std::hint::black_box(pointer);
    answer
}

#[inline(never)]
fn twins<F: Fn(u32) -> u32, G: Fn(u32) -> u32>(f: F, g: G) -> u32 {
    let answer = pick::<_, String, 3>(double, &(String::new(), Scaled::<u8>::get, free::<u8>));
    answer + f(1) + g(2)
}

#[inline(never)]
fn lazy<F: FnOnce() -> String>(item: &LazyLock<String, F>) -> u32 {
    let answer = pointers(&OF_ITEM);
    std::hint::black_box(item);
    answer
}

fn main() {
    let item = std::hint::black_box(LazyLock::new(made));
    println!("{} {} {}", lazy(&item), *item, *OF_ITEM);
}
