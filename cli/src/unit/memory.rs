//! Global memory that remembers what was read and written.

use std::collections::{BTreeMap, HashMap};

use assay_engine::{AccessError, Memory};
use assay_primitives::write_map::{Owner, Ownership};
use assay_worker::backend::Buffers;

/// Bytes that are kept together.
const PAGE: u64 = 256;
const PAGE_BYTES: usize = PAGE as usize;
type Marks = [u64; PAGE_BYTES / 64];

/// What a unit may do.
pub enum Rule {
    /// Anything inside the buffers.
    Free,
    /// What the write maps allow this CTA.
    Owned(Ownership, [u32; 3]),
}

/// Stretches of bytes, sorted, apart.
pub type Ranges = Vec<(u64, u64)>;

struct Page {
    bytes: [u8; PAGE_BYTES],
    written: Marks,
    read: Marks,
}

/// The memory of one unit.
pub struct Watched<'a> {
    buffers: &'a Buffers,
    rule: Rule,
    pages: Vec<Page>,
    index: HashMap<(u16, u64), usize>,
    last: Option<((u16, u64), usize)>,
}

impl<'a> Watched<'a> {
    /// Over the buffers before the launch.
    pub fn new(buffers: &'a Buffers, rule: Rule) -> Self {
        Self { buffers, rule, pages: Vec::new(), index: HashMap::new(), last: None }
    }

    /// Bytes of a buffer.
    pub fn len(&self, buffer: u16) -> Option<u64> {
        self.buffers.0.get(usize::from(buffer)).map(|bytes| bytes.len() as u64)
    }

    fn page(&mut self, buffer: u16, number: u64) -> Option<&mut Page> {
        let key = (buffer, number);
        let at = match self.last {
            Some((last, at)) if last == key => at,
            _ => match self.index.get(&key) {
                Some(at) => *at,
                None => {
                    let mut bytes = [0; PAGE_BYTES];
                    let whole = self.buffers.0.get(usize::from(buffer))?;
                    let from = usize::try_from(number.checked_mul(PAGE)?).ok()?;
                    let held = whole.get(from..)?;
                    for (into, byte) in bytes.iter_mut().zip(held) {
                        *into = *byte;
                    }
                    self.pages.push(Page { bytes, written: Marks::default(), read: Marks::default() });
                    let at = self.pages.len().saturating_sub(1);
                    self.index.insert(key, at);
                    at
                }
            },
        };
        self.last = Some((key, at));
        self.pages.get_mut(at)
    }

    /// Goes over `len` bytes from `offset` page by page: page, first byte in it, first byte of the access, bytes.
    fn each(
        &mut self,
        buffer: u16,
        offset: u64,
        len: usize,
        mut visit: impl FnMut(&mut Page, usize, usize, usize),
    ) -> Result<(), AccessError> {
        let end = offset.checked_add(len as u64).ok_or(AccessError::OutOfBounds)?;
        if self.len(buffer).is_none_or(|all| end > all) {
            return Err(AccessError::OutOfBounds);
        }
        let mut done = 0usize;
        while done < len {
            let at = offset.saturating_add(done as u64);
            let within = usize::try_from(at % PAGE).unwrap_or(0);
            let count = PAGE_BYTES.saturating_sub(within).min(len.saturating_sub(done));
            let page = self.page(buffer, at / PAGE).ok_or(AccessError::OutOfBounds)?;
            visit(page, within, done, count);
            done = done.saturating_add(count);
        }
        Ok(())
    }

    /// Whether every byte is owned as it must be.
    fn allowed(&self, buffer: u16, offset: u64, len: u64, store: bool) -> Result<(), AccessError> {
        let Rule::Owned(ownership, cta) = &self.rule else { return Ok(()) };
        let end = offset.saturating_add(len);
        let mut at = offset;
        while at < end {
            let (owner, until) = ownership.owner(buffer, at);
            match owner {
                Owner::Cta(owner) if owner == *cta => {}
                _ if store => return Err(AccessError::NotOwned),
                Owner::Cta(_) => return Err(AccessError::OwnedByOther),
                Owner::Nobody => {}
            }
            at = until.max(at.saturating_add(1));
        }
        Ok(())
    }

    fn ranges(&self, marks: impl Fn(&Page) -> &Marks) -> BTreeMap<u16, Ranges> {
        let mut keys: Vec<(&(u16, u64), &usize)> = self.index.iter().collect();
        keys.sort_unstable();
        let mut found: BTreeMap<u16, Ranges> = BTreeMap::new();
        for ((buffer, number), at) in keys {
            let Some(page) = self.pages.get(*at) else { continue };
            for (word, bits) in marks(page).iter().enumerate() {
                let mut left = *bits;
                while left != 0 {
                    let first = left.trailing_zeros();
                    let count = (left >> first).trailing_ones();
                    let start = number.saturating_mul(PAGE).saturating_add(word as u64 * 64 + u64::from(first));
                    push(found.entry(*buffer).or_default(), start, start.saturating_add(count.into()));
                    let run = u64::MAX >> (64u32.saturating_sub(count));
                    left &= !(run << first);
                }
            }
        }
        found
    }

    /// What was stored, by buffer.
    pub fn written(&self) -> BTreeMap<u16, Ranges> {
        self.ranges(|page| &page.written)
    }

    /// What was loaded before the unit had stored it, by buffer.
    pub fn read(&self) -> BTreeMap<u16, Ranges> {
        self.ranges(|page| &page.read)
    }

    /// Puts what was stored into buffers.
    pub fn apply(&self, into: &mut BTreeMap<u16, Vec<u8>>, before: &Buffers) {
        for (buffer, ranges) in self.written() {
            let Some(old) = before.0.get(usize::from(buffer)) else { continue };
            let bytes = into.entry(buffer).or_insert_with(|| old.as_ref().clone());
            for (from, until) in ranges {
                let mut at = from;
                while at < until {
                    let stop = (at / PAGE).saturating_add(1).saturating_mul(PAGE).min(until);
                    let page = self.index.get(&(buffer, at / PAGE)).and_then(|at| self.pages.get(*at));
                    let [low, high] = [at % PAGE, at % PAGE + (stop - at)].map(|x| usize::try_from(x).unwrap_or(0));
                    let to =
                        usize::try_from(at).ok().and_then(|from| bytes.get_mut(from..from.checked_add(high - low)?));
                    if let (Some(to), Some(page)) = (to, page.and_then(|page| page.bytes.get(low..high))) {
                        to.copy_from_slice(page);
                    }
                    at = stop;
                }
            }
        }
    }
}

/// Adds a stretch at the end of sorted ones.
pub fn push(ranges: &mut Ranges, from: u64, until: u64) {
    match ranges.last_mut() {
        Some(last) if last.1 >= from => last.1 = last.1.max(until),
        _ => ranges.push((from, until)),
    }
}

fn mark(marks: &mut Marks, from: usize, count: usize) {
    for at in from..from.saturating_add(count) {
        if let Some(word) = marks.get_mut(at / 64) {
            *word |= 1 << (at % 64);
        }
    }
}

impl Memory for Watched<'_> {
    fn load(&mut self, buffer: u16, offset: u64, out: &mut [u8]) -> Result<(), AccessError> {
        self.allowed(buffer, offset, out.len() as u64, false)?;
        self.each(buffer, offset, out.len(), |page, within, done, count| {
            if let (Some(into), Some(from)) =
                (out.get_mut(done..done.saturating_add(count)), page.bytes.get(within..within.saturating_add(count)))
            {
                into.copy_from_slice(from);
            }
            for at in within..within.saturating_add(count) {
                if let (Some(read), Some(written)) = (page.read.get_mut(at / 64), page.written.get(at / 64)) {
                    *read |= (1 << (at % 64)) & !written;
                }
            }
        })
    }

    fn store(&mut self, buffer: u16, offset: u64, bytes: &[u8]) -> Result<(), AccessError> {
        let end = offset.checked_add(bytes.len() as u64);
        if self.len(buffer).is_none_or(|len| end.is_none_or(|end| end > len)) {
            return Err(AccessError::OutOfBounds);
        }
        self.allowed(buffer, offset, bytes.len() as u64, true)?;
        self.each(buffer, offset, bytes.len(), |page, within, done, count| {
            if let (Some(into), Some(from)) =
                (page.bytes.get_mut(within..within.saturating_add(count)), bytes.get(done..done.saturating_add(count)))
            {
                into.copy_from_slice(from);
            }
            mark(&mut page.written, within, count);
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::sync::Arc;

    use super::*;

    #[test]
    fn reads_and_writes_are_remembered_by_byte() {
        let buffers = Buffers(vec![Arc::new((0..=255).cycle().take(1000).collect()), Arc::new(vec![0; 8])]);
        let mut memory = Watched::new(&buffers, Rule::Free);
        memory.store(0, 250, &[9; 12]).unwrap();
        let mut out = [0; 20];
        memory.load(0, 245, &mut out).unwrap();
        assert_eq!(out, [245, 246, 247, 248, 249, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 6, 7, 8]);
        assert_eq!(memory.written(), BTreeMap::from([(0, vec![(250, 262)])]));
        assert_eq!(memory.read(), BTreeMap::from([(0, vec![(245, 250), (262, 265)])]));
        assert_eq!(memory.store(0, 999, &[1, 2]), Err(AccessError::OutOfBounds));
        assert_eq!(memory.load(2, 0, &mut out), Err(AccessError::OutOfBounds));
        assert_eq!(memory.store(0, u64::MAX, &[1, 2]), Err(AccessError::OutOfBounds));
        let mut after = BTreeMap::new();
        memory.apply(&mut after, &buffers);
        let bytes = after.remove(&0).unwrap();
        assert_eq!(bytes.get(249..263).unwrap(), [249, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 6]);
        assert!(after.is_empty());
    }
}
