//! Making a witness: the unit runs again over the whole state before, and what it reads is remembered.

use crate::{
    judge::{carried, gaps},
    source::{Recording, chunk_ranges},
    unit::{Job, NoUnit, Placed, State},
};
use alloc::{collections::BTreeSet, vec::Vec};
use assay_engine::Outcome;
use assay_primitives::{
    BlobId, Unit,
    slice::{CHUNK, Outboard},
    trace::TracePath,
    witness::{BufferSlice, ByteRange, MAX_WITNESS_BYTES, Side, StateOpening, Witness},
};
use codec::Encode;

/// A state with what it takes to prove ranges of it.
pub trait Snapshot: State {
    /// The outboard of `buffer`.
    fn outboard(&self, buffer: u16) -> Option<&Outboard>;
}

/// The two states of a unit and their places in the trace.
pub struct WitnessParts<'a> {
    /// The state before the launch.
    pub before: &'a dyn Snapshot,
    /// The state after it.
    pub after: &'a dyn Snapshot,
    /// Path of the state before.
    pub before_path: TracePath,
    /// Path of the state after.
    pub after_path: TracePath,
}

/// Why a witness cannot be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BuildError {
    /// No such unit.
    NoUnit,
    /// A state lacks a buffer, or its outboard does not fit.
    State,
    /// More ranges or bytes than a witness may have.
    TooLarge,
}

impl From<NoUnit> for BuildError {
    fn from(_: NoUnit) -> Self {
        Self::NoUnit
    }
}

/// Makes the witness of `unit`; also tells how the unit ended.
pub fn build(job: &Job<'_>, unit: Unit, parts: WitnessParts<'_>) -> Result<(Witness, Outcome), BuildError> {
    let placed = Placed::new(job, unit)?;
    let (outcome, mut memory) = placed.run(Recording::new(parts.before), job.fuel, None)?;
    if matches!(outcome, Outcome::Done { .. }) {
        // The bytes it owns and did not store are compared with the state after as well.
        memory.complete().map_err(|_| BuildError::State)?;
        // So are those that nobody owns in the same chunks.
        let lengths: Vec<u64> = job.program.buffers.iter().map(|buffer| buffer.len).collect();
        let ownership = placed.launch.writes.ownership(placed.launch.grid);
        let owned = memory.owned().map(|(buffer, offset, bytes)| (buffer, offset, bytes.len()));
        for (buffer, gap) in gaps(&ownership, &lengths, owned) {
            memory.source_mut().note(buffer, gap.offset, gap.len);
        }
    }
    let mut owned: BTreeSet<(u16, u64)> = BTreeSet::new();
    placed.launch.writes.for_each_owned(unit.cta, |buffer, offset, len| {
        let last = offset.saturating_add(len).saturating_sub(1) / CHUNK;
        owned.extend((offset / CHUNK..=last).map(|chunk| (buffer, chunk)));
        true
    });

    let mut slices = Vec::new();
    for (side, state) in [(Side::Before, parts.before), (Side::After, parts.after)] {
        for (buffer, declared) in (0u16..).zip(&job.program.buffers) {
            let ranges = match side {
                Side::Before => memory.source().ranges(buffer, declared.len),
                Side::After => {
                    let chunks = owned.range((buffer, 0)..=(buffer, u64::MAX)).map(|(_, chunk)| *chunk);
                    chunk_ranges(chunks, declared.len)
                }
            };
            if !ranges.is_empty() {
                slices.push(prove(side, buffer, ranges, state)?);
            }
        }
    }
    let witness = Witness {
        before: opening(job, parts.before, parts.before_path)?,
        after: opening(job, parts.after, parts.after_path)?,
        slices: slices.try_into().map_err(|_| BuildError::TooLarge)?,
    };
    if carried(&witness) > u64::from(MAX_WITNESS_BYTES) || witness.encoded_size() > MAX_WITNESS_BYTES as usize {
        return Err(BuildError::TooLarge);
    }
    Ok((witness, outcome))
}

fn opening(job: &Job<'_>, state: &dyn Snapshot, path: TracePath) -> Result<StateOpening, BuildError> {
    let count = u16::try_from(job.program.buffers.len()).map_err(|_| BuildError::State)?;
    let blobs: Option<Vec<BlobId>> =
        (0..count).map(|buffer| state.outboard(buffer).map(|outboard| outboard.blob)).collect();
    let blobs = blobs.ok_or(BuildError::State)?.try_into().map_err(|_| BuildError::State)?;
    Ok(StateOpening { blobs, path })
}

fn prove(side: Side, buffer: u16, ranges: Vec<ByteRange>, state: &dyn Snapshot) -> Result<BufferSlice, BuildError> {
    let outboard = state.outboard(buffer).ok_or(BuildError::State)?;
    let bytes = state.buffer(buffer).ok_or(BuildError::State)?;
    let slice = outboard
        .encode(&ranges, |offset, len| {
            let start = usize::try_from(offset).ok()?;
            bytes.get(start..start.checked_add(usize::try_from(len).ok()?)?).map(<[u8]>::to_vec)
        })
        .ok_or(BuildError::State)?;
    Ok(BufferSlice {
        side,
        buffer,
        ranges: ranges.try_into().map_err(|_| BuildError::TooLarge)?,
        slice: slice.try_into().map_err(|_| BuildError::TooLarge)?,
    })
}
