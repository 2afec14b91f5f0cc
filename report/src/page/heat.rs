//! Every response time of the run as a heat map: what percentiles put into one number may be two groups of requests.
//!
//! A cell is a column of time and a step of response time, and its colour says how many requests it has. Runs of cells of
//! one colour are one mark each, and their counts are written once more for the reader who points at one; so a page grows
//! with the cells that have requests, of which a column has few.

use super::html::*;
use super::panels::{Panel, PanelGroup, faults};
use super::plot::{CellRun, Plot};
use super::reads::{cut, note};
use super::server;
use super::view::{Columns, StrategyRow, View};
use crate::draw::AxisScale;
use crate::render::heat::{HeatCells, STEPS_MAX, step_ms, step_said};
use crate::text::phrases;

const HEADING: &str = "Response time as a heat map";
const FILE: &str = "latency.hlog";
/// A plot is about so high, pixels; its rows are whole pixels between these.
const HEIGHT_PX: usize = 168;
const ROW_PX: (usize, usize) = (3, 8);
/// Rows at least: times that are all the same are still a band in a plot.
const ROWS_MIN: u8 = 10;
/// So much of a plot's top is kept free for the numbers of the faults, pixels.
const FLAG_PX: usize = 15;
/// Colours that can be told apart, named q1 to q9 in the style sheet, from few to many.
const COLOURS: usize = 9;

/// One strategy's cells as the page has them.
struct HeatGrid {
    rows: usize,
    /// Column by column, each from its lowest row up.
    counts: Vec<u64>,
}

/// The steps of response time that the page shows: the first, and the one behind the last.
#[derive(Clone, Copy)]
struct HeatRows {
    from: u8,
    to: u8,
    px: usize,
}

/// From how many requests on a cell has which colour.
struct HeatColours {
    from: Vec<u64>,
    most: u64,
}

/// Requests by second and response time, one panel a strategy.
pub(super) fn heat(out: &mut Sheet, view: &View<'_>) {
    let columns = view.columns();
    let Some(rows) = HeatRows::of(view) else { return without(out, view) };
    let grids: Vec<HeatGrid> = view.rows.iter().map(|row| HeatGrid::of(&row.digest.heat, rows, columns)).collect();
    let colours = HeatColours::up_to(grids.iter().flat_map(|grid| grid.counts.iter().copied()).max().unwrap_or(0));
    out.section("heat", HEADING, &how(columns));
    legend(out, &colours);
    server::legend(out, view);
    let mut group = PanelGroup::over_time("heat-plot", columns);
    group.readout.rows = (rows.from..=rows.to).map(step_said).collect();
    let y = AxisScale::Log(step_ms(rows.from), step_ms(rows.to));
    group.write(out, view, |at, row| {
        let mut plot = Plot::over_time(view, y, (rows.count() * rows.px) as u32).y_ticks(y.ticks(7));
        plot.cells((columns.each as f64, rows.count()), &grids[at].looks(&colours));
        faults(&mut plot, row);
        server::marks(&mut plot, row);
        cut(&mut plot, row);
        note(&mut plot, row, FILE);
        let figures = figures(row);
        Panel {
            plot,
            title: format!("{}: requests by second and response time", row.name),
            text: format!("{figures}{}", grids[at].busiest(rows, columns)),
            figures,
            values: format!("data-cells=\"{}\"", grids[at].said()),
        }
    });
    out.push_str("</section>\n");
}

/// The section of a page that has no response times to show, and why.
fn without(out: &mut Sheet, view: &View<'_>) {
    let lacking = view.rows.iter().filter(|row| row.digest.missing.contains(&FILE)).map(|row| escaped(&row.name));
    let lacking: Vec<String> = lacking.collect();
    out.section("heat", HEADING, "");
    match lacking.as_slice() {
        [] => out.push_str("<p>No response times were recorded.</p>\n"),
        names => put!(out, "<p><b>No heat map, for want of {FILE}: {}.</b></p>\n", names.join(", ")),
    }
    out.push_str("</section>\n");
}

/// How it is read.
fn how(columns: Columns) -> String {
    let due = if columns.each == 1 { "one second".to_owned() } else { format!("the same {} s", columns.each) };
    format!(
        "Each cell counts the requests that were due in {due} and took so long: milliseconds from the planned send, \
         logarithmic, one scale. Two bands, one above the other, are two groups of requests, of which a p99 shows one."
    )
}

/// What a colour means.
fn legend(out: &mut Sheet, colours: &HeatColours) {
    out.push_str("<p class=\"how\">Requests in a cell: <span class=\"keys\">");
    for (colour, range) in colours.ranges() {
        put!(out, "<span><i class=\"swatch {colour}\"></i>{range}</span>");
    }
    out.push_str("<span>none: no colour</span></span></p>\n");
}

/// How many requests there were, and how many the file has where that is another number.
fn figures(row: &StrategyRow<'_>) -> String {
    let (counted, all) = (row.digest.heat.total(), row.first.requests);
    let lacks = if counted == all || row.digest.missing.contains(&FILE) {
        String::new()
    } else {
        format!(" · {FILE} has {counted}")
    };
    format!("{}{lacks}{}", phrases::counted(all, "request", "requests"), phrases::failed(row.first, " · "))
}

impl HeatRows {
    /// The steps that any strategy has requests in; `None` where there are no requests.
    fn of(view: &View<'_>) -> Option<Self> {
        let steps = || view.rows.iter().flat_map(|row| row.digest.heat.each().map(|(_, step, _)| step));
        let (from, last) = (steps().min()?, steps().max()?);
        let to = (last + 1).max(from.saturating_add(ROWS_MIN)).min(STEPS_MAX);
        let from = from.min(to - ROWS_MIN);
        let px = (HEIGHT_PX / usize::from(to - from)).clamp(ROW_PX.0, ROW_PX.1);
        let marked = view.rows.iter().any(|row| !row.digest.faults.is_empty());
        let free = if marked { FLAG_PX.div_ceil(px) as u8 } else { 0 };
        Some(Self { from, to: (to + free).min(STEPS_MAX), px })
    }

    fn count(self) -> usize {
        usize::from(self.to - self.from)
    }
}

impl HeatGrid {
    fn of(cells: &HeatCells, rows: HeatRows, columns: Columns) -> Self {
        let mut grid = Self { rows: rows.count(), counts: vec![0; columns.count * rows.count()] };
        for (second, step, count) in cells.each() {
            let column = (i64::from(second) / columns.each) as usize;
            if let Some(cell) = grid.counts.get_mut(column * grid.rows + usize::from(step - rows.from)) {
                *cell = cell.saturating_add(count);
            }
        }
        grid
    }

    fn columns(&self) -> impl Iterator<Item = &[u64]> {
        self.counts.chunks(self.rows)
    }

    /// What is drawn: each colour's runs, row by row.
    fn looks(&self, colours: &HeatColours) -> Vec<(String, Vec<CellRun>)> {
        let mut looks: Vec<(String, Vec<CellRun>)> = colours.names().map(|name| (name, Vec::new())).collect();
        for row in 0..self.rows {
            let places = self.columns().map(|column| colours.of(column[row]));
            let places: Vec<(usize, Option<usize>)> = places.enumerate().collect();
            for run in places.chunk_by(|one, two| one.1 == two.1) {
                if let (Some((from, Some(colour))), Some((last, _))) = (run.first(), run.last()) {
                    looks[*colour].1.push((row, *from, last + 1));
                }
            }
        }
        looks
    }

    /// The counts as the page's script reads them: `row,count,count,,count|…`, a column's first row with a request and how
    /// many each has from there on.
    fn said(&self) -> String {
        let column = |counts: &[u64]| {
            let from = counts.iter().position(|count| *count > 0)?;
            let to = counts.iter().rposition(|count| *count > 0)?;
            let said = |count: &u64| if *count > 0 { count.to_string() } else { String::new() };
            let counts: Vec<String> = counts[from..=to].iter().map(said).collect();
            Some(format!("{from},{}", counts.join(",")))
        };
        self.columns().map(|counts| column(counts).unwrap_or_default()).collect::<Vec<_>>().join("|")
    }

    /// The first of the fullest cells in words.
    fn busiest(&self, rows: HeatRows, columns: Columns) -> String {
        let fullest = self.counts.iter().enumerate().rev().max_by_key(|(_, count)| **count);
        let Some((at, count)) = fullest.filter(|(_, count)| **count > 0) else { return String::new() };
        let (second, step) = (columns.start(at / self.rows), rows.from + (at % self.rows) as u8);
        let (from, to) = (step_said(step), step_said(step + 1));
        format!(". The fullest cell: {count} of {from} to {to} ms at {second} s")
    }
}

impl HeatColours {
    /// Colours for cells of up to so many: in steps of 1, 2, 5 where that is no more than there are colours, else coarser ones.
    fn up_to(most: u64) -> Self {
        let steps: [&[u64]; 4] = [&[1, 2, 5], &[1, 3], &[1], &[1]];
        let ladders = steps.into_iter().zip([10_u64, 10, 10, 100]).map(|(steps, by)| {
            let decades = (0..).map_while(|n| by.checked_pow(n)).take_while(|decade| *decade <= most);
            decades.flat_map(|decade| steps.iter().map(move |step| step.saturating_mul(decade))).collect::<Vec<_>>()
        });
        let fitting = ladders.map(|ladder| ladder.into_iter().filter(|from| *from <= most).collect::<Vec<_>>());
        let from =
            fitting.fold(Vec::new(), |found, next| if (1..=COLOURS).contains(&found.len()) { found } else { next });
        Self { from: from.into_iter().take(COLOURS).collect(), most }
    }

    /// Which colour a cell has; none without a request.
    fn of(&self, count: u64) -> Option<usize> {
        self.from.iter().rposition(|from| *from <= count)
    }

    /// The colours' classes: spread over all that there are, so that the most is always the strongest.
    fn names(&self) -> impl Iterator<Item = String> {
        let (count, last) = (self.from.len(), COLOURS - 1);
        (0..count).map(move |at| format!("q{}", 1 + if count > 1 { at * last / (count - 1) } else { last }))
    }

    /// Each colour's class with what it means: `1`, `2–4`, `200–437`.
    fn ranges(&self) -> impl Iterator<Item = (String, String)> {
        let ends = self.from.iter().skip(1).map(|next| next - 1).chain([self.most]);
        let ranges = self.from.iter().zip(ends);
        self.names().zip(ranges.map(|(from, to)| if *from == to { from.to_string() } else { format!("{from}–{to}") }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_colour_means_so_many_requests_and_each_count_has_one() {
        let said = |most| {
            let colours = HeatColours::up_to(most);
            colours.ranges().map(|(name, range)| format!("{name}={range}")).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(said(0), "");
        assert_eq!(said(1), "q9=1");
        assert_eq!(said(4), "q1=1 q9=2–4");
        assert_eq!(said(437), "q1=1 q2=2–4 q3=5–9 q4=10–19 q5=20–49 q6=50–99 q7=100–199 q9=200–437");
        assert_eq!(said(9_999).split(' ').count(), 8);
        assert!(said(9_999).ends_with("q9=3000–9999"), "{}", said(9_999));
        assert!(said(1_000_000).ends_with("q9=1000000"), "{}", said(1_000_000));
        for most in [1, 2, 999, 1000, 30_000, 1_000_000, 999_999_999, 1_000_000_000, u64::MAX] {
            let colours = HeatColours::up_to(most);
            assert!((1..=COLOURS).contains(&colours.from.len()), "{most}: {:?}", colours.from);
            assert_eq!((colours.of(0), colours.of(1)), (None, Some(0)));
            assert_eq!(colours.of(most), Some(colours.from.len() - 1));
        }
    }

    /// What is drawn and what is said are the same cells.
    #[test]
    fn runs_and_words_have_every_cell() {
        let grid = HeatGrid { rows: 4, counts: vec![0, 7, 0, 2, 0, 7, 0, 0, 0, 0, 0, 0, 9, 0, 0, 1] };
        let colours = HeatColours::up_to(9);
        assert_eq!(grid.said(), "1,7,,2|1,7||0,9,,,1");
        let runs: Vec<_> = grid.looks(&colours).into_iter().map(|(name, runs)| format!("{name} {runs:?}")).collect();
        assert_eq!(runs, ["q1 [(3, 3, 4)]", "q5 [(3, 0, 1)]", "q9 [(0, 3, 4), (1, 0, 2)]"]);
        let columns = Columns { each: 3, count: 4, until_s: 12.0 };
        let rows = HeatRows { from: 30, to: 34, px: 4 };
        assert_eq!(grid.busiest(rows, columns), ". The fullest cell: 9 of 1 to 1.25 ms at 9 s");
    }
}
