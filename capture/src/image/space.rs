//! Which images a process has mapped, and where.

use std::collections::HashSet;
use std::ops::Range;
use std::path::PathBuf;

use super::mapping::PAGE;
use super::{Image, ImageCache, ImageError, Mapping};

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

impl AddressSpace {
    /// What a live process has mapped now. Images that cannot be read are left out, with a note.
    pub fn of_process(pid: i32, cache: &mut ImageCache) -> Result<AddressSpace, ImageError> {
        let maps = PathBuf::from(format!("/proc/{pid}/maps"));
        let bytes = std::fs::read(&maps).map_err(|source| ImageError::Read { path: maps, source })?;
        let text = String::from_utf8_lossy(&bytes);
        Ok(AddressSpace::of_maps(&text, |mapping| cache.load_mapped(pid, mapping)))
    }

    /// What the text of a `/proc/PID/maps` says is mapped; `open` gives the image of a mapped file.
    pub fn of_maps<'t>(
        text: &'t str,
        mut open: impl FnMut(&Mapping<'t>) -> Result<&'static Image, ImageError>,
    ) -> AddressSpace {
        let (mut space, mut failed) = (AddressSpace::default(), HashSet::new());
        for mapping in Mapping::all(text) {
            if space.image_at(mapping.range.start).is_some() || failed.contains(mapping.path) {
                continue;
            }
            match open(&mapping) {
                Ok(image) => {
                    if let Some(bias) = mapping.bias(image.segments()) {
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

fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
