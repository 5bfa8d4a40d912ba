//! `assay job submit` and `assay job resume`.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use assay_client::{Client, Signer, Wait, amount, calls, calls::compute};
use assay_primitives::order::{AuditLevel, OrderStatus, PriceCurve, Terms};
use serde_json::{Value, json};

use super::{Outcome, connect, fee, follow, job::print_outputs, load, order, signer};
use crate::{
    args::{JobArgs, KeyArgs, NodeArgs, TermsArgs},
    error::CliError,
    job::Job,
    local,
    sample::{self, Sampling},
    term::{self, Style, Term},
    views,
};

/// PTX that is registered in the same transaction as the order.
const MAX_BATCHED: usize = 128 * 1024;
/// How the job is tried before money is locked.
const TRIAL: Sampling = Sampling { units: 3, time: Duration::from_millis(1500), fuel: crate::UNIT_FUEL };

/// What is bought.
pub struct Request {
    pub job: JobArgs,
    pub terms: TermsArgs,
    pub wait: bool,
    pub unchecked: bool,
    pub out: PathBuf,
}

impl TermsArgs {
    fn terms(&self) -> Result<Terms, CliError> {
        let start =
            self.start_price.unwrap_or(if self.curve_blocks == 0 { self.max_price } else { self.max_price / 2 });
        if start > self.max_price {
            return Err(CliError::Refused(format!(
                "--start-price {} is above --max-price {}",
                amount::format(start),
                amount::format(self.max_price)
            )));
        }
        Ok(Terms {
            price: PriceCurve { start, max: self.max_price, blocks: self.curve_blocks },
            open_blocks: self.open_blocks,
            attempt_blocks: self.attempt_blocks,
            audit: AuditLevel { auditors: self.auditors, units: self.units },
        })
    }
}

pub async fn run(request: Request, node: &NodeArgs, key: &KeyArgs, json: bool, term: &Term) -> Outcome {
    let signer = signer(key)?;
    let terms = request.terms.terms()?;
    let job = load(&request.job)?;
    if !request.unchecked {
        let report = sample::sample(&job, TRIAL)?;
        if !report.verifiable {
            let reasons = report.reasons.join("\n  ");
            return Err(CliError::Refused(format!(
                "the job cannot be proved, so nothing was bought (--unchecked buys it all the same):\n  {reasons}"
            )));
        }
    }
    let client = connect(node).await?;
    let placed = place(&client, &job, &terms, &signer).await?;
    if !json {
        print_placed(&job, &terms, &placed, term);
    } else {
        term::note(&format!("  order {}", placed.order));
    }
    let needs_inputs = job.input_bytes() > 0;
    if !request.wait && !needs_inputs {
        if json {
            term::json(&placed_json(&placed));
        }
        return Ok(());
    }
    let followed = follow::follow(&client, &job, placed.order, &signer, &request.out, request.wait, term).await?;
    if !request.wait {
        if json {
            term::json(&placed_json(&placed));
        }
        return Ok(());
    }
    finish(&followed, placed.fee, json, term)
}

pub async fn resume(
    order: u64,
    args: &JobArgs,
    out: &Path,
    node: &NodeArgs,
    key: &KeyArgs,
    json: bool,
    term: &Term,
) -> Outcome {
    let signer = signer(key)?;
    let job = load(args)?;
    let client = connect(node).await?;
    let view = client.order(order).await?;
    let view = view.ok_or_else(|| CliError::NotFound { what: "order", name: order.to_string() })?;
    super::order::same_program(&view, &job)?;
    let followed = follow::follow(&client, &job, order, &signer, out, true, term).await?;
    finish(&followed, 0, json, term)
}

/// An order that is on chain.
struct Placed {
    order: u64,
    block: u32,
    fee: u128,
    escrow: u128,
    bond: u128,
    registered: usize,
}

async fn place(client: &Client, job: &Job, terms: &Terms, signer: &Signer) -> Result<Placed, CliError> {
    let parameters = client.parameters().await?;
    let mut missing = Vec::new();
    for (index, id) in job.program.kernels.iter().enumerate() {
        let Some(kernel) = job.kernels.get(index) else { continue };
        if kernel.ptx.len() > usize::try_from(parameters.kernel_bytes).unwrap_or(usize::MAX) {
            return Err(CliError::Refused(format!(
                "{} has {} bytes{}, the chain takes {} at most: spread its entries over several files",
                kernel.path.display(),
                kernel.ptx.len(),
                if kernel.original.is_some() { " with exact maths" } else { "" },
                parameters.kernel_bytes
            )));
        }
        if client.kernel(id).await?.is_none() {
            missing.push(kernel);
        }
    }
    let quote = client.quote(local::units(job), &terms.price, &terms.audit).await?;
    let deposit = missing.iter().fold(0u128, |sum, kernel| {
        sum.saturating_add(parameters.deposit_per_byte.saturating_mul(kernel.ptx.len() as u128))
    });
    let funds = client.funds(&signer.account()).await?;
    let needed = quote.escrow.saturating_add(deposit);
    if funds.free < needed {
        return Err(CliError::Refused(format!(
            "{} has {} free, but the order locks {} and the kernels' deposit is {}",
            signer.address(),
            amount::display(funds.free),
            amount::display(quote.escrow),
            amount::display(deposit)
        )));
    }
    let mut fees = 0u128;
    let mut calls: Vec<calls::Call> = missing.iter().map(|kernel| compute::register_kernel(&kernel.ptx)).collect();
    let total: usize = missing.iter().map(|kernel| kernel.ptx.len()).sum();
    if total > MAX_BATCHED {
        for call in calls.drain(..) {
            fees = fees.saturating_add(fee(&client.submit(&call, signer, Wait::InBlock).await?));
        }
    }
    let place = compute::place_order(&job.program, terms);
    let call = if calls.is_empty() {
        place
    } else {
        calls.push(place);
        calls::batch_all(calls)
    };
    let included = client.submit(&call, signer, Wait::InBlock).await?;
    let order = included
        .event("Compute", "OrderPlaced")
        .and_then(|event| event.order())
        .ok_or_else(|| CliError::Refused("the chain took the order and did not say its number".into()))?;
    Ok(Placed {
        order,
        block: included.block,
        fee: fees.saturating_add(fee(&included)),
        escrow: quote.escrow,
        bond: quote.bond,
        registered: missing.len(),
    })
}

fn placed_json(placed: &Placed) -> Value {
    json!({
        "order": placed.order,
        "placedAt": placed.block,
        "escrow": views::planck(placed.escrow),
        "bond": views::planck(placed.bond),
        "transactionFee": views::planck(placed.fee),
    })
}

fn print_placed(job: &Job, terms: &Terms, placed: &Placed, term: &Term) {
    term.title(&format!("order {}", placed.order));
    let kernels = match placed.registered {
        0 => String::new(),
        count => format!(", {} registered", term::plural(count as u64, "kernel")),
    };
    term.facts(&[
        ("program", hex::encode(job.program.id())),
        ("placed", format!("in block {}{kernels}, fee {}", placed.block, amount::display(placed.fee))),
        (
            "price",
            format!(
                "{} rising to at most {} ASSAY in {}",
                amount::format(terms.price.start),
                amount::format(terms.price.max),
                term::plural(terms.price.blocks.into(), "block")
            ),
        ),
        ("locked", format!("{} with the audits; what is not used comes back", amount::display(placed.escrow))),
        (
            "audit",
            format!(
                "{} by {}: finds a provider that fakes a tenth of the work with {:.0} % and costs it {}",
                term::plural(terms.audit.units.into(), "draw"),
                term::plural(terms.audit.auditors.into(), "validator"),
                super::job::detection(terms.audit),
                amount::display(placed.bond)
            ),
        ),
    ]);
}

fn finish(followed: &follow::Followed, transaction_fee: u128, json: bool, term: &Term) -> Outcome {
    let view = &followed.view;
    if json {
        let mut value = views::order(view);
        if let Some(fields) = value.as_object_mut() {
            let summary = order::Summary::of(view);
            fields.insert("outputs".into(), json!(followed.outputs));
            fields.insert("transactionFee".into(), views::planck(transaction_fee));
            fields.insert("unitsAudited".into(), json!(summary.units));
            fields.insert("laneStepsAudited".into(), json!(summary.lane_steps));
            fields.insert("blocksToPayment".into(), json!(summary.blocks));
        }
        term::json(&value);
    } else {
        term::line("");
        order::print(view, Some(transaction_fee).filter(|fee| *fee > 0), term);
        if !followed.outputs.is_empty() {
            term::line("");
            print_outputs(&followed.outputs, term);
            term::line(&term.paint(Style::Dim, "  checked against the trace root on chain"));
        }
    }
    if view.status == OrderStatus::Settled {
        Ok(())
    } else if json {
        Err(CliError::Negative)
    } else {
        Err(CliError::Refused(format!("order {} is {}", view.order, order::status(view.status))))
    }
}
