//! `cuda/suite/statistics.cu`

use assay_primitives::Axis;

use crate::{
    Job, JobError, LaunchDraft, ProgramDraft,
    data::{bytes, random_f32, random_f64, random_u8, random_u32},
    draft::span,
};

const PTX: &[u8] = include_bytes!("../../ptx/suite/statistics.ptx");

pub fn jobs() -> Result<Vec<Job>, JobError> {
    Ok(vec![histogram()?, extremes()?, histogram_columns()?, k_means()?, nearest_four()?, covariance()?])
}

fn histogram() -> Result<Job, JobError> {
    let (n, ctas) = (5000, 4);
    // Uneven: the lower of two.
    let x: Vec<u8> = random_u8(1, n).into_iter().zip(random_u8(2, n)).map(|(a, b)| a.min(b)).collect();
    let mut draft = ProgramDraft::new("histogram", PTX);
    let from = draft.data(x.clone());
    let partial = draft.zeros(ctas * 1024);
    let counts = draft.zeros(1024);
    draft.launch(LaunchDraft::line("histogram", ctas, 256).int(n).pointers(&[from, partial]).range(partial, 1024));
    draft.launch(LaunchDraft::line("merge_counts", 4, 64).int(ctas).pointers(&[partial, counts]).range(counts, 256));
    let mut expected = vec![0u32; 256];
    x.iter().for_each(|x| expected[usize::from(*x)] += 1);
    draft.expect(counts, bytes(&expected));
    draft.finish()
}

fn extremes() -> Result<Job, JobError> {
    let (n, rows) = (500, 3);
    let x: Vec<i32> = random_u32(3, n * rows).into_iter().map(|x| x as i32 >> 4).collect();
    let mut draft = ProgramDraft::new("extremes", PTX);
    let from = draft.data(bytes(&x));
    let to = draft.zeros(rows * 16);
    draft.launch(LaunchDraft::line("extremes", rows, 128).int(n).pointers(&[from, to]).range(to, 16));
    let out: Vec<i32> = x
        .chunks_exact(n)
        .flat_map(|x| {
            x.iter().fold([i32::MAX, i32::MIN, 0, 0], |y, x| [y[0].min(*x), y[1].max(*x), y[2] | x, y[3] ^ x])
        })
        .collect();
    draft.expect(to, bytes(&out));
    draft.finish()
}

fn histogram_columns() -> Result<Job, JobError> {
    let (n, rows) = (1000, 3);
    let x = random_u32(4, n * rows);
    let mut draft = ProgramDraft::new("histogram_columns", PTX);
    let from = draft.data(bytes(&x));
    let to = draft.zeros(rows * 64);
    draft.launch(LaunchDraft::line("histogram_columns", rows, 64).int(n).pointers(&[from, to]).range(to, 64));
    let mut counts = vec![0u32; rows * 16];
    for (i, x) in x.iter().enumerate() {
        counts[i / n * 16 + (x >> 28) as usize] += 1;
    }
    draft.expect(to, bytes(&counts));
    draft.finish()
}

fn k_means() -> Result<Job, JobError> {
    let (n, k, rounds) = (600, 7, 3);
    let points = random_f32(5, 3 * n);
    let mut centres: Vec<[f32; 3]> = random_f32(6, 3 * k).as_chunks().0.to_vec();
    let mut draft = ProgramDraft::new("k_means", PTX);
    let from = draft.data(bytes(&points));
    let middle = draft.data(bytes(centres.as_flattened()));
    let which = draft.zeros(n * 4);
    draft.repeat(
        rounds,
        vec![
            LaunchDraft::line("assign", n.div_ceil(128), 128)
                .shared(3 * k as u32 * 4)
                .int(n)
                .int(k)
                .pointers(&[from, middle, which])
                .range(which, 128 * 4),
            LaunchDraft::line("update", k, 64).int(n).pointers(&[from, which, middle]).range(middle, 12),
        ],
    );
    let point = |i: usize| [points[i], points[n + i], points[2 * n + i]];
    let mut nearest = vec![0usize; n];
    for _ in 0..rounds {
        for (i, nearest) in nearest.iter_mut().enumerate() {
            let square = |c: &[f32; 3]| {
                let d: [f32; 3] = std::array::from_fn(|axis| point(i)[axis] - c[axis]);
                d[0] * d[0] + d[1] * d[1] + d[2] * d[2]
            };
            *nearest = (1..k).fold(0, |best, c| if square(&centres[c]) < square(&centres[best]) { c } else { best });
        }
        for (c, centre) in centres.iter_mut().enumerate() {
            let mut sums = vec![[0.0f32; 4]; 64];
            for i in (0..n).filter(|i| nearest[*i] == c) {
                let [x, y, z] = point(i);
                let sum = &mut sums[i % 64];
                *sum = [sum[0] + x, sum[1] + y, sum[2] + z, sum[3] + 1.0];
            }
            while sums.len() > 1 {
                let (low, high) = sums.split_at(sums.len() / 2);
                sums = low.iter().zip(high).map(|(a, b)| std::array::from_fn(|i| a[i] + b[i])).collect();
            }
            if sums[0][3] > 0.0 {
                *centre = std::array::from_fn(|axis| sums[0][axis] / sums[0][3]);
            }
        }
    }
    draft.expect(middle, bytes(centres.as_flattened()));
    draft.expect(which, bytes(&nearest.iter().map(|c| *c as u32).collect::<Vec<_>>()));
    draft.finish()
}

fn nearest_four() -> Result<Job, JobError> {
    let (n, queries) = (150, 60);
    let (points, query) = (random_f32(7, n * 8), random_f32(8, queries * 8));
    let mut draft = ProgramDraft::new("nearest_four", PTX);
    let buffers = [draft.data(bytes(&points)), draft.data(bytes(&query))];
    let to = draft.zeros(queries * 16);
    draft.launch(
        LaunchDraft::line("nearest_four", queries.div_ceil(32), 32)
            .int(n)
            .int(queries)
            .pointers(&buffers)
            .pointer(to)
            .range(to, 32 * 16),
    );
    let out: Vec<u32> = query
        .chunks_exact(8)
        .flat_map(|q| {
            let mut all: Vec<(f32, u32)> = points
                .chunks_exact(8)
                .zip(0..)
                .map(|(p, i)| (p.iter().zip(q).fold(0.0f32, |sum, (p, q)| (p - q).mul_add(p - q, sum)), i))
                .collect();
            all.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
            all.into_iter().take(4).map(|(_, i)| i)
        })
        .collect();
    draft.expect(to, bytes(&out));
    draft.finish()
}

fn covariance() -> Result<Job, JobError> {
    let (rows, columns) = (100, 5);
    let data = random_f64(9, rows * columns);
    let mut draft = ProgramDraft::new("covariance", PTX);
    let from = draft.data(bytes(&data));
    let to = draft.zeros(columns * columns * 8);
    let dims =
        vec![span(columns as u64 * 8, columns as u64, Some(Axis::X), 1), span(8, columns as u64, Some(Axis::Y), 1)];
    draft.launch(
        LaunchDraft::new("covariance", [columns as u32, columns as u32, 1], [32, 1, 1])
            .int(rows)
            .int(columns)
            .pointers(&[from, to])
            .map(to, 0, dims, 8),
    );
    let total = |each: &dyn Fn(f64, usize) -> f64| {
        let mut lanes: Vec<f64> = (0..32).map(|lane| (lane..rows).step_by(32).fold(0.0, each)).collect();
        for mask in [16, 8, 4, 2, 1] {
            lanes = (0..32).map(|lane| lanes[lane] + lanes[lane ^ mask]).collect();
        }
        lanes[0]
    };
    let out: Vec<f64> = (0..columns * columns)
        .map(|i| {
            let [x, y] = [i / columns, i % columns].map(|column| {
                let data = &data;
                move |row: usize| data[row * columns + column]
            });
            let product = total(&|sum, i| x(i).mul_add(y(i), sum));
            let (a, b) = (total(&|sum, i| sum + x(i)), total(&|sum, i| sum + y(i)));
            (product - a * b / rows as f64) / (rows - 1) as f64
        })
        .collect();
    draft.expect(to, bytes(&out));
    draft.finish()
}
