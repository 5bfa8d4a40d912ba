//! The runtime's Wasm, for those who make chain specifications.

include!(concat!(env!("OUT_DIR"), "/wasm_binary.rs"));

/// The compressed Wasm; `None` in a build that skipped it.
pub fn wasm() -> Option<&'static [u8]> {
    WASM_BINARY
}
