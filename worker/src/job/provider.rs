//! The loop over blocks: which jobs are ours, which orders to claim, what is over.

use super::{
    accept::{self, Unfit},
    drive,
    journal::{Journal, JournalError},
    record::{Ending, Record, Stage, Trace},
    witness::Cache,
};
use crate::{
    backend::{Backend, Control, Prepared},
    blobs::{Store, StoreError},
    config::Config,
    desk::{Admission, Desk, Served},
    metrics::Metrics,
};
use assay_client::{Client, amount};
use assay_primitives::{
    AttemptIndex, BlockNumber, OrderId,
    order::{AttemptView, Failure, OrderStatus, OrderView, Parameters, ProviderView},
};
use futures::StreamExt;
use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{sync::watch, task::JoinHandle};

/// Open orders that are looked at in a block.
const LOOKED_AT: u32 = 64;
/// Blocks for which an order that did not fit is not looked at again.
const FORGET_AFTER: BlockNumber = 20;
/// Blocks that an ended job is kept, in case its end is reverted.
const SETTLING: BlockNumber = 20;
/// Blocks between two cleanings of the store.
const CLEAN_EVERY: BlockNumber = 30;
/// Blocks that a claim may be missing on chain, while forks are decided, before it is given up.
const MISSING: BlockNumber = 8;
/// Blocks before a job that broke off is taken up again.
const AGAIN_AFTER: BlockNumber = 5;
/// Longest wait for a block before the chain is asked anyway.
const PATIENCE: Duration = Duration::from_secs(12);

/// What every job needs.
pub struct Context {
    /// What the provider chose.
    pub config: Config,
    /// The chain.
    pub client: Client,
    /// The blobs.
    pub store: Store,
    /// The journal.
    pub journal: Journal,
    /// What the server knows.
    pub desk: Arc<Desk>,
    /// What runs programs.
    pub backend: Arc<dyn Backend>,
    /// Blobs in memory.
    pub cache: Arc<Cache>,
    /// Metrics.
    pub metrics: Metrics,
    /// The chain's constants.
    pub parameters: Parameters,
    /// Number of the best block, as it comes.
    pub height: watch::Receiver<BlockNumber>,
}

/// A job that is under way.
struct Running {
    task: JoinHandle<()>,
    control: Control,
}

type Key = (OrderId, AttemptIndex);

/// The provider's side of the market.
pub struct Provider {
    context: Arc<Context>,
    height: watch::Sender<BlockNumber>,
    records: Arc<Mutex<HashMap<Key, Record>>>,
    running: HashMap<Key, Running>,
    /// When each job was started last.
    started: HashMap<Key, BlockNumber>,
    /// Jobs that the chain does not have, and since when.
    missing: HashMap<Key, BlockNumber>,
    /// Orders that did not fit, and when that was found.
    unfit: HashMap<OrderId, BlockNumber>,
    cleaned: BlockNumber,
    /// What was said last of the chain's connection, and of the provider's standing.
    complaint: Option<String>,
    standing: Option<String>,
}

/// The loop cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum ProviderError {
    /// The chain does not answer as it should.
    #[error(transparent)]
    Chain(#[from] assay_client::Error),
    /// The journal fails.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The store fails.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The attempt of `view` that is ours, if the order has it.
pub(super) fn ours<'a>(view: &'a OrderView, record: &Record) -> Option<&'a AttemptView> {
    view.attempts.iter().find(|found| found.attempt == record.attempt && found.provider == record.provider)
}

impl Provider {
    /// Reads the journal and takes up what it holds.
    pub fn new(mut context: Context) -> Result<Self, ProviderError> {
        let (height, receiver) = watch::channel(context.desk.height());
        context.height = receiver;
        let records = context.journal.load()?;
        let provider = Self {
            context: Arc::new(context),
            height,
            records: Arc::new(Mutex::new(HashMap::new())),
            running: HashMap::new(),
            started: HashMap::new(),
            missing: HashMap::new(),
            unfit: HashMap::new(),
            cleaned: 0,
            complaint: None,
            standing: None,
        };
        for record in records {
            if !matches!(record.stage, Stage::Over { .. }) {
                tracing::info!("order {}: the journal says {}", record.title(), stage_name(&record.stage));
            }
            if let Err(error) = provider.show(&record) {
                tracing::error!("order {}: what is stored cannot be served: {error}", record.title());
            }
            provider.lock().insert((record.order, record.attempt), record);
        }
        Ok(provider)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<Key, Record>> {
        self.records.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells the server of a job from the journal.
    fn show(&self, record: &Record) -> Result<(), Unfit> {
        let context = &self.context;
        if matches!(record.stage, Stage::Claiming | Stage::Claimed) {
            let admission = Admission { customer: record.customer, blobs: record.inputs() };
            context.desk.admit(record.order, admission);
        }
        let Some(execution) = record.execution() else { return Ok(()) };
        let ptx = record.kernels.iter().map(|kernel| context.store.read(kernel)).collect::<Result<Vec<_>, _>>();
        let ptx = ptx.map_err(|_| Unfit::Missing("kernel in the store"))?;
        let job = Prepared::new(record.program.clone(), ptx, context.parameters.unit_fuel)?;
        let trace = Trace::new(execution.states.clone()).ok_or(Unfit::Missing("states"))?;
        context.desk.serve(record.order, record.attempt, Arc::new(Served { job: Arc::new(job), trace }));
        Ok(())
    }

    /// Works until `shutdown` is ready.
    pub async fn run(mut self, mut shutdown: watch::Receiver<bool>) -> Result<(), ProviderError> {
        let mut blocks = self.context.client.best_blocks().await?;
        loop {
            let number = tokio::select! {
                _ = shutdown.wait_for(|stop| *stop) => break,
                block = tokio::time::timeout(PATIENCE, blocks.next()) => match block {
                    Ok(Some(Ok(block))) => Some(block.number),
                    Ok(Some(Err(error))) => { tracing::warn!("{error}"); None }
                    Ok(None) => { blocks = self.context.client.best_blocks().await?; None }
                    Err(_) => None,
                },
            };
            if let Some(number) = number {
                self.context.desk.set_height(number);
                self.context.metrics.height.set(number.into());
                self.height.send_replace(number);
            }
            tokio::select! {
                _ = shutdown.wait_for(|stop| *stop) => break,
                result = self.look() => match result {
                    Ok(()) => self.complain(None),
                    Err(ProviderError::Chain(error)) => self.complain(Some(error.to_string())),
                    Err(error) => return Err(error),
                },
            }
        }
        for running in self.running.values() {
            running.control.cancel();
            running.task.abort();
        }
        Ok(())
    }

    /// Says what is wrong once, not in every block.
    fn complain(&mut self, complaint: Option<String>) {
        if self.complaint != complaint {
            if let Some(text) = &complaint {
                tracing::warn!("{text}");
            }
            self.complaint = complaint;
        }
    }

    async fn look(&mut self) -> Result<(), ProviderError> {
        let context = self.context.clone();
        let height = context.desk.height();
        self.running.retain(|_, running| !running.task.is_finished());
        let assigned = context.client.assigned_orders(&context.config.operator).await?;
        self.take_up(&assigned, height).await?;
        self.follow(&assigned, height).await?;
        let busy = self.lock().values().filter(|record| is_busy(&record.stage)).count();
        context.metrics.running.set(busy as u64);
        if busy == 0 && height >= self.cleaned.saturating_add(CLEAN_EVERY) {
            tokio::task::block_in_place(|| self.clean(height))?;
        }
        if busy < context.config.limits.jobs {
            self.seek(height, busy).await?;
        }
        Ok(())
    }

    /// Orders that the chain says are ours and that nobody works on: after a restart, mostly.
    async fn take_up(&mut self, assigned: &[OrderView], height: BlockNumber) -> Result<(), ProviderError> {
        for view in assigned {
            let operator = self.context.config.operator;
            let Some(attempt) = view.attempts.last().filter(|last| last.provider == operator && last.failure.is_none())
            else {
                continue;
            };
            let key = (view.order, attempt.attempt);
            let is_fresh = self.started.get(&key).is_some_and(|at| height < at.saturating_add(AGAIN_AFTER));
            if self.running.contains_key(&key) || is_fresh {
                continue;
            }
            let known = self.lock().get(&key).cloned();
            let record = match known {
                Some(record) => self.revive(record)?,
                None => match self.adopt(view, attempt.attempt).await {
                    Ok(record) => record,
                    Err(Unfit::Chain(error)) => return Err(error.into()),
                    Err(error) => {
                        tracing::error!(
                            "order {}/{} is ours and cannot be served: {error}",
                            view.order,
                            attempt.attempt
                        );
                        continue;
                    }
                },
            };
            if needs_work(&record, attempt) {
                self.start(record, height);
            }
        }
        Ok(())
    }

    /// A job that ended on a fork, and is ours again on the other.
    fn revive(&self, mut record: Record) -> Result<Record, ProviderError> {
        let Stage::Over { execution, .. } = &record.stage else { return Ok(record) };
        tracing::warn!("order {}: ours again: taken up", record.title());
        record.stage = execution.clone().map_or(Stage::Claimed, Stage::Checked);
        self.context.journal.save(&record)?;
        if let Err(error) = self.show(&record) {
            tracing::error!("order {}: what is stored cannot be served: {error}", record.title());
        }
        self.lock().insert((record.order, record.attempt), record.clone());
        Ok(record)
    }

    /// Makes a record of a claim that only the chain knows.
    async fn adopt(&self, view: &OrderView, attempt: AttemptIndex) -> Result<Record, Unfit> {
        let (program, ptx) = accept::fetch(&self.context.client, view).await?;
        let record = self.record(view, attempt, program, &ptx, Stage::Claimed).map_err(|error| {
            tracing::error!("{error}");
            Unfit::Missing("kernels in the store")
        })?;
        self.show(&record)?;
        tracing::info!("order {}: claimed on chain, unknown to the journal: taken up", record.title());
        Ok(record)
    }

    fn record(
        &self,
        view: &OrderView,
        attempt: AttemptIndex,
        program: assay_primitives::Program,
        ptx: &[Vec<u8>],
        stage: Stage,
    ) -> Result<Record, ProviderError> {
        let kernels = ptx.iter().map(|ptx| self.context.store.put(ptx)).collect::<Result<Vec<_>, _>>()?;
        let (provider, customer) = (self.context.config.operator, view.customer);
        let record = Record { order: view.order, attempt, provider, customer, program, kernels, stage };
        self.context.journal.save(&record)?;
        self.lock().insert((record.order, record.attempt), record.clone());
        Ok(record)
    }

    fn start(&mut self, record: Record, height: BlockNumber) {
        let key = (record.order, record.attempt);
        self.started.insert(key, height);
        let control = Control::default();
        let task = tokio::spawn(drive::drive(self.context.clone(), record, self.records.clone(), control.clone()));
        self.running.insert(key, Running { task, control });
    }

    /// Jobs of the journal that the chain does not count as ours any more.
    async fn follow(&mut self, assigned: &[OrderView], height: BlockNumber) -> Result<(), ProviderError> {
        let open: Vec<Record> = {
            let records = self.lock();
            let over = |record: &&Record| !matches!(record.stage, Stage::Over { .. });
            records.values().filter(over).cloned().collect()
        };
        for record in open {
            let is_assigned = assigned.iter().any(|view| {
                view.order == record.order && ours(view, &record).is_some_and(|attempt| attempt.failure.is_none())
            });
            // A claim in the pool is not on chain yet: its task knows what became of it.
            let key = (record.order, record.attempt);
            if is_assigned {
                self.missing.remove(&key);
            }
            if is_assigned || (record.stage == Stage::Claiming && self.running.contains_key(&key)) {
                continue;
            }
            let view = self.context.client.order(record.order).await?;
            let ending = match view.as_ref().and_then(|view| ours(view, &record).map(|attempt| (view, attempt))) {
                Some((view, attempt)) if attempt.failure.is_none() => match view.status {
                    OrderStatus::Settled => Ending::Settled,
                    OrderStatus::Claimed | OrderStatus::Committed => continue,
                    _ => Ending::Lost,
                },
                Some((_, attempt)) if attempt.failure == Some(Failure::Declined) => Ending::Declined,
                Some(_) => Ending::Lost,
                None if record.stage == Stage::Claiming && view.as_ref().is_some_and(|view| is_free(view, &record)) => {
                    self.start(record, height);
                    continue;
                }
                None => {
                    let since = *self.missing.entry(key).or_insert(height);
                    if height < since.saturating_add(MISSING) {
                        continue;
                    }
                    Ending::Lost
                }
            };
            self.missing.remove(&key);
            self.end(record, ending, view.as_ref(), height)?;
        }
        Ok(())
    }

    fn end(
        &mut self,
        mut record: Record,
        ending: Ending,
        view: Option<&OrderView>,
        height: BlockNumber,
    ) -> Result<(), ProviderError> {
        let key = (record.order, record.attempt);
        if let Some(running) = self.running.remove(&key) {
            running.control.cancel();
            running.task.abort();
        }
        let attempt = view.and_then(|view| ours(view, &record));
        match (ending, view.and_then(|view| view.receipt.as_ref())) {
            (Ending::Settled, Some(receipt)) => {
                self.context.metrics.settled.inc();
                tracing::info!("order {}: settled, {} earned", record.title(), amount::display(receipt.provider));
            }
            (Ending::Settled, None) => {
                self.context.metrics.settled.inc();
                tracing::info!("order {}: settled", record.title());
            }
            (Ending::Declined, _) => {
                self.context.metrics.declines.inc();
                tracing::info!("order {}: declined", record.title());
            }
            (Ending::Lost, receipt) => {
                self.context.metrics.lost.inc();
                let title = record.title();
                match (attempt.and_then(|attempt| attempt.failure), receipt) {
                    (Some(Failure::ProgramFault), Some(receipt)) => tracing::info!(
                        "order {title}: the program is at fault, {} earned for the work",
                        amount::display(receipt.provider)
                    ),
                    (Some(failure), _) => tracing::warn!("order {title}: ended without pay ({failure:?})"),
                    (None, _) => tracing::warn!("order {title}: the chain does not have the claim"),
                }
            }
        }
        let execution = record.execution().cloned();
        record.stage = Stage::Over { ending, at: height, execution };
        self.context.journal.save(&record)?;
        self.context.desk.dismiss(record.order);
        self.lock().insert(key, record);
        Ok(())
    }

    /// Forgets what is long over, and deletes the blobs that nothing needs. Only called while no job runs.
    fn clean(&mut self, height: BlockNumber) -> Result<(), ProviderError> {
        self.cleaned = height;
        self.unfit.retain(|_, since| height < since.saturating_add(FORGET_AFTER));
        let context = &self.context;
        let mut keep = HashSet::new();
        let mut gone = Vec::new();
        for (key, record) in self.lock().iter() {
            let blobs = match &record.stage {
                Stage::Over { at, ending, execution } => {
                    let age = height.saturating_sub(*at);
                    let kept = if *ending == Ending::Settled { context.config.limits.keep_blocks } else { SETTLING };
                    if age > kept.max(SETTLING) {
                        gone.push(*key);
                        continue;
                    }
                    let mut blobs = record.blobs();
                    if age <= SETTLING {
                        blobs.extend(execution.iter().flat_map(|execution| execution.states.iter().flatten()));
                        blobs.extend(&record.kernels);
                    }
                    blobs
                }
                _ => record.blobs(),
            };
            keep.extend(blobs.iter().map(|blob| blob.root));
        }
        for key in gone {
            context.journal.remove(key.0, key.1)?;
            context.desk.withdraw(key.0, key.1);
            self.lock().remove(&key);
            self.started.remove(&key);
        }
        let freed = context.store.retain(&keep)?;
        if freed > 0 {
            tracing::info!("{freed} bytes of finished jobs deleted");
        }
        Ok(())
    }

    /// Claims what fits.
    async fn seek(&mut self, height: BlockNumber, busy: usize) -> Result<(), ProviderError> {
        let context = self.context.clone();
        let limits = &context.config.limits;
        let Some(provider) = self.standing(height).await? else { return Ok(()) };
        let mut free = limits.jobs.saturating_sub(busy);
        for view in context.client.open_orders(LOOKED_AT).await? {
            let is_known = self
                .lock()
                .values()
                .any(|record| record.order == view.order && !matches!(record.stage, Stage::Over { .. }));
            let is_unfit = self.unfit.get(&view.order).is_some_and(|since| height < since.saturating_add(FORGET_AFTER));
            if free == 0 {
                break;
            }
            if is_known || is_unfit || view.status != OrderStatus::Open {
                continue;
            }
            match self.fit(&view, &provider, height).await {
                Ok(record) => {
                    free = free.saturating_sub(1);
                    self.start(record, height);
                }
                Err(Unfit::Chain(error)) => return Err(error.into()),
                Err(Unfit::TriedBefore) => {
                    self.unfit.insert(view.order, height);
                }
                Err(reason) => {
                    tracing::info!("order {} is not claimed: {reason}", view.order);
                    self.unfit.insert(view.order, height);
                }
            }
        }
        Ok(())
    }

    /// This provider on chain, if it may claim.
    async fn standing(&mut self, height: BlockNumber) -> Result<Option<ProviderView>, ProviderError> {
        let config = &self.context.config;
        let found = self.context.client.provider(&config.operator).await?;
        let complaint = match &found {
            None => "the operator is not registered as a provider".to_owned(),
            Some(view) if view.worker != config.signer.account() => format!(
                "the provider is registered with the worker key {}, not {}",
                assay_client::account::to_ss58(&view.worker),
                config.signer.address()
            ),
            Some(view) if view.suspended_until.is_some_and(|until| height <= until) => {
                format!("the provider is suspended until block {}", view.suspended_until.unwrap_or_default())
            }
            Some(_) => {
                if self.standing.take().is_some() {
                    tracing::info!("the provider is in good standing: orders are claimed");
                }
                return Ok(found);
            }
        };
        if self.standing.as_deref() != Some(complaint.as_str()) {
            tracing::warn!("no orders are claimed: {complaint}");
            self.standing = Some(complaint);
        }
        Ok(None)
    }

    async fn fit(&self, view: &OrderView, provider: &ProviderView, height: BlockNumber) -> Result<Record, Unfit> {
        let context = &self.context;
        let limits = &context.config.limits;
        accept::check_terms(view, provider, &context.config.operator, height, limits)?;
        let (program, ptx) = accept::fetch(&context.client, view).await?;
        accept::check_limits(&program, limits, context.store.quota().saturating_sub(context.store.used()))?;
        let prepared = accept::prepare(program.clone(), ptx.clone(), context.parameters.unit_fuel).await?;
        drop(prepared);
        let attempt = AttemptIndex::try_from(view.attempts.len()).unwrap_or(AttemptIndex::MAX);
        let record = self.record(view, attempt, program, &ptx, Stage::Claiming).map_err(|error| {
            tracing::error!("{error}");
            Unfit::Missing("record in the journal")
        })?;
        // Before the claim is on chain: the customer may be quicker than the next block.
        let admission = Admission { customer: record.customer, blobs: record.inputs() };
        context.desk.admit(record.order, admission);
        Ok(record)
    }
}

/// Whether the attempt of `record` can still be claimed.
fn is_free(view: &OrderView, record: &Record) -> bool {
    view.status == OrderStatus::Open && AttemptIndex::try_from(view.attempts.len()) == Ok(record.attempt)
}

fn is_busy(stage: &Stage) -> bool {
    !matches!(stage, Stage::Committed(_) | Stage::Over { .. })
}

/// A committed job rests, unless the chain has lost the commit.
fn needs_work(record: &Record, attempt: &AttemptView) -> bool {
    !matches!(record.stage, Stage::Committed(_)) || attempt.trace_root.is_none()
}

pub(super) fn stage_name(stage: &Stage) -> &'static str {
    match stage {
        Stage::Claiming => "claiming",
        Stage::Claimed => "claimed",
        Stage::Executed(_) => "executed",
        Stage::Checked(_) => "checked",
        Stage::Committed(_) => "committed",
        Stage::Over { .. } => "over",
    }
}
