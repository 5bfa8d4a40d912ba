//! The rows of the list of attacks that this pallet answers. Sampling itself is tested where it is computed; the rows on
//! withheld results, inputs and program faults have their tests beside `settle`, `decline` and `prove_fault`.

use super::world::*;
use crate::{mock::*, *};
use assay_primitives::{
    audit, economy, payload,
    witness::{ByteRange, Side},
};
use codec::{Decode, Encode};
use frame_support::{assert_noop, assert_ok};
use pallet_assay_traits::Stake;
use sp_core::Pair as _;

/// One wrong byte: wherever it is, whoever is shown it is believed.
#[test]
fn any_wrong_byte_of_any_launch_is_convicted_when_it_is_shown() {
    run(|| {
        register();
        let program = program(&["add_one", "add_one", "add_one"]);
        let mut state = 1u64;
        let rounds = if cfg!(debug_assertions) { 100 } else { 1_000 };
        for round in 0..rounds {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let byte = usize::try_from((state >> 33) % BYTES).unwrap();
            let index = round % 3;
            let work = Work::wrong_byte(&program, index, byte);
            let provider = PROVIDERS[usize::try_from(round % 4).unwrap()];
            let order = place(&program);
            claim(order, provider).ok();
            commit(order, provider, &work).ok();
            let x = u32::try_from(byte).unwrap() / (THREADS * 4);
            prove(order, 0, unit(index, x), work.witness(unit(index, x))).unwrap();
            assert_eq!(failure(order, 0), Some(Failure::ProviderFault));
            assert_ok!(Compute::cancel(RuntimeOrigin::signed(who(CUSTOMER)), order));
            System::set_block_number(System::block_number() + FAULT_SUSPENSION + 1);
        }
    });
}

/// Grinding: another root is another draw, and there is one commit per attempt.
#[test]
fn a_root_that_differs_in_one_byte_draws_other_units() {
    run(|| {
        register();
        let program = program(&["add_one"]);
        let draws = [Work::honest(&program), Work::wrong_byte(&program, 0, 9)].map(|work| {
            let order = committed(&work);
            drawn(order, V)
        });
        assert_ne!(draws[0], draws[1]);
    });
}

/// Block authors: the draw is the same whatever the block.
#[test]
fn nothing_in_a_draw_comes_from_the_block() {
    run(|| {
        register();
        let order = committed(&Work::honest(&program(&["add_one"])));
        let before = drawn(order, V);
        let report = report_of(order, V, ReportVerdict::Verified);
        pass(3);
        System::set_parent_hash([5; 32].into());
        assert_eq!(drawn(order, V), before);
        assert_eq!(report_of(order, V, ReportVerdict::Verified).pre_output, report.pre_output);
    });
}

/// Replay: a signature is good for one call of one attempt on one chain.
#[test]
fn a_signature_of_another_order_attempt_provider_chain_or_call_does_not_verify() {
    run(|| {
        register();
        let order = place(&program(&["add_one"]));
        place(&program(&["add_one"]));
        let genesis = Compute::genesis_hash();
        let account: Account = who(P).into();
        let other: Account = who(PROVIDERS[1]).into();
        for payload in [
            payload::claim(&genesis, order + 1, 0, &account),
            payload::claim(&genesis, order, 1, &account),
            payload::claim(&genesis, order, 0, &other),
            payload::claim(&[1; 32], order, 0, &account),
            payload::decline(&genesis, order, 0, &account),
        ] {
            let signature = worker(P).sign(&payload);
            let call = Call::claim { order, attempt: 0, provider: who(P), signature };
            feeless(call).dropped(Error::BadSignature);
        }
        claim(order, P).ok();
        let work = Work::honest(&program(&["add_one"]));
        let (trace_root, start) = (work.trace_root(), work.path(0));
        for payload in [
            payload::commit(&genesis, order + 1, 0, &account, &trace_root),
            payload::commit(&genesis, order, 1, &account, &trace_root),
            payload::commit(&genesis, order, 0, &other, &trace_root),
            payload::commit(&[1; 32], order, 0, &account, &trace_root),
            payload::commit(&genesis, order, 0, &account, &[0; 32]),
        ] {
            let signature = worker(P).sign(&payload);
            let (provider, start) = (who(P), start.clone());
            feeless(Call::commit_result { order, attempt: 0, provider, trace_root, start, signature })
                .dropped(Error::BadSignature);
        }
    });
}

/// Replay: a report of one attempt is no report of another with the same result.
#[test]
fn an_old_report_does_not_verify_for_another_order_with_the_same_result() {
    run(|| {
        register();
        let work = Work::honest(&program(&["add_one"]));
        let (first, second) = (committed(&work), committed(&work));
        let mut report = report_of(first, V, ReportVerdict::Verified);
        assert_ne!(drawn(first, V), drawn(second, V));
        report.order = second;
        let call = feeless(report_call(V, vec![report]));
        assert!(matches!(call, Feeless::Dropped(_)), "{call:?}");
    });
}

/// Merkle: a path of another length, place or state leads nowhere.
#[test]
fn a_witness_whose_states_stand_elsewhere_in_the_trace_is_refused() {
    run(|| {
        register();
        let program = program(&["add_one", "add_one", "add_one"]);
        let work = Work::wrong_byte(&program, 1, 0);
        let order = committed(&work);
        let witness = work.witness(unit(1, 0));
        let changes: [&dyn Fn(&mut Witness); 5] = [
            &|w| core::mem::swap(&mut w.before, &mut w.after),
            &|w| assert!(w.before.path.0.pop().is_some()),
            &|w| w.after.path.0.try_push([0; 32]).unwrap(),
            &|w| w.after.path = work.path(3),
            &|w| w.before.blobs[0].len += 1,
        ];
        for change in changes {
            let mut changed = witness.clone();
            change(&mut changed);
            let error = prove(order, 0, unit(1, 0), changed).unwrap_err().error;
            assert_eq!(error, Error::<Test>::BadPath.into());
        }
        prove(order, 0, unit(1, 0), witness).unwrap();
    });
}

/// Encodings: a witness has one form.
#[test]
fn slices_that_are_unsorted_repeated_overlapping_or_too_long_are_refused() {
    run(|| {
        register();
        let work = Work::wrong_byte(&program(&["add_one"]), 0, 0);
        let order = committed(&work);
        let witness = work.witness(unit(0, 0));
        assert_eq!(witness.slices.len(), 2);
        let after = witness.slices.iter().position(|slice| slice.side == Side::After).unwrap();
        let changes: [&dyn Fn(&mut Witness); 5] = [
            &|w| w.slices.as_mut().swap(0, 1),
            &|w| w.slices.try_insert(after, w.slices[after].clone()).unwrap(),
            &|w| w.slices[after].slice.try_push(0).unwrap(),
            &|w| {
                let again = w.slices[after].ranges[0];
                w.slices[after].ranges.try_push(again).unwrap();
            },
            &|w| w.slices[after].ranges[0] = ByteRange { offset: 0, len: 0 },
        ];
        for change in changes {
            let mut changed = witness.clone();
            change(&mut changed);
            let error = prove(order, 0, unit(0, 0), changed).unwrap_err().error;
            assert_eq!(error, Error::<Test>::BadSlice.into());
        }
    });
}

/// Encodings: bytes after a call's end, or a cut call, are no call.
#[test]
fn cut_calls_do_not_decode() {
    run(|| {
        register();
        let work = Work::wrong_byte(&program(&["add_one"]), 0, 0);
        let order = committed(&work);
        let bytes = RuntimeCall::Compute(fault_call(order, 0, V, unit(0, 0), work.witness(unit(0, 0)))).encode();
        for cut in (0..bytes.len()).step_by(7) {
            assert!(RuntimeCall::decode(&mut &bytes[..cut]).is_err(), "{cut} of {} bytes decode", bytes.len());
        }
    });
}

/// Another kernel than ordered gives other bytes.
#[test]
fn the_result_of_another_kernel_is_convicted() {
    run(|| {
        register();
        let ordered = program(&["add_one"]);
        // The provider runs nothing at all and commits the untouched buffer.
        let lazy = Work::with(&ordered, |_, buffers| buffers[0].fill(0));
        let order = committed(&lazy);
        prove(order, 0, unit(0, 3), lazy.witness(unit(0, 3))).unwrap();
        assert_eq!(failure(order, 0), Some(Failure::ProviderFault));
    });
}

/// Self-report: burning makes it a loss, even when provider, finder and customer are one.
#[test]
fn a_provider_that_convicts_itself_loses_money() {
    run(|| {
        register();
        let work = Work::wrong_byte(&program(&["add_one"]), 0, 0);
        let order = committed(&work);
        let bond = bond(order, 0);
        let witness = Box::new(work.witness(unit(0, 0)));
        assert_ok!(Compute::prove_fault(RuntimeOrigin::signed(who(P)), order, 0, unit(0, 0), witness));
        let slash = economy::slash(bond);
        assert_eq!(wealth(P), ENDOWMENT - bond + slash.finder);
        let gang = wealth(P) + wealth(CUSTOMER);
        assert_eq!(gang, 2 * ENDOWMENT - slash.burned);
        assert!(slash.burned * 3 >= bond);
    });
}

/// Dispute spam: the weight of a whole unit, its witness and its kernel is charged before anything runs.
#[test]
fn a_dispute_is_charged_for_all_it_could_cost_before_it_runs() {
    run(|| {
        use frame_support::dispatch::{DispatchClass, GetDispatchInfo};
        register();
        let work = Work::honest(&program(&["add_one"]));
        let order = committed(&work);
        let call = RuntimeCall::Compute(Call::prove_fault {
            order,
            attempt: 0,
            unit: unit(0, 0),
            witness: Box::new(work.witness(unit(0, 0))),
        });
        let info = call.get_dispatch_info();
        assert_eq!(info.class, DispatchClass::Operational);
        let least = UnitFuel::get() * weights::PS_PER_FUEL + u64::from(MAX_KERNEL_BYTES) * weights::PS_PER_PTX_BYTE;
        assert!(info.call_weight.ref_time() > least);
    });
}

/// One stake, many orders: capacity runs out.
#[test]
fn the_same_stake_is_not_promised_twice() {
    run(|| {
        register();
        let mut dear = terms();
        dear.price.start = 1_000 * UNIT;
        dear.price.max = 1_000 * UNIT;
        let bond = economy::bond(1_000 * UNIT, dear.audit);
        let fits = STAKE / bond;
        assert!(fits > 1);
        for _ in 0..fits {
            let order = place_with(&program(&["add_one"]), dear);
            claim(order, P).ok();
        }
        let order = place_with(&program(&["add_one"]), dear);
        claim(order, P).dropped(Error::NoCapacity);
        assert_eq!(Staking::bonded(&who(P)), fits * bond);
        claim(order, PROVIDERS[1]).ok();
    });
}

/// Unbond before the slash: what is bonded does not leave, and what leaves is slashed until it is gone.
#[test]
fn a_bond_cannot_be_unstaked_and_unbonding_stake_is_still_slashed() {
    run(|| {
        register();
        let work = Work::wrong_byte(&program(&["add_one"]), 0, 0);
        let order = committed(&work);
        let bond = bond(order, 0);
        let signed = || RuntimeOrigin::signed(who(P));
        type StakingError = pallet_assay_staking::Error<Test>;
        assert_noop!(Staking::unstake(signed(), STAKE - bond + 1), StakingError::Insufficient);
        assert_noop!(Staking::retire_provider(signed()), StakingError::AttemptsRunning);
        let rest = STAKE - 100 * UNIT.max(bond);
        assert_ok!(Staking::unstake(signed(), rest));
        prove(order, 0, unit(0, 0), work.witness(unit(0, 0))).unwrap();
        assert_eq!(wealth(P), ENDOWMENT - bond);

        let honest = Work::honest(&program(&["add_one"]));
        let order = place(&program(&["add_one"]));
        claim(order, PROVIDERS[1]).ok();
        commit(order, PROVIDERS[1], &honest).ok();
        assert_ok!(Staking::chill(RuntimeOrigin::signed(who(V))));
        assert_ok!(Staking::unstake(RuntimeOrigin::signed(who(V)), STAKE));
        feeless(fault_call(order, 0, V, unit(0, 0), honest.witness(unit(0, 0)))).ok();
        assert_eq!(wealth(V), ENDOWMENT - STAKE / 100);
    });
}

/// Claim and abandon: it costs, it suspends, and never hits the same order twice.
#[test]
fn abandoning_costs_more_than_it_hurts() {
    run(|| {
        register();
        let order = place(&program(&["add_one"]));
        let other = place(&program(&["add_one"]));
        claim(order, P).ok();
        pass(terms().attempt_blocks + 2);
        assert!(wealth(P) < ENDOWMENT);
        claim(other, P).dropped(Error::Suspended);
        System::set_block_number(System::block_number() + NO_SHOW_SUSPENSION - terms().attempt_blocks - 5);
        claim(order, P).dropped(Error::Suspended);
        assert_eq!(status(order), OrderStatus::Open);
        assert_eq!(wealth(P) + wealth(CUSTOMER), 2 * ENDOWMENT, "the customer gets what the provider loses");
    });
}

/// Collusion: all the auditors an order asks for may lie; one stranger still convicts.
#[test]
fn a_result_that_every_auditor_calls_verified_is_convicted_by_anyone() {
    run(|| {
        register();
        let work = Work::wrong_byte(&program(&["add_one"]), 0, 77);
        let order = committed(&work);
        audit_all(order);
        assert_eq!(Reports::<Test>::get(order, 0).len(), 2);
        prove(order, 0, unit(0, 0), work.witness(unit(0, 0))).unwrap();
        assert_eq!(failure(order, 0), Some(Failure::ProviderFault));
        assert!(VALIDATORS.iter().all(|validator| wealth(*validator) == ENDOWMENT), "nobody is paid for a lie");
    });
}

/// Assignment widens with time, so that absent validators are replaced.
#[test]
fn everyone_is_drawn_in_the_end() {
    run(|| {
        register();
        let order = committed(&Work::honest(&program(&["add_one"])));
        for validator in VALIDATORS {
            assert!(audit::is_assigned(&drawn(order, validator), 1, 4, 2 * audit::WIDEN_BLOCKS));
        }
    });
}
