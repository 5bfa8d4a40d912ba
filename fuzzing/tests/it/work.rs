use crate::meter;
use assay_engine::{AccessError, Argument, Geometry, Kernel, LaunchError, Memory, Module, Outcome};

/// A buffer of 16 GiB of zeros whose start the block may write, and which keeps nothing.
struct Vast;

const VAST: u64 = 1 << 34;
const OWNED: u64 = 1 << 21;

impl Memory for Vast {
    fn load(&mut self, _: u16, offset: u64, out: &mut [u8]) -> Result<(), AccessError> {
        if offset.checked_add(out.len() as u64).is_none_or(|end| end > VAST) {
            return Err(AccessError::OutOfBounds);
        }
        out.fill(0);
        Ok(())
    }

    fn store(&mut self, _: u16, offset: u64, bytes: &[u8]) -> Result<(), AccessError> {
        if offset.checked_add(bytes.len() as u64).is_none_or(|end| end > VAST) {
            return Err(AccessError::OutOfBounds);
        }
        if offset >= OWNED { Err(AccessError::NotOwned) } else { Ok(()) }
    }

    fn owned(&self, visit: &mut dyn FnMut(u16, u64, u64)) -> bool {
        visit(0, 0, OWNED);
        true
    }
}

fn kernel(text: &str) -> Kernel {
    match Module::parse(text.as_bytes()).unwrap().entries.remove(0).kernel {
        Ok(kernel) => kernel,
        Err(rejection) => panic!("{rejection:?}\n{text}"),
    }
}

/// A loop around `body` that only fuel ends.
fn forever(before: &str, body: &str) -> Kernel {
    kernel(&format!(
        ".version 8.0\n.target sm_80\n.address_size 64\n
        .func twist(.param .align 16 .b8 a[30000]) {{ ret; }}
        .entry e(.param .u64 p) {{
        .reg .b32 %r<40>; .reg .b64 %d<20>; .reg .f64 %g<4>; .reg .pred %p<4>;
        .shared .align 16 .b8 s[4096]; .local .align 16 .b8 l[64];
        ld.param.u64 %d1, [p]; mov.u32 %r1, %tid.x; mov.u32 %r2, 3; mov.u32 %r3, 5; mov.u64 %d2, 7; mov.u64 %d3, 9;
        mov.f64 %g1, 0d3FF1000000000000; mov.f64 %g2, 0d3FE1000000000000; mov.u64 %d4, 0; mov.u64 %d5, 0; setp.eq.u32 %p1, 1, 1;
        mov.u32 %r20, s; mad.lo.u32 %r21, %r1, 4, %r20; st.shared.u32 [%r21], 0; mov.u32 %r22, l;
        st.local.v4.u32 [%r22], {{%r1, %r1, %r1, %r1}}; bar.sync 0;
        {before} L: {body} bra L; }}"
    ))
}

fn run(kernel: &Kernel, threads: u32, fuel: u64) -> Outcome {
    let geometry = Geometry { grid: [1; 3], block: [threads, 1, 1], shared: 0 };
    let arguments = [Argument::Buffer { index: 0, offset: 0 }];
    kernel.run(&geometry, &arguments, [0; 3], &mut Vast, fuel, Some(&[1; 32])).unwrap()
}

/// Bodies of loops, and threads.
fn bodies() -> Vec<(&'static str, u32, Kernel)> {
    let mma = "mma.sync.aligned.m16n8k32.row.col.s32.s8.s8.s32 {%r4,%r5,%r6,%r7},{%r2,%r2,%r3,%r3},{%r2,%r3},{%r2,%r3,%r2,%r3};";
    let list: Vec<String> = (0..32).map(|n| format!("B{n}")).collect();
    let parts: String = (0..32).map(|n| format!("B{n}: add.u32 %r2, %r2, {n}; bra.uni L;\n")).collect();
    let diverge = format!("and.b32 %r4, %r1, 31; T: .branchtargets {}; brx.idx %r4, T; {parts}", list.join(","));
    vec![
        ("base warp", 32, forever("", "add.u32 %r2, %r2, %r3; xor.b32 %r3, %r2, %r1;")),
        ("branch alone", 1, forever("", "")),
        ("call with 30000 bytes", 1, forever("", "{ .param .align 16 .b8 x[30000]; call twist, (x); }")),
        ("call with 30000 bytes, warp", 32, forever("", "{ .param .align 16 .b8 x[30000]; call twist, (x); }")),
        ("mma", 32, forever("", mma)),
        ("match 64", 32, forever("", "match.any.sync.b64 %r4, %d2, -1;")),
        ("match 64 one", 1, forever("", "match.any.sync.b64 %r4, %d2, 1;")),
        ("redux one", 1, forever("", "redux.sync.add.s32 %r4, %r2, 1;")),
        ("shfl one", 1, forever("", "shfl.sync.idx.b32 %r4, %r2, 0, 31, 1;")),
        ("barrier one", 1, forever("", "bar.sync 0;")),
        ("barrier one per warp", 1, forever("", "bar.sync 5;")),
        ("barrier 1024", 1024, forever("", "bar.sync 0;")),
        ("arrive", 32, forever("", "bar.arrive 1, 64;")),
        ("diverged", 32, forever("", &diverge)),
        ("rem u64 one", 1, forever("", "rem.u64 %d4, %d3, %d2;")),
        ("rem u64", 32, forever("", "rem.u64 %d4, %d3, %d2;")),
        ("div f64 rz", 1, forever("", "div.rz.f64 %g3, %g1, %g2; div.rp.f64 %g3, %g1, %g2;")),
        ("div f64 rz warp", 32, forever("", "div.rz.f64 %g3, %g1, %g2; div.rp.f64 %g3, %g1, %g2;")),
        ("sqrt f64 rz warp", 32, forever("", "sqrt.rz.f64 %g3, %g1; sqrt.rp.f64 %g3, %g1;")),
        ("ld v4 local", 1, forever("", "ld.local.v4.u32 {%r4, %r5, %r6, %r7}, [%r22];")),
        ("ld shared one", 1, forever("", "ld.shared.u32 %r4, [%r21]; st.shared.u32 [%r21], %r4;")),
        ("ld shared", 32, forever("", "ld.shared.u32 %r4, [%r21]; st.shared.u32 [%r21], %r4;")),
        ("red shared", 32, forever("", "red.shared.add.u32 [s], 1; red.shared.add.u32 [s], 1;")),
        (
            "ld global strided",
            1,
            forever(
                "",
                "add.u64 %d4, %d1, %d5; ld.global.u8 %r4, [%d4]; add.u64 %d5, %d5, 512; and.b64 %d5, %d5, 0x3ffffffff;",
            ),
        ),
        (
            "ld global random warp",
            32,
            forever(
                "cvt.u64.u32 %d6, %r1; mul.lo.u64 %d5, %d6, 0x100003;",
                "and.b64 %d5, %d5, 0x3ffffffff; add.u64 %d4, %d1, %d5; ld.global.u8 %r4, [%d4]; add.u64 %d5, %d5, 99991;",
            ),
        ),
        ("exit guards", 1, forever("", "@!%p1 exit; @!%p1 exit; @!%p1 exit;")),
        ("special", 1, forever("", "mov.u32 %r4, %tid.y; mov.u32 %r5, %tid.z; mov.u32 %r6, %ctaid.x;")),
    ]
}

#[test]
fn a_unit_allocates_no_more_than_its_limits_say() {
    for (name, threads, kernel) in bodies() {
        let (_, peak, _) = meter::measure(|| run(&kernel, threads, 300_000));
        // The race detector's shadow of 2 MiB of owned bytes: 8 bytes for each, twice while it grows.
        assert!(peak < 40 << 20, "{name}: {peak} bytes");
    }
    // The most registers, local and shared memory that 1024 threads may have.
    let registers: String = (0..3900).map(|n| format!("ld.global.u32 %v{n}, [%d1+{}];", 4 * n)).collect();
    let uses: String = (0..3900).map(|n| format!("xor.b32 %r2, %r2, %v{n};")).collect();
    let full = kernel(&format!(
        ".version 8.0\n.target sm_80\n.address_size 64\n.entry e(.param .u64 p) {{
        .reg .b32 %v<4000>; .reg .b32 %r<4>; .reg .b64 %d<4>; .shared .b8 s[98304]; .local .align 16 .b8 l[16384];
        ld.param.u64 %d1, [p]; mov.u32 %r2, 0; {registers} {uses} mov.u32 %r3, s; mov.u32 %r3, l; ret; }}"
    ));
    let (outcome, peak, largest) = meter::measure(|| run(&full, 1024, 10_000_000));
    assert!(matches!(outcome, Outcome::Done { .. }), "{outcome:?}");
    assert!(peak < 48 << 20 && largest < 4 << 20, "{peak} bytes, {largest} in one block");
}

#[test]
fn launches_beyond_the_limits_do_not_start() {
    let arguments = [Argument::Buffer { index: 0, offset: 0 }];
    let local = kernel(
        ".version 8.0\n.target sm_80\n.address_size 64\n.entry e(.param .u64 p) {
        .reg .b32 %r<4>; .local .align 16 .b8 l[65520]; mov.u32 %r3, l; ret; }",
    );
    let start = |kernel: &Kernel, block, shared| {
        let geometry = Geometry { grid: [1; 3], block, shared };
        let (outcome, peak, _) = meter::measure(|| kernel.run(&geometry, &arguments, [0; 3], &mut Vast, 1000, None));
        if outcome.is_err() {
            assert!(peak < 1 << 16, "a launch that does not start takes {peak} bytes");
        }
        outcome
    };
    assert_eq!(start(&local, [257, 1, 1], 0), Err(LaunchError::Geometry));
    assert!(start(&local, [256, 1, 1], 0).is_ok());
    for shared in [98_305, 1 << 30, u32::MAX - 15, u32::MAX] {
        assert_eq!(start(&local, [1, 1, 1], shared), Err(LaunchError::Geometry));
    }
    assert!(start(&local, [1, 1, 1], 98_304).is_ok());
    for block in [[1024, 2, 1], [1 << 16, 1 << 16, 1], [u32::MAX; 3], [1, 1, 65], [0, 1, 1]] {
        assert_eq!(start(&local, block, 0), Err(LaunchError::Geometry));
    }
}
