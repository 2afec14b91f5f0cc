//! `loadgen report`: charts and pages again, from the records, and in a browser.

use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use report::sweep::SweepFolder;
use report::{Rendered, RunFolder, render, render_page};

use crate::cli::{ReportArgs, ReportWhat, SideBySideArgs};
use crate::shell::exit::{Exit, Failure};
use crate::shell::output;

/// What opens a file with whatever the desktop has for it.
const OPENER: &str = if cfg!(target_os = "macos") { "open" } else { "xdg-open" };
/// An opener that cannot do it says so at once; one that still runs after this has become the browser.
const OPENER_FAILS_WITHIN: Duration = Duration::from_secs(2);
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// Renders a run, a sweep, or several runs side by side, and lists the files.
///
/// # Errors
/// [`Failure`] where a record cannot be read or a file not be written. That a page cannot be opened is a warning: it is there.
pub(crate) fn report(args: &ReportArgs) -> Result<Exit, Failure> {
    let (rendered, open) = match &args.what {
        Some(ReportWhat::Compare(compare)) => (compared(compare)?, compare.open),
        None => {
            let run = args.run.as_deref().unwrap_or(Path::new("."));
            let is_sweep = SweepFolder::at(run).is_one();
            refuse_empty(run)?;
            let rendered = if is_sweep { report::sweep::render_sweep(run) } else { render(run) };
            (rendered.map_err(Failure::usage)?, args.open)
        }
    };
    let files: Vec<String> = rendered.files.iter().map(|file| format!("{}\n", file.display())).collect();
    output::out(&files.concat())?;
    for record in &rendered.missing {
        output::err(&format!(
            "warning: {} is not there: what it would show is left out, and the page says so\n",
            record.display()
        ));
    }
    if open {
        open_page(rendered.page());
    }
    Ok(Exit::Ok)
}

/// A page of nothing would look like one of a run in which nothing went wrong. What cannot be read is refused by its reader.
fn refuse_empty(folder: &Path) -> Result<(), Failure> {
    let no_strategy = RunFolder::at(folder).read_run().is_ok_and(|run| run.strategies.is_empty());
    let sweep = SweepFolder::at(folder).read().ok();
    let shown = folder.display();
    if let Some(part) = sweep.as_ref().and_then(|sweep| sweep.part.as_ref()) {
        let found = format!("part {} of {} of a sweep", part.index, part.of);
        return Err(Failure::usage(format!(
            "nothing to show · {shown} · found {found}, needed the whole · loadgen merge makes it of all parts, and draws it"
        )));
    }
    let no_point = sweep.is_some_and(|sweep| sweep.points.is_empty());
    let found = match (no_strategy, no_point) {
        (_, true) => "no point in sweep.json",
        (true, _) => "no strategy in run.json",
        _ => return Ok(()),
    };
    Err(Failure::usage(format!("nothing to show · {shown} · found {found}, needed one or more · run it again")))
}

fn compared(args: &SideBySideArgs) -> Result<Rendered, Failure> {
    let mut seen: Vec<PathBuf> = Vec::new();
    for run in &args.runs {
        let real = run.canonicalize().unwrap_or_else(|_| run.clone());
        if seen.contains(&real) {
            let run = run.display();
            return Err(Failure::usage(format!(
                "{run} is given twice; a run compared with itself says nothing: leave one out"
            )));
        }
        seen.push(real);
    }
    let beside = args.runs.first().and_then(|run| run.parent()).unwrap_or(Path::new("."));
    args.runs.iter().try_for_each(|run| refuse_empty(run))?;
    let page = args.output.clone().unwrap_or_else(|| beside.join("comparison.html"));
    render_page(&args.runs, &page).map_err(Failure::usage)
}

/// Opens a page in a browser; where that fails, a warning says so.
pub(crate) fn open_page(page: Option<&Path>) {
    let problem = match page {
        None => "a sweep has charts, and no page".to_owned(),
        Some(page) => match opened(page.as_os_str()) {
            Ok(None) => return,
            Ok(Some(status)) if status.success() => return,
            Ok(Some(status)) => format!("{OPENER} ended with {status}; open {} in a browser yourself", page.display()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                format!("there is no {OPENER} on the PATH; open {} in a browser yourself", page.display())
            }
            Err(error) => format!("{OPENER} cannot be run ({error}); open {} in a browser yourself", page.display()),
        },
    };
    output::err(&format!("warning: the page could not be opened: {problem}\n"));
}

/// Runs the opener; `None` where it is still at it, which is well.
fn opened(page: &OsStr) -> io::Result<Option<ExitStatus>> {
    let mut opener =
        Command::new(OPENER).arg(page).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
    let began = Instant::now();
    loop {
        match opener.try_wait()? {
            None if began.elapsed() < OPENER_FAILS_WITHIN => std::thread::park_timeout(LOOK_EVERY),
            ended => return Ok(ended),
        }
    }
}
