//! The same made-up runs as seen through a foreign target: no ledger of the origin, and no word on how answers were made.

use std::fs;
use std::path::Path;

use report::RunFolder;
use report::record::{BinRow, Outcomes, Run};

use super::{Plan, write};

/// Writes a whole run's folder of a target and hands back what `run.json` says.
pub fn write_target(plan: &Plan, dir: &Path) -> Run {
    let mut run = write(plan, dir);
    let folder = RunFolder::at(dir);
    forget_ledger(&mut run);
    folder.write_run(&run).unwrap();
    for strategy in &run.strategies {
        let files = folder.strategy(&strategy.folder).unwrap();
        files.write_seconds(&unledgered(files.read_seconds().unwrap())).unwrap();
        files.write_bins(&unledgered(files.read_bins().unwrap())).unwrap();
        fs::remove_file(files.path().join("origin.csv")).unwrap();
        // A target tells of no events.
        files.write_events(&[]).unwrap();
    }
    run
}

/// What is left of a run's record where only status and latency are known.
pub fn forget_ledger(run: &mut Run) {
    (run.lab, run.cache, run.replicas) = ("target".into(), String::new(), 1);
    (run.clock_offset_ns, run.clock_uncertainty_ns) = (None, None);
    for strategy in &mut run.strategies {
        (strategy.origin, strategy.hit_ratio, strategy.stale.share) = (None, None, None);
        strategy.cache_ops_per_request = None;
        strategy.outcomes = unknown(strategy.outcomes);
        if let Some(hot) = &mut strategy.hot {
            (hot.origin_total, hot.outcomes) = (None, unknown(hot.outcomes));
        }
    }
}

fn unknown(known: Outcomes) -> Outcomes {
    let Outcomes { shed, error, .. } = known;
    Outcomes { shed, error, unknown: known.sum() - shed - error, ..Outcomes::default() }
}

fn unledgered(rows: Vec<BinRow>) -> Vec<BinRow> {
    let forget = |row: BinRow| BinRow {
        unknown: row.hit + row.stale + row.wait + row.load,
        hit: 0,
        stale: 0,
        wait: 0,
        load: 0,
        origin_starts: None,
        origin_in_flight_max: None,
        ..row
    };
    rows.into_iter().map(forget).collect()
}
