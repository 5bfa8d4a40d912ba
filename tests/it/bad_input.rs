//! What the command line says to input that cannot work, before anything is locked.

use std::path::PathBuf;

use assay_tests::Chain;
use serde_json::json;

use crate::support::{customer, job};

fn ptx(name: &str) -> PathBuf {
    assay_tests::checkout().join("kernels/ptx").join(format!("{name}.ptx"))
}

#[test]
fn a_wrong_key_is_refused_before_anything_is_sent() {
    let chain = Chain::start().unwrap();
    let customer = customer(&chain);
    let outcome = customer
        .try_run(&["job", "submit", &job("montecarlo").display().to_string(), "--max-price", "5", "--key", "not a key"])
        .unwrap();
    assert_ne!(outcome.code, 0);
    assert!(outcome.stderr.contains("key"), "{}", outcome.stderr);
    assert_eq!(chain.order(0).unwrap(), json!(null), "no order was placed");
}

#[test]
fn truncated_ptx_is_refused_with_its_line_and_nothing_is_locked() {
    let chain = Chain::start().unwrap();
    let customer = customer(&chain);
    let whole = std::fs::read(ptx("montecarlo")).unwrap();
    let cut = customer.folder().join("cut.ptx");
    std::fs::write(&cut, &whole[..whole.len() / 2]).unwrap();
    let outcome = customer.try_run(&["kernel", "check", &cut.display().to_string()]).unwrap();
    assert_ne!(outcome.code, 0);
    let said = format!("{}{}", outcome.stdout, outcome.stderr);
    assert!(said.contains("line") || said.contains("cut.ptx:"), "{said}");
}
