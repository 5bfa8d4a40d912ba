//! Matrix product of signed bytes: `cuda/matmul_int8.cu`.

use crate::{
    Job, JobError, LaunchDraft, ProgramDraft,
    data::{bytes, random_u8},
};

/// The PTX.
pub const PTX: &[u8] = include_bytes!("../ptx/matmul_int8.ptx");

/// `a` (m × k) times the transpose of `b` (n × k), by rows; bytes are signed.
pub fn reference(a: &[u8], b: &[u8], k: usize) -> Vec<i32> {
    let product = |a: &[u8], b: &[u8]| -> i32 {
        a.iter().zip(b).fold(0i32, |sum, (a, b)| sum.wrapping_add(i32::from(*a as i8) * i32::from(*b as i8)))
    };
    a.chunks_exact(k).flat_map(|row| b.chunks_exact(k).map(move |column| product(row, column))).collect()
}

/// The product of random matrices; `k` is a multiple of 4.
pub fn job(m: usize, n: usize, k: usize) -> Result<Job, JobError> {
    let (left, right) = (random_u8(1, m * k), random_u8(2, n * k));
    let mut draft = ProgramDraft::new("matmul_int8", PTX);
    let a = draft.data(left.clone());
    let b = draft.data(right.clone());
    let c = draft.zeros(m * n * 4);
    draft.launch(LaunchDraft::plane("matmul_int8", [n, m], [16, 16]).pointers(&[a, b, c]).int(m).int(n).int(k).tile(
        c,
        [16, 16],
        [n, m],
        4,
    ));
    draft.expect(c, bytes(&reference(&left, &right, k)));
    draft.finish()
}
