//! `writes` of a launch.

use std::collections::BTreeSet;

use assay_primitives::{Arg, Axis, Dim, WriteMap, Writes, write_map::MAX_DIMS};
use toml::de::DeValue;

use super::{
    error::{JobError, Problem},
    launches::{Names, bounded, find_buffer},
    scope::Scope,
    source::{Node, Table},
    writes::{self, AXES, Flat, Target, Tile},
};

/// All bytes of the buffers that are given to a kernel, for its only CTA.
pub fn all_of(args: &[Arg], names: &Names<'_>) -> Vec<WriteMap> {
    let mut given: BTreeSet<u16> = BTreeSet::new();
    for arg in args {
        match arg {
            Arg::Buffer { index, .. } => given.extend([*index]),
            Arg::Record { pointers, .. } => given.extend(pointers.iter().map(|pointer| pointer.index)),
            _ => {}
        }
    }
    let len = |buffer: u16| names.buffers.get(usize::from(buffer)).map_or(0, |buffer| buffer.buffer.len);
    let map = |buffer: u16| WriteMap { buffer, base: 0, dims: Default::default(), run: len(buffer) };
    given.into_iter().map(map).collect()
}

/// Checks the maps so far, so that the error stands at the one that is wrong.
pub fn check(node: &Node<'_>, maps: &[WriteMap], grid: [u32; 3], names: &Names<'_>) -> Result<(), JobError> {
    let lengths: Vec<u64> = names.buffers.iter().map(|buffer| buffer.buffer.len).collect();
    let Ok(maps) = maps.to_vec().try_into() else { return Ok(()) };
    Writes::Maps(maps).check(grid, &lengths).map_err(|(_, error)| node.error(Problem::WriteMap(error)))
}

/// The maps of one entry of `writes`.
pub fn read(
    table: &Table<'_>,
    grid: [u32; 3],
    scope: &Scope<'_>,
    names: &Names<'_>,
) -> Result<Vec<WriteMap>, JobError> {
    let node = table.need("buffer")?;
    let (buffer, found) = find_buffer(&node, scope.pick(&node, node.text()?)?, names.buffers)?;
    let number = |key: &str| table.get(key).map(|node| scope.u64(&node)).transpose();
    let base = number("base")?.unwrap_or(0);
    let target = Target { buffer, base, len: found.buffer.len, grid };
    const FORMS: [&str; 7] = ["range", "tile", "grid-stride", "flat", "per-cta", "all-by-cta0", "dims"];
    let given: Vec<&str> = FORMS.into_iter().filter(|form| table.get(form).is_some()).collect();
    let form = match given.as_slice() {
        [form] => *form,
        [] if table.get("run").is_some() => "dims",
        [] => {
            return Err(table.error(Problem::Missing(
                "range` or `tile` or `grid-stride` or `flat` or `per-cta` or `all-by-cta0` or `run",
            )));
        }
        [first, second, ..] => {
            return Err(table.error(Problem::Ambiguous(format!("a write map has either `{first}` or `{second}`"))));
        }
    };
    let of = |problem: Problem| table.error(problem);
    let length = || number("len").map(|len| len.unwrap_or_else(|| target.rest()));
    let at_least_1 = |key: &'static str| {
        let value = scope.within(&table.need(key)?, 1, u64::MAX.into())?;
        Ok::<u64, JobError>(u64::try_from(value).unwrap_or(u64::MAX))
    };
    match form {
        "range" => {
            table.only(&["buffer", "base", "range", "len", "axis"])?;
            let along = table.get("axis").map(|node| axis(&node)).transpose()?;
            writes::range(&target, at_least_1("range")?, length()?, along).map_err(of)
        }
        "per-cta" => {
            table.only(&["buffer", "base", "per-cta"])?;
            writes::per_cta(&target, at_least_1("per-cta")?).map_err(of)
        }
        "all-by-cta0" => {
            table.only(&["buffer", "base", "len", "all-by-cta0"])?;
            if let Some(node) = table.get("all-by-cta0")
                && !matches!(node.value(), DeValue::Boolean(true))
            {
                return Err(node.expected("true"));
            }
            writes::all_by_cta0(&target, length()?).map_err(of)
        }
        "grid-stride" => {
            table.only(&["buffer", "base", "grid-stride", "count", "element"])?;
            writes::grid_stride(&target, at_least_1("grid-stride")?, at_least_1("count")?, at_least_1("element")?)
                .map_err(of)
        }
        "flat" => {
            table.only(&["buffer", "base", "flat", "shape", "strides", "element", "axis"])?;
            let shape = table.need("shape")?.list_or_one()?;
            let shape = shape
                .iter()
                .map(|node| Ok(u64::try_from(scope.within(node, 1, u32::MAX.into())?).unwrap_or(u64::MAX)))
                .collect::<Result<Vec<u64>, JobError>>()?;
            let strides = table.need("strides")?.list_or_one()?;
            let strides = strides
                .iter()
                .map(|node| Ok(i64::try_from(scope.within(node, i64::MIN.into(), i64::MAX.into())?).unwrap_or(0)))
                .collect::<Result<Vec<i64>, JobError>>()?;
            if shape.is_empty() || shape.len() != strides.len() {
                return Err(table.error(Problem::Form("`shape` and `strides` want as many numbers each, one or more")));
            }
            let along = table.get("axis").map(|node| axis(&node)).transpose()?;
            let form = Flat { each: at_least_1("flat")?, shape, strides, element: at_least_1("element")? };
            writes::flat(&target, &form, along).map_err(of)
        }
        "tile" => {
            table.only(&["buffer", "base", "tile", "size", "element", "pitch", "plane", "axes"])?;
            let numbers = |key: &'static str| {
                let nodes = table.need(key)?.list_or_one()?;
                nodes
                    .iter()
                    .map(|node| Ok(u64::try_from(scope.within(node, 1, u64::MAX.into())?).unwrap_or(u64::MAX)))
                    .collect::<Result<Vec<u64>, JobError>>()
            };
            let axes = match table.get("axes") {
                Some(node) => node.list()?.iter().map(axis).collect::<Result<Vec<Axis>, JobError>>()?,
                None => AXES.to_vec(),
            };
            let form = Tile {
                tile: numbers("tile")?,
                size: numbers("size")?,
                element: at_least_1("element")?,
                pitch: number("pitch")?,
                plane: number("plane")?,
                axes,
            };
            if form.tile.is_empty() || form.tile.len() > 3 || form.tile.len() != form.size.len() {
                return Err(
                    table.error(Problem::Form("`tile` and `size` want one to three numbers each, as many in both"))
                );
            }
            if form.axes.len() < form.tile.len() {
                return Err(table.error(Problem::Form("`axes` wants an axis for each number of `tile`")));
            }
            writes::tile(&target, &form).map_err(of)
        }
        _ => {
            table.only(&["buffer", "base", "dims", "run"])?;
            let dims = table.get("dims").map_or_else(|| Ok(Vec::new()), |node| node.list())?;
            let dims =
                dims.iter().map(|node| dim(&node.table()?, grid, scope)).collect::<Result<Vec<Dim>, JobError>>()?;
            let dims = bounded(dims, "dimensions", MAX_DIMS).map_err(of)?;
            Ok(vec![WriteMap { buffer, base, dims, run: at_least_1("run")? }])
        }
    }
}

fn dim(table: &Table<'_>, grid: [u32; 3], scope: &Scope<'_>) -> Result<Dim, JobError> {
    if let Some(at) = table.get("at") {
        table.only(&["axis", "at"])?;
        return Ok(Dim::At { axis: axis(&table.need("axis")?)?, index: scope.u32(&at)? });
    }
    let elements = table.get("elements");
    table.only(match elements {
        Some(_) => &["stride", "extent", "axis", "elements", "per", "of"],
        None => &["stride", "extent", "axis", "tile", "per", "of"],
    })?;
    let stride = scope.within(&table.need("stride")?, i64::MIN.into(), i64::MAX.into())?;
    if let Some(elements) = elements {
        let of = scope.u32(&table.need("of")?)?;
        return Ok(Dim::Element {
            stride: i64::try_from(stride).unwrap_or(0),
            extent: table.get("extent").map_or(Ok(of.into()), |node| scope.u64(&node))?,
            axis: axis(&table.need("axis")?)?,
            tile: scope.u64(&elements)?,
            per: table.get("per").map_or(Ok(1), |node| scope.u32(&node))?,
            of,
        });
    }
    let digit = ["per", "of"].iter().any(|key| table.get(key).is_some());
    if digit {
        let axis = axis(&table.need("axis")?)?;
        let per = table.get("per").map_or(Ok(1), |node| scope.u32(&node))?;
        let ctas = grid.get(axis.index()).copied().unwrap_or(1);
        let rest = ctas.div_ceil(per.max(1)).max(2);
        return Ok(Dim::Digit {
            stride: i64::try_from(stride).unwrap_or(0),
            extent: scope.u64(&table.need("extent")?)?,
            axis,
            tile: table.get("tile").map_or(Ok(1), |node| scope.u64(&node))?,
            per,
            of: table.get("of").map_or(Ok(rest), |node| scope.u32(&node))?,
        });
    }
    Ok(Dim::Span {
        stride: i64::try_from(stride).unwrap_or(0),
        extent: scope.u64(&table.need("extent")?)?,
        axis: table.get("axis").map(|node| axis(&node)).transpose()?,
        tile: table.get("tile").map_or(Ok(1), |node| scope.u64(&node))?,
    })
}

fn axis(node: &Node<'_>) -> Result<Axis, JobError> {
    match node.text()? {
        "x" => Ok(Axis::X),
        "y" => Ok(Axis::Y),
        "z" => Ok(Axis::Z),
        other => Err(node.error(Problem::Choice { found: other.to_owned(), allowed: "x, y, z" })),
    }
}
