//! Blobs: immutable byte strings, addressed by plain BLAKE3 and their length together.

use crate::Hash;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// A blob's address. The length belongs to it: a BLAKE3 slice that is not the last one verifies under a wrong length.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct BlobId {
    /// Plain BLAKE3, as `b3sum FILE` prints it.
    pub root: Hash,
    /// Bytes.
    pub len: u64,
}
