//! Customers' money: each order's funds, on hold on its customer's own account until the order ends.
//!
//! The pallet has no calls. Pallet compute asks it through [`pallet_assay_traits::Escrow`].
#![cfg_attr(not(feature = "std"), no_std)]
#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects, clippy::indexing_slicing))]

extern crate alloc;

pub use pallet::*;

mod functions;
#[cfg(test)]
mod mock;
#[cfg(test)]
mod tests;
#[cfg(any(feature = "std", feature = "try-runtime"))]
mod try_state;

use assay_primitives::{Balance, OrderId};
use codec::{Decode, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// What one order has on hold.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Lock<AccountId> {
    /// Whose money it is.
    pub customer: AccountId,
    /// Planck on hold.
    pub held: Balance,
}

#[frame_support::pallet]
#[allow(missing_docs)]
pub mod pallet {
    use super::*;
    use frame_support::{pallet_prelude::*, traits::fungible};

    const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

    #[pallet::pallet]
    #[pallet::storage_version(STORAGE_VERSION)]
    pub struct Pallet<T>(_);

    #[pallet::config]
    pub trait Config: frame_system::Config {
        /// The reasons for holds, of the whole runtime.
        type RuntimeHoldReason: From<HoldReason>;

        /// The money.
        type Currency: fungible::hold::Mutate<Self::AccountId, Reason = Self::RuntimeHoldReason>
            + fungible::Inspect<Self::AccountId, Balance = Balance>;
    }

    /// Why this pallet holds money.
    #[pallet::composite_enum]
    pub enum HoldReason {
        /// For an order that has not ended.
        #[codec(index = 0)]
        Order,
    }

    /// The escrow of each order that has not ended.
    #[pallet::storage]
    pub type Locked<T: Config> = StorageMap<_, Twox64Concat, OrderId, Lock<T::AccountId>>;

    #[pallet::event]
    #[pallet::generate_deposit(pub(super) fn deposit_event)]
    pub enum Event<T: Config> {
        /// Money was held for an order.
        Locked { order: OrderId, customer: T::AccountId, amount: Balance },
        /// Money of an order was paid.
        Paid { order: OrderId, to: T::AccountId, amount: Balance },
        /// Money of an order was burned.
        Burned { order: OrderId, amount: Balance },
        /// What was left of an order went back to its customer.
        Refunded { order: OrderId, customer: T::AccountId, amount: Balance },
    }

    #[pallet::error]
    pub enum Error<T> {
        /// The order has an escrow already.
        AlreadyLocked,
        /// The order has no escrow.
        NotFound,
        /// The order's escrow holds less.
        Insufficient,
    }

    #[pallet::hooks]
    impl<T: Config> Hooks<frame_system::pallet_prelude::BlockNumberFor<T>> for Pallet<T> {
        #[cfg(feature = "try-runtime")]
        fn try_state(_: frame_system::pallet_prelude::BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
            Self::do_try_state()
        }
    }
}
