//! A connection to Redis that is made when it is first needed and made again after it was lost, by the next command. A dead
//! Redis costs each command one refused connection, and commands that come together share one attempt. (The client library's own
//! manager of connections takes no stream of ours, and its replies are not `BoundedReplies`.)

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use redis::aio::{AsyncPushSender, ConnectionLike, MultiplexedConnection, PubSub};
use redis::{
    AsyncConnectionConfig, Cmd, ConnectionInfo, Pipeline, ProtocolVersion, RedisConnectionInfo, RedisError,
    RedisFuture, RedisResult, Value,
};
use strategies::port::ConnectionLimits;
use tls::client::TlsClient;
use tokio::sync::OnceCell;
use tokio::task::AbortHandle;

use super::address::{AddressFlaw, RedisAddress};
use super::bounded::BoundedReplies;
use super::stream::RedisStream;

/// A connection, shared by its clones.
#[derive(Clone)]
pub(crate) struct RedisLink(Arc<Inner>);

struct Inner {
    info: ConnectionInfo,
    /// What encrypts its connections, where they are to be.
    tls: Option<TlsClient>,
    limits: ConnectionLimits,
    /// The connection or the error that the attempt ended with.
    attempt: Mutex<Attempt>,
}

type Attempt = Arc<OnceCell<RedisResult<LiveConnection>>>;

/// A connection and the task that drives it, which ends with it.
struct LiveConnection {
    connection: MultiplexedConnection,
    driver: Driver,
}

/// How long a connection on which changes are heard may keep a command waiting.
const SILENCE: Duration = Duration::from_secs(1);

/// The task that drives a connection, ended with this.
pub(super) struct Driver(AbortHandle);

impl Drop for Driver {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl RedisLink {
    /// To an address; nothing is connected yet.
    ///
    /// # Errors
    /// What of the address cannot be used.
    pub(crate) fn new(to: &RedisAddress, limits: ConnectionLimits) -> Result<Self, AddressFlaw> {
        let (info, tls) = to.read()?;
        Ok(Self(Arc::new(Inner { info, tls, limits, attempt: Mutex::default() })))
    }

    /// Another one to the same server; nothing is connected yet.
    pub(super) fn another(&self, limits: ConnectionLimits) -> Self {
        let Inner { info, tls, .. } = &*self.0;
        Self(Arc::new(Inner { info: info.clone(), tls: tls.clone(), limits, attempt: Mutex::default() }))
    }

    pub(super) fn info(&self) -> &ConnectionInfo {
        &self.0.info
    }

    pub(super) fn tls(&self) -> Option<&TlsClient> {
        self.0.tls.as_ref()
    }

    pub(super) fn limits(&self) -> ConnectionLimits {
        self.0.limits
    }

    /// A connection of its own that hears messages.
    pub(super) async fn listener(&self) -> RedisResult<PubSub> {
        let of = &*self.0;
        within(of.limits.connect, async { PubSub::new(of.info.redis_settings(), of.stream().await?).await }).await
    }

    /// A connection of its own under RESP3, whose pushes are handed over as they come, and the task that drives it: with that it ends.
    pub(super) async fn changes(&self, push: impl AsyncPushSender) -> RedisResult<(MultiplexedConnection, Driver)> {
        let of = &*self.0;
        // Beyond the time for which a command may wait for news.
        let config = AsyncConnectionConfig::new().set_response_timeout(Some(SILENCE)).set_push_sender(push);
        let settings = of.info.redis_settings().clone().set_protocol(ProtocolVersion::RESP3);
        let LiveConnection { connection, driver } = of.connect(&settings, config).await?;
        Ok((connection, driver))
    }

    /// Does something with the connection; one that it finds broken is not used again.
    async fn with<T>(&self, act: impl AsyncFnOnce(&mut MultiplexedConnection) -> RedisResult<T>) -> RedisResult<T> {
        let attempt = Arc::clone(&self.attempt());
        let connected = match attempt.get() {
            Some(connected) => connected,
            // In a box of its own: it is five times as large as a command's future, and seldom needed.
            None => Box::pin(attempt.get_or_init(|| self.0.usual())).await,
        };
        let said = match connected {
            Ok(LiveConnection { connection, .. }) => act(&mut connection.clone()).await,
            Err(error) => Err(error.clone()),
        };
        let broken = |error: &RedisError| error.is_unrecoverable_error() || error.is_connection_dropped();
        if connected.is_err() || said.as_ref().is_err_and(broken) {
            let mut current = self.attempt();
            if Arc::ptr_eq(&current, &attempt) {
                *current = Attempt::default();
            }
        }
        said
    }

    fn attempt(&self) -> std::sync::MutexGuard<'_, Attempt> {
        self.0.attempt.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ConnectionLike for RedisLink {
    fn req_packed_command<'a>(&'a mut self, command: &'a Cmd) -> RedisFuture<'a, Value> {
        Box::pin(self.with(async move |connection| connection.send_packed_command(command).await))
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        pipeline: &'a Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        Box::pin(self.with(async move |connection| connection.send_packed_commands(pipeline, offset, count).await))
    }

    fn get_db(&self) -> i64 {
        self.0.info.redis_settings().db()
    }
}

impl Inner {
    async fn stream(&self) -> RedisResult<BoundedReplies<RedisStream>> {
        Ok(BoundedReplies::new(RedisStream::open(self.info.addr(), self.tls.as_ref()).await?))
    }

    /// The connection that commands share.
    async fn usual(&self) -> RedisResult<LiveConnection> {
        let config = AsyncConnectionConfig::new().set_response_timeout(Some(self.limits.reply));
        self.connect(self.info.redis_settings(), config).await
    }

    async fn connect(
        &self,
        settings: &RedisConnectionInfo,
        config: AsyncConnectionConfig,
    ) -> RedisResult<LiveConnection> {
        within(self.limits.connect, async {
            let stream = self.stream().await?;
            let (connection, driver) = MultiplexedConnection::new_with_config(settings, stream, config).await?;
            Ok(LiveConnection { connection, driver: Driver(tokio::spawn(driver).abort_handle()) })
        })
        .await
    }
}

async fn within<T>(budget: Duration, work: impl Future<Output = RedisResult<T>>) -> RedisResult<T> {
    let late = || std::io::Error::new(std::io::ErrorKind::TimedOut, "no connection in time");
    tokio::time::timeout(budget, work).await.unwrap_or_else(|_| Err(late().into()))
}
