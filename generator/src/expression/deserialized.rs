//! Values of types of other crates whose fields nobody else may write, read from a text by their derived `Deserialize`:
//! `serde_json::from_str(r#"{"id":7}"#).unwrap()`. In: the fields as read. Out: an expression, where the test's
//! package has serde_json; nothing where a part has another form than serde's own, or would not be read as exactly what it
//! was. Never: a type with attributes that change its form.

use std::fmt::Write as _;

use proc_macro2::TokenStream;
use quote::quote;
use relapse_snapshot::{Data, Field, StdType, TypeKind, TypeShape, Value};

use super::type_name::definition;
use super::writer::{OPTION, Writer};
use crate::names::Deserialized;

/// The function that reads a text.
const READS: &str = "serde_json::de::from_str";
/// Longer texts are no help to anyone.
const MAX_TEXT: usize = 4096;
/// Parts within parts; serde_json's own limit is 128.
const MAX_DEPTH: u32 = 32;
/// Digits of a number that any parser reads as exactly that.
const EXACT_DIGITS: usize = 15;
/// And the powers of ten that are exact.
const EXACT_POWER: f64 = 1e15;

impl Writer<'_> {
    /// A struct by its text, a long one in a file beside the test. `typed`: nothing around it says its type.
    pub(super) fn deserialized(
        &mut self,
        shape: &TypeShape,
        path: &str,
        fields: &[Field],
        typed: bool,
    ) -> Option<TokenStream> {
        let reads = self.names.path(READS).ok()?;
        let own = self.names.type_tokens(&shape.name).ok()?;
        let mut text = String::new();
        self.fields_as_text(path, fields, &mut text, MAX_DEPTH)?;
        let text = self.literal_or_file(&text);
        let turbofish = typed.then(|| quote!(::<#own>));
        Some(quote!(#reads #turbofish(#text).unwrap()))
    }

    fn fields_as_text(&self, path: &str, fields: &[Field], out: &mut String, depth: u32) -> Option<()> {
        match (self.names.deserialized(path)?, fields) {
            (Deserialized::Fields, fields) => self.named_as_text(fields, out, depth),
            (Deserialized::Inner, [only]) => self.as_text(&only.value, out, depth),
            (Deserialized::List, fields) => {
                self.list_as_text(fields.iter().map(|field| &field.value), out, depth)
            }
            (Deserialized::Nothing, []) => push(out, "null"),
            _ => None,
        }
    }

    fn as_text(&self, value: &Value, out: &mut String, depth: u32) -> Option<()> {
        let depth = depth.checked_sub(1)?;
        let shape = self.types.get(value.ty)?;
        match (&shape.kind, &value.data) {
            (TypeKind::Bool, Data::Bool(flag)) => push(out, if *flag { "true" } else { "false" }),
            (TypeKind::Char, Data::Char(char)) => quoted(out, char.encode_utf8(&mut [0; 4])),
            (TypeKind::Integer { .. }, Data::Int(number)) => {
                push(out, &i64::try_from(*number).ok()?.to_string())
            }
            (TypeKind::Integer { .. }, Data::Uint(number)) => {
                push(out, &u64::try_from(*number).ok()?.to_string())
            }
            (TypeKind::Float { bits }, Data::Float(float)) => push(out, &exact(*bits, *float)?),
            (TypeKind::Tuple(_), Data::Tuple(items)) if !items.is_empty() => {
                self.list_as_text(items.iter(), out, depth)
            }
            (TypeKind::Std { std: StdType::String, .. }, Data::Text { text, len }) => {
                (text.len() as u64 == *len).then_some(())?;
                quoted(out, text)
            }
            (TypeKind::Std { std: StdType::Box, .. }, Data::Pointer { to: Some(to), .. }) => {
                self.as_text(to, out, depth)
            }
            (kind, Data::Sequence { items, len }) if is_list(kind) => {
                (items.len() as u64 == *len).then_some(())?;
                self.list_as_text(items.iter(), out, depth)
            }
            (kind, Data::Bytes { bytes, len }) if is_list(kind) => {
                (bytes.len() as u64 == *len).then_some(())?;
                let numbers: Vec<String> = bytes.iter().map(u8::to_string).collect();
                push(out, &format!("[{}]", numbers.join(",")))
            }
            (TypeKind::Std { std: StdType::HashMap | StdType::BTreeMap, .. }, Data::Map { entries, len }) => {
                (entries.len() as u64 == *len).then_some(())?;
                self.object(entries, out, depth)
            }
            (TypeKind::Enum { .. }, Data::Variant { name, fields }) => {
                let path = definition(&shape.name)?;
                if path == OPTION {
                    return self.option(fields, out, depth);
                }
                (self.names.deserialized(&path)? == Deserialized::Variants).then_some(())?;
                self.variant_as_text(name, fields, out, depth)
            }
            (TypeKind::Struct { .. }, Data::Struct(fields)) => {
                let path = definition(&shape.name)?;
                if path == "core::marker::PhantomData" {
                    return push(out, "null");
                }
                self.fields_as_text(&path, fields, out, depth)
            }
            _ => None,
        }
    }

    /// What is `None` and what is `Some(None)` would be the same text.
    fn option(&self, fields: &[Field], out: &mut String, depth: u32) -> Option<()> {
        let [some] = fields else { return push(out, "null") };
        let before = out.len();
        self.as_text(&some.value, out, depth)?;
        (out.get(before..) != Some("null")).then_some(())
    }

    fn variant_as_text(&self, name: &str, fields: &[Field], out: &mut String, depth: u32) -> Option<()> {
        if fields.is_empty() {
            return quoted(out, name);
        }
        push(out, "{")?;
        quoted(out, name)?;
        push(out, ":")?;
        match fields {
            [only] if only.name == "0" => self.as_text(&only.value, out, depth)?,
            [first, ..] if first.name == "0" => {
                self.list_as_text(fields.iter().map(|field| &field.value), out, depth)?;
            }
            fields => self.named_as_text(fields, out, depth)?,
        }
        push(out, "}")
    }

    fn named_as_text(&self, fields: &[Field], out: &mut String, depth: u32) -> Option<()> {
        push(out, "{")?;
        for (at, field) in fields.iter().enumerate() {
            push(out, if at == 0 { "" } else { "," })?;
            quoted(out, field.name.strip_prefix("r#").unwrap_or(&field.name))?;
            push(out, ":")?;
            self.as_text(&field.value, out, depth)?;
        }
        push(out, "}")
    }

    fn list_as_text<'v>(
        &self,
        items: impl Iterator<Item = &'v Value>,
        out: &mut String,
        depth: u32,
    ) -> Option<()> {
        push(out, "[")?;
        for (at, item) in items.enumerate() {
            push(out, if at == 0 { "" } else { "," })?;
            self.as_text(item, out, depth)?;
        }
        push(out, "]")
    }

    /// A map whose keys are texts.
    fn object(&self, entries: &[(Value, Value)], out: &mut String, depth: u32) -> Option<()> {
        let mut sorted: Vec<(&str, &Value)> = Vec::with_capacity(entries.len());
        for (key, value) in entries {
            let Data::Text { text, len } = &key.data else { return None };
            let is_own = matches!(
                self.types.get(key.ty).map(|shape| &shape.kind),
                Some(TypeKind::Std { std: StdType::String, .. })
            );
            (is_own && text.len() as u64 == *len).then_some(())?;
            sorted.push((text, value));
        }
        // That of a hash table changes from run to run.
        sorted.sort_by_key(|(key, _)| *key);
        push(out, "{")?;
        for (at, (key, value)) in sorted.into_iter().enumerate() {
            push(out, if at == 0 { "" } else { "," })?;
            quoted(out, key)?;
            push(out, ":")?;
            self.as_text(value, out, depth)?;
        }
        push(out, "}")
    }
}

/// Collections that serde reads from a list.
fn is_list(kind: &TypeKind) -> bool {
    let known = [StdType::Vec, StdType::VecDeque, StdType::LinkedList, StdType::HashSet, StdType::BTreeSet];
    match kind {
        TypeKind::Array { len, .. } => *len <= 32,
        TypeKind::Std { std, .. } => known.contains(std),
        _ => false,
    }
}

/// A number that is read as exactly what it was.
fn exact(bits: u16, float: u64) -> Option<String> {
    let (number, text) = if bits == 32 {
        let number = f32::from_bits(u32::try_from(float).ok()?);
        (f64::from(number), format!("{number:?}"))
    } else {
        let number = f64::from_bits(float);
        (number, format!("{number:?}"))
    };
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    let is_plain = number == 0.0 || (1.0 / EXACT_POWER..EXACT_POWER).contains(&number.abs());
    // Of a negative zero the sign is kept, too.
    (number.is_finite() && is_plain && digits <= EXACT_DIGITS && !text.contains('e')).then_some(text)
}

fn push(out: &mut String, text: &str) -> Option<()> {
    (out.len() + text.len() <= MAX_TEXT).then(|| out.push_str(text))
}

fn quoted(out: &mut String, text: &str) -> Option<()> {
    push(out, "\"")?;
    for char in text.chars() {
        match char {
            '"' | '\\' => {
                push(out, "\\")?;
                push(out, char.encode_utf8(&mut [0; 4]))?;
            }
            char if char < ' ' => {
                let mut escaped = String::new();
                write!(escaped, "\\u{:04x}", u32::from(char)).ok()?;
                push(out, &escaped)?;
            }
            char => push(out, char.encode_utf8(&mut [0; 4]))?,
        }
    }
    push(out, "\"")
}

#[cfg(test)]
mod tests {
    use relapse_snapshot::{Trust, TypeTable};

    use super::*;
    use crate::expression::{Literals, Scope, argument_with};
    use crate::names::{Names, Unnameable};

    /// A place from which no field is seen, of types that derive `Deserialize`.
    struct Outside;

    impl Names for Outside {
        fn path(&self, definition: &str) -> Result<TokenStream, Unnameable> {
            definition.parse().map_err(|_| Unnameable(definition.to_owned()))
        }

        fn literal(&self, definition: &str) -> Result<(), Unnameable> {
            Err(Unnameable(format!("a field of `{definition}` is private")))
        }

        fn deserialized(&self, _: &str) -> Option<Deserialized> {
            Some(Deserialized::Fields)
        }

        fn type_tokens(&self, full_name: &str) -> Result<TokenStream, Unnameable> {
            self.path(full_name)
        }
    }

    #[test]
    fn a_long_text_stands_in_a_file_beside_the_test() {
        let mut types = TypeTable::default();
        let mut value = |name: &str, kind, data| {
            let ty = types.intern(TypeShape { name: name.to_owned(), size: None, kind });
            Value { ty, trust: Trust::Entry, data }
        };
        let mut named = |text: String| {
            let kind = TypeKind::Std { std: StdType::String, params: vec![] };
            let len = text.len() as u64;
            let name = value("alloc::string::String", kind, Data::Text { text, len });
            let kind = TypeKind::Struct { fields: vec![], tuple: false, params: vec![] };
            let fields = vec![Field { name: "name".to_owned(), value: name }];
            value("a::Named", kind, Data::Struct(fields))
        };
        let (short, long) = (named("x".repeat(9)), named("x".repeat(2000)));
        let write = |value: &Value| {
            let mut scope = Scope::new("test");
            argument_with("x", value, &types, &Outside, &mut scope, Literals::Inferred).unwrap()
        };
        let written = write(&short);
        assert!(written.side_files.is_empty());
        assert!(written.lets[0].to_string().contains("xxxxxxxxx"), "{}", written.lets[0]);
        let written = write(&long);
        assert!(written.lets[0].to_string().contains("include_str !"), "{}", written.lets[0]);
        let text = format!("{{\"name\":\"{}\"}}", "x".repeat(2000));
        assert_eq!(written.side_files.first().map(|file| file.bytes.clone()), Some(text.into_bytes()));
    }

    #[test]
    fn only_numbers_that_every_parser_reads_exactly_are_written() {
        let of = |number: f64| exact(64, number.to_bits());
        assert_eq!(of(1.5).as_deref(), Some("1.5"));
        assert_eq!(of(-0.0).as_deref(), Some("-0.0"));
        assert_eq!(exact(32, u64::from(0.1_f32.to_bits())).as_deref(), Some("0.1"));
        for number in [f64::NAN, f64::INFINITY, 0.1 + 0.2, 1e300, 1e-20] {
            assert_eq!(of(number), None, "{number}");
        }
    }

    #[test]
    fn texts_are_escaped_as_the_format_has_it() {
        let mut out = String::new();
        quoted(&mut out, "a\"b\\c\n\u{1}ä").unwrap();
        assert_eq!(out, "\"a\\\"b\\\\c\\u000a\\u0001ä\"");
        assert!(quoted(&mut out, &"x".repeat(MAX_TEXT)).is_none());
    }
}
