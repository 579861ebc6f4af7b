//! Linked lists, as a loop that builds them from their end: `let mut list = None; for value in [3, 2, 1] { list =
//! Some(Box::new(Node { value, next: list })); }`. In: an enum value that holds itself once a node, over and over.
//! Out: the list's variable. Lists whose nodes differ in more than plain parts are left to the usual ways.

use std::collections::{BTreeSet, HashSet};

use proc_macro2::TokenStream;
use quote::quote;
use relapse_snapshot::{Data, TypeId, TypeKind, Value};

use super::writer::{OPTION, Place, Writer, variable_of};
use super::{Unwritable, definition, graph};
use crate::hostile::literal;

/// Lists of fewer nodes are read more easily as they are.
const LONG: usize = 9;
/// A node with more parts than this is none of a list.
const NODE: usize = 256;
/// The longest list; there are fewer nodes in any argument.
const LONGEST: usize = 1_000_000;

/// The way from one value to a part of it, by the places among the children.
type Way = Vec<usize>;

/// One step of a list.
struct Link<'v> {
    value: &'v Value,
    /// The rest of the list, and the way there.
    rest: (&'v Value, Way),
    /// Whether the step is one tree, no part of which stands elsewhere.
    whole: bool,
}

/// A value holds itself more than once, or too much: no list.
struct NoList;

impl<'a> Writer<'a> {
    /// The variable of a list that a loop has built; `None` where the value is no long list.
    pub(super) fn chain(&mut self, value: &Value, place: Place) -> Result<Option<TokenStream>, Unwritable> {
        let is_enum = |ty| matches!(self.types.get(ty).map(|shape| &shape.kind), Some(TypeKind::Enum { .. }));
        if !is_enum(value.ty) || self.stand_ins.of(value.ty).is_some() || !self.graph.instead.is_empty() {
            return Ok(None);
        }
        let Ok((links, end)) = self.links(value) else { return Ok(None) };
        if links.len() < LONG {
            return Ok(None);
        }
        let Some(model) = links.iter().find(|link| link.whole) else { return Ok(None) };
        let mut differing = BTreeSet::new();
        for link in &links {
            if !self.differ(model, link, (model.value, link.value), &mut Vec::new(), &mut differing) {
                return Ok(None);
            }
        }
        let ways = outermost(differing);
        // The variable of the argument itself, where nothing else would be left to say of it.
        let own = if self.is_own() { self.own.take() } else { None };
        let list = match own {
            Some(own) => own,
            None => {
                let wanted = self.list_name(value.ty, model);
                self.scope.variable(&wanted)
            }
        };
        let written = self.part("", end, Place { operand: false, coerces: false, ..place })?;
        let start = self.let_statement(&list, true, None, &written);
        let (pattern, steps) = self.steps(&links, model, &ways, place)?;
        self.graph.instead.insert(std::ptr::from_ref(model.rest.0), quote!(#list));
        let written =
            self.by_kind(model.value, Place { coerces: false, operand: false, ..place.within_call() });
        self.graph.instead.clear();
        let (step, lint) = (written?, self.lint());
        self.lets.push(start);
        self.lets.push(quote!(#lint for #pattern in #steps { #list = #step; }));
        Ok(Some(quote!(#list)))
    }

    /// The steps of a list and its end.
    fn links<'v>(&self, value: &'v Value) -> Result<(Vec<Link<'v>>, &'v Value), NoList>
    where
        'a: 'v,
    {
        let (mut links, mut seen, mut value) = (Vec::<Link<'v>>::new(), HashSet::new(), value);
        loop {
            if !seen.insert(std::ptr::from_ref(value)) || links.len() > LONGEST {
                return Err(NoList);
            }
            let usual = links.last().map(|link| link.rest.1.as_slice());
            match self.link(value, usual)? {
                Some(link) => {
                    value = link.rest.0;
                    links.push(link);
                }
                None => return Ok((links, value)),
            }
        }
    }

    /// The step that begins with a value, where it holds others of its type: all but one of them have to be ends, of
    /// ends alone the one in the usual place is the next.
    fn link<'v>(&self, value: &'v Value, usual: Option<&[usize]>) -> Result<Option<Link<'v>>, NoList>
    where
        'a: 'v,
    {
        let (mut found, mut whole, mut nodes) = (Vec::new(), true, 0);
        let mut open = vec![(value, Way::new(), false)];
        while let Some((inner, way, listed)) = open.pop() {
            nodes += 1;
            if nodes > NODE {
                return Err(NoList);
            }
            if let Some((address, _)) = graph::counted(inner, self.types)
                && self.scope.shared.contains_key(&address)
            {
                return Err(NoList);
            }
            let listed = listed || matches!(inner.data, Data::Sequence { .. } | Data::Map { .. });
            let children = inner.children();
            if children.len() > NODE {
                return Err(NoList);
            }
            for (index, child) in children.into_iter().enumerate() {
                let mut way = way.clone();
                way.push(index);
                let there = self.there(child).ok_or(NoList)?;
                whole &= std::ptr::eq(there, child);
                if there.ty != value.ty {
                    open.push((there, way, listed));
                } else if listed {
                    return Err(NoList);
                } else {
                    found.push((there, way));
                }
            }
        }
        let next = match found.len() {
            0 => return Ok(None),
            1 => 0,
            _ => {
                let mut longer = (0..found.len()).filter(|index| self.leads_on(found[*index].0));
                match (longer.next(), longer.next()) {
                    (Some(only), None) => only,
                    (None, _) => {
                        found.iter().position(|(_, way)| Some(way.as_slice()) == usual).ok_or(NoList)?
                    }
                    _ => return Err(NoList),
                }
            }
        };
        Ok(Some(Link { value, rest: found.swap_remove(next), whole }))
    }

    /// Whether a value holds another one of its type, or too much to tell.
    fn leads_on(&self, value: &Value) -> bool {
        let (mut nodes, mut open) = (0, vec![value]);
        while let Some(inner) = open.pop() {
            nodes += 1;
            let children = inner.children();
            if nodes + children.len() > NODE {
                return true;
            }
            for child in children {
                match self.there(child) {
                    Some(there) if there.ty != value.ty => open.push(there),
                    _ => return true,
                }
            }
        }
        false
    }

    /// What stands at a place, wherever it was read.
    fn there<'v>(&self, value: &'v Value) -> Option<&'v Value>
    where
        'a: 'v,
    {
        match relapse_snapshot::graph::place(value) {
            Some(key) => self.graph.targets.get(key),
            None => Some(value),
        }
    }

    /// Collects the ways to what differs between a step and the model; `false` where the steps are of another form.
    fn differ<'v>(
        &self,
        model: &Link<'v>,
        link: &Link<'v>,
        (left, right): (&'v Value, &'v Value),
        way: &mut Way,
        differing: &mut BTreeSet<Way>,
    ) -> bool
    where
        'a: 'v,
    {
        if std::ptr::eq(left, model.rest.0) || std::ptr::eq(right, link.rest.0) {
            return std::ptr::eq(left, model.rest.0) && std::ptr::eq(right, link.rest.0);
        }
        if left.ty != right.ty {
            return false;
        }
        if differing.contains(way) {
            return true;
        }
        let opened = match (&left.data, &right.data) {
            (Data::Struct(left), Data::Struct(right)) => left.len() == right.len(),
            (Data::Tuple(left), Data::Tuple(right)) => left.len() == right.len(),
            (Data::Variant { name, fields }, Data::Variant { name: other, fields: others }) => {
                name == other && fields.len() == others.len()
            }
            (Data::Pointer { to: Some(_), .. }, Data::Pointer { to: Some(_), .. }) => true,
            (Data::Cell { state, poisoned, .. }, Data::Cell { state: other, poisoned: others, .. }) => {
                (state, poisoned) == (other, others)
            }
            _ => false,
        };
        let leads_on = model.rest.1.starts_with(way);
        // A text or a list is one value to whoever reads the loop, though a pointer stands before it.
        let children = (left.children(), right.children());
        let is_text = matches!(&left.data, Data::Pointer { to: Some(to), .. }
            if matches!(to.data, Data::Text { .. } | Data::Bytes { .. } | Data::Sequence { .. }));
        if opened && (leads_on || !is_text) {
            for (index, (left, right)) in children.0.into_iter().zip(children.1).enumerate() {
                let (Some(left), Some(right)) = (self.there(left), self.there(right)) else { return false };
                way.push(index);
                let same = self.differ(model, link, (left, right), way, differing);
                way.pop();
                if !same {
                    return false;
                }
            }
            return true;
        }
        if left.data != right.data {
            if leads_on {
                return false;
            }
            differing.insert(way.clone());
        }
        true
    }

    /// What the loop goes over, and what its steps are called. In the step itself, these names stand for the parts.
    fn steps(
        &mut self,
        links: &[Link<'_>],
        model: &Link<'_>,
        ways: &[Way],
        place: Place,
    ) -> Result<(TokenStream, TokenStream), Unwritable> {
        let count = literal::integer(links.len() as u128, false, "usize", false);
        let mut names = Vec::new();
        for way in ways {
            let wanted = name_of(model.value, way, &|value| self.there(value)).unwrap_or("value");
            names.push(self.scope.variable(wanted));
        }
        let mut rows = Vec::with_capacity(links.len());
        let mut parts: Vec<Vec<&Value>> = Vec::with_capacity(links.len());
        for link in links.iter().rev() {
            let row: Option<Vec<&Value>> =
                ways.iter().map(|way| part(link.value, way, &|value| self.there(value))).collect();
            parts.push(row.ok_or_else(|| self.refuse("a list whose nodes differ in form"))?);
        }
        let numbers = match (&parts[..], ways.len()) {
            (rows, 1) => self.run_of_numbers(rows, place.typed),
            _ => None,
        };
        if numbers.is_none() && !ways.is_empty() {
            for (index, row) in parts.iter().enumerate() {
                let place = Place { typed: place.typed && index == 0, ..place.within_call() };
                let mut written = Vec::with_capacity(row.len());
                for part in row {
                    written.push(self.part("", part, place)?);
                }
                rows.push(match &written[..] {
                    [only] => only.clone(),
                    several => quote!((#(#several),*)),
                });
            }
        }
        for (way, name) in ways.iter().zip(&names) {
            if let Some(part) = part(model.value, way, &|value| self.there(value)) {
                self.graph.instead.insert(std::ptr::from_ref(part), quote!(#name));
            }
        }
        let types: Vec<TypeId> = parts.first().into_iter().flatten().map(|part| part.ty).collect();
        let large = self.is_large(rows.len(), &types).then(|| quote!(vec!));
        let pattern = match &names[..] {
            [] => quote!(_),
            [only] => quote!(#only),
            several => quote!((#(#several),*)),
        };
        Ok(match numbers {
            Some(numbers) => (pattern, numbers),
            None if ways.is_empty() => (pattern, quote!(0..#count)),
            None => (pattern, quote!(#large [#(#rows),*])),
        })
    }

    /// `(0..1000).rev()`: numbers one after the other.
    fn run_of_numbers(&self, rows: &[Vec<&Value>], typed: bool) -> Option<TokenStream> {
        let number = |value: &Value| match value.data {
            Data::Int(number) => Some(number),
            Data::Uint(number) => i128::try_from(number).ok(),
            _ => None,
        };
        let numbers: Vec<i128> = rows.iter().map(|row| number(row.first()?)).collect::<Option<_>>()?;
        let (first, last) = (*numbers.first()?, *numbers.last()?);
        let step = numbers.get(1)?.checked_sub(first)?;
        let is_run =
            step.abs() == 1 && numbers.windows(2).all(|pair| pair[1].checked_sub(pair[0]) == Some(step));
        let shape = rows.first()?.first().and_then(|value| self.types.get(value.ty))?;
        let name = literal::primitive(&shape.name).map(|_| shape.name.as_str())?;
        if !is_run {
            return None;
        }
        let integer = |n: i128, typed| literal::integer(n.unsigned_abs(), n < 0, name, typed);
        let (low, high) = (integer(first.min(last), typed)?, integer(first.max(last), false)?);
        Some(if step > 0 { quote!(#low..=#high) } else { quote!((#low..=#high).rev()) })
    }

    /// A list without a field's name is called by its node, or by its own type.
    fn list_name(&self, ty: TypeId, model: &Link<'_>) -> String {
        let by_path = self.part_variable(ty);
        let is_option = definition(self.types.name(ty)).as_deref() == Some(OPTION);
        let node = match &model.value.data {
            Data::Variant { fields, .. } => {
                fields.first().map(|field| variable_of(self.types, field.value.ty))
            }
            _ => None,
        };
        match node {
            Some(node) if is_option && by_path == "option" => format!("{node}s"),
            _ => by_path,
        }
    }
}

/// The ways that do not lead through another one.
fn outermost(ways: BTreeSet<Way>) -> Vec<Way> {
    let mut kept: Vec<Way> = Vec::new();
    for way in ways {
        if kept.last().is_none_or(|above| !way.starts_with(above)) {
            kept.push(way);
        }
    }
    kept
}

/// The part of a value at the end of a way.
fn part<'v>(
    value: &'v Value,
    way: &[usize],
    there: &impl Fn(&'v Value) -> Option<&'v Value>,
) -> Option<&'v Value> {
    way.iter().try_fold(value, |value, index| there(value.children().into_iter().nth(*index)?))
}

/// The last field's name on a way.
fn name_of<'v>(
    value: &'v Value,
    way: &[usize],
    there: &impl Fn(&'v Value) -> Option<&'v Value>,
) -> Option<&'v str> {
    let (mut value, mut name) = (value, None);
    for index in way {
        if let Data::Struct(fields) | Data::Variant { fields, .. } = &value.data {
            let field = fields.get(*index)?.name.as_str();
            if !field.starts_with(|c: char| c.is_ascii_digit()) {
                name = Some(field);
            }
        }
        value = there(value.children().into_iter().nth(*index)?)?;
    }
    name
}
