//! The Docker engine, as far as the lab needs it: this project's containers and networks, found by Compose's labels, and
//! the few things that are done to them. Nothing without those labels can be named here, let alone touched.

use std::collections::BTreeMap;

use bollard::Docker;
use bollard::errors::Error;
use bollard::models::{
    ContainerStatsResponse, ContainerSummary, ContainerSummaryStateEnum, NetworkConnectRequest,
    NetworkDisconnectRequest,
};
use bollard::query_parameters::{
    DownloadFromContainerOptionsBuilder, KillContainerOptionsBuilder, ListContainersOptionsBuilder,
    ListNetworksOptionsBuilder, RestartContainerOptionsBuilder, StartContainerOptions, StatsOptionsBuilder,
    StopContainerOptionsBuilder,
};
use futures_util::{Stream, StreamExt};

const PROJECT: &str = "com.docker.compose.project";
const SERVICE: &str = "com.docker.compose.service";
const NUMBER: &str = "com.docker.compose.container-number";
const NETWORK: &str = "com.docker.compose.network";

/// The largest archive that is read: a file of a few bytes in a tar.
const ARCHIVE_BYTES_MAX: usize = 1 << 16;
/// A tar block.
const BLOCK: usize = 512;

/// The engine, and the Compose project whose containers are ours.
#[derive(Clone)]
pub struct Engine {
    docker: Docker,
    project: String,
}

/// One of the project's containers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Container {
    id: String,
    /// Compose's service.
    pub service: String,
    /// Its number in the service, from 1.
    pub number: u32,
    /// What it does now.
    pub state: State,
    /// The engine's words for it: `Up 5 seconds (healthy)`.
    pub status: String,
    /// Published ports on loopback: the container's own → the host's.
    pub ports: BTreeMap<u16, u16>,
}

/// What a container does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It runs, and is healthy where it has a health check.
    Well,
    /// It runs, and its health check has not (yet) said that it is well.
    NotYetWell,
    /// It is frozen.
    Paused,
    /// It does not run.
    Down,
}

impl Container {
    fn of(summary: ContainerSummary) -> Option<Self> {
        let labels = summary.labels.unwrap_or_default();
        let status = summary.status.unwrap_or_default();
        let state = match summary.state {
            Some(ContainerSummaryStateEnum::RUNNING) if status.contains("healthy") || status.contains("health:") => {
                if status.contains("(healthy)") {
                    State::Well
                } else {
                    State::NotYetWell
                }
            }
            Some(ContainerSummaryStateEnum::RUNNING) => State::Well,
            Some(ContainerSummaryStateEnum::PAUSED) => State::Paused,
            _ => State::Down,
        };
        let ports = summary.ports.unwrap_or_default();
        Some(Self {
            id: summary.id?,
            service: labels.get(SERVICE)?.clone(),
            number: labels.get(NUMBER)?.parse().ok()?,
            state,
            status,
            ports: ports.into_iter().filter_map(|p| Some((p.private_port, p.public_port?))).collect(),
        })
    }

    /// A container that no engine has.
    #[cfg(test)]
    pub(super) fn for_tests(service: &str, number: u32, state: State) -> Self {
        let (service, status) = (service.to_owned(), "as told".to_owned());
        Self { id: String::new(), service, number, state, status, ports: BTreeMap::new() }
    }

    /// Its name for people: `app-2`.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{}-{}", self.service, self.number)
    }
}

impl Engine {
    /// Reaches the engine at `DOCKER_HOST`, or at its usual socket.
    ///
    /// # Errors
    /// A sentence with what to do where it cannot be reached.
    pub async fn connect(project: &str) -> Result<Self, String> {
        let host = std::env::var("DOCKER_HOST").unwrap_or_else(|_| "unix:///var/run/docker.sock".into());
        let docker = Docker::connect_with_defaults().map_err(|e| unreachable(&host, &e))?;
        docker.ping().await.map_err(|e| unreachable(&host, &e))?;
        let docker = docker.negotiate_version().await.map_err(|e| unreachable(&host, &e))?;
        Ok(Self { docker, project: project.to_owned() })
    }

    /// The project's containers, whatever they do, in order of service and number.
    ///
    /// # Errors
    /// The engine's words.
    pub async fn containers(&self) -> Result<Vec<Container>, String> {
        let filters = BTreeMap::from([("label", vec![format!("{PROJECT}={}", self.project)])]);
        let options = ListContainersOptionsBuilder::default().all(true).filters(&filters.into_iter().collect()).build();
        let listed = self.docker.list_containers(Some(options)).await.map_err(|e| said("listing containers", &e))?;
        let mut containers: Vec<Container> = listed.into_iter().filter_map(Container::of).collect();
        containers.sort_by(|a, b| (&a.service, a.number).cmp(&(&b.service, b.number)));
        Ok(containers)
    }

    /// The id of one of the project's networks.
    ///
    /// # Errors
    /// Where there is no such network, or in the engine's words.
    pub async fn network(&self, name: &str) -> Result<String, String> {
        let labels = vec![format!("{PROJECT}={}", self.project), format!("{NETWORK}={name}")];
        let filters = BTreeMap::from([("label", labels)]);
        let options = ListNetworksOptionsBuilder::default().filters(&filters.into_iter().collect()).build();
        let listed = self.docker.list_networks(Some(options)).await.map_err(|e| said("listing networks", &e))?;
        let found = listed.into_iter().find_map(|network| network.id);
        found.ok_or_else(|| format!("project {} has no network {name}", self.project))
    }

    /// Whether a container is on a network.
    ///
    /// # Errors
    /// The engine's words.
    pub async fn is_on(&self, container: &Container, network: &str) -> Result<bool, String> {
        let inspected = self.docker.inspect_container(&container.id, None).await;
        let inspected = inspected.map_err(|e| said(&format!("inspecting {}", container.name()), &e))?;
        let networks = inspected.network_settings.and_then(|s| s.networks).unwrap_or_default();
        Ok(networks.values().any(|end| end.network_id.as_deref() == Some(network)))
    }

    /// Takes a container off a network.
    ///
    /// # Errors
    /// The engine's words.
    pub async fn cut(&self, container: &Container, network: &str) -> Result<(), String> {
        let request = NetworkDisconnectRequest { container: container.id.clone(), force: Some(true) };
        let done = self.docker.disconnect_network(network, request).await;
        done.map_err(|e| said(&format!("cutting {} off", container.name()), &e))
    }

    /// Puts a container onto a network.
    ///
    /// # Errors
    /// The engine's words.
    pub async fn join(&self, container: &Container, network: &str) -> Result<(), String> {
        let request = NetworkConnectRequest { container: container.id.clone(), endpoint_config: None };
        let done = self.docker.connect_network(network, request).await;
        done.map_err(|e| said(&format!("connecting {} again", container.name()), &e))
    }

    /// Kills a container: SIGKILL, no last word.
    ///
    /// # Errors
    /// The engine's words.
    pub async fn kill(&self, container: &Container) -> Result<(), String> {
        let options = KillContainerOptionsBuilder::default().signal("SIGKILL").build();
        let done = self.docker.kill_container(&container.id, Some(options)).await;
        done.map_err(|e| said(&format!("killing {}", container.name()), &e))
    }

    /// Stops a container, without a long wait for its consent.
    ///
    /// # Errors
    /// The engine's words.
    pub async fn stop(&self, container: &Container) -> Result<(), String> {
        let options = StopContainerOptionsBuilder::default().t(1).build();
        let done = self.docker.stop_container(&container.id, Some(options)).await;
        done.map_err(|e| said(&format!("stopping {}", container.name()), &e))
    }

    /// Starts a container that is down.
    ///
    /// # Errors
    /// The engine's words.
    pub async fn start(&self, container: &Container) -> Result<(), String> {
        let done = self.docker.start_container(&container.id, None::<StartContainerOptions>).await;
        done.map_err(|e| said(&format!("starting {}", container.name()), &e))
    }

    /// Stops and starts a container.
    ///
    /// # Errors
    /// The engine's words.
    pub async fn restart(&self, container: &Container) -> Result<(), String> {
        let options = RestartContainerOptionsBuilder::default().t(1).build();
        let done = self.docker.restart_container(&container.id, Some(options)).await;
        done.map_err(|e| said(&format!("restarting {}", container.name()), &e))
    }

    /// Freezes a container.
    ///
    /// # Errors
    /// The engine's words.
    pub async fn pause(&self, container: &Container) -> Result<(), String> {
        let done = self.docker.pause_container(&container.id).await;
        done.map_err(|e| said(&format!("pausing {}", container.name()), &e))
    }

    /// Lets a frozen container go on.
    ///
    /// # Errors
    /// The engine's words.
    pub async fn unpause(&self, container: &Container) -> Result<(), String> {
        let done = self.docker.unpause_container(&container.id).await;
        done.map_err(|e| said(&format!("unpausing {}", container.name()), &e))
    }

    /// A small file of a container, from whatever volume is mounted there.
    ///
    /// # Errors
    /// The engine's words, or where it is no small file.
    pub async fn read_file(&self, container: &Container, path: &str) -> Result<String, String> {
        let options = DownloadFromContainerOptionsBuilder::default().path(path).build();
        let mut parts = Box::pin(self.docker.download_from_container(&container.id, Some(options)));
        let mut archive = Vec::new();
        while let Some(part) = parts.next().await {
            archive.extend_from_slice(&part.map_err(|e| said(&format!("reading {path} of {}", container.name()), &e))?);
            if archive.len() > ARCHIVE_BYTES_MAX {
                return Err(format!("{path} of {} is too large", container.name()));
            }
        }
        first_file(&archive).ok_or_else(|| format!("{path} of {} is no file", container.name()))
    }

    /// A container's use of the machine, once a second, until it ends.
    pub fn stats(&self, container: &Container) -> impl Stream<Item = ContainerStatsResponse> + use<'_> {
        let options = StatsOptionsBuilder::default().stream(true).build();
        self.docker.stats(&container.id, Some(options)).filter_map(|sample| std::future::ready(sample.ok()))
    }
}

/// The contents of a tar's first entry, where that is a plain file.
fn first_file(tar: &[u8]) -> Option<String> {
    let header = tar.get(..BLOCK)?;
    let size = std::str::from_utf8(header.get(124..136)?).ok()?;
    let size = usize::from_str_radix(size.trim_matches(['\0', ' ']), 8).ok()?;
    let is_plain = matches!(header.get(156)?, b'0' | 0);
    let contents = tar.get(BLOCK..BLOCK.checked_add(size)?)?;
    is_plain.then(|| String::from_utf8(contents.to_vec()).ok()).flatten()
}

fn said(doing: &str, error: &Error) -> String {
    match error {
        Error::DockerResponseServerError { message, .. } => format!("{doing}: {message}"),
        other => format!("{doing}: {}", chain(other)),
    }
}

fn unreachable(host: &str, error: &Error) -> String {
    let why = chain(error);
    let advice = if why.contains("ermission denied") {
        "join the group that owns the socket, or use rootless Docker"
    } else {
        "start Docker, or set DOCKER_HOST"
    };
    format!("cannot reach Docker at {host} · {why} · {advice}")
}

/// An error with its causes; the outermost says "error trying to connect" and no more.
fn chain(error: &dyn std::error::Error) -> String {
    let mut causes: Vec<String> = Vec::new();
    for cause in std::iter::successors(Some(error), |e| e.source()) {
        let text = cause.to_string();
        if causes.last() != Some(&text) {
            causes.push(text);
        }
    }
    causes.join(": ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tar(kind: u8, size: &str, contents: &[u8]) -> Vec<u8> {
        let mut tar = vec![0; BLOCK];
        tar[124..124 + size.len()].copy_from_slice(size.as_bytes());
        tar[156] = kind;
        tar.extend_from_slice(contents);
        tar.resize(tar.len().next_multiple_of(BLOCK), 0);
        tar
    }

    #[test]
    fn a_small_file_is_found_in_its_archive_and_nothing_else_is_taken_for_one() {
        assert_eq!(first_file(&tar(b'0', "00000000005", b"token")), Some("token".into()));
        for bad in [tar(b'5', "00000000000", b""), tar(b'0', "99", b"token"), tar(b'0', "00000077777", b"token")] {
            assert_eq!(first_file(&bad), None);
        }
        assert_eq!(first_file(b"short"), None);
    }

    #[test]
    fn a_container_is_known_by_its_labels_and_its_health() {
        let summary = |state, status: &str| ContainerSummary {
            id: Some("1".into()),
            labels: Some([(SERVICE.to_owned(), "app".to_owned()), (NUMBER.to_owned(), "2".to_owned())].into()),
            state: Some(state),
            status: Some(status.into()),
            ..ContainerSummary::default()
        };
        use ContainerSummaryStateEnum::{EXITED, PAUSED, RUNNING};
        for (state, status, expected) in [
            (RUNNING, "Up 5 seconds (healthy)", State::Well),
            (RUNNING, "Up 5 seconds", State::Well),
            (RUNNING, "Up 1 second (health: starting)", State::NotYetWell),
            (RUNNING, "Up 1 minute (unhealthy)", State::NotYetWell),
            (PAUSED, "Up 1 minute (Paused)", State::Paused),
            (EXITED, "Exited (137) 2 seconds ago", State::Down),
        ] {
            let container = Container::of(summary(state, status)).unwrap();
            assert_eq!((container.state, container.name().as_str()), (expected, "app-2"), "{status}");
        }
        assert_eq!(Container::of(ContainerSummary { labels: None, ..summary(RUNNING, "Up") }), None);
    }
}
