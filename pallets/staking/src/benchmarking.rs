//! Benchmarks of the calls.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use crate::*;
use alloc::vec;
use frame_benchmarking::v2::*;
use frame_support::traits::{Get, fungible::Mutate as _};
use frame_system::RawOrigin;
use sp_runtime::SaturatedConversion;

fn operator<T: Config>(index: u32, stake: Balance) -> T::AccountId {
    let operator = account("operator", index, 0);
    T::Currency::mint_into(&operator, stake * 4).unwrap();
    Pallet::<T>::do_stake(&operator, stake).unwrap();
    operator
}

/// A stake whose withdrawals fill every place.
fn leaving<T: Config>() -> T::AccountId {
    let stake = T::MinStake::get() * 100;
    let operator = operator::<T>(0, stake);
    for block in 1..MAX_UNBONDINGS {
        frame_system::Pallet::<T>::set_block_number(block.saturated_into());
        Pallet::<T>::do_unstake(&operator, 1).unwrap();
    }
    frame_system::Pallet::<T>::set_block_number((MAX_UNBONDINGS + 1).saturated_into());
    operator
}

#[benchmarks]
mod benches {
    use super::*;

    #[benchmark]
    fn stake() {
        let least = T::MinStake::get();
        let operator = leaving::<T>();
        let before = Ledgers::<T>::get(&operator).stake;
        #[extrinsic_call]
        _(RawOrigin::Signed(operator.clone()), least);
        assert_eq!(Ledgers::<T>::get(&operator).stake, before + least);
    }

    #[benchmark]
    fn unstake() {
        let operator = leaving::<T>();
        #[extrinsic_call]
        _(RawOrigin::Signed(operator.clone()), 1);
        assert!(Ledgers::<T>::get(&operator).unbonding.is_full());
    }

    #[benchmark]
    fn withdraw() {
        let operator = leaving::<T>();
        let due = MAX_UNBONDINGS + T::UnbondingPeriod::get();
        frame_system::Pallet::<T>::set_block_number(due.saturated_into());
        #[extrinsic_call]
        _(RawOrigin::Signed(operator.clone()));
        assert!(Ledgers::<T>::get(&operator).unbonding.is_empty());
    }

    #[benchmark]
    fn set_provider() {
        let operator = operator::<T>(0, T::MinStake::get());
        let mut endpoint = b"http://".to_vec();
        endpoint.resize(MAX_ENDPOINT as usize, b'a');
        #[extrinsic_call]
        _(RawOrigin::Signed(operator.clone()), endpoint.try_into().unwrap(), [1; 32]);
        assert!(Providers::<T>::contains_key(&operator));
    }

    #[benchmark]
    fn retire_provider() {
        let operator = operator::<T>(0, T::MinStake::get());
        let endpoint = vec![b'h', b't', b't', b'p', b':', b'/', b'/', b'a'].try_into().unwrap();
        Pallet::<T>::do_set_provider(&operator, endpoint, [1; 32]).unwrap();
        #[extrinsic_call]
        _(RawOrigin::Signed(operator.clone()));
        assert!(!Providers::<T>::contains_key(&operator));
    }

    /// Candidates are full, and the newcomer outbids one. The keys are left out: setting them is not this pallet's.
    #[benchmark]
    fn validate() {
        Candidates::<T>::kill();
        for index in 0..T::MaxCandidates::get() {
            let candidate = operator::<T>(index + 1, T::MinValidatorStake::get());
            Pallet::<T>::add_candidate(&candidate).unwrap();
        }
        let operator = operator::<T>(0, T::MinValidatorStake::get() + 1);
        #[block]
        {
            Pallet::<T>::add_candidate(&operator).unwrap();
        }
        assert!(Candidates::<T>::get().contains(&operator));
    }

    #[benchmark]
    fn chill() {
        Candidates::<T>::kill();
        let mut last = None;
        for index in 0..T::MaxCandidates::get() {
            let candidate = operator::<T>(index, T::MinValidatorStake::get());
            Pallet::<T>::add_candidate(&candidate).unwrap();
            last = Some(candidate);
        }
        let operator = last.unwrap();
        #[extrinsic_call]
        _(RawOrigin::Signed(operator.clone()));
        assert!(!Candidates::<T>::get().contains(&operator));
    }

    impl_benchmark_test_suite!(Pallet, crate::mock::empty(), crate::mock::Test);
}
