use super::world::*;
use crate::{mock::*, *};
use assay_primitives::{
    BlobId, Init, economy,
    order::{AuditLevel, PriceCurve},
};
use frame_support::{assert_noop, assert_ok, traits::fungible::InspectHold};

fn refused(program: &Program, terms: Terms, error: Error<Test>) {
    let customer = RuntimeOrigin::signed(who(CUSTOMER));
    assert_noop!(
        attempt(|| Compute::place_order(customer, Box::new(program.clone()), terms)),
        sp_runtime::DispatchError::from(error)
    );
}

#[test]
fn the_highest_price_and_the_audit_fee_are_held() {
    run(|| {
        register();
        let order = place(&program(&["add_one"]));
        let held = 10 * UNIT + economy::audit_fee(10 * UNIT, terms().audit);
        let reason = pallet_assay_escrow::HoldReason::Order.into();
        assert_eq!(Balances::balance_on_hold(&reason, &who(CUSTOMER)), held);
        assert_eq!(free(CUSTOMER), ENDOWMENT - held);
        assert_eq!(Compute::order(order).unwrap().held, held);
        assert_eq!(status(order), OrderStatus::Open);
        assert!(Compute::program(program(&["add_one"]).id()).is_some());
    });
}

#[test]
fn an_order_of_an_unregistered_kernel_is_refused() {
    run(|| refused(&program(&["add_one"]), terms(), Error::KernelNotFound));
}

#[test]
fn programs_that_cannot_run_are_refused_each_with_its_reason() {
    run(|| {
        register();
        let good = program(&["add_one"]);
        let with = |change: &dyn Fn(&mut Program)| {
            let mut program = good.clone();
            change(&mut program);
            program
        };
        let first = |program: &mut Program, change: &dyn Fn(&mut assay_primitives::Launch)| {
            let mut launch = launch("add_one");
            change(&mut launch);
            program.steps = vec![assay_primitives::Step::Launch(launch)].try_into().unwrap();
        };
        refused(&with(&|p| p.steps = Default::default()), terms(), Error::NoLaunch);
        refused(&with(&|p| p.buffers[0].output = false), terms(), Error::NoOutput);
        refused(&with(&|p| p.buffers[0].len = 0), terms(), Error::BadBuffer);
        let blob = Init::Blob(BlobId { root: [1; 32], len: 3 });
        refused(&with(&|p| p.buffers[0].init = blob), terms(), Error::BadBuffer);
        refused(&with(&|p| first(p, &|l| l.kernel = 1)), terms(), Error::UnlistedKernel);
        refused(&program(&["absent"]), terms(), Error::UnknownEntry);
        refused(&with(&|p| first(p, &|l| l.args = Default::default())), terms(), Error::BadArgument);
        refused(&with(&|p| first(p, &|l| l.grid = [0, 1, 1])), terms(), Error::BadGrid);
        refused(&with(&|p| first(p, &|l| l.block = [2_000, 1, 1])), terms(), Error::BadBlock);
        refused(&with(&|p| first(p, &|l| l.shared = 1 << 20)), terms(), Error::BadShared);
        refused(&with(&|p| p.buffers[0].len = BYTES - 1), terms(), Error::BadWriteMap);
    });
}

#[test]
fn terms_that_nobody_could_meet_are_refused_each_with_its_reason() {
    run(|| {
        register();
        let program = program(&["add_one"]);
        let with = |change: &dyn Fn(&mut Terms)| {
            let mut terms = terms();
            change(&mut terms);
            terms
        };
        let price = |start, max, blocks| PriceCurve { start, max, blocks };
        for bad in [
            price(0, 0, 0),
            price(0, LEAST, 0),
            price(LEAST, UNIT, 5),
            price(2 * UNIT, UNIT, 5),
            price(UNIT, UNIT, MAX_PHASE + 1),
            price(UNIT, u128::MAX, 5),
        ] {
            refused(&program, with(&|terms| terms.price = bad), Error::BadPrice);
        }
        for bad in [0, MAX_PHASE + 1] {
            refused(&program, with(&|terms| terms.open_blocks = bad), Error::BadOpenBlocks);
        }
        for bad in [0, PATIENCE, MAX_PHASE + 1] {
            refused(&program, with(&|terms| terms.attempt_blocks = bad), Error::BadAttemptBlocks);
        }
        for (auditors, units) in [(0, 1), (1, 0), (MAX_AUDITORS + 1, 1), (1, MAX_DRAWS + 1)] {
            refused(&program, with(&|terms| terms.audit = AuditLevel { auditors, units }), Error::BadAudit);
        }
        let many = AuditLevel { auditors: 5, units: 1 };
        refused(&program, with(&|terms| terms.audit = many), Error::TooFewAuditors);
    });
}

#[test]
fn a_customer_who_cannot_pay_orders_nothing() {
    run(|| {
        register();
        let mut rich = terms();
        rich.price = PriceCurve { start: 2 * ENDOWMENT, max: 2 * ENDOWMENT, blocks: 0 };
        let customer = RuntimeOrigin::signed(who(CUSTOMER));
        assert!(attempt(|| Compute::place_order(customer, Box::new(program(&["add_one"])), rich)).is_err());
        assert_eq!((Orders::<Test>::iter().count(), free(CUSTOMER)), (0, ENDOWMENT));
    });
}

#[test]
fn orders_of_the_same_program_share_it() {
    run(|| {
        register();
        let program = program(&["add_one"]);
        let orders = [place(&program), place(&program)];
        assert_eq!(ProgramRefs::<Test>::get(program.id()), 2);
        for order in orders {
            assert_ok!(Compute::cancel(RuntimeOrigin::signed(who(CUSTOMER)), order));
            assert!(Compute::program(program.id()).is_some());
        }
        pass(RETENTION + 2);
        assert!(Compute::program(program.id()).is_none());
    });
}
