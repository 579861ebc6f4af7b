//! The names that one test's body has taken: variables and side files. Never hands out a name twice.

use std::collections::{HashMap, HashSet};

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use relapse_snapshot::TypeId;

use super::identities::Things;
use super::moments::Base;
use super::std_rules::channels::Ends;
use super::texts::Texts;
use crate::hostile::{file_name, identifier};

/// The names of one test.
#[derive(Debug, Clone)]
pub struct Scope {
    regression: String,
    variables: HashSet<String>,
    /// The next number to try for a name that is taken.
    numbers: HashMap<String, u32>,
    side_files: HashSet<String>,
    arguments: usize,
    /// What is written is the body of a function beside the test.
    beside: bool,
    /// `Rc`s and `Arc`s that occur more than once, by address; with their variable once it is written.
    pub(super) shared: HashMap<u64, Option<Ident>>,
    /// How many parts of all arguments of the call own each of them, or refer to it by a `Weak`.
    pub(super) owners: HashMap<u64, u32>,
    /// The variables of what closures have borrowed, by address, type, and whether they are references: two of them may share
    /// one.
    pub(super) borrowed: HashMap<(u64, TypeId, bool), Ident>,
    /// Channels of which an end was met, by address.
    pub(super) channels: Ends,
    /// Texts that others lie within.
    pub(super) texts: Texts,
    /// What more than one reference leads to.
    pub(super) things: Things,
    /// The moment of the process's clock that the test calls its own.
    pub(super) moments: Option<Base>,
    /// Of an iterator over a hash table only the entry that comes next is written.
    pub(super) next_alone: bool,
}

impl Scope {
    /// The scope of the test named `regression`, whose side files stand in a folder of that name.
    pub fn new(regression: &str) -> Scope {
        Scope {
            regression: file_name(regression),
            variables: HashSet::new(),
            numbers: HashMap::new(),
            side_files: HashSet::new(),
            arguments: 0,
            beside: false,
            shared: HashMap::new(),
            owners: HashMap::new(),
            borrowed: HashMap::new(),
            channels: Ends::new(),
            texts: Texts::default(),
            things: Things::default(),
            moments: None,
            next_alone: false,
        }
    }

    /// A scope of the same test with nothing taken: of a function beside it.
    pub(super) fn empty(&self) -> Scope {
        Scope { beside: true, next_alone: self.next_alone, ..Scope::new(&self.regression) }
    }

    /// Lets only the entry that comes next be written of an iterator over a hash table.
    pub(crate) fn keep_next_alone(&mut self) {
        self.next_alone = true;
    }

    /// Whether what is written is the body of a function, which drops all but its value as it returns.
    pub(super) fn is_beside(&self) -> bool {
        self.beside
    }

    /// How many entries a copy has.
    pub(super) fn entries(&self) -> usize {
        let names = self.variables.len() + self.numbers.len() + self.side_files.len();
        let met = self.borrowed.len() + self.channels.len() + self.texts.entries() + self.things.entries();
        names + self.shared.len() + self.owners.len() + met
    }

    /// Whether a variable has that name.
    pub fn has(&self, name: &str) -> bool {
        self.variables.contains(name)
    }

    /// A variable for the next argument: its parameter's name, where that can be one.
    pub(super) fn argument(&mut self, name: &str) -> Ident {
        self.arguments += 1;
        let name = name.trim_start_matches('_');
        let wanted =
            if identifier(name).is_some() { name.to_owned() } else { format!("argument_{}", self.arguments) };
        self.variable(&wanted)
    }

    /// A variable of that name, or of a similar one where it is taken.
    pub(super) fn variable(&mut self, wanted: &str) -> Ident {
        let wanted = wanted.strip_prefix("r#").unwrap_or(wanted);
        let mut name = if identifier(wanted).is_some() { wanted.to_owned() } else { "value".to_owned() };
        if !self.variables.insert(name.clone()) {
            let number = self.numbers.entry(name.clone()).or_insert(2);
            name = loop {
                let numbered = format!("{name}_{number}");
                *number += 1;
                if self.variables.insert(numbered.clone()) {
                    break numbered;
                }
            };
        }
        identifier(&name).unwrap_or_else(|| Ident::new("value", Span::call_site()))
    }

    /// A side file's name and its path as seen from the test's own file.
    pub(super) fn side_file(&mut self, stem: &str, extension: &str) -> (String, String) {
        let stem = file_name(stem);
        let mut name = format!("{stem}.{extension}");
        let mut number = 2;
        while !self.side_files.insert(name.clone()) {
            name = format!("{stem}_{number}.{extension}");
            number += 1;
        }
        let path = format!("{}/{name}", self.regression);
        (name, path)
    }
}

/// Whether tokens have that name in them.
pub(crate) fn mentions(tokens: &TokenStream, name: &str) -> bool {
    tokens.clone().into_iter().any(|token| match token {
        TokenTree::Ident(ident) => ident == name,
        TokenTree::Group(group) => mentions(&group.stream(), name),
        TokenTree::Punct(_) | TokenTree::Literal(_) => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_taken_once_and_can_be_written() {
        let mut scope = Scope::new("fill_char_boundary");
        let mut take = |name| scope.argument(name).to_string();
        assert_eq!(take("s"), "s");
        assert_eq!(take("s"), "s_2");
        assert_eq!(take("fill"), "fill");
        assert_eq!(take("type"), "r#type");
        assert_eq!(take("_width"), "width");
        assert_eq!(take("_"), "argument_6");
        assert_eq!(take("a; drop()"), "argument_7");
        assert!(scope.has("fill") && !scope.has("page"));
        assert_eq!(scope.side_file("../page", "txt").1, "fill_char_boundary/page.txt");
        assert_eq!(scope.side_file("page", "txt").0, "page_2.txt");
    }
}
