//! `cuda/suite/conv.cu`

use assay_primitives::Axis;

use crate::{
    Job, JobError, LaunchDraft, ProgramDraft,
    data::{bytes, random_f32, random_u8, random_u32},
    draft::span,
};

const PTX: &[u8] = include_bytes!("../../ptx/suite/conv.ptx");

pub fn jobs() -> Result<Vec<Job>, JobError> {
    Ok(vec![conv3x3()?, depthwise()?, fir()?, max_pool()?, upsample()?])
}

/// The places of a 3 × 3 window around (x, y) that lie in the picture, with their number.
fn window(x: usize, y: usize, [w, h]: [usize; 2]) -> impl Iterator<Item = (usize, usize, usize)> {
    (0..9)
        .map(move |k| (k, (x + k % 3).wrapping_sub(1), (y + k / 3).wrapping_sub(1)))
        .filter(move |(_, x, y)| *x < w && *y < h)
}

fn conv3x3() -> Result<Job, JobError> {
    let ([w, h], channels, outputs) = ([30, 21], 3, 4);
    let input = random_f32(1, w * h * channels);
    let weight = random_f32(2, outputs * channels * 9);
    let bias = random_f32(3, outputs);
    let mut draft = ProgramDraft::new("conv3x3", PTX);
    let buffers = [draft.data(bytes(&input)), draft.data(bytes(&weight)), draft.data(bytes(&bias))];
    let to = draft.zeros(w * h * outputs * 4);
    let dims = vec![
        span((w * h * 4) as u64, outputs as u64, Some(Axis::Z), 1),
        span((w * 4) as u64, h as u64, Some(Axis::Y), 8),
        span(4, w as u64, Some(Axis::X), 16),
    ];
    let grid = [w.div_ceil(16) as u32, h.div_ceil(8) as u32, outputs as u32];
    draft.launch(
        LaunchDraft::new("conv3x3", grid, [16, 8, 1])
            .int(w)
            .int(h)
            .int(channels)
            .pointers(&buffers)
            .pointer(to)
            .map(to, 0, dims, 4),
    );
    let out: Vec<f32> = (0..w * h * outputs)
        .map(|i| {
            let (x, y, o) = (i % w, i / w % h, i / w / h);
            let mut sum = bias[o];
            for c in 0..channels {
                for (k, x, y) in window(x, y, [w, h]) {
                    sum = input[(c * h + y) * w + x].mul_add(weight[(o * channels + c) * 9 + k], sum);
                }
            }
            sum.max(0.0)
        })
        .collect();
    draft.expect(to, bytes(&out));
    draft.finish()
}

fn depthwise() -> Result<Job, JobError> {
    let ([w, h], channels) = ([10, 7], 40);
    let (input, weight) = (random_u8(4, w * h * channels), random_u8(5, 9 * channels));
    let (multiplier, shift) = (1_518_500_250u32, 40u32);
    let mut draft = ProgramDraft::new("depthwise", PTX);
    let buffers = [draft.data(input.clone()), draft.data(weight.clone())];
    let to = draft.zeros(input.len());
    let dims = vec![
        span((w * channels) as u64, h as u64, Some(Axis::Z), 1),
        span(channels as u64, w as u64, Some(Axis::Y), 4),
        span(1, channels as u64, Some(Axis::X), 32),
    ];
    let grid = [channels.div_ceil(32) as u32, w.div_ceil(4) as u32, h as u32];
    draft.launch(
        LaunchDraft::new("depthwise", grid, [32, 4, 1])
            .int(w)
            .int(h)
            .int(channels)
            .pointers(&buffers)
            .int(multiplier as usize)
            .int(shift as usize)
            .pointer(to)
            .map(to, 0, dims, 1),
    );
    let out: Vec<i8> = (0..input.len())
        .map(|i| {
            let (channel, x, y) = (i % channels, i / channels % w, i / channels / w);
            let sum: i32 = window(x, y, [w, h])
                .map(|(k, x, y)| {
                    i32::from(input[(y * w + x) * channels + channel] as i8)
                        * i32::from(weight[k * channels + channel] as i8)
                })
                .sum();
            let scaled = (i64::from(sum) * i64::from(multiplier) + (1 << (shift - 1))) >> shift;
            scaled.clamp(-128, 127) as i8
        })
        .collect();
    draft.expect(to, bytes(&out));
    draft.finish()
}

fn fir() -> Result<Job, JobError> {
    let n = 1000;
    let signal = random_f32(6, n);
    let half = [1.0, 2.0, 4.0, 7.0, 10.0, 12.0, 14.0, 14.0].map(|tap: f32| tap / 128.0);
    let taps: Vec<f32> = half.into_iter().chain(half.into_iter().rev()).collect();
    let mut draft = ProgramDraft::new("fir", PTX);
    let from = draft.data(bytes(&signal));
    let to = draft.zeros(n * 4);
    draft.launch(LaunchDraft::line("fir", n.div_ceil(128), 128).int(n).pointers(&[from, to]).range(to, 128 * 4));
    let out: Vec<f32> = (0..n)
        .map(|i| {
            taps.iter().enumerate().fold(0.0f32, |sum, (k, tap)| sum + tap * if i >= k { signal[i - k] } else { 0.0 })
        })
        .collect();
    draft.expect(to, bytes(&out));
    draft.finish()
}

fn max_pool() -> Result<Job, JobError> {
    let [w, h] = [50, 34];
    let size = [w / 2, h / 2];
    // Coarse, so that some are equal.
    let input: Vec<f32> = random_f32(7, w * h).iter().map(|x| (x * 8.0).round()).collect();
    let mut draft = ProgramDraft::new("max_pool", PTX);
    let from = draft.data(bytes(&input));
    let (to, which) = (draft.zeros(size[0] * size[1] * 4), draft.zeros(size[0] * size[1]));
    draft.launch(
        LaunchDraft::plane("max_pool", size, [16, 16])
            .int(w)
            .int(h)
            .pointers(&[from, to, which])
            .tile(to, [16, 16], size, 4)
            .tile(which, [16, 16], size, 1),
    );
    let best: Vec<(f32, u8)> = (0..size[0] * size[1])
        .map(|i| {
            let (x, y) = (i % size[0], i / size[0]);
            let at = |k: usize| input[(2 * y + k / 2) * w + 2 * x + k % 2];
            (1..4).fold((at(0), 0), |best, k| if at(k) > best.0 { (at(k), k as u8) } else { best })
        })
        .collect();
    draft.expect(to, bytes(&best.iter().map(|(value, _)| *value).collect::<Vec<_>>()));
    draft.expect(which, best.iter().map(|(_, which)| *which).collect());
    draft.finish()
}

fn upsample() -> Result<Job, JobError> {
    let [w, h] = [19, 13];
    let input: Vec<u16> = random_u32(8, w * h).into_iter().map(|x| (x >> 16) as u16).collect();
    let mut draft = ProgramDraft::new("upsample", PTX);
    let from = draft.data(bytes(&input));
    let to = draft.zeros(4 * w * h * 2);
    let size = [2 * w, 2 * h];
    draft.launch(LaunchDraft::plane("upsample", size, [16, 8]).int(w).int(h).pointers(&[from, to]).tile(
        to,
        [16, 8],
        size,
        2,
    ));
    let out: Vec<u16> = (0..4 * w * h)
        .map(|i| {
            // The centre of an output pixel lies a quarter of an input pixel from the nearest one: weights 3 and 1.
            let ends = |at: usize, size: usize| {
                let near = at / 2;
                let far = if at.is_multiple_of(2) { near.saturating_sub(1) } else { (near + 1).min(size - 1) };
                [(near, 3u32), (far, 1u32)]
            };
            let mut sum = 8;
            for (x, across) in ends(i % size[0], w) {
                for (y, down) in ends(i / size[0], h) {
                    sum += across * down * u32::from(input[y * w + x]);
                }
            }
            (sum >> 4) as u16
        })
        .collect();
    draft.expect(to, bytes(&out));
    draft.finish()
}
