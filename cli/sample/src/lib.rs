//! Reads order lines and prints a statement for each customer.

mod line;
mod statement;

use std::collections::BTreeMap;

pub use line::ParseError;

/// The orders of a day, by customer.
#[derive(Debug, Default)]
pub struct Ledger {
    orders: BTreeMap<String, Vec<Order>>,
    lines: usize,
}

#[derive(Debug, Clone, PartialEq)]
struct Order {
    item: String,
    quantity: u32,
    unit: Unit,
    cents: u64,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Unit {
    Piece,
    Gram,
}

impl Ledger {
    /// Reads lines of `customer;item;quantity;price`; empty lines and comments are skipped.
    pub fn parse(text: &str) -> Result<Ledger, ParseError> {
        let mut ledger = Ledger::default();
        for (index, text) in text.lines().enumerate() {
            if text.trim().is_empty() || text.starts_with('#') {
                continue;
            }
            let (customer, order) = line::parse(text, index + 1)?;
            ledger.orders.entry(customer).or_default().push(order);
            ledger.lines += 1;
        }
        Ok(ledger)
    }

    /// The customers, in alphabetical order.
    pub fn customers(&self) -> impl Iterator<Item = &str> {
        self.orders.keys().map(String::as_str)
    }

    /// What a customer ordered, one line an item, `width` columns wide; `None` for a stranger.
    pub fn statement(&self, customer: &str, width: usize) -> Option<String> {
        let orders = self.orders.get(customer)?;
        let mut text = format!("{customer}\n");
        for order in orders {
            text.push_str(&statement::line(order, width));
            text.push('\n');
        }
        Some(text)
    }
}
