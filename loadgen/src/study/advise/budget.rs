//! What an answer may cost: counted in the simulator's steps and not in seconds, so that the same question has the same answer on any
//! machine. A run that would exceed it is cut, and what came of it is not known.

use std::io::{IsTerminal as _, Write as _};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Steps of a whole answer: half a minute on two cores (measured: 0.15 to 0.8 µs each).
pub const ALL: u64 = 75_000_000;
/// Of these for the other days, once it is known what is advised.
const LATE: u64 = 20_000_000;
/// Steps of one run, so that two at once fit into a gigabyte.
pub const RUN_MAX: u64 = 16_000_000;
/// With fewer a run is not begun.
pub const RUN_MIN: u64 = 20_000;
/// What a simulated second costs in which nothing happens (its ticks and its rows), in steps (measured).
pub const STEPS_PER_SECOND: u64 = 100;
/// What a step takes on a cloud machine, seconds (measured).
const STEP_S: f64 = 0.5e-6;

/// What is left of it, and how far the answer is.
#[derive(Debug)]
pub struct Purse {
    spent: AtomicU64,
    kept: AtomicU64,
    expected: u64,
    bar: Option<ProgressBar>,
}

impl Purse {
    /// Nothing is spent yet. On a terminal one line shows how far it is; elsewhere there is none.
    #[must_use]
    pub fn new(expected: u64, quiet: bool) -> Self {
        let bar = (!quiet && std::io::stderr().is_terminal()).then(|| bar(expected));
        Self { spent: AtomicU64::new(0), kept: AtomicU64::new(LATE), expected, bar }
    }

    /// Says how long it takes, about.
    pub fn announce(&self, quiet: bool) {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let s = (self.expected as f64 * STEP_S / cores as f64).ceil();
        if !quiet && s >= 2.0 {
            let _ = writeln!(std::io::stderr(), "simulating: about {s:.0} s");
        }
    }

    /// A part of what is left.
    #[must_use]
    pub fn part(&self, part: f64) -> u64 {
        let kept = self.kept.load(Ordering::Relaxed);
        (ALL.saturating_sub(self.spent() + kept) as f64 * part) as u64
    }

    /// What is advised is known: nothing is kept any longer.
    pub fn keep_nothing(&self) {
        self.kept.store(0, Ordering::Relaxed);
    }

    /// Steps that were taken.
    #[must_use]
    pub fn spent(&self) -> u64 {
        self.spent.load(Ordering::Relaxed)
    }

    /// A run has cost so many.
    pub fn pay(&self, steps: u64) {
        let spent = self.spent.fetch_add(steps, Ordering::Relaxed) + steps;
        if let Some(bar) = &self.bar {
            // More than was expected: it goes on, and there is something left.
            bar.set_length(self.expected.max(spent + spent / 20));
            bar.set_position(spent);
        }
    }

    /// Takes the line away.
    pub fn clear(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }

    /// What is done now.
    pub fn doing(&self, what: &str) {
        if let Some(bar) = &self.bar {
            bar.set_message(what.to_owned());
        }
    }
}

impl Drop for Purse {
    fn drop(&mut self) {
        self.clear();
    }
}

fn bar(expected: u64) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(expected), ProgressDrawTarget::stderr_with_hz(4));
    let colour = if std::env::var_os("NO_COLOR").is_some_and(|v| !v.is_empty()) { "" } else { ".cyan" };
    if let Ok(style) =
        ProgressStyle::with_template(&format!("{{percent:>3}}% {{bar:20{colour}}} {{eta:>3}} left  {{wide_msg}}"))
    {
        bar.set_style(style.progress_chars("━╸ "));
    }
    bar.enable_steady_tick(Duration::from_millis(500));
    bar
}
