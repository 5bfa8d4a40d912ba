//! The verdict on one unit, from its witness and the committed trace root alone.

use crate::{
    memory::Witnessed,
    unit::{Job, NoUnit, Placed},
};
use alloc::{collections::BTreeMap, vec::Vec};
use assay_engine::{Outcome, Trap};
use assay_primitives::{
    Hash, Unit, Writes,
    slice::{self, Proved},
    trace,
    witness::{BufferSlice, Side, Witness},
    write_map::Owner,
};

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
    /// A slice does not match its blob, or slices are unsorted or repeated.
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
    let Writes::Maps(maps) = &placed.launch.writes;
    for (buffer, (before, after)) in (0u16..).zip(witness.before.blobs.iter().zip(&witness.after.blobs)) {
        if before != after && !maps.iter().any(|map| map.buffer == buffer) {
            return Ok(Verdict::ProviderFault(Fault::UnownedChange { buffer }));
        }
    }

    let (before, after) = open(witness)?;
    let (outcome, memory) =
        placed.run(Witnessed { lengths: &lengths, slices: &before }, job.fuel, key)?;
    let (lane_steps, digest) = match outcome {
        Outcome::Done { lane_steps, digest } => (lane_steps, digest),
        Outcome::Trap(trap) => return Ok(Verdict::ProgramFault(trap)),
        Outcome::Incomplete { .. } => return Err(WitnessError::Incomplete),
    };
    for (buffer, offset, computed) in memory.owned() {
        let committed = after
            .get(&buffer)
            .and_then(|proved| proved.get(offset, computed.len() as u64))
            .ok_or(WitnessError::Incomplete)?;
        if let Some((at, _)) = (offset..).zip(computed.iter().zip(committed)).find(|(_, (a, b))| a != b) {
            return Ok(Verdict::ProviderFault(Fault::WrongByte { buffer, offset: at }));
        }
    }
    if let Some(buffer) = unowned_change(&placed.launch.writes, placed.launch.grid, &before, &after) {
        return Ok(Verdict::ProviderFault(Fault::UnownedChange { buffer }));
    }
    Ok(Verdict::Verified { lane_steps, digest })
}

type Slices = BTreeMap<u16, Proved>;

/// Verifies every slice against its side's blob.
fn open(witness: &Witness) -> Result<(Slices, Slices), WitnessError> {
    let (mut before, mut after) = (Slices::new(), Slices::new());
    let mut last: Option<(Side, u16)> = None;
    for BufferSlice { side, buffer, ranges, slice } in &witness.slices {
        if last.is_some_and(|last| last >= (*side, *buffer)) {
            return Err(WitnessError::Slice);
        }
        last = Some((*side, *buffer));
        let (opening, slices) = match side {
            Side::Before => (&witness.before, &mut before),
            Side::After => (&witness.after, &mut after),
        };
        let blob = opening.blobs.get(usize::from(*buffer)).ok_or(WitnessError::Slice)?;
        // A zeroed blob proves any range of itself for nothing: no more of it than a witness could carry.
        let claimed = ranges.iter().fold(0u64, |sum, range| sum.saturating_add(range.len));
        if claimed > u64::from(assay_primitives::witness::MAX_WITNESS_BYTES) {
            return Err(WitnessError::Slice);
        }
        slices.insert(*buffer, slice::verify(blob, ranges, slice).map_err(|_| WitnessError::Slice)?);
    }
    Ok((before, after))
}

/// The first buffer with a byte that nobody owns and that differs, among those the witness proves on both sides.
fn unowned_change(writes: &Writes, grid: [u32; 3], before: &Slices, after: &Slices) -> Option<u16> {
    for (buffer, proved) in after {
        let Some(old) = before.get(buffer) else { continue };
        for (start, bytes) in &proved.runs {
            let end = start.saturating_add(bytes.len() as u64);
            let mut at = *start;
            while at < end {
                let (owner, until) = writes.owner(grid, *buffer, at);
                let until = until.min(end);
                let len = until.saturating_sub(at);
                if owner == Owner::Nobody
                    && let Some(old) = old.get(at, len)
                    && proved.get(at, len) != Some(old)
                {
                    return Some(*buffer);
                }
                at = until;
            }
        }
    }
    None
}
