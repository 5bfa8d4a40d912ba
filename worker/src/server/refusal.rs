//! How the server says no.

use crate::{blobs::StoreError, job::witness::WitnessFailure};
use axum::{
    http::StatusCode,
    response::{IntoResponse, Response},
};

/// An HTTP status with one sentence.
#[derive(Debug)]
pub struct Refusal {
    status: StatusCode,
    message: String,
}

impl Refusal {
    /// Refuses with a status and a sentence.
    pub fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self { status, message: message.into() }
    }

    /// 400.
    pub fn malformed(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }

    /// 500; what happened stays in the log.
    pub fn internal(error: &dyn std::fmt::Display) -> Self {
        tracing::error!("a request failed: {error}");
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "the worker failed")
    }

    /// 503.
    pub fn busy() -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "too many requests of this kind at a time")
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let retry = (self.status == StatusCode::SERVICE_UNAVAILABLE).then_some([("retry-after", "1")]);
        (self.status, retry, self.message).into_response()
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        let status = match &error {
            StoreError::Io { .. } => return Self::internal(&error),
            StoreError::Full { .. } => StatusCode::INSUFFICIENT_STORAGE,
            StoreError::Missing(_) => StatusCode::NOT_FOUND,
            StoreError::Mismatch { .. } => StatusCode::UNPROCESSABLE_ENTITY,
            StoreError::TooLong(_) => StatusCode::PAYLOAD_TOO_LARGE,
            StoreError::Range => StatusCode::RANGE_NOT_SATISFIABLE,
        };
        Self::new(status, error.to_string())
    }
}

impl From<WitnessFailure> for Refusal {
    fn from(error: WitnessFailure) -> Self {
        match error {
            WitnessFailure::NoUnit => Self::new(StatusCode::NOT_FOUND, error.to_string()),
            WitnessFailure::TooLarge => Self::new(StatusCode::PAYLOAD_TOO_LARGE, error.to_string()),
            WitnessFailure::Store(StoreError::Missing(_)) => {
                Self::new(StatusCode::GONE, "the states of this result are not kept any more")
            }
            WitnessFailure::Store(error) => Self::internal(&error),
            WitnessFailure::States => Self::internal(&error),
        }
    }
}
