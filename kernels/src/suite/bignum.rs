//! `cuda/suite/bignum.cu`

use crate::{
    Job, JobError, LaunchDraft, ProgramDraft,
    data::{bytes, random_u64},
};

const PTX: &[u8] = include_bytes!("../../ptx/suite/bignum.ptx");

pub fn jobs() -> Result<Vec<Job>, JobError> {
    Ok(vec![multiply256()?, field_multiply()?, primes()?, factorial()?])
}

/// Schoolbook, 32 bits at a time.
fn multiply(a: &[u64], b: &[u64]) -> Vec<u64> {
    let halves = |x: &[u64]| -> Vec<u64> { x.iter().flat_map(|x| [x & 0xffff_ffff, x >> 32]).collect() };
    let (a, b) = (halves(a), halves(b));
    let mut columns = vec![0u128; a.len() + b.len()];
    for (i, x) in a.iter().enumerate() {
        for (j, y) in b.iter().enumerate() {
            columns[i + j] += u128::from(x * y);
        }
    }
    let mut carry = 0u128;
    let digits: Vec<u64> = columns
        .into_iter()
        .map(|column| {
            carry += column;
            let digit = carry as u64 & 0xffff_ffff;
            carry >>= 32;
            digit
        })
        .collect();
    digits.chunks_exact(2).map(|pair| pair[0] | pair[1] << 32).collect()
}

const MODULUS: [u64; 4] = [0xffff_fffe_ffff_fc2f, u64::MAX, u64::MAX, u64::MAX];

/// Remainder by shifting and subtracting, a bit at a time.
fn remainder(x: &[u64]) -> [u64; 4] {
    let mut rest = [0u64; 4];
    for bit in (0..64 * x.len()).rev() {
        let mut carry = x[bit / 64] >> (bit % 64) & 1;
        for word in &mut rest {
            let next = *word >> 63;
            *word = *word << 1 | carry;
            carry = next;
        }
        if carry == 1 || rest.iter().rev().ge(MODULUS.iter().rev()) {
            let mut borrow = false;
            for (word, modulus) in rest.iter_mut().zip(MODULUS) {
                let (less, first) = word.overflowing_sub(modulus);
                let (less, second) = less.overflowing_sub(u64::from(borrow));
                *word = less;
                borrow = first || second;
            }
        }
    }
    rest
}

fn multiply256() -> Result<Job, JobError> {
    let count = 100;
    let (mut a, b) = (random_u64(1, 4 * count), random_u64(2, 4 * count));
    a[..4].fill(u64::MAX);
    let mut draft = ProgramDraft::new("multiply256", PTX);
    let buffers = [draft.data(bytes(&a)), draft.data(bytes(&b))];
    let to = draft.zeros(count * 64);
    draft.launch(
        LaunchDraft::line("multiply256", count.div_ceil(32), 32)
            .int(count)
            .pointers(&buffers)
            .pointer(to)
            .range(to, 2048),
    );
    let c: Vec<u64> = a.chunks_exact(4).zip(b.chunks_exact(4)).flat_map(|(a, b)| multiply(a, b)).collect();
    draft.expect(to, bytes(&c));
    draft.finish()
}

fn field_multiply() -> Result<Job, JobError> {
    let count = 100;
    let (mut a, mut b) = (random_u64(3, 4 * count), random_u64(4, 4 * count));
    // −1 · −1, −1 · 1, 0 · x, and a product just above the modulus.
    let minus = [MODULUS[0] - 1, MODULUS[1], MODULUS[2], MODULUS[3]];
    a[..4].copy_from_slice(&minus);
    b[..4].copy_from_slice(&minus);
    a[4..8].copy_from_slice(&minus);
    b[4..8].copy_from_slice(&[1, 0, 0, 0]);
    a[8..12].fill(0);
    a[12..16].copy_from_slice(&[0, 0, 0, 1 << 63]);
    b[12..16].copy_from_slice(&[2, 0, 0, 0]);
    let mut draft = ProgramDraft::new("field_multiply", PTX);
    let buffers = [draft.data(bytes(&a)), draft.data(bytes(&b))];
    let to = draft.zeros(count * 32);
    draft.launch(
        LaunchDraft::line("field_multiply", count.div_ceil(32), 32)
            .int(count)
            .pointers(&buffers)
            .pointer(to)
            .range(to, 1024),
    );
    let c: Vec<u64> = a.chunks_exact(4).zip(b.chunks_exact(4)).flat_map(|(a, b)| remainder(&multiply(a, b))).collect();
    draft.expect(to, bytes(&c));
    draft.finish()
}

fn primes() -> Result<Job, JobError> {
    let (first, threads) = (3_037_000_001u64, 128usize);
    let high = 18_446_744_073_709_551_001u64;
    let mut draft = ProgramDraft::new("primes", PTX);
    let (low_out, high_out) = (draft.zeros(threads), draft.zeros(threads));
    for (from, out) in [(first, low_out), (high, high_out)] {
        draft.launch(LaunchDraft::line("primes", threads / 64, 64).long(from).pointer(out).range(out, 64));
    }
    // A sieve over the window.
    let sieve = |from: u64, primes: &[u64]| -> Vec<u8> {
        (0..threads as u64)
            .map(|i| {
                let n = from + 2 * i;
                u8::from(primes.iter().take_while(|p| **p <= n / **p).all(|p| n % p != 0))
            })
            .collect()
    };
    let small: Vec<u64> = {
        let mut composite = vec![false; 56_000];
        (2..56_000usize)
            .filter(|n| {
                if !composite[*n] {
                    (n * n..56_000).step_by(*n).for_each(|m| composite[m] = true);
                }
                !composite[*n]
            })
            .map(|n| n as u64)
            .collect()
    };
    draft.expect(low_out, sieve(first, &small));
    let high_primes = HIGH.map(|below| 0u64.wrapping_sub(below));
    draft.expect(high_out, (0..threads as u64).map(|i| u8::from(high_primes.contains(&(high + 2 * i)))).collect());
    draft.finish()
}

/// 2⁶⁴ minus these are the primes from 2⁶⁴ − 615 to 2⁶⁴ − 361, by another test: Miller's with the first twelve primes.
const HIGH: [u64; 4] = [363, 425, 453, 503];

fn factorial() -> Result<Job, JobError> {
    let n = 60usize;
    let mut draft = ProgramDraft::new("factorial", PTX);
    let to = draft.zeros(64 * 4);
    draft.launch(LaunchDraft::line("factorial", 1, 64).int(n).pointer(to).range(to, 256));
    let mut digits = vec![1u8];
    for k in 2..=n as u32 {
        let mut carry = 0u32;
        for digit in &mut digits {
            carry += u32::from(*digit) * k;
            *digit = (carry % 10) as u8;
            carry /= 10;
        }
        while carry > 0 {
            digits.push((carry % 10) as u8);
            carry /= 10;
        }
    }
    let mut limbs: Vec<u32> =
        digits.chunks(9).map(|nine| nine.iter().rev().fold(0, |limb, digit| limb * 10 + u32::from(*digit))).collect();
    limbs.resize(64, 0);
    draft.expect(to, bytes(&limbs));
    draft.finish()
}
