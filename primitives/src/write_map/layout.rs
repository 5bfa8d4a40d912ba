//! The geometry of one checked map: nested levels of growing offsets.

use super::{Dim, MAX_DIMS, MAX_OWNED_RUNS, MapError, WriteMap};

/// A dimension with more than one coordinate, seen from its lowest byte up.
#[derive(Clone, Copy)]
struct Level {
    /// Bytes from one coordinate to the next.
    step: u64,
    /// Coordinates; 2 or more.
    count: u64,
    /// Axis, coordinates of one place along it, and CTAs from one place to the next.
    tile: Option<(usize, u64, u64)>,
    /// Whether offsets fall as coordinates grow.
    falling: bool,
    /// Whether the places are elements, of which CTAs have several.
    element: bool,
}

impl Level {
    const NONE: Self = Self { step: 0, count: 1, tile: None, falling: false, element: false };

    /// Bytes from the first coordinate to the last.
    fn reach(&self) -> Option<u64> {
        self.step.checked_mul(self.count.checked_sub(1)?)
    }
}

/// Where a map's bytes lie for a grid. Each level's step is at least what lies inside it, so every byte has one place.
#[derive(Clone, Copy)]
pub(super) struct Layout {
    low: u64,
    /// Bytes from the lowest to behind the highest.
    size: u64,
    run: u64,
    levels: [Level; MAX_DIMS as usize],
    used: usize,
    /// The CTA, as far as the levels do not decide it.
    cta: [u32; 3],
    grid: [u32; 3],
    /// The axis along which elements are counted, and those of a CTA.
    elements: Option<(usize, u64)>,
}

/// Whether the digits of elements, if there are any, give each element of one axis one number and each number one element.
fn elements_of(map: &WriteMap) -> Result<Option<(usize, u64)>, MapError> {
    let digits = || {
        map.dims.iter().filter_map(|dim| match dim {
            Dim::Element { axis, tile, per, of, .. } => Some((axis.index(), *tile, u64::from(*per), u64::from(*of))),
            _ => None,
        })
    };
    let Some((axis, tile, ..)) = digits().next() else { return Ok(None) };
    if tile == 0 || digits().any(|(.., of)| of == 0) {
        return Err(MapError::Empty);
    }
    if tile > MAX_OWNED_RUNS {
        return Err(MapError::TooMuch);
    }
    let alone = map.dims.iter().all(|dim| matches!(dim, Dim::Element { .. }) || dim.axis() != Some(axis));
    let alike = digits().all(|(other, elements, ..)| (other, elements) == (axis, tile));
    let (mut known, mut elements) = (digits().filter(|(.., of)| *of == 1).count(), 1u64);
    while let Some((.., of)) = digits().find(|(_, _, per, of)| *per == elements && *of >= 2) {
        (known, elements) = (known.saturating_add(1), elements.saturating_mul(of));
    }
    (alone && alike && known == digits().count()).then_some(Some((axis, tile))).ok_or(MapError::SharedByCtas)
}

/// Whether the digits of an axis, if it has any, give each of its places one number and each number one place.
fn digits_make_up(map: &WriteMap, axis: usize, grid: [u32; 3]) -> bool {
    let mine = || map.dims.iter().filter(|dim| dim.axis() == Some(axis));
    let digits = || {
        mine().filter_map(|dim| match dim {
            Dim::Digit { per, of, .. } => Some((u64::from(*per), u64::from(*of))),
            _ => None,
        })
    };
    let (count, mut known, mut places) = (digits().count(), 0usize, 1u64);
    if count == 0 {
        return true;
    }
    while let Some((_, of)) = digits().find(|(per, of)| *per == places && *of >= 2) {
        (known, places) = (known.saturating_add(1), places.saturating_mul(of));
    }
    let ctas = grid.get(axis).copied().unwrap_or(1);
    known == count && mine().count() == count && places >= u64::from(ctas)
}

impl Layout {
    pub fn of(map: &WriteMap, grid: [u32; 3]) -> Result<Self, MapError> {
        if map.run == 0 {
            return Err(MapError::Empty);
        }
        let mut layout = Self {
            low: map.base,
            size: map.run,
            run: map.run,
            levels: [Level::NONE; MAX_DIMS as usize],
            used: 0,
            cta: [0; 3],
            grid,
            elements: elements_of(map)?,
        };
        let mut seen = grid.map(|ctas| ctas <= 1);
        let mut named = [false; 3];
        for dim in &map.dims {
            if let Some(axis) = dim.axis() {
                let (Some(seen), Some(named)) = (seen.get_mut(axis), named.get_mut(axis)) else {
                    return Err(MapError::SharedByCtas);
                };
                if *named && !matches!(dim, Dim::Digit { .. } | Dim::Element { .. }) {
                    return Err(MapError::SharedByCtas);
                }
                (*seen, *named) = (true, true);
            }
            layout.push(dim, grid)?;
        }
        if !seen.iter().all(|seen| *seen) || (0..3).any(|axis| !digits_make_up(map, axis, grid)) {
            return Err(MapError::SharedByCtas);
        }
        layout.close()
    }

    fn push(&mut self, dim: &Dim, grid: [u32; 3]) -> Result<(), MapError> {
        match dim {
            Dim::At { axis, index } => {
                if grid.get(axis.index()).is_none_or(|ctas| index >= ctas) {
                    return Err(MapError::Empty);
                }
                if let Some(cta) = self.cta.get_mut(axis.index()) {
                    *cta = *index;
                }
            }
            Dim::Span { stride, extent, .. }
            | Dim::Digit { stride, extent, .. }
            | Dim::Element { stride, extent, .. } => {
                let (tile, count) = match dim {
                    Dim::Span { axis: Some(axis), tile, .. } => {
                        let places = u64::from(grid.get(axis.index()).copied().unwrap_or(1));
                        (Some((axis.index(), *tile, 1)), places.saturating_mul(*tile).min(*extent))
                    }
                    Dim::Digit { axis, tile, per, of, .. } => {
                        let count = u64::from(*of).saturating_mul(*tile).min(*extent);
                        (Some((axis.index(), *tile, u64::from(*per))), count)
                    }
                    Dim::Element { axis, tile, per, of, .. } => {
                        (Some((axis.index(), *tile, u64::from(*per))), u64::from(*of).min(*extent))
                    }
                    _ => (None, *extent),
                };
                if count == 0 {
                    return Err(MapError::Empty);
                }
                if count > 1 {
                    *self.levels.get_mut(self.used).ok_or(MapError::Overlap)? = Level {
                        step: stride.unsigned_abs(),
                        count,
                        tile,
                        falling: *stride < 0,
                        element: matches!(dim, Dim::Element { .. }),
                    };
                    self.used = self.used.saturating_add(1);
                }
            }
        }
        Ok(())
    }

    /// From the innermost out: a step goes over all that is inside it.
    fn close(mut self) -> Result<Self, MapError> {
        for level in self.levels.iter().take(self.used).rev() {
            if level.step < self.size {
                return Err(MapError::Overlap);
            }
            let reach = level.reach().ok_or(MapError::OutOfBounds)?;
            if level.falling {
                self.low = self.low.checked_sub(reach).ok_or(MapError::OutOfBounds)?;
            }
            self.size = self.size.checked_add(reach).ok_or(MapError::OutOfBounds)?;
        }
        self.low.checked_add(self.size).ok_or(MapError::OutOfBounds)?;
        Ok(self)
    }

    /// The byte behind the highest.
    pub fn end(&self) -> u64 {
        self.low.saturating_add(self.size)
    }

    /// Runs and bytes of one CTA, at most; runs that touch are one where they are innermost. Each element is a run.
    pub fn share(&self) -> (u64, u64) {
        let (mut runs, mut bytes, mut inner, mut touching) = (1u64, self.run, self.run, true);
        if let Some((_, tile)) = self.elements {
            let numbers = self.levels().iter().filter(|level| level.element);
            let numbers = numbers.fold(1u64, |product, level| product.saturating_mul(level.count));
            (runs, bytes) = (tile, bytes.saturating_mul(tile.min(numbers)));
        }
        for level in self.levels().iter().rev() {
            if level.element {
                touching = false;
                continue;
            }
            let mine = level.tile.map_or(level.count, |(_, tile, _)| tile.min(level.count));
            touching &= mine == 1 || level.step == inner;
            bytes = bytes.saturating_mul(mine);
            inner = inner.saturating_mul(mine);
            if !touching {
                runs = runs.saturating_mul(mine);
            }
        }
        (runs, bytes)
    }

    fn levels(&self) -> &[Level] {
        self.levels.get(..self.used).unwrap_or(&[])
    }

    /// Who owns `offset`, and up to where the answer holds.
    pub fn locate(&self, offset: u64) -> (Option<[u32; 3]>, u64) {
        let Some(mut left) = offset.checked_sub(self.low) else { return (None, self.low) };
        let mut cta = self.cta;
        let mut places = [0u64; MAX_DIMS as usize];
        let (mut next, mut element) = (None, 0u64);
        for (level, place) in self.levels().iter().zip(&mut places) {
            let last = level.count.saturating_sub(1);
            let coordinate = left.checked_div(level.step).unwrap_or(0).min(last);
            left = left.saturating_sub(coordinate.saturating_mul(level.step));
            if coordinate < last {
                next = Some(offset.saturating_sub(left).saturating_add(level.step));
            }
            *place = coordinate;
            if let Some((axis, tile, per)) = level.tile {
                let declared = if level.falling { last.saturating_sub(coordinate) } else { coordinate };
                if level.element {
                    element = element.saturating_add(declared.saturating_mul(per));
                    continue;
                }
                let place = declared.checked_div(tile).and_then(|place| u32::try_from(place.checked_mul(per)?).ok());
                if let Some(cta) = cta.get_mut(axis) {
                    *cta = cta.saturating_add(place.unwrap_or(u32::MAX));
                }
            }
        }
        if left >= self.run {
            return (None, next.unwrap_or(u64::MAX));
        }
        let mut behind = 0;
        if let Some((axis, tile)) = self.elements
            && let Some(cta) = cta.get_mut(axis)
        {
            *cta = element.checked_div(tile).and_then(|place| u32::try_from(place).ok()).unwrap_or(u32::MAX);
            behind = element.checked_rem(tile).map_or(0, |inside| tile.saturating_sub(inside).saturating_sub(1));
        }
        let until = self.same_owner_until(offset.saturating_sub(left).saturating_add(self.run), &places, behind);
        // Digits may make up more places than the grid has.
        let is_there = cta.iter().zip(self.grid).all(|(cta, ctas)| *cta < ctas.max(1));
        (is_there.then_some(cta), until)
    }

    /// Goes on from the end of the run at `places` over contiguous runs of the same CTA, which has `left` more elements.
    fn same_owner_until(&self, mut end: u64, places: &[u64; MAX_DIMS as usize], left: u64) -> u64 {
        let mut inner = self.run;
        for (level, place) in self.levels().iter().zip(places).rev() {
            if level.step != inner || (level.falling && level.tile.is_some()) {
                break;
            }
            if let (true, Some((_, _, per))) = (level.element, level.tile) {
                let same = level.count.saturating_sub(*place).saturating_sub(1);
                let more = same.min(left.checked_div(per).unwrap_or(0));
                end = end.saturating_add(more.saturating_mul(level.step));
                break;
            }
            let behind = match level.tile {
                None => level.count,
                Some((_, tile, _)) => match place.checked_rem(tile) {
                    Some(inside) => place.saturating_sub(inside).saturating_add(tile).min(level.count),
                    None => break,
                },
            };
            let more = behind.saturating_sub(*place).saturating_sub(1);
            end = end.saturating_add(more.saturating_mul(level.step));
            if level.tile.is_some_and(|(_, tile, _)| tile < level.count) {
                break;
            }
            inner = level.step.saturating_mul(level.count);
        }
        end
    }

    /// Whether two maps share no byte, by one of three ways, tried again inside a common outer step: ranges apart;
    /// interleaved within a step that is common to what lies outside it.
    pub fn is_apart(&self, other: &Self) -> bool {
        let (mut a, mut b) = (*self, *other);
        loop {
            if a.end() <= b.low || b.end() <= a.low {
                return true;
            }
            let steps = || a.levels().iter().chain(b.levels()).map(|level| level.step);
            if steps().any(|step| a.interleaves(&b, step)) {
                return true;
            }
            let Some(outer) = steps().max() else { return false };
            let (inner_a, inner_b) = (a.inside(outer), b.inside(outer));
            match inner_a.in_one_cell(&inner_b, outer).or_else(|| inner_b.in_one_cell(&inner_a, outer)) {
                Some((inner_a, inner_b)) => (a, b) = (inner_a, inner_b),
                None => return false,
            }
        }
    }

    /// Whether the bytes of both, taken modulo `step`, lie apart.
    fn interleaves(&self, other: &Self, step: u64) -> bool {
        let Some(distance) = self.distance(other, step) else { return false };
        let (a, b) = (self.modulo(step), other.modulo(step));
        a <= distance && distance.checked_add(b).is_some_and(|end| end <= step)
    }

    /// From `self` forward to `other`, modulo `step`.
    fn distance(&self, other: &Self, step: u64) -> Option<u64> {
        let forward = match other.low.checked_sub(self.low) {
            Some(forward) => forward.checked_rem(step)?,
            None => match self.low.saturating_sub(other.low).checked_rem(step)? {
                0 => 0,
                back => step.saturating_sub(back),
            },
        };
        Some(forward)
    }

    /// Bytes that are spanned when levels of whole multiples of `step` are left out.
    fn modulo(&self, step: u64) -> u64 {
        let partial = self.levels().iter().filter(|level| level.step.checked_rem(step) != Some(0));
        partial.fold(self.run, |size, level| size.saturating_add(level.reach().unwrap_or(u64::MAX)))
    }

    /// Without its outermost level, if that has this step.
    fn inside(&self, outer: u64) -> Self {
        let mut inside = *self;
        if self.levels().first().is_some_and(|level| level.step == outer) {
            inside.levels.rotate_left(1);
            inside.used = inside.used.saturating_sub(1);
            inside.size = inside
                .levels()
                .iter()
                .fold(inside.run, |size, level| size.saturating_add(level.reach().unwrap_or(u64::MAX)));
        }
        inside
    }

    /// Both moved into one cell of `step` bytes that starts with `self`, if they fit: then only equal cells can meet.
    fn in_one_cell(&self, other: &Self, step: u64) -> Option<(Self, Self)> {
        let distance = self.distance(other, step)?;
        let fits = self.size <= step && distance.checked_add(other.size)? <= step;
        fits.then_some((Self { low: 0, ..*self }, Self { low: distance, ..*other }))
    }
}
