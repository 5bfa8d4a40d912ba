//! The runtime of Assay: which pallets make the chain, how they are set up, and what the runtime tells the node.
//!
//! ```text
//! lib.rs         the pallets, the block, the transaction
//! system.rs      blocks, accounts, batches, proxies, multisigs
//! consensus.rs   AURA, GRANDPA, sessions, authors
//! money.rs       balances and fees
//! governance.rs  sudo
//! assay.rs       escrow, staking, compute
//! apis.rs        runtime APIs
//! genesis.rs     presets of the genesis
//! ```
#![cfg_attr(not(feature = "std"), no_std)]
#![recursion_limit = "512"]
#![expect(missing_docs, reason = "frame_support::runtime makes public items without docs")]

extern crate alloc;

mod apis;
pub mod assay;
#[cfg(feature = "runtime-benchmarks")]
mod benchmarks;
pub mod consensus;
pub mod genesis;
pub mod governance;
pub mod money;
pub mod system;
#[cfg(feature = "std")]
pub mod wasm;

use alloc::{borrow::Cow, vec::Vec};
use sp_runtime::{
    MultiAddress, MultiSignature, generic,
    traits::{BlakeTwo256, IdentifyAccount, Verify},
};
use sp_version::{RuntimeVersion, runtime_version};

pub use assay_primitives::{Balance, BlockNumber};

/// A signature by any of the keys that an account may have.
pub type Signature = MultiSignature;
/// An account.
pub type AccountId = <<Signature as Verify>::Signer as IdentifyAccount>::AccountId;
/// How accounts are named in transactions.
pub type Address = MultiAddress<AccountId, ()>;
/// Transactions an account has sent.
pub type Nonce = u32;
/// A hash of the chain itself.
pub type Hash = sp_core::H256;
/// A block's header.
pub type Header = generic::Header<BlockNumber, BlakeTwo256>;
/// A block.
pub type Block = generic::Block<Header, UncheckedExtrinsic>;
/// A transaction as it comes from the network.
pub type UncheckedExtrinsic = generic::UncheckedExtrinsic<Address, RuntimeCall, Signature, TxExtension>;
/// What a transaction carries beside its call, and what is checked of it, in this order.
pub type TxExtension = (
    frame_system::AuthorizeCall<Runtime>,
    frame_system::CheckNonZeroSender<Runtime>,
    frame_system::CheckSpecVersion<Runtime>,
    frame_system::CheckTxVersion<Runtime>,
    frame_system::CheckGenesis<Runtime>,
    frame_system::CheckEra<Runtime>,
    frame_system::CheckNonce<Runtime>,
    frame_system::CheckWeight<Runtime>,
    pallet_transaction_payment::ChargeTransactionPayment<Runtime>,
    frame_metadata_hash_extension::CheckMetadataHash<Runtime>,
    frame_system::WeightReclaim<Runtime>,
);
/// What a signer signs.
pub type SignedPayload = generic::SignedPayload<RuntimeCall, TxExtension>;
/// Runs blocks.
pub type Executive =
    frame_executive::Executive<Runtime, Block, frame_system::ChainContext<Runtime>, Runtime, AllPalletsWithSystem>;

/// Milliseconds between blocks.
pub const MILLISECONDS_PER_BLOCK: u64 = 2_000;
/// Blocks of a minute.
pub const MINUTES: BlockNumber = 60_000 / MILLISECONDS_PER_BLOCK as BlockNumber;
/// Blocks of an hour.
pub const HOURS: BlockNumber = 60 * MINUTES;
/// Blocks of a day.
pub const DAYS: BlockNumber = 24 * HOURS;

/// Planck of one ASSAY.
pub const UNIT: Balance = 1_000_000_000_000;
/// Planck of a thousandth of an ASSAY; also the least that keeps an account alive.
pub const MILLI_UNIT: Balance = UNIT / 1_000;

/// The runtime's version.
#[runtime_version]
pub const VERSION: RuntimeVersion = RuntimeVersion {
    spec_name: Cow::Borrowed("assay"),
    impl_name: Cow::Borrowed("assay"),
    authoring_version: 1,
    spec_version: 1,
    impl_version: 1,
    apis: apis::RUNTIME_API_VERSIONS,
    transaction_version: 1,
    system_version: 1,
};

/// The pallets.
#[frame_support::runtime]
mod runtime {
    /// The runtime.
    #[runtime::runtime]
    #[runtime::derive(
        RuntimeCall,
        RuntimeEvent,
        RuntimeError,
        RuntimeOrigin,
        RuntimeFreezeReason,
        RuntimeHoldReason,
        RuntimeSlashReason,
        RuntimeLockId,
        RuntimeTask,
        RuntimeViewFunction
    )]
    pub struct Runtime;

    #[runtime::pallet_index(0)]
    pub type System = frame_system;

    #[runtime::pallet_index(1)]
    pub type Timestamp = pallet_timestamp;

    #[runtime::pallet_index(2)]
    pub type Aura = pallet_aura;

    #[runtime::pallet_index(3)]
    pub type Grandpa = pallet_grandpa;

    #[runtime::pallet_index(4)]
    pub type Balances = pallet_balances;

    #[runtime::pallet_index(5)]
    pub type TransactionPayment = pallet_transaction_payment;

    #[runtime::pallet_index(6)]
    pub type Authorship = pallet_authorship;

    #[runtime::pallet_index(7)]
    pub type Session = pallet_session;

    #[runtime::pallet_index(8)]
    pub type Sudo = pallet_sudo;

    #[runtime::pallet_index(9)]
    pub type Utility = pallet_utility;

    #[runtime::pallet_index(10)]
    pub type Proxy = pallet_proxy;

    #[runtime::pallet_index(11)]
    pub type Multisig = pallet_multisig;

    #[runtime::pallet_index(20)]
    pub type Escrow = pallet_assay_escrow;

    #[runtime::pallet_index(21)]
    pub type Staking = pallet_assay_staking;

    #[runtime::pallet_index(22)]
    pub type Compute = pallet_assay_compute;
}
