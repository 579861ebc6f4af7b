//! Which images a process has mapped, and where.

use std::collections::HashSet;
use std::ops::Range;
use std::path::{Path, PathBuf};

use super::{Image, ImageCache, ImageError, Segment};

const PAGE: u64 = 4096;

/// The file-backed images of one process with their load bias.
#[derive(Default)]
pub struct AddressSpace {
    /// Sorted by start.
    mapped: Vec<Mapped>,
    notes: Vec<String>,
}

/// One image in one address space.
#[derive(Clone)]
pub struct Mapped {
    /// The file.
    pub image: &'static Image,
    /// What is added to the file's addresses.
    pub bias: u64,
    /// From the first segment's start to the last one's end, in the process.
    pub range: Range<u64>,
}

/// A line of `/proc/PID/maps` that has a file.
pub struct Mapping<'a> {
    /// Its addresses.
    pub range: Range<u64>,
    /// Whether it is code.
    pub executable: bool,
    /// Where it begins in the file.
    pub offset: u64,
    /// The file as the kernel names it.
    pub path: &'a str,
}

impl AddressSpace {
    /// What a live process has mapped now. Images that cannot be read are left out, with a note.
    pub fn of_process(pid: i32, cache: &mut ImageCache) -> Result<AddressSpace, ImageError> {
        let maps = PathBuf::from(format!("/proc/{pid}/maps"));
        let bytes = std::fs::read(&maps).map_err(|source| ImageError::Read { path: maps, source })?;
        let text = String::from_utf8_lossy(&bytes);
        Ok(AddressSpace::of_maps(&text, |mapping| open(pid, mapping, cache)))
    }

    /// What the text of a `/proc/PID/maps` says is mapped; `open` gives the image of a mapped file.
    pub fn of_maps<'t>(
        text: &'t str,
        mut open: impl FnMut(&Mapping<'t>) -> Result<&'static Image, ImageError>,
    ) -> AddressSpace {
        let (mut space, mut failed) = (AddressSpace::default(), HashSet::new());
        // Only code tells where an image lies: programs map files for other ends too (std's own backtrace
        // maps the whole executable to read its debug info).
        for mapping in text.lines().filter_map(Mapping::parse).filter(|mapping| mapping.executable) {
            if space.image_at(mapping.range.start).is_some() || failed.contains(mapping.path) {
                continue;
            }
            match open(&mapping) {
                Ok(image) => {
                    if let Some(bias) = bias(image.segments(), &mapping) {
                        space.add(image, bias);
                    }
                }
                Err(error) => {
                    failed.insert(mapping.path);
                    space.notes.push(format!("no frames of {}: {}", file_name(mapping.path), error.reason()));
                }
            }
        }
        space
    }

    /// Images that are loaded already, in their places.
    pub fn of_images(images: impl IntoIterator<Item = Mapped>) -> AddressSpace {
        let mut space = AddressSpace::default();
        images.into_iter().for_each(|mapped| space.insert(mapped));
        space
    }

    /// The images of a core file or a recording: file, load bias, and the range that it covers.
    pub fn of_files(files: Vec<(PathBuf, u64, Range<u64>)>, cache: &mut ImageCache) -> AddressSpace {
        let mut space = AddressSpace::default();
        for (path, bias, range) in files {
            match cache.load(&path) {
                Ok(image) => space.insert(Mapped { image, bias, range }),
                Err(error) => {
                    let name = file_name(&path.to_string_lossy()).to_owned();
                    space.notes.push(format!("no frames of {name}: {}", error.reason()));
                }
            }
        }
        space
    }

    /// The image that covers an address of the process, and its load bias.
    pub fn image_at(&self, address: u64) -> Option<(&'static Image, u64)> {
        let after = self.mapped.partition_point(|mapped| mapped.range.start <= address);
        let mapped = self.mapped[..after].iter().rev().find(|mapped| mapped.range.contains(&address))?;
        Some((mapped.image, mapped.bias))
    }

    /// Whether an address of the process lies in an image's code.
    pub fn is_code(&self, address: u64) -> bool {
        self.image_at(address).is_some_and(|(image, bias)| {
            let own = address.wrapping_sub(bias);
            image.segments().iter().any(|s| s.executable && own.wrapping_sub(s.address) < s.len)
        })
    }

    /// All images, by address.
    pub fn images(&self) -> &[Mapped] {
        &self.mapped
    }

    /// Which images could not be read, and why.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    fn add(&mut self, image: &'static Image, bias: u64) {
        let start = image.segments().iter().map(|s| s.address).min().unwrap_or(0);
        let end = image.segments().iter().map(|s| s.address.saturating_add(s.len)).max().unwrap_or(0);
        let range = bias.wrapping_add(start) & !(PAGE - 1)..bias.wrapping_add(end);
        self.insert(Mapped { image, bias, range });
    }

    fn insert(&mut self, mapped: Mapped) {
        let at = self.mapped.partition_point(|other| other.range.start <= mapped.range.start);
        self.mapped.insert(at, mapped);
    }
}

impl<'a> Mapping<'a> {
    /// `START-END PERMISSIONS OFFSET DEVICE INODE      PATH`.
    fn parse(line: &'a str) -> Option<Mapping<'a>> {
        let (range, rest) = line.split_once(' ')?;
        let (start, end) = range.split_once('-')?;
        let mut fields = rest.splitn(5, ' ');
        let (permissions, offset) = (fields.next()?, fields.next()?);
        let path = fields.nth(2)?.trim_start();
        let hex = |text| u64::from_str_radix(text, 16).ok();
        path.starts_with('/').then_some(())?;
        Some(Mapping {
            range: hex(start)?..hex(end)?,
            executable: permissions.contains('x'),
            offset: hex(offset)?,
            path,
        })
    }
}

/// The load bias: where a segment is mapped, less where its file says that it goes. The kernel maps whole
/// pages, so both are rounded down.
fn bias(segments: &[Segment], mapping: &Mapping<'_>) -> Option<u64> {
    let page = |at: u64| at & !(PAGE - 1);
    let fits = |s: &&Segment| s.executable && page(s.offset) == page(mapping.offset);
    // A second mapping of one segment (its protection was changed in parts) begins further inside.
    let inside = |s: &&Segment| {
        s.executable && s.offset <= mapping.offset && mapping.offset < s.offset.saturating_add(s.len)
    };
    let segment = segments.iter().find(fits).or_else(|| segments.iter().find(inside))?;
    let address = page(segment.address).wrapping_add(mapping.offset.wrapping_sub(page(segment.offset)));
    Some(mapping.range.start.wrapping_sub(address))
}

/// Opens a mapped file: by its path; where that is gone (a rebuilt program) or is another file (a mount
/// namespace of its own), by the kernel's links.
fn open(pid: i32, mapping: &Mapping<'_>, cache: &mut ImageCache) -> Result<&'static Image, ImageError> {
    let name = mapping.path.strip_suffix(" (deleted)");
    let path = Path::new(name.unwrap_or(mapping.path));
    let exe = PathBuf::from(format!("/proc/{pid}/exe"));
    if std::fs::read_link(&exe).is_ok_and(|target| target == Path::new(mapping.path)) {
        return cache.load_executable(&exe, path);
    }
    let by_range =
        PathBuf::from(format!("/proc/{pid}/map_files/{:x}-{:x}", mapping.range.start, mapping.range.end));
    if name.is_some() {
        return cache.load_library(&by_range, path);
    }
    let in_root = PathBuf::from(format!("/proc/{pid}/root{}", path.display()));
    cache
        .load_library(&in_root, path)
        .or_else(|_| cache.load_library(&by_range, path))
        .or_else(|_| cache.load(path))
}

fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn maps_lines_are_parsed_with_blanks_in_paths() {
        let line = "7f00a000-7f00c000 r-xp 00001000 fd:00 1234      /a b/lib c.so (deleted)";
        let mapping = Mapping::parse(line).unwrap();
        assert_eq!(mapping.range, 0x7f00_a000..0x7f00_c000);
        assert!(mapping.executable);
        assert_eq!((mapping.offset, mapping.path), (0x1000, "/a b/lib c.so (deleted)"));
        assert!(Mapping::parse("7f00a000-7f00c000 rw-p 00000000 00:00 0 ").is_none());
        assert!(Mapping::parse("7f00a000-7f00c000 r-xp 00000000 00:00 0     [vdso]").is_none());
        assert!(Mapping::parse("nonsense").is_none());
    }

    #[test]
    fn notes_have_the_reason_and_no_folder() {
        let folder = tempfile::tempdir().unwrap();
        let text = folder.path().join("text.so");
        std::fs::write(&text, "no ELF file").unwrap();
        let files = vec![(folder.path().join("gone.so"), 0, 0..1), (text, 1, 1..2)];
        let space = AddressSpace::of_files(files, &mut ImageCache::new());
        let notes = space.notes();
        assert_eq!(notes[0], "no frames of gone.so: No such file or directory (os error 2)");
        assert!(notes[1].starts_with("no frames of text.so: it is no 64-bit ELF file"), "{}", notes[1]);
        assert!(notes.iter().all(|note| !note.contains('/')), "{notes:?}");
    }

    #[test]
    fn the_bias_follows_the_executable_segment() {
        let segment = |offset, address, executable| Segment { offset, address, len: 0x2000, executable };
        // As lld lays them out: the code's segment shares its first file page with the one before.
        let segments = [segment(0, 0, false), segment(0x1234, 0x2234, true)];
        let mapping =
            |start, offset| Mapping { range: start..start + 0x2000, executable: true, offset, path: "/x" };
        assert_eq!(bias(&segments, &mapping(0x55_0000_2000, 0x1000)), Some(0x55_0000_0000));
        assert_eq!(bias(&segments, &mapping(0x55_0000_3000, 0x2000)), Some(0x55_0000_0000));
        assert_eq!(bias(&segments, &mapping(0x55_0000_3000, 0x9000)), None);
    }
}
