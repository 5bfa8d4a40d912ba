//! `cuda/suite/halves.cu`

use crate::{
    Job, JobError, LaunchDraft, ProgramDraft,
    data::{bytes, random_f32},
};

const PTX: &[u8] = include_bytes!("../../ptx/suite/halves.ptx");

pub fn jobs() -> Result<Vec<Job>, JobError> {
    Ok(vec![axpy_half()?, round_trip()?, row_sums()?, brain()?])
}

/// A number in 2⁻⁴⁸: exact for halves and for products of two.
type Fixed = i128;

fn fixed_of_half(half: u16) -> Fixed {
    let (exponent, fraction) = (i32::from(half >> 10 & 31), Fixed::from(half & 0x3ff));
    let magnitude = if exponent == 0 { fraction << 24 } else { (fraction | 0x400) << (exponent + 23) };
    if half & 0x8000 != 0 { -magnitude } else { magnitude }
}

/// The half nearest to `x`, the even of two; towards zero if `cut`. `negative` is the sign of a zero.
fn half_of_fixed(x: Fixed, negative: bool, cut: bool) -> u16 {
    let sign = if x < 0 || (x == 0 && negative) { 0x8000 } else { 0 };
    let magnitude = x.unsigned_abs();
    // Places of the last bit that is kept: 2⁻²⁴, or ten below the leading one.
    let last = (128 - magnitude.leading_zeros()).saturating_sub(11).max(24);
    let (kept, rest, tie) = (magnitude >> last, magnitude & ((1 << last) - 1), 1u128 << (last - 1));
    let up = !cut && (rest > tie || (rest == tie && kept & 1 == 1));
    let kept = kept + u128::from(up);
    // A subnormal has the exponent of the least normal; a carry out of the fraction moves into the exponent by itself.
    let bits = kept + ((last as u128 - 24) << 10);
    let most = if cut { 0x7bff } else { 0x7c00 };
    sign | bits.min(most) as u16
}

/// Of a multiple of 2⁻⁴⁸.
fn fixed_of_float(x: f32) -> Fixed {
    (f64::from(x) * 281_474_976_710_656.0) as Fixed
}

fn float_of_half(half: u16) -> f32 {
    let magnitude = half & 0x7fff;
    if magnitude == 0x7c00 {
        return if half & 0x8000 != 0 { f32::NEG_INFINITY } else { f32::INFINITY };
    }
    let x = (fixed_of_half(magnitude) as f64 / 281_474_976_710_656.0) as f32;
    if half & 0x8000 != 0 { -x } else { x }
}

fn halves(seed: u64, n: usize) -> Vec<u16> {
    random_f32(seed, n).into_iter().map(|x| half_of_fixed(fixed_of_float(x), false, false)).collect()
}

/// Numbers over the whole range of halves and a little beyond.
fn floats(seed: u64, n: usize) -> Vec<f32> {
    random_f32(seed, n).into_iter().zip((-25..18).cycle()).map(|(x, exponent)| x * 2.0f32.powi(exponent)).collect()
}

fn line(entry: &'static str, n: usize) -> LaunchDraft {
    LaunchDraft::line(entry, n.div_ceil(64), 64).int(n)
}

fn axpy_half() -> Result<Job, JobError> {
    let n = 300;
    let (x, y) = (halves(1, 2 * n), halves(2, 2 * n));
    let a = [0x3e01u16, 0xb555];
    let mut draft = ProgramDraft::new("axpy_half", PTX);
    let (bx, by) = (draft.data(bytes(&x)), draft.data(bytes(&y)));
    draft.launch(line("axpy_half", n).structure(bytes(&a))?.pointers(&[bx, by]).range(by, 256));
    let out: Vec<u16> = x
        .iter()
        .zip(&y)
        .enumerate()
        .map(|(i, (x, y))| {
            let product = (fixed_of_half(a[i % 2]) * fixed_of_half(*x)) >> 48;
            let negative = (a[i % 2] ^ x) & 0x8000 != 0 && y & 0x8000 != 0;
            half_of_fixed(product + fixed_of_half(*y), negative, false)
        })
        .collect();
    draft.expect(by, bytes(&out));
    draft.finish()
}

fn round_trip() -> Result<Job, JobError> {
    let n = 1000;
    let x = floats(3, n);
    let mut draft = ProgramDraft::new("round_trip", PTX);
    let from = draft.data(bytes(&x));
    let outs = [draft.zeros(n * 2), draft.zeros(n * 4), draft.zeros(n)];
    draft.launch(
        line("round_trip", n).pointer(from).pointers(&outs).range(outs[0], 128).range(outs[1], 256).range(outs[2], 64),
    );
    let round =
        |cut| -> Vec<u16> { x.iter().map(|x| half_of_fixed(fixed_of_float(*x), x.is_sign_negative(), cut)).collect() };
    let (near, cut) = (round(false), round(true));
    draft.expect(outs[0], bytes(&near));
    draft.expect(outs[1], bytes(&near.iter().zip(&x).map(|(half, x)| float_of_half(*half) - x).collect::<Vec<_>>()));
    draft.expect(
        outs[2],
        near.iter().zip(&cut).map(|(near, cut)| u8::from(float_of_half(*near) > float_of_half(*cut))).collect(),
    );
    draft.finish()
}

fn row_sums() -> Result<Job, JobError> {
    let rows = 40;
    let x = halves(4, rows * 64);
    let mut draft = ProgramDraft::new("row_sums", PTX);
    let from = draft.data(bytes(&x));
    let to = draft.zeros(rows * 4);
    draft.launch(line("row_sums", rows).pointers(&[from, to]).range(to, 256));
    let sums: Vec<f32> = x
        .chunks_exact(64)
        .map(|row| {
            row.chunks_exact(2).fold(0.0f32, |sum, pair| {
                let (a, b) = (fixed_of_half(pair[0]), fixed_of_half(pair[1]));
                let product = half_of_fixed((a * b) >> 48, false, false);
                sum + float_of_half(half_of_fixed(fixed_of_half(product) + a, false, false))
            })
        })
        .collect();
    draft.expect(to, bytes(&sums));
    draft.finish()
}

fn brain() -> Result<Job, JobError> {
    let n = 500;
    let x = floats(5, n);
    let mut draft = ProgramDraft::new("brain", PTX);
    let from = draft.data(bytes(&x));
    let to = draft.zeros(n * 2);
    draft.launch(line("brain", n).pointers(&[from, to]).range(to, 128));
    let y: Vec<u16> = x.iter().map(|x| ((x.to_bits() + 0x7fff + (x.to_bits() >> 16 & 1)) >> 16) as u16).collect();
    draft.expect(to, bytes(&y));
    draft.finish()
}
