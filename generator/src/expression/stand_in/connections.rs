//! Connections: sockets and pipes of a process, of std and of async runtimes. A test has none of them, and what the other end
//! would have sent is in no snapshot; what a function has read of them already is in the buffers around them. In: a type, what
//! has to be met where it stands. Out: whether a cursor stands in for it, with what was buffered and nothing else.

use std::collections::BTreeSet;

use relapse_snapshot::{TypeId, TypeTable};

use super::{Asks, MOST_TYPES, Over, parts};
use crate::expression::definition;

/// Both read and written.
const CONNECTIONS: [&str; 11] = [
    "std::net::tcp::TcpStream",
    "std::os::unix::net::stream::UnixStream",
    "tokio::net::tcp::stream::TcpStream",
    "tokio::net::tcp::split_owned::OwnedReadHalf",
    "tokio::net::tcp::split_owned::OwnedWriteHalf",
    "tokio::net::unix::stream::UnixStream",
    "tokio::net::unix::split_owned::OwnedReadHalf",
    "tokio::net::unix::split_owned::OwnedWriteHalf",
    "tokio::io::util::mem::DuplexStream",
    "async_net::tcp::TcpStream",
    "async_std::net::tcp::stream::TcpStream",
];

/// Whether a type is a connection.
pub(super) fn is_one(path: &str) -> bool {
    CONNECTIONS.contains(&path)
}

/// The connections that a reader is made of: what is buffered of them is all that is known.
pub(super) fn within(reader: TypeId, types: &TypeTable) -> impl Iterator<Item = TypeId> {
    let (mut open, mut seen) = (vec![reader], BTreeSet::new());
    while let Some(ty) = open.pop() {
        if seen.len() < MOST_TYPES && seen.insert(ty) {
            open.extend(parts(ty, types));
        }
    }
    let is_connection = |ty: &TypeId| types.get(*ty).and_then(|shape| definition(&shape.name));
    seen.into_iter().filter(move |ty| is_connection(ty).is_some_and(|path| is_one(&path)))
}

/// Whether a cursor over a vector, which both reads and writes, will do.
pub(super) fn takes_cursor(asks: &Asks) -> bool {
    let known = |known: super::Implementors| known.all || matches!(known.cursor, Some(Over::Any | Over::Vec));
    asks.implementors.is_none_or(known)
}
