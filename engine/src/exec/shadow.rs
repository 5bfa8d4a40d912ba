//! The race detector's shadow: for each grain of memory who wrote and who read it last, and when.
//!
//! Time is a counter that every barrier advances. An access is ordered before another one where it is the same
//! thread's, where a barrier of the whole block lies between, or where both threads share a warp and a barrier of the
//! whole warp lies between. Anything else with a write in it is a race.

use alloc::{collections::BTreeMap, vec::Vec};

const NOBODY: u32 = 0x7fff;
/// Several threads of one warp, named in the low bits.
const WARP: u32 = 0x8000;
const EVERYBODY: u32 = 0xffff;
/// Order-independent reductions; which one is in the low bits.
const REDUCTION: u32 = 0x4000;

/// Grains of a page of global memory.
const PAGE: usize = 256;

/// When the accesses of one warp happen.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clock {
    pub(super) now: u32,
    /// Time of the last barrier of the block.
    pub(super) block: u32,
    /// Time of the last barrier of the warp, or of the block.
    pub(super) warp: u32,
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
    write_time: Vec<u32>,
    read_time: Vec<u32>,
    writer: Vec<u32>,
    reader: Vec<u32>,
}

/// Neighbouring grains that neighbouring threads touch.
#[derive(Clone, Copy, Debug)]
pub(super) struct Run {
    pub(super) at: usize,
    /// Threads.
    pub(super) count: usize,
    /// Grains of one thread.
    pub(super) per: usize,
    pub(super) thread: u32,
    pub(super) clock: Clock,
}

fn same_warp(who: u32, thread: u32) -> bool {
    if who & WARP != 0 { who == WARP | thread >> 5 } else { who < 1024 && who >> 5 == thread >> 5 }
}

impl Shadow {
    pub(super) fn new(grains: usize) -> Self {
        let mut shadow = Self::default();
        shadow.grow(grains);
        shadow
    }

    fn grow(&mut self, by: usize) {
        let length = self.write_time.len() + by;
        self.write_time.resize(length, 0);
        self.read_time.resize(length, 0);
        self.writer.resize(length, NOBODY);
        self.reader.resize(length, NOBODY);
    }

    #[inline(always)]
    fn ordered(time: u32, who: u32, thread: u32, clock: Clock) -> bool {
        time < clock.block || who == thread || time < clock.warp && same_warp(who, thread)
    }

    /// Whether the grain was ever written.
    pub(super) fn written(&self, at: usize) -> bool {
        self.write_time[at] != 0
    }

    #[inline(always)]
    pub(super) fn read(&mut self, at: usize, thread: u32, clock: Clock) -> Result<(), Objection> {
        if !Self::ordered(self.write_time[at], self.writer[at], thread, clock) {
            return Err(Objection::Raced);
        }
        let (time, who) = (self.read_time[at], self.reader[at]);
        self.reader[at] = if time < clock.block || who == thread {
            thread
        } else if same_warp(who, thread) {
            if time < clock.warp { thread } else { WARP | thread >> 5 }
        } else {
            EVERYBODY
        };
        self.read_time[at] = clock.now;
        Ok(())
    }

    #[inline(always)]
    pub(super) fn write(&mut self, at: usize, thread: u32, clock: Clock) -> Result<(), Objection> {
        if !Self::ordered(self.write_time[at], self.writer[at], thread, clock)
            || !Self::ordered(self.read_time[at], self.reader[at], thread, clock)
        {
            return Err(Objection::Raced);
        }
        self.write_time[at] = clock.now;
        self.writer[at] = thread;
        Ok(())
    }

    /// A reduction: unordered with others of the same kind, ordered like a write with everything else.
    pub(super) fn reduce(&mut self, at: usize, thread: u32, kind: u32, clock: Clock) -> Result<(), Objection> {
        let code = REDUCTION | kind;
        let (time, who) = (self.write_time[at], self.writer[at]);
        let recent = time >= clock.block;
        if !(recent && who == code || Self::ordered(time, who, thread, clock))
            || !Self::ordered(self.read_time[at], self.reader[at], thread, clock)
        {
            return Err(Objection::Raced);
        }
        // After a plain write of its own in this interval the thread still excludes the others.
        if !(recent && who == thread) {
            self.writer[at] = code;
        }
        self.write_time[at] = clock.now;
        Ok(())
    }

    /// All reads of a run; an error names its thread within the run. With `written`, the grains must have been written.
    #[inline(always)]
    pub(super) fn read_run(&mut self, run: Run, written: bool) -> Result<(), (usize, Objection)> {
        let Run { at, count, per, thread, clock } = run;
        let grains = count * per;
        if per == 1 {
            let (writes, writers) = (&self.write_time[at..at + grains], &self.writer[at..at + grains]);
            let (reads, readers) = (&mut self.read_time[at..at + grains], &mut self.reader[at..at + grains]);
            let oldest = u32::from(written);
            let mut clean = true;
            for lane in 0..grains {
                let own = thread + lane as u32;
                clean &= (writes[lane] < clock.block) | (writers[lane] == own);
                clean &= (reads[lane] < clock.block) | (readers[lane] == own);
                clean &= writes[lane] >= oldest;
            }
            if clean {
                for lane in 0..grains {
                    reads[lane] = clock.now;
                    readers[lane] = thread + lane as u32;
                }
                return Ok(());
            }
        }
        for lane in 0..count {
            for grain in at + lane * per..at + (lane + 1) * per {
                if written && !self.written(grain) {
                    return Err((lane, Objection::NeverWritten));
                }
                self.read(grain, thread + lane as u32, clock).map_err(|objection| (lane, objection))?;
            }
        }
        Ok(())
    }

    /// All writes of a run; an error names its thread within the run.
    #[inline(always)]
    pub(super) fn write_run(&mut self, run: Run) -> Result<(), (usize, Objection)> {
        let Run { at, count, per, thread, clock } = run;
        let grains = count * per;
        if per == 1 {
            let (writes, writers) = (&mut self.write_time[at..at + grains], &mut self.writer[at..at + grains]);
            let (reads, readers) = (&self.read_time[at..at + grains], &self.reader[at..at + grains]);
            let mut clean = true;
            for lane in 0..grains {
                let own = thread + lane as u32;
                clean &= (writes[lane] < clock.block) | (writers[lane] == own);
                clean &= (reads[lane] < clock.block) | (readers[lane] == own);
            }
            if clean {
                for lane in 0..grains {
                    writes[lane] = clock.now;
                    writers[lane] = thread + lane as u32;
                }
                return Ok(());
            }
        }
        for lane in 0..count {
            for grain in at + lane * per..at + (lane + 1) * per {
                self.write(grain, thread + lane as u32, clock).map_err(|objection| (lane, objection))?;
            }
        }
        Ok(())
    }
}

/// Shadow of the global bytes that the block touches, page by page.
#[derive(Default)]
pub(super) struct Pages {
    pub(super) shadow: Shadow,
    index: BTreeMap<(u16, u64), usize>,
    last: Option<((u16, u64), usize)>,
}

impl Pages {
    /// Index into the shadow of a grain of a buffer.
    #[inline(always)]
    pub(super) fn find(&mut self, buffer: u16, grain: u64) -> usize {
        let key = (buffer, grain / PAGE as u64);
        let within = (grain % PAGE as u64) as usize;
        match self.last {
            Some((last, base)) if last == key => base + within,
            _ => self.look_up(key) + within,
        }
    }

    /// Grains from this one to the end of its page.
    pub(super) fn rest(grain: u64) -> usize {
        PAGE - (grain % PAGE as u64) as usize
    }

    #[inline(never)]
    fn look_up(&mut self, key: (u16, u64)) -> usize {
        let next = self.index.len() * PAGE;
        let base = *self.index.entry(key).or_insert(next);
        if base == next {
            self.shadow.grow(PAGE);
        }
        self.last = Some((key, base));
        base
    }
}
