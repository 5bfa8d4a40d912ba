//! The short forms of write maps.

use assay_primitives::{Axis, Dim, WriteMap};

use super::error::Problem;

/// Axes, x first.
pub const AXES: [Axis; 3] = [Axis::X, Axis::Y, Axis::Z];

/// Where a form applies.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// Index of the buffer.
    pub buffer: u16,
    /// Byte where the array starts.
    pub base: u64,
    /// Bytes of the buffer.
    pub len: u64,
    /// CTAs along x, y, z.
    pub grid: [u32; 3],
}

impl Target {
    /// Bytes from `base` to the end.
    pub fn rest(&self) -> u64 {
        self.len.saturating_sub(self.base)
    }

    fn ctas(&self, axis: Axis) -> u64 {
        self.grid.get(axis.index()).copied().unwrap_or(1).into()
    }

    fn map(&self, base: u64, dims: Vec<Dim>, run: u64) -> Result<WriteMap, Problem> {
        let count = dims.len();
        let dims = dims.try_into().map_err(|_| Problem::TooMany {
            what: "dimensions",
            count,
            most: assay_primitives::write_map::MAX_DIMS,
        })?;
        Ok(WriteMap { buffer: self.buffer, base, dims, run })
    }

    /// The axes with more than one CTA.
    fn long_axes(&self) -> Vec<Axis> {
        AXES.into_iter().filter(|axis| self.ctas(*axis) > 1).collect()
    }
}

fn gcd(a: u64, b: u64) -> u64 {
    let (mut a, mut b) = (a, b);
    while let Some(rest) = a.checked_rem(b) {
        (a, b) = (b, rest);
    }
    a
}

fn signed(stride: u64) -> Result<i64, Problem> {
    i64::try_from(stride).map_err(|_| Problem::Range { value: stride.into(), low: 0, high: i64::MAX.into() })
}

fn mul(a: u64, b: u64) -> Result<u64, Problem> {
    a.checked_mul(b).ok_or(Problem::Range {
        value: i128::from(a).saturating_mul(b.into()),
        low: 0,
        high: u64::MAX.into(),
    })
}

/// Span of `elements` elements of `size` bytes, `tile` of them a CTA, in as few and long runs as their lengths allow:
/// (bytes of a run, the dimension).
fn packed(axis: Axis, ctas: u64, elements: u64, tile: u64, size: u64) -> Result<(u64, Dim), Problem> {
    let reached = elements.min(ctas.saturating_mul(tile));
    let joined = gcd(tile, reached).max(1);
    let run = mul(size, joined)?;
    let dim = Dim::Span {
        stride: signed(run)?,
        extent: reached.checked_div(joined).unwrap_or(0),
        axis: Some(axis),
        tile: tile.checked_div(joined).unwrap_or(0),
    };
    Ok((run, dim))
}

/// `range`: `bytes` in a row for each CTA, cut at `len` bytes.
pub fn range(target: &Target, bytes: u64, len: u64, axis: Option<Axis>) -> Result<Vec<WriteMap>, Problem> {
    let long = target.long_axes();
    let axis = match (axis, long.as_slice()) {
        (Some(axis), _) => axis,
        (None, []) => Axis::X,
        (None, [axis]) => *axis,
        (None, _) => return linear(target, bytes, len),
    };
    along(target, target.base, bytes, len, axis)
}

/// `bytes` in a row for each CTA along `axis`, from `base`; one map for whole ranges and one for the cut one.
fn along(target: &Target, base: u64, bytes: u64, len: u64, axis: Axis) -> Result<Vec<WriteMap>, Problem> {
    let ctas = target.ctas(axis);
    let (Some(whole), Some(rest)) = (len.checked_div(bytes), len.checked_rem(bytes)) else {
        return Err(Problem::Form("`range` wants at least one byte"));
    };
    let whole = whole.min(ctas);
    let mut maps = Vec::new();
    if whole > 0 {
        let dim = Dim::Span { stride: signed(bytes)?, extent: whole, axis: Some(axis), tile: 1 };
        maps.push(target.map(base, vec![dim], bytes)?);
    }
    if rest > 0 && whole < ctas {
        let index = u32::try_from(whole).unwrap_or(u32::MAX);
        maps.push(target.map(base.saturating_add(mul(whole, bytes)?), vec![Dim::At { axis, index }], rest)?);
    }
    Ok(maps)
}

/// `bytes` for each CTA, x first, then y, z; whole planes, then whole rows, then what is left of the last row.
fn linear(target: &Target, bytes: u64, len: u64) -> Result<Vec<WriteMap>, Problem> {
    let [x, y, z] = target.grid.map(u64::from);
    let row = mul(x, bytes)?;
    let plane = mul(row, y)?;
    let span = |axis, stride: u64, extent| {
        Ok::<Dim, Problem>(Dim::Span { stride: signed(stride)?, extent, axis: Some(axis), tile: 1 })
    };
    let at = |axis: Axis, index: u64| Dim::At { axis, index: u32::try_from(index).unwrap_or(u32::MAX) };
    let (mut maps, mut base, mut left) = (Vec::new(), target.base, len.min(mul(plane, z)?));
    let planes = left.checked_div(plane).unwrap_or(0);
    if planes > 0 {
        let mut dims = vec![span(Axis::Z, plane, planes)?, span(Axis::Y, row, y)?, span(Axis::X, bytes, x)?];
        dims.retain(|dim| !matches!(dim, Dim::Span { axis: Some(axis), .. } if target.ctas(*axis) == 1));
        maps.push(target.map(base, dims, bytes)?);
    }
    let skip = |base: u64, count: u64, step: u64| Ok::<u64, Problem>(base.saturating_add(mul(count, step)?));
    base = skip(base, planes, plane)?;
    left = left.checked_rem(plane).unwrap_or(0);
    let in_plane = (z > 1).then(|| at(Axis::Z, planes));
    let rows = left.checked_div(row).unwrap_or(0);
    if rows > 0 {
        let mut dims: Vec<Dim> = in_plane.into_iter().collect();
        dims.push(span(Axis::Y, row, rows)?);
        if x > 1 {
            dims.push(span(Axis::X, bytes, x)?);
        }
        maps.push(target.map(base, dims, bytes)?);
    }
    base = skip(base, rows, row)?;
    left = left.checked_rem(row).unwrap_or(0);
    let in_row: Vec<Dim> = in_plane.into_iter().chain((y > 1).then(|| at(Axis::Y, rows))).collect();
    for mut map in along(target, base, bytes, left, Axis::X)? {
        let dims = in_row.iter().copied().chain(map.dims.iter().copied()).collect();
        map = target.map(map.base, dims, map.run)?;
        maps.push(map);
    }
    Ok(maps)
}

/// `bytes` for each CTA, x first: strides of rows and planes in bytes.
fn one_each(target: &Target, bytes: u64, row: u64, plane: u64) -> Result<Vec<WriteMap>, Problem> {
    let mut dims = Vec::new();
    for (axis, stride) in [(Axis::Z, plane), (Axis::Y, row), (Axis::X, bytes)] {
        let ctas = target.ctas(axis);
        if ctas > 1 {
            dims.push(Dim::Span { stride: signed(stride)?, extent: ctas, axis: Some(axis), tile: 1 });
        }
    }
    Ok(vec![target.map(target.base, dims, bytes)?])
}

/// `per-cta`: one value of `bytes` for each CTA, x first.
pub fn per_cta(target: &Target, bytes: u64) -> Result<Vec<WriteMap>, Problem> {
    let [x, y, _] = target.grid.map(u64::from);
    let row = mul(x, bytes)?;
    one_each(target, bytes, row, mul(row, y)?)
}

/// `all-by-cta0`: `len` bytes for CTA (0, 0, 0).
pub fn all_by_cta0(target: &Target, len: u64) -> Result<Vec<WriteMap>, Problem> {
    if len == 0 {
        return Ok(Vec::new());
    }
    let dims = target.long_axes().into_iter().map(|axis| Dim::At { axis, index: 0 }).collect();
    Ok(vec![target.map(target.base, dims, len)?])
}

/// `tile`: a tile of an array of one to three dimensions.
pub struct Tile {
    /// Elements of a CTA's tile, innermost first.
    pub tile: Vec<u64>,
    /// Elements of the array, innermost first; as many as in `tile`.
    pub size: Vec<u64>,
    /// Bytes of an element.
    pub element: u64,
    /// Bytes from row to row.
    pub pitch: Option<u64>,
    /// Bytes from plane to plane.
    pub plane: Option<u64>,
    /// The axis of each dimension, innermost first.
    pub axes: Vec<Axis>,
}

/// `tile`.
pub fn tile(target: &Target, form: &Tile) -> Result<Vec<WriteMap>, Problem> {
    let dimension = |index: usize| {
        Some((
            *form.tile.get(index)?,
            *form.size.get(index)?,
            form.axes.get(index).copied().or(AXES.get(index).copied())?,
        ))
    };
    let Some((width, columns, axis)) = dimension(0) else {
        return Err(Problem::Form("`tile` wants one to three numbers"));
    };
    let (run, inner) = packed(axis, target.ctas(axis), columns, width, form.element)?;
    let pitch = match form.pitch {
        Some(pitch) => pitch,
        None => mul(columns, form.element)?,
    };
    let mut dims = vec![inner];
    if let Some((height, rows, axis)) = dimension(1) {
        dims.insert(0, Dim::Span { stride: signed(pitch)?, extent: rows, axis: Some(axis), tile: height });
        if let Some((depth, planes, axis)) = dimension(2) {
            let plane = match form.plane {
                Some(plane) => plane,
                None => mul(pitch, rows)?,
            };
            dims.insert(0, Dim::Span { stride: signed(plane)?, extent: planes, axis: Some(axis), tile: depth });
        }
    }
    Ok(vec![target.map(target.base, dims, run)?])
}

/// `flat`: the elements of CTA x are `each` in a row of all elements, and element e lies where its digits say: the values of each
/// digit, the fastest first, and the elements from one value to the next.
pub struct Flat {
    /// Elements of a CTA.
    pub each: u64,
    /// Values of each digit.
    pub shape: Vec<u64>,
    /// Elements from one value of a digit to the next.
    pub strides: Vec<i64>,
    /// Bytes of an element.
    pub element: u64,
}

/// `flat`.
pub fn flat(target: &Target, form: &Flat, axis: Option<Axis>) -> Result<Vec<WriteMap>, Problem> {
    let axis = match (axis, target.long_axes().as_slice()) {
        (Some(axis), _) => axis,
        (None, [axis]) => *axis,
        (None, _) => Axis::X,
    };
    let element = signed(form.element)?;
    let narrow = |value: u64| {
        u32::try_from(value).map_err(|_| Problem::Range { value: value.into(), low: 1, high: u32::MAX.into() })
    };
    let (mut dims, mut per) = (Vec::new(), 1u64);
    for (values, stride) in form.shape.iter().zip(&form.strides) {
        let bytes = stride.checked_mul(element);
        let stride = bytes.ok_or(Problem::Form("a number of `strides` is too large"))?;
        dims.push((
            stride,
            Dim::Element { stride, extent: *values, axis, tile: form.each, per: narrow(per)?, of: narrow(*values)? },
        ));
        per = mul(per, *values)?;
    }
    dims.sort_by_key(|(stride, _)| std::cmp::Reverse(stride.unsigned_abs()));
    Ok(vec![target.map(target.base, dims.into_iter().map(|(_, dim)| dim).collect(), form.element)?])
}

/// `grid-stride`: `each` of `count` elements of `element` bytes for CTA x, then again `each · grid.x` elements further on.
pub fn grid_stride(target: &Target, each: u64, count: u64, element: u64) -> Result<Vec<WriteMap>, Problem> {
    let ctas = target.ctas(Axis::X);
    let bytes = mul(each, element)?;
    let round = mul(each, ctas)?;
    let (Some(rounds), Some(rest)) = (count.checked_div(round), count.checked_rem(round)) else {
        return Err(Problem::Form("`grid-stride` wants at least one element"));
    };
    let stride = mul(round, element)?;
    let mut maps = Vec::new();
    if rounds > 0 {
        let dims = vec![
            Dim::Span { stride: signed(stride)?, extent: rounds, axis: None, tile: 1 },
            Dim::Span { stride: signed(bytes)?, extent: ctas, axis: Some(Axis::X), tile: 1 },
        ];
        maps.push(target.map(target.base, dims, bytes)?);
    }
    if rest > 0 {
        let base = target.base.saturating_add(mul(rounds, stride)?);
        maps.extend(along(target, base, bytes, mul(rest, element)?, Axis::X)?);
    }
    Ok(maps)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::arithmetic_side_effects)]
    use assay_primitives::Writes;

    use super::*;

    const NOBODY: Option<[u32; 3]> = None;

    /// Who owns each byte, found by asking each CTA.
    fn owners(target: &Target, maps: Vec<WriteMap>) -> Vec<Option<[u32; 3]>> {
        let writes = Writes::Maps(maps.try_into().unwrap());
        writes.check(target.grid, &[target.len]).unwrap();
        let mut owners = vec![NOBODY; target.len as usize];
        for z in 0..target.grid[2] {
            for y in 0..target.grid[1] {
                for x in 0..target.grid[0] {
                    writes.for_each_owned([x, y, z], |_, offset, len| {
                        for byte in offset..offset + len {
                            assert_eq!(owners[byte as usize], NOBODY, "byte {byte} owned twice");
                            owners[byte as usize] = Some([x, y, z]);
                        }
                        true
                    });
                }
            }
        }
        owners
    }

    fn target(len: u64, base: u64, grid: [u32; 3]) -> Target {
        Target { buffer: 0, base, len, grid }
    }

    #[test]
    fn ranges_are_cut_at_the_length() {
        for (len, base, grid, bytes, total) in
            [(100, 0, 4, 32, 100), (100, 3, 4, 25, 97), (128, 0, 4, 32, 128), (100, 0, 2, 7, 100), (50, 0, 9, 8, 41)]
        {
            let target = target(len, base, [grid, 1, 1]);
            let owners = owners(&target, range(&target, bytes, total, None).unwrap());
            for (byte, owner) in owners.into_iter().enumerate() {
                let place = (byte as u64).checked_sub(base).filter(|place| *place < total);
                let cta = place.map(|place| place / bytes).filter(|cta| *cta < u64::from(grid));
                assert_eq!(owner, cta.map(|cta| [cta as u32, 0, 0]), "byte {byte}");
            }
        }
    }

    #[test]
    fn ranges_follow_the_only_long_axis_or_count_x_first() {
        let one = target(64, 0, [1, 8, 1]);
        assert_eq!(owners(&one, range(&one, 8, 64, None).unwrap())[9], Some([0, 1, 0]));
        let all = target(64, 0, [2, 2, 2]);
        let owners = owners(&all, range(&all, 8, 64, None).unwrap());
        assert_eq!((owners[8], owners[16], owners[32]), (Some([1, 0, 0]), Some([0, 1, 0]), Some([0, 0, 1])));
        for grid in [[2, 3, 2], [5, 1, 2], [1, 4, 3], [4, 3, 1]] {
            let ctas: u32 = grid.iter().product();
            for len in 1..=u64::from(ctas) * 8 + 3 {
                let all = target(200, 5, grid);
                for (byte, owner) in self::owners(&all, range(&all, 8, len, None).unwrap()).into_iter().enumerate() {
                    let place = (byte as u64).checked_sub(5).filter(|place| *place < len).map(|place| place as u32 / 8);
                    let at = |cta: u32| [cta % grid[0], cta / grid[0] % grid[1], cta / grid[0] / grid[1]];
                    assert_eq!(owner, place.filter(|cta| *cta < ctas).map(at), "byte {byte} of {len} in {grid:?}");
                }
            }
        }
    }

    #[test]
    fn tiles_of_a_pitched_array_are_cut_at_its_edges() {
        let target = target(4096, 8, [3, 2, 1]);
        let form = Tile { tile: vec![8, 4], size: vec![20, 7], element: 4, pitch: Some(96), plane: None, axes: vec![] };
        let owners = owners(&target, tile(&target, &form).unwrap());
        for (byte, owner) in owners.into_iter().enumerate() {
            let place = byte.checked_sub(8).map(|place| (place / 96, place % 96 / 4));
            let expected = place
                .filter(|(row, column)| *row < 7 && *column < 20)
                .map(|(row, column)| [column as u32 / 8, row as u32 / 4, 0]);
            assert_eq!(owner, expected, "byte {byte}");
        }
    }

    #[test]
    fn tiles_have_three_dimensions_and_other_axes() {
        let target = target(6 * 5 * 4, 0, [2, 3, 2]);
        let form = Tile {
            tile: vec![2, 3, 2],
            size: vec![6, 5, 4],
            element: 1,
            pitch: None,
            plane: None,
            axes: vec![Axis::Y, Axis::X, Axis::Z],
        };
        let owners = owners(&target, tile(&target, &form).unwrap());
        for (byte, owner) in owners.into_iter().enumerate() {
            let (x, y, z) = (byte % 6, byte / 6 % 5, byte / 30);
            assert_eq!(owner, Some([y as u32 / 3, x as u32 / 2, z as u32 / 2]));
        }
    }

    #[test]
    fn grid_stride_loops_own_every_round() {
        for count in [5, 24, 26, 48, 50, 71] {
            let target = target(300, 4, [3, 1, 1]);
            let owners = owners(&target, grid_stride(&target, 8, count, 4).unwrap());
            for (byte, owner) in owners.into_iter().enumerate() {
                let element = (byte as u64).checked_sub(4).map(|place| place / 4).filter(|element| *element < count);
                assert_eq!(owner, element.map(|element| [(element / 8 % 3) as u32, 0, 0]), "byte {byte} of {count}");
            }
        }
    }

    #[test]
    fn elements_of_a_flat_index_are_put_in_another_order() {
        // e = column + 5 * (row + 4 * plane), written with rows and columns swapped.
        let target = target(5 * 4 * 3 * 4 + 8, 8, [8, 1, 1]);
        let form = Flat { each: 8, shape: vec![5, 4, 3], strides: vec![4, 1, 20], element: 4 };
        let owners = owners(&target, flat(&target, &form, None).unwrap());
        for (byte, owner) in owners.into_iter().enumerate() {
            let element = byte.checked_sub(8).map(|place| {
                let (row, column, plane) = (place / 4 % 4, place / 16 % 5, place / 80);
                column + 5 * (row + 4 * plane)
            });
            assert_eq!(owner, element.map(|element| [element as u32 / 8, 0, 0]), "byte {byte}");
        }
    }

    #[test]
    fn one_value_per_cta_and_all_by_the_first() {
        let grid = target(64, 16, [3, 2, 2]);
        let owned = owners(&grid, per_cta(&grid, 4).unwrap());
        assert_eq!((owned[15], owned[16], owned[20]), (NOBODY, Some([0, 0, 0]), Some([1, 0, 0])));
        assert_eq!((owned[28], owned[40], owned[63]), (Some([0, 1, 0]), Some([0, 0, 1]), Some([2, 1, 1])));
        let all = owners(&grid, all_by_cta0(&grid, 48).unwrap());
        assert_eq!(all[15], NOBODY);
        assert!(all[16..].iter().all(|owner| *owner == Some([0, 0, 0])));
    }
}
