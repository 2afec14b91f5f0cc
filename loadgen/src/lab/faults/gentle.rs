//! The events that go through control listeners alone, and are the same in every real lab.

use app::wire::control::{Expire, OriginFault, OriginFaultKind};
use scenarios::Action;
use strategies::time::nanos;
use strategies::units::duration_text;

use super::Injector;

impl Injector<'_> {
    pub(super) async fn gently(&self, action: &Action) -> Result<String, String> {
        let all = Expire { first: 1, last: self.scenario.keys.n };
        match *action {
            Action::Expire { key: Some(key) } => {
                self.expire(Expire { first: key, last: key }, format!("expire {key}")).await
            }
            Action::Expire { key: None } => self.expire(all, "expire all".into()).await,
            Action::Flush => self.expire(all, "flush".into()).await,
            Action::OriginSlow { factor, length } => {
                let detail = format!("origin slow ×{factor} for {}", duration_text(length));
                self.origin(OriginFault { kind: OriginFaultKind::Slow(factor), for_ns: nanos(length) }, detail).await
            }
            Action::OriginFail { length } => {
                let detail = format!("origin fails for {}", duration_text(length));
                self.origin(OriginFault { kind: OriginFaultKind::Fail, for_ns: nanos(length) }, detail).await
            }
            Action::OriginPause { length } => {
                let detail = format!("origin paused for {}", duration_text(length));
                self.origin(OriginFault { kind: OriginFaultKind::Pause, for_ns: nanos(length) }, detail).await
            }
            // Refused before the run by `lab::check_events`.
            _ => Err("this lab can't do that".into()),
        }
    }

    /// Any replica that answers will do.
    async fn expire(&self, keys: Expire, detail: String) -> Result<String, String> {
        let mut last = "there is no replica".to_owned();
        for control in &self.endpoints.replicas {
            match control.post::<()>("/expire", &keys).await {
                Ok(()) => return Ok(detail),
                Err(error) => last = error.to_string(),
            }
        }
        Err(last)
    }

    async fn origin(&self, fault: OriginFault, detail: String) -> Result<String, String> {
        let control = self.endpoints.origin.as_ref().ok_or("there is no origin to control")?;
        control.post::<()>("/fault", &fault).await.map(|()| detail).map_err(|e| e.to_string())
    }
}
