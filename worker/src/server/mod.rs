//! The blob server: what customers upload to and download from, and auditors fetch witnesses from.
//!
//! | route | answer |
//! |---|---|
//! | `PUT /v1/blobs/{root}?len=N&order=O` | 201 kept, 200 was there; 401/403 not allowed, 413 too long, 422 other bytes, 507 full |
//! | `GET`, `HEAD /v1/blobs/{root}` | the bytes, or a `Range` of them |
//! | `GET /v1/slices/{root}?len=N&offset=A&size=B` | a bao slice |
//! | `GET /v1/orders/{order}/{attempt}/witness?launch=L&x=&y=&z=` | SCALE of a witness |
//! | `GET /v1/orders/{order}/{attempt}/result` | SCALE of the last state's blobs and its trace path |
//! | `GET /healthz`, `GET /metrics` | how it is doing |

mod auth;
mod blobs;
mod listener;
mod orders;
mod refusal;

pub use refusal::Refusal;

use crate::{
    blobs::Store,
    desk::Desk,
    job::{sabotage::Sabotage, witness::Cache},
    metrics::Metrics,
};
use axum::{
    Json, Router,
    extract::{DefaultBodyLimit, State},
    response::IntoResponse,
    routing::{get, put},
};
use listener::Guarded;
use std::{future::Future, io, net::SocketAddr, sync::Arc, time::Duration};
use tokio::{net::TcpListener, sync::Semaphore};

/// What strangers may use of the machine.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Open connections.
    pub connections: usize,
    /// Uploads at a time.
    pub uploads: usize,
    /// Witnesses made at a time.
    pub witnesses: usize,
    /// How long a peer may neither send nor take a byte.
    pub silence: Duration,
    /// Bytes a second that an upload keeps up, on average, after its first minute.
    pub upload_rate: u64,
}

impl Default for Limits {
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, |cores| cores.get());
        Self {
            connections: 512,
            uploads: 16,
            witnesses: cores,
            silence: Duration::from_secs(30),
            upload_rate: 64 * 1024,
        }
    }
}

/// What the routes share.
#[derive(Clone)]
pub struct Server {
    inner: Arc<Inner>,
}

struct Inner {
    store: Store,
    desk: Arc<Desk>,
    cache: Arc<Cache>,
    metrics: Metrics,
    limits: Limits,
    sabotage: Option<Sabotage>,
    backend: String,
    uploads: Semaphore,
    witnesses: Semaphore,
}

impl Server {
    /// A server over a store and a desk; `backend` is named in `/healthz`.
    pub fn new(
        store: Store,
        desk: Arc<Desk>,
        cache: Arc<Cache>,
        metrics: Metrics,
        limits: Limits,
        backend: String,
        sabotage: Option<Sabotage>,
    ) -> Self {
        let (uploads, witnesses) = (Semaphore::new(limits.uploads), Semaphore::new(limits.witnesses));
        let inner = Inner { store, desk, cache, metrics, limits, sabotage, backend, uploads, witnesses };
        Self { inner: Arc::new(inner) }
    }

    fn router(&self) -> Router {
        Router::new()
            .route("/v1/blobs/{root}", put(blobs::upload).get(blobs::download))
            .route("/v1/slices/{root}", get(blobs::slice))
            .route("/v1/orders/{order}/{attempt}/witness", get(orders::witness))
            .route("/v1/orders/{order}/{attempt}/result", get(orders::result))
            .route("/healthz", get(health))
            .route("/metrics", get(metrics))
            .layer(DefaultBodyLimit::disable())
            .with_state(self.clone())
    }

    /// Serves until `shutdown` is ready, then finishes what is under way.
    pub async fn serve(
        self,
        listener: TcpListener,
        shutdown: impl Future<Output = ()> + Send + 'static,
    ) -> io::Result<()> {
        let limits = &self.inner.limits;
        let guarded = Guarded::new(listener, limits.connections, limits.silence);
        axum::serve(guarded, self.router().into_make_service()).with_graceful_shutdown(shutdown).await
    }
}

/// Opens the address that the server listens on.
pub async fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    TcpListener::bind(address).await
}

async fn health(State(server): State<Server>) -> impl IntoResponse {
    let inner = &server.inner;
    Json(serde_json::json!({
        "status": "ok",
        "version": env!("CARGO_PKG_VERSION"),
        "backend": inner.backend,
        "chain": inner.desk.genesis().map(|genesis| format!("0x{}", hex::encode(genesis))),
        "bestBlock": inner.desk.height(),
        "stored": inner.store.used(),
        "quota": inner.store.quota(),
    }))
}

async fn metrics(State(server): State<Server>) -> Result<impl IntoResponse, Refusal> {
    server.inner.metrics.stored.set(server.inner.store.used());
    let text = server.inner.metrics.text().map_err(|error| Refusal::internal(&error))?;
    Ok(([("content-type", "text/plain; version=0.0.4")], text))
}

#[cfg(test)]
mod tests;
