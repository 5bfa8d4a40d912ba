use crate::{mock::*, *};
use frame_support::{assert_noop, assert_ok, traits::fungible::InspectHold};
use pallet_assay_traits::Stake;

#[test]
fn a_stake_is_held_and_is_capacity_at_once() {
    run(|| {
        assert_ok!(Staking::stake(signed(1), 500));
        assert_ok!(Staking::stake(signed(1), 1));
        assert_eq!(Balances::balance_on_hold(&HoldReason::Stake.into(), &who(1)), 501);
        assert_eq!(Staking::capacity(&who(1)), 501);
        assert_eq!(Balances::free_balance(who(1)), ENDOWMENT - 501);
    });
}

#[test]
fn less_than_the_least_stake_is_refused() {
    run(|| {
        assert_noop!(Staking::stake(signed(1), 0), Error::<Test>::Zero);
        assert_noop!(Staking::stake(signed(1), MIN - 1), Error::<Test>::StakeTooLow);
        assert_ok!(Staking::stake(signed(1), MIN));
        assert_noop!(Staking::unstake(signed(1), 1), Error::<Test>::StakeTooLow);
        assert_ok!(Staking::unstake(signed(1), MIN));
    });
}

#[test]
fn what_one_does_not_have_cannot_be_staked() {
    run(|| {
        assert!(Staking::stake(signed(1), ENDOWMENT).is_err());
        assert!(Staking::stake(signed(9), MIN).is_err());
    });
}

#[test]
fn unstaked_money_is_free_after_the_unbonding_period_and_not_before() {
    run(|| {
        assert_ok!(Staking::stake(signed(1), 500));
        assert_ok!(Staking::unstake(signed(1), 300));
        assert_eq!((Staking::capacity(&who(1)), Staking::total_stake(&who(1))), (200, 500));
        System::set_block_number(UNBONDING);
        assert_noop!(Staking::withdraw(signed(1)), Error::<Test>::NothingDue);
        System::set_block_number(1 + UNBONDING);
        assert_ok!(Staking::withdraw(signed(1)));
        assert_eq!(Balances::free_balance(who(1)), ENDOWMENT - 200);
        assert_noop!(Staking::withdraw(signed(1)), Error::<Test>::NothingDue);
    });
}

#[test]
fn only_what_is_due_is_withdrawn() {
    run(|| {
        assert_ok!(Staking::stake(signed(1), 500));
        assert_ok!(Staking::unstake(signed(1), 100));
        System::set_block_number(11);
        assert_ok!(Staking::unstake(signed(1), 50));
        System::set_block_number(1 + UNBONDING);
        assert_ok!(Staking::withdraw(signed(1)));
        assert_eq!(Staking::total_stake(&who(1)), 400);
    });
}

#[test]
fn withdrawals_of_one_block_share_a_place_and_places_are_bounded() {
    run(|| {
        assert_ok!(Staking::stake(signed(1), 50_000));
        for block in 1..=MAX_UNBONDINGS {
            System::set_block_number(block);
            assert_ok!(Staking::unstake(signed(1), 10));
            assert_ok!(Staking::unstake(signed(1), 10));
        }
        System::set_block_number(MAX_UNBONDINGS + 1);
        assert_noop!(Staking::unstake(signed(1), 10), Error::<Test>::TooManyUnbondings);
    });
}

#[test]
fn who_takes_everything_out_leaves_nothing_behind() {
    run(|| {
        assert_ok!(Staking::stake(signed(1), 500));
        assert_ok!(Staking::unstake(signed(1), 500));
        System::set_block_number(1 + UNBONDING);
        assert_ok!(Staking::withdraw(signed(1)));
        assert_eq!(Balances::free_balance(who(1)), ENDOWMENT);
        assert_eq!(Ledgers::<Test>::iter().count(), 0);
    });
}
