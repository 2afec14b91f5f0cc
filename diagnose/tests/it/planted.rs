//! One fault a test, really caused, and found: it, and nothing that is not there. Faults that are the traffic's or the fleet's are in
//! `planted_traffic.rs` and `planted_fleet.rs`.

use std::path::Path;

use crate::common::{Client, look, only, redis, slowed, until_found, until_said};
use app::cache::redis_server::PrivateRedis;
use diagnose::findings::RULES;
use diagnose::look::DiagnoseOptions;
use diagnose::record::Severity;

#[test]
fn every_rule_has_a_test_that_causes_its_fault() {
    let tests =
        [include_str!("planted.rs"), include_str!("planted_traffic.rs"), include_str!("planted_fleet.rs")].concat();
    for rule in RULES {
        assert!(tests.contains(&format!("\"{}\", Severity::", rule.name)), "nobody causes {}", rule.name);
    }
}

#[test]
fn a_server_that_is_open_to_all() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().to_string();
    // 192.0.2.1 is nobody's, and `-` lets it be absent: so it would listen there, and nothing is exposed.
    let open = ["--port", &port, "--protected-mode", "no", "--bind", "127.0.0.1", "-192.0.2.1"];
    let Some(redis) = redis(&open) else { return };
    let url = redis.url();
    only(&look(&url, &DiagnoseOptions::default()), "open-to-all", Severity::Critical, &[]);
    let mut client = Client::of(&redis);
    client.ask(&["CONFIG", "SET", "protected-mode", "yes"]);
    assert!(look(&url, &DiagnoseOptions::default()).findings.is_empty());
    client.ask(&["CONFIG", "SET", "protected-mode", "no"]);
    client.ask(&["ACL", "SETUSER", "default", ">secret"]);
    client.ask(&["ACL", "SETUSER", "default", "resetpass", ">secret"]);
    assert!(look(&format!("{url}?pass=secret"), &DiagnoseOptions::default()).findings.is_empty());
}

#[test]
fn a_snapshot_that_fails() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().to_str().unwrap();
    let Some(redis) = redis(&["--dir", dir, "--save", "3600 1"]) else { return };
    // Where the snapshot is to go lies a folder.
    std::fs::create_dir(Path::new(dir).join("dump.rdb")).unwrap();
    let mut client = Client::of(&redis);
    client.ask(&["BGSAVE"]);
    until_said(&mut client, &["INFO", "persistence"], "rdb_last_bgsave_status:err");
    let diagnosis = look(&redis.url(), &DiagnoseOptions::default());
    let found = only(&diagnosis, "save-failed", Severity::Critical, &[]);
    assert!(found.found.contains("writes are refused until one works"), "{found:?}");
}

#[test]
fn a_flush_at_every_write() {
    let folder = tempfile::tempdir().unwrap();
    let always = ["--dir", folder.path().to_str().unwrap(), "--appendonly", "yes", "--appendfsync", "always"];
    let Some(redis) = redis(&always) else { return };
    only(&look(&redis.url(), &DiagnoseOptions::default()), "aof-always", Severity::Warning, &[]);
}

#[test]
fn a_disk_that_does_not_keep_up() {
    // Only once a file says so: while it starts, it waits for the disk itself.
    let slow = "#define _GNU_SOURCE\n#include <unistd.h>\nint fdatasync(int fd) { (void)fd; if (!access(\"slow\", F_OK)) usleep(4000000); return 0; }\n";
    let Some((folder, server)) = slowed(slow) else { return };
    let dir = folder.path().to_str().unwrap();
    let redis =
        PrivateRedis::start(&server, &["--dir", dir, "--appendonly", "yes", "--appendfsync", "everysec"]).unwrap();
    std::fs::write(folder.path().join("slow"), "").unwrap();
    let mut client = Client::of(&redis);
    let mut late = String::new();
    let begun = std::time::Instant::now();
    while !late.contains("aof_delayed_fsync:1") {
        client.ask(&["SET", "k", "v"]);
        late = client.ask(&["INFO", "persistence"]);
        assert!(begun.elapsed() < crate::common::PATIENCE, "{late}");
    }
    let diagnosis = look(&redis.url(), &DiagnoseOptions::default());
    only(&diagnosis, "fsync-late", Severity::Warning, &["stood-still"]);
}

#[test]
fn a_fork_that_takes_long() {
    let slow = "#define _GNU_SOURCE\n#include <dlfcn.h>\n#include <unistd.h>\npid_t fork(void) { usleep(150000); return ((pid_t (*)(void))dlsym(RTLD_NEXT, \"fork\"))(); }\n";
    let Some((folder, server)) = slowed(slow) else { return };
    let redis = PrivateRedis::start(&server, &["--dir", folder.path().to_str().unwrap()]).unwrap();
    let mut client = Client::of(&redis);
    client.ask(&["BGSAVE"]);
    until_said(&mut client, &["INFO", "persistence"], "rdb_bgsave_in_progress:0");
    let found =
        only(&look(&redis.url(), &DiagnoseOptions::default()), "slow-fork", Severity::Warning, &["slow-commands"]);
    assert!(found.found.contains("for 15"), "{found:?}");
}

#[test]
fn data_that_nothing_keeps() {
    let Some(redis) = redis(&[]) else { return };
    Client::of(&redis).eval("for i = 1, 2000 do redis.call('SET', 'user:' .. i, i) end");
    only(&look(&redis.url(), &DiagnoseOptions::default()), "nothing-kept", Severity::Warning, &[]);
}

/// A cache of 2000 keys whose ends are spread.
fn fill(client: &mut Client) {
    client.eval("for i = 1, 2000 do redis.call('SET', 'item:' .. i, string.rep('x', 1000), 'EX', 100 + i) end");
}

fn used(client: &mut Client) -> u64 {
    let info = client.ask(&["INFO", "memory"]);
    info.lines().find_map(|line| line.trim().strip_prefix("used_memory:")).unwrap().parse().unwrap()
}

#[test]
fn a_cache_without_a_limit() {
    let Some(redis) = redis(&[]) else { return };
    fill(&mut Client::of(&redis));
    only(&look(&redis.url(), &DiagnoseOptions::default()), "no-maxmemory", Severity::Warning, &[]);
}

#[test]
fn one_that_is_nearly_full_and_may_evict_nothing() {
    let Some(redis) = redis(&["--maxmemory", "100mb"]) else { return };
    let mut client = Client::of(&redis);
    fill(&mut client);
    assert!(look(&redis.url(), &DiagnoseOptions::default()).findings.is_empty());
    let limit = used(&mut client) * 105 / 100;
    client.ask(&["CONFIG", "SET", "maxmemory", &limit.to_string()]);
    only(&look(&redis.url(), &DiagnoseOptions::default()), "nearly-full", Severity::Critical, &[]);
}

#[test]
fn writes_that_were_refused() {
    let Some(redis) = redis(&["--maxmemory", "1"]) else { return };
    assert!(Client::of(&redis).ask(&["SET", "k", "v"]).contains("OOM"));
    let found =
        only(&look(&redis.url(), &DiagnoseOptions::default()), "writes-refused", Severity::Critical, &["nearly-full"]);
    assert!(found.found.contains("OOM 1"), "{found:?}");
}

#[test]
fn a_policy_that_has_nothing_to_evict() {
    let Some(redis) = redis(&["--maxmemory", "100mb", "--maxmemory-policy", "volatile-lru"]) else { return };
    let mut client = Client::of(&redis);
    client.eval("for i = 1, 500 do redis.call('SET', 'item:' .. i, string.rep('x', 5000)) end");
    only(&look(&redis.url(), &DiagnoseOptions::default()), "nothing-to-evict", Severity::Warning, &[]);
    let limit = used(&mut client) * 105 / 100;
    client.ask(&["CONFIG", "SET", "maxmemory", &limit.to_string()]);
    only(&look(&redis.url(), &DiagnoseOptions::default()), "nothing-to-evict", Severity::Critical, &[]);
}

#[test]
fn a_limit_that_the_machine_does_not_have() {
    let Some(redis) = redis(&["--save", "3600 1"]) else { return };
    let mut client = Client::of(&redis);
    let info = client.ask(&["INFO", "memory"]);
    let ram: u64 =
        info.lines().find_map(|line| line.trim().strip_prefix("total_system_memory:")).unwrap().parse().unwrap();
    client.ask(&["CONFIG", "SET", "maxmemory", &(ram / 10 * 9).to_string()]);
    only(&look(&redis.url(), &DiagnoseOptions::default()), "maxmemory-near-ram", Severity::Warning, &[]);
}

#[test]
fn evictions_of_what_is_asked_for_again() {
    let Some(redis) = redis(&["--maxmemory", "4mb", "--maxmemory-policy", "allkeys-lru"]) else { return };
    let mut client = Client::of(&redis);
    for from in (1..20_000).step_by(1000) {
        client.eval(&format!(
            "for i = {from}, {from} + 999 do redis.call('SET', 'item:' .. i, string.rep('x', 500), 'EX', 1000 + i) end"
        ));
    }
    client.eval("for i = 1, 20000 do redis.call('GET', 'item:' .. i) end");
    only(&look(&redis.url(), &DiagnoseOptions::default()), "evicts", Severity::Warning, &[]);
}

#[test]
fn memory_that_is_lost_in_pieces() {
    let Some(redis) = redis(&["--maxmemory", "2gb", "--maxmemory-policy", "allkeys-lru"]) else { return };
    if Client::of(&redis).ask(&["INFO", "memory"]).contains("mem_allocator:libc") {
        return app::testing::skipped("this Redis was built without jemalloc, and does not tell");
    }
    let mut client = Client::of(&redis);
    for from in (0..300_000).step_by(20_000) {
        client.eval(&format!(
            "for i = {from}, {from} + 19999 do redis.call('SET', 'item:' .. i, string.rep('x', 900), 'EX', 1000 + i) end"
        ));
    }
    client.eval("for i = 0, 299999 do if i % 5 > 0 then redis.call('DEL', 'item:' .. i) end end");
    let diagnosis = until_found(&redis.url(), "fragmented");
    only(&diagnosis, "fragmented", Severity::Warning, &[]);
}

#[test]
fn keys_that_end_together() {
    let Some(redis) = redis(&["--maxmemory", "200mb"]) else { return };
    let mut client = Client::of(&redis);
    client.eval(
        "for i = 1, 9000 do redis.call('SET', 'item:' .. i, 'x', 'PX', 60000 + i * 400) end \
         for i = 1, 4812 do redis.call('SET', 'batch:' .. i, 'x', 'EX', 1800) end",
    );
    let all = DiagnoseOptions { sample: 20_000, monitor: None };
    let found = only(&look(&redis.url(), &all), "expire-together", Severity::Warning, &[]);
    let scenario = found.scenario.unwrap();
    let told: u64 = found.found.split(' ').next().unwrap().parse().unwrap();
    assert!((4812..4820).contains(&told) && found.found.contains("of all 13812 keys"), "{}", found.found);
    assert_eq!(scenario, format!("loadgen --scenario bulk-warm --set keys.n={told} --lab sim"));
    let part = DiagnoseOptions { sample: 2000, monitor: None };
    let found = only(&look(&redis.url(), &part), "expire-together", Severity::Warning, &[]);
    let told: u64 = found.found.split(' ').nth(1).unwrap().parse().unwrap();
    assert!(
        (4200..5400).contains(&told) && found.found.contains("of 2000 keys looked at, of 13812"),
        "{}",
        found.found
    );
}

#[test]
fn counters_that_never_end() {
    let Some(redis) = redis(&["--maxmemory", "200mb"]) else { return };
    let mut client = Client::of(&redis);
    client.eval("for i = 1, 500 do redis.call('SET', 'rate:user:' .. i, 1, 'EX', 60 + i) end");
    client.eval("for i = 1, 500 do redis.call('SET', 'user:' .. i .. ':name', 'n') redis.call('SET', 'user:' .. i .. ':session', 's', 'EX', 60 + i) end");
    let url = redis.url();
    assert!(look(&url, &DiagnoseOptions::default()).findings.is_empty(), "another use without TTLs is none of theirs");
    // As INCR does to a counter that has ended.
    client.ask(&["INCR", "rate:user:900007"]);
    let found = only(&look(&url, &DiagnoseOptions::default()), "endless-keys", Severity::Warning, &[]);
    assert!(
        found.found.starts_with("1 of 501 keys \"rate:user:*\" have no TTL, for one \"rate:user:900007\""),
        "{}",
        found.found
    );
    client.eval("for i = 1000, 2500 do redis.call('SET', 'rate:user:' .. i, 1) end");
    only(&look(&url, &DiagnoseOptions::default()), "endless-keys", Severity::Note, &["nothing-kept"]);
}

#[test]
fn large_keys() {
    let Some(redis) =
        redis(&["--maxmemory", "200mb", "--lazyfree-lazy-user-del", "yes", "--lazyfree-lazy-expire", "yes"])
    else {
        return;
    };
    let mut client = Client::of(&redis);
    client.eval("redis.call('SET', 'page:\\27[31mhome', string.rep('x', 2000000), 'EX', 60)");
    let found = only(&look(&redis.url(), &DiagnoseOptions::default()), "big-keys", Severity::Warning, &[]);
    assert!(found.found.contains("page:\\u{1b}[31mhome") && found.found.contains("string"), "{}", found.found);
}

#[test]
fn a_collection_that_is_freed_at_once() {
    let lazy_off = ["--maxmemory", "200mb", "--lazyfree-lazy-user-del", "no", "--lazyfree-lazy-expire", "no"];
    let Some(redis) = redis(&lazy_off) else { return };
    let mut client = Client::of(&redis);
    client.eval("for i = 1, 150000 do redis.call('HSET', 'all', 'field-' .. i, 'a value of some length ' .. i) end");
    let beside = ["big-keys"];
    only(&look(&redis.url(), &DiagnoseOptions::default()), "freed-at-once", Severity::Warning, &beside);
}
