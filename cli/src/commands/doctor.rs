//! `assay doctor`: what this machine can do, and what is missing.

use std::process::Command;

use assay_client::{Client, Signer, amount};
use serde::Serialize;
use serde_json::json;

use super::Outcome;
use crate::{
    args::Doctor,
    error::CliError,
    kernel,
    term::{self, Style, Term},
};

/// Bytes free below which a worker's disk is too small to start with.
const LITTLE_DISK: u64 = 2 << 30;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum State {
    Good,
    /// Something works less well or not at all, and nothing is broken.
    Note,
    Bad,
}

#[derive(Clone, Debug, Serialize)]
struct Finding {
    what: &'static str,
    state: State,
    text: String,
}

fn finding(what: &'static str, state: State, text: impl Into<String>) -> Finding {
    Finding { what, state, text: text.into() }
}

pub async fn run(args: &Doctor, term: &Term) -> Outcome {
    let mut findings = vec![finding(
        "engine",
        State::Good,
        format!("version {}, {}", assay_engine::VERSION, term::plural(cores(), "CPU core")),
    )];
    findings.push(gpu());
    findings.push(compiler());
    findings.push(disk());
    let signer = args.key.key.as_deref().map(Signer::parse);
    match Client::connect(&args.node.node).await {
        Ok(client) => {
            findings.push(node(&client).await);
            findings.push(match &signer {
                None => finding("key", State::Note, "none given: --key or ASSAY_KEY is needed to sign"),
                Some(Ok(signer)) => balance(&client, signer).await,
                Some(Err(error)) => finding("key", State::Bad, error.to_string()),
            });
        }
        Err(error) => {
            findings.push(finding("node", State::Bad, error.to_string()));
            findings.push(match &signer {
                None => finding("key", State::Note, "none given: --key or ASSAY_KEY is needed to sign"),
                Some(Ok(signer)) => finding("key", State::Good, signer.address()),
                Some(Err(error)) => finding("key", State::Bad, error.to_string()),
            });
        }
    }
    let healthy = findings.iter().all(|finding| finding.state != State::Bad);
    if args.json.json {
        term::json(&json!({ "healthy": healthy, "findings": findings }));
    } else {
        for finding in &findings {
            let mark = match finding.state {
                State::Good => term.paint(Style::Green, "✓"),
                State::Note => term.paint(Style::Yellow, "·"),
                State::Bad => term.paint(Style::Red, "✗"),
            };
            term::line(&format!("  {mark} {:<9} {}", finding.what, finding.text));
        }
    }
    if healthy { Ok(()) } else { Err(CliError::Negative) }
}

fn cores() -> u64 {
    std::thread::available_parallelism().map_or(1, |cores| cores.get() as u64)
}

/// Asks the worker beside this program, in a process of its own: a bad driver may end the one that asks.
fn gpu() -> Finding {
    let beside = std::env::current_exe().ok().and_then(|path| Some(path.parent()?.join("assay-worker")));
    let Some(worker) = beside.filter(|path| path.is_file()) else {
        return finding(
            "GPU",
            State::Note,
            "assay-worker is not beside this program, so the CUDA driver was not asked",
        );
    };
    match assay_worker::backend::cuda::probe(&worker) {
        Ok(gpus) => {
            let names: Vec<String> = gpus
                .iter()
                .map(|gpu| {
                    let (major, minor) = gpu.compute;
                    format!("{} (compute {major}.{minor}, {})", gpu.name, term::bytes(gpu.memory))
                })
                .collect();
            finding("GPU", State::Good, names.join(", "))
        }
        Err(absence) => finding("GPU", State::Note, format!("{absence}; jobs run on the CPU engine")),
    }
}

fn compiler() -> Finding {
    let Some(compiler) = kernel::find_compiler() else {
        return finding("compiler", State::Note, kernel::BuildError::NoCompiler.to_string());
    };
    let version = match &compiler {
        kernel::Compiler::Nvcc(path, _) => Command::new(path).arg("--version").output().ok().and_then(|output| {
            let text = String::from_utf8_lossy(&output.stdout).into_owned();
            text.lines().find_map(|line| line.split_once("release ").map(|(_, version)| version.trim().to_owned()))
        }),
        kernel::Compiler::Nvrtc => None,
    };
    let version = version.map(|version| format!(", release {version}")).unwrap_or_default();
    finding("compiler", State::Good, format!("{compiler}{version}"))
}

fn disk() -> Finding {
    let output = Command::new("df").args(["-Pk", "."]).output().ok().filter(|output| output.status.success());
    let free = output.and_then(|output| {
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        text.lines().nth(1)?.split_whitespace().nth(3)?.parse::<u64>().ok()?.checked_mul(1024)
    });
    match free {
        Some(free) => {
            let state = if free < LITTLE_DISK { State::Note } else { State::Good };
            finding("disk", state, format!("{} free here", term::bytes(free)))
        }
        None => finding("disk", State::Note, "df does not say how much is free"),
    }
}

async fn node(client: &Client) -> Finding {
    let answer = async {
        let identity = client.identity().await?;
        let (best, _) = client.best().await?;
        let (finalised, _) = client.finalised().await?;
        let parameters = client.parameters().await?;
        Ok::<_, assay_client::Error>((identity, best, finalised, parameters))
    };
    match answer.await {
        Ok((identity, best, finalised, parameters)) => {
            let fits = parameters.unit_fuel == crate::UNIT_FUEL;
            let cap =
                if fits { String::new() } else { format!(", {} lane-steps a unit", term::count(parameters.unit_fuel)) };
            finding(
                "node",
                State::Good,
                format!(
                    "{} at {}: {}, runtime {}, block {best}, {finalised} final{cap}",
                    identity.chain,
                    client.url(),
                    identity.node,
                    identity.spec_version
                ),
            )
        }
        Err(error) => finding("node", State::Bad, error.to_string()),
    }
}

async fn balance(client: &Client, signer: &Signer) -> Finding {
    match client.funds(&signer.account()).await {
        Ok(funds) => {
            let state = if funds.free == 0 { State::Bad } else { State::Good };
            let text = format!(
                "{}: {} free, {} held",
                signer.address(),
                amount::display(funds.free),
                amount::display(funds.held)
            );
            finding("key", state, text)
        }
        Err(error) => finding("key", State::Bad, error.to_string()),
    }
}
