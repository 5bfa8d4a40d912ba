//! What each instruction computes, one lane at a time. 16-bit values stand zero-extended in 32 bits.

use crate::{
    double,
    soft::{BF16, F16, F32, F64, Format, Round},
};

pub(crate) const NAN_F32: u32 = 0x7fff_ffff;

pub(crate) fn sext16(a: u32) -> i32 {
    i32::from(a as u16 as i16)
}

pub(crate) fn sext8(a: u32) -> i32 {
    i32::from(a as u8 as i8)
}

#[inline(always)]
pub(crate) fn shl32(a: u32, b: u32) -> u32 {
    if b > 31 { 0 } else { a << b }
}

#[inline(always)]
pub(crate) fn shr_u32(a: u32, b: u32) -> u32 {
    if b > 31 { 0 } else { a >> b }
}

#[inline(always)]
pub(crate) fn shr_s32(a: u32, b: u32) -> u32 {
    ((a as i32) >> b.min(31)) as u32
}

#[inline(always)]
pub(crate) fn shl64(a: u64, b: u32) -> u64 {
    if b > 63 { 0 } else { a << b }
}

#[inline(always)]
pub(crate) fn shr_u64(a: u64, b: u32) -> u64 {
    if b > 63 { 0 } else { a >> b }
}

#[inline(always)]
pub(crate) fn shr_s64(a: u64, b: u32) -> u64 {
    ((a as i64) >> b.min(63)) as u64
}

#[inline(always)]
pub(crate) fn mul_hi_u32(a: u32, b: u32) -> u32 {
    ((u64::from(a) * u64::from(b)) >> 32) as u32
}

#[inline(always)]
pub(crate) fn mul_hi_s32(a: u32, b: u32) -> u32 {
    ((i64::from(a as i32) * i64::from(b as i32)) >> 32) as u32
}

pub(crate) fn mul_hi_u64(a: u64, b: u64) -> u64 {
    ((u128::from(a) * u128::from(b)) >> 64) as u64
}

pub(crate) fn mul_hi_s64(a: u64, b: u64) -> u64 {
    ((i128::from(a as i64) * i128::from(b as i64)) >> 64) as u64
}

/// Division by zero gives all ones, as the hardware does.
pub(crate) fn div_u32(a: u32, b: u32) -> u32 {
    a.checked_div(b).unwrap_or(u32::MAX)
}

pub(crate) fn div_s32(a: u32, b: u32) -> u32 {
    if b == 0 { u32::MAX } else { (a as i32).wrapping_div(b as i32) as u32 }
}

pub(crate) fn rem_u32(a: u32, b: u32) -> u32 {
    a.checked_rem(b).unwrap_or(a)
}

pub(crate) fn rem_s32(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { (a as i32).wrapping_rem(b as i32) as u32 }
}

pub(crate) fn div_u64(a: u64, b: u64) -> u64 {
    a.checked_div(b).unwrap_or(u64::MAX)
}

pub(crate) fn div_s64(a: u64, b: u64) -> u64 {
    if b == 0 { u64::MAX } else { (a as i64).wrapping_div(b as i64) as u64 }
}

pub(crate) fn rem_u64(a: u64, b: u64) -> u64 {
    a.checked_rem(b).unwrap_or(a)
}

pub(crate) fn rem_s64(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { (a as i64).wrapping_rem(b as i64) as u64 }
}

#[inline(always)]
pub(crate) fn funnel_left_wrap(a: u32, b: u32, c: u32) -> u32 {
    let by = c & 31;
    b << by | a >> 1 >> (31 - by)
}

#[inline(always)]
pub(crate) fn funnel_right_wrap(a: u32, b: u32, c: u32) -> u32 {
    let by = c & 31;
    a >> by | b << 1 << (31 - by)
}

pub(crate) fn funnel_left_clamp(a: u32, b: u32, c: u32) -> u32 {
    ((((u64::from(b) << 32) | u64::from(a)) << c.min(32)) >> 32) as u32
}

pub(crate) fn funnel_right_clamp(a: u32, b: u32, c: u32) -> u32 {
    (((u64::from(b) << 32) | u64::from(a)) >> c.min(32)) as u32
}

/// Bit `4 * a + 2 * b + c` of the table for each bit; `table` has a word for each of its bits.
#[inline(always)]
pub(crate) fn lop3(a: u32, b: u32, c: u32, table: &[u32; 8]) -> u32 {
    let pick = |no: u32, yes: u32, by: u32| no ^ (no ^ yes) & by;
    let low = pick(pick(table[0], table[1], c), pick(table[2], table[3], c), b);
    let high = pick(pick(table[4], table[5], c), pick(table[6], table[7], c), b);
    pick(low, high, a)
}

#[inline(always)]
pub(crate) fn prmt(a: u32, b: u32, selector: u32) -> u32 {
    let bytes = u64::from(b) << 32 | u64::from(a);
    let mut d = 0;
    for lane in 0..4 {
        let choice = selector >> (4 * lane) & 15;
        let byte = (bytes >> (8 * (choice & 7))) as u32 & 0xff;
        let value = if choice & 8 != 0 { (byte >> 7) * 0xff } else { byte };
        d |= value << (8 * lane);
    }
    d
}

/// A selector taken apart: for each byte all ones to take it from `b`, and how far right it lies.
#[derive(Clone, Copy)]
pub(crate) struct Permutation([(u32, u32); 4]);

impl Permutation {
    /// `None` where signs are replicated.
    #[inline(always)]
    pub(crate) fn of(selector: u32) -> Option<Self> {
        (selector & 0x8888 == 0).then(|| {
            Self([0u32, 4, 8, 12].map(|at| {
                let choice = selector >> at;
                (0u32.wrapping_sub(choice >> 2 & 1), 8 * (choice & 3))
            }))
        })
    }

    #[inline(always)]
    pub(crate) fn apply(self, a: u32, b: u32) -> u32 {
        let byte = |(other, by): (u32, u32)| (a ^ (a ^ b) & other) >> by & 0xff;
        let [first, second, third, fourth] = self.0;
        byte(first) | byte(second) << 8 | byte(third) << 16 | byte(fourth) << 24
    }
}

fn pick(a: u32, b: u32, lanes: [u32; 4]) -> u32 {
    let bytes = u64::from(b) << 32 | u64::from(a);
    let mut d = 0;
    for (lane, choice) in lanes.into_iter().enumerate() {
        d |= ((bytes >> (8 * choice)) as u32 & 0xff) << (8 * lane);
    }
    d
}

pub(crate) fn prmt_f4e(a: u32, b: u32, c: u32) -> u32 {
    let c = c & 3;
    pick(a, b, [c, c + 1, c + 2, c + 3])
}

pub(crate) fn prmt_b4e(a: u32, b: u32, c: u32) -> u32 {
    let c = c & 3;
    pick(a, b, [c, (c + 7) & 7, (c + 6) & 7, (c + 5) & 7])
}

pub(crate) fn prmt_rc8(a: u32, b: u32, c: u32) -> u32 {
    pick(a, b, [c & 3; 4])
}

pub(crate) fn prmt_ecl(a: u32, b: u32, c: u32) -> u32 {
    let c = c & 3;
    pick(a, b, [c, c.max(1), c.max(2), 3])
}

pub(crate) fn prmt_ecr(a: u32, b: u32, c: u32) -> u32 {
    let c = c & 3;
    pick(a, b, [0, c.min(1), c.min(2), c])
}

pub(crate) fn prmt_rc16(a: u32, b: u32, c: u32) -> u32 {
    if c & 1 == 0 { pick(a, b, [0, 1, 0, 1]) } else { pick(a, b, [2, 3, 2, 3]) }
}

fn bytes(a: u32, signed: bool) -> [i32; 4] {
    a.to_le_bytes().map(|byte| if signed { i32::from(byte as i8) } else { i32::from(byte) })
}

fn dot4(a: u32, b: u32, c: u32, sa: bool, sb: bool) -> u32 {
    let (a, b) = (bytes(a, sa), bytes(b, sb));
    let mut sum = c;
    for lane in 0..4 {
        sum = sum.wrapping_add(a[lane].wrapping_mul(b[lane]) as u32);
    }
    sum
}

#[inline(always)]
pub(crate) fn dp4a_ss(a: u32, b: u32, c: u32) -> u32 {
    let part = |shift: u32| ((a << shift) as i32 >> 24).wrapping_mul((b << shift) as i32 >> 24) as u32;
    c.wrapping_add(part(24)).wrapping_add(part(16)).wrapping_add(part(8)).wrapping_add(part(0))
}

pub(crate) fn dp4a_uu(a: u32, b: u32, c: u32) -> u32 {
    dot4(a, b, c, false, false)
}

pub(crate) fn dp4a_su(a: u32, b: u32, c: u32) -> u32 {
    dot4(a, b, c, true, false)
}

pub(crate) fn dp4a_us(a: u32, b: u32, c: u32) -> u32 {
    dot4(a, b, c, false, true)
}

fn dot2(a: u32, b: u32, c: u32, sa: bool, sb: bool, high: bool) -> u32 {
    let halves =
        |v: u32, signed: bool| [v & 0xffff, v >> 16].map(|half| if signed { sext16(half) } else { half as i32 });
    let (a, b) = (halves(a, sa), bytes(b, sb));
    let at = if high { 2 } else { 0 };
    c.wrapping_add(a[0].wrapping_mul(b[at]) as u32).wrapping_add(a[1].wrapping_mul(b[at + 1]) as u32)
}

macro_rules! dot2 {
    ($($name:ident $sa:literal $sb:literal $high:literal;)*) => {$(
        pub(crate) fn $name(a: u32, b: u32, c: u32) -> u32 {
            dot2(a, b, c, $sa, $sb, $high)
        }
    )*};
}
dot2! {
    dp2a_lo_ss true true false;
    dp2a_lo_su true false false;
    dp2a_lo_us false true false;
    dp2a_lo_uu false false false;
    dp2a_hi_ss true true true;
    dp2a_hi_su true false true;
    dp2a_hi_us false true true;
    dp2a_hi_uu false false true;
}

pub(crate) fn bfe_u32(a: u32, position: u32, length: u32) -> u32 {
    let (position, length) = (position & 0xff, length & 0xff);
    let shifted = shr_u32(a, position);
    if length > 31 { shifted } else { shifted & ((1 << length) - 1) }
}

pub(crate) fn bfe_s32(a: u32, position: u32, length: u32) -> u32 {
    let (position, length) = (position & 0xff, length & 0xff);
    if length == 0 {
        return 0;
    }
    let sign = a >> (position + length - 1).min(31) & 1;
    let field = bfe_u32(a, position, length);
    // Bits beyond the field, and beyond bit 31, take its sign.
    let kept = length.min(32u32.saturating_sub(position));
    if sign == 1 && kept < 32 { field | u32::MAX << kept } else { field }
}

pub(crate) fn bfe_u64(a: u64, position: u32, length: u32) -> u64 {
    let (position, length) = (position & 0xff, length & 0xff);
    let shifted = shr_u64(a, position);
    if length > 63 { shifted } else { shifted & ((1 << length) - 1) }
}

pub(crate) fn bfe_s64(a: u64, position: u32, length: u32) -> u64 {
    let (position, length) = (position & 0xff, length & 0xff);
    if length == 0 {
        return 0;
    }
    let sign = a >> (position + length - 1).min(63) & 1;
    let field = bfe_u64(a, position, length);
    let kept = length.min(64u32.saturating_sub(position));
    if sign == 1 && kept < 64 { field | u64::MAX << kept } else { field }
}

/// Inserts the low bits of `a` into `b`.
pub(crate) fn bfi32(a: u32, b: u32, position: u32, length: u32) -> u32 {
    let (position, length) = (position & 0xff, length & 0xff);
    if position > 31 {
        return b;
    }
    let ones = if length > 31 { u32::MAX } else { (1 << length) - 1 };
    let mask = ones << position;
    b & !mask | a << position & mask
}

pub(crate) fn bfi64(a: u64, b: u64, position: u32, length: u32) -> u64 {
    let (position, length) = (position & 0xff, length & 0xff);
    if position > 63 {
        return b;
    }
    let ones = if length > 63 { u64::MAX } else { (1 << length) - 1 };
    let mask = ones << position;
    b & !mask | a << position & mask
}

pub(crate) fn bfind_u32(a: u32) -> u32 {
    31u32.wrapping_sub(a.leading_zeros())
}

pub(crate) fn bfind_s32(a: u32) -> u32 {
    bfind_u32(if (a as i32) < 0 { !a } else { a })
}

pub(crate) fn bfind_u64(a: u64) -> u32 {
    63u32.wrapping_sub(a.leading_zeros())
}

pub(crate) fn bfind_s64(a: u64) -> u32 {
    bfind_u64(if (a as i64) < 0 { !a } else { a })
}

/// For `.shiftamt`: the shift that brings the bit to the top.
pub(crate) fn shift_amount32(found: u32) -> u32 {
    if found == u32::MAX { found } else { 31 - found }
}

pub(crate) fn shift_amount64(found: u32) -> u32 {
    if found == u32::MAX { found } else { 63 - found }
}

/// The `offset`-th set bit of `mask` from `base`.
pub(crate) fn fns(mask: u32, base: u32, offset: u32) -> u32 {
    let offset = offset as i32;
    if base > 31 {
        return u32::MAX;
    }
    if offset == 0 {
        return if mask >> base & 1 == 1 { base } else { u32::MAX };
    }
    let (mut at, step) = (base as i32, offset.signum());
    let mut left = offset.unsigned_abs();
    while (0..32).contains(&at) {
        if mask >> at & 1 == 1 {
            left -= 1;
            if left == 0 {
                return at as u32;
            }
        }
        at += step;
    }
    u32::MAX
}

pub(crate) fn bmsk_clamp(a: u32, b: u32) -> u32 {
    let ones = if b > 31 { u32::MAX } else { (1 << b) - 1 };
    shl32(ones, a)
}

pub(crate) fn bmsk_wrap(a: u32, b: u32) -> u32 {
    let ones = (1u32 << (b & 31)).wrapping_sub(1);
    ones << (a & 31)
}

pub(crate) fn szext_clamp_u(a: u32, b: u32) -> u32 {
    if b > 31 { a } else { a & ((1 << b) - 1) }
}

pub(crate) fn szext_clamp_s(a: u32, b: u32) -> u32 {
    match b {
        0 => 0,
        1..=31 => ((a << (32 - b)) as i32 >> (32 - b)) as u32,
        _ => a,
    }
}

pub(crate) fn add_sat(a: u32, b: u32) -> u32 {
    (a as i32).saturating_add(b as i32) as u32
}

pub(crate) fn sub_sat(a: u32, b: u32) -> u32 {
    (a as i32).saturating_sub(b as i32) as u32
}

pub(crate) fn mad_hi_sat(a: u32, b: u32, c: u32) -> u32 {
    add_sat(mul_hi_s32(a, b), c)
}

fn mul24(a: u32, b: u32, signed: bool) -> i64 {
    if signed {
        i64::from((a << 8) as i32 >> 8) * i64::from((b << 8) as i32 >> 8)
    } else {
        i64::from(a & 0xff_ffff) * i64::from(b & 0xff_ffff)
    }
}

pub(crate) fn mul24_lo_u(a: u32, b: u32) -> u32 {
    mul24(a, b, false) as u32
}

pub(crate) fn mul24_lo_s(a: u32, b: u32) -> u32 {
    mul24(a, b, true) as u32
}

pub(crate) fn mul24_hi_u(a: u32, b: u32) -> u32 {
    (mul24(a, b, false) >> 16) as u32
}

pub(crate) fn mul24_hi_s(a: u32, b: u32) -> u32 {
    (mul24(a, b, true) >> 16) as u32
}

pub(crate) fn sad_u32(a: u32, b: u32, c: u32) -> u32 {
    c.wrapping_add(a.abs_diff(b))
}

pub(crate) fn sad_s32(a: u32, b: u32, c: u32) -> u32 {
    c.wrapping_add((a as i32).abs_diff(b as i32))
}

pub(crate) fn sad_u64(a: u64, b: u64, c: u64) -> u64 {
    c.wrapping_add(a.abs_diff(b))
}

pub(crate) fn sad_s64(a: u64, b: u64, c: u64) -> u64 {
    c.wrapping_add((a as i64).abs_diff(b as i64))
}

// Floating point.

#[inline(always)]
fn f(a: u32) -> f32 {
    f32::from_bits(a)
}

#[inline(always)]
fn g(a: u64) -> f64 {
    f64::from_bits(a)
}

/// The bits of a 32-bit result: a NaN becomes the canonical one.
#[inline(always)]
pub(crate) fn canon(value: f32) -> u32 {
    if value.is_nan() { NAN_F32 } else { value.to_bits() }
}

/// The same for what was made of a value.
#[inline(always)]
fn canon_of(value: f64, made: u32) -> u32 {
    if value.is_nan() { NAN_F32 } else { made }
}

const QUIET: u64 = 1 << 51;

/// The bits of a 64-bit result of `a` and `b`: a NaN operand goes through, made quiet.
#[inline(always)]
pub(crate) fn canon64(value: f64, operands: [u64; 2]) -> u64 {
    if !value.is_nan() {
        value.to_bits()
    } else if g(operands[0]).is_nan() {
        operands[0] | QUIET
    } else if g(operands[1]).is_nan() {
        operands[1] | QUIET
    } else {
        0xfff8_0000_0000_0000
    }
}

pub(crate) fn canon64_3(value: f64, operands: [u64; 3]) -> u64 {
    if !value.is_nan() {
        return value.to_bits();
    }
    for operand in operands {
        if g(operand).is_nan() {
            return operand | QUIET;
        }
    }
    0xfff8_0000_0000_0000
}

#[inline(always)]
pub(crate) fn ftz(a: u32) -> u32 {
    if a & 0x7f80_0000 == 0 { a & 0x8000_0000 } else { a }
}

/// Clamps to `[0, 1]`; NaN becomes zero.
pub(crate) fn sat(a: u32) -> u32 {
    let value = f(a);
    if value > 0.0 { if value > 1.0 { 0x3f80_0000 } else { a } } else { 0 }
}

pub(crate) fn sat64(a: u64) -> u64 {
    let value = g(a);
    if value > 0.0 { if value > 1.0 { 1f64.to_bits() } else { a } } else { 0 }
}

#[inline(always)]
pub(crate) fn min_f32(a: u32, b: u32) -> u32 {
    let (x, y) = (f(a), f(b));
    if x.is_nan() {
        return if y.is_nan() { NAN_F32 } else { b };
    }
    if y.is_nan() || x < y || x == y && a >> 31 == 1 { a } else { b }
}

#[inline(always)]
pub(crate) fn max_f32(a: u32, b: u32) -> u32 {
    let (x, y) = (f(a), f(b));
    if x.is_nan() {
        return if y.is_nan() { NAN_F32 } else { b };
    }
    if y.is_nan() || x > y || x == y && a >> 31 == 0 { a } else { b }
}

pub(crate) fn min_f64(a: u64, b: u64) -> u64 {
    let (x, y) = (g(a), g(b));
    if x.is_nan() {
        return if y.is_nan() { a | QUIET } else { b };
    }
    if y.is_nan() || x < y || x == y && a >> 63 == 1 { a } else { b }
}

pub(crate) fn max_f64(a: u64, b: u64) -> u64 {
    let (x, y) = (g(a), g(b));
    if x.is_nan() {
        return if y.is_nan() { a | QUIET } else { b };
    }
    if y.is_nan() || x > y || x == y && a >> 63 == 0 { a } else { b }
}

pub(crate) fn min_nan_f32(a: u32, b: u32) -> u32 {
    if f(a).is_nan() || f(b).is_nan() { NAN_F32 } else { min_f32(a, b) }
}

pub(crate) fn max_nan_f32(a: u32, b: u32) -> u32 {
    if f(a).is_nan() || f(b).is_nan() { NAN_F32 } else { max_f32(a, b) }
}

macro_rules! soft {
    ($($round:ident)*) => {$(
        pub(crate) mod $round {
            use super::{F32, F64, Round, canon_of, double, f, g};
            const MODE: Round = Round::$round;

            fn sum(a: f64, b: f64) -> u32 {
                let value = double::signed_sum(a, b, MODE);
                canon_of(value, double::to_f32(value, MODE))
            }
            pub(crate) fn add(a: u32, b: u32) -> u32 {
                sum(f(a).into(), f(b).into())
            }
            pub(crate) fn sub(a: u32, b: u32) -> u32 {
                sum(f(a).into(), (-f(b)).into())
            }
            pub(crate) fn mul(a: u32, b: u32) -> u32 {
                let value = f64::from(f(a)) * f64::from(f(b));
                canon_of(value, double::to_f32(value, MODE))
            }
            pub(crate) fn div(a: u32, b: u32) -> u32 {
                let value = f64::from(f(a)) / f64::from(f(b));
                canon_of(value, double::to_f32(value, MODE))
            }
            pub(crate) fn fma(a: u32, b: u32, c: u32) -> u32 {
                sum(f64::from(f(a)) * f64::from(f(b)), f(c).into())
            }
            pub(crate) fn sqrt(a: u32) -> u32 {
                F32.sqrt(a.into(), MODE) as u32
            }
            pub(crate) fn from_s32(a: u32) -> u32 {
                double::to_f32((a as i32).into(), MODE)
            }
            pub(crate) fn from_u32(a: u32) -> u32 {
                double::to_f32(a.into(), MODE)
            }
            pub(crate) fn from_s64(a: u64) -> u32 {
                double::to_f32(double::whole((a as i64) < 0, (a as i64).unsigned_abs()), MODE)
            }
            pub(crate) fn from_u64(a: u64) -> u32 {
                double::to_f32(double::whole(false, a), MODE)
            }
            pub(crate) fn from_f64(a: u64) -> u32 {
                canon_of(g(a), double::to_f32(g(a), MODE))
            }
            pub(crate) fn integral(a: u32) -> u32 {
                super::canon(double::integral(f(a), MODE))
            }
            pub(crate) fn add64(a: u64, b: u64) -> u64 {
                F64.add(a, b, MODE)
            }
            pub(crate) fn sub64(a: u64, b: u64) -> u64 {
                if f64::from_bits(b).is_nan() { F64.add(a, b, MODE) } else { F64.add(a, b ^ 1 << 63, MODE) }
            }
            pub(crate) fn mul64(a: u64, b: u64) -> u64 {
                F64.mul(a, b, MODE)
            }
            pub(crate) fn div64(a: u64, b: u64) -> u64 {
                F64.div(a, b, MODE)
            }
            pub(crate) fn fma64(a: u64, b: u64, c: u64) -> u64 {
                F64.fma(a, b, c, MODE)
            }
            pub(crate) fn sqrt64(a: u64) -> u64 {
                F64.sqrt(a, MODE)
            }
            pub(crate) fn f64_from_s64(a: u64) -> u64 {
                double::whole_to_f64((a as i64) < 0, (a as i64).unsigned_abs(), MODE)
            }
            pub(crate) fn f64_from_u64(a: u64) -> u64 {
                double::whole_to_f64(false, a, MODE)
            }
            pub(crate) fn integral64(a: u64) -> u64 {
                super::canon64(double::integral64(g(a), MODE), [a, 0])
            }
        }
    )*};
}
#[allow(non_snake_case, dead_code)]
pub(crate) mod rounded {
    use super::{F32, F64, Round, canon, canon_of, canon64, double, f, g};
    soft! {
        Near
        Zero
        Down
        Up
    }
}

fn negate(a: u32) -> u32 {
    a ^ 1 << 31
}

pub(crate) fn neg_f32(a: u32) -> u32 {
    if f(a).is_nan() { NAN_F32 } else { negate(a) }
}

pub(crate) fn abs_f32(a: u32) -> u32 {
    if f(a).is_nan() { NAN_F32 } else { a & 0x7fff_ffff }
}

/// A NaN made quiet; other numbers as they are.
pub(crate) fn quiet64(a: u64) -> u64 {
    if f64::from_bits(a).is_nan() { a | 1 << 51 } else { a }
}

pub(crate) fn copysign32(a: u32, b: u32) -> u32 {
    b & 0x7fff_ffff | a & 0x8000_0000
}

pub(crate) fn copysign64(a: u64, b: u64) -> u64 {
    b & !(1 << 63) | a & 1 << 63
}

/// A float, already whole, to an integer: saturates; the width of the source decides what NaN becomes.
macro_rules! to_int {
    ($($name:ident $to:ty, $nan:expr;)*) => {$(
        pub(crate) fn $name(a: u64) -> u64 {
            if g(a).is_nan() { $nan } else { g(a) as $to as u64 }
        }
    )*};
}
to_int! {
    s8_from_f64 i8, 0x80;
    s16_from_f64 i16, 0x8000;
    s32_from_f64 i32, 0x8000_0000;
    s64_from_f64 i64, 1 << 63;
    u8_from_f64 u8, 0x80;
    u16_from_f64 u16, 0x8000;
    u32_from_f64 u32, 0x8000_0000;
    u64_from_f64 u64, 1 << 63;
    s8_from_f32 i8, 0;
    s16_from_f32 i16, 0;
    s32_from_f32 i32, 0;
    s64_from_f32 i64, 1 << 63;
    u8_from_f32 u8, 0;
    u16_from_f32 u16, 0;
    u32_from_f32 u32, 0;
    u64_from_f32 u64, 1 << 63;
}

/// Widens; the payload of a NaN stays, quiet.
pub(crate) fn f64_from_f32(a: u32) -> u64 {
    if f(a).is_nan() { F64.from(F32, a.into(), Round::Near) } else { f64::from(f(a)).to_bits() }
}

macro_rules! clamp {
    ($($name:ident $from:ty, $low:expr, $high:expr;)*) => {$(
        pub(crate) fn $name(a: u64) -> u64 {
            (a as $from).max($low).min($high) as u64
        }
    )*};
}
clamp! {
    clamp_s8_s i64, i8::MIN.into(), i8::MAX.into();
    clamp_s16_s i64, i16::MIN.into(), i16::MAX.into();
    clamp_s32_s i64, i32::MIN.into(), i32::MAX.into();
    clamp_u8_s i64, 0, u8::MAX.into();
    clamp_u16_s i64, 0, u16::MAX.into();
    clamp_u32_s i64, 0, u32::MAX.into();
    clamp_u64_s i64, 0, i64::MAX;
    clamp_s8_u u64, 0, i8::MAX as u64;
    clamp_s16_u u64, 0, i16::MAX as u64;
    clamp_s32_u u64, 0, i32::MAX as u64;
    clamp_s64_u u64, 0, i64::MAX as u64;
    clamp_u8_u u64, 0, u8::MAX.into();
    clamp_u16_u u64, 0, u16::MAX.into();
    clamp_u32_u u64, 0, u32::MAX.into();
}

// Half precision: each operation rounds once, through the exact one.

pub(crate) fn each_half(a: u32, b: u32, f: impl Fn(u32, u32) -> u32) -> u32 {
    f(a & 0xffff, b & 0xffff) & 0xffff | f(a >> 16, b >> 16) << 16
}

pub(crate) fn each_half3(a: u32, b: u32, c: u32, f: impl Fn(u32, u32, u32) -> u32) -> u32 {
    f(a & 0xffff, b & 0xffff, c & 0xffff) & 0xffff | f(a >> 16, b >> 16, c >> 16) << 16
}

macro_rules! half {
    ($($module:ident $format:ident $to:ident $from:ident;)*) => {$(
        #[allow(dead_code)]
        pub(crate) mod $module {
            use super::{Format, Round, double, each_half, each_half3};
            const FORMAT: Format = super::$format;

            #[inline(always)]
            fn open(a: u32) -> f64 {
                if is_nan(a) { f64::NAN } else { f64::from(double::$from(a)) }
            }
            /// What is exact, or rounded to odd, as half precision.
            #[inline(always)]
            fn close(value: f64) -> u32 {
                if value.is_nan() { FORMAT.nan() as u32 } else { double::$to(double::to_odd_f32(value), Round::Near) }
            }
            pub(crate) fn add(a: u32, b: u32) -> u32 {
                close(double::odd_sum(open(a), open(b)))
            }
            pub(crate) fn sub(a: u32, b: u32) -> u32 {
                close(double::odd_sum(open(a), -open(b)))
            }
            pub(crate) fn mul(a: u32, b: u32) -> u32 {
                close(open(a) * open(b))
            }
            pub(crate) fn fma(a: u32, b: u32, c: u32) -> u32 {
                close(double::odd_sum(open(a) * open(b), open(c)))
            }
            pub(crate) fn is_nan(a: u32) -> bool {
                u64::from(a & 0x7fff) > FORMAT.infinite()
            }
            fn ordered(a: u32) -> i32 {
                let magnitude = (a & 0x7fff) as i32;
                if a & 0x8000 != 0 { -magnitude } else { magnitude }
            }
            pub(crate) fn min(a: u32, b: u32) -> u32 {
                match (is_nan(a), is_nan(b)) {
                    (true, true) => FORMAT.nan() as u32,
                    (true, false) => b,
                    (false, true) => a,
                    _ if ordered(a) < ordered(b) || ordered(a) == ordered(b) && a & 0x8000 != 0 => a,
                    _ => b,
                }
            }
            pub(crate) fn max(a: u32, b: u32) -> u32 {
                match (is_nan(a), is_nan(b)) {
                    (true, true) => FORMAT.nan() as u32,
                    (true, false) => b,
                    (false, true) => a,
                    _ if ordered(a) > ordered(b) || ordered(a) == ordered(b) && a & 0x8000 == 0 => a,
                    _ => b,
                }
            }
            pub(crate) fn min_nan(a: u32, b: u32) -> u32 {
                if is_nan(a) || is_nan(b) { FORMAT.nan() as u32 } else { min(a, b) }
            }
            pub(crate) fn max_nan(a: u32, b: u32) -> u32 {
                if is_nan(a) || is_nan(b) { FORMAT.nan() as u32 } else { max(a, b) }
            }
            pub(crate) fn neg(a: u32) -> u32 {
                if is_nan(a) { FORMAT.nan() as u32 } else { a ^ 0x8000 }
            }
            pub(crate) fn abs(a: u32) -> u32 {
                if is_nan(a) { FORMAT.nan() as u32 } else { a & 0x7fff }
            }
            pub(crate) fn relu(a: u32) -> u32 {
                if is_nan(a) { FORMAT.nan() as u32 } else if a & 0x8000 != 0 { 0 } else { a }
            }
            pub(crate) fn sat(a: u32) -> u32 {
                let one = FORMAT.one() as u32;
                if is_nan(a) || a & 0x8000 != 0 { 0 } else if a > one { one } else { a }
            }
            /// The largest finite number for an infinite one.
            pub(crate) fn finite(a: u32) -> u32 {
                if u64::from(a & 0x7fff) == FORMAT.infinite() { a - 1 } else { a }
            }
            pub(crate) fn finite2(a: u32) -> u32 {
                each_half(a, 0, |a, _| finite(a))
            }
            pub(crate) fn flush(a: u32) -> u32 {
                FORMAT.flush(a.into()) as u32
            }
            pub(crate) fn eq(a: u32, b: u32) -> bool {
                !is_nan(a) && !is_nan(b) && ordered(a) == ordered(b)
            }
            pub(crate) fn lt(a: u32, b: u32) -> bool {
                !is_nan(a) && !is_nan(b) && ordered(a) < ordered(b)
            }
            pub(crate) fn le(a: u32, b: u32) -> bool {
                !is_nan(a) && !is_nan(b) && ordered(a) <= ordered(b)
            }
            pub(crate) fn to_f32(a: u32) -> u32 {
                if is_nan(a) { super::NAN_F32 } else { double::$from(a).to_bits() }
            }
            pub(crate) fn to_f64(a: u32) -> u64 {
                if is_nan(a) { super::F64.from(FORMAT, a.into(), Round::Near) } else { open(a).to_bits() }
            }
            pub(crate) fn add2(a: u32, b: u32) -> u32 {
                each_half(a, b, add)
            }
            pub(crate) fn sub2(a: u32, b: u32) -> u32 {
                each_half(a, b, sub)
            }
            pub(crate) fn mul2(a: u32, b: u32) -> u32 {
                each_half(a, b, mul)
            }
            pub(crate) fn fma2(a: u32, b: u32, c: u32) -> u32 {
                each_half3(a, b, c, fma)
            }
            pub(crate) fn min2(a: u32, b: u32) -> u32 {
                each_half(a, b, min)
            }
            pub(crate) fn max2(a: u32, b: u32) -> u32 {
                each_half(a, b, max)
            }
            pub(crate) fn min_nan2(a: u32, b: u32) -> u32 {
                each_half(a, b, min_nan)
            }
            pub(crate) fn max_nan2(a: u32, b: u32) -> u32 {
                each_half(a, b, max_nan)
            }
            pub(crate) fn neg2(a: u32) -> u32 {
                each_half(a, 0, |a, _| neg(a))
            }
            pub(crate) fn abs2(a: u32) -> u32 {
                each_half(a, 0, |a, _| abs(a))
            }
            pub(crate) fn relu2(a: u32) -> u32 {
                each_half(a, 0, |a, _| relu(a))
            }
            pub(crate) fn sat2(a: u32) -> u32 {
                each_half(a, 0, |a, _| sat(a))
            }
            pub(crate) fn flush2(a: u32) -> u32 {
                each_half(a, 0, |a, _| flush(a))
            }
        }
    )*};
}
half! {
    half F16 to_f16 from_f16;
    bhalf BF16 to_bf16 from_bf16;
}

macro_rules! narrow {
    ($($module:ident $round:ident;)*) => {$(
        pub(crate) mod $module {
            use super::{BF16, F16, Round, bhalf, double, f, g, half};
            const MODE: Round = Round::$round;
            pub(crate) fn f16_from_f32(a: u32) -> u32 {
                if f(a).is_nan() { F16.nan() as u32 } else { double::to_f16(a, MODE) }
            }
            pub(crate) fn f16_from_f64(a: u64) -> u32 {
                if g(a).is_nan() { F16.nan() as u32 } else { double::to_f16(double::to_odd_f32(g(a)), MODE) }
            }
            pub(crate) fn bf16_from_f32(a: u32) -> u32 {
                if f(a).is_nan() { BF16.nan() as u32 } else { double::to_bf16(a, MODE) }
            }
            pub(crate) fn bf16_from_f64(a: u64) -> u32 {
                if g(a).is_nan() { BF16.nan() as u32 } else { double::to_bf16(double::to_odd_f32(g(a)), MODE) }
            }
            fn whole(negative: bool, magnitude: u64) -> u32 {
                double::to_odd_f32(double::whole(negative, magnitude))
            }
            pub(crate) fn f16_from_s64(a: u64) -> u32 {
                double::to_f16(whole((a as i64) < 0, (a as i64).unsigned_abs()), MODE)
            }
            pub(crate) fn f16_from_u64(a: u64) -> u32 {
                double::to_f16(whole(false, a), MODE)
            }
            pub(crate) fn bf16_from_s64(a: u64) -> u32 {
                double::to_bf16(whole((a as i64) < 0, (a as i64).unsigned_abs()), MODE)
            }
            pub(crate) fn bf16_from_u64(a: u64) -> u32 {
                double::to_bf16(whole(false, a), MODE)
            }
            pub(crate) fn f16x2_from_f32(a: u32, b: u32) -> u32 {
                f16_from_f32(a) << 16 | f16_from_f32(b)
            }
            pub(crate) fn bf16x2_from_f32(a: u32, b: u32) -> u32 {
                bf16_from_f32(a) << 16 | bf16_from_f32(b)
            }
            pub(crate) fn integral_f16(a: u32) -> u32 {
                f16_from_f32(double::integral(f(half::to_f32(a)), MODE).to_bits())
            }
            pub(crate) fn integral_bf16(a: u32) -> u32 {
                bf16_from_f32(double::integral(f(bhalf::to_f32(a)), MODE).to_bits())
            }
        }
    )*};
}
#[allow(dead_code)]
pub(crate) mod narrow {
    use super::{BF16, F16, Round, bhalf, double, f, g, half};
    narrow! {
        near Near;
        zero Zero;
        down Down;
        up Up;
    }
}

/// Two 8-bit floating-point numbers with four bits of exponent, as half precision.
pub(crate) fn f16x2_from_e4m3x2(a: u32) -> u32 {
    let one = |a: u32| {
        let sign = (a & 0x80) << 8;
        match a & 0x7f {
            0x7f => F16.nan() as u32,
            magnitude if magnitude < 8 => {
                sign | half::mul(F16.from_int(false, magnitude.into(), Round::Near) as u32, 0x1800)
            }
            magnitude => sign | ((magnitude << 7) + (8 << 10)),
        }
    };
    one(a & 0xff) | one(a >> 8 & 0xff) << 16
}

/// Two 8-bit floating-point numbers with five bits of exponent, as half precision.
pub(crate) fn f16x2_from_e5m2x2(a: u32) -> u32 {
    let one = |a: u32| if a & 0x7f > 0x7c { F16.nan() as u32 } else { a << 8 };
    one(a & 0xff) | one(a >> 8 & 0xff) << 16
}
