//! A provider's worker: it claims orders, takes the customers' inputs, runs the programs, commits the results and proves them
//! to whoever asks.
//!
//! ```text
//! job/       claim ─▶ inputs ─▶ run ─▶ self-check ─▶ commit ─▶ serve, each stage in a journal
//! backend/   runs programs: CPU engine, or CUDA in a child process
//! blobs/     the blob store
//! server/    uploads, downloads, slices, witnesses, results over HTTP
//! desk.rs    what jobs tell the server
//! ```

pub mod backend;
pub mod blobs;
pub mod config;
pub mod desk;
pub mod job;
pub mod metrics;
pub mod run;
pub mod server;
