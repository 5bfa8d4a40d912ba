//! The typed client of an Assay chain: what the worker, the command line and other programs speak with.
//!
//! ```text
//! Client ──▶ reads      one block's answers: orders, programs, kernels, providers, parameters
//!        ├─▶ calls      what can be asked of the chain, by name; the live metadata gives the indices
//!        ├─▶ submit     signed, or feeless as a general transaction; waits for the block or for finality
//!        ├─▶ blocks     best and finalised blocks as they come
//!        └─▶ events     what happened to an order, block by block
//! BlobClient ─▶ a provider's blob server: uploads, verified downloads, results, witnesses
//! ```
//!
//! Nothing is generated from metadata: arguments are the types of `assay-primitives`, checked against the chain's own
//! description of each call before anything is sent.

pub mod account;
pub mod amount;
pub mod blobs;
pub mod blocks;
pub mod calls;
mod chain;
pub mod error;
pub mod events;
mod feeless;
pub mod keys;
mod order_events;
mod reads;
pub mod submit;

pub use assay_primitives as primitives;
pub use blobs::BlobClient;
pub use calls::Call;
pub use chain::Client;
pub use error::{DispatchFailure, Error};
pub use keys::Signer;
pub use order_events::OrderEvent;
pub use submit::{Included, Wait};

/// The chain's types as subxt knows them.
pub(crate) type Config = subxt::config::SubstrateConfig;
/// A hash of a block.
pub type BlockHash = subxt::utils::H256;
/// A result with this crate's error.
pub type Result<T, E = Error> = core::result::Result<T, E>;
