//! From the bytes that some CTAs stored in one buffer to write maps for all of them.

mod candidates;
mod place;

use assay_primitives::{
    Dim, WriteMap, Writes,
    write_map::{MAX_WRITE_MAPS, Owner},
};

use self::{
    candidates::{candidates, guesses},
    place::{place, shapes},
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
/// Maps of one buffer, at most.
const MAX_PIECES: u32 = 4;

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
