//! Stands in for `alloc` of rustc 1.75 (compiled as a crate of that name, so that definition paths are the
//! same): `RawVec { ptr, cap, alloc }`, `RcBox`. `VecDeque` has a layout that no rustc ever had.
#![allow(dead_code)]

use std::cell::Cell;
use std::io::Read;
use std::ptr::NonNull;

pub mod alloc {
    pub struct Global;
}
pub mod raw_vec {
    pub struct Unique<T> {
        pub pointer: std::ptr::NonNull<T>,
        pub _marker: std::marker::PhantomData<T>,
    }
    pub struct RawVec<T, A> {
        pub ptr: Unique<T>,
        pub cap: usize,
        pub alloc: A,
    }
    pub fn of<T>(items: &'static mut [T]) -> RawVec<T, crate::alloc::Global> {
        let pointer = std::ptr::NonNull::from(&mut items[0]);
        let ptr = Unique { pointer, _marker: std::marker::PhantomData };
        RawVec { ptr, cap: items.len(), alloc: crate::alloc::Global }
    }
}
pub mod vec {
    pub struct Vec<T, A> {
        pub buf: crate::raw_vec::RawVec<T, A>,
        pub len: usize,
    }
}
pub mod string {
    pub struct String {
        pub vec: crate::vec::Vec<u8, crate::alloc::Global>,
    }
}
pub mod rc {
    pub struct RcBox<T> {
        pub strong: std::cell::Cell<usize>,
        pub weak: std::cell::Cell<usize>,
        pub value: T,
    }
    pub struct Rc<T, A> {
        pub ptr: std::ptr::NonNull<RcBox<T>>,
        pub phantom: std::marker::PhantomData<RcBox<T>>,
        pub alloc: A,
    }
}
pub mod collections {
    pub mod vec_deque {
        pub struct VecDeque<T> {
            pub first: usize,
            pub buf: T,
        }
    }
}

fn main() {
    let items: &'static mut [u32] = std::boxed::Box::leak(std::boxed::Box::new([1, 2, 3]));
    let z_vec = vec::Vec { buf: raw_vec::of(items), len: 2 };
    let text: &'static mut [u8] = std::boxed::Box::leak(std::boxed::Box::new(*b"old"));
    let z_string = string::String { vec: vec::Vec { buf: raw_vec::of(text), len: 3 } };
    let shared = std::boxed::Box::leak(std::boxed::Box::new(rc::RcBox {
        strong: Cell::new(1),
        weak: Cell::new(1),
        value: 7_u16,
    }));
    let z_rc =
        rc::Rc { ptr: NonNull::from(shared), phantom: std::marker::PhantomData, alloc: alloc::Global };
    let z_deque = collections::vec_deque::VecDeque { first: 0, buf: 1_u8 };
    println!("z_vec\t{:#x}\t[1, 2]", std::ptr::addr_of!(z_vec) as usize);
    println!("z_string\t{:#x}\t\"old\"", std::ptr::addr_of!(z_string) as usize);
    println!("z_rc\t{:#x}\t7", std::ptr::addr_of!(z_rc) as usize);
    println!("z_deque\t{:#x}\t-", std::ptr::addr_of!(z_deque) as usize);
    println!("end\t0x0\t-");
    let _ = std::io::stdin().read(&mut [0]);
}
