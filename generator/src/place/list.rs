//! The `mod.rs` of a folder of regressions: which names it lists, and how one is put in or taken out while
//! everything else that somebody wrote there stays.

use std::collections::BTreeSet;

/// What the head of a list of ours says: `mod.rs.tera`.
pub(super) const OURS: &str = "`cargo relapse sync` lists the files of this folder";

/// The names that a `mod.rs` declares without a body.
pub(super) fn names(text: &str) -> BTreeSet<String> {
    text.lines().filter_map(name_of).map(str::to_owned).collect()
}

/// Whether a text is nothing but a list. What holds code is somebody's own, and stays whatever it lists.
pub(super) fn is_bare(text: &str) -> bool {
    let is_name = |item: &syn::Item| matches!(item, syn::Item::Mod(module) if module.content.is_none());
    syn::parse_file(text).is_ok_and(|file| file.items.iter().all(is_name))
}

/// The text with exactly these names, and those that say themselves where their file is. `None`: the text is no list (a merge left its marks, say) and should be
/// made anew.
pub(super) fn with_names(text: &str, wanted: &BTreeSet<String>) -> Option<String> {
    syn::parse_file(text).ok()?;
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let mut present = BTreeSet::new();
    let mut at = 0;
    while at < lines.len() {
        match name_of(&lines[at]).map(str::to_owned) {
            // Gone, or listed twice (as after a merge): with its attributes.
            Some(_) if has_path(&lines, at) => at += 1,
            Some(name) if !wanted.contains(&name) || !present.insert(name.clone()) => {
                let first = first_attribute(&lines, at);
                lines.drain(first..=at);
                at = first;
            }
            _ => at += 1,
        }
    }
    for name in wanted.difference(&present) {
        let later = lines.iter().position(|line| name_of(line).is_some_and(|other| other > name.as_str()));
        let last = lines.iter().rposition(|line| name_of(line).is_some());
        let line = format!("mod {name};");
        match (later, last) {
            (Some(later), _) => lines.insert(first_attribute(&lines, later), line),
            (None, Some(last)) => lines.insert(last + 1, line),
            (None, None) => {
                if lines.last().is_some_and(|line| !line.trim().is_empty()) {
                    lines.push(String::new());
                }
                lines.push(line);
            }
        }
    }
    let mut out = lines.join("\n");
    out.push('\n');
    Some(out)
}

fn name_of(line: &str) -> Option<&str> {
    line.trim().strip_prefix("mod ")?.strip_suffix(';').map(str::trim)
}

/// The first of the attribute lines that stand right before this line.
fn first_attribute(lines: &[String], at: usize) -> usize {
    let mut first = at;
    while first > 0 && lines[first - 1].trim().starts_with("#[") {
        first -= 1;
    }
    first
}

/// Whether a name says where its file is: nothing in this folder tells whether it is there.
fn has_path(lines: &[String], at: usize) -> bool {
    lines[first_attribute(lines, at)..at].iter().any(|line| line.trim().starts_with("#[path"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_with_code_is_not_bare() {
        assert!(is_bare("// head\n\n#[cfg(unix)]\nmod a;\n"));
        assert!(!is_bare("mod a;\n\n#[test]\nfn issue_12() {}\n"));
        assert!(!is_bare("mod a {}\n"));
    }

    #[test]
    fn a_name_with_a_path_of_its_own_stays() {
        let text = "mod a;\n#[path = \"../b.rs\"]\nmod b;\n";
        assert_eq!(edited(text, &["a"]).unwrap(), text);
    }

    fn edited(text: &str, wanted: &[&str]) -> Option<String> {
        with_names(text, &wanted.iter().map(|&name| name.to_owned()).collect())
    }

    #[test]
    fn names_are_added_in_order_and_removed_with_their_attributes() {
        let text = "// head\n\nmod a;\n#[cfg(unix)]\nmod c;\n";
        assert_eq!(
            edited(text, &["a", "b", "c", "d"]).unwrap(),
            "// head\n\nmod a;\nmod b;\n#[cfg(unix)]\nmod c;\nmod d;\n"
        );
        assert_eq!(edited(text, &["a"]).unwrap(), "// head\n\nmod a;\n");
        assert_eq!(edited("// head\n", &["a"]).unwrap(), "// head\n\nmod a;\n");
    }

    #[test]
    fn what_somebody_else_wrote_stays() {
        let text = "// head\n#![allow(clippy::pedantic)]\n\nmod a;\n\nfn shared() {}\n";
        assert_eq!(
            edited(text, &["b"]).unwrap(),
            "// head\n#![allow(clippy::pedantic)]\n\n\nfn shared() {}\n\nmod b;\n"
        );
        assert_eq!(edited(text, &["a"]).unwrap(), text);
    }

    #[test]
    fn a_name_listed_twice_by_a_merge_is_listed_once() {
        assert_eq!(edited("mod a;\nmod b;\nmod a;\n", &["a", "b"]).unwrap(), "mod a;\nmod b;\n");
        assert_eq!(edited("<<<<<<< HEAD\nmod a;\n=======\nmod b;\n>>>>>>> x\n", &["a", "b"]), None);
    }
}
