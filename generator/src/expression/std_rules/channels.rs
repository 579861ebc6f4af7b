//! Ends of channels, std's and those of `crossbeam-channel`: a new channel with what was queued, whose other end lives as
//! long as the test where it was alive in the process, and is gone where it was gone. Ends of one channel that a call takes
//! several of are ends of one here, too. In: what `capture` tells of an end.

use std::collections::HashMap;
use std::rc::Rc;

use proc_macro2::{Ident, TokenStream};
use quote::quote;
use relapse_snapshot::{Data, TypeKind, TypeTable, Value};

use super::super::seen_through::{field, number};
use super::super::type_name::definition;
use super::super::writer::{MAX_LETS, Writer};
use super::super::{Scope, Unwritable};
use super::of::{Of, Rule, Written};

/// More messages than this are sent by a loop.
const FEW: usize = 3;

/// A channel of which the call takes an end.
#[derive(Debug, Clone, Default)]
pub(in crate::expression) struct Channel {
    senders: Side,
    receivers: Side,
    /// What waits in it, as one of the ends tells.
    queued: Option<Rc<Value>>,
    /// The variables of both ends, once there are some.
    made: Option<(Ident, Ident)>,
}

/// Ends of one kind.
#[derive(Debug, Clone, Copy, Default)]
struct Side {
    /// In the call.
    all: u32,
    /// Not written yet.
    left: u32,
}

impl Side {
    fn meet(&mut self, more: u32) {
        (self.all, self.left) = (self.all.saturating_add(more), self.left.saturating_add(more));
    }
}

/// The ends of channels in a value, by the channel's address.
pub(in crate::expression) type Ends = HashMap<u64, Channel>;

/// The rule for a definition, where there is one.
pub(super) fn rule(definition: &str) -> Option<Rule> {
    Some(match definition {
        "std::sync::mpsc::Sender" | "std::sync::mpsc::SyncSender" | "std::sync::mpsc::Receiver" => {
            |w, of| w.end_of_channel(of, "std::sync::mpsc::channel", "std::sync::mpsc::sync_channel")
        }
        "crossbeam_channel::channel::Sender" | "crossbeam_channel::channel::Receiver" => |w, of| {
            w.end_of_channel(
                of,
                "crossbeam_channel::channel::unbounded",
                "crossbeam_channel::channel::bounded",
            )
        },
        _ => return None,
    })
}

/// Whether a type is the receiving end of a channel, by its definition's path.
fn receives(definition: &str) -> bool {
    definition.ends_with("::Receiver")
}

/// The ends of channels that a value holds.
pub(in crate::expression) fn ends(root: &Value, types: &TypeTable) -> Ends {
    let mut found = Ends::new();
    let mut open = vec![root];
    while let Some(value) = open.pop() {
        open.extend(value.children());
        // The address is asked for first, since only an end has one of that name.
        let Some(address) = address(value) else { continue };
        let Some(path) = types.get(value.ty).and_then(|shape| definition(&shape.name)) else { continue };
        if rule(&path).is_some() {
            let channel = found.entry(address).or_default();
            let side = if receives(&path) { &mut channel.receivers } else { &mut channel.senders };
            side.meet(1);
            channel.queued =
                channel.queued.take().or_else(|| queued(value).map(|queued| Rc::new(queued.clone())));
        }
    }
    found
}

/// Which ends of a channel the test names.
#[derive(Clone, Copy)]
struct Needed {
    sender: bool,
    receiver: bool,
    /// The end that the call is not given was alive.
    others_alive: bool,
}

fn is_empty(queued: &Value) -> bool {
    matches!(queued.data, Data::Sequence { len: 0, .. })
}

fn address(end: &Value) -> Option<u64> {
    field(end, "channel").and_then(number).and_then(|address| u64::try_from(address).ok())
}

/// What waits in the channel, where the end tells that: in a cell, since other threads change it.
fn queued(end: &Value) -> Option<&Value> {
    match &field(end, "queued")?.data {
        Data::Cell { inner, .. } => Some(inner),
        _ => None,
    }
}

impl Scope {
    /// Tells the ends of channels that the arguments of a call hold.
    pub(in crate::expression) fn meet_channels<'v>(
        &mut self,
        arguments: impl IntoIterator<Item = &'v Value>,
        types: &TypeTable,
    ) {
        let mut all = Ends::new();
        for argument in arguments {
            for (address, own) in ends(argument, types) {
                let channel = all.entry(address).or_default();
                channel.senders.meet(own.senders.all);
                channel.receivers.meet(own.receivers.all);
                channel.queued = channel.queued.take().or(own.queued);
            }
        }
        for (address, channel) in all {
            self.channels.entry(address).or_insert(channel);
        }
    }

    /// Whether more ends of a channel are still to be written than these.
    pub(in crate::expression) fn has_more_ends(&self, within: &Ends) -> bool {
        within.iter().any(|(address, own)| {
            self.channels
                .get(address)
                .is_some_and(|all| all.senders.all > own.senders.all || all.receivers.all > own.receivers.all)
        })
    }
}

impl Writer<'_> {
    fn end_of_channel(&mut self, of: Of<'_>, unbounded: &str, bounded: &str) -> Written {
        let mismatch = |writer: &Self| writer.mismatch(of.shape);
        let address = address(of.value).ok_or_else(|| mismatch(self))?;
        let receives = definition(&of.shape.name).is_some_and(|path| receives(&path));
        let (senders, receivers) = (of.number(self, "senders")?, of.number(self, "receivers")?);
        let mut channel = self.scope.channels.remove(&address).unwrap_or_default();
        let (own, other) = if receives {
            (&mut channel.receivers, channel.senders)
        } else {
            (&mut channel.senders, channel.receivers)
        };
        own.left = own.left.saturating_sub(1);
        let own = *own;
        let (alive, others) = if receives { (receivers, senders) } else { (senders, receivers) };
        let is_alone = own.all <= 1 && other.all == 0;
        let (sender, receiver) = match channel.made.take() {
            Some(both) => both,
            None => {
                let name = is_alone && self.is_own() && self.root_type == of.value.ty;
                let name = if name { self.own.take() } else { None };
                // What nobody receives need not be sent.
                let queued = channel.queued.clone().or_else(|| queued(of.value).cloned().map(Rc::new));
                let queued = queued.filter(|_| receivers > 0).filter(|queued| !is_empty(queued));
                let needed = Needed {
                    sender: !receives || other.all > 0 || queued.is_some(),
                    receiver: receives || other.all > 0,
                    others_alive: others > 0,
                };
                self.new_channel(
                    of,
                    name.as_ref(),
                    receives,
                    needed,
                    queued.as_deref(),
                    (unbounded, bounded),
                )?
            }
        };
        // A function that gives the value would drop the other end as it returns.
        if is_alone && others > 0 && self.scope.is_beside() {
            let (forget, other) =
                (self.name("core::mem::forget")?, if receives { &sender } else { &receiver });
            self.statement(&quote!(#forget(#other);))?;
        }
        let end = if receives { &receiver } else { &sender };
        let is_last = own.left == 0 && alive <= i128::from(own.all);
        let is_of_std = unbounded.starts_with("std::");
        if receives && is_of_std && !is_alone && !is_last {
            return Err(self.refuse("a receiver that more than one part has, and that cannot be cloned"));
        }
        let written = if is_alone || is_last { quote!(#end) } else { quote!(#end.clone()) };
        channel.made = Some((sender, receiver));
        self.scope.channels.insert(address, channel);
        Ok(written)
    }

    /// The statements that make a channel, and the variables of its ends.
    fn new_channel(
        &mut self,
        of: Of<'_>,
        own: Option<&Ident>,
        receives: bool,
        needed: Needed,
        queued: Option<&Value>,
        (unbounded, bounded): (&str, &str),
    ) -> Result<(Ident, Ident), Unwritable> {
        let (sender, receiver) = self.names_of_ends(own, receives, needed);
        let make = self.channel(of, unbounded, bounded)?;
        // What has no name is dropped at once.
        let pattern = |name: &Ident, wanted: bool| {
            if wanted || needed.others_alive { quote!(#name) } else { quote!(_) }
        };
        let (first, second) = (pattern(&sender, needed.sender), pattern(&receiver, needed.receiver));
        self.statement(&quote!(let (#first, #second) = #make;))?;
        if let Some(queued) = queued {
            self.send(of, queued, &sender)?;
        }
        if receives && !needed.others_alive && queued.is_some() {
            let drop = self.name("core::mem::drop")?;
            self.statement(&quote!(#drop(#sender);))?;
        }
        Ok((sender, receiver))
    }

    /// The variables of both ends; that of one which is only kept alive says so by its first letter.
    fn names_of_ends(&mut self, own: Option<&Ident>, receives: bool, needed: Needed) -> (Ident, Ident) {
        let mut name = |wanted: &str, is_own: bool, is_needed: bool| match (own, is_own) {
            (Some(own), true) => own.clone(),
            _ if is_needed || !needed.others_alive || self.scope.is_beside() => self.scope.variable(wanted),
            _ => self.scope.variable(&format!("_{wanted}")),
        };
        let sender = name("sender", !receives, needed.sender);
        (sender, name("receiver", receives, needed.receiver))
    }

    /// `channel()`, `sync_channel(3)`.
    fn channel(&mut self, of: Of<'_>, unbounded: &str, bounded: &str) -> Written {
        let params = match &of.shape.kind {
            TypeKind::Struct { params, .. } => params.as_slice(),
            _ => return Err(self.mismatch(of.shape)),
        };
        let message = params.get(..1).unwrap_or_default();
        let turbofish = if of.place.typed { self.turbofish(message) } else { None };
        if field(of.value, "capacity").is_none() {
            let name = self.name(unbounded)?;
            return Ok(quote!(#name #turbofish()));
        }
        let (name, capacity) = (self.name(bounded)?, of.count(self, of.number(self, "capacity")?, "usize")?);
        Ok(quote!(#name #turbofish(#capacity)))
    }

    fn send(&mut self, of: Of<'_>, queued: &Value, sender: &Ident) -> Result<(), Unwritable> {
        let Data::Sequence { items, len } = &queued.data else { return Err(self.mismatch(of.shape)) };
        self.whole(items.len(), *len, "messages")?;
        let place = of.untyped().place.within_call();
        if items.len() <= FEW {
            for (index, item) in items.iter().enumerate() {
                let message = self.part(&format!(".queued[{index}]"), item, place)?;
                self.statement(&quote!(#sender.send(#message).unwrap();))?;
            }
            return Ok(());
        }
        let items = self.named("queued", |writer| writer.list(items, place))?;
        let message = self.scope.variable("message");
        self.statement(&quote!(for #message in #items { #sender.send(#message).unwrap(); }))
    }

    fn statement(&mut self, statement: &TokenStream) -> Result<(), Unwritable> {
        if self.lets.len() >= MAX_LETS {
            return Err(self.refuse(format!("more than {MAX_LETS} parts need a variable of their own")));
        }
        let lint = self.lint();
        self.lets.push(quote!(#lint #statement));
        Ok(())
    }
}
