//! The load: how requests come, for how long, and when a client gives up.

use std::fmt::Write as _;
use std::time::Duration;

use crate::schema::fields;
use crate::schema::walk::{Fields, Walk};
use crate::values::keys::Keys;
use crate::values::law::Law;
use crate::values::ramp::{RATE_MAX_PER_S, RATE_MIN_PER_S, Ramp};
use crate::values::rate::Rate;
use crate::values::retry::Retry;
use strategies::units::{DURATION, RATE, duration_text, rate_text};

const CLIENTS_MAX: u32 = 1_000_000;
/// Most arrivals of an open load: beyond it a run's own records no longer fit a machine.
const ARRIVALS_MAX: f64 = 1e9;
/// TTLs over which keys come into use.
const STAGGER_TTLS: u32 = 2;
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
        /// How many clients, at least 1.
        clients: u32,
        /// The wait between an answer and the next request.
        think: Law,
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
}

/// The spacing of an open load.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrivals {
    /// Independent exponential gaps.
    Poisson,
    /// Equal gaps.
    Constant,
}

/// How the keys of an open load come into use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Start {
    /// All with the first request.
    #[default]
    Together,
    /// One after the other during the warm-up, over two TTLs: no request asks for a key before its time. Keys that all come
    /// into use at once are read together, expire together, and go on so; the keys of a system that has run for a while do not.
    Staggered,
}

const STARTS: [(&str, Start); 2] = [("together", Start::Together), ("staggered", Start::Staggered)];

const ARRIVALS: [(&str, Arrivals); 2] = [("poisson", Arrivals::Poisson), ("constant", Arrivals::Constant)];

impl Load {
    /// Whether requests come as a Poisson stream of one rate.
    #[must_use]
    pub fn is_steady_poisson(&self) -> bool {
        matches!(&self.kind, LoadKind::Open { arrivals: Arrivals::Poisson, ramps, .. } if ramps.is_empty())
    }

    /// Reads the table; `patience` is a client's where nothing is said.
    pub(crate) fn read(walk: &mut Walk<'_>, fields: &Fields<'_>, patience: Duration) -> Option<Self> {
        let duration = walk.quantity(fields, "duration", &DURATION, MS..=DURATION_MAX, None);
        let kind = match (fields.has("clients"), fields.has("rate")) {
            (true, false) => read_closed(walk, fields),
            (false, true) => read_open(walk, fields, duration),
            (true, true) => {
                if let Some(node) = fields.get("rate").or(fields.get("clients")) {
                    walk.refuse(
                        node,
                        "`clients` and `rate` exclude each other",
                        "clients (a closed load) or rate (an open one)",
                        "remove one of the two",
                    );
                }
                None
            }
            (false, false) => {
                walk.missing(fields, "clients", "write clients = 50 and think = \"120ms\", or rate = \"400/s\"");
                None
            }
        };
        let warmup = walk.quantity(fields, "warmup", &DURATION, Duration::ZERO..=WARMUP_MAX, Some(Duration::ZERO));
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
        let staggered = matches!(self.kind, LoadKind::Open { start: Start::Staggered, .. });
        let refused = [
            (keys.hot_key().is_some(), "a hot key", "write keys.kind = \"zipf\" or \"uniform\""),
            (keys.missing_share > 0.0, "keys that do not exist", "drop keys.missing_share"),
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
        let LoadKind::Open { start: Start::Staggered, .. } = &self.kind else { return };
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
            LoadKind::Closed { clients, think } => {
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
        };
        if self.batch > 1 {
            let _ = writeln!(out, "batch = {}", self.batch);
        }
        for (name, value) in [("warmup", self.warmup), ("duration", self.duration), ("timeout", self.timeout)] {
            let _ = writeln!(out, "{name} = \"{}\"", duration_text(value));
        }
        if self.on_down == OnDown::Fail {
            out.push_str("on_down = \"fail\"\n");
        }
        if let LoadKind::Open { ramps, .. } = &self.kind {
            ramps.iter().for_each(|ramp| ramp.write(out));
        }
        if let Some(retry) = &self.retry {
            retry.write(out);
        }
    }
}

fn read_closed(walk: &mut Walk<'_>, fields: &Fields<'_>) -> Option<LoadKind> {
    walk.foreign(fields, &["arrivals", "ramp", "start"], "with rate");
    let clients = walk.integer(fields, "clients", 1..=CLIENTS_MAX, None);
    let think = Law::read(walk, fields, "think", THINK_MAX);
    Some(LoadKind::Closed { clients: clients?, think: think? })
}

fn read_open(walk: &mut Walk<'_>, fields: &Fields<'_>, duration: Option<Duration>) -> Option<LoadKind> {
    walk.foreign(fields, &["think"], "with clients");
    let rate = walk.quantity(fields, "rate", &RATE, RATE_MIN_PER_S..=RATE_MAX_PER_S, None);
    let arrivals = walk.word(fields, "arrivals", &ARRIVALS, Some(Arrivals::Poisson));
    let ramps = Ramp::read_all(walk, fields, duration);
    let start = walk.word(fields, "start", &STARTS, Some(Start::Together));
    Some(LoadKind::Open { rate_per_s: rate?, arrivals: arrivals?, start: start?, ramps })
}

/// How long it takes until all keys are in use.
pub(crate) fn stagger_time(ttl: Duration) -> Duration {
    ttl.saturating_mul(STAGGER_TTLS)
}
