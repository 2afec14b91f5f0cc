//! Scenarios that nobody wrote: every field drawn from what it may be.

use std::time::Duration;

use proptest::prelude::*;
use scenarios::*;
use strategies::{Budgets, Slots};

const S: Duration = Duration::from_secs(1);

pub(crate) fn span(max: Duration) -> impl Strategy<Value = Duration> {
    let max = u64::try_from(max.as_nanos()).unwrap();
    prop_oneof![1_000_000..=max, (1..=max / 1_000_000_000).prop_map(|s| s * 1_000_000_000)]
        .prop_map(Duration::from_nanos)
}

pub(crate) fn law() -> impl Strategy<Value = Law> {
    prop_oneof![
        Just(Law::Constant(Duration::ZERO)),
        span(3600 * S).prop_map(Law::Constant),
        span(3600 * S).prop_map(|mean| Law::Exponential { mean }),
        (span(S), 1_u32..=1000).prop_map(|(p50, ratio)| Law::LogNormal { p50, p99: p50 * ratio }),
        (span(S), span(S)).prop_map(|(min, more)| Law::Uniform { min, max: min + more }),
    ]
}

/// Ramps by their wait after the one before, as shares of what is left of the run.
pub(crate) fn ramps(parts: Vec<(f64, f64, f64)>, duration: Duration) -> Vec<Ramp> {
    let (mut ramps, mut free) = (Vec::new(), Duration::ZERO);
    for (wait, to_per_s, length) in parts {
        let at = free + (duration - free).mul_f64(wait) + Duration::from_nanos(1);
        if at < duration {
            let over = (duration - at).mul_f64(length);
            ramps.push(Ramp { at, to_per_s, over });
            free = at + over;
        }
    }
    ramps
}

/// The same of clients, where there is room for them.
fn client_ramps(parts: Vec<(f64, f64, f64)>, duration: Duration) -> Vec<ClientRamp> {
    let long = |ramp: &Ramp| ramp.over >= Duration::from_millis(1);
    let of_clients = |Ramp { at, to_per_s, over }| ClientRamp { at, clients: to_per_s as u32 + 1, over };
    ramps(parts, duration).into_iter().filter(long).map(of_clients).collect()
}

pub(crate) fn load() -> impl Strategy<Value = Load> {
    let ramp = (0.0_f64..0.9, 0.001_f64..1e4, prop_oneof![Just(0.0), 0.0_f64..1.0]);
    let kind = prop_oneof![
        (1_u32..=1_000_000, law(), proptest::collection::vec(ramp.clone(), 0..4))
            .prop_map(|(clients, think, parts)| (LoadKind::Closed { clients, think, ramps: Vec::new() }, parts)),
        (0.001_f64..1e4, any::<bool>(), proptest::collection::vec(ramp, 0..4)).prop_map(
            |(rate_per_s, poisson, parts)| {
                let arrivals = if poisson { Arrivals::Poisson } else { Arrivals::Constant };
                (LoadKind::Open { rate_per_s, arrivals, start: Start::Together, ramps: Vec::new() }, parts)
            }
        ),
    ];
    let retry = proptest::option::of(retry());
    (kind, span(3600 * S), span(24 * 3600 * S), span(600 * S), any::<bool>(), retry).prop_map(
        |((mut kind, parts), warmup, duration, timeout, moves, retry)| {
            match &mut kind {
                LoadKind::Open { ramps: empty, .. } => *empty = ramps(parts, duration),
                LoadKind::Closed { ramps: empty, .. } => *empty = client_ramps(parts, duration),
                LoadKind::Trace(_) => {}
            }
            let on_down = if moves { OnDown::Next } else { OnDown::Fail };
            Load { kind, warmup, duration, timeout, on_down, retry, batch: 1 }
        },
    )
}

pub(crate) fn retry() -> impl Strategy<Value = Retry> {
    let budget = proptest::option::of(0.001_f64..=1.0);
    (2_u32..=20, span(S), span(3600 * S - S), budget, any::<bool>()).prop_map(
        |(attempts, base, more, budget, heeds)| Retry { attempts, base, cap: base + more, budget, retry_after: heeds },
    )
}

fn simulated() -> impl Strategy<Value = SimulatedServer> {
    let set = (span(S), span(S), proptest::option::of(1024_u32..=u32::MAX));
    let set = set.prop_map(|(command, per_mib, bandwidth)| SimulatedServer {
        shards: 1 + per_mib.subsec_millis() % 7,
        command,
        per_mib,
        bandwidth,
    });
    prop_oneof![Just(SimulatedServer::default()), set]
}

/// Sizes that 4096 values may have.
fn value_size() -> impl Strategy<Value = SizeLaw> {
    let law = (1_u32..=1 << 16, 0_u32..=1 << 10).prop_map(|(p50, more)| SizeLaw::LogNormal { p50, p99: p50 + more });
    prop_oneof![(1_u32..=1 << 20).prop_map(SizeLaw::Constant), law]
}

pub(crate) fn keys() -> impl Strategy<Value = Keys> {
    let missing = (prop_oneof![Just(0.0), 0.0_f64..1.0], 1_u32..=10_000_000);
    let sizes = (2_u32..=4096, value_size(), any::<bool>(), prop_oneof![Just(0.0), 0.0_f64..=1.0]);
    (kind(), sizes, missing).prop_map(|(kind, (n, value_size, sampled, compressible), (missing_share, missing_n))| {
        Keys {
            sample_of: (sampled && matches!(kind, KeyKind::Zipf { .. })).then_some(n * 100),
            compressible,
            one_slot: missing_n % 2 == 1,
            missing_share,
            missing_n,
            ..Keys::alike(kind, if kind == KeyKind::Single { 1 } else { n }, value_size)
        }
    })
}

/// Few enough keys to fit whatever their sizes, with classes and churn.
fn own_keys() -> impl Strategy<Value = Keys> {
    let class = (0.001_f64..0.3, 1_u32..=256, kind(), proptest::option::of(span(24 * 3600 * S)));
    let class = (class, proptest::option::of(value_size())).prop_map(|((share, n, kind, ttl), value_size)| {
        let n = if kind == KeyKind::Single { 1 } else { n + 1 };
        KeyClass { which: ClassKeys::Drawn { share, n, kind }, ttl, value_size }
    });
    (keys(), proptest::collection::vec(class, 0..3), 1_u32..=100).prop_map(|(keys, classes, percent)| {
        let zipf = matches!(keys.kind, KeyKind::Zipf { .. });
        let churn = (zipf && percent % 2 == 0).then(|| churn(percent));
        let n = keys.n.min(256);
        let sample_of = keys.sample_of.filter(|_| churn.is_none() && classes.is_empty());
        Keys { n, sample_of, churn, classes, ..keys }
    })
}

/// So many percent of the keys a day.
fn churn(percent: u32) -> Churn {
    let sets = [("kind", "zipf"), ("exponent", "1"), ("churn", &format!("{percent}%/d"))];
    let sets: Vec<_> = sets.map(|(name, value)| (format!("keys.{name}"), value.to_owned())).to_vec();
    Scenario::parse(shipped()[0].1, "hotkey", &sets).unwrap().keys.churn.unwrap()
}

fn counting() -> impl Strategy<Value = CountingLoad> {
    let limit = proptest::option::of(1_u32..=1_000_000);
    (span(24 * 3600 * S), limit).prop_map(|(window, per_window)| CountingLoad { window, per_window })
}

pub(crate) fn writes() -> impl Strategy<Value = Writes> {
    let pace = prop_oneof![
        (1_u32..=50).prop_map(|rate| WritePace::Rate(f64::from(rate))),
        (0.001_f64..0.999).prop_map(WritePace::Share)
    ];
    (pace, proptest::option::of(kind())).prop_map(|(pace, kind)| Writes { pace, kind })
}

pub(crate) fn kind() -> impl Strategy<Value = KeyKind> {
    prop_oneof![
        (0.001_f64..=1.0).prop_map(|share| KeyKind::Hot { share }),
        Just(KeyKind::Uniform),
        Just(KeyKind::Single),
        (0.0_f64..=10.0).prop_map(|exponent| KeyKind::Zipf { exponent }),
    ]
}

pub(crate) fn action() -> impl Strategy<Value = Action> {
    let target = prop_oneof![Just(ReplicaTarget::LockHolder), (0_u32..=999).prop_map(ReplicaTarget::Replica)];
    (0..ACTIONS.len(), span(3600 * S), span(60 * S), 1.001_f64..=1000.0, target).prop_map(
        |(row, length, added, factor, target)| {
            let row = &ACTIONS[row];
            let mut action = Action::new(row.kind);
            for field in ActionField::ALL.into_iter().filter(|field| row.has(*field)) {
                match field {
                    ActionField::For => action.length = length,
                    ActionField::Factor => action.factor = factor,
                    ActionField::Add => action.added = added,
                    ActionField::Share => action.share = factor / 1000.0,
                    // Of slots either a key or a number is named.
                    ActionField::Key if row.has(ActionField::Slots) && added.subsec_nanos() % 2 == 0 => {}
                    ActionField::Slots if action.key.is_some() => {}
                    ActionField::Slots => action.slots = 1 + row.word.len() as u32,
                    ActionField::How => action.how = MigrationWay::WORDS[length.subsec_nanos() as usize % 2].1,
                    ActionField::Key => action.key = Some(1),
                    ActionField::Target => action.target = Some(target),
                    ActionField::Keys => action.keys = 1 + row.word.len() as u32,
                }
            }
            action
        },
    )
}

/// Any of a server's settings, each with any of its values.
pub(crate) fn server() -> impl Strategy<Value = ServerSettings> {
    let one = (0..SERVER_SETTINGS.len(), any::<u32>()).prop_map(|(at, drawn)| {
        let (name, range) = SERVER_SETTINGS[at];
        let within = |from: u32, to: u32| from + (u64::from(drawn) % (u64::from(to - from) + 1)) as u32;
        let value = match range {
            ServerRange::Words(words) => ServerValue::Text(words[drawn as usize % words.len()].to_owned()),
            ServerRange::Whole(from, to) => ServerValue::Whole(within(from, to)),
            ServerRange::Bytes(from, to) => ServerValue::Bytes(within(from, to)),
            ServerRange::SavePoints => {
                ServerValue::Text(["", "60 1000", "3600 1 300 100"][drawn as usize % 3].to_owned())
            }
        };
        (name, value)
    });
    proptest::collection::vec(one, 0..4).prop_map(|all| {
        all.into_iter().fold(ServerSettings::default(), |settings, (name, value)| settings.with(name, value))
    })
}

/// Others than those that follow from the service time.
pub(crate) fn longer(budgets: Budgets, more: Duration) -> Budgets {
    Budgets { replica: budgets.replica + more, ..budgets }
}

prop_compose! {
    pub(crate) fn scenario()(
        load in load(),
        keys in own_keys(),
        writes in proptest::option::of(writes()),
        counting in proptest::option::of(counting()),
        (service_time, write_time) in (law(), proptest::option::of(law())),
        summary in "[ -~µé]{0,60}",
        (concurrency, queue) in (1_u32..=65_536, 0_u32..=1_000_000),
        (wait, more) in (span(3600 * S), span(3600 * S)),
        slots in proptest::option::of((1_u32..=1000, 0_u32..=1000).prop_map(|(concurrency, queue)| Slots { concurrency, queue })),
        (redis, simulated) in (server(), simulated()),
        (ttl, write_every) in (span(24 * 3600 * S), proptest::option::of(span(S))),
        (warm, aged, batch) in (any::<bool>(), any::<bool>(), 1_u32..=1000),
        actions in proptest::collection::vec(action(), 0..4),
        (metric, value) in (0..METRICS.len(), 0.0_f64..1e9),
    ) -> Scenario {
        let of_hot_key = METRICS[metric].starts_with("hot.") || METRICS[metric].starts_with("origin.per_expiry");
        let of_counters = METRICS[metric].starts_with("counters.") && counting.is_none();
        let metric = if of_hot_key || of_counters { "errors" } else { METRICS[metric] };
        let threshold = Threshold {
            strategy: if counting.is_some() { "lua + jitter(0.2)" } else { "jitter(0.2)" }.to_owned(),
            metric: metric.to_owned(),
            bound: if warm { Bound::AtMost(value) } else { Bound::AtLeast(value) },
        };
        let keys_n = keys.n;
        let (warm, writes) = (warm && counting.is_none(), writes.filter(|_| counting.is_none()));
        let warmup = if warm { Duration::ZERO } else { load.warmup };
        let mut load = Load { warmup, ..load };
        let generations = keys.churn.map_or(1, |churn| churn.generations(load.total()));
        let keys = Keys { generations, ..keys };
        let plain = keys.churn.is_none() && keys.classes.is_empty();
        let reads_only = plain && counting.is_none() && writes.is_none() && keys.missing_share <= 0.0 && keys.hot_key().is_none();
        if reads_only && keys.n >= 2 {
            load.batch = batch.min(keys.n);
        }
        if let LoadKind::Open { start, .. } = &mut load.kind && warmup >= ttl * 2 && load.batch == 1 {
            *start = Start::Staggered;
        }
        Scenario {
            name: "generated-1".to_owned(),
            summary,
            strategies: match counting {
                Some(_) => vec!["get-set-incr".to_owned(), "lua + jitter(0.2)".to_owned()],
                None => vec!["naive".to_owned(), "jitter(0.2)".to_owned()],
            },
            load,
            counting,
            keys,
            cache: CacheSettings { ttl, redis, simulated },
            origin: OriginModel { service_time, write_time, concurrency, queue, write_every: write_every.filter(|_| writes.is_none()) },
            // One key has no others.
            writes: writes.filter(|writes| keys_n > 1 || !matches!(writes.kind, Some(KeyKind::Hot { .. }))),
            budgets: Budgets { lock_wait: wait.min(budgets_for(&service_time).origin_read), ..longer(budgets_for(&service_time), more) },
            slots,
            warm: warm.then_some(if aged { Warm::BurstAged } else { Warm::BurstAll }),
            events: actions.into_iter().map(|action| ScenarioEvent { at: Duration::ZERO, action }).collect(),
            thresholds: vec![threshold],
        }
    }
}
