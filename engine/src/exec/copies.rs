//! Copies from global to shared memory that a thread starts and later waits for (`cp.async`).
//!
//! Between the two nobody may touch the bytes: they are as if never written. The bytes come at the wait, which writes them for the thread that
//! started the copy; what is read must be the same at both times.

use super::{
    Fault, Machine,
    memory::{Region, lanes, located, objection, out_of_bounds, resolve},
    warp::Warp,
};
use crate::{
    TrapKind,
    ir::{Access, Ins, NONE, Place},
};
use alloc::{collections::VecDeque, vec, vec::Vec};

/// Bytes that one bit of [`Awaited`] stands for, the least that is copied.
const CELL: usize = 4;

/// A copy on its way.
#[derive(Clone, Copy, Debug)]
struct Copy {
    /// The thread's group that it belongs to.
    group: u32,
    bytes: [u8; 16],
    width: u8,
    /// Bytes that are read; the others become zeros.
    taken: u8,
    from: (Region, u64),
    to: usize,
}

/// The copies of a warp.
#[derive(Default)]
pub(super) struct Copies {
    /// For each lane, in order.
    lanes: Vec<VecDeque<Copy>>,
    /// Groups that each lane has closed.
    closed: [u32; 32],
}

/// Where copies are on their way to, a bit for each cell of shared memory.
#[derive(Default)]
pub(super) struct Awaited(Vec<u32>);

impl Machine<'_> {
    /// Whether a copy is on its way to some of these bytes of shared memory.
    pub(super) fn is_awaited(&self, start: usize, bytes: usize) -> bool {
        (start / CELL..(start + bytes).div_ceil(CELL))
            .any(|cell| self.awaited.0.get(cell / 32).is_some_and(|word| word >> (cell % 32) & 1 == 1))
    }

    fn await_bytes(&mut self, start: usize, bytes: usize, coming: bool) {
        if self.awaited.0.is_empty() {
            self.awaited.0 = vec![0; self.shared.len() / CELL / 32 + 1];
        }
        for cell in start / CELL..(start + bytes).div_ceil(CELL) {
            if let Some(word) = self.awaited.0.get_mut(cell / 32) {
                *word = *word & !(1 << (cell % 32)) | u32::from(coming) << (cell % 32);
            }
        }
    }

    /// Starts copies of `access` bytes to the addresses in `a` from those in `b`, of which the first `c` are read.
    pub(super) fn start_copies(&mut self, warp: &mut Warp, ins: &Ins, access: Access, mask: u32) -> Result<(), Fault> {
        let width = usize::from(access.size) * usize::from(access.count);
        let (targets, sources) = (Self::addresses(warp, ins, access), warp.d[usize::from(ins.b)]);
        Self::check_alignment(&targets, mask, width as u64, access.place)?;
        Self::check_alignment(&sources, mask, width as u64, Place::Global)?;
        let clock = self.clock(warp);
        let grain = self.code.shared_grain as usize;
        for lane in lanes(mask) {
            let taken = if ins.c == NONE { width } else { warp.w[usize::from(ins.c)][lane] as usize };
            let to = usize::try_from(targets[lane]).map_err(|_| out_of_bounds(lane))?;
            let inside = to.checked_add(width).is_some_and(|end| end <= self.shared.len());
            if taken > width || !inside {
                return Err(out_of_bounds(lane));
            }
            if self.is_awaited(to, width) {
                return Err(Fault::trap(TrapKind::Race, lane));
            }
            let mut bytes = [0u8; 16];
            let from = resolve(Place::Global, sources[lane]).unwrap_or((Region::Table, u64::MAX));
            self.read_source(warp, from, &mut bytes[..taken], lane)?;
            for at in to / grain..(to + width) / grain {
                self.shared_shadow
                    .undefine(at, warp.first() + lane as u32, clock)
                    .map_err(|why| objection(why, lane))?;
            }
            self.await_bytes(to, width, true);
            if warp.copies.lanes.is_empty() {
                warp.copies.lanes = vec![VecDeque::new(); 32];
            }
            let group = warp.copies.closed[lane];
            if let Some(queue) = warp.copies.lanes.get_mut(lane) {
                queue.push_back(Copy { group, bytes, width: width as u8, taken: taken as u8, from, to });
            }
        }
        Ok(())
    }

    /// Reads what a copy reads, and tells the race detector.
    fn read_source(
        &mut self,
        warp: &Warp,
        (region, offset): (Region, u64),
        out: &mut [u8],
        lane: usize,
    ) -> Result<(), Fault> {
        if out.is_empty() {
            return Ok(());
        }
        match region {
            Region::Buffer(buffer) => {
                if let Err(error) = self.memory.load(buffer, offset, out) {
                    return Err(self.refused(buffer, offset, out.len(), lane, error));
                }
                if self.tracks(buffer) {
                    let grain = u64::from(self.code.global_grain);
                    let (thread, clock) = (warp.first() + lane as u32, self.clock(warp));
                    for at in offset / grain..(offset + out.len() as u64).div_ceil(grain) {
                        let at = self.pages.find(buffer, at);
                        self.pages
                            .shadow
                            .read(at, thread, clock)
                            .map_err(|why| located(objection(why, lane), region, offset))?;
                    }
                }
                Ok(())
            }
            Region::Table => {
                let start = usize::try_from(offset).map_err(|_| out_of_bounds(lane))?;
                let end = start.checked_add(out.len()).ok_or(out_of_bounds(lane))?;
                out.copy_from_slice(self.code.table.get(start..end).ok_or(out_of_bounds(lane))?);
                Ok(())
            }
            _ => Err(out_of_bounds(lane)),
        }
    }

    /// The copies since the last group become one.
    pub(super) fn close_group(warp: &mut Warp, mask: u32) {
        for lane in lanes(mask) {
            warp.copies.closed[lane] = warp.copies.closed[lane].saturating_add(1);
        }
    }

    /// Waits until no more than the last `but` groups are on their way; with `None`, for all copies.
    pub(super) fn wait_copies(&mut self, warp: &mut Warp, but: Option<u32>, mask: u32) -> Result<(), Fault> {
        for lane in lanes(mask) {
            let bound = but.map_or(u32::MAX, |but| warp.copies.closed[lane].saturating_sub(but));
            while let Some(queue) = warp.copies.lanes.get_mut(lane)
                && let Some(copy) = queue.front().copied()
                && copy.group < bound
            {
                queue.pop_front();
                self.land(warp, &copy, lane)?;
            }
        }
        Ok(())
    }

    /// The bytes of a copy arrive.
    fn land(&mut self, warp: &Warp, copy: &Copy, lane: usize) -> Result<(), Fault> {
        let Copy { width, taken, to, .. } = *copy;
        let (width, taken) = (usize::from(width), usize::from(taken));
        let mut again = [0u8; 16];
        self.read_source(warp, copy.from, &mut again[..taken], lane)?;
        if again != copy.bytes {
            return Err(located(Fault::trap(TrapKind::Race, lane), copy.from.0, copy.from.1));
        }
        let clock = self.clock(warp);
        let grain = self.code.shared_grain as usize;
        for at in to / grain..(to + width) / grain {
            if self.shared_shadow.written(at) {
                return Err(Fault::trap(TrapKind::Race, lane));
            }
            self.shared_shadow.write(at, warp.first() + lane as u32, clock).map_err(|why| objection(why, lane))?;
        }
        self.await_bytes(to, width, false);
        if let Some(held) = self.shared.get_mut(to..to + width) {
            held.copy_from_slice(&copy.bytes[..width]);
        }
        Ok(())
    }
}
