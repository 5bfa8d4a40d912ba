//! What runs programs: the CPU engine, or a GPU through the CUDA driver. Both take the same PTX and leave the same bytes.

mod compare;
mod cpu;
pub mod cuda;
mod prepare;

pub use compare::{Compared, compare};
pub use cpu::Cpu;
pub use prepare::{PrepareError, Prepared};

use assay_audit::State;
use assay_engine::Trap;
use assay_primitives::{Unit, Writes};
use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

/// The buffers of one state, in memory. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct Buffers(pub Vec<Arc<Vec<u8>>>);

impl State for Buffers {
    fn buffer(&self, buffer: u16) -> Option<&[u8]> {
        self.0.get(usize::from(buffer)).map(|bytes| bytes.as_slice())
    }
}

/// A buffer that a launch has changed, and its bytes after it.
pub type Changed = (u16, Arc<Vec<u8>>);

/// How far a run is, and whether it should go on. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Control {
    inner: Arc<(AtomicBool, AtomicU64)>,
}

impl Control {
    /// Asks the run to stop.
    pub fn cancel(&self) {
        self.inner.0.store(true, Ordering::Relaxed);
    }

    /// Whether the run was asked to stop.
    pub fn is_cancelled(&self) -> bool {
        self.inner.0.load(Ordering::Relaxed)
    }

    /// Units that are done.
    pub fn units(&self) -> u64 {
        self.inner.1.load(Ordering::Relaxed)
    }

    fn done(&self, units: u64) {
        self.inner.1.fetch_add(units, Ordering::Relaxed);
    }
}

/// What a whole run came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Lane-steps of all units, where the backend counts them.
    pub lane_steps: Option<u64>,
    /// The first unit that broke a rule of the engine, in the program's order. It has left its bytes as they were.
    pub trap: Option<(Unit, Trap)>,
}

/// Why a run ended early.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// It was asked to stop.
    #[error("the run was stopped")]
    Cancelled,
    /// The program and the buffers do not fit.
    #[error("launch {launch} cannot run: {reason}")]
    Launch {
        /// The launch.
        launch: u32,
        /// Why.
        reason: String,
    },
    /// The device failed.
    #[error("the GPU failed in launch {launch}: {reason}")]
    Device {
        /// The launch.
        launch: u32,
        /// The driver's words.
        reason: String,
    },
    /// What a launch left could not be kept.
    #[error(transparent)]
    Keep(#[from] crate::blobs::StoreError),
}

/// What takes the buffers that a launch has changed.
pub type Keep<'a> = dyn FnMut(u32, &[Changed]) -> Result<(), RunError> + 'a;

/// Something that runs programs.
pub trait Backend: Send + Sync {
    /// Name for logs, such as `cpu (8 threads)`.
    fn name(&self) -> String;

    /// Runs every launch, in order, from `start`. After each, `keep` gets its number and the buffers whose bytes it changed.
    fn run(&self, job: &Prepared, start: Buffers, control: &Control, keep: &mut Keep<'_>) -> Result<Summary, RunError>;
}

/// The buffers that a launch may write, ascending.
pub(crate) fn written(writes: &Writes) -> Vec<u16> {
    let Writes::Maps(maps) = writes;
    let mut buffers: Vec<u16> = maps.iter().map(|map| map.buffer).collect();
    buffers.sort_unstable();
    buffers.dedup();
    buffers
}

/// The CTA at `index` of a grid, x first.
pub(crate) fn cta_at(grid: [u32; 3], index: u64) -> Option<[u32; 3]> {
    let [width, height, _] = grid.map(u64::from);
    let x = index.checked_rem(width)?;
    let rest = index.checked_div(width)?;
    let (y, z) = (rest.checked_rem(height)?, rest.checked_div(height)?);
    Some([u32::try_from(x).ok()?, u32::try_from(y).ok()?, u32::try_from(z).ok()?])
}
