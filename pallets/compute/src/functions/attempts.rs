//! Attempts: claimed, declined, committed.

use crate::*;
use assay_primitives::{economy, trace};
use frame_support::ensure;
use pallet_assay_traits::{Deed, Stake};
use sp_runtime::DispatchResult;

/// A claim that is valid in this block.
pub(crate) struct Claim<AccountId> {
    order: Order<AccountId>,
    price: Balance,
    bond: Balance,
}

impl<T: Config> Pallet<T> {
    /// All that a claim needs beside its signature.
    pub(crate) fn check_claim(
        order: OrderId,
        attempt: AttemptIndex,
        provider: &T::AccountId,
    ) -> Result<Claim<T::AccountId>, Error<T>> {
        let found = Orders::<T>::get(order).ok_or(Error::<T>::OrderNotFound)?;
        ensure!(found.status == OrderStatus::Open, Error::<T>::WrongStatus);
        ensure!(found.attempts == attempt, Error::<T>::WrongAttempt);
        let now = Self::now();
        ensure!(found.due.is_some_and(|due| now <= due), Error::<T>::TooLate);
        ensure!(T::Stake::worker(provider).is_some(), Error::<T>::NotProvider);
        ensure!(T::Stake::suspended_until(provider).is_none_or(|until| until < now), Error::<T>::Suspended);
        ensure!(!found.excluded.contains(provider), Error::<T>::Excluded);
        let audit = found.terms.audit;
        ensure!(u32::from(audit.auditors) <= Self::auditors_of(provider), Error::<T>::TooFewAuditors);
        let price = economy::price_at(&found.terms.price, now.saturating_sub(found.open_since));
        let bond = economy::bond(price, audit);
        ensure!(bond <= T::Stake::capacity(provider), Error::<T>::NoCapacity);
        Ok(Claim { order: found, price, bond })
    }

    pub(crate) fn do_claim(id: OrderId, attempt: AttemptIndex, provider: T::AccountId) -> DispatchResult {
        let Claim { mut order, price, bond } = Self::check_claim(id, attempt, &provider)?;
        T::Stake::lock_bond(&provider, bond)?;
        T::Stake::record(&provider, Deed::Claimed);
        let now = Self::now();
        let commit_by = now.saturating_add(order.terms.attempt_blocks);
        order.status = OrderStatus::Claimed;
        order.attempts = attempt.saturating_add(1);
        OpenOrders::<T>::remove(Sorted::from(id));
        Assigned::<T>::insert(&provider, Sorted::from(id), ());
        Self::schedule(id, &mut order, commit_by);
        Orders::<T>::insert(id, order);
        Attempts::<T>::insert(
            id,
            attempt,
            Attempt {
                provider: provider.clone(),
                price,
                bond,
                claimed_at: now,
                commit_by,
                commitment: None,
                trapped: None,
                failure: None,
            },
        );
        Self::deposit_event(Event::Claimed { order: id, attempt, provider, price, bond, commit_by });
        Ok(())
    }

    /// All that a decline needs beside its signature.
    pub(crate) fn check_decline(
        order: OrderId,
        attempt: AttemptIndex,
        provider: &T::AccountId,
    ) -> Result<(Order<T::AccountId>, Attempt<T::AccountId>), Error<T>> {
        let (found, tried) = Self::running(order, attempt, OrderStatus::Claimed)?;
        ensure!(tried.provider == *provider, Error::<T>::NotProvider);
        let now = Self::now();
        ensure!(now >= tried.claimed_at.saturating_add(DeclineAfter::<T>::get()), Error::<T>::TooEarly);
        ensure!(now <= tried.commit_by, Error::<T>::TooLate);
        Ok((found, tried))
    }

    pub(crate) fn do_decline(id: OrderId, attempt: AttemptIndex, provider: T::AccountId) -> DispatchResult {
        let (mut order, tried) = Self::check_decline(id, attempt, &provider)?;
        T::Stake::release_bond(&provider, tried.bond)?;
        T::Stake::record(&provider, Deed::Declined);
        order.declines = order.declines.saturating_add(1);
        Self::fail(id, order, attempt, tried, Failure::Declined)
    }

    /// All that a commit needs beside its signature.
    pub(crate) fn check_commit(
        order: OrderId,
        attempt: AttemptIndex,
        provider: &T::AccountId,
        trace_root: &Hash,
        start: &TracePath,
    ) -> Result<(Order<T::AccountId>, Attempt<T::AccountId>), Error<T>> {
        let (found, tried) = Self::running(order, attempt, OrderStatus::Claimed)?;
        ensure!(tried.provider == *provider, Error::<T>::NotProvider);
        ensure!(Self::now() <= tried.commit_by, Error::<T>::TooLate);
        ensure!(trace::verify_path(trace_root, found.states, 0, &found.start_root, start), Error::<T>::BadStart);
        Ok((found, tried))
    }

    pub(crate) fn do_commit_result(
        id: OrderId,
        attempt: AttemptIndex,
        provider: T::AccountId,
        trace_root: Hash,
        start: &TracePath,
    ) -> DispatchResult {
        let (mut order, mut tried) = Self::check_commit(id, attempt, &provider, &trace_root, start)?;
        let at = Self::now();
        let window_ends = at.saturating_add(AuditWindow::<T>::get());
        tried.commitment = Some(Commitment { at, window_ends, trace_root });
        order.status = OrderStatus::Committed;
        CommittedOrders::<T>::insert(Sorted::from(id), ());
        Self::schedule(id, &mut order, window_ends);
        Orders::<T>::insert(id, order);
        Attempts::<T>::insert(id, attempt, tried);
        Self::deposit_event(Event::Committed { order: id, attempt, provider, trace_root, window_ends });
        Ok(())
    }
}
