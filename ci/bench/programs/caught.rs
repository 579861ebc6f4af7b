//! Panics COUNT times at one place and catches each: `caught COUNT`. The hook prints nothing, so what is measured is
//! the panic and who watches it.

use std::panic::{catch_unwind, set_hook};

#[inline(never)]
fn item(items: &[u32], at: usize) -> u32 {
    items[at]
}

fn main() {
    let count: usize = std::env::args().nth(1).and_then(|word| word.parse().ok()).unwrap_or(0);
    set_hook(Box::new(|_| {}));
    let items: Vec<u32> = (0..10).collect();
    let caught = (0..count).filter(|_| catch_unwind(|| item(&items, 10)).is_err()).count();
    assert_eq!(caught, count);
}
