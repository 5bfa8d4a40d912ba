//! What Prometheus may ask.

use substrate_prometheus_endpoint::{
    Counter, Gauge, Opts, PrometheusError, Registry, U64, prometheus::TextEncoder, register,
};

/// The worker's metrics.
#[derive(Clone, Debug)]
pub struct Metrics {
    registry: Registry,
    /// Best block that was seen.
    pub height: Gauge<U64>,
    /// Jobs that are claimed and not committed.
    pub running: Gauge<U64>,
    /// Claims in a block.
    pub claims: Counter<U64>,
    /// Claims declined.
    pub declines: Counter<U64>,
    /// Commits in a block.
    pub commits: Counter<U64>,
    /// Attempts that settled.
    pub settled: Counter<U64>,
    /// Attempts that ended otherwise.
    pub lost: Counter<U64>,
    /// Runs whose self-check did not reproduce.
    pub mismatches: Counter<U64>,
    /// Lane-steps of finished runs, where the backend counts them.
    pub lane_steps: Counter<U64>,
    /// Bytes taken in uploads.
    pub uploaded: Counter<U64>,
    /// Bytes sent of blobs and slices.
    pub served: Counter<U64>,
    /// Witnesses served.
    pub witnesses: Counter<U64>,
    /// Requests refused.
    pub refused: Counter<U64>,
    /// Bytes in the blob store.
    pub stored: Gauge<U64>,
}

impl Metrics {
    /// Registers them.
    pub fn new() -> Result<Self, PrometheusError> {
        let registry = Registry::new_custom(Some("assay_worker".into()), None)?;
        let counter = |name: &str, help: &str| register(Counter::with_opts(Opts::new(name, help))?, &registry);
        let gauge = |name: &str, help: &str| register(Gauge::with_opts(Opts::new(name, help))?, &registry);
        Ok(Self {
            height: gauge("best_block", "Best block that was seen")?,
            running: gauge("jobs_running", "Jobs that are claimed and not committed")?,
            claims: counter("claims_total", "Claims in a block")?,
            declines: counter("declines_total", "Claims declined")?,
            commits: counter("commits_total", "Commits in a block")?,
            settled: counter("settled_total", "Attempts that settled")?,
            lost: counter("lost_total", "Attempts that ended without pay")?,
            mismatches: counter("self_check_mismatches_total", "Runs whose self-check did not reproduce")?,
            lane_steps: counter("lane_steps_total", "Lane-steps of finished runs, where the backend counts them")?,
            uploaded: counter("uploaded_bytes_total", "Bytes taken in uploads")?,
            served: counter("served_bytes_total", "Bytes sent of blobs and slices")?,
            witnesses: counter("witnesses_total", "Witnesses served")?,
            refused: counter("refused_requests_total", "Requests refused")?,
            stored: gauge("stored_bytes", "Bytes in the blob store")?,
            registry,
        })
    }

    /// In Prometheus' text format.
    pub fn text(&self) -> Result<String, PrometheusError> {
        TextEncoder::new().encode_to_string(&self.registry.gather())
    }
}
