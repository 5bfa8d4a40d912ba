//! `cuda/suite/wmma.cu`

use crate::{
    Job, JobError, LaunchDraft, ProgramDraft,
    data::{bytes, random_u8, random_u32},
    matmul_int8,
};

const PTX: &[u8] = include_bytes!("../../ptx/suite/wmma.ptx");

pub fn jobs() -> Result<Vec<Job>, JobError> {
    Ok(vec![wmma_int8()?, wmma_layer()?])
}

fn wmma_int8() -> Result<Job, JobError> {
    let [m, n, k] = [64, 96, 160];
    let (a, b, c) = (random_u8(17, m * k), random_u8(18, n * k), random_u32(19, m * n));
    let mut draft = ProgramDraft::new("wmma_int8", PTX);
    let (ba, bb, to) = (draft.data(a.clone()), draft.data(b.clone()), draft.data(bytes(&c)));
    draft.launch(
        LaunchDraft::new("wmma_int8", [n as u32 / 32, m as u32 / 32, 1], [128, 1, 1])
            .int(n)
            .int(k)
            .pointers(&[ba, bb, to])
            .tile(to, [32, 32], [n, m], 4),
    );
    let sums: Vec<u32> =
        matmul_int8::reference(&a, &b, k).iter().zip(&c).map(|(sum, c)| c.wrapping_add(*sum as u32)).collect();
    draft.expect(to, bytes(&sums));
    draft.finish()
}

fn wmma_layer() -> Result<Job, JobError> {
    let ([m, n, k], shift) = ([24, 128, 112], 13);
    let (a, b) = (random_u8(20, k * m), random_u8(21, k * n));
    let bias: Vec<i32> = random_u32(22, n).iter().map(|bits| *bits as i32 >> 11).collect();
    let mut draft = ProgramDraft::new("wmma_layer", PTX);
    let (ba, bb, bc) = (draft.data(a.clone()), draft.data(b.clone()), draft.data(bytes(&bias)));
    let to = draft.zeros(m * n);
    draft.launch(
        LaunchDraft::new("wmma_layer", [n as u32 / 64, m as u32 / 8, 1], [64, 1, 1])
            .int(m)
            .int(n)
            .int(k)
            .pointers(&[ba, bb, bc])
            .int(shift)
            .pointer(to)
            .tile(to, [64, 8], [n, m], 1),
    );
    let out: Vec<u8> = (0..m * n)
        .map(|i| {
            let (row, column) = (i / n, i % n);
            let sum: i32 = (0..k).map(|j| i32::from(a[j * m + row]) * i32::from(b[j * n + column])).sum();
            ((sum + bias[column]) >> shift).clamp(0, 255) as u8
        })
        .collect();
    draft.expect(to, out);
    draft.finish()
}
