//! Structs that are mostly their default: `Parser { input: "a", ..Parser::default() }`. Only where `Default` is derived,
//! or plain in its source, so that what it gives is known, and where it saves a reader some lines. Such a test also goes on
//! to build where a fix adds a field.

use proc_macro2::TokenStream;
use quote::quote;
use relapse_snapshot::{Data, Field, TypeKind, Value};

use super::writer::{OPTION, Writer};
use crate::names::Defaults;
use crate::ways::Made;

/// Fewer fields are written out: then the literal says more than it costs.
const WORTH: usize = 5;
/// What is as the source of a written `Default` has it, to the last of so many fields, was hardly set one by one.
const WORTH_WHOLE: usize = 3;
/// Structs within structs are looked into this far.
const MAX_DEPTH: u32 = 4;

/// How a struct is written.
pub(super) enum Mostly {
    /// Every field of it.
    Written,
    /// These fields (by index), the others as the default has them.
    Others(Vec<usize>),
    /// As the default.
    Default,
}

impl Writer<'_> {
    /// How to write a struct with named fields, of a type without generic arguments.
    pub(super) fn mostly_default(&self, path: &str, fields: &[Field]) -> Mostly {
        if let Some(mostly) = self.mostly_written_default(path, fields) {
            return mostly;
        }
        if fields.len() < WORTH {
            return Mostly::Written;
        }
        let others: Vec<usize> =
            (0..fields.len()).filter(|at| !self.is_default(&fields[*at].value, 0)).collect();
        if fields.len() - others.len() < WORTH || !self.names.means_prelude("Default") {
            return Mostly::Written;
        }
        match self.names.defaults(path) {
            Defaults::Fields | Defaults::Whole if others.is_empty() => Mostly::Default,
            Defaults::Fields => Mostly::Others(others),
            Defaults::Whole | Defaults::Unknown => Mostly::Written,
        }
    }

    /// The same by a `Default` that is written out, as far as its source tells what it gives.
    fn mostly_written_default(&self, path: &str, fields: &[Field]) -> Option<Mostly> {
        if fields.len() < WORTH_WHOLE || !self.names.means_prelude("Default") {
            return None;
        }
        let written = self.names.written_default(path)?;
        let Made::Fields(made) = written.makes else { return None };
        let is_made =
            |field: &Field| made.get(&field.name).is_some_and(|made| self.is_made_so(made, &field.value));
        let others: Vec<usize> = (0..fields.len()).filter(|at| !is_made(&fields[*at])).collect();
        if others.is_empty() {
            return Some(Mostly::Default);
        }
        // What `Default` gives there is known to be dropped at once.
        (written.takes_others && fields.len() - others.len() >= WORTH).then_some(Mostly::Others(others))
    }

    /// `..Parser::default()`.
    pub(super) fn rest_of(name: &TokenStream) -> TokenStream {
        quote!(..#name::default())
    }

    /// Whether a value is known to be its type's default.
    pub(super) fn is_default(&self, value: &Value, depth: u32) -> bool {
        let Some(shape) = self.types.get(value.ty) else { return false };
        match (&shape.kind, &value.data) {
            (TypeKind::Bool, Data::Bool(flag)) => !flag,
            (TypeKind::Char, Data::Char(char)) => *char == '\0',
            (TypeKind::Integer { .. }, Data::Int(number)) => *number == 0,
            (TypeKind::Integer { .. }, Data::Uint(number)) => *number == 0,
            (TypeKind::Float { .. }, Data::Float(bits)) => *bits == 0,
            (TypeKind::Std { std, .. }, data) => is_collection(*std) && is_empty(data),
            (TypeKind::Reference { to, mutable: false }, data) => {
                let points_to = self.types.get(*to).map(|to| &to.kind);
                matches!(points_to, Some(TypeKind::Str | TypeKind::Slice(_))) && is_empty(pointee(data))
            }
            (TypeKind::Tuple(_), Data::Tuple(items)) => {
                depth < MAX_DEPTH && items.iter().all(|item| self.is_default(item, depth + 1))
            }
            (TypeKind::Enum { .. }, Data::Variant { name, .. }) => {
                name == "None" && shape.name.split('<').next() == Some(OPTION)
            }
            (TypeKind::Struct { .. }, Data::Struct(_)) if self.has_no_flags(value) => {
                self.names.defaults(&shape.name) != Defaults::Unknown
            }
            (TypeKind::Struct { params, .. }, Data::Struct(fields)) if params.is_empty() => {
                depth < MAX_DEPTH
                    && self.names.defaults(&shape.name) != Defaults::Unknown
                    && fields.iter().all(|field| self.is_default(&field.value, depth + 1))
            }
            _ => false,
        }
    }
}

fn is_collection(std: relapse_snapshot::StdType) -> bool {
    use relapse_snapshot::StdType::{
        BTreeMap, BTreeSet, HashMap, HashSet, LinkedList, PathBuf, String, Vec, VecDeque,
    };
    matches!(std, String | Vec | VecDeque | HashMap | HashSet | BTreeMap | BTreeSet | LinkedList | PathBuf)
}

fn pointee(data: &Data) -> &Data {
    match data {
        Data::Pointer { to: Some(to), .. } => &to.data,
        data => data,
    }
}

fn is_empty(data: &Data) -> bool {
    match data {
        Data::Text { len, .. }
        | Data::Bytes { len, .. }
        | Data::Sequence { len, .. }
        | Data::Map { len, .. } => *len == 0,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use proc_macro2::TokenStream;
    use relapse_snapshot::{StdType, Trust, TypeId, TypeShape, TypeTable, VariantShape};

    use super::*;
    use crate::expression::{Literals, Scope, argument_with};
    use crate::names::{Names, Unnameable, WrittenDefault};

    struct Derived(Defaults);

    impl Names for Derived {
        fn path(&self, definition: &str) -> Result<TokenStream, Unnameable> {
            definition.rsplit("::").next().unwrap().parse().map_err(|_| Unnameable(String::new()))
        }

        fn literal(&self, _: &str) -> Result<(), Unnameable> {
            Ok(())
        }

        fn defaults(&self, definition: &str) -> Defaults {
            if definition == "k::Mode" { Defaults::Unknown } else { self.0 }
        }

        fn type_tokens(&self, full_name: &str) -> Result<TokenStream, Unnameable> {
            full_name.parse().map_err(|_| Unnameable(String::new()))
        }
    }

    fn value(types: &mut TypeTable, name: &str, kind: TypeKind, data: Data) -> Value {
        let ty = types.intern(TypeShape { name: name.to_owned(), size: None, kind });
        Value { ty, trust: Trust::Entry, data }
    }

    /// A struct with two numbers, a text, a list, an option and an enum of its own, the first number being `first`.
    fn nmea(types: &mut TypeTable, first: u128, none: &str) -> Value {
        let number = |types: &mut TypeTable, number| {
            value(types, "u8", TypeKind::Integer { signed: false, bits: 8 }, Data::Uint(number))
        };
        let std = |std| TypeKind::Std { std, params: Vec::<TypeId>::new() };
        let variants = vec![VariantShape { name: "None".to_owned(), fields: Vec::new(), tuple: false }];
        let option = TypeKind::Enum { variants, params: Vec::new() };
        let fields = vec![
            number(types, first),
            number(types, 0),
            value(
                types,
                "alloc::string::String",
                std(StdType::String),
                Data::Text { text: String::new(), len: 0 },
            ),
            value(
                types,
                "alloc::vec::Vec<u8, alloc::alloc::Global>",
                std(StdType::Vec),
                Data::Bytes { bytes: Vec::new(), len: 0 },
            ),
            value(types, none, option, Data::Variant { name: "None".to_owned(), fields: Vec::new() }),
            value(types, "bool", TypeKind::Bool, Data::Bool(false)),
        ];
        let named = fields.into_iter().zip(["a", "b", "text", "list", "mode", "done"]);
        let fields = named.map(|(value, name)| Field { name: name.to_owned(), value }).collect();
        let kind = TypeKind::Struct { fields: Vec::new(), tuple: false, params: Vec::new() };
        value(types, "k::Nmea", kind, Data::Struct(fields))
    }

    fn written(first: u128, none: &str, defaults: Defaults) -> String {
        let mut types = TypeTable::default();
        let value = nmea(&mut types, first, none);
        let mut scope = Scope::new("test");
        let names = Derived(defaults);
        let written = argument_with("nmea", &value, &types, &names, &mut scope, Literals::Inferred).unwrap();
        written.lets.iter().map(ToString::to_string).collect::<String>().replace(' ', "")
    }

    #[test]
    fn what_a_derived_default_gives_is_left_to_it() {
        let option = "core::option::Option<u8>";
        assert_eq!(written(3, option, Defaults::Fields), "letnmea=Nmea{a:3,..Nmea::default()};");
        assert_eq!(written(0, option, Defaults::Fields), "letnmea=Nmea::default();");
        assert_eq!(written(0, option, Defaults::Whole), "letnmea=Nmea::default();");
    }

    /// `struct Node { a, b, c, d, e: u8, parent: RefCell<Weak<Node>>, children: RefCell<Vec<Rc<Node>>> }`.
    #[test]
    fn a_way_back_is_set_though_the_other_fields_are_left_to_the_default() {
        let mut types = TypeTable::default();
        let plain = TypeKind::Struct { fields: Vec::new(), tuple: false, params: Vec::new() };
        let mut ty = |name: &str, kind| types.intern(TypeShape { name: name.to_owned(), size: None, kind });
        let number = ty("u8", TypeKind::Integer { signed: false, bits: 8 });
        let node = ty("k::Node", plain);
        let mut of = |name: &str, std, of: TypeId| ty(name, TypeKind::Std { std, params: vec![of] });
        let rc = of("alloc::rc::Rc<k::Node>", StdType::Rc, node);
        let weak = of("alloc::rc::Weak<k::Node>", StdType::Weak, node);
        let list = of("alloc::vec::Vec<alloc::rc::Rc<k::Node>>", StdType::Vec, rc);
        let parent = of("core::cell::RefCell<alloc::rc::Weak<k::Node>>", StdType::RefCell, weak);
        let children =
            of("core::cell::RefCell<alloc::vec::Vec<alloc::rc::Rc<k::Node>>>", StdType::RefCell, list);
        let v = |ty, data| Value { ty, trust: Trust::Entry, data };
        let cell = |ty, inner| v(ty, Data::Cell { inner: Box::new(inner), state: 0, poisoned: false });
        let pointer = |ty, address, to| v(ty, Data::Pointer { address, to });
        let node = |up: Option<Value>, down: Vec<Value>| {
            let up = pointer(weak, if up.is_some() { 64 } else { u64::MAX }, up.map(Box::new));
            let len = down.len() as u64;
            let down = v(list, Data::Sequence { items: down, len });
            let numbers = ["a", "b", "c", "d", "e"].map(|name| (name, v(number, Data::Uint(0))));
            let others = [("parent", cell(parent, up)), ("children", cell(children, down))];
            let fields = numbers.into_iter().chain(others);
            v(
                node,
                Data::Struct(fields.map(|(name, value)| Field { name: name.to_owned(), value }).collect()),
            )
        };
        let back = v(node(None, Vec::new()).ty, Data::Elsewhere { address: 64, len: None });
        let child = pointer(rc, 128, Some(Box::new(node(Some(back), Vec::new()))));
        let root = pointer(rc, 64, Some(Box::new(node(None, vec![child]))));
        let (mut scope, names) = (Scope::new("test"), Derived(Defaults::Fields));
        let written = argument_with("root", &root, &types, &names, &mut scope, Literals::Inferred).unwrap();
        let text: String = written.lets.iter().map(ToString::to_string).collect();
        assert!(text.contains(".. Node :: default ()"), "{text}");
        assert!(text.contains("downgrade (& root)"), "{text}");
    }

    /// `Default` that is written out, with these numbers in `a` and `b`.
    struct WrittenOut(i128, i128);

    impl Names for WrittenOut {
        fn path(&self, definition: &str) -> Result<TokenStream, Unnameable> {
            Derived(Defaults::Unknown).path(definition)
        }

        fn literal(&self, _: &str) -> Result<(), Unnameable> {
            Ok(())
        }

        fn written_default(&self, _: &str) -> Option<WrittenDefault> {
            let fields = [
                ("a", Made::Number(self.0)),
                ("b", Made::Number(self.1)),
                ("text", Made::Blank),
                ("list", Made::Blank),
                ("mode", Made::Blank),
                ("done", Made::Number(0)),
            ];
            let makes = Made::Fields(fields.map(|(name, made)| (name.to_owned(), made)).into());
            Some(WrittenDefault { makes, takes_others: true })
        }

        fn type_tokens(&self, full_name: &str) -> Result<TokenStream, Unnameable> {
            full_name.parse().map_err(|_| Unnameable(String::new()))
        }
    }

    #[test]
    fn what_a_written_default_gives_is_left_to_it() {
        let written = |a, b| {
            let mut types = TypeTable::default();
            let value = nmea(&mut types, 3, "core::option::Option<u8>");
            let (mut scope, names) = (Scope::new("test"), WrittenOut(a, b));
            let written = argument_with("nmea", &value, &types, &names, &mut scope, Literals::Inferred);
            written.unwrap().lets.iter().map(ToString::to_string).collect::<String>().replace(' ', "")
        };
        assert_eq!(written(3, 0), "letnmea=Nmea::default();");
        assert_eq!(written(4, 0), "letnmea=Nmea{a:3,..Nmea::default()};");
        assert!(written(4, 1).contains("done:false"), "too little is left to it");
    }

    #[test]
    fn what_is_not_known_is_written() {
        let option = "core::option::Option<u8>";
        assert!(written(3, option, Defaults::Unknown).contains("done:false"));
        assert!(written(3, option, Defaults::Whole).contains("done:false"));
        // An enum of the program's own may have another default than its `None`.
        assert!(written(3, "k::Mode", Defaults::Fields).contains("done:false"));
    }
}
