//! Theory's word on a hot key, for people: what it predicts, and of what it says nothing for which reason.

use crate::record::{NotPredicted, Run, Strategy};
use crate::text::escape;
use crate::text::phrases::name_of;

/// Of whose herd theory says nothing, and why: a sentence for each reason.
pub(crate) fn silent(run: &Run) -> Vec<String> {
    let hot = || run.strategies.iter().filter(|strategy| strategy.hot.is_some());
    let mut reasons: Vec<(&str, Vec<String>)> = Vec::new();
    for strategy in hot() {
        let Some(because) = no_herd(strategy) else { continue };
        match reasons.iter_mut().find(|(reason, _)| *reason == because) {
            Some((_, names)) => names.push(name_of(&strategy.name)),
            None => reasons.push((because, vec![name_of(&strategy.name)])),
        }
    }
    let of = |names: &[String]| {
        if names.len() == hot().count() { String::new() } else { format!(" of {}", names.join(", ")) }
    };
    reasons.iter().map(|(because, names)| escape::line(&format!("No theory{}: {because}.", of(names)))).collect()
}

/// Why theory says nothing of a strategy's herd, where it says why.
pub(crate) fn no_herd(strategy: &Strategy) -> Option<&str> {
    let herd = |not: &&NotPredicted| not.figures.iter().any(|figure| figure == "per_expiry");
    strategy.not_predicted.iter().find(herd).map(|not| not.because.as_str())
}

/// What theory says of a strategy, and what not for which reason, a sentence each.
pub(crate) fn said(strategy: &Strategy) -> Vec<String> {
    let formula = strategy.predicted.as_ref().map(|predicted| format!("reads an expiry = {}", predicted.formula));
    let not = strategy.not_predicted.iter().map(|NotPredicted { premise: _, because, figures }| {
        let what =
            if strategy.predicted.is_none() { "nothing".to_owned() } else { format!("no {}", figures.join(", ")) };
        format!("{what}: {because}")
    });
    formula.into_iter().chain(not).collect()
}
