//! The data of a crash: snapshots, frames, values with their trust, fingerprints, the store on disk.
//! Everything here is plain and serialisable; nothing here reads a process or a source file. What every process of
//! relapse must do alike stands here, too, where all stages can reach it: [`lock`], and the names of
//! [`store::new_name`].

pub mod consequence;
pub mod crash;
pub mod depth;
pub mod display;
pub mod error;
pub mod fingerprint;
mod function_path;
pub mod graph;
pub mod lock;
pub mod recursion;
pub mod redact;
pub mod store;
mod timeout;
pub mod types;
pub mod value;

pub use crash::{
    Argument, Build, Catcher, Cause, CauseKind, Frame, FrameKind, Generic, Location, Made, Program, Snapshot,
    Spawner, Thread, Variable,
};
pub use error::SnapshotError;
pub use fingerprint::{fingerprint, normalise_message};
pub use function_path::{bare_name, last_segment, path_segments};
pub use graph::Targets;
pub use recursion::Endless;
pub use redact::{Rules, redact};
pub use store::{Kept, Listing, Store, Summary};
pub use types::{ClosureText, FieldShape, StdType, TypeId, TypeKind, TypeShape, TypeTable, VariantShape};
pub use value::{Data, Field, Part, Trust, Value};
