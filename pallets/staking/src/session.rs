//! The choice of validators.

use crate::*;
use alloc::vec::Vec;
use frame_support::traits::{Get, ValidatorRegistration};
use sp_staking::SessionIndex;

impl<T: Config> Pallet<T> {
    /// The candidates with the highest stakes that have enough of it and session keys; ties go to the older candidate.
    pub fn elect() -> Vec<T::AccountId> {
        let mut ranked: Vec<_> = Candidates::<T>::get()
            .into_iter()
            .map(|candidate| (Ledgers::<T>::get(&candidate).stake, candidate))
            .filter(|(stake, candidate)| {
                *stake >= T::MinValidatorStake::get() && T::Registration::is_registered(candidate)
            })
            .collect();
        ranked.sort_by_key(|(stake, _)| core::cmp::Reverse(*stake));
        ranked.truncate(usize::try_from(T::MaxValidators::get()).unwrap_or(usize::MAX));
        ranked.into_iter().map(|(_, candidate)| candidate).collect()
    }
}

impl<T: Config> pallet_session::SessionManager<T::AccountId> for Pallet<T> {
    /// The next validators; `None`, which keeps the old ones, when nobody can validate: a chain without validators stops.
    fn new_session(_: SessionIndex) -> Option<Vec<T::AccountId>> {
        Some(Self::elect()).filter(|elected| !elected.is_empty())
    }

    fn end_session(_: SessionIndex) {}

    fn start_session(_: SessionIndex) {}
}
