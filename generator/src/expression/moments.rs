//! Moments of the process's own clock, which no other process shares. In: the arguments of a call, and what the clock said by
//! the crash. Out: one moment that is the test's own, from which the others are as far as they were. Where a test shows the
//! crash without, each is the moment at which the test runs: a distance to the nanosecond says nothing to its reader.

use proc_macro2::{Ident, TokenStream};
use quote::quote;
use relapse_snapshot::{Argument, Data, TypeTable, Value};

use super::scope::Scope;
use super::seen_through::{core_of, number};
use super::type_name::definition;

/// A moment of std's steady clock.
pub(crate) const INSTANT: &str = "std::time::Instant";
/// The variable of the test's own moment, where no argument gives it a name.
const NOW: &str = "now";
/// Values that are looked into.
const MOST_VALUES: usize = 100_000;
const NANOS_PER_SECOND: i128 = 1_000_000_000;
const NANOS_PER_MILLISECOND: i128 = 1_000_000;

/// How moments are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Moments {
    /// Each is the moment at which the test runs.
    #[default]
    Now,
    /// As far apart as they were; with what the clock said by the crash, in nanoseconds.
    Apart(Option<u64>),
}

/// The moment that is the test's own.
#[derive(Debug, Clone)]
pub(super) struct Base {
    nanos: i128,
    by_clock: bool,
    variable: Ident,
}

impl Base {
    /// How far a moment is from it. Between the clock and a moment lies what nobody means: less than a millisecond of that is
    /// left out, so that what was before stays before.
    fn to(&self, moment: i128) -> i128 {
        let distance = moment - self.nanos;
        let less = if self.by_clock { distance.rem_euclid(NANOS_PER_MILLISECOND) } else { 0 };
        distance - less
    }
}

/// The moment that the others are told from.
struct Found<'v> {
    nanos: i128,
    /// The argument that it is; else it is what the clock said.
    argument: Option<&'v str>,
    /// One of the others is another one.
    differ: bool,
}

impl Scope {
    /// Keeps the moments among the arguments as far apart as they were. Gives the variable of the one that they are told from.
    pub(crate) fn keep_moments(
        &mut self,
        arguments: &[(&str, &Value)],
        types: &TypeTable,
        moments: Moments,
    ) -> Option<Ident> {
        let Moments::Apart(clock) = moments else { return None };
        let Found { nanos, argument, .. } = base(arguments, std::iter::empty(), types, clock)?;
        let variable = self.variable(argument.unwrap_or(NOW));
        self.moments = Some(Base { nanos, by_clock: argument.is_none(), variable: variable.clone() });
        Some(variable)
    }

    /// How far a moment is from the test's own, in nanoseconds.
    pub(super) fn since_base(&self, moment: &Value) -> Option<(Ident, i128)> {
        let base = self.moments.as_ref()?;
        Some((base.variable.clone(), base.to(nanos(moment)?)))
    }

    /// What is passed for an argument that is the test's own moment.
    pub(crate) fn base_moment(&self, argument: &Value, types: &TypeTable) -> Option<TokenStream> {
        let own = own_moment(argument, types)?;
        let (variable, distance) = self.since_base(own)?;
        let by_reference = !std::ptr::eq(own, argument.root());
        (distance == 0).then(|| if by_reference { quote!(&#variable) } else { quote!(#variable) })
    }
}

/// Whether a test would write a moment otherwise where it keeps them apart. `made`: what was given to the calls that made values.
pub(crate) fn have_moments_apart<'v>(
    arguments: &[(&str, &'v Value)],
    made: impl Iterator<Item = &'v Argument>,
    types: &TypeTable,
    clock: Option<u64>,
) -> bool {
    let made = made.map(|argument| &argument.value);
    base(arguments, made, types, clock).is_some_and(|found| found.differ)
}

/// The moment that the others are told from: the latest that is an argument by itself, else what the clock said.
fn base<'v>(
    arguments: &[(&'v str, &'v Value)],
    made: impl Iterator<Item = &'v Value>,
    types: &TypeTable,
    clock: Option<u64>,
) -> Option<Found<'v>> {
    let all = moments(arguments.iter().map(|(_, value)| *value).chain(made), types);
    let own = |(name, value): &(&'v str, &'v Value)| Some((nanos(own_moment(value, types)?)?, *name));
    let given = arguments.iter().filter_map(own).max_by_key(|(nanos, _)| *nanos);
    let given = given.map(|(nanos, name)| (nanos, Some(name)));
    let (nanos, argument) = given.or_else(|| Some((i128::from(clock?), None)))?;
    Some(Found { nanos, argument, differ: all.iter().any(|moment| *moment != nanos) })
}

/// The moment that an argument is, or refers to.
fn own_moment<'v>(argument: &'v Value, types: &TypeTable) -> Option<&'v Value> {
    let argument = argument.root();
    let value = match &argument.data {
        Data::Pointer { to: Some(to), .. } => to,
        _ => argument,
    };
    is_moment(value, types).then_some(value)
}

fn is_moment(value: &Value, types: &TypeTable) -> bool {
    definition(types.name(value.ty)).as_deref() == Some(INSTANT)
}

/// All moments within values.
fn moments<'v>(values: impl Iterator<Item = &'v Value>, types: &TypeTable) -> Vec<i128> {
    let all = values.flat_map(Value::all).take(MOST_VALUES);
    all.filter(|value| is_moment(value, types)).filter_map(nanos).collect()
}

/// `Instant { t: Timespec { tv_sec, tv_nsec } }`, in nanoseconds.
fn nanos(moment: &Value) -> Option<i128> {
    let Data::Struct(fields) = &core_of(moment).data else { return None };
    let [secs, nanos] = fields.as_slice() else { return None };
    let (secs, nanos) = (number(&secs.value)?, number(&nanos.value)?);
    let fits = i64::try_from(secs).is_ok() && (0..NANOS_PER_SECOND).contains(&nanos);
    fits.then(|| secs * NANOS_PER_SECOND + nanos)
}

#[cfg(test)]
mod tests {
    use relapse_snapshot::{Field, FieldShape, Trust, TypeId, TypeKind, TypeShape};

    use super::*;

    struct Clock {
        types: TypeTable,
        instant: TypeId,
        number: TypeId,
        list: TypeId,
    }

    impl Clock {
        fn new() -> Clock {
            let mut types = TypeTable::default();
            let mut add =
                |name: &str, kind| types.intern(TypeShape { name: name.to_owned(), size: Some(16), kind });
            let number = add("i64", TypeKind::Integer { signed: true, bits: 64 });
            let fields = vec![FieldShape { name: "0".to_owned(), ty: number }];
            let of = |tuple| TypeKind::Struct { fields: fields.clone(), tuple, params: Vec::new() };
            let (instant, list) = (add(INSTANT, of(true)), add("demo::List", of(false)));
            Clock { types, instant, number, list }
        }

        fn at(&self, secs: i128, nanos: i128) -> Value {
            let number = |data| Value { ty: self.number, trust: Trust::Entry, data: Data::Int(data) };
            let field = |name: &str, value| Field { name: name.to_owned(), value };
            let fields = vec![field("tv_sec", number(secs)), field("tv_nsec", number(nanos))];
            Value { ty: self.instant, trust: Trust::Entry, data: Data::Struct(fields) }
        }

        fn list(&self, items: Vec<Value>) -> Value {
            let len = items.len() as u64;
            Value { ty: self.list, trust: Trust::Entry, data: Data::Sequence { items, len } }
        }
    }

    #[test]
    fn moments_are_told_from_the_one_that_is_an_argument() {
        let clock = Clock::new();
        let (list, at) = (clock.list(vec![clock.at(5, 999_999_999), clock.at(7, 1)]), clock.at(7, 1));
        let arguments = [("self", &list), ("at", &at)];
        let mut scope = Scope::new("demo");
        let now = scope.keep_moments(&arguments, &clock.types, Moments::Apart(Some(99))).unwrap();
        assert_eq!(now, "at");
        assert_eq!(scope.since_base(&clock.at(5, 999_999_999)), Some((now.clone(), -1_000_000_002)));
        assert_eq!(scope.base_moment(&at, &clock.types).unwrap().to_string(), "at");
        assert!(have_moments_apart(&arguments, std::iter::empty(), &clock.types, None));
        assert!(!have_moments_apart(&[("at", &at)], std::iter::empty(), &clock.types, None));
    }

    #[test]
    fn else_from_the_clock_in_whole_milliseconds() {
        let clock = Clock::new();
        let list = clock.list(vec![clock.at(2, 0)]);
        let mut scope = Scope::new("demo");
        let told = Moments::Apart(Some(2_000_300_000));
        let now = scope.keep_moments(&[("self", &list)], &clock.types, told).unwrap();
        assert_eq!(now, "now");
        assert_eq!(scope.since_base(&clock.at(2, 0)), Some((now.clone(), -1_000_000)));
        assert_eq!(scope.since_base(&clock.at(2, 50_000_000)).unwrap().1, 49_000_000);
        let nobody = Scope::new("demo").keep_moments(&[("self", &list)], &clock.types, Moments::Apart(None));
        assert_eq!(nobody, None);
    }
}
