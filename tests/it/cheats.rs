//! Providers that lie.

use assay_tests::{Chain, Sabotage, Worker, wait_for};

use crate::support::{
    STEP, assert_no_panic, assert_receipt_adds_up, attempts, customer, failures, job, planck, wait_placed,
};

#[test]
fn a_wrong_byte_is_convicted_on_chain_and_the_order_settles_with_an_honest_provider() {
    let chain = Chain::start().unwrap();
    let cheat = Worker::start(&chain, "//Bob", Some(Sabotage::WrongByte)).unwrap();
    let customer = customer(&chain);
    let mut submit = customer
        .spawn(&["job", "submit", &job("montecarlo").display().to_string(), "--max-price", "5", "--wait", "--json"])
        .unwrap();
    wait_placed(&chain, 0);

    let convicted = wait_for("the cheat is convicted", STEP, || {
        let order = chain.order(0)?;
        Ok((failures(&order) == ["provider_fault"]).then_some(order))
    })
    .unwrap();
    let attempt = &attempts(&convicted)[0];
    assert_eq!(convicted["status"], "open");
    let bond = planck(&attempt["bond"]);
    assert!(bond >= planck(&attempt["price"]));
    let provider = chain.provider(attempt["provider"].as_str().unwrap()).unwrap();
    assert_eq!(provider["faults"], 1);
    assert_eq!(planck(&provider["slashed"]), bond, "all of the bond is slashed");
    assert!(!provider["suspendedUntil"].is_null());
    drop(cheat);

    let honest = Worker::start(&chain, "//Dave", None).unwrap();
    let order = chain.wait_status(0, "settled", STEP).unwrap();
    assert_receipt_adds_up(&order);
    assert_eq!(planck(&order["receipt"]["compensation"]), bond * 30 / 100, "the customer's share of the bond");
    assert_eq!(failures(&order), ["provider_fault"]);
    assert!(submit.wait_end(STEP).unwrap().success());
    assert_no_panic(&chain.log());
    assert_no_panic(&honest.log());
}

#[test]
fn a_provider_that_withholds_its_data_is_not_paid() {
    let chain = Chain::start().unwrap();
    let _mute = Worker::start(&chain, "//Bob", Some(Sabotage::Withhold)).unwrap();
    let customer = customer(&chain);
    let _submit = customer
        .spawn(&["job", "submit", &job("montecarlo").display().to_string(), "--max-price", "5", "--wait", "--json"])
        .unwrap();
    let order = wait_for("the attempt fails", STEP, || {
        let order = chain.order(0)?;
        Ok((!order.is_null() && failures(&order) == ["withheld"]).then_some(order))
    })
    .unwrap();
    assert_eq!(order["status"], "open");
    customer.run(&["job", "cancel", "0"]).unwrap();
    let order = chain.wait_status(0, "cancelled", STEP).unwrap();
    assert_receipt_adds_up(&order);
    assert_eq!(planck(&order["receipt"]["provider"]), 0);
    assert_eq!(planck(&order["receipt"]["refund"]), planck(&order["receipt"]["held"]));
}
