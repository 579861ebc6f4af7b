//! Values that refer to each other, as far as the zoo has none: what cannot be written, and what is damaged.

#![allow(clippy::unwrap_used, reason = "a test may fail so")]

#[allow(dead_code, reason = "other tests use the rest of it")]
#[path = "expressions_compile/sheet.rs"]
mod sheet;

use relapse_generator::expression::{Literals, Scope, WrittenArgument, argument_with, body, format};
use relapse_snapshot::{Data, Field, Part, StdType, Trust, TypeId, TypeKind, TypeShape, Value, VariantShape};
use sheet::{PublicNames, Sheet};

fn v(ty: TypeId, data: Data) -> Value {
    Value { ty, trust: Trust::AtCrash, data }
}

/// `enum Tree { Leaf(u8), Fork(Box<Tree>, Box<Tree>) }`.
struct Trees {
    sheet: Sheet,
    tree: TypeId,
    boxed: TypeId,
    number: TypeId,
}

impl Trees {
    fn new() -> Trees {
        let mut sheet = Sheet::default();
        let number = sheet.ty("u8", TypeKind::Integer { signed: false, bits: 8 });
        let tree = sheet.ty("subject::Tree", TypeKind::Opaque);
        let kind = TypeKind::Std { std: StdType::Box, params: vec![tree] };
        let boxed = sheet.ty("alloc::boxed::Box<subject::Tree, alloc::alloc::Global>", kind);
        let variant = |name: &str| VariantShape { name: name.to_owned(), fields: Vec::new(), tuple: true };
        let variants = vec![variant("Leaf"), variant("Fork")];
        sheet.types.fill(tree, TypeKind::Enum { variants, params: Vec::new() });
        Trees { sheet, tree, boxed, number }
    }

    fn variant(&self, name: &str, fields: Vec<Value>) -> Value {
        let field = |(index, value): (usize, Value)| Field { name: index.to_string(), value };
        let fields = fields.into_iter().enumerate().map(field).collect();
        v(self.tree, Data::Variant { name: name.to_owned(), fields })
    }

    fn leaf(&self, number: u8) -> Value {
        self.variant("Leaf", vec![v(self.number, Data::Uint(number.into()))])
    }

    fn boxed(&self, address: u64, to: Value) -> Value {
        v(self.boxed, Data::Pointer { address, to: Some(Box::new(to)) })
    }

    fn elsewhere(&self, address: u64) -> Value {
        self.boxed(address, v(self.tree, Data::Elsewhere { address, len: None }))
    }

    fn fork(&self, left: Value, right: Value) -> Value {
        self.variant("Fork", vec![left, right])
    }

    /// Both sides of every node go on, so that it is no list.
    fn graph(&self, parts: u64) -> Value {
        let twig = || self.boxed(1, self.fork(self.boxed(2, self.leaf(1)), self.boxed(3, self.leaf(2))));
        let node = |at: u64| self.fork(twig(), self.elsewhere(at + 1));
        let nodes = (1000..999 + parts).map(|address| Part { address, value: node(address) });
        let end = Part { address: 999 + parts, value: node(1).clone() };
        let mut parts: Vec<Part> = nodes.chain([end]).collect();
        let last = parts.last_mut().unwrap();
        last.value = self.leaf(9);
        v(self.tree, Data::Graph { root: Box::new(node(999)), parts })
    }

    fn write(&self, value: &Value) -> Result<WrittenArgument, String> {
        let mut scope = Scope::new("case");
        argument_with("input", value, &self.sheet.types, &PublicNames, &mut scope, Literals::Inferred)
            .map_err(|refused| refused.to_string())
    }
}

#[test]
fn parts_stand_before_what_they_are_parts_of() {
    let trees = Trees::new();
    let written = trees.write(&trees.graph(900)).unwrap();
    let text = format(&body(&[written], &quote::quote!(takes(input)), false));
    let lines: Vec<&str> = text.lines().filter(|line| line.starts_with("let ")).collect();
    assert_eq!(lines.len(), 900, "{text}");
    assert!(lines.last().unwrap().starts_with("let input = subject::Tree::Fork("), "{text}");
    for (line, number) in lines.iter().zip(1..899) {
        let name = if number == 1 { "tree".to_owned() } else { format!("tree_{number}") };
        assert!(line.starts_with(&format!("let {name} = ")), "{line}");
        assert_eq!(text.matches(&format!("Box::new({name})")).count(), 1, "{name}");
    }
}

#[test]
fn more_parts_than_a_test_should_have_are_refused() {
    let trees = Trees::new();
    assert_eq!(
        trees.write(&trees.graph(20_000)).unwrap_err(),
        "`input`: more than 1000 parts need a variable of their own"
    );
}

#[test]
fn references_that_lead_nowhere_or_in_circles_are_refused() {
    let trees = Trees::new();
    let nowhere = trees.fork(trees.boxed(1, trees.leaf(1)), trees.elsewhere(77));
    assert!(trees.write(&nowhere).unwrap_err().ends_with("refers to a value that was not kept"));
    let ring = |to| Part { address: to - 1, value: trees.fork(trees.elsewhere(to), trees.elsewhere(to)) };
    let mut parts = vec![ring(11), ring(12)];
    parts.push(Part { address: 12, value: trees.fork(trees.elsewhere(10), trees.elsewhere(11)) });
    let root = Box::new(trees.fork(trees.elsewhere(10), trees.elsewhere(12)));
    let circle = v(trees.tree, Data::Graph { root, parts });
    assert!(trees.write(&circle).unwrap_err().contains("cycle"));
    // A box that holds itself, which no program can make.
    let own = v(
        trees.tree,
        Data::Graph {
            root: Box::new(trees.fork(trees.elsewhere(5), trees.boxed(1, trees.leaf(1)))),
            parts: vec![Part {
                address: 5,
                value: trees.fork(trees.elsewhere(5), trees.boxed(1, trees.leaf(1))),
            }],
        },
    );
    assert!(trees.write(&own).unwrap_err().contains("cycle"));
}

/// A list of which only the beginning was read.
#[test]
fn a_list_that_was_cut_off_is_refused() {
    let trees = Trees::new();
    let cut = Value::missing(trees.tree, Trust::Truncated, "more than 100000 values");
    let list = (0..50).fold(cut, |list, at| trees.fork(trees.boxed(1, trees.leaf(at)), trees.boxed(2, list)));
    assert!(trees.write(&list).unwrap_err().contains("more than 100000 values"));
}

/// `struct Own { next: Rc<Own> }` cannot be made; memory can hold it, though.
#[test]
fn a_cycle_without_a_cell_is_refused() {
    let mut s = Sheet::default();
    let own =
        s.types.intern(TypeShape { name: "subject::Own".to_owned(), size: None, kind: TypeKind::Opaque });
    let kind = TypeKind::Std { std: StdType::Rc, params: vec![own] };
    let rc = s.ty("alloc::rc::Rc<subject::Own, alloc::alloc::Global>", kind);
    s.types.fill(own, TypeKind::Struct { fields: Vec::new(), tuple: false, params: Vec::new() });
    let rc = |to| v(rc, Data::Pointer { address: 64, to: Some(Box::new(to)) });
    let next = rc(v(own, Data::Elsewhere { address: 64, len: None }));
    let value = rc(v(own, Data::Struct(vec![Field { name: "next".to_owned(), value: next }])));
    let refused =
        argument_with("input", &value, &s.types, &PublicNames, &mut Scope::new("x"), Literals::Inferred)
            .unwrap_err();
    assert_eq!(refused.to_string(), "`input.next`: leads back to itself by a way that cannot be set");
}

/// `enum List { Nil, Cons(…, Box<List>) }` of nodes that hold these, the first one first.
fn list(s: &mut Sheet, values: Vec<Vec<Value>>) -> Value {
    let list = s.ty("subject::List", TypeKind::Opaque);
    let kind = TypeKind::Std { std: StdType::Box, params: vec![list] };
    let boxed = s.ty("alloc::boxed::Box<subject::List, alloc::alloc::Global>", kind);
    let variant = |name: &str| VariantShape { name: name.to_owned(), fields: Vec::new(), tuple: true };
    let variants = vec![variant("Nil"), variant("Cons")];
    s.types.fill(list, TypeKind::Enum { variants, params: Vec::new() });
    let end = v(list, Data::Variant { name: "Nil".to_owned(), fields: Vec::new() });
    let mut address = 0x100;
    values.into_iter().rev().fold(end, |rest, mut values| {
        address += 0x100;
        values.push(v(boxed, Data::Pointer { address, to: Some(Box::new(rest)) }));
        let field = |(index, value): (usize, Value)| Field { name: index.to_string(), value };
        let fields = values.into_iter().enumerate().map(field).collect();
        v(list, Data::Variant { name: "Cons".to_owned(), fields })
    })
}

fn written(s: &Sheet, value: &Value) -> String {
    let mut scope = Scope::new("case");
    let written = argument_with("input", value, &s.types, &PublicNames, &mut scope, Literals::Inferred);
    format(&body(&[written.unwrap()], &quote::quote!(takes(input)), false))
}

/// The rule of `Ipv4Addr` reads the octets, and that of an atomic its number.
#[test]
fn each_node_of_a_list_has_what_a_rule_reads_within_it() {
    let mut s = Sheet::default();
    let nodes = (1..=9).map(|at| {
        vec![s.ipv4([10, 0, 0, at]), s.atomic("core::sync::atomic::AtomicU8", "u8", u128::from(at) + 40)]
    });
    let nodes = nodes.collect();
    let value = list(&mut s, nodes);
    let text = written(&s, &value);
    for at in 1..=9 {
        assert!(text.contains(&format!("Ipv4Addr::new(10, 0, 0, {at})")), "{text}");
        assert!(text.contains(&format!("AtomicU8::new({})", at + 40)), "{text}");
    }
    assert!(text.contains("for "), "{text}");
}

/// What begins before the statement cannot have what only a step of the loop has.
#[test]
fn nothing_within_a_step_of_a_list_stands_before_its_loop() {
    let mut s = Sheet::default();
    let nodes = (1..=9_u8).map(|at| {
        let number = s.uint("u8", at.into());
        let one = s.structure("subject::One", true, vec![], vec![("0", number)]);
        vec![s.reference(one, true)]
    });
    let nodes = nodes.collect();
    let value = list(&mut s, nodes);
    let text = written(&s, &value);
    for at in 1..=9 {
        assert_eq!(text.matches(&format!("subject::One({at})")).count(), 1, "{text}");
    }
    assert!(!text.contains("for "), "{text}");
}

/// `struct Knot { child: Option<Rc<Knot>>, me: Weak<Knot> }`, twenty of them: to try each in full before it is known to
/// hold itself would be a million of tries.
#[test]
fn values_that_hold_themselves_within_each_other_are_written_in_time() {
    let mut s = Sheet::default();
    let knot = s.ty("subject::Knot", TypeKind::Opaque);
    let owner = |s: &mut Sheet, std, name: &str| {
        let kind = TypeKind::Std { std, params: vec![knot] };
        s.ty(&format!("alloc::rc::{name}<subject::Knot, alloc::alloc::Global>"), kind)
    };
    let (rc, weak) = (owner(&mut s, StdType::Rc, "Rc"), owner(&mut s, StdType::Weak, "Weak"));
    s.types.fill(knot, TypeKind::Struct { fields: Vec::new(), tuple: false, params: Vec::new() });
    let mut child = s.none("alloc::rc::Rc<subject::Knot, alloc::alloc::Global>");
    let mut outermost = None;
    for address in (1..=20).map(|at| at * 0x100) {
        let pointer = |ty, data| v(ty, Data::Pointer { address, to: Some(Box::new(v(knot, data))) });
        let me = pointer(weak, Data::Elsewhere { address, len: None });
        let field = |name: &str, value| Field { name: name.to_owned(), value };
        let value = pointer(rc, Data::Struct(vec![field("child", child), field("me", me)]));
        child = s.some(value.clone());
        outermost = Some(value);
    }
    let text = written(&s, &outermost.unwrap());
    assert_eq!(text.matches("new_cyclic").count(), 20, "{text}");
}

/// `struct Node { parent: RefCell<Weak<Node>>, children: RefCell<Vec<Rc<Node>>> }`: each child waits for its parent, and is
/// not tried again with every other one.
#[test]
fn many_children_that_refer_to_their_parent_are_written() {
    let mut s = Sheet::default();
    let node = s.ty("subject::Node", TypeKind::Opaque);
    let owner = |s: &mut Sheet, std, name: &str| {
        let kind = TypeKind::Std { std, params: vec![node] };
        s.ty(&format!("alloc::rc::{name}<subject::Node, alloc::alloc::Global>"), kind)
    };
    let (rc, weak) = (owner(&mut s, StdType::Rc, "Rc"), owner(&mut s, StdType::Weak, "Weak"));
    s.types.fill(node, TypeKind::Struct { fields: Vec::new(), tuple: false, params: Vec::new() });
    let list = TypeKind::Std { std: StdType::Vec, params: vec![rc] };
    let list = s.ty("alloc::vec::Vec<alloc::rc::Rc<subject::Node>, alloc::alloc::Global>", list);
    let made = |s: &mut Sheet, address: u64, parent: Value, children: Vec<Value>| {
        let len = children.len() as u64;
        let children = v(list, Data::Sequence { items: children, len });
        let cells = [("parent", "a", parent), ("children", "b", children)];
        let fields = cells.map(|(name, of, inner)| {
            let cell = s.cell(StdType::RefCell, &format!("core::cell::RefCell<{of}>"), inner, 0);
            Field { name: name.to_owned(), value: cell }
        });
        let inner = v(node, Data::Struct(fields.into()));
        v(rc, Data::Pointer { address, to: Some(Box::new(inner)) })
    };
    let root = 0x100_0000;
    let children = (1..=900).map(|at| {
        let elsewhere = Box::new(v(node, Data::Elsewhere { address: root, len: None }));
        let parent = v(weak, Data::Pointer { address: root, to: Some(elsewhere) });
        made(&mut s, at * 0x100, parent, Vec::new())
    });
    let children: Vec<Value> = children.collect();
    let parent = v(weak, Data::Pointer { address: u64::MAX, to: None });
    let root = made(&mut s, root, parent, children);
    let text = written(&s, &root);
    assert_eq!(text.matches("Rc::downgrade").count(), 900, "{text}");
}

/// A panic poisoned the lock, and the function held it again at the crash.
#[test]
fn a_poisoned_lock_that_was_held_is_suspect() {
    let mut s = Sheet::default();
    let number = s.uint("u8", 5);
    let free = s.cell(StdType::Mutex, "std::sync::poison::mutex::Mutex", number, 0);
    let trust = |value: &Value| {
        argument_with("input", value, &s.types, &PublicNames, &mut Scope::new("x"), Literals::Inferred)
            .unwrap()
            .trust
    };
    let poisoned = |now: i64| {
        let Data::Cell { inner, .. } = free.data.clone() else { panic!("a cell") };
        v(free.ty, Data::Cell { inner, state: now, poisoned: true })
    };
    assert_ne!(trust(&poisoned(0)), Trust::Suspect);
    assert_eq!(trust(&poisoned(1)), Trust::Suspect);
}
