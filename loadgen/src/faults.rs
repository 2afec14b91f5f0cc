//! A scenario's events, made to happen at their moments. What is listed in the record is what took effect.

use std::sync::{Mutex, PoisonError};

use app::control::{Expire, OriginFault, OriginFaultKind};
use app::runtime::RealClock;
use report::record::EventRow;
use scenarios::{Action, Event, Scenario};
use strategies::port::Clock;
use strategies::time::{Mono, nanos};
use strategies::units::duration_text;

use crate::drive::Pace;
use crate::lab::Endpoints;

/// Makes the events happen, one after the other; each is listed in `told` once it took effect, or with what kept it from
/// doing so. May be dropped at any await: what has not happened by then does not.
pub async fn inject(
    scenario: &Scenario,
    endpoints: &Endpoints,
    pace: &Pace,
    clock: RealClock,
    t0: Mono,
    told: &Mutex<Vec<EventRow>>,
) {
    for event in &scenario.events {
        pace.until(t0.plus(event.at)).await;
        let happened = act(event, scenario, endpoints).await;
        let (name, detail) = match happened {
            Ok(detail) => ("fault", detail),
            Err(why) => ("fault-failed", why),
        };
        let now = clock.mono();
        let t_ns = i64::try_from(i128::from(now.0) - i128::from(t0.0)).unwrap_or(i64::MAX);
        let row = EventRow { t_ns, event: name.into(), detail: Some(detail), ..EventRow::default() };
        told.lock().unwrap_or_else(PoisonError::into_inner).push(row);
    }
}

async fn act(event: &Event, scenario: &Scenario, endpoints: &Endpoints) -> Result<String, String> {
    let all = Expire { first: 1, last: scenario.keys.last() };
    let expire = async |keys: Expire, detail: String| {
        let control = endpoints.replicas.first().ok_or("there is no replica")?;
        control.post::<()>("/expire", &keys).await.map(|()| detail).map_err(|e| e.to_string())
    };
    let origin = async |kind, length, detail: String| {
        let fault = OriginFault { kind, for_ns: nanos(length) };
        let control = endpoints.origin.as_ref().ok_or("there is no origin to control")?;
        control.post::<()>("/fault", &fault).await.map(|()| detail).map_err(|e| e.to_string())
    };
    match event.action {
        Action::Expire { key: Some(key) } => expire(Expire { first: key, last: key }, format!("expire {key}")).await,
        Action::Expire { key: None } => expire(all, "expire all".into()).await,
        Action::Flush => expire(all, "flush".into()).await,
        Action::OriginSlow { factor, length } => {
            origin(
                OriginFaultKind::Slow(factor),
                length,
                format!("origin slow ×{factor} for {}", duration_text(length)),
            )
            .await
        }
        Action::OriginFail { length } => {
            origin(OriginFaultKind::Fail, length, format!("origin fails for {}", duration_text(length))).await
        }
        Action::OriginPause { length } => {
            origin(OriginFaultKind::Pause, length, format!("origin paused for {}", duration_text(length))).await
        }
        // Refused before the run by `lab::check_events`.
        _ => Err("this lab can't do that".into()),
    }
}
