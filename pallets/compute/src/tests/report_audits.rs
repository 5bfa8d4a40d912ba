use super::world::*;
use crate::{mock::*, *};
use sp_core::Pair as _;

fn with_order(test: impl FnOnce(OrderId)) {
    run(|| {
        register();
        let order = committed(&Work::honest(&program(&["add_one", "add_one"])));
        // Everyone is drawn by now: the chance has doubled twice.
        System::set_block_number(System::block_number() + WINDOW - 1);
        test(order);
    });
}

#[test]
fn a_report_of_what_was_drawn_counts() {
    with_order(|order| {
        report(order, V).ok();
        let reports = Reports::<Test>::get(order, 0);
        assert_eq!(reports.len(), 1);
        assert_eq!(reports[0].auditor, who(V));
        assert_eq!(reports[0].verdict, ReportVerdict::Verified);
        assert_eq!(Compute::order(order).unwrap().attempts[0].reports.len(), 1);
    });
}

#[test]
fn an_auditor_reports_an_attempt_once() {
    with_order(|order| {
        report(order, V).ok();
        report(order, V).dropped(Error::NothingToReport);
        let twice = report_of(order, VALIDATORS[1], ReportVerdict::Verified);
        feeless(report_call(VALIDATORS[1], vec![twice.clone(), twice])).dropped(Error::AlreadyReported);
    });
}

#[test]
fn a_changed_report_does_not_verify() {
    with_order(|order| {
        let honest = report_of(order, V, ReportVerdict::Verified);
        let changes: [fn(&mut assay_primitives::audit::Report); 4] = [
            |report| report.digest[0] ^= 1,
            |report| report.lane_steps += 1,
            |report| report.proof[3] ^= 1,
            |report| report.verdict = ReportVerdict::Withheld,
        ];
        for change in changes {
            let mut report = honest.clone();
            change(&mut report);
            feeless(report_call(V, vec![report])).dropped(Error::BadVrf);
        }
    });
}

#[test]
fn another_validators_report_cannot_be_copied() {
    with_order(|order| {
        let copied = report_of(order, V, ReportVerdict::Verified);
        let call = feeless(report_call(VALIDATORS[1], vec![copied]));
        assert!(matches!(call, Feeless::Dropped(_)), "{call:?}");
    });
}

#[test]
fn who_is_no_validator_cannot_report() {
    with_order(|order| {
        let stranger = audit(9);
        let report = sign(report_of(order, V, ReportVerdict::Verified), &stranger);
        let call = Call::report_audits { auditor: stranger.public(), reports: vec![report].try_into().unwrap() };
        feeless(call).dropped(Error::NotAuditor);
    });
}

#[test]
fn a_report_of_another_number_of_units_than_drawn_is_false() {
    with_order(|order| {
        let mut report = report_of(order, V, ReportVerdict::Verified);
        report.units += 1;
        feeless(report_call(V, vec![sign(report.clone(), &audit(V))])).dropped(Error::BadCount);
        report.units -= 1;
        report.lane_steps = u64::MAX;
        feeless(report_call(V, vec![sign(report, &audit(V))])).dropped(Error::BadCount);
    });
}

#[test]
fn an_auditor_that_was_not_drawn_must_wait_until_the_chance_has_widened() {
    run(|| {
        register();
        let mut one = terms();
        one.audit.auditors = 1;
        // One of four validators at twice the chance: half of them are drawn at once. Look for one that is not.
        for _ in 0..20 {
            let work = Work::honest(&program(&["add_one"]));
            let order = place_with(&program(&["add_one"]), one);
            claim(order, P).ok();
            commit(order, P, &work).ok();
            for validator in VALIDATORS {
                if !assay_primitives::audit::is_assigned(&drawn(order, validator), 1, 4, 0) {
                    report(order, validator).dropped(Error::NotAssigned);
                    pass(WINDOW - 1);
                    report(order, validator).ok();
                    return;
                }
            }
        }
        panic!("everyone was always drawn");
    });
}

#[test]
fn an_operator_does_not_audit_its_own_result() {
    run(|| {
        register();
        let endpoint = b"http://localhost".to_vec().try_into().unwrap();
        let key = worker(V - 10).public().0;
        Staking::set_provider(RuntimeOrigin::signed(who(V)), endpoint, key).unwrap();
        let work = Work::honest(&program(&["add_one"]));
        let order = place(&program(&["add_one"]));
        feeless(claim_call(order, 0, V, &worker(V - 10))).ok();
        let (trace_root, start) = (work.trace_root(), work.path(0));
        let payload =
            assay_primitives::payload::commit(&Compute::genesis_hash(), order, 0, &who(V).into(), &trace_root);
        let signature = worker(V - 10).sign(&payload);
        feeless(Call::commit_result { order, attempt: 0, provider: who(V), trace_root, start, signature }).ok();
        System::set_block_number(System::block_number() + WINDOW - 1);
        report(order, V).dropped(Error::OwnResult);
        assert!(Compute::audit_tasks(audit(V).public()).is_empty());
        assert_eq!(Compute::audit_tasks(audit(VALIDATORS[1]).public())[0].validators, 3);
    });
}

#[test]
fn a_report_after_the_window_is_dropped() {
    with_order(|order| {
        let late = report_call(V, vec![report_of(order, V, ReportVerdict::Verified)]);
        System::set_block_number(System::block_number() + 2);
        feeless(late).dropped(Error::NothingToReport);
    });
}

#[test]
fn stale_reports_in_a_batch_do_not_spoil_the_others() {
    with_order(|order| {
        let other = place(&program(&["add_one", "add_one"]));
        claim(other, P).ok();
        commit(other, P, &Work::honest(&program(&["add_one", "add_one"]))).ok();
        report(order, V).ok();
        let verdict = ReportVerdict::Withheld;
        let batch = vec![report_of(order, V, verdict), report_of(other, V, verdict)];
        pass(1);
        // Drawn or not, the second decides alone.
        let assigned = assay_primitives::audit::is_assigned(&drawn(other, V), 2, 4, 1);
        match feeless(report_call(V, batch)) {
            Feeless::Done(Ok(_)) => assert!(assigned && Reports::<Test>::get(other, 0).len() == 1),
            call => {
                assert!(!assigned);
                call.dropped(Error::NotAssigned);
            }
        }
    });
}
