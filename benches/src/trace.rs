//! Honest traces of jobs, in memory.

use anyhow::{Context, anyhow};
use assay_audit::Trace;
use assay_engine::Module;
use assay_kernels::Job;
use assay_primitives::Unit;

/// Fuel of one unit, as the runtime has it.
pub const FUEL: u64 = 20_000_000;

/// A job's kernels, parsed.
pub fn modules(job: &Job) -> anyhow::Result<Vec<Module>> {
    let parse = |ptx: &&[u8]| Module::parse(ptx).map_err(|error| anyhow!("line {}: {}", error.line, error.reason));
    job.kernels.iter().map(parse).collect()
}

/// The trace of a job, every unit of which has to run to its end.
pub fn of(job: &Job) -> anyhow::Result<Trace> {
    let trace = Trace::run(job.program.clone(), modules(job)?, job.buffers.clone(), FUEL)?;
    match trace.trap {
        None => Ok(trace),
        Some((unit, trap)) => Err(anyhow!("{}: {unit:?}: {trap:?}", job.name)),
    }
}

/// The units of a launch.
pub fn units(trace: &Trace, launch: u32) -> Vec<Unit> {
    trace.units().skip_while(|unit| unit.launch < launch).take_while(|unit| unit.launch == launch).collect()
}

/// A unit of the first launch away from the edges.
pub fn middle_unit(trace: &Trace) -> anyhow::Result<Unit> {
    let units = units(trace, 0);
    units.get(units.len() / 2).copied().context("a launch without units")
}
