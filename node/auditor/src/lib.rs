//! The auditor: draws commitments with the validator's private VRF, re-executes the drawn units off the author's thread,
//! and reports what it finds.
//!
//! ```text
//! best block ─▶ tasks ─▶ VRF: assigned? ─▶ fetch witnesses ─▶ judge ─▶ report | prove the fault
//! ```
//! Nothing is kept between runs of the node: what is open and what is reported stands on chain.

mod audit;
mod chain;
mod fetch;
mod jobs;
mod metrics;

use assay_primitives::{
    AttemptIndex, BlockNumber, Hash, OrderId,
    audit::{Report, is_assigned, report_statement, vrf_input},
    order::{AuditTask, ReportVerdict},
    payload,
};
use assay_runtime_api::vrf::{self, AUDIT_KEY};
use audit::{AuditError, Finding, Tools};
pub use chain::{Chain, ChainError, FaultProof};
use codec::Encode;
use fetch::{FetchError, Fetcher};
use futures::{Stream, StreamExt};
use metrics::Metrics;
use sp_core::sr25519::Public;
use sp_keystore::{Keystore, KeystorePtr};
use std::{
    collections::{HashMap, HashSet},
    num::NonZeroUsize,
    sync::Arc,
    time::Duration,
};
use substrate_prometheus_endpoint::{PrometheusError, Registry};
use tokio::sync::{Semaphore, mpsc};

/// Target of the auditor's log lines.
const LOG: &str = "auditor";
/// Audits that run at a time; more wait for the next block.
const MAX_RUNNING: usize = 64;
/// Reports of one extrinsic.
const BATCH: usize = 16;
/// How long finished audits wait for company before they are sent.
const GATHER: Duration = Duration::from_millis(150);
/// Blocks after which a finding that is not on chain yet is sent again.
const RESEND: BlockNumber = 3;

/// How a validator audits.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Options {
    /// Threads that re-execute units; half of the machine's by default.
    #[arg(long, value_name = "N")]
    pub audit_threads: Option<NonZeroUsize>,

    /// Ask providers at private and loopback addresses too; development and local chains always do.
    #[arg(long)]
    pub audit_private_endpoints: bool,
}

/// Why there is no auditor.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The HTTP client.
    #[error("the auditor's HTTP client: {0}")]
    Http(#[from] FetchError),
    /// The metrics.
    #[error("the auditor's metrics: {0}")]
    Metrics(#[from] PrometheusError),
}

/// One commitment, as one audit key sees it. The trace root belongs to it: a fork may hold another.
type Key = (Public, OrderId, AttemptIndex, Hash);

/// An evaluated VRF.
#[derive(Clone, Copy)]
struct Draw {
    output: Hash,
    pre_output: [u8; 32],
}

/// Where the audit of a commitment stands.
enum Stage {
    /// Drawn; starts when it is assigned and there is room, not before the block.
    Waiting { from: BlockNumber },
    /// Runs.
    Running,
    /// Over, to be sent.
    Found(Finding),
    /// Sent in that block.
    Sent(Finding, BlockNumber),
}

struct Work {
    task: AuditTask,
    draw: Draw,
    stage: Stage,
}

/// The audits of one validator.
pub struct Auditor<C> {
    tools: Arc<Tools<C>>,
    keystore: KeystorePtr,
    work: HashMap<Key, Work>,
    results: mpsc::UnboundedSender<(Key, Result<Finding, AuditError>)>,
    inbox: mpsc::UnboundedReceiver<(Key, Result<Finding, AuditError>)>,
}

impl<C: Chain> Auditor<C> {
    /// An auditor of `chain` with the audit keys in `keystore`. `slot` is the time between blocks; `registry` shows its
    /// counters.
    pub fn new(
        chain: C,
        keystore: KeystorePtr,
        slot: Duration,
        registry: Option<&Registry>,
        options: &Options,
    ) -> Result<Self, Error> {
        let half = std::thread::available_parallelism().map_or(1, |threads| threads.get().div_ceil(2));
        let threads = options.audit_threads.map_or(half, NonZeroUsize::get);
        let (results, inbox) = mpsc::unbounded_channel();
        Ok(Self {
            tools: Arc::new(Tools {
                chain,
                fetcher: Fetcher::new(options.audit_private_endpoints)?,
                jobs: Default::default(),
                threads: Arc::new(Semaphore::new(threads)),
                metrics: Metrics::new(registry)?,
                slot,
            }),
            keystore,
            work: HashMap::new(),
            results,
            inbox,
        })
    }

    /// Audits until `blocks`, which tells of every new best block, ends.
    pub async fn run(mut self, blocks: impl Stream<Item = ()> + Send) {
        let mut blocks = std::pin::pin!(blocks);
        loop {
            tokio::select! {
                block = blocks.next() => match block {
                    Some(()) => self.on_block(),
                    None => return,
                },
                Some(first) = self.inbox.recv() => {
                    self.on_result(first);
                    tokio::time::sleep(GATHER).await;
                    while let Ok(next) = self.inbox.try_recv() {
                        self.on_result(next);
                    }
                }
            }
            self.send().await;
        }
    }

    /// Looks at what is open, starts what is assigned, forgets what is over.
    fn on_block(&mut self) {
        let best = self.tools.chain.best();
        let mut open = HashSet::new();
        for auditor in self.keystore.sr25519_public_keys(AUDIT_KEY) {
            let tasks = match self.tools.chain.tasks(auditor) {
                Ok(tasks) => tasks,
                Err(error) => {
                    log::warn!(target: LOG, "cannot learn what to audit: {error}");
                    return;
                }
            };
            for task in tasks.into_iter().filter(|task| !task.reported) {
                let key = (auditor, task.order, task.attempt, task.trace_root);
                open.insert(key);
                self.consider(key, task, best);
            }
        }
        self.work.retain(|key, _| open.contains(key));
    }

    fn consider(&mut self, key: Key, task: AuditTask, best: BlockNumber) {
        let auditor = key.0;
        if !self.work.contains_key(&key) {
            let Some(draw) = self.draw(auditor, &task) else { return };
            self.work.insert(key, Work { task: task.clone(), draw, stage: Stage::Waiting { from: best } });
        }
        let running = self.work.values().filter(|work| matches!(work.stage, Stage::Running)).count();
        let Some(work) = self.work.get_mut(&key) else { return };
        work.task.validators = task.validators;
        match &work.stage {
            Stage::Waiting { from } if *from <= best && running < MAX_RUNNING => {
                let elapsed = best.saturating_sub(work.task.committed_at);
                let Work { task, draw, .. } = &*work;
                if is_assigned(&draw.output, task.audit.auditors, task.validators, elapsed) {
                    self.tools.metrics.running.inc();
                    let audit = audit::audit(self.tools.clone(), task.clone(), draw.output);
                    let results = self.results.clone();
                    tokio::spawn(async move {
                        // Nobody listens any more when the node shuts down.
                        let _ = results.send((key, audit.await));
                    });
                    work.stage = Stage::Running;
                }
            }
            // A window that moved is the answer to a fault of the program: it is on chain.
            Stage::Sent(finding, at)
                if at.saturating_add(RESEND) <= best && work.task.window_ends == task.window_ends =>
            {
                work.stage = Stage::Found(finding.clone());
            }
            _ => {}
        }
    }

    /// Evaluates the VRF on the commitment.
    fn draw(&self, auditor: Public, task: &AuditTask) -> Option<Draw> {
        let input = self.vrf_input(task);
        let pre_output = match self.keystore.sr25519_vrf_pre_output(AUDIT_KEY, &auditor, &vrf::input(&input)) {
            Ok(pre_output) => pre_output?,
            Err(error) => {
                log::warn!(target: LOG, "the keystore does not evaluate the VRF: {error}");
                return None;
            }
        };
        let pre_output = pre_output.encode().try_into().ok()?;
        Some(Draw { output: vrf::output(&auditor, &input, &pre_output)?, pre_output })
    }

    fn vrf_input(&self, task: &AuditTask) -> Hash {
        vrf_input(&self.tools.chain.genesis(), task.order, task.attempt, &task.provider, &task.trace_root)
    }

    fn on_result(&mut self, (key, result): (Key, Result<Finding, AuditError>)) {
        self.tools.metrics.running.dec();
        let Some(work) = self.work.get_mut(&key) else { return };
        work.stage = match result {
            Ok(finding) => {
                self.tools.metrics.audits.with_label_values(&[finding.name()]).inc();
                log::info!(target: LOG, "🔎 order {} attempt {}: {}", work.task.order, work.task.attempt, finding.name());
                Stage::Found(finding)
            }
            Err(error) => {
                self.tools.metrics.audits.with_label_values(&["failed"]).inc();
                log::warn!(target: LOG, "order {} attempt {}: cannot audit: {error}", work.task.order, work.task.attempt);
                Stage::Waiting { from: self.tools.chain.best().saturating_add(1) }
            }
        };
    }

    /// Sends what was found: faults one by one, reports in batches.
    async fn send(&mut self) {
        let best = self.tools.chain.best();
        let mut reports = HashMap::<Public, Vec<Report>>::new();
        let mut faults = Vec::new();
        for (key, work) in &mut self.work {
            let Stage::Found(finding) = &work.stage else { continue };
            let finding = finding.clone();
            match &finding {
                Finding::Fault(proof) => faults.push((key.0, proof.clone())),
                Finding::Verified { units, lane_steps, digest } => {
                    let report = (ReportVerdict::Verified, *units, *lane_steps, *digest);
                    reports.entry(key.0).or_default().extend(sign(
                        &self.tools.chain,
                        &self.keystore,
                        key.0,
                        work,
                        report,
                    ));
                }
                Finding::Withheld => {
                    let report = (ReportVerdict::Withheld, 0, 0, Hash::default());
                    reports.entry(key.0).or_default().extend(sign(
                        &self.tools.chain,
                        &self.keystore,
                        key.0,
                        work,
                        report,
                    ));
                }
            }
            work.stage = Stage::Sent(finding, best);
        }
        for (auditor, proof) in faults {
            let (order, attempt) = (proof.task.order, proof.task.attempt);
            let sent = self.send_fault(auditor, *proof).await;
            self.note_sent(&format!("proof of a fault in order {order} attempt {attempt}"), sent);
        }
        for (auditor, reports) in reports {
            for batch in reports.chunks(BATCH) {
                self.send_reports(auditor, batch).await;
            }
        }
    }

    /// Sends a batch; one by one when it is refused, since one report that came too late must not hold up the others.
    async fn send_reports(&self, auditor: Public, batch: &[Report]) {
        let sent = self.tools.chain.report(auditor, batch.to_vec()).await;
        let refused = sent.is_err();
        self.note_sent(&format!("{} audit reports", batch.len()), sent);
        if refused && batch.len() > 1 {
            for report in batch {
                let sent = self.tools.chain.report(auditor, vec![report.clone()]).await;
                self.note_sent(&format!("report of order {}", report.order), sent);
            }
        }
    }

    async fn send_fault(&self, auditor: Public, proof: FaultProof) -> Result<(), ChainError> {
        let evidence = (proof.unit, &proof.witness).using_encoded(assay_primitives::hash::plain);
        let genesis = self.tools.chain.genesis();
        let message = payload::fault_report(&genesis, proof.task.order, proof.task.attempt, &auditor.0, &evidence);
        let signature = self.keystore.sr25519_sign(AUDIT_KEY, &auditor, &message);
        let Ok(Some(signature)) = signature else {
            return Err(ChainError::NoSignature);
        };
        self.tools.chain.report_fault(auditor, proof, signature).await
    }

    fn note_sent(&self, what: &str, sent: Result<(), ChainError>) {
        let outcome = if sent.is_ok() { "taken" } else { "refused" };
        self.tools.metrics.submissions.with_label_values(&[outcome]).inc();
        match sent {
            Ok(()) => log::debug!(target: LOG, "sent {what}"),
            // It may be on chain already, or in the pool of a fork; if not, it is sent again in a few blocks.
            Err(error) => log::info!(target: LOG, "{what} not taken: {error}"),
        }
    }
}

/// Signs a report with the VRF's proof.
fn sign(
    chain: &impl Chain,
    keystore: &KeystorePtr,
    auditor: Public,
    work: &Work,
    (verdict, units, lane_steps, digest): (ReportVerdict, u16, u64, Hash),
) -> Option<Report> {
    let Work { task, draw, .. } = work;
    let mut report = Report {
        order: task.order,
        attempt: task.attempt,
        verdict,
        units,
        lane_steps,
        digest,
        pre_output: draw.pre_output,
        proof: [0; 64],
    };
    let input = vrf_input(&chain.genesis(), task.order, task.attempt, &task.provider, &task.trace_root);
    let data = vrf::sign_data(&input, &report_statement(&report));
    let signature = keystore.sr25519_vrf_sign(AUDIT_KEY, &auditor, &data).ok()??;
    report.proof = signature.proof.encode().try_into().ok()?;
    Some(report)
}
