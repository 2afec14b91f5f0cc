//! From a sweep's record to its charts.

use std::path::{Path, PathBuf};

use super::{Sweep, SweepFolder};
use crate::chart::{self, Chart, Curves, HeatMap, Of};
use crate::files::atomic::write_inside;
use crate::files::error::ReportError;
use crate::render::Rendered;

/// Reads a sweep's folder and draws its charts: curves of one knob, a heat map a strategy of two, and one of all
/// strategies by the first figure. Of more knobs, or of
/// none that has more than one value, there is no picture.
///
/// # Errors
///
/// [`ReportError`], with the path, where `sweep.json` cannot be understood or a file cannot be written.
pub fn render_sweep(dir: &Path) -> Result<Rendered, ReportError> {
    let folder = SweepFolder::at(dir);
    let sweep = folder.read()?;
    let mut files = Vec::new();
    let turned: Vec<usize> = (0..sweep.knobs.len()).filter(|knob| sweep.knobs[*knob].values.len() > 1).collect();
    match turned[..] {
        [knob] => draw(&folder, &Curves { sweep: &sweep, knob }, &mut files)?,
        [one, two] => {
            // The longer list lies along the longer side.
            let wide = sweep.knobs[one].values.len() >= sweep.knobs[two].values.len();
            let knobs = if wide { (one, two) } else { (two, one) };
            for (strategy, name) in named(&sweep) {
                draw(&folder, &HeatMap { sweep: &sweep, of: Of::Strategy(strategy), knobs, name }, &mut files)?;
            }
            if let (Some(metric), 2..) = (sweep.charted.first(), sweep.strategies().len()) {
                let of = Of::Figure(metric);
                draw(&folder, &HeatMap { sweep: &sweep, of, knobs, name: format!("map-{metric}") }, &mut files)?;
            }
        }
        _ => {}
    }
    Ok(Rendered { files, missing: Vec::new() })
}

fn draw<C: Chart>(folder: &SweepFolder, drawn: &C, files: &mut Vec<PathBuf>) -> Result<(), ReportError> {
    let charts = folder.path().join("charts");
    let (svg, png) = (chart::svg(drawn)?, chart::png(drawn)?);
    for (ending, bytes) in [("svg", svg.as_bytes()), ("png", &png[..])] {
        let path = charts.join(format!("{}.{ending}", drawn.name()));
        write_inside(folder.path(), &path, |out| out.write_all(bytes))?;
        files.push(path);
    }
    Ok(())
}

/// Every strategy with the name of its chart, no two the same.
fn named(sweep: &Sweep) -> Vec<(&str, String)> {
    let mut named: Vec<(&str, String)> = Vec::new();
    for strategy in sweep.strategies() {
        let kept = |c: char| if c.is_ascii_alphanumeric() || c == '.' { c.to_ascii_lowercase() } else { '-' };
        let dashed: String = strategy.chars().map(kept).collect();
        let words: Vec<&str> = dashed.split('-').filter(|word| !word.is_empty()).collect();
        let plain: String = format!("heatmap-{}", words.join("-")).chars().take(60).collect();
        let taken = named.iter().filter(|(_, name)| name.starts_with(&plain)).count();
        named.push((strategy, if taken == 0 { plain } else { format!("{plain}-{}", taken + 1) }));
    }
    named
}
