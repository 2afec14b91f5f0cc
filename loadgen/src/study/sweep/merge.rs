//! The parts of a sweep that several processes did, as the one that a single process would have made: the points are put together, whatever is
//! concluded from all of them is concluded anew.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use report::sweep::{Sweep, SweepFolder, SweepPart, render_sweep};
use report::{FileKind, ReportError, read_text};

use super::goal::Goal;
use super::rank::rank;
use crate::cli::MergeArgs;
use crate::run::make_folder;
use crate::shell::exit::{Exit, Failure};
use crate::shell::names::{Utc, run_name};
use crate::shell::part::{command_beside, missing};

/// A part that was read.
struct ReadPart {
    at: PathBuf,
    sweep: Sweep,
    part: SweepPart,
    /// Rows of `sweep.csv`, the first of them the names.
    rows: Vec<String>,
}

/// Merges the parts in these folders into a folder of their own.
///
/// # Errors
/// [`Failure`] that names the part which is missing, doubled, not finished or of another sweep, or what cannot be read or written.
pub fn merge(args: &MergeArgs, folders: &[PathBuf]) -> Result<Exit, Failure> {
    let mut parts = folders.iter().map(|at| read(at)).collect::<Result<Vec<_>, _>>()?;
    parts.sort_by_key(|part| part.part.index);
    check(&parts)?;
    let entropy = app::wire::auth::entropy().map_err(Failure::failed)?;
    let first = &parts[0];
    let name = run_name(Utc::now(), &format!("sweep-{}", first.sweep.scenario), entropy);
    let folder = SweepFolder::at(make_folder(&args.output, &name)?.path());
    let merged = merged(&parts, &name)?;
    let written = || -> Result<_, ReportError> {
        let scenario = read_text(&first.at.join("scenario.toml"), FileKind::Settings)?;
        folder.write_scenario(&scenario.replacen(&first.sweep.command, &merged.command, 1))?;
        folder.write_lines(&rows(&parts, &merged))?;
        folder.write(&merged)?;
        render_sweep(folder.path())
    };
    let rendered = written().map_err(Failure::failed)?;
    super::say(args.format, &folder, &merged, None, rendered.files.len())?;
    Ok(super::exit(&merged, false))
}

fn read(at: &Path) -> Result<ReadPart, Failure> {
    let folder = SweepFolder::at(at);
    let sweep = folder.read().map_err(Failure::failed)?;
    let Some(part) = sweep.part.clone() else {
        return Err(refused(at, "a whole sweep", "a part of one", "take it out: there is nothing to merge it with"));
    };
    let rows = folder.read_lines().map_err(Failure::failed)?;
    Ok(ReadPart { at: at.to_owned(), sweep, part, rows })
}

/// Refuses parts that are not all of one sweep, each once and finished.
fn check(parts: &[ReadPart]) -> Result<(), Failure> {
    let Some(first) = parts.first() else { return Err(Failure::usage("nothing to merge · name the parts' folders")) };
    for part in parts {
        if let Some((what, found, needed)) = differs(first, part) {
            let (found, needed) = (format!("{what} {found}"), format!("{needed}, as in {}", first.at.display()));
            return Err(refused(&part.at, &found, &needed, "merge the parts of one sweep, made by one build"));
        }
        let own = part.sweep.points.iter().map(|point| point.runs as usize).sum::<usize>();
        if part.rows.len() != own + 1 {
            let (found, needed) = (format!("sweep.csv with {} lines", part.rows.len()), (own + 1).to_string());
            return Err(refused(
                &part.at,
                &found,
                &format!("{needed}, a run each and the names"),
                "copy it anew, or run it again",
            ));
        }
        if !part.sweep.complete {
            return Err(refused(&part.at, "a part that was not finished", "all of its runs", "run it again"));
        }
    }
    for pair in parts.windows(2) {
        if pair[0].part.index == pair[1].part.index {
            let also = if pair[0].at == pair[1].at {
                "named twice".to_owned()
            } else {
                format!("also in {}", pair[0].at.display())
            };
            let found = format!("part {} twice, {also}", pair[1].part.index);
            return Err(refused(&pair[1].at, &found, "each part once", "take one of them out"));
        }
    }
    let (of, found) = (first.part.of, parts.iter().map(|part| part.part.index).collect::<BTreeSet<u32>>());
    let Some((one, missing)) = missing(of, |index| found.contains(&index)) else { return Ok(()) };
    Err(Failure::usage(format!(
        "parts of the sweep are missing · found {} of {of}, missing {missing} · run them: {}",
        parts.len(),
        command_beside(&first.at, &first.part.whole, &format!("--points {one}"))
    )))
}

fn refused(at: &Path, found: &str, needed: &str, remedy: &str) -> Failure {
    let at = report::text::escape::line(&at.display().to_string());
    Failure::usage(format!("parts that can't be merged · {at} · found {found}, needed {needed} · {remedy}"))
}

/// The first thing in which a part is not of the same sweep as another: what, found there, needed.
fn differs(one: &ReadPart, other: &ReadPart) -> Option<(&'static str, String, String)> {
    let circumstances = |part: &ReadPart| {
        let sweep = &part.sweep;
        let points = sweep.points.iter().map(|point| format!("{} {:?}", point.name, point.values)).collect::<Vec<_>>();
        [
            ("version", sweep.version.clone()),
            ("build", part.part.build.clone()),
            ("scenario", sweep.scenario.clone()),
            ("number of parts", part.part.of.to_string()),
            ("seeds", format!("{:?}", sweep.seeds)),
            ("replicas", sweep.replicas.to_string()),
            ("columns of sweep.csv", part.rows.first().cloned().unwrap_or_default()),
            ("goal", sweep.goal.as_ref().map_or_else(|| "none".to_owned(), |goal| goal.text.clone())),
            ("settings", format!("{:?}", sweep.settings)),
            ("knobs", format!("{:?}", sweep.knobs)),
            ("points", points.join(", ")),
        ]
    };
    let pairs = circumstances(one).into_iter().zip(circumstances(other));
    pairs.into_iter().find(|(one, other)| one != other).map(|((what, needed), (_, found))| {
        let short = |text: String| if text.len() > 60 { "others".to_owned() } else { text };
        (what, short(found), short(needed))
    })
}

/// Which of the parts, in order, has a point.
fn owner(parts: &[ReadPart], point: usize) -> &ReadPart {
    &parts[point % parts.len()]
}

fn merged(parts: &[ReadPart], name: &str) -> Result<Sweep, Failure> {
    let first = &parts[0].sweep;
    let points: Vec<_> = (0..first.points.len()).map(|at| owner(parts, at).sweep.points[at].clone()).collect();
    let goal = first.goal.as_ref().map(|goal| Goal::parse(&goal.text, true)).transpose().map_err(Failure::usage)?;
    let began = parts.iter().map(|part| part.sweep.started_at.clone()).min().unwrap_or_default();
    Ok(Sweep {
        sweep: name.to_owned(),
        started_at: began,
        command: parts[0].part.whole.clone(),
        ranking: goal.map(|goal| rank(&goal, &points)).unwrap_or_default(),
        points,
        part: None,
        ..first.clone()
    })
}

/// The rows of `sweep.csv` in the order of the points.
fn rows(parts: &[ReadPart], merged: &Sweep) -> Vec<String> {
    let mut left: Vec<_> = parts.iter().map(|part| part.rows.iter().skip(1)).collect();
    let head = parts[0].rows.first().cloned();
    let of_points = merged.points.iter().enumerate().flat_map(|(at, point)| {
        let of = &mut left[at % parts.len()];
        of.by_ref().take(point.runs as usize).cloned().collect::<Vec<_>>()
    });
    head.into_iter().chain(of_points).collect()
}
