//! What the auditor asks of the chain and sends to it.

use assay_primitives::{
    BlockNumber, Hash, KernelId, Program, ProgramId, Unit, audit::Report, order::AuditTask, witness::Witness,
};
use sp_core::sr25519::{Public, Signature};
use std::future::Future;

/// Why the chain did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum ChainError {
    /// The runtime did not answer.
    #[error("the runtime did not answer: {0}")]
    Runtime(String),
    /// The runtime would not make the extrinsic.
    #[error("the runtime makes no such extrinsic")]
    NoExtrinsic,
    /// The pool did not take the extrinsic.
    #[error("the pool refused the extrinsic: {0}")]
    Pool(String),
    /// The keystore does not sign.
    #[error("the keystore does not sign with the audit key")]
    NoSignature,
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
