//! What the chain tells, as JSON: the same form as the node's RPC (camelCase, planck as decimal strings, accounts as SS58,
//! hashes as 0x-hex).

use assay_client::account::to_ss58;
use assay_primitives::{
    Balance, Hash,
    order::{AttemptView, KernelView, OrderView, ProviderView, Quote, Receipt, ReportView},
};
use serde_json::{Value, json};

/// Planck.
pub fn planck(amount: Balance) -> Value {
    Value::String(amount.to_string())
}

/// 32 bytes.
pub fn hash(hash: &Hash) -> String {
    format!("0x{}", hex::encode(hash))
}

/// An order.
pub fn order(view: &OrderView) -> Value {
    json!({
        "order": view.order,
        "customer": to_ss58(&view.customer),
        "program": hash(&view.program),
        "price": {
            "start": planck(view.terms.price.start),
            "max": planck(view.terms.price.max),
            "blocks": view.terms.price.blocks,
        },
        "openBlocks": view.terms.open_blocks,
        "attemptBlocks": view.terms.attempt_blocks,
        "audit": { "auditors": view.terms.audit.auditors, "units": view.terms.audit.units },
        "status": view.status,
        "placedAt": view.placed_at,
        "openSince": view.open_since,
        "held": planck(view.held),
        "attempts": view.attempts.iter().map(attempt).collect::<Vec<_>>(),
        "receipt": view.receipt.as_ref().map(receipt),
    })
}

fn attempt(view: &AttemptView) -> Value {
    json!({
        "attempt": view.attempt,
        "provider": to_ss58(&view.provider),
        "price": planck(view.price),
        "bond": planck(view.bond),
        "claimedAt": view.claimed_at,
        "commitBy": view.commit_by,
        "committedAt": view.committed_at,
        "windowEnds": view.window_ends,
        "traceRoot": view.trace_root.as_ref().map(hash),
        "reports": view.reports.iter().map(report).collect::<Vec<_>>(),
        "failure": view.failure,
    })
}

fn report(view: &ReportView) -> Value {
    json!({
        "auditor": to_ss58(&view.auditor),
        "verdict": view.verdict,
        "units": view.units,
        "laneSteps": view.lane_steps,
        "digest": hash(&view.digest),
        "at": view.at,
    })
}

/// A receipt.
pub fn receipt(receipt: &Receipt) -> Value {
    json!({
        "held": planck(receipt.held),
        "provider": planck(receipt.provider),
        "protocolFee": planck(receipt.protocol_fee),
        "auditFee": planck(receipt.audit_fee),
        "refund": planck(receipt.refund),
        "compensation": planck(receipt.compensation),
        "closedAt": receipt.closed_at,
    })
}

/// A quote.
pub fn quote(quote: &Quote) -> Value {
    json!({
        "units": quote.units,
        "auditFee": planck(quote.audit_fee),
        "escrow": planck(quote.escrow),
        "bond": planck(quote.bond),
    })
}

/// A kernel.
pub fn kernel(view: &KernelView) -> Value {
    json!({
        "kernel": hash(&view.kernel),
        "owner": to_ss58(&view.owner),
        "deposit": planck(view.deposit),
        "len": view.len,
        "engine": view.engine,
        "entries": view.entries,
    })
}

/// A provider.
pub fn provider(view: &ProviderView) -> Value {
    json!({
        "operator": to_ss58(&view.operator),
        "endpoint": view.endpoint,
        "worker": to_ss58(&view.worker),
        "stake": planck(view.stake),
        "bonded": planck(view.bonded),
        "suspendedUntil": view.suspended_until,
        "attempts": view.attempts,
        "settled": view.settled,
        "declined": view.declined,
        "noShows": view.no_shows,
        "faults": view.faults,
        "slashed": planck(view.slashed),
    })
}
