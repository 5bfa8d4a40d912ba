//! What the calls do.

use crate::*;
use alloc::vec::Vec;
use frame_support::{
    BoundedVec, ensure,
    traits::{Get, fungible::hold::Mutate as _, tokens::Precision},
};
use pallet_assay_traits::Stake;
use sp_core::ConstU32;
use sp_runtime::{DispatchResult, SaturatedConversion};

/// Whether `endpoint` is something a client may be sent to.
fn is_url(endpoint: &[u8]) -> bool {
    let host = endpoint.strip_prefix(b"http://").or_else(|| endpoint.strip_prefix(b"https://"));
    host.is_some_and(|host| !host.is_empty() && host.iter().all(u8::is_ascii_graphic))
}

impl<T: Config> Pallet<T> {
    /// The current block.
    pub(crate) fn now() -> u32 {
        frame_system::Pallet::<T>::block_number().saturated_into()
    }

    /// Writes a ledger, or forgets it when nothing is left.
    pub(crate) fn put(operator: &T::AccountId, ledger: Ledger) {
        if ledger.is_empty() {
            Ledgers::<T>::remove(operator);
        } else {
            Ledgers::<T>::insert(operator, ledger);
        }
    }

    pub(crate) fn do_stake(operator: &T::AccountId, amount: Balance) -> DispatchResult {
        ensure!(amount > 0, Error::<T>::Zero);
        let mut ledger = Ledgers::<T>::get(operator);
        ledger.stake = ledger.stake.saturating_add(amount);
        ensure!(ledger.stake >= T::MinStake::get(), Error::<T>::StakeTooLow);
        T::Currency::hold(&HoldReason::Stake.into(), operator, amount)?;
        let stake = ledger.stake;
        Self::put(operator, ledger);
        Self::deposit_event(Event::Staked { operator: operator.clone(), amount, stake });
        Ok(())
    }

    pub(crate) fn do_unstake(operator: &T::AccountId, amount: Balance) -> DispatchResult {
        ensure!(amount > 0, Error::<T>::Zero);
        let mut ledger = Ledgers::<T>::get(operator);
        ensure!(amount <= ledger.capacity(), Error::<T>::Insufficient);
        ledger.stake = ledger.stake.saturating_sub(amount);
        let least = if Candidates::<T>::get().contains(operator) {
            T::MinValidatorStake::get()
        } else if Providers::<T>::contains_key(operator) || ledger.stake > 0 {
            T::MinStake::get()
        } else {
            0
        };
        ensure!(ledger.stake >= least, Error::<T>::StakeTooLow);
        let due = Self::now().saturating_add(T::UnbondingPeriod::get());
        match ledger.unbonding.last_mut().filter(|last| last.due == due) {
            Some(last) => last.amount = last.amount.saturating_add(amount),
            None => {
                ledger.unbonding.try_push(Unbonding { amount, due }).map_err(|_| Error::<T>::TooManyUnbondings)?;
            }
        }
        Self::put(operator, ledger);
        Self::deposit_event(Event::Unstaked { operator: operator.clone(), amount, due });
        Ok(())
    }

    pub(crate) fn do_withdraw(operator: &T::AccountId) -> DispatchResult {
        let now = Self::now();
        let mut ledger = Ledgers::<T>::get(operator);
        let mut amount: Balance = 0;
        ledger.unbonding.retain(|unbonding| {
            let waits = unbonding.due > now;
            if !waits {
                amount = amount.saturating_add(unbonding.amount);
            }
            waits
        });
        ensure!(amount > 0, Error::<T>::NothingDue);
        T::Currency::release(&HoldReason::Stake.into(), operator, amount, Precision::Exact)?;
        Self::put(operator, ledger);
        Self::deposit_event(Event::Withdrawn { operator: operator.clone(), amount });
        Ok(())
    }

    pub(crate) fn do_set_provider(
        operator: &T::AccountId,
        endpoint: BoundedVec<u8, ConstU32<MAX_ENDPOINT>>,
        worker: Account,
    ) -> DispatchResult {
        ensure!(Ledgers::<T>::get(operator).stake >= T::MinStake::get(), Error::<T>::StakeTooLow);
        ensure!(is_url(&endpoint), Error::<T>::BadEndpoint);
        let url: Vec<u8> = endpoint.to_vec();
        Providers::<T>::insert(operator, Registration { endpoint, worker });
        Self::deposit_event(Event::ProviderSet { operator: operator.clone(), endpoint: url, worker });
        Ok(())
    }

    pub(crate) fn do_retire_provider(operator: &T::AccountId) -> DispatchResult {
        ensure!(Providers::<T>::contains_key(operator), Error::<T>::NotProvider);
        ensure!(Self::bonded(operator) == 0, Error::<T>::AttemptsRunning);
        Providers::<T>::remove(operator);
        Self::deposit_event(Event::ProviderRetired { operator: operator.clone() });
        Ok(())
    }

    /// Makes `operator` a candidate, in the place of the one with the lowest stake when candidates are full.
    pub(crate) fn add_candidate(operator: &T::AccountId) -> DispatchResult {
        let stake = Ledgers::<T>::get(operator).stake;
        ensure!(stake >= T::MinValidatorStake::get(), Error::<T>::StakeTooLow);
        let mut candidates = Candidates::<T>::get();
        ensure!(!candidates.contains(operator), Error::<T>::AlreadyCandidate);
        if candidates.is_full() {
            let lowest = candidates
                .iter()
                .map(|candidate| (Ledgers::<T>::get(candidate).stake, candidate.clone()))
                .min_by_key(|(stake, _)| *stake);
            let (_, outbid) = lowest.filter(|(lowest, _)| *lowest < stake).ok_or(Error::<T>::Outbid)?;
            candidates.retain(|candidate| *candidate != outbid);
            Self::deposit_event(Event::Chilled { operator: outbid });
        }
        candidates.try_push(operator.clone()).map_err(|_| Error::<T>::Outbid)?;
        Candidates::<T>::put(candidates);
        Self::deposit_event(Event::Candidate { operator: operator.clone() });
        Ok(())
    }

    pub(crate) fn do_chill(operator: &T::AccountId) -> DispatchResult {
        Candidates::<T>::try_mutate(|candidates| {
            ensure!(candidates.contains(operator), Error::<T>::NotCandidate);
            candidates.retain(|candidate| candidate != operator);
            Self::deposit_event(Event::Chilled { operator: operator.clone() });
            Ok(())
        })
    }
}
