use crate::support::{check, float_rows, integer_rows};
use rustc_apfloat::{
    Float, FloatConvert,
    ieee::{BFloat, Float8E4M3FN, Float8E5M2, Half},
};

/// Element `at` of `bits` bits, by sign.
fn element(word: u64, at: u32, bits: u32, signed: bool) -> i64 {
    let raw = (word >> (at * bits)) as i64 & ((1 << bits) - 1);
    if signed && raw >> (bits - 1) == 1 { raw - (1 << bits) } else { raw }
}

fn packed(elements: u32, mut each: impl FnMut(u32) -> i64) -> u64 {
    let bits = 32 / elements;
    (0..elements).map(|at| (each(at) as u64 & ((1 << bits) - 1)) << (at * bits)).sum()
}

#[test]
fn packed_video_instructions_match_element_by_element() {
    let rows = integer_rows(32, 200);
    let operations: [(&str, fn(i64, i64) -> i64); 5] = [
        ("vadd", |a, b| a + b),
        ("vsub", |a, b| a - b),
        ("vabsdiff", |a, b| (a - b).abs()),
        ("vmin", i64::min),
        ("vmax", i64::max),
    ];
    let three = ["u32", "u32", "u32"];
    for elements in [2u32, 4] {
        let bits = 32 / elements;
        for signs in 0..8 {
            let letter = |bit: u32| if signs >> bit & 1 == 1 { 's' } else { 'u' };
            let signed = |bit: u32| signs >> bit & 1 == 1;
            for (name, operation) in operations {
                let types = format!("{}32.{}32.{}32", letter(0), letter(1), letter(2));
                let value = |a: u64, b: u64, at: u32| {
                    operation(element(a, at, bits, signed(1)), element(b, at, bits, signed(2)))
                };
                check(&format!("{name}{elements}.{types}"), "u32", &three, &rows, |a, b, _| {
                    packed(elements, |at| value(a, b, at))
                });
                let (low, high) =
                    if signed(0) { (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) } else { (0, (1 << bits) - 1) };
                check(&format!("{name}{elements}.{types}.sat"), "u32", &three, &rows, |a, b, _| {
                    packed(elements, |at| value(a, b, at).clamp(low, high))
                });
            }
            if !signed(0) {
                let types = format!("u32.{0}32.{0}32", letter(1));
                check(&format!("vabsdiff{elements}.{types}.add"), "u32", &three, &rows, |a, b, c| {
                    let sum: i64 = (0..elements)
                        .map(|at| (element(a, at, bits, signed(1)) - element(b, at, bits, signed(1))).abs())
                        .sum();
                    (c + sum as u64) & 0xffff_ffff
                });
                let types = format!("{}32.{}32", letter(1), letter(2));
                let relations: [(&str, fn(&i64, &i64) -> bool); 6] = [
                    ("eq", i64::eq),
                    ("ne", i64::ne),
                    ("lt", i64::lt),
                    ("le", i64::le),
                    ("gt", i64::gt),
                    ("ge", i64::ge),
                ];
                for (relation, holds) in relations {
                    check(&format!("vset{elements}.{types}.{relation}"), "u32", &three, &rows, |a, b, _| {
                        packed(elements, |at| {
                            i64::from(holds(&element(a, at, bits, signed(1)), &element(b, at, bits, signed(2))))
                        })
                    });
                }
            }
        }
    }
}

#[test]
fn pairs_of_16_bit_integers_match() {
    let rows = integer_rows(32, 300);
    let two = ["u32", "u32"];
    for (name, pick) in [("min", i64::min as fn(i64, i64) -> i64), ("max", i64::max)] {
        check(&format!("{name}.u16x2"), "u32", &two, &rows, |a, b, _| {
            packed(2, |at| pick(element(a, at, 16, false), element(b, at, 16, false)))
        });
        check(&format!("{name}.s16x2"), "u32", &two, &rows, |a, b, _| {
            packed(2, |at| pick(element(a, at, 16, true), element(b, at, 16, true)))
        });
        check(&format!("{name}.s16x2.relu"), "u32", &two, &rows, |a, b, _| {
            packed(2, |at| pick(element(a, at, 16, true), element(b, at, 16, true)).max(0))
        });
        check(&format!("{name}.s32.relu"), "u32", &two, &rows, |a, b, _| {
            pick(element(a, 0, 32, true), element(b, 0, 32, true)).max(0) as u64
        });
    }
}

/// Rows of pairs of halves, every pair of edge values in both places.
fn pairs(fraction: u32, exponent: u32) -> Vec<[u64; 3]> {
    let rows = float_rows(fraction, exponent, 200);
    rows.iter()
        .zip(rows.iter().rev())
        .map(|(low, high)| [low[0] | high[0] << 16, low[1] | high[1] << 16, low[2] | high[2] << 16])
        .collect()
}

fn relations<F: Float>(kind: &str, one: u64, rows: &[[u64; 3]]) {
    let value = |word: u64, at: u32| F::from_bits(u128::from(word >> (16 * at) & 0xffff));
    type Holds = fn(Option<std::cmp::Ordering>) -> bool;
    let relations: [(&str, Holds); 14] = [
        ("eq", |o| o.is_some_and(|o| o.is_eq())),
        ("ne", |o| o.is_some_and(|o| o.is_ne())),
        ("lt", |o| o.is_some_and(|o| o.is_lt())),
        ("le", |o| o.is_some_and(|o| o.is_le())),
        ("gt", |o| o.is_some_and(|o| o.is_gt())),
        ("ge", |o| o.is_some_and(|o| o.is_ge())),
        ("equ", |o| o.is_none_or(|o| o.is_eq())),
        ("neu", |o| o.is_none_or(|o| o.is_ne())),
        ("ltu", |o| o.is_none_or(|o| o.is_lt())),
        ("leu", |o| o.is_none_or(|o| o.is_le())),
        ("gtu", |o| o.is_none_or(|o| o.is_gt())),
        ("geu", |o| o.is_none_or(|o| o.is_ge())),
        ("num", |o| o.is_some()),
        ("nan", |o| o.is_none()),
    ];
    for (relation, holds) in relations {
        let each = |a: u64, b: u64, at: u32| holds(value(a, at).partial_cmp(&value(b, at)));
        let two = ["u32", "u32"];
        check(&format!("set.{relation}.{kind}x2.{kind}x2"), "u32", &two, rows, |a, b, _| {
            packed(2, |at| if each(a, b, at) { one as i64 } else { 0 })
        });
        check(&format!("set.{relation}.u32.{kind}x2"), "u32", &two, rows, |a, b, _| {
            packed(2, |at| -i64::from(each(a, b, at)))
        });
        let both = format!(
            "setp.{relation}.{kind}x2 %p1|%p2, $s; selp.u32 %r40, 1, 0, %p1; selp.u32 $d, 2, 0, %p2; add.u32 $d, $d, %r40;"
        );
        check(&both, "u32", &two, rows, |a, b, _| u64::from(each(a, b, 0)) + 2 * u64::from(each(a, b, 1)));
        check(&format!("set.{relation}.{kind}.{kind}"), "u16", &["u16", "u16"], rows, |a, b, _| {
            if each(a, b, 0) { one } else { 0 }
        });
    }
    let with = "setp.lt.and.KINDx2 %p3|%p2, %r30, %r31, %p3; selp.u32 %r40, 1, 0, %p3; selp.u32 $d, 2, 0, %p2; add.u32 $d, $d, %r40;";
    let with = format!("setp.lt.u32 %p3, %r32, 0x80000000; {} // $s", with.replace("KIND", kind));
    check(&with, "u32", &["u32", "u32", "u32"], rows, |a, b, c| {
        let q = c < 0x8000_0000;
        let each = |at: u32| value(a, at) < value(b, at) && q;
        u64::from(each(0)) + 2 * u64::from(each(1))
    });
}

/// Minimum and maximum of magnitudes under the product of the signs.
fn magnitudes<F: Float>(kind: &str, nan: u64, rows: &[[u64; 3]]) {
    let value = |bits: u64| F::from_bits(u128::from(bits & 0x7fff));
    let pick = |largest: bool, propagates: bool, a: u64, b: u64| {
        let (x, y) = (value(a), value(b));
        let picked = match (x.is_nan(), y.is_nan()) {
            (true, true) => return nan,
            (true, false) | (false, true) if propagates => return nan,
            (true, false) => y,
            (false, true) => x,
            _ if (x < y) != largest => x,
            _ => y,
        };
        picked.to_bits() as u64 & 0x7fff | (a ^ b) & 0x8000
    };
    for (name, largest) in [("min", false), ("max", true)] {
        for (modifier, propagates) in [("", false), (".NaN", true)] {
            check(&format!("{name}{modifier}.xorsign.abs.{kind}"), "u16", &["u16", "u16"], rows, |a, b, _| {
                pick(largest, propagates, a, b)
            });
            check(&format!("{name}{modifier}.xorsign.abs.{kind}x2"), "u32", &["u32", "u32"], rows, |a, b, _| {
                pick(largest, propagates, a & 0xffff, b & 0xffff) | pick(largest, propagates, a >> 16, b >> 16) << 16
            });
        }
    }
    for (name, with) in [("and", (|a, b| a & b) as fn(bool, bool) -> bool), ("or", |a, b| a | b), ("xor", |a, b| a ^ b)]
    {
        let instruction =
            format!("setp.lt.u32 %p2, %r32, 0x80000000; set.lt.{name}.u32.{kind}x2 $d, %r30, %r31, %p2; // $s");
        check(&instruction, "u32", &["u32", "u32", "u32"], rows, |a, b, c| {
            let value = |word: u64, at: u32| F::from_bits(u128::from(word >> (16 * at) & 0xffff));
            packed(2, |at| -i64::from(with(value(a, at) < value(b, at), c < 0x8000_0000)))
        });
    }
}

#[test]
fn magnitudes_of_halves_take_the_product_of_the_signs() {
    magnitudes::<Half>("f16", 0x7fff, &pairs(10, 5));
    magnitudes::<BFloat>("bf16", 0x7fff, &pairs(7, 8));
}

#[test]
fn integers_saturate_into_packed_fields() {
    let rows = integer_rows(32, 100);
    for (kind, bits, low, high) in
        [("s8", 8, -128, 127), ("u8", 8, 0, 255), ("s4", 4, -8, 7), ("u4", 4, 0, 15), ("s2", 2, -2, 1), ("u2", 2, 0, 3)]
    {
        check(&format!("cvt.pack.sat.{kind}.s32.b32"), "u32", &["u32", "u32", "u32"], &rows, |a, b, c| {
            let field = |word: u64| element(word, 0, 32, true).clamp(low, high) as u64 & ((1 << bits) - 1);
            (c << (2 * bits) | field(a) << bits | field(b)) & 0xffff_ffff
        });
    }
}

#[test]
fn conversions_to_halves_may_stop_at_the_largest_number() {
    let rows = float_rows(23, 8, 200);
    fn narrow<F: Float>(bits: u64) -> u64
    where
        rustc_apfloat::ieee::Single: FloatConvert<F>,
    {
        let mut loses = false;
        let value: F = rustc_apfloat::ieee::Single::from_bits(bits.into()).convert(&mut loses).value;
        if value.is_nan() {
            0x7fff
        } else if value.is_infinite() {
            F::largest().to_bits() as u64 | if value.is_negative() { 0x8000 } else { 0 }
        } else {
            value.to_bits() as u64
        }
    }
    let relu = |half: u64| if half == 0x7fff || half & 0x8000 == 0 { half } else { 0 };
    check("cvt.rn.satfinite.f16.f32", "u16", &["f32"], &rows, |a, _, _| narrow::<Half>(a));
    check("cvt.rn.satfinite.bf16.f32", "u16", &["f32"], &rows, |a, _, _| narrow::<BFloat>(a));
    check("cvt.rn.relu.satfinite.f16.f32", "u16", &["f32"], &rows, |a, _, _| relu(narrow::<Half>(a)));
    check("cvt.rn.satfinite.f16x2.f32", "u32", &["f32", "f32"], &rows, |a, b, _| {
        narrow::<Half>(a) << 16 | narrow::<Half>(b)
    });
    check("cvt.rn.relu.satfinite.bf16x2.f32", "u32", &["f32", "f32"], &rows, |a, b, _| {
        relu(narrow::<BFloat>(a)) << 16 | relu(narrow::<BFloat>(b))
    });
    fn between<F: FloatConvert<T>, T: Float>(bits: u64) -> u64 {
        let mut loses = false;
        let value: T = F::from_bits(bits.into()).convert(&mut loses).value;
        if value.is_nan() { 0x7fff } else { value.to_bits() as u64 }
    }
    check("cvt.rn.bf16.f16", "u16", &["u16"], &float_rows(10, 5, 200), |a, _, _| between::<Half, BFloat>(a));
    check("cvt.rn.f16.bf16", "u16", &["u16"], &float_rows(7, 8, 200), |a, _, _| between::<BFloat, Half>(a));
}

#[test]
fn comparisons_of_halves_in_pairs_match() {
    relations::<Half>("f16", 0x3c00, &pairs(10, 5));
    relations::<BFloat>("bf16", 0x3f80, &pairs(7, 8));
}

#[test]
fn eight_bit_floats_widen_exactly() {
    let rows: Vec<[u64; 3]> = (0..256).map(|low| [low | (255 - low) << 8, 0, 0]).collect();
    fn widen<F: FloatConvert<Half>>(byte: u64) -> u64 {
        let value = F::from_bits(u128::from(byte));
        if value.is_nan() {
            return 0x7fff;
        }
        let mut loses = false;
        let half: Half = value.convert(&mut loses).value;
        assert!(!loses);
        half.to_bits() as u64
    }
    check("cvt.rn.f16x2.e4m3x2", "u32", &["u16"], &rows, |a, _, _| {
        widen::<Float8E4M3FN>(a & 0xff) | widen::<Float8E4M3FN>(a >> 8) << 16
    });
    check("cvt.rn.f16x2.e5m2x2", "u32", &["u16"], &rows, |a, _, _| {
        widen::<Float8E5M2>(a & 0xff) | widen::<Float8E5M2>(a >> 8) << 16
    });
    check("cvt.rn.relu.f16x2.e5m2x2", "u32", &["u16"], &rows, |a, _, _| {
        let relu = |half: u64| {
            if half == 0x7fff {
                half
            } else if half & 0x8000 != 0 {
                0
            } else {
                half
            }
        };
        relu(widen::<Float8E5M2>(a & 0xff)) | relu(widen::<Float8E5M2>(a >> 8)) << 16
    });
}

#[test]
fn lop3_with_a_predicate_says_whether_a_bit_is_set() {
    let rows = integer_rows(32, 100);
    let both = "setp.lt.u32 %p2, %r30, 0x80000000; lop3.OP.b32 $d|%p1, $s, 0x96, %p2; selp.u32 %r40, 0x100, 0, %p1; xor.b32 $d, $d, %r40;";
    for (op, with) in [("or", (|a, b| a | b) as fn(bool, bool) -> bool), ("and", |a, b| a & b)] {
        check(&both.replace("OP", op), "u32", &["u32", "u32", "u32"], &rows, |a, b, c| {
            let value = a ^ b ^ c;
            value ^ if with(value != 0, a < 0x8000_0000) { 0x100 } else { 0 }
        });
    }
}

#[test]
fn a_sum_or_a_product_without_a_rounding_rounds_to_nearest() {
    let rows = float_rows(10, 5, 200);
    let half = |bits: u64| Half::from_bits(u128::from(bits));
    let out = |value: Half| if value.is_nan() { 0x7fff } else { value.to_bits() as u64 };
    for name in ["add.f16", "add.rn.f16"] {
        check(name, "u16", &["u16", "u16"], &rows, |a, b, _| out((half(a) + half(b)).value));
    }
    check("mul.f16", "u16", &["u16", "u16"], &rows, |a, b, _| out((half(a) * half(b)).value));
    let rows = float_rows(23, 8, 200);
    let single = |bits: u64| f32::from_bits(bits as u32);
    let out = |value: f32| if value.is_nan() { 0x7fff_ffff } else { u64::from(value.to_bits()) };
    check("sub.f32", "f32", &["f32", "f32"], &rows, |a, b, _| out(single(a) - single(b)));
    check("mul.f32", "f32", &["f32", "f32"], &rows, |a, b, _| out(single(a) * single(b)));
}
