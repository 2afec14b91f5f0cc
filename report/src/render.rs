//! From a run's folder to everything that is drawn or said from it; and from several to one page.

use std::path::{Path, PathBuf};

use crate::atomic::write_atomic;
use crate::chart::{self, Chart, Comparison, HerdChart, Spectrum, StrategyChart};
use crate::digest::Digest;
use crate::error::ReportError;
use crate::folder::RunFolder;
use crate::page::{Told, page};
use crate::parallel;
use crate::summary::summary_markdown;
use crate::words::without_ledger;

/// What [`render`] wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    /// The files, in the order written: `charts/…`, `report.html`, `summary.md`.
    pub files: Vec<PathBuf>,
    /// Records that were not there, and should be: what is drawn from them is not drawn, and the page says so.
    pub missing: Vec<PathBuf>,
}

impl Rendered {
    /// The page among them.
    #[must_use]
    pub fn page(&self) -> Option<&Path> {
        self.files.iter().find(|file| file.extension().is_some_and(|ending| ending == "html")).map(PathBuf::as_path)
    }
}

/// Reads a run's folder and writes `charts/*.svg` and `*.png`, `report.html` and `summary.md` into it. The same records
/// make the same bytes. A record file that is missing leaves a note in its chart; a run without the origin's ledger has no
/// chart of the herd.
///
/// # Errors
///
/// [`ReportError`], with the path, where `run.json` or a record cannot be understood or a file cannot be written. Files
/// that were written before stay.
pub fn render(run_dir: &Path) -> Result<Rendered, ReportError> {
    let folder = RunFolder::at(run_dir);
    let told = read(&folder)?;
    let mut files = Files { folder: &folder, written: Vec::new() };
    for drawn in charts(&told)? {
        files.write(&Path::new("charts").join(format!("{}.svg", drawn.name)), drawn.svg.as_bytes())?;
        files.write(&Path::new("charts").join(format!("{}.png", drawn.name)), &drawn.png)?;
    }
    let summary = summary_markdown(&told.run);
    let missing = missing(&folder, &told);
    files.write(Path::new("report.html"), page(&[told]).as_bytes())?;
    files.write(Path::new("summary.md"), summary.as_bytes())?;
    Ok(Rendered { files: files.written, missing })
}

/// Reads the folders of one run or of several and writes one page of all of them, which says what differs between them, and
/// nothing else.
///
/// # Errors
///
/// As [`render`]: a run of another schema is refused.
pub fn render_page(run_dirs: &[PathBuf], page_path: &Path) -> Result<Rendered, ReportError> {
    let told = run_dirs.iter().map(|dir| read(&RunFolder::at(dir))).collect::<Result<Vec<_>, _>>()?;
    let missing = run_dirs.iter().zip(&told).flat_map(|(dir, told)| missing(&RunFolder::at(dir), told)).collect();
    let text = page(&told);
    write_atomic(page_path, |out| out.write_all(text.as_bytes()))?;
    Ok(Rendered { files: vec![page_path.to_owned()], missing })
}

fn missing(folder: &RunFolder, told: &Told) -> Vec<PathBuf> {
    let each = told.run.strategies.iter().zip(&told.digests);
    each.flat_map(|(strategy, digest)| {
        digest.missing.iter().map(|file| folder.path().join(&strategy.folder).join(file))
    })
    .collect()
}

fn read(folder: &RunFolder) -> Result<Told, ReportError> {
    let run = folder.read_run()?;
    let digests = parallel::each(run.strategies.len(), |at| Digest::read(folder, &run, &run.strategies[at]))?;
    Ok(Told { typical: run.typical(), run, digests })
}

/// A chart as it lies in `charts/`.
struct Drawn {
    name: String,
    svg: String,
    png: Vec<u8>,
}

/// Each strategy's chart, then those of all.
fn charts(told: &Told) -> Result<Vec<Drawn>, ReportError> {
    let Told { run, digests, .. } = told;
    let (strategies, herd) = (run.strategies.len(), usize::from(!without_ledger(run)));
    parallel::each(strategies + 2 + herd, |at| match (at.checked_sub(strategies), herd) {
        (None, _) => drawn(&StrategyChart { run, strategy: &run.strategies[at], digest: &digests[at] }),
        (Some(0), _) => drawn(&Comparison { run, digests }),
        (Some(1), 1) => drawn(&HerdChart { run, digests }),
        _ => drawn(&Spectrum { run, digests }),
    })
}

fn drawn<C: Chart>(chart: &C) -> Result<Drawn, ReportError> {
    Ok(Drawn { name: chart.name(), svg: chart::svg(chart)?, png: chart::png(chart)? })
}

/// Writes files and remembers them.
struct Files<'a> {
    folder: &'a RunFolder,
    written: Vec<PathBuf>,
}

impl Files<'_> {
    fn write(&mut self, name: &Path, bytes: &[u8]) -> Result<(), ReportError> {
        let path = self.folder.path().join(name);
        write_atomic(&path, |out| out.write_all(bytes))?;
        self.written.push(path);
        Ok(())
    }
}
