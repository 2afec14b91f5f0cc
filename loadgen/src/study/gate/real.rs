//! `gate` and `promote` of real runs.

use std::collections::BTreeMap;
use std::path::Path;

use report::Document as _;
use report::compare::baseline::{MEASURED_SCHEMA, Measured};
use report::compare::stats::{RUNS_MIN, median};
use report::record::Strategy;

use super::baseline_file::{no_baseline, replaceable, unwritten};
use super::candidate::CandidateRun;
use super::circumstances::differences;
use super::measured::{CheckResult, checks, fewest};
use super::{files, sentences};
use crate::cli::{GateArgs, PromoteArgs};
use crate::shell::exit::{Exit, Failure};
use crate::shell::output;
use crate::study::noise;

/// Holds a real run to a baseline of real runs.
pub(super) fn gate(args: &GateArgs, candidate: &CandidateRun, path: &Path) -> Result<Exit, Failure> {
    let new = candidate.measured(&args.run)?;
    let base = Measured::read(path).map_err(|error| no_baseline(&error, path, &args.run))?;
    let mut found = differences((&base.run, &base.settings), (&new.run, &new.settings));
    for was in base.run.strategies.iter().filter(|was| !new.run.strategies.iter().any(|is| is.name == was.name)) {
        let field = format!("strategy {}", was.name);
        found.apart.push(report::compare::baseline::Difference {
            field,
            found: "nothing".into(),
            needed: was.spec.clone(),
        });
    }
    if !found.apart.is_empty() {
        return Err(sentences::not_comparable(path, &args.run, &found.apart));
    }
    let few = fewest(&base, &new);
    if let (Some(few), true) = (few, args.strict_time) {
        return Err(Failure::not_comparable(format!(
            "too few runs to judge time · --strict-time · found {few}, needed at least {RUNS_MIN} in the run and in its \
             baseline · make both with --repeats 10"
        )));
    }
    let noise = noise::of(&args.noise, &new.run)?;
    let (checks, comparisons) = checks(&base, &new, &noise, args.strict_time);
    let mut notes: Vec<String> = found
        .told
        .iter()
        .map(|one| format!("{} is {}, in the baseline {}", one.field, one.found, one.needed))
        .collect();
    notes.extend(
        few.map(|few| format!("too few runs for a test of times and totals: {few}, needed at least {RUNS_MIN}")),
    );
    let folder = files::write(candidate.folder.path(), &new.run, &checks, &comparisons, &notes)?;
    output::out(&sentences::measured(path, &args.run, &checks, &notes))?;
    output::out(&format!("files    {}\n", folder.display()))?;
    let regressed = checks.iter().any(|check| matches!(check.found, CheckResult::Regression(_)));
    Ok(if regressed { Exit::Regression } else { Exit::Ok })
}

/// Makes a real run the baseline of its scenario and lab.
pub(super) fn promote(args: &PromoteArgs, candidate: &CandidateRun, path: &Path) -> Result<Exit, Failure> {
    let new = candidate.measured(&args.run)?;
    let is_new = replaceable(Measured::read(path), path)?.is_none();
    new.write(path).map_err(unwritten)?;
    let runs = new.run.strategies.iter().map(|strategy| strategy.runs().count()).min().unwrap_or(0);
    let commit = if is_new { "It is new here: commit it." } else { "Commit it with the reason." };
    let few = if runs < RUNS_MIN {
        format!(" Totals and times are tested from {RUNS_MIN} runs on (--repeats).")
    } else {
        String::new()
    };
    output::out(&format!(
        "baseline {}: {} strategies, {runs} runs of each\n{commit}{few}\n",
        path.display(),
        new.run.strategies.len()
    ))?;
    Ok(Exit::Ok)
}

impl CandidateRun {
    /// What a real run came to, where that can be held against it.
    fn measured(&self, path: &Path) -> Result<Measured, Failure> {
        self.check_whole(path)?;
        self.check_valid(path)?;
        let mut origin_ms = BTreeMap::new();
        for strategy in &self.run.strategies {
            let all = strategy.runs().map(|run| self.origin_ms(run)).collect::<Result<Option<Vec<f64>>, Failure>>()?;
            if let Some(middle) = all.and_then(|all| median(&all)) {
                origin_ms.insert(strategy.name.clone(), middle);
            }
        }
        let (settings, run) = (self.settings.clone(), self.run.clone());
        Ok(Measured { schema: MEASURED_SCHEMA.into(), settings, origin_ms, run })
    }

    /// The median time from a read's begin to its end, milliseconds; `None` where there is no ledger or no read in it.
    fn origin_ms(&self, run: &Strategy) -> Result<Option<f64>, Failure> {
        if run.origin.is_none() {
            return Ok(None);
        }
        let files = self.folder.strategy(&run.folder).map_err(Failure::usage)?;
        let rows = files.read_origin().map_err(Failure::usage)?;
        let took = rows
            .iter()
            .filter(|row| row.outcome == "ok")
            .filter_map(|row| Some((row.end_ns? - row.start_ns?) as f64 / 1e6));
        Ok(median(&took.collect::<Vec<_>>()))
    }
}
