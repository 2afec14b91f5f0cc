//! A run that is to be compared or promoted: read from its folder, and checked before anything is said of its figures.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use report::RunFolder;
use report::record::{Run, Strategy};
use report::text::escape::line;
use scenarios::Scenario;

use crate::shell::exit::Failure;

/// A run, and the fields of its resolved scenario.
pub(crate) struct CandidateRun {
    pub(crate) folder: RunFolder,
    pub(crate) run: Run,
    pub(crate) settings: BTreeMap<String, String>,
}

impl CandidateRun {
    /// Reads a run's folder, or the `run.json` in it.
    pub(crate) fn read(path: &Path) -> Result<Self, Failure> {
        let folder = match path.file_name() {
            Some(name) if name == "run.json" && path.is_file() => path.parent().unwrap_or(Path::new(".")),
            _ if path.is_file() => {
                return Err(Failure::usage(format!(
                    "no run · RUN · found the file {}, allowed a run's folder or the run.json in it · name the folder \
                     that `loadgen run` made",
                    path.display()
                )));
            }
            _ => path,
        };
        let files = RunFolder::at(folder);
        let run = files.read_run().map_err(Failure::usage)?;
        let toml = files.read_scenario().map_err(|error| {
            Failure::usage(format!("{error} · the resolved scenario must lie beside run.json: it says what was run"))
        })?;
        let name = folder.join("scenario.toml").display().to_string();
        let scenario = Scenario::parse(&toml, &name, &[]).map_err(Failure::usage)?;
        check_name("scenario", &run.scenario)?;
        check_name("lab", &run.lab)?;
        Ok(Self { folder: files, run, settings: scenario.settings() })
    }

    /// `hotkey.sim.json`.
    pub(super) fn file_name(&self) -> String {
        format!("{}.{}.json", self.run.scenario, self.run.lab)
    }

    /// Whether it was simulated: only virtual time makes figures that are equal twice.
    pub(super) fn is_exact(&self) -> bool {
        self.run.lab == "sim"
    }

    pub(super) fn check_whole(&self, path: &Path) -> Result<(), Failure> {
        let mut runs = self.run.strategies.iter().flat_map(|strategy| strategy.runs());
        let cut = runs.find(|run| run.cut_after_s.is_some());
        let found = match (self.run.complete, cut, self.run.strategies.as_slice()) {
            (_, _, []) => "no strategy in it".to_owned(),
            (_, Some(cut), _) => format!("{} cut short", line(&cut.name)),
            (false, ..) => "\"complete\": false".to_owned(),
            (true, None, _) => return Ok(()),
        };
        Err(Failure::not_comparable(format!(
            "an incomplete run · {} · found {found}, needed every strategy to its end · run it again",
            path.display()
        )))
    }

    pub(super) fn check_valid(&self, path: &Path) -> Result<(), Failure> {
        let mut names = BTreeSet::new();
        for strategy in &self.run.strategies {
            // No run writes these: it was edited, or two were put together.
            let odd = match &strategy.origin {
                _ if !names.insert(&strategy.name) => "is there twice",
                None if self.is_exact() => "has no \"origin\", which every simulated run has",
                _ => "",
            };
            if !odd.is_empty() {
                return Err(Failure::usage(format!(
                    "a damaged run · {} · found that {} {odd} · run it again",
                    path.display(),
                    line(&strategy.name)
                )));
            }
            let Some(reasons) = strategy.runs().find_map(reasons) else { continue };
            return Err(Failure::invalid(format!(
                "an invalid run · {} · found {} invalid: {reasons} · its figures mean nothing: find out why, and run it \
                 again",
                path.display(),
                line(&strategy.name)
            )));
        }
        Ok(())
    }
}

/// Why a run's figures mean nothing; `None` where they do.
fn reasons(run: &Strategy) -> Option<String> {
    match (run.valid, run.requests) {
        (true, 1..) => None,
        (true, 0) => Some("no requests".to_owned()),
        (false, _) if run.invalid_because.is_empty() => Some("no reason was recorded".to_owned()),
        (false, _) => Some(line(&run.invalid_because.join("; "))),
    }
}

/// A file is named after these, and the record may be anybody's.
fn check_name(field: &str, name: &str) -> Result<(), Failure> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if !name.is_empty() && name.len() <= 64 && name.chars().all(plain) {
        return Ok(());
    }
    Err(Failure::usage(format!(
        "no name for a baseline · \"{field}\" in run.json · found {name:?}, allowed a-z, 0-9 and - · run.json is not meant \
         to be edited"
    )))
}
