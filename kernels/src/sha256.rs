//! SHA-256 of many messages: `cuda/sha256.cu`.

use crate::{
    Job, JobError, LaunchDraft, ProgramDraft,
    data::{Random, bytes, random_u8},
};

/// The PTX.
pub const PTX: &[u8] = include_bytes!("../ptx/sha256.ptx");

/// The first 32 bits of the fractions of `roots` of the first primes: FIPS 180-4, 4.2.2 and 5.3.3.
fn constants<const N: usize>(root: impl Fn(f64) -> f64, is_root_at_most: impl Fn(u128, u128) -> bool) -> [u32; N] {
    let mut primes = (2u32..).filter(|n| (2..*n).take_while(|d| d * d <= *n).all(|d| n % d != 0));
    std::array::from_fn(|_| {
        let prime = primes.next().unwrap_or(2);
        // Near by floating point, then exact.
        let mut fixed = (root(f64::from(prime)) * 4_294_967_296.0) as u128;
        while !is_root_at_most(fixed, u128::from(prime)) {
            fixed -= 1;
        }
        while is_root_at_most(fixed + 1, u128::from(prime)) {
            fixed += 1;
        }
        fixed as u32
    })
}

/// SHA-256 of `message`.
pub fn reference(message: &[u8]) -> [u8; 32] {
    // fixed = root · 2³²; a cube of 2¹⁰³ still fits.
    let k: [u32; 64] = constants(f64::cbrt, |fixed, prime| fixed * fixed * fixed <= prime << 96);
    let mut state: [u32; 8] = constants(f64::sqrt, |fixed, prime| fixed * fixed <= prime << 64);
    let mut padded = message.to_vec();
    padded.push(0x80);
    while padded.len() % 64 != 56 {
        padded.push(0);
    }
    padded.extend((message.len() as u64 * 8).to_be_bytes());
    for block in padded.chunks_exact(64) {
        let mut w = [0u32; 64];
        for (word, four) in w.iter_mut().zip(block.chunks_exact(4)) {
            *word = four.iter().fold(0, |word, byte| word << 8 | u32::from(*byte));
        }
        for i in 16..64 {
            let low = w[i - 15].rotate_right(7) ^ w[i - 15].rotate_right(18) ^ (w[i - 15] >> 3);
            let high = w[i - 2].rotate_right(17) ^ w[i - 2].rotate_right(19) ^ (w[i - 2] >> 10);
            w[i] = w[i - 16].wrapping_add(low).wrapping_add(w[i - 7]).wrapping_add(high);
        }
        let [mut a, mut b, mut c, mut d, mut e, mut f, mut g, mut h] = state;
        for (k, w) in k.iter().zip(w) {
            let one = h
                .wrapping_add(e.rotate_right(6) ^ e.rotate_right(11) ^ e.rotate_right(25))
                .wrapping_add((e & f) ^ (!e & g))
                .wrapping_add(*k)
                .wrapping_add(w);
            let two =
                (a.rotate_right(2) ^ a.rotate_right(13) ^ a.rotate_right(22)).wrapping_add((a & b) ^ (a & c) ^ (b & c));
            (h, g, f, e) = (g, f, e, d.wrapping_add(one));
            (d, c, b, a) = (c, b, a, one.wrapping_add(two));
        }
        for (word, add) in state.iter_mut().zip([a, b, c, d, e, f, g, h]) {
            *word = word.wrapping_add(add);
        }
    }
    let mut digest = [0; 32];
    for (four, word) in digest.chunks_exact_mut(4).zip(state) {
        four.copy_from_slice(&word.to_be_bytes());
    }
    digest
}

/// Where each of `count` messages of 0 to 319 bytes begins, and where the last ends.
pub fn starts(count: usize) -> Vec<u32> {
    let lengths = Random::new(4).below(320, count);
    std::iter::once(0)
        .chain(lengths.iter().scan(0u32, |end, length| {
            *end = end.wrapping_add(*length);
            Some(*end)
        }))
        .collect()
}

/// The digests of `count` random messages.
pub fn job(count: usize) -> Result<Job, JobError> {
    let starts = starts(count);
    let text = random_u8(3, starts.last().map_or(0, |end| *end as usize));
    let mut draft = ProgramDraft::new("sha256", PTX);
    let messages = draft.data(text.clone());
    let places = draft.data(bytes(&starts));
    let digests = draft.zeros(count * 32);
    draft.launch(
        LaunchDraft::line("sha256", count.div_ceil(64), 64)
            .pointers(&[messages, places, digests])
            .int(count)
            .range(digests, 64 * 32),
    );
    let expected = starts.windows(2).flat_map(|pair| reference(&text[pair[0] as usize..pair[1] as usize])).collect();
    draft.expect(digests, expected);
    draft.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    // FIPS 180-4's examples.
    #[test]
    fn the_reference_gives_the_standards_digests() {
        assert_eq!(hex(&reference(b"abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert_eq!(hex(&reference(b"")), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
        assert_eq!(
            hex(&reference(b"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
        );
    }

    #[test]
    fn the_file_of_starts_is_the_generated_one() {
        assert_eq!(include_bytes!("../sha256/starts.bin").to_vec(), bytes(&starts(1000)));
    }
}
