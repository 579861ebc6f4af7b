//! References that lead to one thing lead to one thing in the test, too: a cell that is borrowed twice, an element that is
//! found by where it lies.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "fixture/project.rs"]
mod project;

const LIB: &str = r#"use std::cell::RefCell;
use std::rc::{Rc, Weak};
#[derive(Debug)]
pub struct Account { pub owner: String, pub cents: i64 }
pub fn transfer(from: &RefCell<Account>, to: &RefCell<Account>, cents: i64) {
    let (mut from, mut to) = (from.borrow_mut(), to.borrow_mut());
    from.cents -= cents;
    to.cents += cents;
}
pub struct View<'a> { pub account: &'a RefCell<Account>, pub width: usize }
pub fn show(view: &View<'_>, account: &RefCell<Account>) -> usize {
    let _held = account.borrow_mut();
    view.account.borrow().owner.len() / view.width
}
pub trait Handler { fn handle(&self, event: &str); }
#[derive(Default)]
pub struct Bus { handlers: RefCell<Vec<Rc<dyn Handler>>> }
pub struct Spawner { pub bus: Weak<Bus> }
impl Handler for Spawner {
    fn handle(&self, event: &str) {
        if event == "fire" { return self.bus.upgrade().unwrap().handlers.borrow_mut().clear(); }
        if let Some(bus) = self.bus.upgrade() { bus.subscribe(Rc::new(Spawner { bus: Weak::new() })); }
    }
}
impl Bus {
    pub fn subscribe(&self, handler: Rc<dyn Handler>) { self.handlers.borrow_mut().push(handler); }
    pub fn emit(&self, event: &str) { for handler in self.handlers.borrow().iter() { handler.handle(event); } }
}
pub trait Fire { fn fire(&self, event: &str); }
impl Fire for Bus {
    fn fire(&self, event: &str) { let held = self.handlers.borrow(); held[0].handle(event); }
}
pub struct Names { table: Rc<RefCell<Vec<String>>> }
impl Names {
    pub fn new(table: &Rc<RefCell<Vec<String>>>) -> Names { Names { table: Rc::clone(table) } }
}
pub fn import(names: &Names, from: &RefCell<Vec<String>>) {
    for name in from.borrow().iter() { names.table.borrow_mut().push(name.clone()); }
}
#[derive(Debug)]
pub struct Node { pub name: String, pub cost: u8 }
pub fn after<'n>(nodes: &'n [Node], node: &Node) -> &'n Node {
    let at = nodes.iter().position(|n| std::ptr::eq(n, node)).expect("a node of the list");
    &nodes[at + 1]
}
pub fn cheaper(one: &Node, other: &Node) -> u8 { one.cost - other.cost - 1 }
"#;

const MAIN: &str = r#"use demo::*;
use std::cell::RefCell;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::rc::Rc;
fn crash<R>(call: impl FnOnce() -> R) { drop(catch_unwind(AssertUnwindSafe(|| drop(call())))) }
fn main() {
    let account = RefCell::new(Account { owner: "ann".into(), cents: 500 });
    crash(|| transfer(&account, &account, 1));
    crash(|| show(&View { account: &account, width: 2 }, &account));
    let bus = Rc::new(Bus::default());
    bus.subscribe(Rc::new(Spawner { bus: Rc::downgrade(&bus) }));
    crash(|| bus.emit("boot"));
    crash(|| bus.fire("fire"));
    let table = Rc::new(RefCell::new(vec![String::from("x")]));
    crash(|| import(&Names::new(&table), &table));
    let nodes: Vec<Node> = ["a", "b"].iter().map(|n| Node { name: n.to_string(), cost: 3 }).collect();
    crash(|| after(&nodes, &nodes[1]).cost);
    crash(|| cheaper(&nodes[0], &nodes[0]));
}
"#;

#[test]
fn what_references_lead_to_together_is_written_once() {
    let project = project::Project::package(&[("src/lib.rs", LIB), ("src/main.rs", MAIN)]);
    project.command(&["run", "--", "cargo", "run", "-q"]).output().unwrap();
    let accounts = project.generate_all();
    let transfer = accounts.test_of("demo::transfer");
    assert!(transfer.contains("transfer(&from, &from, cents)"), "{transfer}");
    assert_eq!(transfer.matches("RefCell::new").count(), 1, "{transfer}");
    // The one that lies within an argument has a variable, which the next argument takes.
    let show = accounts.test_of("demo::show");
    assert!(show.contains("show(&view, &account)"), "{show}");
    assert_eq!(show.matches("RefCell::new").count(), 1, "{show}");
    let emit = accounts.test_of("demo::Bus::emit");
    assert!(emit.contains("let bus = Rc::new") && emit.contains("bus.emit(event)"), "{emit}");
    let fire = accounts.test_of("<demo::Bus as demo::Fire>::fire");
    assert!(fire.contains("fire(&*bus, event)"), "{fire}");
    let import = accounts.test_of("demo::import");
    assert!(import.contains("let from = Rc::clone(&table);"), "{import}");
    assert!(import.contains("import(&names, &from)"), "{import}");
    let after = accounts.test_of("demo::after");
    assert!(after.contains("after(nodes, &nodes[1])"), "{after}");
    // Plain data whose place tells nothing reads as before.
    let cheaper = accounts.test_of("demo::cheaper");
    assert!(cheaper.contains("cheaper(&one, &other)"), "{cheaper}");
    assert_eq!(project.left(), Vec::<std::path::PathBuf>::new());
}
