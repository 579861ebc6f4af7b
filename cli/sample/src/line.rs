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
    let error = |what| ParseError { line, what };
    let mut fields = text.split(';').map(str::trim);
    let customer = fields.next().filter(|name| !name.is_empty()).ok_or(error("no customer"))?;
    let item = fields.next().ok_or(error("no item"))?;
    let (quantity, unit) = quantity(fields.next().ok_or(error("no quantity"))?).ok_or(error("bad quantity"))?;
    let cents = cents(fields.next().ok_or(error("no price"))?).ok_or(error("bad price"))?;
    Ok((customer.to_string(), Order { item: item.to_string(), quantity, unit, cents }))
}

fn quantity(text: &str) -> Option<(u32, Unit)> {
    match text.strip_suffix('g') {
        Some(grams) => Some((grams.trim().parse().ok()?, Unit::Gram)),
        None => Some((text.parse().ok()?, Unit::Piece)),
    }
}

fn cents(text: &str) -> Option<u64> {
    let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
    Some(whole.parse::<u64>().ok()? * 100 + part.parse::<u64>().ok()?)
}
