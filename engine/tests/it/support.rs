//! Small kernels around one instruction, run on many inputs at once.

use assay_engine::{
    AccessError, Argument, Geometry, Kernel, LaunchError, Memory, Module, Outcome, Rejection, Tier, Trap, TrapKind,
};

/// Buffers that a block may use freely, unless told otherwise.
#[derive(Clone, Default)]
pub struct Buffers {
    pub bytes: Vec<Vec<u8>>,
    /// Buffers that the block may not write.
    pub foreign: Vec<u16>,
    /// Bytes that a witness lacks.
    pub missing: Option<(u16, u64)>,
    /// A buffer that nobody stores to, and the first and the end of its bytes that lie open.
    pub open: Option<(u16, usize, usize)>,
}

impl Buffers {
    pub fn new(bytes: Vec<Vec<u8>>) -> Self {
        Self { bytes, ..Self::default() }
    }

    fn range(&self, buffer: u16, offset: u64, len: usize) -> Result<std::ops::Range<usize>, AccessError> {
        let held = self.bytes.get(usize::from(buffer)).ok_or(AccessError::OutOfBounds)?;
        let start = usize::try_from(offset).map_err(|_| AccessError::OutOfBounds)?;
        let end = start.checked_add(len).ok_or(AccessError::OutOfBounds)?;
        if end > held.len() {
            return Err(AccessError::OutOfBounds);
        }
        if let Some((missing, at)) = self.missing
            && missing == buffer
            && (offset..offset + len as u64).contains(&at)
        {
            return Err(AccessError::Incomplete);
        }
        Ok(start..end)
    }
}

impl Memory for Buffers {
    fn load(&mut self, buffer: u16, offset: u64, out: &mut [u8]) -> Result<(), AccessError> {
        let range = self.range(buffer, offset, out.len())?;
        out.copy_from_slice(&self.bytes[usize::from(buffer)][range]);
        Ok(())
    }

    fn store(&mut self, buffer: u16, offset: u64, bytes: &[u8]) -> Result<(), AccessError> {
        let range = self.range(buffer, offset, bytes.len())?;
        if self.foreign.contains(&buffer) {
            return Err(AccessError::NotOwned);
        }
        self.bytes[usize::from(buffer)][range].copy_from_slice(bytes);
        Ok(())
    }

    fn view(&self, buffer: u16, offset: u64) -> Option<(u64, &[u8])> {
        let (_, from, end) = self.open.filter(|(open, ..)| *open == buffer)?;
        (from as u64..end as u64).contains(&offset).then(|| (from as u64, &self.bytes[usize::from(buffer)][from..end]))
    }
}

/// A module around a body: parameter `out` and three inputs in `%rd1..%rd4`, the thread in `%r1`.
pub fn text(body: &str) -> String {
    format!(
        ".version 8.0\n.target sm_80\n.address_size 64\n.visible .entry k(.param .u64 p0, .param .u64 p1, .param .u64 p2, .param .u64 p3) {{
.reg .b16 %h<40>; .reg .b32 %r<60>; .reg .b64 %rd<60>; .reg .f32 %f<40>; .reg .f64 %g<40>; .reg .pred %p<40>;
ld.param.u64 %rd1, [p0]; ld.param.u64 %rd2, [p1]; ld.param.u64 %rd3, [p2]; ld.param.u64 %rd4, [p3];
mov.u32 %r1, %tid.x; mul.wide.u32 %rd5, %r1, 8;
add.s64 %rd6, %rd1, %rd5; add.s64 %rd7, %rd2, %rd5; add.s64 %rd8, %rd3, %rd5; add.s64 %rd9, %rd4, %rd5;
{body}
ret;
}}"
    )
}

pub fn parse(text: &str) -> Module {
    match Module::parse(text.as_bytes()) {
        Ok(module) => module,
        Err(error) => panic!("{error:?}\n{text}"),
    }
}

pub fn kernel(text: &str) -> Kernel {
    let mut module = parse(text);
    match module.entries.remove(0).kernel {
        Ok(kernel) => kernel,
        Err(rejection) => panic!("{rejection:?}\n{text}"),
    }
}

pub fn rejection(text: &str) -> Rejection {
    match parse(text).entries.remove(0).kernel {
        Ok(_) => panic!("accepted\n{text}"),
        Err(rejection) => rejection,
    }
}

pub fn arguments(count: u16) -> Vec<Argument> {
    (0..count).map(|index| Argument::Buffer { index, offset: 0 }).collect()
}

pub fn geometry(threads: u32) -> Geometry {
    Geometry { grid: [1; 3], block: [threads, 1, 1], shared: 0 }
}

/// Runs a body over four buffers.
pub fn run_with(body: &str, threads: u32, memory: &mut Buffers, fuel: u64) -> Outcome {
    launch(&text(body), threads, memory, fuel).unwrap()
}

/// On every tier, with and without a digest: all give the same.
pub fn launch(text: &str, threads: u32, memory: &mut Buffers, fuel: u64) -> Result<Outcome, LaunchError> {
    let kernel = kernel(text);
    let run = |tier, key, memory: &mut Buffers| {
        assay_engine::run_as(tier);
        let outcome = kernel.run(&geometry(threads), &arguments(4), [0; 3], memory, fuel, key);
        assay_engine::run_as(Tier::Best);
        outcome
    };
    let before = memory.clone();
    let outcome = run(Tier::Baseline, None, memory);
    let mut digests = Vec::new();
    for tier in [Tier::Baseline, Tier::Interpreted, Tier::Compiled] {
        let (mut bare, mut keyed) = (before.clone(), before.clone());
        assert_eq!(run(tier, None, &mut bare), outcome, "{tier:?}\n{text}");
        digests.push(run(tier, Some(&[9; 32]), &mut keyed));
        assert!(bare.bytes == memory.bytes && keyed.bytes == memory.bytes, "{tier:?}: bytes\n{text}");
    }
    assert!(digests.iter().all(|digest| *digest == digests[0]), "{digests:?}\n{text}");
    outcome
}

pub fn scratch() -> Buffers {
    Buffers::new(vec![vec![0; 8192]; 4])
}

/// Runs a body to its end and gives the first buffer.
pub fn run(body: &str, threads: u32) -> Vec<u8> {
    let mut memory = scratch();
    match run_with(body, threads, &mut memory, 1 << 30) {
        Outcome::Done { .. } => memory.bytes.swap_remove(0),
        other => panic!("{other:?}\n{body}"),
    }
}

/// The first buffer as 64-bit words, one per thread.
pub fn words(body: &str, threads: u32) -> Vec<u64> {
    run(body, threads)
        .chunks_exact(8)
        .take(threads as usize)
        .map(|word| u64::from_le_bytes(word.try_into().unwrap()))
        .collect()
}

pub fn trap(body: &str, threads: u32) -> Trap {
    let mut memory = scratch();
    match run_with(body, threads, &mut memory, 1 << 20) {
        Outcome::Trap(trap) => trap,
        other => panic!("{other:?}\n{body}"),
    }
}

pub fn traps(body: &str, threads: u32, kind: TrapKind) {
    let found = trap(body, threads);
    assert_eq!(found.kind, kind, "{found:?}\n{body}");
}

pub fn passes(body: &str, threads: u32) {
    run(body, threads);
}

fn class(kind: &str) -> (&'static str, u32) {
    match kind {
        "pred" => ("p", 1),
        kind if kind.ends_with("64") && kind.starts_with('f') => ("g", 64),
        "f32" => ("f", 32),
        kind if kind.ends_with("64") => ("rd", 64),
        kind if kind.ends_with("16") || kind.ends_with('8') => ("h", 16),
        _ => ("r", 32),
    }
}

/// Results of `instruction d, a, b, c` (as many as `from` names) over rows of inputs.
pub fn apply(instruction: &str, to: &str, from: &[&str], rows: &[[u64; 3]]) -> Vec<u64> {
    let mut results = Vec::new();
    for rows in rows.chunks(512) {
        let mut body = String::new();
        let mut operands = Vec::new();
        for (at, kind) in from.iter().enumerate() {
            let (prefix, bits) = class(kind);
            let name = format!("%{prefix}3{at}");
            if bits == 1 {
                body += &format!(
                    "ld.global.u32 %r3{at}, [%rd{}]; and.b32 %r3{at}, %r3{at}, 1; setp.ne.u32 {name}, %r3{at}, 0;\n",
                    7 + at
                );
            } else {
                body += &format!("ld.global.b{bits} {name}, [%rd{}];\n", 7 + at);
            }
            operands.push(name);
        }
        let (prefix, bits) = class(to);
        let operands = operands.join(", ");
        let d = if bits == 1 { "%p9".to_owned() } else { format!("%{prefix}39") };
        let instruction = instruction.replace("$d", &d);
        let instruction = if instruction.contains("$s") {
            instruction.replace("$s", &operands)
        } else {
            format!("{instruction} {d}, {operands};")
        };
        body += &format!("{instruction}\n");
        if bits == 1 {
            body += "selp.u32 %r39, 1, 0, %p9; st.global.b32 [%rd6], %r39;\n";
        } else {
            body += &format!("st.global.b{bits} [%rd6], {d};\n");
        }
        let mut memory = scratch();
        for (column, buffer) in memory.bytes.iter_mut().enumerate().skip(1) {
            for (row, into) in rows.iter().zip(buffer.chunks_exact_mut(8)) {
                into.copy_from_slice(&row[column - 1].to_le_bytes());
            }
        }
        let outcome = run_with(&body, rows.len() as u32, &mut memory, 1 << 30);
        assert!(matches!(outcome, Outcome::Done { .. }), "{outcome:?}\n{body}");
        for row in memory.bytes[0].chunks_exact(8).take(rows.len()) {
            results.push(u64::from_le_bytes(row.try_into().unwrap()));
        }
    }
    results
}

/// Compares an instruction with a reference, row by row.
pub fn check(instruction: &str, to: &str, from: &[&str], rows: &[[u64; 3]], reference: impl Fn(u64, u64, u64) -> u64) {
    let mask = |kind: &str| match class(kind).1 {
        64 => u64::MAX,
        bits => (1 << bits) - 1,
    };
    let got = apply(instruction, to, from, rows);
    for (row, got) in rows.iter().zip(got) {
        let mut cut = [0u64; 3];
        for (into, (value, kind)) in cut.iter_mut().zip(row.iter().zip(from)) {
            *into = value & if *kind == "pred" { 1 } else { mask(kind) };
        }
        let wanted = reference(cut[0], cut[1], cut[2]);
        assert_eq!(got, wanted, "{instruction} {cut:x?}: got {got:x}, want {wanted:x}");
    }
}

/// A deterministic stream of test values, with the awkward ones in front.
pub struct Values(u64);

impl Values {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }
}

/// Rows for integers of `bits`: all pairs of edges, then random ones.
pub fn integer_rows(bits: u32, count: usize) -> Vec<[u64; 3]> {
    let mask = if bits == 64 { u64::MAX } else { (1 << bits) - 1 };
    let top = 1u64 << (bits - 1);
    let edges = [0, 1, 2, 3, 7, 31, 32, 33, 63, 64, 255, 256, top - 1, top, top + 1, mask - 1, mask];
    let mut values = Values::new(u64::from(bits));
    let mut rows = Vec::new();
    for a in edges {
        for b in edges {
            rows.push([a & mask, b & mask, edges[values.next() as usize % edges.len()] & mask]);
        }
    }
    for _ in 0..count {
        rows.push([values.next() & mask, values.next() & mask, values.next() & mask]);
    }
    for _ in 0..count / 2 {
        // Small shifts, counts, positions.
        rows.push([values.next() & mask, values.next() % 80, values.next() % 80]);
    }
    rows
}

/// Rows for floating point: all pairs of edges, values of like exponents, then random bits.
pub fn float_rows(fraction: u32, exponent: u32, count: usize) -> Vec<[u64; 3]> {
    let top = (1u64 << exponent) - 1;
    let sign = 1u64 << (fraction + exponent);
    let infinity = top << fraction;
    let one = (top >> 1) << fraction;
    let mut edges = vec![
        0,
        1,
        2,
        (1 << fraction) - 1,
        1 << fraction,
        (1 << fraction) + 1,
        one - 1,
        one,
        one + 1,
        one + (1 << (fraction - 1)),
        one + (1 << fraction),
        infinity - 1,
        infinity,
        infinity + 1,
        infinity | 1 << (fraction - 1),
        infinity | ((1 << fraction) - 1),
    ];
    let negative: Vec<u64> = edges.iter().map(|edge| edge | sign).collect();
    edges.extend(negative);
    let mut values = Values::new(u64::from(fraction));
    let mut rows = Vec::new();
    for &a in &edges {
        for &b in &edges {
            rows.push([a, b, edges[values.next() as usize % edges.len()]]);
        }
    }
    let mask = sign | (sign - 1);
    for _ in 0..count {
        rows.push([values.next() & mask, values.next() & mask, values.next() & mask]);
    }
    for _ in 0..count {
        // Exponents near each other, so that sums round and cancel.
        let base = (values.next() % top.wrapping_sub(40)).wrapping_add(20);
        let mut near = || {
            let exponent = base.wrapping_add(values.next() % 40).wrapping_sub(20);
            let bits = values.next();
            (bits & sign) | (exponent.min(top - 1) << fraction) | (bits & ((1 << fraction) - 1))
        };
        let (a, b, c) = (near(), near(), near());
        rows.push([a, b, c]);
        // Near one: products land near the addend.
        let unit = |bits: u64| (bits & (sign - 1) & ((1 << fraction) - 1)) | one;
        rows.push([unit(a), unit(b) | sign, unit(c)]);
    }
    rows
}
