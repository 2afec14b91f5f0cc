//! Finds this project's stack, and refuses one that is not whole, or not of this build.

use std::sync::Arc;

use app::process::secrets::CONTROL_TOKEN;
use app::wire::auth::ControlToken;
use app::wire::control_client::ControlClient;

use super::engine::{Container, Engine, State};
use super::stack::{ASK_EVERY, CONTROL, ContainerStack, DATA, START_BUDGET, UP, at, one, project, remedy_of};
use crate::lab::endpoints::{Endpoints, StackProxy};
use crate::lab::identities::check_identities;
use crate::lab::shards::AskedCluster;
use crate::load::drive::Site;
use evidence::StackCache;

/// Services that no run needs: two that ended at the start, two that watch, and the load from inside.
const BESIDE: [&str; 5] = ["secrets", "cluster", "prometheus", "grafana", "load"];

/// How a stack is made whole again: its parts that are down, and all of them.
const AGAIN: &str = "docker compose up -d --wait";
const ANEW: &str = "docker compose up -d --force-recreate --wait";

impl ContainerStack {
    /// Finds this project's stack and checks that it can be driven.
    ///
    /// # Errors
    /// A sentence with the remedy: no engine, no stack, a part that is down, another build, mixed settings.
    pub async fn find() -> Result<(StackCache, Endpoints), String> {
        let project = project();
        let engine = Engine::connect(&project).await?;
        let containers = started(&engine).await?;
        let there = topology(&containers);
        Self::of(engine, &project, &containers, there).await.map_err(|why| remedy_of(there, &why))
    }

    async fn of(
        engine: Engine,
        project: &str,
        containers: &[Container],
        there: StackCache,
    ) -> Result<(StackCache, Endpoints), String> {
        let replicas = whole(project, containers)?;
        let network = engine.network("cache").await?;
        for replica in &replicas {
            if !engine.is_on(replica, &network).await? {
                return Err(format!(
                    "{} is cut off from the cache: a fault that was never healed · {ANEW}",
                    replica.name()
                ));
            }
        }
        let first = replicas.first().ok_or_else(|| nothing(project))?;
        let text = engine.read_file(first, &format!("/secrets/{CONTROL_TOKEN}")).await?;
        let token = ControlToken::given(&text)?;
        let control = |container: &Container| {
            let at = at(container, CONTROL)?;
            Ok::<_, String>(ControlClient::new(&format!("http://{at}"), Some(token.clone())))
        };
        let (mut sites, mut controls) = (Vec::new(), Vec::new());
        for replica in &replicas {
            sites.push(Arc::new(Site::replica(at(replica, DATA)?)));
            controls.push(control(replica)?);
        }
        let (origin, proxy) = (control(one(containers, "origin")?)?, control(one(containers, "cache-proxy")?)?);
        let cache = check_identities(&controls, &origin, &proxy, UP).await?;
        check_cache(cache, there)?;
        let replicas = replicas.iter().map(|replica| replica.number).collect();
        let cluster = (cache == StackCache::Cluster).then(|| AskedCluster::ByProxy(proxy.clone()));
        let behind = StackProxy { control: proxy.clone(), cache };
        let stack = Self { engine, proxy, cache, token, replicas };
        let endpoints = Endpoints {
            nodes: None,
            lab: "docker",
            sites,
            replicas: controls,
            origin: Some(origin),
            server: None,
            cluster,
            proxy: Some(behind),
            stack: Some(Arc::new(stack)),
        };
        Ok((cache, endpoints))
    }
}

/// The project's containers, once each part has had time to be well: the run before this one may have started some of them, and one
/// that was frozen is unhealthy until its next check.
async fn started(engine: &Engine) -> Result<Vec<Container>, String> {
    let deadline = tokio::time::Instant::now() + START_BUDGET;
    loop {
        let containers = engine.containers().await?;
        if tokio::time::Instant::now() > deadline || !is_getting_well(&containers) {
            return Ok(containers);
        }
        tokio::time::sleep(ASK_EVERY).await;
    }
}

/// The containers that a run needs.
fn parts(containers: &[Container]) -> impl Iterator<Item = &Container> {
    containers.iter().filter(|container| !BESIDE.contains(&container.service.as_str()))
}

/// Whether a part runs whose health check may yet say that it is well.
fn is_getting_well(containers: &[Container]) -> bool {
    parts(containers).any(|container| container.state == State::NotYetWell)
}

/// What the cache is, by the containers that there are.
fn topology(containers: &[Container]) -> StackCache {
    let has = |service: &str| containers.iter().any(|container| container.service == service);
    match (has("node-1"), has("sentinel-1")) {
        (true, _) => StackCache::Cluster,
        (false, true) => StackCache::Sentinel,
        (false, false) => StackCache::OneServer,
    }
}

/// Refuses a stack with servers beside those that its replicas use.
fn check_cache(used: StackCache, there: StackCache) -> Result<(), String> {
    if used == there {
        return Ok(());
    }
    Err(format!(
        "the containers of {} are up, and replicas use {}: docker compose was not given the file · {AGAIN}",
        there.words(),
        used.words()
    ))
}

/// The replicas of a stack of which every part is well.
fn whole(project: &str, containers: &[Container]) -> Result<Vec<Container>, String> {
    let parts: Vec<&Container> = parts(containers).collect();
    if parts.is_empty() {
        return Err(nothing(project));
    }
    let unwell: Vec<String> =
        parts.iter().filter(|c| c.state != State::Well).map(|c| format!("{} is {}", c.name(), c.status)).collect();
    if !unwell.is_empty() {
        let remedy = if parts.iter().any(|c| c.state == State::Paused) { ANEW } else { AGAIN };
        return Err(format!("project {project} is not whole: {} · {remedy}", unwell.join(", ")));
    }
    let formed = |container: &&Container| container.service == "cluster" && !container.status.contains("(0)");
    if let Some(container) = containers.iter().find(formed).filter(|of| of.state == State::Down) {
        return Err(format!(
            "project {project} has no whole cluster: {} is {} · {ANEW}",
            container.name(),
            container.status
        ));
    }
    for service in ["redis", "cache-proxy", "origin"] {
        one(containers, service)?;
    }
    let replicas: Vec<Container> = parts.into_iter().filter(|c| c.service == "app").cloned().collect();
    if replicas.is_empty() {
        return Err(format!("project {project} has no replica · {UP}"));
    }
    Ok(replicas)
}

fn nothing(project: &str) -> String {
    format!("no container of project {project} · {UP}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn container(service: &str, number: u32, state: State) -> Container {
        Container::for_tests(service, number, state)
    }

    #[test]
    fn a_stack_is_whole_or_the_sentence_says_what_is_missing_and_what_to_do() {
        let whole_one = || {
            let services = ["redis", "cache-proxy", "origin"].map(|s| container(s, 1, State::Well));
            let mut all = services.to_vec();
            all.extend((1..=2).map(|n| container("app", n, State::Well)));
            all.push(container("secrets", 1, State::Down));
            all.push(container("grafana", 1, State::NotYetWell)); // whatever it does
            all
        };
        assert_eq!(whole("p", &whole_one()).unwrap().len(), 2);
        let without = |service: &str| whole_one().into_iter().filter(|c| c.service != service).collect::<Vec<_>>();
        let with = |state| {
            let mut all = without("redis");
            all.push(container("redis", 1, state));
            all
        };
        let with_service = |service: &str| {
            let mut all = whole_one();
            all.push(container(service, 1, State::Down));
            all
        };
        let mut two_origins = whole_one();
        two_origins.push(container("origin", 2, State::Well));
        for (containers, words) in [
            (vec![], "no container of project p · docker compose up --build"),
            (vec![container("secrets", 1, State::Down)], "no container of project p"),
            (without("app"), "no replica"),
            (without("origin"), "the stack has no origin"),
            (two_origins, "more than one origin"),
            (with(State::Down), "redis-1 is as told · docker compose up -d --wait"),
            (with(State::NotYetWell), "redis-1 is as told"),
            (with(State::Paused), "--force-recreate"),
            (
                with_service("cluster"),
                "has no whole cluster: cluster-1 is as told · docker compose up -d --force-recreate",
            ),
        ] {
            let said = whole("p", &containers).unwrap_err();
            assert!(said.contains(words), "{words}: {said}");
        }
    }

    #[test]
    fn a_stack_with_other_servers_than_its_replicas_use_is_refused_and_remedies_name_its_file() {
        for (service, there, file) in [
            ("node-1", StackCache::Cluster, "docker/cluster.env"),
            ("sentinel-1", StackCache::Sentinel, "docker/sentinel.env"),
        ] {
            let containers = [container("redis", 1, State::Well), container(service, 1, State::Well)];
            assert_eq!(topology(&containers), there);
            assert_eq!(check_cache(there, there), Ok(()));
            let said = remedy_of(there, &check_cache(StackCache::OneServer, there).unwrap_err());
            let words = [there.words(), "replicas use one server", &format!("docker compose --env-file {file} up -d")];
            assert!(words.iter().all(|words| said.contains(words)), "{said}");
        }
        assert_eq!(topology(&[container("redis", 1, State::Well)]), StackCache::OneServer);
        assert_eq!(remedy_of(StackCache::OneServer, AGAIN), AGAIN);
    }

    #[test]
    fn a_part_that_is_unhealthy_is_waited_for_and_what_no_run_needs_is_not() {
        let of = |service, state| is_getting_well(&[container("redis", 1, State::Well), container(service, 1, state)]);
        assert!(of("app", State::NotYetWell));
        assert!(!of("app", State::Well) && !of("app", State::Paused) && !of("app", State::Down));
        assert!(!of("grafana", State::NotYetWell));
    }
}
