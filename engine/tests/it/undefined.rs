//! Bytes that nobody has written, such as the padding of structures: they may be carried about, and nothing may depend on them.

use crate::support::{launch, passes, run, scratch, traps, words};
use assay_engine::{Outcome, TrapKind};

/// A structure of a byte and a word in shared memory at `%r9`, eight bytes for each thread, and one in local memory at `%r8`.
const PAIRS: &str = ".shared .align 8 .b8 s[1024]; .local .align 8 .b8 l[16]; mov.u32 %r8, l; mov.u32 %r9, s;
    mad.lo.u32 %r9, %r1, 8, %r9; add.u32 %r10, %r1, 100; mov.u64 %rd20, l; cvta.local.u64 %rd20, %rd20;
    mov.u64 %rd21, s; add.s64 %rd21, %rd21, %rd5; cvta.shared.u64 %rd21, %rd21;";
const LOCAL: &str = "st.local.u8 [%r8], %r1; st.local.u32 [%r8+4], %r10;";
const SHARED: &str = "st.shared.u8 [%r9], %r1; st.shared.u32 [%r9+4], %r10;";

fn uninitialised(body: &str) {
    traps(&format!("{PAIRS} {body}"), 40, TrapKind::Uninitialised);
}

#[test]
fn padding_is_copied_between_local_and_shared_memory() {
    let read = |memory: &str| {
        format!(
            "ld.{memory}.u8 %r11, [$a]; ld.{memory}.u32 %r12, [$a+4]; mad.lo.u32 %r11, %r11, 1000, %r12;
            cvt.u64.u32 %rd19, %r11; st.global.u64 [%rd6], %rd19;"
        )
    };
    let wanted: Vec<u64> = (0..40).map(|thread| thread * 1000 + thread + 100).collect();
    for copy in [
        "ld.local.u32 %r20, [%r8]; ld.local.u32 %r21, [%r8+4]; st.shared.u32 [%r9], %r20; st.shared.u32 [%r9+4], %r21;",
        "ld.local.u64 %rd10, [%r8]; st.shared.u64 [%r9], %rd10;",
        "ld.local.u64 %rd10, [%r8]; mov.b64 %rd11, %rd10; mov.b64 %rd12, %rd11; st.shared.u64 [%r9], %rd12;",
        "ld.local.v2.u32 {%r20, %r21}, [%r8]; st.shared.v2.u32 [%r9], {%r20, %r21};",
        "ld.v2.u32 {%r20, %r21}, [%rd20]; st.v2.u32 [%rd21], {%r20, %r21};",
        // By way of another copy.
        "ld.local.u64 %rd10, [%r8]; st.local.u64 [%r8+8], %rd10; ld.local.u64 %rd11, [%r8+8]; st.shared.u64 [%r9], %rd11;",
        // One of two.
        "mov.u64 %rd10, 0; setp.lt.u32 %p1, %r1, 64; @%p1 ld.local.u64 %rd10, [%r8]; st.shared.u64 [%r9], %rd10;",
        "@!%p3 bra B; mov.u64 %rd10, 0; bra C; B: ld.local.u64 %rd10, [%r8]; C: st.shared.u64 [%r9], %rd10;",
    ] {
        let body = format!("{PAIRS} setp.gt.u32 %p3, %r1, 64; {LOCAL} {copy} {}", read("shared").replace("$a", "%r9"));
        assert_eq!(words(&body, 40), wanted, "{copy}");
    }
    for copy in [
        "ld.shared.u64 %rd10, [%r9]; st.local.u64 [%r8], %rd10;",
        "ld.shared.v2.u32 {%r20, %r21}, [%r9]; st.local.v2.u32 [%r8], {%r20, %r21};",
        // Through a parameter.
        "ld.shared.u64 %rd10, [%r9]; { .param .align 8 .b8 q[8]; st.param.b64 [q], %rd10; ld.param.b64 %rd11, [q]; st.local.u64 [%r8], %rd11; }",
        "ld.u64 %rd10, [%rd21]; st.u64 [%rd20], %rd10;",
    ] {
        let body = format!("{PAIRS} {SHARED} {copy} {}", read("local").replace("$a", "%r8"));
        assert_eq!(words(&body, 40), wanted, "{copy}");
    }
    // A swap between threads, with a barrier.
    let swap = format!(
        "{PAIRS} {SHARED} xor.b32 %r30, %r1, 1; mov.u32 %r31, s; mad.lo.u32 %r30, %r30, 8, %r31; bar.sync 0;
        ld.shared.u64 %rd10, [%r30]; bar.sync 0; st.shared.u64 [%r9], %rd10; {}",
        read("shared").replace("$a", "%r9")
    );
    let swapped: Vec<u64> = (0..40).map(|thread| (thread ^ 1) * 1000 + (thread ^ 1) + 100).collect();
    assert_eq!(words(&swap, 40), swapped);
}

#[test]
fn what_was_copied_without_a_value_may_not_be_used() {
    let copy = "ld.local.u64 %rd10, [%r8]; st.shared.u64 [%r9], %rd10;";
    for usage in [
        "ld.shared.u8 %r11, [%r9+1]; add.u32 %r12, %r11, 1;",
        "ld.shared.u32 %r11, [%r9]; setp.eq.u32 %p1, %r11, 0;",
        "ld.shared.u32 %r11, [%r9]; st.global.u32 [%rd6], %r11;",
        "ld.shared.u64 %rd11, [%r9]; st.u64 [%rd6], %rd11;",
        "ld.shared.u64 %rd11, [%r9]; st.shared.u64 [%r9+512], %rd11; ld.shared.u32 %r11, [%r9+512]; st.global.u32 [%rd6], %r11;",
        "red.shared.add.u32 [%r9], 1;",
        "ld.shared.u32 %r11, [%r9];",
    ] {
        uninitialised(&format!("{LOCAL} {copy} {usage}"));
    }
    // The same of what was never copied.
    uninitialised("ld.local.u32 %r11, [%r8]; st.u32 [%rd6], %r11;");
    uninitialised("ld.shared.u32 %r11, [%r9]; st.u32 [%rd6], %r11;");
    uninitialised("ld.local.u32 %r11, [%r8]; st.shared.u32 [%r9], %r11; add.u32 %r12, %r11, 1;");
    // What has a value has it after the copy, too; and what is written over has one again.
    passes(&format!("{PAIRS} {LOCAL} {copy} ld.shared.u32 %r11, [%r9+4]; st.global.u32 [%rd6], %r11;"), 40);
    passes(
        &format!(
            "{PAIRS} {LOCAL} {copy} st.shared.u64 [%r9], %rd5; ld.shared.u32 %r11, [%r9]; st.global.u32 [%rd6], %r11;"
        ),
        40,
    );
    // A value that is overwritten by nothing is gone.
    uninitialised(&format!(
        "st.shared.u64 [%r9], %rd5; {LOCAL} {copy} ld.shared.u8 %r11, [%r9+1]; st.global.u8 [%rd6], %r11;"
    ));
}

#[test]
fn copies_of_undefined_bytes_race_like_others() {
    let races = |body: &str| {
        traps(
            &format!("{PAIRS} mov.u32 %r31, s; setp.eq.u32 %p1, %r1, 0; setp.eq.u32 %p2, %r1, 1; {body}"),
            40,
            TrapKind::Race,
        )
    };
    let sound = |body: &str| {
        run(&format!("{PAIRS} mov.u32 %r31, s; setp.eq.u32 %p1, %r1, 0; setp.eq.u32 %p2, %r1, 1; {body}"), 40);
    };
    let undefine = "ld.local.u32 %r20, [%r8]; @%p1 st.shared.u32 [%r31], %r20;";
    let define = "@%p2 st.shared.u32 [%r31], 7;";
    races(&format!("{undefine} {define}"));
    races(&format!("{define} {undefine}"));
    sound(&format!("{undefine} bar.sync 0; {define}"));
    sound(&format!("{define} bar.warp.sync -1; {undefine}").replace("-1", "0xffffffff"));
    // Who carries on what another one undefines.
    let carry = "@%p2 ld.shared.u32 %r21, [%r31]; @%p2 st.shared.u32 [%r31+64], %r21;";
    races(&format!("{define} bar.sync 0; {carry} {undefine}"));
    races(&format!("{carry} @%p1 st.shared.u32 [%r31], 7;"));
    sound(&format!("{define} bar.sync 0; {carry} bar.sync 0; {undefine}"));
}

#[test]
fn of_a_choice_only_what_is_chosen_needs_a_value() {
    // The register has a value only where the thread is below 8.
    let some = "setp.lt.u32 %p1, %r1, 8; @!%p1 bra L; mul.lo.u32 %r20, %r1, 3; mov.b64 %rd20, {%r20, %r20}; setp.gt.u32 %p2, %r1, 3; L:";
    let store = "cvt.u64.u32 %rd10, %r21; st.global.u64 [%rd6], %rd10;";
    let wanted: Vec<u64> = (0..40).map(|thread| if thread < 8 { 3 * thread } else { 5 }).collect();
    assert_eq!(words(&format!("{some} selp.b32 %r21, %r20, 5, %p1; {store}"), 40), wanted);
    assert_eq!(words(&format!("{some} not.pred %p3, %p1; selp.b32 %r21, 5, %r20, %p3; {store}"), 40), wanted);
    let wide = "selp.b64 %rd21, %rd20, 5, %p1; cvt.u32.u64 %r21, %rd21;";
    assert_eq!(words(&format!("{some} {wide} {store}"), 40), wanted);
    let uninitialised = |body: &str| traps(&format!("{some} {body} {store}"), 40, TrapKind::Uninitialised);
    uninitialised("selp.b32 %r21, 5, %r20, %p1;");
    uninitialised("setp.lt.u32 %p3, %r1, 9; selp.b32 %r21, %r20, 5, %p3;");
    uninitialised("selp.b32 %r21, %r20, %r20, %p1;");
    uninitialised("selp.b32 %r21, 1, 0, %p2;");
    uninitialised("@%p1 selp.b32 %r21, %r20, 5, %p1;");
}

#[test]
fn a_choice_carries_on_what_holds_no_value_as_a_copy_does() {
    // A register is kept from turn to turn before anything sets it; in the end all have.
    let looped = |body: &str, end: &str| {
        format!(
            "mov.u32 %r2, 0; L: mul.lo.u32 %r20, %r2, 3; setp.eq.u32 %p1, %r2, %r1; {body}
            add.u32 %r2, %r2, 1; setp.lt.u32 %p2, %r2, {end}; @%p2 bra L;
            cvt.u64.u32 %rd10, %r21; st.global.u64 [%rd6], %rd10;"
        )
    };
    let wanted: Vec<u64> = (0..40).map(|thread| 3 * thread).collect();
    for body in [
        "selp.b32 %r21, %r20, %r21, %p1;",
        "selp.b32 %r22, %r20, %r21, %p1; mov.u32 %r21, %r22;",
        "not.pred %p3, %p1; selp.b32 %r22, %r21, %r20, %p3; mov.u32 %r23, %r22; mov.u32 %r21, %r23;",
        "cvt.u64.u32 %rd20, %r20; selp.b64 %rd21, %rd20, %rd21, %p1; cvt.u32.u64 %r22, %rd20; selp.b32 %r21, %r22, %r21, %p1;",
    ] {
        assert_eq!(words(&looped(body, "40"), 40), wanted, "{body}");
        traps(&looped(body, "39"), 40, TrapKind::Uninitialised);
    }
    // Comparing it is no copy.
    traps(&looped("selp.b32 %r21, %r20, %r21, %p1; setp.eq.u32 %p4, %r21, 1;", "40"), 40, TrapKind::Uninitialised);
    // Neither is what another choice hangs on.
    let of_predicate = "setp.ne.u32 %p4, %r20, 0; selp.b32 %r21, %r20, 7, %p5; @%p1 mov.pred %p5, %p4;";
    traps(&looped(of_predicate, "40"), 40, TrapKind::Uninitialised);
}

#[test]
fn what_is_computed_ahead_of_a_choice_needs_no_value_unless_it_is_chosen() {
    // `%f20` and what follows of it have no value in the first turn, and are not chosen there.
    let looped = |ahead: &str, choose: &str| {
        format!(
            "mov.u32 %r2, 0; mov.f32 %f30, 0f00000000; L: setp.ne.u32 %p1, %r2, 0; {ahead} {choose}
            add.rn.f32 %f30, %f30, %f22; cvt.rn.f32.u32 %f20, %r2; mov.b32 %r20, %f20; cvt.f64.f32 %g20, %f20;
            add.u32 %r2, %r2, 1; setp.lt.u32 %p2, %r2, 4; @%p2 bra L;
            cvt.rzi.u64.f32 %rd10, %f30; st.global.u64 [%rd6], %rd10;"
        )
    };
    let choose = "selp.f32 %f22, %f21, 0f00000000, %p1;";
    for (ahead, wanted) in [
        ("add.rn.f32 %f21, %f20, %f20;", 6),
        ("mul.rn.f32 %f23, %f20, 0f40400000; mov.f32 %f24, %f23; add.rn.f32 %f21, %f24, %f20;", 12),
        ("add.rn.f32 %f20, %f20, 0f3F800000; fma.rn.f32 %f21, %f20, %f20, %f20;", 2 + 6 + 12),
        ("add.rn.f64 %g21, %g20, %g20; cvt.rn.f32.f64 %f21, %g21;", 6),
        ("shl.b32 %r21, %r20, 0; mov.b32 %f21, %r21;", 3),
        ("setp.eq.u32 %p3, %r1, %r1; @%p3 add.rn.f32 %f21, %f20, %f20;", 6),
    ] {
        assert_eq!(words(&looped(ahead, choose), 3), [wanted; 3], "{ahead}");
        traps(&looped(ahead, "selp.f32 %f22, %f21, %f21, %p1;"), 3, TrapKind::Uninitialised);
        traps(&looped(ahead, "selp.f32 %f22, 0f00000000, %f21, %p1;"), 3, TrapKind::Uninitialised);
        traps(&looped(ahead, "mov.f32 %f22, %f21;"), 3, TrapKind::Uninitialised);
        // Somebody else reads it.
        traps(&looped(&format!("{ahead} st.global.f32 [%rd7], %f21;"), choose), 3, TrapKind::Uninitialised);
        traps(&looped(&format!("{ahead} setp.gt.f32 %p4, %f21, %f21;"), choose), 3, TrapKind::Uninitialised);
    }
    // A value beside one that is absent makes none, whichever comes first.
    for ahead in [
        "add.rn.f32 %f21, %f30, %f20;",
        "add.rn.f32 %f21, %f20, %f30;",
        "mov.f32 %f21, %f30; add.rn.f32 %f21, %f20, %f21;",
    ] {
        assert_eq!(words(&looped(ahead, choose), 3), [4; 3], "{ahead}");
        traps(&looped(ahead, "selp.f32 %f22, 0f00000000, %f21, %p1;"), 3, TrapKind::Uninitialised);
    }
}

/// A function that is called with 0 and with 1, its body, what it gives in `%r4`.
fn called_twice(body: &str) -> String {
    format!(
        ".version 8.0\n.target sm_80\n.address_size 64
        .func (.param .b32 back) f(.param .b32 which) {{
        .reg .b32 %r<9>; .reg .pred %p<3>; .local .align 4 .b8 l[8];
        ld.param.u32 %r1, [which]; setp.ne.u32 %p1, %r1, 0;
        {body}
        st.param.b32 [back], %r4; ret; }}
        .visible .entry k(.param .u64 p0, .param .u64 p1, .param .u64 p2, .param .u64 p3) {{
        .reg .b32 %r<9>; .reg .b64 %rd<3>;
        ld.param.u64 %rd1, [p0];
        {{ .param .b32 a; .param .b32 b; st.param.b32 [a], 0; call.uni (b), f, (a); ld.param.b32 %r1, [b]; }}
        {{ .param .b32 a; .param .b32 b; st.param.b32 [a], 1; call.uni (b), f, (a); ld.param.b32 %r2, [b]; }}
        add.u32 %r3, %r1, %r2; mov.u32 %r4, %tid.x; mul.wide.u32 %rd2, %r4, 4; add.u64 %rd2, %rd2, %rd1;
        st.global.u32 [%rd2], %r3; ret; }}"
    )
}

#[test]
fn a_function_holds_nothing_of_the_call_before() {
    let ends = |body: &str| launch(&called_twice(body), 64, &mut scratch(), 1 << 20).unwrap();
    for body in [
        // The first call sets it, the second one reads it.
        "mov.u32 %r4, 7; @!%p1 mov.u32 %r2, 5; @%p1 add.u32 %r4, %r2, 1;",
        "mov.u32 %r4, 7; @!%p1 st.local.u32 [l], 5; @%p1 ld.local.u32 %r4, [l];",
        // A loop at the start of the function is no call.
        "mov.u32 %r3, 0; L: add.u32 %r3, %r3, 1; setp.lt.u32 %p2, %r3, 3; @%p2 bra L;
        mov.u32 %r4, 7; @!%p1 mov.u32 %r2, 5; @%p1 add.u32 %r4, %r2, 1;",
    ] {
        let outcome = ends(body);
        assert!(matches!(&outcome, Outcome::Trap(trap) if trap.kind == TrapKind::Uninitialised), "{outcome:?}\n{body}");
    }
    for body in [
        "mov.u32 %r2, 5; @%p1 mov.u32 %r2, 6; add.u32 %r4, %r2, 1;",
        "st.local.u32 [l], %r1; ld.local.u32 %r4, [l];",
        // Set in the first turn of a loop, read in the second.
        "mov.u32 %r3, 0; L: setp.eq.u32 %p2, %r3, 0; @%p2 mov.u32 %r2, 5; @!%p2 add.u32 %r4, %r2, 1;
        add.u32 %r3, %r3, 1; setp.lt.u32 %p2, %r3, 2; @%p2 bra L;",
    ] {
        let outcome = ends(body);
        assert!(matches!(outcome, Outcome::Done { .. }), "{outcome:?}\n{body}");
    }
}

#[test]
fn what_a_function_left_in_a_register_is_the_same_on_every_tier() {
    // A copy of what holds nothing, which nobody uses, shows in the digest.
    let outcome = launch(
        &called_twice(
            "mov.u32 %r3, %r2; mad.lo.u32 %r2, %r1, 5, 3; mul.lo.u32 %r4, %r2, %r2; xor.b32 %r4, %r4, 77;
            add.u32 %r4, %r4, %r2; setp.gt.u32 %p2, %r1, 9; @%p2 add.u32 %r4, %r4, %r3;",
        ),
        64,
        &mut scratch(),
        1 << 20,
    );
    assert!(matches!(outcome, Ok(Outcome::Done { .. })), "{outcome:?}");
}
