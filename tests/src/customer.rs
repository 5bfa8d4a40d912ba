//! Someone at the command line.

use std::{
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use serde_json::Value;
use tempfile::TempDir;

use crate::{Chain, process::Process, programs};

/// An account and a shell.
pub struct Customer {
    node: String,
    key: String,
    folder: TempDir,
}

/// How a command ended.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Exit code.
    pub code: i32,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Outcome {
    /// Standard output as JSON.
    pub fn json(&self) -> anyhow::Result<Value> {
        serde_json::from_str(&self.stdout).map_err(|error| anyhow::anyhow!("{error} in: {}", self.stdout))
    }
}

impl From<Output> for Outcome {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

impl Customer {
    /// The holder of `key` (a dev key such as `//Charlie`) on `chain`.
    pub fn new(chain: &Chain, key: &str) -> anyhow::Result<Self> {
        Ok(Self { node: chain.url(), key: key.to_owned(), folder: TempDir::new()? })
    }

    /// A folder that goes with this customer.
    pub fn folder(&self) -> PathBuf {
        self.folder.path().to_path_buf()
    }

    fn command(&self, args: &[&str]) -> anyhow::Result<Command> {
        let mut command = Command::new(programs()?.join("assay"));
        command
            .args(args)
            .env("ASSAY_NODE", &self.node)
            .env("ASSAY_KEY", &self.key)
            .env("NO_COLOR", "1")
            .current_dir(self.folder.path())
            .stdin(Stdio::null());
        Ok(command)
    }

    /// Runs `assay ARGS` to its end, whatever that is.
    pub fn try_run(&self, args: &[&str]) -> anyhow::Result<Outcome> {
        Ok(self.command(args)?.output()?.into())
    }

    /// Runs `assay ARGS`; a failure is an error with all that was printed.
    pub fn run(&self, args: &[&str]) -> anyhow::Result<Outcome> {
        let outcome = self.try_run(args)?;
        anyhow::ensure!(
            outcome.code == 0,
            "assay {} ended with {}\n{}{}",
            args.join(" "),
            outcome.code,
            outcome.stdout,
            outcome.stderr
        );
        Ok(outcome)
    }

    /// Starts `assay ARGS` beside the test.
    pub fn spawn(&self, args: &[&str]) -> anyhow::Result<Process> {
        Process::start(self.command(args)?, &self.folder.path().join("assay.log"))
    }

    /// Submits a job file and answers with the order's number, without waiting for the work.
    pub fn submit(&self, job: &Path, more: &[&str]) -> anyhow::Result<u64> {
        let job = job.display().to_string();
        let mut args = vec!["job", "submit", job.as_str(), "--max-price", "5", "--json"];
        args.extend_from_slice(more);
        let answer = self.run(&args)?.json()?;
        answer["order"].as_u64().ok_or_else(|| anyhow::anyhow!("no order in {answer}"))
    }
}
