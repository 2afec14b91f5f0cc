//! Connections to a cluster: one to each node, and the client library's map of which node has which slots. Redirections are followed here
//! ([`super::follow`] says why).

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::future::try_join_all;
use redis::aio::{ConnectionLike, MultiplexedConnection};
use redis::cluster::{ClusterClientBuilder, NodeAddress};
use redis::cluster_async::{ClusterConnection, Connect};
use redis::cluster_read_routing::{RandomReplicaStrategy, ReadCandidates, ReadRoutingStrategy};
use redis::cluster_routing::{MultipleNodeRoutingInfo, RoutingInfo};
use redis::{
    Arg, AsyncConnectionConfig, Cmd, ConnectionAddr, IntoConnectionInfo, Pipeline, RedisFuture, RedisResult, Value,
};
use strategies::counter::slot_of_key;
use strategies::port::{ConnectionLimits, ReadFrom};
use strategies::rng::mix;
use tokio::sync::OnceCell;
use tokio::time::Instant;

use super::bounded::BoundedReplies;
use super::driver::{Driver, NO_CONNECTION, within};
use super::follow::{Redirection, Redirects, Told};
use super::one_server::OneServer;
use super::stream::RedisStream;

/// How often one command is sent elsewhere at once. Nodes that do not agree yet send it to each other: from then on it pauses.
const AT_ONCE_MAX: u32 = 2;
/// How long a command pauses then, and after `TRYAGAIN`: twice as long each time.
const PAUSE_FIRST: Duration = Duration::from_millis(1);
const PAUSE_MAX: Duration = Duration::from_millis(16);
/// How often the map of slots is asked for anew where commands have no replies.
const RENEW_EVERY: Duration = Duration::from_millis(500);
/// Nodes at most to which commands were sent elsewhere: as many as a cluster may have.
const NODES_MAX: usize = 1000;

type Attempt = Arc<OnceCell<RedisResult<ClusterConnection<NodeConnection>>>>;

/// A cluster by the addresses of some of its nodes.
pub(super) struct Nodes {
    pub(super) seeds: Vec<Arc<OneServer>>,
    /// Which of them is asked where any will do.
    at: AtomicUsize,
    limits: ConnectionLimits,
    attempt: Mutex<Attempt>,
    renewed: Mutex<Option<Instant>>,
    /// Nodes to which commands were sent elsewhere, by their addresses.
    elsewhere: Mutex<BTreeMap<(String, u16), Arc<OneServer>>>,
    pub(super) redirects: Arc<Redirects>,
    reads: ReadFrom,
}

/// Where a command goes.
enum Whither {
    /// To whichever node has the slot, by the library's map.
    Owner(Box<ClusterConnection<NodeConnection>>),
    /// To a node that another one named; `asking` where the slot is not its own yet.
    Named { node: Arc<OneServer>, asking: bool },
}

/// What is sent.
struct Commands<'a> {
    /// Each, those around a transaction included.
    all: Vec<&'a Cmd>,
    /// The same as the library sends them together, where they are several.
    as_one: Option<&'a Pipeline>,
    /// How many answers go before those that are wanted, and how many these are.
    answers: (usize, usize),
}

impl Whither {
    async fn send(&mut self, what: &Commands<'_>) -> RedisResult<Vec<Value>> {
        let (offset, count) = what.answers;
        match (self, what.as_one, &what.all[..]) {
            (Self::Owner(connection), None, [command]) => Ok(vec![connection.req_packed_command(command).await?]),
            (Self::Owner(connection), Some(all), _) => connection.req_packed_commands(all, offset, count).await,
            (Self::Owner(_), None, _) => Ok(Vec::new()),
            (Self::Named { node, asking }, _, all) => {
                // As one, so that `ASKING` stands right before them: it holds for the next command, or for a transaction as a whole.
                let mut together = redis::pipe();
                if *asking {
                    together.cmd("ASKING");
                }
                all.iter().for_each(|&command| _ = together.add_command(command.clone()));
                // All answers: which command of a transaction was sent elsewhere is not in the answer to its end.
                let (first, of_all) = (usize::from(*asking), all.len());
                let said = node.with(async |to| to.send_packed_commands(&together, first, of_all).await).await?;
                // What one of several commands was answered with is no error of theirs; a redirection is.
                let errors = said.iter().filter(|value| matches!(value, Value::ServerError(_)));
                let redirected = errors.filter_map(|value| value.clone().extract_error().err());
                redirected.into_iter().find(|error| Told::of(error).is_some()).map_or(Ok(()), Err)?;
                Ok(said.into_iter().skip(offset).take(count).collect())
            }
        }
    }
}

impl Nodes {
    pub(super) fn new(seeds: Vec<Arc<OneServer>>, limits: ConnectionLimits, redirects: Arc<Redirects>) -> Self {
        let (attempt, renewed, elsewhere) = (Mutex::default(), Mutex::default(), Mutex::default());
        let (at, reads) = (AtomicUsize::new(0), ReadFrom::Primary);
        Self { seeds, at, limits, attempt, renewed, elsewhere, redirects, reads }
    }

    /// The same cluster, whose reads these nodes answer.
    pub(super) fn reading_from(self, reads: ReadFrom) -> Self {
        Self { reads, ..self }
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

    /// One command, wherever that has to go; `MGET` as one for each slot, all at once.
    pub(super) async fn command(&self, command: &Cmd) -> RedisResult<Value> {
        match by_slot(command) {
            None => self.one(command).await,
            Some(parts) => {
                let said = try_join_all(parts.iter().map(|(_, command)| self.one(command))).await?;
                let mut values = vec![Value::Nil; parts.iter().map(|(places, _)| places.len()).sum()];
                for ((places, _), said) in parts.iter().zip(said) {
                    let Value::Array(said) = said else { continue };
                    places.iter().zip(said).for_each(|(place, value)| values[*place] = value);
                }
                Ok(Value::Array(values))
            }
        }
    }

    async fn one(&self, command: &Cmd) -> RedisResult<Value> {
        let said = self.follow(&Commands { all: vec![command], as_one: None, answers: (0, 1) }).await?;
        said.into_iter().next().unwrap_or(Value::Nil).extract_error()
    }

    /// Commands to one slot, wherever they have to go. Of a transaction that was sent elsewhere nothing was carried out.
    pub(super) async fn commands(&self, pipeline: &Pipeline, offset: usize, count: usize) -> RedisResult<Vec<Value>> {
        let (multi, exec) = (redis::cmd("MULTI"), redis::cmd("EXEC"));
        let (begin, end) = if pipeline.is_transaction() { (Some(&multi), Some(&exec)) } else { (None, None) };
        let all = begin.into_iter().chain(pipeline.cmd_iter()).chain(end).collect();
        self.follow(&Commands { all, as_one: Some(pipeline), answers: (offset, count) }).await
    }

    /// Sends until there is a reply, or none of the time for one is left.
    async fn follow(&self, what: &Commands<'_>) -> RedisResult<Vec<Value>> {
        let begun = Instant::now();
        let mut gravest = None;
        let mut to = Whither::Owner(Box::new(self.connection().await?));
        let work = async {
            let (mut sent_on, mut pause) = (0, PAUSE_FIRST);
            loop {
                let error = match to.send(what).await {
                    Ok(reply) => return Ok(reply),
                    Err(error) => error,
                };
                let Some(told) = Told::of(&error) else { return Err(error) };
                self.redirects.met(told.what);
                gravest = gravest.max(Some(told.what));
                if told.in_transaction && told.what == Redirection::Moved {
                    self.renew();
                }
                sent_on += 1;
                if told.what == Redirection::TryAgain || sent_on > AT_ONCE_MAX {
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(PAUSE_MAX);
                }
                if told.what == Redirection::TryAgain {
                    continue;
                }
                let Some(node) = told.node.and_then(|node| self.named(&node)) else { return Err(error) };
                to = Whither::Named { node, asking: told.what == Redirection::Ask };
            }
        };
        let said = within(self.limits.reply, "no reply in time", work).await;
        match &said {
            Ok(_) => self.redirects.replied(gravest, begun.elapsed()),
            Err(error) if error.is_timeout() => self.renew(),
            Err(_) => {}
        }
        said
    }

    /// The node at an address that another one named, with whatever is needed to be let in.
    pub(super) fn named(&self, address: &str) -> Option<Arc<OneServer>> {
        let (host, port) = address.rsplit_once(':')?;
        let (seed, port) = (self.any(), port.parse().ok()?);
        let host = match (host.trim_start_matches('[').trim_end_matches(']'), seed.info().addr()) {
            // A node that does not know its own name: it is where it was asked.
            ("" | "?", ConnectionAddr::Tcp(host, _)) => host.clone(),
            (host, _) => host.to_owned(),
        };
        let mut elsewhere = lock(&self.elsewhere);
        if elsewhere.len() >= NODES_MAX {
            elsewhere.clear();
        }
        let node = elsewhere.entry((host.clone(), port));
        Some(Arc::clone(node.or_insert_with(|| Arc::new(seed.at(ConnectionAddr::Tcp(host, port), self.limits)))))
    }

    /// The next command connects anew and asks who has which slots: what happened to a run before this one is no business of this one's.
    pub(super) fn begin_anew(&self) {
        *lock(&self.attempt) = Attempt::default();
        lock(&self.elsewhere).clear();
    }

    /// A node that stands still holds its connections and answers nothing, and the library goes on asking it: who has its slots by now is
    /// asked anew, by new connections.
    fn renew(&self) {
        let mut renewed = lock(&self.renewed);
        if renewed.is_none_or(|at| at.elapsed() >= RENEW_EVERY) {
            *renewed = Some(Instant::now());
            *lock(&self.attempt) = Attempt::default();
        }
    }

    /// The connections. Where there were none the next command tries again.
    async fn connection(&self) -> RedisResult<ClusterConnection<NodeConnection>> {
        let attempt = Arc::clone(&lock(&self.attempt));
        match Box::pin(attempt.get_or_init(|| self.connect())).await {
            Ok(connection) => Ok(connection.clone()),
            Err(error) => {
                let mut current = lock(&self.attempt);
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
        match self.connection().await?.route_command(command, to).await? {
            Value::Map(answers) => Ok(answers.into_iter().map(|(_, answer)| answer).collect()),
            answer => Ok(vec![answer]),
        }
    }

    async fn connect(&self) -> RedisResult<ClusterConnection<NodeConnection>> {
        let seeds: Vec<_> = self.seeds.iter().map(|seed| seed.info().clone()).collect();
        let client = ClusterClientBuilder::new(seeds)
            .connection_timeout(self.limits.connect)
            .response_timeout(self.limits.reply)
            .retries(0);
        let client = match self.reads {
            ReadFrom::Primary => client,
            ReadFrom::Replicas => client.read_routing_strategy(RandomReplicaStrategy),
            ReadFrom::Any => client.read_routing_strategy(AnyNode::default()),
        };
        let client = client.build()?;
        client.get_async_generic_connection::<NodeConnection>().await
    }
}

/// Any node that has a key, each as often: drawn, for in turns the reads of a page would each have a node of their own.
#[derive(Default)]
struct AnyNode(AtomicU64);

impl ReadRoutingStrategy for AnyNode {
    fn route_read<'a>(&self, candidates: &ReadCandidates<'a>) -> &'a NodeAddress {
        match candidates {
            ReadCandidates::AnyNode(of) => {
                let drawn = mix(self.0.fetch_add(1, Relaxed)) % (of.replicas().len().get() as u64 + 1);
                of.replicas().get(drawn as usize).unwrap_or(of.primary())
            }
            ReadCandidates::ReplicasOnly(of) => of.replicas().choose_random(),
        }
    }
}

/// Of an `MGET` for keys of several slots one for each, with their places in it. The library would split it, too, and could not say which part
/// is to be sent elsewhere.
fn by_slot(command: &Cmd) -> Option<Vec<(Vec<usize>, Cmd)>> {
    let mut words = command.args_iter().map(|word| match word {
        Arg::Simple(word) => word,
        _ => &[],
    });
    if words.next() != Some(b"MGET") {
        return None;
    }
    let mut of: BTreeMap<u16, (Vec<usize>, Cmd)> = BTreeMap::new();
    for (place, key) in words.enumerate() {
        let (places, part) = of.entry(slot_of_key(key)).or_insert_with(|| (Vec::new(), redis::cmd("MGET")));
        places.push(place);
        part.arg(key);
    }
    (of.len() > 1).then(|| of.into_values().collect())
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A connection to one node, whose replies are bounded.
#[derive(Clone)]
pub(super) struct NodeConnection {
    connection: MultiplexedConnection,
    _driver: Arc<Driver>,
}

impl Connect for NodeConnection {
    fn connect_with_config<'a, T>(info: T, config: AsyncConnectionConfig) -> RedisFuture<'a, Self>
    where
        T: IntoConnectionInfo + Send + 'a,
    {
        // The library leaves the limit to whoever connects, and does not say what it is.
        Box::pin(within(ConnectionLimits::USUAL.connect, NO_CONNECTION, async move {
            let info = info.into_connection_info()?;
            let stream = BoundedReplies::new(RedisStream::open(info.addr(), None).await?);
            let (connection, driver) =
                MultiplexedConnection::new_with_config(info.redis_settings(), stream, config).await?;
            Ok(Self { connection, _driver: Arc::new(Driver::spawn(driver)) })
        }))
    }
}

impl ConnectionLike for NodeConnection {
    fn req_packed_command<'a>(&'a mut self, command: &'a Cmd) -> RedisFuture<'a, Value> {
        self.connection.req_packed_command(command)
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        pipeline: &'a Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        self.connection.req_packed_commands(pipeline, offset, count)
    }

    fn get_db(&self) -> i64 {
        self.connection.get_db()
    }
}
