//! Texts that lie within others: `&input[4..]` of an `input`. A parser's error keeps the places of an input as parts of it, and
//! whoever shows it takes the difference of their addresses. Only where a test asks for it: a literal reads better. In: the
//! arguments of a call. Out: what a part is of, with the variable of that.

use std::rc::Rc;

use proc_macro2::{Ident, TokenStream};
use quote::quote;
use relapse_snapshot::{Data, TypeKind, TypeTable, Value};

use super::Unwritable;
use super::scope::Scope;
use super::writer::{Place, Writer};
use crate::hostile::literal;

/// Values that are looked into.
const MOST_VALUES: usize = 100_000;

/// A text, or bytes, that a reference leads to.
#[derive(Debug, Clone)]
struct Whole {
    at: u64,
    value: Value,
}

/// Those of a call that others lie within, and the variables that they have by now.
#[derive(Debug, Clone, Default)]
pub(super) struct Texts {
    wholes: Rc<[Whole]>,
    variables: Vec<Option<Ident>>,
}

impl Texts {
    /// How many there are.
    pub(super) fn entries(&self) -> usize {
        self.variables.len()
    }

    /// Which of them a text at that address is a part of, and from where on.
    fn holding(&self, at: u64, part: &Value) -> Option<(usize, usize)> {
        self.wholes.iter().enumerate().find_map(|(index, whole)| {
            let from = at.checked_sub(whole.at)?;
            is_at(part, &whole.value, from).then_some((index, usize::try_from(from).ok()?))
        })
    }
}

/// Whether texts of these values lie within others.
pub(crate) fn have_parts<'v>(values: impl IntoIterator<Item = &'v Value>, types: &TypeTable) -> bool {
    !wholes(values, types).is_empty()
}

/// The texts that others lie within: of these the widest.
fn wholes<'v>(values: impl IntoIterator<Item = &'v Value>, types: &TypeTable) -> Vec<Whole> {
    let mut open: Vec<&Value> = values.into_iter().collect();
    let (mut found, mut seen) = (Vec::new(), 0);
    while let Some(value) = open.pop() {
        seen += 1;
        if seen > MOST_VALUES {
            return Vec::new();
        }
        if let Data::Pointer { address, to: Some(to) } = &value.data
            && is_shared(value, types)
            && let Some((bytes, is_text)) = content(to)
        {
            found.push((*address, bytes.len() as u64, is_text, &**to));
        }
        open.extend(value.children());
    }
    found.sort_by_key(|(at, len, is_text, _)| (*is_text, *at, u64::MAX - len));
    found.dedup_by_key(|(at, len, is_text, _)| (*is_text, *at, *len));
    let mut wholes: Vec<(u64, u64, bool, &Value, bool)> = Vec::new();
    for (at, len, is_text, value) in found {
        match wholes.last_mut() {
            Some((from, all, text, whole, has_parts))
                if *text == is_text && at.saturating_add(len) <= from.saturating_add(*all) =>
            {
                *has_parts |= is_at(value, whole, at - *from);
            }
            _ => wholes.push((at, len, is_text, value, false)),
        }
    }
    wholes.retain(|(.., has_parts)| *has_parts);
    wholes.into_iter().map(|(at, _, _, value, _)| Whole { at, value: value.clone() }).collect()
}

/// Whether a text is what another one has from there on: another value may have been at that address before.
fn is_at(part: &Value, whole: &Value, from: u64) -> bool {
    let (Some((part, is_text)), Some((all, all_is_text))) = (content(part), content(whole)) else {
        return false;
    };
    let end = usize::try_from(from).ok().and_then(|from| Some((from, from.checked_add(part.len())?)));
    is_text == all_is_text && end.and_then(|(from, end)| all.get(from..end)) == Some(part)
}

/// Whether a value is a `&str` or a `&[u8]`.
fn is_shared(value: &Value, types: &TypeTable) -> bool {
    let kind = |ty| types.get(ty).map(|shape| &shape.kind);
    match kind(value.ty) {
        Some(TypeKind::Reference { to, mutable: false }) => {
            matches!(kind(*to), Some(TypeKind::Str | TypeKind::Slice(_)))
        }
        _ => false,
    }
}

/// The bytes of a text or of bytes that were read whole, and whether they are a text.
fn content(value: &Value) -> Option<(&[u8], bool)> {
    match &value.data {
        Data::Text { text, len } => (text.len() as u64 == *len).then_some((text.as_bytes(), true)),
        Data::Bytes { bytes, len } => (bytes.len() as u64 == *len).then_some((bytes, false)),
        _ => None,
    }
}

impl Scope {
    /// From here on texts of these arguments that lie within others are written as parts of them.
    pub(crate) fn keep_parts<'v>(
        &mut self,
        arguments: impl IntoIterator<Item = &'v Value>,
        types: &TypeTable,
    ) {
        let wholes: Rc<[Whole]> = wholes(arguments, types).into();
        self.texts = Texts { variables: vec![None; wholes.len()], wholes };
    }
}

impl Writer<'_> {
    /// Whether a reference leads to a part of a text that has, or will have, a variable.
    pub(super) fn is_part_of_text(&self, reference: &Value) -> bool {
        match &reference.data {
            Data::Pointer { address, to: Some(to) } => self.scope.texts.holding(*address, to).is_some(),
            _ => false,
        }
    }

    /// A `&str` or `&[u8]` that is a part of another one, or that others are parts of. `None`: it is neither, or the argument
    /// itself, whose variable the parts are of.
    pub(super) fn part_of_text(
        &mut self,
        reference: &Value,
        pointee: &Value,
        place: Place,
    ) -> Result<Option<TokenStream>, Unwritable> {
        let Data::Pointer { address, .. } = &reference.data else { return Ok(None) };
        let Some((index, from)) = self.scope.texts.holding(*address, pointee) else { return Ok(None) };
        let whole = self.scope.texts.wholes[index].value.clone();
        let (len, all) = (length(pointee), length(&whole));
        let known = self.scope.texts.variables.get(index).cloned().flatten();
        let variable = match known {
            Some(variable) => variable,
            None if self.is_own() && len == all && self.own.is_some() => {
                self.scope.texts.variables[index].clone_from(&self.own);
                return Ok(None);
            }
            None => {
                let name = if matches!(whole.data, Data::Text { .. }) { "text" } else { "bytes" };
                let variable = self.hoist_as(name, false, false, |writer, _| match &whole.data {
                    Data::Bytes { bytes, len } => Ok(writer.bytes(bytes, *len, true)?.reference()),
                    _ => writer.text(&whole),
                })?;
                self.scope.texts.variables[index] = Some(variable.clone());
                variable
            }
        };
        let number = |number: usize| literal::integer(number as u128, false, "usize", false);
        let (start, end) = (number(from), number(from + len));
        Ok(Some(match (from > 0, from + len < all) {
            (false, false) if place.coerces || matches!(whole.data, Data::Text { .. }) => quote!(#variable),
            (false, false) => quote!(&#variable[..]),
            (true, false) => quote!(&#variable[#start..]),
            (false, true) => quote!(&#variable[..#end]),
            (true, true) => quote!(&#variable[#start..#end]),
        }))
    }
}

fn length(value: &Value) -> usize {
    content(value).map_or(0, |(bytes, _)| bytes.len())
}

#[cfg(test)]
mod tests {
    use relapse_snapshot::{Trust, TypeId, TypeShape};

    use super::*;
    use crate::expression::at_home::tests::Home;
    use crate::expression::{Literals, argument_with};

    struct Sheet {
        types: TypeTable,
        text: TypeId,
        reference: TypeId,
    }

    impl Sheet {
        fn new() -> Sheet {
            let mut types = TypeTable::default();
            let mut ty =
                |name: &str, kind| types.intern(TypeShape { name: name.to_owned(), size: None, kind });
            let text = ty("str", TypeKind::Str);
            let reference = ty("&str", TypeKind::Reference { to: text, mutable: false });
            Sheet { types, text, reference }
        }

        fn text(&self, address: u64, text: &str) -> Value {
            let data = Data::Text { text: text.to_owned(), len: text.len() as u64 };
            let to = Value { ty: self.text, trust: Trust::Entry, data };
            Value {
                ty: self.reference,
                trust: Trust::Entry,
                data: Data::Pointer { address, to: Some(Box::new(to)) },
            }
        }

        fn list(&mut self, items: Vec<Value>) -> Value {
            let kind = TypeKind::Tuple(items.iter().map(|item| item.ty).collect());
            let ty = self.types.intern(TypeShape { name: "(&str, ..)".to_owned(), size: None, kind });
            Value { ty, trust: Trust::Entry, data: Data::Tuple(items) }
        }

        fn written(&self, arguments: &[(&str, &Value)], parts: bool) -> String {
            let mut scope = Scope::new("test");
            if parts {
                scope.keep_parts(arguments.iter().map(|(_, value)| *value), &self.types);
            }
            let mut write = |name: &str, value: &Value| {
                let written = argument_with(name, value, &self.types, &Home, &mut scope, Literals::Inferred);
                written.unwrap().lets.iter().map(ToString::to_string).collect::<String>()
            };
            let lets: String = arguments.iter().map(|(name, value)| write(name, value)).collect();
            lets.replace(' ', "")
        }
    }

    /// `convert_error(input, e)`: `e` says where in `input` it was.
    #[test]
    fn parts_of_an_argument_are_written_as_such() {
        let mut sheet = Sheet::new();
        let input = sheet.text(100, "size=1");
        let items = vec![
            sheet.text(104, "="),
            sheet.text(100, "size=1"),
            sheet.text(106, ""),
            sheet.text(100, "size"),
            sheet.text(500, "name"),
        ];
        let error = sheet.list(items);
        let arguments = [("input", &input), ("e", &error)];
        let expected = "letinput=\"size=1\";lete=(&input[4..5],input,&input[6..],&input[..4],\"name\");";
        assert_eq!(sheet.written(&arguments, true), expected);
        assert!(sheet.written(&arguments, false).contains("(\"=\",\"size=1\",\"\",\"size\",\"name\")"));
        assert!(have_parts([&input, &error], &sheet.types));
        assert!(!have_parts([&input], &sheet.types));
    }

    /// Where the argument comes later, the text has a variable of its own.
    #[test]
    fn a_text_that_is_no_argument_has_a_variable() {
        let mut sheet = Sheet::new();
        let (one, all) = (sheet.text(101, "b"), sheet.text(100, "abc"));
        let of = sheet.list(vec![one, all]);
        assert_eq!(sheet.written(&[("of", &of)], true), "lettext=\"abc\";letof=(&text[1..2],text);");
    }

    /// What a call was given long before may have been where another text is now.
    #[test]
    fn another_text_at_that_address_is_no_part() {
        let mut sheet = Sheet::new();
        let (other, all) = (sheet.text(101, "x"), sheet.text(100, "abc"));
        let of = sheet.list(vec![other, all]);
        assert_eq!(sheet.written(&[("of", &of)], true), "letof=(\"x\",\"abc\");");
    }
}
