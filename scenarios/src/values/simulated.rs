//! `[cache.simulated]`: what a command takes at the simulated server, and what its link carries.
//!
//! Without it a simulated server is never busy, as a real one hardly is with small values. `loadgen selftest` measures what a real one
//! takes.

use std::fmt::Write as _;
use std::time::Duration;

use crate::schema::walk::{Fields, Walk};
use strategies::units::{BANDWIDTH, DURATION, bandwidth_text, duration_text};

pub(crate) const NAMES: [&str; 4] = ["shards", "command", "per_mib", "bandwidth"];

const TIME_MAX: Duration = Duration::from_secs(1);
const BANDWIDTH_MIN: u32 = 1024;
const SHARDS_MAX: u32 = 1000;

/// Servers that each do one thing at a time, behind a link of their own that carries so much each way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SimulatedServer {
    /// Primaries of a cluster, each with an equal part of its slots; 1 is a server that stands alone.
    pub shards: u32,
    /// How long a command takes it, whatever it carries.
    pub command: Duration,
    /// How long a MiB of entries takes it besides.
    pub per_mib: Duration,
    /// Bytes a second that the link to all replicas carries, each way; `None`: as many as there are.
    pub bandwidth: Option<u32>,
}

impl Default for SimulatedServer {
    fn default() -> Self {
        Self { shards: 1, command: Duration::ZERO, per_mib: Duration::ZERO, bandwidth: None }
    }
}

impl SimulatedServer {
    /// Whether commands take it any time.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        !self.command.is_zero() || !self.per_mib.is_zero() || self.bandwidth.is_some()
    }

    /// Whether anything of it is said.
    #[must_use]
    pub fn is_set(&self) -> bool {
        *self != Self::default()
    }

    /// Reads `[cache.simulated]` of the table that has it.
    pub(crate) fn read(walk: &mut Walk<'_>, within: &Fields<'_>) -> Option<Self> {
        let Some(fields) = walk.section(within, "cache.simulated", &NAMES, false) else { return Some(Self::default()) };
        let time = |walk: &mut Walk<'_>, name| {
            walk.quantity(&fields, name, &DURATION, Duration::ZERO..=TIME_MAX, Some(Duration::ZERO))
        };
        let (command, per_mib) = (time(walk, "command"), time(walk, "per_mib"));
        let shards = walk.integer(&fields, "shards", 1..=SHARDS_MAX, Some(1));
        let bandwidth = if fields.has("bandwidth") {
            walk.quantity(&fields, "bandwidth", &BANDWIDTH, BANDWIDTH_MIN..=u32::MAX, None).map(Some)
        } else {
            Some(None)
        };
        Some(Self { shards: shards?, command: command?, per_mib: per_mib?, bandwidth: bandwidth? })
    }

    pub(crate) fn write(&self, out: &mut String) {
        if !self.is_set() {
            return;
        }
        let (command, per_mib) = (duration_text(self.command), duration_text(self.per_mib));
        out.push_str("\n[cache.simulated]\n");
        if self.shards > 1 {
            let _ = writeln!(out, "shards = {}", self.shards);
        }
        let _ = writeln!(out, "command = \"{command}\"\nper_mib = \"{per_mib}\"");
        if let Some(bandwidth) = self.bandwidth {
            let _ = writeln!(out, "bandwidth = \"{}\"", bandwidth_text(bandwidth));
        }
    }
}
