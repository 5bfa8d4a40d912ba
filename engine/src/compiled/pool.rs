//! Constants of compiled code.

use super::Unfit;
use std::collections::BTreeMap;

/// A constant: eight lanes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Word([u32; 8]);

impl Word {
    pub(super) const ONES: Self = Self::all(u32::MAX);
    pub(super) const NAN: Self = Self::all(crate::alu::NAN_F32);
    /// A shuffle of bytes that turns each lane by 16 bits.
    pub(super) const TURN: Self = Self::bytes([2, 3, 0, 1]);
    /// The signs of 64-bit lanes.
    pub(super) const SIGNS: Self = Self::pairs(1 << 63);

    /// The same in each lane.
    pub(super) const fn all(value: u32) -> Self {
        Self([value; 8])
    }

    /// The same in each lane of 64 bits.
    pub(super) const fn pairs(value: u64) -> Self {
        let (low, high) = (value as u32, (value >> 32) as u32);
        Self([low, high, low, high, low, high, low, high])
    }

    /// A shuffle that takes each lane's bytes from these places of the lane; zero for a place of 128.
    pub(super) const fn bytes(places: [u8; 4]) -> Self {
        let mut lanes = [0u32; 8];
        let mut lane = 0;
        while lane < 8 {
            let first = 4 * (lane as u8 % 4);
            let mut byte = 0;
            while byte < 4 {
                let place = if places[byte] >= 128 { 128 } else { places[byte] + first };
                lanes[lane] |= (place as u32) << (8 * byte);
                byte += 1;
            }
            lane += 1;
        }
        Self(lanes)
    }
}

/// For each byte of a mask its lanes as words of all ones, then the constants that segments use.
pub(super) struct Pool {
    words: Vec<[u32; 8]>,
    places: BTreeMap<Word, i32>,
}

impl Pool {
    pub(super) fn new() -> Self {
        Self { words: super::super::exec::KEEP.to_vec(), places: BTreeMap::new() }
    }

    /// Where a constant lies, in bytes from the start.
    pub(super) fn place(&mut self, word: Word) -> Result<i32, Unfit> {
        if let Some(at) = self.places.get(&word) {
            return Ok(*at);
        }
        let at = i32::try_from(self.words.len() * 32).map_err(|_| Unfit)?;
        self.words.push(word.0);
        self.places.insert(word, at);
        Ok(at)
    }

    pub(super) fn into_words(self) -> Box<[[u32; 8]]> {
        self.words.into()
    }
}
