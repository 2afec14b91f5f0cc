//! A load that was recorded: which trace, how it is replayed, and what was found in it.
//!
//! The file itself is read by the function that is handed in ([`crate::OpenTrace`]); here is only what a scenario says of it. What one look through
//! the trace found is written into the resolved copy (`[load.found]`), so that a record can be read where the file no longer is, and so that
//! another file than the one that was replayed is noticed.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use crate::schema::fields;
use crate::schema::quoted::quoted;
use crate::schema::tree::{Node, Value};
use crate::schema::walk::{Fields, Walk};
use crate::values::recorded::{KeyAsks, RecordedTrace, ReplayedOps, TraceFound, TraceSettings};
use crate::values::start::Start;
use crate::values::writes::{WritePace, Writes};
use strategies::units::{DURATION, duration_text};

/// How many seconds of a trace may go by in one.
const SPEED: (f64, f64) = (1e-6, 1e6);
/// Far more than any trace lasts; so many nanoseconds fit into 64 bits.
const MOMENT_MAX: Duration = Duration::from_secs(100 * 366 * 24 * 3600);
const COUNT_MAX: u32 = u32::MAX;
/// Digits of a digest.
const DIGITS: usize = 16;

const FORMATS: [(&str, &str); 3] = [("csv", "csv"), ("twitter", "twitter"), ("combined", "combined")];
/// The words for which rows.
const OPS: [(&str, ReplayedOps); 2] = [("all", ReplayedOps::All), ("reads", ReplayedOps::Reads)];

/// A trace as a load.
#[derive(Debug, Clone)]
pub struct ReplayLoad {
    /// Which, and how it is read.
    pub settings: TraceSettings,
    /// How the keys come into use.
    pub start: Start,
    /// What is in it.
    pub found: TraceFound,
    /// Its requests; `None` where nobody opened it: a scenario that is only looked at.
    pub rows: Option<Arc<dyn RecordedTrace>>,
}

/// Two traces are equal where the same was said of them and the same was found in them.
impl PartialEq for ReplayLoad {
    fn eq(&self, other: &Self) -> bool {
        let Self { settings, start, found, rows: _ } = self;
        (settings, start, found) == (&other.settings, &other.start, &other.found)
    }
}

impl ReplayLoad {
    /// Reads what `[load]` says of a trace. `start` is what it says of that, `asks` what its keys are to be asked.
    pub(crate) fn read(walk: &mut Walk<'_>, load: &Fields<'_>, start: Option<Start>, asks: KeyAsks) -> Option<Self> {
        let path = walk.text(load, "trace", "access.csv");
        let format = match load.has("format") {
            true => walk.word(load, "format", &FORMATS, None).map(Some),
            false => Some(None),
        };
        let key = match load.has("key") {
            true => walk.text(load, "key", "GET /items/(\\\\d+)").map(Some),
            false => Some(None),
        };
        let (least, most) = SPEED;
        let speed = match load.has("speed") {
            true => walk.number(load, "speed", "0.000001 to 1000000", |speed| (least..=most).contains(&speed)),
            false => Some(1.0),
        };
        let moments = Duration::ZERO..=MOMENT_MAX;
        let from = walk.quantity(load, "from", &DURATION, moments.clone(), Some(Duration::ZERO));
        let to = match (load.get("to"), from) {
            (None, _) => Some(None),
            (Some(_), None) => None,
            (Some(node), Some(from)) => {
                let to = walk.quantity(load, "to", &DURATION, moments, None);
                if to.is_some_and(|to| to <= from) {
                    let allowed = format!("more than from = {}", duration_text(from));
                    walk.refuse(node, "`to` is no later than `from`", &allowed, "raise it, or lower from");
                }
                to.filter(|to| *to > from).map(Some)
            }
        };
        let ops = walk.word(load, "ops", &OPS, Some(ReplayedOps::All));
        let stated = match walk.section(load, "load.found", &fields::FOUND, false) {
            Some(fields) => TraceFound::read(walk, &fields).map(Some),
            None => Some(None),
        };
        let (path, format, key, speed) = (path?, format?, key?, speed?);
        let settings = TraceSettings { path, format, key, speed, from: from?, to: to?, ops: ops?, asks };
        let (found, rows) = settings.look(walk, load.get("trace")?, stated?)?;
        Some(Self { settings, start: start?, found, rows })
    }

    /// What it is, in words: `access.csv (12000 requests for 812 keys, 60s at speed 2)`.
    #[must_use]
    pub fn in_words(&self) -> String {
        let TraceFound { requests, keys, length, .. } = &self.found;
        let TraceSettings { path, speed, ops, .. } = &self.settings;
        let speed = if *speed == 1.0 { String::new() } else { format!(" at speed {speed}") };
        let ops = if *ops == ReplayedOps::Reads { ", its reads alone" } else { "" };
        let start = if self.start == Start::Staggered { ", staggered start" } else { "" };
        format!("{path} ({requests} requests for {keys} keys, {}{speed}{ops}){start}", duration_text(*length))
    }

    /// Its writes, as a share of its requests; `None` where there are none.
    pub(crate) fn writes(&self) -> Option<Writes> {
        let TraceFound { requests, writes, .. } = self.found;
        let pace = WritePace::Share(writes as f64 / requests.max(1) as f64);
        (writes > 0).then_some(Writes { pace, kind: None })
    }

    /// Requests a second, in the mean.
    #[must_use]
    pub fn per_s(&self) -> f64 {
        self.found.requests as f64 / self.found.length.as_secs_f64().max(1e-9)
    }

    pub(crate) fn write(&self, out: &mut String) {
        let TraceSettings { path, format, key, speed, from, to, ops, asks: _ } = &self.settings;
        let _ = writeln!(out, "trace = {}", quoted(path));
        if let Some(format) = format {
            let _ = writeln!(out, "format = \"{format}\"");
        }
        if let Some(key) = key {
            let _ = writeln!(out, "key = {}", quoted(key));
        }
        let _ = writeln!(out, "speed = {speed:?}\nfrom = \"{}\"", duration_text(*from));
        if let Some(to) = to {
            let _ = writeln!(out, "to = \"{}\"", duration_text(*to));
        }
        let word = OPS.iter().find(|(_, of)| of == ops).map_or("all", |(word, _)| word);
        let _ = writeln!(out, "ops = \"{word}\"");
        if self.start == Start::Staggered {
            out.push_str("start = \"staggered\"\n");
        }
    }

    /// What was found, below the load's other fields.
    pub(crate) fn write_found(&self, out: &mut String) {
        let TraceFound { requests, writes, keys, length, peak_per_s, digest } = self.found;
        let length = duration_text(length);
        let _ = write!(
            out,
            "\n[load.found]\nrequests = {requests}\nwrites = {writes}\nkeys = {keys}\nlength = \"{length}\"\n"
        );
        let _ = writeln!(out, "peak_per_s = {peak_per_s}\ndigest = \"{digest:016x}\"");
    }
}

impl TraceSettings {
    /// Looks through the trace, where somebody can; else what is stated counts. `node` is where its name stands.
    fn look(
        &self,
        walk: &mut Walk<'_>,
        node: &Node,
        stated: Option<TraceFound>,
    ) -> Option<(TraceFound, Option<Arc<dyn RecordedTrace>>)> {
        let Some(open) = walk.opens_traces() else {
            if stated.is_none() {
                let found = "found no [load.found], which a run writes into its scenario.toml";
                walk.report(&node.place, "a trace that nobody reads here", found, "run it: then it is read");
            }
            return stated.map(|found| (found, None));
        };
        match open(self) {
            Err(why) => {
                let (found, remedy) =
                    why.rsplit_once(" · ").unwrap_or((&why, "name another file, or other rows of it"));
                walk.report(&node.place, "the trace cannot be replayed", found, remedy);
                None
            }
            Ok(rows) => {
                let found = rows.found();
                if let Some(stated) = stated.filter(|stated| *stated != found) {
                    let found = format!(
                        "found {} requests for {} keys (digest {:016x}), needed {} for {} (digest {:016x}), which [load.found] says",
                        found.requests, found.keys, found.digest, stated.requests, stated.keys, stated.digest
                    );
                    let remedy = "give the trace that was replayed, or remove [load.found]";
                    walk.report(&node.place, "another trace than the one that was replayed", found, remedy);
                    return None;
                }
                Some((found, Some(rows)))
            }
        }
    }
}

impl TraceFound {
    fn read(walk: &mut Walk<'_>, fields: &Fields<'_>) -> Option<Self> {
        let [requests, writes, peak_per_s] = ["requests", "writes", "peak_per_s"]
            .map(|name| walk.integer(fields, name, 0..=COUNT_MAX, None).map(u64::from));
        let keys = walk.integer(fields, "keys", 1..=COUNT_MAX, None);
        let length = walk.quantity(fields, "length", &DURATION, Duration::ZERO..=MOMENT_MAX, None);
        let text = walk.text(fields, "digest", "0123456789abcdef")?;
        let digest = u64::from_str_radix(&text, 16).ok().filter(|_| text.len() == DIGITS);
        if let (None, Some(node)) = (digest, fields.get("digest")) {
            walk.refuse(node, "`digest` is none", "16 hexadecimal digits", "remove [load.found]");
        }
        let (requests, writes, peak_per_s) = (requests?, writes?, peak_per_s?);
        Some(Self { requests, writes, keys: keys?, length: length?, peak_per_s, digest: digest? })
    }
}

/// Whether a load says that it is a trace's, whatever else is wrong with it.
pub(crate) fn is_meant(load: Option<&Fields<'_>>) -> bool {
    load.is_some_and(|load| load.get("trace").is_some_and(|node| matches!(node.value, Value::Text(_))))
}
