//! Providers that serve: right, wrong, and for programs that break their rules.

use crate::harness::{Fake, GATHER, GENESIS, KERNEL, PATH, auditor, chain, pass, program, program_at, serve, task};
use assay_audit::{Job, Snapshot, State, Verdict, WitnessParts, build_witness, judge};
use assay_engine::Module;
use assay_primitives::{
    BlobId, Hash, Program, Unit, hash,
    order::{AuditTask, ReportVerdict},
    payload,
    slice::Outboard,
    trace::{state_root, trace_path, trace_root},
    witness::Witness,
};
use axum::{Router, extract::Query, routing::get};
use codec::Encode;
use sp_core::{Pair, sr25519};
use std::{collections::HashMap, sync::Arc};

/// The state of the program's one buffer.
struct Buffer {
    bytes: Vec<u8>,
    outboard: Outboard,
}

impl Buffer {
    fn new(words: [u32; 4]) -> Self {
        let bytes: Vec<_> = words.into_iter().flat_map(u32::to_le_bytes).collect();
        Self { outboard: Outboard::new(&bytes), bytes }
    }

    fn blob(&self) -> BlobId {
        self.outboard.blob
    }
}

impl State for Buffer {
    fn buffer(&self, buffer: u16) -> Option<&[u8]> {
        (buffer == 0).then_some(&self.bytes)
    }
}

impl Snapshot for Buffer {
    fn outboard(&self, buffer: u16) -> Option<&Outboard> {
        (buffer == 0).then_some(&self.outboard)
    }
}

/// What a provider committed when it left `after` in the buffer.
struct Committed {
    program: Program,
    modules: Vec<Module>,
    states: [Hash; 2],
    before: Buffer,
    after: Buffer,
}

impl Committed {
    fn new(program: Program, after: [u32; 4]) -> Self {
        let before = Buffer { bytes: vec![0; 16], outboard: Outboard::zero(16) };
        let after = Buffer::new(after);
        let states = [state_root(&[before.blob()]), state_root(&[after.blob()])];
        Self { program, modules: vec![Module::parse(KERNEL).unwrap()], states, before, after }
    }

    fn job(&self) -> Job<'_> {
        Job { program: &self.program, modules: &self.modules, fuel: 1_000 }
    }

    fn root(&self) -> Hash {
        trace_root(&self.states).unwrap()
    }

    fn witness(&self, unit: Unit) -> Witness {
        let path = |index| trace_path(&self.states, index).unwrap();
        let parts =
            WitnessParts { before: &self.before, after: &self.after, before_path: path(0), after_path: path(1) };
        build_witness(&self.job(), unit, parts).unwrap().0
    }

    fn task(&self, endpoint: &str) -> AuditTask {
        AuditTask { program: self.program.id(), trace_root: self.root(), ..task(3, endpoint) }
    }
}

/// Serves the witnesses of `committed` and lets an auditor at it.
async fn audited(committed: Arc<Committed>) -> (sr25519::Public, Arc<Fake>) {
    let store = committed.clone();
    let witness = move |Query(query): Query<HashMap<String, u32>>| async move {
        let at = |name: &str| query.get(name).copied().unwrap();
        store.witness(Unit { launch: at("launch"), cta: [at("x"), at("y"), at("z")] }).encode()
    };
    let endpoint = serve(Router::new().route(PATH, get(witness))).await;
    let chain = Arc::new(chain(vec![committed.task(&endpoint)]));
    let (key, wake) = auditor(chain.clone());
    pass(&chain, &wake, 2).await;
    tokio::time::sleep(GATHER * 2).await;
    (key, chain)
}

#[tokio::test]
async fn a_right_result_is_reported_verified_once_with_what_it_took() {
    let (_, chain) = audited(Arc::new(Committed::new(program(), [7, 8, 9, 10]))).await;
    assert!(chain.faults.lock().unwrap().is_empty());
    let sent = chain.reports.lock().unwrap();
    let reports: Vec<_> = sent.iter().flat_map(|(_, _, reports)| reports).collect();
    let [report] = reports.as_slice() else { panic!("{reports:?}") };
    assert_eq!((report.order, report.attempt, report.verdict), (3, 0, ReportVerdict::Verified));
    // Eight instructions for each unit's one thread.
    assert!(report.units > 0);
    assert_eq!(report.lane_steps, 8 * u64::from(report.units));
    assert_ne!(report.digest, Hash::default());
}

/// Asserts that the one proof sent convicts with `verdict`, and that the audit key signed it.
fn assert_proved(committed: &Committed, (key, chain): (sr25519::Public, Arc<Fake>), convicts: fn(&Verdict) -> bool) {
    assert!(chain.reports.lock().unwrap().is_empty(), "a fault is proved, not reported");
    let faults = chain.faults.lock().unwrap();
    let [(auditor, proof, signature)] = faults.as_slice() else { panic!("{} proofs", faults.len()) };
    assert_eq!(*auditor, key);
    let verdict = judge(&committed.job(), &committed.root(), proof.unit, &proof.witness, None).unwrap();
    assert!(convicts(&verdict), "{verdict:?}");
    let evidence = (proof.unit, &proof.witness).using_encoded(hash::plain);
    let message = payload::fault_report(&GENESIS, 3, 0, &key.0, &evidence);
    assert!(sr25519::Pair::verify(signature, message, &key));
}

#[tokio::test]
async fn one_wrong_byte_is_proved_with_its_witness_under_the_audit_key() {
    // Every unit is wrong, so that any draw finds it.
    let committed = Arc::new(Committed::new(program(), [6, 6, 6, 6]));
    let audited = audited(committed.clone()).await;
    assert_proved(&committed, audited, |verdict| matches!(verdict, Verdict::ProviderFault(_)));
}

#[tokio::test]
async fn a_program_that_writes_where_it_may_not_is_proved_at_fault() {
    let committed = Arc::new(Committed::new(program_at(4), [0; 4]));
    let audited = audited(committed.clone()).await;
    assert_proved(&committed, audited, |verdict| matches!(verdict, Verdict::ProgramFault(_)));
}
