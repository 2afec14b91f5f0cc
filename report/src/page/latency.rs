//! Response time: over the run, second by second; and at every percentile.

use super::html::*;
use super::panels::{Panel, PanelGroup, faults, points, said};
use super::plot::{Named, Plot, Readout, values};
use super::reads::cut_and_note;
use super::server;
use super::view::{Columns, StrategyRow, View};
use crate::draw::{AxisScale, SPECTRUM_STEPS, percentile_ticks, percentiles_of};
use crate::record::BinRow;
use crate::text::phrases;

/// One of the lines of a panel.
type Line = (&'static str, &'static str, Vec<Option<f64>>);

/// Percentiles of each second, one panel a strategy.
pub(super) fn over_the_run(out: &mut Sheet, view: &View<'_>) {
    let columns = view.columns();
    let lines: Vec<Vec<Line>> = view.rows.iter().map(|row| lines(row, columns)).collect();
    let y = AxisScale::log_around(lines.iter().flatten().flat_map(|line| line.2.iter().flatten().copied()));
    let service = lines.iter().flatten().any(|line| line.0 == "service p99");
    let clocks = if service {
        "<span><i class=\"line serv\"></i>p99 of service time, from the actual send: what lies between it and p99 is a wait to \
         be sent, which coordinated omission would hide</span>"
    } else {
        ""
    };
    let how = format!(
        "Milliseconds from the planned send, logarithmic, one scale.{} <span class=\"keys\"><span><i class=\"line \
         max\"></i>slowest</span><span><i class=\"line p99\"></i>p99</span><span><i class=\"line p50\"></i>p50</span>{clocks}\
         </span>",
        columns.caveat("its points are those of its slowest second")
    );
    out.section("latency", "Response time over the run", &how);
    let group = PanelGroup::over_time("time", columns);
    server::legend(out, view);
    group.write(out, view, |at, row| {
        let mut plot = Plot::over_time(view, y, 110).y_ticks(y.ticks(5));
        faults(&mut plot, row);
        server::marks(&mut plot, row);
        for (_, class, values) in &lines[at] {
            plot.line(class, &points(columns, values));
        }
        cut_and_note(&mut plot, row);
        let read: Vec<(&str, &str, Vec<String>)> =
            lines[at].iter().map(|(name, _, ms)| (*name, " ms", said(ms, |ms| phrases::ms(Some(ms))))).collect();
        let latency = &row.first.latency_ms;
        Panel {
            plot,
            figures: format!(
                "p50 {} · p99 {}{}{}",
                phrases::ms_with_unit(latency.p50),
                phrases::ms_with_unit(latency.p99),
                server::near(row.first),
                phrases::failed(row.first, " · ")
            ),
            title: format!("{}: response time in each second", row.name),
            text: phrases::response_figures(row.first),
            values: values(&read),
        }
    });
    out.push_str("</section>\n");
}

fn lines(row: &StrategyRow<'_>, columns: Columns) -> Vec<Line> {
    let of = |value: fn(&BinRow) -> Option<f64>| columns.highest(row, value);
    let mut lines = vec![
        ("slowest", "max", of(|bin| bin.max_ms)),
        ("p99", "p99", of(|bin| bin.p99_ms)),
        ("p50", "p50", of(|bin| bin.p50_ms)),
    ];
    if row.digest.service_differs(row.measured()) {
        let service = columns.highest(row, |bin| row.digest.service_p99.get(&bin.start_ms).copied());
        lines.insert(1, ("service p99", "serv", service));
    }
    lines
}

/// A curve of (log10 of 1/(1−p), milliseconds).
type Curve = Vec<(f64, f64)>;
/// A strategy's place on the page, and its curves by response time and by service time; the latter is empty where it is none
/// of its own.
type Curves<'a> = (usize, &'a StrategyRow<'a>, Curve, Curve);

/// The rows that have a distribution.
fn curves_of<'a>(view: &'a View<'_>) -> Vec<Curves<'a>> {
    let curve = |(at, row): (usize, &'a StrategyRow<'a>)| {
        let service = row.digest.service.as_ref().filter(|_| row.digest.service_differs(row.measured()));
        let service = service.map(percentiles_of).unwrap_or_default();
        Some((at, row, percentiles_of(row.digest.response.as_ref()?), service))
    };
    view.rows.iter().enumerate().filter_map(curve).collect()
}

/// How the spectrum is read, and which rows have no line in it.
fn how_to_read(view: &View<'_>, lacking: &[String]) -> String {
    let clocks = if view.runs.iter().any(|run| !phrases::closed_loop(run)) {
        "Solid: response time, from the planned send. Dashed, where it is another: service time, from the actual send."
    } else {
        "A closed loop: a client plans its next send when it has its answer, so the requests that a stall keeps clients from \
         sending are not in it (coordinated omission)."
    };
    let without = match lacking {
        [] => String::new(),
        names => format!(" <b>Without a line, for want of latency.hlog: {}.</b>", names.join(", ")),
    };
    format!("How slow the rare ones are: each step to the right leaves a tenth of the requests. {clocks}{without}")
}

/// A row's name at the end of its curve, with the values at `count` places.
fn named((at, row, response, service): &Curves<'_>, count: usize) -> Named {
    let read = |points: &[(f64, f64)]| {
        (0..count).map(|at| phrases::ms(points.get(at).map(|point| point.1))).collect::<Vec<_>>()
    };
    let mut series = vec![("", " ms", read(response))];
    if !service.is_empty() {
        series.push(("service", " ms", read(service)));
    }
    let bad = if row.strategy.valid { "" } else { "<strong class=\"bad\">INVALID</strong>" };
    let failed = match phrases::failed(row.first, "") {
        none if none.is_empty() => none,
        failed => format!("<span class=\"bad failed\">{failed}</span>"),
    };
    Named {
        class: row.class(*at),
        row: *at,
        values: values(&series),
        html: format!("<i class=\"key\"></i>{}{bad}{failed}<span class=\"now\"></span>", with_ends(&row.name)),
        at: response.last().copied().unwrap_or((0.0, 1.0)),
    }
}

/// Every percentile, one line a strategy.
pub(super) fn spectrum(out: &mut Sheet, view: &View<'_>) {
    let curves = curves_of(view);
    let lacking = view.rows.iter().filter(|row| row.digest.missing.contains(&"latency.hlog"));
    let lacking: Vec<String> = lacking.map(|row| escaped(&row.name)).collect();
    out.section("spectrum", "Latency spectrum", &how_to_read(view, &lacking));
    if curves.is_empty() {
        out.push_str(if lacking.is_empty() { "<p>No response times were recorded.</p>\n" } else { "" });
        out.push_str("</section>\n");
        return;
    }
    let all = || curves.iter().flat_map(|(_, _, response, service)| response.iter().chain(service));
    let decades = all().map(|point| point.0).fold(2.0, f64::max);
    let y = AxisScale::log_around(all().map(|point| point.1));
    let count = (decades * SPECTRUM_STEPS as f64).ceil() as usize + 1;
    let step = 1.0 / SPECTRUM_STEPS as f64;
    let place = |at: usize| (at as f64 * step).min(decades);
    let mut plot =
        Plot::new(AxisScale::Linear(0.0, decades), y, 380).x_ticks(percentile_ticks(decades)).y_ticks(y.ticks(9));
    for (at, row, response, service) in &curves {
        let class = row.class(*at);
        let known = |points: &[(f64, f64)]| points.iter().map(|(x, ms)| (*x, Some(*ms))).collect::<Vec<_>>();
        plot.line(&format!("{class} spec s{at}"), &known(response));
        plot.line(&format!("{class} spec serv s{at}"), &known(service));
    }
    plot.names(&curves.iter().map(|curve| named(curve, count)).collect::<Vec<_>>(), 19.0);
    let readout = Readout {
        x: (0.0, decades),
        x0: -step / 2.0,
        dx: step,
        count,
        before: "at ",
        unit: "",
        labels: Some((0..count).map(|at| percentile(place(at))).collect()),
        sync: "spectrum",
        rows: Vec::new(),
    };
    let said: Vec<String> =
        view.rows.iter().map(|row| format!("{}: {}", row.name, phrases::response_figures(row.first))).collect();
    put!(
        out,
        "<div class=\"panels wide\" {}>\n<figure class=\"panel\">\n<p class=\"y-title\">milliseconds, logarithmic</p>\n",
        readout.attributes()
    );
    plot.html(out, "spectrum-plot", "Response time at every percentile, one line a strategy", &said.join(". "));
    out.push_str(
        "</figure>\n</div>\n<p class=\"axis\">percentile of the requests of the measured phase</p>\n</section>\n",
    );
}

/// `p99.93` from log10 of 1/(1−p).
fn percentile(x: f64) -> String {
    let decimals = (x.floor() - 1.0).clamp(0.0, 6.0) as usize;
    format!("p{:.decimals$}", 100.0 - 100.0 / 10_f64.powf(x))
}
