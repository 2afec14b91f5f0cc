//! The lab in containers, on a real engine: a stack of this test's own, with a name and ports of its own, that is taken down
//! again whatever happens.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::common::{Said, alone, assert_ended, folder, record, signal, sound, strategy, unspoiled_alone, until};
use crate::docker_shards::{
    a_shard_that_is_killed_makes_the_run_invalid, it_is_driven_from_beside_it, shards_drive_it_together,
};
use crate::test_stack::{TestStack, text};

/// hotkey, short, with whatever else.
fn scenario(at: &Path, name: &str, duration: &str, more: &str) -> PathBuf {
    let text = format!(
        "schema = 1\nname = \"{name}\"\nsummary = \"a test\"\nstrategies = [\"naive\", \"singleflight\"]\n[load]\nclients = 20\n\
         think = \"100ms\"\nwarmup = \"2s\"\nduration = \"{duration}\"\ntimeout = \"5s\"\n[keys]\nkind = \"hot\"\n\
         hot_share = 0.95\nn = 10\n[cache]\nttl = \"2s\"\n[origin]\nservice_time = \"200ms\"\n{more}"
    );
    let file = at.join(format!("{name}.toml"));
    std::fs::write(&file, text).unwrap();
    file
}

fn event(at: &str, action: &str, more: &str) -> String {
    format!("[[event]]\nat = \"{at}\"\ndo = \"{action}\"\n{more}\n")
}

const CONTAINERS: [&str; 6] = ["app-1", "app-2", "app-3", "cache-proxy-1", "origin-1", "redis-1"];

#[test]
fn a_stack_is_found_driven_hurt_and_healed_and_leaves_nothing_behind() {
    // Images are built and six programs started; what follows is a run at a time, as short as any.
    let building = alone();
    let Some(stack) = TestStack::up() else { return };
    drop(building);
    let scratch = tempfile::tempdir().unwrap();
    its_redis_is_set_up_and_watched(&stack, scratch.path());
    it_is_found_and_driven(&stack, scratch.path());
    it_is_driven_from_beside_it(&stack);
    shards_drive_it_together(&stack, scratch.path());
    a_shard_that_is_killed_makes_the_run_invalid(&stack, scratch.path());
    real_faults_take_effect_and_are_explained(&stack, scratch.path());
    // After Redis was restarted, on purpose: a part that asks it about a lock finds its connection broken.
    the_lock_s_holder_is_found(&stack, scratch.path());
    an_interrupted_run_heals_what_it_hurt(&stack, scratch.path());
    what_is_wrong_with_it_is_said(&stack);
    stack.does(&["down", "-v", "--timeout", "1"]);
    assert_eq!(stack.left_behind(), "");
    a_cluster_is_driven_and_says_what_it_cannot_do(&stack, scratch.path());
    a_standby_takes_over_under_sentinel(&stack, scratch.path());
}

fn a_cluster_is_driven_and_says_what_it_cannot_do(of: &TestStack, scratch: &Path) {
    let stack = of.with_cache("cluster");
    // A primary that was lost comes back as the replica of the one that took its place.
    stack.does(&["kill", "node-1"]);
    let said = stack.run(&["--scenario", "hotkey", "--lab", "docker", "--dry-run"]);
    assert!(said.err.contains("docker compose --env-file docker/cluster.env up -d --wait"), "{}", said.err);
    stack.does(&["up", "-d", "--wait"]);
    let flush = event("2s", "flush", "");
    let (file, results) = (scenario(scratch, "nodes", "5s", &flush), scratch.join("nodes"));
    let name = "plain + read-from(nodes=any) + lock";
    let args = ["--scenario", file.to_str().unwrap(), "--lab", "docker"];
    // Six nodes beside all the rest: one that another test's load holds up for a second has lost its place.
    let (said, path) = unspoiled_alone(&results, |into| {
        stack.run(&[&args[..], &["--strategy", name, "-o", into.to_str().unwrap()]].concat())
    });
    assert_ended(&said, &path, &[0]);
    let run = record(&path);
    assert!(run.cache.ends_with(", a cluster of 3 primaries"), "{}", run.cache);
    let shards = strategy(&run, name).shards.clone().unwrap();
    // A replica of a shard that has few of the ten keys may have been asked for none of them.
    assert_eq!((shards.primaries, shards.told), (3, Some(0)));
    assert!((1..=3).contains(&shards.replicas), "{shards:?}");
    let rows = folder(&path, &strategy(&run, name).folder).read_shards().unwrap();
    let nodes =
        |role: &str| rows.iter().filter(|row| row.role == role).map(|row| &row.node).collect::<BTreeSet<_>>().len();
    assert_eq!((nodes("primary"), nodes("replica")), (3, 3), "each is a member again");
    let rows = folder(&path, &strategy(&run, name).folder).read_events().unwrap();
    let flushed = rows.iter().find_map(|row| row.detail.as_deref()?.strip_prefix("flush: ")?.strip_suffix(" keys"));
    assert!(flushed.unwrap().parse::<u32>().unwrap() > 0, "{flushed:?}");
    let restart = scenario(scratch, "restart", "5s", &event("2s", "cache-restart", ""));
    for (args, words) in [
        (&["--scenario", restart.to_str().unwrap()][..], "the stack's cache is several servers"),
        (&["--scenario", "hotkey", "--set", "cache.redis.maxmemory=8MiB"], "a stack whose cache is several servers"),
    ] {
        let said = stack.run(&[args, &["--lab", "docker"]].concat());
        assert_eq!(said.code, Some(2), "{}", said.err);
        assert!(said.err.contains(words), "{words:?} is not in {}", said.err);
    }
    stack.does(&["down", "-v", "--timeout", "1"]);
    assert_eq!(stack.left_behind(), "");
}

fn a_standby_takes_over_under_sentinel(of: &TestStack, scratch: &Path) {
    let stack = of.with_cache("sentinel");
    let primary = || {
        let ask = ["redis-cli", "-p", "26379", "sentinel", "get-master-addr-by-name", "lab"];
        text(&stack.compose(&[&["exec", "-T", "sentinel-1"], &ask[..]].concat()).stdout)
    };
    let first = primary();
    stack.does(&["kill", "server-1"]);
    until("another leads", || primary() != first);
    // What comes back is the standby of the one that was its own.
    stack.does(&["up", "-d", "--wait"]);
    let (file, results) = (scenario(scratch, "standby", "5s", &event("2s", "flush", "")), scratch.join("standby"));
    let args = ["--scenario", file.to_str().unwrap(), "--lab", "docker", "--strategy", "singleflight"];
    let run = record(&stack.measure(&results, &args).1);
    assert!(strategy(&run, "singleflight").server.as_ref().unwrap().samples > 10);
    stack.does(&["down", "-v", "--timeout", "1"]);
    assert_eq!(stack.left_behind(), "");
}

fn its_redis_is_set_up_and_watched(stack: &TestStack, scratch: &Path) {
    let (file, results) = (scenario(scratch, "saving", "4s", ""), scratch.join("saving"));
    let args = ["--scenario", file.to_str().unwrap(), "--lab", "docker", "--strategy", "singleflight"];
    let (_, path) = stack.measure(&results, &[&args[..], &["--set", "cache.redis.save=1 1"]].concat());
    let run = record(&path);
    let server = strategy(&run, "singleflight").server.clone().unwrap();
    assert!(server.samples > 10 && server.saves > 0, "{server:?}");
    let said =
        stack.run(&[&args[..], &["--set", "cache.redis.io-threads=2", "-o", scratch.to_str().unwrap()]].concat());
    assert_eq!(said.code, Some(1), "{}", said.err);
    let words = ["the stack's Redis cannot be set up · [cache.redis] · ", "io-threads: "];
    assert!(words.iter().all(|words| said.err.contains(words)), "{}", said.err);
}

fn it_is_found_and_driven(stack: &TestStack, scratch: &Path) {
    let (file, results) = (scenario(scratch, "plain", "6s", ""), scratch.join("plain"));
    let (said, path) = stack.measure(&results, &["--scenario", file.to_str().unwrap()]);
    assert!(said.err.contains("lab docker, 3 replicas"), "--lab auto finds it: {}", said.err);
    let run = record(&path);
    assert_eq!((run.lab.as_str(), run.replicas), ("docker", 3));
    assert!(run.cache.starts_with("redis "), "{}", run.cache);
    for name in ["naive", "singleflight"] {
        let strategy = strategy(&run, name);
        assert!(sound(strategy), "{name}: {:?}", strategy.invalid_because);
        assert_eq!((strategy.errors, strategy.unwitnessed, strategy.moved_on), (0, 0, 0), "{name}");
        let server = strategy.server.as_ref().unwrap();
        assert!(server.samples > 10 && server.saves == 0, "what the run before had set is not: {server:?}");
        let rows = folder(&path, name).read_containers().unwrap();
        for container in CONTAINERS {
            let sampled = rows.iter().filter(|row| row.container == container && row.memory_bytes > 0).count();
            assert!(sampled >= 3, "{name}: {sampled} samples of {container}");
        }
        assert!(rows.iter().any(|row| row.cpu_cores > 0.0 && row.sent_bytes > 0), "{name}");
    }
    let per_expiry = |name: &str| crate::common::origin_of(strategy(&run, name)).per_expiry.as_ref().unwrap().mean;
    assert!(per_expiry("naive") > 10.0 && per_expiry("singleflight") < 2.0);
}

fn real_faults_take_effect_and_are_explained(stack: &TestStack, scratch: &Path) {
    let events = [
        event("1s", "replica-kill", "target = \"replica-1\""),
        event("4s", "replica-restart", "target = \"replica-1\""),
        event("5500ms", "flush", ""),
        event("6s", "cache-stop", "for = \"2s\""),
        event("10s", "cache-pause", "for = \"1s\""),
        event("13s", "cache-restart", ""),
        event("15s", "cache-latency", "add = \"20ms\"\nfor = \"1s\""),
        event("17s", "network-cut", "target = \"replica-2\"\nfor = \"2s\""),
        event("21s", "replica-pause", "target = \"replica-0\"\nfor = \"1s\""),
        event("25s", "origin-fail", "for = \"500ms\""),
    ];
    let (file, results) = (scenario(scratch, "faults", "28s", &events.concat()), scratch.join("faults"));
    let args = ["--scenario", file.to_str().unwrap(), "--strategy", "singleflight"];
    let (_, path) = stack.measure(&results, &args);
    let run = record(&path);
    let strategy = strategy(&run, "singleflight");
    assert!(strategy.unwitnessed > 0, "replica-1 had led reads when it was killed");
    assert!(strategy.moved_on > 0, "its clients went to the next");
    assert!(strategy.events.unwrap().cache_errors > 0, "a cache that is gone was noticed");
    assert_eq!(strategy.cache_ops_per_request, None, "what replica-1 counted is gone");
    let rows = folder(&path, "singleflight").read_events().unwrap();
    let told = |event: &str| -> Vec<String> {
        rows.iter().filter(|row| row.event == event).filter_map(|row| row.detail.clone()).collect()
    };
    assert_eq!(told("fault-failed"), Vec::<String>::new());
    let faults = told("fault");
    assert_eq!(faults.len(), events.len(), "{faults:?}");
    for (fault, begins) in faults.iter().zip([
        "replica-1 killed",
        "replica-1 restarted",
        "flush: ",
        "cache stopped for 2s",
        "cache paused for 1s",
        "cache restarted, empty",
        "cache slower by 20ms for 1s",
        "replica-2 cut off from the cache for 2s",
        "replica-0 paused for 1s",
        "origin fails",
    ]) {
        assert!(fault.starts_with(begins), "{fault:?}");
    }
    let over = told("fault-over");
    assert_eq!(over.len(), 5, "{over:?}");
    // Where the cache was gone, operations of the replicas that are left to tell of it failed; and nowhere else.
    let failed: Vec<i64> = rows.iter().filter(|r| r.event == "cache-failed").map(|r| r.t_ns / 1_000_000_000).collect();
    assert!(failed.iter().any(|s| (6..=9).contains(s)) && failed.iter().any(|s| (10..=12).contains(s)), "{failed:?}");
}

fn the_lock_s_holder_is_found(stack: &TestStack, scratch: &Path) {
    let events =
        [event("2s", "expire", "key = 1"), event("2500ms", "replica-kill", "target = \"lock-holder\"")].concat();
    let (file, results) = (scenario(scratch, "holder", "8s", &events), scratch.join("holder"));
    let more = ["--set", "origin.service_time=2s", "--set", "cache.ttl=6s", "-w", "6s", "--strategy", "plain + lease"];
    let (_, path) = stack.measure(&results, &[&["--scenario", file.to_str().unwrap()][..], &more].concat());
    let name = &record(&path).strategies[0].folder;
    let rows = folder(&path, name).read_events().unwrap();
    let killed =
        rows.iter().find(|r| r.event == "fault" && r.detail.as_deref().unwrap_or("").contains("killed")).unwrap();
    assert!(killed.detail.as_deref().unwrap().ends_with("(lock holder)"), "{killed:?}");
    // The read that it died over: the hot key's, its own, and the first since the key expired. When a kill is told of, on a busy machine
    // somebody else may have taken over already.
    let reads = folder(&path, name).read_origin().unwrap();
    let mut reads = reads.iter().filter(|r| r.key == "1" && r.arrived_ns > 1_900_000_000);
    let read = reads.next().unwrap();
    assert!(read.replica == killed.replica && read.arrived_ns < killed.t_ns, "{read:?}");
    assert_ne!(reads.next().expect("somebody took over").replica, killed.replica);
}

fn an_interrupted_run_heals_what_it_hurt(stack: &TestStack, scratch: &Path) {
    let events = [
        event("500ms", "replica-pause", "target = \"replica-2\"\nfor = \"60s\""),
        event("600ms", "cache-stop", "for = \"60s\""),
        event("700ms", "network-cut", "target = \"replica-0\"\nfor = \"60s\""),
    ]
    .concat();
    let (file, results) = (scenario(scratch, "interrupted", "90s", &events), scratch.join("interrupted"));
    let args = ["--scenario", file.to_str().unwrap(), "--strategy", "naive", "-o", results.to_str().unwrap()];
    let mut child =
        stack.loadgen(&args).stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null()).spawn().unwrap();
    let hurt = || {
        let states = stack.states();
        let is = |service: &str, state: &str| states.iter().any(|(s, now)| s == service && now == state);
        is("app", "paused") && is("redis", "exited")
    };
    until("the stack is hurt", hurt);
    signal(&child, "INT");
    assert_eq!(child.wait().unwrap().code(), Some(130));
    let well = |(service, state): &(String, String)| service == "secrets" || state == "running";
    assert!(stack.states().iter().all(well), "{:?}", stack.states());
    let again = stack.run(&["--scenario", "hotkey", "--lab", "docker", "--dry-run"]);
    // Redis was started anew, and its health check has yet to say that it is well: that is waited for.
    assert_eq!(again.code, Some(0), "{}", again.err);
}

fn what_is_wrong_with_it_is_said(stack: &TestStack) {
    let dry = |lab: &str, more: &[&str]| {
        stack.run(&[&["--scenario", "hotkey", "--lab", lab, "--dry-run"][..], more].concat())
    };
    stack.does(&["up", "-d", "--wait", "--scale", "app=4"]);
    let four = dry("docker", &[]);
    assert!(four.out.contains("4 replicas") && four.out.contains("# lab docker"), "{}{}", four.out, four.err);
    stack.does(&["pause", "app"]);
    let paused = dry("docker", &[]);
    assert_eq!(paused.code, Some(1));
    assert!(paused.err.contains("app-1 is Up") && paused.err.contains("--force-recreate"), "{}", paused.err);
    let fallen_back = dry("auto", &[]);
    assert_eq!(fallen_back.code, Some(0));
    assert!(
        fallen_back.out.contains("# lab local (no containers: ") && fallen_back.out.contains("3 replicas"),
        "{}",
        fallen_back.out
    );
    stack.does(&["unpause", "app"]);
    stack.does(&["stop", "--timeout", "1", "origin"]);
    let half = dry("docker", &[]);
    assert!(
        half.err.contains("origin-1 is Exited") && half.err.contains("docker compose up -d --wait"),
        "{}",
        half.err
    );
    let nowhere = Command::new(env!("CARGO_BIN_EXE_loadgen"))
        .args(["--scenario", "hotkey", "--lab", "docker"])
        .env("DOCKER_HOST", "unix:///nowhere/docker.sock")
        .output()
        .unwrap();
    let nowhere = Said::from(nowhere);
    assert_eq!(nowhere.code, Some(1));
    assert!(nowhere.err.contains("cannot reach Docker at unix:///nowhere/docker.sock"), "{}", nowhere.err);
}
