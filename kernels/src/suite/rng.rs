//! `cuda/suite/rng.cu`

use crate::{
    Job, JobError, LaunchDraft, ProgramDraft,
    data::{bytes, random_u64},
    philox::philox,
};

const PTX: &[u8] = include_bytes!("../../ptx/suite/rng.ptx");

pub fn jobs() -> Result<Vec<Job>, JobError> {
    Ok(vec![xorshift()?, pcg32()?, mersenne()?, lcg_jump()?, sobol()?, shuffle()?])
}

fn xorshift() -> Result<Job, JobError> {
    let (threads, each) = (128, 12);
    let seeds = random_u64(1, 2 * threads);
    let mut draft = ProgramDraft::new("xorshift", PTX);
    let from = draft.data(bytes(&seeds));
    let to = draft.zeros(threads * each * 8);
    draft.launch(
        LaunchDraft::line("xorshift", threads / 32, 32).int(each).pointers(&[from, to]).range(to, 32 * each * 8),
    );
    let mut out = Vec::new();
    for seed in seeds.chunks_exact(2) {
        let mut s = [seed[0], seed[1]];
        for _ in 0..each {
            out.push(s[0].wrapping_add(s[1]));
            let a = s[0] ^ (s[0] << 23);
            s = [s[1], a ^ s[1] ^ (a >> 17) ^ (s[1] >> 26)];
        }
    }
    draft.expect(to, bytes(&out));
    draft.finish()
}

fn pcg32() -> Result<Job, JobError> {
    let (threads, each, seed) = (96, 15, 42u64);
    let mut draft = ProgramDraft::new("pcg32", PTX);
    let to = draft.zeros(threads * each * 4);
    draft
        .launch(LaunchDraft::line("pcg32", threads / 32, 32).int(each).long(seed).pointer(to).range(to, 32 * each * 4));
    let mut out: Vec<u32> = Vec::new();
    for i in 0..threads as u64 {
        let next = |state: u64| state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(2 * i + 1);
        let mut state = next(seed + 2 * i + 1);
        for _ in 0..each {
            out.push((((state >> 18) ^ state) >> 27) as u32);
            if let Some(last) = out.last_mut() {
                *last = last.rotate_right((state >> 59) as u32);
            }
            state = next(state);
        }
    }
    draft.expect(to, bytes(&out));
    draft.finish()
}

/// The first numbers of MT19937, a whole state at a time as its authors do it.
fn twister(seed: u32, n: usize) -> Vec<u32> {
    let mut state = vec![seed];
    for i in 1..624u32 {
        let last = state[i as usize - 1];
        state.push(1_812_433_253u32.wrapping_mul(last ^ (last >> 30)).wrapping_add(i));
    }
    let mut out = Vec::new();
    while out.len() < n {
        for i in 0..624 {
            let y = (state[i] & 0x8000_0000) | (state[(i + 1) % 624] & 0x7fff_ffff);
            state[i] = state[(i + 397) % 624] ^ (y >> 1) ^ if y & 1 == 1 { 0x9908_b0df } else { 0 };
        }
        out.extend(state.iter().map(|y| {
            let y = y ^ (y >> 11);
            let y = y ^ ((y << 7) & 0x9d2c_5680);
            let y = y ^ ((y << 15) & 0xefc6_0000);
            y ^ (y >> 18)
        }));
    }
    out.truncate(n);
    out
}

fn mersenne() -> Result<Job, JobError> {
    let (threads, each, seed) = (32, 700, 5489);
    let mut draft = ProgramDraft::new("mersenne", PTX);
    let to = draft.zeros(threads * each * 4);
    draft.launch(LaunchDraft::line("mersenne", 2, 16).int(each).int(seed).pointer(to).range(to, 16 * each * 4));
    let out: Vec<u32> = (0..threads).flat_map(|thread| twister((seed + thread) as u32, each)).collect();
    draft.expect(to, bytes(&out));
    draft.finish()
}

fn lcg_jump() -> Result<Job, JobError> {
    let n = 512;
    let mut draft = ProgramDraft::new("lcg_jump", PTX);
    let to = draft.zeros(n * 4);
    draft.launch(LaunchDraft::line("lcg_jump", n / 64, 64).long(99).pointer(to).range(to, 64 * 4));
    let sequence = std::iter::successors(Some(99u64), |x| {
        Some(x.wrapping_mul(2_862_933_555_777_941_757).wrapping_add(3_037_000_493))
    });
    draft.expect(to, bytes(&sequence.take(n).map(|x| (x >> 32) as u32).collect::<Vec<_>>()));
    draft.finish()
}

fn sobol() -> Result<Job, JobError> {
    let n = 500;
    // The second dimension: the polynomial x + 1, which gives Pascal's triangle modulo 2.
    let directions: Vec<u32> = std::iter::successors(Some(1u32 << 31), |v| Some(v ^ (v >> 1))).take(32).collect();
    let mut draft = ProgramDraft::new("sobol", PTX);
    let table = draft.data(bytes(&directions));
    let to = draft.zeros(n * 4);
    draft.launch(LaunchDraft::line("sobol", n.div_ceil(128), 128).int(n).pointers(&[table, to]).range(to, 128 * 4));
    // Gray code: from one to the next, the direction of the lowest zero bit comes in or goes out.
    let mut x = 0u32;
    let out: Vec<f32> = (0..n as u32)
        .map(|i| {
            let here = (x >> 8) as f32 / 16_777_216.0;
            x ^= directions[i.trailing_ones() as usize];
            here
        })
        .collect();
    draft.expect(to, bytes(&out));
    draft.finish()
}

fn shuffle() -> Result<Job, JobError> {
    let seed = [1, 2];
    let mut draft = ProgramDraft::new("shuffle", PTX);
    let to = draft.zeros(3 * 256);
    draft.launch(LaunchDraft::line("shuffle", 3, 256).structure(bytes(&seed))?.pointer(to).range(to, 256));
    let permutation = |cta: u32| {
        let mut order: Vec<u8> = (0..=255).collect();
        order.sort_by_key(|i| philox([u32::from(*i), cta, 0, 0], seed)[0]);
        order
    };
    draft.expect(to, (0..3).flat_map(permutation).collect());
    draft.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_twister_gives_its_authors_ten_thousandth_number() {
        assert_eq!(twister(5489, 10_000).last(), Some(&4_123_659_995));
    }
}
