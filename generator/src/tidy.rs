//! Source text as `cargo fmt --check` wants it: by the user's own rustfmt and its configuration where there is
//! one, by prettyplease otherwise. Rim: starts rustfmt, with bounded time; never fails.

use std::io::{Read, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// How long rustfmt may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// Formats a file that belongs to the package in `folder`. What neither rustfmt nor prettyplease can format
/// (prettyplease would drop comments, so a file with comments is left to rustfmt) comes back as it is.
pub fn tidy(source: &str, edition: &str, folder: &Path) -> String {
    rustfmt(source, edition, folder).or_else(|| plain(source)).unwrap_or_else(|| source.to_owned())
}

fn rustfmt(source: &str, edition: &str, folder: &Path) -> Option<String> {
    let program = std::env::var_os("RUSTFMT").unwrap_or_else(|| "rustfmt".into());
    let mut child = Command::new(program)
        .args(["--edition", edition, "--emit", "stdout", "--quiet"])
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let (mut stdin, mut stdout) = (child.stdin.take()?, child.stdout.take()?);
    let input = source.to_owned();
    let (send, receive) = mpsc::channel();
    // Both ends at once: rustfmt answers only after it has read all, but pipes are short.
    std::thread::spawn(move || {
        let _ = stdin.write_all(input.as_bytes());
    });
    std::thread::spawn(move || {
        let mut text = String::new();
        let _ = send.send(stdout.read_to_string(&mut text).ok().map(|_| text));
    });
    let started = Instant::now();
    let text = receive.recv_timeout(PATIENCE).ok().flatten();
    let succeeded = ended_well(&mut child, started);
    text.filter(|text| succeeded && (!text.trim().is_empty() || source.trim().is_empty()))
}

/// Waits for the child until patience ends, then kills it; leaves no child behind.
fn ended_well(child: &mut Child, started: Instant) -> bool {
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return status.success(),
            Ok(None) if started.elapsed() < PATIENCE => std::thread::sleep(Duration::from_millis(5)),
            _ => break,
        }
    }
    let _ = child.kill();
    let _ = child.wait();
    false
}

/// By prettyplease, which knows no comments: only for source without any.
fn plain(source: &str) -> Option<String> {
    let file = syn::parse_file(source).ok()?;
    let text = prettyplease::unparse(&file);
    (!source.contains("//") && !source.contains("/*")).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn source_is_formatted_by_the_configuration_of_its_folder() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("rustfmt.toml"), "tab_spaces = 2\n").unwrap();
        if Command::new("rustfmt").arg("--version").output().is_err() {
            println!("skipped: there is no rustfmt here");
            return;
        }
        let text = tidy("// a comment\nfn f(){let x=1;g(x);}", "2021", folder.path());
        assert_eq!(text, "// a comment\nfn f() {\n  let x = 1;\n  g(x);\n}\n");
    }

    #[test]
    fn what_is_no_rust_comes_back() {
        assert_eq!(tidy("fn (", "2021", Path::new("/")), "fn (");
        assert_eq!(tidy("fn f() {}", "2021", Path::new("/no such folder")), "fn f() {}\n");
    }
}
