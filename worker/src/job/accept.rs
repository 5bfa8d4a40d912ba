//! Which orders this machine can serve.

use crate::{
    backend::{PrepareError, Prepared, written},
    config::JobLimits,
};
use assay_client::{Client, amount};
use assay_primitives::{
    Account, Program, economy,
    order::{OrderView, ProviderView},
};

/// Why an order is not claimed.
#[derive(Debug, thiserror::Error)]
pub enum Unfit {
    /// This provider has failed it before.
    #[error("this provider has tried it before")]
    TriedBefore,
    /// The price is too low.
    #[error("{} is less than the least price", amount::display(*.0))]
    Price(u128),
    /// The bond would be more than what is free of the stake.
    #[error("the bond of {} is more than the {} that are free of the stake", amount::display(*.bond), amount::display(*.free))]
    Stake {
        /// Planck that would be locked.
        bond: u128,
        /// Planck that could be.
        free: u128,
    },
    /// Too few blocks for an attempt.
    #[error("{0} blocks are too few for the work")]
    Time(u32),
    /// The buffers take too much memory.
    #[error("the buffers need {wanted} bytes of memory, {limit} are allowed")]
    Memory {
        /// Bytes.
        wanted: u64,
        /// Bytes.
        limit: u64,
    },
    /// The states take too much disk.
    #[error("the states need up to {wanted} bytes of disk, {free} are free")]
    Disk {
        /// Bytes.
        wanted: u64,
        /// Bytes.
        free: u64,
    },
    /// The chain has lost the program or a kernel.
    #[error("the chain does not have its {0}")]
    Missing(&'static str),
    /// The program cannot run.
    #[error(transparent)]
    Program(#[from] PrepareError),
    /// The node failed.
    #[error(transparent)]
    Chain(#[from] assay_client::Error),
}

/// What the chain says of an order, before its program is looked at.
pub fn check_terms(
    order: &OrderView,
    provider: &ProviderView,
    operator: &Account,
    height: u32,
    limits: &JobLimits,
) -> Result<(), Unfit> {
    if order.attempts.iter().any(|attempt| attempt.provider == *operator) {
        return Err(Unfit::TriedBefore);
    }
    let price = economy::price_at(&order.terms.price, height.saturating_sub(order.open_since));
    if price < limits.min_price {
        return Err(Unfit::Price(price));
    }
    let bond = economy::bond(price, order.terms.audit);
    let free = provider.stake.saturating_sub(provider.bonded);
    if bond > free {
        return Err(Unfit::Stake { bond, free });
    }
    if order.terms.attempt_blocks < limits.min_attempt_blocks {
        return Err(Unfit::Time(order.terms.attempt_blocks));
    }
    Ok(())
}

/// What the program needs of this machine; `free` is bytes of disk.
pub fn check_limits(program: &Program, limits: &JobLimits, free: u64) -> Result<(), Unfit> {
    let len = |buffer: u16| program.buffers.get(usize::from(buffer)).map_or(0, |buffer| buffer.len);
    let held = program.buffers.iter().fold(0u64, |sum, buffer| sum.saturating_add(buffer.len));
    let (mut widest, mut disk) = (0u64, held);
    for number in 0u32.. {
        let Some(placed) = program.launch(number) else { break };
        let copies =
            written(&placed.launch.writes).into_iter().fold(0u64, |sum, buffer| sum.saturating_add(len(buffer)));
        widest = widest.max(copies);
        disk = disk.saturating_add(copies);
    }
    let memory = held.saturating_add(widest);
    if memory > limits.memory {
        return Err(Unfit::Memory { wanted: memory, limit: limits.memory });
    }
    if disk > free {
        return Err(Unfit::Disk { wanted: disk, free });
    }
    Ok(())
}

/// Fetches and prepares an order's program.
pub async fn fetch(client: &Client, order: &OrderView) -> Result<(Program, Vec<Vec<u8>>), Unfit> {
    let program = client.program(&order.program).await?.ok_or(Unfit::Missing("program"))?;
    let mut ptx = Vec::new();
    for kernel in &program.kernels {
        ptx.push(client.kernel_code(kernel).await?.ok_or(Unfit::Missing("kernel"))?);
    }
    Ok((program, ptx))
}

/// Parses and checks off the asynchronous threads.
pub async fn prepare(program: Program, ptx: Vec<Vec<u8>>, fuel: u64) -> Result<Prepared, Unfit> {
    tokio::task::spawn_blocking(move || Prepared::new(program, ptx, fuel))
        .await
        .map_err(|_| Unfit::Missing("program in a form that parses"))?
        .map_err(Unfit::Program)
}
