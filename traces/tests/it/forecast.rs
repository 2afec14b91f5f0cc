//! Forecasts against a simulation that is as simple as can be: every read of the origin in a list.

use std::collections::BTreeMap;
use std::time::Duration;

use traces::forecast::{HerdForecast, HerdQuestion};
use traces::law::TraceLaw;
use traces::summary::{SummaryOptions, summarise};
use traces::{TraceOptions, TraceReader};

use crate::common::{file, law, rows_of, written};

fn forecast(law: &TraceLaw, question: HerdQuestion) -> HerdForecast {
    let options = SummaryOptions { herds: Some(question), top: 20, ..SummaryOptions::default() };
    let file = written(law);
    let mut reader = TraceReader::open(file.path(), &TraceOptions::default()).unwrap();
    summarise(&mut reader, &options).unwrap().herds.unwrap()
}

/// Reads of the origin by key: at each row looks through all reads of its key for one that has put a value which is fresh, or, with a
/// single flight, for one that is under way.
fn brute_force(law: &TraceLaw, service: u64, ttl: u64, alone: bool) -> BTreeMap<u64, u64> {
    let file = written(law);
    let mut reader = TraceReader::open(file.path(), &TraceOptions::default()).unwrap();
    let mut begun: BTreeMap<u64, Vec<u64>> = BTreeMap::new();
    for row in rows_of(&mut reader).unwrap() {
        let reads = begun.entry(row.key.0).or_default();
        let fresh = |read: &u64| read + service <= row.at_ns && row.at_ns < read + service + ttl;
        let under_way = |read: &u64| alone && row.at_ns < read + service;
        // What is long over is no news.
        let recent = reads.iter().rev().take_while(|read| *read + 2 * service + 2 * ttl > row.at_ns);
        if !recent.clone().any(|read| fresh(read) || under_way(read)) {
            reads.push(row.at_ns);
        }
    }
    begun.into_iter().map(|(key, reads)| (key, reads.len() as u64)).collect()
}

#[test]
fn what_is_counted_is_what_a_simulation_counts() {
    for (service, ttl, exponent) in [(200, 5000, 1.0), (50, 1000, 0.7), (700, 700, 1.3)] {
        let ms = Duration::from_millis;
        let law = TraceLaw { exponent, rows: 60_000, keys: 500, ttls: Vec::new(), ..law() };
        let found = forecast(&law, HerdQuestion { service: ms(service), ttl: Some(ms(ttl)) });
        let all = |alone| brute_force(&law, service * 1_000_000, ttl * 1_000_000, alone);
        let (unprotected, single_flight) = (all(false), all(true));
        assert_eq!(found.unprotected.reads, unprotected.values().sum::<u64>(), "d {service} ms");
        assert_eq!(found.single_flight.reads, single_flight.values().sum::<u64>(), "d {service} ms");
        for key in &found.keys {
            let counted = (u64::from(key.counted.reads), u64::from(key.counted.single_flight));
            assert_eq!(counted, (unprotected[&key.key.0], single_flight[&key.key.0]));
        }
    }
}

#[test]
fn theory_forecasts_what_is_counted_within_ten_per_cent() {
    let ms = Duration::from_millis;
    let law = TraceLaw { rows: 1_000_000, keys: 1000, ..law() };
    // The rows state 5 s; what the question says is for those that state none.
    let found = forecast(&law, HerdQuestion { service: ms(200), ttl: Some(ms(1)) });
    let near = |what: &str, predicted: f64, counted: f64, chance: f64| {
        let allowed = (0.1 * counted).max(3.0 * chance);
        assert!((predicted - counted).abs() <= allowed, "{what}: predicted {predicted}, counted {counted} ± {chance}");
    };
    for key in &found.keys {
        assert_eq!(key.ttl, Some(ms(5000)));
        let (predicted, counted) = (key.predicted.unwrap(), key.counted);
        let herds = f64::from(counted.herds);
        let r_d = key.reads_per_s * 0.2;
        assert!((predicted.per_expiry - (1.0 + r_d)).abs() < 1e-6 * r_d, "{predicted:?}");
        near("reads an expiry", predicted.per_expiry, counted.per_expiry, (r_d / herds).sqrt());
        near("herds", predicted.herds.unwrap(), herds, 1.0);
        near("reads", predicted.reads.unwrap(), f64::from(counted.reads), (r_d * herds).sqrt() + 1.0 + r_d);
        near("single flight", predicted.single_flight.unwrap(), f64::from(counted.single_flight), 1.0);
        near("share of time", predicted.herd_share, counted.herd_share, 0.002);
    }
    let hottest = &found.keys[0];
    assert!(hottest.reads_per_s > 130.0 && hottest.counted.per_expiry > 26.0, "{hottest:?}");
    assert_eq!((found.reads, found.keys_without_ttl), (law.rows, 0));
    assert!(found.single_flight.reads < found.unprotected.reads && found.unprotected.reads < law.rows);
}

#[test]
fn where_theory_has_no_formula_it_says_so_and_counting_goes_on() {
    let ms = Duration::from_millis;
    let law = TraceLaw { rows: 20_000, keys: 10, ttls: Vec::new(), ..law() };
    let endless = forecast(&law, HerdQuestion { service: ms(100), ttl: None });
    assert_eq!(endless.keys[0].predicted, Err("it never expires: no TTL is stated"));
    assert_eq!((endless.keys_without_ttl, endless.single_flight.reads, endless.keys[0].counted.herds), (10, 10, 1));
    let longer = forecast(&law, HerdQuestion { service: ms(300), ttl: Some(ms(100)) });
    let why = longer.keys[0].predicted.unwrap_err();
    assert_eq!(why, "an origin read takes longer than the TTL, and nothing reads for all");
    let short = forecast(&law, HerdQuestion { service: ms(300), ttl: Some(ms(15_000)) });
    let predicted = short.keys[0].predicted.unwrap();
    assert!(predicted.per_expiry > 90.0 && predicted.reads.is_none(), "{predicted:?}");
}

#[test]
fn a_question_out_of_range_is_refused() {
    let file = file(b"1,a\n2,a\n");
    for (service, ttl, part) in [
        (Duration::ZERO, None, "the origin's time: found 0ns"),
        (Duration::from_secs(90_000), None, "the origin's time: found 90000s, allowed above 0, at most 24h"),
        (Duration::from_secs(1), Some(Duration::ZERO), "the TTL: found 0ns, allowed above 0"),
    ] {
        let mut reader = TraceReader::open(file.path(), &TraceOptions::default()).unwrap();
        let herds = Some(HerdQuestion { service, ttl });
        let error = summarise(&mut reader, &SummaryOptions { herds, ..SummaryOptions::default() }).unwrap_err();
        assert!(error.to_string().starts_with(part), "{error}");
    }
}
