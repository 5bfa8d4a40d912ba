//! `cuda/suite/elementwise.cu`

use crate::{
    Job, JobError, LaunchDraft, ProgramDraft,
    data::{bytes, random_f32, random_f64, random_u8, random_u32, random_u64},
    maths::exponential,
};

const PTX: &[u8] = include_bytes!("../../ptx/suite/elementwise.ptx");
const N: usize = 1000;

/// 1000 threads in CTAs of 128.
fn line(entry: &'static str) -> LaunchDraft {
    LaunchDraft::line(entry, N.div_ceil(128), 128).int(N)
}

pub fn jobs() -> Result<Vec<Job>, JobError> {
    Ok(vec![
        saxpy()?,
        leaky_relu()?,
        gelu()?,
        quantize()?,
        complex_multiply()?,
        bit_tricks()?,
        horner()?,
        drift()?,
        blend()?,
        divide()?,
    ])
}

fn saxpy() -> Result<Job, JobError> {
    let (x, y) = (random_f32(1, N), random_f32(2, N));
    let mut draft = ProgramDraft::new("saxpy", PTX);
    let (bx, by) = (draft.data(bytes(&x)), draft.data(bytes(&y)));
    draft.launch(line("saxpy").float(2.5).pointers(&[bx, by]).range(by, 128 * 4));
    let sum: Vec<f32> = x.iter().zip(&y).map(|(x, y)| 2.5f32.mul_add(*x, *y)).collect();
    draft.expect(by, bytes(&sum));
    draft.finish()
}

fn leaky_relu() -> Result<Job, JobError> {
    let x = random_f32(3, N);
    let mut draft = ProgramDraft::new("leaky_relu", PTX);
    let from = draft.data(bytes(&x));
    let to = draft.zeros(N * 4);
    // Three CTAs of 64 threads stride over the array: CTA x owns 64 floats in every 192.
    let dims = vec![
        crate::draft::span(192 * 4, 5, None, 1),
        crate::draft::span(64 * 4, 3, Some(assay_primitives::Axis::X), 1),
    ];
    let rest = vec![crate::draft::span(40 * 4, 1, Some(assay_primitives::Axis::X), 1)];
    draft.launch(
        LaunchDraft::line("leaky_relu", 3, 64).int(N).float(0.125).pointers(&[from, to]).map(to, 0, dims, 64 * 4).map(
            to,
            960 * 4,
            rest,
            40 * 4,
        ),
    );
    let y: Vec<f32> = x.iter().map(|x| if *x > 0.0 { *x } else { 0.125 * x }).collect();
    draft.expect(to, bytes(&y));
    draft.finish()
}

fn gelu() -> Result<Job, JobError> {
    let x: Vec<f32> = random_f32(4, N).iter().map(|x| x * 4.0).collect();
    let mut draft = ProgramDraft::new("gelu", PTX);
    let from = draft.data(bytes(&x));
    let to = draft.zeros(N * 4);
    draft.launch(line("gelu").pointers(&[from, to]).range(to, 128 * 4));
    let one = |v: f32| v / (1.0 + exponential(-2.0 * (0.797_884_56 * (0.044_715 * v * v).mul_add(v, v))));
    draft.expect(to, bytes(&x.into_iter().map(one).collect::<Vec<_>>()));
    draft.finish()
}

fn quantize() -> Result<Job, JobError> {
    let x = random_f32(5, N * 4);
    let mut draft = ProgramDraft::new("quantize", PTX);
    let from = draft.data(bytes(&x));
    let to = draft.zeros(N * 4);
    draft.launch(line("quantize").float(150.0).pointers(&[from, to]).range(to, 128 * 4));
    let y: Vec<i8> = x.iter().map(|x| ((x * 150.0).round_ties_even() as i32).clamp(-127, 127) as i8).collect();
    draft.expect(to, bytes(&y));
    draft.finish()
}

fn complex_multiply() -> Result<Job, JobError> {
    let (a, b) = (random_f32(6, 2 * N), random_f32(7, 2 * N));
    let mut draft = ProgramDraft::new("complex_multiply", PTX);
    let (ba, bb) = (draft.data(bytes(&a)), draft.data(bytes(&b)));
    let to = draft.zeros(N * 8);
    draft.launch(line("complex_multiply").pointers(&[ba, bb, to]).range(to, 128 * 8));
    let c: Vec<f32> = a
        .chunks_exact(2)
        .zip(b.chunks_exact(2))
        .flat_map(|(p, q)| [p[0].mul_add(q[0], -(p[1] * q[1])), p[0].mul_add(q[1], p[1] * q[0])])
        .collect();
    draft.expect(to, bytes(&c));
    draft.finish()
}

fn bit_tricks() -> Result<Job, JobError> {
    let mut x = random_u32(8, N);
    x[0] = 0;
    x[1] = u32::MAX;
    // Few bits set in the rest of the first hundred.
    x.iter_mut().take(100).skip(2).for_each(|x| *x &= x.rotate_left(7) & x.rotate_left(13));
    let mut draft = ProgramDraft::new("bit_tricks", PTX);
    let from = draft.data(bytes(&x));
    let to = draft.zeros(N * 16);
    draft.launch(line("bit_tricks").pointers(&[from, to]).range(to, 128 * 16));
    let y: Vec<u32> = x
        .iter()
        .flat_map(|x| {
            [x.count_ones(), x.leading_zeros(), x.reverse_bits(), if *x == 0 { 0 } else { x.trailing_zeros() + 1 }]
        })
        .collect();
    draft.expect(to, bytes(&y));
    draft.finish()
}

fn horner() -> Result<Job, JobError> {
    let (x, c) = (random_f64(9, N), random_f64(10, 8));
    let mut draft = ProgramDraft::new("horner", PTX);
    let from = draft.data(bytes(&x));
    let to = draft.zeros(N * 8);
    let coefficients = draft.data(bytes(&c));
    draft.launch(line("horner").pointers(&[from, to, coefficients]).range(to, 128 * 8));
    let y: Vec<f64> =
        x.iter().map(|x| c.iter().rev().copied().reduce(|sum, c| sum.mul_add(*x, c)).unwrap_or(0.0)).collect();
    draft.expect(to, bytes(&y));
    draft.finish()
}

fn drift() -> Result<Job, JobError> {
    let numbers = random_f32(11, 6 * N);
    let kinds = random_u8(12, N);
    let particles = |numbers: &[f32]| -> Vec<u8> {
        numbers
            .chunks_exact(6)
            .zip(&kinds)
            .flat_map(|(six, kind)| [bytes(six), vec![kind & 3, 0, 0, 0]].concat())
            .collect()
    };
    let mut draft = ProgramDraft::new("drift", PTX);
    let buffer = draft.data(particles(&numbers));
    // Only the positions: 12 bytes of each record of 28.
    let dims = vec![crate::draft::span(28, N as u64, Some(assay_primitives::Axis::X), 128)];
    draft.launch(line("drift").pointer(buffer).float(0.5).arg(assay_primitives::Arg::U8(2)).map(buffer, 0, dims, 12));
    let mut moved = numbers;
    for (six, kind) in moved.chunks_exact_mut(6).zip(&kinds) {
        if kind & 3 == 2 {
            for axis in 0..3 {
                six[axis] = 0.5f32.mul_add(six[axis + 3], six[axis]);
            }
        }
    }
    draft.expect(buffer, particles(&moved));
    draft.finish()
}

fn blend() -> Result<Job, JobError> {
    let (a, b) = (random_u8(13, 4 * N), random_u8(14, 4 * N));
    let mut draft = ProgramDraft::new("blend", PTX);
    let (ba, bb) = (draft.data(a.clone()), draft.data(b.clone()));
    let to = draft.zeros(4 * N);
    draft.launch(line("blend").pointers(&[ba, bb, to]).range(to, 128 * 4));
    let mean = a.iter().zip(&b).map(|(a, b)| (u16::from(*a) + u16::from(*b)).div_ceil(2) as u8).collect();
    draft.expect(to, mean);
    draft.finish()
}

fn divide() -> Result<Job, JobError> {
    let a: Vec<i64> = random_u64(15, N).into_iter().map(|x| x as i64).collect();
    // Divisors of all magnitudes, none of them zero.
    let b: Vec<i64> = random_u64(16, N).into_iter().enumerate().map(|(i, x)| (x as i64 >> (i % 63)) | 1).collect();
    let mut draft = ProgramDraft::new("divide", PTX);
    let (ba, bb) = (draft.data(bytes(&a)), draft.data(bytes(&b)));
    let outs = [draft.zeros(8 * N), draft.zeros(8 * N), draft.zeros(8 * N)];
    draft.launch(
        line("divide")
            .pointers(&[ba, bb])
            .pointers(&outs)
            .range(outs[0], 128 * 8)
            .range(outs[1], 128 * 8)
            .range(outs[2], 128 * 8),
    );
    let pairs = || a.iter().copied().zip(b.iter().copied());
    let quotient: Vec<i64> = pairs()
        .map(|(a, b)| a.wrapping_div(b).wrapping_add(i64::from((a as i32).wrapping_div(b as i32 | 1))))
        .collect();
    let remainder: Vec<u64> = pairs().map(|(a, b)| a as u64 % b as u64).collect();
    let ratio: Vec<f64> = pairs().map(|(a, b)| a as f64 / b as f64 + (a as f64).abs().sqrt()).collect();
    draft.expect(outs[0], bytes(&quotient));
    draft.expect(outs[1], bytes(&remainder));
    draft.expect(outs[2], bytes(&ratio));
    draft.finish()
}
