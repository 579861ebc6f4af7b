//! Long paths that a test repeats, as `use` lines. In: a test's statements, and which names are free where it stands.
//! Out: the statements with the short names, and the lines.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::{Group, Ident, Spacing, TokenStream, TokenTree};

/// A path is imported that occurs as often as this.
const OFTEN: usize = 3;
/// A path of fewer segments is no long one.
const LONG: usize = 3;

/// Imports the types whose long paths are repeated, and others of their modules, where `may` says that this path can be
/// imported by its last name.
pub fn import_repeated(tokens: TokenStream, may: &dyn Fn(&str, &str) -> bool) -> (TokenStream, Vec<String>) {
    let mut seen = Seen::default();
    seen.look(&tokens);
    let may = |path: &String, name: &String| {
        // Of two types of one name neither is the obvious one.
        let alone = seen.paths.iter().all(|(other, (same, _))| other == path || same != name);
        alone && !seen.bare.contains(name) && may(path, name)
    };
    let often: BTreeSet<&str> = seen
        .paths
        .iter()
        .filter(|(path, (name, times))| *times >= OFTEN && may(path, name))
        .filter_map(|(path, _)| Some(path.rsplit_once("::")?.0))
        .collect();
    // Nobody names one type of a module by a `use`, and its neighbour by the whole path.
    let mut chosen: BTreeMap<&str, Vec<&String>> = BTreeMap::new();
    let mut paths = Vec::new();
    for (path, (name, _)) in &seen.paths {
        let module = path.rsplit_once("::").map(|(module, _)| module).filter(|module| often.contains(module));
        if let Some(module) = module.filter(|_| may(path, name)) {
            chosen.entry(module).or_default().push(name);
            paths.push(path);
        }
    }
    if chosen.is_empty() {
        return (tokens, Vec::new());
    }
    let uses = chosen.into_iter().map(|(module, names)| match names.as_slice() {
        [name] => format!("use {module}::{name};"),
        names => {
            let names: Vec<&str> = names.iter().map(|name| name.as_str()).collect();
            format!("use {module}::{{{}}};", names.join(", "))
        }
    });
    let uses = uses.collect();
    (shortened(tokens, &paths), uses)
}

/// What the statements name.
#[derive(Default)]
struct Seen {
    /// By long path to a type: its last name, and how often it occurs.
    paths: BTreeMap<String, (String, usize)>,
    /// Names that stand alone or begin a path.
    bare: Vec<String>,
}

impl Seen {
    fn look(&mut self, tokens: &TokenStream) {
        let trees: Vec<TokenTree> = tokens.clone().into_iter().collect();
        let mut at = 0;
        while let Some(tree) = trees.get(at) {
            if let TokenTree::Group(group) = tree {
                self.look(&group.stream());
            }
            let Some(path) = Path::at(&trees, at) else {
                at += 1;
                continue;
            };
            if let Some((text, name, _)) = path.long_type() {
                self.paths.entry(text).or_insert((name, 0)).1 += 1;
            } else if let Some(first) = path.segments.first().filter(|_| !path.absolute) {
                self.bare.push(first.to_string());
            }
            at = path.end;
        }
    }
}

fn shortened(tokens: TokenStream, imported: &[&String]) -> TokenStream {
    let trees: Vec<TokenTree> = tokens.into_iter().collect();
    let (mut out, mut at) = (Vec::with_capacity(trees.len()), 0);
    while let Some(tree) = trees.get(at) {
        if let Some(path) = Path::at(&trees, at) {
            let last =
                path.long_type().filter(|(text, ..)| imported.contains(&text)).map(|(_, _, last)| last);
            out.extend(trees[last.unwrap_or(at)..path.end].iter().cloned());
            at = path.end;
            continue;
        }
        out.push(match tree {
            TokenTree::Group(group) => {
                let mut inner = Group::new(group.delimiter(), shortened(group.stream(), imported));
                inner.set_span(group.span());
                TokenTree::Group(inner)
            }
            other => other.clone(),
        });
        at += 1;
    }
    out.into_iter().collect()
}

/// A path among tokens.
struct Path<'t> {
    absolute: bool,
    segments: Vec<&'t Ident>,
    /// Where each segment stands.
    places: Vec<usize>,
    /// The token after it.
    end: usize,
}

impl<'t> Path<'t> {
    /// The path that begins with this token.
    fn at(trees: &'t [TokenTree], start: usize) -> Option<Path<'t>> {
        let absolute = is_separator(trees, start) && !continues(trees, start);
        let mut path = Path { absolute, segments: Vec::new(), places: Vec::new(), end: start };
        let mut at = if absolute { start + 2 } else { start };
        while let Some(TokenTree::Ident(segment)) = trees.get(at) {
            path.segments.push(segment);
            path.places.push(at);
            path.end = at + 1;
            if !is_separator(trees, at + 1) {
                break;
            }
            at += 3;
        }
        (!path.segments.is_empty()).then_some(path)
    }

    /// The part that leads to a type, where it is long: as text, with its last name and that one's place.
    fn long_type(&self) -> Option<(String, String, usize)> {
        let is_type = |segment: &&Ident| segment.to_string().starts_with(char::is_uppercase);
        let last = self.segments.iter().position(is_type).filter(|last| last + 1 >= LONG)?;
        let words: Vec<String> = self.segments[..=last].iter().map(ToString::to_string).collect();
        let text = format!("{}{}", if self.absolute { "::" } else { "" }, words.join("::"));
        Some((text, words.last()?.clone(), self.places[last]))
    }
}

/// Whether `::` stands here.
fn is_separator(trees: &[TokenTree], at: usize) -> bool {
    let colon = |at: usize, joint: bool| match trees.get(at) {
        Some(TokenTree::Punct(punct)) => {
            punct.as_char() == ':' && (!joint || punct.spacing() == Spacing::Joint)
        }
        _ => false,
    };
    colon(at, true) && colon(at + 1, false)
}

/// Whether what stands here goes on with a path: `Vec::<u8>::new`, `<T as Trait>::new`.
fn continues(trees: &[TokenTree], at: usize) -> bool {
    match at.checked_sub(1).and_then(|before| trees.get(before)) {
        Some(TokenTree::Ident(_)) => true,
        Some(TokenTree::Punct(punct)) => punct.as_char() == '>',
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn imported(source: &str, taken: &[&str]) -> (String, Vec<String>) {
        let (tokens, uses) = import_repeated(source.parse().unwrap(), &|_, name| !taken.contains(&name));
        let text = tokens.to_string();
        let expected: TokenStream = text.parse().unwrap();
        (expected.to_string().replace(' ', ""), uses)
    }

    #[test]
    fn a_long_path_that_is_repeated_is_imported_once() {
        let source =
            "let k = vec![crate::a::b::Kind::X, crate::a::b::Kind::Y { n: crate::a::b::Kind::<u8>::new() }];";
        let (text, uses) = imported(source, &[]);
        assert_eq!(uses, ["use crate::a::b::Kind;"]);
        assert_eq!(text, "letk=vec![Kind::X,Kind::Y{n:Kind::<u8>::new()}];");
    }

    #[test]
    fn types_of_one_module_are_imported_together() {
        let source = "f(crate::a::Kind::X, crate::a::Kind::Y, crate::a::Kind::Z, crate::a::Area::new(), crate::b::Other::X, \
                      crate::a::Taken::X, std::a::Kin::X);";
        let (text, uses) = imported(source, &["Taken"]);
        assert_eq!(uses, ["use crate::a::{Area, Kind};"]);
        assert_eq!(
            text,
            "f(Kind::X,Kind::Y,Kind::Z,Area::new(),crate::b::Other::X,crate::a::Taken::X,std::a::Kin::X);"
        );
    }

    #[test]
    fn what_is_seldom_short_or_taken_stays() {
        let twice = "f(crate::a::Kind::X, crate::a::Kind::X);";
        let short = "f(a::Kind::X, a::Kind::X, a::Kind::X);";
        let long = "f(crate::a::Kind::X, crate::a::Kind::X, crate::a::Kind::X);";
        let beside = format!("let k: Kind = 1; {long}");
        let two = format!("{long} f(crate::b::Kind::X);");
        let functions = "crate::a::b::make(); crate::a::b::make(); crate::a::b::make();";
        for (source, taken) in
            [(twice, ""), (short, ""), (long, "Kind"), (&beside, ""), (&two, ""), (functions, "")]
        {
            assert_eq!(imported(source, &[taken]).1, Vec::<String>::new(), "{source}");
        }
        // A variant of the same name is none of it.
        let variants = "f(crate::a::Kind::Kind, crate::a::Kind::Kind, ::std::x::Y, crate::a::Kind::Kind);";
        let (text, uses) = imported(variants, &[]);
        assert_eq!(uses, ["use crate::a::Kind;"]);
        assert_eq!(text, "f(Kind::Kind,Kind::Kind,::std::x::Y,Kind::Kind);");
    }
}
