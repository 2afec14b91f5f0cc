//! Plausible runs for the tests and for the eye: a closed loop of clients over a toy cache, small enough to be read.
//!
//! It is a stand-in for the lab and promises nothing about caches; only its records must look like the lab's.
#![allow(dead_code, unreachable_pub, missing_docs, clippy::unwrap_used, clippy::print_stderr)]

pub mod browser;
pub mod files;
pub mod page;
pub mod sweep;
pub mod target;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, HashMap};
use std::ops::Range;

pub use files::write;
use report::record::*;

pub const MS: i64 = 1_000_000;
const SERVICE: i64 = 200 * MS;

/// How the toy behaves at and before an expiry.
#[derive(Clone, Copy, PartialEq)]
pub enum Kind {
    Naive,
    Single,
    Swr,
    Early,
    Jitter,
}

pub struct Shape {
    pub kind: Kind,
    pub name: &'static str,
    pub spec: &'static str,
    pub valid: bool,
}

pub struct Plan {
    pub scenario: &'static str,
    pub hot: bool,
    pub keys: u64,
    pub warmup_s: i64,
    pub duration_s: i64,
    pub shapes: Vec<Shape>,
    /// Said to be an open loop, in which what was due in these nanoseconds is sent at their end.
    pub open: Option<Range<i64>>,
}

impl Plan {
    /// How long a request that is due then waits to be sent.
    fn wait(&self, at: i64) -> i64 {
        self.open.as_ref().filter(|held| held.contains(&at)).map_or(0, |held| held.end - at)
    }
}

pub fn shape(kind: Kind, name: &'static str, spec: &'static str) -> Shape {
    Shape { kind, name, spec, valid: true }
}

pub fn hotkey(duration_s: i64) -> Plan {
    let shapes = vec![
        shape(Kind::Naive, "naive", "plain"),
        shape(Kind::Single, "singleflight", "plain + lock(lease=10s, poll=50ms)"),
        shape(Kind::Swr, "swr", "swr(soft=5s, hard=10s) + lock(lease=10s, poll=50ms)"),
        shape(Kind::Early, "xfetch", "xfetch(beta=1) + lock(lease=10s, poll=50ms)"),
        shape(Kind::Jitter, "jitter", "plain + jitter(20%)"),
    ];
    Plan { scenario: "hotkey", hot: true, keys: 10, warmup_s: 5, duration_s, shapes, open: None }
}

pub fn bulk_warm() -> Plan {
    let shapes = vec![shape(Kind::Naive, "naive", "plain"), shape(Kind::Jitter, "jitter", "plain + jitter(100%)")];
    Plan { scenario: "bulk-warm", hot: false, keys: 100, warmup_s: 0, duration_s: 60, shapes, open: None }
}

/// Value-stable draws (SplitMix64).
pub struct Draw(pub u64);

impl Draw {
    pub fn unit(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    }
}

/// Everything that one strategy leaves behind.
#[derive(Default)]
pub struct Records {
    pub rows: Vec<OriginRow>,
    pub events: Vec<EventRow>,
    /// (intended send, latency, outcome: 0 hit, 1 stale, 2 wait, 3 load), nanoseconds.
    pub answers: Vec<(i64, i64, usize)>,
}

#[derive(Clone, Copy)]
struct Entry {
    dies: i64,
    loading_until: i64,
    told: bool,
}

impl Default for Entry {
    fn default() -> Self {
        Self { dies: i64::MIN, loading_until: i64::MIN, told: false }
    }
}

pub fn play(plan: &Plan, kind: Kind, seed: u64) -> Records {
    let mut draw = Draw(seed);
    let mut records = Records::default();
    let mut cache: HashMap<u64, Entry> = HashMap::new();
    let end = plan.duration_s * 1000 * MS;
    if plan.warmup_s == 0 {
        for key in 0..plan.keys {
            let entry = Entry { dies: lifetime(kind, &mut draw, plan), ..Entry::default() };
            cache.insert(key, entry);
        }
    }
    let mut heap: BinaryHeap<Reverse<(i64, u64)>> =
        (0..50).map(|client| Reverse((-plan.warmup_s * 1000 * MS + client as i64 * 2_400_000, client))).collect();
    while let Some(Reverse((now, client))) = heap.pop() {
        if now >= end {
            continue;
        }
        let hot = plan.hot && draw.unit() < 0.95;
        let key = if hot { 0 } else { (draw.unit() * plan.keys as f64) as u64 };
        let mut entry = cache.get(&key).copied().unwrap_or_default();
        let quick = 800_000 + (draw.unit() * draw.unit() * 4e6) as i64;
        let (latency, outcome) = answer(plan, kind, now, key, &mut entry, quick, &mut draw, &mut records);
        cache.insert(key, entry);
        records.answers.push((now, latency + plan.wait(now), outcome));
        heap.push(Reverse((now + latency + 120 * MS, client)));
    }
    records.events.push(EventRow {
        t_ns: 0,
        event: "phase".into(),
        detail: Some("measured".into()),
        ..EventRow::default()
    });
    records.events.sort_by_key(|event| event.t_ns);
    records
}

fn lifetime(kind: Kind, draw: &mut Draw, plan: &Plan) -> i64 {
    let spread = if plan.hot { 0.2 } else { 1.0 };
    let extra = if kind == Kind::Jitter { draw.unit() * spread } else { 0.0 };
    (5_000.0 * (1.0 + extra)) as i64 * MS
}

#[allow(clippy::too_many_arguments)]
fn answer(
    plan: &Plan,
    kind: Kind,
    now: i64,
    key: u64,
    entry: &mut Entry,
    quick: i64,
    draw: &mut Draw,
    records: &mut Records,
) -> (i64, usize) {
    let served = SERVICE + (draw.unit() * 25.0) as i64 * MS;
    let mut load = |entry: &mut Entry, draw: &mut Draw| {
        records.rows.push(OriginRow {
            key: key.to_string(),
            replica: Some((records.rows.len() % 3) as u32),
            flight: format!("a{}-{}", records.rows.len() % 3, records.rows.len()),
            phase: if now < 0 { "warmup" } else { "measured" }.into(),
            arrived_ns: now + quick / 2,
            start_ns: Some(now + quick / 2 + 10_000),
            end_ns: Some(now + served),
            outcome: "ok".into(),
        });
        entry.loading_until = now + served;
        entry.dies = now + served + lifetime(kind, draw, plan);
        entry.told = false;
    };
    let loading = entry.loading_until > now;
    if entry.dies > now && !loading {
        let left = (entry.dies - now) as f64;
        if kind == Kind::Early && left < 0.2e9 * -(draw.unit().max(1e-9)).ln() {
            let (event, key) = ("early-refresh".to_owned(), Some(key.to_string()));
            records.events.push(EventRow { t_ns: now, event, key, ..EventRow::default() });
            load(entry, draw);
            entry.loading_until = now; // The old value is served meanwhile.
        }
        return (quick, 0);
    }
    if !loading && !entry.told && entry.dies != i64::MIN {
        entry.told = true;
        let event =
            EventRow { t_ns: entry.dies, event: "expiry".into(), key: Some(key.to_string()), ..EventRow::default() };
        records.events.push(event);
    }
    match kind {
        Kind::Naive | Kind::Jitter => {
            // All who come before the first load ends load as well; the entry lives from the first one's end.
            let first_end = if loading { entry.loading_until } else { now + served };
            let dies = if loading { entry.dies } else { first_end + lifetime(kind, draw, plan) };
            load(entry, draw);
            (entry.loading_until, entry.dies) = (first_end, dies);
            (served, 3)
        }
        _ if loading => match kind {
            Kind::Swr => (quick, 1),
            _ => (entry.loading_until - now + (draw.unit() * 50.0) as i64 * MS, 2),
        },
        Kind::Swr if entry.dies != i64::MIN => {
            load(entry, draw);
            (quick, 1)
        }
        _ => {
            load(entry, draw);
            (served, 3)
        }
    }
}

/// The rows of `seconds.csv` or `bins100ms.csv`.
pub fn bins(plan: &Plan, records: &Records, width_ms: i64) -> Vec<BinRow> {
    let first = -plan.warmup_s * 1000 / width_ms;
    let last = plan.duration_s * 1000 / width_ms;
    let mut latencies: HashMap<i64, Vec<i64>> = HashMap::new();
    let mut rows: Vec<BinRow> = (first..last)
        .map(|bin| BinRow {
            start_ms: bin * width_ms,
            origin_starts: Some(0),
            origin_in_flight_max: Some(0),
            ..BinRow::default()
        })
        .collect();
    let bin_of = |ns: i64| ns.div_euclid(width_ms * MS);
    for (at, latency, outcome) in &records.answers {
        latencies.entry(bin_of(*at)).or_default().push(*latency);
        let Some(row) = rows.get_mut((bin_of(*at) - first) as usize) else { continue };
        (row.offered, row.sent, row.completed) = (row.offered + 1, row.sent + 1, row.completed + 1);
        *[&mut row.hit, &mut row.stale, &mut row.wait, &mut row.load][*outcome] += 1;
    }
    for read in &records.rows {
        if let Some(row) = rows.get_mut((bin_of(read.arrived_ns) - first) as usize) {
            row.origin_starts = row.origin_starts.map(|reads| reads + 1);
            row.origin_in_flight_max = row.origin_in_flight_max.max(row.origin_starts);
        }
    }
    for row in rows.iter_mut().filter(|_| width_ms == 1000) {
        let Some(sorted) = latencies.get_mut(&(row.start_ms / width_ms)) else { continue };
        sorted.sort_unstable();
        let at = |q: f64| Some(sorted[((sorted.len() - 1) as f64 * q) as usize] as f64 / 1e6);
        (row.p50_ms, row.p95_ms, row.p99_ms, row.max_ms) = (at(0.5), at(0.95), at(0.99), at(1.0));
    }
    rows
}

/// The run's summary, as the lab would compute it.
pub fn summarise(plan: &Plan, all: &[Records]) -> Run {
    let strategies = plan.shapes.iter().zip(all).map(|(shape, records)| strategy(plan, shape, records)).collect();
    Run {
        schema: RUN_SCHEMA.into(),
        run: format!("20261120T235900Z-{}-3f9a", plan.scenario),
        complete: true,
        version: "0.1.0".into(),
        started_at: "2026-11-20T23:59:00Z".into(),
        command: format!("loadgen run --scenario {} --lab local --seed 42", plan.scenario),
        scenario: plan.scenario.into(),
        summary: if plan.hot {
            "One popular key, one TTL, fifty clients: the stampede itself."
        } else {
            "A hundred keys warmed in one burst."
        }
        .into(),
        lab: "local".into(),
        cache: "redis 7.0.15".into(),
        cache_settings: Default::default(),
        replicas: 3,
        seed: 42,
        duration_s: plan.duration_s as f64,
        warmup_s: plan.warmup_s as f64,
        load: if plan.open.is_some() {
            "open loop, 400 requests/s, poisson arrivals"
        } else {
            "closed loop, 50 clients, think time 120 ms"
        }
        .into(),
        ttl_s: 5.0,
        service_time_s: 0.2,
        foreign_origin: false,
        hot_key: plan.hot.then(|| "0".into()),
        plan_hash: "5d1f0c9e77aa".into(),
        clock_offset_ns: Some(-12_345),
        clock_uncertainty_ns: Some(41_000),
        environment: Environment {
            os: "linux 6.1.0".into(),
            arch: "x86_64".into(),
            cpu: Some("Intel(R) Xeon(R) CPU".into()),
            cores: 2,
            memory_mib: Some(7_944),
            build: "release".into(),
            load_average_percent: Some(37),
        },
        shards: None,
        strategies,
        verdicts: Vec::new(),
        unchecked: Vec::new(),
        blocks: Vec::new(),
        comparisons: Vec::new(),
    }
}

fn strategy(plan: &Plan, shape: &Shape, records: &Records) -> Strategy {
    let measured = || records.answers.iter().filter(|answer| answer.0 >= 0);
    let times: Vec<i64> = measured().map(|answer| answer.1).collect();
    let service = measured().map(|answer| answer.1 - plan.wait(answer.0)).collect();
    let count =
        |outcome: usize| records.answers.iter().filter(|answer| answer.0 >= 0 && answer.2 == outcome).count() as u64;
    let outcomes = Outcomes { hit: count(0), stale: count(1), wait: count(2), load: count(3), ..Outcomes::default() };
    let reads: Vec<i64> = records.rows.iter().filter(|row| row.arrived_ns >= 0).map(|row| row.arrived_ns).collect();
    let in_second = |from: &i64| reads.iter().filter(|at| (*from..*from + 1000 * MS).contains(*at)).count() as u64;
    let total = reads.len() as u64;
    let clusters =
        records.events.iter().filter(|event| event.event == "expiry" && event.key.as_deref() == Some("0")).count()
            as u64;
    let hot_reads = records.rows.iter().filter(|row| row.arrived_ns >= 0 && row.key == "0").count() as u64;
    let mean = hot_reads as f64 / clusters.max(1) as f64;
    Strategy {
        levels: None,
        pool: None,
        traffic: None,
        server: None,
        shards: None,
        takeovers: None,
        counters: None,
        cut_after_s: None,
        name: shape.name.into(),
        spec: shape.spec.into(),
        folder: shape.name.chars().filter(char::is_ascii_alphanumeric).collect(),
        valid: shape.valid,
        invalid_because: if shape.valid {
            vec![]
        } else {
            vec!["2 flights are in the origin's ledger only".into(), "the cache was restarted".into()]
        },
        requests: times.len() as u64,
        errors: 0,
        error_kinds: BTreeMap::new(),
        hit_ratio: Some((outcomes.hit + outcomes.stale) as f64 / times.len().max(1) as f64),
        origin: Some(OriginFigures {
            total,
            max_per_second: reads.iter().map(in_second).max().unwrap_or(0),
            max_in_flight: 50,
            seconds_over: BTreeMap::from([("50".into(), 11)]),
            floor: (shape.kind != Kind::Jitter).then_some(2 * plan.duration_s as u64 - 9.min(plan.duration_s as u64)),
            per_expiry: plan.hot.then_some(PerExpiry {
                count: clusters,
                mean,
                p50: mean.round(),
                max: mean.ceil() as u64,
                fullest_replica: None,
            }),
        }),
        predicted: None,
        not_predicted: Vec::new(),
        hot: plan.hot.then(|| Hot {
            key: "0".into(),
            requests: times.len() as u64 * 95 / 100,
            outcomes,
            origin_total: Some(hot_reads),
        }),
        latency_ms: latency(times.clone()),
        service_ms: latency(service),
        lag_ms: latency(measured().map(|answer| plan.wait(answer.0)).collect()),
        outcomes,
        events: Some(Events::default()),
        stale: Stale { share: Some(outcomes.stale as f64 / times.len().max(1) as f64), overage_ms_max: None },
        behind: None,
        writes: None,
        cache_ops_per_request: Some(1.06),
        peak_waiters: Some(17),
        unsent: 0,
        moved_on: 0,
        resent: None,
        retries: None,
        recovery: None,
        life_s: None,
        generator_cpu_cores: Some(0.12),
        conditions: None,
        unwitnessed: 0,
        ledgers: Some(Ledgers::default()),
        repeats: Vec::new(),
    }
}

fn latency(mut ns: Vec<i64>) -> Latency {
    ns.sort_unstable();
    let at = |q: f64| ns.get((ns.len().saturating_sub(1) as f64 * q) as usize).map(|ns| *ns as f64 / 1e6);
    Latency { p50: at(0.5), p95: at(0.95), p99: at(0.99), p99_9: at(0.999), max: at(1.0) }
}
