//! Watching a unit run, instruction by instruction. Compiled in with the feature `trace` alone; a run without a tracer
//! takes the same code as without the feature.

use crate::{Argument, Geometry, Kernel, LaunchError, Memory, Outcome, exec};

/// Where an access leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Space {
    /// Shared memory of the CTA.
    Shared,
    /// Local memory of the thread.
    Local,
    /// Parameters.
    Param,
    /// Constants and initialised variables of the module.
    Table,
    /// A buffer.
    Buffer(u16),
}

/// What an access does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccessKind {
    /// Reads.
    Load,
    /// Writes.
    Store,
    /// Reads and writes, in an order that does not matter.
    Reduce,
}

/// Results of one instruction in the lanes of a warp; what inactive lanes hold means nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Values {
    /// Of 32 bits or fewer.
    Words([u32; 32]),
    /// Of 64 bits.
    Doubles([u64; 32]),
    /// Predicates, a bit for each lane.
    Bits(u32),
}

/// The lanes of a warp that do something together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Line of the PTX, from 1.
    pub line: u32,
    /// Number of the warp; thread `32 * warp + lane` of the CTA, x first.
    pub warp: u32,
    /// Active lanes, a bit for each.
    pub lanes: u32,
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(clippy::large_enum_variant)] // Handed on one at a time, never kept in numbers.
pub enum Event {
    /// An instruction is about to touch memory.
    Access {
        /// Where.
        place: Place,
        /// What it does.
        kind: AccessKind,
        /// Bytes of each lane.
        bytes: u32,
        /// By lane; `None` where the lane is not active or the address leads nowhere.
        addresses: [Option<(Space, u64)>; 32],
    },
    /// An instruction ran. A PTX instruction may be several of these with one line; each adds to the results.
    Step {
        /// Where.
        place: Place,
        /// What it wrote to registers, or stored.
        results: [Option<Values>; 4],
    },
    /// All threads of the CTA passed a barrier.
    Barrier,
    /// All live threads of the warp passed a barrier of the warp.
    WarpBarrier {
        /// Number of the warp.
        warp: u32,
    },
}

/// Is told what happens.
pub type Tracer<'a> = &'a mut dyn FnMut(Event);

impl Kernel {
    /// As [`Kernel::run`], and tells `tracer` of every step.
    #[allow(clippy::too_many_arguments)]
    pub fn trace(
        &self,
        geometry: &Geometry,
        args: &[Argument],
        cta: [u32; 3],
        memory: &mut impl Memory,
        fuel: u64,
        key: Option<&[u8; 32]>,
        tracer: Tracer<'_>,
    ) -> Result<Outcome, LaunchError> {
        exec::trace(&self.code, self.max_threads, &self.params, geometry, args, cta, memory, fuel, key, tracer)
    }
}

/// Where a generic address leads, if anywhere.
pub fn locate(address: u64) -> Option<(Space, u64)> {
    exec::locate(address)
}
