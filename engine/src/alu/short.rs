//! Floating point of 16 bits and fewer: each operation rounds once, through the exact one.

use super::float::{NAN_F32, f, g};
use crate::{
    double,
    soft::{BF16, F16, F64, Format, Round},
};

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
            use super::{F64, Format, NAN_F32, Round, double, each_half, each_half3};
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
                if is_nan(a) { NAN_F32 } else { double::$from(a).to_bits() }
            }
            pub(crate) fn to_f64(a: u32) -> u64 {
                if is_nan(a) { F64.from(FORMAT, a.into(), Round::Near) } else { open(a).to_bits() }
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
