//! All runs of a grid, on all cores: one simulation a thread, and the first one that fails ends it all.

use std::io::{IsTerminal as _, Write as _};
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use app::process::shutdown::Shutdown;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use report::record::Strategy;

use super::grid::Grid;
use crate::cli::settings::Settings;
use crate::shell::exit::Failure;

/// How often a sweep says how far it is, where there is no terminal for a bar.
const SAY_EVERY: Duration = Duration::from_secs(10);

/// What came of a grid.
pub struct Finished {
    /// Every run that was finished, by point and seed; `None` where it was not.
    pub runs: Vec<Vec<Option<Strategy>>>,
    /// Why it ended early, where a run failed.
    pub failure: Option<Failure>,
}

impl Finished {
    /// How many runs were finished.
    #[must_use]
    pub fn count(&self) -> usize {
        self.runs.iter().flatten().flatten().count()
    }
}

/// How many threads a sweep has.
#[must_use]
pub fn threads(grid: &Grid) -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get).min(grid.runs().max(1))
}

/// Runs everything, seed by seed: a sweep that is stopped has the whole grid with fewer seeds, not half of it with all.
/// `simulate` is given settings with one subject, and what says when to stop.
pub fn run_all<S>(grid: &Grid, simulate: S, stop: &Shutdown, quiet: bool) -> Finished
where
    S: Fn(&Settings, &Shutdown) -> Result<Strategy, Failure> + Sync,
{
    let next = AtomicUsize::new(0);
    let over = AtomicBool::new(false);
    let none = || vec![None; grid.seeds.len()];
    let finished = Mutex::new(Finished { runs: grid.points.iter().map(|_| none()).collect(), failure: None });
    let (own, runs) = (grid.own(), grid.runs());
    let progress = Mutex::new(Progress::begin(runs, quiet));
    let work = || {
        while !over.load(Ordering::Relaxed) && !stop.is_said() {
            let job = next.fetch_add(1, Ordering::Relaxed);
            if job >= runs {
                return;
            }
            let (seed, point) = (job / own.len(), own[job % own.len()]);
            let settings = Settings { seed: grid.seeds[seed], ..grid.points[point].settings.clone() };
            let ended = simulate(&settings, stop);
            let mut finished = finished.lock().unwrap_or_else(PoisonError::into_inner);
            match ended {
                // A run that was cut short is none.
                Ok(strategy) if strategy.cut_after_s.is_some() || stop.is_said() => {}
                Ok(strategy) => finished.runs[point][seed] = Some(strategy),
                Err(failure) => {
                    over.store(true, Ordering::Relaxed);
                    finished.failure.get_or_insert(failure);
                }
            }
            drop(finished);
            progress.lock().unwrap_or_else(PoisonError::into_inner).one_more();
        }
    };
    let panicked = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..threads(grid)).map(|_| scope.spawn(work)).collect();
        threads.into_iter().map(|thread| thread.join().is_err()).fold(false, |any, one| any | one)
    });
    if let Some(bar) = progress.into_inner().unwrap_or_else(PoisonError::into_inner).bar {
        bar.finish_and_clear();
    }
    let mut finished = finished.into_inner().unwrap_or_else(PoisonError::into_inner);
    if panicked {
        finished.failure.get_or_insert_with(|| Failure::failed("a simulation panicked: a bug"));
    }
    finished
}

/// How a sweep is getting on: on a terminal a bar, elsewhere a line after the first run and then now and then, and nothing
/// at all when it is quiet.
struct Progress {
    bar: Option<ProgressBar>,
    lines: bool,
    said: Option<Instant>,
    done: usize,
    runs: usize,
}

impl Progress {
    fn begin(runs: usize, quiet: bool) -> Self {
        let terminal = std::io::stderr().is_terminal();
        let bar = (!quiet && terminal).then(|| bar(runs));
        Self { bar, lines: !quiet && !terminal, said: None, done: 0, runs }
    }

    fn one_more(&mut self) {
        self.done += 1;
        if let Some(bar) = &self.bar {
            bar.inc(1);
        }
        if self.lines && self.said.is_none_or(|said| said.elapsed() >= SAY_EVERY) {
            let _ = writeln!(std::io::stderr(), "{} of {} runs", self.done, self.runs);
            self.said = Some(Instant::now());
        }
    }
}

fn bar(runs: usize) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(runs as u64), ProgressDrawTarget::stderr_with_hz(4));
    let colour = if std::env::var_os("NO_COLOR").is_some_and(|v| !v.is_empty()) { "" } else { ":.cyan" };
    let template = format!("{{pos}}/{{len}} runs {{wide_bar{colour}}} {{eta:>4}} left");
    if let Ok(style) = ProgressStyle::with_template(&template) {
        bar.set_style(style.progress_chars("━╸ "));
    }
    bar
}
