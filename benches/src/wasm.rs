//! The runtime's own judge, in the executor that the node uses.

use anyhow::{Context, anyhow};
use assay_audit::{Trace, Verdict, WitnessError};
use assay_primitives::{Hash, Unit, witness::Witness};
use assay_runtime_api::Judged;
use codec::{Decode, Encode};
use sc_executor::WasmExecutor;
use sp_core::traits::{CallContext, CodeExecutor, RuntimeCode, WrappedRuntimeCode};
use sp_state_machine::BasicExternalities;

/// The compiled runtime.
pub struct Runtime {
    executor: WasmExecutor<sp_io::SubstrateHostFunctions>,
    wasm: &'static [u8],
}

impl Runtime {
    /// Loads the runtime this program was built with.
    pub fn new() -> anyhow::Result<Self> {
        let wasm = assay_runtime::wasm::WASM_BINARY.context("built without the Wasm runtime")?;
        let executor = WasmExecutor::builder().with_allow_missing_host_functions(true).build();
        Ok(Self { executor, wasm })
    }

    /// The encoded arguments of a judgement.
    pub fn judge_call(
        trace: &Trace,
        kernels: &[&[u8]],
        unit: Unit,
        witness: &Witness,
        key: Option<Hash>,
    ) -> anyhow::Result<Vec<u8>> {
        let kernels: Vec<Vec<u8>> = kernels.iter().map(|ptx| ptx.to_vec()).collect();
        Ok((&trace.program, kernels, trace.root()?, unit, witness, key).encode())
    }

    /// Judges in Wasm.
    pub fn judge(&self, call: &[u8]) -> anyhow::Result<Judged> {
        let fetcher = WrappedRuntimeCode(self.wasm.into());
        let code = RuntimeCode { code_fetcher: &fetcher, heap_pages: None, hash: b"bench".to_vec() };
        let mut state = BasicExternalities::new_empty();
        let (answer, _) = self.executor.call(&mut state, &code, "AuditApi_judge", call, CallContext::Offchain);
        Ok(Judged::decode(&mut answer.map_err(|error| anyhow!("{error}"))?.as_slice())?)
    }
}

/// Lane-steps, when both sides verified the unit with the same fuel and digest.
pub fn agree(native: &Result<Verdict, WitnessError>, wasm: &Judged) -> anyhow::Result<u64> {
    match (native, wasm) {
        (Ok(Verdict::Verified { lane_steps, .. }), _) if same(native, wasm) => Ok(*lane_steps),
        _ => Err(anyhow!("native says {native:?}, the runtime {wasm:?}")),
    }
}

/// Whether the runtime says what this side says, of faults as of results.
pub fn same(native: &Result<Verdict, WitnessError>, wasm: &Judged) -> bool {
    let native = match native {
        Ok(Verdict::Verified { lane_steps, digest }) => Judged::Verified { lane_steps: *lane_steps, digest: *digest },
        Ok(Verdict::ProviderFault(_)) => Judged::ProviderFault,
        Ok(Verdict::ProgramFault(trap)) => {
            Judged::ProgramFault { rule: format!("{:?}", trap.kind), line: trap.line, thread: trap.thread }
        }
        Err(_) => Judged::Nothing,
    };
    native == *wasm
}
