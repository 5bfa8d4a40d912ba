//! Bonds, slashing and records: what pallet compute asks.

use crate::*;
use alloc::{string::String, vec::Vec};
use assay_primitives::{BlockNumber, order::ProviderView};
use frame_support::{
    ensure,
    traits::{
        Get,
        fungible::{Inspect as _, hold::Mutate as _},
        tokens::{DepositConsequence, Fortitude, Precision, Provenance, Restriction},
    },
};
use pallet_assay_traits::{Deed, Slashed, Stake};
use sp_runtime::{DispatchError, DispatchResult};

impl<T: Config> Pallet<T> {
    /// Moves `amount` planck of the hold to the free balance of `to`. Returns whether it arrived; otherwise nothing moved.
    fn pay_held(operator: &T::AccountId, to: &T::AccountId, amount: Balance) -> Result<bool, DispatchError> {
        if amount == 0 || T::Currency::can_deposit(to, amount, Provenance::Extant) != DepositConsequence::Success {
            return Ok(false);
        }
        T::Currency::transfer_on_hold(
            &HoldReason::Stake.into(),
            operator,
            to,
            amount,
            Precision::Exact,
            Restriction::Free,
            Fortitude::Force,
        )?;
        Ok(true)
    }

    fn burn_held(operator: &T::AccountId, amount: Balance) -> DispatchResult {
        if amount > 0 {
            T::Currency::burn_held(&HoldReason::Stake.into(), operator, amount, Precision::Exact, Fortitude::Force)?;
        }
        Ok(())
    }

    fn note_slash(operator: &T::AccountId, amount: Balance, burned: Balance) {
        Records::<T>::mutate(operator, |record| record.slashed = record.slashed.saturating_add(amount));
        Self::deposit_event(Event::Slashed { operator: operator.clone(), amount, burned });
    }

    fn view(operator: T::AccountId, registration: Registration) -> ProviderView {
        let ledger = Ledgers::<T>::get(&operator);
        let record = Records::<T>::get(&operator);
        ProviderView {
            operator: operator.into(),
            endpoint: String::from_utf8_lossy(&registration.endpoint).into_owned(),
            worker: registration.worker,
            stake: ledger.stake,
            bonded: ledger.bonded,
            suspended_until: record.suspended_until.filter(|until| *until >= Self::now()),
            attempts: record.attempts,
            settled: record.settled,
            declined: record.declined,
            no_shows: record.no_shows,
            faults: record.faults,
            slashed: record.slashed,
        }
    }
}

impl<T: Config> Stake<T::AccountId> for Pallet<T> {
    fn worker(operator: &T::AccountId) -> Option<Account> {
        Providers::<T>::get(operator).map(|registration| registration.worker)
    }

    fn suspended_until(operator: &T::AccountId) -> Option<BlockNumber> {
        Records::<T>::get(operator).suspended_until
    }

    fn capacity(operator: &T::AccountId) -> Balance {
        Ledgers::<T>::get(operator).capacity()
    }

    fn bonded(operator: &T::AccountId) -> Balance {
        Ledgers::<T>::get(operator).bonded
    }

    fn total_stake(operator: &T::AccountId) -> Balance {
        Ledgers::<T>::get(operator).total()
    }

    fn unpromised(operator: &T::AccountId) -> Balance {
        let ledger = Ledgers::<T>::get(operator);
        ledger.capacity().saturating_add(ledger.leaving())
    }

    fn min_stake() -> Balance {
        T::MinStake::get()
    }

    fn unbonding_period() -> BlockNumber {
        T::UnbondingPeriod::get()
    }

    fn lock_bond(operator: &T::AccountId, amount: Balance) -> DispatchResult {
        Ledgers::<T>::try_mutate(operator, |ledger| {
            ensure!(amount <= ledger.capacity(), Error::<T>::Insufficient);
            ledger.bonded = ledger.bonded.saturating_add(amount);
            Self::deposit_event(Event::Bonded { operator: operator.clone(), amount });
            Ok(())
        })
    }

    fn release_bond(operator: &T::AccountId, amount: Balance) -> DispatchResult {
        Ledgers::<T>::try_mutate(operator, |ledger| {
            ledger.bonded = ledger.bonded.checked_sub(amount).ok_or(Error::<T>::Insufficient)?;
            Self::deposit_event(Event::Unbonded { operator: operator.clone(), amount });
            Ok(())
        })
    }

    fn slash_bond(
        operator: &T::AccountId,
        bond: Balance,
        shares: &[(T::AccountId, Balance)],
        burn: Balance,
    ) -> Result<Slashed, DispatchError> {
        let lost = shares
            .iter()
            .try_fold(burn, |sum, (_, share)| sum.checked_add(*share))
            .filter(|lost| *lost <= bond)
            .ok_or(Error::<T>::Insufficient)?;
        let mut ledger = Ledgers::<T>::get(operator);
        ledger.bonded = ledger.bonded.checked_sub(bond).ok_or(Error::<T>::Insufficient)?;
        ledger.stake = ledger.stake.checked_sub(lost).ok_or(Error::<T>::Insufficient)?;
        let mut slashed = Slashed { paid: Vec::new(), burned: burn };
        for (to, share) in shares {
            let arrived = Self::pay_held(operator, to, *share)?;
            slashed.paid.push(if arrived { *share } else { 0 });
            if !arrived {
                slashed.burned = slashed.burned.saturating_add(*share);
            }
        }
        Self::burn_held(operator, slashed.burned)?;
        Self::put(operator, ledger);
        let kept = bond.saturating_sub(lost);
        if kept > 0 {
            Self::deposit_event(Event::Unbonded { operator: operator.clone(), amount: kept });
        }
        Self::note_slash(operator, lost, slashed.burned);
        Ok(slashed)
    }

    fn slash_stake(operator: &T::AccountId, amount: Balance) -> Result<Balance, DispatchError> {
        let mut ledger = Ledgers::<T>::get(operator);
        let from_stake = amount.min(ledger.capacity());
        ledger.stake = ledger.stake.saturating_sub(from_stake);
        let mut left = amount.saturating_sub(from_stake);
        for unbonding in ledger.unbonding.iter_mut().rev() {
            let part = left.min(unbonding.amount);
            unbonding.amount = unbonding.amount.saturating_sub(part);
            left = left.saturating_sub(part);
        }
        ledger.unbonding.retain(|unbonding| unbonding.amount > 0);
        let burned = amount.saturating_sub(left);
        Self::burn_held(operator, burned)?;
        Self::put(operator, ledger);
        Self::note_slash(operator, burned, burned);
        Ok(burned)
    }

    fn suspend(operator: &T::AccountId, until: BlockNumber) {
        Records::<T>::mutate(operator, |record| {
            if record.suspended_until.is_none_or(|already| already < until) {
                record.suspended_until = Some(until);
                Self::deposit_event(Event::Suspended { operator: operator.clone(), until });
            }
        });
    }

    fn record(operator: &T::AccountId, deed: Deed) {
        Records::<T>::mutate(operator, |record| {
            let counter = match deed {
                Deed::Claimed => &mut record.attempts,
                Deed::Settled => &mut record.settled,
                Deed::Declined => &mut record.declined,
                Deed::NoShow => &mut record.no_shows,
                Deed::Fault => &mut record.faults,
            };
            *counter = counter.saturating_add(1);
        });
    }

    fn provider(operator: &T::AccountId) -> Option<ProviderView> {
        Providers::<T>::get(operator).map(|registration| Self::view(operator.clone(), registration))
    }

    fn providers(limit: u32) -> Vec<ProviderView> {
        Providers::<T>::iter()
            .take(usize::try_from(limit).unwrap_or(usize::MAX))
            .map(|(operator, registration)| Self::view(operator, registration))
            .collect()
    }

    #[cfg(feature = "runtime-benchmarks")]
    #[allow(clippy::expect_used)]
    fn set_up_provider(operator: &T::AccountId, stake: Balance, worker: Account) {
        use frame_support::traits::fungible::Mutate as _;
        T::Currency::mint_into(operator, stake.saturating_mul(2)).expect("benchmarks may mint");
        Self::do_stake(operator, stake).expect("the operator was endowed");
        let endpoint = b"http://127.0.0.1:8700".to_vec().try_into().expect("it is short");
        Self::do_set_provider(operator, endpoint, worker).expect("the operator has a stake");
    }
}
