//! The compute market: escrow, stake, orders.

use crate::{
    Balance, Balances, BlockNumber, DAYS, Escrow, MINUTES, Runtime, RuntimeCall, RuntimeHoldReason, Session, Staking,
    UNIT, UncheckedExtrinsic, consensus::MAX_VALIDATORS, system::deposit,
};
use frame_support::{
    parameter_types,
    traits::{ConstU32, ConstU64, ConstU128},
};
use sp_runtime::generic::Era;

/// Planck an operator stakes at least.
pub const MIN_STAKE: Balance = 100 * UNIT;
/// Planck a validator stakes at least.
pub const MIN_VALIDATOR_STAKE: Balance = 10_000 * UNIT;
/// Lane-steps one unit may take: what the runtime interprets within a quarter of a block's compute.
pub const UNIT_FUEL: u64 = 20_000_000;

parameter_types! {
    /// Blocks without claims after a no-show.
    pub const NoShowSuspension: BlockNumber = 10 * MINUTES;
    /// Blocks without claims after a proved fault.
    pub const FaultSuspension: BlockNumber = DAYS;
    /// Blocks that a program stays after its last order.
    pub const Retention: BlockNumber = DAYS;
    /// Blocks from unstaking to the free balance.
    pub const UnbondingPeriod: BlockNumber = 7 * DAYS;
}

impl pallet_assay_escrow::Config for Runtime {
    type RuntimeHoldReason = RuntimeHoldReason;
    type Currency = Balances;
}

impl pallet_assay_staking::Config for Runtime {
    type RuntimeHoldReason = RuntimeHoldReason;
    type Currency = Balances;
    type Registration = Session;
    type MinStake = ConstU128<MIN_STAKE>;
    type MinValidatorStake = ConstU128<MIN_VALIDATOR_STAKE>;
    type UnbondingPeriod = UnbondingPeriod;
    type MaxValidators = ConstU32<MAX_VALIDATORS>;
    type MaxCandidates = ConstU32<{ 4 * MAX_VALIDATORS }>;
    type WeightInfo = pallet_assay_staking::weights::SubstrateWeight<Runtime>;
}

impl pallet_assay_compute::Config for Runtime {
    type RuntimeHoldReason = RuntimeHoldReason;
    type Currency = Balances;
    type Escrow = Escrow;
    type Stake = Staking;
    type UnitFuel = ConstU64<UNIT_FUEL>;
    type DepositPerByte = ConstU128<{ deposit(0, 1) }>;
    type NoShowSuspension = NoShowSuspension;
    type FaultSuspension = FaultSuspension;
    type Retention = Retention;
    type WeightInfo = pallet_assay_compute::weights::SubstrateWeight<Runtime>;
}

/// The transaction of a call that carries its own authorization: no signer, no fee, no nonce.
pub fn authorized(call: impl Into<RuntimeCall>) -> UncheckedExtrinsic {
    let extension = (
        frame_system::AuthorizeCall::new(),
        frame_system::CheckNonZeroSender::new(),
        frame_system::CheckSpecVersion::new(),
        frame_system::CheckTxVersion::new(),
        frame_system::CheckGenesis::new(),
        frame_system::CheckEra::from(Era::Immortal),
        frame_system::CheckNonce::from(0),
        frame_system::CheckWeight::new(),
        pallet_transaction_payment::ChargeTransactionPayment::from(0),
        frame_metadata_hash_extension::CheckMetadataHash::new(false),
        frame_system::WeightReclaim::new(),
    );
    UncheckedExtrinsic::new_transaction(call.into(), extension)
}
