//! Reductions: the short way, and with every check in its place.

use super::{
    Fault, Machine,
    memory::{Region, lanes, located, objection, out_of_bounds, resolve},
    rows::{Scratch, slice, slice_mut},
    target::{Pattern, Target, offsets, target},
    warp::Warp,
};
use crate::{
    TrapKind,
    ir::{Access, Ins, Reduce},
};

impl Machine<'_> {
    #[inline(never)]
    pub(super) fn reduce(
        &mut self,
        warp: &mut Warp,
        ins: &Ins,
        operation: Reduce,
        access: Access,
        mask: u32,
    ) -> Result<(), Fault> {
        let width = usize::from(access.size);
        let done = match target(warp, ins, access, mask, width) {
            Some(target) if width == 8 => {
                let values = warp.d[usize::from(ins.b)];
                self.try_reduce::<8>(warp, ins, operation, access, mask, target, |lane| values[lane])
            }
            Some(target) => {
                let values = warp.w[usize::from(ins.b)];
                self.try_reduce::<4>(warp, ins, operation, access, mask, target, |lane| values[lane].into())
            }
            None => Ok(false),
        };
        if done? { Ok(()) } else { self.reduce_exact(warp, ins, operation, access, mask) }
    }

    /// False where nothing is done yet.
    #[inline(always)]
    #[allow(clippy::too_many_arguments)]
    fn try_reduce<const W: usize>(
        &mut self,
        warp: &mut Warp,
        ins: &Ins,
        operation: Reduce,
        access: Access,
        mask: u32,
        target: Target,
        values: impl Fn(usize) -> u64,
    ) -> Result<bool, Fault> {
        let Some((region, offset)) = resolve(access.place, target.address) else { return Ok(false) };
        let Some(mut held) = self.scratch.take() else { return Ok(false) };
        let within = offsets(warp, ins, access, mask, target.address, offset, &mut held.offsets);
        let done = within.then(|| self.reduce_lanes::<W>(warp, operation, mask, region, target, &mut held, values));
        self.scratch = Some(held);
        done.unwrap_or(Ok(false))
    }

    #[inline(always)]
    #[allow(clippy::too_many_arguments)]
    fn reduce_lanes<const W: usize>(
        &mut self,
        warp: &Warp,
        operation: Reduce,
        mask: u32,
        region: Region,
        target: Target,
        scratch: &mut Scratch,
        values: impl Fn(usize) -> u64,
    ) -> Result<bool, Fault> {
        let Scratch { bytes, offsets, at } = scratch;
        let offset = offsets[target.first & 31];
        let same = target.pattern == Pattern::Same;
        let total = || {
            let first = values(target.first & 31);
            lanes(mask & (mask - 1)).fold(first, |total, lane| join::<W>(operation, total, values(lane & 31)))
        };
        let (thread, clock, kind) = (warp.first(), self.clock(warp), kind_of(operation, W));
        match region {
            Region::Shared => {
                let grain = self.code.shared_grain.trailing_zeros();
                let per = W.trailing_zeros().wrapping_sub(grain) & 7;
                for (at, offset) in at.iter_mut().zip(&*offsets) {
                    *at = (offset >> grain) as u32;
                }
                let last = offsets.iter().fold(0, |last, offset| last.max(*offset));
                if slice(&self.shared, last, W).is_none()
                    || !self.shared_shadow.try_reduce_lanes(at, mask, per, thread, kind, clock, same, true)
                {
                    return Ok(false);
                }
                let mut apply = |lane: usize, value: u64| {
                    if let Some(cell) = slice_mut(&mut self.shared, offsets[lane & 31], W) {
                        join_bytes::<W>(operation, cell, value);
                    }
                };
                if same {
                    apply(target.first, total());
                } else {
                    lanes(mask).for_each(|lane| apply(lane, values(lane & 31)));
                }
                Ok(true)
            }
            Region::Buffer(buffer) => {
                if self.tracks(buffer) {
                    let per = self.pages_of::<W>(buffer, offsets, mask, at);
                    if !self.pages.shadow.try_reduce_lanes(at, mask, per, thread, kind, clock, same, false) {
                        return Ok(false);
                    }
                }
                let mut cell = [0u8; W];
                if same {
                    if self.memory.load(buffer, offset, &mut cell).is_err() {
                        return Ok(false);
                    }
                    join_bytes::<W>(operation, &mut cell, total());
                    return Ok(self.memory.store(buffer, offset, &cell).is_ok());
                }
                if are_apart::<W>(offsets, mask) && self.memory.load_lanes(buffer, offsets, mask, W, bytes).is_ok() {
                    let cells = bytes.as_chunks_mut::<W>().0;
                    for lane in lanes(mask) {
                        if let Some(cell) = cells.get_mut(lane) {
                            join_bytes::<W>(operation, cell, values(lane & 31));
                        }
                    }
                    if self.memory.store_lanes(buffer, offsets, mask, W, bytes).is_ok() {
                        return Ok(true);
                    }
                    // Once more, to name the lane.
                    for (lane, cell) in bytes.as_chunks::<W>().0.iter().enumerate().take(32) {
                        if mask >> lane & 1 == 1
                            && let Err(error) = self.memory.store(buffer, offsets[lane], cell)
                        {
                            return Err(self.refused(buffer, offsets[lane], W, lane, error));
                        }
                    }
                    return Ok(true);
                }
                for lane in lanes(mask) {
                    let offset = offsets[lane & 31];
                    let made = self.memory.load(buffer, offset, &mut cell).and_then(|()| {
                        join_bytes::<W>(operation, &mut cell, values(lane & 31));
                        self.memory.store(buffer, offset, &cell)
                    });
                    if let Err(error) = made {
                        return Err(self.refused(buffer, offset, W, lane, error));
                    }
                }
                Ok(true)
            }
            Region::Table | Region::Param | Region::Local => Ok(false),
        }
    }
}

/// Whether no two lanes address the same element, as far as can be seen at once.
#[inline(always)]
fn are_apart<const W: usize>(offsets: &[u64; 32], mask: u32) -> bool {
    let low = offsets.iter().fold(u64::MAX, |low, offset| low.min(*offset));
    let mut seen = [0u64; 16];
    for lane in lanes(mask) {
        let cell = (offsets[lane & 31] - low) / W as u64;
        let Some(word) = seen.get_mut((cell / 64) as usize) else { return false };
        if *word >> (cell % 64) & 1 == 1 {
            return false;
        }
        *word |= 1 << (cell % 64);
    }
    true
}

#[inline(always)]
fn join<const W: usize>(operation: Reduce, a: u64, b: u64) -> u64 {
    if W == 8 { combine64(operation, a, b) } else { combine(operation, a as u32, b as u32).into() }
}

/// One step of a reduction on a cell.
#[inline(always)]
fn join_bytes<const W: usize>(operation: Reduce, cell: &mut [u8], value: u64) {
    if let Ok(cell) = <&mut [u8; W]>::try_from(cell) {
        let mut old = [0u8; 8];
        old[..W].copy_from_slice(cell);
        let new = join::<W>(operation, u64::from_le_bytes(old), value).to_le_bytes();
        cell.copy_from_slice(&new[..W]);
    }
}

impl Machine<'_> {
    /// Lane by lane, with every check in its place.
    fn reduce_exact(
        &mut self,
        warp: &mut Warp,
        ins: &Ins,
        operation: Reduce,
        access: Access,
        mask: u32,
    ) -> Result<(), Fault> {
        let width = usize::from(access.size);
        let addresses = Self::addresses(warp, ins, access);
        Self::check_alignment(&addresses, mask, width as u64, access.place)?;
        let clock = self.clock(warp);
        let grain = self.code.shared_grain as usize;
        for lane in lanes(mask) {
            let (region, offset) = resolve(access.place, addresses[lane]).ok_or(out_of_bounds(lane))?;
            match region {
                Region::Shared => {}
                Region::Buffer(buffer) => {
                    self.reduce_global(warp, ins, operation, (buffer, offset), width, lane)?;
                    continue;
                }
                // Module variables belong to no thread block.
                Region::Table => return Err(Fault::trap(TrapKind::NotOwned, lane)),
                Region::Local | Region::Param => return Err(out_of_bounds(lane)),
            }
            let start = usize::try_from(offset).map_err(|_| out_of_bounds(lane))?;
            let thread = warp.first() + lane as u32;
            let Some(cell) = self.shared.get_mut(start..start.saturating_add(width)) else {
                return Err(out_of_bounds(lane));
            };
            for at in start / grain..(start + width) / grain {
                if !self.shared_shadow.written(at) {
                    return Err(Fault::trap(TrapKind::Uninitialised, lane));
                }
                self.shared_shadow
                    .reduce(at, thread, kind_of(operation, width), clock)
                    .map_err(|why| objection(why, lane))?;
            }
            combine_bytes(operation, cell, warp, ins, lane);
        }
        Ok(())
    }

    /// One lane's reduction in a buffer: the block must own the bytes.
    fn reduce_global(
        &mut self,
        warp: &Warp,
        ins: &Ins,
        operation: Reduce,
        (buffer, offset): (u16, u64),
        width: usize,
        lane: usize,
    ) -> Result<(), Fault> {
        let mut bytes = [0u8; 8];
        let cell = &mut bytes[..width];
        if let Err(error) = self.memory.load(buffer, offset, cell) {
            return Err(self.refused(buffer, offset, width, lane, error));
        }
        combine_bytes(operation, cell, warp, ins, lane);
        if let Err(error) = self.memory.store(buffer, offset, cell) {
            return Err(self.refused(buffer, offset, width, lane, error));
        }
        if self.tracks(buffer) {
            let clock = self.clock(warp);
            let grain = u64::from(self.code.global_grain);
            for at in offset / grain..(offset + width as u64) / grain {
                let at = self.pages.find(buffer, at);
                self.pages
                    .shadow
                    .reduce(at, warp.first() + lane as u32, kind_of(operation, width), clock)
                    .map_err(|why| located(objection(why, lane), Region::Buffer(buffer), offset))?;
            }
        }
        Ok(())
    }
}

/// What the race detector tells apart: a sum of 64 bits carries where one of 32 does not.
fn kind_of(operation: Reduce, width: usize) -> u32 {
    operation as u32 | width as u32 & 8
}

/// One step of a reduction on the bytes of a cell, 4 or 8 of them.
fn combine_bytes(operation: Reduce, cell: &mut [u8], warp: &Warp, ins: &Ins, lane: usize) {
    if cell.len() == 8 {
        let mut old = [0u8; 8];
        old.copy_from_slice(cell);
        let new = combine64(operation, u64::from_le_bytes(old), warp.d[usize::from(ins.b)][lane]);
        cell.copy_from_slice(&new.to_le_bytes());
    } else {
        let mut old = [0u8; 4];
        old.copy_from_slice(cell);
        let new = combine(operation, u32::from_le_bytes(old), warp.w[usize::from(ins.b)][lane]);
        cell.copy_from_slice(&new.to_le_bytes());
    }
}

/// One step of a reduction.
#[inline]
pub(super) fn combine(operation: Reduce, a: u32, b: u32) -> u32 {
    match operation {
        Reduce::Add => a.wrapping_add(b),
        Reduce::And => a & b,
        Reduce::Or => a | b,
        Reduce::Xor => a ^ b,
        Reduce::MinU => a.min(b),
        Reduce::MaxU => a.max(b),
        Reduce::MinS => (a as i32).min(b as i32) as u32,
        Reduce::MaxS => (a as i32).max(b as i32) as u32,
    }
}

#[inline]
pub(super) fn combine64(operation: Reduce, a: u64, b: u64) -> u64 {
    match operation {
        Reduce::Add => a.wrapping_add(b),
        Reduce::And => a & b,
        Reduce::Or => a | b,
        Reduce::Xor => a ^ b,
        Reduce::MinU => a.min(b),
        Reduce::MaxU => a.max(b),
        Reduce::MinS => (a as i64).min(b as i64) as u64,
        Reduce::MaxS => (a as i64).max(b as i64) as u64,
    }
}
