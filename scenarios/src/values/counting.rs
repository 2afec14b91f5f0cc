//! Counting: requests that increment counters which expire, and how many of them a limiter lets through.

use std::fmt::Write as _;
use std::time::Duration;

use crate::schema::fields;
use crate::schema::tree::Value;
use crate::schema::walk::{Fields, Walk};
use strategies::units::{DURATION, duration_text};

const WINDOW_MAX: Duration = Duration::from_secs(24 * 3600);
const LIMIT_MAX: u32 = 1_000_000_000;

/// What a load does that counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CountingLoad {
    /// T: how long a counter lives from its first increment on. A millisecond or more.
    pub window: Duration,
    /// How many increments of a window a limiter lets through; `None` where nothing is limited.
    pub per_window: Option<u32>,
}

impl CountingLoad {
    /// Reads what `[load]` and `[limit]` say of it; `Some(None)` for a load that reads.
    pub(crate) fn read(walk: &mut Walk<'_>, top: &Fields<'_>, load: Option<&Fields<'_>>) -> Option<Option<Self>> {
        let limit = walk.section(top, "limit", &fields::LIMIT, false);
        let load = load?;
        let kind = walk.word(load, "kind", &[("read", false), ("count", true)], Some(false));
        if kind != Some(true) {
            walk.foreign(load, &["window"], "with kind = \"count\"");
            if let Some(limit) = &limit {
                let found = "found [limit] and a load that reads, allowed it with kind = \"count\"";
                walk.report(
                    &limit.place,
                    "[limit] does not belong here",
                    found,
                    "write kind = \"count\" in [load], or remove it",
                );
            }
            return kind.map(|_| None);
        }
        let window = walk.quantity(load, "window", &DURATION, Duration::from_millis(1)..=WINDOW_MAX, None);
        for (other, remedy) in [("writes", "remove [writes]: a counter is no item"), ("warm", "remove [warm]")] {
            if let Some(node) = top.get(other) {
                let found = format!("found [{other}] and kind = \"count\", allowed one of them");
                walk.report(&node.place, format!("a load that counts has no [{other}]"), found, remedy);
            }
        }
        let per_window = match &limit {
            Some(limit) => walk.integer(limit, "per_window", 1..=LIMIT_MAX, None).map(Some),
            None => Some(None),
        };
        Some(Some(Self { window: window?, per_window: per_window? }))
    }

    /// Whether the load says that it counts, whatever else is wrong with it.
    pub(crate) fn is_meant(load: Option<&Fields<'_>>) -> bool {
        let kind = load.and_then(|load| load.get("kind"));
        kind.is_some_and(|kind| matches!(&kind.value, Value::Text(word) if word == "count"))
    }

    /// What belongs into `[load]`.
    pub(crate) fn write_load(&self, out: &mut String) {
        let _ = writeln!(out, "kind = \"count\"\nwindow = \"{}\"", duration_text(self.window));
    }

    pub(crate) fn write_limit(&self, out: &mut String) {
        if let Some(per_window) = self.per_window {
            let _ = writeln!(out, "\n[limit]\nper_window = {per_window}");
        }
    }
}
