//! A stack that is reached by the names of its parts, from beside them: nobody asks an engine, whatever it is.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use app::wire::auth::ControlToken;
use app::wire::control::{Preflight, TryCache};
use app::wire::control_client::ControlClient;
use evidence::StackCache;
use tokio::time::Instant;

use super::endpoints::{Endpoints, StackProxy};
use super::identities::check_identities;
use super::shards::AskedCluster;
use super::stack_names::StackNames;
use crate::load::drive::Site;

/// Where programs listen in their containers.
const DATA: u16 = 8080;
const CONTROL: u16 = 8081;
/// How long the stack may take to be whole: what starts it may start this process first.
const WITHIN: Duration = Duration::from_secs(120);
/// How often it is looked for meanwhile.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// Replicas at most.
const REPLICAS_MAX: usize = 1000;

impl StackNames {
    /// Waits until the stack is whole, and looks at each of its parts.
    ///
    /// # Errors
    /// A sentence with the remedy: no token, a part that is not there, another build, mixed settings.
    pub async fn find(&self) -> Result<(StackCache, Endpoints), String> {
        let file = self.token.display();
        let text = std::fs::read_to_string(&self.token);
        let text =
            text.map_err(|why| format!("--token-file {file}: {why} · name the file of the stack's control token"))?;
        let token = ControlToken::given(&text).map_err(|why| format!("--token-file {file}: {why}"))?;
        let deadline = Instant::now() + WITHIN;
        loop {
            let why = match self.look(&token).await {
                Ok(found) => return Ok(found),
                Err(why) => why,
            };
            if Instant::now() > deadline {
                return Err(why);
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    async fn look(&self, token: &ControlToken) -> Result<(StackCache, Endpoints), String> {
        let Self { replicas, origin, proxy, expected, .. } = self;
        let found = addresses(replicas, DATA).await?;
        if let Some(expected) = expected.filter(|expected| found.len() != usize::from(*expected)) {
            return Err(format!(
                "{replicas} has {} addresses, and there are to be {expected} replicas · --replicas · start the others, or say how many \
                 there are",
                found.len()
            ));
        }
        if found.len() > REPLICAS_MAX {
            return Err(format!("{replicas} has {} addresses, allowed at most {REPLICAS_MAX} replicas", found.len()));
        }
        let control = |at: SocketAddr| ControlClient::new(&format!("http://{at}"), Some(token.clone()));
        let controls: Vec<_> = found.iter().map(|at| control(SocketAddr::new(at.ip(), CONTROL))).collect();
        let one = async |name: &str| match addresses(name, CONTROL).await?.as_slice() {
            [only] => Ok(control(*only)),
            several => Err(format!("{name} has {} addresses, needed one", several.len())),
        };
        let (origin, proxy) = (one(origin).await?, one(proxy).await?);
        let remedy = "bring the stack up with the image that this program is from";
        let cache = check_identities(&controls, &origin, &proxy, remedy).await?;
        if let Some(replica) = controls.first() {
            has_its_cache(replica).await?;
        }
        let endpoints = Endpoints {
            lab: "stack",
            sites: found.into_iter().map(|at| Arc::new(Site::replica(at))).collect(),
            replicas: controls,
            origin: Some(origin),
            server: None,
            cluster: (cache == StackCache::Cluster).then(|| AskedCluster::ByProxy(proxy.clone())),
            nodes: None,
            proxy: Some(StackProxy { control: proxy, cache }),
            stack: None,
        };
        Ok((cache, endpoints))
    }
}

/// Whether a replica's cache takes what it will do: a cluster that is being made does not yet.
async fn has_its_cache(replica: &ControlClient) -> Result<(), String> {
    // Others may be looking, too.
    let namespace = format!("looking-{:x}", app::wire::auth::entropy()?);
    let of = TryCache { namespace, buses: Vec::new() };
    match replica.post("/preflight", &of).await.map_err(|why| why.to_string())? {
        Preflight::Ready(_) => Ok(()),
        Preflight::Refused(refused) => {
            let said = report::text::escape::line(&refused.said);
            Err(format!("the cache does not take what the lab does: {said} · look at its log"))
        }
    }
}

/// What a name's addresses are, in order, so that all who ask number them alike.
async fn addresses(name: &str, port: u16) -> Result<Vec<SocketAddr>, String> {
    let found = tokio::net::lookup_host((name, port)).await;
    let found =
        found.map_err(|why| format!("{name} can't be found: {why} · is it up, and on a network of this process's?"))?;
    let mut found: Vec<SocketAddr> = found.collect();
    found.sort_unstable();
    found.dedup();
    Ok(found)
}
