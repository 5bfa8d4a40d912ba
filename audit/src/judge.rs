//! The verdict on one unit, from its witness and the committed trace root alone.

use crate::{
    source::Witnessed,
    unit::{Job, NoUnit, Placed},
};
use alloc::{vec, vec::Vec};
use assay_engine::{Outcome, Trap};
use assay_primitives::{
    Hash, Unit,
    slice::{self, CHUNK, Proved},
    trace,
    witness::{BufferSlice, ByteRange, MAX_WITNESS_BYTES, Side, Witness},
    write_map::{Owner, Ownership},
};

/// How often the judge asks who owns a byte that the unit does not, at most, in each of its two searches.
const MAX_QUESTIONS: u32 = 128 * 1024;

/// What a witness shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The unit reproduces.
    Verified {
        /// Lane-steps it took.
        lane_steps: u64,
        /// Its audit digest, if keyed.
        digest: Hash,
    },
    /// The provider committed something else than the unit computes.
    ProviderFault(Fault),
    /// The unit breaks a rule, run from the committed state: the customer's fault, if that state is right.
    ProgramFault(Trap),
}

/// What the provider did wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// State 0 is not the program's declared inputs.
    BadStart,
    /// A committed state has another number of buffers than the program, or a buffer of another length.
    BadState,
    /// A byte the unit owns is not what it computes.
    WrongByte {
        /// The buffer.
        buffer: u16,
        /// The first wrong byte.
        offset: u64,
    },
    /// A buffer that no write map of the launch names changed, or a byte that nobody owns.
    UnownedChange {
        /// The buffer.
        buffer: u16,
    },
}

/// Why a witness shows nothing: the prover's fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WitnessError {
    /// No such unit.
    NoUnit,
    /// A state's path does not lead to the trace root.
    Path,
    /// A slice does not match its blob, or slices are unsorted or repeated, or ranges are not whole
    /// chunks, or they prove more bytes than a witness may have.
    Slice,
    /// The unit reads or owns a byte that the witness does not hold.
    Incomplete,
}

impl From<NoUnit> for WitnessError {
    fn from(_: NoUnit) -> Self {
        Self::NoUnit
    }
}

/// Judges one unit against the committed trace. Time and memory are bounded by the witness and the job's fuel.
pub fn judge(
    job: &Job<'_>,
    trace_root: &Hash,
    unit: Unit,
    witness: &Witness,
    key: Option<&Hash>,
) -> Result<Verdict, WitnessError> {
    let placed = Placed::new(job, unit)?;
    let count = trace::state_count(job.program.launches()).ok_or(WitnessError::NoUnit)?;
    for (index, opening) in [(Some(unit.launch), &witness.before), (unit.launch.checked_add(1), &witness.after)] {
        let state = trace::state_root(&opening.blobs);
        if !index.is_some_and(|index| trace::verify_path(trace_root, count, index, &state, &opening.path)) {
            return Err(WitnessError::Path);
        }
    }

    // What the two lists alone show.
    let lengths: Vec<u64> = job.program.buffers.iter().map(|buffer| buffer.len).collect();
    for opening in [&witness.before, &witness.after] {
        if !opening.blobs.iter().map(|blob| blob.len).eq(lengths.iter().copied()) {
            return Ok(Verdict::ProviderFault(Fault::BadState));
        }
    }
    if unit.launch == 0 && trace::initial_state(job.program) != witness.before.blobs.as_slice() {
        return Ok(Verdict::ProviderFault(Fault::BadStart));
    }
    for (buffer, (before, after)) in (0u16..).zip(witness.before.blobs.iter().zip(&witness.after.blobs)) {
        if before != after && !placed.launch.writes.names(buffer) {
            return Ok(Verdict::ProviderFault(Fault::UnownedChange { buffer }));
        }
    }

    let (before, after) = open(witness)?;
    let (outcome, mut memory) = placed.run(Witnessed::new(&lengths, &before), job.fuel, key)?;
    let (lane_steps, digest) = match outcome {
        Outcome::Done { lane_steps, digest } => (lane_steps, digest),
        Outcome::Trap(trap) => return Ok(Verdict::ProgramFault(trap)),
        Outcome::Incomplete { .. } => return Err(WitnessError::Incomplete),
    };
    // What the unit owns and did not store stays as it was.
    memory.complete().map_err(|_| WitnessError::Incomplete)?;
    for (buffer, offset, computed) in memory.owned() {
        let committed = after
            .get(usize::from(buffer))
            .and_then(|proved| proved.get(offset, computed.len() as u64))
            .ok_or(WitnessError::Incomplete)?;
        if computed != committed
            && let Some((at, _)) = (offset..).zip(computed.iter().zip(committed)).find(|(_, (a, b))| a != b)
        {
            return Ok(Verdict::ProviderFault(Fault::WrongByte { buffer, offset: at }));
        }
    }
    let ownership = placed.launch.writes.ownership(placed.launch.grid);
    // Beside its own bytes the unit answers for those that nobody owns in the same chunks.
    for (buffer, gap) in
        gaps(&ownership, &lengths, memory.owned().map(|(buffer, offset, bytes)| (buffer, offset, bytes.len())))
    {
        let place = usize::from(buffer);
        let old = before.get(place).and_then(|proved| proved.get(gap.offset, gap.len));
        let new = after.get(place).and_then(|proved| proved.get(gap.offset, gap.len));
        let (Some(old), Some(new)) = (old, new) else { return Err(WitnessError::Incomplete) };
        if old != new {
            return Ok(Verdict::ProviderFault(Fault::UnownedChange { buffer }));
        }
    }
    if let Some(buffer) = unowned_change(&ownership, &before, &after) {
        return Ok(Verdict::ProviderFault(Fault::UnownedChange { buffer }));
    }
    Ok(Verdict::Verified { lane_steps, digest })
}

/// Bytes that the slices carry. A zeroed blob proves any range of itself with nothing: there the ranges count.
pub(crate) fn carried(witness: &Witness) -> u64 {
    witness.slices.iter().fold(0u64, |sum, part| {
        let opening = if part.side == Side::Before { &witness.before } else { &witness.after };
        let zero = opening.blobs.get(usize::from(part.buffer)).is_some_and(|blob| blob.is_zero());
        let ranges = part.ranges.iter().fold(0u64, |sum, range| sum.saturating_add(range.len));
        sum.saturating_add(part.slice.len() as u64).saturating_add(if zero { ranges } else { 0 })
    })
}

/// Verifies every slice against its side's blob; one [`Proved`] per buffer, before and after.
fn open(witness: &Witness) -> Result<(Vec<Proved>, Vec<Proved>), WitnessError> {
    if carried(witness) > u64::from(MAX_WITNESS_BYTES) {
        return Err(WitnessError::Slice);
    }
    let mut before = vec![Proved::default(); witness.before.blobs.len()];
    let mut after = vec![Proved::default(); witness.after.blobs.len()];
    let mut last: Option<(Side, u16)> = None;
    for BufferSlice { side, buffer, ranges, slice } in &witness.slices {
        if last.is_some_and(|last| last >= (*side, *buffer)) {
            return Err(WitnessError::Slice);
        }
        last = Some((*side, *buffer));
        let (opening, proved) = match side {
            Side::Before => (&witness.before, &mut before),
            Side::After => (&witness.after, &mut after),
        };
        // Whole chunks: one way to show the same bytes.
        let whole = |range: &ByteRange, len| {
            let end = range.offset.checked_add(range.len);
            range.offset.is_multiple_of(CHUNK) && end.is_some_and(|end| end.is_multiple_of(CHUNK) || end == len)
        };
        let place = usize::from(*buffer);
        let (Some(blob), Some(proved)) = (opening.blobs.get(place), proved.get_mut(place)) else {
            return Err(WitnessError::Slice);
        };
        if !ranges.iter().all(|range| whole(range, blob.len)) {
            return Err(WitnessError::Slice);
        }
        *proved = slice::verify(blob, ranges, slice).map_err(|_| WitnessError::Slice)?;
    }
    Ok((before, after))
}

/// The stretches that nobody owns in the chunks of `owned` (buffer, offset, length; sorted): the first of them, so that time
/// stays bounded.
pub(crate) fn gaps(
    ownership: &Ownership,
    lengths: &[u64],
    owned: impl Iterator<Item = (u16, u64, usize)>,
) -> Vec<(u16, ByteRange)> {
    let mut questions = MAX_QUESTIONS;
    let mut gaps = Vec::new();
    let mut next = (0u16, 0u64);
    for (buffer, offset, len) in owned {
        let len = len as u64;
        let size = lengths.get(usize::from(buffer)).copied().unwrap_or(0);
        let from = (offset / CHUNK).saturating_mul(CHUNK);
        let until = offset.saturating_add(len).div_ceil(CHUNK).saturating_mul(CHUNK).min(size);
        let mut at = if next.0 == buffer { from.max(next.1) } else { from };
        next = (buffer, until.max(at));
        while at < until {
            let Some(left) = questions.checked_sub(1) else { return gaps };
            questions = left;
            let (owner, end) = ownership.owner(buffer, at);
            let end = end.min(until);
            if owner == Owner::Nobody {
                gaps.push((buffer, ByteRange { offset: at, len: end.saturating_sub(at) }));
            }
            at = end;
        }
    }
    gaps
}

/// The first buffer with a byte that nobody owns and that differs, among those the witness proves on both sides.
fn unowned_change(ownership: &Ownership, before: &[Proved], after: &[Proved]) -> Option<u16> {
    let mut questions = MAX_QUESTIONS;
    for (buffer, (before, after)) in (0u16..).zip(before.iter().zip(after)) {
        let (mut old_runs, mut new_runs) = (before.runs.iter().peekable(), after.runs.iter().peekable());
        while let (Some((old_from, old)), Some((new_from, new))) = (old_runs.peek(), new_runs.peek()) {
            let (old_until, new_until) =
                (old_from.saturating_add(old.len() as u64), new_from.saturating_add(new.len() as u64));
            let (from, until) = ((*old_from).max(*new_from), old_until.min(new_until));
            let len = until.saturating_sub(from);
            if let (Some(old), Some(new)) = (before.get(from, len), after.get(from, len)) {
                let mut at = from;
                while let Some(changed) = first_change(old, new, from, at) {
                    questions = questions.checked_sub(1)?;
                    let (owner, until) = ownership.owner(buffer, changed);
                    if owner == Owner::Nobody {
                        return Some(buffer);
                    }
                    at = until;
                }
            }
            if old_until <= new_until {
                old_runs.next()
            } else {
                new_runs.next()
            };
        }
    }
    None
}

/// The first offset from `at` on whose bytes differ; both runs start at `from`.
fn first_change(old: &[u8], new: &[u8], from: u64, at: u64) -> Option<u64> {
    let skipped = usize::try_from(at.checked_sub(from)?).ok()?;
    let (old, new) = (old.get(skipped..)?, new.get(skipped..)?);
    let step = old.iter().zip(new).position(|(old, new)| old != new)?;
    at.checked_add(step as u64)
}
