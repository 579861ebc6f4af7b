//! The index over crates of the registry, against a plain text search.

use std::collections::HashSet;

use super::*;

/// `fn` lines of a file by text alone: (name, line), those that end in `;` left out.
fn plain_functions(text: &str) -> Vec<(String, u32)> {
    let lines: Vec<&str> = text.lines().collect();
    let mut found = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        let line = line.trim_start();
        let words: Vec<&str> = line.split_whitespace().collect();
        let Some(at) = words.iter().position(|word| *word == "fn") else { continue };
        let heads = ["pub", "const", "async", "unsafe", "extern", "\"C\"", "default"];
        let is_head = |w: &&str| heads.contains(w) || w.starts_with("pub(") || w.ends_with(')') || *w == "in";
        if !words[..at].iter().all(is_head) {
            continue;
        }
        let name: String = words
            .get(at + 1)
            .unwrap_or(&"")
            .chars()
            .take_while(|c| c.is_alphanumeric() || *c == '_')
            .collect();
        let head: String = lines[index..].iter().take(40).flat_map(|l| l.chars()).collect();
        let body = head.find('{').unwrap_or(usize::MAX);
        // `[u8; 4]` in a head is no end; a head's end is a `;` outside brackets.
        let mut depth = 0;
        let end = head.char_indices().find(|(_, c)| {
            match c {
                '[' | '(' => depth += 1,
                ']' | ')' => depth -= 1,
                _ => {}
            }
            *c == ';' && depth == 0
        });
        if !name.is_empty() && end.is_none_or(|(at, _)| at > body) {
            found.push((name, index as u32 + 1));
        }
    }
    found
}

/// (found, in a macro that is not understood, all) over a library's files.
fn share(name: &str) -> Option<(usize, usize, usize)> {
    let index = registry_index(name)?;
    let (id, _) = index.targets().find(|(_, target)| target.kind.is_library())?;
    let source = index.source(id);
    let known: HashSet<(String, String, u32)> =
        source.functions.iter().map(|f| (f.file.clone(), f.name.clone(), f.name_line)).collect();
    let (mut found, mut opaque, mut all) = (0, 0, 0);
    for (file_index, file) in source.files.iter().enumerate() {
        let text = std::fs::read_to_string(index.workspace_root().join(file)).unwrap();
        for (name, line) in plain_functions(&text) {
            all += 1;
            if known.contains(&(file.to_string_lossy().into_owned(), name.clone(), line)) {
                found += 1;
            } else if source
                .opaque_macros
                .iter()
                .any(|m| m.file == file_index as u32 && (m.lines.0..=m.lines.1).contains(&line))
            {
                opaque += 1;
            } else {
                println!("{name} not found: {}:{line}", file.display());
            }
        }
    }
    println!("{name}: {found} found, {opaque} in macros, of {all}; problems: {:?}", source.problems);
    Some((found, opaque, all))
}

#[test]
fn every_function_of_real_crates_is_found() {
    let mut seen = 0;
    for name in ["syn", "regex-automata", "clap_builder", "chrono", "memchr", "indexmap", "uuid"] {
        let Some((found, opaque, all)) = share(name) else {
            println!("skipped: `{name}` is not in cargo's registry folder");
            continue;
        };
        seen += 1;
        assert!(found * 100 >= (all - opaque) * 99, "{name}: {found} of {all}, {opaque} in macros");
        assert!(opaque * 5 <= all, "{name}: {opaque} of {all} in macros");
    }
    println!("{seen} crates");
}
