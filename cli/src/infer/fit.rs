//! From the bytes that some CTAs stored in one buffer to write maps for all of them.

use assay_primitives::{
    Axis, Dim, WriteMap, Writes,
    write_map::{MAX_WRITE_MAPS, Owner},
};

use super::form::Form;
use crate::{
    job::writes::{AXES, Target},
    unit::Ranges,
};

/// What one CTA stored in the buffer.
#[derive(Clone, Debug)]
pub struct Seen {
    /// `blockIdx`.
    pub cta: [u32; 3],
    /// The bytes; empty for none.
    pub ranges: Ranges,
}

/// What a launch says of the shape of its data.
#[derive(Clone, Debug, Default)]
pub struct Shaped {
    /// Threads of a CTA.
    pub block: [u32; 3],
    /// Integer arguments: widths and heights are among them.
    pub sizes: Vec<u64>,
}

/// Digits of a place that are tried, beside those that arguments name.
const MAX_MODULUS: u32 = 64;
/// Steps that are tried along one axis.
const MAX_STEPS: usize = 4;
/// Bytes that a thread may have, where only guesses are left.
const THREAD_BYTES: [u64; 6] = [1, 2, 4, 8, 16, 32];

/// Rows that gaps are closed over, at most.
const MAX_ROWS: u64 = 1024;
/// Maps of one buffer, at most.
const MAX_PIECES: u32 = 4;

/// Where CTAs start.
#[derive(Clone, Copy)]
struct Fit {
    /// First byte of CTA (0, 0, 0), were it whole.
    origin: i128,
    /// Bytes from one CTA to the next along each axis; `None` for axes that do not matter.
    steps: [Option<i128>; 3],
    /// Axes along which only one CTA stores anything.
    fixed: [Option<u32>; 3],
    /// The last byte that anybody stored, plus one.
    end: u64,
}

/// A shape: strides and counts from the outermost to the innermost, and bytes of a run.
type Shape = (Vec<(u64, u64)>, u64);

/// Lists of forms that cover what was seen, the simplest first; or why there is none.
pub fn fit(seen: &[Seen], target: &Target, launch: &Shaped) -> Result<Vec<Vec<Form>>, String> {
    clash(seen)?;
    let found = pieces(seen, target, launch, MAX_PIECES);
    let digits = || (0..3).find_map(|axis| digits(seen, target, launch, axis));
    if found.is_err() { digits().map_or(found, Ok) } else { found }
}

/// A pattern of two digits of the place along an axis, as kernels take with `/` and `%`.
fn digits(seen: &[Seen], target: &Target, launch: &Shaped, axis: usize) -> Option<Vec<Vec<Form>>> {
    let ctas = *target.grid.get(axis)?;
    let free = (0..3).find(|other| *other != axis && target.grid.get(*other) == Some(&1))?;
    let mut moduli: Vec<u32> = (2..=MAX_MODULUS.min(ctas.saturating_sub(1))).collect();
    moduli.extend(launch.sizes.iter().filter_map(|size| u32::try_from(*size).ok()));
    moduli.retain(|of| *of >= 2 && *of < ctas);
    // Those that divide the grid are the likeliest.
    moduli.sort_by_key(|of| (ctas.checked_rem(*of) != Some(0), *of));
    moduli.dedup();
    moduli.into_iter().find_map(|of| {
        let rest = ctas.div_ceil(of).max(2);
        let mut inner = *target;
        (*inner.grid.get_mut(axis)?, *inner.grid.get_mut(free)?) = (of, rest);
        let apart = |seen: &Seen| {
            let mut cta = seen.cta;
            let place = *cta.get(axis)?;
            (*cta.get_mut(axis)?, *cta.get_mut(free)?) = (place.checked_rem(of)?, place.checked_div(of)?);
            Some(Seen { cta, ranges: seen.ranges.clone() })
        };
        let parts: Vec<Seen> = seen.iter().map(apart).collect::<Option<_>>()?;
        let lists = one_piece(&parts, &inner, launch).ok()?;
        let lists: Vec<Vec<Form>> = lists
            .iter()
            .filter_map(|forms| forms.iter().map(|form| together(form, &inner, axis, free, of, rest)).collect())
            .map(|forms: Vec<Vec<Form>>| forms.concat())
            .filter(|forms| holds(forms, seen, target))
            .collect();
        (!lists.is_empty()).then_some(lists)
    })
}

/// The form with the digits of `axis` where it has `axis` and `free`.
fn together(form: &Form, inner: &Target, axis: usize, free: usize, of: u32, rest: u32) -> Option<Vec<Form>> {
    let real = *AXES.get(axis)?;
    let digit = |dim: &Dim| match *dim {
        Dim::Span { stride, extent, axis: Some(named), tile } if named.index() == axis => {
            Some(Dim::Digit { stride, extent, axis: real, tile, per: 1, of })
        }
        Dim::Span { stride, extent, axis: Some(named), tile } if named.index() == free => {
            Some(Dim::Digit { stride, extent, axis: real, tile, per: of, of: rest })
        }
        Dim::At { axis: named, .. } if named.index() == axis || named.index() == free => None,
        dim => Some(dim),
    };
    let maps = form.maps(inner).ok()?;
    let full = |map: &WriteMap| {
        Some(Form::Full { base: map.base, run: map.run, dims: map.dims.iter().map(digit).collect::<Option<_>>()? })
    };
    maps.iter().map(full).collect()
}

/// Two CTAs that store to one byte: no map can allow that.
fn clash(seen: &[Seen]) -> Result<(), String> {
    let mut all: Vec<(u64, u64, [u32; 3])> =
        seen.iter().flat_map(|seen| seen.ranges.iter().map(|range| (range.0, range.1, seen.cta))).collect();
    all.sort_unstable();
    for pair in all.windows(2) {
        // A CTA is seen once for each round that strayed.
        if let [(_, until, first), (from, _, second)] = pair
            && from < until
            && first != second
        {
            return Err(format!(
                "CTA {first:?} and CTA {second:?} both store to byte {from}: let one CTA own each byte, or let each write its own part and add the parts in a second launch; or run the CTAs one after the other with `serial = true`"
            ));
        }
    }
    Ok(())
}

fn pieces(seen: &[Seen], target: &Target, launch: &Shaped, left: u32) -> Result<Vec<Vec<Form>>, String> {
    let found = one_piece(seen, target, launch);
    let (Err(reason), Some(left)) = (&found, left.checked_sub(1)) else { return found };
    if let Some(lists) = first_does_more(seen, target, launch) {
        return Ok(lists);
    }
    if let Some(lists) = by_rank(seen, target, launch) {
        return Ok(lists);
    }
    let Some((low, high)) = split(seen) else { return Err(reason.clone()) };
    let first = pieces(&low, target, launch, left / 2).map_err(|_| reason.clone())?;
    let second = pieces(&high, target, launch, left / 2).map_err(|_| reason.clone())?;
    let mut lists = Vec::new();
    for first in first.iter().take(4) {
        for second in second.iter().take(4) {
            let both = [first.clone(), second.clone()].concat();
            if holds(&both, seen, target) {
                lists.push(both);
            }
        }
    }
    if lists.is_empty() { Err(reason.clone()) } else { Ok(lists) }
}

/// The first ranges of all CTAs as one piece, the second ones as another, and so on: results of several levels or fields.
fn by_rank(seen: &[Seen], target: &Target, launch: &Shaped) -> Option<Vec<Vec<Form>>> {
    let writers: Vec<&Seen> = seen.iter().filter(|seen| !seen.ranges.is_empty()).collect();
    let count = writers.first()?.ranges.len();
    if count < 2 || count > MAX_WRITE_MAPS as usize || writers.iter().any(|seen| seen.ranges.len() != count) {
        return None;
    }
    let mut all = Vec::new();
    for rank in 0..count {
        let part = |seen: &Seen| Seen { cta: seen.cta, ranges: seen.ranges.get(rank).copied().into_iter().collect() };
        let part: Vec<Seen> = seen.iter().map(part).collect();
        all.extend(one_piece(&part, target, launch).ok()?.into_iter().next()?);
    }
    holds(&all, seen, target).then(|| vec![all])
}

/// A pattern of all CTAs but the first, which stores some ranges more: sums, borders, counters.
fn first_does_more(seen: &[Seen], target: &Target, launch: &Shaped) -> Option<Vec<Vec<Form>>> {
    let others: Vec<Seen> = seen.iter().filter(|seen| seen.cta != [0; 3]).cloned().collect();
    let first = seen.iter().find(|seen| seen.cta == [0; 3])?;
    if others.iter().filter(|seen| !seen.ranges.is_empty()).count() < 2 {
        return None;
    }
    let mut lists = Vec::new();
    for forms in one_piece(&others, target, launch).ok()? {
        let Some(ownership) = writes(&forms, target).map(|writes| writes.ownership(target.grid)) else { continue };
        let mut more: Ranges = Vec::new();
        for (from, until) in &first.ranges {
            let mut at = *from;
            while at < *until {
                let (owner, end) = ownership.owner(target.buffer, at);
                let end = end.max(at.saturating_add(1)).min(*until);
                if owner != Owner::Cta([0; 3]) {
                    match more.last_mut() {
                        Some(last) if last.1 == at => last.1 = end,
                        _ => more.push((at, end)),
                    }
                }
                at = end;
            }
        }
        if more.is_empty() || more.len() > MAX_PIECES as usize {
            continue;
        }
        let more =
            more.iter().map(|(from, until)| Form::AllByCta0 { base: *from, len: Some(until.saturating_sub(*from)) });
        let all: Vec<Form> = forms.into_iter().chain(more).collect();
        if holds(&all, seen, target) {
            lists.push(all);
        }
    }
    (!lists.is_empty()).then_some(lists)
}

/// The same stores in two parts, cut at the widest gap of the fullest CTA.
fn split(seen: &[Seen]) -> Option<(Vec<Seen>, Vec<Seen>)> {
    let fullest = seen.iter().max_by_key(|seen| seen.ranges.len())?;
    let gap = |pair: &[(u64, u64)]| match pair {
        [(_, until), (from, _)] => from.saturating_sub(*until),
        _ => 0,
    };
    let widest = fullest.ranges.windows(2).map(gap).max()?;
    let total: u64 = fullest.ranges.iter().map(|(from, until)| until.saturating_sub(*from)).sum();
    if widest <= total {
        return None;
    }
    let (mut low, mut high) = (Vec::new(), Vec::new());
    for seen in seen {
        let at = seen.ranges.windows(2).position(|pair| gap(pair) >= widest / 2);
        let (first, second) = match at {
            Some(at) => seen.ranges.split_at_checked(at.saturating_add(1))?,
            None => (seen.ranges.as_slice(), [].as_slice()),
        };
        low.push(Seen { cta: seen.cta, ranges: first.to_vec() });
        high.push(Seen { cta: seen.cta, ranges: second.to_vec() });
    }
    Some((low, high))
}

fn one_piece(seen: &[Seen], target: &Target, launch: &Shaped) -> Result<Vec<Vec<Form>>, String> {
    let writers: Vec<&Seen> = seen.iter().filter(|seen| !seen.ranges.is_empty()).collect();
    let Some(low) = writers.iter().filter_map(|seen| seen.ranges.first()).map(|range| range.0).min() else {
        return Ok(vec![Vec::new()]);
    };
    let end = writers.iter().filter_map(|seen| seen.ranges.last()).map(|range| range.1).max().unwrap_or(low);
    let mut forms = Vec::new();
    if writers.iter().all(|seen| seen.cta == [0; 3]) {
        let whole = end.saturating_sub(low) >= target.len / 2;
        if whole {
            forms.push(Form::AllByCta0 { base: 0, len: None });
        }
        forms.push(Form::AllByCta0 { base: low, len: Some(end.saturating_sub(low)) });
    }
    let mut reason = String::from("no regular pattern covers what the CTAs store");
    match place(seen, &writers, target.grid, end) {
        Ok(fits) => {
            for fit in fits {
                for shape in shapes(&writers, &fit) {
                    candidates(&fit, &shape, &writers, target, launch.block, &mut forms);
                }
            }
        }
        Err(why) => reason = why,
    }
    guesses(target, launch, end, &mut forms);
    let lists: Vec<Vec<Form>> =
        forms.into_iter().map(|form| vec![form]).filter(|forms| holds(forms, seen, target)).collect();
    if lists.is_empty() { Err(reason) } else { Ok(lists) }
}

/// Whether the forms stand as write maps and give each CTA what it stored.
pub fn holds(forms: &[Form], seen: &[Seen], target: &Target) -> bool {
    let Some(writes) = writes(forms, target) else { return false };
    let mut lengths = vec![0; usize::from(target.buffer)];
    lengths.push(target.len);
    if writes.check(target.grid, &lengths).is_err() {
        return false;
    }
    let ownership = writes.ownership(target.grid);
    seen.iter().all(|seen| {
        seen.ranges.iter().all(|(from, until)| {
            let mut at = *from;
            while at < *until {
                let (owner, end) = ownership.owner(target.buffer, at);
                if owner != Owner::Cta(seen.cta) {
                    return false;
                }
                at = end.max(at.saturating_add(1));
            }
            true
        })
    })
}

/// The maps of forms.
pub fn writes(forms: &[Form], target: &Target) -> Option<Writes> {
    let maps: Vec<Vec<WriteMap>> = forms.iter().map(|form| form.maps(target).ok()).collect::<Option<_>>()?;
    Some(Writes::Maps(maps.concat().try_into().ok()?))
}

fn low(seen: &Seen) -> i128 {
    seen.ranges.first().map_or(0, |range| range.0.into())
}

/// What is usual, for stores that depend on data: a thread for each element of a row or a plane.
fn guesses(target: &Target, launch: &Shaped, end: u64, forms: &mut Vec<Form>) {
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

/// How the CTAs may be placed: the likeliest steps first.
fn place(seen: &[Seen], writers: &[&Seen], grid: [u32; 3], end: u64) -> Result<Vec<Fit>, String> {
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
    fn axes(&self) -> Vec<(Axis, i128)> {
        let mut axes: Vec<(Axis, i128)> =
            AXES.into_iter().zip(self.steps).filter_map(|(axis, step)| Some((axis, step?))).collect();
        axes.sort_by_key(|(_, step)| step.unsigned_abs());
        axes
    }
}

/// What all CTAs store, from where each starts: exact where that is regular, then with gaps closed.
fn shapes(writers: &[&Seen], fit: &Fit) -> Vec<Shape> {
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

/// The largest element of 1 to 16 bytes of which all numbers are multiples.
fn element(numbers: impl IntoIterator<Item = u64>) -> u64 {
    let bits = numbers.into_iter().fold(16, |bits, number| bits | number);
    1 << bits.trailing_zeros().min(4)
}

fn candidates(
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

#[allow(clippy::too_many_arguments)]
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
