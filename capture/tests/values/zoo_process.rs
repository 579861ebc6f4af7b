//! Builds and runs the zoo, and finds the DWARF types of its variables by their names alone: neither
//! unwinding nor locations take part.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{BufRead, BufReader};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use gimli::{AttributeValue, constants};
use object::{Object, ObjectSection};
use relapse_capture::image::{DieRef, Slice};
use relapse_capture::memory::{Memory, Unreadable};
use relapse_capture::open_file::{self, NoFile, OpenFile};

/// A running zoo, stopped in a read of its standard input. Killed and reaped when dropped.
pub(crate) struct Zoo {
    child: Child,
    pub(crate) memory: ProcessMemory,
    pub(crate) dwarf: gimli::Dwarf<Slice>,
    program: PathBuf,
    /// Address and `Debug` text of each variable.
    pub(crate) shown: BTreeMap<String, (u64, String)>,
    /// Type of each variable.
    pub(crate) types: HashMap<String, DieRef>,
}

impl Zoo {
    pub(crate) fn start(options: &[&str]) -> Zoo {
        Zoo::start_program("zoo.rs", options)
    }

    /// The running program.
    pub(crate) fn process(&self) -> i32 {
        self.child.id() as i32
    }

    /// The debug info with sections changed, by name.
    pub(crate) fn damaged(&self, change: impl Fn(&str, &mut Vec<u8>)) -> gimli::Dwarf<Slice> {
        load(&self.program, change)
    }

    /// Starts another program that shows its variables as the zoo does.
    pub(crate) fn start_program(source: &str, options: &[&str]) -> Zoo {
        let program = built(source, options);
        let mut child = Command::new(&program).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut shown = BTreeMap::new();
        for line in BufReader::new(child.stdout.take().unwrap()).lines() {
            let line = line.unwrap();
            let mut parts = line.splitn(3, '\t');
            let (name, address, text) = (parts.next().unwrap(), parts.next().unwrap(), parts.next().unwrap());
            if name == "end" {
                break;
            }
            let address = u64::from_str_radix(&address[2..], 16).unwrap();
            shown.insert(name.to_owned(), (address, text.to_owned()));
        }
        let memory = ProcessMemory {
            file: File::open(format!("/proc/{}/mem", child.id())).unwrap(),
            process: child.id(),
        };
        let dwarf = load(&program, |_, _| {});
        let types = variables(&dwarf);
        Zoo { child, memory, dwarf, program, shown, types }
    }
}

/// The compiled program: built once for each source, compiler and options, then found again.
fn built(source: &str, options: &[&str]) -> PathBuf {
    let rustc = std::env::var("RELAPSE_TEST_RUSTC").unwrap_or_else(|_| "rustc".to_owned());
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/values").join(source);
    let version = Command::new(&rustc).arg("-vV").output().unwrap().stdout;
    let mut hasher = DefaultHasher::new();
    (std::fs::read(&source).unwrap(), version, options).hash(&mut hasher);
    let target = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let program = target.join(format!("zoo-{:016x}", hasher.finish()));
    if !program.exists() {
        // Tests run at once: each builds in a folder of its own, and the last rename wins.
        let folder = tempfile::tempdir_in(target).unwrap();
        let fresh = folder.path().join("zoo");
        let mut build = Command::new(&rustc);
        build.args(["--edition", "2021", "-Awarnings", "-o"]).arg(&fresh).args(options).arg(&source);
        assert!(build.status().unwrap().success());
        std::fs::rename(&fresh, &program).unwrap();
    }
    program
}

impl Drop for Zoo {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A live process's memory.
pub(crate) struct ProcessMemory {
    file: File,
    process: u32,
}

impl Memory for ProcessMemory {
    fn read(&self, address: u64, buffer: &mut [u8]) -> Result<(), Unreadable> {
        let unreadable = Unreadable { address, len: buffer.len() };
        self.file.read_exact_at(buffer, address).map_err(|_| unreadable)
    }

    fn open_file(&self, descriptor: i32, limit: u64) -> Result<OpenFile, NoFile> {
        open_file::of_process(self.process as i32, descriptor, limit)
    }
}

fn load(program: &Path, change: impl Fn(&str, &mut Vec<u8>)) -> gimli::Dwarf<Slice> {
    let bytes: &'static [u8] = Vec::leak(std::fs::read(program).unwrap());
    let file = object::File::parse(bytes).unwrap();
    let section = |id: gimli::SectionId| -> Result<Slice, gimli::Error> {
        let data = file.section_by_name(id.name()).map(|s| s.uncompressed_data().unwrap().into_owned());
        let mut data = data.unwrap_or_default();
        change(id.name(), &mut data);
        Ok(gimli::EndianSlice::new(Vec::leak(data), gimli::LittleEndian))
    };
    gimli::Dwarf::load(section).unwrap()
}

/// The type of every variable or parameter whose name starts with `z_`.
fn variables(dwarf: &gimli::Dwarf<Slice>) -> HashMap<String, DieRef> {
    let mut found = HashMap::new();
    let mut headers = dwarf.units();
    while let Some(header) = headers.next().unwrap() {
        let at = header.debug_info_offset().unwrap();
        let unit = dwarf.unit(header).unwrap();
        let mut entries = unit.entries();
        while let Some(entry) = entries.next_dfs().unwrap() {
            if !matches!(entry.tag(), constants::DW_TAG_variable | constants::DW_TAG_formal_parameter) {
                continue;
            }
            let Some(name) = entry.attr_value(constants::DW_AT_name) else { continue };
            let name = dwarf.attr_string(&unit, name).unwrap().to_string_lossy().into_owned();
            let ty = match entry.attr_value(constants::DW_AT_type) {
                Some(AttributeValue::UnitRef(entry)) => DieRef { unit: at, entry },
                Some(AttributeValue::DebugInfoRef(offset)) => elsewhere(dwarf, offset),
                _ => continue,
            };
            if name.starts_with("z_") {
                found.insert(name, ty);
            }
        }
    }
    found
}

fn elsewhere(dwarf: &gimli::Dwarf<Slice>, offset: gimli::DebugInfoOffset) -> DieRef {
    let mut headers = dwarf.units();
    while let Some(header) = headers.next().unwrap() {
        if let Some(entry) = offset.to_unit_offset(&header) {
            return DieRef { unit: header.debug_info_offset().unwrap(), entry };
        }
    }
    panic!("no unit at {offset:?}");
}
