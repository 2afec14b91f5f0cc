//! Theory as a judge of the simulation, and the simulation of theory: every row of the prediction tables
//! (`strategies/src/theory/`), over enough expiries, within 10 % or three standard errors, whichever is wider.

use std::time::Duration;

use crate::common::{Tally, run, scenario};
use scenarios::Scenario;
use sim::Read;
use strategies::rng::Rng;
use strategies::theory::Prediction;
use strategies::time::Mono;
use strategies::{Outcome, Spec};

/// One hot key under Poisson reads. Milliseconds; three replicas.
struct Row {
    spec: &'static str,
    rate_per_s: u32,
    ttl_ms: u32,
    service_ms: u32,
    expiries: u32,
}

impl Row {
    fn scenario(&self, cycle_ms: u32) -> Scenario {
        let Self { rate_per_s, ttl_ms, service_ms, .. } = self;
        let duration = u64::from(cycle_ms) * u64::from(self.expiries);
        let text = format!(
            "schema = 1\nname = \"row\"\nstrategies = [\"naive\"]\n[load]\nrate = \"{rate_per_s}/s\"\narrivals = \"poisson\"\n\
             warmup = \"5s\"\nduration = \"{duration}ms\"\n[keys]\nkind = \"single\"\n[cache]\nttl = \"{ttl_ms}ms\"\n\
             [origin]\nservice_time = \"{service_ms}ms\"\nconcurrency = 1024\n"
        );
        scenario(&text, &[])
    }

    fn ttl(&self) -> Duration {
        Duration::from_millis(self.ttl_ms.into())
    }
}

/// A run of a row, and what theory says of it.
struct Tried {
    tally: Tally,
    theory: Prediction,
    /// The reads of each expiry, or early refresh: those that came before the first of them can have been stored.
    herds: Vec<Vec<Read>>,
}

fn tried(row: &Row) -> Tried {
    let cycle = |s: &Scenario| s.predict(&Spec::parse(row.spec).unwrap(), 3, s.load.duration).prediction.unwrap();
    let cycle_s = cycle(&row.scenario(row.ttl_ms + row.service_ms)).cycle_s;
    let scenario = row.scenario(cycle_s.map_or(row.ttl_ms, |s| (s * 1000.0) as u32 + 1));
    let tally = run(&scenario, row.spec, 3, 42, Tally::default()).0;
    // A read, and the way to the origin, to the cache and back.
    let in_flight = Duration::from_millis(row.service_ms.into()) + Duration::from_millis(1);
    let mut herds: Vec<Vec<Read>> = Vec::new();
    for read in tally.ledger.iter().filter(|read| read.arrived >= tally.t0) {
        match herds.last_mut() {
            Some(herd) if read.arrived < herd[0].arrived.plus(in_flight) => herd.push(read.clone()),
            _ => herds.push(vec![read.clone()]),
        }
    }
    // The last one may have been cut short by the end.
    herds.pop();
    assert!(herds.len() as u32 > row.expiries * 9 / 10, "{}: {} expiries", row.spec, herds.len());
    Tried { tally, theory: cycle(&scenario), herds }
}

/// Mean and standard error.
fn mean(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (n - 1.0);
    (mean, (variance / n).sqrt())
}

#[track_caller]
fn assert_near(what: &str, (found, error): (f64, f64), expected: f64) {
    let allowed = (0.1 * expected.abs()).max(3.0 * error).max(1e-3);
    assert!((found - expected).abs() <= allowed, "{what}: {found:.4} ± {error:.4}, by theory {expected:.4}");
}

/// Reads at an expiry, cycle, share of requests that wait, share that is answered stale.
fn check(row: &Row) -> Tried {
    let tried = tried(row);
    let Tried { tally, theory, herds } = &tried;
    let sizes: Vec<f64> = herds.iter().map(|herd| herd.len() as f64).collect();
    assert_near(&format!("{}: reads an expiry", row.spec), mean(&sizes), theory.per_expiry);
    if let Some(cycle) = theory.cycle_s {
        let starts: Vec<Mono> = herds.iter().map(|herd| herd[0].arrived).collect();
        let cycles: Vec<f64> = starts.windows(2).map(|pair| pair[1].since(pair[0]).as_secs_f64()).collect();
        assert_near(&format!("{}: cycle, s", row.spec), mean(&cycles), cycle);
    }
    let share = |outcomes: &[Outcome]| {
        let count: u64 = outcomes.iter().map(|outcome| tally.outcomes[*outcome as usize]).sum();
        (count as f64 / tally.requests as f64, 0.0)
    };
    let [wait, stale] = [theory.wait_share, theory.stale_share].map(Option::unwrap);
    assert_near(&format!("{}: waited", row.spec), share(&[Outcome::Wait, Outcome::Load]), wait);
    assert_near(&format!("{}: stale", row.spec), share(&[Outcome::Stale]), stale);
    tried
}

const fn row(spec: &'static str, rate_per_s: u32, ttl_ms: u32, service_ms: u32, expiries: u32) -> Row {
    Row { spec, rate_per_s, ttl_ms, service_ms, expiries }
}

#[test]
fn nobody_together_one_flight_a_replica_and_one_for_the_fleet() {
    check(&row("naive", 200, 1000, 100, 300));
    check(&row("coalesce", 200, 1000, 100, 300));
    // So few readers that not every replica has one.
    check(&row("coalesce", 10, 2000, 200, 600));
    check(&row("singleflight", 200, 1000, 100, 300));
}

#[test]
fn the_old_value_while_one_refreshes_for_the_fleet_or_one_a_replica() {
    check(&row("swr", 200, 1000, 100, 300));
    check(&row("swr + coalesce", 200, 1000, 100, 300));
    check(&row("swr + coalesce", 10, 2000, 200, 600));
}

#[test]
fn a_polling_loser_waits_for_half_a_poll_too_long() {
    // The loser of a lock came in [0, d] after the leader, and sees the value at a poll of its own.
    let waits = |spec| tried(&row(spec, 200, 1000, 200, 200)).tally.wait_mean_s;
    let (polling, together) = (waits("plain + lock(poll=80ms)"), waits("plain + coalesce"));
    assert_near("p/2", (polling - together, 0.0), 0.040);
    let woken = waits("plain + lock(wake=notify, poll=250ms)");
    assert!((woken - together).abs() < 0.002, "a woken loser waits as long as a follower: {woken} and {together}");
}

#[test]
fn xfetch_alone_reads_a_geometric_number_of_times_of_mean_e_to_the_1_by_beta() {
    // So hot that the first to fire is seldom closer to the expiry than d: r·β·d·e^(−1/β) is 8 and more.
    for (spec, rate, ttl, beta) in [
        ("xfetch(beta=0.5) + bare", 2400, 250, 0.5_f64),
        ("xfetch + bare", 460, 400, 1.0),
        ("xfetch(beta=2) + bare", 140, 700, 2.0),
    ] {
        let tried = check(&row(spec, rate, ttl, 50, 3000));
        let alone = tried.herds.iter().filter(|herd| herd.len() == 1).count() as f64 / tried.herds.len() as f64;
        let expected = (-1.0 / beta).exp();
        let error = (expected * (1.0 - expected) / tried.herds.len() as f64).sqrt();
        assert_near(&format!("{spec}: P(N = 1)"), (alone, error), expected);
    }
}

#[test]
fn xfetch_under_a_lock_reads_once_and_as_early_as_gumbels_law_says() {
    for (spec, rate, ttl, beta) in
        [("xfetch", 300, 400, 1.0), ("xfetch(beta=2)", 300, 800, 2.0), ("xfetch(beta=0.5)", 1600, 300, 0.5)]
    {
        let row = row(spec, rate, ttl, 50, 3000);
        let tried = check(&row);
        // From the first early read to the expiry that it forestalled: E[G] = βd(ln(rβd) + γ).
        let expected = beta * 0.05 * ((f64::from(rate) * beta * 0.05_f64).ln() + 0.577_215_66);
        let leads: Vec<f64> = tried
            .herds
            .windows(2)
            .map(|pair| {
                let expiry = pair[0].last().unwrap().end.unwrap().plus(row.ttl());
                expiry.since(pair[1][0].arrived).as_secs_f64()
            })
            .collect();
        assert_near(&format!("{spec}: E[G], s"), mean(&leads), expected);
    }
}

#[test]
fn ahead_of_the_expiry_and_somewhere_in_a_window() {
    check(&row("ahead", 200, 1000, 50, 300));
    check(&row("ahead(theta=0.7)", 200, 1000, 50, 300));
    check(&row("apee-lrm", 800, 1000, 50, 300));
    check(&row("best", 800, 1000, 50, 300));
}

#[test]
fn jitter_moves_one_keys_herd_and_does_not_shrink_it() {
    check(&row("jitter", 200, 1000, 100, 300));
    check(&row("jitter(1.0)", 200, 1000, 100, 300));
}

/// K keys that were written together and are asked for evenly: without jitter they end together; with it they are a hill
/// over spread·T, of mean height K(1 + λd)/(spread·T), and its highest second is what chance makes of such a hill.
#[test]
fn jitter_makes_a_hill_of_what_was_a_needle() {
    let (keys, per_key_per_s, ttl, d, spread) = (200_u32, 5.0, 10.0, 0.1, 0.5);
    let text = format!(
        "schema = 1\nname = \"hill\"\nstrategies = [\"naive\"]\n[load]\nrate = \"{}/s\"\narrivals = \"poisson\"\nduration = \"16s\"\n\
         [keys]\nkind = \"uniform\"\nn = {keys}\n[cache]\nttl = \"10s\"\n[origin]\nservice_time = \"100ms\"\nconcurrency = 1024\n\
         [warm]\nburst = \"all\"\n",
        f64::from(keys) * per_key_per_s
    );
    let scenario = scenario(&text, &[]);
    let hill_of = |seed| {
        let tally = run(&scenario, "jitter(0.5)", 3, seed, Tally::default()).0;
        let since = |read: &Read| read.arrived.since(tally.t0).as_secs_f64();
        let mut reads: Vec<f64> = tally.ledger.iter().filter(|r| r.arrived > tally.t0).map(since).collect();
        reads.sort_unstable_by(f64::total_cmp);
        reads.retain(|at| *at < ttl * (1.0 + spread));
        reads
    };
    let (mut heights, mut highest) = (Vec::new(), Vec::new());
    for seed in 0..20 {
        let reads = hill_of(seed);
        // The hill's middle, clear of its edges; each key's reads come in the d after its first.
        let (from, to) = (ttl + 1.0, ttl * (1.0 + spread) - 1.0);
        let inside = reads.iter().filter(|at| (from..to).contains(*at)).count();
        heights.push(inside as f64 / (to - from));
        highest.push(in_any_second(&reads));
    }
    let expected = f64::from(keys) * (1.0 + per_key_per_s * d) / (spread * ttl);
    assert_near("reads a second", mean(&heights), expected);

    // The same hill by Monte-Carlo, without a lab: expiries even over spread·T, a first read, and a herd behind it.
    let rng = Rng::new(7);
    let gap = |rate: f64| -(1.0 - rng.next_unit()).ln() / rate;
    let mut peaks: Vec<u64> = (0..2000)
        .map(|_| {
            let mut reads = Vec::new();
            for _ in 0..keys {
                let first = ttl * (1.0 + spread * rng.next_unit()) + gap(per_key_per_s);
                let mut next = first;
                while next <= first + d {
                    reads.push(next);
                    next += gap(per_key_per_s);
                }
            }
            reads.sort_unstable_by(f64::total_cmp);
            reads.retain(|at| *at < ttl * (1.0 + spread));
            in_any_second(&reads)
        })
        .collect();
    peaks.sort_unstable();
    let (low, high) = (peaks[10], peaks[1990]);
    let inside = highest.iter().filter(|peak| (low..=high).contains(*peak)).count();
    assert!(inside >= 18, "of {highest:?} reads in a second {inside} lie where 99 % of all hills do, {low} to {high}");
    let of_chance = peaks.iter().sum::<u64>() as f64 / peaks.len() as f64;
    assert_near("the highest second", mean(&highest.iter().map(|p| *p as f64).collect::<Vec<_>>()), of_chance);
}

/// The most in any window of a second.
fn in_any_second(sorted: &[f64]) -> u64 {
    let within = |(n, first): (usize, &f64)| sorted[n..].partition_point(|at| *at < first + 1.0) as u64;
    sorted.iter().enumerate().map(within).max().unwrap_or(0)
}
