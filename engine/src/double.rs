//! Directions and formats that hosts do not have, by way of the `f64` that they have.
//!
//! A sum that `f64` cannot hold is rounded to odd there (Boldo and Melquiond, 2008): it lies between the same two neighbours of every format with
//! at least two bits less, so one more rounding gives what a single one would. Quotients of two `f32` need no such care: where they
//! are no `f32` they are further from one than `f64` rounds. NaNs are the caller's.

use crate::soft::Round;

/// `a + b`, rounded to odd.
#[inline(always)]
pub(crate) fn odd_sum(a: f64, b: f64) -> f64 {
    let sum = a + b;
    // The error of the sum, exactly (Knuth's two-sum).
    let other = sum - a;
    let error = (a - (sum - other)) + (b - other);
    let bits = sum.to_bits();
    // An inexact even significand moves one place towards the error; infinities and NaNs have no ordered error.
    let inexact = error < 0.0 || error > 0.0;
    let step = if (error > 0.0) == (sum > 0.0) { 1u64 } else { u64::MAX };
    let adjust = if inexact && bits & 1 == 0 { step } else { 0 };
    f64::from_bits(bits.wrapping_add(adjust))
}

/// As [`odd_sum`]; a sum of zero has the sign that the direction gives it.
#[inline(always)]
pub(crate) fn signed_sum(a: f64, b: f64, mode: Round) -> f64 {
    let sum = odd_sum(a, b);
    if mode == Round::Down && sum == 0.0 && (a.is_sign_negative() || b.is_sign_negative()) { -0.0 } else { sum }
}

/// The bits of the `f32` that a direction makes of a value.
#[inline(always)]
pub(crate) fn to_f32(value: f64, mode: Round) -> u32 {
    let near = value as f32;
    let (back, bits) = (f64::from(near), near.to_bits());
    let (above, below) = (back > value, back < value);
    let negative = bits >> 31 == 1;
    let (out, inwards) = match mode {
        Round::Near => (false, false),
        Round::Zero => (false, if negative { below } else { above }),
        Round::Down => (above && negative, above && !negative),
        Round::Up => (below && !negative, below && negative),
    };
    bits.wrapping_add(u32::from(out)).wrapping_sub(u32::from(inwards))
}

/// The bits of the `f32` of a value, rounded to odd.
#[inline(always)]
pub(crate) fn to_odd_f32(value: f64) -> u32 {
    let bits = to_f32(value, Round::Zero);
    bits | u32::from(f64::from(f32::from_bits(bits)) != value)
}

/// A whole number as `f64`, rounded to odd.
#[inline(always)]
pub(crate) fn whole(negative: bool, magnitude: u64) -> f64 {
    let value = if magnitude >> 53 == 0 {
        magnitude as i64 as f64
    } else {
        (magnitude >> 11 | u64::from(magnitude & 0x7ff != 0)) as i64 as f64 * 2048.0
    };
    if negative { -value } else { value }
}

/// The bits of the `f64` that a direction makes of a whole number.
#[inline(always)]
pub(crate) fn whole_to_f64(negative: bool, magnitude: u64, mode: Round) -> u64 {
    let near = magnitude as f64;
    if mode == Round::Near {
        return (if negative { -near } else { near }).to_bits();
    }
    let drop = 11u32.saturating_sub(magnitude.leading_zeros());
    let kept = magnitude >> drop << drop;
    let away = match mode {
        Round::Up => !negative,
        Round::Down => negative,
        Round::Zero | Round::Near => false,
    };
    let bits = (kept as f64).to_bits() + u64::from(away && kept != magnitude);
    bits | u64::from(negative) << 63
}

/// Rounds up by one, where the direction asks for it: `rest` of what was cut off, `half` of a whole place.
#[inline(always)]
fn carried(kept: u32, rest: u32, half: u32, negative: bool, mode: Round) -> u32 {
    kept + u32::from(match mode {
        Round::Near => rest > half || rest == half && kept & 1 == 1,
        Round::Zero => false,
        Round::Down => negative && rest != 0,
        Round::Up => !negative && rest != 0,
    })
}

/// The half-precision number that a direction makes of an `f32`, which is no NaN.
#[inline(always)]
pub(crate) fn to_f16(a: u32, mode: Round) -> u32 {
    let (negative, m) = (a >> 31 == 1, a & 0x7fff_ffff);
    let magnitude = if m >= 0x4780_0000 {
        let infinite = match mode {
            Round::Near => true,
            Round::Zero => false,
            Round::Down => negative,
            Round::Up => !negative,
        };
        if infinite || m == 0x7f80_0000 { 0x7c00 } else { 0x7bff }
    } else if m >= 0x3880_0000 {
        carried((m - 0x3800_0000) >> 13, m & 0x1fff, 0x1000, negative, mode)
    } else {
        let exponent = m >> 23;
        let significand = if exponent == 0 { m } else { m & 0x7f_ffff | 0x80_0000 };
        let shift = (126 - exponent).min(31);
        carried(significand >> shift, significand & ((1 << shift) - 1), 1 << (shift - 1), negative, mode)
    };
    a >> 16 & 0x8000 | magnitude
}

/// The bfloat16 that a direction makes of an `f32`, which is no NaN.
#[inline(always)]
pub(crate) fn to_bf16(a: u32, mode: Round) -> u32 {
    let m = a & 0x7fff_ffff;
    a >> 16 & 0x8000 | carried(m >> 16, m & 0xffff, 0x8000, a >> 31 == 1, mode)
}

/// A half-precision number that is no NaN.
#[inline(always)]
pub(crate) fn from_f16(a: u32) -> f32 {
    let magnitude = a & 0x7fff;
    let bits = if magnitude >= 0x7c00 {
        0x7f80_0000
    } else if magnitude >= 0x400 {
        (magnitude << 13) + (112 << 23)
    } else {
        // Times 2⁻²⁴, exactly.
        (magnitude as f32 * f32::from_bits(0x3380_0000)).to_bits()
    };
    f32::from_bits(bits | (a & 0x8000) << 16)
}

/// A bfloat16.
#[inline(always)]
pub(crate) fn from_bf16(a: u32) -> f32 {
    f32::from_bits(a << 16)
}

/// Rounds to a whole number; NaNs and infinities stay.
#[inline(always)]
pub(crate) fn integral(a: f32, mode: Round) -> f32 {
    let magnitude = f32::from_bits(a.to_bits() & 0x7fff_ffff);
    // From here on every number is whole.
    const WHOLE: f32 = 8_388_608.0;
    let fraction_is_possible = magnitude < WHOLE;
    if !fraction_is_possible {
        return a;
    }
    let cut = magnitude as i32 as f32;
    let negative = a.is_sign_negative();
    let rounded = match mode {
        Round::Near => magnitude + WHOLE - WHOLE,
        Round::Down if negative && cut < magnitude => cut + 1.0,
        Round::Up if !negative && cut < magnitude => cut + 1.0,
        _ => cut,
    };
    f32::from_bits(rounded.to_bits() | a.to_bits() & 0x8000_0000)
}

/// The same for an `f64`.
#[inline(always)]
pub(crate) fn integral64(a: f64, mode: Round) -> f64 {
    let magnitude = f64::from_bits(a.to_bits() & !(1 << 63));
    const WHOLE: f64 = 4_503_599_627_370_496.0;
    let fraction_is_possible = magnitude < WHOLE;
    if !fraction_is_possible {
        return a;
    }
    let cut = magnitude as i64 as f64;
    let negative = a.is_sign_negative();
    let rounded = match mode {
        Round::Near => magnitude + WHOLE - WHOLE,
        Round::Down if negative && cut < magnitude => cut + 1.0,
        Round::Up if !negative && cut < magnitude => cut + 1.0,
        _ => cut,
    };
    f64::from_bits(rounded.to_bits() | a.to_bits() & 1 << 63)
}

#[cfg(test)]
mod tests {
    use crate::{
        alu::{bhalf, half, narrow, rounded},
        soft::{BF16, F16, F32, F64, Format, Round},
    };

    /// Xorshift.
    struct Dice(u64);

    impl Dice {
        fn draw(&mut self) -> u64 {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            self.0
        }

        /// Numbers where rounding is hard: near each other, near powers of two, near the ends of the range.
        fn word(&mut self) -> u32 {
            let draw = self.draw();
            let word = (draw >> 32) as u32;
            match draw % 8 {
                0 => word,
                1 => word & 0x8000_0000 | 0x3f80_0000 + (word >> 8 & 7) - 3,
                2 => word & 0xff80_0000 | 1 << (word & 15),
                3 => word & 0x807f_ffff,
                4 => word & 0x80ff_ffff | 0x7e80_0000,
                5 => word & 0x9fff_f000 | 0x3000_0000,
                6 => {
                    [0, 1 << 31, 0x7f80_0000, 0xff80_0000, 0x7fc0_0000, 1, 0x007f_ffff, 0x7f7f_ffff][word as usize % 8]
                }
                _ => word & 0xffff_e000 | 0x1000 | (word >> 30) * (word >> 29 & 1),
            }
        }

        fn double(&mut self) -> u64 {
            let draw = self.draw();
            match draw % 4 {
                0 => self.draw(),
                1 => f64::from(f32::from_bits(self.word())).to_bits().wrapping_add((draw >> 60).wrapping_sub(7)),
                2 => f64::from(f32::from_bits(self.word())).to_bits(),
                _ => ((draw as i64 >> (draw >> 58)) as f64 / 4.0).to_bits(),
            }
        }
    }

    /// Compares one module of functions with the arithmetic in integers.
    macro_rules! mode {
        ($dice:ident $round:ident $narrow:ident) => {{
            let mode = Round::$round;
            let (a, b, c) = ($dice.word(), $dice.word(), $dice.word());
            let (x, y, z) = (u64::from(a), u64::from(b), u64::from(c));
            let (g, n) = ($dice.double(), $dice.draw() >> ($dice.draw() % 64));
            use rounded::$round as r;
            assert_eq!(u64::from(r::add(a, b)), F32.add(x, y, mode), "{a:x} + {b:x} {mode:?}");
            assert_eq!(u64::from(r::sub(a, b)), F32.add(x, y ^ 1 << 31, mode), "{a:x} - {b:x} {mode:?}");
            assert_eq!(u64::from(r::sub(a, a)), F32.add(x, x ^ 1 << 31, mode), "{a:x} - itself {mode:?}");
            assert_eq!(u64::from(r::mul(a, b)), F32.mul(x, y, mode), "{a:x} * {b:x} {mode:?}");
            assert_eq!(u64::from(r::div(a, b)), F32.div(x, y, mode), "{a:x} / {b:x} {mode:?}");
            assert_eq!(u64::from(r::fma(a, b, c)), F32.fma(x, y, z, mode), "{a:x} * {b:x} + {c:x} {mode:?}");
            assert_eq!(u64::from(r::integral(a)), F32.integral(x, mode), "{a:x} {mode:?}");
            assert_eq!(r::integral64(g), F64.integral(g, mode), "{g:x} {mode:?}");
            assert_eq!(u64::from(r::from_f64(g)), F32.from(F64, g, mode), "{g:x} {mode:?}");
            let signed = |format: Format, n: u64| format.from_int((n as i64) < 0, (n as i64).unsigned_abs(), mode);
            let s = (n as i64).wrapping_mul(if a & 1 == 0 { 1 } else { -1 }) as u64;
            assert_eq!(u64::from(r::from_u64(n)), F32.from_int(false, n, mode), "{n} {mode:?}");
            assert_eq!(u64::from(r::from_s64(s)), signed(F32, s), "{s:x} {mode:?}");
            assert_eq!(u64::from(r::from_u32(n as u32)), F32.from_int(false, n & 0xffff_ffff, mode), "{n} {mode:?}");
            assert_eq!(u64::from(r::from_s32(s as u32)), signed(F32, s as i32 as u64), "{s:x} {mode:?}");
            assert_eq!(r::f64_from_u64(n), F64.from_int(false, n, mode), "{n} {mode:?}");
            assert_eq!(r::f64_from_s64(s), signed(F64, s), "{s:x} {mode:?}");
            use narrow::$narrow as w;
            assert_eq!(u64::from(w::f16_from_f32(a)), F16.from(F32, x, mode), "{a:x} {mode:?}");
            assert_eq!(u64::from(w::bf16_from_f32(a)), BF16.from(F32, x, mode), "{a:x} {mode:?}");
            assert_eq!(u64::from(w::f16_from_f64(g)), F16.from(F64, g, mode), "{g:x} {mode:?}");
            assert_eq!(u64::from(w::bf16_from_f64(g)), BF16.from(F64, g, mode), "{g:x} {mode:?}");
            assert_eq!(u64::from(w::f16_from_u64(n)), F16.from_int(false, n, mode), "{n} {mode:?}");
            assert_eq!(u64::from(w::f16_from_s64(s)), signed(F16, s), "{s:x} {mode:?}");
            assert_eq!(u64::from(w::bf16_from_u64(n)), BF16.from_int(false, n, mode), "{n} {mode:?}");
            assert_eq!(u64::from(w::bf16_from_s64(s)), signed(BF16, s), "{s:x} {mode:?}");
        }};
    }

    #[test]
    fn what_goes_through_doubles_is_what_integers_compute() {
        let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
        for _ in 0..200_000 {
            mode!(dice Near near);
            mode!(dice Zero zero);
            mode!(dice Down down);
            mode!(dice Up up);
        }
    }

    macro_rules! halves {
        ($module:ident $format:ident $integral:ident) => {{
            let mut dice = Dice(0x2545_f491_4f6c_dd1d);
            let near = Round::Near;
            for a in 0..=0xffffu32 {
                let x = u64::from(a);
                assert_eq!(u64::from($module::to_f32(a)), F32.from($format, x, near), "{a:x}");
                assert_eq!($module::to_f64(a), F64.from($format, x, near), "{a:x}");
                assert_eq!(u64::from(narrow::near::$integral(a)), $format.integral(x, near), "{a:x}");
                assert_eq!(u64::from(narrow::zero::$integral(a)), $format.integral(x, Round::Zero), "{a:x}");
                assert_eq!(u64::from(narrow::down::$integral(a)), $format.integral(x, Round::Down), "{a:x}");
                assert_eq!(u64::from(narrow::up::$integral(a)), $format.integral(x, Round::Up), "{a:x}");
                for _ in 0..8 {
                    let (b, c) = ((dice.draw() >> 40) as u32 & 0xffff, (dice.draw() >> 40) as u32 & 0xffff);
                    let b = if dice.draw() % 4 == 0 { a.wrapping_add(b & 3) & 0xffff } else { b };
                    let (y, z) = (u64::from(b), u64::from(c));
                    assert_eq!(u64::from($module::add(a, b)), $format.add(x, y, near), "{a:x} + {b:x}");
                    assert_eq!(u64::from($module::sub(a, b)), $format.add(x, y ^ 0x8000, near), "{a:x} - {b:x}");
                    assert_eq!(u64::from($module::mul(a, b)), $format.mul(x, y, near), "{a:x} * {b:x}");
                    assert_eq!(u64::from($module::fma(a, b, c)), $format.fma(x, y, z, near), "{a:x} * {b:x} + {c:x}");
                }
            }
        }};
    }

    #[test]
    fn halves_through_doubles_are_what_integers_compute() {
        halves!(half F16 integral_f16);
        halves!(bhalf BF16 integral_bf16);
    }
}
