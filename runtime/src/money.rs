//! Balances and fees.

use crate::{
    AccountId, Authorship, Balance, Balances, MILLI_UNIT, Runtime, RuntimeEvent, RuntimeFreezeReason,
    RuntimeHoldReason, System,
};
use frame_support::{
    parameter_types,
    traits::{
        ConstU8, ConstU32, ConstU128, Imbalance, OnUnbalanced, VariantCountOf,
        fungible::{Balanced, Credit},
    },
    weights::{ConstantMultiplier, IdentityFee},
};
use pallet_transaction_payment::{FungibleAdapter, Multiplier, TargetedFeeAdjustment};
use sp_runtime::{
    FixedPointNumber, Perquintill,
    traits::{Bounded, One},
};

/// Least balance of an account, in planck.
pub const EXISTENTIAL_DEPOSIT: Balance = MILLI_UNIT;
/// Planck for each byte of a transaction.
pub const BYTE_FEE: Balance = MILLI_UNIT / 1_000;

impl pallet_balances::Config for Runtime {
    type RuntimeEvent = RuntimeEvent;
    type RuntimeHoldReason = RuntimeHoldReason;
    type RuntimeFreezeReason = RuntimeFreezeReason;
    type WeightInfo = pallet_balances::weights::SubstrateWeight<Runtime>;
    type Balance = Balance;
    type DustRemoval = ();
    type ExistentialDeposit = ConstU128<EXISTENTIAL_DEPOSIT>;
    type AccountStore = System;
    type ReserveIdentifier = [u8; 8];
    type FreezeIdentifier = RuntimeFreezeReason;
    type MaxLocks = ConstU32<50>;
    type MaxReserves = ConstU32<50>;
    type MaxFreezes = VariantCountOf<RuntimeFreezeReason>;
    type DoneSlashHandler = ();
}

/// Gives the block's author half of the fees and every tip; the other half of the fees is burned, so that an author
/// who fills its own blocks pays for it.
pub struct Fees;

impl OnUnbalanced<Credit<AccountId, Balances>> for Fees {
    fn on_unbalanceds(mut credits: impl Iterator<Item = Credit<AccountId, Balances>>) {
        let Some(fee) = credits.next() else { return };
        let half = fee.peek() / 2;
        let (mut earned, _burned) = fee.split(half);
        if let Some(tip) = credits.next() {
            earned.subsume(tip);
        }
        if let Some(author) = Authorship::author() {
            // An author below the existential deposit earns nothing: the credit is burned where it is dropped.
            let _ = Balances::resolve(&author, earned);
        }
    }
}

parameter_types! {
    /// Fullness of blocks at which fees stay as they are.
    pub const TargetBlockFullness: Perquintill = Perquintill::from_percent(25);
    /// How fast fees follow the fullness.
    pub AdjustmentVariable: Multiplier = Multiplier::saturating_from_rational(3, 100_000);
    /// Fees never fall below the base.
    pub MinimumMultiplier: Multiplier = Multiplier::one();
    /// Fees have no ceiling.
    pub MaximumMultiplier: Multiplier = Bounded::max_value();
}

impl pallet_transaction_payment::Config for Runtime {
    type RuntimeEvent = RuntimeEvent;
    type OnChargeTransaction = FungibleAdapter<Balances, Fees>;
    type WeightToFee = IdentityFee<Balance>;
    type LengthToFee = ConstantMultiplier<Balance, ConstU128<BYTE_FEE>>;
    type FeeMultiplierUpdate =
        TargetedFeeAdjustment<Runtime, TargetBlockFullness, AdjustmentVariable, MinimumMultiplier, MaximumMultiplier>;
    type OperationalFeeMultiplier = ConstU8<5>;
    type WeightInfo = pallet_transaction_payment::weights::SubstrateWeight<Runtime>;
}
