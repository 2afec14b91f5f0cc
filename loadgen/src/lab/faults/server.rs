//! The events that are about the cache's server itself: it forks, or it grows. Each goes over a connection of the generator's own.

use std::sync::PoisonError;

use app::cache::redis_cache::ServerHand;
use scenarios::{Action, ActionKind};

use super::inject::Injector;

/// What was told of an action, or why it failed.
type Told = Result<(String, Option<u32>), String>;

impl Injector<'_> {
    /// `None` where the action is not about the server. While it takes effect, and a second longer, cache operations may fail.
    pub(super) async fn act_on_server(&self, action: &Action) -> Option<Told> {
        if !matches!(action.kind, ActionKind::CacheRewriteAof | ActionKind::CacheSave | ActionKind::CacheGrow) {
            return None;
        }
        self.span(None);
        let told = self.do_to_server(action).await;
        self.end_span(None);
        Some(told.map(|said| (said, None)))
    }

    async fn do_to_server(&self, action: &Action) -> Result<String, String> {
        let hand = self.server_hand()?;
        let said = match action.kind {
            ActionKind::CacheRewriteAof => hand.rewrite_aof().await?,
            ActionKind::CacheSave => hand.save().await?,
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
