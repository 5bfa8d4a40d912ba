//! A development chain: one validator, blocks every 2 s.

use std::{path::Path, process::Command, time::Duration};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{free_port, process::Process, programs, wait_for};

/// A running chain.
pub struct Chain {
    process: Process,
    folder: TempDir,
    port: u16,
    http: reqwest::blocking::Client,
}

impl Chain {
    /// A fresh chain that answers.
    pub fn start() -> anyhow::Result<Self> {
        let folder = TempDir::new()?;
        let port = free_port()?;
        let process = Self::spawn(folder.path(), port)?;
        let http = reqwest::blocking::Client::builder().timeout(Duration::from_secs(10)).build()?;
        let chain = Self { process, folder, port, http };
        chain.wait_answers()?;
        Ok(chain)
    }

    fn spawn(folder: &Path, port: u16) -> anyhow::Result<Process> {
        let mut command = Command::new(programs()?.join("assay-node"));
        command
            .arg("--dev")
            .arg("--base-path")
            .arg(folder.join("chain"))
            .args(["--rpc-port", &port.to_string()])
            .args(["--listen-addr", "/ip4/127.0.0.1/tcp/0", "--no-mdns", "--no-telemetry", "--no-prometheus"]);
        Process::start(command, &folder.join("node.log"))
    }

    fn wait_answers(&self) -> anyhow::Result<()> {
        wait_for("the chain makes blocks", Duration::from_secs(60), || Ok((self.height()? > 0).then_some(())))
    }

    /// Kills the node and starts it again on the same data.
    pub fn restart(&mut self) -> anyhow::Result<()> {
        self.process.kill()?;
        self.process = Self::spawn(self.folder.path(), self.port)?;
        self.wait_answers()
    }

    /// URL of the node's RPC.
    pub fn url(&self) -> String {
        format!("ws://127.0.0.1:{}", self.port)
    }

    /// One JSON-RPC call.
    pub fn rpc(&self, method: &str, params: Value) -> anyhow::Result<Value> {
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
        let mut answer: Value = self.http.post(format!("http://127.0.0.1:{}", self.port)).json(&body).send()?.json()?;
        if let Some(error) = answer.get("error") {
            anyhow::bail!("{method}: {error}");
        }
        Ok(answer["result"].take())
    }

    /// Number of the best block.
    pub fn height(&self) -> anyhow::Result<u64> {
        number(&self.rpc("chain_getHeader", json!([]))?)
    }

    /// Number of the last finalised block.
    pub fn finalised(&self) -> anyhow::Result<u64> {
        let hash = self.rpc("chain_getFinalizedHead", json!([]))?;
        number(&self.rpc("chain_getHeader", json!([hash]))?)
    }

    /// An order as the chain tells it.
    pub fn order(&self, order: u64) -> anyhow::Result<Value> {
        self.rpc("assay_order", json!([order]))
    }

    /// A provider as the chain tells it.
    pub fn provider(&self, account: &str) -> anyhow::Result<Value> {
        self.rpc("assay_provider", json!([account]))
    }

    /// Waits until the order has `status`; fails at once when it reached another terminal one.
    pub fn wait_status(&self, order: u64, status: &str, limit: Duration) -> anyhow::Result<Value> {
        wait_for(&format!("order {order} is {status}"), limit, || {
            let view = self.order(order)?;
            Ok((view["status"] == status).then_some(view))
        })
    }

    /// What the node has printed.
    pub fn log(&self) -> String {
        self.process.log()
    }
}

fn number(header: &Value) -> anyhow::Result<u64> {
    let number = header["number"].as_str().ok_or_else(|| anyhow::anyhow!("a header without number"))?;
    Ok(u64::from_str_radix(number.trim_start_matches("0x"), 16)?)
}
