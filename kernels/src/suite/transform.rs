//! `cuda/suite/transform.cu`

use crate::{
    Job, JobError, LaunchDraft, ProgramDraft,
    data::{Random, bytes, random_f32, random_u8, random_u32},
    maths::sine_cosine,
};

const PTX: &[u8] = include_bytes!("../../ptx/suite/transform.ptx");
const PRIME: u64 = 998_244_353;

pub fn jobs() -> Result<Vec<Job>, JobError> {
    Ok(vec![fft()?, ntt_multiply()?, walsh()?, dct8()?])
}

type Complex = [f32; 2];

/// Radix 2, decimation in time, recursively: the same butterflies as the kernel's loops.
fn transform(x: &[Complex], twiddles: &[Complex]) -> Vec<Complex> {
    if x.len() == 1 {
        return x.to_vec();
    }
    let half = x.len() / 2;
    let [even, odd] = [0, 1].map(|from| {
        let part: Vec<Complex> = x.iter().skip(from).step_by(2).copied().collect();
        transform(&part, twiddles)
    });
    let mut out = vec![[0.0; 2]; x.len()];
    for k in 0..half {
        let ([wr, wi], [br, bi]) = (twiddles[k * twiddles.len() / half], odd[k]);
        let t = [wr * br - wi * bi, wr * bi + wi * br];
        out[k] = [even[k][0] + t[0], even[k][1] + t[1]];
        out[k + half] = [even[k][0] - t[0], even[k][1] - t[1]];
    }
    out
}

fn fft() -> Result<Job, JobError> {
    let count = 3;
    let x = random_f32(1, count * 1024);
    let twiddles: Vec<Complex> = (0..256u32)
        .map(|k| {
            let (sine, cosine) = sine_cosine(k << 23);
            [cosine, -sine]
        })
        .collect();
    let mut draft = ProgramDraft::new("fft", PTX);
    let from = draft.data(bytes(&x));
    let to = draft.zeros(x.len() * 4);
    let table = draft.data(bytes(twiddles.as_flattened()));
    draft.launch(LaunchDraft::line("fft", count, 256).pointers(&[from, to, table]).range(to, 512 * 8));
    let (signals, _) = x.as_chunks::<2>();
    let y: Vec<Complex> = signals.chunks_exact(512).flat_map(|signal| transform(signal, &twiddles)).collect();
    draft.expect(to, bytes(y.as_flattened()));
    draft.finish()
}

fn ntt_multiply() -> Result<Job, JobError> {
    let count = 2;
    let [a, b] = [2, 3].map(|seed| Random::new(seed).below(PRIME, count * 128));
    let mut draft = ProgramDraft::new("ntt_multiply", PTX);
    let buffers = [draft.data(bytes(&a)), draft.data(bytes(&b))];
    let to = draft.zeros(count * 256 * 4);
    draft.launch(LaunchDraft::line("ntt_multiply", count, 128).pointers(&buffers).pointer(to).range(to, 256 * 4));
    let mut c = vec![0u32; count * 256];
    for ((a, b), c) in a.chunks_exact(128).zip(b.chunks_exact(128)).zip(c.chunks_exact_mut(256)) {
        for (i, x) in a.iter().enumerate() {
            for (j, y) in b.iter().enumerate() {
                c[i + j] = ((u64::from(c[i + j]) + u64::from(*x) * u64::from(*y)) % PRIME) as u32;
            }
        }
    }
    draft.expect(to, bytes(&c));
    draft.finish()
}

fn walsh() -> Result<Job, JobError> {
    let x: Vec<i32> = random_u32(4, 2 * 1024).into_iter().map(|x| x as i32).collect();
    let mut draft = ProgramDraft::new("walsh", PTX);
    let from = draft.data(bytes(&x));
    let to = draft.zeros(x.len() * 4);
    draft.launch(LaunchDraft::line("walsh", 2, 1024).pointers(&[from, to]).range(to, 4096));
    let y: Vec<i32> = x
        .chunks_exact(1024)
        .flat_map(|x| {
            (0..1024usize).map(move |i| {
                x.iter().enumerate().fold(0i32, |sum, (j, x)| {
                    if (i & j).count_ones() % 2 == 0 { sum.wrapping_add(*x) } else { sum.wrapping_sub(*x) }
                })
            })
        })
        .collect();
    draft.expect(to, bytes(&y));
    draft.finish()
}

/// cos((2k + 1)uπ/16), scaled to an orthonormal transform, in 1/2048.
const COSINES: [[i32; 8]; 8] = [
    [724, 724, 724, 724, 724, 724, 724, 724],
    [1004, 851, 569, 200, -200, -569, -851, -1004],
    [946, 392, -392, -946, -946, -392, 392, 946],
    [851, -200, -1004, -569, 569, 1004, 200, -851],
    [724, -724, -724, 724, 724, -724, -724, 724],
    [569, -1004, 200, 851, -851, -200, 1004, -569],
    [392, -946, 946, -392, -392, 946, -946, 392],
    [200, -569, 851, -1004, 1004, -851, 569, -200],
];

fn dct8() -> Result<Job, JobError> {
    let [w, h] = [48, 24];
    let picture = random_u8(5, w * h);
    let mut draft = ProgramDraft::new("dct8", PTX);
    let from = draft.data(picture.clone());
    let to = draft.zeros(w * h * 2);
    draft.launch(LaunchDraft::plane("dct8", [w, h], [8, 8]).int(w).pointers(&[from, to]).tile(to, [8, 8], [w, h], 2));
    let out: Vec<i16> = (0..w * h)
        .map(|i| {
            let (x, y) = (i % w, i / w);
            let (left, top) = (x / 8 * 8, y / 8 * 8);
            let sum: i32 = (0..8)
                .map(|row| {
                    let across: i32 = (0..8)
                        .map(|k| COSINES[x % 8][k] * (i32::from(picture[(top + row) * w + left + k]) - 128))
                        .sum();
                    COSINES[y % 8][row] * (across >> 6)
                })
                .sum();
            ((sum + (1 << 15)) >> 16) as i16
        })
        .collect();
    draft.expect(to, bytes(&out));
    draft.finish()
}
