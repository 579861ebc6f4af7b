//! Secrets that a name refers to by address: the value itself stands elsewhere in the argument.

use std::collections::HashSet;

use crate::value::{Data, Value};

/// The addresses of one argument that a secret name refers to.
#[derive(Default)]
pub(super) struct Secrets {
    addresses: HashSet<u64>,
}

impl Secrets {
    pub(super) fn len(&self) -> usize {
        self.addresses.len()
    }

    pub(super) fn add(&mut self, address: u64) {
        self.addresses.insert(address);
    }

    pub(super) fn has(&self, address: u64) -> bool {
        self.addresses.contains(&address)
    }

    /// Whether a pointer leads to a secret.
    pub(super) fn is_secret(&self, value: &Value) -> bool {
        matches!(&value.data, Data::Pointer { address, .. } if self.has(*address))
    }
}
