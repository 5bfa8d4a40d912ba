//! How escrowed money moves.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects
)]

use crate::{mock::*, *};
use frame_support::{assert_noop, assert_ok, traits::fungible::InspectHold};
use pallet_assay_traits::Escrow as _;
use proptest::prelude::*;

fn on_hold(customer: u64) -> Balance {
    Balances::balance_on_hold(&HoldReason::Order.into(), &customer)
}

#[test]
fn a_lock_holds_the_customers_money() {
    run(|| {
        assert_ok!(Escrow::lock(7, &1, 300));
        assert_eq!((Escrow::held(7), on_hold(1), Balances::free_balance(1)), (300, 300, ENDOWMENT - 300));
    });
}

#[test]
fn an_order_is_locked_once() {
    run(|| {
        assert_ok!(Escrow::lock(7, &1, 300));
        assert_noop!(Escrow::lock(7, &2, 300), Error::<Test>::AlreadyLocked);
    });
}

#[test]
fn a_lock_leaves_the_customer_alive_or_fails() {
    run(|| {
        assert!(Escrow::lock(7, &1, ENDOWMENT - LEAST + 1).is_err());
        assert_eq!(Escrow::held(7), 0);
        assert_ok!(Escrow::lock(7, &1, ENDOWMENT - LEAST));
    });
}

#[test]
fn money_is_paid_burned_and_refunded_until_nothing_is_left() {
    run(|| {
        assert_ok!(Escrow::lock(7, &1, 300));
        assert_eq!(Escrow::pay(7, &2, 100), Ok(100));
        assert_ok!(Escrow::burn(7, 50));
        assert_eq!(Balances::total_issuance(), 2 * ENDOWMENT - 50);
        assert_eq!(Escrow::refund(7), Ok(150));
        assert_eq!(Balances::free_balance(1), ENDOWMENT - 150);
        assert_eq!(Balances::free_balance(2), ENDOWMENT + 100);
        assert!(!Locked::<Test>::contains_key(7));
    });
}

#[test]
fn an_order_cannot_spend_another_orders_money() {
    run(|| {
        assert_ok!(Escrow::lock(7, &1, 300));
        assert_ok!(Escrow::lock(8, &1, 300));
        assert_noop!(Escrow::pay(7, &2, 301), Error::<Test>::Insufficient);
        assert_noop!(Escrow::burn(7, 301), Error::<Test>::Insufficient);
        assert_eq!(Escrow::refund(7), Ok(300));
        assert_eq!((Escrow::held(8), on_hold(1)), (300, 300));
    });
}

#[test]
fn what_is_not_there_cannot_move() {
    run(|| {
        assert_noop!(Escrow::pay(7, &2, 20), Error::<Test>::NotFound);
        assert_noop!(Escrow::burn(7, 1), Error::<Test>::NotFound);
        assert_noop!(Escrow::refund(7), Error::<Test>::NotFound);
    });
}

#[test]
fn a_payment_too_small_for_a_new_account_stays_in_escrow() {
    run(|| {
        assert_ok!(Escrow::lock(7, &1, 300));
        assert_eq!(Escrow::pay(7, &9, LEAST - 1), Ok(0));
        assert_eq!(Escrow::held(7), 300);
        assert_eq!(Escrow::pay(7, &9, LEAST), Ok(LEAST));
    });
}

#[test]
fn a_customer_may_be_paid_from_its_own_escrow() {
    run(|| {
        assert_ok!(Escrow::lock(7, &1, 300));
        assert_eq!(Escrow::pay(7, &1, 120), Ok(120));
        assert_eq!((on_hold(1), Balances::free_balance(1)), (180, ENDOWMENT - 180));
    });
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn nothing_is_made_or_lost(steps in prop::collection::vec((0u8..4, 0u64..4, 1u64..4, 0u128..500), 1..60)) {
        run(|| {
            for (what, order, account, amount) in steps {
                let burned = Balances::total_issuance();
                let result = frame_support::storage::with_storage_layer(|| match what {
                    0 => Escrow::lock(order, &account, amount),
                    1 => Escrow::pay(order, &account, amount).map(|_| ()),
                    2 => Escrow::burn(order, amount),
                    _ => Escrow::refund(order).map(|_| ()),
                });
                let lost = burned - Balances::total_issuance();
                assert_eq!(lost, if what == 2 && result.is_ok() { amount } else { 0 });
                Escrow::do_try_state().unwrap();
            }
        });
    }
}
