//! Write maps: which bytes of a buffer each CTA of a launch owns.
//!
//! A map is a strided view of a buffer, tiled by CTAs:
//! `owned(cta) = { base + Σ cᵢ·strideᵢ + [0, run) }`, where each `cᵢ` runs over the CTA's tile of its dimension.
//! After a launch each owned byte is what it was before, overlaid with that CTA's stores; bytes nobody owns do not change.

use crate::{Axis, witness::MAX_WITNESS_BYTES};
use alloc::vec::Vec;
use bounded_collections::{BoundedVec, ConstU32};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use layout::Layout;
use scale_info::TypeInfo;

mod layout;

/// Dimensions of one map.
pub const MAX_DIMS: u32 = 6;
/// Maps of one launch.
pub const MAX_WRITE_MAPS: u32 = 16;
/// Bytes that one CTA may own in a launch: a witness has to carry them.
pub const MAX_OWNED_BYTES: u64 = MAX_WITNESS_BYTES as u64;
/// Runs that one CTA may own in a launch, in all its maps.
pub const MAX_OWNED_RUNS: u64 = 64 * 1024;

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
    /// As a span with an axis, but of a digit of the place along it: `block[axis] / per % of` takes the place of
    /// `block[axis]`. All digits of an axis together make the place: the first has a `per` of 1, each further one the
    /// `per` of the one before times its `of`.
    Digit {
        /// Bytes from one coordinate to the next; may be negative.
        stride: i64,
        /// Coordinates that count.
        extent: u64,
        /// The axis.
        axis: Axis,
        /// Coordinates of one value of the digit; 1 or more.
        tile: u64,
        /// What the digit counts.
        per: u32,
        /// Values of the digit; 2 or more.
        of: u32,
    },
    /// A digit of the elements that are counted along an axis: CTA `b` has the elements `e` with `b*tile <= e < (b+1)*tile`,
    /// and `e / per % of` is the coordinate. All digits together make the element, as those of a place do; there are as many
    /// elements as the product of their values. One axis of a map may have these, all with one `tile`.
    Element {
        /// Bytes from one coordinate to the next; may be negative.
        stride: i64,
        /// Coordinates that count.
        extent: u64,
        /// The axis.
        axis: Axis,
        /// Elements of one CTA; 1 or more, at most [`MAX_OWNED_RUNS`].
        tile: u64,
        /// What the digit counts.
        per: u32,
        /// Values of the digit; 1 or more.
        of: u32,
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
    /// Two CTAs would own the same byte: an axis of the grid longer than 1 does not appear, or appears twice, or its digits
    /// do not make up its places.
    SharedByCtas,
    /// It may overlap another map of the same buffer.
    OverlapsOther,
    /// One CTA would own more than [`MAX_OWNED_BYTES`] or [`MAX_OWNED_RUNS`]: no witness could prove it.
    TooMuch,
}

/// Who owns a byte in one launch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// The CTA with this `blockIdx`.
    Cta([u32; 3]),
    /// No CTA.
    Nobody,
}

impl Dim {
    fn axis(&self) -> Option<usize> {
        match self {
            Self::Span { axis, .. } => axis.map(Axis::index),
            Self::At { axis, .. } | Self::Digit { axis, .. } | Self::Element { axis, .. } => Some(axis.index()),
        }
    }
}

impl Dim {
    /// The place of `cta` that decides its coordinates, and the coordinates of one place; `Some(None)` for all of them.
    fn part(&self, cta: [u32; 3]) -> Option<Option<(u64, u64)>> {
        Some(match self {
            Self::Span { axis: Some(axis), tile, .. } => Some((u64::from(*cta.get(axis.index())?), *tile)),
            Self::Digit { axis, tile, per, of, .. } => {
                let digit = cta.get(axis.index())?.checked_div(*per)?.checked_rem(*of)?;
                Some((digit.into(), *tile))
            }
            Self::Span { axis: None, .. } | Self::At { .. } | Self::Element { .. } => None,
        })
    }
}

impl Writes {
    fn maps(&self) -> &[WriteMap] {
        let Self::Maps(maps) = self;
        maps
    }

    /// Whether any map names `buffer`.
    pub fn names(&self, buffer: u16) -> bool {
        self.maps().iter().any(|map| map.buffer == buffer)
    }

    /// Checks the maps of a launch with `grid` over buffers of lengths `buffers`, in time of the maps squared; the error
    /// comes with the map's position. What passes is sound: each byte has at most one place and one owner.
    pub fn check(&self, grid: [u32; 3], buffers: &[u64]) -> Result<(), (u8, MapError)> {
        let mut checked: Vec<(u16, Layout)> = Vec::with_capacity(self.maps().len());
        let (mut runs, mut bytes) = (0u64, 0u64);
        for (position, map) in (0u8..).zip(self.maps()) {
            let at = |error| (position, error);
            let len = *buffers.get(usize::from(map.buffer)).ok_or(at(MapError::NoBuffer))?;
            let layout = Layout::of(map, grid).map_err(at)?;
            if layout.end() > len {
                return Err(at(MapError::OutOfBounds));
            }
            let share = layout.share();
            (runs, bytes) = (runs.saturating_add(share.0), bytes.saturating_add(share.1));
            if runs > MAX_OWNED_RUNS || bytes > MAX_OWNED_BYTES {
                return Err(at(MapError::TooMuch));
            }
            if checked.iter().any(|(buffer, other)| *buffer == map.buffer && !layout.is_apart(other)) {
                return Err(at(MapError::OverlapsOther));
            }
            checked.push((map.buffer, layout));
        }
        Ok(())
    }

    /// The maps made ready for many questions of [`Ownership::owner`].
    pub fn ownership(&self, grid: [u32; 3]) -> Ownership {
        Ownership {
            layouts: self.maps().iter().filter_map(|map| Some((map.buffer, Layout::of(map, grid).ok()?))).collect(),
        }
    }

    /// Who owns the byte at `offset` of `buffer`, and up to which offset (exclusive, greater than `offset`) the answer
    /// holds. For checked maps; a map that would not pass owns nothing.
    pub fn owner(&self, grid: [u32; 3], buffer: u16, offset: u64) -> (Owner, u64) {
        self.ownership(grid).owner(buffer, offset)
    }

    /// Calls `visit(buffer, offset, len)` for each run that `cta` owns, map by map, until `visit` returns `false`; runs that
    /// touch come as one where they are innermost. For checked maps.
    pub fn for_each_owned(&self, cta: [u32; 3], mut visit: impl FnMut(u16, u64, u64) -> bool) {
        for map in self.maps() {
            let Some(tile) = map.tile(cta) else { continue };
            if !tile.for_each(&mut |offset, len| visit(map.buffer, offset, len)) {
                return;
            }
        }
    }
}

/// The maps of one launch, ready to answer.
#[derive(Clone)]
pub struct Ownership {
    layouts: Vec<(u16, Layout)>,
}

impl Ownership {
    /// As [`Writes::owner`].
    pub fn owner(&self, buffer: u16, offset: u64) -> (Owner, u64) {
        let mut until = u64::MAX;
        for (_, layout) in self.layouts.iter().filter(|(named, _)| *named == buffer) {
            let (cta, end) = layout.locate(offset);
            match cta {
                Some(cta) => return (Owner::Cta(cta), end.max(offset.saturating_add(1))),
                None => until = until.min(end),
            }
        }
        (Owner::Nobody, until.max(offset.saturating_add(1)))
    }
}

impl Ownership {
    /// Calls `visit(start, end)` for stretches of `[from, until)` of `buffer` that some CTA owns, map by map; together they are
    /// all that is owned there.
    pub fn owned_between(&self, buffer: u16, from: u64, until: u64, mut visit: impl FnMut(u64, u64)) {
        for (_, layout) in self.layouts.iter().filter(|(named, _)| *named == buffer) {
            let mut at = from;
            while at < until {
                let (owner, end) = layout.locate(at);
                let end = end.max(at.saturating_add(1));
                if owner.is_some() {
                    visit(at, end.min(until));
                }
                at = end;
            }
        }
    }
}

/// What one CTA owns of one map.
struct Tile {
    low: i128,
    /// Stride and number of coordinates, outer to inner.
    steps: [(i64, u64); MAX_DIMS as usize],
    used: usize,
    run: u64,
    elements: Option<Elements>,
}

/// Elements of one CTA and their digits.
struct Elements {
    from: u64,
    until: u64,
    digits: [ElementDigit; MAX_DIMS as usize],
    used: usize,
}

#[derive(Clone, Copy, Default)]
struct ElementDigit {
    stride: i64,
    extent: u64,
    per: u64,
    of: u64,
}

impl Elements {
    /// Those of the axis that has any; `Some(None)` where none has, `None` where the CTA has no elements.
    fn of(map: &WriteMap, cta: [u32; 3]) -> Option<Option<Self>> {
        let mut elements = Self { from: 0, until: 0, digits: Default::default(), used: 0 };
        let mut all = 1u64;
        for dim in &map.dims {
            let Dim::Element { stride, extent, axis, tile, per, of } = *dim else { continue };
            if tile > MAX_OWNED_RUNS {
                return None;
            }
            elements.from = u64::from(*cta.get(axis.index())?).saturating_mul(tile);
            elements.until = elements.from.saturating_add(tile);
            all = all.saturating_mul(of.into());
            *elements.digits.get_mut(elements.used)? = ElementDigit { stride, extent, per: per.into(), of: of.into() };
            elements.used = elements.used.saturating_add(1);
        }
        if elements.used == 0 {
            return Some(None);
        }
        elements.until = elements.until.min(all);
        (elements.from < elements.until).then_some(Some(elements))
    }

    /// Where an element lies; `None` where it does not count.
    fn place(&self, element: u64) -> Option<i128> {
        self.digits.get(..self.used)?.iter().try_fold(0i128, |sum, digit| {
            let coordinate = match digit.of {
                1 => 0,
                of => element.checked_div(digit.per)?.checked_rem(of)?,
            };
            let by = i128::from(digit.stride).saturating_mul(coordinate.into());
            (coordinate < digit.extent).then_some(sum.saturating_add(by))
        })
    }
}

impl WriteMap {
    /// What `cta` owns; `None` for nothing.
    fn tile(&self, cta: [u32; 3]) -> Option<Tile> {
        let elements = Elements::of(self, cta)?;
        let mut tile =
            Tile { low: i128::from(self.base), steps: [(0, 1); MAX_DIMS as usize], used: 0, run: self.run, elements };
        for dim in &self.dims {
            match dim {
                Dim::At { axis, index } => {
                    if cta.get(axis.index()) != Some(index) {
                        return None;
                    }
                }
                Dim::Element { .. } => {}
                Dim::Span { stride, extent, .. } | Dim::Digit { stride, extent, .. } => {
                    let (first, count) = match dim.part(cta)? {
                        None => (0, *extent),
                        Some((place, size)) => {
                            let first = place.saturating_mul(size);
                            (first, size.min(extent.checked_sub(first)?))
                        }
                    };
                    if count == 0 {
                        return None;
                    }
                    let skipped = i128::from(*stride).saturating_mul(i128::from(first));
                    tile.low = tile.low.saturating_add(skipped);
                    *tile.steps.get_mut(tile.used)? = (*stride, count);
                    tile.used = tile.used.saturating_add(1);
                }
            }
        }
        tile.join();
        Some(tile)
    }
}

impl Tile {
    /// Makes one run of innermost runs that touch.
    fn join(&mut self) {
        while let Some(last) = self.used.checked_sub(1)
            && let Some((stride, count)) = self.steps.get(last).copied()
            && (count == 1 || stride.unsigned_abs() == self.run)
            && let Some(run) = self.run.checked_mul(count)
        {
            if stride < 0 {
                let back = i128::from(stride).saturating_mul(i128::from(count.saturating_sub(1)));
                self.low = self.low.saturating_add(back);
            }
            self.run = run;
            self.used = last;
        }
    }

    fn for_each(&self, visit: &mut impl FnMut(u64, u64) -> bool) -> bool {
        let steps = self.steps.get(..self.used).unwrap_or(&[]);
        let Some(elements) = &self.elements else { return self.walk(steps, self.low, visit) };
        let mut pending: Option<(u64, u64)> = None;
        for element in elements.from..elements.until {
            let Some(by) = elements.place(element) else { continue };
            let low = self.low.saturating_add(by);
            let all = self.walk(steps, low, &mut |at, len| match &mut pending {
                Some((from, before)) if from.saturating_add(*before) == at => {
                    *before = before.saturating_add(len);
                    true
                }
                pending => pending.replace((at, len)).is_none_or(|(at, len)| visit(at, len)),
            });
            if !all {
                return false;
            }
        }
        pending.is_none_or(|(at, len)| visit(at, len))
    }

    fn walk(&self, steps: &[(i64, u64)], low: i128, visit: &mut impl FnMut(u64, u64) -> bool) -> bool {
        let Some(((stride, count), inner)) = steps.split_first() else {
            return u64::try_from(low).is_ok_and(|low| visit(low, self.run));
        };
        let mut low = low;
        for _ in 0..*count {
            if !self.walk(inner, low, visit) {
                return false;
            }
            low = low.saturating_add(i128::from(*stride));
        }
        true
    }
}
