//! Blobs: immutable byte strings, addressed by plain BLAKE3 and their length together.

use crate::{
    Hash,
    hash::{Purpose, derive, plain},
};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use core::fmt;
use scale_info::TypeInfo;

/// A blob's address. The length belongs to it: a BLAKE3 slice that is not the last one verifies under a wrong length.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub struct BlobId {
    /// Plain BLAKE3, as `b3sum FILE` prints it.
    pub root: Hash,
    /// Bytes.
    pub len: u64,
}

impl BlobId {
    /// The address of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        Self { root: plain(bytes), len: bytes.len() as u64 }
    }

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

impl fmt::Display for BlobId {
    /// The root in hex, a colon, the length: `af13…9262:0`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for byte in self.root {
            write!(f, "{byte:02x}")?;
        }
        write!(f, ":{}", self.len)
    }
}
