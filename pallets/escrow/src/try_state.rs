//! What always holds.

use crate::{Config, HoldReason, Locked, Pallet};
use alloc::collections::BTreeMap;
use frame_support::{ensure, traits::fungible::hold::Inspect as _};
use sp_runtime::TryRuntimeError;

impl<T: Config> Pallet<T> {
    /// Each customer's holds for orders are the sum of what its orders have locked.
    pub fn do_try_state() -> Result<(), TryRuntimeError> {
        let mut sums = BTreeMap::new();
        for lock in Locked::<T>::iter_values() {
            let sum: &mut u128 = sums.entry(lock.customer).or_default();
            *sum = sum.checked_add(lock.held).ok_or("escrow overflows")?;
        }
        for (customer, sum) in sums {
            ensure!(
                T::Currency::balance_on_hold(&HoldReason::Order.into(), &customer) == sum,
                "a customer's hold differs from its orders' escrow"
            );
        }
        Ok(())
    }
}
