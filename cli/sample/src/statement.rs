//! The lines of a statement.

use crate::{Order, Unit};

const PRICE_WIDTH: usize = 10;

pub(crate) fn line(order: &Order, width: usize) -> String {
    let quantity = match order.unit {
        Unit::Piece => format!("{} x", order.quantity),
        Unit::Gram => format!("{} g", order.quantity),
    };
    let room = width.saturating_sub(quantity.len() + PRICE_WIDTH + 2);
    let item = fit(&order.item, room);
    let (whole, part) = (order.cents / 100, order.cents % 100);
    format!("{quantity} {item:room$} {whole:>7}.{part:02}")
}

/// Cuts a text to a width.
fn fit(text: &str, width: usize) -> &str {
    if text.len() <= width {
        return text;
    }
    &text[..width]
}
