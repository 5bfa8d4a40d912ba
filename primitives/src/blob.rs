//! Blobs: immutable byte strings, addressed by plain BLAKE3 and their length together.

use crate::{
    Hash,
    hash::{Purpose, derive},
};
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

impl BlobId {
    /// The address of `len` zero bytes that nobody has to hold or hash: a buffer before its first write. Its root is no BLAKE3
    /// of any data, so it is distinct from the plain blob of the same zeros.
    pub fn zero(len: u64) -> Self {
        Self { root: derive(Purpose::Zero, &[&len.to_le_bytes()]), len }
    }

    /// Whether this is [`BlobId::zero`] of its length.
    pub fn is_zero(&self) -> bool {
        *self == Self::zero(self.len)
    }
}
