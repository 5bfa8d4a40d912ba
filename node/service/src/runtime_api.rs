//! The runtime's APIs as types alone. The client needs a type that implements them to know what it may ask; the answers
//! come from the Wasm in the chain's state, so that no function here is ever called.

use crate::block::{AccountId, Balance, Block, Nonce};
use assay_primitives::{
    Account, AttemptIndex, Hash, KernelId, OrderId, Program, ProgramId, Unit,
    audit::Report,
    order::{AuditLevel, AuditTask, KernelView, OrderView, Parameters, PriceCurve, ProviderView, Quote},
    witness::Witness,
};
use assay_runtime_api::Judged;
use frame_support::weights::Weight;
use sp_consensus_aura::sr25519::AuthorityId as AuraId;
use sp_core::{OpaqueMetadata, crypto::KeyTypeId, sr25519};
use sp_runtime::{
    ApplyExtrinsicResult, ExtrinsicInclusionMode,
    traits::{Block as BlockT, NumberFor},
    transaction_validity::{TransactionSource, TransactionValidity},
};

/// Stands for the runtime.
pub struct Runtime;

fn in_wasm() -> ! {
    unreachable!("the client calls the Wasm of the chain's state, never a native runtime")
}

sp_api::impl_runtime_apis! {
    impl sp_api::Core<Block> for Runtime {
        fn version() -> sp_version::RuntimeVersion {
            in_wasm()
        }

        fn execute_block(_: <Block as BlockT>::LazyBlock) {
            in_wasm()
        }

        fn initialize_block(_: &<Block as BlockT>::Header) -> ExtrinsicInclusionMode {
            in_wasm()
        }
    }

    impl sp_api::Metadata<Block> for Runtime {
        fn metadata() -> OpaqueMetadata {
            in_wasm()
        }

        fn metadata_at_version(_: u32) -> Option<OpaqueMetadata> {
            in_wasm()
        }

        fn metadata_versions() -> Vec<u32> {
            in_wasm()
        }
    }

    impl sp_block_builder::BlockBuilder<Block> for Runtime {
        fn apply_extrinsic(_: <Block as BlockT>::Extrinsic) -> ApplyExtrinsicResult {
            in_wasm()
        }

        fn finalize_block() -> <Block as BlockT>::Header {
            in_wasm()
        }

        fn inherent_extrinsics(_: sp_inherents::InherentData) -> Vec<<Block as BlockT>::Extrinsic> {
            in_wasm()
        }

        fn check_inherents(
            _: <Block as BlockT>::LazyBlock,
            _: sp_inherents::InherentData,
        ) -> sp_inherents::CheckInherentsResult {
            in_wasm()
        }
    }

    impl sp_transaction_pool::runtime_api::TaggedTransactionQueue<Block> for Runtime {
        fn validate_transaction(
            _: TransactionSource,
            _: <Block as BlockT>::Extrinsic,
            _: <Block as BlockT>::Hash,
        ) -> TransactionValidity {
            in_wasm()
        }
    }

    impl sp_offchain::OffchainWorkerApi<Block> for Runtime {
        fn offchain_worker(_: &<Block as BlockT>::Header) {
            in_wasm()
        }
    }

    impl sp_consensus_aura::AuraApi<Block, AuraId> for Runtime {
        fn slot_duration() -> sp_consensus_aura::SlotDuration {
            in_wasm()
        }

        fn authorities() -> Vec<AuraId> {
            in_wasm()
        }
    }

    impl sp_session::SessionKeys<Block> for Runtime {
        fn generate_session_keys(_: Vec<u8>, _: Option<Vec<u8>>) -> sp_session::OpaqueGeneratedSessionKeys {
            in_wasm()
        }

        fn decode_session_keys(_: Vec<u8>) -> Option<Vec<(Vec<u8>, KeyTypeId)>> {
            in_wasm()
        }
    }

    impl sp_consensus_grandpa::GrandpaApi<Block> for Runtime {
        fn grandpa_authorities() -> sp_consensus_grandpa::AuthorityList {
            in_wasm()
        }

        fn current_set_id() -> sp_consensus_grandpa::SetId {
            in_wasm()
        }

        fn submit_report_equivocation_unsigned_extrinsic(
            _: sp_consensus_grandpa::EquivocationProof<<Block as BlockT>::Hash, NumberFor<Block>>,
            _: sp_consensus_grandpa::OpaqueKeyOwnershipProof,
        ) -> Option<()> {
            in_wasm()
        }

        fn generate_key_ownership_proof(
            _: sp_consensus_grandpa::SetId,
            _: sp_consensus_grandpa::AuthorityId,
        ) -> Option<sp_consensus_grandpa::OpaqueKeyOwnershipProof> {
            in_wasm()
        }
    }

    impl frame_system_rpc_runtime_api::AccountNonceApi<Block, AccountId, Nonce> for Runtime {
        fn account_nonce(_: AccountId) -> Nonce {
            in_wasm()
        }
    }

    impl pallet_transaction_payment_rpc_runtime_api::TransactionPaymentApi<Block, Balance> for Runtime {
        fn query_info(
            _: <Block as BlockT>::Extrinsic,
            _: u32,
        ) -> pallet_transaction_payment_rpc_runtime_api::RuntimeDispatchInfo<Balance> {
            in_wasm()
        }

        fn query_fee_details(
            _: <Block as BlockT>::Extrinsic,
            _: u32,
        ) -> pallet_transaction_payment::FeeDetails<Balance> {
            in_wasm()
        }

        fn query_weight_to_fee(_: Weight) -> Balance {
            in_wasm()
        }

        fn query_length_to_fee(_: u32) -> Balance {
            in_wasm()
        }
    }

    impl sp_genesis_builder::GenesisBuilder<Block> for Runtime {
        fn build_state(_: Vec<u8>) -> sp_genesis_builder::Result {
            in_wasm()
        }

        fn get_preset(_: &Option<sp_genesis_builder::PresetId>) -> Option<Vec<u8>> {
            in_wasm()
        }

        fn preset_names() -> Vec<sp_genesis_builder::PresetId> {
            in_wasm()
        }
    }

    impl assay_runtime_api::AssayApi<Block> for Runtime {
        fn parameters() -> Parameters {
            in_wasm()
        }

        fn order(_: OrderId) -> Option<OrderView> {
            in_wasm()
        }

        fn orders_of(_: Account, _: Option<OrderId>, _: u32) -> Vec<OrderView> {
            in_wasm()
        }

        fn open_orders(_: u32) -> Vec<OrderView> {
            in_wasm()
        }

        fn assigned_orders(_: Account) -> Vec<OrderView> {
            in_wasm()
        }

        fn program(_: ProgramId) -> Option<Program> {
            in_wasm()
        }

        fn kernel(_: KernelId) -> Option<KernelView> {
            in_wasm()
        }

        fn kernel_code(_: KernelId) -> Option<Vec<u8>> {
            in_wasm()
        }

        fn provider(_: Account) -> Option<ProviderView> {
            in_wasm()
        }

        fn providers(_: u32) -> Vec<ProviderView> {
            in_wasm()
        }

        fn quote(_: u64, _: PriceCurve, _: AuditLevel) -> Quote {
            in_wasm()
        }
    }

    impl assay_runtime_api::AuditApi<Block> for Runtime {
        fn tasks(_: sr25519::Public) -> Vec<AuditTask> {
            in_wasm()
        }

        fn report_extrinsic(_: sr25519::Public, _: Vec<Report>) -> Option<<Block as BlockT>::Extrinsic> {
            in_wasm()
        }

        fn fault_extrinsic(
            _: sr25519::Public,
            _: OrderId,
            _: AttemptIndex,
            _: Unit,
            _: Witness,
            _: sr25519::Signature,
        ) -> Option<<Block as BlockT>::Extrinsic> {
            in_wasm()
        }

        fn unit_fuel() -> u64 {
            in_wasm()
        }

        fn judge(
            _: Program,
            _: Vec<Vec<u8>>,
            _: Hash,
            _: Unit,
            _: Witness,
            _: Option<Hash>,
        ) -> Judged {
            in_wasm()
        }
    }
}
