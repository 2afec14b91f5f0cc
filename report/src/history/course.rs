//! What an index keeps of a run, and its figures put in courses.

use std::collections::BTreeMap;

use crate::compare::Noise;
use crate::record::{Metric, Run, Strategy};
use crate::text::phrases::reasons;
use crate::text::sentences::interruption;

/// Everything that must be equal for two runs' figures to be figures of the same thing.
pub type RunCircumstances = BTreeMap<String, String>;

/// Whether a run is part of a course.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RunState {
    /// It is: valid, and run to its end.
    Counts,
    /// It is shown, and its figures are not used.
    Invalid(String),
    /// It ended before its time, and its figures are not used.
    Interrupted(String),
}

/// A run, as the index has it.
#[derive(Debug, Clone, PartialEq)]
pub struct HistoryRun {
    /// Its folder, from the index's own.
    pub folder: String,
    /// When it began, RFC 3339, UTC.
    pub started_at: String,
    /// Its scenario.
    pub scenario: String,
    /// Its lab.
    pub lab: String,
    /// The names of its strategies.
    pub strategies: Vec<String>,
    /// Whether it counts.
    pub state: RunState,
}

/// One run's figures of one strategy: of each metric one number a block, or none where it is not known.
#[derive(Debug, Clone, PartialEq)]
pub struct CoursePoint {
    /// Which run, by its place in [`History::runs`].
    pub run: usize,
    values: [Vec<f64>; Metric::ALL.len()],
}

impl CoursePoint {
    fn of(run: usize, strategy: &Strategy) -> Self {
        let values = |metric: Metric| strategy.runs().map(|one| metric.of(one)).collect::<Option<Vec<f64>>>();
        Self { run, values: Metric::ALL.map(|metric| values(metric).unwrap_or_default()) }
    }

    /// The figures of a metric, one a block; none where it is not known.
    #[must_use]
    pub fn of_metric(&self, metric: Metric) -> &[f64] {
        Metric::ALL.iter().zip(&self.values).find(|(one, _)| **one == metric).map_or(&[], |(_, values)| values)
    }
}

/// A strategy's figures over runs of the same circumstances, oldest first.
#[derive(Debug, Clone, PartialEq)]
pub struct Course {
    /// The circumstances, by their place in [`History::circumstances`].
    pub circumstances: usize,
    /// The strategy's name.
    pub strategy: String,
    /// Its composition.
    pub spec: String,
    /// A point a run.
    pub points: Vec<CoursePoint>,
}

/// All runs below a folder.
#[derive(Debug, Default)]
pub struct History {
    /// Those that can be read, in the order added.
    pub runs: Vec<HistoryRun>,
    /// Those that cannot be read, and why.
    pub unreadable: Vec<(String, String)>,
    /// Every set of circumstances that a run had.
    pub circumstances: Vec<RunCircumstances>,
    /// What is known of the noise of each of them.
    noises: Vec<Noise>,
    known: BTreeMap<RunCircumstances, usize>,
    courses: BTreeMap<(usize, String, String), Vec<CoursePoint>>,
}

impl History {
    /// Takes what the index needs of a run. `noise` is what is known of that of its scenario, lab and machine.
    pub fn add(&mut self, folder: String, run: &Run, circumstances: RunCircumstances, noise: Noise) {
        let at = self.runs.len();
        let state = state(run);
        if state == RunState::Counts {
            let next = self.circumstances.len();
            let place = *self.known.entry(circumstances.clone()).or_insert(next);
            if place == next {
                self.circumstances.push(circumstances);
                self.noises.push(noise);
            }
            for strategy in &run.strategies {
                let course = self.courses.entry((place, strategy.name.clone(), strategy.spec.clone())).or_default();
                course.push(CoursePoint::of(at, strategy));
            }
        }
        let strategies = run.strategies.iter().map(|strategy| strategy.name.clone()).collect();
        let (started_at, scenario, lab) = (run.started_at.clone(), run.scenario.clone(), run.lab.clone());
        self.runs.push(HistoryRun { folder, started_at, scenario, lab, strategies, state });
    }

    /// How far a figure of a course may differ from itself, and whether that was measured.
    pub(super) fn noise(&self, course: &Course, metric: Metric) -> (f64, bool) {
        let unknown = Noise::default();
        let noise = self.noises.get(course.circumstances).unwrap_or(&unknown);
        (noise.of(metric), noise.is_measured(metric))
    }

    /// Every course, its points by when their runs began.
    #[must_use]
    pub fn courses(&self) -> Vec<Course> {
        let began = |point: &CoursePoint| self.runs.get(point.run).map(|run| (&run.started_at, &run.folder));
        let course = |((circumstances, strategy, spec), points): (&(usize, String, String), &Vec<CoursePoint>)| {
            let mut points = points.clone();
            points.sort_by(|a, b| began(a).cmp(&began(b)));
            Course { circumstances: *circumstances, strategy: strategy.clone(), spec: spec.clone(), points }
        };
        self.courses.iter().map(course).collect()
    }
}

fn state(run: &Run) -> RunState {
    let invalid = run.strategies.iter().flat_map(Strategy::runs).find(|one| !one.valid);
    let cut = run.strategies.iter().flat_map(Strategy::runs).any(|one| one.cut_after_s.is_some());
    match invalid {
        Some(one) => RunState::Invalid(format!("{}: {}", one.name, reasons(one))),
        None if cut || !run.complete || run.strategies.is_empty() => RunState::Interrupted(interruption(run)),
        None => RunState::Counts,
    }
}
