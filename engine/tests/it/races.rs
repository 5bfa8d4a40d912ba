use crate::support::{Buffers, passes, run_with, scratch, traps};
use assay_engine::{Outcome, TrapKind};

const SHARED: &str = ".shared .align 8 .b8 s[2048]; mov.u32 %r8, s; mad.lo.u32 %r9, %r1, 4, %r8;";

fn races(body: &str, threads: u32) {
    traps(&format!("{SHARED} {body}"), threads, TrapKind::Race);
}

fn sound(body: &str, threads: u32) {
    passes(&format!("{SHARED} {body}"), threads);
}

#[test]
fn writes_and_reads_of_other_threads_need_a_barrier_between() {
    let write = "st.shared.u32 [%r9], %r1;";
    let read = "xor.b32 %r10, %r1, 1; mad.lo.u32 %r11, %r10, 4, %r8; ld.shared.u32 %r12, [%r11];";
    sound(&format!("{write} bar.sync 0; {read}"), 128);
    races(&format!("{write} {read}"), 128);
    // Across warps only the block's barrier helps.
    let far = "xor.b32 %r10, %r1, 32; mad.lo.u32 %r11, %r10, 4, %r8; ld.shared.u32 %r12, [%r11];";
    sound(&format!("{write} bar.sync 0; {far}"), 128);
    races(&format!("{write} bar.sync 0; {write} bar.warp.sync 0xffffffff; {far}"), 128);
    sound(&format!("{write} bar.warp.sync 0xffffffff; {read}"), 128);
    // Reads before a write.
    races(&format!("{write} bar.sync 0; {read} st.shared.u32 [%r9], 5;"), 128);
    sound(&format!("{write} bar.sync 0; {read} bar.sync 0; st.shared.u32 [%r9], 5;"), 128);
}

#[test]
fn two_writes_to_a_byte_are_a_race_and_to_neighbours_are_not() {
    races("st.shared.u32 [%r8], %r1;", 2);
    races(
        "shr.u32 %r10, %r1, 5; mad.lo.u32 %r10, %r10, 0, %r8; setp.eq.u32 %p1, %r1, 0; setp.eq.or.u32 %p1, %r1, 40, %p1; @%p1 st.shared.u32 [%r10], %r1;",
        64,
    );
    sound("add.u32 %r10, %r8, %r1; st.shared.u8 [%r10], %r1;", 64);
    races("shr.u32 %r10, %r1, 1; add.u32 %r10, %r8, %r10; st.shared.u8 [%r10], %r1;", 64);
    // A thread may do with its own bytes as it likes.
    sound(
        "st.shared.u32 [%r9], 1; ld.shared.u32 %r10, [%r9]; st.shared.u32 [%r9], %r10; st.shared.u16 [%r9+2], 3;",
        64,
    );
}

#[test]
fn everybody_may_read_what_nobody_writes() {
    let fill = "setp.eq.u32 %p1, %r1, 0; @%p1 st.shared.u32 [%r8], 9; bar.sync 0;";
    sound(&format!("{fill} ld.shared.u32 %r10, [%r8];"), 256);
    races(&format!("{fill} ld.shared.u32 %r10, [%r8]; @%p1 st.shared.u32 [%r8], 8;"), 256);
    races(&format!("{fill} ld.shared.u32 %r10, [%r8]; setp.eq.u32 %p2, %r1, 255; @%p2 st.shared.u32 [%r8], 8;"), 256);
}

#[test]
fn a_tree_of_warp_barriers_is_sound_and_without_them_it_is_not() {
    let step = |offset: u32, sync: &str| {
        format!(
            "setp.lt.u32 %p1, %r1, {offset}; @%p1 ld.shared.u32 %r10, [%r9+{}]; @%p1 ld.shared.u32 %r11, [%r9];
             @%p1 add.u32 %r10, %r10, %r11; @%p1 st.shared.u32 [%r9], %r10; {sync}\n",
            offset * 4
        )
    };
    let tree = |sync: &str| {
        let mut body = format!("st.shared.u32 [%r9], %r1; {sync}\n");
        for offset in [16, 8, 4, 2, 1] {
            body += &step(offset, sync);
        }
        body
    };
    sound(&tree("bar.warp.sync -1;"), 32);
    races(&tree(""), 32);
}

#[test]
fn global_bytes_of_the_block_are_watched_as_well() {
    traps("st.global.u32 [%rd1], %r1;", 2, TrapKind::Race);
    passes(
        "st.global.u64 [%rd6], %rd5; bar.sync 0; xor.b32 %r2, %r1, 33; mul.wide.u32 %rd10, %r2, 8; add.s64 %rd10, %rd1, %rd10; ld.global.u64 %rd11, [%rd10];",
        64,
    );
    traps(
        "st.global.u64 [%rd6], %rd5; xor.b32 %r2, %r1, 33; mul.wide.u32 %rd10, %r2, 8; add.s64 %rd10, %rd1, %rd10; ld.global.u64 %rd11, [%rd10];",
        64,
        TrapKind::Race,
    );
    traps("ld.global.u64 %rd11, [%rd1+8]; st.global.u64 [%rd6], %rd11;", 64, TrapKind::Race);
    passes("ld.global.u64 %rd11, [%rd1+8]; bar.sync 0; st.global.u64 [%rd6], %rd11;", 64);
}

#[test]
fn reductions_of_one_kind_do_not_race_with_each_other() {
    let zero = "setp.eq.u32 %p1, %r1, 0; @%p1 st.shared.u32 [%r8], 0; bar.sync 0;";
    let read = "bar.sync 0; ld.shared.u32 %r10, [%r8]; cvt.u64.u32 %rd10, %r10; st.global.u64 [%rd6], %rd10;";
    let body = format!("{SHARED} {zero} atom.shared.add.u32 %r20, [%r8], %r1; {read}");
    assert!(crate::support::words(&body, 100).iter().all(|sum| *sum == 4950));
    let body = format!("{SHARED} {zero} red.shared.max.u32 [%r8], %r1; {read}");
    assert!(crate::support::words(&body, 100).iter().all(|most| *most == 99));
    races(&format!("{zero} red.shared.add.u32 [%r8], 1; red.shared.xor.b32 [%r8], 1;"), 64);
    races(&format!("{zero} red.shared.add.u32 [%r8], 1; ld.shared.u32 %r10, [%r8];"), 64);
    races(&format!("{zero} @%p1 st.shared.u32 [%r8], 3; red.shared.add.u32 [%r8], 1;"), 64);
}

#[test]
fn a_write_before_reductions_is_in_order_with_its_own_warp_only() {
    // Thread 0 writes, its warp meets; then its warp reduces, or thread 40 of another.
    let first = "setp.eq.u32 %p1, %r1, 0; @%p1 st.shared.u32 [%r8], 0; bar.warp.sync -1;";
    let own = "setp.lt.u32 %p2, %r1, 32; @%p2 red.shared.add.u32 [%r8], %r1;";
    let late = "setp.eq.u32 %p3, %r1, 5; @%p3 red.shared.add.u32 [%r8], %r1;";
    let other = "setp.eq.u32 %p4, %r1, 40; @%p4 red.shared.add.u32 [%r8], 1;";
    for before in [first, &first.replace("%r1, 0; @%p1 st", "%r1, 5; @%p1 st")] {
        sound(&format!("{before} {own} {late} bar.warp.sync -1; {late}"), 64);
        sound(&format!("{before} {own} bar.sync 0; {other}"), 64);
        races(&format!("{before} {own} {other}"), 64);
        races(&format!("{before} {late} {other}"), 64);
        races(&format!("{before} {other}"), 64);
        races(&format!("{before} {own} bar.warp.sync -1; {other}"), 64);
        // Several have written the same.
        let all = before.replace("@%p1 st", "setp.lt.u32 %p5, %r1, 32; @%p5 st");
        sound(&format!("{all} {own} {late}"), 64);
        races(&format!("{all} {own} {other}"), 64);
    }
    races(
        "setp.eq.u32 %p1, %r1, 0; @%p1 st.shared.u32 [%r8], 0; setp.lt.u32 %p2, %r1, 32; @%p2 red.shared.add.u32 [%r8], 1;",
        64,
    );
}

#[test]
fn a_barrier_that_some_threads_miss_is_a_fault() {
    traps("setp.lt.u32 %p1, %r1, 16; @!%p1 bra L; bar.sync 0; L: st.global.u64 [%rd6], %rd5;", 32, TrapKind::Barrier);
    traps("setp.lt.u32 %p1, %r1, 16; @%p1 bra L; bar.sync 0; bra M; L: bar.sync 0; M:", 32, TrapKind::Barrier);
    // A warp that waits at another barrier never comes.
    traps("setp.lt.u32 %p1, %r1, 32; @%p1 bra L; bar.sync 1; bra M; L: bar.sync 0; M:", 64, TrapKind::Barrier);
    // Uniform branches, and threads that are gone, do no harm.
    passes("setp.lt.u32 %p1, %r1, 64; @!%p1 bra L; bar.sync 0; L: st.global.u64 [%rd6], %rd5;", 64);
    passes("setp.ge.u32 %p1, %r1, 40; @%p1 bra L; bar.sync 0; st.global.u64 [%rd6], %rd5; L:", 64);
    passes("setp.ge.u32 %p1, %r1, 32; @%p1 bra L; bar.sync 0; L: bar.sync 0; ", 32);
    // Different barriers with one number are one barrier.
    passes("setp.lt.u32 %p1, %r1, 32; @%p1 bra L; bar.sync 0; bra M; L: bar.sync 0; M:", 64);
}

#[test]
fn order_independent_atomics_in_global_memory_need_an_owned_byte_and_an_unused_old_value() {
    let mut memory = scratch();
    memory.bytes[0][0..4].copy_from_slice(&5u32.to_le_bytes());
    memory.bytes[0][16..24].copy_from_slice(&u64::MAX.to_le_bytes());
    memory.bytes[0][24..28].copy_from_slice(&i32::MAX.to_le_bytes());
    let body = "add.s32 %r2, %r1, -50; cvt.s64.s32 %rd10, %r2;
        atom.global.add.u32 %r3, [%rd1], %r1;
        atom.or.b32 %r4, [%rd1+4], %r1;
        red.global.gpu.relaxed.max.s64 [%rd1+8], %rd10;
        atom.global.min.u64 %rd11, [%rd1+16], %rd5;
        atom.global.min.s32 %r5, [%rd1+24], %r2;
        atom.global.inc.u32 %r6, [%rd1+28], 0xffffffff;
        red.dec.u32 [%rd1+32], -1;
        atom.global.xor.b64 %rd12, [%rd1+40], %rd5;";
    let outcome = run_with(body, 100, &mut memory, 1 << 20);
    assert!(matches!(outcome, Outcome::Done { .. }), "{outcome:?}");
    let word = |at: usize| u32::from_le_bytes(memory.bytes[0][at..at + 4].try_into().unwrap());
    let double = |at: usize| u64::from_le_bytes(memory.bytes[0][at..at + 8].try_into().unwrap());
    assert_eq!(word(0), 5 + (0..100).sum::<u32>());
    assert_eq!(word(4), (0..100).fold(0, |all, each| all | each));
    assert_eq!(double(8), 49);
    assert_eq!(double(16), 0);
    assert_eq!(word(24) as i32, -50);
    assert_eq!(word(28), 100);
    assert_eq!(word(32), 100u32.wrapping_neg());
    assert_eq!(double(40), (0..100u64).fold(0, |all, each| all ^ (each * 8)));

    let mut foreign = Buffers { foreign: vec![0], ..scratch() };
    let Outcome::Trap(found) = run_with("red.global.add.u32 [%rd1], 1;", 1, &mut foreign, 1 << 20) else {
        panic!("a byte of another block");
    };
    assert_eq!((found.kind, found.address), (TrapKind::NotOwned, Some((0, 0))));
    traps("red.global.add.u32 [%rd1+8192], 1;", 1, TrapKind::OutOfBounds);
    traps("red.global.add.u32 [%rd1+2], 1;", 1, TrapKind::Misaligned);
    // Reading, writing and other reductions in between show the order.
    traps("red.global.add.u32 [%rd1], 1; ld.global.u32 %r2, [%rd1];", 2, TrapKind::Race);
    traps("red.global.add.u32 [%rd1], 1; red.global.xor.b32 [%rd1], 1;", 2, TrapKind::Race);
    traps("setp.eq.u32 %p1, %r1, 0; @%p1 st.global.u32 [%rd1], 1; red.global.add.u32 [%rd1], 1;", 2, TrapKind::Race);
    passes("red.global.add.u32 [%rd1], 1; bar.sync 0; ld.global.u32 %r2, [%rd1];", 64);
    passes("red.global.add.u32 [%rd1], 1; bar.sync 0; red.global.xor.b32 [%rd1], 1;", 64);
    // A generic address may lead to shared memory.
    passes(
        &format!(
            "{SHARED} st.shared.u32 [%r9], 0; bar.sync 0; cvt.u64.u32 %rd10, %r8; cvta.shared.u64 %rd10, %rd10; red.add.u32 [%rd10], 1;"
        ),
        64,
    );
}

/// More barriers than the shadow has times.
fn many(barrier: &str) -> String {
    format!(
        ".shared .align 4 .b8 s[256]; mov.u32 %r8, s; mad.lo.u32 %r9, %r1, 4, %r8; xor.b32 %r10, %r1, 1;
        mad.lo.u32 %r11, %r10, 4, %r8; xor.b32 %r12, %r1, 32; mad.lo.u32 %r13, %r12, 4, %r8;
        st.shared.u32 [%r9], %r1; bar.sync 0; st.shared.u32 [%r9], %r1; mov.u32 %r30, 0;
        L: {barrier}; add.u32 %r30, %r30, 1; setp.lt.u32 %p5, %r30, 70000; @%p5 bra L;"
    )
}

#[test]
fn very_many_barriers_change_nothing() {
    let stops = |body: &str, kind| match run_with(body, 64, &mut scratch(), 1 << 30) {
        Outcome::Trap(trap) => assert_eq!(trap.kind, kind, "{trap:?}\n{body}"),
        other => panic!("{other:?}\n{body}"),
    };
    let warp = many("bar.warp.sync 0xffffffff");
    passes(&format!("{warp} ld.shared.u32 %r2, [%r11];"), 64);
    stops(&format!("{warp} ld.shared.u32 %r2, [%r13];"), TrapKind::Race);
    stops(&format!("{warp} st.shared.u32 [%r9], %r1; ld.shared.u32 %r2, [%r11];"), TrapKind::Race);
    let block = many("bar.sync 0");
    passes(&format!("{block} ld.shared.u32 %r2, [%r13];"), 64);
    stops(&format!("{block} ld.shared.u32 %r2, [%r13]; st.shared.u32 [%r9], %r1;"), TrapKind::Race);
    let late = block.replace("st.shared.u32 [%r9], %r1;", "");
    stops(&format!("{late} ld.shared.u32 %r2, [%r9];"), TrapKind::Uninitialised);
}
