//! From a run's folder to everything that is drawn or said from it.

use std::path::{Path, PathBuf};

use crate::atomic::write_atomic;
use crate::chart::{self, Chart, Comparison, HerdChart, Spectrum, StrategyChart};
use crate::digest::Digest;
use crate::error::ReportError;
use crate::folder::RunFolder;
use crate::page::{Drawings, page};
use crate::summary::summary_markdown;
use crate::words::without_ledger;

/// What [`render`] wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    /// The files, in the order written: `charts/…`, `report.html`, `summary.md`.
    pub files: Vec<PathBuf>,
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
    let run = folder.read_run()?;
    let digests =
        run.strategies.iter().map(|strategy| Digest::read(&folder, &run, strategy)).collect::<Result<Vec<_>, _>>()?;
    let mut files = Files { folder: &folder, written: Vec::new() };
    let strategies = run
        .strategies
        .iter()
        .zip(&digests)
        .map(|(strategy, digest)| files.chart(&StrategyChart { run: &run, strategy, digest }))
        .collect::<Result<Vec<_>, _>>()?;
    let drawings = Drawings {
        comparison: files.chart(&Comparison { run: &run, digests: &digests })?,
        herd: (!without_ledger(&run)).then(|| files.chart(&HerdChart { run: &run, digests: &digests })).transpose()?,
        spectrum: files.chart(&Spectrum { run: &run, digests: &digests })?,
        strategies,
    };
    files.write(Path::new("report.html"), page(&run, &drawings).as_bytes())?;
    files.write(Path::new("summary.md"), summary_markdown(&run).as_bytes())?;
    Ok(Rendered { files: files.written })
}

/// Writes files and remembers them.
struct Files<'a> {
    folder: &'a RunFolder,
    written: Vec<PathBuf>,
}

impl Files<'_> {
    /// Writes a chart as SVG and PNG; the SVG is handed back for the page.
    fn chart<C: Chart>(&mut self, drawn: &C) -> Result<String, ReportError> {
        let svg = chart::svg(drawn)?;
        let png = chart::png(drawn)?;
        let name = drawn.name();
        self.write(&Path::new("charts").join(format!("{name}.svg")), svg.as_bytes())?;
        self.write(&Path::new("charts").join(format!("{name}.png")), &png)?;
        Ok(svg)
    }

    fn write(&mut self, name: &Path, bytes: &[u8]) -> Result<(), ReportError> {
        let path = self.folder.path().join(name);
        write_atomic(&path, |out| out.write_all(bytes))?;
        self.written.push(path);
        Ok(())
    }
}
