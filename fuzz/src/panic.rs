//! What a stopped process says of its panic and of what it has mapped: std's own structures in memory that holds
//! anything, and the text of `/proc/PID/maps`.

use std::path::Path;

use relapse_capture::image::{AddressSpace, Image};
use relapse_capture::panic::{Origin, PanicCall, PanicLocation, Payload, minor_version};

use crate::memory::{Input, Pieces};

thread_local! {
    static IMAGE: &'static Image = {
        let file = crate::image::Program::Plain.files().swap_remove(0).leak();
        Box::leak(Box::new(Image::from_bytes(file, Path::new("/a/b")).expect("the fixture is an ELF file")))
    };
}

/// An input of the target: the version of rustc, the arguments of the panic's entry, pieces of memory.
pub fn encode(minor: u8, arguments: [u64; 5], pieces: &[u8]) -> Vec<u8> {
    let arguments = arguments.iter().flat_map(|argument| argument.to_le_bytes());
    [minor].into_iter().chain(arguments).chain(pieces.iter().copied()).collect()
}

/// Reads the bytes as a panic, and as a text of mappings.
pub fn body(data: &[u8]) {
    panic(Input(data));
    let text = String::from_utf8_lossy(data);
    let _ = minor_version(&text);
    let image = IMAGE.with(|image| *image);
    let mut opened = 0;
    let space = AddressSpace::of_maps(&text, |mapping| {
        opened += 1;
        assert!(mapping.path.starts_with('/'));
        Ok(image)
    });
    assert!(space.images().len() <= opened);
    for mapped in space.images() {
        let _ = (space.image_at(mapped.range.start), space.is_code(mapped.range.end));
    }
}

fn panic(mut input: Input<'_>) {
    let minor = match input.number::<1>() {
        0 => None,
        minor => Some(minor as u16),
    };
    let arguments = std::array::from_fn(|_| input.number::<8>());
    let memory = Pieces::read(input);
    let _ = PanicLocation::read(arguments[2], &memory);
    let Some(call) = PanicCall::read(minor, arguments, &memory) else { return };
    assert!(call.location.line > 0 && !call.location.file.is_empty());
    let value = |ty: &str| Origin::Value(Some(ty.to_owned()));
    let origins = [Origin::Core, Origin::Unknown, Origin::Value(None)];
    for origin in origins.into_iter().chain([value("&str"), value("alloc::string::String"), value("u8")]) {
        let _ = Payload::read(&call, &origin, &memory).message();
    }
}
