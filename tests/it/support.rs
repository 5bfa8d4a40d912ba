//! What the tests say of orders again and again.

use std::{path::PathBuf, time::Duration};

use assay_tests::{Chain, Customer, wait_for};
use serde_json::Value;

/// Longest a step of an order may take on a loaded machine.
pub const STEP: Duration = Duration::from_secs(90);

/// A job that takes a moment and needs an input.
pub fn job(name: &str) -> PathBuf {
    assay_tests::checkout().join("kernels").join(name).join("job.toml")
}

/// Planck in a JSON field, which is a decimal string.
pub fn planck(value: &Value) -> u128 {
    value.as_str().unwrap_or_else(|| panic!("no amount: {value}")).parse().expect("a decimal number")
}

/// The attempts of an order that failed, with why.
pub fn failures(order: &Value) -> Vec<String> {
    attempts(order).iter().filter_map(|attempt| attempt["failure"].as_str().map(str::to_owned)).collect()
}

/// The attempts of an order.
pub fn attempts(order: &Value) -> Vec<Value> {
    order["attempts"].as_array().expect("attempts").clone()
}

/// The receipt's parts add up to what was held, and what is held now is nothing.
pub fn assert_receipt_adds_up(order: &Value) {
    let receipt = &order["receipt"];
    assert_eq!(
        planck(&receipt["held"]),
        planck(&receipt["provider"])
            + planck(&receipt["protocolFee"])
            + planck(&receipt["auditFee"])
            + planck(&receipt["refund"]),
        "{receipt}"
    );
    assert_eq!(planck(&order["held"]), 0, "{order}");
}

/// Waits until the newest order of the chain exists and answers with its number.
pub fn wait_placed(chain: &Chain, order: u64) -> Value {
    wait_for("the order is placed", STEP, || {
        let view = chain.order(order)?;
        Ok((!view.is_null()).then_some(view))
    })
    .unwrap()
}

/// A customer with money.
pub fn customer(chain: &Chain) -> Customer {
    Customer::new(chain, "//Charlie").unwrap()
}

/// No panic in a log.
pub fn assert_no_panic(log: &str) {
    for word in ["panicked at", "Essential task"] {
        assert!(!log.contains(word), "{word} in the log");
    }
}
