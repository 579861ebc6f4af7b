//! From a crate's root file to its [`CrateSource`]: follows `mod`, `#[path]`, `include!` and macros whose text
//! reads as items. Reads source files; what cannot be read becomes a recorded problem.

mod declared;
mod derived;
mod imports;
mod made;
mod modules;

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use syn::Item;

use self::declared::Head;
use super::attributes::Attributes;
use super::cfg::{Cfg, CfgFacts};
use super::function::{Owner, head_line};
use super::ids::{CrateId, ModuleId, Visibility};
use super::items::{CrateSource, Entry, EntryTarget, Module, Problem, Reached};
use crate::paths::{normalized, relative};
use crate::tolerant;

/// Limits that no crate of people comes near; a hostile or cyclic tree ends there.
const MAX_FILES: usize = 20_000;
const MAX_DEPTH: usize = 96;
const MAX_FILE_BYTES: u64 = 32 << 20;

/// What a crate is called and where it begins.
pub(super) struct Root<'a> {
    pub(super) id: CrateId,
    pub(super) package: &'a str,
    pub(super) crate_name: &'a str,
    pub(super) file: &'a Path,
    pub(super) workspace_root: &'a Path,
    pub(super) package_folder: &'a Path,
    pub(super) facts: CfgFacts,
}

/// Reads a crate's source.
pub(super) fn read(root: &Root<'_>) -> CrateSource {
    let mut walk = Walk {
        root,
        source: CrateSource {
            id: root.id,
            files: Vec::new(),
            modules: Vec::new(),
            items: Vec::new(),
            functions: Vec::new(),
            impls: Vec::new(),
            opaque_macros: Vec::new(),
            problems: Vec::new(),
            no_std: false,
        },
        open_files: Vec::new(),
        wrappers: HashMap::new(),
        files_read: 0,
        macros: made::Macros::default(),
    };
    walk.crate_root();
    walk.made_at_last();
    walk.source
}

struct Walk<'a> {
    root: &'a Root<'a>,
    source: CrateSource,
    /// Files on the way from the root to here, against cycles.
    open_files: Vec<PathBuf>,
    /// `macro_rules!` that pass items through, with the condition that they put before each.
    wrappers: HashMap<String, Cfg>,
    files_read: usize,
    macros: made::Macros,
}

/// Where the walk stands.
#[derive(Clone)]
struct Spot {
    module: u32,
    /// Index of the file whose text is read.
    file: u32,
    /// Its folder.
    file_folder: PathBuf,
    /// Where `mod x;` looks.
    module_folder: PathBuf,
    /// Within an inline module.
    inline: bool,
    /// The condition of macros around.
    cfg: Cfg,
    /// Within a macro's text.
    in_macro: bool,
    /// The function around.
    nested_in: Option<String>,
    depth: usize,
    /// Uses of macros around.
    expansions: usize,
}

impl Spot {
    /// In the body or initialiser of an item.
    fn within(&self, ident: &syn::Ident) -> Spot {
        Spot { nested_in: Some(ident.to_string()), depth: self.depth + 1, ..self.clone() }
    }
}

impl Walk<'_> {
    fn crate_root(&mut self) {
        let file = normalized(self.root.file);
        let Some(parsed) = self.parse(&file) else {
            // A crate that cannot be read still has a root, so that every look-up has a place to start.
            self.source.files.push(relative(self.root.workspace_root, &file));
            self.add_module(
                None,
                String::new(),
                Visibility::Public,
                &Attributes::default(),
                Reached::Root,
                0,
                None,
            );
            return;
        };
        let attributes = Attributes::read(&parsed.attrs, &self.root.facts);
        self.source.no_std = attributes.no_std;
        let index = self.file_index(&file);
        let module =
            self.add_module(None, String::new(), Visibility::Public, &attributes, Reached::Root, index, None);
        let folder = file.parent().unwrap_or(Path::new("")).to_path_buf();
        let spot = Spot {
            module,
            file: index,
            file_folder: folder.clone(),
            module_folder: folder,
            inline: false,
            cfg: Cfg::Always,
            in_macro: false,
            nested_in: None,
            depth: 0,
            expansions: 0,
        };
        self.open_files.push(file);
        self.items(&parsed.items, &spot);
        self.open_files.pop();
    }

    fn problem(&mut self, file: &Path, reason: impl Into<String>) {
        if self.source.problems.len() < 1000 {
            let file = relative(self.root.workspace_root, file);
            self.source.problems.push(Problem { file, reason: reason.into() });
        }
    }

    fn parse(&mut self, file: &Path) -> Option<syn::File> {
        self.files_read += 1;
        if self.files_read > MAX_FILES {
            self.problem(file, "not read: the crate has too many files");
            return None;
        }
        match std::fs::metadata(file) {
            Ok(facts) if facts.len() > MAX_FILE_BYTES || !facts.is_file() => {
                self.problem(file, "not read: too large, or not a file");
                return None;
            }
            _ => {}
        }
        let text = match std::fs::read_to_string(file) {
            Ok(text) => text,
            Err(error) => {
                self.problem(file, format!("failed to read: {error}"));
                return None;
            }
        };
        let unread =
            |error: &syn::Error| format!("failed to parse, line {}: {error}", error.span().start().line);
        match tolerant::parse(&text[tolerant::start_of_code(&text)..]) {
            Ok(read) => {
                if let Some(error) = &read.problem {
                    let lines: Vec<String> = read.left_out.iter().map(ToString::to_string).collect();
                    let lines = lines.join(", ");
                    self.problem(file, format!("{}; left out is what begins at line {lines}", unread(error)));
                }
                Some(read.file)
            }
            Err(error) => {
                self.problem(file, unread(&error));
                None
            }
        }
    }

    fn file_index(&mut self, file: &Path) -> u32 {
        let path = relative(self.root.workspace_root, file);
        let known = self.source.files.iter().position(|known| *known == path);
        let index = known.unwrap_or_else(|| {
            self.source.files.push(path);
            self.source.files.len() - 1
        });
        index as u32
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "one line for each fact of a module; there is no second use"
    )]
    fn add_module(
        &mut self,
        parent: Option<&Spot>,
        name: String,
        visibility: Visibility,
        attributes: &Attributes,
        reached: Reached,
        file: u32,
        line: Option<u32>,
    ) -> u32 {
        let index = self.source.modules.len() as u32;
        let around = parent.and_then(|spot| self.source.modules.get_mut(spot.module as usize));
        let (mut path, mut inline, mut in_macro) = (Vec::new(), Vec::new(), false);
        if let Some(around) = around {
            around.children.push(index);
            path.clone_from(&around.path);
            path.push(name.clone());
            if reached == Reached::Inline {
                inline.clone_from(&around.inline);
                inline.push(name.clone());
                in_macro = around.in_macro || parent.is_some_and(|spot| spot.in_macro);
            }
        }
        let cfg = parent.map_or(Cfg::Always, |spot| spot.cfg.clone()).and(attributes.cfg.clone());
        self.source.modules.push(Module {
            id: ModuleId { krate: self.root.id, module: index },
            name,
            parent: parent.map(|spot| spot.module),
            path,
            visibility,
            cfg,
            file,
            inline,
            reached,
            in_macro,
            hidden: attributes.hidden,
            opaque: false,
            line: line.unwrap_or(0),
            entries: HashMap::new(),
            imports: Vec::new(),
            children: Vec::new(),
        });
        index
    }

    fn module_mut(&mut self, spot: &Spot) -> Option<&mut Module> {
        self.source.modules.get_mut(spot.module as usize)
    }

    fn enter(
        &mut self,
        spot: &Spot,
        name: &str,
        target: EntryTarget,
        visibility: Visibility,
        facts: (Cfg, bool),
    ) {
        // What a function's body declares is in no module's scope.
        if spot.nested_in.is_none()
            && let Some(module) = self.module_mut(spot)
        {
            let entry = Entry { target, visibility, cfg: facts.0, hidden: facts.1 };
            module.entries.entry(name.to_owned()).or_default().push(entry);
        }
    }

    /// What a `pub(…)` in the module of `spot` means.
    fn visibility(&self, visibility: &syn::Visibility, spot: &Spot) -> Visibility {
        let restricted = match visibility {
            syn::Visibility::Public(_) => return Visibility::Public,
            syn::Visibility::Inherited => return Visibility::Within(spot.module),
            syn::Visibility::Restricted(restricted) => restricted,
        };
        let mut at = spot.module;
        let parent =
            |module: u32| self.source.modules.get(module as usize).and_then(|m| m.parent).unwrap_or(0);
        for (index, segment) in restricted.path.segments.iter().enumerate() {
            match segment.ident.to_string().as_str() {
                "self" => {}
                "crate" => at = 0,
                "super" => at = parent(at),
                name => {
                    // `pub(in a::b)` without `crate` is the 2015 form: from the root.
                    let from = if index == 0 { 0 } else { at };
                    let child = self.source.modules.iter().find(|m| m.parent == Some(from) && m.name == name);
                    at = child.map_or(from, |m| m.id.module);
                }
            }
        }
        Visibility::Within(at)
    }

    fn items(&mut self, items: &[Item], spot: &Spot) {
        if spot.depth > MAX_DEPTH {
            return;
        }
        for item in items {
            self.item(item, spot);
        }
    }

    fn item(&mut self, item: &Item, spot: &Spot) {
        match item {
            Item::Mod(module) => self.module(module, spot),
            Item::Use(import) => self.import(import, spot),
            Item::ExternCrate(import) => self.extern_crate(import, spot),
            Item::Fn(function) => {
                let head = head_line(&function.vis, &function.modifiers, &function.sig);
                let visibility = self.visibility(&function.vis, spot);
                let attributes = self.attributes(&function.attrs);
                let head =
                    Head { attrs: &function.attrs, attributes, head, visibility, owner: Owner::Module };
                self.function(&function.sig, &function.block, head, spot);
            }
            Item::Impl(block) => self.implementation(block, spot),
            Item::Trait(item) => self.trait_item(item, spot),
            Item::Macro(invocation) => self.macro_item(invocation, spot),
            other => self.type_item(other, spot),
        }
    }

    fn attributes(&self, attributes: &[syn::Attribute]) -> Attributes {
        Attributes::read(attributes, &self.root.facts)
    }

    fn file_name(&self, file: u32) -> String {
        self.source.files.get(file as usize).map_or_else(String::new, |f| f.to_string_lossy().into_owned())
    }
}
