//! What is varied: a parameter of a strategy's layer (`xfetch.beta`), or a field of the scenario (`cache.ttl`).

use strategies::Spec;
use strategies::spec::{LAYERS, LayerInfo, PRESETS, ParamInfo};

use super::values::{self, TypedValue, Wrong};
use crate::shell::exit::Failure;

/// A knob and its values.
#[derive(Debug, Clone, PartialEq)]
pub struct Knob {
    /// As it was typed: `xfetch.beta`.
    pub name: String,
    /// What it turns.
    pub turns: Turns,
    /// Its values, in the order given; at least one.
    pub values: Vec<TypedValue>,
}

/// What a knob turns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turns {
    /// A field of the scenario, by the knob's name.
    Scenario,
    /// A parameter of this layer.
    Layer {
        /// The layer.
        layer: &'static str,
        /// The parameter.
        param: &'static str,
    },
    /// A parameter of whichever layer of a strategy has it.
    Strategy {
        /// The parameter.
        param: &'static str,
    },
}

impl Knob {
    /// Reads `NAME=VALUES`.
    ///
    /// # Errors
    /// [`Failure`]: no such knob, or what is wrong with its values.
    pub fn read(typed: &str) -> Result<Self, Failure> {
        let Some((name, values)) = typed.split_once('=') else {
            return Err(Failure::usage(format!(
                "a knob without values · --vary {typed} · found no `=` · write --vary cache.ttl=2s,5s,10s"
            )));
        };
        let name = name.trim();
        let turns = turns(name).map_err(|wrong| refused(typed, &wrong))?;
        let values = values::read(values).map_err(|wrong| refused(typed, &wrong))?;
        Ok(Self { name: name.to_owned(), turns, values })
    }

    /// Which layer of a strategy it turns, and which parameter; nothing of one that has no such layer, and nothing of any
    /// strategy where it is a field of the scenario.
    #[must_use]
    pub fn layer_of(&self, spec: &Spec) -> Option<(&'static str, &'static str)> {
        let layers = spec.layers();
        let has = |layer: &LayerInfo, param: &str| layer.params.iter().any(|p| p.name == param);
        match self.turns {
            Turns::Scenario => None,
            Turns::Layer { layer, param } => layers.iter().any(|info| info.name == layer).then_some((layer, param)),
            Turns::Strategy { param } => layers.iter().find(|layer| has(layer, param)).map(|layer| (layer.name, param)),
        }
    }

    /// Whether it turns something of this strategy, or of the scenario that all share.
    #[must_use]
    pub fn applies_to(&self, spec: &Spec) -> bool {
        self.turns == Turns::Scenario || self.layer_of(spec).is_some()
    }

    /// The unit of its axis; `None` where its values are no numbers of one kind.
    #[must_use]
    pub fn unit(&self) -> Option<&'static str> {
        let mut dimensions = self.values.iter().map(|value| value.number.map(|(_, dimension)| dimension));
        let first = dimensions.next()??;
        dimensions.all(|dimension| dimension == Some(first)).then(|| first.unit())
    }
}

fn refused(typed: &str, wrong: &Wrong) -> Failure {
    let Wrong { what, found, remedy } = wrong;
    Failure::usage(format!("{what} · --vary {typed} · {found} · {remedy}"))
}

fn params() -> impl Iterator<Item = (&'static LayerInfo, &'static ParamInfo)> {
    LAYERS.iter().flat_map(|layer| layer.params.iter().map(move |param| (layer, param)))
}

fn turns(name: &str) -> Result<Turns, Wrong> {
    let fields = scenarios::settable();
    if fields.iter().any(|field| field == name) {
        return Ok(Turns::Scenario);
    }
    if let Some((layer, param)) = params().find(|(layer, param)| name == format!("{}.{}", layer.name, param.name)) {
        return Ok(Turns::Layer { layer: layer.name, param: param.name });
    }
    if let Some((_, param)) = params().find(|(_, param)| name == format!("strategy.{}", param.name)) {
        return Ok(Turns::Strategy { param: param.name });
    }
    Err(unknown(name, &fields))
}

fn unknown(name: &str, fields: &[String]) -> Wrong {
    let layers: Vec<String> = params().map(|(layer, param)| format!("{}.{}", layer.name, param.name)).collect();
    let all = || layers.iter().chain(fields).map(String::as_str);
    let guess = scenarios::nearest(name, all()).map_or_else(String::new, |near| format!(", did you mean `{near}`?"));
    let group = name.split('.').next().unwrap_or_default();
    let siblings: Vec<&str> = all().filter(|known| known.split('.').next() == Some(group)).collect();
    let preset = PRESETS.iter().find(|preset| preset.name == group && siblings.is_empty());
    let allowed = match (LAYERS.iter().find(|layer| layer.name == group), preset) {
        (Some(layer), _) if layer.params.is_empty() => format!("nothing of {group}, which has no parameters"),
        (None, Some(preset)) => format!("the parameters of its layers: {} is {}", preset.name, preset.composition),
        _ if !siblings.is_empty() => siblings.join(", "),
        _ => "LAYER.PARAMETER, strategy.PARAMETER, or a field of the scenario, as xfetch.beta or cache.ttl".to_owned(),
    };
    Wrong {
        what: format!("unknown knob `{name}`{guess}"),
        found: format!("found {name}, allowed {allowed}"),
        remedy: "`loadgen list` shows the layers, docs/scenarios.md the fields".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_knob_is_a_layers_parameter_or_a_field() {
        for (typed, turns) in [
            ("cache.ttl=2s,5s", Turns::Scenario),
            ("origin.service_time.p99=1s", Turns::Scenario),
            ("xfetch.beta=0.5..3:0.25", Turns::Layer { layer: "xfetch", param: "beta" }),
            ("soft-window.window=0.1T..0.3T:0.1T", Turns::Layer { layer: "soft-window", param: "window" }),
            ("strategy.stale=1s,2s", Turns::Strategy { param: "stale" }),
        ] {
            assert_eq!(Knob::read(typed).unwrap().turns, turns, "{typed}");
        }
        let knob = Knob::read(" xfetch.beta = 1,2 ").unwrap();
        assert_eq!((knob.name.as_str(), knob.unit()), ("xfetch.beta", Some("")));
        assert_eq!(Knob::read("lock.wake=poll,notify").unwrap().unit(), None);
        assert_eq!(Knob::read("swr.stale=1T,2s").unwrap().unit(), None, "no common axis");
    }

    #[test]
    fn it_knows_which_strategies_it_turns() {
        for (knob, strategy, layer) in [
            ("xfetch.beta=1", "xfetch", Some(("xfetch", "beta"))),
            ("xfetch.beta=1", "best", Some(("xfetch", "beta"))),
            ("xfetch.beta=1", "naive", None),
            ("strategy.stale=1s", "swr", Some(("swr", "stale"))),
            ("strategy.stale=1s", "best", Some(("xfetch", "stale"))),
            ("strategy.poll=9ms", "naive", None),
            ("lock.poll=9ms", "broken-lock-no-reread", None),
            ("cache.ttl=1s", "naive", None),
        ] {
            let (knob, spec) = (Knob::read(knob).unwrap(), Spec::parse(strategy).unwrap());
            assert_eq!(knob.layer_of(&spec), layer, "{} of {strategy}", knob.name);
            assert_eq!(knob.applies_to(&spec), layer.is_some() || knob.turns == Turns::Scenario);
        }
    }

    #[test]
    fn an_unknown_knob_is_named_with_its_nearest() {
        for (typed, words) in [
            ("xfetch.beta", &["a knob without values", "found no `=`"][..]),
            (
                "xfetch.bta=1",
                &["unknown knob `xfetch.bta`, did you mean `xfetch.beta`?", "allowed xfetch.beta, xfetch.mode"],
            ),
            ("cache.tttl=1s", &["did you mean `cache.ttl`?", "allowed cache.ttl"]),
            ("singleflight.poll=1s", &["the parameters of its layers: singleflight is plain + lock"]),
            ("coalesce.n=1", &["nothing of coalesce, which has no parameters"]),
            ("name=x", &["unknown knob `name`", "LAYER.PARAMETER"]),
            ("strategy.bta=1", &["unknown knob `strategy.bta`"]),
            ("bananas=1", &["unknown knob `bananas`", "`loadgen list` shows the layers"]),
            ("xfetch.beta=3..1:1", &["a range that runs backwards · --vary xfetch.beta=3..1:1"]),
        ] {
            let said = Knob::read(typed).unwrap_err().text;
            for word in words {
                assert!(said.contains(word), "{word:?} in {said}");
            }
        }
    }
}
