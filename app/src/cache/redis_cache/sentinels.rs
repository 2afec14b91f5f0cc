//! Where a primary is that Sentinels watch: each connection begins with that question, as their guidelines for clients say
//! (redis.io/docs/latest/develop/reference/sentinel-clients).

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{
    AsyncConnectionConfig, ConnectionAddr, ConnectionInfo, ErrorKind, RedisConnectionInfo, RedisError, RedisResult,
};

use super::bounded::BoundedReplies;
use super::driver::{Driver, within};
use super::stream::RedisStream;

/// How long one Sentinel may take to answer: there are others.
const ANSWER_BUDGET: Duration = Duration::from_millis(40);

/// The Sentinels of a primary. They are asked without a password.
pub(super) struct Sentinels {
    addresses: Vec<ConnectionAddr>,
    name: String,
    /// Which of them is asked first: the one that answered last.
    first: AtomicUsize,
}

impl Sentinels {
    pub(super) fn new(of: &[ConnectionInfo], name: &str) -> Self {
        let addresses = of.iter().map(|info| info.addr().clone()).collect();
        Self { addresses, name: name.to_owned(), first: AtomicUsize::new(0) }
    }

    /// Where the primary is, by the first that knows it.
    pub(super) async fn primary(&self) -> RedisResult<ConnectionAddr> {
        let (first, count) = (self.first.load(Relaxed), self.addresses.len());
        let mut last: RedisError = (ErrorKind::EmptySentinelList, "there is no Sentinel").into();
        for at in (first..first + count).map(|at| at % count) {
            match within(ANSWER_BUDGET, "no answer of a Sentinel in time", self.ask(&self.addresses[at])).await {
                Ok(Some((host, port))) => {
                    self.first.store(at, Relaxed);
                    return Ok(ConnectionAddr::Tcp(host, port));
                }
                Ok(None) => {
                    let detail = format!("the Sentinels watch no primary of that name: {}", self.name);
                    last = (ErrorKind::MasterNameNotFoundBySentinel, "unknown", detail).into();
                }
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    async fn ask(&self, address: &ConnectionAddr) -> RedisResult<Option<(String, u16)>> {
        let stream = BoundedReplies::new(RedisStream::open(address, None).await?);
        let (settings, config) = (RedisConnectionInfo::default(), AsyncConnectionConfig::new());
        let (mut connection, driver) = MultiplexedConnection::new_with_config(&settings, stream, config).await?;
        let _driver = Driver::spawn(driver);
        redis::cmd("SENTINEL").arg("GET-MASTER-ADDR-BY-NAME").arg(&self.name).query_async(&mut connection).await
    }
}

/// Refuses a server that does not lead: the Sentinels named it a moment too early, or too late.
pub(super) async fn check_leads(connection: &mut MultiplexedConnection) -> RedisResult<()> {
    let role: Vec<redis::Value> = redis::cmd("ROLE").query_async(connection).await?;
    let role: String = role.into_iter().next().map(redis::from_redis_value).transpose()?.unwrap_or_default();
    if role == "master" {
        return Ok(());
    }
    Err(std::io::Error::other("the server that the Sentinels name does not lead").into())
}
