//! States and the trace that binds them: one 32-byte root over every buffer after every launch.
//!
//! State 0 is before the first launch, state `i` after launch `i - 1`. The tree over the state roots has the least depth
//! that holds them, empty places hold a fixed leaf, leaves and nodes are hashed apart, and the number of leaves is bound
//! into the root.

use crate::{BlobId, Hash};
use alloc::vec::Vec;
use bounded_collections::{BoundedVec, ConstU32};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// Depth of the deepest trace tree: it holds [`crate::program::MAX_LAUNCHES`] states and state 0.
pub const MAX_DEPTH: u32 = 13;

/// The siblings of a leaf, from the leaf's up.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct TracePath(pub BoundedVec<Hash, ConstU32<MAX_DEPTH>>);

/// Root of a state: the ordered list of its buffers' blobs.
pub fn state_root(blobs: &[BlobId]) -> Hash {
    let _ = blobs;
    [0; 32]
}

/// Root of a trace; `None` for no state at all or too many.
pub fn trace_root(states: &[Hash]) -> Option<Hash> {
    let _ = states;
    None
}

/// Path of state `index`.
pub fn trace_path(states: &[Hash], index: u32) -> Option<TracePath> {
    let _ = (states, index);
    None
}

/// Whether `state` is the state at `index` of the trace of `count` states with root `root`. A path of any other length
/// than the tree's depth is refused.
pub fn verify_path(root: &Hash, count: u32, index: u32, state: &Hash, path: &TracePath) -> bool {
    let _ = (root, count, index, state, path);
    false
}

/// The states a program passes through: needs `program.launches() + 1` leaves.
pub fn state_count(launches: u64) -> Option<u32> {
    u32::try_from(launches.checked_add(1)?).ok()
}

/// BLAKE3 roots of a program's buffers before the first launch. Zeroed buffers are computed from their length alone, in
/// time logarithmic in it.
pub fn initial_state(program: &crate::Program) -> Vec<BlobId> {
    let _ = program;
    Vec::new()
}
