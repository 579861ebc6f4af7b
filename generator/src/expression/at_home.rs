//! Values that cannot be written at the test's place, since only their type's module can name their parts: they are
//! written there, as what a function of the type gives. Whether that helps is told by the names at the place. In: a value
//! and why it was refused. Out: the call of that function. Never chooses by itself.

use std::collections::HashMap;
use std::hash::Hash;

use proc_macro2::TokenStream;
use quote::quote;
use relapse_snapshot::{TypeShape, Value};

use super::Unwritable;
use super::raw_pointer::pointers;
use super::std_rules::channels::ends;
use super::writer::{CallsAtHome, Place, Saved, Writer, owners};
use crate::names::{Names, Unnameable};

/// What an attempt may change has no more entries than this: it is copied for each value that may be given so.
const MAX_ENTRIES: usize = 1000;

impl<'a> Writer<'a> {
    /// The writer before a value; none where there is too much to be set back.
    pub(super) fn mark(&self) -> Option<Saved<'a>> {
        let entries = self.scope.entries() + self.graph.entries() + self.allocations.entries();
        (entries <= MAX_ENTRIES).then(|| self.save())
    }

    /// A value that was refused here, given by a function of its type.
    pub(super) fn at_home(
        &mut self,
        value: &Value,
        shape: &TypeShape,
        mark: Option<Saved<'a>>,
        refused: Unwritable,
    ) -> Result<TokenStream, Unwritable> {
        // What leads back to itself is taken up by who can do without it for now.
        let leads_back = self.graph.state.back.is_some();
        let Some(mark) = mark.filter(|_| !leads_back && !self.is_shared_beyond(value)) else {
            return Err(refused);
        };
        let mut of_home = None;
        let (mut suspect, mut put_off) = (false, false);
        let mut write = |names: &dyn Names| {
            let written = self.write_with(names, value);
            written
                .and_then(|(tokens, is_suspect, by_calls)| {
                    put_off = by_calls && self.calls_at_home != CallsAtHome::Now;
                    suspect = is_suspect;
                    if put_off { Err(self.refuse("calls make it")) } else { Ok(tokens) }
                })
                .map_err(|reason| {
                    let unnameable = Unnameable(reason.reason.clone());
                    of_home = Some(reason);
                    unnameable
                })
        };
        let given = self.names.given_at_home(&shape.name, &mut write);
        if put_off {
            // A test that makes them itself ends where one of them refuses, and is easier to read.
            self.calls_at_home = CallsAtHome::PutOff;
            return Err(refused);
        }
        match (given, of_home) {
            (Some(Ok(call)), _) => {
                self.restore(mark);
                self.suspect |= suspect;
                Ok(call)
            }
            // Where more can be named, the reason is nearer to the truth.
            (_, Some(reason)) => Err(reason),
            _ => Err(refused),
        }
    }

    /// The value as the last expression of a function's body, with the names at another place; whether it is suspect, and
    /// whether calls make it or a part of it.
    fn write_with(&self, names: &dyn Names, value: &Value) -> Result<(TokenStream, bool, bool), Unwritable> {
        let mut scope = self.scope.empty();
        let path = self.path().to_owned();
        let mut writer = Writer::new(self.types, names, self.stand_ins, &mut scope, value, path);
        (writer.made_before, writer.gives_value) = (self.made_before, true);
        let place = Place { extended: false, coerces: true, typed: false, operand: false };
        let tokens = writer.with_parts(|writer| writer.value(value, place))?;
        if !writer.side_files.is_empty() {
            return Err(self.refuse("it is too long for a function that gives it"));
        }
        let (lets, suspect, by_calls) = (writer.lets, writer.suspect, !writer.made_used.is_empty());
        Ok((quote!(#(#lets)* #tokens), suspect, by_calls))
    }

    /// Whether a part of an argument outside of the value has, too, what a part of the value owns or points to: it would
    /// be two.
    fn is_shared_beyond(&self, value: &Value) -> bool {
        let within = owners(value, self.types);
        is_more(&self.owners, &within)
            || is_more(&self.scope.owners, &within)
            || self.scope.has_more_ends(&ends(value, self.types))
            || is_more(&self.pointers, &pointers(value, self.types))
    }
}

/// Whether anything of this occurs elsewhere as well.
fn is_more<K: Eq + Hash>(all: &HashMap<K, u32>, within: &HashMap<K, u32>) -> bool {
    within.iter().any(|(key, times)| all.get(key).is_some_and(|all| all > times))
}

#[cfg(test)]
pub(super) mod tests {
    use relapse_snapshot::{Data, Field, StdType, Trust, TypeId, TypeKind, TypeTable};

    use super::*;
    use crate::expression::{Literals, Scope, argument_with};

    /// Here, the fields of `k::Outer` and `k::Inner` cannot be named.
    struct Here;
    /// Everything has a name here.
    pub(in crate::expression) struct Home;

    impl Names for Home {
        fn path(&self, definition: &str) -> Result<TokenStream, Unnameable> {
            definition.rsplit("::").next().unwrap().parse().map_err(|_| Unnameable(String::new()))
        }

        fn literal(&self, _: &str) -> Result<(), Unnameable> {
            Ok(())
        }

        fn type_tokens(&self, full_name: &str) -> Result<TokenStream, Unnameable> {
            full_name.parse().map_err(|_| Unnameable(String::new()))
        }
    }

    impl Names for Here {
        fn path(&self, definition: &str) -> Result<TokenStream, Unnameable> {
            Home.path(definition)
        }

        fn literal(&self, definition: &str) -> Result<(), Unnameable> {
            if definition == "k::Inner" { Err(Unnameable("private".to_owned())) } else { Ok(()) }
        }

        fn type_tokens(&self, full_name: &str) -> Result<TokenStream, Unnameable> {
            Home.type_tokens(full_name)
        }

        fn given_at_home(
            &self,
            full_name: &str,
            write: &mut dyn FnMut(&dyn Names) -> Result<TokenStream, Unnameable>,
        ) -> Option<Result<TokenStream, Unnameable>> {
            (full_name == "k::Outer").then(|| write(&Home).map(|body| quote!(given({ #body }))))
        }
    }

    struct Case {
        types: TypeTable,
        number: TypeId,
        inner: TypeId,
        outer: TypeId,
        pointer: TypeId,
        rc: TypeId,
    }

    impl Case {
        fn new() -> Case {
            let mut types = TypeTable::default();
            let mut ty =
                |name: &str, kind| types.intern(TypeShape { name: name.to_owned(), size: None, kind });
            let structure = || TypeKind::Struct { fields: Vec::new(), tuple: true, params: Vec::new() };
            let number = ty("u32", TypeKind::Integer { signed: false, bits: 32 });
            let (inner, outer) = (ty("k::Inner", structure()), ty("k::Outer", structure()));
            let pointer = ty("*mut u32", TypeKind::RawPointer { to: number, mutable: true });
            let rc = ty("alloc::rc::Rc<u32>", TypeKind::Std { std: StdType::Rc, params: vec![number] });
            Case { types, number, inner, outer, pointer, rc }
        }

        fn to_number(&self, ty: TypeId, address: u64) -> Value {
            let number = Value { ty: self.number, trust: Trust::Entry, data: Data::Uint(7) };
            Value { ty, trust: Trust::Entry, data: Data::Pointer { address, to: Some(Box::new(number)) } }
        }

        fn tuple(ty: TypeId, values: Vec<Value>) -> Value {
            let field = |(index, value): (usize, Value)| Field { name: index.to_string(), value };
            let fields = values.into_iter().enumerate().map(field).collect();
            Value { ty, trust: Trust::Entry, data: Data::Struct(fields) }
        }

        /// `Outer(held, Inner())`.
        fn outer(&self, held: Value) -> Value {
            Case::tuple(self.outer, vec![held, Case::tuple(self.inner, Vec::new())])
        }

        fn write(&self, value: &Value, scope: &mut Scope) -> Result<String, Unwritable> {
            let written = argument_with("value", value, &self.types, &Here, scope, Literals::Inferred)?;
            Ok(written.lets.iter().map(ToString::to_string).collect())
        }
    }

    #[test]
    fn what_two_arguments_share_is_not_given_to_one_of_them_alone() {
        let case = Case::new();
        let value = case.outer(case.to_number(case.rc, 64));
        let alone = case.write(&value, &mut Scope::new("test")).unwrap();
        assert!(alone.contains("given"), "{alone}");
        let other = case.to_number(case.rc, 64);
        let mut scope = Scope::new("test");
        scope.share([&value, &other], &case.types);
        assert!(case.write(&value, &mut scope).unwrap_err().reason.contains("private"));
    }

    #[test]
    fn what_a_pointer_outside_leads_to_as_well_is_not_given_at_home() {
        let case = Case::new();
        let mut types = case.types.clone();
        let pair = TypeKind::Tuple(vec![case.outer, case.pointer]);
        let pair =
            types.intern(TypeShape { name: "(k::Outer, *mut u32)".to_owned(), size: None, kind: pair });
        let items = vec![case.outer(case.to_number(case.pointer, 64)), case.to_number(case.pointer, 64)];
        let value = Value { ty: pair, trust: Trust::Entry, data: Data::Tuple(items) };
        let case = Case { types, ..case };
        let refused = case.write(&value, &mut Scope::new("test")).unwrap_err();
        assert!(refused.reason.contains("private"), "{refused}");
        let alone = case.outer(case.to_number(case.pointer, 64));
        assert!(case.write(&alone, &mut Scope::new("test")).unwrap().contains("given"));
    }
}
