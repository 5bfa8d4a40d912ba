//! Data flow over blocks: what is live, and what is surely assigned.

use super::{Assembler, MAX_SET_WORDS};
use crate::lower::{NO, Raw, Vreg};
use alloc::{vec, vec::Vec};

/// Bit sets, one per block.
pub(super) struct Sets {
    words: usize,
    bits: Vec<u64>,
}

impl Sets {
    pub(super) fn new(blocks: usize, words: usize, full: bool) -> Self {
        Self { words, bits: vec![if full { u64::MAX } else { 0 }; blocks * words] }
    }

    pub(super) fn row(&self, block: usize) -> &[u64] {
        &self.bits[block * self.words..(block + 1) * self.words]
    }

    fn row_mut(&mut self, block: usize) -> &mut [u64] {
        &mut self.bits[block * self.words..(block + 1) * self.words]
    }

    fn set(&mut self, block: usize, bit: usize) {
        self.bits[block * self.words + bit / 64] |= 1 << (bit % 64);
    }
}

pub(super) fn has(row: &[u64], bit: usize) -> bool {
    row[bit / 64] >> (bit % 64) & 1 == 1
}

fn put(row: &mut [u64], bit: usize, value: bool) {
    if value {
        row[bit / 64] |= 1 << (bit % 64);
    } else {
        row[bit / 64] &= !(1 << (bit % 64));
    }
}

impl Assembler<'_, '_> {
    pub(super) fn words(&self) -> usize {
        self.analysed.len().div_ceil(64)
    }

    fn fits(&self) -> bool {
        self.words().checked_mul(self.nodes.len()).is_some_and(|words| words <= MAX_SET_WORDS)
    }

    pub(super) fn slot(&self, register: Vreg) -> Option<usize> {
        self.index.get(register as usize).filter(|index| **index != NO).map(|index| *index as usize)
    }

    pub(super) fn liveness(&mut self) {
        if self.analysed.is_empty() {
            return;
        }
        let live = if self.fits() { self.live_sets() } else { None };
        let Some((live_in, live_out)) = live else {
            // From start to end of the function.
            let mut bounds = self.builder.starts.clone();
            bounds.push(self.builder.raws.len());
            for register in &self.analysed {
                let interval = &mut self.intervals[*register as usize];
                let part = bounds.partition_point(|start| 2 * start <= interval.0);
                interval.0 = 2 * bounds[part.saturating_sub(1)];
                interval.1 = 2 * bounds[part.min(bounds.len() - 1)];
            }
            return;
        };
        for (block, node) in self.nodes.iter().enumerate() {
            for (sets, position) in [(&live_in, 2 * node.start), (&live_out, 2 * node.end)] {
                for (at, word) in sets.row(block).iter().enumerate() {
                    let mut word = *word;
                    while word != 0 {
                        let bit = at * 64 + word.trailing_zeros() as usize;
                        word &= word - 1;
                        let interval = &mut self.intervals[self.analysed[bit] as usize];
                        interval.0 = interval.0.min(position);
                        interval.1 = interval.1.max(position);
                    }
                }
            }
        }
    }

    /// Takes from the module's budget of word operations.
    fn spend(&mut self, work: usize) -> Option<()> {
        let left = &mut self.builder.context.work;
        *left = left.checked_sub(work)?;
        Some(())
    }

    fn live_sets(&mut self) -> Option<(Sets, Sets)> {
        let (blocks, words) = (self.nodes.len(), self.words());
        let mut uses = Sets::new(blocks, words, false);
        let mut kills = Sets::new(blocks, words, false);
        for (at, raw) in self.builder.raws.iter().enumerate() {
            let block = self.block_of[at] as usize;
            raw.uses(&self.builder.ext, |register| {
                if let Some(bit) = self.slot(register)
                    && !has(kills.row(block), bit)
                {
                    uses.set(block, bit);
                }
            });
            raw.defs(&self.builder.ext, |register| {
                if let Some(bit) = self.slot(register)
                    && raw.guard == NO
                {
                    kills.set(block, bit);
                }
            });
        }
        let mut live_in = Sets::new(blocks, words, false);
        let mut live_out = Sets::new(blocks, words, false);
        loop {
            let mut changed = false;
            for block in (0..blocks).rev() {
                self.spend(words * (self.nodes[block].next.len() + 2))?;
                for &next in &self.nodes[block].next {
                    for word in 0..words {
                        let incoming = live_in.bits[next as usize * words + word];
                        live_out.bits[block * words + word] |= incoming;
                    }
                }
                for word in 0..words {
                    let at = block * words + word;
                    let value = uses.bits[at] | live_out.bits[at] & !kills.bits[at];
                    if live_in.bits[at] != value {
                        live_in.bits[at] = value;
                        changed = true;
                    }
                }
            }
            if !changed {
                return Some((live_in, live_out));
            }
        }
    }

    /// Moves the state of assignment over one instruction.
    pub(super) fn assign(&self, raw: &Raw, state: &mut [u64]) {
        if let (Some(sources), Some(to)) = (self.carried(raw), self.slot(raw.d)) {
            // Where none needs analysis it surely holds a value.
            let mut followed = sources.into_iter().filter_map(|source| self.slot(source)).peekable();
            if followed.peek().is_some() {
                let value = followed.all(|from| has(state, from));
                if raw.guard == NO {
                    put(state, to, value);
                } else if !value {
                    put(state, to, false);
                }
                return;
            }
        }
        raw.defs(&self.builder.ext, |register| {
            if let Some(bit) = self.slot(register)
                && (raw.guard == NO || self.builder.is_temporary(register))
            {
                put(state, bit, true);
            }
        });
    }

    /// Finds the registers that some path reads before it writes them.
    pub(super) fn initialisation(&mut self) {
        if self.analysed.is_empty() {
            return;
        }
        if self.fits() {
            self.assigned = self.assigned_sets();
        }
        let words = self.words();
        let mut state = vec![0u64; words];
        let mut tracked = core::mem::take(&mut self.tracked);
        for (block, node) in self.nodes.iter().enumerate() {
            match &self.assigned {
                Some(sets) => state.copy_from_slice(sets.row(block)),
                None => state.fill(0),
            }
            for raw in &self.builder.raws[node.start..node.end] {
                raw.uses(&self.builder.ext, |register| {
                    if let Some(bit) = self.slot(register)
                        && !has(&state, bit)
                        && !self.builder.is_temporary(register)
                    {
                        tracked[register as usize] = true;
                    }
                });
                self.assign(raw, &mut state);
            }
        }
        self.tracked = tracked;
    }

    fn assigned_sets(&mut self) -> Option<Sets> {
        let (blocks, words) = (self.nodes.len(), self.words());
        let mut inputs = Sets::new(blocks, words, true);
        for (block, node) in self.nodes.iter().enumerate() {
            if node.root {
                inputs.row_mut(block).fill(0);
            }
        }
        let mut state = vec![0u64; words];
        loop {
            let mut changed = false;
            for block in 0..blocks {
                let node = &self.nodes[block];
                self.spend(words * (node.next.len() + 2) + (node.end - node.start))?;
                let node = &self.nodes[block];
                state.copy_from_slice(inputs.row(block));
                for raw in &self.builder.raws[node.start..node.end] {
                    self.assign(raw, &mut state);
                }
                for &next in &node.next {
                    for (word, value) in inputs.row_mut(next as usize).iter_mut().zip(&state) {
                        let met = *word & value;
                        changed |= met != *word;
                        *word = met;
                    }
                }
            }
            if !changed {
                return Some(inputs);
            }
        }
    }
}
