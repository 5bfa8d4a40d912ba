//! The command line. Its documentation is what `--help` prints.
#![allow(missing_docs)]

use std::path::PathBuf;

use assay_client::{account, amount};
use assay_primitives::{Account, Balance, Hash, OrderId, Unit};
use clap::{Args, Parser, Subcommand, ValueHint};

use crate::job::expr;

/// Check, run and buy GPU jobs whose every step can be proved.
#[derive(Debug, Parser)]
#[command(name = "assay", version, propagate_version = true, max_term_width = 110)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Kernels: check PTX, build it from CUDA C, register it on chain
    #[command(subcommand)]
    Kernel(KernelCommand),
    /// Jobs: try them, run them here, buy them
    #[command(subcommand)]
    Job(JobCommand),
    /// Providers: stake, register, leave
    #[command(subcommand)]
    Provider(ProviderCommand),
    /// Validators: stake, stand, leave
    #[command(subcommand)]
    Validator(ValidatorCommand),
    /// Look at this machine, the node and the key, and say what is missing
    Doctor(Doctor),
    /// Print this reference as Markdown
    #[command(hide = true)]
    HelpMarkdown,
}

/// Where the chain is.
#[derive(Args, Clone, Debug)]
pub struct NodeArgs {
    /// URL of a node
    #[arg(long, env = "ASSAY_NODE", default_value = "ws://127.0.0.1:9944", value_name = "URL")]
    pub node: String,
}

/// Who signs.
#[derive(Args, Clone, Debug)]
pub struct KeyArgs {
    /// Secret of the signing account: //Name, a mnemonic phrase, or 32 bytes of hex
    #[arg(long, env = "ASSAY_KEY", hide_env_values = true, value_name = "SECRET")]
    pub key: Option<String>,
}

/// How to answer.
#[derive(Args, Clone, Copy, Debug)]
pub struct JsonArgs {
    /// Answer in JSON on standard output
    #[arg(long)]
    pub json: bool,
}

/// `assay kernel`.
#[derive(Debug, Subcommand)]
pub enum KernelCommand {
    /// Say of each entry whether it can be bought, and if not, why and where
    Check {
        /// The PTX; `-` is standard input
        #[arg(value_name = "FILE.ptx", value_hint = ValueHint::FilePath, required = true)]
        files: Vec<PathBuf>,
        /// Leave approximate instructions as they are, rather than replace them by exact ones
        #[arg(long)]
        no_exact_maths: bool,
        #[command(flatten)]
        json: JsonArgs,
    },
    /// Replace the approximate instructions of PTX by exact ones, as the other commands do by themselves
    Exact {
        /// The PTX; `-` is standard input
        #[arg(value_name = "FILE.ptx", value_hint = ValueHint::FilePath)]
        file: PathBuf,
        /// Where the result goes [default: standard output]
        #[arg(short, long, value_name = "OUT.ptx", value_hint = ValueHint::FilePath)]
        output: Option<PathBuf>,
    },
    /// Compile CUDA C to PTX that can be checked bit for bit, then check it
    Build {
        /// The source
        #[arg(value_name = "FILE.cu", value_hint = ValueHint::FilePath)]
        file: PathBuf,
        /// Where the PTX goes [default: beside the source]
        #[arg(short, long, value_name = "OUT.ptx", value_hint = ValueHint::FilePath)]
        output: Option<PathBuf>,
        /// Architecture to compile for
        #[arg(long, default_value = crate::kernel::DEFAULT_ARCH)]
        arch: String,
        /// Lower the PTX's version to this one, for older drivers
        #[arg(long, value_name = "MAJOR.MINOR", value_parser = ptx_version)]
        ptx_version: Option<(u32, u32)>,
        /// Leave expf, pow, rsqrtf and the like as the compiler has them, approximate instructions and all
        #[arg(long)]
        no_exact_maths: bool,
        #[command(flatten)]
        json: JsonArgs,
    },
    /// Run one unit of a job here and show what it reads and writes; where it breaks a rule, what happened
    Run {
        #[command(flatten)]
        job: JobArgs,
        /// Launch (from 0, repeats counted out) and CTA
        #[arg(long, value_name = "LAUNCH,X,Y,Z", value_parser = unit)]
        unit: Unit,
        /// Print each instruction as it is executed, with its results
        #[arg(long)]
        trace: bool,
        /// Print only what this thread executes
        #[arg(long, value_name = "X,Y,Z", value_parser = thread, requires = "trace")]
        thread: Option<[u32; 3]>,
        /// Instructions to print at most
        #[arg(long, default_value_t = 1000, value_name = "COUNT", requires = "trace")]
        limit: u64,
        /// Lane-steps that the unit may take
        #[arg(long, default_value_t = crate::UNIT_FUEL, value_name = "LANE-STEPS")]
        fuel: u64,
        #[command(flatten)]
        json: JsonArgs,
    },
    /// Put PTX on chain, where jobs can name it by its hash
    Register {
        /// The PTX
        #[arg(value_name = "FILE.ptx", value_hint = ValueHint::FilePath)]
        file: PathBuf,
        /// Leave approximate instructions as they are, rather than replace them by exact ones
        #[arg(long)]
        no_exact_maths: bool,
        #[command(flatten)]
        node: NodeArgs,
        #[command(flatten)]
        key: KeyArgs,
        #[command(flatten)]
        json: JsonArgs,
    },
    /// Show a kernel on chain
    Show {
        /// BLAKE3 of its PTX, as `b3sum FILE.ptx` prints it
        #[arg(value_name = "HASH", value_parser = hash)]
        kernel: Hash,
        /// Write the PTX to a file
        #[arg(long, value_name = "OUT.ptx", value_hint = ValueHint::FilePath)]
        output: Option<PathBuf>,
        #[command(flatten)]
        node: NodeArgs,
        #[command(flatten)]
        json: JsonArgs,
    },
    /// Take a kernel off the chain and the deposit back
    Retire {
        /// BLAKE3 of its PTX
        #[arg(value_name = "HASH", value_parser = hash)]
        kernel: Hash,
        #[command(flatten)]
        node: NodeArgs,
        #[command(flatten)]
        key: KeyArgs,
    },
}

/// A job file and what is changed in it.
#[derive(Args, Clone, Debug)]
pub struct JobArgs {
    /// The job file
    #[arg(value_name = "JOB.toml", value_hint = ValueHint::FilePath)]
    pub file: PathBuf,
    /// Give a variable of `[vars]` another value; may be repeated
    #[arg(long, value_name = "NAME=NUMBER", value_parser = assignment)]
    pub set: Vec<(String, i128)>,
    /// Put another picture into a buffer with `image`; may be repeated
    #[arg(long, value_name = "BUFFER=FILE.png", value_parser = replacement)]
    pub image: Vec<(String, PathBuf)>,
    /// Put another file into a buffer; may be repeated
    #[arg(long = "file", value_name = "BUFFER=FILE", value_parser = replacement)]
    pub files: Vec<(String, PathBuf)>,
    /// Leave approximate instructions of the kernels as they are, rather than replace them by exact ones
    #[arg(long)]
    pub no_exact_maths: bool,
}

/// What an order offers.
#[derive(Args, Clone, Debug)]
pub struct TermsArgs {
    /// The most the work may cost, in ASSAY
    #[arg(long, value_name = "ASSAY", value_parser = amount::parse)]
    pub max_price: Balance,
    /// The price at the beginning; it rises to the highest [default: half of it]
    #[arg(long, value_name = "ASSAY", value_parser = amount::parse)]
    pub start_price: Option<Balance>,
    /// Blocks in which the price rises; 0 fixes it at the highest
    #[arg(long, value_name = "BLOCKS", default_value_t = 20)]
    pub curve_blocks: u32,
    /// Validators that must confirm the result
    #[arg(long, value_name = "COUNT", default_value_t = 1)]
    pub auditors: u8,
    /// Units that each of them draws and runs again
    #[arg(long, value_name = "COUNT", default_value_t = 16)]
    pub units: u16,
    /// Blocks in which a provider may claim the order
    #[arg(long, value_name = "BLOCKS", default_value_t = 300)]
    pub open_blocks: u32,
    /// Blocks a provider has from its claim to its result
    #[arg(long, value_name = "BLOCKS", default_value_t = 150)]
    pub attempt_blocks: u32,
}

/// `assay job`.
#[derive(Debug, Subcommand)]
pub enum JobCommand {
    /// Draft a job file for a kernel: its buffers, launches and arguments, with sizes and values that are guessed and tried
    New {
        /// The PTX, or the source
        #[arg(value_name = "FILE.ptx|FILE.cu", value_hint = ValueHint::FilePath)]
        file: PathBuf,
        /// Draft a launch of this entry only; may be repeated [default: all that are accepted]
        #[arg(long, value_name = "NAME")]
        entry: Vec<String>,
        /// Where the job file goes; `-` is standard output [default: beside the kernel]
        #[arg(short, long, value_name = "JOB.toml", value_hint = ValueHint::FilePath)]
        output: Option<PathBuf>,
    },
    /// Try a job without money or network: fuel and witness size of sampled units, and whether it can be proved
    Check {
        #[command(flatten)]
        job: JobArgs,
        /// Propose the launches' `writes` from what units store, whatever the file says of them
        #[arg(long)]
        infer_writes: bool,
        /// Write the proposal into the job file, if all of it is verified
        #[arg(long, requires = "infer_writes")]
        save: bool,
        /// Units of each launch to try
        #[arg(long, default_value_t = 12, value_name = "COUNT")]
        units: u32,
        /// Seconds the job may run, so that later launches are tried with their real data
        #[arg(long, default_value_t = 20, value_name = "SECONDS")]
        time: u64,
        /// Lane-steps that the chain allows one unit
        #[arg(long, default_value_t = crate::UNIT_FUEL, value_name = "LANE-STEPS")]
        fuel: u64,
        #[command(flatten)]
        json: JsonArgs,
    },
    /// Run a job here on the CPU, without a chain
    Run {
        #[command(flatten)]
        job: JobArgs,
        /// Folder for the outputs
        #[arg(long, default_value = "out", value_name = "DIR", value_hint = ValueHint::DirPath)]
        out: PathBuf,
        /// Lane-steps that one unit may take
        #[arg(long, default_value_t = crate::UNIT_FUEL, value_name = "LANE-STEPS")]
        fuel: u64,
        #[command(flatten)]
        json: JsonArgs,
    },
    /// Buy a job: place the order, send the inputs, and with --wait fetch the outputs and show the receipt
    Submit {
        #[command(flatten)]
        job: JobArgs,
        #[command(flatten)]
        terms: TermsArgs,
        /// Stay until the order is over, and fetch the outputs
        #[arg(long)]
        wait: bool,
        /// Do not try the job here first
        #[arg(long)]
        unchecked: bool,
        /// Folder for the outputs
        #[arg(long, default_value = "out", value_name = "DIR", value_hint = ValueHint::DirPath)]
        out: PathBuf,
        #[command(flatten)]
        node: NodeArgs,
        #[command(flatten)]
        key: KeyArgs,
        #[command(flatten)]
        json: JsonArgs,
    },
    /// Go on with an order: send the inputs again, wait, fetch the outputs
    Resume {
        /// Number of the order
        order: OrderId,
        #[command(flatten)]
        job: JobArgs,
        /// Folder for the outputs
        #[arg(long, default_value = "out", value_name = "DIR", value_hint = ValueHint::DirPath)]
        out: PathBuf,
        #[command(flatten)]
        node: NodeArgs,
        #[command(flatten)]
        key: KeyArgs,
        #[command(flatten)]
        json: JsonArgs,
    },
    /// Show an order: attempts, audits, receipt
    Show {
        /// Number of the order
        order: OrderId,
        #[command(flatten)]
        node: NodeArgs,
        #[command(flatten)]
        json: JsonArgs,
    },
    /// List orders: a customer's, or those that wait for a provider
    List {
        /// Whose orders: an address [default: that of the key]
        #[arg(long, value_name = "ADDRESS", value_parser = account::parse, conflicts_with = "open")]
        of: Option<Account>,
        /// Orders that wait for a provider
        #[arg(long)]
        open: bool,
        /// At most so many
        #[arg(long, default_value_t = 20)]
        limit: u32,
        #[command(flatten)]
        node: NodeArgs,
        #[command(flatten)]
        key: KeyArgs,
        #[command(flatten)]
        json: JsonArgs,
    },
    /// Download the outputs of an order and check them against the chain
    Fetch {
        /// Number of the order
        order: OrderId,
        /// Folder for the outputs
        #[arg(long, default_value = "out", value_name = "DIR", value_hint = ValueHint::DirPath)]
        out: PathBuf,
        /// The job file, for names and pictures; without it outputs are called buffer-N.bin
        #[arg(long, value_name = "JOB.toml", value_hint = ValueHint::FilePath)]
        job: Option<PathBuf>,
        #[command(flatten)]
        node: NodeArgs,
        #[command(flatten)]
        json: JsonArgs,
    },
    /// Take back an order that nobody has claimed; everything is refunded
    Cancel {
        /// Number of the order
        order: OrderId,
        #[command(flatten)]
        node: NodeArgs,
        #[command(flatten)]
        key: KeyArgs,
        #[command(flatten)]
        json: JsonArgs,
    },
}

/// `assay provider`.
#[derive(Debug, Subcommand)]
pub enum ProviderCommand {
    /// Stake and offer to run jobs
    Register {
        /// ASSAY to stake beside what is staked already
        #[arg(long, value_name = "ASSAY", value_parser = amount::parse)]
        stake: Option<Balance>,
        /// URL of the worker, as customers and validators reach it
        #[arg(long, value_name = "URL")]
        endpoint: String,
        /// Secret or address of the key that signs claims and results [default: the account's own key]
        #[arg(long, value_name = "KEY")]
        worker: Option<String>,
        #[command(flatten)]
        node: NodeArgs,
        #[command(flatten)]
        key: KeyArgs,
        #[command(flatten)]
        json: JsonArgs,
    },
    /// Show a provider's record
    Show {
        /// Its address [default: that of the key]
        #[arg(value_name = "ADDRESS", value_parser = account::parse)]
        account: Option<Account>,
        #[command(flatten)]
        node: NodeArgs,
        #[command(flatten)]
        key: KeyArgs,
        #[command(flatten)]
        json: JsonArgs,
    },
    /// List all providers
    List {
        /// At most so many
        #[arg(long, default_value_t = 100)]
        limit: u32,
        #[command(flatten)]
        node: NodeArgs,
        #[command(flatten)]
        json: JsonArgs,
    },
    /// Start to take stake back; it is free after the unbonding time
    Unstake {
        /// ASSAY
        #[arg(value_parser = amount::parse)]
        amount: Balance,
        #[command(flatten)]
        node: NodeArgs,
        #[command(flatten)]
        key: KeyArgs,
    },
    /// Take what is unbonded
    Withdraw {
        #[command(flatten)]
        node: NodeArgs,
        #[command(flatten)]
        key: KeyArgs,
    },
    /// Stop being a provider; the stake stays
    Retire {
        #[command(flatten)]
        node: NodeArgs,
        #[command(flatten)]
        key: KeyArgs,
    },
}

/// `assay validator`.
#[derive(Debug, Subcommand)]
pub enum ValidatorCommand {
    /// Stake more
    Stake {
        /// ASSAY
        #[arg(value_parser = amount::parse)]
        amount: Balance,
        #[command(flatten)]
        node: NodeArgs,
        #[command(flatten)]
        key: KeyArgs,
    },
    /// Offer to make blocks and audit, from one of the next sessions on
    Validate {
        #[command(flatten)]
        node: NodeArgs,
        #[command(flatten)]
        key: KeyArgs,
    },
    /// Stop offering it
    Chill {
        #[command(flatten)]
        node: NodeArgs,
        #[command(flatten)]
        key: KeyArgs,
    },
}

/// `assay doctor`.
#[derive(Args, Debug)]
pub struct Doctor {
    #[command(flatten)]
    pub node: NodeArgs,
    #[command(flatten)]
    pub key: KeyArgs,
    #[command(flatten)]
    pub json: JsonArgs,
}

fn assignment(text: &str) -> Result<(String, i128), String> {
    let (name, value) = text.split_once('=').ok_or("expected NAME=NUMBER")?;
    let (sign, digits) = value.strip_prefix('-').map_or((1, value), |rest| (-1, rest));
    let value = expr::number(digits).filter(|_| digits.starts_with(|c: char| c.is_ascii_digit()));
    Ok((name.trim().to_owned(), value.ok_or("expected NAME=NUMBER, a whole number")?.saturating_mul(sign)))
}

fn replacement(text: &str) -> Result<(String, PathBuf), String> {
    let (name, path) = text.split_once('=').ok_or("expected BUFFER=FILE")?;
    Ok((name.trim().to_owned(), path.into()))
}

fn hash(text: &str) -> Result<Hash, String> {
    let mut hash = [0; 32];
    hex::decode_to_slice(text.strip_prefix("0x").unwrap_or(text), &mut hash)
        .map_err(|_| "expected 64 hexadecimal digits".to_owned())?;
    Ok(hash)
}

/// `0,3,0,0`: launch and CTA; axes that are left out are 0.
fn unit(text: &str) -> Result<Unit, String> {
    let usage = "launch and CTA, such as 0,3,0,0";
    let (launch, cta) = text.split_once(',').unwrap_or((text, "0"));
    Ok(Unit { launch: launch.trim().parse().map_err(|_| usage)?, cta: place(cta).ok_or(usage)? })
}

/// `16,0,0`: threadIdx; axes that are left out are 0.
fn thread(text: &str) -> Result<[u32; 3], String> {
    place(text).ok_or_else(|| "threadIdx, such as 16,0,0".into())
}

fn place(text: &str) -> Option<[u32; 3]> {
    let mut place = [0; 3];
    let mut numbers = text.split(',');
    for (into, number) in place.iter_mut().zip(numbers.by_ref()) {
        *into = number.trim().parse().ok()?;
    }
    numbers.next().is_none().then_some(place)
}

fn ptx_version(text: &str) -> Result<(u32, u32), String> {
    let parts = text.split_once('.').and_then(|(major, minor)| Some((major.parse().ok()?, minor.parse().ok()?)));
    parts.ok_or_else(|| "expected a version such as 8.0".to_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn assignments_and_replacements_read_as_written() {
        assert_eq!(assignment("width=640").unwrap(), ("width".into(), 640));
        assert_eq!(assignment("x=-0x10").unwrap(), ("x".into(), -16));
        assert!(assignment("width").is_err());
        assert!(assignment("width=").is_err());
        assert!(assignment("width=--1").is_err());
        assert_eq!(replacement("photo=a=b.png").unwrap(), ("photo".into(), "a=b.png".into()));
    }
}
