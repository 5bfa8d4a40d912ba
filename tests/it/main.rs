//! End to end: the real node, the real worker, the real command line, over loopback.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod bad_input;
mod cheats;
mod crashes;
mod honest;
mod support;
