//! Following an order: inputs go to whoever claims it, outputs come from whoever committed, and people see where it stands.

use std::{collections::BTreeSet, io::Cursor, path::Path, time::Duration};

use assay_client::{
    BlobClient, Client, Signer,
    account::to_ss58,
    amount,
    blobs::{BlobError, Permit, Source},
};
use assay_primitives::{
    AttemptIndex, Init,
    order::{AttemptView, Failure, OrderStatus, OrderView},
};
use futures::StreamExt;
use indicatif::{ProgressBar, ProgressStyle};

use crate::{
    error::CliError,
    job::Job,
    local::{self, Written},
    term::{self, Term},
};

/// Tries of an upload or a download before the order is followed without it.
const TRIES: u32 = 5;
/// Pause between them.
const PAUSE: Duration = Duration::from_secs(2);

/// What became of an order.
pub struct Followed {
    /// The order.
    pub view: OrderView,
    /// The outputs, if it settled.
    pub outputs: Vec<Written>,
}

/// Where people see how an order gets on.
struct Stages {
    bar: Option<ProgressBar>,
    last: String,
}

/// From placed to paid.
const STAGES: u64 = 5;

impl Stages {
    fn new(term: &Term) -> Self {
        let bar = term.live.then(|| {
            let bar = ProgressBar::new(STAGES);
            if let Ok(style) = ProgressStyle::with_template("  {bar:25} {msg}  {elapsed}") {
                bar.set_style(style);
            }
            bar.enable_steady_tick(Duration::from_millis(200));
            bar
        });
        Self { bar, last: String::new() }
    }

    fn at(&mut self, stage: u64, text: String) {
        if self.last == text {
            return;
        }
        match &self.bar {
            Some(bar) => {
                bar.set_position(stage);
                bar.set_message(text.clone());
            }
            None => term::note(&format!("  [{stage}/{STAGES}] {text}")),
        }
        self.last = text;
    }

    fn say(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.println(format!("  {text}")),
            None => term::note(&format!("  {text}")),
        }
    }

    fn end(self) {
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
        }
    }
}

/// Follows an order. Without `wait` it ends as soon as a provider has the inputs.
pub async fn follow(
    client: &Client,
    job: &Job,
    order: u64,
    signer: &Signer,
    out: &Path,
    wait: bool,
    term: &Term,
) -> Result<Followed, CliError> {
    let mut stages = Stages::new(term);
    let result = follow_inner(client, job, order, signer, out, wait, &mut stages).await;
    stages.end();
    result
}

async fn follow_inner(
    client: &Client,
    job: &Job,
    order: u64,
    signer: &Signer,
    out: &Path,
    wait: bool,
    stages: &mut Stages,
) -> Result<Followed, CliError> {
    let mut sent: BTreeSet<AttemptIndex> = BTreeSet::new();
    let mut failed: BTreeSet<AttemptIndex> = BTreeSet::new();
    let mut fetched: Option<(AttemptIndex, Vec<Vec<u8>>)> = None;
    let view = 'watch: loop {
        let mut views = client.watch_order(order).await?;
        while let Some(view) = views.next().await {
            let view = match view {
                Ok(view) => view,
                Err(error) if error.is_retryable() => {
                    stages.say(&format!("{error}; trying again"));
                    continue;
                }
                Err(error) => return Err(error.into()),
            };
            for attempt in &view.attempts {
                if let Some(failure) = attempt.failure
                    && failed.insert(attempt.attempt)
                {
                    stages.say(&describe_failure(attempt, failure));
                }
            }
            let current = view.attempts.last().filter(|attempt| attempt.failure.is_none());
            match (view.status, current) {
                (OrderStatus::Open, _) => {
                    let again = if view.attempts.is_empty() { "" } else { " again" };
                    stages.at(1, format!("order {order} is open{again}"));
                }
                (OrderStatus::Claimed, Some(attempt)) => {
                    let provider = to_ss58(&attempt.provider);
                    let price = amount::display(attempt.price);
                    stages.at(2, format!("claimed by {provider} for {price} in block {}", attempt.claimed_at));
                    if !sent.contains(&attempt.attempt) {
                        match send_inputs(client, job, order, attempt, signer, stages).await {
                            Ok(()) => {
                                sent.insert(attempt.attempt);
                                stages.at(3, format!("{provider} has the inputs and computes"));
                            }
                            Err(error) => stages.say(&format!("the inputs could not be sent: {error}")),
                        }
                    }
                    if !wait && sent.contains(&attempt.attempt) {
                        return Ok(Followed { view, outputs: Vec::new() });
                    }
                }
                (OrderStatus::Committed, Some(attempt)) => {
                    if !wait {
                        return Ok(Followed { view, outputs: Vec::new() });
                    }
                    let block = attempt.committed_at.unwrap_or_default();
                    stages.at(4, format!("result committed in block {block}; auditors draw and run units again"));
                    if fetched.as_ref().is_none_or(|(of, _)| *of != attempt.attempt)
                        && let Ok(outputs) = outputs(client, job, order, attempt).await
                    {
                        fetched = Some((attempt.attempt, outputs));
                    }
                }
                _ => {}
            }
            if view.status.is_terminal() {
                break 'watch view;
            }
        }
        // The stream ended without the order's end: look again.
        tokio::time::sleep(PAUSE).await;
    };
    stages.at(STAGES, format!("{:?}", view.status).to_lowercase());
    let mut written = Vec::new();
    if view.status == OrderStatus::Settled && wait {
        let attempt = view.attempts.last().ok_or(CliError::Refused("the order settled without an attempt".into()))?;
        let bytes = match fetched {
            Some((of, bytes)) if of == attempt.attempt => bytes,
            _ => patiently_fetch(client, job, order, attempt, stages).await?,
        };
        for (buffer, bytes) in job.buffers.iter().filter(|buffer| buffer.output.is_some()).zip(bytes) {
            if let Some(output) = &buffer.output {
                written.push(local::write_output(out, &buffer.name, output, &bytes)?);
            }
        }
    }
    Ok(Followed { view, outputs: written })
}

fn describe_failure(attempt: &AttemptView, failure: Failure) -> String {
    let what = match failure {
        Failure::Declined => "declined: the inputs did not arrive in time",
        Failure::NoShow => "did not deliver in time; part of its bond is yours",
        Failure::ProviderFault => "committed a wrong result and was convicted; part of its bond is yours",
        Failure::Withheld => "did not serve its data to the auditors",
        Failure::ProgramFault => "showed that the program breaks a rule",
    };
    format!("attempt {}: {} {what}", attempt.attempt, to_ss58(&attempt.provider))
}

async fn server(client: &Client, attempt: &AttemptView) -> Result<BlobClient, CliError> {
    let missing = || CliError::NotFound { what: "provider", name: to_ss58(&attempt.provider) };
    let provider = client.provider(&attempt.provider).await?.ok_or_else(missing)?;
    Ok(BlobClient::new(&provider.endpoint)?)
}

/// Sends every input that the provider does not have yet.
async fn send_inputs(
    client: &Client,
    job: &Job,
    order: u64,
    attempt: &AttemptView,
    signer: &Signer,
    stages: &Stages,
) -> Result<(), CliError> {
    let server = server(client, attempt).await?;
    let permit = Permit {
        genesis: client.genesis(),
        order,
        signer: signer.clone(),
        expiry: attempt.commit_by.saturating_add(1),
    };
    for buffer in &job.buffers {
        let (Init::Blob(blob), Some(data)) = (buffer.buffer.init, &buffer.data) else { continue };
        let mut tries = 1;
        loop {
            let bar = stages.bar.clone();
            let (name, len) = (buffer.name.clone(), blob.len);
            let progress = move |so_far: u64| {
                if let Some(bar) = &bar {
                    bar.set_message(format!("sending {name}: {} of {}", term::bytes(so_far), term::bytes(len)));
                }
            };
            match server.upload(&permit, &blob, Source::Bytes(data.clone()), progress).await {
                Ok(()) => break,
                // Right after the claim the worker may not have seen its own block yet.
                Err(error) if tries < TRIES && worth_a_try(&error) => {
                    tries += 1;
                    tokio::time::sleep(PAUSE).await;
                }
                Err(error) => return Err(error.into()),
            }
        }
    }
    Ok(())
}

fn worth_a_try(error: &BlobError) -> bool {
    error.is_retryable()
        || matches!(error, BlobError::Status { status, .. } if matches!(status.as_u16(), 401 | 403 | 404))
}

/// Bytes of the outputs of an attempt, proved against the trace root on chain, in the order of the buffers.
pub async fn outputs(client: &Client, job: &Job, order: u64, attempt: &AttemptView) -> Result<Vec<Vec<u8>>, CliError> {
    let wanted: Vec<bool> = job.program.buffers.iter().map(|buffer| buffer.output).collect();
    download(client, &wanted, job.program.launches(), order, attempt).await
}

/// Bytes of the buffers that are wanted, proved against the trace root on chain.
pub async fn download(
    client: &Client,
    wanted: &[bool],
    launches: u64,
    order: u64,
    attempt: &AttemptView,
) -> Result<Vec<Vec<u8>>, CliError> {
    let no_result = || CliError::Refused(format!("order {order} has no committed result"));
    let trace_root = attempt.trace_root.ok_or_else(no_result)?;
    let server = server(client, attempt).await?;
    let blobs = server.result(order, attempt.attempt, &trace_root, launches).await?;
    let mut outputs = Vec::new();
    for (blob, _) in blobs.iter().zip(wanted).filter(|(_, wanted)| **wanted) {
        let mut sink = Cursor::new(Vec::new());
        server.download(blob, &mut sink, |_| {}).await?;
        outputs.push(sink.into_inner());
    }
    Ok(outputs)
}

async fn patiently_fetch(
    client: &Client,
    job: &Job,
    order: u64,
    attempt: &AttemptView,
    stages: &Stages,
) -> Result<Vec<Vec<u8>>, CliError> {
    let mut tries = 1;
    loop {
        match outputs(client, job, order, attempt).await {
            Ok(outputs) => return Ok(outputs),
            Err(error) if tries < TRIES => {
                stages.say(&format!("the outputs could not be fetched: {error}"));
                tries += 1;
                tokio::time::sleep(PAUSE).await;
            }
            Err(error) => return Err(error),
        }
    }
}
