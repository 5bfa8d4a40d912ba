//! Heat flow on a plate: `cuda/heat.cu`.

use crate::{Job, JobError, LaunchDraft, ProgramDraft, data};

/// The PTX.
pub const PTX: &[u8] = include_bytes!("../ptx/heat.ptx");

/// The plate at the start.
pub fn ignite(width: usize, height: usize) -> Vec<f32> {
    let (w, h) = (width as i64, height as i64);
    (0..w * h)
        .map(|i| {
            let (y, x) = (i / w, i % w);
            let (right, down, radius) = (x - w / 3, y - h / 2, h / 5);
            if y == 0 || right * right + down * down < radius * radius { 1.0 } else { 0.0 }
        })
        .collect()
}

/// One step.
pub fn step(plate: &[f32], width: usize, height: usize, rate: f32) -> Vec<f32> {
    let mut next = plate.to_vec();
    for y in 1..height.saturating_sub(1) {
        for x in 1..width.saturating_sub(1) {
            let i = y * width + x;
            let around = (plate[i - 1] + plate[i + 1]) + (plate[i - width] + plate[i + width]);
            next[i] = rate.mul_add((-4.0f32).mul_add(plate[i], around), plate[i]);
        }
    }
    next
}

/// The picture of a plate.
pub fn paint(plate: &[f32]) -> Vec<u8> {
    plate
        .iter()
        .flat_map(|value| {
            let shade = (value * 765.0 + 0.5) as i32;
            [0, 255, 510].map(|from| (shade - from).max(0).min(255) as u8).into_iter().chain([255])
        })
        .collect()
}

/// `rounds` times two steps on a plate of `width` × `height`, and a picture of the end.
pub fn job(width: usize, height: usize, rounds: u32) -> Result<Job, JobError> {
    let rate = 0.25;
    let size = [width, height];
    let mut draft = ProgramDraft::new("heat", PTX);
    let even = draft.zeros(width * height * 4);
    let odd = draft.zeros(width * height * 4);
    let picture = draft.zeros(width * height * 4);
    let launch = |entry, buffers: &[u16], to| {
        LaunchDraft::plane(entry, size, [16, 16]).pointers(buffers).int(width).int(height).tile(to, [16, 16], size, 4)
    };
    draft.launch(launch("ignite", &[even], even));
    draft.repeat(
        rounds,
        vec![launch("heat", &[even, odd], odd).float(rate), launch("heat", &[odd, even], even).float(rate)],
    );
    draft.launch(launch("paint", &[even, picture], picture));

    let mut plate = ignite(width, height);
    for _ in 0..2 * rounds {
        plate = step(&plate, width, height, rate);
    }
    draft.expect(picture, paint(&plate));
    draft.expect(even, data::bytes(&plate));
    draft.finish()
}
