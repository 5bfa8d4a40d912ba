//! Trying a job before money is locked: units of every launch run on the engine with the real data, and their witnesses are
//! measured.

use std::{
    collections::BTreeSet,
    sync::mpsc,
    time::{Duration, Instant},
};

use assay_audit::{BuildError, Snapshot, State, WitnessParts, build_witness, run_cta};
use assay_engine::{Outcome, Trap};
use assay_primitives::{
    Hash, Init, Launch, Program, Step, Unit, Writes, slice::Outboard, trace, trace::TracePath,
    witness::MAX_WITNESS_BYTES,
};
use assay_worker::backend::{Backend, Buffers, Control, Cpu, Prepared, RunError};
use codec::Encode;
use serde::Serialize;

use crate::{explain, job::Job, local, local::LocalError};

/// How to sample.
#[derive(Clone, Copy, Debug)]
pub struct Sampling {
    /// Units of each launch.
    pub units: u32,
    /// How long the job may run to give later launches their real inputs.
    pub time: Duration,
    /// Lane-steps one unit may take.
    pub fuel: u64,
}

/// What the samples say.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SampleReport {
    /// Whether any unit could be audited and convicted, as far as the samples tell.
    pub verifiable: bool,
    /// Why not.
    pub reasons: Vec<String>,
    /// Every launch, in the order written.
    pub launches: Vec<LaunchReport>,
    /// Units of the program.
    pub units: u64,
    /// Lane-steps of all units: counted if the whole job ran, else estimated from the samples.
    pub lane_steps: u64,
    /// Whether the whole job ran.
    pub complete: bool,
    /// Bytes that the provider is sent.
    pub input_bytes: u64,
    /// Bytes that come back.
    pub output_bytes: u64,
}

/// One launch.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LaunchReport {
    /// Position, in the order written.
    pub launch: u32,
    /// The entry.
    pub entry: String,
    /// CTAs.
    pub ctas: u64,
    /// How often it is launched.
    pub times: u32,
    /// Units that were sampled.
    pub sampled: u32,
    /// Most lane-steps of a sampled unit.
    pub fuel_max: u64,
    /// Mean lane-steps of the sampled units.
    pub fuel_mean: u64,
    /// Bytes of the largest witness.
    pub witness_max: u64,
    /// Whether the samples saw the data that this launch really starts from.
    pub real_inputs: bool,
}

struct Snap<'a> {
    buffers: &'a Buffers,
    outboards: &'a [Outboard],
}

impl State for Snap<'_> {
    fn buffer(&self, buffer: u16) -> Option<&[u8]> {
        self.buffers.buffer(buffer)
    }
}

impl Snapshot for Snap<'_> {
    fn outboard(&self, buffer: u16) -> Option<&Outboard> {
        self.outboards.get(usize::from(buffer))
    }
}

struct Sampler<'a> {
    job: &'a Job,
    prepared: &'a Prepared,
    sampling: Sampling,
    path: TracePath,
    buffers: Buffers,
    outboards: Vec<Outboard>,
    stale: BTreeSet<u16>,
    reports: Vec<LaunchReport>,
    reasons: Vec<String>,
    /// Launches, in the order written, lines of PTX and rules that were broken there.
    faults: BTreeSet<(usize, u32, &'static str)>,
}

/// Samples every launch of a job.
pub fn sample(job: &Job, sampling: Sampling) -> Result<SampleReport, LocalError> {
    let prepared = local::prepare(job, sampling.fuel)?;
    let states = usize::try_from(job.program.launches()).unwrap_or(0).saturating_add(1);
    let path = trace::trace_path(&vec![Hash::default(); states], 0).unwrap_or_default();
    let outboards = job.program.buffers.iter().map(|buffer| Outboard::zero(buffer.len)).collect();
    let stale = (0u16..)
        .zip(&job.program.buffers)
        .filter(|(_, buffer)| !matches!(buffer.init, Init::Zero))
        .map(|(index, _)| index)
        .collect();
    let mut sampler = Sampler {
        job,
        prepared: &prepared,
        sampling,
        path,
        buffers: local::start(job),
        outboards,
        stale,
        reports: written(job),
        reasons: Vec::new(),
        faults: BTreeSet::new(),
    };
    sampler.launch(0, true)?;
    let summary = sampler.run()?;
    for number in 0..u32::try_from(job.program.launches()).unwrap_or(u32::MAX) {
        sampler.launch(number, false)?;
    }

    let Sampler { reports, mut reasons, mut faults, .. } = sampler;
    if let Some((unit, trap)) = summary.as_ref().and_then(|(_, trap)| trap.as_ref()) {
        let position = position(&job.program, unit.launch).unwrap_or(usize::MAX);
        if faults.insert((position, trap.line, explain::rule(trap.kind))) {
            reasons.push(explain::trap(job, *unit, trap));
        }
    }
    let estimate = reports.iter().fold(0u64, |sum, launch| {
        let all = launch.fuel_mean.saturating_mul(launch.ctas).saturating_mul(launch.times.into());
        sum.saturating_add(all)
    });
    let output_bytes = job.buffers.iter().filter(|buffer| buffer.buffer.output).map(|buffer| buffer.buffer.len).sum();
    Ok(SampleReport {
        verifiable: reasons.is_empty(),
        reasons,
        units: local::units(job),
        lane_steps: summary.as_ref().map_or(estimate, |(lane_steps, _)| *lane_steps),
        complete: summary.is_some(),
        input_bytes: job.input_bytes(),
        output_bytes,
        launches: reports,
    })
}

/// A report for each launch, in the order written, with nothing sampled yet.
fn written(job: &Job) -> Vec<LaunchReport> {
    let mut reports = Vec::new();
    for step in &job.program.steps {
        let (times, launches): (u32, &[Launch]) = match step {
            Step::Launch(launch) => (1, std::slice::from_ref(launch)),
            Step::Repeat { times, launches } => (*times, launches),
        };
        for launch in launches {
            reports.push(LaunchReport {
                launch: u32::try_from(reports.len()).unwrap_or(u32::MAX),
                entry: String::from_utf8_lossy(&launch.entry).into_owned(),
                ctas: launch.ctas(),
                times,
                sampled: 0,
                fuel_max: 0,
                fuel_mean: 0,
                witness_max: 0,
                real_inputs: false,
            });
        }
    }
    reports
}

/// Place, in the order written, of the launch at `number` with repeats counted out.
pub fn position(program: &Program, number: u32) -> Option<usize> {
    let mut left = u64::from(number);
    let mut first = 0usize;
    for step in &program.steps {
        let inside = match step {
            Step::Launch(_) => 1,
            Step::Repeat { launches, .. } => launches.len(),
        };
        if left < step.len() {
            return first.checked_add(usize::try_from(left.checked_rem(inside as u64)?).ok()?);
        }
        left = left.saturating_sub(step.len());
        first = first.saturating_add(inside);
    }
    None
}

impl Sampler<'_> {
    /// Runs the job as far as the time allows and samples each launch when its inputs are there. The lane-steps and the first
    /// fault of the whole run, if it came to its end.
    fn run(&mut self) -> Result<Option<(u64, Option<(Unit, Trap)>)>, LocalError> {
        let control = Control::default();
        let (done, wait) = mpsc::channel::<()>();
        let limit = self.sampling.time;
        let stop = control.clone();
        let timer = std::thread::spawn(move || {
            if wait.recv_timeout(limit).is_err_and(|error| error == mpsc::RecvTimeoutError::Timeout) {
                stop.cancel();
            }
        });
        let prepared = self.prepared;
        let start = self.buffers.clone();
        let outcome = Cpu::default().run(prepared, start, &control, &mut |number, changed| {
            for (buffer, bytes) in changed {
                if let Some(place) = self.buffers.0.get_mut(usize::from(*buffer)) {
                    *place = bytes.clone();
                    self.stale.insert(*buffer);
                }
            }
            let began = Instant::now();
            self.launch(number.saturating_add(1), true).map_err(|error| match error {
                LocalError::Run(error) => error,
                error => RunError::Launch { launch: number, reason: error.to_string() },
            })?;
            tracing::debug!(launch = number.saturating_add(1), took = ?began.elapsed(), "sampled");
            Ok(())
        });
        drop(done);
        let _ = timer.join();
        match outcome {
            Ok(summary) => Ok(Some((summary.lane_steps.unwrap_or(0), summary.trap))),
            Err(RunError::Cancelled) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Samples the launch at `number`, unless that was done already.
    fn launch(&mut self, number: u32, real_inputs: bool) -> Result<(), LocalError> {
        let Some(position) = position(&self.job.program, number) else { return Ok(()) };
        if self.reports.get(position).is_none_or(|report| report.sampled > 0) {
            return Ok(());
        }
        let Some(placed) = self.job.program.launch(number) else { return Ok(()) };
        for buffer in std::mem::take(&mut self.stale) {
            let index = usize::from(buffer);
            if let (Some(bytes), Some(outboard)) = (self.buffers.0.get(index), self.outboards.get_mut(index)) {
                *outboard = Outboard::new(bytes);
            }
        }
        let mut after = self.outboards.clone();
        let Writes::Maps(maps) = &placed.launch.writes;
        for map in maps {
            let index = usize::from(map.buffer);
            if let (Some(bytes), Some(outboard)) = (self.buffers.0.get(index), after.get_mut(index))
                && outboard.blob.is_zero()
            {
                *outboard = Outboard::new(bytes);
            }
        }
        let (mut sampled, mut total, mut most, mut witness_max) = (0u32, 0u64, 0u64, 0u64);
        for cta in ctas(placed.launch, self.sampling.units) {
            let unit = Unit { launch: number, cta };
            let parts = WitnessParts {
                before: &Snap { buffers: &self.buffers, outboards: &self.outboards },
                after: &Snap { buffers: &self.buffers, outboards: &after },
                before_path: self.path.clone(),
                after_path: self.path.clone(),
            };
            let job = self.prepared.job();
            let launch_error = |reason: &str| RunError::Launch { launch: number, reason: reason.to_owned() };
            let outcome = match build_witness(&job, unit, parts) {
                Ok((witness, outcome)) => {
                    witness_max = witness_max.max(witness.encoded_size() as u64);
                    outcome
                }
                Err(BuildError::TooLarge) => {
                    witness_max = u64::from(MAX_WITNESS_BYTES).saturating_add(1);
                    run_cta(&job, unit, &self.buffers, None).map_err(|_| launch_error("there is no such unit"))?.outcome
                }
                Err(error) => return Err(launch_error(&format!("no witness: {error:?}")).into()),
            };
            match outcome {
                Outcome::Done { lane_steps, .. } => {
                    total = total.saturating_add(lane_steps);
                    most = most.max(lane_steps);
                }
                Outcome::Trap(trap) => {
                    // The same line breaks the same rule in many CTAs: one of them is told of.
                    if self.faults.insert((position, trap.line, explain::rule(trap.kind))) && self.reasons.len() < 8 {
                        self.reasons.push(explain::trap(self.job, unit, &trap));
                    }
                }
                Outcome::Incomplete { .. } => {
                    return Err(launch_error("a buffer is shorter than the program says").into());
                }
            }
            sampled = sampled.saturating_add(1);
        }
        if let Some(report) = self.reports.get_mut(position) {
            report.sampled = sampled;
            report.fuel_max = most;
            report.fuel_mean = total.checked_div(sampled.into()).unwrap_or(0);
            report.witness_max = witness_max;
            report.real_inputs = real_inputs;
            if witness_max > u64::from(MAX_WITNESS_BYTES) {
                self.reasons.push(format!(
                    "the witness of a unit of `{}`, launch {number}, has more than {} bytes: let each CTA read and write less",
                    report.entry, MAX_WITNESS_BYTES
                ));
            }
        }
        Ok(())
    }
}

/// CTAs to sample: the corners, and others spread by a fixed generator.
fn ctas(launch: &Launch, count: u32) -> Vec<[u32; 3]> {
    let last = launch.grid.map(|extent| extent.saturating_sub(1));
    let mut chosen = BTreeSet::from([[0, 0, 0], last]);
    let corner = |x: bool, y: bool, z: bool| {
        let [lx, ly, lz] = last;
        [if x { lx } else { 0 }, if y { ly } else { 0 }, if z { lz } else { 0 }]
    };
    for corner in [corner(true, false, false), corner(false, true, false), corner(false, false, true)] {
        chosen.insert(corner);
    }
    let all = launch.ctas();
    let wanted = u64::from(count.max(1)).min(all);
    let mut state = 1u64;
    let mut tries = 0u32;
    while (chosen.len() as u64) < wanted && tries < count.saturating_mul(16) {
        tries = tries.saturating_add(1);
        let mut cta = [0; 3];
        for (place, extent) in cta.iter_mut().zip(launch.grid) {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let drawn = (state >> 33).checked_rem(u64::from(extent)).unwrap_or(0);
            *place = u32::try_from(drawn).unwrap_or(0);
        }
        chosen.insert(cta);
    }
    chosen.into_iter().take(usize::try_from(wanted).unwrap_or(usize::MAX)).collect()
}
