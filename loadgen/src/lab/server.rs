//! What the cache's server does of its own, sampled ten times a second while a strategy runs. A server that does not answer, or may not be
//! asked, leaves no rows: a run is never worse for that.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use app::cache::redis_cache::{RedisAddress, ServerSample, ServerWatch};
use app::process::runtime::RealClock;
use app::wire::control_client::ControlClient;
use report::record::ServerRow;
use strategies::port::Clock;
use strategies::time::Mono;
use tokio::task::JoinSet;

/// How often it is asked.
const EVERY: Duration = Duration::from_millis(100);
/// Samples at most: two days of them would be a million more than a page can show.
const SAMPLES_MAX: usize = 2_000_000;

type Samples = Arc<Mutex<Vec<ServerRow>>>;

/// Samples until it is asked for its rows, or dropped.
pub(super) struct ServerSampler {
    rows: Samples,
    // Aborts its task when it is dropped.
    _task: JoinSet<()>,
}

/// How a server is asked.
pub(super) enum AskedServer {
    /// By the generator.
    Itself(RedisAddress),
    /// By the proxy before it.
    ByProxy(ControlClient),
}

enum Asking {
    Itself(Box<ServerWatch>),
    ByProxy(ControlClient),
}

impl Asking {
    async fn ask(&mut self) -> Result<ServerSample, String> {
        match self {
            Self::Itself(watch) => watch.ask().await,
            Self::ByProxy(proxy) => proxy.get("/server").await.map_err(|error| error.to_string()),
        }
    }
}

impl ServerSampler {
    /// Samples a server; `None` where its address cannot be used.
    #[must_use]
    pub(super) fn start(server: AskedServer, clock: RealClock) -> Option<Self> {
        let mut watch = match server {
            AskedServer::Itself(at) => Asking::Itself(Box::new(ServerWatch::new(at).ok()?)),
            AskedServer::ByProxy(proxy) => Asking::ByProxy(proxy),
        };
        let rows = Samples::default();
        let (mut task, into) = (JoinSet::new(), Arc::clone(&rows));
        task.spawn(async move {
            let mut every = tokio::time::interval(EVERY);
            every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
            let mut before: Option<(ServerSample, Active)> = None;
            loop {
                every.tick().await;
                let Ok(now) = watch.ask().await else { continue };
                let (row, active) = row(before.as_ref(), &now, clock.mono());
                before = Some((now, active));
                let mut rows = into.lock().unwrap_or_else(PoisonError::into_inner);
                if rows.len() < SAMPLES_MAX {
                    rows.push(row);
                }
            }
        });
        Some(Self { rows, _task: task })
    }

    /// What was sampled, on the time line that begins at `t0`.
    #[must_use]
    pub(super) fn rows(self, t0: Mono) -> Vec<ServerRow> {
        let mut rows = std::mem::take(&mut *self.rows.lock().unwrap_or_else(PoisonError::into_inner));
        let t0 = i64::try_from(t0.0).unwrap_or(i64::MAX);
        rows.iter_mut().for_each(|row| row.t_ns -= t0);
        rows
    }
}

/// What went on since the sample before.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Active {
    evicting: bool,
    expiring: bool,
}

/// A row of a sample and the one before it. The first has no news: whoever asks may have asked before, and what it tells is older.
fn row(before: Option<&(ServerSample, Active)>, now: &ServerSample, at: Mono) -> (ServerRow, Active) {
    let (then, was) = before.map_or((now, Active::default()), |(then, was)| (then, *was));
    // A count that went back is a server's new life.
    let since = |count: fn(&ServerSample) -> u64| count(now).saturating_sub(count(then));
    let maybe = |count: fn(&ServerSample) -> Option<u64>| Some(count(now)?.saturating_sub(count(then)?));
    let (evicted, expired) = (since(|s| s.evicted), since(|s| s.expired));
    let slow = now.slow.map(|slow| if before.is_some() { slow } else { (0, 0) });
    let events = now.events.iter().flatten().filter(|_| before.is_some());
    let active = Active { evicting: evicted > 0, expiring: expired > 0 };
    let mut marks: Vec<String> = Vec::new();
    let forks = maybe(|s| s.forks);
    let forked = forks.map_or(now.fork_us != then.fork_us, |forks| forks > 0);
    let mut mark = |name: &str, count: u64| marks.extend((0..count.min(9)).map(|_| name.to_owned()));
    mark("fork", u64::from(forked));
    let (begun, ended) = turns(maybe(|s| s.rewrites), then.rewriting, now.rewriting);
    mark("rewrite-begin", begun);
    mark("rewrite-end", ended);
    let (begun, ended) = turns(maybe(|s| s.saves), then.saving, now.saving);
    mark("save-begin", begun);
    mark("save-end", ended);
    mark("evictions", u64::from(active.evicting && !was.evicting));
    mark("expiries", u64::from(active.expiring && !was.expiring));
    mark("slow", u64::from(slow.is_some_and(|(count, _)| count > 0)));
    marks.extend(events.map(|(event, ms)| format!("latency:{event}={ms}")));
    let row = ServerRow {
        t_ns: i64::try_from(at.0).unwrap_or(i64::MAX),
        used_bytes: now.used_bytes,
        rss_bytes: now.rss_bytes,
        keys: now.keys,
        commands: since(|s| s.commands),
        hits: since(|s| s.hits),
        misses: since(|s| s.misses),
        evicted,
        expired,
        forks,
        fork_ms: now.fork_us.map(|us| us as f64 / 1e3),
        saving: now.saving.into(),
        rewriting: now.rewriting.into(),
        aof_bytes: now.aof_bytes,
        delayed_fsyncs: maybe(|s| s.delayed_fsyncs),
        slow_commands: slow.map(|(count, _)| count),
        slow_ms: slow.filter(|(count, _)| *count > 0).map(|(_, us)| us as f64 / 1e3),
        marks: marks.join(" "),
    };
    (row, active)
}

/// How often something began and ended between two samples: by the server's count of its beginnings, or, where it keeps none, by what is
/// seen. What began and ended in between is both.
fn turns(begun: Option<u64>, then: bool, now: bool) -> (u64, u64) {
    let begun = begun.unwrap_or(0).max(u64::from(now && !then));
    (begun, (u64::from(then) + begun).saturating_sub(now.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_begins_and_ends_between_two_samples_is_seen_by_its_count() {
        for (begun, then, now, expected) in [
            (Some(0), false, false, (0, 0)),
            (Some(1), false, true, (1, 0)),
            (Some(0), true, true, (0, 0)),
            (Some(0), true, false, (0, 1)),
            (Some(1), false, false, (1, 1)),
            (Some(1), true, true, (1, 1)),
            (None, false, true, (1, 0)),
            (None, true, false, (0, 1)),
            (None, false, false, (0, 0)),
        ] {
            assert_eq!(turns(begun, then, now), expected, "{begun:?} {then} {now}");
        }
    }

    #[test]
    fn a_row_has_what_was_added_and_marks_what_began() {
        let sample = |evicted, forks, rewriting| ServerSample {
            evicted,
            forks: Some(forks),
            fork_us: Some(1500),
            rewriting,
            rewrites: Some(forks),
            ..ServerSample::default()
        };
        let (first, active) = row(None, &sample(5, 0, false), Mono(1));
        assert_eq!((first.evicted, first.marks.as_str()), (0, ""));
        let before = (sample(5, 0, false), active);
        let mut now = sample(9, 1, true);
        now.events = Some(vec![("fork".into(), 12)]);
        let (second, active) = row(Some(&before), &now, Mono(2));
        assert_eq!((second.evicted, second.forks, second.fork_ms), (4, Some(1), Some(1.5)));
        assert_eq!(second.marks, "fork rewrite-begin evictions latency:fork=12");
        let (third, _) = row(Some(&(sample(9, 1, true), active)), &sample(12, 1, false), Mono(3));
        assert_eq!((third.evicted, third.marks.as_str()), (3, "rewrite-end"), "they go on");
    }
}
