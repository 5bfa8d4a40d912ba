//! The pallet's behaviour, one file per call.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects
)]

mod agenda;
mod attacks;
mod cancel;
mod claim;
mod commit_result;
mod decline;
mod invariants;
mod place_order;
mod prove_fault;
mod register_kernel;
mod report_audits;
mod report_fault;
mod retire_kernel;
mod settle;
mod views;
mod world;
