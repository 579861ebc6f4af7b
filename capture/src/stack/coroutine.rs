//! The body of an `async fn` as debug info describes it: a coroutine that is resumed again and again, and whose
//! parameters are variables. In: a function's entries. Out: its own name, and its parameters.

use gimli::{AttributeValue, Dwarf, EntriesTreeNode, Operation, Unit};

use super::arguments::{MOST_PARAMETERS, Parameter};
use super::function::{Function, Link};
use crate::image::{DieRef, Slice, UnitCache};

/// How rustc names the body of an async function.
const BODY: &str = "{async_fn";
/// What every body is given beside its state.
const CONTEXT: &str = "_task_context";
/// Scopes within scopes: each parameter has one, then the body's own.
const DEEPEST: u32 = 64;

/// The path without its last part, which is the body of an async function: `demo::fetch` of
/// `demo::fetch::{{closure}}`; `None` for all other functions.
pub(super) fn own_path<'p>(name: &str, path: &'p str) -> Option<&'p str> {
    name.strip_prefix(BODY)?;
    around_body(path)
}

/// The path without its last part, where that may be the body of an async function: a symbol does not tell it from a
/// closure.
pub(crate) fn around_body(path: &str) -> Option<&str> {
    let is_body = |part: &str| part.starts_with('{') && part.ends_with('}');
    path.rsplit_once("::").filter(|(_, last)| is_body(last)).map(|(own, _)| own)
}

/// The generic arguments that follow the name of a body: `<u8>` of `{async_fn#0}<u8>`.
pub(super) fn own_generics(name: &str) -> &str {
    name.split_once('}').map_or("", |(_, generics)| generics)
}

/// The parameters of an async function, in their declared order: what its state captured of them. Each has as its
/// second location the variable that the body moved it into, which is what the body works with.
pub(super) fn parameters(dwarf: &Dwarf<Slice>, function: &Function, units: &mut UnitCache) -> Vec<Parameter> {
    let Some(first) = function.links.first() else { return Vec::new() };
    let mut concrete = variables(dwarf, first, units);
    let origin = function.links.get(1).filter(|link| link.by == Some(gimli::DW_AT_abstract_origin));
    if let Some(origin) = origin {
        let mut described = variables(dwarf, origin, units);
        for (_, variable) in &mut described {
            let die = DieRef { unit: origin.die.unit, entry: variable.entry };
            if let Some((_, found)) = concrete.iter().find(|(_, other)| other.origin == Some(die)) {
                (variable.location, variable.constant) = (found.location, found.constant);
            }
        }
        if !described.is_empty() {
            concrete = described;
        }
    }
    let (captured, within): (Vec<_>, Vec<_>) = concrete.into_iter().partition(|(depth, _)| *depth == 0);
    let mut within = within.into_iter().map(|(_, variable)| variable).collect::<Vec<_>>();
    let mut parameters = Vec::new();
    for (_, mut parameter) in captured {
        if parameter.name.as_deref() == Some(CONTEXT) {
            continue;
        }
        // The first scope that has a variable of that name is the parameter's own; a later one shadows it.
        if let Some(at) = within.iter().position(|variable| variable.name == parameter.name) {
            parameter.in_body = within.remove(at).location;
        }
        parameters.push(parameter);
    }
    parameters
}

/// Whether a function has a variable of this name, other than a parameter.
pub(super) fn has_variable(
    dwarf: &Dwarf<Slice>,
    function: &Function,
    units: &mut UnitCache,
    name: &str,
) -> bool {
    // An optimised copy of a function has no names of its own, but those of the function that it was made of.
    let mut all = function.links.iter().flat_map(|link| variables(dwarf, link, units));
    all.any(|(_, variable)| variable.name.as_deref() == Some(name))
}

/// Whether a location is a fixed place of the stack frame. A variable that lies there has its value only in the call
/// that gave it one, and a coroutine goes on in another.
pub(super) fn is_on_the_stack(location: AttributeValue<Slice>, unit: &Unit<Slice>) -> bool {
    let Some(expression) = location.exprloc_value() else { return false };
    let mut operations = expression.operations(unit.encoding());
    matches!(operations.next(), Ok(Some(Operation::FrameOffset { .. })))
        && matches!(operations.next(), Ok(None))
}

/// The variables of a function, each with the number of scopes around it, those of functions inlined into it left
/// out.
fn variables(dwarf: &Dwarf<Slice>, link: &Link, units: &mut UnitCache) -> Vec<(u32, Parameter)> {
    let mut search = Search { dwarf, link, units, found: Vec::new() };
    if let Ok(mut tree) = link.unit.entries_tree(Some(link.die.entry))
        && let Ok(root) = tree.root()
    {
        // What is damaged ends it.
        let _ = search.look_into(root, 0);
    }
    search.found
}

struct Search<'a> {
    dwarf: &'a Dwarf<Slice>,
    link: &'a Link,
    units: &'a mut UnitCache,
    found: Vec<(u32, Parameter)>,
}

impl Search<'_> {
    fn look_into(&mut self, scope: EntriesTreeNode<'_, '_, Slice>, depth: u32) -> gimli::Result<()> {
        let mut children = scope.children();
        while let Some(child) = children.next()? {
            match child.entry().tag() {
                gimli::DW_TAG_variable if self.found.len() < MOST_PARAMETERS => {
                    let variable = Parameter::read(self.dwarf, self.link, self.units, child.entry());
                    self.found.push((depth, variable));
                }
                gimli::DW_TAG_lexical_block if depth < DEEPEST => self.look_into(child, depth + 1)?,
                _ => {}
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_body_of_an_async_function_goes_by_its_name() {
        for (name, path, own) in [
            ("{async_fn#0}", "demo::fetch::{{closure}}", Some("demo::fetch")),
            ("{async_fn#0}<u8>", "demo::fetch::<u8>::{closure#0}", Some("demo::fetch::<u8>")),
            (
                "{async_fn#0}",
                "<demo::Mem as demo::Store>::get::{{closure}}",
                Some("<demo::Mem as demo::Store>::get"),
            ),
            ("{async_block#0}", "demo::fetch::{{closure}}", None),
            ("{closure#0}", "demo::fetch::{{closure}}", None),
            ("{async_fn#0}", "demo::fetch", None),
        ] {
            assert_eq!(own_path(name, path), own, "{name} {path}");
        }
        assert_eq!(own_generics("{async_fn#0}<u8>"), "<u8>");
        assert_eq!(own_generics("{async_fn#0}"), "");
    }
}
