//! The node of Assay: makes and follows the chain, answers clients, and audits what providers commit.
//!
//! It knows the runtime through its APIs alone and never links it or its pallets: the Wasm comes with the chain
//! specification.

mod auditor;
pub mod block;
mod cli;
pub mod command;
mod rpc;
mod runtime_api;
mod service;
mod spec;

pub use runtime_api::Runtime;
