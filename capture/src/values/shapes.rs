//! Type entries as the shapes of a snapshot's type table.

use std::collections::VecDeque;

use relapse_snapshot::{FieldShape, StdType, TypeId, TypeKind, TypeShape, VariantShape};

use super::Reader;
use super::layout::{Entry, Form, Kind, Layout, Member, Record};
use super::names::PointerClass;

/// How many shapes are filled in for one table; those beyond are known by name only. A runtime's handle
/// alone can reach thousands of types.
const SHAPES: usize = 16_384;

impl Reader<'_> {
    /// The type's index, with it and all types that it is made of in the table.
    pub(super) fn type_id(&mut self, entry: Entry) -> TypeId {
        if let Some(&id) = self.ids.get(&entry) {
            return id;
        }
        let mut open = VecDeque::new();
        let id = self.intern(entry, &mut open);
        while let Some((id, entry)) = open.pop_front() {
            if id.0 as usize >= SHAPES {
                break;
            }
            let kind = self.type_kind(entry, &mut open);
            self.types.fill(id, kind);
        }
        id
    }

    /// Enters a type by its name; a new one is queued to be filled in, so that recursive types end.
    fn intern(&mut self, entry: Entry, open: &mut VecDeque<(TypeId, Entry)>) -> TypeId {
        if let Some(&id) = self.ids.get(&entry) {
            return id;
        }
        let layout = self.layout(entry.die);
        let (name, size) = match entry.form {
            Form::Itself => (layout.name.clone(), layout.size),
            Form::Str => ("str".to_owned(), None),
            Form::Slice => (format!("[{}]", layout.name), None),
            Form::FunctionItem => (format!("{{{}}}", layout.name), Some(0)),
        };
        let id = if let Some(id) = self.types.find(&name) {
            id
        } else {
            let id = self.types.intern(TypeShape { name, size, kind: TypeKind::Opaque });
            open.push_back((id, entry));
            id
        };
        self.ids.insert(entry, id);
        id
    }

    fn type_kind(&mut self, entry: Entry, open: &mut VecDeque<(TypeId, Entry)>) -> TypeKind {
        let layout = self.layout(entry.die);
        match entry.form {
            Form::Itself => self.kind_of(&layout, open),
            Form::Str => TypeKind::Str,
            Form::Slice => TypeKind::Slice(self.intern(Entry::of(entry.die), open)),
            Form::FunctionItem => TypeKind::Closure { captures: Vec::new(), written: None },
        }
    }

    fn kind_of(&mut self, layout: &Layout, open: &mut VecDeque<(TypeId, Entry)>) -> TypeKind {
        let bits = layout.size.unwrap_or(0).saturating_mul(8) as u16;
        match &layout.kind {
            Kind::Unit => TypeKind::Tuple(Vec::new()),
            Kind::Never => TypeKind::Never,
            Kind::Bool => TypeKind::Bool,
            Kind::Char => TypeKind::Char,
            Kind::Integer { signed } => TypeKind::Integer { signed: *signed, bits },
            Kind::Float => TypeKind::Float { bits },
            Kind::Record { members, record: Record::Tuple } => {
                TypeKind::Tuple(members.iter().map(|member| self.intern(member.entry, open)).collect())
            }
            Kind::Record { members, record: Record::Closure } => {
                TypeKind::Closure { captures: self.fields(members, open), written: None }
            }
            Kind::Record { members, record } => TypeKind::Struct {
                fields: self.fields(members, open),
                tuple: *record == Record::TupleStruct,
                params: self.type_ids(&layout.params, open),
            },
            Kind::Std { std, .. } => TypeKind::Std { std: *std, params: self.type_ids(&layout.params, open) },
            Kind::Enum { variants, .. } => {
                let variants = variants.iter().map(|variant| VariantShape {
                    name: variant.name.clone(),
                    fields: self.fields(&variant.members, open),
                    tuple: is_numbered(&variant.members),
                });
                let variants = variants.collect();
                TypeKind::Enum { variants, params: self.type_ids(&layout.params, open) }
            }
            Kind::Names { values } => {
                let unit =
                    |name: &String| VariantShape { name: name.clone(), fields: Vec::new(), tuple: false };
                let variants = values.iter().map(|(_, name)| unit(name)).collect();
                TypeKind::Enum { variants, params: Vec::new() }
            }
            Kind::Array { of, len } => TypeKind::Array { of: self.intern(*of, open), len: *len },
            Kind::Pointer { target: None, .. } | Kind::Opaque { .. } => TypeKind::Opaque,
            Kind::Pointer { class, target: Some(target), .. } => {
                let to = self.intern(*target, open);
                match *class {
                    PointerClass::Reference { mutable } => TypeKind::Reference { to, mutable },
                    PointerClass::Raw { mutable } => TypeKind::RawPointer { to, mutable },
                    PointerClass::Box => TypeKind::Std { std: StdType::Box, params: vec![to] },
                }
            }
            Kind::Function => TypeKind::FunctionPointer,
            Kind::Union => {
                // The shape does not hold them: what a `MaybeUninit` may own is found by its name.
                self.type_ids(&layout.params, open);
                TypeKind::Union
            }
            Kind::Dyn => TypeKind::Dyn,
        }
    }

    fn fields(&mut self, members: &[Member], open: &mut VecDeque<(TypeId, Entry)>) -> Vec<FieldShape> {
        let field =
            |member: &Member| FieldShape { name: member.name.clone(), ty: self.intern(member.entry, open) };
        members.iter().map(field).collect()
    }

    fn type_ids(&mut self, entries: &[Entry], open: &mut VecDeque<(TypeId, Entry)>) -> Vec<TypeId> {
        entries.iter().map(|entry| self.intern(*entry, open)).collect()
    }
}

/// Whether these are the fields of a tuple variant.
fn is_numbered(members: &[Member]) -> bool {
    !members.is_empty() && members.iter().all(|member| member.name.bytes().all(|b| b.is_ascii_digit()))
}
