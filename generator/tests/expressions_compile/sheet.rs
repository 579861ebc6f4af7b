//! Value trees made by hand, in the shape that the reader of a process gives them.

use proc_macro2::TokenStream;
use relapse_generator::names::{Names, Unnameable};
use relapse_snapshot::{
    Data, Field, FieldShape, StdType, Trust, TypeId, TypeKind, TypeShape, TypeTable, Value, VariantShape,
};

/// The public paths of std's items; the subject's own are as they are.
pub(crate) struct PublicNames;

const PUBLIC: &[(&str, &str)] = &[
    ("alloc::string::String", "String"),
    ("alloc::vec::Vec", "Vec"),
    ("alloc::boxed::Box", "Box"),
    ("core::option::Option", "Option"),
    ("alloc::rc::", "std::rc::"),
    ("alloc::sync::", "std::sync::"),
    ("alloc::borrow::", "std::borrow::"),
    ("alloc::ffi::c_str::", "std::ffi::"),
    ("alloc::collections::vec_deque::", "std::collections::"),
    ("alloc::collections::binary_heap::", "std::collections::"),
    ("alloc::collections::btree::map::", "std::collections::"),
    ("alloc::collections::btree::set::", "std::collections::"),
    ("std::collections::hash::map::", "std::collections::"),
    ("std::collections::hash::set::", "std::collections::"),
    ("std::sync::poison::mutex::", "std::sync::"),
    ("alloc::collections::linked_list::", "std::collections::"),
    ("std::io::buffered::bufreader::", "std::io::"),
    ("std::io::buffered::bufwriter::", "std::io::"),
    ("std::io::stdio::", "std::io::"),
    ("std::io::util::", "std::io::"),
    ("std::io::cursor::", "std::io::"),
    ("std::ffi::os_str::", "std::ffi::"),
    ("std::os::unix::ffi::os_str::", "std::os::unix::ffi::"),
    ("core::cell::once::", "std::cell::"),
    ("core::ptr::non_null::", "std::ptr::"),
    ("core::num::nonzero::", "std::num::"),
    ("core::num::wrapping::", "std::num::"),
    ("core::net::ip_addr::", "std::net::"),
    ("core::net::socket_addr::", "std::net::"),
    ("core::", "std::"),
];

fn public(path: &str) -> String {
    for (private, public) in PUBLIC {
        if let Some(rest) = path.strip_prefix(private) {
            return format!("{public}{rest}");
        }
    }
    path.to_owned()
}

impl Names for PublicNames {
    fn path(&self, definition: &str) -> Result<TokenStream, Unnameable> {
        public(definition).parse().map_err(|_| Unnameable(format!("{definition} is no path")))
    }

    fn literal(&self, definition: &str) -> Result<(), Unnameable> {
        if definition == "subject::Sealed" {
            return Err(Unnameable("subject::Sealed has a private field".to_owned()));
        }
        Ok(())
    }

    fn constructor(&self, definition: &str, _: &[&str]) -> Result<TokenStream, Unnameable> {
        match definition {
            "subject::Sealed" => Ok(quote::quote!(subject::Sealed::relapse_new)),
            other => Err(Unnameable(format!("{other} has no constructor"))),
        }
    }

    fn is_copy(&self, definition: &str) -> bool {
        definition == "subject::Point"
    }

    fn type_tokens(&self, full_name: &str) -> Result<TokenStream, Unnameable> {
        let mut text = full_name.replace(", alloc::alloc::Global", "");
        for (private, public) in PUBLIC {
            text = text.replace(private, public);
        }
        text.parse().map_err(|_| Unnameable(full_name.to_owned()))
    }
}

#[derive(Default)]
pub(crate) struct Sheet {
    pub(crate) types: TypeTable,
}

fn v(ty: TypeId, data: Data) -> Value {
    Value { ty, trust: Trust::AtCrash, data }
}

impl Sheet {
    pub(crate) fn ty(&mut self, name: &str, kind: TypeKind) -> TypeId {
        self.types.intern(TypeShape { name: name.to_owned(), size: None, kind })
    }

    /// A type that the tests refer to by name only.
    fn named(&mut self, name: &str) -> TypeId {
        match name {
            "u8" => self.ty("u8", TypeKind::Integer { signed: false, bits: 8 }),
            _ => self.types.find(name).unwrap_or_else(|| self.ty(name, TypeKind::Opaque)),
        }
    }

    pub(crate) fn structure(
        &mut self,
        name: &str,
        tuple: bool,
        params: Vec<TypeId>,
        fields: Vec<(&str, Value)>,
    ) -> Value {
        let shapes: Vec<_> = fields.iter().map(|(name, value)| (*name, value)).collect();
        let shapes = shapes_of(&shapes);
        let ty = self.ty(name, TypeKind::Struct { fields: shapes, tuple, params });
        let fields = fields.into_iter().map(|(name, value)| Field { name: name.to_owned(), value }).collect();
        v(ty, Data::Struct(fields))
    }

    pub(crate) fn uint(&mut self, ty: &str, number: u128) -> Value {
        let bits = ty[1..].parse().unwrap_or(64);
        v(self.ty(ty, TypeKind::Integer { signed: false, bits }), Data::Uint(number))
    }

    pub(crate) fn int(&mut self, ty: &str, number: i128) -> Value {
        let bits = ty[1..].parse().unwrap_or(64);
        v(self.ty(ty, TypeKind::Integer { signed: true, bits }), Data::Int(number))
    }

    pub(crate) fn f64(&mut self, number: f64) -> Value {
        v(self.ty("f64", TypeKind::Float { bits: 64 }), Data::Float(number.to_bits()))
    }

    pub(crate) fn char(&mut self, c: char) -> Value {
        v(self.ty("char", TypeKind::Char), Data::Char(c))
    }

    pub(crate) fn bool(&mut self, flag: bool) -> Value {
        v(self.ty("bool", TypeKind::Bool), Data::Bool(flag))
    }

    pub(crate) fn unit(&mut self) -> Value {
        v(self.ty("()", TypeKind::Tuple(vec![])), Data::Tuple(vec![]))
    }

    pub(crate) fn tuple(&mut self, items: Vec<Value>) -> Value {
        let names: Vec<String> = items.iter().map(|item| self.types.name(item.ty).to_owned()).collect();
        let kind = TypeKind::Tuple(items.iter().map(|item| item.ty).collect());
        v(self.ty(&format!("({})", names.join(", ")), kind), Data::Tuple(items))
    }

    pub(crate) fn unsized_str(&mut self, text: &str) -> Value {
        v(self.ty("str", TypeKind::Str), Data::Text { text: text.to_owned(), len: text.len() as u64 })
    }

    pub(crate) fn unsized_bytes(&mut self, bytes: &[u8]) -> Value {
        let of = self.named("u8");
        let ty = self.ty("[u8]", TypeKind::Slice(of));
        v(ty, Data::Bytes { bytes: bytes.to_vec(), len: bytes.len() as u64 })
    }

    pub(crate) fn reference(&mut self, to: Value, mutable: bool) -> Value {
        let name = format!("&{}{}", if mutable { "mut " } else { "" }, self.types.name(to.ty));
        let ty = self.ty(&name, TypeKind::Reference { to: to.ty, mutable });
        v(ty, Data::Pointer { address: 0x1000, to: Some(Box::new(to)) })
    }

    pub(crate) fn str(&mut self, text: &str) -> Value {
        let to = self.unsized_str(text);
        self.reference(to, false)
    }

    pub(crate) fn str_mut(&mut self, text: &str) -> Value {
        let to = self.unsized_str(text);
        self.reference(to, true)
    }

    pub(crate) fn byte_slice(&mut self, bytes: &[u8]) -> Value {
        let to = self.unsized_bytes(bytes);
        self.reference(to, false)
    }

    pub(crate) fn byte_slice_mut(&mut self, bytes: &[u8]) -> Value {
        let to = self.unsized_bytes(bytes);
        self.reference(to, true)
    }

    pub(crate) fn slice(&mut self, items: Vec<Value>, of: &str, mutable: bool) -> Value {
        let element = items.first().map_or_else(|| self.named(of), |item| item.ty);
        let ty = self.ty(&format!("[{of}]"), TypeKind::Slice(element));
        let len = items.len() as u64;
        self.reference(v(ty, Data::Sequence { items, len }), mutable)
    }

    pub(crate) fn byte_array(&mut self, bytes: &[u8]) -> Value {
        let (of, len) = (self.named("u8"), bytes.len() as u64);
        v(
            self.ty(&format!("[u8; {len}]"), TypeKind::Array { of, len }),
            Data::Bytes { bytes: bytes.to_vec(), len },
        )
    }

    fn std(&mut self, std: StdType, name: &str, params: Vec<TypeId>, data: Data) -> Value {
        v(self.ty(name, TypeKind::Std { std, params }), data)
    }

    pub(crate) fn string(&mut self, text: &str) -> Value {
        self.text_of(StdType::String, "alloc::string::String", text)
    }

    pub(crate) fn text_of(&mut self, std: StdType, name: &str, text: &str) -> Value {
        self.std(std, name, vec![], Data::Text { text: text.to_owned(), len: text.len() as u64 })
    }

    pub(crate) fn bytes_of(&mut self, std: StdType, name: &str, bytes: &[u8]) -> Value {
        self.std(std, name, vec![], Data::Bytes { bytes: bytes.to_vec(), len: bytes.len() as u64 })
    }

    pub(crate) fn vec(&mut self, items: Vec<Value>, of: &str) -> Value {
        let element = items.first().map_or_else(|| self.named(of), |item| item.ty);
        let len = items.len() as u64;
        let name = format!("alloc::vec::Vec<{of}, alloc::alloc::Global>");
        self.std(StdType::Vec, &name, vec![element], Data::Sequence { items, len })
    }

    pub(crate) fn byte_vec(&mut self, bytes: &[u8]) -> Value {
        let (of, len) = (self.named("u8"), bytes.len() as u64);
        let name = "alloc::vec::Vec<u8, alloc::alloc::Global>";
        self.std(StdType::Vec, name, vec![of], Data::Bytes { bytes: bytes.to_vec(), len })
    }

    pub(crate) fn collection(&mut self, std: StdType, name: &str, items: Vec<Value>, of: &str) -> Value {
        let element = items.first().map_or_else(|| self.named(of), |item| item.ty);
        let len = items.len() as u64;
        let hasher = if std == StdType::HashSet { ", std::hash::random::RandomState" } else { "" };
        self.std(std, &format!("{name}<{of}{hasher}>"), vec![element], Data::Sequence { items, len })
    }

    pub(crate) fn map(
        &mut self,
        std: StdType,
        name: &str,
        entries: Vec<(Value, Value)>,
        (key, value): (&str, &str),
        hasher: Option<&str>,
    ) -> Value {
        let params = vec![self.named(key), self.named(value)];
        let hasher = hasher.map(|hasher| format!(", {hasher}")).unwrap_or_default();
        let len = entries.len() as u64;
        self.std(std, &format!("{name}<{key}, {value}{hasher}>"), params, Data::Map { entries, len })
    }

    pub(crate) fn owner(&mut self, std: StdType, name: &str, to: Value) -> Value {
        let name = format!("{name}<{}, alloc::alloc::Global>", self.types.name(to.ty));
        let params = vec![to.ty];
        self.std(std, &name, params, Data::Pointer { address: 0x2000, to: Some(Box::new(to)) })
    }

    pub(crate) fn cell(&mut self, std: StdType, name: &str, inner: Value, state: i64) -> Value {
        let name = format!("{name}<{}>", self.types.name(inner.ty));
        let params = vec![inner.ty];
        self.std(std, &name, params, Data::Cell { inner: Box::new(inner), state, poisoned: false })
    }

    pub(crate) fn variant(
        &mut self,
        name: &str,
        params: Vec<TypeId>,
        variant: &str,
        fields: Vec<(&str, Value)>,
    ) -> Value {
        let tuple = fields.first().is_some_and(|(name, _)| *name == "0");
        let shapes: Vec<_> = fields.iter().map(|(name, value)| (*name, value)).collect();
        let shapes = shapes_of(&shapes);
        let variants = vec![VariantShape { name: variant.to_owned(), fields: shapes, tuple }];
        // The table keeps the first shape of a name, so each variant used has a table entry of its own.
        let ty = self.ty(name, TypeKind::Enum { variants: variants.clone(), params: params.clone() });
        if let Some(TypeKind::Enum { variants: known, .. }) =
            self.types.get(ty).map(|shape| shape.kind.clone())
            && !known.iter().any(|k| k.name == variant)
        {
            let all = known.into_iter().chain(variants).collect();
            self.types.fill(ty, TypeKind::Enum { variants: all, params });
        }
        let fields = fields.into_iter().map(|(name, value)| Field { name: name.to_owned(), value }).collect();
        v(ty, Data::Variant { name: variant.to_owned(), fields })
    }

    pub(crate) fn some(&mut self, inner: Value) -> Value {
        let name = format!("core::option::Option<{}>", self.types.name(inner.ty));
        self.variant(&name, vec![inner.ty], "Some", vec![("0", inner)])
    }

    pub(crate) fn none(&mut self, of: &str) -> Value {
        let param = self.named(of);
        self.variant(&format!("core::option::Option<{of}>"), vec![param], "None", vec![])
    }

    pub(crate) fn ok(&mut self, inner: Value, error: &str) -> Value {
        let name = format!("core::result::Result<{}, {error}>", self.types.name(inner.ty));
        let params = vec![inner.ty, self.named(error)];
        self.variant(&name, params, "Ok", vec![("0", inner)])
    }

    pub(crate) fn plain_enum(&mut self, name: &str, variant: &str) -> Value {
        self.variant(name, vec![], variant, vec![])
    }

    pub(crate) fn cow(&mut self, text: Value) -> Value {
        let param = self.named("str");
        self.variant("alloc::borrow::Cow<str>", vec![param], "Borrowed", vec![("0", text)])
    }

    pub(crate) fn duration(&mut self, secs: u64, nanos: u32) -> Value {
        self.std(StdType::Duration, "core::time::Duration", vec![], Data::Duration { secs, nanos })
    }

    pub(crate) fn non_zero(&mut self, of: &str, number: u128) -> Value {
        let param = self.uint(of, number).ty;
        self.std(
            StdType::NonZero,
            &format!("core::num::nonzero::NonZero<{of}>"),
            vec![param],
            Data::Uint(number),
        )
    }

    pub(crate) fn range(&mut self, name: &str, fields: &[&'static str], ends: &[u128]) -> Value {
        let fields: Vec<_> = fields.iter().zip(ends).map(|(f, end)| (*f, self.uint("usize", *end))).collect();
        let params = vec![fields[0].1.ty];
        self.structure(&format!("{name}<usize>"), false, params, fields)
    }

    pub(crate) fn range_inclusive(&mut self, start: u128, end: u128) -> Value {
        let (start, end, done) = (self.uint("usize", start), self.uint("usize", end), self.bool(false));
        let params = vec![start.ty];
        let fields = vec![("start", start), ("end", end), ("exhausted", done)];
        self.structure("core::ops::range::RangeInclusive<usize>", false, params, fields)
    }

    pub(crate) fn wrapped(&mut self, name: &str, field: &'static str, of: &str, number: u128) -> Value {
        let inner = self.uint(of, number);
        let params = vec![inner.ty];
        self.structure(name, true, params, vec![(field, inner)])
    }

    pub(crate) fn ipv4(&mut self, octets: [u8; 4]) -> Value {
        let octets = self.byte_array(&octets);
        self.structure("core::net::ip_addr::Ipv4Addr", false, vec![], vec![("octets", octets)])
    }

    pub(crate) fn ipv6(&mut self, address: &str) -> Value {
        let address: std::net::Ipv6Addr = address.parse().unwrap();
        let octets = self.byte_array(&address.octets());
        self.structure("core::net::ip_addr::Ipv6Addr", false, vec![], vec![("octets", octets)])
    }

    pub(crate) fn socket(&mut self, octets: [u8; 4], port: u128) -> Value {
        let (ip, port) = (self.ipv4(octets), self.uint("u16", port));
        let v4 = self.structure(
            "core::net::socket_addr::SocketAddrV4",
            false,
            vec![],
            vec![("ip", ip), ("port", port)],
        );
        self.variant("core::net::socket_addr::SocketAddr", vec![], "V4", vec![("0", v4)])
    }

    pub(crate) fn atomic(&mut self, name: &str, of: &str, number: u128) -> Value {
        let inner = self.uint(of, number);
        let cell = self.cell(StdType::UnsafeCell, "core::cell::UnsafeCell", inner, 0);
        self.structure(name, false, vec![], vec![("v", cell)])
    }

    pub(crate) fn system_time(&mut self, secs: i128, nanos: u128) -> Value {
        let nanos = self.uint("u32", nanos);
        let nanos = self.structure("core::num::niche_types::Nanoseconds", true, vec![], vec![("0", nanos)]);
        let secs = self.int("i64", secs);
        let fields = vec![("tv_sec", secs), ("tv_nsec", nanos)];
        let timespec = self.structure("std::sys::pal::unix::time::Timespec", false, vec![], fields);
        let inner = self.structure("std::sys::time::unix::SystemTime", false, vec![], vec![("t", timespec)]);
        self.structure("std::time::SystemTime", true, vec![], vec![("0", inner)])
    }

    /// An iterator over a slice or a vector, by what is left of it.
    pub(crate) fn iterator(&mut self, std: StdType, name: &str, items: Vec<Value>, of: &str) -> Value {
        let of = items.first().map_or_else(|| self.named(of), |item| item.ty);
        let len = items.len() as u64;
        let name = format!("{name}<{}>", self.types.name(of));
        self.std(std, &name, vec![of], Data::Sequence { items, len })
    }

    pub(crate) fn chars(&mut self, text: &str) -> Value {
        let of = self.named("u8");
        let data = Data::Bytes { bytes: text.into(), len: text.len() as u64 };
        let left = self.std(StdType::SliceIter, "core::slice::iter::Iter<u8>", vec![of], data);
        self.structure("core::str::iter::Chars", false, vec![], vec![("iter", left)])
    }

    /// An open file of which `position` bytes were read.
    pub(crate) fn file(&mut self, content: &[u8], position: u128) -> Value {
        let content = self.unsized_bytes(content);
        let fields = vec![
            ("content", content),
            ("start", self.uint("u64", 0)),
            ("position", self.uint("u64", position)),
        ];
        let fields = fields.into_iter().map(|(name, value)| Field { name: name.to_owned(), value }).collect();
        self.std(StdType::File, "std::fs::File", vec![], Data::Struct(fields))
    }

    /// As snapshots have it since they tell how much it takes at a time.
    pub(crate) fn buf_reader_of(&mut self, capacity: u128, buffer: &[u8], inner: Value) -> Value {
        let mut reader = self.buf_reader(buffer, inner);
        let value = self.uint("u64", capacity);
        if let Data::Struct(fields) = &mut reader.data {
            fields.push(Field { name: "capacity".to_owned(), value });
        }
        reader
    }

    pub(crate) fn buf_reader(&mut self, buffer: &[u8], inner: Value) -> Value {
        let (buffer, of) = (self.unsized_bytes(buffer), inner.ty);
        let name = format!("std::io::buffered::bufreader::BufReader<{}>", self.types.name(of));
        let fields = vec![
            Field { name: "buffer".to_owned(), value: buffer },
            Field { name: "inner".to_owned(), value: inner },
        ];
        self.std(StdType::BufReader, &name, vec![of], Data::Struct(fields))
    }

    pub(crate) fn cursor(&mut self, bytes: &[u8], pos: u128) -> Value {
        let (inner, pos) = (self.byte_slice(bytes), self.uint("u64", pos));
        let params = vec![inner.ty];
        self.structure("std::io::cursor::Cursor<&[u8]>", false, params, vec![("inner", inner), ("pos", pos)])
    }

    pub(crate) fn binary_heap(&mut self, bytes: &[u8]) -> Value {
        let data = self.byte_vec(bytes);
        let params = vec![self.named("u8")];
        let name = "alloc::collections::binary_heap::BinaryHeap<u8, alloc::alloc::Global>";
        self.structure(name, false, params, vec![("data", data)])
    }

    pub(crate) fn c_string(&mut self, bytes: &[u8]) -> Value {
        let inner = self.unsized_bytes(&[bytes, b"\0"].concat());
        let inner = self.owner(StdType::Box, "alloc::boxed::Box", inner);
        self.structure("alloc::ffi::c_str::CString", false, vec![], vec![("inner", inner)])
    }

    pub(crate) fn phantom(&mut self, of: &str) -> Value {
        let param = self.named(of);
        self.structure(&format!("core::marker::PhantomData<{of}>"), false, vec![param], vec![])
    }

    pub(crate) fn once_cell(&mut self, number: Option<u128>) -> Value {
        let inner = match number {
            Some(number) => {
                let number = self.uint("u8", number);
                self.some(number)
            }
            None => self.none("u8"),
        };
        let cell = self.cell(StdType::UnsafeCell, "core::cell::UnsafeCell", inner, 0);
        let params = vec![self.named("u8")];
        self.structure("core::cell::once::OnceCell<u8>", false, params, vec![("inner", cell)])
    }

    pub(crate) fn parse_int_error(&mut self, kind: &str) -> Value {
        let kind = self.plain_enum("core::num::error::IntErrorKind", kind);
        self.structure("core::num::error::ParseIntError", false, vec![], vec![("kind", kind)])
    }

    pub(crate) fn pin(&mut self, pointer: Value) -> Value {
        let name = format!("core::pin::Pin<{}>", self.types.name(pointer.ty));
        let params = vec![pointer.ty];
        self.structure(&name, false, params, vec![("pointer", pointer)])
    }

    pub(crate) fn book(&mut self) -> Value {
        let title = self.string("t");
        let pages = (1..3).map(|n| self.uint("u16", n)).collect();
        let pages = self.vec(pages, "u16");
        let owner = self.string("o");
        let owner = self.some(owner);
        let depth = self.uint("u8", 1);
        let side = self.variant("subject::Side", vec![], "Ask", vec![("depth", depth)]);
        let fields = vec![("title", title), ("pages", pages), ("owner", owner), ("side", side)];
        self.structure("subject::Book", false, vec![], fields)
    }

    pub(crate) fn tuple_struct(&mut self, number: u128) -> Value {
        let inner = self.uint("u8", number);
        self.structure("subject::Point", true, vec![], vec![("0", inner)])
    }

    pub(crate) fn unit_struct(&mut self) -> Value {
        self.structure("subject::Unit", false, vec![], vec![])
    }

    pub(crate) fn holder(&mut self) -> Value {
        let bytes = self.byte_slice(b"ab");
        let book = self.unit_struct();
        let book = self.reference(book, false);
        let names = vec![self.string("a")];
        let names = self.slice(names, "alloc::string::String", false);
        let number = self.uint("u8", 5);
        let number = self.reference(number, true);
        let fields = vec![("bytes", bytes), ("book", book), ("names", names), ("type", number)];
        self.structure("subject::Holder", false, vec![], fields)
    }

    pub(crate) fn sealed(&mut self, number: u128) -> Value {
        let secret = self.uint("u8", number);
        self.structure("subject::Sealed", false, vec![], vec![("secret", secret)])
    }

    fn pointer_type(&mut self) -> TypeId {
        let to = self.named("u8");
        self.ty("*const u8", TypeKind::RawPointer { to, mutable: false })
    }

    pub(crate) fn null_pointer(&mut self) -> Value {
        v(self.pointer_type(), Data::Pointer { address: 0, to: None })
    }

    pub(crate) fn raw_pointer(&mut self, address: u64) -> Value {
        v(self.pointer_type(), Data::Pointer { address, to: None })
    }

    pub(crate) fn dyn_object(&mut self) -> Value {
        v(self.ty("dyn a::Shape", TypeKind::Dyn), Data::Missing("a trait object".to_owned()))
    }
}

fn shapes_of(fields: &[(&str, &Value)]) -> Vec<FieldShape> {
    fields.iter().map(|(name, value)| FieldShape { name: (*name).to_owned(), ty: value.ty }).collect()
}
