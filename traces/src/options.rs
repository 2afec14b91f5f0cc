//! How a trace is to be read.

use std::time::Duration;

use crate::class::TraceClass;
use crate::error::TraceError;
use crate::format::TraceFormat;
use crate::key::KeyNames;

/// The most that rows may be out of order, where nothing else is said.
pub const DISORDER: Duration = Duration::from_secs(1);
/// The longest that can be asked for.
const DISORDER_MAX: Duration = Duration::from_secs(3600);
const SPEED_MIN: f64 = 1e-6;
const SPEED_MAX: f64 = 1e6;

/// How a trace is to be read. [`TraceOptions::default`] reads all of any format, at its own speed, and keeps no names.
#[derive(Debug, Clone, PartialEq)]
pub struct TraceOptions {
    /// The format; recognised by the first rows where it is not said.
    pub format: Option<TraceFormat>,
    /// A regular expression that is looked for in the key, or in an access log's request line (`GET /items/7?x HTTP/1.1`). Its one
    /// group is the key, or all that it found where it has no group. Rows in which it finds nothing are skipped and counted.
    pub key: Option<String>,
    /// How many seconds of the trace go by in one second, 10⁻⁶ to 10⁶. TTLs stay as they are.
    pub speed: f64,
    /// From here on, after the first row, in the trace's own time.
    pub from: Duration,
    /// Up to here, after the first row, in the trace's own time: the first moment that does not belong to it.
    pub to: Option<Duration>,
    /// How far a row may lie before the latest one above it, at most an hour. What lies further back is a bad row.
    pub disorder: Duration,
    /// Whether rows of a whole second are spread evenly over it; where nothing is said, they are if the format has whole seconds, or the
    /// first rows of a CSV file have no others.
    pub spread: Option<bool>,
    /// What rows keep of their key's name.
    pub names: KeyNames,
    /// The seed of the keys' hashes.
    pub seed: u64,
    /// The TTL and the size of rows that state none, by their key. At most 64.
    pub classes: Vec<TraceClass>,
}

impl Default for TraceOptions {
    fn default() -> Self {
        Self {
            format: None,
            key: None,
            speed: 1.0,
            from: Duration::ZERO,
            to: None,
            disorder: DISORDER,
            spread: None,
            names: KeyNames::Hidden,
            seed: 0,
            classes: Vec::new(),
        }
    }
}

impl TraceOptions {
    /// Whether every setting lies in its range.
    pub(crate) fn check(&self) -> Result<(), TraceError> {
        let wrong = |what, found, allowed| Err(TraceError::Setting { what, found, allowed });
        if !(SPEED_MIN..=SPEED_MAX).contains(&self.speed) {
            return wrong("speed", self.speed.to_string(), "0.000001 to 1000000");
        }
        if let Some(to) = self.to.filter(|to| *to <= self.from) {
            return wrong("to", format!("{to:?}"), "a time after from");
        }
        if self.disorder > DISORDER_MAX {
            return wrong("disorder", format!("{:?}", self.disorder), "at most 1h");
        }
        Ok(())
    }
}
