//! The server behind the proxy: what it says of its own doings, and settings that a run gives it for a time.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use scenarios::SERVER_SETTINGS;
use tokio::sync::Mutex;
use tokio::task::JoinSet;

use crate::cache::redis_cache::{AddressFlaw, RedisAddress, ServerHand, ServerSample, ServerWatch};

/// The longest value of a setting.
const VALUE_BYTES_MAX: usize = 200;

/// A server as the injector's user sees it.
pub(super) struct BehindProxy {
    watch: Mutex<ServerWatch>,
    hand: ServerHand,
    set: Mutex<Configured>,
}

/// What is set, what it was before, and the task that sets it back.
#[derive(Default)]
struct Configured {
    now: BTreeMap<String, String>,
    before: Vec<(String, String)>,
    until: JoinSet<()>,
}

impl BehindProxy {
    pub(super) fn new(to: &RedisAddress) -> Result<Self, AddressFlaw> {
        let (watch, hand) = (ServerWatch::new(to.clone())?, ServerHand::new(to.clone())?);
        Ok(Self { watch: Mutex::new(watch), hand, set: Mutex::default() })
    }

    pub(super) async fn ask(&self) -> Result<ServerSample, String> {
        self.watch.lock().await.ask().await
    }

    /// Gives the server these settings and no others of the lab's, for `length`. What is set already is set once more, for a server that was
    /// started anew has lost it.
    ///
    /// # Errors
    /// A setting that is none of the lab's, or the server's words; then it has none of them.
    pub(super) async fn configure(
        self: &Arc<Self>,
        settings: BTreeMap<String, String>,
        length: Duration,
    ) -> Result<(), String> {
        for (name, value) in &settings {
            if !SERVER_SETTINGS.iter().any(|(known, _)| known == name) || value.len() > VALUE_BYTES_MAX {
                return Err(format!("{name:?} is no setting that the lab makes"));
            }
        }
        let mut set = self.set.lock().await;
        set.until.abort_all();
        let renewed = set.now == settings && set.before.len() == settings.len();
        if !renewed {
            self.restore(&mut set).await?;
        }
        for (name, value) in &settings {
            match self.hand.set(name, value).await {
                Ok(_) if renewed => {}
                Ok(before) => set.before.push((name.clone(), before)),
                Err(why) => {
                    let _ = self.restore(&mut set).await;
                    return Err(format!("{name}: {why}"));
                }
            }
        }
        set.now = settings;
        if !set.now.is_empty() {
            let this = Arc::clone(self);
            set.until.spawn(async move {
                tokio::time::sleep(length).await;
                let _ = this.restore(&mut *this.set.lock().await).await;
            });
        }
        Ok(())
    }

    /// Sets back what was set, the last first. What could not be set back is tried again next time.
    async fn restore(&self, set: &mut Configured) -> Result<(), String> {
        set.now.clear();
        while let Some((name, before)) = set.before.last() {
            self.hand.set(name, before).await.map_err(|why| format!("{name}: {why}"))?;
            set.before.pop();
        }
        Ok(())
    }
}
