//! What a provider chooses.

use crate::job::sabotage::Sabotage;
use assay_client::Signer;
use assay_primitives::{Account, Balance, BlockNumber};
use std::{net::SocketAddr, path::PathBuf};

/// How the worker is run.
#[derive(Clone, Debug)]
pub struct Config {
    /// URL of the node's RPC.
    pub node: String,
    /// The key that signs claims and commits.
    pub signer: Signer,
    /// The operator account.
    pub operator: Account,
    /// Where the server listens.
    pub listen: SocketAddr,
    /// Where blobs and journal live.
    pub data: PathBuf,
    /// What runs the programs.
    pub backend: Choice,
    /// What jobs may use.
    pub limits: JobLimits,
    /// Units that are run again before each commit.
    pub self_check: u16,
    /// Misbehaviour on demand.
    pub sabotage: Option<Sabotage>,
}

/// Which backend runs the programs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Choice {
    /// CUDA when the probe finds a GPU that works, else the CPU engine.
    #[default]
    Auto,
    /// The CPU engine on all cores.
    Cpu,
    /// The first GPU that the probe finds.
    Cuda,
}

/// What jobs may use, and what they must bring.
#[derive(Clone, Debug)]
pub struct JobLimits {
    /// Jobs that run at a time.
    pub jobs: usize,
    /// Bytes of memory that one job's buffers may take; a launch holds what it writes twice.
    pub memory: u64,
    /// Bytes of the blob store.
    pub disk: u64,
    /// Planck that a claim must earn.
    pub min_price: Balance,
    /// Blocks from claim to commit that an order must allow.
    pub min_attempt_blocks: BlockNumber,
    /// Blocks that inputs are awaited after the claim, unless they are coming in.
    pub input_blocks: BlockNumber,
    /// Blocks that the outputs of a settled order are kept.
    pub keep_blocks: BlockNumber,
}

impl Default for JobLimits {
    fn default() -> Self {
        Self {
            jobs: 1,
            memory: 4 << 30,
            disk: 64 << 30,
            min_price: 0,
            min_attempt_blocks: 5,
            input_blocks: 30,
            keep_blocks: 43_200,
        }
    }
}
