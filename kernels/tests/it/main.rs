//! The kernels, their committed PTX, and the engine.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod engine;
mod expected;
mod maths;
mod refused;
mod sources;
mod support;
mod variants;
mod vectors;
