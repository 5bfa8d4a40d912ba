//! Where CTAs start in a buffer, and what each stores from there on.

use assay_primitives::Axis;

use super::Seen;
use crate::{job::writes::AXES, unit::Ranges};

/// Steps that are tried along one axis.
const MAX_STEPS: usize = 4;
/// Rows that gaps are closed over, at most.
const MAX_ROWS: u64 = 1024;

/// Where CTAs start.
#[derive(Clone, Copy)]
pub struct Fit {
    /// First byte of CTA (0, 0, 0), were it whole.
    pub origin: i128,
    /// Bytes from one CTA to the next along each axis; `None` for axes that do not matter.
    pub steps: [Option<i128>; 3],
    /// Axes along which only one CTA stores anything.
    pub fixed: [Option<u32>; 3],
    /// The last byte that anybody stored, plus one.
    pub end: u64,
}

/// A shape: strides and counts from the outermost to the innermost, and bytes of a run.
pub type Shape = (Vec<(u64, u64)>, u64);

fn low(seen: &Seen) -> i128 {
    seen.ranges.first().map_or(0, |range| range.0.into())
}

/// How the CTAs may be placed: the likeliest steps first.
pub fn place(seen: &[Seen], writers: &[&Seen], grid: [u32; 3], end: u64) -> Result<Vec<Fit>, String> {
    let mut fits = vec![Fit { origin: 0, steps: [None; 3], fixed: [None; 3], end }];
    for axis in 0..3 {
        let at = |seen: &Seen| seen.cta.get(axis).copied().unwrap_or(0);
        if grid.get(axis).is_none_or(|ctas| *ctas <= 1) {
            continue;
        }
        let first = writers.first().map_or(0, |seen| at(seen));
        if writers.iter().all(|seen| at(seen) == first) && seen.iter().any(|seen| at(seen) != first) {
            for fixed in fits.iter_mut().filter_map(|fit| fit.fixed.get_mut(axis)) {
                *fixed = Some(first);
            }
            continue;
        }
        let mut votes: Vec<(i128, u32)> = Vec::new();
        for (position, a) in writers.iter().enumerate() {
            for b in writers.iter().skip(position.saturating_add(1)) {
                let alone = (0..3).all(|other| other == axis || a.cta.get(other) == b.cta.get(other));
                let apart = i128::from(at(b)).saturating_sub(at(a).into());
                let by = low(b).saturating_sub(low(a));
                if alone && apart != 0 && by.checked_rem(apart) == Some(0) {
                    let step = by.checked_div(apart).unwrap_or(0);
                    match votes.iter_mut().find(|(known, _)| *known == step) {
                        Some((_, count)) => *count = count.saturating_add(1),
                        None => votes.push((step, 1)),
                    }
                }
            }
        }
        let name = ["x", "y", "z"].get(axis).copied().unwrap_or("x");
        votes.retain(|(step, _)| *step != 0);
        votes.sort_by_key(|(step, count)| (std::cmp::Reverse(*count), std::cmp::Reverse(step.unsigned_abs())));
        votes.truncate(MAX_STEPS);
        if votes.is_empty() {
            let starts: Vec<String> =
                writers.iter().take(4).map(|seen| format!("CTA {:?} at byte {}", seen.cta, low(seen))).collect();
            return Err(format!(
                "the CTAs along {name} do not store at even distances ({}): the place depends on data, or on more than blockIdx",
                starts.join(", ")
            ));
        }
        fits = fits
            .iter()
            .flat_map(|fit| {
                votes.iter().map(|(step, _)| {
                    let mut fit = *fit;
                    if let Some(place) = fit.steps.get_mut(axis) {
                        *place = Some(*step);
                    }
                    fit
                })
            })
            .collect();
    }
    for fit in &mut fits {
        fit.origin = writers.iter().map(|seen| low(seen).saturating_sub(fit.shift(seen.cta))).min().unwrap_or(0);
    }
    Ok(fits)
}

impl Fit {
    fn shift(&self, cta: [u32; 3]) -> i128 {
        self.steps
            .iter()
            .zip(cta)
            .fold(0, |sum, (step, at)| i128::saturating_add(sum, step.unwrap_or(0).saturating_mul(at.into())))
    }

    /// Axes that matter with their steps, from the shortest step to the longest.
    pub fn axes(&self) -> Vec<(Axis, i128)> {
        let mut axes: Vec<(Axis, i128)> =
            AXES.into_iter().zip(self.steps).filter_map(|(axis, step)| Some((axis, step?))).collect();
        axes.sort_by_key(|(_, step)| step.unsigned_abs());
        axes
    }
}

/// What all CTAs store, from where each starts: exact where that is regular, then with gaps closed.
pub fn shapes(writers: &[&Seen], fit: &Fit) -> Vec<Shape> {
    let mut all: Vec<(u64, u64)> = Vec::new();
    for seen in writers {
        let start = fit.origin.saturating_add(fit.shift(seen.cta));
        for (from, until) in &seen.ranges {
            let relative = |at: u64| u64::try_from(i128::from(at).saturating_sub(start)).ok();
            let (Some(from), Some(until)) = (relative(*from), relative(*until)) else { continue };
            all.push((from, until));
        }
    }
    all.sort_unstable();
    let mut union: Ranges = Vec::new();
    for (from, until) in all {
        match union.last_mut() {
            Some(last) if last.1 >= from => last.1 = last.1.max(until),
            _ => union.push((from, until)),
        }
    }
    let mut shapes: Vec<Shape> = nested(&union).into_iter().collect();
    let hull = union.last().map_or(0, |range| range.1);
    let axes = fit.axes();
    let reach = |index: usize| axes.get(index).and_then(|(_, step)| u64::try_from(step.unsigned_abs()).ok());
    if let Some(step) = reach(0)
        && hull <= step
    {
        shapes.push((Vec::new(), hull));
        shapes.push((Vec::new(), step));
    }
    // Rows of a plane: as many as make each row's stores lie side by side.
    if let (Some(width), Some(tall)) = (reach(0), reach(1)) {
        for rows in 2..=MAX_ROWS {
            let pitch = tall.checked_div(rows).unwrap_or(0);
            if tall.checked_rem(rows) != Some(0) || pitch < width {
                continue;
            }
            let fits = union.iter().all(|(from, until)| {
                let inside = from.checked_rem(pitch).unwrap_or(0);
                inside.saturating_add(until.saturating_sub(*from)) <= width
            });
            if fits {
                shapes.push((vec![(pitch, rows)], width));
            }
        }
    }
    shapes
}

/// Ranges as nested strides, if that is what they are.
fn nested(ranges: &Ranges) -> Option<Shape> {
    let (from, until) = *ranges.first()?;
    let run = until.saturating_sub(from);
    if from != 0 || ranges.iter().any(|range| range.1.saturating_sub(range.0) != run) {
        return None;
    }
    let mut starts: Vec<u64> = ranges.iter().map(|range| range.0).collect();
    let mut dims = Vec::new();
    while let [first, second, ..] = starts.as_slice() {
        let stride = second.saturating_sub(*first);
        let even = |pair: &[u64]| matches!(pair, [a, b] if b.saturating_sub(*a) == stride);
        let count = starts.windows(2).take_while(|pair| even(pair)).count().saturating_add(1);
        let groups: Vec<&[u64]> = starts.chunks(count).collect();
        let alike = |group: &&[u64]| group.len() == count && group.windows(2).all(even);
        if !groups.iter().all(alike) || dims.len() >= 4 {
            return None;
        }
        dims.insert(0, (stride, count as u64));
        starts = groups.iter().filter_map(|group| group.first().copied()).collect();
    }
    Some((dims, run))
}
