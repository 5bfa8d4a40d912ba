//! Kernels that were compiled without the exact maths, beside the same ones with it.

use assay_engine::Module;
use assay_exact::rewrite;

use crate::support::{random, run_n};

const PLAIN: &[u8] = include_bytes!("../../../kernels/ptx/plain.ptx");
const WITH_HEADER: &[u8] = include_bytes!("../../../kernels/ptx/functions.ptx");
const COUNT: usize = 2048;

/// Greatest difference allowed, in units in the last place of results that are not near zero.
const BOUND: f64 = 3.0;

fn float(index: usize, word: u64) -> f64 {
    let uniform = (word >> 11) as f64 / f64::powi(2.0, 53);
    match index % 4 {
        0 => uniform * 2.0 - 1.0,
        1 => uniform * 2.0,
        2 => uniform * 32.0 - 16.0,
        _ => (uniform + 0.5) * f64::powi(2.0, (word & 31) as i32 - 16),
    }
}

fn widen(bytes: &[u8], width: usize) -> Vec<f64> {
    let number = |chunk: &[u8]| match width {
        4 => f64::from(f32::from_le_bytes(chunk.try_into().unwrap())),
        _ => f64::from_le_bytes(chunk.try_into().unwrap()),
    };
    bytes.chunks_exact(width).map(number).collect()
}

#[test]
fn kernels_without_the_header_agree_with_those_that_have_it() {
    let exact = rewrite(PLAIN).unwrap().unwrap();
    let with_header = Module::parse(WITH_HEADER).unwrap();
    let rewritten = Module::parse(&exact.ptx).unwrap();
    let refused = Module::parse(PLAIN).unwrap().entries.iter().filter(|entry| entry.kernel.is_err()).count();
    assert!(refused >= 80, "{refused}");
    for entry in &rewritten.entries {
        assert!(entry.kernel.is_ok(), "{}: {:?}", entry.name, entry.kernel.as_ref().err());
    }
    let mut compared = 0;
    for entry in &with_header.entries {
        let Some(other) = rewritten.entry(&entry.name) else { continue };
        let name = entry.name.strip_prefix("of_").unwrap();
        let two = ["powf", "fmodf", "remainderf", "rhypotf", "__fdividef", "pow", "hypot", "rhypot"].contains(&name);
        let single = name.ends_with('f') && !["erf", "normcdf"].contains(&name) || name == "__frsqrt_rn";
        let width = if single { 4 } else { 8 };
        let mut state = 3;
        let arguments: Vec<f64> =
            (0..COUNT * if two { 2 } else { 1 }).map(|index| float(index, random(&mut state))).collect();
        let bytes: Vec<u8> = arguments
            .iter()
            .flat_map(|x| if width == 4 { (*x as f32).to_le_bytes().to_vec() } else { x.to_le_bytes().to_vec() })
            .collect();
        let [header, plain] = [entry, other].map(|entry| widen(&run_n(entry, COUNT, &bytes, COUNT * width), width));
        let mut worst = 0f64;
        for (index, (a, b)) in header.iter().zip(&plain).enumerate() {
            if a.to_bits() == b.to_bits() || a.is_nan() && b.is_nan() {
                continue;
            }
            // Near the zeros of the logarithm of the gamma function the error is absolute.
            let size = if name.starts_with("lgamma") { a.abs().max(1.0) } else { a.abs() };
            let error = (a - b).abs() / ulp(size, width);
            // The toolkit's own is further off than others: up to 10 by its tables.
            let bound = if name == "tgamma" { 6.0 } else { BOUND };
            assert!(error <= bound, "{name} of argument {index}, {:?}: {b:e}, not {a:e}", arguments[index]);
            worst = worst.max(error);
        }
        println!("{name:12} {worst:.0} ulp from the header's");
        compared += 1;
    }
    assert!(compared >= 60, "{compared}");
}

fn ulp(size: f64, width: usize) -> f64 {
    let (fraction, least) = if width == 4 { (23, -126) } else { (52, -1022) };
    let exponent = ((size.to_bits() >> 52) as i32 - 1023).max(least);
    if exponent - fraction < -1022 { f64::from_bits(1) } else { f64::powi(2.0, exponent - fraction) }
}

#[test]
fn intrinsics_and_halves_are_near_what_they_stand_for() {
    let exact = rewrite(PLAIN).unwrap().unwrap();
    let module = Module::parse(&exact.ptx).unwrap();
    let mut state = 5;
    let arguments: Vec<f32> =
        (0..COUNT).map(|_| (random(&mut state) >> 40) as f32 / 16777216.0 * 9.0 + 0.03125).collect();
    let bytes: Vec<u8> = arguments.iter().flat_map(|x| x.to_le_bytes()).collect();
    // The function, and the relative error allowed: that of a product with a rounded constant grows with the argument.
    let singles: [(&str, fn(f64) -> f64, f64); 9] = [
        ("__expf", f64::exp, 1e-6),
        ("__exp10f", |x| 10f64.powf(x), 4e-6),
        ("__logf", f64::ln, 3e-7),
        ("__log2f", f64::log2, 3e-7),
        ("__log10f", f64::log10, 3e-7),
        ("__sinf", f64::sin, 2e-7),
        ("__cosf", f64::cos, 2e-7),
        ("__tanf", f64::tan, 5e-7),
        ("__tanhf", f64::tanh, 2e-7),
    ];
    for (name, function, bound) in singles {
        let entry = module.entry(&format!("of_{name}")).unwrap();
        let got = widen(&run_n(entry, COUNT, &bytes, COUNT * 4), 4);
        for (x, got) in arguments.iter().zip(got) {
            let expected = function(f64::from(*x));
            let error = (got - expected).abs();
            assert!(
                error <= bound * expected.abs().max(f64::from(f32::MIN_POSITIVE)),
                "{name} of {x}: {got:e}, not {expected:e}"
            );
        }
    }
    let halves: [(&str, fn(f64) -> f64); 12] = [
        ("hexp", f64::exp),
        ("hexp2", f64::exp2),
        ("hexp10", |x| 10f64.powf(x)),
        ("hlog", f64::ln),
        ("hlog2", f64::log2),
        ("hlog10", f64::log10),
        ("hsqrt", f64::sqrt),
        ("hrsqrt", |x| 1.0 / x.sqrt()),
        ("hrcp", |x| 1.0 / x),
        ("htanh", f64::tanh),
        ("hsin", f64::sin),
        ("hcos", f64::cos),
    ];
    // Numbers that both kinds of halves have.
    let arguments: Vec<f32> = (0..COUNT).map(|index| 0.25 + (index % 120) as f32 / 32.0).collect();
    let arguments: Vec<f32> = arguments.iter().map(|x| f32::from_bits(x.to_bits() & 0xffff_0000)).collect();
    let bytes: Vec<u8> = arguments.iter().flat_map(|x| x.to_le_bytes()).collect();
    for (name, function) in halves {
        let entry = module.entry(&format!("of_{name}")).unwrap();
        let got = widen(&run_n(entry, COUNT, &bytes, COUNT * 16), 4);
        for (x, four) in arguments.iter().zip(got.chunks_exact(4)) {
            let expected = function(f64::from(*x));
            assert_eq!((four[0], four[1]), (four[2], four[3]), "{name} of {x}, alone and in a pair");
            for (got, fraction) in [(four[0], 10), (four[1], 7)] {
                let bound = expected.abs().max(0.01) * f64::powi(2.0, -fraction);
                assert!((got - expected).abs() <= bound, "{name} of {x}: {got:e}, not {expected:e}");
            }
        }
    }
}

#[test]
fn bessel_functions_and_norms_are_near_what_they_stand_for() {
    let exact = rewrite(PLAIN).unwrap().unwrap();
    let module = Module::parse(&exact.ptx).unwrap();
    let mut state = 11;
    // The norms read two numbers beyond the last.
    let arguments: Vec<f64> =
        (0..COUNT + 2).map(|_| f64::from((random(&mut state) >> 40) as f32 / 16777216.0 * 20.0 + 0.0625)).collect();
    let series = |x: f64, order: f64| {
        let (mut term, mut sum) = (if order == 0.0 { 1.0 } else { x / 2.0 }, 0.0);
        for k in 1..200 {
            sum += term;
            term *= x * x / 4.0 / (f64::from(k) * (f64::from(k) + order));
        }
        sum
    };
    let length = |x: &[f64]| x[..3].iter().map(|x| x * x).sum::<f64>().sqrt();
    // Where it oscillates the error is absolute: 2.2e-6 for floats and 5e-12 for doubles in the toolkit's tables.
    let cases: [(&str, usize, &dyn Fn(&[f64]) -> f64, f64, f64); 16] = [
        ("j0f", 4, &|x| libm::j0(x[0]), 2.5e-6, 0.0),
        ("j1f", 4, &|x| libm::j1(x[0]), 2.5e-6, 0.0),
        ("y0f", 4, &|x| libm::y0(x[0]), 2.5e-6, 1e-6),
        ("y1f", 4, &|x| libm::y1(x[0]), 2.5e-6, 1e-6),
        ("jnf", 4, &|x| libm::jn(3, x[0]), 2.5e-6, 1e-6),
        ("ynf", 4, &|x| libm::yn(3, x[0]), 2.5e-6, 1e-5),
        ("j0", 8, &|x| libm::j0(x[0]), 5e-12, 0.0),
        ("j1", 8, &|x| libm::j1(x[0]), 5e-12, 0.0),
        ("y0", 8, &|x| libm::y0(x[0]), 5e-12, 1e-14),
        ("y1", 8, &|x| libm::y1(x[0]), 5e-12, 1e-14),
        ("cyl_bessel_i0f", 4, &|x| series(x[0], 0.0), 0.0, 1e-6),
        ("cyl_bessel_i1f", 4, &|x| series(x[0], 1.0), 0.0, 1e-6),
        ("normf", 4, &|x| length(x), 0.0, 4e-7),
        ("rnormf", 4, &|x| 1.0 / length(x), 0.0, 4e-7),
        ("norm", 8, &|x| length(x), 0.0, 1e-15),
        ("rnorm", 8, &|x| 1.0 / length(x), 0.0, 1e-15),
    ];
    for (name, width, function, absolute, relative) in cases {
        let bytes: Vec<u8> = arguments
            .iter()
            .flat_map(|x| if width == 4 { (*x as f32).to_le_bytes().to_vec() } else { x.to_le_bytes().to_vec() })
            .collect();
        let entry = module.entry(&format!("of_{name}")).unwrap();
        let got = widen(&run_n(entry, COUNT, &bytes, COUNT * width), width);
        for (x, got) in arguments.windows(3).zip(got) {
            let expected = function(x);
            let bound = absolute + relative * expected.abs();
            assert!((got - expected).abs() <= bound, "{name} of {x:?}: {got:e}, not {expected:e}");
        }
    }
}
