//! What can go wrong between a client and a chain.

use crate::{account::AccountError, amount::AmountError, keys::KeyError};
use std::time::Duration;
use subxt::rpcs;

/// Anything this crate fails with.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The node cannot be reached.
    #[error("cannot reach the node at {url}: {reason}")]
    Connect {
        /// Where it was sought.
        url: String,
        /// Why not.
        reason: String,
    },
    /// The connection broke. It is opened again by itself.
    #[error("the connection to the node broke; it is opened again")]
    Lost,
    /// The node failed to answer a request.
    #[error("{what}: {source}")]
    Rpc {
        /// What was asked.
        what: &'static str,
        /// The transport's error.
        source: rpcs::Error,
    },
    /// No answer in time.
    #[error("{what}: no answer within {limit:?}")]
    Timeout {
        /// What was asked.
        what: &'static str,
        /// How long was waited.
        limit: Duration,
    },
    /// The node's answer, or the chain's metadata, cannot be read.
    #[error("{what}: {reason}")]
    Incompatible {
        /// What was read.
        what: String,
        /// Why it cannot be.
        reason: String,
    },
    /// The chain's metadata has no such call.
    #[error("the chain has no call {pallet}.{call}")]
    UnknownCall {
        /// The pallet.
        pallet: &'static str,
        /// The call.
        call: &'static str,
    },
    /// The pool refused the transaction: it can never be valid, or not now.
    #[error("the transaction was refused: {reason}")]
    Refused {
        /// The pool's code.
        code: i32,
        /// The pool's words, or the error of the call's pallet.
        reason: String,
        /// The error of the call's pallet, when it is one.
        failure: Option<DispatchFailure>,
    },
    /// The pool took the transaction and lost it.
    #[error("the transaction was dropped: {reason}")]
    Dropped {
        /// Why.
        reason: String,
    },
    /// The connection broke, or too many blocks passed: whether the transaction will be in a block is not known.
    #[error("the transaction was not seen in a block: {reason}")]
    Unseen {
        /// Why it is not known.
        reason: String,
    },
    /// The transaction is in a block, and its call failed.
    #[error("{0}")]
    Dispatch(DispatchFailure),
    /// A blob server refused or failed.
    #[error(transparent)]
    Blob(#[from] crate::blobs::BlobError),
    /// A text is no key.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// A text is no account.
    #[error(transparent)]
    Account(#[from] AccountError),
    /// A text is no amount.
    #[error(transparent)]
    Amount(#[from] AmountError),
}

/// A call that failed in its block, by the names in the chain's metadata.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DispatchFailure {
    /// The pallet, when the error is one of a pallet.
    pub pallet: Option<String>,
    /// The error's name.
    pub name: String,
    /// The error's documentation.
    pub docs: String,
}

impl std::fmt::Display for DispatchFailure {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.pallet {
            Some(pallet) => write!(formatter, "{pallet}.{}", self.name)?,
            None => formatter.write_str(&self.name)?,
        }
        if self.docs.is_empty() { Ok(()) } else { write!(formatter, ": {}", self.docs) }
    }
}

impl Error {
    pub(crate) fn rpc(what: &'static str) -> impl FnOnce(rpcs::Error) -> Self {
        move |source| if source.is_disconnected_will_reconnect() { Self::Lost } else { Self::Rpc { what, source } }
    }

    pub(crate) fn incompatible(what: impl Into<String>, reason: impl ToString) -> Self {
        Self::Incompatible { what: what.into(), reason: reason.to_string() }
    }

    /// Whether the same request may succeed later without anybody changing it. A transaction may have reached the chain
    /// all the same: read the chain's state before sending it again.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Connect { .. } | Self::Lost | Self::Timeout { .. } | Self::Dropped { .. } | Self::Unseen { .. } => {
                true
            }
            Self::Rpc { source, .. } => match source {
                rpcs::Error::Client(_) => true,
                // The server is too busy (-32005 … -32009 of jsonrpsee), or failed inside.
                rpcs::Error::User(error) => matches!(error.code, -32009..=-32005 | -32603),
                _ => false,
            },
            // 1012: banned for a while; 1013: in the pool already; 1016: the pool is full.
            Self::Refused { code, .. } => matches!(code, 1012 | 1013 | 1016),
            Self::Blob(error) => error.is_retryable(),
            Self::Incompatible { .. }
            | Self::UnknownCall { .. }
            | Self::Dispatch(_)
            | Self::Key(_)
            | Self::Account(_)
            | Self::Amount(_) => false,
        }
    }

    /// The failure of the call, when its pallet refused it, in the pool or in a block.
    pub fn dispatch(&self) -> Option<&DispatchFailure> {
        match self {
            Self::Dispatch(failure) => Some(failure),
            Self::Refused { failure, .. } => failure.as_ref(),
            _ => None,
        }
    }
}
