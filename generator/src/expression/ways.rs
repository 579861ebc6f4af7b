//! Values of types whose fields cannot be seen, by the functions of the type that build them step by step:
//! `BarChart::default().bar_width(1).data(group)`. Which there are, and what each makes of its parameters, is told by the
//! names at the place. In: the fields as read. Out: a chain of calls that gives the same fields. A field of which nothing
//! is known is not taken for right: then there is no such way.

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use quote::quote;
use relapse_snapshot::{Data, Field, StdType, TypeId, TypeKind, Value};

use super::Unwritable;
use super::constructed::seen;
use super::type_name::{definition, snake_case};
use super::writer::{MAX_LETS, OPTION, Place, Writer};
use crate::ways::{Begin, Made, Step, Through, Ways};

/// A chain of more calls than this is no help to anyone.
const MAX_STEPS: usize = 40;
/// Parts within parts are compared so far.
const MAX_DEPTH: u32 = 16;

/// What a parameter is to be.
#[derive(Clone)]
struct Given<'v> {
    value: &'v Value,
    through: Through,
    /// The way from the value to it.
    path: String,
}

/// What the parameters of a call are to be, as far as is known.
type Arguments<'v> = Vec<Option<Given<'v>>>;

/// A chain.
struct Chain<'w, 'v> {
    begin: &'w Begin,
    arguments: Vec<Given<'v>>,
    steps: Vec<(&'w Step, Given<'v>)>,
}

impl Writer<'_> {
    /// The value of a struct by the shortest of its type's ways; none where none leads to it.
    pub(super) fn by_ways(
        &mut self,
        path_of_type: &str,
        fields: &[Field],
        params: &[TypeId],
        place: Place,
    ) -> Result<Option<TokenStream>, Unwritable> {
        let Some(ways) = self.names.ways(path_of_type) else { return Ok(None) };
        let is_known = self.names.means_prelude("Default");
        let begins = ways.begins.iter().filter(|begin| is_known || begin.function != "default");
        let chains = begins.filter_map(|begin| self.way(&ways, begin, fields));
        let Some(chain) = chains.min_by_key(|chain| chain.steps.len()) else { return Ok(None) };
        let (path, function) = (&ways.path, &chain.begin.function);
        let turbofish = if place.typed { self.turbofish(params) } else { None };
        let place = Place { coerces: false, ..place.within_call() };
        let mut arguments = Vec::new();
        for given in &chain.arguments {
            arguments.push(self.parameter(given, place)?);
        }
        let mut begun = quote!(#path #turbofish::#function(#(#arguments),*));
        let mut in_place = Vec::new();
        for (step, given) in &chain.steps {
            let (method, argument) = (&step.method, self.parameter(given, place)?);
            if step.in_place {
                in_place.push(quote!(.#method(#argument);));
            } else {
                begun.extend(quote!(.#method(#argument)));
            }
        }
        if in_place.is_empty() {
            return Ok(Some(begun));
        }
        if self.lets.len() + in_place.len() >= MAX_LETS {
            return Err(self.refuse(format!("more than {MAX_LETS} parts need a statement of their own")));
        }
        // Each field is set by one of them, so that their order is free.
        let wanted = variable_of_path(path_of_type);
        let own = if self.is_own() { self.own.take() } else { None };
        let variable = own.unwrap_or_else(|| self.scope.variable(&wanted));
        let statement = self.let_statement(&variable, true, None, &begun);
        self.lets.push(statement);
        self.lets.extend(in_place.into_iter().map(|call| quote!(#variable #call)));
        Ok(Some(quote!(#variable)))
    }

    /// The steps that are missing after a function has begun the value.
    fn way<'w, 'v>(&self, ways: &'w Ways, begin: &'w Begin, fields: &'v [Field]) -> Option<Chain<'w, 'v>> {
        let made = |name: &str| match &begin.makes {
            Made::Fields(made) => made.get(name).cloned().unwrap_or(Made::Unknown),
            Made::Default => Made::Default,
            _ => Made::Unknown,
        };
        if let Made::Fields(made) = &begin.makes
            && !fields.iter().all(|field| made.contains_key(&field.name))
        {
            return None;
        }
        let mut arguments: Arguments<'v> = vec![None; begin.parameters];
        let mut steps = Vec::new();
        for field in fields {
            let before = arguments.clone();
            if self.is_so(&made(&field.name), &field.value, &field.name, &mut arguments, MAX_DEPTH) {
                continue;
            }
            arguments = before;
            let own = ways.steps.iter().filter(|step| step.field == field.name);
            let more = own.into_iter().find_map(|step| self.calls_of(step, &made(&field.name), field))?;
            steps.extend(more);
            if steps.len() > MAX_STEPS {
                return None;
            }
        }
        // What a step sets anew still has to be begun with something, which nobody knows.
        let arguments = arguments.into_iter().collect::<Option<Vec<_>>>()?;
        Some(Chain { begin, arguments, steps })
    }

    /// The calls of a method that make a field what it is.
    fn calls_of<'w, 'v>(
        &self,
        step: &'w Step,
        begun: &Made,
        field: &'v Field,
    ) -> Option<Vec<(&'w Step, Given<'v>)>> {
        let one = |value: &'v Value, path: &str| {
            let mut arguments: Arguments<'v> = vec![None];
            let fits = self.is_so(&step.makes, value, path, &mut arguments, MAX_DEPTH);
            arguments.pop().flatten().filter(|_| fits)
        };
        if !step.appends {
            return Some(vec![(step, one(&field.value, &field.name)?)]);
        }
        let Data::Sequence { items, len } = &field.value.data else { return None };
        let is_whole = items.len() as u64 == *len && items.len() <= MAX_STEPS;
        if !is_whole || !matches!(begun, Made::Blank | Made::Default) || !self.is_vec(&field.value) {
            return None;
        }
        let mut calls = Vec::new();
        for (index, item) in items.iter().enumerate() {
            let is_added = step.unless_empty.as_ref().is_none_or(|path| holds_something(item, path));
            let given: Given<'v> = one(item, &format!("{}[{index}]", field.name)).filter(|_| is_added)?;
            calls.push((step, given));
        }
        Some(calls)
    }

    fn is_vec(&self, value: &Value) -> bool {
        let kind = self.types.get(value.ty).map(|shape| &shape.kind);
        matches!(kind, Some(TypeKind::Std { std: StdType::Vec, .. }))
    }

    /// Whether a place that was made so, without any parameter, holds this value.
    pub(super) fn is_made_so(&self, made: &Made, value: &Value) -> bool {
        self.is_so(made, value, "", &mut Vec::new(), MAX_DEPTH)
    }

    /// Whether a place that was made so holds this value, with what the parameters have to be for that.
    fn is_so<'v>(
        &self,
        made: &Made,
        value: &'v Value,
        path: &str,
        arguments: &mut Arguments<'v>,
        depth: u32,
    ) -> bool {
        let Some(depth) = depth.checked_sub(1) else { return false };
        match made {
            Made::Unknown => false,
            Made::Argument(index, through) => {
                if *through == Through::Slice && !self.is_vec(value) {
                    return false;
                }
                let Some(slot) = arguments.get_mut(*index).filter(|slot| slot.is_none()) else {
                    return false;
                };
                *slot = Some(Given { value, through: *through, path: path.to_owned() });
                true
            }
            Made::Number(number) => match &value.data {
                Data::Int(own) => own == number,
                Data::Uint(own) => i128::try_from(*own).is_ok_and(|own| own == *number),
                Data::Bool(own) => i128::from(*own) == *number,
                _ => false,
            },
            Made::Float(float) => match (self.types.get(value.ty).map(|shape| &shape.kind), &value.data) {
                (Some(TypeKind::Float { bits: 64 }), Data::Float(bits)) => *bits == float.to_bits(),
                (Some(TypeKind::Float { bits: 32 }), Data::Float(bits)) => {
                    *bits == u64::from((*float as f32).to_bits())
                }
                _ => false,
            },
            Made::Char(char) => matches!(&value.data, Data::Char(own) if own == char),
            Made::Text(text) => match &value.data {
                Data::Text { text: own, len } => own == text && *len == own.len() as u64,
                Data::Pointer { to: Some(to), .. } => self.is_so(made, to, path, arguments, depth),
                _ => false,
            },
            Made::Blank => seen(path, value).blank,
            Made::Default => self.is_default(value, 0),
            Made::NoFlags => self.has_no_flags(value),
            Made::Null => matches!(value.data, Data::Pointer { address: 0, to: None }),
            Made::Cell(made) => {
                let inner = self.within_cell(value);
                inner.is_some_and(|inner| self.is_so(made, inner, path, arguments, depth))
            }
            Made::Some(inner) => match &value.data {
                Data::Variant { name, fields } if name == "Some" && self.is_option(value) => {
                    let [field] = fields.as_slice() else { return false };
                    self.is_so(inner, &field.value, &format!("{path}.0"), arguments, depth)
                }
                _ => false,
            },
            Made::Variant(variant) => match &value.data {
                Data::Variant { name, fields } => name == variant && fields.is_empty(),
                _ => false,
            },
            Made::Fields(made) => match &value.data {
                Data::Struct(fields) => fields.iter().all(|field| {
                    let path = format!("{path}.{}", field.name);
                    made.get(&field.name)
                        .is_some_and(|made| self.is_so(made, &field.value, &path, arguments, depth))
                }),
                _ => false,
            },
        }
    }

    /// What is in a cell of std that nobody has borrowed, a free lock or an atomic, within the layers of its type.
    fn within_cell<'v>(&self, value: &'v Value) -> Option<&'v Value> {
        let (mut at, mut is_within) = (value, false);
        for _ in 0..MAX_DEPTH {
            at = match &at.data {
                Data::Cell { inner, state: 0, poisoned: false } => {
                    is_within = true;
                    inner
                }
                Data::Struct(fields) if fields.len() == 1 && is_of_std(self.types.name(at.ty)) => {
                    &fields[0].value
                }
                _ => break,
            };
        }
        is_within.then_some(at)
    }

    fn is_option(&self, value: &Value) -> bool {
        definition(self.types.name(value.ty)).as_deref() == Some(OPTION)
    }

    /// Whether a value is one of the macro `bitflags` with nothing set.
    pub(super) fn has_no_flags(&self, value: &Value) -> bool {
        let Some(path) = definition(self.types.name(value.ty)) else { return false };
        self.names.is_made_by(&path, "bitflags") && is_zero(value)
    }

    /// A parameter.
    fn parameter(&mut self, given: &Given<'_>, place: Place) -> Result<TokenStream, Unwritable> {
        if given.through == Through::Text && matches!(given.value.data, Data::Text { .. }) {
            return self.named(&given.path, |writer| writer.text(given.value));
        }
        let place = Place { typed: given.through == Through::Open, ..place };
        let tokens = self.part(&format!(".{}", given.path), given.value, place)?;
        match given.through {
            Through::Itself | Through::Open => Ok(tokens),
            Through::Slice => Ok(borrowed(&tokens)),
            Through::Text => {
                only_literal(&tokens).ok_or_else(|| self.refuse("nothing tells which text it was made of"))
            }
        }
    }
}

fn is_of_std(type_name: &str) -> bool {
    ["core::", "alloc::", "std::"].iter().any(|root| type_name.starts_with(root))
}

/// `bar_chart` for `ratatui::widgets::BarChart`.
fn variable_of_path(path: &str) -> String {
    path.rsplit("::").next().map_or_else(|| "value".to_owned(), snake_case)
}

/// Whether a part of a value is a collection or text that is not empty.
fn holds_something(value: &Value, path: &[String]) -> bool {
    let part = path.iter().try_fold(value, |value, name| super::seen_through::field(value, name));
    match part.map(|part| &part.data) {
        Some(
            Data::Sequence { len, .. }
            | Data::Map { len, .. }
            | Data::Text { len, .. }
            | Data::Bytes { len, .. },
        ) => *len > 0,
        _ => false,
    }
}

/// Whether all that a value holds are zeroes.
fn is_zero(value: &Value) -> bool {
    let mut open = vec![value];
    let mut numbers = 0;
    while let Some(value) = open.pop() {
        match &value.data {
            Data::Int(0) | Data::Uint(0) => numbers += 1,
            Data::Struct(_) => open.extend(value.children()),
            _ => return false,
        }
    }
    numbers > 0
}

/// `&[1, 2]` for `vec![1, 2]`.
fn borrowed(tokens: &TokenStream) -> TokenStream {
    let trees: Vec<TokenTree> = tokens.clone().into_iter().collect();
    match trees.as_slice() {
        [TokenTree::Ident(vec), TokenTree::Punct(mark), TokenTree::Group(group)]
            if vec == "vec" && mark.as_char() == '!' && group.delimiter() == Delimiter::Bracket =>
        {
            quote!(&#group)
        }
        _ => quote!(&#tokens),
    }
}

/// The one string literal in the call of a function.
fn only_literal(tokens: &TokenStream) -> Option<TokenStream> {
    let trees: Vec<TokenTree> = tokens.clone().into_iter().collect();
    let TokenTree::Group(group) = trees.last()? else { return None };
    let is_path = trees[..trees.len() - 1].iter().all(|tree| match tree {
        TokenTree::Ident(_) => true,
        TokenTree::Punct(mark) => mark.as_char() == ':',
        _ => false,
    });
    let inner: Vec<TokenTree> = group.stream().into_iter().collect();
    match inner.as_slice() {
        [TokenTree::Literal(text)] if is_path && text.to_string().starts_with(['"', 'r']) => {
            Some(quote!(#text))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::rc::Rc;

    use proc_macro2::{Ident, Span};
    use relapse_snapshot::{Trust, TypeShape, TypeTable};

    use super::*;
    use crate::expression::{Literals, Scope, StandIns, argument_with};
    use crate::names::{Names, Unnameable};

    /// `k::Policy` is sealed, and has these ways.
    struct Sealed(Ways);

    impl Names for Sealed {
        fn path(&self, definition: &str) -> Result<TokenStream, Unnameable> {
            definition.parse().map_err(|_| Unnameable(String::new()))
        }

        fn literal(&self, definition: &str) -> Result<(), Unnameable> {
            Err(Unnameable(format!("a field of `{definition}` is private")))
        }

        fn type_tokens(&self, full_name: &str) -> Result<TokenStream, Unnameable> {
            self.path(full_name)
        }

        fn ways(&self, definition: &str) -> Option<Rc<Ways>> {
            (definition == "k::Policy").then(|| Rc::new(self.0.clone()))
        }
    }

    fn ident(name: &str) -> Ident {
        Ident::new(name, Span::call_site())
    }

    fn begin(function: &str, parameters: usize, fields: &[(&str, Made)]) -> Begin {
        let fields: BTreeMap<String, Made> =
            fields.iter().map(|(name, made)| ((*name).to_owned(), made.clone())).collect();
        Begin { function: ident(function), parameters, makes: Made::Fields(fields) }
    }

    fn set(method: &str, field: &str, in_place: bool) -> Step {
        let (makes, field) = (Made::Argument(0, Through::Itself), field.to_owned());
        Step { method: ident(method), field, makes, in_place, appends: false, unless_empty: None }
    }

    /// The same, with a constructor that stores its arguments.
    struct Stored(Sealed);

    impl Names for Stored {
        fn path(&self, definition: &str) -> Result<TokenStream, Unnameable> {
            self.0.path(definition)
        }

        fn literal(&self, definition: &str) -> Result<(), Unnameable> {
            self.0.literal(definition)
        }

        fn type_tokens(&self, full_name: &str) -> Result<TokenStream, Unnameable> {
            self.0.type_tokens(full_name)
        }

        fn ways(&self, definition: &str) -> Option<Rc<Ways>> {
            self.0.ways(definition)
        }

        fn constructor(&self, _: &str, _: &[&str]) -> Result<TokenStream, Unnameable> {
            Ok(quote!(k::Policy::of))
        }
    }

    /// `Policy { retries, jitter }` by these ways, or why it cannot be written.
    fn written(retries: u128, jitter: f32, begins: Vec<Begin>, steps: Vec<Step>) -> String {
        let ways = Ways { path: quote!(k::Policy), begins, steps };
        written_with(&Sealed(ways), retries, jitter)
    }

    fn written_with(names: &dyn Names, retries: u128, jitter: f32) -> String {
        let mut types = TypeTable::default();
        let mut ty = |name: &str, kind| types.intern(TypeShape { name: name.to_owned(), size: None, kind });
        let number = ty("u32", TypeKind::Integer { signed: false, bits: 32 });
        let float = ty("f32", TypeKind::Float { bits: 32 });
        let policy =
            ty("k::Policy", TypeKind::Struct { fields: Vec::new(), tuple: false, params: Vec::new() });
        let value = |ty, data| Value { ty, trust: Trust::Entry, data };
        let field = |name: &str, value| Field { name: name.to_owned(), value };
        let fields = vec![
            field("retries", value(number, Data::Uint(retries))),
            field("jitter", value(float, Data::Float(u64::from(jitter.to_bits())))),
        ];
        let mut scope = Scope::new("test");
        let value = value(policy, Data::Struct(fields));
        match argument_with("policy", &value, &types, names, &mut scope, Literals::Inferred) {
            Ok(written) => written.lets.iter().map(ToString::to_string).collect::<String>().replace(' ', ""),
            Err(unwritable) => unwritable.reason,
        }
    }

    #[test]
    fn the_shortest_way_is_taken() {
        use Made::{Argument, Float, Number};
        let begins = || {
            vec![
                begin("new", 0, &[("retries", Number(3)), ("jitter", Float(0.5))]),
                begin("with", 1, &[("retries", Argument(0, Through::Itself)), ("jitter", Float(0.5))]),
            ]
        };
        let steps = || vec![set("retries", "retries", false), set("set_jitter", "jitter", true)];
        assert_eq!(written(3, 0.5, begins(), steps()), "letpolicy=k::Policy::new();");
        assert_eq!(written(4, 0.5, begins(), steps()), "letpolicy=k::Policy::with(4);");
        assert_eq!(
            written(3, 0.25, begins(), steps()),
            "letmutpolicy=k::Policy::new();policy.set_jitter(0.25);"
        );
    }

    /// Flags whose `Default` nothing is known of.
    struct Flags;

    impl Names for Flags {
        fn path(&self, definition: &str) -> Result<TokenStream, Unnameable> {
            Sealed(Ways { path: quote!(k::Policy), begins: Vec::new(), steps: Vec::new() }).path(definition)
        }

        fn literal(&self, _: &str) -> Result<(), Unnameable> {
            Ok(())
        }

        fn type_tokens(&self, full_name: &str) -> Result<TokenStream, Unnameable> {
            self.path(full_name)
        }

        fn is_made_by(&self, _: &str, macro_name: &str) -> bool {
            macro_name == "bitflags"
        }
    }

    #[test]
    fn the_default_of_flags_may_be_written_by_hand() {
        let mut types = TypeTable::default();
        let mut ty = |name: &str, kind| types.intern(TypeShape { name: name.to_owned(), size: None, kind });
        let bits = ty("u32", TypeKind::Integer { signed: false, bits: 32 });
        let flags = ty("k::Flags", TypeKind::Struct { fields: Vec::new(), tuple: false, params: Vec::new() });
        let value = |ty, data| Value { ty, trust: Trust::Entry, data };
        let field = Field { name: "bits".to_owned(), value: value(bits, Data::Uint(0)) };
        let flags = value(flags, Data::Struct(vec![field]));
        let mut scope = Scope::new("test");
        let stand_ins = StandIns::default();
        let writer = Writer::new(&types, &Flags, &stand_ins, &mut scope, &flags, "flags".to_owned());
        assert!(writer.is_so(&Made::NoFlags, &flags, "flags", &mut Vec::new(), MAX_DEPTH));
        assert!(!writer.is_so(&Made::Default, &flags, "flags", &mut Vec::new(), MAX_DEPTH));
    }

    #[test]
    fn a_field_that_no_call_makes_so_is_not_left_to_chance() {
        use Made::{Argument, Number, Unknown};
        let private = "a field of `k::Policy` is private";
        let unknown = begin("new", 0, &[("retries", Number(3)), ("jitter", Unknown)]);
        assert_eq!(written(3, 0.0, vec![unknown.clone()], Vec::new()), private);
        assert_eq!(
            written(3, 0.0, vec![unknown], vec![set("jitter", "jitter", false)]),
            "letpolicy=k::Policy::new().jitter(0.0);"
        );
        // A parameter of which nothing that was read tells what it was.
        let begin = begin("of", 2, &[("retries", Argument(0, Through::Itself)), ("jitter", Unknown)]);
        assert_eq!(written(3, 0.0, vec![begin], vec![set("jitter", "jitter", false)]), private);
    }

    #[test]
    fn where_a_parameter_cannot_be_written_a_constructor_is_tried() {
        use Made::{Argument, Float};
        // Nothing tells of which text the number was made.
        let named = begin("named", 1, &[("retries", Argument(0, Through::Text)), ("jitter", Float(0.5))]);
        let ways = Ways { path: quote!(k::Policy), begins: vec![named], steps: Vec::new() };
        assert_eq!(written_with(&Stored(Sealed(ways)), 3, 0.5), "letpolicy=k::Policy::of(3,0.5);");
    }
}
