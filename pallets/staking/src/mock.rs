//! A runtime of staking and balances, for the tests.
#![allow(clippy::unwrap_used, missing_docs)]

use crate as pallet_assay_staking;
use assay_primitives::Balance;
use frame_support::{
    derive_impl, parameter_types,
    traits::{BuildGenesisConfig, ConstU32, ConstU128, ValidatorRegistration},
};
use sp_runtime::{AccountId32, BuildStorage, traits::IdentityLookup};

pub type AccountId = AccountId32;

#[frame_support::runtime]
mod runtime {
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
    pub struct Test;

    #[runtime::pallet_index(0)]
    pub type System = frame_system::Pallet<Test>;
    #[runtime::pallet_index(4)]
    pub type Balances = pallet_balances::Pallet<Test>;
    #[runtime::pallet_index(21)]
    pub type Staking = pallet_assay_staking::Pallet<Test>;
}

/// What the operators 1 to 6 start with.
pub const ENDOWMENT: Balance = 100_000;
/// The existential deposit.
pub const LEAST: Balance = 10;
/// The least stakes.
pub const MIN: Balance = 100;
pub const MIN_VALIDATOR: Balance = 1_000;
/// Blocks of unbonding.
pub const UNBONDING: u32 = 50;

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
    type Block = frame_system::mocking::MockBlockU32<Test>;
    type AccountId = AccountId;
    type Lookup = IdentityLookup<AccountId>;
    type AccountData = pallet_balances::AccountData<Balance>;
}

#[derive_impl(pallet_balances::config_preludes::TestDefaultConfig)]
impl pallet_balances::Config for Test {
    type Balance = Balance;
    type ExistentialDeposit = ConstU128<LEAST>;
    type AccountStore = System;
}

parameter_types! {
    /// Who has no session keys.
    pub static Keyless: Vec<u8> = Vec::new();
}

pub struct Keys;
impl ValidatorRegistration<AccountId> for Keys {
    fn is_registered(operator: &AccountId) -> bool {
        !Keyless::get().iter().any(|keyless| who(*keyless) == *operator)
    }
}

impl crate::Config for Test {
    type RuntimeHoldReason = RuntimeHoldReason;
    type Currency = Balances;
    type Registration = Keys;
    type MinStake = ConstU128<MIN>;
    type MinValidatorStake = ConstU128<MIN_VALIDATOR>;
    type UnbondingPeriod = ConstU32<UNBONDING>;
    type MaxValidators = ConstU32<2>;
    type MaxCandidates = ConstU32<3>;
    type WeightInfo = crate::weights::SubstrateWeight<Test>;
}

pub fn who(operator: u8) -> AccountId {
    AccountId::from([operator; 32])
}

pub fn signed(operator: u8) -> RuntimeOrigin {
    RuntimeOrigin::signed(who(operator))
}

pub fn wealth(operator: u8) -> Balance {
    use frame_support::traits::fungible::Inspect;
    Balances::total_balance(&who(operator))
}

/// Runs a test in a fresh chain, then checks every invariant and every planck.
pub fn run(test: impl FnOnce()) {
    run_with(crate::GenesisConfig::default(), test);
}

/// As [`run`], from that genesis.
pub fn run_with(genesis: crate::GenesisConfig<Test>, test: impl FnOnce()) {
    let mut storage = frame_system::GenesisConfig::<Test>::default().build_storage().unwrap();
    pallet_balances::GenesisConfig::<Test> {
        balances: (1..=6).map(|operator| (who(operator), ENDOWMENT)).collect(),
        ..Default::default()
    }
    .assimilate_storage(&mut storage)
    .unwrap();
    sp_io::TestExternalities::new(storage).execute_with(|| {
        System::set_block_number(1);
        Keyless::set(Vec::new());
        genesis.build();
        let issuance = Balances::total_issuance();
        test();
        check(issuance);
    });
}

/// Checks every invariant, and that money only left the world where an event says so.
pub fn check(issuance: Balance) {
    Staking::do_try_state().unwrap();
    let burned: Balance = System::events()
        .into_iter()
        .map(|record| match record.event {
            RuntimeEvent::Staking(crate::Event::Slashed { burned, .. }) => burned,
            _ => 0,
        })
        .sum();
    assert_eq!(Balances::total_issuance(), issuance - burned, "issuance changed without an event");
    let owned: Balance =
        frame_system::Account::<Test>::iter_values().map(|account| account.data.free + account.data.reserved).sum();
    assert_eq!(Balances::total_issuance(), owned);
}

/// A chain with balances alone, for the benchmarks.
#[cfg(feature = "runtime-benchmarks")]
pub fn empty() -> sp_io::TestExternalities {
    frame_system::GenesisConfig::<Test>::default().build_storage().unwrap().into()
}
