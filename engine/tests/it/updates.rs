//! Atomics that come out the same in any order because all of them are the same: counters with a bound, compare-and-swap.

use crate::support::{Buffers, rejection, run_with, scratch, text, traps, words};
use assay_engine::{Outcome, TrapKind};

/// Old values of a cell, below, at and above the bounds that the tests use.
const OLD: [u32; 8] = [0, 1, 5, 6, 7, 8, 0x7fff_ffff, u32::MAX];

/// The last value of a cell that `threads` threads change in turn.
fn after(threads: u32, old: u32, change: impl Fn(u32) -> u32) -> u32 {
    (0..threads).fold(old, |value, _| change(value))
}

/// Every thread changes all cells; gives the cells.
fn cells(instruction: &str, threads: u32) -> Vec<u32> {
    let mut memory = scratch();
    let mut body = String::new();
    for (place, old) in OLD.iter().enumerate() {
        memory.bytes[0][8 * place..][..4].copy_from_slice(&old.to_le_bytes());
        body += &instruction.replace("CELL", &format!("[%rd1+{}]", 8 * place));
    }
    let outcome = run_with(&body, threads, &mut memory, 1 << 24);
    assert!(matches!(outcome, Outcome::Done { .. }), "{outcome:?}\n{body}");
    let word = |place: usize| u32::from_le_bytes(memory.bytes[0][8 * place..][..4].try_into().unwrap());
    (0..OLD.len()).map(word).collect()
}

#[test]
fn counters_with_one_bound_wrap_as_often_as_threads_came() {
    for bound in [0u32, 1, 5, 7, 100, 0x8000_0000, u32::MAX] {
        for threads in [1, 33, 100] {
            let up = |value: u32| if value >= bound { 0 } else { value + 1 };
            let down = |value: u32| if value == 0 || value > bound { bound } else { value - 1 };
            let expected = |change: &dyn Fn(u32) -> u32| OLD.map(|old| after(threads, old, change)).to_vec();
            assert_eq!(cells(&format!("red.global.inc.u32 CELL, {bound};"), threads), expected(&up));
            assert_eq!(cells(&format!("atom.global.dec.u32 %r9, CELL, {bound};"), threads), expected(&down));
            let register = format!("mov.u32 %r8, {bound}; add.u32 %r8, %r8, %r1; sub.u32 %r8, %r8, %r1;");
            assert_eq!(cells(&format!("{register} atom.inc.u32 %r9, CELL, %r8;"), threads), expected(&up));
        }
    }
}

#[test]
fn the_same_swap_by_many_threads_is_one_swap() {
    for (from, to) in [(5u32, 9u32), (0, 0), (u32::MAX, 1), (3, 4)] {
        let swap = |value: u32| if value == from { to } else { value };
        let found = cells(&format!("atom.global.cas.b32 %r9, CELL, {from}, {to};"), 64);
        assert_eq!(found, OLD.map(|old| after(64, old, swap)).to_vec());
    }
    let wide = "shl.b64 %rd10, %rd5, 30; st.global.u64 [%rd6], %rd10; atom.global.cas.b64 %rd11, [%rd6], %rd10, %rd5;
        atom.global.cas.b64 %rd11, [%rd6], %rd10, %rd5;";
    assert_eq!(words(wide, 40), (0..40).map(|thread| 8 * thread).collect::<Vec<u64>>());
    let short = "cvt.u16.u32 %h1, %r1; mov.b16 %h2, 700; st.global.u64 [%rd6], %rd5; shl.b16 %h1, %h1, 3;
        atom.global.cas.b16 %h3, [%rd6], %h1, %h2;";
    assert_eq!(words(short, 40), vec![700; 40]);
    let shared = ".shared .align 4 .b8 s[4]; setp.eq.u32 %p1, %r1, 0; @%p1 st.shared.u32 [s], 3; bar.sync 0;
        atom.shared.cas.b32 %r9, [s], 3, 8; bar.sync 0; ld.shared.u32 %r8, [s]; cvt.u64.u32 %rd10, %r8; st.global.u64 [%rd6], %rd10;";
    assert_eq!(words(shared, 96), vec![8; 96]);
}

#[test]
fn different_changes_of_one_cell_need_a_barrier() {
    let raced = |body: &str| traps(body, 64, TrapKind::Race);
    raced("atom.global.inc.u32 %r9, [%rd1], %r1;");
    raced("red.global.inc.u32 [%rd1], 7; red.global.dec.u32 [%rd1], 7;");
    raced("red.global.inc.u32 [%rd1], 7; red.global.add.u32 [%rd1], 1;");
    raced("red.global.inc.u32 [%rd1], 7; red.global.inc.u32 [%rd1], 6;");
    raced("red.global.inc.u32 [%rd1], 7; ld.global.u32 %r8, [%rd1];");
    raced("atom.global.cas.b32 %r9, [%rd1], 0, %r1;");
    raced("atom.global.cas.b32 %r9, [%rd1], %r1, 0;");
    raced("atom.global.cas.b32 %r9, [%rd1], 0, 1; st.global.u32 [%rd1], 1;");
    raced("atom.global.cas.b32 %r9, [%rd1], 0, 1; atom.global.cas.b64 %rd9, [%rd1], 0, 1;");
    let passes = |body: &str| {
        words(body, 64);
    };
    passes(
        "red.global.inc.u32 [%rd1], 7; bar.sync 0; red.global.dec.u32 [%rd1], 7; bar.sync 0; ld.global.u32 %r8, [%rd1];",
    );
    passes("red.global.inc.u32 [%rd1], 7; red.global.inc.u32 [%rd1+4], 6; atom.global.cas.b32 %r9, [%rd1+8], 0, 1;");
    passes(
        "atom.global.cas.b32 %r9, [%rd6], %r1, 5; bar.warp.sync -1; red.global.dec.u32 [%rd6+4], %r1; st.global.u32 [%rd9], 1;",
    );
}

#[test]
fn more_different_changes_than_are_told_apart_need_an_order() {
    // Each thread makes 400 changes of its own, each with a bound of its own; then all make the same one.
    let many =
        "mov.u32 %r20, 0; mad.lo.u32 %r22, %r1, 1000, 8; L: add.u32 %r21, %r22, %r20; red.global.inc.u32 [%rd6], %r21; bar.sync 0;
        add.u32 %r20, %r20, 1; setp.lt.u32 %p1, %r20, 400; @%p1 bra L;";
    assert_eq!(words(many, 64)[..2], [400, 400]);
    traps(&format!("{many} red.global.inc.u32 [%rd1+4096], 3;"), 64, TrapKind::Race);
}

#[test]
fn a_change_wants_owned_bytes_and_an_old_value_that_nobody_uses() {
    for used in [
        "atom.global.inc.u32 %r9, [%rd1], 7; st.global.u32 [%rd6], %r9;",
        "atom.global.cas.b32 %r9, [%rd1], 0, 1; setp.eq.u32 %p1, %r9, 0; @%p1 bra L; trap; L:",
    ] {
        let reason = rejection(&text(used)).reason;
        assert!(reason.contains("order"), "{reason}");
    }
    let mut foreign = Buffers { foreign: vec![0], ..scratch() };
    let Outcome::Trap(found) = run_with("red.global.inc.u32 [%rd1+4], 9;", 1, &mut foreign, 1 << 20) else {
        panic!("a byte of another block");
    };
    assert_eq!((found.kind, found.address), (TrapKind::NotOwned, Some((0, 4))));
    traps("red.global.inc.u32 [%rd1+8192], 9;", 1, TrapKind::OutOfBounds);
    traps("atom.global.cas.b32 %r9, [%rd1+2], 0, 1;", 1, TrapKind::Misaligned);
    traps(".shared .align 4 .b8 s[4]; red.shared.inc.u32 [s], 9;", 1, TrapKind::Uninitialised);
}
