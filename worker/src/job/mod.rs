//! The life of a job, from the open order to the pay.
//!
//! The chain decides; the journal remembers what only this machine knows. After a crash both are read and each job goes on at
//! its stage: a claim that did not get on chain is forgotten, inputs and states that are stored are used, and a commit is sent
//! again only while the chain has none.

mod accept;
mod drive;
pub mod execute;
pub mod journal;
mod provider;
pub mod record;
pub mod sabotage;
pub mod witness;

pub use accept::{Unfit, check_limits};
pub use provider::{Context, Provider};

#[cfg(test)]
mod tests;
