//! One job, stage by stage. Every stage is on disk before the next begins.

use super::{
    accept::{self, Unfit},
    execute::execute,
    journal::JournalError,
    provider::{Context, ours, stage_name},
    record::{Execution, Record, Stage, Trace},
    sabotage::{Sabotage, falsify},
    witness::{Check, WitnessFailure, self_check, witness},
};
use crate::{
    backend::{Control, Prepared, RunError},
    blobs::StoreError,
    desk::Served,
};
use assay_client::{Error, Wait, calls::compute};
use assay_primitives::{AttemptIndex, BlockNumber, OrderId, Unit, order::AttemptView, payload};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

/// Blocks before the deadline at which there is no use in going on.
const LAST_MOMENT: BlockNumber = 1;
/// Blocks to look for a feeless transaction when the connection broke.
const SEEK_BLOCKS: BlockNumber = 10;
/// Pause before a transaction is sent again.
const PAUSE: Duration = Duration::from_secs(1);

type Records = Arc<Mutex<HashMap<(OrderId, AttemptIndex), Record>>>;

/// Why a job ended before its commit.
#[derive(Debug, thiserror::Error)]
enum Halt {
    #[error("the claim was not taken: {0}")]
    Claim(Error),
    #[error("the attempt is over on chain")]
    Gone,
    #[error("the inputs did not arrive")]
    Inputs,
    #[error("{0}")]
    Run(#[from] RunError),
    #[error("{0}")]
    Unfit(#[from] Unfit),
    #[error("{0}")]
    Witness(#[from] WitnessFailure),
    #[error("launch {}, CTA {:?} does not reproduce on the CPU engine: {reason}", .unit.launch, .unit.cta)]
    Mismatch { unit: Unit, reason: String },
    #[error("too late for the commit")]
    Late,
    #[error("{0}")]
    Store(#[from] StoreError),
    #[error("{0}")]
    Journal(#[from] JournalError),
    #[error("the states do not make the trace that is on chain, or none")]
    Trace,
    #[error("a task broke off: {0}")]
    Task(#[from] tokio::task::JoinError),
}

/// Drives a job from its stage to its commit, or to its decline.
pub(super) async fn drive(context: Arc<Context>, record: Record, records: Records, control: Control) {
    let title = record.title();
    let mut job = Driven { context, record, records, control, prepared: None };
    if let Err(halt) = job.go().await {
        tracing::warn!("order {title}: {halt}");
        job.give_up(&halt).await;
    }
}

struct Driven {
    context: Arc<Context>,
    record: Record,
    records: Records,
    control: Control,
    prepared: Option<Arc<Prepared>>,
}

impl Driven {
    fn set(&mut self, stage: Stage) -> Result<(), JournalError> {
        tracing::debug!("order {}: {}", self.record.title(), stage_name(&stage));
        self.record.stage = stage;
        self.context.journal.save(&self.record)?;
        let key = (self.record.order, self.record.attempt);
        self.records.lock().unwrap_or_else(PoisonError::into_inner).insert(key, self.record.clone());
        Ok(())
    }

    fn sabotage(&self, moment: Sabotage) {
        if let Some(sabotage) = self.context.config.sabotage {
            sabotage.die_at(moment);
        }
    }

    async fn go(&mut self) -> Result<(), Halt> {
        loop {
            match self.record.stage.clone() {
                Stage::Claiming => {
                    self.claim().await?;
                    self.set(Stage::Claimed)?;
                    self.sabotage(Sabotage::DieAfterClaim);
                }
                Stage::Claimed => {
                    let attempt = self.attempt().await?;
                    if attempt.trace_root.is_some() {
                        // Committed in a life whose journal is lost: without the states there is nothing to prove it with.
                        self.run_again(&attempt).await?;
                        continue;
                    }
                    self.inputs(&attempt).await?;
                    let execution = self.run(&attempt).await?;
                    self.set(Stage::Executed(execution))?;
                    self.sabotage(Sabotage::DieAfterRun);
                }
                Stage::Executed(execution) => {
                    let execution = self.check(execution).await?;
                    self.set(Stage::Checked(execution))?;
                }
                Stage::Checked(execution) => {
                    self.commit(&execution).await?;
                    self.set(Stage::Committed(execution.clone()))?;
                    self.sabotage(Sabotage::DieAfterCommit);
                    self.prove_program_fault(&execution).await;
                }
                Stage::Committed(execution) => {
                    let attempt = self.attempt().await?;
                    if attempt.trace_root.is_none() {
                        tracing::warn!("order {}: the commit was reverted; it is sent again", self.record.title());
                        self.commit(&execution).await?;
                    }
                    return Ok(());
                }
                Stage::Over { .. } => return Ok(()),
            }
        }
    }

    async fn prepared(&mut self) -> Result<Arc<Prepared>, Halt> {
        if let Some(prepared) = &self.prepared {
            return Ok(prepared.clone());
        }
        let store = self.context.store.clone();
        let kernels = self.record.kernels.clone();
        let ptx = tokio::task::spawn_blocking(move || {
            kernels.iter().map(|kernel| store.read(kernel)).collect::<Result<Vec<_>, _>>()
        })
        .await??;
        let fuel = self.context.parameters.unit_fuel;
        let prepared = Arc::new(accept::prepare(self.record.program.clone(), ptx, fuel).await?);
        self.prepared = Some(prepared.clone());
        Ok(prepared)
    }

    /// Our attempt as the chain tells it; waits while the node does not answer.
    async fn attempt(&self) -> Result<AttemptView, Halt> {
        loop {
            match self.context.client.order(self.record.order).await {
                Ok(view) => {
                    let found = view.as_ref().and_then(|view| ours(view, &self.record)).cloned();
                    return found.filter(|attempt| attempt.failure.is_none()).ok_or(Halt::Gone);
                }
                Err(error) => {
                    tracing::warn!("order {}: {error}", self.record.title());
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }

    fn height(&self) -> BlockNumber {
        *self.context.height.borrow()
    }

    async fn claim(&self) -> Result<(), Halt> {
        let (context, record) = (&self.context, &self.record);
        loop {
            let view = context.client.order(record.order).await.map_err(Halt::Claim)?;
            match view.as_ref().and_then(|view| ours(view, record)) {
                Some(attempt) if attempt.failure.is_some() => return Err(Halt::Gone),
                Some(_) => return Ok(()),
                None => {}
            }
            let digest = payload::claim(&context.client.genesis(), record.order, record.attempt, &record.provider);
            let signature = context.config.signer.sign(&digest);
            let call = compute::claim(record.order, record.attempt, &record.provider, &signature);
            match context.client.submit_feeless(&call, SEEK_BLOCKS, Wait::InBlock).await {
                Ok(included) => {
                    context.metrics.claims.inc();
                    tracing::info!("order {}: claimed in block {}", record.title(), included.block);
                    return Ok(());
                }
                Err(error) if error.is_retryable() => {
                    tracing::warn!("order {}: the claim: {error}", record.title());
                    tokio::time::sleep(PAUSE).await;
                }
                Err(error) => return Err(Halt::Claim(error)),
            }
        }
    }

    fn missing(&self) -> usize {
        self.record.inputs().iter().filter(|blob| !self.context.store.has(blob)).count()
    }

    /// Waits for the inputs: for a number of blocks, and longer while bytes come in.
    async fn inputs(&self, attempt: &AttemptView) -> Result<(), Halt> {
        let context = &self.context;
        let patience = context.config.limits.input_blocks.max(context.parameters.decline_after);
        let latest = attempt.commit_by.saturating_sub(LAST_MOMENT);
        let mut until = attempt.claimed_at.saturating_add(patience).min(latest);
        let mut said = usize::MAX;
        let mut height = context.height.clone();
        loop {
            let missing = self.missing();
            if missing == 0 {
                return Ok(());
            }
            if missing != said {
                tracing::info!(
                    "order {}: waits for {missing} of {} inputs",
                    self.record.title(),
                    self.record.inputs().len()
                );
                said = missing;
            }
            if self.height() > until {
                return Err(Halt::Inputs);
            }
            tokio::select! {
                () = context.desk.next_arrival() => {
                    until = self.height().saturating_add(patience).min(latest).max(until);
                }
                _ = height.changed() => {}
                () = tokio::time::sleep(PAUSE) => {}
            }
        }
    }

    async fn run(&mut self, attempt: &AttemptView) -> Result<Execution, Halt> {
        let prepared = self.prepared().await?;
        let units = assay_primitives::audit::unit_count(prepared.program());
        let title = self.record.title();
        tracing::info!("order {title}: runs {} launches, {units} units", prepared.program().launches());
        let context = self.context.clone();
        let control = self.control.clone();
        let began = std::time::Instant::now();
        let mut running = tokio::task::spawn_blocking({
            let control = control.clone();
            move || execute(&context.store, &*context.backend, &prepared, &control)
        });
        let mut height = self.context.height.clone();
        let execution = loop {
            tokio::select! {
                done = &mut running => break done??,
                _ = height.changed() => {
                    if self.height() >= attempt.commit_by {
                        control.cancel();
                    }
                    tracing::debug!("order {title}: {} of {units} units", control.units());
                }
            }
        };
        let seconds = began.elapsed().as_secs_f64();
        match execution.lane_steps {
            Some(steps) => {
                self.context.metrics.lane_steps.inc_by(steps);
                tracing::info!("order {title}: ran in {seconds:.2} s, {steps} lane-steps");
            }
            None => tracing::info!("order {title}: ran in {seconds:.2} s"),
        }
        if let Some(unit) = execution.trap {
            tracing::warn!(
                "order {title}: launch {}, CTA {:?} breaks a rule of the engine: the program's fault",
                unit.launch,
                unit.cta
            );
        }
        Ok(execution)
    }

    /// Runs a committed job again, for its witnesses.
    async fn run_again(&mut self, attempt: &AttemptView) -> Result<(), Halt> {
        if self.missing() > 0 {
            return Err(Halt::Inputs);
        }
        let execution = self.run(attempt).await?;
        let trace = Trace::new(execution.states.clone()).ok_or(Halt::Trace)?;
        if Some(trace.root()) != attempt.trace_root {
            return Err(Halt::Trace);
        }
        self.serve(trace).await?;
        self.set(Stage::Committed(execution))?;
        Ok(())
    }

    async fn serve(&mut self, trace: Trace) -> Result<Arc<Served>, Halt> {
        let served = Arc::new(Served { job: self.prepared().await?, trace });
        self.context.desk.serve(self.record.order, self.record.attempt, served.clone());
        Ok(served)
    }

    /// Draws units and judges them as an auditor would, from witnesses alone.
    async fn check(&mut self, mut execution: Execution) -> Result<Execution, Halt> {
        let prepared = self.prepared().await?;
        let context = self.context.clone();
        let title = self.record.title();
        let checked = tokio::task::spawn_blocking(move || {
            let trace = Trace::new(execution.states.clone()).ok_or(Halt::Trace)?;
            let check = self_check(&context.cache, &prepared, &trace, context.config.self_check)?;
            if context.config.sabotage == Some(Sabotage::WrongByte) {
                falsify(&context.store, &prepared, &mut execution)?;
            }
            Ok::<_, Halt>((check, execution))
        })
        .await?;
        let (check, mut execution) = checked?;
        match check {
            Check::Passed(units) => tracing::info!("order {title}: self-check passed, {units} units reproduce"),
            Check::ProgramFault(unit) => {
                execution.trap.get_or_insert(unit);
            }
            Check::Mismatch(unit, reason) => {
                self.context.metrics.mismatches.inc();
                return Err(Halt::Mismatch { unit, reason });
            }
        }
        Ok(execution)
    }

    async fn commit(&mut self, execution: &Execution) -> Result<(), Halt> {
        let trace = Trace::new(execution.states.clone()).ok_or(Halt::Trace)?;
        let (root, start) = (trace.root(), trace.path(0).ok_or(Halt::Trace)?);
        self.serve(trace).await?;
        let (context, record) = (self.context.clone(), self.record.clone());
        loop {
            let attempt = self.attempt().await?;
            match attempt.trace_root {
                Some(known) if known == root => return Ok(()),
                Some(_) => return Err(Halt::Gone),
                None => {}
            }
            if self.height() > attempt.commit_by {
                return Err(Halt::Late);
            }
            let digest =
                payload::commit(&context.client.genesis(), record.order, record.attempt, &record.provider, &root);
            let signature = context.config.signer.sign(&digest);
            let call =
                compute::commit_result(record.order, record.attempt, &record.provider, &root, &start, &signature);
            match context.client.submit_feeless(&call, SEEK_BLOCKS, Wait::InBlock).await {
                Ok(included) => {
                    context.metrics.commits.inc();
                    tracing::info!(
                        "order {}: result {} committed in block {}",
                        record.title(),
                        hex::encode(root.get(..4).unwrap_or_default()),
                        included.block
                    );
                    return Ok(());
                }
                Err(error) => {
                    tracing::warn!("order {}: the commit: {error}", record.title());
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }

    /// The program's fault pays the provider a share, if it is shown.
    async fn prove_program_fault(&mut self, execution: &Execution) {
        let Some(unit) = execution.trap else { return };
        let title = self.record.title();
        let proof = async {
            let trace = Trace::new(execution.states.clone()).ok_or(Halt::Trace)?;
            let prepared = self.prepared().await?;
            let context = self.context.clone();
            Ok::<_, Halt>(tokio::task::spawn_blocking(move || witness(&context.cache, &prepared, &trace, unit)).await??)
        };
        let witness = match proof.await {
            Ok(witness) => witness,
            Err(halt) => return tracing::warn!("order {title}: the program's fault cannot be shown: {halt}"),
        };
        let call = compute::prove_fault(self.record.order, self.record.attempt, &unit, &witness);
        match self.context.client.submit(&call, &self.context.config.signer, Wait::InBlock).await {
            Ok(included) => tracing::info!("order {title}: the program's fault is proved in block {}", included.block),
            // An auditor was quicker, or the order is closed already: the outcome is the same.
            Err(error) if error.dispatch().is_some() => tracing::debug!("order {title}: the program's fault: {error}"),
            Err(error) => tracing::warn!("order {title}: the program's fault is not proved: {error}"),
        }
    }

    /// Ends a job that cannot be finished: declines if the chain lets it, which costs nothing.
    async fn give_up(&mut self, halt: &Halt) {
        match halt {
            Halt::Claim(_) => {
                // Never on chain: nothing to keep.
                let key = (self.record.order, self.record.attempt);
                self.context.desk.dismiss(self.record.order);
                self.records.lock().unwrap_or_else(PoisonError::into_inner).remove(&key);
                if let Err(error) = self.context.journal.remove(key.0, key.1) {
                    tracing::error!("{error}");
                }
                return;
            }
            // The loop over blocks sees how it ended.
            Halt::Gone | Halt::Journal(_) => return,
            _ => {}
        }
        self.context.desk.withdraw(self.record.order, self.record.attempt);
        while let Ok(attempt) = self.attempt().await {
            if attempt.trace_root.is_some() || self.height() > attempt.commit_by {
                return;
            }
            if self.height() < attempt.claimed_at.saturating_add(self.context.parameters.decline_after) {
                tokio::time::sleep(PAUSE).await;
                continue;
            }
            match self.decline().await {
                // The loop over blocks sees it, and ends the job.
                Ok(_) => return,
                Err(error) => {
                    tracing::warn!("order {}: the decline: {error}", self.record.title());
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }

    async fn decline(&self) -> Result<BlockNumber, Error> {
        let (context, record) = (&self.context, &self.record);
        let digest = payload::decline(&context.client.genesis(), record.order, record.attempt, &record.provider);
        let signature = context.config.signer.sign(&digest);
        let call = compute::decline(record.order, record.attempt, &record.provider, &signature);
        Ok(context.client.submit_feeless(&call, SEEK_BLOCKS, Wait::InBlock).await?.block)
    }
}
