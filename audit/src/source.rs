//! Where the bytes of the state before a launch come from.

use crate::unit::State;
use alloc::{collections::BTreeSet, vec, vec::Vec};
use assay_engine::AccessError;
use assay_primitives::{
    slice::{CHUNK, Proved},
    witness::ByteRange,
};

pub(crate) trait Source {
    /// Fills `out` from `offset` of `buffer`.
    fn read(&mut self, buffer: u16, offset: u64, out: &mut [u8]) -> Result<(), AccessError>;
    /// Bytes of `buffer`; 0 for none.
    fn len(&self, buffer: u16) -> u64;
    /// Bytes around `offset` of `buffer` that can be read unasked: the offset of the first, and the bytes.
    fn view(&self, buffer: u16, offset: u64) -> Option<(u64, &[u8])>;
    /// As [`assay_engine::Memory::load_lanes`].
    fn read_lanes(
        &mut self,
        buffer: u16,
        offsets: &[u64; 32],
        lanes: u32,
        width: usize,
        out: &mut [u8; 512],
    ) -> Result<(), AccessError> {
        read_each(self, buffer, offsets, lanes, width, out)
    }
}

/// One read for each of the lanes.
fn read_each(
    source: &mut (impl Source + ?Sized),
    buffer: u16,
    offsets: &[u64; 32],
    lanes: u32,
    width: usize,
    out: &mut [u8; 512],
) -> Result<(), AccessError> {
    for (lane, (out, offset)) in out.chunks_exact_mut(width).zip(offsets).enumerate() {
        if lanes >> lane & 1 == 1 {
            source.read(buffer, *offset, out)?;
        }
    }
    Ok(())
}

/// Elements of `W` bytes for the lanes, out of `bytes`, which lie at `start` of their buffer; `None` where one lies outside.
#[inline(always)]
fn pick<const W: usize>(bytes: &[u8], start: u64, offsets: &[u64; 32], lanes: u32, out: &mut [u8; 512]) -> Option<()> {
    for (lane, (out, offset)) in out.as_chunks_mut::<W>().0.iter_mut().zip(offsets).enumerate() {
        if lanes >> lane & 1 == 1 {
            let from = usize::try_from(offset.checked_sub(start)?).ok()?;
            *out = *bytes.get(from..)?.first_chunk()?;
        }
    }
    Some(())
}

/// The same for the widths there are.
fn pick_any(
    bytes: &[u8],
    start: u64,
    offsets: &[u64; 32],
    lanes: u32,
    width: usize,
    out: &mut [u8; 512],
) -> Option<()> {
    match width {
        1 => pick::<1>(bytes, start, offsets, lanes, out),
        2 => pick::<2>(bytes, start, offsets, lanes, out),
        4 => pick::<4>(bytes, start, offsets, lanes, out),
        8 => pick::<8>(bytes, start, offsets, lanes, out),
        16 => pick::<16>(bytes, start, offsets, lanes, out),
        _ => None,
    }
}

/// Buffers held whole.
pub(crate) struct Whole<'a> {
    state: &'a dyn State,
    last: (u16, &'a [u8]),
}

impl<'a> Whole<'a> {
    pub fn new(state: &'a dyn State) -> Self {
        Self { state, last: (0, state.buffer(0).unwrap_or(&[])) }
    }

    /// The bytes of a buffer, looked up unless it is the last one again.
    #[inline]
    fn bytes(&mut self, buffer: u16) -> Result<&'a [u8], AccessError> {
        if self.last.0 != buffer {
            self.last = (buffer, self.state.buffer(buffer).ok_or(AccessError::OutOfBounds)?);
        }
        Ok(self.last.1)
    }
}

impl Source for Whole<'_> {
    #[inline]
    fn read(&mut self, buffer: u16, offset: u64, out: &mut [u8]) -> Result<(), AccessError> {
        let bytes = self.bytes(buffer)?;
        let from = usize::try_from(offset).map_err(|_| AccessError::OutOfBounds)?;
        let until = from.checked_add(out.len()).ok_or(AccessError::OutOfBounds)?;
        out.copy_from_slice(bytes.get(from..until).ok_or(AccessError::OutOfBounds)?);
        Ok(())
    }

    fn len(&self, buffer: u16) -> u64 {
        self.state.buffer(buffer).map_or(0, |bytes| bytes.len() as u64)
    }

    #[inline]
    fn view(&self, buffer: u16, _: u64) -> Option<(u64, &[u8])> {
        Some((0, self.state.buffer(buffer)?))
    }

    fn read_lanes(
        &mut self,
        buffer: u16,
        offsets: &[u64; 32],
        lanes: u32,
        width: usize,
        out: &mut [u8; 512],
    ) -> Result<(), AccessError> {
        pick_any(self.bytes(buffer)?, 0, offsets, lanes, width, out).ok_or(AccessError::OutOfBounds)
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
        Self { whole: Whole::new(state), last: (u16::MAX, u64::MAX), chunks: BTreeSet::new() }
    }

    /// Remembers the chunks of `len` bytes.
    pub fn note(&mut self, buffer: u16, offset: u64, len: u64) {
        let Some(until) = offset.checked_add(len).filter(|until| *until > offset) else { return };
        let (first, last) = (offset / CHUNK, until.saturating_sub(1) / CHUNK);
        if self.last != (buffer, first) || first != last {
            self.chunks.extend((first..=last).map(|chunk| (buffer, chunk)));
            self.last = (buffer, last);
        }
    }

    /// Whole chunks of `buffer` that were read, as ranges within its `len` bytes.
    pub fn ranges(&self, buffer: u16, len: u64) -> Vec<ByteRange> {
        chunk_ranges(self.chunks.range((buffer, 0)..=(buffer, u64::MAX)).map(|(_, chunk)| *chunk), len)
    }
}

impl Source for Recording<'_> {
    fn read(&mut self, buffer: u16, offset: u64, out: &mut [u8]) -> Result<(), AccessError> {
        self.whole.read(buffer, offset, out)?;
        self.note(buffer, offset, out.len() as u64);
        Ok(())
    }

    fn len(&self, buffer: u16) -> u64 {
        self.whole.len(buffer)
    }

    /// Everything that is read must be noted.
    fn view(&self, _: u16, _: u64) -> Option<(u64, &[u8])> {
        None
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

/// The buffers' lengths and the slices of a witness, by buffer.
pub(crate) struct Witnessed<'a> {
    lengths: &'a [u64],
    slices: &'a [Proved],
    /// By buffer, the run of its slice that was hit last.
    hits: Vec<usize>,
}

impl<'a> Witnessed<'a> {
    pub fn new(lengths: &'a [u64], slices: &'a [Proved]) -> Self {
        Self { lengths, slices, hits: vec![0; slices.len()] }
    }
}

impl Source for Witnessed<'_> {
    fn read(&mut self, buffer: u16, offset: u64, out: &mut [u8]) -> Result<(), AccessError> {
        let end = offset.checked_add(out.len() as u64).ok_or(AccessError::OutOfBounds)?;
        if end > self.len(buffer) {
            return Err(AccessError::OutOfBounds);
        }
        let index = usize::from(buffer);
        let (Some(proved), Some(hit)) = (self.slices.get(index), self.hits.get_mut(index)) else {
            return Err(AccessError::Incomplete);
        };
        let part = |run: usize| {
            let (start, bytes) = proved.runs.get(run)?;
            let from = usize::try_from(offset.checked_sub(*start)?).ok()?;
            bytes.get(from..from.checked_add(out.len())?)
        };
        let bytes = match part(*hit) {
            Some(bytes) => bytes,
            None => {
                let run = proved.runs.partition_point(|(start, _)| *start <= offset);
                *hit = run.checked_sub(1).ok_or(AccessError::Incomplete)?;
                part(*hit).ok_or(AccessError::Incomplete)?
            }
        };
        out.copy_from_slice(bytes);
        Ok(())
    }

    fn len(&self, buffer: u16) -> u64 {
        self.lengths.get(usize::from(buffer)).copied().unwrap_or(0)
    }

    /// Of the run that was hit last.
    #[inline]
    fn view(&self, buffer: u16, offset: u64) -> Option<(u64, &[u8])> {
        let index = usize::from(buffer);
        let (start, bytes) = self.slices.get(index)?.runs.get(*self.hits.get(index)?)?;
        let end = start.saturating_add(bytes.len() as u64);
        (*start <= offset && offset < end && end <= self.len(buffer)).then_some((*start, bytes))
    }

    fn read_lanes(
        &mut self,
        buffer: u16,
        offsets: &[u64; 32],
        lanes: u32,
        width: usize,
        out: &mut [u8; 512],
    ) -> Result<(), AccessError> {
        let index = usize::from(buffer);
        if let (Some(proved), Some(hit)) = (self.slices.get(index), self.hits.get(index))
            && let Some((start, bytes)) = proved.runs.get(*hit)
            && start.saturating_add(bytes.len() as u64) <= self.len(buffer)
            && pick_any(bytes, *start, offsets, lanes, width, out).is_some()
        {
            return Ok(());
        }
        read_each(self, buffer, offsets, lanes, width, out)
    }
}
