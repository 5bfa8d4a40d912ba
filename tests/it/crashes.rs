//! Programs that die.

use assay_tests::{Chain, Sabotage, Worker, wait_for};

use crate::support::{
    STEP, assert_no_panic, assert_receipt_adds_up, attempts, customer, failures, job, planck, wait_placed,
};

#[test]
fn a_provider_that_dies_after_its_claim_is_replaced_and_the_customer_pays_once() {
    let chain = Chain::start().unwrap();
    let mut dead = Worker::start(&chain, "//Bob", Some(Sabotage::DieAfterClaim)).unwrap();
    let customer = customer(&chain);
    let mut submit = customer
        .spawn(&[
            "job",
            "submit",
            &job("montecarlo").display().to_string(),
            "--max-price",
            "5",
            "--attempt-blocks",
            "10",
            "--wait",
            "--json",
        ])
        .unwrap();
    wait_placed(&chain, 0);
    dead.wait_end().unwrap();
    let honest = Worker::start(&chain, "//Dave", None).unwrap();
    let order = chain.wait_status(0, "settled", 2 * STEP).unwrap();
    assert_eq!(failures(&order), ["no_show"]);
    assert_eq!(attempts(&order).len(), 2);
    assert_receipt_adds_up(&order);
    assert!(planck(&order["receipt"]["compensation"]) > 0, "the no-show's bond pays the customer");
    assert!(submit.wait_end(STEP).unwrap().success());
    assert_no_panic(&honest.log());
}

fn survives(sabotage: Sabotage) {
    let chain = Chain::start().unwrap();
    let mut worker = Worker::start(&chain, "//Bob", Some(sabotage)).unwrap();
    let customer = customer(&chain);
    let mut submit = customer
        .spawn(&["job", "submit", &job("montecarlo").display().to_string(), "--max-price", "5", "--wait", "--json"])
        .unwrap();
    worker.wait_end().unwrap();
    worker.restart().unwrap();
    let order = chain.wait_status(0, "settled", 2 * STEP).unwrap();
    assert_eq!(attempts(&order).len(), 1, "one claim, one commitment");
    assert!(failures(&order).is_empty());
    assert_receipt_adds_up(&order);
    assert!(submit.wait_end(STEP).unwrap().success());
    assert_no_panic(&worker.log());
}

#[test]
fn a_worker_killed_after_its_claim_goes_on_and_commits_once() {
    survives(Sabotage::DieAfterClaim);
}

#[test]
fn a_worker_killed_after_its_run_goes_on_and_commits_once() {
    survives(Sabotage::DieAfterRun);
}

#[test]
fn a_worker_killed_after_its_commit_goes_on_and_serves_its_witnesses() {
    survives(Sabotage::DieAfterCommit);
}

#[test]
fn a_chain_restarted_in_the_middle_of_a_job_loses_nothing() {
    let mut chain = Chain::start().unwrap();
    let worker = Worker::start(&chain, "//Bob", None).unwrap();
    let customer = customer(&chain);
    let _submit = customer
        .spawn(&["job", "submit", &job("montecarlo").display().to_string(), "--max-price", "5", "--wait", "--json"])
        .unwrap();
    wait_for("the order is claimed", STEP, || {
        let order = chain.order(0)?;
        Ok((!order.is_null() && order["status"] != "open").then_some(()))
    })
    .unwrap();
    // Blocks that are not finalised are not promised to anyone: wait for the claim to be.
    let height = chain.height().unwrap();
    wait_for("the claim is final", STEP, || Ok((chain.finalised()? >= height).then_some(()))).unwrap();
    chain.restart().unwrap();
    let order = chain.wait_status(0, "settled", 2 * STEP).unwrap();
    assert_eq!(attempts(&order).len(), 1);
    assert_receipt_adds_up(&order);
    assert_no_panic(&chain.log());
    assert_no_panic(&worker.log());
}
