//! A runtime of all three pallets and balances, with people in it, for the tests.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use crate as pallet_assay_compute;
use crate::{AuditorId, Call, Error, Event};
use assay_primitives::Balance;
use codec::Encode;
use frame_support::{
    derive_impl,
    dispatch::DispatchResultWithPostInfo,
    parameter_types,
    traits::{Authorize, BuildGenesisConfig, ConstU32, ConstU128, Hooks, OneSessionHandler, ValidatorRegistration},
    weights::Weight,
};
use sp_core::{Pair as _, sr25519};
use sp_runtime::{
    AccountId32, BuildStorage,
    traits::{Dispatchable, IdentityLookup},
    transaction_validity::{InvalidTransaction, TransactionSource, TransactionValidityError},
};

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
    #[runtime::pallet_index(20)]
    pub type Escrow = pallet_assay_escrow::Pallet<Test>;
    #[runtime::pallet_index(21)]
    pub type Staking = pallet_assay_staking::Pallet<Test>;
    #[runtime::pallet_index(22)]
    pub type Compute = pallet_assay_compute::Pallet<Test>;
}

/// Planck of one token.
pub const UNIT: Balance = 1_000_000_000_000;
/// The existential deposit.
pub const LEAST: Balance = 1_000_000_000;
/// What everyone starts with, stakes included.
pub const ENDOWMENT: Balance = 1_000_000 * UNIT;
/// What operators stake.
pub const STAKE: Balance = 10_000 * UNIT;
/// Blocks of the audit window.
pub const WINDOW: u32 = 5;
/// Blocks before a decline.
pub const PATIENCE: u32 = 5;
/// Blocks of the suspensions.
pub const NO_SHOW_SUSPENSION: u32 = 30;
pub const FAULT_SUSPENSION: u32 = 100;
/// Blocks that programs are kept.
pub const RETENTION: u32 = 50;

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

impl pallet_assay_escrow::Config for Test {
    type RuntimeHoldReason = RuntimeHoldReason;
    type Currency = Balances;
}

pub struct Everyone;
impl ValidatorRegistration<AccountId> for Everyone {
    fn is_registered(_: &AccountId) -> bool {
        true
    }
}

impl pallet_assay_staking::Config for Test {
    type RuntimeHoldReason = RuntimeHoldReason;
    type Currency = Balances;
    type Registration = Everyone;
    type MinStake = ConstU128<{ 100 * UNIT }>;
    type MinValidatorStake = ConstU128<{ 1_000 * UNIT }>;
    type UnbondingPeriod = ConstU32<302_400>;
    type MaxValidators = ConstU32<10>;
    type MaxCandidates = ConstU32<20>;
    type WeightInfo = ();
}

parameter_types! {
    pub static UnitFuel: u64 = 100_000;
}

impl pallet_assay_compute::Config for Test {
    type RuntimeHoldReason = RuntimeHoldReason;
    type Currency = Balances;
    type Escrow = Escrow;
    type Stake = Staking;
    type UnitFuel = UnitFuel;
    type DepositPerByte = ConstU128<1_000_000_000>;
    type NoShowSuspension = ConstU32<NO_SHOW_SUSPENSION>;
    type FaultSuspension = ConstU32<FAULT_SUSPENSION>;
    type Retention = ConstU32<RETENTION>;
    type WeightInfo = crate::weights::SubstrateWeight<Test>;
}

pub fn pair(seed: u8) -> sr25519::Pair {
    sr25519::Pair::from_seed(&[seed; 32])
}

/// The account of a person.
pub fn who(seed: u8) -> AccountId {
    AccountId::from(pair(seed).public().0)
}

/// The worker key of a provider.
pub fn worker(provider: u8) -> sr25519::Pair {
    pair(provider + 100)
}

/// The audit key of a validator.
pub fn audit(validator: u8) -> sr25519::Pair {
    pair(validator + 200)
}

pub const CUSTOMER: u8 = 1;
pub const OWNER: u8 = 2;
pub const STRANGER: u8 = 3;
pub const PROVIDERS: [u8; 4] = [11, 12, 13, 14];
pub const VALIDATORS: [u8; 4] = [21, 22, 23, 24];
/// A provider and a validator.
pub const P: u8 = PROVIDERS[0];
pub const V: u8 = VALIDATORS[0];

/// Runs a test in a fresh chain with everyone in it, then checks every invariant and every planck.
pub fn run<R>(test: impl FnOnce() -> R) -> R {
    let everyone = [CUSTOMER, OWNER, STRANGER].into_iter().chain(PROVIDERS).chain(VALIDATORS);
    let mut storage = frame_system::GenesisConfig::<Test>::default().build_storage().unwrap();
    pallet_balances::GenesisConfig::<Test> {
        balances: everyone.map(|seed| (who(seed), ENDOWMENT)).collect(),
        ..Default::default()
    }
    .assimilate_storage(&mut storage)
    .unwrap();
    let mut ext = sp_io::TestExternalities::new(storage);
    ext.execute_with(|| {
        System::set_block_number(1);
        pallet_assay_staking::GenesisConfig::<Test> {
            operators: PROVIDERS.into_iter().chain(VALIDATORS).map(|seed| (who(seed), STAKE)).collect(),
            validators: VALIDATORS.map(who).to_vec(),
        }
        .build();
        crate::GenesisConfig::<Test> { audit_window: WINDOW, decline_after: PATIENCE, ..Default::default() }.build();
        let operators = VALIDATORS.map(|validator| (who(validator), AuditorId::from(audit(validator).public())));
        Compute::on_genesis_session(operators.iter().map(|(who, key)| (who, key.clone())));
        for provider in PROVIDERS {
            Staking::set_provider(
                RuntimeOrigin::signed(who(provider)),
                b"http://127.0.0.1:8700".to_vec().try_into().unwrap(),
                worker(provider).public().0,
            )
            .unwrap();
        }
        System::reset_events();
        let issuance = Balances::total_issuance();
        let result = test();
        check(issuance);
        result
    })
}

/// Checks every invariant, and that money only left the world where an event says so.
pub fn check(issuance: Balance) {
    Escrow::do_try_state().expect("escrow");
    Staking::do_try_state().expect("staking");
    Compute::do_try_state().expect("compute");
    let burned: Balance = System::events()
        .into_iter()
        .map(|record| match record.event {
            RuntimeEvent::Escrow(pallet_assay_escrow::Event::Burned { amount, .. }) => amount,
            RuntimeEvent::Staking(pallet_assay_staking::Event::Slashed { burned, .. }) => burned,
            _ => 0,
        })
        .sum();
    assert_eq!(Balances::total_issuance(), issuance - burned, "issuance changed without an event");
    let owned: Balance =
        frame_system::Account::<Test>::iter_values().map(|account| account.data.free + account.data.reserved).sum();
    assert_eq!(Balances::total_issuance(), owned, "issuance differs from what accounts have");
}

/// What a person has: free and on hold.
pub fn wealth(seed: u8) -> Balance {
    use frame_support::traits::fungible::Inspect;
    Balances::total_balance(&who(seed))
}

/// What a person can spend.
pub fn free(seed: u8) -> Balance {
    Balances::free_balance(who(seed))
}

/// Passes so many blocks, each with an idle end.
pub fn pass(blocks: u32) {
    pass_with(blocks, Weight::from_parts(2_000_000_000_000, u64::MAX));
}

/// Passes so many blocks that leave `idle` weight each.
pub fn pass_with(blocks: u32, idle: Weight) {
    for _ in 0..blocks {
        let now = System::block_number();
        Compute::on_idle(now, idle);
        System::set_block_number(now + 1);
    }
}

/// What became of a call without a fee.
#[derive(Debug)]
pub enum Feeless {
    /// The pool dropped it.
    Dropped(u8),
    /// It got into a block.
    Done(DispatchResultWithPostInfo),
}

impl Feeless {
    #[track_caller]
    pub fn ok(self) {
        match self {
            Self::Done(Ok(_)) => {}
            other => panic!("not done: {other:?}, of {:?}", other.name()),
        }
    }

    #[track_caller]
    pub fn dropped(self, error: Error<Test>) {
        match self {
            Self::Dropped(code) if code == error.encode()[0] => {}
            other => panic!("not dropped with {error:?}: {other:?}, of {:?}", other.name()),
        }
    }

    fn name(&self) -> Option<Error<Test>> {
        use codec::Decode;
        match self {
            Self::Dropped(code) => Error::decode(&mut [*code].as_slice()).ok(),
            Self::Done(_) => None,
        }
    }
}

/// Sends a call without a signer, as the transaction extension would.
pub fn feeless(call: Call<Test>) -> Feeless {
    let call = RuntimeCall::Compute(call);
    match call.authorize(TransactionSource::External) {
        Some(Ok(_)) => Feeless::Done(call.dispatch(frame_system::RawOrigin::Authorized.into())),
        Some(Err(TransactionValidityError::Invalid(InvalidTransaction::Custom(code)))) => Feeless::Dropped(code),
        other => panic!("no answer: {other:?}"),
    }
}

/// The tags of a valid call without a fee.
pub fn tags(call: Call<Test>) -> Vec<Vec<u8>> {
    RuntimeCall::Compute(call).authorize(TransactionSource::External).unwrap().unwrap().0.provides
}

/// The pallet's events so far.
pub fn events() -> Vec<Event<Test>> {
    System::events()
        .into_iter()
        .filter_map(|record| match record.event {
            RuntimeEvent::Compute(event) => Some(event),
            _ => None,
        })
        .collect()
}

/// Runs a call as a transaction would: nothing stays when it fails.
pub fn attempt<R, E: From<sp_runtime::DispatchError>>(call: impl FnOnce() -> Result<R, E>) -> Result<R, E> {
    frame_support::storage::with_storage_layer(call)
}

/// A chain with balances alone, and a keystore, for the benchmarks.
#[cfg(feature = "runtime-benchmarks")]
pub fn empty() -> sp_io::TestExternalities {
    use sp_keystore::{KeystoreExt, testing::MemoryKeystore};
    let storage = frame_system::GenesisConfig::<Test>::default().build_storage().unwrap();
    let mut ext = sp_io::TestExternalities::new(storage);
    ext.register_extension(KeystoreExt::new(MemoryKeystore::new()));
    ext.execute_with(|| {
        System::set_block_number(1);
        crate::GenesisConfig::<Test> { audit_window: WINDOW, decline_after: PATIENCE, ..Default::default() }.build();
    });
    ext
}
