//! Panics some functions deep, with arguments worth reading: `panics` ends well, `panics now` ends by its panic, `panics
//! memory` catches it and prints what the tracer (its parent) has needed by then, from `/proc`; `panics stopped BYTES` catches
//! panics at places of their own, each with a text of that length to be read, and prints the nanoseconds of each.

use std::collections::BTreeMap;
use std::panic::{PanicHookInfo, catch_unwind, set_hook};
use std::thread::sleep;
use std::time::{Duration, Instant};

#[derive(Debug, Clone)]
struct Order {
    customer: String,
    items: Vec<u32>,
    notes: BTreeMap<String, String>,
}

#[inline(never)]
fn price(items: &[u32], at: usize) -> u32 {
    items[at]
}

#[inline(never)]
fn total(order: &Order, count: usize) -> u32 {
    (0..count).map(|at| price(&order.items, at)).sum()
}

fn bill(orders: &[Order]) -> u32 {
    orders.iter().map(|order| total(order, 12)).sum()
}

/// Functions of which each panics at a place of its own, so that a snapshot is made of each panic.
macro_rules! readers {
    ($($name:ident)*) => {
        $(
            #[inline(never)]
            fn $name(text: &str, at: usize) -> u8 {
                let read = text.as_bytes().get(at);
                *read.expect(stringify!($name))
            }
        )*
        const READERS: &[fn(&str, usize) -> u8] = &[$($name),*];
    };
}

readers! { first second third fourth fifth sixth seventh eighth ninth }

fn stopped(bytes: usize) {
    // What the terminal takes is no part of it.
    set_hook(Box::new(|_: &PanicHookInfo<'_>| {}));
    let text = "0123456789abcdef".repeat(bytes / 16);
    for reader in READERS {
        let start = Instant::now();
        assert!(catch_unwind(|| reader(&text, text.len())).is_err());
        println!("{}", start.elapsed().as_nanos());
        // A snapshot is written while its program runs on; the next panic would wait for that.
        sleep(Duration::from_millis(400));
    }
}

fn main() {
    let notes = BTreeMap::from([("gift".to_owned(), "yes".to_owned())]);
    let order = Order { customer: "Ada".to_owned(), items: (0..10).collect(), notes };
    let orders = vec![order.clone(), order];
    match std::env::args().nth(1).as_deref() {
        None => println!("{}", orders[0].customer.len() + orders[0].notes.len()),
        Some("memory") => {
            let caught = catch_unwind(|| bill(&orders));
            assert!(caught.is_err());
            let parent = std::os::unix::process::parent_id();
            print!("{}", std::fs::read_to_string(format!("/proc/{parent}/status")).unwrap_or_default());
        }
        Some("stopped") => stopped(std::env::args().nth(2).unwrap().parse().unwrap()),
        Some("everything") => println!("{}", everything(1)),
        Some(_) => println!("{}", bill(&orders)),
    }
}

// The end of this file is written by the runner: many types, each with its own copies of the collections' code.
fn everything(seed: u64) -> u64 {
    seed
}
