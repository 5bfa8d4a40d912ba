//! A provider: staked by the command line, run by the worker program.

use std::{path::Path, process::Command, time::Duration};

use tempfile::TempDir;

use crate::{Chain, Customer, free_port, process::Process, programs, wait_for};

/// A fault that a worker is told to have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sabotage {
    /// One byte of the result is wrong, in the commit and in what is served.
    WrongByte,
    /// No witness is served.
    Withhold,
    /// The process ends after the claim.
    DieAfterClaim,
    /// The process ends after the run.
    DieAfterRun,
    /// The process ends after the commit.
    DieAfterCommit,
}

impl Sabotage {
    fn flag(self) -> &'static str {
        match self {
            Self::WrongByte => "wrong-byte",
            Self::Withhold => "withhold",
            Self::DieAfterClaim => "die-after-claim",
            Self::DieAfterRun => "die-after-run",
            Self::DieAfterCommit => "die-after-commit",
        }
    }
}

/// A worker process of one provider.
pub struct Worker {
    process: Process,
    folder: TempDir,
    key: String,
    port: u16,
    node: String,
}

impl Worker {
    /// Stakes for `key` (a dev key such as `//Bob`), registers it as a provider and starts its worker.
    pub fn start(chain: &Chain, key: &str, sabotage: Option<Sabotage>) -> anyhow::Result<Self> {
        let folder = TempDir::new()?;
        let port = free_port()?;
        let endpoint = format!("http://127.0.0.1:{port}");
        Customer::new(chain, key)?.run(&["provider", "register", "--stake", "100000", "--endpoint", &endpoint])?;
        let process = Self::spawn(folder.path(), &chain.url(), key, port, sabotage)?;
        let worker = Self { process, folder, key: key.to_owned(), port, node: chain.url() };
        worker.wait_answers()?;
        Ok(worker)
    }

    fn spawn(folder: &Path, node: &str, key: &str, port: u16, sabotage: Option<Sabotage>) -> anyhow::Result<Process> {
        let mut command = Command::new(programs()?.join("assay-worker"));
        command
            .arg("run")
            .args(["--node", node, "--key", key])
            .args(["--listen", &format!("127.0.0.1:{port}")])
            .arg("--data")
            .arg(folder.join("worker"))
            .args(["--backend", "cpu"]);
        if let Some(sabotage) = sabotage {
            command.args(["--sabotage", sabotage.flag()]);
        }
        Process::start(command, &folder.join("worker.log"))
    }

    fn wait_answers(&self) -> anyhow::Result<()> {
        let url = format!("http://127.0.0.1:{}/healthz", self.port);
        wait_for("the worker answers", Duration::from_secs(30), || {
            Ok(reqwest::blocking::get(&url)?.status().is_success().then_some(()))
        })
    }

    /// Kills the process with SIGKILL, if it still runs, and starts it again on the same data, without sabotage.
    pub fn restart(&mut self) -> anyhow::Result<()> {
        self.process.kill()?;
        self.process = Self::spawn(self.folder.path(), &self.node, &self.key, self.port, None)?;
        self.wait_answers()
    }

    /// SIGKILL.
    pub fn kill(&mut self) -> anyhow::Result<()> {
        self.process.kill()
    }

    /// Waits until the process has ended by itself.
    pub fn wait_end(&mut self) -> anyhow::Result<()> {
        self.process.wait_end(Duration::from_secs(60)).map(drop)
    }

    /// What the worker has printed.
    pub fn log(&self) -> String {
        self.process.log()
    }
}
