//! Values that cannot be written at the test's place, since only their type's module can name their parts: they are
//! written there, as what a function of the type gives. Whether that helps is told by the names at the place. In: a value
//! and why it was refused. Out: the call of that function. Never chooses by itself.

use std::collections::HashMap;

use proc_macro2::{Ident, TokenStream};
use quote::quote;
use relapse_snapshot::{TypeShape, Value};

use super::Unwritable;
use super::writer::{Place, Writer, owners};
use crate::names::{Names, Unnameable};

/// With more owners than this the writer cannot be set back: each would have a variable of its own, which are too many.
const MAX_OWNERS: usize = 1000;

/// How far a writer had come before a value.
pub(super) struct Mark {
    lets: usize,
    side_files: usize,
    shared: HashMap<u64, Option<Ident>>,
    /// What was to be written before or after.
    waiting: [usize; 3],
    suspect: bool,
}

impl Writer<'_> {
    /// How far it has come; none where it could not be set back.
    pub(super) fn mark(&self) -> Option<Mark> {
        (self.scope.shared.len() <= MAX_OWNERS).then(|| Mark {
            lets: self.lets.len(),
            side_files: self.side_files.len(),
            shared: self.scope.shared.clone(),
            waiting: self.graph.waiting(),
            suspect: self.suspect,
        })
    }

    /// A value that was refused here, given by a function of its type.
    pub(super) fn at_home(
        &mut self,
        value: &Value,
        shape: &TypeShape,
        mark: Option<Mark>,
        refused: Unwritable,
    ) -> Result<TokenStream, Unwritable> {
        // What leads back to itself is taken up by who can do without it for now.
        let leads_back = self.graph.state.back.is_some();
        let Some(mark) = mark.filter(|_| !leads_back && !self.is_shared_beyond(value)) else {
            return Err(refused);
        };
        let mut of_home = None;
        let mut suspect = false;
        let mut write = |names: &dyn Names| {
            let written = self.write_with(names, value);
            written
                .map(|(tokens, is_suspect)| {
                    suspect = is_suspect;
                    tokens
                })
                .map_err(|reason| {
                    let unnameable = Unnameable(reason.reason.clone());
                    of_home = Some(reason);
                    unnameable
                })
        };
        let given = self.names.given_at_home(&shape.name, &mut write);
        match (given, of_home) {
            (Some(Ok(call)), _) => {
                self.lets.truncate(mark.lets);
                self.side_files.truncate(mark.side_files);
                self.scope.shared = mark.shared;
                self.graph.forget(mark.waiting);
                self.suspect = mark.suspect || suspect;
                Ok(call)
            }
            // Where more can be named, the reason is nearer to the truth.
            (_, Some(reason)) => Err(reason),
            _ => Err(refused),
        }
    }

    /// The value as the last expression of a function's body, with the names at another place.
    fn write_with(&self, names: &dyn Names, value: &Value) -> Result<(TokenStream, bool), Unwritable> {
        let mut scope = self.scope.empty();
        let path = self.path().to_owned();
        let mut writer = Writer::new(self.types, names, self.stand_ins, &mut scope, value, path);
        let place = Place { extended: false, coerces: true, typed: false, operand: false };
        let tokens = writer.with_parts(|writer| writer.value(value, place))?;
        if !writer.side_files.is_empty() {
            return Err(self.refuse("it is too long for a function that gives it"));
        }
        let (lets, suspect) = (writer.lets, writer.suspect);
        Ok((quote!(#(#lets)* #tokens), suspect))
    }

    /// Whether a part of the value is owned by a part of the argument outside of it, too: it would be two.
    fn is_shared_beyond(&self, value: &Value) -> bool {
        let within = owners(value, self.types);
        within.iter().any(|(address, times)| self.owners.get(address).is_some_and(|all| all > times))
    }
}
