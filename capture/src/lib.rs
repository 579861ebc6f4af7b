//! From a live process to a snapshot: the tracer, the images, unwinding, DWARF locations, values.
//! Nothing here renders Rust code.

pub mod arch;
pub mod image;
pub mod limits;
mod location;
pub mod memory;
pub mod place;
pub mod roots;
pub mod stack;
mod unwind;
pub mod values;
