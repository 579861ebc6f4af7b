//! A program that holds one value of every kind, says where each lies and how `Debug` prints it, and waits.
#![allow(dead_code, clippy::all)]

use std::borrow::Cow;
use std::cell::{Cell, OnceCell, RefCell, UnsafeCell};
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap, HashSet, VecDeque};
use std::ffi::{CStr, CString, OsStr, OsString};
use std::io::Read;
use std::marker::PhantomData;
use std::num::{NonZeroI64, NonZeroU128, NonZeroU32, NonZeroU8, Wrapping};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::{Arc, Mutex, RwLock};
use std::time::Duration;

mod inner {
    pub mod deep {
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct Point {
            pub y: i16,
            pub x: i32,
        }
    }
}
use inner::deep::Point;

#[derive(Debug)]
struct Unit;
#[derive(Debug, Clone)]
struct Pair(u8, String);
#[derive(Debug)]
struct Generic<T, const N: usize> {
    items: [T; N],
    text: &'static str,
    unit: Unit,
    ghost: PhantomData<T>,
}
#[derive(Debug)]
enum Shape {
    Circle { r: f64 },
    Square(u32),
    Nothing,
}
#[derive(Debug)]
enum Only {
    One(u8),
}
#[derive(Debug)]
enum OnlyUnit {
    One,
}
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Plain {
    A = 1,
    B = -5,
    C,
}
#[derive(Debug)]
#[repr(i64)]
enum Wide {
    Low = i64::MIN,
    Minus = -1,
    High = i64::MAX,
}
#[derive(Debug)]
#[repr(u128)]
enum Wider {
    Low = 1,
    High = u128::MAX,
}
#[derive(Debug)]
#[repr(i8)]
enum Tagged {
    A(u8) = -3,
    B { x: u64 } = 9,
    C,
}
#[derive(Debug)]
#[repr(C)]
enum AsC {
    A(u32),
    B,
}
#[derive(Debug)]
enum Empty {}
#[derive(Debug)]
enum Niche {
    Full(Option<String>),
    B,
    C,
    D,
}
#[derive(Debug)]
enum NicheInMiddle {
    Borrowed(&'static str),
    Small([u8; 3]),
}
#[derive(Debug)]
enum Big {
    Full(u128),
    Empty,
}
#[derive(Debug)]
enum WideNiche {
    Full(NonZeroU128),
    Empty,
}
#[derive(Debug)]
struct List {
    value: u32,
    next: Option<Box<List>>,
}
#[derive(Debug)]
enum Json {
    Null,
    Bool(bool),
    Number(f64),
    Text(String),
    Array(Vec<Json>),
    Object(BTreeMap<String, Json>),
}
#[derive(Debug)]
struct Unsized {
    first: u8,
    tail: [u16],
}
#[repr(transparent)]
#[derive(Debug)]
struct MyPath(Path);
struct WithFn<F> {
    a: u8,
    f: F,
    b: u8,
}
struct Marked<F> {
    ghost: PhantomData<u8>,
    f: F,
    unit: Unit,
}
trait Speak {
    fn speak(&self) -> u8;
}
impl Speak for u8 {
    fn speak(&self) -> u8 {
        *self
    }
}
union Either {
    a: u32,
    b: f32,
}
#[derive(Debug)]
struct Ring {
    id: u8,
    next: RefCell<Option<Rc<Ring>>>,
}
fn triple(x: u8) -> u8 {
    x * 3
}
async fn later(number: u32, text: String) -> usize {
    text.len() + number as usize
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

#[inline(never)]
fn plain() {
    let z_i8 = -7_i8;
    let z_u16 = 65_535_u16;
    let z_i32 = i32::MIN;
    let z_u64 = u64::MAX;
    let z_i128 = i128::MIN + 1;
    let z_u128 = u128::MAX - 1;
    let z_isize = -1_isize;
    let z_f32 = 1.5_f32;
    let z_f64 = -0.1_f64;
    let z_nan = f64::NAN;
    let z_true = true;
    let z_char = '\u{1f980}';
    let z_unit = ();
    let z_tuple = (1_u8, "two", 3.0_f32, ());
    let z_one = (9_u8,);
    let z_array = [1_u32, 2, 3];
    let z_nested = [[1_u8, 2], [3, 4], [5, 6]];
    let z_none_of_them: [String; 0] = [];
    let z_points = [Point { x: 1, y: 2 }, Point { x: -1, y: -2 }];
    let z_str = "a\u{301}\n\"";
    let z_empty_str = "";
    let z_slice: &[i16] = &[1, -2, 3];
    let z_bytes: &[u8] = b"\x00PNG";
    let z_mut: &mut [Point] = &mut [Point { x: 5, y: 6 }];
    let z_slices: &[&[&str]] = &[&["a", "b"], &[]];
    let z_unit_struct = Unit;
    let z_pair = Pair(200, "pair".to_string());
    let z_generic = Generic::<u16, 3> { items: [7, 8, 9], text: "g", unit: Unit, ghost: PhantomData };
    let z_circle = Shape::Circle { r: 2.5 };
    let z_square = Shape::Square(4);
    let z_nothing = Shape::Nothing;
    let z_only = Only::One(3);
    let z_only_unit = OnlyUnit::One;
    let z_plain = [Plain::A, Plain::B, Plain::C];
    let z_wide = [Wide::Low, Wide::Minus, Wide::High];
    let z_wider = [Wider::Low, Wider::High];
    let z_tagged = [Tagged::A(1), Tagged::B { x: 2 }, Tagged::C];
    let z_as_c = [AsC::A(1), AsC::B];
    let z_never: Option<Empty> = None;
    let z_infallible: Result<u8, std::convert::Infallible> = Ok(3);
    let z_niche = [Niche::Full(Some("n".into())), Niche::Full(None), Niche::B, Niche::C, Niche::D];
    let z_niche_middle = [NicheInMiddle::Borrowed("b"), NicheInMiddle::Small([1, 2, 3])];
    let z_big = [Big::Full(1 << 100), Big::Empty];
    let z_wide_niche = [WideNiche::Full(NonZeroU128::MAX), WideNiche::Empty];
    let z_options = [Some(Some(true)), Some(Some(false)), Some(None), None];
    let z_option_str = [Some("x"), None];
    let z_option_box = [Some(Box::new(1_u8)), None];
    let z_result: [Result<u8, String>; 2] = [Ok(1), Err("no".into())];
    let z_ordering = [None, Some(std::cmp::Ordering::Less), Some(std::cmp::Ordering::Greater)];
    let z_cows: [Cow<'static, str>; 2] = [Cow::Borrowed("b"), Cow::Owned("o".into())];
    let z_cow_bytes: [Cow<'static, [u8]>; 2] = [Cow::Borrowed(b"b"), Cow::Owned(vec![1])];
    let z_range = 3_usize..7;
    let z_range_inclusive = 1_u8..=9;
    let z_range_from = 4_u32..;
    let z_duration = Duration::new(5, 123_456_789);
    let z_durations = [Some(Duration::from_millis(3)), None];
    let z_nonzero = NonZeroU32::new(77).unwrap();
    let z_nonzeros = [NonZeroU8::new(1), None];
    let z_nonzero_negative = NonZeroI64::new(-5).unwrap();
    let z_wrapping = Wrapping(5_u8);
    show!(
        z_i8, z_u16, z_i32, z_u64, z_i128, z_u128, z_isize, z_f32, z_f64, z_nan, z_true, z_char, z_unit,
        z_tuple, z_one, z_array, z_nested, z_none_of_them, z_points, z_str, z_empty_str, z_slice, z_bytes,
        z_mut, z_slices, z_unit_struct, z_pair, z_generic, z_circle, z_square, z_nothing, z_only, z_only_unit,
        z_plain, z_wide, z_wider, z_tagged, z_as_c, z_never, z_infallible, z_niche, z_niche_middle, z_big,
        z_wide_niche, z_options, z_option_str, z_option_box, z_result, z_ordering, z_cows, z_cow_bytes,
        z_range, z_range_inclusive, z_range_from, z_duration, z_durations, z_nonzero, z_nonzeros,
        z_nonzero_negative, z_wrapping,
    );
    std::hint::black_box((&z_pair, &z_niche, &z_cows));
    owned();
}

#[inline(never)]
fn owned() {
    let z_string = String::from("grüße");
    let z_empty_string = String::new();
    let z_vec: Vec<u32> = (0..1000).collect();
    let z_empty_vec: Vec<Point> = Vec::new();
    let z_vec_bytes = vec![0_u8, 255, 3];
    let z_vec_units = vec![(), (), ()];
    let z_vecs = vec![vec!["a".to_string()], vec![], vec!["b".to_string(), "c".to_string()]];
    let z_deque: VecDeque<u16> = {
        let mut deque = VecDeque::with_capacity(8);
        deque.extend([1, 2, 3, 4, 5, 6]);
        deque.drain(..4);
        deque.extend([7, 8, 9, 10, 11]);
        deque
    };
    let z_deque_bytes: VecDeque<u8> = {
        let mut deque = VecDeque::with_capacity(8);
        deque.extend([0, 0, 0, 1, 2, 3]);
        deque.drain(..4);
        deque.extend([4, 5, 6, 7]);
        deque
    };
    let z_empty_deque: VecDeque<String> = VecDeque::new();
    let z_map: HashMap<String, u32> = (0..50).map(|n| (format!("key {n}"), n * n)).collect();
    let z_empty_map: HashMap<u8, u8> = HashMap::new();
    let z_drained_map: HashMap<u8, u8> = {
        let mut map: HashMap<u8, u8> = (0..100).map(|n| (n, n)).collect();
        map.retain(|k, _| *k < 3);
        map
    };
    let z_set: HashSet<u64> = (0..10).collect();
    let z_tree: BTreeMap<u8, String> = (0..200).map(|n| (n, n.to_string())).collect();
    let z_big_tree: BTreeMap<u32, u32> = (0..3000).rev().map(|n| (n, n * 2)).collect();
    let z_small_tree: BTreeMap<Point, ()> = [(Point { x: 1, y: 2 }, ())].into();
    let z_empty_tree: BTreeMap<u8, u8> = BTreeMap::new();
    let z_tree_set: BTreeSet<i64> = [3, -1, 2].into();
    let z_box = Box::new(Pair(1, "boxed".into()));
    let z_box_slice: Box<[u32]> = vec![1, 2].into();
    let z_box_str: Box<str> = "boxed".into();
    let z_box_unit = Box::new(());
    let z_rc = Rc::new(Pair(2, "counted".into()));
    let z_rc_str: Rc<str> = "counted".into();
    let z_rc_slice: Rc<[u64]> = vec![5, 6].into();
    let z_rc_path: Rc<Path> = Path::new("a/b").into();
    let z_arc = Arc::new(RefCell::new(5_i32));
    let z_arc_bytes: Arc<[u8]> = vec![1, 2, 3].into();
    let z_arc_mutex = Arc::new(Mutex::new(vec![Point { x: 1, y: 1 }]));
    let z_path: &Path = Path::new("/tmp/ä");
    let z_path_buf = PathBuf::from("x.rs");
    let z_os: &OsStr = OsStr::new("os");
    let z_os_string = OsString::from("oss");
    let z_box_path: Box<Path> = Path::new("boxed").into();
    let z_cell = Cell::new(5_u8);
    let z_refcell = RefCell::new("cell".to_string());
    let z_borrowed = RefCell::new(1_u8);
    let _guard = z_borrowed.borrow();
    let z_once: OnceCell<u8> = OnceCell::from(3);
    let z_mutex = Mutex::new("locked".to_string());
    let z_rwlock = RwLock::new(9_u16);
    let z_list = List { value: 1, next: Some(Box::new(List { value: 2, next: None })) };
    let z_json = Json::Object(
        [
            ("a".to_string(), Json::Array(vec![Json::Null, Json::Bool(true), Json::Number(1.5)])),
            ("b".to_string(), Json::Text("t".into())),
        ]
        .into(),
    );
    show!(
        z_string, z_empty_string, z_vec, z_empty_vec, z_vec_bytes, z_vec_units, z_vecs, z_deque, z_deque_bytes,
        z_empty_deque, z_map, z_empty_map, z_drained_map, z_set, z_tree, z_big_tree, z_small_tree,
        z_empty_tree, z_tree_set, z_box, z_box_slice, z_box_str, z_box_unit, z_rc, z_rc_str, z_rc_slice,
        z_rc_path, z_arc, z_arc_bytes, z_arc_mutex, z_path, z_path_buf, z_os, z_os_string, z_box_path, z_cell,
        z_refcell, z_borrowed, z_once, z_mutex, z_rwlock, z_list, z_json,
    );
    special(&mut 3);
}

#[inline(never)]
fn special(z_exclusive: &mut u8) {
    let q = 5_u8;
    let text = String::from("captured");
    let z_closure = move |x: u8| x + q + text.len() as u8;
    let z_item = WithFn { a: 1, f: triple, b: 2 };
    let z_pointer = WithFn { a: 1, f: triple as fn(u8) -> u8, b: 2 };
    let z_marked = Marked { ghost: PhantomData, f: triple as fn(u8) -> u8, unit: Unit };
    let z_marked_item = Marked { ghost: PhantomData, f: triple, unit: Unit };
    let z_dyn: &dyn Speak = &7_u8;
    let z_box_dyn: Box<dyn Speak> = Box::new(8_u8);
    let z_rc_dyn: Rc<dyn Speak> = Rc::new(8_u8);
    let z_union = Either { a: 1 };
    let z_raw: *const Pair = &Pair(1, "raw".into());
    let z_null: *const u8 = std::ptr::null();
    let z_wild = 0xdead_0000_u64 as *const Pair;
    let z_raw_slice: *const [u8] = &[1_u8, 2][..];
    let backing = [3_u16, 10, 20];
    // SAFETY: `Unsized` is not repr(C), but a u8 and a slice of u16 can only be laid out in this one way here.
    let z_unsized: &Unsized = unsafe { &*(std::ptr::slice_from_raw_parts(backing.as_ptr(), 2) as *const Unsized) };
    // SAFETY: transparent over `Path`.
    let z_my_path: &MyPath = unsafe { &*(Path::new("mine") as *const Path as *const MyPath) };
    let z_c_string = CString::new("c").unwrap();
    let z_c_str: &CStr = z_c_string.as_c_str();
    let z_unsafe_cell = UnsafeCell::new(4_u8);
    let z_heap: BinaryHeap<u8> = [1, 2].into();
    let z_long = "x".repeat(3_000_000);
    let z_many: Vec<(u32, u32)> = (0..20_000).map(|n| (n, n)).collect();
    let z_huge = vec![7_u8; 2 << 20];
    let z_many_keys: HashMap<u32, u32> = (0..20_000).map(|n| (n, n)).collect();
    let z_many_sorted: BTreeMap<u32, u32> = (0..20_000).map(|n| (n, n)).collect();
    let z_chain = (0..1_000_000).fold(None, |next, value| Some(Box::new(List { value, next })));
    let z_ring = Rc::new(Ring { id: 1, next: RefCell::new(None) });
    *z_ring.next.borrow_mut() = Some(Rc::clone(&z_ring));
    let z_poisoned = Arc::new(Mutex::new(1_u8));
    let sent = Arc::clone(&z_poisoned);
    std::panic::set_hook(Box::new(|_| {}));
    let _ = std::thread::spawn(move || {
        let _guard = sent.lock();
        panic!("poison");
    })
    .join();
    let z_mutably = RefCell::new(2_u8);
    let guard = z_mutably.borrow_mut();
    let z_not_utf8 = OsString::from(unsafe { OsString::from_encoded_bytes_unchecked(vec![0x66, 0xff]) });
    let z_future = later(5, "later".to_string());
    let z_in_place: [u8; 70_000] = [1; 70_000];
    let z_big_table = [[Plain::A; 3], [Plain::C; 3]];
    let z_vec_moved = vec![String::from("moved")];
    place!(
        z_exclusive, z_closure, z_item, z_pointer, z_marked, z_marked_item, z_dyn, z_box_dyn, z_rc_dyn, z_union, z_raw, z_null, z_wild,
        z_raw_slice, z_unsized, z_my_path, z_c_string, z_c_str, z_unsafe_cell, z_heap, z_long, z_many, z_huge,
        z_many_keys, z_many_sorted, z_chain, z_ring, z_poisoned, z_mutably, z_not_utf8, z_future, z_in_place,
        z_big_table, z_vec_moved,
    );
    println!("end\t0x0\t-");
    let _ = std::io::stdin().read(&mut [0]);
    std::hint::black_box((z_closure(1), (z_item.f)(1), (z_pointer.f)(1), z_dyn.speak(), z_box_dyn.speak()));
    std::hint::black_box((&z_rc_dyn, unsafe { z_union.a }, &z_raw, &z_long, &z_many, &z_huge, &z_in_place));
    std::mem::forget(z_chain);
    drop((guard, z_future, z_vec_moved));
}

fn main() {
    plain();
}
