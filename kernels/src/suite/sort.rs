//! `cuda/suite/sort.cu`

use crate::{
    Job, JobError, LaunchDraft, ProgramDraft,
    data::{bytes, random_f32, random_u32},
};

const PTX: &[u8] = include_bytes!("../../ptx/suite/sort.ptx");

pub fn jobs() -> Result<Vec<Job>, JobError> {
    Ok(vec![bitonic()?, odd_even()?, rank_sort()?, radix_sort()?, merge_path()?])
}

fn sorted<T: Clone + Ord>(x: &[T], each: usize) -> Vec<T> {
    x.chunks_exact(each)
        .flat_map(|x| {
            let mut x = x.to_vec();
            x.sort();
            x
        })
        .collect()
}

fn bitonic() -> Result<Job, JobError> {
    let x = random_u32(1, 3 * 512);
    let mut draft = ProgramDraft::new("bitonic", PTX);
    let from = draft.data(bytes(&x));
    let to = draft.zeros(x.len() * 4);
    draft.launch(LaunchDraft::line("bitonic", 3, 256).pointers(&[from, to]).range(to, 512 * 4));
    draft.expect(to, bytes(&sorted(&x, 512)));
    draft.finish()
}

fn odd_even() -> Result<Job, JobError> {
    let x: Vec<i32> = random_u32(2, 2 * 128).into_iter().map(|x| x as i32).collect();
    let mut draft = ProgramDraft::new("odd_even", PTX);
    let from = draft.data(bytes(&x));
    let to = draft.zeros(x.len() * 4);
    draft.launch(LaunchDraft::line("odd_even", 2, 64).pointers(&[from, to]).range(to, 128 * 4));
    draft.expect(to, bytes(&sorted(&x, 128)));
    draft.finish()
}

fn rank_sort() -> Result<Job, JobError> {
    let x: Vec<f32> = random_f32(3, 2 * 256).iter().map(|x| (x * 100.0).round() / 100.0 + 0.0).collect();
    let mut draft = ProgramDraft::new("rank_sort", PTX);
    let from = draft.data(bytes(&x));
    let to = draft.zeros(x.len() * 4);
    draft.launch(LaunchDraft::line("rank_sort", 2, 256).pointers(&[from, to]).range(to, 256 * 4));
    let mut y = x;
    // Stable, and zeros of both signs count as equal.
    y.chunks_exact_mut(256).for_each(|y| y.sort_by(|a, b| a.partial_cmp(b).unwrap_or(std::cmp::Ordering::Equal)));
    draft.expect(to, bytes(&y));
    draft.finish()
}

fn radix_sort() -> Result<Job, JobError> {
    let x: Vec<[u32; 2]> = random_u32(4, 2 * 256).into_iter().zip(0..).map(|(x, i)| [x >> 22, i]).collect();
    let mut draft = ProgramDraft::new("radix_sort", PTX);
    let from = draft.data(bytes(x.as_flattened()));
    let to = draft.zeros(x.len() * 8);
    draft.launch(LaunchDraft::line("radix_sort", 2, 256).pointers(&[from, to]).range(to, 256 * 8));
    // The payload grows along the input, so a stable sort orders by both.
    draft.expect(to, bytes(sorted(&x, 256).as_flattened()));
    draft.finish()
}

fn merge_path() -> Result<Job, JobError> {
    let (na, nb, each) = (700, 500, 5);
    let ints = |seed, n| sorted(&random_u32(seed, n).into_iter().map(|x| x as i32 >> 16).collect::<Vec<_>>(), n);
    let (a, b) = (ints(5, na), ints(6, nb));
    let mut draft = ProgramDraft::new("merge_path", PTX);
    let (ba, bb) = (draft.data(bytes(&a)), draft.data(bytes(&b)));
    let to = draft.zeros((na + nb) * 4);
    draft.launch(
        LaunchDraft::line("merge_path", (na + nb).div_ceil(64 * each), 64)
            .pointer(ba)
            .int(na)
            .pointer(bb)
            .int(nb)
            .int(each)
            .pointer(to)
            .range(to, 64 * each * 4),
    );
    draft.expect(to, bytes(&sorted(&[a, b].concat(), na + nb)));
    draft.finish()
}
