//! The auditor against a chain that a test drives, and providers good and bad.
#![allow(clippy::unwrap_used, clippy::panic)]

mod endpoints;
mod harness;
mod verdicts;
