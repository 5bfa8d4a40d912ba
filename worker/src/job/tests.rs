//! From inputs to verdicts, over a real kernel on the CPU backend.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use super::{
    execute::execute,
    record::{Ending, Execution, Record, Stage, Trace},
    sabotage::falsify,
    witness::{Cache, Check, WitnessFailure, self_check, witness},
};
use crate::{
    backend::{Control, Cpu, PrepareError, Prepared, RunError},
    blobs::{Store, StoreError},
    config::JobLimits,
};
use assay_audit::{Fault, Verdict, judge};
use assay_primitives::{Arg, Axis, BlobId, Buffer, Dim, Init, Launch, Program, Step, Unit, WriteMap, Writes, audit};
use std::num::NonZeroUsize;

/// `out[i] = 3 * in[i] + round` for `i < n`; with `wild` set, CTA 2 writes one element too far.
const PTX: &str = "
.version 7.0
.target sm_75
.address_size 64

.visible .entry step(
	.param .u64 in,
	.param .u64 out,
	.param .u32 n,
	.param .u32 round,
	.param .u32 wild
)
{
	.reg .pred 	%p<4>;
	.reg .b32 	%r<12>;
	.reg .b64 	%rd<8>;

	ld.param.u64 	%rd1, [in];
	ld.param.u64 	%rd2, [out];
	ld.param.u32 	%r1, [n];
	ld.param.u32 	%r2, [round];
	ld.param.u32 	%r9, [wild];
	mov.u32 	%r3, %ctaid.x;
	mov.u32 	%r4, %ntid.x;
	mov.u32 	%r5, %tid.x;
	mad.lo.s32 	%r6, %r3, %r4, %r5;
	setp.ge.u32 	%p1, %r6, %r1;
	@%p1 bra 	$done;
	cvta.to.global.u64 	%rd3, %rd1;
	cvta.to.global.u64 	%rd4, %rd2;
	mul.wide.u32 	%rd5, %r6, 4;
	add.s64 	%rd6, %rd3, %rd5;
	ld.global.u32 	%r7, [%rd6];
	mad.lo.s32 	%r8, %r7, 3, %r2;
	setp.ne.u32 	%p2, %r9, 0;
	setp.eq.u32 	%p3, %r3, 2;
	and.pred 	%p2, %p2, %p3;
	selp.b32 	%r10, 256, 0, %p2;
	cvt.u64.u32 	%rd7, %r10;
	add.s64 	%rd5, %rd5, %rd7;
	add.s64 	%rd7, %rd4, %rd5;
	st.global.u32 	[%rd7], %r8;
$done:
	ret;
}
";

const N: u32 = 1000;
const CTAS: u32 = 16;

fn input() -> Vec<u8> {
    (0..N).flat_map(|index| (index * 2_654_435).to_le_bytes()).collect()
}

/// Three rounds there and back between two buffers, and a third buffer that nobody touches.
fn program(blob: BlobId, wild: u32) -> Program {
    let bytes = u64::from(N) * 4;
    let launch = |from: u16, to: u16| Launch {
        kernel: 0,
        entry: b"step".to_vec().try_into().unwrap(),
        grid: [CTAS, 1, 1],
        block: [64, 1, 1],
        shared: 0,
        args: vec![
            Arg::Buffer { index: from, offset: 0 },
            Arg::Buffer { index: to, offset: 0 },
            Arg::U32(N),
            Arg::Iteration,
            Arg::U32(wild),
        ]
        .try_into()
        .unwrap(),
        writes: Writes::Maps(
            vec![WriteMap {
                buffer: to,
                base: 0,
                dims: vec![Dim::Span { stride: 4, extent: N.into(), axis: Some(Axis::X), tile: 64 }]
                    .try_into()
                    .unwrap(),
                run: 4,
            }]
            .try_into()
            .unwrap(),
        ),
    };
    let buffer = |init, output| Buffer { len: bytes, init, output };
    Program {
        kernels: vec![assay_primitives::hash::plain(PTX.as_bytes())].try_into().unwrap(),
        buffers: vec![buffer(Init::Blob(blob), true), buffer(Init::Zero, false), buffer(Init::Zero, false)]
            .try_into()
            .unwrap(),
        steps: vec![Step::Repeat { times: 3, launches: vec![launch(0, 1), launch(1, 0)].try_into().unwrap() }]
            .try_into()
            .unwrap(),
    }
}

struct Stand {
    _folder: tempfile::TempDir,
    store: Store,
    job: Prepared,
    cache: Cache,
}

impl Stand {
    fn new(wild: u32) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path(), 1 << 30).unwrap();
        let blob = store.put(&input()).unwrap();
        let job = Prepared::new(program(blob, wild), vec![PTX.as_bytes().to_vec()], 1_000_000).unwrap();
        let cache = Cache::new(store.clone(), 1 << 20);
        Self { _folder: folder, store, job, cache }
    }

    fn run(&self) -> Execution {
        execute(&self.store, &Cpu::default(), &self.job, &Control::default()).unwrap()
    }

    fn verdicts(&self, trace: &Trace) -> Vec<(Unit, Verdict)> {
        let all =
            (0..audit::unit_count(self.job.program())).map(|index| audit::unit_at(self.job.program(), index).unwrap());
        all.map(|unit| {
            let witness = witness(&self.cache, &self.job, trace, unit).unwrap();
            (unit, judge(&self.job.job(), &trace.root(), unit, &witness, None).unwrap())
        })
        .collect()
    }
}

fn expected() -> Vec<u8> {
    let mut values: Vec<u32> = (0..N).map(|index| index * 2_654_435).collect();
    for round in 0..3 {
        for value in &mut values {
            *value = value.wrapping_mul(3).wrapping_add(round).wrapping_mul(3).wrapping_add(round);
        }
    }
    values.into_iter().flat_map(u32::to_le_bytes).collect()
}

#[test]
fn a_run_gives_the_right_bytes_and_keeps_the_address_of_what_does_not_change() {
    let stand = Stand::new(0);
    let execution = stand.run();
    assert_eq!(execution.states.len(), 7);
    assert_eq!(execution.trap, None);
    assert!(execution.lane_steps.unwrap() > u64::from(N) * 6 * 10);
    assert_eq!(stand.store.read(&execution.states[6][0]).unwrap(), expected());
    let untouched = BlobId::zero(u64::from(N) * 4);
    assert!(execution.states.iter().all(|state| state[2] == untouched));
    assert_eq!(execution.states[1][0], execution.states[0][0], "the first launch writes the other buffer");
    assert_ne!(execution.states[1][1], untouched);
}

#[test]
fn any_number_of_threads_gives_the_same_states() {
    let stand = Stand::new(0);
    let one = execute(&stand.store, &Cpu::new(NonZeroUsize::MIN), &stand.job, &Control::default()).unwrap();
    let many =
        execute(&stand.store, &Cpu::new(NonZeroUsize::new(7).unwrap()), &stand.job, &Control::default()).unwrap();
    assert_eq!(one, many);
}

#[test]
fn every_unit_of_an_honest_run_is_verified_and_the_self_check_passes() {
    let stand = Stand::new(0);
    let trace = Trace::new(stand.run().states).unwrap();
    for (unit, verdict) in stand.verdicts(&trace) {
        assert!(matches!(verdict, Verdict::Verified { .. }), "{unit:?}: {verdict:?}");
    }
    assert!(matches!(self_check(&stand.cache, &stand.job, &trace, 20).unwrap(), Check::Passed(units) if units > 0));
    assert!(matches!(
        witness(&stand.cache, &stand.job, &trace, Unit { launch: 6, cta: [0; 3] }),
        Err(WitnessFailure::NoUnit)
    ));
    assert!(matches!(
        witness(&stand.cache, &stand.job, &trace, Unit { launch: 0, cta: [CTAS, 0, 0] }),
        Err(WitnessFailure::NoUnit)
    ));
}

#[test]
fn a_falsified_run_is_convicted_by_every_unit_of_its_launch() {
    let stand = Stand::new(0);
    let mut execution = stand.run();
    falsify(&stand.store, &stand.job, &mut execution).unwrap();
    let trace = Trace::new(execution.states).unwrap();
    for (unit, verdict) in stand.verdicts(&trace).into_iter().filter(|(unit, _)| unit.launch == 0) {
        assert!(matches!(verdict, Verdict::ProviderFault(Fault::WrongByte { buffer: 1, .. })), "{unit:?}: {verdict:?}");
    }
    assert!(matches!(self_check(&stand.cache, &stand.job, &trace, 200).unwrap(), Check::Mismatch(..)));
}

#[test]
fn a_program_that_writes_what_it_does_not_own_is_told_and_only_its_units_are_at_fault() {
    let stand = Stand::new(1);
    let execution = stand.run();
    let culprit = Unit { launch: 0, cta: [2, 0, 0] };
    assert_eq!(execution.trap, Some(culprit));
    let trace = Trace::new(execution.states).unwrap();
    for (unit, verdict) in stand.verdicts(&trace) {
        if unit.cta == culprit.cta {
            assert!(matches!(verdict, Verdict::ProgramFault(_)), "{unit:?}: {verdict:?}");
        } else {
            assert!(matches!(verdict, Verdict::Verified { .. }), "{unit:?}: {verdict:?}");
        }
    }
    assert!(matches!(self_check(&stand.cache, &stand.job, &trace, 500).unwrap(), Check::ProgramFault(_)));
}

#[test]
fn a_run_that_is_stopped_says_so() {
    let stand = Stand::new(0);
    let control = Control::default();
    control.cancel();
    let stopped = execute(&stand.store, &Cpu::default(), &stand.job, &control);
    assert!(matches!(stopped, Err(RunError::Cancelled)));
}

#[test]
fn a_missing_input_is_an_error_and_not_zeros() {
    let stand = Stand::new(0);
    stand.store.retain(&Default::default()).unwrap();
    let failed = execute(&stand.store, &Cpu::default(), &stand.job, &Control::default());
    assert!(matches!(failed, Err(RunError::Keep(StoreError::Missing(_)))));
}

#[test]
fn programs_and_kernels_that_do_not_fit_are_refused() {
    let blob = BlobId { root: [1; 32], len: u64::from(N) * 4 };
    let prepare =
        |program: Program, ptx: &str| Prepared::new(program, vec![ptx.as_bytes().to_vec()], 1000).err().unwrap();
    assert_eq!(prepare(program(blob, 0), "other"), PrepareError::WrongKernel(0));
    assert_eq!(Prepared::new(program(blob, 0), vec![], 1000).err().unwrap(), PrepareError::WrongKernel(0));
    let torn = &PTX[..PTX.len() / 2];
    let mut named = program(blob, 0);
    named.kernels[0] = assay_primitives::hash::plain(torn.as_bytes());
    assert!(matches!(prepare(named, torn), PrepareError::Parse { .. } | PrepareError::Program(_)));
    let mut empty = program(blob, 0);
    empty.steps = Default::default();
    assert!(matches!(prepare(empty, PTX), PrepareError::Program(_)));
}

#[test]
fn programs_that_need_more_than_the_machine_has_are_not_claimed() {
    let program = program(BlobId { root: [1; 32], len: u64::from(N) * 4 }, 0);
    let bytes = u64::from(N) * 4;
    let limits = |memory| JobLimits { memory, ..JobLimits::default() };
    assert!(super::check_limits(&program, &limits(4 * bytes), 9 * bytes).is_ok());
    assert!(matches!(
        super::check_limits(&program, &limits(4 * bytes - 1), u64::MAX),
        Err(super::Unfit::Memory { .. })
    ));
    assert!(matches!(super::check_limits(&program, &limits(u64::MAX), 9 * bytes - 1), Err(super::Unfit::Disk { .. })));
}

#[test]
fn a_settled_job_keeps_its_outputs_alone() {
    let stand = Stand::new(0);
    let execution = stand.run();
    let output = execution.states[6][0];
    let mut record = Record {
        order: 1,
        attempt: 0,
        provider: [1; 32],
        customer: [2; 32],
        program: stand.job.program().clone(),
        kernels: vec![],
        stage: Stage::Committed(execution.clone()),
    };
    assert!(record.blobs().contains(&execution.states[3][1]));
    record.stage = Stage::Over { ending: Ending::Settled, at: 9, execution: Some(execution) };
    assert_eq!(record.blobs(), vec![output]);
    assert_eq!(record.inputs().len(), 1);
}
