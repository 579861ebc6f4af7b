//! The machine: kernel, ptrace, sandbox, toolchain.

use std::process::{Command, Stdio};

use super::Check;
use relapse_generator::project::cargo;

/// The oldest rustc whose panics are understood.
const OLDEST_RUSTC: (u32, u32) = (1, 75);

pub(super) fn checks() -> Vec<Check> {
    vec![platform(), ptrace(), sandbox(), toolchain("cargo", &cargo()), toolchain("rustc", "rustc".as_ref())]
}

fn platform() -> Check {
    let (os, arch) = (std::env::consts::OS, std::env::consts::ARCH);
    let release = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let found = format!("{os} {} on {arch}", release.trim());
    if os == "linux" && arch == "x86_64" {
        Check::ok("platform", found)
    } else {
        Check::missing("platform", found, "capture needs Linux on x86-64")
    }
}

/// Tries it: what forbids tracing (Yama, seccomp, a container) differs, what it does to a tracer does not.
fn ptrace() -> Check {
    let scope = std::fs::read_to_string("/proc/sys/kernel/yama/ptrace_scope").unwrap_or_default();
    let scope = scope.trim();
    match try_to_trace() {
        Ok(()) if scope.is_empty() => Check::ok("ptrace", "programs that relapse starts can be traced"),
        Ok(()) => {
            Check::ok("ptrace", format!("programs that relapse starts can be traced (ptrace_scope {scope})"))
        }
        Err(error) => {
            let message = format!("a program that relapse starts cannot be traced: {error}");
            let advice = match scope {
                "2" => "run `sudo sysctl kernel.yama.ptrace_scope=1`",
                "3" => {
                    "ptrace is switched off until the next boot: remove kernel.yama.ptrace_scope=3 from sysctl.conf"
                }
                _ if is_traced() => {
                    "end the debugger or strace that runs this command: a traced process cannot trace"
                }
                _ => {
                    "in a container, start it with `--cap-add=SYS_PTRACE` (and `--security-opt seccomp=unconfined` on kernels before 4.8)"
                }
            };
            Check::missing("ptrace", message, advice)
        }
    }
}

fn is_traced() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    status.lines().any(|line| line.strip_prefix("TracerPid:").is_some_and(|pid| pid.trim() != "0"))
}

/// Seizes a child that waits for input, and ends it.
fn try_to_trace() -> std::io::Result<()> {
    let mut child =
        Command::new("cat").stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
    // SAFETY: seizing touches no memory of ours; the process is our child and is not reaped before.
    let seized = unsafe {
        libc::ptrace(
            libc::PTRACE_SEIZE,
            child.id() as libc::pid_t,
            std::ptr::null_mut::<u8>(),
            std::ptr::null_mut::<u8>(),
        )
    };
    let result = if seized == 0 { Ok(()) } else { Err(std::io::Error::last_os_error()) };
    child.kill()?;
    child.wait()?;
    result
}

/// Landlock's version (`landlock_create_ruleset` with `LANDLOCK_CREATE_RULESET_VERSION`).
fn sandbox() -> Check {
    // SAFETY: with this flag the call reads nothing and makes nothing; it returns the version or an error.
    let version =
        unsafe { libc::syscall(libc::SYS_landlock_create_ruleset, std::ptr::null::<u8>(), 0usize, 1u32) };
    if version > 0 {
        return Check::ok(
            "sandbox",
            format!("the kernel has Landlock, version {version}; tests are not proved in a sandbox yet"),
        );
    }
    Check::note(
        "sandbox",
        "the kernel has no Landlock; tests are not proved in a sandbox yet",
        "`gen` runs the crashed function: use it only on what you would run yourself",
    )
}

fn toolchain(name: &'static str, program: &std::path::Path) -> Check {
    let output = Command::new(program).arg("--version").output();
    let found = match output {
        Ok(output) if output.status.success() => String::from_utf8_lossy(&output.stdout).trim().to_owned(),
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
            return Check::missing(
                name,
                format!("`{name} --version` fails: {said}"),
                "repair the toolchain (`rustup show`)",
            );
        }
        Err(error) => {
            let message = format!("failed to start {name}: {error}");
            return Check::missing(name, message, "install Rust (https://rustup.rs) or put it on the PATH");
        }
    };
    match version(&found) {
        Some(version) if version < OLDEST_RUSTC => {
            let (major, minor) = OLDEST_RUSTC;
            let advice = format!("programs built by {major}.{minor} and newer are understood");
            Check::note(name, found, advice)
        }
        _ => Check::ok(name, found),
    }
}

/// `(1, 95)` of `rustc 1.95.0 (…)`.
fn version(text: &str) -> Option<(u32, u32)> {
    let mut numbers = text.split_whitespace().nth(1)?.split('.');
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read() {
        assert_eq!(version("rustc 1.95.0 (59807616e 2026-04-14)"), Some((1, 95)));
        assert_eq!(version("rustc 1.75.0-nightly"), Some((1, 75)));
        assert_eq!(version("rustc"), None);
    }
}
