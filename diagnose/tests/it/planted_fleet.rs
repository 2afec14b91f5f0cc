//! Faults of servers that belong together: replicas, and nodes of a cluster.

use std::net::TcpListener;

use crate::common::{Client, look, names, only, redis, until_found, until_said};
use app::cache::redis_server::PrivateRedis;
use diagnose::look::DiagnoseOptions;
use diagnose::record::Severity;

fn free_port() -> String {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().to_string()
}

/// A primary on a port of loopback, and a replica of it that is up.
fn pair(replica: &[&str]) -> Option<(PrivateRedis, PrivateRedis)> {
    let port = free_port();
    let primary = redis(&["--port", &port, "--bind", "127.0.0.1", "--repl-diskless-sync-delay", "0"])?;
    let replicaof = format!("127.0.0.1 {port}");
    let replica = redis(&[&["--replicaof", replicaof.as_str()], replica].concat())?;
    until_said(&mut Client::of(&replica), &["INFO", "replication"], "master_link_status:up");
    until_said(&mut Client::of(&primary), &["INFO", "replication"], "state=online");
    Some((primary, replica))
}

#[test]
fn a_pair_that_is_well_and_a_replica_that_falls_behind() {
    let Some((primary, replica)) = pair(&[]) else { return };
    for one in [&primary, &replica] {
        let diagnosis = look(&one.url(), &DiagnoseOptions::default());
        assert_eq!(names(&diagnosis), [""; 0], "{:#?}", diagnosis.findings);
    }
    let pid = replica.pid().unwrap().to_string();
    assert!(std::process::Command::new("kill").args(["-STOP", &pid]).status().unwrap().success());
    Client::of(&primary)
        .eval("for i = 1, 40 do redis.call('SET', 'k', string.rep('x', 1000000)) end redis.call('DEL', 'k')");
    let found = only(&until_found(&primary.url(), "replica-behind"), "replica-behind", Severity::Warning, &[]);
    assert!(found.found.contains(" MB behind, heard of "), "{}", found.found);
}

#[test]
fn a_replica_that_takes_writes() {
    let Some((_primary, replica)) = pair(&["--replica-read-only", "no"]) else { return };
    only(&look(&replica.url(), &DiagnoseOptions::default()), "replica-writable", Severity::Warning, &[]);
}

#[test]
fn a_replica_without_its_primary() {
    let Some(redis) = redis(&["--replicaof", "127.0.0.1 1"]) else { return };
    only(&look(&redis.url(), &DiagnoseOptions::default()), "link-down", Severity::Critical, &[]);
}

fn node() -> Option<(PrivateRedis, String, String)> {
    let (port, bus) = (free_port(), free_port());
    let node = redis(&["--cluster-enabled", "yes", "--port", &port, "--cluster-port", &bus, "--bind", "127.0.0.1"])?;
    Some((node, port, bus))
}

#[test]
fn a_cluster_of_which_slots_are_missing() {
    let Some((node, ..)) = node() else { return };
    let diagnosis = look(&node.url(), &DiagnoseOptions::default());
    only(&diagnosis, "cluster-broken", Severity::Critical, &[]);
    assert_eq!(diagnosis.server.is_cluster_node, Some(true));
    assert!(diagnosis.not_seen.iter().any(|one| one.what.contains("other nodes")), "{:?}", diagnosis.not_seen);
}

#[test]
fn clients_that_ask_the_wrong_node() {
    let (Some((one, ..)), Some((other, port, bus))) = (node(), node()) else { return };
    let (mut first, mut second) = (Client::of(&one), Client::of(&other));
    first.ask(&["CLUSTER", "ADDSLOTSRANGE", "0", "8191"]);
    second.ask(&["CLUSTER", "ADDSLOTSRANGE", "8192", "16383"]);
    first.ask(&["CLUSTER", "MEET", "127.0.0.1", &port, &bus]);
    until_said(&mut first, &["CLUSTER", "INFO"], "cluster_slots_ok:16384");
    until_said(&mut first, &["CLUSTER", "INFO"], "cluster_state:ok");
    assert_eq!(names(&look(&one.url(), &DiagnoseOptions::default())), [""; 0]);
    first.ask(&["CONFIG", "RESETSTAT"]);
    for _ in 0..200 {
        // Slot 12182.
        assert!(first.ask(&["GET", "foo"]).contains("MOVED"));
    }
    let found = only(&look(&one.url(), &DiagnoseOptions::default()), "redirects", Severity::Warning, &[]);
    assert!(found.found.contains("MOVED 200"), "{}", found.found);
}
