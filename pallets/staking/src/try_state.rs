//! What always holds.

use crate::*;
use frame_support::{ensure, traits::fungible::hold::Inspect as _};
use sp_runtime::TryRuntimeError;

impl<T: Config> Pallet<T> {
    /// Holds are stake and what is leaving; bonds are no more than the stake; nothing empty is kept.
    pub fn do_try_state() -> Result<(), TryRuntimeError> {
        for (operator, ledger) in Ledgers::<T>::iter() {
            ensure!(ledger.bonded <= ledger.stake, "more is bonded than staked");
            ensure!(
                T::Currency::balance_on_hold(&HoldReason::Stake.into(), &operator) == ledger.total(),
                "an operator's hold differs from its ledger"
            );
            ensure!(!ledger.is_empty(), "an empty ledger is kept");
            ensure!(
                ledger.unbonding.iter().zip(ledger.unbonding.iter().skip(1)).all(|(a, b)| a.due <= b.due),
                "withdrawals are out of order"
            );
        }
        let candidates = Candidates::<T>::get();
        for (position, candidate) in candidates.iter().enumerate() {
            ensure!(
                !candidates.iter().skip(position.saturating_add(1)).any(|other| other == candidate),
                "a candidate twice"
            );
        }
        Ok(())
    }
}
