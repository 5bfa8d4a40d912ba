//! `cuda/suite/reduce.cu`

use crate::{
    Job, JobError, LaunchDraft, ProgramDraft,
    data::{bytes, random_f32, random_f64, random_u32},
};

const PTX: &[u8] = include_bytes!("../../ptx/suite/reduce.ptx");

pub fn jobs() -> Result<Vec<Job>, JobError> {
    Ok(vec![sum_tree()?, sum_shuffle()?, dot()?, argmax()?, redux()?, count_above()?])
}

fn sum_tree() -> Result<Job, JobError> {
    let n = 5000;
    let x = random_u32(1, n);
    let mut draft = ProgramDraft::new("sum_tree", PTX);
    let from = draft.data(bytes(&x));
    let partial = draft.zeros(10 * 4);
    let total = draft.zeros(4);
    draft.launch(LaunchDraft::line("sum_tree", 10, 256).int(n).pointers(&[from, partial]).range(partial, 4));
    draft.launch(LaunchDraft::line("sum_tree", 1, 256).int(10).pointers(&[partial, total]).range(total, 4));
    let sum = |x: &[u32]| x.iter().fold(0u32, |sum, x| sum.wrapping_add(*x));
    draft.expect(partial, bytes(&x.chunks(512).map(sum).collect::<Vec<_>>()));
    draft.expect(total, bytes(&[sum(&x)]));
    draft.finish()
}

/// Halves added to halves until one is left.
fn halves<T: Copy + std::ops::Add<Output = T>>(mut x: Vec<T>) -> T {
    while x.len() > 1 {
        let half = x.len() / 2;
        for i in 0..half {
            x[i] = x[i] + x[i + half];
        }
        x.truncate(half);
    }
    x[0]
}

fn sum_shuffle() -> Result<Job, JobError> {
    let (n, ctas) = (6000, 4);
    let x = random_f32(2, n);
    let mut draft = ProgramDraft::new("sum_shuffle", PTX);
    let from = draft.data(bytes(&x));
    let partial = draft.zeros(ctas * 4);
    draft.launch(LaunchDraft::line("sum_shuffle", ctas, 256).int(n).pointers(&[from, partial]).range(partial, 4));
    let cta = |cta: usize| {
        let thread = |i: usize| x.iter().skip(cta * 256 + i).step_by(ctas * 256).fold(0.0f32, |sum, x| sum + x);
        let warps = (0..8).map(|warp| halves((0..32).map(|lane| thread(warp * 32 + lane)).collect()));
        halves(warps.chain([0.0; 24]).collect())
    };
    draft.expect(partial, bytes(&(0..ctas).map(cta).collect::<Vec<_>>()));
    draft.finish()
}

fn dot() -> Result<Job, JobError> {
    let (n, ctas) = (3001, 5);
    let (x, y) = (random_f64(3, n), random_f64(4, n));
    let mut draft = ProgramDraft::new("dot", PTX);
    let (bx, by) = (draft.data(bytes(&x)), draft.data(bytes(&y)));
    let partial = draft.zeros(ctas * 8);
    draft.launch(LaunchDraft::line("dot", ctas, 128).int(n).pointers(&[bx, by, partial]).range(partial, 8));
    let thread = |i: usize| (i..n).step_by(ctas * 128).fold(0.0f64, |sum, i| x[i].mul_add(y[i], sum));
    let cta = |cta: usize| halves((0..128).map(|i| thread(cta * 128 + i)).collect());
    draft.expect(partial, bytes(&(0..ctas).map(cta).collect::<Vec<_>>()));
    draft.finish()
}

fn argmax() -> Result<Job, JobError> {
    let (n, rows) = (777, 6);
    // Coarse values, so that the largest occurs more than once.
    let x: Vec<f32> = random_f32(5, n * rows).iter().map(|x| (x * 50.0).round()).collect();
    let mut draft = ProgramDraft::new("argmax", PTX);
    let from = draft.data(bytes(&x));
    let (values, places) = (draft.zeros(rows * 4), draft.zeros(rows * 4));
    draft.launch(
        LaunchDraft::line("argmax", rows, 128)
            .int(n)
            .pointers(&[from, values, places])
            .range(values, 4)
            .range(places, 4),
    );
    let best: Vec<(usize, f32)> = x
        .chunks_exact(n)
        .map(|row| {
            row.iter().copied().enumerate().fold((0, row[0]), |best, this| if this.1 > best.1 { this } else { best })
        })
        .collect();
    draft.expect(values, bytes(&best.iter().map(|(_, value)| *value).collect::<Vec<_>>()));
    draft.expect(places, bytes(&best.iter().map(|(place, _)| *place as u32).collect::<Vec<_>>()));
    draft.finish()
}

fn redux() -> Result<Job, JobError> {
    let x: Vec<i32> = random_u32(6, 3 * 1024).into_iter().map(|x| x as i32 >> 8).collect();
    let mut draft = ProgramDraft::new("redux", PTX);
    let from = draft.data(bytes(&x));
    let to = draft.zeros(3 * 16);
    draft.launch(LaunchDraft::line("redux", 3, 1024).pointers(&[from, to]).range(to, 16));
    let y: Vec<i32> = x
        .chunks_exact(1024)
        .flat_map(|x| {
            x.iter().fold([i32::MAX, i32::MIN, 0, 0], |y, x| [y[0].min(*x), y[1].max(*x), y[2] | x, y[3] ^ x])
        })
        .collect();
    draft.expect(to, bytes(&y));
    draft.finish()
}

fn count_above() -> Result<Job, JobError> {
    let (n, rows) = (1000, 3);
    let x = random_f32(7, n * rows);
    let mut draft = ProgramDraft::new("count_above", PTX);
    let from = draft.data(bytes(&x));
    let words = n.div_ceil(32);
    let (counts, masks) = (draft.zeros(rows * 4), draft.zeros(rows * words * 4));
    draft.launch(
        LaunchDraft::line("count_above", rows, 256)
            .int(n)
            .float(0.25)
            .pointers(&[from, counts, masks])
            .range(counts, 4)
            .range(masks, words * 4),
    );
    let count = |x: &[f32]| x.iter().filter(|x| **x > 0.25).count() as u32;
    let mask = |x: &[f32]| x.iter().enumerate().fold(0u32, |mask, (i, x)| mask | u32::from(*x > 0.25) << i);
    draft.expect(counts, bytes(&x.chunks_exact(n).map(count).collect::<Vec<_>>()));
    draft.expect(masks, bytes(&x.chunks_exact(n).flat_map(|row| row.chunks(32).map(mask)).collect::<Vec<_>>()));
    draft.finish()
}
