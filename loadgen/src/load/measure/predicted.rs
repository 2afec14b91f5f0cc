//! Theory's word on the hot key, as it is printed: what it predicts of the time that was measured, and what it does not, with the
//! premise that fails.

use std::time::Duration;

use report::record::{NotPredicted, Predicted};
use scenarios::Scenario;
use strategies::theory::{Figure, Prediction};

use super::round::round;
use crate::cli::settings::Subject;

/// What is predicted, and for what there is no prediction.
pub(super) fn predicted(
    scenario: &Scenario,
    subject: &Subject,
    replicas: u32,
    end_ns: i64,
) -> (Option<Predicted>, Vec<NotPredicted>) {
    let not = |premise: &str, because: &str, figures: &[Figure]| NotPredicted {
        premise: premise.to_owned(),
        because: because.to_owned(),
        figures: figures.iter().map(|figure| field(*figure).to_owned()).collect(),
    };
    if subject.counter.is_some() {
        return (None, Vec::new());
    }
    let Some(spec) = &subject.strategy else {
        return (None, vec![not("known-strategy", "nobody knows what a target does inside", &Figure::ALL)]);
    };
    let measured = Duration::from_nanos(end_ns.max(0).unsigned_abs());
    let theory = scenario.predict(spec, replicas, measured);
    let figures = theory.not.iter().map(|(premise, figures)| not(premise.name, premise.otherwise, figures)).collect();
    (theory.prediction.as_ref().map(record), figures)
}

fn record(theory: &Prediction) -> Predicted {
    Predicted {
        per_expiry: round(theory.per_expiry, 1e3),
        cycle_s: theory.cycle_s.map(|cycle| round(cycle, 1e4)),
        hot_origin_total: theory.total.map(|total| round(total, 1e1)),
        wait_share: theory.wait_share.map(|share| round(share, 1e6)),
        stale_share: theory.stale_share.map(|share| round(share, 1e6)),
        formula: theory.formula.to_owned(),
    }
}

/// The field of [`Predicted`] that has a figure.
fn field(figure: Figure) -> &'static str {
    match figure {
        Figure::PerExpiry => "per_expiry",
        Figure::Cycle => "cycle_s",
        Figure::Total => "hot_origin_total",
        Figure::WaitShare => "wait_share",
        Figure::StaleShare => "stale_share",
    }
}
