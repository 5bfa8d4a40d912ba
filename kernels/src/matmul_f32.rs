//! Matrix product in single precision: `cuda/matmul_f32.cu`.

use crate::{
    Job, JobError, LaunchDraft, ProgramDraft,
    data::{bytes, random_f32},
};

/// The PTX.
pub const PTX: &[u8] = include_bytes!("../ptx/matmul_f32.ptx");

/// `a` (m × k) times `b` (k × n), by rows.
pub fn reference(a: &[f32], b: &[f32], n: usize, k: usize) -> Vec<f32> {
    a.chunks_exact(k)
        .flat_map(|row| {
            (0..n)
                .map(move |column| row.iter().enumerate().fold(0.0f32, |sum, (i, a)| a.mul_add(b[i * n + column], sum)))
        })
        .collect()
}

/// The product of random matrices.
pub fn job(m: usize, n: usize, k: usize) -> Result<Job, JobError> {
    let (left, right) = (random_f32(1, m * k), random_f32(2, k * n));
    let mut draft = ProgramDraft::new("matmul_f32", PTX);
    let a = draft.data(bytes(&left));
    let b = draft.data(bytes(&right));
    let c = draft.zeros(m * n * 4);
    let grid = [n.div_ceil(64) as u32, m.div_ceil(64) as u32, 1];
    draft.launch(LaunchDraft::new("matmul_f32", grid, [16, 16, 1]).pointers(&[a, b, c]).int(m).int(n).int(k).tile(
        c,
        [64, 64],
        [n, m],
        4,
    ));
    draft.expect(c, bytes(&reference(&left, &right, n, k)));
    draft.finish()
}
