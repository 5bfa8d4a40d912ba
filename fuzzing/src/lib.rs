//! The bodies of the fuzz targets. Each takes any bytes and panics where a promise is broken:
//!
//! ```text
//! ptx_text       parse and check are total; what is accepted runs to a typed end, twice the same
//! programs       bytes -> valid PTX -> plain memory = audited state = recorded witness
//! witness        edits of an honest witness never convict an honest provider
//! program_bytes  SCALE decoding is canonical, checking is total
//! slices         a slice proves the blob's bytes or nothing
//! write_maps     what passes the check gives every byte one owner
//! ```
#![allow(clippy::panic, clippy::unwrap_used)] // A broken promise is a panic: that is what a fuzzer looks for.

mod bytes;
mod forms;
mod generate;
pub mod hostile;
pub mod mutate;
mod plate;
mod program_bytes;
mod programs;
mod ptx_text;
mod slices;
mod witness;
mod write_maps;

pub use forms::{Forms, forms};
pub use generate::generate;
pub use program_bytes::program_bytes;
pub use programs::{Generated, generated, programs};
pub use ptx_text::ptx_text;
pub use slices::slices;
pub use witness::{honest_witness, witness};
pub use write_maps::write_maps;
