//! Floating point of 32 and 64 bits.

use crate::{
    double,
    soft::{F32, F64, Round},
};

pub(crate) const NAN_F32: u32 = 0x7fff_ffff;

#[inline(always)]
pub(super) fn f(a: u32) -> f32 {
    f32::from_bits(a)
}

#[inline(always)]
pub(super) fn g(a: u64) -> f64 {
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

/// `x` where it holds, else `y`; without a branch where vectors can be made of that.
#[inline(always)]
fn select(holds: bool, x: u64, y: u64) -> u64 {
    if cfg!(target_arch = "wasm32") { if holds { x } else { y } } else { y ^ (y ^ x) & 0u64.wrapping_sub(holds.into()) }
}

/// The same for 32 bits.
#[inline(always)]
fn select32(holds: bool, x: u32, y: u32) -> u32 {
    if cfg!(target_arch = "wasm32") { if holds { x } else { y } } else { y ^ (y ^ x) & 0u32.wrapping_sub(holds.into()) }
}

/// The bits of a 64-bit result of operands: a NaN among these goes through, made quiet.
#[inline(always)]
fn canon64_of<const N: usize>(value: f64, operands: [u64; N]) -> u64 {
    if cfg!(target_arch = "wasm32") && !value.is_nan() {
        return value.to_bits();
    }
    let nan = operands
        .iter()
        .rev()
        .fold(0xfff8_0000_0000_0000, |nan, operand| select(g(*operand).is_nan(), operand | QUIET, nan));
    select(value.is_nan(), nan, value.to_bits())
}

/// The bits of a 64-bit result of `a` and `b`.
#[inline(always)]
pub(crate) fn canon64(value: f64, operands: [u64; 2]) -> u64 {
    canon64_of(value, operands)
}

/// The same for three operands.
#[cfg(all(feature = "std", target_arch = "x86_64"))]
#[inline(always)]
pub(crate) fn canon64_3(value: f64, operands: [u64; 3]) -> u64 {
    canon64_of(value, operands)
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
    let first = y.is_nan() | (x < y) | ((x == y) & (a >> 31 == 1));
    let of_nan = select32(y.is_nan(), NAN_F32, b);
    select32(x.is_nan(), of_nan, select32(first, a, b))
}

#[inline(always)]
pub(crate) fn max_f32(a: u32, b: u32) -> u32 {
    let (x, y) = (f(a), f(b));
    let first = y.is_nan() | (x > y) | ((x == y) & (a >> 31 == 0));
    let of_nan = select32(y.is_nan(), NAN_F32, b);
    select32(x.is_nan(), of_nan, select32(first, a, b))
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

#[inline(never)]
pub(crate) fn neg_f32(a: u32) -> u32 {
    if f(a).is_nan() { NAN_F32 } else { negate(a) }
}

#[inline(never)]
pub(crate) fn abs_f32(a: u32) -> u32 {
    if f(a).is_nan() { NAN_F32 } else { a & 0x7fff_ffff }
}

/// A NaN made quiet; other numbers as they are.
pub(crate) fn quiet64(a: u64) -> u64 {
    if f64::from_bits(a).is_nan() { a | 1 << 51 } else { a }
}

// The assembler makes additions of these two, which quiet a NaN.

#[inline(never)]
pub(crate) fn neg_f64(a: u64) -> u64 {
    quiet64(a ^ 1 << 63)
}

#[inline(never)]
pub(crate) fn abs_f64(a: u64) -> u64 {
    quiet64(a & !(1 << 63))
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
