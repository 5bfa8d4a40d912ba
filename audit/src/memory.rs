//! Global memory as one CTA sees it: the state before the launch, overlaid with the bytes that the CTA owns.

use crate::unit::{Effect, State};
use alloc::{
    collections::{BTreeMap, BTreeSet},
    vec,
    vec::Vec,
};
use assay_engine::{AccessError, Memory};
use assay_primitives::{
    Writes,
    slice::{CHUNK, Proved},
    witness::ByteRange,
    write_map::Owner,
};

/// Where the bytes of the state before come from.
pub(crate) trait Source {
    /// Fills `out` from `offset` of `buffer`.
    fn read(&mut self, buffer: u16, offset: u64, out: &mut [u8]) -> Result<(), AccessError>;
}

/// Buffers held whole.
pub(crate) struct Whole<'a>(pub &'a dyn State);

impl Source for Whole<'_> {
    fn read(&mut self, buffer: u16, offset: u64, out: &mut [u8]) -> Result<(), AccessError> {
        let bytes = self.0.buffer(buffer).ok_or(AccessError::OutOfBounds)?;
        let range = usize::try_from(offset)
            .ok()
            .and_then(|start| bytes.get(start..start.checked_add(out.len())?))
            .ok_or(AccessError::OutOfBounds)?;
        out.copy_from_slice(range);
        Ok(())
    }
}

/// Buffers held whole; what is read is remembered, by chunk.
pub(crate) struct Recording<'a> {
    whole: Whole<'a>,
    last: (u16, u64),
    chunks: BTreeSet<(u16, u64)>,
}

impl<'a> Recording<'a> {
    pub fn new(state: &'a dyn State) -> Self {
        Self { whole: Whole(state), last: (u16::MAX, u64::MAX), chunks: BTreeSet::new() }
    }

    /// Whole chunks of `buffer` that were read, as ranges within its `len` bytes.
    pub fn ranges(&self, buffer: u16, len: u64) -> Vec<ByteRange> {
        chunk_ranges(self.chunks.range((buffer, 0)..=(buffer, u64::MAX)).map(|(_, chunk)| *chunk), len)
    }
}

impl Source for Recording<'_> {
    fn read(&mut self, buffer: u16, offset: u64, out: &mut [u8]) -> Result<(), AccessError> {
        self.whole.read(buffer, offset, out)?;
        let first = offset / CHUNK;
        let last = offset.saturating_add(out.len() as u64).saturating_sub(1) / CHUNK;
        if self.last != (buffer, first) || first != last {
            for chunk in first..=last {
                self.chunks.insert((buffer, chunk));
            }
            self.last = (buffer, last);
        }
        Ok(())
    }
}

/// Sorted chunk numbers as canonical ranges of a blob of `len` bytes.
pub(crate) fn chunk_ranges(chunks: impl Iterator<Item = u64>, len: u64) -> Vec<ByteRange> {
    let mut ranges: Vec<ByteRange> = Vec::new();
    for chunk in chunks {
        let start = chunk.saturating_mul(CHUNK);
        let size = CHUNK.min(len.saturating_sub(start));
        match ranges.last_mut() {
            Some(last) if last.offset.saturating_add(last.len) == start => last.len = last.len.saturating_add(size),
            _ => ranges.push(ByteRange { offset: start, len: size }),
        }
    }
    ranges
}

/// The buffers' lengths and the slices of a witness.
pub(crate) struct Witnessed<'a> {
    pub lengths: &'a [u64],
    pub slices: &'a BTreeMap<u16, Proved>,
}

impl Source for Witnessed<'_> {
    fn read(&mut self, buffer: u16, offset: u64, out: &mut [u8]) -> Result<(), AccessError> {
        let len = *self.lengths.get(usize::from(buffer)).ok_or(AccessError::OutOfBounds)?;
        let size = out.len() as u64;
        if offset.checked_add(size).is_none_or(|end| end > len) {
            return Err(AccessError::OutOfBounds);
        }
        let bytes = self.slices.get(&buffer).and_then(|proved| proved.get(offset, size)).ok_or(AccessError::Incomplete)?;
        out.copy_from_slice(bytes);
        Ok(())
    }
}

/// A run of bytes that the CTA owns.
struct Own {
    buffer: u16,
    offset: u64,
    bytes: Vec<u8>,
}

impl Own {
    fn end(&self) -> u64 {
        self.offset.saturating_add(self.bytes.len() as u64)
    }
}

/// The memory of one CTA.
pub(crate) struct CtaMemory<'a, S> {
    writes: &'a Writes,
    grid: [u32; 3],
    source: S,
    /// Sorted by (buffer, offset), disjoint, touching runs joined.
    own: Vec<Own>,
    /// Index into `own` of the last hit.
    hit: usize,
    /// The last stretch of foreign bytes that nobody owns: buffer, start, end.
    free: (u16, u64, u64),
}

impl<'a, S: Source> CtaMemory<'a, S> {
    /// Fills the owned runs from the source; hands back the first missing byte when it lacks one.
    #[allow(clippy::type_complexity)]
    pub fn new(writes: &'a Writes, grid: [u32; 3], cta: [u32; 3], source: S) -> Result<Self, (u16, u64, Self)> {
        let mut runs: Vec<(u16, u64, u64)> = Vec::new();
        writes.for_each_owned(cta, |buffer, offset, len| {
            match runs.last_mut() {
                Some((b, o, l)) if *b == buffer && o.saturating_add(*l) == offset => *l = l.saturating_add(len),
                _ => runs.push((buffer, offset, len)),
            }
            true
        });
        runs.sort_unstable();
        let mut own: Vec<Own> = Vec::with_capacity(runs.len());
        let mut memory = Self { writes, grid, source, own: Vec::new(), hit: 0, free: (0, 0, 0) };
        for (buffer, offset, len) in runs {
            let mut bytes = vec![0; usize::try_from(len).unwrap_or(0)];
            if memory.source.read(buffer, offset, &mut bytes).is_err() {
                memory.own = own;
                return Err((buffer, offset, memory));
            }
            match own.last_mut() {
                Some(last) if last.buffer == buffer && last.end() == offset => last.bytes.extend_from_slice(&bytes),
                _ => own.push(Own { buffer, offset, bytes }),
            }
        }
        memory.own = own;
        Ok(memory)
    }

    /// The owned run that holds the byte, if it is owned.
    fn find(&mut self, buffer: u16, offset: u64) -> Option<&mut Own> {
        let holds = |own: &Own| own.buffer == buffer && own.offset <= offset && offset < own.end();
        if !self.own.get(self.hit).is_some_and(holds) {
            let after = self.own.partition_point(|own| (own.buffer, own.offset) <= (buffer, offset));
            let index = after.checked_sub(1)?;
            if !self.own.get(index).is_some_and(holds) {
                return None;
            }
            self.hit = index;
        }
        self.own.get_mut(self.hit)
    }

    /// The source, when the run is over.
    pub fn source(&self) -> &S {
        &self.source
    }

    /// The owned runs: buffer, offset, bytes as they are now.
    pub fn owned(&self) -> impl Iterator<Item = (u16, u64, &[u8])> {
        self.own.iter().map(|own| (own.buffer, own.offset, own.bytes.as_slice()))
    }

    pub fn into_effects(self) -> Vec<Effect> {
        self.own.into_iter().map(|own| Effect { buffer: own.buffer, offset: own.offset, bytes: own.bytes }).collect()
    }
}

impl<S: Source> Memory for CtaMemory<'_, S> {
    fn load(&mut self, buffer: u16, offset: u64, out: &mut [u8]) -> Result<(), AccessError> {
        let (mut at, mut out) = (offset, out);
        loop {
            let wanted = out.len();
            let taken = if let Some(own) = self.find(buffer, at) {
                let from = usize::try_from(at.saturating_sub(own.offset)).unwrap_or(usize::MAX);
                let bytes = own.bytes.get(from..).unwrap_or(&[]);
                let taken = bytes.len().min(wanted);
                out.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
                taken
            } else {
                let (b, start, end) = self.free;
                if b != buffer || at < start || at >= end {
                    match self.writes.owner(self.grid, buffer, at) {
                        (Owner::Nobody, until) => self.free = (buffer, at, until),
                        (Owner::Cta(_), _) => {
                            // Out of bounds comes first: no byte there is anybody's.
                            self.source.read(buffer, at, &mut [0]).or_else(|error| match error {
                                AccessError::OutOfBounds => Err(error),
                                _ => Ok(()),
                            })?;
                            return Err(AccessError::OwnedByOther);
                        }
                    }
                }
                let taken = usize::try_from(self.free.2.saturating_sub(at)).unwrap_or(usize::MAX).min(wanted);
                let (head, _) = out.split_at_mut_checked(taken).ok_or(AccessError::OutOfBounds)?;
                self.source.read(buffer, at, head)?;
                taken
            };
            if taken >= wanted || taken == 0 {
                return Ok(());
            }
            at = at.saturating_add(taken as u64);
            (_, out) = out.split_at_mut_checked(taken).ok_or(AccessError::OutOfBounds)?;
        }
    }

    fn store(&mut self, buffer: u16, offset: u64, bytes: &[u8]) -> Result<(), AccessError> {
        // Touching runs are joined, so bytes that are all owned lie in one run.
        let own = self.find(buffer, offset).ok_or(AccessError::NotOwned)?;
        let to = usize::try_from(offset.saturating_sub(own.offset))
            .ok()
            .and_then(|from| own.bytes.get_mut(from..from.checked_add(bytes.len())?))
            .ok_or(AccessError::NotOwned)?;
        to.copy_from_slice(bytes);
        Ok(())
    }
}
