//! The events that are about the cache's server itself: it forks, grows, refuses. Each goes over a connection of the generator's own.

use std::sync::PoisonError;

use app::cache::redis_cache::ServerHand;
use scenarios::{Action, ActionKind};

use super::changed::ChangedServer;
use super::inject::Injector;

/// What was told of an action, or why it failed.
type Told = Result<(String, Option<u32>), String>;

impl Injector<'_> {
    /// `None` where the action is not about the server. While it takes effect, and a second longer, cache operations may fail.
    pub(super) async fn act_on_server(&self, action: &Action) -> Option<Told> {
        if !action.kind.row().lab.is_server() {
            return None;
        }
        self.span(None);
        let told = self.do_to_server(action).await;
        // What lasts ends when it is undone, and what is done meanwhile with it.
        if self.changed.lock().await.is_none() {
            self.end_span(None);
        }
        Some(told.map(|said| (said, None)))
    }

    /// Ends what lasts.
    pub(super) async fn undo_on_server(&self) -> Told {
        self.set_server_back().await?;
        self.end_span(None);
        Ok(("cache has its settings back".into(), None))
    }

    async fn do_to_server(&self, action: &Action) -> Result<String, String> {
        let hand = self.server_hand()?;
        let said = match action.kind {
            ActionKind::CacheRewriteAof => hand.rewrite_aof().await?,
            ActionKind::CacheSave => hand.save().await?,
            ActionKind::CacheReset => {
                // A server that takes no new client still has the one that told it so.
                let changed = self.changed.lock().await;
                let hand = changed.as_ref().map_or(&hand, |changed| &changed.hand);
                format!("{} of them", hand.end_connections().await?)
            }
            // A byte is less than any server needs.
            ActionKind::CacheFull => {
                self.change(hand, &[("maxmemory-policy", "noeviction"), ("maxmemory", "1")]).await?
            }
            // Those that it has stay.
            ActionKind::CacheClients => self.change(hand, &[("maxclients", "1")]).await?,
            _ => {
                let from = *self.grown.lock().unwrap_or_else(PoisonError::into_inner);
                let to = from.saturating_add(action.keys);
                // Some are written even where not all can be.
                *self.grown.lock().unwrap_or_else(PoisonError::into_inner) = to;
                hand.grow(self.server_namespace()?, (from, to), self.scenario.keys.value_size.p50()).await?;
                return Ok(action.sentence(None));
            }
        };
        Ok(format!("{}: {said}", action.sentence(None)))
    }

    /// Changes settings of the server, to be set back. Events of one kind that overlap end together.
    async fn change(&self, hand: ServerHand, settings: &[(&'static str, &str)]) -> Result<String, String> {
        let mut changed = self.changed.lock().await;
        let changed = changed.get_or_insert_with(|| ChangedServer { hand, before: Vec::new() });
        for (name, value) in settings {
            let before = changed.hand.set(name, value).await?;
            changed.before.push((name, before));
        }
        Ok(settings.iter().map(|(name, value)| format!("{name} {value}")).collect::<Vec<_>>().join(", "))
    }

    /// Sets back what was changed, if anything was.
    pub(super) async fn set_server_back(&self) -> Result<(), String> {
        let Some(ChangedServer { hand, before }) = self.changed.lock().await.take() else { return Ok(()) };
        for (name, value) in before.iter().rev() {
            let told = hand.set(name, value).await;
            told.map_err(|why| format!("the server's {name} could not be set back to {value} · {why}"))?;
        }
        Ok(())
    }

    /// Takes away what [`ActionKind::CacheGrow`] has written.
    pub(super) async fn shrink_server(&self) -> Result<(), String> {
        let grown = std::mem::take(&mut *self.grown.lock().unwrap_or_else(PoisonError::into_inner));
        if grown == 0 {
            return Ok(());
        }
        let shrunk = self.server_hand()?.shrink(self.server_namespace()?, (0, grown)).await;
        shrunk
            .map_err(|why| format!("the keys of cache-grow could not be removed · {why} · remove lab:*:grown:* there"))
    }

    fn server_hand(&self) -> Result<ServerHand, String> {
        let server = self.endpoints.server.clone().ok_or("there is no server that the generator reaches")?;
        ServerHand::new(server).map_err(|flaw| flaw.to_string())
    }

    fn server_namespace(&self) -> Result<&str, String> {
        self.starts.first().map(|start| start.namespace.as_str()).ok_or_else(|| "there is no replica".to_owned())
    }
}
