//! Readers and the like behind trait objects: what stands in for one of any type stands in for one that a call takes by its
//! trait alone. In: the values of the arguments. Out: the concrete types that were found there, with what their traits ask for.

use relapse_snapshot::{Data, TypeTable, Value};

use crate::expression::{Asks, Open, declared_target, principal};

/// Values that are looked through.
const MOST_VALUES: usize = 10_000;

/// The concrete types behind `&mut dyn Tr`, `Box<dyn Tr>` and the like. `asks`: what the trait of that path asks for.
pub(super) fn behind_dyn<'v>(
    values: impl Iterator<Item = &'v Value>,
    types: &TypeTable,
    asks: impl Fn(&str) -> Asks,
) -> Vec<Open> {
    let (mut found, mut open): (Vec<Open>, Vec<&Value>) = (Vec::new(), values.collect());
    let mut looked_at = 0;
    while let Some(value) = open.pop().filter(|_| looked_at < MOST_VALUES) {
        looked_at += 1;
        if let (Data::Pointer { to: Some(inner), .. }, Some(declared)) =
            (&value.data, declared_target(types, value.ty))
            && declared != inner.ty
            && let Some(path) = trait_path(types.name(declared))
            && found.iter().all(|known| known.ty != inner.ty)
        {
            found.push(Open { ty: inner.ty, asks: asks(path) });
        }
        open.extend(value.children());
    }
    found
}

/// `std::io::Read` of `dyn std::io::Read + Send`.
fn trait_path(name: &str) -> Option<&str> {
    let path = principal(name)?;
    let end = path.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':')).unwrap_or(path.len());
    Some(&path[..end]).filter(|path| !path.is_empty())
}

#[cfg(test)]
mod tests {
    use relapse_snapshot::{StdType, Trust, TypeId, TypeKind, TypeShape};

    use super::*;

    #[test]
    fn the_concrete_type_behind_a_trait_object_is_open_for_its_trait() {
        let mut types = TypeTable::default();
        let mut add = |name: &str, kind: TypeKind| {
            types.intern(TypeShape { name: name.to_owned(), size: Some(8), kind })
        };
        let object = add("(dyn std::io::Read + core::marker::Send)", TypeKind::Dyn);
        let file = add("std::fs::File", TypeKind::Std { std: StdType::File, params: Vec::new() });
        let reference = add("&mut dyn std::io::Read", TypeKind::Reference { to: object, mutable: true });
        let plain = add("&std::fs::File", TypeKind::Reference { to: file, mutable: false });
        let value = |ty: TypeId, data: Data| Value { ty, trust: Trust::AtCrash, data };
        let to_file = |ty: TypeId| {
            let inner = Some(Box::new(value(file, Data::Struct(Vec::new()))));
            value(ty, Data::Pointer { address: 8, to: inner })
        };
        let asks = |path: &str| Asks { bounds: [path.to_owned()].into(), ..Asks::default() };
        let found = behind_dyn([&to_file(reference)].into_iter(), &types, asks);
        assert_eq!(found, [Open { ty: file, asks: asks("std::io::Read") }]);
        assert!(behind_dyn([&to_file(plain)].into_iter(), &types, asks).is_empty());
    }

    #[test]
    fn a_trait_is_known_by_its_path() {
        assert_eq!(
            trait_path("dyn core::iter::traits::iterator::Iterator<Item=u8>"),
            Some("core::iter::traits::iterator::Iterator")
        );
        assert_eq!(trait_path("(dyn std::io::BufRead + core::marker::Send)"), Some("std::io::BufRead"));
        assert_eq!(trait_path("std::fs::File"), None);
    }
}
