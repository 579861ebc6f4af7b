//! What belongs to another task, thread or process, as far as the zoo has none: older releases of Rust, and what nobody
//! can tell.

#![allow(clippy::unwrap_used, reason = "a test may fail so")]

#[allow(dead_code, reason = "other tests use the rest of it")]
#[path = "expressions_compile/sheet.rs"]
mod sheet;

use proc_macro2::TokenStream;
use relapse_generator::expression::{Literals, Scope, Unwritable, WrittenArgument, argument_with};
use relapse_generator::names::{Names, Unnameable};
use relapse_snapshot::{Data, Field, FieldShape, StdType, Trust, TypeId, TypeKind, Value, VariantShape};
use sheet::{PublicNames, Sheet};

/// A package that says it builds with that release.
struct Since(u16);

impl Names for Since {
    fn path(&self, definition: &str) -> Result<TokenStream, Unnameable> {
        PublicNames.path(definition)
    }

    fn literal(&self, definition: &str) -> Result<(), Unnameable> {
        PublicNames.literal(definition)
    }

    fn type_tokens(&self, full_name: &str) -> Result<TokenStream, Unnameable> {
        PublicNames.type_tokens(full_name)
    }

    fn oldest_rust(&self) -> Option<u16> {
        Some(self.0)
    }
}

fn v(ty: TypeId, data: Data) -> Value {
    Value { ty, trust: Trust::AtCrash, data }
}

fn written(sheet: &Sheet, value: &Value, names: &dyn Names) -> Result<WrittenArgument, Unwritable> {
    let mut scope = Scope::new("case");
    scope_of(&mut scope, value, sheet, names)
}

fn scope_of(
    scope: &mut Scope,
    value: &Value,
    sheet: &Sheet,
    names: &dyn Names,
) -> Result<WrittenArgument, Unwritable> {
    argument_with("input", value, &sheet.types, names, scope, Literals::Inferred)
}

fn text(written: &WrittenArgument) -> String {
    written.lets.iter().map(ToString::to_string).collect::<String>().replace(' ', "")
}

fn empty(sheet: &mut Sheet, name: &str, params: Vec<TypeId>) -> Value {
    let kind = TypeKind::Struct { fields: Vec::new(), tuple: false, params };
    v(sheet.ty(name, kind), Data::Struct(Vec::new()))
}

#[test]
fn a_waker_that_does_nothing_is_one_that_the_package_can_name() {
    let mut sheet = Sheet::default();
    let context = empty(&mut sheet, "core::task::wake::Context", Vec::new());
    for (since, has_noop) in [(70, false), (84, false), (85, true)] {
        let written = written(&sheet, &context, &Since(since)).unwrap();
        let text = text(&written);
        assert_eq!(text.contains("Waker::noop()"), has_noop, "{text}");
        assert_eq!(text.contains("fnwake(self:"), !has_noop, "{text}");
        assert_eq!(written.trust, Trust::Suspect);
    }
}

#[test]
fn only_a_variant_without_fields_has_a_discriminant_to_be_written() {
    let mut sheet = Sheet::default();
    let number = sheet.ty("u8", TypeKind::Integer { signed: false, bits: 8 });
    let field = FieldShape { name: "0".to_owned(), ty: number };
    let variants = vec![
        VariantShape { name: "Some".to_owned(), fields: vec![field], tuple: true },
        VariantShape { name: "None".to_owned(), fields: Vec::new(), tuple: false },
    ];
    let of = sheet.ty("core::option::Option<u8>", TypeKind::Enum { variants, params: vec![number] });
    let mut discriminant = empty(&mut sheet, "core::mem::Discriminant<core::option::Option<u8>>", vec![of]);
    let mut of_variant = |name: &str| {
        let value = v(of, Data::Variant { name: name.to_owned(), fields: Vec::new() });
        discriminant.data = Data::Struct(vec![Field { name: "of".to_owned(), value }]);
        written(&sheet, &discriminant, &PublicNames).map(|written| text(&written))
    };
    assert_eq!(of_variant("None").unwrap(), "letinput=std::mem::discriminant(&None);");
    let refused = of_variant("Some").unwrap_err();
    assert!(refused.reason.contains("which has fields"), "{refused}");
}

#[test]
fn of_which_type_a_type_id_is_nobody_can_tell() {
    let mut sheet = Sheet::default();
    let id = empty(&mut sheet, "core::any::TypeId", Vec::new());
    let refused = written(&sheet, &id, &PublicNames).unwrap_err();
    assert!(refused.reason.contains("of which type"), "{refused}");
}

/// An end of a channel as the reader gives it.
fn end(
    sheet: &mut Sheet,
    name: &str,
    senders: u128,
    receivers: u128,
    queued: Option<(Vec<u8>, u64)>,
) -> Value {
    let count = sheet.ty("usize", TypeKind::Integer { signed: false, bits: 64 });
    let number = sheet.ty("u8", TypeKind::Integer { signed: false, bits: 8 });
    let mut end = empty(sheet, name, vec![number]);
    let mut fields: Vec<Field> = [("channel", 0x1000), ("senders", senders), ("receivers", receivers)]
        .map(|(name, count_of)| Field { name: name.to_owned(), value: v(count, Data::Uint(count_of)) })
        .into();
    if let Some((items, len)) = queued {
        let items: Vec<Value> = items.into_iter().map(|item| v(number, Data::Uint(item.into()))).collect();
        let slice = sheet.ty("[u8]", TypeKind::Slice(number));
        let inner = v(slice, Data::Sequence { items, len });
        let cell = sheet.cell(StdType::UnsafeCell, "core::cell::UnsafeCell<[u8]>", inner, 0);
        fields.push(Field { name: "queued".to_owned(), value: cell });
    }
    end.data = Data::Struct(fields);
    end
}

const SENDER: &str = "std::sync::mpsc::Sender<u8>";
const RECEIVER: &str = "std::sync::mpsc::Receiver<u8>";

#[test]
fn the_other_end_of_a_channel_is_gone_where_it_was_gone() {
    let mut sheet = Sheet::default();
    let mut of = |name: &str, senders, receivers, queued| {
        let end = end(&mut sheet, name, senders, receivers, queued);
        text(&written(&sheet, &end, &PublicNames).unwrap())
    };
    assert_eq!(of(SENDER, 1, 1, None), "let(input,_receiver)=std::sync::mpsc::channel();");
    assert_eq!(of(SENDER, 1, 0, None), "let(input,_)=std::sync::mpsc::channel();");
    let nothing = || Some((Vec::new(), 0));
    assert_eq!(of(RECEIVER, 2, 1, nothing()), "let(_sender,input)=std::sync::mpsc::channel();");
    assert_eq!(of(RECEIVER, 0, 1, nothing()), "let(_,input)=std::sync::mpsc::channel();");
    let sent = "let(sender,input)=std::sync::mpsc::channel();sender.send(7).unwrap();";
    assert_eq!(of(RECEIVER, 1, 1, Some((vec![7], 1))), sent);
    assert_eq!(of(RECEIVER, 0, 1, Some((vec![7], 1))), format!("{sent}std::mem::drop(sender);"));
}

#[test]
fn messages_that_were_not_read_are_not_left_out() {
    let mut sheet = Sheet::default();
    let receiver = end(&mut sheet, RECEIVER, 1, 1, Some((vec![1, 2], 3)));
    let refused = written(&sheet, &receiver, &PublicNames).unwrap_err();
    assert!(refused.reason.contains("2 of 3 messages"), "{refused}");
}

#[test]
fn what_waits_is_sent_for_a_sender_that_can_ask_for_it() {
    let mut sheet = Sheet::default();
    let sender = end(&mut sheet, "crossbeam_channel::channel::Sender<u8>", 1, 1, Some((vec![7], 1)));
    let sent = text(&written(&sheet, &sender, &PublicNames).unwrap());
    assert_eq!(sent, "let(input,_receiver)=crossbeam_channel::channel::unbounded();input.send(7).unwrap();");
}

#[test]
fn only_what_can_be_cloned_is_cloned() {
    let mut sheet = Sheet::default();
    let mut two = |name: &str| {
        let end = end(&mut sheet, name, 1, 2, Some((Vec::new(), 0)));
        let pair = sheet.ty(&format!("({name}, {name})"), TypeKind::Tuple(vec![end.ty, end.ty]));
        let both = v(pair, Data::Tuple(vec![end.clone(), end]));
        written(&sheet, &both, &PublicNames)
    };
    assert!(text(&two("crossbeam_channel::channel::Receiver<u8>").unwrap()).contains("receiver.clone()"));
    let refused = two(RECEIVER).unwrap_err();
    assert!(refused.reason.contains("cannot be cloned"), "{refused}");
}
