//! Kernels: what the engine says of PTX, and PTX from CUDA C.

mod atomics;
mod build;
mod check;
mod exact;
pub mod functions;
mod names;
mod serial;
mod text;
mod version;

pub use build::{
    BuildError, Built, Compiler, DEFAULT_ARCH, EXACT_MATHS, compile, compile_with, find_compiler, lower_version,
};
pub use check::{CheckedEntry, check, entry_info};
pub use exact::{Prepared, prepare};
pub use names::{Names, plain_name, shown, unmangled, with_template, with_types};
pub use serial::Serial;
pub use text::{Body, Instructions, Text};
pub use version::lowest;
