//! What the runtime tells the node.

use crate::{
    AccountId, Aura, Balance, Block, Compute, Executive, Grandpa, InherentDataExt, Nonce, Runtime, RuntimeCall,
    RuntimeGenesisConfig, System, TransactionPayment, VERSION, assay, consensus::SessionKeys, genesis,
};
use alloc::vec::Vec;
use assay_audit::{Job, Verdict};
use assay_engine::Module;
use assay_primitives::{
    Account, AttemptIndex, Hash, KernelId, OrderId, Program, ProgramId, Unit,
    audit::Report,
    order::{AuditLevel, AuditTask, KernelView, OrderView, Parameters, PriceCurve, ProviderView, Quote},
    witness::Witness,
};
use assay_runtime_api::Judged;
use frame_support::{
    genesis_builder_helper::{build_state, get_preset},
    view_functions::{ViewFunctionDispatchError, ViewFunctionId},
    weights::Weight,
};
use pallet_grandpa::AuthorityId as GrandpaId;
use sp_consensus_aura::sr25519::AuthorityId as AuraId;
use sp_core::{OpaqueMetadata, crypto::KeyTypeId, sr25519};
use sp_runtime::{
    ApplyExtrinsicResult, ExtrinsicInclusionMode,
    traits::{Block as BlockT, NumberFor},
    transaction_validity::{TransactionSource, TransactionValidity},
};
use sp_session::OpaqueGeneratedSessionKeys;
use sp_version::RuntimeVersion;

sp_api::impl_runtime_apis! {
    impl sp_api::Core<Block> for Runtime {
        fn version() -> RuntimeVersion {
            VERSION
        }

        fn execute_block(block: <Block as BlockT>::LazyBlock) {
            Executive::execute_block(block);
        }

        fn initialize_block(header: &<Block as BlockT>::Header) -> ExtrinsicInclusionMode {
            Executive::initialize_block(header)
        }
    }

    impl sp_api::Metadata<Block> for Runtime {
        fn metadata() -> OpaqueMetadata {
            OpaqueMetadata::new(Runtime::metadata().into())
        }

        fn metadata_at_version(version: u32) -> Option<OpaqueMetadata> {
            Runtime::metadata_at_version(version)
        }

        fn metadata_versions() -> Vec<u32> {
            Runtime::metadata_versions()
        }
    }

    impl frame_support::view_functions::runtime_api::RuntimeViewFunction<Block> for Runtime {
        fn execute_view_function(id: ViewFunctionId, input: Vec<u8>) -> Result<Vec<u8>, ViewFunctionDispatchError> {
            Runtime::execute_view_function(id, input)
        }
    }

    impl sp_block_builder::BlockBuilder<Block> for Runtime {
        fn apply_extrinsic(extrinsic: <Block as BlockT>::Extrinsic) -> ApplyExtrinsicResult {
            Executive::apply_extrinsic(extrinsic)
        }

        fn finalize_block() -> <Block as BlockT>::Header {
            Executive::finalize_block()
        }

        fn inherent_extrinsics(data: sp_inherents::InherentData) -> Vec<<Block as BlockT>::Extrinsic> {
            data.create_extrinsics()
        }

        fn check_inherents(
            block: <Block as BlockT>::LazyBlock,
            data: sp_inherents::InherentData,
        ) -> sp_inherents::CheckInherentsResult {
            data.check_extrinsics(&block)
        }
    }

    impl sp_transaction_pool::runtime_api::TaggedTransactionQueue<Block> for Runtime {
        fn validate_transaction(
            source: TransactionSource,
            transaction: <Block as BlockT>::Extrinsic,
            block_hash: <Block as BlockT>::Hash,
        ) -> TransactionValidity {
            Executive::validate_transaction(source, transaction, block_hash)
        }
    }

    impl sp_offchain::OffchainWorkerApi<Block> for Runtime {
        fn offchain_worker(header: &<Block as BlockT>::Header) {
            Executive::offchain_worker(header)
        }
    }

    impl sp_consensus_aura::AuraApi<Block, AuraId> for Runtime {
        fn slot_duration() -> sp_consensus_aura::SlotDuration {
            sp_consensus_aura::SlotDuration::from_millis(Aura::slot_duration())
        }

        fn authorities() -> Vec<AuraId> {
            pallet_aura::Authorities::<Runtime>::get().into_inner()
        }
    }

    impl sp_session::SessionKeys<Block> for Runtime {
        fn generate_session_keys(owner: Vec<u8>, seed: Option<Vec<u8>>) -> OpaqueGeneratedSessionKeys {
            SessionKeys::generate(&owner, seed).into()
        }

        fn decode_session_keys(encoded: Vec<u8>) -> Option<Vec<(Vec<u8>, KeyTypeId)>> {
            SessionKeys::decode_into_raw_public_keys(&encoded)
        }
    }

    impl sp_consensus_grandpa::GrandpaApi<Block> for Runtime {
        fn grandpa_authorities() -> sp_consensus_grandpa::AuthorityList {
            Grandpa::grandpa_authorities()
        }

        fn current_set_id() -> sp_consensus_grandpa::SetId {
            Grandpa::current_set_id()
        }

        fn submit_report_equivocation_unsigned_extrinsic(
            _equivocation: sp_consensus_grandpa::EquivocationProof<<Block as BlockT>::Hash, NumberFor<Block>>,
            _ownership: sp_consensus_grandpa::OpaqueKeyOwnershipProof,
        ) -> Option<()> {
            None
        }

        fn generate_key_ownership_proof(
            _set: sp_consensus_grandpa::SetId,
            _authority: GrandpaId,
        ) -> Option<sp_consensus_grandpa::OpaqueKeyOwnershipProof> {
            None
        }
    }

    impl frame_system_rpc_runtime_api::AccountNonceApi<Block, AccountId, Nonce> for Runtime {
        fn account_nonce(account: AccountId) -> Nonce {
            System::account_nonce(account)
        }
    }

    impl pallet_transaction_payment_rpc_runtime_api::TransactionPaymentApi<Block, Balance> for Runtime {
        fn query_info(
            extrinsic: <Block as BlockT>::Extrinsic,
            len: u32,
        ) -> pallet_transaction_payment_rpc_runtime_api::RuntimeDispatchInfo<Balance> {
            TransactionPayment::query_info(extrinsic, len)
        }

        fn query_fee_details(
            extrinsic: <Block as BlockT>::Extrinsic,
            len: u32,
        ) -> pallet_transaction_payment::FeeDetails<Balance> {
            TransactionPayment::query_fee_details(extrinsic, len)
        }

        fn query_weight_to_fee(weight: Weight) -> Balance {
            TransactionPayment::weight_to_fee(weight)
        }

        fn query_length_to_fee(length: u32) -> Balance {
            TransactionPayment::length_to_fee(length)
        }
    }

    impl pallet_transaction_payment_rpc_runtime_api::TransactionPaymentCallApi<Block, Balance, RuntimeCall> for Runtime {
        fn query_call_info(
            call: RuntimeCall,
            len: u32,
        ) -> pallet_transaction_payment::RuntimeDispatchInfo<Balance> {
            TransactionPayment::query_call_info(call, len)
        }

        fn query_call_fee_details(call: RuntimeCall, len: u32) -> pallet_transaction_payment::FeeDetails<Balance> {
            TransactionPayment::query_call_fee_details(call, len)
        }

        fn query_weight_to_fee(weight: Weight) -> Balance {
            TransactionPayment::weight_to_fee(weight)
        }

        fn query_length_to_fee(length: u32) -> Balance {
            TransactionPayment::length_to_fee(length)
        }
    }

    impl assay_runtime_api::AssayApi<Block> for Runtime {
        fn parameters() -> Parameters {
            Compute::parameters()
        }

        fn order(order: OrderId) -> Option<OrderView> {
            Compute::order(order)
        }

        fn orders_of(customer: Account, before: Option<OrderId>, limit: u32) -> Vec<OrderView> {
            Compute::orders_of(customer.into(), before, limit)
        }

        fn open_orders(limit: u32) -> Vec<OrderView> {
            Compute::open_orders(limit)
        }

        fn assigned_orders(provider: Account) -> Vec<OrderView> {
            Compute::assigned_orders(provider.into())
        }

        fn program(program: ProgramId) -> Option<Program> {
            Compute::program(program)
        }

        fn kernel(kernel: KernelId) -> Option<KernelView> {
            Compute::kernel(kernel)
        }

        fn kernel_code(kernel: KernelId) -> Option<Vec<u8>> {
            Compute::kernel_code(kernel)
        }

        fn provider(operator: Account) -> Option<ProviderView> {
            Compute::provider(operator.into())
        }

        fn providers(limit: u32) -> Vec<ProviderView> {
            Compute::providers(limit)
        }

        fn quote(units: u64, price: PriceCurve, audit: AuditLevel) -> Quote {
            Compute::quote(units, price, audit)
        }
    }

    impl assay_runtime_api::AuditApi<Block> for Runtime {
        fn tasks(auditor: sr25519::Public) -> Vec<AuditTask> {
            Compute::audit_tasks(auditor)
        }

        fn report_extrinsic(auditor: sr25519::Public, reports: Vec<Report>) -> Option<<Block as BlockT>::Extrinsic> {
            let reports = reports.try_into().ok()?;
            Some(assay::authorized(pallet_assay_compute::Call::report_audits { auditor, reports }))
        }

        fn fault_extrinsic(
            auditor: sr25519::Public,
            order: OrderId,
            attempt: AttemptIndex,
            unit: Unit,
            witness: Witness,
            signature: sr25519::Signature,
        ) -> Option<<Block as BlockT>::Extrinsic> {
            let witness = alloc::boxed::Box::new(witness);
            Some(assay::authorized(pallet_assay_compute::Call::report_fault {
                auditor,
                order,
                attempt,
                unit,
                witness,
                signature,
            }))
        }

        fn unit_fuel() -> u64 {
            Compute::parameters().unit_fuel
        }

        fn judge(
            program: Program,
            kernels: Vec<Vec<u8>>,
            trace_root: Hash,
            unit: Unit,
            witness: Witness,
            key: Option<Hash>,
        ) -> Judged {
            let fuel = Compute::parameters().unit_fuel;
            let modules: Result<Vec<Module>, _> = kernels.iter().map(|ptx| Module::parse(ptx)).collect();
            let Ok(modules) = modules else { return Judged::Nothing };
            let job = Job { program: &program, modules: &modules, fuel };
            match assay_audit::judge(&job, &trace_root, unit, &witness, key.as_ref()) {
                Ok(Verdict::Verified { lane_steps, digest }) => Judged::Verified { lane_steps, digest },
                Ok(Verdict::ProviderFault(_)) => Judged::ProviderFault,
                Ok(Verdict::ProgramFault(trap)) => {
                    Judged::ProgramFault { rule: alloc::format!("{:?}", trap.kind), line: trap.line, thread: trap.thread }
                }
                Err(_) => Judged::Nothing,
            }
        }
    }

    impl sp_genesis_builder::GenesisBuilder<Block> for Runtime {
        fn build_state(config: Vec<u8>) -> sp_genesis_builder::Result {
            build_state::<RuntimeGenesisConfig>(config)
        }

        fn get_preset(id: &Option<sp_genesis_builder::PresetId>) -> Option<Vec<u8>> {
            get_preset::<RuntimeGenesisConfig>(id, genesis::preset)
        }

        fn preset_names() -> Vec<sp_genesis_builder::PresetId> {
            genesis::preset_names()
        }
    }

    #[cfg(feature = "runtime-benchmarks")]
    impl frame_benchmarking::Benchmark<Block> for Runtime {
        fn benchmark_metadata(
            extra: bool,
        ) -> (Vec<frame_benchmarking::BenchmarkList>, Vec<frame_support::traits::StorageInfo>) {
            use crate::*;
            use frame_benchmarking::{BenchmarkList, baseline::Pallet as BaselineBench};
            use frame_support::traits::StorageInfoTrait;
            use frame_system_benchmarking::{
                Pallet as SystemBench, extensions::Pallet as SystemExtensionsBench,
            };

            let mut list = Vec::<BenchmarkList>::new();
            list_benchmarks!(list, extra);
            (list, AllPalletsWithSystem::storage_info())
        }

        fn dispatch_benchmark(
            config: frame_benchmarking::BenchmarkConfig,
        ) -> Result<Vec<frame_benchmarking::BenchmarkBatch>, alloc::string::String> {
            use crate::*;
            use frame_benchmarking::{BenchmarkBatch, baseline, baseline::Pallet as BaselineBench};
            use frame_support::traits::WhitelistedStorageKeys;
            use frame_system_benchmarking::{
                Pallet as SystemBench, extensions::Pallet as SystemExtensionsBench,
            };

            impl frame_system_benchmarking::Config for Runtime {}
            impl baseline::Config for Runtime {}

            let whitelist = AllPalletsWithSystem::whitelisted_storage_keys();
            let mut batches = Vec::<BenchmarkBatch>::new();
            let params = (&config, &whitelist);
            add_benchmarks!(params, batches);
            Ok(batches)
        }
    }

    #[cfg(feature = "try-runtime")]
    impl frame_try_runtime::TryRuntime<Block> for Runtime {
        fn on_runtime_upgrade(checks: frame_try_runtime::UpgradeCheckSelect) -> (Weight, Weight) {
            // The host of a dry run learns of a failure by the panic alone.
            let result = Executive::try_runtime_upgrade(checks);
            assert!(result.is_ok(), "the upgrade failed: {result:?}");
            (result.unwrap_or_default(), crate::system::RuntimeBlockWeights::get().max_block)
        }

        fn execute_block(
            block: <Block as BlockT>::LazyBlock,
            state_root_check: bool,
            signature_check: bool,
            select: frame_try_runtime::TryStateSelect,
        ) -> Weight {
            let result = Executive::try_execute_block(block, state_root_check, signature_check, select);
            assert!(result.is_ok(), "the block failed: {result:?}");
            result.unwrap_or_default()
        }
    }
}
