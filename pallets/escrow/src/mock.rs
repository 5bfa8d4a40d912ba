//! A runtime of escrow and balances, for the tests.
#![allow(clippy::unwrap_used, missing_docs)]

use crate as pallet_assay_escrow;
use assay_primitives::Balance;
use frame_support::{derive_impl, traits::ConstU128};
use sp_runtime::BuildStorage;

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
}

/// What the customers 1 and 2 start with.
pub const ENDOWMENT: Balance = 1_000;
/// The existential deposit.
pub const LEAST: Balance = 10;

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
    type Block = frame_system::mocking::MockBlockU32<Test>;
    type AccountData = pallet_balances::AccountData<Balance>;
}

#[derive_impl(pallet_balances::config_preludes::TestDefaultConfig)]
impl pallet_balances::Config for Test {
    type Balance = Balance;
    type ExistentialDeposit = ConstU128<LEAST>;
    type AccountStore = System;
}

impl crate::Config for Test {
    type RuntimeHoldReason = RuntimeHoldReason;
    type Currency = Balances;
}

/// Runs a test in a fresh chain, then checks the invariants.
pub fn run(test: impl FnOnce()) {
    let mut storage = frame_system::GenesisConfig::<Test>::default().build_storage().unwrap();
    pallet_balances::GenesisConfig::<Test> { balances: vec![(1, ENDOWMENT), (2, ENDOWMENT)], ..Default::default() }
        .assimilate_storage(&mut storage)
        .unwrap();
    sp_io::TestExternalities::new(storage).execute_with(|| {
        System::set_block_number(1);
        test();
        Escrow::do_try_state().unwrap();
        let owned: Balance =
            frame_system::Account::<Test>::iter_values().map(|account| account.data.free + account.data.reserved).sum();
        assert_eq!(Balances::total_issuance(), owned);
    });
}
