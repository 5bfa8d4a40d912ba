//! What the runtime APIs tell.

use crate::*;
use alloc::string::String;
use assay_primitives::{
    economy,
    order::{
        AttemptView, AuditLevel, AuditTask, KernelView, OrderView, Parameters, PriceCurve, ProviderView, Quote,
        ReportView,
    },
    witness::MAX_WITNESS_BYTES,
};
use frame_support::traits::Get;
use pallet_assay_traits::{Escrow, Stake};

/// Items of one answer.
const MAX_ITEMS: u32 = 256;

fn capped(limit: u32) -> usize {
    usize::try_from(limit.min(MAX_ITEMS)).unwrap_or(0)
}

fn attempt_view<T: Config>(order: OrderId, index: AttemptIndex, attempt: Attempt<T::AccountId>) -> AttemptView {
    let commitment = attempt.commitment.as_ref();
    AttemptView {
        attempt: index,
        provider: attempt.provider.into(),
        price: attempt.price,
        bond: attempt.bond,
        claimed_at: attempt.claimed_at,
        commit_by: attempt.commit_by,
        committed_at: commitment.map(|commitment| commitment.at),
        window_ends: commitment.map(|commitment| commitment.window_ends),
        trace_root: commitment.map(|commitment| commitment.trace_root),
        reports: Reports::<T>::get(order, index)
            .into_iter()
            .map(|Reported { auditor, verdict, units, lane_steps, digest, at }| ReportView {
                auditor: auditor.into(),
                verdict,
                units,
                lane_steps,
                digest,
                at,
            })
            .collect(),
        failure: attempt.failure,
    }
}

impl<T: Config> Pallet<T> {
    /// The chain's constants.
    pub fn parameters() -> Parameters {
        Parameters {
            unit_fuel: T::UnitFuel::get(),
            witness_bytes: MAX_WITNESS_BYTES,
            kernel_bytes: MAX_KERNEL_BYTES,
            deposit_per_byte: T::DepositPerByte::get(),
            audit_window: AuditWindow::<T>::get(),
            decline_after: DeclineAfter::<T>::get(),
            min_stake: T::Stake::min_stake(),
        }
    }

    /// One order.
    pub fn order(id: OrderId) -> Option<OrderView> {
        let order = Orders::<T>::get(id)?;
        let attempts = (0..order.attempts)
            .filter_map(|index| Some(attempt_view::<T>(id, index, Attempts::<T>::get(id, index)?)))
            .collect();
        Some(OrderView {
            order: id,
            customer: order.customer.into(),
            program: order.program,
            terms: order.terms,
            status: order.status,
            placed_at: order.placed_at,
            open_since: order.open_since,
            held: T::Escrow::held(id),
            attempts,
            receipt: order.receipt,
        })
    }

    /// The orders of a customer, newest first, at most `limit` (and 256) from `before`, exclusive, down.
    pub fn orders_of(customer: T::AccountId, before: Option<OrderId>, limit: u32) -> Vec<OrderView> {
        let at = |position| CustomerOrders::<T>::get(&customer, position);
        // Numbers grow with positions: find the first position that is not below `before`.
        let mut end = OrderCounts::<T>::get(&customer);
        if let Some(before) = before {
            let mut low = 0u32;
            while low < end {
                let middle = low.midpoint(end);
                if at(middle).is_some_and(|order| order < before) {
                    low = middle.saturating_add(1);
                } else {
                    end = middle;
                }
            }
        }
        (0..end).rev().take(capped(limit)).filter_map(|position| Self::order(at(position)?)).collect()
    }

    /// Orders that wait for a claim, oldest first, at most `limit` (and 256).
    pub fn open_orders(limit: u32) -> Vec<OrderView> {
        OpenOrders::<T>::iter_keys().take(capped(limit)).filter_map(|order| Self::order(order.into())).collect()
    }

    /// Orders that `provider` has claimed and not finished, oldest first, at most 256.
    pub fn assigned_orders(provider: T::AccountId) -> Vec<OrderView> {
        Assigned::<T>::iter_key_prefix(provider)
            .take(capped(MAX_ITEMS))
            .filter_map(|order| Self::order(order.into()))
            .collect()
    }

    /// A program that an order names, up to the end of its retention.
    pub fn program(program: ProgramId) -> Option<Program> {
        Self::stored_program(program)
    }

    /// A registered kernel.
    pub fn kernel(id: KernelId) -> Option<KernelView> {
        let kernel = Kernels::<T>::get(id)?;
        let entries = kernel.entries.iter().map(|entry| String::from_utf8_lossy(&entry.name).into_owned()).collect();
        Some(KernelView {
            kernel: id,
            owner: kernel.owner.into(),
            deposit: kernel.deposit,
            len: kernel.len,
            engine: kernel.engine,
            entries,
        })
    }

    /// A registered kernel's PTX.
    pub fn kernel_code(id: KernelId) -> Option<Vec<u8>> {
        KernelCode::<T>::get(id).map(Into::into)
    }

    /// One provider.
    pub fn provider(operator: T::AccountId) -> Option<ProviderView> {
        T::Stake::provider(&operator)
    }

    /// Every provider, at most `limit` (and 256).
    pub fn providers(limit: u32) -> Vec<ProviderView> {
        T::Stake::providers(limit.min(MAX_ITEMS))
    }

    /// What an order of `units` units would cost.
    pub fn quote(units: u64, price: PriceCurve, audit: AuditLevel) -> Quote {
        let audit_fee = economy::audit_fee(price.max, audit);
        Quote { units, audit_fee, escrow: price.max.saturating_add(audit_fee), bond: economy::bond(price.max, audit) }
    }

    /// The commitments that the validator with this audit key may be drawn for, oldest first, at most 256; none for a key
    /// that is no validator's in this session.
    pub fn audit_tasks(auditor: sr25519::Public) -> Vec<AuditTask> {
        let Some(operator) = Self::operator_of(&auditor) else { return Vec::new() };
        CommittedOrders::<T>::iter_keys()
            .filter_map(|order| Self::audit_task(&operator, order.into()))
            .take(capped(MAX_ITEMS))
            .collect()
    }

    fn audit_task(operator: &T::AccountId, id: OrderId) -> Option<AuditTask> {
        let order = Orders::<T>::get(id)?;
        let index = order.current()?;
        let attempt = Attempts::<T>::get(id, index)?;
        let commitment = attempt.commitment.filter(|commitment| Self::now() <= commitment.window_ends)?;
        if attempt.provider == *operator {
            return None;
        }
        let reported = Reports::<T>::get(id, index).iter().any(|reported| reported.auditor == *operator);
        Some(AuditTask {
            order: id,
            attempt: index,
            endpoint: T::Stake::provider(&attempt.provider).map(|provider| provider.endpoint).unwrap_or_default(),
            validators: Self::auditors_of(&attempt.provider),
            provider: attempt.provider.into(),
            program: order.program,
            trace_root: commitment.trace_root,
            committed_at: commitment.at,
            window_ends: commitment.window_ends,
            audit: order.terms.audit,
            reported,
        })
    }
}
