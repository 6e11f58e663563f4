//! Logs and metrics.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use escalation::delivery::Outcome;
use prometheus_client::encoding::{EncodeLabelSet, text::encode};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

/// Logs to standard error: for people at a terminal, as JSON with `DOGWATCH_LOG_FORMAT=json`. What is
/// said is chosen with `DOGWATCH_LOG`, as `info` or `dogwatch=debug`.
pub fn start_logging() {
    let filter = tracing_subscriber::EnvFilter::try_from_env("DOGWATCH_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("warn,dogwatch=info"));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let started = if std::env::var_os("DOGWATCH_LOG_FORMAT").is_some_and(|format| format == "json") {
        builder.json().try_init()
    } else {
        builder.with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr())).try_init()
    };
    // Somebody else has set up logging (a test); that is as good.
    drop(started);
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct OutcomeLabel {
    outcome: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct StatusLabel {
    status: String,
}

/// What is counted. Cheap to clone.
#[derive(Clone)]
pub struct Metrics(Arc<Inner>);

struct Inner {
    registry: Registry,
    events: Counter,
    refused: Counter,
    deliveries: Family<OutcomeLabel, Counter>,
    open: Family<StatusLabel, Gauge>,
    ready: Gauge,
    lag: Gauge<f64, AtomicU64>,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("dogwatch");
        let (events, refused, deliveries) = (Counter::default(), Counter::default(), Family::default());
        let (open, ready, lag) = (Family::default(), Gauge::default(), Gauge::default());
        registry.register("events_accepted", "Events stored and linked to an alert", events.clone());
        registry.register("events_refused", "Events answered with an error", refused.clone());
        registry.register("delivery_attempts", "Attempts to deliver, by outcome", deliveries.clone());
        registry.register("alerts_open", "Alerts that are not resolved, by status", open.clone());
        registry.register("deliveries_ready", "Deliveries that wait to be sent", ready.clone());
        registry.register("engine_lag_seconds", "How long the oldest due wake has waited", lag.clone());
        Self(Arc::new(Inner { registry, events, refused, deliveries, open, ready, lag }))
    }
}

impl Metrics {
    /// An event was stored, or refused.
    pub fn event(&self, accepted: bool) {
        if accepted { &self.0.events } else { &self.0.refused }.inc();
    }

    /// An attempt has an outcome.
    pub fn delivered(&self, outcome: &Outcome) {
        let outcome = match outcome {
            Outcome::Accepted { .. } => "accepted",
            Outcome::Refused { .. } => "refused",
            Outcome::RetryAfter { .. } => "retry_after",
            Outcome::Unknown { .. } => "unknown",
        };
        self.0.deliveries.get_or_create(&OutcomeLabel { outcome }).inc();
    }

    /// Everything, in the OpenMetrics text format.
    pub fn render(&self, counts: &crate::store::Counts, now: jiff::Timestamp) -> String {
        let inner = &self.0;
        inner.open.clear();
        for status in ["triggered", "acknowledged", "unanswered"] {
            let count = counts.open.iter().find(|(known, _)| known == status).map_or(0, |(_, count)| *count);
            let label = StatusLabel { status: status.to_owned() };
            inner.open.get_or_create(&label).set(i64::try_from(count).unwrap_or(i64::MAX));
        }
        inner.ready.set(i64::try_from(counts.ready).unwrap_or(i64::MAX));
        inner.lag.set(counts.oldest_due.map_or(0.0, |due| now.duration_since(due).as_secs_f64().max(0.0)));
        let mut text = String::new();
        // Writing into a String does not fail.
        let _ = encode(&mut text, &inner.registry);
        text
    }
}
