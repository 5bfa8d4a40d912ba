//! How the addresses of a warp's lanes lie.

use super::warp::Warp;
use crate::ir::{Access, Ins, TAG_SHIFT};

/// How the addresses of the active lanes lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pattern {
    /// Active lanes are neighbours, and so are their addresses.
    Row,
    /// All the same.
    Same,
    Scattered,
}

/// What a warp addresses.
#[derive(Clone, Copy)]
pub(super) struct Target {
    pub(super) pattern: Pattern,
    /// Of the first active lane.
    pub(super) address: u64,
    pub(super) first: usize,
    pub(super) count: usize,
}

/// Whether the addresses of a whole warp are each the one before and `step` more.
#[inline(always)]
fn regular<T: Copy + Eq>(base: &[T; 32], mut expected: T, next: impl Fn(T) -> T) -> bool {
    for eight in base.as_chunks::<8>().0 {
        let mut regular = true;
        for at in eight {
            regular &= *at == expected;
            expected = next(expected);
        }
        if !regular {
            return false;
        }
    }
    true
}

#[inline(always)]
pub(super) fn target(warp: &Warp, ins: &Ins, access: Access, mask: u32, width: usize) -> Option<Target> {
    let by = i64::from(ins.imm) as u64;
    if mask == u32::MAX {
        // A row, or the same address, shows in the first two lanes.
        let (address, regular, same, low) = if access.wide {
            let base = &warp.d[usize::from(ins.a)];
            let step = base[1].wrapping_sub(base[0]);
            let regular = (step == 0 || step == width as u64) && regular(base, base[0], |at| at.wrapping_add(step));
            let low = if regular { 0 } else { base.iter().fold(0, |ors, at| ors | at.wrapping_add(by)) as usize };
            (base[0].wrapping_add(by), regular, step == 0, low)
        } else {
            let (base, by) = (&warp.w[usize::from(ins.a)], by as u32);
            let step = base[1].wrapping_sub(base[0]);
            let regular = (step == 0 || step == width as u32) && regular(base, base[0], |at| at.wrapping_add(step));
            let low = if regular { 0 } else { base.iter().fold(0, |ors, at| ors | at.wrapping_add(by)) as usize };
            (base[0].wrapping_add(by).into(), regular, step == 0, low)
        };
        let pattern = match (regular, same) {
            (true, true) => Pattern::Same,
            (true, false) => Pattern::Row,
            _ => Pattern::Scattered,
        };
        let aligned = (low | address as usize) & (width - 1) == 0;
        return aligned.then_some(Target { pattern, address, first: 0, count: 32 });
    }
    let first = mask.trailing_zeros() as usize & 31;
    let count = mask.count_ones() as usize;
    let (same, row, address, low);
    if access.wide {
        let base = &warp.d[usize::from(ins.a)];
        let start = base[first];
        let (mut apart, mut astray, mut ors) = (0u64, 0u64, 0u64);
        let expected = (first * width) as u64;
        for (lane, at) in base.iter().enumerate() {
            let keep = 0u64.wrapping_sub(u64::from(mask >> lane & 1));
            let delta = at.wrapping_sub(start);
            apart |= delta & keep;
            astray |= (delta.wrapping_add(expected) ^ (lane * width) as u64) & keep;
            ors |= at.wrapping_add(by) & keep;
        }
        (same, row, address, low) = (apart == 0, astray == 0, start.wrapping_add(by), ors as usize);
    } else {
        let base = &warp.w[usize::from(ins.a)];
        let start = base[first];
        let (mut apart, mut astray, mut ors) = (0u32, 0u32, 0u32);
        let expected = (first * width) as u32;
        for (lane, at) in base.iter().enumerate() {
            let keep = 0u32.wrapping_sub(mask >> lane & 1);
            let delta = at.wrapping_sub(start);
            apart |= delta & keep;
            astray |= (delta.wrapping_add(expected) ^ (lane * width) as u32) & keep;
            ors |= at.wrapping_add(by as u32) & keep;
        }
        (same, row, address, low) = (apart == 0, astray == 0, u64::from(start.wrapping_add(by as u32)), ors as usize);
    }
    let together = mask >> first == u32::MAX >> (32 - count.clamp(1, 32));
    let pattern = match (row && together, same) {
        (true, _) => Pattern::Row,
        (_, true) => Pattern::Same,
        _ => Pattern::Scattered,
    };
    (low & (width - 1) == 0 && count > 0).then_some(Target { pattern, address, first, count })
}
/// Neighbouring lanes that read alike.
#[derive(Clone, Copy)]
pub(super) struct Part {
    pub(super) pattern: Pattern,
    pub(super) offset: u64,
    pub(super) first: usize,
    pub(super) count: usize,
    /// Another of the lanes, where they read the same.
    pub(super) second: usize,
}

/// By lane: whether the lane before it addresses what lies before, or the same.
#[derive(Clone, Copy)]
pub(super) struct Links {
    pub(super) next: u32,
    pub(super) same: u32,
}

impl Links {
    #[inline(always)]
    pub(super) fn of(offsets: &[u64; 32], mask: u32, width: usize) -> Self {
        let (mut next, mut same) = (0u32, 0u32);
        for lane in 1..32 {
            let delta = offsets[lane].wrapping_sub(offsets[lane - 1]);
            next |= u32::from(delta == width as u64) << lane;
            same |= u32::from(delta == 0) << lane;
        }
        let both = mask & mask << 1;
        Self { next: next & both, same: same & both }
    }

    /// Whether it pays to go run by run.
    #[inline(always)]
    pub(super) fn are_few(self, mask: u32) -> bool {
        (mask & !(self.next | self.same)).count_ones() <= 5
    }

    /// The run that starts at a lane.
    #[inline(always)]
    pub(super) fn run(self, first: usize) -> (Pattern, usize) {
        let after = |links: u32| (links.checked_shr(first as u32 + 1).unwrap_or(0)).trailing_ones() as usize;
        match after(self.same) {
            0 => (Pattern::Row, after(self.next) + 1),
            more => (Pattern::Same, more + 1),
        }
    }
}

/// Offsets of all lanes in the region that the first active lane's address leads to; false where lanes go elsewhere. Lanes that sleep have that
/// of the first that does not.
#[inline(always)]
pub(super) fn offsets(
    warp: &Warp,
    ins: &Ins,
    access: Access,
    mask: u32,
    address: u64,
    offset: u64,
    offsets: &mut [u64; 32],
) -> bool {
    let by = i64::from(ins.imm) as u64;
    let mut apart = 0u64;
    if access.wide {
        for (lane, (into, at)) in offsets.iter_mut().zip(&warp.d[usize::from(ins.a)]).enumerate() {
            let at = at.wrapping_add(by);
            let keep = 0u64.wrapping_sub(u64::from(mask >> lane & 1));
            apart |= (at ^ address) & keep;
            *into = offset.wrapping_add(at.wrapping_sub(address) & keep);
        }
    } else {
        for (lane, (into, at)) in offsets.iter_mut().zip(&warp.w[usize::from(ins.a)]).enumerate() {
            let at = u64::from(at.wrapping_add(by as u32));
            let keep = 0u64.wrapping_sub(u64::from(mask >> lane & 1));
            *into = at & keep | offset & !keep;
        }
    }
    apart >> TAG_SHIFT == 0
}
