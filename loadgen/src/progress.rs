//! What the user sees while it runs: on a terminal a bar with the origin's reads per second as they happen, elsewhere a
//! line a strategy, and nothing at all with `--quiet`. Everything on standard error.

use std::collections::VecDeque;
use std::io::{IsTerminal as _, Write as _};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::live::Latest;

/// Readings that the sparkline shows.
const SPARKS: usize = 24;
const LEVELS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// Progress of one strategy.
pub struct Progress {
    bar: Option<ProgressBar>,
    rates: VecDeque<u64>,
    last: Option<(Duration, u64)>,
}

impl Progress {
    /// Begins a strategy that takes `length`.
    #[must_use]
    pub fn begin(quiet: bool, heading: &str, length: Duration) -> Self {
        let (heading, terminal) = (&report::escape::line(heading), std::io::stderr().is_terminal());
        if !quiet && !terminal {
            let _ = writeln!(std::io::stderr(), "{heading}, {} s", length.as_secs());
        }
        let bar = (terminal && !quiet).then(|| {
            let ms = u64::try_from(length.as_millis()).unwrap_or(u64::MAX);
            let bar = ProgressBar::with_draw_target(Some(ms), ProgressDrawTarget::stderr_with_hz(4));
            let colour = if std::env::var_os("NO_COLOR").is_some_and(|v| !v.is_empty()) { "" } else { ".cyan" };
            let template = format!("{{prefix}} {{bar:24{colour}}} {{eta:>4}} left  {{msg}}");
            if let Ok(style) = ProgressStyle::with_template(&template) {
                bar.set_style(style.progress_chars("━╸ "));
            }
            bar.set_prefix(heading.to_owned());
            bar
        });
        Self { bar, rates: VecDeque::new(), last: None }
    }

    /// Begins a strategy that is simulated: on a terminal as any other, elsewhere there is nothing to wait for.
    #[must_use]
    pub fn begin_virtual(quiet: bool, heading: &str, length: Duration) -> Self {
        Self::begin(quiet || !std::io::stderr().is_terminal(), heading, length)
    }

    /// Whether anybody looks, so that what is shown need not be asked for otherwise.
    #[must_use]
    pub fn is_shown(&self) -> bool {
        self.bar.is_some()
    }

    /// So much time has passed, and so many reads have reached the origin (`None` where that can't be known); and how the
    /// last second was.
    pub fn at(&mut self, elapsed: Duration, origin_reads: Option<u64>, latest: Latest) {
        let Some(bar) = &self.bar else { return };
        bar.set_position(u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX));
        let answers = answers(latest);
        let Some(origin_reads) = origin_reads else { return bar.set_message(answers) };
        let (before, reads) = self.last.unwrap_or((elapsed, origin_reads));
        let seconds = elapsed.saturating_sub(before).as_secs_f64();
        if seconds >= 0.45 || self.last.is_none() {
            let rate = if seconds > 0.0 { origin_reads.saturating_sub(reads) as f64 / seconds } else { 0.0 };
            self.rates.push_back(rate.round() as u64);
            if self.rates.len() > SPARKS {
                self.rates.pop_front();
            }
            self.last = Some((elapsed, origin_reads));
        }
        let now = self.rates.back().copied().unwrap_or(0);
        bar.set_message(format!("{answers}  origin {now:>4} reads/s {}", sparkline(&self.rates)));
    }

    /// The strategy is over; `summary` stays on the screen.
    pub fn end(self, summary: &str) {
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
            let _ = writeln!(std::io::stderr(), "{}  {summary}", bar.prefix());
        }
    }
}

/// The last second's p99, and what failed so far: `p99   204 ms  0 failed`.
fn answers(latest: Latest) -> String {
    let p99 = match latest.p99_ms {
        None => "–".to_owned(),
        Some(p99) if p99 < 10.0 => format!("{p99:.1}"),
        Some(p99) => format!("{p99:.0}"),
    };
    format!("p99 {p99:>5} ms  {} failed", latest.failed)
}

/// Rates as a row of blocks, scaled to the largest of them.
fn sparkline(rates: &VecDeque<u64>) -> String {
    let most = rates.iter().copied().max().unwrap_or(0).max(1);
    rates.iter().map(|rate| LEVELS[(rate * (LEVELS.len() as u64 - 1) / most) as usize]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_second_in_words() {
        assert_eq!(answers(Latest { p99_ms: Some(204.4), failed: 3 }), "p99   204 ms  3 failed");
        assert_eq!(answers(Latest { p99_ms: Some(0.26), failed: 0 }), "p99   0.3 ms  0 failed");
        assert_eq!(answers(Latest::default()), "p99     – ms  0 failed");
    }

    #[test]
    fn a_sparkline_is_scaled_to_its_largest() {
        assert_eq!(sparkline(&VecDeque::from([0, 49, 0, 24])), "▁█▁▄");
        assert_eq!(sparkline(&VecDeque::from([0, 0])), "▁▁");
        assert_eq!(sparkline(&VecDeque::new()), "");
    }
}
