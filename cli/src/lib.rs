//! The `assay` command: its parts, so that tests and other programs can use them.
//!
//! ```text
//! job      JOB.toml ─▶ Program, kernels, data
//! draft    a kernel ─▶ a job file to be completed
//! kernel   PTX ─▶ what the engine says; CUDA C ─▶ PTX
//! local    runs a job here; sample tries units of it; unit watches one
//! infer    proposes write maps from what units store
//! commands what people type; args says how; term, views and explain print
//! ```

pub mod args;
pub mod commands;
pub mod draft;
pub mod error;
pub mod explain;
pub mod infer;
pub mod job;
pub mod kernel;
pub mod local;
pub mod markdown;
pub mod sample;
pub mod term;
pub mod unit;
pub mod views;

/// Lane-steps that the chain allows one unit, unless the chain at hand says otherwise.
pub const UNIT_FUEL: u64 = 20_000_000;
