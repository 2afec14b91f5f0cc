//! The grid: every combination of the knobs' values, for every strategy that has those knobs.
//!
//! Each point is the settings of an ordinary run, made by the same code from the same arguments. So whatever a run refuses
//! a sweep refuses, before anything is run, and a point can be run again alone.

use std::collections::BTreeSet;

use strategies::Spec;

use super::knob::{Knob, Turns};
use crate::cli::settings::{Settings, Subject};
use crate::cli::{LabChoice, RunArgs, SweepArgs};
use crate::shell::exit::Failure;
use crate::shell::part::PartOf;

/// Most runs of one sweep.
pub const RUNS_MAX: u64 = 50_000;

/// What a sweep runs.
pub struct Grid {
    /// The scenario as it is where no knob is turned, with the strategies that take part.
    pub base: Settings,
    /// What is varied.
    pub knobs: Vec<Knob>,
    /// The seeds that each point is run with.
    pub seeds: Vec<u64>,
    /// The points: strategy by strategy, and in each the last knob's values fastest.
    pub points: Vec<GridPoint>,
    /// Strategies of the scenario that lack a knob and so take no part.
    pub left_out: Vec<String>,
    /// Which of the points are run, where not all are.
    pub part: Option<PartOf>,
}

/// One setting of all knobs for one strategy.
pub struct GridPoint {
    /// The strategy as it is called where no knob is turned.
    pub strategy: String,
    /// Which of each knob's values.
    pub at: Vec<usize>,
    /// What to run: one subject.
    pub settings: Settings,
}

impl GridPoint {
    /// The strategy that is run.
    #[must_use]
    pub fn subject(&self) -> Option<&Subject> {
        self.settings.subjects.first()
    }
}

impl Grid {
    /// The grid that the arguments say.
    ///
    /// # Errors
    /// [`Failure`] with the first thing that is wrong, be it at a single point.
    pub fn of(args: &SweepArgs) -> Result<Self, Failure> {
        let knobs = args.vary.iter().map(|typed| Knob::read(typed)).collect::<Result<Vec<_>, _>>()?;
        check_once(&knobs, &args.run)?;
        args.run.is_whole("sweep … --points I/N runs a part of the settings")?;
        let run = RunArgs { lab: lab(args.run.lab)?, quiet: true, ..args.run.clone() };
        let mut base = Settings::of(&run)?;
        let (taking, left_out) = taking_part(&base, &knobs, args.run.strategy.is_some())?;
        base.subjects.retain(|subject| taking.contains(&subject.name));
        let last = args.run.seed.checked_add(u64::from(args.seeds) - 1).ok_or_else(|| {
            Failure::usage("the last seed is too large · --seed and --seeds · allowed up to 2^64 − 1 · lower --seed")
        })?;
        let seeds: Vec<u64> = (args.run.seed..=last).collect();
        check_size(&knobs, base.subjects.len(), seeds.len())?;
        let mut points = Vec::new();
        for subject in &base.subjects {
            for at in combinations(&knobs) {
                points.push(point(&run, subject, &knobs, at)?);
            }
        }
        Ok(Self { base, knobs, seeds, points, left_out, part: args.points })
    }

    /// The points that are run, as indices.
    #[must_use]
    pub fn own(&self) -> Vec<usize> {
        (0..self.points.len()).filter(|point| self.part.is_none_or(|part| part.has(*point as u64))).collect()
    }

    /// How many runs there are.
    #[must_use]
    pub fn runs(&self) -> usize {
        self.own().len() * self.seeds.len()
    }
}

fn lab(lab: LabChoice) -> Result<LabChoice, Failure> {
    let name = match lab {
        LabChoice::Auto | LabChoice::Sim => return Ok(LabChoice::Sim),
        LabChoice::Local => "local",
        LabChoice::Docker => "docker",
    };
    Err(Failure::usage(format!(
        "a sweep in real time · --lab · found {name}, allowed sim · leave --lab out; run single settings with `loadgen run`"
    )))
}

/// A knob that is turned twice, or also set, would be one that does not do what it says.
fn check_once(knobs: &[Knob], run: &RunArgs) -> Result<(), Failure> {
    let mut seen = BTreeSet::new();
    let flags = [
        ("-d", "load.duration", run.duration.is_some()),
        ("-w", "load.warmup", run.warmup.is_some()),
        ("-c", "load.clients", run.clients.is_some()),
        ("-r", "load.rate", run.rate.is_some()),
        ("--trace", "load.trace", run.trace.is_some()),
        ("--arrival", "load.arrivals", run.arrival.is_some()),
    ];
    for Knob { name, .. } in knobs {
        let set = run.set.iter().find(|set| set.split('=').next().is_some_and(|field| field.trim() == name));
        let flag = flags.iter().find(|(_, field, given)| *given && field == name);
        let twice = match (seen.insert(name), set, flag) {
            (false, ..) => "a second --vary".to_owned(),
            (_, Some(set), _) => format!("--set {set}"),
            (_, _, Some((flag, ..))) => (*flag).to_owned(),
            (true, None, None) => continue,
        };
        return Err(Failure::usage(format!(
            "the same field twice · --vary {name} · found {twice} for it, too, allowed one of them · drop one"
        )));
    }
    Ok(())
}

/// The strategies that have every knob, and those that have not. A user who named them is not second-guessed.
fn taking_part(base: &Settings, knobs: &[Knob], named: bool) -> Result<(Vec<String>, Vec<String>), Failure> {
    let lacks = |spec: &Spec| knobs.iter().find(|knob| !knob.applies_to(spec));
    let (mut taking, mut left_out) = (Vec::new(), Vec::new());
    let mut lacking = None;
    for subject in &base.subjects {
        // One that counts has none of the layers that read.
        let of_a_layer = || knobs.iter().find(|knob| knob.turns != Turns::Scenario);
        match subject.strategy.as_ref().map_or_else(of_a_layer, lacks) {
            None => taking.push(subject.name.clone()),
            Some(knob) => {
                lacking = lacking.or(Some((subject, knob)));
                left_out.push(subject.name.clone());
            }
        }
    }
    match lacking {
        Some((Subject { name, composition, .. }, knob)) if named || taking.is_empty() => {
            let knob = &knob.name;
            let remedy = if named { "take it out of --strategy, or drop the knob" } else { "name one with --strategy" };
            Err(Failure::usage(format!(
                "a strategy without this knob · --vary {knob} · found {name} ({composition}), needed a strategy that has it · \
                 {remedy}"
            )))
        }
        _ => Ok((taking, left_out)),
    }
}

fn check_size(knobs: &[Knob], strategies: usize, seeds: usize) -> Result<(), Failure> {
    let sizes = knobs.iter().map(|knob| knob.values.len());
    let factors: Vec<usize> = [strategies].into_iter().chain(sizes).chain([seeds]).collect();
    let runs = factors.iter().fold(1_u64, |runs, factor| runs.saturating_mul(*factor as u64));
    if runs <= RUNS_MAX {
        return Ok(());
    }
    let settings: Vec<String> = knobs.iter().map(|knob| format!("{} of {}", knob.values.len(), knob.name)).collect();
    Err(Failure::usage(format!(
        "too many runs · --vary · found {strategies} strategies × {} × {seeds} seeds = {runs}, allowed at most {RUNS_MAX} · \
         make a step larger, or lower --seeds",
        settings.join(" × ")
    )))
}

/// Every combination of the knobs' values, the last knob's fastest.
fn combinations(knobs: &[Knob]) -> Vec<Vec<usize>> {
    knobs.iter().fold(vec![Vec::new()], |all, knob| {
        let longer = |at: &Vec<usize>| {
            let at = at.clone();
            (0..knob.values.len()).map(move |value| at.iter().copied().chain([value]).collect())
        };
        all.iter().flat_map(longer).collect()
    })
}

fn point(run: &RunArgs, subject: &Subject, knobs: &[Knob], at: Vec<usize>) -> Result<GridPoint, Failure> {
    let mut spec = subject.strategy.clone();
    let mut args = run.clone();
    for (knob, value) in knobs.iter().zip(&at) {
        let (name, value) = (&knob.name, &knob.values[*value].text);
        if let Some((reads, (layer, param))) = spec.as_ref().and_then(|spec| Some((spec, knob.layer_of(spec)?))) {
            let refused =
                |e| Failure::usage(format!("not a strategy · --vary {name}={value} · {e} · change the value"));
            spec = Some(reads.with_param(layer, param, value).map_err(refused)?);
        } else if knob.turns == Turns::Scenario {
            args.set.push(format!("{name}={value}"));
        }
    }
    args.strategy = Some(spec.map_or_else(|| subject.name.clone(), |spec| spec.name().to_owned()));
    let settings = Settings::of(&args).map_err(|failure| named_by_vary(failure, &args.set[run.set.len()..]))?;
    Ok(GridPoint { strategy: subject.name.clone(), at, settings })
}

/// What is wrong with a knob's value is shown at the knob.
fn named_by_vary(mut failure: Failure, sets: &[String]) -> Failure {
    for set in sets {
        failure.text = failure.text.replace(&format!("--set {set}"), &format!("--vary {set}"));
    }
    failure
}
