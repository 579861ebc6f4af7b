//! From a live process to a snapshot: the tracer, the images, unwinding, DWARF locations, values.
//! Nothing here renders Rust code.

pub mod image;
pub mod memory;
pub mod observe;
pub mod panic;
pub mod place;
pub mod program;
pub mod roots;
pub mod signal;
pub mod tracer;
