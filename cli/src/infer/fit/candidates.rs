//! The forms that a place and a shape can be written in.

use assay_primitives::{Axis, Dim};

use super::{
    Seen, Shaped,
    place::{Fit, Shape},
};
use crate::{
    infer::form::Form,
    job::writes::{AXES, Target},
};

/// Bytes that a thread may have, where only guesses are left.
const THREAD_BYTES: [u64; 6] = [1, 2, 4, 8, 16, 32];

/// What is usual, for stores that depend on data: a thread for each element of a row or a plane.
pub fn guesses(target: &Target, launch: &Shaped, end: u64, forms: &mut Vec<Form>) {
    let [width, height, depth] = launch.block.map(u64::from);
    for element in THREAD_BYTES {
        match target.grid {
            [_, 1, 1] => {
                let threads = width.saturating_mul(height).saturating_mul(depth);
                forms.push(Form::Range { base: 0, bytes: threads.saturating_mul(element), len: None, axis: None });
                // The last round of such a loop may be that of a few CTAs.
                let count = end.div_ceil(element);
                forms.push(Form::GridStride { base: 0, each: threads, count, element });
            }
            [_, _, 1] => {
                for columns in &launch.sizes {
                    let rows = end.div_ceil(columns.saturating_mul(element).max(1));
                    let rows = launch.sizes.iter().copied().filter(|size| *size >= rows).min().unwrap_or(rows);
                    forms.push(Form::Tile {
                        base: 0,
                        tile: vec![width, height],
                        size: vec![*columns, rows],
                        element,
                        pitch: None,
                        plane: None,
                        axes: None,
                    });
                }
            }
            _ => {}
        }
    }
}

/// The largest element of 1 to 16 bytes of which all numbers are multiples.
fn element(numbers: impl IntoIterator<Item = u64>) -> u64 {
    let bits = numbers.into_iter().fold(16, |bits, number| bits | number);
    1 << bits.trailing_zeros().min(4)
}

/// The forms of one shape, the simplest first.
pub fn candidates(
    fit: &Fit,
    (dims, run): &Shape,
    writers: &[&Seen],
    target: &Target,
    block: [u32; 3],
    forms: &mut Vec<Form>,
) {
    let (Ok(base), run) = (u64::try_from(fit.origin), *run) else { return full(fit, dims, *run, target, forms) };
    let axes = fit.axes();
    let step_of = |index: usize| axes.get(index).and_then(|(_, step)| u64::try_from(*step).ok());
    let free = fit.fixed.iter().all(Option::is_none);
    let total = fit.end.saturating_sub(base);
    let threads: u64 = block.iter().fold(1, |product, side| u64::saturating_mul(product, (*side).into()));
    let cut = |step: u64, whole: u64| {
        // Where the buffer ends just behind, the last threads may not have stored by chance.
        let few = step.checked_div(threads).unwrap_or(0).saturating_mul(4);
        let ends = whole >= target.len.saturating_sub(base) && target.len.saturating_sub(fit.end) <= few;
        (fit.end < target.len && total < whole && !ends).then_some(total)
    };
    let ctas: u64 = target.grid.iter().fold(1, |product, ctas| u64::saturating_mul(product, (*ctas).into()));
    let edges = writers.iter().flat_map(|seen| seen.ranges.iter().flat_map(|(from, until)| [*from, *until]));
    let edges = edges.map(|at| at.saturating_sub(base));
    let longs = target.grid.iter().filter(|ctas| **ctas > 1).count();
    if free && dims.is_empty() {
        if let ([(axis, _)], Some(step)) = (axes.as_slice(), step_of(0)) {
            let named = (longs > 1).then_some(*axis);
            if step < threads && run <= step {
                forms.push(Form::PerCta { base, bytes: step });
            }
            if run <= step {
                forms.push(Form::Range { base, bytes: step, len: cut(step, step.saturating_mul(ctas)), axis: named });
            }
        }
        if longs > 1 {
            forms.push(Form::PerCta { base, bytes: run });
            if let Some(step) = step_of(0) {
                forms.push(Form::PerCta { base, bytes: step });
                if run <= step {
                    forms.push(Form::Range {
                        base,
                        bytes: step,
                        len: cut(step, step.saturating_mul(ctas)),
                        axis: None,
                    });
                }
            }
        }
    }
    if let ([(Axis::X, _)], Some(step), [(round, _)]) = (axes.as_slice(), step_of(0), dims.as_slice())
        && free
        && step == run
        && *round == step.saturating_mul(target.grid[0].into())
    {
        let element = unit_of(step, block, edges.clone());
        if let (Some(each), Some(count)) = (step.checked_div(element), total.checked_div(element)) {
            forms.push(Form::GridStride { base, each, count, element });
        }
    }
    if free && let Some(form) = tile(fit, dims, run, base, target, block, edges.clone(), writers) {
        forms.push(form);
    }
    full(fit, dims, run, target, forms);
    // The same in elements, so that the last CTAs may be cut.
    let fine = element(edges.chain([run]).chain(dims.iter().map(|dim| dim.0)));
    if fine < run && run.checked_rem(fine) == Some(0) {
        let mut dims = dims.clone();
        dims.push((fine, run.checked_div(fine).unwrap_or(1)));
        full_cut(fit, &dims, fine, base, writers, target, forms);
    }
}

/// Bytes of an element: a power of two of which a thread along x has one or more.
fn unit_of(step: u64, block: [u32; 3], edges: impl Iterator<Item = u64>) -> u64 {
    let width = u64::from(block[0].max(1));
    let finest = element(edges.chain([step]));
    match step.checked_div(width) {
        Some(bytes) if step.checked_rem(width) == Some(0) && finest.checked_rem(bytes) == Some(0) => bytes,
        _ => finest.min(4),
    }
}

fn tile(
    fit: &Fit,
    dims: &[(u64, u64)],
    run: u64,
    base: u64,
    target: &Target,
    block: [u32; 3],
    edges: impl Iterator<Item = u64>,
    writers: &[&Seen],
) -> Option<Form> {
    let mut axes = fit.axes();
    // Axes of one CTA can stand for rows that every CTA has.
    for axis in AXES {
        if !axes.iter().any(|(known, _)| *known == axis) && target.grid.get(axis.index()) == Some(&1) {
            axes.push((axis, 0));
        }
    }
    let (inner, step) = *axes.first()?;
    let step = u64::try_from(step).ok()?.max(run);
    let element = unit_of(step, block, edges);
    let mut tiles = vec![step.checked_div(element)?];
    let mut strides = vec![element];
    let mut order = vec![inner];
    let mut left: Vec<(u64, u64)> = dims.iter().rev().copied().collect();
    for (axis, step) in axes.into_iter().skip(1) {
        let step = u64::try_from(step).ok()?;
        let matching = left.iter().position(|(stride, count)| step == 0 || stride.saturating_mul(*count) == step);
        match matching {
            Some(at) => {
                let (stride, count) = left.remove(at);
                tiles.push(count);
                strides.push(stride);
            }
            None if step == 0 => continue,
            None => {
                tiles.push(1);
                strides.push(step);
            }
        }
        order.push(axis);
    }
    if !left.is_empty() || tiles.len() < 2 || strides.windows(2).any(|pair| matches!(pair, [a, b] if a >= b)) {
        return None;
    }
    let mut size = vec![0u64; tiles.len()];
    for (from, until) in writers.iter().flat_map(|seen| &seen.ranges) {
        let mut at = [from.saturating_sub(base), until.saturating_sub(base).saturating_sub(1)];
        for (most, stride) in size.iter_mut().zip(&strides).rev() {
            for at in &mut at {
                *most = (*most).max(at.checked_div(*stride)?.saturating_add(1));
                *at = at.checked_rem(*stride)?;
            }
        }
    }
    let pitch = *strides.get(1)?;
    let packed = size.first()?.saturating_mul(element);
    let plane = strides.get(2).copied();
    let rows = *size.get(1)?;
    Some(Form::Tile {
        base,
        element,
        pitch: (packed != pitch).then_some(pitch),
        plane: plane.filter(|plane| *plane != pitch.saturating_mul(rows)),
        axes: (order.iter().zip(AXES).any(|(axis, usual)| *axis != usual)).then_some(order),
        tile: tiles,
        size,
    })
}

fn span(stride: i128, extent: u64, axis: Option<Axis>, tile: u64) -> Option<Dim> {
    Some(Dim::Span { stride: i64::try_from(stride).ok()?, extent, axis, tile })
}

/// The dimensions of a full form, from the outermost in: strides of axes and of what each CTA has.
fn dimensions(fit: &Fit, dims: &[(u64, u64)], grid: [u32; 3]) -> Option<Vec<(i128, Dim)>> {
    let mut left: Vec<(u64, u64)> = dims.to_vec();
    let mut all: Vec<(i128, Dim)> = Vec::new();
    for (axis, step) in fit.axes() {
        let ctas = u64::from(grid.get(axis.index()).copied().unwrap_or(1));
        let own = |(stride, count): &(u64, u64)| i128::from(*stride).saturating_mul((*count).into()) == step;
        match left.iter().position(own) {
            Some(at) => {
                let (stride, count) = left.remove(at);
                all.push((stride.into(), span(stride.into(), ctas.saturating_mul(count), Some(axis), count)?));
            }
            None => all.push((step, span(step, ctas, Some(axis), 1)?)),
        }
    }
    for (stride, count) in left {
        all.push((stride.into(), span(stride.into(), count, None, 1)?));
    }
    all.sort_by_key(|(stride, _)| std::cmp::Reverse(stride.unsigned_abs()));
    Some(all)
}

fn fixed(fit: &Fit) -> impl Iterator<Item = Dim> {
    AXES.into_iter().zip(fit.fixed).filter_map(|(axis, index)| Some(Dim::At { axis, index: index? }))
}

fn full(fit: &Fit, dims: &[(u64, u64)], run: u64, target: &Target, forms: &mut Vec<Form>) {
    let (Ok(base), Some(all)) = (u64::try_from(fit.origin), dimensions(fit, dims, target.grid)) else { return };
    let dims = fixed(fit).chain(all.into_iter().map(|(_, dim)| dim)).collect();
    forms.push(Form::Full { base, run, dims });
}

/// As [`full`], with extents that end where the stores end.
fn full_cut(
    fit: &Fit,
    dims: &[(u64, u64)],
    run: u64,
    base: u64,
    writers: &[&Seen],
    target: &Target,
    forms: &mut Vec<Form>,
) {
    let Some(mut all) = dimensions(fit, dims, target.grid) else { return };
    let mut reached = vec![0u64; all.len()];
    for (from, until) in writers.iter().flat_map(|seen| &seen.ranges) {
        let mut at = [from.saturating_sub(base), until.saturating_sub(base).saturating_sub(run)];
        for (most, (stride, _)) in reached.iter_mut().zip(&all) {
            let Ok(stride) = u64::try_from(*stride) else { return };
            for at in &mut at {
                *most = (*most).max(at.checked_div(stride).unwrap_or(0).saturating_add(1));
                *at = at.checked_rem(stride).unwrap_or(0);
            }
        }
    }
    for ((_, dim), most) in all.iter_mut().zip(reached) {
        if let Dim::Span { extent, .. } = dim {
            *extent = (*extent).min(most);
        }
    }
    forms.push(Form::Full { base, run, dims: fixed(fit).chain(all.into_iter().map(|(_, dim)| dim)).collect() });
}
