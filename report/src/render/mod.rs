//! From a run's folder to everything that is drawn or said from it; and from several to one page.

pub(crate) mod digest;
pub(crate) mod heat;
pub(crate) mod parallel;

use std::path::{Path, PathBuf};

use crate::chart::{self, Chart, ComparisonChart, HerdChart, Spectrum, StrategyChart};
use crate::files::atomic::{write_atomic, write_inside};
use crate::files::error::ReportError;
use crate::files::folder::RunFolder;
use crate::page::{DigestedRun, page};
use crate::render::digest::Digest;
use crate::text::junit::junit_of;
use crate::text::names::shortened;
use crate::text::phrases::without_ledger;
use crate::text::summary::summary_markdown;
use crate::text::verdict::verdict_table;

/// What [`render`] wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    /// The files, in the order written: `charts/…`, `report.html`, `summary.md`, `junit.xml`.
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

/// Reads a run's folder and writes `charts/*.svg` and `*.png`, `report.html`, `summary.md` and `junit.xml` into it. The same
/// records make the same bytes. A record file that is missing leaves a note in its chart; a run without the origin's ledger has no
/// chart of the herd.
///
/// # Errors
///
/// [`ReportError`], with the path, where `run.json` or a record cannot be understood or a file cannot be written. Files
/// that were written before stay.
pub fn render(run_dir: &Path) -> Result<Rendered, ReportError> {
    let folder = RunFolder::at(run_dir);
    let digested = read(&folder)?;
    let mut files = Files::of(run_dir);
    for (name, bytes) in parallel::each(charts(&digested), |at| chart::files(&*chart(&digested, at)))?.iter().flatten()
    {
        files.write(name, bytes)?;
    }
    let (summary, junit) = (summary_markdown(&digested.run), junit_of(&digested.run));
    let missing = missing(&folder, &digested);
    files.write(Path::new("report.html"), page(&[digested]).as_bytes())?;
    files.write(Path::new("summary.md"), summary.as_bytes())?;
    files.write(Path::new("junit.xml"), junit.as_bytes())?;
    Ok(Rendered { files: files.written, missing })
}

/// The same as texts, with nothing written and no PNG: each file's name in the run's folder, and what would be in it.
///
/// # Errors
///
/// As [`render`].
pub fn render_text(run_dir: &Path) -> Result<Vec<(PathBuf, String)>, ReportError> {
    let digested = read(&RunFolder::at(run_dir))?;
    let mut texts = parallel::each(charts(&digested), |at| chart::svg(&*chart(&digested, at)))?;
    texts.push(("summary.md".into(), summary_markdown(&digested.run)));
    texts.push(("verdict.txt".into(), verdict_table(&digested.run)));
    texts.push(("report.html".into(), page(&[digested])));
    Ok(texts)
}

/// Reads the folders of one run or of several and writes one page of all of them, which says what differs between them, and
/// nothing else.
///
/// # Errors
///
/// As [`render`]: a run of another schema is refused.
pub fn render_page(run_dirs: &[PathBuf], page_path: &Path) -> Result<Rendered, ReportError> {
    let digested = run_dirs.iter().map(|dir| read(&RunFolder::at(dir))).collect::<Result<Vec<_>, _>>()?;
    let missing =
        run_dirs.iter().zip(&digested).flat_map(|(dir, digested)| missing(&RunFolder::at(dir), digested)).collect();
    let text = page(&digested);
    write_atomic(page_path, |out| out.write_all(text.as_bytes()))?;
    Ok(Rendered { files: vec![page_path.to_owned()], missing })
}

fn missing(folder: &RunFolder, digested: &DigestedRun) -> Vec<PathBuf> {
    let each = digested.run.strategies.iter().zip(&digested.digests);
    each.flat_map(|(strategy, digest)| {
        digest.missing.iter().map(|file| folder.path().join(&strategy.folder).join(file))
    })
    .collect()
}

fn read(folder: &RunFolder) -> Result<DigestedRun, ReportError> {
    let run = folder.read_run()?;
    let digests = parallel::each(run.strategies.len(), |at| Digest::read(folder, &run, &run.strategies[at]))?;
    Ok(DigestedRun { typical: run.typical(), shown: shortened(&run, NAME_ON_CHARTS), run, digests })
}

/// Characters of a strategy's name in a chart of several.
const NAME_ON_CHARTS: usize = 44;

/// A run's charts, by number: each strategy's, then those of all.
fn chart(digested: &DigestedRun, at: usize) -> Box<dyn Chart + '_> {
    let DigestedRun { run, shown, digests, .. } = digested;
    let of_all = at.checked_sub(run.strategies.len());
    match (of_all, without_ledger(run)) {
        (None, _) => Box::new(StrategyChart { run, strategy: &run.strategies[at], digest: &digests[at] }),
        (Some(0), _) => Box::new(ComparisonChart { run: shown, digests }),
        (Some(1), false) => Box::new(HerdChart { run: shown, digests }),
        _ => Box::new(Spectrum { run: shown, digests }),
    }
}

/// How many there are.
fn charts(digested: &DigestedRun) -> usize {
    digested.run.strategies.len() + 2 + usize::from(!without_ledger(&digested.run))
}

/// Writes files into a folder and remembers them.
pub(crate) struct Files<'a> {
    folder: &'a Path,
    pub(crate) written: Vec<PathBuf>,
}

impl<'a> Files<'a> {
    pub(crate) fn of(folder: &'a Path) -> Self {
        Self { folder, written: Vec::new() }
    }

    pub(crate) fn write(&mut self, name: &Path, bytes: &[u8]) -> Result<(), ReportError> {
        let path = self.folder.join(name);
        write_inside(self.folder, &path, |out| out.write_all(bytes))?;
        self.written.push(path);
        Ok(())
    }
}
