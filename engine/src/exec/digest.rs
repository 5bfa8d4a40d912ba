//! The audit digest: a keyed fold over every value that the unit's instructions wrote to registers.
//!
//! Each lane of a warp holds 32 bits `h`; a result `v` makes it `rotl(h ^ k, 16) + v`, where `k` is the lane's word of
//! the expanded key. A 64-bit result folds as `low ^ rotl(high, 13)`, a mask of predicates goes to one more word per
//! warp. At the end the warps' words are absorbed in order, with the lane-steps, by ChaCha blocks in Davies-Meyer chaining under the key.
//! A digest without the run would need every intermediate value; one key's digest says nothing about another's.

const SIGMA: [u32; 4] = [0x6170_7865, 0x3320_646e, 0x7962_2d32, 0x6b20_6574];

fn quarter(s: &mut [u32; 16], a: usize, b: usize, c: usize, d: usize) {
    s[a] = s[a].wrapping_add(s[b]);
    s[d] = (s[d] ^ s[a]).rotate_left(16);
    s[c] = s[c].wrapping_add(s[d]);
    s[b] = (s[b] ^ s[c]).rotate_left(12);
    s[a] = s[a].wrapping_add(s[b]);
    s[d] = (s[d] ^ s[a]).rotate_left(8);
    s[c] = s[c].wrapping_add(s[d]);
    s[b] = (s[b] ^ s[c]).rotate_left(7);
}

fn chacha(key: &[u32; 8], block: [u32; 4]) -> [u32; 16] {
    let mut start = [0u32; 16];
    start[..4].copy_from_slice(&SIGMA);
    start[4..12].copy_from_slice(key);
    start[12..].copy_from_slice(&block);
    let mut s = start;
    for _ in 0..10 {
        quarter(&mut s, 0, 4, 8, 12);
        quarter(&mut s, 1, 5, 9, 13);
        quarter(&mut s, 2, 6, 10, 14);
        quarter(&mut s, 3, 7, 11, 15);
        quarter(&mut s, 0, 5, 10, 15);
        quarter(&mut s, 1, 6, 11, 12);
        quarter(&mut s, 2, 7, 8, 13);
        quarter(&mut s, 3, 4, 9, 14);
    }
    for (word, first) in s.iter_mut().zip(start) {
        *word = word.wrapping_add(first);
    }
    s
}

/// The expanded key.
pub(super) struct Key {
    words: [u32; 8],
    /// One word per lane, folded with every result.
    pub(super) lanes: [u32; 32],
}

impl Key {
    pub(super) fn new(key: &[u8; 32]) -> Self {
        let mut words = [0u32; 8];
        for (word, bytes) in words.iter_mut().zip(key.chunks_exact(4)) {
            *word = u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
        }
        let mut lanes = [0u32; 32];
        lanes[..16].copy_from_slice(&chacha(&words, [0, 0, 0, 1]));
        lanes[16..].copy_from_slice(&chacha(&words, [1, 0, 0, 1]));
        Self { words, lanes }
    }

    /// A warp's words before its first instruction.
    pub(super) fn start(&self, warp: u32) -> [u32; 32] {
        let mut lanes = [0u32; 32];
        lanes[..16].copy_from_slice(&chacha(&self.words, [warp, 0, 0, 2]));
        lanes[16..].copy_from_slice(&chacha(&self.words, [warp, 1, 0, 2]));
        lanes
    }

    /// The digest of all warps' words.
    pub(super) fn finish<'a>(&self, warps: impl Iterator<Item = (&'a [u32; 32], u32)>, lane_steps: u64) -> [u8; 32] {
        let mut chain = self.words;
        let mut absorb = |block: [u32; 4]| {
            let out = chacha(&chain, block);
            for (word, new) in chain.iter_mut().zip(&out[..8]) {
                *word ^= new;
            }
        };
        for (lanes, scalar) in warps {
            for four in lanes.chunks_exact(4) {
                absorb([four[0], four[1], four[2], four[3]]);
            }
            absorb([scalar, 0, 0, 3]);
        }
        absorb([lane_steps as u32, (lane_steps >> 32) as u32, 0, 4]);
        let out = chacha(&chain, [0, 0, 0, 5]);
        let mut digest = [0u8; 32];
        for (bytes, (word, key)) in digest.chunks_exact_mut(4).zip(out.iter().zip(&self.words)) {
            bytes.copy_from_slice(&(word ^ key).to_le_bytes());
        }
        digest
    }
}
