//! `cuda/suite/layout.cu`

use assay_primitives::{Axis, Dim, program::Pointer};

use crate::{
    Job, JobError, LaunchDraft, ProgramDraft,
    data::{bytes, random_f32, random_u32},
    draft::span,
};

const PTX: &[u8] = include_bytes!("../../ptx/suite/layout.ptx");

pub fn jobs() -> Result<Vec<Job>, JobError> {
    Ok(vec![relax()?, tiles_in_z()?, sum_channels()?, count_on()?, adjust()?])
}

fn relax() -> Result<Job, JobError> {
    let [width, height] = [37, 21];
    let cells = width * height;
    let before = random_f32(1, cells * 5);
    let (weights, rates) = ([0.5f32, 0.125], [0.75f32, 0.6]);
    let mut draft = ProgramDraft::new("relax", PTX);
    let [from, to, density] = [draft.data(bytes(&before)), draft.zeros(cells * 20), draft.zeros(cells * 4)];
    let mut record = vec![0u8; 24];
    record.extend(bytes(&[width as u32, height as u32, 1]));
    record.extend(bytes(&weights));
    record.extend(bytes(&rates));
    record.resize(56, 0);
    let pointers = [(0, from), (8, to), (16, density)].map(|(at, index)| Pointer { at, index, offset: 0 });
    let dims = |row: u64| {
        vec![
            span(row * height as u64, 5, None, 1),
            span(row, height as u64, Some(Axis::Y), 8),
            span(4, width as u64, Some(Axis::X), 16),
        ]
    };
    let launch = LaunchDraft::plane("relax", [width, height], [16, 8]).record(record, pointers.to_vec())?;
    draft.launch(launch.map(to, 0, dims(width as u64 * 4), 4).tile(density, [16, 8], [width, height], 4));
    let mut after = vec![0.0f32; cells * 5];
    let mut sums = vec![0.0f32; cells];
    for (cell, sum) in sums.iter_mut().enumerate() {
        *sum = (0..5).fold(0.0, |sum, k| sum + before[k * cells + cell]);
        for k in 0..5 {
            let (now, rest) = (before[k * cells + cell], weights[usize::from(k > 0)] * *sum);
            after[(4 - k) * cells + cell] = now - rates[k % 2] * (now - rest);
        }
    }
    draft.expect(to, bytes(&after));
    draft.expect(density, bytes(&sums));
    draft.finish()
}

fn tiles_in_z() -> Result<Job, JobError> {
    let [pictures, planes, width, height] = [2usize, 3, 45, 19];
    let x: Vec<i32> = random_u32(2, pictures * planes * width * height).into_iter().map(|x| (x >> 8) as i32).collect();
    let mut draft = ProgramDraft::new("tiles_in_z", PTX);
    let [from, to] = [draft.data(bytes(&x)), draft.zeros(x.len() * 4)];
    let (across, down) = (width.div_ceil(16) as u32, height.div_ceil(8) as u32);
    let (row, plane) = (width as u64 * 4, (width * height) as u64 * 4);
    let digit = |stride: u64, extent: usize, tile, per, of| Dim::Digit {
        stride: stride as i64,
        extent: extent as u64,
        axis: Axis::Z,
        tile,
        per,
        of,
    };
    let dims = vec![
        span(plane * planes as u64, pictures as u64, Some(Axis::X), 1),
        span(plane, planes as u64, Some(Axis::Y), 1),
        digit(row, height, 8, across, down),
        digit(4, width, 16, 1, across),
    ];
    let grid = [pictures as u32, planes as u32, across * down];
    let launch = LaunchDraft::new("tiles_in_z", grid, [16, 8, 1]).pointers(&[from, to]).int(planes);
    draft.launch(launch.int(width).int(height).int(across as usize).map(to, 0, dims, 4));
    let at = |plane: usize, x0: usize, y0: usize| {
        if x0 < width && y0 < height { x[(plane * height + y0) * width + x0] } else { 0 }
    };
    let out: Vec<i32> = (0..x.len())
        .map(|i| {
            let (plane, y, x) = (i / (width * height), i / width % height, i % width);
            at(plane, x, y) * 5 - at(plane, x + 1, y) - at(plane, x, y + 1)
        })
        .collect();
    draft.expect(to, bytes(&out));
    draft.finish()
}

fn sum_channels() -> Result<Job, JobError> {
    let [pictures, channels, count] = [4usize, 5, 150];
    let x = random_u32(3, pictures * channels * count);
    let mut draft = ProgramDraft::new("sum_channels", PTX);
    let [from, to] = [draft.data(bytes(&x)), draft.zeros(pictures * channels * 4)];
    let digit = |stride, extent: usize, per, of: usize| Dim::Digit {
        stride,
        extent: extent as u64,
        axis: Axis::X,
        tile: 1,
        per,
        of: of as u32,
    };
    let dims = vec![digit(pictures as i64 * 4, channels, 1, channels), digit(4, pictures, channels as u32, pictures)];
    let launch = LaunchDraft::line("sum_channels", pictures * channels, 64).pointers(&[from, to]);
    draft.launch(launch.int(channels).int(count).map(to, 0, dims, 4));
    let sum = |i: usize| x.iter().skip(i * count).take(count).fold(0u32, |sum, x| sum.wrapping_add(*x));
    let out: Vec<u32> = (0..channels)
        .flat_map(|channel| (0..pictures).map(move |picture| (picture, channel)))
        .map(|(p, c)| sum(p * channels + c))
        .collect();
    draft.expect(to, bytes(&out));
    draft.finish()
}

fn count_on() -> Result<Job, JobError> {
    let count = 700usize;
    let at = random_f32(4, count * 2);
    let from = [0.25f32, -0.5];
    let mut draft = ProgramDraft::new("count_on", PTX);
    let [points, to] = [draft.data(bytes(&at)), draft.zeros(count * 4)];
    // A whole row of three CTAs, then one of which the last is cut.
    let rows = vec![span(1536, 1, Some(Axis::Y), 1), span(512, 3, Some(Axis::X), 1)];
    let last = |x: u32| vec![Dim::At { axis: Axis::Y, index: 1 }, Dim::At { axis: Axis::X, index: x }];
    let launch = LaunchDraft::new("count_on", [3, 2, 1], [128, 1, 1]).pointers(&[points, to]).int(count);
    draft.launch(
        launch
            .structure(bytes(&from))?
            .map(to, 0, rows, 512)
            .map(to, 1536, last(0), 512)
            .map(to, 2048, last(1), 512)
            .map(to, 2560, last(2), 240),
    );
    let (points, _) = at.as_chunks::<2>();
    let out: Vec<f32> = points
        .iter()
        .map(|[x, y]| {
            let (dx, dy) = (x - from[0], y - from[1]);
            (dx * dx + dy * dy).sqrt()
        })
        .collect();
    draft.expect(to, bytes(&out));
    draft.finish()
}

fn adjust() -> Result<Job, JobError> {
    let [width, rows] = [16usize, 40];
    let (delta, inputs, weights) = (random_f32(5, width), random_f32(6, rows + 1), random_f32(7, width * (rows + 1)));
    let mut draft = ProgramDraft::new("adjust", PTX);
    let [changes, values] = [draft.data(bytes(&delta)), draft.data(bytes(&inputs))];
    let layer = draft.data(bytes(&weights));
    let row = width as u64 * 4;
    let launch = LaunchDraft::new("adjust", [5, 1, 1], [16, 8, 1]).pointers(&[changes, values, layer]).int(width);
    draft
        .launch(launch.map(layer, row, vec![span(row * 8, 5, Some(Axis::X), 1)], row * 8).first_owns(layer, width * 4));
    let out: Vec<f32> = weights
        .iter()
        .enumerate()
        .map(|(i, weight)| match i / width {
            0 => weight + 0.25 * delta[i],
            row => weight + 0.25 * delta[i % width] * inputs[row],
        })
        .collect();
    draft.expect(layer, bytes(&out));
    draft.finish()
}
