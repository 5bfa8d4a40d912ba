//! The `assay-worker` program.

use anyhow::Context as _;
use assay_client::{Signer, account, amount};
use assay_primitives::Balance;
use assay_worker::{
    backend::cuda,
    config::{Choice, Config, JobLimits},
    job::sabotage::Sabotage,
    run,
};
use clap::{Args, Parser, Subcommand};
use std::{io::IsTerminal, net::SocketAddr, path::PathBuf, process::ExitCode};
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::watch,
};
use tracing_subscriber::EnvFilter;

#[derive(Parser)]
#[command(name = "assay-worker", version, about = "Claims orders, runs their programs, commits and proves the results")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Work for a registered provider.
    Run(Box<Run>),
    /// Tell which GPUs can be used, or why none can.
    Probe {
        /// As JSON, from this very process.
        #[arg(long)]
        json: bool,
    },
    /// Hold a GPU for the worker that started this process.
    #[command(hide = true)]
    Device,
}

#[derive(Args)]
struct Run {
    /// URL of the node's RPC.
    #[arg(long, env = "ASSAY_NODE", default_value = "ws://127.0.0.1:9944")]
    node: String,
    /// The worker key: //Name, a mnemonic phrase or 32 bytes of hex.
    #[arg(long, env = "ASSAY_KEY", hide_env_values = true)]
    key: String,
    /// The operator's account, when the worker key is another one.
    #[arg(long, value_name = "SS58")]
    operator: Option<String>,
    /// Address on which blobs and witnesses are served.
    #[arg(long, default_value = "127.0.0.1:8700")]
    listen: SocketAddr,
    /// Folder for blobs and journal.
    #[arg(long)]
    data: PathBuf,
    /// What runs the programs.
    #[arg(long, value_enum, default_value = "auto")]
    backend: Choice,
    /// Jobs at a time.
    #[arg(long, default_value_t = 1)]
    jobs: usize,
    /// Gibibytes of memory that one job may take.
    #[arg(long, default_value_t = 4, value_name = "GIB")]
    memory: u64,
    /// Gibibytes of disk for blobs.
    #[arg(long, default_value_t = 64, value_name = "GIB")]
    disk: u64,
    /// Least price of a claim, in ASSAY.
    #[arg(long, default_value = "0", value_name = "ASSAY", value_parser = amount::parse)]
    min_price: Balance,
    /// Blocks that inputs are awaited after the claim, unless they are coming in.
    #[arg(long, default_value_t = 30, value_name = "BLOCKS")]
    input_blocks: u32,
    /// Blocks that the outputs of settled orders are kept.
    #[arg(long, default_value_t = 43_200, value_name = "BLOCKS")]
    keep_blocks: u32,
    /// Units that are run again on the CPU engine before each commit.
    #[arg(long, default_value_t = 8, value_name = "UNITS")]
    self_check: u16,
    /// Fault injection, for tests and demonstrations: it costs the bond, the pay or the time.
    #[arg(long, value_enum)]
    sabotage: Option<Sabotage>,
}

impl Run {
    fn config(self) -> anyhow::Result<Config> {
        let signer = Signer::parse(&self.key)?;
        let operator = match &self.operator {
            Some(text) => account::parse(text).context("--operator")?,
            None => signer.account(),
        };
        let limits = JobLimits {
            jobs: self.jobs.max(1),
            memory: self.memory.saturating_mul(1 << 30),
            disk: self.disk.saturating_mul(1 << 30),
            min_price: self.min_price,
            input_blocks: self.input_blocks,
            keep_blocks: self.keep_blocks,
            ..JobLimits::default()
        };
        Ok(Config {
            node: self.node,
            signer,
            operator,
            listen: self.listen,
            data: self.data,
            backend: self.backend,
            limits,
            self_check: self.self_check,
            sabotage: self.sabotage,
        })
    }
}

fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Run(run) => work(*run),
        Command::Probe { json } => probe(json),
        Command::Device => cuda::serve().context("the device process"),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn work(options: Run) -> anyhow::Result<()> {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info,subxt=warn,jsonrpsee=warn"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_target(false)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr)
        .init();
    let config = options.config()?;
    let program = std::env::current_exe().context("the program does not find itself")?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let result = runtime.block_on(async {
        let (stop, shutdown) = watch::channel(false);
        let mut interrupted = signal(SignalKind::interrupt())?;
        let mut terminated = signal(SignalKind::terminate())?;
        tokio::spawn(async move {
            tokio::select! { _ = interrupted.recv() => {}, _ = terminated.recv() => {} }
            tracing::info!("stopping");
            let _ = stop.send(true);
            // Whoever asks twice does not want to wait.
            tokio::select! { _ = interrupted.recv() => {}, _ = terminated.recv() => {} }
            std::process::exit(130);
        });
        run::run(config, &program, shutdown).await
    });
    // A run on the CPU engine notices its end at the next batch of CTAs.
    runtime.shutdown_timeout(std::time::Duration::from_secs(2));
    result
}

fn probe(json: bool) -> anyhow::Result<()> {
    if json {
        let report = match cuda::probe_here() {
            Ok(gpus) => cuda::Report::Gpus(gpus),
            Err(absence) => cuda::Report::Absent(absence),
        };
        println!("{}", serde_json::to_string(&report)?);
        return Ok(());
    }
    let program = std::env::current_exe().context("the program does not find itself")?;
    match cuda::probe(&program) {
        Ok(gpus) => {
            for gpu in gpus {
                let (major, minor) = gpu.compute;
                println!(
                    "GPU {}: {}, compute capability {major}.{minor}, {} GiB",
                    gpu.ordinal,
                    gpu.name,
                    gpu.memory >> 30
                );
            }
        }
        Err(absence) => println!("no GPU: {absence}\njobs run on the CPU engine"),
    }
    Ok(())
}
