use crate::{mock::*, *};
use frame_support::{assert_noop, assert_ok};
use pallet_assay_traits::Stake;
use pallet_session::SessionManager;

fn candidate(operator: u8, stake: Balance) {
    Staking::stake(signed(operator), stake).unwrap();
    Staking::validate(signed(operator)).unwrap();
}

fn elected() -> Option<Vec<AccountId>> {
    Staking::new_session(1)
}

#[test]
fn the_highest_stakes_validate() {
    run(|| {
        candidate(1, 1_000);
        candidate(2, 3_000);
        candidate(3, 2_000);
        assert_eq!(elected(), Some(vec![who(2), who(3)]));
    });
}

#[test]
fn equal_stakes_validate_in_the_order_of_candidacy() {
    run(|| {
        for operator in [3, 1, 2] {
            candidate(operator, 1_000);
        }
        assert_eq!(elected(), Some(vec![who(3), who(1)]));
    });
}

#[test]
fn without_candidates_the_old_validators_stay() {
    run(|| {
        assert_eq!(elected(), None);
        candidate(1, 1_000);
        assert_eq!(elected(), Some(vec![who(1)]));
        assert_ok!(Staking::chill(signed(1)));
        assert_eq!(elected(), None);
    });
}

#[test]
fn a_candidate_that_lost_its_stake_or_its_keys_does_not_validate() {
    run(|| {
        candidate(1, 1_000);
        candidate(2, 1_000);
        assert_ok!(Staking::slash_stake(&who(1), 1));
        assert_eq!(elected(), Some(vec![who(2)]));
        Keyless::set(vec![2]);
        assert_eq!(elected(), None);
    });
}

#[test]
fn a_candidate_needs_stake_and_session_keys() {
    run(|| {
        assert_ok!(Staking::stake(signed(1), MIN_VALIDATOR - 1));
        assert_noop!(Staking::validate(signed(1)), Error::<Test>::StakeTooLow);
        assert_ok!(Staking::stake(signed(1), 1));
        Keyless::set(vec![1]);
        assert_noop!(Staking::validate(signed(1)), Error::<Test>::NoSessionKeys);
        Keyless::set(vec![]);
        assert_ok!(Staking::validate(signed(1)));
        assert_noop!(Staking::validate(signed(1)), Error::<Test>::AlreadyCandidate);
        assert_noop!(Staking::unstake(signed(1), 1), Error::<Test>::StakeTooLow);
        assert_noop!(Staking::chill(signed(2)), Error::<Test>::NotCandidate);
    });
}

#[test]
fn when_candidates_are_full_a_higher_stake_replaces_the_lowest() {
    run(|| {
        for (operator, stake) in [(1, 3_000), (2, 1_000), (3, 2_000)] {
            candidate(operator, stake);
        }
        assert_ok!(Staking::stake(signed(4), 1_000));
        assert_noop!(Staking::validate(signed(4)), Error::<Test>::Outbid);
        assert_ok!(Staking::stake(signed(4), 1));
        assert_ok!(Staking::validate(signed(4)));
        assert_eq!(Candidates::<Test>::get().to_vec(), [who(1), who(3), who(4)]);
    });
}

#[test]
fn the_genesis_stakes_and_elects() {
    let genesis = GenesisConfig { operators: vec![(who(1), 2_000), (who(2), 500)], validators: vec![who(1)] };
    run_with(genesis, || {
        assert_eq!(elected(), Some(vec![who(1)]));
        assert_eq!(Staking::capacity(&who(2)), 500);
    });
}

#[test]
#[should_panic(expected = "cannot validate")]
fn a_genesis_validator_without_a_stake_is_an_error() {
    run_with(GenesisConfig { operators: vec![], validators: vec![who(1)] }, || ());
}
