//! Counters without an end, over time.

use super::html::*;
use super::panels::{Panel, PanelGroup, faults, points, said};
use super::plot::{Plot, values};
use super::reads::cut_and_note;
use super::view::{Columns, StrategyRow, View};
use crate::draw::{AxisScale, whole};
use crate::record::CounterFigures;
use crate::text::phrases;

/// Keys without an end over time, where something counted and was looked at.
pub(super) fn immortal(out: &mut Sheet, view: &View<'_>) {
    let most = view.rows.iter().filter_map(|row| row.first.counters.as_ref()?.immortal_max).max();
    let Some(most) = most else { return };
    let columns = view.columns();
    out.section(
        "counters",
        "Counters without an end",
        "Keys whose counter has no end: until somebody removes or repairs them no window of theirs begins again, and a limiter that asks them \
         refuses everybody. Counts lost are those of the whole run, warm-up included. One scale.",
    );
    let y = AxisScale::counts(most as f64, 2);
    let group = PanelGroup::over_time("counters-plot", columns);
    group.write(out, view, |_, row| {
        let mut plot = Plot::over_time(view, y, 72).y_ticks(whole(y.ticks(2)));
        let series = by_column(row, columns);
        faults(&mut plot, row);
        plot.line("p99", &points(columns, &series));
        cut_and_note(&mut plot, row);
        let figures = row.first.counters.as_ref().map_or_else(|| phrases::UNKNOWN.to_owned(), figures);
        Panel {
            plot,
            title: format!("{}: counters without an end over time", row.name),
            text: figures.clone(),
            figures,
            values: values(&[("without an end", "", said(&series, |keys| format!("{keys:.0}")))]),
        }
    });
    out.push_str("</section>\n");
}

fn figures(counters: &CounterFigures) -> String {
    let shown = |value: Option<u64>| value.map_or_else(|| phrases::UNKNOWN.to_owned(), |value| value.to_string());
    format!("{} at the end · {} lost", shown(counters.immortal_at_end), shown(counters.lost))
}

/// The last that was seen in each column.
fn by_column(row: &StrategyRow<'_>, columns: Columns) -> Vec<Option<f64>> {
    let counters = row.first.counters.as_ref();
    let Some((every, series)) = counters.and_then(|c| Some((c.immortal_every_s?, &c.immortal))) else {
        return vec![None; columns.count];
    };
    let by = |end: f64| {
        // Entry n was seen by (n + 1) steps.
        let seen = (end / every).floor() as usize;
        seen.min(series.len()).checked_sub(1).and_then(|last| series.get(last)).map(|keys| *keys as f64)
    };
    (0..columns.count).map(|at| by(columns.start(at + 1).min(columns.until_s))).collect()
}
