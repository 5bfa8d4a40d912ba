//! `cuda/suite/control.cu`

use crate::{
    Job, JobError, LaunchDraft, ProgramDraft,
    data::{Random, bytes, random_u32},
};

const PTX: &[u8] = include_bytes!("../../ptx/suite/control.ptx");

pub fn jobs() -> Result<Vec<Job>, JobError> {
    Ok(vec![interpreter()?, fractions()?, tangled()?, sieve()?, rules()?])
}

fn interpreter() -> Result<Job, JobError> {
    let count = 100;
    let inputs: Vec<i32> = random_u32(1, count).into_iter().map(|x| (x >> 20) as i32).collect();
    // sum = 0; do { next = (sum + n · (n & 1)) ^ 3; n >>= 1 } while n != 0, all sums left on the stack; the last two added.
    let code = [
        vec![1, 0, 6],    // sum n
        vec![5, 5, 9, 4], // sum n n·(n & 1)
        vec![10, 2],      // sum n n·(n & 1)+sum
        vec![1, 3, 11],   // sum n next
        vec![6, 8],       // sum next n>>1
        vec![5, 7, 14],   // back to the second line while n is not zero
        vec![12, 2, 0],   // sum + next
    ]
    .concat();
    let mut draft = ProgramDraft::new("interpreter", PTX);
    let buffers = [draft.data(code.clone()), draft.data(bytes(&inputs))];
    let to = draft.zeros(count * 4);
    draft.launch(
        LaunchDraft::line("interpreter", count.div_ceil(32), 32)
            .int(count)
            .pointers(&buffers)
            .pointer(to)
            .range(to, 128),
    );
    let run = |input: i32| -> i32 {
        let (mut stack, mut at) = (vec![input], 0usize);
        for _ in 0..500 {
            let op = code[at];
            at += 1;
            let Some(top) = stack.pop() else { return -3 };
            let last = stack.last().copied().unwrap_or(0);
            match op {
                0 => return top,
                1 => {
                    stack.extend([top, i32::from(code[at] as i8)]);
                    at += 1;
                }
                2 | 3 | 4 | 11 => {
                    stack.pop();
                    stack.push(match op {
                        2 => last.wrapping_add(top),
                        3 => last.wrapping_sub(top),
                        4 => last.wrapping_mul(top),
                        _ => last ^ top,
                    });
                }
                5 => stack.extend([top, top]),
                6 => {
                    stack.pop();
                    stack.extend([top, last]);
                }
                7 => at = if top != 0 { at - usize::from(code[at]) + 1 } else { at + 1 },
                8 => stack.push(top >> 1),
                9 => stack.push(top & 1),
                10 => {
                    let third = stack.len().checked_sub(2).and_then(|i| stack.get(i)).copied().unwrap_or(0);
                    stack.extend([top, third]);
                }
                12 => {}
                _ => return -1,
            }
        }
        -2
    };
    draft.expect(to, bytes(&inputs.iter().map(|input| run(*input)).collect::<Vec<_>>()));
    draft.finish()
}

fn fractions() -> Result<Job, JobError> {
    let (threads, each) = (64, 5);
    let mut random = Random::new(2);
    let parts: Vec<[i64; 2]> = (0..threads * each)
        .map(|_| [i64::from(random.below(200, 1)[0]) - 100, i64::from(random.below(60, 1)[0]) + 1])
        .collect();
    let mut draft = ProgramDraft::new("fractions", PTX);
    let from = draft.data(bytes(parts.as_flattened()));
    let to = draft.zeros(threads * 16);
    draft.launch(LaunchDraft::line("fractions", 2, 32).int(each).pointers(&[from, to]).range(to, 512));
    fn divisor(a: u64, b: u64) -> u64 {
        if b == 0 { a } else { divisor(b, a % b) }
    }
    let totals: Vec<[i64; 2]> = parts
        .chunks_exact(each)
        .map(|parts| {
            // Over one common denominator, cancelled once.
            let bottom: i64 = parts.iter().map(|part| part[1]).product();
            let top: i64 = parts.iter().map(|part| part[0] * (bottom / part[1])).sum();
            let common = divisor(top.unsigned_abs(), bottom.unsigned_abs()) as i64;
            [top / common, bottom / common]
        })
        .collect();
    draft.expect(to, bytes(totals.as_flattened()));
    draft.finish()
}

fn tangled() -> Result<Job, JobError> {
    let n = 200;
    let input: Vec<u32> = random_u32(3, n).into_iter().enumerate().map(|(i, x)| x >> (i % 30)).collect();
    let mut draft = ProgramDraft::new("tangled", PTX);
    let from = draft.data(bytes(&input));
    let to = draft.zeros(n * 4);
    draft.launch(LaunchDraft::line("tangled", n.div_ceil(64), 64).int(n).pointers(&[from, to]).range(to, 256));
    let one = |start: &u32| -> u32 {
        let (mut x, mut sum) = (*start, 0u32);
        for outer in 0..20u32 {
            if x % 7 == 3 {
                x /= 3;
                continue;
            }
            for inner in 0..(outer & 3) + 2 {
                if x == 0 {
                    return sum;
                }
                x = if x & 1 == 1 { x.wrapping_mul(5).wrapping_add(1) } else { x >> 2 };
                sum = sum.wrapping_add(x ^ inner);
                if sum % 11 == 4 {
                    break;
                }
            }
            if sum > 0xf000_0000 {
                return sum;
            }
            sum = sum.wrapping_mul(31).wrapping_add(outer);
        }
        sum ^ 0x5555
    };
    draft.expect(to, bytes(&input.iter().map(one).collect::<Vec<_>>()));
    draft.finish()
}

fn sieve() -> Result<Job, JobError> {
    let n = 500u32;
    let mut draft = ProgramDraft::new("sieve", PTX);
    let to = draft.zeros(n as usize * 4);
    draft.launch(LaunchDraft::line("sieve", n.div_ceil(64) as usize, 64).int(n as usize).pointer(to).range(to, 256));
    let smallest = |i: u32| {
        let number = 2 * i + 3;
        (2..312).find(|d| number % d == 0).unwrap_or(0)
    };
    draft.expect(to, bytes(&(0..n).map(smallest).collect::<Vec<_>>()));
    draft.finish()
}

fn rules() -> Result<Job, JobError> {
    let (count, length) = (150, 24);
    let words = random_u32(4, count + length);
    let mut draft = ProgramDraft::new("rules", PTX);
    let from = draft.data(bytes(&words));
    let to = draft.zeros(count * 4);
    draft.launch(
        LaunchDraft::line("rules", count.div_ceil(64), 64)
            .int(count)
            .int(length)
            .pointer(from)
            .pointer(to)
            .range(to, 256),
    );
    let of = |thread: usize| {
        let lagged = words[thread].is_multiple_of(3);
        let (mut state, mut last) = (thread as u32, !(thread as u32));
        words[thread..thread + length].iter().fold(0u32, |sum, word| {
            let next = if lagged {
                (state, last) = (last ^ word, state);
                last
            } else {
                let by = word & 0xff;
                state = match word >> 30 {
                    0 => state.wrapping_add(by),
                    1 => state.wrapping_mul(by | 1),
                    2 => state.rotate_left(by & 31),
                    _ => state.checked_div(by).unwrap_or(state),
                };
                state
            };
            sum.wrapping_mul(31).wrapping_add(next)
        })
    };
    let out: Vec<u32> = (0..count).map(of).collect();
    draft.expect(to, bytes(&out));
    draft.finish()
}
