//! What is kept of a job: enough to go on after a crash at any point.

use assay_primitives::{
    Account, AttemptIndex, BlobId, BlockNumber, Hash, OrderId, Program, Unit,
    trace::{self, TracePath},
};
use codec::{Decode, Encode};

/// One attempt of ours at an order.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Record {
    /// The order.
    pub order: OrderId,
    /// The attempt.
    pub attempt: AttemptIndex,
    /// The operator that claimed it.
    pub provider: Account,
    /// Who pays and uploads.
    pub customer: Account,
    /// The program.
    pub program: Program,
    /// The kernels' PTX, as blobs of the store, in the program's order.
    pub kernels: Vec<BlobId>,
    /// How far the job is.
    pub stage: Stage,
}

/// How far a job is. It only goes down this list.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Stage {
    /// The claim may have been sent.
    Claiming,
    /// The chain has the claim; inputs are awaited, or the run goes on.
    Claimed,
    /// The run is over and its states are stored.
    Executed(Execution),
    /// Drawn units reproduced: it may be committed. The commit may have been sent.
    Checked(Execution),
    /// The chain has the commit.
    Committed(Execution),
    /// The attempt is over.
    Over {
        /// How it ended.
        ending: Ending,
        /// Block at which that was seen.
        at: BlockNumber,
        /// What was committed, while it is kept.
        execution: Option<Execution>,
    },
}

/// How an attempt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Ending {
    /// It was paid.
    Settled,
    /// It was declined.
    Declined,
    /// The chain ended it otherwise, or never had it.
    Lost,
}

/// The states that a run went through.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Execution {
    /// The buffers' blobs in each state, the first before the first launch.
    pub states: Vec<Vec<BlobId>>,
    /// Lane-steps of all units, where the backend counts them.
    pub lane_steps: Option<u64>,
    /// The first unit that broke a rule of the engine: the program's fault.
    pub trap: Option<Unit>,
}

impl Record {
    /// How logs name the job.
    pub fn title(&self) -> String {
        format!("{}/{}", self.order, self.attempt)
    }

    /// What was run, if it was.
    pub fn execution(&self) -> Option<&Execution> {
        match &self.stage {
            Stage::Claiming | Stage::Claimed => None,
            Stage::Executed(execution) | Stage::Checked(execution) | Stage::Committed(execution) => Some(execution),
            Stage::Over { execution, .. } => execution.as_ref(),
        }
    }

    /// The blobs that the customer uploads.
    pub fn inputs(&self) -> Vec<BlobId> {
        let mut inputs = trace::initial_state(&self.program);
        inputs.retain(|blob| !blob.is_zero());
        inputs.sort_unstable();
        inputs.dedup();
        inputs
    }

    /// The blobs that must be kept for it.
    pub fn blobs(&self) -> Vec<BlobId> {
        let mut blobs = self.kernels.clone();
        match &self.stage {
            Stage::Over { ending: Ending::Settled, execution: Some(execution), .. } => {
                let outputs = self.program.buffers.iter().zip(execution.states.last().into_iter().flatten());
                blobs.extend(outputs.filter(|(buffer, _)| buffer.output).map(|(_, blob)| *blob));
            }
            Stage::Over { .. } => blobs.clear(),
            _ => {
                blobs.extend(self.inputs());
                blobs.extend(self.execution().into_iter().flat_map(|execution| execution.states.iter().flatten()));
            }
        }
        blobs
    }
}

/// The states of a run with their roots.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trace {
    /// The buffers' blobs in each state.
    pub states: Vec<Vec<BlobId>>,
    roots: Vec<Hash>,
    root: Hash,
}

impl Trace {
    /// The trace over `states`; `None` for none at all or too many.
    pub fn new(states: Vec<Vec<BlobId>>) -> Option<Self> {
        let roots: Vec<Hash> = states.iter().map(|state| trace::state_root(state)).collect();
        let root = trace::trace_root(&roots)?;
        Some(Self { states, roots, root })
    }

    /// What is committed.
    pub fn root(&self) -> Hash {
        self.root
    }

    /// The path of state `index`.
    pub fn path(&self, index: u32) -> Option<TracePath> {
        trace::trace_path(&self.roots, index)
    }

    /// The state at `index`.
    pub fn state(&self, index: u32) -> Option<&[BlobId]> {
        self.states.get(usize::try_from(index).ok()?).map(Vec::as_slice)
    }

    /// Number of the last state.
    pub fn last(&self) -> u32 {
        u32::try_from(self.states.len().saturating_sub(1)).unwrap_or(u32::MAX)
    }
}
