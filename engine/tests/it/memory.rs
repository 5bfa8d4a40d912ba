use crate::support::{Buffers, arguments, geometry, kernel, passes, run_with, scratch, text, trap, traps, words};
use assay_engine::{Argument, Geometry, Outcome, TrapKind};

#[test]
fn loads_extend_by_their_type_and_stores_truncate() {
    let body = "
        mov.u64 %rd10, 0x8182838485868788; st.global.u64 [%rd7], %rd10;
        ld.global.u8 %r2, [%rd7]; ld.global.s8 %r3, [%rd7]; ld.global.u16 %r4, [%rd7]; ld.global.s16 %r5, [%rd7];
        ld.global.s32 %rd11, [%rd7+4]; ld.global.s8 %h1, [%rd7+1]; ld.global.u32 %rd12, [%rd7];
        cvt.u32.u16 %r6, %h1; ld.global.v2.u16 {%h2, %h3}, [%rd7+4]; cvt.u32.u16 %r7, %h3;
        xor.b32 %r8, %r2, %r3; xor.b32 %r8, %r8, %r4; xor.b32 %r8, %r8, %r5; xor.b32 %r8, %r8, %r6; xor.b32 %r8, %r8, %r7;
        cvt.u64.u32 %rd13, %r8; xor.b64 %rd13, %rd13, %rd11; xor.b64 %rd13, %rd13, %rd12;
        st.global.u64 [%rd6], %rd13; st.global.u8 [%rd6+7], %rd10;";
    let wanted = {
        let x = 0x88u32 ^ 0xffff_ff88 ^ 0x8788 ^ 0xffff_8788 ^ 0xff87 ^ 0x8182;
        let word = u64::from(x) ^ 0xffff_ffff_8182_8384 ^ 0x8586_8788;
        word & !(0xff << 56) | 0x88 << 56
    };
    assert!(words(body, 33).iter().all(|got| *got == wanted));
}

#[test]
fn vectors_move_whole() {
    let body = "
        mov.u32 %r10, 1; mov.u32 %r11, 2; mov.u32 %r12, 3; add.u32 %r13, %r1, 40;
        mul.wide.u32 %rd20, %r1, 16; add.s64 %rd21, %rd2, %rd20;
        st.global.v4.u32 [%rd21], {%r10, %r11, %r12, %r13};
        ld.global.v2.u64 {%rd22, %rd23}, [%rd21]; xor.b64 %rd24, %rd22, %rd23; st.global.u64 [%rd6], %rd24;";
    for (thread, got) in words(body, 100).into_iter().enumerate() {
        assert_eq!(got, (2 << 32 | 1) ^ ((thread as u64 + 40) << 32 | 3));
    }
}

#[test]
fn accesses_stay_inside_their_buffer_and_aligned() {
    // Buffer 0 has 8192 bytes.
    passes("add.s64 %rd10, %rd1, 8184; ld.global.u64 %rd11, [%rd10];", 1);
    let at = |body: &str, kind| {
        let found = trap(body, 1);
        assert_eq!(found.kind, kind, "{body}");
        found.address
    };
    assert_eq!(at("ld.global.u64 %rd11, [%rd1+8192];", TrapKind::OutOfBounds), Some((0, 8192)));
    assert_eq!(at("ld.global.u32 %r11, [%rd2+-4];", TrapKind::OutOfBounds), Some((1, u64::MAX - 3)));
    assert_eq!(at("ld.global.u32 %r11, [%rd1+2];", TrapKind::Misaligned), Some((0, 2)));
    assert_eq!(at("ld.global.v4.u32 {%r10, %r11, %r12, %r13}, [%rd1+8];", TrapKind::Misaligned), Some((0, 8)));
    assert_eq!(at("mov.u64 %rd10, 0; ld.global.u32 %r11, [%rd10];", TrapKind::OutOfBounds), None);
    // Arithmetic may leave the buffer and come back.
    passes("add.s64 %rd10, %rd1, -64; ld.global.u32 %r11, [%rd10+64];", 1);
    // The lane that leaves is named, in a row and alone.
    let row = trap("add.s64 %rd10, %rd6, 8064; ld.global.u64 %rd11, [%rd10];", 32);
    assert_eq!((row.thread, row.address), ([16, 0, 0], Some((0, 8192))));
}

#[test]
fn stores_outside_the_own_region_are_faults() {
    let mut memory = Buffers { foreign: vec![1], ..scratch() };
    let outcome = run_with("ld.global.u64 %rd10, [%rd7]; st.global.u64 [%rd6], %rd10;", 4, &mut memory, 1 << 20);
    assert!(matches!(outcome, Outcome::Done { .. }));
    let Outcome::Trap(trap) = run_with("st.global.u64 [%rd7], %rd5;", 4, &mut memory, 1 << 20) else { panic!() };
    assert_eq!((trap.kind, trap.address), (TrapKind::NotOwned, Some((1, 0))));
}

#[test]
fn a_missing_byte_of_the_witness_decides_nothing() {
    let mut memory = Buffers { missing: Some((1, 29)), ..scratch() };
    let body = "ld.global.u64 %rd10, [%rd7]; st.global.u64 [%rd6], %rd10;";
    assert_eq!(run_with(body, 8, &mut memory, 1 << 20), Outcome::Incomplete { buffer: 1, offset: 29 });
    assert!(matches!(run_with(body, 3, &mut memory, 1 << 20), Outcome::Done { .. }));
}

#[test]
fn tables_initialise_and_cannot_be_written() {
    let table = ".const .align 4 .u32 primes[6] = {2, 3, 5, 7};
.global .align 8 .b8 raw[16] = {1, 2, 3, 0xff};
.global .align 8 .u64 pointer = raw;
.global .align 4 .f32 real = 0f40490FDB;
.visible .entry";
    let source = |body: &str| text(body).replace(".visible .entry", table);
    let run = |body: &str| {
        let mut memory = scratch();
        let outcome =
            kernel(&source(body)).run(&geometry(8), &arguments(4), [0; 3], &mut memory, 1 << 20, None).unwrap();
        (outcome, u64::from_le_bytes(memory.bytes[0][8..16].try_into().unwrap()))
    };
    let body = "
        and.b32 %r2, %r1, 3; mul.wide.u32 %rd10, %r2, 4; mov.u64 %rd11, primes; add.s64 %rd12, %rd11, %rd10;
        ld.const.u32 %r3, [%rd12]; ld.const.u32 %r4, [primes+16];
        ld.global.u64 %rd13, [pointer]; ld.global.u8 %r5, [%rd13+3]; ld.u8 %r6, [%rd13+1]; ld.global.f32 %f1, [real];
        cvt.rni.s32.f32 %r7, %f1;
        mad.lo.u32 %r3, %r3, 1000, %r5; add.u32 %r3, %r3, %r4; mad.lo.u32 %r3, %r3, 10, %r6; mad.lo.u32 %r3, %r3, 10, %r7;
        cvt.u64.u32 %rd14, %r3; st.global.u64 [%rd6], %rd14;";
    assert_eq!(run(body).1, (3 * 1000 + 255) * 100 + 23);
    assert!(matches!(run("st.global.u8 [raw+2], %r1;").0, Outcome::Trap(trap) if trap.kind == TrapKind::NotOwned));
    assert!(matches!(run("ld.const.u32 %r2, [primes+40];").0, Outcome::Done { .. } | Outcome::Trap(_)));
    assert!(
        matches!(run("mov.u64 %rd10, primes; ld.const.u32 %r2, [%rd10+4096];").0, Outcome::Trap(trap) if trap.kind == TrapKind::OutOfBounds)
    );
}

#[test]
fn local_memory_is_each_threads_own_and_generic_addresses_find_their_space() {
    let body = "
        .local .align 8 .b8 depot[64]; .shared .align 8 .b8 box[512];
        mov.u64 %rd10, depot; cvta.local.u64 %rd11, %rd10; and.b32 %r2, %r1, 7; mul.wide.u32 %rd12, %r2, 8;
        add.s64 %rd13, %rd11, %rd12; st.u64 [%rd13], %rd5; add.s64 %rd14, %rd10, %rd12; ld.local.u32 %r3, [%rd14];
        mov.u64 %rd20, box; cvta.shared.u64 %rd21, %rd20; add.s64 %rd22, %rd21, %rd5; st.u64 [%rd22], %rd13;
        isspacep.local %p1, %rd13; isspacep.shared %p2, %rd13; isspacep.global %p3, %rd6; isspacep.shared %p4, %rd22;
        selp.u32 %r4, 1, 0, %p1; selp.u32 %r5, 2, 0, %p2; selp.u32 %r6, 4, 0, %p3; selp.u32 %r7, 8, 0, %p4;
        add.u32 %r4, %r4, %r5; add.u32 %r4, %r4, %r6; add.u32 %r4, %r4, %r7; mad.lo.u32 %r3, %r3, 100, %r4;
        cvt.u64.u32 %rd23, %r3; st.u64 [%rd6], %rd23;";
    for (thread, got) in words(body, 64).into_iter().enumerate() {
        assert_eq!(got, thread as u64 * 800 + 13);
    }
}

#[test]
fn dynamic_shared_memory_starts_after_the_static_one() {
    let source = text(
        ".shared .align 4 .b8 fixed[20];
         mov.u32 %r2, fixed; mov.u32 %r3, open; sub.u32 %r4, %r3, %r2; mov.u32 %r5, %dynamic_smem_size;
         st.shared.u32 [open+60], %r1; ld.shared.u32 %r6, [%r3+60];
         mad.lo.u32 %r4, %r4, 1000, %r5; cvt.u64.u32 %rd10, %r4; st.global.u64 [%rd6], %rd10;",
    )
    .replace(".visible", ".extern .shared .align 16 .b8 open[];\n.visible");
    let kernel = kernel(&source);
    assert_eq!(kernel.shared, 20);
    let mut memory = scratch();
    let shape = Geometry { shared: 64, ..geometry(1) };
    let outcome = kernel.run(&shape, &arguments(4), [0; 3], &mut memory, 1 << 20, None).unwrap();
    assert!(matches!(outcome, Outcome::Done { .. }), "{outcome:?}");
    assert_eq!(u64::from_le_bytes(memory.bytes[0][..8].try_into().unwrap()), 32_064);
    let shape = Geometry { shared: 60, ..geometry(1) };
    let outcome = kernel.run(&shape, &arguments(4), [0; 3], &mut memory, 1 << 20, None).unwrap();
    assert!(matches!(outcome, Outcome::Trap(trap) if trap.kind == TrapKind::OutOfBounds));
}

#[test]
fn arguments_are_bytes_of_their_parameter_and_buffers_may_start_inside() {
    let source = ".version 8.0 .target sm_80 .address_size 64
        .entry k(.param .u64 a, .param .u8 b, .param .f32 c, .param .align 4 .b8 d[12]) {
        .reg .b32 %r<9>; .reg .b64 %rd<9>; .reg .f32 %f<3>;
        ld.param.u64 %rd1, [a]; ld.param.u8 %r1, [b]; ld.param.f32 %f1, [c]; ld.param.u32 %r2, [d+8];
        mov.b64 %rd2, d; ld.param.u32 %r4, [%rd2+4];
        mov.b32 %r3, %f1; st.global.u32 [%rd1], %r1; st.global.u32 [%rd1+4], %r3; st.global.u32 [%rd1+8], %r2; st.global.u32 [%rd1+12], %r4; ret; }";
    let kernel = kernel(source);
    let args = [
        Argument::Buffer { index: 2, offset: 16 },
        Argument::Bytes(vec![9]),
        Argument::Bytes(2.5f32.to_le_bytes().to_vec()),
        Argument::Bytes((0..12).collect()),
    ];
    let mut memory = scratch();
    kernel.run(&geometry(1), &args, [0; 3], &mut memory, 100, None).unwrap();
    let bytes = &memory.bytes[2][16..32];
    assert_eq!(bytes[..4], [9, 0, 0, 0]);
    assert_eq!(bytes[4..8], 2.5f32.to_le_bytes());
    assert_eq!(bytes[8..], [8, 9, 10, 11, 4, 5, 6, 7]);
}

#[test]
fn structures_may_hold_addresses_of_buffers() {
    let source = ".version 8.0 .target sm_80 .address_size 64
        .entry k(.param .align 8 .b8 s[24]) {
        .reg .b32 %r<3>; .reg .b64 %rd<3>;
        ld.param.u64 %rd1, [s+8]; ld.param.u64 %rd2, [s+16]; ld.param.u32 %r1, [s];
        st.global.u32 [%rd1+4], %r1; ld.global.u32 %r2, [%rd1+4]; st.global.u32 [%rd2], %r2; ret; }";
    let kernel = kernel(source);
    let run = |pointers: Vec<(usize, u16, u64)>, memory: &mut _| {
        let mut bytes = vec![0; 24];
        bytes[0] = 77;
        kernel.run(&geometry(1), &[Argument::Record(bytes, pointers)], [0; 3], memory, 100, None)
    };
    let mut memory = scratch();
    let outcome = run(vec![(8, 0, 16), (16, 1, 4)], &mut memory).unwrap();
    assert!(matches!(outcome, Outcome::Done { .. }), "{outcome:?}");
    assert_eq!((memory.bytes[0][20], memory.bytes[1][4]), (77, 77));
    assert!(run(vec![(17, 0, 0)], &mut memory).is_err());
    assert!(run(vec![(usize::MAX, 0, 0)], &mut memory).is_err());
    // What is not given is no address.
    let outcome = run(vec![(8, 0, 16)], &mut memory).unwrap();
    assert!(matches!(&outcome, Outcome::Trap(trap) if trap.kind == TrapKind::OutOfBounds), "{outcome:?}");
}

#[test]
fn reads_of_what_nobody_wrote_are_faults() {
    let shared = ".shared .align 4 .b8 s[256]; mov.u32 %r9, s; mad.lo.u32 %r9, %r1, 4, %r9;";
    traps(&format!("{shared} ld.shared.u32 %r2, [%r9];"), 4, TrapKind::Uninitialised);
    passes(&format!("{shared} st.shared.u32 [%r9], %r1; ld.shared.u32 %r2, [%r9];"), 4);
    let local = ".local .align 4 .b8 l[16]; mov.u32 %r9, l;";
    traps(&format!("{local} st.local.u16 [%r9], %r1; ld.local.u32 %r2, [%r9];"), 4, TrapKind::Uninitialised);
    passes(&format!("{local} st.local.u16 [%r9], %r1; st.local.u16 [%r9+2], %r1; ld.local.u32 %r2, [%r9];"), 4);
    // One thread's local memory says nothing of another's.
    let some = "setp.lt.u32 %p1, %r1, 2; @%p1 st.local.u32 [%r9], %r1;";
    traps(&format!("{local} {some} ld.local.u32 %r2, [%r9];"), 4, TrapKind::Uninitialised);
    passes(&format!("{local} {some} @%p1 ld.local.u32 %r2, [%r9];"), 4);
    // Registers.
    traps("add.u32 %r2, %r3, 1;", 1, TrapKind::Uninitialised);
    let half = "setp.lt.u32 %p1, %r1, 2; @!%p1 bra L; mov.u32 %r2, 7; L:";
    traps(&format!("{half} add.u32 %r3, %r2, 1;"), 4, TrapKind::Uninitialised);
    passes(&format!("{half} @%p1 add.u32 %r3, %r2, 1;"), 4);
    passes(&format!("{half} @!%p1 bra M; add.u32 %r3, %r2, 1; M:"), 4);
    // Copies carry the lack with them, so that an unused one is no fault.
    passes(&format!("{half} mov.u32 %r4, %r2; bra N; N: @%p1 add.u32 %r3, %r4, 1;"), 4);
    traps(&format!("{half} mov.u32 %r4, %r2; bra N; N: add.u32 %r3, %r4, 1;"), 4, TrapKind::Uninitialised);
    passes("setp.lt.u32 %p1, %r1, 2; @%p1 mov.u32 %r2, 5; @!%p1 mov.u32 %r2, 6; add.u32 %r3, %r2, 1;", 4);
}

#[test]
fn bytes_that_lie_open_are_loaded_as_others_are() {
    let bodies = [
        // A row, a row of bytes, the same for all, every third, backwards, some lanes, few lanes.
        "ld.global.u64 %rd10, [%rd7];",
        "cvt.u64.u32 %rd11, %r1; add.s64 %rd11, %rd2, %rd11; ld.global.s8 %rd10, [%rd11+3];",
        "ld.global.u16 %rd10, [%rd2+6];",
        "mul.wide.u32 %rd11, %r1, 12; add.s64 %rd11, %rd2, %rd11; ld.global.s32 %rd10, [%rd11+4];",
        "sub.s64 %rd11, %rd2, %rd5; ld.global.u64 %rd10, [%rd11+1024];",
        "mov.u64 %rd10, 7; and.b32 %r2, %r1, 3; setp.ne.u32 %p1, %r2, 1; @%p1 ld.global.s16 %rd10, [%rd7+2];",
        "mov.u64 %rd10, 7; setp.eq.u32 %p1, %r1, 9; @%p1 ld.global.u64 %rd10, [%rd2];",
        "mov.u64 %rd10, %rd7; ld.global.u64 %rd10, [%rd10];",
        // Over the end, before the start, and astray.
        "ld.global.u64 %rd10, [%rd7+8072];",
        "mul.wide.u32 %rd11, %r1, 264; add.s64 %rd11, %rd2, %rd11; ld.global.u64 %rd10, [%rd11];",
        "mul.wide.u32 %rd11, %r1, 12; sub.s64 %rd11, %rd2, %rd11; ld.global.u32 %rd10, [%rd11+96];",
        "setp.eq.u32 %p1, %r1, 9; selp.b64 %rd11, %rd1, %rd7, %p1; ld.global.u64 %rd10, [%rd11];",
        "ld.global.u64 %rd10, [%rd7+4];",
        "mul.wide.u32 %rd11, %r1, 6; add.s64 %rd11, %rd2, %rd11; ld.global.u32 %rd10, [%rd11];",
    ];
    let bytes: Vec<u8> = (0..8192u32).map(|at| (at * 37 >> 3) as u8).collect();
    let (mut ends, mut traps) = (0, 0);
    for body in bodies {
        let kernel = kernel(&text(&format!("{body} st.global.u64 [%rd6], %rd10;")));
        let outcome = |open| {
            let mut memory = Buffers { open, foreign: vec![1], ..scratch() };
            memory.bytes[1].clone_from(&bytes);
            let outcome =
                kernel.run(&geometry(45), &arguments(4), [0; 3], &mut memory, 1 << 20, Some(&[3; 32])).unwrap();
            (outcome, memory.bytes.swap_remove(0))
        };
        let plain = outcome(None);
        for open in [(1, 0, 8192), (1, 8, 8192), (1, 0, 200), (1, 6, 333), (1, 1000, 1030)] {
            assert_eq!(outcome(Some(open)), plain, "{body} {open:?}");
        }
        if matches!(plain.0, Outcome::Done { .. }) { ends += 1 } else { traps += 1 }
    }
    assert_eq!((ends, traps), (8, 6));
}

#[test]
fn what_ran_before_in_the_same_memory_changes_nothing() {
    let bodies = [
        ".shared .align 8 .b8 s[4096]; mov.u32 %r2, s; shl.b32 %r3, %r1, 3; add.u32 %r2, %r2, %r3; st.shared.u64 [%r2], %rd5;
         bar.sync 0; ld.shared.u64 %rd10, [%r2]; st.global.u64 [%rd6], %rd10;",
        // Never written, by this block.
        ".shared .align 8 .b8 s[4096]; mov.u32 %r2, s; ld.shared.u64 %rd10, [%r2]; st.global.u64 [%rd6], %rd10;",
        ".local .align 8 .b8 l[64]; mov.u64 %rd10, l; st.local.u64 [%rd10+8], %rd5; ld.local.u64 %rd11, [%rd10+8]; st.global.u64 [%rd6], %rd11;",
        ".local .align 8 .b8 l[64]; mov.u64 %rd10, l; ld.local.u64 %rd11, [%rd10+8]; st.global.u64 [%rd6], %rd11;",
        "st.global.u32 [%rd1], %r1;",
        "ld.global.u64 %rd10, [%rd6]; add.s64 %rd10, %rd10, 1; st.global.u64 [%rd6], %rd10;",
    ];
    let kernels: Vec<_> = bodies.iter().map(|body| kernel(&text(body))).collect();
    let mut spare = assay_engine::Spare::default();
    let mut ended = 0;
    for round in 0..3 {
        for (index, kernel) in kernels.iter().enumerate() {
            let threads = [96, 33, 1024][(round + index) % 3];
            let (shape, arguments, key) = (geometry(threads), arguments(4), Some(&[9; 32]));
            let (mut one, mut other) = (scratch(), scratch());
            let fresh = kernel.run(&shape, &arguments, [0; 3], &mut one, 1 << 20, key).unwrap();
            let again = kernel.run_again(&mut spare, &shape, &arguments, [0; 3], &mut other, 1 << 20, key).unwrap();
            assert_eq!((&again, &other.bytes), (&fresh, &one.bytes), "{}", bodies[index]);
            ended += usize::from(matches!(fresh, Outcome::Done { .. }));
        }
    }
    assert!((6..18).contains(&ended), "{ended}");
}
