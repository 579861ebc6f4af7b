//! Lints of clippy that a captured value cannot help: what was in the crashed program stands in the test as it was, also
//! where nobody would write it. In: the values. Out: the attribute of the statement that holds them.

use std::collections::HashSet;

use proc_macro2::TokenStream;
use quote::quote;
use relapse_snapshot::{Data, TypeId, TypeKind, Value};

use super::writer::{MAX_TYPES, Writer};

/// Types whose values one thread alone may use, or hand on. What an `UnsafeCell` is within mostly says that it is for all
/// threads: locks of tokio, parking_lot and the like.
const OF_ONE_THREAD: [&str; 6] = [
    "core::cell::Cell<",
    "core::cell::RefCell<",
    "core::cell::once::",
    "core::cell::lazy::",
    "once_cell::unsync::",
    "alloc::rc::",
];
/// What has such cells within, and is for all threads.
const FOR_ALL_THREADS: [&str; 3] = ["core::sync::", "std::sync::", "alloc::sync::"];

/// One of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lint {
    /// A float that looks like π.
    ApproxConstant,
    /// `.skip(0)`, which has a type of its own.
    IterSkipZero,
    /// `.splitn(1, ',')`: of so many parts one was left.
    SuspiciousSplitn,
    /// `3..1`.
    ReversedEmptyRanges,
    /// `[0..9]`.
    SingleRangeInVecInit,
    /// `Arc::new(Cell::new(1))`.
    ArcWithNonSendSync,
}

const ALL: [Lint; 6] = [
    Lint::ApproxConstant,
    Lint::IterSkipZero,
    Lint::SuspiciousSplitn,
    Lint::ReversedEmptyRanges,
    Lint::SingleRangeInVecInit,
    Lint::ArcWithNonSendSync,
];

/// Those that a statement needs to allow.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Lints(u8);

impl Lints {
    /// One more, where it is needed.
    pub(super) fn allow(&mut self, lint: Lint, needed: bool) {
        self.0 |= u8::from(needed) << lint as u8;
    }

    /// `#[allow(clippy::approx_constant)]`; nothing where none is needed.
    pub(super) fn attribute(self) -> Option<TokenStream> {
        let names = ALL.into_iter().filter(|lint| self.0 >> *lint as u8 & 1 == 1).map(|lint| match lint {
            Lint::ApproxConstant => quote!(clippy::approx_constant),
            Lint::IterSkipZero => quote!(clippy::iter_skip_zero),
            Lint::SuspiciousSplitn => quote!(clippy::suspicious_splitn),
            Lint::ReversedEmptyRanges => quote!(clippy::reversed_empty_ranges),
            Lint::SingleRangeInVecInit => quote!(clippy::single_range_in_vec_init),
            Lint::ArcWithNonSendSync => quote!(clippy::arc_with_non_send_sync),
        });
        let names: Vec<TokenStream> = names.collect();
        (!names.is_empty()).then(|| quote!(#[allow(#(#names),*)]))
    }
}

impl Writer<'_> {
    /// Of a list of a single range clippy asks whether its items were meant.
    pub(super) fn allow_single_range(&mut self, items: &[Value]) {
        let is_range = |item: &Value| self.types.name(item.ty).starts_with("core::ops::range::Range<");
        let needed = matches!(items, [only] if is_range(only));
        self.lints.allow(Lint::SingleRangeInVecInit, needed);
    }

    /// Of an `Arc` clippy wants to know what it is for where no other thread can have it.
    pub(super) fn allow_arc_of_one_thread(&mut self, to: TypeId) {
        let needed = self.stays_in_thread(to);
        self.lints.allow(Lint::ArcWithNonSendSync, needed);
    }

    /// Whether a type has a part that one thread alone may use. What locks, or is counted, for all of them is not looked into.
    fn stays_in_thread(&self, ty: TypeId) -> bool {
        let (mut open, mut seen) = (vec![ty], HashSet::from([ty]));
        while let Some(ty) = open.pop() {
            let Some(shape) = self.types.get(ty) else { continue };
            if OF_ONE_THREAD.iter().any(|of| shape.name.starts_with(of)) {
                return true;
            }
            let parts: Vec<TypeId> = match &shape.kind {
                _ if FOR_ALL_THREADS.iter().any(|of| shape.name.starts_with(of)) => continue,
                TypeKind::Struct { fields, .. } | TypeKind::Closure { captures: fields, .. } => {
                    fields.iter().map(|field| field.ty).collect()
                }
                TypeKind::Enum { variants, .. } => {
                    variants.iter().flat_map(|variant| &variant.fields).map(|field| field.ty).collect()
                }
                TypeKind::Tuple(items) => items.clone(),
                TypeKind::Std { params, .. } => params.clone(),
                TypeKind::Array { of, .. } | TypeKind::Slice(of) => vec![*of],
                TypeKind::Reference { to, .. } => vec![*to],
                _ => continue,
            };
            for part in parts {
                if seen.len() < MAX_TYPES && seen.insert(part) {
                    open.push(part);
                }
            }
        }
        false
    }
}

/// Whether a range begins behind its end.
pub(super) fn is_reversed(start: &Value, end: &Value) -> bool {
    match (&start.data, &end.data) {
        (Data::Int(start), Data::Int(end)) => start > end,
        (Data::Uint(start), Data::Uint(end)) => start > end,
        (Data::Char(start), Data::Char(end)) => start > end,
        (Data::Int(start), Data::Uint(end)) => u128::try_from(*start).is_ok_and(|start| start > *end),
        (Data::Uint(start), Data::Int(end)) => u128::try_from(*end).map_or(true, |end| *start > end),
        _ => false,
    }
}
