//! The short way of loads and stores: what a warp mostly does, a row of lanes at a time.
//!
//! Whatever is out of the ordinary (an address outside its memory, a race, a byte that is not there) gives `false`; then the
//! access is made again from its start, run by run, which names the lane at fault. That the first attempt left marks in
//! the shadow changes nothing: they are those of the same threads at the same time, and a fault ends the block.

use super::{
    Fault, Machine,
    memory::{Bytes, Region, lanes, resolve},
    shadow::{self, Clock, Pages},
    warp::Warp,
};
use crate::ir::{Access, Ins, TAG_SHIFT};

/// How the addresses of the active lanes lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pattern {
    /// Active lanes are neighbours, and so are their addresses.
    Row,
    /// All the same.
    Same,
    Scattered,
}

/// What a warp addresses.
#[derive(Clone, Copy)]
struct Target {
    pattern: Pattern,
    /// Of the first active lane.
    address: u64,
    first: usize,
    count: usize,
}

/// All ones for an active lane.
#[inline(always)]
fn keep(mask: u32, lane: usize) -> u32 {
    0u32.wrapping_sub(mask >> lane & 1)
}

#[inline(always)]
fn target(warp: &Warp, ins: &Ins, access: Access, mask: u32, width: usize) -> Option<Target> {
    let first = mask.trailing_zeros() as usize & 31;
    let count = mask.count_ones() as usize;
    let by = i64::from(ins.imm) as u64;
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
            let keep = keep(mask, lane);
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

/// The offset of a lane's address in a memory of its own.
#[inline(always)]
fn place(warp: &Warp, ins: &Ins, access: Access, lane: usize) -> u64 {
    let by = i64::from(ins.imm) as u64;
    if access.wide {
        warp.d[usize::from(ins.a)][lane & 31].wrapping_add(by)
    } else {
        u64::from(warp.w[usize::from(ins.a)][lane & 31].wrapping_add(by as u32))
    }
}

/// The range of `length` bytes, if it is inside.
#[inline(always)]
fn part(bytes: &[u8], offset: u64, length: usize) -> Option<&[u8]> {
    let start = usize::try_from(offset).ok()?;
    bytes.get(start..start.checked_add(length)?)
}

#[inline(always)]
fn part_mut(bytes: &mut [u8], offset: u64, length: usize) -> Option<&mut [u8]> {
    let start = usize::try_from(offset).ok()?;
    bytes.get_mut(start..start.checked_add(length)?)
}

/// A copy whose length is mostly that of a whole row.
#[inline(always)]
fn copy(out: &mut [u8], from: &[u8]) {
    if let (Ok(out), Ok(from)) = (<&mut [u8; 128]>::try_from(&mut *out), <&[u8; 128]>::try_from(from)) {
        *out = *from;
    } else {
        out.copy_from_slice(from);
    }
}

macro_rules! by_width {
    ($width:expr, $name:ident => $then:expr) => {
        match $width {
            1 => {
                const $name: usize = 1;
                $then
            }
            2 => {
                const $name: usize = 2;
                $then
            }
            4 => {
                const $name: usize = 4;
                $then
            }
            8 => {
                const $name: usize = 8;
                $then
            }
            16 => {
                const $name: usize = 16;
                $then
            }
            _ => false,
        }
    };
}

impl Machine<'_> {
    #[inline(always)]
    pub(super) fn load(&mut self, warp: &mut Warp, ins: &Ins, access: Access, mask: u32) -> Result<(), Fault> {
        let width = usize::from(access.size) * usize::from(access.count);
        let mut bytes: Bytes = [0; 512];
        let fine = match target(warp, ins, access, mask, width) {
            Some(target) => by_width!(width, W => self.try_load::<W>(warp, ins, access, mask, target, &mut bytes)),
            None => false,
        };
        if !fine {
            return self.load_exact(warp, ins, access, mask);
        }
        self.unpack(warp, ins, access, &bytes, mask);
        Ok(())
    }

    #[inline(always)]
    pub(super) fn store(&mut self, warp: &mut Warp, ins: &Ins, access: Access, mask: u32) -> Result<(), Fault> {
        let width = usize::from(access.size) * usize::from(access.count);
        let mut bytes: Bytes = [0; 512];
        Self::pack(warp, ins, access, &mut bytes);
        let fine = match target(warp, ins, access, mask, width) {
            Some(target) => by_width!(width, W => self.try_store::<W>(warp, ins, access, mask, target, &bytes)),
            None => false,
        };
        if !fine {
            return self.store_exact(warp, ins, access, mask);
        }
        Ok(())
    }

    #[inline(always)]
    fn try_load<const W: usize>(
        &mut self,
        warp: &Warp,
        ins: &Ins,
        access: Access,
        mask: u32,
        target: Target,
        bytes: &mut Bytes,
    ) -> bool {
        let Target { pattern, address, first, count } = target;
        let Some((region, offset)) = resolve(access.place, address) else { return false };
        let clock = self.clock(warp);
        let thread = warp.first();
        match pattern {
            Pattern::Row => {
                let Some(out) = bytes.get_mut(first * W..(first + count) * W) else { return false };
                match region {
                    Region::Shared => {
                        let Some(from) = part(&self.shared, offset, count * W) else { return false };
                        copy(out, from);
                        let (at, per) = self.shared_grains::<W>(offset);
                        let run = shadow::Run { at, count, per, thread: thread + first as u32, clock };
                        self.shared_shadow.try_read_run(run, true)
                    }
                    Region::Table | Region::Param => match part(self.constants(region), offset, count * W) {
                        Some(from) => {
                            copy(out, from);
                            true
                        }
                        None => false,
                    },
                    Region::Buffer(buffer) => {
                        self.memory.load(buffer, offset, out).is_ok()
                            && (!self.tracks(buffer)
                                || self.try_pages::<W>(buffer, offset, thread + first as u32, count, clock, false))
                    }
                    Region::Local => self.gather_local::<W>(warp, ins, access, mask, bytes),
                }
            }
            Pattern::Same => {
                let mut one = [0u8; W];
                // One more reader tells the shadow that there are several.
                let second = (mask & (mask - 1)).trailing_zeros();
                match region {
                    Region::Shared => {
                        let Some(from) = part(&self.shared, offset, W) else { return false };
                        one.copy_from_slice(from);
                        let (at, per) = self.shared_grains::<W>(offset);
                        if !(self.shared_shadow.try_read(at, per, thread + first as u32, clock, true)
                            && self.shared_shadow.try_read(at, per, thread + second, clock, true))
                        {
                            return false;
                        }
                    }
                    Region::Table | Region::Param => match part(self.constants(region), offset, W) {
                        Some(from) => one.copy_from_slice(from),
                        None => return false,
                    },
                    Region::Buffer(buffer) => {
                        if self.memory.load(buffer, offset, &mut one).is_err() {
                            return false;
                        }
                        if self.tracks(buffer) {
                            let (at, per) = self.global_grains::<W>(buffer, offset);
                            if !(self.pages.shadow.try_read(at, per, thread + first as u32, clock, false)
                                && self.pages.shadow.try_read(at, per, thread + second, clock, false))
                            {
                                return false;
                            }
                        }
                    }
                    Region::Local => return self.gather_local::<W>(warp, ins, access, mask, bytes),
                }
                for out in bytes.as_chunks_mut::<W>().0.iter_mut().take(32) {
                    *out = one;
                }
                true
            }
            Pattern::Scattered => match region {
                Region::Shared => self.gather_shared::<W>(warp, ins, access, mask, clock, bytes),
                Region::Table | Region::Param => self.gather_constants::<W>(warp, ins, access, mask, region, bytes),
                Region::Buffer(buffer) => {
                    let Some(offsets) = offsets(warp, ins, access, mask, address, offset) else { return false };
                    if self.memory.load_lanes(buffer, &offsets, mask, W, bytes).is_err() {
                        return false;
                    }
                    if self.tracks(buffer) {
                        for lane in lanes(mask) {
                            let (at, per) = self.global_grains::<W>(buffer, offsets[lane & 31]);
                            if !self.pages.shadow.try_read(at, per, thread + lane as u32, clock, false) {
                                return false;
                            }
                        }
                    }
                    true
                }
                Region::Local => self.gather_local::<W>(warp, ins, access, mask, bytes),
            },
        }
    }

    #[inline(always)]
    fn try_store<const W: usize>(
        &mut self,
        warp: &mut Warp,
        ins: &Ins,
        access: Access,
        mask: u32,
        target: Target,
        bytes: &Bytes,
    ) -> bool {
        let Target { pattern, address, first, count } = target;
        let Some((region, offset)) = resolve(access.place, address) else { return false };
        let clock = self.clock(warp);
        let thread = warp.first();
        match region {
            Region::Shared if pattern == Pattern::Row => {
                let (at, per) = self.shared_grains::<W>(offset);
                let Some(to) = part_mut(&mut self.shared, offset, count * W) else { return false };
                let Some(from) = bytes.get(first * W..(first + count) * W) else { return false };
                let run = shadow::Run { at, count, per, thread: thread + first as u32, clock };
                if !self.shared_shadow.try_write_run(run) {
                    return false;
                }
                copy(to, from);
                true
            }
            Region::Shared => self.scatter_shared::<W>(warp, ins, access, mask, clock, bytes),
            Region::Buffer(buffer) if pattern == Pattern::Row => {
                let Some(from) = bytes.get(first * W..(first + count) * W) else { return false };
                // What a race overwrites is looked at once more.
                (!self.tracks(buffer) || self.try_pages::<W>(buffer, offset, thread + first as u32, count, clock, true))
                    && self.memory.store(buffer, offset, from).is_ok()
            }
            Region::Buffer(buffer) => {
                let Some(offsets) = offsets(warp, ins, access, mask, address, offset) else { return false };
                if self.tracks(buffer) {
                    for lane in lanes(mask) {
                        let (at, per) = self.global_grains::<W>(buffer, offsets[lane & 31]);
                        if !self.pages.shadow.try_write(at, per, thread + lane as u32, clock) {
                            return false;
                        }
                    }
                }
                self.memory.store_lanes(buffer, &offsets, mask, W, bytes).is_ok()
            }
            Region::Local => Self::scatter_local::<W>(warp, ins, access, mask, bytes),
            Region::Table | Region::Param => false,
        }
    }

    /// The bytes of a region that nothing writes.
    #[inline(always)]
    fn constants(&self, region: Region) -> &[u8] {
        if region == Region::Table { &self.code.table } else { &self.params }
    }

    /// Place in the shadow of what lies at an offset of shared memory, and how many grains `W` bytes are, as a power of two.
    #[inline(always)]
    fn shared_grains<const W: usize>(&self, offset: u64) -> (usize, u32) {
        let grain = self.code.shared_grain.trailing_zeros();
        ((offset >> grain) as usize, W.trailing_zeros().wrapping_sub(grain) & 7)
    }

    /// The same for a buffer.
    #[inline(always)]
    fn global_grains<const W: usize>(&mut self, buffer: u16, offset: u64) -> (usize, u32) {
        let grain = self.code.global_grain.trailing_zeros();
        (self.pages.find(buffer, offset >> grain), W.trailing_zeros().wrapping_sub(grain) & 7)
    }

    /// A row in the shadow of a buffer.
    #[inline(always)]
    fn try_pages<const W: usize>(
        &mut self,
        buffer: u16,
        offset: u64,
        thread: u32,
        count: usize,
        clock: Clock,
        write: bool,
    ) -> bool {
        let mut done = 0;
        while done < count {
            let offset = offset.wrapping_add((done * W) as u64);
            let (at, per) = self.global_grains::<W>(buffer, offset);
            let rest = Pages::rest(at as u64) >> per;
            let count = rest.clamp(1, count - done);
            let run = shadow::Run { at, count, per, thread: thread + done as u32, clock };
            let fine =
                if write { self.pages.shadow.try_write_run(run) } else { self.pages.shadow.try_read_run(run, false) };
            if !fine {
                return false;
            }
            done += count;
        }
        true
    }

    #[inline(always)]
    fn gather_shared<const W: usize>(
        &mut self,
        warp: &Warp,
        ins: &Ins,
        access: Access,
        mask: u32,
        clock: Clock,
        bytes: &mut Bytes,
    ) -> bool {
        let out = bytes.as_chunks_mut::<W>().0;
        for lane in lanes(mask) {
            let (_, offset) = match resolve(access.place, place(warp, ins, access, lane)) {
                Some((Region::Shared, offset)) => (Region::Shared, offset),
                _ => return false,
            };
            let (Some(from), Some(out)) = (part(&self.shared, offset, W), out.get_mut(lane)) else { return false };
            out.copy_from_slice(from);
            let (at, per) = self.shared_grains::<W>(offset);
            if !self.shared_shadow.try_read(at, per, warp.first() + lane as u32, clock, true) {
                return false;
            }
        }
        true
    }

    #[inline(always)]
    fn scatter_shared<const W: usize>(
        &mut self,
        warp: &Warp,
        ins: &Ins,
        access: Access,
        mask: u32,
        clock: Clock,
        bytes: &Bytes,
    ) -> bool {
        let from = bytes.as_chunks::<W>().0;
        for lane in lanes(mask) {
            let Some((Region::Shared, offset)) = resolve(access.place, place(warp, ins, access, lane)) else {
                return false;
            };
            let (at, per) = self.shared_grains::<W>(offset);
            let (Some(to), Some(from)) = (part_mut(&mut self.shared, offset, W), from.get(lane)) else { return false };
            if !self.shared_shadow.try_write(at, per, warp.first() + lane as u32, clock) {
                return false;
            }
            to.copy_from_slice(from);
        }
        true
    }

    #[inline(always)]
    fn gather_constants<const W: usize>(
        &self,
        warp: &Warp,
        ins: &Ins,
        access: Access,
        mask: u32,
        region: Region,
        bytes: &mut Bytes,
    ) -> bool {
        let held = self.constants(region);
        let out = bytes.as_chunks_mut::<W>().0;
        for lane in lanes(mask) {
            let found = match resolve(access.place, place(warp, ins, access, lane)) {
                Some((found, offset)) if found == region => part(held, offset, W),
                _ => None,
            };
            let (Some(from), Some(out)) = (found, out.get_mut(lane)) else { return false };
            out.copy_from_slice(from);
        }
        true
    }

    #[inline(always)]
    fn gather_local<const W: usize>(
        &self,
        warp: &Warp,
        ins: &Ins,
        access: Access,
        mask: u32,
        bytes: &mut Bytes,
    ) -> bool {
        let out = bytes.as_chunks_mut::<W>().0;
        for lane in lanes(mask) {
            let Some((Region::Local, offset)) = resolve(access.place, place(warp, ins, access, lane)) else {
                return false;
            };
            let (Ok(start), Some(out)) = (usize::try_from(offset), out.get_mut(lane)) else { return false };
            for (word, out) in out.chunks_mut(4).enumerate() {
                let at = start / 4 + word;
                let (Some(row), Some(written)) = (warp.local.get(at), warp.local_written.get(at)) else {
                    return false;
                };
                let value = row[lane & 31].to_le_bytes();
                for (by, out) in out.iter_mut().enumerate() {
                    let by = (start + by) % 4;
                    if written[by] >> lane & 1 == 0 {
                        return false;
                    }
                    *out = value[by];
                }
            }
        }
        true
    }

    #[inline(always)]
    fn scatter_local<const W: usize>(warp: &mut Warp, ins: &Ins, access: Access, mask: u32, bytes: &Bytes) -> bool {
        let from = bytes.as_chunks::<W>().0;
        for lane in lanes(mask) {
            let Some((Region::Local, offset)) = resolve(access.place, place(warp, ins, access, lane)) else {
                return false;
            };
            let (Ok(start), Some(from)) = (usize::try_from(offset), from.get(lane)) else { return false };
            for (word, from) in from.chunks(4).enumerate() {
                let at = start / 4 + word;
                let (Some(row), Some(written)) = (warp.local.get_mut(at), warp.local_written.get_mut(at)) else {
                    return false;
                };
                let mut value = row[lane & 31].to_le_bytes();
                for (by, from) in from.iter().enumerate() {
                    let by = (start + by) % 4;
                    written[by] |= 1 << lane;
                    value[by] = *from;
                }
                row[lane & 31] = u32::from_le_bytes(value);
            }
        }
        true
    }
}

/// Offsets of all lanes in the buffer that the first active lane's address leads to; `None` where lanes go elsewhere.
#[inline(always)]
fn offsets(warp: &Warp, ins: &Ins, access: Access, mask: u32, address: u64, offset: u64) -> Option<[u64; 32]> {
    if !access.wide {
        return None;
    }
    let by = i64::from(ins.imm) as u64;
    let mut offsets = [0u64; 32];
    let mut apart = 0u64;
    for (lane, (into, at)) in offsets.iter_mut().zip(&warp.d[usize::from(ins.a)]).enumerate() {
        let at = at.wrapping_add(by);
        apart |= (at ^ address) & 0u64.wrapping_sub(u64::from(mask >> lane & 1));
        *into = offset.wrapping_add(at.wrapping_sub(address));
    }
    (apart >> TAG_SHIFT == 0).then_some(offsets)
}
