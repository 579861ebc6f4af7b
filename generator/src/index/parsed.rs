//! Source files as syntax, each parsed once, for those who need a body. In: paths relative to the workspace. Reads source
//! files of the workspace only.

use std::cell::RefCell;
use std::collections::HashMap;
use std::path::{Component, Path};
use std::rc::Rc;

use super::SourceIndex;
use crate::tolerant;

/// Largest file that is parsed.
const MAX_BYTES: u64 = 32 << 20;

/// The files that were asked for so far.
#[derive(Default)]
pub(super) struct Parsed(RefCell<HashMap<String, Option<Rc<syn::File>>>>);

impl SourceIndex {
    /// The syntax of a file of the workspace; `None`: it cannot be read, or does not parse.
    pub(super) fn parsed(&self, file: &str) -> Option<Rc<syn::File>> {
        if let Some(known) = self.parsed.0.borrow().get(file) {
            return known.clone();
        }
        let parsed = self.parse(file).map(Rc::new);
        self.parsed.0.borrow_mut().insert(file.to_owned(), parsed.clone());
        parsed
    }

    fn parse(&self, file: &str) -> Option<syn::File> {
        let path = Path::new(file);
        let is_plain =
            path.components().all(|part| matches!(part, Component::Normal(_) | Component::ParentDir));
        if !is_plain {
            return None;
        }
        let path = self.workspace_root().join(path);
        let facts = std::fs::metadata(&path).ok()?;
        if !facts.is_file() || facts.len() > MAX_BYTES {
            return None;
        }
        let text = std::fs::read_to_string(path).ok()?;
        tolerant::parse(&text[tolerant::start_of_code(&text)..]).ok().map(|read| read.file)
    }
}
