//! What compilers and other people's inline assembly write, beyond single instructions.

use crate::support::{Buffers, kernel, launch, parse, passes, rejection, run, scratch, text, trap, traps, words};
use assay_engine::{Geometry, Outcome, TrapKind};

#[test]
fn directives_may_stand_without_a_blank_between() {
    let body = "{.reg.b32 a,b;.reg.pred p; mov.b32 a, 5; add.u32 b, a, %r1; setp.eq.u32 p, b, 7; @p mov.b32 b, 70;
        cvt.u64.u32 %rd10, b; st.global.u64 [%rd6], %rd10;}";
    assert_eq!(words(body, 4), [5, 6, 70, 8]);
}

#[test]
fn initialisers_hold_addresses_whole_and_byte_by_byte() {
    let bytes: Vec<String> = (0..8).map(|at| format!("0x{:X}(target+4)", 0xffu64 << (8 * at))).collect();
    let tables = format!(
        ".global .align 4 .u32 target[3] = {{10, 20, 30}};
        .global .align 8 .u64 whole[2] = {{7, generic(target)+8}};
        .global .align 8 .u64 inside[1] = {{generic(target+4)}};
        .global .align 8 .b8 bytes[16] = {{1, 2, 3, 4, 5, 6, 7, 8, {}}};
        .visible",
        bytes.join(", ")
    );
    let source = text(
        "mov.u64 %rd10, whole; ld.global.u64 %rd11, [%rd10+8]; ld.u32 %r10, [%rd11];
        mov.u64 %rd10, bytes; ld.global.u64 %rd11, [%rd10+8]; ld.u32 %r11, [%rd11];
        mov.u64 %rd10, inside; ld.global.u64 %rd11, [%rd10]; ld.global.u32 %r12, [%rd11];
        st.global.u32 [%rd1], %r10; st.global.u32 [%rd1+4], %r11; st.global.u32 [%rd1+8], %r12;",
    )
    .replacen(".visible", &tables, 1);
    let mut memory = scratch();
    assert!(matches!(launch(&source, 1, &mut memory, 1 << 20), Ok(Outcome::Done { .. })));
    let word = |at: usize| u32::from_le_bytes(memory.bytes[0][at..at + 4].try_into().unwrap());
    assert_eq!([word(0), word(4), word(8)], [30, 20, 20]);
}

#[test]
fn a_variable_without_room_refuses_only_those_who_name_it() {
    let module = parse(
        ".version 8.0 .target sm_80 .address_size 64
        .global .align 4 .u32 small[2] = {3, 4};
        .global .align 4 .b8 huge[9999999];
        .global .align 4 .u32 later[2] = {5, 6};
        .entry good() { .reg .b32 %r<3>; ld.global.u32 %r1, [small]; ld.global.u32 %r2, [later]; ret; }
        .entry bad() { .reg .b32 %r<3>; ld.global.u32 %r1, [huge]; ret; }",
    );
    assert!(module.entries[0].kernel.is_ok());
    let rejection = module.entries[1].kernel.as_ref().err().unwrap();
    assert!(rejection.reason.contains("huge"), "{}", rejection.reason);
}

#[test]
fn addresses_of_functions_are_known_and_those_of_others_refused() {
    let module = parse(
        ".version 8.0 .target sm_80 .address_size 64
        .func f() { ret; }
        .global .align 8 .u64 methods[2] = {f, generic(f)};
        .global .align 4 .u32 plain[1] = {3};
        .entry good() { .reg .b32 %r<3>; call f; ld.global.u32 %r1, [plain]; ret; }
        .entry table() { .reg .b64 %r<3>; ld.global.u64 %r1, [methods]; ret; }
        .entry taken() { .reg .b64 %r<3>; mov.u64 %r1, f; ret; }
        .entry unknown() { .reg .b64 %r<3>; mov.u64 %r1, nosuch; ret; }",
    );
    let reasons: Vec<String> = module
        .entries
        .iter()
        .map(|entry| entry.kernel.as_ref().err().map(|rejection| rejection.reason.clone()).unwrap_or_default())
        .collect();
    assert_eq!(reasons[0], "");
    assert_eq!(reasons[1], "");
    assert_eq!(reasons[2], "");
    assert!(reasons[3].contains("not declared"), "{}", reasons[3]);
}

#[test]
fn an_exchange_whose_old_value_nobody_reads_is_a_store() {
    assert_eq!(words("atom.global.exch.b64 %rd10, [%rd6], %rd5;", 3), [0, 8, 16]);
    passes(".shared .align 8 .b8 s[8]; atom.shared.exch.b32 %r2, [s], 7; bar.sync 0; ld.shared.u32 %r3, [s];", 64);
    traps("atom.global.exch.b32 %r2, [%rd1], %r1;", 2, TrapKind::Race);
}

#[test]
fn a_failed_assertion_is_a_trap_and_one_that_holds_is_nothing() {
    let module = |index: u32| {
        let call = "setp.lt.u32 %p1, %r1, LIMIT; @%p1 bra FINE;
            { .param .b64 a; .param .b64 b; .param .b32 c; .param .b64 d; .param .b64 e;
            st.param.b64 [a], 0; st.param.b64 [b], 0; st.param.b32 [c], 9; st.param.b64 [d], 0; st.param.b64 [e], 1;
            call.uni __assertfail, (a, b, c, d, e); }
            FINE: st.global.u64 [%rd6], %rd5;";
        let declared =
            ".extern .func __assertfail(.param .b64 a, .param .b64 b, .param .b32 c, .param .b64 d, .param .b64 e);
            .visible";
        text(&call.replace("LIMIT", &index.to_string())).replacen(".visible", declared, 1)
    };
    let mut memory = scratch();
    assert!(matches!(launch(&module(64), 64, &mut memory, 1 << 20), Ok(Outcome::Done { .. })));
    let Ok(Outcome::Trap(found)) = launch(&module(40), 64, &mut memory, 1 << 20) else { panic!("it holds") };
    assert_eq!((found.kind, found.thread), (TrapKind::Trap, [40, 0, 0]));
}

#[test]
fn printing_is_no_output_and_what_it_returns_may_not_be_used() {
    let module = |after: &str| {
        let call = "{ .local .align 8 .b8 depot[8]; .reg .b64 %SP; .reg .b64 %SPL; mov.u64 %SPL, depot; cvta.local.u64 %SP, %SPL;
            st.local.u32 [%SPL], %r1; mov.u64 %rd10, format; cvta.global.u64 %rd11, %rd10; setp.lt.u32 %p1, %r1, 3; @%p1 bra QUIET;
            { .param .b64 param0; st.param.b64 [param0+0], %rd11; .param .b64 param1; st.param.b64 [param1+0], %SP;
            .param .b32 retval0; call.uni (retval0), vprintf, (param0, param1); ld.param.b32 %r9, [retval0+0]; }
            QUIET: } AFTER st.global.u64 [%rd6], %rd5;";
        let declared = ".extern .func (.param .b32 func_retval0) vprintf(.param .b64 a, .param .b64 b);
            .extern .func (.param .b64 func_retval0) nobody_calls(.param .b64 a);
            .global .align 1 .b8 format[4] = {37, 100, 10}; .visible";
        text(&call.replace("AFTER", after)).replacen(".visible", declared, 1)
    };
    let mut memory = scratch();
    let outcome = launch(&module(""), 40, &mut memory, 1 << 20);
    assert!(matches!(outcome, Ok(Outcome::Done { .. })), "{outcome:?}");
    assert_eq!(memory.bytes[0][8 * 39], (8 * 39 & 0xff) as u8);
    for use_ in ["add.u32 %r10, %r9, 1; st.global.u32 [%rd6], %r10;", "setp.lt.s32 %p2, %r9, 0; @%p2 trap;"] {
        let found = rejection(&module(use_));
        assert!(found.reason.contains("printf returns"), "{}", found.reason);
    }
    // Without optimisation it goes through registers that nobody reads.
    assert!(parse(&module("mov.b32 %r10, %r9;")).entries[0].kernel.is_ok());
}

#[test]
fn what_only_takes_time_changes_nothing() {
    let body = "nanosleep.u32 100; pmevent 3; prefetch.global.L1 [%rd1]; fence.acq_rel.gpu; membar.sys;
        applypriority.global.L2::evict_normal [%rd1], 128; st.global.L1::no_allocate.L2::cache_hint.u64 [%rd6], %rd5, %rd1;
        ld.relaxed.gpu.global.u64 %rd10, [%rd6]; griddepcontrol.wait; griddepcontrol.launch_dependents; setmaxnreg.inc.sync.aligned.u32 64;
        fence.proxy.async; createpolicy.fractional.L2::evict_last.b64 %rd11, 1.0; ld.global.L2::cache_hint.u64 %rd12, [%rd6], %rd11;
        atom.acq_rel.gpu.global.add.u32 %r9, [%rd6], 0; red.global.L2::cache_hint.add.u32 [%rd6], 0, %rd11; st.volatile.global.u64 [%rd6], %rd10;";
    assert_eq!(words(body, 3), [0, 8, 16]);
}

#[test]
fn instructions_without_a_specified_result_are_refused() {
    for (instruction, part) in [
        ("discard.global.L2 [%rd1], 128;", "contents"),
        ("elect.sync %r2|%p1, -1;", "lane"),
        ("cvt.rn.satfinite.e4m3x2.f32 %h1, %f1, %f2;", "specified"),
        ("cvt.rna.tf32.f32 %r2, %f1;", "specified"),
        (
            "red.async.relaxed.cluster.shared::cluster.mbarrier::complete_tx::bytes.add.u32 [%r2], 1, [%r3];",
            "asynchronous",
        ),
        ("createpolicy.fractional.L2::evict_last.b64 %rd10, 1.0; st.global.u64 [%rd6], %rd10;", "policy"),
    ] {
        let found = rejection(&text(instruction));
        assert!(found.reason.contains(part), "{instruction}: {}", found.reason);
    }
}

fn matrices(memory: &Buffers) -> Vec<u32> {
    memory.bytes[0].chunks_exact(4).map(|word| u32::from_le_bytes(word.try_into().unwrap())).collect()
}

#[test]
fn matrices_of_16_bit_elements_load_into_the_fragments_of_a_warp() {
    // Element `n` of shared memory holds `n`; the rows of matrix `i` start at element `64 * i`, in reverse order.
    let fill = ".shared .align 16 .b8 s[512]; mov.u32 %r8, s; shl.b32 %r9, %r1, 2; mad.lo.u32 %r10, %r1, 16, %r8;
        add.u32 %r11, %r9, 1; add.u32 %r12, %r9, 2; add.u32 %r13, %r9, 3; cvt.u16.u32 %h1, %r9; cvt.u16.u32 %h2, %r11;
        cvt.u16.u32 %h3, %r12; cvt.u16.u32 %h4, %r13; shl.b32 %r14, %r1, 3; add.u32 %r15, %r8, %r14;
        st.shared.v4.u16 [%r15], {%h1, %h2, %h3, %h4}; add.u32 %r16, %r9, 128; cvt.u16.u32 %h1, %r16;
        add.u16 %h2, %h1, 1; add.u16 %h3, %h1, 2; add.u16 %h4, %h1, 3; st.shared.v4.u16 [%r15+256], {%h1, %h2, %h3, %h4};
        bar.sync 0; xor.b32 %r17, %r1, 7; mad.lo.u32 %r17, %r17, 16, %r8; mul.wide.u32 %rd10, %r1, 16; add.s64 %rd10, %rd1, %rd10;";
    for (trans, transposed) in [("", false), (".trans", true)] {
        for place in [".shared", ""] {
            let address = if place.is_empty() { "%rd11" } else { "%r17" };
            let body = format!(
                "{fill} cvt.u64.u32 %rd11, %r17; cvta.shared.u64 %rd11, %rd11;
                ldmatrix.sync.aligned.m8n8.x4{trans}{place}.b16 {{%r20, %r21, %r22, %r23}}, [{address}];
                st.global.v4.u32 [%rd10], {{%r20, %r21, %r22, %r23}};"
            );
            let mut memory = scratch();
            let outcome = launch(&text(&body), 32, &mut memory, 1 << 20).unwrap();
            assert!(matches!(outcome, Outcome::Done { .. }), "{outcome:?}");
            let got = matrices(&memory);
            for lane in 0..32u32 {
                for matrix in 0..4 {
                    let element = |row: u32, column: u32| 64 * matrix + 8 * (7 - row) + column;
                    let (major, minor) = (lane / 4, lane % 4 * 2);
                    let wanted = if transposed {
                        element(minor, major) | element(minor + 1, major) << 16
                    } else {
                        element(major, minor) | element(major, minor + 1) << 16
                    };
                    assert_eq!(got[(4 * lane + matrix) as usize], wanted, "lane {lane}, matrix {matrix}{trans}");
                }
            }
        }
    }
    // One and two matrices look at the first addresses only.
    passes(
        &format!(
            "{fill} setp.ge.u32 %p1, %r1, 8; @%p1 mov.u32 %r17, 3; ldmatrix.sync.aligned.m8n8.x1.shared.b16 {{%r20}}, [%r17];"
        ),
        32,
    );
    traps(
        &format!(
            "{fill} setp.ge.u32 %p1, %r1, 8; @%p1 mov.u32 %r17, 3; ldmatrix.sync.aligned.m8n8.x2.shared.b16 {{%r20, %r21}}, [%r17];"
        ),
        32,
        TrapKind::Misaligned,
    );
    let unsynced = fill.replace("bar.sync 0;", "");
    let load = "ldmatrix.sync.aligned.m8n8.x1.shared.b16 {%r20}, [%r17];";
    traps(&format!("{unsynced} {load}"), 32, TrapKind::Race);
    traps(
        ".shared .align 16 .b8 s[512]; mov.u32 %r17, s; ldmatrix.sync.aligned.m8n8.x1.shared.b16 {%r20}, [%r17];",
        32,
        TrapKind::Uninitialised,
    );
    assert_eq!(trap(&format!("{fill} {load}"), 20).kind, TrapKind::Barrier);
    traps(&format!("{fill} mov.u32 %r17, 512; {load}"), 32, TrapKind::OutOfBounds);
}

#[test]
fn the_fragments_of_a_warp_are_stored_as_matrices() {
    for (trans, transposed) in [("", false), (".trans", true)] {
        for place in [".shared", ""] {
            let address = if place.is_empty() { "%rd11" } else { "%r17" };
            // Lane `l` holds `100 * i + 2 l` and the number after it of matrix `i`; rows go to the places in reverse order.
            let body = format!(
                ".shared .align 16 .b8 s[512]; mov.u32 %r8, s; xor.b32 %r17, %r1, 7; mad.lo.u32 %r17, %r17, 16, %r8;
                cvt.u64.u32 %rd11, %r17; cvta.shared.u64 %rd11, %rd11; mad.lo.u32 %r20, %r1, 131074, 65536; add.u32 %r21, %r20, 6553700;
                add.u32 %r22, %r21, 6553700; add.u32 %r23, %r22, 6553700;
                stmatrix.sync.aligned.m8n8.x4{trans}{place}.b16 [{address}], {{%r20, %r21, %r22, %r23}}; bar.warp.sync -1;
                mad.lo.u32 %r18, %r1, 16, %r8; ld.shared.v4.u32 {{%r30, %r31, %r32, %r33}}, [%r18];
                mul.wide.u32 %rd10, %r1, 16; add.s64 %rd10, %rd1, %rd10; st.global.v4.u32 [%rd10], {{%r30, %r31, %r32, %r33}};"
            );
            let mut memory = scratch();
            let outcome = launch(&text(&body), 32, &mut memory, 1 << 20).unwrap();
            assert!(matches!(outcome, Outcome::Done { .. }), "{outcome:?}");
            for (at, half) in memory.bytes[0].chunks_exact(2).take(256).enumerate() {
                let (matrix, row, column) = (at / 64, 7 - at / 8 % 8, at % 8);
                let (major, minor) = if transposed { (column, row) } else { (row, column) };
                let wanted = 100 * matrix + 8 * major + minor;
                assert_eq!(u16::from_le_bytes([half[0], half[1]]), wanted as u16, "{trans} {at}");
            }
        }
    }
    let store = ".shared .align 16 .b8 s[512]; mov.u32 %r8, s; mad.lo.u32 %r9, %r1, 16, %r8;
        stmatrix.sync.aligned.m8n8.x1.shared.b16 [%r9], {%r1};";
    let own = "setp.lt.u32 %p1, %r1, 8; @%p1 ld.shared.u32 %r20, [%r9];";
    traps(&format!("{store} {own}"), 32, TrapKind::Race);
    passes(&format!("{store} bar.warp.sync -1; {own}"), 32);
    traps(&format!("{store} ld.shared.u32 %r20, [%r9+256];"), 32, TrapKind::Uninitialised);
    traps(&store.replace("%r8;\n", "4;\n"), 32, TrapKind::Misaligned);
    assert_eq!(trap(store, 20).kind, TrapKind::Barrier);
}

#[test]
fn a_matrix_spread_over_a_warp_is_transposed() {
    let body = "mad.lo.u32 %r10, %r1, 131074, 65536; movmatrix.sync.aligned.m8n8.trans.b16 %r11, %r10;
        cvt.u64.u32 %rd10, %r11; st.global.u64 [%rd6], %rd10;";
    let got = words(body, 32);
    for lane in 0..32 {
        let element = |row: u64, column: u64| row * 8 + column;
        let (row, column) = (lane / 4, lane % 4 * 2);
        assert_eq!(got[lane as usize], element(column, row) | element(column + 1, row) << 16, "lane {lane}");
    }
}

#[test]
fn writes_of_one_value_by_many_threads_are_no_race() {
    let shared = ".shared .align 8 .b8 s[64]; mov.u32 %r8, s;";
    let read = "bar.sync 0; ld.shared.u32 %r10, [%r8]; cvt.u64.u32 %rd10, %r10; st.global.u64 [%rd6], %rd10;";
    for body in [
        format!("{shared} st.shared.u32 [%r8], 7; {read}"),
        format!(
            "{shared} setp.gt.u32 %p1, %r1, 60; st.shared.u32 [%r8], 7; bar.sync 0; @%p1 st.shared.u32 [%r8], 9; {read}"
        ),
        // Whoever comes last, its last word is 7.
        format!("{shared} setp.eq.u32 %p1, %r1, 0; @%p1 st.shared.u32 [%r8], 8; st.shared.u32 [%r8], 7; {read}"),
        // Within a warp its own barrier is enough.
        format!(
            "{shared} setp.gt.u32 %p1, %r1, 63; @%p1 st.shared.u32 [%r8], 7; bar.warp.sync -1; @%p1 ld.shared.u32 %r11, [%r8]; {read}"
        ),
    ] {
        run(&body, 96);
    }
    assert_eq!(words(&format!("{shared} st.shared.u32 [%r8], 7; {read}"), 96), vec![7; 96]);
    passes("st.global.u32 [%rd1], 5; bar.sync 0; ld.global.u32 %r2, [%rd1];", 96);
    for body in [
        // Another value, before or after.
        format!("{shared} setp.eq.u32 %p1, %r1, 95; st.shared.u32 [%r8], 7; @%p1 st.shared.u32 [%r8], 8;"),
        format!(
            "{shared} setp.eq.u32 %p1, %r1, 40; st.shared.u32 [%r8], 7; @%p1 st.shared.u32 [%r8], 8; st.shared.u32 [%r8], 7;"
        ),
        // A read in between, by oneself or another.
        format!("{shared} st.shared.u32 [%r8], 7; ld.shared.u32 %r10, [%r8];"),
        // A part of it.
        format!("{shared} st.shared.u32 [%r8], 7; st.shared.u8 [%r8+1], 1;"),
        // A reduction is no write of one value.
        format!(
            "{shared} st.shared.u32 [%r8], 7; bar.sync 0; atom.shared.or.b32 %r10, [%r8], 7; st.shared.u32 [%r8], 7;"
        ),
        "st.global.u32 [%rd1], 5; ld.global.u32 %r2, [%rd1];".to_owned(),
        "setp.eq.u32 %p1, %r1, 95; st.global.u32 [%rd1], 5; @%p1 st.global.u32 [%rd1], 6;".to_owned(),
    ] {
        traps(&body, 96, TrapKind::Race);
    }
    let foreign = Buffers { foreign: vec![0], ..scratch() };
    let mut memory = foreign;
    let kernel = kernel(&text("st.global.u32 [%rd1], 5;"));
    let geometry = Geometry { grid: [1; 3], block: [64, 1, 1], shared: 0 };
    let outcome = kernel.run(&geometry, &crate::support::arguments(4), [0; 3], &mut memory, 1 << 20, None).unwrap();
    assert!(matches!(outcome, Outcome::Trap(ref found) if found.kind == TrapKind::NotOwned), "{outcome:?}");
}
