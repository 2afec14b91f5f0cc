//! A strategy with one of its parameters changed: what a sweep varies.

use std::fmt::Write as _;

use super::catalogue::{self, LAYERS, PRESETS};
use super::layer::LayerInfo;
use super::terms::{self, Arg, Term};
use super::{Spec, SpecError};

impl Spec {
    /// The layers that it is composed of. None of one that is wrong on purpose: its flaw is what it is for.
    #[must_use]
    pub fn layers(&self) -> Vec<&'static LayerInfo> {
        let terms = if self.broken.is_some() { Vec::new() } else { terms::parse(&self.canonical).unwrap_or_default() };
        LAYERS.iter().filter(|layer| terms.iter().any(|term| term.name == layer.name)).collect()
    }

    /// The same strategy with a parameter of one of its layers set, named as somebody would type it: `xfetch` with
    /// `xfetch`, `beta`, `2` is `xfetch(beta=2)`.
    ///
    /// # Errors
    /// [`SpecError`] where it has no such layer, the layer no such parameter, or the value does not fit.
    pub fn with_param(&self, layer: &str, param: &str, value: &str) -> Result<Self, SpecError> {
        let problem = |problem: String| SpecError { text: self.name.clone(), problem };
        if !self.layers().iter().any(|info| info.name == layer) {
            return Err(problem(format!("has no layer {layer}; it is {}", self.canonical)));
        }
        let mut terms = terms::parse(&self.name).map_err(problem)?;
        let arg = Arg { key: Some(param.to_owned()), value: value.to_owned() };
        if !stands_for(&terms, layer, &arg) {
            terms = catalogue::expand(&terms).map_err(problem)?;
        }
        let one = terms.len() == 1;
        let Some(term) = terms.iter_mut().find(|term| one || term.name == layer) else {
            return Err(problem(format!("has no layer {layer}")));
        };
        let is_first = LAYERS.iter().any(|l| l.name == layer && l.params.first().is_some_and(|p| p.name == param));
        // What a preset is given without a name belongs to the layer of its own name.
        let is_first = is_first && term.name == layer;
        let is_it = |given: &Arg| given.key.as_deref().map_or(is_first, |key| key == param);
        term.args.retain(|given| !is_it(given));
        term.args.push(arg);
        Self::parse(&text(&terms))
    }
}

/// Whether the terms are one preset whose parameter of that name is that layer's, so that it can stay a preset.
fn stands_for(terms: &[Term], layer: &str, arg: &Arg) -> bool {
    let [term] = terms else { return false };
    if !PRESETS.iter().any(|preset| preset.name == term.name) {
        return false;
    }
    let expanded = catalogue::expand(&[Term { name: term.name.clone(), args: Vec::new() }]).unwrap_or_default();
    catalogue::taker(&expanded, &term.name, arg).is_some_and(|at| expanded[at].name == layer)
}

/// The terms as they would be typed.
fn text(terms: &[Term]) -> String {
    let mut text = String::new();
    for (at, term) in terms.iter().enumerate() {
        let plus = if at > 0 { " + " } else { "" };
        // Writing to a String cannot fail.
        let _ = write!(text, "{plus}{}", term.name);
        let args = term.args.iter().map(|arg| match &arg.key {
            Some(key) => format!("{key}={}", arg.value),
            None => arg.value.clone(),
        });
        let args: Vec<String> = args.collect();
        if !args.is_empty() {
            let _ = write!(text, "({})", args.join(", "));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(text: &str) -> Spec {
        Spec::parse(text).unwrap()
    }

    #[test]
    fn a_parameter_is_set_where_it_belongs_and_the_name_says_so() {
        for (typed, layer, param, value, name, canonical) in [
            ("xfetch", "xfetch", "beta", "2", "xfetch(beta=2)", "xfetch(beta=2) + lock"),
            ("xfetch(beta=4)", "xfetch", "beta", "2", "xfetch(beta=2)", "xfetch(beta=2) + lock"),
            ("xfetch(4)", "xfetch", "beta", "2", "xfetch(beta=2)", "xfetch(beta=2) + lock"),
            ("xfetch", "lock", "poll", "20ms", "xfetch(poll=20ms)", "xfetch + lock(poll=20ms)"),
            ("naive", "plain", "stale", "1s", "naive(stale=1s)", "plain(stale=1s)"),
            ("jitter(0.2)", "jitter", "spread", "1", "jitter(spread=1)", "plain + jitter(spread=1)"),
            ("jitter(0.2)", "plain", "stale", "1s", "jitter(0.2, stale=1s)", "plain(stale=1s) + jitter"),
            ("stack", "jitter", "spread", "1", "stack(spread=1)", "swr + jitter(spread=1) + coalesce + lease"),
            (
                "swr(stale=2s) + lock(poll=10ms)",
                "lock",
                "poll",
                "20ms",
                "swr(stale=2s) + lock(poll=20ms)",
                "swr(stale=2s) + lock(poll=20ms)",
            ),
            ("swr + bare", "swr", "stale", "2s", "swr(stale=2s) + bare", "swr(stale=2s) + bare"),
        ] {
            let varied = spec(typed).with_param(layer, param, value).unwrap();
            assert_eq!((varied.name(), varied.canonical()), (name, canonical), "{typed}");
        }
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        for (typed, layer, param, value, said) in [
            ("naive", "xfetch", "beta", "2", "has no layer xfetch; it is plain"),
            ("xfetch", "xfetch", "bta", "2", "has no parameter \"bta\", did you mean `beta`?"),
            ("xfetch", "xfetch", "beta", "0", "found 0, which is out of range"),
            ("broken-lock-no-reread", "lock", "poll", "20ms", "has no layer lock"),
        ] {
            let problem = spec(typed).with_param(layer, param, value).unwrap_err().to_string();
            assert!(problem.contains(said), "{problem}");
        }
        assert!(Spec::parse("xfetch(beta=1, beta=2)").unwrap_err().to_string().contains("twice"));
        assert!(Spec::parse("stack(spread=1, spread=2)").unwrap_err().to_string().contains("twice"));
    }

    #[test]
    fn every_parameter_of_every_preset_can_be_set_to_its_default() {
        for preset in PRESETS {
            for layer in spec(preset.name).layers() {
                for param in layer.params {
                    let varied = spec(preset.name).with_param(layer.name, param.name, param.default).unwrap();
                    let again = spec(varied.name());
                    assert_eq!(again.canonical(), varied.canonical(), "{} is what it is called", varied.name());
                }
            }
        }
    }
}
