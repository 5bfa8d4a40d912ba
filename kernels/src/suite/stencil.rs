//! `cuda/suite/stencil.cu`

use crate::{
    Job, JobError, LaunchDraft, ProgramDraft,
    data::{bytes, random_f32, random_f64, random_u8},
};

const PTX: &[u8] = include_bytes!("../../ptx/suite/stencil.ptx");

pub fn jobs() -> Result<Vec<Job>, JobError> {
    Ok(vec![life()?, sobel()?, median()?, laplace3d()?, wave()?])
}

fn plane(entry: &'static str, size: [usize; 2]) -> LaunchDraft {
    LaunchDraft::plane(entry, size, [16, 8]).int(size[0]).int(size[1])
}

/// `in[y][x]` with the edge continued outwards.
fn clamped<T: Copy>(x: &[T], [width, height]: [usize; 2], column: i64, row: i64) -> T {
    let place = |at: i64, size: usize| at.clamp(0, size as i64 - 1) as usize;
    x[place(row, height) * width + place(column, width)]
}

fn life() -> Result<Job, JobError> {
    let size = [50, 37];
    let [w, h] = size;
    let mut cells: Vec<u8> = random_u8(1, w * h).into_iter().map(|x| x & 1).collect();
    let mut draft = ProgramDraft::new("life", PTX);
    let even = draft.data(cells.clone());
    let odd = draft.zeros(w * h);
    let step = |from, to| plane("life", size).pointers(&[from, to]).tile(to, [16, 8], size, 1);
    draft.repeat(5, vec![step(even, odd), step(odd, even)]);
    for _ in 0..10 {
        cells = (0..w * h)
            .map(|i| {
                let (x, y) = (i % w, i / w);
                let square: u8 = (0..9).map(|k| cells[(y + h + k / 3 - 1) % h * w + (x + w + k % 3 - 1) % w]).sum();
                u8::from(square == 3 || (square == 4 && cells[i] == 1))
            })
            .collect();
    }
    draft.expect(even, cells);
    draft.finish()
}

fn sobel() -> Result<Job, JobError> {
    let size = [61, 45];
    let picture = random_u8(2, size[0] * size[1]);
    let mut draft = ProgramDraft::new("sobel", PTX);
    let from = draft.data(picture.clone());
    let to = draft.zeros(picture.len());
    draft.launch(plane("sobel", size).pointers(&[from, to]).tile(to, [16, 8], size, 1));
    let edge = |i: usize| {
        let sum = |weights: [i32; 9]| -> i32 {
            weights
                .iter()
                .enumerate()
                .map(|(k, weight)| {
                    let (x, y) = ((i % size[0]) as i64, (i / size[0]) as i64);
                    weight * i32::from(clamped(&picture, size, x + k as i64 % 3 - 1, y + k as i64 / 3 - 1))
                })
                .sum()
        };
        let across = sum([-1, 0, 1, -2, 0, 2, -1, 0, 1]);
        let down = sum([-1, -2, -1, 0, 0, 0, 1, 2, 1]);
        (((across * across + down * down) as f32).sqrt() as i32).min(255) as u8
    };
    draft.expect(to, (0..picture.len()).map(edge).collect());
    draft.finish()
}

fn median() -> Result<Job, JobError> {
    let size = [40, 30];
    let picture = random_f32(3, size[0] * size[1]);
    let mut draft = ProgramDraft::new("median", PTX);
    let from = draft.data(bytes(&picture));
    let to = draft.zeros(picture.len() * 4);
    draft.launch(plane("median", size).pointers(&[from, to]).tile(to, [16, 8], size, 4));
    let middle = |i: usize| {
        let (x, y) = ((i % size[0]) as i64, (i / size[0]) as i64);
        let mut nine: Vec<f32> = (0..9).map(|k| clamped(&picture, size, x + k % 3 - 1, y + k / 3 - 1)).collect();
        nine.sort_by(f32::total_cmp);
        nine[4]
    };
    draft.expect(to, bytes(&(0..picture.len()).map(middle).collect::<Vec<_>>()));
    draft.finish()
}

fn laplace3d() -> Result<Job, JobError> {
    let [nx, ny, nz] = [20, 18, 12];
    let field = random_f64(4, nx * ny * nz);
    let mut draft = ProgramDraft::new("laplace3d", PTX);
    let from = draft.data(bytes(&field));
    let to = draft.zeros(field.len() * 8);
    // Each CTA owns a column of tiles through all planes.
    use crate::draft::span;
    use assay_primitives::Axis;
    let dims = vec![
        span((nx * ny * 8) as u64, nz as u64, None, 1),
        span((nx * 8) as u64, ny as u64, Some(Axis::Y), 8),
        span(8, nx as u64, Some(Axis::X), 16),
    ];
    draft.launch(
        LaunchDraft::plane("laplace3d", [nx, ny], [16, 8])
            .int(nx)
            .int(ny)
            .int(nz)
            .pointers(&[from, to])
            .map(to, 0, dims, 8),
    );
    let at = |x: usize, y: usize, z: usize| {
        // A coordinate before the first wraps to a huge one.
        if x < nx && y < ny && z < nz { field[(z * ny + y) * nx + x] } else { 0.0 }
    };
    let out: Vec<f64> = (0..field.len())
        .map(|i| {
            let (x, y, z) = (i % nx, i / nx % ny, i / nx / ny);
            let mut sum = at(x, y, z.wrapping_sub(1)) + at(x, y, z + 1);
            sum += at(x.wrapping_sub(1), y, z) + at(x + 1, y, z);
            sum += at(x, y.wrapping_sub(1), z) + at(x, y + 1, z);
            (-6.0f64).mul_add(field[i], sum)
        })
        .collect();
    draft.expect(to, bytes(&out));
    draft.finish()
}

fn wave() -> Result<Job, JobError> {
    let size = [33, 29];
    let [w, h] = size;
    let (mut now, mut before) = (random_f32(5, w * h), random_f32(6, w * h));
    let mut draft = ProgramDraft::new("wave", PTX);
    let (a, b) = (draft.data(bytes(&now)), draft.data(bytes(&before)));
    let step = |now, before| plane("wave", size).pointers(&[now, before]).float(0.2).tile(before, [16, 8], size, 4);
    draft.repeat(3, vec![step(a, b), step(b, a)]);
    for _ in 0..6 {
        for y in 1..h - 1 {
            for x in 1..w - 1 {
                let i = y * w + x;
                let bend = now[i - 1] + now[i + 1] + now[i - w] + now[i + w] - 4.0 * now[i];
                before[i] = 2.0 * now[i] - before[i] + 0.2 * bend;
            }
        }
        std::mem::swap(&mut now, &mut before);
    }
    draft.expect(a, bytes(&now));
    draft.expect(b, bytes(&before));
    draft.finish()
}
