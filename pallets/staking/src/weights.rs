//! Weights of the calls.
//!
//! Until they are measured in Wasm they are formulae: database operations counted by reading the code, at the node's
//! weights, and a processor share of 25 µs plus 10 µs per hold moved, about twice what such calls of pallet balances take.

use core::marker::PhantomData;
use frame_support::{traits::Get, weights::Weight};

/// Weights of the calls.
pub trait WeightInfo {
    /// [`crate::Call::stake`]
    fn stake() -> Weight;
    /// [`crate::Call::unstake`]
    fn unstake() -> Weight;
    /// [`crate::Call::withdraw`]
    fn withdraw() -> Weight;
    /// [`crate::Call::set_provider`]
    fn set_provider() -> Weight;
    /// [`crate::Call::retire_provider`]
    fn retire_provider() -> Weight;
    /// [`crate::Call::validate`]
    fn validate() -> Weight;
    /// [`crate::Call::chill`]
    fn chill() -> Weight;
}

const MICROSECOND: u64 = 1_000_000;
/// Bytes of proof per storage item, at most: a ledger, a record or a registration, with its path in the trie.
const PROOF: u64 = 4_096;

/// `micros` of processor and the database operations.
fn weigh<T: frame_system::Config>(micros: u64, reads: u64, writes: u64) -> Weight {
    Weight::from_parts(micros.saturating_mul(MICROSECOND), reads.saturating_mul(PROOF))
        .saturating_add(T::DbWeight::get().reads_writes(reads, writes))
}

/// The weights for a runtime.
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: crate::Config> WeightInfo for SubstrateWeight<T> {
    // Reads and writes: the ledger, the account, its holds.
    fn stake() -> Weight {
        weigh::<T>(35, 3, 3)
    }

    // Reads the ledger, the candidates, the registration; writes the ledger.
    fn unstake() -> Weight {
        weigh::<T>(25, 3, 1)
    }

    fn withdraw() -> Weight {
        weigh::<T>(40, 3, 3)
    }

    fn set_provider() -> Weight {
        weigh::<T>(25, 1, 1)
    }

    fn retire_provider() -> Weight {
        weigh::<T>(25, 2, 1)
    }

    // Reads the keys, the candidates and, when they are full, each one's ledger.
    fn validate() -> Weight {
        let candidates = u64::from(T::MaxCandidates::get());
        weigh::<T>(25u64.saturating_add(candidates), candidates.saturating_add(4), 1)
    }

    fn chill() -> Weight {
        weigh::<T>(25u64.saturating_add(u64::from(T::MaxCandidates::get())), 1, 1)
    }
}

impl WeightInfo for () {
    fn stake() -> Weight {
        Weight::from_parts(35 * MICROSECOND, 0)
    }

    fn unstake() -> Weight {
        Weight::from_parts(25 * MICROSECOND, 0)
    }

    fn withdraw() -> Weight {
        Weight::from_parts(40 * MICROSECOND, 0)
    }

    fn set_provider() -> Weight {
        Weight::from_parts(25 * MICROSECOND, 0)
    }

    fn retire_provider() -> Weight {
        Weight::from_parts(25 * MICROSECOND, 0)
    }

    fn validate() -> Weight {
        Weight::from_parts(125 * MICROSECOND, 0)
    }

    fn chill() -> Weight {
        Weight::from_parts(125 * MICROSECOND, 0)
    }
}
