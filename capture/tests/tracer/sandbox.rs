//! Sandboxed programs that delete, write, connect, fork and kill: what they meant to harm is unharmed, and what they
//! wanted is named.

use std::fs;
use std::net::TcpListener;
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use relapse_capture::observe::{Ending, Observation};
use relapse_capture::sandbox::{Access, Deed, PROCESSES, Permissions, landlock_version};

use crate::fixture::run_confined;

/// Does what its first argument says to its second, and prints what came of it.
const DEEDS: &str = r#"
use std::{env, fs, io, net, process, thread, time};
use std::os::unix::fs::PermissionsExt;
unsafe extern "C" {
    fn kill(process: i32, signal: i32) -> i32;
    fn truncate(path: *const i8, length: i64) -> i32;
    fn syscall(number: i64, a: usize, b: usize, c: usize, d: usize) -> i64;
}
fn call(number: i64, arguments: [usize; 4]) -> io::Result<()> {
    let [a, b, c, d] = arguments;
    if unsafe { syscall(number, a, b, c, d) } == -1 { Err(io::Error::last_os_error()) } else { Ok(()) }
}
fn main() {
    let words: Vec<String> = env::args().collect();
    let on = &words[2];
    let done: io::Result<()> = match words[1].as_str() {
        "delete" => fs::remove_dir_all(on),
        "write" => fs::write(on, "changed"),
        "append" => fs::OpenOptions::new().append(true).open(on).map(drop),
        "truncate" => {
            let path = format!("{on}\0");
            if unsafe { truncate(path.as_ptr().cast(), 0) } == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
        }
        "rename" => fs::rename(on, format!("{on}.moved")),
        "link" => fs::hard_link(on, format!("{on}.link")),
        "symlink" => std::os::unix::fs::symlink(on, format!("{on}.symlink")),
        "folder" => fs::create_dir(format!("{on}/new")),
        "rights" => fs::set_permissions(on, fs::Permissions::from_mode(0o777)),
        "times" => fs::File::open(on).and_then(|f| f.set_times(fs::FileTimes::new().set_modified(time::UNIX_EPOCH))),
        "connect" => net::TcpStream::connect(on).map(drop),
        "send" => net::UdpSocket::bind("127.0.0.1:0").and_then(|s| s.send_to(b"x", on)).map(drop),
        "send-by-pair" => std::os::unix::net::UnixDatagram::pair().and_then(|(s, _)| s.send_to(b"x", on)).map(drop),
        "send-by-raw-pair" => {
            use std::os::fd::FromRawFd;
            let mut both = [0_i32; 2];
            call(53, [1, 3 | 0o2000000, 0, both.as_mut_ptr() as usize]).and_then(|()| {
                unsafe { std::os::unix::net::UnixDatagram::from_raw_fd(both[0]) }.send_to(b"x", on).map(drop)
            })
        }
        "pairs" => std::os::unix::net::UnixStream::pair().map(drop).and_then(|()| {
            let mut both = [0_i32; 2];
            call(53, [1, 5 | 0o2000000, 0, both.as_mut_ptr() as usize])
        }),
        "append-by-descriptor" => {
            use std::os::fd::AsRawFd;
            let file = fs::File::open(on).unwrap();
            fs::OpenOptions::new().append(true).open(format!("/proc/self/fd/{}", file.as_raw_fd())).map(drop)
        }
        "rename-myself" => fs::write("/proc/self/comm", "me"),
        "is-there" => {
            let target = on.parse().unwrap();
            if unsafe { kill(target, 0) } == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
        }
        "session" => call(112, [0; 4]).map(drop),
        "kill-group" => {
            let group = i32::try_from(unsafe { syscall(121, 0, 0, 0, 0) }).unwrap();
            if unsafe { kill(-group, 18) } == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
        }
        "uring" => call(425, [1, 0, 0, 0]),
        "x32-chmod" => call(0x4000_0000 | 90, [format!("{on}\0").as_ptr() as usize, 0o777, 0, 0]),
        "descriptor" => {
            use std::{io::Write, os::fd::FromRawFd};
            let mut file = std::mem::ManuallyDrop::new(unsafe { fs::File::from_raw_fd(on.parse().unwrap()) });
            file.write_all(b"changed")
        }
        "rights-behind-a-link" => {
            let (here, folder) = (env::temp_dir(), std::path::Path::new(on).parent().unwrap());
            let below = std::path::Path::new(folder.file_name().unwrap()).join("precious.txt");
            // By its letters alone, the path ends here.
            fs::create_dir_all(here.join(&below)).unwrap();
            std::os::unix::fs::symlink(folder, here.join("link")).unwrap();
            fs::set_permissions(here.join("link/..").join(below), fs::Permissions::from_mode(0o777))
        }
        "rights-by-descriptor" => {
            use std::os::fd::AsRawFd;
            let file = fs::File::open(on).unwrap();
            fs::set_permissions(format!("/proc/self/fd/{}", file.as_raw_fd()), fs::Permissions::from_mode(0o777))
        }
        "flags" => {
            use std::os::fd::AsRawFd;
            let (file, flags) = (fs::File::open(on).unwrap(), 0x80_u64);
            call(16, [file.as_raw_fd() as usize, 0x4008_6602, &raw const flags as usize, 0])
        }
        "device" => call(133, [format!("{}/null\0", env::temp_dir().display()).as_ptr() as usize, 0o20666, 0x103, 0]),
        "priority" => call(141, [0, on.parse().unwrap(), 19, 0]),
        "own-priority" => call(141, [0, 0, 19, 0]),
        "limits" => {
            let limit = [64_u64, 64];
            call(302, [on.parse().unwrap(), 7, limit.as_ptr() as usize, 0])
        }
        "segment" => call(31, [on.parse().unwrap(), 0, 0, 0]),
        "kill" => {
            let target = on.parse().unwrap();
            if unsafe { kill(target, 9) } == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
        }
        "kill-own" => {
            let mut child = process::Command::new("sleep").arg("60").spawn().unwrap();
            child.kill().and_then(|()| child.wait()).map(drop)
        }
        "child" => process::Command::new("rm").args(["-rf", on]).status().and_then(|status| {
            if status.success() { Ok(()) } else { Err(io::Error::other(status.to_string())) }
        }),
        "forks" => {
            let limit = on.parse().unwrap();
            let mut children = Vec::new();
            while children.len() < limit {
                match process::Command::new("sleep").arg("60").spawn() {
                    Ok(child) => children.push(child),
                    Err(error) => { println!("{error}"); break }
                }
            }
            children.iter_mut().for_each(|child| drop(child.kill()));
            Ok(())
        }
        "clones" => {
            // By the system call itself, and without a signal at their end: the kernel calls them no forks.
            for _ in 0..on.parse().unwrap() {
                while unsafe { syscall(56, 0, 0, 0, 0) } == 0 { thread::sleep(time::Duration::from_secs(60)) }
            }
            // Whoever comes first to the end of so many ends the others before they are counted.
            thread::sleep(time::Duration::from_secs(30));
            Ok(())
        }
        "threads" => {
            let all: Vec<_> = (0..on.parse().unwrap()).map(|_| thread::spawn(|| fs::write("/forbidden", ""))).collect();
            let failed = all.into_iter().filter(|_| true).map(|t| t.join().unwrap()).filter(|r| r.is_err()).count();
            println!("{failed} failed");
            Ok(())
        }
        "own" => {
            let file = env::temp_dir().join("mine.txt");
            let home = std::path::PathBuf::from(env::var_os("HOME").unwrap());
            fs::write(&file, "mine")
                .and_then(|()| fs::set_permissions(&file, fs::Permissions::from_mode(0o400)))
                .and_then(|()| fs::rename(&file, home.join("moved.txt")))
                .and_then(|()| fs::create_dir_all(home.join("a/b")))
                .and_then(|()| fs::set_permissions(home.join("a"), fs::Permissions::from_mode(0o000)))
                .and_then(|()| fs::write("/dev/null", "gone"))
        }
        "read" => fs::read(on).map(drop),
        "abort" => process::abort(),
        "panic" => panic!("reached with {on}"),
        _ => unreachable!(),
    };
    match done {
        Ok(()) => println!("done"),
        Err(error) => println!("failed: {error}"),
    }
}
"#;

fn try_to(deed: &str, on: &str) -> (Observation, String) {
    run_confined(DEEDS, &[deed, on], &Permissions::default())
}

fn forbidden(seen: &Observation) -> Vec<(Deed, Option<PathBuf>)> {
    let forbidden = seen.accesses.iter().filter(|access| access.forbidden);
    forbidden.map(|access| (access.deed, access.path.clone())).collect()
}

/// A folder with a file, whose whole state can be compared.
struct Victim(tempfile::TempDir);

impl Victim {
    fn new() -> Victim {
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        fs::write(folder.path().join("precious.txt"), "precious").unwrap();
        Victim(folder)
    }

    fn file(&self) -> PathBuf {
        self.0.path().canonicalize().unwrap().join("precious.txt")
    }

    fn state(&self) -> Vec<String> {
        let mut all: Vec<String> = fs::read_dir(self.0.path())
            .unwrap()
            .map(|entry| {
                let entry = entry.unwrap();
                let meta = entry.metadata().unwrap();
                let content = fs::read_to_string(entry.path()).unwrap_or_default();
                format!(
                    "{} {:?} {:?} {content}",
                    entry.path().display(),
                    meta.permissions(),
                    meta.modified().unwrap()
                )
            })
            .collect();
        all.sort();
        all
    }
}

/// Whether the kernel can forbid it; where it cannot, the test says so.
fn landlock_is_there() -> bool {
    let there = landlock_version().is_some();
    if !there {
        eprintln!("skipped: this kernel has no Landlock");
    }
    there
}

#[test]
fn files_are_neither_changed_nor_removed_and_the_wish_is_named() {
    if !landlock_is_there() {
        return;
    }
    let victim = Victim::new();
    let (before, file) = (victim.state(), victim.file());
    let folder = file.parent().unwrap().to_owned();
    let beside = |end: &str| PathBuf::from(format!("{}{end}", file.display()));
    for (deed, on, wanted, path) in [
        ("delete", &folder, Deed::Remove, file.clone()),
        ("write", &file, Deed::Write, file.clone()),
        ("append", &file, Deed::Write, file.clone()),
        ("truncate", &file, Deed::Attributes, file.clone()),
        ("rename", &file, Deed::Remove, file.clone()),
        ("link", &file, Deed::Write, beside(".link")),
        ("symlink", &file, Deed::Write, beside(".symlink")),
        ("folder", &folder, Deed::Write, folder.join("new")),
        ("rights", &file, Deed::Attributes, file.clone()),
        ("times", &file, Deed::Attributes, file.clone()),
        ("rights-behind-a-link", &file, Deed::Attributes, file.clone()),
        ("rights-by-descriptor", &file, Deed::Attributes, file.clone()),
        ("flags", &file, Deed::Attributes, file.clone()),
        ("child", &folder, Deed::Remove, file.clone()),
        ("append-by-descriptor", &file, Deed::Write, file.clone()),
    ] {
        let (seen, output) = try_to(deed, on.to_str().unwrap());
        assert!(output.starts_with("failed: "), "{deed}: {output}");
        assert!(forbidden(&seen).contains(&(wanted, Some(path))), "{deed}: {:?}", seen.accesses);
        assert_eq!(victim.state(), before, "{deed}");
    }
}

#[test]
fn what_is_permitted_can_be_done_and_is_not_named() {
    if !landlock_is_there() {
        return;
    }
    let victim = Victim::new();
    let permissions = Permissions { writable: vec![victim.0.path().to_owned()], network: false };
    for deed in ["append", "rights", "times", "write", "truncate"] {
        let file = victim.file();
        let (seen, output) = run_confined(DEEDS, &[deed, file.to_str().unwrap()], &permissions);
        assert_eq!((output.as_str(), forbidden(&seen)), ("done\n", Vec::new()), "{deed}");
    }
    let one_file = Permissions { writable: vec![victim.file()], network: false };
    let (_, output) = run_confined(DEEDS, &["write", victim.file().to_str().unwrap()], &one_file);
    assert_eq!(output, "done\n");
    let (_, output) = run_confined(DEEDS, &["delete", victim.0.path().to_str().unwrap()], &permissions);
    assert_eq!(
        (output.as_str(), victim.file().exists()),
        ("failed: Permission denied (os error 13)\n", false)
    );
}

#[test]
fn the_network_is_out_of_reach_unless_it_is_permitted() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = listener.local_addr().unwrap().to_string();
    for deed in ["connect", "send"] {
        let (seen, output) = try_to(deed, &address);
        assert!(output.starts_with("failed: "), "{output}");
        assert_eq!(forbidden(&seen), [(Deed::Network, None)]);
    }
    assert!(listener.accept().is_err());
    let permissions = Permissions { writable: Vec::new(), network: true };
    let (seen, output) = run_confined(DEEDS, &["connect", &address], &permissions);
    assert_eq!((output.as_str(), forbidden(&seen)), ("done\n", Vec::new()));
    assert!(listener.accept().is_ok());
}

#[test]
fn a_permitted_folder_that_is_removed_itself_is_named_with_the_folder_above_it() {
    if !landlock_is_there() {
        return;
    }
    let victim = Victim::new();
    let folder = victim.file().parent().unwrap().to_owned();
    let permissions = Permissions { writable: vec![folder.clone()], network: false };
    let (seen, output) = run_confined(DEEDS, &["delete", folder.to_str().unwrap()], &permissions);
    assert_eq!(output, "failed: Permission denied (os error 13)\n");
    let options: Vec<_> =
        seen.accesses.iter().filter(|access| access.forbidden).map(Access::option).collect();
    let above = folder.parent().unwrap().display().to_string();
    assert_eq!(options, [Some(format!("--allow-write {above}"))]);
}

#[test]
fn a_permitted_path_that_an_earlier_run_removed_is_passed_over() {
    let victim = Victim::new();
    let permissions = Permissions { writable: vec![victim.file()], network: false };
    fs::remove_file(victim.file()).unwrap();
    let (_, output) = run_confined(DEEDS, &["own", ""], &permissions);
    assert_eq!(output, "done\n");
}

#[test]
fn what_a_program_sets_of_itself_is_named_as_its_own() {
    if !landlock_is_there() {
        return;
    }
    let (seen, _) = try_to("rename-myself", "");
    assert_eq!(forbidden(&seen), [(Deed::Write, Some(PathBuf::from("/proc/self/comm")))]);
}

#[test]
fn a_pair_of_datagram_sockets_reaches_nobody_else() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("server");
    let server = UnixDatagram::bind(&path).unwrap();
    server.set_nonblocking(true).unwrap();
    for deed in ["send-by-pair", "send-by-raw-pair"] {
        let (seen, output) = try_to(deed, path.to_str().unwrap());
        assert_eq!(output, "failed: Permission denied (os error 13)\n", "{deed}");
        assert_eq!(forbidden(&seen), [(Deed::Network, None)], "{deed}");
    }
    assert!(server.recv(&mut [0; 1]).is_err());
    let (seen, output) = try_to("pairs", "");
    assert_eq!((output.as_str(), forbidden(&seen)), ("done\n", Vec::new()));
}

#[test]
fn whether_a_process_is_there_may_be_asked_of_any() {
    let mut other = Command::new("sleep").arg("60").stdin(Stdio::null()).spawn().unwrap();
    let number = other.id().to_string();
    let (seen, output) = try_to("is-there", &number);
    other.kill().unwrap();
    other.wait().unwrap();
    assert_eq!((output.as_str(), forbidden(&seen)), ("done\n", Vec::new()));
    let (_, output) = try_to("is-there", &number);
    assert_eq!(output, "failed: No such process (os error 3)\n");
}

#[test]
fn a_command_leads_no_session_and_may_begin_one() {
    for deed in ["session", "kill-group"] {
        let (seen, output) = try_to(deed, "");
        assert_eq!((output.as_str(), forbidden(&seen)), ("done\n", Vec::new()), "{deed}");
    }
}

#[test]
fn a_file_that_our_caller_has_open_is_out_of_reach() {
    let victim = Victim::new();
    let file = fs::OpenOptions::new().append(true).open(victim.file()).unwrap();
    // SAFETY: the descriptor is ours.
    unsafe { libc::fcntl(file.as_raw_fd(), libc::F_SETFD, 0) };
    let (_, output) = try_to("descriptor", &file.as_raw_fd().to_string());
    assert_eq!(output, "failed: Bad file descriptor (os error 9)\n");
    assert_eq!(fs::read_to_string(victim.file()).unwrap(), "precious");
}

#[test]
fn what_is_named_by_a_number_is_out_of_reach() {
    let mut other = Command::new("sleep").arg("60").stdin(Stdio::null()).spawn().unwrap();
    let number = other.id().to_string();
    let named: Vec<_> =
        ["priority", "limits"].iter().map(|deed| (try_to(deed, &number), Deed::Process)).collect();
    other.kill().unwrap();
    other.wait().unwrap();
    // SAFETY: numbers only; the segment is removed below.
    let segment = unsafe { libc::shmget(libc::IPC_PRIVATE, 4096, 0o600) };
    let removed = try_to("segment", &segment.to_string());
    // SAFETY: the segment is ours.
    let was_there = unsafe { libc::shmctl(segment, libc::IPC_RMID, std::ptr::null_mut()) } == 0;
    assert!(was_there);
    for ((seen, output), deed) in named.into_iter().chain([(removed, Deed::System)]) {
        assert_eq!(output, "failed: Operation not permitted (os error 1)\n", "{deed:?}");
        assert_eq!(forbidden(&seen), [(deed, None)]);
    }
    let (seen, output) = try_to("own-priority", "");
    assert_eq!((output.as_str(), forbidden(&seen)), ("done\n", Vec::new()));
}

#[test]
fn devices_and_calls_of_another_abi_are_refused() {
    let victim = Victim::new();
    let before = victim.state();
    let (_, output) = try_to("x32-chmod", victim.file().to_str().unwrap());
    assert!(output.starts_with("failed: "), "{output}");
    assert_eq!(victim.state(), before);
    if landlock_is_there() {
        let (_, output) = try_to("device", "");
        assert!(output.starts_with("failed: "), "{output}");
    }
}

#[test]
fn a_way_around_the_filter_is_not_there() {
    let (seen, output) = try_to("uring", "");
    assert!(output.starts_with("failed: "), "{output}");
    assert_eq!(forbidden(&seen), []);
}

#[test]
fn processes_of_others_get_no_signal_but_own_ones_do() {
    let mut other = Command::new("sleep").arg("60").stdin(Stdio::null()).spawn().unwrap();
    let (seen, output) = try_to("kill", &other.id().to_string());
    let lives = other.try_wait().unwrap().is_none();
    other.kill().unwrap();
    other.wait().unwrap();
    assert!(lives && output.starts_with("failed: "), "{output}");
    assert_eq!(forbidden(&seen), [(Deed::Signal, None)]);
    let (seen, output) = try_to("kill-own", "");
    assert_eq!((output.as_str(), forbidden(&seen)), ("done\n", Vec::new()));
    let (seen, _) = try_to("abort", "");
    assert_eq!((seen.ending, seen.deaths.len()), (Ending::Signaled("SIGABRT".into()), 1));
}

#[test]
fn processes_without_end_are_ended() {
    let (seen, _) = try_to("forks", "100000");
    assert_eq!(forbidden(&seen), [(Deed::Processes, None)]);
    assert_eq!(seen.ending, Ending::Signaled("SIGKILL".into()));
    let (seen, _) = try_to("clones", &(PROCESSES * 2).to_string());
    assert_eq!(forbidden(&seen), [(Deed::Processes, None)]);
    let (seen, output) = try_to("forks", &(PROCESSES / 4).to_string());
    assert_eq!((output.as_str(), forbidden(&seen)), ("done\n", Vec::new()));
}

#[test]
fn every_thread_is_confined() {
    if !landlock_is_there() {
        return;
    }
    let (seen, output) = try_to("threads", "50");
    assert_eq!((output.as_str(), Path::new("/forbidden").exists()), ("50 failed\ndone\n", false));
    // Root may write there, others may not: then the sandbox is not the reason.
    let named = forbidden(&seen).contains(&(Deed::Write, Some("/forbidden".into())));
    // SAFETY: takes nothing, returns a number.
    assert_eq!(named, unsafe { libc::geteuid() } == 0);
}

#[test]
fn temporary_files_and_a_home_are_its_own_and_go_with_it() {
    let (seen, output) = try_to("own", "");
    assert_eq!((output.as_str(), forbidden(&seen)), ("done\n", Vec::new()));
}

#[test]
fn files_that_are_read_or_missed_are_told() {
    let victim = Victim::new();
    let (seen, output) = try_to("read", victim.file().to_str().unwrap());
    assert_eq!(output, "done\n");
    let told = |deed, path: &Path| {
        let access = Access { deed, path: Some(path.to_owned()), forbidden: false };
        seen.accesses.contains(&access)
    };
    assert!(told(Deed::Read, &victim.file()), "{:?}", seen.accesses);
    let (seen, _) = try_to("read", "../nowhere/at/all");
    let missed = seen.accesses.iter().filter(|access| access.deed == Deed::Missed);
    let here = std::env::current_dir().unwrap();
    let path = here.parent().unwrap().join("nowhere/at/all");
    assert!(missed.into_iter().any(|access| access.path.as_deref() == Some(&path)), "{:?}", seen.accesses);
}

#[test]
fn a_panic_in_a_sandbox_is_seen_as_ever() {
    let (seen, _) = try_to("panic", "7");
    assert_eq!((seen.panics.len(), seen.panics[0].message.as_str()), (1, "reached with 7"));
    assert_eq!(seen.ending, Ending::Exited(101));
}

#[test]
fn tools_that_are_not_watched_elsewhere_work() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let source = "fn main() { let out = std::env::args().nth(1).unwrap(); for words in [&[\"rustfmt\", \"--version\"][..], \
                  &[\"rustc\", \"--version\"], &[\"cargo\", \"--version\"], &[\"sh\", \"-c\", \"rustc --version > $0\", &out]] { \
                  let run = std::process::Command::new(words[0]).args(&words[1..]).output().unwrap(); \
                  println!(\"{} {}\", words[0], run.status.success()); } }";
    let (observation, output) = run_confined(source, &[&out.to_string_lossy()], &Permissions::default());
    assert_eq!(observation.ending, Ending::Exited(0));
    assert_eq!(output, "rustfmt true\nrustc true\ncargo true\nsh false\n");
    assert!(!out.exists());
}
