//! Units that are slow for the fuel they use: what the weight of a unit of fuel has to cover.

use anyhow::Context;
use assay_kernels::{Job, LaunchDraft, ProgramDraft};

/// Bytes of each of the two buffers.
const BYTES: usize = 1 << 16;

/// Threads, name, body of a loop. `%r1` is the thread, `%rd1` the owned buffer, `%rd2` the one that is only read,
/// `%rd3` and `%rd4` an own byte in each, `%rd6` and `%rd7` own 8 and 16 bytes of the first, `%r5`, `%r14`, `%r15` an own byte, own 8 and 16 bytes of shared memory, `%rd11` one of local memory, `%rd12` a table, `%r2` … `%r4` and `%f`, `%d` values.
const CASES: [(&str, u32, &str); 43] = [
    ("integers", 256, "mad.lo.u32 %r2, %r2, %r3, %r4; xor.b32 %r3, %r3, %r2;"),
    ("integers, 1 thread", 1, "mad.lo.u32 %r2, %r2, %r3, %r4; xor.b32 %r3, %r3, %r2;"),
    ("integers, 8 threads", 8, "mad.lo.u32 %r2, %r2, %r3, %r4; xor.b32 %r3, %r3, %r2;"),
    ("branches, 1 thread", 1, "bra A; A: bra B; B: bra C; C:"),
    (
        "diverging",
        256,
        "and.b32 %r4, %r20, %r1; setp.eq.u32 %p2, %r4, 0; @%p2 bra A; add.u32 %r2, %r2, 1; bra B; A: add.u32 %r2, %r2, 3; B:",
    ),
    ("32 ways", 256, "and.b32 %r4, %r1, 31; setp.ne.u32 %p2, %r4, %r20; @%p2 bra A; add.u32 %r2, %r2, 1; A:"),
    ("64 bits", 256, "mad.lo.u64 %rd8, %rd8, %rd9, 7; xor.b64 %rd9, %rd9, %rd8;"),
    ("division of integers", 256, "div.u64 %rd8, %rd10, %rd9; add.u64 %rd9, %rd8, 3; rem.u32 %r2, %r3, %r4;"),
    ("fma f32", 256, "fma.rn.f32 %f1, %f1, %f2, %f3; fma.rn.f32 %f3, %f3, %f2, %f1;"),
    ("fma f64", 256, "fma.rn.f64 %d1, %d1, %d2, %d3; fma.rn.f64 %d3, %d3, %d2, %d1;"),
    ("division and root f32", 256, "div.rn.f32 %f1, %f2, %f1; sqrt.rn.f32 %f3, %f1;"),
    ("division and root f64", 256, "div.rn.f64 %d1, %d2, %d1; sqrt.rn.f64 %d3, %d1;"),
    ("root f64 toward zero", 256, "sqrt.rz.f64 %d3, %d1; add.rn.f64 %d1, %d3, %d2;"),
    ("division f64 up", 256, "div.rp.f64 %d3, %d2, %d1; add.rn.f64 %d1, %d3, %d2;"),
    ("fma f64 down", 256, "fma.rm.f64 %d1, %d1, %d2, %d3; add.rm.f64 %d3, %d3, %d1;"),
    ("toward zero f32", 256, "fma.rz.f32 %f1, %f1, %f2, %f3; add.rz.f32 %f3, %f3, %f1; mul.rz.f32 %f3, %f3, %f2;"),
    (
        "conversions",
        256,
        "cvt.rn.f16.f32 %h1, %f1; cvt.f32.f16 %f2, %h1; cvt.rzi.s64.f64 %rd8, %d1; cvt.rn.f64.u64 %d2, %rd8;",
    ),
    ("owned bytes", 256, "ld.global.u8 %r2, [%rd3]; add.u32 %r2, %r2, 1; st.global.u8 [%rd3], %r2;"),
    ("read bytes", 256, "ld.global.u8 %r2, [%rd4]; ld.global.u8 %r3, [%rd4+1]; ld.global.u8 %r4, [%rd4+77];"),
    ("shared bytes", 256, "ld.shared.u8 %r2, [%r5]; add.u32 %r2, %r2, 1; st.shared.u8 [%r5], %r2;"),
    ("shared atomics", 256, "red.shared.add.u32 [%r6], %r1; red.shared.max.u32 [%r6+64], %r1;"),
    (
        "shuffles and votes",
        256,
        "shfl.sync.bfly.b32 %r2, %r3, 5, 31, -1; vote.sync.ballot.b32 %r4, %p1, -1; match.any.sync.b32 %r3, %r2, -1;",
    ),
    ("shared atomics apart", 256, "red.shared.add.u64 [%r14], %rd8; red.shared.max.u64 [%r14+2048], %rd8;"),
    ("owned atomics apart", 256, "red.global.add.u32 [%rd6], %r1; red.global.max.u64 [%rd6+4096], %rd8;"),
    (
        "owned 16 bytes",
        256,
        "ld.global.v4.u32 {%r7,%r8,%r9,%r10}, [%rd7]; st.global.v4.u32 [%rd7], {%r7,%r8,%r9,%r10};",
    ),
    (
        "owned 16 beside 1",
        256,
        "ld.global.v4.u32 {%r7,%r8,%r9,%r10}, [%rd7]; st.global.v4.u32 [%rd7], {%r7,%r8,%r9,%r10}; @!%p3 ld.global.u8 %r2, [%rd4];",
    ),
    (
        "shared 16 beside 1",
        256,
        "ld.shared.v4.u32 {%r7,%r8,%r9,%r10}, [%r15]; st.shared.v4.u32 [%r15], {%r7,%r8,%r9,%r10};",
    ),
    ("shared 8 scattered beside 1", 256, "ld.shared.u64 %rd8, [%r14]; st.shared.u64 [%r14], %rd8;"),
    ("local bytes", 256, "ld.local.u8 %r2, [%rd11]; st.local.u8 [%rd11], %r2;"),
    ("halves", 256, "fma.rn.f16x2 %r2, %r2, %r3, %r4; add.rn.bf16x2 %r3, %r3, %r2; mul.rn.f16x2 %r4, %r4, %r3;"),
    ("packed video", 256, "vadd4.u32.u32.u32.sat %r2, %r2, %r3, %r4; vabsdiff4.u32.s32.s32.add %r3, %r2, %r4, %r3;"),
    ("matches apart", 256, "match.any.sync.b64 %r2, %rd5, -1; match.any.sync.b32 %r3, %r11, -1;"),
    ("redux", 256, "redux.sync.add.s32 %r2, %r3, -1; redux.sync.min.s32 %r3, %r2, -1;"),
    ("bits", 256, "bfind.u64 %r2, %rd9; fns.b32 %r3, %r11, 0, 5; bfe.s64 %rd9, %rd9, %r2, %r4; brev.b64 %rd9, %rd9;"),
    (
        "table, scattered",
        256,
        "and.b32 %r2, %r11, 60; cvt.u64.u32 %rd8, %r2; add.s64 %rd8, %rd8, %rd12; ld.const.u32 %r3, [%rd8];",
    ),
    ("calls with local bytes, 1 thread", 1, "call.uni local_bytes, ();"),
    ("calls with unset registers, 1 thread", 1, "call.uni unset_registers, ();"),
    (
        "barriers of parts",
        256,
        "and.b32 %r2, %r1, 16; mov.u32 %r17, 65535; shl.b32 %r16, %r17, %r2; bar.warp.sync %r16; st.shared.u8 [%r5], %r2;
         bar.warp.sync %r16; xor.b32 %r2, %r1, 3; mad.lo.u32 %r2, %r2, 53, %r12; ld.shared.u8 %r3, [%r2]; ld.shared.u8 %r4, [%r2];
         ld.shared.u8 %r3, [%r5]; ld.shared.u8 %r4, [%r2]; ld.shared.u8 %r4, [%r2]; ld.shared.u8 %r4, [%r2];",
    ),
    (
        "barriers of parts alone",
        256,
        "and.b32 %r2, %r1, 16; mov.u32 %r17, 65535; shl.b32 %r16, %r17, %r2; bar.warp.sync %r16; bar.warp.sync %r16; bar.warp.sync %r16;
         bar.warp.sync %r16; bar.warp.sync %r16; bar.warp.sync %r16; bar.warp.sync %r16; bar.warp.sync %r16; bar.warp.sync %r16;",
    ),
    (
        "numbered barriers",
        256,
        "shr.u32 %r2, %r1, 5; add.u32 %r2, %r2, 1; bar.sync %r2, 32; bar.sync %r2, 32; bar.sync %r2, 32; bar.sync %r2, 32; bar.sync %r2, 32;",
    ),
    (
        "wide reads beside barriers of parts",
        256,
        "mov.u32 %r17, -1; shr.u32 %r17, %r17, %r13; @%p4 bar.warp.sync %r17; ld.shared.u8 %r3, [%r15]; ld.shared.v4.u32 {%r7,%r8,%r9,%r10}, [%r15];
         ld.shared.v4.u32 {%r7,%r8,%r9,%r10}, [%r15]; st.shared.v4.u32 [%r15], {%r7,%r8,%r9,%r10};",
    ),
    (
        "reads beside barriers of parts",
        256,
        "mov.u32 %r17, -1; shr.u32 %r17, %r17, %r13; @%p4 bar.warp.sync %r17; xor.b32 %r2, %r1, 3; mad.lo.u32 %r2, %r2, 53, %r12;
         ld.shared.u8 %r3, [%r2]; ld.shared.u8 %r4, [%r5]; ld.shared.u8 %r3, [%r2]; ld.shared.u8 %r4, [%r5]; ld.shared.u8 %r3, [%r2];",
    ),
    (
        "mma int8",
        256,
        "mma.sync.aligned.m16n8k32.row.col.s32.s8.s8.s32 {%r7,%r8,%r9,%r10}, {%r2,%r3,%r2,%r3}, {%r2,%r3}, {%r7,%r8,%r9,%r10};",
    ),
];

/// Functions whose calls have much to forget.
fn functions() -> String {
    let sums: String = (2..400).map(|at| format!("add.u32 %r1, %r1, %r{at};\n")).collect();
    format!(
        ".func local_bytes() {{ .local .align 16 .b8 l[8192]; .reg .b32 %r<2>; mov.u32 %r1, 1; st.local.u32 [l], %r1; ret; }}
.func unset_registers() {{ .reg .b32 %r<400>; .reg .pred %p<2>; mov.u32 %r1, %tid.x; setp.gt.u32 %p1, %r1, 2000; @%p1 bra L; ret; L:
{sums}ret; }}\n"
    )
}

fn ptx(body: &str) -> String {
    let functions = functions();
    format!(
        ".version 8.0\n.target sm_80\n.address_size 64\n.const .align 16 .b8 t[64] = {{1, 2, 3}};\n{functions}.visible .entry k(.param .u64 k_out, .param .u64 k_in, .param .u32 k_turns)
{{
.reg .b16 %h<4>; .reg .b32 %r<24>; .reg .b64 %rd<16>; .reg .f32 %f<4>; .reg .f64 %d<4>; .reg .pred %p<5>;
.shared .align 16 .b8 s[16384]; .local .align 16 .b8 l[64];
ld.param.u64 %rd1, [k_out]; ld.param.u64 %rd2, [k_in]; ld.param.u32 %r21, [k_turns];
mov.u32 %r1, %tid.x; mul.lo.u32 %r11, %r1, 53; cvt.u64.u32 %rd5, %r11;
add.s64 %rd3, %rd1, %rd5; add.s64 %rd4, %rd2, %rd5; mov.u32 %r12, s; add.u32 %r5, %r12, %r11; mov.u32 %r6, %r12;
mov.u32 %r2, 3; mov.u32 %r3, 1664525; mov.u32 %r4, 13; mov.u32 %r7, 0; mov.u32 %r8, 0; mov.u32 %r9, 0; mov.u32 %r10, 0;
mov.u64 %rd8, 12345; mov.u64 %rd9, 6364136223846793005; mov.u64 %rd10, -7; setp.eq.u32 %p1, %r1, 0; setp.gt.u32 %p4, %r1, 5000;
mov.f32 %f1, 0f3FC00000; mov.f32 %f2, 0f3F7FBE77; mov.f32 %f3, 0f3DCCCCCD;
mov.f64 %d1, 0d3FF8000000000000; mov.f64 %d2, 0d3FEFF7CED916872B; mov.f64 %d3, 0d3FB999999999999A;
xor.b32 %r13, %r1, 21; mul.lo.u32 %r13, %r13, 8; add.u32 %r14, %r12, %r13; add.u32 %r15, %r14, %r13; cvt.u64.u32 %rd6, %r13;
add.s64 %rd7, %rd6, %rd6; add.s64 %rd6, %rd6, %rd1; add.s64 %rd7, %rd7, %rd1; mov.u64 %rd12, t; and.b32 %r13, %r1, 7;
mul.lo.u32 %r13, %r13, 5; cvt.u64.u32 %rd13, %r13; mov.u64 %rd11, l; add.s64 %rd11, %rd11, %rd13;
mov.u32 %r13, 0; st.local.u8 [%rd11], %r13; st.shared.v4.u32 [%r15], {{%r13, %r13, %r13, %r13}}; bar.sync 0;
st.shared.u8 [%r5], %r13; mov.u32 %r20, 0;
setp.ne.u32 %p3, %r1, 0; bar.sync 0;
@%p3 bra LOOP; st.shared.u32 [%r6], %r13; st.shared.u32 [%r6+64], %r13;
LOOP: bar.sync 0;
TURN:
{body}
add.u32 %r20, %r20, 1; setp.lt.u32 %p2, %r20, %r21; @%p2 bra TURN;
ret;
}}"
    )
}

/// How many there are.
pub const COUNT: usize = CASES.len();

/// A hard unit as a job of one CTA that goes `turns` times through its loop.
pub fn job(index: usize, turns: usize) -> anyhow::Result<Job> {
    let (name, threads, body) = CASES.get(index).context("no such case")?;
    let mut draft = ProgramDraft::new(name, Box::leak(ptx(body).into_bytes().into_boxed_slice()));
    let (owned, read) = (draft.zeros(BYTES), draft.data(vec![7; BYTES]));
    let launch = LaunchDraft::line("k", 1, *threads).pointer(owned).pointer(read).int(turns);
    draft.launch(launch.first_owns(owned, BYTES));
    Ok(draft.finish()?)
}
