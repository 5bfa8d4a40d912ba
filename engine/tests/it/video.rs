//! Video instructions, against the pseudo-code of the PTX manual in wide integers.

use crate::support::{check, integer_rows, rejection, text};

fn limits(bits: u32, signed: bool) -> (i128, i128) {
    if signed { (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) } else { (0, (1 << bits) - 1) }
}

/// First bit and bits of a selector.
fn place(selector: &str) -> (u32, u32) {
    match selector {
        "" => (0, 32),
        ".h0" => (0, 16),
        ".h1" => (16, 16),
        byte => (8 * byte[2..].parse::<u32>().unwrap(), 8),
    }
}

fn part(word: u64, selector: &str, signed: bool) -> i128 {
    let (at, bits) = place(selector);
    let raw = i128::from(word >> at & ((1 << bits) - 1));
    if signed && raw >> (bits - 1) == 1 { raw - (1 << bits) } else { raw }
}

fn merge(selector: &str, value: i128, c: u64) -> u64 {
    let (at, bits) = place(selector);
    let mask = ((1u64 << bits) - 1) << at;
    (value as u64) << at & mask | c & !mask & 0xffff_ffff
}

fn letter(signed: bool) -> char {
    if signed { 's' } else { 'u' }
}

const SIGNS: [[bool; 3]; 8] = [
    [false, false, false],
    [false, false, true],
    [false, true, false],
    [false, true, true],
    [true, false, false],
    [true, false, true],
    [true, true, false],
    [true, true, true],
];
const THREE: [&str; 3] = ["u32", "u32", "u32"];
type Operation = fn(i128, i128) -> i128;
const OPERATIONS: [(&str, Operation); 5] = [
    ("vadd", |a, b| a + b),
    ("vsub", |a, b| a - b),
    ("vabsdiff", |a, b| (a - b).abs()),
    ("vmin", i128::min),
    ("vmax", i128::max),
];
const RELATIONS: [(&str, fn(&i128, &i128) -> bool); 6] =
    [("eq", i128::eq), ("ne", i128::ne), ("lt", i128::lt), ("le", i128::le), ("gt", i128::gt), ("ge", i128::ge)];

#[test]
fn scalar_video_instructions_work_on_parts_of_words() {
    let rows = integer_rows(32, 40);
    let parts = [("", ""), (".b0", ".h1"), (".b3", ".b2"), (".h0", ".b1"), (".h1", "")];
    for signs @ [to, from_a, from_b] in SIGNS {
        let types = signs.map(|signed| format!("{}32", letter(signed))).join(".");
        for (at, (name, operation)) in OPERATIONS.into_iter().enumerate() {
            for (turn, (pick_a, pick_b)) in parts.into_iter().enumerate() {
                let value = |a: u64, b: u64| operation(part(a, pick_a, from_a), part(b, pick_b, from_b));
                let clamp = |value: i128, bits: u32| value.clamp(limits(bits, to).0, limits(bits, to).1);
                let sources = format!("%r30{pick_a}, %r31{pick_b}");
                check(&format!("{name}.{types} $d, {sources}; // $s"), "u32", &THREE, &rows, |a, b, _| {
                    value(a, b) as u64 & 0xffff_ffff
                });
                check(&format!("{name}.{types}.sat $d, {sources}; // $s"), "u32", &THREE, &rows, |a, b, _| {
                    clamp(value(a, b), 32) as u64 & 0xffff_ffff
                });
                check(&format!("{name}.{types}.add $d, {sources}, %r32; // $s"), "u32", &THREE, &rows, |a, b, c| {
                    (value(a, b) + i128::from(c)) as u64 & 0xffff_ffff
                });
                let second = [("min", i128::min as Operation), ("max", i128::max)][(at + turn) % 2];
                check(
                    &format!("{name}.{types}.sat.{} $d, {sources}, %r32; // $s", second.0),
                    "u32",
                    &THREE,
                    &rows,
                    |a, b, c| (second.1)(clamp(value(a, b), 32), part(c, "", to)) as u64 & 0xffff_ffff,
                );
                let selector = [".h0", ".h1", ".b0", ".b1", ".b2", ".b3"][(at + turn) % 6];
                check(
                    &format!("{name}.{types} $d{selector}, {sources}, %r32; // $s"),
                    "u32",
                    &THREE,
                    &rows,
                    |a, b, c| merge(selector, value(a, b), c),
                );
                check(
                    &format!("{name}.{types}.sat $d{selector}, {sources}, %r32; // $s"),
                    "u32",
                    &THREE,
                    &rows,
                    |a, b, c| merge(selector, clamp(value(a, b), place(selector).1), c),
                );
            }
        }
    }
}

#[test]
fn scalar_shifts_and_comparisons_of_parts_match() {
    let rows = integer_rows(32, 60);
    for signed in [false, true] {
        let kind = format!("{}32", letter(signed));
        for (wrap, mode) in [(false, "clamp"), (true, "wrap")] {
            let count = |b: u64| if wrap { b & 31 } else { b.min(32) } as u32;
            for (pick_a, pick_b) in [("", ""), (".b1", ".h0"), (".h1", ".b3")] {
                let sources = format!("%r30{pick_a}, %r31{pick_b}");
                let amount = |b: u64| count(part(b, pick_b, false) as u64);
                check(
                    &format!("vshl.{kind}.{kind}.u32.{mode} $d, {sources}; // $s"),
                    "u32",
                    &THREE,
                    &rows,
                    |a, b, _| (part(a, pick_a, signed) << amount(b)) as u64 & 0xffff_ffff,
                );
                check(
                    &format!("vshr.{kind}.{kind}.u32.{mode} $d, {sources}; // $s"),
                    "u32",
                    &THREE,
                    &rows,
                    |a, b, _| (part(a, pick_a, signed) >> amount(b)) as u64 & 0xffff_ffff,
                );
                check(
                    &format!("vshr.u32.{kind}.u32.sat.{mode}.add $d, {sources}, %r32; // $s"),
                    "u32",
                    &THREE,
                    &rows,
                    |a, b, c| {
                        let value = (part(a, pick_a, signed) >> amount(b)).clamp(0, 0xffff_ffff);
                        (value + i128::from(c)) as u64 & 0xffff_ffff
                    },
                );
                check(
                    &format!("vshl.{kind}.{kind}.u32.{mode} $d.b2, {sources}, %r32; // $s"),
                    "u32",
                    &THREE,
                    &rows,
                    |a, b, c| merge(".b2", part(a, pick_a, signed) << amount(b), c),
                );
            }
        }
        for (relation, holds) in RELATIONS {
            let value = |a: u64, b: u64| u64::from(holds(&part(a, ".h1", signed), &part(b, ".b0", !signed)));
            let types = format!("{kind}.{}32", letter(!signed));
            check(&format!("vset.{types}.{relation} $d, %r30.h1, %r31.b0; // $s"), "u32", &THREE, &rows, |a, b, _| {
                value(a, b)
            });
            check(
                &format!("vset.{types}.{relation}.add $d, %r30.h1, %r31.b0, %r32; // $s"),
                "u32",
                &THREE,
                &rows,
                |a, b, c| (value(a, b) + c) & 0xffff_ffff,
            );
            check(
                &format!("vset.{types}.{relation}.max $d, %r30.h1, %r31.b0, %r32; // $s"),
                "u32",
                &THREE,
                &rows,
                |a, b, c| value(a, b).max(c),
            );
            check(
                &format!("vset.{types}.{relation} $d.h1, %r30.h1, %r31.b0, %r32; // $s"),
                "u32",
                &THREE,
                &rows,
                |a, b, c| merge(".h1", value(a, b).into(), c),
            );
        }
    }
}

#[test]
fn scaled_products_and_sums_match() {
    let rows = integer_rows(32, 60);
    for [to, from_a, from_b] in SIGNS {
        let types = [to, from_a, from_b].map(|signed| format!("{}32", letter(signed))).join(".");
        for (scale, shift) in [("", 0), (".shr7", 7), (".shr15", 15)] {
            for (pick_a, pick_b) in [("", ""), (".b1", ".h0")] {
                for (form, signs) in [
                    ("", [1, 1, 1]),
                    ("po", [1, 1, 1]),
                    ("", [-1, 1, 1]),
                    ("", [1, -1, 1]),
                    ("", [-1, -1, 1]),
                    ("", [1, 1, -1]),
                ] {
                    let minus = |sign: i128| if sign < 0 { "-" } else { "" };
                    let [sign_a, sign_b, sign_c] = signs;
                    let operands =
                        format!("{}%r30{pick_a}, {}%r31{pick_b}, {}%r32", minus(sign_a), minus(sign_b), minus(sign_c));
                    let signed = from_a || from_b || sign_a != sign_b || sign_c < 0;
                    let value = |a: u64, b: u64, c: u64| {
                        let product = part(a, pick_a, from_a) * part(b, pick_b, from_b) * sign_a * sign_b;
                        let sum = product + part(c, "", signed) * sign_c + i128::from(form == "po");
                        sum >> shift
                    };
                    let po = if form == "po" { ".po" } else { "" };
                    check(
                        &format!("vmad.{types}{po}{scale} $d, {operands}; // $s"),
                        "u32",
                        &THREE,
                        &rows,
                        |a, b, c| value(a, b, c) as u64 & 0xffff_ffff,
                    );
                    check(
                        &format!("vmad.{types}{po}.sat{scale} $d, {operands}; // $s"),
                        "u32",
                        &THREE,
                        &rows,
                        |a, b, c| {
                            let (low, high) = limits(32, signed);
                            value(a, b, c).clamp(low, high) as u64 & 0xffff_ffff
                        },
                    );
                }
            }
        }
    }
}

#[test]
fn packed_video_instructions_select_average_and_merge() {
    let rows = integer_rows(32, 60);
    let average: Operation = |a, b| if a + b >= 0 { (a + b + 1) >> 1 } else { (a + b) >> 1 };
    // Selectors as written, and the elements that they name from the lowest on, those of the second operand after those of the first.
    let cases: [(u32, &str, &str, &str, [usize; 4], [usize; 4], u32); 5] = [
        (2, "", "", "", [0, 1, 0, 0], [2, 3, 0, 0], 3),
        (2, ".h0", ".h31", ".h20", [1, 3, 0, 0], [0, 2, 0, 0], 1),
        (4, "", "", "", [0, 1, 2, 3], [4, 5, 6, 7], 15),
        (4, ".b310", ".b7654", ".b0123", [4, 5, 6, 7], [3, 2, 1, 0], 11),
        (4, ".b2", ".b0000", ".b7162", [0, 0, 0, 0], [2, 6, 1, 7], 4),
    ];
    for (count, mask, select_a, select_b, from_a, from_b, chosen) in cases {
        let bits = 32 / count;
        let element = |a: u64, b: u64, at: usize, signed: bool| {
            let raw = i128::from((a | b << 32) >> (at as u32 * bits) & ((1 << bits) - 1));
            if signed && raw >> (bits - 1) == 1 { raw - (1 << bits) } else { raw }
        };
        for [to, signed_a, signed_b] in SIGNS {
            let types = [to, signed_a, signed_b].map(|signed| format!("{}32", letter(signed))).join(".");
            let apply = |operation: Operation, a: u64, b: u64, at: usize| {
                operation(element(a, b, from_a[at], signed_a), element(a, b, from_b[at], signed_b))
            };
            let packed = |operation: Operation, a: u64, b: u64, c: u64, saturate: bool| {
                let (low, high) = limits(bits, to);
                (0..count).fold(0u64, |all, at| {
                    let value = apply(operation, a, b, at as usize);
                    let value = if saturate { value.clamp(low, high) } else { value };
                    let value = if chosen >> at & 1 == 1 { value as u64 } else { c >> (at * bits) };
                    all | (value & ((1 << bits) - 1)) << (at * bits)
                })
            };
            let operands = format!("$d{mask}, %r30{select_a}, %r31{select_b}, %r32; // $s");
            for (name, operation) in OPERATIONS.into_iter().chain([("vavrg", average)]) {
                check(&format!("{name}{count}.{types} {operands}"), "u32", &THREE, &rows, |a, b, c| {
                    packed(operation, a, b, c, false)
                });
                check(&format!("{name}{count}.{types}.sat {operands}"), "u32", &THREE, &rows, |a, b, c| {
                    packed(operation, a, b, c, true)
                });
                let fits = match name {
                    "vabsdiff" => !to && signed_a == signed_b,
                    "vmin" | "vmax" | "vavrg" => to == signed_a && to == signed_b,
                    _ => false,
                };
                if fits {
                    check(&format!("{name}{count}.{types}.add {operands}"), "u32", &THREE, &rows, |a, b, c| {
                        let sum: i128 = (0..count)
                            .filter(|at| chosen >> at & 1 == 1)
                            .map(|at| apply(operation, a, b, at as usize))
                            .sum();
                        (sum + i128::from(c)) as u64 & 0xffff_ffff
                    });
                }
            }
        }
    }
}

#[test]
fn what_the_manual_leaves_open_is_refused() {
    for (instruction, part) in [
        ("vadd.u32.u32.u32.min %r2, %r3, %r4, %r5;", "sat"),
        ("vshl.u32.u32.u32.sat.clamp %r2, %r3, %r4;", "width"),
        ("vadd2.u32.u32.u32.add %r2, %r3, %r4, %r5;", "wide"),
        ("vset2.u32.u32.lt %r2.h0, %r3, %r4, %r5;", "manual"),
        ("vadd.u32.u32.u32.add %r2.h0, %r3, %r4, %r5;", "not supported"),
        ("vadd.u32.u32.u32 %r2, %r3.b4, %r4;", "part"),
        ("vadd4.u32.u32.u32 %r2, %r3.b321, %r4, %r5;", "select"),
        ("vmad.s32.s32.s32 %r2, -%r3, %r4, -%r5;", "not supported"),
        ("vmad.s32.s32.s32.po %r2, -%r3, %r4, %r5;", "not supported"),
        ("add.u32 %r2, -%r3, %r4;", "fit"),
    ] {
        let found = rejection(&text(instruction));
        assert!(found.reason.contains(part), "{instruction}: {}", found.reason);
    }
}
