//! `capacity`: the highest load that each strategy bears, as an interval, with the figure that gave way first.
//!
//! | idea | where |
//! |---|---|
//! | what is asked; where to look | [`ask`], [`scale`] |
//! | which value is tried next | [`bracket`] |
//! | one value: its runs, and what they come to | `step` |
//! | `capacity.json`; the words | [`record`], [`sentences`] |

pub mod ask;
pub mod bracket;
pub mod record;
pub mod scale;
pub mod sentences;
mod step;

use app::process::shutdown::Shutdown;
use report::text::escape;
use report::{RunFolder, write_atomic};

use crate::cli::settings::Subject;
use crate::cli::{CapacityArgs, Format};
use crate::run::make_folder;
use crate::shell::exit::{Exit, Failure};
use crate::shell::interrupt;
use crate::shell::names::{Utc, run_name};
use crate::shell::output;
use ask::CapacityQuestion;
use record::{CapacityAnswer, CapacityRecord, CapacityVerdict};

/// Finds each strategy's limit, writes the folder, says what came out.
///
/// # Errors
/// [`Failure`] where an argument is bad, or a run or a file fails.
pub async fn run(args: &CapacityArgs) -> Result<Exit, Failure> {
    let mut question = CapacityQuestion::of(args)?;
    let quiet = args.run.quiet;
    if !quiet || args.run.dry_run {
        output::err(&sentences::announce(&question));
    }
    if args.run.dry_run {
        return Ok(Exit::Ok);
    }
    let stop = interrupt::listen().map_err(|e| Failure::failed(format!("no signals from the system: {e}")))?;
    let began = Utc::now();
    let entropy = app::wire::auth::entropy().map_err(Failure::failed)?;
    let name = run_name(began, &format!("capacity-{}", question.base.scenario.name), entropy);
    let folder = make_folder(&args.run.output, &name)?;
    question.keep_runs_in(&folder.path().join("runs"));
    let answers = all(&question, &stop, quiet).await.inspect_err(|_| {
        // Nothing to keep, unless a real lab left its runs.
        let _ = std::fs::remove_dir(folder.path());
    })?;
    let record = record::record(&question, (name, began.rfc3339()), answers);
    let json = write(&question, &folder, &record)?;
    let text = match args.run.format {
        Format::Json => escape::json(&json),
        Format::Text => {
            let path = folder.path().display();
            sentences::outcome(&question, &record) + &format!("\nresults  {path}: capacity.json, capacity.md\n")
        }
    };
    output::out(&text)?;
    Ok(exit(&record, stop.is_said()))
}

async fn all(question: &CapacityQuestion, stop: &Shutdown, quiet: bool) -> Result<Vec<CapacityAnswer>, Failure> {
    let mut answers = Vec::new();
    for subject in &question.base.subjects {
        answers.push(limit(question, subject, stop, quiet).await?);
    }
    Ok(answers)
}

/// A strategy's limit, as far as there is time to find it.
async fn limit(
    question: &CapacityQuestion,
    subject: &Subject,
    stop: &Shutdown,
    quiet: bool,
) -> Result<CapacityAnswer, Failure> {
    let mut steps = Vec::new();
    loop {
        let tried: Vec<_> = steps.iter().map(|(end, step): &(_, record::CapacityStep)| (step.value, *end)).collect();
        let next = question.bracket.next(&tried);
        let Some(value) = next.filter(|_| !stop.is_said()) else {
            return Ok(CapacityAnswer::of(subject, steps, next.is_none()));
        };
        if let Some((end, step)) = question.step(subject, value, stop).await? {
            if !quiet {
                output::err(&sentences::tried(&subject.name, &question.sought.path, &step));
            }
            steps.push((end, step));
        }
    }
}

fn write(question: &CapacityQuestion, folder: &RunFolder, record: &CapacityRecord) -> Result<String, Failure> {
    let json = serde_json::to_string_pretty(record).map_err(Failure::failed)? + "\n";
    let toml = question.base.scenario.to_toml();
    folder
        .write_scenario(&format!("# Where {} is as it was. {}\n{toml}", record.field, record.command))
        .map_err(Failure::failed)?;
    for (file, text) in [("capacity.json", &json), ("capacity.md", &sentences::markdown(question, record))] {
        write_atomic(&folder.path().join(file), |out| out.write_all(text.as_bytes())).map_err(Failure::failed)?;
    }
    Ok(json)
}

/// Where several exit codes apply, the contract's order decides.
fn exit(record: &CapacityRecord, interrupted: bool) -> Exit {
    let not_known = record.strategies.iter().any(|answer| answer.verdict == CapacityVerdict::NotKnown);
    let exits = [interrupted.then_some(Exit::Interrupted), not_known.then_some(Exit::Invalid)];
    exits.into_iter().flatten().min().unwrap_or(Exit::Ok)
}
