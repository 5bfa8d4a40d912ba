use super::world::*;
use crate::{mock::*, *};
use assay_primitives::economy;
use frame_support::assert_ok;
use pallet_assay_traits::Stake;

#[test]
fn a_validator_convicts_without_a_fee() {
    run(|| {
        register();
        let work = Work::wrong_byte(&program(&["add_one"]), 0, 300);
        let order = committed(&work);
        let bond = bond(order, 0);
        feeless(fault_call(order, 0, V, unit(0, 2), work.witness(unit(0, 2)))).ok();
        assert_eq!(failure(order, 0), Some(Failure::ProviderFault));
        assert_eq!(wealth(V), ENDOWMENT + economy::slash(bond).finder);
        assert_eq!(wealth(P), ENDOWMENT - bond);
    });
}

#[test]
fn a_false_report_burns_a_hundredth_of_the_validators_stake_once() {
    run(|| {
        register();
        let work = Work::honest(&program(&["add_one"]));
        let order = committed(&work);
        let call = || fault_call(order, 0, V, unit(0, 2), work.witness(unit(0, 2)));
        feeless(call()).ok();
        let lost = STAKE / 100;
        assert_eq!((Staking::total_stake(&who(V)), wealth(V)), (STAKE - lost, ENDOWMENT - lost));
        assert_eq!(status(order), OrderStatus::Committed);
        assert!(events().contains(&Event::FalseReport { order, attempt: 0, auditor: who(V), burned: lost }));
        feeless(call()).dropped(Error::AlreadyReported);
        let torn = torn(work.witness(unit(0, 1)));
        feeless(fault_call(order, 0, VALIDATORS[1], unit(0, 1), torn)).ok();
        assert_eq!(Staking::total_stake(&who(VALIDATORS[1])), STAKE - lost);
    });
}

#[test]
fn calls_that_are_not_a_validators_or_come_late_never_enter_a_block() {
    run(|| {
        register();
        let work = Work::wrong_byte(&program(&["add_one"]), 0, 300);
        let order = committed(&work);
        let witness = || work.witness(unit(0, 2));
        feeless(fault_call(order, 0, 9, unit(0, 2), witness())).dropped(Error::NotAuditor);
        feeless(fault_call(order, 1, V, unit(0, 2), witness())).dropped(Error::WrongAttempt);
        let Call::report_fault { auditor, order, attempt, unit, witness, .. } =
            fault_call(order, 0, V, unit(0, 2), witness())
        else {
            unreachable!()
        };
        // The signature is over the evidence: with another witness it is another's.
        let Call::report_fault { signature, .. } = fault_call(order, 0, V, unit, torn((*witness).clone())) else {
            unreachable!()
        };
        let call = Call::report_fault { auditor, order, attempt, unit, witness: witness.clone(), signature };
        feeless(call).dropped(Error::BadSignature);
        System::set_block_number(System::block_number() + WINDOW + 1);
        feeless(fault_call(order, 0, V, unit, *witness)).dropped(Error::TooLate);
    });
}

#[test]
fn a_validator_whose_stake_is_all_in_bonds_has_nothing_to_risk_and_must_pay_the_fee() {
    run(|| {
        register();
        let work = Work::wrong_byte(&program(&["add_one"]), 0, 300);
        let order = committed(&work);
        assert_ok!(Staking::lock_bond(&who(V), STAKE));
        feeless(fault_call(order, 0, V, unit(0, 2), work.witness(unit(0, 2)))).dropped(Error::NoStake);
        assert_ok!(Staking::release_bond(&who(V), STAKE));
    });
}

#[test]
fn a_second_report_of_the_same_program_fault_is_not_a_false_one() {
    run(|| {
        register();
        let work = Work::honest(&program(&["add_one", "add_one", "expect_one"]));
        let order = committed(&work);
        for validator in [V, VALIDATORS[1]] {
            feeless(fault_call(order, 0, validator, unit(2, 0), work.witness(unit(2, 0)))).ok();
            assert_eq!(wealth(validator), ENDOWMENT);
        }
        let again = fault_call(order, 0, VALIDATORS[1], unit(2, 0), work.witness(unit(2, 0)));
        feeless(again).dropped(Error::AlreadyReported);
        pass(WINDOW + 2);
        assert_eq!(status(order), OrderStatus::Voided);
    });
}
