//! What differs between processors: the registers by their DWARF numbers, which of them calls preserve, and
//! what a call looks like.
//! One file a processor; x86-64 is the only one so far.

mod x86_64;

pub use x86_64::Registers;
pub(crate) use x86_64::{
    CALLEE_SAVED, FRAME_POINTER, LONGEST_CALL, RETURN_ADDRESS, STACK_POINTER, ends_with_call,
};
