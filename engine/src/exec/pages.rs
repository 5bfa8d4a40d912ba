//! The race detector's shadow of global memory, page by page.

use super::shadow::Shadow;
use crate::Memory;
use alloc::{collections::BTreeMap, vec::Vec};

/// Grains of a page.
const PAGE: usize = 256;

/// Pages remembered by [`Pages::find`].
const REMEMBERED: usize = 32;

/// Shadow of the global bytes that the block touches, page by page.
#[derive(Default)]
pub(super) struct Pages {
    pub(super) shadow: Shadow,
    index: BTreeMap<(u16, u64), usize>,
    /// What the block may write: buffer, first byte, end; `None` where that is not known.
    owned: Option<Vec<(u16, u64, u64)>>,
    /// Bytes of a page.
    bytes: u64,
    last: [Option<((u16, u64), usize)>; REMEMBERED],
}

/// The page of all bytes that the block cannot write: reads of them are in order with everything.
const READ_ONLY: (u16, u64) = (u16::MAX, u64::MAX);

impl Pages {
    pub(super) fn new(memory: &dyn Memory, grain: u32) -> Self {
        let mut owned = Vec::new();
        let known = memory.owned(&mut |buffer, from, until| owned.push((buffer, from, until)));
        Self { owned: known.then_some(owned), bytes: PAGE as u64 * u64::from(grain), ..Self::default() }
    }

    /// Whether the block may write into a page.
    fn writable(&self, (buffer, page): (u16, u64)) -> bool {
        let Some(owned) = &self.owned else { return true };
        let from = page.saturating_mul(self.bytes);
        let next = owned.partition_point(|(named, _, end)| (*named, *end) <= (buffer, from));
        owned.get(next).is_some_and(|(named, start, _)| *named == buffer && *start < from.saturating_add(self.bytes))
    }

    /// Index into the shadow of a grain of a buffer.
    #[inline(always)]
    pub(super) fn find(&mut self, buffer: u16, grain: u64) -> usize {
        let key = (buffer, grain / PAGE as u64);
        let within = (grain % PAGE as u64) as usize;
        let place = (key.1 as usize ^ usize::from(buffer) << 2) % REMEMBERED;
        match self.last[place] {
            Some((last, base)) if last == key => base + within,
            _ => self.look_up(key, place) + within,
        }
    }

    /// Whether two grains of a buffer are of one page.
    #[inline(always)]
    pub(super) fn together(one: u64, other: u64) -> bool {
        one / PAGE as u64 == other / PAGE as u64
    }

    /// Grains from this one to the end of its page.
    #[inline(always)]
    pub(super) fn rest(grain: u64) -> usize {
        PAGE - (grain % PAGE as u64) as usize
    }

    #[inline(never)]
    fn look_up(&mut self, key: (u16, u64), place: usize) -> usize {
        let next = self.index.len() * PAGE;
        let page = if self.writable(key) { key } else { READ_ONLY };
        let base = *self.index.entry(page).or_insert(next);
        if base == next {
            self.shadow.grow(PAGE);
        }
        self.last[place] = Some((key, base));
        base
    }
}
