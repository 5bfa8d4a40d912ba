//! The node's own chain, as the auditor sees it.

use assay_auditor::{Chain, ChainError, FaultProof};
use assay_primitives::{BlockNumber, Hash, KernelId, Program, ProgramId, audit::Report, order::AuditTask};
use assay_runtime_api::{AssayApi, AuditApi};
use assay_service::{Client, Pool, block::Block};
use sc_transaction_pool_api::{TransactionPool, TransactionSource, error::IntoPoolError};
use sp_api::{ApiError, ProvideRuntimeApi};
use sp_blockchain::HeaderBackend;
use sp_core::sr25519::{Public, Signature};
use std::sync::Arc;

/// The chain behind the node's client; extrinsics go to its pool.
pub struct Node {
    client: Arc<Client>,
    pool: Arc<Pool>,
}

impl Node {
    /// The chain behind `client`; extrinsics go to `pool`.
    pub fn new(client: Arc<Client>, pool: Arc<Pool>) -> Self {
        Self { client, pool }
    }

    async fn submit(
        &self,
        extrinsic: Option<<Block as sp_runtime::traits::Block>::Extrinsic>,
    ) -> Result<(), ChainError> {
        let extrinsic = extrinsic.ok_or(ChainError::NoExtrinsic)?;
        let at = self.client.info().best_hash;
        match self.pool.submit_one(at, TransactionSource::Local, extrinsic).await {
            Ok(_) => Ok(()),
            Err(error) => match error.into_pool_error() {
                // It waits there already: what was wanted.
                Ok(sc_transaction_pool_api::error::Error::AlreadyImported(_)) => Ok(()),
                Ok(error) => Err(ChainError::Pool(error.to_string())),
                Err(error) => Err(ChainError::Pool(error.to_string())),
            },
        }
    }
}

impl Chain for Node {
    fn best(&self) -> BlockNumber {
        self.client.info().best_number
    }

    fn genesis(&self) -> Hash {
        self.client.info().genesis_hash.0
    }

    fn tasks(&self, auditor: Public) -> Result<Vec<AuditTask>, ChainError> {
        self.client.runtime_api().tasks(self.client.info().best_hash, auditor).map_err(runtime)
    }

    fn program(&self, program: ProgramId) -> Result<Option<Program>, ChainError> {
        self.client.runtime_api().program(self.client.info().best_hash, program).map_err(runtime)
    }

    fn kernel_code(&self, kernel: KernelId) -> Result<Option<Vec<u8>>, ChainError> {
        self.client.runtime_api().kernel_code(self.client.info().best_hash, kernel).map_err(runtime)
    }

    fn unit_fuel(&self) -> Result<u64, ChainError> {
        self.client.runtime_api().unit_fuel(self.client.info().best_hash).map_err(runtime)
    }

    async fn report(&self, auditor: Public, reports: Vec<Report>) -> Result<(), ChainError> {
        let at = self.client.info().best_hash;
        let extrinsic = self.client.runtime_api().report_extrinsic(at, auditor, reports).map_err(runtime)?;
        self.submit(extrinsic).await
    }

    async fn report_fault(&self, auditor: Public, proof: FaultProof, signature: Signature) -> Result<(), ChainError> {
        let at = self.client.info().best_hash;
        let FaultProof { task, unit, witness } = proof;
        let extrinsic = self
            .client
            .runtime_api()
            .fault_extrinsic(at, auditor, task.order, task.attempt, unit, witness, signature)
            .map_err(runtime)?;
        self.submit(extrinsic).await
    }
}

fn runtime(error: ApiError) -> ChainError {
    ChainError::Runtime(error.to_string())
}
