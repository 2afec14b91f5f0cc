//! Whether the generator itself kept up: what was to be sent, what was sent and answered, how late, and at what price; and
//! what the containers took of the machine.

use super::html::*;
use super::panels::{Panel, PanelGroup, faults, points, said};
use super::plot::{Named, Plot, values};
use super::reads::cut_and_note;
use super::view::{Columns, StrategyRow, View};
use crate::draw::{AxisScale, Containers, SERVICE_HUES, last_of, whole};
use crate::record::{BinRow, Strategy};
use crate::text::phrases;

/// A column of the table: its heading, and a strategy's cell.
type Cell = (&'static str, &'static str, fn(&Strategy) -> String);

const CELLS: [Cell; 8] = [
    ("planned", "requests of the plan", |s| (s.requests + s.unsent).to_string()),
    ("sent", "of these, sent", |s| s.requests.to_string()),
    ("unsent", "of these, not sent: the generator could not", |s| s.unsent.to_string()),
    ("well answered", "of those sent, neither failed nor shed", |s| {
        s.requests.saturating_sub(s.outcomes.error + s.outcomes.shed).to_string()
    }),
    ("lag p50", "how late a request was sent, milliseconds", |s| phrases::ms(s.lag_ms.p50)),
    ("lag p99", "the same, 99th percentile", |s| phrases::ms(s.lag_ms.p99)),
    ("lag max", "the same, the latest", |s| phrases::ms(s.lag_ms.max)),
    ("CPU", "processor time of the generator’s workers over the time for which they ran, in cores", |s| {
        s.generator_cpu_cores.map_or_else(|| phrases::UNKNOWN.to_owned(), |cores| format!("{cores:.2}"))
    }),
];

/// The generator's own figures and its rate over time.
pub(super) fn generator(out: &mut Sheet, view: &View<'_>) {
    let columns = view.columns();
    let rate = |row: &StrategyRow<'_>, of: fn(&BinRow) -> f64| columns.mean(row, move |bin| Some(of(bin)));
    let offered = |bin: &BinRow| bin.offered as f64;
    let answered = |bin: &BinRow| bin.completed as f64;
    let closed = view.runs.iter().any(|run| phrases::closed_loop(run));
    let simulated = view.runs.iter().any(|run| run.lab == "sim");
    let mut how =
        "Whether the load was what the plan says. Lag is the generator’s own lateness: actual minus planned send, in \
                   milliseconds."
            .to_owned();
    if closed {
        how.push_str(" In a closed loop the plan follows the answers, so a slow server offers itself less.");
    }
    if simulated {
        how.push_str(" In a simulated run the generator is never late and takes no processor.");
    }
    out.section("generator", "The generator’s own health", &how);
    table(out, view);
    let both = view.rows.iter().flat_map(|row| row.measured().map(|bin| bin.offered.max(bin.completed)));
    let y = AxisScale::counts(both.max().unwrap_or(0) as f64, 2);
    let lags: Vec<Vec<Option<f64>>> = view.rows.iter().map(|row| lag(row, columns)).collect();
    put!(
        out,
        "<p class=\"how\"><span class=\"keys\"><span><i class=\"line serv\"></i>offered, requests a second</span><span>\
         <i class=\"line p99\"></i>answered or shed</span></span>{}</p>\n",
        columns.caveat("its mean")
    );
    let group = PanelGroup::over_time("rate", columns);
    group.write(out, view, |at, row| {
        let mut plot = Plot::over_time(view, y, 64).y_ticks(whole(y.ticks(2)));
        let (offered, answered) = (rate(row, offered), rate(row, answered));
        faults(&mut plot, row);
        plot.line("p99", &points(columns, &answered));
        plot.line("serv", &points(columns, &offered));
        cut_and_note(&mut plot, row);
        let s = row.first;
        let planned = s.requests + s.unsent;
        let share = (planned > 0).then(|| s.requests as f64 / planned as f64);
        let mut series = vec![("offered", "/s", said(&offered, short)), ("answered", "/s", said(&answered, short))];
        if lags[at].iter().any(Option::is_some) {
            series.push(("lag p99", " ms", said(&lags[at], |ms| phrases::ms(Some(ms)))));
        }
        Panel {
            plot,
            figures: format!(
                "{} of the plan sent · lag p99 {}",
                phrases::share(share),
                phrases::ms_with_unit(s.lag_ms.p99)
            ),
            title: format!("{}: requests offered and answered in each second", row.name),
            text: format!("{planned} planned, {} sent, {} errors", s.requests, s.errors),
            values: values(&series),
        }
    });
    lag_panels(out, view, columns, &lags);
    out.push_str("</section>\n");
}

/// Lateness over time, where anybody was late.
fn lag_panels(out: &mut Sheet, view: &View<'_>, columns: Columns, lags: &[Vec<Option<f64>>]) {
    let largest = lags.iter().flatten().flatten().copied().fold(0.0, f64::max);
    if largest <= 0.0 {
        return;
    }
    out.push_str("<p class=\"how\">Lag, p99 of each second, milliseconds.</p>\n");
    let y = AxisScale::counts(largest, 2);
    let group = PanelGroup::over_time("lag", columns);
    group.write(out, view, |at, row| {
        let mut plot = Plot::over_time(view, y, 56).y_ticks(y.ticks(2));
        faults(&mut plot, row);
        plot.line("p99", &points(columns, &lags[at]));
        cut_and_note(&mut plot, row);
        let [p99, max] = [row.first.lag_ms.p99, row.first.lag_ms.max].map(phrases::ms_with_unit);
        let figures = format!("p99 {p99} · latest {max}");
        Panel {
            plot,
            title: format!("{}: how late requests were sent, p99 of each second", row.name),
            text: figures.clone(),
            figures,
            values: values(&[("", " ms", said(&lags[at], |ms| phrases::ms(Some(ms))))]),
        }
    });
}

fn lag(row: &StrategyRow<'_>, columns: Columns) -> Vec<Option<f64>> {
    columns.highest(row, |bin| row.digest.lag_p99.get(&bin.start_ms).copied())
}

fn table(out: &mut Sheet, view: &View<'_>) {
    out.open_table("The generator’s figures", "");
    out.push_str(
        "<caption class=\"unseen\">What the generator planned, sent and took</caption>\n<thead>\n<tr><th scope=\"col\">Strategy</th>",
    );
    for (head, about, _) in CELLS {
        put!(out, "<th scope=\"col\" title=\"{}\">{head}</th>", escaped(about));
    }
    out.push_str("</tr>\n</thead>\n<tbody>\n");
    for (at, row) in view.rows.iter().enumerate() {
        let name = escaped(&row.name);
        put!(
            out,
            "<tr class=\"{}\" data-s=\"{at}\"><th scope=\"row\"><span class=\"who\"><i class=\"key\"></i><span>{name}</span></span></th>",
            row.class(at)
        );
        for (_, _, cell) in CELLS {
            put!(out, "<td>{}</td>", cell(row.strategy));
        }
        out.push_str("</tr>\n");
    }
    out.close_table();
}

/// Processor time of the containers, where there are any.
pub(super) fn containers(out: &mut Sheet, view: &View<'_>) {
    let columns = view.columns();
    let of = |row: &StrategyRow<'_>| Containers::of(&row.digest.containers, 0.0, columns.until_s);
    let all: Vec<Containers> = view.rows.iter().map(of).collect();
    if all.iter().all(|one| one.services.is_empty()) {
        return;
    }
    out.section(
        "containers",
        "Containers",
        "Processor time of each service in cores, sampled once a second. One scale.",
    );
    let y = AxisScale::counts(all.iter().map(Containers::most).fold(0.0, f64::max), 3);
    let group = PanelGroup::over_time("containers-plot", columns);
    group.write(out, view, |at, row| {
        let Containers { services, said } = &all[at];
        let mut plot = Plot::over_time(view, y, 110).y_ticks(y.ticks(3));
        faults(&mut plot, row);
        let mut named = Vec::new();
        for (hue, (service, cores)) in services.iter().enumerate() {
            let class = format!("k{}", hue.min(SERVICE_HUES - 1));
            plot.line(&class, cores);
            let last = cores.last().zip(last_of(cores)).map(|((second, _), last)| (*second, last));
            named.extend(last.map(|at_end| Named {
                class,
                row: at,
                values: String::new(),
                html: escaped(service),
                at: at_end,
            }));
        }
        plot.names(&named, 15.0);
        Panel {
            plot,
            figures: if services.is_empty() { "no samples".to_owned() } else { said.clone() },
            title: format!("{}: processor time of each service", row.name),
            text: said.clone(),
            values: String::new(),
        }
    });
    out.push_str("</section>\n");
}
