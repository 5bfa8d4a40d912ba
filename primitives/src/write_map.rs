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
    fn maps(&self) -> &[WriteMap] {
        let Self::Maps(maps) = self;
        maps
    }

    /// Checks the maps of a launch with `grid` over buffers of lengths `buffers`, in O(maps² · dims).
    pub fn check(&self, grid: [u32; 3], buffers: &[u64]) -> Result<(), (u8, MapError)> {
        for (position, map) in (0u8..).zip(self.maps()) {
            let shape = Shape::of(map, grid, buffers).map_err(|error| (position, error))?;
            for other in self.maps().iter().take(usize::from(position)).filter(|other| other.buffer == map.buffer) {
                let other = Shape::of(other, grid, buffers).map_err(|error| (position, error))?;
                if !shape.is_apart(&other) {
                    return Err((position, MapError::OverlapsOther));
                }
            }
        }
        Ok(())
    }

    /// Who owns the byte at `offset` of `buffer`, and up to which offset (exclusive, greater than `offset`) the answer
    /// holds. For checked maps.
    pub fn owner(&self, grid: [u32; 3], buffer: u16, offset: u64) -> (Owner, u64) {
        let mut until = u64::MAX;
        for map in self.maps().iter().filter(|map| map.buffer == buffer) {
            let (cta, end) = map.locate(grid, offset);
            match cta {
                Some(cta) => return (Owner::Cta(cta), end),
                None => until = until.min(end),
            }
        }
        (Owner::Nobody, until.max(offset.saturating_add(1)))
    }

    /// Calls `visit(buffer, offset, len)` for each run that `cta` owns, map by map, until `visit` returns `false`. Runs of one
    /// map come in the order of its coordinates.
    pub fn for_each_owned(&self, cta: [u32; 3], mut visit: impl FnMut(u16, u64, u64) -> bool) {
        for map in self.maps() {
            if !map.visit(&map.dims, map.base, cta, &mut visit) {
                return;
            }
        }
    }
}

/// A dimension with the coordinates that the grid reaches.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Span {
    stride: i64,
    count: u64,
}

/// A checked map: what it spans.
struct Shape<'a> {
    map: &'a WriteMap,
    low: i128,
    high: i128,
    spans: ([Span; MAX_DIMS as usize], usize),
}

impl<'a> Shape<'a> {
    fn of(map: &'a WriteMap, grid: [u32; 3], buffers: &[u64]) -> Result<Self, MapError> {
        let len = *buffers.get(usize::from(map.buffer)).ok_or(MapError::NoBuffer)?;
        if map.run == 0 {
            return Err(MapError::Empty);
        }
        let mut seen = [false; 3];
        let mut see = |axis: Axis| match seen.get_mut(axis.index()) {
            Some(seen) if !*seen => {
                *seen = true;
                Ok(())
            }
            _ => Err(MapError::SharedByCtas),
        };
        let mut spans = [Span { stride: 0, count: 1 }; MAX_DIMS as usize];
        let mut used = 0usize;
        for dim in &map.dims {
            match dim {
                Dim::Span { stride, extent, axis, tile } => {
                    let count = match axis {
                        Some(axis) => {
                            see(*axis)?;
                            let ctas = grid.get(axis.index()).copied().unwrap_or(1);
                            u64::from(ctas).saturating_mul(*tile).min(*extent)
                        }
                        None => *extent,
                    };
                    if count == 0 {
                        return Err(MapError::Empty);
                    }
                    *spans.get_mut(used).ok_or(MapError::Overlap)? = Span { stride: *stride, count };
                    used = used.saturating_add(1);
                }
                Dim::At { axis, index } => {
                    see(*axis)?;
                    if grid.get(axis.index()).is_none_or(|ctas| index >= ctas) {
                        return Err(MapError::Empty);
                    }
                }
            }
        }
        if seen.iter().zip(grid).any(|(seen, ctas)| !seen && ctas > 1) {
            return Err(MapError::SharedByCtas);
        }
        // From the innermost out: a stride steps over everything inside it.
        let mut inner = i128::from(map.run);
        let (mut low, mut high) = (i128::from(map.base), i128::from(map.base).saturating_add(inner));
        for span in spans.iter().take(used).rev().filter(|span| span.count > 1) {
            let stride = i128::from(span.stride);
            if stride.abs() < inner {
                return Err(MapError::Overlap);
            }
            inner = stride.abs().saturating_mul(i128::from(span.count));
            let reach = stride.saturating_mul(i128::from(span.count).saturating_sub(1));
            if reach < 0 {
                low = low.saturating_add(reach);
            } else {
                high = high.saturating_add(reach);
            }
        }
        if low < 0 || high > i128::from(len) {
            return Err(MapError::OutOfBounds);
        }
        Ok(Self { map, low, high, spans: (spans, used) })
    }

    /// The dimensions that move, outer to inner.
    fn moving(&self) -> impl Iterator<Item = Span> + '_ {
        self.spans.0.iter().take(self.spans.1).copied().filter(|span| span.count > 1)
    }

    /// Whether two maps of one buffer share no byte, by one of the ways this decides quickly: ranges apart; interleaved
    /// within the innermost stride of the same shape; or never both reached, when they sit at different places of one axis.
    fn is_apart(&self, other: &Self) -> bool {
        if self.high <= other.low || other.high <= self.low {
            return true;
        }
        // Every stride of either map is a multiple of the smallest of both: then each map's bytes repeat with that period,
        // and two maps whose runs lie apart modulo the period never meet.
        let Some(period) = self.moving().chain(other.moving()).map(|span| u128::from(span.stride.unsigned_abs())).min() else {
            return false;
        };
        let whole = |span: Span| u128::from(span.stride.unsigned_abs()).checked_rem(period) == Some(0);
        if period == 0 || !self.moving().all(whole) || !other.moving().all(whole) {
            return false;
        }
        let place = |map: &WriteMap| u128::from(map.base).checked_rem(period).unwrap_or(0);
        let (a, a_run) = (place(self.map), u128::from(self.map.run));
        let (b, b_run) = (place(other.map), u128::from(other.map.run));
        // The gap from each start to the other's, around the period.
        let gap = |from: u128, to: u128| {
            let distance = to.saturating_add(period).saturating_sub(from);
            if distance >= period { distance.saturating_sub(period) } else { distance }
        };
        a_run <= gap(a, b) && b_run <= gap(b, a)
    }
}

impl WriteMap {
    /// Who owns `offset` in this map, and up to where the answer holds.
    fn locate(&self, grid: [u32; 3], offset: u64) -> (Option<[u32; 3]>, u64) {
        let mut cta = [0u32; 3];
        // Coordinates of negative strides are counted from the other end, so that all offsets grow.
        let mut low = i128::from(self.base);
        for dim in &self.dims {
            if let Dim::Span { stride, .. } = dim
                && *stride < 0
            {
                let last = self.count(dim, grid).saturating_sub(1);
                low = low.saturating_add(i128::from(*stride).saturating_mul(i128::from(last)));
            }
        }
        let mut left = i128::from(offset).saturating_sub(low);
        let end = |left: i128, until: i128| {
            u64::try_from(i128::from(offset).saturating_add(until.saturating_sub(left))).unwrap_or(u64::MAX)
        };
        if left < 0 {
            return (None, end(left, 0));
        }
        // Bytes from the current coordinate's start within which an answer of "nobody" surely holds.
        let mut horizon = i128::MAX;
        for dim in &self.dims {
            match dim {
                Dim::At { axis, index } => {
                    if let Some(place) = cta.get_mut(axis.index()) {
                        *place = *index;
                    }
                }
                Dim::Span { stride, axis, tile, .. } => {
                    let count = i128::from(self.count(dim, grid));
                    let step = i128::from(*stride).abs();
                    let mut coordinate = if count > 1 { left.checked_div(step).unwrap_or(0) } else { 0 };
                    if coordinate >= count {
                        coordinate = count.saturating_sub(1);
                    } else if count > 1 && coordinate < count.saturating_sub(1) {
                        horizon = step;
                    }
                    left = left.saturating_sub(coordinate.saturating_mul(step));
                    if horizon != i128::MAX && coordinate < count.saturating_sub(1) && count > 1 {
                        horizon = step;
                    } else if horizon != i128::MAX {
                        horizon = horizon.saturating_sub(coordinate.saturating_mul(step));
                    }
                    if *stride < 0 {
                        coordinate = count.saturating_sub(1).saturating_sub(coordinate);
                    }
                    if let Some(axis) = axis
                        && let Some(place) = cta.get_mut(axis.index())
                    {
                        *place = u64::try_from(coordinate)
                            .ok()
                            .and_then(|coordinate| coordinate.checked_div(*tile))
                            .and_then(|cta| u32::try_from(cta).ok())
                            .unwrap_or(u32::MAX);
                    }
                }
            }
        }
        if left < i128::from(self.run) {
            return (Some(cta), end(left, i128::from(self.run)));
        }
        (None, if horizon == i128::MAX { u64::MAX } else { end(left, horizon) })
    }

    /// Coordinates of a dimension that the grid reaches.
    fn count(&self, dim: &Dim, grid: [u32; 3]) -> u64 {
        match dim {
            Dim::Span { extent, axis: Some(axis), tile, .. } => {
                let ctas = grid.get(axis.index()).copied().unwrap_or(1);
                u64::from(ctas).saturating_mul(*tile).min(*extent)
            }
            Dim::Span { extent, .. } => *extent,
            Dim::At { .. } => 1,
        }
    }

    fn visit(&self, dims: &[Dim], base: u64, cta: [u32; 3], visit: &mut impl FnMut(u16, u64, u64) -> bool) -> bool {
        let Some((dim, inner)) = dims.split_first() else { return visit(self.buffer, base, self.run) };
        match dim {
            Dim::At { axis, index } => {
                cta.get(axis.index()) != Some(index) || self.visit(inner, base, cta, visit)
            }
            Dim::Span { stride, extent, axis, tile } => {
                let range = match axis {
                    None => 0..*extent,
                    Some(axis) => {
                        let first = u64::from(cta.get(axis.index()).copied().unwrap_or(0)).saturating_mul(*tile);
                        first..first.saturating_add(*tile).min(*extent)
                    }
                };
                for coordinate in range {
                    let step = i128::from(*stride).saturating_mul(i128::from(coordinate));
                    let Ok(at) = u64::try_from(i128::from(base).saturating_add(step)) else { return false };
                    if !self.visit(inner, at, cta, visit) {
                        return false;
                    }
                }
                true
            }
        }
    }
}
