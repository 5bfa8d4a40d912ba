//! A program with all that it takes to run it and to judge the result.

use assay_primitives::Program;

/// A program, its kernels' PTX, its buffers at the start and, where a reference says so, at the end.
pub struct Job {
    /// Unique among [`crate::all`].
    pub name: &'static str,
    /// PTX, one per kernel of the program.
    pub kernels: Vec<&'static [u8]>,
    /// What is run.
    pub program: Program,
    /// Bytes of each buffer in state 0.
    pub buffers: Vec<Vec<u8>>,
    /// Buffers that a reference computed, and their bytes in the last state.
    pub expected: Vec<(u16, Vec<u8>)>,
}

/// Why a job cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum JobError {
    /// More of something than a program can hold.
    #[error("too many {0} for one program")]
    TooMany(&'static str),
    /// A picture that is not a PNG of 8-bit red, green and blue.
    #[error("cannot read the picture: {0}")]
    Picture(String),
    /// A launch that names no buffer of the program.
    #[error("no buffer {0}")]
    NoBuffer(u16),
}
