//! A made-up run as a folder on the disk.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, SystemTime};

use hdrhistogram::Histogram;
use report::record::Run;
use report::{HlogHeader, RunFolder};

use super::{MS, Plan, Records, bins, play, summarise};

/// Writes a whole run's folder and hands back what `run.json` says.
pub fn write(plan: &Plan, dir: &Path) -> Run {
    let all: Vec<Records> =
        plan.shapes.iter().enumerate().map(|(at, shape)| play(plan, shape.kind, 7 + at as u64)).collect();
    let run = summarise(plan, &all);
    let folder = RunFolder::at(dir);
    folder.write_run(&run).unwrap();
    folder.write_scenario("schema = 1\nname = \"fake\"\n").unwrap();
    for (strategy, records) in run.strategies.iter().zip(&all) {
        write_strategy(plan, &folder, &strategy.folder, records);
    }
    run
}

pub fn write_strategy(plan: &Plan, folder: &RunFolder, name: &str, records: &Records) {
    let files = folder.strategy(name).unwrap();
    files.write_seconds(&bins(plan, records, 1000)).unwrap();
    files.write_bins(&bins(plan, records, 100)).unwrap();
    files.write_origin(&records.rows).unwrap();
    files.write_events(&records.events).unwrap();
    let mut seconds: BTreeMap<(i64, &str), Histogram<u64>> = BTreeMap::new();
    for (at, latency, outcome) in &records.answers {
        let second = at.div_euclid(1000 * MS);
        let service = latency - plan.wait(*at);
        let by_outcome = ["resp.hit", "resp.stale", "resp.wait", "resp.load"][*outcome];
        for (tag, ns) in [("resp", *latency), ("serv", service), (by_outcome, *latency)] {
            seconds.entry((second, tag)).or_insert_with(|| Histogram::new(3).unwrap()).record(ns as u64).unwrap();
        }
    }
    let header = HlogHeader {
        warmup_began: SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_219_140),
        t0_offset_ms: plan.warmup_s as u64 * 1000,
    };
    files
        .write_latency(header, |log| {
            seconds.iter().try_for_each(|((second, tag), histogram)| {
                log.write(second * 1000, Duration::from_secs(1), tag, histogram)
            })
        })
        .unwrap();
}
