//! Running a job here, without a chain: on the CPU engine, with every check on.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use assay_engine::Trap;
use assay_primitives::{BlobId, Hash, Unit, hash, trace};
use assay_worker::backend::{Backend, Buffers, Control, Cpu, PrepareError, Prepared, RunError};

use crate::job::{Job, Output, image, values::Scalar};

/// Why a job did not run.
#[derive(Debug, thiserror::Error)]
pub enum LocalError {
    /// The program.
    #[error(transparent)]
    Prepare(#[from] PrepareError),
    /// The run.
    #[error(transparent)]
    Run(#[from] RunError),
    /// An output.
    #[error("{}: {error}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
}

/// What a run left.
pub struct LocalRun {
    /// Every buffer after the last launch.
    pub buffers: Vec<Arc<Vec<u8>>>,
    /// Root of the trace, as a provider would commit it.
    pub trace_root: Option<Hash>,
    /// Lane-steps of all units.
    pub lane_steps: u64,
    /// Units.
    pub units: u64,
    /// The first program fault.
    pub trap: Option<(Unit, Trap)>,
    /// How long it took.
    pub took: Duration,
}

/// Units of a program; saturating.
pub fn units(job: &Job) -> u64 {
    let launches = (0u32..).map_while(|index| job.program.launch(index));
    launches.fold(0, |sum, placed| sum.saturating_add(placed.launch.ctas()))
}

/// A job's program with its kernels.
pub fn prepare(job: &Job, fuel: u64) -> Result<Prepared, PrepareError> {
    Prepared::new(job.program.clone(), job.kernels.iter().map(|kernel| kernel.ptx.clone()).collect(), fuel)
}

/// A job's buffers before the first launch.
pub fn start(job: &Job) -> Buffers {
    let buffers = job.buffers.iter().map(|buffer| {
        let zeros = || vec![0; usize::try_from(buffer.buffer.len).unwrap_or(0)];
        Arc::new(buffer.data.clone().unwrap_or_else(zeros))
    });
    Buffers(buffers.collect())
}

/// Runs the whole job. `control` tells how many units are done.
pub fn run(job: &Job, fuel: u64, control: &Control) -> Result<LocalRun, LocalError> {
    let prepared = prepare(job, fuel)?;
    let began = Instant::now();
    let mut buffers = start(job);
    let mut blobs: Vec<BlobId> = trace::initial_state(&job.program);
    let mut states = vec![trace::state_root(&blobs)];
    let current = &mut buffers;
    let summary = Cpu::default().run(&prepared, current.clone(), control, &mut |_, changed| {
        for (buffer, bytes) in changed {
            if let (Some(blob), Some(place)) =
                (blobs.get_mut(usize::from(*buffer)), current.0.get_mut(usize::from(*buffer)))
            {
                *blob = BlobId { root: hash::plain(bytes), len: bytes.len() as u64 };
                *place = bytes.clone();
            }
        }
        states.push(trace::state_root(&blobs));
        Ok(())
    })?;
    Ok(LocalRun {
        buffers: buffers.0,
        trace_root: trace::trace_root(&states),
        lane_steps: summary.lane_steps.unwrap_or(0),
        units: units(job),
        trap: summary.trap,
        took: began.elapsed(),
    })
}

/// An output that was written.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Written {
    /// The buffer.
    pub buffer: String,
    /// The file.
    pub file: PathBuf,
    /// Bytes of the buffer.
    pub len: u64,
    /// Its BLAKE3.
    pub blake3: String,
    /// The first values, for outputs that are shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub values: Option<Vec<String>>,
}

/// Values that are shown of an output.
const SHOWN: usize = 8;

/// Writes an output as its job file wants it.
pub fn write_output(folder: &Path, name: &str, output: &Output, bytes: &[u8]) -> Result<Written, LocalError> {
    let file = folder.join(&output.file);
    let failed = |error| LocalError::Write { path: file.clone(), error };
    if let Some(parent) = file.parent() {
        std::fs::create_dir_all(parent).map_err(failed)?;
    }
    match output.image {
        Some((format, width, height)) => image::write(&file, format, width, height, bytes).map_err(failed)?,
        None => std::fs::write(&file, bytes).map_err(failed)?,
    }
    Ok(Written {
        buffer: name.to_owned(),
        len: bytes.len() as u64,
        blake3: hex::encode(hash::plain(bytes)),
        values: output.show.map(|scalar| first_values(scalar, bytes)),
        file,
    })
}

fn first_values(scalar: Scalar, bytes: &[u8]) -> Vec<String> {
    let elements = bytes.chunks_exact(scalar.size());
    let mut values: Vec<String> = elements.take(SHOWN).map(|element| scalar.show(element)).collect();
    if bytes.len() / scalar.size() > SHOWN {
        values.push("…".into());
    }
    values
}
