//! The load per node: commands that each primary of a cluster, and each replica that answers reads, carried out, second by second.

use std::collections::{BTreeMap, BTreeSet};

use super::html::*;
use super::panels::{Panel, PanelGroup, faults};
use super::plot::{Named, Plot};
use super::view::{StrategyRow, View};
use crate::draw::{AxisScale, DrawnPoint, SERVICE_HUES, last_of};
use crate::record::ShardRow;
use crate::text::phrases;

/// Samples come once a second; those further apart than this have others missing between them, seconds.
const GAP_S: f64 = 2.5;

/// Commands a second of each primary, and of each replica that answered a read, by its name.
fn rates(rows: &[ShardRow], until_s: f64) -> BTreeMap<&str, Vec<DrawnPoint>> {
    let mut of: BTreeMap<&str, Vec<DrawnPoint>> = BTreeMap::new();
    let mut before: BTreeMap<&str, i64> = BTreeMap::new();
    let serves = |row: &&ShardRow| row.role == "primary" || row.operations > 0;
    let serve: BTreeSet<&str> = rows.iter().filter(serves).map(|row| row.node.as_str()).collect();
    for row in rows {
        let since = before.insert(&row.node, row.t_ns);
        let (at, Some(since)) = (row.t_ns as f64 / 1e9, since) else { continue };
        let took = at - since as f64 / 1e9;
        if !serve.contains(&*row.node) || !(0.0..=until_s).contains(&at) || took <= 0.0 {
            continue;
        }
        let series = of.entry(&row.node).or_default();
        series.extend((took > GAP_S).then_some((at, None)));
        series.push((at, Some(row.operations as f64 / took)));
    }
    of
}

/// A panel for each strategy, where there is a cluster.
pub(super) fn shards(out: &mut Sheet, view: &View<'_>) {
    let columns = view.columns();
    let of = |row: &StrategyRow<'_>| -> Vec<(String, Vec<DrawnPoint>)> {
        rates(&row.digest.shards, columns.until_s).into_iter().map(|(name, rate)| (name.to_owned(), rate)).collect()
    };
    let all: Vec<Vec<(String, Vec<DrawnPoint>)>> = view.rows.iter().map(of).collect();
    if all.iter().all(Vec::is_empty) {
        return;
    }
    out.section(
        "shards",
        "Load per node",
        "Commands a second that each primary of the cluster carried out, and each replica that answered reads, by its own word, sampled once a second. One scale.",
    );
    let rates = all.iter().flatten().flat_map(|(_, rate)| rate).filter_map(|(_, rate)| *rate);
    let y = AxisScale::counts(rates.fold(0.0, f64::max), 3);
    let group = PanelGroup::over_time("shards-plot", columns);
    group.write(out, view, |at, row| {
        let mut plot = Plot::over_time(view, y, 110).y_ticks(y.ticks(3));
        faults(&mut plot, row);
        let mut named = Vec::new();
        for (hue, (node, rate)) in all[at].iter().enumerate() {
            let class = format!("k{}", hue.min(SERVICE_HUES - 1));
            plot.line(&class, rate);
            let last = rate.last().zip(last_of(rate)).map(|((second, _), last)| (*second, last));
            named.extend(last.map(|at_end| Named {
                class,
                row: at,
                values: String::new(),
                html: escaped(node),
                at: at_end,
            }));
        }
        plot.names(&named, 15.0);
        let figures = row.strategy.shards.as_ref().map_or_else(
            || "no samples".to_owned(),
            |of| {
                let moving = if of.moved + of.ask + of.try_again > 0 {
                    format!(" · {} MOVED, {} ASK, {} TRYAGAIN", of.moved, of.ask, of.try_again)
                } else {
                    String::new()
                };
                format!("{} on the fullest of {}{moving}", phrases::share(of.fullest_share), of.primaries + of.replicas)
            },
        );
        Panel {
            plot,
            title: format!("{}: commands a second of each node", row.name),
            text: figures.clone(),
            figures,
            values: String::new(),
        }
    });
    out.push_str("</section>\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_of_the_time_since_the_row_before_and_replicas_that_answer_nothing_have_none() {
        let row = |t_ns, node: &str, role: &str, operations| ShardRow {
            t_ns,
            node: node.into(),
            role: role.into(),
            operations,
            ..ShardRow::default()
        };
        let rows = [
            row(0, "a", "primary", 0),
            row(0, "b", "replica", 0),
            row(0, "c", "replica", 0),
            row(500_000_000, "a", "primary", 100),
            row(500_000_000, "b", "replica", 0),
            row(500_000_000, "c", "replica", 50),
            row(3_500_000_000, "a", "primary", 30),
        ];
        let found = rates(&rows, 10.0);
        assert_eq!((found.len(), &found["c"][..]), (2, &[(0.5, Some(100.0))][..]));
        assert_eq!(found["a"], [(0.5, Some(200.0)), (3.5, None), (3.5, Some(10.0))]);
    }
}
