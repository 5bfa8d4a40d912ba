//! Operators' money: stakes, the bonds that attempts lock in them, slashing, providers' registrations and records, and the
//! choice of validators by stake.
//!
//! Pallet compute asks it through [`pallet_assay_traits::Stake`], pallet session through
//! [`pallet_session::SessionManager`].
#![cfg_attr(not(feature = "std"), no_std)]
#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects, clippy::indexing_slicing))]

extern crate alloc;

pub use pallet::*;
pub use types::*;
pub use weights::WeightInfo;

#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
mod bonds;
mod functions;
#[cfg(test)]
mod mock;
mod session;
#[cfg(test)]
mod tests;
#[cfg(any(feature = "std", feature = "try-runtime"))]
mod try_state;
mod types;
pub mod weights;

use alloc::vec::Vec;
use assay_primitives::{Account, Balance};

#[frame_support::pallet]
#[allow(missing_docs)]
pub mod pallet {
    use super::*;
    use frame_support::{
        pallet_prelude::*,
        traits::{ValidatorRegistration, fungible},
    };
    use frame_system::pallet_prelude::*;

    const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

    #[pallet::pallet]
    #[pallet::storage_version(STORAGE_VERSION)]
    pub struct Pallet<T>(_);

    #[pallet::config]
    pub trait Config: frame_system::Config<AccountId: Into<Account> + From<Account>> {
        /// The reasons for holds, of the whole runtime.
        type RuntimeHoldReason: From<HoldReason>;

        /// The money.
        type Currency: fungible::hold::Mutate<Self::AccountId, Reason = Self::RuntimeHoldReason>
            + fungible::Mutate<Self::AccountId>
            + fungible::Inspect<Self::AccountId, Balance = Balance>;

        /// Who has session keys: pallet session.
        type Registration: ValidatorRegistration<Self::AccountId>;

        /// Planck an operator stakes at least.
        #[pallet::constant]
        type MinStake: Get<Balance>;

        /// Planck a validator stakes at least.
        #[pallet::constant]
        type MinValidatorStake: Get<Balance>;

        /// Blocks from unstaking to the free balance. Longer than any window in which an operator can be slashed.
        #[pallet::constant]
        type UnbondingPeriod: Get<u32>;

        /// Validators at most: those with the highest stakes.
        #[pallet::constant]
        type MaxValidators: Get<u32>;

        /// Candidates at most: when they are full, a higher stake replaces the lowest.
        #[pallet::constant]
        type MaxCandidates: Get<u32>;

        /// Weights of the calls.
        type WeightInfo: WeightInfo;
    }

    /// Why this pallet holds money.
    #[pallet::composite_enum]
    pub enum HoldReason {
        /// At stake, or on the way out of it.
        #[codec(index = 0)]
        Stake,
    }

    /// Each operator's money.
    #[pallet::storage]
    pub type Ledgers<T: Config> = StorageMap<_, Blake2_128Concat, T::AccountId, Ledger, ValueQuery>;

    /// The providers.
    #[pallet::storage]
    pub type Providers<T: Config> = StorageMap<_, Blake2_128Concat, T::AccountId, Registration>;

    /// What each operator has done.
    #[pallet::storage]
    pub type Records<T: Config> = StorageMap<_, Blake2_128Concat, T::AccountId, Record, ValueQuery>;

    /// The operators that want to validate.
    #[pallet::storage]
    pub type Candidates<T: Config> = StorageValue<_, BoundedVec<T::AccountId, T::MaxCandidates>, ValueQuery>;

    #[pallet::genesis_config]
    #[derive(frame_support::DefaultNoBound)]
    pub struct GenesisConfig<T: Config> {
        /// Operators and their stakes, in planck, taken from their free balances.
        pub operators: Vec<(T::AccountId, Balance)>,
        /// Those of them that validate.
        pub validators: Vec<T::AccountId>,
    }

    #[pallet::genesis_build]
    impl<T: Config> BuildGenesisConfig for GenesisConfig<T> {
        #[allow(clippy::panic)]
        fn build(&self) {
            for (operator, stake) in &self.operators {
                if let Err(error) = Pallet::<T>::do_stake(operator, *stake) {
                    panic!("genesis operator {operator:?} cannot stake {stake} planck: {error:?}");
                }
            }
            for validator in &self.validators {
                if let Err(error) = Pallet::<T>::add_candidate(validator) {
                    panic!("genesis validator {validator:?} cannot validate: {error:?}");
                }
            }
        }
    }

    #[pallet::event]
    #[pallet::generate_deposit(pub(super) fn deposit_event)]
    pub enum Event<T: Config> {
        /// An operator staked more.
        Staked { operator: T::AccountId, amount: Balance, stake: Balance },
        /// An operator took money out of its stake; it waits until block `due`.
        Unstaked { operator: T::AccountId, amount: Balance, due: u32 },
        /// Unbonded money is free.
        Withdrawn { operator: T::AccountId, amount: Balance },
        /// An operator registered as provider, or changed its registration.
        ProviderSet { operator: T::AccountId, endpoint: Vec<u8>, worker: Account },
        /// An operator is no provider any more.
        ProviderRetired { operator: T::AccountId },
        /// An operator wants to validate.
        Candidate { operator: T::AccountId },
        /// An operator does not want to validate any more, or was outbid.
        Chilled { operator: T::AccountId },
        /// Part of a stake was locked for an attempt.
        Bonded { operator: T::AccountId, amount: Balance },
        /// A bond is capacity again.
        Unbonded { operator: T::AccountId, amount: Balance },
        /// An operator lost money: `amount` in all, `burned` of it burned, the rest paid to others.
        Slashed { operator: T::AccountId, amount: Balance, burned: Balance },
        /// An operator may not claim up to and including block `until`.
        Suspended { operator: T::AccountId, until: u32 },
    }

    #[pallet::error]
    pub enum Error<T> {
        /// The stake would be less than the least.
        StakeTooLow,
        /// The stake is not free: it is locked in bonds, or less than asked.
        Insufficient,
        /// Too many withdrawals wait.
        TooManyUnbondings,
        /// Nothing can be withdrawn yet.
        NothingDue,
        /// The operator is no provider.
        NotProvider,
        /// The operator has attempts that are not over.
        AttemptsRunning,
        /// The endpoint is no `http://` or `https://` URL of printable characters.
        BadEndpoint,
        /// The operator is a candidate already.
        AlreadyCandidate,
        /// The operator is no candidate.
        NotCandidate,
        /// The operator has no session keys.
        NoSessionKeys,
        /// Candidates are full, and all have at least this stake.
        Outbid,
        /// The amount is zero.
        Zero,
    }

    #[pallet::hooks]
    impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
        fn integrity_test() {
            assert!(T::MinStake::get() > <T::Currency as fungible::Inspect<_>>::minimum_balance());
            assert!(T::MinValidatorStake::get() >= T::MinStake::get());
            assert!(T::MaxValidators::get() > 0 && T::MaxCandidates::get() >= T::MaxValidators::get());
        }

        #[cfg(feature = "try-runtime")]
        fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
            Self::do_try_state()
        }
    }

    #[pallet::call(weight(<T as Config>::WeightInfo))]
    impl<T: Config> Pallet<T> {
        /// Puts money at stake.
        ///
        /// ## Dispatch Origin
        /// Signed by the operator.
        /// ## Details
        /// The amount is held on the operator's account. It is capacity for bonds at once.
        /// ## Parameters
        /// - `amount`: planck.
        /// ## Errors
        /// - `Zero`, `StakeTooLow`: the amount is zero, or the stake would be less than the least.
        /// ## Events
        /// - `Staked`.
        #[pallet::call_index(0)]
        pub fn stake(origin: OriginFor<T>, #[pallet::compact] amount: Balance) -> DispatchResult {
            let operator = ensure_signed(origin)?;
            Self::do_stake(&operator, amount)
        }

        /// Takes money out of the stake; it waits for the unbonding period and can be slashed until then.
        ///
        /// ## Dispatch Origin
        /// Signed by the operator.
        /// ## Details
        /// What bonds lock cannot be taken. A provider or candidate keeps the least stake.
        /// ## Parameters
        /// - `amount`: planck.
        /// ## Errors
        /// - `Zero`, `Insufficient`, `StakeTooLow`, `TooManyUnbondings`.
        /// ## Events
        /// - `Unstaked`.
        #[pallet::call_index(1)]
        pub fn unstake(origin: OriginFor<T>, #[pallet::compact] amount: Balance) -> DispatchResult {
            let operator = ensure_signed(origin)?;
            Self::do_unstake(&operator, amount)
        }

        /// Releases all unbonded money whose time has come.
        ///
        /// ## Dispatch Origin
        /// Signed by the operator.
        /// ## Errors
        /// - `NothingDue`.
        /// ## Events
        /// - `Withdrawn`.
        #[pallet::call_index(2)]
        pub fn withdraw(origin: OriginFor<T>) -> DispatchResult {
            let operator = ensure_signed(origin)?;
            Self::do_withdraw(&operator)
        }

        /// Registers the operator as provider, or changes its registration.
        ///
        /// ## Dispatch Origin
        /// Signed by the operator.
        /// ## Parameters
        /// - `endpoint`: `http://` or `https://` URL of its blob server.
        /// - `worker`: sr25519 public key that signs its claims and commits.
        /// ## Errors
        /// - `StakeTooLow`, `BadEndpoint`.
        /// ## Events
        /// - `ProviderSet`.
        #[pallet::call_index(3)]
        pub fn set_provider(
            origin: OriginFor<T>,
            endpoint: BoundedVec<u8, ConstU32<MAX_ENDPOINT>>,
            worker: Account,
        ) -> DispatchResult {
            let operator = ensure_signed(origin)?;
            Self::do_set_provider(&operator, endpoint, worker)
        }

        /// Ends the operator's registration as provider. Its record stays.
        ///
        /// ## Dispatch Origin
        /// Signed by the operator.
        /// ## Errors
        /// - `NotProvider`, `AttemptsRunning`.
        /// ## Events
        /// - `ProviderRetired`.
        #[pallet::call_index(4)]
        pub fn retire_provider(origin: OriginFor<T>) -> DispatchResult {
            let operator = ensure_signed(origin)?;
            Self::do_retire_provider(&operator)
        }

        /// Makes the operator a candidate for validating. It needs session keys.
        ///
        /// ## Dispatch Origin
        /// Signed by the operator.
        /// ## Details
        /// The candidates with the highest stakes validate from the session after the next.
        /// ## Errors
        /// - `StakeTooLow`, `NoSessionKeys`, `AlreadyCandidate`, `Outbid`.
        /// ## Events
        /// - `Candidate`; `Chilled` when another is outbid.
        #[pallet::call_index(5)]
        pub fn validate(origin: OriginFor<T>) -> DispatchResult {
            let operator = ensure_signed(origin)?;
            frame_support::ensure!(T::Registration::is_registered(&operator), Error::<T>::NoSessionKeys);
            Self::add_candidate(&operator)
        }

        /// Ends the operator's candidacy. It validates until its session's successor ends.
        ///
        /// ## Dispatch Origin
        /// Signed by the operator.
        /// ## Errors
        /// - `NotCandidate`.
        /// ## Events
        /// - `Chilled`.
        #[pallet::call_index(6)]
        pub fn chill(origin: OriginFor<T>) -> DispatchResult {
            let operator = ensure_signed(origin)?;
            Self::do_chill(&operator)
        }
    }
}
