//! Connections in use and operations that waited for one, over time.

use super::html::*;
use super::panels::{Panel, PanelGroup, faults, points, said};
use super::plot::{Plot, values};
use super::reads::cut_and_note;
use super::view::View;
use crate::draw::{AxisScale, whole};
use crate::record::PoolFigures;
use crate::text::phrases;

/// The pools of the replicas, where any strategy has one.
pub(super) fn pool(out: &mut Sheet, view: &View<'_>) {
    if view.rows.iter().all(|row| row.first.pool.is_none()) {
        return;
    }
    let columns = view.columns();
    out.section(
        "pool",
        "Connections to the shared cache",
        "Of the pool of one replica: the most connections that a request of each second found in use, and the most operations that it \
         found waiting for one. One scale. <span class=\"keys\"><span><i class=\"line p50\"></i>in use</span><span><i class=\"line \
         max\"></i>waiting</span></span>",
    );
    let most = view
        .rows
        .iter()
        .filter_map(|row| row.first.pool.as_ref())
        .map(|pool| pool.in_use_max.max(pool.waiting_max))
        .max();
    let y = AxisScale::counts(most.unwrap_or(0) as f64, 3);
    let group = PanelGroup::over_time("pool-plot", columns);
    group.write(out, view, |_, row| {
        let mut plot = Plot::over_time(view, y, 84).y_ticks(whole(y.ticks(3)));
        let in_use = columns.highest(row, |bin| bin.pool_in_use_max.map(|count| count as f64));
        let waiting = columns.highest(row, |bin| bin.pool_waiting_max.map(|count| count as f64));
        let wait = columns.highest(row, |bin| bin.pool_wait_p99_ms);
        faults(&mut plot, row);
        plot.line("max", &points(columns, &waiting));
        plot.line("p50", &points(columns, &in_use));
        cut_and_note(&mut plot, row);
        let count = |count: f64| format!("{count:.0}");
        let read = [
            ("in use", "", said(&in_use, count)),
            ("waiting", "", said(&waiting, count)),
            ("wait p99", " ms", said(&wait, |ms| phrases::ms(Some(ms)))),
        ];
        let figures = row.first.pool.as_ref().map_or_else(|| "one connection for all".to_owned(), figures);
        Panel {
            plot,
            title: format!("{}: connections in use, and operations that wait for one, in each second", row.name),
            text: figures.clone(),
            figures,
            values: values(&read),
        }
    });
    out.push_str("</section>\n");
}

/// `38% waited · wait p99 8.5 ms · 1 204 of them for other keys`.
fn figures(pool: &PoolFigures) -> String {
    let elsewhere = pool.waited_elsewhere.filter(|elsewhere| *elsewhere > 0);
    let elsewhere = elsewhere.map(|count| format!(" · {count} of them not for the hot key")).unwrap_or_default();
    format!(
        "{} waited{elsewhere} · wait p99 {}",
        phrases::share(pool.waited_share),
        phrases::ms_with_unit(pool.wait_ms.p99)
    )
}
