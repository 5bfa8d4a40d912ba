//! The rewriting, on the engine.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod forms;
mod plain;
mod support;
mod texts;
