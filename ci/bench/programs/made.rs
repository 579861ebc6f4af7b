//! A value that is made by many calls before what takes it panics: `made CALLS STEPS` calls `add` CALLS times and lets each
//! call hash STEPS times, so that the same work can be had in few calls or in many.

use std::hint::black_box;

struct Table {
    rows: [u64; 64],
    used: usize,
}

impl Table {
    #[inline(never)]
    fn of(used: usize) -> Table {
        Table { rows: [0; 64], used }
    }

    #[inline(never)]
    fn add(&mut self, row: u64, steps: u64) {
        let mut hash = row;
        for step in 0..steps {
            hash = black_box(hash.rotate_left(5) ^ step).wrapping_mul(0x51_7c_c1_b7_27_22_0a_95);
        }
        self.rows[row as usize % 64] ^= hash;
    }
}

#[inline(never)]
fn sum(table: &Table) -> u64 {
    table.rows[..table.used].iter().fold(0, |sum, row| sum.wrapping_add(*row))
}

fn main() {
    let mut numbers = std::env::args().skip(1).map(|word| word.parse::<u64>().unwrap());
    let (calls, steps) = (numbers.next().unwrap(), numbers.next().unwrap());
    // More rows than there are.
    let mut table = Table::of(black_box(65));
    for call in 0..calls {
        table.add(call, steps);
    }
    println!("{}", sum(&table));
}
