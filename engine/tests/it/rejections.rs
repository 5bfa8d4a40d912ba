use crate::support::{parse, rejection, text};

fn refused(instruction: &str, words: &str) {
    let source = text(&format!("\n{instruction}\n"));
    let line = source.lines().position(|line| line.starts_with(instruction)).unwrap() as u32 + 1;
    let found = rejection(&source);
    assert!(found.reason.contains(words), "{instruction}: {}", found.reason);
    assert_eq!(found.line, line, "{instruction}");
    assert!(!found.reason.is_empty() && !found.reason.contains('\n'));
}

#[test]
fn what_cannot_be_exact_is_refused_with_the_reason() {
    for (instruction, words) in [
        ("ex2.approx.f32 %f1, %f2;", "approximate"),
        ("lg2.approx.ftz.f32 %f1, %f2;", "approximate"),
        ("sin.approx.f32 %f1, %f2;", "approximate"),
        ("tanh.approx.f32 %f1, %f2;", "approximate"),
        ("rsqrt.approx.f32 %f1, %f2;", "approximate"),
        ("rcp.approx.ftz.f32 %f1, %f2;", "approximate"),
        ("div.approx.f32 %f1, %f2, %f3;", "approximate"),
        ("div.full.f32 %f1, %f2, %f3;", "approximate"),
        ("sqrt.approx.f32 %f1, %f2;", "approximate"),
        ("mul.f32 %f1, %f2, %f3; add.f32 %f4, %f4, %f1;", "--fmad=false"),
        ("mul.f64 %g1, %g2, %g3; sub.f64 %g4, %g4, %g1;", "--fmad=false"),
        ("mul.f16x2 %r1, %r2, %r3; add.f16 %h4, %h4, %h1;", "__hmul_rn"),
        ("mul.bf16 %h1, %h2, %h3; sub.bf16 %h4, %h4, %h1;", "__hmul_rn"),
        ("fma.f32 %f1, %f2, %f3, %f4;", "rounding"),
        ("div.f64 %g1, %g2, %g3;", "rounding"),
        ("atom.global.inc.u32 %r2, [%rd1], 7; st.global.u32 [%rd6], %r2;", "order"),
        ("atom.global.cas.b32 %r2, [%rd1], 1, 2; st.global.u32 [%rd6], %r2;", "order"),
        ("atom.exch.b64 %rd10, [%rd1], 1; st.global.u64 [%rd6], %rd10;", "order"),
        ("mov.u32 %r2, %envreg2;", "grid.sync"),
        ("atom.global.add.f32 %f1, [%rd1], %f2;", "floating-point"),
        ("red.shared.add.f32 [%r2], %f2;", "floating-point"),
        ("atom.shared.cas.b32 %r2, [%r3], 1, 2; st.global.u32 [%rd6], %r2;", "order"),
        ("atom.shared.exch.b32 %r2, [%r3], 1; st.global.u32 [%rd6], %r2;", "order"),
        ("mov.u32 %r2, %clock;", "clock"),
        ("mov.u64 %rd10, %globaltimer;", "clock"),
        ("mov.u32 %r2, %smid;", "hardware"),
        ("mov.u32 %r2, %warpid;", "hardware"),
        ("activemask.b32 %r2;", "schedule"),
        ("shfl.down.b32 %r2, %r3, 1, 31;", "_sync"),
        ("vote.ballot.b32 %r2, %p1;", "_sync"),
        ("tex.2d.v4.f32.f32 {%f1, %f2, %f3, %f4}, [t, {%f5, %f6}];", "texture"),
        ("cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes [%r2], [%rd1], 16, [%r3];", "asynchronous"),
        (
            "mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%f1, %f2, %f3, %f4}, {%r1, %r1, %r1, %r1}, {%r1, %r1}, {%f1, %f2, %f3, %f4};",
            "order",
        ),
        ("wmma.load.a.sync.aligned.row.m16n16k16.global.f16 {%r2}, [%rd1];", "mma.sync"),
        ("frobnicate.u32 %r2, %r3;", "not supported"),
        ("add.frob.u32 %r2, %r3, %r4;", ".frob"),
        ("add.u32 %r2, %rd3, 4;", "64 bits"),
        ("add.u32 %r2, %r3;", "operands"),
        ("add.u32 %r2, %nosuch, 1;", "not declared"),
        ("bra NOWHERE;", "does not exist"),
    ] {
        refused(instruction, words);
    }
}

#[test]
fn an_old_value_that_is_used_betrays_the_order() {
    let shared = ".shared .align 4 .b8 s[64];";
    let unused = text(&format!("{shared} atom.shared.add.u32 %r2, [s], 1;"));
    assert!(parse(&unused).entries[0].kernel.is_ok());
    let used =
        text(&format!("{shared}\natom.shared.add.u32 %r2, [s], 1;\nadd.u32 %r3, %r2, 1; st.global.u32 [%rd6], %r3;"));
    let found = rejection(&used);
    assert!(found.reason.contains("old value"), "{}", found.reason);
    assert_eq!(found.line, used.lines().position(|line| line.starts_with("atom")).unwrap() as u32 + 1);
    assert!(parse(&text("atom.global.add.u32 %r2, [%rd1], 1;")).entries[0].kernel.is_ok());
    let used = text("\natom.global.add.u32 %r2, [%rd1], 1;\nst.global.u32 [%rd6], %r2;");
    assert!(rejection(&used).reason.contains("old value"));
    // Code without optimisation moves it about before it drops it.
    let moved = "\natom.global.add.u32 %r2, [%rd1], 1;\nmov.b32 %r3, %r2; add.u32 %r4, %r3, 1; mov.b32 %r3, %r4;";
    assert!(parse(&text(moved)).entries[0].kernel.is_ok());
    // So does the leader of a warp, who adds for all of it.
    let handed = "\natom.global.add.u32 %r2, [%rd1], 1;\nshfl.sync.idx.b32 %r3, %r2, 0, 31, -1; add.u32 %r4, %r3, 1;";
    assert!(parse(&text(handed)).entries[0].kernel.is_ok());
    for use_of_it in [
        "st.global.u32 [%rd6], %r4;",
        "shfl.sync.idx.b32 %r5, %r4, 0, 31, -1; st.global.u32 [%rd6], %r5;",
        "shfl.sync.idx.b32 %r5, %r1, %r4, 31, -1;",
        "shfl.sync.idx.b32 %r5, %r1, 0, %r4, -1;",
        "shfl.sync.idx.b32 %r5|%p1, %r4, 0, 31, -1; @%p1 st.global.u32 [%rd6], 1;",
        "shfl.sync.idx.b32 %r5, %r4, %r4, 31, -1;",
    ] {
        let found = rejection(&text(&format!("{handed} {use_of_it}")));
        assert!(found.reason.contains("old value"), "{use_of_it}: {}", found.reason);
    }
    let branches = format!("{moved} setp.eq.u32 %p1, %r3, 0; @%p1 bra OUT; OUT:");
    assert!(rejection(&text(&branches)).reason.contains("old value"));
    let guards = format!("{moved} setp.eq.u32 %p1, %r3, 0; @%p1 st.global.u32 [%rd6], 1;");
    assert!(rejection(&text(&guards)).reason.contains("old value"));
}

#[test]
fn each_entry_is_judged_alone_and_the_source_line_is_named() {
    let source = "
.version 8.0
.target sm_80
.address_size 64
.entry good() { ret; }
.entry bad()
{
.reg .f32 %f<4>;
.loc 1 17 3
mov.f32 %f1, 0f3F800000;
.loc 1 42 9
sin.approx.f32 %f2, %f1;
ret;
}
.file 1 \"waves.cu\"
";
    let module = parse(source);
    assert!(module.entry("good").unwrap().kernel.is_ok());
    let rejection = module.entry("bad").unwrap().kernel.as_ref().err().unwrap();
    assert_eq!(rejection.source, Some(("waves.cu".to_owned(), 42)));
    assert_eq!(rejection.line, 12);
}

#[test]
fn recursion_and_undefined_functions_are_refused() {
    let module = |calls: &str| {
        format!(
            ".version 8.0 .target sm_80 .address_size 64
            .func a() {{ {calls} ret; }}
            .func b() {{ call a; ret; }}
            .entry k() {{ call b; ret; }}"
        )
    };
    assert!(parse(&module("")).entries[0].kernel.is_ok());
    assert!(rejection(&module("call b;")).reason.contains("recursion"));
    assert!(rejection(&module("call a;")).reason.contains("recursion"));
    assert!(rejection(&module("call nosuch;")).reason.contains("nosuch"));
}

#[test]
fn sizes_beyond_the_limits_are_refused() {
    assert!(rejection(&text(".shared .align 4 .b8 s[98305];")).reason.contains("shared"));
    assert!(parse(&text(".shared .align 4 .b8 s[98304];")).entries[0].kernel.is_ok());
    assert!(rejection(&text(".local .align 4 .b8 s[70000];")).reason.contains("local"));
    let huge = text("ld.const.u32 %r2, [t];").replace(".visible", ".const .align 4 .b8 t[99999999999];\n.visible");
    assert!(rejection(&huge).reason.contains("bytes"));
}

#[test]
fn an_old_value_that_functions_pass_on_and_nobody_reads_does_no_harm() {
    let module = |inner: &str, outer: &str| {
        format!(
            ".version 8.0 .target sm_80 .address_size 64
            .func (.param .b32 r0) once(.param .b64 a, .param .b32 v) {{
            .reg .b32 %r<9>; .reg .b64 %rd<9>; .reg .pred %p<3>;
            ld.param.u64 %rd1, [a]; ld.param.u32 %r1, [v]; atom.add.u32 %r2, [%rd1], %r1; mov.b32 %r3, %r2; {inner}
            st.param.b32 [r0+0], %r3; ret; }}
            .func (.param .b32 r0) twice(.param .b64 a, .param .b32 v) {{
            .reg .b32 %r<9>; .reg .b64 %rd<9>;
            ld.param.u64 %rd1, [a]; ld.param.u32 %r1, [v];
            {{ .param .b64 a0; .param .b32 a1; .param .b32 q; st.param.b64 [a0], %rd1; st.param.b32 [a1], %r1;
            call.uni (q), once, (a0, a1); ld.param.b32 %r2, [q+0]; }}
            {{ .param .b64 a0; .param .b32 a1; .param .b32 q; st.param.b64 [a0], %rd1; st.param.b32 [a1], %r1;
            call.uni (q), once, (a0, a1); ld.param.b32 %r3, [q+0]; }}
            add.u32 %r4, %r2, %r3; st.param.b32 [r0], %r4; ret; }}
            .entry k(.param .u64 p0, .param .u64 p1, .param .u64 p2, .param .u64 p3) {{
            .reg .b32 %r<9>; .reg .b64 %rd<9>; .reg .pred %p<3>; ld.param.u64 %rd1, [p0]; mov.u32 %r1, %tid.x;
            {{ .param .b64 a0; .param .b32 a1; .param .b32 q; st.param.b64 [a0], %rd1; st.param.b32 [a1], %r1;
            call.uni (q), twice, (a0, a1); ld.param.b32 %r2, [q+0]; }}
            {outer} ret; }}"
        )
    };
    let mut memory = crate::support::scratch();
    let outcome = crate::support::launch(&module("", ""), 40, &mut memory, 1 << 20);
    assert!(matches!(outcome, Ok(assay_engine::Outcome::Done { .. })), "{outcome:?}");
    assert_eq!(memory.bytes[0][..4], (2 * 39 * 40 / 2u32).to_le_bytes());
    for (inner, outer) in [
        ("", "st.global.u32 [%rd1+8], %r2;"),
        ("", "setp.eq.u32 %p1, %r2, 0; @%p1 trap;"),
        ("setp.eq.u32 %p1, %r2, 0; @%p1 mov.u32 %r3, 7; @%p1 trap;", ""),
        ("st.global.u32 [%rd1+8], %r3;", ""),
        // Who takes the address of a parameter may read it by that.
        ("", "{ .param .b32 z; mov.u32 %r3, z; }"),
    ] {
        let found = rejection(&module(inner, outer));
        assert!(found.reason.contains("old value"), "{inner} {outer}: {}", found.reason);
    }
    assert!(parse(&module("add.u32 %r3, %r2, 1;", "mov.b32 %r3, %r2; add.u32 %r4, %r3, 1;")).entries[0].kernel.is_ok());
}
