//! Where a second run is made anyway, a body that is not short is said by the calls that made its values, as a person would: it
//! then also passes where the fix is in what made them.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "fixture/project.rs"]
mod project;

/// `remove` forgets that the last one has moved.
const LIB: &str = r#"use std::rc::Rc;
use std::str::FromStr;
pub trait Body { fn weight(&self) -> u8; }
pub struct Stone(pub u8);
impl Body for Stone { fn weight(&self) -> u8 { self.0 } }
#[derive(Clone, Copy)]
pub struct Id { at: usize, age: u32 }
pub struct World { name: String, bodies: Vec<Rc<dyn Body>>, places: Vec<Option<usize>>, owners: Vec<usize>, ages: Vec<u32>, rules: Rules }
#[derive(Default)]
pub struct Rules { drag: u8, bounce: bool, seed: u64 }
impl FromStr for World {
    type Err = ();
    fn from_str(text: &str) -> Result<World, ()> {
        let (bodies, places, owners, ages) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        if text.is_empty() { Err(()) } else { Ok(World { name: text.to_owned(), bodies, places, owners, ages, rules: Rules::default() }) }
    }
}
impl World {
    pub fn spawn(&mut self, body: Rc<dyn Body>) -> Id {
        let at = self.places.len();
        self.places.push(Some(self.bodies.len()));
        self.ages.push(0);
        self.owners.push(at);
        self.bodies.push(body);
        Id { at, age: 0 }
    }
    pub fn remove(&mut self, id: Id) {
        if let Some(place) = self.places[id.at].take() {
            self.owners.swap_remove(place);
            self.bodies.swap_remove(place);
            self.ages[id.at] += 1;
        }
    }
    pub fn push(&mut self, id: Id, by: u8) -> u8 {
        self.name.push('!');
        let place = self.places[id.at].filter(|_| self.ages[id.at] == id.age).unwrap();
        self.bodies[place].weight() + by - self.rules.drag + u8::from(self.rules.bounce) + self.rules.seed as u8
    }
}
"#;

const MAIN: &str = r#"use demo::*;
use std::rc::Rc;
fn main() {
    let mut world: World = "flat".parse().unwrap();
    let stones: Vec<Id> = (1..4).map(|weight| world.spawn(Rc::new(Stone(weight)))).collect();
    world.remove(stones[0]);
    println!("{}", world.push(stones[2], 5));
}
"#;

#[test]
fn a_body_that_is_not_short_is_said_by_calls_where_they_are_fewer() {
    let project = project::Project::package(&[("src/lib.rs", LIB), ("src/main.rs", MAIN)]);
    project.crash(&["cargo", "run", "-q"]);
    let (account, test, said) = project.generate(&[]);
    assert_eq!(account["status"], "verified", "{account:#}\n{said}");
    let expected = "    let Ok(mut world) = \"flat\".parse::<World>() else {\n        return;\n    };\n    \
                    world.spawn(Rc::new(Stone(1)));\n    world.spawn(Rc::new(Stone(2)));\n    \
                    world.spawn(Rc::new(Stone(3)));\n    world.remove(Id { at: 0, age: 0 });\n    \
                    let id = Id { at: 2, age: 0 };\n    let by = 5;\n    world.push(id, by);\n";
    assert!(test.contains(expected), "{test}");
}
