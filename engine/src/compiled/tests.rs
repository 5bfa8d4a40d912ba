//! What is compiled; that it computes the same is the business of every test that runs kernels, on each tier.

use super::Compiled;
use crate::{Kernel, Module, Outcome, Tier, ir::Op};

fn kernel(body: &str) -> Kernel {
    let text = format!(
        ".version 8.0\n.target sm_80\n.address_size 64\n.visible .entry k(.param .u64 p0) {{
.reg .b16 %h<9>; .reg .b32 %r<9>; .reg .b64 %rd<9>; .reg .f32 %f<9>; .reg .f64 %g<9>; .reg .pred %p<9>;
ld.param.u64 %rd1, [p0]; ld.global.u32 %r1, [%rd1]; ld.global.u32 %r2, [%rd1+4]; ld.global.u32 %r3, [%rd1+8];
ld.global.u64 %rd2, [%rd1+16]; ld.global.u64 %rd3, [%rd1+24]; ld.global.f32 %f1, [%rd1]; ld.global.f32 %f2, [%rd1];
ld.global.f64 %g1, [%rd1]; ld.global.f64 %g2, [%rd1]; ld.global.u16 %h1, [%rd1]; ld.global.u16 %h2, [%rd1];
bar.sync 0;
{body}
bar.sync 0;
st.global.u32 [%rd1], %r4; st.global.u64 [%rd1+8], %rd4; st.global.f32 [%rd1], %f3; st.global.f64 [%rd1], %g3;
st.global.u16 [%rd1], %h3;
ret; }}"
    );
    let mut module = Module::parse(text.as_bytes()).unwrap_or_else(|error| panic!("{error:?}\n{text}"));
    module.entries.remove(0).kernel.unwrap_or_else(|rejection| panic!("{rejection:?}\n{text}"))
}

/// Every variable is set first: what may hold no value is marked, which is not compiled.
const SET: &str =
    "mov.u32 %r4, 0; mov.u64 %rd4, 0; mov.f32 %f3, 0f00000000; mov.f64 %g3, 0d0000000000000000; mov.u16 %h3, 0;
setp.lt.s32 %p1, %r1, %r2; setp.ne.s32 %p2, %r1, %r2;";

/// What common code is made of.
const COMPILED: &[&str] = &[
    "add.s32 %r4, %r1, %r2",
    "sub.s32 %r4, %r1, %r2",
    "mul.lo.s32 %r4, %r1, %r2",
    "mad.lo.s32 %r4, %r1, %r2, %r3",
    "mul.hi.u32 %r4, %r1, %r2",
    "mul.hi.s32 %r4, %r1, %r2",
    "mul.wide.s32 %rd4, %r1, %r2",
    "mad.wide.u32 %rd4, %r1, %r2, %rd2",
    "and.b32 %r4, %r1, %r2",
    "not.b32 %r4, %r1",
    "neg.s32 %r4, %r1",
    "abs.s32 %r4, %r1",
    "min.s32 %r4, %r1, %r2",
    "max.u32 %r4, %r1, %r2",
    "shl.b32 %r4, %r1, %r2",
    "shl.b32 %r4, %r1, 7",
    "shr.u32 %r4, %r1, 33",
    "shr.s32 %r4, %r1, %r2",
    "shf.l.wrap.b32 %r4, %r1, %r2, %r3",
    "shf.r.wrap.b32 %r4, %r1, %r2, 9",
    "lop3.b32 %r4, %r1, %r2, %r3, 0xe8",
    "prmt.b32 %r4, %r1, %r2, 0x5410",
    "dp4a.s32.s32 %r4, %r1, %r2, %r3",
    "selp.b32 %r4, %r1, %r2, %p1",
    "add.s16 %h3, %h1, %h2",
    "mul.lo.s16 %h3, %h1, %h2",
    "cvt.u32.u16 %r4, %h1",
    "cvt.u16.u32 %h3, %r1",
    "cvt.s32.s16 %r4, %h1",
    "cvt.s32.s8 %r4, %r1",
    "add.f32 %f3, %f1, %f2",
    "sub.f32 %f3, %f1, %f2",
    "mul.f32 %f3, %f1, %f2",
    "div.rn.f32 %f3, %f1, %f2",
    "fma.rn.f32 %f3, %f1, %f2, %f1",
    "sqrt.rn.f32 %f3, %f1",
    "min.f32 %f3, %f1, %f2",
    "max.f32 %f3, %f1, %f2",
    "neg.f32 %f3, %f1",
    "abs.f32 %f3, %f1",
    "cvt.rn.f32.s32 %f3, %r1",
    "cvt.rn.f32.u32 %f3, %r1",
    "cvt.rni.s32.f32 %r4, %f1",
    "cvt.rzi.s32.f32 %r4, %f1",
    "cvt.rmi.f32.f32 %f3, %f1",
    "cvt.rn.f32.f64 %f3, %g1",
    "cvt.f64.f32 %g3, %f1",
    "cvt.rn.f64.s32 %g3, %r1",
    "add.f64 %g3, %g1, %g2",
    "mul.f64 %g3, %g1, %g2",
    "div.rn.f64 %g3, %g1, %g2",
    "fma.rn.f64 %g3, %g1, %g2, %g1",
    "sqrt.rn.f64 %g3, %g1",
    "neg.f64 %g3, %g1",
    "abs.f64 %g3, %g1",
    "cvt.rpi.f64.f64 %g3, %g1",
    "add.s64 %rd4, %rd2, %rd3",
    "mul.lo.s64 %rd4, %rd2, %rd3",
    "neg.s64 %rd4, %rd2",
    "shl.b64 %rd4, %rd2, %r1",
    "shr.s64 %rd4, %rd2, %r1",
    "shr.s64 %rd4, %rd2, 5",
    "cvt.s64.s32 %rd4, %r1",
    "cvt.u64.u32 %rd4, %r1",
    "cvt.u32.u64 %r4, %rd2",
    "mov.b64 %rd4, {%r1, %r2}",
    "mov.b64 {%r4, %r3}, %rd2",
    "selp.b64 %rd4, %rd2, %rd3, %p1",
    "setp.lt.u32 %p1, %r1, %r2; selp.b32 %r4, 1, 0, %p1",
    "setp.ge.f32 %p1, %f1, %f2; selp.b32 %r4, 1, 0, %p1",
    "setp.gt.u64 %p1, %rd2, %rd3; selp.b32 %r4, 1, 0, %p1",
    "setp.neu.f64 %p1, %g1, %g2; selp.b32 %r4, 1, 0, %p1",
    "and.pred %p1, %p1, %p2; selp.b32 %r4, 1, 0, %p1",
    "@%p1 add.s32 %r4, %r1, %r2",
    "@!%p1 add.s64 %rd4, %rd2, %rd3",
];

/// Instructions between the barriers that are left to the interpreter.
fn left(kernel: &Kernel, keyed: bool) -> Vec<Op> {
    let compiled = Compiled::new(&kernel.code, keyed).unwrap_or_else(|unfit| panic!("{unfit:?}"));
    let inner = compiled.code.ins.split(|ins| matches!(ins.op, Op::Barrier(_))).nth(1).unwrap_or_default();
    inner.iter().map(|ins| ins.op).filter(|op| !matches!(op, Op::Compiled(_))).collect()
}

#[test]
fn common_instructions_are_compiled() {
    for body in COMPILED {
        let kernel = kernel(&format!("{SET} {body};"));
        for keyed in [false, true] {
            assert!(left(&kernel, keyed).is_empty(), "{body}: {:?}", left(&kernel, keyed));
        }
    }
}

#[test]
fn what_may_fail_or_wait_is_left_to_the_interpreter() {
    for body in ["ld.global.u32 %r4, [%rd1]", "rem.u32 %r4, %r1, %r2", "bar.warp.sync 0xffffffff", "trap"] {
        let kernel = kernel(&format!("{SET} {body}; add.s32 %r4, %r4, %r1; add.s32 %r4, %r4, %r2;"));
        assert!(!left(&kernel, true).is_empty(), "{body}");
    }
}

#[test]
fn all_of_them_at_once_need_more_registers_than_there_are() {
    // Every result is used at the end: parts must go to memory and come back.
    let mut body = format!("{SET} .reg .b32 %s<40>; .reg .b64 %t<40>; .reg .pred %q<20>;\n");
    for at in 0..40 {
        body += &format!("add.s32 %s{at}, %r1, {at}; mul.wide.u32 %t{at}, %s{at}, %r2;\n");
        if at < 20 {
            body += &format!("setp.lt.s32 %q{at}, %s{at}, %r3;\n");
        }
    }
    for at in 0..40 {
        body += &format!("@%q{} xor.b32 %r4, %r4, %s{at}; add.s64 %rd4, %rd4, %t{at};\n", at / 2);
    }
    let kernel = kernel(&body);
    for keyed in [false, true] {
        assert!(left(&kernel, keyed).is_empty());
    }
    for key in [None, Some(&[3; 32])] {
        assert_eq!(run(&kernel, Tier::Baseline, 1, key), run(&kernel, Tier::Compiled, 1, key));
    }
}

/// Outcome and memory of a block with so many threads, of which the first alone stores.
fn run(kernel: &Kernel, tier: Tier, threads: u32, key: Option<&[u8; 32]>) -> (Option<Outcome>, Vec<u8>) {
    crate::run_as(tier);
    let mut memory = Bytes((0..64).map(|at| (at * 37) as u8).collect());
    let geometry = crate::Geometry { grid: [1; 3], block: [threads, 1, 1], shared: 0 };
    let argument = [crate::Argument::Buffer { index: 0, offset: 0 }];
    let outcome = kernel.run(&geometry, &argument, [0; 3], &mut memory, 1 << 24, key);
    crate::run_as(Tier::Best);
    (outcome.ok(), memory.0)
}

#[test]
fn a_block_that_runs_for_long_changes_over_at_a_barrier_and_nothing_shows() {
    if !std::is_x86_feature_detected!("avx2") {
        return;
    }
    let body = format!(
        "{SET} mov.u32 %r5, %tid.x; mov.u32 %r6, 0;
        L: add.s32 %r6, %r6, 1; mul.lo.s32 %r4, %r4, 31; xor.b32 %r4, %r4, %r5; shr.u32 %r7, %r4, 3;
        setp.lt.s32 %p2, %r4, %r7; @%p2 add.s32 %r4, %r4, %r6; add.s64 %rd4, %rd4, %rd2; bar.sync 0;
        setp.lt.s32 %p1, %r6, 2000; @%p1 bra L;
        setp.ne.s32 %p1, %r5, 0; @%p1 ret;"
    );
    for key in [None, Some(&[4; 32])] {
        let kernel = kernel(&body);
        let is_compiled = |tier: &std::sync::OnceLock<_>| tier.get().is_some();
        let (plain, keyed) = (&kernel.code.tiers.plain, &kernel.code.tiers.keyed);
        let expected = run(&kernel, Tier::Interpreted, 70, key);
        assert!(matches!(expected.0, Some(Outcome::Done { .. })), "{expected:?}");
        assert!(!is_compiled(plain) && !is_compiled(keyed), "who asks for the interpreter gets it");
        let found = run(&kernel, Tier::Best, 70, key);
        assert!(is_compiled(if key.is_some() { keyed } else { plain }), "it ran for long enough");
        assert_eq!(found, expected, "from the interpreter to compiled segments");
        assert_eq!(run(&kernel, Tier::Best, 70, key), expected, "compiled from the start");
    }
}

struct Bytes(Vec<u8>);

impl crate::Memory for Bytes {
    fn load(&mut self, _: u16, offset: u64, out: &mut [u8]) -> Result<(), crate::AccessError> {
        let from = self.0.get(offset as usize..).and_then(|from| from.get(..out.len()));
        out.copy_from_slice(from.ok_or(crate::AccessError::OutOfBounds)?);
        Ok(())
    }

    fn store(&mut self, _: u16, offset: u64, bytes: &[u8]) -> Result<(), crate::AccessError> {
        let into = self.0.get_mut(offset as usize..).and_then(|into| into.get_mut(..bytes.len()));
        into.ok_or(crate::AccessError::OutOfBounds)?.copy_from_slice(bytes);
        Ok(())
    }
}
