//! Which files a `mod` or an `include!` leads to, and the way into them.

use std::path::{Path, PathBuf};

use super::{MAX_DEPTH, Spot, Walk};
use crate::index::attributes::Attributes;
use crate::index::cfg::{Cfg, Holds};
use crate::index::ids::Visibility;
use crate::index::ids::plain;
use crate::index::items::{EntryTarget, Reached};
use crate::index::macros;
use crate::paths::normalized;

struct ModuleFile {
    file: PathBuf,
    reached: Reached,
    cfg: Cfg,
}

impl Walk<'_> {
    pub(super) fn module(&mut self, item: &syn::ItemMod, spot: &Spot) {
        if spot.nested_in.is_some() {
            return;
        }
        let attributes = self.attributes(&item.attrs);
        let name = plain(&item.ident);
        let line = item.ident.span().start().line as u32;
        let visibility = self.visibility(&item.vis, spot);
        let base = if spot.inline { &spot.module_folder } else { &spot.file_folder };
        if let Some((_, items)) = &item.content {
            let folder = match attributes.paths.first() {
                Some((_, path)) => base.join(path),
                None => spot.module_folder.join(&name),
            };
            let module = self.add_module(
                Some(spot),
                name.clone(),
                visibility,
                &attributes,
                Reached::Inline,
                spot.file,
                Some(line),
            );
            let cfg = self.module_cfg(module);
            self.enter(spot, &name, EntryTarget::Module(module), visibility, (cfg, attributes.hidden));
            let inner = Spot {
                module,
                module_folder: folder,
                inline: true,
                cfg: Cfg::Always,
                depth: spot.depth + 1,
                ..spot.clone()
            };
            let begun = self.macros.scope_begins();
            self.items(items, &inner);
            if !attributes.macro_use {
                self.macros.scope_ends(begun);
            }
            return;
        }
        for found in self.module_files(&name, &attributes, spot) {
            self.module_file(found, &name, (visibility, line), &attributes, spot);
        }
    }

    pub(super) fn module_cfg(&self, module: u32) -> Cfg {
        self.source.modules.get(module as usize).map_or(Cfg::Always, |m| m.cfg.clone())
    }

    /// The files that `mod name;` may mean: those of `#[path]`s that exist, and the usual place.
    fn module_files(&mut self, name: &str, attributes: &Attributes, spot: &Spot) -> Vec<ModuleFile> {
        let base = if spot.inline { &spot.module_folder } else { &spot.file_folder };
        let (mut found, mut otherwise) = (Vec::new(), Cfg::Always);
        for (condition, path) in &attributes.paths {
            let file = normalized(&base.join(path));
            if file.is_file() {
                let cfg = otherwise.clone().and(condition.clone());
                found.push(ModuleFile { file, reached: Reached::PathAttribute, cfg });
            }
            if *condition == Cfg::Always {
                return found;
            }
            otherwise = otherwise.and(condition.clone().negated());
        }
        let usual =
            [spot.module_folder.join(format!("{name}.rs")), spot.module_folder.join(name).join("mod.rs")];
        if let Some(file) = usual.iter().find(|file| file.is_file()) {
            found.push(ModuleFile { file: normalized(file), reached: Reached::File, cfg: otherwise });
        } else if found.is_empty() {
            let cfg = spot.cfg.clone().and(attributes.cfg.clone());
            if cfg.holds(&self.root.facts) != Holds::No {
                self.problem(&usual[0], format!("module `{name}` has no file"));
            }
        }
        found
    }

    fn module_file(
        &mut self,
        found: ModuleFile,
        name: &str,
        (visibility, line): (Visibility, u32),
        attributes: &Attributes,
        spot: &Spot,
    ) {
        if self.open_files.contains(&found.file) || self.open_files.len() > MAX_DEPTH {
            self.problem(&found.file, format!("module `{name}` leads back to a file around it"));
            return;
        }
        let Some(parsed) = self.parse(&found.file) else { return };
        let inner_attributes = self.attributes(&parsed.attrs);
        let mut attributes = attributes.clone();
        attributes.hidden |= inner_attributes.hidden;
        attributes.cfg = attributes.cfg.and(found.cfg).and(inner_attributes.cfg);
        let file = self.file_index(&found.file);
        let module = self.add_module(
            Some(spot),
            name.to_owned(),
            visibility,
            &attributes,
            found.reached,
            file,
            Some(line),
        );
        let cfg = self.module_cfg(module);
        self.enter(spot, name, EntryTarget::Module(module), visibility, (cfg, attributes.hidden));
        let folder = found.file.parent().unwrap_or(Path::new("")).to_path_buf();
        let owns_folder = found.reached == Reached::PathAttribute
            || found.file.file_name().is_some_and(|file_name| file_name == "mod.rs");
        let inner = Spot {
            module,
            file,
            module_folder: if owns_folder { folder.clone() } else { folder.join(name) },
            file_folder: folder,
            inline: false,
            cfg: Cfg::Always,
            in_macro: false,
            nested_in: None,
            depth: spot.depth + 1,
            expansions: spot.expansions,
        };
        let begun = self.macros.scope_begins();
        self.open_files.push(found.file);
        self.items(&parsed.items, &inner);
        self.open_files.pop();
        if !attributes.macro_use {
            self.macros.scope_ends(begun);
        }
    }

    pub(super) fn include(&mut self, invocation: &syn::Macro, spot: &Spot) {
        let Some(path) = macros::included_path(&invocation.tokens, self.root.package_folder) else {
            self.opaque(invocation, None, spot);
            return;
        };
        let file = normalized(&spot.file_folder.join(path));
        if self.open_files.contains(&file) || self.open_files.len() > MAX_DEPTH {
            self.problem(&file, "includes itself");
            return;
        }
        let Some(parsed) = self.parse(&file) else { return };
        let folder = file.parent().unwrap_or(Path::new("")).to_path_buf();
        let inner = Spot {
            file: self.file_index(&file),
            file_folder: folder.clone(),
            module_folder: folder,
            inline: false,
            depth: spot.depth + 1,
            ..spot.clone()
        };
        self.open_files.push(file);
        self.items(&parsed.items, &inner);
        self.open_files.pop();
    }
}
