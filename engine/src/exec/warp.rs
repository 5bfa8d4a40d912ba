//! One warp: registers of 32 lanes, fragments of diverged control, local memory.

use super::{copies::Copies, digest::Key};
use crate::ir::{BarrierKind, Code, Slot};
use alloc::vec::Vec;

/// Lanes that are at the same block.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fragment {
    pub(super) block: u32,
    pub(super) mask: u32,
    /// Waits for others at a barrier of the warp or a warp-wide instruction.
    pub(super) blocked: bool,
}

/// A warp at a barrier of the block.
#[derive(Clone, Copy, Debug)]
pub(super) struct Waiting {
    pub(super) id: u32,
    /// Threads the barrier is for; zero for all.
    pub(super) threads: u32,
    pub(super) kind: BarrierKind,
    pub(super) d: Slot,
    /// Lanes whose predicate holds.
    pub(super) votes: u32,
    pub(super) line: u32,
}

/// The state of one warp.
#[derive(Default)]
pub(super) struct Warp {
    pub(super) number: u32,
    /// Lanes that have not exited.
    pub(super) live: u32,
    /// Lanes that went on while others waited at a barrier.
    pub(super) strayed: u32,
    pub(super) fragments: Vec<Fragment>,
    pub(super) w: Vec<[u32; 32]>,
    pub(super) d: Vec<[u64; 32]>,
    pub(super) p: Vec<u32>,
    /// Local memory by 4-byte rows of 32 lanes.
    pub(super) local: Vec<[u32; 32]>,
    /// For each byte of a row the lanes that have written it.
    pub(super) local_written: Vec<[u32; 4]>,
    pub(super) waiting: Option<Waiting>,
    pub(super) copies: Copies,
    /// Member masks of the warp-wide instruction at hand.
    pub(super) members: [u32; 32],
    /// Digest words.
    pub(super) h: [u32; 32],
    pub(super) scalar: u32,
}

impl Warp {
    /// Makes it the warp of that number before its first instruction, whatever it was.
    pub(super) fn start(&mut self, code: &Code, number: u32, threads: u32, key: Option<&Key>) {
        let count = threads.saturating_sub(number * 32).min(32);
        let live = if count == 32 { u32::MAX } else { (1 << count) - 1 };
        (self.number, self.live, self.strayed, self.scalar) = (number, live, 0, 0);
        self.fragments.clear();
        self.fragments.push(Fragment { block: code.entry, mask: live, blocked: false });
        filled(&mut self.w, usize::from(code.w), [0; 32]);
        filled(&mut self.d, usize::from(code.d), [0; 32]);
        filled(&mut self.p, usize::from(code.p), 0);
        filled(&mut self.local, code.local as usize / 4, [0; 32]);
        filled(&mut self.local_written, code.local as usize / 4, [0; 4]);
        (self.waiting, self.copies, self.members) = (None, Copies::default(), [0; 32]);
        self.h = key.map_or([0; 32], |key| key.start(number));
        for &(slot, value) in &code.w_constants {
            self.w[usize::from(slot)] = [value; 32];
        }
        for &(slot, value) in &code.d_constants {
            self.d[usize::from(slot)] = [value; 32];
        }
        for &(slot, value) in &code.p_constants {
            self.p[usize::from(slot)] = if value { u32::MAX } else { 0 };
        }
    }

    /// First thread of the warp.
    pub(super) fn first(&self) -> u32 {
        self.number * 32
    }
}

fn filled<T: Clone>(into: &mut Vec<T>, count: usize, value: T) {
    into.clear();
    into.resize(count, value);
}
