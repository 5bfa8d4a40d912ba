//! IEEE 754 arithmetic in integers, for every format and rounding that PTX names, with one rounding per operation.
//! The hot paths use the host's own correctly rounded operations; this is what remains, and what they are tested against.

use crate::double;

/// A binary format of at most 64 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Format {
    /// Bits of the significand without the hidden one.
    fraction: u32,
    /// Bits of the exponent.
    exponent: u32,
}

pub(crate) const F16: Format = Format { fraction: 10, exponent: 5 };
pub(crate) const BF16: Format = Format { fraction: 7, exponent: 8 };
pub(crate) const F32: Format = Format { fraction: 23, exponent: 8 };
pub(crate) const F64: Format = Format { fraction: 52, exponent: 11 };

/// Direction of rounding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Round {
    /// To nearest, ties to even.
    Near,
    /// Towards zero.
    Zero,
    /// Towards minus infinity.
    Down,
    /// Towards plus infinity.
    Up,
}

/// A value taken apart. A finite one is `(-1)^negative * significand * 2^exponent`.
#[derive(Clone, Copy, Debug)]
enum Parts {
    Nan,
    Infinite { negative: bool },
    Finite { negative: bool, significand: u64, exponent: i32 },
}

impl Format {
    const fn bits(self) -> u32 {
        self.fraction + self.exponent + 1
    }

    const fn top(self) -> u64 {
        (1 << self.exponent) - 1
    }

    const fn bias(self) -> i32 {
        (1 << (self.exponent - 1)) - 1
    }

    const fn sign(self, negative: bool) -> u64 {
        (negative as u64) << (self.bits() - 1)
    }

    const fn infinity(self, negative: bool) -> u64 {
        self.sign(negative) | self.top() << self.fraction
    }

    const fn largest(self, negative: bool) -> u64 {
        self.infinity(negative) - 1
    }

    /// The NaN that PTX documents: all ones but the sign for 32 bits and fewer, the quiet NaN of the invalid operation for 64.
    pub(crate) const fn nan(self) -> u64 {
        if self.bits() == 64 { 0xfff8_0000_0000_0000 } else { (1 << (self.bits() - 1)) - 1 }
    }

    const fn is_nan(self, bits: u64) -> bool {
        bits & (self.sign(true) - 1) > self.infinity(false)
    }

    fn parts(self, bits: u64) -> Parts {
        let negative = bits >> (self.bits() - 1) & 1 == 1;
        let exponent = bits >> self.fraction & self.top();
        let fraction = bits & ((1 << self.fraction) - 1);
        let lowest = 1 - self.bias() - self.fraction as i32;
        if exponent == self.top() {
            if fraction == 0 { Parts::Infinite { negative } } else { Parts::Nan }
        } else if exponent == 0 {
            Parts::Finite { negative, significand: fraction, exponent: lowest }
        } else {
            Parts::Finite {
                negative,
                significand: fraction | 1 << self.fraction,
                exponent: lowest + exponent as i32 - 1,
            }
        }
    }

    /// Rounds `significand * 2^exponent`, the lowest bit of which may stand for any non-zero rest below it (sticky).
    fn round(self, negative: bool, significand: u128, exponent: i32, mode: Round) -> u64 {
        if significand == 0 {
            return self.sign(negative);
        }
        let length = 128 - significand.leading_zeros() as i32;
        let lowest = 1 - self.bias() - self.fraction as i32;
        // Exponent of the last place kept.
        let last = (exponent + length - 1 - self.fraction as i32).max(lowest);
        let drop = last - exponent;
        let (mut kept, rest, half) = if drop <= 0 {
            (significand << (-drop).min(127), 0, 0)
        } else if drop > 127 {
            (0, 1, 2)
        } else {
            (significand >> drop, significand & ((1 << drop) - 1), 1u128 << (drop - 1))
        };
        let up = match mode {
            Round::Near => rest > half || rest == half && half != 0 && kept & 1 == 1,
            Round::Zero => false,
            Round::Down => negative && rest != 0,
            Round::Up => !negative && rest != 0,
        };
        kept += u128::from(up);
        let mut last = last;
        if kept >> (self.fraction + 1) != 0 {
            kept >>= 1;
            last += 1;
        }
        if kept >> self.fraction == 0 {
            return self.sign(negative) | kept as u64;
        }
        let biased = last - lowest + 1;
        if biased >= self.top() as i32 {
            let saturates = match mode {
                Round::Zero => true,
                Round::Down => !negative,
                Round::Up => negative,
                Round::Near => false,
            };
            return if saturates { self.largest(negative) } else { self.infinity(negative) };
        }
        self.sign(negative) | (biased as u64) << self.fraction | (kept as u64 & ((1 << self.fraction) - 1))
    }

    /// A NaN result: the canonical one, or for 64 bits the first NaN operand made quiet.
    fn propagate(self, operands: &[u64]) -> u64 {
        if self.bits() == 64 {
            for &operand in operands {
                if self.is_nan(operand) {
                    return operand | 1 << (self.fraction - 1);
                }
            }
        }
        self.nan()
    }

    /// `a + b`.
    pub(crate) fn add(self, a: u64, b: u64, mode: Round) -> u64 {
        // 1 * a + b, exactly.
        let one = (self.bias() as u64) << self.fraction;
        match (self.parts(a), self.parts(b)) {
            (Parts::Nan, _) | (_, Parts::Nan) => self.propagate(&[a, b]),
            _ => self.fma(a, one, b, mode),
        }
    }

    /// `a * b`.
    pub(crate) fn mul(self, a: u64, b: u64, mode: Round) -> u64 {
        match (self.parts(a), self.parts(b)) {
            (Parts::Nan, _) | (_, Parts::Nan) => self.propagate(&[a, b]),
            (Parts::Infinite { negative }, other) | (other, Parts::Infinite { negative }) => match other {
                Parts::Finite { significand: 0, .. } | Parts::Nan => self.nan(),
                Parts::Finite { negative: sign, .. } | Parts::Infinite { negative: sign } => {
                    self.infinity(negative != sign)
                }
            },
            (
                Parts::Finite { negative: x, significand: m, exponent: i },
                Parts::Finite { negative: y, significand: n, exponent: j },
            ) => self.round(x != y, u128::from(m) * u128::from(n), i + j, mode),
        }
    }

    /// `a * b + c` with one rounding.
    pub(crate) fn fma(self, a: u64, b: u64, c: u64, mode: Round) -> u64 {
        let product = match (self.parts(a), self.parts(b)) {
            (Parts::Nan, _) | (_, Parts::Nan) => return self.propagate(&[a, b, c]),
            (Parts::Infinite { negative }, other) | (other, Parts::Infinite { negative }) => match other {
                Parts::Finite { significand: 0, .. } | Parts::Nan => return self.propagate(&[c]),
                Parts::Finite { negative: sign, .. } | Parts::Infinite { negative: sign } => Err(negative != sign),
            },
            (
                Parts::Finite { negative: x, significand: m, exponent: i },
                Parts::Finite { negative: y, significand: n, exponent: j },
            ) => Ok((x != y, u128::from(m) * u128::from(n), i + j)),
        };
        match (product, self.parts(c)) {
            (_, Parts::Nan) => self.propagate(&[c]),
            (Err(x), Parts::Infinite { negative }) if x != negative => self.nan(),
            (Err(negative), _) | (_, Parts::Infinite { negative }) => self.infinity(negative),
            (Ok((x, m, i)), Parts::Finite { negative: y, significand: n, exponent: j }) => {
                self.sum((x, m, i), (y, u128::from(n), j), mode)
            }
        }
    }

    fn sum(self, a: (bool, u128, i32), b: (bool, u128, i32), mode: Round) -> u64 {
        if a.1 == 0 && b.1 == 0 {
            let negative = if a.0 == b.0 { a.0 } else { mode == Round::Down };
            return self.sign(negative);
        }
        if a.1 == 0 {
            return self.round(b.0, b.1, b.2, mode);
        }
        if b.1 == 0 {
            return self.round(a.0, a.1, a.2, mode);
        }
        // Both with their highest bit at 125; at least 19 zero bits below either significand.
        let lift = |(sign, m, e): (bool, u128, i32)| {
            let shift = m.leading_zeros() as i32 - 2;
            (sign, m << shift, e - shift)
        };
        let (mut a, mut b) = (lift(a), lift(b));
        if (a.2, a.1) < (b.2, b.1) {
            core::mem::swap(&mut a, &mut b);
        }
        let distance = a.2 - b.2;
        let (small, lost) = match distance {
            0 => (b.1, false),
            1..=127 => (b.1 >> distance, b.1 & ((1 << distance) - 1) != 0),
            _ => (0, true),
        };
        let total = if a.0 == b.0 {
            a.1 + small | u128::from(lost)
        } else {
            (a.1 - small - u128::from(lost)) | u128::from(lost)
        };
        if total == 0 {
            return self.sign(mode == Round::Down);
        }
        self.round(a.0, total, a.2, mode)
    }

    /// `a / b`.
    pub(crate) fn div(self, a: u64, b: u64, mode: Round) -> u64 {
        match (self.parts(a), self.parts(b)) {
            (Parts::Nan, _) | (_, Parts::Nan) => self.propagate(&[a, b]),
            (Parts::Infinite { .. }, Parts::Infinite { .. }) => self.nan(),
            (Parts::Infinite { negative: x }, Parts::Finite { negative: y, .. }) => self.infinity(x != y),
            (Parts::Finite { negative: x, .. }, Parts::Infinite { negative: y }) => self.sign(x != y),
            (
                Parts::Finite { negative: x, significand: m, exponent: i },
                Parts::Finite { negative: y, significand: n, exponent: j },
            ) => {
                if n == 0 {
                    return if m == 0 { self.nan() } else { self.infinity(x != y) };
                }
                if m == 0 {
                    return self.sign(x != y);
                }
                let (up, down) = (m.leading_zeros() as i32, n.leading_zeros() as i32);
                let numerator = u128::from(m << up) << 63;
                let denominator = u128::from(n << down);
                let quotient = numerator / denominator;
                let rest = numerator % denominator;
                self.round(x != y, quotient << 1 | u128::from(rest != 0), i - up - 63 - j + down - 1, mode)
            }
        }
    }

    /// The square root.
    pub(crate) fn sqrt(self, a: u64, mode: Round) -> u64 {
        match self.parts(a) {
            Parts::Nan => self.propagate(&[a]),
            Parts::Infinite { negative: false } => a,
            Parts::Finite { significand: 0, .. } => a,
            Parts::Infinite { .. } | Parts::Finite { negative: true, .. } => self.nan(),
            Parts::Finite { significand, exponent, .. } => {
                let mut shift = significand.leading_zeros() as i32;
                let wide = self.fraction > 23;
                shift += if wide { 63 } else { 0 };
                if (exponent - shift) & 1 != 0 {
                    shift -= 1;
                }
                let scaled = u128::from(significand) << shift;
                let (root, exact) = if wide {
                    let root = scaled.isqrt();
                    (root, root * root == scaled)
                } else {
                    let narrow = scaled as u64;
                    let root = narrow.isqrt();
                    (u128::from(root), root * root == narrow)
                };
                self.round(false, root << 1 | u128::from(!exact), (exponent - shift) / 2 - 1, mode)
            }
        }
    }

    /// Rounds to an integer of the same format.
    #[cfg(test)]
    pub(crate) fn integral(self, a: u64, mode: Round) -> u64 {
        match self.parts(a) {
            Parts::Nan => self.propagate(&[a]),
            Parts::Infinite { .. } => a,
            Parts::Finite { negative, significand, exponent } => {
                if exponent >= 0 || significand == 0 {
                    return a;
                }
                let drop = (-exponent).min(63) as u32;
                let kept = significand >> drop;
                let rest = significand & ((1 << drop) - 1);
                let half = 1u64 << (drop - 1);
                let up = match mode {
                    Round::Near => rest > half || rest == half && kept & 1 == 1,
                    Round::Zero => false,
                    Round::Down => negative && rest != 0,
                    Round::Up => !negative && rest != 0,
                };
                self.round(negative, u128::from(kept + u64::from(up)), 0, Round::Zero)
            }
        }
    }

    /// Converts from another format.
    pub(crate) fn from(self, other: Format, a: u64, mode: Round) -> u64 {
        match other.parts(a) {
            Parts::Nan if self.bits() == 64 => {
                // Widening keeps the payload at the top and makes the NaN quiet.
                let fraction = a & ((1 << other.fraction) - 1);
                let negative = a >> (other.bits() - 1) & 1 == 1;
                self.infinity(negative) | fraction << (self.fraction - other.fraction) | 1 << (self.fraction - 1)
            }
            Parts::Nan => self.nan(),
            Parts::Infinite { negative } => self.infinity(negative),
            Parts::Finite { negative, significand, exponent } => {
                self.round(negative, u128::from(significand), exponent, mode)
            }
        }
    }

    /// Converts an integer.
    pub(crate) fn from_int(self, negative: bool, magnitude: u64, mode: Round) -> u64 {
        if magnitude == 0 { 0 } else { self.round(negative, u128::from(magnitude), 0, mode) }
    }

    /// Subnormals become zeros of their sign.
    pub(crate) fn flush(self, a: u64) -> u64 {
        if a >> self.fraction & self.top() == 0 { a & self.sign(true) } else { a }
    }
}

/// `a * b + c` with one rounding to nearest, on hosts without an instruction for it: the product is exact in `f64`.
#[inline(always)]
pub(crate) fn fma_f32(a: f32, b: f32, c: f32) -> f32 {
    let (product, addend) = (f64::from(a) * f64::from(b), f64::from(c));
    if cfg!(target_arch = "wasm32") {
        // Rounding twice errs only where the first gave a tie, which shows in the bits below those that stay, subnormals apart.
        let sum = product + addend;
        let bits = sum.to_bits();
        if bits & 0x1fff_ffff != 0x1000_0000 && bits >> 52 & 0x7ff >= 1023 - 126 {
            return sum as f32;
        }
    }
    double::odd_sum(product, addend) as f32
}

/// Rounds to an integer, ties to even, without the standard library.
#[inline(always)]
pub(crate) fn rint_f32(a: f32) -> f32 {
    const SHIFT: f32 = 8_388_608.0;
    let magnitude = f32::from_bits(a.to_bits() & 0x7fff_ffff);
    let rounded = if magnitude < SHIFT { magnitude + SHIFT - SHIFT } else { magnitude };
    f32::from_bits(rounded.to_bits() | a.to_bits() & 0x8000_0000)
}

impl Format {
    /// Bits of plus infinity.
    pub(crate) const fn infinite(self) -> u64 {
        self.infinity(false)
    }

    /// Bits of one.
    pub(crate) const fn one(self) -> u64 {
        (self.bias() as u64) << self.fraction
    }
}
