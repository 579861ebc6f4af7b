//! Files that are written anew beside a program that runs: by rustc a `.dwp`, by `cp` a library.

use relapse_capture::image::ImageCache;
use relapse_snapshot::Data;

use crate::fixture::{Marked, Told, follow, program};

#[test]
fn debug_info_that_is_cut_short_between_two_panics_stays_as_it_was() {
    let source = r#"
        #[inline(never)] fn first(n: u32) { panic!("first {n}") }
        #[inline(never)] fn second(n: u32) { panic!("second {n}") }
        fn main() {
            let _ = std::panic::catch_unwind(|| first(41));
            let package = format!("{}.dwp", std::env::current_exe().unwrap().display());
            std::fs::File::options().write(true).open(package).unwrap().set_len(0).unwrap();
            let _ = std::panic::catch_unwind(|| second(42));
        }
    "#;
    let (command, mark) = Marked::command(&[], &program(source, &["-Csplit-debuginfo=packed"]));
    let mut told = Told::default();
    follow(&command, &mut told).unwrap();
    assert_eq!(mark.left(), Vec::<String>::new());
    let arguments = told.crashes.iter().map(|crash| {
        let frames = &crash.snapshot.threads[0].frames;
        let found = frames.iter().flat_map(|frame| &frame.arguments).find(|argument| argument.name == "n");
        found.map(|argument| argument.value.data.clone())
    });
    assert_eq!(arguments.collect::<Vec<_>>(), [Some(Data::Uint(41)), Some(Data::Uint(42))]);
}

#[test]
fn library_that_is_cut_short_is_still_read_as_it_was() {
    let library = program(
        "#[no_mangle] pub extern \"C\" fn fail() { let _ = std::panic::catch_unwind(|| panic!(\"caught\")); }",
        &["--crate-type=cdylib"],
    );
    let image = ImageCache::new().load(&library).unwrap();
    std::fs::File::options().write(true).open(&library).unwrap().set_len(0).unwrap();
    let symbols = image.find_symbols("fail", |name| name == "fail");
    assert_eq!(symbols.len(), 1);
    let context = image.context().unwrap();
    let location = context.find_location(symbols[0].address).unwrap();
    assert_eq!(location.unwrap().line, Some(1));
}
