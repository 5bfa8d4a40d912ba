//! The race detector's shadow: for each grain of memory who wrote and who read it last, and when.
//!
//! Time is a counter that every barrier advances. An access is ordered before another one where it is the same
//! thread's, where a barrier of the whole block lies between, or where both threads share a warp and a barrier of the
//! whole warp lies between. Anything else with a write in it is a race.

use alloc::{collections::BTreeMap, vec::Vec};

const NOBODY: u16 = 0x7fff;
/// Several threads of one warp, named in the low bits.
const WARP: u16 = 0x8000;
const EVERYBODY: u16 = 0xffff;
/// Order-independent reductions; which one is in the low bits.
const REDUCTION: u16 = 0x4000;

/// Grains of a page of global memory.
const PAGE: usize = 64;

/// When the accesses of one warp happen.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clock {
    pub(super) now: u32,
    /// Time of the last barrier of the block.
    pub(super) block: u32,
    /// Time of the last barrier of the warp, or of the block.
    pub(super) warp: u32,
}

/// Two unordered accesses.
#[derive(Clone, Copy, Debug)]
pub(super) struct Raced;

/// Shadow of a range of grains.
#[derive(Default)]
pub(super) struct Shadow {
    write_time: Vec<u32>,
    read_time: Vec<u32>,
    writer: Vec<u16>,
    reader: Vec<u16>,
}

fn same_warp(who: u16, thread: u16) -> bool {
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

    /// Whether anything was ever written there.
    #[inline(always)]
    pub(super) fn written(&self, at: usize) -> bool {
        self.write_time[at] != 0
    }

    #[inline(always)]
    fn write_ordered(&self, at: usize, thread: u16, clock: Clock) -> bool {
        let time = self.write_time[at];
        let who = self.writer[at];
        time < clock.block || who == thread || time < clock.warp && same_warp(who, thread)
    }

    #[inline(always)]
    fn reads_ordered(&self, at: usize, thread: u16, clock: Clock) -> bool {
        let time = self.read_time[at];
        let who = self.reader[at];
        time < clock.block || who == thread || time < clock.warp && same_warp(who, thread)
    }

    #[inline(always)]
    pub(super) fn read(&mut self, at: usize, thread: u16, clock: Clock) -> Result<(), Raced> {
        if !self.write_ordered(at, thread, clock) {
            return Err(Raced);
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
    pub(super) fn write(&mut self, at: usize, thread: u16, clock: Clock) -> Result<(), Raced> {
        if !self.write_ordered(at, thread, clock) || !self.reads_ordered(at, thread, clock) {
            return Err(Raced);
        }
        self.write_time[at] = clock.now;
        self.writer[at] = thread;
        Ok(())
    }

    /// A reduction: unordered with others of the same kind, ordered like a write with everything else.
    pub(super) fn reduce(&mut self, at: usize, thread: u16, kind: u16, clock: Clock) -> Result<(), Raced> {
        let code = REDUCTION | kind;
        let recent = self.write_time[at] >= clock.block;
        let who = self.writer[at];
        if !(recent && who == code || self.write_ordered(at, thread, clock)) || !self.reads_ordered(at, thread, clock) {
            return Err(Raced);
        }
        // After a plain write of its own in this interval the thread still excludes the others.
        if !(recent && who == thread) {
            self.writer[at] = code;
        }
        self.write_time[at] = clock.now;
        Ok(())
    }

    /// Thirty-two threads from `thread` read neighbouring grains; false where that needs a closer look.
    #[inline(always)]
    pub(super) fn read_row(&mut self, at: usize, thread: u16, clock: Clock, written: bool) -> bool {
        let (Some(writes), Some(reads)) = (self.write_time.get(at..at + 32), self.read_time.get_mut(at..at + 32))
        else {
            return false;
        };
        let mut clean = true;
        for (write, read) in writes.iter().zip(reads.iter()) {
            clean &= *write < clock.block && *read < clock.block && (!written || *write != 0);
        }
        if !clean {
            return false;
        }
        reads.fill(clock.now);
        for (lane, reader) in self.reader[at..at + 32].iter_mut().enumerate() {
            *reader = thread + lane as u16;
        }
        true
    }

    /// Thirty-two threads from `thread` write neighbouring grains; false where that needs a closer look.
    #[inline(always)]
    pub(super) fn write_row(&mut self, at: usize, thread: u16, clock: Clock) -> bool {
        let (Some(writes), Some(reads)) = (self.write_time.get_mut(at..at + 32), self.read_time.get(at..at + 32))
        else {
            return false;
        };
        let mut clean = true;
        for (write, read) in writes.iter().zip(reads) {
            clean &= *write < clock.block && *read < clock.block;
        }
        if !clean {
            return false;
        }
        writes.fill(clock.now);
        for (lane, writer) in self.writer[at..at + 32].iter_mut().enumerate() {
            *writer = thread + lane as u16;
        }
        true
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

