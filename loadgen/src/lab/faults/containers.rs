//! The events that act on containers: the real thing. Each says that it happened only after the engine shows that it did.

use std::time::Duration;

use app::wire::control::{CacheDelay, Flushed, HeldLocks, Holder, Identity, LockOf, Namespace};
use evidence::CacheStatus;
use evidence::OriginRead;
use scenarios::{Action, ActionKind, ReplicaTarget};
use strategies::time::nanos;

use super::inject::Injector;
use crate::lab::docker::{Container, ContainerStack, State, remedy_of};
use crate::lab::offset;

/// How long the cache may take to answer again.
const CACHE_BACK_BUDGET: Duration = Duration::from_secs(15);
/// How often it is asked meanwhile.
const ASK_EVERY: Duration = Duration::from_millis(50);
/// How long a question that decides a target may take: what is not known by then is not known.
const QUESTION_BUDGET: Duration = Duration::from_secs(1);
/// The remedy for what could not be made whole.
const ANEW: &str = "docker compose up -d --force-recreate --wait";

/// What was told of an action, and the replica that it hit, if it was one; or why it failed.
type Done = Result<(String, Option<u32>), String>;

/// Which replicas an action hit, and what there is to say about that.
#[derive(Default)]
struct Hit {
    replicas: Vec<usize>,
    why: &'static str,
}

impl Injector<'_> {
    /// `None` where the action is not one on containers.
    pub(super) async fn act_on_stack(&self, stack: &ContainerStack, action: &Action) -> Option<Done> {
        let Action { kind, target, .. } = *action;
        let hit = match kind {
            ActionKind::Flush => return Some(self.flush(stack).await),
            ActionKind::CacheStop => self.stop_cache(stack).await,
            ActionKind::CachePause => self.pause_cache(stack).await,
            ActionKind::CacheRestart => self.restart_cache(stack).await,
            ActionKind::CacheLatency => self.slow_cache(stack, action).await,
            ActionKind::NetworkCut => self.cut(stack, target).await,
            ActionKind::ReplicaKill => self.kill(stack, target).await,
            ActionKind::ReplicaPause => self.pause(stack, target).await,
            ActionKind::ReplicaRestart => self.restart(stack, target).await,
            _ => return None,
        };
        Some(hit.map(|Hit { replicas, why }| {
            let names = (!replicas.is_empty()).then(|| list(&replicas));
            (action.sentence(names.as_deref()) + why, one(&replicas))
        }))
    }

    /// Ends what lasts. What was aimed at a lock's holder ends for the replica that it hit.
    pub(super) async fn undo_on_stack(&self, stack: &ContainerStack, action: &Action) -> Done {
        match action.kind {
            ActionKind::CacheStop => {
                stack.engine.start(&stack.redis().await?).await?;
                self.reach_the_cache(stack).await?;
                self.end_span(None);
                Ok(("cache started".into(), None))
            }
            ActionKind::CachePause => {
                stack.engine.unpause(&stack.redis().await?).await?;
                self.reach_the_cache(stack).await?;
                self.end_span(None);
                Ok(("cache goes on".into(), None))
            }
            ActionKind::CacheLatency => {
                self.end_span(None);
                Ok(("cache as fast as before".into(), None))
            }
            ActionKind::NetworkCut => {
                let replicas = self.connect_all(stack).await?;
                self.settle(stack, &replicas).await?;
                Ok((format!("{} connected again", list(&replicas)), one(&replicas)))
            }
            ActionKind::ReplicaPause => {
                let replicas = self.unpause_all(stack).await?;
                self.settle(stack, &replicas).await?;
                Ok((format!("{} goes on", list(&replicas)), one(&replicas)))
            }
            _ => Err("that does not last".into()),
        }
    }

    pub(super) async fn heal_stack(&self, stack: &ContainerStack) -> Result<(), String> {
        let failed =
            |why: String| remedy_of(stack.cache, &format!("the stack could not be made whole again · {why} · {ANEW}"));
        self.try_to_heal(stack).await.map_err(failed)
    }

    async fn try_to_heal(&self, stack: &ContainerStack) -> Result<(), String> {
        // The cache first: the others are well when they reach it.
        let redis = stack.redis().await?;
        match redis.state {
            State::Paused => stack.engine.unpause(&redis).await?,
            State::Down => stack.engine.start(&redis).await?,
            State::Well | State::NotYetWell => {}
        }
        self.unpause_all(stack).await?;
        self.connect_all(stack).await?;
        let none = CacheDelay { added_ns: 0, share: 1.0, for_ns: 0 };
        stack.proxy.post::<()>("/delay", &none).await.map_err(|e| e.to_string())?;
        for index in 0..self.endpoints.replicas.len() {
            let replica = stack.replica(index).await?;
            if replica.state == State::Down {
                stack.engine.start(&replica).await?;
                self.back(stack, index).await?;
            }
        }
        self.reach_the_cache(stack).await?;
        self.end_all_spans();
        Ok(())
    }

    async fn flush(&self, stack: &ContainerStack) -> Done {
        let begun = self.now_ns();
        self.told().emptied_ns.push(begun);
        let Flushed { removed } = stack.proxy.post("/flush", &self.namespace()?).await.map_err(|e| e.to_string())?;
        Ok((format!("flush: {removed} keys"), None))
    }

    async fn stop_cache(&self, stack: &ContainerStack) -> Result<Hit, String> {
        self.span(None);
        self.told().cache_ended = true;
        stack.engine.stop(&stack.redis().await?).await?;
        took_effect(stack.redis().await?, State::Down)?;
        Ok(Hit::default())
    }

    async fn pause_cache(&self, stack: &ContainerStack) -> Result<Hit, String> {
        self.span(None);
        stack.engine.pause(&stack.redis().await?).await?;
        took_effect(stack.redis().await?, State::Paused)?;
        Ok(Hit::default())
    }

    async fn restart_cache(&self, stack: &ContainerStack) -> Result<Hit, String> {
        self.span(None);
        self.told().cache_ended = true;
        stack.engine.restart(&stack.redis().await?).await?;
        self.reach_the_cache(stack).await?;
        self.end_span(None);
        Ok(Hit::default())
    }

    async fn slow_cache(&self, stack: &ContainerStack, action: &Action) -> Result<Hit, String> {
        self.span(None);
        let Action { added, share, length, .. } = *action;
        let delay = CacheDelay { added_ns: nanos(added), share, for_ns: nanos(length) };
        stack.proxy.post::<()>("/delay", &delay).await.map_err(|e| e.to_string())?;
        Ok(Hit::default())
    }

    async fn cut(&self, stack: &ContainerStack, target: Option<ReplicaTarget>) -> Result<Hit, String> {
        let network = stack.cache_network().await?;
        let hit = match target {
            Some(_) => self.aim(target).await?,
            None => Hit { replicas: (0..self.endpoints.replicas.len()).collect(), why: "" },
        };
        for index in &hit.replicas {
            self.span(Some(*index as u32));
            let replica = stack.replica(*index).await?;
            stack.engine.cut(&replica, &network).await?;
            if stack.engine.is_on(&replica, &network).await? {
                return Err(format!("{} is still on the cache's network", replica.name()));
            }
        }
        Ok(hit)
    }

    async fn kill(&self, stack: &ContainerStack, target: Option<ReplicaTarget>) -> Result<Hit, String> {
        let hit = self.aim(target).await?;
        for index in &hit.replicas {
            self.ends(*index);
            stack.engine.kill(&stack.replica(*index).await?).await?;
            took_effect(stack.replica(*index).await?, State::Down)?;
        }
        Ok(hit)
    }

    async fn pause(&self, stack: &ContainerStack, target: Option<ReplicaTarget>) -> Result<Hit, String> {
        let hit = self.aim(target).await?;
        for index in &hit.replicas {
            self.span(Some(*index as u32));
            stack.engine.pause(&stack.replica(*index).await?).await?;
            took_effect(stack.replica(*index).await?, State::Paused)?;
        }
        Ok(hit)
    }

    async fn restart(&self, stack: &ContainerStack, target: Option<ReplicaTarget>) -> Result<Hit, String> {
        let hit = self.aim(target).await?;
        for index in &hit.replicas {
            let replica = stack.replica(*index).await?;
            if replica.state == State::Down {
                stack.engine.start(&replica).await?;
            } else {
                self.ends(*index);
                stack.engine.restart(&replica).await?;
            }
            self.back(stack, *index).await?;
        }
        Ok(hit)
    }

    /// A replica's life ends here; what it did from its start on has no second witness.
    fn ends(&self, index: usize) {
        let lives = self.lives.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(life) = lives.get(index) {
            self.told().ended.insert(life.clone());
        }
    }

    /// A replica that was started is put to work: its strategy, its clock, and at last where clients find it.
    async fn back(&self, stack: &ContainerStack, index: usize) -> Result<(), String> {
        let (Some(control), Some(site)) = (self.endpoints.replicas.get(index), self.endpoints.sites.get(index)) else {
            return Err(format!("there is no replica-{index}"));
        };
        let data = stack.answers_again(index, control).await?;
        let text = |e: app::wire::control_client::ControlError| e.to_string();
        if let Some(start) = self.starts.get(index) {
            control.post::<()>("/start", start).await.map_err(text)?;
        }
        let clock = offset(control, &self.clock).await.map_err(text)?;
        let life = control.get::<Identity>("/identity").await.map_err(text)?.incarnation;
        if let Some(slot) = self.lives.lock().unwrap_or_else(std::sync::PoisonError::into_inner).get_mut(index) {
            *slot = life;
        }
        self.told().clocks.insert(index, clock);
        site.moved(data);
        Ok(())
    }

    /// What was done to these replicas is over when they reach the cache, if there is one to be reached.
    async fn settle(&self, stack: &ContainerStack, replicas: &[usize]) -> Result<(), String> {
        let network = stack.cache_network().await?;
        for index in replicas {
            let (replica, redis) = (stack.replica(*index).await?, stack.redis().await?);
            let up = |container: &Container| matches!(container.state, State::Well | State::NotYetWell);
            if up(&replica) && up(&redis) && stack.engine.is_on(&replica, &network).await? {
                self.reaches_the_cache(*index).await?;
            }
            self.end_span(Some(*index as u32));
        }
        Ok(())
    }

    async fn unpause_all(&self, stack: &ContainerStack) -> Result<Vec<usize>, String> {
        let mut replicas = Vec::new();
        for index in 0..self.endpoints.replicas.len() {
            let replica = stack.replica(index).await?;
            if replica.state == State::Paused {
                stack.engine.unpause(&replica).await?;
                replicas.push(index);
            }
        }
        Ok(replicas)
    }

    async fn connect_all(&self, stack: &ContainerStack) -> Result<Vec<usize>, String> {
        let network = stack.cache_network().await?;
        let mut replicas = Vec::new();
        for index in 0..self.endpoints.replicas.len() {
            let replica = stack.replica(index).await?;
            if !stack.engine.is_on(&replica, &network).await? {
                stack.engine.join(&replica, &network).await?;
                replicas.push(index);
            }
        }
        Ok(replicas)
    }

    fn end_all_spans(&self) {
        let replicas: Vec<Option<u32>> = self.told().spans.iter().map(|span| span.replica).collect();
        replicas.into_iter().for_each(|replica| self.end_span(replica));
    }

    /// Waits until every replica that is up reaches the cache: what was lost is found again only then.
    async fn reach_the_cache(&self, stack: &ContainerStack) -> Result<(), String> {
        for index in 0..self.endpoints.replicas.len() {
            if matches!(stack.replica(index).await?.state, State::Well | State::NotYetWell) {
                self.reaches_the_cache(index).await?;
            }
        }
        Ok(())
    }

    async fn reaches_the_cache(&self, index: usize) -> Result<(), String> {
        let control = self.endpoints.replicas.get(index).ok_or_else(|| format!("there is no replica-{index}"))?;
        let asking = async {
            loop {
                let asked = tokio::time::timeout(QUESTION_BUDGET, control.get::<CacheStatus>("/cache"));
                if let Ok(Ok(_)) = asked.await {
                    return;
                }
                tokio::time::sleep(ASK_EVERY).await;
            }
        };
        let late = |_| format!("replica-{index} does not reach the cache within {CACHE_BACK_BUDGET:?}");
        tokio::time::timeout(CACHE_BACK_BUDGET, asking).await.map_err(late)
    }

    fn namespace(&self) -> Result<Namespace, String> {
        let start = self.starts.first().ok_or("there is no replica")?;
        Ok(Namespace { namespace: start.namespace.clone() })
    }

    /// Which replica a target is at this moment.
    async fn aim(&self, target: Option<ReplicaTarget>) -> Result<Hit, String> {
        match target {
            None => Ok(Hit::default()),
            Some(ReplicaTarget::Replica(number)) => Ok(Hit { replicas: vec![number as usize], why: "" }),
            Some(ReplicaTarget::LockHolder) => {
                let late = |_| format!("the holder of the lock was not found within {QUESTION_BUDGET:?}");
                let holder = tokio::time::timeout(QUESTION_BUDGET, self.holder()).await.map_err(late)??;
                let why = if holder.is_some() { " (lock holder)" } else { " (nobody held the lock)" };
                Ok(Hit { replicas: vec![holder.unwrap_or(0)], why })
            }
        }
    }

    /// The replica whose token is in the hot key's lock, else the one that leads its flight at the origin.
    async fn holder(&self) -> Result<Option<usize>, String> {
        let text = |e: app::wire::control_client::ControlError| e.to_string();
        let Some(item) = self.scenario.keys.hot_key() else { return Ok(None) };
        let (Some(stack), Some(origin)) = (&self.endpoints.stack, &self.endpoints.origin) else { return Ok(None) };
        let of = LockOf { namespace: self.namespace()?.namespace, item };
        // In a cache that is gone nobody holds anything.
        if let Ok(Holder { token: Some(token) }) = stack.proxy.post("/holder", &of).await {
            for (index, control) in self.endpoints.replicas.iter().enumerate() {
                // One that is dead holds nothing.
                let held = control.get::<HeldLocks>("/held").await.map(|held| held.tokens).unwrap_or_default();
                if held.get(&item.to_string()) == Some(&token) {
                    return Ok(Some(index));
                }
            }
        }
        let ledger: Vec<OriginRead> = origin.get("/ledger").await.map_err(text)?;
        let open = ledger.iter().rev().find(|row| row.end_ns.is_none() && row.key == item.to_string());
        Ok(open.and_then(|row| row.replica).map(|replica| replica as usize))
    }
}

fn took_effect(container: Container, expected: State) -> Result<(), String> {
    if container.state == expected {
        return Ok(());
    }
    Err(format!("{} is {}", container.name(), container.status))
}

fn list(replicas: &[usize]) -> String {
    replicas.iter().map(|index| format!("replica-{index}")).collect::<Vec<_>>().join(", ")
}

fn one(replicas: &[usize]) -> Option<u32> {
    if let [only] = replicas { u32::try_from(*only).ok() } else { None }
}
