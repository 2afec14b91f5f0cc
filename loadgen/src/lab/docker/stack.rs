//! A stack that is up: which containers it has, and where they listen now.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use app::wire::auth::ControlToken;
use app::wire::control::Identity;
use app::wire::control_client::ControlClient;

use super::engine::{Container, Engine};
use evidence::StackCache;

/// How it is brought up; the remedy in most of what can be wrong.
pub(super) const UP: &str = "docker compose up --build -d --wait";
/// Where programs listen inside their containers.
pub(super) const DATA: u16 = 8080;
pub(super) const CONTROL: u16 = 8081;
/// How long a container that was started may take until its program answers.
pub(super) const START_BUDGET: Duration = Duration::from_secs(15);
/// How often it is asked meanwhile.
pub(super) const ASK_EVERY: Duration = Duration::from_millis(50);

/// The Compose project: `COMPOSE_PROJECT_NAME`, else the name in compose.yaml.
#[must_use]
pub fn project() -> String {
    let given = std::env::var("COMPOSE_PROJECT_NAME").ok().filter(|name| !name.is_empty());
    given.unwrap_or_else(|| "stampede-lab".into())
}

/// A sentence whose commands bring up a stack with this cache, and no other.
#[must_use]
pub(in crate::lab) fn remedy_of(cache: StackCache, sentence: &str) -> String {
    let file = match cache {
        StackCache::OneServer => return sentence.to_owned(),
        StackCache::Cluster => "docker/cluster.env",
        StackCache::Sentinel => "docker/sentinel.env",
    };
    sentence.replace("docker compose up", &format!("docker compose --env-file {file} up"))
}

/// A stack that is up and whole.
pub struct ContainerStack {
    /// The engine.
    pub engine: Engine,
    /// The cache proxy's control.
    pub proxy: ControlClient,
    /// What its cache is.
    pub cache: StackCache,
    pub(super) token: ControlToken,
    pub(super) replicas: Vec<u32>,
}

impl ContainerStack {
    /// A replica's container as it is now.
    ///
    /// # Errors
    /// Where there is none any more.
    pub async fn replica(&self, index: usize) -> Result<Container, String> {
        let number = self.replicas.get(index).copied().ok_or_else(|| format!("there is no replica-{index}"))?;
        let containers = self.engine.containers().await?;
        let found = containers.into_iter().find(|c| c.service == "app" && c.number == number);
        found.ok_or_else(|| format!("app-{number} is no longer there"))
    }

    /// Redis' container as it is now.
    ///
    /// # Errors
    /// Where there is none any more.
    pub async fn redis(&self) -> Result<Container, String> {
        one(&self.engine.containers().await?, "redis").cloned()
    }

    /// The network between replicas and cache.
    ///
    /// # Errors
    /// Where there is none any more.
    pub async fn cache_network(&self) -> Result<String, String> {
        self.engine.network("cache").await
    }

    /// A replica that was started again: waits until its program answers, tells `control` where it is now, and says where
    /// its data listener is. Ports can move at each start.
    ///
    /// # Errors
    /// Where it does not answer in time.
    pub async fn answers_again(&self, index: usize, control: &ControlClient) -> Result<SocketAddr, String> {
        let deadline = tokio::time::Instant::now() + START_BUDGET;
        loop {
            let last = match self.find_replica(index, control).await {
                Ok(data) => return Ok(data),
                Err(why) => why,
            };
            if tokio::time::Instant::now() > deadline {
                return Err(format!("replica-{index} does not answer after its start: {last}"));
            }
            tokio::time::sleep(ASK_EVERY).await;
        }
    }

    async fn find_replica(&self, index: usize, control: &ControlClient) -> Result<SocketAddr, String> {
        let container = self.replica(index).await?;
        let (data, at) = (at(&container, DATA)?, at(&container, CONTROL)?);
        let base = format!("http://{at}");
        // A client of its own: kept connections to the life before would each fail once.
        let fresh = ControlClient::new(&base, Some(self.token.clone()));
        fresh.get::<Identity>("/identity").await.map_err(|e| e.to_string())?;
        control.moved(&base);
        Ok(data)
    }
}

pub(super) fn one<'a>(containers: &'a [Container], service: &str) -> Result<&'a Container, String> {
    let mut found = containers.iter().filter(|c| c.service == service);
    match (found.next(), found.next()) {
        (Some(only), None) => Ok(only),
        (None, _) => Err(format!("the stack has no {service} · {UP}")),
        (Some(_), Some(_)) => Err(format!("the stack has more than one {service} · {UP}")),
    }
}

pub(super) fn at(container: &Container, port: u16) -> Result<SocketAddr, String> {
    let published = container.ports.get(&port);
    let published = published.ok_or_else(|| format!("port {port} of {} is not published", container.name()))?;
    Ok((Ipv4Addr::LOCALHOST, *published).into())
}
