//! `--redis-server` and `[cache.redis]`: a server that the lab starts itself, and whether there is one to be set up.

use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use scenarios::{ActionKind, Needs, Scenario};
use strategies::port::Capabilities;

use super::Settings;
use crate::cli::{CacheChoice, RunArgs};
use crate::shell::exit::Failure;
use evidence::StackCache;

/// Whether the scenario is about a server that the generator reaches itself.
pub(super) fn needs_own(scenario: &Scenario) -> bool {
    let on_server = scenario.events.iter().any(|event| event.action.kind.row().lab.is_server());
    on_server || !scenario.cache.redis.is_empty()
}

/// A program that can be started, and a cache that is made of it.
pub(super) fn check_program(args: &RunArgs) -> Result<(), Failure> {
    let Some(path) = &args.redis_server else { return Ok(()) };
    let flaw = |found: &str, remedy: &str| {
        let shown = report::text::escape::line(&path.display().to_string());
        Err(Failure::usage(format!("no server to start · --redis-server {shown} · found {found} · {remedy}")))
    };
    if args.cache == CacheChoice::Memory {
        return flaw("--cache memory, which has no server", "take one of them out");
    }
    const REMEDY: &str = "name a redis-server or a valkey-server, as /usr/bin/redis-server";
    match std::fs::metadata(path) {
        Err(error) => flaw(&error.to_string(), REMEDY),
        Ok(meta) if !meta.is_file() => flaw("no file", REMEDY),
        Ok(meta) if meta.permissions().mode() & 0o111 == 0 => flaw("a file that is no program", REMEDY),
        Ok(_) => Ok(()),
    }
}

impl Settings {
    /// The program that a private server is started from; `None` where there is none, or the cache is another.
    #[must_use]
    pub fn server_program(&self) -> Option<PathBuf> {
        if self.redis.is_some() || self.cache == CacheChoice::Memory {
            return None;
        }
        // It is started in a folder of its own.
        let named = self.redis_server.as_ref().map(|path| std::path::absolute(path).unwrap_or_else(|_| path.clone()));
        named.or_else(installed)
    }

    /// Whether there is a server that the generator reaches itself.
    pub(super) fn has_server(&self, docker: Option<StackCache>) -> bool {
        let some = self.redis.is_some() || self.server_program().is_some();
        docker.is_none() && self.stack.is_none() && self.target.is_none() && some && !self.is_cluster()
    }

    /// Whether the cache is a cluster.
    #[must_use]
    pub fn is_cluster(&self) -> bool {
        self.cache == CacheChoice::Cluster || self.redis.as_ref().is_some_and(super::redis::GivenRedis::is_cluster)
    }

    /// Whether that server is one which the lab starts itself.
    pub(super) fn has_own_server(&self, docker: Option<StackCache>) -> bool {
        self.has_server(docker) && self.redis.is_none()
    }

    /// Whether the lab starts servers that stand in for one another.
    pub(super) fn has_own_nodes(&self, docker: Option<StackCache>, which: CacheChoice) -> bool {
        docker.is_none() && self.target.is_none() && self.cache == which && self.server_program().is_some()
    }

    /// Refuses strategies that need of the cache what only one server can, or only a cluster.
    pub(super) fn check_topology(&self, docker: Option<StackCache>) -> Result<(), Failure> {
        if self.target.is_some() {
            return Ok(());
        }
        let simulated = self.simulated && self.scenario.cache.simulated.shards > 1;
        let cluster = match docker {
            Some(stack) => stack == StackCache::Cluster,
            None => !self.simulated && self.is_cluster(),
        };
        // Simulated shards tell of changes as one server does.
        let can = Capabilities { one_place: !cluster, replicas: cluster || simulated, ..Capabilities::ONE_SERVER };
        let (found, remedy) = match cluster {
            true => ("a cluster", "write invalidate=pubsub, or use --cache redis"),
            false => (
                "one server",
                "use --lab local --cache cluster, a stack that was brought up with docker/cluster.env, or --lab sim with [cache.simulated] shards; \
                 or take read-from out",
            ),
        };
        for spec in self.subjects.iter().filter_map(|subject| subject.strategy.as_ref()) {
            if let Some(lacks) = can.lacks(spec.needs()) {
                return Err(Failure::usage(format!(
                    "the shared cache can't carry a strategy · --strategy {} · found {found}, needed {lacks} · {remedy}",
                    spec.name()
                )));
            }
        }
        Ok(())
    }

    /// Refuses settings for a server where none is started that could have them.
    pub(super) fn check_server(&self, docker: Option<StackCache>) -> Result<(), Failure> {
        let Some(name) = self.scenario.cache.redis.in_words().into_keys().next() else { return Ok(()) };
        let (found, remedy) = if self.target.is_some() {
            ("--target, whose cache is its own", "take [cache.redis] out of the scenario")
        } else if let Some(stack) = docker {
            if stack == StackCache::OneServer {
                return Ok(());
            }
            (
                "a stack whose cache is several servers",
                "set them up by the variables in docs/docker.md and take [cache.redis] out, or use --lab local with --cache cluster or sentinel",
            )
        } else if self.redis.is_some() {
            (
                "--redis, a server that is not the lab's to set up",
                "set it up there and take [cache.redis] out, or leave --redis out",
            )
        } else if self.cache == CacheChoice::Memory {
            ("--cache memory, which has no server", "use --cache redis, or take [cache.redis] out of the scenario")
        } else if self.server_program().is_none() {
            ("no redis-server on the PATH", "install redis-server, or name one with --redis-server PATH")
        } else {
            return Ok(());
        };
        Err(Failure::usage(format!(
            "settings for a server that the lab does not start · [cache.redis] {name} · found {found}, allowed a private Redis of the \
             local lab, or the one of a stack in containers · {remedy}"
        )))
    }

    /// Refuses what is done to a server where everything is simulated: there is none.
    pub(super) fn check_no_server_is_meant(&self) -> Result<(), Failure> {
        let of_cluster = |kind: ActionKind| kind.row().lab == Needs::OwnCluster;
        let moves = self.scenario.events.iter().find(|event| of_cluster(event.action.kind));
        if let Some(event) = moves.filter(|_| self.scenario.cache.simulated.shards == 1) {
            let word = event.action.kind.row().word;
            return Err(Failure::usage(format!(
                "an event of a cluster, and the simulated cache is none · [[event]] do = {word:?} at {:?} · found one server, needed at least \
                 2 · add --set cache.simulated.shards=3, or take it out",
                event.at
            )));
        }
        let event = self.scenario.events.iter().find(|event| !event.action.kind.row().lab.has_model());
        event.map_or(Ok(()), |event| {
            let word = event.action.kind.row().word;
            Err(Failure::usage(format!(
                "an event that the sim lab can't make happen · [[event]] do = {word:?} at {:?} · found {word}, which needs a real \
                 Redis · take it out, or use --lab local",
                event.at
            )))
        })
    }

    /// What the settings of a server come to where there is none, for people.
    #[must_use]
    pub fn without_server(&self) -> Option<String> {
        (self.simulated && !self.scenario.cache.redis.for_server().is_empty()).then(|| {
            "the sim lab has no Redis: nothing of [cache.redis] is in this run, no snapshot, no append-only file and no bound on memory; \
             --lab local has one"
                .to_owned()
        })
    }
}

#[cfg(feature = "labs")]
fn installed() -> Option<PathBuf> {
    app::cache::redis_server::installed()
}

#[cfg(not(feature = "labs"))]
fn installed() -> Option<PathBuf> {
    None
}
