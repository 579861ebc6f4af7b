//! Which flags of `RUSTFLAGS` a test's header says: those that decide how the code behaves. Linkers, folders and lints are
//! the machine's business, and some of them name programs that the compiler starts: those are neither written nor read.

/// Settings of `-C`.
const CODEGEN: [&str; 13] = [
    "code-model",
    "codegen-units",
    "debug-assertions",
    "debuginfo",
    "force-frame-pointers",
    "inline-threshold",
    "lto",
    "opt-level",
    "overflow-checks",
    "panic",
    "relocation-model",
    "target-cpu",
    "target-feature",
];

/// The flags among `text` that decide how the code behaves.
pub(crate) fn deciding(text: &str) -> Option<String> {
    let flags: Vec<&str> =
        flags(text).into_iter().filter(|(_, decides)| *decides).flat_map(|(words, _)| words).collect();
    (!flags.is_empty()).then(|| flags.join(" "))
}

/// The first flag in `text` that a header must not say.
pub(super) fn undeciding(text: &str) -> Option<String> {
    flags(text).into_iter().find(|(_, decides)| !decides).map(|(words, _)| words.join(" "))
}

/// The flags, each with its value and whether it decides how the code behaves.
fn flags(text: &str) -> Vec<(Vec<&str>, bool)> {
    // Cargo splits at blanks, and knows no quotes.
    let mut words = text.split_whitespace().peekable();
    let mut flags = Vec::new();
    while let Some(word) = words.next() {
        let value = words.next_if(|next| !next.starts_with('-'));
        flags.push((std::iter::once(word).chain(value).collect(), decides(word, value)));
    }
    flags
}

fn decides(word: &str, value: Option<&str>) -> bool {
    let (name, value) = match (word.split_at_checked(2), value) {
        (_, Some(value)) => (word, value),
        (Some((name @ ("-C" | "-Z"), value)), None) => (name, value),
        (_, None) => word.split_once('=').unwrap_or((word, "")),
    };
    let setting = value.split('=').next().unwrap_or_default();
    match name {
        "-g" | "-O" => value.is_empty(),
        "--cfg" | "--check-cfg" => !value.is_empty(),
        "-C" | "--codegen" => CODEGEN.contains(&setting),
        "-Z" => setting == "sanitizer",
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_that_decide_how_code_behaves_are_told_from_those_of_a_machine() {
        let text = "-C linker=/tmp/evil.sh --cfg tokio_unstable -Clink-arg=-fuse-ld=mold -Ctarget-cpu=native  -Dwarnings \
            -D warnings --cfg=a=\"b\" -C overflow-checks -L /x -Zsanitizer=address -O @/tmp/file --codegen opt-level=2";
        assert_eq!(
            deciding(text).unwrap(),
            "--cfg tokio_unstable -Ctarget-cpu=native --cfg=a=\"b\" -C overflow-checks -Zsanitizer=address \
             --codegen opt-level=2"
        );
        assert_eq!(undeciding(text).unwrap(), "-C linker=/tmp/evil.sh");
        assert_eq!(deciding("-Dwarnings -Clinker=clang"), None);
        assert_eq!(undeciding(&deciding(text).unwrap()), None);
    }

    #[test]
    fn no_flag_hides_behind_anundeciding() {
        for text in [
            "--cfg -Clinker=x",
            "--cfg a -Clinker=x",
            "-C -Clinker=x",
            "-O -C linker=x",
            "-Copt-level=1 linker=x",
            "--cfg a b",
            "@/tmp/file",
            "-Zcodegen-backend=/tmp/x.so",
            "--codegen=linker=x",
            "-C=linker=x",
        ] {
            assert!(undeciding(text).is_some(), "{text}");
        }
    }
}
