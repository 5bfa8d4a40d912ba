//! Kernels: what the engine says of PTX, and PTX from CUDA C.

mod build;
mod check;
mod exact;
mod names;
mod serial;
mod text;

pub use build::{
    BuildError, Built, Compiler, DEFAULT_ARCH, EXACT_MATHS, compile, compile_with, find_compiler, lower_version,
};
pub use check::{CheckedEntry, check, entry_info};
pub use exact::{Prepared, prepare};
pub use names::{is_called, plain_name, shown, unmangled, with_template};
pub use serial::serial;
pub use text::{Instructions, Text};
