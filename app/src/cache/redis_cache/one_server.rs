//! One server, and the connection to it that commands share: made when it is first needed and made again after it was lost, by the next
//! command. A dead Redis costs each command one refused connection, and commands that come together share one attempt. (The client
//! library's own manager of connections takes no stream of ours, and its replies are not `BoundedReplies`.)

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use redis::aio::{AsyncPushSender, MultiplexedConnection, PubSub};
use redis::{AsyncConnectionConfig, ConnectionInfo, ProtocolVersion, RedisConnectionInfo, RedisError, RedisResult};
use strategies::port::ConnectionLimits;
use tls::client::TlsClient;
use tokio::sync::OnceCell;
use tokio::task::AbortHandle;

use super::bounded::BoundedReplies;
use super::stream::RedisStream;

/// One server, and the connection to it that commands share.
pub(super) struct OneServer {
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

impl Driver {
    pub(super) fn spawn(driver: impl Future<Output = ()> + Send + 'static) -> Self {
        Self(tokio::spawn(driver).abort_handle())
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl OneServer {
    pub(super) fn info(&self) -> &ConnectionInfo {
        &self.info
    }

    pub(super) fn tls(&self) -> Option<&TlsClient> {
        self.tls.as_ref()
    }

    pub(super) fn limits(&self) -> ConnectionLimits {
        self.limits
    }

    pub(super) fn new((info, tls): (ConnectionInfo, Option<TlsClient>), limits: ConnectionLimits) -> Self {
        Self { info, tls, limits, attempt: Mutex::default() }
    }

    /// A connection of its own that hears messages.
    pub(super) async fn listener(&self) -> RedisResult<PubSub> {
        within(self.limits.connect, async { PubSub::new(self.info.redis_settings(), self.stream().await?).await }).await
    }

    /// A connection of its own under RESP3, whose pushes are handed over as they come, and the task that drives it: with that it ends.
    pub(super) async fn changes(&self, push: impl AsyncPushSender) -> RedisResult<(MultiplexedConnection, Driver)> {
        // Beyond the time for which a command may wait for news.
        let config = AsyncConnectionConfig::new().set_response_timeout(Some(SILENCE)).set_push_sender(push);
        let settings = self.info.redis_settings().clone().set_protocol(ProtocolVersion::RESP3);
        let LiveConnection { connection, driver } = self.connect(&settings, config).await?;
        Ok((connection, driver))
    }

    /// Another one to the same; nothing is connected yet.
    pub(super) fn another(&self, limits: ConnectionLimits) -> Self {
        Self { info: self.info.clone(), tls: self.tls.clone(), limits, attempt: Mutex::default() }
    }

    /// Does something with the connection; one that it finds broken is not used again.
    pub(super) async fn with<T>(
        &self,
        act: impl AsyncFnOnce(&mut MultiplexedConnection) -> RedisResult<T>,
    ) -> RedisResult<T> {
        let attempt = Arc::clone(&self.attempt());
        let connected = match attempt.get() {
            Some(connected) => connected,
            // In a box of its own: it is five times as large as a command's future, and seldom needed.
            None => Box::pin(attempt.get_or_init(|| self.usual())).await,
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
        self.attempt.lock().unwrap_or_else(PoisonError::into_inner)
    }

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
            Ok(LiveConnection { connection, driver: Driver::spawn(driver) })
        })
        .await
    }
}

async fn within<T>(budget: Duration, work: impl Future<Output = RedisResult<T>>) -> RedisResult<T> {
    let late = || std::io::Error::new(std::io::ErrorKind::TimedOut, "no connection in time");
    tokio::time::timeout(budget, work).await.unwrap_or_else(|_| Err(late().into()))
}
