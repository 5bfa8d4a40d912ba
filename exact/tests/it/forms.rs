//! Every form, replaced and run on the engine, against the host's mathematics and the special values of the PTX manual.

use assay_exact::{is_replaced, rewrite};

use crate::support::{THREADS, random, run};

/// How the numbers of a form are kept.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Single,
    Double,
    Half,
    Bfloat,
}
use Kind::{Bfloat, Double, Half, Single};

struct Form {
    opcode: &'static str,
    kind: Kind,
    /// Two numbers in a register.
    pair: bool,
    arguments: usize,
    flushes: bool,
    function: fn(&[f64]) -> f64,
    /// Greatest error allowed, in units in the last place of the result.
    ulp: f64,
}

fn forms() -> Vec<Form> {
    let plus = |x: &[f64]| x[0] + x[1];
    let minus = |x: &[f64]| x[0] - x[1];
    let times = |x: &[f64]| x[0] * x[1];
    let rcp = |x: &[f64]| 1.0 / x[0];
    let root = |x: &[f64]| x[0].sqrt();
    let inverse_root = |x: &[f64]| if x[0] == 0.0 { 1.0 / x[0] } else { 1.0 / x[0].sqrt() };
    let over = |x: &[f64]| x[0] / x[1];
    let ex2 = |x: &[f64]| x[0].exp2();
    let lg2 = |x: &[f64]| x[0].log2();
    let sine = |x: &[f64]| x[0].sin();
    let cosine = |x: &[f64]| x[0].cos();
    let tanh = |x: &[f64]| x[0].tanh();
    let mut forms = Vec::new();
    let mut add = |opcode: &'static str, kind, arguments, function, ulp| {
        let (pair, flushes) = (opcode.ends_with("x2"), opcode.contains(".ftz"));
        forms.push(Form { opcode, kind, pair, arguments, flushes, function, ulp });
    };
    add("add.f32", Single, 2, plus as fn(&[f64]) -> f64, 0.5);
    add("sub.ftz.f32", Single, 2, minus, 0.5);
    add("mul.f32", Single, 2, times, 0.5);
    add("mul.ftz.f32", Single, 2, times, 0.5);
    add("add.f64", Double, 2, plus, 0.5);
    add("sub.f64", Double, 2, minus, 0.5);
    add("mul.f64", Double, 2, times, 0.5);
    add("add.f16", Half, 2, plus, 0.5);
    add("sub.f16", Half, 2, minus, 0.5);
    add("mul.f16", Half, 2, times, 0.5);
    add("rcp.approx.f32", Single, 1, rcp, 0.5);
    add("rcp.approx.ftz.f32", Single, 1, rcp, 0.5);
    add("sqrt.approx.f32", Single, 1, root, 0.5);
    add("sqrt.approx.ftz.f32", Single, 1, root, 0.5);
    add("div.approx.f32", Single, 2, over, 0.5);
    add("div.approx.ftz.f32", Single, 2, over, 0.5);
    add("div.full.f32", Single, 2, over, 0.5);
    add("div.full.ftz.f32", Single, 2, over, 0.5);
    add("rsqrt.approx.f32", Single, 1, inverse_root, 1.5);
    add("rsqrt.approx.ftz.f32", Single, 1, inverse_root, 1.5);
    add("ex2.approx.f32", Single, 1, ex2, 0.9);
    add("ex2.approx.ftz.f32", Single, 1, ex2, 0.9);
    add("lg2.approx.f32", Single, 1, lg2, 1.2);
    add("lg2.approx.ftz.f32", Single, 1, lg2, 1.2);
    add("sin.approx.f32", Single, 1, sine, 1.2);
    add("sin.approx.ftz.f32", Single, 1, sine, 1.2);
    add("cos.approx.f32", Single, 1, cosine, 1.2);
    add("cos.approx.ftz.f32", Single, 1, cosine, 1.2);
    add("tanh.approx.f32", Single, 1, tanh, 1.4);
    // Twenty bits of the fraction are kept.
    add("rcp.approx.ftz.f64", Double, 1, rcp, 2.0 * f64::powi(2.0, 32));
    add("rsqrt.approx.ftz.f64", Double, 1, inverse_root, 2.0 * f64::powi(2.0, 32));
    add("rsqrt.approx.f64", Double, 1, inverse_root, 1.5);
    add("ex2.approx.f16", Half, 1, ex2, 0.501);
    add("ex2.approx.f16x2", Half, 1, ex2, 0.501);
    add("ex2.approx.ftz.bf16", Bfloat, 1, ex2, 0.501);
    add("ex2.approx.ftz.bf16x2", Bfloat, 1, ex2, 0.501);
    add("tanh.approx.f16", Half, 1, tanh, 0.501);
    add("tanh.approx.f16x2", Half, 1, tanh, 0.501);
    add("tanh.approx.bf16", Bfloat, 1, tanh, 0.501);
    add("tanh.approx.bf16x2", Bfloat, 1, tanh, 0.501);
    forms
}

impl Kind {
    fn bytes(self) -> usize {
        match self {
            Single => 4,
            Double => 8,
            Half | Bfloat => 2,
        }
    }

    /// Bits of the fraction, and the exponent of the smallest normal number.
    fn shape(self) -> (i32, i32) {
        match self {
            Single => (23, -126),
            Double => (52, -1022),
            Half => (10, -14),
            Bfloat => (7, -126),
        }
    }

    fn value(self, bits: u64) -> f64 {
        match self {
            Double => f64::from_bits(bits),
            Single => f64::from(f32::from_bits(bits as u32)),
            Bfloat => f64::from(f32::from_bits((bits as u32) << 16)),
            Half => {
                let (sign, exponent, fraction) = (bits >> 15, bits >> 10 & 31, (bits & 1023) as f64);
                let size = match exponent {
                    31 if fraction == 0.0 => f64::INFINITY,
                    31 => f64::NAN,
                    0 => fraction * f64::powi(2.0, -24),
                    _ => (1024.0 + fraction) * f64::powi(2.0, exponent as i32 - 25),
                };
                if sign == 1 { -size } else { size }
            }
        }
    }

    fn flushed(self, x: f64) -> f64 {
        if x.abs() < f64::powi(2.0, self.shape().1) { 0f64.copysign(x) } else { x }
    }

    /// The error of `got` in units in the last place of `exact`.
    fn error(self, got: f64, exact: f64) -> f64 {
        let (fraction, least) = self.shape();
        let greatest = f64::powi(2.0, -least + 1) * (2.0 - f64::powi(2.0, -fraction));
        if exact.is_nan() || got.is_nan() {
            return if exact.is_nan() && got.is_nan() { 0.0 } else { f64::INFINITY };
        }
        if exact == 0.0 || exact.is_infinite() {
            return if got == exact && got.is_sign_negative() == exact.is_sign_negative() {
                0.0
            } else {
                f64::INFINITY
            };
        }
        if got.is_infinite() {
            return if exact.abs() > greatest && got.signum() == exact.signum() { 0.0 } else { f64::INFINITY };
        }
        let exponent = (exact.abs().to_bits() >> 52) as i32 - 1023;
        let ulp = exponent.max(least) - fraction;
        // In two steps: the scale of a subnormal double is out of range.
        (got - exact).abs() * f64::powi(2.0, -ulp / 2) * f64::powi(2.0, -ulp - -ulp / 2)
    }
}

/// Arguments: special ones, all halves, many others.
fn arguments(form: &Form) -> Vec<u64> {
    if matches!(form.kind, Half | Bfloat) {
        return (0..=65535).collect();
    }
    let special = [
        0.0,
        1.0,
        0.5,
        2.0,
        3.0,
        0.7,
        10.0,
        126.5,
        127.99999,
        128.0,
        149.5,
        150.5,
        1e-6,
        std::f64::consts::FRAC_PI_4,
        std::f64::consts::FRAC_PI_2,
        std::f64::consts::PI,
        std::f64::consts::TAU,
        1e9,
        2e9,
        1e20,
        3e38,
        1.2e-38,
        1e-39,
        1e-45,
        1e300,
        1e-310,
        f64::INFINITY,
        f64::NAN,
    ];
    let bits = |x: f64| if form.kind == Single { u64::from((x as f32).to_bits()) } else { x.to_bits() };
    let mut list: Vec<u64> = special.iter().flat_map(|x| [bits(*x), bits(-*x)]).collect();
    if form.arguments == 2 {
        let one = list.clone();
        list = one.iter().flat_map(|x| one.iter().flat_map(|y| [*x, *y])).collect();
    }
    let count = std::env::var("ASSAY_ARGUMENTS").map_or(16384, |count| count.parse().unwrap());
    let mut state = 7;
    while list.len() < count {
        let word = random(&mut state);
        let uniform = (word >> 11) as f64 / f64::powi(2.0, 53);
        list.push(match list.len() / 2 % 4 {
            0 if form.kind == Single => word & 0xffff_ffff,
            0 => word,
            1 => bits(uniform * 2.0),
            2 => bits(uniform * 300.0 - 150.0),
            _ => bits((uniform + 0.5) * f64::powi(2.0, (word & 31) as i32 - 16)),
        });
    }
    list
}

/// A kernel with the instruction plainly, for even threads and for odd ones, over several lines.
fn kernel(form: &Form) -> String {
    let opcode = form.opcode;
    let (load, kind, size) = match (form.kind, form.pair) {
        (Single, _) => ("f32", "f32", 4),
        (Double, _) => ("f64", "f64", 8),
        (_, true) => ("b32", "b32", 4),
        (_, false) => ("b16", "b16", 2),
    };
    let second = if form.arguments == 2 { ", %v2" } else { "" };
    let from = size * form.arguments;
    format!(
        ".version 7.8\n.target sm_90\n.address_size 64\n.visible .entry k(.param .u64 a, .param .u64 b)\n{{\n\
         .reg .{kind} %v<6>; .reg .b32 %r<5>; .reg .b64 %a<6>; .reg .pred %p;\n\
         ld.param.u64 %a1, [a]; ld.param.u64 %a2, [b];\n\
         mov.u32 %r1, %tid.x; mov.u32 %r2, %ctaid.x; mad.lo.s32 %r3, %r2, {THREADS}, %r1;\n\
         mul.wide.s32 %a3, %r3, {from}; add.s64 %a4, %a1, %a3; ld.global.{load} %v1, [%a4];\n\
         ld.global.{load} %v2, [%a4+{}];\n\
         and.b32 %r4, %r1, 1; setp.eq.s32 %p, %r4, 0;\n\
         L: /* {opcode} %v5, %v5; */ {opcode} %v3, %v1{second}; // {opcode}\n\
         mov.{kind} %v4, %v1;\n\
         @%p {opcode}\n  %v4,\n  %v1{second};\n\
         @!%p {opcode} %v4, %v4{second};\n\
         mul.wide.s32 %a3, %r3, {}; add.s64 %a4, %a2, %a3;\n\
         st.global.{load} [%a4], %v3; st.global.{load} [%a4+{size}], %v4;\nret;\n}}\n",
        from - size,
        2 * size,
    )
}

/// Set `ASSAY_ARGUMENTS` to another number of arguments than 16,384 for each form of floats and doubles.
#[test]
fn every_form_is_within_its_bound_and_has_the_special_values_of_the_manual() {
    for form in forms() {
        let text = kernel(&form);
        assert!(is_replaced(form.opcode));
        let exact = rewrite(text.as_bytes()).unwrap().unwrap();
        assert_eq!(exact.replaced.get(form.opcode), Some(&3), "{}", form.opcode);
        let bytes = form.kind.bytes();
        let per_thread = form.arguments * if form.pair { 2 } else { 1 };
        let mut words = arguments(&form);
        while words.len() % (per_thread * THREADS) != 0 {
            words.push(0);
        }
        let threads = words.len() / per_thread;
        let input: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()[..bytes].to_vec()).collect();
        let results = threads * if form.pair { 2 } else { 1 };
        let buffers = run(&exact.ptx, "k", vec![input, vec![0; 2 * results * bytes]], threads);
        let got: Vec<u64> = buffers[1]
            .chunks_exact(bytes)
            .map(|chunk| chunk.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte)))
            .collect();
        let group = if form.pair { 2 } else { 1 };
        let mut worst = 0f64;
        for index in 0..results {
            let place = index / group * 2 * group + index % group;
            let bits = got[place];
            assert_eq!(bits, got[place + group], "{}: with and without a predicate", form.opcode);
            let arguments: Vec<f64> = match form.arguments {
                2 => words[2 * index..2 * index + 2].to_vec(),
                _ => vec![words[index]],
            }
            .into_iter()
            .map(|word| {
                let upper = form.kind == Double && form.flushes;
                let x = form.kind.value(if upper { word & !0xffff_ffff } else { word });
                if form.flushes { form.kind.flushed(x) } else { x }
            })
            .collect();
            let mut exact = (form.function)(&arguments);
            if form.flushes {
                exact = form.kind.flushed(exact);
            }
            let mut value = form.kind.value(bits);
            if form.flushes {
                assert_eq!(form.kind.flushed(value).to_bits(), value.to_bits(), "{} {arguments:?}", form.opcode);
                // Just below the smallest normal number, either may be the nearer.
                if value == 0.0 && exact.abs() < f64::powi(2.0, form.kind.shape().1) * 1.0000001 {
                    value = exact;
                }
            }
            if form.kind == Double && form.flushes {
                assert_eq!(bits & 0xffff_ffff, 0, "{} {arguments:?}", form.opcode);
            }
            let error = form.kind.error(value, exact);
            worst = worst.max(error);
            assert!(error <= form.ulp * 1.0000001, "{} of {arguments:?}: {value:e}, not {exact:e}", form.opcode);
        }
        println!("{:24} {worst:.3} ulp", form.opcode);
    }
}
