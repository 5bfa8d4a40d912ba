//! The short way of loads and stores: what a warp mostly does, a row of lanes at a time.
//!
//! Whatever is out of the ordinary (an address outside its memory, a race, a byte that is not there) gives `false`; then the
//! access is made again from its start, run by run, which names the lane at fault. That the first attempt left marks in
//! the shadow changes nothing: they are those of the same threads at the same time, and a fault ends the block.

use super::{
    Fault, Machine,
    bytes::{BYTES, Bytes},
    local::{gather_local, scatter_local},
    memory::{Region, lanes, resolve},
    pages::Pages,
    shadow::{self, Clock},
    target::{Links, Part, Pattern, Target, offsets, target},
    warp::Warp,
};
use crate::ir::{Access, Ins};
use alloc::boxed::Box;

/// The range of `length` bytes, if it is inside.
#[inline(always)]
pub(super) fn slice(bytes: &[u8], offset: u64, length: usize) -> Option<&[u8]> {
    let start = usize::try_from(offset).ok()?;
    bytes.get(start..start.checked_add(length)?)
}

#[inline(always)]
pub(super) fn slice_mut(bytes: &mut [u8], offset: u64, length: usize) -> Option<&mut [u8]> {
    let start = usize::try_from(offset).ok()?;
    bytes.get_mut(start..start.checked_add(length)?)
}

/// A copy whose length is mostly that of a whole row.
#[inline(always)]
fn copy(out: &mut [u8], from: &[u8]) {
    if let (Ok(out), Ok(from)) = (<&mut [u8; 128]>::try_from(&mut *out), <&[u8; 128]>::try_from(from)) {
        *out = *from;
    } else if let (Ok(out), Ok(from)) = (<&mut [u8; 64]>::try_from(&mut *out), <&[u8; 64]>::try_from(from)) {
        *out = *from;
    } else {
        out.copy_from_slice(from);
    }
}

/// What one access works on, kept for the next: filling it with zeros each time would cost as much as the access.
pub(super) struct Scratch {
    /// Of all lanes, lane after lane.
    pub(super) bytes: Bytes,
    pub(super) offsets: [u64; 32],
    /// Places in the shadow.
    pub(super) at: [u32; 32],
}

impl Scratch {
    pub(super) fn new() -> Box<Self> {
        Box::new(Self { bytes: [0; BYTES], offsets: [0; 32], at: [0; 32] })
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
        let Some(mut held) = self.scratch.take() else { return self.load_exact(warp, ins, access, mask) };
        let fine = match target(warp, ins, access, mask, width) {
            Some(target) => by_width!(width, W => self.try_load::<W>(warp, ins, access, mask, target, &mut held)),
            None => false,
        };
        if fine {
            self.unpack(warp, ins, access, &held.bytes, mask);
        }
        self.scratch = Some(held);
        if fine { Ok(()) } else { self.load_exact(warp, ins, access, mask) }
    }

    #[inline(always)]
    pub(super) fn store(&mut self, warp: &mut Warp, ins: &Ins, access: Access, mask: u32) -> Result<(), Fault> {
        let width = usize::from(access.size) * usize::from(access.count);
        let Some(mut held) = self.scratch.take() else { return self.store_exact(warp, ins, access, mask) };
        Self::pack(warp, ins, access, &mut held.bytes);
        let fine = match target(warp, ins, access, mask, width) {
            Some(target) => by_width!(width, W => self.try_store::<W>(warp, ins, access, mask, target, &mut held)),
            None => false,
        };
        self.scratch = Some(held);
        if fine { Ok(()) } else { self.store_exact(warp, ins, access, mask) }
    }

    #[inline(always)]
    fn try_load<const W: usize>(
        &mut self,
        warp: &Warp,
        ins: &Ins,
        access: Access,
        mask: u32,
        target: Target,
        scratch: &mut Scratch,
    ) -> bool {
        let Target { pattern, address, first, count } = target;
        let Some((region, offset)) = resolve(access.place, address) else { return false };
        if pattern == Pattern::Scattered || region == Region::Local {
            if !offsets(warp, ins, access, mask, address, offset, &mut scratch.offsets) {
                return false;
            }
            let links = Links::of(&scratch.offsets, mask, W);
            if region == Region::Local || !links.are_few(mask) {
                return self.gather::<W>(warp, region, scratch, mask);
            }
            let mut left = mask;
            while left != 0 {
                let first = left.trailing_zeros() as usize & 31;
                let (pattern, count) = links.run(first);
                let part = Part { pattern, offset: scratch.offsets[first], first, count, second: first + 1 };
                if !self.load_part::<W>(warp, region, part, &mut scratch.bytes) {
                    return false;
                }
                left &= u32::MAX.checked_shl((first + count) as u32).unwrap_or(0);
            }
            return true;
        }
        let second = (mask & (mask - 1)).trailing_zeros() as usize;
        let count = if pattern == Pattern::Row { count } else { 32 };
        self.load_part::<W>(warp, region, Part { pattern, offset, first, count, second }, &mut scratch.bytes)
    }

    /// Neighbouring lanes that read neighbouring bytes, or the same.
    #[inline(always)]
    fn load_part<const W: usize>(&mut self, warp: &Warp, region: Region, part: Part, bytes: &mut Bytes) -> bool {
        let Part { pattern, offset, first, count, second } = part;
        let thread = warp.first();
        let clock = self.clock(warp);
        let mut one = [0u8; W];
        let out: &mut [u8] = if pattern == Pattern::Row {
            let Some(out) = bytes.get_mut(first * W..(first + count) * W) else { return false };
            out
        } else {
            &mut one
        };
        let thread_of = |lane: usize| thread + lane as u32;
        match region {
            Region::Shared => {
                let Some(from) = slice(&self.shared, offset, out.len()) else { return false };
                copy(out, from);
                let (at, per) = self.shared_grains::<W>(offset);
                let fine = if pattern == Pattern::Row {
                    let run = shadow::Run { at, count, per, thread: thread_of(first), clock };
                    self.shared_shadow.try_read_run(run, true)
                } else {
                    // One more reader tells the shadow that there are several.
                    self.shared_shadow.try_read(at, per, thread_of(first), clock, true)
                        && self.shared_shadow.try_read(at, per, thread_of(second), clock, true)
                };
                if !fine {
                    return false;
                }
            }
            Region::Table | Region::Param => {
                let Some(from) = slice(self.constants(region), offset, out.len()) else { return false };
                copy(out, from);
            }
            Region::Buffer(buffer) => {
                if self.memory.load(buffer, offset, out).is_err() {
                    return false;
                }
                if self.tracks(buffer) {
                    let fine = if pattern == Pattern::Row {
                        self.try_pages::<W>(buffer, offset, thread_of(first), count, clock, false)
                    } else {
                        let (at, per) = self.global_grains::<W>(buffer, offset);
                        self.pages.shadow.try_read(at, per, thread_of(first), clock, false)
                            && self.pages.shadow.try_read(at, per, thread_of(second), clock, false)
                    };
                    if !fine {
                        return false;
                    }
                }
            }
            Region::Local => return false,
        }
        if pattern != Pattern::Row {
            for out in bytes.as_chunks_mut::<W>().0.iter_mut().take(32).skip(first).take(count) {
                *out = one;
            }
        }
        true
    }

    #[inline(always)]
    fn try_store<const W: usize>(
        &mut self,
        warp: &mut Warp,
        ins: &Ins,
        access: Access,
        mask: u32,
        target: Target,
        scratch: &mut Scratch,
    ) -> bool {
        let Target { pattern, address, first, count } = target;
        let Some((region, offset)) = resolve(access.place, address) else { return false };
        if pattern == Pattern::Row && region != Region::Local {
            return self.store_part::<W>(warp, region, offset, first, count, &scratch.bytes);
        }
        if !offsets(warp, ins, access, mask, address, offset, &mut scratch.offsets) {
            return false;
        }
        let links = Links::of(&scratch.offsets, mask, W);
        if region == Region::Local || links.same != 0 || !links.are_few(mask) {
            return self.scatter::<W>(warp, region, scratch, mask);
        }
        let mut left = mask;
        while left != 0 {
            let first = left.trailing_zeros() as usize & 31;
            let (_, count) = links.run(first);
            if !self.store_part::<W>(warp, region, scratch.offsets[first], first, count, &scratch.bytes) {
                return false;
            }
            left &= u32::MAX.checked_shl((first + count) as u32).unwrap_or(0);
        }
        true
    }

    /// Neighbouring lanes that write neighbouring bytes.
    #[inline(always)]
    fn store_part<const W: usize>(
        &mut self,
        warp: &Warp,
        region: Region,
        offset: u64,
        first: usize,
        count: usize,
        bytes: &Bytes,
    ) -> bool {
        let clock = self.clock(warp);
        let thread = warp.first() + first as u32;
        let Some(from) = bytes.get(first * W..(first + count) * W) else { return false };
        match region {
            Region::Shared => {
                let (at, per) = self.shared_grains::<W>(offset);
                let Some(to) = slice_mut(&mut self.shared, offset, from.len()) else { return false };
                if !self.shared_shadow.try_write_run(shadow::Run { at, count, per, thread, clock }) {
                    return false;
                }
                copy(to, from);
                true
            }
            Region::Buffer(buffer) => {
                // What a race overwrites is looked at once more.
                (!self.tracks(buffer) || self.try_pages::<W>(buffer, offset, thread, count, clock, true))
                    && self.memory.store(buffer, offset, from).is_ok()
            }
            Region::Table | Region::Param | Region::Local => false,
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

    /// The grains of each lane's offset in a buffer.
    #[inline(always)]
    pub(super) fn pages_of<const W: usize>(
        &mut self,
        buffer: u16,
        offsets: &[u64; 32],
        mask: u32,
        at: &mut [u32; 32],
    ) -> u32 {
        let grain = self.code.global_grain.trailing_zeros();
        let first = offsets[mask.trailing_zeros() as usize & 31] >> grain;
        // Neighbours are mostly of one page: its base, as what is added to a grain's number.
        let mut base = (self.pages.find(buffer, first) as u64).wrapping_sub(first);
        let mut page = first;
        at.fill(first.wrapping_add(base) as u32);
        for lane in lanes(mask) {
            let number = offsets[lane & 31] >> grain;
            if !Pages::together(number, page) {
                base = (self.pages.find(buffer, number) as u64).wrapping_sub(number);
                page = number;
            }
            at[lane & 31] = number.wrapping_add(base) as u32;
        }
        W.trailing_zeros().wrapping_sub(grain) & 7
    }

    #[inline(always)]
    fn gather<const W: usize>(&mut self, warp: &Warp, region: Region, scratch: &mut Scratch, mask: u32) -> bool {
        let Scratch { bytes, offsets, at } = scratch;
        let clock = self.clock(warp);
        let held = match region {
            Region::Local => return gather_local::<W>(warp, offsets, mask, bytes),
            Region::Buffer(buffer) => {
                if self.memory.load_lanes(buffer, offsets, mask, W, bytes).is_err() {
                    return false;
                }
                if !self.tracks(buffer) {
                    return true;
                }
                let per = self.pages_of::<W>(buffer, offsets, mask, at);
                return self.pages.shadow.try_read_lanes(at, mask, per, warp.first(), clock, false);
            }
            Region::Shared => &self.shared[..],
            Region::Table | Region::Param => self.constants(region),
        };
        let out = bytes.as_chunks_mut::<W>().0;
        // Lanes that sleep have the offset of the first that does not.
        for (out, offset) in out.iter_mut().zip(&*offsets) {
            let Some(from) = slice(held, *offset, W) else { return false };
            out.copy_from_slice(from);
        }
        if region != Region::Shared {
            return true;
        }
        let grain = self.code.shared_grain.trailing_zeros();
        for (at, offset) in at.iter_mut().zip(&*offsets) {
            *at = (offset >> grain) as u32;
        }
        let per = W.trailing_zeros().wrapping_sub(grain) & 7;
        self.shared_shadow.try_read_lanes(at, mask, per, warp.first(), clock, true)
    }

    #[inline(always)]
    fn scatter<const W: usize>(&mut self, warp: &mut Warp, region: Region, scratch: &mut Scratch, mask: u32) -> bool {
        let Scratch { bytes, offsets, at } = scratch;
        let clock = self.clock(warp);
        match region {
            Region::Local => scatter_local::<W>(warp, offsets, mask, bytes),
            Region::Buffer(buffer) => {
                if self.tracks(buffer) {
                    let per = self.pages_of::<W>(buffer, offsets, mask, at);
                    if !self.pages.shadow.try_write_lanes(at, mask, per, warp.first(), clock) {
                        return false;
                    }
                }
                self.memory.store_lanes(buffer, offsets, mask, W, bytes).is_ok()
            }
            Region::Shared => {
                let grain = self.code.shared_grain.trailing_zeros();
                let per = W.trailing_zeros().wrapping_sub(grain) & 7;
                let last = offsets.iter().fold(0, |last, offset| last.max(*offset));
                if slice(&self.shared, last, W).is_none() {
                    return false;
                }
                for (at, offset) in at.iter_mut().zip(&*offsets) {
                    *at = (offset >> grain) as u32;
                }
                if !self.shared_shadow.try_write_lanes(at, mask, per, warp.first(), clock) {
                    return false;
                }
                let from = bytes.as_chunks::<W>().0;
                for lane in lanes(mask) {
                    if let (Some(to), Some(from)) = (slice_mut(&mut self.shared, offsets[lane & 31], W), from.get(lane))
                    {
                        to.copy_from_slice(from);
                    }
                }
                true
            }
            Region::Table | Region::Param => false,
        }
    }
}
