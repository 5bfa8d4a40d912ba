//! Honest traces of jobs, in memory.

use anyhow::{Context, anyhow};
use assay_audit::{Job as AuditJob, Snapshot, State, WitnessParts, build_witness, run_cta};
use assay_engine::{Module, Outcome};
use assay_kernels::Job;
use assay_primitives::{
    Hash, Init, Unit,
    audit::{unit_at, unit_count},
    slice::Outboard,
    trace::{state_root, trace_path, trace_root},
    witness::Witness,
};

/// Lane-steps one unit may take.
pub const FUEL: u64 = 20_000_000;

/// One state, held whole.
#[derive(Clone)]
pub struct Held {
    buffers: Vec<Vec<u8>>,
    outboards: Vec<Outboard>,
}

impl State for Held {
    fn buffer(&self, buffer: u16) -> Option<&[u8]> {
        self.buffers.get(usize::from(buffer)).map(Vec::as_slice)
    }
}

impl Snapshot for Held {
    fn outboard(&self, buffer: u16) -> Option<&Outboard> {
        self.outboards.get(usize::from(buffer))
    }
}

/// The states of the first two launches of a job: enough for units of the first.
pub struct Trace<'a> {
    job: &'a Job,
    modules: Vec<Module>,
    states: Vec<Held>,
    roots: Vec<Hash>,
}

/// A job's kernels, parsed.
pub fn modules(job: &Job) -> anyhow::Result<Vec<Module>> {
    let parse = |ptx: &&[u8]| Module::parse(ptx).map_err(|error| anyhow!("line {}: {}", error.line, error.reason));
    job.kernels.iter().map(parse).collect()
}

impl<'a> Trace<'a> {
    /// Runs the first launch. The states after it are copies: nothing here judges them.
    pub fn of(job: &'a Job) -> anyhow::Result<Self> {
        let modules = modules(job)?;
        let outboards = job
            .program
            .buffers
            .iter()
            .zip(&job.buffers)
            .map(|(buffer, bytes)| match buffer.init {
                Init::Zero => Outboard::zero(buffer.len),
                Init::Blob(_) => Outboard::new(bytes),
            })
            .collect();
        let start = Held { buffers: job.buffers.clone(), outboards };
        let mut trace = Self { job, modules, states: vec![start], roots: Vec::new() };
        let mut after = trace.state(0)?.clone();
        for unit in trace.first_units(usize::MAX)? {
            let run = run_cta(&trace.job(), unit, trace.state(0)?, None).map_err(|_| anyhow!("no unit {unit:?}"))?;
            anyhow::ensure!(matches!(run.outcome, Outcome::Done { .. }), "{}: {:?}", job.name, run.outcome);
            for effect in run.effects {
                let at = usize::try_from(effect.offset)?;
                after
                    .buffers
                    .get_mut(usize::from(effect.buffer))
                    .and_then(|bytes| bytes.get_mut(at..at.checked_add(effect.bytes.len())?))
                    .context("an effect outside its buffer")?
                    .copy_from_slice(&effect.bytes);
            }
        }
        after.outboards = after
            .buffers
            .iter()
            .zip(&trace.state(0)?.buffers)
            .zip(&trace.state(0)?.outboards)
            .map(|((new, old), outboard)| if new == old { outboard.clone() } else { Outboard::new(new) })
            .collect();
        trace.states.push(after);
        let root = |state: &Held| state_root(&state.outboards.iter().map(|outboard| outboard.blob).collect::<Vec<_>>());
        let (first, rest) = (root(trace.state(0)?), root(trace.state(1)?));
        let launches = usize::try_from(job.program.launches())?;
        trace.roots = std::iter::once(first).chain(std::iter::repeat_n(rest, launches)).collect();
        Ok(trace)
    }

    /// For running and judging.
    pub fn job(&self) -> AuditJob<'_> {
        AuditJob { program: &self.job.program, modules: &self.modules, fuel: FUEL }
    }

    /// The state before launch `index`.
    pub fn state(&self, index: u32) -> anyhow::Result<&Held> {
        self.states.get(usize::try_from(index)?).context("only the first launch is here")
    }

    /// The trace root.
    pub fn root(&self) -> anyhow::Result<Hash> {
        trace_root(&self.roots).context("too many states")
    }

    /// The first units, at most `limit`, all of the first launch.
    pub fn first_units(&self, limit: usize) -> anyhow::Result<Vec<Unit>> {
        let program = &self.job.program;
        Ok((0..unit_count(program))
            .map_while(|index| unit_at(program, index))
            .take_while(|unit| unit.launch == 0)
            .take(limit)
            .collect())
    }

    /// A unit away from the edges.
    pub fn middle_unit(&self) -> anyhow::Result<Unit> {
        let units = self.first_units(usize::MAX)?;
        units.get(units.len() / 2).copied().context("a launch without units")
    }

    /// The witness of a unit of the first launch.
    pub fn witness(&self, unit: Unit) -> anyhow::Result<Witness> {
        let next = unit.launch.saturating_add(1);
        let parts = WitnessParts {
            before: self.state(unit.launch)?,
            after: self.state(next)?,
            before_path: trace_path(&self.roots, unit.launch).context("no path")?,
            after_path: trace_path(&self.roots, next).context("no path")?,
        };
        let (witness, _) = build_witness(&self.job(), unit, parts).map_err(|error| anyhow!("{error:?}"))?;
        Ok(witness)
    }
}
