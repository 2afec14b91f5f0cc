//! A private server with a standby, watched by three Sentinels, all of our own on loopback ports. None of them outlives its parent (see
//! [`PrivateRedis`]).

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::node::{PrivateNode, Role, wait};
use crate::cache::redis_cache::RedisAddress;
use crate::cache::redis_server::PrivateRedis;

/// The name by which Sentinels know the primary.
const NAME: &str = "lab";
/// Sentinels, and how many of them must agree that the primary is down.
const SENTINELS: usize = 3;
const QUORUM: &str = "2";
/// How long a fail-over may take before another one is tried, milliseconds.
const FAILOVER_BUDGET_MS: &str = "10000";

/// A server, its standby and the Sentinels. Dropping it ends all of them.
pub struct PrivateSentinel {
    program: PathBuf,
    settings: Vec<String>,
    servers: Vec<PrivateNode>,
    sentinels: Vec<PrivateNode>,
}

impl PrivateSentinel {
    /// Starts them, and waits until each Sentinel knows the others and the standby. A server that has not answered for `down_after` is taken
    /// for down. `extra` are further settings of both servers, as on their command line.
    ///
    /// # Errors
    /// A sentence: which part did not come up, and why.
    pub fn start(program: &Path, down_after: Duration, extra: &[&str]) -> Result<Self, String> {
        let ours = ["--repl-diskless-sync-delay", "0"];
        let settings = ours.iter().chain(extra).map(|&word| word.to_owned()).collect();
        let mut all = Self { program: program.to_owned(), settings, servers: Vec::new(), sentinels: Vec::new() };
        for _ in 0..2 {
            all.servers.push(all.another()?);
        }
        let port = all.servers[0].port.to_string();
        all.servers[1].ask(&["REPLICAOF", "127.0.0.1", &port])?;
        all.until_in_step()?;
        let down_after = down_after.as_millis().to_string();
        for _ in 0..SENTINELS {
            let sentinel = PrivateNode::start(program, Role::Sentinel, &[])?;
            sentinel.ask(&["SENTINEL", "MONITOR", NAME, "127.0.0.1", &port, QUORUM])?;
            for (what, value) in
                [("down-after-milliseconds", down_after.as_str()), ("failover-timeout", FAILOVER_BUDGET_MS)]
            {
                sentinel.ask(&["SENTINEL", "SET", NAME, what, value])?;
            }
            all.sentinels.push(sentinel);
        }
        all.until_known()?;
        Ok(all)
    }

    fn another(&self) -> Result<PrivateNode, String> {
        let settings: Vec<&str> = self.settings.iter().map(String::as_str).collect();
        PrivateNode::start(&self.program, Role::Server, &settings)
    }

    /// Where it is: the Sentinels say where the primary is.
    #[must_use]
    pub fn address(&self) -> RedisAddress {
        let mut urls = self.sentinels.iter().map(PrivateNode::url);
        let first = urls.next().unwrap_or_default();
        RedisAddress { others: urls.collect(), watched_as: Some(NAME.to_owned()), ..RedisAddress::from(first) }
    }

    /// Every server, the Sentinels last, each with its port.
    pub fn nodes(&self) -> impl Iterator<Item = (&PrivateRedis, u16)> {
        self.servers.iter().chain(&self.sentinels).map(|node| (&node.server, node.port))
    }

    /// The primary, as the Sentinels see it.
    ///
    /// # Errors
    /// A sentence where none of them says.
    pub fn primary(&self) -> Result<&PrivateRedis, String> {
        Ok(&self.servers[self.primary_at()?].server)
    }

    fn primary_at(&self) -> Result<usize, String> {
        let said = self.sentinels[0].ask(&["SENTINEL", "GET-MASTER-ADDR-BY-NAME", NAME])?;
        let port = said.lines().nth(1).and_then(|port| port.trim().parse().ok());
        let at = self.servers.iter().position(|node| Some(node.port) == port);
        at.ok_or_else(|| format!("the Sentinels name a primary that is not ours: {}", said.replace('\n', ":")))
    }

    /// Starts a new standby where a server has ended, and waits until all agree.
    ///
    /// # Errors
    /// A sentence: what did not come about.
    pub fn mend(&mut self) -> Result<(), String> {
        if let Some(dead) = self.servers.iter().position(|node| node.server.has_ended()) {
            wait("the Sentinels have a new primary", || Ok(self.primary_at()? != dead))?;
            let port = self.servers[1 - dead].port.to_string();
            let settings: Vec<&str> = self.settings.iter().map(String::as_str).collect();
            self.servers[dead].start_anew(&self.program, Role::Server, &settings)?;
            self.servers[dead].ask(&["REPLICAOF", "127.0.0.1", &port])?;
        }
        self.until_in_step()?;
        self.until_known()
    }

    /// One primary, and one standby that has its data.
    fn until_in_step(&self) -> Result<(), String> {
        wait("the standby has the primary's data", || {
            let says = |node: &PrivateNode| node.ask(&["INFO", "replication"]);
            let (one, two) = (says(&self.servers[0])?, says(&self.servers[1])?);
            let leads = |text: &str| text.contains("role:master");
            let follows = |text: &str| text.contains("role:slave") && text.contains("master_link_status:up");
            Ok((leads(&one) && follows(&two)) || (leads(&two) && follows(&one)))
        })
    }

    fn until_known(&self) -> Result<(), String> {
        self.sentinels.iter().try_for_each(|sentinel| {
            wait("every Sentinel knows the others and the standby", || {
                let says = sentinel.ask(&["INFO", "sentinel"])?;
                Ok(says.contains("status=ok,address=") && says.contains(&format!("slaves=1,sentinels={SENTINELS}")))
            })
        })
    }
}
