//! Which value is tried next: doubled or halved until one holds and one does not, then the middle of what is left.
//!
//! It sees only what became of the values that were tried, so the same answers lead the same way. It supposes that a higher
//! value is harder, and looks beyond both ends of what it found, so that it can be seen where that is not so.

use super::scale::LoadScale;

/// How many times higher a value is tried beyond the lowest that fails, and lower below the highest that holds.
const BEYOND: f64 = 1.25;
/// Another value so near says nothing of its own of what lies beyond.
const NEAR: f64 = 1.1;

/// What became of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StepEnd {
    /// Enough of its runs met every condition.
    Held,
    /// Too many of them missed one.
    Failed,
    /// Neither: too many runs were invalid, or a figure was not known.
    NotKnown,
}

/// Where to look.
#[derive(Debug, Clone, Copy)]
pub struct Bracket {
    /// The lowest value that is tried.
    pub from: f64,
    /// The highest.
    pub to: f64,
    /// The first.
    pub start: f64,
    /// How far apart the two ends of an answer may be, as a share of the lower one.
    pub precision: f64,
    /// What values there are.
    pub scale: LoadScale,
}

/// The two ends of what is known.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CapacityEnds {
    /// The highest value that held, of those below `above`.
    pub held: Option<f64>,
    /// The lowest value that did not hold, and what became of it.
    pub above: Option<(f64, StepEnd)>,
}

/// What is known after these tries. A value of which nothing is known is no end where a higher one held.
#[must_use]
pub fn ends(tried: &[(f64, StepEnd)]) -> CapacityEnds {
    let held_above = |value: f64| tried.iter().any(|(other, end)| *end == StepEnd::Held && *other > value);
    let is_end = |(value, end): &&(f64, StepEnd)| match end {
        StepEnd::Held => false,
        StepEnd::Failed => true,
        StepEnd::NotKnown => !held_above(*value),
    };
    let above = tried.iter().filter(is_end).min_by(|a, b| a.0.total_cmp(&b.0)).copied();
    let below = |value: f64| above.is_none_or(|(above, _)| value < above);
    let held = tried.iter().filter(|(value, end)| *end == StepEnd::Held && below(*value)).map(|(value, _)| *value);
    CapacityEnds { held: held.max_by(f64::total_cmp), above }
}

impl Bracket {
    /// The value to try after these; `None` where the answer is known, or cannot be made better.
    #[must_use]
    pub fn next(&self, tried: &[(f64, StepEnd)]) -> Option<f64> {
        if tried.is_empty() {
            return Some(self.start);
        }
        let CapacityEnds { held, above } = ends(tried);
        let next = match (held, above) {
            (None, None) => None,
            (Some(held), None) => (held < self.to).then(|| self.scale.nearest(held * 2.0).min(self.to)),
            (None, Some((above, _))) => (above > self.from).then(|| self.scale.nearest(above / 2.0).max(self.from)),
            (Some(held), Some((above, end))) => {
                self.between(held, above).or_else(|| self.beyond(tried, held, (above, end)))
            }
        };
        next.filter(|next| !tried.iter().any(|(value, _)| value == next))
    }

    /// The middle, where the ends are further apart than they may be and there is a value between them.
    fn between(&self, held: f64, above: f64) -> Option<f64> {
        let middle = self.scale.nearest((held * above).sqrt());
        (above / held > 1.0 + self.precision && held < middle && middle < above).then_some(middle)
    }

    /// A value on the far side of an end, where none was tried that says whether it stays so.
    fn beyond(&self, tried: &[(f64, StepEnd)], held: f64, (above, end): (f64, StepEnd)) -> Option<f64> {
        let any = |test: &dyn Fn(f64) -> bool| tried.iter().any(|(value, _)| test(*value));
        let (higher, lower) = (self.scale.nearest(above * BEYOND), self.scale.nearest(held / BEYOND));
        // Above what the generator cannot drive nothing can be seen.
        if end == StepEnd::Failed && higher <= self.to && !any(&|value| value >= above * NEAR) {
            return Some(higher);
        }
        (lower >= self.from && !any(&|value| value <= held / NEAR)).then_some(lower)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn search(bracket: &Bracket, end: impl Fn(f64) -> StepEnd) -> Vec<(f64, StepEnd)> {
        let mut tried = Vec::new();
        while let Some(value) = bracket.next(&tried) {
            tried.push((value, end(value)));
            assert!(tried.len() < 100, "it does not end: {tried:?}");
        }
        tried
    }

    fn bracket(from: f64, to: f64, start: f64, whole: bool) -> Bracket {
        let scale = if whole { LoadScale::WHOLE } else { LoadScale::PER_SECOND };
        Bracket { from, to, start, precision: 0.01, scale }
    }

    #[test]
    fn a_limit_is_found_from_below_from_above_and_beside_the_bounds() {
        let holds_up_to = |limit: f64| move |value: f64| if value <= limit { StepEnd::Held } else { StepEnd::Failed };
        for (start, limit) in [(10.0, 777.0), (900.0, 12.5), (100.0, 100.0), (100.0, 101.0)] {
            let tried = search(&bracket(1.0, 1000.0, start, false), holds_up_to(limit));
            let CapacityEnds { held: Some(held), above: Some((above, StepEnd::Failed)) } = ends(&tried) else {
                panic!("{tried:?}")
            };
            assert!(held <= limit && limit < above && above / held <= 1.01, "{limit}: {tried:?}");
        }
        let tried = search(&bracket(1.0, 1000.0, 100.0, false), holds_up_to(1e9));
        assert_eq!(ends(&tried), CapacityEnds { held: Some(1000.0), above: None });
        let tried = search(&bracket(1.0, 1000.0, 100.0, false), holds_up_to(0.5));
        assert_eq!(ends(&tried), CapacityEnds { held: None, above: Some((1.0, StepEnd::Failed)) });
        let tried = search(&bracket(1.0, 64.0, 5.0, true), holds_up_to(7.0));
        assert_eq!(ends(&tried), CapacityEnds { held: Some(7.0), above: Some((8.0, StepEnd::Failed)) });
    }

    #[test]
    fn what_the_generator_cannot_drive_is_no_limit() {
        let end = |value: f64| if value <= 300.0 { StepEnd::Held } else { StepEnd::NotKnown };
        let tried = search(&bracket(1.0, 1000.0, 100.0, false), end);
        let CapacityEnds { held: Some(held), above: Some((above, StepEnd::NotKnown)) } = ends(&tried) else {
            panic!("{tried:?}")
        };
        assert!(held <= 300.0 && above > 300.0);
        assert_eq!(ends(&search(&bracket(1.0, 1000.0, 100.0, false), |_| StepEnd::NotKnown)).held, None);
        // A machine that was busy for a moment is no limit either.
        let tried = [(100.0, StepEnd::NotKnown), (200.0, StepEnd::Held), (400.0, StepEnd::Failed)];
        assert_eq!(ends(&tried), CapacityEnds { held: Some(200.0), above: Some((400.0, StepEnd::Failed)) });
    }

    /// One that fails in a stretch and holds again above it: both are seen, and the answer is the lower end.
    #[test]
    fn a_value_that_holds_above_one_that_fails_is_looked_for() {
        let end = |value: f64| if (200.0..215.0).contains(&value) { StepEnd::Failed } else { StepEnd::Held };
        let tried = search(&bracket(1.0, 210.0, 105.0, false), end);
        let CapacityEnds { held: Some(held), above: Some((above, _)) } = ends(&tried) else { panic!("{tried:?}") };
        assert!(held < 200.0 && above >= 200.0, "{tried:?}");
        let tried = search(&bracket(1.0, 1000.0, 203.0, false), end);
        assert!(tried.iter().any(|(value, end)| *value > 215.0 && *end == StepEnd::Held), "{tried:?}");
    }
}
