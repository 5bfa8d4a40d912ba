use super::world::*;
use crate::{mock::*, *};
use assay_primitives::economy;
use frame_support::dispatch::Pays;
use pallet_assay_traits::Stake;

#[track_caller]
fn fails(result: frame_support::dispatch::DispatchResultWithPostInfo, error: Error<Test>) {
    let failed = result.expect_err("it must fail");
    assert_eq!(failed.error, error.into());
    assert_eq!(failed.post_info.pays_fee, Pays::Yes, "whoever is wrong pays the fee");
}

#[test]
fn one_wrong_byte_convicts_the_provider() {
    run(|| {
        register();
        let work = Work::wrong_byte(&program(&["add_one"]), 0, 200);
        let order = committed(&work);
        let bond = bond(order, 0);
        let post = prove(order, 0, unit(0, 1), work.witness(unit(0, 1))).unwrap();
        assert_eq!(post.pays_fee, Pays::No);
        let slash = economy::slash(bond);
        assert_eq!(wealth(P), ENDOWMENT - bond);
        assert_eq!(Staking::total_stake(&who(P)), STAKE - bond);
        assert_eq!(wealth(CUSTOMER), ENDOWMENT + slash.customer);
        assert_eq!(wealth(STRANGER), ENDOWMENT + slash.finder);
        assert_eq!(failure(order, 0), Some(Failure::ProviderFault));
        assert_eq!(status(order), OrderStatus::Open);
        assert!(events().contains(&Event::FaultProved {
            order,
            attempt: 0,
            unit: unit(0, 1),
            provider: who(P),
            finder: who(STRANGER),
            fault: ProvedFault::WrongByte { buffer: 0, offset: 200 },
            to_customer: slash.customer,
            to_finder: slash.finder,
            burned: slash.burned,
        }));
    });
}

#[test]
fn a_convicted_provider_is_suspended_and_excluded_and_an_honest_one_settles() {
    run(|| {
        register();
        let work = Work::wrong_byte(&program(&["add_one"]), 0, 0);
        let order = committed(&work);
        prove(order, 0, unit(0, 0), work.witness(unit(0, 0))).unwrap();
        let other = place(&program(&["add_one"]));
        claim(other, P).dropped(Error::Suspended);
        claim(order, PROVIDERS[1]).ok();
        commit(order, PROVIDERS[1], &Work::honest(&program(&["add_one"]))).ok();
        audit_all(order);
        pass(WINDOW + 2);
        assert_eq!(status(order), OrderStatus::Settled);
        let compensation = receipt(order).compensation;
        assert!(compensation > 0);
        assert_eq!(wealth(PROVIDERS[1]), ENDOWMENT + receipt(order).provider);
    });
}

#[test]
fn an_honest_result_is_not_convicted_and_the_accuser_pays_for_what_ran() {
    run(|| {
        register();
        let work = Work::honest(&program(&["add_one"]));
        let order = committed(&work);
        let witness = work.witness(unit(0, 2));
        use frame_support::dispatch::GetDispatchInfo;
        let call = RuntimeCall::Compute(Call::prove_fault {
            order,
            attempt: 0,
            unit: unit(0, 2),
            witness: Box::new(witness.clone()),
        });
        let most = call.get_dispatch_info().call_weight;
        let result = prove(order, 0, unit(0, 2), witness);
        let used = result.unwrap_err().post_info.actual_weight.unwrap();
        assert!(used.ref_time() < most.ref_time(), "{used:?} of {most:?}");
        fails(result, Error::Reproduced);
        assert_eq!(status(order), OrderStatus::Committed);
    });
}

#[test]
fn witnesses_that_show_nothing_are_refused_each_with_its_reason() {
    run(|| {
        register();
        let work = Work::wrong_byte(&program(&["add_one"]), 0, 4);
        let order = committed(&work);
        let witness = work.witness(unit(0, 0));
        fails(prove(order, 0, unit(0, CTAS), witness.clone()), Error::NoUnit);
        fails(prove(order, 0, unit(1, 0), witness.clone()), Error::NoUnit);
        fails(prove(order, 0, unit(0, 0), torn(witness.clone())), Error::IncompleteWitness);
        let mut path = witness.clone();
        path.after.path = work.path(0);
        fails(prove(order, 0, unit(0, 0), path), Error::BadPath);
        let mut slice = witness.clone();
        let last = slice.slices.len() - 1;
        slice.slices[last].slice[0] ^= 1;
        fails(prove(order, 0, unit(0, 0), slice), Error::BadSlice);
        fails(prove(order, 1, unit(0, 0), witness.clone()), Error::WrongAttempt);
        fails(prove(order + 1, 0, unit(0, 0), witness.clone()), Error::OrderNotFound);
        assert_eq!(wealth(P), ENDOWMENT);
        prove(order, 0, unit(0, 0), witness).unwrap();
    });
}

#[test]
fn a_fault_can_be_proved_to_the_last_block_of_the_window_and_no_longer() {
    run(|| {
        register();
        let work = Work::wrong_byte(&program(&["add_one"]), 0, 4);
        let order = committed(&work);
        let ends = Attempts::<Test>::get(order, 0).unwrap().commitment.unwrap().window_ends;
        System::set_block_number(ends + 1);
        fails(prove(order, 0, unit(0, 0), work.witness(unit(0, 0))), Error::TooLate);
        System::set_block_number(ends);
        prove(order, 0, unit(0, 0), work.witness(unit(0, 0))).unwrap();
        fails(prove(order, 0, unit(0, 0), work.witness(unit(0, 0))), Error::WrongStatus);
    });
}

#[test]
fn a_program_that_breaks_a_rule_in_its_first_launch_voids_the_order() {
    run(|| {
        register();
        let work = Work::honest(&program(&["trespass"]));
        let order = committed(&work);
        prove(order, 0, unit(0, 1), work.witness(unit(0, 1))).unwrap();
        assert_eq!(status(order), OrderStatus::Voided);
        assert_eq!(failure(order, 0), Some(Failure::ProgramFault));
        let receipt = receipt(order);
        assert_eq!(receipt.provider, economy::share(10 * UNIT, economy::PROGRAM_FAULT_PPM));
        assert_eq!(wealth(P), ENDOWMENT + receipt.provider);
        assert_eq!(Staking::bonded(&who(P)), 0);
        assert_eq!(wealth(STRANGER), ENDOWMENT + receipt.audit_fee);
        assert_eq!(wealth(CUSTOMER), ENDOWMENT - receipt.provider - receipt.audit_fee);
        assert!(events().iter().any(|event| matches!(event, Event::ProgramFaultProved { rule: Rule::NotOwned, .. })));
    });
}

#[test]
fn a_program_that_never_ends_voids_the_order() {
    run(|| {
        register();
        let work = Work::honest(&program(&["spin"]));
        let order = committed(&work);
        prove(order, 0, unit(0, 3), work.witness(unit(0, 3))).unwrap();
        assert_eq!(status(order), OrderStatus::Voided);
        assert!(
            events().iter().any(|event| matches!(event, Event::ProgramFaultProved { rule: Rule::FuelExhausted, .. }))
        );
    });
}

#[test]
fn a_program_that_breaks_a_rule_later_voids_the_order_when_the_window_closes() {
    run(|| {
        register();
        // The second launch expects 1 and finds 2.
        let program = program(&["add_one", "add_one", "expect_one"]);
        let work = Work::honest(&program);
        let order = committed(&work);
        pass(WINDOW);
        prove(order, 0, unit(2, 0), work.witness(unit(2, 0))).unwrap();
        assert_eq!(status(order), OrderStatus::Committed);
        pass(WINDOW);
        assert_eq!(status(order), OrderStatus::Committed, "others have a whole window to object");
        fails(prove(order, 0, unit(2, 0), work.witness(unit(2, 0))), Error::AlreadyReported);
        pass(2);
        assert_eq!(status(order), OrderStatus::Voided);
        assert_eq!(failure(order, 0), Some(Failure::ProgramFault));
        assert_eq!(receipt(order).provider, economy::share(10 * UNIT, economy::PROGRAM_FAULT_PPM));
    });
}

#[test]
fn a_provider_that_makes_a_later_launch_trap_by_a_wrong_state_is_convicted() {
    run(|| {
        register();
        let work = Work::wrong_byte(&program(&["add_one", "expect_one"]), 0, 1);
        let order = committed(&work);
        prove(order, 0, unit(1, 0), work.witness(unit(1, 0))).unwrap();
        assert_eq!(status(order), OrderStatus::Committed);
        prove(order, 0, unit(0, 0), work.witness(unit(0, 0))).unwrap();
        assert_eq!(failure(order, 0), Some(Failure::ProviderFault));
        assert!(wealth(P) < ENDOWMENT && wealth(CUSTOMER) > ENDOWMENT);
    });
}
