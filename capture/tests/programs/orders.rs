//! A shop that serves an order: an index that is out of bounds, three calls deep, below arguments of several kinds.
//! As a program it runs `main`, as a library that is loaded at run time `take_order`.

use std::hint::black_box;

pub struct Order {
    pub id: u32,
    pub lines: [u16; 3],
    pub note: String,
}

#[inline(never)]
fn pick(name: &str, stock: &[u16], order: &Order, at: usize) -> u16 {
    let shelf = at + usize::from(order.lines[0]);
    let picked = stock[shelf]; // pick stands here
    println!("{name}: {picked}, {}", order.note);
    picked
}

#[inline(never)]
fn serve(name: String, stock: &[u16], order: &Order) -> u16 {
    let at = stock.len() + order.lines.len();
    let picked = pick(&name, stock, order, at); // serve stands here
    println!("{} of {name}", order.id);
    picked
}

#[inline(never)]
fn run() {
    let order =
        Order { id: black_box(77), lines: black_box([9, 10, 11]), note: black_box("rush".to_owned()) };
    let stock = black_box(vec![3, 5, 8, 13]);
    let picked = serve(black_box("ada".to_owned()), &stock, &order); // run stands here
    println!("{picked}");
}

#[unsafe(no_mangle)]
pub extern "C" fn take_order() -> i32 {
    i32::from(std::panic::catch_unwind(run).is_err())
}

fn main() {
    run();
}
