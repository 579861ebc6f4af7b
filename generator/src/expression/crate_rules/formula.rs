//! What a rule says of fields: paths to them (`time.secs`, `inner.Fallback.sym`, `*data`) and formulas over the
//! numbers that they are. In: expressions of our own rules file, values of a crashed process. Out: values found,
//! numbers computed; `None` where the value has another form or a number does not fit. Never panics.

use relapse_snapshot::{Data, TypeKind, TypeTable, Value};
use syn::{BinOp, Expr, Lit, Member, UnOp};

use super::calendar;
use crate::expression::seen_through::only;
use crate::expression::type_name::definition;

/// Layers of wrappers that are seen through for a number.
const MAX_LAYERS: usize = 8;

/// One step of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    /// `.secs`, `.0`.
    Field(String),
    /// `.Fallback`: only where the enum is that variant; its fields come next.
    Variant(String),
    /// `.Fallback.0?`: the variant's field, or the value itself where it is no enum.
    Within(String, String),
    /// `[0]`.
    Item(usize),
    /// `[-1]`: the last one, where all were read.
    Last,
    /// `*`: what a pointer points to, what a cell holds.
    Target,
}

/// A way from a value to a part of it. An empty one (`self`) is the value itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Path {
    steps: Vec<Step>,
    /// As the rule spells it, for refusals: `.time.secs`.
    pub(super) shown: String,
}

impl Path {
    /// `None` where the expression is no path.
    pub(super) fn read(expression: &Expr) -> Option<Path> {
        let (mut steps, mut shown) = (Vec::new(), String::new());
        read_steps(expression, &mut steps, &mut shown)?;
        Some(Path { steps, shown })
    }

    /// The part of a value that it leads to.
    pub(super) fn find<'v>(&self, value: &'v Value) -> Option<&'v Value> {
        let mut at = value;
        // A variant is no value of its own: its fields come right behind.
        for step in &self.steps {
            at = match (step, &at.data) {
                (Step::Field(name), Data::Struct(fields) | Data::Variant { fields, .. }) => {
                    &fields.iter().find(|field| field.name == *name)?.value
                }
                (Step::Field(name), Data::Tuple(items)) => items.get(name.parse::<usize>().ok()?)?,
                (Step::Variant(name), Data::Variant { name: own, .. }) if own == name => at,
                (Step::Within(name, field), Data::Variant { name: own, fields }) if own == name => {
                    &fields.iter().find(|own| own.name == *field)?.value
                }
                (Step::Within(..), Data::Struct(_)) => at,
                (Step::Item(index), Data::Sequence { items, .. }) => items.get(*index)?,
                (Step::Last, Data::Sequence { items, len }) if items.len() as u64 == *len => items.last()?,
                (Step::Target, Data::Pointer { to: Some(to), .. }) => to,
                (Step::Target, Data::Cell { inner, .. }) => inner,
                _ => return None,
            };
        }
        (!matches!(at.data, Data::Missing(_))).then_some(at)
    }
}

fn read_steps(expression: &Expr, steps: &mut Vec<Step>, shown: &mut String) -> Option<()> {
    let named = |name: String, steps: &mut Vec<Step>, shown: &mut String| {
        *shown = format!("{shown}.{name}");
        let variant = name.starts_with(|c: char| c.is_ascii_uppercase());
        steps.push(if variant { Step::Variant(name) } else { Step::Field(name) });
    };
    match expression {
        Expr::Path(path) => {
            let only = path.path.get_ident()?.to_string();
            if only != "self" {
                named(only, steps, shown);
            }
        }
        Expr::Field(field) => {
            read_steps(&field.base, steps, shown)?;
            let member = match &field.member {
                Member::Named(name) => name.to_string(),
                Member::Unnamed(index) => index.index.to_string(),
            };
            named(member, steps, shown);
        }
        Expr::Index(index) => {
            read_steps(&index.expr, steps, shown)?;
            let step = match &*index.index {
                Expr::Unary(minus) if matches!(minus.op, UnOp::Neg(_)) && place(&minus.expr)? == 1 => {
                    Step::Last
                }
                number => Step::Item(place(number)?),
            };
            *shown = match step {
                Step::Item(number) => format!("{shown}[{number}]"),
                _ => format!("{shown}[-1]"),
            };
            steps.push(step);
        }
        Expr::Unary(unary) if matches!(unary.op, UnOp::Deref(_)) => {
            read_steps(&unary.expr, steps, shown)?;
            steps.push(Step::Target);
        }
        Expr::Try(within) => {
            read_steps(&within.expr, steps, shown)?;
            let (Some(Step::Field(field)), Some(Step::Variant(name))) = (steps.pop(), steps.pop()) else {
                return None;
            };
            steps.push(Step::Within(name, field));
        }
        Expr::Paren(inner) => read_steps(&inner.expr, steps, shown)?,
        _ => return None,
    }
    Some(())
}

/// A number between brackets.
fn place(expression: &Expr) -> Option<usize> {
    match expression {
        Expr::Lit(literal) => match &literal.lit {
            Lit::Int(number) => number.base10_parse().ok(),
            _ => None,
        },
        _ => None,
    }
}

/// What a formula comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Computed {
    /// A number of which nothing but its value is said.
    Number(i128),
    /// A number of more than 127 bits.
    Wide(u128),
    /// The bits of a floating-point number, as an `f64`: it is compared with others, and nothing else.
    Float(u64),
    /// `as u64`.
    Typed(Box<Computed>, String),
    /// `hex(number, digits)`.
    Hexadecimal(u128, usize),
    /// A comparison.
    Flag(bool),
}

impl Computed {
    fn number(&self) -> Option<i128> {
        match self {
            Computed::Number(number) => Some(*number),
            _ => None,
        }
    }

    fn float(&self) -> Option<f64> {
        match self {
            Computed::Float(bits) => Some(f64::from_bits(*bits)),
            _ => None,
        }
    }
}

/// A formula over the fields of a value.
#[derive(Debug, Clone)]
pub(super) enum Formula {
    Number(i128),
    /// The number that a field is.
    Field(Path),
    Negative(Box<Formula>),
    Not(Box<Formula>),
    Binary(Operator, Box<Formula>, Box<Formula>),
    Cast(Box<Formula>, String),
    /// `month(year, day_of_year)`, `day(year, day_of_year)`.
    Calendar(bool, Box<Formula>, Box<Formula>),
    /// `hex(number, digits)`: with at least so many.
    Hexadecimal(Box<Formula>, usize),
    /// `be(bytes)`, `le(digits)`: a sequence as one number.
    Joined(bool, Path),
    /// `len(items)`.
    Length(Path),
    /// `all(edges, next < at())`: whether that is true of every element.
    All(Path, Box<Formula>),
    /// `at()`: the place of the element that `all` is at.
    At,
    /// `is(sign.Minus)`: whether the path leads anywhere.
    Is(Path),
    /// `of(offset, ::chrono::offset::utc::Utc)`: whether a field is of that type.
    Of(Path, String),
}

/// Operators, as in Rust; numbers are of 128 bits, so that nothing is cut off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    Add,
    Sub,
    Mul,
    Div,
    Rem,
    Shl,
    Shr,
    BitAnd,
    BitOr,
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
    And,
    Or,
}

impl Formula {
    /// Reads a formula; the error says which part is none.
    pub(super) fn read(expression: &Expr) -> Result<Formula, String> {
        if let Some(path) = Path::read(expression) {
            return Ok(Formula::Field(path));
        }
        let shown = || quote::quote!(#expression).to_string();
        let boxed = |expression: &Expr| Formula::read(expression).map(Box::new);
        Ok(match expression {
            Expr::Paren(inner) => Formula::read(&inner.expr)?,
            Expr::Lit(literal) => match &literal.lit {
                Lit::Int(number) => Formula::Number(number.base10_parse().map_err(|_| shown())?),
                _ => return Err(shown()),
            },
            Expr::Unary(unary) => match unary.op {
                UnOp::Neg(_) => Formula::Negative(boxed(&unary.expr)?),
                UnOp::Not(_) => Formula::Not(boxed(&unary.expr)?),
                _ => return Err(shown()),
            },
            Expr::Cast(cast) => {
                let ty = &cast.ty;
                Formula::Cast(boxed(&cast.expr)?, quote::quote!(#ty).to_string())
            }
            Expr::Binary(binary) => {
                let operator = operator(&binary.op).ok_or_else(shown)?;
                Formula::Binary(operator, boxed(&binary.left)?, boxed(&binary.right)?)
            }
            Expr::Call(call) => {
                let Expr::Path(function) = &*call.func else { return Err(shown()) };
                let function = function.path.get_ident().map(ToString::to_string).unwrap_or_default();
                let arguments: Vec<&Expr> = call.args.iter().collect();
                let path = |expression: &Expr| Path::read(expression).ok_or_else(shown);
                match (function.as_str(), arguments.as_slice()) {
                    ("month", [year, day]) => Formula::Calendar(true, boxed(year)?, boxed(day)?),
                    ("day", [year, day]) => Formula::Calendar(false, boxed(year)?, boxed(day)?),
                    ("hex", [number, Expr::Lit(digits)]) => match &digits.lit {
                        Lit::Int(digits) => {
                            let digits = digits.base10_parse::<u8>().map_err(|_| shown())?;
                            Formula::Hexadecimal(boxed(number)?, digits.into())
                        }
                        _ => return Err(shown()),
                    },
                    ("be", [items]) => Formula::Joined(true, path(items)?),
                    ("le", [items]) => Formula::Joined(false, path(items)?),
                    ("all", [items, condition]) => Formula::All(path(items)?, boxed(condition)?),
                    ("at", []) => Formula::At,
                    ("len", [items]) => Formula::Length(path(items)?),
                    ("is", [part]) => Formula::Is(path(part)?),
                    ("of", [part, Expr::Path(ty)]) if ty.path.leading_colon.is_some() => {
                        Formula::Of(path(part)?, spelled(&ty.path))
                    }
                    ("number", [part]) => Formula::Field(path(part)?),
                    _ => return Err(shown()),
                }
            }
            _ => return Err(shown()),
        })
    }

    /// Whether it comes to `true`.
    pub(super) fn holds(&self, value: &Value, types: &TypeTable) -> bool {
        self.holds_at(value, types, None)
    }

    fn holds_at(&self, value: &Value, types: &TypeTable, at: Option<usize>) -> bool {
        self.compute_at(value, types, at) == Some(Computed::Flag(true))
    }

    /// What it comes to for a value.
    pub(super) fn compute(&self, value: &Value, types: &TypeTable) -> Option<Computed> {
        self.compute_at(value, types, None)
    }

    /// The same for an element at its place in a sequence.
    fn compute_at(&self, value: &Value, types: &TypeTable, at: Option<usize>) -> Option<Computed> {
        let number = |formula: &Formula| formula.compute_at(value, types, at)?.number();
        Some(match self {
            Formula::Number(number) => Computed::Number(*number),
            Formula::Field(path) => number_of(path.find(value)?, types)?,
            Formula::Negative(of) => Computed::Number(number(of)?.checked_neg()?),
            Formula::Not(of) => match of.compute_at(value, types, at)? {
                Computed::Flag(flag) => Computed::Flag(!flag),
                _ => return None,
            },
            Formula::Binary(Operator::And, left, right) => {
                Computed::Flag(left.holds_at(value, types, at) && right.holds_at(value, types, at))
            }
            Formula::Binary(Operator::Or, left, right) => {
                Computed::Flag(left.holds_at(value, types, at) || right.holds_at(value, types, at))
            }
            Formula::Binary(operator, left, right) => {
                let (left, right) = (left.compute_at(value, types, at)?, right.compute_at(value, types, at)?);
                match (left.float(), right.float()) {
                    (Some(left), Some(right)) => Computed::Flag(compared(*operator, &left, &right)?),
                    _ => binary(*operator, left.number()?, right.number()?)?,
                }
            }
            Formula::Cast(of, ty) => Computed::Typed(Box::new(of.compute_at(value, types, at)?), ty.clone()),
            Formula::Calendar(month, year, day) => {
                let (of_year, of_month) = calendar::date(number(year)?, number(day)?)?;
                Computed::Number(i128::from(if *month { of_year } else { of_month }))
            }
            Formula::Hexadecimal(of, digits) => match of.compute_at(value, types, at)? {
                Computed::Number(number) => Computed::Hexadecimal(u128::try_from(number).ok()?, *digits),
                Computed::Wide(number) => Computed::Hexadecimal(number, *digits),
                _ => return None,
            },
            Formula::Joined(big_endian, path) => narrowed(joined(path.find(value)?, *big_endian, types)?),
            Formula::Length(path) => match &path.find(value)?.data {
                Data::Sequence { len, .. }
                | Data::Bytes { len, .. }
                | Data::Text { len, .. }
                | Data::Map { len, .. } => Computed::Number(i128::from(*len)),
                _ => return None,
            },
            Formula::All(path, condition) => match &path.find(value)?.data {
                Data::Sequence { items, len } if items.len() as u64 == *len => {
                    let mut each = items.iter().enumerate();
                    Computed::Flag(each.all(|(at, item)| condition.holds_at(item, types, Some(at))))
                }
                _ => return None,
            },
            Formula::At => Computed::Number(at?.try_into().ok()?),
            Formula::Is(path) => Computed::Flag(path.find(value).is_some()),
            Formula::Of(path, ty) => {
                Computed::Flag(definition(types.name(path.find(value)?.ty)).is_some_and(|own| own == *ty))
            }
        })
    }
}

/// `::a::b::C` as `a::b::C`.
fn spelled(path: &syn::Path) -> String {
    path.segments.iter().map(|segment| segment.ident.to_string()).collect::<Vec<_>>().join("::")
}

fn operator(operator: &BinOp) -> Option<Operator> {
    Some(match operator {
        BinOp::Add(_) => Operator::Add,
        BinOp::Sub(_) => Operator::Sub,
        BinOp::Mul(_) => Operator::Mul,
        BinOp::Div(_) => Operator::Div,
        BinOp::Rem(_) => Operator::Rem,
        BinOp::Shl(_) => Operator::Shl,
        BinOp::Shr(_) => Operator::Shr,
        BinOp::BitAnd(_) => Operator::BitAnd,
        BinOp::BitOr(_) => Operator::BitOr,
        BinOp::Eq(_) => Operator::Eq,
        BinOp::Ne(_) => Operator::Ne,
        BinOp::Lt(_) => Operator::Lt,
        BinOp::Le(_) => Operator::Le,
        BinOp::Gt(_) => Operator::Gt,
        BinOp::Ge(_) => Operator::Ge,
        BinOp::And(_) => Operator::And,
        BinOp::Or(_) => Operator::Or,
        _ => return None,
    })
}

fn binary(operator: Operator, left: i128, right: i128) -> Option<Computed> {
    let by = || u32::try_from(right).ok().filter(|by| *by < 128);
    let number = match operator {
        Operator::Add => left.checked_add(right)?,
        Operator::Sub => left.checked_sub(right)?,
        Operator::Mul => left.checked_mul(right)?,
        Operator::Div => left.checked_div(right)?,
        Operator::Rem => left.checked_rem(right)?,
        // As multiplication, so that what does not fit is noticed.
        Operator::Shl => left.checked_mul(1_i128.checked_shl(by().filter(|by| *by < 127)?)?)?,
        Operator::Shr => left >> by()?,
        Operator::BitAnd => left & right,
        Operator::BitOr => left | right,
        _ => return compared(operator, &left, &right).map(Computed::Flag),
    };
    Some(Computed::Number(number))
}

/// A comparison; as in Rust, a NaN is equal to nothing. `None` for other operators.
fn compared<T: PartialOrd>(operator: Operator, left: &T, right: &T) -> Option<bool> {
    Some(match operator {
        Operator::Eq => left == right,
        Operator::Ne => left != right,
        Operator::Lt => left < right,
        Operator::Le => left <= right,
        Operator::Gt => left > right,
        Operator::Ge => left >= right,
        _ => return None,
    })
}

fn narrowed(number: u128) -> Computed {
    i128::try_from(number).map_or(Computed::Wide(number), Computed::Number)
}

/// The number that a value is, newtypes and cells around it seen through; of a raw pointer its address.
fn number_of(value: &Value, types: &TypeTable) -> Option<Computed> {
    let mut at = value;
    for _ in 0..MAX_LAYERS {
        at = match &at.data {
            Data::Int(number) => return Some(Computed::Number(*number)),
            Data::Uint(number) => return Some(narrowed(*number)),
            Data::Bool(flag) => return Some(Computed::Number(i128::from(*flag))),
            Data::Float(bits) => return float(*bits, &types.get(at.ty)?.kind),
            Data::Pointer { address, to } if to.as_deref().is_none_or(is_unit) => {
                return Some(Computed::Number(i128::from(*address)));
            }
            Data::Cell { inner, .. } => inner,
            Data::Struct(fields) => only(fields)?,
            _ => return None,
        };
    }
    None
}

fn float(bits: u64, kind: &TypeKind) -> Option<Computed> {
    let number = match kind {
        TypeKind::Float { bits: 32 } => f64::from(f32::from_bits(u32::try_from(bits).ok()?)),
        TypeKind::Float { bits: 64 } => f64::from_bits(bits),
        _ => return None,
    };
    Some(Computed::Float(number.to_bits()))
}

/// What `*const ()` points to.
fn is_unit(value: &Value) -> bool {
    matches!(&value.data, Data::Tuple(items) if items.is_empty())
}

/// Unsigned numbers of one width as bytes, the least first; at most as many as are read of a sequence.
pub(super) fn little_endian(value: &Value, types: &TypeTable) -> Option<Vec<u8>> {
    if let Data::Bytes { bytes, len } = &value.data {
        return (bytes.len() as u64 == *len).then(|| bytes.clone());
    }
    let Data::Sequence { items, len } = &value.data else { return None };
    let mut bytes = Vec::with_capacity(items.len());
    for item in items.iter().filter(|_| items.len() as u64 == *len) {
        let (Data::Uint(digit), Some(TypeKind::Integer { signed: false, bits })) =
            (&item.data, types.get(item.ty).map(|shape| &shape.kind))
        else {
            return None;
        };
        bytes.extend(digit.to_le_bytes().get(..usize::from(*bits / 8))?);
    }
    (items.len() as u64 == *len).then_some(bytes)
}

/// Text that is kept in place of a pointer: bytes, and the bytes of numbers, one number after the other, each one's
/// least first. The last part is the length, or an enum that has the last byte (`V97`) or the length (`L3`, `_V3`).
pub(super) fn packed(parts: &[&Value], types: &TypeTable) -> Option<String> {
    let (last, numbers) = parts.split_last()?;
    let mut bytes = Vec::new();
    for part in numbers {
        if let Data::Bytes { bytes: some, len } = &part.data {
            (some.len() as u64 == *len).then_some(())?;
            bytes.extend(some);
            continue;
        }
        let Computed::Number(number) = number_of(part, types)? else { return None };
        let width = match types.get(part.ty).map(|shape| &shape.kind) {
            Some(TypeKind::Integer { signed: false, bits }) => usize::from(*bits / 8),
            Some(TypeKind::RawPointer { .. }) => 8,
            _ => return None,
        };
        bytes.extend(number.to_le_bytes().get(..width)?);
    }
    let Data::Variant { name, .. } = &last.data else {
        let length = usize::try_from(number_of(last, types)?.number()?).ok()?;
        (length <= bytes.len()).then(|| bytes.truncate(length))?;
        return String::from_utf8(bytes).ok();
    };
    if let Some(length) = name.strip_prefix("_V") {
        bytes.truncate(length.parse().ok()?);
        return String::from_utf8(bytes).ok();
    }
    match (name.get(..1)?, name.get(1..)?.parse::<u8>().ok()?) {
        ("V", byte) => bytes.push(byte),
        ("L", length) => bytes.truncate(usize::from(length)),
        _ => return None,
    }
    String::from_utf8(bytes).ok()
}

/// The letters that a number's bytes are, the lowest first; zeros only behind them.
pub(super) fn ascii(number: &Computed) -> Option<String> {
    let bytes = u64::try_from(number.number()?).ok()?.to_le_bytes();
    let length = bytes.iter().rposition(|byte| *byte != 0)? + 1;
    let text = std::str::from_utf8(bytes.get(..length)?).ok()?;
    text.bytes().all(|byte| byte.is_ascii_graphic()).then(|| text.to_owned())
}

/// A sequence of digits as one number: the first is the greatest (`big_endian`) or the least.
fn joined(value: &Value, big_endian: bool, types: &TypeTable) -> Option<u128> {
    let digits: Vec<(u128, u32)> = match &value.data {
        Data::Bytes { bytes, len } if bytes.len() as u64 == *len && bytes.len() <= 16 => {
            bytes.iter().map(|byte| (u128::from(*byte), 8)).collect()
        }
        Data::Sequence { items, len } if items.len() as u64 == *len && items.len() <= 16 => {
            let one = |item: &Value| match (&item.data, types.get(item.ty).map(|shape| &shape.kind)) {
                (Data::Uint(digit), Some(TypeKind::Integer { signed: false, bits })) => {
                    Some((*digit, u32::from(*bits)))
                }
                _ => None,
            };
            items.iter().map(one).collect::<Option<_>>()?
        }
        _ => return None,
    };
    let mut number = 0_u128;
    let mut add = |(digit, bits): (u128, u32)| {
        let shifted = number.checked_mul(1_u128.checked_shl(bits)?)?;
        number = shifted.checked_add(digit)?;
        Some(())
    };
    if big_endian {
        digits.into_iter().try_for_each(&mut add)?;
    } else {
        digits.into_iter().rev().try_for_each(&mut add)?;
    }
    Some(number)
}
