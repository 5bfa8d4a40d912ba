//! The chain's types as the node sees them: transactions are opaque bytes.

use sp_runtime::{
    MultiSignature, OpaqueExtrinsic, generic,
    traits::{BlakeTwo256, IdentifyAccount, Verify},
};

/// A block whose transactions only the runtime can read.
pub type Block = generic::Block<Header, OpaqueExtrinsic>;
/// A block's header.
pub type Header = generic::Header<assay_primitives::BlockNumber, BlakeTwo256>;
/// A hash of the chain.
pub type Hash = sp_core::H256;
/// An account.
pub type AccountId = <<MultiSignature as Verify>::Signer as IdentifyAccount>::AccountId;
/// Transactions an account has sent.
pub type Nonce = u32;
/// Planck.
pub type Balance = assay_primitives::Balance;
