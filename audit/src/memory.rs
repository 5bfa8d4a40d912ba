//! Global memory as one CTA sees it: the state before the launch, overlaid with its own stores.

use crate::{
    source::Source,
    unit::{Effect, NoUnit},
};
use alloc::{collections::BTreeMap, vec, vec::Vec};
use assay_engine::{AccessError, Memory};
use assay_primitives::{
    Launch, Writes,
    slice::CHUNK,
    write_map::{MAX_OWNED_BYTES, MAX_OWNED_RUNS, Ownership},
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
    /// Of chunks that were asked for: a bit for each byte, set where nobody owns it.
    unowned: BTreeMap<(u16, u64), Chunk>,
}

/// More runs than most kernels own.
const MANY_RUNS: usize = 1024;
const CHUNK_BYTES: usize = CHUNK as usize;
type Chunk = [u64; CHUNK_BYTES / 64];

/// Chunks whose owners are remembered; a witness shows fewer.
const MAX_REMEMBERED: usize = 4096;

impl<S: Source> CtaMemory<S> {
    /// Nothing is read yet. `NoUnit` when the CTA owns more than a checked launch allows.
    pub fn new(launch: &Launch, cta: [u32; 3], source: S) -> Result<Self, NoUnit> {
        let mut found: Vec<(u16, u64, u64)> = Vec::new();
        let mut total = 0u64;
        launch.writes.for_each_owned(cta, |buffer, offset, len| {
            found.push((buffer, offset, len));
            total = total.saturating_add(len);
            total <= MAX_OWNED_BYTES && found.len() as u64 <= MAX_OWNED_RUNS
        });
        if total > MAX_OWNED_BYTES || found.len() as u64 > MAX_OWNED_RUNS {
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
        Ok(Self {
            ownership,
            source,
            runs,
            bytes: vec![0; at],
            marks: vec![UNKNOWN; at],
            hit: 0,
            free,
            unowned: BTreeMap::new(),
        })
    }

    /// The owned run that holds the byte.
    #[inline]
    fn find(&mut self, buffer: u16, offset: u64) -> Option<Run> {
        let holds = |run: &&Run| run.buffer == buffer && run.offset <= offset && offset < run.end();
        // The last, its neighbours, or search.
        for index in [self.hit, self.hit.wrapping_add(1), self.hit.wrapping_sub(1)] {
            if let Some(run) = self.runs.get(index).filter(holds) {
                self.hit = index;
                return Some(*run);
            }
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

    /// The owned run that holds all of the lanes' bytes, and where the lowest of them lies in [`Self::bytes`].
    #[inline]
    fn holds(&mut self, buffer: u16, low: u64, end: Option<u64>) -> Option<(usize, u64)> {
        let run = self.find(buffer, low)?;
        let from = usize::try_from(low.checked_sub(run.offset)?).ok()?;
        (end? <= run.end()).then_some((run.at.checked_add(from)?, low))
    }

    /// The lanes' bytes out of what is known, all in one run; `None` where one is not known.
    #[inline(always)]
    fn known_lanes<const W: usize>(
        &self,
        (at, low): (usize, u64),
        offsets: &[u64; 32],
        lanes: u32,
        out: &mut [u8; 512],
    ) -> Option<()> {
        let (bytes, marks) = (self.bytes.get(at..)?, self.marks.get(at..)?);
        for (lane, (out, offset)) in out.as_chunks_mut::<W>().0.iter_mut().zip(offsets).enumerate() {
            if lanes >> lane & 1 == 1 {
                let from = usize::try_from(offset.wrapping_sub(low)).ok()?;
                let marks: &[u8; W] = marks.get(from..)?.first_chunk()?;
                if marks.contains(&UNKNOWN) {
                    return None;
                }
                *out = *bytes.get(from..)?.first_chunk()?;
            }
        }
        Some(())
    }

    /// Stores the lanes' bytes, all in one run.
    #[inline(always)]
    fn put_lanes<const W: usize>(
        &mut self,
        (at, low): (usize, u64),
        offsets: &[u64; 32],
        lanes: u32,
        from: &[u8; 512],
    ) -> Option<()> {
        let (bytes, marks) = (self.bytes.get_mut(at..)?, self.marks.get_mut(at..)?);
        for (lane, (from, offset)) in from.as_chunks::<W>().0.iter().zip(offsets).enumerate() {
            if lanes >> lane & 1 == 1 {
                let place = usize::try_from(offset.wrapping_sub(low)).ok()?;
                *bytes.get_mut(place..)?.first_chunk_mut()? = *from;
                *marks.get_mut(place..)?.first_chunk_mut()? = [WRITTEN; W];
            }
        }
        Some(())
    }

    /// The end of the stretch inside its chunk that nobody owns, if nobody owns the byte. Each chunk is asked about once, so that
    /// a kernel cannot make every load as dear as its maps are many.
    fn unowned_until(&mut self, buffer: u16, offset: u64) -> Option<u64> {
        let number = offset / CHUNK;
        let start = number.saturating_mul(CHUNK);
        if self.unowned.len() >= MAX_REMEMBERED && !self.unowned.contains_key(&(buffer, number)) {
            self.unowned.clear();
        }
        let ownership = &self.ownership;
        let chunk = self.unowned.entry((buffer, number)).or_insert_with(|| {
            let mut chunk: Chunk = [u64::MAX; CHUNK_BYTES / 64];
            ownership.owned_between(buffer, start, start.saturating_add(CHUNK), |from, until| {
                for byte in from..until {
                    let place = byte.saturating_sub(start);
                    if let Some(word) = usize::try_from(place / 64).ok().and_then(|word| chunk.get_mut(word)) {
                        *word &= !(1u64 << (place % 64));
                    }
                }
            });
            chunk
        });
        let inside = offset.saturating_sub(start);
        let mut words = chunk.iter().skip(usize::try_from(inside / 64).ok()?);
        let first = u64::from((words.next()? >> (inside % 64)).trailing_ones());
        if first == 0 {
            return None;
        }
        let mut until = offset.saturating_add(first);
        if until % 64 == 0 {
            for ones in words.map(|word| word.trailing_ones()) {
                until = until.saturating_add(u64::from(ones));
                if ones < 64 {
                    break;
                }
            }
        }
        Some(until)
    }

    /// Piece by piece, where ownership changes.
    fn load_pieces(&mut self, buffer: u16, offset: u64, out: &mut [u8]) -> Result<(), AccessError> {
        let (mut at, mut out) = (offset, out);
        while !out.is_empty() {
            let wanted = out.len();
            let taken;
            // Where runs are many, a search among them costs more than what is remembered of the chunk.
            let free = if self.runs.len() > MANY_RUNS { self.unowned_until(buffer, at) } else { None };
            if free.is_none()
                && let Some(run) = self.find(buffer, at)
            {
                let from = usize::try_from(at.saturating_sub(run.offset)).map_err(|_| AccessError::OutOfBounds)?;
                taken = run.len.saturating_sub(from).min(wanted);
                self.know(run, from, taken)?;
                let start = run.at.saturating_add(from);
                let known = self.bytes.get(start..start.saturating_add(taken)).ok_or(AccessError::OutOfBounds)?;
                out.get_mut(..taken).ok_or(AccessError::OutOfBounds)?.copy_from_slice(known);
            } else {
                let until = free.or_else(|| self.unowned_until(buffer, at)).ok_or(AccessError::OwnedByOther)?;
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
                let same = alike(marks, |mark| (mark == WRITTEN) == written);
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

/// How many of the first marks are so.
fn alike(marks: &[u8], is_so: impl Fn(u8) -> bool) -> usize {
    let (many, _) = marks.as_chunks::<64>();
    let whole = many.iter().take_while(|marks| marks.iter().fold(true, |all, mark| all & is_so(*mark))).count();
    let from = whole.saturating_mul(64);
    let rest = marks.get(from..).unwrap_or(&[]);
    from.saturating_add(rest.iter().take_while(|mark| is_so(**mark)).count())
}

/// The first byte that the lanes address and the end of the last, if there is one.
#[inline(always)]
fn span(offsets: &[u64; 32], lanes: u32, width: usize) -> (u64, Option<u64>) {
    let (mut low, mut high) = (u64::MAX, 0);
    for (lane, offset) in offsets.iter().enumerate() {
        if lanes >> lane & 1 == 1 {
            (low, high) = (low.min(*offset), high.max(*offset));
        }
    }
    (low, high.checked_add(width as u64))
}

impl<S: Source> Memory for CtaMemory<S> {
    fn owned(&self, visit: &mut dyn FnMut(u16, u64, u64)) -> bool {
        for run in &self.runs {
            visit(run.buffer, run.offset, run.end());
        }
        true
    }

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
        if let (Ok(to), Ok(marks), Ok(bytes)) =
            (<&mut [u8; 4]>::try_from(&mut *to), <&mut [u8; 4]>::try_from(&mut *marks), <&[u8; 4]>::try_from(bytes))
        {
            (*to, *marks) = (*bytes, [WRITTEN; 4]);
        } else {
            to.copy_from_slice(bytes);
            marks.fill(WRITTEN);
        }
        Ok(())
    }

    fn load_lanes(
        &mut self,
        buffer: u16,
        offsets: &[u64; 32],
        lanes: u32,
        width: usize,
        out: &mut [u8; 512],
    ) -> Result<(), AccessError> {
        let (free_from, free_until) = self.free.get(usize::from(buffer)).copied().unwrap_or((0, u64::MAX));
        let (low, end) = span(offsets, lanes, width);
        if free_from <= low && end.is_some_and(|end| end <= free_until) {
            return self.source.read_lanes(buffer, offsets, lanes, width, out);
        }
        if let Some(place) = self.holds(buffer, low, end) {
            let known = match width {
                1 => self.known_lanes::<1>(place, offsets, lanes, out),
                2 => self.known_lanes::<2>(place, offsets, lanes, out),
                4 => self.known_lanes::<4>(place, offsets, lanes, out),
                8 => self.known_lanes::<8>(place, offsets, lanes, out),
                16 => self.known_lanes::<16>(place, offsets, lanes, out),
                _ => None,
            };
            if known.is_some() {
                return Ok(());
            }
        }
        for (lane, (out, offset)) in out.chunks_exact_mut(width).zip(offsets).enumerate() {
            if lanes >> lane & 1 == 1 {
                self.load(buffer, *offset, out)?;
            }
        }
        Ok(())
    }

    fn store_lanes(
        &mut self,
        buffer: u16,
        offsets: &[u64; 32],
        lanes: u32,
        width: usize,
        bytes: &[u8; 512],
    ) -> Result<(), AccessError> {
        let (low, end) = span(offsets, lanes, width);
        if let Some(place) = self.holds(buffer, low, end) {
            let stored = match width {
                1 => self.put_lanes::<1>(place, offsets, lanes, bytes),
                2 => self.put_lanes::<2>(place, offsets, lanes, bytes),
                4 => self.put_lanes::<4>(place, offsets, lanes, bytes),
                8 => self.put_lanes::<8>(place, offsets, lanes, bytes),
                16 => self.put_lanes::<16>(place, offsets, lanes, bytes),
                _ => None,
            };
            if stored.is_some() {
                return Ok(());
            }
        }
        for (lane, (bytes, offset)) in bytes.chunks_exact(width).zip(offsets).enumerate() {
            if lanes >> lane & 1 == 1 {
                self.store(buffer, *offset, bytes)?;
            }
        }
        Ok(())
    }

    #[inline]
    fn view(&self, buffer: u16, offset: u64) -> Option<(u64, &[u8])> {
        let nobodys = self.free.get(usize::from(buffer)).is_none_or(|free| *free == (0, u64::MAX));
        nobodys.then(|| self.source.view(buffer, offset)).flatten()
    }

    fn writable(&self, buffer: u16) -> bool {
        let from = self.runs.partition_point(|run| run.buffer < buffer);
        self.runs.get(from).is_some_and(|run| run.buffer == buffer)
    }
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects
    )]

    use super::*;
    use crate::source::{Whole, Witnessed};
    use crate::unit::State;
    use assay_primitives::{Axis, Dim, WriteMap, slice::Proved, write_map::Owner};
    use proptest::prelude::*;

    const LEN: usize = 4096;

    struct Two(Vec<u8>, Vec<u8>);

    impl State for Two {
        fn buffer(&self, buffer: u16) -> Option<&[u8]> {
            [&self.0, &self.1].get(usize::from(buffer)).map(|bytes| bytes.as_slice())
        }
    }

    fn state() -> Two {
        let bytes = |by: usize| (0..LEN).map(|i| (i * by + i / 256) as u8).collect();
        Two(bytes(7), bytes(13))
    }

    fn launch(maps: Vec<WriteMap>) -> Launch {
        Launch {
            kernel: 0,
            entry: Default::default(),
            grid: [3, 1, 1],
            block: [1; 3],
            shared: 0,
            args: Default::default(),
            writes: Writes::Maps(maps.try_into().unwrap()),
        }
    }

    /// Records with fields, of which some bytes are nobody's.
    fn records(record: u64, fields: &[(u64, u64)], tile: u64) -> Option<Launch> {
        let count = LEN as u64 / record;
        let map = |(base, run): &(u64, u64)| WriteMap {
            buffer: 0,
            base: *base,
            dims: vec![Dim::Span { stride: record as i64, extent: count, axis: Some(Axis::X), tile }]
                .try_into()
                .unwrap(),
            run: *run,
        };
        let launch = launch(fields.iter().map(map).collect());
        launch.writes.check(launch.grid, &[LEN as u64, LEN as u64]).is_ok().then_some(launch)
    }

    #[derive(Clone, Debug)]
    enum Access {
        Load(u16, u64, usize),
        Store(u16, u64, Vec<u8>),
    }

    fn access() -> impl Strategy<Value = Access> {
        let place = (0u16..3, prop_oneof![8 => 0u64..LEN as u64, 1 => any::<u64>()]);
        prop_oneof![
            (place.clone(), 1usize..130).prop_map(|((buffer, offset), len)| Access::Load(buffer, offset, len)),
            (place, proptest::collection::vec(any::<u8>(), 1..9))
                .prop_map(|((buffer, offset), bytes)| Access::Store(buffer, offset, bytes)),
        ]
    }

    /// The memory by its definition: who owns each byte decides.
    fn by_definition(launch: &Launch, cta: [u32; 3], state: &mut Two, access: &Access) -> Result<Vec<u8>, AccessError> {
        let (buffer, offset, len) = match access {
            Access::Load(buffer, offset, len) => (*buffer, *offset, *len),
            Access::Store(buffer, offset, bytes) => (*buffer, *offset, bytes.len()),
        };
        let owner = |at: u64| launch.writes.owner(launch.grid, buffer, at).0;
        let bytes = match buffer {
            0 => &mut state.0,
            1 => &mut state.1,
            _ => return Err(AccessError::OutOfBounds),
        };
        let end = offset.checked_add(len as u64).ok_or(AccessError::OutOfBounds)?;
        match access {
            Access::Load(..) => {
                for at in offset..end {
                    match owner(at) {
                        Owner::Cta(other) if other != cta => return Err(AccessError::OwnedByOther),
                        _ if at >= LEN as u64 => return Err(AccessError::OutOfBounds),
                        _ => {}
                    }
                }
                Ok(bytes[offset as usize..end as usize].to_vec())
            }
            Access::Store(_, _, stored) => {
                if end > LEN as u64 {
                    return Err(AccessError::OutOfBounds);
                }
                if (offset..end).any(|at| owner(at) != Owner::Cta(cta)) {
                    return Err(AccessError::NotOwned);
                }
                bytes[offset as usize..end as usize].copy_from_slice(stored);
                Ok(Vec::new())
            }
        }
    }

    fn apply<S: Source>(memory: &mut CtaMemory<S>, access: &Access) -> Result<Vec<u8>, AccessError> {
        match access {
            Access::Load(buffer, offset, len) => {
                let mut out = vec![0; *len];
                memory.load(*buffer, *offset, &mut out).map(|()| out)
            }
            Access::Store(buffer, offset, bytes) => memory.store(*buffer, *offset, bytes).map(|()| Vec::new()),
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2000) })]

        #[test]
        fn memory_answers_as_the_owners_of_the_bytes_say(
            record in 1u64..40, fields in proptest::collection::vec((0u64..40, 1u64..12), 1..4), tile in 1u64..200, cta in 0u32..3,
            accesses in proptest::collection::vec(access(), 1..60),
        ) {
            let Some(launch) = records(record, &fields, tile) else { return Ok(()) };
            let cta = [cta, 0, 0];
            let before = state();
            let lengths = [LEN as u64; 2];
            let slices = [Proved { runs: vec![(0, before.0.clone())] }, Proved { runs: vec![(0, before.1.clone())] }];
            let mut model = state();
            let mut whole = CtaMemory::new(&launch, cta, Whole::new(&before)).unwrap();
            let mut witnessed = CtaMemory::new(&launch, cta, Witnessed::new(&lengths, &slices)).unwrap();
            for access in &accesses {
                let expected = by_definition(&launch, cta, &mut model, access);
                let found = apply(&mut whole, access);
                prop_assert_eq!(&found, &apply(&mut witnessed, access));
                // A load over a foreign and an absent byte may name either.
                if expected.is_ok() || matches!(access, Access::Store(..)) {
                    prop_assert_eq!(&found, &expected, "{:?}", access);
                } else {
                    prop_assert!(found.is_err(), "{:?}", access);
                }
            }
            whole.complete().unwrap();
            for (buffer, offset, bytes) in whole.owned() {
                prop_assert_eq!(buffer, 0);
                prop_assert_eq!(bytes, &model.0[offset as usize..offset as usize + bytes.len()]);
            }
            let mut after = state().0;
            for effect in whole.into_effects() {
                after[effect.offset as usize..effect.offset as usize + effect.bytes.len()].copy_from_slice(&effect.bytes);
            }
            prop_assert_eq!(after, model.0);
        }

        #[test]
        fn many_lanes_read_what_each_would_alone(
            record in 1u64..40, fields in proptest::collection::vec((0u64..40, 1u64..12), 1..4), tile in 1u64..200, cta in 0u32..3,
            stores in proptest::collection::vec(access(), 0..20), buffer in 0u16..3, width in 0u32..5, lanes in 1u32..,
            base in 0u64..LEN as u64, spread in prop_oneof![Just(0u64), 1u64..64, 1u64..5000], places in proptest::collection::vec(any::<u64>(), 32),
        ) {
            let Some(launch) = records(record, &fields, tile) else { return Ok(()) };
            let (cta, width, before) = ([cta, 0, 0], 1usize << width, state());
            let lengths = [LEN as u64; 2];
            // The second buffer's witness lacks a part.
            let slices = [
                Proved { runs: vec![(0, before.0.clone())] },
                Proved { runs: vec![(0, before.1[..1024].to_vec()), (2048, before.1[2048..].to_vec())] },
            ];
            let mut whole = CtaMemory::new(&launch, cta, Whole::new(&before)).unwrap();
            let mut witnessed = CtaMemory::new(&launch, cta, Witnessed::new(&lengths, &slices)).unwrap();
            for store in stores.iter().filter(|store| matches!(store, Access::Store(..))) {
                let _ = (apply(&mut whole, store), apply(&mut witnessed, store));
            }
            let mut offsets = [0u64; 32];
            for (offset, place) in offsets.iter_mut().zip(&places) {
                *offset = base + if spread == 0 { 0 } else { place % spread };
            }
            let memories: [&mut dyn Memory; 2] = [&mut whole, &mut witnessed];
            for memory in memories {
                let (mut together, mut alone) = ([0u8; 512], [0u8; 512]);
                let found = memory.load_lanes(buffer, &offsets, lanes, width, &mut together);
                let each: Result<Vec<()>, AccessError> = (0..32)
                    .filter(|lane| lanes >> lane & 1 == 1)
                    .map(|lane| memory.load(buffer, offsets[lane], &mut alone[lane * width..][..width]))
                    .collect();
                prop_assert_eq!(found.is_ok(), each.is_ok());
                if found.is_ok() {
                    prop_assert_eq!(&together[..], &alone[..]);
                }
            }
            // The same stores in one go and one by one.
            let bytes: [u8; 512] = std::array::from_fn(|at| places[at % 32].to_le_bytes()[at / 32 % 8]);
            let (mut one, mut other) = (
                CtaMemory::new(&launch, cta, Whole::new(&before)).unwrap(),
                CtaMemory::new(&launch, cta, Whole::new(&before)).unwrap(),
            );
            let found = one.store_lanes(buffer, &offsets, lanes, width, &bytes);
            let each: Result<Vec<()>, AccessError> = (0..32)
                .filter(|lane| lanes >> lane & 1 == 1)
                .map(|lane| other.store(buffer, offsets[lane], &bytes[lane * width..][..width]))
                .collect();
            prop_assert_eq!(found.err(), each.err());
            prop_assert_eq!(one.into_effects(), other.into_effects());
        }
    }
}
