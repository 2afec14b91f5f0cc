//! From a sweep's record to its charts.

use std::path::Path;

use super::{Sweep, SweepFolder};
use crate::chart::{self, Chart, Curves, HeatMap, Of};
use crate::files::error::ReportError;
use crate::render::{Files, Rendered};

/// Reads a sweep's folder and draws its charts: curves of one knob, a heat map a strategy of two, and one of all
/// strategies by the first figure. Of more knobs, or of
/// none that has more than one value, there is no picture, and none of a part, which says nothing of the whole.
///
/// # Errors
///
/// [`ReportError`], with the path, where `sweep.json` cannot be understood or a file cannot be written.
pub fn render_sweep(dir: &Path) -> Result<Rendered, ReportError> {
    let sweep = SweepFolder::at(dir).read()?;
    let mut files = Files::of(dir);
    for chart in charts(&sweep) {
        for (name, bytes) in chart::files(&*chart)? {
            files.write(&name, &bytes)?;
        }
    }
    Ok(Rendered { files: files.written, missing: Vec::new() })
}

fn charts(sweep: &Sweep) -> Vec<Box<dyn Chart + '_>> {
    if sweep.part.is_some() {
        return Vec::new();
    }
    let turned: Vec<usize> = (0..sweep.knobs.len()).filter(|knob| sweep.knobs[*knob].values.len() > 1).collect();
    let (one, two) = match turned[..] {
        [knob] => return vec![Box::new(Curves { sweep, knob })],
        [one, two] => (one, two),
        _ => return Vec::new(),
    };
    // The longer list lies along the longer side.
    let wide = sweep.knobs[one].values.len() >= sweep.knobs[two].values.len();
    let knobs = if wide { (one, two) } else { (two, one) };
    let map = |of, name| -> Box<dyn Chart + '_> { Box::new(HeatMap { sweep, of, knobs, name }) };
    let mut maps: Vec<_> = named(sweep).into_iter().map(|(strategy, name)| map(Of::Strategy(strategy), name)).collect();
    if let (Some(metric), 2..) = (sweep.charted.first(), sweep.strategies().len()) {
        maps.push(map(Of::Figure(metric), format!("map-{metric}")));
    }
    maps
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
