//! Until when results are of use, for what is compiled.

use alloc::vec::Vec;

/// Not known.
const ALWAYS: usize = usize::MAX;

/// Filled while instructions are made of raw ones, in order.
#[derive(Default)]
pub(super) struct Uses {
    /// By raw instruction: how many there were before it.
    starts: Vec<u32>,
    /// By instruction: the last raw one to read its result.
    last: Vec<usize>,
}

impl Uses {
    /// A raw instruction starts after `made` instructions.
    pub(super) fn start(&mut self, made: usize) {
        self.starts.push(made as u32);
    }

    /// The last of `made` instructions has a result that lives until the end of an interval, in half positions.
    pub(super) fn read_until(&mut self, made: usize, end: Option<usize>) {
        self.last.resize(made.saturating_sub(1), ALWAYS);
        self.last.push(end.map_or(ALWAYS, |end| end / 2));
    }

    /// By instruction: the one before which its result is read for the last time.
    pub(super) fn until(self) -> Vec<u32> {
        let after = |last: usize| last.checked_add(1).and_then(|next| self.starts.get(next)).copied();
        self.last.iter().map(|last| after(*last).unwrap_or(u32::MAX)).collect()
    }
}
