//! Functions that one macro makes several times of the same text: they have one place and one name, and the frame's path
//! tells which of them it is. In: the functions at a place. Out: the one that is meant.

use quote::ToTokens;

use crate::index::{FunctionItem, Holds, Owner, SourceIndex};

/// Of functions of the same text as the first, the one that the path names best; the first where it tells nothing.
pub(super) fn meant<'a>(
    found: &[&'a FunctionItem],
    path: &str,
    index: &SourceIndex,
) -> Option<&'a FunctionItem> {
    let first = *found.first()?;
    let is_twin = |other: &&&FunctionItem| {
        (&other.file, other.name_line, other.body_lines) == (&first.file, first.name_line, first.body_lines)
    };
    let mut twins = found.iter().filter(is_twin).copied();
    let mut best = twins.next()?;
    let mut score = fits(best, path, index);
    for twin in twins {
        let other = fits(twin, path, index);
        if other > score {
            (best, score) = (twin, other);
        }
    }
    Some(best)
}

/// Whether a function is part of the build, and how much of what it belongs to stands in a path: its type, its trait, its
/// module.
fn fits(function: &FunctionItem, path: &str, index: &SourceIndex) -> (bool, bool, bool, usize) {
    let compact = plain(path);
    let words: Vec<&str> = path.split(|c: char| !c.is_alphanumeric() && c != '_').collect();
    let is_named = |ty: &syn::Type| match ty {
        syn::Type::Path(of) => of.path.segments.last().is_some_and(|last| {
            words.contains(&last.ident.to_string().trim_start_matches("r#"))
                && (last.arguments.is_empty()
                    || compact.contains(&plain(&last.to_token_stream().to_string())))
        }),
        other => compact.contains(&plain(&other.to_token_stream().to_string())),
    };
    let (of_trait, of_type) = match &function.owner {
        Owner::Module => (true, true),
        Owner::Inherent { self_type, .. } => (true, is_named(self_type)),
        Owner::TraitImpl { self_type, trait_path, .. } => {
            let last = trait_path.segments.last().map(|last| plain(&last.to_token_stream().to_string()));
            (last.is_none_or(|last| compact.contains(&last)), is_named(self_type))
        }
        Owner::Trait { name, .. } => (words.contains(&name.as_str()), true),
    };
    let module = &index.module(function.module).path;
    let known = module.iter().filter(|name| words.contains(&name.as_str())).count();
    // Of two modules of which all names stand in the path the inner one is meant; a name that does not, counts against it.
    // One file may be the module of two declarations, of which a build has one.
    let is_built = index.function_holds(function) != Holds::No;
    (is_built, of_type, of_trait, (known + 64).saturating_sub(2 * (module.len() - known)))
}

fn plain(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::index::tests::Fixture;

    #[test]
    fn of_two_modules_of_one_file_that_of_the_build_is_meant() {
        let lib = "#[cfg(feature = \"open\")]\npub mod inner;\n#[cfg(not(feature = \"open\"))]\nmod inner;\n";
        let fixture = Fixture::library(lib, &[("src/inner.rs", "pub fn go() {}\n")]);
        let found = fixture.index.function_at("src/inner.rs", 1, "go", "demo");
        assert_eq!(found.len(), 2);
        let function = meant(&found, "demo::inner::go", &fixture.index).unwrap();
        assert_eq!(fixture.index.function_holds(function), Holds::Yes);
    }
}
