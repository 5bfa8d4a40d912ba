//! Each rule that makes an accepted kernel deterministic, by bodies that break it and by near misses that do not.

use crate::support::{Buffers, passes, run_with, scratch, text, traps};
use assay_engine::{Outcome, TrapKind};

const SHARED: &str = ".shared .align 16 .b8 s[4096]; mov.u32 %r8, s; mad.lo.u32 %r9, %r1, 4, %r8;";

fn races(body: &str, threads: u32) {
    traps(&format!("{SHARED} {body}"), threads, TrapKind::Race);
}

fn sound(body: &str, threads: u32) {
    passes(&format!("{SHARED} {body}"), threads);
}

fn uninitialised(body: &str, threads: u32) {
    traps(body, threads, TrapKind::Uninitialised);
}

#[test]
fn threads_may_write_the_same_value_and_nobody_may_see_when() {
    for (place, threads) in [("u32 [%r8]", 2), ("u32 [%r8]", 33), ("u8 [%r8+7]", 64)] {
        sound(&format!("st.shared.{place}, 1;"), threads);
        races(&format!("st.shared.{place}, %r1;"), threads);
        // What another thread wrote is read behind a barrier only.
        races(&format!("st.shared.{place}, 1; ld.shared.{};", place.replace(' ', " %r11, ")), threads);
        sound(&format!("st.shared.{place}, 1; bar.sync 0; ld.shared.{};", place.replace(' ', " %r11, ")), threads);
        races(&format!("st.shared.{place}, 1; setp.eq.u32 %p1, %r1, 1; @%p1 st.shared.{place}, 2;"), threads);
    }
    passes("st.global.u32 [%rd1], 1;", 2);
    traps("st.global.u32 [%rd1], %r1;", 2, TrapKind::Race);
    // One of them, or one after the other.
    sound("setp.eq.u32 %p1, %r1, 5; @%p1 st.shared.u32 [%r8], %r1;", 64);
    sound(
        "setp.lt.u32 %p1, %r1, 1; @%p1 st.shared.u32 [%r8], 1; bar.sync 0; setp.eq.u32 %p2, %r1, 9; @%p2 st.shared.u32 [%r8], 2;",
        64,
    );
}

#[test]
fn lockstep_orders_nothing_and_shuffles_need_no_order() {
    let own = "st.shared.u32 [%r9], %r1;";
    let next =
        "add.u32 %r10, %r1, 1; and.b32 %r10, %r10, 31; mad.lo.u32 %r10, %r10, 4, %r8; ld.shared.u32 %r11, [%r10];";
    races(&format!("{own} {next}"), 32);
    races(&format!("{own} membar.cta; {next}"), 32);
    races(
        &format!("{own} vote.sync.all.pred %p1, 1, -1; {next}")
            .replace("%p1, 1", "%p1, %p2")
            .replace(own, &format!("setp.eq.u32 %p2, 1, 1; {own}")),
        32,
    );
    sound(&format!("{own} bar.warp.sync -1; {next}"), 32);
    sound(&format!("{own} barrier.sync 0; {next}"), 32);
    // Half a warp's barrier does not order the other half.
    races(
        &format!(
            "{own} setp.lt.u32 %p1, %r1, 16; @%p1 bra A; bar.warp.sync 0xffff0000; bra B; A: bar.warp.sync 0xffff; B: {next}"
        ),
        32,
    );
    sound("shfl.sync.bfly.b32 %r10, %r1, 1, 31, -1; shfl.sync.down.b32 %r11, %r10, 4, 31, -1;", 32);
}

#[test]
fn bytes_are_told_apart_in_a_word_that_threads_share() {
    let byte = "add.u32 %r10, %r8, %r1; st.shared.u8 [%r10], %r1;";
    sound(byte, 1024);
    sound(&format!("{byte} ld.shared.u8 %r11, [%r10];"), 1024);
    races(&format!("{byte} and.b32 %r11, %r10, -4; ld.shared.u32 %r12, [%r11];"), 64);
    sound(&format!("{byte} bar.sync 0; and.b32 %r11, %r10, -4; ld.shared.u32 %r12, [%r11];"), 64);
    // A half-word over a byte of another thread.
    races("setp.eq.u32 %p1, %r1, 0; @%p1 st.shared.u16 [%r8], 1; @!%p1 st.shared.u8 [%r8+1], 1;", 2);
    sound("setp.eq.u32 %p1, %r1, 0; @%p1 st.shared.u16 [%r8], 1; @!%p1 st.shared.u8 [%r8+2], 1;", 2);
    // Vectors overlap by an element.
    races(
        "add.u32 %r11, %r1, 1; setp.eq.u32 %p1, %r1, 0; @%p1 st.shared.v4.u32 [%r8], {%r11, %r11, %r11, %r11}; @!%p1 st.shared.u32 [%r8+12], %r11;",
        2,
    );
    sound(
        "mov.u32 %r11, 1; setp.eq.u32 %p1, %r1, 0; @%p1 st.shared.v2.u32 [%r8], {%r11, %r11}; @!%p1 st.shared.u32 [%r8+8], %r11;",
        2,
    );
    // The same in global memory.
    passes("cvt.u64.u32 %rd10, %r1; add.s64 %rd11, %rd1, %rd10; st.global.u8 [%rd11], %r1;", 100);
    traps(
        "cvt.u64.u32 %rd10, %r1; add.s64 %rd11, %rd1, %rd10; st.global.u8 [%rd11], %r1; setp.eq.u32 %p1, %r1, 9; @%p1 ld.global.u32 %r10, [%rd1];",
        10,
        TrapKind::Race,
    );
}

#[test]
fn reads_are_in_order_with_reads_and_not_with_a_later_write() {
    let fill = "st.shared.u32 [%r9], %r1; bar.sync 0;";
    let all = "ld.shared.u32 %r10, [%r8]; ld.shared.v4.u32 {%r11, %r12, %r13, %r14}, [%r8+16];";
    sound(&format!("{fill} {all} {all}"), 1024);
    races(&format!("{fill} {all} setp.eq.u32 %p1, %r1, 5; @%p1 st.shared.u32 [%r8+20], 0;"), 64);
    // The only reader may write.
    sound(&format!("{fill} ld.shared.u32 %r10, [%r9]; st.shared.u32 [%r9], 7; ld.shared.u32 %r10, [%r9];"), 64);
    // Two readers of one warp, two of different warps, then one of them writes.
    for threads in [2, 33] {
        let last = threads - 1;
        races(
            &format!(
                "{fill} setp.eq.u32 %p1, %r1, 0; setp.eq.or.u32 %p2, %r1, {last}, %p1; @%p2 ld.shared.u32 %r10, [%r8+4]; @%p1 st.shared.u32 [%r8+4], 0;"
            ),
            threads,
        );
        races(
            &format!(
                "{fill} setp.eq.u32 %p1, %r1, 0; setp.eq.or.u32 %p2, %r1, {last}, %p1; @%p2 ld.shared.u32 %r10, [%r8+4]; @!%p1 st.shared.u32 [%r9], 0; @%p1 bra E; st.shared.u32 [%r8+4], 0; E:"
            ),
            threads,
        );
    }
    // Who reads a constant input while another block's part is written elsewhere does no harm.
    passes("ld.global.u32 %r10, [%rd2]; st.global.u64 [%rd6], %rd5;", 256);
}

#[test]
fn atomics_are_in_order_with_each_other_only() {
    let zero = "setp.eq.u32 %p1, %r1, 0; @%p1 st.shared.v2.u32 [%r8], {%r2, %r2}; bar.sync 0;";
    let with = |body: &str| format!("mov.u32 %r2, 0; {zero} {body}");
    sound(&with("red.shared.add.u32 [%r8], %r1; red.shared.add.u32 [%r8], 1; red.shared.max.u32 [%r8+4], %r1;"), 96);
    races(&with("red.shared.add.u32 [%r8], 1; @%p1 ld.shared.u32 %r10, [%r8];"), 2);
    races(&with("@%p1 ld.shared.u32 %r10, [%r8]; @!%p1 red.shared.add.u32 [%r8], 1;"), 64);
    races(&with("@!%p1 red.shared.add.u32 [%r8], 1; @%p1 st.shared.u32 [%r8], 1;"), 64);
    races(&with("@%p1 red.shared.and.b32 [%r8], 1; @!%p1 red.shared.or.b32 [%r8], 1;"), 2);
    sound(
        &with(
            "red.shared.and.b32 [%r8], 1; bar.sync 0; red.shared.or.b32 [%r8], 1; bar.sync 0; ld.shared.u32 %r10, [%r8];",
        ),
        64,
    );
    // A wider reduction over a narrower one.
    races(&with("mov.u64 %rd10, 1; @%p1 red.shared.add.u64 [%r8], %rd10; @!%p1 red.shared.add.u32 [%r8+4], 1;"), 2);
    traps(&format!("{SHARED} red.shared.add.u32 [%r8], 1;"), 4, TrapKind::Uninitialised);
}

#[test]
fn only_a_barrier_of_warps_orders_them() {
    let write = "st.shared.u32 [%r9], %r1;";
    let far = "xor.b32 %r10, %r1, 32; mad.lo.u32 %r10, %r10, 4, %r8; ld.shared.u32 %r11, [%r10];";
    for barrier in [
        "bar.sync 0;",
        "bar.sync 7;",
        "barrier.sync 15;",
        "bar.sync 1, 128;",
        "setp.eq.u32 %p1, 1, 1; bar.red.popc.u32 %r20, 0, %p1;",
    ] {
        sound(&format!("{write} {barrier} {far}"), 128);
    }
    for not in ["bar.warp.sync -1;", "membar.gl;", "fence.acq_rel.cta;", ""] {
        races(&format!("{write} bar.sync 0; {write} {not} {far}"), 128);
    }
    // Pairs of warps that meet at barriers of their own.
    let pairs = "shr.u32 %r12, %r1, 6; add.u32 %r12, %r12, 1; bar.sync %r12, 64;";
    sound(&format!("{write} {pairs}"), 128);
    sound(&format!("{write} bar.sync 0; {write} {pairs} {far}"), 128);
    races(&format!("{write} bar.sync 0; {write} {pairs} {}", far.replace("%r1, 32", "%r1, 64")), 128);
    sound(&format!("{write} {pairs} bar.sync 0; {far}"), 128);
    // Threads that have ended do not hold the others up, and their writes are in order.
    sound(&format!("{write} setp.ge.u32 %p1, %r1, 64; @%p1 exit; bar.sync 0; ld.shared.u32 %r10, [%r8+500];"), 128);
}

#[test]
fn barriers_must_be_reached_by_the_threads_they_are_for() {
    let apart = |then: &str, other: &str| {
        format!("setp.lt.u32 %p1, %r1, 7; @%p1 bra A; {then} bra B; A: {other} B: mov.u32 %r2, 0;")
    };
    traps(&apart("bar.sync 0;", ""), 32, TrapKind::Barrier);
    traps(&apart("", "bar.sync 0;"), 32, TrapKind::Barrier);
    traps(&apart("bar.sync 1;", "bar.sync 2;"), 32, TrapKind::Barrier);
    traps(&apart("bar.warp.sync -1; bar.sync 0;", "bar.warp.sync -1;"), 32, TrapKind::Barrier);
    passes(&apart("bar.warp.sync 0xffffff80;", "bar.warp.sync 0x7f;"), 32);
    passes(&format!("{} bar.sync 0;", apart("mov.u32 %r3, 0;", "mov.u32 %r3, 1;")), 32);
    // In a loop of different lengths.
    let turns = |count: &str| {
        format!("mov.u32 %r2, 0; {count} L: bar.sync 0; add.u32 %r2, %r2, 1; setp.lt.u32 %p1, %r2, %r3; @%p1 bra L;")
    };
    passes(&turns("mov.u32 %r3, 9;"), 96);
    traps(&format!("{} bar.warp.sync -1;", turns("and.b32 %r3, %r1, 3;")), 96, TrapKind::Barrier);
    // A member mask without the own lane, or with lanes that went elsewhere.
    traps("bar.warp.sync 0xfffe;", 16, TrapKind::Barrier);
    passes("bar.warp.sync -1;", 16);
    traps("bar.sync 16;".replace("16", "%r1").as_str(), 32, TrapKind::Barrier);
    traps("bar.sync 0, 0;", 32, TrapKind::Barrier);
}

#[test]
fn a_load_needs_every_byte_that_it_reads_padding_included() {
    // struct { char a; int b; }: what the fields do not cover was never written.
    let local = ".local .align 16 .b8 l[16]; mov.u32 %r9, l; st.local.u8 [%r9], 1; st.local.u32 [%r9+4], 2;";
    passes(&format!("{local} ld.local.u8 %r2, [%r9]; ld.local.u32 %r3, [%r9+4];"), 3);
    uninitialised(&format!("{local} ld.local.u64 %rd10, [%r9];"), 3);
    uninitialised(&format!("{local} ld.local.v2.u32 {{%r2, %r3}}, [%r9];"), 3);
    uninitialised(&format!("{local} ld.local.u8 %r2, [%r9+3];"), 3);
    passes(
        &format!("{local} st.local.u8 [%r9+1], 0; st.local.u16 [%r9+2], 0; ld.local.v2.u32 {{%r2, %r3}}, [%r9];"),
        3,
    );
    let shared = format!(
        "{SHARED} setp.eq.u32 %p1, %r1, 0; @%p1 st.shared.u8 [%r8], 1; @%p1 st.shared.u32 [%r8+4], 2; bar.sync 0;"
    );
    passes(&format!("{shared} ld.shared.u8 %r2, [%r8]; ld.shared.u32 %r3, [%r8+4];"), 40);
    uninitialised(&format!("{shared} ld.shared.v2.u32 {{%r2, %r3}}, [%r8];"), 40);
    uninitialised(&format!("{shared} ld.shared.u32 %r2, [%r9+8];"), 40);
    // Global memory always holds something.
    passes("ld.global.v4.u32 {%r2, %r3, %r4, %r5}, [%rd2];", 40);
    // Where a store was masked off, nothing was written.
    uninitialised(
        &format!("{SHARED} setp.lt.u32 %p1, %r1, 5; @%p1 st.shared.u32 [%r9], 1; ld.shared.u32 %r2, [%r9];"),
        6,
    );
    passes(
        &format!("{SHARED} setp.lt.u32 %p1, %r1, 5; @%p1 st.shared.u32 [%r9], 1; @%p1 ld.shared.u32 %r2, [%r9];"),
        6,
    );
}

#[test]
fn structures_passed_by_value_may_have_padding_that_nobody_reads() {
    let source = |read: &str| {
        text("{ .param .align 8 .b8 a[8]; st.param.b8 [a], 7; st.param.b32 [a+4], %r1; call.uni f, (a); } bra E; E:")
            .replace(
                ".visible",
                &format!(
                    ".func f(.param .align 8 .b8 a[8]) {{ .reg .b32 %x<4>; .reg .b64 %y<2>; {read} ret; }}\n.visible"
                ),
            )
    };
    let run = |read: &str| crate::support::launch(&source(read), 33, &mut scratch(), 1 << 20).unwrap();
    assert!(matches!(run("ld.param.b8 %x1, [a]; ld.param.b32 %x2, [a+4];"), Outcome::Done { .. }));
    assert!(matches!(run("ld.param.b64 %y1, [a];"), Outcome::Trap(trap) if trap.kind == TrapKind::Uninitialised));
}

#[test]
fn a_register_needs_a_value_on_the_path_that_reads_it() {
    let some = "setp.lt.u32 %p1, %r1, 2;";
    // Joins.
    uninitialised(&format!("{some} @%p1 bra A; bra B; A: mov.u32 %r2, 1; B: add.u32 %r3, %r2, 1;"), 4);
    passes(&format!("{some} @%p1 bra A; mov.u32 %r2, 2; bra B; A: mov.u32 %r2, 1; B: add.u32 %r3, %r2, 1;"), 4);
    passes(&format!("{some} @%p1 bra A; bra B; A: mov.u32 %r2, 1; B: @%p1 add.u32 %r3, %r2, 1;"), 4);
    uninitialised(&format!("{some} @%p1 bra A; bra B; A: mov.u32 %r2, 1; B: @!%p1 add.u32 %r3, %r2, 1;"), 4);
    // Nobody takes the path that lacks it.
    passes("setp.lt.u32 %p1, %r1, 99; @%p1 bra A; bra B; A: mov.u32 %r2, 1; B: add.u32 %r3, %r2, 1;", 4);
    // Loops: written in one turn, read in the next.
    let turns =
        |body: &str| format!("mov.u32 %r4, 0; L: {body} add.u32 %r4, %r4, 1; setp.lt.u32 %p3, %r4, 3; @%p3 bra L;");
    uninitialised(&turns("add.u32 %r5, %r2, 1; mov.u32 %r2, %r4;"), 4);
    passes(&turns("setp.gt.u32 %p2, %r4, 0; @%p2 add.u32 %r5, %r2, 1; mov.u32 %r2, %r4;"), 4);
    passes(&turns("setp.gt.u32 %p2, %r4, 0; @!%p2 bra S; add.u32 %r5, %r2, 1; S: mov.u32 %r2, %r4;"), 4);
    uninitialised(
        &turns("setp.gt.u32 %p2, %r4, 1; @%p2 add.u32 %r5, %r2, 1; setp.gt.u32 %p2, %r4, 2; @%p2 mov.u32 %r2, 0;"),
        4,
    );
    // Stores, addresses, predicates and wide registers are reads as well.
    uninitialised("st.global.u32 [%rd6], %r2;", 1);
    uninitialised("ld.global.u32 %r2, [%rd20];", 1);
    uninitialised("@%p5 mov.u32 %r2, 1;", 1);
    uninitialised("add.rn.f64 %g1, %g2, %g2;", 1);
    uninitialised("mov.u32 %r2, 1; selp.u32 %r3, %r2, %r2, %p5;", 1);
    uninitialised(&format!("{some} @%p1 mov.u64 %rd10, 1; shl.b64 %rd11, %rd10, 1;"), 4);
    // Guarded by both halves of a predicate; by different ones that cover all threads, too.
    passes(
        &format!("{some} @%p1 mov.u32 %r2, 1; @!%p1 mov.u32 %r2, 2; st.global.u64 [%rd6], %rd5; add.u32 %r3, %r2, 0;"),
        4,
    );
    passes(
        "setp.lt.u32 %p1, %r1, 2; setp.ge.u32 %p2, %r1, 1; @%p1 mov.u32 %r2, 1; @%p2 mov.u32 %r2, 2; add.u32 %r3, %r2, 0;",
        4,
    );
    // A shuffle takes the value of a lane that has one.
    uninitialised(&format!("{some} @%p1 mov.u32 %r2, 1; shfl.sync.idx.b32 %r3, %r2, 0, 31, -1;"), 32);
    // A copy of nothing is nothing, however often.
    passes(
        &format!("{some} @%p1 mov.u32 %r2, 1; mov.u32 %r3, %r2; mov.u32 %r4, %r3; bra N; N: @%p1 add.u32 %r5, %r4, 1;"),
        4,
    );
}

#[test]
fn a_block_keeps_to_its_bytes() {
    let run = |body: &str| {
        let mut memory = Buffers { foreign: vec![1, 2], ..scratch() };
        match run_with(body, 40, &mut memory, 1 << 20) {
            Outcome::Done { .. } => None,
            Outcome::Trap(trap) => Some((trap.kind, trap.address)),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(run("st.global.u64 [%rd6], %rd5;"), None);
    assert_eq!(run("ld.global.u64 %rd10, [%rd7]; ld.global.u64 %rd11, [%rd8+64];"), None);
    assert_eq!(
        run("setp.eq.u32 %p1, %r1, 33; @%p1 st.global.u64 [%rd7], %rd5;"),
        Some((TrapKind::NotOwned, Some((1, 264))))
    );
    assert_eq!(run("setp.gt.u32 %p1, %r1, 39; @%p1 st.global.u64 [%rd7], %rd5;"), None);
    assert_eq!(run("st.global.u64 [%rd6+7872], %rd5;"), None);
    assert_eq!(run("st.global.u64 [%rd6+7880], %rd5;"), Some((TrapKind::OutOfBounds, Some((0, 8192)))));
    assert_eq!(run("ld.global.u64 %rd10, [%rd1+-8];"), Some((TrapKind::OutOfBounds, Some((0, u64::MAX - 7)))));
    assert_eq!(run("ld.global.u16 %h1, [%rd2+3];"), Some((TrapKind::Misaligned, Some((1, 3)))));
    // The address of one buffer does not lead into another.
    assert_eq!(run("mov.u64 %rd10, 0x100000000000; add.s64 %rd11, %rd1, %rd10; ld.global.u32 %r2, [%rd11];"), None);
    assert_eq!(
        run("add.s64 %rd11, %rd1, 0x10000; ld.global.u32 %r2, [%rd11];"),
        Some((TrapKind::OutOfBounds, Some((0, 0x10000))))
    );
}

#[test]
fn fuel_ends_what_does_not_end() {
    for body in
        ["L: bra L;", "L: bar.sync 0; bra L;", "L: bar.warp.sync -1; bra L;", "setp.eq.u32 %p1, %r1, 3; L: @%p1 bra L;"]
    {
        traps(body, 40, TrapKind::FuelExhausted);
    }
    let switch = "mov.u32 %r2, 0; T: .branchtargets A, B; A: brx.idx %r2, T; B: bra A;";
    traps(switch, 40, TrapKind::FuelExhausted);
}
