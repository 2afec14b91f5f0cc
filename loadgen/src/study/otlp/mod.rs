//! A run's flights and origin reads as OpenTelemetry spans, sent to a collector (OTLP over HTTP, JSON encoding).
//!
//! What is sent is read back from the run's records, so nothing is sent that a record does not hold, and the load is over by then.

mod batch;
mod span;

use std::collections::HashMap;
use std::fmt;
use std::time::{Duration, UNIX_EPOCH};

use app::wire::address::shown;
use app::wire::control_client::ControlClient;
use jiff::Timestamp;
use report::record::{Run, Strategy};
use report::{ReportError, RunFolder, StrategyFolder};
use serde_json::Value;
use tokio::sync::mpsc::{Sender, channel};

use crate::shell::exit::{Exit, Failure};
use crate::shell::output;
use batch::Batch;
use span::{FlightSpan, SpanNames, SpanOwner, flight_span, read_span};

/// The path of traces, by the specification of OTLP/HTTP.
const PATH: &str = "/v1/traces";
/// How long a collector may take for one batch: the default of OpenTelemetry's exporters.
const POST_BUDGET: Duration = Duration::from_secs(10);

/// Where spans are sent to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpanCollector(String);

/// Sends the run's spans where a collector was named. A run that is recorded stays so, whatever becomes of them.
pub(crate) async fn export(collector: Option<&SpanCollector>, run: &Run, folder: &RunFolder, quiet: bool) -> Exit {
    let Some(collector) = collector else { return Exit::Ok };
    match collector.send(run, folder).await {
        Ok(_) if quiet => Exit::Ok,
        Ok(spans) => {
            output::err(&format!("spans    {spans}, to {collector}\n"));
            Exit::Ok
        }
        Err(failure) => {
            output::err(&format!("{failure}\n"));
            failure.exit
        }
    }
}

impl fmt::Display for SpanCollector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&shown(&self.0))
    }
}

impl SpanCollector {
    /// The collector of that base address, `http://HOST:PORT`.
    ///
    /// # Errors
    /// [`Failure`] for anything else.
    pub fn of(url: &str) -> Result<Self, Failure> {
        let base = url.trim_end_matches('/');
        let base = base.strip_suffix(PATH).unwrap_or(base);
        let host = base.strip_prefix("http://").unwrap_or_default();
        let plain = !host.is_empty() && !host.contains(['/', '?', '#', '@']) && !host.contains(char::is_whitespace);
        if !plain || base.parse::<hyper::Uri>().is_err() {
            return Err(Failure::usage(format!(
                "not a collector's address · --otlp {} · allowed http://HOST:PORT · write that of its OTLP/HTTP receiver, as \
                 http://127.0.0.1:4318",
                shown(url)
            )));
        }
        Ok(Self(base.to_owned()))
    }

    /// Sends all spans of a run, and returns how many there were.
    ///
    /// # Errors
    /// [`Failure`] where the collector does not take them, or a record can't be read. What was sent before stays there.
    pub async fn send(&self, run: &Run, folder: &RunFolder) -> Result<u64, Failure> {
        let client = ControlClient::new(&self.0, None);
        let mut sent = 0;
        for strategy in run.strategies.iter().flat_map(Strategy::runs) {
            let files = folder.strategy(&strategy.folder).map_err(Failure::failed)?;
            let names = SpanNames::of(run, strategy, zero_ns(run, &files)?);
            let (batches, mut ready) = channel(2);
            let reading = tokio::task::spawn_blocking(move || read(&files, &names, &batches));
            while let Some(batch) = ready.recv().await {
                sent += post(&client, batch).await?;
            }
            let read = reading.await.map_err(|e| Failure::failed(format!("the records can't be read: {e}")))?;
            read.map_err(Failure::failed)?;
        }
        Ok(sent)
    }
}

async fn post(client: &ControlClient, batch: Batch) -> Result<u64, Failure> {
    let spans = batch.len();
    let failed = |why: String| {
        Failure::failed(format!("the collector does not take the run's spans · {why} · look there, and run it again"))
    };
    let answer: Value = client
        .post_within(POST_BUDGET, PATH, &batch.into_request())
        .await
        .map_err(|error| failed(format!("--otlp {error}")))?;
    // Numbers of 64 bits are texts in this encoding, and collectors write both.
    let partial = &answer["partialSuccess"];
    let number = |value: &Value| value.as_u64().or_else(|| value.as_str()?.parse().ok());
    match number(&partial["rejectedSpans"]).unwrap_or(0) {
        0 => Ok(spans),
        rejected => {
            let why = partial["errorMessage"].as_str().unwrap_or("it does not say why");
            let why: String = why.chars().filter(|c| !c.is_control()).take(300).collect();
            Err(failed(format!("it rejected {rejected} of {spans}: {why}")))
        }
    }
}

/// When t = 0 was, nanoseconds since 1970. A simulated run is told as if it had begun when it was started.
fn zero_ns(run: &Run, files: &StrategyFolder) -> Result<i128, Failure> {
    if run.lab == "sim" {
        let began = run.started_at.parse::<Timestamp>().map_err(|e| Failure::failed(format!("started_at: {e}")))?;
        return Ok(began.as_nanosecond() + (run.warmup_s * 1e9) as i128);
    }
    let header = files.read_latency_header().map_err(Failure::failed)?;
    let t0 = header.warmup_began + Duration::from_millis(header.t0_offset_ms);
    Ok(t0.duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos() as i128)
}

/// Reads a strategy's records and hands over its spans in batches. What is held is the flights that are under way.
fn read(files: &StrategyFolder, names: &SpanNames, to: &Sender<Batch>) -> Result<(), ReportError> {
    let mut batch = Batch::default();
    let mut push = |owner: SpanOwner, span: Value| {
        batch.push(owner, span);
        if batch.is_full() {
            // A collector that failed takes no more; that is told there.
            let _ = to.blocking_send(std::mem::take(&mut batch));
        }
    };
    let mut under_way: HashMap<String, FlightSpan> = HashMap::new();
    files.each_event(&mut |event| {
        let Some(flight) = event.flight else { return };
        match event.event.as_str() {
            "flight-led" => {
                let begun =
                    FlightSpan { began_ns: event.t_ns, replica: event.replica, key: event.key, cause: event.detail };
                under_way.insert(flight, begun);
            }
            "flight-ended" => {
                if let Some(begun) = under_way.remove(&flight) {
                    let ended = event.detail.map(|end| (event.t_ns, end));
                    let (owner, span) = flight_span(names, &flight, begun, ended);
                    push(owner, span);
                }
            }
            _ => {}
        }
    })?;
    // Their replica died, or the run was over first.
    for (flight, begun) in under_way {
        let (owner, span) = flight_span(names, &flight, begun, None);
        push(owner, span);
    }
    if files.path().join("origin.csv").exists() {
        files.each_origin(&mut |row| push(SpanOwner::Origin, read_span(names, row)))?;
    }
    if batch.len() > 0 {
        let _ = to.blocking_send(batch);
    }
    Ok(())
}
