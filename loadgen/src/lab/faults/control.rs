//! The events that go through control listeners alone, and are the same in every real lab.

use app::wire::control::{CutChanges, Expire, FaultOrigin};
use evidence::OriginFault;
use scenarios::{Action, ActionKind, ReplicaTarget};
use strategies::time::nanos;

use super::inject::Injector;

impl Injector<'_> {
    pub(super) async fn act_by_control(&self, action: &Action) -> Result<(), String> {
        let all = Expire { first: 1, last: self.scenario.keys.existing() };
        match action.kind {
            ActionKind::Expire => self.expire(action.key.map_or(all, |key| Expire { first: key, last: key })).await,
            ActionKind::Flush => self.expire(all).await,
            ActionKind::OriginSlow => self.origin(action, OriginFault::Slow(action.factor)).await,
            ActionKind::OriginFail => self.origin(action, OriginFault::Fail).await,
            ActionKind::OriginPause => self.origin(action, OriginFault::Pause).await,
            ActionKind::SubscriberCut => self.cut_changes(action).await,
            // Refused before the run by `lab::check_events`.
            _ => Err("this lab can't do that".into()),
        }
    }

    /// Any replica that answers will do.
    async fn expire(&self, keys: Expire) -> Result<(), String> {
        let mut last = "there is no replica".to_owned();
        for control in &self.endpoints.replicas {
            match control.post::<()>("/expire", &keys).await {
                Ok(()) => return Ok(()),
                Err(error) => last = error.to_string(),
            }
        }
        Err(last)
    }

    /// The replicas that are meant hear of no changes: each ends its own connections by the server's hand.
    async fn cut_changes(&self, action: &Action) -> Result<(), String> {
        let meant = |index: usize| match action.target {
            None => Ok(true),
            Some(ReplicaTarget::Replica(number)) => Ok(index == number as usize),
            Some(ReplicaTarget::LockHolder) => {
                Err("a lock's holder hears no more than any other: name a replica, or none")
            }
        };
        let cut = CutChanges { for_ns: nanos(action.length) };
        for (index, control) in self.endpoints.replicas.iter().enumerate() {
            if meant(index)? {
                control.post::<()>("/unheard", &cut).await.map_err(|e| e.to_string())?;
            }
        }
        Ok(())
    }

    async fn origin(&self, action: &Action, kind: OriginFault) -> Result<(), String> {
        let control = self.endpoints.origin.as_ref().ok_or("there is no origin to control")?;
        let fault = FaultOrigin { kind, for_ns: nanos(action.length) };
        control.post::<()>("/fault", &fault).await.map_err(|e| e.to_string())
    }
}
