//! The lines of `part.jsonl`, each a thing that a part has seen.

use std::collections::BTreeMap;
use std::io;
use std::time::SystemTime;

use evidence::{EventLine, OriginRead};
use report::ReportError;
use serde::{Deserialize, Serialize};

use crate::lab::trial::{Observation, ShareSeen, WorldSeen};
use crate::load::measure::EventLines;
use crate::load::record::{PartWriter, Second};

/// A line. In this order, and the first part alone has all kinds.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PartLine {
    /// Wall time at which the warm-up began, and how many milliseconds after that t = 0 came.
    Log(SystemTime, u64),
    /// What the cache had at t = 0: the start of each key's last load.
    Warm(BTreeMap<u32, i64>),
    /// The requests of the part that were meant for a second.
    Second(Box<Second>),
    /// How the part's generator fared.
    Share(Box<ShareSeen>),
    /// A line of the origin's ledger.
    Read(OriginRead),
    /// What a replica told.
    Told(ToldLine),
    /// Everything else that the world's parts said.
    World(Box<WorldSeen>),
}

/// What a replica told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToldLine {
    /// When, nanoseconds since t = 0.
    pub at_ns: i64,
    /// Which replica.
    pub replica: u32,
    /// What.
    pub line: EventLine,
}

/// Writes what was seen behind the seconds that are in the file already, and puts it in its place: of the first part everything, of another
/// one what its generator did.
///
/// # Errors
/// Where it cannot be written, or what was kept cannot be read back.
pub fn finish(seen: Observation, leads: bool) -> Result<(), ReportError> {
    let Observation { share, world, mut collected, reads, lines, .. } = seen;
    let Some(mut part) = collected.part.take() else { return Ok(()) };
    part.line("share", &share)?;
    if leads {
        if let Some(reads) = reads {
            each(&mut part, |part| reads.each(&mut |read| part.line("read", read).map_err(io::Error::other)))?;
        }
        if let Some(lines) = lines {
            each(&mut part, |part| told(&*lines, part))?;
        }
        part.line("world", &world)?;
    }
    part.commit()
}

fn told(lines: &dyn EventLines, part: &mut PartWriter) -> io::Result<()> {
    lines.each(&mut |at_ns, replica, line| {
        part.line("told", &ToldLine { at_ns, replica, line: line.clone() }).map_err(io::Error::other)
    })
}

fn each(part: &mut PartWriter, all: impl FnOnce(&mut PartWriter) -> io::Result<()>) -> Result<(), ReportError> {
    let path = part.path().to_owned();
    all(part).map_err(|source| ReportError::Io { action: "write", path, source })
}
