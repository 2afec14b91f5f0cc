//! What lies where a baseline is read or written, if it is none.

use std::io::ErrorKind;
use std::path::Path;

use report::{FileKind, ReportError, read_file};

use super::sentences;
use crate::shell::exit::Failure;

/// What lies where a baseline is to be written: one, or nothing of worth. Nothing else is replaced.
pub(super) fn replaceable<T>(read: Result<T, ReportError>, path: &Path) -> Result<Option<T>, Failure> {
    match read {
        Ok(before) => Ok(Some(before)),
        Err(ReportError::Io { .. }) => Ok(None),
        // A baseline of another version, or one that a merge broke, is what a promotion mends.
        Err(_) if is_ours(path) => Ok(None),
        Err(error) => Err(Failure::usage(format!(
            "no baseline written · {error} · what lies there is no baseline, and promote replaces nothing else: name \
             another folder with --baseline-dir, or remove the file"
        ))),
    }
}

pub(super) fn unwritten(error: ReportError) -> Failure {
    let remedy = match error {
        ReportError::Io { .. } => " · name it with --baseline-dir",
        _ => "",
    };
    Failure::usage(format!("no baseline written · {error}{remedy}"))
}

/// Whatever is wrong with a baseline, the remedy is a new one.
pub(super) fn no_baseline(error: &ReportError, baseline: &Path, run: &Path) -> Failure {
    let promote = sentences::promote(baseline, run);
    match error {
        ReportError::Io { path, source, .. } if source.kind() == ErrorKind::NotFound => {
            let path = path.display();
            Failure::not_comparable(format!(
                "no baseline · --baseline {path} · found nothing there · make this run the baseline if its figures are \
                 right: {promote}"
            ))
        }
        ReportError::Document { path, .. } if is_run(path) => Failure::not_comparable(format!(
            "a run where a baseline is expected · --baseline {} · found a run.json · make it one: loadgen promote {}",
            path.display(),
            path.display()
        )),
        other => Failure::not_comparable(format!("no baseline that can be used · {other}")),
    }
}

/// Whether a file says that it is a baseline, whatever else is in it; or is empty.
fn is_ours(path: &Path) -> bool {
    read_file(path, FileKind::Document).is_ok_and(|bytes| {
        let text = String::from_utf8_lossy(&bytes);
        text.is_empty() || text.contains("\"stampede.baseline/") || text.contains("\"stampede.measured/")
    })
}

fn is_run(path: &Path) -> bool {
    read_file(path, FileKind::Document).is_ok_and(|bytes| report::parse_run(&bytes).is_ok())
}
