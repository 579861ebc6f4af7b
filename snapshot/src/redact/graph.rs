//! Secrets that a name refers to by address, and names that are: the value itself stands elsewhere in the argument.
//! Found in one walk before anything is masked, while everything can still be read at its place.

use std::collections::{HashMap, HashSet};

use crate::graph::{Place, Targets, place, referable};
use crate::value::{Data, Value};

/// What one argument refers to that matters here.
#[derive(Default)]
pub(super) struct Places {
    /// Addresses that a secret name refers to.
    secrets: HashSet<u64>,
    /// Places whose value is the name of a secret.
    names: HashSet<Place>,
}

/// What there is at the addresses of an argument: all that can be referred to.
pub(super) struct ByAddress<'v>(HashMap<u64, Vec<&'v Value>>);

impl Places {
    /// Whether an address is one that a secret name refers to.
    pub(super) fn has(&self, address: u64) -> bool {
        self.secrets.contains(&address)
    }

    /// Whether a pointer leads to a secret.
    pub(super) fn is_secret(&self, value: &Value) -> bool {
        matches!(&value.data, Data::Pointer { address, .. } if self.has(*address))
    }

    /// Whether a value stands elsewhere, and is a secret's name there.
    pub(super) fn is_name(&self, value: &Value) -> bool {
        place(value).is_some_and(|place| self.names.contains(&place))
    }

    /// Enters the address that a secret refers to; what stands there, where it was not known to be secret.
    pub(super) fn add<'v>(&mut self, address: u64, known: &ByAddress<'v>) -> Vec<&'v Value> {
        let is_new = self.secrets.insert(address);
        known.0.get(&address).filter(|_| is_new).cloned().unwrap_or_default()
    }

    /// The places at which `names_secret` finds a name; and everything by its address. Nothing where nothing is referred to.
    pub(super) fn named<'v>(
        argument: &'v Value,
        mut names_secret: impl FnMut(&'v Value, &Targets<'v>) -> bool,
    ) -> (Places, Option<ByAddress<'v>>) {
        let (mut by_address, mut references) = (HashMap::<u64, Vec<&Value>>::new(), HashMap::new());
        let mut open = vec![argument];
        while let Some(value) = open.pop() {
            references.extend(place(value).map(|place| (place, value)));
            for (address, value) in referable(value) {
                by_address.entry(address).or_default().push(value);
            }
            open.extend(value.children());
        }
        let mut places = Places::default();
        if references.is_empty() {
            return (places, None);
        }
        let targets = Targets::of(argument);
        let names = references.into_iter().filter(|(_, value)| names_secret(value, &targets));
        places.names = names.map(|(place, _)| place).collect();
        (places, Some(ByAddress(by_address)))
    }
}
