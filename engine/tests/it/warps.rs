use crate::support::{passes, traps, words};
use assay_engine::TrapKind;

fn lanes(body: &str, threads: u32) -> Vec<u64> {
    words(&format!("{body} cvt.u64.u32 %rd10, %r2; st.global.u64 [%rd6], %rd10;"), threads)
}

#[test]
fn shuffles_reach_the_lanes_that_the_manual_names() {
    let source = "mul.lo.u32 %r3, %r1, 10;";
    let model = |mode: &str, lane: u32, b: u32, c: u32| {
        let (b, bound, segment) = (b & 31, c & 31, c >> 8 & 31);
        let most = lane & segment | bound & !segment & 31;
        let least = lane & segment;
        let (source, valid) = match mode {
            "up" => (lane as i64 - i64::from(b), lane as i64 - i64::from(b) >= i64::from(most)),
            "down" => (i64::from(lane + b), lane + b <= most),
            "bfly" => (i64::from(lane ^ b), lane ^ b <= most),
            _ => (i64::from(least | b & !segment & 31), (least | b & !segment & 31) <= most),
        };
        let source = if valid { source as u64 } else { u64::from(lane) };
        source * 10 + if valid { 1000 } else { 0 }
    };
    for mode in ["up", "down", "bfly", "idx"] {
        for (b, c) in
            [(0u32, 31u32), (1, 31), (1, 0), (5, 0), (16, 31), (3, 0x181f), (2, 0x1800), (7, 0x1c1f), (31, 31)]
        {
            let body = format!(
                "{source} shfl.sync.{mode}.b32 %r4|%p1, %r3, {b}, {c}, -1; selp.u32 %r7, 1000, 0, %p1; add.u32 %r2, %r4, %r7;"
            );
            for (lane, got) in lanes(&body, 32).into_iter().enumerate() {
                assert_eq!(got, model(mode, lane as u32, b, c), "{mode} {b} {c:x} lane {lane}");
            }
        }
    }
    // The source may be the destination.
    let body = format!("{source} mov.u32 %r2, %r3; shfl.sync.bfly.b32 %r2, %r2, 1, 31, -1;");
    assert!(lanes(&body, 64).into_iter().enumerate().all(|(lane, got)| got == (lane as u64 ^ 1) * 10));
}

#[test]
fn votes_and_matches_and_reductions_see_their_members() {
    let odd = "and.b32 %r3, %r1, 1; setp.eq.u32 %p1, %r3, 1;";
    assert!(lanes(&format!("{odd} vote.sync.ballot.b32 %r2, %p1, -1;"), 32).iter().all(|got| *got == 0xaaaa_aaaa));
    assert!(
        lanes(&format!("{odd} vote.sync.any.pred %p2, %p1, -1; selp.u32 %r2, 1, 0, %p2;"), 32)
            .iter()
            .all(|got| *got == 1)
    );
    assert!(
        lanes(&format!("{odd} vote.sync.all.pred %p2, %p1, -1; selp.u32 %r2, 1, 0, %p2;"), 32)
            .iter()
            .all(|got| *got == 0)
    );
    assert!(
        lanes(&format!("{odd} vote.sync.uni.pred %p2, %p1, -1; selp.u32 %r2, 1, 0, %p2;"), 32)
            .iter()
            .all(|got| *got == 0)
    );
    let third = "rem.u32 %r3, %r1, 3;";
    for (lane, got) in lanes(&format!("{third} match.any.sync.b32 %r2, %r3, -1;"), 32).into_iter().enumerate() {
        let wanted: u64 = (0..32).filter(|other| other % 3 == lane % 3).map(|other| 1 << other).sum();
        assert_eq!(got, wanted);
    }
    assert!(lanes("mov.u32 %r3, 4; match.all.sync.b32 %r2|%p1, %r3, -1;", 32).iter().all(|got| *got == 0xffff_ffff));
    assert!(lanes("match.all.sync.b32 %r2|%p1, %r1, -1;", 32).iter().all(|got| *got == 0));
    for (operation, wanted) in [("add.u32", 496), ("min.u32", 0), ("max.s32", 31), ("xor.b32", 0), ("or.b32", 31)] {
        assert!(
            lanes(&format!("redux.sync.{operation} %r2, %r1, -1;"), 32).iter().all(|got| *got == wanted),
            "{operation}"
        );
    }
    // Halves with masks of their own.
    let halves = "setp.lt.u32 %p3, %r1, 16; selp.u32 %r4, 0xffff, 0xffff0000, %p3;";
    for (lane, got) in lanes(&format!("{halves} redux.sync.add.u32 %r2, %r1, %r4;"), 32).into_iter().enumerate() {
        assert_eq!(got, if lane < 16 { 120 } else { 376 });
    }
}

#[test]
fn lanes_gather_before_a_warp_wide_instruction() {
    // The later block of code comes first in one arm: the lanes still meet.
    let body = "
        mov.u32 %r3, 1; setp.lt.u32 %p1, %r1, 16; @%p1 bra A; mov.u32 %r3, 2; bra B;
        B: redux.sync.add.u32 %r2, %r3, -1; bra C;
        A: mov.u32 %r3, 3; bra B;
        C:";
    assert!(lanes(body, 32).iter().all(|got| *got == 16 * 5));
    let apart = "
        setp.lt.u32 %p1, %r1, 16; @%p1 bra A; redux.sync.add.u32 %r2, %r1, -1; bra C;
        A: redux.sync.add.u32 %r2, %r1, -1; C:";
    traps(&format!("{apart} mov.u32 %r3, %r2;"), 32, TrapKind::Barrier);
    passes(&apart.replacen("-1", "0xffff0000", 1).replacen("-1", "0xffff", 1), 32);
    // A lane that calls must be a member.
    traps("redux.sync.add.u32 %r2, %r1, 0xffff;", 32, TrapKind::Barrier);
    // A value from a lane that takes no part is no value.
    traps("shfl.sync.down.b32 %r2, %r1, 8, 31, -1;", 16, TrapKind::Uninitialised);
    passes("shfl.sync.down.b32 %r2, %r1, 8, 0x100f, -1;", 16);
}

#[test]
fn who_has_left_is_not_waited_for() {
    // Out at once, after some work, and behind those who wait, on either side of the branch.
    for leave in ["@%p1 exit;", "@%p1 bra OUT;", "@!%p1 bra ON; st.global.u64 [%rd6], %rd5; exit;\nON:"] {
        for (wait, wanted) in [
            ("bar.warp.sync -1; mov.u32 %r2, 5;", 5),
            ("mov.u32 %r3, 1; redux.sync.add.u32 %r2, %r3, -1;", 20),
            ("vote.sync.ballot.b32 %r2, !%p1, -1;", 0xfffff),
            ("vote.sync.all.pred %p2, !%p1, -1; selp.u32 %r2, 7, 8, %p2;", 7),
            ("match.any.sync.b32 %r2, 3, -1;", 0xfffff),
            ("shfl.sync.bfly.b32 %r2, 6, 1, 31, -1;", 6),
        ] {
            let body = format!("mov.u32 %r9, 20; setp.ge.u32 %p1, %r1, %r9; {leave} {wait}");
            let body = format!("{body} cvt.u64.u32 %rd10, %r2; st.global.u64 [%rd6], %rd10;\nOUT:");
            let got = words(&body, 32);
            assert!(got.iter().take(20).all(|got| *got == wanted), "{body}: {got:?}");
            // The last to be waited for come and go later than the others wait.
            let late = body.replace("%p1, %r1, %r9", "%p1, %r1, %r9; @%p1 bra LATE;\nBACK: mov.u32 %r8, 0").replace(
                "OUT:",
                "OUT: exit;\nLATE: mov.u32 %r7, 0;\nL: add.u32 %r7, %r7, 1; setp.lt.u32 %p5, %r7, %r1; @%p5 bra L; setp.ge.u32 %p1, %r1, %r9; @%p1 bra BACK;",
            );
            let got = words(&late, 32);
            assert!(got.iter().take(20).all(|got| *got == wanted), "{late}: {got:?}");
        }
    }
    // Who has not left must come.
    traps("setp.ge.u32 %p1, %r1, 20; @%p1 bra A; bar.warp.sync -1; bra C;\nA: bar.sync 0;\nC:", 32, TrapKind::Barrier);
}

#[test]
fn reducing_barriers_count_all_threads() {
    let third = "rem.u32 %r3, %r1, 3; setp.eq.u32 %p1, %r3, 0;";
    assert!(lanes(&format!("{third} bar.red.popc.u32 %r2, 0, %p1;"), 96).iter().all(|got| *got == 32));
    let vote = |operation: &str, predicate: &str| {
        lanes(
            &format!(
                "{third} setp.ge.u32 %p2, %r1, 0; bar.red.{operation}.pred %p4, 1, {predicate}; selp.u32 %r2, 1, 0, %p4;"
            ),
            96,
        )
    };
    assert!(vote("and", "%p1").iter().all(|got| *got == 0));
    assert!(vote("and", "%p2").iter().all(|got| *got == 1));
    assert!(vote("or", "%p1").iter().all(|got| *got == 1));
    assert!(vote("or", "!%p2").iter().all(|got| *got == 0));
}

#[test]
fn partial_barriers_let_producers_and_consumers_pass() {
    let body = "
        .shared .align 4 .b8 s[1024]; mov.u32 %r8, s; mad.lo.u32 %r9, %r1, 4, %r8;
        setp.lt.u32 %p1, %r1, 32; @%p1 bra PRODUCE;
        bar.sync 3, 64; bra DONE;
        PRODUCE: bar.arrive 3, 64;
        DONE: bar.sync 0;";
    passes(body, 64);
    traps(&body.replace("bar.sync 3, 64", "bar.sync 3, 96"), 64, TrapKind::Barrier);
    traps("bar.sync 1, 33;", 64, TrapKind::Barrier);
    passes("bar.sync 1, 64;", 64);
}

/// `D = A B + C` by the definition, with the fragments laid out as in the manual for 8-bit m16n8k32.
#[test]
fn integer_matrix_products_match_the_definition() {
    let body = "
        mad.lo.u32 %r10, %r1, 0x01030507, 0x11; mad.lo.u32 %r11, %r1, 0x0b0d1113, 0x22; mad.lo.u32 %r12, %r1, 0x17191d1f, 0x33; mad.lo.u32 %r13, %r1, 0x25292b2f, 0x44;
        mad.lo.u32 %r14, %r1, 0x31353b3d, 0x55; mad.lo.u32 %r15, %r1, 0x43474953, 0x66;
        mov.u32 %r16, 1; mov.u32 %r17, 2; mov.u32 %r18, 3; mov.u32 %r19, 4;
        mma.sync.aligned.m16n8k32.row.col.s32.s8.u8.s32 {%r20, %r21, %r22, %r23}, {%r10, %r11, %r12, %r13}, {%r14, %r15}, {%r16, %r17, %r18, %r19};
        mul.wide.u32 %rd20, %r1, 16; add.s64 %rd21, %rd1, %rd20; st.global.v4.u32 [%rd21], {%r20, %r21, %r22, %r23};";
    let bytes = crate::support::run(body, 32);
    let register = |lane: u32, at: usize| {
        let (factor, addend) = [
            (0x0103_0507u32, 0x11u32),
            (0x0b0d_1113, 0x22),
            (0x1719_1d1f, 0x33),
            (0x2529_2b2f, 0x44),
            (0x3135_3b3d, 0x55),
            (0x4347_4953, 0x66),
        ][at];
        lane.wrapping_mul(factor).wrapping_add(addend).to_le_bytes()
    };
    let (mut a, mut b) = ([[0i32; 32]; 16], [[0i32; 8]; 32]);
    for lane in 0..32u32 {
        let (group, within) = ((lane / 4) as usize, (lane % 4) as usize);
        for (at, (row, column)) in [(0, 0), (8, 0), (0, 16), (8, 16)].into_iter().enumerate() {
            for (byte, value) in register(lane, at).into_iter().enumerate() {
                a[group + row][column + within * 4 + byte] = i32::from(value as i8);
            }
        }
        for half in 0..2 {
            for (byte, value) in register(lane, 4 + half).into_iter().enumerate() {
                b[half * 16 + within * 4 + byte][group] = i32::from(value);
            }
        }
    }
    for lane in 0..32usize {
        for at in 0..4usize {
            let (row, column) = (lane / 4 + if at >= 2 { 8 } else { 0 }, lane % 4 * 2 + at % 2);
            let wanted: i32 = (0..32).map(|k| a[row][k] * b[k][column]).sum::<i32>() + at as i32 + 1;
            let from = lane * 16 + at * 4;
            assert_eq!(
                i32::from_le_bytes(bytes[from..from + 4].try_into().unwrap()),
                wanted,
                "lane {lane} register {at}"
            );
        }
    }
}
