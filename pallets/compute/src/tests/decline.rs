use super::world::*;
use crate::{mock::*, *};
use pallet_assay_traits::Stake;

#[test]
fn a_provider_whose_inputs_do_not_arrive_declines_at_no_fault() {
    run(|| {
        register();
        let order = place(&program(&["add_one"]));
        claim(order, P).ok();
        decline(order, P).dropped(Error::TooEarly);
        pass(PATIENCE);
        decline(order, P).ok();
        assert_eq!(failure(order, 0), Some(Failure::Declined));
        assert_eq!(status(order), OrderStatus::Open);
        assert_eq!((wealth(P), Staking::bonded(&who(P))), (ENDOWMENT, 0));
        assert_eq!(Staking::suspended_until(&who(P)), None);
        assert_eq!(Compute::provider(who(P)).unwrap().declined, 1);
    });
}

#[test]
fn only_the_claimant_declines_and_only_before_its_deadline() {
    run(|| {
        register();
        let order = place(&program(&["add_one"]));
        decline(order, P).dropped(Error::WrongStatus);
        claim(order, P).ok();
        System::set_block_number(1 + PATIENCE);
        decline(order, PROVIDERS[1]).dropped(Error::NotProvider);
        System::set_block_number(2 + terms().attempt_blocks);
        decline(order, P).dropped(Error::TooLate);
    });
}

#[test]
fn who_declined_an_order_cannot_claim_it_again() {
    run(|| {
        register();
        let order = place(&program(&["add_one"]));
        claim(order, P).ok();
        pass(PATIENCE);
        decline(order, P).ok();
        claim(order, P).dropped(Error::Excluded);
        claim(order, PROVIDERS[1]).ok();
    });
}

#[test]
fn the_third_decline_voids_the_order_with_a_full_refund() {
    run(|| {
        register();
        let order = place(&program(&["add_one"]));
        for provider in &PROVIDERS[..3] {
            claim(order, *provider).ok();
            pass(PATIENCE);
            decline(order, *provider).ok();
        }
        assert_eq!(status(order), OrderStatus::Voided);
        assert_eq!(free(CUSTOMER), ENDOWMENT);
    });
}
