//! The `assay` command.

use std::process::ExitCode;

use assay_cli::{args::Cli, commands, error::CliError, term};
use clap::Parser;
use tracing_subscriber::EnvFilter;

#[tokio::main]
async fn main() -> ExitCode {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("off"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    match commands::run(Cli::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(CliError::Negative) => ExitCode::FAILURE,
        Err(error) => {
            term::note(&format!("error: {error}"));
            ExitCode::FAILURE
        }
    }
}
