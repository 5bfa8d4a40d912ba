//! `cuda/suite/search.cu`

use assay_primitives::Arg;

use crate::{
    Job, JobError, LaunchDraft, ProgramDraft,
    data::{Random, bytes, random_f32, random_u64},
};

const PTX: &[u8] = include_bytes!("../../ptx/suite/search.ptx");

pub fn jobs() -> Result<Vec<Job>, JobError> {
    Ok(vec![knapsack()?, queens()?, collatz()?, lower_bound()?, common()?, binomial()?])
}

fn knapsack() -> Result<Job, JobError> {
    let (items, capacity) = (12, 300);
    let mut random = Random::new(1);
    let (weights, values) = (random.below(90, items), random.below(1000, items));
    let mut draft = ProgramDraft::new("knapsack", PTX);
    let (bw, bv) = (draft.data(bytes(&weights)), draft.data(bytes(&values)));
    let (even, odd) = (draft.zeros((capacity + 1) * 4), draft.zeros((capacity + 1) * 4));
    let step = |offset, from, to| {
        LaunchDraft::line("knapsack", (capacity + 1).div_ceil(128), 128)
            .int(capacity)
            .arg(Arg::Buffer { index: bw, offset })
            .arg(Arg::Buffer { index: bv, offset })
            .iteration()
            .pointers(&[from, to])
            .range(to, 128 * 4)
    };
    // Round r offers item r, then, from pointers to the second elements, item r + 1.
    draft.repeat(items as u32 - 1, vec![step(0, even, odd), step(4, odd, even)]);
    let mut best = vec![0u32; capacity + 1];
    for item in (0..items - 1).flat_map(|round| [round, round + 1]) {
        for c in (weights[item] as usize..=capacity).rev() {
            best[c] = best[c].max(best[c - weights[item] as usize] + values[item]);
        }
    }
    draft.expect(even, bytes(&best));
    draft.finish()
}

fn queens() -> Result<Job, JobError> {
    let n = 7usize;
    let mut draft = ProgramDraft::new("queens", PTX);
    let to = draft.zeros(n * n * 4);
    draft.launch(LaunchDraft::line("queens", 1, 64).int(n).pointer(to).range(to, n * n * 4));
    fn below(n: usize, placed: &mut Vec<usize>) -> u32 {
        let row = placed.len();
        if row == n {
            return 1;
        }
        (0..n)
            .map(|column| {
                let free = placed.iter().enumerate().all(|(r, c)| *c != column && c.abs_diff(column) != row - r);
                if !free {
                    return 0;
                }
                placed.push(column);
                let found = below(n, placed);
                placed.pop();
                found
            })
            .sum()
    }
    let count: Vec<u32> = (0..n * n)
        .map(|i| {
            let (first, second) = (i / n, i % n);
            if first.abs_diff(second) < 2 { 0 } else { below(n, &mut vec![first, second]) }
        })
        .collect();
    draft.expect(to, bytes(&count));
    draft.finish()
}

fn collatz() -> Result<Job, JobError> {
    let (first, threads) = (837_700u64, 192);
    let mut draft = ProgramDraft::new("collatz", PTX);
    let (steps, longest) = (draft.zeros(threads * 2), draft.zeros(threads / 32 * 8));
    draft.launch(
        LaunchDraft::line("collatz", threads / 64, 64)
            .long(first)
            .pointers(&[steps, longest])
            .range(steps, 128)
            .range(longest, 16),
    );
    let walk = |i: usize| {
        std::iter::successors(Some(first + i as u64), |n| match n {
            1 => None,
            n if n % 2 == 1 => Some(3 * n + 1),
            n => Some(n / 2),
        })
        .count() as u16
            - 1
    };
    let counts: Vec<u16> = (0..threads).map(walk).collect();
    let most: Vec<u32> = counts
        .chunks_exact(32)
        .flat_map(|warp| {
            let most = warp.iter().copied().max().unwrap_or(0);
            [u32::from(most), warp.iter().position(|count| *count == most).unwrap_or(0) as u32]
        })
        .collect();
    draft.expect(steps, bytes(&counts));
    draft.expect(longest, bytes(&most));
    draft.finish()
}

fn lower_bound() -> Result<Job, JobError> {
    let (n, keys) = (500, 200);
    let mut sorted: Vec<u64> = random_u64(2, n).into_iter().map(|x| x >> 50 << 48).collect();
    sorted.sort_unstable();
    let wanted: Vec<u64> = random_u64(3, keys).into_iter().map(|x| x >> 50 << 48).collect();
    let mut draft = ProgramDraft::new("lower_bound", PTX);
    let (table, queries) = (draft.data(bytes(&sorted)), draft.data(bytes(&wanted)));
    let to = draft.zeros(keys * 4);
    draft.launch(
        LaunchDraft::line("lower_bound", keys.div_ceil(64), 64)
            .int(n)
            .pointer(table)
            .int(keys)
            .pointers(&[queries, to])
            .range(to, 64 * 4),
    );
    let places: Vec<u32> = wanted.iter().map(|key| sorted.partition_point(|x| x < key) as u32).collect();
    draft.expect(to, bytes(&places));
    draft.finish()
}

fn common() -> Result<Job, JobError> {
    let (pairs, length) = (40, 50);
    let letters =
        |seed, n| -> Vec<u8> { Random::new(seed).below(4, n).into_iter().map(|x| b"acgt"[x as usize]).collect() };
    let (a, b) = (letters(4, pairs * 64), letters(5, pairs * length));
    let mut draft = ProgramDraft::new("common", PTX);
    let buffers = [draft.data(a.clone()), draft.data(b.clone())];
    let to = draft.zeros(pairs * 4);
    draft.launch(
        LaunchDraft::line("common", pairs.div_ceil(32), 32)
            .int(pairs)
            .int(length)
            .pointers(&buffers)
            .pointer(to)
            .range(to, 128),
    );
    let longest = |(a, b): (&[u8], &[u8])| {
        let mut row = vec![0u32; a.len() + 1];
        for y in b {
            let mut diagonal = 0;
            for (j, x) in a.iter().enumerate() {
                let here = if x == y { diagonal + 1 } else { row[j].max(row[j + 1]) };
                diagonal = row[j + 1];
                row[j + 1] = here;
            }
        }
        row[a.len()]
    };
    draft.expect(to, bytes(&a.chunks_exact(64).zip(b.chunks_exact(length)).map(longest).collect::<Vec<_>>()));
    draft.finish()
}

fn binomial() -> Result<Job, JobError> {
    let count = 3;
    let noise = random_f32(6, count * 2);
    let options: Vec<f32> =
        (0..count).flat_map(|i| [100.0 + 10.0 * noise[2 * i], 100.0, 1.02 + 0.01 * noise[2 * i + 1], 0.51]).collect();
    let mut draft = ProgramDraft::new("binomial", PTX);
    let from = draft.data(bytes(&options));
    let to = draft.zeros(count * 4);
    draft.launch(LaunchDraft::line("binomial", count, 128).pointers(&[from, to]).range(to, 4));
    let price = |option: &[f32]| {
        let (spot, strike, up, chance, discount) = (option[0], option[1], option[2], option[3], 0.9995f32);
        let down = 1.0 / up;
        let mut here: Vec<f32> =
            (0..128).map(|i| (0..128).fold(spot, |here, step| here * if step < i { up } else { down })).collect();
        let mut values: Vec<f32> = here.iter().map(|here| (strike - here).max(0.0)).collect();
        values.push((strike - here[127] * up * up).max(0.0));
        for step in (0..128).rev() {
            for i in 0..=step {
                here[i] *= up;
                // Ascending, so the right neighbour is still that of the step before.
                values[i] = chance.mul_add(values[i + 1], (discount - chance) * values[i]).max(strike - here[i]);
            }
        }
        values[0]
    };
    draft.expect(to, bytes(&options.chunks_exact(4).map(price).collect::<Vec<_>>()));
    draft.finish()
}
