//! What is asked, from the arguments: everything is checked before anything runs.

use super::bracket::Bracket;
use super::scale::LoadScale;
use crate::cli::settings::{Settings, Subject};
use crate::cli::{CapacityArgs, LabChoice, RunArgs};
use crate::shell::exit::Failure;
use crate::study::sweep::goal::Sought;
use scenarios::LoadKind;

/// Runs of a value where nothing is said.
const RUNS: u16 = 3;
/// How far the bounds lie from the scenario's own value where nothing is said.
const BOUNDS: f64 = 64.0;
/// The precision that can be asked for.
const PRECISION: std::ops::RangeInclusive<f64> = 0.001..=0.5;

/// What is asked.
pub struct CapacityQuestion {
    /// The scenario as it is, with the strategies that take part.
    pub base: Settings,
    /// The field and the conditions.
    pub sought: Sought,
    /// Where to look.
    pub bracket: Bracket,
    /// Runs of each value.
    pub runs: u16,
    /// How many of them must meet every condition.
    pub hold: u16,
    args: RunArgs,
}

impl CapacityQuestion {
    /// Checks the arguments.
    ///
    /// # Errors
    /// [`Failure`] with the first thing that is wrong, be it at a bound of the search.
    pub fn of(args: &CapacityArgs) -> Result<Self, Failure> {
        args.run.is_whole("capacity drives each value whole")?;
        if args.run.live.is_some() {
            return Err(Failure::usage(
                "a page of many runs · --live · found it with capacity, allowed with `run` alone · leave it out",
            ));
        }
        let in_virtual_time = args.run.lab == LabChoice::Auto && args.run.target.is_empty();
        let lab = if in_virtual_time { LabChoice::Sim } else { args.run.lab };
        let run = RunArgs { lab, quiet: true, repeats: None, ..args.run.clone() };
        let base = Settings::of(&run)?;
        let has_hot_key = base.scenario.keys.hot_key().is_some();
        let sought = Sought::parse(&args.find, has_hot_key).map_err(Failure::usage)?;
        check_field(&sought, &args.run, &base)?;
        let runs = args.run.repeats.unwrap_or(RUNS);
        let hold = args.hold.unwrap_or(runs);
        if hold > runs {
            return Err(Failure::usage(format!(
                "more runs must hold than there are · --hold {hold} · allowed 1 to {runs}, the runs of a value · lower it, or \
                 raise --repeats"
            )));
        }
        args.run.seed.checked_add(u64::from(runs) - 1).ok_or_else(|| {
            Failure::usage("the last seed is too large · --seed and --repeats · allowed up to 2^64 − 1 · lower --seed")
        })?;
        let precision = precision(&args.precision)?;
        let mut question = Self {
            bracket: Bracket { from: 1.0, to: 1.0, start: 1.0, precision, scale: LoadScale::WHOLE },
            base,
            sought,
            runs,
            hold,
            args: run,
        };
        question.bracket = question.bounds(args, precision)?;
        Ok(question)
    }

    /// The settings of the `run`th run (from 0) of a strategy at a value.
    ///
    /// # Errors
    /// [`Failure`] where there is no such value.
    pub fn settings(&self, subject: &Subject, value: f64, run: u16) -> Result<Settings, Failure> {
        let strategy = (!subject.is_target()).then(|| subject.name.clone());
        let args = RunArgs { strategy, seed: self.args.seed.saturating_add(run.into()), ..self.at(value) };
        let mut settings = Settings::of(&args)?;
        settings.scenario.thresholds.clear();
        Ok(settings)
    }

    /// The lab that is asked for.
    #[must_use]
    pub fn lab(&self) -> &'static str {
        match self.base.lab {
            _ if self.base.target.is_some() => "target",
            LabChoice::Docker => "docker",
            LabChoice::Sim => "sim",
            LabChoice::Auto | LabChoice::Local => "local",
        }
    }

    /// Where a real lab's runs are left.
    pub fn keep_runs_in(&mut self, folder: &std::path::Path) {
        self.args.output = folder.to_owned();
    }

    /// A value as it is typed.
    #[must_use]
    pub fn text(&self, value: f64) -> String {
        self.bracket.scale.text(value)
    }

    fn at(&self, value: f64) -> RunArgs {
        let mut args = self.args.clone();
        args.set.push(format!("{}={}", self.sought.path, self.text(value)));
        args
    }

    /// Where to look: between what was said, or what the scenario's own value says as far as the scenario can be so.
    fn bounds(&mut self, args: &CapacityArgs, precision: f64) -> Result<Bracket, Failure> {
        let path = self.sought.path.clone();
        let [from, to] = [("--from", &args.from), ("--to", &args.to)].map(|(flag, text)| {
            let read = |text: &String| LoadScale::of(text).ok_or_else(|| no_number(flag, text));
            text.as_ref().map(read).transpose()
        });
        let (from, to) = (from?, to?);
        let own = self.base.scenario.settings().get(&path).and_then(|text| LoadScale::of(text));
        let Some((mut scale, start)) = own.or(from).or(to) else {
            return Err(Failure::usage(format!(
                "nothing to begin with · --find max {path} · found no number above 0 in the scenario, needed a value to begin \
                 with · write --from and --to, as --from 10/s --to 1000/s"
            )));
        };
        for (flag, given) in [("--from", from), ("--to", to)] {
            if let Some((other, _)) = given.filter(|(other, _)| other.dimension != scale.dimension) {
                let (found, own) = (other.dimension.unit(), scale.text(start));
                return Err(Failure::usage(format!(
                    "another unit than the field's · {flag} · found {found:?}, allowed what {path} counts in, as {own} · write \
                     it so"
                )));
            }
        }
        scale.whole &= [own, from, to].into_iter().flatten().all(|(scale, _)| scale.whole);
        self.bracket.scale = scale;
        let low = from.map_or_else(|| self.as_far(start, start / BOUNDS, 2.0), |(_, from)| from);
        let high = to.map_or_else(|| self.as_far(start, start * BOUNDS, 0.5), |(_, to)| to);
        let (low, high) =
            (if from.is_none() { low.min(high) } else { low }, if to.is_none() { high.max(low) } else { high });
        if low > high || low >= high && from.is_some() && to.is_some() {
            let [low, high] = [low, high].map(|bound| scale.text(bound));
            return Err(Failure::usage(format!(
                "bounds in the wrong order · --from {low} --to {high} · allowed a --from below --to · change one of them"
            )));
        }
        for (flag, bound, given) in [("--from", low, from.is_some()), ("--to", high, to.is_some())] {
            self.check(bound).map_err(|failure| {
                let set = format!("--set {path}={}", self.text(bound));
                let typed = if given { format!("{flag} {}", self.text(bound)) } else { format!("--find max {path}") };
                Failure { text: failure.text.replace(&set, &typed), ..failure }
            })?;
        }
        Ok(Bracket { from: low, to: high, start: start.clamp(low, high), precision, scale })
    }

    /// As far from `start` towards `end` as the scenario can be, in steps of `back`.
    fn as_far(&self, start: f64, end: f64, back: f64) -> f64 {
        let mut bound = end;
        while (bound > start) == (end > start) && bound != start {
            let value = self.bracket.scale.nearest(bound);
            if self.check(value).is_ok() {
                return value;
            }
            bound *= back;
        }
        start
    }

    fn check(&self, value: f64) -> Result<(), Failure> {
        Settings::of(&self.at(value)).map(|_| ())
    }
}

/// The field must be one that nothing else sets, and that says what the load is.
fn check_field(sought: &Sought, run: &RunArgs, base: &Settings) -> Result<(), Failure> {
    let path = &sought.path;
    let set = run.set.iter().find(|set| set.split('=').next().is_some_and(|field| field.trim() == path));
    let flags = [
        ("-d", "load.duration", run.duration.is_some()),
        ("-w", "load.warmup", run.warmup.is_some()),
        ("-c", "load.clients", run.clients.is_some()),
        ("-r", "load.rate", run.rate.is_some()),
    ];
    let flag = flags.iter().find(|(_, field, given)| *given && field == path);
    if let Some(twice) = set.map(|set| format!("--set {set}")).or(flag.map(|(flag, ..)| (*flag).to_owned())) {
        return Err(Failure::usage(format!(
            "the same field twice · --find max {path} · found {twice} for it, too, allowed one of them · drop {twice}; --from \
             and --to say where to look"
        )));
    }
    if let (true, LoadKind::Open { ramps, .. }) = (path == "load.rate", &base.scenario.load.kind)
        && !ramps.is_empty()
    {
        return Err(Failure::usage(
            "a rate that ramps change · --find max load.rate · found [[load.ramp]] in the scenario, needed one rate for the \
             whole run · write --set load.ramp=[]",
        ));
    }
    if path == "load.clients" && base.scenario.load.kind.clients_ramp() {
        return Err(Failure::usage(
            "a number of clients that ramps change · --find max load.clients · found [[load.ramp]] in the scenario, needed one \
             number for the whole run · write --set load.ramp=[]",
        ));
    }
    Ok(())
}

fn no_number(flag: &str, text: &str) -> Failure {
    let text = report::text::escape::line(text);
    Failure::usage(format!(
        "no number · {flag} {text} · found {text:?}, allowed a number above 0 with the field's unit · write it as 400/s, 50 or 5s"
    ))
}

fn precision(text: &str) -> Result<f64, Failure> {
    let share =
        text.strip_suffix('%').and_then(|percent| percent.trim().parse::<f64>().ok()).map(|share| share / 100.0);
    share.filter(|share| PRECISION.contains(share)).ok_or_else(|| {
        Failure::usage(format!(
            "no precision · --precision {text} · found {text:?}, allowed 0.1% to 50% · write it as 2%"
        ))
    })
}
