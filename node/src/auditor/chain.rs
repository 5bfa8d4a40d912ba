//! What the auditor asks of the chain and sends to it.

use crate::{
    block::Block,
    service::{Client, Pool},
};
use assay_primitives::{
    BlockNumber, Hash, KernelId, Program, ProgramId, Unit, audit::Report, order::AuditTask, witness::Witness,
};
use assay_runtime_api::{AssayApi, AuditApi};
use sc_transaction_pool_api::{TransactionPool, TransactionSource, error::IntoPoolError};
use sp_api::{ApiError, ProvideRuntimeApi};
use sp_blockchain::HeaderBackend;
use sp_core::sr25519::{Public, Signature};
use std::{future::Future, sync::Arc};

/// Why the chain did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum ChainError {
    /// The runtime did not answer.
    #[error("the runtime did not answer: {0}")]
    Runtime(#[from] ApiError),
    /// The runtime would not make the extrinsic.
    #[error("the runtime makes no such extrinsic")]
    NoExtrinsic,
    /// The pool did not take the extrinsic.
    #[error("the pool refused the extrinsic: {0}")]
    Pool(String),
}

/// A fault and its proof, ready to be sent.
#[derive(Clone, Debug)]
pub struct FaultProof {
    /// Whose commitment it is.
    pub task: AuditTask,
    /// The unit.
    pub unit: Unit,
    /// Its bytes.
    pub witness: Witness,
}

/// The chain as the auditor sees it. One trait, so that the auditor is tested without a node.
pub trait Chain: Send + Sync + 'static {
    /// The best block's number.
    fn best(&self) -> BlockNumber;
    /// The chain's genesis.
    fn genesis(&self) -> Hash;
    /// What `auditor` may be drawn for.
    fn tasks(&self, auditor: Public) -> Result<Vec<AuditTask>, ChainError>;
    /// A program.
    fn program(&self, program: ProgramId) -> Result<Option<Program>, ChainError>;
    /// A kernel's PTX.
    fn kernel_code(&self, kernel: KernelId) -> Result<Option<Vec<u8>>, ChainError>;
    /// Lane-steps one unit may take.
    fn unit_fuel(&self) -> Result<u64, ChainError>;
    /// Sends reports.
    fn report(&self, auditor: Public, reports: Vec<Report>) -> impl Future<Output = Result<(), ChainError>> + Send;
    /// Sends the proof of a fault.
    fn report_fault(
        &self,
        auditor: Public,
        proof: FaultProof,
        signature: Signature,
    ) -> impl Future<Output = Result<(), ChainError>> + Send;
}

/// The node's own chain.
pub struct Node {
    client: Arc<Client>,
    pool: Arc<Pool>,
}

impl Node {
    /// The chain behind `client`; extrinsics go to `pool`.
    pub fn new(client: Arc<Client>, pool: Arc<Pool>) -> Self {
        Self { client, pool }
    }

    async fn submit(&self, extrinsic: Option<<Block as sp_runtime::traits::Block>::Extrinsic>) -> Result<(), ChainError> {
        let extrinsic = extrinsic.ok_or(ChainError::NoExtrinsic)?;
        let at = self.client.info().best_hash;
        match self.pool.submit_one(at, TransactionSource::Local, extrinsic.into()).await {
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
        Ok(self.client.runtime_api().tasks(self.client.info().best_hash, auditor)?)
    }

    fn program(&self, program: ProgramId) -> Result<Option<Program>, ChainError> {
        Ok(self.client.runtime_api().program(self.client.info().best_hash, program)?)
    }

    fn kernel_code(&self, kernel: KernelId) -> Result<Option<Vec<u8>>, ChainError> {
        Ok(self.client.runtime_api().kernel_code(self.client.info().best_hash, kernel)?)
    }

    fn unit_fuel(&self) -> Result<u64, ChainError> {
        Ok(self.client.runtime_api().unit_fuel(self.client.info().best_hash)?)
    }

    async fn report(&self, auditor: Public, reports: Vec<Report>) -> Result<(), ChainError> {
        let at = self.client.info().best_hash;
        let extrinsic = self.client.runtime_api().report_extrinsic(at, auditor, reports)?;
        self.submit(extrinsic).await
    }

    async fn report_fault(&self, auditor: Public, proof: FaultProof, signature: Signature) -> Result<(), ChainError> {
        let at = self.client.info().best_hash;
        let FaultProof { task, unit, witness } = proof;
        let extrinsic = self.client.runtime_api().fault_extrinsic(
            at,
            auditor,
            task.order,
            task.attempt,
            unit,
            witness,
            signature,
        )?;
        self.submit(extrinsic).await
    }
}
