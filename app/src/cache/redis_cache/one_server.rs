//! One server, and the connection to it that commands share: made when it is first needed and made again after it was lost, by the next
//! command. A dead Redis costs each command one refused connection, and commands that come together share one attempt. (The client
//! library's own manager of connections takes no stream of ours, and its replies are not `BoundedReplies`.)

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use redis::aio::{AsyncPushSender, MultiplexedConnection, PubSub};
use redis::{
    AsyncConnectionConfig, ConnectionAddr, ConnectionInfo, ErrorKind, ProtocolVersion, RedisConnectionInfo, RedisError,
    RedisResult, ServerErrorKind,
};
use strategies::port::ConnectionLimits;
use tls::client::TlsClient;
use tokio::sync::OnceCell;

use super::bounded::BoundedReplies;
use super::driver::{Driver, NO_CONNECTION, within};
use super::sentinels::{Sentinels, check_leads};
use super::stream::RedisStream;

/// One server, and the connection to it that commands share.
pub(super) struct OneServer {
    info: ConnectionInfo,
    /// What encrypts its connections, where they are to be.
    tls: Option<TlsClient>,
    /// Who knows where it is, where that may change: `info` is the first of them then, with what lets callers in at the server.
    sentinels: Option<Arc<Sentinels>>,
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
        Self { info, tls, sentinels: None, limits, attempt: Mutex::default() }
    }

    /// The same, wherever Sentinels say that it is.
    pub(super) fn watched(mut self, by: Arc<Sentinels>) -> Self {
        self.sentinels = Some(by);
        self
    }

    pub(super) fn is_watched(&self) -> bool {
        self.sentinels.is_some()
    }

    /// A connection of its own that hears messages.
    pub(super) async fn listener(&self) -> RedisResult<PubSub> {
        within(self.limits.connect, NO_CONNECTION, async {
            PubSub::new(self.info.redis_settings(), self.stream().await?).await
        })
        .await
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
        Self { sentinels: self.sentinels.clone(), ..Self::new((self.info.clone(), self.tls.clone()), limits) }
    }

    /// One at another address, that lets the same callers in; nothing is connected yet.
    pub(super) fn at(&self, address: ConnectionAddr, limits: ConnectionLimits) -> Self {
        Self::new((self.info.clone().set_addr(address), self.tls.clone()), limits)
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
        // A server whose place another may have taken by now is looked for anew.
        let deposed = |error: &RedisError| {
            let readonly = error.kind() == ErrorKind::Server(ServerErrorKind::ReadOnly);
            self.is_watched() && (readonly || error.is_timeout())
        };
        let broken =
            |error: &RedisError| error.is_unrecoverable_error() || error.is_connection_dropped() || deposed(error);
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

    /// Where it is now, by its Sentinels where they say so. What lets callers in is told to nobody else.
    pub(super) async fn address(&self) -> RedisResult<ConnectionAddr> {
        match &self.sentinels {
            Some(sentinels) => sentinels.primary().await,
            None => Ok(self.info.addr().clone()),
        }
    }

    async fn stream(&self) -> RedisResult<BoundedReplies<RedisStream>> {
        Ok(BoundedReplies::new(RedisStream::open(&self.address().await?, self.tls.as_ref()).await?))
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
        within(self.limits.connect, NO_CONNECTION, async {
            let stream = self.stream().await?;
            let (mut connection, driver) = MultiplexedConnection::new_with_config(settings, stream, config).await?;
            let driver = Driver::spawn(driver);
            if self.is_watched() {
                check_leads(&mut connection).await?;
            }
            Ok(LiveConnection { connection, driver })
        })
        .await
    }
}
