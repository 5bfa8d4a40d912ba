//! A small honest job: two launches of two CTAs that smooth a row of numbers, there and back.

use assay_audit::Trace;
use assay_engine::Module;
use assay_primitives::{
    Arg, Axis, BlobId, Dim, Launch, Program, Step, WriteMap, Writes,
    program::{Buffer, Init},
};
use std::sync::OnceLock;

const PTX: &str = ".version 8.0\n.target sm_80\n.address_size 64\n
.visible .entry smooth(.param .u64 from, .param .u64 to, .param .u32 n) {
    .reg .b32 %r<12>; .reg .b64 %rd<8>; .reg .pred %p<3>;
    ld.param.u64 %rd1, [from]; ld.param.u64 %rd2, [to]; ld.param.u32 %r1, [n];
    mov.u32 %r2, %ctaid.x; mov.u32 %r3, %ntid.x; mov.u32 %r4, %tid.x; mad.lo.u32 %r5, %r2, %r3, %r4;
    setp.ge.u32 %p1, %r5, %r1; @%p1 bra end;
    mul.wide.u32 %rd3, %r5, 4; add.s64 %rd4, %rd1, %rd3; add.s64 %rd5, %rd2, %rd3;
    ld.global.u32 %r6, [%rd4]; mov.u32 %r7, %r6; sub.u32 %r8, %r1, 1; setp.eq.u32 %p2, %r5, %r8; @%p2 bra put;
    ld.global.u32 %r7, [%rd4+4];
put: add.u32 %r9, %r6, %r7; shr.u32 %r9, %r9, 1; st.global.u32 [%rd5], %r9;
end: ret;
}";

/// Words of a row.
const COUNT: u32 = 600;

fn launch(from: u16, to: u16) -> Launch {
    let map = WriteMap {
        buffer: to,
        base: 0,
        dims: vec![Dim::Span { stride: 4, extent: COUNT.into(), axis: Some(Axis::X), tile: 320 }].try_into().unwrap(),
        run: 4,
    };
    Launch {
        kernel: 0,
        entry: b"smooth".to_vec().try_into().unwrap(),
        grid: [2, 1, 1],
        block: [320, 1, 1],
        shared: 0,
        args: vec![Arg::Buffer { index: from, offset: 0 }, Arg::Buffer { index: to, offset: 0 }, Arg::U32(COUNT)]
            .try_into()
            .unwrap(),
        writes: Writes::Maps(vec![map].try_into().unwrap()),
    }
}

/// The job's honest trace.
pub(crate) fn plate() -> &'static Trace {
    static TRACE: OnceLock<Trace> = OnceLock::new();
    TRACE.get_or_init(|| {
        let row: Vec<u8> = (0..COUNT).flat_map(|at| (at.wrapping_mul(2_654_435_761)).to_le_bytes()).collect();
        let other = vec![0x11; row.len()];
        let blob = |bytes: &[u8]| Buffer { len: bytes.len() as u64, init: Init::Blob(BlobId::of(bytes)), output: true };
        let program = Program {
            kernels: vec![[0; 32]].try_into().unwrap(),
            buffers: vec![blob(&row), blob(&other)].try_into().unwrap(),
            steps: vec![Step::Repeat { times: 1, launches: vec![launch(0, 1), launch(1, 0)].try_into().unwrap() }]
                .try_into()
                .unwrap(),
        };
        Trace::run(program, vec![Module::parse(PTX.as_bytes()).unwrap()], vec![row, other], 1_000_000).unwrap()
    })
}
