// Parameters that are patterns, and a closure with an argument that optimisation folds away.
unsafe extern "C" {
    fn raise(signal: i32) -> i32;
}

struct Pair {
    list: Vec<u8>,
    number: u32,
}

impl Pair {
    #[inline(never)]
    fn method(
        self: Box<Self>,
        (a, b): (u8, u16),
        _: u32,
        [c, ..]: [u8; 2],
        &d: &u8,
        Pair { number, .. }: Pair,
        last: u32,
    ) -> u32 {
        let inner = |x: u8| {
            unsafe { raise(19) };
            a + x + self.list[0]
        };
        inner(3) as u32 + b as u32 + c as u32 + d as u32 + number + last
    }
}

fn main() {
    let first = Box::new(Pair { list: vec![1], number: 2 });
    println!("{}", first.method((1, 2), 9, [4, 5], &6, Pair { list: vec![], number: 7 }, 8));
}
