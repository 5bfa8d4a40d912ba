//! The commands.

mod check;
mod doctor;
mod follow;
mod infer;
mod job;
mod kernel;
mod new;
mod order;
mod provider;
mod save;
mod submit;
mod watch;

use assay_client::{Client, Included, Signer, Wait};

use crate::{
    args::{Cli, Command, JobArgs, JobCommand, KernelCommand, KeyArgs, NodeArgs, ProviderCommand, ValidatorCommand},
    error::CliError,
    job::{Job, Options},
    markdown,
    term::{self, Term},
};

/// A command's result.
pub type Outcome = Result<(), CliError>;

/// Runs the command. Says on standard output what went wrong when it was asked for JSON.
pub async fn run(cli: Cli) -> Outcome {
    let term = Term::detect();
    let json = wants_json(&cli.command);
    let outcome = dispatch(cli.command, &term).await;
    if let Err(error) = &outcome
        && json
        && !matches!(error, CliError::Negative)
    {
        term::json(&error.json());
    }
    outcome
}

fn wants_json(command: &Command) -> bool {
    match command {
        Command::Kernel(
            KernelCommand::Check { json, .. }
            | KernelCommand::Build { json, .. }
            | KernelCommand::Run { json, .. }
            | KernelCommand::Register { json, .. }
            | KernelCommand::Show { json, .. },
        )
        | Command::Job(
            JobCommand::Check { json, .. }
            | JobCommand::Run { json, .. }
            | JobCommand::Submit { json, .. }
            | JobCommand::Resume { json, .. }
            | JobCommand::Show { json, .. }
            | JobCommand::List { json, .. }
            | JobCommand::Fetch { json, .. }
            | JobCommand::Cancel { json, .. },
        )
        | Command::Provider(
            ProviderCommand::Register { json, .. }
            | ProviderCommand::Show { json, .. }
            | ProviderCommand::List { json, .. },
        ) => json.json,
        Command::Doctor(doctor) => doctor.json.json,
        _ => false,
    }
}

async fn dispatch(command: Command, term: &Term) -> Outcome {
    match command {
        Command::Kernel(command) => kernel::run(command, term).await,
        Command::Job(command) => match command {
            JobCommand::New { file, entry, output } => new::run(&file, &entry, output.as_deref()),
            JobCommand::Check { job, infer_writes: true, save, time, fuel, json, .. } => {
                infer::run(&job, save, time, fuel, json.json, term)
            }
            JobCommand::Check { job, units, time, fuel, json, .. } => {
                job::check(&job, units, time, fuel, json.json, term)
            }
            JobCommand::Run { job, out, fuel, json } => job::run(&job, &out, fuel, json.json, term),
            JobCommand::Submit { job, terms, wait, unchecked, out, node, key, json } => {
                let request = submit::Request { job, terms, wait, unchecked, out };
                submit::run(request, &node, &key, json.json, term).await
            }
            JobCommand::Resume { order, job, out, node, key, json } => {
                submit::resume(order, &job, &out, &node, &key, json.json, term).await
            }
            JobCommand::Show { order, node, json } => order::show(order, &node, json.json, term).await,
            JobCommand::List { of, open, limit, node, key, json } => {
                order::list(of, open, limit, &node, &key, json.json, term).await
            }
            JobCommand::Fetch { order, out, job, node, json } => {
                order::fetch(order, &out, job.as_deref(), &node, json.json, term).await
            }
            JobCommand::Cancel { order, node, key, json } => order::cancel(order, &node, &key, json.json, term).await,
        },
        Command::Provider(command) => provider::run(command, term).await,
        Command::Validator(command) => {
            use assay_client::{amount, calls::staking};
            let (call, node, key, done) = match command {
                ValidatorCommand::Stake { amount, node, key } => {
                    (staking::stake(amount), node, key, format!("staked {}", amount::display(amount)))
                }
                ValidatorCommand::Validate { node, key } => {
                    let done = "standing; the chain chooses at the start of each session".to_owned();
                    (staking::validate(), node, key, done)
                }
                ValidatorCommand::Chill { node, key } => (staking::chill(), node, key, "no longer standing".to_owned()),
            };
            sign(&call, &node, &key).await?;
            term::line(&done);
            Ok(())
        }
        Command::Doctor(doctor) => doctor::run(&doctor, term).await,
        Command::HelpMarkdown => {
            term::line(markdown::reference().trim_end());
            Ok(())
        }
    }
}

/// The key that signs.
fn signer(key: &KeyArgs) -> Result<Signer, CliError> {
    Ok(Signer::parse(key.key.as_deref().ok_or(CliError::NoKey)?)?)
}

/// A connection.
async fn connect(node: &NodeArgs) -> Result<Client, CliError> {
    Ok(Client::connect(&node.node).await?)
}

/// Signs a call, sends it and waits for its block. Keys are read before anything is sent.
async fn sign(call: &assay_client::Call, node: &NodeArgs, key: &KeyArgs) -> Result<Included, CliError> {
    let signer = signer(key)?;
    Ok(connect(node).await?.submit(call, &signer, Wait::InBlock).await?)
}

/// Planck that a transaction cost.
fn fee(included: &Included) -> u128 {
    included.event("TransactionPayment", "TransactionFeePaid").and_then(|event| event.amount("actual_fee")).unwrap_or(0)
}

/// The job of a job file.
fn load(args: &JobArgs) -> Result<Job, CliError> {
    load_with(args, false)
}

/// The same, with or without the write maps.
fn load_with(args: &JobArgs, without_writes: bool) -> Result<Job, CliError> {
    let (set, images, files) = (args.set.clone(), args.image.clone(), args.files.clone());
    let options = Options { set, images, files, without_writes, no_exact_maths: args.no_exact_maths };
    let job = Job::load(&args.file, &options)?;
    for kernel in &job.kernels {
        kernel::say_replaced(&kernel.path.display().to_string(), &kernel.replaced);
    }
    Ok(job)
}
