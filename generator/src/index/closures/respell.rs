//! A path written at one place, spelled for another. In: the path, the module that it stands in. Out: the same path
//! where it means the same at the test's place, another one for the same thing, or why there is none.

use crate::index::ids::{ModuleId, plain};
use crate::index::naming::{NamesAt, ident, is_primitive};
use crate::index::resolve::{Def, Space};

use super::body::{Body, replace};

/// Spells a path, its first `count` segments where that is given, for the place of the test.
pub(super) fn path(
    body: &Body<'_>,
    path: &mut syn::Path,
    count: Option<usize>,
    space: Space,
) -> Result<(), String> {
    let all: Vec<String> = path.segments.iter().map(|segment| plain(&segment.ident)).collect();
    let count = count.unwrap_or(all.len()).min(all.len());
    let written = &all[..count];
    let Some(first) = written.first() else { return Ok(()) };
    let absolute = path.leading_colon.is_some();
    if !absolute {
        if let Some(what) = body.locals.hides(first) {
            return Err(format!("names `{first}`, {what}"));
        }
        if first == "Self" {
            return Err("names `Self`, the type of the impl around it".to_owned());
        }
    }
    // What a `use` in the function brings is spelled by its own path.
    let imported = body.locals.imports.get(first).filter(|_| !absolute);
    let full: Vec<String> = match imported {
        Some(import) => import.iter().chain(&written[1..]).cloned().collect(),
        None => written.to_vec(),
    };
    let shift = full.len() - written.len();
    let at = Looked { names: body.names, from: body.from, absolute, in_use: imported.is_some() };
    if imported.is_none() && at.means_the_same(&full, space) {
        return Ok(());
    }
    let is_type = is_primitive(first) && (count > 1 || space == Space::Types);
    if imported.is_none() && is_type && at.meaning(&full[..1], Space::Types).is_empty() {
        return Ok(());
    }
    let Some((length, def, own)) = at.longest(&full, space) else {
        let glob = if body.locals.has_glob { " (a glob within the function may bring it)" } else { "" };
        return Err(format!("names `{}`, which is not known to be anything{glob}", written.join("::")));
    };
    let spelled = body.names.spell(&def, own).map_err(|unnameable| at.private(&def, &unnameable.0))?;
    let segments = spelled
        .segments
        .iter()
        .map(|segment| ident(segment))
        .collect::<Result<Vec<_>, _>>()
        .map_err(|e| e.0)?;
    replace(path, length.saturating_sub(shift), spelled.absolute, &segments);
    Ok(())
}

struct Looked<'a> {
    names: &'a NamesAt<'a>,
    from: ModuleId,
    absolute: bool,
    in_use: bool,
}

impl Looked<'_> {
    /// What a path means where the closure stands.
    fn meaning(&self, path: &[String], space: Space) -> Vec<Def> {
        self.names.reach.resolver.path(self.from, path, self.absolute, self.in_use, space)
    }

    /// Whether a path can stay as it is written. The test stands two modules further in, with a glob of its module.
    fn means_the_same(&self, path: &[String], space: Space) -> bool {
        if matches!(path[0].as_str(), "self" | "super") {
            return false;
        }
        let there = self.meaning(path, space);
        let here = self.names.reach.resolver.path(self.names.module, path, self.absolute, false, space);
        there.len() == 1 && here == there
    }

    /// The most segments of a path that lead to a thing with a name: behind it stand what belongs to a type.
    fn longest(&self, path: &[String], space: Space) -> Option<(usize, Def, Space)> {
        // Of std it is not known which paths there are: the first name in capitals is a type.
        let type_at = path.iter().position(|segment| segment.starts_with(char::is_uppercase));
        if let Some(at) = type_at
            && at + 1 < path.len()
            && let [def @ Def::Std(_)] = self.meaning(&path[..=at], Space::Types).as_slice()
        {
            return Some((at + 1, def.clone(), Space::Types));
        }
        for length in (1..=path.len()).rev() {
            let own = if length == path.len() { space } else { Space::Types };
            match self.meaning(&path[..length], own).as_slice() {
                // A variant is spelled by its enum, whose arguments may stand there.
                [Def::Variant(..)] if length > 1 => {}
                [Def::Module(_)] => return None,
                [def] => return Some((length, def.clone(), own)),
                _ => {}
            }
        }
        None
    }

    /// Why a thing cannot be named, where it belongs to a program.
    fn private(&self, def: &Def, reason: &str) -> String {
        let index = self.names.index();
        let krate = match def {
            Def::Item(id) | Def::Variant(id, _) => id.krate,
            Def::Function(id) => id.krate,
            Def::Made(module, _) | Def::Module(module) => module.krate,
            Def::Std(_) => return format!("names what cannot be named: {reason}"),
        };
        let target = index.target(krate);
        if krate == self.names.module.krate || target.kind.is_library() {
            return format!("names what cannot be named: {reason}");
        }
        let name = match def {
            Def::Item(id) | Def::Variant(id, _) => &index.item(*id).name,
            Def::Function(id) => &index.function(*id).name,
            Def::Made(_, name) => name,
            Def::Module(_) | Def::Std(_) => &target.name,
        };
        format!("names `{name}`, which belongs to the program `{}`", target.name)
    }
}
