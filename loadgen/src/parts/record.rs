//! `part.json`: which part of which run a folder has.

use std::path::Path;

use report::record::Run;
use report::sweep::PARTS_MAX;
use report::{Document, STRATEGIES_MAX};
use serde::{Deserialize, Serialize};

/// The version of `part.json`. Only the build that wrote it reads it, so it is none of `loadgen schema`.
pub const PART_SCHEMA: &str = "loadgen.part/v1";

/// The file's name.
const FILE: &str = "part.json";

/// Which part of which run this is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PartRecord {
    /// [`PART_SCHEMA`].
    pub schema: String,
    /// Which part, from 0. The first one asked the replicas and the origin what they did.
    pub index: u32,
    /// How many there are.
    pub of: u32,
    /// The run that all of them drove together; `None` in virtual time, where each has a world of its own that is the others'.
    pub together: Option<String>,
    /// A hash of the sources of the generator.
    pub build: String,
    /// The strategies in the scenario's order, as they were asked for.
    pub strategies: Vec<String>,
    /// How often every strategy ran.
    pub repeats: u16,
    /// The command of the whole run, in the folder of results that is usual.
    pub whole: String,
    /// The scenario's fields that the command line sets.
    pub overridden: Vec<String>,
    /// Parts that were lost on the way.
    pub lost: Vec<u32>,
    /// The whole run, as `run.json` has it, so far without any strategy.
    pub run: Run,
}

impl PartRecord {
    /// Whether a folder is a part's.
    #[must_use]
    pub fn is_in(folder: &Path) -> bool {
        folder.join(FILE).is_file()
    }

    /// Reads a folder's.
    ///
    /// # Errors
    /// [`report::ReportError`] where there is none, or none that can be used.
    pub fn read_in(folder: &Path) -> Result<Self, report::ReportError> {
        Self::read(&folder.join(FILE))
    }

    /// A folder's as it is written.
    ///
    /// # Errors
    /// [`report::ReportError`] where there is none, or it is too large.
    pub fn text_in(folder: &Path) -> Result<String, report::ReportError> {
        report::read_text(&folder.join(FILE), report::FileKind::Document)
    }

    /// Writes it.
    ///
    /// # Errors
    /// [`report::ReportError`].
    pub fn write_in(&self, folder: &Path) -> Result<(), report::ReportError> {
        self.write(&folder.join(FILE))
    }
}

impl Document for PartRecord {
    const NAME: &'static str = "record of a part";
    const SCHEMA: &'static str = PART_SCHEMA;
    const MAKER: &'static str = "loadgen run --shard I/N";

    fn nonsense(&self) -> Option<String> {
        if self.of > PARTS_MAX || self.index >= self.of {
            return Some(format!(
                "it is part {} of {}, allowed at most {PARTS_MAX}, counted from 0",
                self.index, self.of
            ));
        }
        let strategies = self.strategies.len();
        (strategies > STRATEGIES_MAX).then(|| format!("found {strategies} strategies, allowed {STRATEGIES_MAX}"))
    }
}
