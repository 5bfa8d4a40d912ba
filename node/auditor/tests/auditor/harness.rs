//! A chain that the test drives.

use assay_auditor::{Auditor, Chain, ChainError, FaultProof, Options};
use assay_primitives::{
    Arg, Axis, BlockNumber, Buffer, Dim, Hash, Init, KernelId, Launch, OrderId, Program, ProgramId, Step, WriteMap,
    Writes,
    audit::Report,
    hash,
    order::{AuditLevel, AuditTask},
};
use assay_runtime_api::vrf::AUDIT_KEY;
use axum::Router;
use sp_core::sr25519::{Public, Signature};
use sp_keystore::{Keystore, testing::MemoryKeystore};
use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};
use tokio::sync::mpsc;

pub const SLOT: Duration = Duration::from_millis(60);
pub const GENESIS: Hash = [9; 32];
/// A little longer than the auditor waits for company before it sends.
pub const GATHER: Duration = Duration::from_millis(200);
/// Blocks after which the auditor sends again.
pub const RESEND: BlockNumber = 3;

#[derive(Default)]
pub struct Fake {
    pub best: AtomicU32,
    pub tasks: Mutex<Vec<AuditTask>>,
    pub programs: Mutex<HashMap<ProgramId, Program>>,
    /// What was sent, and in which block.
    pub reports: Mutex<Vec<(BlockNumber, Public, Vec<Report>)>>,
    pub faults: Mutex<Vec<(Public, FaultProof, Signature)>>,
    pub refuse_batches: bool,
}

#[derive(Clone)]
struct Handle(Arc<Fake>);

impl std::ops::Deref for Handle {
    type Target = Fake;

    fn deref(&self) -> &Fake {
        &self.0
    }
}

impl Chain for Handle {
    fn best(&self) -> BlockNumber {
        self.best.load(Ordering::SeqCst)
    }

    fn genesis(&self) -> Hash {
        GENESIS
    }

    fn tasks(&self, _: Public) -> Result<Vec<AuditTask>, ChainError> {
        Ok(self.tasks.lock().unwrap().clone())
    }

    fn program(&self, program: ProgramId) -> Result<Option<Program>, ChainError> {
        Ok(self.programs.lock().unwrap().get(&program).cloned())
    }

    fn kernel_code(&self, kernel: KernelId) -> Result<Option<Vec<u8>>, ChainError> {
        Ok((kernel == hash::plain(KERNEL)).then(|| KERNEL.to_vec()))
    }

    fn unit_fuel(&self) -> Result<u64, ChainError> {
        Ok(1_000)
    }

    async fn report(&self, auditor: Public, reports: Vec<Report>) -> Result<(), ChainError> {
        if self.refuse_batches && reports.len() > 1 {
            return Err(ChainError::Pool("no batches".into()));
        }
        self.reports.lock().unwrap().push((self.best(), auditor, reports));
        Ok(())
    }

    async fn report_fault(&self, auditor: Public, proof: FaultProof, signature: Signature) -> Result<(), ChainError> {
        self.faults.lock().unwrap().push((auditor, proof, signature));
        Ok(())
    }
}

/// Each CTA, of one thread, writes its index and 7 at its own place.
pub const KERNEL: &[u8] = b"
.version 8.0
.target sm_80
.address_size 64
.visible .entry k(.param .u64 out)
{
    .reg .b32 %r<3>;
    .reg .b64 %rd<5>;
    ld.param.u64 %rd1, [out];
    cvta.to.global.u64 %rd2, %rd1;
    mov.u32 %r1, %ctaid.x;
    mul.wide.u32 %rd3, %r1, 4;
    add.s64 %rd4, %rd2, %rd3;
    add.s32 %r2, %r1, 7;
    st.global.u32 [%rd4], %r2;
    ret;
}
";

/// A program of four units. With an `offset` they write where they may not.
pub fn program_at(offset: u64) -> Program {
    let owned = WriteMap {
        buffer: 0,
        base: 0,
        dims: vec![Dim::Span { stride: 4, extent: 4, axis: Some(Axis::X), tile: 1 }].try_into().unwrap(),
        run: 4,
    };
    let launch = Launch {
        kernel: 0,
        entry: b"k".to_vec().try_into().unwrap(),
        grid: [4, 1, 1],
        block: [1, 1, 1],
        shared: 0,
        args: vec![Arg::Buffer { index: 0, offset }].try_into().unwrap(),
        writes: Writes::Maps(vec![owned].try_into().unwrap()),
    };
    Program {
        kernels: vec![hash::plain(KERNEL)].try_into().unwrap(),
        buffers: vec![Buffer { len: 16, init: Init::Zero, output: true }].try_into().unwrap(),
        steps: vec![Step::Launch(launch)].try_into().unwrap(),
    }
}

/// The program that keeps to its rules.
pub fn program() -> Program {
    program_at(0)
}

pub fn task(order: OrderId, endpoint: &str) -> AuditTask {
    AuditTask {
        order,
        attempt: 0,
        provider: [1; 32],
        endpoint: endpoint.into(),
        program: program().id(),
        trace_root: [2; 32],
        committed_at: 0,
        window_ends: 6,
        audit: AuditLevel { auditors: 1, units: 3 },
        validators: 1,
        reported: false,
    }
}

/// An auditor with Alice's key over `chain`, and what wakes it.
pub fn auditor(chain: Arc<Fake>) -> (Public, mpsc::UnboundedSender<()>) {
    let keystore = Arc::new(MemoryKeystore::new());
    let key = keystore.sr25519_generate_new(AUDIT_KEY, Some("//Alice")).unwrap();
    let options = Options { audit_threads: None, audit_private_endpoints: true };
    let auditor = Auditor::new(Handle(chain), keystore, SLOT, None, &options).unwrap();
    let (wake, mut woken) = mpsc::unbounded_channel();
    tokio::spawn(auditor.run(futures::stream::poll_fn(move |context| woken.poll_recv(context))));
    (key, wake)
}

pub fn chain(tasks: Vec<AuditTask>) -> Fake {
    Fake {
        tasks: Mutex::new(tasks),
        programs: Mutex::new([program(), program_at(4)].map(|program| (program.id(), program)).into()),
        ..Default::default()
    }
}

/// Lets `blocks` blocks pass.
pub async fn pass(chain: &Fake, wake: &mpsc::UnboundedSender<()>, blocks: u32) {
    for _ in 0..blocks {
        chain.best.fetch_add(1, Ordering::SeqCst);
        wake.send(()).unwrap();
        tokio::time::sleep(SLOT).await;
    }
}

pub async fn serve(router: Router) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    format!("http://{address}")
}

pub const PATH: &str = "/v1/orders/{order}/{attempt}/witness";
