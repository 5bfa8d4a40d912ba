//! `cp.async`: copies that a thread starts and waits for.

use crate::support::{Buffers, launch, passes, rejection, run_with, scratch, text, traps};
use assay_engine::{Outcome, TrapKind};

/// Shared memory at `%r8`, 16 bytes of it for each thread at `%r9`; 16 bytes of the second buffer at `%rd20`.
const PLACES: &str =
    ".shared .align 16 .b8 s[2048]; mov.u32 %r8, s; mad.lo.u32 %r9, %r1, 16, %r8; mul.wide.u32 %rd20, %r1, 16;
    add.s64 %rd20, %rd2, %rd20; mul.wide.u32 %rd21, %r1, 16; add.s64 %rd21, %rd1, %rd21;";
const START: &str = "cp.async.cg.shared.global [%r9], [%rd20], 16;";
const WAIT: &str = "cp.async.wait_all;";

fn input() -> Buffers {
    let mut memory = scratch();
    for (at, byte) in memory.bytes[1].iter_mut().enumerate() {
        *byte = (at * 7 + at / 256 + 1) as u8;
    }
    memory
}

/// What 40 threads copy to the first buffer, 16 bytes each.
fn copied(body: &str) -> Vec<u8> {
    let mut memory = input();
    let body = format!(
        "{PLACES} {body} ld.shared.v4.u32 {{%r40, %r41, %r42, %r43}}, [%r9]; st.global.v4.u32 [%rd21], {{%r40, %r41, %r42, %r43}};"
    );
    let outcome = run_with(&body, 40, &mut memory, 1 << 24);
    assert!(matches!(outcome, Outcome::Done { .. }), "{outcome:?}\n{body}");
    memory.bytes[0][..640].to_vec()
}

fn faults(body: &str, kind: TrapKind) {
    traps(&format!("{PLACES} {body}"), 40, kind);
}

#[test]
fn copies_bring_their_bytes_and_fill_up_with_zeros() {
    let whole = input().bytes[1][..640].to_vec();
    let cut = |taken: usize| -> Vec<u8> {
        whole
            .chunks(16)
            .flat_map(|row| row.iter().enumerate().map(|(at, byte)| if at < taken { *byte } else { 0 }))
            .collect()
    };
    for body in [
        format!("{START} {WAIT}"),
        format!("{START} cp.async.commit_group; cp.async.wait_group 0;"),
        "cp.async.ca.shared.global [%r9], [%rd20], 8; cp.async.ca.shared::cta.global.L2::128B [%r9+8], [%rd20+8], 4;
            cp.async.ca.shared.global.L2::cache_hint [%r9+12], [%rd20+12], 4, %rd1; cp.async.wait_all;"
            .to_owned(),
        format!("cvt.u64.u32 %rd22, %r9; {} {WAIT}", START.replace("%r9", "%rd22")),
        format!("{} {WAIT}", START.replace("16;", "16, 16;")),
        format!("setp.lt.u32 %p1, %r1, 100; @%p1 {START} {WAIT}"),
        format!("setp.gt.u32 %p1, %r1, 100; {} {WAIT}", START.replace("16;", "16, %p1;")),
    ] {
        assert_eq!(copied(&body), whole, "{body}");
    }
    for taken in [0, 1, 3, 4, 7, 8, 15] {
        let body = format!("mov.u32 %r20, {taken}; {} {WAIT}", START.replace("16;", "16, %r20;"));
        assert_eq!(copied(&body), cut(taken), "{taken}");
    }
    let ignored = format!("setp.lt.u32 %p1, %r1, 100; {} {WAIT}", START.replace("16;", "16, %p1;"));
    assert_eq!(copied(&ignored), cut(0));
    // Nothing is read where nothing is taken.
    let far = format!("add.s64 %rd20, %rd20, 1048576; {} {WAIT}", START.replace("16;", "16, 0;"));
    assert_eq!(copied(&far), cut(0));
}

#[test]
fn a_wait_is_for_all_groups_but_the_last_ones() {
    // Two stages of a pipeline: group `n` brings 16 bytes to place `n`.
    let stage = |at: usize| {
        format!("cp.async.cg.shared.global [%r9+{}], [%rd20+{}], 16; cp.async.commit_group;", 640 * at, 640 * at)
    };
    let take =
        |at: usize| format!("ld.shared.u32 %r4{at}, [%r9+{}]; st.global.u32 [%rd6+{}], %r4{at};", 640 * at, 4 * at);
    let early = format!(
        "{PLACES} {} {} cp.async.wait_group 1; {} cp.async.wait_group 0; {}",
        stage(0),
        stage(1),
        take(0),
        take(1)
    );
    let mut memory = input();
    assert!(matches!(run_with(&early, 40, &mut memory, 1 << 20), Outcome::Done { .. }));
    for thread in 0..40 {
        let word = |buffer: usize, at: usize| memory.bytes[buffer][at..at + 4].to_vec();
        assert_eq!(word(0, 8 * thread), word(1, 16 * thread));
        assert_eq!(word(0, 8 * thread + 4), word(1, 16 * thread + 640));
    }
    for late in [
        format!("{} {} cp.async.wait_group 1; {}", stage(0), stage(1), take(1)),
        format!("{} {} cp.async.wait_group 2; {}", stage(0), stage(1), take(0)),
        // What is in no group yet is waited for by `wait_all` alone.
        format!("{START} cp.async.wait_group 0; {}", take(0)),
        format!("{START} {}", take(0)),
        format!("{START} cp.async.commit_group; {}", take(0)),
    ] {
        faults(&late, TrapKind::Uninitialised);
    }
    // An empty group counts.
    passes(&format!("{PLACES} {} cp.async.commit_group; cp.async.wait_group 1; {}", stage(0), take(0)), 40);
    // Groups are a thread's own.
    faults(
        &format!(
            "setp.lt.u32 %p1, %r1, 20; {} @%p1 cp.async.commit_group; cp.async.wait_group 1; {}",
            stage(0),
            take(0)
        ),
        TrapKind::Uninitialised,
    );
    // Nobody has to wait.
    passes(&format!("{PLACES} {START}"), 40);
}

#[test]
fn others_see_the_bytes_behind_a_barrier_after_the_wait() {
    let next =
        "xor.b32 %r20, %r1, 32; and.b32 %r20, %r20, 63; mad.lo.u32 %r20, %r20, 16, %r8; ld.shared.u32 %r21, [%r20];";
    let start = "cp.async.ca.shared.global [%r9], [%rd20], 4;";
    let with = |body: &str| format!("{PLACES} {body}");
    passes(&with(&format!("{start} {WAIT} bar.sync 0; {next}")), 64);
    traps(&with(&format!("{start} {WAIT} {next}")), 64, TrapKind::Uninitialised);
    traps(&with(&format!("{start} bar.sync 0; {next} {WAIT}")), 64, TrapKind::Uninitialised);
    traps(&with(&format!("{start} bar.sync 0; {WAIT} {next}")), 64, TrapKind::Uninitialised);
    // Bytes that were there before, too, and reads that come first.
    let filled = "st.shared.u32 [%r9], 5; bar.sync 0;";
    traps(&with(&format!("{filled} {start} {next} {WAIT}")), 64, TrapKind::Race);
    traps(&with(&format!("{filled} {next} {start} {WAIT}")), 64, TrapKind::Race);
    passes(&with(&format!("{filled} {next} bar.sync 0; {start} {WAIT}")), 64);
    // A read after the wait by one, and another wait by another without a barrier between.
    traps(&with(&format!("{filled} {start} {WAIT} {next}")), 64, TrapKind::Race);
}

#[test]
fn bytes_on_their_way_are_touched_by_nobody() {
    for touch in [
        "st.shared.u32 [%r9], 1;",
        "st.shared.u8 [%r9+15], 1;",
        "bar.sync 0; st.shared.u32 [%r9+4], 1; bar.sync 0;",
        "setp.eq.u32 %p1, %r1, 3; @%p1 st.shared.u32 [%r8+16], 1;",
        "bar.sync 0; setp.eq.u32 %p1, %r1, 3; @%p1 st.shared.u32 [%r8+16], 1; bar.sync 0;",
        START,
        "cp.async.ca.shared.global [%r9+4], [%rd20], 4;",
        "bar.sync 0; setp.eq.u32 %p1, %r1, 3; @%p1 cp.async.ca.shared.global [%r8+16], [%rd20], 4; bar.sync 0;",
    ] {
        faults(&format!("{START} {touch} {WAIT}"), TrapKind::Race);
    }
    faults(&format!("{START} red.shared.add.u32 [%r9], 1; {WAIT}"), TrapKind::Uninitialised);
    // Two threads to one place.
    faults(&format!("{} {WAIT}", START.replace("%r9", "%r8")), TrapKind::Race);
    // Undefined bytes over it.
    faults(
        &format!(
            ".local .align 4 .b8 l[4]; {START} bar.sync 0; ld.local.u32 %r20, [l]; st.shared.u32 [%r9], %r20; bar.sync 0; {WAIT}"
        ),
        TrapKind::Race,
    );
    passes(&format!("{PLACES} {START} {WAIT} st.shared.u32 [%r9], 1; {START} {WAIT} ld.shared.u32 %r20, [%r9];"), 40);
}

#[test]
fn what_a_copy_reads_stays_until_the_wait() {
    for change in [
        "st.global.u32 [%rd20], 1;",
        "bar.sync 0; st.global.u32 [%rd20+12], 1; bar.sync 0;",
        "bar.sync 0; setp.eq.u32 %p1, %r1, 3; @%p1 st.global.u32 [%rd2+16], 1; bar.sync 0;",
    ] {
        faults(&format!("{START} {change} {WAIT}"), TrapKind::Race);
    }
    passes(&format!("{PLACES} {START} {WAIT} st.global.u32 [%rd20], 1;"), 40);
    passes(&format!("{PLACES} st.global.u32 [%rd20], 1; {START} {WAIT}"), 40);
    // Another thread's bytes, without a barrier.
    faults(&format!("st.global.u32 [%rd2+16], %r1; {START} {WAIT}"), TrapKind::Race);
    faults(&format!("setp.eq.u32 %p1, %r1, 39; {START} {WAIT} @%p1 st.global.u32 [%rd2], 1;"), TrapKind::Race);
}

#[test]
fn addresses_and_sizes_are_checked() {
    faults("cp.async.cg.shared.global [%r9+4], [%rd20], 16;", TrapKind::Misaligned);
    faults("cp.async.cg.shared.global [%r9], [%rd20+8], 16;", TrapKind::Misaligned);
    faults("cp.async.cg.shared.global [%r9+2048], [%rd20], 16;", TrapKind::OutOfBounds);
    faults("cp.async.cg.shared.global [%r9], [%rd20+8192], 16;", TrapKind::OutOfBounds);
    faults("cp.async.cg.shared.global [%r9], [%rd20], 16, 17;", TrapKind::OutOfBounds);
    let mut memory = Buffers { missing: Some((1, 20)), ..input() };
    let outcome = launch(&text(&format!("{PLACES} {START}")), 40, &mut memory, 1 << 20);
    assert_eq!(outcome, Ok(Outcome::Incomplete { buffer: 1, offset: 20 }));
    for (body, part) in [
        ("cp.async.cg.shared.global [%r9], [%rd20], 12;", "4, 8 or 16"),
        ("cp.async.mbarrier.arrive.shared.b64 [%r9];", "asynchronous"),
        ("cp.async.bulk.commit_group;", "asynchronous"),
    ] {
        let found = rejection(&text(body));
        assert!(found.reason.contains(part), "{body}: {}", found.reason);
    }
}

#[test]
fn variables_of_the_module_are_copied_as_well() {
    let body = format!(
        "{PLACES} mov.u64 %rd20, table; cp.async.ca.shared.global [%r9], [%rd20+4], 4; {WAIT}
        ld.shared.u32 %r20, [%r9]; cvt.u64.u32 %rd10, %r20; st.global.u64 [%rd6], %rd10;"
    );
    let source = text(&body).replacen(".visible", ".global .align 4 .u32 table[2] = {10, 20}; .visible", 1);
    let mut memory = scratch();
    assert!(matches!(launch(&source, 3, &mut memory, 1 << 20), Ok(Outcome::Done { .. })));
    assert_eq!(memory.bytes[0][..8], 20u64.to_le_bytes());
}
