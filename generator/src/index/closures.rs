//! The text of a closure that was met as a value: found in its crate's source by where its debug info says that it
//! is written, and spelled as it means the same at the place of a test. In: the closure's path, its line, the names of its
//! captures. Out: its expression, with a placeholder for each captured place, or why it cannot be written there.

mod body;
mod find;
mod generics;
mod invocations;
mod places;
mod respell;

use proc_macro2::{Ident, Span};
use relapse_snapshot::ClosureText;

use crate::names::{CapturedPlace, RebuiltClosure, Unnameable};

use super::FunctionItem;
use super::ids::{ModuleId, plain};
use super::naming::NamesAt;
use body::Body;
use find::{Locals, Written};
use generics::Concrete;

/// What stands for the n-th captured place until it has its variable.
fn placeholder(index: usize) -> Ident {
    Ident::new(&format!("__relapse_captured_{index}"), Span::call_site())
}

/// How rustc begins the name of what is captured by reference.
const BY_REFERENCE: &str = "_ref__";

impl NamesAt<'_> {
    /// The closure of that type, spelled for this place.
    pub(super) fn closure_of(
        &self,
        name: &str,
        text: &ClosureText,
        captures: &[&str],
    ) -> Result<RebuiltClosure, Unnameable> {
        let shown: String = name.chars().take(200).collect();
        let refused = |reason: String| Unnameable(format!("the closure `{shown}` {reason}"));
        let found = find::closure(self.index(), name, text).map_err(&refused)?;
        let places: Vec<&str> =
            captures.iter().map(|name| name.strip_prefix(BY_REFERENCE).unwrap_or(name)).collect();
        let Written { mut closure, module, locals, concrete } = found;
        let mut body = Body::new(self, module, &locals, &places).with(concrete);
        body.rewrite(&mut closure).map_err(&refused)?;
        if let Some(index) = body.uses.iter().position(|uses| uses.times == 0) {
            return Err(refused(format!(
                "has captured `{}`, which its text does not use: the source has changed",
                places[index].escape_debug()
            )));
        }
        let captured = body.uses.iter().enumerate().map(|(index, uses)| CapturedPlace {
            field: captures[index].to_owned(),
            by_reference: captures[index].starts_with(BY_REFERENCE),
            variable: variable(places[index], &body.bound),
            dereferenced: uses.dereferenced,
            handed_on: uses.handed_on && !uses.assigned,
            in_format: uses.in_format,
            changed: !captures[index].starts_with(BY_REFERENCE)
                && (uses.assigned || uses.lent && locals.mutable.contains(root(places[index]))),
            placeholder: placeholder(index),
        });
        Ok(RebuiltClosure { captures: captured.collect(), closure })
    }
}

/// How what is written in a function is spelled for the place of a test.
pub(super) struct Spelling<'a> {
    names: &'a NamesAt<'a>,
    from: ModuleId,
    locals: Locals,
    concrete: Concrete,
}

impl<'a> Spelling<'a> {
    /// That of a function whose file was parsed.
    pub(super) fn at(names: &'a NamesAt<'a>, function: &FunctionItem, file: &syn::File) -> Spelling<'a> {
        let locals = find::locals(function, file);
        Spelling { names, from: function.module, locals, concrete: Concrete::default() }
    }

    /// The same where it is known what the function's generic parameters are, and its impl's, by name.
    pub(super) fn with_generics(self, function: &FunctionItem, generics: &[(&str, &str)]) -> Spelling<'a> {
        Spelling { concrete: Concrete::given(function, generics), ..self }
    }

    /// Spells the path of an item; one of a variable is refused.
    pub(super) fn item(self, path: &mut syn::Expr) -> Result<(), String> {
        if let syn::Expr::Path(name) = path
            && let Some(name) = name.path.get_ident().map(plain)
            && self.locals.variables.contains(&name)
        {
            return Err(format!("passes the variable `{name}`"));
        }
        let body = Body::new(self.names, self.from, &self.locals, &[]);
        body.with(self.concrete).rewrite_expression(path)
    }
}

/// The variable that a captured place is part of.
fn root(place: &str) -> &str {
    place.split("__").next().unwrap_or(place)
}

/// A variable for a captured place: `base` for `base` and for `self.base`, `t_0` for `t.0`, as long as the closure has
/// nothing of its own by that name.
fn variable(place: &str, bound: &std::collections::BTreeSet<String>) -> String {
    let steps: Vec<&str> = place.split("__").filter(|step| !step.is_empty()).collect();
    let all = steps.join("_");
    let named = steps.iter().rposition(|step| !step.starts_with(|c: char| c.is_ascii_digit()));
    let last = steps[named.unwrap_or_default()..].join("_");
    let free = |name: &String| !bound.contains(name);
    [last, all.clone()].into_iter().find(free).unwrap_or_else(|| format!("{all}_captured"))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_captured_place_has_a_variable_that_the_closure_does_not_bind() {
        let bound = BTreeSet::from(["x".to_owned()]);
        for (place, name) in [
            ("base", "base"),
            ("self__base", "base"),
            ("t__0", "t_0"),
            ("self__both__1", "both_1"),
            ("p__x", "p_x"),
            ("x", "x_captured"),
        ] {
            assert_eq!(variable(place, &bound), name);
        }
    }
}
