//! `assay job show|list|fetch|cancel`, and how an order is printed.

use std::path::{Path, PathBuf};

use assay_client::{Wait, account::to_ss58, amount, calls::compute};
use assay_primitives::{
    Account,
    order::{AttemptView, Failure, OrderStatus, OrderView, ReportVerdict},
};
use serde_json::json;

use super::{Outcome, connect, follow, job::print_outputs, signer};
use crate::{
    args::{KeyArgs, NodeArgs},
    error::CliError,
    job::{Job, Options, Output},
    local,
    term::{self, Style, Term},
    views,
};

/// What a receipt adds to an order.
pub struct Summary {
    /// Units that auditors ran, together.
    pub units: u64,
    /// Their lane-steps.
    pub lane_steps: u64,
    /// Blocks from the order to its end.
    pub blocks: Option<u32>,
}

impl Summary {
    /// Of an order.
    pub fn of(view: &OrderView) -> Self {
        let reports = view.attempts.last().map(|attempt| attempt.reports.as_slice()).unwrap_or_default();
        Self {
            units: reports.iter().map(|report| u64::from(report.units)).sum(),
            lane_steps: reports.iter().map(|report| report.lane_steps).sum(),
            blocks: view.receipt.as_ref().map(|receipt| receipt.closed_at.saturating_sub(view.placed_at)),
        }
    }
}

/// A status in words.
pub fn status(status: OrderStatus) -> &'static str {
    match status {
        OrderStatus::Open => "open",
        OrderStatus::Claimed => "claimed",
        OrderStatus::Committed => "committed",
        OrderStatus::Settled => "settled",
        OrderStatus::Expired => "expired",
        OrderStatus::Cancelled => "cancelled",
        OrderStatus::Voided => "voided",
    }
}

fn painted(term: &Term, state: OrderStatus) -> String {
    let style = match state {
        OrderStatus::Settled => Style::Green,
        OrderStatus::Expired | OrderStatus::Cancelled | OrderStatus::Voided => Style::Red,
        _ => Style::Yellow,
    };
    term.paint(style, status(state))
}

/// Prints an order with its attempts and its receipt.
pub fn print(view: &OrderView, transaction_fee: Option<u128>, term: &Term) {
    term::line(&format!("{} {}", term.paint(Style::Bold, format!("order {}", view.order)), painted(term, view.status)));
    let price = view.terms.price;
    let mut facts = vec![
        ("customer", to_ss58(&view.customer)),
        ("program", hex::encode(view.program)),
        (
            "offer",
            format!(
                "{} to {} ASSAY over {} blocks",
                amount::format(price.start),
                amount::format(price.max),
                price.blocks
            ),
        ),
    ];
    if view.held > 0 {
        facts.push(("locked", amount::display(view.held)));
    }
    term.facts(&facts);
    for attempt in &view.attempts {
        print_attempt(attempt, view, term);
    }
    let Some(receipt) = &view.receipt else { return };
    let summary = Summary::of(view);
    let settled = view.attempts.last().filter(|_| view.status == OrderStatus::Settled);
    term::line(&format!("  {}", term.paint(Style::Bold, "receipt")));
    let mut rows: Vec<(&str, String)> = Vec::new();
    if let Some(attempt) = settled {
        rows.push(("  price", amount::display(attempt.price)));
    }
    if let Some(blocks) = summary.blocks {
        let what = if settled.is_some() { "order to payment" } else { "order to end" };
        rows.push((
            "  time",
            format!(
                "{} from {what} (block {} to {})",
                term::plural(blocks.into(), "block"),
                view.placed_at,
                receipt.closed_at
            ),
        ));
    }
    if summary.units > 0 {
        rows.push((
            "  audited",
            format!("{}, {} lane-steps", term::plural(summary.units, "unit"), term::count(summary.lane_steps)),
        ));
    }
    if let Some(fee) = transaction_fee {
        rows.push(("  transaction fee", amount::display(fee)));
    }
    rows.push(("  was locked", amount::display(receipt.held)));
    rows.push(("    to the provider", amount::display(receipt.provider)));
    rows.push(("    to the auditors", amount::display(receipt.audit_fee)));
    rows.push(("    burned as fee", amount::display(receipt.protocol_fee)));
    rows.push(("    back to you", amount::display(receipt.refund)));
    if receipt.compensation > 0 {
        rows.push(("  from failed providers' bonds", amount::display(receipt.compensation)));
    }
    term.facts(&rows);
}

fn print_attempt(attempt: &AttemptView, view: &OrderView, term: &Term) {
    let outcome = match attempt.failure {
        Some(failure) => term.paint(Style::Red, failed(failure)),
        None if view.status == OrderStatus::Settled => term.paint(Style::Green, "paid"),
        None => term.paint(Style::Yellow, status(view.status)),
    };
    term::line(&format!("  {} {outcome}", term.paint(Style::Bold, format!("attempt {}", attempt.attempt))));
    let mut facts = vec![
        ("  provider", to_ss58(&attempt.provider)),
        ("  price", amount::display(attempt.price)),
        ("  bond", amount::display(attempt.bond)),
        ("  claimed", format!("in block {}, result due by {}", attempt.claimed_at, attempt.commit_by)),
    ];
    if let Some(block) = attempt.committed_at {
        let window = attempt.window_ends.map(|end| format!(", audits until {end}")).unwrap_or_default();
        facts.push(("  committed", format!("in block {block}{window}")));
    }
    if let Some(root) = &attempt.trace_root {
        facts.push(("  trace root", hex::encode(root)));
    }
    for report in &attempt.reports {
        let verdict = match report.verdict {
            ReportVerdict::Verified => "verified",
            ReportVerdict::Withheld => "data withheld",
        };
        let work =
            format!("{}, {} lane-steps", term::plural(report.units.into(), "unit"), term::count(report.lane_steps));
        facts.push(("  auditor", format!("{}: {verdict}, {work}, block {}", to_ss58(&report.auditor), report.at)));
    }
    term.facts(&facts);
}

fn failed(failure: Failure) -> &'static str {
    match failure {
        Failure::Declined => "declined (inputs missing)",
        Failure::NoShow => "no result in time",
        Failure::ProviderFault => "wrong result, proved on chain",
        Failure::Withheld => "data withheld",
        Failure::ProgramFault => "program at fault",
    }
}

fn missing(order: u64) -> CliError {
    CliError::NotFound { what: "order", name: order.to_string() }
}

pub async fn show(order: u64, node: &NodeArgs, json: bool, term: &Term) -> Outcome {
    let view = connect(node).await?.order(order).await?.ok_or_else(|| missing(order))?;
    if json {
        term::json(&views::order(&view));
    } else {
        print(&view, None, term);
    }
    Ok(())
}

pub async fn list(
    of: Option<Account>,
    open: bool,
    limit: u32,
    node: &NodeArgs,
    key: &KeyArgs,
    json: bool,
    term: &Term,
) -> Outcome {
    let account = match (of, open) {
        (Some(account), _) => Some(account),
        (None, true) => None,
        (None, false) => Some(signer(key)?.account()),
    };
    let client = connect(node).await?;
    let orders = match account {
        Some(account) => client.orders_of(&account, None, limit).await?,
        None => client.open_orders(limit).await?,
    };
    if json {
        term::json(&orders.iter().map(views::order).collect::<Vec<_>>());
        return Ok(());
    }
    if orders.is_empty() {
        term::line("  no orders");
        return Ok(());
    }
    let rows: Vec<Vec<String>> = orders
        .iter()
        .map(|view| {
            let price = view.attempts.last().filter(|attempt| attempt.failure.is_none()).map(|attempt| attempt.price);
            vec![
                view.order.to_string(),
                painted(term, view.status),
                view.placed_at.to_string(),
                view.attempts.len().to_string(),
                price.map(amount::format).unwrap_or_default(),
                amount::format(view.terms.price.max),
                hex::encode(view.program).get(..16).unwrap_or_default().to_owned(),
            ]
        })
        .collect();
    term.table(&["order", "status", "block", "attempts", "price", "at most", "program"], &rows);
    Ok(())
}

/// Whether an order is about this job.
pub fn same_program(view: &OrderView, job: &Job) -> Outcome {
    if view.program == job.program.id() {
        return Ok(());
    }
    Err(CliError::Refused(format!(
        "{} is program {}, but order {} is about program {}",
        job.file.display(),
        hex::encode(job.program.id()),
        view.order,
        hex::encode(view.program)
    )))
}

pub async fn fetch(order: u64, out: &Path, job: Option<&Path>, node: &NodeArgs, json: bool, term: &Term) -> Outcome {
    let load =
        |no_exact_maths| job.map(|file| Job::load(file, &Options { no_exact_maths, ..Options::default() })).transpose();
    let mut job = load(false)?;
    let client = connect(node).await?;
    let view = client.order(order).await?.ok_or_else(|| missing(order))?;
    if job.as_ref().is_some_and(|job| same_program(&view, job).is_err()) {
        // It may have been bought with --no-exact-maths.
        job = load(true)?;
    }
    if let Some(job) = &job {
        same_program(&view, job)?;
    }
    let unknown = || CliError::NotFound { what: "program", name: hex::encode(view.program) };
    let program = client.program(&view.program).await?.ok_or_else(unknown)?;
    let committed = view.attempts.last().filter(|attempt| attempt.failure.is_none() && attempt.trace_root.is_some());
    let no_result = || CliError::Refused(format!("order {order} is {} and has no result", status(view.status)));
    let attempt = committed.ok_or_else(no_result)?;
    let wanted: Vec<bool> = program.buffers.iter().map(|buffer| buffer.output).collect();
    let bytes = follow::download(&client, &wanted, program.launches(), order, attempt).await?;
    let mut written = Vec::new();
    let positions = wanted.iter().enumerate().filter(|(_, wanted)| **wanted).map(|(position, _)| position);
    for (position, bytes) in positions.zip(bytes) {
        let known = job.as_ref().and_then(|job| job.buffers.get(position));
        let plain = || Output { file: PathBuf::from(format!("buffer-{position}.bin")), image: None, show: None };
        let output = known.and_then(|buffer| buffer.output.clone()).unwrap_or_else(plain);
        let name = known.map_or_else(|| format!("buffer {position}"), |buffer| buffer.name.clone());
        written.push(local::write_output(out, &name, &output, &bytes)?);
    }
    if json {
        term::json(&json!({ "order": order, "status": view.status, "outputs": written }));
    } else {
        print_outputs(&written, term);
        term::line(&term.paint(Style::Dim, "  checked against the trace root on chain"));
        if view.status != OrderStatus::Settled {
            term::note(&format!("order {order} is {}: auditors may still refute this result", status(view.status)));
        }
    }
    Ok(())
}

pub async fn cancel(order: u64, node: &NodeArgs, key: &KeyArgs, json: bool, term: &Term) -> Outcome {
    let signer = signer(key)?;
    let client = connect(node).await?;
    client.order(order).await?.ok_or_else(|| missing(order))?;
    client.submit(&compute::cancel(order), &signer, Wait::InBlock).await?;
    let view = client.order(order).await?.ok_or_else(|| missing(order))?;
    if json {
        term::json(&views::order(&view));
    } else {
        let refund = view.receipt.as_ref().map_or(0, |receipt| receipt.refund);
        term::line(&format!("order {order} is {}; {} came back", painted(term, view.status), amount::display(refund)));
    }
    Ok(())
}
