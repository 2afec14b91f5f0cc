//! Which settings meet a goal, and in which order.

use std::cmp::Ordering;

use report::sweep::{Miss, Point, Ranked, Spread, is_yes_or_no};

use super::goal::{Goal, GoalCondition};

/// Means of a latency that are no further apart are not told apart, milliseconds: nothing that a strategy does takes so
/// little, and the verdict on real runs has the same limit.
const LATENCY_NOISE_MS: f64 = 1.0;

/// The valid points by the goal: those that meet it, best first, then the others, the nearest miss first. A point whose
/// objective is unknown does not meet it. Among equals the grid's order decides.
#[must_use]
pub fn rank(goal: &Goal, points: &[Point]) -> Vec<Ranked> {
    let valid = points.iter().enumerate().filter(|(_, point)| point.valid);
    let mut ranking: Vec<Ranked> = valid
        .map(|(index, point)| {
            let misses = misses(goal, point);
            let meets = misses.is_empty() && spread(point, goal.metric).is_some();
            Ranked { point: index, meets, as_good_as_best: false, misses }
        })
        .collect();
    let objective = |ranked: &Ranked| spread(&points[ranked.point], goal.metric);
    ranking.sort_by(|one, two| match (one.meets, two.meets) {
        (true, true) => better(goal, objective(one), objective(two)),
        (false, false) => distance(goal, points, one).total_cmp(&distance(goal, points, two)),
        (meets, _) => {
            if meets {
                Ordering::Less
            } else {
                Ordering::Greater
            }
        }
    });
    let seen = |ranked: &Ranked| objective(ranked).map(|spread| (spread, points[ranked.point].runs));
    let best = ranking.first().filter(|first| first.meets).and_then(seen);
    for ranked in ranking.iter_mut().filter(|ranked| ranked.meets) {
        ranked.as_good_as_best = seen(ranked).zip(best).is_some_and(|(own, best)| alike(goal.metric, own, best));
    }
    ranking
}

/// Whether two points, each with its runs, can't be told apart: their ranges overlap, or they are latencies within
/// [`LATENCY_NOISE_MS`]. A figure that is yes or no has hardly any range but 0 to 1: there two shares must be two standard errors
/// apart (the pooled ones of two proportions).
fn alike(metric: &str, (own, own_runs): (Spread, u32), (best, best_runs): (Spread, u32)) -> bool {
    if is_yes_or_no(metric) {
        let (n, m) = (f64::from(own_runs), f64::from(best_runs));
        let pooled = (own.mean * n + best.mean * m) / (n + m);
        let error = (pooled * (1.0 - pooled) * (1.0 / n + 1.0 / m)).max(0.0).sqrt();
        return (own.mean - best.mean).abs() <= 2.0 * error;
    }
    let overlap = own.min <= best.max && best.min <= own.max;
    overlap || metric.contains("_ms.") && (own.mean - best.mean).abs() < LATENCY_NOISE_MS
}

fn spread(point: &Point, metric: &str) -> Option<Spread> {
    point.figures.get(metric).copied().flatten()
}

/// By the mean, what is unknown last.
fn better(goal: &Goal, one: Option<Spread>, two: Option<Spread>) -> Ordering {
    match (one, two) {
        (Some(one), Some(two)) if goal.most => two.mean.total_cmp(&one.mean),
        (Some(one), Some(two)) => one.mean.total_cmp(&two.mean),
        (one, two) => two.is_some().cmp(&one.is_some()),
    }
}

fn misses(goal: &Goal, point: &Point) -> Vec<Miss> {
    let miss = |(index, condition): (usize, &GoalCondition)| {
        let worst = spread(point, condition.metric).map(|spread| worst(condition, spread));
        let holds = worst.is_some_and(|worst| condition.comparison.holds(worst, condition.limit));
        let by = worst.map(|worst| beyond(worst, condition.limit));
        (!holds).then_some(Miss { condition: index, worst, by })
    };
    goal.conditions.iter().enumerate().filter_map(miss).collect()
}

/// The value over the seeds that is furthest from what the condition wants.
fn worst(condition: &GoalCondition, spread: Spread) -> f64 {
    if condition.comparison.wants_less() { spread.max } else { spread.min }
}

/// How far a value is beyond a limit, as a share of it; of 1 where the limit is 0.
pub(crate) fn beyond(value: f64, limit: f64) -> f64 {
    (value - limit).abs() / if limit > 0.0 { limit } else { 1.0 }
}

/// How far a point is from meeting the goal: by its worst miss, and further than any where its objective is unknown.
fn distance(goal: &Goal, points: &[Point], ranked: &Ranked) -> f64 {
    if spread(&points[ranked.point], goal.metric).is_none() {
        return f64::INFINITY;
    }
    ranked.misses.iter().map(|miss| miss.by.unwrap_or(f64::INFINITY)).fold(0.0, f64::max)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(figures: &[(&str, [f64; 3])]) -> Point {
        let spread = |[min, mean, max]: [f64; 3]| Some(Spread { mean, min, max });
        Point {
            strategy: "xfetch".into(),
            name: "xfetch".into(),
            spec: "xfetch + lock".into(),
            values: Vec::new(),
            runs: 3,
            valid: true,
            invalid_because: Vec::new(),
            figures: figures.iter().map(|(name, values)| ((*name).into(), spread(*values))).collect(),
        }
    }

    fn reads(total: [f64; 3], p99: [f64; 3]) -> Point {
        point(&[("origin.total", total), ("latency_ms.p99", p99)])
    }

    fn goal(text: &str) -> Goal {
        Goal::parse(text, true).unwrap()
    }

    fn order(ranking: &[Ranked]) -> Vec<(usize, bool, bool)> {
        ranking.iter().map(|r| (r.point, r.meets, r.as_good_as_best)).collect()
    }

    #[test]
    fn the_objective_is_a_mean_and_a_condition_holds_for_every_seed() {
        let points = [
            reads([100.0, 110.0, 120.0], [1.0, 2.0, 3.0]),
            reads([90.0, 95.0, 99.0], [1.0, 2.0, 3.0]),
            // Better by its mean, and one of its seeds misses the limit.
            reads([10.0, 20.0, 30.0], [1.0, 2.0, 20.1]),
            reads([95.0, 97.0, 98.0], [19.0, 20.0, 20.0]),
        ];
        let ranking = rank(&goal("min origin.total where latency.p99 <= 20ms"), &points);
        assert_eq!(order(&ranking), [(1, true, true), (3, true, true), (0, true, false), (2, false, false)]);
        assert_eq!(ranking[3].misses[0].worst, Some(20.1));
        let ranking = rank(&goal("min origin.total where latency.p99 < 20ms"), &points);
        assert_eq!(
            order(&ranking).iter().map(|r| (r.0, r.1)).collect::<Vec<_>>(),
            [
                (1, true),
                (0, true),
                // On the limit is nearer than beyond it.
                (3, false),
                (2, false)
            ]
        );
        let ranking = rank(&goal("max origin.total"), &points);
        assert_eq!(ranking.iter().map(|r| r.point).collect::<Vec<_>>(), [0, 3, 1, 2]);
    }

    #[test]
    fn where_none_meets_it_the_nearest_miss_is_first() {
        let points = [reads([1.0; 3], [30.0; 3]), reads([200.0; 3], [21.0; 3]), reads([101.0; 3], [19.0; 3])];
        let ranking = rank(&goal("min origin.total where origin.total <= 100 and latency.p99 <= 20ms"), &points);
        assert_eq!(order(&ranking), [(2, false, false), (0, false, false), (1, false, false)]);
        assert_eq!(ranking[0].misses, [Miss { condition: 0, worst: Some(101.0), by: Some(0.01) }]);
        assert_eq!(ranking[2].misses.len(), 2);
        let ranking = rank(&goal("min latency.p99 where origin.total >= 150 and origin.total <= 0"), &points);
        assert_eq!(ranking[0].misses[0], Miss { condition: 0, worst: Some(1.0), by: Some(149.0 / 150.0) });
        assert_eq!(ranking[0].misses[1].by, Some(1.0), "a limit of 0 is missed by the value itself");
    }

    #[test]
    fn what_is_unknown_is_not_met_and_what_is_invalid_is_not_ranked() {
        let mut unknown = reads([1.0; 3], [1.0; 3]);
        unknown.figures.insert("origin.total".into(), None);
        let invalid = Point { valid: false, ..reads([0.0; 3], [0.0; 3]) };
        let points = [unknown, invalid, reads([5.0; 3], [99.0; 3])];
        let ranking = rank(&goal("min latency.p99 where origin.total <= 4"), &points);
        assert_eq!(order(&ranking), [(2, false, false), (0, false, false)], "the unknown is further than any number");
        let ranking = rank(&goal("min origin.total"), &points);
        assert_eq!(order(&ranking), [(2, true, true), (0, false, false)], "an unknown objective meets no goal");
    }

    #[test]
    fn latencies_less_than_a_millisecond_apart_are_not_told_apart_and_reads_are() {
        let points = [reads([417.0; 3], [200.5; 3]), reads([18.0; 3], [200.7; 3]), reads([19.0; 3], [201.6; 3])];
        let ranking = rank(&goal("min latency.p99"), &points);
        assert_eq!(order(&ranking), [(0, true, true), (1, true, true), (2, true, false)]);
        let ranking = rank(&goal("min origin.total"), &points);
        assert_eq!(order(&ranking), [(1, true, true), (2, true, false), (0, true, false)]);
    }

    /// Ten of twenty runs and twenty of twenty have ranges that overlap, and are not alike.
    #[test]
    fn a_share_of_runs_is_told_apart_by_its_standard_error() {
        let share =
            |mean: f64| Point { runs: 20, ..point(&[("recovery.recovered", [mean.floor(), mean, mean.ceil()])]) };
        let ranking = rank(&goal("max recovery.recovered"), &[share(0.25), share(0.95), share(1.0), share(1.0)]);
        assert_eq!(order(&ranking), [(2, true, true), (3, true, true), (1, true, true), (0, true, false)]);
    }
}
