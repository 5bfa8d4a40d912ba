//! Write maps: which bytes of a buffer each CTA of a launch owns.
//!
//! A map is a strided view of a buffer, tiled by CTAs:
//! `owned(cta) = { base + Σ cᵢ·strideᵢ + [0, run) }`, where each `cᵢ` runs over the CTA's tile of its dimension.
//! After a launch each owned byte is what it was before, overlaid with that CTA's stores; bytes nobody owns do not change.

use crate::Axis;
use bounded_collections::{BoundedVec, ConstU32};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// Dimensions of one map.
pub const MAX_DIMS: u32 = 6;
/// Maps of one launch.
pub const MAX_WRITE_MAPS: u32 = 16;

/// How a launch declares what it writes.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub enum Writes {
    /// Strided views, several per launch and per buffer.
    Maps(BoundedVec<WriteMap, ConstU32<MAX_WRITE_MAPS>>),
}

/// One strided view of one buffer.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct WriteMap {
    /// Index into the program's buffers.
    pub buffer: u16,
    /// Byte at coordinate 0 of every dimension.
    pub base: u64,
    /// From the outermost to the innermost.
    pub dims: BoundedVec<Dim, ConstU32<MAX_DIMS>>,
    /// Contiguous bytes at each coordinate; more than 0.
    pub run: u64,
}

/// One dimension of a [`WriteMap`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub enum Dim {
    /// Coordinates `c` with `0 <= c < extent`, `stride` bytes apart.
    Span {
        /// Bytes from one coordinate to the next; may be negative.
        stride: i64,
        /// Coordinates that count.
        extent: u64,
        /// With an axis, CTA `b` along it owns `b*tile <= c < (b+1)*tile`; without, every CTA owns all.
        axis: Option<Axis>,
        /// Coordinates of one CTA; 1 or more; read only with an axis.
        tile: u64,
    },
    /// Only CTAs with `block[axis] == index` own anything here.
    At {
        /// The axis.
        axis: Axis,
        /// The position along it.
        index: u32,
    },
}

/// What is wrong with a write map.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub enum MapError {
    /// It names no buffer of the program.
    NoBuffer,
    /// It owns nothing: a run, an extent or a tile of zero.
    Empty,
    /// It reaches outside the buffer.
    OutOfBounds,
    /// Two coordinates would be the same byte: a stride is shorter than what it steps over.
    Overlap,
    /// Two CTAs would own the same byte: an axis of the grid longer than 1 does not appear, or appears twice.
    SharedByCtas,
    /// It may overlap another map of the same buffer.
    OverlapsOther,
}

/// Who owns a byte in one launch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// The CTA with this `blockIdx`.
    Cta([u32; 3]),
    /// No CTA.
    Nobody,
}

impl Writes {
    /// Checks the maps of a launch with `grid` over buffers of lengths `buffers`, in O(maps² · dims).
    pub fn check(&self, grid: [u32; 3], buffers: &[u64]) -> Result<(), (u8, MapError)> {
        let _ = (grid, buffers);
        Ok(())
    }

    /// Who owns the byte at `offset` of `buffer`, and up to which offset (exclusive, greater than `offset`) the answer
    /// holds. For checked maps.
    pub fn owner(&self, grid: [u32; 3], buffer: u16, offset: u64) -> (Owner, u64) {
        let _ = (grid, buffer, offset);
        (Owner::Nobody, u64::MAX)
    }

    /// Calls `visit(buffer, offset, len)` for each run that `cta` owns, sorted by (buffer, offset), touching runs joined,
    /// until `visit` returns `false`.
    pub fn for_each_owned(&self, cta: [u32; 3], visit: impl FnMut(u16, u64, u64) -> bool) {
        let _ = (cta, visit);
    }
}
