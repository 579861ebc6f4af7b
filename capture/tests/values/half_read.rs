//! A program that holds readers and iterators which are partly used up, says where each lies, and waits.
#![allow(dead_code, clippy::all)]

use std::collections::{BTreeMap, LinkedList};
use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Cursor, Read, Seek, Write};

macro_rules! place {
    ($($name:ident),* $(,)?) => {
        $( println!("{}\t{:#x}\t-", stringify!($name), std::ptr::addr_of!($name) as usize); )*
    };
}

fn file(name: &str, content: &[u8]) -> File {
    let path = std::env::temp_dir().join(format!("relapse-half-read-{}-{name}", std::process::id()));
    let mut file = File::options().read(true).write(true).create(true).truncate(true).open(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    file.write_all(content).unwrap();
    file.rewind().unwrap();
    file
}

fn read_on(reader: &mut impl Read, count: usize) {
    reader.read_exact(&mut vec![0; count]).unwrap();
}

fn main() {
    let mut z_file = file("file", b"0123456789");
    read_on(&mut z_file, 4);
    let z_fresh = file("fresh", b"fresh");
    let mut z_large = file("large", &vec![7; 3 << 20]);
    z_large.seek(std::io::SeekFrom::End(-5)).unwrap();
    let mut z_buffered = BufReader::with_capacity(8, file("buffered", b"abcdefghijkl"));
    read_on(&mut z_buffered, 3);
    let mut z_lines = BufReader::new(&b"one\ntwo\n"[..]);
    z_lines.read_line(&mut String::new()).unwrap();
    let mut z_cursor = Cursor::new(b"0123".to_vec());
    read_on(&mut z_cursor, 1);
    let mut z_slice: &[u8] = b"0123";
    read_on(&mut z_slice, 3);
    let mut z_taken = file("taken", b"0123456789").take(6);
    read_on(&mut z_taken, 2);
    let z_stdin = std::io::stdin();
    let z_socket = BufReader::new(std::io::empty());

    let mut z_chars = "añb".chars();
    z_chars.next();
    let mut z_char_indices = "añb".char_indices();
    z_char_indices.next();
    let mut z_bytes = "abc".bytes();
    z_bytes.next();
    let numbers = [1_u32, 2, 3, 4];
    let mut z_iter = numbers.iter();
    z_iter.next();
    z_iter.next_back();
    let units = [(), (), ()];
    let mut z_unit_iter = units.iter();
    z_unit_iter.next();
    let mut texts = vec![String::from("a"), String::from("b")];
    let mut z_iter_mut = texts.iter_mut();
    z_iter_mut.next();
    let mut z_into_iter = vec![String::from("x"), String::from("y"), String::from("z")].into_iter();
    z_into_iter.next();
    let mut z_unit_into_iter = vec![(), (), ()].into_iter();
    z_unit_into_iter.next();
    let mut z_peeked = [1_u8, 2, 3].iter().peekable();
    z_peeked.peek();
    let z_peekable = "xy".chars().peekable();
    let z_list: LinkedList<String> = ["first", "second"].map(String::from).into();
    let z_empty_list: LinkedList<u8> = LinkedList::new();
    let z_long_list: LinkedList<u32> = (0..20_000).collect();
    place!(
        z_file, z_fresh, z_large, z_buffered, z_lines, z_cursor, z_slice, z_taken, z_stdin, z_socket, z_chars,
        z_char_indices, z_bytes, z_iter, z_unit_iter, z_iter_mut, z_into_iter, z_unit_into_iter, z_peeked,
        z_peekable, z_list, z_empty_list, z_long_list,
    );
    println!("end\t0x0\t-");
    let _ = std::io::stdin().read(&mut [0]);
    std::hint::black_box((&z_chars, &z_char_indices, &z_bytes, &z_iter, &z_unit_iter, &z_into_iter));
    std::hint::black_box((&z_peeked, &z_peekable, &z_list, &z_empty_list, &z_long_list, &z_iter_mut));
    std::hint::black_box((&z_file, &z_fresh, &z_large, &z_buffered, &z_lines, &z_cursor, &z_slice));
    std::hint::black_box((&z_taken, &z_stdin, &z_socket, &z_unit_into_iter));
}
