//! States and the trace that binds them: one 32-byte root over every buffer after every launch.
//!
//! State 0 is before the first launch, state `i` after launch `i - 1`. The tree over the state roots has the least depth
//! that holds them, empty places hold a fixed leaf, leaves and nodes are hashed apart, and the number of leaves is bound
//! into the root.

use crate::{
    BlobId, Hash, Init,
    hash::{Purpose, derive},
    program::MAX_LAUNCHES,
};
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
    blobs.using_encoded(|bytes| derive(Purpose::State, &[bytes]))
}

/// Root of a trace; `None` for no state at all or too many.
pub fn trace_root(states: &[Hash]) -> Option<Hash> {
    let count = u32::try_from(states.len()).ok()?;
    let top = levels(states)?.pop()?.pop()?;
    Some(root_of(count, &top))
}

/// Path of state `index`.
pub fn trace_path(states: &[Hash], index: u32) -> Option<TracePath> {
    let levels = levels(states)?;
    let mut position = usize::try_from(index).ok()?;
    if position >= states.len() {
        return None;
    }
    let mut siblings = Vec::new();
    for level in levels.iter().take(levels.len().checked_sub(1)?) {
        siblings.push(*level.get(position ^ 1)?);
        position >>= 1;
    }
    Some(TracePath(siblings.try_into().ok()?))
}

/// Whether `state` is the state at `index` of the trace of `count` states with root `root`. A path of any other length
/// than the tree's depth is refused.
pub fn verify_path(root: &Hash, count: u32, index: u32, state: &Hash, path: &TracePath) -> bool {
    let Some(depth) = depth(count) else { return false };
    if index >= count || u32::try_from(path.0.len()) != Ok(depth) {
        return false;
    }
    let mut node = leaf(state);
    let mut position = index;
    for sibling in &path.0 {
        node = if position & 1 == 0 { parent(&node, sibling) } else { parent(sibling, &node) };
        position >>= 1;
    }
    root_of(count, &node) == *root
}

/// The states a program passes through: needs `program.launches() + 1` leaves.
pub fn state_count(launches: u64) -> Option<u32> {
    u32::try_from(launches.checked_add(1)?).ok()
}

/// A program's buffers before the first launch, in time of their number: zeroed buffers have an address of their own, because
/// the BLAKE3 of zeros costs as much as hashing them (each chunk's counter enters its hash).
pub fn initial_state(program: &crate::Program) -> Vec<BlobId> {
    program
        .buffers
        .iter()
        .map(|buffer| match buffer.init {
            Init::Zero => BlobId::zero(buffer.len),
            Init::Blob(blob) => blob,
        })
        .collect()
}

/// What fills the places without a state: the hash of no state root.
const EMPTY: Hash = [0; 32];

fn leaf(state: &Hash) -> Hash {
    derive(Purpose::TraceLeaf, &[state])
}

fn parent(left: &Hash, right: &Hash) -> Hash {
    derive(Purpose::TraceNode, &[left, right])
}

fn root_of(count: u32, top: &Hash) -> Hash {
    derive(Purpose::TraceRoot, &[&count.to_le_bytes(), top])
}

/// Depth of the tree over `count` states: the least that holds them.
fn depth(count: u32) -> Option<u32> {
    if count == 0 || count > MAX_LAUNCHES.saturating_add(1) {
        return None;
    }
    Some(count.checked_next_power_of_two()?.trailing_zeros())
}

/// Every level of the tree, leaves first.
fn levels(states: &[Hash]) -> Option<Vec<Vec<Hash>>> {
    let depth = depth(u32::try_from(states.len()).ok()?)?;
    let mut level: Vec<Hash> = states.iter().map(leaf).collect();
    level.resize(1usize.checked_shl(depth)?, EMPTY);
    let mut levels = Vec::new();
    while level.len() > 1 {
        let above = level.as_chunks::<2>().0.iter().map(|[left, right]| parent(left, right)).collect();
        levels.push(level);
        level = above;
    }
    levels.push(level);
    Some(levels)
}
