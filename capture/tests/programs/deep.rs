// A program that stops itself deep in its own functions: inlined, generic, in a trait, in a closure.
use std::collections::HashMap;
use std::hint::black_box;

unsafe extern "C" {
    fn raise(signal: i32) -> i32;
}

pub struct Row {
    pub cells: Vec<u32>,
}

pub trait Visit {
    fn visit(&mut self, depth: u32, label: &str) -> usize;
}

impl Visit for Row {
    #[inline(never)]
    fn visit(&mut self, depth: u32, label: &str) -> usize {
        self.cells.push(depth);
        let total = inlined(depth, label);
        total + self.cells.len()
    }
}

#[inline(always)]
fn inlined(count: u32, label: &str) -> usize {
    let extra = leaf::<u16>(7, 0.5, count, label);
    extra + 1
}

#[inline(never)]
fn leaf<T: Copy + Into<u32>>(small: T, half: f64, count: u32, label: &str) -> usize {
    let sum: u32 = small.into() + count;
    unsafe { raise(19) };
    black_box(half);
    label.len() + sum as usize
}

#[inline(never)]
fn recurse(left: u32, row: Row, map: &HashMap<u8, &str>) -> usize {
    if left > 0 {
        return recurse(left - 1, row, map) + 1;
    }
    let mut row = row;
    let run = |add: u32| row.visit(add + 40, map[&1]);
    black_box(run)(2)
}

fn main() {
    let depth = std::env::args().nth(1).map_or(3, |text| text.parse().unwrap());
    let map = HashMap::from([(1, "one")]);
    println!("{}", recurse(depth, Row { cells: vec![1, 2, 3] }, &map));
}
