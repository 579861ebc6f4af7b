//! The machine: kernel, ptrace, what surrounds the process, sandbox.

use relapse_capture::sandbox::landlock_version;

use super::Check;

pub(super) fn checks() -> Vec<Check> {
    vec![platform(), ptrace(), container(), sandbox(landlock_version())]
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
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let is_traced = field(&status, "TracerPid:").is_some_and(|pid| pid != "0");
    ptrace_of(try_to_trace(), scope.trim(), is_traced)
}

fn ptrace_of(tried: std::io::Result<()>, scope: &str, is_traced: bool) -> Check {
    let known = if scope.is_empty() { String::new() } else { format!(" (ptrace_scope {scope})") };
    let Err(error) = tried else {
        return Check::ok("ptrace", format!("programs that relapse starts can be traced{known}"));
    };
    let message = format!("a program that relapse starts cannot be traced: {error}{known}");
    let advice = match scope {
        "2" => "run `sudo sysctl kernel.yama.ptrace_scope=1`",
        "3" => {
            "ptrace is switched off until the next boot: remove kernel.yama.ptrace_scope=3 from sysctl.conf"
        }
        _ if is_traced => "end the debugger or strace that runs this command: a traced process cannot trace",
        _ => {
            "in a container, start it with `--cap-add=SYS_PTRACE` (and `--security-opt seccomp=unconfined` on kernels before 4.8)"
        }
    };
    Check::missing("ptrace", message, advice)
}

/// A field of `/proc/self/status`.
fn field<'a>(status: &'a str, name: &str) -> Option<&'a str> {
    status.lines().find_map(|line| line.strip_prefix(name)).map(str::trim)
}

/// Seizes a child that waits, and ends it. A copy of this process: it needs no program on the PATH.
fn try_to_trace() -> std::io::Result<()> {
    // SAFETY: the child calls nothing but what is allowed after a fork, and never returns; the parent's calls take
    // the id of its own child, which is not reaped before. Seizing touches no memory.
    unsafe {
        let child = libc::fork();
        if child == 0 {
            libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
            loop {
                libc::pause();
            }
        }
        if child < 0 {
            return Err(std::io::Error::last_os_error());
        }
        let null = std::ptr::null_mut::<u8>();
        let seized = libc::ptrace(libc::PTRACE_SEIZE, child, null, null);
        let result = if seized == 0 { Ok(()) } else { Err(std::io::Error::last_os_error()) };
        libc::kill(child, libc::SIGKILL);
        libc::waitpid(child, std::ptr::null_mut(), 0);
        result
    }
}

/// What holds the files of the machine while `gen` calls crashed functions.
fn sandbox(version: Option<u32>) -> Check {
    /// Before this version, files that may not be written to can be cut short.
    const TRUNCATES: u32 = 3;
    match version {
        None => Check::note(
            "sandbox",
            "the kernel has no Landlock, or it is switched off: `gen` runs crashed functions with your rights",
            "use Linux 5.13 or newer with `landlock` among the modules of its `lsm=` boot option; until then use `gen` only on what you would run yourself",
        ),
        Some(version @ ..TRUNCATES) => Check::note(
            "sandbox",
            format!(
                "the kernel has Landlock, version {version}: it does not keep files from being cut short"
            ),
            "use Linux 6.2 or newer (Landlock 3)",
        ),
        Some(version) => Check::ok("sandbox", format!("the kernel has Landlock, version {version}")),
    }
}

/// What surrounds the process: a container and a filter of system calls are the usual reasons where tracing fails.
fn container() -> Check {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let marks = [("/.dockerenv", "Docker"), ("/run/.containerenv", "Podman")];
    let mark = marks.iter().find(|(path, _)| std::path::Path::new(path).exists()).map(|(_, name)| *name);
    Check::ok("container", surroundings(&status, mark))
}

fn surroundings(status: &str, container: Option<&str>) -> String {
    let container = container.map_or("none that is known".to_owned(), |name| format!("in {name}"));
    let filtered = field(status, "Seccomp:").is_some_and(|mode| mode == "2");
    if filtered { format!("{container}, with a filter of system calls (seccomp)") } else { container }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Status;

    #[test]
    fn the_surroundings_are_read_from_the_process() {
        assert_eq!(surroundings("Name:\tx\nSeccomp:\t0\n", None), "none that is known");
        let text = surroundings("Seccomp:\t2\nSeccomp_filters:\t1\n", Some("Docker"));
        assert_eq!(text, "in Docker, with a filter of system calls (seccomp)");
        assert_eq!(field("TracerPid:\t12\n", "TracerPid:"), Some("12"));
        assert_eq!(field("", "TracerPid:"), None);
    }

    #[test]
    fn the_sandbox_is_judged_by_the_version_of_landlock() {
        for (version, status) in
            [(None, Status::Note), (Some(2), Status::Note), (Some(3), Status::Ok), (Some(9), Status::Ok)]
        {
            let check = sandbox(version);
            assert_eq!(check.status, status, "{}", check.message);
        }
    }

    #[test]
    fn what_forbids_tracing_is_named() {
        let error = || std::io::Error::from_raw_os_error(libc::EPERM);
        for (scope, traced, part) in [
            ("2", false, "ptrace_scope=1"),
            ("3", false, "next boot"),
            ("1", true, "debugger"),
            ("", false, "SYS_PTRACE"),
        ] {
            let check = ptrace_of(Err(error()), scope, traced);
            assert_eq!(check.status, Status::Missing);
            assert!(check.advice.as_ref().is_some_and(|advice| advice.contains(part)), "{:?}", check.advice);
        }
        assert_eq!(ptrace_of(Ok(()), "1", false).status, Status::Ok);
    }
}
