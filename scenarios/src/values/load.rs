//! The load: how requests come, for how long, and when a client gives up.

use std::fmt::Write as _;
use std::time::Duration;

use crate::schema::fields;
use crate::schema::walk::{Fields, Walk};
use crate::values::keys::Keys;
use crate::values::law::Law;
use crate::values::ramp::{CLIENTS_MAX, ClientRamp, RATE_MAX_PER_S, RATE_MIN_PER_S, Ramp};
use crate::values::rate::Rate;
use crate::values::recorded::{KeyAsks, TraceFound};
use crate::values::retry::Retry;
use crate::values::start::{STARTS, Start, stagger_time};
use crate::values::trace::ReplayLoad;
use crate::values::writes::WRITES_MAX;
use strategies::units::{DURATION, RATE, duration_text, rate_text};

/// Most arrivals of an open load: beyond it a run's own records no longer fit a machine.
const ARRIVALS_MAX: f64 = 1e9;
/// Most items of a request.
const BATCH_MAX: u32 = 1000;
const THINK_MAX: Duration = Duration::from_secs(3600);
const WARMUP_MAX: Duration = Duration::from_secs(24 * 3600);
const DURATION_MAX: Duration = Duration::from_secs(24 * 3600);
const TIMEOUT_MAX: Duration = Duration::from_secs(24 * 3600);
const MS: Duration = Duration::from_millis(1);

/// The load of a scenario.
#[derive(Debug, Clone, PartialEq)]
pub struct Load {
    /// Closed or open.
    pub kind: LoadKind,
    /// Time before t = 0: recorded, not counted. May be zero.
    pub warmup: Duration,
    /// The measured time.
    pub duration: Duration,
    /// A client's patience with one attempt at a request: its budget.
    pub timeout: Duration,
    /// What a client does whose replica is down.
    pub on_down: OnDown,
    /// How clients try again, if they do.
    pub retry: Option<Retry>,
    /// How many items a request asks for: neighbours, from its key on. At least 1.
    pub batch: u32,
}

/// What a client does when nobody listens where its request should go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnDown {
    /// It asks the next replica, as a load balancer would.
    #[default]
    Next,
    /// The request has failed.
    Fail,
}

const ON_DOWN: [(&str, OnDown); 2] = [("next", OnDown::Next), ("fail", OnDown::Fail)];

/// What makes the next request come.
#[derive(Debug, Clone, PartialEq)]
pub enum LoadKind {
    /// Each client waits for its answer, thinks, and asks again.
    Closed {
        /// How many clients, at least 1; until the first ramp, if there is one.
        clients: u32,
        /// The wait between an answer and the next request.
        think: Law,
        /// How the number of active clients changes, in the order of time.
        ramps: Vec<ClientRamp>,
    },
    /// Requests come whether or not earlier ones were answered.
    Open {
        /// Mean rate over the whole fleet, requests per second, 0.001 to 1,000,000; until the first ramp, if there is one.
        rate_per_s: f64,
        /// How they are spaced.
        arrivals: Arrivals,
        /// How the keys come into use.
        start: Start,
        /// How the rate changes, in the order of time.
        ramps: Vec<Ramp>,
    },
    /// Requests come when those of a recorded trace came, whether or not earlier ones were answered.
    Trace(ReplayLoad),
}

/// The spacing of an open load.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrivals {
    /// Independent exponential gaps.
    Poisson,
    /// Equal gaps.
    Constant,
}

const ARRIVALS: [(&str, Arrivals); 2] = [("poisson", Arrivals::Poisson), ("constant", Arrivals::Constant)];

impl LoadKind {
    /// The most clients of a closed load that are ever active; `None` where requests do not wait for answers.
    #[must_use]
    pub fn clients_max(&self) -> Option<u32> {
        match self {
            Self::Closed { clients, ramps, .. } => {
                Some(ramps.iter().fold(*clients, |most, ramp| most.max(ramp.clients)))
            }
            Self::Open { .. } | Self::Trace(_) => None,
        }
    }

    /// Whether the number of a closed load's clients changes.
    #[must_use]
    pub fn clients_ramp(&self) -> bool {
        matches!(self, Self::Closed { ramps, .. } if !ramps.is_empty())
    }
}

impl Load {
    /// Whether requests come as a Poisson stream of one rate.
    #[must_use]
    pub fn is_steady_poisson(&self) -> bool {
        matches!(&self.kind, LoadKind::Open { arrivals: Arrivals::Poisson, ramps, .. } if ramps.is_empty())
    }

    /// Reads the table; `patience` is a client's where nothing is said, `asks` what the keys of a trace are to be asked.
    pub(crate) fn read(walk: &mut Walk<'_>, fields: &Fields<'_>, patience: Duration, asks: KeyAsks) -> Option<Self> {
        let warmup = walk.quantity(fields, "warmup", &DURATION, Duration::ZERO..=WARMUP_MAX, Some(Duration::ZERO));
        let (kind, duration) = Self::read_kind(walk, fields, warmup, asks);
        let timeout = walk.quantity(fields, "timeout", &DURATION, MS..=TIMEOUT_MAX, Some(patience));
        let on_down = walk.word(fields, "on_down", &ON_DOWN, Some(OnDown::Next));
        let retry = match walk.section(fields, "load.retry", &fields::RETRY, false) {
            Some(retry) => Retry::read(walk, &retry).map(Some),
            None => Some(None),
        };
        let batch = walk.integer(fields, "batch", 1..=BATCH_MAX, Some(1));
        let (kind, warmup, duration) = (kind?, warmup?, duration?);
        let load = Self { kind, warmup, duration, timeout: timeout?, on_down: on_down?, retry: retry?, batch: batch? };
        load.refuse_too_many(walk, fields)
    }

    /// What makes the requests come, and for how long they are measured: of a trace that is what it has behind the warm-up.
    fn read_kind(
        walk: &mut Walk<'_>,
        fields: &Fields<'_>,
        warmup: Option<Duration>,
        asks: KeyAsks,
    ) -> (Option<LoadKind>, Option<Duration>) {
        let said: Vec<&str> = ["clients", "rate", "trace"].into_iter().filter(|name| fields.has(name)).collect();
        if said == ["trace"] {
            let trace = read_trace(walk, fields, asks);
            let duration = trace.as_ref().zip(warmup).and_then(|(trace, warmup)| measured(walk, fields, trace, warmup));
            return (trace.map(LoadKind::Trace), duration);
        }
        let duration = walk.quantity(fields, "duration", &DURATION, MS..=DURATION_MAX, None);
        let kind = match said[..] {
            ["clients"] => read_closed(walk, fields, duration),
            ["rate"] => read_open(walk, fields, duration),
            [] => {
                let remedy = "write clients = 50 and think = \"120ms\", or rate = \"400/s\", or trace = \"access.csv\"";
                walk.missing(fields, "clients", remedy);
                None
            }
            _ => {
                if let Some(node) = said.iter().rev().find_map(|name| fields.get(name)) {
                    let all: Vec<String> = said.iter().map(|name| format!("`{name}`")).collect();
                    let allowed = "clients (a closed load), rate (an open one) or trace (a recorded one)";
                    let what = format!("{} exclude each other", all.join(" and "));
                    walk.refuse(node, what, allowed, "keep one of them");
                }
                None
            }
        };
        (kind, duration)
    }

    /// How the keys of an open load come into use; together where clients wait for their answers.
    #[must_use]
    pub fn start(&self) -> Start {
        match &self.kind {
            LoadKind::Open { start, .. } => *start,
            LoadKind::Trace(trace) => trace.start,
            LoadKind::Closed { .. } => Start::Together,
        }
    }

    /// The trace, where it is one's.
    #[must_use]
    pub fn trace(&self) -> Option<&ReplayLoad> {
        match &self.kind {
            LoadKind::Trace(trace) => Some(trace),
            LoadKind::Closed { .. } | LoadKind::Open { .. } => None,
        }
    }

    /// Warm-up and measured time together.
    #[must_use]
    pub fn total(&self) -> Duration {
        self.warmup.saturating_add(self.duration)
    }

    fn refuse_too_many(self, walk: &mut Walk<'_>, fields: &Fields<'_>) -> Option<Self> {
        if let (LoadKind::Open { rate_per_s, ramps, .. }, Some(node)) = (&self.kind, fields.get("rate")) {
            let arrivals = Rate::new(*rate_per_s, ramps, self.warmup).expected(self.total());
            if arrivals > ARRIVALS_MAX {
                let found = format!(
                    "found {}{} for {}, that is {arrivals:.0} requests, allowed {ARRIVALS_MAX:.0}",
                    rate_text(*rate_per_s),
                    if ramps.is_empty() { "" } else { " and its ramps" },
                    duration_text(self.total())
                );
                walk.report(&node.place, "too many requests", found, "lower the rate or the duration");
                return None;
            }
        }
        Some(self)
    }

    /// Several items a request: of keys that exist and of which none is singled out, in a load that reads and does nothing else.
    pub(crate) fn refuse_batch(&self, walk: &mut Walk<'_>, fields: &Fields<'_>, keys: &Keys, does_more: bool) {
        let Some(node) = fields.get("batch").filter(|_| self.batch > 1) else { return };
        let staggered = self.start() == Start::Staggered;
        let refused = [
            (keys.hot_key().is_some(), "a hot key", "write keys.kind = \"zipf\" or \"uniform\""),
            (keys.missing_share > 0.0, "keys that do not exist", "drop keys.missing_share"),
            (!keys.classes.is_empty(), "classes of keys", "drop keys.class"),
            (keys.churn.is_some(), "keys that are replaced", "drop keys.churn"),
            (staggered, "keys that come into use one after the other", "drop load.start"),
            (does_more, "writes or counters", "drop them"),
        ];
        if keys.hot_key().is_none() && keys.n < self.batch {
            let allowed = format!("1 to {}, the number of keys", keys.n);
            walk.refuse(node, "`batch` is more than there is", &allowed, "raise keys.n, or lower batch");
            return;
        }
        if let Some((_, what, remedy)) = refused.iter().find(|(found, ..)| *found) {
            walk.refuse(node, format!("`batch` beside {what}"), "1 there", format!("{remedy}; or write batch = 1"));
        }
    }

    /// Keys that come into use one after the other must all be in use at t = 0.
    pub(crate) fn refuse_short_warmup(&self, walk: &mut Walk<'_>, fields: &Fields<'_>, ttl: Duration) {
        if self.start() != Start::Staggered {
            return;
        }
        let least = stagger_time(ttl);
        if let Some(node) = fields.get("start").filter(|_| self.warmup < least) {
            let [found, least] = [self.warmup, least].map(duration_text);
            let found = format!("found warmup = {found}, allowed {least} (two TTLs) or more with it");
            walk.report(
                &node.place,
                "too short a warm-up for a staggered start",
                found,
                format!("write warmup = \"{least}\""),
            );
        }
    }

    pub(crate) fn write(&self, out: &mut String) {
        let _ = match &self.kind {
            LoadKind::Closed { clients, think, .. } => {
                writeln!(out, "clients = {clients}\nthink = {}", think.toml())
            }
            LoadKind::Open { rate_per_s, arrivals, start, .. } => {
                let word = match arrivals {
                    Arrivals::Poisson => "poisson",
                    Arrivals::Constant => "constant",
                };
                let start = if *start == Start::Staggered { "\nstart = \"staggered\"" } else { "" };
                writeln!(out, "rate = \"{}\"\narrivals = \"{word}\"{start}", rate_text(*rate_per_s))
            }
            LoadKind::Trace(trace) => {
                trace.write(out);
                Ok(())
            }
        };
        if self.batch > 1 {
            let _ = writeln!(out, "batch = {}", self.batch);
        }
        for (name, value) in [("warmup", self.warmup), ("duration", self.duration), ("timeout", self.timeout)] {
            // A trace's is what it has.
            if name != "duration" || self.trace().is_none() {
                let _ = writeln!(out, "{name} = \"{}\"", duration_text(value));
            }
        }
        if self.on_down == OnDown::Fail {
            out.push_str("on_down = \"fail\"\n");
        }
        match &self.kind {
            LoadKind::Open { ramps, .. } => ramps.iter().for_each(|ramp| ramp.write(out)),
            LoadKind::Closed { ramps, .. } => ramps.iter().for_each(|ramp| ramp.write(out)),
            LoadKind::Trace(_) => {}
        }
        if let Some(retry) = &self.retry {
            retry.write(out);
        }
        if let Some(trace) = self.trace() {
            trace.write_found(out);
        }
    }
}

/// What only a trace has.
const OF_TRACES: [&str; 7] = ["format", "key", "speed", "from", "to", "ops", "found"];

fn read_closed(walk: &mut Walk<'_>, fields: &Fields<'_>, duration: Option<Duration>) -> Option<LoadKind> {
    walk.foreign(fields, &["arrivals", "start"], "with rate");
    walk.foreign(fields, &OF_TRACES, "with trace");
    let clients = walk.integer(fields, "clients", 1..=CLIENTS_MAX, None);
    let think = Law::read(walk, fields, "think", THINK_MAX);
    let ramps = ClientRamp::read_all(walk, fields, duration);
    Some(LoadKind::Closed { clients: clients?, think: think?, ramps })
}

fn read_open(walk: &mut Walk<'_>, fields: &Fields<'_>, duration: Option<Duration>) -> Option<LoadKind> {
    walk.foreign(fields, &["think"], "with clients");
    walk.foreign(fields, &OF_TRACES, "with trace");
    let rate = walk.quantity(fields, "rate", &RATE, RATE_MIN_PER_S..=RATE_MAX_PER_S, None);
    let arrivals = walk.word(fields, "arrivals", &ARRIVALS, Some(Arrivals::Poisson));
    let ramps = Ramp::read_all(walk, fields, duration);
    let start = walk.word(fields, "start", &STARTS, Some(Start::Together));
    Some(LoadKind::Open { rate_per_s: rate?, arrivals: arrivals?, start: start?, ramps })
}

fn read_trace(walk: &mut Walk<'_>, fields: &Fields<'_>, asks: KeyAsks) -> Option<ReplayLoad> {
    walk.foreign(fields, &["think"], "with clients");
    walk.foreign(fields, &["arrivals"], "with rate");
    walk.foreign(fields, &["kind", "window", "batch", "ramp"], "with clients or rate");
    if let Some(node) = fields.get("duration") {
        let allowed = "it only with clients or rate: a trace is as long as it is";
        walk.refuse(node, "`duration` does not belong here", allowed, "remove it; to = \"10m\" ends a trace earlier");
    }
    let start = walk.word(fields, "start", &STARTS, Some(Start::Together));
    ReplayLoad::read(walk, fields, start, asks)
}

/// What a trace has behind the warm-up, where that is as much as any load may have.
fn measured(walk: &mut Walk<'_>, fields: &Fields<'_>, trace: &ReplayLoad, warmup: Duration) -> Option<Duration> {
    let node = fields.get("trace")?;
    let TraceFound { requests, writes, length, .. } = trace.found;
    let [lasts, warm, most] = [length, warmup, DURATION_MAX].map(duration_text);
    let measured = length.saturating_sub(warmup);
    let refused = [
        (
            requests as f64 > ARRIVALS_MAX,
            "too many requests",
            format!("found {requests}, allowed {ARRIVALS_MAX:.0}"),
            "cut it with from and to",
        ),
        (
            writes as f64 > WRITES_MAX,
            "too many writes",
            format!("found {writes}, allowed {WRITES_MAX:.0}"),
            "cut it with from and to, or write ops = \"reads\"",
        ),
        (
            measured > DURATION_MAX,
            "too long a trace",
            format!("found {lasts}, allowed {most} and the warm-up"),
            "cut it with from and to, or raise speed",
        ),
        (
            measured < MS,
            "a trace that ends within the warm-up",
            format!("found {lasts}, allowed more than warmup = {warm} and a millisecond"),
            "lower warmup or speed, or take more of the trace",
        ),
    ];
    if let Some((_, what, found, remedy)) = refused.into_iter().find(|(is, ..)| *is) {
        walk.report(&node.place, what, found, remedy);
        return None;
    }
    Some(measured)
}
