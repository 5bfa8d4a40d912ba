//! The vocabulary of Assay: what customers, providers, auditors and the runtime say to each other, and the pure rules
//! they all compute alike. No FRAME, no I/O, no clock; every function is total over any input.
//!
//! ```text
//! Program ─▶ units ─▶ states ─▶ trace root ─▶ VRF draw ─▶ witness ─▶ verdict ─▶ settlement
//! ```
#![cfg_attr(not(feature = "std"), no_std)]
#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects, clippy::indexing_slicing))]

extern crate alloc;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

pub mod audit;
pub mod blob;
pub mod check;
pub mod economy;
pub mod hash;
pub mod order;
pub mod payload;
pub mod program;
pub mod slice;
pub mod trace;
pub mod witness;
pub mod write_map;

pub use blob::BlobId;
pub use hash::Hash;
pub use program::{Arg, Axis, Buffer, Init, Launch, Program, Step, Unit};
pub use write_map::{Dim, WriteMap, Writes};

/// Money, in planck (10⁻¹² of a token).
pub type Balance = u128;
/// Blocks since genesis.
pub type BlockNumber = u32;
/// Position of an order in the chain's sequence of orders, from 0.
pub type OrderId = u64;
/// Position of an attempt among its order's attempts, from 0.
pub type AttemptIndex = u32;
/// BLAKE3 of a kernel's PTX bytes, the hash that `b3sum FILE.ptx` prints.
pub type KernelId = Hash;
/// [`hash::derive`] of a program's SCALE encoding.
pub type ProgramId = Hash;
/// The 32 bytes of an account; SS58 is how people see it.
pub type Account = [u8; 32];
