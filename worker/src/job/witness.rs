//! Witnesses from stored states, and the self-check that uses them.

use super::record::Trace;
use crate::{
    backend::{Prepared, written},
    blobs::{Store, StoreError},
};
use assay_audit::{BuildError, Snapshot, State, Verdict, WitnessError, WitnessParts, build_witness, judge};
use assay_primitives::{Arg, BlobId, Launch, Unit, audit, order::AuditLevel, slice::Outboard, witness::Witness};
use std::{
    collections::{HashMap, VecDeque},
    hash::{BuildHasher, Hasher, RandomState},
    sync::{Arc, Mutex, PoisonError},
};

/// Why there is no witness.
#[derive(Debug, thiserror::Error)]
pub enum WitnessFailure {
    /// The program has no such unit.
    #[error("the program has no such unit")]
    NoUnit,
    /// A blob of the states is gone or rotten.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// It would be longer than a witness may be.
    #[error("the witness is longer than a witness may be")]
    TooLarge,
    /// The states do not fit the program.
    #[error("the states do not fit the program")]
    States,
}

/// A blob in memory with its outboard.
pub struct Loaded {
    bytes: Vec<u8>,
    outboard: Outboard,
}

/// Blobs in memory, the last used ones, up to a number of bytes.
pub struct Cache {
    store: Store,
    limit: u64,
    entries: Mutex<Entries>,
}

#[derive(Default)]
struct Entries {
    blobs: HashMap<BlobId, Arc<Loaded>>,
    /// From the least to the most recently used.
    order: VecDeque<BlobId>,
    used: u64,
}

impl Cache {
    /// A cache over `store` of at most `limit` bytes, but one blob.
    pub fn new(store: Store, limit: u64) -> Self {
        Self { store, limit, entries: Mutex::default() }
    }

    /// The blob, from memory or from disk.
    pub fn load(&self, blob: &BlobId) -> Result<Arc<Loaded>, StoreError> {
        {
            let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(found) = entries.blobs.get(blob).cloned() {
                entries.order.retain(|known| known != blob);
                entries.order.push_back(*blob);
                return Ok(found);
            }
        }
        let loaded = Arc::new(Loaded { bytes: self.store.read(blob)?, outboard: self.store.outboard(blob)? });
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        if entries.blobs.insert(*blob, loaded.clone()).is_none() {
            entries.order.push_back(*blob);
            entries.used = entries.used.saturating_add(blob.len);
        }
        while entries.used > self.limit && entries.order.len() > 1 {
            let Some(oldest) = entries.order.pop_front() else { break };
            entries.blobs.remove(&oldest);
            entries.used = entries.used.saturating_sub(oldest.len);
        }
        Ok(loaded)
    }
}

/// One state, as far as a launch can see it.
struct View {
    buffers: Vec<Option<Arc<Loaded>>>,
    /// Addresses alone, for buffers that the launch cannot reach.
    addresses: Vec<Outboard>,
}

impl View {
    fn open(cache: &Cache, state: &[BlobId], reached: &[u16]) -> Result<Self, StoreError> {
        let buffers = (0u16..)
            .zip(state)
            .map(|(buffer, blob)| reached.contains(&buffer).then(|| cache.load(blob)).transpose())
            .collect::<Result<_, _>>()?;
        let addresses = state.iter().map(|blob| Outboard { blob: *blob, groups: Vec::new() }).collect();
        Ok(Self { buffers, addresses })
    }

    fn loaded(&self, buffer: u16) -> Option<&Loaded> {
        self.buffers.get(usize::from(buffer))?.as_deref()
    }
}

impl State for View {
    fn buffer(&self, buffer: u16) -> Option<&[u8]> {
        self.loaded(buffer).map(|loaded| loaded.bytes.as_slice())
    }
}

impl Snapshot for View {
    fn outboard(&self, buffer: u16) -> Option<&Outboard> {
        self.loaded(buffer).map(|loaded| &loaded.outboard).or_else(|| self.addresses.get(usize::from(buffer)))
    }
}

/// The buffers that a launch can read or write: pointers come from its arguments alone.
fn reached(launch: &Launch) -> Vec<u16> {
    let arguments = launch.args.iter().filter_map(|arg| match arg {
        Arg::Buffer { index, .. } => Some(*index),
        _ => None,
    });
    arguments.chain(written(&launch.writes)).collect()
}

/// Makes the witness of `unit` from stored states.
pub fn witness(cache: &Cache, job: &Prepared, trace: &Trace, unit: Unit) -> Result<Witness, WitnessFailure> {
    let placed = job.program().launch(unit.launch).ok_or(WitnessFailure::NoUnit)?;
    let reached = reached(placed.launch);
    let next = unit.launch.checked_add(1).ok_or(WitnessFailure::NoUnit)?;
    let (Some(before), Some(after)) = (trace.state(unit.launch), trace.state(next)) else {
        return Err(WitnessFailure::States);
    };
    let (Some(before_path), Some(after_path)) = (trace.path(unit.launch), trace.path(next)) else {
        return Err(WitnessFailure::States);
    };
    let before = View::open(cache, before, &reached)?;
    let after = View::open(cache, after, &reached)?;
    let parts = WitnessParts { before: &before, after: &after, before_path, after_path };
    match build_witness(&job.job(), unit, parts) {
        Ok((witness, _)) => Ok(witness),
        Err(BuildError::NoUnit) => Err(WitnessFailure::NoUnit),
        Err(BuildError::TooLarge) => Err(WitnessFailure::TooLarge),
        Err(BuildError::State) => Err(WitnessFailure::States),
    }
}

/// What the self-check found.
#[derive(Debug)]
pub enum Check {
    /// All drawn units reproduced; so many were drawn.
    Passed(usize),
    /// The unit breaks a rule of the engine: the program's fault.
    ProgramFault(Unit),
    /// The unit does not reproduce: this machine's fault.
    Mismatch(Unit, String),
}

/// Draws `units` units at random and judges them as an auditor would.
pub fn self_check(cache: &Cache, job: &Prepared, trace: &Trace, units: u16) -> Result<Check, WitnessFailure> {
    let seed = seed();
    let drawn = audit::draw_units(&seed, job.program(), AuditLevel { auditors: 1, units });
    let mut faulty = None;
    for unit in &drawn {
        let witness = witness(cache, job, trace, *unit)?;
        match judge(&job.job(), &trace.root(), *unit, &witness, Some(&audit::digest_key(&seed, *unit))) {
            Ok(Verdict::Verified { .. }) => {}
            Ok(Verdict::ProgramFault(_)) => {
                faulty.get_or_insert(*unit);
            }
            Ok(Verdict::ProviderFault(fault)) => return Ok(Check::Mismatch(*unit, format!("{fault:?}"))),
            Err(WitnessError::NoUnit) => return Err(WitnessFailure::NoUnit),
            Err(error) => return Ok(Check::Mismatch(*unit, format!("{error:?}"))),
        }
    }
    Ok(faulty.map_or(Check::Passed(drawn.len()), Check::ProgramFault))
}

/// 32 bytes that nobody can foresee: the standard library seeds its hashers from the system.
fn seed() -> [u8; 32] {
    let mut hasher = blake3::Hasher::new();
    for word in 0u64..8 {
        let mut random = RandomState::new().build_hasher();
        random.write_u64(word);
        hasher.update(&random.finish().to_le_bytes());
    }
    *hasher.finalize().as_bytes()
}
