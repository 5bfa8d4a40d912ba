//! One unit in its place: its kernel, geometry and arguments, and the run over whole buffers.

use crate::{
    memory::CtaMemory,
    source::{Source, Whole},
};
use alloc::{vec, vec::Vec};
use assay_engine::{Argument, Geometry, Kernel, Module, Outcome, Spare};
use assay_primitives::{Arg, Launch, Program, Unit};

/// A program with its kernels parsed, in the program's order.
#[derive(Clone, Copy)]
pub struct Job<'a> {
    /// The program; must have passed [`assay_primitives::check::check`].
    pub program: &'a Program,
    /// One per kernel of the program.
    pub modules: &'a [Module],
    /// Lane-steps one unit may take.
    pub fuel: u64,
}

/// The program has no such unit, or its kernel no such entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoUnit;

/// The buffers of one state, for those who hold them whole.
pub trait State: Sync {
    /// Bytes of `buffer`.
    fn buffer(&self, buffer: u16) -> Option<&[u8]>;
}

/// How a unit ran over whole buffers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// How it ended.
    pub outcome: Outcome,
    /// What it stored; empty unless it ran to its end.
    pub effects: Vec<Effect>,
}

/// Bytes that one unit stored, side by side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Effect {
    /// The buffer.
    pub buffer: u16,
    /// Offset of the first byte.
    pub offset: u64,
    /// The bytes.
    pub bytes: Vec<u8>,
}

/// A unit ready to run.
pub(crate) struct Placed<'a> {
    pub kernel: &'a Kernel,
    pub launch: &'a Launch,
    geometry: Geometry,
    args: Vec<Argument>,
    unit: Unit,
}

impl<'a> Placed<'a> {
    pub fn new(job: &Job<'a>, unit: Unit) -> Result<Self, NoUnit> {
        let placed = job.program.launch(unit.launch).ok_or(NoUnit)?;
        let launch = placed.launch;
        is_inside(launch, unit)?;
        let name = core::str::from_utf8(&launch.entry).map_err(|_| NoUnit)?;
        let module = job.modules.get(usize::from(launch.kernel)).ok_or(NoUnit)?;
        let entry = module.entry(name).ok_or(NoUnit)?;
        let kernel = entry.kernel.as_ref().map_err(|_| NoUnit)?;
        if entry.params.len() != launch.args.len() {
            return Err(NoUnit);
        }
        let args = launch
            .args
            .iter()
            .zip(&entry.params)
            .map(|(arg, param)| argument(arg, param.size, placed.iteration))
            .collect();
        let geometry = Geometry { grid: launch.grid, block: launch.block, shared: launch.shared };
        Ok(Self { kernel, launch, geometry, args, unit })
    }

    /// Another unit of the same launch.
    fn moved(mut self, unit: Unit) -> Result<Self, NoUnit> {
        is_inside(self.launch, unit)?;
        self.unit = unit;
        Ok(self)
    }

    /// Runs the unit over `source`; the memory holds what it leaves.
    pub fn run<S: Source>(
        &self,
        source: S,
        fuel: u64,
        key: Option<&[u8; 32]>,
    ) -> Result<(Outcome, CtaMemory<S>), NoUnit> {
        self.run_again(&mut Spare::default(), source, fuel, key)
    }

    fn run_again<S: Source>(
        &self,
        spare: &mut Spare,
        source: S,
        fuel: u64,
        key: Option<&[u8; 32]>,
    ) -> Result<(Outcome, CtaMemory<S>), NoUnit> {
        let cta = self.unit.cta;
        let mut memory = CtaMemory::new(self.launch, cta, source)?;
        let outcome = self
            .kernel
            .run_again(spare, &self.geometry, &self.args, cta, &mut memory, fuel, key)
            .map_err(|_| NoUnit)?;
        Ok((outcome, memory))
    }
}

fn is_inside(launch: &Launch, unit: Unit) -> Result<(), NoUnit> {
    let outside = unit.cta.iter().zip(launch.grid).any(|(place, size)| *place >= size);
    if outside { Err(NoUnit) } else { Ok(()) }
}

fn argument(arg: &Arg, size: u32, iteration: u32) -> Argument {
    let bytes: Vec<u8> = match arg {
        Arg::Buffer { index, offset } => return Argument::Buffer { index: *index, offset: *offset },
        Arg::U8(value) => vec![*value],
        Arg::U16(value) => value.to_le_bytes().to_vec(),
        Arg::U32(value) | Arg::F32(value) => value.to_le_bytes().to_vec(),
        Arg::U64(value) | Arg::F64(value) => value.to_le_bytes().to_vec(),
        Arg::Bytes(bytes) => bytes.to_vec(),
        Arg::Record { bytes, pointers } => {
            let pointers = pointers.iter().map(|pointer| (pointer.at.into(), pointer.index, pointer.offset)).collect();
            return Argument::Record(bytes.to_vec(), pointers);
        }
        Arg::Iteration => {
            let mut bytes = u64::from(iteration).to_le_bytes().to_vec();
            bytes.truncate(usize::try_from(size).unwrap_or(usize::MAX));
            bytes
        }
    };
    Argument::Bytes(bytes)
}

/// Runs units one after the other over whole states. What units of a launch have in common is made once, and memory is used again.
pub struct Runner<'a> {
    job: Job<'a>,
    placed: Option<Placed<'a>>,
    spare: Spare,
}

impl<'a> Runner<'a> {
    /// Nothing has run yet.
    pub fn new(job: Job<'a>) -> Self {
        Self { job, placed: None, spare: Spare::default() }
    }

    /// As [`run_cta`].
    pub fn run(&mut self, unit: Unit, before: &dyn State, key: Option<&[u8; 32]>) -> Result<Run, NoUnit> {
        let placed = match self.placed.take() {
            Some(placed) if placed.unit.launch == unit.launch => placed.moved(unit)?,
            _ => Placed::new(&self.job, unit)?,
        };
        let (outcome, memory) = placed.run_again(&mut self.spare, Whole::new(before), self.job.fuel, key)?;
        self.placed = Some(placed);
        let effects = if matches!(outcome, Outcome::Done { .. }) { memory.into_effects() } else { Vec::new() };
        Ok(Run { outcome, effects })
    }
}

/// Runs one unit over the whole state before its launch. The effects of all units of a launch are disjoint: applied to a
/// copy of that state, in any order, they give the next.
pub fn run_cta(job: &Job<'_>, unit: Unit, before: &dyn State, key: Option<&[u8; 32]>) -> Result<Run, NoUnit> {
    Runner::new(*job).run(unit, before, key)
}
