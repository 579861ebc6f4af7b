//! The lines of a statement.

use crate::{Order, Unit};

const PRICE_WIDTH: usize = 10;

pub(crate) fn line(order: &Order, width: usize) -> String {
    let quantity = match order.unit {
        Unit::Piece => format!("{} x", order.quantity),
        Unit::Gram => format!("{} g", order.quantity),
    };
    let item = fit(&order.item, width.saturating_sub(PRICE_WIDTH + quantity.len() + 2));
    format!("{quantity} {item} {:>6}.{:02}", order.cents / 100, order.cents % 100)
}

/// Cuts a text to a width.
fn fit(text: &str, width: usize) -> &str {
    match text.char_indices().nth(width) {
        Some((end, _)) => &text[..end],
        None => text,
    }
}
