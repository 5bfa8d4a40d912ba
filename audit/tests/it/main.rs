//! Traces of real kernels, honest and not, judged from witnesses.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod cheats;
mod honest;
mod rules;
mod support;
mod witnesses;
