//! One thread that hashes and sorts for a few seconds. No argument; prints a number that depends on all of it.

use std::collections::HashMap;

fn main() {
    let (mut state, mut total) = (0x9e37_79b9_7f4a_7c15_u64, 0_u64);
    for _ in 0..90 {
        let mut numbers: Vec<u64> = (0..1_000_000)
            .map(|_| {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                state
            })
            .collect();
        numbers.sort_unstable();
        let mut counts: HashMap<u64, u32> = HashMap::new();
        for number in &numbers {
            *counts.entry(number % 65_537).or_default() += 1;
        }
        total = total.wrapping_add(numbers[500_000]).wrapping_add(counts.len() as u64);
    }
    println!("{total}");
}
