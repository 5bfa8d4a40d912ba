//! Tiles of threads: stores that lie where their thread does in the grid, whichever threads store.

use std::collections::{BTreeMap, HashMap};

use assay_primitives::Axis;

use super::{flat::Stored, form::Form};
use crate::job::writes::{AXES, Target};

/// Threads by their place in the grid along x, y and z: the first and the last byte that each stored.
type Threads = BTreeMap<[u64; 3], (u64, u64)>;

/// Forms that own what threads may store, the widest first: more than was stored, where only some threads do.
pub fn fit(stores: &[Stored], target: &Target, block: [u32; 3]) -> Vec<Form> {
    tiles(&threads(stores, block), target, block.map(u64::from)).unwrap_or_default()
}

fn threads(stores: &[Stored], block: [u32; 3]) -> Threads {
    let [width, height, _] = block.map(|extent| u64::from(extent.max(1)));
    let mut threads = Threads::new();
    for stored in stores {
        let thread = u64::from(stored.thread);
        let row = thread.checked_div(width).unwrap_or(0);
        let inside = [thread.checked_rem(width), row.checked_rem(height), row.checked_div(height)];
        let mut place = [0; 3];
        for (((place, cta), extent), inside) in place.iter_mut().zip(stored.cta).zip(block).zip(inside) {
            *place = u64::from(cta).saturating_mul(extent.into()).saturating_add(inside.unwrap_or(0));
        }
        let (from, until) = (stored.offset, stored.offset.saturating_add(stored.bytes.into()));
        let bytes = threads.entry(place).or_insert((from, until));
        *bytes = (bytes.0.min(from), bytes.1.max(until));
    }
    threads
}

/// Bytes from one thread to the next along an axis, as most of those say that differ in it alone.
fn step(threads: &Threads, axis: usize) -> Option<u64> {
    let mut before: HashMap<[u64; 3], (u64, u64)> = HashMap::new();
    let mut votes: BTreeMap<u64, u32> = BTreeMap::new();
    for (place, (from, _)) in threads {
        let mut rest = *place;
        let at = std::mem::take(rest.get_mut(axis)?);
        if let Some((other, low)) = before.insert(rest, (at, *from))
            && let (Some(apart), Some(by)) = (at.checked_sub(other), from.checked_sub(low))
            && by.checked_rem(apart) == Some(0)
        {
            let count = votes.entry(by.checked_div(apart)?).or_default();
            *count = count.saturating_add(1);
        }
    }
    votes.into_iter().max_by_key(|(by, count)| (*count, std::cmp::Reverse(*by))).map(|vote| vote.0)
}

fn tiles(threads: &Threads, target: &Target, block: [u64; 3]) -> Option<Vec<Form>> {
    // Axes with their bytes from thread to thread, the nearest threads first.
    let mut axes: Vec<(Axis, u64)> = Vec::new();
    for axis in AXES {
        let ctas = *target.grid.get(axis.index())?;
        match step(threads, axis.index()).filter(|step| *step > 0) {
            Some(step) => axes.push((axis, step)),
            None if ctas <= 1 => {}
            None => return None,
        }
    }
    axes.sort_by_key(|(_, step)| *step);
    let (mut base, mut end) = (None::<u64>, 0);
    for (place, (from, until)) in threads {
        let shift = axes
            .iter()
            .try_fold(0u64, |sum, (axis, step)| sum.checked_add(place.get(axis.index())?.checked_mul(*step)?))?;
        let (from, until) = (from.checked_sub(shift)?, until.checked_sub(shift)?);
        base = Some(base.map_or(from, |base| base.min(from)));
        end = end.max(until);
    }
    let (base, element) = (base?, axes.first()?.1);
    if end.checked_sub(base)? > element {
        return None;
    }
    // A field of records: the whole records.
    let start = base.checked_sub(base.checked_rem(element)?)?;
    let base = if end.checked_sub(start)? <= element { start } else { base };
    let extent = |axis: Axis| {
        let tile = *block.get(axis.index())?;
        Some((tile, u64::from(*target.grid.get(axis.index())?).checked_mul(tile)?))
    };
    if let [(axis, step)] = axes.as_slice() {
        let bytes = extent(*axis)?.0.checked_mul(*step)?;
        return Some(vec![Form::Range { base, bytes, len: None, axis: None }]);
    }
    let room = target.len.checked_sub(base)?;
    let reached =
        |axis: Axis| Some(threads.keys().filter_map(|place| place.get(axis.index())).max()?.saturating_add(1));
    let mut forms = Vec::new();
    for wide in [true, false] {
        let (mut size, mut tile, mut below) = (Vec::new(), Vec::new(), 0u64);
        for (index, (axis, step)) in axes.iter().enumerate() {
            let (each, all) = extent(*axis)?;
            // As many as fit below the next step, or before the buffer ends.
            let most = match axes.get(index.checked_add(1)?) {
                Some((_, next)) => next.checked_div(*step)?,
                None if index == 0 => room.checked_div(*step)?,
                None => room.checked_sub(below)?.checked_div(*step)?.checked_add(1)?,
            };
            let count = most.min(all).min(if wide { all } else { reached(*axis)? });
            below = below.checked_add(match index {
                0 => count.checked_mul(*step)?,
                _ => count.checked_sub(1)?.checked_mul(*step)?,
            })?;
            size.push(count);
            tile.push(each);
        }
        let strides: Vec<u64> = axes.iter().map(|(_, step)| *step).collect();
        let (pitch, plane) = (*strides.get(1)?, strides.get(2).copied());
        let order: Vec<Axis> = axes.iter().map(|(axis, _)| *axis).collect();
        let form = Form::Tile {
            base,
            element,
            pitch: (size.first()?.checked_mul(element)? != pitch).then_some(pitch),
            plane: plane.filter(|plane| Some(*plane) != size.get(1).and_then(|rows| pitch.checked_mul(*rows))),
            axes: order.iter().zip(AXES).any(|(axis, usual)| *axis != usual).then_some(order),
            tile,
            size,
        };
        if !forms.contains(&form) {
            forms.push(form);
        }
    }
    Some(forms)
}
