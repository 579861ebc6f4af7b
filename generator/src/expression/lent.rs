//! Parts of a value that its methods lend to be written, and that have no methods of the project's: what the program did to
//! `map.get_mut("a")` shows in no call. In: the calls that made the value, and what it held when it was read. Out: what it
//! held in each part that was lent. Never a guess: of several parts that could be it, none is.

use proc_macro2::Ident;
use quote::quote;
use relapse_snapshot::{Data, TypeTable, Value};

use super::Unwritable;
use super::writer::{Place, Writer};
use crate::names::{Lent, MadeCall, Wrapped};

/// Parts that are looked at.
const MOST_PARTS: usize = 4096;

/// The calls that lent a part, by index, with what it held in the end.
pub(super) fn lent_parts<'v>(
    calls: &[MadeCall<'_>],
    whole: &'v Value,
    types: &TypeTable,
) -> Vec<(usize, &'v Value)> {
    let lent = calls.iter().enumerate().filter_map(|(at, call)| {
        let part = lent_part(call, call.lends.as_ref()?, whole, types)?;
        Some((at, part))
    });
    lent.collect()
}

/// The part at the key or the index that the call was given; without one the only part of the type that it lends.
fn lent_part<'v>(call: &MadeCall<'_>, lent: &Lent, whole: &'v Value, types: &TypeTable) -> Option<&'v Value> {
    let is_it = |part: &Value| {
        let name = types.name(part.ty);
        name == lent.type_name || name.rsplit("::").next() == Some(&lent.type_name)
    };
    let key = match call.arguments {
        [] => None,
        [key] => Some(pointee(&key.value)),
        _ => return None,
    };
    let (mut found, mut seen, mut open) = (None, 0_usize, vec![whole.root()]);
    while let Some(value) = open.pop() {
        seen += 1;
        if seen > MOST_PARTS {
            return None;
        }
        let part = match (key, &value.data) {
            (None, _) => Some(value),
            (Some(key), Data::Map { entries, .. }) => {
                entries.iter().find(|(own, _)| is_same(pointee(own), key)).map(|(_, part)| part)
            }
            (Some(key), Data::Sequence { items, .. }) => match key.data {
                Data::Uint(at) => usize::try_from(at).ok().and_then(|at| items.get(at)),
                _ => None,
            },
            _ => None,
        };
        if let Some(part) = part.filter(|part| is_it(part))
            && found.replace(part).is_some()
        {
            return None;
        }
        open.extend(value.children());
    }
    found
}

fn pointee(value: &Value) -> &Value {
    match &value.data {
        Data::Pointer { to: Some(to), .. } => to,
        _ => value,
    }
}

/// Whether two keys are the same, of a `&str` and a `String`, too.
fn is_same(own: &Value, key: &Value) -> bool {
    match (&own.data, &key.data) {
        (Data::Text { text: own, len }, Data::Text { text: key, .. }) => {
            own == key && *len == own.len() as u64
        }
        (Data::Uint(own), Data::Uint(key)) => own == key,
        (Data::Int(own), Data::Int(key)) => own == key,
        (Data::Char(own), Data::Char(key)) => own == key,
        _ => false,
    }
}

impl Writer<'_> {
    /// Puts what a value held in its parts into those that these calls lend.
    pub(super) fn put_lent(
        &mut self,
        variable: &Ident,
        calls: &[MadeCall<'_>],
        lent: &[(usize, &Value)],
        place: Place,
    ) -> Result<(), Unwritable> {
        let mut name = None;
        for (position, (at, part)) in lent.iter().enumerate() {
            // What was lent several times is written once.
            if lent[position + 1..].iter().any(|(_, later)| std::ptr::eq(*later, *part)) {
                continue;
            }
            let call = self.call_on(Some(&quote!(#variable)), &calls[*at], place)?;
            let place = Place { typed: false, coerces: true, operand: false, ..place };
            let written = self.value(part, place)?;
            let lint = self.lint();
            let wrapping = match calls[*at].lends.as_ref().map(|lent| lent.wrapped) {
                Some(Wrapped::Option) => quote!(Some),
                Some(Wrapped::Result) => quote!(Ok),
                _ => {
                    self.lets.push(quote!(#lint *#call = #written;));
                    continue;
                }
            };
            let name = name.get_or_insert_with(|| self.scope.variable("part")).clone();
            self.lets.push(quote!(#lint if let #wrapping(#name) = #call { *#name = #written; }));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proc_macro2::TokenStream;
    use relapse_snapshot::{Argument, Field, Trust, TypeId, TypeKind, TypeShape};

    use super::*;
    use crate::names::ReceivedBy;

    struct Sheet {
        types: TypeTable,
        text: TypeId,
        list: TypeId,
        map: TypeId,
    }

    fn sheet() -> Sheet {
        let mut types = TypeTable::default();
        let mut ty =
            |name: &str| types.intern(TypeShape { name: name.to_owned(), size: None, kind: TypeKind::Str });
        let (text, list, map) = (ty("alloc::string::String"), ty("alloc::vec::Vec<u32>"), ty("demo::Map"));
        Sheet { types, text, list, map }
    }

    fn value(ty: TypeId, data: Data) -> Value {
        Value { ty, trust: Trust::Entry, data }
    }

    impl Sheet {
        fn text(&self, text: &str) -> Value {
            value(self.text, Data::Text { text: text.to_owned(), len: text.len() as u64 })
        }

        fn list(&self, numbers: u64) -> Value {
            value(self.list, Data::Sequence { items: Vec::new(), len: numbers })
        }

        /// `Map { lists: { "a": …, "b": … } }`, `count` times.
        fn whole(&self, count: usize) -> Value {
            let entries = vec![(self.text("a"), self.list(1)), (self.text("b"), self.list(2))];
            let lists = value(self.map, Data::Map { entries, len: 2 });
            let field = |at: usize| Field { name: format!("lists_{at}"), value: lists.clone() };
            value(self.map, Data::Struct((0..count).map(field).collect()))
        }

        /// What a method held in the end that lends a part of that type, given these arguments.
        fn lent(&self, type_name: &str, given: &[Value], whole: &Value) -> Option<u64> {
            let argument = |given: &Value| Argument { name: "at".to_owned(), value: given.clone() };
            let arguments: Vec<Argument> = given.iter().map(argument).collect();
            let call = MadeCall {
                at: 0,
                path: TokenStream::new(),
                method: None,
                turbofish: None,
                receiver: ReceivedBy::Exclusive,
                wrapped: Wrapped::No,
                taken: Vec::new(),
                must_use: false,
                typed: Vec::new(),
                coerces: Vec::new(),
                parses: None,
                arguments: &arguments,
                further: None,
                lends: Some(Lent { wrapped: Wrapped::Option, type_name: type_name.to_owned() }),
            };
            match lent_parts(&[call], whole, &self.types).as_slice() {
                [(0, part)] => match part.data {
                    Data::Sequence { len, .. } => Some(len),
                    _ => None,
                },
                _ => None,
            }
        }
    }

    #[test]
    fn what_lay_at_the_key_is_found_if_it_is_of_the_type_and_the_only_one() {
        let sheet = sheet();
        let (whole, twice) = (sheet.whole(1), sheet.whole(2));
        let list = "alloc::vec::Vec<u32>";
        assert_eq!(sheet.lent(list, &[sheet.text("b")], &whole), Some(2));
        assert_eq!(sheet.lent(list, &[sheet.text("c")], &whole), None);
        assert_eq!(sheet.lent(list, &[sheet.text("b"), sheet.text("a")], &whole), None);
        assert_eq!(sheet.lent("String", &[sheet.text("b")], &whole), None);
        assert_eq!(sheet.lent(list, &[sheet.text("b")], &twice), None);
        assert_eq!(sheet.lent(list, &[], &whole), None);
        assert_eq!(sheet.lent(list, &[], &sheet.list(3)), Some(3));
    }
}
