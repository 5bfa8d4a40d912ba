//! The code that audits is the code that convicts: running one unit of a program and judging what was committed.
//!
//! ```text
//! worker   run_cta over whole states ─▶ effects ─▶ states, trace root
//!          witness: the same run, recorded ─▶ slices of what it read and owns
//! auditor, self-check, runtime
//!          judge: the same run from the witness alone ─▶ verdict
//! ```
#![cfg_attr(not(feature = "std"), no_std)]
#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects, clippy::indexing_slicing))]

extern crate alloc;

mod judge;
mod memory;
mod source;
#[cfg(feature = "std")]
mod trace;
mod unit;
mod witness;

pub use judge::{Fault, Verdict, WitnessError, judge};
#[cfg(feature = "std")]
pub use trace::{Held, Trace, TraceError};
pub use unit::{Effect, Job, NoUnit, Run, Runner, State, run_cta};
pub use witness::{BuildError, Snapshot, WitnessParts, build as build_witness};
