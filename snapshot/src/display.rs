//! Values, types and texts as people read them on a terminal. In: hostile values of any size. Out: text of
//! bounded length with every control, escape and bidirectional character shown as an escape.

mod text;

pub use text::{shell_words, short_function, short_type, terminal_safe};

use std::fmt::Write as _;

use crate::types::{StdType, TypeKind, TypeTable};
use crate::value::{Data, Field, Trust, Value};

/// Levels that are shown; below stands `…`.
const DEPTH: usize = 24;
/// Items of a list that are shown on lines of their own.
const ITEMS: usize = 8;
/// Lines that one value may take.
const LINES: usize = 40;
const INDENT: usize = 4;

/// A value much as `Debug` shows it: on one line where it fits in `width` columns, else on several with the
/// long parts left out (`… 92 more`). What was redacted or could not be read is marked as such.
pub fn pretty(value: &Value, types: &TypeTable, width: usize) -> String {
    let printer = Printer { types };
    let mut out = String::new();
    printer.block(value, width.max(20), 0, &mut out);
    let mut lines: Vec<&str> = out.lines().collect();
    let left_out = lines.len().saturating_sub(LINES);
    if left_out == 0 {
        return out;
    }
    lines.truncate(LINES);
    format!("{}\n… {left_out} lines more", lines.join("\n"))
}

/// A value on one line of at most `width` columns, cut where it is longer.
pub fn line(value: &Value, types: &TypeTable, width: usize) -> String {
    let mut line = Line { out: String::new(), left: width.saturating_sub(1) };
    let printer = Printer { types };
    if printer.inline(value, 0, &mut line).is_err() {
        line.out.push('…');
    }
    line.out
}

/// The line is full.
struct Full;

/// A line with a limited number of columns.
struct Line {
    out: String,
    left: usize,
}

impl Line {
    fn put(&mut self, text: &str) -> Result<(), Full> {
        for c in text.chars() {
            if self.left == 0 {
                return Err(Full);
            }
            self.left -= 1;
            self.out.push(c);
        }
        Ok(())
    }
}

struct Printer<'a> {
    types: &'a TypeTable,
}

impl Printer<'_> {
    /// One value on one line; stops as soon as the line is full. Recursion is bounded by `DEPTH`.
    fn inline(&self, value: &Value, depth: usize, line: &mut Line) -> Result<(), Full> {
        let value = value.root();
        if depth > DEPTH {
            return line.put("…");
        }
        match &value.data {
            Data::Tuple(items) => {
                self.list(items.iter(), depth, line, ("(", if items.len() == 1 { ",)" } else { ")" }), 0)?;
            }
            Data::Sequence { items, len } => {
                let more = len.saturating_sub(items.len() as u64);
                let brackets = if self.is_set(value) { ("{", "}") } else { ("[", "]") };
                self.list(items.iter(), depth, line, brackets, more)?;
            }
            Data::Map { entries, len } => {
                line.put("{")?;
                for (at, (key, item)) in entries.iter().enumerate() {
                    line.put(if at == 0 { "" } else { ", " })?;
                    self.inline(key, depth + 1, line)?;
                    line.put(": ")?;
                    self.inline(item, depth + 1, line)?;
                }
                more(line, len.saturating_sub(entries.len() as u64), entries.is_empty())?;
                line.put("}")?;
            }
            Data::Struct(fields) => self.fields(&self.name(value), fields, depth, line)?,
            Data::Variant { name, fields } => self.fields(&terminal_safe(name), fields, depth, line)?,
            Data::Pointer { to: Some(to), .. } => {
                line.put(self.sigil(value))?;
                self.inline(to, depth + 1, line)?;
            }
            Data::Cell { inner, state, poisoned } => {
                line.put(&self.name(value))?;
                line.put("(")?;
                self.inline(inner, depth + 1, line)?;
                line.put(cell_state(*state, *poisoned))?;
                line.put(")")?;
            }
            _ => line.put(&self.leaf(value, line.left + 1))?,
        }
        line.put(mark(value))
    }

    fn list<'v>(
        &self,
        items: impl Iterator<Item = &'v Value>,
        depth: usize,
        line: &mut Line,
        brackets: (&str, &str),
        left_out: u64,
    ) -> Result<(), Full> {
        line.put(brackets.0)?;
        let mut first = true;
        for item in items {
            line.put(if first { "" } else { ", " })?;
            first = false;
            self.inline(item, depth + 1, line)?;
        }
        more(line, left_out, first)?;
        line.put(brackets.1)
    }

    fn fields(&self, name: &str, fields: &[Field], depth: usize, line: &mut Line) -> Result<(), Full> {
        line.put(name)?;
        if fields.is_empty() {
            return Ok(());
        }
        if is_tuple(fields) {
            return self.list(fields.iter().map(|field| &field.value), depth, line, ("(", ")"), 0);
        }
        line.put(" { ")?;
        for (at, field) in fields.iter().enumerate() {
            line.put(if at == 0 { "" } else { ", " })?;
            line.put(&terminal_safe(&field.name))?;
            line.put(": ")?;
            self.inline(&field.value, depth + 1, line)?;
        }
        line.put(" }")
    }

    /// One value, on several lines where it must be.
    fn block(&self, value: &Value, width: usize, depth: usize, out: &mut String) {
        let value = value.root();
        // One column is kept for the comma behind.
        let mut line = Line { out: String::new(), left: width.saturating_sub(1) };
        if self.inline(value, depth, &mut line).is_ok() {
            out.push_str(&line.out);
            return;
        }
        if depth > DEPTH || out.len() > LINES * 400 {
            out.push('…');
            return;
        }
        match &value.data {
            Data::Tuple(items) => self.rows(items.iter().map(Row::item), 0, ("(", ")"), width, depth, out),
            Data::Sequence { items, len } => {
                let left_out = len.saturating_sub(items.len() as u64);
                let brackets = if self.is_set(value) { ("{", "}") } else { ("[", "]") };
                if items.iter().all(|item| item.children().is_empty()) {
                    self.filled(items, left_out, brackets, width, out);
                } else {
                    self.rows(items.iter().map(Row::item), left_out, brackets, width, depth, out);
                }
            }
            Data::Map { entries, len } => {
                let left_out = len.saturating_sub(entries.len() as u64);
                let rows = entries.iter().map(|(key, value)| Row { label: Label::Key(key), value });
                self.rows(rows, left_out, ("{", "}"), width, depth, out);
            }
            Data::Struct(fields) => self.field_rows(&self.name(value), fields, width, depth, out),
            Data::Variant { name, fields } => {
                self.field_rows(&terminal_safe(name), fields, width, depth, out);
            }
            Data::Pointer { to: Some(to), .. } => {
                out.push_str(self.sigil(value));
                self.block(to, width, depth + 1, out);
            }
            Data::Cell { inner, state, poisoned } => {
                out.push_str(&self.name(value));
                out.push('(');
                self.block(inner, width, depth + 1, out);
                out.push_str(cell_state(*state, *poisoned));
                out.push(')');
            }
            _ => out.push_str(&self.leaf(value, width.saturating_sub(1))),
        }
        out.push_str(mark(value));
    }

    /// A tuple struct or variant of one field is opened on the line of its name.
    fn field_rows(&self, name: &str, fields: &[Field], width: usize, depth: usize, out: &mut String) {
        out.push_str(name);
        match fields {
            [only] if is_tuple(fields) => {
                out.push('(');
                self.block(&only.value, width, depth + 1, out);
                out.push(')');
            }
            _ if is_tuple(fields) => {
                self.rows(fields.iter().map(|f| Row::item(&f.value)), 0, ("(", ")"), width, depth, out);
            }
            _ => {
                out.push(' ');
                let rows = fields.iter().map(|f| Row { label: Label::Field(&f.name), value: &f.value });
                self.rows(rows, 0, ("{", "}"), width, depth, out);
            }
        }
    }

    /// Each item on a line of its own; of lists only the first ones.
    fn rows<'v>(
        &self,
        rows: impl ExactSizeIterator<Item = Row<'v>>,
        left_out: u64,
        brackets: (&str, &str),
        width: usize,
        depth: usize,
        out: &mut String,
    ) {
        let total = rows.len();
        let inner = width.saturating_sub(INDENT).max(20);
        let mut shown = 0;
        let mut body = String::new();
        for row in rows {
            if shown >= ITEMS && !matches!(row.label, Label::Field(_)) {
                break;
            }
            shown += 1;
            match row.label {
                Label::None => {}
                Label::Field(name) => {
                    let _ = write!(body, "{}: ", terminal_safe(name));
                }
                Label::Key(key) => {
                    let _ = write!(body, "{}: ", line(key, self.types, inner / 2));
                }
            }
            self.block(row.value, inner, depth + 1, &mut body);
            body.push_str(",\n");
            if body.len() > LINES * 400 {
                break;
            }
        }
        let left_out = left_out + (total - shown) as u64;
        if left_out > 0 {
            let _ = writeln!(body, "… {left_out} more");
        }
        out.push_str(brackets.0);
        out.push('\n');
        for text in body.lines() {
            let _ = writeln!(out, "{:INDENT$}{text}", "");
        }
        out.push_str(brackets.1);
    }

    /// A list of plain values: as many as fit on one line.
    fn filled(&self, items: &[Value], left_out: u64, brackets: (&str, &str), width: usize, out: &mut String) {
        let mut row = Line { out: brackets.0.to_owned(), left: width.saturating_sub(24) };
        let mut shown = 0;
        for item in items {
            let end = row.out.len();
            if self.inline(item, DEPTH, &mut row).and_then(|()| row.put(", ")).is_err() {
                row.out.truncate(end);
                break;
            }
            shown += 1;
        }
        let left_out = left_out + (items.len() - shown) as u64;
        let _ = write!(out, "{}… {left_out} more{}", row.out, brackets.1);
    }

    /// A value without parts, cut to about `width` columns.
    fn leaf(&self, value: &Value, width: usize) -> String {
        match &value.data {
            Data::Missing(reason) => format!("<{}>", terminal_safe(&shortened(reason, 80))),
            Data::Bool(b) => b.to_string(),
            Data::Char(c) => format!("{c:?}"),
            Data::Int(n) => n.to_string(),
            Data::Uint(n) => n.to_string(),
            Data::Float(bits) => match self.kind(value) {
                Some(TypeKind::Float { bits: 32 }) => format!("{:?}", f32::from_bits(*bits as u32)),
                _ => format!("{:?}", f64::from_bits(*bits)),
            },
            Data::Text { text, len } => text::quoted_text(text, *len, width),
            Data::Bytes { bytes, len } => text::quoted_bytes(bytes, *len, width),
            Data::Duration { secs, nanos } => {
                format!("{:?}", std::time::Duration::new(*secs, (*nanos).min(999_999_999)))
            }
            Data::Elsewhere { .. } => "<see above>".to_owned(),
            Data::Pointer { to: None, .. } if self.is_weak(value) => "(Weak)".to_owned(),
            Data::Pointer { address: 0, to: None } => "null".to_owned(),
            Data::Pointer { address, to: None } => format!("{address:#x}"),
            // The others have parts and are shown by the callers.
            _ => "…".to_owned(),
        }
    }

    fn kind(&self, value: &Value) -> Option<&TypeKind> {
        self.types.get(value.ty).map(|shape| &shape.kind)
    }

    /// The bare name of a value's type.
    fn name(&self, value: &Value) -> String {
        // A function that a pointer leads to is shown by its whole path.
        if let Some(function) = self.types.name(value.ty).strip_prefix("{fn ") {
            // A closure's path ends with a brace of its own.
            return terminal_safe(function.strip_suffix('}').unwrap_or(function));
        }
        let name = short_type(self.types.name(value.ty));
        name.split('<').next().unwrap_or_default().to_owned()
    }

    fn is_set(&self, value: &Value) -> bool {
        let kind = self.kind(value);
        matches!(kind, Some(TypeKind::Std { std: StdType::HashSet | StdType::BTreeSet, .. }))
    }

    fn is_weak(&self, value: &Value) -> bool {
        matches!(self.kind(value), Some(TypeKind::Std { std: StdType::Weak, .. }))
    }

    /// What `Debug` hides, but who reads a crash wants to see.
    fn sigil(&self, value: &Value) -> &'static str {
        match self.kind(value) {
            Some(TypeKind::Reference { mutable: true, .. }) => "&mut ",
            Some(TypeKind::Reference { .. }) => "&",
            Some(TypeKind::RawPointer { .. }) => "*",
            _ => "",
        }
    }
}

/// One line of a list: an item, with its field's name or its key.
struct Row<'v> {
    label: Label<'v>,
    value: &'v Value,
}

enum Label<'v> {
    None,
    Field(&'v str),
    Key(&'v Value),
}

impl<'v> Row<'v> {
    fn item(value: &'v Value) -> Row<'v> {
        Row { label: Label::None, value }
    }
}

fn more(line: &mut Line, left_out: u64, is_first: bool) -> Result<(), Full> {
    if left_out == 0 {
        return Ok(());
    }
    line.put(if is_first { "… " } else { ", … " })?;
    line.put(&left_out.to_string())?;
    line.put(" more")
}

fn is_tuple(fields: &[Field]) -> bool {
    !fields.is_empty() && fields.iter().enumerate().all(|(at, field)| field.name == at.to_string())
}

fn cell_state(state: i64, poisoned: bool) -> &'static str {
    match (poisoned, state) {
        (true, _) => "; poisoned",
        (false, ..0) => "; mutably borrowed",
        _ => "",
    }
}

/// What stands behind a value that is not what it was.
fn mark(value: &Value) -> &'static str {
    if value.trust == Trust::Redacted { " (redacted)" } else { "" }
}

fn shortened(text: &str, columns: usize) -> String {
    match text.char_indices().nth(columns) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::{FieldShape, TypeId, TypeShape};

    fn table() -> TypeTable {
        let mut types = TypeTable::default();
        let mut add = |name: &str, kind| types.intern(TypeShape { name: name.into(), size: None, kind });
        let u8_ty = add("u8", TypeKind::Integer { signed: false, bits: 8 });
        add(
            "demo::book::Book",
            TypeKind::Struct {
                fields: vec![FieldShape { name: "bids".into(), ty: u8_ty }],
                tuple: false,
                params: vec![],
            },
        );
        add("&demo::book::Book", TypeKind::Reference { to: TypeId(1), mutable: false });
        add("f32", TypeKind::Float { bits: 32 });
        types
    }

    fn value(ty: u32, data: Data) -> Value {
        Value { ty: TypeId(ty), trust: Trust::AtCrash, data }
    }

    fn text(text: &str) -> Value {
        value(0, Data::Text { text: text.into(), len: text.len() as u64 })
    }

    fn book(items: Vec<Value>, len: u64) -> Value {
        let field = Field { name: "bids".into(), value: value(0, Data::Sequence { items, len }) };
        let book = value(1, Data::Struct(vec![field]));
        value(2, Data::Pointer { address: 16, to: Some(Box::new(book)) })
    }

    #[test]
    fn short_values_stand_on_one_line() {
        let items = vec![value(0, Data::Uint(1)), value(0, Data::Uint(2))];
        assert_eq!(pretty(&book(items, 5), &table(), 80), "&Book { bids: [1, 2, … 3 more] }");
        assert_eq!(pretty(&value(3, Data::Float(u64::from(1.5f32.to_bits()))), &table(), 80), "1.5");
        let none = value(0, Data::Variant { name: "None".into(), fields: vec![] });
        assert_eq!(pretty(&none, &table(), 80), "None");
        let unit = value(0, Data::Tuple(vec![]));
        assert_eq!(pretty(&unit, &table(), 80), "()");
    }

    #[test]
    fn a_function_keeps_the_braces_of_its_path() {
        let mut types = table();
        let kind = TypeKind::Closure { captures: vec![], written: None };
        let ty = types.intern(TypeShape { name: "{fn demo::main::{closure#0}}".into(), size: Some(0), kind });
        let function = value(ty.0, Data::Struct(vec![]));
        assert!(
            pretty(&function, &types, 80).contains("demo::main::{closure#0}"),
            "{:?}",
            pretty(&function, &types, 80)
        );
    }

    #[test]
    fn long_lists_are_cut_and_counted() {
        let items = (0..200).map(|n| value(0, Data::Uint(n))).collect();
        assert_eq!(
            pretty(&book(items, 1000), &table(), 50),
            "&Book {\n    bids: [0, 1, 2, 3, 4, 5, 6, … 993 more],\n}"
        );
    }

    #[test]
    fn lists_of_structs_take_a_line_each() {
        let items = (0..20).map(|_| book(vec![value(0, Data::Uint(1))], 1)).collect();
        let shown = pretty(&book(items, 20), &table(), 60);
        assert_eq!(shown.lines().count(), 2 + 2 + 8 + 1, "{shown}");
        assert!(shown.contains("\n        &Book { bids: [1] },\n"), "{shown}");
        assert!(shown.contains("… 12 more"), "{shown}");
    }

    #[test]
    fn terminal_escapes_do_not_get_through() {
        let hostile = "\u{1b}[31m\u{202e}x\u{7}\r\n\u{9b}\u{200b}\u{e0041}";
        let field = Field { name: hostile.into(), value: text(hostile) };
        let all = value(
            1,
            Data::Struct(vec![
                field,
                Field { name: "c".into(), value: value(0, Data::Char('\u{202e}')) },
                Field {
                    name: "v".into(),
                    value: value(0, Data::Variant { name: hostile.into(), fields: vec![] }),
                },
                Field { name: "m".into(), value: value(0, Data::Missing(hostile.into())) },
            ]),
        );
        for width in [20, 40, 1000] {
            let shown = pretty(&all, &table(), width) + &line(&all, &table(), width);
            assert!(shown.chars().all(|c| c == '\n' || !text::is_hostile(c)), "{shown:?}");
        }
    }

    #[test]
    fn any_depth_and_size_is_bounded() {
        let mut deep = value(0, Data::Uint(1));
        for _ in 0..500 {
            deep = value(2, Data::Pointer { address: 1, to: Some(Box::new(deep)) });
        }
        assert!(pretty(&deep, &table(), 80).len() < 200);
        let mut wide = text(&"x".repeat(1000));
        for _ in 0..6 {
            wide = book(vec![wide.clone(), wide.clone(), wide.clone(), wide.clone(), wide], 5);
        }
        let shown = pretty(&wide, &table(), 80);
        assert!(shown.lines().count() <= LINES + 1);
        assert!(shown.len() < LINES * 600, "{}", shown.len());
        assert_eq!(line(&wide, &table(), 40).chars().count(), 40);
    }

    #[test]
    fn redacted_and_missing_values_are_marked() {
        let mut secret = text("xxxxxx0");
        secret.trust = Trust::Redacted;
        assert_eq!(pretty(&secret, &table(), 80), "\"xxxxxx0\" (redacted)");
        let missing = Value::missing(TypeId(0), Trust::OptimizedOut, "optimized out");
        assert_eq!(pretty(&missing, &table(), 80), "<optimized out>");
    }
}
