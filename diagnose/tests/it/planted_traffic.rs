//! Faults that are what clients do.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::common::{Client, look, only, redis};
use app::cache::redis_server::PrivateRedis;
use diagnose::look::DiagnoseOptions;
use diagnose::record::{Diagnosis, Severity};

/// Looks while a client does this again and again.
fn heard(redis: &PrivateRedis, steps: &'static [&'static [&'static str]]) -> Diagnosis {
    let over = Arc::new(AtomicBool::new(false));
    let (mut client, told) = (Client::of(redis), over.clone());
    let busy = std::thread::spawn(move || {
        while !told.load(Ordering::Relaxed) {
            steps.iter().for_each(|words| drop(client.ask(words)));
        }
    });
    let options = DiagnoseOptions { monitor: Some(Duration::from_millis(500)), ..DiagnoseOptions::default() };
    let diagnosis = look(&redis.url(), &options);
    over.store(true, Ordering::Relaxed);
    busy.join().unwrap();
    diagnosis
}

#[test]
fn a_counter_in_three_steps() {
    let Some(redis) = redis(&[]) else { return };
    let steps: &[&[&str]] = &[&["GET", "rate:1"], &["SET", "rate:1", "1", "EX", "60"], &["INCR", "rate:1"]];
    let diagnosis = heard(&redis, steps);
    let found = only(&diagnosis, "counter-gap", Severity::Warning, &["hot-key"]);
    assert!(found.found.contains("for one \"rate:1\""), "{}", found.found);
    only(&diagnosis, "hot-key", Severity::Warning, &["counter-gap"]);
}

#[test]
fn the_same_by_the_counts_of_commands() {
    let Some(redis) = redis(&[]) else { return };
    let mut client = Client::of(&redis);
    for _ in 0..1000 {
        client.ask(&["GET", "k"]);
        client.ask(&["INCR", "k"]);
    }
    client.ask(&["SET", "k", "1", "EX", "60"]);
    only(&look(&redis.url(), &DiagnoseOptions::default()), "counter-gap", Severity::Note, &[]);
}

#[test]
fn a_counter_whose_end_comes_later() {
    let Some(redis) = redis(&[]) else { return };
    let steps: &[&[&str]] = &[&["INCR", "rate:1"], &["EXPIRE", "rate:1", "60"]];
    only(&heard(&redis, steps), "expire-gap", Severity::Note, &["hot-key"]);
}

#[test]
fn what_is_one_act_is_no_gap() {
    let Some(redis) = redis(&[]) else { return };
    let steps: &[&[&str]] = &[
        &["MULTI"],
        &["INCR", "rate:1"],
        &["EXPIRE", "rate:1", "60"],
        &["EXEC"],
        &[
            "EVAL",
            "redis.call('GET', KEYS[1]) redis.call('INCR', KEYS[1]) redis.call('EXPIRE', KEYS[1], 60)",
            "1",
            "rate:2",
        ],
    ];
    only(&heard(&redis, steps), "hot-key", Severity::Warning, &[]);
}

#[test]
fn a_hot_key_by_the_servers_own_counter() {
    let lfu = ["--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lfu"];
    let Some(redis) = redis(&lfu) else { return };
    let mut client = Client::of(&redis);
    client.eval("for i = 1, 300 do redis.call('SET', 'item:' .. i, i, 'EX', 60 + i) end");
    for _ in 0..10 {
        client.eval("for i = 1, 20000 do redis.call('GET', 'item:7') end");
    }
    let found = only(&look(&redis.url(), &DiagnoseOptions::default()), "hot-key", Severity::Note, &[]);
    assert!(found.found.starts_with("\"item:7\" is the hottest"), "{}", found.found);
}

/// A command of some hundred milliseconds.
const LONG: &str = "local x = 0 for i = 1, 40000000 do x = x + i % 7 end return x";

#[test]
fn a_slow_command() {
    let Some(redis) = redis(&[]) else { return };
    Client::of(&redis).ask(&["EVAL", LONG, "0"]);
    let found = only(&look(&redis.url(), &DiagnoseOptions::default()), "slow-commands", Severity::Warning, &[]);
    assert!(found.found.contains("the slowest EVAL with ") && !found.found.contains("local"), "{}", found.found);
}

#[test]
fn a_server_that_stood_still() {
    let Some(redis) = redis(&["--latency-monitor-threshold", "50"]) else { return };
    Client::of(&redis).ask(&["EVAL", LONG, "0"]);
    let found =
        only(&look(&redis.url(), &DiagnoseOptions::default()), "stood-still", Severity::Warning, &["slow-commands"]);
    assert!(found.found.contains("command up to "), "{}", found.found);
}

#[test]
fn keys_that_are_listed_whole() {
    let Some(redis) = redis(&[]) else { return };
    let mut client = Client::of(&redis);
    for _ in 0..10 {
        client.ask(&["KEYS", "*"]);
    }
    only(&look(&redis.url(), &DiagnoseOptions::default()), "keys-called", Severity::Warning, &[]);
}

#[test]
fn errors_again_and_again() {
    let Some(redis) = redis(&[]) else { return };
    let mut client = Client::of(&redis);
    client.ask(&["LPUSH", "list", "x"]);
    for _ in 0..200 {
        client.ask(&["INCR", "list"]);
    }
    let found = only(&look(&redis.url(), &DiagnoseOptions::default()), "errors", Severity::Warning, &[]);
    assert!(found.found.contains("WRONGTYPE 200"), "{}", found.found);
}

#[test]
fn as_many_clients_as_may_be() {
    let Some(redis) = redis(&["--maxclients", "10"]) else { return };
    let mut clients: Vec<Client> = (0..8).map(|_| Client::of(&redis)).collect();
    clients.iter_mut().for_each(|client| drop(client.ask(&["PING"])));
    let found = only(&look(&redis.url(), &DiagnoseOptions::default()), "clients-near-limit", Severity::Warning, &[]);
    assert!(found.found.contains("9 clients of at most 10"), "{}", found.found);
}

#[test]
fn clients_that_were_turned_away() {
    let Some(redis) = redis(&["--maxclients", "10"]) else { return };
    let mut clients: Vec<Client> = (0..12).map(|_| Client::of(&redis)).collect();
    assert!(clients[11].reply().contains("max number of clients"));
    clients.truncate(4);
    let is_gone = || Client::of(&redis).ask(&["INFO", "clients"]).contains("connected_clients:5");
    let begun = std::time::Instant::now();
    while !is_gone() {
        assert!(begun.elapsed() < crate::common::PATIENCE);
    }
    only(&look(&redis.url(), &DiagnoseOptions::default()), "clients-refused", Severity::Warning, &[]);
}
