//! Runs of arithmetic compiled for this CPU: what the interpreter's loop does instruction by instruction, done eight lanes at a time
//! without leaving the CPU's registers.
//!
//! A segment is a run of instructions of one block that compute registers of registers and cannot fail. Everything else (memory,
//! control, fuel, barriers, traps) stays with the interpreter, for which a segment is one instruction. Registers and digest
//! are afterwards what they would be, but for registers that nobody reads again.
#![allow(unsafe_code)] // Calls into code that was made at run time.

mod assembler;
mod emitter;
mod kinds;
mod pool;
mod segment;
#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests;

use crate::ir::{Block, Code, Ins, NONE, Op};
use emitter::{Emitter, Variant};
use memmap2::{Mmap, MmapMut};
use pool::Pool;
use segment::{Constants, Kind, Part, Step};
use std::{
    collections::BTreeMap,
    sync::{
        OnceLock,
        atomic::{AtomicU64, Ordering},
    },
};

/// It cannot be compiled; the interpreter runs it.
#[derive(Clone, Copy, Debug)]
struct Unfit;

/// Shorter runs are not worth the call.
const LEAST: usize = 3;
/// Most predicates that one segment writes.
pub(crate) const ANSWERS: usize = 32;
/// Instructions of one segment at most.
const MOST: usize = 1024;
/// Most instructions of a kernel that is compiled.
const MAX_INSTRUCTIONS: usize = 1 << 16;
/// To compile an instruction takes about as long as to interpret so many lane-steps.
const WORTH: u64 = 2000;

/// What a segment works on. The functions know the places of the fields.
#[repr(C)]
pub(crate) struct Frame {
    pub(crate) w: *mut [u32; 32],
    pub(crate) d: *mut [u64; 32],
    pub(crate) p: *mut u32,
    pub(crate) h: *mut [u32; 32],
    pub(crate) key: *const [u32; 32],
    pub(crate) pool: *const [u32; 8],
    pub(crate) answers: *mut [u32; ANSWERS],
    pub(crate) mask: u32,
}

type Function = unsafe extern "sysv64" fn(*const Frame);

/// The functions of a segment, as places in the code.
#[derive(Clone, Copy)]
struct Segment {
    whole: usize,
    part: usize,
    answers: usize,
}

/// A kernel with its segments compiled.
pub(crate) struct Compiled {
    /// The kernel's code with the segments in place of their instructions; blocks have the same numbers.
    pub(crate) code: Code,
    segments: Vec<Segment>,
    pages: Mmap,
    pool: Box<[[u32; 8]]>,
}

/// When a kernel has run for long enough to be compiled, and what came of it.
#[derive(Default)]
pub(crate) struct Tiers {
    spent: AtomicU64,
    plain: OnceLock<Option<Box<Compiled>>>,
    keyed: OnceLock<Option<Box<Compiled>>>,
}

impl Tiers {
    /// What runs in place of `code`, if it has run for long enough or `at_once`.
    pub(crate) fn of(&self, code: &Code, keyed: bool, at_once: bool) -> Option<&Compiled> {
        let tier = if keyed { &self.keyed } else { &self.plain };
        if let Some(compiled) = tier.get() {
            return compiled.as_deref();
        }
        if !at_once && self.spent.load(Ordering::Relaxed) < WORTH.saturating_mul(code.ins.len() as u64) {
            return None;
        }
        tier.get_or_init(|| Compiled::new(code, keyed).ok().map(Box::new)).as_deref()
    }

    /// Notes that it ran for so many lane-steps.
    pub(crate) fn spend(&self, lane_steps: u64) {
        self.spent.fetch_add(lane_steps, Ordering::Relaxed);
    }
}

impl Compiled {
    fn new(code: &Code, keyed: bool) -> Result<Self, Unfit> {
        if code.ins.len() > MAX_INSTRUCTIONS {
            return Err(Unfit);
        }
        let mut maker = Maker {
            code,
            keyed,
            pool: Pool::new(),
            bytes: Vec::new(),
            segments: Vec::new(),
            ins: Vec::new(),
            lines: Vec::new(),
        };
        let mut blocks = Vec::with_capacity(code.blocks.len());
        for block in &code.blocks {
            blocks.push(maker.block(block)?);
        }
        let Maker { pool, bytes, segments, ins, lines, .. } = maker;
        if segments.is_empty() {
            return Err(Unfit);
        }
        let mut pages = MmapMut::map_anon(bytes.len()).map_err(|_| Unfit)?;
        pages.copy_from_slice(&bytes);
        let pages = pages.make_exec().map_err(|_| Unfit)?;
        let code = Code { ins, lines, blocks, until: Vec::new(), ..code.clone() };
        Ok(Self { code, segments, pages, pool: pool.into_words() })
    }

    /// Where the constants lie.
    pub(crate) fn pool(&self) -> *const [u32; 8] {
        self.pool.as_ptr()
    }

    /// How many predicates a segment writes.
    pub(crate) fn answers(&self, segment: u32) -> usize {
        self.segments.get(segment as usize).map_or(0, |segment| segment.answers)
    }

    /// Runs a segment.
    ///
    /// # Safety
    ///
    /// The frame's rows are those of a warp of this kernel, its pool is [`Self::pool`]; where there is a digest it has its words and the key's.
    pub(crate) unsafe fn call(&self, segment: u32, frame: &Frame) {
        let Some(segment) = self.segments.get(segment as usize) else { return };
        let at = if frame.mask == u32::MAX { segment.whole } else { segment.part };
        let Some(code) = self.pages.get(at..) else { return };
        // SAFETY: a function that the emitter made starts there.
        let function: Function = unsafe { core::mem::transmute(code.as_ptr()) };
        // SAFETY: it touches what the frame points to, at slots that `warp` has, and nothing else; the caller vouches for the frame.
        unsafe { function(frame) }
    }
}

/// Instructions that make one segment.
struct Run {
    steps: Vec<Step>,
    count: usize,
    /// How many predicates they write.
    answers: usize,
    /// The last of them to write a slot.
    written: BTreeMap<Part, usize>,
}

struct Maker<'c> {
    code: &'c Code,
    keyed: bool,
    pool: Pool,
    bytes: Vec<u8>,
    segments: Vec<Segment>,
    ins: Vec<Ins>,
    lines: Vec<u32>,
}

impl Maker<'_> {
    /// The block with its segments in place.
    fn block(&mut self, block: &Block) -> Result<Block, Unfit> {
        let start = self.ins.len() as u32;
        let (mut at, end) = (block.start as usize, block.end as usize);
        while at < end {
            let run = self.run(at, end);
            if run.count < LEAST {
                self.ins.extend(self.code.ins.get(at));
                self.lines.extend(self.code.lines.get(at));
                at += 1;
                continue;
            }
            let segment = self.segment(&run, at + run.count)?;
            self.ins.push(Ins {
                op: Op::Compiled(segment),
                guard: NONE,
                d: NONE,
                e: NONE,
                a: NONE,
                b: NONE,
                c: NONE,
                negated: false,
                imm: 0,
            });
            self.lines.extend(self.code.lines.get(at));
            at += run.count;
        }
        Ok(Block { start, end: self.ins.len() as u32, ..*block })
    }

    /// The instructions from `at` on that can be compiled.
    fn run(&self, at: usize, end: usize) -> Run {
        let constants = Constants { w: &self.code.w_constants };
        let mut run = Run { steps: Vec::new(), count: 0, answers: 0, written: BTreeMap::new() };
        for (ins, index) in self.code.ins.get(at..end).unwrap_or_default().iter().zip(at..) {
            let before = run.steps.len();
            let full = run.count == MOST || run.answers == ANSWERS;
            if full || !segment::steps(ins, &constants, |step| run.steps.push(step)) {
                break;
            }
            let Some(Step { d: Some(part), guard, .. }) = run.steps.get(before).copied() else { break };
            run.count += 1;
            run.written.insert(first(part), index);
            let (kind, sources) = match part {
                Part::W(_) => (Kind::FoldW, [Some(part), None, None, None]),
                Part::D(slot, _) => (Kind::FoldD, [Some(Part::D(slot, false)), Some(Part::D(slot, true)), None, None]),
                Part::P(_) => {
                    run.answers += 1;
                    (Kind::Answer(run.answers as u32 - 1), [Some(part), None, None, None])
                }
            };
            if self.keyed {
                run.steps.push(Step { kind, d: None, sources, guard });
            }
        }
        run
    }

    /// Compiles the run that ends before instruction `end`.
    fn segment(&mut self, run: &Run, end: usize) -> Result<u32, Unfit> {
        let outlives = |part: Part| {
            let until = run.written.get(&first(part)).and_then(|last| self.code.until.get(*last));
            until.is_none_or(|until| *until as usize > end)
        };
        let mut place = |whole: bool| {
            let emitter = Emitter::new(&mut self.pool, Variant { keyed: self.keyed, whole })?;
            let at = self.bytes.len();
            self.bytes.extend(emitter.function(&run.steps, outlives)?);
            Ok(at)
        };
        let segment = Segment { whole: place(true)?, part: place(false)?, answers: run.answers };
        self.segments.push(segment);
        u32::try_from(self.segments.len() - 1).map_err(|_| Unfit)
    }
}

/// The lower part of a slot.
fn first(part: Part) -> Part {
    match part {
        Part::D(slot, _) => Part::D(slot, false),
        other => other,
    }
}

impl Clone for Tiers {
    /// What was compiled stays behind.
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl core::fmt::Debug for Tiers {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Tiers").finish_non_exhaustive()
    }
}
