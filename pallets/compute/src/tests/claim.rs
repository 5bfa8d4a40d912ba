use super::world::*;
use crate::{mock::*, *};
use assay_primitives::{
    economy,
    order::{AuditLevel, PriceCurve},
};
use frame_support::assert_ok;
use pallet_assay_traits::Stake;
use sp_core::Pair as _;

#[test]
fn a_claim_locks_the_bond_that_the_audit_level_asks_for() {
    run(|| {
        register();
        let order = place(&program(&["add_one"]));
        claim(order, P).ok();
        let bond = economy::bond(10 * UNIT, terms().audit);
        assert_eq!(Staking::bonded(&who(P)), bond);
        assert_eq!(status(order), OrderStatus::Claimed);
        assert_eq!(Compute::assigned_orders(who(P)).len(), 1);
        assert!(events().contains(&Event::Claimed {
            order,
            attempt: 0,
            provider: who(P),
            price: 10 * UNIT,
            bond,
            commit_by: 11
        }));
    });
}

#[test]
fn a_claim_takes_the_price_of_its_block() {
    run(|| {
        register();
        let mut rising = terms();
        rising.price = PriceCurve { start: UNIT, max: 11 * UNIT, blocks: 10 };
        let order = place_with(&program(&["add_one"]), rising);
        pass(3);
        claim(order, P).ok();
        assert_eq!(Attempts::<Test>::get(order, 0).unwrap().price, 4 * UNIT);
    });
}

#[test]
fn a_claim_costs_no_fee_and_needs_the_worker_keys_signature() {
    run(|| {
        register();
        let order = place(&program(&["add_one"]));
        let before = free(P);
        for key in [pair(P), worker(PROVIDERS[1]), pair(STRANGER)] {
            feeless(claim_call(order, 0, P, &key)).dropped(Error::BadSignature);
        }
        claim(order, P).ok();
        assert_eq!(free(P), before);
    });
}

#[test]
fn a_signed_origin_cannot_claim() {
    run(|| {
        register();
        let order = place(&program(&["add_one"]));
        let Call::claim { signature, .. } = claim_call(order, 0, P, &worker(P)) else { unreachable!() };
        let call = Compute::claim(RuntimeOrigin::signed(who(P)), order, 0, who(P), signature);
        assert_eq!(call, Err(sp_runtime::DispatchError::BadOrigin));
    });
}

#[test]
fn claims_of_what_is_not_open_are_dropped() {
    run(|| {
        register();
        claim(9, P).dropped(Error::OrderNotFound);
        let order = place(&program(&["add_one"]));
        feeless(claim_call(order, 1, P, &worker(P))).dropped(Error::WrongAttempt);
        claim(order, P).ok();
        feeless(claim_call(order, 1, PROVIDERS[1], &worker(PROVIDERS[1]))).dropped(Error::WrongStatus);
    });
}

#[test]
fn a_claim_in_the_last_open_block_is_in_time_and_one_block_later_is_not() {
    run(|| {
        register();
        let order = place(&program(&["add_one"]));
        System::set_block_number(1 + terms().open_blocks);
        assert!(!tags(claim_call(order, 0, P, &worker(P))).is_empty());
        System::set_block_number(2 + terms().open_blocks);
        claim(order, P).dropped(Error::TooLate);
    });
}

#[test]
fn who_is_no_provider_cannot_claim() {
    run(|| {
        register();
        let order = place(&program(&["add_one"]));
        claim(order, STRANGER).dropped(Error::NotProvider);
        assert_ok!(Staking::retire_provider(RuntimeOrigin::signed(who(P))));
        claim(order, P).dropped(Error::NotProvider);
    });
}

#[test]
fn a_provider_without_capacity_cannot_claim() {
    run(|| {
        register();
        let mut dear = terms();
        dear.price = PriceCurve { start: STAKE, max: STAKE, blocks: 0 };
        let order = place_with(&program(&["add_one"]), dear);
        claim(order, P).dropped(Error::NoCapacity);
    });
}

#[test]
fn a_validator_cannot_claim_what_the_others_are_too_few_to_audit() {
    run(|| {
        register();
        let validator = VALIDATORS[3];
        let endpoint = b"http://localhost".to_vec().try_into().unwrap();
        let key = worker(validator - 20).public().0;
        assert_ok!(Staking::set_provider(RuntimeOrigin::signed(who(validator)), endpoint, key));
        let mut all = terms();
        all.audit = AuditLevel { auditors: 4, units: 4 };
        let order = place_with(&program(&["add_one"]), all);
        feeless(claim_call(order, 0, validator, &worker(validator - 20))).dropped(Error::TooFewAuditors);
        claim(order, P).ok();
    });
}

#[test]
fn rival_claims_of_one_attempt_share_a_tag_so_that_the_pool_keeps_one() {
    run(|| {
        register();
        let order = place(&program(&["add_one"]));
        let [a, b] = [P, PROVIDERS[1]].map(|provider| tags(claim_call(order, 0, provider, &worker(provider))));
        assert_eq!(a, b);
    });
}
