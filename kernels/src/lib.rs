//! CUDA kernels with their PTX, programs around them, and host references that agree to the last bit.
//!
//! ```text
//! cuda/*.cu ─nvcc─▶ ptx/*.ptx ─▶ Job { program, buffers, expected } ◀─ reference in Rust
//! ```
//!
//! The six kernels of the job files have a module each; [`suite`] holds many small ones over the families in use. All of
//! them are ordinary CUDA. A [`Job`] is what tests, benches and the demo run: its program, what its buffers hold at the
//! start, and what the reference says they hold at the end.

mod draft;
mod exact;
mod job;
mod maths;

pub mod blur;
pub mod data;
pub mod heat;
pub mod matmul_f32;
pub mod matmul_int8;
pub mod montecarlo;
pub mod philox;
pub mod sha256;
pub mod suite;

pub use draft::{LaunchDraft, ProgramDraft};
pub use job::{Job, JobError};

/// The jobs that the job files beside the kernels describe, with the same inputs.
pub fn job_files() -> Result<Vec<Job>, JobError> {
    Ok(vec![
        blur::job(&blur::photo()?)?,
        heat::job(192, 120, 100)?,
        matmul_f32::job(200, 250, 150)?,
        matmul_int8::job(256, 240, 512)?,
        montecarlo::job(128, 8)?,
        sha256::job(1000)?,
    ])
}

/// Every job: those of the job files and the suite.
pub fn all() -> Result<Vec<Job>, JobError> {
    let mut jobs = job_files()?;
    jobs.extend(suite::jobs()?);
    Ok(jobs)
}
