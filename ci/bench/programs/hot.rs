//! A function that is called often before its last call panics: `hot CALLS STEPS` calls it CALLS times and lets each call
//! hash STEPS times, so that the same work can be had in few calls or in many.

use std::hint::black_box;

#[inline(never)]
fn lookup(table: &[u64], at: usize, steps: u64) -> u64 {
    let mut hash = at as u64;
    for step in 0..steps {
        hash = black_box(hash.rotate_left(5) ^ step).wrapping_mul(0x51_7c_c1_b7_27_22_0a_95);
    }
    // Only the last call asks for what is not there.
    hash ^ table[at]
}

fn main() {
    let mut numbers = std::env::args().skip(1).map(|word| word.parse::<u64>().unwrap());
    let (calls, steps) = (numbers.next().unwrap(), numbers.next().unwrap());
    let table = [7; 64];
    let mut sum = 0_u64;
    for call in 1..calls {
        sum = sum.wrapping_add(lookup(black_box(&table), call as usize % 64, steps));
    }
    println!("{}", sum ^ lookup(&table, 64, steps));
}
