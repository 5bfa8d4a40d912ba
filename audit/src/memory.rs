//! Global memory as one CTA sees it: the state before the launch, overlaid with its own stores.

use crate::{
    source::Source,
    unit::{Effect, NoUnit},
};
use alloc::{vec, vec::Vec};
use assay_engine::{AccessError, Memory};
use assay_primitives::{
    Launch, Writes,
    write_map::{MAX_OWNED_BYTES, MAX_OWNED_COORDINATES, Owner, Ownership},
};

/// What is known of an owned byte.
const UNKNOWN: u8 = 0;
/// It is as before, and was read.
const READ: u8 = 1;
/// The CTA stored it.
const WRITTEN: u8 = 2;

/// A run of bytes that the CTA owns.
#[derive(Clone, Copy)]
struct Run {
    buffer: u16,
    offset: u64,
    /// Place in [`CtaMemory::bytes`].
    at: usize,
    len: usize,
}

impl Run {
    fn end(&self) -> u64 {
        self.offset.saturating_add(self.len as u64)
    }
}

/// The memory of one CTA.
pub(crate) struct CtaMemory<S> {
    ownership: Ownership,
    source: S,
    /// Sorted by (buffer, offset), disjoint, touching runs joined.
    runs: Vec<Run>,
    bytes: Vec<u8>,
    marks: Vec<u8>,
    /// Index into `runs` of the last hit.
    hit: usize,
    /// By buffer: the last stretch found that nobody owns. Buffers behind the end are nobody's.
    free: Vec<(u64, u64)>,
}

impl<S: Source> CtaMemory<S> {
    /// Nothing is read yet. `NoUnit` when the CTA owns more than a checked launch allows.
    pub fn new(launch: &Launch, cta: [u32; 3], source: S) -> Result<Self, NoUnit> {
        let mut found: Vec<(u16, u64, u64)> = Vec::new();
        let mut total = 0u64;
        launch.writes.for_each_owned(cta, |buffer, offset, len| {
            found.push((buffer, offset, len));
            total = total.saturating_add(len);
            total <= MAX_OWNED_BYTES && found.len() as u64 <= MAX_OWNED_COORDINATES
        });
        if total > MAX_OWNED_BYTES || found.len() as u64 > MAX_OWNED_COORDINATES {
            return Err(NoUnit);
        }
        found.sort_unstable();
        let mut runs: Vec<Run> = Vec::with_capacity(found.len());
        let mut at = 0usize;
        for (buffer, offset, len) in found {
            let len = usize::try_from(len).map_err(|_| NoUnit)?;
            match runs.last_mut() {
                Some(last) if last.buffer == buffer && last.end() == offset => last.len = last.len.saturating_add(len),
                _ => runs.push(Run { buffer, offset, at, len }),
            }
            at = at.saturating_add(len);
        }
        let Writes::Maps(maps) = &launch.writes;
        let named = maps.iter().map(|map| usize::from(map.buffer).saturating_add(1)).max().unwrap_or(0);
        let mut free = vec![(0, u64::MAX); named];
        for map in maps {
            if let Some(free) = free.get_mut(usize::from(map.buffer)) {
                *free = (0, 0);
            }
        }
        let ownership = launch.writes.ownership(launch.grid);
        Ok(Self { ownership, source, runs, bytes: vec![0; at], marks: vec![UNKNOWN; at], hit: 0, free })
    }

    /// The owned run that holds the byte.
    #[inline]
    fn find(&mut self, buffer: u16, offset: u64) -> Option<Run> {
        let holds = |run: &&Run| run.buffer == buffer && run.offset <= offset && offset < run.end();
        if let Some(run) = self.runs.get(self.hit).filter(holds) {
            return Some(*run);
        }
        let index = self.runs.partition_point(|run| (run.buffer, run.offset) <= (buffer, offset)).checked_sub(1)?;
        let run = self.runs.get(index).filter(holds)?;
        self.hit = index;
        Some(*run)
    }

    /// Reads those bytes of `[from, from + len)` of an owned run that are not known.
    fn know(&mut self, run: Run, from: usize, len: usize) -> Result<(), AccessError> {
        let range = run.at.saturating_add(from)..run.at.saturating_add(from).saturating_add(len);
        let (Some(marks), Some(bytes)) = (self.marks.get_mut(range.clone()), self.bytes.get_mut(range)) else {
            return Err(AccessError::OutOfBounds);
        };
        if !marks.contains(&UNKNOWN) {
            return Ok(());
        }
        let mut offset = run.offset.saturating_add(from as u64);
        let (mut marks, mut bytes) = (marks, bytes);
        while let Some(mark) = marks.first() {
            let unknown = *mark == UNKNOWN;
            let same = marks.iter().take_while(|mark| (**mark == UNKNOWN) == unknown).count();
            let (marks_head, marks_tail) = marks.split_at_mut_checked(same).ok_or(AccessError::OutOfBounds)?;
            let (bytes_head, bytes_tail) = bytes.split_at_mut_checked(same).ok_or(AccessError::OutOfBounds)?;
            if unknown {
                self.source.read(run.buffer, offset, bytes_head)?;
                marks_head.fill(READ);
            }
            offset = offset.saturating_add(same as u64);
            (marks, bytes) = (marks_tail, bytes_tail);
        }
        Ok(())
    }

    /// Piece by piece, where ownership changes.
    fn load_pieces(&mut self, buffer: u16, offset: u64, out: &mut [u8]) -> Result<(), AccessError> {
        let (mut at, mut out) = (offset, out);
        while !out.is_empty() {
            let wanted = out.len();
            let taken;
            if let Some(run) = self.find(buffer, at) {
                let from = usize::try_from(at.saturating_sub(run.offset)).map_err(|_| AccessError::OutOfBounds)?;
                taken = run.len.saturating_sub(from).min(wanted);
                self.know(run, from, taken)?;
                let start = run.at.saturating_add(from);
                let known = self.bytes.get(start..start.saturating_add(taken)).ok_or(AccessError::OutOfBounds)?;
                out.get_mut(..taken).ok_or(AccessError::OutOfBounds)?.copy_from_slice(known);
            } else {
                let (owner, until) = self.ownership.owner(buffer, at);
                if owner != Owner::Nobody {
                    return Err(AccessError::OwnedByOther);
                }
                if let Some(free) = self.free.get_mut(usize::from(buffer)) {
                    *free = (at, until);
                }
                taken = usize::try_from(until.saturating_sub(at)).unwrap_or(usize::MAX).min(wanted);
                self.source.read(buffer, at, out.get_mut(..taken).ok_or(AccessError::OutOfBounds)?)?;
            }
            at = at.saturating_add(taken as u64);
            out = out.get_mut(taken..).unwrap_or(&mut []);
        }
        Ok(())
    }

    /// Reads every owned byte that the CTA neither stored nor read; the first that the source lacks, if it lacks one.
    pub fn complete(&mut self) -> Result<(), (u16, u64)> {
        for index in 0..self.runs.len() {
            if let Some(run) = self.runs.get(index).copied() {
                self.know(run, 0, run.len).map_err(|_| (run.buffer, run.offset))?;
            }
        }
        Ok(())
    }

    /// The source, when the run is over.
    pub fn source(&self) -> &S {
        &self.source
    }

    pub fn source_mut(&mut self) -> &mut S {
        &mut self.source
    }

    /// The owned runs: buffer, offset, bytes as they are now; all known once [`Self::complete`] went well.
    pub fn owned(&self) -> impl Iterator<Item = (u16, u64, &[u8])> {
        self.runs.iter().map(|run| {
            let bytes = self.bytes.get(run.at..run.at.saturating_add(run.len)).unwrap_or(&[]);
            (run.buffer, run.offset, bytes)
        })
    }

    /// What was stored, as runs.
    pub fn into_effects(self) -> Vec<Effect> {
        let mut effects = Vec::new();
        for run in &self.runs {
            let range = run.at..run.at.saturating_add(run.len);
            let (Some(mut marks), Some(mut bytes)) = (self.marks.get(range.clone()), self.bytes.get(range)) else {
                continue;
            };
            let mut offset = run.offset;
            while let Some(mark) = marks.first() {
                let written = *mark == WRITTEN;
                let same = marks.iter().take_while(|mark| (**mark == WRITTEN) == written).count();
                let (head, tail) = bytes.split_at_checked(same).unwrap_or((bytes, &[]));
                if written {
                    effects.push(Effect { buffer: run.buffer, offset, bytes: head.to_vec() });
                }
                offset = offset.saturating_add(same as u64);
                (marks, bytes) = (marks.get(same..).unwrap_or(&[]), tail);
            }
        }
        effects
    }
}

impl<S: Source> Memory for CtaMemory<S> {
    #[inline]
    fn load(&mut self, buffer: u16, offset: u64, out: &mut [u8]) -> Result<(), AccessError> {
        let end = offset.checked_add(out.len() as u64).ok_or(AccessError::OutOfBounds)?;
        let (free_from, free_until) = self.free.get(usize::from(buffer)).copied().unwrap_or((0, u64::MAX));
        if free_from <= offset && end <= free_until {
            return self.source.read(buffer, offset, out);
        }
        self.load_pieces(buffer, offset, out)
    }

    #[inline]
    fn store(&mut self, buffer: u16, offset: u64, bytes: &[u8]) -> Result<(), AccessError> {
        // Touching runs are joined, so bytes that are all owned lie in one run.
        let place = self.find(buffer, offset).and_then(|run| {
            let from = usize::try_from(offset.checked_sub(run.offset)?).ok()?;
            let start = run.at.checked_add(from)?;
            (from.checked_add(bytes.len())? <= run.len).then_some(start..start.checked_add(bytes.len())?)
        });
        let Some(place) = place else {
            let end = offset.checked_add(bytes.len() as u64);
            let inside = end.is_some_and(|end| end <= self.source.len(buffer));
            return Err(if inside { AccessError::NotOwned } else { AccessError::OutOfBounds });
        };
        let (Some(to), Some(marks)) = (self.bytes.get_mut(place.clone()), self.marks.get_mut(place)) else {
            return Err(AccessError::NotOwned);
        };
        to.copy_from_slice(bytes);
        marks.fill(WRITTEN);
        Ok(())
    }

    fn writable(&self, buffer: u16) -> bool {
        let from = self.runs.partition_point(|run| run.buffer < buffer);
        self.runs.get(from).is_some_and(|run| run.buffer == buffer)
    }
}
