//! Calls through pointers: tables of functions, virtual functions.

use crate::support::*;
use assay_engine::{Outcome, TrapKind};

/// A module with functions of one word, tables of them, and a kernel with that body, `%rd6` the thread's place.
fn module(body: &str) -> String {
    let function = |name: &str, code: &str| {
        format!(
            ".func (.param .b32 r) {name}(.param .b32 x) {{ .reg .b32 %q<4>; .reg .b64 %qd<4>; .reg .pred %qp;
            ld.param.u32 %q1, [x]; {code} st.param.b32 [r+0], %q2; ret; }}\n"
        )
    };
    let functions = [
        function("twice", "add.u32 %q2, %q1, %q1;"),
        function("square", "mul.lo.u32 %q2, %q1, %q1;"),
        function("less", "sub.u32 %q2, %q1, 1;"),
        // Its own address, as of a function that somebody gave it.
        function(
            "again",
            "ld.global.u64 %qd1, [table+24]; mov.u32 %q2, 0; setp.eq.u32 %qp, %q1, 0; @%qp bra OUT;
            { .param .b32 a; .param .b32 r1; st.param.b32 [a], %q1; P: .callprototype (.param .b32 _) _ (.param .b32 _);
            call (r1), %qd1, (a), P; ld.param.b32 %q2, [r1]; }\nOUT:",
        ),
        ".func (.param .b64 r) wide(.param .b64 x) { .reg .b64 %q<2>; ld.param.u64 %q1, [x]; st.param.b64 [r+0], %q1; ret; }\n".to_owned(),
        ".func silent() { ret; }\n".to_owned(),
    ];
    let declared = ".func (.param .b32 r) again(.param .b32 x);
        .func (.param .b32 r) twice(.param .b32 x);\n";
    let tables = ".global .align 8 .u64 table[5] = {twice, square, less, again, wide};\n";
    let text = text(&format!(
        "{body}
        {{ .param .b32 a; .param .b32 r; st.param.b32 [a], %r1; P: .callprototype (.param .b32 _) _ (.param .b32 _);
        call (r), %rd20, (a), P; ld.param.b32 %r2, [r]; }}
        cvt.u64.u32 %rd21, %r2; st.global.u64 [%rd6], %rd21;"
    ));
    text.replace(".visible", &format!("{declared}{tables}{}.visible", functions.concat()))
}

fn done(text: &str, threads: u32) -> Vec<u64> {
    let mut memory = scratch();
    match launch(text, threads, &mut memory, 1 << 20).unwrap() {
        Outcome::Done { .. } => memory.bytes[0]
            .chunks_exact(8)
            .take(threads as usize)
            .map(|word| u64::from_le_bytes(word.try_into().unwrap()))
            .collect(),
        other => panic!("{other:?}\n{text}"),
    }
}

fn ends(text: &str, threads: u32) -> TrapKind {
    match launch(text, threads, &mut scratch(), 1 << 20).unwrap() {
        Outcome::Trap(trap) => trap.kind,
        other => panic!("{other:?}\n{text}"),
    }
}

/// Each thread takes its own of the first so many functions of the table.
fn own(count: u32) -> String {
    format!(
        "rem.u32 %r3, %r1, {count}; mul.wide.u32 %rd10, %r3, 8; mov.u64 %rd11, table; add.s64 %rd12, %rd11, %rd10; ld.global.u64 %rd20, [%rd12];"
    )
}

#[test]
fn each_thread_calls_the_function_that_its_pointer_is_of() {
    for threads in [1, 31, 70] {
        let wanted: Vec<u64> = (0..u64::from(threads))
            .map(|x| match x % 3 {
                0 => 2 * x,
                1 => x * x,
                _ => x - 1,
            })
            .collect();
        assert_eq!(done(&module(&own(3)), threads), wanted);
    }
    assert_eq!(done(&module("mov.u64 %rd20, square;"), 5), [0, 1, 4, 9, 16]);
    // As generic addresses, chosen among, kept in local memory and in shared.
    let chosen = ".local .align 8 .b8 kept[16]; mov.u64 %rd22, twice; cvta.global.u64 %rd22, %rd22; mov.u64 %rd23, less;
        setp.gt.u32 %p1, %r1, 1; selp.b64 %rd24, %rd23, %rd22, %p1; st.local.u64 [kept+8], %rd24; ld.local.u64 %rd20, [kept+8];";
    assert_eq!(done(&module(chosen), 4), [0, 2, 1, 2]);
}

#[test]
fn a_virtual_function_is_that_of_the_object() {
    let object = ".global .align 8 .u64 vtable_a[3] = {0, 0, twice}; .global .align 8 .u64 vtable_b[3] = {0, 0, square};\n.visible";
    let body = ".local .align 8 .b8 object[16]; mov.u64 %rd10, vtable_a; cvta.global.u64 %rd11, %rd10; add.s64 %rd11, %rd11, 16;
        mov.u64 %rd12, vtable_b; cvta.global.u64 %rd13, %rd12; add.s64 %rd13, %rd13, 16;
        and.b32 %r3, %r1, 1; setp.eq.u32 %p1, %r3, 1; selp.b64 %rd14, %rd13, %rd11, %p1; st.local.u64 [object], %rd14;
        ld.local.u64 %rd15, [object]; ld.u64 %rd20, [%rd15];";
    let text = module(body).replacen(".visible", object, 1);
    assert_eq!(done(&text, 6), [0, 1, 4, 9, 8, 25]);
}

#[test]
fn a_pointer_to_no_such_function_traps() {
    for body in [
        "mov.u64 %rd20, 0;",
        "mov.u64 %rd20, table;",
        "mov.u64 %rd20, twice; add.s64 %rd20, %rd20, 1;",
        "mov.u64 %rd20, %rd1;",
        // Of other parameters.
        "mov.u64 %rd20, wide;",
        "mov.u64 %rd20, silent;",
        // It calls itself.
        "mov.u32 %r1, 1; mov.u64 %rd20, again;",
    ] {
        assert_eq!(ends(&module(body), 3), TrapKind::Trap, "{body}");
    }
    assert_eq!(done(&module("mov.u32 %r1, 0; mov.u64 %rd20, again;"), 1), [0]);
    // Nobody reads a function's instructions.
    assert_eq!(ends(&module("mov.u64 %rd20, twice; ld.global.u32 %r1, [%rd20];"), 3), TrapKind::OutOfBounds);
    assert_eq!(ends(&module("mov.u64 %rd20, twice; st.global.u32 [%rd20], %r1;"), 3), TrapKind::NotOwned);
}

#[test]
fn kernels_and_functions_without_a_body_have_no_address() {
    assert!(rejection(&module("mov.u64 %rd20, k;")).reason.contains("`k`"));
    let declared = module("mov.u64 %rd20, elsewhere;").replacen(".visible", ".func elsewhere();\n.visible", 1);
    assert!(rejection(&declared).reason.contains("`elsewhere`"));
    let held = module("ld.global.u64 %rd20, [others];").replacen(
        ".visible",
        ".func elsewhere();\n.global .align 8 .u64 others[1] = {elsewhere};\n.visible",
        1,
    );
    assert!(rejection(&held).reason.contains("holds the address of `elsewhere`"));
}

#[test]
fn a_destructor_that_nobody_calls_does_no_harm() {
    let destructor = ".extern .func free(.param .b64 p);
        .func destroy(.param .b64 x) { .reg .b64 %q<2>; ld.param.u64 %q1, [x];
        { .param .b64 a; st.param.b64 [a], %q1; call free, (a); } ret; }
        .global .align 8 .u64 vtable[2] = {twice, destroy};\n.visible";
    let text = module("ld.global.u64 %rd20, [vtable];").replacen(".visible", destructor, 1);
    assert_eq!(done(&text, 3), [0, 2, 4]);
    let called = text.replacen(
        "cvt.u64.u32 %rd21, %r2;",
        "ld.global.u64 %rd20, [vtable+8]; { .param .b64 a; st.param.b64 [a], %rd1; Q: .callprototype _ (.param .b64 _);
        call %rd20, (a), Q; } cvt.u64.u32 %rd21, %r2;",
        1,
    );
    assert_eq!(ends(&called, 3), TrapKind::Trap);
    let direct = text.replace("{twice, destroy}", "{twice, square}").replacen(
        "cvt.u64.u32 %rd21",
        "{ .param .b64 a; st.param.b64 [a], %rd1; call destroy, (a); }\ncvt.u64.u32 %rd21",
        1,
    );
    assert!(rejection(&direct).reason.contains("free"));
}

#[test]
fn a_guard_holds_for_calls_through_pointers() {
    let text = module(&format!("mov.u32 %r2, 77; setp.lt.u32 %p1, %r1, 2; {}", own(3))).replace(
        "call (r), %rd20, (a), P; ld.param.b32 %r2, [r];",
        "@%p1 call (r), %rd20, (a), P; @%p1 ld.param.b32 %r2, [r];",
    );
    assert_eq!(done(&text, 4), [0, 1, 77, 77]);
}
