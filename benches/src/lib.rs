//! The engine native and in the runtime, side by side: for the figures, and for the test that both agree.

pub mod hard;
pub mod trace;
pub mod wasm;
