//! The order that barriers of a part of a warp or of a block make, and no more.

use crate::support::{passes, run_with, scratch, traps};
use assay_engine::{Outcome, TrapKind};

/// `%r9` is the thread's own cell, `%r5` its lane, `%r4` the mask of its half of the warp, `%r6` that of its quarter.
const START: &str = "
    .shared .align 8 .b8 s[2048]; mov.u32 %r8, s; mad.lo.u32 %r9, %r1, 4, %r8; and.b32 %r5, %r1, 31;
    and.b32 %r20, %r5, 16; shl.b32 %r4, 0xffff, %r20; and.b32 %r20, %r5, 24; shl.b32 %r6, 0xff, %r20;
    st.shared.u32 [%r9], 0; bar.sync 0;";
const WRITE: &str = "st.shared.u32 [%r9], %r1;";
const HALF: &str = "bar.warp.sync %r4;";
const QUARTER: &str = "bar.warp.sync %r6;";

fn races(body: &str, threads: u32) {
    traps(&format!("{START} {body}"), threads, TrapKind::Race);
}

fn sound(body: &str, threads: u32) {
    passes(&format!("{START} {body}"), threads);
}

/// Reads the cell of the thread whose number differs by these bits.
fn read(apart: u32) -> String {
    format!("xor.b32 %r10, %r1, {apart}; mad.lo.u32 %r11, %r10, 4, %r8; ld.shared.u32 %r12, [%r11];")
}

/// What only one thread does.
fn only(thread: u32, what: &str, label: &str) -> String {
    format!("setp.ne.u32 %p1, %r1, {thread}; @%p1 bra {label}; {what} {label}:")
}

/// A barrier of the lanes of a mask, which the others pass by.
fn lanes(mask: u32, label: &str) -> String {
    format!(
        "shr.u32 %r21, {mask}, %r5; and.b32 %r21, %r21, 1; setp.eq.u32 %p2, %r21, 0; @%p2 bra {label};
         bar.warp.sync {mask}; {label}:"
    )
}

/// A barrier of two warps, which the others pass by.
fn warps(one: u32, other: u32, id: u32, label: &str) -> String {
    format!(
        "shr.u32 %r21, %r1, 5; setp.eq.u32 %p2, %r21, {one}; @%p2 bra {label}_IN; setp.ne.u32 %p2, %r21, {other};
         @%p2 bra {label}; {label}_IN: bar.sync {id}, 64; {label}:"
    )
}

#[test]
fn a_barrier_of_half_a_warp_orders_that_half_and_no_more() {
    for threads in [32, 96] {
        sound(&format!("{WRITE} {HALF} {}", read(1)), threads);
        sound(&format!("{WRITE} {HALF} {}", read(15)), threads);
        races(&format!("{WRITE} {HALF} {}", read(16)), threads);
        races(&format!("{WRITE} {QUARTER} {}", read(8)), threads);
        sound(&format!("{WRITE} {QUARTER} {}", read(4)), threads);
    }
    races(&format!("{WRITE} {HALF} {}", read(32)), 64);
    // The other half takes no part at all.
    let half = |sync: &str| format!("setp.gt.u32 %p1, %r5, 15; @%p1 bra L; {WRITE} {sync} {} L:", read(1));
    sound(&half("bar.warp.sync 0xffff;"), 32);
    races(&half(""), 32);
}

#[test]
fn a_read_before_and_a_write_after_want_a_barrier_of_their_own() {
    let start = format!("{WRITE} bar.sync 0;");
    sound(&format!("{start} {} {HALF} {WRITE}", read(1)), 32);
    races(&format!("{start} {} {WRITE}", read(1)), 32);
    races(&format!("{start} {} {HALF} {WRITE}", read(16)), 32);
    races(&format!("{WRITE} {HALF} {} {WRITE}", read(1)), 32);
    sound(&format!("{WRITE} {HALF} {} {HALF} {WRITE} {HALF} {}", read(1), read(3)), 64);
    races(&format!("{HALF} {WRITE} {}", read(1)), 32);
}

#[test]
fn all_that_read_a_cell_must_be_in_order_with_who_writes_it() {
    // A tree of sixteen: two lanes read each cell.
    let step = |offset: u32, sync: &str| {
        format!(
            "setp.lt.u32 %p1, %r22, {offset}; @%p1 ld.shared.u32 %r10, [%r9+{}]; @%p1 ld.shared.u32 %r11, [%r9];
             @%p1 add.u32 %r10, %r10, %r11; {sync} @%p1 st.shared.u32 [%r9], %r10; {sync}\n",
            offset * 4
        )
    };
    let tree = |sync: &str| {
        let mut body = format!("and.b32 %r22, %r1, 15; {WRITE} {sync}\n");
        [8, 4, 2, 1].iter().for_each(|offset| body += &step(*offset, sync));
        body
    };
    sound(&tree(HALF), 64);
    races(&tree(QUARTER), 64);
    // One cell for each half, or for each four lanes, that all of its lanes read, neighbours or not.
    for cells in ["and.b32 %r23, %r1, 0xfff0;", "and.b32 %r23, %r1, 0xfff3;", "and.b32 %r23, %r1, 0xfffc;"] {
        let cell = format!("{cells} mad.lo.u32 %r24, %r23, 4, %r8; {WRITE} {HALF} ld.shared.u32 %r12, [%r24];");
        sound(&format!("{cell} {HALF} {WRITE}"), 64);
        races(&format!("{cell} {WRITE}"), 64);
        races(
            &format!("{cell} bar.warp.sync %r7; {WRITE}").replacen(
                "and.b32 %r23",
                "and.b32 %r20, %r5, 30; shl.b32 %r7, 3, %r20; and.b32 %r23",
                1,
            ),
            64,
        );
    }
    // All of the warp has read the first cell.
    let all = format!("{WRITE} bar.sync 0; ld.shared.u32 %r12, [%r8];");
    races(&format!("{all} {HALF} {}", only(0, WRITE, "L")), 32);
    sound(&format!("{all} bar.warp.sync -1; {}", only(0, WRITE, "L")), 32);
    // In warps of their own, or in both.
    races(&format!("{all} {HALF} {}", only(0, WRITE, "L")), 64);
}

#[test]
fn order_goes_on_through_a_third_and_only_forwards() {
    let (early, late) = (lanes(0b011, "A"), lanes(0b110, "B"));
    let write = only(0, WRITE, "W");
    let look = only(2, &read(2), "R");
    sound(&format!("{write} {early} {late} {look}"), 3);
    races(&format!("{write} {late} {early} {look}"), 3);
    races(&format!("{early} {write} {late} {look}"), 3);
    races(&format!("{write} {late} {look}"), 3);
    // The third's write, and then the first's.
    sound(&format!("{write} {early} {late} {}", only(2, "st.shared.u32 [%r8], 7;", "R")), 3);
    races(&format!("{write} {late} {early} {}", only(2, "st.shared.u32 [%r8], 7;", "R")), 3);
}

#[test]
fn masks_that_overlap_order_their_members_and_what_these_knew() {
    let two = format!("{WRITE} {QUARTER} {}", lanes(0x0ff0, "A"));
    let look = |thread: u32, apart: u32| format!("{two} {}", only(thread, &read(apart), "R"));
    for (thread, apart) in [(4, 8), (4, 11), (11, 15), (8, 8), (0, 7)] {
        sound(&look(thread, apart), 32);
    }
    for (thread, apart) in [(0, 8), (15, 15), (4, 20), (12, 8), (16, 16)] {
        races(&look(thread, apart), 32);
    }
}

#[test]
fn a_numbered_barrier_of_two_warps_orders_these_and_no_others() {
    let halves = "setp.lt.u32 %p1, %r1, 64; @%p1 bra A; bar.sync 2, 64; bra B; A: bar.sync 1, 64; B:";
    sound(&format!("{WRITE} {halves} {}", read(33)), 128);
    sound(&format!("{WRITE} {halves} {}", read(1)), 128);
    races(&format!("{WRITE} {halves} {}", read(64)), 128);
    races(&format!("{WRITE} {}", read(33)), 128);
    races(&format!("{halves} {WRITE} {}", read(33)), 128);
    races(&format!("{WRITE} {halves} {} {WRITE}", read(33)), 128);
    let again = halves.replace('A', "C").replace("B:", "D:").replace("bra B", "bra D");
    sound(&format!("{WRITE} {halves} {} {again} {WRITE}", read(33)), 128);
    // Both warps read one cell, and then one of them writes it.
    let cell = "and.b32 %r23, %r1, 64; mad.lo.u32 %r24, %r23, 4, %r8; ld.shared.u32 %r12, [%r24];";
    sound(&format!("{WRITE} {halves} {cell} {again} {WRITE}"), 128);
    races(&format!("{WRITE} {halves} {cell} {WRITE}"), 128);
    races(&format!("{WRITE} bar.sync 0; ld.shared.u32 %r12, [%r8]; {again} {WRITE}"), 128);
    // Global memory as well.
    let global = "st.global.u64 [%rd6], %rd5;";
    let look =
        "xor.b32 %r2, %r1, 33; mul.wide.u32 %rd10, %r2, 8; add.s64 %rd10, %rd1, %rd10; ld.global.u64 %rd11, [%rd10];";
    sound(&format!("{global} {halves} {look}"), 128);
    races(&format!("{global} {halves} {}", look.replace("33", "65")), 128);
}

#[test]
fn order_goes_from_warp_to_warp_by_numbered_barriers() {
    let (early, late) = (warps(0, 1, 1, "A"), warps(1, 2, 2, "B"));
    let write = only(5, WRITE, "W");
    let look = only(69, &read(64), "R");
    sound(&format!("{write} {early} {late} {look}"), 96);
    races(&format!("{write} {late} {early} {look}"), 96);
    races(&format!("{early} {write} {late} {look}"), 96);
    // A half of a warp learns no more from it than the warp.
    sound(&format!("{write} {early} {HALF} {}", only(38, &read(35), "R")), 96);
    races(&format!("{write} {early} {HALF} {look}"), 96);
}

#[test]
fn who_arrives_and_goes_on_gives_order_and_takes_none() {
    let meet = |before: &str, after: &str, then: &str| {
        format!(
            "setp.ge.u32 %p1, %r1, 64; @%p1 bra C; {before} bar.arrive 3, 128; {after} bra D; C: bar.sync 3, 128; {then} D:"
        )
    };
    sound(&meet(WRITE, "", &read(127)), 128);
    races(&meet("", WRITE, &read(127)), 128);
    races(&meet("", &read(127), WRITE), 128);
    // It exits; what it did after its arrival is not before the barrier.
    races(&meet("", WRITE, &read(64)), 128);
    // There and back, twice: the consumers say when the producers may write again.
    let rounds = |back: &str| {
        let produce = format!("{WRITE} bar.arrive 3, 128; {back}");
        let consume = format!("bar.sync 3, 128; {} bar.arrive 4, 128;", read(127));
        format!("setp.ge.u32 %p1, %r1, 64; @%p1 bra C; {produce} {produce} bra D; C: {consume} {consume} D:")
    };
    sound(&rounds("bar.sync 4, 128;"), 128);
    traps(&format!("{START} {}", rounds("")), 128, TrapKind::Barrier);
}

#[test]
fn a_number_that_others_use_at_the_same_time_is_a_fault() {
    let body = |between: &str| {
        format!(
            "setp.lt.u32 %p1, %r1, 64; @%p1 bra A; bar.sync 2, 64; {between} bar.sync 1, 64; bra B;
             A: bar.sync 1, 64; {between} B:"
        )
    };
    traps(&format!("{START} {}", body("")), 128, TrapKind::Barrier);
    sound(&body("bar.sync 0;"), 128);
    // More threads than the barrier is for: nobody knows who meets whom.
    sound(&format!("{WRITE} bar.sync 1, 64; {}", read(1)), 128);
    races(&format!("{WRITE} bar.sync 1, 64; {}", read(33)), 128);
}

#[test]
fn a_reduction_after_a_barrier_of_a_part_excludes_the_others() {
    let zero = only(0, "st.shared.u32 [%r8], 0;", "Z");
    let add = |thread: u32, label: &str| only(thread, "red.shared.add.u32 [%r8], 1;", label);
    sound(&format!("{zero} {HALF} {}", add(3, "A")), 32);
    races(&format!("{zero} {HALF} {}", add(17, "A")), 32);
    races(&format!("{zero} {HALF} {} {}", add(3, "A"), add(17, "B")), 32);
}

#[test]
fn very_many_barriers_of_parts_change_nothing() {
    let turns = |barrier: &str| {
        format!("mov.u32 %r30, 0; L: {barrier} add.u32 %r30, %r30, 1; setp.lt.u32 %p5, %r30, 70000; @%p5 bra L;")
    };
    let ends = |body: &str| run_with(&format!("{START} {body}"), 64, &mut scratch(), 1 << 30);
    let fine = |body: &str| assert!(matches!(ends(body), Outcome::Done { .. }), "{body}");
    let stops = |body: &str| match ends(body) {
        Outcome::Trap(trap) => assert_eq!(trap.kind, TrapKind::Race, "{trap:?}\n{body}"),
        other => panic!("{other:?}\n{body}"),
    };
    let many = turns(HALF);
    fine(&format!("bar.sync 0; {WRITE} {many} {}", read(1)));
    stops(&format!("bar.sync 0; {WRITE} {many} {}", read(16)));
    stops(&format!("bar.sync 0; {WRITE} {many} {}", read(32)));
    // Order that was made before the times became small, and what was done after it.
    let quarters = turns(QUARTER);
    fine(&format!("bar.sync 0; {WRITE} {HALF} {quarters} {}", read(8)));
    stops(&format!("bar.sync 0; {HALF} {WRITE} {quarters} {}", read(8)));
    fine(&format!("{WRITE} {HALF} {} {HALF} {quarters} {WRITE}", read(8)));
    stops(&format!("{WRITE} {HALF} {} {quarters} {WRITE}", read(8)));
    stops(&format!("{many} {WRITE} {}", read(1)));
    fine(&format!("{WRITE} bar.sync 0; {many} {}", read(32)));
}
