//! What replica and origin share of `/metrics`: families of plain atomics, and their text for Prometheus.
//!
//! A registry belongs to one program, not to the process: the local lab has several in one. Every series stands there from
//! the start, at zero: one that appeared with its first error would hide that error from `rate()`.

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use prometheus::core::Collector;
use prometheus::{
    Gauge, Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry,
    TEXT_FORMAT, TextEncoder,
};

/// Upper bounds of what takes time, seconds: from a hit on loopback to beyond a request's budget.
pub(crate) const SECONDS: [f64; 14] =
    [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// A metric, or the sentence that says which one could not be made.
type Made<T> = Result<T, String>;

/// A label, and its values: known beforehand, and few.
pub(crate) type Label<'a, K> = (&'static str, &'a [K], fn(K) -> &'static str);

/// A counter for each value of a label.
pub(crate) struct ByKind<K>(Vec<(K, IntCounter)>);

impl<K: Copy + PartialEq> ByKind<K> {
    /// Counts one of this kind.
    pub(crate) fn inc(&self, kind: K) {
        if let Some((_, counter)) = self.0.iter().find(|(of, _)| *of == kind) {
            counter.inc();
        }
    }
}

/// One program's metrics.
pub(crate) struct Families(Registry);

impl Families {
    /// None but the one that says which build this is.
    pub(crate) fn new(program: &str) -> Made<Self> {
        let families = Self(Registry::new());
        let info = families.gauges(
            "stampede_build_info",
            "The program and its build; always 1.",
            &["program", "version", "build"],
        )?;
        info.with_label_values(&[program, env!("CARGO_PKG_VERSION"), crate::BUILD]).set(1);
        Ok(families)
    }

    pub(crate) fn counter(&self, name: &str, help: &str) -> Made<IntCounter> {
        self.keep(name, IntCounter::new(name, help))
    }

    pub(crate) fn counters<K: Copy>(&self, name: &str, help: &str, label: Label<'_, K>) -> Made<ByKind<K>> {
        let (label, kinds, text) = label;
        let family = self.keep(name, IntCounterVec::new(Opts::new(name, help), &[label]))?;
        let counter =
            |kind: &K| Ok((*kind, family.get_metric_with_label_values(&[text(*kind)]).map_err(|e| wrong(name, &e))?));
        Ok(ByKind(kinds.iter().map(counter).collect::<Made<_>>()?))
    }

    pub(crate) fn gauge(&self, name: &str, help: &str) -> Made<IntGauge> {
        self.keep(name, IntGauge::new(name, help))
    }

    pub(crate) fn seconds(&self, name: &str, help: &str) -> Made<Gauge> {
        self.keep(name, Gauge::new(name, help))
    }

    /// A gauge whose labels are words: 1 for those that hold.
    pub(crate) fn gauges(&self, name: &str, help: &str, labels: &[&str]) -> Made<IntGaugeVec> {
        self.keep(name, IntGaugeVec::new(Opts::new(name, help), labels))
    }

    pub(crate) fn histogram(&self, name: &str, help: &str, bounds: &[f64]) -> Made<Histogram> {
        self.keep(name, Histogram::with_opts(HistogramOpts::new(name, help).buckets(bounds.to_vec())))
    }

    /// A histogram of [`SECONDS`] for each value of a label, in their order.
    pub(crate) fn histograms<K: Copy>(&self, name: &str, help: &str, label: Label<'_, K>) -> Made<Vec<Histogram>> {
        let (label, kinds, text) = label;
        let options = HistogramOpts::new(name, help).buckets(SECONDS.to_vec());
        let family = self.keep(name, HistogramVec::new(options, &[label]))?;
        let histogram = |kind: &K| family.get_metric_with_label_values(&[text(*kind)]).map_err(|e| wrong(name, &e));
        kinds.iter().map(histogram).collect()
    }

    /// Everything, in Prometheus' text format.
    pub(crate) fn text(&self) -> Response {
        match TextEncoder::new().encode_to_string(&self.0.gather()) {
            Ok(text) => ([(header::CONTENT_TYPE, TEXT_FORMAT)], text).into_response(),
            Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, format!("{error}\n")).into_response(),
        }
    }

    fn keep<C: Collector + Clone + 'static>(&self, name: &str, made: prometheus::Result<C>) -> Made<C> {
        let metric = made.map_err(|e| wrong(name, &e))?;
        self.0.register(Box::new(metric.clone())).map_err(|e| wrong(name, &e))?;
        Ok(metric)
    }
}

fn wrong(name: &str, error: &prometheus::Error) -> String {
    format!("the metric {name}: {error}")
}
