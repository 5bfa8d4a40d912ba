//! The CPU engine over all cores: each CTA of a launch by itself, its stores applied to copies of the buffers it may write.

use super::{Backend, Buffers, Control, Keep, Prepared, RunError, Summary, cta_at, written};
use assay_audit::{Effect, Runner};
use assay_engine::{Outcome, Trap};
use assay_primitives::{Launch, Unit};
use std::{
    collections::BTreeMap,
    num::NonZeroUsize,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

/// CTAs that a thread runs before it hands in what they left.
const BATCH: u64 = 16;

/// The CPU engine.
#[derive(Clone, Copy, Debug)]
pub struct Cpu {
    threads: NonZeroUsize,
}

impl Default for Cpu {
    fn default() -> Self {
        Self { threads: std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN) }
    }
}

impl Cpu {
    /// An engine of that many threads.
    pub fn new(threads: NonZeroUsize) -> Self {
        Self { threads }
    }
}

/// What the threads of one launch share.
struct Shared {
    next: AtomicU64,
    lane_steps: AtomicU64,
    results: Mutex<Results>,
}

#[derive(Default)]
struct Results {
    /// The written buffers as they become.
    after: BTreeMap<u16, Vec<u8>>,
    trap: Option<(Unit, Trap)>,
    error: Option<RunError>,
}

impl Backend for Cpu {
    fn name(&self) -> String {
        format!("cpu ({} threads)", self.threads)
    }

    fn run(&self, job: &Prepared, start: Buffers, control: &Control, keep: &mut Keep<'_>) -> Result<Summary, RunError> {
        let mut buffers = start;
        let mut summary = Summary { lane_steps: Some(0), trap: None };
        for number in 0u32.. {
            let Some(placed) = job.program().launch(number) else { break };
            let shared = self.launch(job, number, placed.launch, &buffers, control)?;
            let results = shared.results.into_inner().unwrap_or_else(PoisonError::into_inner);
            if let Some(error) = results.error {
                return Err(error);
            }
            let steps = shared.lane_steps.into_inner();
            summary.lane_steps = summary.lane_steps.map(|sum| sum.saturating_add(steps));
            summary.trap = summary.trap.or(results.trap);
            let mut changed = Vec::new();
            for (buffer, after) in results.after {
                let Some(before) = buffers.0.get_mut(usize::from(buffer)) else { continue };
                if **before != after {
                    *before = Arc::new(after);
                    changed.push((buffer, before.clone()));
                }
            }
            keep(number, &changed)?;
        }
        Ok(summary)
    }
}

impl Cpu {
    fn launch(
        &self,
        job: &Prepared,
        number: u32,
        launch: &Launch,
        before: &Buffers,
        control: &Control,
    ) -> Result<Shared, RunError> {
        let mut after = BTreeMap::new();
        for buffer in written(&launch.writes) {
            let bytes = before.0.get(usize::from(buffer));
            let bytes =
                bytes.ok_or(RunError::Launch { launch: number, reason: format!("there is no buffer {buffer}") })?;
            after.insert(buffer, bytes.as_ref().clone());
        }
        let shared = Shared {
            next: AtomicU64::new(0),
            lane_steps: AtomicU64::new(0),
            results: Mutex::new(Results { after, ..Results::default() }),
        };
        let threads = usize::try_from(launch.ctas().div_ceil(BATCH)).unwrap_or(usize::MAX).min(self.threads.get());
        let panicked = std::thread::scope(|scope| {
            let running: Vec<_> =
                (0..threads).map(|_| scope.spawn(|| work(job, number, launch, before, control, &shared))).collect();
            running.into_iter().map(|thread| thread.join()).filter(Result::is_err).count()
        });
        if panicked > 0 {
            return Err(RunError::Launch { launch: number, reason: "the engine panicked".into() });
        }
        if control.is_cancelled() { Err(RunError::Cancelled) } else { Ok(shared) }
    }
}

fn work(job: &Prepared, number: u32, launch: &Launch, before: &Buffers, control: &Control, shared: &Shared) {
    let ctas = launch.ctas();
    let mut runner = Runner::new(job.job());
    loop {
        let first = shared.next.fetch_add(BATCH, Ordering::Relaxed);
        if first >= ctas || control.is_cancelled() {
            return;
        }
        let last = first.saturating_add(BATCH).min(ctas);
        let mut effects: Vec<Effect> = Vec::new();
        let mut trap: Option<(Unit, Trap)> = None;
        let mut error = None;
        for index in first..last {
            let Some(cta) = cta_at(launch.grid, index) else { continue };
            let unit = Unit { launch: number, cta };
            match runner.run(unit, before, None) {
                Ok(run) => match run.outcome {
                    Outcome::Done { lane_steps, .. } => {
                        shared.lane_steps.fetch_add(lane_steps, Ordering::Relaxed);
                        effects.extend(run.effects);
                    }
                    Outcome::Trap(found) => {
                        trap.get_or_insert((unit, found));
                    }
                    Outcome::Incomplete { buffer, offset } => {
                        error = Some(format!("byte {offset} of buffer {buffer} is not there"));
                    }
                },
                Err(_) => error = Some("the entry does not take these arguments".into()),
            }
        }
        control.done(last.saturating_sub(first));
        let mut results = shared.results.lock().unwrap_or_else(PoisonError::into_inner);
        for effect in effects {
            apply(&mut results.after, &effect);
        }
        if let Some((unit, trap)) = trap
            && results.trap.as_ref().is_none_or(|(known, _)| order(&unit) < order(known))
        {
            results.trap = Some((unit, trap));
        }
        if let Some(reason) = error {
            results.error.get_or_insert(RunError::Launch { launch: number, reason });
            return;
        }
    }
}

/// The place of a unit within its launch.
fn order(unit: &Unit) -> [u32; 3] {
    let [x, y, z] = unit.cta;
    [z, y, x]
}

fn apply(after: &mut BTreeMap<u16, Vec<u8>>, effect: &Effect) {
    let target = after.get_mut(&effect.buffer).and_then(|bytes| {
        let start = usize::try_from(effect.offset).ok()?;
        bytes.get_mut(start..start.checked_add(effect.bytes.len())?)
    });
    if let Some(target) = target {
        target.copy_from_slice(&effect.bytes);
    }
}
