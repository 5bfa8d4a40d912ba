//! States of a program held whole, and the trace they make.

use assay_audit::{Job, Snapshot, State, Verdict, WitnessError, WitnessParts, build_witness, judge, run_cta};
use assay_engine::{Module, Outcome};
use assay_primitives::{
    Hash, Program, Unit,
    audit::{unit_at, unit_count},
    slice::Outboard,
    trace::{state_root, trace_path, trace_root},
    witness::Witness,
};

/// One state.
#[derive(Clone)]
pub(crate) struct Held {
    pub(crate) buffers: Vec<Vec<u8>>,
    pub(crate) outboards: Vec<Outboard>,
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

impl Held {
    pub(crate) fn new(buffers: Vec<Vec<u8>>) -> Self {
        Self { outboards: buffers.iter().map(|bytes| Outboard::new(bytes)).collect(), buffers }
    }

    fn root(&self) -> Hash {
        state_root(&self.outboards.iter().map(|outboard| outboard.blob).collect::<Vec<_>>())
    }
}

/// An honest run of a whole program.
pub(crate) struct Trace {
    pub(crate) program: Program,
    pub(crate) modules: Vec<Module>,
    pub(crate) states: Vec<Held>,
    pub(crate) fuel: u64,
}

impl Trace {
    /// Runs launch after launch; units that trap leave nothing.
    pub(crate) fn run(program: Program, modules: Vec<Module>, start: Held, fuel: u64) -> Self {
        let mut trace = Self { program, modules, states: vec![start], fuel };
        for launch in 0..trace.program.launches() as u32 {
            let before = &trace.states[launch as usize];
            let mut buffers = before.buffers.clone();
            for unit in trace.units().filter(|unit| unit.launch == launch) {
                let Ok(run) = run_cta(&trace.job(), unit, before, None) else { continue };
                for effect in run.effects {
                    let at = effect.offset as usize;
                    buffers[usize::from(effect.buffer)][at..at + effect.bytes.len()].copy_from_slice(&effect.bytes);
                }
            }
            let after = Held::new(buffers);
            trace.states.push(after);
        }
        trace
    }

    pub(crate) fn job(&self) -> Job<'_> {
        Job { program: &self.program, modules: &self.modules, fuel: self.fuel }
    }

    pub(crate) fn units(&self) -> impl Iterator<Item = Unit> + '_ {
        (0..unit_count(&self.program)).filter_map(|index| unit_at(&self.program, index))
    }

    pub(crate) fn witness(&self, unit: Unit) -> (Witness, Outcome) {
        let roots: Vec<Hash> = self.states.iter().map(Held::root).collect();
        let at = unit.launch as usize;
        let parts = WitnessParts {
            before: &self.states[at],
            after: &self.states[at + 1],
            before_path: trace_path(&roots, unit.launch).unwrap(),
            after_path: trace_path(&roots, unit.launch + 1).unwrap(),
        };
        build_witness(&self.job(), unit, parts).unwrap()
    }

    pub(crate) fn judge(&self, unit: Unit, witness: &Witness, key: Option<&Hash>) -> Result<Verdict, WitnessError> {
        let roots: Vec<Hash> = self.states.iter().map(Held::root).collect();
        judge(&self.job(), &trace_root(&roots).unwrap(), unit, witness, key)
    }
}
