use crate::support::{arguments, geometry, kernel, launch, passes, run_with, scratch, text, traps, words};
use assay_engine::{Outcome, TrapKind};

#[test]
fn nested_divergent_loops_give_each_thread_its_own_count() {
    let body = "
        mov.u32 %r2, 0; mov.u32 %r3, 0; and.b32 %r10, %r1, 7; shr.u32 %r11, %r1, 3;
        OUTER: setp.ge.u32 %p1, %r3, %r10; @%p1 bra DONE;
        mov.u32 %r4, 0;
        INNER: setp.ge.u32 %p2, %r4, %r11; @%p2 bra NEXT;
        add.u32 %r5, %r3, %r4; and.b32 %r5, %r5, 1; setp.eq.u32 %p3, %r5, 0;
        @%p3 bra EVEN; add.u32 %r2, %r2, 100; bra JOIN;
        EVEN: add.u32 %r2, %r2, 1;
        JOIN: add.u32 %r4, %r4, 1; bra INNER;
        NEXT: add.u32 %r3, %r3, 1; bra OUTER;
        DONE: cvt.u64.u32 %rd10, %r2; st.global.u64 [%rd6], %rd10;";
    let got = words(body, 96);
    for (thread, got) in got.into_iter().enumerate() {
        let mut wanted = 0;
        for outer in 0..thread & 7 {
            for inner in 0..thread >> 3 {
                wanted += if (outer + inner) % 2 == 0 { 1 } else { 100 };
            }
        }
        assert_eq!(got, wanted, "thread {thread}");
    }
}

#[test]
fn every_executed_instruction_of_an_active_thread_is_one_step() {
    // 9 instructions before the body, `ret` after it.
    let mut memory = scratch();
    let steps =
        |body: &str, threads: u32, memory: &mut crate::support::Buffers| match run_with(body, threads, memory, 1 << 30)
        {
            Outcome::Done { lane_steps, .. } => lane_steps,
            other => panic!("{other:?}"),
        };
    let base = steps("", 1, &mut memory);
    assert_eq!(base, 11);
    assert_eq!(steps("", 77, &mut memory), 77 * base);
    assert_eq!(steps("add.u32 %r2, %r1, 1;", 77, &mut memory), 77 * (base + 1));
    // A guard that does not hold still costs its step; a branch not taken lets the rest run.
    assert_eq!(steps("setp.eq.u32 %p1, %r1, 0; @%p1 add.u32 %r2, %r1, 1;", 40, &mut memory), 40 * (base + 2));
    let skip = "setp.lt.u32 %p1, %r1, 10; @%p1 bra L; add.u32 %r2, %r1, 1; add.u32 %r2, %r1, 2; L:";
    assert_eq!(steps(skip, 40, &mut memory), 40 * (base + 2) + 30 * 2);
    // One instruction is one step however many parts it has inside.
    let parts = "setp.eq.u32 %p3, %r1, 0; setp.lt.and.u32 %p1|%p2, %r1, 4, %p3; bfi.b64 %rd10, %rd5, %rd6, 3, 5; cvt.sat.u8.s64 %h1, %rd5;";
    assert_eq!(steps(parts, 8, &mut memory), 8 * (base + 4));
}

#[test]
fn an_instruction_of_few_threads_uses_the_fuel_of_eight() {
    let body = "setp.ge.u32 %p1, %r1, 3; @%p1 bra E; mov.u32 %r2, 0; mov.u32 %r2, 0; E:";
    let mut fuel = 0;
    // 10 instructions before the body, `ret` after it.
    for (threads, wanted) in [(1, 8 * 15), (8, 8 * 15), (9, 9 * 13 + 8 * 2), (40, 32 * 13 + 8 * 2 + 8 * 13)] {
        let ran = |fuel| matches!(run_with(body, threads, &mut scratch(), fuel), Outcome::Done { .. });
        let least = (fuel..).find(|fuel| ran(*fuel)).unwrap();
        assert_eq!(least, wanted, "{threads} threads");
        fuel = least - 1;
    }
}

#[test]
fn fuel_runs_out_exactly_at_the_cap() {
    let body = "mov.u32 %r2, 0; L: add.u32 %r2, %r2, 1; setp.lt.u32 %p1, %r2, 50; @%p1 bra L;";
    let mut memory = scratch();
    let Outcome::Done { lane_steps, .. } = run_with(body, 64, &mut memory, 1 << 30) else { panic!() };
    assert!(
        matches!(run_with(body, 64, &mut memory, lane_steps), Outcome::Done { lane_steps: again, .. } if again == lane_steps)
    );
    let Outcome::Trap(trap) = run_with(body, 64, &mut memory, lane_steps - 1) else { panic!() };
    assert_eq!(trap.kind, TrapKind::FuelExhausted);
    traps("L: bra L;", 3, TrapKind::FuelExhausted);
}

#[test]
fn indexed_branches_send_threads_to_their_targets() {
    let body = "
        and.b32 %r2, %r1, 3;
        T: .branchtargets A, B, C, A;
        brx.idx %r2, T;
        A: mov.u32 %r3, 11; bra.uni E;
        B: mov.u32 %r3, 22; bra.uni E;
        C: mov.u32 %r3, 33;
        E: cvt.u64.u32 %rd10, %r3; st.global.u64 [%rd6], %rd10;";
    let wanted = [11, 22, 33, 11];
    for (thread, got) in words(body, 50).into_iter().enumerate() {
        assert_eq!(got, wanted[thread & 3]);
    }
    traps(&body.replace("%r1, 3", "%r1, 7"), 8, TrapKind::OutOfBounds);
}

const CALLS: &str = ".version 8.0
.target sm_80
.address_size 64
.func (.param .b32 out) square(.param .b32 x)
{
    .reg .b32 %r<4>;
    ld.param.u32 %r1, [x];
    mul.lo.u32 %r2, %r1, %r1;
    st.param.b32 [out+0], %r2;
    ret;
}
.func (.param .align 8 .b8 out[16]) both(.param .align 8 .b8 x[16])
{
    .reg .b32 %r<9>; .reg .b64 %rd<4>; .reg .pred %p<2>;
    ld.param.u32 %r1, [x];
    ld.param.u64 %rd1, [x+8];
    setp.gt.u32 %p1, %r1, 5;
    @%p1 bra LARGE;
    {
        .param .b32 a; .param .b32 r;
        st.param.b32 [a+0], %r1;
        call.uni (r), square, (a);
        ld.param.b32 %r2, [r+0];
    }
    bra.uni OUT;
LARGE:
    mov.u32 %r2, 7;
OUT:
    add.s64 %rd2, %rd1, 1;
    st.param.b32 [out+0], %r2;
    st.param.b64 [out+8], %rd2;
    ret;
}
.visible .entry k(.param .u64 p0, .param .u64 p1, .param .u64 p2, .param .u64 p3)
{
    .reg .b32 %r<20>; .reg .b64 %rd<20>;
    ld.param.u64 %rd1, [p0];
    mov.u32 %r1, %tid.x;
    mul.wide.u32 %rd2, %r1, 8;
    add.s64 %rd3, %rd1, %rd2;
    {
        .param .align 8 .b8 a[16]; .param .align 8 .b8 r[16];
        st.param.b32 [a+0], %r1;
        st.param.b64 [a+8], %rd2;
        call.uni (r), both, (a);
        ld.param.b32 %r2, [r+0];
        ld.param.b64 %rd4, [r+8];
    }
    {
        .param .b32 a; .param .b32 r;
        st.param.b32 [a+0], %r2;
        call.uni (r), square, (a);
        ld.param.b32 %r3, [r+0];
    }
    cvt.u64.u32 %rd5, %r3;
    add.s64 %rd6, %rd5, %rd4;
    st.global.u64 [%rd3], %rd6;
    ret;
}";

#[test]
fn calls_pass_values_and_structures_and_return_under_divergence() {
    let mut memory = scratch();
    let outcome = launch(CALLS, 40, &mut memory, 1 << 20).unwrap();
    assert!(matches!(outcome, Outcome::Done { .. }), "{outcome:?}");
    for (thread, word) in memory.bytes[0].chunks_exact(8).take(40).enumerate() {
        let thread = thread as u64;
        let inner = if thread > 5 { 7 } else { thread * thread };
        assert_eq!(u64::from_le_bytes(word.try_into().unwrap()), inner * inner + thread * 8 + 1);
    }
}

#[test]
fn early_exits_leave_the_others_running() {
    let body = "
        setp.gt.u32 %p1, %r1, 20; @%p1 exit;
        setp.gt.u32 %p2, %r1, 10; @%p2 bra L;
        st.global.u64 [%rd6], %rd5; ret;
        L: mov.u64 %rd10, 5; st.global.u64 [%rd6], %rd10;";
    for (thread, got) in words(body, 64).into_iter().enumerate() {
        let wanted = match thread {
            0..=10 => thread as u64 * 8,
            11..=20 => 5,
            _ => 0,
        };
        assert_eq!(got, wanted);
    }
}

#[test]
fn trap_instructions_and_running_off_the_end_are_faults() {
    traps("setp.eq.u32 %p1, %r1, 3; @%p1 trap;", 8, TrapKind::Trap);
    passes("setp.eq.u32 %p1, %r1, 30; @%p1 trap;", 8);
    let source = text("").replace("ret;", "");
    let outcome = launch(&source, 1, &mut scratch(), 100).unwrap();
    assert!(matches!(outcome, Outcome::Trap(trap) if trap.kind == TrapKind::Trap));
}

#[test]
fn faults_name_the_line_and_the_thread() {
    let source = text("\nsetp.eq.u32 %p1, %r1, 37;\n@%p1 trap;\n");
    let line = source.lines().position(|line| line.contains("trap;")).unwrap() as u32 + 1;
    let kernel = kernel(&source);
    let mut shape = geometry(1);
    shape.block = [8, 4, 2];
    let outcome = kernel.run(&shape, &arguments(4), [0; 3], &mut scratch(), 1 << 20, None).unwrap();
    // %tid.x never is 37 here.
    assert!(matches!(outcome, Outcome::Done { .. }));
    let source = source.replace("mov.u32 %r1, %tid.x;", "mov.u32 %r50, %tid.x; mov.u32 %r51, %tid.y; mov.u32 %r52, %tid.z; mad.lo.u32 %r1, %r51, 8, %r50; mad.lo.u32 %r1, %r52, 32, %r1;");
    let kernel = crate::support::kernel(&source);
    let outcome = kernel.run(&shape, &arguments(4), [0; 3], &mut scratch(), 1 << 20, None).unwrap();
    let Outcome::Trap(trap) = outcome else { panic!("{outcome:?}") };
    assert_eq!((trap.kind, trap.line, trap.thread), (TrapKind::Trap, line, [5, 0, 1]));
}

#[test]
fn special_registers_describe_the_launch() {
    let body = "
        mov.u32 %r2, %ntid.x; mov.u32 %r3, %nctaid.y; mov.u32 %r4, %ctaid.x; mov.u32 %r5, %laneid; mov.u32 %r6, WARP_SZ;
        mov.u32 %r7, %lanemask_lt; popc.b32 %r7, %r7;
        mad.lo.u32 %r8, %r2, 1000, %r3; mad.lo.u32 %r8, %r8, 1000, %r4; cvt.u64.u32 %rd10, %r8;
        setp.ne.u32 %p1, %r5, %r7; @%p1 trap; setp.ne.u32 %p1, %r6, 32; @%p1 trap;
        st.global.u64 [%rd6], %rd10;";
    let kernel = kernel(&text(body));
    let mut memory = scratch();
    let shape = assay_engine::Geometry { grid: [9, 5, 1], block: [40, 1, 1], shared: 0 };
    let outcome = kernel.run(&shape, &arguments(4), [7, 2, 0], &mut memory, 1 << 20, None).unwrap();
    assert!(matches!(outcome, Outcome::Done { .. }), "{outcome:?}");
    assert_eq!(u64::from_le_bytes(memory.bytes[0][..8].try_into().unwrap()), 40_005_007);
}

#[test]
fn launches_that_cannot_start_are_refused() {
    use assay_engine::{Argument, Geometry, LaunchError};
    let kernel = kernel(&text(""));
    let mut memory = scratch();
    let mut run =
        |geometry: Geometry, args: &[Argument], cta| kernel.run(&geometry, args, cta, &mut memory, 1000, None);
    let good = geometry(32);
    assert_eq!(run(good, &arguments(3), [0; 3]), Err(LaunchError::ArgumentCount));
    let mut args = arguments(4);
    args[2] = Argument::Bytes(vec![0; 4]);
    assert_eq!(run(good, &args, [0; 3]), Err(LaunchError::Argument(2)));
    for block in [[0, 1, 1], [1025, 1, 1], [32, 33, 1], [1, 1, 65], [u32::MAX, u32::MAX, u32::MAX]] {
        assert_eq!(run(Geometry { block, ..good }, &arguments(4), [0; 3]), Err(LaunchError::Geometry));
    }
    assert_eq!(run(good, &arguments(4), [1, 0, 0]), Err(LaunchError::Geometry));
    assert_eq!(run(Geometry { shared: 1 << 20, ..good }, &arguments(4), [0; 3]), Err(LaunchError::Geometry));
    assert_eq!(run(Geometry { grid: [0, 1, 1], ..good }, &arguments(4), [0; 3]), Err(LaunchError::Geometry));
    assert!(run(good, &arguments(4), [0; 3]).is_ok());
}

#[test]
fn what_takes_long_to_interpret_counts_several_lane_steps() {
    let steps = |body: &str| {
        let start = ".shared .align 16 .b8 s[64]; mov.u32 %r1, s; mov.u32 %r2, 0; st.shared.u32 [%r1], %r2;";
        match run_with(&format!("{start} {body}"), 1, &mut scratch(), 1000) {
            Outcome::Done { lane_steps, .. } => lane_steps,
            other => panic!("{body}: {other:?}"),
        }
    };
    let bare = steps("");
    assert_eq!(steps("st.shared.u64 [%r1+8], %rd3;"), bare + 1);
    assert_eq!(steps("st.shared.v4.u32 [%r1], {%r2, %r2, %r2, %r2};"), bare + 2);
    assert_eq!(steps("red.shared.add.u32 [%r1], %r2;"), bare + 3);
    assert_eq!(steps("fma.rn.f16x2 %r2, %r2, %r2, %r2;"), bare + 2);
    // Beside an access of one byte the race detector keeps every byte apart.
    assert_eq!(steps("st.shared.u8 [%r1], %r2;"), bare + 1);
    assert_eq!(steps("st.shared.u8 [%r1], %r2; st.shared.u64 [%r1+8], %rd3;"), bare + 3);
    assert_eq!(steps("st.shared.u8 [%r1], %r2; st.shared.v2.u64 [%r1+16], {%rd3, %rd3};"), bare + 4);
    assert_eq!(
        steps(
            "st.shared.u8 [%r1], %r2; st.shared.v4.u32 [%r1], {%r2, %r2, %r2, %r2}; ld.shared.v4.u32 {%r2, %r3, %r4, %r5}, [%r1];"
        ),
        bare + 7
    );
}
