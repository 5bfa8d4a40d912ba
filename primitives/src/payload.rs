//! What operators sign for calls without a fee. Each payload binds the genesis, the order and the attempt, so a signature
//! is good for one call on one chain.

use crate::{Account, AttemptIndex, BlobId, BlockNumber, Hash, OrderId, hash, hash::Purpose};

/// Signed by a provider's worker key to claim.
pub fn claim(genesis: &Hash, order: OrderId, attempt: AttemptIndex, provider: &Account) -> Hash {
    hash::derive(Purpose::Claim, &[genesis, &order.to_le_bytes(), &attempt.to_le_bytes(), provider])
}

/// Signed by a provider's worker key to decline.
pub fn decline(genesis: &Hash, order: OrderId, attempt: AttemptIndex, provider: &Account) -> Hash {
    hash::derive(Purpose::Decline, &[genesis, &order.to_le_bytes(), &attempt.to_le_bytes(), provider])
}

/// Signed by a provider's worker key to commit.
pub fn commit(genesis: &Hash, order: OrderId, attempt: AttemptIndex, provider: &Account, trace_root: &Hash) -> Hash {
    hash::derive(Purpose::Commit, &[genesis, &order.to_le_bytes(), &attempt.to_le_bytes(), provider, trace_root])
}

/// Signed by a validator's audit key to report a fault: `evidence` is the plain BLAKE3 of the SCALE encoding of
/// `(unit, witness)`.
pub fn fault_report(genesis: &Hash, order: OrderId, attempt: AttemptIndex, auditor: &Account, evidence: &Hash) -> Hash {
    hash::derive(Purpose::FaultReport, &[genesis, &order.to_le_bytes(), &attempt.to_le_bytes(), auditor, evidence])
}

/// Signed by a customer's key to upload a blob to the provider of its order, until block `expiry`.
pub fn upload(genesis: &Hash, order: OrderId, customer: &Account, blob: &BlobId, expiry: BlockNumber) -> Hash {
    hash::derive(
        Purpose::Upload,
        &[genesis, &order.to_le_bytes(), customer, &blob.root, &blob.len.to_le_bytes(), &expiry.to_le_bytes()],
    )
}
