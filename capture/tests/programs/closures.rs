// Closures of each kind of capture, in arguments of functions of other modules.
unsafe extern "C" {
    fn raise(signal: i32) -> i32;
}

mod other {
    pub fn stop<A, B, C, D, E, F>(by_ref: &A, moved: &B, parts: &C, nothing: &D, nested: &E, twins: &F) {
        unsafe { super::raise(19) };
        std::hint::black_box((by_ref, moved, parts, nothing, nested, twins));
    }
}

struct Pair {
    left: u32,
    right: String,
}

// Two functions of one path, and so two closures.
fn blocks() -> (impl Fn(u32) -> u32, impl Fn(u32) -> u32) {
    let one = {
        fn helper() -> impl Fn(u32) -> u32 {
            move |x| x + 1
        }
        helper()
    };
    let other = {
        fn helper() -> impl Fn(u32) -> u32 {
            move |x| x + 2
        }
        helper()
    };
    (one, other)
}

fn main() {
    let base = 5_u32;
    let mut seen = vec![1_u8];
    let by_ref = |x: u32, text: &str| x + base + text.len() as u32;
    let moved = move |x: u8| {
        seen.push(x);
        seen.len()
    };
    let pair = Pair { left: 1, right: "r".to_owned() };
    let parts = |(a, b): (u32, u32)| a + b + pair.left + pair.right.len() as u32;
    let nothing = |x: u32| x;
    let nested = [1_u32].map(|n| move |x: u32| x + n);
    let twins = blocks();
    other::stop(&by_ref, &moved, &parts, &nothing, &nested, &twins);
    let mut moved = moved;
    println!("{:?}", (by_ref(1, "a"), moved(1), parts((1, 2)), nothing(3), nested[0](1), twins.0(1), twins.1(1)));
}
