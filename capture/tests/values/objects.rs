//! A program with trait objects, function pointers and unions, which says where each lies and how `Debug` prints it.
#![allow(dead_code, clippy::all)]

use std::cell::RefCell;
use std::error::Error;
use std::fmt::Debug;
use std::hint::black_box;
use std::io::Read;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::{Arc, Mutex};

trait Shape: Debug {
    fn area(&self) -> u64;
}
#[derive(Debug)]
struct Circle {
    r: u64,
}
#[derive(Debug)]
struct Named(String, u8);
#[derive(Debug)]
struct Nothing;
#[derive(Debug)]
#[repr(align(64))]
struct Wide(u8);
#[derive(Debug)]
struct Scaled<T>(T);
impl Shape for Circle {
    fn area(&self) -> u64 {
        self.r
    }
}
impl Shape for Named {
    fn area(&self) -> u64 {
        self.0.len() as u64
    }
}
impl Shape for Nothing {
    fn area(&self) -> u64 {
        9
    }
}
impl Shape for Wide {
    fn area(&self) -> u64 {
        self.0 as u64 + 1
    }
}
impl<T: Debug + Into<u64> + Copy> Shape for Scaled<T> {
    fn area(&self) -> u64 {
        self.0.into()
    }
}

/// Two parameters without a size, of which the last is that of the tail.
struct Tailed<M: ?Sized, T: ?Sized> {
    m: std::marker::PhantomData<M>,
    t: T,
}

/// Without functions, so that vtables of types of one size are equal.
trait Mark {}
struct First(u32);
struct Second(u32);
struct Third(u64);
impl Mark for First {}
impl Mark for Second {}
impl Mark for Third {}

fn triple(x: u8) -> u8 {
    x * 3
}
fn widened<T: Into<u64>>(x: T) -> u64 {
    x.into() + 1
}
fn equal(x: u8) -> u8 {
    x.wrapping_mul(7) ^ 9
}
fn alike(x: u8) -> u8 {
    x.wrapping_mul(7) ^ 9
}
// One function by two names.
std::arch::global_asm!(
    ".type one_name, @function",
    ".type other_name, @function",
    ".globl one_name, other_name",
    "one_name:",
    "other_name:",
    "ret"
);
unsafe extern "C" {
    fn one_name();
}
extern "C" fn in_c(x: u8) -> u8 {
    x + 2
}

#[derive(Clone, Copy)]
union Numbers {
    int: u32,
    float: f32,
    bytes: [u8; 4],
}
#[derive(Clone, Copy)]
union Part {
    small: u8,
    large: u32,
}
#[derive(Clone, Copy)]
union Flag {
    byte: u8,
    flag: bool,
}

macro_rules! show {
    ($($name:ident),* $(,)?) => {
        $( println!("{}\t{:#x}\t{:?}", stringify!($name), std::ptr::addr_of!($name) as usize, $name); )*
    };
}
macro_rules! place {
    ($($name:ident),* $(,)?) => {
        $( println!("{}\t{:#x}\t-", stringify!($name), std::ptr::addr_of!($name) as usize); )*
    };
}

fn main() {
    let (circle, mut named) = (Circle { r: 2 }, Named("n".to_string(), 3));
    let z_reference: &dyn Shape = black_box(&circle);
    let z_exclusive: &mut dyn Shape = black_box(&mut named);
    let z_box: Box<dyn Shape> = black_box(Box::new(Nothing));
    let z_vec: Vec<Box<dyn Shape>> = black_box(vec![Box::new(Circle { r: 1 }), Box::new(Wide(5)), Box::new(Scaled(6_u32))]);
    let z_rc: Rc<dyn Shape> = black_box(Rc::new(Scaled(7_u16)));
    let z_rc_wide: Rc<dyn Shape> = black_box(Rc::new(Wide(8)));
    let z_arc: Arc<dyn Shape + Send + Sync> = black_box(Arc::new(Circle { r: 9 }));
    let z_cell: Rc<RefCell<dyn Shape>> = black_box(Rc::new(RefCell::new(Wide(4))));
    let z_mutex: Arc<Mutex<dyn Shape + Send>> = black_box(Arc::new(Mutex::new(Circle { r: 3 })));
    let z_box_cell: Box<RefCell<dyn Shape>> = black_box(Box::new(RefCell::new(Scaled(1_u8))));
    let z_pin: Pin<Box<dyn Shape>> = black_box(Box::pin(Circle { r: 11 }));
    let z_error: Box<dyn Error + Send + Sync> = black_box("why".into());
    let z_nested: Box<dyn Debug> = black_box(Box::new(vec![Some(Box::new(Circle { r: 12 }) as Box<dyn Shape>), None]));
    show!(
        z_reference, z_exclusive, z_box, z_vec, z_rc, z_rc_wide, z_arc, z_cell, z_mutex, z_box_cell, z_error, z_nested,
    );
    let z_first: &dyn Mark = black_box(&First(1));
    let z_second: &dyn Mark = black_box(&Second(2));
    let z_third: &dyn Mark = black_box(&Third(3));
    let z_tailed: &Tailed<dyn Mark, dyn Shape> =
        black_box(&Tailed::<dyn Mark, Circle> { m: std::marker::PhantomData, t: Circle { r: 21 } });
    let z_two_alike: &Tailed<dyn Shape, dyn Shape> =
        black_box(&Tailed::<dyn Shape, Circle> { m: std::marker::PhantomData, t: Circle { r: 22 } });
    let z_raw: *const dyn Shape = &circle;
    let z_triple: fn(u8) -> u8 = black_box(triple);
    let z_widened: fn(u32) -> u64 = black_box(widened::<u32>);
    let z_in_c: extern "C" fn(u8) -> u8 = black_box(in_c);
    let z_of_trait: fn(&Circle) -> u64 = black_box(<Circle as Shape>::area);
    let z_equal: fn(u8) -> u8 = black_box(equal);
    let z_alike: fn(u8) -> u8 = black_box(alike);
    let z_shared: unsafe extern "C" fn() = black_box(one_name);
    let z_numbers = black_box(Numbers { float: 1.5 });
    let z_part = black_box(Part { large: 5 });
    let z_flag = black_box(Flag { byte: 1 });
    let z_uninit = black_box(std::mem::MaybeUninit::new([7_u16, 8]));
    let z_uninit_bool = black_box(std::mem::MaybeUninit::new(true));
    place!(
        z_pin, z_first, z_second, z_third, z_tailed, z_two_alike, z_raw, z_triple, z_widened, z_in_c, z_of_trait, z_equal, z_alike, z_shared,
        z_numbers, z_part, z_flag, z_uninit, z_uninit_bool,
    );
    println!("end\t0x0\t-");
    let _ = std::io::stdin().read(&mut [0]);
    black_box((z_two_alike.t.area(), z_tailed.t.area(), z_equal(1), z_alike(1), z_triple(1), z_widened(1), z_in_c(1), z_of_trait(&circle), &z_numbers, &z_part, &z_flag, &z_uninit, &z_uninit_bool));
    black_box((z_vec[0].area(), z_pin.area(), z_box.area(), z_rc.area(), z_arc.area(), z_rc_wide.area()));
}
