//! Seeded mutation of kept inputs, for bounded runs without a fuzzer.

/// Numbers that look random and are the same in every run.
pub struct Dice(pub u64);

impl Dice {
    /// The next 64 bits.
    pub fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }

    /// A number below `bound`, which is more than 0.
    pub fn below(&mut self, bound: usize) -> usize {
        (self.draw() % bound.max(1) as u64) as usize
    }

    /// So many bytes.
    pub fn bytes(&mut self, count: usize) -> Vec<u8> {
        (0..count).map(|_| self.draw() as u8).collect()
    }
}

const WORDS: [&str; 40] = [
    "{",
    "}",
    "(",
    ")",
    "[",
    "]",
    ";",
    ",",
    "@",
    "@!",
    "|",
    "+",
    "-",
    ":",
    "<",
    ">",
    "=",
    "\0",
    "\r\n",
    "//",
    "/*",
    "*/",
    "\"",
    "0x",
    "0f3F800000",
    "0d7FF8000000000000",
    "4294967296",
    "18446744073709551615",
    "-9223372036854775808",
    "1e999",
    "%r1",
    "%rd1",
    "%p1",
    ".reg .b32 %r<4000000000>;",
    ".shared .b8 s[4000000000];",
    "bra L;",
    "L:",
    ".align 128",
    ".v4",
    "call f, (a);",
];

/// Some edits of `seed`: bytes changed, stretches dropped, doubled or moved, tokens put in, parts of `other` spliced.
pub fn mutate(dice: &mut Dice, seed: &[u8], other: &[u8]) -> Vec<u8> {
    let mut bytes = seed.to_vec();
    for _ in 0..1 + dice.below(4) {
        let at = dice.below(bytes.len() + 1);
        let end = (at + 1 + dice.below(60)).min(bytes.len());
        match dice.below(8) {
            0 if at < bytes.len() => bytes[at] = dice.draw() as u8,
            1 if at < bytes.len() => bytes[at] ^= 1 << dice.below(8),
            2 => drop(bytes.drain(at.min(end)..end)),
            3 => {
                let part = bytes[at.min(end)..end].to_vec();
                let to = dice.below(bytes.len() + 1);
                bytes.splice(to..to, part);
            }
            4 if !other.is_empty() => {
                let from = dice.below(other.len());
                let until = (from + 1 + dice.below(120)).min(other.len());
                bytes.splice(at..at, other[from..until].iter().copied());
            }
            5 => {
                // One line for another.
                let lines: Vec<&[u8]> = bytes.split(|byte| *byte == b'\n').collect();
                let (from, to) = (dice.below(lines.len()), dice.below(lines.len()));
                let mut lines: Vec<Vec<u8>> = lines.into_iter().map(<[u8]>::to_vec).collect();
                lines[to] = lines[from].clone();
                bytes = lines.join(&b'\n');
            }
            _ => {
                let word = WORDS[dice.below(WORDS.len())];
                bytes.splice(at..at, word.bytes());
            }
        }
    }
    bytes
}
