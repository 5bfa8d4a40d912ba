use crate::{mock::*, *};
use frame_support::{assert_noop, assert_ok};
use pallet_assay_traits::{Deed, Stake};

fn set(operator: u8, endpoint: &str) -> sp_runtime::DispatchResult {
    Staking::set_provider(signed(operator), endpoint.as_bytes().to_vec().try_into().unwrap(), [operator + 50; 32])
}

#[test]
fn a_provider_is_registered_changed_and_told() {
    run(|| {
        assert_ok!(Staking::stake(signed(1), 500));
        assert_ok!(set(1, "http://one.example"));
        assert_ok!(set(1, "https://two.example:8700/path"));
        let view = Staking::provider(&who(1)).unwrap();
        assert_eq!(view.endpoint, "https://two.example:8700/path");
        assert_eq!((view.worker, view.stake, view.bonded), ([51; 32], 500, 0));
        assert_eq!(Staking::worker(&who(1)), Some([51; 32]));
    });
}

#[test]
fn a_provider_needs_a_stake_and_keeps_the_least() {
    run(|| {
        assert_noop!(set(1, "http://one.example"), Error::<Test>::StakeTooLow);
        assert_ok!(Staking::stake(signed(1), 500));
        assert_ok!(set(1, "http://one.example"));
        assert_noop!(Staking::unstake(signed(1), 500), Error::<Test>::StakeTooLow);
        assert_ok!(Staking::retire_provider(signed(1)));
        assert_ok!(Staking::unstake(signed(1), 500));
    });
}

#[test]
fn an_endpoint_that_is_no_url_is_refused() {
    run(|| {
        assert_ok!(Staking::stake(signed(1), 500));
        for endpoint in ["", "http://", "ftp://one.example", "one.example", "http://a b", "http://a\n", "http://é"] {
            assert_noop!(set(1, endpoint), Error::<Test>::BadEndpoint);
        }
    });
}

#[test]
fn who_has_bonds_cannot_retire() {
    run(|| {
        assert_noop!(Staking::retire_provider(signed(1)), Error::<Test>::NotProvider);
        assert_ok!(Staking::stake(signed(1), 500));
        assert_ok!(set(1, "http://one.example"));
        assert_ok!(Staking::lock_bond(&who(1), 1));
        assert_noop!(Staking::retire_provider(signed(1)), Error::<Test>::AttemptsRunning);
        assert_ok!(Staking::release_bond(&who(1), 1));
        assert_ok!(Staking::retire_provider(signed(1)));
        assert_eq!(Staking::worker(&who(1)), None);
    });
}

#[test]
fn records_and_suspensions_outlive_the_registration() {
    run(|| {
        assert_ok!(Staking::stake(signed(1), 500));
        assert_ok!(set(1, "http://one.example"));
        for deed in [Deed::Claimed, Deed::Claimed, Deed::Settled, Deed::Declined, Deed::NoShow, Deed::Fault] {
            Staking::record(&who(1), deed);
        }
        Staking::suspend(&who(1), 30);
        Staking::suspend(&who(1), 20);
        assert_ok!(Staking::retire_provider(signed(1)));
        assert_ok!(set(1, "http://one.example"));
        let view = Staking::provider(&who(1)).unwrap();
        assert_eq!((view.attempts, view.settled, view.declined, view.no_shows, view.faults), (2, 1, 1, 1, 1));
        assert_eq!(view.suspended_until, Some(30));
        System::set_block_number(31);
        assert_eq!(Staking::provider(&who(1)).unwrap().suspended_until, None);
    });
}
