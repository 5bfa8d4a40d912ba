//! Reproducible inputs, and numbers as bytes.

/// SplitMix64, as the job files' `random` uses it.
#[derive(Clone)]
pub struct Random(u64);

impl Random {
    /// With `seed` as its state.
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next 64 bits.
    pub fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = self.0;
        let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// The next `n` numbers below `bound`.
    pub fn below(&mut self, bound: u64, n: usize) -> Vec<u32> {
        (0..n).map(|_| u32::try_from(self.next_u64() % bound.max(1)).unwrap_or(0)).collect()
    }
}

/// `n` bytes.
pub fn random_u8(seed: u64, n: usize) -> Vec<u8> {
    let mut random = Random::new(seed);
    (0..n).map(|_| (random.next_u64() >> 56) as u8).collect()
}

/// `n` 32-bit integers.
pub fn random_u32(seed: u64, n: usize) -> Vec<u32> {
    let mut random = Random::new(seed);
    (0..n).map(|_| (random.next_u64() >> 32) as u32).collect()
}

/// `n` 64-bit integers.
pub fn random_u64(seed: u64, n: usize) -> Vec<u64> {
    let mut random = Random::new(seed);
    (0..n).map(|_| random.next_u64()).collect()
}

/// `n` numbers in [-1, 1).
pub fn random_f32(seed: u64, n: usize) -> Vec<f32> {
    let mut random = Random::new(seed);
    (0..n).map(|_| (random.next_u64() >> 40) as f32 * (1.0 / 8_388_608.0) - 1.0).collect()
}

/// `n` numbers in [-1, 1).
pub fn random_f64(seed: u64, n: usize) -> Vec<f64> {
    let mut random = Random::new(seed);
    (0..n).map(|_| (random.next_u64() >> 11) as f64 * (1.0 / 4_503_599_627_370_496.0) - 1.0).collect()
}

/// A number with a little-endian form.
pub trait Number: Copy {
    /// Its bytes, the lowest first.
    fn to_bytes(self) -> Vec<u8>;
}

macro_rules! numbers {
    ($($number:ty),*) => {
        $(impl Number for $number {
            fn to_bytes(self) -> Vec<u8> {
                self.to_le_bytes().to_vec()
            }
        })*
    };
}
numbers!(u8, i8, u16, i16, u32, i32, u64, i64, f32, f64);

/// Numbers as they lie in a buffer.
pub fn bytes<N: Number>(numbers: &[N]) -> Vec<u8> {
    numbers.iter().flat_map(|number| number.to_bytes()).collect()
}
