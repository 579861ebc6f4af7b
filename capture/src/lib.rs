//! From a live process to a snapshot: the tracer, the images, unwinding, DWARF locations, values.
//! Nothing here renders Rust code.

pub mod arch;
pub mod cargo_runner;
pub mod entries;
pub mod image;
pub mod limits;
mod location;
pub mod memory;
pub mod observe;
pub mod open_file;
pub mod panic;
pub mod place;
pub mod program;
pub mod roots;
pub mod run;
pub mod sandbox;
pub mod signal;
pub mod stack;
pub mod temporary;
pub mod tracer;
mod unwind;
pub mod values;
