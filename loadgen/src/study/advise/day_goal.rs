//! What is looked for on a day.

use strategies::units::duration_text;

use super::ask::Question;
use super::numbers::tidy;
use super::peak::peak_max;
use super::simulated_day::DayChange;
use crate::shell::exit::Failure;
use crate::study::sweep::goal::Goal;

impl Question {
    /// What is looked for, with an origin of this capacity: what was asked for, or else the lowest p99; and in any case
    /// what the numbers demand. Where a replica is killed, the requests that it had fail whatever the strategy: there, errors
    /// are not held against it. Where the cache is emptied or lost everything must be read anew, as fast as the origin can: there, its
    /// highest second is not, and the run must recover.
    ///
    /// # Errors
    /// [`Failure`] where it is no goal.
    pub fn goal(&self, change: DayChange, capacity: f64) -> Result<Goal, Failure> {
        let hot = self.keys_read.hot_key().is_some();
        let own = self.goal.as_deref().unwrap_or("min latency.p99").trim();
        let joint = match Goal::parse(own, hot).map_err(Failure::usage)?.conditions.as_slice() {
            [] => "where",
            _ => "and",
        };
        let peak = match change {
            DayChange::Cold | DayChange::LostCache => "recovery.recovered >= 1".to_owned(),
            _ => format!("origin.max_per_second <= {}", tidy(peak_max(capacity))),
        };
        let errors = if change == DayChange::Crash { "" } else { " and errors <= 0" };
        let stale = duration_text(self.max_stale);
        let text = format!("{own} {joint} {peak}{errors} and outcomes.shed <= 0 and stale.overage <= {stale}");
        Goal::parse(&text, hot).map_err(Failure::usage)
    }
}
