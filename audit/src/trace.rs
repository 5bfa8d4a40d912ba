//! A whole run of a program with every state in memory: what a provider commits, for tests and benches, where jobs are small.

use crate::{
    judge::{Verdict, WitnessError, judge},
    unit::{Job, Run, State, run_cta},
    witness::{BuildError, Snapshot, WitnessParts, build},
};
use alloc::{sync::Arc, vec::Vec};
use assay_engine::{Module, Outcome, Trap};
use assay_primitives::{
    Hash, Init, Program, Unit,
    audit::{unit_at, unit_count},
    slice::Outboard,
    trace::{state_root, trace_path, trace_root},
    witness::Witness,
};

/// One state: its buffers' bytes, and what proves ranges of them.
#[derive(Clone)]
pub struct Held {
    /// The bytes.
    pub buffers: Vec<Arc<Vec<u8>>>,
    /// One per buffer.
    pub outboards: Vec<Arc<Outboard>>,
}

impl State for Held {
    fn buffer(&self, buffer: u16) -> Option<&[u8]> {
        self.buffers.get(usize::from(buffer)).map(|bytes| bytes.as_slice())
    }
}

impl Snapshot for Held {
    fn outboard(&self, buffer: u16) -> Option<&Outboard> {
        self.outboards.get(usize::from(buffer)).map(Arc::as_ref)
    }
}

impl Held {
    /// State 0 of `program`, whose buffers hold `buffers`.
    pub fn start(program: &Program, buffers: Vec<Vec<u8>>) -> Self {
        let outboards = program.buffers.iter().zip(&buffers).map(|(buffer, bytes)| match buffer.init {
            Init::Zero => Outboard::zero(buffer.len),
            Init::Blob(_) => Outboard::new(bytes),
        });
        Self { outboards: outboards.map(Arc::new).collect(), buffers: buffers.into_iter().map(Arc::new).collect() }
    }

    /// Writes, and hashes the buffer again. Nothing happens outside a buffer.
    pub fn write(&mut self, buffer: u16, offset: u64, bytes: &[u8]) {
        self.put(buffer, offset, bytes);
        self.hash(buffer);
    }

    fn put(&mut self, buffer: u16, offset: u64, bytes: &[u8]) {
        let place = usize::try_from(offset).ok().and_then(|at| {
            let held = Arc::make_mut(self.buffers.get_mut(usize::from(buffer))?);
            held.get_mut(at..at.checked_add(bytes.len())?)
        });
        if let Some(place) = place {
            place.copy_from_slice(bytes);
        }
    }

    /// Hashes a buffer that was changed.
    pub fn hash(&mut self, buffer: u16) {
        let buffer = usize::from(buffer);
        if let (Some(outboard), Some(bytes)) = (self.outboards.get_mut(buffer), self.buffers.get(buffer)) {
            *outboard = Arc::new(Outboard::new(bytes));
        }
    }

    /// The state's root.
    pub fn root(&self) -> Hash {
        state_root(&self.outboards.iter().map(|outboard| outboard.blob).collect::<Vec<_>>())
    }
}

/// A program with the states of an honest run.
#[derive(Clone)]
pub struct Trace {
    /// The program.
    pub program: Program,
    /// Its kernels.
    pub modules: Arc<Vec<Module>>,
    /// Fuel of one unit.
    pub fuel: u64,
    /// One more than launches.
    pub states: Vec<Held>,
    /// Lane-steps of all units that ran to their end.
    pub lane_steps: u64,
    /// The first unit that broke a rule. Such units leave nothing.
    pub trap: Option<(Unit, Trap)>,
}

/// Why there is no run or no witness.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TraceError {
    /// The program has no such unit, or no such entry.
    NoUnit(Unit),
    /// Too many launches, or none of that number.
    NoState,
    /// The witness.
    Build(BuildError),
}

impl Trace {
    /// Runs every unit of every launch, on all cores.
    pub fn run(program: Program, modules: Vec<Module>, buffers: Vec<Vec<u8>>, fuel: u64) -> Result<Self, TraceError> {
        let states = alloc::vec![Held::start(&program, buffers)];
        let mut trace = Self { program, modules: Arc::new(modules), fuel, states, lane_steps: 0, trap: None };
        let mut units = trace.units().collect::<Vec<_>>().into_iter().peekable();
        while let Some(first) = units.next() {
            let mut launch = alloc::vec![first];
            launch.extend(core::iter::from_fn(|| units.next_if(|unit| unit.launch == first.launch)));
            trace.launch(&launch)?;
        }
        Ok(trace)
    }

    fn launch(&mut self, units: &[Unit]) -> Result<(), TraceError> {
        let before = self.states.last().ok_or(TraceError::NoState)?;
        let mut after = before.clone();
        let mut changed = alloc::collections::BTreeSet::new();
        let (mut lane_steps, mut trap) = (self.lane_steps, self.trap.take());
        for (unit, run) in self.runs(units, before) {
            let run = run?;
            for effect in run.effects {
                after.put(effect.buffer, effect.offset, &effect.bytes);
                changed.insert(effect.buffer);
            }
            match run.outcome {
                Outcome::Done { lane_steps: steps, .. } => lane_steps = lane_steps.saturating_add(steps),
                Outcome::Trap(found) => trap = trap.or(Some((unit, found))),
                Outcome::Incomplete { .. } => return Err(TraceError::NoState),
            }
        }
        changed.into_iter().for_each(|buffer| after.hash(buffer));
        (self.lane_steps, self.trap) = (lane_steps, trap);
        self.states.push(after);
        Ok(())
    }

    fn runs(&self, units: &[Unit], before: &Held) -> Vec<(Unit, Result<Run, TraceError>)> {
        let job = self.job();
        let run = |unit: &Unit| (*unit, run_cta(&job, *unit, before, None).map_err(|_| TraceError::NoUnit(*unit)));
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        if units.len() < cores {
            return units.iter().map(run).collect();
        }
        std::thread::scope(|scope| {
            let parts: Vec<_> = units
                .chunks(units.len().div_ceil(cores).max(1))
                .map(|part| scope.spawn(move || part.iter().map(run).collect::<Vec<_>>()))
                .collect();
            parts
                .into_iter()
                .flat_map(|part| part.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
                .collect()
        })
    }

    /// For running and judging.
    pub fn job(&self) -> Job<'_> {
        Job { program: &self.program, modules: &self.modules, fuel: self.fuel }
    }

    /// All units, in the program's order.
    pub fn units(&self) -> impl Iterator<Item = Unit> + '_ {
        (0..unit_count(&self.program)).map_while(|index| unit_at(&self.program, index))
    }

    /// The state before launch `index`.
    pub fn state(&self, index: u32) -> Result<&Held, TraceError> {
        usize::try_from(index).ok().and_then(|index| self.states.get(index)).ok_or(TraceError::NoState)
    }

    /// The roots of the states.
    pub fn roots(&self) -> Vec<Hash> {
        self.states.iter().map(Held::root).collect()
    }

    /// The trace root.
    pub fn root(&self) -> Result<Hash, TraceError> {
        trace_root(&self.roots()).ok_or(TraceError::NoState)
    }

    /// The witness of a unit, and how the unit ended.
    pub fn witness(&self, unit: Unit) -> Result<(Witness, Outcome), TraceError> {
        let next = unit.launch.saturating_add(1);
        let roots = self.roots();
        let parts = WitnessParts {
            before: self.state(unit.launch)?,
            after: self.state(next)?,
            before_path: trace_path(&roots, unit.launch).ok_or(TraceError::NoState)?,
            after_path: trace_path(&roots, next).ok_or(TraceError::NoState)?,
        };
        build(&self.job(), unit, parts).map_err(TraceError::Build)
    }

    /// The verdict on a unit.
    pub fn judge(&self, unit: Unit, witness: &Witness, key: Option<&Hash>) -> Result<Verdict, WitnessError> {
        let root = self.root().map_err(|_| WitnessError::Path)?;
        judge(&self.job(), &root, unit, witness, key)
    }
}

impl core::fmt::Display for TraceError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::NoUnit(unit) => write!(f, "no unit {:?} of launch {}", unit.cta, unit.launch),
            Self::NoState => f.write_str("no such state"),
            Self::Build(error) => write!(f, "no witness: {error:?}"),
        }
    }
}

impl core::error::Error for TraceError {}
