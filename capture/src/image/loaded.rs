//! An image together with the bytes that it borrows from, so that both can be given back: a program that is built and traced
//! again and again would else cost its size each time. In: bytes, and how an image is read of them. Opens no file.

use std::ptr::NonNull;

use memmap2::Mmap;

use super::Image;

/// A file's bytes, as they were had.
pub(super) enum Bytes {
    /// Mapped.
    Mapped(NonNull<Mmap>),
    /// Read.
    Read(NonNull<[u8]>),
}

impl Bytes {
    pub(super) fn mapped(map: Mmap) -> Bytes {
        Bytes::Mapped(NonNull::from(Box::leak(Box::new(map))))
    }

    pub(super) fn read(bytes: Vec<u8>) -> Bytes {
        Bytes::Read(NonNull::from(Box::leak(bytes.into_boxed_slice())))
    }

    /// They stay until [`Bytes::give_back`].
    fn get(&self) -> &'static [u8] {
        match self {
            // SAFETY: the pointer is of a box that was leaked, which only `give_back` frees; nobody changes it.
            Bytes::Mapped(map) => unsafe { map.as_ref() },
            // SAFETY: the same.
            Bytes::Read(bytes) => unsafe { bytes.as_ref() },
        }
    }

    /// # Safety
    ///
    /// Nothing that was borrowed of them is used from now on.
    unsafe fn give_back(self) {
        match self {
            // SAFETY: it was leaked of a box in `mapped`, and is given back once, as this takes `self`.
            Bytes::Mapped(map) => drop(unsafe { Box::from_raw(map.as_ptr()) }),
            // SAFETY: the same of `read`.
            Bytes::Read(bytes) => drop(unsafe { Box::from_raw(bytes.as_ptr()) }),
        }
    }
}

/// An image and its bytes. Dropped, it stays for good: what borrows from an image needs no lifetime.
pub(super) struct Loaded {
    image: NonNull<Image>,
    bytes: Bytes,
}

impl Loaded {
    /// What `read` makes of the bytes.
    pub(super) fn read<E>(
        bytes: Bytes,
        read: impl FnOnce(&'static [u8]) -> Result<Image, E>,
    ) -> Result<Loaded, E> {
        let image = read(bytes.get())?;
        Ok(Loaded { image: NonNull::from(Box::leak(Box::new(image))), bytes })
    }

    /// The image; it stays until [`Loaded::give_back`].
    pub(super) fn image(&self) -> &'static Image {
        // SAFETY: the pointer is of a box that was leaked, which only `give_back` frees; nobody changes it.
        unsafe { self.image.as_ref() }
    }

    /// Frees the image and its bytes. Files beside it (`.dwo`, `.dwp`, a separate debug file) and unpacked sections stay.
    ///
    /// # Safety
    ///
    /// Neither the image nor anything that was borrowed of it is used from now on.
    pub(super) unsafe fn give_back(self) {
        // SAFETY: it was leaked of a box in `read`, and is given back once, as this takes `self`.
        drop(unsafe { Box::from_raw(self.image.as_ptr()) });
        // SAFETY: the image was the last that borrowed them, as the caller promises.
        unsafe { self.bytes.give_back() };
    }
}
