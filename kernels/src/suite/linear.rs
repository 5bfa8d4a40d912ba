//! `cuda/suite/linear.cu`

use crate::{
    Job, JobError, LaunchDraft, ProgramDraft,
    data::{bytes, random_f32, random_f64},
};

const PTX: &[u8] = include_bytes!("../../ptx/suite/linear.ptx");

pub fn jobs() -> Result<Vec<Job>, JobError> {
    Ok(vec![lu()?, cholesky()?, thomas()?, householder()?, conjugate_gradient()?])
}

fn lu() -> Result<Job, JobError> {
    let count = 2;
    let mut matrices = random_f32(1, count * 1024);
    let mut draft = ProgramDraft::new("lu", PTX);
    let buffer = draft.data(bytes(&matrices));
    let places = draft.zeros(count * 32 * 4);
    draft.launch(
        LaunchDraft::new("lu", [count as u32, 1, 1], [32, 32, 1])
            .pointers(&[buffer, places])
            .range(buffer, 4096)
            .range(places, 128),
    );
    let mut pivots = Vec::new();
    for a in matrices.chunks_exact_mut(1024) {
        for k in 0..32 {
            let row = (k..32).fold(k, |row, y| if a[y * 32 + k].abs() > a[row * 32 + k].abs() { y } else { row });
            pivots.push(row as u32);
            for x in 0..32 {
                a.swap(k * 32 + x, row * 32 + x);
            }
            for y in k + 1..32 {
                a[y * 32 + k] /= a[k * 32 + k];
                for x in k + 1..32 {
                    a[y * 32 + x] = (-a[y * 32 + k]).mul_add(a[k * 32 + x], a[y * 32 + x]);
                }
            }
        }
    }
    draft.expect(buffer, bytes(&matrices));
    draft.expect(places, bytes(&pivots));
    draft.finish()
}

fn cholesky() -> Result<Job, JobError> {
    let count = 50;
    let noise = random_f64(2, count * 36);
    // Symmetric with a heavy diagonal.
    let at = |m: usize, i: usize, j: usize| {
        let (low, high) = (i.min(j), i.max(j));
        noise[(low * 6 + high) * count + m] + if i == j { 8.0 } else { 0.0 }
    };
    let matrices: Vec<f64> = (0..36 * count).map(|k| at(k % count, k / count / 6, k / count % 6)).collect();
    let mut draft = ProgramDraft::new("cholesky", PTX);
    let from = draft.data(bytes(&matrices));
    let to = draft.zeros(matrices.len() * 8);
    let dims = vec![
        crate::draft::span(count as u64 * 8, 36, None, 1),
        crate::draft::span(8, count as u64, Some(assay_primitives::Axis::X), 32),
    ];
    draft.launch(
        LaunchDraft::line("cholesky", count.div_ceil(32), 32).int(count).pointers(&[from, to]).map(to, 0, dims, 8),
    );
    let mut factors = vec![0.0f64; matrices.len()];
    for m in 0..count {
        for i in 0..6 {
            for j in 0..=i {
                let sum = (0..j).fold(at(m, i, j), |sum, k| {
                    (-factors[(i * 6 + k) * count + m]).mul_add(factors[(j * 6 + k) * count + m], sum)
                });
                factors[(i * 6 + j) * count + m] =
                    if i == j { sum.sqrt() } else { sum / factors[(j * 6 + j) * count + m] };
            }
        }
    }
    draft.expect(to, bytes(&factors));
    draft.finish()
}

fn thomas() -> Result<Job, JobError> {
    let (n, count) = (24, 70);
    let [lower, diagonal, upper, right] = [3, 4, 5, 6].map(|seed| random_f32(seed, n * count));
    let diagonal: Vec<f32> = diagonal.iter().map(|x| x + 4.0).collect();
    let mut draft = ProgramDraft::new("thomas", PTX);
    let buffers = [&lower, &diagonal, &upper, &right].map(|x| draft.data(bytes(x)));
    let dims = || {
        vec![
            crate::draft::span(count as u64 * 4, n as u64, None, 1),
            crate::draft::span(4, count as u64, Some(assay_primitives::Axis::X), 32),
        ]
    };
    draft.launch(
        LaunchDraft::line("thomas", count.div_ceil(32), 32)
            .int(n)
            .int(count)
            .pointers(&buffers)
            .map(buffers[2], 0, dims(), 4)
            .map(buffers[3], 0, dims(), 4),
    );
    let (mut u, mut r) = (upper, right);
    for s in 0..count {
        u[s] /= diagonal[s];
        r[s] /= diagonal[s];
        for i in (count + s..n * count).step_by(count) {
            let scale = 1.0 / (-lower[i]).mul_add(u[i - count], diagonal[i]);
            u[i] *= scale;
            r[i] = (-lower[i]).mul_add(r[i - count], r[i]) * scale;
        }
        for i in (0..n - 1).rev().map(|i| i * count + s) {
            r[i] = (-u[i]).mul_add(r[i + count], r[i]);
        }
    }
    draft.expect(buffers[2], bytes(&u));
    draft.expect(buffers[3], bytes(&r));
    draft.finish()
}

fn householder() -> Result<Job, JobError> {
    let count = 3;
    let mut matrices = random_f32(7, count * 256);
    let mut draft = ProgramDraft::new("householder", PTX);
    let buffer = draft.data(bytes(&matrices));
    let places = draft.zeros(count * 64);
    draft.launch(
        LaunchDraft::line("householder", count, 32).pointers(&[buffer, places]).range(buffer, 1024).range(places, 64),
    );
    let mut scales = vec![0.0f32; count * 16];
    for (a, scales) in matrices.chunks_exact_mut(256).zip(scales.chunks_exact_mut(16)) {
        for k in 0..15 {
            let corner = a[k * 17];
            let square = (k..16).fold(0.0f32, |sum, y| a[y * 16 + k].mul_add(a[y * 16 + k], sum));
            let norm = if corner > 0.0 { -square.sqrt() } else { square.sqrt() };
            let head = corner - norm;
            scales[k] = 2.0 / (square - corner * corner + head * head);
            for x in k + 1..16 {
                let along = (k + 1..16).fold(head * a[k * 16 + x], |sum, y| a[y * 16 + k].mul_add(a[y * 16 + x], sum));
                let along = along * scales[k];
                a[k * 16 + x] = (-along).mul_add(head, a[k * 16 + x]);
                for y in k + 1..16 {
                    a[y * 16 + x] = (-along).mul_add(a[y * 16 + k], a[y * 16 + x]);
                }
            }
            a[k * 17] = norm;
        }
    }
    draft.expect(buffer, bytes(&matrices));
    draft.expect(places, bytes(&scales));
    draft.finish()
}

fn conjugate_gradient() -> Result<Job, JobError> {
    let (count, steps) = (2, 10);
    let noise = random_f64(8, count * 4096);
    let matrices: Vec<f64> = (0..count * 4096)
        .map(|k| {
            let (m, i, j) = (k / 4096, k / 64 % 64, k % 64);
            noise[m * 4096 + i.min(j) * 64 + i.max(j)] + if i == j { 80.0 } else { 0.0 }
        })
        .collect();
    let right = random_f64(9, count * 64);
    let mut draft = ProgramDraft::new("conjugate_gradient", PTX);
    let buffers = [draft.data(bytes(&matrices)), draft.data(bytes(&right))];
    let to = draft.zeros(count * 512);
    draft.launch(
        LaunchDraft::line("conjugate_gradient", count, 64).int(steps).pointers(&buffers).pointer(to).range(to, 512),
    );
    let total = |terms: Vec<f64>| {
        let mut sums = terms;
        while sums.len() > 1 {
            let (low, high) = sums.split_at(sums.len() / 2);
            sums = low.iter().zip(high).map(|(a, b)| a + b).collect();
        }
        sums[0]
    };
    let mut solutions = Vec::new();
    for (a, b) in matrices.chunks_exact(4096).zip(right.chunks_exact(64)) {
        let (mut x, mut residual, mut direction) = (vec![0.0f64; 64], b.to_vec(), b.to_vec());
        let mut square = total(residual.iter().map(|r| r * r).collect());
        for _ in 0..steps {
            let image: Vec<f64> = a
                .chunks_exact(64)
                .map(|row| row.iter().zip(&direction).fold(0.0f64, |sum, (a, d)| a.mul_add(*d, sum)))
                .collect();
            let length = square / total(direction.iter().zip(&image).map(|(d, i)| d * i).collect());
            for i in 0..64 {
                x[i] = length.mul_add(direction[i], x[i]);
                residual[i] = (-length).mul_add(image[i], residual[i]);
            }
            let next = total(residual.iter().map(|r| r * r).collect());
            direction = direction.iter().zip(&residual).map(|(d, r)| (next / square).mul_add(*d, *r)).collect();
            square = next;
        }
        solutions.extend(x);
    }
    draft.expect(to, bytes(&solutions));
    draft.finish()
}
