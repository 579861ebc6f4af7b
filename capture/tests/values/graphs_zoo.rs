//! A program that holds shared, cyclic and very deep values, says where they lie, and waits.
#![recursion_limit = "1024"]
#![allow(dead_code, clippy::all)]

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::io::Read;
use std::rc::{Rc, Weak};
use std::sync::{Arc, Weak as ArcWeak};

struct Node {
    value: u32,
    next: Option<Box<Node>>,
}

enum List {
    Cons(u32, Box<List>),
    Nil,
}

enum Tree {
    Leaf(u32),
    Fork(Box<Tree>, Box<Tree>),
}

struct Nest {
    id: u32,
    inner: Vec<Nest>,
}

struct Map(BTreeMap<u32, Map>);

struct Family {
    name: &'static str,
    parent: RefCell<Weak<Family>>,
    children: RefCell<Vec<Rc<Family>>>,
}

struct Ring {
    id: u32,
    next: RefCell<Option<Rc<Ring>>>,
}

struct Diamond {
    left: Option<Rc<Diamond>>,
    right: Option<Rc<Diamond>>,
}

/// Values within values, with no place between them at which a part could begin.
type Ten<T> = Cell<Cell<Cell<Cell<Cell<Cell<Cell<Cell<Cell<Cell<T>>>>>>>>>>;
type Hundred = Ten<Ten<Ten<Ten<Ten<Ten<Ten<Ten<Ten<Ten<u8>>>>>>>>>>;

/// Ten boxes within each other.
macro_rules! ten {
    ($value:expr) => {
        Box::new(Box::new(Box::new(Box::new(Box::new(Box::new(Box::new(Box::new(Box::new(Box::new($value))))))))))
    };
}

/// Slices that begin at one address, in another order on each level.
struct Heads<'a> {
    all: &'a [u32],
    head: &'a [u32],
    none: &'a [u32],
    again: &'a [u32],
    text: &'a str,
    prefix: &'a str,
    below: Option<Box<Heads<'a>>>,
}

/// Elements so large that each of them is read by itself.
struct Large<'a> {
    list: &'a Node,
    numbers: &'a [u32],
    below: &'a Deep<'a>,
    filler: [u8; 40_000],
}

/// Deep enough that it goes on in a part.
struct Deep<'a> {
    next: Option<Box<Deep<'a>>>,
    list: Option<&'a Node>,
}

/// What is met in the elements is met again behind them.
struct Behind<'a> {
    items: Vec<Large<'a>>,
    start: usize,
    size: usize,
    list: &'a Node,
    numbers: &'a [u32],
    below: &'a Deep<'a>,
}

/// A slice whose elements hold a shorter one that begins where it does.
struct Inward<'a> {
    id: u32,
    own: Cell<&'a [Inward<'a>]>,
}

fn boxes(len: u32) -> Option<Box<Node>> {
    let mut list = None;
    for value in (0..len).rev() {
        list = Some(Box::new(Node { value, next: list }));
    }
    list
}

fn cons(len: u32) -> List {
    let mut list = List::Nil;
    for value in (0..len).rev() {
        list = List::Cons(value, Box::new(list));
    }
    list
}

fn tree(depth: u32) -> Tree {
    let mut tree = Tree::Leaf(depth);
    for at in 0..depth {
        let leaf = Box::new(Tree::Leaf(at));
        tree = if at % 2 == 0 { Tree::Fork(leaf, Box::new(tree)) } else { Tree::Fork(Box::new(tree), leaf) };
    }
    tree
}

fn ring(len: u32) -> Rc<Ring> {
    let last = Rc::new(Ring { id: len - 1, next: RefCell::new(None) });
    let mut first = last.clone();
    for id in (0..len - 1).rev() {
        first = Rc::new(Ring { id, next: RefCell::new(Some(first)) });
    }
    *last.next.borrow_mut() = Some(first.clone());
    first
}

macro_rules! show {
    ($($name:ident),*) => { $(println!("{}\t{:p}\t-", stringify!($name), &$name);)* };
}

fn main() {
    let z_boxes = boxes(1_000_000);
    let z_cons = cons(1_000_000);
    let z_whole = boxes(2_000);
    let z_tree = tree(3_000);
    let mut z_nest = Nest { id: 0, inner: Vec::new() };
    let mut z_map = Map(BTreeMap::new());
    for id in 1..2_000 {
        z_nest = Nest { id, inner: vec![z_nest, Nest { id: 0, inner: Vec::new() }] };
        z_map = Map(BTreeMap::from([(id, z_map)]));
    }
    let z_parent = Rc::new(Family {
        name: "parent",
        parent: RefCell::new(Weak::new()),
        children: RefCell::new(Vec::new()),
    });
    let z_child = Rc::new(Family {
        name: "child",
        parent: RefCell::new(Rc::downgrade(&z_parent)),
        children: RefCell::new(Vec::new()),
    });
    z_parent.children.borrow_mut().push(z_child.clone());
    let z_self = ring(1);
    let z_ring = ring(3);
    let z_long_ring = ring(500);
    let mut z_diamonds = Rc::new(Diamond { left: None, right: None });
    for _ in 0..40 {
        z_diamonds = Rc::new(Diamond { left: Some(z_diamonds.clone()), right: Some(z_diamonds) });
    }
    let (numbers, letters) = ((0..100).collect::<Vec<u32>>(), "a".repeat(100));
    let mut z_heads = None;
    for _ in 0..60 {
        z_heads = Some(Box::new(Heads {
            all: &numbers,
            head: &numbers[..2],
            none: &numbers[..0],
            again: &numbers,
            text: &letters,
            prefix: &letters[..3],
            below: z_heads,
        }));
    }
    let (first, second): (Hundred, Hundred) = unsafe { std::mem::zeroed() };
    let z_cells = (&first, ten!(ten!(ten!(ten!(ten!(ten!(ten!(second))))))));
    let list = boxes(50).unwrap();
    let mut below = Deep { next: None, list: Some(&list) };
    for _ in 0..40 {
        below = Deep { next: Some(Box::new(below)), list: None };
    }
    let item = || Large { list: &list, numbers: &numbers, below: &below, filler: [1; 40_000] };
    let items = vec![item(), item(), item()];
    let (start, size) = (items.as_ptr() as usize, size_of::<Large>() * items.len());
    let z_behind = Behind { items, start, size, list: &list, numbers: &numbers, below: &below };
    let inward: Vec<_> = (0..3).map(|id| Inward { id, own: Cell::new(&[]) }).collect();
    inward[0].own.set(&inward[..0]);
    inward[1].own.set(&inward[..1]);
    inward[2].own.set(&inward);
    let z_inward = inward.as_slice();
    let z_live = Rc::downgrade(&z_child);
    let z_new = Weak::<Family>::new();
    let z_dead = Rc::downgrade(&Rc::new(7_u8));
    let held = Arc::new(8_u8);
    let z_sync = (Arc::downgrade(&held), ArcWeak::<u8>::new(), Arc::downgrade(&Arc::new(9_u8)));
    show!(z_boxes, z_cons, z_whole, z_tree, z_nest, z_map, z_parent, z_child, z_self, z_ring, z_long_ring);
    show!(z_cells, z_behind, z_heads, z_inward, z_diamonds, z_live, z_new, z_dead, z_sync);
    println!("end\t\t");
    let _ = std::io::stdin().read(&mut [0]);
    // Dropping them would overflow the stack.
    std::process::exit(0);
}
