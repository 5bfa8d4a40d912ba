//! How attempts fail and orders end, and who gets what.

use crate::*;
use alloc::vec::Vec;
use assay_primitives::economy::{self, Settlement};
use frame_support::traits::Get;
use pallet_assay_traits::{Deed, Escrow, Stake};
use sp_runtime::{DispatchError, DispatchResult};

/// What an order's escrow pays beside the refund.
pub(crate) struct Payments<AccountId> {
    /// To the provider.
    pub provider: Option<(AccountId, Balance)>,
    /// Burned.
    pub protocol_fee: Balance,
    /// To the auditors.
    pub auditors: Vec<(AccountId, Balance)>,
}

impl<AccountId> Default for Payments<AccountId> {
    fn default() -> Self {
        Self { provider: None, protocol_fee: 0, auditors: Vec::new() }
    }
}

impl<T: Config> Pallet<T> {
    /// Does what time has made due. Returns whether anything was.
    pub(crate) fn advance(id: OrderId) -> Result<bool, DispatchError> {
        let Some(mut order) = Orders::<T>::get(id) else { return Ok(false) };
        if order.due.is_none_or(|due| Self::now() <= due) {
            return Ok(false);
        }
        if order.status == OrderStatus::Open {
            Self::close(id, order, OrderStatus::Expired, Payments::default())?;
            return Ok(true);
        }
        if order.status.is_terminal() {
            Self::release_program(order.program);
            order.due = None;
            Orders::<T>::insert(id, order);
            return Ok(true);
        }
        let (attempt, tried) = order
            .current()
            .and_then(|attempt| Some((attempt, Attempts::<T>::get(id, attempt)?)))
            .ok_or(Error::<T>::WrongAttempt)?;
        if order.status == OrderStatus::Claimed {
            Self::no_show(id, order, attempt, tried)?;
        } else if let Some(finder) = tried.trapped.clone() {
            Self::void(id, order, attempt, tried, finder)?;
        } else if let Some(auditors) = Self::paid_auditors(id, attempt, &order) {
            Self::pay_out(id, order, tried, auditors)?;
        } else {
            T::Stake::release_bond(&tried.provider, tried.bond)?;
            T::Stake::record(&tried.provider, Deed::Fault);
            Self::fail(id, order, attempt, tried, Failure::Withheld)?;
        }
        Ok(true)
    }

    pub(crate) fn do_settle(order: OrderId) -> DispatchResult {
        frame_support::ensure!(Orders::<T>::contains_key(order), Error::<T>::OrderNotFound);
        frame_support::ensure!(Self::advance(order)?, Error::<T>::TooEarly);
        Ok(())
    }

    /// The auditors that are paid, if as many as the order asks for have verified the result: the first ones.
    fn paid_auditors(id: OrderId, attempt: AttemptIndex, order: &Order<T::AccountId>) -> Option<Vec<T::AccountId>> {
        let wanted = usize::from(order.terms.audit.auditors);
        let verified: Vec<_> = Reports::<T>::get(id, attempt)
            .into_iter()
            .filter(|reported| reported.verdict == ReportVerdict::Verified)
            .map(|reported| reported.auditor)
            .take(wanted)
            .collect();
        (verified.len() == wanted).then_some(verified)
    }

    /// One auditor's share of `fee`.
    pub(crate) fn auditor_share(order: &Order<T::AccountId>, fee: Balance) -> Balance {
        fee.checked_div(Balance::from(order.terms.audit.auditors)).unwrap_or(0)
    }

    fn pay_out(
        id: OrderId,
        order: Order<T::AccountId>,
        tried: Attempt<T::AccountId>,
        auditors: Vec<T::AccountId>,
    ) -> DispatchResult {
        T::Stake::release_bond(&tried.provider, tried.bond)?;
        T::Stake::record(&tried.provider, Deed::Settled);
        let Settlement { provider, protocol_fee, audit_fee, .. } =
            economy::settle(T::Escrow::held(id), tried.price, order.audit_fee);
        let share = Self::auditor_share(&order, audit_fee);
        let payments = Payments {
            provider: Some((tried.provider, provider)),
            protocol_fee,
            auditors: auditors.into_iter().map(|auditor| (auditor, share)).collect(),
        };
        Self::close(id, order, OrderStatus::Settled, payments)
    }

    fn no_show(
        id: OrderId,
        mut order: Order<T::AccountId>,
        attempt: AttemptIndex,
        tried: Attempt<T::AccountId>,
    ) -> DispatchResult {
        let compensation = economy::share(tried.bond, economy::NO_SHOW_PPM);
        let shares = [(order.customer.clone(), compensation)];
        let slashed = T::Stake::slash_bond(&tried.provider, tried.bond, &shares, 0)?;
        let paid = slashed.paid.iter().fold(0, |sum: Balance, paid| sum.saturating_add(*paid));
        order.compensation = order.compensation.saturating_add(paid);
        T::Stake::record(&tried.provider, Deed::NoShow);
        T::Stake::suspend(&tried.provider, Self::now().saturating_add(T::NoShowSuspension::get()));
        Self::fail(id, order, attempt, tried, Failure::NoShow)
    }

    /// Ends an attempt whose bond is dealt with, and reopens the order, or ends it when it has been tried enough.
    pub(crate) fn fail(
        id: OrderId,
        mut order: Order<T::AccountId>,
        attempt: AttemptIndex,
        mut tried: Attempt<T::AccountId>,
        failure: Failure,
    ) -> DispatchResult {
        let provider = tried.provider.clone();
        Self::leave(id, &provider);
        tried.failure = Some(failure);
        Attempts::<T>::insert(id, attempt, tried);
        // Never full: it has room for every attempt.
        let _ = order.excluded.try_push(provider.clone());
        Self::deposit_event(Event::AttemptFailed { order: id, attempt, provider, failure });
        if order.declines >= MAX_DECLINES {
            return Self::close(id, order, OrderStatus::Voided, Payments::default());
        }
        if order.attempts >= MAX_ATTEMPTS {
            return Self::close(id, order, OrderStatus::Expired, Payments::default());
        }
        Self::open(id, &mut order);
        Orders::<T>::insert(id, order);
        Self::deposit_event(Event::Reopened { order: id });
        Ok(())
    }

    /// Ends the order at the program's cost: the provider gets its share, the finder and those who audited one auditor's fee
    /// each, as far as the order's fee reaches.
    pub(crate) fn void(
        id: OrderId,
        order: Order<T::AccountId>,
        attempt: AttemptIndex,
        mut tried: Attempt<T::AccountId>,
        finder: T::AccountId,
    ) -> DispatchResult {
        let provider = tried.provider.clone();
        T::Stake::release_bond(&provider, tried.bond)?;
        tried.failure = Some(Failure::ProgramFault);
        let Settlement { provider: amount, protocol_fee, audit_fee, .. } =
            economy::void(T::Escrow::held(id), tried.price, order.audit_fee);
        Attempts::<T>::insert(id, attempt, tried);
        let share = Self::auditor_share(&order, audit_fee);
        let reports = Reports::<T>::get(id, attempt).into_iter().map(|reported| reported.auditor);
        let auditors = core::iter::once(finder.clone())
            .chain(reports.filter(|auditor| *auditor != finder))
            .take(usize::from(order.terms.audit.auditors))
            .map(|auditor| (auditor, share))
            .collect();
        Self::deposit_event(Event::AttemptFailed {
            order: id,
            attempt,
            provider: provider.clone(),
            failure: Failure::ProgramFault,
        });
        let payments = Payments { provider: Some((provider, amount)), protocol_fee, auditors };
        Self::close(id, order, OrderStatus::Voided, payments)
    }

    /// Takes the order off the lists of what runs.
    fn leave(id: OrderId, provider: &T::AccountId) {
        Assigned::<T>::remove(provider, Sorted::from(id));
        CommittedOrders::<T>::remove(Sorted::from(id));
    }

    /// Ends the order: pays, releases the rest to the customer, writes the receipt.
    pub(crate) fn close(
        id: OrderId,
        mut order: Order<T::AccountId>,
        status: OrderStatus,
        payments: Payments<T::AccountId>,
    ) -> DispatchResult {
        let held = T::Escrow::held(id);
        let mut receipt =
            Receipt { held, compensation: order.compensation, closed_at: Self::now(), ..Default::default() };
        if let Some((provider, amount)) = payments.provider {
            receipt.provider = T::Escrow::pay(id, &provider, amount)?;
            Self::leave(id, &provider);
        }
        T::Escrow::burn(id, payments.protocol_fee)?;
        receipt.protocol_fee = payments.protocol_fee;
        for (auditor, amount) in payments.auditors {
            receipt.audit_fee = receipt.audit_fee.saturating_add(T::Escrow::pay(id, &auditor, amount)?);
        }
        receipt.refund = T::Escrow::refund(id)?;

        OpenOrders::<T>::remove(Sorted::from(id));
        Self::release_kernels(order.program);
        order.status = status;
        order.receipt = Some(receipt.clone());
        Self::schedule(id, &mut order, Self::now().saturating_add(T::Retention::get()));
        Orders::<T>::insert(id, order);
        Self::deposit_event(Event::Closed { order: id, status, receipt });
        Ok(())
    }
}
