//! A user's source file: the declaration of its regressions is put in and taken out, and leaves no trace.

use relapse_generator::place::source::{Loads, Source, append, newline_of};
use relapse_generator::should_panic::{doctest_should_panic, should_panic};

use crate::on_large_stack;

const DECLARATION: [&str; 3] =
    ["#[cfg(test)]", "#[path = \"../regressions/lib/mod.rs\"]", "mod regressions;"];
const INLINE: [&str; 4] = [
    "#[cfg(test)]",
    "mod regressions {",
    "    include!(concat!(env!(\"CARGO_MANIFEST_DIR\"), \"/regressions/lib/mod.rs\"));",
    "}",
];
/// Modules and lines that are looked at.
const MOST: usize = 8;

/// Edits each module of a source file.
pub fn body(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    on_large_stack(|| check(text));
}

fn check(text: &str) {
    for line in 0..MOST as u32 {
        let _ = (should_panic(text, line), doctest_should_panic(text, line));
    }
    let lines = DECLARATION.map(str::to_owned);
    assert!(append(text, &lines, newline_of(text)).starts_with(text));
    let Ok(source) = Source::parse(text) else { return };
    for inline in source.inline_modules().iter().take(MOST) {
        let Ok(module) = source.module(inline, Some("f")) else { continue };
        if module.free_name() != Some("regressions") || !module.all_declared().is_empty() {
            continue;
        }
        let own = inline.is_empty();
        let with = module.insert(&if own { lines.to_vec() } else { INLINE.map(str::to_owned).to_vec() });
        let edited = Source::parse(&with).unwrap_or_else(|error| panic!("{error:?}: {with:?}"));
        let module = edited.module(inline, Some("f")).unwrap_or_else(|error| panic!("{error:?}: {with:?}"));
        let declared = module.all_declared();
        let loads = if own {
            Loads::Path("../regressions/lib/mod.rs".to_owned())
        } else {
            Loads::Package("regressions/lib/mod.rs".to_owned())
        };
        let [declared] = declared.as_slice() else { panic!("{declared:?}: {with:?}") };
        assert_eq!(declared.loads, loads, "{with:?}");
        let without = module.remove(declared);
        // Within a module that stands on one line, line ends stay behind.
        if own {
            assert_eq!(without, text, "{with:?}");
        } else {
            let again = Source::parse(&without).unwrap_or_else(|error| panic!("{error:?}: {without:?}"));
            assert_eq!(again.inline_modules(), source.inline_modules());
        }
    }
}
