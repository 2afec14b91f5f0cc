//! The ways in which a leader can end, and what its follower in another replica gets, on a real Redis: one test for each,
//! under the lock and under the lease. The twins in virtual time are in `strategies/tests/it/leaders.rs` and `leases.rs`.

use std::time::Instant;

use app::cache::redis_server::PrivateRedis;
use app::testing;
use evidence::ReadEnd;

use crate::common::fleet::{Fleet, Replica, command, outcome, places};
use crate::common::{eventually, settings};
use strategies::port::{Event, LeaderEnd, OriginError};
use strategies::{Budgets, GetError, Key, Outcome, Served};
use tokio::task::JoinHandle;

type Asked = JoinHandle<Result<Served, GetError>>;

/// Two replicas, and a request of the first that leads the key's flight.
struct Story {
    redis: PrivateRedis,
    fleet: Fleet,
    led: Asked,
}

fn key() -> Key {
    Key::of_item(1)
}

impl Story {
    /// The leader's origin answer is held at its gate; `failing` makes it an error.
    async fn begin(spec: &str, failing: bool) -> Option<Self> {
        let redis = testing::redis(&[])?;
        let fleet = Fleet::of(spec, &redis, 2, settings(1, 4)).await;
        let leader = &fleet.replicas[0];
        fleet.origin_fails(failing).await;
        leader.gate.close();
        let led = leader.ask(&key());
        eventually("the leader has its answer in hand", async || leader.gate.held().len() == 1).await;
        fleet.origin_fails(false).await;
        Some(Self { redis, fleet, led })
    }

    fn leader(&self) -> &Replica {
        &self.fleet.replicas[0]
    }

    /// A request of the other replica, which has tried for the lock in vain, and polls.
    async fn follower(&self) -> Asked {
        let replica = &self.fleet.replicas[1];
        let asked = replica.ask(&key());
        // A GET, an acquire, and a GET more.
        eventually("the follower polls", async || replica.stack.cache_ops() >= 3).await;
        asked
    }

    /// What the first request got.
    async fn led(&mut self) -> Result<Served, GetError> {
        (&mut self.led).await.unwrap()
    }

    /// How the leaders of either replica ended, when everything has; and nobody holds the key.
    async fn ends(&self) -> [Vec<LeaderEnd>; 2] {
        self.fleet.quiet().await;
        assert!(!self.is_held().await);
        [0, 1].map(|index: usize| self.fleet.replicas[index].lock_ends())
    }

    async fn is_held(&self) -> bool {
        command::<bool>(&self.redis, &["EXISTS", &places(&key()).1]).await.unwrap()
    }

    async fn reads(&self) -> Vec<ReadEnd> {
        self.fleet.ledger().await.into_iter().filter_map(|row| row.outcome).collect()
    }
}

#[tokio::test]
async fn done() {
    for spec in ["plain + lock(poll=5ms)", "plain + lease(poll=5ms)"] {
        let Some(mut story) = Story::begin(spec, false).await else { return };
        let follower = story.follower().await;
        story.leader().gate.open();
        assert_eq!(outcome(&story.led().await), Some(Outcome::Load), "{spec}");
        assert_eq!(outcome(&follower.await.unwrap()), Some(Outcome::Wait), "{spec}");
        assert_eq!(story.ends().await, [vec![LeaderEnd::Done], vec![]], "{spec}");
        assert_eq!(story.reads().await, [ReadEnd::Ok], "{spec}");
    }
}

#[tokio::test]
async fn origin_error_and_the_follower_takes_over_at_its_next_poll() {
    for spec in ["plain + lock(poll=5ms)", "plain + lease(poll=5ms)"] {
        let Some(mut story) = Story::begin(spec, true).await else { return };
        let follower = story.follower().await;
        story.leader().gate.open();
        let failed = story.led().await;
        assert!(matches!(failed, Err(GetError::Origin { error: OriginError::Failed(_), .. })), "{spec}: {failed:?}");
        assert_eq!(outcome(&follower.await.unwrap()), Some(Outcome::Load), "{spec}");
        assert_eq!(story.ends().await, [vec![LeaderEnd::OriginError], vec![LeaderEnd::Done]], "{spec}");
        assert_eq!(story.reads().await, [ReadEnd::Failed, ReadEnd::Ok], "{spec}");
    }
}

#[tokio::test]
async fn timed_out_and_the_follower_takes_over() {
    // A lock's leader has its lock's life less half a second, a lease's its maximal age.
    for spec in ["plain + lock(lease=1500ms, poll=5ms)", "plain + lease(max_age=1s, poll=5ms)"] {
        let begun = Instant::now();
        let Some(mut story) = Story::begin(spec, false).await else { return };
        let follower = story.follower().await;
        let failed = story.led().await;
        assert!(begun.elapsed() < Budgets::USUAL.origin_read, "{spec}: by its own budget, not by that of any read");
        assert!(matches!(failed, Err(GetError::Origin { error: OriginError::TimedOut, .. })), "{spec}: {failed:?}");
        assert_eq!(outcome(&follower.await.unwrap()), Some(Outcome::Load), "{spec}");
        assert_eq!(story.ends().await, [vec![LeaderEnd::TimedOut], vec![LeaderEnd::Done]], "{spec}");
    }
}

#[tokio::test]
async fn lock_lost_to_an_eviction_and_the_answer_is_good_all_the_same() {
    for (spec, kept) in [("plain + lock", true), ("plain + lease", false)] {
        let Some(mut story) = Story::begin(spec, false).await else { return };
        let set = async |name, value| command::<()>(&story.redis, &["CONFIG", "SET", name, value]).await.unwrap();
        assert!(story.is_held().await);
        set("maxmemory-policy", "allkeys-random").await;
        set("maxmemory", "1").await;
        eventually("the server has thrown the lock away", async || !story.is_held().await).await;
        set("maxmemory", "0").await;
        let info: String = command(&story.redis, &["INFO", "stats"]).await.unwrap();
        assert!(info.contains("evicted_keys:1\r\n"), "{info}");

        story.leader().gate.open();
        assert_eq!(outcome(&story.led().await), Some(Outcome::Load), "{spec}");
        assert_eq!(story.ends().await, [vec![LeaderEnd::LockLost], vec![]], "{spec}");
        assert_eq!(story.leader().flight_ends(), [LeaderEnd::Done], "{spec}");
        // A lock's put is unconditional; a lease's is fenced off, for all that it could know.
        assert_eq!(story.leader().fenced(), usize::from(!kept), "{spec}");
        let next = story.fleet.replicas[1].get(&key()).await;
        assert_eq!(outcome(&next), Some(if kept { Outcome::Hit } else { Outcome::Load }), "{spec}");
    }
}

#[tokio::test]
async fn vanished_and_one_of_those_who_wait_takes_over_when_the_lock_ends() {
    for spec in ["plain + lock(lease=2500ms, poll=5ms)", "plain + lease(poll=5ms)"] {
        let Some(mut story) = Story::begin(spec, false).await else { return };
        let follower = story.follower().await;
        story.leader().crash();
        assert!(story.is_held().await, "{spec}: it took its lock with it");
        story.leader().gate.open();
        let mut outcomes = [outcome(&story.led().await), outcome(&follower.await.unwrap())];
        outcomes.sort();
        assert_eq!(outcomes, [Some(Outcome::Wait), Some(Outcome::Load)], "{spec}");
        let mut ends = story.ends().await.concat();
        ends.retain(|end| *end != LeaderEnd::Vanished);
        assert_eq!(ends, [LeaderEnd::Done], "{spec}");
        let vanished = |e: &Event| matches!(e, Event::LockEnded { end: LeaderEnd::Vanished, .. });
        assert_eq!(story.leader().count(vanished), 1, "{spec}");
        assert_eq!(story.leader().flight_ends()[0], LeaderEnd::Vanished, "{spec}");
        assert_eq!(story.reads().await.len(), 2, "{spec}");
    }
}
