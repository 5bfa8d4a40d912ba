//! `cuda/suite/compress.cu`

use crate::{
    Job, JobError, LaunchDraft, ProgramDraft,
    data::{Random, bytes, random_u8},
};

const PTX: &[u8] = include_bytes!("../../ptx/suite/compress.ptx");

pub fn jobs() -> Result<Vec<Job>, JobError> {
    Ok(vec![run_lengths()?, bit_pack()?, lz_decode()?, huffman()?])
}

fn run_lengths() -> Result<Job, JobError> {
    let blocks = 4;
    // Runs of all lengths; the last block is one run.
    let mut data: Vec<u8> = random_u8(1, blocks * 256)
        .iter()
        .scan(0u8, |state, x| {
            if *x < 70 {
                *state = x % 5;
            }
            Some(*state)
        })
        .collect();
    data[768..].fill(9);
    let mut draft = ProgramDraft::new("run_lengths", PTX);
    let from = draft.data(data.clone());
    let (to, counts) = (draft.zeros(blocks * 512), draft.zeros(blocks * 4));
    draft.launch(
        LaunchDraft::line("run_lengths", blocks, 256).pointers(&[from, to, counts]).range(to, 512).range(counts, 4),
    );
    let (mut pairs, mut lengths) = (Vec::new(), Vec::new());
    for block in data.chunks_exact(256) {
        let runs: Vec<&[u8]> = block.chunk_by(|a, b| a == b).collect();
        let mut out: Vec<u8> = runs.iter().flat_map(|run| [run[0], (run.len() - 1) as u8]).collect();
        out.resize(512, 0);
        pairs.extend(out);
        lengths.push(runs.len() as u32);
    }
    draft.expect(to, pairs);
    draft.expect(counts, bytes(&lengths));
    draft.finish()
}

fn bit_pack() -> Result<Job, JobError> {
    let blocks = 5;
    // Steps of growing size: each block needs another width; the last all 32 bits; the first is constant zero.
    let mut random = Random::new(2);
    let data: Vec<i32> = (0..blocks)
        .flat_map(|block| {
            let steps = random.below([1, 3, 100, 70_000, 1 << 32][block], 128);
            steps.into_iter().scan(0i32, |sum, step| {
                *sum = sum.wrapping_add(step as i32);
                Some(*sum)
            })
        })
        .collect();
    let mut draft = ProgramDraft::new("bit_pack", PTX);
    let from = draft.data(bytes(&data));
    let (to, widths) = (draft.zeros(blocks * 512), draft.zeros(blocks * 4));
    draft.launch(
        LaunchDraft::line("bit_pack", blocks, 128).pointers(&[from, to, widths]).range(to, 512).range(widths, 4),
    );
    let (mut words, mut bits) = (Vec::new(), Vec::new());
    for block in data.chunks_exact(128) {
        let codes: Vec<u32> = block
            .iter()
            .scan(0i32, |last, x| {
                let difference = x.wrapping_sub(*last);
                *last = *x;
                Some(((difference << 1) ^ (difference >> 31)) as u32)
            })
            .collect();
        let width = codes.iter().map(|code| 32 - code.leading_zeros()).max().unwrap_or(0);
        let mut out = vec![0u32; 128];
        for (i, code) in codes.iter().enumerate() {
            for bit in 0..width {
                let at = i * width as usize + bit as usize;
                out[at / 32] |= (code >> bit & 1) << (at % 32);
            }
        }
        words.extend(out);
        bits.push(width);
    }
    draft.expect(to, bytes(&words));
    draft.expect(widths, bytes(&bits));
    draft.finish()
}

/// Greedy: the longest copy of 3 to 130 bytes from at most 255 back, else literals.
fn lz_encode(data: &[u8]) -> Vec<u8> {
    let (mut out, mut literals, mut at) = (Vec::new(), Vec::new(), 0);
    let flush = |out: &mut Vec<u8>, literals: &mut Vec<u8>| {
        for piece in literals.chunks(128) {
            out.push(piece.len() as u8 - 1);
            out.extend(piece);
        }
        literals.clear();
    };
    while at < data.len() {
        let same =
            |back: usize| data[at..].iter().zip(&data[at - back..]).take_while(|(a, b)| a == b).take(130).count();
        match (1..=at.min(255)).map(|back| (same(back), back)).max() {
            Some((length, back)) if length >= 3 => {
                flush(&mut out, &mut literals);
                out.extend([(length + 125) as u8, back as u8]);
                at += length;
            }
            _ => {
                literals.push(data[at]);
                at += 1;
            }
        }
    }
    flush(&mut out, &mut literals);
    out
}

fn lz_decode() -> Result<Job, JobError> {
    let (blocks, size) = (40, 300);
    let mut random = Random::new(3);
    let words = ["assay ", "kernel ", "witness ", "proof, ", "of ", "a "];
    let blocks: Vec<Vec<u8>> = (0..blocks)
        .map(|_| random.below(6, size).into_iter().flat_map(|i| words[i as usize].bytes()).take(size).collect())
        .collect();
    let coded: Vec<Vec<u8>> = blocks.iter().map(|block| lz_encode(block)).collect();
    let starts: Vec<u32> = coded
        .iter()
        .scan(0, |end, code| {
            let start = *end;
            *end += code.len() as u32;
            Some(start)
        })
        .collect();
    let mut draft = ProgramDraft::new("lz_decode", PTX);
    let places = draft.data(bytes(&starts));
    let from = draft.data(coded.concat());
    let to = draft.zeros(blocks.len() * size);
    draft.launch(
        LaunchDraft::line("lz_decode", blocks.len().div_ceil(16), 16)
            .int(blocks.len())
            .pointers(&[places, from])
            .int(size)
            .pointer(to)
            .range(to, 16 * size),
    );
    draft.expect(to, blocks.concat());
    draft.finish()
}

fn huffman() -> Result<Job, JobError> {
    let (streams, symbols) = (40, 60);
    // A canonical code: how many codes there are of each length, 1 to 12 bits; complete.
    let lengths = [0u32, 0, 1, 2, 3, 2, 3, 1, 2, 0, 0, 0, 0];
    let mut counts = lengths.to_vec();
    // What is left at the last length makes the code complete.
    let left = (1..12).fold(1i64, |left, length| left * 2 - i64::from(lengths[length])) * 2;
    counts[12] = left as u32;
    let (mut first, mut place, mut codes) = (vec![0u32; 14], vec![0u32; 14], Vec::new());
    let mut code = 0;
    for length in 1..=12usize {
        code <<= 1;
        (first[length], place[length]) = (code, codes.len() as u32);
        codes.extend((0..counts[length]).map(|i| (code + i, length)));
        code += counts[length];
    }
    place[13] = codes.len() as u32;
    let alphabet: Vec<u8> = (0..codes.len()).map(|i| (i * 37 + 11) as u8).collect();
    let mut random = Random::new(4);
    let (mut bits, mut out) = (Vec::new(), Vec::new());
    let words = (symbols * 12usize).div_ceil(32);
    for _ in 0..streams {
        // Short codes are the likelier ones.
        let text: Vec<usize> = random
            .below(1 << 12, symbols)
            .into_iter()
            .map(|x| codes.iter().rposition(|(code, length)| code << (12 - length) <= x).unwrap_or(0))
            .collect();
        let mut stream = vec![0u32; words];
        let mut at = 0;
        for symbol in &text {
            let (code, length) = codes[*symbol];
            for bit in (0..length).rev() {
                stream[at / 32] |= (code >> bit & 1) << (31 - at % 32);
                at += 1;
            }
        }
        bits.extend(stream);
        out.extend(text.iter().map(|symbol| alphabet[*symbol]));
    }
    let mut draft = ProgramDraft::new("huffman", PTX);
    let buffers = [bytes(&bits), bytes(&first), bytes(&place), alphabet].map(|data| draft.data(data));
    let to = draft.zeros(streams * symbols);
    draft.launch(
        LaunchDraft::line("huffman", streams.div_ceil(32), 32)
            .int(streams)
            .int(symbols)
            .int(words)
            .pointers(&buffers)
            .pointer(to)
            .range(to, 32 * symbols),
    );
    draft.expect(to, out);
    draft.finish()
}
