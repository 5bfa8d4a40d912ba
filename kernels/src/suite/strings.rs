//! `cuda/suite/strings.cu`

use crate::{
    Job, JobError, LaunchDraft, ProgramDraft,
    data::{Random, bytes, random_u8},
};

const PTX: &[u8] = include_bytes!("../../ptx/suite/strings.ptx");

pub fn jobs() -> Result<Vec<Job>, JobError> {
    Ok(vec![find()?, levenshtein()?, smith_waterman()?, base64()?, upper_case()?])
}

/// `n` letters of an alphabet.
fn text(seed: u64, n: usize, alphabet: &[u8]) -> Vec<u8> {
    Random::new(seed).below(alphabet.len() as u64, n).into_iter().map(|i| alphabet[i as usize]).collect()
}

fn find() -> Result<Job, JobError> {
    let n = 1000;
    let (text, pattern) = (text(1, n, b"ab"), b"abbab");
    let mut draft = ProgramDraft::new("find", PTX);
    let from = draft.data(text.clone());
    let what = draft.data(pattern.to_vec());
    let to = draft.zeros(n.div_ceil(128) * 16);
    draft.launch(
        LaunchDraft::line("find", n.div_ceil(128), 128)
            .int(n)
            .pointer(from)
            .int(pattern.len())
            .pointers(&[what, to])
            .range(to, 16),
    );
    let mut places = vec![0u32; n.div_ceil(128) * 4];
    for (at, window) in text.windows(pattern.len()).enumerate() {
        places[at / 32] |= u32::from(window == pattern) << (at % 32);
    }
    draft.expect(to, bytes(&places));
    draft.finish()
}

fn levenshtein() -> Result<Job, JobError> {
    let (count, length) = (3, 128);
    let (a, b) = (text(2, count * length, b"acgt"), text(3, count * length, b"acgt"));
    let mut draft = ProgramDraft::new("levenshtein", PTX);
    let buffers = [draft.data(a.clone()), draft.data(b.clone())];
    let to = draft.zeros(count * 4);
    draft.launch(LaunchDraft::line("levenshtein", count, 128).int(length).pointers(&buffers).pointer(to).range(to, 4));
    let distance = |(a, b): (&[u8], &[u8])| {
        let mut row: Vec<u32> = (0..=b.len() as u32).collect();
        for (i, x) in a.iter().enumerate() {
            let mut before = row[0];
            row[0] = i as u32 + 1;
            for (j, y) in b.iter().enumerate() {
                let best = (row[j].min(row[j + 1]) + 1).min(before + u32::from(x != y));
                before = row[j + 1];
                row[j + 1] = best;
            }
        }
        row[b.len()]
    };
    draft.expect(to, bytes(&a.chunks_exact(length).zip(b.chunks_exact(length)).map(distance).collect::<Vec<_>>()));
    draft.finish()
}

fn smith_waterman() -> Result<Job, JobError> {
    let (count, m, n) = (70, 40, 60);
    let (query, subjects) = (text(4, m, b"ARNDCQEG"), text(5, count * n, b"ARNDCQEG"));
    let mut draft = ProgramDraft::new("smith_waterman", PTX);
    let buffers = [draft.data(query.clone()), draft.data(subjects.clone())];
    let to = draft.zeros(count * 4);
    draft.launch(
        LaunchDraft::line("smith_waterman", count.div_ceil(32), 32)
            .int(count)
            .int(m)
            .int(n)
            .pointers(&buffers)
            .pointer(to)
            .range(to, 32 * 4),
    );
    // Gotoh's recurrences over the whole table.
    let best = |subject: usize| {
        let (mut h, mut e, mut f) =
            (vec![vec![0i32; n + 1]; m + 1], vec![vec![-100i32; n + 1]; m + 1], vec![vec![-100i32; n + 1]; m + 1]);
        let mut top = 0;
        for i in 1..=m {
            for j in 1..=n {
                let same = query[i - 1] == subjects[(j - 1) * count + subject];
                e[i][j] = (e[i][j - 1] - 1).max(h[i][j - 1] - 8);
                f[i][j] = (f[i - 1][j] - 1).max(h[i - 1][j] - 8);
                h[i][j] = (h[i - 1][j - 1] + if same { 5 } else { -4 }).max(0).max(e[i][j]).max(f[i][j]);
                top = top.max(h[i][j]);
            }
        }
        top
    };
    draft.expect(to, bytes(&(0..count).map(best).collect::<Vec<_>>()));
    draft.finish()
}

fn base64() -> Result<Job, JobError> {
    let n = 1000;
    let data = random_u8(6, n);
    let groups = n.div_ceil(3);
    let mut draft = ProgramDraft::new("base64", PTX);
    let from = draft.data(data.clone());
    let to = draft.zeros(groups * 4);
    draft.launch(LaunchDraft::line("base64", groups.div_ceil(64), 64).int(n).pointers(&[from, to]).range(to, 64 * 4));
    let alphabet: Vec<u8> = (b'A'..=b'Z').chain(b'a'..=b'z').chain(b'0'..=b'9').chain(*b"+/").collect();
    let out = data
        .chunks(3)
        .flat_map(|three| {
            let bits = three.iter().fold(0u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - three.len()));
            let letter =
                |i: usize| if i <= three.len() { alphabet[(bits >> (18 - 6 * i) & 63) as usize] } else { b'=' };
            [0, 1, 2, 3].map(letter)
        })
        .collect();
    draft.expect(to, out);
    draft.finish()
}

fn upper_case() -> Result<Job, JobError> {
    let n = 700;
    let letters = text(7, n, b"aBcD ef.Z@[`{");
    let mut draft = ProgramDraft::new("upper_case", PTX);
    let buffer = draft.data(letters.clone());
    let counts = draft.zeros(n.div_ceil(256) * 4);
    draft.launch(
        LaunchDraft::line("upper_case", n.div_ceil(256), 256)
            .int(n)
            .pointers(&[buffer, counts])
            .range(buffer, 256)
            .range(counts, 4),
    );
    draft.expect(buffer, letters.to_ascii_uppercase());
    let count = |x: &[u8]| x.iter().filter(|x| x.is_ascii_lowercase()).count() as u32;
    draft.expect(counts, bytes(&letters.chunks(256).map(count).collect::<Vec<_>>()));
    draft.finish()
}
