//! Coalescing whose flight runs in the first caller's own future, and dies with it.

use std::sync::Arc;
use std::time::Duration;

use super::BrokenInfo;
use crate::fill::{Cx, Fill, Filled, FlightPlace, Flying, LoadFill, Want, as_followers_see};
use crate::port::BoxFuture;
use crate::port::error::GetError;
use crate::port::key::Key;

pub(super) const CALLERS_FLIGHT: BrokenInfo = BrokenInfo {
    name: "broken-callers-flight",
    composition: "plain + coalesce",
    reason: "when the first caller goes away, the flight goes with it and its followers fail",
    mistake: "single-flight that runs in the first request's own future or context",
    sabotage: |parts| parts.fill = |load, _| Arc::new(CallersFlight { load, flying: Flying::default() }),
};

struct CallersFlight {
    load: LoadFill,
    flying: Flying<Result<Filled, GetError>>,
}

impl Fill for CallersFlight {
    fn fill<'a>(&'a self, cx: Cx, key: &'a Key, want: Want) -> BoxFuture<'a, Result<Filled, GetError>> {
        Box::pin(async move {
            match self.flying.board(key, want.mode) {
                FlightPlace::Leads(landing) => {
                    let answer = self.load.lead(cx, key, want).await;
                    landing.land(&as_followers_see(&answer));
                    answer
                }
                FlightPlace::Follows(told) => told.await.unwrap_or(Err(GetError::LeadersVanished)),
                FlightPlace::None => Ok(Filled::Busy { retry_in: Duration::ZERO }),
            }
        })
    }
}
