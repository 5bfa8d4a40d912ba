use super::world::*;
use crate::{mock::*, *};
use frame_support::{assert_noop, assert_ok};

#[test]
fn the_customer_gets_everything_back() {
    run(|| {
        register();
        let order = place(&program(&["add_one"]));
        assert_ok!(Compute::cancel(RuntimeOrigin::signed(who(CUSTOMER)), order));
        assert_eq!(status(order), OrderStatus::Cancelled);
        assert_eq!(free(CUSTOMER), ENDOWMENT);
        assert_eq!(receipt(order).refund, receipt(order).held);
    });
}

#[test]
fn nobody_else_can_cancel_and_nothing_twice() {
    run(|| {
        register();
        let order = place(&program(&["add_one"]));
        assert_noop!(Compute::cancel(RuntimeOrigin::signed(who(STRANGER)), order), Error::<Test>::NotOwner);
        assert_noop!(Compute::cancel(RuntimeOrigin::signed(who(CUSTOMER)), 7), Error::<Test>::OrderNotFound);
        assert_ok!(Compute::cancel(RuntimeOrigin::signed(who(CUSTOMER)), order));
        assert_noop!(Compute::cancel(RuntimeOrigin::signed(who(CUSTOMER)), order), Error::<Test>::WrongStatus);
    });
}

#[test]
fn a_claimed_order_cannot_be_cancelled() {
    run(|| {
        register();
        let order = place(&program(&["add_one"]));
        claim(order, P).ok();
        assert_noop!(Compute::cancel(RuntimeOrigin::signed(who(CUSTOMER)), order), Error::<Test>::WrongStatus);
    });
}
