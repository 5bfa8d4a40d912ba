//! The node's JSON-RPC: what every Substrate node answers, and the `assay_*` calls.

mod assay;
mod program;
mod views;

use crate::{
    Backend, Client, Pool,
    block::{AccountId, Balance, Block, Hash, Nonce},
};
use assay::{Assay, AssayRpcServer};
use jsonrpsee::RpcModule;
use pallet_transaction_payment_rpc::{TransactionPayment, TransactionPaymentApiServer};
use pallet_transaction_payment_rpc_runtime_api::RuntimeDispatchInfo;
use sc_consensus_grandpa::{FinalityProofProvider, GrandpaJustificationStream, SharedAuthoritySet, SharedVoterState};
use sc_consensus_grandpa_rpc::{Grandpa, GrandpaApiServer};
use sc_rpc::SubscriptionTaskExecutor;
use std::sync::Arc;
use substrate_frame_rpc_system::{System, SystemApiServer};

/// What the calls ask.
pub struct Parts {
    /// The chain.
    pub client: Arc<Client>,
    /// Waiting transactions, for nonces.
    pub pool: Arc<Pool>,
    /// Runs subscriptions.
    pub executor: SubscriptionTaskExecutor,
    /// GRANDPA's authorities.
    pub authority_set: SharedAuthoritySet<Hash, assay_primitives::BlockNumber>,
    /// Where GRANDPA's votes stand.
    pub voter_state: SharedVoterState,
    /// Justifications as they come.
    pub justifications: GrandpaJustificationStream<Block>,
    /// Proofs that blocks are final.
    pub finality_proofs: Arc<FinalityProofProvider<Backend, Block>>,
}

/// Every call.
pub fn module(parts: Parts) -> Result<RpcModule<()>, Box<dyn std::error::Error + Send + Sync>> {
    let Parts { client, pool, executor, authority_set, voter_state, justifications, finality_proofs } = parts;
    let mut module = RpcModule::new(());
    module.merge(SystemApiServer::<Hash, AccountId, Nonce>::into_rpc(System::new(client.clone(), pool)))?;
    let payment = TransactionPayment::new(client.clone());
    module.merge(TransactionPaymentApiServer::<Hash, RuntimeDispatchInfo<Balance>>::into_rpc(payment))?;
    module.merge(Grandpa::new(executor, authority_set, voter_state, justifications, finality_proofs).into_rpc())?;
    module.merge(Assay::new(client).into_rpc())?;
    Ok(module)
}
