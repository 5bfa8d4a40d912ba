//! `cuda/suite/hash.cu`

use assay_primitives::hash;

use crate::{
    Job, JobError, LaunchDraft, ProgramDraft,
    data::{bytes, random_u8, random_u32, random_u64},
};

const PTX: &[u8] = include_bytes!("../../ptx/suite/hash.ptx");

pub fn jobs() -> Result<Vec<Job>, JobError> {
    Ok(vec![
        blake3_of("blake3_short", 150, 40)?,
        blake3_of("blake3_long", 70, 1000)?,
        keccak256()?,
        crc32()?,
        siphash()?,
        chacha20()?,
        aes128()?,
        murmur3()?,
    ])
}

fn line(entry: &'static str, count: usize, block: u32) -> LaunchDraft {
    LaunchDraft::line(entry, count.div_ceil(block as usize), block).int(count)
}

fn blake3_of(name: &'static str, count: usize, length: usize) -> Result<Job, JobError> {
    let pitch = length + 3;
    let text = random_u8(1, count * pitch);
    let mut draft = ProgramDraft::new(name, PTX);
    let from = draft.data(text.clone());
    let to = draft.zeros(count * 32);
    draft.launch(line("blake3", count, 64).int(pitch).int(length).pointers(&[from, to]).range(to, 64 * 32));
    draft.expect(to, text.chunks_exact(pitch).flat_map(|message| hash::plain(&message[..length])).collect());
    draft.finish()
}

/// One block of Keccak-256: at most 16 words.
fn keccak(words: &[u64]) -> [u64; 4] {
    // The round constants by their shift register, the turns by their walk: Keccak's reference, sections 1.2 and 1.3.
    let mut register = 1u8;
    let mut bit = || {
        let out = register & 1;
        register = (register << 1) ^ if register & 0x80 != 0 { 0x71 } else { 0 };
        u64::from(out)
    };
    let mut a = [[0u64; 5]; 5]; // a[x][y]
    for (i, word) in words.iter().chain([&1]).enumerate() {
        a[i % 5][i / 5] ^= word;
    }
    a[1][3] ^= 1 << 63;
    for _ in 0..24 {
        let c = a.map(|column| column.iter().fold(0, |c, lane| c ^ lane));
        for (x, column) in a.iter_mut().enumerate() {
            column.iter_mut().for_each(|lane| *lane ^= c[(x + 4) % 5] ^ c[(x + 1) % 5].rotate_left(1));
        }
        let mut b = a;
        let (mut x, mut y) = (1, 0);
        for t in 0..24u32 {
            let turned = a[x][y].rotate_left((t + 1) * (t + 2) / 2 % 64);
            (x, y) = (y, (2 * x + 3 * y) % 5);
            b[x][y] = turned;
        }
        for x in 0..5 {
            for y in 0..5 {
                a[x][y] = b[x][y] ^ (!b[(x + 1) % 5][y] & b[(x + 2) % 5][y]);
            }
        }
        for j in 0..7 {
            a[0][0] ^= bit() << ((1 << j) - 1);
        }
    }
    [a[0][0], a[1][0], a[2][0], a[3][0]]
}

fn keccak256() -> Result<Job, JobError> {
    let (count, words) = (100, 9);
    let messages = random_u64(2, count * words);
    let mut draft = ProgramDraft::new("keccak256", PTX);
    let from = draft.data(bytes(&messages));
    let to = draft.zeros(count * 32);
    draft.launch(line("keccak256", count, 32).int(words).pointers(&[from, to]).range(to, 32 * 32));
    draft.expect(to, bytes(&messages.chunks_exact(words).flat_map(keccak).collect::<Vec<_>>()));
    draft.finish()
}

fn crc(message: &[u8]) -> u32 {
    let mut sum = !0u32;
    for byte in message {
        sum ^= u32::from(*byte);
        for _ in 0..8 {
            sum = (sum >> 1) ^ if sum & 1 == 1 { 0xedb8_8320 } else { 0 };
        }
    }
    !sum
}

fn crc32() -> Result<Job, JobError> {
    let (count, length) = (300, 50);
    let text = random_u8(3, count * length);
    let mut draft = ProgramDraft::new("crc32", PTX);
    let from = draft.data(text.clone());
    let to = draft.zeros(count * 4);
    draft.launch(line("crc32", count, 256).int(length).pointers(&[from, to]).range(to, 256 * 4));
    draft.expect(to, bytes(&text.chunks_exact(length).map(crc).collect::<Vec<_>>()));
    draft.finish()
}

fn sip(key: [u64; 2], words: &[u64]) -> u64 {
    let mut v = [
        key[0] ^ 0x736f_6d65_7073_6575,
        key[1] ^ 0x646f_7261_6e64_6f6d,
        key[0] ^ 0x6c79_6765_6e65_7261,
        key[1] ^ 0x7465_6462_7974_6573,
    ];
    let round = |v: &mut [u64; 4]| {
        for (a, b, turn, halves) in [(0, 1, 13, true), (2, 3, 16, false), (0, 3, 21, false), (2, 1, 17, true)] {
            v[a] = v[a].wrapping_add(v[b]);
            v[b] = v[b].rotate_left(turn) ^ v[a];
            if halves {
                v[a] = v[a].rotate_left(32);
            }
        }
    };
    for word in words.iter().chain([&((words.len() as u64 * 8) << 56)]) {
        v[3] ^= word;
        round(&mut v);
        round(&mut v);
        v[0] ^= word;
    }
    v[2] ^= 0xff;
    (0..4).for_each(|_| round(&mut v));
    v[0] ^ v[1] ^ v[2] ^ v[3]
}

fn siphash() -> Result<Job, JobError> {
    let (count, words) = (200, 6);
    let key = [0x0706_0504_0302_0100, 0x0f0e_0d0c_0b0a_0908];
    let messages = random_u64(4, count * words);
    let mut draft = ProgramDraft::new("siphash", PTX);
    let from = draft.data(bytes(&messages));
    let to = draft.zeros(count * 8);
    draft.launch(line("siphash", count, 64).int(words).structure(bytes(&key))?.pointers(&[from, to]).range(to, 64 * 8));
    draft.expect(to, bytes(&messages.chunks_exact(words).map(|words| sip(key, words)).collect::<Vec<_>>()));
    draft.finish()
}

/// A block of ChaCha20's key stream.
fn chacha(key: &[u32], counter: u32, nonce: [u32; 3]) -> [u32; 16] {
    let mut start = [0u32; 16];
    for (word, four) in start.iter_mut().zip(b"expand 32-byte k".chunks_exact(4)) {
        *word = u32::from_le_bytes([four[0], four[1], four[2], four[3]]);
    }
    start[4..12].copy_from_slice(key);
    start[12] = counter;
    start[13..].copy_from_slice(&nonce);
    let mut s = start;
    for round in 0..20 {
        for i in 0..4 {
            // Columns, then diagonals.
            let [a, b, c, d] = [0, 1, 2, 3].map(|row| 4 * row + (i + if round % 2 == 1 { row } else { 0 }) % 4);
            for (x, y, z, turn) in [(a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)] {
                s[x] = s[x].wrapping_add(s[y]);
                s[z] = (s[z] ^ s[x]).rotate_left(turn);
            }
        }
    }
    std::array::from_fn(|i| s[i].wrapping_add(start[i]))
}

fn chacha20() -> Result<Job, JobError> {
    let blocks = 90;
    let text = random_u32(5, blocks * 16);
    let key = random_u32(6, 8);
    let nonce = [7, 8, 9];
    let mut draft = ProgramDraft::new("chacha20", PTX);
    let (bk, from) = (draft.data(bytes(&key)), draft.data(bytes(&text)));
    let to = draft.zeros(blocks * 64);
    draft.launch(
        line("chacha20", blocks, 32).pointer(bk).structure(bytes(&nonce))?.pointers(&[from, to]).range(to, 32 * 64),
    );
    let stream = (0..blocks as u32).flat_map(|block| chacha(&key, block, nonce));
    draft.expect(to, bytes(&text.iter().zip(stream).map(|(a, b)| a ^ b).collect::<Vec<_>>()));
    draft.finish()
}

fn product(mut a: u8, mut b: u8) -> u8 {
    let mut p = 0;
    while b > 0 {
        p ^= if b & 1 == 1 { a } else { 0 };
        a = (a << 1) ^ if a & 0x80 != 0 { 0x1b } else { 0 };
        b >>= 1;
    }
    p
}

fn substitute(x: u8) -> u8 {
    let inverse = (1..=255).find(|y| product(x, *y) == 1).unwrap_or(0);
    (1..5).fold(0x63 ^ inverse, |sum, turn| sum ^ inverse.rotate_left(turn))
}

/// The round keys of AES-128.
fn expand(key: [u8; 16]) -> Vec<u8> {
    let mut keys = key.to_vec();
    let mut round = 1u8;
    while keys.len() < 176 {
        let at = keys.len();
        let mut word = [keys[at - 4], keys[at - 3], keys[at - 2], keys[at - 1]];
        if at.is_multiple_of(16) {
            word = [word[1], word[2], word[3], word[0]].map(substitute);
            word[0] ^= round;
            round = product(round, 2);
        }
        for (i, byte) in word.iter().enumerate() {
            keys.push(byte ^ keys[at - 16 + i]);
        }
    }
    keys
}

fn aes(keys: &[u8], block: [u8; 16], substitutes: &[u8]) -> [u8; 16] {
    let mut s: [u8; 16] = std::array::from_fn(|i| block[i] ^ keys[i]);
    for round in 1..=10 {
        let shifted: [u8; 16] = std::array::from_fn(|i| substitutes[usize::from(s[(i / 4 + i % 4) % 4 * 4 + i % 4])]);
        s = std::array::from_fn(|i| {
            let column = &shifted[i / 4 * 4..];
            let at = |row: usize| column[(i + row) % 4];
            let mixed = if round == 10 { at(0) } else { product(at(0), 2) ^ product(at(1), 3) ^ at(2) ^ at(3) };
            mixed ^ keys[16 * round + i]
        });
    }
    s
}

fn aes128() -> Result<Job, JobError> {
    let blocks = 270;
    let text = random_u8(7, blocks * 16);
    let keys = expand(std::array::from_fn(|i| 3 * i as u8));
    let mut draft = ProgramDraft::new("aes128", PTX);
    let (bk, from) = (draft.data(keys.clone()), draft.data(text.clone()));
    let to = draft.zeros(blocks * 16);
    draft.launch(line("aes128", blocks, 256).pointers(&[bk, from, to]).range(to, 256 * 16));
    let substitutes: Vec<u8> = (0..=255).map(substitute).collect();
    let stream = (0..blocks as u128).flat_map(|counter| aes(&keys, counter.to_be_bytes(), &substitutes));
    draft.expect(to, text.iter().zip(stream).map(|(a, b)| a ^ b).collect());
    draft.finish()
}

fn murmur(words: &[u32], seed: u32) -> u32 {
    let h = words.iter().fold(seed, |h, word| {
        let k = word.wrapping_mul(0xcc9e_2d51).rotate_left(15).wrapping_mul(0x1b87_3593);
        (h ^ k).rotate_left(13).wrapping_mul(5).wrapping_add(0xe654_6b64)
    });
    let h = h ^ (words.len() as u32 * 4);
    let h = (h ^ (h >> 16)).wrapping_mul(0x85eb_ca6b);
    let h = (h ^ (h >> 13)).wrapping_mul(0xc2b2_ae35);
    h ^ (h >> 16)
}

fn murmur3() -> Result<Job, JobError> {
    let (count, words) = (200, 7);
    let messages = random_u32(8, count * words);
    let mut draft = ProgramDraft::new("murmur3", PTX);
    let from = draft.data(bytes(&messages));
    let to = draft.zeros(count * 4);
    draft.launch(line("murmur3", count, 64).int(words).int(42).pointers(&[from, to]).range(to, 64 * 4));
    draft.expect(to, bytes(&messages.chunks_exact(words).map(|words| murmur(words, 42)).collect::<Vec<_>>()));
    draft.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    #[test]
    fn the_references_give_published_answers() {
        assert_eq!(hex(&bytes(&keccak(&[]))), "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470");
        assert_eq!(crc(b"123456789"), 0xcbf4_3926);
        assert_eq!(
            sip([0x0706_0504_0302_0100, 0x0f0e_0d0c_0b0a_0908], &[0x0706_0504_0302_0100]),
            0x93f5_f579_9a93_2462
        );
        assert_eq!(murmur(&[u32::from_le_bytes(*b"test")], 0), 0xba6b_d213);
        let key: Vec<u32> = (0..8).map(|i| 0x0302_0100 + 0x0404_0404 * i).collect();
        assert_eq!(chacha(&key, 1, [0x0900_0000, 0x4a00_0000, 0])[0], 0xe4e7_f110);
        let substitutes: Vec<u8> = (0..=255).map(substitute).collect();
        let block =
            aes(&expand(std::array::from_fn(|i| i as u8)), std::array::from_fn(|i| 0x11 * i as u8), &substitutes);
        assert_eq!(hex(&block), "69c4e0d86a7b0430d8cdb78070b4c55a");
    }
}
