use crate::{mock::*, *};
use frame_support::{assert_noop, assert_ok};
use pallet_assay_traits::{Slashed, Stake};

#[test]
fn bonds_are_limited_by_the_stake() {
    run(|| {
        assert_ok!(Staking::stake(signed(1), 500));
        assert_ok!(Staking::lock_bond(&who(1), 300));
        assert_noop!(Staking::lock_bond(&who(1), 201), Error::<Test>::Insufficient);
        assert_ok!(Staking::lock_bond(&who(1), 200));
        assert_noop!(Staking::unstake(signed(1), 1), Error::<Test>::Insufficient);
        assert_noop!(Staking::release_bond(&who(1), 501), Error::<Test>::Insufficient);
        assert_ok!(Staking::release_bond(&who(1), 500));
    });
}

#[test]
fn what_leaves_is_no_capacity() {
    run(|| {
        assert_ok!(Staking::stake(signed(1), 500));
        assert_ok!(Staking::unstake(signed(1), 400));
        assert_noop!(Staking::lock_bond(&who(1), 101), Error::<Test>::Insufficient);
    });
}

#[test]
fn a_slashed_bond_is_paid_out_burned_and_the_rest_left() {
    run(|| {
        assert_ok!(Staking::stake(signed(1), 500));
        assert_ok!(Staking::lock_bond(&who(1), 200));
        let slashed = Staking::slash_bond(&who(1), 200, &[(who(2), 60), (who(3), 30)], 10);
        assert_eq!(slashed, Ok(Slashed { paid: vec![60, 30], burned: 10 }));
        assert_eq!((wealth(1), wealth(2), wealth(3)), (ENDOWMENT - 100, ENDOWMENT + 60, ENDOWMENT + 30));
        assert_eq!((Staking::total_stake(&who(1)), Staking::bonded(&who(1))), (400, 0));
        assert_eq!(Records::<Test>::get(who(1)).slashed, 100);
    });
}

#[test]
fn a_share_that_cannot_arrive_is_burned() {
    run(|| {
        assert_ok!(Staking::stake(signed(1), 500));
        assert_ok!(Staking::lock_bond(&who(1), 200));
        let slashed = Staking::slash_bond(&who(1), 200, &[(who(9), LEAST - 1), (who(8), LEAST)], 0);
        assert_eq!(slashed, Ok(Slashed { paid: vec![0, LEAST], burned: LEAST - 1 }));
    });
}

#[test]
fn an_operator_may_get_a_share_of_its_own_bond() {
    run(|| {
        assert_ok!(Staking::stake(signed(1), 500));
        assert_ok!(Staking::lock_bond(&who(1), 200));
        assert_ok!(Staking::slash_bond(&who(1), 200, &[(who(1), 60)], 140));
        assert_eq!(wealth(1), ENDOWMENT - 140);
        assert_eq!(Staking::total_stake(&who(1)), 300);
    });
}

#[test]
fn more_than_a_bond_cannot_be_slashed_from_it() {
    run(|| {
        assert_ok!(Staking::stake(signed(1), 500));
        assert_ok!(Staking::lock_bond(&who(1), 200));
        for (bond, share, burn) in [(200, 150, 51), (201, 0, 0), (200, u128::MAX, 1)] {
            let slash = || Staking::slash_bond(&who(1), bond, &[(who(2), share)], burn);
            assert_noop!(slash(), Error::<Test>::Insufficient);
        }
    });
}

#[test]
fn stake_is_slashed_before_what_leaves_and_bonds_never() {
    run(|| {
        assert_ok!(Staking::stake(signed(1), 500));
        assert_ok!(Staking::unstake(signed(1), 200));
        assert_ok!(Staking::lock_bond(&who(1), 250));
        assert_eq!(Staking::unpromised(&who(1)), 250);
        assert_eq!(Staking::slash_stake(&who(1), 30), Ok(30));
        assert_eq!((Staking::capacity(&who(1)), Staking::total_stake(&who(1))), (20, 470));
        assert_eq!(Staking::slash_stake(&who(1), 120), Ok(120));
        assert_eq!(Staking::unpromised(&who(1)), 100);
        assert_eq!(Staking::slash_stake(&who(1), 1_000), Ok(100));
        assert_eq!((Staking::total_stake(&who(1)), Staking::bonded(&who(1))), (250, 250));
    });
}
