//! The path that everybody hopes for.

use assay_tests::{Chain, Worker};

use crate::support::{STEP, assert_no_panic, assert_receipt_adds_up, attempts, customer, failures, job, planck};

#[test]
fn a_job_is_bought_run_audited_paid_and_its_outputs_are_what_a_local_run_gives() {
    let chain = Chain::start().unwrap();
    let worker = Worker::start(&chain, "//Bob", None).unwrap();
    let customer = customer(&chain);
    let bought = customer.folder().join("bought");
    let local = customer.folder().join("local");

    let answer = customer
        .run(&[
            "job",
            "submit",
            &job("blur").display().to_string(),
            "--max-price",
            "5",
            "--wait",
            "--json",
            "--out",
            &bought.display().to_string(),
        ])
        .unwrap()
        .json()
        .unwrap();
    customer.run(&["job", "run", &job("blur").display().to_string(), "--out", &local.display().to_string()]).unwrap();

    let order = chain.order(answer["order"].as_u64().unwrap()).unwrap();
    assert_eq!(order["status"], "settled", "{order}");
    assert!(failures(&order).is_empty(), "{order}");
    assert_eq!(attempts(&order).len(), 1);
    assert_receipt_adds_up(&order);
    let receipt = &order["receipt"];
    assert!(planck(&receipt["provider"]) > 0);
    assert!(planck(&receipt["auditFee"]) > 0);

    let mut compared = 0;
    for file in std::fs::read_dir(&local).unwrap() {
        let file = file.unwrap();
        assert_eq!(
            std::fs::read(file.path()).unwrap(),
            std::fs::read(bought.join(file.file_name())).unwrap(),
            "{:?}",
            file.file_name()
        );
        compared += 1;
    }
    assert!(compared > 0, "the job has outputs");
    assert_no_panic(&chain.log());
    assert_no_panic(&worker.log());
}

#[test]
fn an_order_that_nobody_claims_is_cancelled_for_a_full_refund() {
    let chain = Chain::start().unwrap();
    let customer = customer(&chain);
    let mut submit = customer
        .spawn(&["job", "submit", &job("montecarlo").display().to_string(), "--max-price", "5", "--wait", "--json"])
        .unwrap();
    crate::support::wait_placed(&chain, 0);
    customer.run(&["job", "cancel", "0"]).unwrap();
    let order = chain.wait_status(0, "cancelled", STEP).unwrap();
    assert_receipt_adds_up(&order);
    assert_eq!(planck(&order["receipt"]["refund"]), planck(&order["receipt"]["held"]));
    submit.kill().unwrap();
}
