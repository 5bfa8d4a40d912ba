//! The race detector's shadow: for each grain of memory who wrote and who read it last, and when.
//!
//! Time is a counter that every barrier advances. An access is ordered before another one where it is the same
//! thread's, where a barrier of the whole block lies between, or where both threads share a warp and a barrier of the
//! whole warp lies between; barriers of parts are in [`Order`], which is asked where the rest objects. Anything else with
//! a write in it is a race.
//!
//! A grain's last access is one word: the time in the high half, who in the low half. Time zero is never.

use super::order::{Group, Order};
use alloc::vec::Vec;

/// Several threads of the warp whose first thread is in the low bits.
const WARP: u32 = 0x0400;
/// Where barriers are of parts, the low bits hold the middle of the aligned group of threads: what the size and the
/// place of the smallest one around all of them are. None is the warp's own.
const LANES: u32 = 31;
/// The same with the middle of a group of several warps.
const WARPS: u32 = 0xc000;
const EVERYBODY: u32 = 0xffff;
/// Order-independent reductions; which one is in the low bits.
const REDUCTION: u32 = 0x4000;
/// Set for everybody, never for a reduction.
const SEVERAL: u32 = 0x8000;
const WHO: u32 = 0xffff;
/// What names the warp of a thread, or of several of its threads.
const OF_WARP: u32 = WHO & !WARP & !31;

/// The last time that fits; then all times are made small again.
pub(super) const LAST_TIME: u32 = 0xffff;
const TIME: u32 = 16;
/// The first time that is not never.
const EVER: u32 = 1 << TIME;

/// When the accesses of one warp happen.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clock {
    now: u32,
    block: u32,
    warp: u32,
    parted: bool,
}

impl Clock {
    /// Of the present, of the last barrier of the block, and of the last barrier of the warp.
    #[inline(always)]
    pub(super) fn new(now: u32, block: u32, warp: u32) -> Self {
        Self { now: now << TIME, block: block << TIME, warp: warp.max(block) << TIME, parted: false }
    }

    /// Of a block with barriers of parts, or without.
    #[inline(always)]
    pub(super) fn parted(self, parted: bool) -> Self {
        Self { parted, ..self }
    }
}

/// Why an access to a grain is a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Objection {
    Raced,
    NeverWritten,
}

/// Shadow of a range of grains.
#[derive(Default)]
pub(super) struct Shadow {
    writes: Vec<u32>,
    reads: Vec<u32>,
    pub(super) order: Order,
}

/// Neighbouring grains that neighbouring threads touch.
#[derive(Clone, Copy, Debug)]
pub(super) struct Run {
    pub(super) at: usize,
    /// Threads.
    pub(super) count: usize,
    /// Grains of one thread, as a power of two.
    pub(super) per: u32,
    pub(super) thread: u32,
    pub(super) clock: Clock,
}

#[inline(always)]
fn same_warp(access: u32, thread: u32) -> bool {
    access & OF_WARP == thread & !31
}

/// Whether an earlier access comes before all that the thread does now.
#[inline(always)]
fn ordered(access: u32, thread: u32, clock: Clock) -> bool {
    (access < clock.block) | (access & WHO == thread) | ((access < clock.warp) & same_warp(access, thread))
}

/// The last read, after one more.
#[inline(always)]
fn reader(access: u32, thread: u32, clock: Clock) -> u32 {
    let same = same_warp(access, thread);
    let several = if same { WARP | thread & !31 } else { EVERYBODY };
    let alone = (access < clock.block) | (access & WHO == thread) | ((access < clock.warp) & same);
    clock.now | if alone { thread } else { several }
}

/// The threads that an access names; `None` for reductions, whose threads nobody knows.
fn group(access: u32) -> Option<Group> {
    let who = access & WHO;
    let around = |middle: u32| {
        let half = middle & middle.wrapping_neg();
        Group { first: middle - half, count: 2 * half }
    };
    match who {
        0..WARP => Some(Group { first: who, count: 1 }),
        EVERYBODY => Some(Group { first: 0, count: 1024 }),
        _ if who & WARPS == WARPS => Some(around(who & (WARP - 1))),
        _ if who & (REDUCTION | SEVERAL) != 0 => None,
        _ if who & LANES == 0 => Some(Group { first: who & OF_WARP, count: 32 }),
        _ => Some(around(who & !WARP)),
    }
}

/// One access in place of two: whoever is after it is after both.
fn both(one: u32, other: u32, clock: Clock) -> u32 {
    if one < clock.block {
        return other;
    }
    let who = if one & WHO == other & WHO { one & WHO } else { EVERYBODY };
    one.max(other) & !WHO | who
}

/// The smallest aligned group around an earlier one and a thread.
fn around(access: u32, thread: u32) -> u32 {
    let Some(Group { first, count }) = group(access) else { return EVERYBODY };
    let apart = (first ^ thread) | (count - 1);
    if apart == 0 {
        return thread;
    }
    let half = 1 << apart.ilog2();
    if half >= 512 {
        return EVERYBODY;
    }
    let middle = first & !(2 * half - 1) | half;
    if half < 32 { WARP | middle } else { WARPS | middle }
}

#[inline(always)]
fn for_lanes(mask: u32, mut each: impl FnMut(usize)) {
    if mask == u32::MAX {
        (0..32).for_each(each);
    } else {
        let mut left = mask;
        while left != 0 {
            each(left.trailing_zeros() as usize & 31);
            left &= left - 1;
        }
    }
}

/// Reads by a row of threads: whether all are in order. The reads are noted in any case.
#[inline(always)]
fn read_row(writes: &[u32], reads: &mut [u32], per: u32, thread: u32, clock: Clock, oldest: u32) -> bool {
    let mut bad = 0u32;
    for (at, (write, read)) in writes.iter().zip(reads).enumerate() {
        let own = thread + (at as u32 >> per);
        bad |= u32::from(!ordered(*write, own, clock) | (*write < oldest));
        *read = reader(*read, own, clock);
    }
    bad == 0
}

/// Whether a row of threads reads what no others have read that are not in order with it.
#[inline(never)]
fn are_first(reads: &[u32], per: u32, thread: u32, clock: Clock) -> bool {
    reads.iter().enumerate().all(|(at, read)| ordered(*read, thread + (at as u32 >> per), clock))
}

/// Writes by a row of threads: whether all are in order; else nothing is noted.
#[inline(always)]
fn write_row(writes: &mut [u32], reads: &[u32], per: u32, thread: u32, clock: Clock) -> bool {
    let mut bad = 0u32;
    for (at, (write, read)) in writes.iter().zip(reads).enumerate() {
        let own = thread + (at as u32 >> per);
        bad |= u32::from(!ordered(*write, own, clock) | !ordered(*read, own, clock));
    }
    if bad != 0 {
        return false;
    }
    for (at, write) in writes.iter_mut().enumerate() {
        *write = clock.now | (thread + (at as u32 >> per));
    }
    true
}

/// The word that all grains of one access hold, where they do.
#[inline(always)]
fn common(words: &[u32]) -> Option<u32> {
    let first = *words.first()?;
    (words.iter().fold(0, |apart, word| apart | (word ^ first)) == 0).then_some(first)
}

/// What shifts any place to that of the first thread.
const ONE_THREAD: u32 = 31;

/// The read of several grains by one thread: whether it is in order. It is noted in any case.
#[inline(always)]
fn read_several(writes: &[u32], reads: &mut [u32], thread: u32, clock: Clock, oldest: u32) -> bool {
    let (Some(write), Some(read)) = (common(writes), common(reads)) else {
        return read_row(writes, reads, ONE_THREAD, thread, clock, oldest);
    };
    let new = reader(read, thread, clock);
    if new != read {
        reads.fill(new);
    }
    ordered(write, thread, clock) && write >= oldest
}

/// Whether a write to several grains by one thread is in order.
#[inline(always)]
fn may_write(writes: &[u32], reads: &[u32], thread: u32, clock: Clock) -> bool {
    match (common(writes), common(reads)) {
        (Some(write), Some(read)) => ordered(write, thread, clock) && ordered(read, thread, clock),
        _ => writes.iter().chain(reads).all(|access| ordered(*access, thread, clock)),
    }
}

impl Shadow {
    /// So many grains that nobody has touched.
    pub(super) fn restart(&mut self, grains: usize) {
        self.writes.clear();
        self.reads.clear();
        self.grow(grains);
    }

    /// Whether an earlier access comes before all that the thread does now, by barriers of any kind.
    #[inline(always)]
    fn before(&self, access: u32, thread: u32, clock: Clock) -> bool {
        ordered(access, thread, clock) || clock.parted && self.before_by_parts(access, thread, clock)
    }

    #[inline(never)]
    fn before_by_parts(&self, access: u32, thread: u32, clock: Clock) -> bool {
        group(access).is_some_and(|group| self.order.after(thread, clock.warp >> TIME, group, access >> TIME))
    }

    /// The last read, after one more.
    #[inline(always)]
    fn also(&self, access: u32, thread: u32, clock: Clock) -> u32 {
        if !clock.parted {
            return reader(access, thread, clock);
        }
        let alone = self.before(access, thread, clock);
        clock.now | if alone { thread } else { around(access, thread) }
    }

    /// Grains.
    pub(super) fn len(&self) -> usize {
        self.writes.len()
    }

    pub(super) fn grow(&mut self, by: usize) {
        let length = self.writes.len() + by;
        self.writes.resize(length, 0);
        self.reads.resize(length, 0);
    }

    /// Whether the grain was ever written.
    pub(super) fn written(&self, at: usize) -> bool {
        self.writes[at] >= EVER
    }

    #[inline(always)]
    pub(super) fn read(&mut self, at: usize, thread: u32, clock: Clock) -> Result<(), Objection> {
        if !self.before(self.writes[at], thread, clock) {
            return Err(Objection::Raced);
        }
        self.reads[at] = self.also(self.reads[at], thread, clock);
        Ok(())
    }

    #[inline(always)]
    pub(super) fn write(&mut self, at: usize, thread: u32, clock: Clock) -> Result<(), Objection> {
        if !self.before(self.writes[at], thread, clock) || !self.before(self.reads[at], thread, clock) {
            return Err(Objection::Raced);
        }
        self.writes[at] = clock.now | thread;
        Ok(())
    }

    /// A write of the value that the grain holds already. With writes of the same value it needs no order: whichever
    /// comes last, the value is the same.
    pub(super) fn write_again(&mut self, at: usize, thread: u32, clock: Clock) -> Result<(), Objection> {
        let write = self.writes[at];
        let reduction = write >= clock.block && write & (REDUCTION | SEVERAL) == REDUCTION;
        if reduction || !self.before(self.reads[at], thread, clock) {
            return Err(Objection::Raced);
        }
        self.writes[at] = self.also(write, thread, clock);
        Ok(())
    }

    /// A write of bytes that nobody may use: in order like any other; afterwards the grain is as if never written, and the write
    /// counts as a read, so that it is in order with all that follow.
    pub(super) fn undefine(&mut self, at: usize, thread: u32, clock: Clock) -> Result<(), Objection> {
        if !self.before(self.writes[at], thread, clock) || !self.before(self.reads[at], thread, clock) {
            return Err(Objection::Raced);
        }
        self.writes[at] = 0;
        self.reads[at] = self.also(self.reads[at], thread, clock);
        Ok(())
    }

    /// A reduction: unordered with others of the same kind, ordered like a write with everything else.
    pub(super) fn reduce(&mut self, at: usize, thread: u32, kind: u32, clock: Clock) -> Result<(), Objection> {
        let code = REDUCTION | kind;
        let write = self.writes[at];
        let (who, recent) = (write & WHO, write >= clock.block);
        if !(recent && who == code || self.before(write, thread, clock)) || !self.before(self.reads[at], thread, clock)
        {
            return Err(Objection::Raced);
        }
        // After a plain write of its own since the last barrier the thread still excludes the others, and so it does after one
        // that only barriers of parts put before it.
        let alone = recent && (who == thread && write >= clock.warp || who != code && !ordered(write, thread, clock));
        if recent && who != code && !alone {
            // Only the warp's barrier puts it before this: for other warps it still counts, as a read does.
            self.reads[at] = both(self.reads[at], write, clock);
        }
        self.writes[at] = clock.now | if alone { thread } else { code };
        Ok(())
    }

    /// All reads of a run, or false: one of them may be out of order. With `written`, the grains must have been written.
    #[inline(always)]
    pub(super) fn try_read_run(&mut self, run: Run, written: bool) -> bool {
        let Run { at, count, per, thread, clock } = run;
        let oldest = if written { EVER } else { 0 };
        let end = at + (count << per);
        let (Some(writes), Some(reads)) = (self.writes.get(at..end), self.reads.get_mut(at..end)) else { return false };
        if clock.parted && !are_first(reads, per, thread, clock) {
            return false;
        }
        if let (Ok(writes), Ok(reads)) = (<&[u32; 32]>::try_from(writes), <&mut [u32; 32]>::try_from(&mut *reads))
            && per == 0
        {
            return read_row(writes, reads, 0, thread, clock, oldest);
        }
        if let (Ok(writes), Ok(reads)) = (<&[u32; 16]>::try_from(writes), <&mut [u32; 16]>::try_from(&mut *reads))
            && per == 0
        {
            return read_row(writes, reads, 0, thread, clock, oldest);
        }
        if per == 0 {
            return read_row(writes, reads, 0, thread, clock, oldest);
        }
        let lanes = writes.chunks_exact(1 << per).zip(reads.chunks_exact_mut(1 << per));
        let mut fine = true;
        for (lane, (writes, reads)) in lanes.enumerate() {
            fine &= read_several(writes, reads, thread + lane as u32, clock, oldest);
        }
        fine
    }

    /// All writes of a run, or false: one of them may be out of order, and none is noted.
    #[inline(always)]
    pub(super) fn try_write_run(&mut self, run: Run) -> bool {
        let Run { at, count, per, thread, clock } = run;
        let end = at + (count << per);
        let (Some(writes), Some(reads)) = (self.writes.get_mut(at..end), self.reads.get(at..end)) else { return false };
        if let (Ok(writes), Ok(reads)) = (<&mut [u32; 32]>::try_from(&mut *writes), <&[u32; 32]>::try_from(reads))
            && per == 0
        {
            return write_row(writes, reads, 0, thread, clock);
        }
        if let (Ok(writes), Ok(reads)) = (<&mut [u32; 16]>::try_from(&mut *writes), <&[u32; 16]>::try_from(reads))
            && per == 0
        {
            return write_row(writes, reads, 0, thread, clock);
        }
        if per == 0 {
            return write_row(writes, reads, 0, thread, clock);
        }
        let lanes = writes.chunks_exact(1 << per).zip(reads.chunks_exact(1 << per));
        for (lane, (writes, reads)) in lanes.enumerate() {
            if !may_write(writes, reads, thread + lane as u32, clock) {
                return false;
            }
        }
        for (lane, writes) in writes.chunks_exact_mut(1 << per).enumerate() {
            writes.fill(clock.now | (thread + lane as u32));
        }
        true
    }

    /// The grains of one thread's read, or false.
    #[inline(always)]
    pub(super) fn try_read(&mut self, at: usize, per: u32, thread: u32, clock: Clock, written: bool) -> bool {
        let oldest = if written { EVER } else { 0 };
        for at in at..at + (1 << per) {
            let (Some(write), Some(read)) = (self.writes.get(at), self.reads.get_mut(at)) else { return false };
            if clock.parted && !ordered(*read, thread, clock) {
                return false;
            }
            if !ordered(*write, thread, clock) || *write < oldest {
                return false;
            }
            *read = reader(*read, thread, clock);
        }
        true
    }

    /// The reads of many lanes, each of `1 << per` grains from its place in `at` on, or false.
    #[inline(always)]
    pub(super) fn try_read_lanes(
        &mut self,
        at: &[u32; 32],
        mask: u32,
        per: u32,
        thread: u32,
        clock: Clock,
        written: bool,
    ) -> bool {
        // Who reads a grain beside others is told the long way.
        if clock.parted {
            return false;
        }
        let oldest = if written { EVER } else { 0 };
        if per > 0 {
            let mut fine = true;
            for_lanes(mask, |lane| {
                let range = at[lane] as usize..at[lane] as usize + (1 << per);
                fine &= match (self.writes.get(range.clone()), self.reads.get_mut(range)) {
                    (Some(writes), Some(reads)) => read_several(writes, reads, thread + lane as u32, clock, oldest),
                    _ => false,
                };
            });
            return fine;
        }
        for skip in 0..1usize << per {
            let length = self.writes.len();
            let (Some(shared), Some(reads)) = (self.writes.get(..length), self.reads.get_mut(..length)) else {
                return false;
            };
            let (mut writes, mut old, mut new) = ([0u32; 32], [0u32; 32], [0u32; 32]);
            for lane in 0..32 {
                let at = at[lane] as usize + skip;
                if at >= length {
                    return false;
                }
                (writes[lane], old[lane]) = (shared[at], reads[at]);
            }
            let (mut bad, mut changed) = (0u32, 0u32);
            for lane in 0..32 {
                let own = thread + lane as u32;
                let keep = 0u32.wrapping_sub(mask >> lane & 1);
                bad |= u32::from(!ordered(writes[lane], own, clock) | (writes[lane] < oldest)) & keep;
                new[lane] = reader(old[lane], own, clock);
                changed |= (new[lane] ^ old[lane]) & keep;
            }
            if bad != 0 {
                return false;
            }
            if changed == 0 {
                continue;
            }
            for_lanes(mask, |lane| {
                if let Some(read) = reads.get_mut(at[lane] as usize + skip) {
                    *read = new[lane];
                }
            });
            // Where lanes that read the same grain differ in what they make of it, there are several of this warp.
            for_lanes(mask, |lane| {
                if let Some(read) = reads.get_mut(at[lane] as usize + skip)
                    && *read != new[lane]
                {
                    *read = clock.now | WARP | thread & !31;
                }
            });
        }
        true
    }

    /// The writes of many lanes, or false.
    #[inline(always)]
    pub(super) fn try_write_lanes(&mut self, at: &[u32; 32], mask: u32, per: u32, thread: u32, clock: Clock) -> bool {
        if per > 0 {
            return self.try_write_several(at, mask, per, thread, clock);
        }
        for skip in 0..1usize << per {
            let length = self.writes.len();
            let (Some(shared), Some(reads)) = (self.writes.get_mut(..length), self.reads.get(..length)) else {
                return false;
            };
            let (mut old, mut others) = ([0u32; 32], [0u32; 32]);
            for lane in 0..32 {
                let at = at[lane] as usize + skip;
                if at >= length {
                    return false;
                }
                (old[lane], others[lane]) = (shared[at], reads[at]);
            }
            let mut bad = 0u32;
            for lane in 0..32 {
                let own = thread + lane as u32;
                let keep = 0u32.wrapping_sub(mask >> lane & 1);
                bad |= u32::from(!ordered(old[lane], own, clock) | !ordered(others[lane], own, clock)) & keep;
            }
            if bad != 0 {
                return false;
            }
            for_lanes(mask, |lane| {
                if let Some(write) = shared.get_mut(at[lane] as usize + skip) {
                    *write = clock.now | (thread + lane as u32);
                }
            });
            let mut alone = true;
            for_lanes(mask, |lane| {
                alone &= shared.get(at[lane] as usize + skip) == Some(&(clock.now | (thread + lane as u32)));
            });
            if !alone {
                // Two lanes write one grain: as before, for the long way to name the second.
                for_lanes(mask, |lane| {
                    if let Some(write) = shared.get_mut(at[lane] as usize + skip) {
                        *write = old[lane];
                    }
                });
                return false;
            }
        }
        true
    }

    /// The writes of many lanes, of several grains each, or false.
    #[inline(always)]
    fn try_write_several(&mut self, at: &[u32; 32], mask: u32, per: u32, thread: u32, clock: Clock) -> bool {
        let (mut old, mut fine) = ([0u32; 32], true);
        for_lanes(mask, |lane| {
            let range = at[lane] as usize..at[lane] as usize + (1 << per);
            fine &= match (self.writes.get(range.clone()), self.reads.get(range)) {
                (Some(writes), Some(reads)) => {
                    old[lane] = writes.first().copied().unwrap_or(0);
                    may_write(writes, reads, thread + lane as u32, clock)
                }
                _ => false,
            };
        });
        if !fine {
            return false;
        }
        // Lanes that write the same grains show in the first of them.
        let put = |words: &mut [u32], lane: usize, word: u32| {
            if let Some(into) = words.get_mut(at[lane] as usize) {
                *into = word;
            }
        };
        for_lanes(mask, |lane| put(&mut self.writes, lane, clock.now | (thread + lane as u32)));
        let mut alone = true;
        for_lanes(mask, |lane| {
            alone &= self.writes.get(at[lane] as usize) == Some(&(clock.now | (thread + lane as u32)));
        });
        if !alone {
            // As before, for the long way to name the second.
            for_lanes(mask, |lane| put(&mut self.writes, lane, old[lane]));
            return false;
        }
        for_lanes(mask, |lane| {
            let word = clock.now | (thread + lane as u32);
            if let Some(rest) = self.writes.get_mut(at[lane] as usize + 1..at[lane] as usize + (1 << per)) {
                rest.fill(word);
            }
        });
        true
    }

    /// The reductions of many lanes, or false: where one is not plainly in order, none is noted. `same`: all at one place. With
    /// `written`, the grains must have been written.
    #[inline(always)]
    #[allow(clippy::too_many_arguments)]
    pub(super) fn try_reduce_lanes(
        &mut self,
        at: &[u32; 32],
        mask: u32,
        per: u32,
        thread: u32,
        kind: u32,
        clock: Clock,
        same: bool,
        written: bool,
    ) -> bool {
        let (code, oldest) = (REDUCTION | kind, if written { EVER } else { 0 });
        let lanes = if same { mask & mask.wrapping_neg() } else { mask };
        let mut fine = true;
        for_lanes(lanes, |lane| {
            let own = thread + lane as u32;
            // Own accesses since the barrier are the long way's.
            let before = |access: u32| {
                let other = if same { access & WARP != 0 } else { access & WHO != own };
                (access < clock.block) | ((access < clock.warp) & same_warp(access, own) & other)
            };
            let joins = |write: u32| (write >= oldest) & ((write < clock.block) | (write & WHO == code));
            let after = |read: u32| before(read) | !same & (read & WHO == own);
            let range = at[lane] as usize..at[lane] as usize + (1 << per);
            let (Some(writes), Some(reads)) = (self.writes.get(range.clone()), self.reads.get(range)) else {
                fine = false;
                return;
            };
            fine &= match (common(writes), common(reads)) {
                (Some(write), Some(read)) => joins(write) & after(read),
                _ => writes.iter().all(|write| joins(*write)) && reads.iter().all(|read| after(*read)),
            };
        });
        if !fine {
            return false;
        }
        for_lanes(lanes, |lane| {
            if let Some(writes) = self.writes.get_mut(at[lane] as usize..at[lane] as usize + (1 << per)) {
                writes.fill(clock.now | code);
            }
        });
        true
    }

    /// All reads of a run; an error names its thread within the run. With `written`, the grains must have been written.
    pub(super) fn read_run(&mut self, run: Run, written: bool) -> Result<(), (usize, Objection)> {
        let Run { at, count, per, thread, clock } = run;
        for lane in 0..count {
            for grain in at + (lane << per)..at + ((lane + 1) << per) {
                if written && !self.written(grain) {
                    return Err((lane, Objection::NeverWritten));
                }
                self.read(grain, thread + lane as u32, clock).map_err(|objection| (lane, objection))?;
            }
        }
        Ok(())
    }

    /// All writes of a run; an error names its thread within the run.
    pub(super) fn write_run(&mut self, run: Run) -> Result<(), (usize, Objection)> {
        let Run { at, count, per, thread, clock } = run;
        for lane in 0..count {
            for grain in at + (lane << per)..at + ((lane + 1) << per) {
                self.write(grain, thread + lane as u32, clock).map_err(|objection| (lane, objection))?;
            }
        }
        Ok(())
    }

    /// Makes all times small, where the last barrier of the block was at `block` and those of the warps at `synced`. Only what is before and
    /// after these tells accesses apart: 1 is before the block's, 2 before the own warp's, 3 after both.
    pub(super) fn rebase(&mut self, block: u32, synced: &[u32; 32]) {
        for access in self.writes.iter_mut().chain(&mut self.reads).filter(|access| **access >= EVER) {
            let (time, who) = (*access >> TIME, *access & WHO);
            let warp = if who & OF_WARP < 1024 { synced[(who as usize & 1023) >> 5] } else { 0 };
            let new = if time < block {
                1
            } else if time < warp {
                2
            } else {
                REBASED_NOW
            };
            *access = new << TIME | who;
        }
    }

    /// Makes all times small: what each becomes.
    pub(super) fn rank(&mut self, rank: impl Fn(u32) -> u32) {
        for access in self.writes.iter_mut().chain(&mut self.reads) {
            *access = rank(*access >> TIME) << TIME | *access & WHO;
        }
    }
}

/// Times after [`Shadow::rebase`].
pub(super) const REBASED_BLOCK: u32 = 2;
pub(super) const REBASED_NOW: u32 = 3;
