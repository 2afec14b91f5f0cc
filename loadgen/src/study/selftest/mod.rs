//! `loadgen selftest`: what the generator itself costs, and how punctual it is, against a server that does nothing; and what commands
//! cost a Redis here.

mod null;
mod server;

use std::sync::Arc;
use std::time::Duration;

use app::process::runtime::RealClock;
use app::process::shutdown::Shutdown;
use scenarios::{LoadKind, Plan, Scenario};
use schemars::JsonSchema;
use serde::Serialize;
use strategies::port::Clock;
use tokio::sync::{mpsc, watch};

use crate::cli::settings::scenario_named;
use crate::cli::{Format, SelftestArgs};
use crate::lab::target::site;
use crate::load::drive::{Drive, Pacer, Pattern, Retrying, Site, Workers};
use crate::load::record::{Collected, Collector, quantile_ms};
use crate::shell::exit::{Exit, Failure};
use crate::shell::output;
use null::NullServer;
pub use server::MeasuredServer;

/// From the decision to start to the first request.
const LEAD: Duration = Duration::from_millis(20);
/// An open loop's schedule lag (p99) beyond this shows in what it measures, milliseconds.
const LAG_P99_MS_GOOD: f64 = 1.0;

/// The schema of what `selftest --format json` says.
pub const SELFTEST_SCHEMA: &str = "stampede.selftest/v1";

/// What `selftest --format json` says; `null` where the system does not say.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Selftest {
    /// Always [`SELFTEST_SCHEMA`].
    #[schemars(extend("const" = SELFTEST_SCHEMA))]
    pub schema: &'static str,
    /// `null server` or the target's URL.
    pub against: String,
    /// Closed loop without think time.
    pub closed: Closed,
    /// Open loop with equal gaps.
    pub open: Open,
    /// What commands cost a private Redis; `null` where no redis-server is installed, and beside a target.
    pub cache_server: Option<MeasuredServer>,
}

/// The closed loop's cost.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Closed {
    /// Connections, each of which waits for its answer.
    pub connections: u32,
    /// Requests answered well.
    pub requests: u64,
    /// Requests that failed.
    pub errors: u64,
    /// Requests a second.
    pub requests_per_s: f64,
    /// Processor time of the generator's threads, recording included, microseconds a request.
    pub cpu_us_per_request: Option<f64>,
    /// Median response time, milliseconds.
    pub p50_ms: Option<f64>,
    /// 99th percentile, milliseconds.
    pub p99_ms: Option<f64>,
}

/// The open loop's punctuality.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Open {
    /// Planned requests a second.
    pub rate_per_s: f64,
    /// Requests planned.
    pub planned: u64,
    /// Requests sent.
    pub sent: u64,
    /// Requests that failed.
    pub errors: u64,
    /// Actual minus intended send, median, milliseconds.
    pub lag_p50_ms: Option<f64>,
    /// 99th percentile, milliseconds.
    pub lag_p99_ms: Option<f64>,
    /// The largest, milliseconds.
    pub lag_max_ms: Option<f64>,
}

/// Measures and says.
///
/// # Errors
/// [`Failure`] for bad arguments, a target that is not there, or a thread that the system does not give.
pub fn run(args: &SelftestArgs) -> Result<Exit, Failure> {
    let measured = measure(args)?;
    match args.format {
        Format::Json => {
            let text = serde_json::to_string_pretty(&measured).map_err(Failure::failed)?;
            output::out(&(report::text::escape::json(&text) + "\n"))?;
        }
        Format::Text => output::out(&text(&measured))?,
    }
    let failed = measured.closed.errors + measured.open.errors;
    if failed > 0 {
        return Err(Failure::failed(format!("{failed} requests of the self-test failed · {}", measured.against)));
    }
    Ok(Exit::Ok)
}

fn measure(args: &SelftestArgs) -> Result<Selftest, Failure> {
    let flags = [("-d", "load.duration", &args.duration), ("-c", "load.clients", &args.connections)];
    let closed = scenario_named("hotkey", &flags, &[("load.think", "0s"), ("load.warmup", "1s")])?;
    let flags = [("-d", "load.duration", &args.duration), ("-r", "load.rate", &args.rate)];
    let open = scenario_named("hotkey-open", &flags, &[("load.arrivals", "constant"), ("load.warmup", "1s")])?;
    let (server, site, against) = match &args.target {
        Some(url) => (None, site(url, "--target", false)?, app::wire::address::shown(url)),
        None => {
            let server = NullServer::start(closed.keys.n)
                .map_err(|why| Failure::failed(format!("the null server did not come up: {why}")))?;
            let site = Site::replica(server.address);
            (Some(server), site, "null server".to_owned())
        }
    };
    let site = Arc::new(site);
    let first = drive(&closed, &site)?;
    let second = drive(&open, &site)?;
    drop(server);
    let (closed, open) = (closed_figures(&closed, &first), open_figures(&open, &second));
    let cache_server = if args.target.is_some() { None } else { server::measure()? };
    Ok(Selftest { schema: SELFTEST_SCHEMA, against, closed, open, cache_server })
}

fn closed_figures(scenario: &Scenario, Driven { collected, cpu_ns }: &Driven) -> Closed {
    let requests = collected.sent - collected.outcomes.error;
    // Threads work in the warm-up, too: their time is shared by the requests of both.
    let all = collected.requests_of_all_phases as f64;
    Closed {
        connections: match scenario.load.kind {
            LoadKind::Closed { clients, .. } => clients,
            LoadKind::Open { .. } | LoadKind::Trace(_) => 0,
        },
        requests,
        errors: collected.errors_of_all_phases,
        requests_per_s: (requests as f64 / scenario.load.duration.as_secs_f64()).round(),
        cpu_us_per_request: cpu_ns.filter(|_| all > 0.0).map(|ns| (ns as f64 / all / 10.0).round() / 100.0),
        p50_ms: quantile_ms(&collected.measured[0], 0.5),
        p99_ms: quantile_ms(&collected.measured[0], 0.99),
    }
}

fn open_figures(scenario: &Scenario, Driven { collected, .. }: &Driven) -> Open {
    Open {
        rate_per_s: match scenario.load.kind {
            LoadKind::Open { rate_per_s, .. } => rate_per_s,
            LoadKind::Closed { .. } | LoadKind::Trace(_) => 0.0,
        },
        planned: collected.offered,
        sent: collected.sent,
        errors: collected.errors_of_all_phases,
        lag_p50_ms: quantile_ms(&collected.measured[2], 0.5),
        lag_p99_ms: quantile_ms(&collected.measured[2], 0.99),
        lag_max_ms: quantile_ms(&collected.measured[2], 1.0),
    }
}

struct Driven {
    collected: Collected,
    cpu_ns: Option<u64>,
}

/// Drives a scenario's load at one site, with one worker as a run on this lab's machine has, and nothing else.
fn drive(scenario: &Scenario, site: &Arc<Site>) -> Result<Driven, Failure> {
    let no_thread = |e| Failure::failed(format!("no thread for the generator: {e}"));
    let clock = RealClock::start();
    let pacer = Pacer::start(clock).map_err(no_thread)?;
    let (_never, stop) = Shutdown::pair();
    let drive = Drive {
        plan: Arc::new(Plan::new(42, scenario, 1)),
        part: None,
        pattern: Pattern::from(&scenario.load.kind),
        sites: vec![Arc::clone(site)],
        keys: scenario.keys.clone(),
        writes: false,
        warmup: scenario.load.warmup,
        duration: scenario.load.duration,
        timeout: scenario.load.timeout,
        on_down: scenario.load.on_down,
        retrying: Retrying::of(None, 0),
        clock,
        pace: pacer.handle(),
        stop,
    };
    let collector = Collector::start(1, None).map_err(no_thread)?;
    let (tell_start, start) = watch::channel(None);
    let (tell_ready, mut ready) = mpsc::unbounded_channel();
    let recorders = vec![collector.recorder(drive.first_second())];
    let fleet = Workers::start(&drive, recorders, &start, &tell_ready).map_err(no_thread)?;
    drop(tell_ready);
    let ended = || Err("a generator thread ended before it was ready".into());
    ready.blocking_recv().unwrap_or_else(ended).map_err(Failure::failed)?;
    tell_start.send_replace(Some(clock.mono().plus(LEAD + drive.warmup)));
    let worked = fleet.join();
    let collected = collector.collected().and_then(Result::ok).filter(|_| worked.well);
    let collected = collected.ok_or_else(|| Failure::failed("a generator thread panicked: a bug"))?;
    let cpu_ns = worked.cpu_ns.zip(collected.cpu_ns).map(|(workers, collector)| workers + collector);
    Ok(Driven { collected, cpu_ns })
}

fn text(measured: &Selftest) -> String {
    let ms = |value: Option<f64>| value.map_or("?".into(), |ms| format!("{ms:.3} ms"));
    let (closed, open) = (&measured.closed, &measured.open);
    let cpu = closed.cpu_us_per_request.map_or("?".into(), |us| format!("{us:.2} µs"));
    let punctual = open.lag_p99_ms.is_some_and(|ms| ms < LAG_P99_MS_GOOD);
    let verdict = if punctual {
        format!("the generator paces {}/s to better than {LAG_P99_MS_GOOD} ms on this machine", open.rate_per_s)
    } else {
        format!(
            "the generator can't pace {}/s to {LAG_P99_MS_GOOD} ms on this machine as it is now: close what else runs, or lower -r",
            open.rate_per_s
        )
    };
    format!(
        "against {}\n\
         closed loop  {} connections: {} requests/s, {cpu} of processor time a request (recording included), p50 {}, p99 {}\n\
         open loop    {}/s: {} of {} sent, schedule lag p50 {}, p99 {}, max {}\n\
         {verdict}\n{}",
        measured.against,
        closed.connections,
        closed.requests_per_s,
        ms(closed.p50_ms),
        ms(closed.p99_ms),
        open.rate_per_s,
        open.sent,
        open.planned,
        ms(open.lag_p50_ms),
        ms(open.lag_p99_ms),
        ms(open.lag_max_ms),
        if measured.against == "null server" { server::text(measured.cache_server.as_ref()) } else { String::new() },
    )
}
