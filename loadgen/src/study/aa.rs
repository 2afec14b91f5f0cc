//! `aa`: a strategy against itself, to learn how far the same thing may differ on this machine.
//!
//! Two names, one composition, in randomised blocks like any two strategies. What the pairs differ by is noise, and no
//! difference within it is called one; a verdict other than "the same" would be a false alarm.

use report::Document as _;
use report::compare::stats::{Call, RUNS_MIN};
use report::compare::{NOISE_SCHEMA, NoiseBand, NoiseFile, read_noise};
use report::record::{Run, Strategy};

use crate::cli::RunArgs;
use crate::cli::settings::{Settings, Subject};
use crate::run;
use crate::shell::exit::{Exit, Failure};
use crate::shell::output;
use crate::study::noise;

/// Pairs where nothing is said.
const PAIRS: u16 = 10;

/// Runs it, says what was seen, and keeps it with the machine's class.
///
/// # Errors
/// [`Failure`] as of a run; where there are too few pairs; where what is known already can't be read.
pub(crate) async fn run(args: &RunArgs) -> Result<Exit, Failure> {
    let repeats = Some(args.repeats.unwrap_or(PAIRS));
    args.is_whole("take it out: aa is one process's")?;
    let mut settings = Settings::of(&RunArgs { repeats, ..args.clone() })?;
    if settings.simulated {
        return Err(Failure::usage(
            "nothing to measure · --lab sim · a simulated run is the same twice, to the last byte: it has no noise · run it in \
             a real lab, --lab local or docker",
        ));
    }
    let subject = one_subject(&settings)?;
    if usize::from(settings.repeats) < RUNS_MIN {
        return Err(Failure::usage(format!(
            "too few pairs · --repeats {} · needed at least {RUNS_MIN}: of fewer nothing can be said · write --repeats {PAIRS}",
            settings.repeats
        )));
    }
    settings.scenario.thresholds.clear();
    settings.unchecked.clear();
    settings.subjects = ["A", "B"].map(|side| named(&subject, side)).to_vec();
    if args.dry_run {
        return run::dry_run(settings).await;
    }
    let folder = settings.noise.clone();
    let (record, exit) = run::record(settings).await?;
    let [a, b] = record.strategies.as_slice() else { return Ok(exit) };
    let pairs: Vec<(&Strategy, &Strategy)> = a.runs().zip(b.runs()).collect();
    if exit != Exit::Ok || pairs.len() < RUNS_MIN {
        output::out("noise    not kept: the run is not whole and valid\n")?;
        return Ok(exit);
    }
    let band = NoiseBand {
        scenario: record.scenario.clone(),
        lab: record.lab.clone(),
        duration_s: record.duration_s,
        strategy: subject.name.clone(),
        measured_at: record.started_at.clone(),
        pairs: pairs.len() as u64,
        within: NoiseBand::widths(&pairs),
    };
    let path = noise::path(&folder, &record);
    let before = read_noise(&path).map_err(Failure::usage)?;
    let machine = report::compare::machine_class(&record.environment);
    let mut file = before.unwrap_or(NoiseFile { schema: NOISE_SCHEMA.into(), machine, bands: Vec::new() });
    let same = |held: &NoiseBand| {
        (&held.scenario, &held.lab, &held.strategy) == (&band.scenario, &band.lab, &band.strategy)
            && held.duration_s == band.duration_s
    };
    file.bands.retain(|held| !same(held));
    let text = in_words(&record, &band);
    file.bands.push(band);
    file.write(&path).map_err(Failure::failed)?;
    output::out(&format!("{text}kept     {}\n", path.display()))?;
    Ok(exit)
}

fn one_subject(settings: &Settings) -> Result<Subject, Failure> {
    match settings.subjects.as_slice() {
        [one] if one.strategy.is_some() => Ok(one.clone()),
        more => Err(Failure::usage(format!(
            "one strategy against itself · --strategy · found {}, allowed exactly 1 of a lab's · write --strategy singleflight",
            more.len()
        ))),
    }
}

fn named(subject: &Subject, side: &str) -> Subject {
    let (name, folder) = (format!("{} {side}", subject.name), format!("{}-{}", subject.folder, side.to_lowercase()));
    Subject { name, folder, ..subject.clone() }
}

fn in_words(record: &Run, band: &NoiseBand) -> String {
    let widths: Vec<String> =
        band.within.iter().map(|(metric, share)| format!("{} {:.1} %", metric.words(), share * 100.0)).collect();
    let mut text =
        format!("noise    {} pairs of {} differ by at most: {}\n", band.pairs, band.strategy, widths.join(", "));
    let alarm = record.comparisons.iter().find(|one| matches!(one.verdict, Call::Improved | Call::Regressed));
    if let Some(one) = alarm {
        text += &format!(
            "FALSE ALARM: {} of the same strategy is called different. One such run in twenty is chance; more of them mean \
             that the machine is not quiet.\n",
            one.metric.words()
        );
    }
    text
}
