//! Everything a command can fail with.

use std::path::PathBuf;

use serde_json::{Value, json};

use crate::{job::JobError, kernel::BuildError, local::LocalError};

/// A failed command.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CliError {
    /// A job file.
    #[error(transparent)]
    Job(#[from] JobError),
    /// PTX that the engine cannot read.
    #[error("{}:{line}: {reason}", path.display())]
    Ptx {
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: u32,
        /// Why.
        reason: String,
    },
    /// A compiler.
    #[error(transparent)]
    Build(#[from] BuildError),
    /// A local run.
    #[error(transparent)]
    Local(#[from] LocalError),
    /// The chain.
    #[error(transparent)]
    Chain(#[from] assay_client::Error),
    /// A file.
    #[error("{}: {error}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// No key where one is needed.
    #[error("no key: give --key //Name (or a mnemonic phrase, or a seed), or set ASSAY_KEY")]
    NoKey,
    /// Something that the chain does not have.
    #[error("the chain has no {what} {name}")]
    NotFound {
        /// What it would be.
        what: &'static str,
        /// Its name.
        name: String,
    },
    /// What was asked for cannot be.
    #[error("{0}")]
    Refused(String),
    /// The work was done, and the answer is no: exit code 1 without a message.
    #[error("not accepted")]
    Negative,
}

impl From<assay_client::blobs::BlobError> for CliError {
    fn from(error: assay_client::blobs::BlobError) -> Self {
        Self::Chain(error.into())
    }
}

impl From<assay_client::keys::KeyError> for CliError {
    fn from(error: assay_client::keys::KeyError) -> Self {
        Self::Chain(error.into())
    }
}

impl CliError {
    /// A file that failed.
    pub fn file(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |error| Self::File { path, error }
    }

    /// For machines: the reason, and the place where there is one.
    pub fn json(&self) -> Value {
        let reason = match self {
            Self::Job(error) => error.problem.to_string(),
            Self::Ptx { reason, .. } => reason.clone(),
            error => error.to_string(),
        };
        let mut fields = json!({ "reason": reason });
        let place = match self {
            Self::Job(error) => {
                json!({ "file": error.place.file, "line": error.place.line, "field": error.place.field })
            }
            Self::Ptx { path, line, .. } => json!({ "file": path, "line": line }),
            Self::File { path, .. } => json!({ "file": path }),
            _ => Value::Null,
        };
        if let (Value::Object(fields), Value::Object(place)) = (&mut fields, place) {
            fields.extend(place);
        }
        json!({ "error": fields })
    }
}
