//! The figures that tables show: one row each, for the table at the end of a run, its Markdown and the page. A new one is its row here.

use super::columns::{Cell, FigureRow, FigureUnit, Group, Shown, figure};
use crate::record::Strategy;
use crate::text::phrases::{self, UNKNOWN};

/// Every figure, in the order of the table at the end of a run.
pub(crate) const FIGURES: [FigureRow; 42] = [
    figure("requests", None, |s| count(Some(s.requests), "")).head("", "sent"),
    figure("origin.total", Some(FigureUnit::Count), origin_total).only(Shown::Items).head("origin", "reads").page(
        Group::Origin,
        "total",
        "reads that reached the origin, and as a multiple of the floor",
    ),
    figure("times_floor", None, |s| {
        let times = phrases::times_floor(s);
        number(times, times.map(|times| format!("{times:.1}×")))
    })
    .only(Shown::Items)
    .head("times", "floor"),
    figure("origin.max_per_second", Some(FigureUnit::Count), |s| {
        count(s.origin.as_ref().map(|origin| origin.max_per_second), "")
    })
    .only(Shown::Items)
    .head("max", "/s")
    .page(Group::Origin, "peak/s", "the most reads in any one second"),
    figure("origin.per_expiry.mean", Some(FigureUnit::Rate), per_expiry).only(Shown::HotKey).head("reads/", "expiry").page(
        Group::Origin,
        "per expiry",
        "mean reads of the hot key at each expiry, and what theory predicts",
    ),
    figure("predicted.per_expiry", None, |s| one_decimal(s.predicted.as_ref().map(|predicted| predicted.per_expiry)))
        .only(Shown::Theory)
        .head("by", "theory"),
    figure("latency_ms.p50", Some(FigureUnit::Time), |s| time(s.latency_ms.p50)).head("p50", "ms").page(
        Group::Time,
        "p50",
        "median response time, from the planned send",
    ),
    figure("latency_ms.p99", Some(FigureUnit::Time), p99)
        .compared(|s| phrases::carries(s, 0.99))
        .head("p99", "ms")
        .page(
            Group::Time,
            "p99",
            "99th percentile; in an open loop with that of service time, from the actual send",
        ),
    figure("latency_ms.p99_9", Some(FigureUnit::Time), |s| time(s.latency_ms.p99_9))
        .compared(|s| phrases::carries(s, 0.999))
        .page(Group::Time, "p99.9", "99.9th percentile"),
    figure("latency_ms.max", None, |s| time(s.latency_ms.max)).page(Group::Time, "max", "the slowest request"),
    figure("waiting_share", Some(FigureUnit::Share), waited).only(Shown::Items).head("", "waited").page(
        Group::Requests,
        "waited",
        "share that waited for an origin read (outcomes wait and load), and how many waited in one replica at once, a slot's queue \
         included",
    ),
    figure("stale.share", Some(FigureUnit::Share), stale).only(Shown::Items).head("past", "TTL").page(
        Group::Requests,
        "past TTL",
        "share answered with a value past its TTL, and the largest age past it",
    ),
    figure("levels.near_share", None, |s| {
        let part = s.levels.as_ref().and_then(|levels| levels.near_share);
        number(part, part.map(|part| phrases::share(Some(part))))
    })
    .only(Shown::Levels)
    .head("", "near")
    .page(Group::Levels, "answered near", "share of the requests that a copy in the replica's process answered"),
    figure("levels.shared_reads_per_s", Some(FigureUnit::Rate), |s| {
        let levels = s.levels.as_ref();
        let theory = levels.and_then(|levels| levels.shared_reads_by_theory);
        let under = theory.map(|reads| format!("theory {reads:.1}")).unwrap_or_default();
        Cell { under, ..one_decimal(levels.and_then(|levels| levels.shared_reads_per_s)) }
    })
    .only(Shown::Levels)
    .head("shared", "reads/s")
    .page(
        Group::Levels,
        "shared reads/s",
        "reads of the shared cache a second, by all replicas, and what theory predicts of them",
    ),
    figure("levels.lost", None, |s| {
        let levels = s.levels.as_ref();
        let flushed = levels.and_then(|levels| levels.flushed);
        let under = flushed.map(|times| format!("{times} flushes")).unwrap_or_default();
        count(levels.and_then(|levels| levels.lost), &under)
    })
    .only(Shown::Told)
    .head("changes", "lost")
    .page(
        Group::Levels,
        "changes lost",
        "changes that were told and not heard, summed over the replicas; and how often one threw away all of its copies",
    ),
    figure("pool.waited_share", Some(FigureUnit::Share), pool_waited).only(Shown::Pool).head("pool", "waited").page(
        Group::Pool,
        "waited",
        "share of the requests that had to wait for a connection to the shared cache, and what theory predicts of it (Erlang’s C)",
    ),
    figure("pool.wait_ms.p99", Some(FigureUnit::Time), pool_wait)
        .alarm(|s| s.pool.as_ref().is_some_and(|pool| pool.gave_up.is_some_and(|gave_up| gave_up > 0)))
        .only(Shown::Pool)
        .head("pool p99", "ms")
        .page(
            Group::Pool,
            "wait p99, ms",
            "99th percentile of how long requests waited for connections, what theory predicts of it, and operations that waited in vain",
        ),
    figure("traffic.read_per_request", Some(FigureUnit::Rate), |s| {
        let written = s.traffic.as_ref().and_then(|traffic| traffic.written_per_request);
        let under = written.map(|bytes| format!("{} written", phrases::bytes(bytes))).unwrap_or_default();
        let read = s.traffic.as_ref().and_then(|traffic| traffic.read_per_request);
        Cell { under, ..number(read, read.map(phrases::bytes)) }
    })
    .only(Shown::Traffic)
    .head("bytes/", "request")
    .page(
        Group::Traffic,
        "read a request",
        "bytes of entries that came from the shared cache for each request, as they lie there, and those that went to it",
    ),
    figure("traffic.commands_per_request", Some(FigureUnit::Rate), |s| {
        one_decimal(s.traffic.as_ref().and_then(|traffic| traffic.commands_per_request))
    })
    .only(Shown::Traffic)
    .head("commands/", "request")
    .page(Group::Traffic, "commands", "commands on entries that a request sent to the shared cache"),
    figure("traffic.round_trips_per_request", Some(FigureUnit::Rate), |s| {
        one_decimal(s.traffic.as_ref().and_then(|traffic| traffic.round_trips_per_request))
    })
    .only(Shown::Pages)
    .head("round trips/", "request")
    .page(
        Group::Traffic,
        "round trips",
        "round trips to the shared cache that a request for several items waited for, one after the other",
    ),
    figure("traffic.torn", Some(FigureUnit::Count), |s| {
        count(s.traffic.as_ref().and_then(|traffic| traffic.torn), "")
    })
    .only(Shown::Parts)
    .head("torn", "reads")
    .page(Group::Traffic, "torn reads", "reads that found parts of an item of different versions; they count as misses"),
    figure("shards.fullest_share", Some(FigureUnit::Share), |s| {
        let shards = s.shards.as_ref();
        let under = shards.map(|of| format!("of {}", of.primaries + of.replicas)).unwrap_or_default();
        let share = shards.and_then(|of| of.fullest_share);
        Cell { under, ..number(share, share.map(|share| phrases::share(Some(share)))) }
    })
    .only(Shown::Shards)
    .head("fullest", "node")
    .page(
        Group::Shards,
        "fullest node",
        "share of the cluster's commands that the busiest of its primaries carried out, and how many primaries there were",
    ),
    figure("shards.moved", Some(FigureUnit::Count), |s| {
        let moved = s.shards.as_ref().map(|of| of.moved);
        let under = s.shards.as_ref().filter(|of| of.ask + of.try_again > 0);
        let under = under.map(|of| format!("{} ASK, {} TRYAGAIN", of.ask, of.try_again)).unwrap_or_default();
        Cell { under, ..count(moved, "") }
    })
    .only(Shown::Shards)
    .head("", "MOVED")
    .page(
        Group::Shards,
        "MOVED",
        "how often the nodes sent a client to another node (MOVED), and where slots were on their way ASK and TRYAGAIN, by their own word",
    ),
    figure("takeovers.took_ms_max", Some(FigureUnit::Time), |s| {
        let took = s.takeovers.as_ref().map(|of| of.took_ms_max);
        let under = s.takeovers.as_ref().and_then(|of| of.ask_share).filter(|share| *share > 0.0);
        Cell { under: under.map(|share| format!("{} ASK", phrases::share(Some(share)))).unwrap_or_default(), ..time(took) }
    })
    .only(Shown::Takeovers)
    .head("taken", "over ms")
    .page(
        Group::Shards,
        "taken over, ms",
        "how long it took until another server had the place of the one that was lost, or the slots that moved; and the share of commands that ASK sent elsewhere meanwhile",
    ),
    figure("takeovers.led", Some(FigureUnit::Count), |s| count(s.takeovers.as_ref().map(|of| of.led), ""))
        .only(Shown::Takeovers)
        .head("reads", "in it")
        .page(Group::Shards, "reads in it", "reads of the origin that were begun meanwhile, and within a second after it"),
    figure("takeovers.led_twice", Some(FigureUnit::Count), |s| count(s.takeovers.as_ref().map(|of| of.led_twice), ""))
        .only(Shown::Takeovers)
        .head("led", "twice")
        .page(
            Group::Shards,
            "led twice",
            "of these those that began while another replica read the same item, neither for want of the cache: a lock was held twice, where there is one",
        ),
    figure("takeovers.puts_lost", Some(FigureUnit::Count), |s| count(s.takeovers.as_ref().map(|of| of.puts_lost), ""))
        .only(Shown::Takeovers)
        .head("puts", "lost")
        .page(
            Group::Shards,
            "puts lost",
            "entries that the cache had acknowledged before and that were looked for afterwards in vain while they should have been fresh",
        ),
    figure("behind.share", Some(FigureUnit::Share), behind).only(Shown::Writes).head("behind", "commit").page(
        Group::Writes,
        "behind a commit",
        "share of the answers that were old by the origin's own word when they were asked for, and the oldest of them",
    ),
    figure("behind.wrong_ms_max", Some(FigureUnit::Time), |s| {
        time(s.behind.as_ref().and_then(|behind| behind.wrong_ms_max))
    })
    .only(Shown::Writes)
    .head("wrong", "ms max")
    .page(Group::Writes, "longest wrong, ms", "the longest time for which all answers for a key were behind a commit"),
    figure("writes.wrong_sets", Some(FigureUnit::Count), |s| count(s.writes.as_ref().map(|w| w.wrong_sets), ""))
        .only(Shown::Writes)
        .head("wrong", "sets")
        .page(Group::Writes, "wrong sets", "puts of an older version than the cache had been told of"),
    figure("writes.sent", None, writes).only(Shown::Writes).alarm(|s| s.writes.as_ref().is_some_and(|w| w.keys_left_wrong > 0)).page(
        Group::Writes,
        "writes",
        "writes acknowledged, those that failed or are unknown, and keys of which the cache could not be told",
    ),
    figure("counters.immortal_at_end", Some(FigureUnit::Count), immortal)
        .only(Shown::Counters)
        .alarm(|s| s.counters.as_ref().is_some_and(|c| c.immortal_at_end.is_some_and(|keys| keys > 0)))
        .head("immortal", "keys")
        .page(Group::Counters, "immortal keys", "counters that had no end when the load ended: until they are removed or repaired they begin no new window"),
    figure("counters.lost", Some(FigureUnit::Count), lost)
        .only(Shown::Counters)
        .alarm(|s| s.counters.as_ref().is_some_and(|c| c.lost.is_some_and(|lost| lost > 0)))
        .head("lost", "counts")
        .page(Group::Counters, "lost", "increments that were acknowledged and that no window counts, and of how many, in the whole run with its warm-up"),
    figure("counters.resets", Some(FigureUnit::Count), |s| count(s.counters.as_ref().and_then(|c| c.resets), ""))
        .only(Shown::Counters)
        .head("", "resets")
        .page(Group::Counters, "resets", "times that a count began anew inside its window, in the whole run"),
    figure("counters.begun_max_per_second", Some(FigureUnit::Count), |s| {
        count(s.counters.as_ref().and_then(|c| c.begun_max_per_second), "")
    })
    .only(Shown::Counters)
    .head("begun", "max /s")
    .page(Group::Counters, "begun, peak/s", "the most windows that began in one second, each key's first left out"),
    figure("counters.above_limit", Some(FigureUnit::Count), above_limit)
        .only(Shown::Limited)
        .alarm(|s| s.counters.as_ref().is_some_and(|c| c.above_limit.is_some_and(|above| above > 0)))
        .head("above", "limit")
        .page(Group::Counters, "above the limit", "requests let through beyond the limit of their window, and of how many let through, in the whole run"),
    figure("failed_share", Some(FigureUnit::Share), failed).alarm(|s| s.errors > 0).head("", "failed").page(
        Group::Requests,
        "failed",
        "share of the requests without a good answer, those shed included, and how many of how many; the verdict says why",
    ),
    // Said only where it is another thing than `well after`.
    figure("recovery.recovered_after_s", None, |s| {
        number(s.recovery.and_then(|r| r.recovered_after_s), s.recovery.map(phrases::recovered_after))
    })
    .only(Shown::TwoRules)
    .alarm(|s| s.recovery.is_some_and(|recovery| recovery.recovered == Some(false)))
    .head("recovered", "after")
    .page(
        Group::Faults,
        "recovered after",
        "from the end of the last event until requests were answered as before it: docs/metastable.md",
    ),
    figure("recovery.troubled_s", None, |s| {
        let troubled = s.recovery.map(|r| r.troubled_s);
        number(troubled.map(|s| s as f64), troubled.map(|s| format!("{s} s")))
    })
    .only(Shown::Faults)
    .head("in", "trouble")
    .page(
        Group::Faults,
        "in trouble",
        "seconds from the first event on in which a request failed or waited too long: docs/faults.md",
    ),
    figure("recovery.after_s", None, |s| {
        number(s.recovery.and_then(|r| r.after_s), s.recovery.map(phrases::well_after))
    })
    .only(Shown::Faults)
    .head("well", "after")
    .page(
        Group::Faults,
        "well after",
        "from the end of the last event until no request failed or waited too long any more: docs/faults.md",
    ),
    figure("valid", None, |s| number(None, Some(if s.valid { "yes" } else { "INVALID" }.to_owned()))).head("", "valid"),
    figure("cache_ops_per_request", Some(FigureUnit::Rate), |s| {
        let ops = s.cache_ops_per_request;
        number(ops, ops.map(|ops| format!("{ops:.2}")))
    })
    .page(Group::Cache, "a request", "cache operations of all replicas, a request"),
];

fn origin_total(s: &Strategy) -> Cell {
    let total = s.origin.as_ref().map(|origin| origin.total);
    let floor = s.origin.as_ref().and_then(|origin| origin.floor);
    let under = match (phrases::times_floor(s), floor) {
        (Some(times), Some(floor)) => format!("{times:.1}× floor of {floor}"),
        (None, Some(floor)) => format!("floor {floor}"),
        _ if total.is_some() => "no floor".to_owned(),
        _ => String::new(),
    };
    count(total, &under)
}

fn per_expiry(s: &Strategy) -> Cell {
    let mean = s.origin.as_ref().and_then(|origin| Some(origin.per_expiry.as_ref()?.mean));
    let theory = s.predicted.as_ref().map(|p| format!("theory {:.1}", p.per_expiry));
    Cell { under: theory.unwrap_or_default(), ..one_decimal(mean) }
}

fn p99(s: &Strategy) -> Cell {
    let service = s.service_ms.p99.zip(s.latency_ms.p99).filter(|(one, two)| FigureUnit::Time.differ(*one, *two));
    let under = service.map_or_else(String::new, |(service, _)| format!("service {}", phrases::ms(Some(service))));
    Cell { under, ..time(s.latency_ms.p99) }
}

fn waited(s: &Strategy) -> Cell {
    let most = s.peak_waiters.filter(|most| *most > 0);
    share(phrases::waiting_share(s), most.map_or_else(String::new, |most| format!("≤ {most} at once")))
}

fn stale(s: &Strategy) -> Cell {
    let known = s.outcomes.unknown == 0;
    let age = s.stale.overage_ms_max.filter(|age| known && *age > 0);
    let under = age.map_or_else(String::new, |ms| format!("≤ {} old", phrases::age(ms)));
    share(s.stale.share.filter(|_| known), under)
}

fn pool_waited(s: &Strategy) -> Cell {
    let pool = s.pool.as_ref();
    let theory = pool.and_then(|pool| pool.waited_share_by_theory);
    let under = theory.map(|waits| format!("theory {}", phrases::share(Some(waits)))).unwrap_or_default();
    share(pool.and_then(|pool| pool.waited_share), under)
}

fn pool_wait(s: &Strategy) -> Cell {
    let pool = s.pool.as_ref();
    let theory = pool.and_then(|pool| pool.wait_p99_ms_by_theory);
    let in_vain = pool.and_then(|pool| pool.gave_up).filter(|gave_up| *gave_up > 0);
    let under = [
        theory.map(|ms| format!("theory {}", phrases::ms(Some(ms)))),
        in_vain.map(|operations| format!("{operations} in vain")),
    ];
    let under: Vec<String> = under.into_iter().flatten().collect();
    Cell { under: under.join(", "), ..time(pool.and_then(|pool| pool.wait_ms.p99)) }
}

fn behind(s: &Strategy) -> Cell {
    let oldest = s.behind.as_ref().and_then(|behind| behind.age_ms.max);
    let under = oldest.map_or_else(String::new, |ms| format!("≤ {} old", phrases::age(ms.ceil() as u64)));
    share(s.behind.as_ref().and_then(|behind| behind.share), under)
}

fn writes(s: &Strategy) -> Cell {
    let Some(writes) = &s.writes else { return count(None, "") };
    let mut under = Vec::new();
    for (number, what) in
        [(writes.failed, "failed"), (writes.unknown, "unknown"), (writes.keys_left_wrong, "keys left wrong")]
    {
        under.extend((number > 0).then(|| format!("{number} {what}")));
    }
    count(Some(writes.acknowledged), &under.join(", "))
}

fn immortal(s: &Strategy) -> Cell {
    let most = s.counters.as_ref().and_then(|c| c.immortal_max.filter(|most| Some(*most) != c.immortal_at_end));
    let under = most.map_or_else(String::new, |most| format!("≤ {most} at a time"));
    count(s.counters.as_ref().and_then(|c| c.immortal_at_end), &under)
}

fn lost(s: &Strategy) -> Cell {
    let Some(counters) = &s.counters else { return count(None, "") };
    let mut under = vec![format!("of {}", counters.acknowledged)];
    under.extend(counters.extra.filter(|extra| *extra > 0).map(|extra| format!("{extra} extra")));
    under.extend((counters.unknown > 0).then(|| format!("{} unknown", counters.unknown)));
    count(counters.lost, &under.join(", "))
}

fn above_limit(s: &Strategy) -> Cell {
    let counters = s.counters.as_ref();
    let through = counters.and_then(|c| c.let_through);
    count(counters.and_then(|c| c.above_limit), &through.map_or_else(String::new, |through| format!("of {through}")))
}

fn failed(s: &Strategy) -> Cell {
    let (all, failed) = (s.outcomes.sum(), s.outcomes.error + s.outcomes.shed);
    share((all > 0).then(|| phrases::failed_share(s)), format!("{failed} of {}", s.requests))
}

fn number(exact: Option<f64>, text: Option<String>) -> Cell {
    Cell { exact, text: text.unwrap_or_else(|| UNKNOWN.to_owned()), under: String::new() }
}

fn count(value: Option<u64>, under: &str) -> Cell {
    Cell { under: under.to_owned(), ..number(value.map(|v| v as f64), value.map(|v| v.to_string())) }
}

fn time(value: Option<f64>) -> Cell {
    number(value, Some(phrases::ms(value)))
}

fn share(value: Option<f64>, under: String) -> Cell {
    Cell { under, ..number(value, Some(phrases::share(value))) }
}

fn one_decimal(value: Option<f64>) -> Cell {
    number(value, value.map(|value| format!("{value:.1}")))
}
