//! Witnesses: the bytes one unit reads and owns, with their proofs against the committed trace.

use crate::{BlobId, program::MAX_BUFFERS, trace::TracePath};
use bounded_collections::{BoundedVec, ConstU32};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// Bytes of a witness's SCALE encoding.
pub const MAX_WITNESS_BYTES: u32 = 2 * 1024 * 1024;
/// Ranges of one buffer in one witness.
pub const MAX_RANGES: u32 = 16 * 1024;

/// One state, opened: the list its root hashes, and the root's place in the trace.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct StateOpening {
    /// The buffers, in the program's order.
    pub blobs: BoundedVec<BlobId, ConstU32<MAX_BUFFERS>>,
    /// Path of the state's root in the trace.
    pub path: TracePath,
}

/// Which of the two states of a unit.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub enum Side {
    /// The state the launch started from.
    Before,
    /// The state it left.
    After,
}

/// A range of bytes of a buffer.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct ByteRange {
    /// First byte.
    pub offset: u64,
    /// Bytes; more than 0.
    pub len: u64,
}

/// Proved bytes of one buffer in one state.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct BufferSlice {
    /// The state.
    pub side: Side,
    /// Index into the program's buffers.
    pub buffer: u16,
    /// What is proved: sorted, disjoint, not touching.
    pub ranges: BoundedVec<ByteRange, ConstU32<MAX_RANGES>>,
    /// The bao encoding of those ranges: see [`crate::slice`].
    pub slice: BoundedVec<u8, ConstU32<MAX_WITNESS_BYTES>>,
}

/// Everything needed to run one unit again and compare.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct Witness {
    /// The state before the launch.
    pub before: StateOpening,
    /// The state after it.
    pub after: StateOpening,
    /// Sorted by (side, buffer), each at most once.
    pub slices: BoundedVec<BufferSlice, ConstU32<{ 2 * MAX_BUFFERS }>>,
}
