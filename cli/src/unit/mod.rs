//! One unit by itself, watched: what it reads and writes, each instruction, and who broke a rule with whom.

mod memory;
mod story;
mod trace;

use assay_engine::{
    Argument, Geometry, Kernel, LaunchError, Module, Outcome,
    trace::{Event, Space},
};
use assay_primitives::{Arg, Launch, Program, Unit};
use assay_worker::backend::{Backend, Buffers, Control, Cpu, Prepared, RunError};

pub use memory::{Ranges, Rule, Watched, push};
pub use story::{Party, Story, tell};
pub use trace::{Line, Printer, Shown};

/// A unit ready to run.
pub struct Ready<'a> {
    /// Its launch.
    pub launch: &'a Launch,
    kernel: &'a Kernel,
    geometry: Geometry,
    args: Vec<Argument>,
    cta: [u32; 3],
}

impl<'a> Ready<'a> {
    /// `None` where the program has no such unit.
    pub fn new(program: &'a Program, modules: &'a [Module], unit: Unit) -> Option<Self> {
        let placed = program.launch(unit.launch)?;
        let launch = placed.launch;
        if unit.cta.iter().zip(launch.grid).any(|(at, size)| *at >= size) {
            return None;
        }
        let entry = modules.get(usize::from(launch.kernel))?.entry(std::str::from_utf8(&launch.entry).ok()?)?;
        let kernel = entry.kernel.as_ref().ok()?;
        let args = launch
            .args
            .iter()
            .zip(&entry.params)
            .map(|(arg, param)| argument(arg, param.size, placed.iteration))
            .collect();
        let geometry = Geometry { grid: launch.grid, block: launch.block, shared: launch.shared };
        Some(Self { launch, kernel, geometry, args, cta: unit.cta })
    }

    /// Runs it.
    pub fn run(&self, memory: &mut Watched<'_>, fuel: u64, key: Option<&[u8; 32]>) -> Result<Outcome, LaunchError> {
        self.kernel.run(&self.geometry, &self.args, self.cta, memory, fuel, key)
    }

    /// Runs it and tells of every step.
    pub fn trace(
        &self,
        memory: &mut Watched<'_>,
        fuel: u64,
        key: Option<&[u8; 32]>,
        tracer: &mut dyn FnMut(Event),
    ) -> Result<Outcome, LaunchError> {
        self.kernel.trace(&self.geometry, &self.args, self.cta, memory, fuel, key, tracer)
    }
}

fn argument(arg: &Arg, size: u32, iteration: u32) -> Argument {
    Argument::Bytes(match arg {
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
    })
}

/// The buffers as `launch` finds them, after running those before it.
pub fn before(prepared: &Prepared, start: Buffers, launch: u32, control: &Control) -> Result<Buffers, RunError> {
    let Some(last) = launch.checked_sub(1) else { return Ok(start) };
    let mut buffers = start.clone();
    let mut reached = false;
    let outcome = Cpu::default().run(prepared, start, control, &mut |number, changed| {
        for (buffer, bytes) in changed {
            if let Some(place) = buffers.0.get_mut(usize::from(*buffer)) {
                *place = bytes.clone();
            }
        }
        reached = number == last;
        if reached { Err(RunError::Cancelled) } else { Ok(()) }
    });
    match outcome {
        Err(error) if !reached => Err(error),
        _ => Ok(buffers),
    }
}

/// The thread at a place of a block, x first.
pub fn thread_at(block: [u32; 3], linear: u32) -> [u32; 3] {
    let [x, y, _] = block;
    let row = linear.checked_div(x).unwrap_or(0);
    [linear.checked_rem(x).unwrap_or(0), row.checked_rem(y).unwrap_or(0), row.checked_div(y).unwrap_or(0)]
}

/// The lanes of a mask.
pub fn lanes(mask: u32) -> impl Iterator<Item = usize> {
    (0..32usize).filter(move |lane| mask >> lane & 1 == 1)
}

/// Whether memory can answer for a byte at all.
fn inside(memory: &Watched<'_>, space: Space, offset: u64) -> bool {
    match space {
        Space::Buffer(buffer) => memory.len(buffer).is_some_and(|len| offset < len),
        _ => true,
    }
}

#[cfg(test)]
mod tests;
