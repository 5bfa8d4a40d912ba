//! `cuda/suite/gemm.cu`, `cuda/suite/mma.cu`

use assay_primitives::Axis;

use crate::{
    Job, JobError, LaunchDraft, ProgramDraft,
    data::{bytes, random_f32, random_f64, random_u8, random_u32},
    draft::span,
    matmul_f32, matmul_int8,
};

const PTX: &[u8] = include_bytes!("../../ptx/suite/gemm.ptx");
const MMA: &[u8] = include_bytes!("../../ptx/suite/mma.ptx");

pub fn jobs() -> Result<Vec<Job>, JobError> {
    Ok(vec![
        gemm_naive()?,
        gemm_double()?,
        gemm_vector()?,
        transpose()?,
        gemv()?,
        gemm_batched()?,
        mma_int8()?,
        mma_mixed()?,
    ])
}

fn gemm_naive() -> Result<Job, JobError> {
    let [m, n, k] = [37, 41, 29];
    let (a, b) = (random_f32(1, m * k), random_f32(2, k * n));
    let mut draft = ProgramDraft::new("gemm_naive", PTX);
    let (ba, bb) = (draft.data(bytes(&a)), draft.data(bytes(&b)));
    let to = draft.zeros(m * n * 4);
    draft.launch(LaunchDraft::plane("gemm_naive", [n, m], [16, 4]).int(m).int(n).int(k).pointers(&[ba, bb, to]).tile(
        to,
        [16, 4],
        [n, m],
        4,
    ));
    let c: Vec<f32> =
        (0..m * n).map(|i| (0..k).fold(0.0f32, |sum, j| sum + a[i / n * k + j] * b[j * n + i % n])).collect();
    draft.expect(to, bytes(&c));
    draft.finish()
}

fn gemm_double() -> Result<Job, JobError> {
    let [m, n, k] = [35, 30, 20];
    let (a, b, c) = (random_f64(3, m * k), random_f64(4, k * n), random_f64(5, m * n));
    let (alpha, beta) = (0.75, -1.5);
    let mut draft = ProgramDraft::new("gemm_double", PTX);
    let (ba, bb, bc) = (draft.data(bytes(&a)), draft.data(bytes(&b)), draft.data(bytes(&c)));
    draft.launch(
        LaunchDraft::plane("gemm_double", [n, m], [16, 16])
            .shared(2 * 256 * 8)
            .int(m)
            .int(n)
            .int(k)
            .double(alpha)
            .pointers(&[ba, bb])
            .double(beta)
            .pointer(bc)
            .tile(bc, [16, 16], [n, m], 8),
    );
    let out: Vec<f64> = (0..m * n)
        .map(|i| {
            let mut sum = (0..k).fold(0.0f64, |sum, j| a[i / n * k + j].mul_add(b[j * n + i % n], sum));
            // The tiles are filled up with zeros.
            sum = (k..k.next_multiple_of(16)).fold(sum, |sum, _| 0.0f64.mul_add(0.0, sum));
            alpha * sum + beta * c[i]
        })
        .collect();
    draft.expect(bc, bytes(&out));
    draft.finish()
}

fn gemm_vector() -> Result<Job, JobError> {
    let [m, n, k] = [21, 60, 33];
    let (a, b) = (random_f32(6, m * k), random_f32(7, k * n));
    let mut draft = ProgramDraft::new("gemm_vector", PTX);
    let (ba, bb) = (draft.data(bytes(&a)), draft.data(bytes(&b)));
    let to = draft.zeros(m * n * 4);
    draft.launch(
        LaunchDraft::plane("gemm_vector", [n / 4, m], [8, 8]).int(m).int(n).int(k).pointers(&[ba, bb, to]).tile(
            to,
            [8, 8],
            [n / 4, m],
            16,
        ),
    );
    draft.expect(to, bytes(&matmul_f32::reference(&a, &b, n, k)));
    draft.finish()
}

fn transpose() -> Result<Job, JobError> {
    let [width, height] = [70, 45];
    let x = random_u32(8, width * height);
    let mut draft = ProgramDraft::new("transpose", PTX);
    let from = draft.data(bytes(&x));
    let to = draft.zeros(x.len() * 4);
    // CTA (x, y) writes the tile in column y, row x.
    let dims =
        vec![span(height as u64 * 4, width as u64, Some(Axis::X), 32), span(4, height as u64, Some(Axis::Y), 32)];
    let grid = [width.div_ceil(32) as u32, height.div_ceil(32) as u32, 1];
    draft.launch(
        LaunchDraft::new("transpose", grid, [32, 8, 1])
            .int(width)
            .int(height)
            .pointers(&[from, to])
            .map(to, 0, dims, 4),
    );
    let y: Vec<u32> = (0..x.len()).map(|i| x[i % height * width + i / height]).collect();
    draft.expect(to, bytes(&y));
    draft.finish()
}

fn gemv() -> Result<Job, JobError> {
    let [m, n] = [50, 200];
    let (a, x) = (random_f32(9, m * n), random_f32(10, n));
    let mut draft = ProgramDraft::new("gemv", PTX);
    let (ba, bx) = (draft.data(bytes(&a)), draft.data(bytes(&x)));
    let to = draft.zeros(m * 4);
    draft.launch(
        LaunchDraft::new("gemv", [m.div_ceil(4) as u32, 1, 1], [32, 4, 1])
            .int(m)
            .int(n)
            .pointers(&[ba, bx, to])
            .range(to, 16),
    );
    let y: Vec<f32> = a
        .chunks_exact(n)
        .map(|row| {
            let mut lanes: Vec<f32> =
                (0..32).map(|lane| (lane..n).step_by(32).fold(0.0f32, |sum, i| row[i].mul_add(x[i], sum))).collect();
            for mask in [16, 8, 4, 2, 1] {
                lanes = (0..32).map(|lane| lanes[lane] + lanes[lane ^ mask]).collect();
            }
            lanes[0]
        })
        .collect();
    draft.expect(to, bytes(&y));
    draft.finish()
}

fn gemm_batched() -> Result<Job, JobError> {
    let count = 150;
    let (a, b) = (random_f32(11, count * 16), random_f32(12, count * 16));
    let mut draft = ProgramDraft::new("gemm_batched", PTX);
    let (ba, bb) = (draft.data(bytes(&a)), draft.data(bytes(&b)));
    let to = draft.zeros(count * 64);
    draft.launch(
        LaunchDraft::line("gemm_batched", count.div_ceil(64), 64).int(count).pointers(&[ba, bb, to]).range(to, 64 * 64),
    );
    let c: Vec<f32> =
        a.chunks_exact(16).zip(b.chunks_exact(16)).flat_map(|(a, b)| matmul_f32::reference(a, b, 4, 4)).collect();
    draft.expect(to, bytes(&c));
    draft.finish()
}

fn mma_int8() -> Result<Job, JobError> {
    let [m, n, k] = [48, 40, 96];
    let (a, b) = (random_u8(13, m * k), random_u8(14, n * k));
    let mut draft = ProgramDraft::new("mma_int8", MMA);
    let (ba, bb) = (draft.data(a.clone()), draft.data(b.clone()));
    let to = draft.zeros(m * n * 4);
    draft.launch(
        LaunchDraft::new("mma_int8", [n as u32 / 8, m as u32 / 16, 1], [32, 1, 1])
            .int(n)
            .int(k)
            .pointers(&[ba, bb, to])
            .tile(to, [8, 16], [n, m], 4),
    );
    draft.expect(to, bytes(&matmul_int8::reference(&a, &b, k)));
    draft.finish()
}

fn mma_mixed() -> Result<Job, JobError> {
    let [m, n, k] = [24, 32, 48];
    let (a, b) = (random_u8(15, m * k), random_u8(16, n * k));
    let mut draft = ProgramDraft::new("mma_mixed", MMA);
    let (ba, bb) = (draft.data(a.clone()), draft.data(b.clone()));
    let to = draft.zeros(m * n * 4);
    draft.launch(
        LaunchDraft::new("mma_mixed", [n as u32 / 8, m as u32 / 8, 1], [32, 1, 1])
            .int(n)
            .int(k)
            .pointers(&[ba, bb, to])
            .tile(to, [8, 8], [n, m], 4),
    );
    let c: Vec<i32> = (0..m * n)
        .map(|i| {
            let start = if i % 2 == 0 { 0x7fff_0000 } else { 1 };
            (0..k).fold(start, |sum: i32, j| {
                sum.wrapping_add(i32::from(a[i / n * k + j]) * i32::from(b[i % n * k + j] as i8))
            })
        })
        .collect();
    draft.expect(to, bytes(&c));
    draft.finish()
}
