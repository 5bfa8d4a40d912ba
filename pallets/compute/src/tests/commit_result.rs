use super::world::*;
use crate::{mock::*, *};
use sp_core::Pair as _;

#[test]
fn a_commit_opens_the_audit_window() {
    run(|| {
        register();
        let work = Work::honest(&program(&["add_one"]));
        let order = place(&program(&["add_one"]));
        claim(order, P).ok();
        pass(2);
        commit(order, P, &work).ok();
        assert_eq!(status(order), OrderStatus::Committed);
        let commitment = Attempts::<Test>::get(order, 0).unwrap().commitment.unwrap();
        assert_eq!((commitment.at, commitment.window_ends), (3, 3 + WINDOW));
        assert_eq!(commitment.trace_root, work.trace_root());
        assert_eq!(Compute::audit_tasks(audit(V).public()).len(), 1);
    });
}

#[test]
fn the_last_block_before_the_deadline_is_in_time_and_the_next_is_not() {
    run(|| {
        register();
        let work = Work::honest(&program(&["add_one"]));
        let order = place(&program(&["add_one"]));
        claim(order, P).ok();
        System::set_block_number(1 + terms().attempt_blocks);
        assert!(!tags(commit_call(order, 0, P, work.trace_root(), work.path(0))).is_empty());
        System::set_block_number(2 + terms().attempt_blocks);
        commit(order, P, &work).dropped(Error::TooLate);
    });
}

#[test]
fn a_trace_that_does_not_start_from_the_declared_inputs_is_dropped() {
    run(|| {
        register();
        let order = place(&program(&["add_one"]));
        claim(order, P).ok();
        let work = Work::honest(&program(&["add_one"]));
        // The path of another state, of a longer trace, and of none.
        feeless(commit_call(order, 0, P, work.trace_root(), work.path(1))).dropped(Error::BadStart);
        let longer = Work::honest(&program(&["add_one", "add_one"]));
        commit(order, P, &longer).dropped(Error::BadStart);
        feeless(commit_call(order, 0, P, [9; 32], Default::default())).dropped(Error::BadStart);
    });
}

#[test]
fn only_the_claimant_commits_with_its_worker_key_once() {
    run(|| {
        register();
        let work = Work::honest(&program(&["add_one"]));
        let order = place(&program(&["add_one"]));
        commit(order, P, &work).dropped(Error::WrongStatus);
        claim(order, P).ok();
        commit(order, PROVIDERS[1], &work).dropped(Error::NotProvider);
        let Call::commit_result { order, attempt, provider, trace_root, start, .. } =
            commit_call(order, 0, P, work.trace_root(), work.path(0))
        else {
            unreachable!()
        };
        let signature = worker(P).sign(b"something else");
        feeless(Call::commit_result { order, attempt, provider, trace_root, start, signature })
            .dropped(Error::BadSignature);
        commit(order, P, &work).ok();
        commit(order, P, &work).dropped(Error::WrongStatus);
    });
}
