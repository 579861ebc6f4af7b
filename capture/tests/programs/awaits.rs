//! Stops itself in an async function that another one awaits, after several awaits, on an executor of its own.

use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

/// Pending once.
struct Later(bool);

impl Future for Later {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        if std::mem::replace(&mut self.0, true) { Poll::Ready(()) } else { Poll::Pending }
    }
}

trait Store {
    async fn get(&self, at: usize, unit: &str) -> u32;
}

struct Memory {
    items: Vec<u32>,
}

impl Store for Memory {
    async fn get(&self, at: usize, unit: &str) -> u32 {
        Later(false).await;
        let at = at + 100;
        stop();
        Later(false).await;
        self.items[at] + unit.len() as u32
    }
}

#[inline(never)]
async fn generic<T: Clone>(name: String, mut given: T, (left, right): (u8, u8), early: u64) -> T {
    let early = early + 1;
    Later(false).await;
    let name = name + "!";
    Later(false).await;
    let memory = Memory { items: vec![1, 2] };
    let found = memory.get(usize::from(left), &name).await;
    given = given.clone();
    println!("{found} {right} {early}");
    given
}

#[inline(never)]
fn stop() {
    unsafe extern "C" {
        safe fn raise(signal: i32) -> i32;
    }
    raise(19);
}

fn main() {
    let mut context = Context::from_waker(Waker::noop());
    let mut future = pin!(generic("ada".to_owned(), 7_u16, (1, 2), 9));
    while future.as_mut().poll(&mut context).is_pending() {}
}
