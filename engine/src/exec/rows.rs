//! The short way of loads and stores: what a warp mostly does, a row of lanes at a time.
//!
//! Whatever is out of the ordinary (an address outside its memory, a race, a byte that is not there) gives `false`; then the
//! access is made again from its start, run by run, which names the lane at fault. That the first attempt left marks in
//! the shadow changes nothing: they are those of the same threads at the same time, and a fault ends the block.

use super::{
    Fault, Machine,
    memory::{BYTES, Bytes, Region, combine, combine64, kind_of, lanes, resolve},
    shadow::{self, Clock, Pages},
    step::keep,
    warp::Warp,
};
use crate::ir::{Access, Ins, Reduce, TAG_SHIFT};
use alloc::boxed::Box;

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
fn target(warp: &Warp, ins: &Ins, access: Access, mask: u32, width: usize) -> Option<Target> {
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

/// The range of `length` bytes, if it is inside.
#[inline(always)]
fn slice(bytes: &[u8], offset: u64, length: usize) -> Option<&[u8]> {
    let start = usize::try_from(offset).ok()?;
    bytes.get(start..start.checked_add(length)?)
}

#[inline(always)]
fn slice_mut(bytes: &mut [u8], offset: u64, length: usize) -> Option<&mut [u8]> {
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
    bytes: Bytes,
    offsets: [u64; 32],
    /// Places in the shadow.
    at: [u32; 32],
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
    fn pages_of<const W: usize>(&mut self, buffer: u16, offsets: &[u64; 32], mask: u32, at: &mut [u32; 32]) -> u32 {
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

#[inline(always)]
fn gather_local<const W: usize>(warp: &Warp, offsets: &[u64; 32], mask: u32, bytes: &mut Bytes) -> bool {
    let out = bytes.as_chunks_mut::<W>().0;
    if W >= 4 && offsets.iter().all(|offset| *offset == offsets[0]) {
        for word in 0..W / 4 {
            let Ok(start) = usize::try_from(offsets[0]) else { return false };
            let at = start / 4 + word;
            let (Some(row), Some(written)) = (warp.local.get(at), warp.local_written.get(at)) else {
                return false;
            };
            if written[0] & written[1] & written[2] & written[3] & mask != mask {
                return false;
            }
            for (out, value) in out.iter_mut().zip(row) {
                if let Some(out) = out.get_mut(4 * word..).and_then(|out| out.first_chunk_mut()) {
                    *out = value.to_le_bytes();
                }
            }
        }
        return true;
    }
    for lane in lanes(mask) {
        let (Ok(start), Some(out)) = (usize::try_from(offsets[lane & 31]), out.get_mut(lane)) else { return false };
        for (word, out) in out.chunks_mut(4).enumerate() {
            let at = start / 4 + word;
            let (Some(row), Some(written)) = (warp.local.get(at), warp.local_written.get(at)) else {
                return false;
            };
            let value = row[lane & 31].to_le_bytes();
            if W >= 4 {
                if (written[0] & written[1] & written[2] & written[3]) >> lane & 1 == 0 {
                    return false;
                }
                out.copy_from_slice(&value);
                continue;
            }
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
fn scatter_local<const W: usize>(warp: &mut Warp, offsets: &[u64; 32], mask: u32, bytes: &Bytes) -> bool {
    let from = bytes.as_chunks::<W>().0;
    if W >= 4 && offsets.iter().all(|offset| *offset == offsets[0]) {
        let keep = keep(mask);
        for word in 0..W / 4 {
            let Ok(start) = usize::try_from(offsets[0]) else { return false };
            let at = start / 4 + word;
            let (Some(row), Some(written)) = (warp.local.get_mut(at), warp.local_written.get_mut(at)) else {
                return false;
            };
            for written in written {
                *written |= mask;
            }
            for ((into, from), keep) in row.iter_mut().zip(from).zip(&keep) {
                if let Some(bytes) = from.get(4 * word..).and_then(|bytes| bytes.first_chunk()) {
                    *into ^= (*into ^ u32::from_le_bytes(*bytes)) & keep;
                }
            }
        }
        return true;
    }
    for lane in lanes(mask) {
        let (Ok(start), Some(from)) = (usize::try_from(offsets[lane & 31]), from.get(lane)) else { return false };
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

/// Neighbouring lanes that read alike.
#[derive(Clone, Copy)]
struct Part {
    pattern: Pattern,
    offset: u64,
    first: usize,
    count: usize,
    /// Another of the lanes, where they read the same.
    second: usize,
}

/// By lane: whether the lane before it addresses what lies before, or the same.
#[derive(Clone, Copy)]
struct Links {
    next: u32,
    same: u32,
}

impl Links {
    #[inline(always)]
    fn of(offsets: &[u64; 32], mask: u32, width: usize) -> Self {
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
    fn are_few(self, mask: u32) -> bool {
        (mask & !(self.next | self.same)).count_ones() <= 5
    }

    /// The run that starts at a lane.
    #[inline(always)]
    fn run(self, first: usize) -> (Pattern, usize) {
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
fn offsets(
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
