//! What happened to a value until the crash, as far as the calls that were seen tell. In: a type, and these calls. Out: the
//! calls that a test makes in their place.

use quote::quote;
use relapse_snapshot::{Data, Frame, Location, Made, TypeId, TypeKind, TypeTable};
use syn::visit::Visit;
use syn::{FnArg, ReturnType, Type};

use crate::expression::{PartOf, holds, part_of};
use crate::names::{Asked, Further, History, Lent, MadeCall, ReceivedBy, Unnameable, Wrapped};

use super::super::access::{Touches, calls_with_parts, made_on};
use super::super::ids::{FunctionId, ItemId};
use super::super::lives::{Does, likeliest, lives};
use super::super::naming::{NamesAt, tokens};
use super::super::resolve::{Def, Space};
use super::super::signature;
use super::super::turbofish::mentions;
use super::super::{FunctionItem, Owner};
use super::{MOST_BUILDERS, Role, received_by};

/// Calls on what a call gave that was made on what a call gave.
const MOST_CHAINED: usize = 16;
/// Calls that a test makes for one value, those on parts of it counted.
const MOST_STEPS: usize = 200;

/// What a call was to the values of a type.
#[derive(Clone)]
struct Acting {
    role: Role,
    function: FunctionId,
    /// The part of what it gave that one is.
    part: Option<PartOf>,
    /// What it gave is known to have held what the value holds.
    alike: bool,
}

/// A call that was seen.
struct Seen<'i> {
    /// Which of all.
    at: usize,
    role: Role,
    function: &'i FunctionItem,
    call: &'i Frame,
    /// What the value is of what it gave, where it did not give the value itself.
    part: Option<PartOf>,
    /// What it gave is known to have held what the value holds.
    alike: bool,
}

/// Where a history begins.
struct Told<'i> {
    /// The call, of all.
    start: usize,
    /// What was read of what it gave is what the value holds.
    alike: bool,
    history: Result<History<'i>, Unnameable>,
}

impl<'i> NamesAt<'i> {
    /// What happened to a value of the type at `definition` until the crash, as far as the calls tell.
    pub(in crate::index) fn history_of(
        &self,
        definition: &str,
        asked: &Asked<'_>,
    ) -> Option<Result<History<'i>, Unnameable>> {
        if self.made.calls.is_empty() {
            return None;
        }
        let Def::Item(id) = self.definition(definition).ok()? else { return None };
        self.history(id, asked, self.made.earlier(), 0)
    }

    /// The same; `earlier`: how many of the calls that may have made it are passed over.
    fn history(
        &self,
        id: ItemId,
        asked: &Asked<'_>,
        earlier: usize,
        depth: usize,
    ) -> Option<Result<History<'i>, Unnameable>> {
        if depth > MOST_BUILDERS {
            return None;
        }
        let plain = self.told(id, asked, (earlier, depth), false);
        if asked.wanted.is_none() {
            return plain.map(|plain| plain.history);
        }
        let within = self.told(id, asked, (if plain.is_some() { earlier } else { 0 }, depth), true);
        let (plain, within) = match (plain, within) {
            (Some(plain), Some(within)) if plain.history.is_ok() && within.history.is_ok() => (plain, within),
            (Some(plain), within) => {
                let better = within.filter(|within| plain.history.is_err() && within.history.is_ok());
                return Some(better.unwrap_or(plain).history);
            }
            (None, within) => return within.map(|within| within.history),
        };
        // What is known to hold the same is it, unless that very call has made it by a single one, which says more.
        let is_other = within.alike && !plain.alike && !self.is_only_within(plain.start, within.start, id);
        Some(if is_other { within.history } else { plain.history })
    }

    /// Whether a call is the only one within another one that makes a value of the type.
    fn is_only_within(&self, at: usize, outer: usize, id: ItemId) -> bool {
        let known = self.known_makers(id);
        let makes = |at: usize| {
            let call = &self.made.calls[at].call;
            let role = known.iter().find(|known| is_at(call, &known.declared)).and_then(|known| known.role);
            matches!(role, Some(Role::Maker { wrapped } | Role::Built { wrapped, .. }) if wrapped != Wrapped::Within)
        };
        let mut within =
            (0..self.made.calls.len()).filter(|at| *at != outer && makes(*at) && self.is_within(*at, outer));
        within.next() == Some(at) && within.next().is_none()
    }

    /// Whether a call is part of another one.
    fn is_within(&self, at: usize, outer: usize) -> bool {
        let mut around = Some(at);
        while let Some(at) = around.filter(|at| *at != outer) {
            around = self.made.calls.get(at).and_then(|made| made.within).filter(|within| *within < at);
        }
        around.is_some()
    }

    /// What happened to a value since it was made, passing over the likelier ones. `within`: what holds it may have been given.
    fn told(
        &self,
        id: ItemId,
        asked: &Asked<'_>,
        (earlier, depth): (usize, usize),
        within: bool,
    ) -> Option<Told<'i>> {
        let known = self.known_makers(id);
        let calls: &'i [Made] = self.made.calls;
        let before = asked.before.unwrap_or(calls.len()).min(calls.len());
        let mut roles: Vec<Option<Acting>> = Vec::with_capacity(before);
        for Made { call, .. } in &calls[..before] {
            let found = known.iter().find(|known| is_at(call, &known.declared));
            let role = found.and_then(|found| Some((found.role?, found.function)));
            roles.push(role.and_then(|(role, function)| {
                let wanted = asked.wanted.as_ref();
                let part = wanted.and_then(|wanted| part_of(&call.gave.as_ref()?.value, wanted));
                let alike = part.as_ref().is_some_and(|part| part.alike);
                if role.wrapped() != Wrapped::Within {
                    return Some(Acting { role, function, part: None, alike });
                }
                let part = part.filter(|part| within && self.can_take(&part.steps))?;
                // What it was given itself was made by another one.
                let ty = wanted?.value.ty;
                let was_given = call.arguments.iter().any(|argument| holds(&argument.value, ty));
                (!was_given).then_some(Acting { role, function, part: Some(part), alike })
            }));
        }
        self.leave_innermost(&mut roles);
        if within && roles.iter().flatten().all(|acting| acting.part.is_none()) {
            return None;
        }
        let is_part_of_another = |at: usize| {
            let mut around = calls[at].within;
            while let Some(outer) = around {
                if roles.get(outer).is_some_and(Option::is_some) {
                    return true;
                }
                around = calls.get(outer).and_then(|made| made.within).filter(|within| *within < outer);
            }
            false
        };
        let seen: Vec<Seen<'i>> = roles
            .iter()
            .enumerate()
            // What one of these calls does by itself is not done once more.
            .filter(|(at, _)| !is_part_of_another(*at))
            .filter_map(|(at, role)| {
                let Acting { role, function, part, alike } = role.clone()?;
                let function = self.index().function(function);
                Some(Seen { at, role, function, call: &calls[at].call, part, alike })
            })
            .collect();
        let parts = made_on(seen.iter().map(|seen| (self.touches(seen, id), seen.receiver())));
        let does = seen.iter().zip(&parts.on).map(|(seen, on)| seen.does(on.is_some()));
        let mut likeliest = likeliest(lives(does), asked.within.as_ref());
        likeliest.sort_by_key(|life| !seen[life.start].alike);
        // Of the values of one call some may have been made more often than others.
        let fewest = if self.made.first { likeliest.len().saturating_sub(1) } else { earlier };
        let life = likeliest.into_iter().nth(earlier.min(fewest))?;
        // Of what was not seen nobody knows whether it changed this value, nor where one went that was given away.
        let is_long = calls_with_parts(&life.steps, &parts.on) > MOST_STEPS;
        let unclear = life.unclear || parts.are_doubtful(&life.steps);
        if unclear || is_long || asked.used.contains(&seen[life.start].at) {
            return None;
        }
        let start = &seen[life.start];
        let history = self.history_from(&seen, (start, &life.steps), (id, &parts.on), depth).transpose()?;
        Some(Told { start: start.at, alike: start.alike, history })
    }

    /// Of calls within each other that all gave what holds the value, one that takes no receiver says the most by itself:
    /// those around it are left out.
    fn leave_innermost(&self, roles: &mut [Option<Acting>]) {
        for at in (0..roles.len()).rev() {
            let is_it = |acting: &Acting| {
                matches!(acting.role, Role::Maker { .. }) && acting.part.is_some() && acting.alike
            };
            let by_itself = roles[at].as_ref().is_some_and(is_it);
            let mut around = self.made.calls[at].within.filter(|within| *within < at && by_itself);
            while let Some(outer) = around {
                if roles[outer].as_ref().is_some_and(|acting| acting.part.is_some()) {
                    roles[outer] = None;
                }
                around = self.made.calls[outer].within.filter(|within| *within < outer);
            }
        }
    }

    /// The history that these calls are; nothing where what a value was made of has none.
    fn history_from(
        &self,
        seen: &[Seen<'i>],
        (start, steps): (&Seen<'i>, &[usize]),
        (id, on): (ItemId, &[Option<usize>]),
        depth: usize,
    ) -> Result<Option<History<'i>>, Unnameable> {
        let steps = steps.iter().map(|at| self.made_call_with_parts(seen, *at, (id, on), 0));
        let steps = steps.collect::<Result<_, _>>()?;
        let of = match start.role {
            Role::Built { of, .. } => {
                let within = start.receiver().map(|at| at..at.saturating_add(1));
                let asked = Asked { within, before: Some(start.at), ..Asked::default() };
                match self.history(of, &asked, 0, depth + 1) {
                    Some(of) => Some(Box::new(of?)),
                    None => return Ok(None),
                }
            }
            _ => None,
        };
        let made = self.made_call(start)?;
        Ok(Some(History { type_name: self.index().item(id).name.clone(), of, made, steps }))
    }

    /// What a call that was seen is to the parts of values of a type.
    fn touches(&self, seen: &Seen<'_>, id: ItemId) -> Touches {
        match seen.role {
            Role::OnPart(part) => self.touches_part(seen.function, part),
            Role::Method => {
                let access = self.access(seen.function, id);
                access.map_or(Touches::Nothing, |access| Touches::Gives(access.gives()))
            }
            _ => Touches::Nothing,
        }
    }

    /// A call with those that were made on what it gave.
    fn made_call_with_parts(
        &self,
        seen: &[Seen<'i>],
        at: usize,
        (id, on): (ItemId, &[Option<usize>]),
        depth: usize,
    ) -> Result<MadeCall<'i>, Unnameable> {
        let mut made = self.made_call(&seen[at])?;
        made.lends = self.lends(&seen[at], id);
        let mut further = on.iter().enumerate().filter(|(_, on)| **on == Some(at)).peekable();
        if further.peek().is_none() {
            return Ok(made);
        }
        if depth >= MOST_CHAINED {
            let reason = format!("more than {MOST_CHAINED} calls were made one on what the other gave");
            return Err(Unnameable(reason));
        }
        let own = match seen[at].role {
            Role::OnPart(part) => part,
            _ => id,
        };
        let function = seen[at].function;
        let itself = || self.made_by(function, own).map(|wrapped| (own, wrapped, false));
        let access = self.access(function, own).map(|a| (a.part, a.wrapped, a.by_reference));
        let Some((part, wrapped, by_reference)) = access.or_else(itself) else { return Ok(made) };
        let calls = further.map(|(next, _)| self.made_call_with_parts(seen, next, (id, on), depth + 1));
        let type_name = self.index().item(part).name.clone();
        made.further =
            Some(Further { type_name, wrapped, by_reference, calls: calls.collect::<Result<_, _>>()? });
        Ok(made)
    }

    fn made_call(&self, seen: &Seen<'i>) -> Result<MadeCall<'i>, Unnameable> {
        let Seen { at, role, function, call, part, .. } = seen;
        let mut path = self.callable(function, &[])?;
        let of_std = path.of_std.as_ref().map(|of_std| of_std.trait_path.as_str());
        let is_parse = of_std == Some("std::str::FromStr") && function.name == "from_str";
        let parses = path.of_std.as_ref().filter(|_| is_parse).and_then(|of_std| of_std.self_type.clone());
        if let (Some("std::default::Default"), Some(ty)) = (of_std, function.self_type()) {
            // Everybody leaves that trait out.
            if let Some(id) = self.item_of(function, ty) {
                let ty = tokens(&self.spell(&Def::Item(id), Space::Types)?)?;
                path.path = quote!(#ty::default);
            }
        }
        let signature = &function.signature;
        let receiver = signature.receiver().and_then(received_by).unwrap_or(ReceivedBy::Nobody);
        let result = match &signature.output {
            ReturnType::Type(_, result) => Some(&**result),
            ReturnType::Default => None,
        };
        let by_result = !matches!(role, Role::Method | Role::OnPart(_));
        let turbofish = self.turbofish_again(function, call, by_result)?;
        Ok(MadeCall {
            at: *at,
            path: path.path,
            method: path.method,
            turbofish,
            receiver,
            wrapped: role.wrapped(),
            taken: part.as_ref().map(|part| part.steps.clone()).unwrap_or_default(),
            must_use: result.is_some_and(signature::is_result),
            typed: open_inputs(signature),
            coerces: coercing_inputs(function),
            parses,
            arguments: call.arguments.get(usize::from(receiver != ReceivedBy::Nobody)..).unwrap_or_default(),
            further: None,
            lends: None,
        })
    }

    /// The part of a value of the type that a call lent to be written, where that has no functions of the project's.
    fn lends(&self, seen: &Seen<'_>, id: ItemId) -> Option<Lent> {
        let Seen { role: Role::Method, function, call, .. } = seen else { return None };
        let ReturnType::Type(_, result) = &function.signature.output else { return None };
        let (inner, wrapped) = signature::wrapped(result).unwrap_or((result, Wrapped::No));
        let Type::Reference(to) = inner else { return None };
        if to.mutability.is_none() || self.access(function, id).is_some() {
            return None;
        }
        let types = self.made.types?;
        let type_name = match (call.result, &*to.elem) {
            (Some(result), _) => types.name(lent_type(result, types)?).to_owned(),
            // What is made of no other types is known by its name alone.
            (None, Type::Path(path)) => path.path.get_ident()?.to_string(),
            (None, _) => return None,
        };
        Some(Lent { wrapped, type_name })
    }
}

/// What a `&mut T`, or an `Option` or `Result` of one, leads to.
fn lent_type(result: TypeId, types: &TypeTable) -> Option<TypeId> {
    let kind = |ty: TypeId| types.get(ty).map(|shape| &shape.kind);
    let reference = match kind(result)? {
        TypeKind::Enum { params, .. } => kind(*params.first()?)?,
        kind => kind,
    };
    match reference {
        TypeKind::Reference { to, mutable: true } => Some(*to),
        _ => None,
    }
}

impl Seen<'_> {
    /// Whether it was seen what it was given.
    fn is_known(&self) -> bool {
        self.call.arguments_missing.is_none()
            && self.call.arguments.len() == self.function.signature.inputs.len()
    }

    /// What it is to the values of its type. `on_part`: it was made on a part of one.
    fn does(&self, on_part: bool) -> Does {
        match self.role {
            Role::OnPart(_) if !on_part || self.is_known() => Does::Nothing,
            _ if !self.is_known() => Does::Unknown,
            Role::Maker { .. } | Role::Built { .. } => Does::Begins,
            Role::Chained { .. } => Does::Chains,
            // Of one on a part it is not known what that was given.
            Role::OnPart(_) => Does::Unknown,
            Role::Method => self.receiver().map_or(Does::Unknown, Does::Changes),
        }
    }

    /// Where its receiver lies.
    fn receiver(&self) -> Option<u64> {
        match self.call.arguments.first().map(|argument| &argument.value.data) {
            Some(Data::Pointer { address, .. }) => Some(*address),
            _ => None,
        }
    }
}

/// Which parameters of a function take any type, its receiver left out: only there the argument alone says which.
fn open_inputs(signature: &syn::Signature) -> Vec<bool> {
    let generic: Vec<&syn::Ident> = signature.generics.type_params().map(|param| &param.ident).collect();
    let is_open = |input: &FnArg| match input {
        FnArg::Typed(typed) => Some(
            has_impl(&typed.ty)
                || generic.iter().any(|param| mentions(param, |found| found.visit_type(&typed.ty))),
        ),
        FnArg::Receiver(_) => None,
    };
    signature.inputs.iter().filter_map(is_open).collect()
}

/// Which parameters of a function say what is given there becomes, the receiver left out: slices, and types in which nothing is
/// generic. Those of a generic trait may be what tells its implementations apart: `BytesMut::from` takes no array.
fn coercing_inputs(function: &FunctionItem) -> Vec<bool> {
    let may_differ = match &function.owner {
        Owner::TraitImpl { trait_path, .. } => {
            trait_path.segments.last().is_none_or(|last| !last.arguments.is_none())
        }
        _ => false,
    };
    let lists = function.owner_generics().into_iter().chain([&function.signature.generics]);
    let generic: Vec<&syn::Ident> =
        lists.flat_map(|generics| generics.type_params().map(|param| &param.ident)).collect();
    let open = open_inputs(&function.signature);
    let typed = function.signature.inputs.iter().filter_map(|input| match input {
        FnArg::Typed(typed) => Some(&*typed.ty),
        FnArg::Receiver(_) => None,
    });
    let speaks_of = |ty: &Type| generic.iter().any(|param| mentions(param, |found| found.visit_type(ty)));
    let is_slice = |ty: &Type| matches!(ty, Type::Reference(to) if matches!(&*to.elem, Type::Slice(_)));
    typed.zip(open).map(|(ty, open)| !may_differ && (is_slice(ty) || !open && !speaks_of(ty))).collect()
}

fn has_impl(ty: &Type) -> bool {
    match ty {
        Type::ImplTrait(_) => true,
        Type::Reference(to) => has_impl(&to.elem),
        _ => false,
    }
}

fn is_at(call: &Frame, place: &Location) -> bool {
    call.declared.as_ref().is_some_and(|at| (&at.file, at.line) == (&place.file, place.line))
}
