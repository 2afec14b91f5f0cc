//! A counter strategy as a line of text: `lua + sharded(n=10) + batched(100ms)`.

use std::sync::Arc;
use std::time::Duration;

use super::catalogue::COUNTERS;
use super::layer::{CounterBase, CounterInfo, CounterLayer, CounterPart, CounterTerm};
use crate::kit::nearest::nearest;
use crate::port::Capabilities;
use crate::port::key::Key;
use crate::spec::{Args, LAYERS, PRESETS, SpecError, parse_terms};

/// A validated counter strategy.
#[derive(Debug, Clone)]
pub struct CounterSpec {
    name: String,
    canonical: String,
    pub(super) base: Arc<dyn CounterBase>,
    /// Inner to outer.
    pub(super) around: Vec<Arc<dyn CounterLayer>>,
    /// How much a window's life is spread, and whether both ways.
    pub(super) jitter: (f64, bool),
}

/// Equal are those that were typed alike.
impl PartialEq for CounterSpec {
    fn eq(&self, other: &Self) -> bool {
        (&self.name, &self.canonical) == (&other.name, &other.canonical)
    }
}

impl CounterSpec {
    /// Reads a base (`lua`), or a base and what stands around it, in any order.
    ///
    /// # Errors
    /// [`SpecError`] at the first thing that is wrong.
    pub fn parse(text: &str) -> Result<Self, SpecError> {
        read(text).map_err(|problem| SpecError { text: text.to_owned(), problem })
    }

    /// What the user asked for, as typed.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The full composition, with the parameters that differ from their defaults.
    #[must_use]
    pub fn canonical(&self) -> &str {
        &self.canonical
    }

    /// Whether no key of it is ever without an end, and whatever it acknowledged is counted, whichever part dies.
    #[must_use]
    pub fn is_right(&self) -> bool {
        self.base.is_right() && self.holds_back().is_zero()
    }

    /// How long an increment may be acknowledged before it is sent: zero where nothing is batched.
    #[must_use]
    pub fn holds_back(&self) -> Duration {
        self.around.iter().map(|layer| layer.holds_back()).sum()
    }

    /// In how many keys a counter lies.
    #[must_use]
    pub fn parts(&self) -> u32 {
        self.around.iter().map(|layer| layer.parts()).product()
    }

    /// The keys in the cache of a key's counter.
    #[must_use]
    pub fn keys(&self, key: &Key) -> Vec<Key> {
        let parted = |keys: Vec<Key>, layer: &Arc<dyn CounterLayer>| keys.iter().flat_map(|k| layer.keys(k)).collect();
        self.around.iter().rev().fold(vec![key.clone()], parted)
    }

    /// The shortest and the longest that a window may live, jitter included.
    #[must_use]
    pub fn windows(&self, window: Duration) -> (Duration, Duration) {
        let (spread, both_ways) = self.jitter;
        let least = if both_ways { 1.0 - spread } else { 1.0 };
        (window.mul_f64(least), window.mul_f64(1.0 + spread))
    }

    /// What the cache must be able to do for it.
    #[must_use]
    pub fn needs(&self) -> Capabilities {
        self.base.needs()
    }
}

fn read(text: &str) -> Result<CounterSpec, String> {
    let terms = parse_terms(text)?;
    let mut named: Vec<(usize, CounterTerm, String)> = Vec::new();
    for term in &terms {
        let at = row(&term.name)?;
        let info = &COUNTERS[at];
        if named.iter().any(|(other, ..)| *other == at) {
            return Err(format!("has {} twice", info.name));
        }
        let args = Args::of(info.name, info.params, term)?;
        named.push((at, (info.make)(&args)?, format!("{}{}", info.name, args.canonical())));
    }
    // The order of the catalogue is the order in which compositions are said.
    named.sort_by_key(|(at, ..)| *at);
    let canonical = named.iter().map(|(_, _, said)| said.as_str()).collect::<Vec<_>>().join(" + ");
    let (mut bases, mut around, mut jitter) = (Vec::new(), Vec::new(), (0.0, false));
    for (_, term, _) in named {
        match term {
            CounterTerm::Base(base) => bases.push(base),
            CounterTerm::Around(layer) => around.push(layer),
            CounterTerm::Jitter { spread, symmetric } => jitter = (spread, symmetric),
        }
    }
    if bases.len() > 1 {
        return Err(format!("has more than one base; it has exactly one of: {}", names(CounterPart::Base)));
    }
    let Some(base) = bases.pop() else {
        return Err(format!("has no base; it has exactly one of: {}", names(CounterPart::Base)));
    };
    Ok(CounterSpec { name: text.trim().to_owned(), canonical, base, around, jitter })
}

fn names(part: CounterPart) -> String {
    let rows = COUNTERS.iter().filter(|row: &&CounterInfo| row.part == part);
    rows.map(|row| row.name).collect::<Vec<_>>().join(", ")
}

/// Where in the catalogue a name stands.
fn row(name: &str) -> Result<usize, String> {
    if let Some(at) = COUNTERS.iter().position(|row| row.name == name) {
        return Ok(at);
    }
    let (bases, around) = (names(CounterPart::Base), names(CounterPart::Around));
    let there = format!("bases: {bases}; around one: {around}");
    let answers_reads = LAYERS.iter().map(|l| l.name).chain(PRESETS.iter().map(|p| p.name)).any(|known| known == name);
    if answers_reads {
        return Err(format!("{name} answers reads and does not count; {there}"));
    }
    let meant = nearest(name, COUNTERS.iter().map(|row| row.name));
    let meant = meant.map(|n| format!(", did you mean `{n}`?")).unwrap_or_default();
    Err(format!("there is no counter strategy {name:?}{meant}; {there}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_in_any_order_is_said_in_one() {
        for (typed, canonical) in [
            ("lua", "lua"),
            ("lua(repair=true)", "lua(repair=true)"),
            ("lua(true)", "lua(repair=true)"),
            ("batched(100ms) + sharded(n=10) + lua", "lua + sharded + batched"),
            ("sharded(100, tags=even)+multi", "multi + sharded(n=100, tags=even)"),
            ("get-set-incr + jitter(±0.1)", "get-set-incr + jitter(spread=±0.1)"),
            ("increx + batched(every=1s)", "increx + batched(every=1s)"),
        ] {
            let spec = CounterSpec::parse(typed).unwrap();
            assert_eq!((spec.name(), spec.canonical()), (typed, canonical));
            assert_eq!(CounterSpec::parse(canonical).unwrap().canonical(), canonical);
        }
    }

    #[test]
    fn every_row_stands_for_itself_and_says_what_it_is() {
        for row in COUNTERS {
            let text = if row.part == CounterPart::Base { row.name.to_owned() } else { format!("lua + {}", row.name) };
            let spec = CounterSpec::parse(&text).unwrap();
            assert_eq!(spec.canonical(), text);
            assert!(!row.summary.is_empty() && row.params.iter().all(|param| !param.allowed().is_empty()));
        }
        let right = |text| CounterSpec::parse(text).unwrap().is_right();
        assert_eq!(["get-set-incr", "set-nx-incr", "incr-expire"].map(right), [false; 3]);
        assert_eq!(["multi", "lua", "increx", "lua + sharded"].map(right), [true; 4]);
        assert!(!right("lua + batched"), "a crash loses what was not sent");
    }

    #[test]
    fn what_is_wrong_is_said_with_what_is_allowed() {
        for (typed, said) in [
            ("", "is empty"),
            ("lau", "there is no counter strategy \"lau\", did you mean `lua`?; bases: get-set-incr"),
            ("swr", "swr answers reads and does not count; bases:"),
            ("singleflight", "singleflight answers reads and does not count"),
            (
                "sharded",
                "has no base; it has exactly one of: get-set-incr, set-nx-incr, incr-expire, multi, lua, increx",
            ),
            ("lua + multi", "has more than one base"),
            ("lua + lua", "has lua twice"),
            ("lua(repair=yes)", "found \"yes\"; repair is true"),
            (
                "lua + sharded(n=0)",
                "found 0, which is out of range or no whole number; n is how many sub-keys; 1 to 1000",
            ),
            ("lua + sharded(m=3)", "has no parameter \"m\", did you mean `n`?"),
            ("lua + batched(1h)", "found 1h, which is out of range"),
            ("multi(1)", "multi has no parameters"),
        ] {
            let problem = CounterSpec::parse(typed).unwrap_err().to_string();
            assert!(problem.contains(said), "{typed}: {problem}");
        }
    }

    #[test]
    fn a_counters_keys_are_those_of_its_parts() {
        let keys = |text: &str| CounterSpec::parse(text).unwrap().keys(&Key::of_item(7));
        assert_eq!(keys("lua + batched"), [Key::of_item(7)]);
        let three = ["7:0", "7:1", "7:2"].map(|text| Key::new(text).unwrap());
        assert_eq!(keys("lua + sharded(3) + batched"), three);
        assert_eq!(CounterSpec::parse("lua + sharded(3)").unwrap().parts(), 3);
    }
}
