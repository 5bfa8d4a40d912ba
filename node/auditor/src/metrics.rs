//! What the auditor counts, for Prometheus.

use substrate_prometheus_endpoint::{Counter, CounterVec, Gauge, Opts, PrometheusError, Registry, U64, register};

/// The counters.
#[derive(Clone)]
pub struct Metrics {
    /// Audits that run now.
    pub running: Gauge<U64>,
    /// Audits that ended, by what was found.
    pub audits: CounterVec<U64>,
    /// Units run.
    pub units: Counter<U64>,
    /// Lane-steps run.
    pub lane_steps: Counter<U64>,
    /// Witnesses asked for, by whether they came.
    pub fetches: CounterVec<U64>,
    /// Extrinsics sent, by whether the pool took them.
    pub submissions: CounterVec<U64>,
}

impl Metrics {
    /// Counters; shown by `registry`, if there is one.
    pub fn new(registry: Option<&Registry>) -> Result<Self, PrometheusError> {
        let metrics = Self {
            running: Gauge::new("assay_auditor_running", "Audits that run now")?,
            audits: CounterVec::new(
                Opts::new("assay_auditor_audits_total", "Audits that ended, by finding"),
                &["finding"],
            )?,
            units: Counter::new("assay_auditor_units_total", "Units run")?,
            lane_steps: Counter::new("assay_auditor_lane_steps_total", "Lane-steps run")?,
            fetches: CounterVec::new(
                Opts::new("assay_auditor_fetches_total", "Witnesses asked of providers, by outcome"),
                &["outcome"],
            )?,
            submissions: CounterVec::new(
                Opts::new("assay_auditor_submissions_total", "Extrinsics sent to the pool, by outcome"),
                &["outcome"],
            )?,
        };
        if let Some(registry) = registry {
            register(metrics.running.clone(), registry)?;
            register(metrics.audits.clone(), registry)?;
            register(metrics.units.clone(), registry)?;
            register(metrics.lane_steps.clone(), registry)?;
            register(metrics.fetches.clone(), registry)?;
            register(metrics.submissions.clone(), registry)?;
        }
        Ok(metrics)
    }
}
