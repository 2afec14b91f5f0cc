//! Connections to a cluster: one to each node, and the client library's map of which node has which slots. It follows redirections
//! itself; they are counted here.

use std::cell::RefCell;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use evidence::RedirectCounts;
use redis::aio::{ConnectionLike, MultiplexedConnection};
use redis::cluster::ClusterClientBuilder;
use redis::cluster_async::{ClusterConnection, Connect};
use redis::cluster_routing::{MultipleNodeRoutingInfo, RoutingInfo};
use redis::{
    AsyncConnectionConfig, Cmd, ErrorKind, IntoConnectionInfo, Pipeline, RedisFuture, RedisResult, ServerErrorKind,
    Value,
};
use strategies::port::ConnectionLimits;
use tokio::sync::OnceCell;

use super::bounded::BoundedReplies;
use super::one_server::{Driver, OneServer};
use super::stream::RedisStream;

/// How often a command is sent at most: once more than the redirections that a moving slot and a fail-over cost. All of it within the
/// command's own time.
const RETRIES: u32 = 4;

/// What a cluster's nodes answered instead of a reply, since the link was made.
#[derive(Debug, Default)]
pub(super) struct Redirects {
    moved: AtomicU64,
    ask: AtomicU64,
    try_again: AtomicU64,
}

impl Redirects {
    pub(super) fn counts(&self) -> RedirectCounts {
        let Self { moved, ask, try_again } = self;
        RedirectCounts { moved: moved.load(Relaxed), ask: ask.load(Relaxed), try_again: try_again.load(Relaxed) }
    }
}

thread_local! {
    /// Whose connections are made on this thread: the library makes them and takes nothing of ours along. A replica has a thread of its own.
    static HERE: RefCell<Arc<Redirects>> = RefCell::default();
}

type Attempt = Arc<OnceCell<RedisResult<ClusterConnection<NodeConnection>>>>;

/// A cluster by the addresses of some of its nodes.
pub(super) struct Nodes {
    pub(super) seeds: Vec<Arc<OneServer>>,
    /// Which of them is asked where any will do.
    at: AtomicUsize,
    limits: ConnectionLimits,
    attempt: Mutex<Attempt>,
    pub(super) redirects: Arc<Redirects>,
}

impl Nodes {
    pub(super) fn new(seeds: Vec<Arc<OneServer>>, limits: ConnectionLimits) -> Self {
        let redirects = HERE.with_borrow(Arc::clone);
        Self { seeds, at: AtomicUsize::new(0), limits, attempt: Mutex::default(), redirects }
    }

    pub(super) fn limits(&self) -> ConnectionLimits {
        self.limits
    }

    /// The node that is asked where any will do.
    pub(super) fn any(&self) -> &Arc<OneServer> {
        &self.seeds[self.at.load(Relaxed) % self.seeds.len()]
    }

    /// The one that was asked does not answer: another is, from now on.
    pub(super) fn next(&self) {
        self.at.fetch_add(1, Relaxed);
    }

    /// Does something with the connections. Where there were none the next command tries again.
    pub(super) async fn with<T>(
        &self,
        act: impl AsyncFnOnce(&mut ClusterConnection<NodeConnection>) -> RedisResult<T>,
    ) -> RedisResult<T> {
        let attempt = Arc::clone(&self.attempt());
        match Box::pin(attempt.get_or_init(|| self.connect())).await {
            Ok(connection) => act(&mut connection.clone()).await,
            Err(error) => {
                let mut current = self.attempt();
                if Arc::ptr_eq(&current, &attempt) {
                    *current = Attempt::default();
                }
                Err(error.clone())
            }
        }
    }

    /// Asks each primary the same.
    pub(super) async fn each_primary(&self, command: Cmd) -> RedisResult<Vec<Value>> {
        let to = RoutingInfo::MultiNode((MultipleNodeRoutingInfo::AllMasters, None));
        match self.with(async move |connection| connection.route_command(command, to).await).await? {
            Value::Map(answers) => Ok(answers.into_iter().map(|(_, answer)| answer).collect()),
            answer => Ok(vec![answer]),
        }
    }

    async fn connect(&self) -> RedisResult<ClusterConnection<NodeConnection>> {
        let seeds: Vec<_> = self.seeds.iter().map(|seed| seed.info().clone()).collect();
        let client = ClusterClientBuilder::new(seeds)
            .connection_timeout(self.limits.connect)
            // Redirections included.
            .response_timeout(self.limits.reply)
            .retries(RETRIES)
            .min_retry_wait(1)
            .max_retry_wait(20)
            .build()?;
        client.get_async_generic_connection::<NodeConnection>().await
    }

    fn attempt(&self) -> MutexGuard<'_, Attempt> {
        self.attempt.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A connection to one node, whose replies are bounded and whose redirections are counted.
#[derive(Clone)]
pub(super) struct NodeConnection {
    connection: MultiplexedConnection,
    redirects: Arc<Redirects>,
    _driver: Arc<Driver>,
}

impl NodeConnection {
    fn count<T>(&self, said: RedisResult<T>) -> RedisResult<T> {
        if let Err(error) = &said
            && let ErrorKind::Server(kind) = error.kind()
        {
            let count = match kind {
                ServerErrorKind::Moved => &self.redirects.moved,
                ServerErrorKind::Ask => &self.redirects.ask,
                ServerErrorKind::TryAgain => &self.redirects.try_again,
                _ => return said,
            };
            count.fetch_add(1, Relaxed);
        }
        said
    }
}

impl Connect for NodeConnection {
    fn connect_with_config<'a, T>(info: T, config: AsyncConnectionConfig) -> RedisFuture<'a, Self>
    where
        T: IntoConnectionInfo + Send + 'a,
    {
        let redirects = HERE.with_borrow(Arc::clone);
        Box::pin(async move {
            let info = info.into_connection_info()?;
            let stream = BoundedReplies::new(RedisStream::open(info.addr(), None).await?);
            let (connection, driver) =
                MultiplexedConnection::new_with_config(info.redis_settings(), stream, config).await?;
            Ok(Self { connection, redirects, _driver: Arc::new(Driver::spawn(driver)) })
        })
    }
}

impl ConnectionLike for NodeConnection {
    fn req_packed_command<'a>(&'a mut self, command: &'a Cmd) -> RedisFuture<'a, Value> {
        Box::pin(async move {
            let said = self.connection.send_packed_command(command).await;
            self.count(said)
        })
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        pipeline: &'a Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        Box::pin(async move {
            let said = self.connection.send_packed_commands(pipeline, offset, count).await;
            self.count(said)
        })
    }

    fn get_db(&self) -> i64 {
        self.connection.get_db()
    }
}
