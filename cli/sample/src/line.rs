//! One line of the order file.

use std::fmt;

use crate::{Order, Unit};

/// A line that is no order.
#[derive(Debug, Clone, PartialEq)]
pub struct ParseError {
    line: usize,
    what: &'static str,
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.what)
    }
}

pub(crate) fn parse(text: &str, line: usize) -> Result<(String, Order), ParseError> {
    let mut fields = text.split(';').map(str::trim);
    let mut field = |what| match fields.next() {
        Some(field) if !field.is_empty() => Ok(field),
        _ => Err(ParseError { line, what }),
    };
    let customer = field("no customer")?.to_string();
    let item = field("no item")?.to_string();
    let (quantity, price) = (field("no quantity")?, field("no price")?);
    let error = |what| ParseError { line, what };
    let (quantity, unit) = amount(quantity).ok_or(error("bad quantity"))?;
    let cents = cents(price).ok_or(error("bad price"))?;
    let order = Order {
        item,
        quantity,
        unit,
        cents,
    };
    Ok((customer, order))
}

fn amount(text: &str) -> Option<(u32, Unit)> {
    match text.strip_suffix('g') {
        Some(grams) => Some((grams.trim().parse().ok()?, Unit::Gram)),
        None => Some((text.parse().ok()?, Unit::Piece)),
    }
}

fn cents(text: &str) -> Option<u64> {
    let (whole, part) = text.split_once('.').unwrap_or((text, "00"));
    if part.len() != 2 {
        return None;
    }
    let whole = whole.parse::<u64>().ok()?;
    Some(whole.checked_mul(100)? + part.parse::<u64>().ok()?)
}
