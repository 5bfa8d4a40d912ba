//! `cuda/suite/scan.cu`

use crate::{
    Job, JobError, LaunchDraft, ProgramDraft,
    data::{bytes, random_u32},
};

const PTX: &[u8] = include_bytes!("../../ptx/suite/scan.ptx");

pub fn jobs() -> Result<Vec<Job>, JobError> {
    Ok(vec![scan_doubling()?, scan_tree()?, scan_long()?, compact()?])
}

fn inclusive(x: &[u32]) -> Vec<u32> {
    x.iter()
        .scan(0u32, |sum, x| {
            *sum = sum.wrapping_add(*x);
            Some(*sum)
        })
        .collect()
}

fn scan_doubling() -> Result<Job, JobError> {
    let x = random_u32(1, 4 * 512);
    let mut draft = ProgramDraft::new("scan_doubling", PTX);
    let from = draft.data(bytes(&x));
    let to = draft.zeros(x.len() * 4);
    draft.launch(LaunchDraft::line("scan_doubling", 4, 512).pointers(&[from, to]).range(to, 512 * 4));
    draft.expect(to, bytes(&x.chunks_exact(512).flat_map(inclusive).collect::<Vec<_>>()));
    draft.finish()
}

fn scan_tree() -> Result<Job, JobError> {
    let x = random_u32(2, 3 * 256);
    let mut draft = ProgramDraft::new("scan_tree", PTX);
    let from = draft.data(bytes(&x));
    let to = draft.zeros(x.len() * 4);
    draft.launch(LaunchDraft::line("scan_tree", 3, 128).shared(256 * 4).pointers(&[from, to]).range(to, 256 * 4));
    let exclusive = |x: &[u32]| [vec![0], inclusive(&x[..x.len() - 1])].concat();
    draft.expect(to, bytes(&x.chunks_exact(256).flat_map(exclusive).collect::<Vec<_>>()));
    draft.finish()
}

fn scan_long() -> Result<Job, JobError> {
    let n = 10_000;
    let x = random_u32(3, n);
    let ctas = n.div_ceil(256);
    let mut draft = ProgramDraft::new("scan_long", PTX);
    let from = draft.data(bytes(&x));
    let to = draft.zeros(n * 4);
    let sums = draft.zeros(ctas * 4);
    draft.launch(
        LaunchDraft::line("scan_blocks", ctas, 256)
            .int(n)
            .pointers(&[from, to, sums])
            .range(to, 256 * 4)
            .range(sums, 4),
    );
    draft.launch(LaunchDraft::line("scan_sums", 1, 256).int(ctas).pointer(sums).first_owns(sums, ctas * 4));
    draft.launch(LaunchDraft::line("scan_add", ctas, 256).int(n).pointers(&[to, sums]).range(to, 256 * 4));
    draft.expect(to, bytes(&inclusive(&x)));
    draft.finish()
}

fn compact() -> Result<Job, JobError> {
    let x = random_u32(4, 5 * 256);
    let mut draft = ProgramDraft::new("compact", PTX);
    let from = draft.data(bytes(&x));
    let to = draft.zeros(x.len() * 4);
    let counts = draft.zeros(5 * 4);
    draft
        .launch(LaunchDraft::line("compact", 5, 256).pointers(&[from, to, counts]).range(to, 256 * 4).range(counts, 4));
    let odd = |x: &[u32]| x.iter().copied().filter(|x| x % 2 == 1).collect::<Vec<_>>();
    let kept: Vec<u32> = x
        .chunks_exact(256)
        .flat_map(|x| {
            let mut kept = odd(x);
            kept.resize(256, 0);
            kept
        })
        .collect();
    draft.expect(to, bytes(&kept));
    draft.expect(counts, bytes(&x.chunks_exact(256).map(|x| odd(x).len() as u32).collect::<Vec<_>>()));
    draft.finish()
}
