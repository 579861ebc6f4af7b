//! Names that mean the same everywhere but where a library has given them to another type. In: the source of a copy, and which
//! of them it has. Out: the same with their whole paths.

use std::collections::BTreeMap;

use syn::visit::{self, Visit};

use super::Mentions;

/// Types that have a name everywhere, with what that stands for.
const PRELUDE: [(&str, &str); 5] = [
    ("Box", "std::boxed::Box"),
    ("Option", "std::option::Option"),
    ("Result", "std::result::Result"),
    ("String", "std::string::String"),
    ("Vec", "std::vec::Vec"),
];

/// What a name stands for where nothing else has it.
pub(super) fn path_of(name: &str) -> Option<&'static str> {
    PRELUDE.iter().find(|(own, _)| *own == name).map(|(_, path)| *path)
}

/// The source with a path for each of these names, where it stands for a type; `None` where that cannot be told, as within a
/// macro.
pub(super) fn spelled_out(source: &str, names: &BTreeMap<String, &'static str>) -> Option<String> {
    if names.is_empty() {
        return Some(source.to_owned());
    }
    let file = syn::parse_file(source).ok()?;
    let mut places = Places { names, found: BTreeMap::new(), in_macro: false };
    places.visit_file(&file);
    if places.in_macro {
        return None;
    }
    let mut spelled = source.to_owned();
    for (start, (end, path)) in places.found.into_iter().rev() {
        spelled.get(start..end)?;
        spelled.replace_range(start..end, path);
    }
    Some(spelled)
}

/// Where paths begin with one of the names, and what they are to begin with.
struct Places<'n> {
    names: &'n BTreeMap<String, &'static str>,
    found: BTreeMap<usize, (usize, &'static str)>,
    in_macro: bool,
}

impl<'ast> Visit<'ast> for Places<'_> {
    fn visit_path(&mut self, path: &'ast syn::Path) {
        if let (None, Some(first)) = (&path.leading_colon, path.segments.first())
            && let Some(whole) = self.names.get(&first.ident.to_string())
        {
            let range = first.ident.span().byte_range();
            self.found.insert(range.start, (range.end, whole));
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, called: &'ast syn::Macro) {
        self.in_macro |= Mentions::idents(&called.tokens).iter().any(|ident| self.names.contains_key(ident));
    }
}
