//! The control routes: what the lab tells a replica, and asks it.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{DefaultBodyLimit, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use evidence::CacheStatus;
use evidence::{CommandTimes, Heartbeat, ReplicaCounters, ReplicaEvents};
use futures_util::future::try_join_all;
use strategies::port::{Bus, Clock, Removal};
use strategies::{Cx, Key, WarmItem};

use super::running::{Replica, Running};
use crate::START_BODY_MAX;
use crate::wire::auth::ControlToken;
use crate::wire::control::{
    CutChanges, EndlessCounters, Expire, HeldLocks, Identity, LookAtCounters, Preflight, StartReplica, TryCache,
    WarmBurst, Warmed,
};
use crate::wire::listener::{Timekeeper, guarded, routes};
use crate::wire::programs;
use crate::wire::refuse::Refuse;

type Shared = State<Arc<Replica>>;

/// The most items that one warm-up reads and holds.
const WARM_ITEMS_MAX: u32 = 1_000_000;

pub(super) fn router(replica: Arc<Replica>, token: ControlToken) -> Router {
    let routes = routes()
        .route("/start", post(start).layer(DefaultBodyLimit::max(START_BODY_MAX)))
        .route("/warm", post(warm))
        .route("/expire", post(expire))
        .route("/unheard", post(unheard))
        .route("/mark", post(mark))
        .route("/counters", get(counters))
        .route("/command-times", get(command_times))
        .route("/events", get(events))
        .route("/cache", get(cache))
        .route("/preflight", post(preflight))
        .route("/held", get(held))
        .route("/endless", post(endless));
    guarded(routes, replica, token)
}

impl Timekeeper for Replica {
    fn identity(&self) -> Identity {
        Identity::new(programs::REPLICA, self.incarnation, &self.settings.described)
    }

    fn now_ns(&self) -> u64 {
        self.now_ns()
    }

    fn heartbeat(&self) -> Heartbeat {
        self.heartbeat()
    }
}

async fn start(State(replica): Shared, Json(start): Json<StartReplica>) -> Result<(), Refuse> {
    // Only what counts depends on the server's version.
    let server = match start.window_ns {
        Some(_) => replica.settings.cache.status().await.map_err(Refuse::failed)?.server,
        None => String::new(),
    };
    replica.start_on(&start, server).map_err(Refuse::bad)
}

async fn endless(State(replica): Shared, Json(look): Json<LookAtCounters>) -> Result<Json<EndlessCounters>, Refuse> {
    let running = running(&replica)?;
    let none = || Refuse(StatusCode::CONFLICT, "nothing counts here".into());
    let counters = running.counters.as_ref().ok_or_else(none)?;
    let items = counters.endless(look.items.min(WARM_ITEMS_MAX)).await.map_err(Refuse::failed)?;
    Ok(Json(EndlessCounters { items }))
}

async fn command_times(State(replica): Shared) -> Json<CommandTimes> {
    Json(replica.command_times())
}

async fn counters(State(replica): Shared) -> Json<ReplicaCounters> {
    Json(replica.counters())
}

async fn events(State(replica): Shared) -> Json<ReplicaEvents> {
    Json(replica.running().map(|running| running.events.lines()).unwrap_or_default())
}

async fn held(State(replica): Shared) -> Json<HeldLocks> {
    Json(replica.running().map(|running| running.held.tokens()).unwrap_or_default())
}

/// The measured phase begins: peaks count from now.
async fn mark(State(replica): Shared) -> Result<(), Refuse> {
    running(&replica)?.stack.mark();
    Ok(())
}

async fn cache(State(replica): Shared) -> Result<Json<CacheStatus>, Refuse> {
    replica.settings.cache.status().await.map(Json).map_err(Refuse::failed)
}

async fn preflight(State(replica): Shared, Json(of): Json<TryCache>) -> Json<Preflight> {
    let buses = Bus::ALL.into_iter().filter(|bus| of.buses.iter().any(|name| name == bus.name())).collect();
    let tried = replica.settings.cache.preflight(&of.namespace, buses).await;
    Json(tried.map_or_else(Preflight::Refused, Preflight::Ready))
}

async fn expire(State(replica): Shared, Json(expire): Json<Expire>) -> Result<(), Refuse> {
    let running = running(&replica)?;
    if expire.last.saturating_sub(expire.first) >= WARM_ITEMS_MAX {
        return Err(Refuse::bad(format!("more than {WARM_ITEMS_MAX} items to expire")));
    }
    let keys: Vec<Key> = (expire.first..=expire.last).map(Key::of_item).collect();
    let removals = keys.iter().map(|key| running.cache.cache.remove(key, Removal::Entry));
    try_join_all(removals).await.map(|_| ()).map_err(Refuse::failed)
}

/// Changes are not heard for a time.
async fn unheard(State(replica): Shared, Json(cut): Json<CutChanges>) -> Result<(), Refuse> {
    replica.settings.cache.cut_changes(Duration::from_nanos(cut.for_ns)).await.map_err(Refuse::failed)
}

/// Reads every item first and then puts them all in one burst: interleaved, the puts would come in the waves of the
/// origin's places and not expire together.
async fn warm(State(replica): Shared, Json(warm): Json<WarmBurst>) -> Result<Json<Warmed>, Refuse> {
    let running = &*running(&replica)?;
    if warm.items > WARM_ITEMS_MAX {
        return Err(Refuse::bad(format!("{} items to warm; at most {WARM_ITEMS_MAX}", warm.items)));
    }
    let open = replica.open_request();
    let deadline = replica.settings.clock.mono().plus(Duration::from_nanos(warm.within_ns));
    let cx = Cx { request: 0, deadline, replica: running.index };
    let kind = if warm.aged { scenarios::Warm::BurstAged } else { scenarios::Warm::BurstAll };
    let mut items = Vec::new();
    for chunk in (1..=warm.items).collect::<Vec<_>>().chunks(warm.at_once.max(1) as usize) {
        let reads = chunk.iter().map(|&number| async move {
            let key = Key::of_item(number);
            let item = running.stack.prefetch(cx, &key).await?;
            Ok::<_, strategies::GetError>(WarmItem { key, item, life_left: kind.life_left(number) })
        });
        items.extend(try_join_all(reads).await.map_err(Refuse::failed)?);
    }
    let put = running.stack.store_all(items, scenarios::Warm::PUTS_AT_ONCE).await;
    put.map_err(|error| Refuse::failed(format!("{}{error}", scenarios::Warm::PUT_FAILED)))?;
    drop(open);
    Ok(Json(Warmed { last_put_mono_ns: replica.now_ns() }))
}

fn running(replica: &Replica) -> Result<Arc<Running>, Refuse> {
    let none = || Refuse(StatusCode::CONFLICT, "no strategy runs here; POST /start first".into());
    replica.running().ok_or_else(none)
}
