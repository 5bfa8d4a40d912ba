//! What the pallet keeps of an operator.

use assay_primitives::{Account, Balance, BlockNumber};
use codec::{Decode, Encode, MaxEncodedLen};
use frame_support::BoundedVec;
use scale_info::TypeInfo;
use sp_core::ConstU32;

/// Bytes of a provider's URL.
pub const MAX_ENDPOINT: u32 = 256;
/// Withdrawals that may wait at once.
pub const MAX_UNBONDINGS: u32 = 32;

/// Money on its way out of the stake.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Unbonding {
    /// Planck.
    pub amount: Balance,
    /// First block in which it may be withdrawn.
    pub due: BlockNumber,
}

/// An operator's money. `bonded <= stake`; the hold is `stake` and all of `unbonding`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Ledger {
    /// Planck at stake.
    pub stake: Balance,
    /// Planck of the stake that attempts have locked.
    pub bonded: Balance,
    /// Planck on the way out, earliest first.
    pub unbonding: BoundedVec<Unbonding, ConstU32<MAX_UNBONDINGS>>,
}

impl Ledger {
    /// Planck that may still be locked in bonds.
    pub fn capacity(&self) -> Balance {
        self.stake.saturating_sub(self.bonded)
    }

    /// Planck on the way out.
    pub fn leaving(&self) -> Balance {
        self.unbonding.iter().fold(0, |sum, unbonding| sum.saturating_add(unbonding.amount))
    }

    /// Planck on hold.
    pub fn total(&self) -> Balance {
        self.stake.saturating_add(self.leaving())
    }

    /// Whether nothing is left.
    pub fn is_empty(&self) -> bool {
        self.stake == 0 && self.unbonding.is_empty()
    }
}

/// How to reach a provider.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Registration {
    /// URL of its blob server.
    pub endpoint: BoundedVec<u8, ConstU32<MAX_ENDPOINT>>,
    /// Key that signs its claims and commits.
    pub worker: Account,
}

/// What an operator has done. It outlives the registration.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Record {
    /// Last block of its suspension.
    pub suspended_until: Option<BlockNumber>,
    /// Attempts it claimed.
    pub attempts: u32,
    /// Attempts that settled.
    pub settled: u32,
    /// Attempts it declined.
    pub declined: u32,
    /// Attempts it let pass.
    pub no_shows: u32,
    /// Attempts with a proved fault, or withheld.
    pub faults: u32,
    /// Planck slashed from it.
    pub slashed: Balance,
}
