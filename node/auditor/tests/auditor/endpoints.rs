//! Endpoints that are dead, hostile or slow, and what becomes of the reports.

use crate::harness::{Fake, GATHER, GENESIS, PATH, RESEND, auditor, chain, pass, program, serve, task};
use assay_primitives::{
    audit::{draw_units, report_statement, vrf_input},
    order::{AuditTask, ReportVerdict},
};
use assay_runtime_api::vrf::{self, AUDIT_KEY};
use axum::{Router, body::Body, http::StatusCode, response::Redirect, routing::get};
use sp_core::{Pair, sr25519};
use sp_keystore::{Keystore, testing::MemoryKeystore};
use std::{
    collections::HashSet,
    convert::Infallible,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
};

#[tokio::test]
async fn dead_and_hostile_endpoints_end_as_withheld_in_time() {
    let honest = serve(Router::new().route(PATH, get(|| async { vec![0u8; 64] }))).await;
    let redirected = Arc::new(AtomicU32::new(0));
    let counter = redirected.clone();
    let target = serve(Router::new().fallback(move || async move {
        counter.fetch_add(1, Ordering::SeqCst);
    }))
    .await;
    let endpoints =
        [
            // Nobody listens.
            "http://127.0.0.1:1".to_string(),
            // No URL, or none that is asked.
            "nonsense".to_string(),
            "ftp://127.0.0.1".to_string(),
            // Accepts and says nothing.
            serve(Router::new().fallback(futures::future::pending::<()>)).await,
            // Never ends.
            serve(Router::new().fallback(|| async {
                Body::from_stream(futures::stream::repeat(Ok::<_, Infallible>(vec![0u8; 65_536])))
            }))
            .await,
            // Leads elsewhere.
            serve(Router::new().fallback(move || async move { Redirect::temporary(&target) })).await,
            serve(Router::new().fallback(|| async { StatusCode::INTERNAL_SERVER_ERROR })).await,
            // Bytes that are no witness.
            honest,
        ];
    let tasks = (0..).zip(&endpoints).map(|(order, endpoint)| task(order, endpoint)).collect();
    let chain = Arc::new(chain(tasks));
    let (key, wake) = auditor(chain.clone());
    pass(&chain, &wake, 6).await;
    tokio::time::sleep(GATHER).await;

    let sent = chain.reports.lock().unwrap();
    let mut orders: Vec<_> =
        sent.iter().flat_map(|(_, _, reports)| reports.iter().map(|report| report.order)).collect();
    orders.sort_unstable();
    orders.dedup();
    assert_eq!(orders, (0..8).collect::<Vec<_>>());
    for (at, auditor, reports) in sent.iter() {
        assert!(*at <= 6, "too late for the window");
        assert_eq!(*auditor, key);
        for report in reports {
            assert_eq!(report.verdict, ReportVerdict::Withheld);
        }
    }
    assert_eq!(redirected.load(Ordering::SeqCst), 0, "a redirect was followed");
}

#[tokio::test]
async fn a_report_carries_a_vrf_proof_that_verifies_and_draws_the_units() {
    let asked = Arc::new(Mutex::new(HashSet::new()));
    let record = asked.clone();
    let endpoint = serve(Router::new().route(
        PATH,
        get(move |axum::extract::RawQuery(query): axum::extract::RawQuery| async move {
            record.lock().unwrap().insert(query.unwrap());
            StatusCode::NOT_FOUND
        }),
    ))
    .await;
    let chain = Arc::new(chain(vec![task(5, &endpoint)]));
    let (key, wake) = auditor(chain.clone());
    pass(&chain, &wake, 5).await;
    tokio::time::sleep(GATHER).await;

    let sent = chain.reports.lock().unwrap();
    let report = &sent[0].2[0];
    let input = vrf_input(&GENESIS, 5, 0, &[1; 32], &[2; 32]);
    assert!(vrf::verify(&key, &input, &report_statement(report), &report.pre_output, &report.proof));
    let output = vrf::output(&key, &input, &report.pre_output).unwrap();
    let expected: HashSet<_> = draw_units(&output, &program(), task(5, "").audit)
        .into_iter()
        .map(|unit| format!("launch={}&x={}&y={}&z={}", unit.launch, unit.cta[0], unit.cta[1], unit.cta[2]))
        .collect();
    assert_eq!(*asked.lock().unwrap(), expected);
}

#[tokio::test]
async fn a_finding_is_sent_again_only_after_some_blocks_and_never_once_it_is_on_chain() {
    let mut late = task(1, "nonsense");
    late.window_ends = 2;
    let chain = Arc::new(chain(vec![late]));
    let (_, wake) = auditor(chain.clone());
    pass(&chain, &wake, 1).await;
    tokio::time::sleep(GATHER * 2).await;
    assert_eq!(chain.reports.lock().unwrap().len(), 1);
    pass(&chain, &wake, RESEND - 1).await;
    assert_eq!(chain.reports.lock().unwrap().len(), 1, "sent again while it was in the pool");
    pass(&chain, &wake, 1).await;
    assert_eq!(chain.reports.lock().unwrap().len(), 2, "a lost report is not sent again");
    chain.tasks.lock().unwrap()[0].reported = true;
    pass(&chain, &wake, RESEND + 1).await;
    assert_eq!(chain.reports.lock().unwrap().len(), 2, "sent although it is on chain");
}

#[tokio::test]
async fn a_refused_batch_is_sent_one_by_one() {
    let tasks = (0..3).map(|order| AuditTask { window_ends: 2, ..task(order, "nonsense") }).collect();
    let chain = Arc::new(Fake { refuse_batches: true, ..chain(tasks) });
    let (_, wake) = auditor(chain.clone());
    pass(&chain, &wake, 1).await;
    tokio::time::sleep(GATHER * 2).await;
    let mut orders: Vec<_> = chain.reports.lock().unwrap().iter().map(|(_, _, reports)| reports[0].order).collect();
    orders.sort_unstable();
    assert_eq!(orders, [0, 1, 2]);
}

#[tokio::test]
async fn a_validator_that_is_not_drawn_asks_nobody() {
    let asked = Arc::new(AtomicU32::new(0));
    let counter = asked.clone();
    let endpoint = serve(Router::new().fallback(move || async move {
        counter.fetch_add(1, Ordering::SeqCst);
    }))
    .await;
    // One auditor among four billion validators: the chance of being drawn is nothing.
    let chain = Arc::new(chain(vec![AuditTask { validators: u32::MAX, ..task(0, &endpoint) }]));
    let (_, wake) = auditor(chain.clone());
    pass(&chain, &wake, 5).await;
    assert_eq!(asked.load(Ordering::SeqCst), 0);
    assert!(chain.reports.lock().unwrap().is_empty());
}

#[test]
fn the_audit_key_of_a_development_seed_is_the_accounts_own() {
    let keystore = MemoryKeystore::new();
    let key = keystore.sr25519_generate_new(AUDIT_KEY, Some("//Alice")).unwrap();
    assert_eq!(key, sr25519::Pair::from_string("//Alice", None).unwrap().public());
}
