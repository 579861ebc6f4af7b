//! The files that a process has mapped as code: where they are mapped, and the way to each. In: the text of
//! `/proc/PID/maps`. Never takes another file that has the same path for the one that is mapped.

use std::fs::{self, File, Metadata};
use std::io;
use std::ops::Range;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

use super::Segment;

pub(super) const PAGE: u64 = 4096;

/// A line of `/proc/PID/maps` that is a file's code.
pub struct Mapping<'a> {
    /// Its addresses.
    pub range: Range<u64>,
    /// Where it begins in the file.
    pub offset: u64,
    /// The file.
    pub file: FileId,
    /// The file as the process sees it, or where it was.
    pub path: &'a str,
}

/// Device and inode: which file it is, whatever its path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct FileId {
    device: (u32, u32),
    inode: u64,
}

/// A mapped file that was found.
pub(crate) struct Way {
    path: PathBuf,
    pub(crate) metadata: Metadata,
}

impl<'a> Mapping<'a> {
    /// The mappings of code in a text of `/proc/PID/maps`. Only code tells where an image lies: programs map files for
    /// other ends too (std's own backtrace maps the whole executable to read its debug info).
    pub(crate) fn all(maps: &'a str) -> impl Iterator<Item = Mapping<'a>> {
        maps.lines().filter_map(Mapping::parse)
    }

    /// `START-END PERMISSIONS OFFSET DEVICE INODE      PATH`.
    fn parse(line: &'a str) -> Option<Mapping<'a>> {
        let mut fields = line.splitn(6, ' ');
        let mut field = || fields.next();
        let (range, permissions, offset, device, inode) = (field()?, field()?, field()?, field()?, field()?);
        // The kernel writes a newline in a path as \012; such a library is not found, which loses its panics only.
        let path = field()?.trim_start();
        if !permissions.contains('x') || !path.starts_with('/') {
            return None;
        }
        let hex = |text| u64::from_str_radix(text, 16).ok();
        let ((start, end), (major, minor)) = (range.split_once('-')?, device.split_once(':')?);
        let number = |text| u32::from_str_radix(text, 16).ok();
        Some(Mapping {
            range: hex(start)?..hex(end)?,
            offset: hex(offset)?,
            file: FileId { device: (number(major)?, number(minor)?), inode: inode.parse().ok()? },
            path: path.strip_suffix(" (deleted)").unwrap_or(path),
        })
    }

    /// The load bias: where a segment is mapped, less where its file says that it goes. The kernel maps whole pages,
    /// so both are rounded down. Linkers let segments share a page of the file: only those of code count.
    pub(crate) fn bias(&self, segments: &[Segment]) -> Option<u64> {
        let page = |at: u64| at & !(PAGE - 1);
        let fits = |s: &&Segment| s.executable && page(s.offset) == page(self.offset);
        // A second mapping of one segment (its protection was changed in parts) begins further inside.
        let inside = |s: &&Segment| {
            s.executable && s.offset <= self.offset && self.offset < s.offset.saturating_add(s.len)
        };
        let segment = segments.iter().find(fits).or_else(|| segments.iter().find(inside))?;
        let address = page(segment.address).wrapping_add(self.offset.wrapping_sub(page(segment.offset)));
        Some(self.range.start.wrapping_sub(address))
    }

    /// The way to the mapped file: its path as the process sees it; where that is gone (a rebuilt program) or leads to
    /// another file, the kernel's links.
    pub(crate) fn find(&self, pid: i32) -> io::Result<Way> {
        let Range { start, end } = self.range;
        let mut why_not = None;
        for number in 0..3 {
            let path = PathBuf::from(match number {
                0 => format!("/proc/{pid}/root{}", self.path),
                1 => format!("/proc/{pid}/exe"),
                _ => format!("/proc/{pid}/map_files/{start:x}-{end:x}"),
            });
            match fs::metadata(&path) {
                Ok(metadata) if self.is(&metadata) => return Ok(Way { path, metadata }),
                Ok(_) => {
                    why_not.get_or_insert_with(|| io::Error::other("its path leads to another file now"))
                }
                Err(error) => why_not.get_or_insert(error),
            };
        }
        Err(why_not.unwrap_or_else(|| io::ErrorKind::NotFound.into()))
    }

    /// Opens what was found.
    pub(crate) fn open(&self, way: &Way) -> io::Result<File> {
        let file = File::open(&way.path)?;
        let same = self.is(&file.metadata()?);
        same.then_some(file).ok_or_else(|| io::Error::other("it was replaced meanwhile"))
    }

    /// Whether it is the executable of the process.
    pub(crate) fn is_executable_of(&self, pid: i32) -> bool {
        fs::metadata(format!("/proc/{pid}/exe")).is_ok_and(|file| self.is(&file))
    }

    fn is(&self, file: &Metadata) -> bool {
        // File systems with subvolumes show another device in `maps` than `stat` does: the inode has to do.
        file.is_file() && file.ino() == self.file.inode
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own_maps() -> String {
        fs::read_to_string("/proc/self/maps").unwrap()
    }

    #[test]
    fn maps_lines_are_parsed_with_blanks_in_paths() {
        let line = "7f00a000-7f00c000 r-xp 00001000 fd:0a 1234      /a b/lib c.so (deleted)";
        let mapping = Mapping::parse(line).unwrap();
        assert_eq!(mapping.range, 0x7f00_a000..0x7f00_c000);
        assert_eq!(mapping.file, FileId { device: (0xfd, 10), inode: 1234 });
        assert_eq!((mapping.offset, mapping.path), (0x1000, "/a b/lib c.so"));
        for other in [
            "7f00a000-7f00c000 r--p 00001000 fd:00 1234      /a",
            "7f00a000-7f00c000 rwxp 00000000 00:00 0 ",
            "7f00a000-7f00c000 r-xp 00000000 00:00 0     [vdso]",
            "nonsense",
        ] {
            assert!(Mapping::parse(other).is_none(), "{other}");
        }
    }

    #[test]
    fn the_bias_follows_the_executable_segment() {
        let segment = |offset, address, executable| Segment { offset, address, len: 0x2000, executable };
        // As lld lays them out: the code's segment shares its first file page with the one before.
        let segments = [segment(0, 0, false), segment(0x1234, 0x2234, true)];
        let bias = |start, offset| {
            let file = FileId { device: (0, 0), inode: 0 };
            Mapping { range: start..start + 0x2000, offset, file, path: "/x" }.bias(&segments)
        };
        assert_eq!(bias(0x55_0000_2000, 0x1000), Some(0x55_0000_0000));
        assert_eq!(bias(0x55_0000_3000, 0x2000), Some(0x55_0000_0000));
        assert_eq!(bias(0x55_0000_3000, 0x9000), None);
    }

    #[test]
    fn a_mapped_file_is_found_and_another_one_in_its_place_is_not() {
        let (maps, pid) = (own_maps(), std::process::id() as i32);
        let own = Mapping::all(&maps).next().unwrap();
        assert!(own.is_executable_of(pid));
        assert!(own.open(&own.find(pid).unwrap()).is_ok());
        // As after a rebuild: the path leads elsewhere, the kernel's link does not.
        let moved = Mapping { path: "/etc/passwd", ..own };
        assert!(moved.find(pid).is_ok_and(|way| way.path.ends_with("exe")));
        let file = FileId { inode: moved.file.inode + 1, ..moved.file };
        let other = Mapping { file, ..moved };
        assert_eq!(other.find(pid).err().unwrap().to_string(), "its path leads to another file now");
    }
}
