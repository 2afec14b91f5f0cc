//! Reads the parts of a run, and refuses what is not all of one run.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use report::{FileKind, PartFile, RunFolder, read_text};
use serde_json::de::{IoRead, StreamDeserializer};

use super::line::PartLine;
use super::record::PartRecord;
use crate::load::record::{Second, SecondBounds};
use crate::shell::exit::Failure;
use crate::shell::part::{command_beside, missing};

/// A part that was read, but for its lines.
pub struct RunPart {
    /// Its folder.
    pub at: PathBuf,
    /// Which it is.
    pub record: PartRecord,
    /// `scenario.toml` without the comment on its top.
    scenario: String,
}

/// The parts of one run, in order; those that were lost may be missing.
pub struct RunParts {
    /// They.
    pub parts: Vec<RunPart>,
    /// Which were lost.
    pub lost: BTreeSet<u32>,
}

impl RunParts {
    /// Reads the parts in these folders.
    ///
    /// # Errors
    /// [`Failure`] that names the part which is missing, doubled or of another run, or what cannot be read.
    pub fn read(folders: &[PathBuf]) -> Result<Self, Failure> {
        let mut parts = folders.iter().map(|at| read(at)).collect::<Result<Vec<_>, _>>()?;
        parts.sort_by_key(|part| part.record.index);
        for part in &parts {
            if let Some((what, found, needed)) = differs(&parts[0], part) {
                let needed = format!("{needed}, as in {}", parts[0].at.display());
                let remedy = "merge the shards of one run, made by one build";
                return Err(refused(&part.at, &format!("{what} {found}"), &needed, remedy));
            }
        }
        let mut pairs = parts.windows(2);
        if let Some(pair) = pairs.find(|pair| pair[0].record.index == pair[1].record.index) {
            let again = match pair[0].at == pair[1].at {
                true => "named twice".to_owned(),
                false => format!("also in {}", pair[0].at.display()),
            };
            let found = format!("shard {} twice, {again}", pair[1].record.index);
            return Err(refused(&pair[1].at, &found, "each shard once", "take one of them out"));
        }
        let lost = parts.iter().flat_map(|part| part.record.lost.iter().copied()).collect();
        let parts = Self { parts, lost };
        parts.check_missing().map(|()| parts)
    }

    /// The first part, which asked the replicas and the origin what they did.
    #[must_use]
    pub fn lead(&self) -> &RunPart {
        &self.parts[0]
    }

    fn check_missing(&self) -> Result<(), Failure> {
        let Some(first) = self.parts.first() else {
            return Err(Failure::usage("nothing to merge · name the shards' folders"));
        };
        let (of, found) = (first.record.of, self.parts.iter().map(|part| part.record.index).collect::<BTreeSet<u32>>());
        let is_there = |index| found.contains(&index) || (index > 0 && self.lost.contains(&index));
        let Some((one, missing)) = missing(of, is_there) else { return Ok(()) };
        let remedy = match &first.record.together {
            None => {
                let command = command_beside(&first.at, &first.record.whole, &format!("--shard {one}"));
                format!("run them: {command}")
            }
            Some(_) => "name their folders, too: they were driven together, so none can be made again alone".into(),
        };
        Err(Failure::usage(format!(
            "shards of the run are missing · found {} of {of}, missing {missing} · {remedy}",
            self.parts.len()
        )))
    }
}

fn read(at: &Path) -> Result<RunPart, Failure> {
    if !PartRecord::is_in(at) {
        return Err(refused(at, "a part of a sweep", "the folder of a shard, as the others are", "merge them apart"));
    }
    let record = PartRecord::read_in(at).map_err(Failure::failed)?;
    let text = read_text(&at.join("scenario.toml"), FileKind::Settings).map_err(Failure::failed)?;
    let scenario = text.lines().filter(|line| !line.starts_with('#')).collect::<Vec<_>>().join("\n");
    Ok(RunPart { at: at.to_owned(), record, scenario })
}

/// A refusal of one part.
pub(super) fn refused(at: &Path, found: &str, needed: &str, remedy: &str) -> Failure {
    let at = report::text::escape::line(&at.display().to_string());
    Failure::usage(format!("parts that can't be merged · {at} · found {found}, needed {needed} · {remedy}"))
}

/// The first thing in which a part is not of the same run as another: what, found there, needed.
fn differs(one: &RunPart, other: &RunPart) -> Option<(&'static str, String, String)> {
    let circumstances = |part: &RunPart| {
        let PartRecord { run, build, of, together, strategies, repeats, .. } = &part.record;
        [
            ("version", run.version.clone()),
            ("build", build.clone()),
            ("number of shards", of.to_string()),
            ("scenario", run.scenario.clone()),
            ("seed", run.seed.to_string()),
            ("replicas", run.replicas.to_string()),
            ("repeats", repeats.to_string()),
            ("strategies", strategies.join(", ")),
            ("lab", run.lab.clone()),
            ("scenario.toml", part.scenario.clone()),
            ("plan", run.plan_hash.clone()),
            ("run", together.clone().unwrap_or_else(|| "none".into())),
        ]
    };
    let pairs = circumstances(one).into_iter().zip(circumstances(other));
    pairs.into_iter().find(|(one, other)| one != other).map(|((what, needed), (_, found))| {
        // Of texts of many lines, the first in which they differ.
        let line = |of: &str, other: &str| {
            let other: Vec<&str> = other.lines().collect();
            of.lines().find(|line| !other.contains(line)).unwrap_or("less").trim().chars().take(60).collect()
        };
        (what, line(&found, &needed), line(&needed, &found))
    })
}

/// The lines of a part's file for one strategy. Its seconds come one by one, in order.
pub struct PartLines {
    at: PathBuf,
    lines: StreamDeserializer<'static, IoRead<PartFile>, PartLine>,
    bounds: SecondBounds,
    last: Option<i64>,
    /// The next second.
    pub second: Option<Box<Second>>,
    /// What comes behind the seconds, once all of them were taken.
    pub after: Option<PartLine>,
}

impl PartLines {
    /// Opens a part's file; `None` where there is none, which is so where the part was lost.
    ///
    /// # Errors
    /// [`Failure`] where it cannot be opened.
    pub fn open(part: &RunPart, folder: &str, bounds: &SecondBounds) -> Result<Option<Self>, Failure> {
        let files = RunFolder::at(&part.at).strategy(folder).map_err(Failure::failed)?;
        let Some(file) = files.open_part().map_err(Failure::failed)? else { return Ok(None) };
        let at = file.path().to_owned();
        let lines = serde_json::Deserializer::from_reader(file).into_iter();
        Ok(Some(Self { at, lines, bounds: bounds.clone(), last: None, second: None, after: None }))
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.at
    }

    /// The next line.
    ///
    /// # Errors
    /// [`Failure`] where there is none that can be read.
    pub fn line(&mut self) -> Result<Option<PartLine>, Failure> {
        let next = self.lines.next();
        next.transpose().map_err(|why| self.spoilt(&why.to_string()))
    }

    /// Reads up to the next second, or the end of them; shows what comes before it.
    ///
    /// # Errors
    /// [`Failure`] where it cannot be read, or can be no second of the run.
    pub fn up_to_a_second(&mut self, mut before: impl FnMut(PartLine) -> Result<(), Failure>) -> Result<(), Failure> {
        self.second = None;
        loop {
            match self.line()? {
                Some(PartLine::Second(second)) => {
                    if let Some(nonsense) = self.bounds.nonsense(&second) {
                        return Err(self.spoilt(&format!("found {nonsense}")));
                    }
                    let number = second.number();
                    let next = self.last.map_or(*self.bounds.numbers.start(), |last| last + 1);
                    if number != next {
                        return Err(self.spoilt(&format!("found second {number}, needed {next}")));
                    }
                    (self.last, self.second) = (Some(number), Some(second));
                    return Ok(());
                }
                Some(line @ (PartLine::Log(..) | PartLine::Warm(_))) => before(line)?,
                after => {
                    self.after = after;
                    return Ok(());
                }
            }
        }
    }

    /// A sentence on what is wrong with it.
    #[must_use]
    pub fn spoilt(&self, why: &str) -> Failure {
        let at = report::text::escape::line(&self.at.display().to_string());
        Failure::failed(format!("a shard's file can't be used · {at} · {why} · copy it anew, or run again"))
    }
}
