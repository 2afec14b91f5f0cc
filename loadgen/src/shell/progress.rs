//! What the user sees while it runs: on a terminal a bar with the origin's reads per second as they happen, elsewhere a
//! line a strategy, and nothing at all with `--quiet`. Everything on standard error.
//!
//! A line that is wider than the terminal would wrap, and leave its remains behind at every redraw: what does not fit is left
//! out, the least important first.

use std::collections::VecDeque;
use std::io::{IsTerminal as _, Write as _};
use std::time::Duration;

use console::Term;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::load::live::Latest;

/// Readings that the sparkline shows.
const SPARKS: usize = 24;
/// Characters of the bar.
const BAR: usize = 24;
/// Columns where the terminal does not say how many it has.
const COLUMNS: usize = 80;
const LEVELS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// Progress of one strategy.
pub struct Progress {
    bar: Option<ProgressBar>,
    heading: String,
    length: Duration,
    rates: VecDeque<u64>,
    last: Option<(Duration, u64)>,
}

impl Progress {
    /// Begins a strategy that takes `length`.
    #[must_use]
    pub fn begin(quiet: bool, heading: &str, length: Duration) -> Self {
        let (heading, terminal) = (&report::text::escape::line(heading), std::io::stderr().is_terminal());
        if !quiet && !terminal {
            let _ = writeln!(std::io::stderr(), "{heading}, {} s", length.as_secs());
        }
        let bar = (terminal && !quiet).then(|| {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(4));
            if let Ok(style) = ProgressStyle::with_template("{wide_msg}") {
                bar.set_style(style);
            }
            bar
        });
        Self { bar, heading: heading.to_owned(), length, rates: VecDeque::new(), last: None }
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
        let answers = answers(latest);
        let Some(origin_reads) = origin_reads else { return self.draw(bar, elapsed, &answers, "", "") };
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
        self.draw(bar, elapsed, &answers, &format!("origin {now:>4} reads/s"), &sparkline(&self.rates));
    }

    fn draw(&self, bar: &ProgressBar, elapsed: Duration, answers: &str, origin: &str, sparks: &str) {
        let share = elapsed.as_secs_f64() / self.length.as_secs_f64().max(f64::MIN_POSITIVE);
        let left = format!("{:>3} s left", self.length.saturating_sub(elapsed).as_secs());
        let columns = Term::stderr().size_checked().map_or(COLUMNS, |(_, columns)| usize::from(columns));
        let said = Said { heading: &self.heading, bar: &filled(share), left: &left, answers, origin, sparks };
        bar.set_message(line(columns, &said));
    }

    /// The strategy is over; `summary` stays on the screen.
    pub fn end(self, summary: &str) {
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
            let _ = writeln!(std::io::stderr(), "{}  {summary}", self.heading);
        }
    }
}

/// The pieces of a line, from left to right.
struct Said<'a> {
    heading: &'a str,
    bar: &'a str,
    left: &'a str,
    answers: &'a str,
    origin: &'a str,
    sparks: &'a str,
}

/// A line for a terminal of so many columns, the last of which stays free: some terminals wrap when it is written. The heading
/// has half of it at most; of the rest there is what fits, in the order of its importance.
fn line(columns: usize, said: &Said<'_>) -> String {
    let room = (if columns == 0 { COLUMNS } else { columns }).saturating_sub(1);
    let heading: String = match said.heading.chars().count() {
        length if length > room / 2 => said.heading.chars().take((room / 2).saturating_sub(1)).chain(['…']).collect(),
        _ => said.heading.to_owned(),
    };
    let shown = [said.bar, said.left, said.answers, said.origin, said.sparks];
    let mut used = heading.chars().count();
    let mut fits = [false; 5];
    for at in [1, 2, 3, 0, 4] {
        let width = 2 + shown[at].chars().count();
        fits[at] = width > 2 && used + width <= room;
        used += if fits[at] { width } else { 0 };
    }
    let kept = shown.into_iter().zip(fits).filter(|(_, fits)| *fits).map(|(piece, _)| piece);
    let line: Vec<&str> = [heading.as_str()].into_iter().chain(kept).collect();
    line.join("  ").chars().take(room).collect()
}

/// How much is done, as a bar.
fn filled(share: f64) -> String {
    let done = ((share.clamp(0.0, 1.0) * BAR as f64) as usize).min(BAR);
    format!("{}{}", "━".repeat(done), "·".repeat(BAR - done))
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
    fn a_line_fits_any_terminal() {
        let (bar, sparks) = (filled(0.5), "▁".repeat(SPARKS));
        let said = |heading| Said {
            heading,
            bar: &bar,
            left: " 12 s left",
            answers: "p99   204 ms  0 failed",
            origin: "origin    7 reads/s",
            sparks: &sparks,
        };
        let long = "block 10/10 · 11/11 swr(soft=5s, hard=10s) + lock(lease=10s, poll=50ms) + jitter(20%)";
        for columns in 1..200 {
            for heading in ["1/5 naive", long] {
                assert!(line(columns, &said(heading)).chars().count() < columns.max(2), "{columns}");
            }
        }
        let short = said("1/5 naive");
        assert_eq!(line(40, &short), "1/5 naive   12 s left");
        assert_eq!(line(80, &short), "1/5 naive   12 s left  p99   204 ms  0 failed  origin    7 reads/s");
        assert_eq!(
            line(120, &short),
            format!("1/5 naive  {bar}   12 s left  p99   204 ms  0 failed  origin    7 reads/s  {sparks}")
        );
        assert_eq!(line(0, &short), line(80, &short), "a terminal that does not say");
        assert!(line(80, &said(long)).starts_with("block 10/10 · 11/11 swr(soft=5s, hard=…   12 s left"));
    }

    #[test]
    fn a_sparkline_is_scaled_to_its_largest() {
        assert_eq!(sparkline(&VecDeque::from([0, 49, 0, 24])), "▁█▁▄");
        assert_eq!(sparkline(&VecDeque::from([0, 0])), "▁▁");
        assert_eq!(sparkline(&VecDeque::new()), "");
    }
}
