//! `include/assay_math.cuh` on the engine, against numbers that `host/maths.py` wrote: results rounded from quadruple
//! precision, and hashes over the bits of the same code compiled for the host.

use std::collections::BTreeMap;

use assay_kernels::{LaunchDraft, ProgramDraft};

use crate::support::run;

const PTX: &[u8] = include_bytes!("../../ptx/functions.ptx");
const NUMBERS: &str = include_str!("../maths.txt");
const HASHED: usize = 2048;
const SPECIAL: [f64; 22] = [
    0.0,
    -0.0,
    1.0,
    -1.0,
    0.5,
    -0.5,
    2.0,
    -2.0,
    3.0,
    -3.0,
    10.0,
    -10.0,
    100.0,
    -100.0,
    1e30,
    -1e30,
    1e-30,
    -1e-30,
    1e-40,
    f64::INFINITY,
    f64::NEG_INFINITY,
    f64::NAN,
];

#[derive(Default)]
struct Function {
    /// Bytes of a number.
    width: usize,
    arguments: usize,
    /// Bits of arguments and of the rounded result.
    samples: Vec<(Vec<u64>, u64)>,
    hash: Option<u64>,
}

fn functions() -> BTreeMap<&'static str, Function> {
    let mut functions: BTreeMap<&str, Function> = BTreeMap::new();
    for line in NUMBERS.lines() {
        let words: Vec<&str> = line.split(' ').collect();
        let function = functions.entry(words[0]).or_default();
        let hex = |word: &str| u64::from_str_radix(word, 16).unwrap();
        if words[1] == "hash" {
            function.hash = Some(hex(words[2]));
        } else {
            function.width = words[1].len() / 2;
            function.arguments = words.len() - 2;
            let (result, arguments) = words[1..].split_last().unwrap();
            function.samples.push((arguments.iter().map(|word| hex(word)).collect(), hex(result)));
        }
    }
    functions
}

fn number(bits: u64, width: usize) -> f64 {
    if width == 4 { f64::from(f32::from_bits(bits as u32)) } else { f64::from_bits(bits) }
}

fn split_mix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (*state ^ *state >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ z >> 31
}

/// The bits of an argument, as `argument` in host/maths.cpp makes them.
fn argument(index: usize, state: &mut u64, function: &Function) -> u64 {
    let word = split_mix(state);
    let bits = |x: f64| if function.width == 4 { u64::from((x as f32).to_bits()) } else { x.to_bits() };
    let count = SPECIAL.len();
    if function.arguments == 1 && index < count {
        return bits(SPECIAL[index]);
    }
    if function.arguments == 2 && index < 2 * count * count {
        return bits(SPECIAL[if index % 2 == 1 { index / 2 / count } else { index / 2 % count }]);
    }
    let uniform = (word >> 11) as f64 / (1u64 << 53) as f64;
    match index / function.arguments % 4 {
        0 if function.width == 4 => word & 0xffff_ffff,
        0 => word,
        1 => bits(uniform * 2.0),
        2 => bits(uniform * 32.0 - 16.0),
        _ => {
            let size = (uniform + 0.5) * f64::powi(2.0, (word & 31) as i32 - 16);
            bits(if word & 32 != 0 { -size } else { size })
        }
    }
}

/// What the engine makes of many arguments, for each function.
fn results(functions: &[(&'static str, &Function)], arguments: &[Vec<u64>]) -> Vec<Vec<u64>> {
    let bytes =
        |words: &[u64], width: usize| words.iter().flat_map(|word| word.to_le_bytes()[..width].to_vec()).collect();
    let mut draft = ProgramDraft::new("functions", PTX);
    let mut outputs = Vec::new();
    for ((name, function), words) in functions.iter().zip(arguments) {
        let n = words.len() / function.arguments;
        let from = draft.data(bytes(words, function.width));
        let to = draft.zeros(n * function.width);
        let entry: &'static str = format!("of_{name}").leak();
        let launch = LaunchDraft::line(entry, n.div_ceil(128), 128).int(n).pointers(&[from, to]);
        draft.launch(launch.range(to, 128 * function.width));
        draft.expect(to, vec![0; n * function.width]);
        outputs.push((to, function.width));
    }
    let (state, _) = run(&draft.finish().unwrap()).unwrap();
    let word = |chunk: &[u8]| chunk.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte));
    outputs.into_iter().map(|(to, width)| state[usize::from(to)].chunks_exact(width).map(word).collect()).collect()
}

/// `results`, for as many functions at a time as a program has buffers for.
fn all_results(
    functions: &BTreeMap<&'static str, Function>,
    arguments: impl Fn(&Function) -> Vec<u64>,
) -> Vec<(&'static str, Vec<u64>)> {
    let list: Vec<(&'static str, &Function)> = functions.iter().map(|(name, function)| (*name, function)).collect();
    list.chunks(7)
        .flat_map(|part| {
            let words: Vec<Vec<u64>> = part.iter().map(|(_, function)| arguments(function)).collect();
            part.iter().map(|(name, _)| *name).zip(results(part, &words)).collect::<Vec<_>>()
        })
        .collect()
}

/// Units in the last place between numbers of a sign.
fn distance(got: u64, exact: u64) -> u64 {
    got.abs_diff(exact)
}

#[test]
fn every_function_is_within_two_ulp_and_has_the_special_values_of_c() {
    let functions = functions();
    assert_eq!(functions.len(), 66);
    let mut wrong = Vec::new();
    let arguments =
        |function: &Function| function.samples.iter().flat_map(|(arguments, _)| arguments.clone()).collect();
    for (name, got) in all_results(&functions, arguments) {
        let function = &functions[name];
        for ((arguments, exact), got) in function.samples.iter().zip(got) {
            let (x, y) = (number(got, function.width), number(*exact, function.width));
            let right = if y.is_nan() { x.is_nan() } else { distance(got, *exact) <= 2 };
            let beside_a_zero = name.starts_with("lgamma") && number(arguments[0], function.width) < 0.0;
            let near = beside_a_zero && (x - y).abs() <= 1e-14 * y.abs().max(1.0);
            if !right && !near {
                wrong.push(format!("{name} of {arguments:x?}: {x:e}, not {y:e}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_engine_gives_the_bits_of_the_same_code_compiled_for_the_host() {
    let functions = functions();
    let arguments = |function: &Function| {
        let mut state = 1;
        (0..HASHED * function.arguments).map(|index| argument(index, &mut state, function)).collect()
    };
    let mut wrong = Vec::new();
    for (name, got) in all_results(&functions, arguments) {
        let function = &functions[name];
        let mut hash = 0xcbf2_9ce4_8422_2325u64;
        for bits in got {
            let bits = match (number(bits, function.width).is_nan(), function.width) {
                (true, 4) => 0x7fc0_0000,
                (true, _) => 0x7ff8_0000_0000_0000,
                (false, _) => bits,
            };
            for byte in &bits.to_le_bytes()[..function.width] {
                hash = (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3);
            }
        }
        if function.hash.is_some_and(|expected| expected != hash) {
            wrong.push(name);
        }
    }
    assert!(wrong.is_empty(), "{wrong:?}");
}

#[test]
fn halves_and_bfloat16s_are_within_one_ulp() {
    // Numbers that both formats have.
    let numbers: Vec<f32> = (1..=64).map(|i| i as f32 * 0.125).collect();
    let mut draft = ProgramDraft::new("halves", PTX);
    let from = draft.data(assay_kernels::data::bytes(&numbers));
    let to = draft.zeros(numbers.len() * 32);
    draft.launch(LaunchDraft::line("halves", 1, 64).int(64).pointers(&[from, to]).range(to, 64 * 32));
    draft.expect(to, vec![0; numbers.len() * 32]);
    let (state, _) = run(&draft.finish().unwrap()).unwrap();
    let words = state[usize::from(to)].as_chunks::<4>().0;
    let mut wrong = Vec::new();
    for (x, got) in numbers.iter().zip(words.chunks_exact(8)) {
        let x = f64::from(*x);
        let exact = [x.exp(), x / 3.0, x.tanh(), 1.0 / x.sqrt()];
        for (index, got) in got.iter().enumerate() {
            let (got, exact) = (f64::from(f32::from_le_bytes(*got)), exact[index % 4]);
            let bits = if index < 4 { 10 } else { 7 };
            let ulp = f64::powi(2.0, exact.log2().floor() as i32 - bits);
            if (got - exact).abs() > ulp {
                wrong.push(format!("{index} of {x}: {got}, not {exact}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
