//! Stands in for `heapless` 0.7 and 0.8 (compiled as a crate of that name, so that definition paths are the same): elements
//! in room that counts as uninitialised.
#![allow(dead_code)]

use std::io::Read;

pub mod vec {
    use std::mem::MaybeUninit;

    pub struct Vec<T, const N: usize> {
        pub len: usize,
        pub buffer: [MaybeUninit<T>; N],
    }
    impl<T, const N: usize> Vec<T, N> {
        pub fn of(items: std::vec::Vec<T>) -> Self {
            let mut buffer = [const { MaybeUninit::uninit() }; N];
            let len = items.len();
            for (room, item) in buffer.iter_mut().zip(items) {
                room.write(item);
            }
            Vec { len, buffer }
        }
    }
}

fn main() {
    let z_texts: vec::Vec<String, 4> = vec::Vec::of(vec!["a".to_owned(), "b".to_owned()]);
    let z_empty: vec::Vec<u32, 2> = vec::Vec::of(vec![]);
    let mut z_broken: vec::Vec<u8, 2> = vec::Vec::of(vec![7]);
    z_broken.len = 3;
    println!("z_texts\t{:#x}\t-", std::ptr::addr_of!(z_texts) as usize);
    println!("z_empty\t{:#x}\t-", std::ptr::addr_of!(z_empty) as usize);
    println!("z_broken\t{:#x}\t-", std::ptr::addr_of!(z_broken) as usize);
    println!("end\t0x0\t-");
    let _ = std::io::stdin().read(&mut [0]);
}
