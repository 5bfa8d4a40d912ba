//! One audit: the drawn units of one commitment, fetched, run and judged.

use super::{
    chain::{Chain, FaultProof},
    fetch::Fetcher,
    jobs::{JobError, Jobs, Loaded},
    metrics::Metrics,
};
use assay_audit::{Job, Verdict, judge};
use assay_engine::Tier;
use assay_primitives::{
    BlockNumber, Hash, Unit,
    audit::{digest_key, draw_units},
    hash::{self, Purpose},
    order::AuditTask,
    witness::Witness,
};
use futures::{StreamExt, stream};
use std::{sync::Arc, time::Duration};
use tokio::sync::Semaphore;

/// Witnesses of one audit that are fetched at a time.
const FETCHES: usize = 4;
/// Blocks before the end of the window at which the auditor stops asking: its report needs a block of its own.
const REPORT_BLOCKS: BlockNumber = 2;
/// Longest time for one witness.
const FETCH_TIMEOUT: Duration = Duration::from_secs(10);

/// What an audit found.
#[derive(Clone, Debug)]
pub enum Finding {
    /// Every drawn unit reproduced.
    Verified {
        /// Units run.
        units: u16,
        /// Lane-steps of those units together.
        lane_steps: u64,
        /// Fold of their audit digests.
        digest: Hash,
    },
    /// A witness was not served in time, or proves nothing.
    Withheld,
    /// The provider's result is wrong, or the program breaks its rules; the proof.
    Fault(Box<FaultProof>),
}

impl Finding {
    /// How metrics and logs call it.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Verified { .. } => "verified",
            Self::Withheld => "withheld",
            Self::Fault(_) => "fault",
        }
    }
}

/// Why an audit could not be done: the auditor's own trouble, not the provider's.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// The program cannot be run here.
    #[error(transparent)]
    Job(#[from] JobError),
    /// The work was cut off.
    #[error("the work was cut off: {0}")]
    Cut(#[from] tokio::task::JoinError),
    /// The program has no units.
    #[error("the program has no units")]
    NoUnits,
}

/// What every audit uses.
pub struct Tools<C> {
    /// The chain.
    pub chain: C,
    /// Asks providers.
    pub fetcher: Fetcher,
    /// Programs.
    pub jobs: Jobs,
    /// Bounds the threads that run units.
    pub threads: Arc<Semaphore>,
    /// Counters.
    pub metrics: Metrics,
    /// Time between blocks.
    pub slot: Duration,
}

enum UnitFinding {
    Verified { lane_steps: u64, digest: Hash },
    Withheld,
    Fault(Box<FaultProof>),
}

/// Audits the units of `task` that the VRF output draws.
pub async fn audit<C: Chain>(tools: Arc<Tools<C>>, task: AuditTask, output: Hash) -> Result<Finding, AuditError> {
    let loader = tools.clone();
    let program = task.program;
    let loaded = tokio::task::spawn_blocking(move || loader.jobs.load(&loader.chain, program)).await??;
    let units = draw_units(&output, &loaded.program, task.audit);
    let count = u16::try_from(units.len()).map_err(|_| AuditError::NoUnits)?;
    if count == 0 {
        return Err(AuditError::NoUnits);
    }

    let mut checks =
        stream::iter(units).map(|unit| check(tools.clone(), loaded.clone(), &task, unit, output)).buffered(FETCHES);
    let (mut lane_steps, mut digest, mut withheld) = (0u64, Hash::default(), false);
    while let Some(found) = checks.next().await {
        match found? {
            UnitFinding::Verified { lane_steps: steps, digest: of_unit } => {
                lane_steps = lane_steps.saturating_add(steps);
                digest = hash::derive(Purpose::AuditDigest, &[&digest, &of_unit]);
            }
            UnitFinding::Withheld => withheld = true,
            UnitFinding::Fault(proof) => return Ok(Finding::Fault(proof)),
        }
    }
    Ok(if withheld { Finding::Withheld } else { Finding::Verified { units: count, lane_steps, digest } })
}

/// Fetches and judges one unit, again and again until the window is nearly over.
async fn check<C: Chain>(
    tools: Arc<Tools<C>>,
    loaded: Arc<Loaded>,
    task: &AuditTask,
    unit: Unit,
    output: Hash,
) -> Result<UnitFinding, AuditError> {
    loop {
        let left = task.window_ends.saturating_sub(REPORT_BLOCKS).saturating_sub(tools.chain.best());
        let timeout = tools.slot.saturating_mul(left.max(1)).min(FETCH_TIMEOUT);
        match tools.fetcher.witness(&task.endpoint, task.order, task.attempt, unit, timeout).await {
            Ok(witness) => {
                tools.metrics.fetches.with_label_values(&["served"]).inc();
                if let Some(finding) = run(&tools, &loaded, task, unit, output, witness).await? {
                    return Ok(finding);
                }
            }
            Err(error) => {
                tools.metrics.fetches.with_label_values(&["failed"]).inc();
                log::debug!(target: super::LOG, "order {} attempt {}: no witness of {unit:?}: {error}", task.order, task.attempt);
            }
        }
        if tools.chain.best().saturating_add(REPORT_BLOCKS) >= task.window_ends {
            return Ok(UnitFinding::Withheld);
        }
        tokio::time::sleep(tools.slot / 2).await;
    }
}

/// Runs one unit on a thread of its own; `None` when the witness proves nothing.
async fn run<C: Chain>(
    tools: &Arc<Tools<C>>,
    loaded: &Arc<Loaded>,
    task: &AuditTask,
    unit: Unit,
    output: Hash,
    witness: Witness,
) -> Result<Option<UnitFinding>, AuditError> {
    // The semaphore is never closed; without a permit the work is done all the same.
    let permit = tools.threads.clone().acquire_owned().await.ok();
    let loaded = loaded.clone();
    let trace_root = task.trace_root;
    let (judged, witness) = tokio::task::spawn_blocking(move || {
        let job = Job { program: &loaded.program, modules: &loaded.modules, fuel: loaded.fuel };
        let key = digest_key(&output, unit);
        let mut judged = judge(&job, &trace_root, unit, &witness, Some(&key));
        if !matches!(judged, Ok(Verdict::Verified { .. }) | Err(_)) {
            // Whoever accuses stakes on it: once more as the runtime does, which decides.
            assay_engine::run_as(Tier::Baseline);
            let again = judge(&job, &trace_root, unit, &witness, Some(&key));
            assay_engine::run_as(Tier::Best);
            if again != judged {
                log::error!(target: super::LOG, "{unit:?}: the engine's tiers disagree, please report it: {judged:?}, {again:?}");
            }
            judged = again;
        }
        drop(permit);
        (judged, witness)
    })
    .await?;
    tools.metrics.units.inc();
    Ok(match judged {
        Ok(Verdict::Verified { lane_steps, digest }) => {
            tools.metrics.lane_steps.inc_by(lane_steps);
            Some(UnitFinding::Verified { lane_steps, digest })
        }
        Ok(fault) => {
            log::warn!(target: super::LOG, "order {} attempt {}: {unit:?} is at fault: {fault:?}", task.order, task.attempt);
            Some(UnitFinding::Fault(Box::new(FaultProof { task: task.clone(), unit, witness })))
        }
        Err(error) => {
            log::debug!(target: super::LOG, "order {} attempt {}: the witness of {unit:?} proves nothing: {error:?}", task.order, task.attempt);
            None
        }
    })
}
