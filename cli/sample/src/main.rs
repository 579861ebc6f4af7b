//! Prints the statements of all customers of an order file.

use std::{env, fs, process};

use orders::Ledger;

fn main() {
    let path = env::args().nth(1).unwrap_or_else(|| {
        eprintln!("usage: orders FILE");
        process::exit(2)
    });
    let text = fs::read_to_string(&path).expect("a readable file");
    match Ledger::parse(&text) {
        Ok(ledger) => {
            for customer in ledger.customers() {
                println!("{}", ledger.statement(customer, 32).unwrap_or_default());
            }
        }
        Err(error) => eprintln!("{path}: {error}"),
    }
}
