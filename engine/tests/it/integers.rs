use crate::support::{check, integer_rows};

fn s(value: u64, bits: u32) -> i128 {
    (i128::from(value) << (128 - bits)) >> (128 - bits)
}

fn cut(value: i128, bits: u32) -> u64 {
    (value as u128 & ((1u128 << bits) - 1)) as u64
}

#[test]
fn sums_products_and_quotients_match_wide_arithmetic() {
    for bits in [16u32, 32, 64] {
        let rows = integer_rows(bits, 300);
        for (signed, letter) in [(false, 'u'), (true, 's')] {
            let kind = format!("{letter}{bits}");
            let kind = kind.as_str();
            let v = |value: u64| if signed { s(value, bits) } else { i128::from(value) };
            let two = [kind, kind];
            let three = [kind, kind, kind];
            check(&format!("add.{kind}"), kind, &two, &rows, |a, b, _| cut(v(a) + v(b), bits));
            check(&format!("sub.{kind}"), kind, &two, &rows, |a, b, _| cut(v(a) - v(b), bits));
            check(&format!("mul.lo.{kind}"), kind, &two, &rows, |a, b, _| cut(v(a).wrapping_mul(v(b)), bits));
            check(&format!("mul.hi.{kind}"), kind, &two, &rows, |a, b, _| high(v(a), v(b), bits, signed));
            check(&format!("mad.lo.{kind}"), kind, &three, &rows, |a, b, c| {
                cut(v(a).wrapping_mul(v(b)).wrapping_add(v(c)), bits)
            });
            check(&format!("mad.hi.{kind}"), kind, &three, &rows, |a, b, c| {
                cut(i128::from(high(v(a), v(b), bits, signed)) + v(c), bits)
            });
            check(&format!("min.{kind}"), kind, &two, &rows, |a, b, _| cut(v(a).min(v(b)), bits));
            check(&format!("max.{kind}"), kind, &two, &rows, |a, b, _| cut(v(a).max(v(b)), bits));
            check(&format!("sad.{kind}"), kind, &three, &rows, |a, b, c| cut((v(a) - v(b)).abs() + v(c), bits));
            let quotients: Vec<[u64; 3]> = rows.iter().copied().filter(|row| row[1] != 0).collect();
            check(&format!("div.{kind}"), kind, &two, &quotients, |a, b, _| cut(v(a) / v(b), bits));
            check(&format!("rem.{kind}"), kind, &two, &quotients, |a, b, _| cut(v(a) % v(b), bits));
            if signed {
                check(&format!("abs.{kind}"), kind, &[kind], &rows, |a, _, _| cut(v(a).abs(), bits));
                check(&format!("neg.{kind}"), kind, &[kind], &rows, |a, _, _| cut(-v(a), bits));
            }
            if bits < 64 {
                let wide = format!("{letter}{}", 2 * bits);
                check(&format!("mul.wide.{kind}"), &wide, &two, &rows, |a, b, _| cut(v(a) * v(b), 2 * bits));
                let wide_rows: Vec<[u64; 3]> =
                    rows.iter().map(|row| [row[0], row[1], row[2].wrapping_mul(0x9e37_79b9_7f4a_7c15)]).collect();
                check(&format!("mad.wide.{kind}"), &wide, &[kind, kind, &wide], &wide_rows, |a, b, c| {
                    cut(v(a) * v(b) + i128::from(c), 2 * bits)
                });
            }
        }
    }
}

fn high(a: i128, b: i128, bits: u32, signed: bool) -> u64 {
    if bits < 64 || signed { cut((a * b) >> bits, bits) } else { ((a as u128).wrapping_mul(b as u128) >> 64) as u64 }
}

#[test]
fn saturating_and_24_bit_forms_match() {
    let rows = integer_rows(32, 300);
    let v = |value: u64| s(value, 32);
    let clamp = |value: i128| cut(value.clamp(i128::from(i32::MIN), i128::from(i32::MAX)), 32);
    check("add.sat.s32", "s32", &["s32", "s32"], &rows, |a, b, _| clamp(v(a) + v(b)));
    check("sub.sat.s32", "s32", &["s32", "s32"], &rows, |a, b, _| clamp(v(a) - v(b)));
    check("mad.hi.sat.s32", "s32", &["s32", "s32", "s32"], &rows, |a, b, c| clamp(((v(a) * v(b)) >> 32) + v(c)));
    check("mul24.lo.u32", "u32", &["u32", "u32"], &rows, |a, b, _| ((a & 0xff_ffff) * (b & 0xff_ffff)) & 0xffff_ffff);
    check("mul24.hi.u32", "u32", &["u32", "u32"], &rows, |a, b, _| {
        (((a & 0xff_ffff) * (b & 0xff_ffff)) >> 16) & 0xffff_ffff
    });
    check("mul24.lo.s32", "s32", &["s32", "s32"], &rows, |a, b, _| cut(s(a, 24) * s(b, 24), 32));
    check("mul24.hi.s32", "s32", &["s32", "s32"], &rows, |a, b, _| cut((s(a, 24) * s(b, 24)) >> 16, 32));
    check("mad24.lo.s32", "s32", &["s32", "s32", "s32"], &rows, |a, b, c| cut(s(a, 24) * s(b, 24) + v(c), 32));
}

#[test]
fn carries_run_through_extended_sums_and_products() {
    let rows = integer_rows(64, 400);
    let halves = |op: &str, mid: &str| {
        format!(
            "mov.b64 {{%r10, %r11}}, %rd30; mov.b64 {{%r12, %r13}}, %rd31; {op} %r14, %r10, %r12; {mid} %r15, %r11, %r13; mov.b64 $d, {{%r14, %r15}}; // $s"
        )
    };
    check(&halves("add.cc.u32", "addc.u32"), "u64", &["u64", "u64"], &rows, |a, b, _| a.wrapping_add(b));
    check(&halves("sub.cc.u32", "subc.u32"), "u64", &["u64", "u64"], &rows, |a, b, _| a.wrapping_sub(b));
    // The carry itself, in and out.
    check("add.cc.u64 %rd40, %rd30, %rd31; addc.u64 $d, 0, 0; // $s", "u64", &["u64", "u64"], &rows, |a, b, _| {
        u64::from(a.checked_add(b).is_none())
    });
    check("sub.cc.u64 %rd40, %rd30, %rd31; subc.u64 $d, 0, 0; // $s", "u64", &["u64", "u64"], &rows, |a, b, _| {
        if a < b { u64::MAX } else { 0 }
    });
    // As in hardware, a difference carries where nothing is borrowed; compilers' division of 128 bits counts on it.
    check("sub.cc.u64 %rd40, %rd30, %rd31; addc.u64 $d, 0, 0; // $s", "u64", &["u64", "u64"], &rows, |a, b, _| {
        u64::from(a >= b)
    });
    check("add.cc.u64 %rd40, %rd30, %rd31; subc.u64 $d, 0, 0; // $s", "u64", &["u64", "u64"], &rows, |a, b, _| {
        if a.checked_add(b).is_some() { u64::MAX } else { 0 }
    });
    check("sub.cc.u32 %r14, %r30, %r31; addc.u32 $d, 0, 0; // $s", "u32", &["u32", "u32"], &rows, |a, b, _| {
        u64::from(a as u32 >= b as u32)
    });
    let product = "mov.b64 {%r10, %r11}, %rd30; mov.b64 {%r12, %r13}, %rd31;
        mul.lo.u32 %r14, %r10, %r12; mul.hi.u32 %r15, %r10, %r12;
        mad.lo.cc.u32 %r15, %r10, %r13, %r15; madc.hi.u32 %r16, %r10, %r13, 0;
        mad.lo.cc.u32 %r15, %r11, %r12, %r15; madc.hi.cc.u32 %r16, %r11, %r12, %r16; addc.u32 %r17, 0, 0;
        mad.lo.cc.u32 %r16, %r11, %r13, %r16; madc.hi.u32 %r17, %r11, %r13, %r17;
        mov.b64 $d, {%r16, %r17}; // $s";
    check(product, "u64", &["u64", "u64"], &rows, |a, b, _| ((u128::from(a) * u128::from(b)) >> 64) as u64);
}

#[test]
fn bit_counts_and_searches_match() {
    let rows = integer_rows(32, 300);
    check("popc.b32", "u32", &["b32"], &rows, |a, _, _| u64::from((a as u32).count_ones()));
    check("clz.b32", "u32", &["b32"], &rows, |a, _, _| u64::from((a as u32).leading_zeros()));
    check("brev.b32", "b32", &["b32"], &rows, |a, _, _| (0..32).map(|bit| (a >> bit & 1) << (31 - bit)).sum());
    check("bfind.u32", "u32", &["u32"], &rows, |a, _, _| {
        (0..32).rev().find(|bit| a >> bit & 1 == 1).unwrap_or(0xffff_ffff)
    });
    check("bfind.s32", "u32", &["s32"], &rows, |a, _, _| {
        let sign = a >> 31;
        (0..32).rev().find(|bit| a >> bit & 1 != sign).unwrap_or(0xffff_ffff)
    });
    check("bfind.shiftamt.u32", "u32", &["u32"], &rows, |a, _, _| {
        (0..32).rev().find(|bit| a >> bit & 1 == 1).map_or(0xffff_ffff, |bit| 31 - bit)
    });
    let rows = integer_rows(64, 300);
    check("popc.b64", "u32", &["b64"], &rows, |a, _, _| u64::from(a.count_ones()));
    check("clz.b64", "u32", &["b64"], &rows, |a, _, _| u64::from(a.leading_zeros()));
    check("brev.b64", "b64", &["b64"], &rows, |a, _, _| (0..64).map(|bit| (a >> bit & 1) << (63 - bit)).sum());
    check("bfind.s64", "u32", &["s64"], &rows, |a, _, _| {
        let sign = a >> 63;
        (0..64).rev().find(|bit| a >> bit & 1 != sign).unwrap_or(0xffff_ffff)
    });
}

#[test]
fn fields_are_extracted_and_inserted_as_the_manual_says() {
    let extract = |a: u64, pos: u64, len: u64, bits: u64, signed: bool| {
        let (pos, len) = (pos & 0xff, len & 0xff);
        let sbit = if !signed || len == 0 { 0 } else { a >> (pos + len - 1).min(bits - 1) & 1 };
        let mut d = 0u64;
        for i in 0..bits {
            let bit = if i < len && pos + i < bits { a >> (pos + i) & 1 } else { sbit };
            d |= bit << i;
        }
        d
    };
    for bits in [32u32, 64] {
        let rows = integer_rows(bits, 600);
        for signed in [false, true] {
            let kind = format!("{}{bits}", if signed { 's' } else { 'u' });
            check(&format!("bfe.{kind}"), &kind, &[&kind, "u32", "u32"], &rows, |a, b, c| {
                extract(a, b, c, u64::from(bits), signed)
            });
        }
        let kind = format!("b{bits}");
        let prefix = if bits == 64 { "%rd" } else { "%r" };
        // f (the base) is the first input, complemented.
        let text =
            format!("not.b{bits} {prefix}40, {prefix}30; bfi.b{bits} $d, {prefix}30, {prefix}40, %r31, %r32; // $s");
        check(&text, &kind, &[&kind, "u32", "u32"], &rows, |a, pos, len| {
            let (pos, len, bits) = (pos & 0xff, len & 0xff, u64::from(bits));
            let mut d = !a;
            for i in 0..len {
                if pos + i < bits {
                    d = d & !(1 << (pos + i)) | (if i < 64 { a >> i & 1 } else { 0 }) << (pos + i);
                }
            }
            if bits == 32 { d & 0xffff_ffff } else { d }
        });
    }
}

#[test]
fn shifts_clamp_and_funnel_shifts_wrap_or_clamp() {
    for bits in [16u32, 32, 64] {
        let rows = integer_rows(bits, 300);
        let n = u64::from(bits);
        let (b, u, i) = (format!("b{bits}"), format!("u{bits}"), format!("s{bits}"));
        check(
            &format!("shl.{b}"),
            &b,
            &[&b, "u32"],
            &rows,
            |a, by, _| {
                if by >= n { 0 } else { cut(i128::from(a) << by, bits) }
            },
        );
        check(&format!("shr.{u}"), &u, &[&u, "u32"], &rows, |a, by, _| if by >= n { 0 } else { a >> by });
        check(&format!("shr.{i}"), &i, &[&i, "u32"], &rows, |a, by, _| cut(s(a, bits) >> by.min(n - 1), bits));
    }
    let rows = integer_rows(32, 400);
    let three = ["b32", "b32", "u32"];
    let wide = |a: u64, b: u64| b << 32 | a;
    check("shf.l.wrap.b32", "b32", &three, &rows, |a, b, c| (wide(a, b) << (c & 31)) >> 32);
    check("shf.r.wrap.b32", "b32", &three, &rows, |a, b, c| (wide(a, b) >> (c & 31)) & 0xffff_ffff);
    check("shf.l.clamp.b32", "b32", &three, &rows, |a, b, c| (wide(a, b) << c.min(32)) >> 32);
    check("shf.r.clamp.b32", "b32", &three, &rows, |a, b, c| (wide(a, b) >> c.min(32)) & 0xffff_ffff);
}

#[test]
fn logic_tables_and_byte_permutations_match() {
    let rows = integer_rows(32, 100);
    for table in [0u32, 0x80, 0x96, 0xe8, 0xca, 0x1b, 0xff, 0x6a] {
        let text = format!("lop3.b32 $d, $s, {table};");
        check(&text, "b32", &["b32", "b32", "b32"], &rows, |a, b, c| {
            (0..32)
                .map(|bit| {
                    let at = (a >> bit & 1) << 2 | (b >> bit & 1) << 1 | c >> bit & 1;
                    u64::from(table >> at & 1) << bit
                })
                .sum()
        });
    }
    let byte = |a: u64, b: u64, at: u64| (b << 32 | a) >> (8 * at) & 0xff;
    let rows = integer_rows(32, 500);
    check("prmt.b32", "b32", &["b32", "b32", "b32"], &rows, |a, b, c| {
        (0..4)
            .map(|lane| {
                let choice = c >> (4 * lane) & 15;
                let value = byte(a, b, choice & 7);
                let value = if choice & 8 != 0 { if value & 0x80 != 0 { 0xff } else { 0 } } else { value };
                value << (8 * lane)
            })
            .sum()
    });
    let modes: [(&str, [[u64; 4]; 4]); 6] = [
        ("f4e", [[0, 1, 2, 3], [1, 2, 3, 4], [2, 3, 4, 5], [3, 4, 5, 6]]),
        ("b4e", [[0, 7, 6, 5], [1, 0, 7, 6], [2, 1, 0, 7], [3, 2, 1, 0]]),
        ("rc8", [[0; 4], [1; 4], [2; 4], [3; 4]]),
        ("ecl", [[0, 1, 2, 3], [1, 1, 2, 3], [2, 2, 2, 3], [3, 3, 3, 3]]),
        ("ecr", [[0, 0, 0, 0], [0, 1, 1, 1], [0, 1, 2, 2], [0, 1, 2, 3]]),
        ("rc16", [[0, 1, 0, 1], [2, 3, 2, 3], [0, 1, 0, 1], [2, 3, 2, 3]]),
    ];
    for (mode, table) in modes {
        check(&format!("prmt.b32.{mode}"), "b32", &["b32", "b32", "b32"], &rows, |a, b, c| {
            (0..4).map(|lane| byte(a, b, table[(c & 3) as usize][lane]) << (8 * lane)).sum()
        });
    }
}

#[test]
fn packed_dot_products_match() {
    let rows = integer_rows(32, 400);
    let part = |a: u64, at: u32, bits: u32, signed: bool| {
        let raw = a >> (at * bits) & ((1 << bits) - 1);
        if signed { s(raw, bits) } else { i128::from(raw) }
    };
    for (x, sx) in [("u32", false), ("s32", true)] {
        for (y, sy) in [("u32", false), ("s32", true)] {
            check(&format!("dp4a.{x}.{y}"), "u32", &["b32", "b32", "b32"], &rows, |a, b, c| {
                let sum: i128 = (0..4).map(|at| part(a, at, 8, sx) * part(b, at, 8, sy)).sum();
                cut(sum + i128::from(c), 32)
            });
            for (half, base) in [("lo", 0), ("hi", 2)] {
                check(&format!("dp2a.{half}.{x}.{y}"), "u32", &["b32", "b32", "b32"], &rows, |a, b, c| {
                    let sum: i128 = (0..2).map(|at| part(a, at, 16, sx) * part(b, base + at, 8, sy)).sum();
                    cut(sum + i128::from(c), 32)
                });
            }
        }
    }
}

#[test]
fn masks_and_extensions_clamp_or_wrap() {
    let rows = integer_rows(32, 300);
    check("bmsk.clamp.b32", "b32", &["b32", "b32"], &rows, |a, b, _| {
        (a..a + b).filter(|bit| *bit < 32).take(32).map(|bit| 1 << bit).sum()
    });
    check("szext.clamp.u32", "u32", &["u32", "u32"], &rows, |a, b, _| if b >= 32 { a } else { a & ((1 << b) - 1) });
    check("szext.clamp.s32", "s32", &["s32", "u32"], &rows, |a, b, _| match b {
        0 => 0,
        1..=31 => cut(s(a, b as u32), 32),
        _ => a,
    });
    check("fns.b32", "b32", &["b32", "b32", "s32"], &rows, |mask, base, offset| {
        let offset = s(offset, 32);
        if base > 31 {
            return 0xffff_ffff;
        }
        let set = |bit: &i128| mask >> bit & 1 == 1;
        let base = i128::from(base);
        let found = match offset {
            0 => Some(base).filter(set),
            1.. => (base..32).filter(set).nth((offset - 1).min(100) as usize),
            _ => (0..=base).rev().filter(set).nth((-offset - 1).min(100) as usize),
        };
        found.map_or(0xffff_ffff, |bit| bit as u64)
    });
}

#[test]
fn comparisons_match_for_every_relation_and_width() {
    for bits in [16u32, 32, 64] {
        let rows = integer_rows(bits, 100);
        for (signed, letter) in [(false, 'u'), (true, 's')] {
            let kind = format!("{letter}{bits}");
            let v = |value: u64| if signed { s(value, bits) } else { i128::from(value) };
            type Relation = fn(&i128, &i128) -> bool;
            let relations: [(&str, Relation); 6] = [
                ("eq", i128::eq),
                ("ne", i128::ne),
                ("lt", i128::lt),
                ("le", i128::le),
                ("gt", i128::gt),
                ("ge", i128::ge),
            ];
            for (name, relation) in relations {
                check(&format!("setp.{name}.{kind}"), "pred", &[&kind, &kind], &rows, |a, b, _| {
                    u64::from(relation(&v(a), &v(b)))
                });
            }
            check(&format!("set.lt.u32.{kind}"), "u32", &[&kind, &kind], &rows, |a, b, _| {
                if v(a) < v(b) { 0xffff_ffff } else { 0 }
            });
        }
    }
    let rows = integer_rows(32, 100);
    for (name, relation) in
        [("lo", u64::lt as fn(&u64, &u64) -> bool), ("ls", u64::le), ("hi", u64::gt), ("hs", u64::ge)]
    {
        check(&format!("setp.{name}.u32"), "pred", &["u32", "u32"], &rows, |a, b, _| u64::from(relation(&a, &b)));
    }
}

#[test]
fn set_predicates_combine_and_give_the_opposite_too() {
    let rows = integer_rows(32, 50);
    type Bool = fn(bool, bool) -> bool;
    let combinations: [(&str, Bool); 3] = [("and", |x, y| x && y), ("or", |x, y| x || y), ("xor", |x, y| x != y)];
    for (name, combine) in combinations {
        for (c, negate) in [("%p5", false), ("!%p5", true)] {
            let text = format!(
                "and.b32 %r40, %r32, 1; setp.ne.u32 %p5, %r40, 0; setp.lt.{name}.u32 %p6|%p7, %r30, %r31, {c};
                 selp.u32 %r41, 1, 0, %p6; selp.u32 %r42, 2, 0, %p7; or.b32 $d, %r41, %r42; // $s"
            );
            check(&text, "u32", &["u32", "u32", "u32"], &rows, |a, b, c| {
                let c = (c & 1 == 1) != negate;
                u64::from(combine(a < b, c)) | u64::from(combine(a >= b, c)) << 1
            });
        }
    }
    // The guard may be the destination.
    let text = "setp.ne.u32 %p5, %r32, 0; @%p5 setp.lt.u32 %p5|%p6, %r30, %r31; selp.u32 $d, 1, 0, %p5; // $s";
    check(text, "u32", &["u32", "u32", "u32"], &rows, |a, b, c| u64::from(c != 0 && a < b));
}

#[test]
fn selections_and_predicate_logic_match() {
    let rows = integer_rows(64, 100);
    for (kind, bits) in [("b16", 16), ("b32", 32), ("b64", 64)] {
        check(&format!("selp.{kind}"), kind, &[kind, kind, "pred"], &rows, |a, b, c| {
            cut(i128::from(if c & 1 == 1 { a } else { b }), bits)
        });
    }
    let rows: Vec<[u64; 3]> = (0..8).map(|i| [i & 1, i >> 1 & 1, i >> 2]).collect();
    check("and.pred", "pred", &["pred", "pred"], &rows, |a, b, _| a & b);
    check("or.pred", "pred", &["pred", "pred"], &rows, |a, b, _| a | b);
    check("xor.pred", "pred", &["pred", "pred"], &rows, |a, b, _| a ^ b);
    check("not.pred", "pred", &["pred"], &rows, |a, _, _| a ^ 1);
    let rows = integer_rows(32, 100);
    check("slct.u32.s32", "u32", &["u32", "u32", "s32"], &rows, |a, b, c| if s(c, 32) >= 0 { a } else { b });
    check("cnot.b32", "b32", &["b32"], &rows, |a, _, _| u64::from(a == 0));
    check("not.b16", "b16", &["b16"], &rows, |a, _, _| !a & 0xffff);
}
