//! What the pallets of Assay ask of each other. They meet here and nowhere else: no pallet reads another's storage.
//!
//! ```text
//! compute ─▶ Escrow   (customers' money, one hold per order)
//!         └▶ Stake    (operators' money, bonds, records)
//! ```
//! Every function that moves money either does all it says or fails and changes nothing, given that the caller runs it in a
//! storage layer.
#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

use alloc::vec::Vec;
use assay_primitives::{Account, Balance, BlockNumber, OrderId, order::ProviderView};
use sp_runtime::{DispatchError, DispatchResult};

/// Customers' money, held on their own accounts until an order ends.
pub trait Escrow<AccountId> {
    /// Holds `amount` planck of `customer` for `order`. Fails when the customer cannot spare it, or the order has an escrow.
    fn lock(order: OrderId, customer: &AccountId, amount: Balance) -> DispatchResult;
    /// Planck held for `order`; 0 without an escrow.
    fn held(order: OrderId) -> Balance;
    /// Moves `amount` planck of the order's escrow to the free balance of `to`. Returns what moved: `amount`, or 0 when `to`
    /// is no account and `amount` is too little to make it one.
    fn pay(order: OrderId, to: &AccountId, amount: Balance) -> Result<Balance, DispatchError>;
    /// Burns `amount` planck of the order's escrow.
    fn burn(order: OrderId, amount: Balance) -> DispatchResult;
    /// Releases what is left to the customer and ends the escrow. Returns the planck released.
    fn refund(order: OrderId) -> Result<Balance, DispatchError>;
}

/// What a provider did: what its record counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    /// It claimed an attempt.
    Claimed,
    /// An attempt settled.
    Settled,
    /// It declined.
    Declined,
    /// It let the deadline pass.
    NoShow,
    /// A fault was proved, or its result could not be audited.
    Fault,
}

/// What became of a slashed bond, in planck.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Slashed {
    /// What each share's owner got, in the order of the shares: the share, or 0 when it could not arrive and was burned.
    pub paid: Vec<Balance>,
    /// What was burned.
    pub burned: Balance,
}

/// Operators' money and their standing.
pub trait Stake<AccountId> {
    /// The key that signs the claims and commits of the provider `operator`; `None` when it is no provider.
    fn worker(operator: &AccountId) -> Option<Account>;
    /// Last block of the operator's suspension, past or not; `None` when it never was suspended.
    fn suspended_until(operator: &AccountId) -> Option<BlockNumber>;
    /// Planck of `operator` that may still be locked in bonds.
    fn capacity(operator: &AccountId) -> Balance;
    /// Planck of `operator` locked in bonds.
    fn bonded(operator: &AccountId) -> Balance;
    /// Planck of `operator` that can be slashed at all: stake and what is unbonding.
    fn total_stake(operator: &AccountId) -> Balance;
    /// Planck of `operator` that can be slashed without breaking a bond.
    fn unpromised(operator: &AccountId) -> Balance;
    /// Planck an operator stakes at least.
    fn min_stake() -> Balance;
    /// Blocks from unstaking to the free balance.
    fn unbonding_period() -> BlockNumber;

    /// Locks `amount` planck of the operator's stake. Fails when its capacity is less.
    fn lock_bond(operator: &AccountId, amount: Balance) -> DispatchResult;
    /// Ends a bond of `amount` planck: it is capacity again.
    fn release_bond(operator: &AccountId, amount: Balance) -> DispatchResult;
    /// Ends a bond of `bond` planck with a loss: pays each of `shares` from it, burns `burn` planck of it, and leaves the
    /// rest to the operator. The losses may not exceed the bond.
    fn slash_bond(
        operator: &AccountId,
        bond: Balance,
        shares: &[(AccountId, Balance)],
        burn: Balance,
    ) -> Result<Slashed, DispatchError>;
    /// Burns up to `amount` planck of what no bond promises. Returns the planck burned.
    fn slash_stake(operator: &AccountId, amount: Balance) -> Result<Balance, DispatchError>;
    /// Keeps the operator from claiming up to and including block `until`; never shortens a suspension.
    fn suspend(operator: &AccountId, until: BlockNumber);
    /// Counts what a provider did.
    fn record(operator: &AccountId, deed: Deed);

    /// The provider as the chain tells it.
    fn provider(operator: &AccountId) -> Option<ProviderView>;
    /// Every provider, at most `limit`.
    fn providers(limit: u32) -> Vec<ProviderView>;

    /// Makes `operator` a provider with `stake` planck and the given worker key, for benchmarks.
    #[cfg(feature = "runtime-benchmarks")]
    fn set_up_provider(operator: &AccountId, stake: Balance, worker: Account);
}
