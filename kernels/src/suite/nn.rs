//! `cuda/suite/nn.cu`

use crate::{
    Job, JobError, LaunchDraft, ProgramDraft,
    data::{Random, bytes, random_f32, random_u32},
    maths::{exponential, logarithm, sine_cosine},
};

const PTX: &[u8] = include_bytes!("../../ptx/suite/nn.ptx");
const THREADS: usize = 128;

pub fn jobs() -> Result<Vec<Job>, JobError> {
    Ok(vec![softmax()?, layer_norm()?, rms_norm()?, attention()?, embedding()?, rotary()?, adam()?, cross_entropy()?])
}

/// What 128 threads join: each its stride of `0..n`, the lanes of a warp by exchange, the four warps in pairs.
fn fold(n: usize, start: f32, each: impl Fn(f32, usize) -> f32, join: impl Fn(f32, f32) -> f32) -> f32 {
    let mut warps = [0.0; 4];
    for (w, warp) in warps.iter_mut().enumerate() {
        let mut lanes: Vec<f32> = (0..32).map(|lane| (w * 32 + lane..n).step_by(THREADS).fold(start, &each)).collect();
        for mask in [16, 8, 4, 2, 1] {
            lanes = (0..32).map(|lane| join(lanes[lane], lanes[lane ^ mask])).collect();
        }
        *warp = lanes[0];
    }
    join(join(warps[0], warps[1]), join(warps[2], warps[3]))
}

fn total(x: &[f32]) -> f32 {
    fold(x.len(), 0.0, |sum, i| sum + x[i], |a, b| a + b)
}

fn greatest(x: &[f32]) -> f32 {
    fold(x.len(), -3.0e38, |top, i| top.max(x[i]), f32::max)
}

fn squares(x: &[f32], mean: f32) -> f32 {
    fold(x.len(), 0.0, |sum, i| (x[i] - mean).mul_add(x[i] - mean, sum), |a, b| a + b)
}

fn exponentials(x: &[f32]) -> Vec<f32> {
    let top = greatest(x);
    x.iter().map(|x| exponential(x - top)).collect()
}

fn rows(entry: &'static str, rows: usize) -> LaunchDraft {
    LaunchDraft::line(entry, rows, THREADS as u32)
}

fn softmax() -> Result<Job, JobError> {
    let (n, count) = (300, 4);
    let x: Vec<f32> = random_f32(1, n * count).iter().map(|x| x * 10.0).collect();
    let mut draft = ProgramDraft::new("softmax", PTX);
    let from = draft.data(bytes(&x));
    let to = draft.zeros(x.len() * 4);
    draft.launch(rows("softmax", count).int(n).pointers(&[from, to]).range(to, n * 4));
    let y: Vec<f32> = x
        .chunks_exact(n)
        .flat_map(|row| {
            let e = exponentials(row);
            let sum = total(&e);
            e.into_iter().map(move |e| e / sum)
        })
        .collect();
    draft.expect(to, bytes(&y));
    draft.finish()
}

fn layer_norm() -> Result<Job, JobError> {
    let (n, count) = (200, 5);
    let (x, gain, bias) = (random_f32(2, n * count), random_f32(3, n), random_f32(4, n));
    let mut draft = ProgramDraft::new("layer_norm", PTX);
    let buffers = [draft.data(bytes(&x)), draft.data(bytes(&gain)), draft.data(bytes(&bias))];
    let to = draft.zeros(x.len() * 4);
    draft.launch(rows("layer_norm", count).int(n).pointers(&buffers).pointer(to).range(to, n * 4));
    let mut y = Vec::new();
    for row in x.chunks_exact(n) {
        let mean = total(row) / n as f32;
        let scale = 1.0 / (squares(row, mean) / n as f32 + 1e-5).sqrt();
        y.extend((0..n).map(|i| ((row[i] - mean) * scale).mul_add(gain[i], bias[i])));
    }
    draft.expect(to, bytes(&y));
    draft.finish()
}

fn rms_norm() -> Result<Job, JobError> {
    let (n, count) = (250, 3);
    let (x, gain) = (random_f32(5, n * count), random_f32(6, n));
    let mut draft = ProgramDraft::new("rms_norm", PTX);
    let buffers = [draft.data(bytes(&x)), draft.data(bytes(&gain))];
    draft.launch(rows("rms_norm", count).int(n).pointers(&buffers).range(buffers[0], n * 4));
    let mut y = Vec::new();
    for row in x.chunks_exact(n) {
        let scale = 1.0 / (squares(row, 0.0) / n as f32 + 1e-6).sqrt();
        y.extend((0..n).map(|i| row[i] * scale * gain[i]));
    }
    draft.expect(buffers[0], bytes(&y));
    draft.finish()
}

fn attention() -> Result<Job, JobError> {
    let (length, size) = (48, 40);
    let [q, k, v] = [7, 8, 9].map(|seed| random_f32(seed, length * size));
    let mut draft = ProgramDraft::new("attention", PTX);
    let buffers = [&q, &k, &v].map(|x| draft.data(bytes(x)));
    let to = draft.zeros(length * size * 4);
    draft.launch(
        rows("attention", length)
            .shared(length as u32 * 4)
            .int(length)
            .int(size)
            .pointers(&buffers)
            .pointer(to)
            .range(to, size * 4),
    );
    let scale = 1.0 / (size as f32).sqrt();
    let mut out = Vec::new();
    for query in q.chunks_exact(size).enumerate() {
        let scores: Vec<f32> = k
            .chunks_exact(size)
            .take(query.0 + 1)
            .map(|key| query.1.iter().zip(key).fold(0.0f32, |sum, (q, k)| q.mul_add(*k, sum)) * scale)
            .collect();
        let e = exponentials(&scores);
        let sum = total(&e);
        out.extend(
            (0..size)
                .map(|i| e.iter().enumerate().fold(0.0f32, |mix, (key, e)| e.mul_add(v[key * size + i], mix)) / sum),
        );
    }
    draft.expect(to, bytes(&out));
    draft.finish()
}

fn embedding() -> Result<Job, JobError> {
    let (count, size, vocabulary) = (50, 12, 64);
    let table = random_f32(10, vocabulary * size * 4);
    let tokens = Random::new(11).below(vocabulary as u64, count);
    let mut draft = ProgramDraft::new("embedding", PTX);
    let buffers = [draft.data(bytes(&tokens)), draft.data(bytes(&table))];
    let to = draft.zeros(count * size * 16);
    draft.launch(
        LaunchDraft::new("embedding", [count.div_ceil(4) as u32, 1, 1], [32, 4, 1])
            .int(count)
            .int(size)
            .pointers(&buffers)
            .pointer(to)
            .range(to, 4 * size * 16),
    );
    let out: Vec<f32> =
        tokens.iter().flat_map(|t| table.chunks_exact(size * 4).nth(*t as usize).unwrap_or(&[])).copied().collect();
    draft.expect(to, bytes(&out));
    draft.finish()
}

fn rotary() -> Result<Job, JobError> {
    let (count, pairs) = (30, 16);
    let x = random_f32(12, count * pairs * 2);
    let turns = random_u32(13, pairs);
    let mut draft = ProgramDraft::new("rotary", PTX);
    let buffers = [draft.data(bytes(&x)), draft.data(bytes(&turns))];
    draft.launch(
        LaunchDraft::line("rotary", (count * pairs).div_ceil(64), 64)
            .int(count)
            .int(pairs)
            .pointers(&buffers)
            .range(buffers[0], 64 * 8),
    );
    let y: Vec<f32> = x
        .chunks_exact(2)
        .enumerate()
        .flat_map(|(i, v)| {
            let (sine, cosine) = sine_cosine(turns[i % pairs].wrapping_mul((i / pairs) as u32));
            [v[0].mul_add(cosine, -(v[1] * sine)), v[0].mul_add(sine, v[1] * cosine)]
        })
        .collect();
    draft.expect(buffers[0], bytes(&y));
    draft.finish()
}

fn adam() -> Result<Job, JobError> {
    let n = 500;
    let [weight, mean, square, gradient] = [14, 15, 16, 17].map(|seed| random_f32(seed, n));
    let square: Vec<f32> = square.into_iter().map(f32::abs).collect();
    let (rate, mean_bias, square_bias) = (0.01f32, 0.271f32, 0.003f32);
    let mut draft = ProgramDraft::new("adam", PTX);
    let buffers = [&weight, &mean, &square, &gradient].map(|x| draft.data(bytes(x)));
    let mut launch = LaunchDraft::line("adam", n.div_ceil(128), 128)
        .int(n)
        .pointers(&buffers)
        .float(rate)
        .float(mean_bias)
        .float(square_bias);
    for buffer in &buffers[..3] {
        launch = launch.range(*buffer, 128 * 4);
    }
    draft.launch(launch);
    let mut out: [Vec<f32>; 3] = Default::default();
    for i in 0..n {
        let g = gradient[i];
        let m = 0.9f32.mul_add(mean[i], 0.1 * g);
        let s = 0.999f32.mul_add(square[i], 0.001 * g * g);
        out[0].push(weight[i] - rate * (m / mean_bias) / ((s / square_bias).sqrt() + 1e-8));
        out[1].push(m);
        out[2].push(s);
    }
    for (buffer, out) in buffers.iter().zip(&out) {
        draft.expect(*buffer, bytes(out));
    }
    draft.finish()
}

fn cross_entropy() -> Result<Job, JobError> {
    let (n, count) = (150, 4);
    let x: Vec<f32> = random_f32(18, n * count).iter().map(|x| x * 6.0).collect();
    let labels = Random::new(19).below(n as u64, count);
    let mut draft = ProgramDraft::new("cross_entropy", PTX);
    let buffers = [draft.data(bytes(&x)), draft.data(bytes(&labels))];
    let (loss, gradient) = (draft.zeros(count * 4), draft.zeros(x.len() * 4));
    draft.launch(
        rows("cross_entropy", count)
            .int(n)
            .pointers(&buffers)
            .pointers(&[loss, gradient])
            .range(loss, 4)
            .range(gradient, n * 4),
    );
    let (mut losses, mut gradients) = (Vec::new(), Vec::new());
    for (row, label) in x.chunks_exact(n).zip(&labels) {
        let (top, e) = (greatest(row), exponentials(row));
        let (sum, right) = (total(&e), *label as usize);
        gradients.extend(e.iter().enumerate().map(|(i, e)| e / sum - if i == right { 1.0 } else { 0.0 }));
        losses.push(logarithm(sum) + top - row[right]);
    }
    draft.expect(loss, bytes(&losses));
    draft.expect(gradient, bytes(&gradients));
    draft.finish()
}
