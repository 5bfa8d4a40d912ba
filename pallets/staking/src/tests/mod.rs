//! The pallet's behaviour, one file per theme.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects
)]

mod bonds;
mod invariants;
mod providers;
mod session;
mod stake;
