//! Kernels, programs and honest or dishonest work with them, by the real engine.

use crate::{mock::*, *};
use assay_audit::{Effect, Job, Snapshot, State, WitnessParts, build_witness, run_cta};
use assay_engine::{Module, Outcome};
use assay_primitives::{
    Arg, Axis, Buffer, Dim, Init, Launch, Step, WriteMap, Writes, audit,
    order::{AuditLevel, PriceCurve},
    payload,
    slice::Outboard,
    trace,
};
use assay_runtime_api::vrf;
use sp_core::{Pair as _, crypto::VrfSecret};

/// `buffer[i] += 1` over 32-bit words; and kernels that break rules.
pub const PTX: &str = include_str!("kernel.ptx");

pub fn ptx(text: &str) -> frame_support::BoundedVec<u8, sp_core::ConstU32<MAX_KERNEL_BYTES>> {
    text.as_bytes().to_vec().try_into().unwrap()
}

/// Registers the kernel as its owner; returns its address.
pub fn register() -> KernelId {
    Compute::register_kernel(RuntimeOrigin::signed(who(OWNER)), ptx(PTX)).unwrap();
    assay_primitives::hash::plain(PTX.as_bytes())
}

/// CTAs of the test launches, and threads of each.
pub const CTAS: u32 = 4;
pub const THREADS: u32 = 32;
/// Bytes of the buffer, one word per thread.
pub const BYTES: u64 = (CTAS * THREADS * 4) as u64;

/// A launch of `entry` over the buffer, each thread owning its word.
pub fn launch(entry: &str) -> Launch {
    let dims = vec![Dim::Span { stride: i64::from(THREADS * 4), extent: CTAS.into(), axis: Some(Axis::X), tile: 1 }];
    let map = WriteMap { buffer: 0, base: 0, dims: dims.try_into().unwrap(), run: u64::from(THREADS * 4) };
    Launch {
        kernel: 0,
        entry: entry.as_bytes().to_vec().try_into().unwrap(),
        grid: [CTAS, 1, 1],
        block: [THREADS, 1, 1],
        shared: 0,
        args: vec![Arg::Buffer { index: 0, offset: 0 }].try_into().unwrap(),
        writes: Writes::Maps(vec![map].try_into().unwrap()),
    }
}
/// A program of those entries, one launch each, over one zeroed buffer.
pub fn program(entries: &[&str]) -> Program {
    Program {
        kernels: vec![assay_primitives::hash::plain(PTX.as_bytes())].try_into().unwrap(),
        buffers: vec![Buffer { len: BYTES, init: Init::Zero, output: true }].try_into().unwrap(),
        steps: entries.iter().map(|entry| Step::Launch(launch(entry))).collect::<Vec<_>>().try_into().unwrap(),
    }
}

/// The usual terms: a fixed price of 10 tokens, two auditors with four draws each.
pub fn terms() -> Terms {
    Terms {
        price: PriceCurve { start: 10 * UNIT, max: 10 * UNIT, blocks: 0 },
        open_blocks: 20,
        attempt_blocks: 10,
        audit: AuditLevel { auditors: 2, units: 4 },
    }
}

/// Places the usual order as the customer.
pub fn place(program: &Program) -> OrderId {
    place_with(program, terms())
}

pub fn place_with(program: &Program, terms: Terms) -> OrderId {
    let order = NextOrder::<Test>::get();
    Compute::place_order(RuntimeOrigin::signed(who(CUSTOMER)), Box::new(program.clone()), terms).unwrap();
    order
}

pub fn claim_call(order: OrderId, attempt: AttemptIndex, provider: u8, key: &sr25519::Pair) -> Call<Test> {
    let payload = payload::claim(&Compute::genesis_hash(), order, attempt, &who(provider).into());
    Call::claim { order, attempt, provider: who(provider), signature: key.sign(&payload) }
}

/// Claims the order's next attempt.
pub fn claim(order: OrderId, provider: u8) -> Feeless {
    let attempt = Orders::<Test>::get(order).map_or(0, |order| order.attempts);
    feeless(claim_call(order, attempt, provider, &worker(provider)))
}

pub fn decline(order: OrderId, provider: u8) -> Feeless {
    let attempt = Orders::<Test>::get(order).and_then(|order| order.current()).unwrap_or(0);
    let payload = payload::decline(&Compute::genesis_hash(), order, attempt, &who(provider).into());
    let signature = worker(provider).sign(&payload);
    feeless(Call::decline { order, attempt, provider: who(provider), signature })
}

pub fn commit_call(
    order: OrderId,
    attempt: AttemptIndex,
    provider: u8,
    trace_root: Hash,
    start: TracePath,
) -> Call<Test> {
    let payload = payload::commit(&Compute::genesis_hash(), order, attempt, &who(provider).into(), &trace_root);
    let signature = worker(provider).sign(&payload);
    Call::commit_result { order, attempt, provider: who(provider), trace_root, start, signature }
}

/// Commits the work as the present attempt's result.
pub fn commit(order: OrderId, provider: u8, work: &Work) -> Feeless {
    let attempt = Orders::<Test>::get(order).and_then(|order| order.current()).unwrap_or(0);
    feeless(commit_call(order, attempt, provider, work.trace_root(), work.path(0)))
}

/// A whole state, with its outboards.
pub struct Whole {
    buffers: Vec<Vec<u8>>,
    outboards: Vec<Outboard>,
}

impl Whole {
    fn new(buffers: Vec<Vec<u8>>) -> Self {
        let outboards = buffers.iter().map(|buffer| Outboard::new(buffer)).collect();
        Self { buffers, outboards }
    }

    /// State 0 of a program whose buffers are all zeroed: addressed by their lengths alone.
    fn zeroed(program: &Program) -> Self {
        Self {
            buffers: program.buffers.iter().map(|buffer| vec![0; usize::try_from(buffer.len).unwrap()]).collect(),
            outboards: program.buffers.iter().map(|buffer| Outboard::zero(buffer.len)).collect(),
        }
    }

    fn root(&self) -> Hash {
        trace::state_root(&self.outboards.iter().map(|outboard| outboard.blob).collect::<Vec<_>>())
    }
}

impl State for Whole {
    fn buffer(&self, buffer: u16) -> Option<&[u8]> {
        self.buffers.get(usize::from(buffer)).map(Vec::as_slice)
    }
}

impl Snapshot for Whole {
    fn outboard(&self, buffer: u16) -> Option<&Outboard> {
        self.outboards.get(usize::from(buffer))
    }
}

/// What a provider did with a program: every state.
pub struct Work {
    program: Program,
    modules: Vec<Module>,
    states: Vec<Whole>,
}

impl Work {
    /// Runs the program honestly; units that trap leave what they own as it was.
    pub fn honest(program: &Program) -> Self {
        Self::with(program, |_, _| {})
    }

    /// Runs the program and lets `tamper` change the buffers after each launch.
    pub fn with(program: &Program, tamper: impl Fn(u32, &mut [Vec<u8>])) -> Self {
        let modules: Vec<_> = program.kernels.iter().map(|_| Module::parse(PTX.as_bytes()).unwrap()).collect();
        let mut states = vec![Whole::zeroed(program)];
        for index in 0..u32::try_from(program.launches()).unwrap() {
            let job = Job { program, modules: &modules, fuel: UnitFuel::get() };
            let before = states.last().unwrap();
            let mut buffers = before.buffers.clone();
            let grid = program.launch(index).unwrap().launch.grid;
            for x in 0..grid[0] {
                let run = run_cta(&job, Unit { launch: index, cta: [x, 0, 0] }, before, None).unwrap();
                for Effect { buffer, offset, bytes } in run.effects {
                    let start = usize::try_from(offset).unwrap();
                    buffers[usize::from(buffer)][start..start + bytes.len()].copy_from_slice(&bytes);
                }
            }
            tamper(index, &mut buffers);
            states.push(Whole::new(buffers));
        }
        Self { program: program.clone(), modules, states }
    }

    /// As honest work, but for one byte of the buffer after the launch at `index`; later launches go on from there.
    pub fn wrong_byte(program: &Program, index: u32, byte: usize) -> Self {
        Self::with(program, |launch, buffers| {
            if launch == index {
                buffers[0][byte] ^= 1;
            }
        })
    }

    fn roots(&self) -> Vec<Hash> {
        self.states.iter().map(Whole::root).collect()
    }

    pub fn trace_root(&self) -> Hash {
        trace::trace_root(&self.roots()).unwrap()
    }

    pub fn path(&self, index: u32) -> TracePath {
        trace::trace_path(&self.roots(), index).unwrap()
    }

    /// The witness of one CTA of one launch.
    pub fn witness(&self, unit: Unit) -> Witness {
        let job = Job { program: &self.program, modules: &self.modules, fuel: UnitFuel::get() };
        let index = usize::try_from(unit.launch).unwrap();
        let parts = WitnessParts {
            before: &self.states[index],
            after: &self.states[index + 1],
            before_path: self.path(unit.launch),
            after_path: self.path(unit.launch + 1),
        };
        let (witness, _): (_, Outcome) = build_witness(&job, unit, parts).unwrap();
        witness
    }
}

/// One CTA of one launch.
pub fn unit(launch: u32, x: u32) -> Unit {
    Unit { launch, cta: [x, 0, 0] }
}

/// What a validator's VRF draws for the present attempt.
pub fn drawn(order: OrderId, validator: u8) -> Hash {
    let (input, _) = vrf_input(order);
    audit(validator).make_bytes(assay_primitives::audit::VRF_OUTPUT_LABEL, &vrf::input(&input))
}

fn vrf_input(order: OrderId) -> (Hash, AttemptIndex) {
    let attempt = Orders::<Test>::get(order).and_then(|order| order.current()).unwrap();
    let tried = Attempts::<Test>::get(order, attempt).unwrap();
    let provider: Account = tried.provider.into();
    let root = tried.commitment.unwrap().trace_root;
    (audit::vrf_input(&Compute::genesis_hash(), order, attempt, &provider, &root), attempt)
}

/// An honest report of the present attempt, of the units that were drawn.
pub fn report_of(order: OrderId, validator: u8, verdict: ReportVerdict) -> audit::Report {
    let found = Orders::<Test>::get(order).unwrap();
    let program = Compute::program(found.program).unwrap();
    let units = audit::draw_units(&drawn(order, validator), &program, found.terms.audit).len();
    let (_, attempt) = vrf_input(order);
    let report = audit::Report {
        order,
        attempt,
        verdict,
        units: u16::try_from(units).unwrap(),
        lane_steps: 1_000,
        digest: [7; 32],
        pre_output: [0; 32],
        proof: [0; 64],
    };
    sign(report, &audit(validator))
}

/// Evaluates the VRF and signs the report with it.
pub fn sign(mut report: audit::Report, key: &sr25519::Pair) -> audit::Report {
    let (input, _) = vrf_input(report.order);
    let signature = key.vrf_sign(&vrf::sign_data(&input, &audit::report_statement(&report)));
    report.pre_output.copy_from_slice(&codec::Encode::encode(&signature.pre_output));
    report.proof.copy_from_slice(&codec::Encode::encode(&signature.proof));
    report
}

pub fn report_call(validator: u8, reports: Vec<audit::Report>) -> Call<Test> {
    Call::report_audits { auditor: audit(validator).public(), reports: reports.try_into().unwrap() }
}

/// Reports that the present attempt is verified.
pub fn report(order: OrderId, validator: u8) -> Feeless {
    feeless(report_call(validator, vec![report_of(order, validator, ReportVerdict::Verified)]))
}

/// The first two validators that are drawn report, waiting until they are.
pub fn audit_all(order: OrderId) {
    let wanted = usize::from(Orders::<Test>::get(order).unwrap().terms.audit.auditors);
    for _ in 0..WINDOW {
        for validator in VALIDATORS {
            let (_, attempt) = vrf_input(order);
            if Reports::<Test>::get(order, attempt).len() < wanted {
                let _ = report(order, validator);
            }
        }
        let (_, attempt) = vrf_input(order);
        if Reports::<Test>::get(order, attempt).len() >= wanted {
            return;
        }
        pass(1);
    }
    panic!("nobody was drawn");
}

/// Proves a fault as a stranger.
pub fn prove(
    order: OrderId,
    attempt: AttemptIndex,
    unit: Unit,
    witness: Witness,
) -> frame_support::dispatch::DispatchResultWithPostInfo {
    crate::mock::attempt(|| {
        Compute::prove_fault(RuntimeOrigin::signed(who(STRANGER)), order, attempt, unit, Box::new(witness))
    })
}

pub fn fault_call(order: OrderId, attempt: AttemptIndex, validator: u8, unit: Unit, witness: Witness) -> Call<Test> {
    let key = audit(validator);
    let evidence = codec::Encode::using_encoded(&(unit, &witness), assay_primitives::hash::plain);
    let payload = payload::fault_report(&Compute::genesis_hash(), order, attempt, &key.public().0, &evidence);
    let signature = key.sign(&payload);
    Call::report_fault { auditor: key.public(), order, attempt, unit, witness: Box::new(witness), signature }
}

/// An order whose present attempt committed that work.
pub fn committed(work: &Work) -> OrderId {
    let order = place(&work.program);
    claim(order, P).ok();
    commit(order, P, work).ok();
    order
}

/// Where the order stands.
pub fn status(order: OrderId) -> OrderStatus {
    Orders::<Test>::get(order).unwrap().status
}

/// The receipt of an order that ended.
pub fn receipt(order: OrderId) -> Receipt {
    Orders::<Test>::get(order).unwrap().receipt.unwrap()
}

/// How an attempt failed.
pub fn failure(order: OrderId, attempt: AttemptIndex) -> Option<Failure> {
    Attempts::<Test>::get(order, attempt).unwrap().failure
}

/// The bond of an attempt.
pub fn bond(order: OrderId, attempt: AttemptIndex) -> Balance {
    Attempts::<Test>::get(order, attempt).unwrap().bond
}

/// A witness that misses one of its slices.
pub fn torn(mut witness: Witness) -> Witness {
    witness.slices.pop();
    witness
}
