use super::world::*;
use crate::{mock::*, *};
use assay_primitives::economy;
use frame_support::{assert_noop, assert_ok};
use pallet_assay_traits::Stake;

#[test]
fn an_audited_result_is_paid_when_its_window_is_over() {
    run(|| {
        register();
        let order = committed(&Work::honest(&program(&["add_one"])));
        let bond = bond(order, 0);
        assert_eq!(Staking::bonded(&who(P)), bond);
        audit_all(order);
        pass(WINDOW + 2);
        assert_eq!(status(order), OrderStatus::Settled);
        let receipt = receipt(order);
        let fee = economy::share(10 * UNIT, economy::PROTOCOL_FEE_PPM);
        assert_eq!(receipt.provider, 10 * UNIT - fee);
        assert_eq!(receipt.protocol_fee, fee);
        assert_eq!(receipt.audit_fee, economy::audit_fee(10 * UNIT, terms().audit));
        assert_eq!(receipt.refund, 0);
        assert_eq!(wealth(P), ENDOWMENT + receipt.provider);
        assert_eq!(Staking::bonded(&who(P)), 0);
        let auditors: Balance = VALIDATORS.iter().map(|validator| wealth(*validator) - ENDOWMENT).sum();
        assert_eq!(auditors, receipt.audit_fee);
        assert_eq!(wealth(CUSTOMER), ENDOWMENT - receipt.held);
        assert_eq!(Compute::provider(who(P)).unwrap().settled, 1);
    });
}

#[test]
fn what_the_claim_was_cheaper_goes_back_to_the_customer() {
    run(|| {
        register();
        let mut rising = terms();
        rising.price.start = 4 * UNIT;
        rising.price.blocks = 10;
        let order = place_with(&program(&["add_one"]), rising);
        claim(order, P).ok();
        commit(order, P, &Work::honest(&program(&["add_one"]))).ok();
        audit_all(order);
        pass(WINDOW + 2);
        assert_eq!(receipt(order).refund, 6 * UNIT);
    });
}

#[test]
fn anyone_can_settle_what_is_due_and_nothing_else() {
    run(|| {
        register();
        let anyone = || RuntimeOrigin::signed(who(STRANGER));
        assert_noop!(Compute::settle(anyone(), 0), Error::<Test>::OrderNotFound);
        let order = committed(&Work::honest(&program(&["add_one"])));
        audit_all(order);
        assert_noop!(Compute::settle(anyone(), order), Error::<Test>::TooEarly);
        let ends = Attempts::<Test>::get(order, 0).unwrap().commitment.unwrap().window_ends;
        System::set_block_number(ends);
        assert_noop!(Compute::settle(anyone(), order), Error::<Test>::TooEarly);
        System::set_block_number(ends + 1);
        assert_ok!(Compute::settle(anyone(), order));
        assert_eq!(status(order), OrderStatus::Settled);
        assert_noop!(Compute::settle(anyone(), order), Error::<Test>::TooEarly);
        assert_eq!(wealth(P), ENDOWMENT + receipt(order).provider, "paid once");
    });
}

#[test]
fn an_order_that_nobody_claims_expires_with_a_full_refund() {
    run(|| {
        register();
        let order = place(&program(&["add_one"]));
        pass(terms().open_blocks + 1);
        assert_eq!(status(order), OrderStatus::Open);
        pass(1);
        assert_eq!(status(order), OrderStatus::Expired);
        assert_eq!(free(CUSTOMER), ENDOWMENT);
    });
}

#[test]
fn a_no_show_costs_part_of_the_bond_and_another_provider_finishes() {
    run(|| {
        register();
        let order = place(&program(&["add_one"]));
        claim(order, P).ok();
        let bond = bond(order, 0);
        pass(terms().attempt_blocks + 2);
        assert_eq!(failure(order, 0), Some(Failure::NoShow));
        let lost = economy::share(bond, economy::NO_SHOW_PPM);
        assert_eq!(wealth(P), ENDOWMENT - lost);
        assert_eq!(Staking::total_stake(&who(P)), STAKE - lost);
        assert_eq!(Staking::bonded(&who(P)), 0);
        claim(order, P).dropped(Error::Suspended);
        claim(order, PROVIDERS[1]).ok();
        commit(order, PROVIDERS[1], &Work::honest(&program(&["add_one"]))).ok();
        audit_all(order);
        pass(WINDOW + 2);
        let receipt = receipt(order);
        assert_eq!(status(order), OrderStatus::Settled);
        assert_eq!(receipt.compensation, lost);
        assert_eq!(wealth(CUSTOMER), ENDOWMENT - receipt.held + receipt.refund + lost, "the customer pays once");
    });
}

#[test]
fn a_result_that_too_few_auditors_verified_is_not_paid_and_its_bond_not_slashed() {
    run(|| {
        register();
        let order = committed(&Work::honest(&program(&["add_one"])));
        pass(WINDOW - 1);
        report(order, V).ok();
        let withheld = report_of(order, VALIDATORS[1], ReportVerdict::Withheld);
        feeless(report_call(VALIDATORS[1], vec![withheld])).ok();
        pass(3);
        assert_eq!(failure(order, 0), Some(Failure::Withheld));
        assert_eq!(status(order), OrderStatus::Open);
        assert_eq!((wealth(P), Staking::bonded(&who(P))), (ENDOWMENT, 0));
        claim(order, P).dropped(Error::Excluded);
        claim(order, PROVIDERS[1]).ok();
    });
}
