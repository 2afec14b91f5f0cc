//! The goal of a sweep: `min origin.total where latency.p99 <= 20ms and stale.share <= 1%`.
//!
//! What is asked for is one number over all seeds: the objective is the mean, and a condition must hold for every seed,
//! because a setting that keeps its promise four times of five does not keep it.

mod metric;
mod parse;

use std::fmt;

pub use metric::MetricKind;
pub use parse::GoalError;

/// A goal.
#[derive(Debug, Clone, PartialEq)]
pub struct Goal {
    /// As it was typed.
    pub text: String,
    /// Whether more is better.
    pub most: bool,
    /// What is minimised or maximised: a metric's path.
    pub metric: &'static str,
    /// What must hold.
    pub conditions: Vec<GoalCondition>,
}

/// What a search for a limit looks for: `max load.rate where latency.p99 <= 50ms`.
#[derive(Debug, Clone, PartialEq)]
pub struct Sought {
    /// As it was typed.
    pub text: String,
    /// The field of the scenario whose highest value is sought.
    pub path: String,
    /// What must hold; at least one.
    pub conditions: Vec<GoalCondition>,
}

/// A condition on one metric.
#[derive(Debug, Clone, PartialEq)]
pub struct GoalCondition {
    /// The metric's path.
    pub metric: &'static str,
    /// How it is compared.
    pub comparison: Relation,
    /// With what, in the metric's own unit.
    pub limit: f64,
    /// The condition as it was typed, with its spaces in order.
    pub text: String,
}

/// How a metric is compared with its limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relation {
    /// `<=`
    AtMost,
    /// `<`
    Below,
    /// `>=`
    AtLeast,
    /// `>`
    Above,
}

impl Relation {
    const ALL: [(&'static str, Self); 4] =
        [("<=", Self::AtMost), (">=", Self::AtLeast), ("<", Self::Below), (">", Self::Above)];

    /// Whether a value passes.
    #[must_use]
    pub fn holds(self, value: f64, limit: f64) -> bool {
        match self {
            Self::AtMost => value <= limit,
            Self::Below => value < limit,
            Self::AtLeast => value >= limit,
            Self::Above => value > limit,
        }
    }

    /// Whether small values pass.
    #[must_use]
    pub fn wants_less(self) -> bool {
        matches!(self, Self::AtMost | Self::Below)
    }
}

impl fmt::Display for Relation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = Self::ALL.iter().find(|(_, comparison)| comparison == self).map_or("", |(word, _)| word);
        f.write_str(word)
    }
}

impl Goal {
    /// Every metric that it names, each once, the objective first.
    #[must_use]
    pub fn metrics(&self) -> Vec<&'static str> {
        let mut metrics = vec![self.metric];
        for condition in &self.conditions {
            if !metrics.contains(&condition.metric) {
                metrics.push(condition.metric);
            }
        }
        metrics
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_goal_is_what_it_says() {
        let goal =
            Goal::parse(" MIN origin.total  where latency.p99 <= 20ms and stale.share<=1% AND hit_ratio > 0.5", true)
                .unwrap();
        assert_eq!((goal.most, goal.metric), (false, "origin.total"));
        let conditions: Vec<(&str, String, f64, &str)> =
            goal.conditions.iter().map(|c| (c.metric, c.comparison.to_string(), c.limit, c.text.as_str())).collect();
        assert_eq!(
            conditions,
            [
                ("latency_ms.p99", "<=".to_owned(), 20.0, "latency.p99 <= 20ms"),
                ("stale.share", "<=".to_owned(), 0.01, "stale.share <= 1%"),
                ("hit_ratio", ">".to_owned(), 0.5, "hit_ratio > 0.5"),
            ]
        );
        assert_eq!(goal.metrics(), ["origin.total", "latency_ms.p99", "stale.share", "hit_ratio"]);
        for (text, limit) in [
            ("max hit_ratio where latency.max < 1.5 s", 1500.0),
            ("max hit_ratio where latency.p99.9 < 250us", 0.25),
            ("max hit_ratio where latency_ms.p99_9 < 20", 20.0),
            ("max hit_ratio where latency_ms.p99 < 20ms", 20.0),
            ("max hit_ratio where stale.overage <= 5s", 5000.0),
            ("max hit_ratio where origin.max_per_second <= 15/s", 15.0),
            ("max hit_ratio where origin.max_per_second <= 15", 15.0),
            ("max hit_ratio where stale.share <= 100 %", 1.0),
            ("max hit_ratio where hot.outcomes.wait <= 0", 0.0),
        ] {
            assert_eq!(Goal::parse(text, true).unwrap().conditions[0].limit, limit, "{text}");
        }
        assert!(Goal::parse("max hit_ratio", false).unwrap().conditions.is_empty());
    }

    #[test]
    fn what_is_wrong_is_shown_where_it_is() {
        for (text, at, what, words) in [
            ("", 1, "the goal is empty", "allowed min or max"),
            ("lowest origin.total", 1, "a goal begins with min or max", "found `lowest`"),
            ("min", 4, "a metric is missing", "found the end"),
            ("min origin.totel", 5, "unknown metric `origin.totel`, did you mean `origin.total`?", "origin.floor"),
            ("min latency.p98", 5, "unknown metric `latency.p98`, did you mean `latency.p95`?", "latency.p50"),
            ("min bananas", 5, "unknown metric `bananas`", "allowed one of: requests, errors"),
            ("min origin.total latency.p99 <= 20ms", 18, "`where` is missing", "found `latency.p99`"),
            ("min origin.total where", 23, "a metric is missing", "found the end"),
            ("min origin.total where latency.p99 20ms", 36, "a comparison is missing", "allowed <=, <, >= or >"),
            ("min origin.total where latency.p99 == 20ms", 36, "a comparison is missing", "found `==`"),
            ("min origin.total where latency.p99 <=", 38, "a value is missing", "found the end"),
            ("min origin.total where latency.p99 <= 20", 39, "`latency.p99` needs a unit", "write 20ms"),
            ("min origin.total where latency.p99 <= 20%", 39, "no duration", "found `20%`"),
            ("min origin.total where latency.p99 <= -1ms", 39, "no duration", "found `-1ms`"),
            ("min origin.total where stale.share <= 5", 39, "no share", "write 5%"),
            ("min origin.total where stale.share <= 101%", 39, "no share", "0% to 100%"),
            ("min origin.total where origin.total <= 5ms", 40, "no number", "found `5ms`"),
            ("min origin.total where origin.total <= nan", 40, "no number", "found `nan`"),
            ("min origin.total where errors <= 0 or unsent <= 0", 36, "`and` is missing", "found `or`"),
            ("min origin.total where errors <= 0 and", 39, "a metric is missing", "found the end"),
            ("min hot.origin_total", 5, "the metric is about the hot key", "these keys have none"),
        ] {
            let error = Goal::parse(text, text != "min hot.origin_total").unwrap_err();
            assert_eq!(error.at, at, "{text}: {error}");
            assert_eq!(error.what, what, "{text}");
            assert!(error.to_string().contains(words), "{words:?} in {error}");
        }
    }

    #[test]
    fn the_caret_stands_under_the_word() {
        let error = Goal::parse("min origin.totel where errors <= 0", true).unwrap_err();
        let lines: Vec<String> = error.to_string().lines().skip(1).map(str::to_owned).collect();
        assert_eq!(lines, ["  min origin.totel where errors <= 0", "      ^^^^^^^^^^^^"]);
    }
}
