//! Facts of a program: its name, build id, compiler, arguments, working folder and environment.

mod environment;

use std::fs::{self, File};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use object::read::elf::ElfFile64;
use object::read::{ReadCache, ReadRef};
use object::{Endianness, Object, ObjectSection};
use relapse_snapshot::Program;

use crate::image::debug_file::hexadecimal;
use crate::image::rustc_in;

/// More of a command line is not kept.
const ARGUMENTS_LIMIT: usize = 64 << 10;

/// The file name of a process's executable; empty where it cannot be told.
pub fn name(pid: i32) -> String {
    let path = fs::read_link(format!("/proc/{pid}/exe")).unwrap_or_default();
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    name.strip_suffix(" (deleted)").map(str::to_owned).unwrap_or(name)
}

/// The facts of a live process, added to what is the same for all programs of a command.
pub fn of_process(pid: i32, known: &Program, workspace: Option<&Path>) -> Program {
    let file = File::open(format!("/proc/{pid}/exe")).ok().map(ReadCache::new);
    let elf = file.as_ref().and_then(|file| ElfFile64::<Endianness, _>::parse(file).ok());
    let folder = fs::read_link(format!("/proc/{pid}/cwd")).ok();
    let relative = |folder: &Path| {
        let within = workspace.and_then(|root| folder.strip_prefix(root).ok());
        match within {
            Some(path) if path.as_os_str().is_empty() => ".".to_owned(),
            Some(path) => path.to_string_lossy().into_owned(),
            None => folder.to_string_lossy().into_owned(),
        }
    };
    Program {
        name: name(pid),
        build_id: elf.as_ref().and_then(build_id),
        rustc: elf.as_ref().and_then(comment),
        arguments: arguments(pid),
        working_folder: folder.as_deref().map(relative),
        environment: elf.as_ref().map(|elf| environment::of_process(pid, elf)).unwrap_or_default(),
        ..known.clone()
    }
}

fn build_id<'d, R: ReadRef<'d>>(elf: &ElfFile64<'d, Endianness, R>) -> Option<String> {
    let id = elf.build_id().ok().flatten()?;
    // A build id is 20 bytes; a damaged note may claim more.
    Some(hexadecimal(&id[..id.len().min(64)]))
}

/// The compiler named by `.comment`: `rustc version 1.95.0 (59807616e 2026-04-14)`.
pub(crate) fn comment<'d, R: ReadRef<'d>>(elf: &ElfFile64<'d, Endianness, R>) -> Option<String> {
    const LIMIT: u64 = 64 << 10;
    let section = elf.section_by_name(".comment")?;
    let data = section.data_range(section.address(), section.size().min(LIMIT)).ok()??;
    rustc_in(data)
}

fn arguments(pid: i32) -> Vec<String> {
    let mut line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    line.truncate(ARGUMENTS_LIMIT);
    let line = line.strip_suffix(b"\0").unwrap_or(&line);
    let text = |word: &[u8]| std::ffi::OsStr::from_bytes(word).to_string_lossy().into_owned();
    line.split(|byte| *byte == 0).skip(1).map(text).collect()
}
