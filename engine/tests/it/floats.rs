use crate::support::{apply, check, float_rows};
use rustc_apfloat::{
    Float, Round,
    ieee::{BFloat, Double, Half, Single},
};
use std::cmp::Ordering;

const NAN: u64 = 0x7fff_ffff;

const ROUNDINGS: [(&str, Round); 4] = [
    ("rn", Round::NearestTiesToEven),
    ("rz", Round::TowardZero),
    ("rm", Round::TowardNegative),
    ("rp", Round::TowardPositive),
];

/// The bits of a result: NaNs of 32 bits and fewer are canonical, those of 64 bits come from the first NaN operand.
fn bits<F: Float>(value: F, operands: &[u64]) -> u64 {
    if !value.is_nan() {
        return value.to_bits() as u64;
    }
    match F::BITS {
        16 => 0x7fff,
        32 => NAN,
        _ => operands
            .iter()
            .find(|operand| f64::from_bits(**operand).is_nan())
            .map_or(0xfff8_0000_0000_0000, |operand| operand | 1 << 51),
    }
}

fn f<F: Float>(bits: u64) -> F {
    F::from_bits(u128::from(bits))
}

fn arithmetic<F: Float>(kind: &str, rows: &[[u64; 3]], roundings: &[(&str, Round)]) {
    let two = [kind, kind];
    for (name, mode) in roundings.iter().copied() {
        let mode = |_: ()| mode;
        check(&format!("add.{name}.{kind}"), kind, &two, rows, |a, b, _| {
            bits::<F>(f::<F>(a).add_r(f(b), mode(())).value, &[a, b])
        });
        check(&format!("sub.{name}.{kind}"), kind, &two, rows, |a, b, _| {
            bits::<F>(f::<F>(a).sub_r(f(b), mode(())).value, &[a, b])
        });
        check(&format!("mul.{name}.{kind}"), kind, &two, rows, |a, b, _| {
            bits::<F>(f::<F>(a).mul_r(f(b), mode(())).value, &[a, b])
        });
        check(&format!("fma.{name}.{kind}"), kind, &[kind, kind, kind], rows, |a, b, c| {
            bits::<F>(f::<F>(a).mul_add_r(f(b), f(c), mode(())).value, &[a, b, c])
        });
    }
}

#[test]
fn f32_arithmetic_is_correctly_rounded_in_every_direction() {
    let rows = float_rows(23, 8, 1500);
    arithmetic::<Single>("f32", &rows, &ROUNDINGS);
    for (name, mode) in ROUNDINGS {
        check(&format!("div.{name}.f32"), "f32", &["f32", "f32"], &rows, |a, b, _| {
            bits::<Single>(f::<Single>(a).div_r(f(b), mode).value, &[a, b])
        });
        check(&format!("rcp.{name}.f32"), "f32", &["f32"], &rows, |a, _, _| {
            bits::<Single>(f::<Single>(0x3f80_0000).div_r(f(a), mode).value, &[a])
        });
    }
}

#[test]
fn f64_arithmetic_is_correctly_rounded_in_every_direction() {
    let rows = float_rows(52, 11, 1000);
    arithmetic::<Double>("f64", &rows, &ROUNDINGS);
    for (name, mode) in ROUNDINGS {
        check(&format!("div.{name}.f64"), "f64", &["f64", "f64"], &rows, |a, b, _| {
            bits::<Double>(f::<Double>(a).div_r(f(b), mode).value, &[a, b])
        });
    }
}

#[test]
fn half_precision_rounds_once() {
    let rows = float_rows(10, 5, 1500);
    arithmetic::<Half>("f16", &rows, &ROUNDINGS[..1]);
    let rows = float_rows(7, 8, 1500);
    arithmetic::<BFloat>("bf16", &rows, &ROUNDINGS[..1]);
    // Pairs.
    let pairs: Vec<[u64; 3]> = float_rows(10, 5, 500)
        .chunks_exact(2)
        .map(|two| [0, 1, 2].map(|column| two[0][column] | two[1][column] << 16))
        .collect();
    check("fma.rn.f16x2", "b32", &["b32", "b32", "b32"], &pairs, |a, b, c| {
        let one = |shift: u32| {
            let cut = |v: u64| v >> shift & 0xffff;
            bits::<Half>(f::<Half>(cut(a)).mul_add(f(cut(b)), f(cut(c))).value, &[]) << shift
        };
        one(0) | one(16)
    });
}

#[test]
fn a_fused_product_rounds_once_where_double_arithmetic_would_round_twice() {
    let row = [[0x3f80_0001, 0x337f_fffe, 0x3f80_0001]];
    assert_eq!(apply("fma.rn.f32", "f32", &["f32", "f32", "f32"], &row), [0x3f80_0001]);
}

#[test]
fn square_roots_are_the_largest_numbers_whose_square_fits() {
    let rows = float_rows(23, 8, 2000);
    check("sqrt.rn.f32", "f32", &["f32"], &rows, |a, _, _| {
        let root = f32::from_bits(a as u32).sqrt();
        if root.is_nan() { NAN } else { u64::from(root.to_bits()) }
    });
    let positive = |a: u64| a < 0x7f80_0000 && a != 0;
    let exact = |x: u32| f64::from(f32::from_bits(x));
    let rows: Vec<[u64; 3]> = rows.into_iter().filter(|row| positive(row[0])).collect();
    let down = apply("sqrt.rz.f32", "f32", &["f32"], &rows);
    let up = apply("sqrt.rp.f32", "f32", &["f32"], &rows);
    for (row, (down, up)) in rows.iter().zip(down.into_iter().zip(up)) {
        // Squares of 24-bit numbers are exact in 53 bits.
        let (low, high) = (exact(down as u32), exact(up as u32));
        let value = exact(row[0] as u32);
        assert!(low * low <= value && value <= high * high, "{:x}", row[0]);
        assert!(up == down && low * low == value || up == down + 1, "{:x}", row[0]);
    }
    let rows = float_rows(52, 11, 1000);
    check("sqrt.rn.f64", "f64", &["f64"], &rows, |a, _, _| {
        let root = f64::from_bits(a).sqrt();
        if !root.is_nan() {
            root.to_bits()
        } else if f64::from_bits(a).is_nan() {
            a | 1 << 51
        } else {
            0xfff8_0000_0000_0000
        }
    });
}

fn flush(a: u64) -> u64 {
    if a & 0x7f80_0000 == 0 { a & 0x8000_0000 } else { a }
}

#[test]
fn flushing_makes_subnormal_operands_and_results_zero() {
    let rows = float_rows(23, 8, 800);
    let two = ["f32", "f32"];
    check("add.rn.ftz.f32", "f32", &two, &rows, |a, b, _| {
        let (a, b) = (flush(a), flush(b));
        flush(bits::<Single>((f::<Single>(a) + f(b)).value, &[]))
    });
    check("mul.rn.ftz.f32", "f32", &two, &rows, |a, b, _| {
        let (a, b) = (flush(a), flush(b));
        flush(bits::<Single>((f::<Single>(a) * f(b)).value, &[]))
    });
    check("setp.lt.ftz.f32", "pred", &two, &rows, |a, b, _| {
        u64::from(f32::from_bits(flush(a) as u32) < f32::from_bits(flush(b) as u32))
    });
}

#[test]
fn saturation_clamps_to_the_unit_interval_and_takes_nan_to_zero() {
    let rows = float_rows(23, 8, 800);
    check("add.rn.sat.f32", "f32", &["f32", "f32"], &rows, |a, b, _| {
        let sum = f32::from_bits(a as u32) + f32::from_bits(b as u32);
        u64::from(if sum > 0.0 { sum.min(1.0) } else { 0.0 }.to_bits())
    });
    check("fma.rn.ftz.sat.f32", "f32", &["f32", "f32", "f32"], &rows, |a, b, c| {
        let value = flush(bits::<Single>(f::<Single>(flush(a)).mul_add(f(flush(b)), f(flush(c))).value, &[]));
        let value = f32::from_bits(value as u32);
        u64::from(if value > 0.0 { value.min(1.0) } else { 0.0 }.to_bits())
    });
}

#[test]
fn minima_and_maxima_order_zeros_and_skip_or_keep_nan() {
    let rows = float_rows(23, 8, 500);
    let two = ["f32", "f32"];
    let key = |a: u64| {
        // Total order of the non-NaN values: -0 below +0.
        let a = a as u32 as i32;
        if a < 0 { i32::MIN.wrapping_sub(a).wrapping_sub(1) } else { a }
    };
    let nan = |a: u64| f32::from_bits(a as u32).is_nan();
    for (name, wants_max) in [("min", false), ("max", true)] {
        let pick = move |a: u64, b: u64| if (key(a) > key(b)) == wants_max { a } else { b };
        check(&format!("{name}.f32"), "f32", &two, &rows, |a, b, _| match (nan(a), nan(b)) {
            (true, true) => NAN,
            (true, false) => b,
            (false, true) => a,
            _ => pick(a, b),
        });
        check(
            &format!("{name}.NaN.f32"),
            "f32",
            &two,
            &rows,
            |a, b, _| {
                if nan(a) || nan(b) { NAN } else { pick(a, b) }
            },
        );
    }
}

#[test]
fn signs_change_without_rounding() {
    let rows = float_rows(23, 8, 200);
    let nan = |a: u64| f32::from_bits(a as u32).is_nan();
    check("neg.f32", "f32", &["f32"], &rows, |a, _, _| if nan(a) { NAN } else { a ^ 0x8000_0000 });
    check("abs.f32", "f32", &["f32"], &rows, |a, _, _| if nan(a) { NAN } else { a & 0x7fff_ffff });
    check("copysign.f32", "f32", &["f32", "f32"], &rows, |a, b, _| (a & 0x8000_0000) | (b & 0x7fff_ffff));
    let rows = float_rows(52, 11, 200);
    let quiet = |a: u64| if f64::from_bits(a).is_nan() { a | 1 << 51 } else { a };
    check("neg.f64", "f64", &["f64"], &rows, |a, _, _| quiet(a ^ 1 << 63));
    check("abs.f64", "f64", &["f64"], &rows, |a, _, _| quiet(a & !(1 << 63)));
}

#[test]
fn comparisons_tell_ordered_from_unordered() {
    let rows = float_rows(23, 8, 300);
    let v = |a: u64| f32::from_bits(a as u32);
    type Relation = fn(&f32, &f32) -> bool;
    let relations: [(&str, Relation, bool); 14] = [
        ("eq", f32::eq, false),
        ("ne", |a, b| a < b || a > b, false),
        ("lt", f32::lt, false),
        ("le", f32::le, false),
        ("gt", f32::gt, false),
        ("ge", f32::ge, false),
        ("equ", f32::eq, true),
        ("neu", f32::ne, true),
        ("ltu", f32::lt, true),
        ("leu", f32::le, true),
        ("gtu", f32::gt, true),
        ("geu", f32::ge, true),
        ("num", |a, b| !a.is_nan() && !b.is_nan(), false),
        ("nan", |a, b| a.is_nan() || b.is_nan(), false),
    ];
    for (name, relation, unordered) in relations {
        check(&format!("setp.{name}.f32"), "pred", &["f32", "f32"], &rows, |a, b, _| {
            let (a, b) = (v(a), v(b));
            u64::from(relation(&a, &b) || unordered && (a.is_nan() || b.is_nan()))
        });
    }
    let rows = float_rows(52, 11, 200);
    check("setp.ltu.f64", "pred", &["f64", "f64"], &rows, |a, b, _| {
        let (a, b) = (f64::from_bits(a), f64::from_bits(b));
        u64::from(a < b || a.is_nan() || b.is_nan())
    });
    let rows = float_rows(10, 5, 200);
    check("setp.lt.f16", "pred", &["f16", "f16"], &rows, |a, b, _| u64::from(f::<Half>(a) < f::<Half>(b)));
    check("setp.geu.f16", "pred", &["f16", "f16"], &rows, |a, b, _| {
        u64::from(f::<Half>(a).partial_cmp(&f::<Half>(b)) != Some(Ordering::Less))
    });
}

#[test]
fn classes_of_numbers_are_told_apart() {
    let rows = float_rows(23, 8, 300);
    let v = |a: u64| f32::from_bits(a as u32);
    check("testp.finite.f32", "pred", &["f32"], &rows, |a, _, _| u64::from(v(a).is_finite()));
    check("testp.infinite.f32", "pred", &["f32"], &rows, |a, _, _| u64::from(v(a).is_infinite()));
    check("testp.notanumber.f32", "pred", &["f32"], &rows, |a, _, _| u64::from(v(a).is_nan()));
    check("testp.normal.f32", "pred", &["f32"], &rows, |a, _, _| u64::from(v(a).is_normal()));
    check("testp.subnormal.f32", "pred", &["f32"], &rows, |a, _, _| {
        u64::from(v(a) != 0.0 && v(a).abs() < f32::MIN_POSITIVE)
    });
}
