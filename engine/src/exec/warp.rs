//! One warp: registers of 32 lanes, fragments of diverged control, local memory.

use super::{copies::Copies, digest::Key};
use crate::ir::{BarrierKind, Code, Slot};
use alloc::{vec, vec::Vec};

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
    pub(super) fn new(code: &Code, number: u32, threads: u32, key: Option<&Key>) -> Self {
        let count = threads.saturating_sub(number * 32).min(32);
        let live = if count == 32 { u32::MAX } else { (1 << count) - 1 };
        let mut warp = Self {
            number,
            live,
            fragments: vec![Fragment { block: code.entry, mask: live, blocked: false }],
            w: vec![[0; 32]; usize::from(code.w)],
            d: vec![[0; 32]; usize::from(code.d)],
            p: vec![0; usize::from(code.p)],
            local: vec![[0; 32]; code.local as usize / 4],
            local_written: vec![[0; 4]; code.local as usize / 4],
            h: key.map_or([0; 32], |key| key.start(number)),
            ..Self::default()
        };
        for &(slot, value) in &code.w_constants {
            warp.w[usize::from(slot)] = [value; 32];
        }
        for &(slot, value) in &code.d_constants {
            warp.d[usize::from(slot)] = [value; 32];
        }
        for &(slot, value) in &code.p_constants {
            warp.p[usize::from(slot)] = if value { u32::MAX } else { 0 };
        }
        warp
    }

    /// First thread of the warp.
    pub(super) fn first(&self) -> u32 {
        self.number * 32
    }
}
