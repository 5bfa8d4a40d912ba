//! Benchmarks of the calls and of the rates that grow with their input.
//!
//! Orders are made by the calls themselves, results by the engine; only VRF proofs cannot be made inside the runtime, so the
//! benchmark of reports verifies a recorded one as often as there are reports, beside the reads that go with it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::panic
)]

use crate::*;
use alloc::vec;
use assay_audit::{Job, Snapshot, State, WitnessParts, build_witness, run_cta};
use assay_engine::Module;
use assay_primitives::{
    Arg, Buffer, Init, Launch, Step, WriteMap, Writes, audit, hash,
    order::{AuditLevel, PriceCurve},
    payload,
    slice::Outboard,
    trace,
};
use assay_runtime_api::vrf;
use codec::Encode;
use frame_benchmarking::v2::*;
use frame_support::{
    BoundedVec,
    traits::{Get, fungible::Mutate as _},
    weights::WeightMeter,
};
use frame_system::RawOrigin;
use pallet_assay_traits::Stake;
use sp_core::{crypto::KeyTypeId, sr25519};
use sp_io::crypto::{sr25519_generate, sr25519_sign};
use sp_runtime::{SaturatedConversion, transaction_validity::TransactionSource};

const PTX: &[u8] = include_bytes!("benchmark.ptx");
const KEYS: KeyTypeId = KeyTypeId(*b"bnch");
const UNIT: Balance = 1_000_000_000_000_000;
/// Lane-steps of one loop of the kernel, over its 32 threads.
const LOOP: u64 = 7 * 32;

/// A VRF evaluation of `[1; 32]` that signs `[2; 32]` along: key, pre-output, proof.
const KEY: [u8; 32] = VECTOR.0;
const VECTOR: ([u8; 32], [u8; 32], [u8; 64]) = include!("benchmark_vrf.in");

fn key() -> sr25519::Public {
    sr25519_generate(KEYS, None)
}

fn sign(key: &sr25519::Public, payload: &Hash) -> sr25519::Signature {
    sr25519_sign(KEYS, key, payload).unwrap()
}

fn now<T: Config>(block: BlockNumber) {
    frame_system::Pallet::<T>::set_block_number(block.saturated_into());
}

fn funded<T: Config>(name: &'static str) -> T::AccountId {
    let who = account(name, 0, 0);
    T::Currency::mint_into(&who, 1_000_000 * UNIT).unwrap();
    who
}

/// PTX of `bytes`: the kernel and a comment.
fn ptx(bytes: u32) -> BoundedVec<u8, sp_core::ConstU32<MAX_KERNEL_BYTES>> {
    let mut text = PTX.to_vec();
    while text.len() + 32 < bytes as usize {
        text.extend_from_slice(b"\n// add.s32 %r1, %r2, %r3;");
    }
    text.try_into().unwrap()
}

fn register<T: Config>() -> KernelId {
    let id = hash::plain(PTX);
    if !Kernels::<T>::contains_key(id) {
        let owner = funded::<T>("owner");
        Pallet::<T>::register_kernel(RawOrigin::Signed(owner).into(), PTX.to_vec().try_into().unwrap()).unwrap();
    }
    id
}

/// One launch of one CTA that loops so often, over a buffer of `bytes`, all of which it owns.
fn program(kernel: KernelId, loops: u32, bytes: u64, kernels: usize) -> Program {
    let map = WriteMap { buffer: 0, base: 0, dims: Default::default(), run: bytes };
    let launch = Launch {
        kernel: 0,
        entry: b"count".to_vec().try_into().unwrap(),
        grid: [1, 1, 1],
        block: [32, 1, 1],
        shared: 0,
        args: vec![Arg::Buffer { index: 0, offset: 0 }, Arg::U32(loops)].try_into().unwrap(),
        writes: Writes::Maps(vec![map].try_into().unwrap()),
    };
    Program {
        kernels: vec![kernel; kernels].try_into().unwrap(),
        buffers: vec![Buffer { len: bytes, init: Init::Blob(Outboard::new(&input(bytes)).blob), output: true }]
            .try_into()
            .unwrap(),
        steps: vec![Step::Launch(launch)].try_into().unwrap(),
    }
}

fn input(bytes: u64) -> Vec<u8> {
    (0..bytes).map(|i| (i % 251) as u8).collect()
}

fn terms<T: Config>() -> Terms {
    Terms {
        price: PriceCurve { start: UNIT, max: UNIT, blocks: 0 },
        open_blocks: 1_000,
        attempt_blocks: DeclineAfter::<T>::get() + 1_000,
        audit: AuditLevel { auditors: MAX_AUDITORS, units: MAX_DRAWS },
    }
}

/// As many auditors as there can be; the last is the recorded VRF's.
fn auditors<T: Config>() -> Vec<T::AccountId> {
    let mut keys: Vec<_> = (1..MAX_VALIDATORS)
        .map(|index| (sr25519::Public::from_raw(hash::plain(&index.encode())), account("auditor", index, 0)))
        .collect();
    keys.push((sr25519::Public::from_raw(KEY), account("auditor", 0, 0)));
    let operators: Vec<_> = keys.iter().map(|(_, operator)| operator).cloned().collect();
    Auditors::<T>::put(BoundedVec::truncate_from(keys));
    operators
}

fn place<T: Config>(program: &Program) -> OrderId {
    auditors::<T>();
    let order = NextOrder::<T>::get();
    let customer = funded::<T>("customer");
    Pallet::<T>::place_order(RawOrigin::Signed(customer).into(), Box::new(program.clone()), terms::<T>()).unwrap();
    order
}

fn provider<T: Config>(worker: &sr25519::Public) -> T::AccountId {
    let provider = account("provider", 0, 0);
    T::Stake::set_up_provider(&provider, 1_000_000 * UNIT, worker.0);
    provider
}

struct Whole(Vec<u8>, Outboard);

impl Whole {
    fn new(bytes: Vec<u8>) -> Self {
        let outboard = Outboard::new(&bytes);
        Self(bytes, outboard)
    }
}

impl State for Whole {
    fn buffer(&self, buffer: u16) -> Option<&[u8]> {
        (buffer == 0).then_some(self.0.as_slice())
    }
}

impl Snapshot for Whole {
    fn outboard(&self, buffer: u16) -> Option<&Outboard> {
        (buffer == 0).then_some(&self.1)
    }
}

const THE_UNIT: Unit = Unit { launch: 0, cta: [0, 0, 0] };

/// Runs the program; its trace root, the path of its start, and its only unit's witness.
fn work(program: &Program, fuel: u64) -> (Hash, TracePath, Witness) {
    let modules: Vec<_> = program.kernels.iter().map(|_| Module::parse(PTX).unwrap()).collect();
    let job = Job { program, modules: &modules, fuel };
    let before = Whole::new(input(program.buffers[0].len));
    let mut bytes = before.0.clone();
    for effect in run_cta(&job, THE_UNIT, &before, None).unwrap().effects {
        let start = effect.offset as usize;
        bytes[start..start + effect.bytes.len()].copy_from_slice(&effect.bytes);
    }
    let after = Whole::new(bytes);
    let roots = [trace::state_root(&[before.1.blob]), trace::state_root(&[after.1.blob])];
    let path = |index| trace::trace_path(&roots, index).unwrap();
    let parts = WitnessParts { before: &before, after: &after, before_path: path(0), after_path: path(1) };
    let (witness, _) = build_witness(&job, THE_UNIT, parts).unwrap();
    (trace::trace_root(&roots).unwrap(), path(0), witness)
}

/// An order that a provider has claimed.
fn claimed<T: Config>(program: &Program) -> (OrderId, T::AccountId, sr25519::Public) {
    let order = place::<T>(program);
    let worker = key();
    let provider = provider::<T>(&worker);
    Pallet::<T>::do_claim(order, 0, provider.clone()).unwrap();
    (order, provider, worker)
}

/// An order with a committed result, and its unit's witness.
fn committed<T: Config>(program: &Program) -> (OrderId, Witness) {
    let (order, provider, _) = claimed::<T>(program);
    let (root, start, witness) = work(program, T::UnitFuel::get());
    Pallet::<T>::do_commit_result(order, 0, provider, root, &start).unwrap();
    (order, witness)
}

/// Verified reports of as many auditors as an order can ask for.
fn reported<T: Config>(order: OrderId) {
    for auditor in auditors::<T>().into_iter().take(MAX_AUDITORS.into()) {
        T::Currency::mint_into(&auditor, UNIT).unwrap();
        let reported = Reported {
            auditor,
            verdict: ReportVerdict::Verified,
            units: 1,
            lane_steps: 1,
            digest: [1; 32],
            at: Pallet::<T>::now(),
        };
        Reports::<T>::try_append(order, 0, reported).unwrap();
    }
}

#[benchmarks]
mod benches {
    use super::*;

    #[benchmark]
    fn register_kernel(b: Linear<1_024, MAX_KERNEL_BYTES>) {
        let owner = funded::<T>("owner");
        let text = ptx(b);
        let id = hash::plain(&text);
        #[extrinsic_call]
        _(RawOrigin::Signed(owner), text);
        assert!(Kernels::<T>::contains_key(id));
    }

    #[benchmark]
    fn retire_kernel() {
        let id = register::<T>();
        let owner = account("owner", 0, 0);
        #[extrinsic_call]
        _(RawOrigin::Signed(owner), id);
        assert!(!Kernels::<T>::contains_key(id));
    }

    #[benchmark]
    fn place_order(k: Linear<1, 16>) {
        let program = program(register::<T>(), 1, 1_024, k as usize);
        auditors::<T>();
        let customer = funded::<T>("customer");
        #[extrinsic_call]
        _(RawOrigin::Signed(customer), Box::new(program), terms::<T>());
        assert_eq!(NextOrder::<T>::get(), 1);
    }

    #[benchmark]
    fn cancel() {
        let order = place::<T>(&program(register::<T>(), 1, 1_024, 16));
        let customer = account("customer", 0, 0);
        #[extrinsic_call]
        _(RawOrigin::Signed(customer), order);
        assert_eq!(Orders::<T>::get(order).unwrap().status, OrderStatus::Cancelled);
    }

    #[benchmark]
    fn claim() {
        let order = place::<T>(&program(register::<T>(), 1, 1_024, 1));
        let worker = key();
        let provider = provider::<T>(&worker);
        let signature = sr25519::Signature::from_raw([0; 64]);
        #[extrinsic_call]
        _(RawOrigin::Authorized, order, 0, provider, signature);
        assert_eq!(Orders::<T>::get(order).unwrap().status, OrderStatus::Claimed);
    }

    #[benchmark]
    fn authorize_claim() {
        let order = place::<T>(&program(register::<T>(), 1, 1_024, 1));
        let worker = key();
        let provider = provider::<T>(&worker);
        let payload = payload::claim(&Pallet::<T>::genesis_hash(), order, 0, &provider.clone().into());
        let signature = sign(&worker, &payload);
        #[block]
        {
            Pallet::<T>::authorize_claim(TransactionSource::External, &order, &0, &provider, &signature).unwrap();
        }
    }

    #[benchmark]
    fn decline() {
        let (order, provider, _) = claimed::<T>(&program(register::<T>(), 1, 1_024, 16));
        Orders::<T>::mutate(order, |order| order.as_mut().unwrap().declines = MAX_DECLINES - 1);
        now::<T>(Pallet::<T>::now() + DeclineAfter::<T>::get());
        let signature = sr25519::Signature::from_raw([0; 64]);
        #[extrinsic_call]
        _(RawOrigin::Authorized, order, 0, provider, signature);
        assert_eq!(Orders::<T>::get(order).unwrap().status, OrderStatus::Voided);
    }

    #[benchmark]
    fn authorize_decline() {
        let (order, provider, worker) = claimed::<T>(&program(register::<T>(), 1, 1_024, 1));
        now::<T>(Pallet::<T>::now() + DeclineAfter::<T>::get());
        let payload = payload::decline(&Pallet::<T>::genesis_hash(), order, 0, &provider.clone().into());
        let signature = sign(&worker, &payload);
        #[block]
        {
            Pallet::<T>::authorize_decline(TransactionSource::External, &order, &0, &provider, &signature).unwrap();
        }
    }

    #[benchmark]
    fn commit_result() {
        let program = program(register::<T>(), 1, 1_024, 1);
        let (order, provider, _) = claimed::<T>(&program);
        let (root, start, _) = work(&program, T::UnitFuel::get());
        let signature = sr25519::Signature::from_raw([0; 64]);
        #[extrinsic_call]
        _(RawOrigin::Authorized, order, 0, provider, root, start, signature);
        assert_eq!(Orders::<T>::get(order).unwrap().status, OrderStatus::Committed);
    }

    #[benchmark]
    fn authorize_commit_result() {
        let program = program(register::<T>(), 1, 1_024, 1);
        let (order, provider, worker) = claimed::<T>(&program);
        let (root, start, _) = work(&program, T::UnitFuel::get());
        let payload = payload::commit(&Pallet::<T>::genesis_hash(), order, 0, &provider.clone().into(), &root);
        let signature = sign(&worker, &payload);
        #[block]
        {
            Pallet::<T>::authorize_commit_result(
                TransactionSource::External,
                &order,
                &0,
                &provider,
                &root,
                &start,
                &signature,
            )
            .unwrap();
        }
    }

    #[benchmark]
    fn report_audits(r: Linear<1, MAX_BATCH>) {
        let program = program(register::<T>(), 1, 1_024, 1);
        auditors::<T>();
        let reports: Vec<_> = (0..r)
            .map(|_| {
                let (order, _) = committed::<T>(&program);
                audit::Report {
                    order,
                    attempt: 0,
                    verdict: ReportVerdict::Verified,
                    units: 1,
                    lane_steps: 1,
                    digest: [1; 32],
                    pre_output: VECTOR.1,
                    proof: VECTOR.2,
                }
            })
            .collect();
        let last = reports.last().unwrap().order;
        let auditor = sr25519::Public::from_raw(KEY);
        #[extrinsic_call]
        _(RawOrigin::Authorized, auditor, reports.try_into().unwrap());
        assert_eq!(Reports::<T>::get(last, 0).len(), 1);
    }

    #[benchmark]
    fn authorize_report_audits(r: Linear<1, MAX_BATCH>) {
        let program = program(register::<T>(), 1, 1_024, 1);
        let orders: Vec<_> = (0..r).map(|_| committed::<T>(&program).0).collect();
        let auditor = sr25519::Public::from_raw(KEY);
        let (_, pre_output, proof) = VECTOR;
        let mut verified = 0;
        #[block]
        {
            Pallet::<T>::operator_of(&auditor).unwrap();
            for order in orders {
                let (found, _) = Pallet::<T>::running(order, 0, OrderStatus::Committed).ok().unwrap();
                Reports::<T>::get(order, 0);
                let output = vrf::output(&auditor, &[1; 32], &pre_output).unwrap();
                let program = Pallet::<T>::stored_program(found.program).unwrap();
                audit::draw_units(&output, &program, found.terms.audit);
                verified += u32::from(vrf::verify(&auditor, &[1; 32], &[2; 32], &pre_output, &proof));
            }
        }
        assert_eq!(verified, r);
    }

    /// The rate of lane-steps: one unit of a thousand to a hundred thousand loops.
    #[benchmark]
    fn judge_lane_steps(l: Linear<10, 2_000>) {
        let program = program(register::<T>(), l, 1_024, 1);
        let (order, witness) = committed::<T>(&program);
        let finder = funded::<T>("finder");
        let post;
        #[block]
        {
            post = Pallet::<T>::prove_fault(RawOrigin::Signed(finder).into(), order, 0, THE_UNIT, Box::new(witness));
        }
        assert_eq!(post.unwrap_err().error, Error::<T>::Reproduced.into());
        assert!(u64::from(l) * LOOP < T::UnitFuel::get());
    }

    /// The rate of witness bytes: one unit that owns so many kibibytes.
    #[benchmark]
    fn judge_witness(k: Linear<1, 512>) {
        let program = program(register::<T>(), 1, u64::from(k) * 1_024, 1);
        let (order, witness) = committed::<T>(&program);
        let finder = funded::<T>("finder");
        let post;
        #[block]
        {
            post = Pallet::<T>::prove_fault(RawOrigin::Signed(finder).into(), order, 0, THE_UNIT, Box::new(witness));
        }
        assert_eq!(post.unwrap_err().error, Error::<T>::Reproduced.into());
    }

    /// A conviction, without the unit.
    #[benchmark]
    fn prove_fault() {
        let program = program(register::<T>(), 1, 1_024, 16);
        let (order, provider, _) = claimed::<T>(&program);
        // A result that starts rightly and whose other state has no buffer: convicted from its opening alone.
        let (_, _, mut witness) = work(&program, T::UnitFuel::get());
        witness.after.blobs = Default::default();
        let roots = [trace::state_root(&witness.before.blobs), trace::state_root(&[])];
        witness.before.path = trace::trace_path(&roots, 0).unwrap();
        witness.after.path = trace::trace_path(&roots, 1).unwrap();
        let start = witness.before.path.clone();
        Pallet::<T>::do_commit_result(order, 0, provider, trace::trace_root(&roots).unwrap(), &start).unwrap();
        let finder = funded::<T>("finder");
        #[extrinsic_call]
        _(RawOrigin::Signed(finder), order, 0, THE_UNIT, Box::new(witness));
        assert_eq!(Attempts::<T>::get(order, 0).unwrap().failure, Some(Failure::ProviderFault));
    }

    /// A false report, the dearest end of one.
    #[benchmark]
    fn report_fault() {
        let program = program(register::<T>(), 1, 1_024, 1);
        let (order, witness) = committed::<T>(&program);
        let auditor = key();
        let operator = account("auditor", 1, 0);
        T::Stake::set_up_provider(&operator, 1_000 * UNIT, [1; 32]);
        Auditors::<T>::mutate(|auditors| auditors[0] = (auditor, operator.clone()));
        let signature = sr25519::Signature::from_raw([0; 64]);
        #[extrinsic_call]
        _(RawOrigin::Authorized, auditor, order, 0, THE_UNIT, Box::new(witness), signature);
        assert!(SpentReports::<T>::contains_key((order, 0), operator));
    }

    #[benchmark]
    fn authorize_report_fault(k: Linear<1, 512>) {
        let program = program(register::<T>(), 1, u64::from(k) * 1_024, 1);
        let (order, witness) = committed::<T>(&program);
        let auditor = key();
        let operator = account("auditor", 1, 0);
        T::Stake::set_up_provider(&operator, 1_000 * UNIT, [1; 32]);
        Auditors::<T>::mutate(|auditors| auditors[0] = (auditor, operator));
        let evidence = (THE_UNIT, &witness).using_encoded(hash::plain);
        let payload = payload::fault_report(&Pallet::<T>::genesis_hash(), order, 0, &auditor.0, &evidence);
        let signature = sign(&auditor, &payload);
        let witness = Box::new(witness);
        #[block]
        {
            Pallet::<T>::authorize_report_fault(
                TransactionSource::External,
                &auditor,
                &order,
                &0,
                &THE_UNIT,
                &witness,
                &signature,
            )
            .unwrap();
        }
    }

    #[benchmark]
    fn settle() {
        let (order, _) = committed::<T>(&program(register::<T>(), 1, 1_024, 16));
        reported::<T>(order);
        now::<T>(Pallet::<T>::now() + AuditWindow::<T>::get() + 1);
        let anyone = funded::<T>("anyone");
        #[extrinsic_call]
        _(RawOrigin::Signed(anyone), order);
        assert_eq!(Orders::<T>::get(order).unwrap().status, OrderStatus::Settled);
    }

    /// One block of the agenda, full of orders with nothing to do.
    #[benchmark]
    fn agenda_block() {
        let full: Vec<_> = (0..u64::from(MAX_AGENDA)).map(|order| order + (1 << 40)).collect();
        Agenda::<T>::insert(1, BoundedVec::truncate_from(full));
        AgendaNext::<T>::put(1);
        now::<T>(1);
        #[block]
        {
            Pallet::<T>::run_agenda(&mut WeightMeter::with_limit(T::WeightInfo::agenda_block().saturating_mul(2)));
        }
    }

    /// One order of the agenda that settles.
    #[benchmark]
    fn agenda_order() {
        let (order, _) = committed::<T>(&program(register::<T>(), 1, 1_024, 16));
        reported::<T>(order);
        now::<T>(Pallet::<T>::now() + AuditWindow::<T>::get() + 1);
        AgendaNext::<T>::put(Pallet::<T>::now());
        #[block]
        {
            Pallet::<T>::run_agenda(&mut WeightMeter::new());
        }
        assert_eq!(Orders::<T>::get(order).unwrap().status, OrderStatus::Settled);
    }

    impl_benchmark_test_suite!(Pallet, crate::mock::empty(), crate::mock::Test);
}
