//! Typed numbers: how `f32 = 1.5`, `u8 = [1, 2]` and `random` become bytes, and how outputs are shown.

use toml::de::DeValue;

use super::{
    error::{JobError, Problem},
    expr,
    scope::Scope,
    source::Node,
};

/// The type of an element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Scalar {
    U8,
    I8,
    U16,
    I16,
    U32,
    I32,
    U64,
    I64,
    F32,
    F64,
}

/// Names of all types, for messages.
pub const SCALARS: &str = "u8, i8, u16, i16, u32, i32, u64, i64, f32, f64";

impl Scalar {
    /// All of them, with the names that job files use.
    pub const ALL: [(&'static str, Self); 10] = [
        ("u8", Self::U8),
        ("i8", Self::I8),
        ("u16", Self::U16),
        ("i16", Self::I16),
        ("u32", Self::U32),
        ("i32", Self::I32),
        ("u64", Self::U64),
        ("i64", Self::I64),
        ("f32", Self::F32),
        ("f64", Self::F64),
    ];

    /// The type called `name`.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(other, _)| *other == name).map(|(_, scalar)| *scalar)
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, scalar)| *scalar == self).map_or("", |(name, _)| name)
    }

    /// Bytes.
    pub fn size(self) -> usize {
        match self {
            Self::U8 | Self::I8 => 1,
            Self::U16 | Self::I16 => 2,
            Self::U32 | Self::I32 | Self::F32 => 4,
            Self::U64 | Self::I64 | Self::F64 => 8,
        }
    }

    /// Least and greatest integer of the type.
    fn range(self) -> (i128, i128) {
        match self {
            Self::U8 => (0, u8::MAX.into()),
            Self::I8 => (i8::MIN.into(), i8::MAX.into()),
            Self::U16 => (0, u16::MAX.into()),
            Self::I16 => (i16::MIN.into(), i16::MAX.into()),
            Self::U32 => (0, u32::MAX.into()),
            Self::I32 => (i32::MIN.into(), i32::MAX.into()),
            Self::U64 => (0, u64::MAX.into()),
            Self::I64 => (i64::MIN.into(), i64::MAX.into()),
            Self::F32 => (-(1 << 24), 1 << 24),
            Self::F64 => (-(1 << 53), 1 << 53),
        }
    }

    /// The type that a node names.
    pub fn read(node: &Node<'_>) -> Result<Self, JobError> {
        let name = node.text()?;
        Self::named(name).ok_or_else(|| node.error(Problem::Choice { found: name.to_owned(), allowed: SCALARS }))
    }

    fn bound(self, node: &Node<'_>, scope: &Scope<'_>) -> Result<Bound, JobError> {
        let bits = self.bits(node, scope)?;
        Ok(match self {
            Self::F32 => Bound { whole: 0, real: f32::from_bits(bits as u32).into() },
            Self::F64 => Bound { whole: 0, real: f64::from_bits(bits) },
            _ => Bound { whole: scope.integer(node)?, real: 0.0 },
        })
    }

    /// The bits of the value at `node`, in the low bytes.
    pub fn bits(self, node: &Node<'_>, scope: &Scope<'_>) -> Result<u64, JobError> {
        if !matches!(self, Self::F32 | Self::F64) {
            if let DeValue::Boolean(value) = node.value() {
                return Ok(u64::from(*value));
            }
            let (low, high) = self.range();
            let value = scope.within(node, low, high)?;
            return Ok(low_bits(value));
        }
        let digits = self.size().saturating_mul(2);
        match node.value() {
            DeValue::Float(float) => {
                let text = float.as_str();
                // Parsed as the type itself: by way of f64 an f32 would be rounded twice.
                let bits = match self {
                    Self::F32 => text.parse::<f32>().map(|value| u64::from(value.to_bits())),
                    _ => text.parse::<f64>().map(f64::to_bits),
                };
                bits.map_err(|_| node.expected("a float"))
            }
            DeValue::String(text) if text.starts_with("0x") && text.len() == digits.saturating_add(2) => {
                let bits = expr::number(text).and_then(|bits| u64::try_from(bits).ok());
                bits.ok_or_else(|| node.expected("the bits of a float"))
            }
            _ => {
                let (low, high) = self.range();
                let value = scope.within(node, low, high)?;
                // Exact: the range holds only integers that the type has.
                let value = i64::try_from(value).unwrap_or_default() as f64;
                Ok(match self {
                    Self::F32 => u64::from((value as f32).to_bits()),
                    _ => value.to_bits(),
                })
            }
        }
    }

    /// Appends the low bytes of `bits`.
    pub fn push(self, bits: u64, out: &mut Vec<u8>) {
        out.extend_from_slice(bits.to_le_bytes().get(..self.size()).unwrap_or_default());
    }

    /// One element, printed.
    pub fn show(self, bytes: &[u8]) -> String {
        let mut word = [0u8; 8];
        for (to, from) in word.iter_mut().zip(bytes) {
            *to = *from;
        }
        let bits = u64::from_le_bytes(word);
        match self {
            Self::U8 | Self::U16 | Self::U32 | Self::U64 => bits.to_string(),
            Self::I8 => (bits as i8).to_string(),
            Self::I16 => (bits as i16).to_string(),
            Self::I32 => (bits as i32).to_string(),
            Self::I64 => (bits as i64).to_string(),
            Self::F32 => f32::from_bits(bits as u32).to_string(),
            Self::F64 => f64::from_bits(bits).to_string(),
        }
    }

    /// One element made of the top bits of `drawn`, between bounds where there are any.
    fn random(self, drawn: u64, bounds: Option<(Bound, Bound)>) -> u64 {
        match (self, bounds) {
            (Self::F32, Some((low, high))) => {
                let (low, high) = (low.real as f32, high.real as f32);
                let value = (drawn >> 40) as f32 * (1.0 / 16_777_216.0) * (high - low) + low;
                return u64::from(value.to_bits());
            }
            (Self::F64, Some((low, high))) => {
                let value = (drawn >> 11) as f64 * (1.0 / 9_007_199_254_740_992.0) * (high.real - low.real) + low.real;
                return value.to_bits();
            }
            (_, Some((low, high))) => {
                let count = high.whole.saturating_sub(low.whole).saturating_add(1);
                return low_bits(low.whole.saturating_add(i128::from(drawn).checked_rem(count).unwrap_or(0)));
            }
            (_, None) => {}
        }
        match self {
            Self::F32 => {
                let value = (drawn >> 40) as f32 * (1.0 / 8_388_608.0) - 1.0;
                u64::from(value.to_bits())
            }
            Self::F64 => ((drawn >> 11) as f64 * (1.0 / 4_503_599_627_370_496.0) - 1.0).to_bits(),
            other => match other.size() {
                1 => drawn >> 56,
                2 => drawn >> 48,
                4 => drawn >> 32,
                _ => drawn,
            },
        }
    }
}

/// An end of the range of random values.
#[derive(Clone, Copy, Debug)]
pub struct Bound {
    whole: i128,
    real: f64,
}

/// What `random` asks for.
#[derive(Clone, Copy, Debug)]
pub struct Random {
    scalar: Scalar,
    seed: u64,
    bounds: Option<(Bound, Bound)>,
}

impl Random {
    /// Reads `{ seed = 1, type = "f32", min = 0, max = 1 }`.
    pub fn read(node: &Node<'_>, scope: &Scope<'_>) -> Result<Self, JobError> {
        let table = node.table()?;
        table.only(&["seed", "type", "min", "max"])?;
        let seed = scope.u64(&table.need("seed")?)?;
        let scalar = Scalar::read(&table.need("type")?)?;
        let bounds = match (table.get("min"), table.get("max")) {
            (None, None) => None,
            (low, high) => {
                let bound = |node: Option<Node<'_>>| match node {
                    Some(node) => scalar.bound(&node, scope),
                    None => Ok(Bound { whole: 0, real: 0.0 }),
                };
                let (low, high) = (bound(low)?, bound(high)?);
                if low.whole > high.whole || low.real > high.real {
                    return Err(node.error(Problem::Form("`min` is above `max`; each is 0 without")));
                }
                Some((low, high))
            }
        };
        Ok(Self { scalar, seed, bounds })
    }
}

/// Two's complement, cut to 64 bits.
fn low_bits(value: i128) -> u64 {
    let [a, b, c, d, e, f, g, h, ..] = value.to_le_bytes();
    u64::from_le_bytes([a, b, c, d, e, f, g, h])
}

/// The values at a list.
pub fn list(scalar: Scalar, node: &Node<'_>, scope: &Scope<'_>) -> Result<Vec<u8>, JobError> {
    let mut out = Vec::new();
    for item in node.list()? {
        scalar.push(scalar.bits(&item, scope)?, &mut out);
    }
    Ok(out)
}

/// `len` bytes of one value again and again, from `{ f32 = 1.0 }`.
pub fn fill(scalar: Scalar, bits: u64, len: usize) -> Vec<u8> {
    let mut one = Vec::new();
    scalar.push(bits, &mut one);
    one.into_iter().cycle().take(len).collect()
}

/// Bytes written as hexadecimal digits, with spaces as one likes.
pub fn hex(node: &Node<'_>) -> Result<Vec<u8>, JobError> {
    let digits: String = node.text()?.chars().filter(|c| !c.is_whitespace()).collect();
    let digits = digits.strip_prefix("0x").unwrap_or(&digits);
    hex::decode(digits).map_err(|error| node.error(Problem::Syntax(error.to_string())))
}

/// Reproducible data of `len` bytes: SplitMix64 from `seed`, one output an element.
pub fn random(random: &Random, len: usize) -> Vec<u8> {
    let Random { scalar, seed, bounds } = *random;
    let mut state = seed;
    let mut out = Vec::with_capacity(len.saturating_add(8));
    while out.len() < len {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        scalar.push(scalar.random(mixed ^ (mixed >> 31), bounds), &mut out);
    }
    out.truncate(len);
    out
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn random_data_is_splitmix64() {
        // The first outputs for seed 1234567, as published with the generator.
        let expected = [6_457_827_717_110_365_317u64, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423];
        let bytes: Vec<u8> = expected.iter().flat_map(|value| value.to_le_bytes()).collect();
        let random = |scalar, seed, len| random(&Random { scalar, seed, bounds: None }, len);
        assert_eq!(random(Scalar::U64, 1_234_567, 24), bytes);
        assert_eq!(random(Scalar::U32, 1_234_567, 4), (expected[0] >> 32).to_le_bytes()[..4]);
        assert_eq!(random(Scalar::U8, 1_234_567, 3).len(), 3);
    }

    #[test]
    fn random_floats_lie_between_minus_one_and_one() {
        let bytes = random(&Random { scalar: Scalar::F32, seed: 7, bounds: None }, 4000);
        let values: Vec<f32> = bytes.as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
        assert!(values.iter().all(|value| (-1.0..1.0).contains(value)));
        assert!(values.iter().any(|value| *value < -0.5) && values.iter().any(|value| *value > 0.5));
    }

    #[test]
    fn random_values_stay_between_their_bounds() {
        let whole = |whole| Bound { whole, real: 0.0 };
        let bounds = Some((whole(-3), whole(2)));
        let bytes = random(&Random { scalar: Scalar::I16, seed: 7, bounds }, 2000);
        let values: Vec<i16> = bytes.as_chunks::<2>().0.iter().map(|bytes| i16::from_le_bytes(*bytes)).collect();
        assert_eq!((values.iter().min(), values.iter().max()), (Some(&-3), Some(&2)));
        let real = |real| Bound { whole: 0, real };
        let random_f32 = Random { scalar: Scalar::F32, seed: 7, bounds: Some((real(10.0), real(11.0))) };
        let bytes = random(&random_f32, 4000);
        let values: Vec<f32> = bytes.as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
        assert!(values.iter().all(|value| (10.0..11.0).contains(value)) && values.iter().any(|value| *value > 10.9));
        assert_eq!(fill(Scalar::U16, 0x0102, 5), [2, 1, 2, 1, 2]);
    }

    #[test]
    fn numbers_are_shown_as_their_type() {
        assert_eq!(Scalar::I8.show(&[0xff]), "-1");
        assert_eq!(Scalar::F32.show(&1.5f32.to_le_bytes()), "1.5");
        assert_eq!(Scalar::U16.show(&[1, 2]), "513");
    }
}
