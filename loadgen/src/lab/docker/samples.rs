//! What the containers take of the machine, sampled once a second while a strategy runs.

use std::sync::{Arc, Mutex, PoisonError};

use app::process::runtime::RealClock;
use bollard::models::ContainerStatsResponse;
use futures_util::StreamExt;
use report::record::ContainerRow;
use strategies::port::Clock;
use strategies::time::Mono;
use tokio::task::JoinSet;

use super::engine::Engine;

/// Collects samples until it is asked for them, or dropped.
pub struct Sampler {
    samples: Arc<Mutex<Vec<(Mono, Sample)>>>,
    // Aborts its tasks when it is dropped.
    _tasks: JoinSet<()>,
}

/// One sample of one container: sums since its start, but for the memory.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Sample {
    container: String,
    cpu_ns: u64,
    memory_bytes: u64,
    received_bytes: u64,
    sent_bytes: u64,
    throttled_ns: u64,
}

impl Sampler {
    /// Samples every container of the project that there is now; a container that is started again is sampled on.
    ///
    /// # Errors
    /// The engine's words.
    pub async fn start(engine: &Engine, clock: RealClock) -> Result<Self, String> {
        let samples: Arc<Mutex<Vec<(Mono, Sample)>>> = Arc::default();
        let mut tasks = JoinSet::new();
        for container in engine.containers().await?.into_iter().filter(|c| c.service != "secrets") {
            let (engine, samples) = (engine.clone(), Arc::clone(&samples));
            tasks.spawn(async move {
                let mut stream = Box::pin(engine.stats(&container));
                while let Some(stats) = stream.next().await {
                    if let Some(sample) = sample(container.name(), &stats) {
                        samples.lock().unwrap_or_else(PoisonError::into_inner).push((clock.mono(), sample));
                    }
                }
            });
        }
        Ok(Self { samples, _tasks: tasks })
    }

    /// What was sampled, as rows on the time line that begins at `t0`.
    #[must_use]
    pub fn rows(self, t0: Mono) -> Vec<ContainerRow> {
        let samples = std::mem::take(&mut *self.samples.lock().unwrap_or_else(PoisonError::into_inner));
        rows(&samples, t0)
    }
}

/// `None` where the container does not run: its numbers are nought then, and no measurement.
fn sample(container: String, stats: &ContainerStatsResponse) -> Option<Sample> {
    let cpu = stats.cpu_stats.as_ref()?;
    let cpu_ns = cpu.cpu_usage.as_ref()?.total_usage.filter(|ns| *ns > 0)?;
    let memory = stats.memory_stats.as_ref();
    // The page cache is the kernel's and goes when somebody needs the room (`docker stats` leaves it out likewise).
    let cached =
        memory.and_then(|m| m.stats.as_ref()).and_then(|s| s.get("inactive_file").or(s.get("total_inactive_file")));
    let used = memory.and_then(|m| m.usage).unwrap_or(0);
    let networks = || stats.networks.iter().flat_map(|n| n.values());
    Some(Sample {
        container,
        cpu_ns,
        memory_bytes: used.saturating_sub(cached.copied().unwrap_or(0)),
        received_bytes: networks().filter_map(|n| n.rx_bytes).sum(),
        sent_bytes: networks().filter_map(|n| n.tx_bytes).sum(),
        throttled_ns: cpu.throttling_data.as_ref().and_then(|t| t.throttled_time).unwrap_or(0),
    })
}

/// Differences between each container's consecutive samples. A sum that went back is a new life, whose first sample has
/// nothing before it.
fn rows(samples: &[(Mono, Sample)], t0: Mono) -> Vec<ContainerRow> {
    let mut rows = Vec::new();
    for (index, (at, now)) in samples.iter().enumerate() {
        let before = samples[..index].iter().rev().find(|(_, s)| s.container == now.container);
        let Some((since, then)) = before.filter(|(_, then)| then.cpu_ns <= now.cpu_ns) else { continue };
        let elapsed_ns = at.0.saturating_sub(since.0).max(1);
        rows.push(ContainerRow {
            t_ns: i64::try_from(i128::from(at.0) - i128::from(t0.0)).unwrap_or(i64::MAX),
            container: now.container.clone(),
            cpu_cores: (now.cpu_ns - then.cpu_ns) as f64 / elapsed_ns as f64,
            memory_bytes: now.memory_bytes,
            received_bytes: now.received_bytes.saturating_sub(then.received_bytes),
            sent_bytes: now.sent_bytes.saturating_sub(then.sent_bytes),
            throttled_ms: now.throttled_ns.saturating_sub(then.throttled_ns) as f64 / 1e6,
        });
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_what_was_used_since_the_sample_before() {
        let sample = |container: &str, cpu_ns, bytes| Sample {
            container: container.into(),
            cpu_ns,
            memory_bytes: 7,
            received_bytes: bytes,
            sent_bytes: bytes * 2,
            throttled_ns: cpu_ns / 10,
        };
        let second = |n: u64| Mono(n * 1_000_000_000);
        let samples = [
            (second(10), sample("app-1", 1_000_000_000, 100)),
            (second(10), sample("redis-1", 5, 0)),
            (second(11), sample("app-1", 1_500_000_000, 150)),
            // A new life: nothing before it to compare with.
            (second(12), sample("app-1", 100, 0)),
            (second(14), sample("app-1", 1_000_000_100, 10)),
        ];
        let rows = rows(&samples, second(11));
        let row = |t_ns, cpu_cores, received_bytes, throttled_ms| ContainerRow {
            t_ns,
            container: "app-1".into(),
            cpu_cores,
            memory_bytes: 7,
            received_bytes,
            sent_bytes: received_bytes * 2,
            throttled_ms,
        };
        assert_eq!(rows, [row(0, 0.5, 50, 50.0), row(3_000_000_000, 0.5, 10, 100.0)]);
    }
}
