//! Manifests in the copy: an absolute path that names a copied package must name its copy, or cargo would meet
//! the same package twice. Everything else stays to the letter.

use std::borrow::Cow;
use std::path::Path;

use toml_edit::{DocumentMut, Item, Table, TableLike, Value};

use super::layout::Layout;

/// Keys of a manifest whose value is a path.
const PATH_KEYS: [&str; 3] = ["path", "workspace", "build"];

/// The content that a file has in the copy: its own, except for a manifest with absolute paths.
pub(super) fn for_copy<'a>(path: &Path, content: &'a [u8], layout: &Layout) -> Cow<'a, [u8]> {
    if path.file_name().is_none_or(|name| name != "Cargo.toml") {
        return Cow::Borrowed(content);
    }
    let parsed = std::str::from_utf8(content).ok().and_then(|text| text.parse::<DocumentMut>().ok());
    // A broken manifest is cargo's to complain about.
    let Some(mut document) = parsed else { return Cow::Borrowed(content) };
    if redirect_table(document.as_table_mut(), layout) {
        Cow::Owned(document.to_string().into_bytes())
    } else {
        Cow::Borrowed(content)
    }
}

fn redirect_table(table: &mut Table, layout: &Layout) -> bool {
    let mut changed = false;
    for (key, item) in table.iter_mut() {
        let is_path = PATH_KEYS.contains(&key.get());
        changed |= match item {
            Item::Table(inner) => redirect_table(inner, layout),
            Item::ArrayOfTables(tables) => {
                tables.iter_mut().fold(false, |any, inner| redirect_table(inner, layout) | any)
            }
            Item::Value(value) => redirect_value(value, is_path, layout),
            Item::None => false,
        };
    }
    changed
}

fn redirect_value(value: &mut Value, is_path: bool, layout: &Layout) -> bool {
    match value {
        Value::InlineTable(table) => {
            let mut changed = false;
            for (key, item) in TableLike::iter_mut(table) {
                let is_path = PATH_KEYS.contains(&key.get());
                changed |= item.as_value_mut().is_some_and(|inner| redirect_value(inner, is_path, layout));
            }
            changed
        }
        Value::String(text) if is_path && Path::new(text.value()).is_absolute() => {
            let copied = layout.in_tree(Path::new(text.value()));
            let Some(copied) = copied.as_deref().and_then(Path::to_str) else { return false };
            let decor = text.decor().clone();
            *value = Value::from(copied);
            *value.decor_mut() = decor;
            true
        }
        _ => false,
    }
}
