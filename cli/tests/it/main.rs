//! The command as people run it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects
)]

mod drafts;
mod exact;
mod kernels;
mod saved;
mod support;
mod tried;
mod written;
