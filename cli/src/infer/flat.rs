//! From the places of single stores to maps of elements: kernels that take a flat index apart and put it together otherwise.

use std::collections::{BTreeMap, HashMap};

use assay_primitives::{Axis, Dim};

use super::form::Form;
use crate::job::writes::{AXES, Target};

/// One store of one thread.
#[derive(Clone, Copy, Debug)]
pub struct Stored {
    /// `blockIdx`.
    pub cta: [u32; 3],
    /// Number of the thread in its CTA.
    pub thread: u32,
    /// Line of the PTX, and how often the thread was there before.
    pub site: (u32, u32),
    /// First byte.
    pub offset: u64,
    /// Bytes.
    pub bytes: u32,
}

/// Places of stores that are solved one by one, at most.
const MAX_SITES: usize = 512;
/// Values of a last digit that is not cut yet.
const OPEN: u64 = u64::MAX;
/// Digits of an element, at most.
const MAX_DIGITS: usize = 5;

/// A digit of the element: `e / per % of`, `stride` bytes a step, of which `extent` were seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Digit {
    stride: i128,
    per: u64,
    of: u64,
    extent: u64,
}

/// Elements and where they lie.
type Points = Vec<(u64, i128)>;

/// What stores of one kind have in common.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Pattern {
    digits: Vec<Digit>,
    /// Bytes from one CTA to the next along other axes.
    others: Vec<(usize, i128)>,
    bytes: u32,
}

/// Lists of forms that say where the elements of a flat index along one axis lie, the simplest first. `threads` are those of a
/// CTA; `sizes` are numbers that may be among the digits.
pub fn fit(stores: &[Stored], target: &Target, threads: u64, sizes: &[u64]) -> Vec<Vec<Form>> {
    let mut sites: BTreeMap<(u32, u32), Vec<Stored>> = BTreeMap::new();
    for stored in stores {
        sites.entry(stored.site).or_default().push(*stored);
    }
    if sites.len() > MAX_SITES {
        return Vec::new();
    }
    let candidates = candidates(sizes);
    let mut lists = Vec::new();
    for axis in (0..3).filter(|axis| target.grid.get(*axis).is_some_and(|ctas| *ctas > 1)) {
        let ctas = u64::from(target.grid.get(axis).copied().unwrap_or(1));
        let solved: Option<Vec<(Pattern, i128, Points)>> =
            sites.values().map(|stores| solve(stores, target, axis, threads, &candidates)).collect();
        let Some(solved) = solved else { continue };
        let mut kinds: BTreeMap<Pattern, BTreeMap<i128, Points>> = BTreeMap::new();
        for (mut pattern, base, points) in solved {
            // How far the last digit goes is that of all stores that are placed alike.
            if let Some(last) = pattern.digits.last_mut().filter(|last| last.extent == last.of) {
                (last.of, last.extent) = (OPEN, OPEN);
            }
            kinds.entry(pattern).or_default().entry(base).or_default().extend(points);
        }
        for (whole, skipping) in [(true, false), (false, false), (true, true), (false, true)] {
            let all = ctas.saturating_mul(threads);
            let shape = Shape { axis, threads, all, whole, skipping };
            lists.extend(written(&kinds, target, &shape, &candidates));
        }
    }
    lists
}

/// Numbers that may be digits or products of digits, ascending.
fn candidates(sizes: &[u64]) -> Vec<u64> {
    let mut found: Vec<u64> = (1..32).map(|bit| 1u64 << bit).collect();
    let sizes: Vec<u64> = sizes.iter().copied().filter(|size| (2..1 << 32).contains(size)).take(12).collect();
    for (index, a) in sizes.iter().enumerate() {
        found.push(*a);
        for (next, b) in sizes.iter().enumerate().skip(index) {
            let both = a.saturating_mul(*b);
            found.push(both);
            found.extend(sizes.iter().skip(next).map(|c| both.saturating_mul(*c)));
        }
    }
    found.retain(|number| *number < 1 << 32);
    found.sort_unstable();
    found.dedup();
    found
}

/// The pattern of stores at one site, its base, and the elements that were seen.
fn solve(
    stores: &[Stored],
    target: &Target,
    axis: usize,
    threads: u64,
    candidates: &[u64],
) -> Option<(Pattern, i128, Points)> {
    let bytes = stores.first()?.bytes;
    if stores.iter().any(|stored| stored.bytes != bytes) {
        return None;
    }
    let at = |stored: &Stored, axis: usize| u64::from(stored.cta.get(axis).copied().unwrap_or(0));
    let element = |stored: &Stored| at(stored, axis).saturating_mul(threads).saturating_add(stored.thread.into());
    let mut others = Vec::new();
    for other in (0..3).filter(|other| *other != axis && target.grid.get(*other).is_some_and(|ctas| *ctas > 1)) {
        others.push((other, step_along(stores, other)?));
    }
    let mut points: Points = stores
        .iter()
        .map(|stored| {
            let by = others
                .iter()
                .fold(0i128, |sum, (other, step)| sum.saturating_add(step.saturating_mul(at(stored, *other).into())));
            (element(stored), i128::from(stored.offset).saturating_sub(by))
        })
        .collect();
    points.sort_unstable();
    points.dedup();
    let (base, digits) = digits(points.clone(), candidates)?;
    Some((Pattern { digits, others, bytes }, base, points))
}

/// Bytes from one CTA to the next along an axis, where the same threads of CTAs that differ in it alone stored.
fn step_along(stores: &[Stored], axis: usize) -> Option<i128> {
    let mut seen: HashMap<([u32; 3], u32), (u32, u64)> = HashMap::new();
    let mut step = None;
    for stored in stores {
        let mut rest = stored.cta;
        let place = std::mem::take(rest.get_mut(axis)?);
        match seen.get(&(rest, stored.thread)) {
            Some((other, offset)) if *other != place => {
                let by = i128::from(stored.offset).checked_sub((*offset).into())?;
                let apart = i128::from(place).checked_sub((*other).into())?;
                if by.checked_rem(apart)? != 0
                    || *step.get_or_insert(by.checked_div(apart)?) != by.checked_div(apart)?
                {
                    return None;
                }
            }
            _ => {
                seen.insert((rest, stored.thread), (place, stored.offset));
            }
        }
    }
    step
}

fn gcd(a: u64, b: u64) -> u64 {
    let (mut a, mut b) = (a, b);
    while let Some(rest) = a.checked_rem(b) {
        (a, b) = (b, rest);
    }
    a
}

/// Base and digits that put every element where it was seen.
fn digits(mut points: Points, candidates: &[u64]) -> Option<(i128, Vec<Digit>)> {
    let mut found: Vec<Digit> = Vec::new();
    let mut per = 1u64;
    if points.windows(2).any(|pair| matches!(pair, [a, b] if a.0 == b.0)) {
        return None;
    }
    while found.len() < MAX_DIGITS {
        let (first, low) = *points.first()?;
        // Elements that never store.
        let every = points.iter().fold(0, |all, (element, _)| gcd(*element, all));
        if every > 1 {
            found.push(Digit { stride: 0, per, of: every, extent: 1 });
            per = per.checked_mul(every)?;
            points.iter_mut().for_each(|point| point.0 = point.0.checked_div(every).unwrap_or(0));
            continue;
        }
        if points.len() == 1 {
            return (first == 0).then_some((low, found));
        }
        let stride = stride(&points)?;
        let from = low.checked_sub(stride.checked_mul(first.into())?)?;
        let straight = |(element, at): &(u64, i128)| at.checked_sub(from) == stride.checked_mul(i128::from(*element));
        if points.iter().all(straight) {
            let of = points.last()?.0.saturating_add(1);
            found.push(Digit { stride, per, of, extent: of });
            return Some((from, found));
        }
        let mut broken = 0;
        for pair in points.windows(2) {
            if let [(a, low), (b, high)] = pair
                && b.saturating_sub(*a) == 1
                && high.saturating_sub(*low) != stride
            {
                broken = gcd(*b, broken);
            }
        }
        let scaled = candidates
            .iter()
            .filter_map(|number| (number.checked_rem(per) == Some(0)).then(|| number.checked_div(per)).flatten());
        let mut tried: Vec<u64> = candidates.iter().copied().chain(scaled).collect();
        tried.retain(|of| *of > 1 && broken.checked_rem(*of) == Some(0));
        tried.push(broken);
        tried.sort_unstable();
        let (of, next) =
            tried.into_iter().rev().filter(|of| *of > 1).find_map(|of| Some((of, cut(&points, of, stride)?)))?;
        found.push(Digit { stride, per, of, extent: of });
        per = per.checked_mul(of)?;
        points = next;
    }
    None
}

/// The commonest distance of neighbours.
fn stride(points: &Points) -> Option<i128> {
    let nearest = points.windows(2).filter_map(|pair| pair.last()?.0.checked_sub(pair.first()?.0)).min()?;
    let mut votes: HashMap<i128, u32> = HashMap::new();
    for pair in points.windows(2) {
        if let [(a, low), (b, high)] = pair
            && b.saturating_sub(*a) == nearest
            && let Some(by) = high.checked_sub(*low)
            && by.checked_rem(nearest.into()) == Some(0)
        {
            let count = votes.entry(by.checked_div(nearest.into())?).or_default();
            *count = count.saturating_add(1);
        }
    }
    votes
        .into_iter()
        .max_by_key(|(stride, count)| (*count, std::cmp::Reverse(stride.unsigned_abs())))
        .map(|vote| vote.0)
}

/// The elements without a digit of `of` values; `None` where they do not agree.
fn cut(points: &Points, of: u64, stride: i128) -> Option<Points> {
    let mut rest: Points = Vec::new();
    for (element, at) in points {
        let (above, inside) = (element.checked_div(of)?, element.checked_rem(of)?);
        let at = at.checked_sub(stride.checked_mul(inside.into())?)?;
        match rest.last() {
            Some((same, other)) if *same == above => {
                if *other != at {
                    return None;
                }
            }
            _ => rest.push((above, at)),
        }
    }
    Some(rest)
}

struct Shape {
    axis: usize,
    threads: u64,
    /// Elements of the grid.
    all: u64,
    /// Whether the last digit goes on to the end of the grid.
    whole: bool,
    /// Whether every second block of elements may be left out.
    skipping: bool,
}

/// One form for each base of each pattern; bases at even distances share one.
fn written(
    kinds: &BTreeMap<Pattern, BTreeMap<i128, Points>>,
    target: &Target,
    shape: &Shape,
    candidates: &[u64],
) -> Option<Vec<Form>> {
    let mut forms = Vec::new();
    for (pattern, bases) in kinds {
        let mut digits = pattern.digits.clone();
        let elements: Vec<u64> = bases.values().flatten().map(|point| point.0).collect();
        if let Some(last) = digits.last_mut().filter(|last| last.of == OPEN) {
            let highest = elements.iter().max().copied().unwrap_or(0);
            last.of = highest.checked_div(last.per).unwrap_or(0).saturating_add(1);
            last.extent = last.of;
        }
        if shape.skipping {
            digits = skip(&digits, &elements, candidates).unwrap_or(digits);
        }
        if let (true, Some(last)) = (shape.whole, digits.last_mut())
            && last.extent == last.of
        {
            last.of = shape.all.div_ceil(last.per.max(1)).max(1);
            last.extent = last.of;
        }
        let bases: Vec<i128> = bases.keys().copied().collect();
        let steps: Vec<i128> = bases.windows(2).filter_map(|pair| pair.last()?.checked_sub(*pair.first()?)).collect();
        let even = steps.first().copied().filter(|step| steps.iter().all(|other| other == step));
        let (starts, repeat) = match even {
            Some(step) => (vec![*bases.first()?], Some((step, bases.len() as u64))),
            None => (bases, None),
        };
        for base in starts {
            forms.push(form(pattern, &digits, base, repeat, target, shape)?);
        }
    }
    Some(forms)
}

/// The digits with one of which only the first value stores, where elements show that.
fn skip(digits: &[Digit], elements: &[u64], candidates: &[u64]) -> Option<Vec<Digit>> {
    for (index, digit) in digits.iter().enumerate() {
        let numbers = || elements.iter().filter_map(|e| e.checked_div(digit.per)?.checked_rem(digit.of));
        let highest = numbers().max()?;
        let lone = |size: u64| numbers().all(|number| number.checked_div(size).is_some_and(|block| block % 2 == 0));
        let found = candidates.iter().copied().find(|size| highest >= size.saturating_mul(2) && lone(*size));
        let Some(size) = found else { continue };
        let pair = size.checked_mul(2)?;
        let parts = [
            Digit { stride: digit.stride, per: digit.per, of: size, extent: size },
            Digit { stride: 0, per: digit.per.checked_mul(size)?, of: 2, extent: 1 },
            Digit {
                stride: digit.stride.checked_mul(pair.into())?,
                per: digit.per.checked_mul(pair)?,
                of: digit.of.div_ceil(pair),
                extent: digit.of.div_ceil(pair),
            },
        ];
        let mut all = digits.get(..index)?.to_vec();
        all.extend(parts);
        all.extend(digits.get(index.checked_add(1)?..)?);
        return Some(all);
    }
    None
}

fn form(
    pattern: &Pattern,
    digits: &[Digit],
    base: i128,
    repeat: Option<(i128, u64)>,
    target: &Target,
    shape: &Shape,
) -> Option<Form> {
    let mut run = u64::from(pattern.bytes);
    let axis = *AXES.get(shape.axis)?;
    let base = u64::try_from(base).ok()?;
    let mut spans: Vec<(i128, u64, Option<Axis>)> = Vec::new();
    match repeat {
        Some((step, count)) if i128::from(run) == step => run = run.checked_mul(count)?,
        Some((step, count)) => spans.push((step, count, None)),
        None => {}
    }
    for (other, step) in &pattern.others {
        spans.push((*step, u64::from(*target.grid.get(*other)?), Some(*AXES.get(*other)?)));
    }
    let plain = digits.iter().all(|digit| digit.extent == digit.of && digit.stride % i128::from(run) == 0);
    if spans.is_empty() && plain {
        let strides = digits.iter().map(|digit| i64::try_from(digit.stride.checked_div(run.into())?).ok());
        return Some(Form::Flat {
            base,
            each: shape.threads,
            shape: digits.iter().map(|digit| digit.of).collect(),
            strides: strides.collect::<Option<_>>()?,
            element: run,
        });
    }
    let mut dims: Vec<(i128, Dim)> = Vec::new();
    for digit in digits {
        let dim = Dim::Element {
            stride: i64::try_from(digit.stride).ok()?,
            extent: digit.extent,
            axis,
            tile: shape.threads,
            per: u32::try_from(digit.per).ok()?,
            of: u32::try_from(digit.of).ok()?,
        };
        dims.push((digit.stride, dim));
    }
    for (stride, extent, axis) in spans {
        dims.push((stride, Dim::Span { stride: i64::try_from(stride).ok()?, extent, axis, tile: 1 }));
    }
    dims.sort_by_key(|(stride, _)| std::cmp::Reverse(stride.unsigned_abs()));
    Some(Form::Full { base, run, dims: dims.into_iter().map(|(_, dim)| dim).collect() })
}
