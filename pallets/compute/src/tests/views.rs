use super::world::*;
use crate::{mock::*, *};
use frame_support::assert_ok;

#[test]
fn a_customers_orders_are_told_newest_first_from_any_place() {
    run(|| {
        register();
        let orders: Vec<_> = (0..5).map(|_| place(&program(&["add_one"]))).collect();
        let ids = |before, limit| {
            Compute::orders_of(who(CUSTOMER), before, limit).iter().map(|view| view.order).collect::<Vec<_>>()
        };
        assert_eq!(ids(None, 10), [4, 3, 2, 1, 0]);
        assert_eq!(ids(None, 2), [4, 3]);
        assert_eq!(ids(Some(orders[3]), 2), [2, 1]);
        assert!(ids(Some(0), 2).is_empty());
        assert_eq!(ids(Some(u64::MAX), 1), [4]);
        assert!(Compute::orders_of(who(STRANGER), None, 10).is_empty());
    });
}

#[test]
fn open_orders_are_told_oldest_first() {
    run(|| {
        register();
        NextOrder::<Test>::put(254);
        for _ in 0..5 {
            place(&program(&["add_one"]));
        }
        assert_ok!(Compute::cancel(RuntimeOrigin::signed(who(CUSTOMER)), 255));
        let ids: Vec<_> = Compute::open_orders(3).iter().map(|view| view.order).collect();
        assert_eq!(ids, [254, 256, 257]);
    });
}

#[test]
fn an_order_tells_its_whole_life() {
    run(|| {
        register();
        let order = place(&program(&["add_one"]));
        claim(order, P).ok();
        pass(terms().attempt_blocks + 2);
        claim(order, PROVIDERS[1]).ok();
        commit(order, PROVIDERS[1], &Work::honest(&program(&["add_one"]))).ok();
        let view = Compute::order(order).unwrap();
        assert_eq!(view.status, OrderStatus::Committed);
        assert_eq!(view.attempts.len(), 2);
        assert_eq!(view.attempts[0].failure, Some(Failure::NoShow));
        assert!(view.attempts[1].trace_root.is_some());
        assert_eq!(view.receipt, None);
        assert_eq!(Compute::order(order + 1), None);
    });
}

#[test]
fn a_quote_is_what_an_order_holds_and_a_claim_bonds() {
    run(|| {
        register();
        let terms = terms();
        let quote = Compute::quote(4, terms.price, terms.audit);
        let order = place(&program(&["add_one"]));
        claim(order, P).ok();
        assert_eq!(Compute::order(order).unwrap().held, quote.escrow);
        assert_eq!(bond(order, 0), quote.bond);
    });
}

#[test]
fn the_parameters_are_those_of_the_genesis_and_the_runtime() {
    run(|| {
        let parameters = Compute::parameters();
        assert_eq!((parameters.audit_window, parameters.decline_after), (WINDOW, PATIENCE));
        assert_eq!(parameters.unit_fuel, UnitFuel::get());
        assert_eq!(parameters.min_stake, 100 * UNIT);
    });
}

#[test]
fn a_kernel_and_its_providers_are_told() {
    run(|| {
        let id = register();
        let kernel = Compute::kernel(id).unwrap();
        assert_eq!(kernel.entries, ["add_one", "expect_one", "trespass", "spin"]);
        assert_eq!(kernel.engine, assay_engine::VERSION);
        assert_eq!(Compute::providers(100).len(), PROVIDERS.len());
        assert_eq!(Compute::providers(2).len(), 2);
        assert_eq!(Compute::provider(who(P)).unwrap().endpoint, "http://127.0.0.1:8700");
        assert!(Compute::provider(who(STRANGER)).is_none());
    });
}
