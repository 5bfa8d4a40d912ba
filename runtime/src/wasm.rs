//! The runtime's Wasm, for those who make chain specifications; nothing in a build that skipped it.

include!(concat!(env!("OUT_DIR"), "/wasm_binary.rs"));
