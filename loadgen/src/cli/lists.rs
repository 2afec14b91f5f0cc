//! `list` and `show`: what there is, with parameters and defaults.

use scenarios::Scenario;
use strategies::counter::{COUNTERS, CounterInfo, CounterPart};
use strategies::spec::{BROKEN, BrokenInfo, LAYERS, LayerInfo, PRESETS, ParamInfo, Slot};

use crate::shell::exit::{Exit, Failure};
use crate::shell::output;

/// Lists scenarios, presets and layers.
///
/// # Errors
/// [`Failure`] where standard output fails.
pub fn list() -> Result<Exit, Failure> {
    let mut text = String::from("Scenarios (--scenario NAME)\n");
    for (name, file) in scenarios::shipped() {
        let scenario = Scenario::parse(file, name, &[]).map_err(Failure::failed)?;
        text += &format!("  {name:<14} {}\n{:17}runs {}\n", scenario.summary, "", scenario.strategies.join(", "));
    }
    text += "\nPresets (--strategy a,b). A word alone is a preset; in a composition it is the layer and nothing else: `swr` has a\nlock, `swr + coalesce` has none.\n";
    for preset in PRESETS {
        text += &format!("  {:<14} {}\n{:17}= {}\n", preset.name, preset.summary, "", preset.composition);
    }
    text += "\nWrong on purpose: public mistakes, each with what it does\n";
    for broken in BROKEN {
        text += &broken_text(broken);
    }
    text += "\nLayers (--strategy \"policy(args) + layer(args) + …\", in any order)\n";
    for layer in LAYERS {
        text += &layer_text(layer);
    }
    text += "\nCounters, of a scenario with kind = \"count\" (--strategy \"base(args) + around(args) + …\", in any order)\n";
    for row in COUNTERS {
        text += &counter_text(row);
    }
    output::out(&text)?;
    Ok(Exit::Ok)
}

/// Shows one of them.
///
/// # Errors
/// [`Failure`] where there is no such thing, or standard output fails.
pub fn show(name: &str) -> Result<Exit, Failure> {
    let mut text = String::new();
    if let Some((name, file)) = scenarios::shipped().iter().find(|(n, _)| *n == name) {
        text += &Scenario::parse(file, name, &[]).map_err(Failure::failed)?.to_toml();
    }
    if let Some(preset) = PRESETS.iter().find(|p| p.name == name) {
        text += &format!("preset {}: {}\n= {}\n", preset.name, preset.summary, preset.composition);
        let layers = preset.composition.split('+').map(str::trim);
        for layer in layers.filter_map(|l| LAYERS.iter().find(|info| info.name == l)) {
            text += &layer_text(layer);
        }
    } else if let Some(broken) = BROKEN.iter().find(|b| b.name == name) {
        text += &broken_text(broken);
    } else if let Some(layer) = LAYERS.iter().find(|l| l.name == name) {
        text += &layer_text(layer);
    }
    if let Some(row) = COUNTERS.iter().find(|row| row.name == name) {
        text += &counter_text(row);
    }
    if text.is_empty() {
        let shipped = scenarios::shipped().iter().map(|(n, _)| *n);
        let strategies = PRESETS.iter().map(|p| p.name).chain(BROKEN.iter().map(|b| b.name));
        let names =
            shipped.chain(strategies).chain(LAYERS.iter().map(|l| l.name)).chain(COUNTERS.iter().map(|c| c.name));
        let meant = scenarios::nearest(name, names).map(|n| format!("did you mean `{n}`? ")).unwrap_or_default();
        return Err(Failure::usage(format!(
            "no such name · show {name:?} · allowed a scenario, preset or layer · {meant}`loadgen list` lists them"
        )));
    }
    output::out(&text)?;
    Ok(Exit::Ok)
}

fn broken_text(broken: &BrokenInfo) -> String {
    let BrokenInfo { name, composition, reason, mistake, .. } = broken;
    format!("  {name}\n{:17}= {composition}, with a flaw: {reason}\n{:17}seen as: {mistake}\n", "", "")
}

fn layer_text(layer: &LayerInfo) -> String {
    let slot = match layer.slot {
        Slot::Policy => "policy",
        Slot::Connection => "connection",
        Slot::Cache => "cache",
        Slot::Fill => "fill",
        Slot::Origin => "origin",
        Slot::Write => "write",
    };
    format!("  {:<14} {slot}: {}\n", layer.name, layer.summary) + &params_text(layer.params)
}

fn counter_text(row: &CounterInfo) -> String {
    let part = match row.part {
        CounterPart::Base => "base",
        CounterPart::Around => "around",
    };
    format!("  {:<14} {part}: {}\n", row.name, row.summary) + &params_text(row.params)
}

fn params_text(params: &[ParamInfo]) -> String {
    let mut text = String::new();
    for param in params {
        let default = format!("{} = {}", param.name, param.default);
        text += &format!("{:17}{default:<22} {}\n", "", param.allowed());
    }
    text
}
