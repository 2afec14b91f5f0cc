//! What lies in Redis where an entry or a lock should be, and is none: counted, overwritten, and never in the way of an
//! answer, whatever protects the fill.

use crate::common::fleet::{Fleet, command, outcome, places};
use crate::common::settings;
use app::cache::redis_server::PrivateRedis;
use app::testing;
use strategies::port::{CacheErrorClass, Event};
use strategies::{Key, Outcome};

const SPECS: [&str; 4] = ["plain", "plain + lock", "plain + lease", "stack"];

/// Commands in Lua, for what no command line can say: KEYS[1] is where the entry lies.
const SPOILT: [(&str, &str); 9] = [
    ("a list", "redis.call('DEL', KEYS[1]); redis.call('LPUSH', KEYS[1], 'x')"),
    ("nothing at all", "redis.call('SET', KEYS[1], '')"),
    ("something else", "redis.call('SET', KEYS[1], 'O:8:\"stdClass\":0:{}')"),
    ("cut in its header", "redis.call('SET', KEYS[1], string.sub(redis.call('GET', KEYS[1]), 1, 20))"),
    ("cut in its value", "redis.call('SET', KEYS[1], string.sub(redis.call('GET', KEYS[1]), 1, -2))"),
    ("a bit of its value turned", "redis.call('SETRANGE', KEYS[1], 90, '!')"),
    ("a newer format", "redis.call('SETRANGE', KEYS[1], 4, '\\2')"),
    (
        "a newer format, of a high version",
        "redis.call('SETRANGE', KEYS[1], 4, '\\2\\255\\255\\255\\255\\255\\255\\255\\255')",
    ),
    ("its version turned into a high one", "redis.call('SETRANGE', KEYS[1], 5, '\\127')"),
];

async fn spoil(redis: &PrivateRedis, key: &Key, script: &str) {
    let script = format!("{script} return 1");
    let _: u32 = command(redis, &["EVAL", &script, "1", &places(key).0]).await.unwrap();
}

#[tokio::test]
async fn a_spoilt_entry_is_one_counted_miss_and_is_overwritten() {
    for spec in SPECS {
        let Some(redis) = testing::redis(&[]) else { return };
        let fleet = Fleet::of(spec, &redis, 1, settings(1, 4)).await;
        let (replica, key) = (&fleet.replicas[0], Key::of_item(1));
        assert_eq!(outcome(&replica.get(&key).await), Some(Outcome::Load));
        for (number, (what, script)) in (1..).zip(SPOILT) {
            spoil(&redis, &key, script).await;
            let answer = replica.get(&key).await;
            assert_eq!(outcome(&answer), Some(Outcome::Load), "{spec}, {what}: {answer:?}");
            assert_eq!(outcome(&replica.get(&key).await), Some(Outcome::Hit), "{spec}, {what}: overwritten");
            assert!(replica.count(|e| matches!(e, Event::Corrupt(_))) >= number, "{spec}, {what}: counted");
            assert_eq!(replica.troubles(), [], "{spec}, {what}");
        }
        assert_eq!(fleet.ledger().await.len(), 1 + SPOILT.len(), "{spec}: one read each");
    }
}

#[tokio::test]
async fn what_is_no_lock_is_no_dead_end() {
    for spec in ["plain + lock", "plain + lease", "best"] {
        let Some(redis) = testing::redis(&[]) else { return };
        let fleet = Fleet::of(spec, &redis, 1, settings(1, 4)).await;
        let (replica, key) = (&fleet.replicas[0], Key::of_item(1));
        let _: u32 = command(&redis, &["LPUSH", &places(&key).1, "x"]).await.unwrap();
        let answer = replica.get(&key).await;
        assert_eq!(outcome(&answer), Some(Outcome::Load), "{spec}: {answer:?}");
        assert_eq!(outcome(&replica.get(&key).await), Some(Outcome::Hit), "{spec}");
        let failed = Event::CacheFailed { op: "acquire", class: CacheErrorClass::Refused };
        assert_eq!(replica.troubles(), [failed.clone(), failed, Event::LockFallback(key)], "{spec}: and it is said");
    }
}
