//! A stopped thread's frames: the tracer's door to the unwinder and the reader of values.

use object::read::ReadCache;
use object::read::elf::ElfFile64;
use object::{Object, ObjectSymbol, SymbolKind};
use relapse_snapshot::{Frame, FrameKind, TypeTable};

use super::live::{LiveMemory, executable_mappings};
use super::ptrace::Pid;
use crate::memory::Memory;
use crate::roots::Roots;

/// Keeps what was read of images between crashes.
pub(crate) struct StackReader {}

impl StackReader {
    pub(crate) fn new(_roots: &Roots) -> StackReader {
        StackReader {}
    }

    /// The frames from these registers outwards, with their arguments where `values` are wanted.
    pub(crate) fn frames(
        &mut self,
        process: Pid,
        registers: &libc::user_regs_struct,
        memory: &LiveMemory,
        _values: bool,
        _types: &mut TypeTable,
        _notes: &mut Vec<String>,
    ) -> Vec<Frame> {
        let mut ips = vec![registers.rip];
        if let Ok(ret) = memory.read_u64(registers.rsp) {
            ips.push(ret.wrapping_sub(1));
        }
        let mut fp = registers.rbp;
        while ips.len() < 100 {
            let (Ok(next), Ok(ret)) = (memory.read_u64(fp), memory.read_u64(fp.wrapping_add(8))) else { break };
            if ret == 0 || next <= fp {
                break;
            }
            ips.push(ret.wrapping_sub(1));
            fp = next;
        }
        let maps = executable_mappings(process);
        ips.iter()
            .filter_map(|ip| {
                let map = maps.iter().find(|m| (m.start..m.end).contains(ip))?;
                let base = maps.iter().find(|m| m.path == map.path)?;
                let cache = ReadCache::new(std::fs::File::open(&base.path).ok()?);
                let elf: ElfFile64<'_, object::Endianness, _> = ElfFile64::parse(&cache).ok()?;
                use object::ObjectSegment;
                let segment = elf.segments().find(|s| {
                    s.file_range().0 / 4096 == map.offset / 4096
                })?;
                let svma = ip - map.start + map.offset - segment.file_range().0 + segment.address();
                let symbol = elf.symbols().find(|s| {
                    s.kind() == SymbolKind::Text && (s.address()..s.address() + s.size()).contains(&svma)
                })?;
                let function = format!("{:#}", rustc_demangle::demangle(symbol.name().ok()?));
                Some(Frame {
                    name: function.clone(),
                    function,
                    kind: FrameKind::Unknown,
                    package: None,
                    location: None,
                    declared: None,
                    inlined: false,
                    generics: Vec::new(),
                    arguments: Vec::new(),
                    arguments_missing: None,
                })
            })
            .collect()
    }
}
