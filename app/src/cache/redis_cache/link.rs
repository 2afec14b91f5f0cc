//! A connection to Redis that is made when it is first needed and made again after it was lost, by the next command. A dead
//! Redis costs each command one refused connection, and commands that come together share one attempt. (The client library's own
//! manager of connections takes no stream of ours, and its replies are not `BoundedReplies`.)

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use redis::aio::{AsyncPushSender, ConnectionLike, MultiplexedConnection, PubSub};
use redis::{
    AsyncConnectionConfig, Cmd, ConnectionAddr, ConnectionInfo, ErrorKind, IntoConnectionInfo, Pipeline,
    ProtocolVersion, RedisError, RedisFuture, RedisResult, Value,
};
use strategies::port::ConnectionLimits;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::{TcpStream, UnixStream};
use tokio::sync::OnceCell;
use tokio::task::AbortHandle;

use super::bounded::BoundedReplies;
use super::error::one_line;
use crate::wire::refused::NO_REPLY;

/// A connection, shared by its clones.
#[derive(Clone)]
pub(super) struct RedisLink(Arc<Inner>);

struct Inner {
    info: ConnectionInfo,
    limits: ConnectionLimits,
    /// The connection or the error that the attempt ended with.
    attempt: Mutex<Attempt>,
}

type Attempt = Arc<OnceCell<RedisResult<LiveConnection>>>;

/// A connection and the task that drives it, which ends with it.
struct LiveConnection {
    connection: MultiplexedConnection,
    driver: AbortHandle,
}

impl Drop for LiveConnection {
    fn drop(&mut self) {
        self.driver.abort();
    }
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
    /// Of a URL; nothing is connected yet.
    ///
    /// # Errors
    /// A sentence where the URL cannot be used.
    pub(super) fn new(url: &str, limits: ConnectionLimits) -> Result<Self, &'static str> {
        let info = url.into_connection_info().map_err(|_| "it is no Redis URL")?;
        if !info.addr().is_supported() {
            return Err("this build has no TLS");
        }
        Ok(Self(Arc::new(Inner { info, limits, attempt: Mutex::default() })))
    }

    /// Another one to the same server; nothing is connected yet.
    pub(super) fn another(&self, limits: ConnectionLimits) -> Self {
        Self(Arc::new(Inner { info: self.0.info.clone(), limits, attempt: Mutex::default() }))
    }

    /// A connection of its own that hears messages.
    pub(super) async fn listener(&self) -> RedisResult<PubSub> {
        let Inner { info, limits, .. } = &*self.0;
        within(limits.connect, async {
            match stream(info.addr()).await? {
                Stream::Tcp(stream) => PubSub::new(info.redis_settings(), stream).await,
                Stream::Unix(stream) => PubSub::new(info.redis_settings(), stream).await,
            }
        })
        .await
    }

    /// A connection of its own under RESP3, whose pushes are handed over as they come, and the task that drives it: with that it ends.
    pub(super) async fn changes(&self, push: impl AsyncPushSender) -> RedisResult<(MultiplexedConnection, Driver)> {
        let Inner { info, limits, .. } = &*self.0;
        // Beyond the time for which a command may wait for news.
        let config = AsyncConnectionConfig::new().set_response_timeout(Some(SILENCE)).set_push_sender(push);
        let settings = info.redis_settings().clone().set_protocol(ProtocolVersion::RESP3);
        within(limits.connect, async {
            match stream(info.addr()).await? {
                Stream::Tcp(stream) => {
                    let (connection, driver) =
                        MultiplexedConnection::new_with_config(&settings, stream, config).await?;
                    Ok((connection, Driver(tokio::spawn(driver).abort_handle())))
                }
                Stream::Unix(stream) => {
                    let (connection, driver) =
                        MultiplexedConnection::new_with_config(&settings, stream, config).await?;
                    Ok((connection, Driver(tokio::spawn(driver).abort_handle())))
                }
            }
        })
        .await
    }

    /// What the server says to a client that connects, tells the password and asks for a sign of life, and how it refuses that:
    /// one line. `None` where it refuses nothing, or says nothing.
    pub(super) async fn last_words(&self) -> Option<String> {
        let Inner { info, limits, .. } = &*self.0;
        let settings = info.redis_settings();
        let mut asked = Vec::new();
        if let Some(password) = settings.password() {
            let mut auth = redis::cmd("AUTH");
            if let Some(user) = settings.username() {
                auth.arg(user);
            }
            asked.extend(auth.arg(password).get_packed_command());
        }
        asked.extend(redis::cmd("PING").get_packed_command());
        let said = tokio::time::timeout(limits.connect, async {
            match stream(info.addr()).await.ok()? {
                Stream::Tcp(stream) => first_line(stream, &asked).await,
                Stream::Unix(stream) => first_line(stream, &asked).await,
            }
        });
        let line = said.await.ok().flatten()?;
        match line.chars().next()? {
            '-' => Some(one_line(line.trim_start_matches('-'))),
            '+' | '$' | '*' | '%' => None,
            _ => Some(format!("{NO_REPLY}: {}", one_line(&line))),
        }
    }

    /// Does something with the connection; one that it finds broken is not used again.
    async fn with<T>(&self, act: impl AsyncFnOnce(&mut MultiplexedConnection) -> RedisResult<T>) -> RedisResult<T> {
        let attempt = Arc::clone(&self.attempt());
        let connected = match attempt.get() {
            Some(connected) => connected,
            // In a box of its own: it is five times as large as a command's future, and seldom needed.
            None => Box::pin(attempt.get_or_init(|| connect(&self.0.info, self.0.limits))).await,
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

enum Stream {
    Tcp(BoundedReplies<TcpStream>),
    Unix(BoundedReplies<UnixStream>),
}

async fn stream(address: &ConnectionAddr) -> RedisResult<Stream> {
    match address {
        ConnectionAddr::Tcp(host, port) => {
            let stream = TcpStream::connect((host.as_str(), *port)).await?;
            stream.set_nodelay(true)?;
            Ok(Stream::Tcp(BoundedReplies::new(stream)))
        }
        ConnectionAddr::Unix(path) => {
            Ok(Stream::Unix(BoundedReplies::new(UnixStream::connect(Path::new(path)).await?)))
        }
        _ => Err((ErrorKind::InvalidClientConfig, "this build has no TLS").into()),
    }
}

/// The longest first line that is read.
const LINE_BYTES_MAX: u64 = 1024;

async fn first_line(mut stream: impl AsyncRead + AsyncWrite + Unpin, asked: &[u8]) -> Option<String> {
    // It may have closed the connection already, and its words are still there to be read.
    let _ = stream.write_all(asked).await;
    let mut line = Vec::new();
    let read = BufReader::new(stream.take(LINE_BYTES_MAX)).read_until(b'\n', &mut line).await;
    (read.is_ok() || !line.is_empty()).then(|| String::from_utf8_lossy(&line).trim().to_owned())
}

async fn connect(info: &ConnectionInfo, limits: ConnectionLimits) -> RedisResult<LiveConnection> {
    within(limits.connect, async {
        match stream(info.addr()).await? {
            Stream::Tcp(stream) => driven(info, stream, limits.reply).await,
            Stream::Unix(stream) => driven(info, stream, limits.reply).await,
        }
    })
    .await
}

async fn driven<S>(info: &ConnectionInfo, stream: S, reply: Duration) -> RedisResult<LiveConnection>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let config = AsyncConnectionConfig::new().set_response_timeout(Some(reply));
    let settings = info.redis_settings();
    let (connection, driver) = MultiplexedConnection::new_with_config(settings, stream, config).await?;
    Ok(LiveConnection { connection, driver: tokio::spawn(driver).abort_handle() })
}

async fn within<T>(budget: Duration, work: impl Future<Output = RedisResult<T>>) -> RedisResult<T> {
    let late = || std::io::Error::new(std::io::ErrorKind::TimedOut, "no connection in time");
    tokio::time::timeout(budget, work).await.unwrap_or_else(|_| Err(late().into()))
}
