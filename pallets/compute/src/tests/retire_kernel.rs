use super::world::*;
use crate::{mock::*, *};
use frame_support::{assert_noop, assert_ok};

#[test]
fn the_owner_gets_the_deposit_back() {
    run(|| {
        let id = register();
        assert_ok!(Compute::retire_kernel(RuntimeOrigin::signed(who(OWNER)), id));
        assert_eq!(free(OWNER), ENDOWMENT);
        assert!(Compute::kernel(id).is_none() && Compute::kernel_code(id).is_none());
    });
}

#[test]
fn nobody_else_can_retire_it() {
    run(|| {
        let id = register();
        assert_noop!(Compute::retire_kernel(RuntimeOrigin::signed(who(STRANGER)), id), Error::<Test>::NotOwner);
        let none = Compute::retire_kernel(RuntimeOrigin::signed(who(OWNER)), [1; 32]);
        assert_noop!(none, Error::<Test>::KernelNotFound);
    });
}

#[test]
fn a_kernel_stays_until_the_last_order_that_names_it_ended() {
    run(|| {
        let id = register();
        let first = place(&program(&["add_one"]));
        let second = place(&program(&["expect_one"]));
        for order in [first, second] {
            assert_noop!(Compute::retire_kernel(RuntimeOrigin::signed(who(OWNER)), id), Error::<Test>::KernelInUse);
            assert_ok!(Compute::cancel(RuntimeOrigin::signed(who(CUSTOMER)), order));
        }
        assert_ok!(Compute::retire_kernel(RuntimeOrigin::signed(who(OWNER)), id));
    });
}
