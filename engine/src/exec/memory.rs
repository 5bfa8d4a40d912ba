//! Loads and stores of a warp, run by run, with every check in its place.

use super::{
    Fault, Machine,
    bytes::Bytes,
    pages::Pages,
    shadow::{self, Clock, Objection, Shadow},
    warp::Warp,
};
use crate::{
    AccessError, TrapKind,
    ir::{self, Access, Ins, MIDDLE, Place, TAG_SHIFT},
};

/// Where an address leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Region {
    Shared,
    Local,
    Table,
    Param,
    Buffer(u16),
}

pub(super) fn lanes(mut mask: u32) -> impl Iterator<Item = usize> {
    core::iter::from_fn(move || {
        if mask == 0 {
            return None;
        }
        let lane = mask.trailing_zeros() as usize;
        mask &= mask - 1;
        Some(lane)
    })
}

/// The mask of `count` lanes from `lane`.
fn ones(lane: usize, count: usize) -> u32 {
    (u32::MAX >> (32 - count.clamp(1, 32))) << (lane & 31)
}

/// Region and offset of an address; the offset of a buffer may lie outside it.
#[inline(always)]
pub(super) fn resolve(place: Place, address: u64) -> Option<(Region, u64)> {
    match place {
        Place::Shared => Some((Region::Shared, address)),
        Place::Local => Some((Region::Local, address)),
        Place::Param => Some((Region::Param, address)),
        Place::Generic | Place::Global | Place::Const => {
            let tag = address >> TAG_SHIFT;
            let offset = address & ((1 << TAG_SHIFT) - 1);
            let region = match tag {
                ir::TAG_TABLE => Region::Table,
                ir::TAG_SHARED if place == Place::Generic => Region::Shared,
                ir::TAG_LOCAL if place == Place::Generic => Region::Local,
                ir::TAG_PARAM if place == Place::Generic => Region::Param,
                _ if place != Place::Const => {
                    let index = u16::try_from(tag.checked_sub(ir::TAG_BUFFER)?).ok()?;
                    return Some((Region::Buffer(index), offset.wrapping_sub(MIDDLE)));
                }
                _ => return None,
            };
            Some((region, offset))
        }
    }
}

pub(super) fn out_of_bounds(lane: usize) -> Fault {
    Fault::trap(TrapKind::OutOfBounds, lane)
}

/// Active lanes next to each other whose addresses are next to each other, or all the same.
#[derive(Clone, Copy, Debug)]
pub(super) struct Run {
    pub(super) lane: usize,
    pub(super) count: usize,
    pub(super) same: bool,
}

/// The run that starts at `lane`.
#[inline(always)]
fn run_at(addresses: &[u64; 32], mask: u32, lane: usize, total: u64) -> Run {
    let first = addresses[lane];
    let active = (!(mask >> lane)).trailing_zeros() as usize;
    let most = active.min(32 - lane);
    let same = most > 1 && addresses[lane + 1] == first;
    let step = if same { 0 } else { total };
    if most == 32 {
        let mut regular = true;
        for (at, address) in addresses.iter().enumerate() {
            regular &= *address == first.wrapping_add(at as u64 * step);
        }
        if regular {
            return Run { lane, count: 32, same };
        }
    }
    let mut count = 1;
    while count < most && addresses[lane + count] == addresses[lane + count - 1].wrapping_add(step) {
        count += 1;
    }
    Run { lane, count, same }
}

pub(super) fn objection(objection: Objection, lane: usize) -> Fault {
    Fault::trap(
        match objection {
            Objection::Raced => TrapKind::Race,
            Objection::NeverWritten => TrapKind::Uninitialised,
        },
        lane,
    )
}

/// The address for a trap's report.
pub(super) fn located(mut fault: Fault, region: Region, offset: u64) -> Fault {
    if let (Fault::Trap { address, .. }, Region::Buffer(buffer)) = (&mut fault, region) {
        *address = Some((buffer, offset));
    }
    fault
}

impl Machine<'_> {
    #[inline(always)]
    pub(super) fn addresses(warp: &Warp, ins: &Ins, access: Access) -> [u64; 32] {
        let mut addresses = [0u64; 32];
        let by = i64::from(ins.imm) as u64;
        if access.wide {
            let base = &warp.d[usize::from(ins.a)];
            for lane in 0..32 {
                addresses[lane] = base[lane].wrapping_add(by);
            }
        } else {
            let base = &warp.w[usize::from(ins.a)];
            for lane in 0..32 {
                addresses[lane] = u64::from(base[lane].wrapping_add(by as u32));
            }
        }
        addresses
    }

    #[inline(always)]
    pub(super) fn check_alignment(addresses: &[u64; 32], mask: u32, total: u64, place: Place) -> Result<(), Fault> {
        let mut low = 0u64;
        for (lane, address) in addresses.iter().enumerate() {
            low |= address & 0u64.wrapping_sub(u64::from(mask >> lane & 1));
        }
        if low & (total - 1) == 0 {
            return Ok(());
        }
        for lane in lanes(mask) {
            if addresses[lane] & (total - 1) != 0 {
                let fault = Fault::trap(TrapKind::Misaligned, lane);
                return Err(match resolve(place, addresses[lane]) {
                    Some((region, offset)) => located(fault, region, offset),
                    None => fault,
                });
            }
        }
        Ok(())
    }

    #[inline(always)]
    pub(super) fn clock(&self, warp: &Warp) -> Clock {
        Clock::new(self.time, self.block_time, self.synced[warp.number as usize & 31]).parted(self.parted)
    }

    /// Run by run, with every check in its place.
    #[inline(never)]
    pub(super) fn load_exact(&mut self, warp: &mut Warp, ins: &Ins, access: Access, mask: u32) -> Result<(), Fault> {
        let total = u64::from(access.size) * u64::from(access.count);
        let addresses = Self::addresses(warp, ins, access);
        Self::check_alignment(&addresses, mask, total, access.place)?;
        let clock = self.clock(warp);
        let mut bytes: Bytes = [0; 512];
        let width = total as usize;
        let mut left = mask;
        while left != 0 {
            let lane = left.trailing_zeros() as usize;
            let run = run_at(&addresses, left, lane, total);
            let (region, offset) = resolve(access.place, addresses[lane]).ok_or(out_of_bounds(lane))?;
            let into = &mut bytes[lane * width..(lane + run.count) * width];
            if region == Region::Local {
                let step = if run.same { 0 } else { total };
                Self::fetch_local(warp, offset, into, run, width, step)?;
            } else if run.same {
                let (one, others) = into.split_at_mut(width);
                self.fetch(warp, region, offset, one, Run { count: 1, ..run }, width, clock)?;
                // One more reader tells the shadow that there are several, the last one how far they go.
                for lane in [lane + 1, lane + run.count - 1] {
                    self.note_reads(warp, region, offset, Run { lane, count: 1, same: true }, width, clock)?;
                }
                for other in others.chunks_exact_mut(width) {
                    other.copy_from_slice(one);
                }
            } else {
                self.fetch(warp, region, offset, into, run, width, clock)?;
            }
            left &= !ones(run.lane, run.count);
        }
        self.unpack(warp, ins, access, &bytes, mask);
        Ok(())
    }

    /// Reads neighbouring bytes for a run of lanes.
    #[inline(always)]
    #[allow(clippy::too_many_arguments)]
    pub(super) fn fetch(
        &mut self,
        warp: &Warp,
        region: Region,
        offset: u64,
        out: &mut [u8],
        run: Run,
        width: usize,
        clock: Clock,
    ) -> Result<(), Fault> {
        let length = out.len();
        match region {
            Region::Shared => {
                let held =
                    usize::try_from(offset).ok().and_then(|start| self.shared.get(start..start.checked_add(length)?));
                let Some(from) = held else {
                    let inside = (self.shared.len() as u64).saturating_sub(offset) as usize / width;
                    return Err(out_of_bounds(run.lane + inside));
                };
                out.copy_from_slice(from);
                let grain = self.code.shared_grain as usize;
                let checked = shadow::Run {
                    at: offset as usize / grain,
                    count: run.count,
                    per: (width / grain).trailing_zeros(),
                    thread: warp.first() + run.lane as u32,
                    clock,
                };
                self.shared_shadow.read_run(checked, true).map_err(|(lane, why)| objection(why, run.lane + lane))
            }
            Region::Table | Region::Param => {
                let bytes = if region == Region::Table { &self.code.table[..] } else { &self.params[..] };
                let held = usize::try_from(offset).ok().and_then(|start| bytes.get(start..start.checked_add(length)?));
                let Some(from) = held else {
                    let inside = (bytes.len() as u64).saturating_sub(offset) as usize / width;
                    return Err(out_of_bounds(run.lane + inside));
                };
                out.copy_from_slice(from);
                Ok(())
            }
            Region::Buffer(buffer) => {
                if self.memory.load(buffer, offset, out).is_err() {
                    // One after the other, to name the lane.
                    for (at, one) in out.chunks_exact_mut(width).enumerate() {
                        let offset = offset.wrapping_add((at * width) as u64);
                        if let Err(error) = self.memory.load(buffer, offset, one) {
                            return Err(self.refused(buffer, offset, width, run.lane + at, error));
                        }
                    }
                }
                self.note_reads(warp, region, offset, run, width, clock)
            }
            Region::Local => Ok(()),
        }
    }

    /// Tells the race detector of reads whose bytes are at hand.
    #[inline(always)]
    fn note_reads(
        &mut self,
        warp: &Warp,
        region: Region,
        offset: u64,
        run: Run,
        width: usize,
        clock: Clock,
    ) -> Result<(), Fault> {
        let thread = warp.first() + run.lane as u32;
        match region {
            Region::Shared => {
                let grain = self.code.shared_grain as usize;
                let checked = shadow::Run {
                    at: offset as usize / grain,
                    count: run.count,
                    per: (width / grain).trailing_zeros(),
                    thread,
                    clock,
                };
                self.shared_shadow.read_run(checked, true).map_err(|(lane, why)| objection(why, run.lane + lane))
            }
            Region::Buffer(buffer) if self.tracks(buffer) => {
                self.each_page(buffer, offset, run, width, |shadow, part| {
                    shadow.read_run(shadow::Run { thread: warp.first() + part.thread, clock, ..part }, false)
                })
            }
            _ => Ok(()),
        }
    }

    /// Goes over a run in global memory page by page; the parts' threads are lanes.
    #[inline(always)]
    fn each_page(
        &mut self,
        buffer: u16,
        offset: u64,
        run: Run,
        width: usize,
        mut check: impl FnMut(&mut Shadow, shadow::Run) -> Result<(), (usize, Objection)>,
    ) -> Result<(), Fault> {
        let grain = u64::from(self.code.global_grain);
        let per = width / grain as usize;
        let mut done = 0;
        while done < run.count {
            let first = offset / grain + (done * per) as u64;
            let count = (Pages::rest(first) / per).clamp(1, run.count - done);
            let at = self.pages.find(buffer, first);
            let part = shadow::Run {
                at,
                count,
                per: per.trailing_zeros(),
                thread: (run.lane + done) as u32,
                clock: Clock::new(0, 0, 0),
            };
            check(&mut self.pages.shadow, part).map_err(|(lane, why)| {
                let lane = done + lane;
                located(
                    objection(why, run.lane + lane),
                    Region::Buffer(buffer),
                    offset.wrapping_add((lane * width) as u64),
                )
            })?;
            done += count;
        }
        Ok(())
    }

    /// Whether accesses to a buffer need the race detector.
    #[inline(always)]
    pub(super) fn tracks(&mut self, buffer: u16) -> bool {
        let place = usize::from(buffer) % self.tracked.len();
        match self.tracked[place] {
            Some((last, tracked)) if last == buffer => tracked,
            _ => {
                let tracked = self.memory.writable(buffer);
                self.tracked[place] = Some((buffer, tracked));
                tracked
            }
        }
    }

    #[inline(never)]
    pub(super) fn refused(&mut self, buffer: u16, offset: u64, width: usize, lane: usize, error: AccessError) -> Fault {
        let kind = match error {
            AccessError::OutOfBounds => TrapKind::OutOfBounds,
            AccessError::NotOwned => TrapKind::NotOwned,
            AccessError::OwnedByOther => TrapKind::OwnedByOther,
            AccessError::Incomplete => {
                let mut one = [0u8; 1];
                let missing = (0..width as u64).find(|by| {
                    self.memory.load(buffer, offset.wrapping_add(*by), &mut one) == Err(AccessError::Incomplete)
                });
                return Fault::Incomplete { buffer, offset: offset.wrapping_add(missing.unwrap_or(0)) };
            }
        };
        Fault::Trap { kind, lane, address: Some((buffer, offset)) }
    }

    /// Run by run, with every check in its place.
    #[inline(never)]
    pub(super) fn store_exact(&mut self, warp: &mut Warp, ins: &Ins, access: Access, mask: u32) -> Result<(), Fault> {
        let total = u64::from(access.size) * u64::from(access.count);
        let addresses = Self::addresses(warp, ins, access);
        Self::check_alignment(&addresses, mask, total, access.place)?;
        let clock = self.clock(warp);
        let width = total as usize;
        let mut bytes: Bytes = [0; 512];
        Self::pack(warp, ins, access, &mut bytes);
        let mut left = mask;
        while left != 0 {
            let lane = left.trailing_zeros() as usize;
            let run = run_at(&addresses, left, lane, total);
            let (region, offset) = resolve(access.place, addresses[lane]).ok_or(out_of_bounds(lane))?;
            // Several lanes at one address go one by one; the race detector has its say.
            let run = if run.same && region != Region::Local { Run { count: 1, ..run } } else { run };
            let from = &bytes[lane * width..(lane + run.count) * width];
            match region {
                Region::Shared => self.put_shared(warp, offset, from, run, width, clock)?,
                Region::Local => {
                    let step = if run.same { 0 } else { total };
                    Self::put_local(warp, offset, from, run, width, step)?;
                }
                // Module variables belong to no thread block.
                Region::Table => return Err(Fault::trap(TrapKind::NotOwned, lane)),
                Region::Param => return Err(out_of_bounds(lane)),
                Region::Buffer(buffer) => {
                    let raced = if self.tracks(buffer) {
                        self.note_writes(warp, buffer, offset, from, run, width)
                    } else {
                        Ok(())
                    };
                    if self.memory.store(buffer, offset, from).is_err() {
                        for (at, one) in from.chunks_exact(width).enumerate() {
                            let offset = offset.wrapping_add((at * width) as u64);
                            if let Err(error) = self.memory.store(buffer, offset, one) {
                                return Err(self.refused(buffer, offset, width, lane + at, error));
                            }
                        }
                    }
                    raced?;
                }
            }
            left &= !ones(run.lane, run.count);
        }
        Ok(())
    }

    #[inline(always)]
    pub(super) fn put_shared(
        &mut self,
        warp: &Warp,
        offset: u64,
        from: &[u8],
        run: Run,
        width: usize,
        clock: Clock,
    ) -> Result<(), Fault> {
        let held = usize::try_from(offset)
            .ok()
            .and_then(|start| Some(start..start.checked_add(from.len())?))
            .filter(|range| range.end <= self.shared.len());
        let Some(range) = held else {
            let inside = (self.shared.len() as u64).saturating_sub(offset) as usize / width;
            return Err(out_of_bounds(run.lane + inside));
        };
        let grain = self.code.shared_grain as usize;
        let checked = shadow::Run {
            at: range.start / grain,
            count: run.count,
            per: (width / grain).trailing_zeros(),
            thread: warp.first() + run.lane as u32,
            clock,
        };
        if self.shared_shadow.write_run(checked).is_err() {
            let per = width / grain;
            for (lane, (one, held)) in
                from.chunks_exact(width).zip(self.shared[range.clone()].chunks_exact(width)).enumerate()
            {
                let thread = checked.thread + lane as u32;
                for at in checked.at + lane * per..checked.at + (lane + 1) * per {
                    let noted = match self.shared_shadow.write(at, thread, clock) {
                        Err(Objection::Raced) if one == held => self.shared_shadow.write_again(at, thread, clock),
                        noted => noted,
                    };
                    noted.map_err(|why| objection(why, run.lane + lane))?;
                }
            }
        }
        self.shared[range].copy_from_slice(from);
        Ok(())
    }

    /// Notes writes to a buffer before they are made.
    fn note_writes(
        &mut self,
        warp: &Warp,
        buffer: u16,
        offset: u64,
        from: &[u8],
        run: Run,
        width: usize,
    ) -> Result<(), Fault> {
        let (first, clock) = (warp.first(), self.clock(warp));
        let noted = self.each_page(buffer, offset, run, width, |shadow, part| {
            shadow.write_run(shadow::Run { thread: first + part.thread, clock, ..part })
        });
        if noted.is_ok() {
            return Ok(());
        }
        let grain = u64::from(self.code.global_grain);
        for (at, one) in from.chunks_exact(width).enumerate() {
            let (lane, offset) = (run.lane + at, offset.wrapping_add((at * width) as u64));
            for grain in offset / grain..offset.wrapping_add(width as u64) / grain {
                let at = self.pages.find(buffer, grain);
                let thread = first + lane as u32;
                if self.pages.shadow.write(at, thread, clock).is_ok() {
                    continue;
                }
                let mut held = [0u8; 16];
                let same = held
                    .get_mut(..width)
                    .is_some_and(|held| self.memory.load(buffer, offset, held).is_ok() && held == one);
                let noted = if same { self.pages.shadow.write_again(at, thread, clock) } else { Err(Objection::Raced) };
                noted.map_err(|why| located(objection(why, lane), Region::Buffer(buffer), offset))?;
            }
        }
        Ok(())
    }
}
