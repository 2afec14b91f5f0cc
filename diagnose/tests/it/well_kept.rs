//! Redis kept as it should be has no finding, and is left as it was.

use std::collections::BTreeSet;

use crate::common::{Client, look, names, redis};
use diagnose::allowed::ALLOWED;
use diagnose::look::DiagnoseOptions;

/// A cache: a limit, a policy that evicts, TTLs that are spread.
fn cache() -> Option<(app::cache::redis_server::PrivateRedis, Client)> {
    let redis =
        redis(&["--maxmemory", "200mb", "--maxmemory-policy", "allkeys-lru", "--latency-monitor-threshold", "100"])?;
    let mut client = Client::of(&redis);
    client.eval("for i = 1, 20000 do redis.call('SET', 'item:' .. i, string.rep('x', 200), 'PX', 1000 + i * 180) end");
    Some((redis, client))
}

#[test]
fn a_well_kept_cache_has_no_finding_and_says_how_many_keys_were_looked_at() {
    let Some((redis, _client)) = cache() else { return };
    let diagnosis = look(&redis.url(), &DiagnoseOptions::default());
    assert_eq!(names(&diagnosis), [""; 0], "{:#?}", diagnosis.findings);
    assert!(!diagnosis.is_bad() && diagnosis.not_seen.is_empty(), "{:?}", diagnosis.not_seen);
    let sample = diagnosis.sample.unwrap();
    assert!((10_000..=20_000).contains(&sample.looked_at) && !sample.is_all, "{sample:?}");
    let all = look(&redis.url(), &DiagnoseOptions { sample: 50_000, monitor: None });
    assert!(all.sample.unwrap().is_all && all.findings.is_empty());
}

#[test]
fn a_well_kept_store_has_no_finding() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().to_str().unwrap();
    let Some(redis) = redis(&["--dir", dir, "--appendonly", "yes", "--appendfsync", "everysec", "--save", "3600 1"])
    else {
        return;
    };
    let mut client = Client::of(&redis);
    client.eval("for i = 1, 5000 do redis.call('HSET', 'user:' .. i, 'name', i) end");
    client.eval("for i = 1, 500 do redis.call('SET', 'session:' .. i, i, 'EX', 100 + i) end");
    let diagnosis = look(&redis.url(), &DiagnoseOptions::default());
    assert_eq!(names(&diagnosis), [""; 0], "{:#?}", diagnosis.findings);
}

#[test]
fn an_empty_one_has_none_either() {
    let Some(redis) = redis(&[]) else { return };
    assert_eq!(names(&look(&redis.url(), &DiagnoseOptions::default())), [""; 0]);
}

/// What a look may change is what any look of any client changes: counters of commands, connections and time.
#[test]
fn nothing_is_written_and_only_allowed_commands_are_counted() {
    let Some(redis) = redis(&["--maxmemory-policy", "allkeys-lfu"]) else { return };
    let mut client = Client::of(&redis);
    client.eval(
        "for i = 1, 3000 do redis.call('SET', 'k:' .. i, i, 'EX', 1000 + i) end redis.call('HSET', 'h', 'f', 'v')",
    );
    let state = |client: &mut Client| {
        (client.ask(&["DEBUG", "DIGEST"]), client.ask(&["CONFIG", "GET", "*"]), client.ask(&["ACL", "LIST"]))
    };
    let ends = |client: &mut Client| {
        client.ask(&[
            "EVAL",
            "local s = '' for i = 1, 3000 do s = s .. redis.call('PEXPIRETIME', 'k:' .. i) .. ',' end return s",
            "0",
        ])
    };
    client.ask(&["CONFIG", "RESETSTAT"]);
    let (before, ends_before) = (state(&mut client), ends(&mut client));
    client.ask(&["CONFIG", "RESETSTAT"]);
    look(&redis.url(), &DiagnoseOptions::default());
    let counted = client.ask(&["INFO", "commandstats"]);
    let dirty = client.ask(&["INFO", "persistence"]);
    assert_eq!((state(&mut client), ends(&mut client)), (before, ends_before));
    let allowed: BTreeSet<String> = ALLOWED.iter().map(|row| row.words.to_lowercase().replace(' ', "|")).collect();
    let commands: BTreeSet<String> = counted
        .lines()
        .filter_map(|line| Some(line.trim().strip_prefix("cmdstat_")?.split(':').next()?.to_owned()))
        .filter(|name| name != "config|resetstat")
        .collect();
    assert!(commands.contains("scan") && commands.contains("object|freq"), "{commands:?}");
    assert!(commands.is_subset(&allowed), "{commands:?} of {allowed:?}");
    assert!(dirty.contains("rdb_changes_since_last_save:3001"), "{dirty}");
}

/// The same on Valkey, where there is one.
#[test]
fn a_valkey_is_told_from_a_redis() {
    let find = || {
        std::env::split_paths(&std::env::var_os("PATH")?)
            .map(|dir| dir.join("valkey-server"))
            .find(|file| file.is_file())
    };
    let Some(server) = app::testing::needed("valkey", find) else { return };
    let valkey = app::cache::redis_server::PrivateRedis::start(&server, &[]).unwrap();
    let diagnosis = look(&valkey.url(), &DiagnoseOptions::default());
    assert_eq!((names(&diagnosis), diagnosis.server.kind.as_deref()), (vec![], Some("valkey")));
}
