//! Output of a command, shortened for the demo: without cargo's status lines, and cut where it is long. What is
//! left out of a text is counted in it.

/// What cargo writes before what it is doing, right-aligned to twelve columns.
const CARGO_STATUS: [&str; 12] = [
    "Adding",
    "Blocking",
    "Compiling",
    "Downloaded",
    "Downloading",
    "Finished",
    "Fresh",
    "Locking",
    "Packaging",
    "Running",
    "Updating",
    "Doc-tests",
];

/// The lines that matter, at most so many; the diff of a lock file is only counted.
pub(super) fn abridged(output: &str, most: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut of_lock = 0;
    let mut in_lock = false;
    for line in output.lines().filter(|line| !is_noise(line)) {
        if line.starts_with("--- ") {
            end_of_lock(&mut lines, &mut of_lock);
            in_lock = line.ends_with("Cargo.lock");
        } else if in_lock && !line.starts_with("+++ ") {
            // A diff ends where a line is none of its own.
            if line.is_empty() || line.starts_with([' ', '+', '-', '@']) {
                of_lock += 1;
                continue;
            }
            in_lock = false;
            end_of_lock(&mut lines, &mut of_lock);
        }
        let twice_empty = line.trim().is_empty() && lines.last().is_none_or(|last| last.trim().is_empty());
        if !twice_empty {
            lines.push(line.to_owned());
        }
    }
    end_of_lock(&mut lines, &mut of_lock);
    while lines.last().is_some_and(|line| line.trim().is_empty()) {
        lines.pop();
    }
    if lines.len() > most {
        let left_out = lines.len() - most;
        lines.truncate(most);
        lines.push(format!("… {left_out} lines more"));
    }
    lines
}

fn end_of_lock(lines: &mut Vec<String>, of_lock: &mut usize) {
    if *of_lock > 0 {
        lines.push(format!("… {of_lock} lines: the entries that it brings"));
        *of_lock = 0;
    }
}

fn is_noise(line: &str) -> bool {
    let is_status = line
        .get(..12)
        .zip(line.get(12..13))
        .is_some_and(|(word, blank)| blank == " " && CARGO_STATUS.contains(&word.trim_start()));
    is_status || line.starts_with("note: run with `RUST_BACKTRACE=1`")
}

#[cfg(test)]
mod tests {
    use super::abridged;

    #[test]
    fn cargos_status_lines_are_left_out() {
        let output = "   Compiling orders v0.1.0\n    Finished `dev`\n\n\nAda\n   Doc-tests orders\n\n";
        assert_eq!(abridged(output, 9), ["Ada"]);
        assert_eq!(abridged("Compiling is a word\nà la carte, wholly\n", 9).len(), 2);
    }

    #[test]
    fn what_is_cut_is_counted() {
        assert_eq!(abridged("a\nb\nc\n", 1), ["a", "… 2 lines more"]);
    }

    #[test]
    fn diff_of_a_lock_file_is_counted() {
        let output =
            "--- a/Cargo.lock\n+++ b/Cargo.lock\n@@ -1 +1 @@\n+x\n\n+y\n--- /dev/null\n+++ b/x\n+z\ndone\n";
        let expected = [
            "--- a/Cargo.lock",
            "+++ b/Cargo.lock",
            "… 4 lines: the entries that it brings",
            "--- /dev/null",
            "+++ b/x",
            "+z",
            "done",
        ];
        assert_eq!(abridged(output, 20), expected);
        assert_eq!(abridged("--- a/Cargo.lock\n+++ b/Cargo.lock\n+x\ndone\n", 20).last().unwrap(), "done");
    }
}
