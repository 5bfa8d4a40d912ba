use crate::support::{check, float_rows, integer_rows};
use rustc_apfloat::{
    Float, FloatConvert, Round,
    ieee::{BFloat, Double, Half, Single},
};

const ROUNDINGS: [(&str, Round); 4] = [
    ("rn", Round::NearestTiesToEven),
    ("rz", Round::TowardZero),
    ("rm", Round::TowardNegative),
    ("rp", Round::TowardPositive),
];

fn s(value: u64, bits: u32) -> i128 {
    (i128::from(value) << (128 - bits)) >> (128 - bits)
}

fn value(raw: u64, kind: &str) -> i128 {
    let bits: u32 = kind[1..].parse().unwrap();
    let cut = if bits == 64 { raw } else { raw & ((1 << bits) - 1) };
    if kind.starts_with('s') { s(cut, bits) } else { i128::from(cut) }
}

fn limits(kind: &str) -> (i128, i128) {
    let bits: u32 = kind[1..].parse().unwrap();
    if kind.starts_with('s') { (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) } else { (0, (1 << bits) - 1) }
}

/// A value as the register of its width (8 bits live in 16) holds it.
fn held(value: i128, kind: &str) -> u64 {
    let bits: u32 = kind[1..].parse().unwrap();
    let bits = bits.max(16);
    (value as u128 & ((1u128 << bits) - 1)) as u64
}

const INTEGERS: [&str; 8] = ["u8", "s8", "u16", "s16", "u32", "s32", "u64", "s64"];

#[test]
fn integers_truncate_extend_and_saturate() {
    let rows = integer_rows(64, 200);
    for from in INTEGERS {
        for to in INTEGERS {
            let (low, high) = limits(to);
            check(&format!("cvt.{to}.{from}"), to, &[from], &rows, |a, _, _| {
                let a = value(a, from);
                // Truncated to the type, then extended by its sign.
                held(value(a as u64, to), to)
            });
            check(&format!("cvt.sat.{to}.{from}"), to, &[from], &rows, |a, _, _| {
                held(value(a, from).clamp(low, high), to)
            });
        }
    }
}

#[test]
fn integers_round_to_floating_point_in_every_direction() {
    let rows = integer_rows(64, 400);
    for from in INTEGERS {
        for (name, mode) in ROUNDINGS {
            check(&format!("cvt.{name}.f32.{from}"), "f32", &[from], &rows, |a, _, _| {
                Single::from_i128_r(value(a, from), mode).value.to_bits() as u64
            });
            check(&format!("cvt.{name}.f64.{from}"), "f64", &[from], &rows, |a, _, _| {
                Double::from_i128_r(value(a, from), mode).value.to_bits() as u64
            });
        }
        check(&format!("cvt.rn.f16.{from}"), "f16", &[from], &rows, |a, _, _| {
            Half::from_i128_r(value(a, from), Round::NearestTiesToEven).value.to_bits() as u64
        });
    }
}

/// What PTX documents for NaN: zero, unless the source or the destination has 64 bits.
fn of_nan(from: &str, to: &str) -> i128 {
    let bits: u32 = to[1..].parse().unwrap();
    if from != "f64" && bits != 64 {
        0
    } else if to.starts_with('s') {
        limits(to).0
    } else {
        1 << (bits - 1)
    }
}

#[test]
fn floating_point_rounds_to_integers_in_every_direction_and_saturates() {
    for (from, rows) in
        [("f32", float_rows(23, 8, 600)), ("f64", float_rows(52, 11, 600)), ("f16", float_rows(10, 5, 600))]
    {
        for to in INTEGERS {
            for (name, mode) in ROUNDINGS {
                check(&format!("cvt.{name}i.{to}.{from}"), to, &[from], &rows, |a, _, _| {
                    let wide = match from {
                        "f32" => {
                            let value = Single::from_bits(u128::from(a));
                            let wide: Double = value.convert(&mut false).value;
                            wide
                        }
                        "f16" => {
                            let wide: Double = Half::from_bits(u128::from(a)).convert(&mut false).value;
                            wide
                        }
                        _ => Double::from_bits(u128::from(a)),
                    };
                    if wide.is_nan() {
                        return held(of_nan(from, to), to);
                    }
                    let integral = wide.round_to_integral(mode).value;
                    let (low, high) = limits(to);
                    let value = integral.to_i128(128).value;
                    held(value.clamp(low, high), to)
                });
            }
        }
    }
}

#[test]
fn floating_point_narrows_with_one_rounding_and_widens_exactly() {
    let doubles = float_rows(52, 11, 1500);
    let singles = float_rows(23, 8, 1500);
    for (name, mode) in ROUNDINGS {
        check(&format!("cvt.{name}.f32.f64"), "f32", &["f64"], &doubles, |a, _, _| {
            let value: Single = Double::from_bits(u128::from(a)).convert_r(mode, &mut false).value;
            if value.is_nan() { 0x7fff_ffff } else { value.to_bits() as u64 }
        });
        check(&format!("cvt.{name}.f16.f32"), "f16", &["f32"], &singles, |a, _, _| {
            let value: Half = Single::from_bits(u128::from(a)).convert_r(mode, &mut false).value;
            if value.is_nan() { 0x7fff } else { value.to_bits() as u64 }
        });
        check(&format!("cvt.{name}i.f32.f32"), "f32", &["f32"], &singles, |a, _, _| {
            let value = Single::from_bits(u128::from(a));
            if value.is_nan() {
                return 0x7fff_ffff;
            }
            value.round_to_integral(mode).value.to_bits() as u64
        });
    }
    check("cvt.rn.bf16.f32", "bf16", &["f32"], &singles, |a, _, _| {
        let value: BFloat = Single::from_bits(u128::from(a)).convert(&mut false).value;
        if value.is_nan() { 0x7fff } else { value.to_bits() as u64 }
    });
    check("cvt.rn.f16x2.f32", "b32", &["f32", "f32"], &singles, |a, b, _| {
        let one = |a: u64| {
            let value: Half = Single::from_bits(u128::from(a)).convert(&mut false).value;
            if value.is_nan() { 0x7fff } else { value.to_bits() as u64 }
        };
        one(a) << 16 | one(b)
    });
    check("cvt.f64.f32", "f64", &["f32"], &singles, |a, _, _| {
        let value: Double = Single::from_bits(u128::from(a)).convert(&mut false).value;
        value.to_bits() as u64
    });
    let halves: Vec<[u64; 3]> = (0..65536).map(|a| [a, 0, 0]).collect();
    // The upper half of the same number, NaNs included: the assembler makes a shift of it.
    check("cvt.f32.bf16", "f32", &["bf16"], &halves, |a, _, _| {
        let value: Single = BFloat::from_bits(u128::from(a)).convert(&mut false).value;
        if value.is_nan() { a << 16 } else { value.to_bits() as u64 }
    });
    check("cvt.f32.f16", "f32", &["f16"], &halves, |a, _, _| {
        let value: Single = Half::from_bits(u128::from(a)).convert(&mut false).value;
        if value.is_nan() { 0x7fff_ffff } else { value.to_bits() as u64 }
    });
}

#[test]
fn moves_pack_and_unpack_registers() {
    let rows = integer_rows(64, 100);
    let swap = "mov.b64 {%r40, %r41}, %rd30; mov.b64 $d, {%r41, %r40}; // $s";
    check(swap, "b64", &["b64"], &rows, |a, _, _| a.rotate_left(32));
    let reverse = "mov.b64 {%h10, %h11, %h12, %h13}, %rd30; mov.b64 $d, {%h13, %h12, %h11, %h10}; // $s";
    check(reverse, "b64", &["b64"], &rows, |a, _, _| {
        a << 48 | (a & 0xffff_0000) << 16 | (a >> 16) & 0xffff_0000 | a >> 48
    });
    let halves = "mov.b32 {%h10, %h11}, %r30; mov.b32 $d, {%h11, %h10}; // $s";
    check(halves, "b32", &["b32"], &rows, |a, _, _| u64::from((a as u32).rotate_left(16)));
    check("cvt.pack.sat.u8.s32.b32", "b32", &["s32", "s32", "b32"], &rows, |a, b, c| {
        let clamp = |v: u64| s(v, 32).clamp(0, 255) as u64;
        (c << 16 & 0xffff_0000) | clamp(a) << 8 | clamp(b)
    });
}
