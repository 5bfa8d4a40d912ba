//! `wmma` over integers: products of matrices in memory, and programs that could tell where an element of a fragment is.

use crate::support::{Buffers, parse, rejection, run_with, scratch, text, traps, words};
use assay_engine::{Argument, Geometry, Outcome, TrapKind};

/// Extents, and registers of A, B and the sum.
struct Shape {
    name: &'static str,
    extent: [usize; 3],
    bits: usize,
    registers: [usize; 3],
}

const SHAPES: [Shape; 5] = [
    Shape { name: "m16n16k16", extent: [16, 16, 16], bits: 8, registers: [2, 2, 8] },
    Shape { name: "m8n32k16", extent: [8, 32, 16], bits: 8, registers: [1, 4, 8] },
    Shape { name: "m32n8k16", extent: [32, 8, 16], bits: 8, registers: [4, 1, 8] },
    Shape { name: "m8n8k32", extent: [8, 8, 32], bits: 4, registers: [1, 1, 2] },
    Shape { name: "m8n8k128", extent: [8, 8, 128], bits: 1, registers: [1, 1, 2] },
];

fn list(first: usize, count: usize) -> String {
    let names: Vec<String> = (first..first + count).map(|number| format!("%r{number}")).collect();
    format!("{{{}}}", names.join(", "))
}

/// Bytes that look random.
fn noise(seed: u64) -> Vec<u8> {
    let mut state = seed;
    (0..8192)
        .map(|_| {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            (state >> 56) as u8
        })
        .collect()
}

/// The element of a matrix in memory, rows or columns `stride` elements apart.
fn element(bytes: &[u8], place: usize, bits: usize, signed: bool) -> i64 {
    if bits == 32 {
        return i64::from(i32::from_le_bytes(bytes[4 * place..][..4].try_into().unwrap()));
    }
    let raw = i64::from(bytes[place * bits / 8] >> (place * bits % 8)) & ((1 << bits) - 1);
    if signed && raw >> (bits - 1) == 1 { raw - (1 << bits) } else { raw }
}

#[test]
fn products_of_fragments_are_those_of_the_matrices_in_memory() {
    for (shape, kind, operation) in [
        (0, "s8", ""),
        (0, "u8", ""),
        (1, "s8", ""),
        (1, "u8", ""),
        (2, "s8", ""),
        (2, "u8", ""),
        (3, "s4", ""),
        (3, "u4", ""),
        (4, "b1", ".xor.popc"),
        (4, "b1", ".and.popc"),
    ] {
        let Shape { name, extent: [m, n, k], bits, registers: [a, b, c] } = SHAPES[shape];
        let signed = kind.starts_with('s');
        for case in 0..16 {
            let [columns_a, columns_b, columns_c, saturate] = [1, 2, 4, 8].map(|bit| case & bit != 0);
            if bits < 8 && (columns_a || !columns_b) || bits == 1 && saturate {
                continue;
            }
            let layout = |columns| if columns { "col" } else { "row" };
            // Room behind each row or column, in elements: none for a missing stride.
            let stride = |rows, columns, by_columns, room| room + if by_columns { rows } else { columns };
            let room = if case % 3 == 0 { 0 } else { 128 / bits };
            let (of_a, of_b) = (stride(m, k, columns_a, room), stride(k, n, columns_b, 0));
            let of_c = stride(m, n, columns_c, 4);
            let body = format!(
                "wmma.load.a.sync.aligned.{la}.{name}.global.{kind} {ra}, [%rd2], {of_a};
                wmma.load.b.sync.aligned.{lb}.{name}.{kind} {rb}, [%rd3+16];
                wmma.load.c.sync.aligned.{lc}.{name}.global.s32 {rc}, [%rd4], {of_c};
                wmma.mma{operation}.sync.aligned.{la}.{lb}.{name}.s32.{kind}.{kind}.s32{limit} {rd}, {ra}, {rb}, {rc};
                mov.u32 %r50, {of_c};
                wmma.store.d.sync.aligned.{lc}.{name}.global.s32 [%rd1], {rd}, %r50;",
                la = layout(columns_a),
                lb = layout(columns_b),
                lc = layout(columns_c),
                ra = list(10, a),
                rb = list(20, b),
                rc = list(30, c),
                rd = list(40, c),
                limit = if saturate { ".satfinite" } else { "" },
            );
            let mut memory =
                Buffers::new(vec![vec![0xee; 8192], noise(case + 1), noise(99 * case + 2), noise(7 * case + 3)]);
            let outcome = run_with(&body, 32, &mut memory, 1 << 22);
            assert!(matches!(outcome, Outcome::Done { .. }), "{outcome:?}\n{body}");
            let at = |row: usize, column: usize, stride: usize, columns: bool| {
                if columns { column * stride + row } else { row * stride + column }
            };
            let mut expected = vec![0xee; 8192];
            for row in 0..m {
                for column in 0..n {
                    let place = at(row, column, of_c, columns_c);
                    let mut total = element(&memory.bytes[3], place, 32, true);
                    for inner in 0..k {
                        let x = element(&memory.bytes[1], at(row, inner, of_a, columns_a), bits, signed);
                        let y = element(&memory.bytes[2][16..], at(inner, column, of_b, columns_b), bits, signed);
                        total += if operation == ".xor.popc" { x ^ y } else { x * y };
                    }
                    let total = if saturate { total.clamp(i32::MIN.into(), i32::MAX.into()) } else { total };
                    expected[4 * place..][..4].copy_from_slice(&(total as i32).to_le_bytes());
                }
            }
            assert!(memory.bytes[0] == expected, "{body}");
        }
    }
}

const LOADS: &str = "wmma.load.a.sync.aligned.row.m16n16k16.global.u8 {%r10, %r11}, [%rd2], 16;
    wmma.load.b.sync.aligned.col.m16n16k16.global.u8 {%r12, %r13}, [%rd3], 16;
    wmma.load.c.sync.aligned.row.m16n16k16.global.s32 {%r20, %r21, %r22, %r23, %r24, %r25, %r26, %r27}, [%rd4], 16;";
const STORE: &str =
    "wmma.store.d.sync.aligned.row.m16n16k16.global.s32 [%rd1], {%r20, %r21, %r22, %r23, %r24, %r25, %r26, %r27}, 16;";

/// One line for each register of a sum.
fn each(line: &str) -> String {
    (0..8).map(|place| line.replace("$", &format!("%r{}", 20 + place)).replace("#", &place.to_string())).collect()
}

/// Of a body between loads of A, B, C and the store of the sum: how it ends, and what it leaves.
fn outcome(body: &str) -> (Outcome, Vec<u8>) {
    let mut memory = scratch();
    for (buffer, bytes) in memory.bytes.iter_mut().enumerate().skip(1) {
        *bytes = noise(buffer as u64);
    }
    let outcome = run_with(&format!("{LOADS} {body} {STORE}"), 32, &mut memory, 1 << 22);
    (outcome, memory.bytes.swap_remove(0))
}

/// The sum that is stored.
fn stored(body: &str) -> Vec<i32> {
    let (outcome, bytes) = outcome(body);
    assert!(matches!(outcome, Outcome::Done { .. }), "{outcome:?}\n{body}");
    bytes[..1024].chunks_exact(4).map(|word| i32::from_le_bytes(word.try_into().unwrap())).collect()
}

#[test]
fn elements_of_a_sum_may_be_changed_alike() {
    let plain = stored("");
    let scaled = stored(&each("mul.lo.s32 $, $, 3; add.s32 $, $, -5; shl.b32 $, $, 1;"));
    let change = |x: &i32| (x.wrapping_mul(3) - 5).wrapping_mul(2);
    assert_eq!(scaled, plain.iter().map(change).collect::<Vec<_>>());
    // With what is the same in all threads, in any order of the registers.
    let swapped: String =
        (0..8).rev().map(|place| format!("mad.lo.s32 %r{0}, %r{0}, %r50, %r50;", 20 + place)).collect();
    let same = stored(&format!("mov.u32 %r50, %ntid.x; {swapped}"));
    assert_eq!(same, plain.iter().map(|x| x.wrapping_mul(32).wrapping_add(32)).collect::<Vec<_>>());
    // With the same element of another fragment.
    let doubled = stored(&format!(
        "{} {}",
        LOADS.lines().last().unwrap().replace("%r2", "%r3"),
        each("add.s32 $, $, %r3#; max.s32 $, $, 0;")
    ));
    assert_eq!(doubled, plain.iter().map(|x| x.wrapping_mul(2).max(0)).collect::<Vec<_>>());
    // Filled, in whatever order and by whatever way.
    let filled = stored(&format!(
        "setp.lt.u32 %p1, %r1, 9; @%p1 bra L; {} bra M; L: {} M:",
        each("mov.u32 $, 7;"),
        each("mov.u32 %r50, 7; mov.u32 $, %r50;")
    ));
    assert_eq!(filled, [7; 256]);
    let looped = "mov.u32 %r50, 0; L: wmma.mma.sync.aligned.row.col.m16n16k16.s32.u8.u8.s32
        {%r20, %r21, %r22, %r23, %r24, %r25, %r26, %r27}, {%r10, %r11}, {%r12, %r13}, {%r20, %r21, %r22, %r23, %r24, %r25, %r26, %r27};
        add.u32 %r50, %r50, 1; setp.lt.u32 %p1, %r50, 3; @%p1 bra L;";
    let once = stored(&looped.replace("%r50, 3", "%r50, 1"));
    let thrice: Vec<i32> =
        plain.iter().zip(&once).map(|(c, d)| c.wrapping_add(d.wrapping_sub(*c).wrapping_mul(3))).collect();
    assert_eq!(stored(looped), thrice);
    assert_eq!(
        stored(&format!("{} {looped}", each("mov.u32 $, 0;"))),
        once.iter().zip(&plain).map(|(d, c)| d.wrapping_sub(*c).wrapping_mul(3)).collect::<Vec<_>>()
    );
}

#[test]
fn elements_that_are_not_all_changed_alike_are_a_fault() {
    let unlike = |body: &str| match outcome(body).0 {
        Outcome::Trap(trap) => assert_eq!(trap.kind, TrapKind::Uninitialised, "{trap:?}\n{body}"),
        other => panic!("{other:?}\n{body}"),
    };
    unlike("add.s32 %r20, %r20, 1;");
    unlike("mov.u32 %r23, 0;");
    unlike("mov.u32 %r20, %r21;");
    unlike("mov.u32 %r50, %r20; mov.u32 %r20, %r21; mov.u32 %r21, %r50;");
    unlike(&each("add.s32 $, $, #;"));
    unlike(&each("add.s32 $, $, %r1;"));
    unlike(&each("mov.u32 $, %r1;"));
    unlike(&each("mov.u32 $, #;"));
    unlike(&format!("setp.lt.u32 %p1, %r1, 16; @!%p1 bra L; {} L:", each("add.s32 $, $, 1;")));
    unlike(&each("setp.lt.u32 %p1, %r1, 16; @%p1 mov.u32 $, 0;"));
    unlike(&each("mad.lo.s32 $, $, 2, %r20;"));
    // Another shape may lie otherwise.
    unlike(
        "wmma.load.c.sync.aligned.row.m8n32k16.global.s32 {%r20, %r21, %r22, %r23, %r24, %r25, %r26, %r27}, [%rd4], 32;",
    );
    let product = |a: &str, layouts: &str, kind: &str| {
        format!(
            "wmma.mma.sync.aligned.{layouts}.m16n16k16.s32.{kind}.{kind}.s32 {{%r20, %r21, %r22, %r23, %r24, %r25, %r26, %r27}},
            {a}, {{%r12, %r13}}, {{%r20, %r21, %r22, %r23, %r24, %r25, %r26, %r27}};"
        )
    };
    unlike(&product("{%r10, %r11}", "col.col", "u8"));
    unlike(&product("{%r10, %r11}", "row.col", "s8"));
    unlike(&product("{%r11, %r10}", "row.col", "u8"));
    unlike(&product("{%r12, %r13}", "row.col", "u8"));
    unlike(&format!("xor.b32 %r10, %r10, 1; xor.b32 %r11, %r11, 1; {}", product("{%r10, %r11}", "row.col", "u8")));
    // Equal words whose bytes differ.
    unlike(&format!("mov.u32 %r10, 0x01020304; mov.u32 %r11, %r10; {}", product("{%r10, %r11}", "row.col", "u8")));
    stored(&format!("mov.u32 %r10, 0x03030303; mov.u32 %r11, %r10; {}", product("{%r10, %r11}", "row.col", "u8")));
    // Addresses and strides are those of the warp, and all of the warp takes part.
    let stops = |body: &str| traps(body, 32, TrapKind::Barrier);
    stops(&LOADS.replace("[%rd2]", "[%rd7]"));
    stops(&LOADS.replace("[%rd2], 16", "[%rd2], %r1"));
    stops(&format!("setp.lt.u32 %p1, %r1, 16; @%p1 bra L; {LOADS} L:"));
    traps(LOADS, 31, TrapKind::Barrier);
}

#[test]
fn what_shows_the_layout_of_a_fragment_is_refused() {
    for shown in [
        "st.global.u32 [%rd6], %r20;",
        "mov.u32 %r50, %r20; st.global.u32 [%rd6], %r50;",
        "add.s32 %r50, %r20, 1; cvt.rn.f32.s32 %f1, %r50;",
        "setp.gt.s32 %p1, %r20, 0;",
        "selp.b32 %r20, %r20, 0, %p1;",
        "mul.wide.s32 %rd10, %r20, 4;",
        "shfl.sync.bfly.b32 %r20, %r20, 1, 31, -1;",
        "mov.b64 %rd10, {%r20, %r21};",
        "and.b32 %r50, %r10, 255; cvt.u64.u32 %rd10, %r50;",
    ] {
        let reason = rejection(&text(&format!("{LOADS} {shown} {STORE}"))).reason;
        assert!(reason.contains("mma.sync"), "{shown}: {reason}");
    }
}

#[test]
fn fragments_race_like_the_lanes_that_may_hold_their_elements() {
    let shared = ".shared .align 32 .b8 s[2048]; mov.u32 %r8, s; mad.lo.u32 %r9, %r1, 32, %r8;";
    let fill =
        "st.shared.u32 [%r9], %r1; st.shared.u32 [%r9+4], 1; st.shared.u32 [%r9+8], 2; st.shared.u32 [%r9+12], 3;
        st.shared.u32 [%r9+16], 4; st.shared.u32 [%r9+20], 5; st.shared.u32 [%r9+24], 6; st.shared.u32 [%r9+28], 7;";
    let load = "wmma.load.c.sync.aligned.row.m16n16k16.shared.s32 {%r20, %r21, %r22, %r23, %r24, %r25, %r26, %r27}, [%r8], 16;";
    let store = "wmma.store.d.sync.aligned.row.m16n16k16.shared.s32 [%r8], {%r20, %r21, %r22, %r23, %r24, %r25, %r26, %r27}, 16;";
    let wait = "bar.warp.sync -1;";
    let read = "ld.shared.u32 %r50, [%r9]; cvt.u64.u32 %rd10, %r50; st.global.u64 [%rd6], %rd10;";
    let add = each("add.s32 $, $, 100;");
    let wanted: Vec<u64> = (0..32).map(|thread| thread + 100).collect();
    assert_eq!(words(&format!("{shared} {fill} {wait} {load} {add} {store} {wait} {read}"), 32), wanted);
    let races = |body: &str| traps(&format!("{shared} {body}"), 32, TrapKind::Race);
    races(&format!("{fill} {load}"));
    races(&format!("{fill} {wait} {load} {wait} {store} {read}"));
    races(&format!("{fill} {wait} {load} {fill}"));
    traps(&format!("{shared} {load}"), 32, TrapKind::Uninitialised);
}

#[test]
fn kernels_of_the_compiler_multiply_as_written() {
    let module = parse(include_str!("../data/wmma.ptx"));
    let run = |name: &str, [x, y]: [u32; 2], arguments: &[Argument], memory: &mut Buffers| {
        let kernel = module.entry(name).unwrap().kernel.as_ref().unwrap();
        let geometry = Geometry { grid: [x, y, 1], block: [32, 1, 1], shared: 0 };
        for cta in (0..x * y).map(|cta| [cta % x, cta / x, 0]) {
            let outcome = kernel.run(&geometry, arguments, cta, memory, 1 << 24, None).unwrap();
            assert!(matches!(outcome, Outcome::Done { .. }), "{name}: {outcome:?}");
        }
    };
    let buffer = |index| Argument::Buffer { index, offset: 0 };
    let word = |value: i32| Argument::Bytes(value.to_le_bytes().to_vec());
    let signed = |byte: u8| i32::from(byte as i8);

    // 48 × 80 by 80 × 32: the loop in fours, and one over.
    let (m, n, k) = (48, 32, 80);
    let mut memory = Buffers::new(vec![noise(1), noise(2), vec![0; 4 * m * n]]);
    run("gemm", [2, 3], &[buffer(0), buffer(1), buffer(2), word(n as i32), word(k as i32)], &mut memory);
    for (place, found) in memory.bytes[2].chunks_exact(4).enumerate() {
        let (a, b) = (&memory.bytes[0][place / n * k..][..k], &memory.bytes[1][place % n * k..][..k]);
        let expected: i32 = a.iter().zip(b).map(|(x, y)| signed(*x) * signed(*y)).sum();
        assert_eq!(i32::from_le_bytes(found.try_into().unwrap()), expected);
    }

    let mut memory = Buffers::new(vec![noise(3), noise(4), noise(5)]);
    let before = memory.bytes[2].clone();
    run("scaled", [1, 1], &[buffer(0), buffer(1), buffer(2), word(-3), word(7)], &mut memory);
    for column in 0..8 {
        for row in 0..32 {
            let dot: i32 = (0..16)
                .map(|at| i32::from(memory.bytes[0][32 * at + row]) * i32::from(memory.bytes[1][16 * at + column]))
                .sum();
            let at = 4 * (32 * column + row);
            let sum = |bytes: &[u8]| i32::from_le_bytes(bytes[at..at + 4].try_into().unwrap());
            assert_eq!(sum(&memory.bytes[2]), dot.wrapping_mul(-3).wrapping_add(sum(&before).wrapping_mul(7)));
        }
    }
}
