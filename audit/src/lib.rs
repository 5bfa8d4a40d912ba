//! The code that audits is the code that convicts: running one unit from its witness and judging what was committed.
#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

use alloc::vec::Vec;
use assay_engine::{Module, Trap};
use assay_primitives::{BlobId, Hash, Program, Unit, witness::Witness};

/// A program with its kernels parsed, in the program's order.
pub struct Job<'a> {
    /// The program; must have passed [`assay_primitives::check::check`].
    pub program: &'a Program,
    /// One per kernel of the program.
    pub modules: &'a [Module],
    /// Lane-steps one unit may take.
    pub fuel: u64,
}

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
    /// The unit breaks a rule: the customer's fault.
    ProgramFault(Trap),
}

/// What the provider did wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// State 0 is not the program's declared inputs.
    BadStart,
    /// A byte the unit owns is not what it computes.
    WrongByte {
        /// The buffer.
        buffer: u16,
        /// The first wrong byte.
        offset: u64,
    },
    /// A buffer that no write map of the launch names changed, or a buffer changed its length.
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

/// Judges one unit against the committed trace.
pub fn judge(
    job: &Job<'_>,
    trace_root: &Hash,
    unit: Unit,
    witness: &Witness,
    key: Option<&Hash>,
) -> Result<Verdict, WitnessError> {
    let _ = (job, trace_root, unit, witness, key);
    Err(WitnessError::NoUnit)
}

/// The buffers of one state, for those who hold them whole.
pub trait State: Sync {
    /// Bytes of `buffer`.
    fn buffer(&self, buffer: u16) -> Option<&[u8]>;
}

/// The blobs of one state.
pub type Blobs = Vec<BlobId>;
