//! What commands cost a real server: its own processor time, for a command and for the bytes that it carries.

use std::time::{Duration, Instant};

use strategies::port::ConnectionLimits;

use super::address::RedisAddress;
use super::error::sentence;
use super::link::RedisLink;

/// Commands that are on their way at a time: as many as a server finds waiting that has much to do.
const AT_ONCE: usize = 16;
/// A reply is the largest of these.
const LARGE_BYTES: usize = 64 << 10;
const SMALL: &str = "lab:selftest:small";
const LARGE: &str = "lab:selftest:large";
const LIFE_S: u64 = 60;
const MIB: f64 = (1 << 20) as f64;

/// What they cost.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ServerCosts {
    /// Processor time of the server's main thread for a GET of one byte.
    pub command: Duration,
    /// The same for each MiB that a GET of 64 KiB carries besides.
    pub per_mib: Duration,
    /// MiB a second that came over one connection meanwhile: a loopback's, or a network's.
    pub mib_per_s: f64,
}

/// Asks a server for `reads` small values and `large` large ones, and says what it cost. Two keys, which are removed again.
///
/// # Errors
/// A sentence: what the server said, or that it does not tell its own processor time.
pub async fn server_costs(to: impl Into<RedisAddress>, reads: usize, large: usize) -> Result<ServerCosts, String> {
    let patience = Duration::from_secs(5);
    let limits = ConnectionLimits { connect: patience, reply: patience };
    let mut link = RedisLink::new(&to.into(), limits).map_err(|flaw| flaw.to_string())?;
    let mut both = redis::pipe();
    both.set_ex(SMALL, "1", LIFE_S).ignore().set_ex(LARGE, vec![b'x'; LARGE_BYTES], LIFE_S).ignore();
    both.query_async::<()>(&mut link).await.map_err(|e| sentence(&e))?;
    let before = cpu(&mut link).await?;
    read(&mut link, SMALL, reads).await?;
    let between = cpu(&mut link).await?;
    let begun = Instant::now();
    read(&mut link, LARGE, large).await?;
    let took = begun.elapsed();
    let after = cpu(&mut link).await?;
    let remove = redis::cmd("DEL").arg(SMALL).arg(LARGE).to_owned();
    remove.query_async::<u64>(&mut link).await.map_err(|e| sentence(&e))?;
    let mib = (large * LARGE_BYTES) as f64 / MIB;
    let command = (between - before).max(0.0) / reads as f64;
    let per_mib = ((after - between) - command * large as f64).max(0.0) / mib;
    let seconds = Duration::from_secs_f64;
    Ok(ServerCosts { command: seconds(command), per_mib: seconds(per_mib), mib_per_s: mib / took.as_secs_f64() })
}

async fn read(link: &mut RedisLink, key: &str, times: usize) -> Result<(), String> {
    let mut pipeline = redis::pipe();
    (0..AT_ONCE).for_each(|_| _ = pipeline.get(key).ignore());
    for _ in 0..times.div_ceil(AT_ONCE) {
        pipeline.query_async::<()>(link).await.map_err(|e| sentence(&e))?;
    }
    Ok(())
}

/// Processor seconds of the server's main thread so far.
async fn cpu(link: &mut RedisLink) -> Result<f64, String> {
    let ask = redis::cmd("INFO").arg("cpu").to_owned();
    let said: String = ask.query_async(link).await.map_err(|e| sentence(&e))?;
    let of = |name: &str| {
        said.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')?.trim().parse::<f64>().ok())
    };
    let (user, system) = (of("used_cpu_user_main_thread"), of("used_cpu_sys_main_thread"));
    let both = user.zip(system).map(|(user, system)| user + system);
    both.ok_or_else(|| "INFO does not tell the main thread's processor time: Redis 6.2 or later does".to_owned())
}
