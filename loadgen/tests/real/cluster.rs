//! A private cluster of real servers as the cache: where a hot key's load lies, what is refused, and that nothing is left behind.

use std::net::TcpStream;

use app::testing;
use report::record::{Run, TakeoverSums};

use crate::common::{Said, folder, record, run, sound, strategy, unspoiled};

const WHOLE: &str = "plain + lock";
const ANY: &str = "plain + read-from(nodes=any) + lock";
const EVEN: &str = "plain + copies(n=3, tags=even) + lock";

#[test]
fn a_hot_key_is_one_shard_s_work_and_copies_spread_it() {
    if testing::needed("redis", app::cache::redis_server::installed).is_none() {
        return;
    }
    let results = tempfile::tempdir().unwrap();
    let strategies = [WHOLE, ANY, EVEN].join(",");
    let (said, path) = unspoiled(results.path(), |folder| {
        let load = ["--scenario", "hot-shard", "-r", "300/s", "-d", "4s", "--strategy", &strategies];
        let lab = ["--lab", "local", "--cache", "cluster", "--quiet", "-o", folder.to_str().unwrap()];
        run(&[&load[..], &lab].concat())
    });
    let run = record(&path);
    assert!(run.cache.ends_with(", a cluster of 3 primaries"), "{} {}", run.cache, said.err);
    let share = |name| strategy(&run, name).shards.clone().unwrap();
    // The lab's own watch of the cache is some commands a second, too.
    assert!(share(WHOLE).fullest_share.unwrap() > 0.75, "{:?}", share(WHOLE));
    assert!((0.3..0.45).contains(&share(EVEN).fullest_share.unwrap()), "{:?}", share(EVEN));
    assert!((0.4..0.6).contains(&share(ANY).fullest_share.unwrap()), "two servers a shard: {:?}", share(ANY));
    assert!(share(ANY).replicas == 3 && share(WHOLE).replicas == 0, "{:?} {:?}", share(ANY), share(WHOLE));
    assert_eq!((share(WHOLE).primaries, share(WHOLE).moved, share(WHOLE).told), (3, 0, Some(0)));
    let rows = folder(&path, &strategy(&run, WHOLE).folder).read_shards().unwrap();
    let nodes: std::collections::BTreeSet<&str> = rows.iter().map(|row| row.node.as_str()).collect();
    assert_eq!(nodes.len(), 6, "{nodes:?}");
    for node in nodes {
        assert!(TcpStream::connect(node).is_err(), "{node} is still there");
    }
}

/// Runs a scenario on servers of the lab's own; its record, and what it said.
fn on(cache: &str, scenario: &str, more: &[&str]) -> Option<(Run, Said)> {
    testing::needed("redis", app::cache::redis_server::installed)?;
    let results = tempfile::tempdir().unwrap();
    let (said, path) = unspoiled(results.path(), |folder| {
        let lab = ["--scenario", scenario, "--lab", "local", "--cache", cache, "-o", folder.to_str().unwrap()];
        run(&[&lab, more].concat())
    });
    Some((record(&path), said))
}

/// What happened while a server took another's place, and whether its times count: a busy machine spoils them, and no counts.
fn takeovers<'a>(of: &'a Run, name: &str, said: &Said) -> (&'a TakeoverSums, bool) {
    let of = strategy(of, name);
    assert!(sound(of), "{name}: {:?} {}", of.invalid_because, said.err);
    (of.takeovers.as_ref().unwrap(), of.valid)
}

#[test]
fn slots_that_move_send_hardly_anybody_elsewhere_and_are_given_back() {
    let two = ["plain + lock", "plain + coalesce + lock"];
    let load = ["-r", "200/s", "-d", "12s", "--set", "keys.n=2000", "--strategy", &two.join(",")];
    // A machine that is busy with something else needs many seconds for a thousand, and of a move that is not over nothing is known.
    let folder = tempfile::tempdir().unwrap();
    let fewer = folder.path().join("fewer.toml");
    let text = self::run(&["show", "cluster-reshard"]).out;
    std::fs::write(&fewer, text.replace("slots = 1000", "slots = 200")).unwrap();
    let Some((run, said)) = on("cluster", fewer.to_str().unwrap(), &load) else { return };
    for name in two {
        let (moved, valid) = takeovers(&run, name, &said);
        assert_eq!((moved.each.len(), moved.led), (1, 0), "{moved:?}");
        assert!(!valid || moved.failed == 0, "{moved:?}");
        assert!(moved.ask_share.unwrap() < 0.01, "{moved:?}");
        let shards = strategy(&run, name).shards.clone().unwrap();
        // Each client asks for the whole map when it is told that one slot has moved.
        assert!((1..=400).contains(&shards.moved) && shards.try_again == 0, "{shards:?}");
        // The second finds the slots where the first did.
        assert!(moved.each[0].took_ms > 20.0, "{moved:?}");
    }
}

#[test]
fn the_slot_that_everybody_asks_for_sends_half_of_them_elsewhere_while_it_moves() {
    let reads = "plain + batch(mode=pipeline) + lock";
    let pages = "plain + batch(mode=mget) + lock";
    let two = [reads, pages].join(",");
    let Some((run, said)) = on("cluster", "cluster-hot-slot", &["-r", "100/s", "-d", "16s", "--strategy", &two]) else {
        return;
    };
    let (asked, valid) = takeovers(&run, reads, &said);
    assert!((0.3..0.7).contains(&asked.ask_share.unwrap()), "{asked:?}");
    assert!(!valid || asked.ask_p50_times.unwrap() > 1.2, "a second round trip: {asked:?}");
    // Redis 7 moves the keys of a slot from the newest to the oldest, so those of a page go together: no TRYAGAIN but at the border.
    let (pages, valid) = takeovers(&run, pages, &said);
    assert!(pages.ask_share.unwrap() > 0.2 && (!valid || pages.failed < 10), "{pages:?}");
}

#[test]
fn a_primary_that_dies_is_missed_and_replaced_under_a_cluster_and_under_sentinel() {
    let two = ["plain + coalesce + lock", "plain + near(ttl=1s, stale=30s) + coalesce + lock"];
    for cache in ["cluster", "sentinel"] {
        let load = ["-r", "60/s", "-w", "2s", "-d", "14s", "--strategy", &two.join(",")];
        let Some((run, said)) = on(cache, "cache-failover", &load) else { return };
        for name in two {
            let (lost, _) = takeovers(&run, name, &said);
            assert!((500.0..12_000.0).contains(&lost.took_ms_max) && lost.failed > 10, "{cache}: {lost:?}");
            assert!(lost.led > 5, "{cache}: {lost:?}");
        }
    }
}

#[test]
fn what_a_cluster_cannot_do_is_refused_before_anything_is_run() {
    if testing::needed("redis", app::cache::redis_server::installed).is_none() {
        return;
    }
    let lab = ["--lab", "local", "--cache", "cluster", "-d", "1s"];
    let tracking = "plain + near(ttl=1s, invalidate=tracking) + lock";
    let folder = tempfile::tempdir().unwrap();
    let saves = folder.path().join("saves.toml");
    let event = "\n[[event]]\nat = \"500ms\"\ndo = \"cache-save\"\n";
    std::fs::write(&saves, run(&["show", "hotkey"]).out + event).unwrap();
    for (args, words) in [
        (&["--scenario", "near-hot", "--strategy", tracking][..], "changes told by one server"),
        (&["--scenario", saves.to_str().unwrap()], "cache-save"),
    ] {
        let said = run(&[args, &lab].concat());
        assert_eq!(said.code, Some(2), "{}", said.err);
        assert!(said.err.contains(words), "{words:?} is not in {}", said.err);
    }
    let reads = ["--scenario", "hotkey", "-d", "1s", "--strategy", "plain + read-from + lock"];
    for lab in
        [&["--lab", "local", "--cache", "redis"][..], &["--lab", "local", "--cache", "memory"], &["--lab", "sim"]]
    {
        let said = run(&[&reads[..], lab].concat());
        assert_eq!(said.code, Some(2), "{lab:?}: {}", said.err);
        assert!(said.err.contains("replicas that answer reads"), "{lab:?}: {}", said.err);
    }
    // What Debian 12 has cannot.
    let said =
        run(&[&["--scenario", "cluster-hot-slot", "--set", "event.how=atomic"], &lab[..4], &["-d", "8s"]].concat());
    assert_eq!(said.code, Some(2), "{}", said.err);
    assert!(said.err.contains("slots that this server can't move all at once"), "{}", said.err);
    let said = run(&["--scenario", "hotkey", "--lab", "sim", "--cache", "cluster"]);
    assert!(said.code == Some(2) && said.err.contains("--cache cluster with --lab sim"), "{}", said.err);
}
