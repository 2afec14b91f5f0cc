//! Whether the lab can do what was asked for: as far as it is known from the arguments, and again when a lab was found.

use super::{Settings, server};
use crate::cli::{CacheChoice, LabChoice, RunArgs};
use crate::shell::exit::Failure;
use evidence::StackCache;

/// Replicas at most where each is a thread and a listener.
const REPLICAS_MAX: u16 = 64;

impl RunArgs {
    /// Refuses a part of a run where only a whole one can be.
    ///
    /// # Errors
    /// [`Failure`].
    pub fn is_whole(&self, remedy: &str) -> Result<(), Failure> {
        if self.otlp.is_some() {
            let what = "spans of what is no single run";
            return Err(Failure::usage(format!("{what} · --otlp · found it, allowed with `run` alone · take it out")));
        }
        if let Some(assert) = self.asserts.first() {
            let assert = report::text::escape::line(assert);
            return Err(Failure::usage(format!(
                "an assertion of what is no run · --assert {assert:?} · allowed with `run` alone · take it out"
            )));
        }
        let found = self.shard.map(|part| format!("{}/{}", part.index, part.of));
        found.map_or(Ok(()), |found| {
            let what = "a shard of what is no run";
            Err(Failure::usage(format!("{what} · --shard {found} · allowed with `run` alone · {remedy}")))
        })
    }
}

impl Settings {
    /// What labs can do, as far as it is known before one is looked for.
    pub(super) fn check_lab(&mut self, args: &RunArgs) -> Result<(), Failure> {
        let local = [
            ("--redis", args.redis.is_some()),
            ("--cache", args.cache != CacheChoice::Auto),
            ("--redis-server", args.redis_server.is_some()),
            ("--replicas", args.replicas.is_some()),
        ];
        let local = local.iter().find(|(_, given)| *given).map(|(flag, _)| *flag);
        if let (Some(_), Some(flag)) = (&self.stack, local.filter(|flag| *flag != "--replicas")) {
            return Err(Failure::usage(format!(
                "a stack has its own cache · {flag} with --stack · found both, allowed one · take one of them out"
            )));
        }
        match (self.lab, local) {
            _ if self.stack.is_some() => {}
            (LabChoice::Docker, Some(flag)) => {
                return Err(Failure::usage(format!(
                    "the containers have their own · {flag} with --lab docker · found both, allowed one · take one of them \
                     out (replicas: docker compose up --scale app=5)"
                )));
            }
            (LabChoice::Auto, Some(flag)) => {
                self.lab = LabChoice::Local;
                self.lab_note = Some(format!("{flag} is the local lab's"));
            }
            (LabChoice::Auto, None) if self.target.is_none() && server::needs_own(&self.scenario) => {
                self.lab = LabChoice::Local;
                self.lab_note = Some("[cache.redis] and what is done to a server are the local lab's".into());
            }
            _ => {}
        }
        server::check_program(args)?;
        match self.lab {
            LabChoice::Sim => {
                self.check_replicas().and_then(|()| self.check_topology(None)).and_then(|()| self.check_sim())
            }
            LabChoice::Docker => self.check_server(Some(StackCache::OneServer)),
            LabChoice::Auto if self.stack.is_some() => self.check_server(Some(StackCache::OneServer)),
            // What containers can do is checked when they were looked for.
            LabChoice::Auto if self.target.is_none() => Ok(()),
            _ => self.check_world(None),
        }
    }

    /// Whether `--lab auto` is to look for containers.
    #[must_use]
    pub fn wants_containers(&self) -> bool {
        self.lab == LabChoice::Auto && self.target.is_none()
    }

    /// What the lab that was found can do; the containers' cache, where it is they.
    ///
    /// # Errors
    /// [`Failure`] where the scenario asks for more.
    pub fn check_world(&self, docker: Option<StackCache>) -> Result<(), Failure> {
        if self.simulated {
            return Ok(());
        }
        self.check_replicas()?;
        self.check_server(docker)?;
        self.check_topology(docker)?;
        let world = crate::lab::RealWorld {
            target: self.target.as_ref(),
            named: self.stack.is_some(),
            docker: docker.filter(|_| self.stack.is_none()),
            server: self.has_server(docker),
            own_server: self.has_own_server(docker),
            own_cluster: self.has_own_nodes(docker, CacheChoice::Cluster),
            own_sentinel: self.has_own_nodes(docker, CacheChoice::Sentinel),
        };
        crate::lab::check_events(&self.scenario, world)
    }

    fn check_replicas(&self) -> Result<(), Failure> {
        let needed = self.scenario.replicas_min();
        if needed > u32::from(self.replicas) {
            return Err(Failure::usage(format!(
                "an event names a replica that is not there · --replicas · found {}, needed at least {needed} · raise it \
                 (containers: docker compose up -d --wait --scale app={needed})",
                self.replicas
            )));
        }
        if self.replicas > REPLICAS_MAX && self.target.is_none() && self.stack.is_none() && !self.simulated {
            return Err(Failure::usage(format!(
                "too many replicas for one machine · --replicas · found {}, allowed at most {REPLICAS_MAX} · lower it, or use \
                 --lab sim, which has up to 1000",
                self.replicas
            )));
        }
        Ok(())
    }

    /// What a simulated lab cannot have: something real.
    fn check_sim(&self) -> Result<(), Failure> {
        let real = [
            ("--target", self.target.is_some()),
            ("--redis", self.redis.is_some()),
            ("--cache redis", self.cache == CacheChoice::Redis),
            ("--cache cluster", self.cache == CacheChoice::Cluster),
            ("--cache sentinel", self.cache == CacheChoice::Sentinel),
            ("--redis-server", self.redis_server.is_some()),
        ];
        match real.iter().find(|(_, given)| *given) {
            Some((flag, _)) => Err(Failure::usage(format!(
                "the sim lab simulates everything · {flag} with --lab sim · found both, allowed one · take one of them out"
            ))),
            None => self.check_no_server_is_meant(),
        }
    }
}
