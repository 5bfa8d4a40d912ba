//! How escrowed money moves.

use crate::{Config, Error, Event, HoldReason, Lock, Locked, Pallet};
use assay_primitives::{Balance, OrderId};
use frame_support::{
    ensure,
    traits::{
        fungible::{Inspect as _, hold::Mutate as _},
        tokens::{DepositConsequence, Fortitude, Precision, Provenance, Restriction},
    },
};
use pallet_assay_traits::Escrow;
use sp_runtime::{DispatchError, DispatchResult};

impl<T: Config> Pallet<T> {
    /// Takes `amount` planck off the order's record, after `take` took it off the hold.
    fn draw(order: OrderId, amount: Balance, take: impl FnOnce(&T::AccountId) -> DispatchResult) -> DispatchResult {
        Locked::<T>::try_mutate(order, |lock| {
            let lock = lock.as_mut().ok_or(Error::<T>::NotFound)?;
            lock.held = lock.held.checked_sub(amount).ok_or(Error::<T>::Insufficient)?;
            take(&lock.customer)
        })
    }
}

impl<T: Config> Escrow<T::AccountId> for Pallet<T> {
    fn lock(order: OrderId, customer: &T::AccountId, amount: Balance) -> DispatchResult {
        ensure!(!Locked::<T>::contains_key(order), Error::<T>::AlreadyLocked);
        T::Currency::hold(&HoldReason::Order.into(), customer, amount)?;
        Locked::<T>::insert(order, Lock { customer: customer.clone(), held: amount });
        Self::deposit_event(Event::Locked { order, customer: customer.clone(), amount });
        Ok(())
    }

    fn held(order: OrderId) -> Balance {
        Locked::<T>::get(order).map_or(0, |lock| lock.held)
    }

    fn pay(order: OrderId, to: &T::AccountId, amount: Balance) -> Result<Balance, DispatchError> {
        let deposit = T::Currency::can_deposit(to, amount, Provenance::Extant);
        if amount == 0 || deposit != DepositConsequence::Success {
            return Ok(0);
        }
        Self::draw(order, amount, |customer| {
            T::Currency::transfer_on_hold(
                &HoldReason::Order.into(),
                customer,
                to,
                amount,
                Precision::Exact,
                Restriction::Free,
                Fortitude::Force,
            )
            .map(|_| ())
        })?;
        Self::deposit_event(Event::Paid { order, to: to.clone(), amount });
        Ok(amount)
    }

    fn burn(order: OrderId, amount: Balance) -> DispatchResult {
        if amount == 0 {
            return Ok(());
        }
        Self::draw(order, amount, |customer| {
            T::Currency::burn_held(&HoldReason::Order.into(), customer, amount, Precision::Exact, Fortitude::Force)
                .map(|_| ())
        })?;
        Self::deposit_event(Event::Burned { order, amount });
        Ok(())
    }

    fn refund(order: OrderId) -> Result<Balance, DispatchError> {
        let Lock { customer, held } = Locked::<T>::take(order).ok_or(Error::<T>::NotFound)?;
        let amount = if held == 0 {
            0
        } else {
            T::Currency::release(&HoldReason::Order.into(), &customer, held, Precision::Exact)?
        };
        Self::deposit_event(Event::Refunded { order, customer, amount });
        Ok(amount)
    }
}
