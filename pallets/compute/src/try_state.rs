//! What always holds.

use crate::*;
use alloc::collections::BTreeMap;
use frame_support::{ensure, traits::fungible::hold::Inspect as _};
use pallet_assay_traits::{Escrow, Stake};
use sp_runtime::TryRuntimeError;

impl<T: Config> Pallet<T> {
    /// Every planck in escrow, bond and deposit belongs to an order, an attempt or a kernel; the lists agree with the orders.
    pub fn do_try_state() -> Result<(), TryRuntimeError> {
        let mut bonds: BTreeMap<T::AccountId, Balance> = BTreeMap::new();
        let mut programs: BTreeMap<ProgramId, u32> = BTreeMap::new();
        let mut uses: BTreeMap<KernelId, u32> = BTreeMap::new();
        let (mut open, mut committed, mut assigned) = (0usize, 0usize, 0usize);
        for (id, order) in Orders::<T>::iter() {
            ensure!(id < NextOrder::<T>::get(), "an order from the future");
            ensure!(order.status.is_terminal() == order.receipt.is_some(), "a receipt too early or too late");
            let listed = OpenOrders::<T>::contains_key(Sorted::from(id));
            ensure!(listed == (order.status == OrderStatus::Open), "the list of open orders is wrong");
            open = open.saturating_add(usize::from(listed));
            let listed = CommittedOrders::<T>::contains_key(Sorted::from(id));
            ensure!(listed == (order.status == OrderStatus::Committed), "the list of committed orders is wrong");
            committed = committed.saturating_add(usize::from(listed));
            ensure!(order.attempts <= MAX_ATTEMPTS, "too many attempts");
            if order.due.is_some() {
                let refs = programs.entry(order.program).or_default();
                *refs = refs.saturating_add(1);
            }
            if let Some(receipt) = &order.receipt {
                let parts = [receipt.provider, receipt.protocol_fee, receipt.audit_fee, receipt.refund];
                ensure!(parts.iter().sum::<Balance>() == receipt.held, "a receipt does not add up");
                ensure!(T::Escrow::held(id) == 0, "an ended order has money");
                continue;
            }
            ensure!(
                T::Escrow::held(id) == order.terms.price.max.saturating_add(order.audit_fee),
                "an order's escrow differs from its offer"
            );
            let program = Self::stored_program(order.program).ok_or("an order without its program")?;
            for kernel in &program.kernels {
                ensure!(KernelCode::<T>::contains_key(kernel), "an order without its kernel");
                let count = uses.entry(*kernel).or_default();
                *count = count.saturating_add(1);
            }
            if order.status == OrderStatus::Open {
                continue;
            }
            let attempt = order
                .current()
                .and_then(|attempt| Attempts::<T>::get(id, attempt))
                .ok_or("a running order without an attempt")?;
            ensure!(attempt.failure.is_none(), "a running attempt has failed");
            ensure!(
                attempt.commitment.is_some() == (order.status == OrderStatus::Committed),
                "a commitment too early or too late"
            );
            ensure!(Assigned::<T>::contains_key(&attempt.provider, Sorted::from(id)), "an attempt is not assigned");
            assigned = assigned.saturating_add(1);
            let bond = bonds.entry(attempt.provider).or_default();
            *bond = bond.saturating_add(attempt.bond);
        }
        ensure!(OpenOrders::<T>::iter_keys().count() == open, "the list of open orders is too long");
        ensure!(CommittedOrders::<T>::iter_keys().count() == committed, "the list of committed orders is too long");
        ensure!(Assigned::<T>::iter_keys().count() == assigned, "the list of assigned orders is too long");
        for (provider, bond) in &bonds {
            ensure!(T::Stake::bonded(provider) == *bond, "a provider's bonds differ from its attempts");
        }
        ensure!(ProgramRefs::<T>::iter().collect::<BTreeMap<_, _>>() == programs, "programs are counted wrong");
        ensure!(Programs::<T>::iter_keys().count() == programs.len(), "a program without an order");
        ensure!(KernelUses::<T>::iter().collect::<BTreeMap<_, _>>() == uses, "kernels are counted wrong");
        let mut deposits: BTreeMap<T::AccountId, Balance> = BTreeMap::new();
        for (id, kernel) in Kernels::<T>::iter() {
            let len = KernelCode::<T>::decode_len(id).ok_or("a kernel without code")?;
            ensure!(usize::try_from(kernel.len) == Ok(len), "a kernel of another length");
            let deposit = deposits.entry(kernel.owner).or_default();
            *deposit = deposit.saturating_add(kernel.deposit);
        }
        for (owner, deposit) in &deposits {
            ensure!(
                T::Currency::balance_on_hold(&HoldReason::Kernel.into(), owner) == *deposit,
                "an owner's hold differs from its deposits"
            );
        }
        Ok(())
    }
}
